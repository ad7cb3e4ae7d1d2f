//! Stores, opened from what `--store` says.

use std::sync::Arc;

use xrpl_store_postgres::PostgresStore;
use xrpl_tracker::{
    Error, MemoryStore, Store,
    store::{SqliteOptions, SqliteStore},
};

use crate::{config::StoreChoice, session::SetupError};

/// Opens a store to keep a run in it.
///
/// # Errors
/// It cannot be had; what helps is said.
pub(crate) async fn open(choice: &StoreChoice) -> Result<Arc<dyn Store>, SetupError> {
    let opened: Result<Arc<dyn Store>, Error> = match choice {
        StoreChoice::Memory => return Ok(Arc::new(MemoryStore::default())),
        StoreChoice::File(path) => {
            SqliteStore::open(path, SqliteOptions::default()).map(|store| Arc::new(store) as _)
        }
        StoreChoice::Postgres(address) => {
            PostgresStore::open(address).await.map(|store| Arc::new(store) as _)
        }
    };
    opened.map_err(|error| {
        let mend = match (choice, &error) {
            (StoreChoice::Postgres(_), Error::InUse) => {
                "Give another database, or a schema of its own: ?options=-csearch_path%3DNAME"
            }
            (StoreChoice::Postgres(_), _) => "",
            _ => "Give another path, or --store memory",
        };
        SetupError(
            format!("--store {choice}: {error}. {mend}").trim_end_matches([' ', '.']).to_owned(),
        )
    })
}

/// A store that is only read.
pub(crate) struct Reading {
    pub(crate) store: Arc<dyn Store>,
    /// Whether a process was writing it when it was opened, so that its newest run may go on.
    pub(crate) live: bool,
}

/// Why a store cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// There is no such file.
    #[error("{0}: there is no such file")]
    NoFile(String),
    /// Nothing stays there.
    #[error("--store memory keeps nothing: give the file or the database of a run")]
    Memory,
    /// It cannot be opened.
    #[error("{0}: {1}")]
    Closed(String, Error),
}

/// Opens a store to read it, which another process may be writing.
///
/// # Errors
/// There is none.
pub(crate) async fn open_to_read(choice: &StoreChoice) -> Result<Reading, Unreadable> {
    let closed = |error| Unreadable::Closed(choice.to_string(), error);
    match choice {
        StoreChoice::Memory => Err(Unreadable::Memory),
        StoreChoice::File(path) if !path.exists() => Err(Unreadable::NoFile(choice.to_string())),
        StoreChoice::File(path) => {
            // Before it is read: one that ends meanwhile has noted its end.
            let live = SqliteStore::is_written(path);
            let store = SqliteStore::open_to_read(path).map_err(closed)?;
            Ok(Reading { store: Arc::new(store), live })
        }
        StoreChoice::Postgres(address) => {
            let store = PostgresStore::open_to_read(address).await.map_err(closed)?;
            let live = store.is_written().await.map_err(closed)?;
            Ok(Reading { store: Arc::new(store), live })
        }
    }
}
