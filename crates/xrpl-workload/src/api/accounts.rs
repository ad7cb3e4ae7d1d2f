//! `/accounts` and the lists of who takes part: addresses and public data only.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State, http::HeaderMap};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json_, json};
use utoipa::ToSchema;
use utoipa_axum::routes;
use xrpl_client::request::Raw;
use xrpl_generator::{
    AccountListing, GatewayListing, coverage::Coverage, diagnosis::TypeDiagnosis, stats::Status,
};
use xrpl_protocol::{AccountId, Drops, LedgerIndex, TxHash, keys::KeyType};
use xrpl_tracker::{ResultName, Row, RowFilter, State as TxState};

use super::{
    ApiError, Routes, Shared,
    error::ErrorBody,
    extract::{Body, Segment, account, generator},
    idempotency::{Sent, once},
};
use crate::{dex, session::App};

/// Open transactions of a diagnosis at most.
const SAMPLE: usize = 10;

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(accounts))
        .routes(routes!(create))
        .routes(routes!(info))
        .routes(routes!(lines))
        .routes(routes!(balances))
        .routes(routes!(addresses))
        .routes(routes!(wallets))
        .routes(routes!(users))
        .routes(routes!(gateways))
        .routes(routes!(currencies))
        .routes(routes!(mptokens))
        .routes(routes!(diagnostics))
        .routes(routes!(coverage))
}

fn listing(app: &App) -> Arc<AccountListing> {
    // Before accounts are ready there are none.
    app.generator().map(|generator| generator.accounts()).unwrap_or_default()
}

/// Named addresses.
#[derive(Debug, Serialize, ToSchema)]
struct Gateways {
    count: usize,
    addresses: Vec<AccountId>,
    names: Vec<String>,
}

/// Addresses.
#[derive(Debug, Serialize, ToSchema)]
struct Addresses {
    count: usize,
    addresses: Vec<AccountId>,
}

impl Addresses {
    fn of(addresses: Vec<AccountId>) -> Self {
        Self { count: addresses.len(), addresses }
    }
}

/// The accounts that take part.
#[derive(Debug, Serialize, ToSchema)]
struct Accounts {
    total_wallets: usize,
    /// Accounts that could send now.
    available_for_txn: usize,
    /// Transactions of one account in flight.
    max_pending_per_account: usize,
    /// Who funded the others.
    funding: Option<AccountId>,
    gateways: Gateways,
    users: Addresses,
}

/// The accounts that take part
#[utoipa::path(get, path = "/accounts", tag = "accounts", responses((status = 200, body = Accounts)))]
async fn accounts(State(app): Shared) -> Json<Accounts> {
    let listing = listing(&app);
    let status: Arc<Status> = app.generator().map(|g| g.last_status()).unwrap_or_default();
    let gateways: Vec<_> = listing.gateways.iter().map(|gateway| gateway.address).collect();
    Json(Accounts {
        total_wallets: gateways.len() + listing.users.len(),
        available_for_txn: status.free_accounts,
        max_pending_per_account: status.max_pending,
        funding: listing.funder,
        gateways: Gateways {
            count: gateways.len(),
            names: (1..=gateways.len()).map(|n| format!("gateway {n}")).collect(),
            addresses: gateways,
        },
        users: Addresses::of(listing.users.clone()),
    })
}

/// An account to be created.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Create {
    /// What it is funded with; as much as the others if not given.
    #[schema(minimum = 1, maximum = 100000000000000000_u64)]
    drops: Option<u64>,
    /// `ed25519` or `secp256k1`; as the others if not given.
    algorithm: Option<String>,
    /// Answer only when its funding has come to its end (at most 25 s).
    wait: Option<bool>,
}

/// An account and its funding.
#[derive(Debug, Serialize, ToSchema)]
struct Created {
    address: AccountId,
    tx_hash: TxHash,
    state: TxState,
    /// The newest result; none if it is not known.
    engine_result: Option<ResultName>,
    /// Whether it was asked for before with the same key: then nothing was sent now.
    already_tracked: bool,
}

/// How long a caller may wait for the funding: less than an answer may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(25);

/// Creates a user account; it takes part once its funding is validated
#[utoipa::path(post, path = "/accounts/create", tag = "accounts", request_body = Create,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key returns the same account, after a restart too.", max_length = 255)), responses(
    (status = 200, body = Created), (status = 409, body = ErrorBody, description = "The funding account cannot do it now, or the key was used with another request.")))]
