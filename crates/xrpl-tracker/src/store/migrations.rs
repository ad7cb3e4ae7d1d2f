//! Numbered steps from an empty file to the present schema. A step once released never changes.

use rusqlite::Connection;

use crate::error::{Error, Result};

/// Each step brings the schema from its position to the next version.
const STEPS: [&str; 7] = [
    "
    CREATE TABLE runs (
        id            INTEGER PRIMARY KEY,
        network_id    INTEGER,
        started_at_ms INTEGER NOT NULL
    ) STRICT;

    -- Validated ledgers that a run followed: by them a file knows its network.
    CREATE TABLE ledgers (
        run          INTEGER NOT NULL REFERENCES runs (id),
        ledger_index INTEGER NOT NULL,
        hash         BLOB NOT NULL,
        PRIMARY KEY (run, ledger_index)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE transactions (
        id                   INTEGER PRIMARY KEY,
        run                  INTEGER NOT NULL REFERENCES runs (id),
        hash                 BLOB NOT NULL,
        account              BLOB NOT NULL,
        slot                 INTEGER NOT NULL,
        is_ticket            INTEGER NOT NULL,
        last_ledger_sequence INTEGER,
        transaction_type     TEXT NOT NULL,
        expected             TEXT,
        created_ledger       INTEGER NOT NULL,
        created_at_ms        INTEGER NOT NULL,
        blob                 BLOB NOT NULL,
        state                INTEGER NOT NULL,
        undecided            INTEGER NOT NULL DEFAULT 0,
        overturned           INTEGER NOT NULL DEFAULT 0,
        attempts             INTEGER NOT NULL DEFAULT 0,
        engine_result_first  TEXT,
        engine_result_last   TEXT,
        engine_result_final  TEXT,
        validated_ledger     INTEGER,
        ledger_hash          BLOB,
        source               TEXT,
        evidence             TEXT,
        preliminary          TEXT,
        sightings            TEXT,
        first_answer_ms      INTEGER,
        finality_ms          INTEGER,
        finality_ledgers     INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX transactions_hash ON transactions (run, hash);
    -- Few rows are open or failed at a time, so that these cost little and save whole scans.
    CREATE INDEX transactions_open ON transactions (run, id) WHERE state < 3;
    CREATE INDEX transactions_failed ON transactions (run, id) WHERE state > 3;
",
    "
    ALTER TABLE transactions ADD COLUMN callers_key TEXT;
    ALTER TABLE transactions ADD COLUMN callers_request BLOB;
    CREATE INDEX transactions_key ON transactions (run, callers_key)
        WHERE callers_key IS NOT NULL;
",
    "
    ALTER TABLE transactions ADD COLUMN fail_hard INTEGER NOT NULL DEFAULT 0;
    -- Of older rows it is not known whether they were handed in from outside.
    ALTER TABLE transactions ADD COLUMN fresh INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE transactions ADD COLUMN reason TEXT;
",
    "
    -- Ends that somebody is to be told of and has not taken yet. Numbers are never given twice.
    CREATE TABLE ends (
        seq              INTEGER PRIMARY KEY AUTOINCREMENT,
        transaction_id   INTEGER NOT NULL REFERENCES transactions (id),
        was              INTEGER NOT NULL,
        state            INTEGER NOT NULL,
        at_ms            INTEGER NOT NULL,
        engine_result    TEXT,
        validated_ledger INTEGER,
        ledger_hash      BLOB,
        source           TEXT,
        first_answer_ms  INTEGER,
        finality_ms      INTEGER,
        finality_ledgers INTEGER,
        tries            INTEGER NOT NULL DEFAULT 0,
        first_try_ms     INTEGER,
        next_try_ms      INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX ends_transaction ON ends (transaction_id, seq);
    CREATE TABLE deliveries (
        delivered INTEGER NOT NULL,
        given_up  INTEGER NOT NULL
    ) STRICT;
    INSERT INTO deliveries VALUES (0, 0);

    -- What rows that were pruned counted: '' stands for NULL, so that the key is one.
    CREATE TABLE pruned (
        run                 INTEGER NOT NULL REFERENCES runs (id),
        state               INTEGER NOT NULL,
        transaction_type    TEXT NOT NULL,
        engine_result_final TEXT NOT NULL,
        source              TEXT NOT NULL,
        expected            TEXT NOT NULL,
        overturned          INTEGER NOT NULL,
        engine_result_first TEXT NOT NULL,
        n                   INTEGER NOT NULL,
        PRIMARY KEY (run, state, transaction_type, engine_result_final, source, expected,
            overturned, engine_result_first)
    ) STRICT, WITHOUT ROWID;
    ALTER TABLE runs ADD COLUMN pruned_through INTEGER;
",
    "
    ALTER TABLE transactions ADD COLUMN revoked INTEGER NOT NULL DEFAULT 0;
    -- Rejected because a rival that was handed in too used its slot: no failure.
    ALTER TABLE transactions ADD COLUMN superseded INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE pruned_by_kind (
        run                 INTEGER NOT NULL REFERENCES runs (id),
        state               INTEGER NOT NULL,
        transaction_type    TEXT NOT NULL,
        engine_result_final TEXT NOT NULL,
        source              TEXT NOT NULL,
        expected            TEXT NOT NULL,
        overturned          INTEGER NOT NULL,
        engine_result_first TEXT NOT NULL,
        superseded          INTEGER NOT NULL,
        n                   INTEGER NOT NULL,
        PRIMARY KEY (run, state, transaction_type, engine_result_final, source, expected,
            overturned, engine_result_first, superseded)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO pruned_by_kind SELECT run, state, transaction_type, engine_result_final, source,
        expected, overturned, engine_result_first, 0, n FROM pruned;
    DROP TABLE pruned;
    ALTER TABLE pruned_by_kind RENAME TO pruned;
",
    "
    -- What a program notes about each of its starts on a run; `head` is for lists.
    CREATE TABLE sessions (
        run         INTEGER NOT NULL REFERENCES runs (id),
        session     INTEGER NOT NULL,
        began_at_ms INTEGER NOT NULL,
        noted_at_ms INTEGER NOT NULL,
        ended       INTEGER NOT NULL,
        head        TEXT NOT NULL,
        text        TEXT,
        PRIMARY KEY (run, session)
    ) STRICT;
",
    "
    -- Counts up with every condition: an older one does not take the place of a newer one.
    ALTER TABLE transactions ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
",
];

/// Whether a file that may not be changed is up to date.
pub(super) fn check(connection: &Connection) -> Result<()> {
    let known = u32::try_from(STEPS.len()).unwrap_or(u32::MAX);
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match found {
        _ if found == known => Ok(()),
        0 => Err(Error::Foreign),
        _ if found > known => Err(Error::NewerSchema { found, known }),
        _ => Err(Error::Store(format!(
            "the file has schema {found}, this program {known}: a run brings it up to date"
        ))),
    }
}

/// Brings a file up to date.
pub(super) fn migrate(connection: &mut Connection) -> Result<()> {
    let known = u32::try_from(STEPS.len()).unwrap_or(u32::MAX);
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(Error::NewerSchema { found, known });
    }
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    if found == 0 && tables > 0 {
        return Err(Error::Foreign);
    }
    for (step, version) in STEPS.iter().zip(1u32..).skip(found as usize) {
        let change = connection.transaction()?;
        change.execute_batch(step)?;
        change.pragma_update(None, "user_version", version)?;
        change.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_nothing_twice_and_from_the_future() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
        let version: u32 =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(version as usize, STEPS.len());
        connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(migrate(&mut connection), Err(Error::NewerSchema { found: 99, .. })));
    }
}
