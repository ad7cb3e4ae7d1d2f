//! The record of a run: what it was told, what it came to, and how it went, as one JSON object. It is
//! what the store keeps of each start of the program, what `GET /runs/{id}` answers, and what `report`
//! and `compare` are made from.

use std::{cmp::Ordering, collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xrpl_generator::StagePart;
use xrpl_tracker::{
    IntentKind,
    record::RunId,
    store::{SessionHead, SessionId},
};

use crate::{figures::Measurements, limits::LimitVerdict};

/// Version of the record's form; another one may not be read.
pub const FORMAT: u32 = 1;

/// Samples kept of a run, at most; then each two become one.
const MOST_SAMPLES: usize = 1_200;

/// The name of one start of the program on a run: `7`, or `7.2` where it is the second one on run 7,
/// which goes on when the program is started again on the same chain and store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunName(pub SessionId);

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            SessionId { run, session: 1 } => write!(f, "{}", run.0),
            SessionId { run, session } => write!(f, "{}.{session}", run.0),
        }
    }
}

impl FromStr for RunName {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (run, session) = text.split_once('.').unwrap_or((text, "1"));
        Ok(Self(SessionId { run: RunId(run.parse()?), session: session.parse()? }))
    }
}

/// Whether a run has come to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// It goes on.
    #[default]
    Running,
    /// It ended in order.
    Ended,
    /// Its load was ended before its time: by somebody, a broken limit, a reset, or because it could not
    /// go on. A load without an end of its own ends in order however it ends.
    Stopped,
    /// The program was killed; what is recorded is from a moment before.
    Aborted,
}

impl Condition {
    /// As in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ended => "ended",
            Self::Stopped => "stopped",
            Self::Aborted => "aborted",
        }
    }

    /// Of a session that noted this: `ended` is whether it noted its end, `live` whether a process writes
    /// its store, `newest` whether none came after it.
    #[must_use]
    pub fn of(noted: Self, ended: bool, live: bool, newest: bool) -> Self {
        match (ended, live && newest) {
            (true, _) if noted == Self::Stopped => Self::Stopped,
            (true, _) => Self::Ended,
            (false, true) => Self::Running,
            (false, false) => Self::Aborted,
        }
    }
}

/// What a list of runs shows of one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RunHead {
    /// Its id.
    pub run: String,
    /// What `--name` called it.
    pub name: Option<String>,
    /// Whether it has ended.
    pub condition: Condition,
    /// When it began, milliseconds since 1970.
    pub began_at_ms: u64,
    /// When this was noted, milliseconds since 1970.
    pub noted_at_ms: u64,
    /// How long its load ran, seconds.
    pub load_seconds: f64,
    /// The nodes.
    pub endpoint: String,
    /// Figures of the whole.
    pub figures: BTreeMap<String, f64>,
    /// How many things went wrong.
    pub failures: usize,
    /// Why the generator did not keep its schedule, if it did not.
    pub not_kept: Option<String>,
}

impl RunHead {
    /// Of what the store has of a session.
    #[must_use]
    pub fn of(session: &SessionHead, live: bool, newest: bool) -> Self {
        // Nothing was noted yet, or by a program that noted other things: what the store knows stays.
        let noted: Self = serde_json::from_str(&session.head).unwrap_or_default();
        Self {
            run: RunName(session.id).to_string(),
            condition: Condition::of(noted.condition, session.ended, live, newest),
            began_at_ms: session.began_at_ms,
            noted_at_ms: session.noted_at_ms,
            ..noted
        }
    }
}

/// A node that was driven.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Node {
    /// Its address.
    pub name: String,
    /// `build_version` of its `server_info`; none if it did not say.
    pub version: Option<String>,
    /// Its network's id, if it said it.
    pub network_id: Option<u32>,
    /// `server_state`, as it was when the run began.
    pub state: Option<String>,
}

/// A setting that held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SettingTold {
    /// Its key.
    pub key: String,
    /// Its value; `<redacted>` for a secret.
    pub value: String,
    /// Where the value comes from.
    pub origin: String,
    /// Whether it has its default because nobody set it.
    pub is_default: bool,
}

