//! The catalogue: what the generator can send.
//!
//! A type is one [`Entry`]: weight, who may send it, a builder that also decides whether it can be
//! sent now, what to learn from its validated metadata, and its taints. A family of types is one
//! file with a slice `ENTRIES`; its name in the list below puts it in. Nothing else names a type.

use std::collections::BTreeMap;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use xrpl_protocol::{
    AccountId, Object, TxHash, Value, fields,
    keys::KeyPair,
    sign::SignedTransaction,
    transaction::{Common, Direct, Slot},
};

use crate::{
    accounts::{Account, Index, Role},
    error::GeneratorError,
    fees::{FeeClass, Fees},
    intent::Taint,
    objects::{IssuedMove, Metadata, World},
};

macro_rules! families {
    ($($family:ident),* $(,)?) => {
        $(mod $family;)*
        static FAMILIES: &[&[Entry]] = &[$($family::ENTRIES),*];
    };
}

families! {
    payment,
    trust_set,
    account_set,
    tickets,
}

pub(crate) use account_set::{default_ripple, no_op, require_dest};
pub(crate) use trust_set::open as open_line;

/// One type of the catalogue.
#[derive(Debug)]
pub struct Entry {
    /// Its name in the configuration and the API.
    pub name: &'static str,
    /// Its share among all weights.
    pub weight: u32,
    /// Who may send it.
    pub roles: &'static [Role],
    /// Whether it can be sent on a Ticket: not if it moves the Sequence by more than its slot.
    pub on_ticket: bool,
    /// Builds one that must succeed.
    pub build: fn(&mut Draft<'_>) -> Result<Tx, NotNow>,
    /// What to learn from the metadata of a successful one. Without it no metadata is asked for,
    /// and XRP balances follow from the fee and the XRP it sends.
    pub effects: Option<fn(&mut World, &Applied<'_>)>,
    /// Deliberately invalid variants of its own, beside those every type has.
    pub taints: &'static [Taint],
}

/// A validated, successful transaction and what it did.
#[derive(Clone, Copy, Debug)]
pub struct Applied<'a> {
    /// Who sent it.
    pub sender: Index,
    /// On which slot.
    pub slot: Slot,
    /// Its hash.
    pub hash: TxHash,
    /// Its metadata.
    pub metadata: &'a Metadata,
}

/// Why a type cannot be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotNow {
    /// Something of the same account in flight will allow it: the plan waits.
    Later,
    /// It cannot; another type takes its place.
    Unable(&'static str),
}

/// What signs itself into a blob: a [`Direct`] type, or any fields.
pub trait Body: Send {
    /// Signs it.
    fn sign(&self, common: &Common, key: &KeyPair) -> SignedTransaction;
}

impl<T: Direct + Send> Body for T {
    fn sign(&self, common: &Common, key: &KeyPair) -> SignedTransaction {
        Direct::sign(self, common, key)
    }
}

/// A type without a direct path: `TransactionType` and its own fields.
#[derive(Clone, Debug)]
pub struct OwnFields(pub Object);

impl Body for OwnFields {
    fn sign(&self, common: &Common, key: &KeyPair) -> SignedTransaction {
        let (sequence, ticket) = match common.slot {
            Slot::Sequence(n) => (n.0, None),
            Slot::Ticket(n) => (0, Some(n.0)),
        };
        let fee = xrpl_protocol::Amount::xrp(common.fee);
        let mut tx = self.0.clone();
        tx.set(fields::ACCOUNT, Value::Account(common.account));
        tx.set(fields::FEE, Value::Amount(fee));
        tx.set(fields::SEQUENCE, Value::UInt32(sequence));
        tx.set(fields::FLAGS, Value::UInt32(common.flags));
        for (field, value) in [
            (fields::TICKET_SEQUENCE, ticket),
            (fields::LAST_LEDGER_SEQUENCE, common.last_ledger.map(|index| index.0)),
            (fields::NETWORK_ID, common.network_id),
            (fields::SOURCE_TAG, common.source_tag),
        ] {
            if let Some(n) = value {
                tx.set(field, Value::UInt32(n));
            }
        }
        xrpl_protocol::sign::sign(tx, key)
    }
}

/// A transaction before it has a slot.
pub struct Tx {
    /// What it is.
    pub body: Box<dyn Body>,
    /// Its flags.
    pub flags: u32,
    /// Which fee it pays.
    pub fee: FeeClass,
    /// By how much it moves the account's Sequence when it succeeds.
    pub width: u32,
    /// Whether it goes on a Ticket.
    pub on_ticket: bool,
    /// XRP it sends.
    pub xrp: u64,
    /// To whom, if that is one of the run's accounts.
    pub to: Option<Index>,
    /// Issued value it moves.
    pub issued: Option<IssuedMove>,
    /// Objects it adds to its sender.
    pub owners: u32,
    /// The entry whose effects it has, if not that of the entry that built it.
    pub carries: Option<&'static Entry>,
    /// Signed by this account instead of its sender (taints).
    pub signer: Option<Index>,
    /// Sent on this slot instead of the lane's (taints).
    pub slot: Option<Slot>,
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx")
            .field("fee", &self.fee)
            .field("width", &self.width)
            .finish_non_exhaustive()
    }
}

