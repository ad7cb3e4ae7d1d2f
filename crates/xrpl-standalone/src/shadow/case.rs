//! What came out otherwise, with all that it needs to be executed alone.
//!
//! The file is JSON; binary things are hexadecimal:
//!
//! | key | what it is |
//! |---|---|
//! | `format`, `version` | `xrpl-shadow-case`, 1 |
//! | `network_id` | of the network |
//! | `parent`, `ledger` | headers: of the ledger before, and of the one with the transactions |
//! | `position` | how many transactions of the ledger came before |
//! | `transactions` | `tx_blob`, and `meta_blob` as the node has it: one transaction; with a Batch what it holds; all of the ledger where only its state differs |
//! | `entries` | what their execution reads, as it was before; null where there is no such entry |
//! | `stretches` | pairs of ids between which `entries` has all that there are |
//! | `after` | where only the state differs: entries as the node has them after the ledger |

use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use xrpl_protocol::{
    Definitions, EngineResult, Hash256, LedgerHeader, Object, TxHash, hash::transaction_hash,
    ledger_header::ENCODED_LENGTH,
};

use super::{
    building::{Building, Came},
    differences::{self, differences},
    reported::Reported,
};
use crate::{
    ledger::{
        ClosedLedger, Entry, State,
        origin::{AllKnown, Origin, Want, watch},
    },
    transactors::Context,
};

const FORMAT: &str = "xrpl-shadow-case";
const VERSION: u32 = 1;

/// What came out otherwise, as the file has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    format: String,
    version: u32,
    network_id: u32,
    parent: String,
    ledger: String,
    position: usize,
    transactions: Vec<CaseTx>,
    entries: BTreeMap<Hash256, Option<String>>,
    stretches: Vec<(Hash256, Hash256)>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    after: BTreeMap<Hash256, Option<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseTx {
    tx_blob: String,
    meta_blob: String,
}

/// Why a file is no case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// It is not one.
    #[error("this is no case that `shadow` wrote: {0}")]
    NotOne(String),
    /// Its entries do not suffice.
    #[error(
        "the case lacks entries that its transactions read here ({0}): another version of the program \
         wrote it; let `shadow` find the difference again"
    )]
    Lacks(String),
}

/// What became of a case.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The ledger that its transactions are in.
    pub index: u32,
    /// Its transactions.
    pub transactions: Vec<ReplayedTx>,
    /// What differs; empty if nothing does any more.
    pub differences: Vec<String>,
}

/// A transaction of a case.
#[derive(Clone, Debug)]
pub struct ReplayedTx {
    /// Its hash.
    pub hash: TxHash,
    /// In JSON.
    pub tx_json: Json,
    /// The metadata that the node has.
    pub node: Json,
    /// The metadata that came out here, or why there is none.
    pub here: Result<Json, EngineResult>,
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    const_hex::encode_upper(bytes)
}

fn json(object: &Object) -> Json {
    object.to_json(Definitions::builtin())
}

/// Makes an origin know the entries that were wanted.
fn fill(origin: &Origin, from: &State, wants: Vec<Want>) {
    for want in wants {
        match want {
            Want::Entry(id) => origin.learn_entry(id, from.get(&id)),
            Want::After(id) => {
                let next = from.succ(&id).and_then(|next| Some((next, from.get(&next)?)));
                let is_last = next.is_none();
                origin.learn_after(id, next.into_iter().collect(), is_last);
            }
        }
    }
}

/// Executes transactions on a ledger of which only an origin is known: what each came to, the state after
/// them, and what else should have been known.
fn execute<'a>(
    context: &Context,
    origin: &Arc<Origin>,
    header: &LedgerHeader,
    position: usize,
    blobs: impl IntoIterator<Item = &'a [u8]>,
) -> ((Vec<Came>, State), Vec<Want>) {
    watch(|| {
        let parent = Arc::new(ClosedLedger::forked(Arc::clone(origin)));
        let mut state = parent.state.clone();
        let mut building = Building::after(parent, header, position);
        let came = blobs.into_iter().map(|blob| building.next(context, blob)).collect();
        building.finish(&mut state);
        (came, state)
    })
}

