//! Crossing a new offer with those in the books.

use xrpl_protocol::{
    AccountId, Amount, Currency, EngineResult, Issue, IssuedValue, Quality, Rate, fields,
    issued_value::{MAX_EXPONENT, MAX_MANTISSA, ValueError},
    object::PathStep,
    quality::Amounts,
};

use super::{create::is_own_mpt, flag};
use crate::{
    ledger::{
        ApplyView, PaymentSandbox, PreparedTx, ReadView, Sandbox,
        helpers::{
            offer,
            token::{self, IfFrozen, IfUnauthorized},
        },
    },
    transactors::flow::{Crossing, FlowError, Flowed, Request, flow},
};

/// The most of XRP that the engine can be asked for, in drops: more than there is.
const MOST_DROPS: i64 = 9_000_000_000_000_000_000;

/// A new offer as who takes others: it gives `input` for `output`.
pub(super) struct Cross<'a> {
    pub(super) tx: &'a PreparedTx,
    pub(super) taker: Amounts,
}

impl Cross<'_> {
    /// Crosses it. Returns what is left of it: all, if nothing was crossed, or nothing.
    ///
    /// # Errors
    /// `tecUNFUNDED_OFFER`, `tecINTERNAL` where numbers are too large to be computed with.
    pub(super) fn run(
        &self,
        view: &mut Sandbox<'_>,
        removals: &mut Sandbox<'_>,
    ) -> Result<Amounts, EngineResult> {
        let mut work = PaymentSandbox::new(&*view);
        let mut cancel = PaymentSandbox::new(&*removals);
        let rest = match self.cross(&mut work, &mut cancel) {
            Err(FlowError::Strand(result)) => Err(result),
            Err(FlowError::Impossible) => Err(EngineResult::TEC_INTERNAL),
            Ok(rest) => Ok(rest),
        };
        let (work, cancel) = (work.into_changes(), cancel.into_changes());
        view.merge(work);
        removals.merge(cancel);
        rest
    }

    fn account(&self) -> AccountId {
        self.tx.account
    }

    fn funds(&self, view: &dyn ReadView) -> Amount {
        let (frozen, unauthorized) = (IfFrozen::Zero, IfUnauthorized::Zero);
        token::account_funds(view, self.account(), self.taker.input, frozen, unauthorized)
    }

    /// What the issuer of what is given takes on top.
    fn rate(&self, view: &dyn ReadView) -> Rate {
        match token::issuer_of(self.taker.input.issue()) {
            Some(issuer) if issuer != self.account() => {
                token::transfer_rate(view, self.taker.input.issue())
            }
            _ => Rate::PARITY,
        }
    }

    fn cross(
        &self,
        view: &mut PaymentSandbox<'_>,
        cancel: &mut PaymentSandbox<'_>,
    ) -> Result<Amounts, FlowError> {
        let (tx, taker) = (self.tx, self.taker);
        let needs_funds = !is_own_mpt(&taker.input, self.account());
        let funds = self.funds(&*view);
        // Paying the fee may have taken the last of it.
        if needs_funds && funds.signum() <= 0 {
            return Err(FlowError::Strand(EngineResult::TEC_UNFUNDED_OFFER));
        }
        let rate = self.rate(&*view);
        let most = rate.multiply_round(&taker.input, taker.input.issue(), true)?;
        let mut threshold = Quality::of(&most, &taker.output);
        if tx.has_flag(flag::PASSIVE) {
            threshold = threshold.better();
        }
        // Tokens are also exchanged by way of XRP.
        let xrp =
            PathStep { account: None, currency: Some(Currency::XRP), issuer: None, mpt: None };
        let has_xrp = [taker.input, taker.output].iter().any(|side| side.issue() == Issue::Xrp);
        let paths = if has_xrp { vec![] } else { vec![vec![xrp]] };
        let sells = tx.has_flag(flag::SELL);
        let request = Request {
            deliver: if sells { most_of(taker.output.issue())? } else { taker.output },
            source: self.account(),
            destination: self.account(),
            paths: &paths,
            default_path: true,
            partial: !tx.has_flag(flag::FILL_OR_KILL),
            owner_pays: true,
            crossing: if sells { Crossing::Sell } else { Crossing::Buy },
            limit_quality: Some(threshold),
            send_max: Some(most.smaller(funds)),
            domain: tx.object.hash256(fields::DOMAIN_ID),
        };
        let flowed = flow(view, &request)?;
        for bad in &flowed.removable {
            // An offer that cannot be deleted stays.
            let _ = offer::delete(view, bad);
            let _ = offer::delete(cancel, bad);
        }
        if flowed.result.is_err() {
            return Ok(taker);
        }
        let spent = needs_funds && self.funds(&*view).signum() <= 0;
        Ok(self.rest(&flowed, rate, spent)?)
    }

    /// What is left of the offer, at its own rate.
    fn rest(&self, flowed: &Flowed, rate: Rate, spent: bool) -> Result<Amounts, ValueError> {
        let Amounts { input, output } = self.taker;
        let not_negative = |amount: Amount| match amount.signum() {
            -1 => Amount::zero(amount.issue()),
            _ => amount,
        };
        if spent {
            let nothing = |amount: Amount| Amount::zero(amount.issue());
            return Ok(Amounts { input: nothing(input), output: nothing(output) });
        }
        let price = Quality::of(&input, &output).rate();
        if self.tx.has_flag(flag::SELL) {
            // What the issuer took was not sold.
            let sold = rate.divide_round(&flowed.input, input.issue(), true)?;
            let input = not_negative(input.checked_sub(&sold)?);
            let output = input.divide_strict(&price, output.issue(), false)?;
            return Ok(Amounts { input, output });
        }
        let output = not_negative(output.checked_sub(&flowed.output)?);
        let input = output.multiply_round(&price, input.issue(), true)?;
        Ok(Amounts { input, output })
    }
}

/// As much as the engine can be asked for: an offer to sell takes all it can get. Half of the most
/// leaves room for transfer fees.
pub(in crate::transactors) fn most_of(issue: Issue) -> Result<Amount, ValueError> {
    Ok(match issue {
        Issue::Xrp => Amount::Xrp(MOST_DROPS),
        Issue::Mpt(id) => Amount::Mpt { value: i64::MAX / 2, id },
        Issue::Issued { currency, issuer } => {
            let value = IssuedValue::new(MAX_MANTISSA / 2, MAX_EXPONENT)?;
            Amount::Issued { value, currency, issuer }
        }
    })
}
