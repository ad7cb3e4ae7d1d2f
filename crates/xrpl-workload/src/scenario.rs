//! What a run does, stage by stage: from a file, or, where there is none, one stage made of the settings.

use std::{path::PathBuf, time::Duration};

use serde::Serialize;
use utoipa::ToSchema;
use xrpl_generator::{Capacity, Pace, Stage, StagePart, StageProgress, Until};

use crate::{limits::Limit, reads::ReadLoad};

pub mod file;
mod read;
mod schema;

pub(crate) use schema::is_allowed;
pub use schema::{SCHEMA, made as made_schema};

/// What a run does.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The file's name without its ending, or `settings`.
    pub name: String,
    /// What it is for.
    pub about: Option<String>,
    /// The file.
    pub file: Option<PathBuf>,
    /// One after the other.
    pub stages: Vec<Stage>,
    /// What is read beside.
    pub reads: Vec<ReadLoad>,
    /// What it must keep to.
    pub limits: Vec<Limit>,
}

impl Scenario {
    /// Of `--tps` and `--duration`: one stage.
    #[must_use]
    pub fn of_settings(tps: f64, duration: Option<Duration>) -> Self {
        let until = duration.map_or(Until::Stopped, Until::Time);
        Self {
            name: "settings".to_owned(),
            about: None,
            file: None,
            stages: vec![Stage { until, ..Stage::of(Pace::from_tps(tps)) }],
            reads: Vec::new(),
            limits: Vec::new(),
        }
    }

    /// In less or more time: rates stay; times and numbers of ledgers are multiplied.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        for stage in &mut self.stages {
            stage.pace = stage.pace.scaled(factor);
            stage.until = match stage.until {
                Until::Stopped => Until::Stopped,
                Until::Time(time) => Until::Time(time.mul_f64(factor)),
                Until::Ledgers(n) => Until::Ledgers(((f64::from(n) * factor).ceil() as u32).max(1)),
            };
        }
        for limit in &mut self.limits {
            limit.grace = limit.grace.mul_f64(factor);
        }
        self
    }

    /// The highest rate that the clock asks for; 0 where it never does.
    #[must_use]
    pub fn peak_tps(&self) -> f64 {
        self.stages.iter().filter_map(|stage| stage.pace.peak()).fold(0.0, f64::max)
    }

    /// The largest share that is generated at random in a stage, percent, where that of the run is this.
    #[must_use]
    pub fn peak_fuzz(&self, of_run: f64) -> f64 {
        self.stages.iter().filter_map(|stage| stage.fuzz).fold(of_run, f64::max)
    }

    /// How many transactions may be in flight at once, where ledgers are so far apart; none if as many
    /// as there can be.
    #[must_use]
    pub fn places(&self, interval: Duration) -> Option<f64> {
        let of = |stage: &Stage| Capacity::places_for(stage.pace, interval);
        self.stages.iter().map(of).try_fold(0.0, |most, places| Some(f64::max(most, places?)))
    }

    /// Whether it comes to an end by itself.
    #[must_use]
    pub fn has_end(&self) -> bool {
        self.stages.last().is_some_and(|stage| stage.until != Until::Stopped)
    }

    /// How long all stages take; none if that is not known before.
    #[must_use]
    pub fn time(&self) -> Option<Duration> {
        self.stages
            .iter()
            .map(|stage| match stage.until {
                Until::Time(time) => Some(time),
                Until::Stopped | Until::Ledgers(_) => None,
            })
            .sum()
    }

    /// For people and machines.
    #[must_use]
    pub fn outline(&self) -> Outline {
        let percent = |(name, share): (&String, &u32)| format!("{name} {share} %");
        let stage = |stage: &Stage| OutlineStage {
            name: stage.name.clone(),
            part: stage.part,
            pace: stage.pace.to_string(),
            seconds: match stage.until {
                Until::Time(time) => Some(time.as_secs_f64()),
                Until::Stopped | Until::Ledgers(_) => None,
            },
            ledgers: match stage.until {
                Until::Ledgers(n) => Some(n),
                Until::Stopped | Until::Time(_) => None,
            },
            mix: stage.mix.iter().flatten().map(|(name, n)| format!("{name} {n}")).collect(),
            modifiers: stage.modifiers.iter().map(percent).collect(),
            intent_invalid: stage.intent_invalid,
            fuzz: stage.fuzz,
            journeys: stage.journeys,
        };
        Outline {
            name: self.name.clone(),
            about: self.about.clone(),
            seconds: self.time().map(|time| time.as_secs_f64()),
            stages: self.stages.iter().map(stage).collect(),
            reads: self.reads.iter().map(ToString::to_string).collect(),
            limits: self.limits.iter().map(ToString::to_string).collect(),
        }
    }
}

