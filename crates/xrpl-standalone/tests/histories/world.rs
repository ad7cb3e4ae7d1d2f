//! Who takes part in a history, and what is on the ledger that their transactions can be about.

use std::collections::BTreeMap;

use rand::{RngExt as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use xrpl_protocol::{AccountId, Field, Hash256, fields};
use xrpl_standalone::ledger::{ClosedLedger, Entry, entry_type};

/// Accounts that act, the first two of which issue currencies.
pub(crate) const PLAYERS: u8 = 12;
pub(crate) const GATEWAYS: u8 = 2;

/// The key of a player. Nobody signs: the core looks at keys alone.
pub(crate) fn public_key(player: u8) -> [u8; 33] {
    let mut key = [7; 33];
    (key[0], key[1]) = (0xed, player);
    key
}

pub(crate) fn account(player: u8) -> AccountId {
    AccountId::of_public_key(&public_key(player))
}

/// A closed ledger's entries by type, for drawing from.
pub(crate) struct World {
    pub(crate) close_time: u32,
    entries: BTreeMap<u16, Vec<(Hash256, Entry)>>,
}

impl World {
    pub(crate) fn of(ledger: &ClosedLedger) -> Self {
        let mut entries: BTreeMap<u16, Vec<_>> = BTreeMap::new();
        for (id, entry) in ledger.state.iter() {
            let kind = entry_type::of(entry);
            if kind != entry_type::DIRECTORY_NODE {
                entries.entry(kind).or_default().push((*id, Entry::clone(entry)));
            }
        }
        Self { close_time: ledger.header.close_time, entries }
    }

    pub(crate) fn all(&self, kind: u16) -> &[(Hash256, Entry)] {
        self.entries.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// One of a type.
    pub(crate) fn any(&self, rng: &mut ChaCha8Rng, kind: u16) -> Option<&(Hash256, Entry)> {
        self.all(kind).choose(rng)
    }

    /// One of a type in which a field names an account; sometimes another one, or if there is none.
    pub(crate) fn of_account(
        &self,
        rng: &mut ChaCha8Rng,
        kind: u16,
        field: Field,
        account: AccountId,
    ) -> Option<&(Hash256, Entry)> {
        let own: Vec<_> =
            self.all(kind).iter().filter(|(_, e)| e.account(field) == Some(account)).collect();
        match own.choose(rng) {
            Some(found) if rng.random_range(0..10) > 0 => Some(found),
            _ => self.any(rng, kind),
        }
    }

    /// An NFT of an account, by its pages.
    pub(crate) fn nft_of(&self, rng: &mut ChaCha8Rng, owner: AccountId) -> Option<Hash256> {
        let pages = self.all(entry_type::NFTOKEN_PAGE).iter();
        let own = pages.filter(|(id, _)| id.0[..20] == owner.0);
        let tokens = own.flat_map(|(_, page)| page.array(fields::NF_TOKENS).unwrap_or_default());
        let ids: Vec<_> =
            tokens.filter_map(|(_, token)| token.hash256(fields::NF_TOKEN_ID)).collect();
        ids.choose(rng).copied()
    }

    /// Any NFT and whose it is.
    pub(crate) fn any_nft(&self, rng: &mut ChaCha8Rng) -> Option<(AccountId, Hash256)> {
        let (id, page) = self.any(rng, entry_type::NFTOKEN_PAGE)?;
        let mut owner = AccountId::ZERO;
        owner.0.copy_from_slice(&id.0[..20]);
        let (_, token) = page.array(fields::NF_TOKENS)?.choose(rng)?;
        Some((owner, token.hash256(fields::NF_TOKEN_ID)?))
    }
}
