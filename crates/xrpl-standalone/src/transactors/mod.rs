//! Transaction types, one file (or folder) a family, and the frame in which they run: xrpld's
//! `preflight` (form), `preclaim` (against a ledger) and `apply`.
//!
//! To add a type: write a unit struct that implements [`Transactor`] in its family's file, declare
//! the file here and put the struct in the place of its row's `None` in [`table`]. The frame has by
//! then checked the type's amendment, flags, fee, Sequence or Ticket, signatures and permissions;
//! after it come invariants and metadata. What types share is in [`crate::ledger::helpers`], which
//! works on every kind of view.
//!
//! - `preflight` gives `tem` or `tel` results, `preclaim` anything.
//! - `apply` has [`ApplyContext::view`]. Reading is `view.read`, changing `view.get_mut`, where xrpld
//!   has `update`: an entry that is touched but not changed still shows in metadata under some
//!   circumstances.
//! - After a `tec` the changes are thrown away and fee and Sequence are taken. What must hold all the
//!   same (removed offers, expired credentials and NFT offers, an AMM's trust lines) is found in
//!   what was thrown away: see `persistent`.
//! - Parts of a transaction that may fail alone run on a [`crate::ledger::Sandbox`] over the view,
//!   payments on a [`crate::ledger::PaymentSandbox`]; `view.merge(sandbox.into_changes())` keeps
//!   what they did.
//! - Rules: `view.rules().enabled(amendment::X)`; sub-features of a type in [`Transactor::enabled`].

mod account_delete;
mod account_set;
mod amm;
mod apply;
mod apply_batch;
mod batch;
pub mod change;
mod check;
mod clawback;
mod credential;
mod delegate;
mod deposit_preauth;
mod did;
mod escrow;
pub mod flow;
mod invariants;
mod ledger_state_fix;
mod lending;
mod mpt;
mod nft;
mod offer;
mod oracle;
mod payment;
mod payment_channel;
mod permission;
mod permissioned_domain;
mod persistent;
mod preclaim;
mod preflight;
mod regular_key;
mod signatures;
mod signer_list;
pub mod table;
mod ticket;
mod trust_set;
mod vault;
mod xchain;

use xrpl_protocol::{AccountId, Amount, EngineResult, fields};

pub use apply::{ApplyContext, Attempt, apply, apply_checked};
pub use apply_batch::apply_transaction;
pub use change::is_pseudo;
pub use permission::{Granular, is_delegable};
pub use preclaim::{PreclaimContext, preclaim};
pub use preflight::{PreflightContext, preflight};
pub use signatures::{Signed, check_signatures};
pub use table::{has_privilege, privilege, transaction_type, transactor};

use crate::ledger::{PreparedTx, ReadView, SeqProxy, Ter};

/// `tfFullyCanonicalSig` and `tfInnerBatchTxn`, which every type takes.
pub const UNIVERSAL_FLAGS: u32 = 0xc000_0000;

/// What transactions need to know about the server.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Network id.
    pub network_id: u32,
}

/// How a transaction is to be applied: xrpld's `tap` flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApplyFlags {
    /// A `tec` must do nothing now: it is tried again later.
    pub retry: bool,
    /// A `tec` must do nothing at all.
    pub fail_hard: bool,
    /// Only to see what it would do: it need not be signed, metadata is made even in an open ledger.
    pub dry_run: bool,
    /// It is inside a Batch.
    pub batch: bool,
    /// Its sender is the server's administrator: load does not raise its fee.
    pub unlimited: bool,
}

/// What a transaction may do to its account, for the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consequences {
    /// Fee in drops.
    pub fee: i64,
    /// XRP it may spend besides the fee, in drops.
    pub potential_spend: i64,
    /// Whether it may make later ones of the account invalid.
    pub blocker: bool,
    /// What the account's next Sequence will be.
    pub following: SeqProxy,
}

impl Consequences {
    /// Of a transaction that only uses its Sequence.
    #[must_use]
    pub fn normal(tx: &PreparedTx) -> Self {
        Self {
            fee: tx.fee.unwrap_or(0).max(0),
            potential_spend: 0,
            blocker: false,
            following: tx.seq,
        }
        .consuming(u32::from(tx.seq.is_sequence()))
    }

