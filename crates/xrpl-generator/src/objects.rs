//! A mirror of the ledger's objects that concern the run's accounts, by id, type, owner and
//! counterparty.
//!
//! It is fed by every entry in the metadata of validated transactions, whoever sent them, and filled
//! by reading when a run begins or goes on. What a transaction in flight uses up is held: nobody else
//! is given it before that one has its end.

use rustc_hash::FxHashMap;
use serde_json::{Map, Value as Json};
use xrpl_protocol::{AccountId, Amount, Hash256, Issue, MptId, decimal::Decimal, number::Number};

use crate::{
    accounts::{Accounts, Index},
    metadata::{Change, Moment, Node},
};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $name:literal $owner:literal $toward:literal;)*) => {
        /// The types of ledger entries that are mirrored
        /// (<https://xrpl.org/docs/references/protocol/ledger-data/ledger-entry-types>).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// As the ledger calls it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// The type of that name, if it is mirrored.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$kind),)* _ => None }
            }

            /// The fields that name its owner and whom it is for; empty where there is none.
            fn sides(self) -> (&'static str, &'static str) {
                match self { $(Self::$kind => ($owner, $toward),)* }
            }
        }
    };
}

// Type, its name, the field of its owner, the field of its counterparty.
kinds! {
    /// A pool of two assets. It belongs to nobody.
    Amm "AMM" "" "";
    /// A bridge to another chain, of the account that keeps its door.
    Bridge "Bridge" "Account" "";
    /// A deferred payment that its destination may cash.
    Check "Check" "Account" "Destination";
    /// What an issuer says of its subject. It is the issuer's.
    Credential "Credential" "Issuer" "Subject";
    /// Permission to send for an account.
    Delegate "Delegate" "Account" "Authorize";
    /// Permission to pay an account.
    DepositPreauth "DepositPreauth" "Account" "Authorize";
    /// A decentralised identifier.
    Did "DID" "Account" "";
    /// Something held until a time or a condition.
    Escrow "Escrow" "Account" "Destination";
    /// A loan. It is the borrower's.
    Loan "Loan" "Borrower" "";
    /// Who lends what is in a vault.
    LoanBroker "LoanBroker" "Owner" "";
    /// A trust line of an AMM's LP tokens; other trust lines are kept with their holders.
    LpLine "RippleState" "" "";
    /// What a holder has of a multi-purpose token.
    MpToken "MPToken" "Account" "";
    /// A multi-purpose token.
    MpTokenIssuance "MPTokenIssuance" "Issuer" "";
    /// An offer to buy or sell a non-fungible token.
    NftOffer "NFTokenOffer" "Owner" "Destination";
    /// Non-fungible tokens of an account.
    NftPage "NFTokenPage" "" "";
    /// An offer of the exchange.
    Offer "Offer" "Account" "";
    /// Prices that an account publishes.
    Oracle "Oracle" "Owner" "";
    /// A channel for many small payments.
    PayChannel "PayChannel" "Account" "Destination";
    /// A domain that some credentials open.
    PermissionedDomain "PermissionedDomain" "Owner" "";
    /// Who may sign for an account.
    SignerList "SignerList" "Owner" "";
    /// A pool of one asset that others deposit into.
    Vault "Vault" "Owner" "";
    /// The right to claim what is committed on another chain.
    XChainClaim "XChainOwnedClaimID" "Account" "";
    /// What witnesses have attested of an account that is to be created. It is the door's.
    XChainCreation "XChainOwnedCreateAccountClaimID" "Account" "";
}

/// A mirrored entry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id.
    pub id: Hash256,
    /// Its type.
    pub kind: Kind,
    /// Which of the run's accounts owns it.
    pub owner: Option<Index>,
    /// For which of the run's accounts it is.
    pub toward: Option<Index>,
    /// Its fields, as JSON has them; those with default values may lack.
    pub fields: Map<String, Json>,
    /// Since when.
    as_of: Moment,
}

impl Entry {
    /// An address among its fields.
    #[must_use]
    pub fn account(&self, field: &str) -> Option<AccountId> {
        self.fields.get(field)?.as_str()?.parse().ok()
    }

    /// An amount among its fields.
    #[must_use]
    pub fn amount(&self, field: &str) -> Option<Amount> {
        Amount::from_json(self.fields.get(field)?).ok()
    }

