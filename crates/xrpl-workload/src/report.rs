//! A run's record for people: one HTML file that needs nothing else, or Markdown.
//!
//! Both say the same, in the same order: whether all went well, what it came to in words, the limits,
//! how it went over time, its stages, what failed and why, the nodes, and the settings.

mod html;
mod markdown;

use std::collections::BTreeMap;

use xrpl_generator::{Spread, StagePart};
use xrpl_tracker::IntentKind;

use crate::{
    figures::{self, FIGURES},
    record::{Condition, Ends, Part, Record},
    words,
};

pub use html::html;
pub use markdown::markdown;

/// Figures that stand large at the top.
const KEY_FIGURES: [(&str, &str); 6] = [
    ("validated_per_second", "validated a second"),
    ("finality_ms_p50", "to validation, half of them"),
    ("finality_ms_p99", "to validation, 99 of 100"),
    ("failed_percent", "failed"),
    ("ledger_interval_ms_p50", "between ledgers"),
    ("queue_max", "queue, at most"),
];

/// Figures that a table of stages shows.
const STAGE_FIGURES: [&str; 7] = [
    "submitted_per_second",
    "validated_per_second",
    "finality_ms_p50",
    "finality_ms_p99",
    "scheduled_ms_p99",
    "failed_percent",
    "queue_max",
];

/// A figure's value as people read it; `-` where it was not measured.
fn value(figures: &BTreeMap<String, f64>, name: &str) -> String {
    let unit = figures::find(name).map_or("", |figure| figure.unit);
    figures.get(name).map_or_else(|| "-".to_owned(), |value| words::figure(*value, unit))
}

/// Whether all went well, in a few words, and whether it did.
fn outcome(record: &Record) -> (String, bool) {
    let broken = record.limits.iter().filter(|limit| limit.broken).count();
    let head = &record.head;
    if head.not_kept.is_some() {
        return ("the load was not the one that was asked for".to_owned(), false);
    }
    match (head.condition, record.failed.len(), broken) {
        (Condition::Aborted, ..) => ("it was killed before its end".to_owned(), false),
        (Condition::Running, ..) => ("it goes on".to_owned(), true),
        (Condition::Stopped, 0, 0) => ("it was stopped before its end".to_owned(), false),
        (Condition::Stopped, 0, _) => {
            ("it was stopped before its end, and limits were broken".to_owned(), false)
        }
        (Condition::Ended, 0, 0) if record.limits.is_empty() => ("all went well".to_owned(), true),
        (Condition::Ended, 0, 0) => ("all went well, within every limit".to_owned(), true),
        (Condition::Ended, 0, 1) => ("a limit was broken".to_owned(), false),
        (Condition::Ended, 0, n) => (format!("{n} limits were broken"), false),
        (Condition::Ended | Condition::Stopped, _, 0) => ("something went wrong".to_owned(), false),
        (Condition::Ended | Condition::Stopped, ..) => {
            ("something went wrong, and limits were broken".to_owned(), false)
        }
    }
}

/// The whole run in a few sentences, for someone who was not there.
fn story(record: &Record) -> Vec<String> {
    let (head, measured) = (&record.head, &record.measured);
    let figure = |name: &str| value(&head.figures, name);
    let mut said = Vec::new();
    let versions = match record.versions().as_slice() {
        [] => String::new(),
        versions => format!(" ({})", versions.join(", ")),
    };
    if measured.submitted == 0 {
        said.push(format!("Nothing was sent to {}{versions}.", head.endpoint));
        return said;
    }
    let time = words::time(measured.sent_until - measured.began);
    said.push(format!(
        "For {time}, {} transactions meant to succeed were sent to {}{versions}, {} a second.",
        words::number(measured.submitted as f64),
        head.endpoint,
        figure("submitted_per_second").trim_end_matches("/s"),
    ));
    if measured.submitted_invalid > 0 {
        said.push(format!(
            "Besides them {} deliberately invalid ones.",
            words::number(measured.submitted_invalid as f64)
        ));
    }
    said.push(format!(
        "{} of them are in a validated ledger: {} a second until the last of them was.",
        match measured.validated == measured.submitted {
            true => "All".to_owned(),
            false => words::number(measured.validated as f64),
        },
        figure("validated_per_second").trim_end_matches("/s"),
    ));
    if !measured.finality_ms.is_empty() {
        said.push(format!(
            "From being sent to being validated half took at most {}, ninety-nine of a hundred at most \
             {} ({}), the slowest {}.",
            figure("finality_ms_p50"),
            figure("finality_ms_p99"),
            figure("finality_ledgers_p99"),
            figure("finality_ms_max"),
        ));
    }
    if !measured.scheduled_ms.is_empty() {
        said.push(format!(
            "From the moment at which each was due, as a user waits for it, ninety-nine of a hundred \
             took at most {}.",
            figure("scheduled_ms_p99"),
        ));
    }
    if !measured.node.ledger_interval_ms.is_empty() {
        let mut sentence =
            format!("A ledger was validated every {}", figure("ledger_interval_ms_p50"));
        if !measured.node.queue.is_empty() {
            sentence += &format!("; the node's queue held at most {}", figure("queue_max"));
        }
        said.push(sentence + ".");
    }
    let failed: u64 = record.ends.iter().filter(|end| end.failed()).map(|end| end.count).sum();
    said.push(match failed {
        0 => "Nothing that was meant to succeed failed.".to_owned(),
        1 => "One that was meant to succeed did not.".to_owned(),
        n => format!("{} that were meant to succeed did not.", words::number(n as f64)),
    });
    said
}

