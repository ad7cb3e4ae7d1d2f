//! The program killed at seeded instants and started again on its database, against an embedded
//! ledger in another process that goes on. At the end its books must equal the ledger's.
//!
//! `XRPL_WORKLOAD_KILLS` says how often (40), `XRPL_WORKLOAD_SEED` from which seed (1). A failure
//! prints the command that replays it.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value as Json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_xrpl-workload");
/// Kills before the next fresh ledger and database.
const KILLS_PER_LEDGER: usize = 10;
/// Longest that a run may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(90);

/// A child that does not outlive the test.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The next of a sequence of numbers that a seed gives (SplitMix64).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The program, without what this test is told: it would take it for settings.
fn program() -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_remove("XRPL_WORKLOAD_KILLS").env_remove("XRPL_WORKLOAD_SEED");
    command
}

/// An embedded ledger in a process of its own; its addresses.
fn ledger() -> (Guard, String, String) {
    let mut child = program()
        .args(["standalone", "--rpc-bind", "127.0.0.1:0", "--ws-bind", "127.0.0.1:0"])
        .args(["--ledger-interval", "200ms"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = |scheme: &str| {
        let from = line.find(scheme).unwrap_or_else(|| panic!("no {scheme} in {line:?}"));
        let rest = &line[from..];
        rest[..rest.find([',', ';', ' ', '\n']).unwrap_or(rest.len())].to_owned()
    };
    (Guard(child), address("http://"), address("ws://"))
}

fn run(folder: &Path, (rpc, ws): (&str, &str), seed: &str, more: &[&str]) -> Command {
    let mut command = program();
    command
        .current_dir(folder)
        .args(["run", "--rpc", rpc, "--ws", ws, "--store", "kills.db", "--no-api", "--json"])
        .args(["--accounts", "8", "--gateways", "1", "--currencies", "USD", "--tps", "60"])
        .args(["--seed", seed, "--interval", "1s", "--log-level", "error"])
        .args(more);
    command
}

/// The last line of standard output as JSON.
fn last_line(output: &Output) -> Json {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|error| {
        panic!("{error} in {line:?}; stderr: {}", String::from_utf8_lossy(&output.stderr))
    })
}

/// Waits for a child's end.
fn ended(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id();
    let (sender, ended) = std::sync::mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output()));
    match ended.recv_timeout(PATIENCE) {
        Ok(output) => output.unwrap(),
        Err(_) => {
            let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
            panic!("the run did not end within {PATIENCE:?}");
        }
    }
}

#[test]
fn killed_and_restarted_the_books_agree() {
    let (kills, seed) = (number("XRPL_WORKLOAD_KILLS", 40), number("XRPL_WORKLOAD_SEED", 1));
    println!(
        "XRPL_WORKLOAD_SEED={seed} XRPL_WORKLOAD_KILLS={kills} cargo nextest run -p xrpl-workload \
         --test kills"
    );
    let mut state = seed;
    for first in (0..kills).step_by(KILLS_PER_LEDGER) {
        let now = (kills - first).min(KILLS_PER_LEDGER as u64);
        round(now, &mut state, &format!("kills {seed} {first}"));
    }
}

/// What the database is worth, held against the ledger: equal.
fn audit(folder: &Path, rpc: &str) -> Json {
    let mut audit = program();
    audit.current_dir(folder).args(["audit", "--node", rpc, "--store", "kills.db", "--json"]);
    let output = ended(&mut audit);
    let report = last_line(&output);
    println!("{report}");
    assert_eq!(report["equal"], true, "{report}");
    assert_eq!(output.status.code(), Some(0));
    report
}

