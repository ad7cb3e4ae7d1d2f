//! What a search for a network's capacity found: the knee, what broke above it, and the evidence of each
//! rate that was tried. It is a part of the run's record.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    figures,
    words::{self, Table},
};

/// What is thought of a rate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Judgement {
    /// Whether the rate holds.
    pub holds: bool,
    /// What broke, the first first; none if it holds.
    pub broke: Vec<String>,
    /// It was this program, and not the network, that could not do it.
    pub by_program: bool,
}

/// One rate and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RateTried {
    /// What was asked for, a second.
    pub rate: f64,
    /// Whether it held.
    #[serde(flatten)]
    pub judgement: Judgement,
    /// Its place among the stages of the run's record, counted from 0.
    pub stage: usize,
    /// How long it was measured, seconds.
    pub seconds: f64,
    /// In flight at its beginning and at its end.
    pub in_flight: (u64, u64),
    /// The node's queue at its beginning and at its end, where it tells.
    pub queue: Option<(u64, u64)>,
    /// The stage's figures, as in the record.
    pub figures: BTreeMap<String, f64>,
}

/// What was found of one mix or type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Knee {
    /// The type; none for the mix of the run.
    pub of: Option<String>,
    /// The highest rate that held, a second; none if none did.
    pub holds: Option<f64>,
    /// The lowest that did not; none if all did, up to the most that was to be tried.
    pub fails: Option<f64>,
    /// What broke first at that one.
    pub broke: Option<String>,
    /// It was this program, and not the network, that could not send more.
    pub by_program: bool,
    /// The search came to its end.
    pub complete: bool,
    /// Somebody ended it before.
    pub interrupted: bool,
    /// Every rate that was tried, in order.
    pub steps: Vec<RateTried>,
}

/// Columns of a table of steps; the first six hold numbers.
pub const STEP_COLUMNS: [&str; 7] =
    ["rate", "validated/s", "p50", "p99", "in flight", "queue", "outcome"];

impl RateTried {
    /// A figure of it as people read it.
    fn figure(&self, name: &str) -> String {
        let unit = figures::find(name).map_or("", |figure| figure.unit);
        let value = self.figures.get(name);
        value.map_or_else(|| "-".to_owned(), |value| words::figure(*value, unit))
    }

    /// Its row under [`STEP_COLUMNS`].
    #[must_use]
    pub fn row(&self) -> [String; 7] {
        let pair = |(a, b): (u64, u64)| {
            format!("{} -> {}", words::number(a as f64), words::number(b as f64))
        };
        [
            words::number(self.rate),
            self.figure(THROUGHPUT).trim_end_matches("/s").to_owned(),
            self.figure("finality_ms_p50"),
            self.figure("finality_ms_p99"),
            pair(self.in_flight),
            self.queue.map_or_else(|| "-".to_owned(), pair),
            match self.judgement.holds {
                true => "holds".to_owned(),
                false => self.judgement.broke.join("; "),
            },
        ]
    }

    /// What came of it, in a line.
    #[must_use]
    pub fn line(&self, of: Option<&str>) -> String {
        let of = of.map_or_else(String::new, |of| format!("{of} "));
        let rate = words::number(self.rate);
        match self.judgement.broke.as_slice() {
            [] => format!("{of}{rate}/s holds: {} validated", self.figure(THROUGHPUT)),
            broke => format!("{of}{rate}/s does not hold: {}", broke.join("; ")),
        }
    }
}

/// What a rate is held against: what ledgers took while it was measured.
const THROUGHPUT: &str = "throughput_per_second";

impl Knee {
    /// The knee and what broke above it, in a sentence.
    #[must_use]
    pub fn headline(&self) -> String {
        let of = self.of.as_deref().unwrap_or("the mix");
        let mut text = match self.holds {
            Some(holds) => {
                format!("capacity of {of}: {} transactions a second", words::number(holds))
            }
            None if self.steps.is_empty() => {
                format!("capacity of {of}: no rate was tried to its end")
            }
            None => format!("capacity of {of}: no rate that was tried held"),
        };
        match (self.fails, &self.broke) {
            (Some(fails), Some(broke)) => text += &format!("; at {} {broke}", words::number(fails)),
            (None, _) if self.complete => text += "; no higher rate was to be tried (--to)",
            _ => {}
        }
        text
    }

    /// What must be known of it.
    #[must_use]
    pub fn remarks(&self) -> Vec<&'static str> {
        let mut remarks = Vec::new();
        if self.by_program {
            remarks.push("this program could not send more: the network may hold more than that");
        }
        match (self.complete, self.interrupted) {
            (true, _) => {}
            _ if self.steps.is_empty() => {}
            (false, true) => remarks
                .push("the search was ended before it was done: it lies between what held and what did not"),
            (false, false) => remarks
                .push("the time ran out (--max-minutes): it lies between what held and what did not"),
        }
        remarks
    }
}

impl fmt::Display for Knee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        self.remarks().iter().try_for_each(|remark| write!(f, "\n  {remark}"))?;
        let mut table = Table::new(&STEP_COLUMNS, &[0, 1, 2, 3, 4, 5]);
        self.steps.iter().for_each(|step| table.row(step.row()));
        let table = table.to_string();
        table.lines().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_told_in_words() {
        let step = |rate: f64, broke: &[&str]| RateTried {
            rate,
            judgement: Judgement {
                holds: broke.is_empty(),
                broke: broke.iter().map(|text| (*text).to_owned()).collect(),
                by_program: false,
            },
            in_flight: (3, 1_200),
            figures: BTreeMap::from([(THROUGHPUT.to_owned(), 20.4)]),
            ..RateTried::default()
        };
        let found = Knee {
            holds: Some(20.0),
            fails: Some(40.0),
            broke: Some("the node's queue grew by 20 a second".into()),
            interrupted: true,
            steps: vec![step(20.0, &[]), step(40.0, &["the node's queue grew by 20 a second"])],
            ..Knee::default()
        };
        let text = found.to_string();
        for part in [
            "capacity of the mix: 20 transactions a second; at 40 the node's queue grew",
            "the search was ended before it was done",
            "20.4    -    -  3 -> 1,200      -  holds",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert_eq!(found.steps[0].line(None), "20/s holds: 20.4/s validated");
        let steps = vec![step(20.0, &["something expired"])];
        let none = Knee { of: Some("Payment".into()), complete: true, steps, ..Knee::default() };
        assert!(none.headline().starts_with("capacity of Payment: no rate that was tried held"));
        let early = Knee { of: Some("Payment".into()), interrupted: true, ..Knee::default() };
        assert_eq!(early.headline(), "capacity of Payment: no rate was tried to its end");
        assert!(early.remarks().is_empty(), "it lies between nothing and nothing");
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Knee>(&text).unwrap(), found);
    }
}
