//! A step along a trust line: an issued currency moves from one account to the other, which either
//! gives back what the other owes or makes new debt.

use xrpl_protocol::{AccountId, Currency, EngineResult, Issue, IssuedValue, Quality, object_id};

use super::{
    Crossing, FlowError,
    asset_amount::{AssetAmount, InOut},
    step::{Debt, Pass, Place, Run, Seen, Step, check_freeze, check_no_ripple, quality_of_rates},
};
use crate::ledger::{
    Entry, ReadView, Ter,
    helpers::{
        PARITY,
        account_root::{flag, flags_of, transfer_rate},
        token::{self, IfFrozen, IfUnauthorized, Spendable},
        trust_line::{self, Side, balance},
    },
};

/// What went through when it ran last.
#[derive(Clone, Copy, Debug)]
struct Cache {
    input: IssuedValue,
    /// What moved along the line.
    moved: IssuedValue,
    output: IssuedValue,
    debt: Debt,
}

impl Cache {
    fn dry(debt: Debt) -> Self {
        let zero = IssuedValue::ZERO;
        Self { input: zero, moved: zero, output: zero, debt }
    }
}

#[derive(Debug)]
pub(super) struct DirectStep {
    pub(super) source: AccountId,
    pub(super) destination: AccountId,
    pub(super) currency: Currency,
    last: bool,
    /// Of an offer that is being crossed: qualities of lines do not count, nor the limit of the
    /// owner's own line.
    crossing: bool,
    cache: Option<Cache>,
}

/// What the two ends of a line take, in billionths.
struct Qualities {
    source_out: u32,
    destination_in: u32,
}

fn scaled(
    value: IssuedValue,
    numerator: u32,
    denominator: u32,
    up: bool,
) -> Result<IssuedValue, FlowError> {
    if numerator == denominator {
        return Ok(value);
    }
    Ok(value.mul_ratio(numerator, denominator, up)?)
}

impl DirectStep {
    pub(super) fn new(
        place: Place<'_>,
        source: AccountId,
        destination: AccountId,
        currency: Currency,
    ) -> Self {
        let crossing = place.strand.crossing != Crossing::No;
        Self { source, destination, currency, last: place.last, crossing, cache: None }
    }

    pub(super) fn moved(&self) -> Option<InOut> {
        self.cache.map(|cache| InOut {
            input: AssetAmount::Issued(cache.input),
            output: AssetAmount::Issued(cache.output),
        })
    }

    fn line(&self, view: &dyn ReadView) -> Option<Entry> {
        view.read(&object_id::trust_line(self.source, self.destination, self.currency))
    }

    /// What the source holds of the destination's debt, and may spend.
    fn owed(&self, view: &dyn ReadView) -> IssuedValue {
        let issue = Issue::Issued { currency: self.currency, issuer: self.destination };
        let (frozen, all) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
        let held = token::account_holds(view, self.source, issue, frozen, all, Spendable::Simple);
        held.value().unwrap_or(IssuedValue::ZERO)
    }

    /// The most that can move, and what becomes of the debt.
    fn most(
        &self,
        view: &dyn ReadView,
        wanted: IssuedValue,
    ) -> Result<(IssuedValue, Debt), FlowError> {
        if self.crossing && self.last {
            // Who makes an offer wants to have it filled, whatever its line's limit says.
            return Ok((wanted, Debt::Issues));
        }
        let owed = self.owed(view);
        if owed.signum() > 0 {
            return Ok((owed, Debt::Redeems));
        }
        let limit = trust_line::credit_limit(view, self.destination, self.source, self.currency);
        Ok((limit.add(owed)?, Debt::Issues))
    }

    pub(super) fn debt(&self, view: &dyn ReadView, pass: Pass) -> Debt {
        match self.cache {
            Some(cache) if pass == Pass::Forward => cache.debt,
            _ if self.owed(view).signum() > 0 => Debt::Redeems,
            _ => Debt::Issues,
        }
    }

