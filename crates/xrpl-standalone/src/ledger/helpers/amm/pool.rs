//! What an AMM holds, and what an account has of it.

use xrpl_protocol::{
    AccountId, Amount, Currency, EngineResult, Hash256, Issue, IssuedValue, Object,
    decimal::Decimal, fields, hash::sha512_half, object_id,
};

use super::formula::Result as Math;
use crate::ledger::{
    directory, entry_type,
    helpers::{
        token::{self, IfFrozen, IfUnauthorized, Spendable},
        trust_line::{self, Side, balance},
    },
    view::{ApplyView, ReadView, Ter},
};

/// First byte of the currencies of LP tokens.
const LP_CURRENCY: u8 = 0x03;
/// Pages of an AMM's directory that are looked at for other liquidity providers.
const MAX_PAGES: usize = 10;

/// What is in a pool, and its LP tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// Of the asset that was asked for first.
    pub balance: Amount,
    /// Of the other.
    pub balance2: Amount,
    /// All LP tokens.
    pub lp_tokens: Amount,
}

fn currency_bytes(issue: &Issue) -> &[u8] {
    match issue {
        Issue::Xrp => &Currency::XRP.0,
        Issue::Issued { currency, .. } => &currency.0,
        Issue::Mpt(id) => &id.0,
    }
}

/// What LP tokens of an AMM's account are for two assets in any order.
#[must_use]
pub fn lp_issue(asset: Issue, other: Issue, account: AccountId) -> Issue {
    let (low, high) = (asset.min(other), asset.max(other));
    let hash = sha512_half(&[currency_bytes(&low), currency_bytes(&high)]);
    let mut currency = Currency([LP_CURRENCY; 20]);
    currency.0[1..].copy_from_slice(&hash.0[..19]);
    Issue::Issued { currency, issuer: account }
}

/// The assets of an AMM as its entry has them.
#[must_use]
pub fn assets(amm: &Object) -> (Issue, Issue) {
    let asset = |field| amm.issue(field).unwrap_or(Issue::Xrp);
    (asset(fields::ASSET), asset(fields::ASSET2))
}

/// The account of an AMM.
#[must_use]
pub fn account_of(amm: &Object) -> AccountId {
    amm.account(fields::ACCOUNT).unwrap_or_default()
}

/// All LP tokens of an AMM.
#[must_use]
pub fn lp_tokens(amm: &Object) -> Amount {
    amm.amount(fields::LP_TOKEN_BALANCE).unwrap_or(Amount::Xrp(0))
}

/// What an account holds of two assets.
#[must_use]
pub fn account_holds_both(
    view: &dyn ReadView,
    account: AccountId,
    assets: (Issue, Issue),
    frozen: IfFrozen,
    unauthorized: IfUnauthorized,
) -> (Amount, Amount) {
    let held =
        |issue| token::account_holds(view, account, issue, frozen, unauthorized, Spendable::Simple);
    (held(assets.0), held(assets.1))
}

/// What an AMM holds, in the order of the assets that are named; one alone is the first.
///
/// # Errors
/// `tecAMM_INVALID_TOKENS` for an asset that is not the AMM's.
pub fn holds(
    view: &dyn ReadView,
    amm: &Object,
    first: Option<Issue>,
    second: Option<Issue>,
    frozen: IfFrozen,
    unauthorized: IfUnauthorized,
) -> Result<Holdings, EngineResult> {
    let (asset, other) = assets(amm);
    let ordered = match first.or(second) {
        None => (asset, other),
        Some(named) if named == asset => (asset, other),
        Some(named) if named == other => (other, asset),
        Some(_) => return Err(EngineResult::TEC_AMM_INVALID_TOKENS),
    };
    if first.is_some() && second.is_some_and(|second| second != ordered.1) {
        return Err(EngineResult::TEC_AMM_INVALID_TOKENS);
    }
    let (balance, balance2) =
        account_holds_both(view, account_of(amm), ordered, frozen, unauthorized);
    Ok(Holdings { balance, balance2, lp_tokens: lp_tokens(amm) })
}

/// The LP tokens of an account. That an asset of the pool is frozen does not matter here.
#[must_use]
pub fn lp_holds(view: &dyn ReadView, amm: &Object, holder: AccountId) -> Amount {
    let issue = lp_tokens(amm).issue();
    let Issue::Issued { currency, issuer } = issue else { return Amount::zero(issue) };
    let line = view.read(&object_id::trust_line(holder, issuer, currency));
    let value = match line {
        Some(line) if !trust_line::is_frozen(view, holder, currency, issuer) => {
            balance(&line, Side::of(holder, issuer))
        }
        _ => IssuedValue::ZERO,
    };
    let value = view.balance_hook_iou(holder, issuer, currency, value);
    Amount::Issued { value, currency, issuer }
}

/// What an AMM holds of an asset whatever a payment has done to it so far; nothing if it is frozen.
/// This is what a pool's price is made of.
#[must_use]
pub fn unspent(view: &dyn ReadView, account: AccountId, issue: Issue) -> Amount {
    let nothing = Amount::zero(issue);
    match issue {
        Issue::Xrp => {
            let root = view.account(account);
            root.and_then(|root| root.amount(fields::BALANCE)).unwrap_or(nothing)
        }
        _ if token::is_frozen(view, account, issue) => nothing,
        Issue::Issued { currency, issuer } => {
            let line = view.read(&object_id::trust_line(account, issuer, currency));
            line.map_or(nothing, |line| Amount::Issued {
                value: balance(&line, Side::of(account, issuer)),
                currency,
                issuer,
            })
        }
        Issue::Mpt(id) => {
            let holding = view.read(&object_id::mptoken(id, account));
            let held = holding.and_then(|holding| holding.u64(fields::MPT_AMOUNT));
            let value = held.and_then(|held| i64::try_from(held).ok()).unwrap_or_default();
            Amount::Mpt { value, id }
        }
    }
}

