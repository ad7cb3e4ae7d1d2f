//! Pseudo-transactions: what validators agreed on, without an account that sends it
//! (<https://xrpl.org/docs/references/protocol/transactions/pseudo-transaction-types>).
//!
//! A server refuses them from its clients; a ledger that is being built takes them from the validators
//! that voted for them. xrpld calls the three types together `Change`.

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Field, Hash256, Object, Value, fields, keys::PublicKey,
    object_id,
};

use super::{ApplyContext, PreclaimContext, PreflightContext, UNIVERSAL_FLAGS, ensure};
use crate::ledger::{
    ApplyView, PreparedTx, ReadView, Ter, amendment, entry_type, skip_list::is_flag_ledger,
};

/// `EnableAmendment`.
pub const ENABLE_AMENDMENT: u16 = 100;
/// `SetFee`.
pub const SET_FEE: u16 = 101;
/// `UNLModify`.
pub const UNL_MODIFY: u16 = 102;

/// Of EnableAmendment: enough validators vote for it now.
pub const TF_GOT_MAJORITY: u32 = 0x0001_0000;
/// Of EnableAmendment: no longer do.
pub const TF_LOST_MAJORITY: u32 = 0x0002_0000;

/// Whether a type is one that no account sends.
#[must_use]
pub fn is_pseudo(kind: u16) -> bool {
    matches!(kind, ENABLE_AMENDMENT | SET_FEE | UNL_MODIFY)
}

/// What a SetFee must have, and may not have: `XRPFees` changed the fields.
const FEES: [Field; 3] =
    [fields::BASE_FEE_DROPS, fields::RESERVE_BASE_DROPS, fields::RESERVE_INCREMENT_DROPS];
const LEGACY_FEES: [Field; 4] = [
    fields::BASE_FEE,
    fields::REFERENCE_FEE_UNITS,
    fields::RESERVE_BASE,
    fields::RESERVE_INCREMENT,
];

pub(super) fn preflight(ctx: &PreflightContext<'_>) -> Ter {
    let tx = ctx.tx;
    let known = UNIVERSAL_FLAGS | TF_GOT_MAJORITY | TF_LOST_MAJORITY;
    let flags = !ctx.rules.enabled(amendment::LENDING_PROTOCOL) || tx.flags & !known == 0;
    ensure(flags, EngineResult::TEM_INVALID_FLAG)?;
    ensure(tx.account == AccountId::ZERO, EngineResult::TEM_BAD_SRC_ACCOUNT)?;
    ensure(tx.object.amount(fields::FEE) == Some(Amount::Xrp(0)), EngineResult::TEM_BAD_FEE)?;
    let empty = |field| tx.object.blob(field).unwrap_or_default().is_empty();
    let unsigned = empty(fields::SIGNING_PUB_KEY)
        && empty(fields::TXN_SIGNATURE)
        && !tx.object.contains(fields::SIGNERS);
    ensure(unsigned, EngineResult::TEM_BAD_SIGNATURE)?;
    let sequence = tx.object.u32(fields::SEQUENCE) == Some(0);
    let plain = sequence && !tx.object.contains(fields::PREVIOUS_TXN_ID);
    ensure(plain, EngineResult::TEM_BAD_SEQUENCE)
}

pub(super) fn preclaim(ctx: &PreclaimContext<'_>) -> Ter {
    let tx = ctx.tx;
    ensure(!ctx.view.info().open, EngineResult::TEM_INVALID)?;
    ensure(!ctx.view.has_transaction(&tx.hash), EngineResult::TEF_ALREADY)?;
    if tx.kind != SET_FEE {
        return Ok(());
    }
    let all = |of: &[Field]| of.iter().all(|field| tx.object.contains(*field));
    let any = |of: &[Field]| of.iter().any(|field| tx.object.contains(*field));
    if ctx.view.rules().enabled(amendment::XRP_FEES) {
        ensure(all(&FEES) && !any(&LEGACY_FEES), EngineResult::TEM_MALFORMED)
    } else {
        ensure(all(&LEGACY_FEES), EngineResult::TEM_MALFORMED)?;
        ensure(!any(&FEES), EngineResult::TEM_DISABLED)
    }
}

pub(super) fn apply(ctx: &mut ApplyContext<'_>) -> Ter {
    match ctx.tx.kind {
        ENABLE_AMENDMENT => enable_amendment(ctx),
        SET_FEE => set_fee(ctx),
        _ => unl_modify(ctx),
    }
}

/// The only entry of a type, made if there is none yet. (These three have no `Flags` that would be
/// written besides.)
fn entry<'a>(
    ctx: &'a mut ApplyContext<'_>,
    key: Hash256,
    kind: u16,
) -> Result<&'a mut Object, EngineResult> {
    if !ctx.view.exists(&key) {
        ctx.view.insert(key, entry_type::new(kind));
    }
    ctx.view.get_mut(&key).ok_or(EngineResult::TEF_INTERNAL)
}

