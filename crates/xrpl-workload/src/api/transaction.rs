//! `/transaction` and `/payment`: one transaction on request.

use std::sync::Arc;

use axum::{Json, extract::State, http::HeaderMap};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json_;
use utoipa::ToSchema;
use utoipa_axum::routes;
use xrpl_client::request::ServerState;
use xrpl_protocol::{
    AccountId, Amount, Definitions, Object, TxHash,
    account_id::XAddress,
    fields,
    input::{Given as GivenTx, UniqueJson},
};
use xrpl_tracker::{CallersKey, ResultName, State as TxState, Submission};

use super::{
    ApiError, Routes, Shared,
    extract::{Body, Segment, account, generator},
    idempotency::{Sent, once},
};
use crate::{cost::Cost, session::App};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(get_random, random))
        .routes(routes!(get_create, create))
        .routes(routes!(submit))
        .routes(routes!(create_short))
        .routes(routes!(payment))
}

/// Sends one transaction of any type, drawn by weight
#[utoipa::path(post, path = "/transaction/random", tag = "transaction",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key returns the same transaction, after a restart too.", max_length = 255)), responses(
    (status = 200, body = Submitted), (status = 409, body = super::error::ErrorBody, description = "No account can do it now, or the key was used with another request.")))]
async fn random(State(app): Shared, headers: HeaderMap) -> Result<Json<Submitted>, ApiError> {
    draw(&app, &headers, None).await
}

/// The same by GET; it is an action too
#[utoipa::path(get, path = "/transaction/random", tag = "transaction",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key returns the same transaction, after a restart too.", max_length = 255)), responses(
    (status = 200, body = Submitted), (status = 409, body = super::error::ErrorBody, description = "No account can do it now, or the key was used with another request.")))]
async fn get_random(app: Shared, headers: HeaderMap) -> Result<Json<Submitted>, ApiError> {
    random(app, headers).await
}

/// Sends one transaction of a type
#[utoipa::path(post, path = "/transaction/create/{type}", tag = "transaction",
    params(("type" = String, Path, description = "Such as Payment."),
    ("Idempotency-Key" = Option<String>, Header, description = "The same key returns the same transaction, after a restart too.", max_length = 255)), responses(
    (status = 200, body = Submitted), (status = 409, body = super::error::ErrorBody, description = "No account can do it now, or the key was used with another request.")))]
async fn create(
    State(app): Shared,
    headers: HeaderMap,
    Segment(name): Segment,
) -> Result<Json<Submitted>, ApiError> {
    draw(&app, &headers, Some(name)).await
}

/// The same by GET; it is an action too
#[utoipa::path(get, path = "/transaction/create/{type}", tag = "transaction",
    params(("type" = String, Path, description = "Such as Payment."),
    ("Idempotency-Key" = Option<String>, Header, description = "The same key returns the same transaction, after a restart too.", max_length = 255)), responses(
    (status = 200, body = Submitted), (status = 409, body = super::error::ErrorBody, description = "No account can do it now, or the key was used with another request.")))]
async fn get_create(
    app: Shared,
    headers: HeaderMap,
    name: Segment,
) -> Result<Json<Submitted>, ApiError> {
    create(app, headers, name).await
}

/// The same under a shorter name
#[utoipa::path(post, path = "/transaction/{type}", tag = "transaction",
    params(("type" = String, Path, description = "Such as Payment."),
    ("Idempotency-Key" = Option<String>, Header, description = "The same key returns the same transaction, after a restart too.", max_length = 255)), responses(
    (status = 200, body = Submitted), (status = 409, body = super::error::ErrorBody, description = "No account can do it now, or the key was used with another request.")))]
async fn create_short(
    app: Shared,
    headers: HeaderMap,
    name: Segment,
) -> Result<Json<Submitted>, ApiError> {
    create(app, headers, name).await
}

