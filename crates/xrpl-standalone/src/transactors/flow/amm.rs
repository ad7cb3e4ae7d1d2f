//! Pools of AMMs among the offers of a book. A pool makes an offer of its own for each round: with one
//! strand as large as it can be without getting worse than the book's best, with several a small
//! one that grows from round to round along Fibonacci's numbers.

use std::{cell::Cell, rc::Rc};

use xrpl_protocol::{
    AccountId, Amount, Decimal, Issue, IssuedValue, Quality, Rounding, fields,
    issued_value::{MAX_EXPONENT, MAX_MANTISSA, ValueError},
    object_id,
    quality::Amounts,
};

use super::{
    FlowError,
    asset_amount::{AssetAmount, InOut},
    quality_function::QualityFunction,
};
use crate::ledger::{
    ReadView, Rules, amendment,
    helpers::amm::{pool, slots, swap},
};

/// Rounds in which pools may take part.
const MOST_ROUNDS: usize = 30;
/// By how much the first offer is multiplied in each round.
const FIBONACCI: [i32; MOST_ROUNDS] = [
    1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181, 6765, 10946,
    17711, 28657, 46368, 75025, 121_393, 196_418, 317_811, 514_229, 832_040, 1_346_269,
];

/// What all pools of a payment know together.
#[derive(Debug)]
pub(super) struct AmmContext {
    /// Who sends: the holder of an auction slot pays a lower fee.
    sender: AccountId,
    /// Whether there are several strands.
    several: Cell<bool>,
    /// Whether a pool was used in this round.
    used: Cell<bool>,
    /// Rounds in which one was.
    rounds: Cell<usize>,
}

impl AmmContext {
    pub(super) fn new(sender: AccountId) -> Rc<Self> {
        let (several, used) = (Cell::new(false), Cell::new(false));
        Rc::new(Self { sender, several, used, rounds: Cell::new(0) })
    }

    pub(super) fn set_several(&self, several: bool) {
        self.several.set(several);
    }

    /// Before a strand is tried: one that failed counts for nothing.
    pub(super) fn clear(&self) {
        self.used.set(false);
    }

    /// After a round.
    pub(super) fn finish_round(&self) {
        if self.used.replace(false) {
            self.rounds.set(self.rounds.get() + 1);
        }
    }

    fn is_exhausted(&self) -> bool {
        self.rounds.get() >= MOST_ROUNDS
    }
}

/// The pool of a book.
#[derive(Debug)]
pub(super) struct AmmPool {
    context: Rc<AmmContext>,
    account: AccountId,
    /// In hundred-thousandths.
    fee: u16,
    input: Issue,
    output: Issue,
    /// What it held before the payment.
    initial: InOut,
}

/// The largest amount that a pool of old was asked about.
fn most_of(issue: Issue) -> Result<Amount, ValueError> {
    const MOST_DROPS: i64 = 9_000_000_000_000_000_000;
    Ok(match issue {
        Issue::Xrp => Amount::Xrp(MOST_DROPS),
        Issue::Mpt(id) => Amount::Mpt { value: i64::MAX, id },
        Issue::Issued { currency, issuer } => {
            let value = IssuedValue::new(MAX_MANTISSA / 2, MAX_EXPONENT)?;
            Amount::Issued { value, currency, issuer }
        }
    })
}

impl AmmPool {
    /// The pool between two assets, if there is one with anything in it.
    pub(super) fn find(
        view: &dyn ReadView,
        context: &Rc<AmmContext>,
        input: Issue,
        output: Issue,
    ) -> Option<Rc<Self>> {
        let amm = view.read(&object_id::amm(input, output))?;
        if pool::lp_tokens(&amm).is_zero() {
            return None;
        }
        let account = amm.account(fields::ACCOUNT)?;
        let fee = slots::trading_fee_of(view, &amm, context.sender);
        let initial = held(view, account, input, output);
        let context = Rc::clone(context);
        Some(Rc::new(Self { context, account, fee, input, output, initial }))
    }

    pub(super) fn has_several_strands(&self) -> bool {
        self.context.several.get()
    }

    fn amounts(&self, amounts: InOut) -> Amounts {
        Amounts {
            input: amounts.input.amount(self.input),
            output: amounts.output.amount(self.output),
        }
    }

