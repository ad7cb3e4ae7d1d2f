//! CheckCash (<https://xrpl.org/docs/references/protocol/transactions/types/checkcash>).

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Field, Hash256, Issue, IssuedValue, MptId, fields, object_id,
};

use super::{named, remove};
use crate::{
    ledger::{
        ApplyView, Entry, PaymentSandbox, PreparedTx, ReadView, Ter, amendment,
        helpers::{
            account_root::{flag, flags_of, reserve, xrp_liquid},
            has_expired, is_bad_asset, is_legal_net, mpt,
            token::{self, Auth, IfFrozen, IfUnauthorized},
            trust_line::{self, NewLine, Side},
        },
    },
    transactors::{
        ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure,
        flow::{Crossing, FlowError, Flowed, Request, flow},
        offer::most_of,
    },
};

/// The type.
#[derive(Debug)]
pub(in crate::transactors) struct Cash;

/// What is asked for: exactly, or at the least.
#[derive(Clone, Copy)]
struct Asked {
    amount: Amount,
    at_least: bool,
}

fn asked(tx: &PreparedTx) -> Option<Asked> {
    match (tx.object.amount(fields::AMOUNT), tx.object.amount(fields::DELIVER_MIN)) {
        (Some(amount), None) => Some(Asked { amount, at_least: false }),
        (None, Some(amount)) => Some(Asked { amount, at_least: true }),
        _ => None,
    }
}

fn send_max(check: &Entry) -> Result<Amount, EngineResult> {
    check.amount(fields::SEND_MAX).ok_or(EngineResult::TEF_BAD_LEDGER)
}

impl Transactor for Cash {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        let is_mpt = |field: Field| matches!(ctx.tx.object.amount(field), Some(Amount::Mpt { .. }));
        ctx.rules.enabled(amendment::MPTOKENS_V2)
            || !is_mpt(fields::AMOUNT) && !is_mpt(fields::DELIVER_MIN)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let Asked { amount, .. } = asked(ctx.tx).ok_or(EngineResult::TEM_MALFORMED)?;
        let possible = is_legal_net(&amount) && amount.signum() > 0;
        ensure(possible, EngineResult::TEM_BAD_AMOUNT)?;
        ensure(!is_bad_asset(amount.issue()), EngineResult::TEM_BAD_CURRENCY)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let (_, check) = named(view, tx)?;
        let to = check.account(fields::DESTINATION);
        ensure(to == Some(tx.account), EngineResult::TEC_NO_PERMISSION)?;
        let from = check.account(fields::ACCOUNT).unwrap_or_default();
        ensure(from != tx.account, EngineResult::TEC_INTERNAL)?;
        let missing = EngineResult::TEC_NO_ENTRY;
        ensure(view.account(from).is_some(), missing)?;
        let root = view.account(tx.account).ok_or(missing)?;
        let untagged = flags_of(&root) & flag::REQUIRE_DEST_TAG != 0
            && !check.contains(fields::DESTINATION_TAG);
        ensure(!untagged, EngineResult::TEC_DST_TAG_NEEDED)?;
        let expired = has_expired(view, check.u32(fields::EXPIRATION));
        ensure(!expired, EngineResult::TEC_EXPIRED)?;
        let Asked { amount, .. } = asked(tx).ok_or(EngineResult::TEM_MALFORMED)?;
        let most = send_max(&check)?;
        ensure(amount.issue() == most.issue(), EngineResult::TEM_MALFORMED)?;
        let partial = EngineResult::TEC_PATH_PARTIAL;
        ensure(!amount.is_more(&most), partial)?;
        let funds = token::account_funds(view, from, amount, IfFrozen::Zero, IfUnauthorized::Zero);
        // The check's own reserve is free once it is cashed.
        let funds = match funds {
            Amount::Xrp(drops) => {
                let increment = i64::try_from(view.info().fees.increment).unwrap_or(i64::MAX);
                Amount::Xrp(drops.saturating_add(increment))
            }
            funds => funds,
        };
        ensure(!amount.is_more(&funds), partial)?;
        may_receive(view, amount.issue(), from, tx.account)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let mut view = PaymentSandbox::new(&ctx.view);
        let (id, check) = named(&view, tx).map_err(|_| EngineResult::TEC_FAILED_PROCESSING)?;
        let from = check.account(fields::ACCOUNT).ok_or(EngineResult::TEF_BAD_LEDGER)?;
        let asked = asked(tx).ok_or(EngineResult::TEM_MALFORMED)?;
        let cash = Cashing {
            from,
            to: tx.account,
            most: send_max(&check)?,
            asked,
            prior: ctx.prior_balance,
        };
        drop(check);
        let delivered = match cash.most {
            Amount::Xrp(most) => cash.pay_xrp(&mut view, most)?,
            _ => Some(cash.pay_tokens(&mut view)?),
        };
        remove(&mut view, &id)?;
        let changes = view.into_changes();
        ctx.view.merge(changes);
        if let Some(delivered) = delivered {
            ctx.deliver(delivered);
        }
        Ok(())
    }
}

