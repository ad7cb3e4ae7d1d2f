//! Tokens leave an escrow.

use xrpl_protocol::{AccountId, Amount, Currency, EngineResult, Issue, MptId, Rate, object_id};

use crate::{
    ledger::{
        ApplyView, ReadView, Ter, amendment,
        helpers::{
            account_root::{adjust_owner_count, flag, flags_of, reserve},
            mpt, token,
            trust_line::{self, NewLine, Side, balance, value_of},
        },
    },
    transactors::ensure,
};

/// What of a token goes to whom, and on which terms.
pub(super) struct Unlock {
    pub(super) amount: Amount,
    /// What the issuer took for transfers when the escrow was made.
    pub(super) locked_rate: Rate,
    pub(super) from: AccountId,
    pub(super) to: AccountId,
    /// XRP of the transaction's sender before the fee, in drops.
    pub(super) prior_balance: i64,
    /// Whether the receiver may get a line or an MPToken for it.
    pub(super) may_create: bool,
}

impl Unlock {
    /// Whether the receiver is to get a line or an MPToken.
    pub(super) fn must_create(&self, view: &dyn ReadView) -> bool {
        let there = match self.amount.issue() {
            Issue::Xrp => true,
            Issue::Issued { currency, issuer } => {
                issuer == self.to || view.exists(&object_id::trust_line(self.to, issuer, currency))
            }
            Issue::Mpt(id) => {
                id.issuer() == self.to || view.exists(&object_id::mptoken(id, self.to))
            }
        };
        self.may_create && !there
    }

    /// Pays it out.
    pub(super) fn apply(&self, view: &mut dyn ApplyView) -> Ter {
        match self.amount {
            Amount::Xrp(_) => Err(EngineResult::TEC_INTERNAL),
            Amount::Issued { currency, issuer, .. } => self.issued(view, currency, issuer),
            Amount::Mpt { id, .. } => self.mpt(view, id),
        }
    }

    fn issued(&self, view: &mut dyn ApplyView, currency: Currency, issuer: AccountId) -> Ter {
        ensure(self.from != issuer, EngineResult::TEC_INTERNAL)?;
        if self.to == issuer {
            // It went back to its issuer when it was locked.
            return Ok(());
        }
        if self.must_create(view) {
            self.create_line(view, currency, issuer)?;
        }
        let line = view.read(&object_id::trust_line(self.to, issuer, currency));
        let line = line.ok_or(EngineResult::TEC_NO_LINE)?;
        let net = self.net(view, issuer)?.value().ok_or(EngineResult::TEC_INTERNAL)?;
        if !self.may_create {
            let side = Side::of(self.to, issuer);
            let after = balance(&line, side).add(net).map_err(|_| EngineResult::TEF_EXCEPTION)?;
            let limit = value_of(&line, side.limit());
            ensure(limit >= after, EngineResult::TEC_LIMIT_EXCEEDED)?;
        }
        drop(line);
        trust_line::credit(view, issuer, self.to, currency, net)
    }

    fn create_line(&self, view: &mut dyn ApplyView, currency: Currency, issuer: AccountId) -> Ter {
        let root = view.account(self.to).ok_or(EngineResult::TEF_INTERNAL)?;
        let enough = self.prior_balance >= reserve(view, &root, 1);
        ensure(enough, EngineResult::TEC_NO_LINE_INSUF_RESERVE)?;
        let ripples = flags_of(&root) & flag::DEFAULT_RIPPLE != 0;
        drop(root);
        let flags = if ripples { 0 } else { Side::of(self.to, issuer).no_ripple() };
        trust_line::create(view, &NewLine { flags, ..NewLine::new(self.to, issuer, currency) })
    }

    fn mpt(&self, view: &mut dyn ApplyView, id: MptId) -> Ter {
        if self.must_create(view) {
            let root = view.account(self.to).ok_or(EngineResult::TEF_INTERNAL)?;
            let enough = self.prior_balance >= reserve(view, &root, 1);
            ensure(enough, EngineResult::TEC_INSUFFICIENT_RESERVE)?;
            drop(root);
            mpt::create(view, id, self.to, 0)?;
            adjust_owner_count(view, self.to, 1)?;
        }
        let can_hold = self.to == id.issuer() || view.exists(&object_id::mptoken(id, self.to));
        ensure(can_hold, EngineResult::TEC_NO_PERMISSION)?;
        let value = |amount: &Amount| match *amount {
            Amount::Mpt { value, .. } => Ok(value),
            _ => Err(EngineResult::TEC_INTERNAL),
        };
        let net = value(&self.net(view, id.issuer())?)?;
        let exact = view.rules().enabled(amendment::FIX_TOKEN_ESCROW_V1);
        let gross = if exact { value(&self.amount)? } else { net };
        mpt::unlock_escrow(view, self.from, self.to, id, net, gross)
    }

    /// What arrives. Unlike in payments the issuer's fee comes out of what is sent; the rate is that
    /// of the day on which it was locked, or today's if that is lower.
    fn net(&self, view: &dyn ReadView, issuer: AccountId) -> Result<Amount, EngineResult> {
        let rate = token::transfer_rate(view, self.amount.issue()).min(self.locked_rate);
        if rate.is_parity() || issuer == self.from || issuer == self.to {
            return Ok(self.amount);
        }
        let net = || {
            let rest = rate.divide_round(&self.amount, self.amount.issue(), true)?;
            let fee = self.amount.checked_sub(&rest)?;
            self.amount.checked_sub(&fee)
        };
        net().map_err(|_| EngineResult::TEF_EXCEPTION)
    }
}
