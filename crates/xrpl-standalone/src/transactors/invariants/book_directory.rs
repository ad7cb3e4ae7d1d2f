use xrpl_protocol::{Hash256, Object, fields};

use super::{Invariant, Outcome, Touched};
use crate::ledger::{ReadView, amendment, entry_type::DIRECTORY_NODE};

/// New pages of directories belong to a root that is there, and a book's root says the rate that is
/// in its key.
#[derive(Default)]
pub(super) struct ValidBookDirectory {
    bad: bool,
    roots: Vec<Hash256>,
}

fn is_book(root: &Object) -> bool {
    [
        fields::EXCHANGE_RATE,
        fields::TAKER_PAYS_CURRENCY,
        fields::TAKER_PAYS_ISSUER,
        fields::TAKER_PAYS_MPT,
        fields::TAKER_GETS_CURRENCY,
        fields::TAKER_GETS_ISSUER,
        fields::TAKER_GETS_MPT,
        fields::DOMAIN_ID,
    ]
    .into_iter()
    .any(|field| root.contains(field))
}

impl Invariant for ValidBookDirectory {
    fn visit(&mut self, touched: &Touched<'_>) {
        let Some(page) = touched.now_of(DIRECTORY_NODE).filter(|_| !self.bad) else { return };
        let root = page.hash256(fields::ROOT_INDEX).unwrap_or_default();
        if touched.before.is_some_and(|before| before.hash256(fields::ROOT_INDEX) == Some(root)) {
            return;
        }
        if *touched.key != root {
            self.roots.push(root);
            return;
        }
        let mut rate = [0; 8];
        rate.copy_from_slice(&touched.key.0[24..]);
        self.bad =
            is_book(page) && page.u64(fields::EXCHANGE_RATE) != Some(u64::from_be_bytes(rate));
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        if !outcome.view.rules().enabled(amendment::FIX_CLEANUP_3_2_0) {
            return Ok(());
        }
        if self.bad {
            return Err("a book directory's rate is not that of its key");
        }
        let there = self.roots.iter().all(|root| outcome.view.exists(root));
        if there { Ok(()) } else { Err("a directory page without a root") }
    }
}
