//! A step through an order book: its best offers are taken.

use xrpl_protocol::{AccountId, Amount, EngineResult, Issue, Quality, object_id};

use super::{
    Crossing, FlowError,
    asset_amount::{AssetAmount, InOut, Sum},
    offer_stream::{BookOffer, MOST_OFFERS, OfferStream, make_holder},
    step::{Debt, Pass, Place, Run, Seen, Step, issuer, quality_of_rates},
};
use crate::ledger::{
    ReadView, Ter, amendment,
    helpers::{
        PARITY,
        account_root::flags_of,
        book::Book,
        mpt,
        token::{self, Auth, IfFrozen, IfUnauthorized, TransferFee},
        trust_line::Side,
    },
};

/// The offer that is being crossed.
#[derive(Clone, Copy, Debug)]
struct Crossed {
    default_path: bool,
    /// Offers worse than this are not crossed.
    threshold: Quality,
}

#[derive(Debug)]
pub(super) struct BookStep {
    pub(super) book: Book,
    /// The strand's ends and what it delivers.
    source: AccountId,
    destination: AccountId,
    deliver: Issue,
    owner_pays: bool,
    crossed: Option<Crossed>,
    pub(super) inactive: bool,
    pub(super) offers_used: u32,
    cache: Option<InOut>,
}

/// What is about to be taken of an offer.
#[derive(Clone, Copy, Debug)]
struct Taking {
    /// Of the offer itself.
    offer: InOut,
    /// What the step puts in, with the transfer fee, and gets out.
    step: InOut,
    /// What the owner gives, with the transfer fee if it pays that.
    owner_gives: AssetAmount,
    rate_in: u32,
    rate_out: u32,
}

impl Taking {
    /// No more than `limit` goes in. Rounded down, so that what is left of the offer is as good as
    /// its directory says.
    fn limit_input(
        &mut self,
        offer: &BookOffer,
        limit: AssetAmount,
        strict: bool,
    ) -> Result<(), FlowError> {
        if limit < self.step.input {
            let input = limit.mul_ratio(PARITY, self.rate_in, false)?;
            self.offer = self.offer.limit_input(offer.quality, input, false, strict)?;
            self.step = InOut { input: limit, output: self.offer.output };
            self.owner_gives = self.offer.output.mul_ratio(self.rate_out, PARITY, false)?;
        }
        Ok(())
    }

    /// No more than `limit` comes out.
    fn limit_output(&mut self, offer: &BookOffer, limit: AssetAmount) -> Result<(), FlowError> {
        if limit < self.step.output {
            self.owner_gives = limit.mul_ratio(self.rate_out, PARITY, false)?;
            self.offer = self.offer.limit_output(offer.quality, limit, true)?;
            let input = self.offer.input.mul_ratio(self.rate_in, PARITY, true)?;
            self.step = InOut { input, output: limit };
        }
        Ok(())
    }
}

/// What a pass does with each offer; false ends it.
type Each<'a> =
    &'a mut dyn FnMut(&mut Run<'_, '_>, &mut BookOffer, Taking) -> Result<bool, FlowError>;

impl BookStep {
    /// # Errors
    /// `tefINTERNAL` if an offer is crossed without a quality.
    pub(super) fn new(place: Place<'_>, input: Issue, output: Issue) -> Result<Self, EngineResult> {
        let strand = place.strand;
        let crossed = match strand.crossing {
            Crossing::No => None,
            Crossing::Buy | Crossing::Sell => Some(Crossed {
                default_path: strand.default_path,
                threshold: strand.limit_quality.ok_or(EngineResult::TEF_INTERNAL)?,
            }),
        };
        Ok(Self {
            book: Book { input, output, domain: strand.domain },
            source: strand.source,
            destination: strand.destination,
            deliver: strand.deliver,
            owner_pays: strand.owner_pays,
            crossed,
            inactive: false,
            offers_used: 0,
            cache: None,
        })
    }

    pub(super) fn moved(&self) -> Option<InOut> {
        self.cache
    }

