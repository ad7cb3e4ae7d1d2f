//! Somebody else who hands transactions to the tracker, as callers of the API do: on accounts of
//! their own and on Tickets of the run's accounts, with keys that come and go. Blobs that were sent
//! before, that live too long or are dead on arrival, and payments signed by what is not a key of
//! the account yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use rand::{RngExt as _, SeedableRng, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value as Json, json};
use tokio::{sync::watch, time};
use tokio_util::sync::CancellationToken;
use xrpl_generator::accounts::{Role, derive};
use xrpl_protocol::{
    AccountId, Definitions, Drops, Object, TxHash, fields,
    keys::{KeyPair, KeyType, Seed},
    object_id,
    sign::{SignedTransaction, sign},
};
use xrpl_standalone::{
    faults::Network,
    ledger::{ClosedLedger, PreparedTx, ReadView},
};
use xrpl_tracker::{Submission, Tracker};

use crate::recorder::Written;

/// Tickets of an account below this distance from its Sequence are looked for.
const TICKETS_BACK: u32 = 80;
/// What a stranger has, in XRP.
const WEALTH: u64 = 100_000;

/// What somebody who owns a key can sign for.
#[derive(Clone)]
struct Owner {
    id: AccountId,
    master: KeyPair,
}

/// Where the tracker of the moment is; none while the program is down.
pub type Door = watch::Receiver<Option<Tracker>>;

/// See the module.
pub struct Meddler {
    network: Arc<Network>,
    door: Door,
    written: Arc<Mutex<Written>>,
    rng: ChaCha8Rng,
    strangers: Vec<Owner>,
    /// Accounts of the run whose Tickets are used.
    robbed: Vec<Owner>,
    keys: Vec<KeyPair>,
    sent: Vec<Arc<[u8]>>,
    /// The newest ledger when each was signed.
    signed_at: BTreeMap<TxHash, u32>,
}

fn key(name: &str) -> KeyPair {
    KeyPair::from_seed(&Seed::from_passphrase(name, KeyType::Ed25519))
}