    /// A number among its fields, 64-bit ones (which are texts in JSON) too.
    #[must_use]
    pub fn number(&self, field: &str) -> Option<u64> {
        match self.fields.get(field)? {
            Json::Number(n) => n.as_u64(),
            Json::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A decimal among its fields (of vaults, brokers and loans); zero where it is left out.
    #[must_use]
    pub fn decimal(&self, field: &str) -> Decimal {
        let text = self.fields.get(field).and_then(Json::as_str);
        text.and_then(|text| text.parse().ok()).map_or(Decimal::ZERO, Number::decimal)
    }

    /// Its flags.
    #[must_use]
    pub fn flags(&self) -> u32 {
        self.number("Flags").and_then(|flags| u32::try_from(flags).ok()).unwrap_or(0)
    }

    /// A 256-bit number among its fields.
    #[must_use]
    pub fn hash(&self, field: &str) -> Option<Hash256> {
        self.fields.get(field)?.as_str()?.parse().ok()
    }

    /// Bytes among its fields.
    #[must_use]
    pub fn blob(&self, field: &str) -> Option<Vec<u8>> {
        const_hex::decode(self.fields.get(field)?.as_str()?).ok()
    }

    /// Whether a field is there.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// The token of an MPToken, or of an issuance (which its id does not tell).
    #[must_use]
    pub fn mpt(&self) -> Option<MptId> {
        match self.kind {
            Kind::MpToken => self.fields.get("MPTokenIssuanceID")?.as_str()?.parse().ok(),
            Kind::MpTokenIssuance => {
                let sequence = u32::try_from(self.number("Sequence")?).ok()?;
                Some(MptId::new(sequence, self.account("Issuer")?))
            }
            _ => None,
        }
    }

    /// The tokens on a page of them: id and URI.
    pub fn nfts(&self) -> impl Iterator<Item = Nft> + '_ {
        let tokens = self.fields.get("NFTokens").and_then(Json::as_array);
        tokens.into_iter().flatten().filter_map(|token| {
            let id = token.get("NFToken")?.get("NFTokenID")?.as_str()?.parse().ok()?;
            Some(Nft(id))
        })
    }
}

/// A non-fungible token, by its id, which says much of it
/// (<https://xrpl.org/docs/references/protocol/data-types/nftoken>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nft(pub Hash256);

impl Nft {
    /// `tf` flags that it was minted with.
    #[must_use]
    pub fn flags(self) -> u16 {
        u16::from_be_bytes([self.0.0[0], self.0.0[1]])
    }

    /// Who issued it.
    #[must_use]
    pub fn issuer(self) -> AccountId {
        let mut id = AccountId::ZERO;
        id.0.copy_from_slice(&self.0.0[4..24]);
        id
    }
}

/// See the [module](self).
#[derive(Clone, Debug, Default)]
pub struct Objects {
    entries: FxHashMap<Hash256, Entry>,
    owned: FxHashMap<(Kind, Index), Vec<Hash256>>,
    toward: FxHashMap<(Kind, Index), Vec<Hash256>>,
    of_kind: FxHashMap<Kind, Vec<Hash256>>,
    /// What was removed, and when: what happened to it before may be told later.
    gone: FxHashMap<Hash256, Moment>,
    /// How many transactions in flight hold what: those that replace each other hold the same.
    held: FxHashMap<Hash256, u32>,
}

impl Objects {
    /// The entry of an id.
    #[must_use]
    pub fn get(&self, id: Hash256) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// What an account owns of a type.
    pub fn owned(&self, kind: Kind, owner: Index) -> impl DoubleEndedIterator<Item = &Entry> {
        let ids = self.owned.get(&(kind, owner)).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| self.entries.get(id))
    }

