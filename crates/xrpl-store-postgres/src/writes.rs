//! What the writer does in its connection, a statement at a time.

use tokio_postgres::{Client, Statement};
use xrpl_protocol::{Hash256, LedgerIndex, TxHash};
use xrpl_tracker::{
    Error, Result, RunId,
    record::{Identity, Progress, Record},
    store::{Created, queue::RowKey},
};

use crate::{
    address::Target,
    columns::{self, COLUMNS, IdentityColumns, ProgressColumns, ROW, number, signed},
    connect::{self, Holder, Refused, is_lost, told},
};

/// Ledger hashes kept of a run, besides every 256th.
const LEDGERS_KEPT: u32 = 10_000;

/// Why a change was not made.
pub(crate) struct Failure {
    pub(crate) error: Error,
    /// It is the row's own fault: the others of its group are none the worse.
    pub(crate) of_row: bool,
    /// The connection is gone: nothing is wrong with what was to be written.
    pub(crate) lost: bool,
}

pub(crate) type Done<T> = std::result::Result<T, Failure>;

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        // A value that cannot be kept, or a rule of the tables that is broken.
        let of_row = error.code().is_some_and(|code| ["22", "23"].contains(&&code.code()[..2]));
        let lost = is_lost(&error);
        Self { error: told(&error), of_row: of_row && !lost, lost }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, of_row: true, lost: false }
    }
}

/// The writer's connection.
pub(crate) struct Connection {
    pub(crate) client: Client,
    create: Statement,
    get: Statement,
    update: Statement,
    update_and_tell: Statement,
    there: Statement,
    ledger: Statement,
    forget_ledger: Statement,
}

/// What an update did.
pub(crate) enum Changed {
    /// It is written; whether it is an end that somebody is to be told of.
    Written(bool),
    /// The row has a newer condition, or was pruned.
    Outdated,
    /// There is no such row.
    Missing,
}

impl Connection {
    /// Makes the one that writes; where it is not the first, after the one that `before` was.
    pub(crate) async fn open(
        target: &Target,
        before: Option<&Holder>,
    ) -> std::result::Result<(Self, Holder), Refused> {
        let mut client = connect::connect(target).await?;
        let holder = connect::hold(&mut client, before).await?;
        Ok((Self::prepare(client).await?, holder))
    }

