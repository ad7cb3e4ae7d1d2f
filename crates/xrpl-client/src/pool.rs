//! Several nodes as one: which is healthy, and which to ask.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::time::{self, Instant};
use tokio_util::sync::CancellationToken;
use url::Url;
use xrpl_protocol::LedgerIndex;

use crate::{
    ClientError, Connector, Request, TcpConnector,
    json_rpc::JsonRpc,
    request::ServerState,
    response,
    timing::{Histogram, Snapshot},
};

/// Methods whose times are told apart.
const METHODS: usize = 32;

/// Number of an endpoint, in the order they were given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EndpointId(pub u16);

/// Where one node listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// JSON-RPC, `http` or `https`.
    pub rpc: Url,
    /// WebSocket, `ws` or `wss`; without it this node's streams are not read.
    pub ws: Option<Url>,
}

/// How requests are made.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// Makes the connections.
    pub connector: Arc<dyn Connector>,
    /// HTTP connections to one node at once.
    pub connections: usize,
    /// Time for one request.
    pub timeout: Duration,
    /// An endpoint this many ledgers behind the best is asked only if no other can be.
    pub max_lag: u32,
    /// How often health is looked at.
    pub health_interval: Duration,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            connector: Arc::new(TcpConnector),
            connections: 64,
            timeout: Duration::from_secs(10),
            max_lag: 4,
            health_interval: Duration::from_secs(2),
        }
    }
}

/// What is known of an endpoint.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Health {
    /// Which one.
    pub id: EndpointId,
    /// How it is called.
    pub name: Arc<str>,
    /// Whether it may be asked.
    pub healthy: bool,
    /// Failures since the last success.
    pub failures: u32,
    /// `full`, `proposing`, ...; empty before the first look.
    pub server_state: String,
    /// Its last validated ledger.
    pub validated: Option<LedgerIndex>,
    /// The last failure.
    pub last_error: Option<String>,
}

#[derive(Debug)]
struct Node {
    endpoint: Endpoint,
    rpc: JsonRpc,
    health: Mutex<Health>,
    retry_at: Mutex<Option<Instant>>,
}

/// The nodes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pool {
    nodes: Arc<[Node]>,
    config: Arc<PoolConfig>,
    times: Arc<Times>,
}

/// How long answers take.
#[derive(Debug, Default)]
struct Times {
    submit: Histogram,
    others: Mutex<BTreeMap<String, Arc<Histogram>>>,
}

impl Times {
    /// Of a method; of all further ones together once there are many.
    fn of(&self, method: &str) -> Arc<Histogram> {
        let mut others = self.others.lock();
        if let Some(known) = others.get(method) {
            return Arc::clone(known);
        }
        let name = if others.len() < METHODS { method } else { "other" };
        Arc::clone(others.entry(name.to_owned()).or_default())
    }
}

impl Pool {
    /// A pool of these nodes; it makes no connection yet.
    #[must_use]
    pub fn new(endpoints: Vec<Endpoint>, config: PoolConfig) -> Self {
        let nodes = endpoints.into_iter().enumerate().map(|(n, endpoint)| {
            let connector = Arc::clone(&config.connector);
            let rpc =
                JsonRpc::new(endpoint.rpc.clone(), connector, config.connections, config.timeout);
            let health = Health {
                id: EndpointId(u16::try_from(n).unwrap_or(u16::MAX)),
                name: crate::json_rpc::endpoint_name(&endpoint.rpc),
                healthy: true,
                failures: 0,
                server_state: String::new(),
                validated: None,
                last_error: None,
            };
            Node { endpoint, rpc, health: Mutex::new(health), retry_at: Mutex::new(None) }
        });
        Self { nodes: nodes.collect(), config: Arc::new(config), times: Arc::default() }
    }

    /// How requests are made.
    #[must_use]
    pub fn config(&self) -> &PoolConfig {
        &self.config
    }

    /// The endpoints in the order given.
    pub fn endpoints(&self) -> impl Iterator<Item = (EndpointId, &Endpoint)> {
        self.nodes
            .iter()
            .enumerate()
            .map(|(n, node)| (EndpointId(u16::try_from(n).unwrap_or(u16::MAX)), &node.endpoint))
    }

    /// How an endpoint is called.
    #[must_use]
    pub fn name(&self, id: EndpointId) -> Arc<str> {
        self.nodes
            .get(usize::from(id.0))
            .map_or_else(|| "unknown".into(), |node| node.health.lock().name.clone())
    }

    /// What is known of each endpoint.
    #[must_use]
    pub fn health(&self) -> Vec<Health> {
        self.nodes.iter().map(|node| node.health.lock().clone()).collect()
    }

