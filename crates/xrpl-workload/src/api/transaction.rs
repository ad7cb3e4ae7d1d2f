//! `/transaction` and `/payment`: one transaction on request.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use axum::{Json, extract::State, http::HeaderMap};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json_, json};
use tokio::sync::OnceCell;
use utoipa::ToSchema;
use utoipa_axum::routes;
use xrpl_generator::Asked;
use xrpl_protocol::{AccountId, Amount, Definitions, Object, TxHash, fields, hash::sha512_half};
use xrpl_tracker::{CallersKey, ResultName, State as TxState, Submission, record::Identity};

use super::{
    ApiError, Routes, Shared,
    extract::{Body, Segment, account, generator},
};
use crate::session::App;

/// Answers kept for their `Idempotency-Key`.
const KEPT: usize = 10_000;
/// The longest key.
const MAX_KEY: usize = 255;

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(get_random, random))
        .routes(routes!(get_create, create))
        .routes(routes!(submit))
        .routes(routes!(create_short))
        .routes(routes!(payment))
}

/// Answers by `Idempotency-Key`: the same key gets the same transaction. These are the newest ones of
/// this process; older ones are found by the key that the store has of each.
#[derive(Debug, Default)]
pub struct Idempotency(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_key: HashMap<String, Arc<Given>>,
    oldest: VecDeque<String>,
}

#[derive(Debug)]
struct Given {
    request: String,
    answer: OnceCell<HandedIn>,
}

impl Idempotency {
    /// What was given under a key, or a place for it.
    fn of(&self, key: &str, request: &str) -> Result<Arc<Given>, ApiError> {
        let mut kept = self.0.lock();
        if let Some(given) = kept.by_key.get(key) {
            return match given.request == request {
                true => Ok(Arc::clone(given)),
                false => Err(other_request()),
            };
        }
        while kept.oldest.len() >= KEPT
            && let Some(oldest) = kept.oldest.pop_front()
        {
            kept.by_key.remove(&oldest);
        }
        let given = Arc::new(Given { request: request.to_owned(), answer: OnceCell::new() });
        kept.by_key.insert(key.to_owned(), Arc::clone(&given));
        kept.oldest.push_back(key.to_owned());
        Ok(given)
    }
}

/// Does a request to its end even if who asked goes away: it must not stop half done.
pub(super) async fn finish<T: Send + 'static>(
    work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(error) => Err(ApiError::internal(error.to_string())),
    }
}

/// Sends one transaction of any type, drawn by weight
#[utoipa::path(post, path = "/transaction/random", tag = "transaction", responses(
    (status = 200, body = Asked), (status = 409, body = super::error::ErrorBody, description = "No account can do it now.")))]
async fn random(State(app): Shared) -> Result<Json<Asked>, ApiError> {
    let generator = generator(&app)?.clone();
    finish(async move { Ok(Json(generator.random().await?)) }).await
}

/// The same by GET: it is an action too
#[utoipa::path(get, path = "/transaction/random", tag = "transaction", responses(
    (status = 200, body = Asked), (status = 409, body = super::error::ErrorBody, description = "No account can do it now.")))]
async fn get_random(app: Shared) -> Result<Json<Asked>, ApiError> {
    random(app).await
}

/// Sends one transaction of a type
#[utoipa::path(post, path = "/transaction/create/{type}", tag = "transaction",
    params(("type" = String, Path, description = "Such as Payment.")), responses(
    (status = 200, body = Asked), (status = 409, body = super::error::ErrorBody, description = "No account can do it now.")))]
async fn create(State(app): Shared, Segment(name): Segment) -> Result<Json<Asked>, ApiError> {
    let generator = generator(&app)?.clone();
    finish(async move { Ok(Json(generator.create(&name).await?)) }).await
}

/// The same by GET: it is an action too
#[utoipa::path(get, path = "/transaction/create/{type}", tag = "transaction",
    params(("type" = String, Path, description = "Such as Payment.")), responses(
    (status = 200, body = Asked), (status = 409, body = super::error::ErrorBody, description = "No account can do it now.")))]
async fn get_create(app: Shared, name: Segment) -> Result<Json<Asked>, ApiError> {
    create(app, name).await
}

/// The same under a shorter name
#[utoipa::path(post, path = "/transaction/{type}", tag = "transaction",
    params(("type" = String, Path, description = "Such as Payment.")), responses(
    (status = 200, body = Asked), (status = 409, body = super::error::ErrorBody, description = "No account can do it now.")))]