    pub(super) fn debt(&self) -> Debt {
        if self.owner_pays { Debt::Issues } else { Debt::Redeems }
    }

    /// What the issuer takes, in billionths.
    fn rate(&self, view: &dyn ReadView, issue: Issue) -> u32 {
        let free = match issue {
            Issue::Xrp => true,
            Issue::Issued { issuer, .. } => issuer == self.destination,
            Issue::Mpt(id) => issue == self.deliver && id.issuer() == self.destination,
        };
        if free { PARITY } else { token::transfer_rate(view, issue).0 }
    }

    fn rate_in(&self, view: &dyn ReadView, previous: Debt) -> u32 {
        match previous {
            Debt::Redeems => self.rate(view, self.book.input),
            Debt::Issues => PARITY,
        }
    }

    fn rate_out(&self, view: &dyn ReadView) -> u32 {
        if self.owner_pays { self.rate(view, self.book.output) } else { PARITY }
    }

    pub(super) fn quality_upper_bound(
        &self,
        view: &dyn ReadView,
        previous_debt: Debt,
    ) -> Result<(Option<Quality>, Debt), FlowError> {
        let Some(first) = self.book.first(view, Quality(0)) else {
            return Ok((None, self.debt()));
        };
        // Whether a fee is taken of an offer that is crossed depends on its owner: without one it is
        // an upper bound in any case.
        if self.crossed.is_some() {
            return Ok((Some(first.quality), self.debt()));
        }
        let fees = quality_of_rates(self.rate_in(view, previous_debt), self.rate_out(view));
        Ok((Some(fees.then(first.quality)?), self.debt()))
    }

    /// Gives each offer of the best quality to `each`.
    fn for_each_offer(
        &mut self,
        previous: Option<&Step>,
        run: &mut Run<'_, '_>,
        pass: Pass,
        each: Each<'_>,
    ) -> Result<(), FlowError> {
        let before = previous.map_or(Debt::Issues, |previous| previous.debt(&*run.view, pass));
        let rates = (self.rate_in(&*run.view, before), self.rate_out(&*run.view));
        let mut offers = OfferStream::new(self.book);
        let mut walk = Walk { step: self, previous, rates, quality: None, attempted: false };
        while let Some(mut offer) = offers.next(run)? {
            if !walk.visit(run, &mut offers, &mut offer, each)? {
                break;
            }
        }
        self.offers_used = offers.count;
        run.removable.append(&mut offers.permanent);
        if self.offers_used >= MOST_OFFERS {
            self.inactive = true;
        }
        Ok(())
    }

    pub(super) fn reverse(
        &mut self,
        previous: Option<&Step>,
        run: &mut Run<'_, '_>,
        output: AssetAmount,
    ) -> Result<InOut, FlowError> {
        self.cache = None;
        let mut done = InOut::zero_of(self.book.input, self.book.output);
        let (mut inputs, mut outputs) = (Sum::new(done.input), Sum::new(done.output));
        let mut left = output;
        let book = self.book;
        self.for_each_offer(previous, run, Pass::Reverse, &mut |run, offer, mut taking| {
            if left.signum() <= 0 {
                return Ok(false);
            }
            if taking.step.output <= left {
                inputs.insert(taking.step.input);
                outputs.insert(taking.step.output);
                done = InOut { input: inputs.total()?, output: outputs.total()? };
                left = output.minus(done.output)?;
                consume(run, &book, offer, &taking)?;
                // Even if that is all, the offer is used up and must go.
                return Ok(true);
            }
            taking.limit_output(offer, left)?;
            left = left.zero();
            inputs.insert(taking.step.input);
            done = InOut { input: inputs.total()?, output };
            consume(run, &book, offer, &taking)?;
            // What is left of it may be lost to rounding.
            Ok(offer.is_used_up())
        })?;
        match left.signum() {
            // Digits were lost; it is all there.
            0 => done.output = output,
            n if n < 0 => done = InOut::zero_of(book.input, book.output),
            _ => {}
        }
        self.cache = Some(done);
        Ok(done)
    }