impl Case {
    /// Of some transactions of a ledger, `before` being the ledger as it was when their turn came.
    pub(super) fn of(
        context: &Context,
        before: &ClosedLedger,
        reported: &Reported,
        which: RangeInclusive<usize>,
    ) -> Self {
        /// Each execution wants something new, for it could not go on without.
        const ROUNDS: usize = 10_000;
        let position = *which.start();
        let transactions = reported.transactions.get(which).unwrap_or_default();
        let origin = Arc::new(Origin::new(before.header.clone()));
        for _ in 0..ROUNDS {
            let blobs = transactions.iter().map(|(tx, _)| tx.blob.as_slice());
            let (_, wants) = execute(context, &origin, &reported.header, position, blobs);
            if wants.is_empty() {
                break;
            }
            fill(&origin, &before.state, wants);
        }
        let AllKnown { entries, stretches } = origin.all_known();
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            network_id: context.network_id,
            parent: hex(before.header.encode()),
            ledger: hex(reported.header.encode()),
            position,
            transactions: transactions
                .iter()
                .map(|(tx, _)| CaseTx { tx_blob: hex(&tx.blob), meta_blob: hex(&tx.metadata) })
                .collect(),
            entries: entries
                .into_iter()
                .map(|(id, entry)| (id, entry.map(|entry: Entry| hex(entry.encode()))))
                .collect(),
            stretches,
            after: BTreeMap::new(),
        }
    }

    /// Notes an entry as it was before, and as the node has it after the ledger.
    pub(super) fn expect_entry(
        &mut self,
        id: Hash256,
        before: Option<&Object>,
        node: Option<&Object>,
    ) {
        let text = |entry: Option<&Object>| entry.map(|entry| hex(entry.encode()));
        self.entries.entry(id).or_insert_with(|| text(before));
        self.after.insert(id, text(node));
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`CaseError::NotOne`].
    pub fn read(text: &str) -> Result<Self, CaseError> {
        let not_one = |why: String| CaseError::NotOne(why);
        let json: Json = serde_json::from_str(text).map_err(|error| not_one(error.to_string()))?;
        if json["format"] != FORMAT {
            return Err(not_one(format!("its \"format\" is not {FORMAT:?}")));
        }
        if json["version"] != VERSION {
            let version = &json["version"];
            return Err(not_one(format!(
                "its version is {version}, and this program reads version {VERSION}"
            )));
        }
        let case: Self =
            serde_json::from_value(json).map_err(|error| not_one(error.to_string()))?;
        match case.transactions.is_empty() && case.after.is_empty() {
            true => Err(not_one("it has neither transactions nor entries after them".to_owned())),
            false => Ok(case),
        }
    }

    /// Executes it once more.
    ///
    /// # Errors
    /// [`CaseError`].
    pub fn replay(&self) -> Result<Replayed, CaseError> {
        let mut entries = BTreeMap::new();
        for (id, entry) in &self.entries {
            let entry = read_entry(&format!("entries.{id}"), entry.as_deref())?;
            entries.insert(*id, entry.map(Arc::new));
        }
        let known = AllKnown { entries, stretches: self.stretches.clone() };
        let parent = header("parent", &self.parent)?;
        let ledger = header("ledger", &self.ledger)?;
        let origin = Arc::new(Origin::with(parent, known));
        let mut given = Vec::new();
        for (at, tx) in self.transactions.iter().enumerate() {
            let blob = bytes(&format!("transactions[{at}].tx_blob"), &tx.tx_blob)?;
            let node = object(&format!("transactions[{at}].meta_blob"), &tx.meta_blob)?;
            given.push((blob, node));
        }
        let context = Context { network_id: self.network_id };
        let blobs = given.iter().map(|(blob, _)| blob.as_slice());
        let ((came, state), wants) = execute(&context, &origin, &ledger, self.position, blobs);
        if let Some(first) = wants.first() {
            return Err(CaseError::Lacks(format!("{first:?}")));
        }
        let mut replayed =
            Replayed { index: ledger.index, transactions: Vec::new(), differences: Vec::new() };
        for ((blob, node), came) in given.iter().zip(came) {
            let (here, lines) = match came {
                Came::NotBuilt(why) => return Err(CaseError::NotOne(why)),
                Came::Refused(result) => (Err(result), differences::refused(node, result)),
                Came::Applied(here) if here.encode() == node.encode() => {
                    (Ok(json(&here)), Vec::new())
                }
                Came::Applied(here) => (Ok(json(&here)), differences::metadata(node, &here)),
            };
            replayed.differences.extend(lines);
            replayed.transactions.push(ReplayedTx {
                hash: transaction_hash(blob),
                tx_json: json(&object("tx_blob", &hex(blob))?),
                node: json(node),
                here,
            });
        }
        for (id, node) in &self.after {
            let node = read_entry(&format!("after.{id}"), node.as_deref())?;
            let here = state.get(id);
            if node.as_ref() != here.as_deref() {
                let shown = |entry: Option<&Object>| entry.map_or_else(Json::default, json);
                let lines = differences(&shown(node.as_ref()), &shown(here.as_deref()));
                replayed.differences.extend(lines.iter().map(|line| format!("entry {id} {line}")));
            }
        }
        Ok(replayed)
    }
}

fn bytes(name: &str, hex: &str) -> Result<Vec<u8>, CaseError> {
    const_hex::decode(hex).map_err(|error| CaseError::NotOne(format!("{name}: {error}")))
}

fn object(name: &str, hex: &str) -> Result<Object, CaseError> {
    Object::decode_any(&bytes(name, hex)?)
        .map_err(|error| CaseError::NotOne(format!("{name}: {error}")))
}

fn read_entry(name: &str, hex: Option<&str>) -> Result<Option<Object>, CaseError> {
    hex.map(|hex| object(name, hex)).transpose()
}

fn header(name: &str, hex: &str) -> Result<LedgerHeader, CaseError> {
    let header: [u8; ENCODED_LENGTH] = bytes(name, hex)?
        .try_into()
        .map_err(|_| CaseError::NotOne(format!("{name}: a header has {ENCODED_LENGTH} bytes")))?;
    Ok(LedgerHeader::decode(&header))
}
