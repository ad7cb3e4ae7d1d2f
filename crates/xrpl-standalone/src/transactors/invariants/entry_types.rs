use super::{Invariant, Outcome, Touched};
use crate::ledger::entry_type;

/// Entries keep their type, and are of a type that there is.
#[derive(Default)]
pub(super) struct LedgerEntryTypesMatch {
    changed: bool,
    unknown: bool,
}

impl Invariant for LedgerEntryTypesMatch {
    fn visit(&mut self, touched: &Touched<'_>) {
        let before = touched.before.map(entry_type::of);
        self.changed |= before.is_some_and(|before| before != touched.kind);
        self.unknown |= !entry_type::ALL.contains(&touched.kind);
    }

    fn judge(&self, _: &Outcome<'_>) -> Result<(), &'static str> {
        match (self.changed, self.unknown) {
            (true, _) => Err("an entry changed its type"),
            (_, true) => Err("an entry is of no known type"),
            _ => Ok(()),
        }
    }
}
