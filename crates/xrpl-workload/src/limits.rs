//! Limits on figures: what a run, or a stage of it, must keep to.
//!
//! A limit is judged at the end of the run, and shown while it goes on. One that says so ends the load
//! before its time, once it has been broken for its grace without a pause.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    figures::{self, Figure, Measurements},
    record::Part,
    words,
};

/// Which stages a limit is asked of, each for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stages {
    /// Of none.
    #[default]
    None,
    /// Of all that are steady: these.
    Steady(Vec<String>),
    /// Of those with these names.
    Named(Vec<String>),
}

impl Stages {
    fn names(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::Steady(names) | Self::Named(names) => names,
        }
    }
}

/// What a figure must keep to.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// The figure's name in the table of figures.
    pub figure: &'static str,
    /// It must not be less.
    pub min: Option<f64>,
    /// It must not be more.
    pub max: Option<f64>,
    /// Whether the load ends when it is broken.
    pub abort: bool,
    /// For how long it may be broken before.
    pub grace: Duration,
    /// Whether it is asked of the steady stages together.
    pub whole: bool,
    /// Of which stages it is asked, each for itself.
    pub stages: Stages,
}

/// A limit, and what was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct LimitVerdict {
    /// The stage that it was asked of; none for the whole.
    pub stage: Option<String>,
    /// The figure.
    pub figure: String,
    /// What was asked, in words: `at most 5000 ms`.
    pub asked: String,
    /// The figure's unit; empty for a number of things.
    pub unit: String,
    /// What was measured; none if nothing was.
    pub measured: Option<f64>,
    /// Whether it is broken. Where nothing was measured at the end it is: nobody knows that it was kept.
    pub broken: bool,
}

impl fmt::Display for LimitVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stage, figure, asked, unit, measured, .. } = self;
        let of = stage.as_ref().map_or_else(String::new, |stage| format!(" of stage {stage:?}"));
        match measured {
            Some(value) => {
                write!(f, "{figure}{of}: {}, {asked} was asked", words::figure(*value, unit))
            }
            None => write!(f, "{figure}{of}: nothing was measured, {asked} was asked"),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked = figures::find(self.figure).map(|figure| self.asked(figure));
        write!(f, "{} {}", self.figure, asked.unwrap_or_default())?;
        let of = match (self.whole, &self.stages) {
            (true, Stages::None) => String::new(),
            (true, Stages::Steady(_)) => ", as a whole and in each steady stage".to_owned(),
            (false, Stages::Steady(_)) => ", in each steady stage".to_owned(),
            (true, Stages::Named(names)) => format!(", as a whole and in {}", names.join(", ")),
            (false, Stages::Named(names)) => format!(", in {}", names.join(", ")),
            (false, Stages::None) => ", of nothing".to_owned(),
        };
        let ends = format!("; broken for {:?} it ends the load", self.grace);
        write!(f, "{of}{}", if self.abort { ends.as_str() } else { "" })
    }
}

impl Limit {
    fn asked(&self, figure: &Figure) -> String {
        let bound = |word: &str, bound: Option<f64>| {
            bound.map(|bound| format!("{word} {}", words::figure(bound, figure.unit)))
        };
        let bounds = [bound("at least", self.min), bound("at most", self.max)];
        bounds.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    fn judge(
        &self,
        measured: &Measurements,
        stage: Option<&Part>,
        over: bool,
    ) -> Option<LimitVerdict> {
        // Whoever made the limit has looked the name up.
        let figure = figures::find(self.figure)?;
        let value = figure.of(measured);
        let broken = match value {
            Some(value) => {
                self.min.is_some_and(|min| value < min) || self.max.is_some_and(|max| value > max)
            }
            None => over,
        };
        Some(LimitVerdict {
            stage: stage.map(|part| part.name.clone()),
            figure: self.figure.to_owned(),
            asked: self.asked(figure),
            unit: figure.unit.to_owned(),
            measured: value,
            broken,
        })
    }

    fn verdicts(&self, whole: &Measurements, parts: &[Part], over: bool) -> Vec<LimitVerdict> {
        let of_whole = self.whole.then(|| self.judge(whole, None, over)).flatten();
        let names = self.stages.names();
        let of_parts = parts.iter().filter(|part| names.contains(&part.name));
        let of_parts = of_parts.filter_map(|part| self.judge(&part.measured, Some(part), over));
        let mut all: Vec<_> = of_whole.into_iter().chain(of_parts).collect();
        if over {
            // A stage that never began kept nothing.
            let missing = names.iter().filter(|name| parts.iter().all(|part| part.name != **name));
            for name in missing {
                let nothing = Part { name: name.clone(), ..Part::default() };
                all.extend(self.judge(&nothing.measured, Some(&nothing), over));
            }
        }
        all
    }
}

/// What the limits come to: of a run that goes on, or at its end (`over`).
#[must_use]
pub fn judge(
    limits: &[Limit],
    whole: &Measurements,
    parts: &[Part],
    over: bool,
) -> Vec<LimitVerdict> {
    limits.iter().flat_map(|limit| limit.verdicts(whole, parts, over)).collect()
}

/// Watches the limits that end the load. Times are durations since any fixed instant.
#[derive(Debug, Default)]
pub struct Watch {
    /// Since when a limit is broken, by its place among the limits and the stage.
    broken_since: BTreeMap<(usize, Option<String>), Duration>,
}

impl Watch {
    /// Looks at what was measured until now; the limit that has been broken for too long, if one has.
    pub fn look(
        &mut self,
        limits: &[Limit],
        whole: &Measurements,
        parts: &[Part],
        now: Duration,
    ) -> Option<LimitVerdict> {
        let mut overdue = None;
        for (n, limit) in limits.iter().enumerate().filter(|(_, limit)| limit.abort) {
            for verdict in limit.verdicts(whole, parts, false) {
                let key = (n, verdict.stage.clone());
                if !verdict.broken {
                    self.broken_since.remove(&key);
                    continue;
                }
                let since = *self.broken_since.entry(key).or_insert(now);
                if now.saturating_sub(since) >= limit.grace {
                    overdue.get_or_insert(verdict);
                }
            }
        }
        overdue
    }
}

#[cfg(test)]
mod tests {
    use xrpl_generator::StagePart;

    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn limit(figure: &'static str) -> Limit {
        Limit {
            figure,
            min: None,
            max: None,
            abort: false,
            grace: S(10),
            whole: true,
            stages: Stages::None,
        }
    }

