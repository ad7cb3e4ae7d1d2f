use xrpl_protocol::fields;

use super::{Invariant, Outcome, Touched};
use crate::ledger::{
    ReadView, amendment,
    entry_type::ACCOUNT_ROOT,
    helpers::account_root::{PSEUDO_FIELDS, flag, flags_of, is_pseudo, sequence_of},
};

/// Pseudo-accounts stay what they are: of one thing, without keys and Sequence.
#[derive(Default)]
pub(super) struct ValidPseudoAccounts {
    broken: Option<&'static str>,
}

impl Invariant for ValidPseudoAccounts {
    fn visit(&mut self, touched: &Touched<'_>) {
        let Some(root) = touched.now_of(ACCOUNT_ROOT) else { return };
        let sequence = sequence_of(root);
        // Whoever starts with nothing had better be one.
        if !is_pseudo(root) && sequence != 0 {
            return;
        }
        let must = flag::DISABLE_MASTER | flag::DEFAULT_RIPPLE | flag::DEPOSIT_AUTH;
        if PSEUDO_FIELDS.iter().filter(|field| root.contains(**field)).count() != 1 {
            self.broken = Some("a pseudo-account does not belong to exactly one thing");
        } else if touched.before.is_some_and(|before| sequence_of(before) != sequence) {
            self.broken = Some("a pseudo-account's Sequence changed");
        } else if flags_of(root) & must != must {
            self.broken = Some("a pseudo-account lacks its flags");
        } else if root.contains(fields::REGULAR_KEY) {
            self.broken = Some("a pseudo-account has a regular key");
        }
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        match self.broken {
            Some(broken) if outcome.view.rules().enabled(amendment::SINGLE_ASSET_VAULT) => {
                Err(broken)
            }
            _ => Ok(()),
        }
    }
}
