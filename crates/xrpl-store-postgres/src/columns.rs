//! What a row is in PostgreSQL's columns. Its integers have a sign, so that all numbers go as 64 bits.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use tokio_postgres::Row;
use xrpl_protocol::{AccountId, Hash256, LedgerIndex, TxHash};
use xrpl_tracker::{
    CallersKey, Error, Result, ResultName, RunId, Source, State, ValidatedIn,
    record::{Identity, Latencies, Progress, Record},
    store::rows::{
        intent_of, intent_text, json_text, list_text, may_be_kept, slot_columns, slot_of, source_of,
    },
};

/// Columns in the order of [`record`].
pub(crate) const COLUMNS: &str = "id, run, hash, account, slot, is_ticket, last_ledger_sequence, \
    transaction_type, expected, created_ledger, created_at_ms, blob, callers_key, callers_request, \
    fail_hard, fresh, version, state, undecided, overturned, revoked, superseded, attempts, \
    engine_result_first, engine_result_last, engine_result_final, validated_ledger, ledger_hash, \
    source, evidence, reason, preliminary, sightings, first_answer_ms, finality_ms, finality_ledgers";

/// Selects the row of a run (the first parameter) and a hash (the second), by its own index and no other.
pub(crate) const ROW: &str = "hash = $2 AND run + 0 = $1";

pub(crate) fn failed(error: impl std::fmt::Display) -> Error {
    Error::Store(error.to_string())
}

/// A number as PostgreSQL keeps it.
pub(crate) fn signed(n: u64) -> Result<i64> {
    i64::try_from(n).map_err(|_| Error::Store(format!("{n} is too large a number")))
}

/// As many as may be, where it only bounds something.
pub(crate) fn at_most(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn get<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, column: usize) -> Result<T> {
    row.try_get(column).map_err(failed)
}

pub(crate) fn number<T: TryFrom<i64>>(row: &Row, column: usize) -> Result<T> {
    let n: i64 = get(row, column)?;
    T::try_from(n).map_err(|_| Error::Store(format!("{n} is no number of column {column}")))
}

pub(crate) fn perhaps<T: TryFrom<i64>>(row: &Row, column: usize) -> Result<Option<T>> {
    match get::<Option<i64>>(row, column)? {
        None => Ok(None),
        Some(_) => number(row, column).map(Some),
    }
}

pub(crate) fn bytes<const N: usize>(row: &Row, column: usize) -> Result<[u8; N]> {
    get::<&[u8]>(row, column)?.try_into().map_err(failed)
}

pub(crate) fn perhaps_hash(row: &Row, column: usize) -> Result<Option<Hash256>> {
    match get::<Option<&[u8]>>(row, column)? {
        None => Ok(None),
        Some(bytes) => Ok(Some(Hash256(bytes.try_into().map_err(failed)?))),
    }
}

pub(crate) fn text(row: &Row, column: usize) -> Result<Option<&str>> {
    get(row, column)
}

pub(crate) fn name(row: &Row, column: usize) -> Result<Option<ResultName>> {
    Ok(text(row, column)?.map(ResultName::new))
}

pub(crate) fn flag(row: &Row, column: usize) -> Result<bool> {
    get(row, column)
}

pub(crate) fn source(row: &Row, column: usize) -> Result<Option<Source>> {
    Ok(source_of(text(row, column)?))
}

pub(crate) fn state(row: &Row, column: usize) -> Result<State> {
    let n: i16 = get(row, column)?;
    let state = u8::try_from(n).ok().and_then(State::from_index);
    state.ok_or_else(|| Error::Store(format!("{n} is no state")))
}

fn json<T: DeserializeOwned>(row: &Row, column: usize) -> Result<Option<T>> {
    text(row, column)?.map(|text| serde_json::from_str(text).map_err(failed)).transpose()
}

