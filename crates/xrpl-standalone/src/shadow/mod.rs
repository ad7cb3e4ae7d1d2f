//! Executing another node's ledgers once more: an independent check of what it validated.
//!
//! [`Shadow`] holds the state after a ledger. The transactions of the next one are applied in the order in
//! which the node applied them, and every result, the metadata byte for byte, and the hash of the state
//! after it are compared. Nothing here does any input or output: the caller reads a ledger from the node
//! ([`Reported`]), and a [`Verdict`] says which entries to read where that ledger cannot be followed.

mod building;
mod case;
mod differences;
mod reported;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use xrpl_protocol::{
    Definitions, Hash256, LedgerHeader, Object, TxHash, hash::transaction_hash, object_id,
};

use self::building::{Building, Came};
pub use self::{
    case::{Case, CaseError, Replayed, ReplayedTx},
    differences::differences,
    reported::{Reported, ReportedTx, ShadowError},
};
use crate::{
    ledger::{
        ClosedLedger, State,
        skip_list::{is_flag_ledger, update_skip_lists},
    },
    transactors::Context,
};

/// What is different about a ledger.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The ledger.
    pub index: u32,
    /// The first transaction that came out otherwise; none where all are equal and only what the ledger
    /// holds afterwards is not.
    pub transaction: Option<TxHash>,
    /// What differs, a line each.
    pub differences: Vec<String>,
    /// What replays it alone.
    pub case: Case,
    /// Where its transactions are equal: the state before the ledger, and the one after it here.
    states: Option<(State, State)>,
}

impl Finding {
    /// Adds which entries differ, once they were read from the node, where its transactions are equal.
    pub fn compare(&mut self, entries: &[(Hash256, Option<Object>)]) {
        let Some((before, after)) = &self.states else { return };
        for (id, node) in entries {
            let here = after.get(id);
            if node.as_ref() != here.as_deref() {
                let shown = |entry: Option<&Object>| {
                    entry.map_or_else(Default::default, |e| e.to_json(Definitions::builtin()))
                };
                let lines = differences(&shown(node.as_ref()), &shown(here.as_deref()));
                self.differences.extend(lines.into_iter().map(|line| format!("entry {id} {line}")));
                self.case.expect_entry(*id, before.get(id).as_deref(), node.as_ref());
            }
        }
    }
}

/// What came of following a ledger.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Everything is equal, and the shadow is at this ledger now.
    Same,
    /// It cannot be executed here. It has to be taken over: see [`Shadow::take_over`].
    NotBuilt {
        /// Why, in words.
        why: String,
        /// Ids of the entries to read of it.
        wanted: Vec<Hash256>,
    },
    /// It came out otherwise here. To go on, it has to be taken over too.
    Different {
        /// What differs.
        finding: Box<Finding>,
        /// Ids of the entries to read of it.
        wanted: Vec<Hash256>,
    },
}

/// The state after a ledger, from which the next ones are executed.
#[derive(Clone, Debug)]
pub struct Shadow {
    context: Context,
    ledger: Arc<ClosedLedger>,
}

impl Shadow {
    /// Begins with all entries of a ledger.
    ///
    /// # Errors
    /// [`ShadowError::State`]: some are missing, or are not of this ledger.
    pub fn begin(
        header: &LedgerHeader,
        entries: impl IntoIterator<Item = (Hash256, Object)>,
        network_id: u32,
    ) -> Result<Self, ShadowError> {
        let mut state = State::default();
        entries.into_iter().for_each(|(id, entry)| state.insert(id, Arc::new(entry)));
        let ledger = whole(header, state, None)?;
        Ok(Self { context: Context { network_id }, ledger })
    }

    /// The ledger that it is at.
    #[must_use]
    pub fn header(&self) -> &LedgerHeader {
        &self.ledger.header
    }

