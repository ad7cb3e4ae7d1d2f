//! Rows that leave.

use std::time::Duration;

use tokio_postgres::Client;
use xrpl_protocol::{LedgerIndex, TxHash};
use xrpl_tracker::{
    Result, RunId,
    store::{
        Pruned, Retention, StoreSize,
        prune::{KEYS_LIVE, SETTLES_WITHIN, SLICE},
        queue::RowKey,
    },
};

use crate::{
    columns::{at_most, bytes, number, perhaps, signed},
    connect::told,
    writes::Done,
};

/// Rows that are counted with one statement.
const PAGE: i64 = 10_000;

/// The newest rows, which a rule keeps, as they were last counted: from there on only what is new is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Newest {
    /// How many the rule keeps.
    rows: i64,
    /// They have greater ids than this.
    above: i64,
    /// How many have.
    count: i64,
    /// The greatest id that was counted.
    seen: i64,
}

impl Newest {
    /// Counts what is new. Numbers of rows are no help: PostgreSQL gives them with gaps.
    async fn of(client: &Client, rows: i64, before: Self) -> Done<Self> {
        let mut now = if before.rows == rows { before } else { Self { rows, ..Self::default() } };
        let new = "SELECT count(*), COALESCE(max(id), $1) FROM transactions WHERE id > $1";
        let new = client.query_one(new, &[&now.seen]).await?;
        now.count += number::<i64>(&new, 0)?;
        now.seen = number(&new, 1)?;
        while now.count > rows {
            let page = "SELECT count(*), COALESCE(max(id), $1) FROM
                (SELECT id FROM transactions WHERE id > $1 ORDER BY id LIMIT $2) AS page";
            let most = PAGE.min(now.count - rows);
            let page = client.query_one(page, &[&now.above, &most]).await?;
            let passed: i64 = number(&page, 0)?;
            now.above = number(&page, 1)?;
            // None is left where others have taken rows out.
            now.count = if passed == 0 { 0 } else { now.count - passed };
        }
        Ok(now)
    }
}

/// Takes at most [`SLICE`] rows out; how many, and what was counted for that. Their counts stay, so that a resumed run's do.
///
/// What still matters is kept whatever the rule says: rows without an end, those that
/// [`SETTLES_WITHIN`] protects, refusals whose LastLedgerSequence has not passed, ends that wait to be
/// delivered, and the rows of callers' keys for [`KEYS_LIVE`].
pub(crate) async fn prune(
    client: &Client,
    retention: Retention,
    now_ms: u64,
    counted: Newest,
    busy: impl Fn(&RowKey) -> bool,
) -> Done<(u64, Newest)> {
    let before = |time: Duration| {
        at_most(now_ms.saturating_sub(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
    };
    let (age, rows) = match retention {
        Retention::For(time) => (time.max(SETTLES_WITHIN), 0),
        Retention::Rows(rows) => (SETTLES_WITHIN, rows),
    };
    let newest = match rows {
        0 => Newest { above: i64::MAX, ..Newest::default() },
        rows => Newest::of(client, at_most(rows), counted).await?,
    };
    let old = client
        .query(
            "SELECT id, run, hash FROM transactions AS t
             WHERE state >= 3
                AND id < (SELECT max(id) FROM transactions)
                AND id <= $1
                AND created_at_ms + COALESCE(finality_ms, 0) < $2
                -- What stands in for pruned rows does not say of how many an end was taken back.
                AND NOT revoked
                AND (callers_key IS NULL OR created_at_ms < $3)
                AND (state = 3 OR COALESCE(last_ledger_sequence, 0)
                    < COALESCE((SELECT max(ledger_index) FROM ledgers WHERE run = t.run), 0))
                AND NOT EXISTS (SELECT 1 FROM ends WHERE transaction_id = t.id)
             ORDER BY id LIMIT $4",
            &[&newest.above, &before(age), &before(KEYS_LIVE), &at_most(SLICE as u64)],
        )
        .await?;
    let mut ids: Vec<i64> = Vec::new();
    for row in &old {
        if !busy(&(RunId(number(row, 1)?), TxHash(bytes(row, 2)?))) {
            ids.push(number(row, 0)?);
        }
    }
    if ids.is_empty() {
        return Ok((0, newest));
    }
    client
        .execute(
            "INSERT INTO pruned (run, state, transaction_type, engine_result_final, source, expected,
                overturned, engine_result_first, superseded, n)
             SELECT run, state, transaction_type, COALESCE(engine_result_final, ''),
                COALESCE(source, ''), COALESCE(expected, ''), overturned,
                COALESCE(engine_result_first, ''), superseded, count(*)
             FROM transactions WHERE id = ANY($1) GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
             ON CONFLICT (run, state, transaction_type, engine_result_final, source, expected,
                overturned, engine_result_first, superseded)
             DO UPDATE SET n = pruned.n + excluded.n",
            &[&ids],
        )
        .await?;
    client
        .execute(
            "UPDATE runs SET pruned_through = greatest(COALESCE(pruned_through, 0), newest)
             FROM (SELECT run, max(COALESCE(validated_ledger, last_ledger_sequence,
                    created_ledger)) AS newest
                FROM transactions WHERE id = ANY($1) GROUP BY run) AS gone
             WHERE runs.id = gone.run",
            &[&ids],
        )
        .await?;
    let gone = client.execute("DELETE FROM transactions WHERE id = ANY($1)", &[&ids]).await?;
    Ok((gone, newest))
}

/// What has left a run's rows.
pub(crate) async fn pruned(client: &Client, run: RunId) -> Result<Pruned> {
    let row = client
        .query_one(
            "SELECT (SELECT COALESCE(sum(n), 0)::BIGINT FROM pruned WHERE run = $1),
                (SELECT pruned_through FROM runs WHERE id = $1)",
            &[&signed(run.0)?],
        )
        .await
        .map_err(|error| told(&error))?;
    Ok(Pruned { rows: number(&row, 0)?, through: perhaps(&row, 1)?.map(LedgerIndex) })
}

/// How large the store is.
pub(crate) async fn size(client: &Client) -> Result<StoreSize> {
    let row = client
        .query_one(
            "SELECT (SELECT count(*) FROM transactions),
                (SELECT COALESCE(sum(n), 0)::BIGINT FROM pruned),
                pg_database_size(current_database())",
            &[],
        )
        .await
        .map_err(|error| told(&error))?;
    Ok(StoreSize { rows: number(&row, 0)?, pruned: number(&row, 1)?, bytes: perhaps(&row, 2)? })
}
