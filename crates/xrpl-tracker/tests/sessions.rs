//! What is noted of sessions: by run, in order, over restarts, and of one that was killed.

use xrpl_tracker::{
    MemoryStore, SqliteOptions, SqliteStore, Store,
    record::RunId,
    store::{SessionId, SessionNote},
};

fn note(at_ms: u64, ended: bool, text: &str) -> SessionNote {
    SessionNote { at_ms, ended, head: format!("head of {text}"), text: text.into() }
}

async fn begin_and_note(store: &dyn Store) -> Vec<SessionId> {
    let first = store.begin_run(None, 1).await.unwrap().run();
    let second = store.begin_run(None, 2).await.unwrap().run();
    let sessions = store.sessions().unwrap();
    let mut ids = Vec::new();
    for (run, at_ms) in [(first, 10), (second, 20), (first, 30)] {
        ids.push(sessions.begin_session(run, at_ms).await.unwrap());
    }
    sessions.note_session(ids[0], note(11, false, "on the way")).await.unwrap();
    sessions.note_session(ids[0], note(12, true, "done")).await.unwrap();
    sessions.note_session(ids[1], note(21, false, "killed")).await.unwrap();
    ids
}

async fn must_be_there(store: &dyn Store, ids: &[SessionId]) {
    let sessions = store.sessions().unwrap();
    assert_eq!((ids[2].run, ids[2].session), (ids[0].run, 2), "the second one of its run");
    let heads = sessions.session_heads().await.unwrap();
    let mut told: Vec<_> =
        heads.iter().map(|h| (h.began_at_ms, h.noted_at_ms, h.ended, h.head.as_str())).collect();
    told.sort_unstable();
    let expected =
        [(10, 12, true, "head of done"), (20, 21, false, "head of killed"), (30, 30, false, "")];
    assert_eq!(told, expected);
    assert_eq!(sessions.session_text(ids[0]).await.unwrap().as_deref(), Some("done"));
    assert_eq!(sessions.session_text(ids[2]).await.unwrap(), None, "nothing was noted of it");
    let strange = SessionId { run: RunId(99), session: 1 };
    assert_eq!(sessions.session_text(strange).await.unwrap(), None);
}

#[tokio::test]
async fn in_memory() {
    let store = MemoryStore::default();
    let ids = begin_and_note(&store).await;
    must_be_there(&store, &ids).await;
}

#[tokio::test]
async fn in_a_file_that_others_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
    let ids = begin_and_note(&store).await;
    must_be_there(&store, &ids).await;
    must_be_there(&SqliteStore::open_to_read(&path).unwrap(), &ids).await;
    // A run that is not there has no session.
    assert!(store.sessions().unwrap().begin_session(RunId(99), 0).await.is_err());
    drop(store);
    let reader = SqliteStore::open_to_read(&path).unwrap();
    must_be_there(&reader, &ids).await;
    assert!(reader.sessions().unwrap().begin_session(ids[0].run, 0).await.is_err());
    assert!(reader.sessions().unwrap().note_session(ids[0], note(1, true, "no")).await.is_err());
}
