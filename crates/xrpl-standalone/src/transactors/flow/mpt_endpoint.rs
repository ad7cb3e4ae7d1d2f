//! An MPT moves between a holder and its issuer, at the beginning of a strand or at its end: MPTs do
//! not ripple.

use xrpl_protocol::{AccountId, Amount, EngineResult, Issue, MptId, Quality};

use super::{
    Crossing, FlowError,
    asset_amount::{AssetAmount, InOut},
    step::{Debt, Pass, Place, Run, Seen, Step, quality_of_rates},
};
use crate::ledger::{
    ReadView, Ter,
    helpers::{
        PARITY, mpt,
        token::{self, Auth, IfFrozen, IfUnauthorized},
    },
};

/// What went through when it ran last.
#[derive(Clone, Copy, Debug)]
struct Cache {
    input: i64,
    moved: i64,
    output: i64,
    debt: Debt,
}

#[derive(Debug)]
pub(super) struct MptEndpoint {
    pub(super) source: AccountId,
    pub(super) destination: AccountId,
    pub(super) id: MptId,
    last: bool,
    crossing: bool,
    /// Whether it goes from holder to holder without a book.
    between_holders: bool,
    cache: Option<Cache>,
}

fn scaled(units: i64, numerator: u32, denominator: u32, up: bool) -> Result<i64, FlowError> {
    AssetAmount::Mpt(units).mul_ratio(numerator, denominator, up)?.units()
}

impl MptEndpoint {
    pub(super) fn new(
        place: Place<'_>,
        source: AccountId,
        destination: AccountId,
        id: MptId,
    ) -> Self {
        let strand = place.strand;
        let issuer = id.issuer();
        let between_holders =
            is_direct(place, id) && strand.source != issuer && strand.destination != issuer;
        Self {
            source,
            destination,
            id,
            last: place.last,
            crossing: strand.crossing != Crossing::No,
            between_holders,
            cache: None,
        }
    }

    pub(super) fn moved(&self) -> Option<InOut> {
        self.cache.map(|cache| InOut {
            input: AssetAmount::Mpt(cache.input),
            output: AssetAmount::Mpt(cache.output),
        })
    }

    fn keep(&mut self, cache: Cache) -> InOut {
        self.cache = Some(cache);
        InOut { input: AssetAmount::Mpt(cache.input), output: AssetAmount::Mpt(cache.output) }
    }

    fn dry(&mut self, debt: Debt) -> InOut {
        self.keep(Cache { input: 0, moved: 0, output: 0, debt })
    }

    /// What the source can spend, or issue.
    fn funds(&self, view: &dyn ReadView) -> i64 {
        let nothing = Amount::Mpt { value: 0, id: self.id };
        let (frozen, all) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
        match token::account_funds(view, self.source, nothing, frozen, all) {
            Amount::Mpt { value, .. } => value,
            _ => 0,
        }
    }

    fn own_debt(&self) -> Debt {
        if self.source == self.id.issuer() { Debt::Issues } else { Debt::Redeems }
    }

    pub(super) fn debt(&self, pass: Pass) -> Debt {
        match self.cache {
            Some(cache) if pass == Pass::Forward => cache.debt,
            _ => self.own_debt(),
        }
    }

    /// The most that can move. At the end of a strand the issuer may pass the maximum for a moment:
    /// the step before decides how much comes.
    fn most(&self, previous: Option<&Step>, view: &dyn ReadView) -> (i64, Debt) {
        let debt = self.own_debt();
        if debt == Debt::Redeems {
            return (self.funds(view), debt);
        }
        let issuance = token::issuance(view, self.id).ok();
        let most = issuance.map_or(0, |issuance| match previous {
            None => self.funds(view),
            Some(_) => mpt::maximum(&issuance),
        });
        (most, debt)
    }

    /// What the source takes, in billionths.
    fn source_out(
        &self,
        previous: Option<&Step>,
        view: &dyn ReadView,
        debt: Debt,
        before: Debt,
    ) -> u32 {
        match (debt, before) {
            (Debt::Redeems, _) => {
                previous.map_or(PARITY, |previous| previous.line_quality_in(view).max(PARITY))
            }
            (Debt::Issues, Debt::Redeems) => mpt::transfer_rate(view, self.id).0,
            (Debt::Issues, Debt::Issues) => PARITY,
        }
    }

    pub(super) fn quality_upper_bound(
        &self,
        previous: Option<&Step>,
        view: &dyn ReadView,
        previous_debt: Debt,
    ) -> (Option<Quality>, Debt) {
        let debt = self.debt(Pass::Forward);
        let source_out = self.source_out(previous, view, debt, previous_debt);
        (Some(quality_of_rates(source_out, PARITY)), debt)
    }

    /// Whoever crosses an offer may get an MPT that it never had, whatever its reserve.
    fn make_holder(&self, run: &mut Run<'_, '_>) -> Ter {
        if self.crossing && self.last {
            mpt::create_if_missing(run.view, self.id, self.destination)?;
        }
        Ok(())
    }

    fn rates(&self, previous: Option<&Step>, view: &dyn ReadView, debt: Debt, pass: Pass) -> u32 {
        let before = previous.map_or(Debt::Issues, |previous| previous.debt(view, pass));
        self.source_out(previous, view, debt, before)
    }

