//! The store on a real PostgreSQL: what every store must do, and what becomes of it when the server goes
//! away.

mod server;

use std::sync::Arc;

use self::server::Server;
use xrpl_store_postgres::PostgresStore;
use xrpl_tracker::{
    State, Store,
    record::Progress,
    store::{Created, conformance::identity},
};

async fn open() -> Option<(Arc<dyn Store>, Server)> {
    let server = Server::start().await?;
    let store = PostgresStore::open(server.config()).await.unwrap();
    Some((Arc::new(store), server))
}

xrpl_tracker::store_conformance!(open);

fn in_state(version: u32, state: State) -> Progress {
    Progress { version, state, ..Progress::created() }
}

/// The server dies: what is new is refused at once, what is told of rows that there are waits and is
/// written once it is back, by itself.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_written_when_the_server_is_back() {
    let Some(mut server) = Server::start().await else { return };
    let store = PostgresStore::open(server.config()).await.unwrap();
    let run = store.begin_run(Some(7), 0).await.unwrap();
    for n in 0..50 {
        run.add(identity(n)).await.unwrap();
    }
    server.stop();
    for n in 0..50 {
        run.update(identity(n).hash, in_state(1, State::Submitted)).unwrap();
    }
    assert!(run.add(identity(100)).await.is_err(), "nothing is durable now");
    assert!(run.rows(&Default::default(), None, 10).await.is_err());
    let failed = store.failures();
    assert!(failed >= 1);
    for n in 0..50 {
        run.update(identity(n).hash, in_state(2, State::Expired)).unwrap();
    }
    assert!(server.run().await);
    // The reader waits for all that was handed over; nobody hands anything over again.
    let mut rows = run.rows(&Default::default(), None, 100).await;
    while rows.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        rows = run.rows(&Default::default(), None, 100).await;
    }
    let rows = rows.unwrap();
    assert_eq!(rows.len(), 50);
    assert!(rows.iter().all(|row| row.progress.state == State::Expired));
    assert!(matches!(run.add(identity(100)).await, Ok(Created::New(_))));
    store.close().await.unwrap();
    // Another process finds it so.
    let store = PostgresStore::open(server.config()).await.unwrap();
    let run = store.newest().await.unwrap().unwrap();
    assert_eq!(run.resume().await.unwrap().open.len(), 1);
}

/// At the end it is told how much cannot be written.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_tells_what_is_not_written() {
    let Some(mut server) = Server::start().await else { return };
    let store = PostgresStore::open(server.config()).await.unwrap();
    let run = store.begin_run(None, 0).await.unwrap();
    for n in 0..3 {
        run.add(identity(n)).await.unwrap();
    }
    server.stop();
    for n in 0..3 {
        run.update(identity(n).hash, in_state(1, State::Submitted)).unwrap();
    }
    match store.close().await {
        Err(xrpl_tracker::Error::Unwritten(unwritten)) => {
            assert_eq!((unwritten.conditions, unwritten.ledgers), (3, 0), "{unwritten}");
        }
        other => panic!("{other:?}"),
    }
}
