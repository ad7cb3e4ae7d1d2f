//! The store on a real PostgreSQL: what every store must do, what becomes of it when the server goes
//! away or another program comes, and how connections are made.

mod server;

use std::{path::Path, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use self::server::Server;
use xrpl_store_postgres::{Address, PostgresStore};
use xrpl_tracker::{
    Error, State, Store,
    record::Progress,
    store::{Created, Retention, conformance::identity},
};

async fn open() -> Option<(Arc<dyn Store>, Server)> {
    let server = Server::start()?;
    let store = store(&server).await;
    Some((Arc::new(store), server))
}

xrpl_tracker::store_conformance!(open);

fn address(server: &Server) -> Address {
    Address::parse(&server.address()).unwrap()
}

async fn store(server: &Server) -> PostgresStore {
    PostgresStore::open(&address(server)).await.unwrap()
}

fn in_state(version: u32, state: State) -> Progress {
    Progress { version, state, ..Progress::created() }
}

/// The server dies: what is new waits for it, and so does what is told of rows that there are; it is
/// written once the server is back, by itself, and is no failure. Reading fails meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_written_when_the_server_is_back() {
    let Some(mut server) = Server::start() else { return };
    let store = store(&server).await;
    let run = store.begin_run(Some(7), 0).await.unwrap();
    for n in 0..50 {
        run.add(identity(n)).await.unwrap();
    }
    server.stop();
    for n in 0..50 {
        run.update(identity(n).hash, in_state(1, State::Submitted)).unwrap();
    }
    let new = tokio::spawn({
        let run = Arc::clone(&run);
        async move { run.add(identity(100)).await }
    });
    assert!(run.rows(&Default::default(), None, 10).await.is_err());
    for n in 0..50 {
        run.update(identity(n).hash, in_state(2, State::Expired)).unwrap();
    }
    assert!(run.rows(&Default::default(), None, 10).await.is_err());
    assert!(!new.is_finished(), "it is told neither that it is durable nor that it failed");
    assert!(server.run());
    assert!(matches!(new.await.unwrap(), Ok(Created::New(_))));
    let rows = run.rows(&Default::default(), None, 100).await.unwrap();
    assert_eq!(rows.len(), 51);
    let ended = rows.iter().filter(|row| row.progress.state == State::Expired);
    assert_eq!(ended.count(), 50);
    assert_eq!(store.failures(), 0);
    store.close().await.unwrap();
    // Another process finds it so.
    let store = self::store(&server).await;
    let run = store.newest().await.unwrap().unwrap();
    assert_eq!(run.resume().await.unwrap().open.len(), 1);
}

/// At the end it is told how much cannot be written, and who waits for a new row that it is not.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_tells_what_is_not_written() {
    let Some(mut server) = Server::start() else { return };
    let store = store(&server).await;
    let run = store.begin_run(None, 0).await.unwrap();
    for n in 0..3 {
        run.add(identity(n)).await.unwrap();
    }
    server.stop();
    for n in 0..3 {
        run.update(identity(n).hash, in_state(1, State::Submitted)).unwrap();
    }
    let room = run.room().await.unwrap();
    let new = run.create(room, identity(100));
    match store.close().await {
        Err(Error::Unwritten(unwritten)) => {
            assert_eq!((unwritten.conditions, unwritten.ledgers), (3, 0), "{unwritten}");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(new.await, Ok(Err(Error::Store(_)))));
}

/// Passes connections on, and cuts one when the answer to its next COMMIT comes, once it is told to.
async fn cutting(port: u16) -> (u16, Arc<tokio::sync::Semaphore>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap().port();
    let cuts = Arc::new(tokio::sync::Semaphore::new(0));
    let to_cut = Arc::clone(&cuts);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let cuts = Arc::clone(&to_cut);
            tokio::spawn(async move {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
                let mut cut = false;
                loop {
                    tokio::select! {
                        Ok(n) = from_client.read(&mut asked) => {
                            if n == 0 { return }
                            let commits = asked[..n].windows(6).any(|bytes| bytes == b"COMMIT");
                            cut |= commits && cuts.try_acquire().map(|one| one.forget()).is_ok();
                            to_server.write_all(&asked[..n]).await.unwrap();
                        }
                        Ok(n) = from_server.read(&mut answered) => {
                            if n == 0 || cut { return }
                            to_client.write_all(&answered[..n]).await.unwrap();
                        }
                    }
                }
            });
        }
    });
    (here, cuts)
}

/// The connection breaks after PostgreSQL has made a row and before it has said so: whoever waits is told
/// that the row is new, once, and only that one.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_which_nobody_said_whether_it_was_made_is_made_once() {
    let Some(server) = Server::start() else { return };
    let (port, cuts) = cutting(server.port).await;
    let through = format!("postgres://test@127.0.0.1:{port}/postgres?sslmode=disable");
    let store = PostgresStore::open(&Address::parse(&through).unwrap()).await.unwrap();
    let run = store.begin_run(None, 0).await.unwrap();
    cuts.add_permits(1);
    let Ok(Created::New(id)) = run.add(identity(1)).await else { panic!("it is not new") };
    assert_eq!(cuts.available_permits(), 0, "nothing was cut");
    assert_eq!(server.sql("SELECT id FROM transactions"), id.to_string());
    // It is known now.
    assert!(matches!(run.add(identity(1)).await, Ok(Created::Known(_))));
    assert_eq!(store.failures(), 0);
    store.close().await.unwrap();
}

