//! The server: HTTP and WebSocket ports, the close timer, and the ledger behind them.

mod accounts;
mod builder;
mod callers;
mod clock;
mod closing;
mod config;
mod explorer;
mod faucet;
pub mod fork;
mod http;
mod json;
mod keeping;
mod shared;
mod time_travel;
mod turns;
mod websocket;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value as Json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    time,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        self,
        handshake::server::{ErrorResponse, Request, Response},
    },
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::shared::Shared;
pub use self::{
    accounts::FundedAccount,
    builder::{Builder, Refused, StartError},
    clock::EndOfTime,
    config::{Begin, Closing, FaucetConfig, FundedAccounts, StandaloneConfig, WrongStart},
};

use self::{
    http::{http_request, rpc_call},
    websocket::WsConnection,
};
use crate::{ledger::ClosedLedger, node::Node, rpc::Role, state::StateFile};

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
        let config = StandaloneConfig { rpc_bind, ws_bind, ..config };
        let shared = match &config.begin {
            Begin::Fork(fork) => fork.with_all(|| Shared::new(&config)).await?,
            _ => Shared::new(&config),
        };
        let this = Self::of(shared, &config);
        this.listen(rpc, Kind::Rpc);
        this.listen(ws, Kind::WebSocket);
        Ok(this)
    }

    /// Starts a fresh ledger without listening anywhere: connections come by
    /// [`Standalone::serve_connection`]. Its addresses are those of the configuration.
    #[must_use]
    pub fn in_memory(config: StandaloneConfig) -> Self {
        Self::of(Shared::new(&config), &config)
    }

    fn of(shared: Shared, config: &StandaloneConfig) -> Self {
        let this = Self {
            rpc_addr: config.rpc_bind,
            ws_addr: config.ws_bind,
            shared: Arc::new(shared),
            cancel: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        let clock = closing::by_the_clock(Arc::clone(&this.shared), this.cancel.clone());
        this.tasks.spawn(clock);
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
        self.tasks.spawn(serve(Arc::clone(&self.shared), io, kind, None, cancel));
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
                    Ok((stream, peer)) => {
                        let _ = stream.set_nodelay(true);
                        let (shared, peer) = (Arc::clone(&shared), Some(peer.ip()));
                        tasks.spawn(serve(shared, stream, kind, peer, cancel.clone()));
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

    /// Answers a JSON-RPC request without a connection. In a fork, which may have to read first,
    /// [`Self::ask`] does.
    ///
    /// # Errors
    /// The plain text that HTTP answers with status 400.
    pub fn request(&self, request: &Map<String, Json>) -> Result<Json, &'static str> {
        rpc_call(&self.shared, request, Role::Admin)
    }

    /// Accounts that were there from the start.
    #[must_use]
    pub fn accounts(&self) -> &[FundedAccount] {
        &self.shared.accounts
    }

    /// The ledger's network id.
    #[must_use]
    pub fn network_id(&self) -> u32 {
        self.shared.node().network_id()
    }

    /// When ledgers close.
    #[must_use]
    pub fn closing(&self) -> Closing {
        self.shared.closing()
    }

    /// Changes when ledgers close.
    pub fn set_closing(&self, closing: Closing) {
        self.shared.set_closing(closing);
    }

    /// Closes the open ledger now.
    ///
    /// # Errors
    /// When no later time is left for it.
    pub fn accept(&self) -> Result<Arc<ClosedLedger>, EndOfTime> {
        self.shared.accept()
    }

    /// Keeps the ledger in a file: it is written each time the interval has passed, if anything
    /// changed, and at [`Self::shutdown`]. A fork is not: of it not all is here.
    pub fn keep(&self, file: StateFile, interval: Option<Duration>) {
        *self.shared.kept.lock() = Some(keeping::Kept::new(file));
        let task = keeping::keep(Arc::clone(&self.shared), interval, self.cancel.clone());
        self.tasks.spawn(task);
    }

    /// Writes the file of [`Self::keep`] now, if there is one.
    ///
    /// # Errors
    /// What the disk says. The file is then as it was.
    pub async fn save(&self) -> io::Result<()> {
        keeping::save(Arc::clone(&self.shared)).await
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
        self.tasks.spawn(serve(Arc::clone(&self.shared), far, kind, None, self.cancel.clone()));
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

/// Serves a connection; `peer` is where it comes from, if it came over a network.
async fn serve<I>(
    shared: Arc<Shared>,
    io: I,
    kind: Kind,
    peer: Option<IpAddr>,
    cancel: CancellationToken,
) where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let connection = async {
        match kind {
            Kind::Rpc => {
                let service =
                    service_fn(|request| http_request(Arc::clone(&shared), peer, request));
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