/// Everything that must be known before any figure is believed.
fn warnings(record: &Record) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(why) = &record.head.not_kept {
        warnings.push(format!(
            "The load was not the one that was asked for: {why}. Its figures are not comparable."
        ));
    }
    if let Some(why) = &record.shortfall {
        warnings.push(format!("The target rate could not be reached: {why}."));
    }
    if record.head.condition == Condition::Stopped {
        warnings.push(format!(
            "The load was ended before its time: these are figures of {}.",
            words::time(record.head.load_seconds)
        ));
    }
    if record.head.condition == Condition::Aborted {
        warnings.push(format!(
            "The program was killed. What is here was recorded last at {}.",
            words::moment(record.head.noted_at_ms)
        ));
    }
    warnings.extend(record.failed.iter().map(|what| format!("{what}.")));
    warnings
}

fn kind_in_words(part: &Part) -> &'static str {
    match part.part {
        StagePart::WarmUp => "warm-up, not counted",
        StagePart::Steady => "counted",
        StagePart::CoolDown => "cool-down, not counted",
    }
}

/// An end in words: what the result says, and what that means.
fn end_in_words(end: &Ends) -> String {
    let state = match end.state.as_str() {
        "EXPIRED" => "proven to be in no ledger",
        "REJECTED" => "refused, or its Sequence used by another",
        "FAILED_NET" => "not one byte of it left",
        _ => "",
    };
    let result = end.result.as_deref().map(words::result);
    let parts = result.map_or([state, "", ""], |(message, meaning)| [message, meaning, state]);
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("; ")
}

/// What was sent of one type, and what became of it.
#[derive(Default)]
struct Sent<'a> {
    ended: u64,
    succeeded: u64,
    failed: u64,
    invalid: u64,
    random: u64,
    /// From sending to validation in the stages that count, milliseconds.
    ms: Option<&'a Spread>,
}

/// By type, the most frequent first.
fn sent_by_type(record: &Record) -> Vec<(&str, Sent<'_>)> {
    let mut types: BTreeMap<&str, Sent<'_>> = BTreeMap::new();
    for end in &record.ends {
        let sent = types.entry(&end.transaction_type).or_default();
        sent.ended += end.count;
        match (end.intent, end.failed()) {
            (IntentKind::Invalid, _) => sent.invalid += end.count,
            (IntentKind::Any, _) => sent.random += end.count,
            (IntentKind::Valid, true) => sent.failed += end.count,
            (IntentKind::Valid, false) => sent.succeeded += end.count,
        }
        sent.ms = record.measured.types.get(&end.transaction_type);
    }
    let mut types: Vec<_> = types.into_iter().collect();
    types.sort_by_key(|(_, sent)| std::cmp::Reverse(sent.ended));
    types
}

/// What [`sent_by_type`] is shown under. The times are of those that were meant to succeed, from being
/// sent to being validated.
const SENT_COLUMNS: [&str; 9] = [
    "type",
    "ended",
    "succeeded",
    "failed",
    "deliberately invalid",
    "at random",
    "p50",
    "p90",
    "p99",
];

fn sent_row((name, sent): (&str, Sent<'_>)) -> [String; 9] {
    let Sent { ended, succeeded, failed, invalid, random, ms } = sent;
    let number = |n: u64| words::number(n as f64);
    let [ended, succeeded, failed, invalid, random] =
        [ended, succeeded, failed, invalid, random].map(number);
    let at = |share| {
        let ms = ms.and_then(|ms| ms.quantile(share));
        ms.map_or_else(|| "-".to_owned(), |ms| words::figure(ms as f64, "ms"))
    };
    let [p50, p90, p99] = [0.5, 0.9, 0.99].map(at);
    [name.to_owned(), ended, succeeded, failed, invalid, random, p50, p90, p99]
}

/// How often a stage's slots of the schedule were not used when they were due, by cause.
fn slots_in_words(record: &Record) -> Option<String> {
    let slots = &record.measured.slots;
    let told = |what: &str, causes: &xrpl_generator::pacing::ByCause| {
        let all = [
            ("the generator itself", causes.generator),
            ("no account could send", causes.lanes_empty),
            ("all submissions waited for answers", causes.endpoint),
            ("the node took no more", causes.node_queue),
        ];
        let some = all.iter().filter(|(_, n)| *n > 0);
        let some: Vec<_> =
            some.map(|(why, n)| format!("{why} {}", words::number(*n as f64))).collect();
        (!some.is_empty()).then(|| {
            format!("{} {what} ({})", words::number(causes.total() as f64), some.join(", "))
        })
    };
    let parts: Vec<_> = [told("used late", &slots.late), told("given up", &slots.missed)]
        .into_iter()
        .flatten()
        .collect();
    (!parts.is_empty()).then(|| {
        format!(
            "Slots of the schedule: {} on time, {}.",
            words::number(slots.on_time as f64),
            parts.join(", ")
        )
    })
}

/// All figures that were measured: name, value, what it is.
fn all_figures(record: &Record) -> impl Iterator<Item = (&'static str, String, &'static str)> {
    let figures = &record.head.figures;
    let some = FIGURES.iter().filter(|figure| figures.contains_key(figure.name));
    some.map(|figure| (figure.name, value(figures, figure.name), figure.about))
}
