//! Escrows of XRP, issued currencies and MPTs: EscrowCreate, EscrowFinish, EscrowCancel
//! (<https://xrpl.org/docs/concepts/payment-types/escrow>).

mod cancel;
mod condition;
mod create;
mod finish;
mod unlock;

use xrpl_protocol::{AccountId, Amount, EngineResult, Hash256, Object, fields, object_id};

pub(super) use cancel::Cancel;
pub(super) use create::Create;
pub(super) use finish::Finish;

use super::ensure;
use crate::ledger::{ApplyView, Entry, PreparedTx, ReadView, Ter, amendment, directory};

/// The escrow that a finish or a cancel names by who made it and with which Sequence or Ticket.
fn named(view: &dyn ReadView, tx: &PreparedTx) -> (Hash256, Option<Entry>) {
    let owner = tx.object.account(fields::OWNER).unwrap_or_default();
    let number = tx.object.u32(fields::OFFER_SEQUENCE).unwrap_or_default();
    let id = object_id::escrow(owner, number);
    (id, view.read(&id))
}

/// [`named`] in `preclaim`, where only the rules for tokens look; none without them.
fn checked_early(view: &dyn ReadView, tx: &PreparedTx) -> Result<Option<Entry>, EngineResult> {
    if !view.rules().enabled(amendment::TOKEN_ESCROW) {
        return Ok(None);
    }
    named(view, tx).1.map(Some).ok_or(EngineResult::TEC_NO_TARGET)
}

/// [`named`] in `apply`.
fn existing(view: &dyn ReadView, tx: &PreparedTx) -> Result<(Hash256, Entry), EngineResult> {
    let (id, escrow) = named(view, tx);
    let missing = match view.rules().enabled(amendment::TOKEN_ESCROW) {
        true => EngineResult::TEC_INTERNAL,
        false => EngineResult::TEC_NO_TARGET,
    };
    Ok((id, escrow.ok_or(missing)?))
}

fn amount_of(object: &Object) -> Amount {
    object.amount(fields::AMOUNT).unwrap_or(Amount::Xrp(0))
}

fn account(escrow: &Object, field: xrpl_protocol::Field) -> Result<AccountId, EngineResult> {
    escrow.account(field).ok_or(EngineResult::TEF_INTERNAL)
}

/// Takes an escrow out of a directory that lists it.
fn unlist(view: &mut dyn ApplyView, owner: AccountId, page: Option<u64>, id: &Hash256) -> Ter {
    let Some(page) = page else { return Ok(()) };
    let removed = directory::remove(view, object_id::owner_dir(owner), page, id, true);
    ensure(removed, EngineResult::TEF_BAD_LEDGER)
}
