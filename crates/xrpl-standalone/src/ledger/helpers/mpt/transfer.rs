//! Moving: from, to and through the issuer, and into and out of escrows.

use xrpl_protocol::{AccountId, Amount, EngineResult, Hash256, MptId, Object, fields, object_id};

use super::issuance::{
    Overflow, available, find, issuance, maximum, number, overflows, transfer_rate,
};
use crate::ledger::{
    amendment,
    helpers::{set_or_clear, terms::TransferFee},
    view::{ApplyView, ReadView, Ter},
};

fn add_outstanding(view: &mut dyn ApplyView, key: &Hash256, outstanding: u64) -> Ter {
    let issuance = view.get_mut(key).ok_or(EngineResult::TEC_OBJECT_NOT_FOUND)?;
    issuance.set(fields::OUTSTANDING_AMOUNT, outstanding.into());
    Ok(())
}

/// Moves an MPT from or to its issuer.
///
/// # Errors
/// `tecINSUFFICIENT_FUNDS`, `tecNO_AUTH` without an MPToken, `tecPATH_DRY` beyond the maximum,
/// `tecOBJECT_NOT_FOUND`, `tecINTERNAL`.
pub fn credit(
    view: &mut dyn ApplyView,
    from: AccountId,
    to: AccountId,
    id: MptId,
    value: i64,
) -> Ter {
    let key = object_id::mpt_issuance(id);
    let issuance = issuance(view, id)?;
    let (most, left) = (maximum(&issuance), available(&issuance));
    let outstanding = number(&issuance, fields::OUTSTANDING_AMOUNT);
    let amount = value.unsigned_abs();
    drop(issuance);
    let v2 = view.rules().enabled(amendment::MPTOKENS_V2);
    if from == id.issuer() {
        if v2 && overflows(value, outstanding, most, Overflow::Allow) {
            return Err(EngineResult::TEC_PATH_DRY);
        }
        add_outstanding(view, &key, outstanding.saturating_add(amount))?;
    } else {
        let key = object_id::mptoken(id, from);
        let holding = view.read(&key).ok_or(EngineResult::TEC_NO_AUTH)?;
        let before = number(&holding, fields::MPT_AMOUNT);
        drop(holding);
        let after = before.checked_sub(amount).ok_or(EngineResult::TEC_INSUFFICIENT_FUNDS)?;
        view.credit_hook_mpt(from, to, id, value, before, left);
        if let Some(holding) = view.get_mut(&key) {
            set_or_clear(holding, fields::MPT_AMOUNT, after);
        }
    }
    if to == id.issuer() {
        let after = outstanding.checked_sub(amount).ok_or(EngineResult::TEC_INTERNAL)?;
        return add_outstanding(view, &key, after);
    }
    let key = object_id::mptoken(id, to);
    let holding = view.read(&key).ok_or(EngineResult::TEC_NO_AUTH)?;
    let before = number(&holding, fields::MPT_AMOUNT);
    drop(holding);
    let after = before.checked_add(amount).ok_or(EngineResult::TEC_INTERNAL)?;
    view.credit_hook_mpt(from, to, id, value, before, left);
    if let Some(holding) = view.get_mut(&key) {
        set_or_clear(holding, fields::MPT_AMOUNT, after);
    }
    Ok(())
}

pub(in crate::ledger::helpers) fn send(
    view: &mut dyn ApplyView,
    from: AccountId,
    to: AccountId,
    id: MptId,
    value: i64,
    fee: TransferFee,
    overflow: Overflow,
) -> Ter {
    let issuance = issuance(view, id)?;
    let issuer = id.issuer();
    if from == issuer {
        let v2 = view.rules().enabled(amendment::MPTOKENS_V2);
        let overflow = if v2 { overflow } else { Overflow::Refuse };
        let outstanding = number(&issuance, fields::OUTSTANDING_AMOUNT);
        if overflows(value, outstanding, maximum(&issuance), overflow) {
            return Err(EngineResult::TEC_PATH_DRY);
        }
    }
    if from == issuer || to == issuer {
        return credit(view, from, to, id, value);
    }
    let cost = cost(view, id, value, fee)?;
    credit(view, issuer, to, id, value)?;
    credit(view, from, issuer, id, cost)
}

/// What a transfer costs the sender.
fn cost(view: &dyn ReadView, id: MptId, value: i64, fee: TransferFee) -> Result<i64, EngineResult> {
    if fee == TransferFee::Waive {
        return Ok(value);
    }
    match transfer_rate(view, id).multiply(&Amount::Mpt { value, id }) {
        Ok(Amount::Mpt { value, .. }) => Ok(value),
        _ => Err(EngineResult::TEF_EXCEPTION),
    }
}

