//! What somebody changed while a run went on: from then on the load is not the one that its settings
//! describe.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words;

/// What can be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// The load was started again.
    #[default]
    Start,
    /// The load was stopped for a while.
    Stop,
    /// A stage was ended early.
    SkipStage,
    /// The load was ended.
    EndLoad,
    /// Transactions per second.
    TargetTps,
    /// Transactions of one account in flight.
    MaxPending,
    /// Percentage of deliberately invalid ones.
    Intent,
    /// Percentage generated at random.
    Fuzz,
    /// A type switched on or off.
    Type,
    /// How often a type is drawn.
    Weight,
}

/// Something that somebody changed while the load went on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Intervention {
    /// When, seconds after the load began.
    pub seconds: f64,
    /// The stage of that moment.
    pub stage: String,
    /// What was changed.
    pub what: Control,
    /// Of which transaction type; none where it concerns none.
    pub of: Option<String>,
    /// What it was; none where there is no value.
    pub from: Option<String>,
    /// What it is then.
    pub to: Option<String>,
}

impl Intervention {
    /// Whether the load is another one by it. That it was ended says the run's condition.
    #[must_use]
    pub fn changes_terms(&self) -> bool {
        !matches!(self.what, Control::Start | Control::EndLoad)
    }

    /// What was done, without when.
    #[must_use]
    pub fn deed(&self) -> String {
        let of = self.of.as_deref().unwrap_or_default();
        let change = match (&self.from, &self.to) {
            (Some(from), Some(to)) => format!(" {from} -> {to}"),
            _ => String::new(),
        };
        match self.what {
            Control::Start => "load started again".to_owned(),
            Control::Stop => "load stopped for a while".to_owned(),
            Control::SkipStage => "stage ended early".to_owned(),
            Control::EndLoad => "load ended before its time".to_owned(),
            Control::TargetTps => format!("target_tps{change}"),
            Control::MaxPending => format!("max_pending{change}"),
            Control::Intent => format!("deliberately invalid, percent{change}"),
            Control::Fuzz => format!("generated at random, percent{change}"),
            Control::Type => format!("type {of}{change}"),
            Control::Weight => format!("weight of {of}{change}"),
        }
    }
}

impl fmt::Display for Intervention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {}, stage {:?}: {}", words::time(self.seconds), self.stage, self.deed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_in_words() {
        let with = |what, of: Option<&str>, values: Option<(&str, &str)>| Intervention {
            seconds: 61.0,
            stage: "climb".into(),
            what,
            of: of.map(str::to_owned),
            from: values.map(|(from, _)| from.to_owned()),
            to: values.map(|(_, to)| to.to_owned()),
        };
        for (told, words, changes) in [
            (with(Control::TargetTps, None, Some(("20", "40"))), "target_tps 20 -> 40", true),
            (
                with(Control::Type, Some("Payment"), Some(("on", "off"))),
                "type Payment on -> off",
                true,
            ),
            (
                with(Control::Weight, Some("Payment"), Some(("3", "0"))),
                "weight of Payment 3 -> 0",
                true,
            ),
            (with(Control::SkipStage, None, None), "stage ended early", true),
            (with(Control::Stop, None, None), "load stopped for a while", true),
            (with(Control::Start, None, None), "load started again", false),
            (with(Control::EndLoad, None, None), "load ended before its time", false),
        ] {
            assert_eq!(told.to_string(), format!("after 1 min 1 s, stage \"climb\": {words}"));
            assert_eq!(told.changes_terms(), changes, "{words}");
        }
    }
}
