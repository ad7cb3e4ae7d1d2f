//! What a step of a journey sees when it plans.

use std::ops::{Deref, DerefMut};

use smallvec::SmallVec;
use xrpl_protocol::{AccountId, Currency, Hash256};

use super::Journey;
use crate::{
    accounts::Index,
    metadata::{Change, Metadata},
    objects::{Entry, Kind},
    plan::Wait,
    planner::Planner,
};

/// What a finished step made in the ledger.
#[derive(Clone, Debug, Default)]
pub(crate) struct Made {
    entries: SmallVec<[(Kind, Hash256); 2]>,
    nfts: SmallVec<[Hash256; 1]>,
    /// The numbers of new Tickets, all of the account that sent the step.
    pub(crate) tickets: SmallVec<[u32; 2]>,
}

impl Made {
    /// The entries and non-fungible tokens that are new in the metadata of a transaction.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let new = metadata.all().filter(|node| node.change == Change::Created);
        let entries = new.filter_map(|node| {
            Some((Kind::named(node.entry_type)?, node.id.parse::<Hash256>().ok()?))
        });
        let mut before: Vec<Hash256> = Vec::new();
        let mut after: Vec<Hash256> = Vec::new();
        for page in metadata.nodes("NFTokenPage") {
            let changed = page.previous.is_some_and(|fields| fields.contains_key("NFTokens"));
            match (page.change, changed) {
                (Change::Created, _) => after.extend(nfts(page.fields)),
                (Change::Deleted, _) => before.extend(nfts(page.fields)),
                // Only its links changed.
                (Change::Modified, false) => {}
                (Change::Modified, true) => {
                    after.extend(nfts(page.fields));
                    page.previous.into_iter().for_each(|fields| before.extend(nfts(fields)));
                }
            }
        }
        after.retain(|id| !before.contains(id));
        let tickets = metadata.nodes("Ticket").filter(|node| node.change == Change::Created);
        let number = |number: &serde_json::Value| u32::try_from(number.as_u64()?).ok();
        let tickets =
            tickets.filter_map(|ticket| ticket.fields.get("TicketSequence").and_then(number));
        Self {
            entries: entries.collect(),
            nfts: after.into_iter().collect(),
            tickets: tickets.collect(),
        }
    }

    /// The ids of the entries and tokens: the load must leave these alone.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Hash256> + '_ {
        self.entries.iter().map(|(_, id)| *id).chain(self.nfts.iter().copied())
    }
}

/// The tokens that fields of a page name.
fn nfts(fields: &serde_json::Map<String, serde_json::Value>) -> impl Iterator<Item = Hash256> + '_ {
    let tokens = fields.get("NFTokens").and_then(|tokens| tokens.as_array());
    tokens
        .into_iter()
        .flatten()
        .filter_map(|token| token.pointer("/NFToken/NFTokenID")?.as_str()?.parse().ok())
}

/// See the [module](self). Everything that a [`Planner`] shows, for the account that sends the step, and
/// what the steps before it made.
pub(crate) struct Scene<'a> {
    pub(crate) planner: Planner<'a>,
    /// Marks what belongs to this run of the journey alone.
    pub(crate) number: u64,
    pub(crate) journey: &'static Journey,
    /// The accounts, in the order of the journey's parties.
    pub(crate) parties: &'a [Index],
    /// What each finished step made; the next one is the one that plans.
    pub(crate) made: &'a [Made],
}

impl<'a> Deref for Scene<'a> {
    type Target = Planner<'a>;
    fn deref(&self) -> &Planner<'a> {
        &self.planner
    }
}

impl DerefMut for Scene<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.planner
    }
}

impl<'a> Scene<'a> {
    /// The account in a part of the journey.
    pub(crate) fn party(&self, name: &str) -> Result<Index, Wait> {
        let at = self.journey.parties.iter().position(|party| party.name == name);
        let index = at.and_then(|at| self.parties.get(at));
        index.copied().ok_or(Wait::Never("the journey has no such party"))
    }

    /// The address of that.
    pub(crate) fn address(&self, name: &str) -> Result<AccountId, Wait> {
        Ok(self.id(self.party(name)?))
    }

