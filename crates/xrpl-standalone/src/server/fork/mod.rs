//! A fork: a ledger that goes on from one of another network, whose entries are read when they are
//! needed.
//!
//! Everything is done as if all were known. What turns out to rest on something that is not known is
//! undone, what it wanted is asked of the origin's node, and it is done again: see
//! [`crate::ledger::origin`]. One thing at a time is done so, and subscribers are told of it when it
//! holds.

mod cache;
mod upstream;

use std::{io, path::PathBuf, sync::Arc};

use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use xrpl_protocol::{Definitions, Hash256, LedgerHeader, Object, object_id};

pub use self::upstream::{BoxedIo, Connecting, Io, Upstream};

use self::cache::{Cache, Learnt};
use crate::{
    ledger::{
        ClosedLedger,
        origin::{Origin, Want, watch},
    },
    node::Event,
    state::read_header,
};

/// Entries that are read at once where those after an id are wanted.
const PAGE: u32 = 32;
/// Requests that are on their way together: public servers bound what one caller may ask.
const TOGETHER: usize = 64;
/// Rounds of asking for one thing, far beyond what any needs.
const ROUNDS: usize = 10_000;

/// From where a fork goes on.
#[derive(Clone, Debug)]
pub struct ForkConfig {
    /// The node that has it: an xrpld.
    pub upstream: Upstream,
    /// Its index; the newest validated one if not given.
    pub ledger: Option<u32>,
    /// Folder in which what is read is kept, if it is to be.
    pub cache: Option<PathBuf>,
}

/// A fork that has begun.
#[derive(Clone, Debug)]
pub struct Fork {
    pub(super) upstream: Upstream,
    pub(super) ledger: Arc<ClosedLedger>,
    /// Network id of the origin.
    pub network_id: u32,
    origin: Arc<Origin>,
    cache: Option<Arc<Cache>>,
}

/// Events, and the ledgers that there were then.
type Happened = (Vec<Event>, (u32, u32));

/// What a server in a fork has besides.
#[derive(Debug)]
pub(super) struct Forked {
    pub(super) fork: Fork,
    /// Held while one thing is tried.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// What happened in the present try and holds only once nothing is wanted.
    pub(super) events: Mutex<Vec<Happened>>,
}

impl Forked {
    pub(super) fn new(fork: Fork) -> Self {
        Self { fork, turn: tokio::sync::Mutex::default(), events: Mutex::default() }
    }
}

fn other(what: impl Into<String>) -> io::Error {
    io::Error::other(what.into())
}

impl Fork {
    /// Finds the ledger and reads what every transaction needs of it.
    ///
    /// # Errors
    /// When the node cannot be reached, does not have the ledger, or answers otherwise than an xrpld.
    pub async fn begin(config: ForkConfig) -> io::Result<Self> {
        let index = config.ledger.map_or(json!("validated"), |index| json!(index));
        let ask = [
            json!({"command": "ledger", "ledger_index": index}),
            json!({"command": "server_info"}),
        ];
        let answers = config.upstream.ask(&ask).await?;
        let url = &config.upstream.url;
        let shown = answers[0]["ledger"].as_object().ok_or_else(|| {
            other(format!("{url} does not have ledger {index}: {}", answers[0]["error"]))
        })?;
        if answers[0]["validated"] != true {
            return Err(other(format!("ledger {index} of {url} is not validated")));
        }
        let (header, _) = read_header(shown).map_err(|error| other(error.to_string()))?;
        let network_id = answers[1]["info"]["network_id"].as_u64().unwrap_or_default();
        let origin = Arc::new(Origin::new(header));
        let cache = match &config.cache {
            Some(folder) => Some(Arc::new(Cache::open(folder, &origin)?)),
            None => None,
        };
        let mut this = Self {
            upstream: config.upstream,
            ledger: Arc::new(ClosedLedger::forked(Arc::clone(&origin))),
            network_id: u32::try_from(network_id).unwrap_or_default(),
            origin,
            cache,
        };
        this.fetch(
            &[object_id::fees(), object_id::amendments(), object_id::skip_list()].map(Want::Entry),
        )
        .await?;
        // Now fees and amendments are known.
        this.ledger = Arc::new(ClosedLedger::forked(Arc::clone(&this.origin)));
        Ok(this)
    }

    /// The ledger from which it goes on. Of its entries those are known that every transaction needs.
    #[must_use]
    pub fn ledger(&self) -> &ClosedLedger {
        &self.ledger
    }

    /// The origin's header.
    #[must_use]
    pub fn header(&self) -> &LedgerHeader {
        self.origin.header()
    }

    /// The address of the node that has it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.upstream.url
    }

    /// How many of the origin's entries are known.
    #[must_use]
    pub fn known(&self) -> usize {
        self.origin.known()
    }

    /// Asks what is wanted, and learns it.
    pub(super) async fn fetch(&self, wants: &[Want]) -> io::Result<()> {
        for some in wants.chunks(TOGETHER) {
            self.fetch_together(some).await?;
        }
        Ok(())
    }

    async fn fetch_together(&self, wants: &[Want]) -> io::Result<()> {
        let hash = self.origin.header().hash.to_string();
        let requests: Vec<Json> = wants
            .iter()
            .map(|want| match want {
                Want::Entry(key) => json!({
                    "command": "ledger_entry", "index": key.to_string(), "ledger_hash": hash,
                    "binary": true,
                }),
                Want::After(key) => json!({
                    "command": "ledger_data", "marker": key.to_string(), "ledger_hash": hash,
                    "binary": true, "limit": PAGE,
                }),
            })
            .collect();
        let answers = self.upstream.ask(&requests).await?;
        let learnt: Vec<Learnt> = wants
            .iter()
            .zip(answers)
            .map(|(want, answer)| {
                read(want, &answer).ok_or_else(|| {
                    let url = &self.upstream.url;
                    other(format!("{url} answers {want:?} with {answer}"))
                })
            })
            .collect::<io::Result<_>>()?;
        if let Some(cache) = &self.cache
            && let Err(error) = cache.add(&learnt)
        {
            tracing::warn!(%error, "what was read of the origin could not be kept");
        }
        learnt.into_iter().for_each(|learnt| learnt.teach(&self.origin));
        Ok(())
    }

    /// Does something that changes nothing, with all that it wants to know.
    pub(super) async fn with_all<T>(&self, mut work: impl FnMut() -> T) -> io::Result<T> {
        for _ in 0..ROUNDS {
            let (done, wants) = watch(&mut work);
            if wants.is_empty() {
                return Ok(done);
            }
            self.fetch(&wants).await?;
        }
        Err(other("there is no end to what is wanted of the origin"))
    }
}

/// What an answer says.
fn read(want: &Want, answer: &Json) -> Option<Learnt> {
    let entry = |data: &Json| {
        let blob = const_hex::decode(data.as_str()?).ok()?;
        Object::decode(&blob, Definitions::builtin()).ok().map(Arc::new)
    };
    match want {
        Want::Entry(key) => match answer.get("node_binary") {
            Some(data) => Some(Learnt::Entry(*key, Some(entry(data)?))),
            None => (answer["error"] == "entryNotFound").then_some(Learnt::Entry(*key, None)),
        },
        Want::After(key) => {
            let entries = answer.get("state")?.as_array()?.iter().map(|found| {
                let id: Hash256 = found["index"].as_str()?.parse().ok()?;
                Some((id, entry(&found["data"])?))
            });
            let entries = entries.collect::<Option<Vec<_>>>()?;
            let all = answer.get("marker").is_none();
            (all || !entries.is_empty()).then_some(Learnt::After(*key, entries, all))
        }
    }
}
