//! Stages: parts of a run, one after the other, each with a pace and a mix of its own.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use xrpl_protocol::LedgerIndex;

use crate::{catalogue::Catalogue, error::GeneratorError, modifier::Shares, pacing::Pace};

/// The most journeys that begin in a minute.
pub const MOST_JOURNEYS: f64 = 600.0;

/// What a stage's figures are good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StagePart {
    /// Before things have settled: measured apart, and no part of the run's figures.
    WarmUp,
    /// What the run is about.
    #[default]
    Steady,
    /// Afterwards: the same as the warm-up.
    CoolDown,
}

/// When a stage ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// With the run.
    #[default]
    Stopped,
    /// After a time.
    Time(Duration),
    /// After so many validated ledgers.
    Ledgers(u32),
}

/// One stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// What its figures are good for.
    pub part: StagePart,
    /// How fast.
    pub pace: Pace,
    /// When it ends.
    pub until: Until,
    /// The types that are sent, by weight, and no others; none for those of the run.
    pub mix: Option<BTreeMap<String, u32>>,
    /// Percentage of the transactions sent with a modifier, by its name; those not named are as in the
    /// run.
    pub modifiers: BTreeMap<String, u32>,
    /// Percentage of deliberately invalid transactions; none for that of the run.
    pub intent_invalid: Option<f64>,
    /// Percentage of the load that is generated at random (the fuzz band); none for that of the run.
    pub fuzz: Option<f64>,
    /// How many journeys begin in a minute; none for those of the run.
    pub journeys: Option<f64>,
}

impl Stage {
    /// A stage of a pace that lasts as long as the run, and is like it in everything else.
    #[must_use]
    pub fn of(pace: Pace) -> Self {
        Self {
            name: "load".to_owned(),
            part: StagePart::Steady,
            pace,
            until: Until::Stopped,
            mix: None,
            modifiers: BTreeMap::new(),
            intent_invalid: None,
            fuzz: None,
            journeys: None,
        }
    }

    /// Checks what can be checked without a node.
    ///
    /// # Errors
    /// Names the stage and what of it is wrong.
    pub fn check(&self) -> Result<(), GeneratorError> {
        let wrong = |why: String| GeneratorError::Stage { stage: self.name.clone(), why };
        if self.name.trim().is_empty() {
            return Err(wrong("name: a stage needs one that can be read".to_owned()));
        }
        self.pace.check().map_err(wrong)?;
        if let Some(mix) = &self.mix {
            Catalogue::new(mix).map_err(|error| wrong(format!("mix: {error}")))?;
            if mix.values().all(|weight| *weight == 0) {
                return Err(wrong("mix: one type at least needs a weight above 0".to_owned()));
            }
        }
        Shares::new(&self.modifiers).map_err(|error| wrong(error.to_string()))?;
        for (name, share) in [("intent_invalid", self.intent_invalid), ("fuzz", self.fuzz)] {
            if share.is_some_and(|percent| !(0.0..=100.0).contains(&percent)) {
                return Err(wrong(format!("{name}: a percentage from 0 to 100")));
            }
        }
        if self.journeys.is_some_and(|rate| !(0.0..=MOST_JOURNEYS).contains(&rate)) {
            return Err(wrong(format!(
                "journeys: how many in a minute, from 0 to {MOST_JOURNEYS}"
            )));
        }
        Ok(())
    }
}

/// Where a run is among its stages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StageProgress {
    /// Which stage, counted from 1; the last one after the end.
    pub stage: usize,
    /// How many there are.
    pub stages: usize,
    /// Its name.
    pub name: String,
    /// What its figures are good for.
    pub part: StagePart,
    /// Its pace in words.
    pub pace: String,
    /// Of a pace in steps: which one, counted from 1.
    pub step: Option<u32>,
    /// And how many there are.
    pub steps: Option<u32>,
    /// Transactions per second that are due now; none where the clock does not say.
    pub target_tps: Option<f64>,
    /// Seconds since the stage began.
    pub seconds: f64,
    /// Seconds until it ends; none if not the clock ends it.
    pub seconds_left: Option<f64>,
    /// Validated ledgers until it ends; none if not their number ends it.
    pub ledgers_left: Option<u32>,
    /// Seconds until the last stage ends; none if that is not known.
    pub run_seconds_left: Option<f64>,
    /// Whether all stages are over: what is in flight comes to its end.
    pub over: bool,
    /// Whether somebody ended them early. Stages without an end of their own are never cut short.
    pub cut_short: bool,
}

/// The stages of a run and where it stands. Times are durations since any fixed instant.
#[derive(Clone, Debug)]
pub struct Course {
    stages: Vec<Stage>,
    at: usize,
    /// When the stage of the moment began; none before the first one.
    began: Option<Duration>,
    began_ledger: LedgerIndex,
    over: bool,
    cut_short: bool,
}

/// From when to when a stage lasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When it began.
    pub from: Duration,
    /// When it ended.
    pub to: Duration,
}