impl Tx {
    /// An ordinary one without flags that sends nothing.
    #[must_use]
    pub fn new(body: impl Body + 'static) -> Self {
        Self {
            body: Box::new(body),
            flags: 0,
            fee: FeeClass::Ordinary,
            width: 1,
            on_ticket: false,
            xrp: 0,
            to: None,
            issued: None,
            owners: 0,
            carries: None,
            signer: None,
            slot: None,
        }
    }

    /// Another body: for taints.
    pub fn replace(&mut self, body: impl Body + 'static) {
        self.body = Box::new(body);
    }
}

/// What a builder sees: the world, the sender, and this plan's own random numbers.
pub struct Draft<'a> {
    /// Everything that exists.
    pub world: &'a World,
    /// Fees and reserves.
    pub fees: &'a Fees,
    /// The catalogue itself, for types that carry others.
    pub catalogue: &'a Catalogue,
    /// Who sends.
    pub sender: Index,
    /// Random numbers that depend on nothing but the run's seed, the account and the plan's number.
    pub rng: &'a mut ChaCha8Rng,
}

impl std::fmt::Debug for Draft<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft").field("sender", &self.sender).finish_non_exhaustive()
    }
}

impl<'a> Draft<'a> {
    /// The sender.
    #[must_use]
    pub fn me(&self) -> &'a Account {
        &self.world.accounts[self.sender]
    }

    /// A number below `n` (0 if `n` is 0).
    pub fn below(&mut self, n: u64) -> u64 {
        below(self.rng, n)
    }

    /// One of several; none if there is none.
    pub fn pick<'t, T>(&mut self, among: &'t [T]) -> Option<&'t T> {
        among.get(self.below(among.len() as u64) as usize)
    }

    /// A user other than the sender, of those that were prepared: who is made later is not drawn, so
    /// that the others' plans stay what they were.
    pub fn other_user(&mut self) -> Option<Index> {
        let users = self.world.accounts.users();
        let start = self.below(users.len() as u64) as usize;
        let turn = users[start..].iter().chain(&users[..start]);
        turn.copied().find(|index| *index != self.sender && self.world.accounts[*index].active)
    }

    /// An account that no ledger has.
    pub fn nobody(&mut self) -> AccountId {
        let mut id = AccountId::ZERO;
        self.rng.fill_bytes(&mut id.0);
        id
    }

    /// Whether the sender can pay its fee and so much more without touching its reserve.
    ///
    /// # Errors
    /// [`NotNow::Unable`].
    pub fn afford(&self, drops: u64, fee: FeeClass, more_objects: u32) -> Result<(), NotNow> {
        let has = self.me().purse.spendable_with(self.fees, more_objects);
        if has >= drops.saturating_add(self.fees.fee(fee).0) {
            Ok(())
        } else {
            Err(NotNow::Unable("too little XRP above the reserve"))
        }
    }
}

/// A uniform number below `n`, by multiplication: the same on every machine and version.
pub(crate) fn below(rng: &mut impl Rng, n: u64) -> u64 {
    ((u128::from(rng.next_u64()) * u128::from(n)) >> 64) as u64
}

/// Position of an entry in the catalogue.
pub type EntryId = usize;