/// A stage of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// What its figures are good for: those of the steady stages are the run's.
    pub part: StagePart,
    /// Its figures.
    pub figures: BTreeMap<String, f64>,
    /// What they are taken from.
    pub measured: Measurements,
}

impl Part {
    /// A stage and what was measured of it.
    #[must_use]
    pub fn new(name: impl Into<String>, part: StagePart, measured: Measurements) -> Self {
        Self { name: name.into(), part, figures: named(&measured), measured }
    }
}

/// Figures by name, as a record has them.
#[must_use]
pub fn named(measured: &Measurements) -> BTreeMap<String, f64> {
    measured.figures().into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The stages that count together: the steady ones, or all if there is none of these.
#[must_use]
pub fn whole(parts: &[Part]) -> Measurements {
    let steady = |part: &&Part| part.part == StagePart::Steady;
    let any = parts.iter().any(|part| steady(&part));
    let counted = parts.iter().filter(|part| !any || steady(part)).map(|part| &part.measured);
    counted.cloned().reduce(|all, one| all.plus(&one)).unwrap_or_default()
}

/// Transactions of one type that ended in one way, those of the preparation left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Ends {
    /// TransactionType.
    pub transaction_type: String,
    /// The terminal state.
    pub state: String,
    /// The final result; none where there is no such thing.
    pub result: Option<String>,
    /// What they were meant to do.
    pub intent: IntentKind,
    /// How many.
    pub count: u64,
}

impl Ends {
    /// Whether these are failures of transactions meant to succeed: a `tec` claims a fee and does nothing else.
    #[must_use]
    pub fn failed(&self) -> bool {
        let succeeded = self.result.as_deref().is_some_and(|result| result.starts_with("tes"));
        self.intent == IntentKind::Valid && (self.state != "VALIDATED" || !succeeded)
    }
}

/// How things were during a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RunSample {
    /// Its end, seconds after the load began.
    pub seconds: f64,
    /// How long it is.
    pub over: f64,
    /// The newest validated ledger at its end.
    pub ledger_index: u32,
    /// Transactions submitted until then.
    pub submitted: u64,
    /// Validated until then.
    pub validated: u64,
    /// Without a final state then.
    pub pending: u64,
    /// Submitted per second.
    pub submitted_per_second: f64,
    /// Validated a second.
    pub validated_per_second: f64,
    /// Of those validated in it: half were within this time, milliseconds.
    pub finality_ms_p50: Option<u64>,
    /// Of those validated in it: ninety-nine of a hundred were within this time, milliseconds.
    pub finality_ms_p99: Option<u64>,
    /// The node's queue, at most.
    pub queue: Option<u64>,
    /// What got into the open ledger, drops, at most.
    pub open_ledger_fee: Option<u64>,
    /// `load_factor`, at most.
    pub load_factor: Option<f64>,
    /// The longest time between two ledgers that ended in it, milliseconds.
    pub ledger_interval_ms: Option<u64>,
    /// How far one node was behind another, ledgers, at most.
    pub lag_ledgers: Option<u64>,
}

/// The larger one, where there is one.
fn most<T: PartialOrd>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(a), Some(b)) => Some(if a.partial_cmp(&b) == Some(Ordering::Less) { b } else { a }),
        (one, other) => one.or(other),
    }
}

impl RunSample {
    /// This stretch and the next one as one: rates by the time that each took, of the rest the worse.
    #[must_use]
    pub fn and(&self, next: &Self) -> Self {
        let over = self.over + next.over;
        let rate = |a: f64, b: f64| match over > 0.0 {
            true => (a * self.over + b * next.over) / over,
            false => 0.0,
        };
        Self {
            over,
            submitted_per_second: rate(self.submitted_per_second, next.submitted_per_second),
            validated_per_second: rate(self.validated_per_second, next.validated_per_second),
            finality_ms_p50: most(self.finality_ms_p50, next.finality_ms_p50),
            finality_ms_p99: most(self.finality_ms_p99, next.finality_ms_p99),
            queue: most(self.queue, next.queue),
            open_ledger_fee: most(self.open_ledger_fee, next.open_ledger_fee),
            load_factor: most(self.load_factor, next.load_factor),
            ledger_interval_ms: most(self.ledger_interval_ms, next.ledger_interval_ms),
            lag_ledgers: most(self.lag_ledgers, next.lag_ledgers),
            ..next.clone()
        }
    }
}

