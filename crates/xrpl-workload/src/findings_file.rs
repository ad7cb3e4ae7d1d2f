//! The file of findings: a line of JSON for each, written as soon as it is there.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use xrpl_generator::findings::Finding;

/// See the [module](self). The file is made with the first finding; one that grew is written again, so
/// that of lines with the same `id` of one process the last one is whole.
#[derive(Debug)]
pub struct FindingsFile {
    path: PathBuf,
    /// How often each was told when it was written last.
    written: BTreeMap<u64, u64>,
    failed: bool,
}

impl FindingsFile {
    /// Nothing is written yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), written: BTreeMap::new(), failed: false }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends what is new; why it could not, the first time.
    pub fn write(&mut self, findings: &[Arc<Finding>]) -> Option<io::Error> {
        let new: Vec<_> = findings
            .iter()
            .filter(|found| self.written.get(&found.id) != Some(&found.times))
            .cloned()
            .collect();
        if new.is_empty() || self.failed {
            return None;
        }
        match self.append(&new) {
            Ok(()) => {
                self.written.extend(new.iter().map(|found| (found.id, found.times)));
                None
            }
            Err(error) => {
                self.failed = true;
                Some(error)
            }
        }
    }

    fn append(&self, findings: &[Arc<Finding>]) -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        for finding in findings {
            let mut line = serde_json::to_vec(&**finding)?;
            line.push(b'\n');
            file.write_all(&line)?;
        }
        file.flush()
    }
}

#[cfg(test)]
mod tests {
    use xrpl_generator::findings::FindingKind;
    use xrpl_protocol::LedgerIndex;

    use super::*;

    #[test]
    fn each_is_written_once_and_again_when_it_has_grown() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = FindingsFile::new(&folder.path().join("findings.jsonl"));
        assert!(file.write(&[]).is_none());
        assert!(!file.path().exists(), "there is nothing to say");
        let found = |id, times| {
            Arc::new(Finding {
                id,
                at_ms: 1,
                kind: FindingKind::NoAnswer,
                node: None,
                what: "w".into(),
                ledger_index: LedgerIndex(3),
                times,
                suspects: Vec::new(),
            })
        };
        for all in [vec![found(0, 1)], vec![found(0, 1)], vec![found(0, 2), found(1, 1)]] {
            assert!(file.write(&all).is_none());
        }
        let text = std::fs::read_to_string(file.path()).unwrap();
        let lines: Vec<Finding> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let told: Vec<_> = lines.iter().map(|found| (found.id, found.times)).collect();
        assert_eq!(told, [(0, 1), (0, 2), (1, 1)]);
        let mut nowhere = FindingsFile::new(&folder.path().join("no/such/folder"));
        assert!(nowhere.write(&[found(0, 1)]).is_some());
        assert!(nowhere.write(&[found(0, 1)]).is_none(), "it is said once");
    }
}
