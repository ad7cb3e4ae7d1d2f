//! XRP, issued currencies and MPTs by one name: freezes, balances, authorisation, sending.

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Issue, IssuedValue, Object, fields, object_id, quality::Rate,
};

use super::{
    account_root::{self, balance_of, flag, flags_of, set_balance, xrp_liquid},
    mpt,
    trust_line::{self, Side, balance, value_of},
};
pub use super::{
    mpt::issuance,
    terms::{Auth, IfFrozen, IfUnauthorized, Spendable, TransferFee},
};
use crate::ledger::{
    amendment,
    view::{ApplyView, Entry, ReadView, Ter},
};

/// Who issued it; none for XRP.
#[must_use]
pub fn issuer_of(issue: Issue) -> Option<AccountId> {
    match issue {
        Issue::Xrp => None,
        Issue::Issued { issuer, .. } => Some(issuer),
        Issue::Mpt(id) => Some(id.issuer()),
    }
}

/// Whether the issuer has frozen (for MPTs: locked) all of it.
#[must_use]
pub fn is_global_frozen(view: &dyn ReadView, issue: Issue) -> bool {
    match issue {
        Issue::Xrp => false,
        Issue::Issued { issuer, .. } => account_root::is_global_frozen(view, issuer),
        Issue::Mpt(id) => mpt::is_global_locked(view, id),
    }
}

/// Whether the issuer has frozen this account's holding.
#[must_use]
pub fn is_individual_frozen(view: &dyn ReadView, account: AccountId, issue: Issue) -> bool {
    match issue {
        Issue::Xrp => false,
        Issue::Issued { currency, issuer } => {
            trust_line::is_individual_frozen(view, account, currency, issuer)
        }
        Issue::Mpt(id) => mpt::is_individual_locked(view, account, id),
    }
}

/// Whether a freeze keeps the account from spending it.
#[must_use]
pub fn is_frozen(view: &dyn ReadView, account: AccountId, issue: Issue) -> bool {
    mpt::is_frozen_at(view, account, issue, 0)
}

/// Whether any of the accounts may not spend it.
#[must_use]
pub fn is_any_frozen(view: &dyn ReadView, accounts: &[AccountId], issue: Issue) -> bool {
    accounts.iter().any(|account| is_frozen(view, *account, issue))
}

/// Whether the account can neither send nor receive it.
#[must_use]
pub fn is_deep_frozen(view: &dyn ReadView, account: AccountId, issue: Issue) -> bool {
    match issue {
        Issue::Xrp => false,
        Issue::Issued { currency, issuer } => {
            trust_line::is_deep_frozen(view, account, currency, issuer)
        }
        // Who may not send an MPT may not receive it either.
        Issue::Mpt(id) => mpt::is_locked(view, account, id, 0),
    }
}

fn frozen_unless(ok: bool, issue: Issue) -> Ter {
    match (ok, issue) {
        (true, _) => Ok(()),
        (false, Issue::Mpt(_)) => Err(EngineResult::TEC_LOCKED),
        (false, _) => Err(EngineResult::TEC_FROZEN),
    }
}

/// [`is_global_frozen`] as a result.
///
/// # Errors
/// `tecFROZEN`, `tecLOCKED`.
pub fn check_global_frozen(view: &dyn ReadView, issue: Issue) -> Ter {
    frozen_unless(!is_global_frozen(view, issue), issue)
}

/// [`is_individual_frozen`] as a result.
///
/// # Errors
/// `tecFROZEN`, `tecLOCKED`.
pub fn check_individual_frozen(view: &dyn ReadView, account: AccountId, issue: Issue) -> Ter {
    frozen_unless(!is_individual_frozen(view, account, issue), issue)
}

/// [`is_frozen`] as a result.
///
/// # Errors
/// `tecFROZEN`, `tecLOCKED`.
pub fn check_frozen(view: &dyn ReadView, account: AccountId, issue: Issue) -> Ter {
    frozen_unless(!is_frozen(view, account, issue), issue)
}

