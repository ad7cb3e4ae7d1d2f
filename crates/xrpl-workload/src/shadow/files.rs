//! A file for each difference.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use xrpl_standalone::shadow::Finding;

/// Files that are written at most: whoever has read a hundred knows.
const MOST: usize = 100;

/// Writes `shadow-LEDGER.json`, or `shadow-LEDGER-TRANSACTION.json` with the first digits of the
/// transaction's hash, into a folder, which is made with the first one.
#[derive(Debug)]
pub struct CaseFiles {
    folder: PathBuf,
    written: usize,
}

impl CaseFiles {
    /// Nothing is written yet.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), written: 0 }
    }

    /// Writes one; where. None if there are as many as are written at most.
    ///
    /// # Errors
    /// It cannot be written there.
    pub(super) fn write(&mut self, finding: &Finding) -> io::Result<Option<PathBuf>> {
        if self.written >= MOST {
            return Ok(None);
        }
        let tx = finding.transaction.map(|hash| hash.to_string());
        let tx = tx.as_deref().and_then(|hash| hash.get(..8));
        let name = match tx {
            Some(tx) => format!("shadow-{}-{tx}.json", finding.index),
            None => format!("shadow-{}.json", finding.index),
        };
        fs::create_dir_all(&self.folder)?;
        let path = self.folder.join(name);
        let mut text = serde_json::to_vec_pretty(&finding.case)?;
        text.push(b'\n');
        fs::write(&path, text)?;
        self.written += 1;
        Ok(Some(path))
    }
}