/// What a run does, in words and numbers.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Outline {
    /// The file's name without its ending, or `settings`.
    pub name: String,
    /// What it is for.
    pub about: Option<String>,
    /// How long all stages take; none if that is not known before.
    pub seconds: Option<f64>,
    /// One after the other.
    pub stages: Vec<OutlineStage>,
    /// What is read beside, in words.
    pub reads: Vec<String>,
    /// What it must keep to, in words.
    pub limits: Vec<String>,
}

/// A stage in words and numbers.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OutlineStage {
    /// Its name.
    pub name: String,
    /// What its figures are good for.
    pub part: StagePart,
    /// How fast.
    pub pace: String,
    /// How long it lasts, where the clock ends it.
    pub seconds: Option<f64>,
    /// How many ledgers it lasts, where their number ends it.
    pub ledgers: Option<u32>,
    /// The types that are sent, with their weights; empty for those of the run.
    pub mix: Vec<String>,
    /// Modifiers that differ from those of the run.
    pub modifiers: Vec<String>,
    /// Percentage of deliberately invalid ones, where it is not that of the run.
    pub intent_invalid: Option<f64>,
    /// Percentage drawn at random, where it is not that of the run.
    pub fuzz: Option<f64>,
    /// How many journeys begin in a minute, where it is not as in the run.
    pub journeys: Option<f64>,
}

/// Where a run is among its stages, in words.
#[must_use]
pub fn progress_text(progress: &StageProgress) -> String {
    let mut parts = vec![format!("{} ({} of {})", progress.name, progress.stage, progress.stages)];
    if let (Some(step), Some(steps)) = (progress.step, progress.steps) {
        parts.push(format!("step {step} of {steps}"));
    }
    parts.push(match progress.target_tps {
        Some(tps) => format!("{:.1}/s", tps),
        None => progress.pace.clone(),
    });
    match (progress.seconds_left, progress.ledgers_left) {
        (Some(seconds), _) => parts.push(format!("{} left", time_text(seconds.floor()))),
        (_, Some(ledgers)) => parts.push(format!("{ledgers} ledgers left")),
        _ => {}
    }
    if progress.stages > 1
        && let Some(seconds) = progress.run_seconds_left
    {
        parts.push(format!("run {}", time_text(seconds.floor())));
    }
    if progress.over {
        parts.push("over".to_owned());
    }
    parts.join(", ")
}

/// A time as people write it.
#[must_use]
pub fn time_text(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    let parts = [(whole / 3600, "h"), (whole / 60 % 60, "m"), (whole % 60, "s")];
    let text: String =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    match (text.is_empty(), seconds > 0.0) {
        (true, true) => format!("{seconds:.1}s"),
        (true, false) => "0s".to_owned(),
        (false, _) => text,
    }
}

impl OutlineStage {
    /// How long it lasts, in words.
    #[must_use]
    pub fn length(&self) -> String {
        match (self.seconds, self.ledgers) {
            (Some(seconds), _) => time_text(seconds),
            (_, Some(1)) => "1 ledger".to_owned(),
            (_, Some(n)) => format!("{n} ledgers"),
            _ => "until it is stopped".to_owned(),
        }
    }