/// Two programs do not write one store; a reader sees that somebody does. In another schema of the same
/// database there is another store.
#[tokio::test(flavor = "multi_thread")]
async fn one_program_writes_a_store() {
    let Some(server) = Server::start() else { return };
    let first = store(&server).await;
    first.begin_run(Some(7), 0).await.unwrap();
    let second = PostgresStore::open(&address(&server)).await;
    assert!(matches!(second, Err(Error::InUse)), "{second:?}");
    let reader = PostgresStore::open_to_read(&address(&server)).await.unwrap();
    assert!(reader.is_written().await.unwrap());
    assert_eq!(reader.runs().await.unwrap().len(), 1);
    assert!(reader.begin_run(None, 0).await.is_err(), "it is only read");

    let elsewhere = server.address() + "?options=-c%20search_path%3Dapart";
    let elsewhere = Address::parse(&elsewhere).unwrap();
    let none = PostgresStore::open(&elsewhere).await.unwrap_err().to_string();
    assert!(none.contains("CREATE SCHEMA"), "{none}");
    server.sql("CREATE SCHEMA apart");
    let none = PostgresStore::open_to_read(&elsewhere).await.unwrap_err().to_string();
    assert!(none.contains("no run has been kept"), "{none}");
    let apart = PostgresStore::open(&elsewhere).await.unwrap();
    assert_eq!(apart.runs().await.unwrap(), []);

    first.close().await.unwrap();
    let second = store(&server).await;
    assert_eq!(second.runs().await.unwrap().len(), 1);
    second.close().await.unwrap();
    assert!(!reader.is_written().await.unwrap());
}

/// Who lost the connection, and the lock with it, goes on if nobody was there meanwhile. If somebody was,
/// nothing more is written, though the store is free again: what was signed meanwhile is not known here.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_overtaken_writes_nothing_more() {
    let Some(server) = Server::start() else { return };
    let first = store(&server).await;
    let run = first.begin_run(Some(7), 0).await.unwrap();
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND application_name = 'xrpl-workload'";
    assert_ne!(server.sql(cut), "0");
    assert!(matches!(run.add(identity(1)).await, Ok(Created::New(_))));
    // As another program does that comes and goes while this one has no connection.
    server.sql("UPDATE holder SET epoch = epoch + 1");
    assert_ne!(server.sql(cut), "0");
    let refused = run.add(identity(2)).await.unwrap_err().to_string();
    assert!(refused.contains("another program"), "{refused}");
    assert!(run.add(identity(3)).await.is_err());
    assert_eq!(server.sql("SELECT count(*) FROM transactions"), "1");
    let second = store(&server).await;
    assert_eq!(second.newest().await.unwrap().unwrap().run(), run.run());
}

/// Of the rows that may go, the oldest do, however many numbers PostgreSQL left out between them.
#[tokio::test(flavor = "multi_thread")]
async fn the_newest_rows_stay_however_they_are_numbered() {
    let Some(server) = Server::start() else { return };
    let store = store(&server).await;
    let run = store.begin_run(Some(7), 0).await.unwrap();
    let now = 1 << 40;
    for round in 0..3_u32 {
        for n in round * 20..(round + 1) * 20 {
            run.add(identity(n)).await.unwrap();
            run.update(identity(n).hash, in_state(1, State::Validated)).unwrap();
            // Known already: a number is used up.
            run.add(identity(n)).await.unwrap();
        }
        run.flush().await.unwrap();
        let gone = store.prune(Retention::Rows(15), now).await.unwrap();
        assert_eq!(gone, if round == 0 { 5 } else { 20 });
        assert_eq!(store.prune(Retention::Rows(15), now).await.unwrap(), 0);
        let left = run.rows(&Default::default(), None, 100).await.unwrap();
        let newest: Vec<_> = (round * 20 + 5..(round + 1) * 20).map(|n| identity(n).hash).collect();
        assert_eq!(left.iter().map(|row| row.identity.hash).collect::<Vec<_>>(), newest);
    }
    assert_eq!(run.pruned().await.unwrap().rows, 45);
}