    /// Of one that may make others invalid.
    #[must_use]
    pub fn blocker(tx: &PreparedTx) -> Self {
        Self { blocker: true, ..Self::normal(tx) }
    }

    /// Of one that may spend XRP besides its fee.
    #[must_use]
    pub fn spending(tx: &PreparedTx, drops: i64) -> Self {
        Self { potential_spend: drops, ..Self::normal(tx) }
    }

    /// Of one that uses `n` numbers from its own on.
    #[must_use]
    pub fn consuming(mut self, n: u32) -> Self {
        self.following = match self.following {
            SeqProxy::Sequence(s) => SeqProxy::Sequence(s.saturating_add(n)),
            SeqProxy::Ticket(t) => SeqProxy::Ticket(t.saturating_add(n)),
        };
        self
    }
}

/// A transaction type.
pub trait Transactor: Sync {
    /// Whether the amendments are on that this transaction needs besides its type's own; without
    /// them it is `temDISABLED`. (xrpld's `checkExtraFeatures`.)
    fn enabled(&self, _ctx: &PreflightContext<'_>) -> bool {
        true
    }

    /// Flags it takes besides the universal ones.
    fn flags(&self, _ctx: &PreflightContext<'_>) -> u32 {
        0
    }

    /// Checks of form that need no ledger. Only `tem` and `tel`.
    fn preflight(&self, _ctx: &PreflightContext<'_>) -> Ter {
        Ok(())
    }

    /// What a delegate with nothing but granular permissions may not do beyond their fields and
    /// flags. (xrpld's `checkGranularSemantics`.)
    fn check_granular(&self, _view: &dyn ReadView, _tx: &PreparedTx, _held: &[Granular]) -> Ter {
        Ok(())
    }

    /// Whether the right accounts signed. Signatures themselves are valid.
    fn check_sign(&self, ctx: &PreclaimContext<'_>) -> Ter {
        signatures::check_sign(ctx)
    }

    /// Checks against the ledger that need no changes.
    fn preclaim(&self, _ctx: &PreclaimContext<'_>) -> Ter {
        Ok(())
    }

    /// Does it. Fee and Sequence (or Ticket) are already taken. After an error the changes are
    /// thrown away; a `tec` then takes fee and Sequence only.
    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter;

    /// Least fee in drops when no load is on.
    fn base_fee(&self, view: &dyn ReadView, tx: &PreparedTx) -> u64 {
        default_base_fee(view, tx)
    }

    /// For the queue.
    fn consequences(&self, tx: &PreparedTx) -> Consequences {
        Consequences::normal(tx)
    }
}

/// One base fee, and one more for each signer.
#[must_use]
pub fn default_base_fee(view: &dyn ReadView, tx: &PreparedTx) -> u64 {
    view.info().fees.base.saturating_mul(1 + tx.signer_count() as u64)
}

/// The fee of types that create what the network wants to be rare: one owner reserve.
#[must_use]
pub fn owner_reserve_fee(view: &dyn ReadView) -> u64 {
    view.info().fees.increment
}

/// Least fee of a transaction in drops when no load is on.
#[must_use]
pub fn base_fee(view: &dyn ReadView, tx: &PreparedTx) -> u64 {
    transactor(tx.kind).map_or_else(|| default_base_fee(view, tx), |t| t.base_fee(view, tx))
}

/// For the queue.
#[must_use]
pub fn consequences(tx: &PreparedTx) -> Consequences {
    transactor(tx.kind).map_or_else(|| Consequences::normal(tx), |t| t.consequences(tx))
}

/// A transaction's `Amount` in drops, if it is XRP.
#[must_use]
pub fn xrp_amount(tx: &PreparedTx) -> Option<i64> {
    match tx.object.amount(fields::AMOUNT) {
        Some(Amount::Xrp(drops)) => Some(drops),
        _ => None,
    }
}

/// A transaction's `Destination`.
#[must_use]
pub fn destination(tx: &PreparedTx) -> AccountId {
    tx.object.account(fields::DESTINATION).unwrap_or_default()
}

/// Success if `good`, else the result.
///
/// # Errors
/// `otherwise`.
pub fn ensure(good: bool, otherwise: EngineResult) -> Ter {
    if good { Ok(()) } else { Err(otherwise) }
}