    fn special(&self) -> String {
        let mut parts = Vec::new();
        match self.part {
            StagePart::WarmUp => parts.push("warm-up".to_owned()),
            StagePart::CoolDown => parts.push("cool-down".to_owned()),
            StagePart::Steady => {}
        }
        if !self.mix.is_empty() {
            parts.push(self.mix.join(", "));
        }
        if !self.modifiers.is_empty() {
            parts.push(self.modifiers.join(", "));
        }
        if let Some(percent) = self.intent_invalid {
            parts.push(format!("{percent} % invalid"));
        }
        if let Some(percent) = self.fuzz {
            parts.push(format!("{percent} % at random"));
        }
        if let Some(rate) = self.journeys {
            parts.push(format!("{rate} journeys a minute"));
        }
        parts.join("; ")
    }
}

impl std::fmt::Display for Outline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some(about) = &self.about {
            write!(f, ": {about}")?;
        }
        let stages = match self.stages.len() {
            1 => "1 stage".to_owned(),
            n => format!("{n} stages"),
        };
        let time = self.seconds.map_or_else(String::new, |s| format!(", {}", time_text(s)));
        write!(f, "\n  {stages}{time}")?;
        let rows: Vec<_> = self.stages.iter().map(|s| (s.length(), s.pace.clone())).collect();
        let widest =
            |width: fn(&OutlineStage) -> usize| self.stages.iter().map(width).max().unwrap_or(0);
        let name = widest(|stage| stage.name.chars().count());
        let length = rows.iter().map(|row| row.0.len()).max().unwrap_or(0);
        let pace = widest(|stage| stage.pace.len());
        for (stage, (its_length, its_pace)) in self.stages.iter().zip(&rows) {
            let line = format!(
                "  {:name$}  {its_length:length$}  {its_pace:pace$}  {}",
                stage.name,
                stage.special()
            );
            write!(f, "\n{}", line.trim_end())?;
        }
        for reads in &self.reads {
            write!(f, "\n  reads: {reads}")?;
        }
        for limit in &self.limits {
            write!(f, "\n  limit: {limit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_one_stage() {
        let scenario = Scenario::of_settings(0.0, None);
        assert_eq!(scenario.stages, [Stage::of(Pace::Unlimited)]);
        assert_eq!((scenario.peak_tps(), scenario.time()), (0.0, None));
        let scenario = Scenario::of_settings(5.0, Some(Duration::from_secs(90)));
        assert_eq!((scenario.peak_tps(), scenario.time()), (5.0, Some(Duration::from_secs(90))));
    }

    #[test]
    fn times_are_scaled_and_rates_are_not() {
        let burst = Pace::Burst {
            base: 1.0,
            peak: 9.0,
            every: Duration::from_secs(60),
            length: Duration::from_secs(6),
        };
        let stage = |pace, until| Stage { until, ..Stage::of(pace) };
        let scenario = Scenario {
            stages: vec![
                stage(burst, Until::Time(Duration::from_secs(600))),
                stage(Pace::PerLedger(5), Until::Ledgers(15)),
            ],
            ..Scenario::of_settings(1.0, None)
        };
        let scaled = scenario.scaled(0.1);
        assert_eq!(scaled.stages[0].until, Until::Time(Duration::from_secs(60)));
        assert_eq!(scaled.stages[0].pace.peak(), Some(9.0));
        assert_eq!(scaled.stages[0].pace.to_string(), "1/s, and 9/s for 600ms every 6s");
        assert_eq!(scaled.stages[1].until, Until::Ledgers(2));
    }

    #[test]
    fn times_in_words() {
        for (seconds, text) in
            [(0.0, "0s"), (0.25, "0.2s"), (59.0, "59s"), (90.0, "1m30s"), (86_400.0, "24h")]
        {
            assert_eq!(time_text(seconds), text);
        }
    }
}
