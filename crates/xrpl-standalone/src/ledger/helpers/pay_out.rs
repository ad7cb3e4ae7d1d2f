//! Paying out of the pseudo-account of a vault or a loan broker.

use xrpl_protocol::{AccountId, Amount, EngineResult, object_id};

use super::{
    account_root::{check_destination_and_tag, flag, flags_of},
    credentials,
    token::{self, IfFrozen, IfUnauthorized, Spendable, TransferFee},
    trust_line,
};
use crate::ledger::{
    prepared::PreparedTx,
    view::{ApplyView, ReadView, Ter},
};

/// Whether an amount may be paid out to an account, for another one or itself.
///
/// # Errors
/// `tecNO_DST`, `tecDST_TAG_NEEDED`, `tecNO_PERMISSION`, `tecNO_LINE` beyond the receiver's limit.
pub fn can_withdraw(
    view: &dyn ReadView,
    from: AccountId,
    to: AccountId,
    amount: &Amount,
    has_tag: bool,
) -> Ter {
    let root = view.account(to);
    check_destination_and_tag(root.as_deref(), has_tag)?;
    if from == to {
        return Ok(());
    }
    let asks = root.is_some_and(|root| flags_of(&root) & flag::DEPOSIT_AUTH != 0);
    if asks && !view.exists(&object_id::deposit_preauth(to, from)) {
        return Err(EngineResult::TEC_NO_PERMISSION);
    }
    let Amount::Issued { value, currency, issuer } = *amount else { return Ok(()) };
    if to == issuer {
        return Ok(());
    }
    let owed = trust_line::credit_balance(view, to, issuer, currency);
    if owed.signum() > 0 {
        return Ok(());
    }
    let limit = trust_line::credit_limit(view, to, issuer, currency);
    let room = limit.add(owed).map_err(|_| EngineResult::TEF_EXCEPTION)?;
    if owed.negated() >= limit || value > room {
        return Err(EngineResult::TEC_NO_LINE);
    }
    Ok(())
}

/// Pays an amount out of a pseudo-account: to who asks for it, who gets a line or an MPToken if it has
/// none, or to an account that takes payments from it.
///
/// # Errors
/// Those of what is made and sent; `tefINTERNAL` without enough.
pub fn withdraw(
    view: &mut dyn ApplyView,
    tx: &PreparedTx,
    to: AccountId,
    pseudo: AccountId,
    prior_balance: i64,
    amount: Amount,
) -> Ter {
    if to == tx.account {
        match token::add_empty_holding(view, to, prior_balance, amount.issue()) {
            Ok(()) | Err(EngineResult::TEC_DUPLICATE) => {}
            Err(error) => return Err(error),
        }
    } else {
        credentials::verify_deposit_preauth(view, &tx.object, tx.account, to)?;
    }
    let (ignore, any) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
    let held = token::account_holds(view, pseudo, amount.issue(), ignore, any, Spendable::Simple);
    if held.is_less(&amount) {
        return Err(EngineResult::TEF_INTERNAL);
    }
    token::account_send(view, pseudo, to, amount, TransferFee::Waive)
}
