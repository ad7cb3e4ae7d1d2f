//! The scenario file: TOML, strict. Every struct here is a table of it, and its doc comments are what the
//! published schema says.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use serde::{Deserialize, Deserializer, de};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr, Schema,
        schema::{SchemaType, Type},
    },
};
use xrpl_generator::StagePart;

use crate::{
    config::values::{duration, nearest},
    reads::{ReadMethod, ReadStream},
};

/// A run of xrpl-workload: its settings, and what it does stage by stage.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// What it is for, in a line.
    pub about: Option<String>,
    /// Settings of the run, by the names that they have in xrpl-workload.toml. Flags and environment
    /// outrank them. `tps` and `duration` are the stages' business.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub run: toml::Table,
    /// What is sent, one stage after the other. Without any there is one, of the settings `tps` and
    /// `duration`.
    #[serde(default)]
    pub stage: Vec<StageFile>,
    /// What is read beside, on connections of its own.
    #[serde(default)]
    pub reads: Vec<ReadsFile>,
    /// What the run must keep to, by the names of figures (docs/scenarios.md lists them).
    #[serde(default)]
    pub limits: BTreeMap<String, LimitFile>,
}

/// Reads: `rate` and `methods`, `subscriptions`, or both.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadsFile {
    /// Reads a second.
    #[schema(exclusive_minimum = 0)]
    pub rate: Option<f64>,
    /// What is read, each method with its weight.
    #[serde(default)]
    pub methods: BTreeMap<ReadMethod, u32>,
    /// WebSocket connections that are held open with a subscription.
    #[schema(minimum = 1)]
    pub subscriptions: Option<u32>,
    /// What they subscribe to; `ledger` and `transactions` without it.
    pub streams: Option<Vec<ReadStream>>,
}

/// What a figure must keep to: `min`, `max` or both.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitFile {
    /// It must not be less, in the figure's own unit.
    pub min: Option<f64>,
    /// It must not be more.
    pub max: Option<f64>,
    /// Whether the load ends when it has been broken for its grace.
    #[serde(default)]
    pub abort: bool,
    /// For how long it may be broken before the load ends; 10 s without it.
    pub grace: Option<Time>,
    /// Whether it is asked of the steady stages together; it is unless this says no.
    pub whole: Option<bool>,
    /// `true`: it is asked of each steady stage too. A list of names: of those stages.
    pub stages: Option<LimitStages>,
}

/// Of which stages a limit is asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum LimitStages {
    /// Of each steady one, or of none.
    All(bool),
    /// Of those with these names.
    Named(Vec<String>),
}

/// A stage. Exactly one of `constant`, `ramp`, `steps`, `burst`, `per_ledger`, `queue_depth`,
/// `closed_loop` and `unlimited` says how fast.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StageFile {
    /// Its name; `stage 1` and so on where none is given.
    pub name: Option<String>,
    /// What its figures are good for: those of a warm-up and a cool-down are shown, but are no part of
    /// the run's.
    #[serde(default)]
    pub part: StagePart,
    /// How long it lasts. The last stage may go on until it is stopped.
    pub duration: Option<Time>,
    /// How many validated ledgers it lasts, instead of a duration.
    #[schema(minimum = 1)]
    pub ledgers: Option<u32>,
    /// This many transactions per second.
    #[schema(exclusive_minimum = 0)]
    pub constant: Option<f64>,
    /// A rate that changes evenly from the stage's beginning to its end.
    pub ramp: Option<RampFile>,
    /// A rate that changes in steps.
    pub steps: Option<StepsFile>,
    /// Two rates in turn.
    pub burst: Option<BurstFile>,
    /// This many transactions for each ledger: at once, and with each that is validated from then on.
    #[schema(minimum = 1)]
    pub per_ledger: Option<u64>,
    /// As many transactions as keep the node's queue this long.
    #[schema(minimum = 1)]
    pub queue_depth: Option<u64>,
    /// As many transactions as keep this many in flight.
    #[schema(minimum = 1)]
    pub closed_loop: Option<u64>,
    /// `true`: as fast as accounts, endpoint and node allow.
    pub unlimited: Option<bool>,
    /// The transaction types that are sent, each with its weight, and no others but what they need to
    /// come first. Without it: those of the run.
    pub mix: Option<BTreeMap<String, u32>>,
    /// How many percent are sent in which other way; those not named are as in the run.
    #[serde(default)]
    pub modifiers: BTreeMap<String, u32>,
    /// Percentage of deliberately invalid transactions. Without it: that of the run.
    #[schema(minimum = 0, maximum = 100)]
    pub intent_invalid: Option<f64>,
    /// Percentage of the load that is generated at random. Without it: that of the run.
    #[schema(minimum = 0, maximum = 100)]
    pub fuzz: Option<f64>,
    /// How many journeys begin in each minute. Without it: as in the run.
    #[schema(minimum = 0, maximum = 600)]
    pub journeys: Option<f64>,
}

/// From a rate to another one, in the stage's duration.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RampFile {
    /// Transactions per second at first.
    #[schema(minimum = 0)]
    pub from: f64,
    /// Transactions per second at the end.
    #[schema(minimum = 0)]
    pub to: f64,
}

/// From a rate to another one in steps.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepsFile {
    /// Transactions per second in the first step.
    #[schema(minimum = 0)]
    pub from: f64,
    /// Transactions per second in the last step.
    #[schema(minimum = 0)]
    pub to: f64,
    /// Transactions per second from one step to the next.
    #[schema(exclusive_minimum = 0)]
    pub by: f64,
    /// How long each lasts. Without it the stage's duration is shared evenly; with it the stage needs no
    /// duration.
    pub every: Option<Time>,
}

/// Two rates in turn, the lower one first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BurstFile {
    /// Transactions per second between bursts.
    #[schema(minimum = 0)]
    pub base: f64,
    /// Transactions per second in a burst.
    #[schema(minimum = 0)]
    pub peak: f64,
    /// From the beginning of one burst to that of the next.
    pub every: Time,
    /// How long a burst lasts.
    pub length: Time,
}

/// A time: `"90s"`, `"1h30m"`, or a number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Time;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a time such as \"500ms\", \"60s\", \"5m\" or \"1h30m\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
                duration(text).map(Time).map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Time, E> {
                self.visit_str(&seconds.to_string())
            }

            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Time, E> {
                self.visit_str(&seconds.to_string())
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let either = SchemaType::from_iter([Type::String, Type::Number]);
        ObjectBuilder::new()
            .schema_type(either)
            .description(Some(
                "A time such as \"500ms\", \"60s\", \"5m\", \"1h30m\"; a number is seconds.",
            ))
            .into()
    }
}

impl ToSchema for Time {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Time")
    }
}

impl ScenarioFile {
    /// Reads a file's text.
    ///
    /// # Errors
    /// Names the line, what is wrong there, and the key that was probably meant.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
            let place = line.map_or_else(String::new, |line| format!("line {line}: "));
            format!("{place}{}", in_words(error.message()))
        })
    }
}

/// What serde says of an unknown key or value, with the one that was probably meant.
fn in_words(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = message.starts_with("unknown field") || message.starts_with("unknown variant");
    match quoted.next() {
        Some(given) if unknown => {
            let known: Vec<String> = quoted.map(str::to_owned).collect();
            let what = if message.starts_with("unknown field") { "key" } else { "value" };
            match nearest(given, known.iter().cloned()) {
                Some(meant) => format!("unknown {what} {given:?}: did you mean {meant:?}?"),
                None => format!("unknown {what} {given:?}: there are {}", known.join(", ")),
            }
        }
        _ => message.to_owned(),
    }
}
