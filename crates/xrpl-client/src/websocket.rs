//! Requests and streams over one WebSocket.
//!
//! One task reads the socket. Answers go to whoever asked, matched by `id`, in whatever order they
//! come; everything else goes, as the text it came in, to the channel handed in. When that channel
//! is full the reader waits: the caller chooses its size and what happens behind it.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use memchr::memmem;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time,
};
/// The text of a message: a slice of what was read.
pub use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};
use url::Url;

use crate::{
    ClientError, Connector, Request, connect::BoxedIo, json_rpc::endpoint_name,
    response::read_answer,
};

/// Largest message taken.
const MAX_MESSAGE: usize = 256 << 20;

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The close code the node gave; 1008 says that this client was too slow.
    pub code: Option<u16>,
    /// What it said, or the error that ended the connection.
    pub reason: String,
}

/// A connected WebSocket. Dropping it closes the connection.
#[derive(Debug)]
pub struct WebSocket {
    name: Arc<str>,
    outgoing: mpsc::Sender<Outgoing>,
    waiting: Arc<Mutex<Waiting>>,
    next_id: AtomicU64,
    closed: watch::Receiver<Option<Closed>>,
}

type Answer = Box<RawValue>;

/// A request on its way to the socket.
#[derive(Debug)]
struct Outgoing {
    text: String,
    ticket: Arc<Ticket>,
}

/// Who disposes of a request: the one who made it, who may take it back, or the socket's task, which
/// writes it. Whoever claims it first; so a request that was taken back leaves at no later time.
#[derive(Debug, Default)]
struct Ticket(AtomicBool);

impl Ticket {
    fn claim(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

#[derive(Debug, Default)]
struct Waiting {
    by_id: HashMap<u64, oneshot::Sender<Answer>>,
    ended: bool,
}

/// Connects; frames that answer no request go to `frames`.
///
/// # Errors
/// `NeverSent`, as no request has been made yet.
pub async fn connect(
    connector: &dyn Connector,
    url: &Url,
    timeout: Duration,
    frames: mpsc::Sender<Utf8Bytes>,
) -> Result<WebSocket, ClientError> {
    let name = endpoint_name(url);
    let never = |cause: String| ClientError::NeverSent { endpoint: name.clone(), cause };
    let open = async {
        let io = connector.connect(url).await.map_err(|e| format!("connecting: {e}"))?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        let (stream, _) = client_async_with_config(url.as_str(), io, Some(config))
            .await
            .map_err(|e| format!("WebSocket handshake: {e}"))?;
        Ok::<_, String>(stream)
    };
    let stream = time::timeout(timeout, open)
        .await
        .map_err(|_| never("connecting timed out".into()))?
        .map_err(never)?;
    let (outgoing, requests) = mpsc::channel(256);
    let waiting = Arc::new(Mutex::new(Waiting::default()));
    let (end, closed) = watch::channel(None);
    tokio::spawn(run(stream, requests, Arc::clone(&waiting), frames, end));
    Ok(WebSocket { name, outgoing, waiting, next_id: AtomicU64::new(1), closed })
}

impl WebSocket {
    /// Asks and waits for the answer, at most `timeout`.
    ///
    /// # Errors
    /// By what they let one do next, see [`ClientError`].
    pub async fn request<R: Request>(
        &self,
        request: &R,
        timeout: Duration,
    ) -> Result<R::Response, ClientError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (answer_to, answer) = oneshot::channel();
        let never = |cause: &str| ClientError::NeverSent {
            endpoint: self.name.clone(),
            cause: cause.to_owned(),
        };
        {
            let mut waiting = self.waiting.lock();
            if waiting.ended {
                return Err(never("the connection has ended"));
            }
            waiting.by_id.insert(id, answer_to);
        }
        let ticket = Arc::<Ticket>::default();
        let outcome = time::timeout(timeout, async {
            let text = request_text(request, id);
            self.outgoing
                .send(Outgoing { text, ticket: Arc::clone(&ticket) })
                .await
                .map_err(|_| "the connection has ended")?;
            answer.await.map_err(|_| "the connection ended before the answer came")
        });
        let cause = match outcome.await {
            Ok(Ok(text)) => return read_response(&self.name, text.get()),
            Ok(Err(cause)) => cause.to_owned(),
            Err(_) => format!("no answer within {timeout:?}"),
        };
        self.waiting.lock().by_id.remove(&id);
        if ticket.claim() {
            return Err(never(&cause));
        }
        Err(ClientError::Unknown { endpoint: self.name.clone(), cause })
    }

    /// Waits until the connection has ended, and says how.
    pub async fn closed(&self) -> Closed {
        let mut closed = self.closed.clone();
        match closed.wait_for(Option::is_some).await {
            Ok(how) => how.clone().unwrap_or_else(|| gone("ended")),
            Err(_) => gone("the connection's task ended"),
        }
    }
}

fn gone(reason: &str) -> Closed {
    Closed { code: None, reason: reason.to_owned() }
}

fn request_text<R: Request>(request: &R, id: u64) -> String {
    let mut members = match serde_json::to_value(request) {
        Ok(serde_json::Value::Object(members)) => members,
        _ => serde_json::Map::new(),
    };
    members.insert("id".into(), id.into());
    members.insert("command".into(), request.method().into());
    serde_json::Value::Object(members).to_string()
}

fn read_response<T: serde::de::DeserializeOwned>(
    endpoint: &Arc<str>,
    text: &str,
) -> Result<T, ClientError> {
    #[derive(Deserialize)]
    struct Response<'a> {
        #[serde(borrow, default)]
        result: Option<&'a RawValue>,
    }
    match serde_json::from_str::<Response<'_>>(text) {
        Ok(Response { result: Some(result) }) => read_answer(endpoint, result.get()),
        // Errors stand beside `id`, not inside `result`.
        _ => read_answer(endpoint, text),
    }
}

