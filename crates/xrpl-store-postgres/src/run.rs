//! One run of the store.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::oneshot;
use xrpl_protocol::{Hash256, LedgerIndex, TxHash};
use xrpl_tracker::{
    Result, RowFilter, RunId, RunStore,
    record::{Identity, Progress, Record},
    store::{
        Anchor, Created, Pruned, Resumed, Room,
        queue::{Needs, Operation},
    },
};

use crate::{
    Shared,
    columns::{at_most, bytes, number, perhaps, signed},
    connect::told,
    prune, reads,
};

/// The rows of one run.
#[derive(Debug)]
pub(crate) struct PostgresRun {
    pub(crate) shared: Arc<Shared>,
    pub(crate) run: RunId,
}

#[async_trait]
impl RunStore for PostgresRun {
    fn run(&self) -> RunId {
        self.run
    }

    async fn anchor(&self) -> Result<Option<Anchor>> {
        let client = self.shared.reader(Needs::New).await?;
        let row = client
            .query_opt(
                "SELECT network_id, ledger_index, hash
                 FROM runs JOIN ledgers ON ledgers.run = runs.id
                 WHERE runs.id = $1 ORDER BY ledger_index DESC LIMIT 1",
                &[&signed(self.run.0)?],
            )
            .await
            .map_err(|error| told(&error))?;
        row.map(|row| {
            Ok(Anchor {
                network_id: perhaps(&row, 0)?,
                index: LedgerIndex(number(&row, 1)?),
                hash: Hash256(bytes(&row, 2)?),
            })
        })
        .transpose()
    }

    async fn ledger_hash(&self, index: LedgerIndex) -> Result<Option<Hash256>> {
        let client = self.shared.reader(Needs::New).await?;
        let row = client
            .query_opt(
                "SELECT hash FROM ledgers WHERE run = $1 AND ledger_index = $2",
                &[&signed(self.run.0)?, &i64::from(index.0)],
            )
            .await
            .map_err(|error| told(&error))?;
        row.map(|row| Ok(Hash256(bytes(&row, 0)?))).transpose()
    }

    async fn newest_ledgers(&self, limit: usize) -> Result<Vec<(LedgerIndex, Hash256)>> {
        let client = self.shared.reader(Needs::New).await?;
        let rows = client
            .query(
                "SELECT ledger_index, hash FROM ledgers WHERE run = $1
                 ORDER BY ledger_index DESC LIMIT $2",
                &[&signed(self.run.0)?, &at_most(limit as u64)],
            )
            .await
            .map_err(|error| told(&error))?;
        let one = |row| Ok((LedgerIndex(number(row, 0)?), Hash256(bytes(row, 1)?)));
        rows.iter().map(one).collect()
    }

    async fn resume(&self) -> Result<Resumed> {
        let client = self.shared.reader(Needs::All).await?;
        let mut resumed = reads::open_with_rivals(&client, self.run).await?;
        resumed.counts = reads::counts(&client, self.run).await?;
        Ok(resumed)
    }

    async fn room(&self) -> Result<Room> {
        self.shared.queue()?.room().await
    }

    fn create(&self, room: Room, identity: Identity) -> oneshot::Receiver<Result<Created>> {
        let (tell, told) = oneshot::channel();
        // Not taken, it is dropped with the sender: who waits for the answer learns that.
        if let Ok(queue) = self.shared.queue() {
            let _ = queue.ask(Operation::Create(self.run, Box::new(identity), tell));
        }
        drop(room);
        told
    }

    fn update(&self, hash: TxHash, progress: Progress) -> Result<()> {
        self.shared.queue()?.update((self.run, hash), progress)
    }

    fn ledger(&self, index: LedgerIndex, hash: Hash256) -> Result<()> {
        self.shared.queue()?.ledger(self.run, index, hash)
    }

    async fn flush(&self) -> Result<()> {
        self.shared.ask(Operation::Flush).await
    }

    async fn get(&self, hash: TxHash) -> Result<Option<Record>> {
        let client = self.shared.reader(Needs::One((self.run, hash))).await?;
        reads::get(&client, self.run, hash).await
    }

    async fn resting_on(&self, ledger: LedgerIndex) -> Result<Vec<Record>> {
        let client = self.shared.reader(Needs::All).await?;
        reads::resting_on(&client, self.run, ledger).await
    }

    async fn by_key(&self, key: &str) -> Result<Option<Record>> {
        let client = self.shared.reader(Needs::New).await?;
        // Which row it is never changes, what is known of it does.
        match reads::by_key(&client, self.run, key).await? {
            Some(hash) => self.get(hash).await,
            None => Ok(None),
        }
    }

    async fn rows(
        &self,
        filter: &RowFilter,
        cursor: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Record>> {
        let client = self.shared.reader(Needs::All).await?;
        reads::select(&client, filter, self.run, cursor, limit).await
    }

    async fn count(&self, filter: &RowFilter) -> Result<u64> {
        let client = self.shared.reader(Needs::All).await?;
        reads::count(&client, filter, self.run).await
    }

    async fn pruned(&self) -> Result<Pruned> {
        let client = self.shared.reader(Needs::New).await?;
        prune::pruned(&client, self.run).await
    }
}
