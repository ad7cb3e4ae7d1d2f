//! `--webhook`: each transaction's end is posted, signed, and again until it is taken.
//!
//! Ends are delivered from the store's [outbox](xrpl_tracker::store::Outbox): what was not taken
//! waits there, through restarts and `kill -9` where the store is a file, and is tried again for
//! three days. Nothing of the run waits for the receiver. Each end is posted at least once, always
//! with the same `Idempotency-Key`.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use url::Url;
use utoipa::ToSchema;
use xrpl_protocol::{AccountId, Hash256, LedgerIndex, TxHash};
use xrpl_tracker::{
    ResultName, RunId, Source, State,
    record::Latencies,
    store::{End, OutboxStatus},
};

use crate::session::{App, unix_ms};

mod pump;
mod target;

use pump::{Delivery, Means};
use target::{Post, Target};

/// How long one try may take.
const WITHIN: Duration = Duration::from_secs(10);

/// Where deliveries stand, as this process sees it.
#[derive(Debug, Default)]
pub struct Deliveries(Mutex<Seen>);

/// What [`Deliveries`] shows.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Taken by the receiver.
    pub delivered: u64,
    /// Tries that failed, and are made again.
    pub retried: u64,
    /// Not taken for days.
    pub given_up: u64,
    /// Why the newest try failed, and when (milliseconds since 1970).
    pub last_error: Option<(u64, String)>,
    /// When a receiver that takes nothing is tried again, milliseconds since 1970.
    pub next_try_ms: Option<u64>,
    /// As of the last round.
    pub outbox: OutboxStatus,
}

impl Deliveries {
    /// Where they stand.
    #[must_use]
    pub fn view(&self) -> Seen {
        self.0.lock().clone()
    }

    fn failed(&self, at_ms: u64, why: String) {
        self.0.lock().last_error = Some((at_ms, why));
    }

    fn waits(&self, until_ms: u64) {
        self.0.lock().next_try_ms = Some(until_ms);
    }

    fn settled(&self, delivered: u64, retried: u64, given_up: u64) {
        let mut seen = self.0.lock();
        seen.delivered += delivered;
        seen.retried += retried;
        seen.given_up += given_up;
        if delivered > 0 {
            seen.next_try_ms = None;
        }
    }

    fn stands(&self, outbox: OutboxStatus) {
        self.0.lock().outbox = outbox;
    }
}

/// The answer of `GET /webhooks`.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookView {
    /// Whether `--webhook` is given.
    enabled: bool,
    /// Scheme, host and port of it; its path and what else may be secret are left out.
    target: Option<String>,
    /// Whether what waits outlives the process: with `--store memory` it does not, and only the
    /// newest 10,000 wait.
    durable: bool,
    /// Every end up to this `id` was delivered or given up.
    cursor: u64,
    /// Final states waiting to be delivered.
    backlog: u64,
    /// When the oldest of them came, milliseconds since 1970.
    oldest_at_ms: Option<u64>,
    /// Final states delivered, by earlier processes too.
    delivered: u64,
    /// Final states given up: not accepted within 72 hours of trying, or pushed out of memory.
    given_up: u64,
    /// Tries of this process that failed and are made again.
    retried: u64,
    /// Why the newest of them failed.
    last_error: Option<String>,
    /// When, milliseconds since 1970.
    last_error_at_ms: Option<u64>,
    /// When a receiver that takes nothing is tried again, milliseconds since 1970.
    next_try_ms: Option<u64>,
    /// For how long delivery of a final state is retried.
    given_up_after_hours: u64,
}

