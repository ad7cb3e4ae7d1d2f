//! Where records of runs are found: in a store, of this process or of another, or in a file.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use xrpl_store_postgres::Address;
use xrpl_tracker::{
    Store,
    store::{SessionHead, SessionId},
};

use crate::{
    config::StoreChoice,
    record::{Condition, Record, RecordError, RunHead, RunName},
    stores::{self, Reading, Unreadable},
};

/// The newest run, and the one before it.
const LATEST: &str = "latest";
const PREVIOUS: &str = "previous";

/// What a SQLite file begins with.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// Why a record could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// There is no such file.
    #[error("{}: there is no such file", .0.display())]
    NoFile(PathBuf),
    /// It is no record.
    #[error("{}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// There is no such store.
    #[error(transparent)]
    NoStore(#[from] Unreadable),
    /// It is no address of a store.
    #[error("{0}")]
    Address(String),
    /// The store cannot be read.
    #[error("the store cannot be read: {0}")]
    Store(#[from] xrpl_tracker::Error),
    /// The store keeps no records.
    #[error("this store keeps no records of runs")]
    NoRecords,
    /// No such run.
    #[error("there is no run {asked:?} here{}", told(.known))]
    NoRun {
        /// What was asked for.
        asked: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// It was killed before anything was noted.
    #[error("nothing was recorded of run {0}: it was killed in its first moments")]
    Nothing(String),
    /// What was noted is no record.
    #[error("run {0}: {1}")]
    Record(String, RecordError),
}

fn told(known: &[String]) -> String {
    match known {
        [] => ": it has none yet".to_owned(),
        [.., _] if known.len() > 12 => {
            format!(": it has {} to {}", known[0], known[known.len() - 1])
        }
        known => format!(": it has {}", known.join(", ")),
    }
}

/// The records of a store.
#[derive(Clone, Debug)]
pub struct Archive {
    store: Arc<dyn Store>,
    /// Whether a process writes it, so that the newest run may go on.
    live: bool,
}

impl Archive {
    /// Of the store of this process.
    #[must_use]
    pub fn of(store: Arc<dyn Store>) -> Self {
        Self { store, live: true }
    }

    /// Of a store, which another process may be writing.
    ///
    /// # Errors
    /// There is none of this program's.
    pub async fn open(choice: &StoreChoice) -> Result<Self, ArchiveError> {
        let Reading { store, live } = stores::open_to_read(choice).await?;
        Ok(Self { store, live })
    }

    async fn sessions(&self) -> Result<Vec<SessionHead>, ArchiveError> {
        let sessions = self.store.sessions().ok_or(ArchiveError::NoRecords)?;
        let mut heads = sessions.session_heads().await?;
        heads.sort_by_key(|head| (head.began_at_ms, head.id));
        Ok(heads)
    }

    /// All runs, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn heads(&self) -> Result<Vec<RunHead>, ArchiveError> {
        let sessions = self.sessions().await?;
        let newest = sessions.last().map(|session| session.id);
        let head =
            |session: &SessionHead| RunHead::of(session, self.live, Some(session.id) == newest);
        Ok(sessions.iter().map(head).collect())
    }

    /// The run of an id, of a name (the newest that has it), `latest` or `previous`.
    ///
    /// # Errors
    /// There is none, or nothing was recorded of it.
    pub async fn find(&self, asked: &str) -> Result<Record, ArchiveError> {
        let heads = self.heads().await?;
        let index = choose(&heads, asked).ok_or_else(|| ArchiveError::NoRun {
            asked: asked.to_owned(),
            known: heads.iter().map(|head| head.run.clone()).collect(),
        })?;
        let head = &heads[index];
        let nothing = || ArchiveError::Nothing(head.run.clone());
        let id: SessionId = head.run.parse::<RunName>().map_err(|_| nothing())?.0;
        let sessions = self.store.sessions().ok_or(ArchiveError::NoRecords)?;
        let text = sessions.session_text(id).await?.ok_or_else(nothing)?;
        let mut record =
            Record::read(&text).map_err(|error| ArchiveError::Record(head.run.clone(), error))?;
        record.head.condition = head.condition;
        Ok(record)
    }
}

/// Which of the runs is meant.
fn choose(heads: &[RunHead], asked: &str) -> Option<usize> {
    match asked {
        LATEST => heads.len().checked_sub(1),
        PREVIOUS => heads.len().checked_sub(2),
        _ => {
            let by_id = heads.iter().position(|head| head.run == asked);
            by_id.or_else(|| heads.iter().rposition(|head| head.name.as_deref() == Some(asked)))
        }
    }
}

/// The record that a text names: a run of `store` as [`Archive::find`] takes it, a file that
/// `report --json` wrote, a store's file or address (its newest run), or a run of one: `FILE.db#RUN`.
///
/// # Errors
/// There is no such file or run, or it is no record.
pub async fn load(asked: &str, store: &StoreChoice) -> Result<Record, ArchiveError> {
    let (file, run) = asked.rsplit_once('#').unwrap_or((asked, LATEST));
    if Address::is_meant(file) {
        let there = StoreChoice::given(file).map_err(ArchiveError::Address)?;
        return Archive::open(&there).await?.find(run).await;
    }
    let file = Path::new(file);
    let looks_like_a_file = asked.contains(['/', '#'])
        || file.extension().is_some_and(|ending| {
            ["json", "db", "sqlite"].iter().any(|known| ending.eq_ignore_ascii_case(known))
        });
    if looks_like_a_file || file.is_file() {
        return from_file(file, run).await;
    }
    match store {
        StoreChoice::Memory => {
            Err(ArchiveError::NoRun { asked: asked.to_owned(), known: Vec::new() })
        }
        store => Archive::open(store).await?.find(asked).await,
    }
}

async fn from_file(path: &Path, run: &str) -> Result<Record, ArchiveError> {
    if !path.exists() {
        return Err(ArchiveError::NoFile(path.to_owned()));
    }
    let wrong = |why: String| ArchiveError::File { path: path.to_owned(), why };
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    if bytes.starts_with(SQLITE) {
        drop(bytes);
        return Archive::open(&StoreChoice::File(path.to_owned())).await?.find(run).await;
    }
    let text =
        String::from_utf8(bytes).map_err(|_| wrong("it is neither JSON nor SQLite".into()))?;
    let mut record = Record::read(&text).map_err(|error| wrong(error.to_string()))?;
    if record.head.condition == Condition::Running {
        // Whatever has become of it, the file stays as it is.
        record.head.condition = Condition::Aborted;
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(run: &str, name: Option<&str>) -> RunHead {
        RunHead { run: run.into(), name: name.map(str::to_owned), ..RunHead::default() }
    }

    #[test]
    fn a_run_is_found_by_id_by_name_and_by_its_place() {
        let heads = [
            head("1", Some("before")),
            head("1.2", None),
            head("2", Some("before")),
            head("3", Some("1")),
        ];
        for (asked, found) in [
            ("latest", Some(3)),
            ("previous", Some(2)),
            ("1", Some(0)),
            ("1.2", Some(1)),
            ("before", Some(2)),
            ("after", None),
            ("1.3", None),
            ("", None),
        ] {
            assert_eq!(choose(&heads, asked), found, "{asked}");
        }
        assert_eq!(choose(&heads[..1], "previous"), None);
        assert_eq!(choose(&[], "latest"), None);
    }

    #[tokio::test]
    async fn what_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("other.json"), "{\"a\": 1}").unwrap();
        std::fs::write(path("other.txt"), [0xFF, 0xFE]).unwrap();
        for (asked, why) in [
            (path("none.json"), "there is no such file"),
            (path("none.db#3"), "there is no such file"),
            (path("other.json"), "form 0"),
            (path("other.txt"), "neither JSON nor SQLite"),
            ("none.json".to_owned(), "there is no such file"),
        ] {
            let error = load(&asked, &StoreChoice::Memory).await.unwrap_err().to_string();
            assert!(error.contains(why), "{asked}: {error}");
        }
    }
}