fn enable_amendment(ctx: &mut ApplyContext<'_>) -> Ter {
    let (tx, since) = (ctx.tx, ctx.view.info().parent_close_time);
    let id = tx.object.hash256(fields::AMENDMENT).unwrap_or_default();
    let (got, lost) = (tx.has_flag(TF_GOT_MAJORITY), tx.has_flag(TF_LOST_MAJORITY));
    let amendments = entry(ctx, object_id::amendments(), entry_type::AMENDMENTS)?;
    let mut enabled = amendments.vector256(fields::AMENDMENTS).unwrap_or_default().to_vec();
    ensure(!enabled.contains(&id), EngineResult::TEF_ALREADY)?;
    ensure(!(got && lost), EngineResult::TEM_INVALID_FLAG)?;
    let of_this =
        |(_, majority): &&(Field, Object)| majority.hash256(fields::AMENDMENT) == Some(id);
    let before = amendments.array(fields::MAJORITIES).unwrap_or_default();
    let had = before.iter().any(|majority| of_this(&majority));
    ensure(!(had && got) && (had || !lost), EngineResult::TEF_ALREADY)?;
    let mut majorities: Vec<_> =
        before.iter().filter(|majority| !of_this(majority)).cloned().collect();
    if got {
        let majority = Object::new()
            .with(fields::AMENDMENT, Value::Hash256(id))
            .with(fields::CLOSE_TIME, since);
        majorities.push((fields::MAJORITY, majority));
    } else if !lost {
        enabled.push(id);
        amendments.set(fields::AMENDMENTS, enabled.into());
    }
    set_array(amendments, fields::MAJORITIES, majorities);
    Ok(())
}

fn set_array(entry: &mut Object, field: Field, elements: Vec<(Field, Object)>) {
    if elements.is_empty() {
        entry.remove(field);
    } else {
        entry.set(field, Value::Array(elements));
    }
}

fn set_fee(ctx: &mut ApplyContext<'_>) -> Ter {
    let tx = ctx.tx;
    let by_drops = ctx.view.rules().enabled(amendment::XRP_FEES);
    let settings = entry(ctx, object_id::fees(), entry_type::FEE_SETTINGS)?;
    let (set, gone): (&[Field], &[Field]) =
        if by_drops { (&FEES, &LEGACY_FEES) } else { (&LEGACY_FEES, &[]) };
    for field in set {
        let value = tx.object.get(*field).ok_or(EngineResult::TEF_INTERNAL)?;
        settings.set(*field, value.clone());
    }
    gone.iter().for_each(|field| drop(settings.remove(*field)));
    Ok(())
}

/// Whether a validator is among those whose validations are not counted.
fn is_disabled(negative_unl: &Object, validator: &[u8]) -> bool {
    let disabled = negative_unl.array(fields::DISABLED_VALIDATORS).unwrap_or_default();
    disabled.iter().any(|(_, one)| one.blob(fields::PUBLIC_KEY) == Some(validator))
}

fn unl_modify(ctx: &mut ApplyContext<'_>) -> Ter {
    let (tx, index) = (ctx.tx, ctx.view.info().index);
    let (disabling, validator) = well_formed(tx, index).ok_or(EngineResult::TEF_FAILURE)?;
    let entry = entry(ctx, object_id::negative_unl(), entry_type::NEGATIVE_UNL)?;
    let (this, other) = match disabling {
        true => (fields::VALIDATOR_TO_DISABLE, fields::VALIDATOR_TO_RE_ENABLE),
        false => (fields::VALIDATOR_TO_RE_ENABLE, fields::VALIDATOR_TO_DISABLE),
    };
    let possible = !entry.contains(this)
        && entry.blob(other) != Some(validator)
        && is_disabled(entry, validator) != disabling;
    ensure(possible, EngineResult::TEF_FAILURE)?;
    entry.set(this, validator.to_vec().into());
    Ok(())
}

/// Whether a UNLModify disables, and whom; none if it does not fit the ledger of this index.
fn well_formed(tx: &PreparedTx, index: u32) -> Option<(bool, &[u8])> {
    let disabling = tx.object.u8(fields::UNL_MODIFY_DISABLING).filter(|n| *n <= 1)?;
    let validator = tx.object.blob(fields::UNL_MODIFY_VALIDATOR)?;
    PublicKey::from_slice(validator).ok()?;
    let in_time = tx.object.u32(fields::LEDGER_SEQUENCE) == Some(index);
    (is_flag_ledger(index) && in_time).then_some((disabling == 1, validator))
}
