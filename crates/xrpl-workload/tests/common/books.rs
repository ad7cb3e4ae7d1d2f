//! What must hold at the end of a run, whatever happened in it.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use xrpl_protocol::{AccountId, Definitions, Field, Object, TxHash, fields};
use xrpl_standalone::ledger::{ClosedLedger, LedgerTransaction};
use xrpl_tracker::{Evidence, Intent, State, record::Record};

type OnLedger<'a> = BTreeMap<TxHash, (&'a ClosedLedger, &'a LedgerTransaction)>;

/// Compares the store with every ledger, both ways. Returns what differs. `truthful` says that no
/// node told a wrong hash: then the store has none.
pub fn books(
    ledgers: &[Arc<ClosedLedger>],
    records: &[Record],
    accounts: &BTreeSet<AccountId>,
    truthful: bool,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut on_ledger = OnLedger::new();
    let mut slots = BTreeMap::new();
    for pair in ledgers.windows(2) {
        assert_eq!(pair[1].header.parent_hash, pair[0].header.hash, "the archive is one chain");
    }
    for ledger in ledgers {
        for tx in &ledger.transactions {
            on_ledger.insert(tx.hash(), (ledger, tx));
            if let Some(slot) = slot_of(&tx.read().tx.object)
                && let Some(other) = slots.insert(slot, tx.hash())
            {
                wrong.push(format!("{other} and {} used one slot", tx.hash()));
            }
        }
    }
    let by_hash: BTreeMap<TxHash, &Record> =
        records.iter().map(|record| (record.identity.hash, record)).collect();
    if by_hash.len() != records.len() {
        wrong.push("the store has a transaction twice".into());
    }
    for (hash, (ledger, tx)) in &on_ledger {
        if !accounts.contains(&tx.read().tx.account) {
            continue;
        }
        let index = ledger.header.index;
        let Some(record) = by_hash.get(hash) else {
            wrong.push(format!("{hash} in ledger {index} is not in the store"));
            continue;
        };
        let Some(place) = &record.progress.validated else {
            wrong.push(format!("{hash} in ledger {index} is {}", told(record)));
            continue;
        };
        if record.progress.state != State::Validated
            || place.ledger_index.0 != index
            || (truthful && place.ledger_hash.is_some_and(|hash| hash != ledger.header.hash))
            || place.result.as_str() != tx.result.name()
        {
            wrong.push(format!(
                "{hash} is in ledger {index} with {}, the store says {place:?}",
                tx.result.name()
            ));
        }
    }
    for record in records {
        let hash = record.identity.hash;
        match record.progress.state {
            State::Validated if !on_ledger.contains_key(&hash) => {
                wrong.push(format!("{hash} is VALIDATED and in no ledger"));
            }
            State::Validated => {}
            state if !state.is_terminal() => {
                wrong.push(format!("{hash} has no end: {}", told(record)));
            }
            _ => wrong.extend(bad_evidence(record, &on_ledger)),
        }
    }
    wrong
}

/// What is wrong with the evidence of a state that claims absence.
fn bad_evidence(record: &Record, on_ledger: &OnLedger<'_>) -> Option<String> {
    let hash = record.identity.hash;
    match record.progress.evidence()? {
        Evidence::SequenceConsumed { by, ledger } => {
            let right = on_ledger.get(&by).is_some_and(|(found, tx)| {
                let slot = slot_of(&tx.read().tx.object);
                let own = slot_of(&decode(&record.identity.blob));
                // A TicketCreate uses more than the Sequence it names.
                found.header.index == ledger.0
                    && (slot == own || slot.zip(own).is_some_and(|(a, b)| a.0 == b.0 && a.2 < b.2))
            });
            (!right).then(|| format!("{hash}: nothing in ledger {ledger} used its slot"))
        }
        Evidence::LastLedgerPassed { last_ledger_sequence, .. } => {
            let own = record.identity.last_ledger_sequence;
            (own != Some(last_ledger_sequence)).then(|| format!("{hash}: {}", told(record)))
        }
        Evidence::NeverSent { .. } => record
            .progress
            .preliminary
            .iter()
            .any(|one| !matches!(one.answer, xrpl_tracker::record::Answer::NotWritten))
            .then(|| format!("{hash} never left, and yet: {}", told(record))),
        _ => None,
    }
}

