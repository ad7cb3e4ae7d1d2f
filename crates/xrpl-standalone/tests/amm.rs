//! AMMs where no recording shows a rule: pools with more trust lines than one transaction deletes,
//! and pools of MPTs. Each number here is computed by hand.

mod bed;

use bed::{Bed, key};
use xrpl_protocol::{
    AccountId, Amount, Currency, EngineResult, Issue, MptId, Object, Value, fields,
    keys::{KeyPair, KeyType, Seed},
    object_id,
};
use xrpl_standalone::{
    ledger::{ReadView, amendment},
    node::NodeConfig,
    txq::QueueSetup,
};

const PAYMENT: u16 = 0;
const ACCOUNT_SET: u16 = 3;
const TRUST_SET: u16 = 20;
const AMM_CLAWBACK: u16 = 31;
const AMM_CREATE: u16 = 35;
const AMM_DEPOSIT: u16 = 36;
const AMM_WITHDRAW: u16 = 37;
const AMM_DELETE: u16 = 40;
const MPT_ISSUANCE_CREATE: u16 = 54;
const MPT_AUTHORIZE: u16 = 57;

const LP_TOKEN: u32 = 0x0001_0000;
const WITHDRAW_ALL: u32 = 0x0002_0000;
const SINGLE_ASSET: u32 = 0x0008_0000;
const TWO_ASSET: u32 = 0x0010_0000;
const TWO_ASSET_IF_EMPTY: u32 = 0x0080_0000;

const DONE: EngineResult = EngineResult::TES_SUCCESS;

fn usd(value: &str) -> Amount {
    amount(value, "USD".parse().unwrap(), key(1).account_id())
}

fn amount(value: &str, currency: Currency, issuer: AccountId) -> Amount {
    Amount::Issued { value: value.parse().unwrap(), currency, issuer }
}

/// A ledger with a pool that account 2 made. Account 1 issues what is in it besides XRP.
struct Pool {
    bed: Bed,
    other: Issue,
}

impl Pool {
    fn send(&mut self, tx: Object, from: &KeyPair) -> EngineResult {
        self.bed.sign_and_submit(tx, from)
    }

    fn settled(&mut self, tx: Object, from: &KeyPair) {
        assert_eq!(self.send(tx, from), DONE);
        self.bed.close();
    }

    fn create(&mut self, xrp: i64, other: Amount) {
        let increment = NodeConfig::default().fees.increment;
        let tx = self
            .bed
            .of(AMM_CREATE, &key(2))
            .with(fields::FEE, Amount::Xrp(i64::try_from(increment).unwrap()))
            .with(fields::AMOUNT, Amount::Xrp(xrp))
            .with(fields::AMOUNT2, other)
            .with(fields::TRADING_FEE, 0u16);
        self.settled(tx, &key(2));
    }

    /// A transaction on the pool.
    fn of(&self, kind: u16, from: &KeyPair, flags: u32) -> Object {
        self.bed
            .of(kind, from)
            .with(fields::FLAGS, flags)
            .with(fields::ASSET, Value::Issue(Issue::Xrp))
            .with(fields::ASSET2, Value::Issue(self.other))
    }

    fn amm(&self) -> Option<Object> {
        let amm = self.bed.node.current().read(&object_id::amm(Issue::Xrp, self.other));
        amm.map(|amm| Object::clone(&*amm))
    }

    fn account(&self) -> AccountId {
        self.amm().unwrap().account(fields::ACCOUNT).unwrap()
    }

    fn lp_tokens(&self) -> Amount {
        self.amm().unwrap().amount(fields::LP_TOKEN_BALANCE).unwrap()
    }

    /// So many of the pool's LP tokens.
    fn lp(&self, value: &str) -> Amount {
        let Amount::Issued { currency, issuer, .. } = self.lp_tokens() else { panic!("no tokens") };
        amount(value, currency, issuer)
    }

    /// How many of the account's entries are left.
    fn owned(&self, account: AccountId) -> usize {
        let state = &self.bed.node.closed().state;
        let lines = state.iter().filter(|(_, entry)| {
            [fields::LOW_LIMIT, fields::HIGH_LIMIT].iter().any(|side| {
                matches!(entry.amount(*side), Some(Amount::Issued { issuer, .. }) if issuer == account)
            })
        });
        lines.count()
    }
}

fn holder(n: u16) -> KeyPair {
    let mut entropy = [0xaa; 16];
    entropy[..2].copy_from_slice(&n.to_be_bytes());
    KeyPair::from_seed(&Seed::from_entropy(entropy, KeyType::Ed25519))
}

