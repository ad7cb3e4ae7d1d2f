//! The outbox in the SQLite file.

use rusqlite::{Connection, Row, Transaction, params};
use xrpl_protocol::{AccountId, Hash256, LedgerIndex, TxHash};

use super::{
    outbox::{End, OutboxStatus, Settled},
    rows::source_of,
    sql_rows::{name, state},
};
use crate::{
    error::Result,
    record::{Latencies, Progress, RunId},
};

/// Keeps the end that a condition is, if it is one: what was written last decides. Called before the
/// condition is written. Whether there was one.
pub(super) fn note(
    change: &Transaction<'_>,
    run: RunId,
    hash: TxHash,
    after: &Progress,
) -> Result<bool> {
    let place = after.validated.as_ref();
    let kept = change
        .prepare_cached(
            "INSERT INTO ends (transaction_id, was, state, at_ms, engine_result, validated_ledger,
                ledger_hash, source, first_answer_ms, finality_ms, finality_ledgers)
             SELECT id, state, ?3,
                CASE WHEN ?3 < 3 OR ?9 IS NULL THEN CAST(unixepoch('subsec') * 1000 AS INTEGER)
                     ELSE created_at_ms + ?9 END,
                ?4, ?5, ?6, ?7, ?8, ?9, ?10
             FROM transactions WHERE run = ?1 AND hash = ?2 AND version < ?11 AND (
                (state <> ?3 AND (state >= 3 OR ?3 >= 3))
                OR (state = 3 AND ?3 = 3 AND (validated_ledger <> ?5 OR ledger_hash <> ?6)))",
        )?
        .execute(params![
            run.0,
            hash.0,
            after.state as u8,
            after.engine_result_final().as_ref().map(|result| result.as_str()),
            place.map(|place| place.ledger_index.0),
            place.and_then(|place| place.ledger_hash).map(|hash| hash.0),
            place.map(|place| place.source.name()),
            after.latencies.first_answer_ms,
            after.latencies.finality_ms,
            after.latencies.finality_ledgers,
            after.version,
        ])?;
    Ok(kept > 0)
}

fn read_end(row: &Row<'_>) -> rusqlite::Result<End> {
    let transaction_type: String = row.get(4)?;
    Ok(End {
        seq: row.get(0)?,
        run: RunId(row.get(1)?),
        tx_hash: TxHash(row.get(2)?),
        account: AccountId(row.get(3)?),
        transaction_type: transaction_type.into(),
        was: state(row, 5)?,
        state: state(row, 6)?,
        at_ms: row.get(7)?,
        engine_result: name(row, 8)?,
        validated_ledger: row.get::<_, Option<u32>>(9)?.map(LedgerIndex),
        ledger_hash: row.get::<_, Option<[u8; 32]>>(10)?.map(Hash256),
        source: source_of(row.get_ref(11)?.as_str_or_null()?),
        latencies: Latencies {
            first_answer_ms: row.get(12)?,
            finality_ms: row.get(13)?,
            finality_ledgers: row.get(14)?,
        },
        tries: row.get(15)?,
        first_try_ms: row.get(16)?,
    })
}

/// The oldest ends that are due; of one transaction only its oldest, so that they are told in order.
pub(super) fn due(connection: &Connection, now_ms: u64, limit: usize) -> Result<Vec<End>> {
    let mut due = connection.prepare_cached(
        "SELECT e.seq, t.run, t.hash, t.account, t.transaction_type, e.was, e.state, e.at_ms,
            e.engine_result, e.validated_ledger, e.ledger_hash, e.source, e.first_answer_ms,
            e.finality_ms, e.finality_ledgers, e.tries, e.first_try_ms
         FROM ends AS e JOIN transactions AS t ON t.id = e.transaction_id
         WHERE e.next_try_ms <= ?1 AND NOT EXISTS (
            SELECT 1 FROM ends AS earlier
            WHERE earlier.transaction_id = e.transaction_id AND earlier.seq < e.seq)
         ORDER BY e.seq LIMIT ?2",
    )?;
    let rows = due.query_map(
        params![now_ms.min(i64::MAX as u64), i64::try_from(limit).unwrap_or(i64::MAX)],
        read_end,
    )?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn settle(change: &Transaction<'_>, settled: &Settled) -> Result<()> {
    let mut gone = change.prepare_cached("DELETE FROM ends WHERE seq = ?1")?;
    let (mut delivered, mut given_up) = (0, 0);
    for seq in &settled.delivered {
        delivered += gone.execute([seq])?;
    }
    for seq in &settled.given_up {
        given_up += gone.execute([seq])?;
    }
    let mut late = change.prepare_cached(
        "UPDATE ends SET tries = tries + 1, next_try_ms = ?2,
            first_try_ms = COALESCE(first_try_ms, ?3) WHERE seq = ?1",
    )?;
    for (seq, next_try_ms) in &settled.put_off {
        late.execute(params![seq, next_try_ms, settled.now_ms])?;
    }
    change
        .prepare_cached(
            "UPDATE deliveries SET delivered = delivered + ?1, given_up = given_up + ?2",
        )?
        .execute(params![delivered, given_up])?;
    Ok(())
}

pub(super) fn status(connection: &Connection) -> Result<OutboxStatus> {
    let status = connection
        .prepare_cached(
            "SELECT (SELECT count(*) FROM ends),
                COALESCE((SELECT min(seq) - 1 FROM ends),
                    (SELECT seq FROM sqlite_sequence WHERE name = 'ends'), 0),
                delivered, given_up,
                (SELECT at_ms FROM ends ORDER BY seq LIMIT 1)
             FROM deliveries",
        )?
        .query_row([], |row| {
            Ok(OutboxStatus {
                backlog: row.get(0)?,
                cursor: row.get(1)?,
                delivered: row.get(2)?,
                given_up: row.get(3)?,
                oldest_at_ms: row.get(4)?,
                durable: true,
            })
        })?;
    Ok(status)
}
