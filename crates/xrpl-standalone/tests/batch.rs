//! Batch where no recording shows it.

mod bed;

use bed::{Bed, all_xrp, genesis, key};
use xrpl_protocol::{
    AccountId, Amount, EngineResult, Object, Sequence, Value, fields,
    keys::KeyPair,
    sign::{batch_message, sign, sign_batch},
    transaction::Slot,
};
use xrpl_standalone::{
    ledger::{PreparedTx, ReadView, amendment},
    node::NodeConfig,
    txq::QueueSetup,
};

const PAYMENT: u16 = 0;
const ACCOUNT_SET: u16 = 3;
const BATCH: u16 = 71;

/// Accounts agree to a Batch by signing it, also one that its first transaction creates; without the
/// signature, or for other contents, there is no Batch.
#[test]
fn a_batch_creates_an_account_and_acts_for_it() {
    let features = vec![amendment::BATCH_V1_1.id()];
    let mut bed = Bed::new(NodeConfig { features, ..NodeConfig::default() });
    let (from, new) = (genesis(), key(7));
    let inner = |bed: &Bed, from: &KeyPair, sequence: u32, to: AccountId, drops: i64| {
        let inner = bed
            .of(PAYMENT, from)
            .with(fields::FLAGS, 0x4000_0000u32)
            .with(fields::SEQUENCE, sequence)
            .with(fields::FEE, Amount::Xrp(0))
            .with(fields::SIGNING_PUB_KEY, Vec::<u8>::new())
            .with(fields::DESTINATION, to)
            .with(fields::AMOUNT, Amount::Xrp(drops));
        (fields::RAW_TRANSACTION, inner)
    };
    let batch = |bed: &Bed, drops: i64| {
        let sequence = bed.sequence(from.account_id());
        let created_in = bed.node.current().info().index;
        let mut tx = bed
            .of(BATCH, &from)
            .with(fields::FLAGS, 0x0001_0000u32)
            .with(fields::FEE, Amount::Xrp(50));
        let raw = vec![
            inner(bed, &from, sequence + 1, new.account_id(), 50_000_000),
            inner(bed, &new, created_in, from.account_id(), drops),
        ];
        tx.set(fields::RAW_TRANSACTIONS, Value::Array(raw));
        tx
    };
    let hashes = |tx: &Object| -> Vec<_> {
        let raw = tx.array(fields::RAW_TRANSACTIONS).unwrap();
        raw.iter().map(|(_, tx)| xrpl_protocol::hash::transaction_hash(&tx.encode())).collect()
    };
    let agreed = |mut tx: Object, signed: &Object| {
        let slot = Slot::Sequence(Sequence(tx.u32(fields::SEQUENCE).unwrap()));
        let message = batch_message(from.account_id(), slot, 0x0001_0000, &hashes(signed));
        let signer = sign_batch(&message, new.account_id(), &new);
        tx.set(fields::BATCH_SIGNERS, Value::Array(vec![(fields::BATCH_SIGNER, signer)]));
        sign(tx, &from).blob
    };
    let tx = batch(&bed, 1_000_000);
    assert_eq!(bed.sign_and_submit(tx.clone(), &from), EngineResult::TEM_BAD_SIGNER);
    let forged = PreparedTx::parse_and_check(&agreed(tx.clone(), &batch(&bed, 2_000_000)));
    assert_eq!(forged.unwrap_err().to_string(), "fails local checks: Invalid signature.");
    assert_eq!(bed.submit(&agreed(tx.clone(), &tx)), EngineResult::TES_SUCCESS);
    // Only the Batch itself is in the open ledger.
    assert!(bed.node.current().account(new.account_id()).is_none());
    assert_eq!(bed.close(), 3);
    assert_eq!(bed.balance(new.account_id()), 49_000_000);
    assert_eq!(bed.sequence(from.account_id()), 3);
    // Together or not at all.
    let tx = batch(&bed, 1_000_000_000);
    assert_eq!(bed.submit(&agreed(tx.clone(), &tx)), EngineResult::TES_SUCCESS);
    assert_eq!(bed.close(), 1);
    assert_eq!(bed.balance(new.account_id()), 49_000_000);
    assert_eq!(all_xrp(&bed.node), i128::from(bed.node.closed().header.total_coins));
}

/// A Batch moves Sequences of several accounts; what the queue expects of one it cannot.
#[test]
fn a_batch_is_never_queued() {
    let queue = QueueSetup {
        minimum_txn_in_ledger: 1,
        target_txn_in_ledger: 1,
        maximum_txn_in_ledger: Some(1),
        ..QueueSetup::default()
    };
    let features = vec![amendment::BATCH_V1_1.id()];
    let mut bed = Bed::new(NodeConfig { queue, features, ..NodeConfig::default() });
    let from = genesis();
    for n in [1, 2] {
        let pay = bed.payment(&from, key(n).account_id(), 20_000_000);
        assert_eq!(bed.submit(&pay), EngineResult::TES_SUCCESS);
    }
    let sequence = bed.sequence(from.account_id());
    let raw = [1, 2].map(|n| {
        let inner = bed
            .of(ACCOUNT_SET, &from)
            .with(fields::FLAGS, 0x4000_0000u32)
            .with(fields::SEQUENCE, sequence + n)
            .with(fields::FEE, Amount::Xrp(0))
            .with(fields::SIGNING_PUB_KEY, Vec::<u8>::new());
        (fields::RAW_TRANSACTION, inner)
    });
    let mut tx =
        bed.of(BATCH, &from).with(fields::FLAGS, 0x0008_0000u32).with(fields::FEE, Amount::Xrp(40));
    tx.set(fields::RAW_TRANSACTIONS, Value::Array(raw.to_vec()));
    assert_eq!(bed.sign_and_submit(tx, &from), EngineResult::TEL_CAN_NOT_QUEUE);
    let pay = bed.payment(&from, key(3).account_id(), 20_000_000);
    assert_eq!(bed.submit(&pay), EngineResult::TER_QUEUED);
}