/// An empty pool is deleted in pieces of 512 entries. What is left of it may be filled again.
#[test]
fn a_pool_with_many_lines_is_deleted_in_pieces() {
    const HOLDERS: u16 = 1_700;
    let mut pool = Pool { bed: Bed::new(roomy(vec![])), other: usd("0").issue() };
    for n in [1, 2] {
        let pay = pool.bed.payment(&bed::genesis(), key(n).account_id(), 1_000_000_000);
        assert_eq!(pool.bed.submit(&pay), DONE);
    }
    for n in 0..HOLDERS {
        let pay = pool.bed.payment(&bed::genesis(), holder(n).account_id(), 100_000_000);
        assert_eq!(pool.bed.submit(&pay), DONE);
    }
    pool.bed.close();
    let ripple = pool.bed.of(ACCOUNT_SET, &key(1)).with(fields::SET_FLAG, 8u32);
    pool.settled(ripple, &key(1));
    let trust = pool.bed.of(TRUST_SET, &key(2)).with(fields::LIMIT_AMOUNT, usd("1000"));
    pool.settled(trust, &key(2));
    let pay = pool.bed.of(PAYMENT, &key(1)).with(fields::DESTINATION, key(2).account_id());
    pool.settled(pay.with(fields::AMOUNT, usd("200")), &key(1));
    pool.create(10_000, usd("100"));
    let account = pool.account();
    assert_eq!(pool.lp_tokens(), pool.lp("1000"));
    for n in 0..HOLDERS {
        let from = holder(n);
        let trust = pool.bed.of(TRUST_SET, &from).with(fields::LIMIT_AMOUNT, pool.lp("500"));
        assert_eq!(pool.send(trust, &from), DONE);
    }
    pool.bed.close();
    // The pool's USD and the LP tokens of account 2, besides those.
    assert_eq!(pool.owned(account), 1_702);

    let all = pool.of(AMM_WITHDRAW, &key(2), WITHDRAW_ALL);
    pool.settled(all, &key(2));
    assert_eq!(pool.lp_tokens(), pool.lp("0"));
    // Those two went with what they held. The AMM's own entry is one of the 512.
    assert_eq!(pool.owned(account), 1_700 - 511);

    // Nobody can take a share of nothing; who fills the pool owns all of it.
    let refill = |pool: &Pool, flags| {
        let tx = pool.of(AMM_DEPOSIT, &key(2), flags);
        tx.with(fields::AMOUNT, Amount::Xrp(40_000)).with(fields::AMOUNT2, usd("100"))
    };
    let tx = refill(&pool, TWO_ASSET);
    assert_eq!(pool.send(tx, &key(2)), EngineResult::TEC_AMM_EMPTY);
    pool.bed.close();
    let tx = refill(&pool, TWO_ASSET_IF_EMPTY).with(fields::TRADING_FEE, 7u16);
    pool.settled(tx, &key(2));
    assert_eq!(pool.lp_tokens(), pool.lp("2000"));
    assert_eq!(pool.amm().unwrap().u16(fields::TRADING_FEE), Some(7));
    let tx = pool.of(AMM_DELETE, &key(1), 0);
    assert_eq!(pool.send(tx, &key(1)), EngineResult::TEC_AMM_NOT_EMPTY);
    pool.bed.close();
    let all = pool.of(AMM_WITHDRAW, &key(2), WITHDRAW_ALL);
    pool.settled(all, &key(2));
    assert_eq!(pool.owned(account), 1_700 - 2 * 511);
    let tx = pool.of(AMM_DELETE, &key(1), 0);
    assert_eq!(pool.send(tx, &key(1)), EngineResult::TEC_INCOMPLETE);
    pool.bed.close();
    assert_eq!(pool.owned(account), 1_700 - 3 * 511);
    let tx = pool.of(AMM_DELETE, &key(1), 0);
    pool.settled(tx, &key(1));
    assert!(pool.amm().is_none());
    assert_eq!(pool.owned(account), 0);
    assert!(pool.bed.node.current().account(account).is_none());
    assert_eq!(bed::all_xrp(&pool.bed.node), i128::from(pool.bed.node.closed().header.total_coins));
}

/// A node whose ledgers have room for thousands of transactions.
fn roomy(features: Vec<xrpl_protocol::Hash256>) -> NodeConfig {
    let queue = QueueSetup {
        minimum_txn_in_ledger: 10_000,
        target_txn_in_ledger: 10_000,
        ..QueueSetup::default()
    };
    NodeConfig { queue, features, ..NodeConfig::default() }
}

