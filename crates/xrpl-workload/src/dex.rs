//! Pools and offers as the run knows them: from its own validated transactions, and what the node
//! says about those pools when it is asked.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use utoipa::ToSchema;
use xrpl_client::request::Raw;
use xrpl_protocol::{AccountId, LedgerIndex, TxHash};
use xrpl_tracker::{Error, ResultName, RowFilter, State, Tracker};

use crate::session::App;

/// Pools looked after; more are counted only.
const POOLS: usize = 500;
/// Objects of a kind that are listed.
pub const LISTED: usize = 10_000;
/// Rows read at once.
const PAGE: usize = 1_000;

/// A pool that the run made.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Pool {
    /// The AMMCreate that made it.
    pub created_by: TxHash,
    /// Who made it.
    pub creator: AccountId,
    /// The ledger that has it since.
    pub ledger_index: Option<LedgerIndex>,
    /// One asset, as the ledger writes it.
    pub asset: Json,
    /// The other one.
    pub asset2: Json,
    /// Whether the last poll found it on the ledger.
    pub active: Option<bool>,
    /// The pool's account.
    pub account: Option<String>,
    /// What it holds of the one asset, at the last poll.
    #[schema(value_type = Json)]
    pub amount: Option<Json>,
    /// What it holds of the other one.
    #[schema(value_type = Json)]
    pub amount2: Option<Json>,
    /// Tokens its depositors hold.
    #[schema(value_type = Json)]
    pub lp_token: Option<Json>,
    /// Hundred-thousandths of a trade that it keeps.
    pub trading_fee: Option<u64>,
}

/// Pools by position, and when the node was asked.
#[derive(Debug, Default)]
struct Polled {
    pools: Vec<Pool>,
    ledger: Option<LedgerIndex>,
}

/// What the last poll found.
#[derive(Debug, Default)]
pub struct Dex(Mutex<Polled>);

/// Pools and offers, counted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Metrics {
    /// Validated AMMCreate transactions that succeeded.
    pub pools_created: u64,
    /// Those on the ledger at the last poll.
    pub active_pools: usize,
    /// Validated AMMDeposit transactions.
    pub total_deposits: u64,
    /// Validated AMMWithdraw transactions.
    pub total_withdrawals: u64,
    /// Validated OfferCreate transactions.
    pub total_offers: u64,
    /// XRP in the pools at the last poll, drops.
    pub total_xrp_locked_drops: u64,
    /// The newest validated ledger at the last poll; none before the first.
    pub last_poll_ledger: Option<LedgerIndex>,
    /// Pools known.
    pub pool_count: usize,
    /// The same as `/dex/pools`.
    pub pool_details: Vec<Pool>,
}

impl Dex {
    /// All pools of the last poll, the oldest first.
    #[must_use]
    pub fn pools(&self) -> Vec<Pool> {
        self.0.lock().pools.clone()
    }

    /// Counters, and the last poll.
    ///
    /// # Errors
    /// The store fails.
    pub async fn metrics(&self, tracker: &Tracker) -> Result<Metrics, Error> {
        let stats = tracker.stats();
        let validated = |name: &str| stats.by_type_validated.get(name).copied().unwrap_or(0);
        let pools_created = match validated("AMMCreate") {
            0 => 0,
            _ => tracker.count(&succeeded("AMMCreate")).await?,
        };
        let polled = self.0.lock();
        let drops = |amount: &Option<Json>| {
            amount.as_ref().and_then(Json::as_str).and_then(|text| text.parse::<u64>().ok())
        };
        let locked = polled.pools.iter().flat_map(|pool| [&pool.amount, &pool.amount2]);
        Ok(Metrics {
            pools_created,
            active_pools: polled.pools.iter().filter(|pool| pool.active == Some(true)).count(),
            total_deposits: validated("AMMDeposit"),
            total_withdrawals: validated("AMMWithdraw"),
            total_offers: validated("OfferCreate"),
            total_xrp_locked_drops: locked.filter_map(drops).sum(),
            last_poll_ledger: polled.ledger,
            pool_count: polled.pools.len(),
            pool_details: polled.pools.clone(),
        })
    }

    /// Looks for pools that the run made and asks the node what they hold.
    ///
    /// # Errors
    /// The store fails or no node answers.
    pub async fn poll(&self, app: &App) -> Result<(), PollError> {
        let ledger = app.tracker.stats().ledger_index;
        let mut pools = Vec::new();
        for tx in fields_of(&app.tracker, "AMMCreate", POOLS).await? {
            let (Some(asset), Some(asset2)) =
                (asset(&tx.fields["Amount"]), asset(&tx.fields["Amount2"]))
            else {
                continue;
            };
            let mut pool = Pool {
                created_by: tx.hash,
                creator: tx.account,
                ledger_index: tx.ledger,
                asset,
                asset2,
                active: None,
                account: None,
                amount: None,
                amount2: None,
                lp_token: None,
                trading_fee: None,
            };
            look(app, &mut pool).await?;
            pools.push(pool);
        }
        *self.0.lock() = Polled { pools, ledger: Some(ledger) };
        Ok(())
    }
}