    /// Whether any node may be asked.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        self.nodes.iter().any(|node| node.health.lock().healthy)
    }

    /// Asks a healthy node; where that fails without the node's own word, the next one.
    ///
    /// # Errors
    /// The node's refusal, or the last failure when none could answer.
    pub async fn request<R: Request>(&self, request: &R) -> Result<R::Response, ClientError> {
        let mut last = None;
        for id in self.order() {
            match self.request_to(id, request).await {
                Err(error) if error.is_endpoint_failure() => last = Some(error),
                answer => return answer,
            }
        }
        Err(last.unwrap_or_else(no_endpoints))
    }

    /// Asks one node after another until one has the ledger that is asked for: nodes lag, and keep
    /// different histories.
    ///
    /// # Errors
    /// Another refusal of a node; `lgrNotFound` if none has the ledger; the last failure when none
    /// could answer.
    pub async fn request_of_any<R: Request>(
        &self,
        request: &R,
    ) -> Result<(EndpointId, R::Response), ClientError> {
        let (mut failed, mut lacks) = (None, None);
        for id in self.order() {
            match self.request_to(id, request).await {
                Ok(answer) => return Ok((id, answer)),
                Err(error) if error.is_endpoint_failure() => failed = Some(error),
                Err(error) if error.is_token("lgrNotFound") => lacks = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(lacks.or(failed).unwrap_or_else(no_endpoints))
    }

    /// How long answers took, by method; failures count too.
    #[must_use]
    pub fn rpc_times(&self) -> Vec<(String, Snapshot)> {
        let mut all = vec![("submit".to_owned(), self.times.submit.snapshot())];
        let others = self.times.others.lock();
        all.extend(others.iter().map(|(method, times)| (method.clone(), times.snapshot())));
        all
    }

    /// Asks one node.
    ///
    /// # Errors
    /// As [`JsonRpc::request`].
    pub async fn request_to<R: Request>(
        &self,
        id: EndpointId,
        request: &R,
    ) -> Result<R::Response, ClientError> {
        let Some(node) = self.nodes.get(usize::from(id.0)) else { return Err(no_endpoints()) };
        let since = Instant::now();
        let answer = node.rpc.request(request).await;
        self.times.of(request.method()).observe(since.elapsed());
        node.note(answer.as_ref().err());
        answer
    }

    /// Submits a signed transaction to a healthy node. Another node is tried only when the first
    /// did not get it.
    ///
    /// # Errors
    /// As [`JsonRpc::submit`].
    pub async fn submit(
        &self,
        blob: &[u8],
        fail_hard: bool,
    ) -> Result<(EndpointId, response::Submit), (EndpointId, ClientError)> {
        let mut last = (EndpointId(0), no_endpoints());
        for id in self.order() {
            let Some(node) = self.nodes.get(usize::from(id.0)) else { continue };
            let since = Instant::now();
            let answer = node.rpc.submit(blob, fail_hard).await;
            self.times.submit.observe(since.elapsed());
            node.note(answer.as_ref().err());
            match answer {
                Ok(answer) => return Ok((id, answer)),
                Err(error @ (ClientError::NeverSent { .. } | ClientError::Status { .. })) => {
                    last = (id, error)
                }
                Err(error) => return Err((id, error)),
            }
        }
        Err(last)
    }

    /// Endpoints, the best first: healthy before others, up to date before lagging, else as given.
    fn order(&self) -> Vec<EndpointId> {
        let best = self.nodes.iter().filter_map(|n| n.health.lock().validated).max();
        let mut ranked: Vec<_> = self
            .nodes
            .iter()
            .map(|node| {
                let health = node.health.lock();
                let lags = match (best, health.validated) {
                    // Another task may have seen a newer ledger since `best` was read.
                    (Some(best), Some(own)) => best.0.saturating_sub(own.0) > self.config.max_lag,
                    _ => false,
                };
                (!health.healthy, lags, health.id)
            })
            .collect();
        ranked.sort_unstable();
        ranked.into_iter().map(|(_, _, id)| id).collect()
    }

    /// Looks at every endpoint once.
    pub async fn check_health(&self) {
        for (id, _) in self.endpoints() {
            let node = &self.nodes[usize::from(id.0)];
            if node.retry_at.lock().is_some_and(|at| Instant::now() < at) {
                continue;
            }
            let answer = node.rpc.request(&ServerState::default()).await;
            node.note(answer.as_ref().err());
            if let Ok(answer) = answer {
                let mut health = node.health.lock();
                health.validated = answer.state.validated_ledger.map(|ledger| ledger.seq);
                let usable = ["full", "validating", "proposing"]
                    .contains(&answer.state.server_state.as_str());
                health.healthy = usable;
                health.server_state = answer.state.server_state;
            }
        }
    }

    /// Looks at every endpoint again and again until cancelled.
    pub async fn watch_health(&self, cancel: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return,
                () = time::sleep(self.config.health_interval) => self.check_health().await,
            }
        }
    }
}

impl Node {
    /// Three failures in a row make an endpoint unhealthy; a success mends it.
    fn note(&self, error: Option<&ClientError>) {
        const TOLERATED: u32 = 2;
        let mut health = self.health.lock();
        match error.filter(|e| e.is_endpoint_failure()) {
            None => {
                if health.failures > 0 {
                    health.healthy = true;
                    health.failures = 0;
                    *self.retry_at.lock() = None;
                }
            }
            Some(error) => {
                health.failures += 1;
                health.last_error = Some(error.to_string());
                if health.failures > TOLERATED {
                    health.healthy = false;
                    let wait = 1u64 << (health.failures - TOLERATED).min(5);
                    *self.retry_at.lock() =
                        Some(Instant::now() + Duration::from_secs(wait.min(30)));
                }
            }
        }
    }
}

fn no_endpoints() -> ClientError {
    ClientError::NeverSent { endpoint: "none".into(), cause: "no endpoint is configured".into() }
}
