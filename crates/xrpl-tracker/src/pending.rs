//! The transactions in memory, with an index for every question asked on the way: by hash, by
//! (account, Sequence or Ticket), by LastLedgerSequence, by age.

use std::{
    collections::{BTreeMap, VecDeque, hash_map::Entry as MapEntry},
    sync::Arc,
};

use bytes::Bytes;
use rustc_hash::FxHashMap;
use tokio::sync::{mpsc, oneshot};
use xrpl_protocol::{AccountId, LedgerIndex, TxHash, transaction::Slot};

use crate::{
    evidence::Evidence,
    lifecycle::{TxState, refusals::TRIED_AGAIN},
    record::{Intent, Outcome, Progress, Record, Submitted},
    stats::TypeIndex,
};

/// Where a transaction lies; never another one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    index: u32,
    generation: u32,
}

/// When the blob is to be sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Resend {
    /// Not planned.
    #[default]
    No,
    /// Once this ledger is validated.
    AtLedger(u32),
    /// At this time, milliseconds since 1970.
    AtTime(u64),
}

/// Who waits for an end.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    pub(crate) once: Vec<oneshot::Sender<Arc<Outcome>>>,
    pub(crate) each: Option<mpsc::UnboundedSender<Arc<Outcome>>>,
    /// Who is told what later attempts are answered.
    pub(crate) answers: Option<mpsc::UnboundedSender<Submitted>>,
    pub(crate) want_metadata: bool,
}

/// A transaction in memory.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) hash: TxHash,
    account: u32,
    pub(crate) slot: Slot,
    /// 0 if it has none.
    last_ledger: u32,
    pub(crate) created_ledger: u32,
    pub(crate) created_at_ms: u64,
    pub(crate) transaction_type: TypeIndex,
    pub(crate) intent: Intent,
    pub(crate) blob: Bytes,
    /// The node is to keep it only if it applies at once.
    pub(crate) fail_hard: bool,
    /// No ledger up to `created_ledger` can have it.
    pub(crate) fresh: bool,
    pub(crate) condition: TxState,
    pub(crate) progress: Progress,
    /// An attempt is under way.
    pub(crate) in_flight: bool,
    pub(crate) resend: Resend,
    /// Attempts since the last one a node took: the pause grows with it.
    pub(crate) retries: u8,
    /// Nobody could decide it: it is not asked about again before this time.
    pub(crate) rests_until_ms: u64,
    /// How often it has rested so.
    pub(crate) rests: u8,
    /// It is to be asked about at the next check.
    pub(crate) asked_again: bool,
    /// When it ended; for eviction.
    pub(crate) ended_at_ms: u64,
    pub(crate) waiters: Option<Box<Waiters>>,
    /// An older one with the same account and slot.
    same_slot: Option<u32>,
    /// Another one has (or had) the same account and slot.
    shares_slot: bool,
}

impl Entry {
    pub(crate) fn last_ledger(&self) -> Option<u32> {
        (self.last_ledger != 0).then_some(self.last_ledger)
    }

    /// The first ledger that can have it; none if that is not known, because it was submitted and
    /// may have been sent before.
    pub(crate) fn first_ledger(&self) -> Option<u32> {
        self.fresh.then(|| self.watched_from())
    }

    /// The first ledger that is looked at for it.
    pub(crate) fn watched_from(&self) -> u32 {
        let next = self.created_ledger.saturating_add(1);
        self.last_ledger().map_or(next, |last| next.min(last)).max(1)
    }
}

/// What a new entry is made of.
#[derive(Debug)]
pub(crate) struct NewEntry {
    pub(crate) hash: TxHash,
    pub(crate) account: AccountId,
    pub(crate) slot: Slot,
    pub(crate) last_ledger: Option<LedgerIndex>,
    pub(crate) created_ledger: LedgerIndex,
    pub(crate) created_at_ms: u64,
    pub(crate) transaction_type: TypeIndex,
    pub(crate) intent: Intent,
    pub(crate) blob: Bytes,
    pub(crate) fail_hard: bool,
    pub(crate) fresh: bool,
    pub(crate) condition: TxState,
    pub(crate) progress: Progress,
}

