//! What a restart finds in a file: the same network is taken up again, another one begins a run.

mod common;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use common::*;
use xrpl_protocol::LedgerIndex;
use xrpl_tracker::{
    Cell, Intent, IntentKind, ResultName, RowFilter, Source, SqliteOptions, SqliteStore, State,
    Store, Tracker, TrackerConfig, store::Durability,
};

fn open(path: &std::path::Path) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::open(path, SqliteOptions::default()).unwrap())
}

async fn start_on(node: &Node, path: &std::path::Path) -> Tracker {
    start_with(node, open(path), TrackerConfig::default()).await
}

/// Stops without waiting for any end.
async fn stop(tracker: Tracker) {
    tracker.shutdown(Duration::ZERO).await;
}

#[tokio::test(start_paused = true)]
async fn open_transactions_are_followed_to_their_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let node = Node::new();
    let tracker = start_on(&node, &path).await;
    let sender = Sender::new(1);
    let txs: Vec<_> = (1..=5).map(|n| sender.sequence(n, 30)).collect();
    let expiring = sender.sequence(6, 12);
    node.reply(&[
        Reply::Result("tesSUCCESS"),
        Reply::Result("terPRE_SEQ"),
        Reply::Result("temBAD_FEE"),
        Reply::Break,
    ]);
    for tx in txs.iter().take(2) {
        tracker.submit(submission(tx)).await.unwrap();
    }
    let intent = Intent::Invalid { expected: [ResultName::new("temBAD_FEE")].into() };
    tracker.submit(submission(&txs[2]).intent(intent)).await.unwrap();
    tracker.submit(submission(&txs[3])).await.unwrap();
    tracker.submit(submission(&expiring)).await.unwrap();
    node.close(&[(&txs[0], "tesSUCCESS")]);
    end(&tracker, txs[0].hash).await;
    let before = tracker.stats();
    let run = tracker.run();
    stop(tracker).await;

    // While nobody watches: one is validated, and the last ledger of another passes.
    node.set(|script| script.tx_fails = true);
    node.close_silently(&[(&txs[1], "tecPATH_DRY")]);
    node.close_silently(&[]);
    node.close_silently(&[]);
    let sent = node.submissions(txs[0].hash);
    let tracker = start_on(&node, &path).await;
    assert_eq!(tracker.run(), run);
    let one = end(&tracker, txs[1].hash).await;
    assert_eq!((one.state, one.validated_ledger), (State::Validated, Some(LedgerIndex(12))));
    for (ledger, hashes) in [(12, vec![txs[1].hash]), (13, vec![])] {
        let filter = RowFilter { ledger: Some(LedgerIndex(ledger)), ..RowFilter::default() };
        let page = tracker.rows(&filter, None, 100).await.unwrap();
        assert_eq!(page.rows.iter().map(|row| row.tx_hash).collect::<Vec<_>>(), hashes);
    }
    assert_eq!(end(&tracker, expiring.hash).await.state, State::Expired);
    pass(3).await;
    assert!(node.submissions(txs[3].hash) >= 2, "the same blob goes again");
    node.close(&[(&txs[3], "tesSUCCESS")]);
    assert_eq!(end(&tracker, txs[3].hash).await.state, State::Validated);
    assert_eq!(node.submissions(txs[0].hash), sent, "what has ended is left alone");
    let stats = tracker.stats();
    assert_eq!((stats.total_tracked, stats.pending), (before.total_tracked, 0));
    let counted: u64 = tracker.matrix().iter().map(|cell| cell.count).sum();
    assert_eq!(counted, stats.total_tracked, "ends before and after the restart are counted");
    let cell =
        |name| tracker.matrix().into_iter().find(|cell| cell.last == Some(ResultName::new(name)));
    let claimed = cell("tecPATH_DRY").unwrap();
    let valid = IntentKind::Valid;
    assert_eq!((claimed.state, claimed.count, claimed.intent), (State::Validated, 1, valid));
    assert_eq!(cell("temBAD_FEE").unwrap().intent, IntentKind::Invalid);
    assert_eq!(stats.by_state[&State::Validated], 3);
    assert_eq!(stats.by_state[&State::Rejected], 1);
    assert_eq!(stats.by_state[&State::Expired], 1);
    assert_eq!((stats.expected_invalid, stats.invalid_as_predicted), (1, 1));
    assert_eq!(stats.validated_by_source[&Source::Backfill], 1);
    assert_eq!(stats.by_type["Payment"], 5);
    // An ended one from before the restart, from the file.
    let old = tracker.outcome(txs[0].hash).await.unwrap();
    assert_eq!((old.state, old.validated_ledger), (State::Validated, Some(LedgerIndex(11))));
    let again = tracker.submit(submission(&txs[0])).await.unwrap();
    assert_eq!((again.state, again.already_tracked), (State::Validated, true));
    assert_eq!(node.submissions(txs[0].hash), sent);
    assert_eq!(tracker.stats().total_tracked, 5);
}

