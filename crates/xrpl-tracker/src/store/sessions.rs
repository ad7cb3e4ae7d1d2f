//! What a program notes about each of its sessions on a run: from its start to its end, or to where it
//! was killed.
//!
//! A run goes on when the program is started again on the same chain; each start is a session. What is
//! noted is a text that the store does not read, and a short one beside it for lists.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::{error::Result, record::RunId};

/// Which session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId {
    /// The run.
    pub run: RunId,
    /// Counts up from 1 in it.
    pub session: u32,
}

/// A session as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionHead {
    /// Which.
    pub id: SessionId,
    /// When it began, milliseconds since 1970.
    pub began_at_ms: u64,
    /// When it was noted last.
    pub noted_at_ms: u64,
    /// Whether it came to its end. One that did not either goes on or was killed.
    pub ended: bool,
    /// What is noted for lists.
    pub head: String,
}

/// What is noted at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionNote {
    /// When, milliseconds since 1970.
    pub at_ms: u64,
    /// Whether this is its end.
    pub ended: bool,
    /// For lists.
    pub head: String,
    /// The whole.
    pub text: String,
}

/// Keeps what is noted of sessions.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Begins a session on a run.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn begin_session(&self, run: RunId, began_at_ms: u64) -> Result<SessionId>;

    /// Notes where a session stands; takes the place of what was noted before.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn note_session(&self, id: SessionId, note: SessionNote) -> Result<()>;

    /// All sessions, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn session_heads(&self) -> Result<Vec<SessionHead>>;

    /// What was noted last of one; none if there is no such session or nothing was noted.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn session_text(&self, id: SessionId) -> Result<Option<String>>;
}

pub(super) fn begin(change: &Transaction<'_>, run: RunId, began_at_ms: u64) -> Result<SessionId> {
    let session: u32 = change.query_row(
        "SELECT coalesce(max(session), 0) + 1 FROM sessions WHERE run = ?1",
        [run.0],
        |row| row.get(0),
    )?;
    change.execute(
        "INSERT INTO sessions (run, session, began_at_ms, noted_at_ms, ended, head, text)
         VALUES (?1, ?2, ?3, ?3, 0, '', NULL)",
        params![run.0, session, began_at_ms],
    )?;
    Ok(SessionId { run, session })
}

pub(super) fn note(change: &Transaction<'_>, id: SessionId, note: &SessionNote) -> Result<()> {
    change
        .prepare_cached(
            "UPDATE sessions SET noted_at_ms = ?3, ended = ?4, head = ?5, text = ?6
             WHERE run = ?1 AND session = ?2",
        )?
        .execute(params![id.run.0, id.session, note.at_ms, note.ended, note.head, note.text])?;
    Ok(())
}

fn read_head(row: &Row<'_>) -> rusqlite::Result<SessionHead> {
    Ok(SessionHead {
        id: SessionId { run: RunId(row.get(0)?), session: row.get(1)? },
        began_at_ms: row.get(2)?,
        noted_at_ms: row.get(3)?,
        ended: row.get(4)?,
        head: row.get(5)?,
    })
}

pub(super) fn heads(connection: &Connection) -> Result<Vec<SessionHead>> {
    let mut heads = connection.prepare(
        "SELECT run, session, began_at_ms, noted_at_ms, ended, head FROM sessions
         ORDER BY run, session",
    )?;
    let rows = heads.query_map([], read_head)?;
    Ok(rows.collect::<std::result::Result<_, _>>()?)
}

pub(super) fn text(connection: &Connection, id: SessionId) -> Result<Option<String>> {
    let found: Option<Option<String>> = connection
        .query_row(
            "SELECT text FROM sessions WHERE run = ?1 AND session = ?2",
            params![id.run.0, id.session],
            |row| row.get(0),
        )
        .optional()?;
    Ok(found.flatten())
}

/// Those of a store in memory: the newest of them.
#[derive(Debug, Default)]
pub(super) struct MemorySessions(Vec<(SessionHead, Option<String>)>);

/// Sessions that a store in memory keeps.
const MEMORY_KEEPS: usize = 32;

impl MemorySessions {
    pub(super) fn begin(&mut self, run: RunId, began_at_ms: u64) -> SessionId {
        let of_run = self.0.iter().filter(|(head, _)| head.id.run == run);
        let session = of_run.map(|(head, _)| head.id.session).max().unwrap_or(0) + 1;
        let id = SessionId { run, session };
        let head = String::new();
        let noted_at_ms = began_at_ms;
        self.0.push((SessionHead { id, began_at_ms, noted_at_ms, ended: false, head }, None));
        if self.0.len() > MEMORY_KEEPS {
            self.0.remove(0);
        }
        id
    }

    pub(super) fn note(&mut self, id: SessionId, note: SessionNote) {
        if let Some((head, text)) = self.0.iter_mut().find(|(head, _)| head.id == id) {
            (head.noted_at_ms, head.ended, head.head) = (note.at_ms, note.ended, note.head);
            *text = Some(note.text);
        }
    }

    pub(super) fn heads(&self) -> Vec<SessionHead> {
        self.0.iter().map(|(head, _)| head.clone()).collect()
    }

    pub(super) fn text(&self, id: SessionId) -> Option<String> {
        self.0.iter().find(|(head, _)| head.id == id).and_then(|(_, text)| text.clone())
    }
}
