use std::cmp::Ordering;

use xrpl_protocol::{Hash256, Object, fields};

use super::{Invariant, Outcome, Touched};
use crate::ledger::{
    amendment,
    entry_type::NFTOKEN_PAGE,
    helpers::nft::{low_bits, order},
};

/// NFTs on a page.
const PAGE_TOKENS: usize = 32;
/// The low 96 bits of an account's last page.
const LAST: [u8; 12] = [0xff; 12];

/// Pages of NFTs are linked in order, hold what belongs on them, sorted, and some of it.
#[derive(Default)]
pub(super) struct ValidNftPages {
    bad_link: bool,
    bad_entry: bool,
    bad_sort: bool,
    bad_uri: bool,
    bad_size: bool,
    deleted_last: bool,
    lost_link: bool,
}

impl ValidNftPages {
    fn check(&mut self, key: &Hash256, page: &Object, deleted: bool) {
        let previous = page.hash256(fields::PREVIOUS_PAGE_MIN);
        let next = page.hash256(fields::NEXT_PAGE_MIN);
        for (link, wanted) in [(previous, Ordering::Less), (next, Ordering::Greater)] {
            self.bad_link |= link.is_some_and(|link| {
                link.0[..20] != key.0[..20] || low_bits(&link).cmp(low_bits(key)) != wanted
            });
        }
        let tokens = page.array(fields::NF_TOKENS).unwrap_or_default();
        self.bad_size |= tokens.len() > PAGE_TOKENS || (tokens.is_empty() && !deleted);
        let mut low = Hash256([0; 32]);
        if let Some(previous) = previous {
            low.0[20..].copy_from_slice(low_bits(&previous));
        }
        let mut last = low;
        for (_, token) in tokens {
            let id = token.hash256(fields::NF_TOKEN_ID).unwrap_or_default();
            self.bad_sort |= order(&last, &id) != Ordering::Less;
            last = id;
            self.bad_entry |= low_bits(&id) < low_bits(&low) || low_bits(&id) >= low_bits(key);
            self.bad_uri |= token.blob(fields::URI).is_some_and(<[u8]>::is_empty);
        }
    }
}

impl Invariant for ValidNftPages {
    fn visit(&mut self, touched: &Touched<'_>) {
        let (before, after) = (touched.before_of(NFTOKEN_PAGE), touched.after_of(NFTOKEN_PAGE));
        let last = low_bits(touched.key) == LAST;
        if let Some(before) = before {
            self.check(touched.key, before, touched.deleted);
            let has_previous = before.contains(fields::PREVIOUS_PAGE_MIN);
            self.deleted_last |= touched.deleted && last && has_previous;
        }
        if let Some(after) = after {
            self.check(touched.key, after, touched.deleted);
        }
        if let (Some(before), Some(after), false) = (before, after, touched.deleted) {
            let next = fields::NEXT_PAGE_MIN;
            self.lost_link |= !last && before.contains(next) && !after.contains(next);
        }
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        use crate::ledger::ReadView;
        let mended = outcome.view.rules().enabled(amendment::FIX_NFTOKEN_PAGE_LINKS);
        for (broken, what) in [
            (self.bad_link, "a page of NFTs is linked wrongly"),
            (self.bad_entry, "an NFT is on a page where it does not belong"),
            (self.bad_sort, "NFTs on a page are not sorted"),
            (self.bad_uri, "an NFT has an empty URI"),
            (self.bad_size, "a page of NFTs has none or too many"),
            (mended && self.deleted_last, "the last page of NFTs went before the others"),
            (mended && self.lost_link, "a page of NFTs lost its link to the next"),
        ] {
            if broken {
                return Err(what);
            }
        }
        Ok(())
    }
}