impl NewEntry {
    /// Of a row of the store.
    pub(crate) fn of(record: Record, transaction_type: TypeIndex, condition: TxState) -> Self {
        let Record { identity, progress, .. } = record;
        Self {
            hash: identity.hash,
            account: identity.account,
            slot: identity.slot,
            last_ledger: identity.last_ledger_sequence,
            created_ledger: identity.created_ledger,
            created_at_ms: identity.created_at_ms,
            transaction_type,
            intent: identity.intent,
            blob: identity.blob,
            fail_hard: identity.fail_hard,
            fresh: identity.fresh,
            condition,
            progress,
        }
    }
}

#[derive(Debug)]
struct Account {
    id: AccountId,
    text: Box<str>,
    entries: u32,
}

#[derive(Debug)]
struct Place {
    generation: u32,
    entry: Option<Entry>,
}

/// Places by hash. The first eight bytes tell hashes apart but for accident or ill will; so that
/// neither does harm, hashes that share them with another are kept whole in a second map. The
/// index of a million transactions is less than half as large so.
#[derive(Debug, Default)]
struct HashIndex {
    by_prefix: FxHashMap<u64, u32>,
    collided: FxHashMap<TxHash, u32>,
}

fn prefix(hash: TxHash) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&hash.0[..8]);
    u64::from_le_bytes(first)
}

impl HashIndex {
    fn len(&self) -> usize {
        self.by_prefix.len() + self.collided.len()
    }

    /// A place that may be the hash's; whether it is, is for the entry there to say.
    fn candidate(&self, hash: TxHash) -> Option<u32> {
        self.by_prefix.get(&prefix(hash)).copied()
    }

    fn insert(&mut self, hash: TxHash, index: u32) {
        match self.by_prefix.entry(prefix(hash)) {
            MapEntry::Vacant(vacant) => {
                vacant.insert(index);
            }
            MapEntry::Occupied(_) => {
                self.collided.insert(hash, index);
            }
        }
    }

    fn remove(&mut self, hash: TxHash) {
        if self.collided.remove(&hash).is_none() {
            self.by_prefix.remove(&prefix(hash));
        }
    }
}

/// Transactions with one LastLedgerSequence.
#[derive(Debug, Default)]
struct LastLedger {
    keys: Vec<Key>,
    /// How many of them are forgotten: a last ledger far away must not keep their keys for ever.
    forgotten: usize,
}

/// The transactions in memory.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    places: Vec<Place>,
    free: Vec<u32>,
    by_hash: HashIndex,
    accounts: Vec<Account>,
    free_accounts: Vec<u32>,
    account_by_id: FxHashMap<AccountId, u32>,
    account_by_text: FxHashMap<Box<str>, u32>,
    /// The newest entry of an (account, slot); the others hang on it.
    by_slot: FxHashMap<(u32, Slot), u32>,
    by_last_ledger: BTreeMap<u32, LastLedger>,
    /// In order of submission; ended ones leave when they are passed.
    by_age: VecDeque<Key>,
    ended: VecDeque<(u64, Key)>,
}

impl Pending {
    pub(crate) fn len(&self) -> usize {
        self.by_hash.len()
    }

    pub(crate) fn find(&self, hash: TxHash) -> Option<Key> {
        let is = |index: &u32| {
            self.places[*index as usize].entry.as_ref().is_some_and(|entry| entry.hash == hash)
        };
        let index = self
            .by_hash
            .candidate(hash)
            .filter(is)
            .or_else(|| self.by_hash.collided.get(&hash).copied())?;
        Some(Key { index, generation: self.places[index as usize].generation })
    }

