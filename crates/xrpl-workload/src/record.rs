//! The record of a run: what it was told, what it came to, and how it went, as one JSON object. It is
//! what the store keeps of each start of the program, what `GET /runs/{id}` answers, and what `report`
//! and `compare` are made from.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xrpl_generator::{
    StagePart,
    pacing::{PacingStats, Reach},
};
use xrpl_tracker::{
    record::RunId,
    store::{SessionHead, SessionId},
};

use crate::{
    figures::{Held, Measurements},
    knee::Knee,
    limits::LimitVerdict,
    words,
};

mod ends;
mod interventions;
mod samples;

pub use ends::{Ends, Fate};
pub use interventions::{Control, Intervention};
pub use samples::{RunSample, Thinned};

/// Version of the record's form; another one may not be read.
pub const FORMAT: u32 = 1;

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
    /// How long its load ran, seconds: warm-up and cool-down too.
    pub load_seconds: f64,
    /// The nodes.
    pub endpoint: String,
    /// Figures of the whole.
    pub figures: BTreeMap<String, f64>,
    /// How many things went wrong.
    pub failures: usize,
    /// Why the generator did not keep its schedule, if it did not.
    pub not_kept: Option<String>,
    /// How often somebody changed the load while it went on, so that it is not the one that its settings
    /// describe.
    pub changed_by_hand: usize,
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
    /// Of a pace that keeps the node's queue or what is in flight at a number: whether that was reached.
    pub reach: Option<Reach>,
}

impl Part {
    /// A stage and what was measured of it.
    #[must_use]
    pub fn new(name: impl Into<String>, part: StagePart, measured: Measurements) -> Self {
        Self { name: name.into(), part, figures: named(&measured), measured, reach: None }
    }
}

/// Stages that never had what their pace was to keep, in words.
#[must_use]
pub fn unreached(parts: &[Part]) -> Vec<String> {
    let of = |part: &Part| {
        let reach = part.reach.filter(|reach| !reach.is_reached())?;
        let Reach { wanted, most } = reach;
        let [wanted, most] = [wanted, most].map(|n| words::number(n as f64));
        Some(format!(
            "stage {:?} never had the {wanted} that it was to keep: {most} at most",
            part.name
        ))
    };
    parts.iter().filter_map(of).collect()
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

/// Gives each step the figures of its stage, which are known better once its last transactions have
/// ended.
pub fn settle(capacity: &mut [Knee], parts: &[Part]) {
    for step in capacity.iter_mut().flat_map(|found| &mut found.steps) {
        if let Some(part) = parts.get(step.stage) {
            step.figures = part.figures.clone();
        }
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
    /// What somebody changed while the load went on, in order.
    pub interventions: Vec<Intervention>,
    /// What a search for capacity found; empty where there was none.
    pub capacity: Vec<Knee>,
    /// The limits, and what was measured.
    pub limits: Vec<LimitVerdict>,
    /// The first and the newest validated ledger of it.
    pub ledgers: (u32, u32),
    /// All transactions of the run by state, those of the preparation and of earlier starts too.
    pub by_state: BTreeMap<String, u64>,
    /// How those of the preparation ended, the most frequent first.
    pub preparation: Vec<Ends>,
    /// How the load's transactions ended, the most frequent first.
    pub ends: Vec<Ends>,
    /// What was measured of the whole: the steady stages.
    pub measured: Measurements,
    /// How the slots of the reads' schedule were used, of the whole load.
    pub read_slots: PacingStats,
    /// Subscriptions held open beside the load, of the whole of it.
    pub subscriptions: Held,
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
    fn a_stage_that_never_had_what_it_was_to_keep_is_told() {
        let part = |most| Part {
            reach: Some(Reach { wanted: 2_000, most }),
            ..Part::new("deep", StagePart::Steady, Measurements::default())
        };
        let told = unreached(&[part(2_010), part(35), Part::default()]);
        assert_eq!(told, ["stage \"deep\" never had the 2,000 that it was to keep: 35 at most"]);
    }

    #[test]
    fn a_record_survives_its_text_and_another_form_is_refused() {
        let record = Record {
            format: FORMAT,
            head: RunHead { run: "3".into(), ..RunHead::default() },
            samples: vec![RunSample { seconds: 1.5, ..RunSample::default() }],
            ..Record::default()
        };
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(Record::read(&text).unwrap(), record);
        let newer = text.replace("\"format\":1", "\"format\":2");
        assert!(Record::read(&newer).unwrap_err().to_string().contains("form 2"));
        assert!(Record::read("{}").unwrap_err().to_string().contains("form 0"));
        assert!(Record::read("[]").is_err());
    }
}