/// Whether who cashes a check may get what it is for.
fn may_receive(view: &dyn ReadView, issue: Issue, from: AccountId, to: AccountId) -> Ter {
    let Some(issuer) = token::issuer_of(issue).filter(|issuer| *issuer != to) else {
        return Ok(());
    };
    let root = view.account(issuer).ok_or(EngineResult::TEC_NO_ISSUER)?;
    match issue {
        Issue::Xrp => Ok(()),
        Issue::Issued { currency, .. } => {
            if flags_of(&root) & flag::REQUIRE_AUTH != 0 {
                let line = view.read(&object_id::trust_line(to, issuer, currency));
                let authorized =
                    line.is_some_and(|line| flags_of(&line) & Side::of(issuer, to).auth() != 0);
                ensure(authorized, EngineResult::TEC_NO_AUTH)?;
            }
            let frozen = trust_line::is_frozen(view, to, currency, issuer);
            ensure(!frozen, EngineResult::TEC_FROZEN)
        }
        Issue::Mpt(id) => {
            mpt::require_auth(view, id, to, Auth::Weak)?;
            ensure(!token::is_frozen(view, to, issue), EngineResult::TEC_LOCKED)?;
            mpt::can_transfer(view, id, from, to)
        }
    }
}

/// A check being cashed.
struct Cashing {
    from: AccountId,
    to: AccountId,
    most: Amount,
    asked: Asked,
    /// XRP of who cashes it before the fee.
    prior: i64,
}

impl Cashing {
    /// Pays a check for XRP. Returns what is to be noted as delivered.
    fn pay_xrp(
        &self,
        view: &mut PaymentSandbox<'_>,
        most: i64,
    ) -> Result<Option<Amount>, EngineResult> {
        let liquid = xrp_liquid(view, self.from, -1);
        let wanted = self.asked.amount.drops().ok_or(EngineResult::TEF_BAD_LEDGER)?;
        let drops = if self.asked.at_least { wanted.max(most.min(liquid)) } else { wanted };
        ensure(liquid >= drops, EngineResult::TEC_UNFUNDED_PAYMENT)?;
        token::transfer_xrp(view, self.from, self.to, drops)?;
        Ok(self.asked.at_least.then_some(Amount::Xrp(drops)))
    }

    /// Pays a check for a token through the engine. Returns what was delivered.
    fn pay_tokens(&self, view: &mut PaymentSandbox<'_>) -> Result<Amount, EngineResult> {
        let exception = |_| EngineResult::TEF_EXCEPTION;
        let deliver = match self.asked {
            Asked { amount, at_least: true } => most_of(amount.issue()).map_err(exception)?,
            Asked { amount, .. } => amount,
        };
        let flowed = match deliver.issue() {
            Issue::Issued { currency, issuer } => {
                let key = self.open_line(view, currency, issuer)?;
                self.with_any_limit(view, &key, issuer, |view| self.flow(view, deliver))?
            }
            Issue::Mpt(id) => {
                self.become_holder(view, id)?;
                self.flow(view, deliver)?
            }
            Issue::Xrp => return Err(EngineResult::TEF_INTERNAL),
        };
        flowed.result?;
        let enough = !self.asked.at_least || !flowed.output.is_less(&self.asked.amount);
        ensure(enough, EngineResult::TEC_PATH_PARTIAL)?;
        Ok(flowed.output)
    }

