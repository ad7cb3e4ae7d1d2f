//! What transactions read and write: the interfaces of all views of a ledger.
//!
//! Views stack as in xrpld: a closed ledger, an [`super::OpenView`] over it (or over another one),
//! a [`super::Sandbox`] for one transaction, more of them or [`super::PaymentSandbox`]es above.
//! A layer keeps what changed; it is merged into the one below, or dropped.

use std::sync::Arc;

use xrpl_protocol::{
    AccountId, Amount, Currency, EngineResult, Hash256, IssuedValue, MptId, Object, TxHash, fields,
    object_id,
};

pub use super::changes::Entry;
use super::{amendment::Rules, changes::Changes};

/// Success, or the engine result that ends a transaction.
pub type Ter = Result<(), EngineResult>;

/// Fees and reserves in drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// Fee of a reference transaction.
    pub base: u64,
    /// Reserve of an account.
    pub reserve: u64,
    /// Reserve of each thing it owns.
    pub increment: u64,
}

impl Default for Fees {
    fn default() -> Self {
        Self { base: 10, reserve: 10_000_000, increment: 2_000_000 }
    }
}

impl Fees {
    /// As a FeeSettings entry says.
    #[must_use]
    pub fn of(settings: &Object) -> Self {
        let default = Self::default();
        let drops = |field, or| {
            let drops = settings.amount(field).and_then(|amount| amount.drops());
            drops.and_then(|drops| u64::try_from(drops).ok()).unwrap_or(or)
        };
        // Before the amendment XRPFees they were plain numbers.
        let legacy = |field| settings.u32(field).map(u64::from);
        let base = settings.u64(fields::BASE_FEE).unwrap_or(default.base);
        let reserve = legacy(fields::RESERVE_BASE).unwrap_or(default.reserve);
        let increment = legacy(fields::RESERVE_INCREMENT).unwrap_or(default.increment);
        Self {
            base: drops(fields::BASE_FEE_DROPS, base),
            reserve: drops(fields::RESERVE_BASE_DROPS, reserve),
            increment: drops(fields::RESERVE_INCREMENT_DROPS, increment),
        }
    }

    /// What an account that owns `owner_count` things must keep.
    #[must_use]
    pub fn account_reserve(&self, owner_count: u32) -> u64 {
        self.reserve.saturating_add(self.increment.saturating_mul(owner_count.into()))
    }
}

/// What every view knows about its ledger.
#[derive(Clone, Debug)]
pub struct ViewInfo {
    /// Its index.
    pub index: u32,
    /// Hash of the ledger before.
    pub parent_hash: Hash256,
    /// Close time of the ledger before: the time against which expirations are judged.
    pub parent_close_time: u32,
    /// Its close time; the parent's while it is open.
    pub close_time: u32,
    /// Whether it is open: open ledgers check fees and keep no metadata.
    pub open: bool,
    /// Fees and reserves.
    pub fees: Fees,
    /// Amendments.
    pub rules: Arc<Rules>,
    /// Those that arithmetic goes by.
    pub arithmetic: Arc<Rules>,
}

/// Reading a ledger.
///
/// The hooks are for payments: what has been credited within one must not be spent again in it. They
/// change nothing but in a [`super::PaymentSandbox`].
pub trait ReadView {
    /// The entry of an id.
    fn read(&self, key: &Hash256) -> Option<Entry>;
    /// The first id after `key`.
    fn succ(&self, key: &Hash256) -> Option<Hash256>;
    /// Index, times, fees, amendments.
    fn info(&self) -> &ViewInfo;
    /// Whether the ledger has this transaction.
    fn has_transaction(&self, hash: &TxHash) -> bool;

    /// Which amendments are on.
    fn rules(&self) -> &Rules {
        &self.info().rules
    }

    /// Which amendments arithmetic goes by. xrpld asks there for those of the transaction that is being
    /// applied, and takes none to be on where there is none: where paths are searched.
    fn arithmetic_rules(&self) -> &Rules {
        &self.info().arithmetic
    }

    /// Whether there is an entry of that id.
    fn exists(&self, key: &Hash256) -> bool {
        self.read(key).is_some()
    }