    /// What the receiving side's line says about what comes in.
    pub(super) fn quality_in(&self, view: &dyn ReadView) -> u32 {
        let side = Side::of(self.destination, self.source);
        self.line_quality(view, side.quality_in())
    }

    fn line_quality(&self, view: &dyn ReadView, field: xrpl_protocol::Field) -> u32 {
        match self.line(view) {
            Some(line) if !self.crossing => trust_line::quality(&line, field),
            _ => PARITY,
        }
    }

    fn qualities_redeeming(&self, previous: Option<&Step>, view: &dyn ReadView) -> Qualities {
        let source_out = previous.map_or(PARITY, |previous| {
            let side = Side::of(self.source, self.destination);
            let own = self.line_quality(view, side.quality_out());
            own.max(previous.line_quality_in(view))
        });
        Qualities { source_out, destination_in: PARITY }
    }

    /// Issuing anew what was just redeemed is a transfer, of which the issuer takes its part.
    fn qualities_issuing(&self, view: &dyn ReadView, previous: Debt) -> Qualities {
        let source_out = match previous {
            Debt::Redeems => transfer_rate(view, self.source).0,
            Debt::Issues => PARITY,
        };
        let destination_in = self.quality_in(view);
        let destination_in = if self.last { destination_in.min(PARITY) } else { destination_in };
        Qualities { source_out, destination_in }
    }

    fn qualities(
        &self,
        previous: Option<&Step>,
        view: &dyn ReadView,
        debt: Debt,
        pass: Pass,
    ) -> Qualities {
        if debt == Debt::Redeems {
            return self.qualities_redeeming(previous, view);
        }
        let before = previous.map_or(Debt::Issues, |previous| previous.debt(view, pass));
        self.qualities_issuing(view, before)
    }

    pub(super) fn quality_upper_bound(
        &self,
        previous: Option<&Step>,
        view: &dyn ReadView,
        previous_debt: Debt,
    ) -> (Option<Quality>, Debt) {
        let debt = self.debt(view, Pass::Forward);
        let Qualities { source_out, destination_in } = match debt {
            Debt::Redeems => self.qualities_redeeming(previous, view),
            Debt::Issues => self.qualities_issuing(view, previous_debt),
        };
        (Some(quality_of_rates(source_out, destination_in)), debt)
    }

    /// Moves what the cache says. xrpld does not look at how it ends, but for numbers that are too
    /// large.
    fn send(&self, run: &mut Run<'_, '_>, value: IssuedValue) -> Result<(), FlowError> {
        let sent =
            trust_line::credit(run.view, self.source, self.destination, self.currency, value);
        match sent {
            Err(EngineResult::TEF_EXCEPTION) => Err(FlowError::Impossible),
            _ => Ok(()),
        }
    }

    pub(super) fn reverse(
        &mut self,
        previous: Option<&Step>,
        run: &mut Run<'_, '_>,
        output: AssetAmount,
    ) -> Result<InOut, FlowError> {
        self.cache = None;
        let output = output.issued()?;
        let (most, debt) = self.most(&*run.view, output)?;
        let Qualities { source_out, destination_in } =
            self.qualities(previous, &*run.view, debt, Pass::Reverse);
        if most.signum() <= 0 {
            return Ok(self.keep(Cache::dry(debt)));
        }
        let wanted = scaled(output, PARITY, destination_in, true)?;
        let (moved, output) = if wanted <= most {
            (wanted, output)
        } else {
            (most, scaled(most, destination_in, PARITY, false)?)
        };
        let input = scaled(moved, source_out, PARITY, true)?;
        let done = self.keep(Cache { input, moved, output, debt });
        self.send(run, moved)?;
        Ok(done)
    }

    fn keep(&mut self, cache: Cache) -> InOut {
        self.cache = Some(cache);
        InOut { input: AssetAmount::Issued(cache.input), output: AssetAmount::Issued(cache.output) }
    }

