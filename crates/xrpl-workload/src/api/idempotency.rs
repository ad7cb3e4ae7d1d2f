//! `Idempotency-Key`: who repeats a request gets the transaction that the first one sent, or the journey
//! that it began, whichever route it was, and whichever process took it.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use axum::http::HeaderMap;
use parking_lot::Mutex;
use tokio::sync::OnceCell;
use xrpl_generator::Asked;
use xrpl_protocol::{AccountId, Definitions, Object, TxHash, fields, hash::sha512_half};
use xrpl_tracker::{
    CallersKey, ResultName, State as TxState,
    record::{Identity, Record},
};

use super::ApiError;
use crate::session::App;

/// Answers kept for their key.
const KEPT: usize = 10_000;
/// The longest key.
const MAX_KEY: usize = 255;

/// Answers by key. These are the newest ones of this process; older ones are found by the key that
/// the store has of each transaction.
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
    answer: OnceCell<Done>,
}

/// What a request did.
#[derive(Clone, Debug)]
pub(super) enum Done {
    /// It sent a transaction.
    Sent(Sent),
    /// It began the journey with this id.
    Journey(u64),
}

/// What a request sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) tx_hash: TxHash,
    pub(super) transaction_type: String,
    pub(super) account: AccountId,
    pub(super) state: TxState,
    pub(super) engine_result: Option<ResultName>,
    /// Whether it was tracked before: then nothing was sent now.
    pub(super) already_tracked: bool,
    /// Whom it pays, as far as it was read back.
    pub(super) destination: Option<AccountId>,
}

impl From<Asked> for Sent {
    fn from(asked: Asked) -> Self {
        Self {
            tx_hash: asked.tx_hash,
            transaction_type: asked.transaction_type.into_owned(),
            account: asked.account,
            state: asked.state,
            engine_result: asked.engine_result,
            already_tracked: false,
            destination: None,
        }
    }
}

impl Sent {
    /// What the store has of it.
    fn before(record: Record, definitions: &Definitions) -> Self {
        let Identity { hash, account, transaction_type, blob, .. } = record.identity;
        let fields = Object::decode(&blob, definitions).ok();
        Self {
            tx_hash: hash,
            transaction_type: transaction_type.to_string(),
            account,
            state: record.progress.state,
            engine_result: record.progress.engine_result_first,
            already_tracked: true,
            destination: fields.and_then(|fields| fields.account(fields::DESTINATION)),
        }
    }
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
async fn finish<T: Send + 'static>(
    work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(error) => Err(ApiError::internal(error.to_string())),
    }
}

/// Sends what a request asks for, to its end even if who asked goes away. With a key in its headers
/// it is sent once: `request` tells what is asked for, and the same key with another is a mistake.
pub(super) async fn once<F>(
    app: &Arc<App>,
    headers: &HeaderMap,
    request: String,
    send: impl FnOnce(Arc<App>, Option<Arc<CallersKey>>) -> F + Send + 'static,
) -> Result<Sent, ApiError>
where
    F: Future<Output = Result<Sent, ApiError>> + Send + 'static,
{
    let definitions = Arc::clone(&app.definitions.definitions);
    let before = move |record| Ok(Done::Sent(Sent::before(record, &definitions)));
    let send = |app, key| {
        let sending = send(app, key);
        async move { sending.await.map(Done::Sent) }
    };
    match once_as(app, headers, request, send, before).await? {
        Done::Sent(sent) => Ok(sent),
        Done::Journey(_) => Err(other_request()),
    }
}

/// The same for whatever a request does; `before` makes an answer of the transaction that an earlier
/// process sent for it.
pub(super) async fn once_as<F>(
    app: &Arc<App>,
    headers: &HeaderMap,
    request: String,
    send: impl FnOnce(Arc<App>, Option<Arc<CallersKey>>) -> F + Send + 'static,
    before: impl FnOnce(Record) -> Result<Done, ApiError> + Send + 'static,
) -> Result<Done, ApiError>
where
    F: Future<Output = Result<Done, ApiError>> + Send + 'static,
{
    let app = Arc::clone(app);
    let Some(key) = key_of(headers)? else {
        return finish(send(app, None)).await;
    };
    let given = app.idempotency.of(&key, &request)?;
    finish(async move {
        let first = async {
            let key = CallersKey { key: key.into(), request: sha512_half(&[request.as_bytes()]) };
            match app.tracker.by_key(&key.key).await? {
                None => send(Arc::clone(&app), Some(Arc::new(key))).await,
                // An earlier process sent it.
                Some(record) => {
                    let known = record.identity.callers_key.as_ref();
                    match known.is_some_and(|known| known.request == key.request) {
                        true => before(record),
                        false => Err(other_request()),
                    }
                }
            }
        };
        given.answer.get_or_try_init(|| first).await.cloned()
    })
    .await
}

fn key_of(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    match headers.get("idempotency-key").map(|value| value.to_str()) {
        None => Ok(None),
        Some(Ok(key)) if (1..=MAX_KEY).contains(&key.len()) => Ok(Some(key.to_owned())),
        Some(_) => Err(ApiError::bad_request(format!(
            "Idempotency-Key: from 1 to {MAX_KEY} printable characters"
        ))),
    }
}

fn other_request() -> ApiError {
    ApiError::conflict("Idempotency-Key: it was used with another request")
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
}
