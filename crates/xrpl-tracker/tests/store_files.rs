//! Files that are not what one wishes: taken, foreign, corrupt, of another age, on a full disk or
//! where nothing may be written. Each is a clear error or put right; nothing is lost silently.

use std::path::Path;

use bytes::Bytes;
use rusqlite::types::Value;
use xrpl_protocol::{
    AccountId, Hash256, LedgerIndex, Sequence, hash::sha512_half, transaction::Slot,
};
use xrpl_tracker::{
    CallersKey, Error, Intent, MemoryStore, RowFilter, SqliteOptions, SqliteStore, State, Store,
    record::{Identity, Progress},
};

fn open(path: &Path) -> Result<SqliteStore, Error> {
    SqliteStore::open(path, SqliteOptions::default())
}

fn identity(n: u32) -> Identity {
    Identity {
        hash: sha512_half(&[&n.to_be_bytes()]).into(),
        account: AccountId([7; 20]),
        slot: Slot::Sequence(Sequence(n)),
        last_ledger_sequence: Some(LedgerIndex(30)),
        transaction_type: "Payment".into(),
        intent: Intent::Valid,
        created_ledger: LedgerIndex(10),
        created_at_ms: 0,
        blob: Bytes::from(vec![0x12; 190]),
        callers_key: None,
        fail_hard: false,
        fresh: true,
    }
}

#[tokio::test]
async fn one_process_at_a_time_writes_and_others_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    assert!(!SqliteStore::is_written(&path));
    let store = open(&path).unwrap();
    let run = store.begin_run(Some(0), 0).await.unwrap();
    run.add(identity(1)).await.unwrap();
    assert!(SqliteStore::is_written(&path));
    assert!(matches!(open(&path), Err(Error::InUse)));
    // While it is written.
    let reader = SqliteStore::open_to_read(&path).unwrap();
    let read = reader.newest().await.unwrap().unwrap();
    assert_eq!(read.rows(&RowFilter::default(), None, 10).await.unwrap().len(), 1);
    assert!(read.add(identity(2)).await.is_err(), "a reader makes no rows");
    assert!(read.update(identity(1).hash, Progress::created()).is_err(), "nor changes any");
    assert!(read.ledger(LedgerIndex(11), Hash256::ZERO).is_err());
    drop((run, store));
    assert!(!SqliteStore::is_written(&path));
    open(&path).unwrap();
}

#[test]
fn files_of_others_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cookies.db");
    let theirs = rusqlite::Connection::open(&path).unwrap();
    theirs
        .execute_batch("CREATE TABLE cookies (name TEXT); INSERT INTO cookies VALUES ('x')")
        .unwrap();
    drop(theirs);
    assert!(matches!(open(&path), Err(Error::Foreign)));
    assert!(matches!(SqliteStore::open_to_read(&path), Err(Error::Foreign)));
    let theirs = rusqlite::Connection::open(&path).unwrap();
    let tables: u32 =
        theirs.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 1);
}

#[test]
fn what_is_no_database_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "not a database, and dear to somebody\n".repeat(200);
    std::fs::write(&path, &text).unwrap();
    let error = open(&path).unwrap_err().to_string();
    assert!(error.contains("not a database"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_corrupt_file_is_an_error_and_not_a_fresh_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let store = open(&path).unwrap();
    let run = store.begin_run(Some(0), 0).await.unwrap();
    for n in 0..200 {
        run.add(identity(n)).await.unwrap();
    }
    let id = run.run();
    drop((run, store));
    let mut bytes = std::fs::read(&path).unwrap();
    // Among the rows: smaller tables stand before and indexes after them.
    let from = bytes.len() / 2;
    bytes[from..from + 8_192].fill(0xa5);
    std::fs::write(&path, &bytes).unwrap();
    let outcome = async {
        let run = open(&path)?.open_run(id).await?;
        Ok::<_, Error>(run.rows(&RowFilter::default(), None, 1_000).await?.len())
    };
    let outcome = outcome.await;
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("malformed") || error.contains("not a database"), "{error}");
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_a_run_goes_on_after_a_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let store = open(&path).unwrap();
    let run = store.begin_run(Some(0), 0).await.unwrap();
    run.add(identity(1)).await.unwrap();
    let id = run.run();
    drop((run, store));
    let store = open(&path).unwrap();
    let run = store.open_run(id).await.unwrap();
    assert_eq!(run.resume().await.unwrap().open.len(), 1);
    drop((run, store));
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(open(&path), Err(Error::NewerSchema { found: 99, .. })));
    assert!(matches!(SqliteStore::open_to_read(&path), Err(Error::NewerSchema { found: 99, .. })));
}