impl WebhookView {
    /// Of a run, as of now.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn of(app: &App) -> xrpl_tracker::Result<Self> {
        let outbox = match app.store.outbox() {
            Some(outbox) => outbox.status().await?,
            None => OutboxStatus::default(),
        };
        let seen = app.deliveries.view();
        let (last_error_at_ms, last_error) = seen.last_error.unzip();
        Ok(Self {
            enabled: app.config.webhook.is_some(),
            target: app.config.webhook.as_ref().map(without_secrets),
            durable: outbox.durable,
            cursor: outbox.cursor,
            backlog: outbox.backlog,
            oldest_at_ms: outbox.oldest_at_ms,
            delivered: outbox.delivered,
            given_up: outbox.given_up,
            retried: seen.retried,
            last_error,
            last_error_at_ms,
            next_try_ms: seen.next_try_ms,
            given_up_after_hours: pump::GIVEN_UP_AFTER.as_secs() / 3600,
        })
    }
}

/// Some receivers have their secret in the path or the query.
fn without_secrets(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// What is posted.
#[derive(Debug, Serialize)]
struct Told<'a> {
    /// `finality`, or `revoked` where an end was taken back.
    event: &'static str,
    run: RunId,
    /// Counts up in the order in which ends came.
    id: u64,
    at_ms: u64,
    tx_hash: TxHash,
    account: AccountId,
    transaction_type: &'a str,
    previous_state: State,
    state: State,
    engine_result: Option<&'a ResultName>,
    validated_ledger: Option<LedgerIndex>,
    ledger_hash: Option<Hash256>,
    source: Option<Source>,
    #[serde(flatten)]
    latencies: Latencies,
}

impl<'a> Told<'a> {
    fn of(end: &'a End) -> Self {
        Self {
            event: if end.state.is_terminal() { "finality" } else { "revoked" },
            run: end.run,
            id: end.seq,
            at_ms: end.at_ms,
            tx_hash: end.tx_hash,
            account: end.account,
            transaction_type: &end.transaction_type,
            previous_state: end.was,
            state: end.state,
            engine_result: end.engine_result.as_ref(),
            validated_ledger: end.validated_ledger,
            ledger_hash: end.ledger_hash,
            source: end.source,
            latencies: end.latencies,
        }
    }
}

/// Posts every end until cancelled.
pub async fn post(app: Arc<App>, url: Url, end: CancellationToken) {
    let Some(outbox) = app.store.outbox() else {
        return tracing::error!("the webhook cannot be used: this store keeps no ends");
    };
    let target = match Target::new(&url, app.config.webhook_secret.as_ref().map(|s| s.reveal())) {
        Ok(target) => target,
        Err(error) => return tracing::error!(%error, "the webhook cannot be used"),
    };
    let deliver = |end: End| -> Delivery<'_> {
        Box::pin(async {
            let done = deliver(&target, &end).await;
            (end, done)
        })
    };
    let deliveries = &app.deliveries;
    let means = Means { outbox, deliveries, deliver: &deliver, now_ms: &unix_ms, cancel: &end };
    pump::pump(means).await;
    let status = app.deliveries.view().outbox;
    match (status.backlog, status.durable) {
        (0, _) => {}
        (left, true) => tracing::info!(left, "ends that the webhook did not take yet are kept"),
        (left, false) => tracing::warn!(
            left,
            "ends that the webhook did not take are lost: --store memory keeps nothing"
        ),
    }
}

async fn deliver(target: &Target, end: &End) -> Result<(), String> {
    // The same end always has the same key.
    let key = format!("{}-{}-{}", end.run, end.tx_hash, end.seq);
    let body = serde_json::to_vec(&Told::of(end)).map_err(|error| error.to_string())?;
    match tokio::time::timeout(WITHIN, target.send(&Post { key, body: body.into() })).await {
        Ok(Ok(200..=299)) => Ok(()),
        Ok(Ok(status)) => Err(format!("status {status}")),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(format!("no answer within {WITHIN:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_shown_without_what_may_be_secret() {
        let url = Url::parse("https://user:pass@hooks.example:81/services/T0/abc?key=x").unwrap();
        assert_eq!(without_secrets(&url), "https://hooks.example:81");
    }
}
