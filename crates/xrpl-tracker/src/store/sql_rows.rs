//! Rows of the SQLite store, read back. Filters become constants of the SQL text and parameters;
//! no value is ever formatted into it.

use std::{collections::BTreeSet, sync::Arc};

use rusqlite::{
    Connection, OptionalExtension, Row, ToSql, params,
    types::{ToSqlOutput, Type},
};
use serde::de::DeserializeOwned;
use xrpl_protocol::{AccountId, Hash256, LedgerIndex, TxHash, transaction::Slot};

use super::{
    Count, Resumed,
    rows::{Parameter, as_predicted, condition, intent_of, slot_columns, slot_of, source_of},
};
use crate::{
    error::Result,
    evidence::{ResultName, ValidatedIn},
    lifecycle::State,
    record::{CallersKey, Identity, Intent, Latencies, Progress, Record, RowFilter, RunId},
};

/// Columns in the order of [`read_row`].
pub(super) const COLUMNS: &str = "id, run, hash, account, slot, is_ticket, last_ledger_sequence, \
    transaction_type, expected, created_ledger, created_at_ms, blob, state, undecided, overturned, \
    attempts, engine_result_first, engine_result_last, engine_result_final, validated_ledger, \
    ledger_hash, source, evidence, preliminary, sightings, first_answer_ms, finality_ms, \
    finality_ledgers, callers_key, callers_request, fail_hard, fresh, \
    reason, revoked, superseded, version";

/// Slots of one statement.
const SLOTS_AT_ONCE: usize = 200;

type Read<T> = rusqlite::Result<T>;

fn wrong(
    column: usize,
    what: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Null, what.into())
}

fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Read<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| serde_json::from_str(&text).map_err(|e| wrong(column, e))).transpose()
}

pub(super) fn name(row: &Row<'_>, column: usize) -> Read<Option<ResultName>> {
    Ok(row.get_ref(column)?.as_str_or_null()?.map(ResultName::new))
}

pub(super) fn state(row: &Row<'_>, column: usize) -> Read<State> {
    State::from_index(row.get(column)?).ok_or_else(|| wrong(column, "no such state"))
}

fn intent(row: &Row<'_>, column: usize) -> Read<Intent> {
    let text = row.get_ref(column)?.as_str_or_null()?;
    intent_of(text).map_err(|error| wrong(column, error.to_string()))
}

/// One row.
pub(super) fn read_row(row: &Row<'_>) -> Read<Record> {
    let slot = slot_of(row.get(4)?, row.get(5)?);
    let intent = intent(row, 8)?;
    let validated = match row.get::<_, Option<u32>>(19)? {
        None => None,
        Some(ledger_index) => Some(Box::new(ValidatedIn {
            ledger_index: LedgerIndex(ledger_index),
            ledger_hash: row.get::<_, Option<[u8; 32]>>(20)?.map(Hash256),
            result: name(row, 18)?.ok_or_else(|| wrong(18, "validated without a result"))?,
            source: source_of(row.get_ref(21)?.as_str_or_null()?)
                .ok_or_else(|| wrong(21, "validated without a source"))?,
        })),
    };
    let blob: Vec<u8> = row.get(11)?;
    let transaction_type: String = row.get(7)?;
    let callers_key = match (row.get::<_, Option<String>>(28)?, row.get(29)?) {
        (Some(key), Some(request)) => {
            Some(Arc::new(CallersKey { key: key.into(), request: Hash256(request) }))
        }
        _ => None,
    };
    Ok(Record {
        id: row.get(0)?,
        run: RunId(row.get(1)?),
        identity: Identity {
            hash: TxHash(row.get(2)?),
            account: AccountId(row.get(3)?),
            slot,
            last_ledger_sequence: row.get::<_, Option<u32>>(6)?.map(LedgerIndex),
            transaction_type: transaction_type.into(),
            intent,
            created_ledger: LedgerIndex(row.get(9)?),
            created_at_ms: row.get(10)?,
            blob: blob.into(),
            callers_key,
            fail_hard: row.get(30)?,
            fresh: row.get(31)?,
        },
        progress: Progress {
            version: row.get(35)?,
            state: state(row, 12)?,
            undecided: row.get(13)?,
            overturned: row.get(14)?,
            revoked: row.get(33)?,
            superseded: row.get(34)?,
            attempts: row.get(15)?,
            engine_result_first: name(row, 16)?,
            engine_result_last: name(row, 17)?,
            validated,
            evidence: json(row, 22)?,
            reason: json(row, 32)?,
            preliminary: json::<Vec<_>>(row, 23)?.unwrap_or_default().into(),
            sightings: json(row, 24)?.unwrap_or_default(),
            latencies: Latencies {
                first_answer_ms: row.get(25)?,
                finality_ms: row.get(26)?,
                finality_ledgers: row.get(27)?,
            },
        },
    })
}

/// One transaction of a run.
pub(super) fn get(connection: &Connection, run: RunId, hash: TxHash) -> Result<Option<Record>> {
    let sql = format!("SELECT {COLUMNS} FROM transactions WHERE run = ?1 AND hash = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row(params![run.0, hash.0], read_row).optional()?)
}

/// Transactions of a run without an end, and those with one that share a slot with them.
pub(super) fn open_with_rivals(connection: &Connection, run: RunId) -> Result<Resumed> {
    let read = |condition: &str| -> Result<Vec<Record>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM transactions WHERE run = ?1 AND {condition} ORDER BY id"
        );
        let mut statement = connection.prepare(&sql)?;
        let rows = statement.query_map([run.0], read_row)?;
        Ok(rows.collect::<Read<_>>()?)
    };
    let open = read("state < 3")?;
    let ended_rivals = match open.is_empty() {
        true => Vec::new(),
        false => read(
            "state >= 3 AND (account, slot, is_ticket) IN (
                SELECT account, slot, is_ticket FROM transactions WHERE run = ?1 AND state < 3)",
        )?,
    };
    Ok(Resumed { open, ended_rivals, counts: Vec::new() })
}