async fn create_short(app: Shared, name: Segment) -> Result<Json<Asked>, ApiError> {
    create(app, name).await
}

/// A payment from one of the run's accounts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Pay {
    /// One of the run's accounts.
    source: String,
    /// Any account.
    destination: String,
    /// Drops as text or number, or `{currency, issuer, value}`.
    amount: Json_,
}

/// A payment that was sent.
#[derive(Debug, Serialize, ToSchema)]
struct Paid {
    tx_hash: TxHash,
    transaction_type: &'static str,
    /// The node's first answer; none if it is not known.
    engine_result: Option<ResultName>,
    state: TxState,
    source: AccountId,
    destination: AccountId,
    amount: Json_,
}

/// Pays from one of the run's accounts
#[utoipa::path(post, path = "/payment", tag = "transaction", request_body = Pay, responses(
    (status = 200, body = Paid), (status = 409, body = super::error::ErrorBody, description = "The account cannot do it now.")))]
async fn payment(
    State(app): Shared,
    Body(Pay { source, destination, amount }): Body<Pay>,
) -> Result<Json<Paid>, ApiError> {
    let from = account("source", &source)?;
    let to = account("destination", &destination)?;
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
    let generator = generator(&app)?.clone();
    let asked = finish(async move { Ok(generator.payment(from, to, parsed).await?) }).await?;
    Ok(Json(Paid {
        tx_hash: asked.tx_hash,
        transaction_type: asked.transaction_type,
        engine_result: asked.engine_result,
        state: asked.state,
        source: from,
        destination: to,
        amount,
    }))
}

/// A transaction to be tracked: a signed blob, or fields that one of the run's accounts signs.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Submit {
    /// A signed, serialised transaction in hexadecimal.
    tx_blob: Option<String>,
    /// A transaction without Sequence, Fee, LastLedgerSequence and signature.
    tx_json: Option<Json_>,
    /// The account of this run that signs `tx_json`.
    account: Option<String>,
}

/// A caller's transaction after the first attempt.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct HandedIn {
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

/// Tracks a caller's transaction to its end
#[utoipa::path(post, path = "/transaction/submit", tag = "transaction", request_body = Submit,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key returns the same transaction, after a restart too.", max_length = 255)),
    responses((status = 200, body = HandedIn), (status = 409, body = super::error::ErrorBody, description = "The key was used with another request, or the account cannot do it now.")))]
async fn submit(
    State(app): Shared,
    headers: HeaderMap,
    Body(request): Body<Submit>,
) -> Result<Json<HandedIn>, ApiError> {
    let key = match headers.get("idempotency-key") {
        None => None,
        Some(value) => match value.to_str() {
            Ok(key) if (1..=MAX_KEY).contains(&key.len()) => Some(key.to_owned()),
            _ => {
                return Err(ApiError::bad_request(format!(
                    "Idempotency-Key: from 1 to {MAX_KEY} printable characters"
                )));
            }
        },
    };
    let Some(key) = key else {
        return finish(async move { hand_in(&app, request, None).await.map(Json) }).await;
    };
    let text = serde_json::to_string(&request)
        .map_err(|error| ApiError::bad_request(error.to_string()))?;
    let given = app.idempotency.of(&key, &text)?;
    finish(async move {
        let answer = given.answer.get_or_try_init(|| once(&app, request, &key, &text)).await?;
        Ok(Json(answer.clone()))
    })
    .await
}

/// The transaction that an earlier process made of the same request, or a new one.
async fn once(app: &App, request: Submit, key: &str, text: &str) -> Result<HandedIn, ApiError> {
    let key = CallersKey { key: key.into(), request: sha512_half(&[text.as_bytes()]) };
    let Some(record) = app.tracker.by_key(&key.key).await? else {
        return hand_in(app, request, Some(Arc::new(key))).await;
    };
    let Identity { hash, account, transaction_type, callers_key, .. } = record.identity;
    if callers_key.is_none_or(|known| known.request != key.request) {
        return Err(other_request());
    }
    Ok(HandedIn {
        tx_hash: hash,
        transaction_type: transaction_type.to_string(),
        state: record.progress.state,
        engine_result: record.progress.engine_result_first,
        account,
        already_tracked: true,
    })
}

fn other_request() -> ApiError {
    ApiError::conflict("Idempotency-Key: it was used with another request")
}

