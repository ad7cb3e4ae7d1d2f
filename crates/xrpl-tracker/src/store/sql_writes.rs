//! What is written to the SQLite file, a row at a time.

use rusqlite::{ErrorCode, Transaction, params};
use xrpl_protocol::{Hash256, LedgerIndex, TxHash};

use super::{
    Created,
    rows::{intent_text, json_text, list_text, slot_columns},
    sql_rows,
};
use crate::{
    error::Error,
    record::{Identity, Progress, RunId},
};

/// Ledger hashes kept of a run, besides every 256th.
const LEDGERS_KEPT: u32 = 10_000;

pub(super) type Done<T> = std::result::Result<T, Failure>;

/// Why a change was not made.
pub(super) struct Failure {
    pub(super) error: Error,
    /// It is the row's own fault: the others of its group are none the worse.
    pub(super) of_row: bool,
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let of_row = match &error {
            rusqlite::Error::ToSqlConversionFailure(_) => true,
            rusqlite::Error::SqliteFailure(failure, _) => matches!(
                failure.code,
                ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig
            ),
            _ => false,
        };
        Self { error: error.into(), of_row }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, of_row: true }
    }
}

/// What an update did.
pub(super) enum Changed {
    Written,
    /// The row has a newer condition, or was pruned.
    Outdated,
    /// There is no such row.
    Missing,
}

/// Makes a change of several statements so that it fails alone, if it fails.
pub(super) fn alone<T>(change: &Transaction<'_>, make: impl FnOnce() -> Done<T>) -> Done<T> {
    change.prepare_cached("SAVEPOINT alone")?.execute([])?;
    match make() {
        Ok(made) => {
            change.prepare_cached("RELEASE alone")?.execute([])?;
            Ok(made)
        }
        // SQLite has taken back the whole group.
        Err(failure) if change.is_autocommit() => Err(Failure { of_row: false, ..failure }),
        Err(failure) => {
            change.execute_batch("ROLLBACK TO alone; RELEASE alone")?;
            Err(failure)
        }
    }
}

/// Begins a run.
pub(super) fn begin(
    change: &Transaction<'_>,
    network_id: Option<u32>,
    started_at_ms: u64,
) -> Done<RunId> {
    change.execute(
        "INSERT INTO runs (network_id, started_at_ms) VALUES (?1, ?2)",
        params![network_id, started_at_ms],
    )?;
    Ok(RunId(u64::try_from(change.last_insert_rowid()).unwrap_or(0)))
}

/// Makes a transaction's row, unless the run has it.
pub(super) fn create(change: &Transaction<'_>, run: RunId, identity: Identity) -> Done<Created> {
    let (slot, is_ticket) = slot_columns(identity.slot);
    let expected = intent_text(&identity.intent)?;
    let made = change
        .prepare_cached(
            "INSERT INTO transactions (run, hash, account, slot, is_ticket, last_ledger_sequence,
                transaction_type, expected, created_ledger, created_at_ms, blob, state,
                callers_key, callers_request, fail_hard, fresh)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, ?12, ?13, ?14, ?15)
             ON CONFLICT (run, hash) DO NOTHING",
        )?
        .execute(params![
            run.0,
            identity.hash.0,
            identity.account.0,
            slot,
            is_ticket,
            identity.last_ledger_sequence.map(|l| l.0),
            &*identity.transaction_type,
            expected,
            identity.created_ledger.0,
            identity.created_at_ms,
            &identity.blob[..],
            identity.callers_key.as_ref().map(|name| &*name.key),
            identity.callers_key.as_ref().map(|name| name.request.0),
            identity.fail_hard,
            identity.fresh,
        ])?;
    if made == 1 {
        return Ok(Created::New(u64::try_from(change.last_insert_rowid()).unwrap_or(0)));
    }
    let known = sql_rows::get(change, run, identity.hash)?;
    let gone = || Error::Store("a row conflicts with one that is not there".into());
    Ok(known.map(|record| Created::Known(Box::new(record))).ok_or_else(gone)?)
}

/// Writes a condition, if it is newer than the row's.
pub(super) fn update(
    change: &Transaction<'_>,
    run: RunId,
    hash: TxHash,
    progress: &Progress,
) -> Done<Changed> {
    let place = progress.validated.as_ref();
    let written = change
        .prepare_cached(
            "UPDATE transactions SET state = ?3, undecided = ?4, overturned = ?5, attempts = ?6,
                engine_result_first = ?7, engine_result_last = ?8, engine_result_final = ?9,
                validated_ledger = ?10, ledger_hash = ?11, source = ?12, evidence = ?13,
                preliminary = ?14, sightings = ?15, first_answer_ms = ?16, finality_ms = ?17,
                finality_ledgers = ?18, reason = ?19, revoked = ?20, superseded = ?21, version = ?22
             WHERE run = ?1 AND hash = ?2 AND version < ?22",
        )?
        .execute(params![
            run.0,
            hash.0,
            progress.state as u8,
            progress.undecided,
            progress.overturned,
            progress.attempts,
            progress.engine_result_first.as_ref().map(|r| r.as_str()),
            progress.engine_result_last.as_ref().map(|r| r.as_str()),
            progress.engine_result_final().as_ref().map(|r| r.as_str()),
            place.map(|p| p.ledger_index.0),
            place.and_then(|p| p.ledger_hash).map(|h| h.0),
            place.map(|p| p.source.name()),
            progress.evidence.as_deref().map(json_text).transpose()?,
            list_text(&progress.preliminary[..])?,
            list_text(&progress.sightings[..])?,
            progress.latencies.first_answer_ms,
            progress.latencies.finality_ms,
            progress.latencies.finality_ledgers,
            progress.reason.as_deref().map(json_text).transpose()?,
            progress.revoked,
            progress.superseded,
            progress.version,
        ])?;
    if written > 0 {
        return Ok(Changed::Written);
    }
    // Whether it is there, or may have been: of pruned rows only how many there were is known.
    let there = change
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM transactions WHERE run = ?1 AND hash = ?2)
                OR EXISTS (SELECT 1 FROM pruned WHERE run = ?1)",
        )?
        .query_row(params![run.0, hash.0], |row| row.get(0))?;
    Ok(if there { Changed::Outdated } else { Changed::Missing })
}

/// Writes a ledger's hash.
pub(super) fn note_ledger(
    change: &Transaction<'_>,
    run: RunId,
    index: LedgerIndex,
    hash: Hash256,
) -> Done<()> {
    change
        .prepare_cached(
            "INSERT OR REPLACE INTO ledgers (run, ledger_index, hash) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![run.0, index.0, hash.0])?;
    let old = index.0.saturating_sub(LEDGERS_KEPT);
    if !old.is_multiple_of(256) {
        change
            .prepare_cached("DELETE FROM ledgers WHERE run = ?1 AND ledger_index = ?2")?
            .execute(params![run.0, old])?;
    }
    Ok(())
}