/// Samples of a run however long: when there are too many, each two become one, and so will those to
/// come.
#[derive(Clone, Debug)]
pub struct Thinned {
    /// How many seconds one of them covers.
    every: u32,
    samples: Vec<RunSample>,
    /// What has come of the next one, and how many.
    partly: Option<(RunSample, u32)>,
}

impl Default for Thinned {
    fn default() -> Self {
        Self { every: 1, samples: Vec::new(), partly: None }
    }
}

impl Thinned {
    /// Takes the next second.
    pub fn push(&mut self, sample: RunSample) {
        let (sample, n) = match self.partly.take() {
            Some((partly, n)) => (partly.and(&sample), n + 1),
            None => (sample, 1),
        };
        if n < self.every {
            self.partly = Some((sample, n));
            return;
        }
        self.samples.push(sample);
        if self.samples.len() >= MOST_SAMPLES {
            let pairs = self.samples.chunks(2);
            let one = |pair: &[RunSample]| pair.iter().cloned().reduce(|a, b| a.and(&b));
            self.samples = pairs.filter_map(one).collect();
            self.every *= 2;
        }
    }

    /// All of them, what has come of the last one too.
    #[must_use]
    pub fn all(&self) -> Vec<RunSample> {
        let partly = self.partly.iter().map(|(sample, _)| sample);
        self.samples.iter().chain(partly).cloned().collect()
    }
}

/// The record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Record {
    /// Version of this form.
    pub format: u32,
    /// Version of the program that wrote it.
    pub program: String,
    /// What a list shows.
    #[serde(flatten)]
    pub head: RunHead,
    /// The nodes and what they are.
    pub nodes: Vec<Node>,
    /// Accounts and transactions follow from it.
    pub seed: String,
    /// Every setting that a run has.
    pub settings: Vec<SettingTold>,
    /// Why the target rate could not be reached, if it could not.
    pub shortfall: Option<String>,
    /// What went wrong, in words.
    pub failed: Vec<String>,
    /// The limits, and what was measured.
    pub limits: Vec<LimitVerdict>,
    /// The first and the newest validated ledger of it.
    pub ledgers: (u32, u32),
    /// All transactions by state, those of the preparation too.
    pub by_state: BTreeMap<String, u64>,
    /// How the load's transactions ended, the most frequent first.
    pub ends: Vec<Ends>,
    /// What was measured of the whole: the steady stages.
    pub measured: Measurements,
    /// Stage by stage.
    pub parts: Vec<Part>,
    /// How it went.
    pub samples: Vec<RunSample>,
}

/// What is no record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// No JSON, or something else.
    #[error("it is no record of a run: {0}")]
    NotOne(#[from] serde_json::Error),
    /// Of another program.
    #[error(
        "it has form {found}, and this program knows form {FORMAT}: make it with the same program"
    )]
    Form {
        /// The form it has.
        found: u32,
    },
}

impl Record {
    /// Reads one.
    ///
    /// # Errors
    /// It is no record, or one of another form.
    pub fn read(text: &str) -> Result<Self, RecordError> {
        let record: Self = serde_json::from_str(text)?;
        match record.format {
            FORMAT => Ok(record),
            found => Err(RecordError::Form { found }),
        }
    }