    /// Brings what lies around these transactions into the processor's caches. One after another
    /// each would wait for memory several times; here the processor waits for many at once.
    pub(crate) fn warm(&self, hashes: impl Iterator<Item = TxHash>) {
        let found: smallvec::SmallVec<[u32; 128]> =
            hashes.filter_map(|hash| self.by_hash.candidate(hash)).collect();
        let mut touched = 0u64;
        for index in &found {
            if let Some(entry) = &self.places[*index as usize].entry {
                touched ^= u64::from(entry.hash.0[31]) ^ entry.created_at_ms;
                touched ^= u64::from(entry.last_ledger) ^ entry.ended_at_ms;
                touched ^= entry.progress.state as u64 ^ u64::from(entry.progress.attempts);
                touched ^= entry.progress.sightings.len() as u64;
                touched ^= entry.progress.preliminary.len() as u64;
                touched ^= u64::from(entry.progress.latencies.finality_ledgers.unwrap_or(0));
                touched ^= u64::from(entry.progress.engine_result_last.is_some());
                touched ^= u64::from(entry.progress.validated.is_some());
                touched ^= u64::from(entry.waiters.is_some()) ^ u64::from(entry.shares_slot);
            }
        }
        std::hint::black_box(touched);
    }

    pub(crate) fn get(&self, key: Key) -> Option<&Entry> {
        let place = self.places.get(key.index as usize)?;
        place.entry.as_ref().filter(|_| place.generation == key.generation)
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut Entry> {
        let place = self.places.get_mut(key.index as usize)?;
        place.entry.as_mut().filter(|_| place.generation == key.generation)
    }

    pub(crate) fn account(&self, entry: &Entry) -> AccountId {
        self.accounts[entry.account as usize].id
    }

    /// Adds a transaction whose hash is not here yet.
    pub(crate) fn insert(&mut self, new: NewEntry) -> Key {
        let account = self.hold_account(new.account);
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place { generation: 0, entry: None });
            // Four thousand million transactions do not fit in memory.
            u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
        });
        let key = Key { index, generation: self.places[index as usize].generation };
        let same_slot = self.by_slot.insert((account, new.slot), index);
        if let Some(older) = same_slot.and_then(|older| self.places[older as usize].entry.as_mut())
        {
            older.shares_slot = true;
        }
        self.by_hash.insert(new.hash, index);
        let terminal = new.progress.state.is_terminal();
        if let (Some(last), false) = (new.last_ledger, terminal) {
            self.by_last_ledger.entry(last.0).or_default().keys.push(key);
        }
        if !terminal {
            self.by_age.push_back(key);
        }
        self.places[index as usize].entry = Some(Entry {
            hash: new.hash,
            account,
            slot: new.slot,
            last_ledger: new.last_ledger.map_or(0, |last| last.0),
            created_ledger: new.created_ledger.0,
            created_at_ms: new.created_at_ms,
            transaction_type: new.transaction_type,
            intent: new.intent,
            blob: new.blob,
            fail_hard: new.fail_hard,
            fresh: new.fresh,
            condition: new.condition,
            progress: new.progress,
            in_flight: false,
            resend: Resend::No,
            retries: 0,
            rests_until_ms: 0,
            rests: 0,
            asked_again: false,
            ended_at_ms: 0,
            waiters: None,
            shares_slot: same_slot.is_some(),
            same_slot,
        });
        key
    }

    fn hold_account(&mut self, id: AccountId) -> u32 {
        if let Some(index) = self.account_by_id.get(&id) {
            self.accounts[*index as usize].entries += 1;
            return *index;
        }
        let text: Box<str> = id.to_string().into();
        let account = Account { id, text: text.clone(), entries: 1 };
        let index = match self.free_accounts.pop() {
            Some(index) => {
                self.accounts[index as usize] = account;
                index
            }
            None => {
                self.accounts.push(account);
                u32::try_from(self.accounts.len() - 1).unwrap_or(u32::MAX)
            }
        };
        self.account_by_id.insert(id, index);
        self.account_by_text.insert(text, index);
        index
    }

    /// Transactions of an account (by its address) on a slot.
    pub(crate) fn on_slot(&self, account: &str, slot: Slot) -> impl Iterator<Item = Key> + '_ {
        let first = self
            .account_by_text
            .get(account)
            .and_then(|account| self.by_slot.get(&(*account, slot)))
            .copied();
        self.chain(first)
    }

    /// The others on the slot of an entry.
    pub(crate) fn rivals(&self, key: Key) -> impl Iterator<Item = Key> + '_ {
        let first =
            self.get(key).and_then(|entry| self.by_slot.get(&(entry.account, entry.slot))).copied();
        self.chain(first).filter(move |other| *other != key)
    }

    fn chain(&self, first: Option<u32>) -> impl Iterator<Item = Key> + '_ {
        std::iter::successors(first, |index| {
            self.places[*index as usize].entry.as_ref().and_then(|entry| entry.same_slot)
        })
        .map(|index| Key { index, generation: self.places[index as usize].generation })
    }

    /// Takes those whose LastLedgerSequence is below `ledger`.
    pub(crate) fn take_last_ledger_below(&mut self, ledger: u32) -> Vec<Key> {
        let later = self.by_last_ledger.split_off(&ledger);
        let below = std::mem::replace(&mut self.by_last_ledger, later);
        below.into_values().flat_map(|last| last.keys).collect()
    }

    /// Takes, in order of submission, those for which `old` holds; stops at the first that is not.
    pub(crate) fn take_old(&mut self, old: impl Fn(&Entry) -> bool) -> Vec<Key> {
        let mut taken = Vec::new();
        while let Some(key) = self.by_age.front().copied() {
            match self.get(key) {
                Some(entry) if entry.progress.state.is_terminal() => {}
                Some(entry) if old(entry) => taken.push(key),
                Some(_) => break,
                None => {}
            }
            self.by_age.pop_front();
        }
        taken
    }

    /// The oldest one without a final state among those not taken by [`Self::take_old`].
    pub(crate) fn oldest(&self) -> Option<&Entry> {
        let mut entries = self.by_age.iter().filter_map(|key| self.get(*key));
        entries.find(|entry| !entry.progress.state.is_terminal())
    }

    /// Notes that a transaction ended, so that it leaves memory some time.
    pub(crate) fn ended(&mut self, key: Key, now_ms: u64) {
        if let Some(entry) = self.get_mut(key) {
            entry.ended_at_ms = now_ms;
            self.ended.push_back((now_ms, key));
        }
        // Whatever ended long ago need not be passed one by one later.
        while let Some(front) = self.by_age.front().copied() {
            match self.get(front) {
                Some(entry) if !entry.progress.state.is_terminal() => break,
                _ => {
                    self.by_age.pop_front();
                }
            }
        }
    }

    /// Those that have ended.
    pub(crate) fn ended_ones(&self) -> impl Iterator<Item = (Key, &Entry)> {
        let entries = self.places.iter().zip(0..).filter_map(|(place, index)| {
            Some((Key { index, generation: place.generation }, place.entry.as_ref()?))
        });
        entries.filter(|(_, entry)| entry.progress.state.is_terminal())
    }

    /// An ended transaction is open again.
    pub(crate) fn reopened(&mut self, key: Key) {
        let Some(entry) = self.get_mut(key) else { return };
        // It leaves memory only after its next end.
        entry.ended_at_ms = u64::MAX;
        if let Some(last) = entry.last_ledger() {
            self.by_last_ledger.entry(last).or_default().keys.push(key);
        }
    }

    /// Forgets ended transactions: those that ended before `before_ms`, and the oldest beyond
    /// `capacity`. One that a node's word ended stays until it ended before `before_ms` and no node
    /// tries it any more, or its last ledger has passed. What a ledger ended is overturned only where
    /// that ledger is denied, and then found in the store.
    pub(crate) fn forget(&mut self, before_ms: u64, capacity: usize, head: u32) -> usize {
        let mut forgotten = 0;
        for _ in 0..self.ended.len() {
            let Some((at, key)) = self.ended.front().copied() else { break };
            if at >= before_ms && self.ended.len() <= capacity {
                break;
            }
            self.ended.pop_front();
            let Some(entry) = self.get(key) else { continue };
            if entry.ended_at_ms != at {
                // It ended anew (overturned) and stands further back.
                continue;
            }
            let by_word =
                matches!(entry.progress.evidence.as_deref(), Some(Evidence::RefusedByNode { .. }));
            let tried_no_more =
                at < before_ms && entry.created_ledger.saturating_add(TRIED_AGAIN) < head;
            let settled =
                !by_word || tried_no_more || entry.last_ledger().is_some_and(|last| last < head);
            if !settled {
                self.ended.push_back((at, key));
                continue;
            }
            self.remove(key);
            forgotten += 1;
        }
        forgotten
    }

    /// Forgets an entry.
    pub(crate) fn remove(&mut self, key: Key) {
        let place = &mut self.places[key.index as usize];
        let Some(entry) = place.entry.take() else { return };
        place.generation = place.generation.wrapping_add(1);
        self.free.push(key.index);
        self.by_hash.remove(entry.hash);
        let slot = (entry.account, entry.slot);
        if self.by_slot.get(&slot) == Some(&key.index) {
            match entry.same_slot {
                Some(next) => self.by_slot.insert(slot, next),
                None => self.by_slot.remove(&slot),
            };
        } else {
            let mut at = self.by_slot.get(&slot).copied();
            while let Some(index) = at {
                let Some(other) = self.places[index as usize].entry.as_mut() else { break };
                if other.same_slot == Some(key.index) {
                    other.same_slot = entry.same_slot;
                    break;
                }
                at = other.same_slot;
            }
        }
        if let Some(last) = self.by_last_ledger.get_mut(&entry.last_ledger) {
            last.forgotten += 1;
            if last.forgotten > 32 && last.forgotten * 2 > last.keys.len() {
                let places = &self.places;
                last.keys.retain(|key| places[key.index as usize].generation == key.generation);
                last.forgotten = 0;
            }
        }
        let account = &mut self.accounts[entry.account as usize];
        account.entries -= 1;
        if account.entries == 0 {
            self.account_by_id.remove(&account.id);
            self.account_by_text.remove(&account.text);
            account.text = Box::default();
            self.free_accounts.push(entry.account);
        }
    }
}

