//! Files that are not what one wishes: taken, foreign, corrupt, of another age, on a full disk or
//! where nothing may be written. Each is a clear error or put right; nothing is lost silently.

use std::path::Path;

use bytes::Bytes;
use xrpl_protocol::{AccountId, LedgerIndex, Sequence, hash::sha512_half, transaction::Slot};
use xrpl_tracker::{
    Error, Intent, RowFilter, SqliteOptions, SqliteStore, State, Store,
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
    }
}

#[tokio::test]
async fn one_process_at_a_time_writes_and_others_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    assert!(!SqliteStore::is_written(&path));
    let store = open(&path).unwrap();
    store.begin_run(Some(0), 0).await.unwrap();
    store.create(identity(1)).await.unwrap().unwrap();
    assert!(SqliteStore::is_written(&path));
    assert!(matches!(open(&path), Err(Error::InUse)));
    // While it is written.
    let reader = SqliteStore::open_to_read(&path).unwrap();
    assert_eq!(reader.rows(&RowFilter::default(), None, 10).await.unwrap().len(), 1);
    assert!(reader.create(identity(2)).await.is_err(), "a reader makes no rows");
    drop(store);
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
    store.begin_run(Some(0), 0).await.unwrap();
    for n in 0..200 {
        store.create(identity(n)).await.unwrap().unwrap();
    }
    drop(store);
    let mut bytes = std::fs::read(&path).unwrap();
    let from = bytes.len() / 4;
    bytes[from..from + 8_192].fill(0xa5);
    std::fs::write(&path, &bytes).unwrap();
    let outcome = match open(&path) {
        Ok(store) => store.rows(&RowFilter::default(), None, 1_000).await.map(|rows| rows.len()),
        Err(error) => Err(error),
    };
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("malformed") || error.contains("not a database"), "{error}");
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_a_run_goes_on_after_a_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let store = open(&path).unwrap();
    let run = store.begin_run(Some(0), 0).await.unwrap();
    store.create(identity(1)).await.unwrap().unwrap();
    drop(store);
    let store = open(&path).unwrap();
    assert_eq!(store.resume_run(run).await.unwrap().open.len(), 1);
    drop(store);
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(open(&path), Err(Error::NewerSchema { found: 99, .. })));
    assert!(matches!(SqliteStore::open_to_read(&path), Err(Error::NewerSchema { found: 99, .. })));
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
    store.begin_run(Some(0), 0).await.unwrap();
    let (mut written, mut refused) = (Vec::new(), None);
    for n in 0..2_000 {
        match store.create(identity(n)).await.unwrap() {
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
    drop(store);
    let store = open(&path).unwrap();
    let rows = store.rows(&RowFilter::default(), None, 10_000).await.unwrap();
    let hashes: Vec<_> = rows.iter().map(|row| row.identity.hash).collect();
    assert_eq!(hashes, written);
    // With room again it goes on.
    store.create(identity(5_000)).await.unwrap().unwrap();
    let ended = Progress { state: State::FailedNet, ..Progress::created() };
    store.update(written[0], ended);
    store.flush().await.unwrap();
    assert_eq!(store.get(written[0]).await.unwrap().unwrap().progress.state, State::FailedNet);
}