/// Why a poll came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The store.
    #[error(transparent)]
    Tracker(#[from] Error),
    /// The node.
    #[error(transparent)]
    Client(#[from] xrpl_client::ClientError),
}

/// The asset of an amount: without its value.
fn asset(amount: &Json) -> Option<Json> {
    match amount {
        Json::String(_) => Some(json!({"currency": "XRP"})),
        Json::Object(map) => {
            let mut map = map.clone();
            map.remove("value");
            Some(Json::Object(map))
        }
        _ => None,
    }
}

async fn look(app: &App, pool: &mut Pool) -> Result<(), xrpl_client::ClientError> {
    let mut params = Map::new();
    params.insert("asset".into(), pool.asset.clone());
    params.insert("asset2".into(), pool.asset2.clone());
    params.insert("ledger_index".into(), json!("validated"));
    match app.pool.request(&Raw { method: "amm_info".into(), params }).await {
        Ok(answer) => {
            let amm = &answer["amm"];
            pool.active = Some(true);
            pool.account = amm["account"].as_str().map(ToOwned::to_owned);
            pool.amount = amm.get("amount").cloned();
            pool.amount2 = amm.get("amount2").cloned();
            pool.lp_token = amm.get("lp_token").cloned();
            pool.trading_fee = amm["trading_fee"].as_u64();
            Ok(())
        }
        // The node's own word: it is gone, or the node does not know the question.
        Err(error) => match error.api().map(|api| api.error.as_str()) {
            Some("actNotFound" | "ammNotFound" | "entryNotFound") => {
                pool.active = Some(false);
                Ok(())
            }
            Some(_) => Ok(()),
            None => Err(error),
        },
    }
}

/// A validated, successful transaction of the run.
#[derive(Debug)]
pub struct Succeeded {
    /// Its hash.
    pub hash: TxHash,
    /// Whose it is.
    pub account: AccountId,
    /// The ledger that has it.
    pub ledger: Option<LedgerIndex>,
    /// Its Sequence, or its Ticket's number.
    pub sequence: u32,
    /// Its fields.
    pub fields: Json,
}

fn succeeded(transaction_type: &str) -> RowFilter {
    RowFilter {
        states: vec![State::Validated],
        transaction_type: Some(transaction_type.to_owned()),
        last: Some(Some(ResultName::new("tesSUCCESS"))),
        ..RowFilter::default()
    }
}

/// Fields of the run's successful transactions of a type, oldest first, at most this many.
///
/// # Errors
/// The store fails.
pub async fn fields_of(
    tracker: &Tracker,
    transaction_type: &str,
    most: usize,
) -> Result<Vec<Succeeded>, Error> {
    let mut found = Vec::new();
    // Nothing is read for a type that never was.
    if !tracker.stats().by_type_validated.iter().any(|(t, n)| &**t == transaction_type && *n > 0) {
        return Ok(found);
    }
    let filter = succeeded(transaction_type);
    let mut cursor = None;
    loop {
        let page = tracker.rows(&filter, cursor, PAGE.min(most - found.len())).await?;
        for row in &page.rows {
            let Some(dossier) = tracker.dossier(row.tx_hash).await? else { continue };
            found.push(Succeeded {
                hash: row.tx_hash,
                account: row.account,
                ledger: row.validated_ledger,
                sequence: row.ticket_sequence.unwrap_or(row.sequence).0,
                fields: dossier.tx_json,
            });
        }
        cursor = page.next_cursor;
        if cursor.is_none() || found.len() >= most {
            return Ok(found);
        }
    }
}

/// A token issuance of the run.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Issuance {
    /// Its id.
    pub mpt_issuance_id: String,
    /// Who issues it.
    pub issuer: AccountId,
    /// The transaction that made it.
    pub created_by: TxHash,
    /// The ledger that has it since.
    pub ledger_index: Option<LedgerIndex>,
}

/// Token issuances that the run made and did not destroy.
///
/// # Errors
/// The store fails.
pub async fn issuances(tracker: &Tracker) -> Result<Vec<Issuance>, Error> {
    let destroyed = fields_of(tracker, "MPTokenIssuanceDestroy", LISTED).await?;
    let gone: BTreeMap<_, ()> = destroyed
        .iter()
        .filter_map(|tx| tx.fields["MPTokenIssuanceID"].as_str())
        .map(|id| (id.to_uppercase(), ()))
        .collect();
    let made = fields_of(tracker, "MPTokenIssuanceCreate", LISTED).await?;
    let all = made.into_iter().map(|tx| Issuance {
        mpt_issuance_id: issuance_id(tx.sequence, tx.account),
        issuer: tx.account,
        created_by: tx.hash,
        ledger_index: tx.ledger,
    });
    Ok(all.filter(|issuance| !gone.contains_key(&issuance.mpt_issuance_id)).collect())
}

/// Sequence and issuer (<https://xrpl.org/docs/references/protocol/data-types/basic-data-types>).
fn issuance_id(sequence: u32, issuer: AccountId) -> String {
    const_hex::encode_upper([&sequence.to_be_bytes()[..], &issuer.0[..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_an_amount_without_its_value() {
        assert_eq!(asset(&json!("5000000")), Some(json!({"currency": "XRP"})));
        let usd = json!({"currency": "USD", "issuer": "r1", "value": "7"});
        assert_eq!(asset(&usd), Some(json!({"currency": "USD", "issuer": "r1"})));
        assert_eq!(asset(&Json::Null), None);
    }

    #[test]
    fn an_issuance_is_called_by_sequence_and_issuer() {
        let issuer = AccountId([0xAB; 20]);
        assert_eq!(issuance_id(7, issuer), format!("00000007{}", "AB".repeat(20)));
    }
}
