//! Connections to the server: made, given the lock of who writes, and their database brought up to date.

use std::time::{Duration, Instant};

use tokio::time;
use tokio_postgres::{Client, error::SqlState};
use xrpl_tracker::{Error, Result};

use crate::{
    address::{PROBE_AFTER, PROBE_EVERY, PROBES, SILENCE, Target},
    columns::{failed, flag, number, text},
};

/// The schema that this program knows, step by step. A step once released never changes.
const STEPS: [&str; 1] = [include_str!("schema.sql")];

/// The second half of the lock's number; the first is the schema's, so that each schema of a database is
/// a store of its own.
const LOCK: i32 = 0x7872_706c;

/// How long whoever has the lock may take to let go of it: one that is ending does so soon.
pub(crate) const LETTING_GO: Duration = Duration::from_secs(2);

/// What PostgreSQL said, which the error's own text leaves out, and what helps.
pub(crate) fn told(error: &tokio_postgres::Error) -> Error {
    let Some(said) = error.as_db_error() else {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(why) = cause {
            text += &format!(": {why}");
            cause = why.source();
        }
        let mend = match () {
            () if text.contains("refused") || text.contains("No such file") => {
                ". Is PostgreSQL running, and does it listen there?"
            }
            () if text.contains("password missing") => {
                ". Give the password in the address, in PGPASSWORD or in ~/.pgpass"
            }
            () if text.contains("invalid peer certificate") => {
                ". sslrootcert=FILE names the authority that signed the server's certificate"
            }
            () if text.contains("does not support TLS") => {
                ". Set ssl = on in its configuration, or give sslmode=disable"
            }
            () => "",
        };
        return Error::Store(text + mend);
    };
    let mend = match *said.code() {
        SqlState::UNDEFINED_TABLE => ". It is no store",
        SqlState::INVALID_PASSWORD => {
            ". Give the right one in the address, in PGPASSWORD or in ~/.pgpass"
        }
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            ". The server's roles and its pg_hba.conf say who may connect, and how"
        }
        SqlState::INVALID_CATALOG_NAME => ". Make it with `createdb`",
        SqlState::INSUFFICIENT_PRIVILEGE => {
            ". Its owner grants it: GRANT USAGE, CREATE ON SCHEMA ... TO ..."
        }
        SqlState::READ_ONLY_SQL_TRANSACTION => {
            ". It is a standby: give the primary, or several hosts and target_session_attrs=read-write"
        }
        _ => "",
    };
    Error::Store(format!("{}{mend}", said.message()))
}

/// Whether an error is of the connection: nothing is wrong with what was asked.
pub(crate) fn is_lost(error: &tokio_postgres::Error) -> bool {
    let going = |code: &SqlState| code.code().starts_with("57P") || code.code().starts_with("08");
    error.is_closed() || error.code().is_some_and(going)
}

/// Connects, with a task that serves the connection for as long as it is used.
pub(crate) async fn connect(target: &Target) -> Result<Client> {
    let connected = target.config.connect(target.tls.clone()).await;
    let (client, connection) = connected.map_err(|error| told(&error))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to the store has ended");
        }
    });
    Ok(client)
}

/// The place of who writes, as it was taken last.
pub(crate) struct Holder {
    /// Of those that have held the lock, the how many-th this one is.
    epoch: i64,
    /// The server's process, and since when it runs: its number may be given again.
    process: i32,
    since: String,
}

/// Why the lock could not be had.
pub(crate) enum Refused {
    /// It may be had later.
    Now(Error),
    /// Another program has written since it was held: this one may not go on.
    ForEver(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Now(error)
    }
}

impl From<tokio_postgres::Error> for Refused {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Now(told(&error))
    }
}