/// A file as the first version's killed run left it: every row stays as it was, what was open goes
/// on, and what came with later versions works.
#[tokio::test]
async fn a_file_of_an_older_schema_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(include_str!("data/schema_1.sql")).unwrap();
    let before = all_columns(&old);
    drop(old);
    // Who only reads changes nothing, and says what to do.
    let error = SqliteStore::open_to_read(&path).unwrap_err().to_string();
    assert!(error.contains("schema 1") && error.contains("brings it up to date"), "{error}");

    let store = open(&path).unwrap();
    let now = rusqlite::Connection::open(&path).unwrap();
    let columns = all_columns(&now);
    assert_eq!((before.len(), columns.len()), (8, 8));
    for (old, new) in before.iter().zip(&columns) {
        assert_eq!(old[..], new[..old.len()]);
        // What came later is not known of them.
        let unknown = |value: &Value| matches!(value, Value::Null | Value::Integer(0));
        assert!(new[old.len()..].iter().all(unknown));
    }
    let run = store.newest().await.unwrap().unwrap();
    assert_eq!(run.anchor().await.unwrap().unwrap().index, LedgerIndex(9));
    let resumed = run.resume().await.unwrap();
    assert_eq!(resumed.open.len(), 2);
    assert_eq!(resumed.counts.iter().map(|count| count.n).sum::<u64>(), 8);
    let rows = run.rows(&RowFilter::default(), None, 10).await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.progress.state == State::Validated).count(), 4);
    run.add(keyed(1, "order-1")).await.unwrap();
    assert!(run.by_key("order-1").await.unwrap().is_some());
    let outbox = store.outbox().unwrap();
    outbox.keep();
    let hash = resumed.open[0].identity.hash;
    run.update(hash, Progress { version: 1, state: State::Expired, ..Progress::created() })
        .unwrap();
    run.flush().await.unwrap();
    let due = outbox.due(0, 10).await.unwrap();
    assert_eq!(due.iter().map(|end| end.tx_hash).collect::<Vec<_>>(), [hash]);
}

fn all_columns(file: &rusqlite::Connection) -> Vec<Vec<rusqlite::types::Value>> {
    let mut statement = file.prepare("SELECT * FROM transactions ORDER BY id").unwrap();
    let width = statement.column_count();
    let rows = statement.query_map([], |row| (0..width).map(|n| row.get(n)).collect()).unwrap();
    rows.map(Result::unwrap).collect()
}

fn keyed(n: u32, key: &str) -> Identity {
    let request = sha512_half(&[key.as_bytes()]);
    Identity { callers_key: Some(CallersKey { key: key.into(), request }.into()), ..identity(n) }
}

/// What a caller named is found by its name, also by a later process; each run has its own names.
#[tokio::test]
async fn a_callers_key_finds_its_first_transaction_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let memory: Box<dyn Store> = Box::new(MemoryStore::default());
    let file: Box<dyn Store> = Box::new(open(&path).unwrap());
    for store in [&memory, &file] {
        let run = store.begin_run(Some(0), 0).await.unwrap();
        for identity in [keyed(1, "a"), keyed(2, "b"), keyed(3, "a"), identity(4)] {
            run.add(identity).await.unwrap();
        }
        let found = run.by_key("a").await.unwrap().unwrap();
        assert_eq!(found.identity, keyed(1, "a"));
        assert!(run.by_key("c").await.unwrap().is_none());
    }
    drop(file);
    let again = open(&path).unwrap();
    let run = again.newest().await.unwrap().unwrap();
    assert_eq!(run.by_key("b").await.unwrap().unwrap().identity, keyed(2, "b"));
    for store in [&*memory, &again] {
        let run = store.begin_run(Some(0), 1).await.unwrap();
        assert!(run.by_key("a").await.unwrap().is_none(), "another run");
    }
}

#[test]
fn where_nothing_may_be_written_it_says_where() {
    let folder = tempfile::tempdir().unwrap();
    // A file in the way works for root, too, whom no rights hold back.
    let in_the_way = folder.path().join("file");
    std::fs::write(&in_the_way, "").unwrap();
    let path = in_the_way.join("run.db");
    let error = open(&path).unwrap_err().to_string();
    assert!(error.contains("run.db"), "{error}");
}

#[tokio::test]
async fn a_full_disk_stops_what_is_new_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let options = SqliteOptions { max_pages: Some(40), ..SqliteOptions::default() };
    let store = SqliteStore::open(&path, options).unwrap();
    let run = store.begin_run(Some(0), 0).await.unwrap();
    let (mut written, mut refused) = (Vec::new(), None);
    for n in 0..2_000 {
        match run.add(identity(n)).await {
            Ok(_) => written.push(identity(n).hash),
            Err(error) => {
                refused = Some(error.to_string());
                break;
            }
        }
    }
    let refused = refused.expect("40 pages do not take 2,000 rows");
    assert!(refused.contains("full"), "{refused}");
    assert!(store.failures() > 0 && written.len() > 100);
    // What was said to be durable is: a transaction without such a word is not sent.
    drop((run, store));
    let store = open(&path).unwrap();
    let run = store.newest().await.unwrap().unwrap();
    let rows = run.rows(&RowFilter::default(), None, 10_000).await.unwrap();
    let hashes: Vec<_> = rows.iter().map(|row| row.identity.hash).collect();
    assert_eq!(hashes, written);
    // With room again it goes on.
    run.add(identity(5_000)).await.unwrap();
    let ended = Progress { version: 1, state: State::FailedNet, ..Progress::created() };
    run.update(written[0], ended).unwrap();
    run.flush().await.unwrap();
    assert_eq!(run.get(written[0]).await.unwrap().unwrap().progress.state, State::FailedNet);
}

/// The one that is ending lets go a moment after the next one has come: it is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_let_go_in_a_moment_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let first = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
    let ending = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(100));
        drop(first);
    });
    assert!(SqliteStore::open(&path, SqliteOptions::default()).is_ok());
    ending.join().unwrap();
}