    /// What people call it: its name, or its id.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.head.name {
            Some(name) => format!("{name} (run {})", self.head.run),
            None => format!("run {}", self.head.run),
        }
    }

    /// What the versions of its nodes are, each once.
    #[must_use]
    pub fn versions(&self) -> Vec<&str> {
        let mut versions: Vec<_> = self.nodes.iter().filter_map(|n| n.version.as_deref()).collect();
        versions.sort_unstable();
        versions.dedup();
        versions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(n: u32) -> RunSample {
        RunSample {
            seconds: f64::from(n + 1),
            over: 1.0,
            validated: u64::from(n + 1) * 10,
            validated_per_second: 10.0,
            finality_ms_p99: Some(u64::from(n % 7)),
            queue: n.is_multiple_of(3).then_some(u64::from(n)),
            ..RunSample::default()
        }
    }

    #[test]
    fn names_of_runs() {
        for (text, run, session) in [("7", 7, 1), ("7.2", 7, 2)] {
            let name: RunName = text.parse().unwrap();
            assert_eq!(name.0, SessionId { run: RunId(run), session });
            assert_eq!(name.to_string(), text);
        }
        for wrong in ["", "x", "1.", ".2", "-1", "1.2.3", "latest"] {
            assert!(wrong.parse::<RunName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_run_that_did_not_end_goes_on_only_where_its_store_is_written() {
        use Condition::{Aborted, Ended, Running, Stopped};
        for (noted, ended, live, newest, condition) in [
            (Ended, true, true, true, Ended),
            (Ended, true, false, false, Ended),
            (Running, true, false, false, Ended),
            (Stopped, true, true, true, Stopped),
            (Stopped, true, false, false, Stopped),
            (Running, false, true, true, Running),
            (Running, false, true, false, Aborted),
            (Running, false, false, true, Aborted),
        ] {
            assert_eq!(Condition::of(noted, ended, live, newest), condition);
        }
    }

    #[test]
    fn samples_are_bounded_and_nothing_is_lost_from_them() {
        let mut thinned = Thinned::default();
        for n in 0..100_000 {
            thinned.push(sample(n));
            assert!(thinned.samples.len() < MOST_SAMPLES);
        }
        let all = thinned.all();
        assert!(all.len() > MOST_SAMPLES / 2, "{}", all.len());
        let last = all.last().unwrap();
        assert_eq!((last.seconds, last.validated), (100_000.0, 1_000_000));
        assert!(all.iter().all(|s| (s.validated_per_second - 10.0).abs() < 1e-9));
        assert!((all.iter().map(|s| s.over).sum::<f64>() - 100_000.0).abs() < 1e-6);
        assert!(
            all.iter().all(|s| s.finality_ms_p99 == Some(6) || s.over < 7.0),
            "the worst stays"
        );
    }

    #[test]
    fn a_short_run_keeps_every_second() {
        let mut thinned = Thinned::default();
        (0..1_000).for_each(|n| thinned.push(sample(n)));
        assert_eq!(thinned.all(), (0..1_000).map(sample).collect::<Vec<_>>());
    }

    #[test]
    fn warm_up_and_cool_down_are_no_part_of_the_whole() {
        let part = |name: &str, kind, submitted| {
            Part::new(name, kind, Measurements { submitted, ..Measurements::default() })
        };
        let parts = [
            part("warm-up", StagePart::WarmUp, 1),
            part("one", StagePart::Steady, 10),
            part("two", StagePart::Steady, 20),
            part("after", StagePart::CoolDown, 2),
        ];
        assert_eq!(whole(&parts).submitted, 30);
        assert_eq!(whole(&parts[..1]).submitted, 1, "nothing else was measured");
        assert_eq!(whole(&[]), Measurements::default());
    }

    #[test]
    fn a_record_survives_its_text_and_another_form_is_refused() {
        let record = Record {
            format: FORMAT,
            head: RunHead { run: "3".into(), ..RunHead::default() },
            samples: vec![sample(1)],
            ..Record::default()
        };
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(Record::read(&text).unwrap(), record);
        let newer = text.replace("\"format\":1", "\"format\":2");
        assert!(Record::read(&newer).unwrap_err().to_string().contains("form 2"));
        assert!(Record::read("{}").unwrap_err().to_string().contains("form 0"));
        assert!(Record::read("[]").is_err());
    }

    #[test]
    fn what_counts_as_a_failure() {
        use IntentKind::{Any, Invalid, Valid};
        let end = |state: &str, result: &str, intent| Ends {
            state: state.into(),
            result: Some(result.into()),
            intent,
            ..Ends::default()
        };
        assert!(!end("VALIDATED", "tesSUCCESS", Valid).failed());
        assert!(end("VALIDATED", "tecPATH_DRY", Valid).failed());
        assert!(end("EXPIRED", "telINSUF_FEE_P", Valid).failed());
        assert!(!end("REJECTED", "temBAD_FEE", Invalid).failed(), "as it was meant to");
        assert!(!end("EXPIRED", "tefBAD_AUTH", Any).failed(), "any end is right");
    }
}