    pub(super) fn forward(
        &mut self,
        previous: Option<&Step>,
        run: &mut Run<'_, '_>,
        input: AssetAmount,
    ) -> Result<InOut, FlowError> {
        let before = self.cache.ok_or(FlowError::Impossible)?;
        let input = input.issued()?;
        let (most, debt) = self.most(&*run.view, before.moved)?;
        let Qualities { source_out, destination_in } =
            self.qualities(previous, &*run.view, debt, Pass::Forward);
        if most.signum() <= 0 {
            return Ok(self.keep(Cache::dry(debt)));
        }
        let wanted = scaled(input, PARITY, source_out, false)?;
        let (input, moved) = if wanted <= most {
            (input, wanted)
        } else {
            (scaled(most, source_out, PARITY, true)?, most)
        };
        let output = scaled(moved, destination_in, PARITY, false)?;
        let limited = limited(before, Cache { input, moved, output, debt })?;
        let done = self.keep(limited);
        self.send(run, limited.moved)?;
        Ok(done)
    }

    pub(super) fn check(&self, place: Place<'_>, seen: &mut Seen) -> Ter {
        let (source, destination, currency) = (self.source, self.destination, self.currency);
        let bad = EngineResult::TEM_BAD_PATH;
        if source == AccountId::ZERO || destination == AccountId::ZERO || source == destination {
            return Err(bad);
        }
        let view = place.strand.view;
        let root = view.account(source).ok_or(EngineResult::TER_NO_ACCOUNT)?;
        // Between a holder and the issuer alone nothing is frozen.
        if !(place.first && place.last) {
            check_freeze(view, source, destination, currency)?;
        }
        if let Some(before) = place.previous.and_then(Step::sender) {
            check_no_ripple(view, before, source, destination, currency)?;
        }
        let issue = |issuer| Issue::Issued { currency, issuer };
        let looped = Err(EngineResult::TEM_BAD_PATH_LOOP);
        if seen.books.contains(&issue(source)) {
            // Unless it comes straight from that book.
            match place.previous.map(Step::book) {
                None => return looped,
                Some(Some(book)) if book.output != issue(source) => return looped,
                Some(_) => {}
            }
        }
        if !seen.sources.insert(issue(source)) || !seen.destinations.insert(issue(destination)) {
            return looped;
        }
        if self.crossing { Ok(()) } else { self.check_payment(place, flags_of(&root)) }
    }

    /// A payment needs the line, and room on it.
    fn check_payment(&self, place: Place<'_>, source_flags: u32) -> Ter {
        let view = place.strand.view;
        let line = self.line(view).ok_or(EngineResult::TER_NO_LINE)?;
        let mine = Side::of(self.source, self.destination);
        let flags = flags_of(&line);
        let held = balance(&line, mine);
        let needs_auth = source_flags & flag::REQUIRE_AUTH != 0 && flags & mine.auth() == 0;
        if needs_auth && held.is_zero() {
            return Err(EngineResult::TER_NO_AUTH);
        }
        let from_book = place.previous.and_then(Step::book).is_some();
        if from_book && flags & mine.no_ripple() != 0 {
            return Err(EngineResult::TER_NO_RIPPLE);
        }
        // What the source owes already must leave room for more.
        let limit = trust_line::value_of(&line, mine.other().limit());
        if held.signum() <= 0 && held.negated() >= limit {
            return Err(EngineResult::TEC_PATH_DRY);
        }
        Ok(())
    }
}

/// What went through forward, no more than in reverse: rounding may make it more. A large difference
/// is believed.
fn limited(reverse: Cache, forward: Cache) -> Result<Cache, FlowError> {
    const FACTOR: f64 = 1.01;
    if reverse.input < forward.input {
        let small = IssuedValue::new(1, -9)?;
        let (now, then) = (forward.input, reverse.input);
        if now.sub(then)? > small
            && (now.exponent() != then.exponent()
                || then.mantissa() == 0
                || now.mantissa() as f64 / then.mantissa() as f64 > FACTOR)
        {
            return Ok(forward);
        }
    }
    Ok(Cache {
        input: forward.input,
        moved: forward.moved.min(reverse.moved),
        output: forward.output.min(reverse.output),
        debt: forward.debt,
    })
}