    /// What comes out for `input`.
    fn swap_in(
        &self,
        rules: &Rules,
        held: InOut,
        input: AssetAmount,
    ) -> Result<AssetAmount, ValueError> {
        let input = input.amount(self.input);
        swap::swap_in(rules, &self.amounts(held), &input, self.fee).map(|out| AssetAmount::of(&out))
    }

    /// What must go in for `output`.
    fn swap_out(
        &self,
        rules: &Rules,
        held: InOut,
        output: AssetAmount,
    ) -> Result<AssetAmount, ValueError> {
        let output = output.amount(self.output);
        swap::swap_out(rules, &self.amounts(held), &output, self.fee).map(|i| AssetAmount::of(&i))
    }

    /// One of the offers that grow; none if the pool does not hold as much.
    fn growing(&self, view: &dyn ReadView, held: InOut) -> Result<Option<InOut>, ValueError> {
        let share = Decimal::new(25, -5)?;
        let first = share * self.initial.input.decimal();
        let input = AssetAmount::of(&swap::amount_of(self.input, first, Rounding::Up)?);
        let output = self.swap_in(view.arithmetic_rules(), self.initial, input)?;
        let Some(before) = self.context.rounds.get().checked_sub(1) else {
            return Ok(Some(InOut { input, output }));
        };
        let Some(factor) = FIBONACCI.get(before) else { return Ok(None) };
        let grown = output.decimal() * Decimal::from(*factor);
        let output = AssetAmount::of(&swap::amount_of(self.output, grown, Rounding::Down)?);
        if output >= held.output {
            return Err(ValueError::Overflow);
        }
        Ok(Some(InOut { input: self.swap_out(view.arithmetic_rules(), held, output)?, output }))
    }

    /// The largest offer: nearly all that the pool holds. How much of it is taken is decided later.
    fn largest(&self, view: &dyn ReadView, held: InOut) -> Result<Option<InOut>, ValueError> {
        let rules = view.arithmetic_rules();
        if !view.rules().enabled(amendment::FIX_AMM_OVERFLOW_OFFER) {
            let input = AssetAmount::of(&most_of(self.input)?);
            return Ok(Some(InOut { input, output: self.swap_in(rules, held, input)? }));
        }
        let most = held.output.decimal() * Decimal::new(99, -2)?;
        let output = AssetAmount::of(&swap::amount_of(self.output, most, Rounding::Down)?);
        if output.signum() <= 0 || output >= held.output {
            return Ok(None);
        }
        Ok(Some(InOut { input: self.swap_out(view.arithmetic_rules(), held, output)?, output }))
    }

    /// Amounts and quality of an offer that is not worse than `best`, the quality of the book.
    fn sized(
        &self,
        view: &dyn ReadView,
        held: InOut,
        best: Option<Quality>,
    ) -> Result<Option<(InOut, Quality)>, ValueError> {
        let by_amounts = |amounts: InOut| (amounts, amounts.quality());
        if self.has_several_strands() {
            let offer = self.growing(view, held)?.map(by_amounts);
            return Ok(offer.filter(|(_, quality)| best.is_none_or(|best| *quality >= best)));
        }
        let largest = || {
            let amounts = self.largest(view, held)?;
            Ok::<_, ValueError>(amounts.map(|amounts| (amounts, held.quality())))
        };
        let Some(best) = best else { return largest() };
        let amounts = swap::change_spot_price(view.rules(), &self.amounts(held), best, self.fee)?;
        if let Some(Amounts { input, output }) = amounts {
            let (input, output) = (AssetAmount::of(&input), AssetAmount::of(&output));
            return Ok(Some(by_amounts(InOut { input, output })));
        }
        if !view.rules().enabled(amendment::FIX_AMM_V1_2) {
            return Ok(None);
        }
        Ok(largest()?.filter(|(amounts, _)| amounts.quality() > best))
    }

