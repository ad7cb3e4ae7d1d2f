//! A scenario file becomes what the run does: stages, reads and limits, each checked, and what is wrong named in
//! the file's own words.

use std::{path::Path, time::Duration};

use xrpl_generator::{Pace, Stage, StagePart, Until, pacing::MOST_TPS};

use super::{
    Scenario,
    file::{
        BurstFile, LimitFile, LimitStages, RampFile, ReadsFile, ScenarioFile, StageFile, StepsFile,
    },
};
use crate::{
    config::values::nearest,
    figures::{self, FIGURES},
    limits::{Limit, Stages},
    reads::{ReadLoad, ReadStream},
};

/// Subscriptions of one entry at most.
const MOST_SUBSCRIPTIONS: u32 = 10_000;

/// For how long a limit may be broken before the load ends, where nothing is said.
const GRACE: Duration = Duration::from_secs(10);

impl ScenarioFile {
    /// What the run does.
    ///
    /// # Errors
    /// Names the stage and what of it is wrong.
    pub fn scenario(&self, path: &Path) -> Result<Scenario, String> {
        let Self { about: _, run, stage, reads, limits } = self;
        if run.is_empty() && stage.is_empty() && reads.is_empty() && limits.is_empty() {
            return Err("it says nothing of the run: give a [[stage]], such as\n\n[[stage]]\n\
                 constant = 20\nduration = \"1m\""
                .to_owned());
        }
        let mut stages: Vec<Stage> = Vec::new();
        for (n, stage) in (1..).zip(&self.stage) {
            let name = stage.name.clone().unwrap_or_else(|| format!("stage {n}"));
            let last = n == self.stage.len();
            let read = stage.read(name.clone(), last);
            let read = read.map_err(|why| format!("stage {name:?}: {why}"))?;
            read.check().map_err(|error| error.to_string())?;
            if stages.iter().any(|other| other.name == read.name) {
                return Err(format!("two stages are called {name:?}: give each a name of its own"));
            }
            stages.push(read);
        }
        let name = path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into());
        let mut reads = Vec::new();
        for (n, entry) in (1..).zip(&self.reads) {
            reads.push(entry.read().map_err(|why| format!("reads, entry {n}: {why}"))?);
        }
        let mut limits = Vec::new();
        for (name, limit) in &self.limits {
            let wrong = |why: String| format!("limits: {name}: {why}");
            limits.push(limit.read(name, &stages, &reads).map_err(wrong)?);
        }
        Ok(Scenario {
            name,
            about: self.about.clone(),
            file: Some(path.into()),
            stages,
            reads,
            limits,
        })
    }
}

impl ReadsFile {
    fn read(&self) -> Result<ReadLoad, String> {
        let methods: Vec<_> = self
            .methods
            .iter()
            .map(|(method, weight)| (*method, *weight))
            .filter(|(_, weight)| *weight > 0)
            .collect();
        let rate = match (self.rate, methods.is_empty()) {
            (Some(rate), _) if !(rate > 0.0 && rate <= MOST_TPS) => {
                return Err(format!("rate: reads a second above 0, {MOST_TPS} at most"));
            }
            (Some(_), true) => {
                return Err("methods: what is read, such as { account_info = 1 }".to_owned());
            }
            (None, false) => return Err("rate: how many reads a second".to_owned()),
            (rate, _) => rate.unwrap_or(0.0),
        };
        let subscriptions = self.subscriptions.unwrap_or(0);
        if subscriptions > MOST_SUBSCRIPTIONS {
            return Err(format!("subscriptions: {MOST_SUBSCRIPTIONS} at most"));
        }
        let streams = match (&self.streams, subscriptions) {
            (Some(_), 0) => return Err("streams: of how many subscriptions?".to_owned()),
            (Some(streams), _) if streams.is_empty() => {
                return Err("streams: at least one, such as [\"ledger\"]".to_owned());
            }
            (Some(streams), _) => streams.clone(),
            (None, _) => vec![ReadStream::Ledger, ReadStream::Transactions],
        };
        if rate == 0.0 && subscriptions == 0 {
            return Err("rate and methods, subscriptions, or both".to_owned());
        }
        Ok(ReadLoad { rate, methods, subscriptions, streams })
    }
}