#[cfg(test)]
mod tests {
    use xrpl_protocol::Sequence;

    use super::*;
    use crate::{evidence::ResultName, lifecycle::State, stats::Counters};

    fn add(pending: &mut Pending, n: u8, account: u8, slot: Slot, last: u32) -> Key {
        let transaction_type = Counters::new().type_index("Payment");
        pending.insert(NewEntry {
            hash: TxHash([n; 32]),
            account: AccountId([account; 20]),
            slot,
            last_ledger: (last != 0).then_some(LedgerIndex(last)),
            created_ledger: LedgerIndex(1),
            created_at_ms: u64::from(n),
            transaction_type,
            intent: Intent::Valid,
            blob: Bytes::new(),
            fail_hard: false,
            fresh: true,
            condition: TxState::CREATED,
            progress: Progress::created(),
        })
    }

    fn end(pending: &mut Pending, key: Key, state: State, at_ms: u64) {
        pending.get_mut(key).unwrap().progress.state = state;
        pending.ended(key, at_ms);
    }

    #[test]
    fn indexes() {
        let mut pending = Pending::default();
        let sequence = Slot::Sequence(Sequence(5));
        let ticket = Slot::Ticket(Sequence(5));
        let a = add(&mut pending, 1, 1, sequence, 10);
        let b = add(&mut pending, 2, 1, sequence, 11);
        let c = add(&mut pending, 3, 1, ticket, 12);
        let d = add(&mut pending, 4, 2, sequence, 0);
        let address = AccountId([1; 20]).to_string();
        assert_eq!(pending.on_slot(&address, sequence).collect::<Vec<_>>(), [b, a]);
        assert_eq!(pending.on_slot(&address, ticket).collect::<Vec<_>>(), [c]);
        assert_eq!(pending.on_slot("rNobody", ticket).count(), 0);
        assert_eq!(pending.rivals(a).collect::<Vec<_>>(), [b]);
        assert_eq!(pending.find(TxHash([3; 32])), Some(c));
        assert_eq!(pending.take_last_ledger_below(12), [a, b]);
        assert_eq!(pending.take_last_ledger_below(12), []);
        assert_eq!(pending.take_old(|entry| entry.created_at_ms < 3), [a, b]);
        assert_eq!(pending.oldest().unwrap().hash, TxHash([3; 32]));

        end(&mut pending, a, State::Validated, 100);
        end(&mut pending, c, State::Validated, 100);
        assert_eq!(pending.forget(100, 9, 0), 0);
        assert_eq!(pending.forget(101, 9, 0), 2);
        assert!(pending.get(a).is_none() && pending.find(TxHash([1; 32])).is_none());
        assert_eq!(pending.on_slot(&address, sequence).collect::<Vec<_>>(), [b]);
        // The place is used again; the old key does not reach the new one.
        let e = add(&mut pending, 5, 1, sequence, 0);
        assert!(pending.get(a).is_none() && pending.get(c).is_none());
        assert_eq!(pending.on_slot(&address, sequence).collect::<Vec<_>>(), [e, b]);
        assert_eq!(pending.rivals(d).count(), 0);
    }

