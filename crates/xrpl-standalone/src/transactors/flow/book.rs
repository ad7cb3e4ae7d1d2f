//! A step through an order book: its best offers are taken.

use std::rc::Rc;

use xrpl_protocol::{AccountId, EngineResult, Issue, Quality, object_id};

use super::{
    Crossing, FlowError,
    amm::{AmmOffer, AmmPool},
    asset_amount::{AssetAmount, InOut, Sum},
    offer_stream::{MOST_OFFERS, OfferStream},
    quality_function::QualityFunction,
    step::{Debt, Pass, Place, Run, Seen, Step, issuer, quality_of_rates},
    taking::{Offer, Taking},
    walk::Walk,
};
use crate::ledger::{
    ReadView, Ter, amendment,
    helpers::{PARITY, account_root::flags_of, book::Book, mpt, token, trust_line::Side},
};

/// The offer that is being crossed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crossed {
    pub(super) default_path: bool,
    /// Offers worse than this are not crossed.
    pub(super) threshold: Quality,
}

#[derive(Debug)]
pub(super) struct BookStep {
    pub(super) book: Book,
    /// The strand's ends and what it delivers.
    pub(super) source: AccountId,
    pub(super) destination: AccountId,
    pub(super) deliver: Issue,
    owner_pays: bool,
    pub(super) crossed: Option<Crossed>,
    pool: Option<Rc<AmmPool>>,
    pub(super) inactive: bool,
    pub(super) offers_used: u32,
    cache: Option<InOut>,
}

/// What is best in a book.
enum Tip {
    Nothing,
    /// An offer of this quality.
    Book(Quality),
    /// The pool.
    Pool(AmmOffer),
}