/// [`is_deep_frozen`] as a result.
///
/// # Errors
/// `tecFROZEN`, `tecLOCKED`.
pub fn check_deep_frozen(view: &dyn ReadView, account: AccountId, issue: Issue) -> Ter {
    frozen_unless(!is_deep_frozen(view, account, issue), issue)
}

/// Whether an account may send something into a pseudo-account that could not give it back.
///
/// # Errors
/// `tecFROZEN`, `tecLOCKED`.
pub fn check_deposit_freeze(
    view: &dyn ReadView,
    from: AccountId,
    pseudo: AccountId,
    issue: Issue,
) -> Ter {
    check_global_frozen(view, issue)?;
    check_share_frozen(view, pseudo, issue)?;
    if Some(from) != issuer_of(issue) {
        check_individual_frozen(view, from, issue)?;
    }
    check_individual_frozen(view, pseudo, issue)
}

/// Whether a pseudo-account may send something on behalf of `submitter`. A freeze keeps nobody from
/// taking its own back, a deep one does; the issuer may always have it.
///
/// # Errors
/// `tecFROZEN`, `tecLOCKED`.
pub fn check_withdraw_freeze(
    view: &dyn ReadView,
    pseudo: AccountId,
    submitter: AccountId,
    to: AccountId,
    issue: Issue,
) -> Ter {
    if Some(to) == issuer_of(issue) {
        return Ok(());
    }
    check_global_frozen(view, issue)?;
    check_share_frozen(view, pseudo, issue)?;
    check_individual_frozen(view, pseudo, issue)?;
    if submitter != to {
        check_individual_frozen(view, submitter, issue)?;
    }
    check_deep_frozen(view, to, issue)
}

fn check_share_frozen(view: &dyn ReadView, pseudo: AccountId, issue: Issue) -> Ter {
    match issue {
        Issue::Mpt(id) if mpt::is_vault_frozen(view, pseudo, id, 0) => {
            Err(EngineResult::TEC_LOCKED)
        }
        _ => Ok(()),
    }
}

/// Whether LP tokens are frozen because one of the pool's assets is.
#[must_use]
pub fn is_lp_token_frozen(
    view: &dyn ReadView,
    account: AccountId,
    asset: Issue,
    other: Issue,
) -> bool {
    is_frozen(view, account, asset) || is_frozen(view, account, other)
}

fn usable_line(
    view: &dyn ReadView,
    account: AccountId,
    currency: xrpl_protocol::Currency,
    issuer: AccountId,
    frozen: IfFrozen,
) -> Option<Entry> {
    let line = view.read(&object_id::trust_line(account, issuer, currency))?;
    if frozen == IfFrozen::Ignore {
        return Some(line);
    }
    if trust_line::is_frozen(view, account, currency, issuer)
        || trust_line::is_deep_frozen(view, account, currency, issuer)
    {
        return None;
    }
    if view.rules().enabled(amendment::FIX_FROZEN_LPTOKEN_TRANSFER) {
        let root = view.account(issuer)?;
        if let Some(amm) = root.hash256(fields::AMMID) {
            let amm = view.read(&amm)?;
            let asset = |field| amm.issue(field).unwrap_or(Issue::Xrp);
            if is_lp_token_frozen(view, account, asset(fields::ASSET), asset(fields::ASSET2)) {
                return None;
            }
        }
    }
    Some(line)
}