/// What was to be held by no node is to be held by none after a restart either.
#[tokio::test(start_paused = true)]
async fn fail_hard_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let node = Node::new();
    let sender = Sender::new(1);
    let (hard, soft) = (sender.sequence(1, 60), sender.sequence(2, 60));
    let tracker = start_on(&node, &path).await;
    node.reply(&[Reply::Break, Reply::Break]);
    tracker.submit(submission(&hard).fail_hard()).await.unwrap();
    tracker.submit(submission(&soft)).await.unwrap();
    pass(2).await;
    stop(tracker).await;
    node.set(|script| script.submitted_hard.clear());
    let tracker = start_on(&node, &path).await;
    let before = node.submissions(hard.hash);
    pass(5).await;
    assert!(node.submissions(hard.hash) > before, "it goes again");
    let sent_hard = node.0.lock().submitted_hard.clone();
    assert!(sent_hard.iter().all(|hash| *hash == hard.hash) && !sent_hard.is_empty());
    stop(tracker).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_cannot_tell_ends_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let node = Node::new();
    let tracker = start_on(&node, &path).await;
    let tx = Sender::new(1).sequence(1, 60);
    tracker.submit(submission(&tx)).await.unwrap();
    let run = tracker.run();
    stop(tracker).await;
    node.close_silently(&[]);
    node.set(|script| {
        script.ledger_fails = true;
        script.ledger_token = "noNetwork";
    });
    let pool = pool(&[("node", &node)]);
    let error = Tracker::start(pool, open(&path), TrackerConfig::default()).await.unwrap_err();
    assert!(error.to_string().contains("noNetwork"), "{error}");
    // Longer than a node takes to catch up, and then it can.
    let later = node.clone();
    tokio::spawn(async move {
        pass(20).await;
        later.set(|script| script.ledger_fails = false);
    });
    let tracker = start_on(&node, &path).await;
    assert_eq!(tracker.run(), run);
    node.close(&[(&tx, "tesSUCCESS")]);
    assert_eq!(end(&tracker, tx.hash).await.state, State::Validated);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_hash_of_the_last_ledger_ends_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let node = Node::new();
    let tracker = start_on(&node, &path).await;
    let run = tracker.run();
    node.close(&[]);
    settle().await;
    node.set(|script| script.chain = 2);
    node.close(&[]);
    settle().await;
    stop(tracker).await;
    node.set(|script| script.chain = 1);
    let tracker = start_on(&node, &path).await;
    assert_eq!(tracker.run(), run);
    stop(tracker).await;
    // With newer ledgers since, too; and a chain of which none is known is another.
    node.close(&[]);
    let tracker = start_on(&node, &path).await;
    assert_eq!(tracker.run(), run);
    stop(tracker).await;
    node.set(|script| script.chain = 3);
    assert_ne!(start_on(&node, &path).await.run(), run);
}