/// What a pass does with each offer; false ends it.
pub(super) type Each<'a> =
    &'a mut dyn FnMut(&mut Run<'_, '_>, &mut Offer, Taking) -> Result<bool, FlowError>;

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
            pool: AmmPool::find(strand.view, strand.amm, input, output),
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

    /// The quality by which a pool's offer is measured against the book's best. One alone that is
    /// worse than an offer that is being crossed must not keep a pool from giving all that it can.
    fn threshold(&self, best: Quality) -> Option<Quality> {
        let alone = self.pool.as_ref().is_some_and(|pool| !pool.has_several_strands());
        let hinders = |crossed: Crossed| alone && crossed.threshold > best;
        if self.crossed.is_some_and(hinders) { None } else { Some(best) }
    }

    /// The pool's offer, if there is one that is better than `best`. Pools are no part of permissioned
    /// books.
    fn pool_offer(
        &self,
        view: &dyn ReadView,
        best: Option<Quality>,
    ) -> Result<Option<AmmOffer>, FlowError> {
        let closed =
            self.book.domain.is_some() && view.rules().enabled(amendment::FIX_CLEANUP_3_3_0);
        match &self.pool {
            Some(pool) if !closed => Ok(pool.offer(view, best)?),
            _ => Ok(None),
        }
    }

    /// The best that can be had at all: the pool's offer, or the quality of the book's best.
    fn tip(&self, view: &dyn ReadView) -> Result<Tip, FlowError> {
        let best = self.book.first(view, Quality(0)).map(|first| first.quality);
        let since = view.rules().enabled(amendment::FIX_AMM_V1_1);
        let threshold = best.filter(|_| since).and_then(|best| self.threshold(best));
        let offer = self.pool_offer(view, threshold)?;
        let offer = offer.filter(|offer| best.is_none_or(|best| offer.quality > best));
        Ok(match (offer, best) {
            (Some(offer), _) => Tip::Pool(offer),
            (None, Some(best)) => Tip::Book(best),
            (None, None) => Tip::Nothing,
        })
    }

    /// A quality with the fees of issuers, no worse than it can turn out.
    fn with_fees(
        &self,
        view: &dyn ReadView,
        quality: Quality,
        previous: Debt,
        of_pool: bool,
    ) -> Result<Quality, FlowError> {
        // Whether a fee is taken of an offer that is crossed depends on its owner; what a pool gives
        // depends on how much is left to put in.
        let alone = self.pool.as_ref().is_some_and(|pool| !pool.has_several_strands());
        let exact = view.rules().enabled(amendment::FIX_AMM_V1_1) && of_pool && alone;
        if self.crossed.is_some() && !exact {
            return Ok(quality);
        }
        let free = of_pool || self.crossed.is_some();
        let rate_out = if free { PARITY } else { self.rate_out(view) };
        Ok(quality_of_rates(self.rate_in(view, previous), rate_out).then(quality)?)
    }

    pub(super) fn quality_upper_bound(
        &self,
        view: &dyn ReadView,
        previous_debt: Debt,
    ) -> Result<(Option<Quality>, Debt), FlowError> {
        let (quality, of_pool) = match self.tip(view)? {
            Tip::Nothing => return Ok((None, self.debt())),
            Tip::Book(quality) => (quality, false),
            Tip::Pool(offer) => (offer.quality, true),
        };
        Ok((Some(self.with_fees(view, quality, previous_debt, of_pool)?), self.debt()))
    }

    /// How the quality depends on what comes out; none if nothing can.
    pub(super) fn quality_function(
        &self,
        view: &dyn ReadView,
        previous_debt: Debt,
    ) -> Result<(Option<QualityFunction>, Debt), FlowError> {
        let with_fees = |quality, of_pool| self.with_fees(view, quality, previous_debt, of_pool);
        let function = match self.tip(view)? {
            Tip::Nothing => return Ok((None, self.debt())),
            Tip::Book(quality) => QualityFunction::constant(with_fees(quality, false)?)?,
            Tip::Pool(offer) => {
                let function = offer.quality_function()?;
                match function.quality() {
                    Some(quality) => QualityFunction::constant(with_fees(quality, false)?)?,
                    None => match with_fees(Quality::ONE, true)? {
                        Quality::ONE => function,
                        fees => QualityFunction::constant(fees)?.then(&function),
                    },
                }
            }
        };
        Ok((Some(function), self.debt()))
    }

    /// Gives each offer of the best quality to `each`, and the pool's before.
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
        let mut walk = Walk::new(self, previous, rates);
        let mut next = offers.next(run)?;
        let best = next.as_ref().map(|offer| offer.quality);
        let mut goes_on = match self.pool_for_round(&*run.view, best)? {
            Some(pool) => walk.visit(run, &mut offers, &mut Offer::Pool(pool), each)?,
            None => true,
        };
        while let Some(offer) = next.take().filter(|_| goes_on) {
            goes_on = walk.visit(run, &mut offers, &mut Offer::Book(offer), each)?;
            if goes_on {
                next = offers.next(run)?;
            }
        }
        self.offers_used = offers.count;
        run.removable.append(&mut offers.permanent);
        if self.offers_used >= MOST_OFFERS {
            self.inactive = true;
        }
        Ok(())
    }

    fn pool_for_round(
        &self,
        view: &dyn ReadView,
        best: Option<Quality>,
    ) -> Result<Option<AmmOffer>, FlowError> {
        if self.book.domain.is_some() {
            return Ok(None);
        }
        let since = view.rules().enabled(amendment::FIX_AMM_V1_1);
        let threshold = if since { best.and_then(|best| self.threshold(best)) } else { best };
        self.pool_offer(view, threshold)
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
                taking.consume(run, &book, offer)?;
                // Even if that is all, the offer is used up and must go.
                return Ok(true);
            }
            taking.limit_output(offer, left, run.view.arithmetic_rules())?;
            left = left.zero();
            inputs.insert(taking.step.input);
            done = InOut { input: inputs.total()?, output };
            taking.consume(run, &book, offer)?;
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
                taking.limit_input(offer, left, run.view.arithmetic_rules())?;
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
                again.limit_output(offer, rest, run.view.arithmetic_rules())?;
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
            taking.consume(run, &book, offer)?;
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
    pub(super) fn may_trade(
        &self,
        view: &dyn ReadView,
        previous: Option<&Step>,
        owner: AccountId,
    ) -> bool {
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