/// The share by which the geometric mean of a pool may be below its LP tokens.
fn tolerance() -> Decimal {
    Decimal::new(1, -11).unwrap_or(Decimal::INVALID)
}

/// Whether two decimals differ by less than a share of the larger.
#[must_use]
pub fn within_share(a: Decimal, b: Decimal, share: Decimal) -> bool {
    let (low, high) = if b < a { (b, a) } else { (a, b) };
    a == b || (high - low) / high < share
}

/// Whether a pool is worth its LP tokens: the geometric mean of its balances, or at least nearly.
///
/// # Errors
/// `tecPRECISION_LOSS`.
pub fn check_precision(mean: Decimal, lp_tokens: &Amount) -> Ter {
    let tokens = lp_tokens.decimal();
    if tokens.signum() <= 0 || mean >= tokens || within_share(mean, tokens, tolerance()) {
        return Ok(());
    }
    Err(EngineResult::TEC_PRECISION_LOSS)
}

/// [`check_precision`] of what an AMM's account holds.
///
/// # Errors
/// `tecPRECISION_LOSS`.
pub fn check_pool_precision(
    view: &dyn ReadView,
    account: AccountId,
    assets: (Issue, Issue),
    lp_tokens: &Amount,
) -> Ter {
    let (ignore, any) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
    let (balance, other) = account_holds_both(view, account, assets, ignore, any);
    check_precision((balance.decimal() * other.decimal()).square_root(), lp_tokens)
}

/// Whether nobody but `holder` has LP tokens of an issue.
///
/// # Errors
/// `tecINTERNAL` where an AMM's account owns what it should not.
pub fn is_only_provider(
    view: &dyn ReadView,
    lp_issue: Issue,
    holder: AccountId,
) -> Result<bool, EngineResult> {
    let internal = EngineResult::TEC_INTERNAL;
    let account = token::issuer_of(lp_issue).ok_or(internal)?;
    let (mut amms, mut token_lines, mut lines, mut mpts) = (0, 0, 0, 0);
    let mut pages = 0;
    for (_, page) in directory::pages(view, object_id::owner_dir(account)) {
        pages += 1;
        if pages > MAX_PAGES {
            return Err(internal);
        }
        for key in page.vector256(fields::INDEXES).unwrap_or_default() {
            let entry = view.read(key).ok_or(internal)?;
            match entry_type::of(&entry) {
                entry_type::AMM => amms += 1,
                entry_type::MPTOKEN => mpts += 1,
                entry_type::RIPPLE_STATE => {
                    let limits = [fields::LOW_LIMIT, fields::HIGH_LIMIT]
                        .map(|field| entry.amount(field).map(|limit| limit.issue()));
                    let of_tokens = limits.contains(&Some(lp_issue));
                    let of_holder = limits
                        .iter()
                        .flatten()
                        .any(|issue| token::issuer_of(*issue) == Some(holder));
                    match (of_tokens, of_holder) {
                        (true, true) => token_lines += 1,
                        (true, false) => return Ok(false),
                        (false, _) => lines += 1,
                    }
                }
                _ => return Err(internal),
            }
            if amms > 1 || token_lines > 1 || lines > 2 {
                return Err(internal);
            }
        }
    }
    // One or two assets are no XRP.
    if token_lines != 1 || !(1..=2).contains(&(lines + mpts)) {
        return Err(internal);
    }
    Ok(true)
}

/// The last liquidity provider may have slightly more or fewer LP tokens than there are: rounding
/// has lost the difference. What the AMM's entry says is then set to what the provider has.
///
/// # Errors
/// `tecAMM_INVALID_TOKENS` where the difference is too large for that, `tecINTERNAL`.
pub fn settle_last_provider(
    view: &mut dyn ApplyView,
    amm: &Hash256,
    tokens: &Amount,
    holder: AccountId,
) -> Ter {
    if !is_only_provider(view, tokens.issue(), holder)? {
        return Ok(());
    }
    let entry = view.get_mut(amm).ok_or(EngineResult::TEC_INTERNAL)?;
    let near = nearly_equal(tokens, &lp_tokens(entry)).map_err(|_| EngineResult::TEF_EXCEPTION)?;
    if !near {
        return Err(EngineResult::TEC_AMM_INVALID_TOKENS);
    }
    entry.set(fields::LP_TOKEN_BALANCE, (*tokens).into());
    Ok(())
}

/// Whether two amounts differ by less than a thousandth of the larger.
fn nearly_equal(a: &Amount, b: &Amount) -> Math<bool> {
    if a == b {
        return Ok(true);
    }
    let (low, high) = if b.is_less(a) { (b, a) } else { (a, b) };
    let share = (high.checked_sub(low)?.decimal() / high.decimal()).checked()?;
    Ok(share < Decimal::new(1, -3)?)
}