async fn draw(
    app: &Arc<App>,
    headers: &HeaderMap,
    name: Option<String>,
) -> Result<Json<Submitted>, ApiError> {
    let generator = generator(app)?.clone();
    let request = format!("create {}", name.as_deref().unwrap_or("any"));
    let sent = once(app, headers, request, async move |_, key| {
        Ok(match name {
            None => generator.random(key).await?,
            Some(name) => generator.create(&name, key).await?,
        }
        .into())
    });
    Ok(Json(sent.await?.into()))
}

/// A payment from one of the run's accounts.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Pay {
    /// One of the run's accounts.
    source: String,
    /// Any account; the tag of an X-address becomes the DestinationTag.
    destination: String,
    /// Drops as text or number, or `{currency, issuer, value}`.
    amount: Json_,
}

/// A payment that was sent.
#[derive(Debug, Serialize, ToSchema)]
struct Paid {
    tx_hash: TxHash,
    transaction_type: String,
    /// The node's first answer; none if it is not known.
    engine_result: Option<ResultName>,
    state: TxState,
    /// Whether it was tracked before: then nothing was sent now.
    already_tracked: bool,
    source: AccountId,
    destination: AccountId,
    /// The tag of the X-address, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_tag: Option<u32>,
    amount: Json_,
}

/// Pays from one of the run's accounts
#[utoipa::path(post, path = "/payment", tag = "transaction", request_body = Pay,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key returns the same transaction, after a restart too.", max_length = 255)), responses(
    (status = 200, body = Paid), (status = 409, body = super::error::ErrorBody, description = "The account cannot do it now, or the key was used with another request.")))]
async fn payment(
    State(app): Shared,
    headers: HeaderMap,
    Body(pay): Body<Pay>,
) -> Result<Json<Paid>, ApiError> {
    let request = format!("pay {}", text(&pay)?);
    let Pay { source, destination, amount } = pay;
    let from = account("source", &source)?;
    let (to, tag) = AccountId::parse_with_tag(&destination)
        .map_err(|error| ApiError::bad_request(format!("destination: {error}")))?;
    // A bare number is drops, as its text form is.
    let written = match &amount {
        Json_::Number(n) => Json_::String(n.to_string()),
        other => other.clone(),
    };
    let parsed = Amount::from_json(&written)
        .map_err(|error| ApiError::bad_request(format!("amount: {error}")))?;
    if parsed.signum() <= 0 {
        return Err(ApiError::bad_request("amount: must be positive"));
    }
    if from == to {
        return Err(ApiError::bad_request("destination: is the source itself"));
    }
    let sent = once(&app, &headers, request, async move |app: Arc<App>, key| {
        // An X-address says of which network it is, and that there is no tag if there is none.
        if XAddress::parse(&destination).is_none() {
            return Ok(generator(&app)?.payment(from, to, parsed, key).await?.into());
        }
        let payment = serde_json::json!({
            "TransactionType": "Payment", "Destination": destination, "Amount": written,
        });
        let given = own_fields(&UniqueJson(payment), from, &app.definitions.definitions)?;
        check_with_node(&app, &given).await?;
        Ok(generator(&app)?.send(from, given.tx, key).await?.into())
    })
    .await?;
    Ok(Json(Paid {
        tx_hash: sent.tx_hash,
        transaction_type: sent.transaction_type,
        engine_result: sent.engine_result,
        state: sent.state,
        already_tracked: sent.already_tracked,
        source: from,
        destination: to,
        destination_tag: tag,
        amount,
    }))
}

/// A transaction to be tracked: a signed blob, or fields that one of the run's accounts signs.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Submit {
    /// A signed, serialised transaction in hexadecimal.
    tx_blob: Option<String>,
    /// A transaction without Sequence, LastLedgerSequence and signature; its Fee may be given.
    tx_json: Option<UniqueJson>,
    /// The account of this run that signs `tx_json`.
    account: Option<String>,
}