pub(in crate::ledger::helpers) fn send_multi(
    view: &mut dyn ApplyView,
    from: AccountId,
    id: MptId,
    receivers: &[(AccountId, Amount)],
    fee: TransferFee,
) -> Ter {
    let internal = EngineResult::TEC_INTERNAL;
    let issuance = issuance(view, id)?;
    let issuer = id.issuer();
    let most = maximum(&issuance).unsigned_abs();
    let outstanding = number(&issuance, fields::OUTSTANDING_AMOUNT);
    drop(issuance);
    let sum_up = view.rules().enabled(amendment::FIX_CLEANUP_3_1_3);
    let (mut issued, mut through) = (0u64, 0i64);
    for (to, amount) in receivers {
        let Amount::Mpt { value, .. } = *amount else { return Err(internal) };
        if value < 0 {
            return Err(internal);
        }
        if value == 0 || from == *to {
            continue;
        }
        if from == issuer {
            let so_far = if sum_up { issued } else { 0 };
            let all =
                outstanding.checked_add(so_far).and_then(|n| n.checked_add(value.unsigned_abs()));
            if all.is_none_or(|all| all > most) {
                return Err(EngineResult::TEC_PATH_DRY);
            }
            issued = issued.saturating_add(value.unsigned_abs());
        }
        if from == issuer || *to == issuer {
            credit(view, from, *to, id, value)?;
            continue;
        }
        through = through.checked_add(cost(view, id, value, fee)?).ok_or(internal)?;
        credit(view, issuer, *to, id, value)?;
    }
    if from != issuer && through != 0 {
        credit(view, from, issuer, id, through)?;
    }
    Ok(())
}

/// Sets an amount aside for an escrow: it stays the holder's and outstanding, but locked.
///
/// # Errors
/// `tecOBJECT_NOT_FOUND`, `tecINTERNAL`.
pub fn lock_escrow(view: &mut dyn ApplyView, sender: AccountId, id: MptId, value: i64) -> Ter {
    let (missing, internal) = (EngineResult::TEC_OBJECT_NOT_FOUND, EngineResult::TEC_INTERNAL);
    issuance(view, id)?;
    if id.issuer() == sender {
        return Err(internal);
    }
    let amount = value.unsigned_abs();
    let holding = view.get_mut(&object_id::mptoken(id, sender)).ok_or(missing)?;
    let held = number(holding, fields::MPT_AMOUNT).checked_sub(amount).ok_or(internal)?;
    set_or_clear(holding, fields::MPT_AMOUNT, held);
    add_locked(holding, amount)?;
    add_locked(view.get_mut(&object_id::mpt_issuance(id)).ok_or(missing)?, amount)
}

fn add_locked(entry: &mut Object, amount: u64) -> Ter {
    let locked = number(entry, fields::LOCKED_AMOUNT).checked_add(amount);
    let locked = locked.filter(|locked| i64::try_from(*locked).is_ok());
    entry.set(fields::LOCKED_AMOUNT, locked.ok_or(EngineResult::TEC_INTERNAL)?.into());
    Ok(())
}

fn take_locked(entry: &mut Object, amount: u64) -> Ter {
    let locked = entry.u64(fields::LOCKED_AMOUNT).and_then(|locked| locked.checked_sub(amount));
    set_or_clear(entry, fields::LOCKED_AMOUNT, locked.ok_or(EngineResult::TEC_INTERNAL)?);
    Ok(())
}

/// Pays out what was set aside: `gross` was locked, `net` arrives, the difference is the issuer's fee
/// and no longer outstanding.
///
/// # Errors
/// `tecOBJECT_NOT_FOUND`, `tecINTERNAL`.
pub fn unlock_escrow(
    view: &mut dyn ApplyView,
    sender: AccountId,
    receiver: AccountId,
    id: MptId,
    net: i64,
    gross: i64,
) -> Ter {
    let (missing, internal) = (EngineResult::TEC_OBJECT_NOT_FOUND, EngineResult::TEC_INTERNAL);
    let (net, gross) = (net.unsigned_abs(), gross.unsigned_abs());
    let key = object_id::mpt_issuance(id);
    let issuer = id.issuer();
    take_locked(view.get_mut(&key).ok_or(missing)?, gross)?;
    let take_outstanding = |view: &mut dyn ApplyView, amount: u64| -> Ter {
        let issuance = view.get_mut(&key).ok_or(missing)?;
        let after = number(issuance, fields::OUTSTANDING_AMOUNT).checked_sub(amount);
        issuance.set(fields::OUTSTANDING_AMOUNT, after.ok_or(internal)?.into());
        Ok(())
    };
    if issuer == receiver {
        take_outstanding(view, net)?;
    } else {
        let holding = view.get_mut(&object_id::mptoken(id, receiver)).ok_or(missing)?;
        let after = number(holding, fields::MPT_AMOUNT).checked_add(net).ok_or(internal)?;
        set_or_clear(holding, fields::MPT_AMOUNT, after);
    }
    if issuer == sender {
        return Err(internal);
    }
    take_locked(view.get_mut(&object_id::mptoken(id, sender)).ok_or(missing)?, gross)?;
    match gross.checked_sub(net) {
        Some(0) => Ok(()),
        Some(fee) => take_outstanding(view, fee),
        None => Err(internal),
    }
}

/// What the issuer of an MPT that it sells itself may still issue within a payment.
#[must_use]
pub fn issuer_funds_to_self_issue(view: &dyn ReadView, id: MptId) -> i64 {
    let issuance = find(view, id);
    issuance.map_or(0, |issuance| view.balance_hook_self_issue_mpt(id, available(&issuance)))
}

/// Notes within a payment that the issuer of an MPT sells some of it itself.
///
/// # Errors
/// `tecINTERNAL` without an issuance.
pub fn note_issuer_self_debit(view: &mut dyn ApplyView, id: MptId, value: u64) -> Ter {
    let before = available(&*find(view, id).ok_or(EngineResult::TEC_INTERNAL)?);
    view.issuer_self_debit_hook_mpt(id, value, before);
    Ok(())
}