impl Course {
    /// At the beginning of the first one. Without stages it is over.
    #[must_use]
    pub fn new(stages: Vec<Stage>) -> Self {
        let over = stages.is_empty();
        Self { stages, at: 0, began: None, began_ledger: LedgerIndex(0), over, cut_short: false }
    }

    /// The first stage begins.
    pub fn begin(&mut self, now: Duration, ledger: LedgerIndex) {
        (self.began, self.began_ledger) = (Some(now), ledger);
    }

    /// The stage of the moment; none when all are over.
    #[must_use]
    pub fn stage(&self) -> Option<&Stage> {
        self.stages.get(self.at).filter(|_| !self.over)
    }

    /// When it began; at no time before the first one.
    #[must_use]
    pub fn began(&self) -> Duration {
        self.began.unwrap_or_default()
    }

    /// Whether all stages are over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// When the clock ends the stage, if it does.
    #[must_use]
    pub fn ends_at(&self) -> Option<Duration> {
        match self.stage()?.until {
            Until::Time(time) => self.began?.checked_add(time),
            Until::Stopped | Until::Ledgers(_) => None,
        }
    }

    /// Ends the stage if its time has come; how long it lasted. Where several are over it is called
    /// again.
    pub fn advance(&mut self, now: Duration, ledger: LedgerIndex) -> Option<Span> {
        self.began?;
        let ended = match self.stage()?.until {
            Until::Stopped => return None,
            // The next one begins when this one was to end, so that they do not drift.
            Until::Time(_) => self.ends_at().filter(|end| *end <= now)?,
            Until::Ledgers(n) => {
                let passed = ledger.0.saturating_sub(self.began_ledger.0);
                (passed >= n).then_some(now)?
            }
        };
        self.leave(ended, ledger)
    }

    /// Ends the stage early; how long it lasted, if there was one.
    pub fn skip(&mut self, now: Duration, ledger: LedgerIndex) -> Option<Span> {
        (!self.over).then(|| self.leave(now, ledger)).flatten()
    }

    /// Puts a stage behind the one of the moment.
    pub fn insert(&mut self, stage: Stage) {
        let place = (self.at + 1).min(self.stages.len());
        self.stages.insert(place, stage);
    }

    /// Ends all stages; how long the last one lasted, if there was one.
    pub fn finish(&mut self, now: Duration) -> Option<Span> {
        let was_over = std::mem::replace(&mut self.over, true);
        let has_end = self.stages.last().is_some_and(|stage| stage.until != Until::Stopped);
        // Where the last one has no end of its own, those before it have.
        self.cut_short |= !was_over && (has_end || self.at + 1 < self.stages.len());
        let from = self.began.filter(|_| !was_over)?;
        Some(Span { from, to: now })
    }

    fn leave(&mut self, to: Duration, ledger: LedgerIndex) -> Option<Span> {
        let from = self.began?;
        if self.at + 1 < self.stages.len() {
            self.at += 1;
            (self.began, self.began_ledger) = (Some(to), ledger);
        } else {
            self.over = true;
        }
        Some(Span { from, to })
    }