    /// How many entries that ledger has.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.ledger.state.tree().len()
    }

    /// Executes the next ledger, and compares.
    ///
    /// # Errors
    /// [`ShadowError::Parent`]: it is not the next one.
    pub fn follow(&mut self, reported: &Reported) -> Result<Verdict, ShadowError> {
        self.follow_timed(reported, |_, _| {})
    }

    /// As [`Self::follow`]. `executed` is called with the place of each transaction in its ledger, and how
    /// long it took, its signatures checked; those of a Batch take their time with it.
    ///
    /// # Errors
    /// As [`Self::follow`].
    pub fn follow_timed(
        &mut self,
        reported: &Reported,
        mut executed: impl FnMut(usize, Duration),
    ) -> Result<Verdict, ShadowError> {
        let (header, parent) = (&reported.header, &self.ledger);
        if header.parent_hash != parent.header.hash {
            return Err(ShadowError::Parent {
                index: header.index,
                parent: header.parent_hash,
                here: parent.header.hash,
            });
        }
        let mut building = Building::after(Arc::clone(parent), header, 0);
        for (at, (tx, node)) in reported.transactions.iter().enumerate() {
            let began = Instant::now();
            let came = building.next(&self.context, &tx.blob);
            if building.executed_last() == at {
                executed(at, began.elapsed());
            }
            let differences = match came {
                Came::NotBuilt(why) => return Ok(not_built(why, reported)),
                Came::Refused(result) => differences::refused(node, result),
                Came::Applied(metadata) if metadata.encode() == tx.metadata => continue,
                Came::Applied(metadata) => differences::metadata(node, &metadata),
            };
            let first = building.executed_last();
            let finding = Finding {
                index: header.index,
                transaction: Some(transaction_hash(&tx.blob)),
                differences,
                case: Case::of(&self.context, &self.before(reported, first), reported, first..=at),
                states: None,
            };
            return Ok(self.judged(finding, reported, Vec::new()));
        }
        let mut differences = Vec::new();
        let more = building.applied() - reported.len();
        if more > 0 {
            differences.push(format!("{more} more transactions of a Batch are applied here"));
        }
        let changed = building.changed();
        let mut state = parent.state.clone();
        let burnt = building.finish(&mut state);
        update_skip_lists(&mut state, header.index, parent.header.hash);
        let coins = parent.header.total_coins.saturating_sub(burnt);
        if coins != header.total_coins {
            differences.push(format!(
                "total_coins: the node has {}, here it is {coins}",
                header.total_coins
            ));
        }
        match whole(header, state.clone(), Some(parent)) {
            Ok(ledger) if differences.is_empty() => {
                self.ledger = ledger;
                return Ok(Verdict::Same);
            }
            Ok(_) => {}
            Err(_) => differences.push(format!(
                "account_hash: the node has {}, here it is {}, although all metadata is equal",
                header.account_hash,
                state.hash()
            )),
        }
        let all = 0..=reported.len().saturating_sub(1);
        let finding = Finding {
            index: header.index,
            transaction: None,
            differences,
            case: Case::of(&self.context, parent, reported, all),
            states: Some((parent.state.clone(), state)),
        };
        Ok(self.judged(finding, reported, changed))
    }

    /// Goes on at a ledger as the node has it, from the entries that changed ([`Verdict`] says which; none
    /// for one that is gone).
    ///
    /// # Errors
    /// [`ShadowError::State`]: more has changed. Then all entries are needed, and [`Shadow::begin`].
    pub fn take_over(
        &mut self,
        reported: &Reported,
        entries: Vec<(Hash256, Option<Object>)>,
    ) -> Result<(), ShadowError> {
        let mut state = self.ledger.state.clone();
        for (id, entry) in entries {
            match entry {
                Some(entry) => state.insert(id, Arc::new(entry)),
                None => {
                    state.remove(&id);
                }
            }
        }
        update_skip_lists(&mut state, reported.header.index, self.ledger.header.hash);
        // Amendments may have changed: nothing is taken from the ledger before.
        self.ledger = whole(&reported.header, state, None)?;
        Ok(())
    }

    /// What makes the difference may be the rule of an amendment that is not known here, by its id or by
    /// the fields that it writes.
    fn judged(&self, finding: Finding, reported: &Reported, changed: Vec<Hash256>) -> Verdict {
        let amendments = self.ledger.info.rules.unknown();
        let amendment = amendments.first();
        let unknown = amendment
            .map(|first| format!("the amendment {first} is enabled, and unknown here; without it"))
            .or_else(|| Some(format!("its metadata has an {}", reported.unknown_field()?)));
        match unknown {
            Some(why) => not_built(format!("{why}: {}", finding.differences.join("; ")), reported),
            None => {
                Verdict::Different { finding: Box::new(finding), wanted: wanted(reported, changed) }
            }
        }
    }

    /// The ledger as it was before the transaction at a place.
    fn before(&self, reported: &Reported, at: usize) -> ClosedLedger {
        let mut building = Building::after(Arc::clone(&self.ledger), &reported.header, 0);
        for (tx, _) in &reported.transactions[..at] {
            building.next(&self.context, &tx.blob);
        }
        let mut ledger = ClosedLedger::clone(&self.ledger);
        building.finish(&mut ledger.state);
        ledger
    }
}

fn not_built(why: String, reported: &Reported) -> Verdict {
    Verdict::NotBuilt { why, wanted: wanted(reported, Vec::new()) }
}

/// Ids of the entries to read of a ledger: what it changed, by its metadata or with no transaction, and
/// what changed here.
fn wanted(reported: &Reported, here: Vec<Hash256>) -> Vec<Hash256> {
    let mut ids = reported.affected();
    ids.extend(here);
    if is_flag_ledger(reported.header.index) {
        ids.insert(object_id::negative_unl());
    }
    ids.into_iter().collect()
}

/// The closed ledger of a header and a state, if they belong together.
fn whole(
    header: &LedgerHeader,
    state: State,
    parent: Option<&Arc<ClosedLedger>>,
) -> Result<Arc<ClosedLedger>, ShadowError> {
    let (index, account_hash, found) = (header.index, header.account_hash, state.hash());
    ClosedLedger::restored(header.clone(), state, Vec::new(), parent.map(|parent| &**parent))
        .map(Arc::new)
        .map_err(|_| ShadowError::State { index, account_hash, found })
}
