//! One run of the SQLite store.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{OptionalExtension, params};
use tokio::sync::oneshot;
use xrpl_protocol::{Hash256, LedgerIndex, TxHash};

use super::{
    Anchor, Created, Pruned, Resumed, Room, RunStore, prune,
    queue::{Needs, Operation},
    sql_rows,
    sqlite::SqliteFile,
};
use crate::{
    error::Result,
    record::{Identity, Progress, Record, RowFilter, RunId},
};

/// The rows of one run.
#[derive(Debug)]
pub(super) struct SqliteRun {
    file: Arc<SqliteFile>,
    run: RunId,
}

impl SqliteRun {
    pub(super) fn new(file: Arc<SqliteFile>, run: RunId) -> Self {
        Self { file, run }
    }
}

#[async_trait]
impl RunStore for SqliteRun {
    fn run(&self) -> RunId {
        self.run
    }

    async fn anchor(&self) -> Result<Option<Anchor>> {
        let run = self.run;
        self.file
            .read(Needs::New, move |connection| {
                let anchor = connection
                    .query_row(
                        "SELECT network_id, ledger_index, hash
                         FROM runs JOIN ledgers ON ledgers.run = runs.id
                         WHERE runs.id = ?1 ORDER BY ledger_index DESC LIMIT 1",
                        [run.0],
                        |row| {
                            Ok(Anchor {
                                network_id: row.get(0)?,
                                index: LedgerIndex(row.get(1)?),
                                hash: Hash256(row.get(2)?),
                            })
                        },
                    )
                    .optional()?;
                Ok(anchor)
            })
            .await
    }

    async fn ledger_hash(&self, index: LedgerIndex) -> Result<Option<Hash256>> {
        let run = self.run;
        self.file
            .read(Needs::New, move |connection| {
                let hash = connection
                    .query_row(
                        "SELECT hash FROM ledgers WHERE run = ?1 AND ledger_index = ?2",
                        params![run.0, index.0],
                        |row| row.get(0),
                    )
                    .optional()?;
                Ok(hash.map(Hash256))
            })
            .await
    }

    async fn newest_ledgers(&self, limit: usize) -> Result<Vec<(LedgerIndex, Hash256)>> {
        let run = self.run;
        self.file
            .read(Needs::New, move |connection| {
                let mut newest = connection.prepare(
                    "SELECT ledger_index, hash FROM ledgers WHERE run = ?1
                     ORDER BY ledger_index DESC LIMIT ?2",
                )?;
                let rows = newest.query_map(params![run.0, limit], |row| {
                    Ok((LedgerIndex(row.get(0)?), Hash256(row.get(1)?)))
                })?;
                Ok(rows.collect::<std::result::Result<_, _>>()?)
            })
            .await
    }

    async fn resume(&self) -> Result<Resumed> {
        let run = self.run;
        self.file
            .read(Needs::All, move |connection| {
                let mut resumed = sql_rows::open_with_rivals(connection, run)?;
                resumed.counts = sql_rows::counts(connection, run)?;
                Ok(resumed)
            })
            .await
    }

    async fn room(&self) -> Result<Room> {
        self.file.queue()?.room().await
    }

    fn create(&self, room: Room, identity: Identity) -> oneshot::Receiver<Result<Created>> {
        let (tell, told) = oneshot::channel();
        let create = Operation::Create(self.run, Box::new(identity), tell);
        // Not taken, it is dropped with the sender: who waits for the answer learns that.
        let _ = self.file.queue().and_then(|queue| queue.ask(create));
        drop(room);
        told
    }

    fn update(&self, hash: TxHash, progress: Progress) -> Result<()> {
        self.file.queue()?.update((self.run, hash), progress)
    }

    fn ledger(&self, index: LedgerIndex, hash: Hash256) -> Result<()> {
        self.file.queue()?.ledger(self.run, index, hash)
    }

    async fn flush(&self) -> Result<()> {
        self.file.ask(Operation::Flush).await
    }

    async fn get(&self, hash: TxHash) -> Result<Option<Record>> {
        let run = self.run;
        self.file
            .read(Needs::One((run, hash)), move |connection| sql_rows::get(connection, run, hash))
            .await
    }

    async fn resting_on(&self, ledger: LedgerIndex) -> Result<Vec<Record>> {
        let run = self.run;
        self.file
            .read(Needs::All, move |connection| sql_rows::resting_on(connection, run, ledger))
            .await
    }

    async fn by_key(&self, key: &str) -> Result<Option<Record>> {
        let (run, key) = (self.run, key.to_owned());
        let found = self
            .file
            .read(Needs::New, move |connection| sql_rows::by_key(connection, run, &key))
            .await?;
        // Which row it is never changes, what is known of it does.
        match found {
            Some(record) => self.get(record.identity.hash).await,
            None => Ok(None),
        }
    }

    async fn rows(
        &self,
        filter: &RowFilter,
        cursor: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Record>> {
        let (run, filter) = (self.run, filter.clone());
        self.file
            .read(Needs::All, move |connection| {
                sql_rows::select(connection, &filter, run, cursor, limit)
            })
            .await
    }

    async fn count(&self, filter: &RowFilter) -> Result<u64> {
        let (run, filter) = (self.run, filter.clone());
        self.file
            .read(Needs::All, move |connection| sql_rows::count(connection, &filter, run))
            .await
    }

    async fn pruned(&self) -> Result<Pruned> {
        let run = self.run;
        self.file.read_now(move |connection| prune::pruned(connection, run)).await
    }
}