/// Every node has deleted what the run knew, and the network's id is the same: the run goes on, and of
/// what was in flight nothing is said by a chain that may be another one. What is new ends as ever.
#[tokio::test(start_paused = true)]
async fn what_another_chain_of_the_same_id_lacks_comes_to_no_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let node = Node::new();
    let tracker = start_on(&node, &path).await;
    let tx = Sender::new(1).sequence(5, 30);
    tracker.submit(submission(&tx)).await.unwrap();
    node.close(&[]);
    settle().await;
    let old = tracker.run();
    stop(tracker).await;

    let other = Node::new();
    other.set(|script| {
        (script.chain, script.head) = (2, 400);
        script.lost = (1..400).collect();
        script.account = Some((5, BTreeSet::new()));
    });
    let tracker = start_on(&other, &path).await;
    assert_eq!(tracker.run(), old, "it goes on");
    let new = Sender::new(2).sequence(7, 402);
    tracker.submit(submission(&new)).await.unwrap();
    for _ in 0..20 {
        other.close(&[]);
        pass(5).await;
    }
    let row = tracker.dossier(tx.hash).await.unwrap().unwrap().row;
    assert!(!row.state.is_terminal() && row.undecided, "{row:?}");
    let why = row.reason.unwrap();
    assert!(why.text.contains("another chain of the same network id"), "{why:?}");
    assert_eq!(tracker.dossier(new.hash).await.unwrap().unwrap().row.state, State::Expired);
    stop(tracker).await;
}

#[tokio::test(start_paused = true)]
async fn another_network_begins_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let node = Node::new();
    let tracker = start_on(&node, &path).await;
    let tx = Sender::new(1).sequence(5, 30);
    tracker.submit(submission(&tx)).await.unwrap();
    node.close(&[]);
    settle().await;
    let old = tracker.run();
    stop(tracker).await;

    // The same length, another chain; then a fresh one, that begins as the old one began; then
    // another network with the same hashes.
    let changes: [fn(&mut Script); 3] =
        [|script| script.chain = 2, |script| script.head = 2, |script| script.network_id = 8];
    for (n, change) in changes.into_iter().enumerate() {
        let other = Node::new();
        other.set(|script| {
            script.chain = if n == 0 { 1 } else { 2 };
            script.head = 11;
            script.ledgers.insert(11, Vec::new());
        });
        other.set(change);
        let tracker = start_on(&other, &path).await;
        assert_eq!(tracker.run().0, old.0 + 1 + n as u64);
        pass(30).await;
        assert!(other.0.lock().submitted.is_empty(), "nothing of the old run is sent");
        let stats = tracker.stats();
        assert_eq!((stats.total_tracked, stats.pending), (0, 0));
        assert!(tracker.dossier(tx.hash).await.unwrap().is_none());
        let rows = tracker.rows_of(old, &RowFilter::default(), None, 10).await.unwrap().rows;
        assert_eq!((rows.len(), rows[0].tx_hash), (1, tx.hash));
        assert_eq!(tracker.rows(&RowFilter::default(), None, 10).await.unwrap().rows.len(), 0);
        // The same blob may be handed in for the new ledger.
        if n == 0 {
            tracker.submit(submission(&tx)).await.unwrap();
        }
        stop(tracker).await;
    }
}