    fn measured(validated: u64, failed: u64) -> Measurements {
        let failed = BTreeMap::from([("EXPIRED".to_owned(), failed)]);
        Measurements {
            sent_until: 10.0,
            validated_until: 10.0,
            submitted: 100,
            validated,
            failed,
            ..Measurements::default()
        }
    }

    fn part(name: &str, part: StagePart, validated: u64) -> Part {
        Part::new(name, part, measured(validated, 0))
    }

    fn told(limits: &[Limit], parts: &[Part], over: bool) -> Vec<(String, bool)> {
        let verdicts = judge(limits, &measured(90, 10), parts, over);
        verdicts.into_iter().map(|verdict| (verdict.to_string(), verdict.broken)).collect()
    }

    #[test]
    fn limits_are_judged_of_the_whole_and_of_stages() {
        let parts = [
            part("warm", StagePart::WarmUp, 1),
            part("one", StagePart::Steady, 80),
            part("two", StagePart::Steady, 95),
        ];
        let rate = Limit { min: Some(8.5), ..limit("validated_per_second") };
        let told = |limit: &Limit, parts: &[Part], over| {
            super::tests::told(std::slice::from_ref(limit), parts, over)
        };
        let whole = ("validated_per_second: 9/s, at least 8.5/s was asked".to_owned(), false);
        assert_eq!(told(&rate, &parts, true), std::slice::from_ref(&whole));
        let steady = ["one", "two", "three"].map(str::to_owned).to_vec();
        let each = Limit { stages: Stages::Steady(steady), ..rate.clone() };
        let one = (
            "validated_per_second of stage \"one\": 8/s, at least 8.5/s was asked".to_owned(),
            true,
        );
        assert_eq!(told(&each, &parts, false)[..2], [whole, one]);
        assert_eq!(told(&each, &parts, false).len(), 3, "no warm-up, and the third may be to come");
        let at_the_end = told(&each, &parts, true);
        assert!(at_the_end[3].1, "{at_the_end:?}");
        assert!(at_the_end[3].0.contains("\"three\": nothing was measured"), "{at_the_end:?}");
        let named = Limit {
            whole: false,
            stages: Stages::Named(vec!["warm".into(), "three".into()]),
            ..rate
        };
        assert_eq!(told(&named, &parts, false).len(), 1, "the third may be to come");
        let at_the_end = told(&named, &parts, true);
        assert!(at_the_end[0].1 && at_the_end[1].1, "{at_the_end:?}");
        assert!(at_the_end[1].0.contains("\"three\": nothing was measured"), "{at_the_end:?}");
    }

    #[test]
    fn both_bounds_are_asked() {
        for (min, max, broken) in [
            (None, Some(10.0), false),
            (None, Some(9.9), true),
            (Some(10.0), Some(10.0), false),
            (Some(10.1), None, true),
        ] {
            let failed = Limit { min, max, ..limit("failed_percent") };
            let verdicts = judge(&[failed], &measured(90, 10), &[], true);
            assert_eq!((verdicts[0].measured, verdicts[0].broken), (Some(10.0), broken));
        }
        let both = Limit { min: Some(1.0), max: Some(2.0), ..limit("failed_percent") };
        assert_eq!(
            told(&[both], &[], true)[0].0,
            "failed_percent: 10 %, at least 1 %, at most 2 % was asked"
        );
        // What nothing measured is not broken before the end.
        let reads = Limit { max: Some(5.0), ..limit("read_ms_p99") };
        assert!(!told(std::slice::from_ref(&reads), &[], false)[0].1);
        assert!(told(&[reads], &[], true)[0].1);
    }

    #[test]
    fn the_load_ends_when_a_limit_was_broken_for_its_grace_without_a_pause() {
        let limits = [
            Limit { max: Some(0.0), ..limit("failed_percent") },
            Limit { max: Some(5.0), abort: true, ..limit("failed_percent") },
        ];
        let mut watch = Watch::default();
        let mut look = |seconds, failed| {
            let verdict = watch.look(&limits, &measured(90, failed), &[], S(seconds));
            verdict.map(|verdict| verdict.asked)
        };
        assert_eq!(look(0, 9), None);
        assert_eq!(look(9, 9), None);
        assert_eq!(look(9, 4), None, "kept again in time");
        assert_eq!(look(12, 9), None);
        assert_eq!(look(21, 9), None);
        assert_eq!(look(22, 9), Some("at most 5 %".to_owned()));
    }
}
