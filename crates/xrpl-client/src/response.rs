//! Answers. Reading is lenient: members that are not needed are passed over, and the shapes of
//! api_version 1 and 2 are both taken.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value as Json, value::RawValue};
use xrpl_protocol::{AccountId, Drops, Hash256, LedgerHeader, LedgerIndex, Sequence};

use crate::{ApiError, ClientError};

/// Unwraps `{"result": {...}}`, telling errors from answers; `endpoint` is named in the error.
///
/// # Errors
/// The node refused, or the body is no answer.
pub fn read_result<T: DeserializeOwned>(
    endpoint: &Arc<str>,
    body: &[u8],
) -> Result<T, ClientError> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        result: &'a RawValue,
    }
    let unreadable = |e: serde_json::Error| ClientError::Unknown {
        endpoint: endpoint.clone(),
        cause: format!(
            "unreadable answer ({e}): {}",
            String::from_utf8_lossy(&body[..body.len().min(200)])
        ),
    };
    let result = serde_json::from_slice::<Body<'_>>(body).map_err(unreadable)?.result.get();
    read_answer(endpoint, result)
}

/// Reads a result, or the error in its place.
pub(crate) fn read_answer<T: DeserializeOwned>(
    endpoint: &Arc<str>,
    result: &str,
) -> Result<T, ClientError> {
    #[derive(Deserialize)]
    struct Probe {
        #[serde(default)]
        error: Option<Json>,
    }
    let first = match serde_json::from_str::<T>(result) {
        // Lenient types read error answers too; an error is told by its token.
        Ok(answer) if !result.contains("\"error\"") => return Ok(answer),
        other => other,
    };
    let is_error = serde_json::from_str::<Probe>(result).is_ok_and(|p| p.error.is_some());
    if is_error && let Ok(cause) = serde_json::from_str::<ApiError>(result) {
        return Err(ClientError::Refused { endpoint: endpoint.clone(), cause });
    }
    first.map_err(|e| ClientError::Unknown {
        endpoint: endpoint.clone(),
        cause: format!("unexpected answer ({e}): {}", result.chars().take(200).collect::<String>()),
    })
}

/// A number, or a string of its digits.
fn lenient<'de, T: std::str::FromStr, D: Deserializer<'de>>(d: D) -> Result<Option<T>, D::Error> {
    Ok(match Option::<Json>::deserialize(d)? {
        Some(Json::String(text)) => text.parse().ok(),
        Some(Json::Number(n)) => n.to_string().parse().ok(),
        _ => None,
    })
}

/// The preliminary result of a submission.
#[derive(Clone, Debug, Deserialize)]
pub struct Submit {
    /// The engine result's name.
    pub engine_result: String,
    /// What it says.
    #[serde(default)]
    pub engine_result_message: String,
    /// Whether anything of the following four is so. xrpld keeps what it refuses with `tem`, `tef`
    /// or `tel` too, so that this alone says little. As all members below, none if the node does
    /// not say it.
    #[serde(default)]
    pub accepted: Option<bool>,
    /// Whether it is in the node's open ledger.
    #[serde(default)]
    pub applied: Option<bool>,
    /// Whether the node sent it on to its peers: then other nodes have it.
    #[serde(default)]
    pub broadcast: Option<bool>,
    /// Whether it is in the node's transaction queue.
    #[serde(default)]
    pub queued: Option<bool>,
    /// Whether the node keeps it, to try it again on later ledgers.
    #[serde(default)]
    pub kept: Option<bool>,
    /// The account's next free Sequence, counting the queue.
    #[serde(default)]
    pub account_sequence_available: Option<Sequence>,
    /// The account's Sequence in the open ledger.
    #[serde(default)]
    pub account_sequence_next: Option<Sequence>,
    /// What it costs to get into the open ledger now.
    #[serde(default)]
    pub open_ledger_cost: Option<Drops>,
    /// The node's last validated ledger.
    #[serde(default)]
    pub validated_ledger_index: Option<LedgerIndex>,
}

/// A transaction that was found.
#[derive(Clone, Debug, Deserialize)]
pub struct Tx {
    /// Whether it is in a validated ledger; without that it says nothing.
    #[serde(default)]
    pub validated: bool,
    /// In which ledger.
    #[serde(default)]
    pub ledger_index: Option<LedgerIndex>,
    /// That ledger's hash (api_version 2).
    #[serde(default)]
    pub ledger_hash: Option<Hash256>,
    /// Metadata as it came.
    #[serde(default)]
    pub meta: Option<Box<RawValue>>,
}

impl Tx {
    /// `meta.TransactionResult`.
    #[must_use]
    pub fn result(&self) -> Option<String> {
        transaction_result(self.meta.as_deref()?)
    }
}

/// `TransactionResult` of metadata.
#[must_use]
pub fn transaction_result(meta: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Meta {
        #[serde(rename = "TransactionResult")]
        result: String,
    }
    serde_json::from_str::<Meta>(meta.get()).ok().map(|meta| meta.result)
}

/// A ledger without its transactions.
#[derive(Clone, Debug, Deserialize)]
pub struct Ledger {
    /// Its header.
    pub ledger: LedgerBody,
    /// Whether it is validated.
    #[serde(default)]
    pub validated: bool,
    /// Its hash, where it is closed.
    #[serde(default)]
    pub ledger_hash: Option<Hash256>,
    /// Its index.
    #[serde(default)]
    pub ledger_index: Option<LedgerIndex>,
}

