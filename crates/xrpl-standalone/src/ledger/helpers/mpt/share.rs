//! What looks through a vault's shares at the asset below, which may be a currency or shares again:
//! freezes, authorisation, transfers.

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Issue, MptId, Object, Value, fields, object_id,
};

use super::issuance::{
    available, find, flag, has, is_global_locked, is_individual_locked, issuance, issuer_of, number,
};
use crate::ledger::{
    amendment,
    helpers::{
        account_root::{PSEUDO_FIELDS, flags_of},
        credentials,
        terms::{Auth, IfFrozen, IfUnauthorized, Spendable},
        trust_line,
    },
    view::{ReadView, Ter},
};

/// Vault shares may be of vaults of other tokens, but not any deeper than this.
const MAX_DEPTH: u8 = 5;

pub(in crate::ledger::helpers) fn is_locked(
    view: &dyn ReadView,
    account: AccountId,
    id: MptId,
    depth: u8,
) -> bool {
    is_global_locked(view, id)
        || is_individual_locked(view, account, id)
        || is_vault_frozen(view, account, id, depth)
}

/// Whether a freeze keeps the account from spending it, `depth` vaults below what was asked for.
pub(in crate::ledger::helpers) fn is_frozen_at(
    view: &dyn ReadView,
    account: AccountId,
    issue: Issue,
    depth: u8,
) -> bool {
    match issue {
        Issue::Xrp => false,
        Issue::Issued { currency, issuer } => {
            trust_line::is_frozen(view, account, currency, issuer)
        }
        Issue::Mpt(id) => is_locked(view, account, id, depth),
    }
}

/// Whether a vault share cannot move because what is in the vault cannot.
#[must_use]
pub fn is_vault_frozen(view: &dyn ReadView, account: AccountId, share: MptId, depth: u8) -> bool {
    if !view.rules().enabled(amendment::SINGLE_ASSET_VAULT) {
        return false;
    }
    if depth >= MAX_DEPTH {
        return true;
    }
    let Some(issuance) = find(view, share) else { return false };
    let issuer = issuer_of(&issuance);
    let asset = match issuance.hash256(fields::REFERENCE_HOLDING) {
        Some(holding) => view.read(&holding).map(|holding| asset_of_holding(&issuance, &holding)),
        None => view
            .account(issuer)
            .and_then(|root| root.hash256(fields::VAULT_ID))
            .and_then(|vault| view.read(&vault)?.issue(fields::ASSET)),
    };
    asset.is_some_and(|asset| {
        [issuer, account].iter().any(|account| is_frozen_at(view, *account, asset, depth + 1))
    })
}

/// What a vault holds, from its share's issuance and the vault's line or MPToken.
#[must_use]
pub fn asset_of_holding(share: &Object, holding: &Object) -> Issue {
    if let Some(Value::Hash192(id)) = holding.get(fields::MP_TOKEN_ISSUANCE_ID) {
        return Issue::Mpt(MptId(*id));
    }
    let vault = issuer_of(share);
    let limit = |field| match holding.amount(field) {
        Some(Amount::Issued { currency, issuer, .. }) => Some((currency, issuer)),
        _ => None,
    };
    let (low, high) = (limit(fields::LOW_LIMIT), limit(fields::HIGH_LIMIT));
    match low.filter(|(_, issuer)| *issuer != vault).or(high) {
        Some((currency, issuer)) => Issue::Issued { currency, issuer },
        None => Issue::Xrp,
    }
}

pub(in crate::ledger::helpers) fn account_holds(
    view: &dyn ReadView,
    account: AccountId,
    id: MptId,
    frozen: IfFrozen,
    unauthorized: IfUnauthorized,
    spendable: Spendable,
) -> i64 {
    let hooked = view.rules().enabled(amendment::MPTOKENS_V2);
    let spent = |value| if hooked { view.balance_hook_mpt(account, id, value) } else { value };
    if spendable == Spendable::Full && account == id.issuer() {
        return find(view, id).map_or(0, |issuance| spent(available(&issuance)));
    }
    let Some(holding) = view.read(&object_id::mptoken(id, account)) else { return spent(0) };
    if frozen == IfFrozen::Zero && is_locked(view, account, id, 0) {
        return spent(0);
    }
    let value = i64::try_from(number(&holding, fields::MPT_AMOUNT)).unwrap_or(i64::MAX);
    let rules = view.rules();
    let allowed = unauthorized == IfUnauthorized::Ignore
        || if rules.enabled(amendment::SINGLE_ASSET_VAULT)
            || rules.enabled(amendment::CONFIDENTIAL_TRANSFER)
        {
            require_auth(view, id, account, Auth::Strong).is_ok()
        } else {
            !has(find(view, id), flag::REQUIRE_AUTH) || flags_of(&holding) & flag::AUTHORIZED != 0
        };
    spent(if allowed { value } else { 0 })
}

/// Whether an account is authorised to hold it.
///
/// # Errors
/// `tecOBJECT_NOT_FOUND`, `tecNO_AUTH`, `tecEXPIRED`, `tefINTERNAL`.
pub fn require_auth(view: &dyn ReadView, id: MptId, account: AccountId, auth: Auth) -> Ter {
    require_auth_at(view, id, account, auth, 0)
}