/// Makes a connection the one that writes: the server's lock on the store goes with it, so that whoever
/// does not have it can write nothing. Where `before` says that it was held already, nobody else may have
/// held it since.
pub(crate) async fn hold(
    client: &mut Client,
    before: Option<&Holder>,
) -> std::result::Result<Holder, Refused> {
    client
        .batch_execute(&format!(
            "SET tcp_keepalives_idle = {}; SET tcp_keepalives_interval = {};
             SET tcp_keepalives_count = {PROBES}; SET tcp_user_timeout = '{}s';
             SET enable_seqscan = off",
            PROBE_AFTER.as_secs(),
            PROBE_EVERY.as_secs(),
            SILENCE.as_secs()
        ))
        .await?;
    let here = client
        .query_one(
            "SELECT pg_backend_pid(), backend_start::TEXT
             FROM pg_stat_activity WHERE pid = pg_backend_pid()",
            &[],
        )
        .await?;
    let process = here.try_get(0)?;
    let since = text(&here, 1)?.unwrap_or_default().to_owned();
    let schema = schema(client).await?;
    let began = Instant::now();
    loop {
        let taken = "SELECT pg_try_advisory_lock($1, $2)";
        if flag(&client.query_one(taken, &[&schema, &LOCK]).await?, 0)? {
            break;
        }
        if let Some(before) = before {
            // Our own former connection, which the server believes to be there still.
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE pid = $1 AND backend_start::TEXT = $2";
            client.query(end, &[&before.process, &before.since]).await?;
        }
        if began.elapsed() > LETTING_GO {
            return Err(Error::InUse.into());
        }
        time::sleep(Duration::from_millis(20)).await;
    }
    migrate(client).await?;
    let epoch = match before {
        None => "UPDATE holder SET epoch = epoch + 1 RETURNING epoch",
        Some(_) => "SELECT epoch FROM holder",
    };
    let epoch = number(&client.query_one(epoch, &[]).await?, 0)?;
    if before.is_some_and(|before| before.epoch != epoch) {
        return Err(Refused::ForEver(Error::Store(
            "while the connection was broken another program has gone on with this store: nothing \
             more of this one is written"
                .into(),
        )));
    }
    Ok(Holder { epoch, process, since })
}

/// The number of the schema in which the tables are.
async fn schema(client: &Client) -> Result<i32> {
    let of = "SELECT oid::BIGINT FROM pg_namespace WHERE nspname = current_schema()";
    let found = client.query_opt(of, &[]).await.map_err(|error| told(&error))?;
    let none = "its search_path names no schema that there is: make it with CREATE SCHEMA";
    let found = found.ok_or_else(|| Error::Store(none.into()))?;
    // As the lock's number has it, bit by bit.
    Ok(number::<u32>(&found, 0)?.cast_signed())
}

/// Whether a program writes the store now.
pub(crate) async fn is_held(client: &Client) -> Result<bool> {
    let schema = i64::from(schema(client).await?.cast_unsigned());
    let held = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND classid::BIGINT = $1 AND objid::BIGINT = $2 AND objsubid = 2)";
    let held = client.query_one(held, &[&schema, &i64::from(LOCK)]).await;
    flag(&held.map_err(|error| told(&error))?, 0)
}

fn known() -> u32 {
    u32::try_from(STEPS.len()).unwrap_or(u32::MAX)
}

/// Brings a database up to date.
async fn migrate(client: &mut Client) -> std::result::Result<(), Refused> {
    let known = known();
    let found = version(client).await?;
    match found {
        Some(found) if found == known => return Ok(()),
        Some(found) if found > known => return Err(Error::NewerSchema { found, known }.into()),
        _ => {}
    }
    let change = client.transaction().await?;
    if found.is_none() {
        change.batch_execute("CREATE TABLE store_schema (version BIGINT NOT NULL)").await?;
    }
    for step in &STEPS[found.unwrap_or(0) as usize..] {
        change.batch_execute(step).await?;
    }
    change.batch_execute("DELETE FROM store_schema").await?;
    change.execute("INSERT INTO store_schema VALUES ($1)", &[&i64::from(known)]).await?;
    Ok(change.commit().await?)
}

/// The version of the tables in the schema that new ones would be made in; none where there are none.
async fn version(client: &Client) -> Result<Option<u32>> {
    let there = "SELECT to_regclass(quote_ident(current_schema()) || '.store_schema') IS NOT NULL";
    let there = client.query_one(there, &[]).await.map_err(|error| told(&error))?;
    if !flag(&there, 0)? {
        return Ok(None);
    }
    let found = client.query_opt("SELECT version FROM store_schema", &[]).await;
    found.map_err(|error| told(&error))?.map(|row| number(&row, 0)).transpose()
}

/// Whether a database that is only read is up to date.
pub(crate) async fn is_up_to_date(client: &Client) -> Result<()> {
    let known = known();
    let Some(found) = version(client).await? else {
        return Err(Error::Store("no run has been kept there yet".into()));
    };
    match found {
        _ if found == known => Ok(()),
        _ if found > known => Err(Error::NewerSchema { found, known }),
        _ => Err(failed(format!(
            "the store has schema {found}, this program {known}: a run brings it up to date"
        ))),
    }
}
