-- Counts up with every program that takes the store to write it: who comes back after its connection broke
-- sees by it whether another was here.
CREATE TABLE holder (epoch BIGINT NOT NULL);
INSERT INTO holder VALUES (0);

CREATE TABLE runs (
    id             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    network_id     BIGINT,
    started_at_ms  BIGINT NOT NULL,
    pruned_through BIGINT
);

-- Validated ledgers that a run followed: by them a store knows its network.
CREATE TABLE ledgers (
    run          BIGINT NOT NULL REFERENCES runs (id),
    ledger_index BIGINT NOT NULL,
    hash         BYTEA NOT NULL,
    PRIMARY KEY (run, ledger_index)
);

CREATE TABLE transactions (
    id                   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run                  BIGINT NOT NULL REFERENCES runs (id),
    hash                 BYTEA NOT NULL,
    account              BYTEA NOT NULL,
    slot                 BIGINT NOT NULL,
    is_ticket            BOOLEAN NOT NULL,
    last_ledger_sequence BIGINT,
    transaction_type     TEXT NOT NULL,
    expected             TEXT,
    created_ledger       BIGINT NOT NULL,
    created_at_ms        BIGINT NOT NULL,
    blob                 BYTEA NOT NULL,
    callers_key          TEXT,
    callers_request      BYTEA,
    fail_hard            BOOLEAN NOT NULL,
    fresh                BOOLEAN NOT NULL,
    -- Counts up with every condition: an older one does not take the place of a newer one.
    version              BIGINT NOT NULL DEFAULT 0,
    state                SMALLINT NOT NULL DEFAULT 0,
    undecided            BOOLEAN NOT NULL DEFAULT FALSE,
    overturned           BOOLEAN NOT NULL DEFAULT FALSE,
    revoked              BOOLEAN NOT NULL DEFAULT FALSE,
    superseded           BOOLEAN NOT NULL DEFAULT FALSE,
    attempts             BIGINT NOT NULL DEFAULT 0,
    engine_result_first  TEXT,
    engine_result_last   TEXT,
    engine_result_final  TEXT,
    validated_ledger     BIGINT,
    ledger_hash          BYTEA,
    source               TEXT,
    evidence             TEXT,
    reason               TEXT,
    preliminary          TEXT,
    sightings            TEXT,
    first_answer_ms      BIGINT,
    finality_ms          BIGINT,
    finality_ledgers     BIGINT,
    -- The hash first: before a table is analysed, PostgreSQL takes any index that begins with the run for as
    -- good as this one, and reads the whole run for one row.
    UNIQUE (hash, run)
);
-- Few rows are open or failed at a time, so that these cost little and save whole scans.
CREATE INDEX transactions_open ON transactions (run, id) WHERE state < 3;
CREATE INDEX transactions_failed ON transactions (run, id) WHERE state > 3;
CREATE INDEX transactions_key ON transactions (callers_key, run) WHERE callers_key IS NOT NULL;
CREATE INDEX transactions_run ON transactions (run, id);

-- Ends that somebody is to be told of and has not taken yet. Numbers are never given twice.
CREATE TABLE ends (
    seq              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id   BIGINT NOT NULL REFERENCES transactions (id),
    was              SMALLINT NOT NULL,
    state            SMALLINT NOT NULL,
    at_ms            BIGINT NOT NULL,
    engine_result    TEXT,
    validated_ledger BIGINT,
    ledger_hash      BYTEA,
    source           TEXT,
    first_answer_ms  BIGINT,
    finality_ms      BIGINT,
    finality_ledgers BIGINT,
    tries            BIGINT NOT NULL DEFAULT 0,
    first_try_ms     BIGINT,
    next_try_ms      BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX ends_transaction ON ends (transaction_id, seq);
CREATE TABLE deliveries (
    delivered BIGINT NOT NULL,
    given_up  BIGINT NOT NULL
);
INSERT INTO deliveries VALUES (0, 0);

-- What rows that were pruned counted: '' stands for NULL, so that the key is one.
CREATE TABLE pruned (
    run                 BIGINT NOT NULL REFERENCES runs (id),
    state               SMALLINT NOT NULL,
    transaction_type    TEXT NOT NULL,
    engine_result_final TEXT NOT NULL,
    source              TEXT NOT NULL,
    expected            TEXT NOT NULL,
    overturned          BOOLEAN NOT NULL,
    engine_result_first TEXT NOT NULL,
    superseded          BOOLEAN NOT NULL,
    n                   BIGINT NOT NULL,
    PRIMARY KEY (run, state, transaction_type, engine_result_final, source, expected, overturned,
        engine_result_first, superseded)
);

-- What a program notes about each of its starts on a run; `head` is for lists.
CREATE TABLE sessions (
    run         BIGINT NOT NULL REFERENCES runs (id),
    session     BIGINT NOT NULL,
    began_at_ms BIGINT NOT NULL,
    noted_at_ms BIGINT NOT NULL,
    ended       BOOLEAN NOT NULL,
    head        TEXT NOT NULL,
    text        TEXT,
    PRIMARY KEY (run, session)
);