/// What an account holds of an issue, and may spend where deferred credits count.
#[must_use]
pub fn account_holds(
    view: &dyn ReadView,
    account: AccountId,
    issue: Issue,
    frozen: IfFrozen,
    unauthorized: IfUnauthorized,
    spendable: Spendable,
) -> Amount {
    let (currency, issuer) = match issue {
        Issue::Xrp => return Amount::Xrp(xrp_liquid(view, account, 0)),
        Issue::Mpt(id) => {
            let value = mpt::account_holds(view, account, id, frozen, unauthorized, spendable);
            return Amount::Mpt { value, id };
        }
        Issue::Issued { currency, issuer } => (currency, issuer),
    };
    let amount = |value| Amount::Issued { value, currency, issuer };
    if spendable == Spendable::Full && account == issuer {
        // Its limit is as good as infinite.
        return Amount::max(issue);
    }
    let value = match usable_line(view, account, currency, issuer, frozen) {
        None => IssuedValue::ZERO,
        Some(line) => {
            let side = Side::of(account, issuer);
            let held = balance(&line, side);
            if spendable == Spendable::Full {
                held.add(value_of(&line, side.other().limit())).unwrap_or(held)
            } else {
                held
            }
        }
    };
    amount(view.balance_hook_iou(account, issuer, currency, value))
}

/// What an account can spend of what `default` is an amount of; `default` itself for the issuer of a
/// currency.
#[must_use]
pub fn account_funds(
    view: &dyn ReadView,
    account: AccountId,
    default: Amount,
    frozen: IfFrozen,
    unauthorized: IfUnauthorized,
) -> Amount {
    match default.issue() {
        Issue::Issued { issuer, .. } if issuer == account => default,
        issue @ Issue::Mpt(_) => {
            account_holds(view, account, issue, frozen, unauthorized, Spendable::Full)
        }
        issue => account_holds(view, account, issue, frozen, unauthorized, Spendable::Simple),
    }
}

/// What the issuer takes for a transfer between others.
#[must_use]
pub fn transfer_rate(view: &dyn ReadView, issue: Issue) -> Rate {
    match issue {
        Issue::Xrp => Rate::PARITY,
        Issue::Issued { issuer, .. } => account_root::transfer_rate(view, issuer),
        Issue::Mpt(id) => mpt::transfer_rate(view, id),
    }
}

/// Whether an account is authorised to hold it.
///
/// # Errors
/// `tecNO_LINE`, `tecNO_AUTH`, `tecOBJECT_NOT_FOUND`, `tecEXPIRED`.
pub fn require_auth(view: &dyn ReadView, issue: Issue, account: AccountId, auth: Auth) -> Ter {
    match issue {
        Issue::Xrp => Ok(()),
        Issue::Issued { currency, issuer } => {
            trust_line::require_auth(view, currency, issuer, account, auth)
        }
        Issue::Mpt(id) => mpt::require_auth(view, id, account, auth),
    }
}

/// Whether it may move between two accounts.
///
/// # Errors
/// `terNO_RIPPLE`, `tecNO_AUTH`, `tecOBJECT_NOT_FOUND`.
pub fn can_transfer(view: &dyn ReadView, issue: Issue, from: AccountId, to: AccountId) -> Ter {
    match issue {
        Issue::Xrp => Ok(()),
        Issue::Issued { currency, issuer } => {
            trust_line::can_transfer(view, currency, issuer, from, to)
        }
        Issue::Mpt(id) => mpt::can_transfer(view, id, from, to),
    }
}

/// Whether accounts may begin to hold it.
///
/// # Errors
/// `terNO_ACCOUNT`, `terNO_RIPPLE`, `tecOBJECT_NOT_FOUND`, `tecNO_AUTH`.
pub fn can_add_holding(view: &dyn ReadView, issue: Issue) -> Ter {
    match issue {
        Issue::Xrp => Ok(()),
        Issue::Issued { issuer, .. } => {
            let root = view.account(issuer).ok_or(EngineResult::TER_NO_ACCOUNT)?;
            let ripples = flags_of(&root) & flag::DEFAULT_RIPPLE != 0;
            if ripples { Ok(()) } else { Err(EngineResult::TER_NO_RIPPLE) }
        }
        Issue::Mpt(id) => mpt::can_add_holding(view, id),
    }
}

