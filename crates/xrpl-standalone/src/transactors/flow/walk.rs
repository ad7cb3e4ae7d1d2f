//! The offers of a book's best quality, one after the other: which of them are taken, and with which
//! fees.

use xrpl_protocol::{AccountId, Amount, Issue, Quality};

use super::{
    FlowError,
    asset_amount::{AssetAmount, InOut},
    book::{BookStep, Each},
    offer_stream::{OfferStream, make_holder},
    step::{Run, Step},
    taking::{Offer, Taking},
};
use crate::ledger::{
    ReadView, amendment,
    helpers::{
        PARITY,
        token::{self, Auth, IfFrozen, IfUnauthorized},
    },
};

/// A walk over the offers of one quality.
pub(super) struct Walk<'a> {
    step: &'a BookStep,
    previous: Option<&'a Step>,
    /// What the issuers take of what goes in and of what comes out, in billionths.
    rates: (u32, u32),
    /// That of the first offer.
    quality: Option<Quality>,
    /// Whether any offer was taken.
    attempted: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(step: &'a BookStep, previous: Option<&'a Step>, rates: (u32, u32)) -> Self {
        Self { step, previous, rates, quality: None, attempted: false }
    }

    /// An offer that is removed although nobody took it does not decide the quality.
    fn remove(&mut self, offers: &mut OfferStream, offer: &Offer) -> bool {
        offers.permanent.extend(offer.key());
        if !self.attempted {
            self.quality = None;
        }
        true
    }

    /// Whether to go on with the next offer.
    pub(super) fn visit(
        &mut self,
        run: &mut Run<'_, '_>,
        offers: &mut OfferStream,
        offer: &mut Offer,
        each: Each<'_>,
    ) -> Result<bool, FlowError> {
        let quality = offer.quality();
        if *self.quality.get_or_insert(quality) != quality {
            return Ok(false);
        }
        let step = self.step;
        let owner = offer.owner();
        if let Some(crossed) = step.crossed
            && crossed.default_path
            && quality >= crossed.threshold
            && step.source == owner
            && step.destination == owner
        {
            // Nobody crosses an offer of its own: the old one goes.
            return Ok(self.remove(offers, offer));
        }
        let input = step.book.input;
        if make_holder(run.view, input, owner).is_err() {
            return Ok(true);
        }
        let v2 = run.view.rules().enabled(amendment::MPTOKENS_V2);
        let view: &dyn ReadView = if v2 { &*run.view } else { &*run.before };
        let authorized = token::require_auth(view, input, owner, Auth::Legacy).is_ok();
        if !authorized || !step.may_trade(&*run.view, self.previous, owner) {
            return Ok(self.remove(offers, offer));
        }
        if let Some(crossed) = step.crossed
            && crossed.default_path
            && quality < crossed.threshold
        {
            return Ok(false);
        }
        let taking = self.taking(run, offers, offer)?;
        self.attempted = true;
        each(run, offer, taking)
    }

    /// What the issuers take of this offer.
    fn rates(&self, owner: AccountId) -> (u32, u32) {
        let (rate_in, rate_out) = self.rates;
        if self.step.crossed.is_none() {
            return (rate_in, rate_out);
        }
        // Who crosses what it made itself pays nobody.
        let own_in = self.previous.and_then(Step::sender) == Some(owner);
        let after_book = self.previous.and_then(Step::book).is_some();
        let own_out = after_book && owner == self.step.destination;
        (if own_in { PARITY } else { rate_in }, if own_out { PARITY } else { rate_out })
    }

    /// All of the offer, as far as its owner has funds.
    fn taking(
        &self,
        run: &Run<'_, '_>,
        offers: &OfferStream,
        offer: &Offer,
    ) -> Result<Taking, FlowError> {
        let (rate_in, rate_out) = self.rates(offer.owner());
        let (rate_in, rate_out) = offer.rates(rate_in, rate_out);
        let all = offer.left();
        let mut taking = Taking {
            offer: all,
            step: InOut { input: all.input.mul_ratio(rate_in, PARITY, true)?, output: all.output },
            owner_gives: all.output.mul_ratio(rate_out, PARITY, false)?,
            rate_in,
            rate_out,
        };
        if !offer.is_self_funded() && offers.funds < taking.owner_gives {
            taking.owner_gives = offers.funds;
            let output = offers.funds.mul_ratio(PARITY, rate_out, false)?;
            // Rounded down, so that what is left is as good as its directory says.
            taking.offer =
                offer.limit_output(run.view.arithmetic_rules(), taking.offer, output, false)?;
            let input = taking.offer.input.mul_ratio(rate_in, PARITY, true)?;
            taking.step = InOut { input, output };
        }
        // An issuer that pays with its own MPT cannot issue more than the maximum.
        if let (Issue::Mpt(id), None) = (self.step.book.input, self.previous)
            && offer.owner() != id.issuer()
        {
            let nothing = Amount::Mpt { value: 0, id };
            let (frozen, any) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
            let available = token::account_funds(&*run.view, id.issuer(), nothing, frozen, any);
            taking.limit_input(offer, AssetAmount::of(&available), run.view.arithmetic_rules())?;
        }
        Ok(taking)
    }
}