fn require_auth_at(
    view: &dyn ReadView,
    id: MptId,
    account: AccountId,
    auth: Auth,
    depth: u8,
) -> Ter {
    let rules = view.rules();
    let vaults = rules.enabled(amendment::SINGLE_ASSET_VAULT);
    // Pseudo-accounts hold for others.
    let is_exempt = || {
        (vaults || rules.enabled(amendment::MPTOKENS_V2))
            && view
                .account(account)
                .is_some_and(|root| PSEUDO_FIELDS.iter().any(|field| root.contains(*field)))
    };
    let early = rules.enabled(amendment::FIX_CLEANUP_3_3_0);
    let issuance = issuance(view, id)?;
    let issuer = issuer_of(&issuance);
    if issuer == account || (early && is_exempt()) {
        return Ok(());
    }
    if vaults {
        if depth >= MAX_DEPTH {
            return Err(EngineResult::TEC_INTERNAL);
        }
        let internal = EngineResult::TEF_INTERNAL;
        let root = view.account(issuer).ok_or(internal)?;
        if let Some(vault) = root.hash256(fields::VAULT_ID) {
            let vault = view.read(&vault).ok_or(internal)?;
            match vault.issue(fields::ASSET).ok_or(internal)? {
                Issue::Mpt(id) => require_auth_at(view, id, account, auth, depth + 1)?,
                Issue::Issued { currency, issuer } => {
                    trust_line::require_auth(view, currency, issuer, account, auth)?;
                }
                Issue::Xrp => {}
            }
        }
    }
    let holding = view.read(&object_id::mptoken(id, account));
    if holding.is_none() && auth != Auth::Weak {
        return Err(EngineResult::TEC_NO_AUTH);
    }
    if let Some(domain) = issuance.hash256(fields::DOMAIN_ID) {
        match credentials::valid_domain(view, domain, account) {
            Ok(()) => return Ok(()),
            Err(error) if holding.is_none() => return Err(error),
            // The issuer may have authorised it by hand.
            Err(_) => {}
        }
    }
    if !early && is_exempt() {
        return Ok(());
    }
    if flags_of(&issuance) & flag::REQUIRE_AUTH != 0 && !has(holding, flag::AUTHORIZED) {
        return Err(EngineResult::TEC_NO_AUTH);
    }
    Ok(())
}

/// Whether an MPT may move between two accounts.
///
/// # Errors
/// `tecOBJECT_NOT_FOUND`, `tecNO_AUTH`.
pub fn can_transfer(view: &dyn ReadView, id: MptId, from: AccountId, to: AccountId) -> Ter {
    can_transfer_at(view, id, from, to, 0)
}

fn can_transfer_at(
    view: &dyn ReadView,
    id: MptId,
    from: AccountId,
    to: AccountId,
    depth: u8,
) -> Ter {
    let issuance = issuance(view, id)?;
    let issuer = issuer_of(&issuance);
    if from == issuer || to == issuer {
        return Ok(());
    }
    if flags_of(&issuance) & flag::CAN_TRANSFER == 0 {
        return Err(EngineResult::TEC_NO_AUTH);
    }
    match underlying(view, &issuance, depth)? {
        Some(Issue::Mpt(id)) => can_transfer_at(view, id, from, to, depth + 1),
        Some(Issue::Issued { currency, issuer }) => {
            trust_line::can_transfer(view, currency, issuer, from, to)
        }
        Some(Issue::Xrp) | None => Ok(()),
    }
}

/// What a vault's share stands for.
fn underlying(
    view: &dyn ReadView,
    issuance: &Object,
    depth: u8,
) -> Result<Option<Issue>, EngineResult> {
    let Some(holding) = issuance
        .hash256(fields::REFERENCE_HOLDING)
        .filter(|_| view.rules().enabled(amendment::FIX_CLEANUP_3_2_0))
    else {
        return Ok(None);
    };
    if depth >= MAX_DEPTH {
        return Err(EngineResult::TEC_INTERNAL);
    }
    let holding = view.read(&holding).ok_or(EngineResult::TEF_INTERNAL)?;
    Ok(Some(asset_of_holding(issuance, &holding)))
}

/// Whether something may be traded on the decentralized exchange.
///
/// # Errors
/// `tecOBJECT_NOT_FOUND`, `tecNO_PERMISSION`.
pub fn can_trade(view: &dyn ReadView, issue: Issue) -> Ter {
    can_trade_at(view, issue, 0)
}

fn can_trade_at(view: &dyn ReadView, issue: Issue, depth: u8) -> Ter {
    let Issue::Mpt(id) = issue else { return Ok(()) };
    let issuance = issuance(view, id)?;
    if flags_of(&issuance) & flag::CAN_TRADE == 0 {
        return Err(EngineResult::TEC_NO_PERMISSION);
    }
    match underlying(view, &issuance, depth)? {
        Some(issue) => can_trade_at(view, issue, depth + 1),
        None => Ok(()),
    }
}

/// [`can_trade`] and [`can_transfer`] for an MPT; anything else passes.
///
/// # Errors
/// Theirs.
pub fn can_trade_and_transfer(
    view: &dyn ReadView,
    issue: Issue,
    from: AccountId,
    to: AccountId,
) -> Ter {
    let Issue::Mpt(id) = issue else { return Ok(()) };
    can_trade(view, issue)?;
    can_transfer(view, id, from, to)
}