    pub(super) fn forward(
        &mut self,
        previous: Option<&Step>,
        run: &mut Run<'_, '_>,
        input: AssetAmount,
    ) -> Result<InOut, FlowError> {
        let cache = self.cache.ok_or(FlowError::Impossible)?;
        let mut done = InOut::zero_of(self.book.input, self.book.output);
        let (mut inputs, mut outputs) = (Sum::new(done.input), Sum::new(done.output));
        let mut left = input;
        let book = self.book;
        self.for_each_offer(previous, run, Pass::Forward, &mut |run, offer, whole| {
            if left.signum() <= 0 {
                return Ok(false);
            }
            let mut taking = whole;
            let all = whole.step.input <= left;
            if all {
                inputs.insert(taking.step.input);
                outputs.insert(taking.step.output);
                done = InOut { input: inputs.total()?, output: outputs.total()? };
            } else {
                taking.limit_input(offer, left, is_strict(run.view))?;
                inputs.insert(left);
                outputs.insert(taking.step.output);
                done = InOut { input, output: outputs.total()? };
            }
            if done.output > cache.output && done.input <= cache.input {
                // More came out than in reverse, for no more. If what came out in reverse needs as
                // much to go in as there is, then that comes out now.
                outputs.remove(taking.step.output);
                let mut again = whole;
                let rest = cache.output.minus(outputs.total()?)?;
                again.limit_output(offer, rest)?;
                if again.step.input == left {
                    done = InOut { input, output: cache.output };
                    inputs.replace(done.input);
                    outputs.replace(done.output);
                    taking = again;
                    taking.step = InOut { input: left, output: rest };
                } else {
                    outputs.insert(taking.step.output);
                }
            }
            left = input.minus(done.input)?;
            consume(run, &book, offer, &taking)?;
            Ok(all || offer.is_used_up())
        })?;
        match left.signum() {
            0 => done.input = input,
            n if n < 0 => done = InOut::zero_of(book.input, book.output),
            _ => {}
        }
        self.cache = Some(done);
        Ok(done)
    }

    pub(super) fn check(&self, place: Place<'_>, seen: &mut Seen) -> Ter {
        let Book { input, output, .. } = self.book;
        let view = place.strand.view;
        let consistent = |issue| match issue {
            Issue::Issued { currency, issuer } => !currency.is_xrp() && issuer != AccountId::ZERO,
            _ => true,
        };
        if input == output || !consistent(input) || !consistent(output) {
            return Err(EngineResult::TEM_BAD_PATH);
        }
        // Offers of one step must not take the funds of another's.
        if !seen.books.insert(output)
            || seen.sources.contains(&output)
            || seen.destinations.contains(&output)
        {
            return Err(EngineResult::TEM_BAD_PATH_LOOP);
        }
        let there = |issue| issue == Issue::Xrp || view.account(issuer(issue)).is_some();
        if !there(input) || !there(output) {
            return Err(EngineResult::TEC_NO_ISSUER);
        }
        if let Some(sender) = place.previous.and_then(Step::sender)
            && let Issue::Issued { currency, issuer } = input
        {
            let line = view.read(&object_id::trust_line(sender, issuer, currency));
            let line = line.ok_or(EngineResult::TER_NO_LINE)?;
            if flags_of(&line) & Side::of(issuer, sender).no_ripple() != 0 {
                return Err(EngineResult::TER_NO_RIPPLE);
            }
        }
        mpt::can_trade(view, input)?;
        mpt::can_trade(view, output)
    }

    /// Whether an owner may trade what MPTs the book has.
    fn may_trade(&self, view: &dyn ReadView, previous: Option<&Step>, owner: AccountId) -> bool {
        let Book { input, output, .. } = self.book;
        if mpt::can_trade(view, input).is_err() || mpt::can_trade(view, output).is_err() {
            return false;
        }
        if let (Issue::Mpt(id), Some(previous)) = (input, previous)
            && id.issuer() != owner
        {
            let from_holder = previous.book().is_none();
            if token::is_frozen(view, owner, input)
                || from_holder && mpt::can_transfer(view, id, owner, owner).is_err()
            {
                return false;
            }
        }
        match output {
            Issue::Mpt(id) => {
                let issuer = id.issuer();
                output == self.deliver && self.destination == issuer
                    || owner == issuer
                    || mpt::can_transfer(view, id, owner, owner).is_ok()
            }
            _ => true,
        }
    }
}