    async fn prepare(client: Client) -> Result<Self> {
        let set = format!(
            "version = $3, state = $4, undecided = $5, overturned = $6, revoked = $7,
            superseded = $8, attempts = $9, engine_result_first = $10, engine_result_last = $11,
            engine_result_final = $12, validated_ledger = $13, ledger_hash = $14, source = $15,
            evidence = $16, reason = $17, preliminary = $18, sightings = $19,
            first_answer_ms = $20, finality_ms = $21, finality_ledgers = $22
            WHERE {ROW} AND version < $3"
        );
        let prepared = async |sql: &str| client.prepare(sql).await.map_err(|error| told(&error));
        let create = prepared(
            "INSERT INTO transactions (run, hash, account, slot, is_ticket, last_ledger_sequence,
                transaction_type, expected, created_ledger, created_at_ms, blob, callers_key,
                callers_request, fail_hard, fresh)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
             ON CONFLICT (hash, run) DO NOTHING RETURNING id",
        );
        let create = create.await?;
        let get = format!("SELECT {COLUMNS} FROM transactions WHERE {ROW}");
        let get = prepared(&get).await?;
        let update =
            prepared(&format!("UPDATE transactions SET {set} RETURNING 0::BIGINT")).await?;
        // The end is told from what the row was before.
        let update_and_tell = format!(
            "WITH before AS (
                SELECT id, state, validated_ledger, ledger_hash, created_at_ms FROM transactions
                WHERE {ROW} AND version < $3),
             told AS (
                INSERT INTO ends (transaction_id, was, state, at_ms, engine_result,
                    validated_ledger, ledger_hash, source, first_answer_ms, finality_ms,
                    finality_ledgers)
                SELECT id, state, $4::SMALLINT,
                    CASE WHEN $4 < 3 OR $21::BIGINT IS NULL
                        THEN (extract(epoch FROM clock_timestamp()) * 1000)::BIGINT
                        ELSE created_at_ms + $21 END,
                    $12::TEXT, $13::BIGINT, $14::BYTEA, $15::TEXT, $20::BIGINT, $21, $22::BIGINT
                FROM before WHERE (state <> $4 AND (state >= 3 OR $4 >= 3))
                    OR (state = 3 AND $4 = 3
                        AND (validated_ledger <> $13 OR ledger_hash <> $14))
                RETURNING 1)
             UPDATE transactions SET {set} RETURNING (SELECT count(*) FROM told)"
        );
        let update_and_tell = prepared(&update_and_tell).await?;
        // Whether it is there, or may have been: of pruned rows only how many there were is known.
        let there = format!(
            "SELECT EXISTS (SELECT 1 FROM transactions WHERE {ROW})
                OR EXISTS (SELECT 1 FROM pruned WHERE run = $1)"
        );
        let there = prepared(&there).await?;
        let ledger = prepared(
            "INSERT INTO ledgers (run, ledger_index, hash) VALUES ($1, $2, $3)
             ON CONFLICT (run, ledger_index) DO UPDATE SET hash = excluded.hash",
        );
        let ledger = ledger.await?;
        let forget_ledger =
            prepared("DELETE FROM ledgers WHERE run = $1 AND ledger_index = $2").await?;
        Ok(Self { create, get, update, update_and_tell, there, ledger, forget_ledger, client })
    }

    /// Makes a transaction's row, unless the run has it.
    pub(crate) async fn create(&self, run: RunId, identity: &Identity) -> Done<Created> {
        let columns = IdentityColumns::of(identity)?;
        let made = self
            .client
            .query_opt(
                &self.create,
                &[
                    &signed(run.0)?,
                    &&identity.hash.0[..],
                    &&identity.account.0[..],
                    &columns.slot,
                    &columns.is_ticket,
                    &columns.last_ledger_sequence,
                    &&*identity.transaction_type,
                    &columns.expected,
                    &columns.created_ledger,
                    &columns.created_at_ms,
                    &&identity.blob[..],
                    &columns.callers_key,
                    &columns.callers_request,
                    &identity.fail_hard,
                    &identity.fresh,
                ],
            )
            .await?;
        match made {
            Some(row) => Ok(Created::New(number(&row, 0)?)),
            None => Ok(Created::Known(Box::new(self.get(run, identity.hash).await?))),
        }
    }

    async fn get(&self, run: RunId, hash: TxHash) -> Done<Record> {
        let row = self.client.query_one(&self.get, &[&signed(run.0)?, &&hash.0[..]]).await?;
        Ok(columns::record(&row)?)
    }

    /// Writes a condition, if it is newer than the row's; with `tells` its end beside it, if it is one.
    pub(crate) async fn update(
        &self,
        (run, hash): RowKey,
        progress: &Progress,
        tells: bool,
    ) -> Done<Changed> {
        let columns = ProgressColumns::of(progress)?;
        let number_of = |n: Option<u32>| n.map(i64::from);
        let run = signed(run.0)?;
        let statement = if tells { &self.update_and_tell } else { &self.update };
        let written = self
            .client
            .query_opt(
                statement,
                &[
                    &run,
                    &&hash.0[..],
                    &i64::from(progress.version),
                    &columns.state,
                    &progress.undecided,
                    &progress.overturned,
                    &progress.revoked,
                    &progress.superseded,
                    &i64::from(progress.attempts),
                    &progress.engine_result_first.as_ref().map(|name| name.as_str()),
                    &progress.engine_result_last.as_ref().map(|name| name.as_str()),
                    &columns.engine_result_final.as_ref().map(|name| name.as_str()),
                    &columns.validated_ledger,
                    &columns.ledger_hash.as_ref().map(|hash| &hash[..]),
                    &columns.source,
                    &columns.evidence,
                    &columns.reason,
                    &columns.preliminary,
                    &columns.sightings,
                    &number_of(progress.latencies.first_answer_ms),
                    &number_of(progress.latencies.finality_ms),
                    &number_of(progress.latencies.finality_ledgers),
                ],
            )
            .await?;
        if let Some(row) = written {
            return Ok(Changed::Written(number::<u64>(&row, 0)? > 0));
        }
        let there = self.client.query_one(&self.there, &[&run, &&hash.0[..]]).await?;
        Ok(if columns::flag(&there, 0)? { Changed::Outdated } else { Changed::Missing })
    }

    /// Writes a ledger's hash.
    pub(crate) async fn ledger(&self, run: RunId, index: LedgerIndex, hash: Hash256) -> Done<()> {
        let run = signed(run.0)?;
        let index_column = i64::from(index.0);
        self.client.execute(&self.ledger, &[&run, &index_column, &&hash.0[..]]).await?;
        let old = index.0.saturating_sub(LEDGERS_KEPT);
        if !old.is_multiple_of(256) {
            self.client.execute(&self.forget_ledger, &[&run, &i64::from(old)]).await?;
        }
        Ok(())
    }
}