/// Ended transactions of a run whose evidence rests on a ledger, and ended ones on their slots.
pub(super) fn resting_on(
    connection: &Connection,
    run: RunId,
    ledger: LedgerIndex,
) -> Result<Vec<Record>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM transactions WHERE run = ?1 AND state > 3
         UNION ALL
         SELECT {COLUMNS} FROM transactions WHERE run = ?1 AND state = 3 AND validated_ledger = ?2"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(params![run.0, ledger.0])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let record = read_row(row)?;
        if super::rows::rests_on(&record, ledger) {
            found.push(record);
        }
    }
    let slots: Vec<(AccountId, Slot)> =
        found.iter().map(|record| (record.identity.account, record.identity.slot)).collect();
    let known: BTreeSet<u64> = found.iter().map(|record| record.id).collect();
    for slots in slots.chunks(SLOTS_AT_ONCE) {
        let rivals = ended_on(connection, run, slots)?;
        found.extend(rivals.into_iter().filter(|record| !known.contains(&record.id)));
    }
    Ok(found)
}

/// Ended transactions of a run on these slots.
fn ended_on(
    connection: &Connection,
    run: RunId,
    slots: &[(AccountId, Slot)],
) -> Result<Vec<Record>> {
    let places = vec!["(?, ?, ?)"; slots.len()].join(", ");
    let sql = format!(
        "SELECT {COLUMNS} FROM transactions WHERE run = ? AND state >= 3
         AND (account, slot, is_ticket) IN (VALUES {places}) ORDER BY id"
    );
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(run.0)];
    for (account, slot) in slots {
        let (number, is_ticket) = slot_columns(*slot);
        values.push(Box::new(account.0));
        values.push(Box::new(number));
        values.push(Box::new(is_ticket));
    }
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map(rusqlite::params_from_iter(values), read_row)?;
    Ok(rows.collect::<Read<_>>()?)
}

/// The first transaction of a run with a caller's key.
pub(super) fn by_key(connection: &Connection, run: RunId, key: &str) -> Result<Option<Record>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM transactions WHERE run = ?1 AND callers_key = ?2 ORDER BY id LIMIT 1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row(params![run.0, key], read_row).optional()?)
}

impl ToSql for Parameter {
    fn to_sql(&self) -> Read<ToSqlOutput<'_>> {
        match self {
            Self::State(state) => state.to_sql(),
            Self::Number(number) => number.to_sql(),
            Self::Text(text) => text.to_sql(),
            Self::Bytes(bytes) => bytes.to_sql(),
        }
    }
}

/// Rows after a cursor, oldest or newest first.
pub(super) fn select(
    connection: &Connection,
    filter: &RowFilter,
    run: RunId,
    cursor: Option<u64>,
    limit: usize,
) -> Result<Vec<Record>> {
    let (condition, mut values) = condition(filter, run, '?');
    let (from, order) = match filter.newest_first {
        true => (cursor.unwrap_or(u64::MAX), "id < ? ORDER BY id DESC"),
        false => (cursor.unwrap_or(0), "id > ? ORDER BY id"),
    };
    values.extend([from, limit as u64].map(|n| Parameter::Number(n.min(i64::MAX as u64))));
    let sql = format!("SELECT {COLUMNS} FROM transactions WHERE {condition} AND {order} LIMIT ?");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(rusqlite::params_from_iter(values), read_row)?;
    Ok(rows.collect::<Read<_>>()?)
}

/// How many rows a filter selects.
pub(super) fn count(connection: &Connection, filter: &RowFilter, run: RunId) -> Result<u64> {
    let (condition, values) = condition(filter, run, '?');
    let sql = format!("SELECT count(*) FROM transactions WHERE {condition}");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row(rusqlite::params_from_iter(values), |row| row.get(0))?)
}

/// How many transactions of a run there are of each kind, pruned ones included.
pub(super) fn counts(connection: &Connection, run: RunId) -> Result<Vec<Count>> {
    let mut statement = connection.prepare(
        "SELECT state, transaction_type, engine_result_final, source, expected, overturned,
                engine_result_first, count(*), revoked, superseded
         FROM transactions WHERE run = ?1
         GROUP BY 1, 2, 3, 4, 5, 6, 7, 9, 10
         UNION ALL
         SELECT state, transaction_type, NULLIF(engine_result_final, ''), NULLIF(source, ''),
                NULLIF(expected, ''), overturned, NULLIF(engine_result_first, ''), n, 0, superseded
         FROM pruned WHERE run = ?1",
    )?;
    let rows = statement.query_map([run.0], |row| {
        let result = name(row, 2)?;
        let first = name(row, 6)?;
        let intent = intent(row, 4)?;
        let transaction_type: Arc<str> = row.get::<_, String>(1)?.into();
        Ok(Count {
            state: state(row, 0)?,
            transaction_type,
            source: source_of(row.get_ref(3)?.as_str_or_null()?),
            intent: intent.kind(),
            predicted: as_predicted(&intent, row.get(9)?, first.as_ref(), result.as_ref()),
            overturned: row.get(5)?,
            revoked: row.get(8)?,
            first,
            result,
            n: row.get(7)?,
        })
    })?;
    Ok(rows.collect::<Read<_>>()?)
}