/// Killed while all types run, with pools, vaults, loans and channels in every state: the restart reads
/// what there is, and signs nothing that could not succeed.
#[test]
fn killed_in_the_whole_mix_it_goes_on_with_what_there_is() {
    const KILLS: u64 = 3;
    let (_ledger, rpc, ws) = ledger();
    let folder = tempfile::tempdir().unwrap();
    let whole = ["--accounts", "60", "--gateways", "2", "--currencies", "USD,EUR", "--tps", "120"];
    let run = |more: &[&str]| {
        let mut command = program();
        command
            .current_dir(folder.path())
            .args(["run", "--rpc", &rpc, "--ws", &ws, "--store", "kills.db", "--no-api", "--json"])
            .args(["--seed", "the whole mix", "--interval", "1s", "--log-level", "error"])
            .args(whole)
            .args(more);
        command
    };
    for _ in 0..KILLS {
        let mut child =
            Guard(run(&[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        thread::sleep(Duration::from_secs(9));
        child.0.kill().unwrap();
        child.0.wait().unwrap();
    }
    let output = ended(&mut run(&["--duration", "9s"]));
    let summary = last_line(&output);
    println!("{summary}");
    assert_eq!(output.status.code(), Some(0), "{summary}");
    assert_eq!((&summary["undecided"], &summary["overturned"]), (&0.into(), &0.into()));
    audit(folder.path(), &rpc);
    let store = rusqlite::Connection::open(folder.path().join("kills.db")).unwrap();
    let count = |of: &str, which: &str| -> u64 {
        let query = format!("SELECT count({of}) FROM transactions WHERE {which}");
        store.query_row(&query, [], |row| row.get(0)).unwrap()
    };
    let types = count("DISTINCT transaction_type", "engine_result_final = 'tesSUCCESS'");
    assert!(types > 45, "{types} types");
    // What was sent before the kill, and is sent again because nobody knows, may be in a ledger already.
    let past = "'tefPAST_SEQ' IN (engine_result_first, engine_result_last)";
    let lost = format!("{past} AND engine_result_final IS NOT 'tesSUCCESS'");
    assert_eq!(count("*", &lost), 0, "a Sequence was signed twice");
    let mut failed = store
        .prepare(
            "SELECT transaction_type, engine_result_first, engine_result_final, hex(blob) \
             FROM transactions WHERE engine_result_final <> 'tesSUCCESS'",
        )
        .unwrap();
    let columns = |row: &rusqlite::Row<'_>| -> rusqlite::Result<[Option<String>; 4]> {
        Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
    };
    let failed: Vec<_> = failed.query_map([], columns).unwrap().map(Result::unwrap).collect();
    assert!(failed.is_empty(), "did not succeed: {failed:#?}");
}

/// Kills on a ledger and a database of their own, so that starting and funding are hit again.
fn round(kills: u64, state: &mut u64, seed: &str) {
    let (_ledger, rpc, ws) = ledger();
    let folder = tempfile::tempdir().unwrap();
    let nodes = (rpc.as_str(), ws.as_str());
    let began = Instant::now();
    for kill in 0..kills {
        // Early instants fall into start and funding, later ones into load; every fourth run is told
        // to end first, so that its shutdown is hit.
        let pause = match kill % 4 {
            0 => next(state) % 400,
            1 => 200 + next(state) % 1_200,
            _ => 600 + next(state) % 1_400,
        };
        let mut child = Guard(
            run(folder.path(), nodes, seed, &[])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        thread::sleep(Duration::from_millis(pause));
        if kill % 4 == 3 {
            let id = child.0.id().to_string();
            assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
            thread::sleep(Duration::from_millis(next(state) % 300));
        }
        child.0.kill().unwrap();
        child.0.wait().unwrap();
    }
    println!("{kills} kills in {:?}", began.elapsed());
    let output = ended(&mut run(folder.path(), nodes, seed, &["--duration", "2s"]));
    let summary = last_line(&output);
    println!("{summary}");
    assert_eq!(output.status.code(), Some(0), "{summary}");
    // The load itself goes on: 60 a second for 2 s, most of them at least.
    assert!(summary["by_state"]["VALIDATED"].as_u64().unwrap() > 60, "{summary}");
    assert_eq!(summary["undecided"], 0, "{summary}");
    assert_eq!(summary["overturned"], 0, "{summary}");
    let report = audit(folder.path(), &rpc);
    assert!(report["in_ledgers"].as_u64().unwrap() > kills, "{report}");
    // Of all processes: none without an end, and no Sequence signed twice, for one of the two would
    // be REJECTED by the other's validation.
    for state in ["CREATED", "SUBMITTED", "RETRYABLE", "FAILED_NET", "REJECTED"] {
        assert!(report["by_state"].get(state).is_none_or(|n| *n == 0), "{report}");
    }
}