/// One row.
pub(crate) fn record(row: &Row) -> Result<Record> {
    let missing = |what| Error::Store(format!("validated without a {what}"));
    let validated = match perhaps(row, 26)? {
        None => None,
        Some(ledger_index) => Some(Box::new(ValidatedIn {
            ledger_index: LedgerIndex(ledger_index),
            ledger_hash: perhaps_hash(row, 27)?,
            result: name(row, 25)?.ok_or_else(|| missing("result"))?,
            source: source(row, 28)?.ok_or_else(|| missing("source"))?,
        })),
    };
    let callers_key = match (text(row, 12)?, perhaps_hash(row, 13)?) {
        (Some(key), Some(request)) => Some(Arc::new(CallersKey { key: key.into(), request })),
        _ => None,
    };
    Ok(Record {
        id: number(row, 0)?,
        run: RunId(number(row, 1)?),
        identity: Identity {
            hash: TxHash(bytes(row, 2)?),
            account: AccountId(bytes(row, 3)?),
            slot: slot_of(number(row, 4)?, flag(row, 5)?),
            last_ledger_sequence: perhaps(row, 6)?.map(LedgerIndex),
            transaction_type: text(row, 7)?.unwrap_or_default().into(),
            intent: intent_of(text(row, 8)?)?,
            created_ledger: LedgerIndex(number(row, 9)?),
            created_at_ms: number(row, 10)?,
            blob: get::<&[u8]>(row, 11)?.to_vec().into(),
            callers_key,
            fail_hard: flag(row, 14)?,
            fresh: flag(row, 15)?,
        },
        progress: Progress {
            version: number(row, 16)?,
            state: state(row, 17)?,
            undecided: flag(row, 18)?,
            overturned: flag(row, 19)?,
            revoked: flag(row, 20)?,
            superseded: flag(row, 21)?,
            attempts: number(row, 22)?,
            engine_result_first: name(row, 23)?,
            engine_result_last: name(row, 24)?,
            validated,
            evidence: json(row, 29)?,
            reason: json(row, 30)?,
            preliminary: json::<Vec<_>>(row, 31)?.unwrap_or_default().into(),
            sightings: json(row, 32)?.unwrap_or_default(),
            latencies: Latencies {
                first_answer_ms: perhaps(row, 33)?,
                finality_ms: perhaps(row, 34)?,
                finality_ledgers: perhaps(row, 35)?,
            },
        },
    })
}

/// What never changes of a transaction, as it is written.
pub(crate) struct IdentityColumns<'a> {
    pub(crate) slot: i64,
    pub(crate) is_ticket: bool,
    pub(crate) last_ledger_sequence: Option<i64>,
    pub(crate) expected: Option<String>,
    pub(crate) created_ledger: i64,
    pub(crate) created_at_ms: i64,
    pub(crate) callers_key: Option<&'a str>,
    pub(crate) callers_request: Option<&'a [u8]>,
}

impl<'a> IdentityColumns<'a> {
    pub(crate) fn of(identity: &'a Identity) -> Result<Self> {
        may_be_kept(identity)?;
        let (slot, is_ticket) = slot_columns(identity.slot);
        let key = identity.callers_key.as_deref();
        Ok(Self {
            slot: slot.into(),
            is_ticket,
            last_ledger_sequence: identity.last_ledger_sequence.map(|last| last.0.into()),
            expected: intent_text(&identity.intent)?,
            created_ledger: identity.created_ledger.0.into(),
            created_at_ms: signed(identity.created_at_ms)?,
            callers_key: key.map(|key| &*key.key),
            callers_request: key.map(|key| &key.request.0[..]),
        })
    }
}

/// A condition, as it is written.
pub(crate) struct ProgressColumns {
    pub(crate) state: i16,
    pub(crate) engine_result_final: Option<ResultName>,
    pub(crate) validated_ledger: Option<i64>,
    pub(crate) ledger_hash: Option<[u8; 32]>,
    pub(crate) source: Option<&'static str>,
    pub(crate) evidence: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) preliminary: Option<String>,
    pub(crate) sightings: Option<String>,
}

impl ProgressColumns {
    pub(crate) fn of(progress: &Progress) -> Result<Self> {
        let place = progress.validated.as_ref();
        Ok(Self {
            state: (progress.state as u8).into(),
            engine_result_final: progress.engine_result_final(),
            validated_ledger: place.map(|place| place.ledger_index.0.into()),
            ledger_hash: place.and_then(|place| place.ledger_hash).map(|hash| hash.0),
            source: place.map(|place| place.source.name()),
            evidence: progress.evidence.as_deref().map(json_text).transpose()?,
            reason: progress.reason.as_deref().map(json_text).transpose()?,
            preliminary: list_text(&progress.preliminary)?,
            sightings: list_text(&progress.sightings)?,
        })
    }
}