    #[test]
    fn a_last_ledger_far_away_does_not_keep_what_is_forgotten() {
        let mut pending = Pending::default();
        for n in 0..200 {
            let key = add(&mut pending, n, n, Slot::Sequence(Sequence(1)), 4_000_000);
            end(&mut pending, key, State::Validated, 0);
            pending.forget(1, 0, 0);
        }
        assert!(pending.by_last_ledger[&4_000_000].keys.len() < 100);
        assert_eq!((pending.places.len(), pending.accounts.len()), (1, 1), "places are used again");
    }

    #[test]
    fn hashes_that_begin_alike_are_told_apart() {
        let mut pending = Pending::default();
        let hash = |n: u8| {
            let mut bytes = [1; 32];
            bytes[31] = n;
            TxHash(bytes)
        };
        let slot = Slot::Sequence(Sequence(1));
        let mut keys = Vec::new();
        for n in 0..3 {
            assert_eq!(pending.find(hash(n)), None);
            let key = add(&mut pending, n, n, slot, 0);
            // As if it had been submitted with this hash.
            pending.by_hash.remove(TxHash([n; 32]));
            pending.get_mut(key).unwrap().hash = hash(n);
            let index = key.index;
            pending.by_hash.insert(hash(n), index);
            keys.push(key);
        }
        for n in 0..3 {
            assert_eq!(pending.find(hash(n)), Some(keys[n as usize]));
        }
        pending.remove(keys[0]);
        assert_eq!(pending.find(hash(0)), None);
        assert_eq!(pending.find(hash(2)), Some(keys[2]));
        pending.remove(keys[2]);
        assert_eq!((pending.find(hash(2)), pending.find(hash(1))), (None, Some(keys[1])));
        assert_eq!(pending.len(), 1);
    }