/// What is written of a row reads that row and not its run, also of a table of which PostgreSQL has no
/// statistics yet: a run would become slower with every transaction.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_found_without_reading_its_run() {
    const ROWS: u32 = 1_000;
    let Some(server) = Server::start_with(None, |_| vec!["autovacuum=off".into()]) else { return };
    let store = store(&server).await;
    let run = store.begin_run(Some(7), 0).await.unwrap();
    // The plans of statements are made while there is hardly a row.
    for rows in [0..10, 10..ROWS] {
        let mut waiting = Vec::new();
        for n in rows.clone() {
            waiting.push(run.create(run.room().await.unwrap(), identity(n)));
        }
        for made in waiting {
            made.await.unwrap().unwrap();
        }
        for (version, state) in [(1, State::Submitted), (2, State::Validated)] {
            for n in rows.clone() {
                run.update(identity(n).hash, in_state(version, state)).unwrap();
            }
            run.flush().await.unwrap();
        }
    }
    store.close().await.unwrap();
    // A connection tells what it did at its end, which comes soon.
    let read = "SELECT (SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'transactions'),
        (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'transactions')
        + (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'transactions')";
    let (updated, read) = loop {
        let told = server.sql(read);
        let (updated, read) = told.split_once('|').unwrap();
        match (updated.parse::<u32>().unwrap(), read.parse::<u32>().unwrap()) {
            (updated, read) if updated >= 2 * ROWS => break (updated, read),
            _ => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    };
    assert!(read < 10 * updated, "{read} rows read for {updated} updates");
}

/// A certificate for a name, and what has signed it: itself, as an authority or as none.
fn certificate(name: &str, authority: bool) -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut made = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    if authority {
        made.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    }
    (made.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path.display().to_string()
}

/// How far the server's certificate is checked is what `sslmode` says, for a certificate that is its own
/// authority, as `openssl req -x509` makes it, and for one that is none.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_checked_as_sslmode_says() {
    let folder = tempfile::tempdir().unwrap();
    let strange = written(folder.path(), "strange.crt", &certificate("localhost", true).0);
    for (name, authority) in [("localhost", true), ("localhost", false), ("db.example", true)] {
        let (certificate, key) = certificate(name, authority);
        let own = written(folder.path(), "own.crt", &certificate);
        let settings = |inside: &Path| {
            let (certificate, key) =
                (written(inside, "own.crt", &certificate), written(inside, "own.key", &key));
            let files = [format!("ssl_cert_file={certificate}"), format!("ssl_key_file={key}")];
            [vec!["ssl=on".to_owned()], files.to_vec()].concat()
        };
        let Some(server) = Server::start_with(None, settings) else { return };
        for (parameters, works) in [
            ("sslmode=disable".to_owned(), true),
            ("sslmode=prefer".into(), true),
            ("sslmode=require".into(), true),
            (format!("sslmode=require&sslrootcert={own}"), true),
            (format!("sslmode=require&sslrootcert={strange}"), false),
            (format!("sslmode=verify-ca&sslrootcert={own}"), true),
            (format!("sslmode=verify-ca&sslrootcert={strange}"), false),
            (format!("sslmode=verify-full&sslrootcert={own}"), name == "localhost"),
            (format!("sslmode=verify-full&sslrootcert={strange}"), false),
            ("sslmode=verify-full".into(), false),
        ] {
            let url = format!("postgres://test@localhost:{}/postgres?{parameters}", server.port);
            let mut address = Address::parse(&url).unwrap();
            address.complete(&|_| None).unwrap();
            match PostgresStore::open(&address).await {
                Ok(store) => {
                    let encrypted = server.sql(
                        "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                         WHERE ssl AND application_name = 'xrpl-workload'",
                    );
                    let expected = if parameters.contains("disable") { "0" } else { "1" };
                    assert_eq!(encrypted, expected, "{name} {authority} {parameters}");
                    store.close().await.unwrap();
                    assert!(works, "{name} {authority} {parameters}");
                }
                Err(error) => {
                    assert!(!works, "{name} {authority} {parameters}: {error}");
                    assert!(error.to_string().contains("certificate"), "{error}");
                }
            }
        }
    }
}

/// A password is asked for, and told apart from a wrong one; a server without TLS is refused where it is
/// required; what is wrong is said with what helps, and without the password.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_let_in_is_told_why() {
    let Some(mut server) = Server::start_with(Some("a:b/c@d"), |_| Vec::new()) else { return };
    let at = format!("127.0.0.1:{}", server.port);
    for (url, why) in [
        (format!("postgres://test:a%3Ab%2Fc%40d@{at}/postgres"), None),
        (format!("postgres://test:hunter2@{at}/postgres"), Some("~/.pgpass")),
        (format!("postgres://test@{at}/postgres"), Some("PGPASSWORD")),
        (format!("postgres://test:a%3Ab%2Fc%40d@{at}/none"), Some("createdb")),
        (
            format!("postgres://test:a%3Ab%2Fc%40d@{at}/postgres?sslmode=require"),
            Some("sslmode=disable"),
        ),
    ] {
        let opened = PostgresStore::open(&Address::parse(&url).unwrap()).await;
        match (opened, why) {
            (Ok(store), None) => store.close().await.unwrap(),
            (Err(error), Some(why)) => {
                let text = format!("{error} {error:?}");
                assert!(text.contains(why), "{url}: {text}");
                assert!(!text.contains("hunter2") && !text.contains("a:b"), "{text}");
            }
            (opened, _) => panic!("{url}: {opened:?}"),
        }
    }
    server.stop();
    let gone = PostgresStore::open(&address(&server)).await.unwrap_err().to_string();
    assert!(gone.contains("Is PostgreSQL running"), "{gone}");
}