/// Makes an account able to hold it: an empty line or MPToken.
///
/// # Errors
/// `tecDUPLICATE` if it already is, and those of what it makes.
pub fn add_empty_holding(
    view: &mut dyn ApplyView,
    account: AccountId,
    prior_balance: i64,
    issue: Issue,
) -> Ter {
    match issue {
        Issue::Xrp => Ok(()),
        Issue::Issued { currency, issuer } => {
            trust_line::add_empty_holding(view, account, prior_balance, currency, issuer)
        }
        Issue::Mpt(id) => mpt::add_empty_holding(view, account, prior_balance, id),
    }
}

/// Deletes an account's empty line or MPToken.
///
/// # Errors
/// `tecHAS_OBLIGATIONS` if it is not empty, `tecOBJECT_NOT_FOUND`.
pub fn remove_empty_holding(view: &mut dyn ApplyView, account: AccountId, issue: Issue) -> Ter {
    match issue {
        Issue::Xrp => match view.account(account).map(|root| balance_of(&root)) {
            Some(0) => Ok(()),
            Some(_) => Err(EngineResult::TEC_HAS_OBLIGATIONS),
            None => Err(EngineResult::TEC_INTERNAL),
        },
        Issue::Issued { currency, issuer } => {
            trust_line::remove_empty_holding(view, account, currency, issuer)
        }
        Issue::Mpt(id) => mpt::remove_empty_holding(view, account, id),
    }
}

/// Sends an amount whatever limits say; the sender pays the transfer fee on top. Sending nothing, or
/// to oneself, does nothing. XRP moves whatever reserves say; account zero stands for nobody.
///
/// # Errors
/// `telFAILED_PROCESSING` or `tecFAILED_PROCESSING` without enough XRP, `tecINTERNAL` for a negative
/// amount, and those of lines and MPTs.
pub fn account_send(
    view: &mut dyn ApplyView,
    from: AccountId,
    to: AccountId,
    amount: Amount,
    fee: TransferFee,
) -> Ter {
    send(view, from, to, amount, fee, mpt::Overflow::Refuse)
}

/// [`account_send`] within a payment, where an MPT's maximum may be passed for a moment.
///
/// # Errors
/// As [`account_send`].
pub fn send(
    view: &mut dyn ApplyView,
    from: AccountId,
    to: AccountId,
    amount: Amount,
    fee: TransferFee,
    overflow: mpt::Overflow,
) -> Ter {
    if amount.signum() < 0 {
        return Err(EngineResult::TEC_INTERNAL);
    }
    if amount.signum() == 0 || from == to {
        return Ok(());
    }
    match amount {
        Amount::Xrp(drops) => send_xrp(view, from, to, drops),
        Amount::Issued { issuer, .. } => send_issued(view, from, to, issuer, amount, fee),
        Amount::Mpt { value, id } => mpt::send(view, from, to, id, value, fee, overflow),
    }
}

fn root_mut(view: &mut dyn ApplyView, account: AccountId) -> Option<&mut Object> {
    view.get_mut(&object_id::account_root(account))
}

fn send_xrp(view: &mut dyn ApplyView, from: AccountId, to: AccountId, drops: i64) -> Ter {
    if let Some(root) = (from != AccountId::ZERO).then(|| view.account(from)).flatten() {
        let before = balance_of(&root);
        if before < drops {
            return Err(failed_processing(view));
        }
        view.credit_hook_xrp(from, drops, before);
        if let Some(root) = root_mut(view, from) {
            set_balance(root, before - drops);
        }
    }
    if let Some(root) = (to != AccountId::ZERO).then(|| view.account(to)).flatten() {
        let before = balance_of(&root);
        view.credit_hook_xrp(to, 0, before);
        if let Some(root) = root_mut(view, to) {
            set_balance(root, before.saturating_add(drops));
        }
    }
    Ok(())
}

fn failed_processing(view: &dyn ReadView) -> EngineResult {
    match view.info().open {
        true => EngineResult::TEL_FAILED_PROCESSING,
        false => EngineResult::TEC_FAILED_PROCESSING,
    }
}