    fn send(&mut self, run: &mut Run<'_, '_>, cache: Cache) -> InOut {
        let done = self.keep(cache);
        match mpt::credit(run.view, self.source, self.destination, self.id, cache.moved) {
            Ok(()) => done,
            Err(_) => self.dry(cache.debt),
        }
    }

    pub(super) fn reverse(
        &mut self,
        previous: Option<&Step>,
        run: &mut Run<'_, '_>,
        output: AssetAmount,
    ) -> Result<InOut, FlowError> {
        self.cache = None;
        let output = output.units()?;
        let (most, debt) = self.most(previous, &*run.view);
        let source_out = self.rates(previous, &*run.view, debt, Pass::Reverse);
        if most <= 0 || self.make_holder(run).is_err() {
            return Ok(self.dry(debt));
        }
        let moved = output.min(most);
        let input = scaled(moved, source_out, PARITY, true)?;
        Ok(self.send(run, Cache { input, moved, output: moved, debt }))
    }

    pub(super) fn forward(
        &mut self,
        previous: Option<&Step>,
        run: &mut Run<'_, '_>,
        input: AssetAmount,
    ) -> Result<InOut, FlowError> {
        let before = self.cache.ok_or(FlowError::Impossible)?;
        let input = input.units()?;
        let (most, debt) = self.most(previous, &*run.view);
        let source_out = self.rates(previous, &*run.view, debt, Pass::Forward);
        if most <= 0 || self.make_holder(run).is_err() {
            return Ok(self.dry(debt));
        }
        let wanted = scaled(input, PARITY, source_out, false)?;
        let (input, moved) = if wanted <= most {
            (input, wanted)
        } else {
            (scaled(most, source_out, PARITY, true)?, most)
        };
        let limited = limited(before, Cache { input, moved, output: moved, debt });
        Ok(self.send(run, limited))
    }

    pub(super) fn check(&self, place: Place<'_>, seen: &mut Seen) -> Ter {
        let (source, destination) = (self.source, self.destination);
        let bad = Err(EngineResult::TEM_BAD_PATH);
        if source == AccountId::ZERO || destination == AccountId::ZERO || source == destination {
            return bad;
        }
        let (view, issue) = (place.strand.view, Issue::Mpt(self.id));
        if view.account(source).is_none() {
            return Err(EngineResult::TER_NO_ACCOUNT);
        }
        // Between a holder and the issuer alone a lock stops nothing, and at the end of a strand only
        // that of the holder does.
        if !(place.first && place.last) {
            let account = if place.first { source } else { destination };
            let global = place.first && token::is_global_frozen(view, issue);
            if global || token::is_individual_frozen(view, account, issue) {
                return Err(EngineResult::TER_LOCKED);
            }
        }
        let looped = Err(EngineResult::TEM_BAD_PATH_LOOP);
        if seen.books.contains(&issue) {
            match place.previous.map(Step::book) {
                None => return looped,
                Some(Some(book)) if book.output != issue => return looped,
                Some(_) => {}
            }
        }
        if (place.first && !seen.sources.insert(issue))
            || (place.last && !seen.destinations.insert(issue))
        {
            return looped;
        }
        if !place.first && !place.last {
            return bad;
        }
        let issuer = self.id.issuer();
        if (source == issuer) == (destination == issuer) {
            return bad;
        }
        if self.crossing { Ok(()) } else { self.check_payment(place) }
    }

    /// A payment needs an MPToken, and something to pay with.
    fn check_payment(&self, place: Place<'_>) -> Ter {
        let (view, issuer) = (place.strand.view, self.id.issuer());
        for account in [self.source, self.destination] {
            if account != issuer {
                mpt::require_auth(view, self.id, account, Auth::Legacy)?;
            }
        }
        if self.between_holders {
            let holder = if place.first { self.source } else { self.destination };
            if token::is_frozen(view, holder, Issue::Mpt(self.id)) {
                return Err(EngineResult::TEC_LOCKED);
            }
            mpt::can_transfer(view, self.id, holder, place.strand.destination)?;
        } else if !is_direct(place, self.id) {
            mpt::can_trade(view, Issue::Mpt(self.id))?;
        }
        // Further on, what is issued may be what was given back before.
        if place.previous.is_none() && self.funds(view) <= 0 {
            return Err(EngineResult::TEC_PATH_DRY);
        }
        Ok(())
    }
}

/// Whether the MPT is delivered without a book in between.
fn is_direct(place: Place<'_>, id: MptId) -> bool {
    let after_account = place.previous.is_some_and(|previous| previous.book().is_none());
    place.strand.deliver == Issue::Mpt(id) && (place.first || after_account)
}

/// What went through forward, no more than in reverse: rounding may make it more. A large difference
/// is believed.
fn limited(reverse: Cache, forward: Cache) -> Cache {
    let (now, then) = (i128::from(forward.input), i128::from(reverse.input));
    if now - then > 1 && (then == 0 || now * 100 > then * 101) {
        return forward;
    }
    Cache {
        input: forward.input,
        moved: forward.moved.min(reverse.moved),
        output: forward.output.min(reverse.output),
        debt: forward.debt,
    }
}