    fn flow(&self, view: &mut PaymentSandbox<'_>, deliver: Amount) -> Result<Flowed, EngineResult> {
        let request = Request {
            deliver,
            source: self.from,
            destination: self.to,
            paths: &[],
            default_path: true,
            partial: self.asked.at_least,
            owner_pays: true,
            crossing: Crossing::No,
            limit_quality: None,
            send_max: Some(self.most),
            domain: None,
        };
        flow(view, &request).map_err(|error| match error {
            FlowError::Strand(result) => result,
            FlowError::Impossible => EngineResult::TEF_EXCEPTION,
        })
    }

    fn can_own_more(&self, view: &dyn ReadView) -> Result<bool, EngineResult> {
        let root = view.account(self.to).ok_or(EngineResult::TEC_FAILED_PROCESSING)?;
        Ok(self.prior >= reserve(view, &root, 1))
    }

    /// Makes sure that there is a line for what comes.
    fn open_line(
        &self,
        view: &mut PaymentSandbox<'_>,
        currency: xrpl_protocol::Currency,
        issuer: AccountId,
    ) -> Result<Hash256, EngineResult> {
        let holder = if issuer == self.to { self.from } else { self.to };
        let key = object_id::trust_line(holder, issuer, currency);
        if !view.exists(&key) {
            let enough = self.can_own_more(view)?;
            ensure(enough, EngineResult::TEC_NO_LINE_INSUF_RESERVE)?;
            let root = view.account(self.to).ok_or(EngineResult::TEC_FAILED_PROCESSING)?;
            let ripples = flags_of(&root) & flag::DEFAULT_RIPPLE != 0;
            let flags = if ripples { 0 } else { Side::of(self.to, issuer).no_ripple() };
            trust_line::create(
                view,
                &NewLine { flags, ..NewLine::new(self.to, issuer, currency) },
            )?;
        }
        Ok(key)
    }

    /// Who cashes a check wants all of it, whatever its line's limit says.
    fn with_any_limit(
        &self,
        view: &mut PaymentSandbox<'_>,
        key: &Hash256,
        issuer: AccountId,
        work: impl FnOnce(&mut PaymentSandbox<'_>) -> Result<Flowed, EngineResult>,
    ) -> Result<Flowed, EngineResult> {
        let field = if issuer > self.to { fields::LOW_LIMIT } else { fields::HIGH_LIMIT };
        let line = view.get_mut(key).ok_or(EngineResult::TEC_NO_LINE)?;
        let limit = line.amount(field).ok_or(EngineResult::TEF_BAD_LEDGER)?;
        let Amount::Issued { currency, .. } = limit else {
            return Err(EngineResult::TEF_BAD_LEDGER);
        };
        let any = Amount::Issued { value: IssuedValue::MAX, currency, issuer };
        line.set(field, any.into());
        let done = work(view);
        // The payment may have ended the line.
        if let Some(line) = view.get_mut(key) {
            line.set(field, limit.into());
        }
        done
    }

    fn become_holder(&self, view: &mut PaymentSandbox<'_>, id: MptId) -> Ter {
        if self.to == id.issuer() || view.exists(&object_id::mptoken(id, self.to)) {
            return Ok(());
        }
        let enough = self.can_own_more(view)?;
        ensure(enough, EngineResult::TEC_INSUFFICIENT_RESERVE)?;
        mpt::create_if_missing(view, id, self.to)
    }
}
