//! `runs`, `report`, `compare`: what is recorded of runs, without any node.

use std::path::PathBuf;

use clap::ArgMatches;
use serde_json::json;

use super::Exit;
use crate::{
    archive::{self, Archive, ArchiveError},
    compare::{Bounds, Terms, Verdict, compare},
    config::Config,
    output,
    record::{Condition, Record, RunHead},
    report,
    stores::Unreadable,
    words::{self, Table},
};

fn failed(error: &ArchiveError) -> Exit {
    output::error_line(&format!("error: {error}"));
    match error {
        ArchiveError::NoStore(Unreadable::Memory) | ArchiveError::Address(_) => Exit::Usage,
        _ => Exit::Setup,
    }
}

/// Lists the runs of a store.
pub(super) async fn list(config: Config) -> Exit {
    let heads = match Archive::open(&config.store).await {
        Ok(archive) => archive.heads().await,
        Err(error) => Err(error),
    };
    match heads {
        Ok(heads) if config.json => {
            super::print(&json!({ "runs": heads }).to_string());
            Exit::Success
        }
        Ok(heads) => {
            super::print(&table(&heads));
            Exit::Success
        }
        Err(error) => failed(&error),
    }
}

fn table(heads: &[RunHead]) -> String {
    if heads.is_empty() {
        return "no runs".to_owned();
    }
    let columns =
        ["run", "name", "began", "load", "sent/s", "validated/s", "p50", "p99", "failed", ""];
    let mut table = Table::new(&columns, &[3, 4, 5, 6, 7, 8]);
    for head in heads {
        let figure = |name: &str| {
            let unit = crate::figures::find(name).map_or("", |figure| figure.unit);
            let value = head.figures.get(name);
            value.map_or_else(|| "-".to_owned(), |value| words::figure(*value, unit))
        };
        let rate = |name: &str| figure(name).trim_end_matches("/s").to_owned();
        let mut how = head.condition.name().to_owned();
        if head.not_kept.is_some() {
            how += ", not the requested load";
        }
        if head.changed_by_hand > 0 {
            how += ", changed by hand";
        }
        if matches!(head.condition, Condition::Ended | Condition::Stopped) && head.failures > 0 {
            how += ", with failures";
        }
        table.row([
            head.run.clone(),
            head.name.clone().unwrap_or_default(),
            words::moment(head.began_at_ms),
            words::time(head.load_seconds),
            rate("submitted_per_second"),
            rate("validated_per_second"),
            figure("finality_ms_p50"),
            figure("finality_ms_p99"),
            figure("failed_percent"),
            how,
        ]);
    }
    table.to_string()
}

/// Makes a run's report.
pub(super) async fn report(config: Config, args: &ArgMatches) -> Exit {
    let asked = args.get_one::<String>("of").map_or("latest", String::as_str);
    let record = match archive::load(asked, &config.store).await {
        Ok(record) => record,
        Err(error) => return failed(&error),
    };
    let (text, ending) = match (config.json, args.get_flag("markdown")) {
        (true, true) => {
            output::error_line("error: --json and --markdown: give only one of them");
            return Exit::Usage;
        }
        (true, false) => (json_text(&record), "json"),
        (false, true) => (report::markdown(&record), "md"),
        (false, false) => (report::html(&record), "html"),
    };
    let out = args.get_one::<PathBuf>("out").cloned();
    let out = match (out, ending) {
        (Some(path), _) => path,
        // What people read in a terminal, or hand on, is printed.
        (None, "json" | "md") => {
            output::write(text.as_bytes());
            return Exit::Success;
        }
        (None, _) => PathBuf::from(format!("run-{}.html", record.head.run)),
    };
    if out.as_os_str() == "-" {
        output::write(text.as_bytes());
        return Exit::Success;
    }
    match std::fs::write(&out, text) {
        Ok(()) => {
            super::print(&format!("{}: {}", record.title(), out.display()));
            Exit::Success
        }
        Err(error) => {
            output::error_line(&format!("error: {} cannot be written: {error}", out.display()));
            Exit::Setup
        }
    }
}

fn json_text(record: &Record) -> String {
    // A record is nothing but texts, numbers, lists and maps of them.
    serde_json::to_string_pretty(record).unwrap_or_default() + "\n"
}

/// Compares two runs.
pub(super) async fn compare_runs(config: Config, args: &ArgMatches) -> Exit {
    let given: Vec<_> = args.get_many::<String>("of").into_iter().flatten().cloned().collect();
    let baseline = args.get_one::<String>("baseline").cloned();
    let pair = match (baseline, given.as_slice()) {
        (Some(baseline), []) => (baseline, "latest".to_owned()),
        (Some(baseline), [second]) => (baseline, second.clone()),
        (None, [first, second]) => (first.clone(), second.clone()),
        (None, []) => ("previous".to_owned(), "latest".to_owned()),
        _ => {
            output::error_line("error: give two runs, or --baseline and one run at most");
            return Exit::Usage;
        }
    };
    let mut bounds = Bounds::default();
    for text in args.get_many::<String>("bound").into_iter().flatten() {
        if let Err(why) = bounds.change(text) {
            output::error_line(&format!("error: --bound {why}"));
            return Exit::Usage;
        }
    }
    if config.json && args.get_flag("markdown") {
        output::error_line("error: --json and --markdown: give only one of them");
        return Exit::Usage;
    }
    let store = &config.store;
    let (first, second) =
        match (archive::load(&pair.0, store).await, archive::load(&pair.1, store).await) {
            (Ok(first), Ok(second)) => (first, second),
            (Err(error), _) | (_, Err(error)) => return failed(&error),
        };
    let stage = args.get_one::<String>("stage").map(String::as_str);
    let partial = args.get_flag("partial");
    match compare(&first, &second, &Terms { stage, bounds, partial }) {
        Ok(comparison) => {
            super::print(&match (config.json, args.get_flag("markdown")) {
                (true, _) => json!(comparison).to_string(),
                (_, true) => comparison.markdown(),
                _ => comparison.to_string(),
            });
            match comparison.verdict {
                Verdict::Worse => Exit::Failures,
                _ => Exit::Success,
            }
        }
        Err(refusal) => {
            output::error_line(&format!("error: {refusal}"));
            Exit::Setup
        }
    }
}
