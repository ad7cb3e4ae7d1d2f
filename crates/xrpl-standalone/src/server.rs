//! The server: HTTP and WebSocket ports, the close timer, and the ledger behind them.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use parking_lot::{Mutex, MutexGuard};
use serde_json::{Map, Value as Json, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::watch,
    time::{self, Instant},
};
use tokio_tungstenite::{
    WebSocketStream, accept_async,
    tungstenite::{
        Message, Utf8Bytes,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use xrpl_protocol::{
    base58,
    keys::{KeyPair, KeyType, Seed},
};

use crate::{
    ledger::{ClosedLedger, Node, NodeConfig, PreparedTx, SubmitOutcome},
    rpc::{self, ApiShape, RpcError},
    streams::{Outgoing, Queue, Streams, ledger_snapshot},
};

/// Seconds between 1970-01-01 and 2000-01-01.
const RIPPLE_EPOCH: u64 = 946_684_800;
/// Largest request, as xrpld's.
const MAX_REQUEST: usize = 1 << 20;

/// How the server starts.
#[derive(Clone, Debug)]
pub struct StandaloneConfig {
    /// Where JSON-RPC listens; port 0 takes a free one.
    pub rpc_bind: SocketAddr,
    /// Where WebSocket listens; port 0 takes a free one.
    pub ws_bind: SocketAddr,
    /// How often a ledger closes; none leaves it to `ledger_accept`.
    pub close_interval: Option<Duration>,
    /// Messages that may wait for one WebSocket before it is closed with code 1008. xrpld's own
    /// default is 100; the one here leaves room for a ledger of many thousand transactions.
    pub send_queue_limit: usize,
    /// Time at the start, in seconds since 2000-01-01; none for the wall clock's.
    pub start_time: Option<u32>,
    /// The ledger.
    pub node: NodeConfig,
}

impl Default for StandaloneConfig {
    fn default() -> Self {
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            rpc_bind: loopback(5005),
            ws_bind: loopback(6006),
            close_interval: None,
            send_queue_limit: 200_000,
            start_time: None,
            node: NodeConfig::default(),
        }
    }
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    node: Mutex<Node>,
    streams: Mutex<Streams>,
    started: Instant,
    start_time: u32,
    ports: Mutex<(u16, u16)>,
    /// Whether a ledger is being closed.
    closing: watch::Sender<bool>,
    connections: AtomicU64,
    pub(crate) node_key: String,
}

impl Shared {
    fn new(config: &StandaloneConfig) -> Self {
        let wall = || {
            let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            u32::try_from(unix.as_secs().saturating_sub(RIPPLE_EPOCH)).unwrap_or(u32::MAX)
        };
        let start_time = config.start_time.unwrap_or_else(wall);
        let node = Node::new(NodeConfig { start_time, ..config.node.clone() });
        let streams = Streams::new(config.send_queue_limit, node.network_id(), node.server_fees());
        let key = KeyPair::from_seed(&Seed::from_passphrase("embedded node", KeyType::Secp256k1));
        Self {
            streams: Mutex::new(streams),
            node: Mutex::new(node),
            started: Instant::now(),
            start_time,
            ports: Mutex::default(),
            closing: watch::Sender::default(),
            connections: AtomicU64::new(0),
            node_key: base58::encode(base58::NODE_PUBLIC, &key.public_key().0),
        }
    }

    /// The ledger. Held for one look or change at a time, never across an await.
    pub(crate) fn node(&self) -> MutexGuard<'_, Node> {
        self.node.lock()
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Seconds since 2000-01-01.
    pub(crate) fn now(&self) -> u32 {
        let elapsed = u32::try_from(self.uptime().as_secs()).unwrap_or(u32::MAX);
        self.start_time.saturating_add(elapsed)
    }

    pub(crate) fn ports(&self) -> Json {
        let (rpc, ws) = *self.ports.lock();
        json!([
            {"port": rpc.to_string(), "protocol": ["http"]},
            {"port": ws.to_string(), "protocol": ["ws"]},
        ])
    }

    pub(crate) fn submit(&self, tx: Arc<PreparedTx>, fail_hard: bool) -> SubmitOutcome {
        self.change(|node| node.submit(tx, fail_hard))
    }

    pub(crate) fn accept(&self) -> Arc<ClosedLedger> {
        let now = self.now();
        self.closing.send_replace(true);
        let ledger = self.change(|node| node.accept(now));
        self.closing.send_replace(false);
        ledger
    }

    /// Waits while a ledger is being closed, so that the runtime's threads do not all stand at its
    /// lock.
    async fn until_open(&self) {
        // The sender lives as long as `self`.
        let _ = self.closing.subscribe().wait_for(|closing| !closing).await;
    }

    /// Changes the ledger and tells the subscribers, so that messages come in the ledger's order.
    fn change<T>(&self, change: impl FnOnce(&mut Node) -> T) -> T {
        let mut node = self.node.lock();
        let done = change(&mut node);
        let (events, range) = (node.drain_events(), node.range());
        if events.is_empty() {
            return done;
        }
        // Taken before the ledger is let go, so that nobody comes between.
        let mut streams = self.streams.lock();
        drop(node);
        streams.publish(events, range);
        done
    }
}

/// A running server. Dropping it stops everything.
#[derive(Debug)]
pub struct Standalone {
    /// Where JSON-RPC listens.
    pub rpc_addr: SocketAddr,
    /// Where WebSocket listens.
    pub ws_addr: SocketAddr,
    shared: Arc<Shared>,
    cancel: CancellationToken,
    tasks: TaskTracker,
}

impl Drop for Standalone {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Standalone {
    /// Starts a fresh ledger and listens.
    ///
    /// # Errors
    /// When an address cannot be bound.
    pub async fn start(config: StandaloneConfig) -> io::Result<Self> {
        let rpc = TcpListener::bind(config.rpc_bind).await?;
        let ws = TcpListener::bind(config.ws_bind).await?;
        let (rpc_bind, ws_bind) = (rpc.local_addr()?, ws.local_addr()?);
        let this = Self::in_memory(StandaloneConfig { rpc_bind, ws_bind, ..config });
        this.listen(rpc, Kind::Rpc);
        this.listen(ws, Kind::WebSocket);
        Ok(this)
    }

    /// Starts a fresh ledger without listening anywhere: connections come by
    /// [`Standalone::serve_connection`]. Its addresses are those of the configuration.
    #[must_use]
    pub fn in_memory(config: StandaloneConfig) -> Self {
        let (rpc_addr, ws_addr) = (config.rpc_bind, config.ws_bind);
        let shared = Arc::new(Shared::new(&config));
        *shared.ports.lock() = (rpc_addr.port(), ws_addr.port());
        let this = Self {
            rpc_addr,
            ws_addr,
            shared,
            cancel: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        if let Some(interval) = config.close_interval {
            let (shared, cancel) = (Arc::clone(&this.shared), this.cancel.clone());
            this.tasks.spawn(async move {
                let mut timer = time::interval(interval);
                timer.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
                timer.tick().await;
                loop {
                    tokio::select! {
                        biased;
                        () = cancel.cancelled() => return,
                        _ = timer.tick() => {
                            shared.accept();
                        }
                    }
                }
            });
        }
        this
    }

    /// Serves one connection that was made elsewhere, such as a pipe in memory.
    pub fn serve_connection<I>(&self, io: I, kind: Kind)
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.serve_until(io, kind, self.cancel.clone());
    }

    /// The same, until a token of the caller's ends it.
    pub(crate) fn serve_until<I>(&self, io: I, kind: Kind, cancel: CancellationToken)
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.tasks.spawn(serve(Arc::clone(&self.shared), io, kind, cancel));
    }

    fn listen(&self, listener: TcpListener, kind: Kind) {
        let (shared, cancel, tasks) =
            (Arc::clone(&self.shared), self.cancel.clone(), self.tasks.clone());
        self.tasks.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    () = cancel.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                match accepted {
                    Ok((stream, _)) => {
                        let _ = stream.set_nodelay(true);
                        tasks.spawn(serve(Arc::clone(&shared), stream, kind, cancel.clone()));
                    }
                    // Out of descriptors, most likely: others may close theirs.
                    Err(error) => {
                        tracing::warn!(%error, "accepting a connection failed");
                        time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
        });
    }

    /// Looks at or changes the ledger, and tells subscribers of changes.
    pub fn with_node<T>(&self, change: impl FnOnce(&mut Node) -> T) -> T {
        self.shared.change(change)
    }

    /// Answers a JSON-RPC request without a connection.
    ///
    /// # Errors
    /// The plain text that HTTP answers with status 400.
    pub fn request(&self, request: &Map<String, Json>) -> Result<Json, &'static str> {
        rpc_call(&self.shared, request)
    }

    /// Closes the open ledger now.
    pub fn accept(&self) -> Arc<ClosedLedger> {
        self.shared.accept()
    }

    /// Closes all connections and waits for their tasks.
    pub async fn shutdown(self) {
        self.cancel.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// JSON-RPC over HTTP.
    Rpc,
    /// WebSocket.
    WebSocket,
}

async fn serve<I>(shared: Arc<Shared>, io: I, kind: Kind, cancel: CancellationToken)
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let connection = async {
        match kind {
            Kind::Rpc => {
                let service = service_fn(|request| http_request(Arc::clone(&shared), request));
                let connection = http1::Builder::new().serve_connection(TokioIo::new(io), service);
                if let Err(error) = connection.await {
                    tracing::trace!(%error, "an HTTP connection ended");
                }
            }
            Kind::WebSocket => match accept_async(io).await {
                Ok(stream) => WsConnection::run(shared, stream).await,
                Err(error) => tracing::debug!(%error, "a WebSocket handshake failed"),
            },
        }
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => {}
        () = connection => {}
    }
}

