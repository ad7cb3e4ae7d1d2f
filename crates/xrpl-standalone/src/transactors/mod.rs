//! Transaction types, one file per family, and the frame in which they run: xrpld's `preflight`
//! (form), `preclaim` (against a ledger) and `apply`.
//!
//! To add a type: write a file with a unit struct that implements [`Transactor`] and put it into
//! [`transactor`]. A type that is not there answers `temDISABLED`.

pub mod account_root;
mod account_set;
mod apply;
mod clawback;
pub mod flow;
mod invariants;
mod payment;
mod preclaim;
mod preflight;
mod regular_key;
mod signer_list;
mod ticket;
mod trust_line;
mod trust_set;

use xrpl_protocol::{AccountId, Amount, EngineResult, Object, fields};

pub use account_root::{adjust_owner_count, sequence_of};
pub use apply::{ApplyContext, Attempt, apply, apply_checked};
pub use preclaim::{PreclaimContext, preclaim};
pub use preflight::preflight;

use crate::ledger::{PreparedTx, ReadView, SeqProxy};

/// Success, or the engine result that ends the transaction.
pub type Ter = Result<(), EngineResult>;

/// `tfFullyCanonicalSig` and `tfInnerBatchTxn`, which every type takes.
const UNIVERSAL_FLAGS: u32 = 0xc000_0000;

/// What transactions need to know about the server.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Network id.
    pub network_id: u32,
}

/// How a transaction is to be applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApplyFlags {
    /// A `tec` must do nothing now: it is tried again later.
    pub retry: bool,
    /// A `tec` must do nothing at all.
    pub fail_hard: bool,
    /// Only to see what it would do: it need not be signed.
    pub dry_run: bool,
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
    /// Flags it takes besides the universal ones.
    fn flags(&self, _tx: &PreparedTx) -> u32 {
        0
    }

    /// Whether another account may be given the right to send it.
    fn delegable(&self) -> bool {
        true
    }

    /// Checks of form that need no ledger. Only `tem` and `tel`.
    fn preflight(&self, _tx: &PreparedTx) -> Ter {
        Ok(())
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

/// The table of types.
#[must_use]
pub fn transactor(kind: u16) -> Option<&'static dyn Transactor> {
    Some(match kind {
        0 => &payment::Payment,
        3 => &account_set::AccountSet,
        5 => &regular_key::SetRegularKey,
        10 => &ticket::TicketCreate,
        12 => &signer_list::SignerListSet,
        20 => &trust_set::TrustSet,
        30 => &clawback::Clawback,
        _ => return None,
    })
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

/// `DestinationTag` and others that a ledger entry takes over from a transaction as they are.
pub fn copy_fields(from: &Object, to: &mut Object, names: &[xrpl_protocol::Field]) {
    for field in names {
        if let Some(value) = from.get(*field) {
            to.set(*field, value.clone());
        }
    }
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