/// A transaction after the first attempt.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Submitted {
    tx_hash: TxHash,
    transaction_type: String,
    state: TxState,
    /// The node's first answer; none if it is not known.
    engine_result: Option<ResultName>,
    /// Who sends it.
    account: AccountId,
    /// Whether it was tracked before: then nothing was sent now.
    already_tracked: bool,
}

impl From<Sent> for Submitted {
    fn from(sent: Sent) -> Self {
        let Sent { tx_hash, transaction_type, account, state, engine_result, .. } = sent;
        let already_tracked = sent.already_tracked;
        Self { tx_hash, transaction_type, state, engine_result, account, already_tracked }
    }
}

fn text(request: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(request).map_err(|error| ApiError::bad_request(error.to_string()))
}

/// Tracks a caller's transaction to its end
#[utoipa::path(post, path = "/transaction/submit", tag = "transaction", request_body = Submit,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key returns the same transaction, after a restart too.", max_length = 255)),
    responses((status = 200, body = Submitted), (status = 409, body = super::error::ErrorBody, description = "The key was used with another request, or the account cannot do it now.")))]
async fn submit(
    State(app): Shared,
    headers: HeaderMap,
    Body(request): Body<Submit>,
) -> Result<Json<Submitted>, ApiError> {
    let text = text(&request)?;
    let sent = once(&app, &headers, text, async move |app: Arc<App>, key| {
        submit_given(&app, request, key).await
    });
    Ok(Json(sent.await?.into()))
}

async fn submit_given(
    app: &App,
    request: Submit,
    key: Option<Arc<CallersKey>>,
) -> Result<Sent, ApiError> {
    match request {
        Submit { tx_blob: Some(hex), tx_json: None, account: None } => {
            let blob = const_hex::decode(hex.trim())
                .map_err(|error| ApiError::bad_request(format!("tx_blob: {error}")))?;
            let definitions = &*app.definitions.definitions;
            let object = Object::decode(&blob, definitions)
                .map_err(|error| ApiError::bad_request(format!("tx_blob: {error}")))?;
            xrpl_protocol::sign::verify_as(&object, definitions)
                .map_err(|error| ApiError::bad_request(format!("tx_blob: {error}")))?;
            let submitted = app.tracker.submit(Submission::new(blob).callers_key(key)).await?;
            let code = object.u16(fields::TRANSACTION_TYPE);
            let name = code.and_then(|code| definitions.transaction_type_name(code));
            Ok(Sent {
                tx_hash: submitted.hash,
                transaction_type: name.unwrap_or_default().to_owned(),
                state: submitted.state,
                engine_result: submitted.engine_result,
                account: object.account(fields::ACCOUNT).unwrap_or_default(),
                already_tracked: submitted.already_tracked,
                destination: None,
            })
        }
        Submit { tx_blob: None, tx_json: Some(tx), account: Some(address) } => {
            let from = account("account", &address)?;
            let given = own_fields(&tx, from, &app.definitions.definitions)?;
            check_with_node(app, &given).await?;
            let mut body = given.tx;
            body.remove(fields::ACCOUNT);
            Ok(generator(app)?.send(from, body, key).await?.into())
        }
        Submit { tx_json: Some(_), .. } => Err(ApiError::bad_request(
            "account: give the account of this run that signs tx_json (and no tx_blob)",
        )),
        Submit { .. } => {
            Err(ApiError::bad_request("tx_blob: give a signed blob, or tx_json with account"))
        }
    }
}