fn plain(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("{text}\r\n"))));
    *response.status_mut() = status;
    response
}

async fn http_request(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
    let body = match Limited::new(request.into_body(), MAX_REQUEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Ok(plain(StatusCode::BAD_REQUEST, "Unable to parse request: too large")),
    };
    let Ok(Json::Object(request)) = serde_json::from_slice::<Json>(&body) else {
        return Ok(plain(StatusCode::BAD_REQUEST, "Unable to parse request: "));
    };
    shared.until_open().await;
    let answer = match request.get("method").and_then(Json::as_str) {
        Some("batch") => match request.get("params") {
            Some(Json::Array(calls)) => {
                let answers = calls.iter().map(|call| match call {
                    Json::Object(call) => {
                        rpc_call(&shared, call).unwrap_or_else(|text| json!({"error": text}))
                    }
                    _ => json!({"error": "Malformed request"}),
                });
                Ok(answers.collect())
            }
            _ => Err("Malformed batch request"),
        },
        _ => rpc_call(&shared, &request),
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(text) => return Ok(plain(StatusCode::BAD_REQUEST, text)),
    };
    // Values are strings, numbers and maps with string keys.
    let text = format!("{answer}\n");
    let mut response = Response::new(Full::new(Bytes::from(text)));
    response.headers_mut().insert(
        hyper::header::CONTENT_TYPE,
        hyper::header::HeaderValue::from_static("application/json; charset=UTF-8"),
    );
    Ok(response)
}