#[tokio::test(start_paused = true)]
async fn rows_page_stably_and_filter() {
    let folder = tempfile::tempdir().unwrap();
    let stores: [Arc<dyn Store>; 2] =
        [open(&folder.path().join("rows.db")), xrpl_tracker::MemoryStore::shared()];
    let mut answers = Vec::new();
    for store in stores {
        let node = Node::new();
        let tracker = start_with(&node, store, TrackerConfig::default()).await;
        let sender = Sender::new(1);
        let txs: Vec<_> = (1..=7).map(|n| sender.sequence(n, 30)).collect();
        for (n, tx) in txs.iter().enumerate() {
            node.set(|script| {
                let reply = if n % 3 == 0 { "temBAD_FEE" } else { "tesSUCCESS" };
                script.replies = [Reply::Result(reply)].into();
            });
            tracker.submit(submission(tx)).await.unwrap();
        }
        let mut cursor = None;
        let mut seen = Vec::new();
        loop {
            let page = tracker.rows(&RowFilter::default(), cursor, 3).await.unwrap();
            seen.extend(page.rows.iter().map(|row| row.tx_hash));
            let Some(next) = page.next_cursor else { break };
            cursor = Some(next);
        }
        assert_eq!(seen, txs.iter().map(|tx| tx.hash).collect::<Vec<_>>());
        let filters = [
            RowFilter { states: vec![State::Rejected], ..RowFilter::default() },
            RowFilter { states: vec![State::Created, State::Submitted], ..RowFilter::default() },
            RowFilter { states: vec![State::Validated, State::Rejected], ..RowFilter::default() },
            RowFilter { transaction_type: Some("Payment".into()), ..RowFilter::default() },
            RowFilter { transaction_type: Some("'; --".into()), ..RowFilter::default() },
            RowFilter { account: Some(sender.account()), ..RowFilter::default() },
            RowFilter {
                engine_result: Some(ResultName::new("temBAD_FEE")),
                ..RowFilter::default()
            },
            RowFilter { undecided: true, ..RowFilter::default() },
            RowFilter {
                preliminary: Some(Some(ResultName::new("tesSUCCESS"))),
                ..RowFilter::default()
            },
            RowFilter { preliminary: Some(None), ..RowFilter::default() },
            RowFilter { last: Some(Some(ResultName::new("temBAD_FEE"))), ..RowFilter::default() },
            RowFilter { last: Some(None), ..RowFilter::default() },
        ];
        // The other way round: the same rows, page by page.
        let newest = RowFilter { newest_first: true, ..RowFilter::default() };
        let first = tracker.rows(&newest, None, 4).await.unwrap();
        let rest = tracker.rows(&newest, first.next_cursor, 4).await.unwrap();
        let back: Vec<_> = first.rows.iter().chain(&rest.rows).map(|row| row.tx_hash).collect();
        assert_eq!(back, txs.iter().rev().map(|tx| tx.hash).collect::<Vec<_>>());
        let mut counts = Vec::new();
        for filter in &filters {
            let rows = tracker.rows(filter, None, 100).await.unwrap().rows.len() as u64;
            assert_eq!(tracker.count(filter).await.unwrap(), rows);
            counts.push(rows);
        }
        answers.push(counts);
        stop(tracker).await;
    }
    assert_eq!(answers[0], [3, 4, 3, 7, 0, 7, 3, 0, 4, 0, 3, 4]);
    assert_eq!(answers[0], answers[1]);
}

/// A row is on disk before its blob leaves: the file is read by another connection at the moment
/// the node gets it.
#[tokio::test]
async fn created_rows_are_there_before_the_blob_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("durable.db");
    let node = Node::new();
    let store: Arc<dyn Store> = Arc::new(
        SqliteStore::open(
            &path,
            SqliteOptions { durability: Durability::Power, ..SqliteOptions::default() },
        )
        .unwrap(),
    );
    let tracker = start_with(&node, store, TrackerConfig::default()).await;
    let tx = Sender::new(1).sequence(5, 30);
    let watching = path.clone();
    let (tell, told) = std::sync::mpsc::channel();
    node.set(|script| {
        script.on_submit = Some(Box::new(move |hash| {
            let file = rusqlite::Connection::open(&watching).unwrap();
            let n: u32 = file
                .query_row("SELECT count(*) FROM transactions WHERE hash = ?1", [hash.0], |row| {
                    row.get(0)
                })
                .unwrap();
            tell.send(n).unwrap();
        }));
    });
    tracker.submit(submission(&tx)).await.unwrap();
    assert_eq!(told.try_recv(), Ok(1));
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mode.db");
    std::fs::write(&path, b"").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let _store = open(&path);
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.path());
    }
}