/// Whether a blob is a deliberate rival of those that are undecided on its slot, and not a slot signed
/// for another purpose: the same transaction at a fee that is a quarter higher, or a no-op; three of
/// them at most.
pub fn is_a_rival(blob: &[u8], open: &[&Bytes]) -> bool {
    let fee = |tx: &Object| tx.amount(fields::FEE).and_then(|fee| fee.drops()).unwrap_or(0);
    let without = |tx: &Object, left_out: &[Field]| {
        let mut tx = tx.clone();
        left_out.iter().for_each(|field| drop(tx.remove(*field)));
        tx
    };
    // Several signers sign each of them anew.
    let of_each =
        [fields::FEE, fields::LAST_LEDGER_SEQUENCE, fields::TXN_SIGNATURE, fields::SIGNERS];
    let tx = decode(blob);
    let same_but_dearer = open.iter().map(|other| decode(other)).any(|other| {
        without(&other, &of_each) == without(&tx, &of_each)
            && fee(&tx) >= fee(&other) + fee(&other) / 4
    });
    // AccountSet with what every transaction has, and nothing else.
    let common = [
        fields::ACCOUNT,
        fields::TRANSACTION_TYPE,
        fields::FLAGS,
        fields::SEQUENCE,
        fields::TICKET_SEQUENCE,
        fields::NETWORK_ID,
        fields::SIGNING_PUB_KEY,
    ];
    let no_op = tx.u16(fields::TRANSACTION_TYPE) == Some(3)
        && without(&without(&tx, &of_each), &common).is_empty();
    open.len() <= 3 && (same_but_dearer || no_op)
}

/// Failures of transactions meant to succeed that are of the generator's own making. `strange` are transactions of
/// others: they may fail, and take the slots of the generator's.
pub fn own_making(records: &[Record], faults: bool, strange: &BTreeSet<TxHash>) -> Vec<String> {
    let valid = records.iter().filter(|record| record.identity.intent == Intent::Valid);
    valid
        .filter(|record| !strange.contains(&record.identity.hash))
        .filter(|record| match record.progress.evidence() {
            // One that a node had refused has failed, whatever used its slot; one that only waited
            // has not, if a rival of its own did its work.
            Some(Evidence::SequenceConsumed { by, .. }) => {
                let refused = record.progress.engine_result_last.as_ref().is_some_and(|last| {
                    last.as_str().starts_with("tem") || last.as_str().starts_with("tef")
                });
                !(strange.contains(&by) || record.progress.superseded || (faults && refused))
            }
            Some(Evidence::RefusedByNode { engine_result }) => {
                !faults || engine_result.as_str() == "tefPAST_SEQ"
            }
            Some(Evidence::LastLedgerPassed { .. } | Evidence::NeverSent { .. }) => !faults,
            _ => false,
        })
        .map(|record| format!("of the generator's own making: {}", told(record)))
        .collect()
}

/// A record in one line.
pub fn told(record: &Record) -> String {
    let progress = &record.progress;
    let answers: Vec<_> = progress.preliminary.iter().map(|one| &one.answer).collect();
    format!(
        "{} {} of {} on {:?}, last ledger {:?}: {} (undecided {}), {:?}, {answers:?}",
        record.identity.hash,
        record.identity.transaction_type,
        record.identity.account,
        record.identity.slot,
        record.identity.last_ledger_sequence,
        progress.state,
        progress.undecided,
        progress.evidence(),
    )
}

/// The slot that a transaction's bytes name.
pub fn slot_of(object: &Object) -> Option<(AccountId, bool, u32)> {
    let account = object.account(fields::ACCOUNT)?;
    Some(match object.u32(fields::TICKET_SEQUENCE) {
        Some(ticket) => (account, true, ticket),
        None => (account, false, object.u32(fields::SEQUENCE)?),
    })
}

/// A blob's fields.
pub fn decode(blob: &[u8]) -> Object {
    Object::decode(blob, Definitions::builtin()).expect("what was signed here can be read")
}