fn rpc_call(shared: &Shared, request: &Map<String, Json>) -> Result<Json, &'static str> {
    let method = match request.get("method") {
        None | Some(Json::Null) => return Err("Null method"),
        Some(Json::String(method)) if method.is_empty() => return Err("method is empty"),
        Some(Json::String(method)) => method,
        Some(_) => return Err("method is not string"),
    };
    let empty = Map::new();
    let params = match request.get("params") {
        None | Some(Json::Null) => &empty,
        Some(Json::Array(list)) if list.is_empty() => &empty,
        Some(Json::Array(list)) if list.len() == 1 => match &list[0] {
            Json::Object(params) => params,
            Json::Null => &empty,
            _ => return Err("params unparsable"),
        },
        Some(_) => return Err("params unparsable"),
    };
    let answer = rpc::handle(shared, method, params);
    if matches!(&answer, Err(e) if e.token == "invalid_API_version") {
        return Err("invalid_API_version");
    }
    let result = match answer {
        Ok(mut members) => {
            members.insert("status".into(), "success".into());
            members
        }
        Err(error) => {
            let mut members = error.to_members();
            members.insert("status".into(), "error".into());
            let mut echo = redacted(params);
            echo.insert("command".into(), method.as_str().into());
            members.insert("request".into(), echo.into());
            members
        }
    };
    Ok(json!({"result": result}))
}

