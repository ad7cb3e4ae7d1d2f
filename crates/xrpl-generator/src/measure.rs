//! What is measured of each stage: counts, and how long transactions took to be validated, from the
//! moment they were submitted and from the moment at which they were due.
//!
//! Who measures only from sending leaves out what a slow node keeps from being sent at all: a node
//! that stands still for three seconds then shows in the few that were under way, and not in the
//! hundreds that a user would have had to wait for (coordinated omission). So both are kept.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    pacing::{PacingStats, Reach, Schedule},
    spread::Spread,
    stage::{Stage, StagePart},
};

/// What was measured of a stage. Only the load counts: no preparation, no fillers of holes, nothing
/// that somebody asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measure {
    /// The stage's name.
    pub stage: String,
    /// What its figures are good for.
    pub part: StagePart,
    /// When it began, milliseconds since 1970.
    pub began_ms: u64,
    /// The same since the load began.
    pub began: Duration,
    /// How long it lasts or has lasted.
    pub time: Duration,
    /// Whether it is over.
    pub ended: bool,
    /// Those meant to succeed, sent in this stage.
    pub submitted: u64,
    /// Those of them in a validated ledger, with whatever result.
    pub validated: u64,
    /// Those of them that ended otherwise, by what they ended with.
    pub failed: BTreeMap<String, u64>,
    /// Those of them that a validated ledger has with a `tec`, by it.
    pub claimed: BTreeMap<String, u64>,
    /// Deliberately invalid ones, sent in this stage.
    pub submitted_invalid: u64,
    /// Validated while this stage went on, whichever one they were sent in.
    pub validated_meanwhile: u64,
    /// When the last one that was sent in it was validated, since the load began.
    pub validated_until: Option<Duration>,
    /// From sending to validation, milliseconds.
    pub sent_ms: Spread,
    /// From the moment at which it was due to validation, milliseconds.
    pub scheduled_ms: Spread,
    /// Ledgers from sending to validation (1 = the next one).
    pub ledgers: Spread,
    /// From sending to validation by type, milliseconds.
    pub by_type: BTreeMap<&'static str, Spread>,
    /// How the schedule's slots were used.
    pub pacing: PacingStats,
    /// Of a pace that keeps the node's queue or what is in flight at a number: whether that was reached.
    pub reach: Option<Reach>,
}

impl Measure {
    fn new(stage: &Stage, began_ms: u64, began: Duration) -> Self {
        Self { stage: stage.name.clone(), part: stage.part, began_ms, began, ..Self::default() }
    }

    /// Counts what was measured of another stage too.
    pub fn merge(&mut self, other: &Self) {
        self.time += other.time;
        self.submitted += other.submitted;
        self.validated += other.validated;
        self.submitted_invalid += other.submitted_invalid;
        self.validated_meanwhile += other.validated_meanwhile;
        self.validated_until = self.validated_until.max(other.validated_until);
        for (all, more) in [(&mut self.failed, &other.failed), (&mut self.claimed, &other.claimed)]
        {
            for (result, n) in more {
                *all.entry(result.clone()).or_default() += n;
            }
        }
        self.sent_ms = self.sent_ms.plus(&other.sent_ms);
        self.scheduled_ms = self.scheduled_ms.plus(&other.scheduled_ms);
        self.ledgers = self.ledgers.plus(&other.ledgers);
        for (name, spread) in &other.by_type {
            let all = self.by_type.entry(name).or_default();
            *all = all.plus(spread);
        }
        self.pacing.merge(&other.pacing);
    }

    /// Of a whole run: its steady stages together, or all of them if none is steady.
    #[must_use]
    pub fn of_run(stages: &[Arc<Self>]) -> Self {
        let steady = |measure: &&Arc<Self>| measure.part == StagePart::Steady;
        let any = stages.iter().any(|measure| steady(&measure));
        let mut whole = Self { stage: "run".to_owned(), ..Self::default() };
        let parts: Vec<_> = stages.iter().filter(|measure| !any || steady(measure)).collect();
        if let Some(first) = parts.first() {
            (whole.began_ms, whole.began) = (first.began_ms, first.began);
        }
        whole.ended = parts.iter().all(|measure| measure.ended);
        parts.into_iter().for_each(|measure| whole.merge(measure));
        whole
    }
}

/// A transaction of the load that ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending<'a> {
    /// Which stage sent it.
    pub(crate) stage: u16,
    /// Its type, if it is of the catalogue.
    pub(crate) transaction_type: Option<&'static str>,
    /// How long after it was due it was sent.
    pub(crate) late: Duration,
    /// In a validated ledger, it or what took its place.
    pub(crate) validated: bool,
    /// What it ended with.
    pub(crate) result: &'a str,
    /// Whether that is success.
    pub(crate) success: bool,
    /// From sending to its end.
    pub(crate) finality_ms: Option<u32>,
    /// Ledgers from sending to validation.
    pub(crate) ledgers: Option<u32>,
}

/// What was measured so far, stage by stage. A copy costs nothing until something changes. Times are
/// durations since any fixed instant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measures {
    stages: Vec<Arc<Measure>>,
    /// When the load began.
    began: Option<Duration>,
    now: Duration,
}