/// Two on one Sequence, made on purpose: one is validated, the other one is superseded and no failure,
/// after a restart too. One that a node had refused has failed, whatever took its slot.
#[tokio::test(start_paused = true)]
async fn a_superseded_one_is_no_failure() {
    let node = Node::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let tracker = start_on(&node, &path).await;
    let sender = Sender::new(1);
    let (first, second) = (sender.sequence(5, 30), sender.sequence(5, 31));
    let (refused, filler) = (sender.sequence(6, 30), sender.sequence(6, 31));
    // In the open ledger already when its rival comes: that the slot is gone is no refusal.
    let (third, late) = (sender.sequence(7, 30), sender.sequence(7, 31));
    for (tx, reply) in [
        (&first, "terQUEUED"),
        (&second, "tesSUCCESS"),
        (&refused, "tefMAX_LEDGER"),
        (&filler, "tesSUCCESS"),
        (&third, "terQUEUED"),
        (&late, "tefPAST_SEQ"),
    ] {
        node.reply(&[Reply::Result(reply)]);
        tracker.submit(submission(tx)).await.unwrap();
    }
    node.close(&[(&second, "tesSUCCESS"), (&filler, "tesSUCCESS"), (&third, "tesSUCCESS")]);
    for lost in [&first, &refused, &late] {
        let outcome = end(&tracker, lost.hash).await;
        assert!(
            matches!(outcome.evidence, xrpl_tracker::Evidence::SequenceConsumed { .. }),
            "{outcome:?}"
        );
    }
    let check = |tracker: &Tracker| {
        let stats = tracker.stats();
        assert_eq!((stats.superseded, stats.valid_failed), (2, 1));
        assert_eq!(stats.valid_by_state[&State::Rejected], 3);
        let cells = tracker.matrix();
        let sum = |of: fn(&Cell) -> bool| -> u64 {
            cells.iter().filter(|cell| of(cell)).map(|cell| cell.count).sum()
        };
        assert_eq!((sum(|cell| cell.superseded), sum(Cell::failed)), (2, 1), "{cells:?}");
    };
    check(&tracker);
    stop(tracker).await;
    check(&start_on(&node, &path).await);
}

/// Killed between the two writes: the winner's end is in the file, the loser's is not. The loser is
/// superseded still.
#[tokio::test(start_paused = true)]
async fn a_rival_that_ended_before_the_restart_supersedes() {
    let folder = tempfile::tempdir().unwrap();
    for winner_first in [true, false] {
        let node = Node::new();
        let path = folder.path().join(format!("{winner_first}.db"));
        let tracker = start_on(&node, &path).await;
        let sender = Sender::new(1);
        let (mut winner, mut loser) = (sender.sequence(5, 30), sender.sequence(5, 31));
        if !winner_first {
            std::mem::swap(&mut winner, &mut loser);
        }
        for tx in if winner_first { [&winner, &loser] } else { [&loser, &winner] } {
            node.reply(&[Reply::Result("tesSUCCESS")]);
            tracker.submit(submission(tx)).await.unwrap();
        }
        stop(tracker).await;
        node.close_silently(&[(&winner, "tesSUCCESS")]);
        let store = open(&path);
        let run = store.newest().await.unwrap().unwrap();
        let mut progress = run.get(winner.hash).await.unwrap().unwrap().progress;
        progress.version += 1;
        progress.state = State::Validated;
        progress.validated = Some(Box::new(xrpl_tracker::ValidatedIn {
            ledger_index: LedgerIndex(11),
            ledger_hash: None,
            result: ResultName::new("tesSUCCESS"),
            source: Source::Ws,
        }));
        run.update(winner.hash, progress).unwrap();
        run.flush().await.unwrap();
        drop((run, store));

        let tracker = start_on(&node, &path).await;
        let outcome = end(&tracker, loser.hash).await;
        assert_eq!(outcome.state, State::Rejected, "{outcome:?}");
        let stats = tracker.stats();
        assert_eq!((stats.superseded, stats.valid_failed), (1, 0), "{winner_first}: {outcome:?}");
        assert_eq!(end(&tracker, winner.hash).await.state, State::Validated);
        stop(tracker).await;
    }
}
