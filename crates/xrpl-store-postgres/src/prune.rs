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
    writes::{Done, told},
};

/// Takes at most [`SLICE`] rows out; how many. Their counts stay, so that a resumed run's do.
///
/// What still matters is kept whatever the rule says: rows without an end, those that
/// [`SETTLES_WITHIN`] protects, refusals whose LastLedgerSequence has not passed, ends that wait to be
/// delivered, and the rows of callers' keys for [`KEYS_LIVE`].
pub(crate) async fn prune(
    client: &Client,
    retention: Retention,
    now_ms: u64,
    busy: impl Fn(&RowKey) -> bool,
) -> Done<u64> {
    let before = |time: Duration| {
        at_most(now_ms.saturating_sub(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
    };
    let (age, rows) = match retention {
        Retention::For(time) => (time.max(SETTLES_WITHIN), 0),
        Retention::Rows(rows) => (SETTLES_WITHIN, rows),
    };
    let old = client
        .query(
            "SELECT id, run, hash FROM transactions AS t
             WHERE state >= 3
                AND id < (SELECT max(id) FROM transactions)
                AND id <= COALESCE((SELECT id FROM transactions ORDER BY id DESC OFFSET $1 LIMIT 1), 0)
                AND created_at_ms + COALESCE(finality_ms, 0) < $2
                -- What stands in for pruned rows does not say of how many an end was taken back.
                AND NOT revoked
                AND (callers_key IS NULL OR created_at_ms < $3)
                AND (state = 3 OR COALESCE(last_ledger_sequence, 0)
                    < COALESCE((SELECT max(ledger_index) FROM ledgers WHERE run = t.run), 0))
                AND NOT EXISTS (SELECT 1 FROM ends WHERE transaction_id = t.id)
             ORDER BY id LIMIT $4",
            &[&at_most(rows), &before(age), &before(KEYS_LIVE), &at_most(SLICE as u64)],
        )
        .await?;
    let mut ids: Vec<i64> = Vec::new();
    for row in &old {
        if !busy(&(RunId(number(row, 1)?), TxHash(bytes(row, 2)?))) {
            ids.push(number(row, 0)?);
        }
    }
    if ids.is_empty() {
        return Ok(0);
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
    Ok(client.execute("DELETE FROM transactions WHERE id = ANY($1)", &[&ids]).await?)
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
