//! How transactions look in answers and streams, in api_version 1 and 2.

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{
    AccountId, Amount, Definitions, EngineResult, Field, Issue, MptId, Object, Value, fields,
};

use super::{RpcError, mpt, nft, object, order_book::number};
use crate::{
    ledger::{ClosedLedger, LedgerTransaction, PreparedTx, helpers::offer},
    node::Proposed,
};

/// The version of the API a caller speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ApiShape {
    /// The default.
    #[default]
    V1,
    /// `tx_json` and a `hash` beside it.
    V2,
}

impl ApiShape {
    pub(crate) fn of(params: &Map<String, Json>) -> Result<Self, RpcError> {
        match params.get("api_version").map(|v| v.as_u64()) {
            None | Some(Some(1)) => Ok(Self::V1),
            Some(Some(2)) => Ok(Self::V2),
            Some(_) => {
                let mut error = RpcError::new("invalid_API_version", 0, "");
                error.extra = Map::new();
                Err(error)
            }
        }
    }
}

/// Seconds since 2000-01-01 as xrpld's `close_time_iso`.
pub(crate) fn iso_time(seconds: u32) -> String {
    let (date, time) = (civil(seconds), seconds % 86_400);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        date.0,
        date.1,
        date.2,
        time / 3600,
        time / 60 % 60,
        time % 60
    )
}

/// Seconds since 2000-01-01 as xrpld's `close_time_human`.
pub(crate) fn human_time(seconds: u32) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (date, time) = (civil(seconds), seconds % 86_400);
    format!(
        "{:04}-{}-{:02} {:02}:{:02}:{:02}.000000000 UTC",
        date.0,
        MONTHS[date.1 as usize - 1],
        date.2,
        time / 3600,
        time / 60 % 60,
        time % 60
    )
}