    /// Where it stands.
    #[must_use]
    pub fn progress(&self, now: Duration, ledger: LedgerIndex) -> StageProgress {
        let Some(stage) = self.stages.get(self.at) else { return StageProgress::default() };
        let passed = now.saturating_sub(self.began.unwrap_or(now));
        let left = self.ends_at().map(|end| end.saturating_sub(now).as_secs_f64());
        let later = self.stages[self.at + 1..].iter().map(|stage| match stage.until {
            Until::Time(time) => Some(time.as_secs_f64()),
            Until::Stopped | Until::Ledgers(_) => None,
        });
        let later: Option<f64> = later.sum();
        let ledgers_left = match stage.until {
            Until::Ledgers(n) => {
                Some(n.saturating_sub(ledger.0.saturating_sub(self.began_ledger.0)))
            }
            Until::Stopped | Until::Time(_) => None,
        };
        StageProgress {
            stage: self.at + 1,
            stages: self.stages.len(),
            name: stage.name.clone(),
            part: stage.part,
            pace: stage.pace.to_string(),
            step: stage.pace.step(passed),
            steps: stage.pace.steps(),
            target_tps: stage.pace.rate(passed).filter(|_| !self.over),
            seconds: passed.as_secs_f64(),
            seconds_left: left.filter(|_| !self.over),
            ledgers_left: ledgers_left.filter(|_| !self.over),
            run_seconds_left: match self.over {
                true => Some(0.0),
                false => left.zip(later).map(|(left, later)| left + later),
            },
            over: self.over,
            cut_short: self.cut_short,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn course() -> Course {
        let stage = |name: &str, until| Stage {
            name: name.to_owned(),
            until,
            ..Stage::of(Pace::Fixed(2.0))
        };
        let mut course = Course::new(vec![
            stage("a", Until::Time(S(10))),
            stage("b", Until::Ledgers(3)),
            stage("c", Until::Time(S(5))),
        ]);
        course.begin(S(100), LedgerIndex(7));
        course
    }

    fn name(course: &Course) -> &str {
        course.stage().map_or("-", |stage| stage.name.as_str())
    }

    #[test]
    fn a_stage_can_be_put_behind_the_present_one() {
        let mut course = course();
        course.insert(Stage { name: "new".to_owned(), ..Stage::of(Pace::Fixed(1.0)) });
        let span = |from, to| Some(Span { from: S(from), to: S(to) });
        assert_eq!(course.skip(S(103), LedgerIndex(8)), span(100, 103));
        assert_eq!((name(&course), course.began()), ("new", S(103)));
        assert_eq!(course.skip(S(104), LedgerIndex(8)), span(103, 104));
        assert_eq!(name(&course), "b", "those that were to come follow");
    }

    #[test]
    fn stages_follow_each_other_by_time_and_by_ledgers() {
        let mut course = course();
        assert_eq!(course.advance(S(109), LedgerIndex(50)), None, "ledgers do not end it");
        let span = |from, to| Some(Span { from: S(from), to: S(to) });
        assert_eq!(course.advance(S(112), LedgerIndex(51)), span(100, 110));
        assert_eq!((name(&course), course.began()), ("b", S(110)));
        assert_eq!(course.advance(S(999), LedgerIndex(53)), None);
        assert_eq!(course.advance(S(1000), LedgerIndex(54)), span(110, 1000));
        assert_eq!(course.advance(S(1004), LedgerIndex(60)), None);
        assert_eq!(course.advance(S(1006), LedgerIndex(60)), span(1000, 1005));
        assert!(course.is_over() && name(&course) == "-");
        assert_eq!(course.advance(S(2000), LedgerIndex(99)), None);
        let progress = course.progress(S(2000), LedgerIndex(99));
        assert_eq!((progress.stage, progress.stages, progress.over), (3, 3, true));
        assert_eq!(progress.run_seconds_left, Some(0.0));
    }

    #[test]
    fn they_can_be_skipped_and_ended() {
        let mut course = course();
        assert_eq!(course.skip(S(101), LedgerIndex(8)), Some(Span { from: S(100), to: S(101) }));
        assert_eq!(name(&course), "b");
        assert_eq!(course.advance(S(102), LedgerIndex(10)), None);
        assert!(course.advance(S(103), LedgerIndex(11)).is_some(), "three after the skip");
        assert!(!course.progress(S(104), LedgerIndex(11)).cut_short, "a stage may be skipped");
        assert_eq!(course.finish(S(104)), Some(Span { from: S(103), to: S(104) }));
        assert!(course.progress(S(104), LedgerIndex(11)).cut_short);
        assert_eq!(course.finish(S(105)), None);
        assert!(course.is_over());
        assert_eq!(course.skip(S(106), LedgerIndex(12)), None);
    }

    #[test]
    fn what_is_ended_before_its_last_stage_is_cut_short() {
        let stage = |until| Stage { until, ..Stage::of(Pace::Fixed(2.0)) };
        let stages = vec![stage(Until::Time(S(10))), stage(Until::Stopped)];
        for (skipped, cut_short) in [(false, true), (true, false)] {
            let mut course = Course::new(stages.clone());
            course.begin(S(0), LedgerIndex(7));
            if skipped {
                course.skip(S(1), LedgerIndex(7));
            }
            course.finish(S(2));
            assert_eq!(course.progress(S(2), LedgerIndex(7)).cut_short, cut_short);
        }
    }

    #[test]
    fn where_it_stands_is_told() {
        let mut course = course();
        let told = course.progress(S(104), LedgerIndex(7));
        assert_eq!((told.seconds, told.seconds_left), (4.0, Some(6.0)));
        assert_eq!(told.run_seconds_left, None, "how long three ledgers take nobody knows");
        assert_eq!((told.target_tps, told.pace.as_str()), (Some(2.0), "2/s"));
        course.skip(S(104), LedgerIndex(7));
        assert_eq!(course.progress(S(105), LedgerIndex(9)).ledgers_left, Some(1));
        course.skip(S(106), LedgerIndex(9));
        assert_eq!(course.progress(S(107), LedgerIndex(9)).run_seconds_left, Some(4.0));
    }

    #[test]
    fn a_stage_that_cannot_be_is_named() {
        let mix = |types: &[(&str, u32)]| {
            Some(types.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect())
        };
        for (stage, said) in [
            (Stage::of(Pace::ClosedLoop(0)), "at least 1"),
            (Stage { mix: mix(&[("Paymnet", 1)]), ..Stage::of(Pace::Fixed(1.0)) }, "\"Payment\""),
            (Stage { mix: mix(&[("Payment", 0)]), ..Stage::of(Pace::Fixed(1.0)) }, "above 0"),
            (
                Stage { intent_invalid: Some(101.0), ..Stage::of(Pace::Fixed(1.0)) },
                "intent_invalid",
            ),
        ] {
            let error = stage.check().unwrap_err().to_string();
            assert!(error.contains(said) && error.contains("stage \"load\""), "{error}");
        }
        assert!(Stage::of(Pace::Unlimited).check().is_ok());
    }
}
