use std::{sync::Arc, time::Duration};

use xrpl_protocol::{
    Hash256, Sequence,
    keys::{KeyPair, KeyType, Seed},
    sign::sign,
};
use xrpl_tracker::{
    Intent, Source, ValidatedIn,
    record::{Identity, Progress},
};

use super::*;

fn found(sequence: u32, result: &'static str, tickets: u32) -> Found {
    Found {
        ledger: LedgerIndex(10),
        ledger_hash: Hash256([1; 32]),
        result: Some(result),
        account: key().account_id(),
        slot: (false, sequence),
        fee: 10,
        tickets,
        deletes: false,
    }
}

fn key() -> KeyPair {
    KeyPair::from_seed(&Seed::from_passphrase("audit", KeyType::Ed25519))
}

/// A payment of ours that is in ledger 10.
fn record(sequence: u32) -> Record {
    let account = key().account_id();
    let json = serde_json::json!({
        "TransactionType": "Payment",
        "Account": account.to_string(),
        "Destination": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
        "Amount": "1",
        "Fee": "10",
        "Sequence": sequence,
    });
    let tx = Object::from_json(&json, Definitions::builtin()).unwrap();
    let signed = sign(tx, &key());
    let place = ValidatedIn {
        ledger_index: LedgerIndex(10),
        ledger_hash: Some(Hash256([1; 32])),
        result: xrpl_tracker::ResultName::new("tesSUCCESS"),
        source: Source::Ws,
    };
    Record {
        id: u64::from(sequence),
        run: RunId(1),
        identity: Identity {
            hash: signed.hash,
            account,
            slot: Slot::Sequence(Sequence(sequence)),
            last_ledger_sequence: Some(LedgerIndex(20)),
            transaction_type: "Payment".into(),
            intent: Intent::Valid,
            created_ledger: LedgerIndex(8),
            created_at_ms: 0,
            blob: signed.blob.into(),
            callers_key: None,
            fail_hard: false,
            fresh: true,
        },
        progress: Progress {
            state: State::Validated,
            validated: Some(Box::new(place)),
            ..Progress::created()
        },
    }
}

fn verdict(found: &[(TxHash, Found)], records: &[Record], live: bool) -> Vec<Problem> {
    report(found, records, live, Unseen::default()).problems
}

fn report(found: &[(TxHash, Found)], records: &[Record], live: bool, unseen: Unseen) -> Report {
    let found: HashMap<_, _> = found
        .iter()
        .map(|(hash, tx)| {
            let copy = Found {
                result: tx.result,
                ledger: tx.ledger,
                ledger_hash: tx.ledger_hash,
                account: tx.account,
                slot: tx.slot,
                fee: tx.fee,
                tickets: tx.tickets,
                deletes: tx.deletes,
            };
            (*hash, copy)
        })
        .collect();
    let ours = HashSet::from([key().account_id()]);
    let complete = unseen.0.is_empty();
    let seen = Seen { found, other_hashes: Vec::new(), unseen };
    let report = compare(RunId(1), (9, 12), live, &ours, seen, records, Pruned::default());
    assert_eq!(report.equal, report.problems.is_empty());
    assert_eq!(report.complete, complete);
    report
}

/// Of ledgers that were not seen nothing is said: neither that something is missing in them, nor that
/// it is not.
#[test]
fn what_was_not_seen_is_no_difference() {
    let unseen = |ledgers: &[u32]| {
        let mut unseen = Unseen::default();
        ledgers.iter().for_each(|index| unseen.push(*index));
        unseen
    };
    let mut gone = record(6);
    (gone.progress.state, gone.progress.validated) = (State::Expired, None);
    let records = [record(5), gone];
    let all = report(&[], &records, false, unseen(&[10]));
    assert_eq!((all.problems.len(), all.unchecked, all.equal), (0, 2, true), "{all}");
    assert!(all.to_string().contains("10 to 10 were not seen"), "{all}");
    assert!(all.to_string().ends_with("agree as far as could be seen"), "{all}");
    // The ledger that the store names was seen, and has it not.
    let other = report(&[], &records, false, unseen(&[11, 12]));
    assert_eq!((other.problems.len(), other.unchecked), (1, 1), "{other}");
    assert_eq!(other.unseen.len(), 1, "{other}");
    // Sequences between two others may have been used in it.
    let hashes = [TxHash([1; 32]), TxHash([2; 32])];
    let mut later = found(9, "tesSUCCESS", 0);
    later.ledger = LedgerIndex(12);
    let mut used = Seen::default();
    used.found.insert(hashes[0], found(5, "tesSUCCESS", 0));
    used.found.insert(hashes[1], later);
    assert_eq!(gaps(&used.found, &unseen(&[11])), []);
    assert_eq!(gaps(&used.found, &unseen(&[13])).len(), 1);
}

