//! Others who use the network.

use std::sync::Arc;

use rand::{SeedableRng, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use xrpl_protocol::{
    AccountId, Drops, Sequence, fields,
    keys::{KeyPair, KeyType, Seed},
    transaction::{AccountSet, Common, Direct, Payment, Slot},
};

use super::{Inner, Seat};
use crate::{
    ledger::{PreparedTx, ReadView},
    node::Node,
};

/// What others pay so that their transactions enter any open ledger.
const FOREIGN_FEE: u64 = 50_000_000;

impl Inner {
    /// Somebody hands in what once was sent: blobs are no secret.
    pub(super) fn replay(&self, seat: &Seat, count: u32) {
        let blobs = self.received.public();
        let mut rng = ChaCha8Rng::seed_from_u64(self.plan.seed ^ blobs.len() as u64);
        for _ in 0..count {
            let Some(blob) = blobs.choose(&mut rng) else { return };
            // What is no transaction was refused then, too.
            if let Ok(tx) = PreparedTx::parse_and_check(blob) {
                seat.server.with_node(|node| node.submit(tx, false));
            }
        }
    }

    /// Transactions of others enter the open ledger: what pays less has to queue.
    pub(super) fn fill(&self, node: usize, count: u32) {
        self.seats[node].server.with_node(|node| {
            for _ in 0..count {
                self.others_send(node, &AccountSet::default());
            }
        });
    }

    pub(super) fn others_pay(&self, node: &mut Node, account: AccountId, amount: Drops) {
        self.others_send(node, &Payment::xrp(account, amount));
    }

    /// A transaction of others, which pays enough for any open ledger.
    fn others_send(&self, node: &mut Node, tx: &impl Direct) {
        let account = self.foreign.account_id();
        let root = node.current().account(account);
        let Some(sequence) = root.and_then(|root| root.u32(fields::SEQUENCE)) else { return };
        let common = Common {
            account,
            slot: Slot::Sequence(Sequence(sequence)),
            fee: Drops(FOREIGN_FEE),
            flags: 0,
            last_ledger: None,
            network_id: Some(node.network_id()).filter(|id| *id > 1024),
            source_tag: None,
        };
        if let Ok(tx) = PreparedTx::parse(&tx.sign(&common, &self.foreign).blob) {
            node.submit(Arc::new(tx), false);
        }
    }
}

/// Gives the others what they pay with.
pub(super) fn fund(node: &mut Node, account: AccountId) {
    let genesis =
        KeyPair::from_seed(&Seed::from_passphrase("masterpassphrase", KeyType::Secp256k1));
    let common = Common {
        account: genesis.account_id(),
        slot: Slot::Sequence(Sequence(1)),
        fee: Drops(10),
        flags: 0,
        last_ledger: None,
        network_id: Some(node.network_id()).filter(|id| *id > 1024),
        source_tag: None,
    };
    let payment = Payment::xrp(account, Drops::from_xrp(1_000_000_000));
    if let Ok(tx) = PreparedTx::parse(&payment.sign(&common, &genesis).blob) {
        node.submit(Arc::new(tx), false);
    }
}