/// Moves XRP between two accounts that exist, whatever reserves say, as no payment would.
///
/// # Errors
/// `tefINTERNAL` without one of the accounts, `telFAILED_PROCESSING` or `tecFAILED_PROCESSING`
/// without enough.
pub fn transfer_xrp(view: &mut dyn ApplyView, from: AccountId, to: AccountId, drops: i64) -> Ter {
    let internal = EngineResult::TEF_INTERNAL;
    let before = balance_of(&*view.account(from).ok_or(internal)?);
    if !view.exists(&object_id::account_root(to)) {
        return Err(internal);
    }
    if before < drops {
        return Err(failed_processing(view));
    }
    set_balance(root_mut(view, from).ok_or(internal)?, before - drops);
    let root = root_mut(view, to).ok_or(internal)?;
    let after = balance_of(root).saturating_add(drops);
    set_balance(root, after);
    Ok(())
}

fn send_issued(
    view: &mut dyn ApplyView,
    from: AccountId,
    to: AccountId,
    issuer: AccountId,
    amount: Amount,
    fee: TransferFee,
) -> Ter {
    let Amount::Issued { value, currency, .. } = amount else {
        return Err(EngineResult::TEC_INTERNAL);
    };
    if from == issuer || to == issuer || issuer == AccountId::ONE {
        return trust_line::credit(view, from, to, currency, value);
    }
    let cost = match fee {
        TransferFee::Waive => amount,
        TransferFee::Charge => account_root::transfer_rate(view, issuer)
            .multiply(&amount)
            .map_err(|_| EngineResult::TEF_EXCEPTION)?,
    };
    trust_line::credit(view, issuer, to, currency, value)?;
    let cost = cost.value().ok_or(EngineResult::TEC_INTERNAL)?;
    trust_line::credit(view, from, issuer, currency, cost)
}

/// Sends amounts of one issue to several accounts, as [`account_send`]; what goes through the issuer
/// leaves the sender in one sum.
///
/// # Errors
/// As [`account_send`].
pub fn account_send_multi(
    view: &mut dyn ApplyView,
    from: AccountId,
    issue: Issue,
    receivers: &[(AccountId, Amount)],
    fee: TransferFee,
) -> Ter {
    let internal = EngineResult::TEC_INTERNAL;
    match issue {
        Issue::Mpt(id) => mpt::send_multi(view, from, id, receivers, fee),
        Issue::Xrp => {
            let mut sum = 0i64;
            for (to, amount) in receivers {
                let drops = amount.drops().filter(|drops| *drops >= 0).ok_or(internal)?;
                if drops != 0 && from != *to && view.account(*to).is_some() {
                    send_xrp(view, AccountId::ZERO, *to, drops)?;
                    sum = sum.saturating_add(drops);
                }
            }
            let Some(root) = view.account(from) else { return Ok(()) };
            if balance_of(&root) < sum {
                return Err(EngineResult::TEC_FAILED_PROCESSING);
            }
            send_xrp(view, from, AccountId::ZERO, sum)
        }
        Issue::Issued { currency, issuer } => {
            let mut through = IssuedValue::ZERO;
            for (to, amount) in receivers {
                let value = amount.value().ok_or(internal)?;
                if value.is_zero() || from == *to {
                    continue;
                }
                if from == issuer || *to == issuer || issuer == AccountId::ONE {
                    trust_line::credit(view, from, *to, currency, value)?;
                    continue;
                }
                let cost = match fee {
                    TransferFee::Waive => *amount,
                    TransferFee::Charge => account_root::transfer_rate(view, issuer)
                        .multiply(amount)
                        .map_err(|_| EngineResult::TEF_EXCEPTION)?,
                };
                let cost = cost.value().ok_or(internal)?;
                through = through.add(cost).map_err(|_| EngineResult::TEF_EXCEPTION)?;
                trust_line::credit(view, issuer, *to, currency, value)?;
            }
            if from != issuer && !through.is_zero() {
                trust_line::credit(view, from, issuer, currency, through)?;
            }
            Ok(())
        }
    }
}