async fn create(
    State(app): Shared,
    headers: HeaderMap,
    Body(Create { drops, algorithm, wait }): Body<Create>,
) -> Result<Json<Created>, ApiError> {
    let key_type = match algorithm.as_deref() {
        None => None,
        Some(name) => Some(name.parse::<KeyType>().map_err(|_| {
            ApiError::bad_request(format!("algorithm: {name:?} is neither ed25519 nor secp256k1"))
        })?),
    };
    if drops.is_some_and(|drops| drops > Drops::MAX.0) {
        return Err(ApiError::bad_request("drops: more than there are"));
    }
    let generator = generator(&app)?.clone();
    let request = format!("account {drops:?} {key_type:?}");
    let sent = once(&app, &headers, request, async move |_, key| {
        let (address, asked) = generator.create_account(drops.map(Drops), key_type, key).await?;
        Ok(Sent { destination: Some(address), ..asked.into() })
    })
    .await?;
    let address = sent
        .destination
        .ok_or_else(|| ApiError::internal("the account's funding names no destination"))?;
    let mut created = Created {
        address,
        tx_hash: sent.tx_hash,
        state: sent.state,
        engine_result: sent.engine_result,
        already_tracked: sent.already_tracked,
    };
    if wait == Some(true)
        && let Ok(outcome) =
            tokio::time::timeout(PATIENCE, app.tracker.outcome(created.tx_hash)).await
    {
        let outcome = outcome?;
        created.state = outcome.state;
        created.engine_result = outcome.engine_result.clone();
    }
    Ok(Json(created))
}

fn all(app: &App) -> Json<Addresses> {
    let listing = listing(app);
    let gateways = listing.gateways.iter().map(|gateway| gateway.address);
    let users = listing.users.iter().copied();
    Json(Addresses::of(gateways.chain(users).chain(listing.tagged).collect()))
}

/// All addresses of the run
#[utoipa::path(get, path = "/state/accounts", tag = "state", responses((status = 200, body = Addresses)))]
async fn addresses(State(app): Shared) -> Json<Addresses> {
    all(&app)
}

/// The same under its older name
#[utoipa::path(get, path = "/state/wallets", tag = "state", responses((status = 200, body = Addresses)))]
async fn wallets(State(app): Shared) -> Json<Addresses> {
    all(&app)
}

/// Users.
#[derive(Debug, Serialize, ToSchema)]
struct Users {
    count: usize,
    users: Vec<AccountId>,
}

/// Accounts that pay, trust and trade
#[utoipa::path(get, path = "/state/users", tag = "state", responses((status = 200, body = Users)))]
async fn users(State(app): Shared) -> Json<Users> {
    let users = listing(&app).users.clone();
    Json(Users { count: users.len(), users })
}

/// Gateways.
#[derive(Debug, Serialize, ToSchema)]
struct Issuers {
    count: usize,
    gateways: Vec<GatewayListing>,
}

/// Accounts that issue currencies
#[utoipa::path(get, path = "/state/gateways", tag = "state", responses((status = 200, body = Issuers)))]
async fn gateways(State(app): Shared) -> Json<Issuers> {
    let gateways = listing(&app).gateways.clone();
    Json(Issuers { count: gateways.len(), gateways })
}

/// An issued currency.
#[derive(Debug, Serialize, ToSchema)]
struct Issued {
    currency: String,
    issuer: AccountId,
}

/// Issued currencies.
#[derive(Debug, Serialize, ToSchema)]
struct Currencies {
    count: usize,
    currencies: Vec<Issued>,
}

/// Issued currencies
#[utoipa::path(get, path = "/state/currencies", tag = "state", responses((status = 200, body = Currencies)))]
async fn currencies(State(app): Shared) -> Json<Currencies> {
    let listing = listing(&app);
    let mut currencies = Vec::new();
    for gateway in &listing.gateways {
        for currency in &gateway.currencies {
            currencies.push(Issued { currency: currency.clone(), issuer: gateway.address });
        }
    }
    Json(Currencies { count: currencies.len(), currencies })
}

/// Token issuances.
#[derive(Debug, Serialize, ToSchema)]
struct MpTokens {
    count: usize,
    mptokens: Vec<dex::Issuance>,
}

/// Multi-purpose tokens that the run issued and did not destroy
#[utoipa::path(get, path = "/state/mptokens", tag = "state", responses((status = 200, body = MpTokens)))]
async fn mptokens(State(app): Shared) -> Result<Json<MpTokens>, ApiError> {
    let mptokens = dex::issuances(&app.tracker).await?;
    Ok(Json(MpTokens { count: mptokens.len(), mptokens }))
}

async fn ask(app: &App, method: &str, id: &str) -> Result<Json_, ApiError> {
    let id = account("id", id)?;
    let mut params = Map::new();
    params.insert("account".into(), json!(id));
    params.insert("ledger_index".into(), json!("validated"));
    Ok(app.pool.request(&Raw { method: method.into(), params }).await?)
}

/// The node's `account_info`
#[utoipa::path(get, path = "/accounts/{id}", tag = "accounts", params(("id" = AccountId, Path)), responses(
    (status = 200, body = Object), (status = 404, body = ErrorBody, description = "It is not on the ledger.")))]