/// What a caller decides about a transaction of one of the run's accounts; the lane decides the
/// rest.
fn own_fields(
    tx: &UniqueJson,
    signer: AccountId,
    definitions: &Definitions,
) -> Result<GivenTx, ApiError> {
    let wrong = |text: String| ApiError::bad_request(format!("tx_json.{text}"));
    let given = GivenTx::from_json(&tx.0, definitions).map_err(|error| wrong(error.to_string()))?;
    for (field, name) in [
        (fields::SEQUENCE, "Sequence"),
        (fields::TICKET_SEQUENCE, "TicketSequence"),
        (fields::LAST_LEDGER_SEQUENCE, "LastLedgerSequence"),
        (fields::NETWORK_ID, "NetworkID"),
        (fields::SIGNING_PUB_KEY, "SigningPubKey"),
        (fields::TXN_SIGNATURE, "TxnSignature"),
        (fields::SIGNERS, "Signers"),
    ] {
        if given.tx.contains(field) {
            return Err(wrong(format!("{name}: leave it out, it is filled in")));
        }
    }
    if given.account().is_some_and(|stated| stated != signer) {
        return Err(wrong("Account: is not the account that signs".into()));
    }
    if given.tx.contains(fields::FEE) && given_fee(&given.tx).is_none() {
        return Err(wrong("Fee: it is paid in drops of XRP".into()));
    }
    Ok(given)
}

fn given_fee(tx: &Object) -> Option<u64> {
    tx.amount(fields::FEE)?.drops().and_then(|drops| u64::try_from(drops).ok())
}

/// What only the node can tell: which network it is, and what a type costs.
async fn check_with_node(app: &App, given: &GivenTx) -> Result<(), ApiError> {
    let wrong = |text: String| ApiError::bad_request(format!("tx_json.{text}"));
    if let Some(drops) = given_fee(&given.tx)
        && drops > app.config.max_fee_drops
    {
        let cost = Cost::of(&given.tx, &app.pool).await?;
        cost.choose(Some(drops), &app.config).map_err(|error| wrong(error.to_string()))?;
    }
    if given.has_x_addresses() {
        let network_id = match app.config.network_id {
            Some(id) => Some(id),
            None => app.pool.request(&ServerState::default()).await?.state.network_id,
        };
        given.check_network(network_id).map_err(|error| wrong(error.to_string()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_lane_decides_is_not_the_callers() {
        let signer: AccountId = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh".parse().unwrap();
        let read = |tx: Json_| own_fields(&UniqueJson(tx), signer, Definitions::builtin());
        assert!(read(json!({"TransactionType": "AccountSet"})).is_ok());
        let x_address = signer.to_x_address(None, false);
        assert!(read(json!({"TransactionType": "AccountSet", "Account": x_address})).is_ok());
        let given = read(json!({"TransactionType": "AccountSet", "Fee": "12"})).unwrap();
        assert_eq!(given_fee(&given.tx), Some(12));
        let given = read(json!({"TransactionType": "AccountSet", "SetFlag": "asfRequireDest"}));
        assert_eq!(given.unwrap().tx.u32(fields::SET_FLAG), Some(1));
        for (tx, named) in [
            (json!([]), "tx_json."),
            (json!({}), "tx_json.TransactionType"),
            (json!({"TransactionType": "AccountSet", "Sequence": 1}), "tx_json.Sequence"),
            (json!({"TransactionType": "AccountSet", "NetworkID": 1}), "tx_json.NetworkID"),
            (json!({"TransactionType": "AccountSet", "Signers": []}), "tx_json.Signers"),
            (
                json!({"TransactionType": "AccountSet", "Fee": {"mpt_issuance_id": "00".repeat(24), "value": "1"}}),
                "tx_json.Fee",
            ),
            (
                json!({"TransactionType": "AccountSet", "Account": "rrrrrrrrrrrrrrrrrrrrrhoLvTp"}),
                "tx_json.Account",
            ),
            (json!({"TransactionType": "AccountSet", "Domian": "00"}), "did you mean"),
            (json!({"TransactionType": "Nonsense"}), "Nonsense"),
        ] {
            let error = format!("{:?}", read(tx).unwrap_err());
            assert!(error.contains(named), "{error}");
        }
        let twice = r#"{"tx_json": {"TransactionType": "AccountSet", "Fee": "1", "Fee": "2"}}"#;
        assert!(serde_json::from_str::<Submit>(twice).unwrap_err().to_string().contains("twice"));
    }
}
