use super::{Invariant, Outcome, Touched};
use crate::{
    ledger::{
        ReadView, amendment, entry_type,
        helpers::account_root::{flag, flags_of, is_pseudo, sequence_of},
    },
    transactors::privilege::{CREATE_ACCT, CREATE_PSEUDO_ACCT},
};

/// A transaction creates one account at most, if its type may, and in the form it must have.
#[derive(Default)]
pub(super) struct ValidNewAccountRoot {
    created: usize,
    sequence: u32,
    pseudo: bool,
    flags: u32,
}

impl Invariant for ValidNewAccountRoot {
    fn visit(&mut self, touched: &Touched<'_>) {
        if let Some(root) = touched.after_of(entry_type::ACCOUNT_ROOT)
            && touched.before.is_none()
        {
            self.created += 1;
            self.sequence = sequence_of(root);
            self.pseudo = is_pseudo(root);
            self.flags = flags_of(root);
        }
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        match self.created {
            0 => return Ok(()),
            1 => {}
            _ => return Err("several accounts were created"),
        }
        if !outcome.succeeded() || !outcome.may(CREATE_ACCT | CREATE_PSEUDO_ACCT) {
            return Err("an account was created by a transaction that must not");
        }
        let rules = outcome.view.rules();
        let pseudo = self.pseudo
            && (rules.enabled(amendment::SINGLE_ASSET_VAULT)
                || rules.enabled(amendment::LENDING_PROTOCOL));
        if pseudo && !outcome.may(CREATE_PSEUDO_ACCT) {
            return Err("a pseudo-account was created by a transaction that must not");
        }
        if self.sequence != if pseudo { 0 } else { outcome.view.info().index } {
            return Err("an account was created with a wrong Sequence");
        }
        let must = flag::DISABLE_MASTER | flag::DEFAULT_RIPPLE | flag::DEPOSIT_AUTH;
        if pseudo && self.flags != must {
            return Err("a pseudo-account was created with wrong flags");
        }
        Ok(())
    }
}