impl LimitFile {
    fn read(&self, name: &str, stages: &[Stage], reads: &[ReadLoad]) -> Result<Limit, String> {
        let Some(figure) = figures::find(name) else {
            let known = || FIGURES.iter().map(|figure| figure.name.to_owned());
            return Err(match nearest(name, known()) {
                Some(meant) => format!("there is no such figure: did you mean {meant:?}?"),
                None => format!(
                    "there is no such figure: there are {}",
                    known().collect::<Vec<_>>().join(", ")
                ),
            });
        };
        if figure.is_of_reads() && reads.iter().all(|read| read.rate == 0.0) {
            return Err("nothing is read: give [[reads]] with a rate and methods".to_owned());
        }
        let Self { min, max, abort, .. } = *self;
        if let Some(why) = min.into_iter().chain(max).find_map(|b| figure.wrong_bound(b)) {
            return Err(why);
        }
        match (min, max) {
            (None, None) => return Err("min or max must say what is asked".to_owned()),
            (Some(min), Some(max)) if min > max => {
                return Err(format!("min {min} is above max {max}: nothing keeps to that"));
            }
            _ => {}
        }
        if self.grace.is_some() && !abort {
            return Err(
                "grace: says when the load ends, which it does with abort = true".to_owned()
            );
        }
        let whole = self.whole.unwrap_or(true);
        let asked = match &self.stages {
            None | Some(LimitStages::All(false)) => Stages::None,
            Some(LimitStages::All(true)) => {
                let steady = stages.iter().filter(|stage| stage.part == StagePart::Steady);
                let names: Vec<_> = steady.map(|stage| stage.name.clone()).collect();
                match (stages.is_empty(), names.is_empty()) {
                    // That of the settings.
                    (true, _) => Stages::Steady(vec![Stage::of(Pace::Unlimited).name]),
                    (false, false) => Stages::Steady(names),
                    (false, true) => {
                        return Err("stages = true: there is no steady stage".to_owned());
                    }
                }
            }
            Some(LimitStages::Named(names)) => {
                let known = || stages.iter().map(|stage| stage.name.clone());
                if let Some(name) = names.iter().find(|name| !known().any(|known| known == **name))
                {
                    let meant = nearest(name, known())
                        .map_or_else(String::new, |meant| format!(": did you mean {meant:?}?"));
                    return Err(format!("there is no stage {name:?}{meant}"));
                }
                Stages::Named(names.clone())
            }
        };
        if !whole && asked == Stages::None {
            return Err("whole = false leaves nothing of which it is asked: give stages".to_owned());
        }
        let grace = self.grace.map_or(GRACE, |time| time.0);
        Ok(Limit { figure: figure.name, min, max, abort, grace, whole, stages: asked })
    }
}

impl StageFile {
    fn read(&self, name: String, last: bool) -> Result<Stage, String> {
        if self.duration.is_some() && self.ledgers.is_some() {
            return Err("duration and ledgers: give only one of them".to_owned());
        }
        if self.duration.is_some_and(|time| time.0.is_zero()) || self.ledgers == Some(0) {
            return Err("it must last longer than nothing".to_owned());
        }
        let pace = self.pace()?;
        let of_steps = match pace {
            Pace::Steps { every, .. } => pace.steps().and_then(|n| every.checked_mul(n)),
            _ => None,
        };
        let until = match (self.duration, self.ledgers) {
            (Some(time), _) => Until::Time(time.0),
            (None, Some(ledgers)) => Until::Ledgers(ledgers),
            (None, None) => match of_steps {
                Some(time) => Until::Time(time),
                None if last => Until::Stopped,
                None => return Err("duration or ledgers: others come after it".to_owned()),
            },
        };
        Ok(Stage {
            name,
            part: self.part,
            pace,
            until,
            mix: self.mix.clone(),
            modifiers: self.modifiers.clone(),
            intent_invalid: self.intent_invalid,
            fuzz: self.fuzz,
            journeys: self.journeys,
        })
    }

