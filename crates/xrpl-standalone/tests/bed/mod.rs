//! A node with accounts, for tests of single behaviours.
#![allow(dead_code)] // Not every test that shares this file needs all of it.

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Object, fields,
    keys::{KeyPair, KeyType, Seed},
    sign::sign,
};
use xrpl_standalone::{
    ledger::{PreparedTx, ReadView},
    node::{Node, NodeConfig},
};

const PAYMENT: u16 = 0;

pub(crate) fn key(n: u8) -> KeyPair {
    let kind = if n.is_multiple_of(2) { KeyType::Ed25519 } else { KeyType::Secp256k1 };
    KeyPair::from_seed(&Seed::from_entropy([n; 16], kind))
}

pub(crate) fn genesis() -> KeyPair {
    KeyPair::from_seed(&"snoPBrXtMeMyMHUVTgbuqAfg1SUTb".parse().unwrap())
}

pub(crate) struct Bed {
    pub(crate) node: Node,
    pub(crate) clock: u32,
}

impl Bed {
    pub(crate) fn new(config: NodeConfig) -> Self {
        let clock = config.start_time;
        Self { node: Node::new(config), clock }
    }

    /// A ledger with accounts 1 to `n`, funded with 1000 XRP each.
    pub(crate) fn funded(n: u8) -> Self {
        let mut bed = Self::new(NodeConfig::default());
        for i in 1..=n {
            let pay = bed.payment(&genesis(), key(i).account_id(), 1_000_000_000);
            assert_eq!(bed.submit(&pay), EngineResult::TES_SUCCESS);
        }
        bed.close();
        bed
    }

    pub(crate) fn close(&mut self) -> usize {
        self.clock += 4;
        self.node.accept(self.clock).transactions.len()
    }

    pub(crate) fn sequence(&self, account: AccountId) -> u32 {
        let root = self.node.current().account(account);
        root.and_then(|root| root.u32(fields::SEQUENCE)).unwrap_or_default()
    }

    pub(crate) fn balance(&self, account: AccountId) -> i64 {
        let root = self.node.current().account(account);
        root.and_then(|root| root.amount(fields::BALANCE)?.drops()).unwrap_or_default()
    }

    pub(crate) fn of(&self, kind: u16, key: &KeyPair) -> Object {
        Object::new()
            .with(fields::TRANSACTION_TYPE, kind)
            .with(fields::FLAGS, 0u32)
            .with(fields::ACCOUNT, key.account_id())
            .with(fields::SEQUENCE, self.sequence(key.account_id()))
            .with(fields::FEE, Amount::Xrp(10))
    }

    pub(crate) fn payment(&self, from: &KeyPair, to: AccountId, drops: i64) -> Vec<u8> {
        let tx = self.of(PAYMENT, from).with(fields::DESTINATION, to);
        sign(tx.with(fields::AMOUNT, Amount::Xrp(drops)), from).blob
    }

    pub(crate) fn submit(&mut self, blob: &[u8]) -> EngineResult {
        let tx = PreparedTx::parse_and_check(blob).unwrap();
        self.node.submit(tx, false).engine_result
    }

    pub(crate) fn sign_and_submit(&mut self, tx: Object, key: &KeyPair) -> EngineResult {
        self.submit(&sign(tx, key).blob)
    }
}

/// All XRP that accounts have in the last closed ledger, in drops.
pub(crate) fn all_xrp(node: &Node) -> i128 {
    let state = &node.closed().state;
    let balances = state.iter().filter_map(|(_, entry)| entry.amount(fields::BALANCE)?.drops());
    balances.map(i128::from).sum()
}
