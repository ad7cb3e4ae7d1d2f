//! A second judge, who knows nothing but the ledgers and what reached the nodes: each end's evidence
//! is held against them. It shares no line with the tracker.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use xrpl_protocol::{
    AccountId, Definitions, LedgerIndex, Object, TxHash, fields, object_id, transaction::Slot,
};
use xrpl_standalone::ledger::{ClosedLedger, ReadView};
use xrpl_tracker::{AbsenceProof, Evidence, State, evidence::UnusedSlot, record::Record};

use crate::books::told;

/// Every ledger from the first one on, also those closed after everything had ended.
pub struct Truth<'a> {
    ledgers: BTreeMap<u32, &'a ClosedLedger>,
    places: HashMap<TxHash, u32>,
}

/// What else is known of a transaction.
pub struct Circumstances {
    /// A request with it reached a node, or may have.
    pub arrived: bool,
    /// The newest ledger when it was signed; it may be in any later one.
    pub signed_at: Option<u32>,
    /// Some node told of ledgers that are none.
    pub lies: bool,
}

impl<'a> Truth<'a> {
    pub fn new(ledgers: &'a [Arc<ClosedLedger>]) -> Self {
        let mut places = HashMap::new();
        for ledger in ledgers {
            let index = ledger.header.index;
            places.extend(ledger.transactions.iter().map(|tx| (tx.hash(), index)));
        }
        let ledgers = ledgers.iter().map(|ledger| (ledger.header.index, &**ledger)).collect();
        Self { ledgers, places }
    }