    /// What an earlier step made: one that this step says it acts on.
    fn made_by(&self, step: &str) -> Result<&'a Made, Wait> {
        let acts_on = self.journey.steps.get(self.made.len()).map_or(&[][..], |now| now.acts_on);
        let at = self.journey.steps.iter().position(|other| other.name == step);
        let made = at.filter(|_| acts_on.contains(&step)).and_then(|at| self.made.get(at));
        made.ok_or(Wait::Never("the step does not act on what it asks for"))
    }

    /// The id of the entry of a type that an earlier step made.
    pub(crate) fn made_id(&self, step: &str, kind: Kind) -> Result<Hash256, Wait> {
        let found = self.made_by(step)?.entries.iter().find(|(made, _)| *made == kind);
        found.map(|(_, id)| *id).ok_or(Wait::Never("the step before did not make what it should"))
    }

    /// The entry of a type that an earlier step made, as it is now.
    pub(crate) fn entry(&self, step: &str, kind: Kind) -> Result<&'a Entry, Wait> {
        let id = self.made_id(step, kind)?;
        self.world.objects.get(id).ok_or(Wait::Object(kind))
    }

    /// The non-fungible token that an earlier step minted.
    pub(crate) fn minted(&self, step: &str) -> Result<Hash256, Wait> {
        let made = self.made_by(step)?.nfts.first().copied();
        made.ok_or(Wait::Never("the step before minted no token"))
    }

    /// The n-th Ticket that an earlier step set aside.
    pub(crate) fn ticket(&self, step: &str, n: usize) -> Result<u32, Wait> {
        let ticket = self.made_by(step)?.tickets.get(n).copied();
        ticket.ok_or(Wait::Never("the step before set too few Tickets aside"))
    }

    /// Bytes that no other run of a journey uses.
    pub(crate) fn label(&self, what: &str) -> Vec<u8> {
        format!("{what} {:x}", self.number).into_bytes()
    }

    /// A currency that no other run of a journey uses.
    pub(crate) fn currency(&self) -> Currency {
        let mut code = [0; 20];
        code[..8].copy_from_slice(b"\xffjourney");
        code[12..].copy_from_slice(&self.number.to_be_bytes());
        Currency(code)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(n: u8) -> serde_json::Value {
        json!({"NFToken": {"NFTokenID": format!("{n:064X}")}})
    }

    fn id(n: u8) -> Hash256 {
        format!("{n:064X}").parse().unwrap()
    }

    #[test]
    fn what_was_made_is_what_no_page_had_before() {
        let page = "11".repeat(32);
        let offer = "22".repeat(32);
        let changed = json!({"ModifiedNode": {
            "LedgerEntryType": "NFTokenPage", "LedgerIndex": page,
            "FinalFields": {"NFTokens": [token(1)]},
            "PreviousFields": {"NFTokens": [token(1), token(2)]},
        }});
        let split = json!({"CreatedNode": {
            "LedgerEntryType": "NFTokenPage", "LedgerIndex": "33".repeat(32),
            "NewFields": {"NFTokens": [token(2), token(3)]},
        }});
        let linked = json!({"ModifiedNode": {
            "LedgerEntryType": "NFTokenPage", "LedgerIndex": "44".repeat(32),
            "FinalFields": {"NFTokens": [token(9)]}, "PreviousFields": {"PreviousPageMin": "00"},
        }});
        let made = json!({"CreatedNode": {
            "LedgerEntryType": "NFTokenOffer", "LedgerIndex": offer, "NewFields": {},
        }});
        let ticket = json!({"CreatedNode": {
            "LedgerEntryType": "Ticket", "LedgerIndex": "55".repeat(32),
            "NewFields": {"TicketSequence": 12},
        }});
        let all = json!({"AffectedNodes": [changed, split, linked, made, ticket]}).to_string();
        let made = Made::of(&Metadata::parse(&all).unwrap());
        assert_eq!(made.nfts.as_slice(), [id(3)]);
        assert!(made.entries.contains(&(Kind::NftOffer, offer.parse().unwrap())));
        assert_eq!(made.tickets.as_slice(), [12]);
        assert_eq!(made.ids().count(), 3, "page, offer and token: {made:?}");
    }
}
