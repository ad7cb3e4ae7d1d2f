//! How far recordings that hold types not built yet must get: ledgers equal before the first
//! difference, in `tests/replay_floor.json`. A number there may only rise.

use std::{collections::BTreeMap, path::PathBuf};

use super::Report;

/// The checked-in numbers.
pub(crate) struct Floor(BTreeMap<String, usize>);

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/replay_floor.json")
}

impl Floor {
    pub(crate) fn load() -> Self {
        let text = std::fs::read_to_string(path()).unwrap();
        Self(serde_json::from_str(&text).unwrap())
    }

    /// Whether a recording has a floor, and need not be equal to its end.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// That it gets at least as far as it did. With `UPDATE_REPLAY_FLOOR` set the file is written
    /// anew instead, with a number that rose, or without a recording that is equal to its end.
    pub(crate) fn check(&self, name: &str, report: &Report) -> Result<(), String> {
        let least = self.0[name];
        let (reached, all) = (report.equal_ledgers, report.recorded);
        let complete = report.first.is_none();
        if reached < least {
            return Err(format!("{name}: {reached} of {all} ledgers are equal, {least} were"));
        }
        if std::env::var_os("UPDATE_REPLAY_FLOOR").is_some() {
            self.update(name, (!complete).then_some(reached));
            return Ok(());
        }
        if complete {
            return Err(format!(
                "{name}: all {all} ledgers are equal; take it out of tests/replay_floor.json \
                 (UPDATE_REPLAY_FLOOR=1 does)"
            ));
        }
        if reached > least {
            println!("{name}: {reached} ledgers, floor {least}: raise it (UPDATE_REPLAY_FLOOR=1)");
        }
        Ok(())
    }

    fn update(&self, name: &str, reached: Option<usize>) {
        let mut floors = Self::load().0;
        match reached {
            Some(reached) => floors.insert(name.into(), reached),
            None => floors.remove(name),
        };
        let text = serde_json::to_string_pretty(&floors).unwrap();
        std::fs::write(path(), text + "\n").unwrap();
    }
}