async fn info(State(app): Shared, Segment(id): Segment) -> Result<Json<Json_>, ApiError> {
    ask(&app, "account_info", &id).await.map(Json)
}

/// The node's `account_lines`
#[utoipa::path(get, path = "/accounts/{id}/lines", tag = "accounts", params(("id" = AccountId, Path)), responses(
    (status = 200, body = Object), (status = 404, body = ErrorBody, description = "It is not on the ledger.")))]
async fn lines(State(app): Shared, Segment(id): Segment) -> Result<Json<Json_>, ApiError> {
    ask(&app, "account_lines", &id).await.map(Json)
}

/// XRP, or an issued currency.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum Balance {
    /// XRP.
    Xrp {
        /// `XRP`.
        currency: &'static str,
        drops: String,
    },
    /// Issued.
    Issued { currency: String, issuer: String, value: String },
}

/// What an account has.
#[derive(Debug, Serialize, ToSchema)]
struct Balances {
    account: String,
    balances: Vec<Balance>,
}

/// XRP and issued currencies of an account
#[utoipa::path(get, path = "/accounts/{id}/balances", tag = "accounts", params(("id" = AccountId, Path)), responses(
    (status = 200, body = Balances), (status = 404, body = ErrorBody, description = "It is not on the ledger.")))]
async fn balances(State(app): Shared, Segment(id): Segment) -> Result<Json<Balances>, ApiError> {
    let info = ask(&app, "account_info", &id).await?;
    let lines = ask(&app, "account_lines", &id).await?;
    let text = |value: &Json_| value.as_str().unwrap_or_default().to_owned();
    let drops = text(&info["account_data"]["Balance"]);
    let mut balances = vec![Balance::Xrp { currency: "XRP", drops }];
    for line in lines["lines"].as_array().into_iter().flatten() {
        balances.push(Balance::Issued {
            currency: text(&line["currency"]),
            issuer: text(&line["account"]),
            value: text(&line["balance"]),
        });
    }
    Ok(Json(Balances { account: id, balances }))
}

/// What limits the load.
#[derive(Debug, Serialize, ToSchema)]
struct Diagnostics {
    ledger_index: LedgerIndex,
    total_accounts: usize,
    blocked_accounts: usize,
    free_accounts: usize,
    pending_by_state: BTreeMap<TxState, u64>,
    oldest_pending_age_ledgers: u32,
    /// The oldest transactions without a final state.
    blocked_sample: Vec<Row>,
    /// Sequence holes filled.
    holes_filled: u64,
    /// Transactions made on the slot of another that waited or was refused.
    replacements: u64,
    /// Transactions that ended because one of those used their slot instead.
    replaced: u64,
    /// Times a Sequence was read again because it was in doubt.
    rereads: u64,
    /// How the schedule's slots were used.
    pacing: xrpl_generator::pacing::PacingStats,
    /// Why each type of transaction runs or does not.
    types: Vec<TypeDiagnosis>,
}

/// What limits the load
#[utoipa::path(get, path = "/state/diagnostics", tag = "state", responses((status = 200, body = Diagnostics)))]
async fn diagnostics(State(app): Shared) -> Result<Json<Diagnostics>, ApiError> {
    let generator = generator(&app)?;
    let status = generator.last_status();
    let types = match generator.diagnoses().await {
        Ok(types) => types,
        // It has ended.
        Err(_) => generator.last_diagnoses(),
    };
    let stats = app.tracker.stats();
    let open: Vec<_> = TxState::ALL.into_iter().filter(|state| !state.is_terminal()).collect();
    let filter = RowFilter { states: open.clone(), ..RowFilter::default() };
    let oldest = app.tracker.rows(&filter, None, SAMPLE).await?.rows;
    let age =
        oldest.first().map_or(0, |row| stats.ledger_index.0.saturating_sub(row.created_ledger.0));
    let count = |state| stats.by_state.get(&state).copied().unwrap_or(0);
    Ok(Json(Diagnostics {
        ledger_index: stats.ledger_index,
        total_accounts: status.total_accounts,
        blocked_accounts: status.total_accounts.saturating_sub(status.free_accounts),
        free_accounts: status.free_accounts,
        pending_by_state: open.into_iter().map(|state| (state, count(state))).collect(),
        oldest_pending_age_ledgers: age,
        blocked_sample: oldest,
        holes_filled: status.stats.holes_filled,
        replacements: status.stats.replacements,
        replaced: status.stats.replaced,
        rereads: status.stats.rereads,
        pacing: status.stats.pacing,
        types,
    }))
}

/// What was sent in which way and with which result, and what never was
#[utoipa::path(get, path = "/state/coverage", tag = "state", responses((status = 200, body = Coverage)))]
async fn coverage(State(app): Shared) -> Result<Json<Coverage>, ApiError> {
    Ok(Json(generator(&app)?.coverage().await))
}
