//! Rows of a run, read back. Filters become constants of the SQL text and parameters; no value is ever
//! formatted into it.

use std::{collections::BTreeSet, sync::Arc};

use tokio_postgres::{Client, Row, types::ToSql};
use xrpl_protocol::{LedgerIndex, TxHash};
use xrpl_tracker::{
    Result, RowFilter, RunId,
    record::Record,
    store::{
        Count, Resumed,
        rows::{Parameter, as_predicted, condition, intent_of, rests_on, slot_columns},
    },
};

use crate::{
    columns::{COLUMNS, ROW, at_most, flag, name, number, record, signed, source, state, text},
    connect::told,
};

type Parameters = Vec<Box<dyn ToSql + Sync + Send>>;

async fn query(client: &Client, sql: &str, parameters: &Parameters) -> Result<Vec<Row>> {
    let parameters: Vec<&(dyn ToSql + Sync)> =
        parameters.iter().map(|one| &**one as &(dyn ToSql + Sync)).collect();
    client.query(sql, &parameters).await.map_err(|error| told(&error))
}

async fn records(client: &Client, sql: &str, parameters: &Parameters) -> Result<Vec<Record>> {
    query(client, sql, parameters).await?.iter().map(record).collect()
}

/// One transaction of a run.
pub(crate) async fn get(client: &Client, run: RunId, hash: TxHash) -> Result<Option<Record>> {
    let sql = format!("SELECT {COLUMNS} FROM transactions WHERE {ROW}");
    let parameters: Parameters = vec![Box::new(signed(run.0)?), Box::new(hash.0.to_vec())];
    Ok(records(client, &sql, &parameters).await?.pop())
}

/// The first transaction of a run with a caller's key.
pub(crate) async fn by_key(client: &Client, run: RunId, key: &str) -> Result<Option<TxHash>> {
    let sql = "SELECT hash FROM transactions WHERE run + 0 = $1 AND callers_key = $2
         ORDER BY id + 0 LIMIT 1";
    let parameters: Parameters = vec![Box::new(signed(run.0)?), Box::new(key.to_owned())];
    let found = query(client, sql, &parameters).await?;
    found.first().map(|row| Ok(TxHash(crate::columns::bytes(row, 0)?))).transpose()
}

/// Transactions of a run without an end, and those with one that share a slot with them.
pub(crate) async fn open_with_rivals(client: &Client, run: RunId) -> Result<Resumed> {
    let parameters: Parameters = vec![Box::new(signed(run.0)?)];
    let read = async |condition: &str| {
        let sql = format!(
            "SELECT {COLUMNS} FROM transactions WHERE run = $1 AND {condition} ORDER BY id"
        );
        records(client, &sql, &parameters).await
    };
    let open = read("state < 3").await?;
    let ended_rivals = match open.is_empty() {
        true => Vec::new(),
        false => {
            read(
                "state >= 3 AND (account, slot, is_ticket) IN (
                    SELECT account, slot, is_ticket FROM transactions WHERE run = $1 AND state < 3)",
            )
            .await?
        }
    };
    Ok(Resumed { open, ended_rivals, counts: Vec::new() })
}

/// Ended transactions of a run whose evidence rests on a ledger, and ended ones on their slots.
pub(crate) async fn resting_on(
    client: &Client,
    run: RunId,
    ledger: LedgerIndex,
) -> Result<Vec<Record>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM transactions WHERE run = $1
            AND (state > 3 OR (state = 3 AND validated_ledger = $2)) ORDER BY id"
    );
    let parameters: Parameters = vec![Box::new(signed(run.0)?), Box::new(i64::from(ledger.0))];
    let mut found = records(client, &sql, &parameters).await?;
    found.retain(|record| rests_on(record, ledger));
    let known: BTreeSet<u64> = found.iter().map(|record| record.id).collect();
    let (mut accounts, mut numbers, mut tickets) = (Vec::new(), Vec::new(), Vec::new());
    for record in &found {
        let (number, is_ticket) = slot_columns(record.identity.slot);
        accounts.push(record.identity.account.0.to_vec());
        numbers.push(i64::from(number));
        tickets.push(is_ticket);
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM transactions WHERE run = $1 AND state >= 3
         AND (account, slot, is_ticket) IN (
            SELECT * FROM unnest($2::BYTEA[], $3::BIGINT[], $4::BOOLEAN[])) ORDER BY id"
    );
    let parameters: Parameters =
        vec![Box::new(signed(run.0)?), Box::new(accounts), Box::new(numbers), Box::new(tickets)];
    let rivals = records(client, &sql, &parameters).await?;
    found.extend(rivals.into_iter().filter(|record| !known.contains(&record.id)));
    Ok(found)
}

