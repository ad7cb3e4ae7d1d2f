//! `shadow`: executes a node's ledgers once more, and compares.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::{Arg, ArgMatches, Command};
use serde_json::{Value as Json, json};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use xrpl_client::TcpConnector;
use xrpl_standalone::shadow::{Case, Replayed};

use super::{Exit, signals};
use crate::{
    config::{Config, values},
    output, parts,
    session::Stop,
    shadow::{CaseFiles, Scope, Step, Watched, follow},
};

/// How long a node that does not answer is asked again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Its command line, without settings.
pub(super) fn command() -> Command {
    let ledger = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("INDEX")
            .value_parser(clap::value_parser!(u32).range(1..))
            .help(help)
    };
    Command::new("shadow")
        .about("Executes a node's ledgers again by the embedded ledger's rules, and compares")
        .long_about(
            "Reads all entries of a validated ledger of --rpc and checks them against its\n\
             account_hash. Then executes every further validated ledger in the order in which the\n\
             node applied its transactions, and compares each result and its metadata, account_hash\n\
             and transaction_hash. Each difference is written to a file in --shadow-dir that replays\n\
             it alone, and the ledger is taken over as the node has it. A ledger with something that\n\
             is not implemented here is taken over too, and counted. Without --to it continues until\n\
             Ctrl-C.\n\n\
             Exit codes: 0 all ledgers are equal, 1 at least one differs, 2 wrong input, 3 the node\n\
             cannot be read or does not have the ledgers, 5 equal as far as could be seen: some were\n\
             taken over or skipped, or it was stopped before the first one. With --replay:\n\
             0 it comes out equal now, 1 it still differs.",
        )
        .arg(
            Arg::new("node")
                .long("rpc")
                .value_name("URL")
                .value_parser(|text: &str| {
                    values::url(text, &["http", "https"], "http://127.0.0.1:5005")
                })
                .help(
                    "JSON-RPC address of the node [default: the first of the configuration, or \
                     http://127.0.0.1:5005]",
                ),
        )
        .arg(ledger("from", "The ledger whose entries to begin with [default: the newest validated]"))
        .arg(ledger("to", "The last ledger to check [default: continue until Ctrl-C]"))
        .arg(
            Arg::new("replay")
                .long("replay")
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .conflicts_with_all(["node", "from", "to"])
                .help("Execute a difference from its file again; no node is needed"),
        )
}

/// Checks a node, or replays a file.
pub(super) async fn run(mut config: Config, matches: &ArgMatches) -> Exit {
    if let Some(file) = matches.get_one::<PathBuf>("replay") {
        return replay(file, config.json);
    }
    parts::default_to_local(&mut config);
    let Some(url) = matches.get_one("node").or(config.rpc.first()) else { return Exit::Usage };
    let scope = Scope {
        from: matches.get_one("from").copied(),
        to: matches.get_one("to").copied(),
        patience: Some(PATIENCE),
    };
    if let (Some(from), Some(to)) = (scope.from, scope.to)
        && to <= from
    {
        output::error_line(&format!(
            "error: --to {to}: expected a ledger after --from {from}, whose entries it begins with"
        ));
        return Exit::Usage;
    }
    let watched = Watched::of(crate::config::without_password(url.as_str()).as_str());
    let cancel = CancellationToken::new();
    let stop = Stop { soon: cancel.clone(), now: CancellationToken::new() };
    let heard = signals(stop);
    let progress =
        (!config.quiet).then(|| tokio::spawn(tell_progress(watched.clone(), config.interval)));
    let quiet = config.quiet;
    let tell = |step: Step| {
        let first = watched.first_of_its_kind(&step);
        watched.note(&step);
        if let Some(line) = line(&step).filter(|_| first && !quiet) {
            output::error_line(&line);
        }
    };
    let files = CaseFiles::new(&config.shadow_dir);
    let ended = follow(url.clone(), Arc::new(TcpConnector), scope, files, &tell, cancel).await;
    if let Some(progress) = progress {
        progress.abort();
    }
    heard.abort();
    let view = watched.view();
    super::print(&match config.json {
        true => serde_json::to_string(&view).unwrap_or_default(),
        false => view.to_string(),
    });
    if let Err(stopped) = ended {
        output::error_line(&format!("error: {stopped}"));
        return if view.ledgers_different > 0 { Exit::Failures } else { Exit::Setup };
    }
    match (view.ledgers_different, view.ledgers_taken_over + view.ledgers_skipped) {
        // Stopped before the first ledger: nothing was seen to be equal.
        (0, 0) if view.ledgers_checked == 0 => Exit::Unseen,
        (0, 0) => Exit::Success,
        (0, _) => Exit::Unseen,
        _ => Exit::Failures,
    }
}

/// A step in words; none for those that the progress line shows.
fn line(step: &Step) -> Option<String> {
    Some(match step {
        Step::Began { ledger, entries } => {
            format!("ledger {ledger}: {entries} entries, their hash is its account_hash")
        }
        Step::TakenOver { ledger, why } => format!("ledger {ledger} is taken over: {why}"),
        Step::Different(finding) => finding.to_string(),
        Step::Unwritten(why) => why.clone(),
        Step::Restarted { why, .. } => format!("begins again with all entries: {why}"),
        Step::Waiting(why) => format!("waits for the node: {why}"),
        Step::Reading { .. } | Step::Newest(_) | Step::Checked { .. } | Step::Ended(_) => {
            return None;
        }
    })
}

async fn tell_progress(watched: Watched, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        output::error_line(&watched.view().progress());
    }
}

fn replay(file: &Path, as_json: bool) -> Exit {
    let fail = |what: String| {
        output::error_line(&format!("error: --replay {}: {what}", file.display()));
        Exit::Usage
    };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return fail(error.to_string()),
    };
    let replayed = match Case::read(&text).and_then(|case| case.replay()) {
        Ok(replayed) => replayed,
        Err(error) => return fail(error.to_string()),
    };
    super::print(&if as_json { to_json(&replayed).to_string() } else { to_text(&replayed) });
    if replayed.differences.is_empty() { Exit::Success } else { Exit::Failures }
}

fn to_json(replayed: &Replayed) -> Json {
    let transactions = replayed.transactions.iter().map(|tx| {
        json!({
            "hash": tx.hash,
            "tx_json": tx.tx_json,
            "node": tx.node,
            "here": match &tx.here {
                Ok(metadata) => metadata.clone(),
                Err(result) => json!({"refused": result.name()}),
            },
        })
    });
    json!({
        "ledger_index": replayed.index,
        "equal": replayed.differences.is_empty(),
        "differences": replayed.differences,
        "transactions": transactions.collect::<Vec<_>>(),
    })
}

fn to_text(replayed: &Replayed) -> String {
    let pretty = |json: &Json| serde_json::to_string_pretty(json).unwrap_or_default();
    let mut text = String::new();
    for tx in &replayed.transactions {
        let here = match &tx.here {
            Ok(metadata) => pretty(metadata),
            Err(result) => format!("refused with {result}"),
        };
        text.push_str(&format!(
            "transaction {} of ledger {}:\n{}\n\nmetadata of the node:\n{}\n\nmetadata here:\n{here}\n\n",
            tx.hash,
            replayed.index,
            pretty(&tx.tx_json),
            pretty(&tx.node),
        ));
    }
    match replayed.differences.as_slice() {
        [] => text.push_str("equal"),
        lines => {
            text.push_str("different:\n");
            text.push_str(
                &lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"),
            );
        }
    }
    text
}