    fn pace(&self) -> Result<Pace, String> {
        let given: Vec<(&str, Pace)> = [
            ("constant", self.constant.map(Pace::Fixed)),
            ("ramp", self.ramp.as_ref().map(|ramp| self.ramp(ramp)).transpose()?),
            ("steps", self.steps.as_ref().map(|steps| self.steps(steps)).transpose()?),
            ("burst", self.burst.as_ref().map(BurstFile::pace)),
            ("per_ledger", self.per_ledger.map(Pace::PerLedger)),
            ("queue_depth", self.queue_depth.map(Pace::QueueDepth)),
            ("closed_loop", self.closed_loop.map(Pace::ClosedLoop)),
            ("unlimited", self.unlimited.filter(|yes| *yes).map(|_| Pace::Unlimited)),
        ]
        .into_iter()
        .filter_map(|(key, pace)| Some((key, pace?)))
        .collect();
        match given[..] {
            [(key, pace)] => pace.check().map(|()| pace).map_err(|why| format!("{key}: {why}")),
            [] => Err(
                "one of constant, ramp, steps, burst, per_ledger, queue_depth, closed_loop and \
                       unlimited must say how fast"
                    .to_owned(),
            ),
            [(first, _), (second, _), ..] => {
                Err(format!("{first} and {second}: only one of them can say how fast"))
            }
        }
    }

    fn ramp(&self, ramp: &RampFile) -> Result<Pace, String> {
        match self.duration {
            Some(over) => Ok(Pace::Ramp { from: ramp.from, to: ramp.to, over: over.0 }),
            None => Err("ramp: the stage needs a duration, in which the rate changes".to_owned()),
        }
    }

    fn steps(&self, steps: &StepsFile) -> Result<Pace, String> {
        let StepsFile { from, to, by, every } = *steps;
        let of = |every| Pace::Steps { from, to, by, every };
        match (every, self.duration) {
            (Some(every), _) => Ok(of(every.0)),
            (None, Some(time)) => {
                let whole = of(time.0);
                whole.check().map_err(|why| format!("steps: {why}"))?;
                Ok(of(time.0 / whole.steps().unwrap_or(1)))
            }
            (None, None) => {
                Err("steps: every, or a duration of the stage that they share".to_owned())
            }
        }
    }
}

