use xrpl_protocol::{AccountId, Amount, EngineResult, Issue, fields};

use super::{Invariant, Outcome, Touched};
use crate::ledger::{
    ReadView, amendment,
    entry_type::{ACCOUNT_ROOT, AMM, MPTOKEN, RIPPLE_STATE},
    helpers::{
        account_root::flags_of,
        amm::{
            formula::initial_lp_tokens,
            pool::{account_holds_both, account_of, check_precision, lp_tokens},
        },
        mpt,
        token::{IfFrozen, IfUnauthorized},
        trust_line::AMM_NODE,
    },
};

/// `TransactionType`s by what they may do to AMMs.
mod kind {
    pub(super) const PAYMENT: u16 = 0;
    pub(super) const OFFER_CREATE: u16 = 7;
    pub(super) const CHECK_CASH: u16 = 17;
    pub(super) const CLAWBACK: u16 = 31;
    pub(super) const CREATE: u16 = 35;
    pub(super) const DEPOSIT: u16 = 36;
    pub(super) const WITHDRAW: u16 = 37;
    pub(super) const VOTE: u16 = 38;
    pub(super) const BID: u16 = 39;
    pub(super) const DELETE: u16 = 40;
}

/// A pool is worth its LP tokens, and each type changes of it what it may.
#[derive(Default)]
pub(super) struct ValidAmm {
    /// Account of the AMM whose entry is new or changed, and its LP tokens now.
    changed: Option<(AccountId, Amount)>,
    tokens_before: Option<Amount>,
    /// LP tokens of the AMM that is deleted, as they were.
    deleted: Option<Amount>,
    /// What is in a pool may have changed.
    pool_changed: bool,
}

impl Invariant for ValidAmm {
    fn visit(&mut self, touched: &Touched<'_>) {
        if touched.deleted {
            if let Some(amm) = touched.before_of(AMM) {
                self.deleted = Some(lp_tokens(amm));
            }
            return;
        }
        if let Some(amm) = touched.now_of(AMM) {
            self.changed = Some((account_of(amm), lp_tokens(amm)));
        }
        let flags = flags_of(touched.after);
        self.pool_changed |= match touched.kind {
            RIPPLE_STATE => flags & AMM_NODE != 0,
            ACCOUNT_ROOT => touched.after.contains(fields::AMMID),
            MPTOKEN => flags & mpt::flag::AMM != 0,
            _ => false,
        };
        if let Some(amm) = touched.before_of(AMM) {
            self.tokens_before = Some(lp_tokens(amm));
        }
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        let incomplete = outcome.result == EngineResult::TEC_INCOMPLETE;
        if !outcome.succeeded() && !incomplete {
            return Ok(());
        }
        let rules = outcome.view.rules();
        let deletion_counts = rules.enabled(amendment::FIX_CLEANUP_3_3_0);
        let deleted = self.deleted.filter(|_| deletion_counts);
        let type_code = outcome.tx.kind;
        let may_delete = matches!(type_code, kind::WITHDRAW | kind::CLAWBACK | kind::DELETE);
        if deleted.is_some() && !may_delete {
            return Err("an AMM was deleted by something else than its end");
        }
        if type_code == kind::DELETE && deletion_counts {
            match (deleted, outcome.succeeded()) {
                (None, true) => return Err("AMMDelete left the AMM"),
                (Some(tokens), true) if !tokens.is_zero() => {
                    return Err("AMMDelete deleted an AMM with LP tokens");
                }
                (Some(_), false) => return Err("an AMM was deleted by an incomplete AMMDelete"),
                _ => {}
            }
        }
        let judged = match type_code {
            kind::CREATE => self.created(outcome),
            kind::DEPOSIT => match self.changed {
                None => Err("AMMDeposit left no AMM"),
                Some(_) => self.is_worth_its_tokens(outcome, false),
            },
            kind::WITHDRAW | kind::CLAWBACK if deleted.is_some() => Ok(()),
            kind::WITHDRAW | kind::CLAWBACK => self.is_worth_its_tokens(outcome, true),
            kind::BID => self.bid(),
            kind::VOTE => self.voted(),
            kind::DELETE if self.changed.is_some() => Err("AMMDelete changed the AMM"),
            kind::PAYMENT | kind::OFFER_CREATE | kind::CHECK_CASH if self.changed.is_some() => {
                Err("a trade changed an AMM's entry")
            }
            _ => Ok(()),
        };
        if rules.enabled(amendment::FIX_AMM_V1_3) { judged } else { Ok(()) }
    }
}

/// Balances of a pool in the order of two fields of a transaction.
fn balances(outcome: &Outcome<'_>, account: AccountId, assets: (Issue, Issue)) -> (Amount, Amount) {
    let (ignore, any) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
    account_holds_both(outcome.view, account, assets, ignore, any)
}

impl ValidAmm {
    fn voted(&self) -> Result<(), &'static str> {
        let tokens = self.changed.map(|(_, tokens)| tokens);
        if tokens != self.tokens_before || self.pool_changed {
            return Err("AMMVote changed a pool or its LP tokens");
        }
        Ok(())
    }

    fn bid(&self) -> Result<(), &'static str> {
        if self.pool_changed {
            return Err("AMMBid changed a pool");
        }
        match (self.tokens_before, self.changed) {
            (Some(before), Some((_, after))) if after.is_more(&before) || after.signum() <= 0 => {
                Err("AMMBid did not burn LP tokens, or all of them")
            }
            _ => Ok(()),
        }
    }

    fn created(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        let Some((account, tokens)) = self.changed else {
            return Err("AMMCreate created no AMM");
        };
        let issue =
            |field| outcome.tx.object.amount(field).map_or(Issue::Xrp, |amount| amount.issue());
        let assets = (issue(fields::AMOUNT), issue(fields::AMOUNT2));
        let (amount, other) = balances(outcome, account, assets);
        let rules = outcome.view.rules();
        let made = initial_lp_tokens(rules, &amount, &other, tokens.issue());
        let positive = [amount, other, tokens].iter().all(|amount| amount.signum() > 0);
        if positive && made == Ok(tokens) {
            return Ok(());
        }
        Err("a new pool's LP tokens are not the geometric mean of its balances")
    }

    fn is_worth_its_tokens(
        &self,
        outcome: &Outcome<'_>,
        may_be_empty: bool,
    ) -> Result<(), &'static str> {
        let Some((account, tokens)) = self.changed else { return Ok(()) };
        let issue = |field| outcome.tx.object.issue(field).unwrap_or(Issue::Xrp);
        let assets = (issue(fields::ASSET), issue(fields::ASSET2));
        let (amount, other) = balances(outcome, account, assets);
        let all = [amount, other, tokens];
        let positive = all.iter().all(|amount| amount.signum() > 0);
        let empty = may_be_empty && all.iter().all(Amount::is_zero);
        let mean = (amount.decimal() * other.decimal()).square_root();
        if (positive || empty) && check_precision(mean, &tokens).is_ok() {
            return Ok(());
        }
        Err("a pool is worth less than its LP tokens")
    }
}