    /// An account's AccountRoot.
    fn account(&self, account: AccountId) -> Option<Entry> {
        self.read(&object_id::account_root(account))
    }

    /// What of an account's XRP may be spent, in drops.
    fn balance_hook_xrp(&self, _account: AccountId, drops: i64) -> i64 {
        drops
    }

    /// What of a balance with an issuer may be spent.
    fn balance_hook_iou(
        &self,
        _account: AccountId,
        _issuer: AccountId,
        _currency: Currency,
        balance: IssuedValue,
    ) -> IssuedValue {
        balance
    }

    /// What of a holding of an MPT, or of what its issuer may still issue, may be spent.
    fn balance_hook_mpt(&self, _account: AccountId, _issuance: MptId, balance: i64) -> i64 {
        balance
    }

    /// What an issuer that sells its own MPT may still issue.
    fn balance_hook_self_issue_mpt(&self, _issuance: MptId, available: i64) -> i64 {
        available
    }

    /// How many things count for an account's reserve.
    fn owner_count_hook(&self, _account: AccountId, count: u32) -> u32 {
        count
    }
}

/// Changing a ledger. What is only looked at is [`ReadView::read`]; [`ApplyView::get_mut`] counts as
/// a change even if nothing is changed (metadata depends on that, as in xrpld on `update`).
pub trait ApplyView: ReadView {
    /// The entry, to be changed.
    fn get_mut(&mut self, key: &Hash256) -> Option<&mut Object>;
    /// Adds a new entry.
    fn insert(&mut self, key: Hash256, entry: Object);
    /// Takes an entry out; false if there is none. Metadata shows its last version.
    fn erase(&mut self, key: &Hash256) -> bool;
    /// Takes the changes of a view that stood on this one.
    fn merge(&mut self, changes: Changes);

    /// XRP of an account is about to move: what it sends, 0 if it receives, and what it had, in
    /// drops.
    fn credit_hook_xrp(&mut self, _account: AccountId, _sent: i64, _before: i64) {}

    /// An issued currency is about to move; `before` is the sender's balance on the line.
    fn credit_hook_iou(
        &mut self,
        _from: AccountId,
        _to: AccountId,
        _currency: Currency,
        _value: IssuedValue,
        _before: IssuedValue,
    ) {
    }

    /// An MPT is about to move. `holder_before` is what the holder had, `issuer_before` what could
    /// still be issued.
    fn credit_hook_mpt(
        &mut self,
        _from: AccountId,
        _to: AccountId,
        _issuance: MptId,
        _value: i64,
        _holder_before: u64,
        _issuer_before: i64,
    ) {
    }

    /// The issuer of an MPT sells some of it; `before` is what could still be issued.
    fn issuer_self_debit_hook_mpt(&mut self, _issuance: MptId, _value: u64, _before: i64) {}

    /// The number of things that an account owns changes.
    fn adjust_owner_count_hook(&mut self, _account: AccountId, _now: u32, _next: u32) {}
}

/// A view with some entries replaced: what the queue assumes about an account whose earlier
/// transactions are still queued.
pub(crate) struct Assumed<'a> {
    pub(crate) base: &'a dyn ReadView,
    pub(crate) key: Hash256,
    pub(crate) entry: Entry,
}

impl ReadView for Assumed<'_> {
    fn read(&self, key: &Hash256) -> Option<Entry> {
        if *key == self.key { Some(Arc::clone(&self.entry)) } else { self.base.read(key) }
    }

    fn succ(&self, key: &Hash256) -> Option<Hash256> {
        self.base.succ(key)
    }

    fn info(&self) -> &ViewInfo {
        self.base.info()
    }

    fn has_transaction(&self, hash: &TxHash) -> bool {
        self.base.has_transaction(hash)
    }
}

/// Drops of an XRP amount field; 0 when absent.
#[must_use]
pub fn drops(entry: &Object, field: xrpl_protocol::Field) -> i64 {
    match entry.amount(field) {
        Some(Amount::Xrp(drops)) => drops,
        _ => 0,
    }
}