impl BurstFile {
    fn pace(&self) -> Pace {
        let Self { base, peak, every, length } = *self;
        Pace::Burst { base, peak, every: every.0, length: length.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Scenario, String> {
        ScenarioFile::parse(text).and_then(|file| file.scenario(Path::new("of/some.toml")))
    }

    #[test]
    fn every_pace_is_read() {
        let text = r#"
            about = "all of them"
            [[stage]]
            constant = 5
            part = "warm_up"
            duration = "10s"
            [[stage]]
            ramp = { from = 0, to = 50 }
            duration = 90
            [[stage]]
            steps = { from = 10, to = 30, by = 10, every = "1m" }
            [[stage]]
            steps = { from = 10, to = 30, by = 10 }
            duration = "30s"
            [[stage]]
            burst = { base = 1, peak = 9, every = "10s", length = "500ms" }
            ledgers = 12
            [[stage]]
            name = "fill"
            per_ledger = 40
            ledgers = 3
            mix = { Payment = 3, OfferCreate = 1 }
            modifiers = { ticket = 50 }
            intent_invalid = 2.5
            fuzz = 7
            journeys = 6
            [[stage]]
            queue_depth = 200
            duration = 60
            [[stage]]
            closed_loop = 64
            duration = 60
            [[stage]]
            unlimited = true
        "#;
        let scenario = read(text).unwrap();
        assert_eq!((scenario.name.as_str(), scenario.stages.len()), ("some", 9));
        let s = Duration::from_secs;
        let told: Vec<_> =
            scenario.stages.iter().map(|stage| (stage.pace.to_string(), stage.until)).collect();
        let expected = [
            ("5/s", Until::Time(s(10))),
            ("0/s to 50/s within 90s", Until::Time(s(90))),
            ("10/s to 30/s by 10 every 60s", Until::Time(s(180))),
            ("10/s to 30/s by 10 every 10s", Until::Time(s(30))),
            ("1/s, and 9/s for 500ms every 10s", Until::Ledgers(12)),
            ("40 a ledger", Until::Ledgers(3)),
            ("200 in the node's queue", Until::Time(s(60))),
            ("64 in flight", Until::Time(s(60))),
            ("unlimited", Until::Stopped),
        ];
        assert_eq!(told, expected.map(|(pace, until)| (pace.to_owned(), until)));
        assert_eq!(scenario.stages[0].part, StagePart::WarmUp);
        assert_eq!(scenario.stages[1].name, "stage 2");
        let fill = &scenario.stages[5];
        assert_eq!(fill.mix.as_ref().unwrap()["OfferCreate"], 1);
        assert_eq!((fill.modifiers["ticket"], fill.intent_invalid), (50, Some(2.5)));
        assert_eq!((fill.fuzz, fill.journeys), (Some(7.0), Some(6.0)));
    }

    #[test]
    fn reads_are_read() {
        let text = r#"
            [[reads]]
            rate = 50
            methods = { account_info = 5, ledger = 1, fee = 0 }
            [[reads]]
            subscriptions = 20
        "#;
        let told: Vec<_> = read(text).unwrap().reads.iter().map(ToString::to_string).collect();
        let expected = ["50/s: account_info 5, ledger 1", "20 subscriptions: ledger, transactions"];
        assert_eq!(told, expected);
    }

    #[test]
    fn limits_are_read() {
        let text = r#"
            [[stage]]
            name = "one"
            constant = 1
            [limits]
            finality_ms_p99 = { max = 8_000, abort = true, grace = "1m" }
            failed_percent = { max = 0.5, stages = true }
            validated_per_second = { min = 45, whole = false, stages = ["one"] }
        "#;
        let limits = read(text).unwrap().limits;
        let of = |name: &str| limits.iter().find(|limit| limit.figure == name).unwrap();
        let finality = of("finality_ms_p99");
        assert_eq!((finality.max, finality.abort), (Some(8_000.0), true));
        assert_eq!(finality.grace, Duration::from_secs(60));
        assert_eq!((finality.whole, &finality.stages), (true, &Stages::None));
        assert_eq!(of("failed_percent").stages, Stages::Steady(vec!["one".into()]));
        assert_eq!(of("failed_percent").grace, Duration::from_secs(10));
        let rate = of("validated_per_second");
        assert_eq!((rate.min, rate.whole), (Some(45.0), false));
        assert_eq!(rate.stages, Stages::Named(vec!["one".into()]));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_what_was_meant() {
        for (text, said) in [
            (
                "[[stage]]\ndutation = \"5m\"",
                "line 2: unknown key \"dutation\": did you mean \"duration\"?",
            ),
            ("[[stages]]", "unknown key \"stages\": did you mean \"stage\"?"),
            ("zebra = 1", "there are about, run, stage, reads, limits"),
            (
                "[[stage]]\nconstant = 1\nramp = { from = 1, too = 2 }",
                "line 3: unknown key \"too\": did you mean \"to\"?",
            ),
            ("[[stage]]\npart = \"warmup\"\nconstant = 1", "did you mean \"warm_up\"?"),
            ("[[stage]]\nconstant = 1\nduration = \"soon\"", "line 3: expected a time such as"),
            ("[[stage]]\nconstant = \"fast\"", "line 2: invalid type: string \"fast\""),
            ("[[stage]]\nduration = \"5m\"", "must say how fast"),
            ("[[stage]]\nunlimited = false", "must say how fast"),
            (
                "[[stage]]\nconstant = 1\nburst = { base = 1, peak = 2, every = 3, length = 1 }",
                "stage \"stage 1\": constant and burst: only one",
            ),
            ("[[stage]]\nconstant = 0", "constant: a rate above 0"),
            ("[[stage]]\nconstant = 1\nduration = 5\nledgers = 5", "give only one"),
            ("[[stage]]\nconstant = 1\nduration = 0", "longer than nothing"),
            ("[[stage]]\nconstant = 1\n[[stage]]\nconstant = 1", "others come after it"),
            ("[[stage]]\nramp = { from = 1, to = 2 }\nledgers = 3", "needs a duration"),
            ("[[stage]]\nsteps = { from = 1, to = 2, by = 1 }", "every, or a duration"),
            ("[[stage]]\nsteps = { from = 1, to = 2, by = 0 }\nduration = 9", "steps: by"),
            ("[[stage]]\nsteps = { from = 9, to = 2, by = -1 }\nduration = 9", "steps: by"),
            ("[[stage]]\nsteps = { from = 2, to = 2, by = 1 }\nduration = 9", "the same rate"),
            ("[[stage]]\nname = \" \"\nconstant = 1", "name: a stage needs one"),
            (
                "[[stage]]\nconstant = 1\nmix = { Paymnet = 1 }",
                "mix: unknown transaction type \"Paymnet\": did you mean \"Payment\"?",
            ),
            ("[[stage]]\nconstant = 1\nmodifiers = { tickets = 1 }", "no modifier \"tickets\""),
            ("[[stage]]\nconstant = 1\nintent_invalid = 101", "a percentage from 0 to 100"),
            ("[[stage]]\nconstant = 1\nfuzz = -1", "fuzz: a percentage from 0 to 100"),
            ("[[stage]]\nconstant = 1\njourneys = -1", "journeys: how many in a minute"),
            (
                "[[stage]]\nname = \"a\"\nconstant = 1\nduration = 1\n[[stage]]\nname = \"a\"\nconstant = 1",
                "two stages are called \"a\"",
            ),
            ("[[stage]\n", "line 1"),
            ("", "it says nothing of the run"),
            ("about = \"x\"", "give a [[stage]]"),
            ("[[reads]]\nrate = 5", "reads, entry 1: methods"),
            ("[[reads]]\nmethods = { fee = 1 }", "reads, entry 1: rate"),
            ("[[reads]]", "rate and methods, subscriptions, or both"),
            ("[[reads]]\nrate = 0\nmethods = { fee = 1 }", "above 0"),
            (
                "[[reads]]\nrate = 1\nmethods = { fees = 1 }",
                "unknown value \"fees\": did you mean \"fee\"?",
            ),
            ("[[reads]]\nsubscriptions = 3\nstreams = [\"ledgers\"]", "did you mean \"ledger\"?"),
            ("[[reads]]\nstreams = [\"ledger\"]", "of how many"),
            (
                "[limits]\nfinality_ms_p98 = { max = 1 }",
                "limits: finality_ms_p98: there is no such figure: did you mean \"finality_ms_p90\"?",
            ),
            ("[limits]\nzebra = { max = 1 }", "there are validated_per_second, "),
            ("[limits]\nqueue_max = {}", "min or max must say"),
            ("[limits]\nqueue_max = { max = -1 }", "queue_max: -1: a figure is never below 0"),
            ("[limits]\nqueue_max = { max = nan }", "NaN: a figure is never"),
            ("[limits]\nfailed_percent = { max = 101 }", "100 % at most"),
            ("[limits]\nread_ms_p99 = { max = 5 }", "read_ms_p99: nothing is read"),
            (
                "[limits]\nread_ms_p99 = { max = 5 }\n[[reads]]\nsubscriptions = 1",
                "give [[reads]] with a rate",
            ),
            ("[limits]\nqueue_max = { min = 2, max = 1 }", "nothing keeps to that"),
            (
                "[limits]\nqueue_max = { mx = 1 }",
                "line 2: unknown key \"mx\": did you mean \"max\"?",
            ),
            ("[limits]\nqueue_max = { max = 1, grace = \"5s\" }", "abort = true"),
            ("[limits]\nqueue_max = { max = 1, whole = false }", "give stages"),
            (
                "[limits]\nqueue_max = { max = 1, stages = true }\n[[stage]]\npart = \"warm_up\"\nconstant = 1",
                "there is no steady stage",
            ),
            (
                "[limits]\nqueue_max = { max = 1, stages = [\"on\"] }\n[[stage]]\nname = \"one\"\nconstant = 1",
                "there is no stage \"on\": did you mean \"one\"?",
            ),
        ] {
            let why = read(text).unwrap_err();
            assert!(why.contains(said), "{text}\n{why}");
        }
    }
}
