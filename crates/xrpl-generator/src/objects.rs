//! A mirror of the ledger's objects that concern the run's accounts, by id, type, owner and
//! counterparty.
//!
//! It is fed by every entry in the metadata of validated transactions, whoever sent them, and filled
//! by reading when a run begins or goes on. What a transaction in flight uses up is held: nobody else
//! is given it before that one has its end.

use rustc_hash::FxHashMap;
use serde_json::{Map, Value as Json};
use xrpl_protocol::{
    AccountId, Amount, Definitions, Field, Hash256, Issue, LedgerIndex, MptId, Object, Value,
    decimal::Decimal, fields, number::Number, object_id,
};

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
    /// Its fields; those with default values may be missing.
    pub fields: Object,
    /// What it is a part of, see [`Objects::parts`].
    pub part_of: Option<Hash256>,
    /// Since when.
    as_of: Moment,
}

impl Entry {
    /// An address among its fields.
    #[must_use]
    pub fn account(&self, field: Field) -> Option<AccountId> {
        self.fields.account(field)
    }

    /// An amount among its fields.
    #[must_use]
    pub fn amount(&self, field: Field) -> Option<Amount> {
        self.fields.amount(field)
    }

    /// An unsigned integer among its fields, of any width.
    #[must_use]
    pub fn number(&self, field: Field) -> Option<u64> {
        match *self.fields.get(field)? {
            Value::UInt8(n) => Some(n.into()),
            Value::UInt16(n) => Some(n.into()),
            Value::UInt32(n) => Some(n.into()),
            Value::UInt64(n) => Some(n),
            _ => None,
        }
    }

    /// A decimal among its fields (of vaults, brokers and loans); zero where it is left out.
    #[must_use]
    pub fn decimal(&self, field: Field) -> Decimal {
        match self.fields.get(field) {
            Some(Value::Number(number)) => Number::decimal(*number),
            _ => Decimal::ZERO,
        }
    }

    /// Its flags.
    #[must_use]
    pub fn flags(&self) -> u32 {
        self.fields.u32(fields::FLAGS).unwrap_or(0)
    }

    /// A 256-bit number among its fields.
    #[must_use]
    pub fn hash(&self, field: Field) -> Option<Hash256> {
        self.fields.hash256(field)
    }

    /// Bytes among its fields.
    #[must_use]
    pub fn blob(&self, field: Field) -> Option<Vec<u8>> {
        self.fields.blob(field).map(<[u8]>::to_vec)
    }

    /// Whether a field is there.
    #[must_use]
    pub fn has(&self, field: Field) -> bool {
        self.fields.contains(field)
    }

    /// The token of an MPToken, of an issuance (which its id does not tell), or of a vault's shares.
    #[must_use]
    pub fn mpt(&self) -> Option<MptId> {
        let field = match self.kind {
            Kind::MpToken => fields::MP_TOKEN_ISSUANCE_ID,
            Kind::Vault => fields::SHARE_MPTID,
            Kind::MpTokenIssuance => {
                let sequence = self.fields.u32(fields::SEQUENCE)?;
                return Some(MptId::new(sequence, self.account(fields::ISSUER)?));
            }
            _ => return None,
        };
        match self.fields.get(field)? {
            Value::Hash192(id) => Some(MptId(*id)),
            _ => None,
        }
    }

    /// The accounts of a trust line, low and high.
    #[must_use]
    pub fn sides(&self) -> Option<[AccountId; 2]> {
        let side = |field| match self.amount(field)?.issue() {
            Issue::Issued { issuer, .. } => Some(issuer),
            _ => None,
        };
        Some([side(fields::LOW_LIMIT)?, side(fields::HIGH_LIMIT)?])
    }

    /// What it is a part of, see [`Objects::parts`].
    fn whole(&self, accounts: &Accounts) -> Option<Hash256> {
        match self.kind {
            Kind::Loan => self.hash(fields::LOAN_BROKER_ID),
            Kind::LoanBroker => self.hash(fields::VAULT_ID),
            Kind::NftOffer => self.hash(fields::NF_TOKEN_ID),
            Kind::MpToken | Kind::Vault => self.mpt().map(object_id::mpt_issuance),
            Kind::Amm => self.account(fields::ACCOUNT).map(object_id::account_root),
            Kind::LpLine => {
                let holder = accounts[self.owner?].id;
                let pool = self.sides()?.into_iter().find(|side| *side != holder)?;
                Some(object_id::account_root(pool))
            }
            _ => None,
        }
    }

    /// The tokens on a page of them.
    pub fn nfts(&self) -> impl Iterator<Item = Nft> + '_ {
        let tokens = self.fields.array(fields::NF_TOKENS).unwrap_or_default();
        tokens.iter().filter_map(|(_, token)| token.hash256(fields::NF_TOKEN_ID).map(Nft))
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
    parts: FxHashMap<(Kind, Hash256), Vec<Hash256>>,
    /// What was removed, and when: what happened to it before may be reported later.
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
        self.entries_of(self.owned.get(&(kind, owner)))
    }

    /// What of a type is for an account.
    pub fn toward(&self, kind: Kind, who: Index) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries_of(self.toward.get(&(kind, who)))
    }

    /// All of a type, whoever's they are.
    pub fn all(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries_of(self.of_kind.get(&kind))
    }

    /// The entries of a type that belong to something, by its id: loans to their broker, brokers to
    /// their vault, offers for a non-fungible token to it (by the token's id), holdings of a
    /// multi-purpose token and the vault whose share it is to its issuance, an AMM and the trust lines of
    /// its LP tokens to the root of its account.
    pub fn parts(&self, kind: Kind, of: Hash256) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries_of(self.parts.get(&(kind, of)))
    }

    /// The ids of all of a type, in an order that stays while none is added or removed.
    pub(crate) fn ids(&self, kind: Kind) -> &[Hash256] {
        self.of_kind.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The ids of [`parts`](Self::parts).
    pub(crate) fn part_ids(&self, kind: Kind, of: Hash256) -> &[Hash256] {
        self.parts.get(&(kind, of)).map_or(&[], Vec::as_slice)
    }

    fn entries_of(&self, ids: Option<&Vec<Hash256>>) -> impl DoubleEndedIterator<Item = &Entry> {
        let ids = ids.map_or(&[][..], Vec::as_slice);
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

    /// The ledger in which a mirrored entry was deleted, if that was lately.
    #[must_use]
    pub fn deleted_in(&self, id: Hash256) -> Option<LedgerIndex> {
        self.gone.get(&id).map(|when| when.ledger())
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
        // The others' keys are few, these come and go with what they stand for.
        if let Some(whole) = old.part_of
            && let Some(ids) = self.parts.get_mut(&(old.kind, whole))
        {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.parts.remove(&(old.kind, whole));
            }
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
        let fields = Object::from_known_members(fields, Definitions::builtin());
        if let Some(old) = self.entries.get_mut(&id)
            && (old.owner, old.toward) == (owner, toward)
        {
            // Metadata of a change lacks nothing but the entry's type; what it is a part of never
            // changes.
            old.fields = fields;
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
        let mut entry = Entry { id, kind, owner, toward, fields, part_of: None, as_of };
        entry.part_of = entry.whole(accounts);
        if let Some(whole) = entry.part_of {
            self.parts.entry((kind, whole)).or_default().push(id);
        }
        self.gone.remove(&id);
        self.entries.insert(id, entry);
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
        if self.get(id).is_some_and(|entry| entry.as_of > as_of) {
            // It was made anew since, and that was reported first.
            return None;
        }
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