async fn run(
    mut stream: WebSocketStream<BoxedIo>,
    mut requests: mpsc::Receiver<Outgoing>,
    waiting: Arc<Mutex<Waiting>>,
    frames: mpsc::Sender<Utf8Bytes>,
    end: watch::Sender<Option<Closed>>,
) {
    let how = loop {
        tokio::select! {
            biased;
            request = requests.recv() => match request {
                Some(Outgoing { text, ticket }) => {
                    if ticket.claim()
                        && let Err(error) = stream.send(Message::text(text)).await
                    {
                        break gone(&error.to_string());
                    }
                }
                None => {
                    let _ = stream.close(None).await;
                    break gone("closed by this side");
                }
            },
            message = stream.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    if let Some(frame) = deliver(&waiting, text)
                        && frames.send(frame).await.is_err()
                    {
                        break gone("nobody reads the stream any more");
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.as_ref().map(|f| f.code.into());
                    let reason = frame.map_or_else(String::new, |f| f.reason.to_string());
                    break Closed { code, reason };
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => break gone(&error.to_string()),
                None => break gone("the node closed the connection"),
            },
        }
    };
    let mut waiting = waiting.lock();
    waiting.ended = true;
    waiting.by_id.clear();
    drop(waiting);
    let _ = end.send(Some(how));
}

/// Hands an answer to who asked; gives back what is none.
fn deliver(waiting: &Mutex<Waiting>, text: Utf8Bytes) -> Option<Utf8Bytes> {
    #[derive(Deserialize)]
    struct Head {
        id: Option<u64>,
        #[serde(rename = "type")]
        kind: Option<String>,
    }
    // Quotes inside strings are escaped, so that this is found in no memo.
    let maybe = memmem::find(text.as_bytes(), b"\"response\"").is_some()
        || (text.len() < 4096 && memmem::find(text.as_bytes(), b"\"error\"").is_some());
    if !maybe {
        return Some(text);
    }
    match serde_json::from_str::<Head>(&text) {
        Ok(Head { id: Some(id), kind }) if kind.as_deref() != Some("transaction") => {
            let waiter = waiting.lock().by_id.remove(&id);
            if let (Some(waiter), Ok(answer)) = (waiter, RawValue::from_string(text.to_string())) {
                let _ = waiter.send(answer);
            }
            None
        }
        _ => Some(text),
    }
}
