//! The run's accounts: derived from its seed, each with its lane and what it owns.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use xrpl_protocol::{
    AccountId, Hash256, Sequence,
    hash::sha512_half,
    keys::{KeyPair, KeyType, Seed},
    object_id,
};

use crate::{
    holdings::{Lines, XrpBalance},
    lane::Lane,
    metadata::Moment,
};

/// Position of an account in [`Accounts`].
pub type Index = u32;

/// What an account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Pays, trusts, trades.
    User,
    /// Issues currencies.
    Gateway,
    /// Requires a destination tag (`asfRequireDest`): payments to it need one. It sends nothing.
    Tagged,
    /// Is created by the load, grows old enough to be deleted, and is: it does nothing else.
    Passing,
    /// Funds the others. It sends nothing of the load.
    Funder,
    /// Sends what is drawn at random, and may be lost by it.
    Fuzzer,
}

impl Role {
    /// Those who send load.
    pub const SENDERS: [Self; 3] = [Self::User, Self::Gateway, Self::Passing];

    /// Its name in the API and the documentation.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Gateway => "gateway",
            Self::Tagged => "tagged",
            Self::Passing => "passing",
            Self::Funder => "funder",
            Self::Fuzzer => "fuzzer",
        }
    }

    /// Whether it sends load.
    #[must_use]
    pub fn sends(self) -> bool {
        Self::SENDERS.contains(&self)
    }
}

/// How many accounts a run creates and deletes, again and again.
pub const PASSING: u32 = 20;

/// The seed of a run's n-th account in a role. The derivation is part of the program's interface:
/// a run is repeated by its seed.
#[must_use]
pub fn derive(run_seed: &str, role: Role, n: u32, key_type: KeyType) -> Seed {
    let series = match role {
        Role::User => b"user",
        Role::Gateway => b"gate",
        Role::Tagged => b"tags",
        Role::Passing => b"pass",
        Role::Funder => b"fund",
        Role::Fuzzer => b"fuzz",
    };
    Seed::derived(run_seed, *series, n, key_type)
}

/// The seed of the n-th user that is made on request while a run goes on. A series of its own, so
/// that neither a larger nor a smaller number of prepared users touches it.
#[must_use]
pub fn derive_made(run_seed: &str, n: u32, key_type: KeyType) -> Seed {
    Seed::derived(run_seed, *b"made", n, key_type)
}

/// One account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its address.
    pub id: AccountId,
    /// What it is for.
    pub role: Role,
    /// Its number among those made on request; none if it was prepared or given.
    pub made: Option<u32>,
    /// Its key pair.
    pub key: KeyPair,
    /// Its Sequences and Tickets.
    pub lane: Lane,
    /// Its XRP.
    pub xrp: XrpBalance,
    /// Its trust lines.
    pub lines: Lines,
    /// Whether it is in a validated ledger and may send.
    pub active: bool,
    /// How many transactions were planned for it: the number of the next plan.
    pub plans: u64,
    /// `lsf` flags in the newest validated ledger that was learned from.
    pub flags: u32,
    /// Its regular key there.
    pub regular_key: Option<AccountId>,
    /// Since when these are so.
    pub(crate) as_of: Moment,
    /// Plans that wait until they can be made, by their number: of which type.
    pub(crate) owed: SmallVec<[(u64, usize); 4]>,
    /// Whether something has changed since those were tried.
    pub(crate) awake: bool,
    /// Whether it stands in the list of ready accounts.
    pub(crate) listed: bool,
}

impl Account {
    /// An account that is in no ledger yet.
    #[must_use]
    pub fn new(key: KeyPair, role: Role, max_pending: usize) -> Self {
        Self {
            id: key.account_id(),
            role,
            made: None,
            lane: Lane::new(Sequence(0), max_pending),
            key,
            xrp: XrpBalance::default(),
            lines: Lines::default(),
            active: false,
            plans: 0,
            flags: 0,
            regular_key: None,
            as_of: Moment::default(),
            owed: SmallVec::new(),
            awake: true,
            listed: false,
        }
    }

    /// The key pair that its SetRegularKey sets: derived from its own, so that a run that goes on
    /// knows it again.
    #[must_use]
    pub fn regular_pair(&self) -> KeyPair {
        let hash = sha512_half(&[b"xrpl-workload regular key", &self.key.public_key().0]);
        let mut entropy = [0; 16];
        entropy.copy_from_slice(&hash.0[..16]);
        // What makes a key pair unguessable is the account's own secret.
        let secret = self.key.sign(&hash.0);
        let mixed = sha512_half(&[&entropy, secret.as_bytes()]);
        entropy.copy_from_slice(&mixed.0[..16]);
        KeyPair::from_seed(&Seed::from_entropy(entropy, self.key.key_type()))
    }

    /// The n-th user made on request.
    #[must_use]
    pub fn made(run_seed: &str, n: u32, key_type: KeyType, max_pending: usize) -> Self {
        let key = KeyPair::from_seed(&derive_made(run_seed, n, key_type));
        Self { made: Some(n), ..Self::new(key, Role::User, max_pending) }
    }

    /// The n-th of the fuzz band. A few of its transactions are in flight at most: what is not on a
    /// Ticket waits for the end of the one before.
    #[must_use]
    pub fn fuzzer(run_seed: &str, n: u32, key_type: KeyType) -> Self {
        /// Tickets and one Sequence.
        const PENDING: usize = 4;
        let key = KeyPair::from_seed(&derive(run_seed, Role::Fuzzer, n, key_type));
        Self::new(key, Role::Fuzzer, PENDING)
    }
}