/// A pool of XRP and an MPT, which has no fee.
#[test]
fn a_pool_may_hold_an_mpt() {
    let mut bed = Bed::new(roomy(vec![amendment::MPTOKENS_V2.id()]));
    for n in [1, 2, 3, 4] {
        let pay = bed.payment(&bed::genesis(), key(n).account_id(), 1_000_000_000);
        assert_eq!(bed.submit(&pay), DONE);
    }
    bed.close();
    let id = MptId::new(bed.sequence(key(1).account_id()), key(1).account_id());
    let mut pool = Pool { bed, other: Issue::Mpt(id) };
    // It can be traded, transferred, and clawed back.
    let tx = pool.bed.of(MPT_ISSUANCE_CREATE, &key(1)).with(fields::FLAGS, 0x70u32);
    pool.settled(tx, &key(1));
    let units = |value| Amount::Mpt { value, id };
    let holding = |pool: &Pool, account: AccountId| {
        let entry = pool.bed.node.current().read(&object_id::mptoken(id, account))?;
        Some(entry.u64(fields::MPT_AMOUNT).unwrap_or_default())
    };
    for (n, value) in [(2, 50_000), (3, 20_000)] {
        let tx = pool
            .bed
            .of(MPT_AUTHORIZE, &key(n))
            .with(fields::MP_TOKEN_ISSUANCE_ID, Value::Hash192(id.0));
        pool.settled(tx, &key(n));
        let tx = pool.bed.of(PAYMENT, &key(1)).with(fields::DESTINATION, key(n).account_id());
        pool.settled(tx.with(fields::AMOUNT, units(value)), &key(1));
    }
    pool.create(1_000_000, units(10_000));
    let account = pool.account();
    let holds = |pool: &Pool, xrp, value, tokens: &str| {
        assert_eq!(pool.bed.balance(account), xrp);
        assert_eq!(holding(pool, account), Some(value));
        assert_eq!(pool.lp_tokens(), pool.lp(tokens));
    };
    holds(&pool, 1_000_000, 10_000, "100000");

    // Half as much again; then of the MPT alone what makes the root of both 1.1 times as large.
    let tx = pool.of(AMM_DEPOSIT, &key(3), TWO_ASSET);
    let tx = tx.with(fields::AMOUNT, Amount::Xrp(500_000)).with(fields::AMOUNT2, units(5_000));
    pool.settled(tx, &key(3));
    holds(&pool, 1_500_000, 15_000, "150000");
    let tx = pool.of(AMM_DEPOSIT, &key(3), SINGLE_ASSET).with(fields::AMOUNT, units(3_150));
    pool.settled(tx, &key(3));
    holds(&pool, 1_500_000, 18_150, "165000");

    // 1 500 000 * 18 150 = 1 650 000 * 16 500.
    let tx = pool.bed.of(PAYMENT, &key(4)).with(fields::DESTINATION, key(3).account_id());
    let tx = tx.with(fields::AMOUNT, units(1_650)).with(fields::SEND_MAX, Amount::Xrp(200_000));
    pool.settled(tx, &key(4));
    holds(&pool, 1_650_000, 16_500, "165000");
    assert_eq!(holding(&pool, key(3).account_id()), Some(20_000 - 8_150 + 1_650));

    // A tenth.
    let tx = pool.of(AMM_WITHDRAW, &key(3), LP_TOKEN);
    let tx = tx.with(fields::LP_TOKEN_IN, pool.lp("16500"));
    pool.settled(tx, &key(3));
    holds(&pool, 1_485_000, 14_850, "148500");

    // What account 3 has, 48 500 LP tokens, is worth 4 850 units and 485 000 drops.
    let before = pool.bed.balance(key(3).account_id());
    let tx = pool
        .bed
        .of(AMM_CLAWBACK, &key(1))
        .with(fields::HOLDER, key(3).account_id())
        .with(fields::ASSET, Value::Issue(Issue::Mpt(id)))
        .with(fields::ASSET2, Value::Issue(Issue::Xrp));
    pool.settled(tx, &key(1));
    holds(&pool, 1_000_000, 10_000, "100000");
    assert_eq!(pool.bed.balance(key(3).account_id()), before + 485_000);
    assert_eq!(holding(&pool, key(3).account_id()), Some(13_500 + 1_650));
    let issuance = pool.bed.node.current().read(&object_id::mpt_issuance(id)).unwrap();
    assert_eq!(issuance.u64(fields::OUTSTANDING_AMOUNT), Some(70_000 - 4_850));

    let all = pool.of(AMM_WITHDRAW, &key(2), WITHDRAW_ALL);
    pool.settled(all, &key(2));
    assert!(pool.amm().is_none());
    assert_eq!(holding(&pool, account), None);
    assert_eq!(holding(&pool, key(2).account_id()), Some(50_000));
    assert!(pool.bed.node.current().account(account).is_none());
    assert_eq!(bed::all_xrp(&pool.bed.node), i128::from(pool.bed.node.closed().header.total_coins));
}