#[derive(Clone, Debug)]
struct Kind {
    entry: &'static Entry,
    weight: u32,
    enabled: bool,
    /// What the network answered when it refused the type.
    refused: Option<&'static str>,
}

/// The catalogue with this run's weights and switches.
#[derive(Clone, Debug)]
pub struct Catalogue {
    kinds: Vec<Kind>,
}

impl Catalogue {
    /// All types; weights by name replace their own.
    ///
    /// # Errors
    /// [`GeneratorError::UnknownType`].
    pub fn new(weights: &BTreeMap<String, u32>) -> Result<Self, GeneratorError> {
        let entries = FAMILIES.iter().copied().flatten();
        let kind = |entry: &'static Entry| Kind {
            entry,
            weight: entry.weight,
            enabled: true,
            refused: None,
        };
        let mut catalogue = Self { kinds: entries.map(kind).collect() };
        for (name, weight) in weights {
            let id = catalogue.find(name)?;
            catalogue.kinds[id].weight = *weight;
        }
        Ok(catalogue)
    }

    /// The type of a name.
    ///
    /// # Errors
    /// [`GeneratorError::UnknownType`], with the nearest one.
    pub fn find(&self, name: &str) -> Result<EntryId, GeneratorError> {
        let named = |kind: &Kind| kind.entry.name.eq_ignore_ascii_case(name);
        self.kinds.iter().position(named).ok_or_else(|| GeneratorError::UnknownType {
            name: name.chars().take(60).collect(),
            nearest: nearest(name, self.names()),
            known: self.names().collect(),
        })
    }

    /// The entry at a position that [`Catalogue::find`] gave.
    #[must_use]
    pub fn entry(&self, id: EntryId) -> &'static Entry {
        self.kinds[id].entry
    }

    /// Names of all types.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.kinds.iter().map(|kind| kind.entry.name)
    }

    /// How often each type is drawn, relative to the others.
    pub fn weights(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.kinds.iter().map(|kind| (kind.entry.name, kind.weight))
    }

    /// Changes a type's weight; returns what it was.
    pub fn set_weight(&mut self, id: EntryId, weight: u32) -> u32 {
        std::mem::replace(&mut self.kinds[id].weight, weight)
    }

    /// Whether a type is switched on.
    #[must_use]
    pub fn is_enabled(&self, id: EntryId) -> bool {
        self.kinds[id].enabled
    }

    /// Switches a type on or off; returns what it was.
    pub fn set_enabled(&mut self, id: EntryId, enabled: bool) -> bool {
        self.kinds[id].refused = None;
        std::mem::replace(&mut self.kinds[id].enabled, enabled)
    }

    /// The network does not have this type: switches it off.
    pub(crate) fn refused(&mut self, entry: &'static Entry, result: &'static str) {
        for kind in self.kinds.iter_mut().filter(|kind| std::ptr::eq(kind.entry, entry)) {
            kind.enabled = false;
            kind.refused = Some(result);
        }
    }

    /// Types that are off: by hand, or with what the network answered.
    pub fn disabled(&self) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
        let off = |kind: &&Kind| !kind.enabled;
        self.kinds.iter().filter(off).map(|kind| (kind.entry.name, kind.refused))
    }

    /// Draws a type by weight among those that are on and pass the filter.
    pub fn draw(
        &self,
        rng: &mut impl Rng,
        role: Role,
        filter: impl Fn(&Entry) -> bool,
    ) -> Option<&'static Entry> {
        let open =
            |kind: &&Kind| kind.enabled && kind.entry.roles.contains(&role) && filter(kind.entry);
        let total: u64 = self.kinds.iter().filter(open).map(|kind| u64::from(kind.weight)).sum();
        let mut at = below(rng, total);
        self.kinds.iter().filter(open).find_map(|kind| {
            let weight = u64::from(kind.weight);
            if at < weight {
                return Some(kind.entry);
            }
            at -= weight;
            None
        })
    }
}

/// The name that was probably meant: a slip or two away, not another word. A third of its letters
/// may differ, so that `OfferCreate` is not taken for `TicketCreate`.
fn nearest(given: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let given = given.to_ascii_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&name.to_ascii_lowercase(), &given);
    names
        .map(|name| (distance(name), name))
        .min()
        .filter(|(distance, name)| distance * 3 <= name.len())
        .map(|(_, name)| name)
}