impl Measures {
    /// A stage begins.
    pub(crate) fn begin(&mut self, stage: &Stage, at: Duration, at_ms: u64) {
        let since = at.saturating_sub(*self.began.get_or_insert(at));
        self.stages.push(Arc::new(Measure::new(stage, at_ms, since)));
    }

    /// What is told from now on happens at this time.
    pub(crate) fn at(&mut self, now: Duration) {
        self.now = now;
    }

    /// How long the stage has lasted, and what became of its schedule.
    pub(crate) fn goes_on(&mut self, time: Duration, schedule: &Schedule, ended: bool) {
        if let Some(measure) = self.stages.last_mut().map(Arc::make_mut) {
            (measure.time, measure.ended) = (time, ended);
            (measure.pacing, measure.reach) = (schedule.stats(), schedule.reach());
        }
    }

    /// Whether no stage has begun yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// The number of the stage of the moment.
    pub(crate) fn stage(&self) -> u16 {
        u16::try_from(self.stages.len().saturating_sub(1)).unwrap_or(u16::MAX)
    }

    fn of(&mut self, stage: u16) -> Option<&mut Measure> {
        self.stages.get_mut(usize::from(stage)).map(Arc::make_mut)
    }

    /// One was sent.
    pub(crate) fn sent(&mut self, invalid: bool) {
        if let Some(measure) = self.stages.last_mut().map(Arc::make_mut) {
            let counter =
                if invalid { &mut measure.submitted_invalid } else { &mut measure.submitted };
            *counter += 1;
        }
    }

    /// One meant to succeed has ended.
    pub(crate) fn ended(&mut self, ending: Ending<'_>) {
        if ending.validated
            && let Some(now) = self.stages.last_mut().filter(|now| !now.ended).map(Arc::make_mut)
        {
            now.validated_meanwhile += 1;
        }
        let since = self.began.map(|began| self.now.saturating_sub(began));
        let Some(measure) = self.of(ending.stage) else { return };
        if !ending.validated {
            *measure.failed.entry(ending.result.to_owned()).or_default() += 1;
            return;
        }
        measure.validated += 1;
        measure.validated_until = measure.validated_until.max(since);
        if !ending.success {
            *measure.claimed.entry(ending.result.to_owned()).or_default() += 1;
        }
        if let Some(ms) = ending.finality_ms.map(u64::from) {
            measure.sent_ms.record(ms);
            if let Some(name) = ending.transaction_type {
                measure.by_type.entry(name).or_default().record(ms);
            }
            measure.scheduled_ms.record(ms.saturating_add(ending.late.as_millis() as u64));
        }
        if let Some(ledgers) = ending.ledgers {
            measure.ledgers.record(ledgers.into());
        }
    }

    /// All of them, in order.
    pub(crate) fn all(&self) -> Vec<Arc<Measure>> {
        self.stages.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacing::Pace;

    fn ending(stage: u16, late_ms: u64, result: &str) -> Ending<'_> {
        Ending {
            stage,
            transaction_type: Some(if late_ms > 0 { "OfferCreate" } else { "Payment" }),
            late: Duration::from_millis(late_ms),
            validated: result != "EXPIRED",
            result,
            success: result == "tesSUCCESS",
            finality_ms: Some(1_000),
            ledgers: Some(2),
        }
    }

    #[test]
    fn an_end_belongs_to_the_stage_that_sent_it_and_to_the_moment() {
        let mut measures = Measures::default();
        let mut stage = |name: &str, part, at| {
            let stage = Stage { name: name.to_owned(), part, ..Stage::of(Pace::Unlimited) };
            measures.begin(&stage, Duration::from_secs(at), 5);
            measures.sent(false);
            measures.sent(true);
        };
        stage("first", StagePart::WarmUp, 100);
        stage("second", StagePart::Steady, 110);
        measures.at(Duration::from_secs(112));
        for (of, late, result) in
            [(0, 0, "tesSUCCESS"), (1, 500, "tesSUCCESS"), (1, 0, "tecPATH_DRY"), (1, 0, "EXPIRED")]
        {
            measures.ended(ending(of, late, result));
        }
        let all = measures.all();
        let [first, second] = &all[..] else { panic!("{all:?}") };
        assert_eq!((first.submitted, first.submitted_invalid, first.validated), (1, 1, 1));
        assert_eq!((first.validated_meanwhile, second.validated_meanwhile), (0, 3));
        assert_eq!((second.validated, second.failed["EXPIRED"]), (2, 1));
        assert_eq!(second.claimed["tecPATH_DRY"], 1);
        assert_eq!(second.began, Duration::from_secs(10));
        assert_eq!(second.validated_until, Some(Duration::from_secs(12)));
        assert_eq!(second.sent_ms.max(), Some(1_000));
        assert_eq!(second.scheduled_ms.max(), Some(1_500), "it was due half a second before");
        assert_eq!(second.ledgers.quantile(0.5), Some(2));
        let types: Vec<_> = second.by_type.iter().map(|(name, ms)| (*name, ms.len())).collect();
        assert_eq!(types, [("OfferCreate", 1), ("Payment", 1)]);
        let whole = Measure::of_run(&all);
        assert_eq!((whole.validated, whole.scheduled_ms.len()), (2, 2), "no warm-up");
        assert_eq!(Measure::of_run(&all[..1]).validated, 1, "unless there is nothing else");
    }
}