impl Meddler {
    /// Gives the strangers what they need. `robbed` says how many users of the run lose Tickets.
    pub fn new(
        seed: u64,
        robbed: u32,
        network: &Arc<Network>,
        door: Door,
        written: &Arc<Mutex<Written>>,
    ) -> Self {
        let owner = |master: KeyPair| Owner { id: master.account_id(), master };
        let strangers: Vec<_> =
            ["stranger 0", "stranger 1"].iter().map(|name| owner(key(name))).collect();
        for stranger in &strangers {
            network.pay(stranger.id, Drops::from_xrp(WEALTH));
        }
        let run = format!("simulation {seed}");
        let of_run = |n| owner(KeyPair::from_seed(&derive(&run, Role::User, n, KeyType::Ed25519)));
        Self {
            network: Arc::clone(network),
            door,
            written: Arc::clone(written),
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0x3EDD),
            strangers,
            robbed: (0..robbed).map(of_run).collect(),
            keys: ["key 0", "key 1", "key 2"].iter().map(|name| key(name)).collect(),
            sent: Vec::new(),
            signed_at: BTreeMap::new(),
        }
    }

    /// The accounts that belong to nobody else.
    pub fn strangers(&self) -> BTreeSet<AccountId> {
        self.strangers.iter().map(|owner| owner.id).collect()
    }

    /// Meddles until told to stop.
    pub async fn run(mut self, stop: CancellationToken) -> Self {
        loop {
            let pause = Duration::from_millis(self.rng.random_range(100..2_500));
            tokio::select! {
                biased;
                () = stop.cancelled() => return self,
                () = time::sleep(pause) => {}
            }
            let acts = async {
                if !self.robbed.is_empty() && self.rng.random_range(0..3) == 0 {
                    self.rob().await;
                } else {
                    self.act().await;
                }
            };
            // A submission may take as long as a request may.
            tokio::select! {
                biased;
                () = stop.cancelled() => return self,
                () = acts => {}
            }
        }
    }

    fn ledger(&self) -> Arc<ClosedLedger> {
        // The truth, not what some node believes.
        self.network.newest()
    }

    fn tickets(ledger: &ClosedLedger, id: AccountId) -> Vec<u32> {
        let next = sequence(ledger, id).unwrap_or_default();
        let has = |n: &u32| ledger.exists(&object_id::ticket(id, *n));
        (next.saturating_sub(TICKETS_BACK)..next).filter(has).collect()
    }

    /// Does something with an account of its own.
    async fn act(&mut self) {
        let Some(owner) = self.strangers.choose(&mut self.rng).cloned() else { return };
        let ledger = self.ledger();
        let Some(next) = sequence(&ledger, owner.id) else { return };
        let tickets = Self::tickets(&ledger, owner.id);
        let ticket = tickets.choose(&mut self.rng).copied();
        let head = ledger.header.index;
        let soon = head + self.rng.random_range(2..12);
        let stranger = self.keys.choose(&mut self.rng).cloned();
        match (self.rng.random_range(0..10), ticket, stranger) {
            (0..2, _, _) | (_, None, _) => {
                let make = json!({"TransactionType": "TicketCreate", "TicketCount": 4});
                self.send(&owner, &owner.master, make, (next, None), Some(soon)).await;
            }
            // A payment signed by what may become the account's key before it is too late.
            (2..4, Some(ticket), Some(signer)) => {
                self.send(&owner, &signer, self.payment(), (next, None), Some(soon + 6)).await;
                let set = set_key(Some(&signer));
                self.send(&owner, &owner.master, set, (0, Some(ticket)), Some(soon)).await;
            }
            (4, Some(ticket), signer) => {
                let set = set_key(signer.as_ref().filter(|_| head.is_multiple_of(2)));
                self.send(&owner, &owner.master, set, (0, Some(ticket)), Some(soon)).await;
            }
            (5, Some(ticket), _) => {
                let change = self.meddling();
                self.send(&owner, &owner.master, change, (0, Some(ticket)), Some(soon)).await;
            }
            // It lives longer than anybody waits, or for ever.
            (6, _, Some(signer)) => {
                let far = [None, Some(head + 500)].choose(&mut self.rng).copied().flatten();
                let by =
                    if self.rng.random_range(0..2) == 0 { signer } else { owner.master.clone() };
                self.send(&owner, &by, self.payment(), (next, None), far).await;
            }
            // It is over before it begins.
            (7, _, _) => {
                let past = head.saturating_sub(self.rng.random_range(0..6));
                self.send(&owner, &owner.master, self.payment(), (next, None), Some(past)).await;
            }
            _ => {
                // Once more what was sent before, by here or by the run.
                let run = self.network.public_blobs();
                let blobs = if self.rng.random_range(0..4) == 0 { &run } else { &self.sent };
                let Some(blob) = blobs.choose(&mut self.rng).cloned() else { return };
                self.hand_in(&blob).await;
            }
        }
    }

    /// Uses a Ticket of one of the run's accounts, of which the run believes that it has it.
    async fn rob(&mut self) {
        let Some(owner) = self.robbed.choose(&mut self.rng).cloned() else { return };
        let ledger = self.ledger();
        let tickets = Self::tickets(&ledger, owner.id);
        let Some(ticket) = tickets.choose(&mut self.rng).copied() else { return };
        let change = self.meddling();
        let soon = ledger.header.index + self.rng.random_range(2..8);
        self.send(&owner, &owner.master, change, (0, Some(ticket)), Some(soon)).await;
    }

    fn payment(&self) -> Json {
        let to = self.strangers[self.sent.len() % self.strangers.len()].id;
        let to = if self.sent.len().is_multiple_of(3) { self.keys[0].account_id() } else { to };
        json!({"TransactionType": "Payment", "Destination": to.to_string(), "Amount": "20000000"})
    }

    /// What changes who may sign, or who may pay.
    fn meddling(&mut self) -> Json {
        let signers: Vec<Json> = (0..2)
            .map(|n| {
                let account = self.keys[n].account_id().to_string();
                json!({"SignerEntry": {"Account": account, "SignerWeight": 1}})
            })
            .collect();
        match self.rng.random_range(0..5) {
            0 => set_key(self.keys.choose(&mut self.rng)),
            1 => set_key(None),
            2 => json!({"TransactionType": "SignerListSet", "SignerQuorum": 2,
                        "SignerEntries": signers}),
            3 => json!({"TransactionType": "AccountSet", "SetFlag": 9}),
            _ => json!({"TransactionType": "AccountSet", "ClearFlag": 9}),
        }
    }

    async fn send(
        &mut self,
        owner: &Owner,
        by: &KeyPair,
        tx: Json,
        (sequence, ticket): (u32, Option<u32>),
        last: Option<u32>,
    ) {
        // Now and then too little for a full ledger.
        let fee = if self.rng.random_range(0..4) == 0 { 10 } else { 2_000 };
        let signed = signed(owner.id, by, tx, (sequence, ticket), last, fee);
        let blob: Arc<[u8]> = signed.blob.into();
        self.written.lock().strange.insert(signed.hash);
        self.signed_at.insert(signed.hash, self.ledger().header.index);
        if self.rng.random_range(0..5) == 0 {
            // Past the tracker, which is asked about it later.
            let node = self.rng.random_range(0..4);
            if let Ok(tx) = PreparedTx::parse_and_check(&blob) {
                self.network.with_node(node, |node| drop(node.submit(tx, false)));
            }
        } else {
            self.hand_in(&blob).await;
        }
        self.sent.push(blob);
    }

    /// The newest ledger when a transaction of the meddler's was signed.
    pub fn signed_at(&self, hash: &TxHash) -> Option<u32> {
        self.signed_at.get(hash).copied()
    }

    /// Hands in what was sent past the tracker.
    pub async fn tell_all(&self) {
        for blob in &self.sent {
            self.hand_in(blob).await;
        }
    }

    async fn hand_in(&self, blob: &[u8]) {
        let Some(tracker) = self.door.borrow().clone() else { return };
        // Refused while the program goes down; it is all the same to a caller.
        let _ = tracker.submit(Submission::new(blob.to_vec())).await;
    }

    /// Gives every slot that something is still undecided about to something that is decided, so
    /// that the run can come to its end.
    pub async fn clean_up(&mut self, open: &[(AccountId, bool, u32)]) {
        let ledger = self.ledger();
        for owner in self.strangers.clone().iter().chain(&self.robbed.clone()) {
            let mine = open.iter().filter(|(account, ..)| *account == owner.id);
            let next = sequence(&ledger, owner.id).unwrap_or_default();
            let own = self.strangers.iter().any(|stranger| stranger.id == owner.id);
            for (_, ticket, number) in mine {
                let idle = json!({"TransactionType": "AccountSet"});
                let slot = match ticket {
                    true if ledger.exists(&object_id::ticket(owner.id, *number)) => {
                        (0, Some(*number))
                    }
                    false if own && next == *number => (*number, None),
                    _ => continue,
                };
                let signed = signed(owner.id, &owner.master, idle, slot, None, 1_000_000);
                self.written.lock().strange.insert(signed.hash);
                self.hand_in(&signed.blob).await;
            }
        }
    }
}

fn sequence(ledger: &ClosedLedger, id: AccountId) -> Option<u32> {
    ledger.account(id)?.u32(fields::SEQUENCE)
}

fn set_key(key: Option<&KeyPair>) -> Json {
    match key {
        Some(key) => {
            let key = key.account_id().to_string();
            json!({"TransactionType": "SetRegularKey", "RegularKey": key})
        }
        None => json!({"TransactionType": "SetRegularKey"}),
    }
}

fn signed(
    account: AccountId,
    by: &KeyPair,
    mut tx: Json,
    (sequence, ticket): (u32, Option<u32>),
    last: Option<u32>,
    fee: u64,
) -> SignedTransaction {
    tx["Account"] = account.to_string().into();
    tx["Sequence"] = sequence.into();
    tx["Fee"] = fee.to_string().into();
    if let Some(ticket) = ticket {
        tx["TicketSequence"] = ticket.into();
    }
    if let Some(last) = last {
        tx["LastLedgerSequence"] = last.into();
    }
    let tx = Object::from_json(&tx, Definitions::builtin()).expect("it is well-formed");
    sign(tx, by)
}
