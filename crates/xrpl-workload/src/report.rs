//! A run's record for people: one HTML file that needs nothing else, or Markdown.
//!
//! Both say the same, in the same order: whether all went well, what it came to in words, the limits,
//! how it went over time, its stages, what failed and why, the nodes, and the settings.

mod html;
mod markdown;

use std::collections::BTreeMap;

use xrpl_generator::{Spread, StagePart};

use crate::{
    figures::{self, FIGURES, Held, Reads},
    record::{Condition, Ends, Fate, Part, Record, unreached},
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
    if head.changed_by_hand > 0 && head.condition == Condition::Ended && record.failed.is_empty() {
        return ("it was changed while it went on".to_owned(), false);
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
    for found in &record.capacity {
        said.push(format!("{}.", capitalized(&found.headline())));
        said.extend(found.remarks().iter().map(|remark| format!("{}.", capitalized(remark))));
    }
    let random = sum(record, Fate::Random);
    if measured.submitted + measured.submitted_invalid + random == 0 {
        said.push(format!("Nothing was sent to {}{versions}.", head.endpoint));
        return said;
    }
    let apart =
        [(measured.submitted_invalid, "deliberately invalid"), (random, "generated at random")];
    let apart = apart.iter().filter(|(n, _)| *n > 0);
    let apart: Vec<_> =
        apart.map(|(n, what)| format!("{} {what}", words::number(*n as f64))).collect();
    let apart = apart.join(" and ");
    let time = length(record);
    if measured.submitted == 0 {
        said.push(format!(
            "For {time}, transactions of which none was meant to succeed were sent to {}{versions}: \
             {apart}.",
            head.endpoint
        ));
        return said;
    }
    said.push(format!(
        "For {time}, {} transactions meant to succeed were sent to {}{versions}, {} a second.",
        words::number(measured.submitted as f64),
        head.endpoint,
        figure("submitted_per_second").trim_end_matches("/s"),
    ));
    said.push(format!(
        "{} of them are in a validated ledger: {} a second until the last of them was.",
        match measured.validated == measured.submitted {
            true => "All".to_owned(),
            false => words::number(measured.validated as f64),
        },
        figure("validated_per_second").trim_end_matches("/s"),
    ));
    if !apart.is_empty() {
        said.push(format!("Besides them others were sent that no figure counts: {apart}."));
    }
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
    said.push(match sum(record, Fate::Failed) {
        0 => "Nothing that was meant to succeed failed.".to_owned(),
        1 => "One that was meant to succeed failed.".to_owned(),
        n => format!("{} that were meant to succeed failed.", words::number(n as f64)),
    });
    match sum(record, Fate::Claimed) {
        0 => {}
        n => said.push(format!(
            "{} got a tec result: the fee was charged and nothing else happened.",
            words::number(n as f64)
        )),
    }
    said
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// How many of the load's transactions came to such an end.
fn sum(record: &Record, fate: Fate) -> u64 {
    record.ends.iter().filter(|end| end.fate() == fate).map(|end| end.count).sum()
}

/// How long what counts lasted, and the whole load where that is longer.
fn length(record: &Record) -> String {
    let (counted, whole) =
        (record.measured.sent_until - record.measured.began, record.head.load_seconds);
    match whole - counted >= 0.5 {
        true => format!(
            "{} (the steady stages of a load of {})",
            words::time(counted),
            words::time(whole)
        ),
        false => words::time(counted),
    }
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
    let changes: Vec<_> = record
        .interventions
        .iter()
        .filter(|one| one.changes_terms())
        .map(ToString::to_string)
        .collect();
    if !changes.is_empty() {
        warnings.push(format!(
            "The load was changed by hand, so that it is not the one that the settings describe: {}.",
            changes.join("; ")
        ));
    }
    if record.head.condition != Condition::Running {
        warnings
            .extend(unreached(&record.parts).iter().map(|what| format!("{}.", capitalized(what))));
    }
    if record.head.condition == Condition::Stopped {
        warnings.push(format!(
            "The load was ended before its time, after {}.",
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
    claimed: u64,
    failed: u64,
    superseded: u64,
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
        *match end.fate() {
            Fate::Succeeded => &mut sent.succeeded,
            Fate::Claimed => &mut sent.claimed,
            Fate::Failed => &mut sent.failed,
            Fate::Superseded => &mut sent.superseded,
            Fate::Invalid => &mut sent.invalid,
            Fate::Random => &mut sent.random,
        } += end.count;
        sent.ms = record.measured.types.get(&end.transaction_type);
    }
    let mut types: Vec<_> = types.into_iter().collect();
    types.sort_by_key(|(_, sent)| std::cmp::Reverse(sent.ended));
    types
}

/// What [`sent_by_type`] is shown under. The times are of those that were meant to succeed, from being
/// sent to being validated.
const SENT_COLUMNS: [&str; 11] = [
    "type",
    "ended",
    "succeeded",
    "tec",
    "failed",
    "replaced by another",
    "deliberately invalid",
    "at random",
    "p50",
    "p90",
    "p99",
];

/// Those of them that hold numbers.
const SENT_NUMBERS: [usize; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

fn sent_row((name, sent): (&str, Sent<'_>)) -> [String; 11] {
    let Sent { ended, succeeded, claimed, failed, superseded, invalid, random, ms } = sent;
    let counts = [ended, succeeded, claimed, failed, superseded, invalid, random];
    let [ended, succeeded, claimed, failed, superseded, invalid, random] =
        counts.map(|n| words::number(n as f64));
    let at = |share| {
        let ms = ms.and_then(|ms| ms.quantile(share));
        ms.map_or_else(|| "-".to_owned(), |ms| words::figure(ms as f64, "ms"))
    };
    let [p50, p90, p99] = [0.5, 0.9, 0.99].map(at);
    let name = name.to_owned();
    [name, ended, succeeded, claimed, failed, superseded, invalid, random, p50, p90, p99]
}

/// What [`trouble_rows`] are shown under.
const TROUBLE_COLUMNS: [&str; 4] = ["type", "ended as", "how many", "what that means"];

/// Ends of what was meant to succeed and did not.
fn trouble_rows(ends: &[Ends]) -> Vec<[String; 4]> {
    let row = |end: &Ends| {
        let how = [Some(end.state.as_str()), end.result.as_deref()];
        [
            end.transaction_type.clone(),
            how.into_iter().flatten().collect::<Vec<_>>().join(" "),
            words::number(end.count as f64),
            end_in_words(end),
        ]
    };
    ends.iter().filter(|end| end.is_trouble()).map(row).collect()
}

/// What [`reads_rows`] are shown under.
const READS_COLUMNS: [&str; 8] =
    ["method", "asked", "failed", "why", "p50", "p90", "p99", "p99 from being sent"];

/// Those of them that hold numbers.
const READS_NUMBERS: [usize; 6] = [1, 2, 4, 5, 6, 7];

/// Reads by method. The times are from the instant at which each was due, but for the last column.
fn reads_rows(record: &Record) -> Vec<[String; 8]> {
    let row = |(method, reads): (&String, &Reads)| {
        let at = |spread: &Spread, share| {
            let ms = spread.quantile(share);
            ms.map_or_else(|| "-".to_owned(), |ms| words::figure(ms as f64, "ms"))
        };
        let number = |n: u64| words::number(n as f64);
        let why = reads.errors.iter().map(|(why, n)| format!("{why} {}", number(*n)));
        [
            method.clone(),
            number(reads.ms.len()),
            number(reads.failed),
            why.collect::<Vec<_>>().join(", "),
            at(&reads.ms, 0.5),
            at(&reads.ms, 0.9),
            at(&reads.ms, 0.99),
            at(&reads.sent_ms, 0.99),
        ]
    };
    record.measured.reads.iter().map(row).collect()
}

/// What became of subscriptions and of slots of the reads' schedule; empty where nothing was read.
fn reads_in_words(record: &Record) -> String {
    let number = |n: u64| words::number(n as f64);
    let mut said = Vec::new();
    let Held { wanted, most, messages, lost, .. } = record.subscriptions;
    if wanted > 0 {
        said.push(format!(
            "Subscriptions: {} held open at once at most, of {} wanted; they received {} messages, and one \
             was lost {} times.",
            number(most),
            number(wanted),
            number(messages),
            number(lost)
        ));
    }
    let slots = &record.read_slots;
    if slots.slots() > 0 {
        said.push(format!(
            "Slots of the reads' schedule: {} on time, {} late, {} given up.",
            number(slots.on_time),
            number(slots.late.total()),
            number(slots.missed.total())
        ));
    }
    said.join(" ")
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

#[cfg(test)]
mod tests {
    use xrpl_tracker::IntentKind;

    use super::*;
    use crate::{
        figures::Measurements,
        record::{RunHead, named},
    };

    fn record(submitted: u64, submitted_invalid: u64, ends: Vec<Ends>) -> Record {
        let measured = Measurements {
            began: 10.0,
            sent_until: 40.0,
            validated_until: 41.0,
            submitted,
            submitted_invalid,
            validated: submitted,
            ..Measurements::default()
        };
        let head = RunHead {
            endpoint: "a node".into(),
            condition: Condition::Ended,
            load_seconds: 45.0,
            figures: named(&measured),
            ..RunHead::default()
        };
        Record { head, measured, ends, ..Record::default() }
    }

    fn ends(state: &str, result: &str, intent: IntentKind, superseded: bool, count: u64) -> Ends {
        Ends {
            transaction_type: "Payment".into(),
            state: state.into(),
            result: Some(result.into()),
            intent,
            superseded,
            count,
        }
    }

    #[test]
    fn what_is_not_meant_to_succeed_is_no_part_of_all_of_them() {
        let random = ends("REJECTED", "temMALFORMED", IntentKind::Any, false, 3);
        let told = story(&record(300, 20, vec![random])).join(" ");
        for part in [
            "For 30 s (the steady stages of a load of 45 s), 300 transactions meant to succeed",
            "All of them are in a validated ledger",
            "Besides them others were sent that no figure counts: 20 deliberately invalid and 3 \
             generated at random.",
        ] {
            assert!(told.contains(part), "{part}\n{told}");
        }
        assert!(told.find("All of them") < told.find("Besides them"), "{told}");
        let none = story(&record(0, 20, Vec::new())).join(" ");
        assert!(none.contains("none was meant to succeed were sent to a node: 20 del"), "{none}");
        assert_eq!(story(&record(0, 0, Vec::new())), ["Nothing was sent to a node."]);
    }

    #[test]
    fn one_that_was_replaced_has_not_failed_and_a_tec_is_told_apart() {
        let valid = IntentKind::Valid;
        let replaced = ends("REJECTED", "telCAN_NOT_QUEUE_FEE", valid, true, 5);
        let claimed = ends("VALIDATED", "tecPATH_DRY", valid, false, 2);
        let told = story(&record(300, 0, vec![replaced.clone(), claimed])).join(" ");
        assert!(told.contains("Nothing that was meant to succeed failed. 2 got a tec"), "{told}");
        let failed = ends("EXPIRED", "telINSUF_FEE_P", valid, false, 1);
        let record = record(300, 0, vec![replaced, failed]);
        assert!(story(&record).join(" ").contains("One that was meant to succeed failed."));
        let rows = trouble_rows(&record.ends);
        assert_eq!((rows.len(), rows[0][1].as_str()), (1, "EXPIRED telINSUF_FEE_P"));
        let [(_, sent)] = &sent_by_type(&record)[..] else { panic!() };
        assert_eq!((sent.ended, sent.superseded, sent.failed), (6, 5, 1));
    }
}
