//! Runs and what is noted of their sessions.

use tokio_postgres::{Client, Row};
use xrpl_tracker::{
    Result, RunId,
    store::{SessionHead, SessionId, SessionNote},
};

use crate::{
    columns::{flag, number, signed, text},
    connect::told,
    writes::Done,
};

pub(crate) async fn begin_run(
    client: &Client,
    network_id: Option<u32>,
    started_at_ms: u64,
) -> Done<RunId> {
    let begun = client
        .query_one(
            "INSERT INTO runs (network_id, started_at_ms) VALUES ($1, $2) RETURNING id",
            &[&network_id.map(i64::from), &signed(started_at_ms)?],
        )
        .await?;
    Ok(RunId(number(&begun, 0)?))
}

pub(crate) async fn begin(client: &Client, run: RunId, began_at_ms: u64) -> Done<SessionId> {
    let begun = client
        .query_one(
            "INSERT INTO sessions (run, session, began_at_ms, noted_at_ms, ended, head)
             SELECT $1, coalesce(max(session), 0) + 1, $2, $2, FALSE, ''
             FROM sessions WHERE run = $1 RETURNING session",
            &[&signed(run.0)?, &signed(began_at_ms)?],
        )
        .await?;
    Ok(SessionId { run, session: number(&begun, 0)? })
}

pub(crate) async fn note(client: &Client, id: SessionId, note: &SessionNote) -> Done<()> {
    client
        .execute(
            "UPDATE sessions SET noted_at_ms = $3, ended = $4, head = $5, text = $6
             WHERE run = $1 AND session = $2",
            &[
                &signed(id.run.0)?,
                &i64::from(id.session),
                &signed(note.at_ms)?,
                &note.ended,
                &note.head,
                &note.text,
            ],
        )
        .await?;
    Ok(())
}

fn head(row: &Row) -> Result<SessionHead> {
    Ok(SessionHead {
        id: SessionId { run: RunId(number(row, 0)?), session: number(row, 1)? },
        began_at_ms: number(row, 2)?,
        noted_at_ms: number(row, 3)?,
        ended: flag(row, 4)?,
        head: text(row, 5)?.unwrap_or_default().to_owned(),
    })
}

pub(crate) async fn heads(client: &Client) -> Result<Vec<SessionHead>> {
    let rows = client
        .query(
            "SELECT run, session, began_at_ms, noted_at_ms, ended, head FROM sessions
             ORDER BY run, session",
            &[],
        )
        .await
        .map_err(|error| told(&error))?;
    rows.iter().map(head).collect()
}

pub(crate) async fn text_of(client: &Client, id: SessionId) -> Result<Option<String>> {
    let found = client
        .query_opt(
            "SELECT text FROM sessions WHERE run = $1 AND session = $2",
            &[&signed(id.run.0)?, &i64::from(id.session)],
        )
        .await
        .map_err(|error| told(&error))?;
    found.map_or(Ok(None), |row| Ok(text(&row, 0)?.map(str::to_owned)))
}