    /// What of a type is for an account.
    pub fn toward(&self, kind: Kind, who: Index) -> impl DoubleEndedIterator<Item = &Entry> {
        let ids = self.toward.get(&(kind, who)).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| self.entries.get(id))
    }

    /// All of a type, whoever's they are.
    pub fn all(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Entry> {
        let ids = self.of_kind.get(&kind).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| self.entries.get(id))
    }

    /// How many of a type there are.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        self.of_kind.get(&kind).map_or(0, Vec::len)
    }

    /// Whether an account has a non-fungible token.
    #[must_use]
    pub fn owns_nft(&self, owner: Index, nft: Nft) -> bool {
        self.owned(Kind::NftPage, owner).flat_map(Entry::nfts).any(|other| other == nft)
    }

    /// Holds something, also what is not there yet.
    pub fn hold(&mut self, id: Hash256) {
        *self.held.entry(id).or_default() += 1;
    }

    /// Gives it free.
    pub fn release(&mut self, id: Hash256) {
        if let Some(times) = self.held.get_mut(&id) {
            *times -= 1;
            if *times == 0 {
                self.held.remove(&id);
            }
        }
    }

    /// Whether a transaction in flight uses it.
    #[must_use]
    pub fn is_held(&self, id: Hash256) -> bool {
        self.held.contains_key(&id)
    }

    /// Forgets an entry that turned out not to be what it was taken for.
    pub fn forget(&mut self, id: Hash256) {
        let Some(old) = self.entries.remove(&id) else { return };
        let drop = |ids: Option<&mut Vec<Hash256>>| {
            if let Some(ids) = ids {
                ids.retain(|other| *other != id);
            }
        };
        drop(self.of_kind.get_mut(&old.kind));
        if let Some(owner) = old.owner {
            drop(self.owned.get_mut(&(old.kind, owner)));
        }
        if let Some(toward) = old.toward {
            drop(self.toward.get_mut(&(old.kind, toward)));
        }
    }

    /// An entry as a validated ledger has it, if it concerns one of the accounts.
    pub fn put(
        &mut self,
        kind: Kind,
        id: Hash256,
        fields: &Map<String, Json>,
        as_of: Moment,
        accounts: &Accounts,
    ) -> Option<(Option<Index>, Option<Index>)> {
        let known = self.entries.get(&id).map(|entry| entry.as_of);
        if known.or(self.gone.get(&id).copied()).is_some_and(|known| known > as_of) {
            return None;
        }
        let find = |field: &str| {
            let id = fields.get(field)?.as_str()?.parse().ok()?;
            accounts.find(id)
        };
        let (owner, toward) = kind.sides();
        let owner = match kind {
            // Its id begins with its owner's.
            Kind::NftPage => accounts.find(page_owner(id)),
            Kind::LpLine => lp_holder(fields, accounts),
            // Older ones do not name their owner.
            Kind::SignerList => find(owner).or_else(|| accounts.of_signer_list(id)),
            _ => find(owner),
        };
        let toward = find(toward);
        if kind != Kind::Amm && owner.is_none() && toward.is_none() {
            return None;
        }
        if let Some(old) = self.entries.get_mut(&id)
            && (old.owner, old.toward) == (owner, toward)
        {
            // Metadata of a change lacks nothing but the entry's type.
            old.fields.clone_from(fields);
            old.as_of = as_of;
            return Some((owner, toward));
        }
        self.forget(id);
        self.of_kind.entry(kind).or_default().push(id);
        if let Some(owner) = owner {
            self.owned.entry((kind, owner)).or_default().push(id);
        }
        if let Some(toward) = toward {
            self.toward.entry((kind, toward)).or_default().push(id);
        }
        self.gone.remove(&id);
        self.entries.insert(id, Entry { id, kind, owner, toward, fields: fields.clone(), as_of });
        Some((owner, toward))
    }

    /// Takes in an entry of metadata; which of the accounts it concerns.
    pub(crate) fn learn(
        &mut self,
        node: &Node<'_>,
        as_of: Moment,
        accounts: &Accounts,
    ) -> Option<(Option<Index>, Option<Index>)> {
        let kind = Kind::named(node.entry_type)?;
        let id = node.id.parse().ok()?;
        if node.change == Change::Deleted {
            return self.remove(id, as_of);
        }
        self.put(kind, id, node.fields, as_of, accounts)
    }

    fn remove(&mut self, id: Hash256, as_of: Moment) -> Option<(Option<Index>, Option<Index>)> {
        /// How many are remembered, and for how many ledgers: outcomes come in any order, but soon.
        const REMEMBERED: usize = 10_000;
        const LEDGERS: u32 = 64;
        let sides = self.get(id).map(|old| (old.owner, old.toward));
        self.forget(id);
        self.gone.insert(id, as_of);
        if self.gone.len() > REMEMBERED {
            let oldest = as_of.ledger().0.saturating_sub(LEDGERS);
            self.gone.retain(|_, when| when.ledger().0 >= oldest);
        }
        sides
    }
}

/// Who holds the LP tokens of a trust line; none if they are none.
fn lp_holder(fields: &Map<String, Json>, accounts: &Accounts) -> Option<Index> {
    /// What codes of LP tokens begin with.
    const LP_TOKEN: u8 = 0x03;
    let limits = ["LowLimit", "HighLimit"].map(|side| {
        match Amount::from_json(fields.get(side)?).ok()?.issue() {
            Issue::Issued { currency, issuer } if currency.0[0] == LP_TOKEN => Some(issuer),
            _ => None,
        }
    });
    limits.into_iter().flatten().find_map(|side| accounts.find(side))
}

fn page_owner(id: Hash256) -> AccountId {
    let mut owner = AccountId::ZERO;
    owner.0.copy_from_slice(&id.0[..20]);
    owner
}

#[cfg(test)]
mod tests;