    /// The pool's offer, if it has one that is better than `best`.
    ///
    /// # Errors
    /// [`ValueError`].
    pub(super) fn offer(
        self: &Rc<Self>,
        view: &dyn ReadView,
        best: Option<Quality>,
    ) -> Result<Option<AmmOffer>, ValueError> {
        if self.context.is_exhausted() {
            return Ok(None);
        }
        let rules = view.rules();
        let held = held(view, self.account, self.input, self.output);
        if held.is_empty() {
            // Frozen.
            return Ok(None);
        }
        // Coming ever nearer to a quality would take rounds without end.
        if let Some(best) = best {
            let spot = held.quality();
            if spot <= best || swap::within_distance(spot, best, 7)? {
                return Ok(None);
            }
        }
        let sized = match self.sized(view, held, best) {
            Ok(sized) => sized,
            Err(_) if rules.enabled(amendment::FIX_AMM_OVERFLOW_OFFER) => None,
            Err(_) => self.largest(view, held)?.map(|amounts| (amounts, held.quality())),
        };
        let sized = sized.filter(|(amounts, _)| !amounts.is_empty());
        Ok(sized.map(|(left, quality)| AmmOffer {
            pool: Rc::clone(self),
            quality,
            left,
            held,
            consumed: false,
        }))
    }
}

/// What a pool holds now.
fn held(view: &dyn ReadView, account: AccountId, input: Issue, output: Issue) -> InOut {
    let of = |issue| AssetAmount::of(&pool::unspent(view, account, issue));
    InOut { input: of(input), output: of(output) }
}

/// An offer of a pool.
#[derive(Clone, Debug)]
pub(super) struct AmmOffer {
    pool: Rc<AmmPool>,
    pub(super) quality: Quality,
    /// All of it: it is taken once.
    pub(super) left: InOut,
    /// What the pool holds.
    held: InOut,
    pub(super) consumed: bool,
}

impl AmmOffer {
    pub(super) fn owner(&self) -> AccountId {
        self.pool.account
    }

    /// The average quality by what comes out.
    ///
    /// # Errors
    /// [`ValueError`].
    pub(super) fn quality_function(&self) -> Result<QualityFunction, ValueError> {
        match self.pool.has_several_strands() {
            true => QualityFunction::constant(self.quality),
            false => QualityFunction::of_pool(self.held, self.pool.fee),
        }
    }

    /// With no more than `limit` coming out: at its quality where strands compete by theirs, else at
    /// the pool's price, which is better.
    ///
    /// # Errors
    /// [`ValueError`].
    pub(super) fn limit_output(
        &self,
        rules: &Rules,
        amounts: InOut,
        limit: AssetAmount,
        up: bool,
    ) -> Result<InOut, ValueError> {
        if self.pool.has_several_strands() {
            return amounts.limit_output(self.quality, limit, up);
        }
        Ok(InOut { input: self.pool.swap_out(rules, self.held, limit)?, output: limit })
    }

    /// With no more than `limit` going in.
    ///
    /// # Errors
    /// [`ValueError`].
    pub(super) fn limit_input(
        &self,
        rules: &Rules,
        amounts: InOut,
        limit: AssetAmount,
        up: bool,
    ) -> Result<InOut, ValueError> {
        if self.pool.has_several_strands() {
            let strict = rules.enabled(amendment::FIX_REDUCED_OFFERS_V2);
            return amounts.limit_input(self.quality, limit, up, strict);
        }
        Ok(InOut { input: limit, output: self.pool.swap_in(rules, self.held, limit)? })
    }

    /// Whether the pool does not lose by it.
    ///
    /// # Errors
    /// [`ValueError`].
    pub(super) fn is_sound(&self, taken: InOut) -> Result<bool, ValueError> {
        if taken.input > self.left.input || taken.output > self.left.output {
            return Ok(false);
        }
        let product = |held: InOut| (held.input.decimal() * held.output.decimal()).checked();
        let before = product(self.held)?;
        let after = product(InOut {
            input: self.held.input.plus(taken.input)?,
            output: self.held.output.minus(taken.output)?,
        })?;
        Ok(after >= before || pool::within_share(before, after, Decimal::new(1, -7)?))
    }

    /// Notes that it was taken. The pool's holdings have changed already.
    pub(super) fn consume(&mut self, taken: InOut) -> Result<(), FlowError> {
        if taken.input > self.left.input || taken.output > self.left.output {
            return Err(FlowError::Impossible);
        }
        self.consumed = true;
        self.pool.context.used.set(true);
        Ok(())
    }
}