/// Year, month and day of a time in seconds since 2000-01-01.
fn civil(seconds: u32) -> (u32, u32, u32) {
    let mut days = seconds / 86_400;
    let leap = |year: u32| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 2000;
    while days >= 365 + u32::from(leap(year)) {
        days -= 365 + u32::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u32::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

/// The fields of a transaction; a Payment's `Amount` is also called `DeliverMax`, and only so in
/// version 2.
pub(crate) fn tx_members(tx: &PreparedTx, shape: ApiShape) -> Map<String, Json> {
    let mut members = object(tx.object.to_json(Definitions::builtin()));
    if tx.kind == 0
        && let Some(amount) = members.get("Amount").cloned()
    {
        members.insert("DeliverMax".into(), amount);
        if shape == ApiShape::V2 {
            members.remove("Amount");
        }
    }
    if shape == ApiShape::V1 {
        members.insert("hash".into(), tx.hash.to_string().into());
    }
    members
}

/// `ctid` (<https://github.com/XRPLF/XRPL-Standards/tree/master/XLS-0037-concise-transaction-identifier-ctid>).
pub(crate) fn ctid(ledger: u32, index: u32, network: u32) -> Option<String> {
    (ledger < 0x1000_0000 && index <= 0xffff && network <= 0xffff)
        .then(|| format!("{:08X}{index:04X}{network:04X}", 0xc000_0000 | ledger))
}

/// Metadata, with the `delivered_amount` that xrpld adds for payments that delivered.
fn metadata(transaction: &LedgerTransaction) -> Json {
    let read = transaction.read();
    metadata_of(&read.tx, transaction.result, &read.metadata)
}

/// The same, with the id of an MPT that was created: not in `transaction_entry`.
pub(crate) fn metadata_with_issuance(transaction: &LedgerTransaction) -> Json {
    let read = transaction.read();
    let mut members = object(metadata(transaction));
    mpt::add_to_metadata(&mut members, &read.tx.object, &read.metadata);
    members.into()
}

/// The same, also with the ids of NFTs and offers for them: not in `ledger`.
pub(crate) fn metadata_with_ids(transaction: &LedgerTransaction) -> Json {
    let read = transaction.read();
    metadata_with_ids_of(&read.tx, transaction.result, &read.metadata)
}

/// The same of a transaction that is in no ledger.
pub(crate) fn metadata_with_ids_of(
    tx: &PreparedTx,
    result: EngineResult,
    metadata: &Object,
) -> Json {
    let mut members = object(metadata_of(tx, result, metadata));
    mpt::add_to_metadata(&mut members, &tx.object, metadata);
    nft::add_ids(&mut members, tx, result, metadata);
    members.into()
}

fn metadata_of(tx: &PreparedTx, result: EngineResult, metadata: &Object) -> Json {
    let mut json = metadata.to_json(Definitions::builtin());
    if let (Some(amount), Json::Object(members)) = (delivered(tx, result, metadata), &mut json) {
        members.insert("delivered_amount".into(), amount.to_json());
    }
    json
}

fn delivered(tx: &PreparedTx, result: EngineResult, metadata: &Object) -> Option<Amount> {
    // Payment, CheckCash, AccountDelete.
    const DELIVERING: [u16; 3] = [0, 17, 21];
    if !DELIVERING.contains(&tx.kind) || !result.is_success() {
        return None;
    }
    metadata.amount(fields::DELIVERED_AMOUNT).or_else(|| tx.object.amount(fields::AMOUNT))
}

fn result_members(result: EngineResult) -> Map<String, Json> {
    object(json!({
        "engine_result": result.name(),
        "engine_result_code": result.code(),
        "engine_result_message": result.message(),
        "type": "transaction",
    }))
}

fn add_transaction(
    message: &mut Map<String, Json>,
    tx: &PreparedTx,
    shape: ApiShape,
    date: Option<u32>,
    owner_funds: Option<Amount>,
) {
    let mut members = tx_members(tx, shape);
    if let Some(funds) = owner_funds {
        members.insert("owner_funds".into(), number(&funds).into());
    }
    if let Some(date) = date {
        members.insert("date".into(), date.into());
    }
    match shape {
        ApiShape::V1 => message.insert("transaction".into(), members.into()),
        ApiShape::V2 => {
            message.insert("hash".into(), tx.hash.to_string().into());
            message.insert("tx_json".into(), members.into())
        }
    };
}

/// The stream message of a transaction that entered the open ledger.
pub(crate) fn proposed_message(proposed: &Proposed, shape: ApiShape) -> Json {
    let mut message = result_members(proposed.result);
    message.insert("ledger_current_index".into(), proposed.ledger_current_index.into());
    message.insert("status".into(), "proposed".into());
    message.insert("validated".into(), false.into());
    add_transaction(&mut message, &proposed.tx, shape, None, proposed.owner_funds);
    message.into()
}

/// The stream message of a validated transaction.
pub(crate) fn closed_message(
    ledger: &ClosedLedger,
    transaction: &LedgerTransaction,
    network: u32,
    shape: ApiShape,
) -> Json {
    let mut message = result_members(transaction.result);
    let header = &ledger.header;
    message.insert("close_time_iso".into(), iso_time(header.close_time).into());
    if let Some(ctid) = ctid(header.index, transaction.index, network) {
        message.insert("ctid".into(), ctid.into());
    }
    message.insert("ledger_hash".into(), header.hash.to_string().into());
    message.insert("ledger_index".into(), header.index.into());
    message.insert("meta".into(), metadata_with_ids(transaction));
    message.insert("status".into(), "closed".into());
    message.insert("validated".into(), true.into());
    let read = transaction.read();
    let funds = offer::owner_funds(ledger, &read.tx);
    add_transaction(&mut message, &read.tx, shape, Some(header.close_time), funds);
    message.into()
}

/// The accounts that a transaction touches: everyone whom the entries name that it left, of trust
/// lines and offers also the issuers, and of MPTs.
pub(crate) fn affected_accounts(transaction: &LedgerTransaction) -> Vec<AccountId> {
    let read = transaction.read();
    let mut all = Vec::new();
    for (kind, node) in read.metadata.array(fields::AFFECTED_NODES).unwrap_or_default() {
        let part = match *kind {
            fields::CREATED_NODE => fields::NEW_FIELDS,
            _ => fields::FINAL_FIELDS,
        };
        let named = node.object(part).into_iter().flat_map(Object::iter);
        all.extend(named.filter_map(|(field, value)| named_by(field, value)));
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn named_by(field: Field, value: &Value) -> Option<AccountId> {
    const OF_ISSUERS: [Field; 4] =
        [fields::LOW_LIMIT, fields::HIGH_LIMIT, fields::TAKER_PAYS, fields::TAKER_GETS];
    match value {
        Value::Account(id) => Some(*id),
        Value::Amount(amount) if OF_ISSUERS.contains(&field) => match amount.issue() {
            Issue::Xrp => None,
            Issue::Issued { issuer, .. } => Some(issuer),
            Issue::Mpt(id) => Some(id.issuer()),
        },
        Value::Hash192(id) if field == fields::MP_TOKEN_ISSUANCE_ID => Some(MptId(*id).issuer()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_recorded() {
        assert_eq!(iso_time(848_737_561), "2026-11-23T08:26:01Z");
        assert_eq!(human_time(848_737_560), "2026-Nov-23 08:26:00.000000000 UTC");
        assert_eq!(iso_time(0), "2000-01-01T00:00:00Z");
        assert_eq!(iso_time(5_097_599), "2000-02-28T23:59:59Z");
        assert_eq!(iso_time(5_097_600), "2000-02-29T00:00:00Z");
        assert_eq!(ctid(3, 4, 0).unwrap(), "C000000300040000");
    }
}