#[test]
fn books_that_agree() {
    let records = [record(5), record(6)];
    let found = [
        (records[0].identity.hash, found(5, "tesSUCCESS", 0)),
        (records[1].identity.hash, found(6, "tesSUCCESS", 0)),
    ];
    assert_eq!(verdict(&found, &records, false), []);
}

#[test]
fn each_difference_is_told() {
    let good = record(5);
    let hash = good.identity.hash;
    let ledger = LedgerIndex(10);
    let on_ledger = [(hash, found(5, "tesSUCCESS", 0))];
    let account = key().account_id();

    assert_eq!(verdict(&on_ledger, &[], false), [Problem::NotInStore { hash, ledger, account }]);
    let mut lost = record(5);
    (lost.progress.state, lost.progress.validated) = (State::Expired, None);
    let state = State::Expired;
    assert_eq!(
        verdict(&on_ledger, &[lost], false),
        [Problem::NotValidated { hash, ledger, state }]
    );
    assert_eq!(
        verdict(&[], std::slice::from_ref(&good), false),
        [Problem::InNoLedger { hash, ledger: Some(ledger) }]
    );
    let other = [(hash, found(5, "tecPATH_DRY", 0))];
    assert!(matches!(
        verdict(&other, std::slice::from_ref(&good), false)[..],
        [Problem::Differs { what: "result", .. }]
    ));
    let mut dear = found(5, "tesSUCCESS", 0);
    (dear.fee, dear.ledger) = (11, LedgerIndex(11));
    let told = verdict(&[(hash, dear)], std::slice::from_ref(&good), false);
    assert!(matches!(
        told[..],
        [Problem::Differs { what: "ledger_index", .. }, Problem::Differs { what: "fee", .. }]
    ));
    let mut open = record(6);
    (open.progress.state, open.progress.validated) = (State::Submitted, None);
    let (hash, state) = (open.identity.hash, State::Submitted);
    let records = [good, open];
    assert_eq!(verdict(&on_ledger, &records, false), [Problem::Open { hash, state }]);
    assert_eq!(verdict(&on_ledger, &records, true), []);
}

#[test]
fn sequences_leave_no_gap() {
    let records = [record(5), record(9)];
    let hashes = [records[0].identity.hash, records[1].identity.hash];
    let account = key().account_id();
    let gap = Problem::SequenceGap { account, from: 6, to: 9 };
    let of = |tickets, result: &'static str| {
        verdict(
            &[(hashes[0], found(5, result, tickets)), (hashes[1], found(9, "tesSUCCESS", 0))],
            &records,
            false,
        )
    };
    // Three Tickets take Sequences 6 to 8.
    assert_eq!(of(3, "tesSUCCESS"), []);
    assert_eq!(of(0, "tesSUCCESS"), [gap]);
    // A TicketCreate that failed made none.
    assert!(of(3, "tecDIR_FULL").iter().any(|p| matches!(p, Problem::SequenceGap { .. })));
}

#[test]
fn a_deleted_account_begins_anew() {
    let records = [record(5), record(9)];
    let hashes = [records[0].identity.hash, records[1].identity.hash];
    let of = |result: &'static str| {
        let last = Found { deletes: true, ..found(5, result, 0) };
        verdict(&[(hashes[0], last), (hashes[1], found(9, "tesSUCCESS", 0))], &records, false)
    };
    let gap = |problems: &[Problem]| {
        problems.iter().any(|problem| matches!(problem, Problem::SequenceGap { .. }))
    };
    assert!(!gap(&of("tesSUCCESS")));
    assert!(gap(&of("tecHAS_OBLIGATIONS")), "it was not deleted");
}

#[tokio::test]
async fn a_store_without_runs_says_so() {
    let pool = Pool::new(
        vec![xrpl_client::Endpoint { rpc: "http://127.0.0.1:9".parse().unwrap(), ws: None }],
        xrpl_client::PoolConfig { timeout: Duration::from_secs(1), ..Default::default() },
    );
    let store = Arc::new(xrpl_tracker::MemoryStore::default());
    let error = audit(&pool, &*store, Scope::default()).await.unwrap_err();
    assert!(error.to_string().contains("no run"), "{error}");
}
