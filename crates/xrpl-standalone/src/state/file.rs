//! The file in which a server's ledger is kept.
//!
//! It is replaced as a whole: written beside, flushed to the disk, renamed. Whoever reads it, or
//! finds it after a crash, has the old state or the new one. A file that cannot be read is never
//! overwritten.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::{FormatError, Saved, decode, encode};

/// Why a state file cannot be used. Each says how to go on.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be read, or its lock cannot be made.
    #[error("the state file {} cannot be used: {cause}. Is its directory there and writable?", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Another process has it.
    #[error(
        "the state file {} is in use by another process: end that one, or give another file",
        path.display()
    )]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// It is no state, or not whole.
    #[error(
        "the state file {} was not loaded: {cause}. It is left as it is: move it away to begin with \
         a fresh ledger, or put a good copy in its place",
        path.display()
    )]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: FormatError,
    },
}

/// A state file that this process has.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

/// A name beside a file's.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

impl StateFile {
    /// Takes a file for this process, and reads what is in it; none if it is not there yet.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: &Path) -> Result<(Self, Option<Saved>), OpenError> {
        let io = |cause| OpenError::Io { path: path.to_owned(), cause };
        let lock = beside(path, ".lock");
        let lock =
            File::options().create(true).truncate(false).write(true).open(lock).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { path: path.to_owned() });
            }
            Err(TryLockError::Error(cause)) => return Err(io(cause)),
        }
        let saved = match fs::read(path) {
            Ok(bytes) => Some(
                decode(&bytes)
                    .map_err(|cause| OpenError::Unreadable { path: path.to_owned(), cause })?,
            ),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => None,
            Err(cause) => return Err(io(cause)),
        };
        Ok((Self { path: path.to_owned(), _lock: lock }, saved))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces what is in it.
    ///
    /// # Errors
    /// What the disk says. The file is then as it was.
    pub fn write(&self, saved: &Saved) -> io::Result<()> {
        let new = beside(&self.path, ".new");
        let mut file = File::create(&new)?;
        file.write_all(&encode(saved))?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        // The directory's entry is what makes the new file the old one's successor.
        match self.path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => File::open(parent)?.sync_all(),
            None => File::open(".")?.sync_all(),
        }
    }
}
