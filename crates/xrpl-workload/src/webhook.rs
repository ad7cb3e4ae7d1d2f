//! `--webhook`: each transaction's end is posted, signed and tried again until it is taken.
//!
//! Bounded: what waits for a receiver that is slow or gone is a queue of fixed length; beyond it
//! ends are dropped and counted. Nothing of the run waits for the receiver.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use aws_lc_rs::hmac;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::{
    sync::{broadcast::error::RecvError, mpsc},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use url::Url;
use xrpl_client::{Connector, TcpConnector};
use xrpl_tracker::{RunId, StateChange};

use crate::session::App;

/// Ends that wait to be posted.
const QUEUE: usize = 10_000;
/// Ends posted at the same time.
const AT_ONCE: usize = 8;
/// How long one attempt may take.
const WITHIN: Duration = Duration::from_secs(10);
/// The first pause before another attempt; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Attempts at one end: about two minutes.
const ATTEMPTS: u32 = 12;
/// How long posts may take after the run has ended.
const LAST_POSTS: Duration = Duration::from_millis(1_500);
/// What is read of an answer.
const MOST_ANSWER: usize = 64 * 1024;

/// What became of the posts.
#[derive(Debug, Default)]
pub struct Posts {
    /// Taken by the receiver.
    pub delivered: AtomicU64,
    /// Attempts that failed and were or will be made again.
    pub retried: AtomicU64,
    /// Given up: the queue was full, attempts were used up, or events were missed.
    pub dropped: AtomicU64,
}

/// What is posted.
#[derive(Debug, Serialize)]
struct Finality<'a> {
    event: &'static str,
    run: RunId,
    #[serde(flatten)]
    change: &'a StateChange,
}

struct Post {
    key: String,
    body: Bytes,
}

/// Posts every end until cancelled.
pub async fn post(app: Arc<App>, url: Url, end: CancellationToken) {
    let (queue, waiting) = mpsc::channel::<Post>(QUEUE);
    let waiting = Arc::new(tokio::sync::Mutex::new(waiting));
    let target = match Target::new(&url, app.config.webhook_secret.as_ref().map(|s| s.reveal())) {
        Ok(target) => Arc::new(target),
        Err(error) => return tracing::error!(%error, "the webhook cannot be used"),
    };
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (app, target, waiting) = (Arc::clone(&app), Arc::clone(&target), Arc::clone(&waiting));
        workers.spawn(async move {
            loop {
                let next = waiting.lock().await.recv().await;
                let Some(post) = next else { return };
                deliver(&app.posts, &target, post).await;
            }
        });
    }
    let run = app.tracker.run();
    let mut changes = app.tracker.events();
    loop {
        let change = tokio::select! {
            biased;
            change = changes.recv() => change,
            () = end.cancelled() => break,
        };
        match change {
            Ok(change) if change.to.is_terminal() => {
                // The same end of the same transaction always has the same key.
                let key = format!("{run}-{}-{}", change.tx_hash, change.to);
                let finality = Finality { event: "finality", run, change: &change };
                let Ok(body) = serde_json::to_vec(&finality) else { continue };
                if queue.try_send(Post { key, body: body.into() }).is_err() {
                    app.posts.dropped.fetch_add(1, Relaxed);
                }
            }
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => {
                // How many of them were ends is not known: at most this many.
                app.posts.dropped.fetch_add(missed, Relaxed);
                tracing::warn!(missed, "state changes came faster than the webhook takes them");
            }
            Err(RecvError::Closed) => break,
        }
    }
    drop(queue);
    let all = async { while workers.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_POSTS, all).await.is_err() {
        workers.abort_all();
        let left = waiting.lock().await.len() as u64;
        app.posts.dropped.fetch_add(left, Relaxed);
        tracing::warn!(left, "the run has ended before the webhook took all ends");
    }
}

async fn deliver(posts: &Posts, target: &Target, post: Post) {
    let mut pause = FIRST_PAUSE;
    for attempt in 1..=ATTEMPTS {
        let tried = tokio::time::timeout(WITHIN, target.send(&post)).await;
        let why = match tried {
            Ok(Ok(200..=299)) => {
                posts.delivered.fetch_add(1, Relaxed);
                return;
            }
            // The receiver will say the same again, but for these three.
            Ok(Ok(status @ 400..=499)) if ![408, 425, 429].contains(&status) => {
                tracing::warn!(status, "the webhook refuses an end");
                break;
            }
            Ok(Ok(status)) => format!("status {status}"),
            Ok(Err(error)) => error,
            Err(_) => format!("no answer within {WITHIN:?}"),
        };
        tracing::debug!(attempt, why, "the webhook did not take an end");
        posts.retried.fetch_add(1, Relaxed);
        // Spread, so that eight do not come back at the same instant.
        let spread = 0.75 + 0.5 * rand::random::<f64>();
        tokio::time::sleep(pause.mul_f64(spread)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    posts.dropped.fetch_add(1, Relaxed);
}

/// Where ends are posted.
struct Target {
    url: Url,
    host: String,
    path: String,
    authorization: Option<String>,
    key: Option<hmac::Key>,
}

impl Target {
    fn new(url: &Url, secret: Option<&str>) -> Result<Self, String> {
        let host = url.host_str().ok_or("it names no host")?;
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let path = url
            .query()
            .map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let authorization = (!url.username().is_empty()).then(|| {
            use base64::Engine;
            let text = format!("{}:{}", url.username(), url.password().unwrap_or_default());
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
        });
        let key = secret.map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
        Ok(Self { url: url.clone(), host, path, authorization, key })
    }

    async fn send(&self, post: &Post) -> Result<u16, String> {
        let stream = TcpConnector.connect(&self.url).await.map_err(|error| error.to_string())?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(self.request(post)?).await;
        let status = match answer {
            Ok(answer) => {
                let status = answer.status().as_u16();
                // Read, so that the receiver does not see a broken connection; what it says does
                // not matter.
                let _ = Limited::new(answer.into_body(), MOST_ANSWER).collect().await;
                Ok(status)
            }
            Err(error) => Err(error.to_string()),
        };
        connection.abort();
        status
    }

    fn request(&self, post: &Post) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::post(&self.path)
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("xrpl-workload/", env!("CARGO_PKG_VERSION")))
            .header(header::CONNECTION, "close")
            .header("idempotency-key", &post.key);
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if let Some(key) = &self.key {
            let signature = const_hex::encode(hmac::sign(key, &post.body));
            request = request.header("x-signature-256", format!("sha256={signature}"));
        }
        request.body(Full::new(post.body.clone())).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_key_signature_and_password() {
        let url = Url::parse("http://u:p@example.org:81/a/b?c=d").unwrap();
        // RFC 4231, test case 2.
        let target = Target::new(&url, Some("Jefe")).unwrap();
        let body = Bytes::from_static(b"what do ya want for nothing?");
        let request = target.request(&Post { key: "k".into(), body }).unwrap();
        let text = |name: &str| request.headers()[name].to_str().unwrap();
        assert_eq!(request.uri(), "/a/b?c=d");
        assert_eq!((text("host"), text("idempotency-key")), ("example.org:81", "k"));
        assert_eq!(text("authorization"), "Basic dTpw");
        assert_eq!(
            text("x-signature-256"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let plain = Target::new(&Url::parse("http://example.org/").unwrap(), None).unwrap();
        let request = plain.request(&Post { key: "k".into(), body: Bytes::new() }).unwrap();
        assert!(request.headers().get("x-signature-256").is_none());
    }
}