    fn ledger(&self, index: LedgerIndex) -> Option<&'a ClosedLedger> {
        self.ledgers.get(&index.0).copied()
    }

    fn sequence(ledger: &ClosedLedger, account: AccountId) -> Option<u32> {
        ledger.account(account)?.u32(fields::SEQUENCE)
    }

    /// Whether a validated transaction used a Sequence or Ticket of an account.
    fn used(&self, by: &TxHash, account: AccountId, slot: Slot) -> bool {
        let Some(ledger) = self.places.get(by).and_then(|index| self.ledgers.get(index)) else {
            return false;
        };
        let Some(tx) = ledger.transaction(by) else { return false };
        let Ok(read) = Object::decode(&tx.blob, Definitions::builtin()) else { return false };
        if read.account(fields::ACCOUNT) != Some(account) {
            return false;
        }
        match (slot, read.u32(fields::TICKET_SEQUENCE), read.u32(fields::SEQUENCE)) {
            (Slot::Ticket(ticket), used, _) => used == Some(ticket.0),
            (Slot::Sequence(n), ticket, Some(sequence)) => {
                // TicketCreate uses up what its Tickets are numbered by, whatever it stands on.
                let made = match (tx.result.is_success(), read.u32(fields::TICKET_COUNT)) {
                    (true, Some(count)) => count,
                    _ => 0,
                };
                let own = ticket.is_none() && sequence == n.0;
                own || (made > 0
                    && self.tickets_cover(ledger, account, n.0, made, ticket.is_none()))
            }
            (Slot::Sequence(_), ..) => false,
        }
    }

    /// Whether a TicketCreate in this ledger moved the account's Sequence past a number.
    fn tickets_cover(
        &self,
        ledger: &ClosedLedger,
        account: AccountId,
        number: u32,
        made: u32,
        on_sequence: bool,
    ) -> bool {
        let before = self.ledgers.get(&(ledger.header.index - 1));
        let before = before.and_then(|ledger| Self::sequence(ledger, account)).unwrap_or_default();
        let after = Self::sequence(ledger, account).unwrap_or_default();
        let width = made + u32::from(on_sequence);
        before <= number && number < after && after - before >= width
    }

    /// What is wrong with the end of a transaction, if anything.
    pub fn judge(&self, record: &Record, known: &Circumstances) -> Option<String> {
        if !record.progress.state.is_terminal() {
            return None;
        }
        let Some(evidence) = record.progress.evidence() else {
            return Some(format!("an end without evidence: {}", told(record)));
        };
        let found = self.places.get(&record.identity.hash).copied();
        let wrong = match (record.progress.state, &evidence) {
            (State::Validated, Evidence::Validated(place)) => {
                let ledger = self.ledger(place.ledger_index);
                let tx = ledger.and_then(|ledger| ledger.transaction(&record.identity.hash));
                let hash = ledger.map(|ledger| ledger.header.hash);
                let result = tx.is_some_and(|tx| tx.result.name() == place.result.as_str());
                // A hash that nobody contradicts is believed.
                let same = known.lies || place.ledger_hash.is_none_or(|told| Some(told) == hash);
                (!result)
                    .then_some("that ledger does not have it so")
                    .or_else(|| (!same).then_some("that ledger has another hash"))
            }
            _ if found.is_some() => Some("it is in a ledger"),
            (State::Expired, Evidence::LastLedgerPassed { last_ledger_sequence, proof }) => {
                if record.identity.last_ledger_sequence != Some(*last_ledger_sequence) {
                    Some("its last ledger is another one")
                } else {
                    self.no_proof(record, known, *last_ledger_sequence, proof)
                }
            }
            (State::Rejected, Evidence::SequenceConsumed { by, ledger }) => {
                let right = *by != record.identity.hash
                    && self.places.get(by) == Some(&ledger.0)
                    && self.used(by, record.identity.account, record.identity.slot);
                (!right).then_some("that one did not use its slot there")
            }
            (State::Rejected, Evidence::SlotGone { ledger_index, first }) => {
                let ledger = self.ledger(*ledger_index);
                // An account that comes later begins with the index of its ledger.
                let ahead = record.identity.slot.number() > ledger_index.0;
                let unused =
                    ledger.is_none_or(|ledger| Self::unused(ledger, record).unwrap_or(ahead));
                if unused {
                    Some("that ledger does not show its slot gone")
                } else {
                    (first.0 > Self::first_possible(record, known))
                        .then_some("it may be in a ledger that was not looked at")
                }
            }
            // That it is in no ledger, now or later, has been seen.
            (State::Rejected, Evidence::RefusedByNode { .. }) => None,
            (State::FailedNet, Evidence::NeverSent { .. }) => {
                known.arrived.then_some("it reached a node")
            }
            _ => Some("that is no evidence for this state"),
        };
        wrong.map(|why| format!("{why}: {}", told(record)))
    }

    /// Whether a ledger shows a transaction's Sequence or Ticket unused; none without the account.
    fn unused(ledger: &ClosedLedger, record: &Record) -> Option<bool> {
        let account = record.identity.account;
        let next = Self::sequence(ledger, account)?;
        Some(match record.identity.slot {
            Slot::Sequence(number) => next <= number.0,
            Slot::Ticket(number) => {
                next <= number.0 || ledger.exists(&object_id::ticket(account, number.0))
            }
        })
    }

    fn first_possible(record: &Record, known: &Circumstances) -> u32 {
        known.signed_at.unwrap_or(record.identity.created_ledger.0) + 1
    }

    /// Why a proof of absence is none.
    fn no_proof(
        &self,
        record: &Record,
        known: &Circumstances,
        last: LedgerIndex,
        proof: &AbsenceProof,
    ) -> Option<&'static str> {
        let (first_read, last_read) = match proof {
            AbsenceProof::SlotUnused { ledger_index, ledger_hash, slot } => {
                let Some(ledger) = self.ledger(*ledger_index).filter(|_| *ledger_index >= last)
                else {
                    return Some("its last ledger was not looked at");
                };
                if ledger.header.hash != *ledger_hash && !known.lies {
                    return Some("that ledger has another hash");
                }
                let as_told = match slot {
                    UnusedSlot::Sequence { account_sequence } => {
                        Self::sequence(ledger, record.identity.account) == Some(account_sequence.0)
                    }
                    UnusedSlot::Ticket { ticket } => {
                        record.identity.slot == Slot::Ticket(*ticket)
                            && ledger.exists(&object_id::ticket(record.identity.account, ticket.0))
                    }
                };
                let unused = as_told && Self::unused(ledger, record) == Some(true);
                return (!unused).then_some("that ledger does not show its slot unused");
            }
            AbsenceProof::SearchedAll { min_ledger, max_ledger, .. } => (min_ledger, max_ledger),
            AbsenceProof::EveryLedgerRead { first, last } => (first, last),
        };
        let first_possible = Self::first_possible(record, known);
        // Where its last ledger was past already, there is nothing between to be read.
        let read_enough = first_read.0 <= first_possible || first_possible > last.0;
        if *last_read < last || self.ledger(*last_read).is_none() {
            Some("its last ledger was not looked at")
        } else if !read_enough {
            Some("it may be in a ledger that was not looked at")
        } else {
            None
        }
    }
}
