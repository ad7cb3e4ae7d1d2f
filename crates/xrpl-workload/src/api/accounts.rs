//! `/accounts` and the lists of who takes part: addresses and public data only.

use std::sync::Arc;

use axum::{Json, Router, extract::State, routing::get};
use serde_json::{Map, Value as Json_, json};
use xrpl_client::request::Raw;
use xrpl_generator::AccountListing;
use xrpl_tracker::{RowFilter, State as TxState};

use super::{
    ApiError, Shared,
    extract::{Segment, account, generator},
};
use crate::session::App;

/// Open transactions of a diagnosis at most.
const SAMPLE: usize = 10;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/accounts", get(accounts))
        .route("/accounts/{id}", get(info))
        .route("/accounts/{id}/lines", get(lines))
        .route("/accounts/{id}/balances", get(balances))
        .route("/state/accounts", get(addresses))
        .route("/state/wallets", get(addresses))
        .route("/state/users", get(users))
        .route("/state/gateways", get(gateways))
        .route("/state/currencies", get(currencies))
        .route("/state/diagnostics", get(diagnostics))
}

fn listing(app: &App) -> Arc<AccountListing> {
    // Before accounts are ready there are none.
    app.generator().map(|generator| generator.accounts()).unwrap_or_default()
}

fn all(listing: &AccountListing) -> Vec<String> {
    let gateways = listing.gateways.iter().map(|gateway| gateway.address);
    gateways
        .chain(listing.users.iter().copied())
        .chain(listing.tagged)
        .map(|id| id.to_string())
        .collect()
}

async fn accounts(State(app): Shared) -> Json<Json_> {
    let listing = listing(&app);
    let status = app.generator().map(|generator| generator.last_status()).unwrap_or_default();
    let gateways: Vec<_> = listing.gateways.iter().map(|g| g.address.to_string()).collect();
    let names: Vec<_> = (1..=gateways.len()).map(|n| format!("gateway {n}")).collect();
    let users: Vec<_> = listing.users.iter().map(ToString::to_string).collect();
    Json(json!({
        "total_wallets": gateways.len() + users.len(),
        "available_for_txn": status.free_accounts,
        "max_pending_per_account": status.max_pending,
        "funding": listing.funder,
        "gateways": {"count": gateways.len(), "addresses": gateways, "names": names},
        "users": {"count": users.len(), "addresses": users},
    }))
}

async fn addresses(State(app): Shared) -> Json<Json_> {
    let addresses = all(&listing(&app));
    Json(json!({"count": addresses.len(), "addresses": addresses}))
}

async fn users(State(app): Shared) -> Json<Json_> {
    let listing = listing(&app);
    Json(json!({"count": listing.users.len(), "users": listing.users}))
}

async fn gateways(State(app): Shared) -> Json<Json_> {
    let listing = listing(&app);
    Json(json!({"count": listing.gateways.len(), "gateways": listing.gateways}))
}

async fn currencies(State(app): Shared) -> Json<Json_> {
    let listing = listing(&app);
    let mut currencies = Vec::new();
    for gateway in &listing.gateways {
        for currency in &gateway.currencies {
            currencies.push(json!({"currency": currency, "issuer": gateway.address}));
        }
    }
    Json(json!({"count": currencies.len(), "currencies": currencies}))
}

async fn ask(app: &App, method: &str, id: &str) -> Result<Json_, ApiError> {
    let id = account("id", id)?;
    let mut params = Map::new();
    params.insert("account".into(), json!(id));
    params.insert("ledger_index".into(), json!("validated"));
    Ok(app.pool.request(&Raw { method: method.into(), params }).await?)
}

async fn info(State(app): Shared, Segment(id): Segment) -> Result<Json<Json_>, ApiError> {
    ask(&app, "account_info", &id).await.map(Json)
}

async fn lines(State(app): Shared, Segment(id): Segment) -> Result<Json<Json_>, ApiError> {
    ask(&app, "account_lines", &id).await.map(Json)
}

async fn balances(State(app): Shared, Segment(id): Segment) -> Result<Json<Json_>, ApiError> {
    let info = ask(&app, "account_info", &id).await?;
    let lines = ask(&app, "account_lines", &id).await?;
    let xrp = &info["account_data"]["Balance"];
    let mut balances = vec![json!({"currency": "XRP", "drops": xrp})];
    for line in lines["lines"].as_array().into_iter().flatten() {
        balances.push(json!({
            "currency": line["currency"],
            "issuer": line["account"],
            "value": line["balance"],
        }));
    }
    Ok(Json(json!({"account": id, "balances": balances})))
}

async fn diagnostics(State(app): Shared) -> Result<Json<Json_>, ApiError> {
    let status = generator(&app)?.last_status();
    let stats = app.tracker.stats();
    let open: Vec<_> = TxState::ALL.into_iter().filter(|state| !state.is_terminal()).collect();
    let filter = RowFilter { states: open.clone(), ..RowFilter::default() };
    let oldest = app.tracker.rows(&filter, None, SAMPLE).await?.rows;
    let age =
        oldest.first().map_or(0, |row| stats.ledger_index.0.saturating_sub(row.created_ledger.0));
    let pending: Map<_, _> = open
        .iter()
        .map(|state| {
            let n = stats.by_state.get(state).copied().unwrap_or(0);
            (state.name().to_owned(), json!(n))
        })
        .collect();
    Ok(Json(json!({
        "ledger_index": stats.ledger_index,
        "total_accounts": status.total_accounts,
        "blocked_accounts": status.total_accounts.saturating_sub(status.free_accounts),
        "free_accounts": status.free_accounts,
        "pending_by_state": pending,
        "oldest_pending_age_ledgers": age,
        "blocked_sample": oldest,
        "holes_filled": status.stats.holes_filled,
        "rereads": status.stats.rereads,
        "pacing": status.stats.pacing,
    })))
}
