//! What holds of a transaction even though it failed with a `tec`: offers found unfunded, what was
//! found expired, trust lines of an AMM too large to be deleted at once. The transaction removed
//! them; its changes are thrown away, and these removals made again.

use xrpl_protocol::{EngineResult, Hash256, fields};

use crate::ledger::{
    ApplyView, Sandbox, entry_type,
    helpers::{credentials, nft, offer, trust_line},
    sandbox::Action,
};

/// Unfunded offers removed at most.
const MAX_OFFERS: usize = 1000;
/// Expired NFT offers removed at most.
const MAX_NFT_OFFERS: usize = 256;
/// With more trust lines than this none is removed.
const MAX_TRUST_LINES: usize = 512;

/// Entry types whose removal outlives a result.
fn outlive(result: EngineResult) -> &'static [u16] {
    match result {
        EngineResult::TEC_OVERSIZE | EngineResult::TEC_KILLED => &[entry_type::OFFER],
        EngineResult::TEC_INCOMPLETE => &[entry_type::RIPPLE_STATE],
        EngineResult::TEC_EXPIRED => &[entry_type::NFTOKEN_OFFER, entry_type::CREDENTIAL],
        _ => &[],
    }
}

/// Whether a result is to be applied even when it could be tried again.
pub(super) fn is_final(result: EngineResult) -> bool {
    !outlive(result).is_empty()
}

/// Removals, by entry type, in order of ids.
#[derive(Debug, Default)]
pub(super) struct Removed(Vec<(u16, Hash256)>);

impl Removed {
    /// Finds those that outlive `result` in what is going to be thrown away.
    pub(super) fn find(view: &Sandbox<'_>, result: EngineResult) -> Self {
        let kinds = outlive(result);
        if kinds.is_empty() {
            return Self::default();
        }
        let removed = view.visit().filter_map(|(key, action, before, after)| {
            let before = before.filter(|_| action == Action::Erase)?;
            let kind = entry_type::of(&before);
            // An offer that was taken in part was funded.
            let taken = kind == entry_type::OFFER
                && before.get(fields::TAKER_PAYS) != after.get(fields::TAKER_PAYS);
            (kinds.contains(&kind) && !taken).then_some((kind, *key))
        });
        Self(removed.collect())
    }

    /// Removes them again, those that outlive `result`.
    pub(super) fn repeat(&self, view: &mut dyn ApplyView, result: EngineResult) {
        let kinds = outlive(result);
        let of = |kind| self.0.iter().filter(move |(of, _)| *of == kind).map(|(_, key)| key);
        for kind in kinds {
            let keys = of(*kind);
            match *kind {
                // Each of these is there: it was when the transaction removed it. Should one fail
                // all the same, xrpld goes on with the next.
                entry_type::OFFER => {
                    for key in keys.take(MAX_OFFERS) {
                        let _ = offer::delete(view, key);
                    }
                }
                entry_type::NFTOKEN_OFFER => {
                    for key in keys.take(MAX_NFT_OFFERS) {
                        nft::delete_offer(view, key);
                    }
                }
                entry_type::RIPPLE_STATE if of(*kind).count() <= MAX_TRUST_LINES => {
                    for key in keys {
                        let _ = trust_line::delete_amm_line(view, key, None);
                    }
                }
                entry_type::CREDENTIAL => {
                    for key in keys {
                        let _ = credentials::delete(view, key);
                    }
                }
                _ => {}
            }
        }
    }
}