/// A ledger's header, member by member.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LedgerBody {
    /// Hash of the one before.
    pub parent_hash: Option<Hash256>,
    /// Seconds since 2000-01-01 UTC.
    pub close_time: Option<u32>,
    /// All XRP in existence.
    pub total_coins: Option<Drops>,
    /// Hash of the state tree.
    pub account_hash: Option<Hash256>,
    /// Hash of the transaction tree.
    pub transaction_hash: Option<Hash256>,
    /// Close time of the one before.
    pub parent_close_time: Option<u32>,
    /// Seconds to which the close time was rounded.
    pub close_time_resolution: Option<u8>,
    /// Flags of the close.
    pub close_flags: Option<u8>,
}

impl LedgerBody {
    /// The header of the ledger with this index, and the hash that its members give, whatever hash
    /// the node named; none if a member is missing.
    #[must_use]
    pub fn header(&self, index: LedgerIndex) -> Option<LedgerHeader> {
        let mut header = LedgerHeader {
            index: index.0,
            hash: Hash256::ZERO,
            parent_hash: self.parent_hash?,
            total_coins: self.total_coins?.0,
            account_hash: self.account_hash?,
            transaction_hash: self.transaction_hash?,
            parent_close_time: self.parent_close_time?,
            close_time: self.close_time?,
            close_time_resolution: self.close_time_resolution?,
            close_flags: self.close_flags?,
        };
        header.hash = header.compute_hash();
        Some(header)
    }
}

/// An account's root.
#[derive(Clone, Debug, Deserialize)]
pub struct AccountInfo {
    /// The entry.
    pub account_data: AccountData,
    /// Of which ledger, if closed.
    #[serde(default)]
    pub ledger_index: Option<LedgerIndex>,
    /// Whether that ledger is validated.
    #[serde(default)]
    pub validated: bool,
}

/// Members of an AccountRoot.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountData {
    /// Whose.
    pub account: AccountId,
    /// XRP.
    pub balance: Drops,
    /// The next transaction's.
    pub sequence: Sequence,
    /// Entries that count for the reserve.
    #[serde(default)]
    pub owner_count: u32,
    /// `lsf` flags.
    #[serde(default)]
    pub flags: u32,
    /// Its regular key, if it has one.
    #[serde(default)]
    pub regular_key: Option<AccountId>,
}

/// A page of trust lines.
#[derive(Clone, Debug, Deserialize)]
pub struct AccountLines {
    /// The lines.
    pub lines: Vec<Line>,
    /// Where the next page starts.
    #[serde(default)]
    pub marker: Option<Json>,
}

/// A trust line seen from one side.
#[derive(Clone, Debug, Deserialize)]
pub struct Line {
    /// The other side.
    pub account: AccountId,
    /// What this side has; negative where it owes.
    pub balance: String,
    /// The currency.
    pub currency: String,
    /// The most this side will hold.
    #[serde(default)]
    pub limit: String,
}

/// A page of what an account owns.
#[derive(Clone, Debug, Deserialize)]
pub struct AccountObjects {
    /// The entries.
    pub account_objects: Vec<Json>,
    /// Where the next page starts.
    #[serde(default)]
    pub marker: Option<Json>,
}

/// Fees and queue (<https://xrpl.org/docs/references/http-websocket-apis/public-api-methods/server-info-methods/fee>).
#[derive(Clone, Debug, Deserialize)]
pub struct Fee {
    /// Transactions in the open ledger.
    #[serde(default, deserialize_with = "lenient")]
    pub current_ledger_size: Option<u64>,
    /// Transactions in the queue.
    #[serde(default, deserialize_with = "lenient")]
    pub current_queue_size: Option<u64>,
    /// From this size on fees rise.
    #[serde(default, deserialize_with = "lenient")]
    pub expected_ledger_size: Option<u64>,
    /// Places in the queue.
    #[serde(default, deserialize_with = "lenient")]
    pub max_queue_size: Option<u64>,
    /// The open ledger's index.
    #[serde(default)]
    pub ledger_current_index: Option<LedgerIndex>,
    /// In drops.
    pub drops: FeeDrops,
}

/// Fees in drops.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct FeeDrops {
    /// Of a reference transaction at the lowest load.
    pub base_fee: Drops,
    /// The median of the last ledger.
    pub median_fee: Drops,
    /// To get into the queue.
    pub minimum_fee: Drops,
    /// To get into the open ledger.
    pub open_ledger_fee: Drops,
}

/// The node's state.
#[derive(Clone, Debug, Deserialize)]
pub struct ServerState {
    /// The state itself.
    pub state: ServerStateBody,
}

/// Members of `server_state`.
#[derive(Clone, Debug, Deserialize)]
pub struct ServerStateBody {
    /// Software version.
    #[serde(default)]
    pub build_version: String,
    /// `full`, `proposing`, `syncing`, ...
    #[serde(default)]
    pub server_state: String,
    /// The network.
    #[serde(default)]
    pub network_id: Option<u32>,
    /// Ranges of ledgers it has.
    #[serde(default)]
    pub complete_ledgers: String,
    /// It runs without an amendment that the network has enabled: what it says is not to be relied
    /// on.
    #[serde(default)]
    pub amendment_blocked: bool,
    /// The last validated ledger.
    #[serde(default)]
    pub validated_ledger: Option<ValidatedLedger>,
}

/// The last validated ledger in `server_state`.
#[derive(Clone, Debug, Deserialize)]
pub struct ValidatedLedger {
    /// Drops for a reference transaction.
    pub base_fee: u64,
    /// Seconds since 2000-01-01 UTC.
    #[serde(default)]
    pub close_time: u32,
    /// Its hash.
    pub hash: Hash256,
    /// Drops that an account must keep.
    pub reserve_base: u64,
    /// Drops more for each owned entry.
    pub reserve_inc: u64,
    /// Its index.
    pub seq: LedgerIndex,
}

/// After a manual close.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct LedgerAccept {
    /// The new open ledger's index.
    pub ledger_current_index: LedgerIndex,
}
