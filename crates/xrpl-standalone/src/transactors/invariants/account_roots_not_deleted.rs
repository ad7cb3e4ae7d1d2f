use super::{Invariant, Outcome, Touched};
use crate::{
    ledger::entry_type,
    transactors::privilege::{MAY_DELETE_ACCT, MUST_DELETE_ACCT},
};

/// Accounts go only by the types that delete one, and then exactly one.
#[derive(Default)]
pub(super) struct AccountRootsNotDeleted {
    deleted: usize,
}

impl Invariant for AccountRootsNotDeleted {
    fn visit(&mut self, touched: &Touched<'_>) {
        let gone = touched.deleted && touched.before_of(entry_type::ACCOUNT_ROOT).is_some();
        self.deleted += usize::from(gone);
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        if outcome.succeeded() && outcome.may(MUST_DELETE_ACCT) {
            return match self.deleted {
                0 => Err("an account deletion succeeded without deleting an account"),
                1 => Ok(()),
                _ => Err("an account deletion deleted several accounts"),
            };
        }
        let may = outcome.succeeded() && outcome.may(MAY_DELETE_ACCT) && self.deleted == 1;
        if may || self.deleted == 0 { Ok(()) } else { Err("an account was deleted") }
    }
}
