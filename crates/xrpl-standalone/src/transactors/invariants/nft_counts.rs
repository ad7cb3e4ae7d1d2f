use xrpl_protocol::{Object, fields};

use super::{Invariant, Outcome, Touched};
use crate::{ledger::entry_type::ACCOUNT_ROOT, transactors::privilege::CHANGE_NFT_COUNTS};

const MINT: u16 = 25;
const BURN: u16 = 26;

/// Numbers of minted and burned NFTs.
#[derive(Clone, Copy, Default, PartialEq)]
struct Counts {
    minted: u64,
    burned: u64,
}

impl Counts {
    fn add(&mut self, root: &Object) {
        let count = |field| u64::from(root.u32(field).unwrap_or_default());
        self.minted += count(fields::MINTED_NF_TOKENS);
        self.burned += count(fields::BURNED_NF_TOKENS);
    }
}

/// Only minting counts as minted, only burning as burned.
#[derive(Default)]
pub(super) struct NftCounts {
    before: Counts,
    after: Counts,
}

impl Invariant for NftCounts {
    fn visit(&mut self, touched: &Touched<'_>) {
        if let Some(root) = touched.before_of(ACCOUNT_ROOT) {
            self.before.add(root);
        }
        if let Some(root) = touched.after_of(ACCOUNT_ROOT) {
            self.after.add(root);
        }
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        let (before, after) = (self.before, self.after);
        if !outcome.may(CHANGE_NFT_COUNTS) {
            let same = before == after;
            return if same { Ok(()) } else { Err("numbers of NFTs changed") };
        }
        let moved = |before: u64, after: u64| match outcome.succeeded() {
            true => before < after,
            false => before == after,
        };
        match outcome.tx.kind {
            MINT if !moved(before.minted, after.minted) => Err("minting was not counted"),
            MINT if before.burned != after.burned => Err("minting counted as burning"),
            BURN if !moved(before.burned, after.burned) => Err("burning was not counted"),
            BURN if before.minted != after.minted => Err("burning counted as minting"),
            _ => Ok(()),
        }
    }
}