/// A request to be echoed: without its secrets.
fn redacted(params: &Map<String, Json>) -> Map<String, Json> {
    let mut echo = params.clone();
    for key in ["secret", "seed", "seed_hex", "passphrase"] {
        if let Some(value) = echo.get_mut(key) {
            *value = "<masked>".into();
        }
    }
    echo
}

struct WsConnection {
    shared: Arc<Shared>,
    id: u64,
    queue: Queue,
}

impl WsConnection {
    async fn run<I>(shared: Arc<Shared>, stream: WebSocketStream<I>)
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let id = shared.connections.fetch_add(1, Ordering::Relaxed);
        let (queue, mut outgoing) = Queue::new();
        let this = Self { shared, id, queue };
        let (mut sink, mut source) = stream.split();
        let writer = async {
            while let Some(message) = outgoing.recv().await {
                let text = match message {
                    Outgoing::Message(message) => message.text(),
                    Outgoing::Text(text) => text,
                    Outgoing::Close(code, reason) => {
                        let frame =
                            CloseFrame { code: CloseCode::from(code), reason: reason.into() };
                        let _ = sink.send(Message::Close(Some(frame))).await;
                        return;
                    }
                };
                this.queue.written();
                // Flushed once the queue is empty.
                let sent = match outgoing.is_empty() {
                    true => sink.send(Message::Text(text)).await,
                    false => sink.feed(Message::Text(text)).await,
                };
                if sent.is_err() {
                    return;
                }
            }
        };
        let reader = async {
            while let Some(Ok(message)) = source.next().await {
                let text = match message {
                    Message::Text(text) => text,
                    Message::Binary(bytes) => match Utf8Bytes::try_from(bytes) {
                        Ok(text) => text,
                        Err(_) => continue,
                    },
                    Message::Close(_) => return,
                    _ => continue,
                };
                this.shared.until_open().await;
                let answer = this.request(&text);
                if !this.queue.send(Outgoing::Text(answer.to_string().into()), usize::MAX) {
                    return;
                }
            }
        };
        tokio::select! {
            biased;
            () = writer => {}
            () = reader => {}
        }
        // Answers a close from the other side; a peer that is gone must not hold the task.
        let _ = time::timeout(Duration::from_secs(1), sink.close()).await;
        this.shared.streams.lock().leave(this.id);
    }

    fn request(&self, text: &str) -> Json {
        let parsed = serde_json::from_str::<Json>(text);
        let Ok(Json::Object(request)) = parsed else {
            return json!({"error": "jsonInvalid", "type": "error", "value": text});
        };
        let command = request.get("command").or_else(|| request.get("method"));
        let answer = match command.and_then(Json::as_str) {
            Some("subscribe") => self.subscribe(&request),
            Some("unsubscribe") => {
                self.shared.streams.lock().unsubscribe(self.id, &request).map(|()| Map::new())
            }
            Some(command) => rpc::handle(&self.shared, command, &request),
            None => Err(RpcError::new("missingCommand", 0, "")),
        };
        let mut message = match answer {
            Ok(result) => rpc::object(json!({"result": result, "status": "success"})),
            Err(error) => {
                let mut members = error.to_members();
                members.insert("status".into(), "error".into());
                members.insert("request".into(), redacted(&request).into());
                members
            }
        };
        message.insert("type".into(), "response".into());
        for key in ["id", "jsonrpc", "ripplerpc", "api_version"] {
            if let Some(value) = request.get(key) {
                message.insert(key.into(), value.clone());
            }
        }
        message.into()
    }

    fn subscribe(&self, params: &Map<String, Json>) -> Result<Map<String, Json>, RpcError> {
        let shape = ApiShape::of(params)?;
        let node = self.shared.node();
        let (ledger, server) =
            self.shared.streams.lock().subscribe(self.id, &self.queue, params, shape)?;
        let mut answer = Map::new();
        if ledger {
            answer.extend(ledger_snapshot(node.validated(), node.range(), node.network_id()));
        }
        if server {
            let fees = node.server_fees();
            answer.extend(rpc::object(json!({
                "hostid": "embedded",
                "load_base": fees.load_base,
                "load_factor": fees.load_factor(),
                "pubkey_node": self.shared.node_key,
                "random": const_hex::encode_upper(rand::random::<[u8; 32]>()),
                "server_status": "full",
                "stand_alone": true,
            })));
        }
        Ok(answer)
    }
}
