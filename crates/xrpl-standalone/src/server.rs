//! The server: HTTP and WebSocket ports, the close timer, and the ledger behind them.

mod callers;
mod http;
mod json;
mod websocket;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, SystemTime},
};

use hyper::{server::conn::http1, service::service_fn};
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
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        self,
        handshake::server::{ErrorResponse, Request, Response},
    },
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use xrpl_protocol::{
    base58,
    keys::{KeyPair, KeyType, Seed},
};

use self::{
    http::{http_request, rpc_call},
    websocket::WsConnection,
};
use crate::{
    ledger::{ClosedLedger, PreparedTx},
    node::{Node, NodeConfig, SubmitOutcome},
    rpc::Role,
    streams::Streams,
};

/// Seconds between 1970-01-01 and 2000-01-01.
const RIPPLE_EPOCH: u64 = 946_684_800;

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
    /// Whether every caller may use admin methods and have the server sign. Without it they are for
    /// callers that name this machine as their Host and come from no page of another site.
    pub open_admin: bool,
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
            open_admin: false,
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
    open_admin: bool,
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
        let streams = Streams::new(config.send_queue_limit, node.network_id());
        let key = KeyPair::from_seed(&Seed::from_passphrase("embedded node", KeyType::Secp256k1));
        Self {
            streams: Mutex::new(streams),
            node: Mutex::new(node),
            started: Instant::now(),
            start_time,
            ports: Mutex::default(),
            closing: watch::Sender::default(),
            connections: AtomicU64::new(0),
            open_admin: config.open_admin,
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

    /// What makes connections to this server without a network, for as long as it runs.
    #[must_use]
    pub fn door(&self) -> Door {
        Door {
            shared: Arc::clone(&self.shared),
            cancel: self.cancel.clone(),
            tasks: self.tasks.clone(),
        }
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
        rpc_call(&self.shared, request, Role::Admin)
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

/// Makes connections to a server in this process.
#[derive(Clone, Debug)]
pub struct Door {
    shared: Arc<Shared>,
    cancel: CancellationToken,
    tasks: TaskTracker,
}

/// Bytes that wait in a pipe in memory before its writer does.
const PIPE: usize = 64 << 10;

impl Door {
    /// The caller's end of a new connection; none once the server has been shut down.
    #[must_use]
    pub fn open(&self, kind: Kind) -> Option<tokio::io::DuplexStream> {
        if self.cancel.is_cancelled() {
            return None;
        }
        let (near, far) = tokio::io::duplex(PIPE);
        self.tasks.spawn(serve(Arc::clone(&self.shared), far, kind, self.cancel.clone()));
        Some(near)
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
            Kind::WebSocket => match accept(&shared, io).await {
                Ok((stream, role)) => WsConnection::run(shared, stream, role).await,
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

/// A WebSocket and who its caller is: the handshake says so once for the whole connection.
async fn accept<I>(shared: &Shared, io: I) -> Result<(WebSocketStream<I>, Role), tungstenite::Error>
where
    I: AsyncRead + AsyncWrite + Unpin,
{
    let mut role = Role::Guest;
    // The library's own type of refusal, which is never made here.
    #[allow(clippy::result_large_err)]
    let look = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        role = callers::role(request.headers(), shared.open_admin);
        Ok(response)
    };
    let stream = accept_hdr_async(io, look).await?;
    Ok((stream, role))
}