async fn hand_in(
    app: &App,
    request: Submit,
    key: Option<Arc<CallersKey>>,
) -> Result<HandedIn, ApiError> {
    match request {
        Submit { tx_blob: Some(hex), tx_json: None, account: None } => {
            let blob = const_hex::decode(hex.trim())
                .map_err(|error| ApiError::bad_request(format!("tx_blob: {error}")))?;
            let definitions = Definitions::builtin();
            let object = Object::decode(&blob, definitions)
                .map_err(|error| ApiError::bad_request(format!("tx_blob: {error}")))?;
            xrpl_protocol::sign::verify_transaction(&object)
                .map_err(|error| ApiError::bad_request(format!("tx_blob: {error}")))?;
            let submitted = app.tracker.submit(Submission::new(blob).callers_key(key)).await?;
            let code = object.u16(fields::TRANSACTION_TYPE);
            let name = code.and_then(|code| definitions.transaction_type_name(code));
            Ok(HandedIn {
                tx_hash: submitted.hash,
                transaction_type: name.unwrap_or_default().to_owned(),
                state: submitted.state,
                engine_result: submitted.engine_result,
                account: object.account(fields::ACCOUNT).unwrap_or_default(),
                already_tracked: submitted.already_tracked,
            })
        }
        Submit { tx_blob: None, tx_json: Some(tx), account: Some(address) } => {
            let from = account("account", &address)?;
            let body = own_fields(tx, &address)?;
            let asked = generator(app)?.send(from, body, key).await?;
            Ok(HandedIn {
                tx_hash: asked.tx_hash,
                transaction_type: asked.transaction_type.to_owned(),
                state: asked.state,
                engine_result: asked.engine_result,
                account: asked.account,
                already_tracked: false,
            })
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
fn own_fields(mut tx: Json_, address: &str) -> Result<Object, ApiError> {
    let Some(map) = tx.as_object_mut() else {
        return Err(ApiError::bad_request("tx_json: an object is needed"));
    };
    for name in
        ["Sequence", "TicketSequence", "LastLedgerSequence", "SigningPubKey", "TxnSignature", "Fee"]
    {
        if map.contains_key(name) {
            return Err(ApiError::bad_request(format!(
                "tx_json.{name}: leave it out, it is filled in"
            )));
        }
    }
    if !map.contains_key("TransactionType") {
        return Err(ApiError::bad_request("tx_json.TransactionType: is missing"));
    }
    let stated = map.entry("Account").or_insert_with(|| json!(address));
    if *stated != address {
        return Err(ApiError::bad_request("tx_json.Account: is not the account that signs"));
    }
    let mut object = Object::from_json(&tx, Definitions::builtin())
        .map_err(|error| ApiError::bad_request(format!("tx_json: {error}")))?;
    object.remove(fields::ACCOUNT);
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_means_one_request() {
        let kept = Idempotency::default();
        let first = kept.of("k", "a").unwrap();
        assert!(Arc::ptr_eq(&first, &kept.of("k", "a").unwrap()));
        assert!(kept.of("k", "b").is_err());
        assert!(!Arc::ptr_eq(&first, &kept.of("l", "a").unwrap()));
    }

    #[test]
    fn keys_are_bounded() {
        let kept = Idempotency::default();
        for n in 0..=KEPT {
            kept.of(&n.to_string(), "").unwrap();
        }
        let inner = kept.0.lock();
        assert_eq!((inner.by_key.len(), inner.oldest.len()), (KEPT, KEPT));
        assert!(!inner.by_key.contains_key("0"));
    }

    #[test]
    fn what_the_lane_decides_is_not_the_callers() {
        let address = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
        assert!(own_fields(json!({"TransactionType": "AccountSet"}), address).is_ok());
        for (tx, named) in [
            (json!([]), "tx_json:"),
            (json!({}), "TransactionType"),
            (json!({"TransactionType": "AccountSet", "Sequence": 1}), "tx_json.Sequence"),
            (json!({"TransactionType": "AccountSet", "Fee": "10"}), "tx_json.Fee"),
            (json!({"TransactionType": "AccountSet", "Account": "x"}), "tx_json.Account"),
            (json!({"TransactionType": "Nonsense"}), "Nonsense"),
        ] {
            let error = format!("{:?}", own_fields(tx, address).unwrap_err());
            assert!(error.contains(named), "{error}");
        }
    }
}
