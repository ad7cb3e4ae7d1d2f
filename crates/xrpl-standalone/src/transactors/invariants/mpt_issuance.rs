use xrpl_protocol::{AccountId, Amount, EngineResult, Object, Value, fields};

use super::{Invariant, Outcome, Touched};
use crate::{
    ledger::{ReadView, Rules, amendment, entry_type},
    transactors::privilege::{
        CREATE_MPT_ISSUANCE, DESTROY_MPT_ISSUANCE, MAY_AUTHORIZE_MPT, MAY_CREATE_MPT,
        MAY_DELETE_MPT, MUST_AUTHORIZE_MPT,
    },
};

const ESCROW_FINISH: u16 = 2;
const CHECK_CASH: u16 = 17;
const AMM_CLAWBACK: u16 = 31;
const AMM_CREATE: u16 = 35;
const AMM_WITHDRAW: u16 = 37;
const AMM_DELETE: u16 = 40;
const VAULT_CREATE: u16 = 65;
const VAULT_DELETE: u16 = 67;

/// Issuances and MPTokens come and go only by the types for it, and in the numbers that these may.
#[derive(Default)]
pub(super) struct ValidMptIssuance {
    issuances_created: usize,
    issuances_deleted: usize,
    created: usize,
    deleted: usize,
    created_by_issuer: bool,
    reference_set: bool,
    reference_changed: bool,
    /// Accounts whose MPTokens or lines were deleted.
    former_holders: Vec<AccountId>,
}

impl Invariant for ValidMptIssuance {
    fn visit(&mut self, touched: &Touched<'_>) {
        let guarded = touched.rules.enabled(amendment::FIX_CLEANUP_3_2_0);
        if let Some(issuance) = touched.after_of(entry_type::MPTOKEN_ISSUANCE) {
            let reference = |entry: &Object| entry.hash256(fields::REFERENCE_HOLDING);
            match touched.before {
                _ if touched.deleted => self.issuances_deleted += 1,
                None => {
                    self.issuances_created += 1;
                    self.reference_set |= guarded && reference(issuance).is_some();
                }
                Some(before) => {
                    self.reference_changed |= guarded && reference(before) != reference(issuance);
                }
            }
        }
        if let Some(holding) = touched.after_of(entry_type::MPTOKEN) {
            let account = holding.account(fields::ACCOUNT).unwrap_or_default();
            if touched.deleted {
                self.deleted += 1;
                if guarded {
                    self.former_holders.push(account);
                }
            } else if touched.before.is_none() {
                self.created += 1;
                let issuer = match holding.get(fields::MP_TOKEN_ISSUANCE_ID) {
                    Some(Value::Hash192(id)) => Some(xrpl_protocol::MptId(*id).issuer()),
                    _ => None,
                };
                self.created_by_issuer |= issuer == Some(account);
            }
        }
        if let Some(line) = touched.after_of(entry_type::RIPPLE_STATE)
            && touched.deleted
            && guarded
        {
            for limit in [fields::LOW_LIMIT, fields::HIGH_LIMIT] {
                if let Some(Amount::Issued { issuer, .. }) = line.amount(limit) {
                    self.former_holders.push(issuer);
                }
            }
        }
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        let rules = outcome.view.rules();
        if rules.enabled(amendment::FIX_CLEANUP_3_2_0) {
            self.judge_references(outcome)?;
        }
        let v2 = rules.enabled(amendment::MPTOKENS_V2);
        let counts = outcome.succeeded() || (v2 && outcome.result == EngineResult::TEC_INCOMPLETE);
        if counts && self.judge_success(outcome, rules)? {
            return Ok(());
        }
        match (self.issuances_created, self.issuances_deleted, self.created, self.deleted) {
            (0, 0, 0, 0) => Ok(()),
            (0, 0, 0, _) => Err("an MPToken was deleted"),
            (0, 0, _, _) => Err("an MPToken was created"),
            (0, _, _, _) => Err("an MPT issuance was deleted"),
            _ => Err("an MPT issuance was created"),
        }
    }
}

impl ValidMptIssuance {
    fn judge_references(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        if self.reference_changed {
            return Err("what a vault's share stands for was changed");
        }
        if self.reference_set && outcome.tx.kind != VAULT_CREATE {
            return Err("an issuance stands for a vault that was not created");
        }
        let is_vault = |account: &AccountId| {
            outcome.view.account(*account).is_some_and(|root| root.contains(fields::VAULT_ID))
        };
        if outcome.tx.kind != VAULT_DELETE && self.former_holders.iter().any(is_vault) {
            return Err("a vault's holding was deleted without the vault");
        }
        Ok(())
    }

    /// Whether the transaction's privileges settle it.
    fn judge_success(&self, outcome: &Outcome<'_>, rules: &Rules) -> Result<bool, &'static str> {
        let lending = rules.enabled(amendment::LENDING_PROTOCOL);
        let vaults = rules.enabled(amendment::SINGLE_ASSET_VAULT);
        if self.created_by_issuer && (lending || vaults) {
            return Err("an issuer got an MPToken of its own");
        }
        let kind = outcome.tx.kind;
        let issuances = (self.issuances_created, self.issuances_deleted);
        if outcome.may(CREATE_MPT_ISSUANCE) {
            return exactly(issuances == (1, 0), "not exactly one MPT issuance was created");
        }
        if outcome.may(DESTROY_MPT_ISSUANCE) {
            return exactly(issuances == (0, 1), "not exactly one MPT issuance was deleted");
        }
        let no_issuance = "an MPT issuance came or went with an authorization";
        let bad_number = "a wrong number of MPTokens was created or deleted";
        let by_issuer = outcome.tx.object.contains(fields::HOLDER);
        let finishes = kind == ESCROW_FINISH && (lending || vaults);
        if outcome.may(MUST_AUTHORIZE_MPT | MAY_AUTHORIZE_MPT) || finishes {
            if issuances != (0, 0) {
                return Err(no_issuance);
            }
            let withdraws = rules.enabled(amendment::MPTOKENS_V2)
                && outcome.may(MAY_AUTHORIZE_MPT)
                && matches!(kind, AMM_WITHDRAW | AMM_CLAWBACK);
            let all = self.created + self.deleted;
            let bad = if withdraws {
                (by_issuer && kind == AMM_WITHDRAW && self.created > 0)
                    || self.created > 1
                    || self.deleted > 2
            } else {
                (lending && all > 1)
                    || (by_issuer && all > 0)
                    || (!by_issuer && outcome.may(MUST_AUTHORIZE_MPT) && all != 1)
            };
            return exactly(!bad, bad_number);
        }
        if outcome.may(MAY_CREATE_MPT) {
            if issuances != (0, 0) {
                return Err(no_issuance);
            }
            let bad = self.deleted > 0
                || (kind == AMM_CREATE && self.created > 2)
                || (kind == CHECK_CASH && self.created > 1)
                || by_issuer;
            return exactly(!bad, bad_number);
        }
        let may_delete = outcome.may(MAY_DELETE_MPT)
            && ((kind == AMM_DELETE && self.deleted <= 2) || self.deleted == 1)
            && self.created == 0
            && issuances == (0, 0);
        Ok(kind == ESCROW_FINISH || may_delete)
    }
}

fn exactly(good: bool, otherwise: &'static str) -> Result<bool, &'static str> {
    if good { Ok(true) } else { Err(otherwise) }
}