/// All accounts of a run, by index and by address.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    all: Vec<Account>,
    by_id: FxHashMap<AccountId, Index>,
    by_signer_list: FxHashMap<Hash256, Index>,
    users: Vec<Index>,
    made: Vec<Index>,
    gateways: Vec<Index>,
    passing: Vec<Index>,
    fuzzers: Vec<Index>,
    tagged: Option<Index>,
}

impl Accounts {
    /// Adds an account; the index of the one that is there already if it is.
    pub fn add(&mut self, account: Account) -> Index {
        if let Some(index) = self.by_id.get(&account.id) {
            return *index;
        }
        let index = self.all.len() as Index;
        self.by_id.insert(account.id, index);
        self.by_signer_list.insert(object_id::signer_list(account.id), index);
        match account.role {
            Role::User if account.made.is_some() => self.made.push(index),
            Role::User => self.users.push(index),
            Role::Gateway => self.gateways.push(index),
            Role::Tagged => self.tagged = Some(index),
            Role::Passing => self.passing.push(index),
            Role::Fuzzer => self.fuzzers.push(index),
            Role::Funder => {}
        }
        self.all.push(account);
        index
    }

    /// The index of an address.
    #[must_use]
    pub fn find(&self, id: AccountId) -> Option<Index> {
        self.by_id.get(&id).copied()
    }

    /// Whose signer list that is.
    #[must_use]
    pub fn of_signer_list(&self, id: Hash256) -> Option<Index> {
        self.by_signer_list.get(&id).copied()
    }

    /// The account at an index, if there is one.
    #[must_use]
    pub fn get(&self, index: Index) -> Option<&Account> {
        self.all.get(index as usize)
    }

    /// The indexes of the users that were prepared or given.
    #[must_use]
    pub fn users(&self) -> &[Index] {
        &self.users
    }

    /// The indexes of the users made on request.
    #[must_use]
    pub fn made(&self) -> &[Index] {
        &self.made
    }

    /// The number of the next user to be made.
    #[must_use]
    pub fn next_made(&self) -> u32 {
        self.made.iter().filter_map(|index| self[*index].made).max().map_or(0, |n| n + 1)
    }

    /// The gateways' indexes.
    #[must_use]
    pub fn gateways(&self) -> &[Index] {
        &self.gateways
    }

    /// The indexes of those that are created and deleted.
    #[must_use]
    pub fn passing(&self) -> &[Index] {
        &self.passing
    }

    /// Those that send what is drawn at random, lost ones included.
    #[must_use]
    pub fn fuzzers(&self) -> &[Index] {
        &self.fuzzers
    }

    /// The account that requires destination tags.
    #[must_use]
    pub fn tagged(&self) -> Option<Index> {
        self.tagged
    }

    /// All, in order of their indexes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Account> {
        self.all.iter()
    }

    /// All, to be changed.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = &mut Account> {
        self.all.iter_mut()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

impl std::ops::Index<Index> for Accounts {
    type Output = Account;
    /// Indexes come from [`Accounts::add`] and accounts are never removed.
    fn index(&self, index: Index) -> &Account {
        &self.all[index as usize]
    }
}

impl std::ops::IndexMut<Index> for Accounts {
    fn index_mut(&mut self, index: Index) -> &mut Account {
        &mut self.all[index as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_accounts_and_no_two_alike() {
        let mut seen = std::collections::HashSet::new();
        for role in [Role::User, Role::Gateway, Role::Tagged, Role::Passing] {
            for n in 0..50 {
                for seed in ["1", "2"] {
                    let derived = derive(seed, role, n, KeyType::Ed25519);
                    assert!(derived == derive(seed, role, n, KeyType::Ed25519));
                    assert!(seen.insert(KeyPair::from_seed(&derived).account_id()));
                }
            }
        }
    }

    #[test]
    fn the_derivation_does_not_change() {
        // A changed address here breaks every repeated run: raise the major version instead.
        let seed = derive("xrpl-workload", Role::User, 0, KeyType::Ed25519);
        assert_eq!(const_hex::encode(seed.entropy()), "5f76f470331692bb9d6f6b9a6b455bf2");
    }

    #[test]
    fn made_ones_are_a_series_of_their_own() {
        let mut accounts = Accounts::default();
        let user = Account::new(
            KeyPair::from_seed(&derive("s", Role::User, 0, KeyType::Ed25519)),
            Role::User,
            5,
        );
        let user = accounts.add(user);
        assert_eq!(accounts.next_made(), 0);
        let made = accounts.add(Account::made("s", 4, KeyType::Ed25519, 5));
        assert_eq!((accounts.users(), accounts.made()), (&[user][..], &[made][..]));
        assert_eq!(accounts.next_made(), 5);
        assert_ne!(accounts[made].id, accounts[user].id);
        assert_eq!(accounts[made].role, Role::User);
    }

    #[test]
    fn found_by_address_and_by_role() {
        let mut accounts = Accounts::default();
        let make = |role, n| {
            Account::new(KeyPair::from_seed(&derive("s", role, n, KeyType::Ed25519)), role, 5)
        };
        let gateway = accounts.add(make(Role::Gateway, 0));
        let user = accounts.add(make(Role::User, 0));
        assert_eq!(accounts.add(make(Role::User, 0)), user, "not twice");
        assert_eq!(accounts.find(accounts[user].id), Some(user));
        assert_eq!((accounts.users(), accounts.gateways()), (&[user][..], &[gateway][..]));
        assert_eq!((accounts.len(), accounts.tagged()), (2, None));
    }
}
