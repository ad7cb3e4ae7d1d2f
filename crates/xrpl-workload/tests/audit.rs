//! `audit` from outside: of a run that goes on, of one that has ended, and what it must find.

mod common;
#[path = "common/outside.rs"]
mod outside;
#[path = "common/veil.rs"]
mod veil;

use std::{path::Path, process::Stdio, time::Duration};

use common::program;
use outside::{audit, node, node_closing_every, output, report, run, texts};
use xrpl_standalone::server::Standalone;

const SEED: &str = "audited";

async fn finished(node: &Standalone, folder: &Path) {
    let mut command = program(folder);
    command.args(run(node, SEED, "1s"));
    let ended = output(command).await;
    assert_eq!(ended.status.code(), Some(0), "{}", texts(&ended));
}

async fn audited(node: &Standalone, folder: &Path, seed: &str) -> std::process::Output {
    let mut command = program(folder);
    command.args(audit(node, seed));
    output(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_goes_on_agrees_as_far_as_it_got() {
    let node = node().await;
    let folder = tempfile::tempdir().unwrap();
    let mut child = program(folder.path())
        .args(run(&node, SEED, "30s"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut looks = Vec::new();
    while looks.len() < 3 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(child.try_wait().unwrap().is_none(), "it runs");
        let ended = audited(&node, folder.path(), SEED).await;
        // Until its first transaction there is nothing to compare.
        if ended.status.code() != Some(3) {
            looks.push(report(&ended));
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    for look in &looks {
        assert_eq!((&look["equal"], &look["live"]), (&true.into(), &true.into()), "{look}");
    }
    let ledgers: Vec<_> = looks.iter().map(|look| look["last_ledger"].as_u64().unwrap()).collect();
    assert!(ledgers.is_sorted() && ledgers[0] < ledgers[2], "{ledgers:?}");
    assert!(looks[2]["in_ledgers"].as_u64().unwrap() > 50, "{}", looks[2]);
}

/// An account of which the store has no row at all: only the run's seed tells that it was the run's.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_account_sent_without_any_row_is_found_by_the_seed() {
    let node = node().await;
    let folder = tempfile::tempdir().unwrap();
    finished(&node, folder.path()).await;
    let all = report(&audited(&node, folder.path(), SEED).await);
    assert_eq!(all["equal"], true, "{all}");
    let file = rusqlite::Connection::open(folder.path().join("run.db")).unwrap();
    let lost = file
        .execute(
            "DELETE FROM transactions WHERE account = (SELECT account FROM transactions
             ORDER BY id DESC LIMIT 1)",
            [],
        )
        .unwrap();
    drop(file);
    assert!(lost > 0);
    let ended = audited(&node, folder.path(), SEED).await;
    let found = report(&ended);
    assert_eq!(ended.status.code(), Some(1), "{found}");
    assert_eq!(found["problem_count"], lost, "{found}");
    assert_eq!(found["problems"][0]["kind"], "not_in_store", "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_network_is_recognised_by_its_ledgers() {
    let (ours, other) = (node().await, node().await);
    let folder = tempfile::tempdir().unwrap();
    finished(&ours, folder.path()).await;
    let ended = audited(&other, folder.path(), SEED).await;
    assert_eq!(ended.status.code(), Some(3), "{}", texts(&ended));
    assert!(texts(&ended).contains("is it the run's network"), "{}", texts(&ended));
}

/// A node that leaves transactions out of ledgers accuses nobody: alone it cannot be read, and beside
/// another one it is passed over.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_leaves_transactions_out_accuses_nobody() {
    let node = node().await;
    let folder = tempfile::tempdir().unwrap();
    finished(&node, folder.path()).await;
    let less = veil::Veil::over(&node).await;
    less.leaves_out();
    let ended = audited_at(&less.url(), folder.path()).await;
    assert_eq!(ended.status.code(), Some(3), "{}", texts(&ended));
    assert!(texts(&ended).contains("are not all that it has"), "{}", texts(&ended));
    let mut command = program(folder.path());
    command.args(["audit", "--store", "run.db", "--json", "--seed", SEED]);
    command.args(["--node", &less.url(), "--node", &format!("http://{}", node.rpc_addr)]);
    let ended = output(command).await;
    let found = report(&ended);
    assert_eq!(ended.status.code(), Some(0), "{}", texts(&ended));
    assert_eq!((&found["equal"], &found["complete"]), (&true.into(), &true.into()), "{found}");
}

/// A node on another chain that is further than the run's own one: its ledgers are no evidence against
/// the store, whichever is named first.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_on_another_chain_accuses_nobody() {
    let (ours, other) = (node().await, node_closing_every(Duration::from_millis(40)).await);
    let folder = tempfile::tempdir().unwrap();
    finished(&ours, folder.path()).await;
    let url = |node: &Standalone| format!("http://{}", node.rpc_addr);
    for nodes in [[url(&ours), url(&other)], [url(&other), url(&ours)]] {
        let mut command = program(folder.path());
        command.args(["audit", "--store", "run.db", "--json", "--seed", SEED]);
        command.args(nodes.iter().flat_map(|node| ["--node", node]));
        let ended = output(command).await;
        let found = report(&ended);
        assert_eq!((ended.status.code(), &found["equal"]), (Some(0), &true.into()), "{found}");
        assert_eq!(found["complete"], true, "{found}");
        assert!(found["in_ledgers"].as_u64().unwrap() > 50, "{found}");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(said.contains(&format!("{} has another ledger", url(&other))), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_hash_of_one_ledger_is_a_difference() {
    let node = node().await;
    let folder = tempfile::tempdir().unwrap();
    finished(&node, folder.path()).await;
    let file = rusqlite::Connection::open(folder.path().join("run.db")).unwrap();
    let (index, changed): (u32, usize) = (
        file.query_row("SELECT max(validated_ledger) FROM transactions", [], |row| row.get(0))
            .unwrap(),
        file.execute(
            "UPDATE ledgers SET hash = zeroblob(32)
             WHERE ledger_index = (SELECT max(validated_ledger) FROM transactions)",
            [],
        )
        .unwrap(),
    );
    drop(file);
    assert_eq!(changed, 1);
    let ended = audited(&node, folder.path(), SEED).await;
    let found = report(&ended);
    assert_eq!((ended.status.code(), &found["problem_count"]), (Some(1), &1.into()), "{found}");
    let problem = &found["problems"][0];
    assert_eq!((&problem["kind"], &problem["ledger"]), (&"other_hash".into(), &index.into()));
}

/// A node that has not validated the run's last ledgers yet is waited for, with a word.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lags_is_waited_for() {
    let node = node().await;
    let folder = tempfile::tempdir().unwrap();
    finished(&node, folder.path()).await;
    let behind = veil::Veil::over(&node).await;
    behind.shows(1, newest_followed(folder.path()) - 3);
    let asked = tokio::spawn({
        let (url, folder) = (behind.url(), folder.path().to_owned());
        async move { audited_at(&url, &folder).await }
    });
    // Until it was asked for what it has not got yet.
    behind.asked(4).await;
    behind.shows(1, u32::MAX);
    let ended = asked.await.unwrap();
    let found = report(&ended);
    assert_eq!(ended.status.code(), Some(0), "{}", texts(&ended));
    assert_eq!((&found["equal"], &found["complete"]), (&true.into(), &true.into()), "{found}");
    assert!(texts(&ended).contains("waiting up to"), "{}", texts(&ended));
}

/// What a node does not keep is unseen, not missing.
#[tokio::test(flavor = "multi_thread")]
async fn ledgers_that_a_node_does_not_keep_are_unseen() {
    let node = node().await;
    let folder = tempfile::tempdir().unwrap();
    finished(&node, folder.path()).await;
    let all = report(&audited(&node, folder.path(), SEED).await);
    let (first, last) = (all["first_ledger"].as_u64().unwrap(), newest_followed(folder.path()));
    let forgetful = veil::Veil::over(&node).await;
    for (from, to) in [(last - 3, u32::MAX), (last + 1, u32::MAX)] {
        forgetful.shows(from, to);
        let ended = audited_at(&forgetful.url(), folder.path()).await;
        let found = report(&ended);
        assert_eq!(ended.status.code(), Some(5), "{}", texts(&ended));
        assert_eq!(
            (&found["equal"], &found["problem_count"]),
            (&true.into(), &0.into()),
            "{found}"
        );
        assert_eq!(found["complete"], false, "{found}");
        assert_eq!(found["unseen"][0]["first"], first, "{found}");
        assert!(found["unchecked"].as_u64().unwrap() > 0, "{found}");
    }
    // What was seen is judged all the same.
    forgetful.shows(first as u32 + 2, u32::MAX);
    let file = rusqlite::Connection::open(folder.path().join("run.db")).unwrap();
    let changed = file
        .execute(
            "UPDATE transactions SET engine_result_final = 'tecPATH_DRY' WHERE id IN
             (SELECT id FROM transactions WHERE state = 3 ORDER BY validated_ledger DESC LIMIT 1)",
            [],
        )
        .unwrap();
    drop(file);
    assert_eq!(changed, 1);
    let ended = audited_at(&forgetful.url(), folder.path()).await;
    let found = report(&ended);
    assert_eq!((ended.status.code(), &found["problem_count"]), (Some(1), &1.into()), "{found}");
}

/// Rows that were pruned are not missed.
#[tokio::test(flavor = "multi_thread")]
async fn pruned_rows_are_no_difference() {
    use xrpl_tracker::{SqliteOptions, SqliteStore, Store, store::Retention};
    let node = node().await;
    let folder = tempfile::tempdir().unwrap();
    finished(&node, folder.path()).await;
    let store = SqliteStore::open(folder.path().join("run.db"), SqliteOptions::default()).unwrap();
    let later = xrpl_workload::session::unix_ms() + 3_600_000;
    let gone = store.prune(Retention::Rows(100), later).await.unwrap();
    drop(store);
    assert!(gone > 0);
    let ended = audited(&node, folder.path(), SEED).await;
    let found = report(&ended);
    assert_eq!(ended.status.code(), Some(5), "{}", texts(&ended));
    assert_eq!((&found["problem_count"], &found["pruned"]), (&0.into(), &gone.into()), "{found}");
}

async fn audited_at(url: &str, folder: &Path) -> std::process::Output {
    let mut command = program(folder);
    command.args(["audit", "--node", url, "--store", "run.db", "--json", "--seed", SEED]);
    output(command).await
}

fn newest_followed(folder: &Path) -> u32 {
    let file = rusqlite::Connection::open(folder.join("run.db")).unwrap();
    file.query_row("SELECT max(ledger_index) FROM ledgers", [], |row| row.get(0)).unwrap()
}