/// The condition of a filter and its parameters.
fn selecting(filter: &RowFilter, run: RunId) -> (String, Parameters) {
    let (sql, values) = condition(filter, run, '$');
    let value = |value| -> Box<dyn ToSql + Sync + Send> {
        match value {
            Parameter::State(state) => Box::new(i16::from(state)),
            Parameter::Number(number) => Box::new(at_most(number)),
            Parameter::Text(text) => Box::new(text),
            Parameter::Bytes(bytes) => Box::new(bytes),
        }
    };
    (sql, values.into_iter().map(value).collect())
}

/// Rows after a cursor, oldest or newest first.
pub(crate) async fn select(
    client: &Client,
    filter: &RowFilter,
    run: RunId,
    cursor: Option<u64>,
    limit: usize,
) -> Result<Vec<Record>> {
    let (condition, mut values) = selecting(filter, run);
    let (from, compare, order) = match filter.newest_first {
        true => (cursor.unwrap_or(u64::MAX), "<", "DESC"),
        false => (cursor.unwrap_or(0), ">", "ASC"),
    };
    values.push(Box::new(at_most(from)));
    values.push(Box::new(at_most(limit as u64)));
    let (at, most) = (values.len() - 1, values.len());
    let sql = format!(
        "SELECT {COLUMNS} FROM transactions WHERE {condition} AND id {compare} ${at}
         ORDER BY id {order} LIMIT ${most}"
    );
    records(client, &sql, &values).await
}

/// How many rows a filter selects.
pub(crate) async fn count(client: &Client, filter: &RowFilter, run: RunId) -> Result<u64> {
    let (condition, values) = selecting(filter, run);
    let sql = format!("SELECT count(*) FROM transactions WHERE {condition}");
    let rows = query(client, &sql, &values).await?;
    rows.first().map_or(Ok(0), |row| number(row, 0))
}

/// How many transactions of a run there are of each kind, pruned ones included.
pub(crate) async fn counts(client: &Client, run: RunId) -> Result<Vec<Count>> {
    let sql = "SELECT state, transaction_type, engine_result_final, source, expected, overturned,
                engine_result_first, count(*), revoked, superseded
         FROM transactions WHERE run = $1
         GROUP BY 1, 2, 3, 4, 5, 6, 7, 9, 10
         UNION ALL
         SELECT state, transaction_type, NULLIF(engine_result_final, ''), NULLIF(source, ''),
                NULLIF(expected, ''), overturned, NULLIF(engine_result_first, ''), n, FALSE,
                superseded
         FROM pruned WHERE run = $1";
    let rows = query(client, sql, &vec![Box::new(signed(run.0)?)]).await?;
    let one = |row: &Row| {
        let (result, first, intent) = (name(row, 2)?, name(row, 6)?, intent_of(text(row, 4)?)?);
        let transaction_type: Arc<str> = text(row, 1)?.unwrap_or_default().into();
        Ok(Count {
            state: state(row, 0)?,
            transaction_type,
            source: source(row, 3)?,
            intent: intent.kind(),
            predicted: as_predicted(&intent, flag(row, 9)?, first.as_ref(), result.as_ref()),
            overturned: flag(row, 5)?,
            revoked: flag(row, 8)?,
            first,
            result,
            n: number(row, 7)?,
        })
    };
    rows.iter().map(one).collect()
}