    /// What a node's word ended stays while a node may try it; what a ledger ended need not, however
    /// far away its last ledger is.
    #[test]
    fn what_a_ledger_may_overturn_stays() {
        let far = 4_000_000;
        let mut pending = Pending::default();
        let refused = |pending: &mut Pending, n, last| {
            let key = add(pending, n, n, Slot::Sequence(Sequence(1)), last);
            let evidence =
                Evidence::RefusedByNode { engine_result: ResultName::new("temMALFORMED") };
            pending.get_mut(key).unwrap().progress.evidence = Some(Box::new(evidence));
            end(pending, key, State::Rejected, 0);
        };
        refused(&mut pending, 1, 50);
        assert_eq!(pending.forget(0, 0, 50), 0, "beyond the capacity too");
        assert_eq!(pending.forget(u64::MAX, 0, 1 + TRIED_AGAIN), 0);
        assert_eq!(pending.forget(0, 0, 51), 1, "its last ledger has passed");
        for last in [far, 0] {
            refused(&mut pending, 2, last);
            assert_eq!(pending.forget(0, 0, 2 + TRIED_AGAIN), 0, "within the retention");
            assert_eq!(pending.forget(u64::MAX, 0, 2 + TRIED_AGAIN), 1, "tried no more");
        }
        let a = add(&mut pending, 3, 3, Slot::Sequence(Sequence(1)), far);
        let by = Evidence::SequenceConsumed { by: TxHash([9; 32]), ledger: LedgerIndex(2) };
        pending.get_mut(a).unwrap().progress.evidence = Some(Box::new(by));
        end(&mut pending, a, State::Rejected, 0);
        assert_eq!(pending.forget(0, 1, 2), 0);
        assert_eq!(pending.forget(0, 0, 2), 1);
        assert_eq!(pending.len(), 0);
        assert!(pending.account_by_text.is_empty() && pending.by_slot.is_empty());
    }
}
