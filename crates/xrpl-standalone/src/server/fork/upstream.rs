//! Asking the node from which a fork comes, over WebSocket: one connection, many requests at once.

use std::{collections::HashMap, fmt, io, pin::Pin, sync::Arc, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Map, Value as Json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Mutex,
    time,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

/// A connection to it.
pub type BoxedIo = Box<dyn Io>;

/// Bytes both ways.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection on its way.
pub type Connecting = Pin<Box<dyn Future<Output = io::Result<BoxedIo>> + Send>>;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a request is made again on a new connection.
const TRIES: usize = 3;

/// A node that can be asked.
#[derive(Clone)]
pub struct Upstream {
    /// Its address, `ws://` or `wss://`.
    pub url: String,
    connect: Arc<dyn Fn() -> Connecting + Send + Sync>,
    connection: Arc<Mutex<Option<WebSocketStream<BoxedIo>>>>,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Upstream {
    /// A node at an address, reached by what `connect` makes: TLS, where it is wanted, is its matter.
    pub fn new(
        url: impl Into<String>,
        connect: impl Fn() -> Connecting + Send + Sync + 'static,
    ) -> Self {
        Self { url: url.into(), connect: Arc::new(connect), connection: Arc::default() }
    }

    /// Asks all of it at once; the results in the same order, those of errors too.
    ///
    /// # Errors
    /// When it cannot be reached or does not answer, several times.
    pub async fn ask(&self, requests: &[Json]) -> io::Result<Vec<Json>> {
        let mut held = self.connection.lock().await;
        let mut tries = 1;
        loop {
            let asked = async {
                let stream = match held.take() {
                    Some(stream) => stream,
                    None => {
                        let io = (self.connect)().await?;
                        client_async(&self.url, io).await.map_err(io::Error::other)?.0
                    }
                };
                exchange(stream, requests).await
            };
            let asked = time::timeout(PATIENCE, asked).await;
            match asked.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Ok((stream, answers)) => {
                    *held = Some(stream);
                    return Ok(answers);
                }
                Err(error) if tries == TRIES => {
                    return Err(io::Error::new(error.kind(), format!("{}: {error}", self.url)));
                }
                Err(error) => {
                    tracing::info!(%error, url = self.url, "the origin is asked again");
                    time::sleep(Duration::from_millis(200 << tries)).await;
                    tries += 1;
                }
            }
        }
    }
}

/// Sends all requests and waits for all answers.
async fn exchange(
    mut stream: WebSocketStream<BoxedIo>,
    requests: &[Json],
) -> io::Result<(WebSocketStream<BoxedIo>, Vec<Json>)> {
    for (id, request) in requests.iter().enumerate() {
        let mut request = request.clone();
        request["id"] = id.into();
        stream.feed(Message::text(request.to_string())).await.map_err(io::Error::other)?;
    }
    stream.flush().await.map_err(io::Error::other)?;
    let mut answers: HashMap<u64, Json> = HashMap::new();
    while answers.len() < requests.len() {
        let message = stream.next().await.ok_or(io::ErrorKind::UnexpectedEof)?;
        let Message::Text(text) = message.map_err(io::Error::other)? else { continue };
        let mut answer: Json = serde_json::from_str(&text)?;
        let Some(id) = answer.get("id").and_then(Json::as_u64) else { continue };
        let result = match answer.get_mut("result") {
            Some(result) => result.take(),
            None => answer,
        };
        if result.get("error").and_then(Json::as_str) == Some("slowDown") {
            return Err(io::Error::other("it asks to be asked less often (slowDown)"));
        }
        answers.insert(id, result);
    }
    let taken = (0..requests.len() as u64).map(|id| answers.remove(&id));
    Ok((stream, taken.map(|answer| answer.unwrap_or_else(|| Map::new().into())).collect()))
}
