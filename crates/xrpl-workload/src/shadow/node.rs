//! Reads ledgers of a node, in binary and checked against their headers.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use url::Url;
use xrpl_client::{
    ClientError, Connector,
    json_rpc::JsonRpc,
    request::{BinaryLedger, Raw},
    whole_ledger::NotWhole,
};
use xrpl_protocol::{Hash256, LedgerIndex, Object, decode::DecodeError};
use xrpl_standalone::shadow::{Reported, ReportedTx, ShadowError};

/// How long one answer may take: a page of a large state does take seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// Requests that are on their way together.
const TOGETHER: usize = 8;
/// Entries of a page of `ledger_data`: xrpld gives no more.
const PAGE: u32 = 2048;

/// Why something could not be read.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// The node did not answer, or refused.
    #[error("{0}")]
    Client(#[from] ClientError),
    /// The answer is not one that an xrpld gives.
    #[error("the answer to {method} is not that of an xrpld: {what}")]
    Odd {
        /// The method.
        method: &'static str,
        /// What is odd about it.
        what: String,
    },
    /// An entry has what nothing here can read: a serialised type of a newer xrpld.
    #[error("the entry {id} cannot be read here, {cause}: the node is newer than this program")]
    Unreadable {
        /// The entry.
        id: Hash256,
        /// What cannot be read of it.
        cause: DecodeError,
    },
    /// What was read does not belong together.
    #[error("{0}")]
    Unfit(#[from] ShadowError),
}

impl ReadError {
    /// The token of the node's own error answer.
    pub(super) fn token(&self) -> Option<&str> {
        match self {
            Self::Client(ClientError::Refused { cause, .. }) => Some(&cause.error),
            _ => None,
        }
    }
}

/// Where a node is.
#[derive(Clone, Debug)]
pub(super) struct Status {
    pub(super) network_id: u32,
    /// Its newest validated ledger; none before it is synced.
    pub(super) newest: Option<u32>,
    /// The history that it keeps, such as `5-900`.
    pub(super) complete: String,
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Node {
    rpc: JsonRpc,
}

#[derive(Deserialize)]
struct Page {
    state: Vec<PageEntry>,
    #[serde(default)]
    marker: Option<Json>,
}

#[derive(Deserialize)]
struct PageEntry {
    index: Hash256,
    data: String,
}

#[derive(Deserialize)]
struct EntryAnswer {
    node_binary: String,
}

fn odd(method: &'static str, what: impl std::fmt::Display) -> ReadError {
    ReadError::Odd { method, what: what.to_string() }
}

fn entry(method: &'static str, id: Hash256, hex: &str) -> Result<Object, ReadError> {
    let bytes = const_hex::decode(hex).map_err(|error| odd(method, error))?;
    Object::decode_any(&bytes).map_err(|cause| ReadError::Unreadable { id, cause })
}

/// What was read of a ledger, if the node still has it.
fn kept<T>(read: Result<T, ReadError>) -> Result<Option<T>, ReadError> {
    match read {
        Err(error) if error.token() == Some("lgrNotFound") => Ok(None),
        read => read.map(Some),
    }
}

impl Node {
    pub(super) fn new(url: Url, connector: Arc<dyn Connector>) -> Self {
        Self { rpc: JsonRpc::new(url, connector, TOGETHER, PATIENCE) }
    }

    /// How it is called in what is said of it.
    pub(super) fn name(&self) -> &str {
        self.rpc.name()
    }

    async fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        method: &'static str,
        params: Json,
    ) -> Result<T, ReadError> {
        let params = match params {
            Json::Object(params) => params,
            _ => Map::new(),
        };
        let answer = self.rpc.request(&Raw { method: method.to_owned(), params }).await?;
        serde_json::from_value(answer).map_err(|error| odd(method, error))
    }

    /// Where it is.
    pub(super) async fn status(&self) -> Result<Status, ReadError> {
        let answer: Json = self.ask("server_info", json!({})).await?;
        let info = &answer["info"];
        if !info.is_object() {
            return Err(odd("server_info", "it has no \"info\""));
        }
        let number = |value: &Json| value.as_u64().and_then(|n| u32::try_from(n).ok());
        Ok(Status {
            network_id: number(&info["network_id"]).unwrap_or_default(),
            newest: number(&info["validated_ledger"]["seq"]),
            complete: info["complete_ledgers"].as_str().unwrap_or("empty").to_owned(),
        })
    }

    /// A validated ledger; none if the node has none of this index (yet, or any more).
    pub(super) async fn ledger(&self, index: u32) -> Result<Option<Reported>, ReadError> {
        let request = BinaryLedger::with_transactions(LedgerIndex(index));
        let answer = kept(self.rpc.request(&request).await.map_err(ReadError::from))?;
        let ledger = match answer.map(|answer| answer.whole(LedgerIndex(index))) {
            None | Some(Err(NotWhole::NotValidated)) => return Ok(None),
            Some(ledger) => ledger.map_err(|why| odd("ledger", why))?,
        };
        let transactions = ledger.transactions.into_iter();
        let reported =
            transactions.map(|tx| ReportedTx { blob: tx.blob, metadata: tx.metadata }).collect();
        let hash = ledger.header.hash;
        Ok(Some(Reported::new(ledger.header, hash, reported)?))
    }

    /// Every entry of a ledger, none if the node does not have it any more; `progress` is called with how
    /// many there are so far.
    pub(super) async fn state(
        &self,
        ledger: Hash256,
        progress: impl FnMut(usize),
    ) -> Result<Option<Vec<(Hash256, Object)>>, ReadError> {
        kept(self.pages(ledger, progress).await)
    }

    async fn pages(
        &self,
        ledger: Hash256,
        mut progress: impl FnMut(usize),
    ) -> Result<Vec<(Hash256, Object)>, ReadError> {
        const METHOD: &str = "ledger_data";
        let mut all = Vec::new();
        let mut marker = None;
        loop {
            let mut params = json!({"ledger_hash": ledger, "binary": true, "limit": PAGE});
            if let Some(marker) = marker {
                params["marker"] = marker;
            }
            let page: Page = self.ask(METHOD, params).await?;
            if page.state.is_empty() && page.marker.is_some() {
                return Err(odd(METHOD, "a page is empty, and more are said to follow"));
            }
            for one in &page.state {
                all.push((one.index, entry(METHOD, one.index, &one.data)?));
            }
            progress(all.len());
            marker = page.marker;
            if marker.is_none() {
                return Ok(all);
            }
        }
    }

    /// Entries of a ledger by their ids, none for those that it does not have; none at all if the node
    /// does not have the ledger any more.
    pub(super) async fn entries(
        &self,
        ledger: Hash256,
        ids: &[Hash256],
    ) -> Result<Option<Vec<(Hash256, Option<Object>)>>, ReadError> {
        const METHOD: &str = "ledger_entry";
        let one = |id: Hash256| async move {
            let params = json!({"ledger_hash": ledger, "index": id, "binary": true});
            match self.ask::<EntryAnswer>(METHOD, params).await {
                Ok(answer) => Ok((id, Some(entry(METHOD, id, &answer.node_binary)?))),
                Err(error) if error.token() == Some("entryNotFound") => Ok((id, None)),
                Err(error) => Err(error),
            }
        };
        let read = stream::iter(ids.to_vec()).map(one).buffered(TOGETHER).try_collect().await;
        kept(read)
    }
}
