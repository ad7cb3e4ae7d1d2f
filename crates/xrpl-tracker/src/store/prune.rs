//! Which rows need not be kept for ever, and how they leave the file.

use std::time::Duration;

use rusqlite::{Connection, Transaction, params};
use serde::Serialize;
use xrpl_protocol::{LedgerIndex, TxHash};

use crate::{error::Result, record::RunId};

/// Rows that leave the file in one commit, so that nobody waits long for the next.
pub const SLICE: usize = 1_000;

/// How long the row of a request with a [`CallersKey`](crate::record::CallersKey) is kept at least:
/// until then a repetition of the request finds its transaction.
pub const KEYS_LIVE: Duration = Duration::from_hours(7 * 24);

/// How long every row is kept after its end: the tracker may still say something of it.
pub const SETTLES_WITHIN: Duration = Duration::from_mins(10);

/// Which ended rows are to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// Those that ended within this time.
    For(Duration),
    /// The newest so many.
    Rows(u64),
}

/// What has left a run's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// How many rows.
    pub rows: u64,
    /// The newest ledger of which a row may be missing.
    pub through: Option<LedgerIndex>,
}

/// How large a store is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StoreSize {
    /// Transactions in it, of all runs.
    pub rows: u64,
    /// Transactions that were pruned.
    pub pruned: u64,
    /// Bytes of the file and its log; none in memory.
    pub bytes: Option<u64>,
}

/// Takes at most [`SLICE`] rows out; how many. Their counts stay, so that a resumed run's do.
///
/// What still matters is kept whatever the rule says: rows without an end, those that
/// [`SETTLES_WITHIN`] protects, refusals whose LastLedgerSequence has not passed, ends that wait to
/// be delivered, and the rows of callers' keys for [`KEYS_LIVE`].
pub(super) fn prune(
    change: &Transaction<'_>,
    retention: Retention,
    now_ms: u64,
    busy: impl Fn(&(RunId, TxHash)) -> bool,
) -> Result<u64> {
    let before =
        |time: Duration| now_ms.saturating_sub(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    let (age, rows) = match retention {
        Retention::For(time) => (time.max(SETTLES_WITHIN), 0),
        Retention::Rows(rows) => (SETTLES_WITHIN, rows),
    };
    let mut old = change.prepare_cached(
        "SELECT id, run, hash FROM transactions AS t
         WHERE state >= 3
            AND id < (SELECT max(id) FROM transactions)
            AND id <= (SELECT max(id) FROM transactions) - ?1
            AND created_at_ms + COALESCE(finality_ms, 0) < ?2
            -- What stands in for pruned rows does not say of how many an end was taken back.
            AND revoked = 0
            AND (callers_key IS NULL OR created_at_ms < ?3)
            AND (state = 3 OR COALESCE(last_ledger_sequence, 0)
                < COALESCE((SELECT max(ledger_index) FROM ledgers WHERE run = t.run), 0))
            AND NOT EXISTS (SELECT 1 FROM ends WHERE transaction_id = t.id)
         ORDER BY id LIMIT ?4",
    )?;
    let found = old.query_map(
        params![rows.min(i64::MAX as u64), before(age), before(KEYS_LIVE), SLICE],
        |row| Ok((row.get::<_, u64>(0)?, (RunId(row.get(1)?), TxHash(row.get(2)?)))),
    )?;
    let found = found.collect::<rusqlite::Result<Vec<_>>>()?;
    let ids: Vec<u64> = found.into_iter().filter(|(_, key)| !busy(key)).map(|(id, _)| id).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    let list = super::rows::json_text(&ids)?;
    change
        .prepare_cached(
            "INSERT INTO pruned (run, state, transaction_type, engine_result_final, source, expected,
                overturned, engine_result_first, superseded, n)
             SELECT run, state, transaction_type, COALESCE(engine_result_final, ''),
                COALESCE(source, ''), COALESCE(expected, ''), overturned,
                COALESCE(engine_result_first, ''), superseded, count(*)
             FROM transactions WHERE id IN (SELECT value FROM json_each(?1))
             GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
             ON CONFLICT DO UPDATE SET n = n + excluded.n",
        )?
        .execute([&list])?;
    change
        .prepare_cached(
            "UPDATE runs SET pruned_through = max(COALESCE(pruned_through, 0), newest)
             FROM (SELECT run, max(COALESCE(validated_ledger, last_ledger_sequence,
                    created_ledger)) AS newest
                FROM transactions WHERE id IN (SELECT value FROM json_each(?1)) GROUP BY run) AS of
             WHERE runs.id = of.run",
        )?
        .execute([&list])?;
    let gone = change
        .prepare_cached("DELETE FROM transactions WHERE id IN (SELECT value FROM json_each(?1))")?
        .execute([&list])?;
    Ok(gone as u64)
}

/// What has left a run's rows.
pub(super) fn pruned(connection: &Connection, run: RunId) -> Result<Pruned> {
    let mut of = connection.prepare_cached(
        "SELECT (SELECT COALESCE(sum(n), 0) FROM pruned WHERE run = ?1),
            (SELECT pruned_through FROM runs WHERE id = ?1)",
    )?;
    Ok(of.query_row([run.0], |row| {
        let through: Option<u32> = row.get(1)?;
        Ok(Pruned { rows: row.get(0)?, through: through.map(LedgerIndex) })
    })?)
}

/// How many rows there are and how many have left. The newest row never leaves, and numbers are
/// given without gaps: nothing need be counted.
pub(super) fn size(connection: &Connection) -> Result<(u64, u64)> {
    let mut of = connection.prepare_cached(
        "SELECT COALESCE((SELECT max(id) FROM transactions), 0),
            (SELECT COALESCE(sum(n), 0) FROM pruned)",
    )?;
    let (newest, pruned): (u64, u64) = of.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((newest.saturating_sub(pruned), pruned))
}