fn is_strict(view: &dyn ReadView) -> bool {
    view.rules().enabled(amendment::FIX_REDUCED_OFFERS_V2)
}

/// A walk over the offers of one quality.
struct Walk<'a> {
    step: &'a BookStep,
    previous: Option<&'a Step>,
    /// What the issuers take of what goes in and of what comes out, in billionths.
    rates: (u32, u32),
    /// That of the first offer.
    quality: Option<Quality>,
    /// Whether any offer was taken.
    attempted: bool,
}

impl Walk<'_> {
    /// An offer that is removed although nobody took it does not decide the quality.
    fn remove(&mut self, offers: &mut OfferStream, offer: &BookOffer) -> bool {
        offers.permanent.insert(offer.key);
        if !self.attempted {
            self.quality = None;
        }
        true
    }

    /// Whether to go on with the next offer.
    fn visit(
        &mut self,
        run: &mut Run<'_, '_>,
        offers: &mut OfferStream,
        offer: &mut BookOffer,
        each: Each<'_>,
    ) -> Result<bool, FlowError> {
        if *self.quality.get_or_insert(offer.quality) != offer.quality {
            return Ok(false);
        }
        let step = self.step;
        let owner = offer.owner;
        if let Some(crossed) = step.crossed
            && crossed.default_path
            && offer.quality >= crossed.threshold
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
            && offer.quality < crossed.threshold
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
        offer: &BookOffer,
    ) -> Result<Taking, FlowError> {
        let (rate_in, rate_out) = self.rates(offer.owner);
        let all = offer.left;
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
            taking.offer = taking.offer.limit_output(offer.quality, output, false)?;
            let input = taking.offer.input.mul_ratio(rate_in, PARITY, true)?;
            taking.step = InOut { input, output };
        }
        // An issuer that pays with its own MPT cannot issue more than the maximum.
        if let (Issue::Mpt(id), None) = (self.step.book.input, self.previous)
            && offer.owner != id.issuer()
        {
            let nothing = Amount::Mpt { value: 0, id };
            let (frozen, any) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
            let available = token::account_funds(&*run.view, id.issuer(), nothing, frozen, any);
            taking.limit_input(offer, AssetAmount::of(&available), is_strict(run.view))?;
        }
        Ok(taking)
    }
}

/// Moves what is taken of an offer: its owner gets what goes in and gives what comes out. The rest is
/// the issuers' fee.
fn consume(
    run: &mut Run<'_, '_>,
    book: &Book,
    offer: &mut BookOffer,
    taking: &Taking,
) -> Result<(), FlowError> {
    let rules = run.view.rules();
    let exceeds = taking.offer.input > offer.left.input || taking.offer.output > offer.left.output;
    if exceeds
        && rules.enabled(amendment::FIX_AMM_V1_3)
        && rules.enabled(amendment::FIX_AMM_OVERFLOW_OFFER)
    {
        return Err(FlowError::Strand(EngineResult::TEC_INVARIANT_FAILED));
    }
    let owner = offer.owner;
    let mut send = |from, to, amount| {
        let (fee, overflow) = (TransferFee::Charge, mpt::Overflow::Allow);
        token::send(run.view, from, to, amount, fee, overflow).map_err(FlowError::moving)
    };
    send(issuer(book.input), owner, taking.offer.input.amount(book.input))?;
    send(owner, issuer(book.output), taking.owner_gives.amount(book.output))?;
    if let Issue::Mpt(id) = book.output
        && id.issuer() == owner
    {
        let sold = taking.offer.output.units()?.unsigned_abs();
        mpt::note_issuer_self_debit(run.view, id, sold).map_err(FlowError::moving)?;
    }
    offer.consume(run.view, taking.offer)
}
