//! Several nodes as one: which is healthy, and which to ask.
//!
//! A request goes to the best node. If that node fails, has too much to do or falls silent, the next
//! one is asked; who fell silent is still listened to, and the first answer counts. A node that fell
//! silent is passed over until a look at its health is answered, so that it costs one short wait and
//! not one of every request.
//!
//! Whether a node's ledgers are those that are meant is not known here: who follows a chain says which
//! nodes follow another one ([`Pool::pass_over`]), and those are asked nothing until that is taken back,
//! however far ahead they are.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt as _, future::join_all, stream::FuturesUnordered};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::{
    sync::Notify,
    time::{self, Instant},
};
use tokio_util::sync::CancellationToken;
use url::Url;

pub use crate::health::Health;
use crate::{
    ClientError, Connector, Request, TcpConnector,
    health::Record,
    json_rpc::{JsonRpc, submit_body},
    request::ServerState,
    response,
    timing::{Histogram, Snapshot},
};

/// Methods whose times are told apart.
const METHODS: usize = 32;
/// How long one request may take at a node that answers others, until another node is asked too.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a look at a node's health may take.
const LOOK: Duration = Duration::from_secs(5);
/// How soon a silent node is looked at again; then twice as long, up to the usual interval.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

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

#[derive(Debug)]
struct Node {
    id: EndpointId,
    endpoint: Endpoint,
    rpc: JsonRpc,
    record: Record,
    /// Rings where its health is to be looked at without delay.
    look: Notify,
}

/// The nodes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    nodes: Box<[Node]>,
    config: PoolConfig,
    times: Times,
    /// The newest ledger that any node has validated.
    best: AtomicU32,
    /// How many watch the nodes' health.
    watchers: AtomicUsize,
}

/// What became of a submission.
#[derive(Debug)]
pub struct Submission {
    /// Who answered, or failed.
    pub endpoint: EndpointId,
    /// The answer, or why there is none.
    pub answer: Result<response::Submit, ClientError>,
    /// Other nodes that were asked and have not said what they did. Each may hold the transaction,
    /// whatever `answer` says.
    pub unanswered: Vec<EndpointId>,
}

/// How asking one node after another ended.
enum Turn<T> {
    /// One gave its word, good or bad.
    Answered(EndpointId, Result<T, ClientError>),
    /// None could.
    Failed(Vec<(EndpointId, ClientError)>),
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
            let id = EndpointId(u16::try_from(n).unwrap_or(u16::MAX));
            let connector = Arc::clone(&config.connector);
            let rpc =
                JsonRpc::new(endpoint.rpc.clone(), connector, config.connections, config.timeout);
            let record = Record::new(id, Arc::clone(rpc.name()), Arc::clone(rpc.heard()));
            Node { id, endpoint, rpc, record, look: Notify::new() }
        });
        Self(Arc::new(Inner {
            nodes: nodes.collect(),
            config,
            times: Times::default(),
            best: AtomicU32::new(0),
            watchers: AtomicUsize::new(0),
        }))
    }

    /// How requests are made.
    #[must_use]
    pub fn config(&self) -> &PoolConfig {
        &self.0.config
    }

    /// The endpoints in the order given.
    pub fn endpoints(&self) -> impl Iterator<Item = (EndpointId, &Endpoint)> {
        self.0.nodes.iter().map(|node| (node.id, &node.endpoint))
    }

    fn node(&self, id: EndpointId) -> Option<&Node> {
        self.0.nodes.get(usize::from(id.0))
    }

    /// How an endpoint is called.
    #[must_use]
    pub fn name(&self, id: EndpointId) -> Arc<str> {
        self.node(id).map_or_else(|| "unknown".into(), |node| Arc::clone(node.rpc.name()))
    }

    /// What is known of each endpoint.
    #[must_use]
    pub fn health(&self) -> Vec<Health> {
        self.0.nodes.iter().map(|node| node.record.health()).collect()
    }

    /// A judgement on a node: its ledgers are not those that are meant, for this reason, or (none) they
    /// are. Until that is taken back it gets no request but those made to it by name
    /// ([`Pool::request_to`]), even where no other node answers: what it says would be of another
    /// ledger, and what it is given would be lost. True if the judgement is new.
    pub fn pass_over(&self, id: EndpointId, why: Option<&str>) -> bool {
        let changed = self.node(id).is_some_and(|node| node.record.pass_over(why));
        if changed {
            self.note_newest();
        }
        changed
    }

    /// The nodes that are not passed over: healthy ones first, else as given.
    #[must_use]
    pub fn followed(&self) -> Vec<EndpointId> {
        let mut health = self.health();
        health.retain(|node| !node.passed_over);
        health.sort_by_key(|node| (!node.healthy, node.id));
        health.into_iter().map(|node| node.id).collect()
    }

    /// The nodes that are passed over.
    #[must_use]
    pub fn passed_over(&self) -> Vec<EndpointId> {
        let nodes = self.0.nodes.iter().filter(|node| node.record.is_passed_over());
        nodes.map(|node| node.id).collect()
    }

    /// Whether any node may be asked.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        self.0.nodes.iter().any(|node| node.record.is_healthy())
    }

    /// How long answers took, by method; failures count too.
    #[must_use]
    pub fn rpc_times(&self) -> Vec<(String, Snapshot)> {
        let mut all = vec![("submit".to_owned(), self.0.times.submit.snapshot())];
        let others = self.0.times.others.lock();
        all.extend(others.iter().map(|(method, times)| (method.clone(), times.snapshot())));
        all
    }

    /// Asks a healthy node; where that fails without the node's own word on the question, or the
    /// node falls silent, the next one.
    ///
    /// # Errors
    /// The node's refusal, or the last failure when none could answer.
    pub async fn request<R: Request>(&self, request: &R) -> Result<R::Response, ClientError> {
        let ask = |node| self.ask(node, request);
        match self.in_turn(ask, ClientError::asks_for_another_node, &mut Vec::new()).await {
            Turn::Answered(_, answer) => answer,
            Turn::Failed(mut failed) => {
                Err(failed.pop().map_or_else(no_endpoints, |(_, error)| error))
            }
        }
    }

    /// As [`Pool::request`]; asks on, too, where a node does not have the ledger that is asked for:
    /// nodes lag, and keep different histories.
    ///
    /// # Errors
    /// Another refusal of a node; `lgrNotFound` if none has the ledger; the last failure when none
    /// could answer.
    pub async fn request_of_any<R: Request>(
        &self,
        request: &R,
    ) -> Result<(EndpointId, R::Response), ClientError> {
        let lacks = |error: &ClientError| error.is_token("lgrNotFound");
        let goes_on = |error: &ClientError| error.asks_for_another_node() || lacks(error);
        match self.in_turn(|node| self.ask(node, request), goes_on, &mut Vec::new()).await {
            Turn::Answered(id, answer) => answer.map(|answer| (id, answer)),
            Turn::Failed(mut failed) => {
                let told = failed.iter().position(|(_, error)| lacks(error));
                let error = match told {
                    Some(n) => Some(failed.swap_remove(n)),
                    None => failed.pop(),
                };
                Err(error.map_or_else(no_endpoints, |(_, error)| error))
            }
        }
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
        match self.node(id) {
            Some(node) => self.ask(node, request).await,
            None => Err(no_endpoints()),
        }
    }

    async fn ask<R: Request>(&self, node: &Node, request: &R) -> Result<R::Response, ClientError> {
        let since = Instant::now();
        let answer = node.rpc.request(request).await;
        let took = since.elapsed();
        self.0.times.of(request.method()).observe(took);
        node.record.note(took, answer.as_ref().err());
        answer
    }

    /// Submits a signed transaction to a healthy node, and to the next one if the first does not
    /// take it or falls silent. The same bytes are the same transaction wherever they go: two nodes
    /// that both got them apply it once.
    pub async fn submit(&self, blob: &[u8], fail_hard: bool) -> Submission {
        let body = submit_body(blob, fail_hard);
        let mut unanswered = Vec::new();
        let ask = |node| self.submit_to(node, body.clone());
        match self.in_turn(ask, ClientError::asks_for_another_node, &mut unanswered).await {
            Turn::Answered(endpoint, answer) => Submission { endpoint, answer, unanswered },
            Turn::Failed(mut failed) => {
                // That it may have been done outweighs that elsewhere it was not.
                let unknown = failed.iter().rposition(|(_, error)| error.may_have_been_done());
                let last = match unknown {
                    Some(n) => Some(failed.swap_remove(n)),
                    None => failed.pop(),
                };
                let (endpoint, error) = last.unwrap_or_else(|| (EndpointId(0), no_endpoints()));
                unanswered.retain(|id| *id != endpoint);
                Submission { endpoint, answer: Err(error), unanswered }
            }
        }
    }

    async fn submit_to(&self, node: &Node, body: Bytes) -> Result<response::Submit, ClientError> {
        let since = Instant::now();
        let answer = node.rpc.submit(body).await;
        let took = since.elapsed();
        self.0.times.submit.observe(took);
        node.record.note(took, answer.as_ref().err());
        answer
    }

    /// Asks one node after another: the next one when one fails with an error that `goes_on`, or
    /// keeps everybody waiting. In `unanswered` are left those that may have acted and did not say so.
    async fn in_turn<'a, T, A, F>(
        &'a self,
        ask: A,
        goes_on: impl Fn(&ClientError) -> bool,
        unanswered: &mut Vec<EndpointId>,
    ) -> Turn<T>
    where
        A: Fn(&'a Node) -> F,
        F: Future<Output = Result<T, ClientError>>,
    {
        let begin = |node: &'a Node| {
            node.record.tried();
            let asking = ask(node);
            async move { (node.id, asking.await) }
        };
        let mut asked = vec![false; self.0.nodes.len()];
        let mut failed = Vec::new();
        let mut running = FuturesUnordered::new();
        loop {
            let Some((node, _)) = self.best_without(&asked) else {
                // Whoever is still listened to may answer yet.
                match running.next().await {
                    Some((id, Err(error))) if goes_on(&error) => {
                        settle(unanswered, id, &error);
                        failed.push((id, error));
                        continue;
                    }
                    Some((id, answer)) => {
                        unanswered.retain(|other| *other != id);
                        return Turn::Answered(id, answer);
                    }
                    None => return Turn::Failed(failed),
                }
            };
            asked[usize::from(node.id.0)] = true;
            unanswered.push(node.id);
            running.push(begin(node));
            let since = Instant::now();
            let mut alone = false;
            loop {
                let (id, answer) = tokio::select! {
                    biased;
                    Some(answer) = running.next() => answer,
                    why = kept_waiting(node, since), if !alone => {
                        // Not to one that is as bad: it would only be given more to do.
                        if !self.best_without(&asked).is_some_and(|(_, fit)| fit) {
                            alone = true;
                            continue;
                        }
                        if why == Waiting::Silence && node.record.fell_silent(since) {
                            tracing::warn!(node = %node.rpc.name(), "silent: passed over");
                            node.look.notify_one();
                        }
                        break;
                    }
                };
                match answer {
                    Err(error) if goes_on(&error) => {
                        settle(unanswered, id, &error);
                        failed.push((id, error));
                        break;
                    }
                    answer => {
                        unanswered.retain(|other| *other != id);
                        return Turn::Answered(id, answer);
                    }
                }
            }
        }
    }

    /// The best node that was not asked yet and is not passed over, and whether it is fit: healthy
    /// ones before others, up to date before lagging, else as given.
    fn best_without(&self, asked: &[bool]) -> Option<(&Node, bool)> {
        let inner = &*self.0;
        let (best, watched) = (inner.best.load(Relaxed), inner.watchers.load(Relaxed) > 0);
        let open = inner.nodes.iter().zip(asked).filter(|(_, asked)| !**asked);
        open.map(|(node, _)| (node.record.standing(best, inner.config.max_lag, watched), node))
            .filter(|(standing, _)| !standing.passed_over)
            .min_by_key(|(standing, node)| (*standing, node.id))
            .map(|(standing, node)| (node, !standing.unfit))
    }

    /// Looks at every endpoint once, at all of them at the same time.
    pub async fn check_health(&self) {
        join_all(self.0.nodes.iter().map(|node| self.look_at(node))).await;
    }

    /// Whether the node answered.
    async fn look_at(&self, node: &Node) -> bool {
        let since = Instant::now();
        let limit = LOOK.min(self.0.config.timeout);
        let answer = match time::timeout(limit, node.rpc.request(&ServerState::default())).await {
            Ok(answer) => answer,
            Err(_) => Err(ClientError::Unknown {
                endpoint: Arc::clone(node.rpc.name()),
                cause: format!("no answer within {limit:?}"),
            }),
        };
        node.record.note(since.elapsed(), answer.as_ref().err());
        if let Ok(answer) = &answer {
            node.record.looked(answer);
            self.note_newest();
        }
        answer.is_ok()
    }

    fn note_newest(&self) {
        let newest = self.0.nodes.iter().filter_map(|node| node.record.validated()).max();
        self.0.best.store(newest.map_or(0, |ledger| ledger.0), Relaxed);
    }

    /// Looks at every endpoint again and again until cancelled, at each in its own time: one that
    /// does not answer holds up no other. One that fell silent is looked at at once.
    pub async fn watch_health(&self, cancel: CancellationToken) {
        struct Watching<'a>(&'a AtomicUsize);
        impl Drop for Watching<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Relaxed);
            }
        }
        self.0.watchers.fetch_add(1, Relaxed);
        let _watching = Watching(&self.0.watchers);
        tokio::select! {
            biased;
            () = cancel.cancelled() => {}
            _ = join_all(self.0.nodes.iter().map(|node| self.watch(node))) => {}
        }
    }

    async fn watch(&self, node: &Node) {
        let usual = self.0.config.health_interval;
        let mut pause = usual;
        loop {
            let rung = time::timeout(pause, node.look.notified()).await.is_ok();
            let answered = self.look_at(node).await;
            pause = match (answered, rung) {
                (true, _) => usual,
                (false, true) => LOOK_AGAIN.min(usual),
                (false, false) => (pause * 2).min(usual),
            };
        }
    }
}

/// Waits until a node has been silent for longer than it is used to be since a request was made, or
/// has let this one wait for very long although it answers others.
async fn kept_waiting(node: &Node, since: Instant) -> Waiting {
    let patience = since + PATIENCE;
    loop {
        let (due, now) = (node.record.due(since), Instant::now());
        if due <= now {
            return Waiting::Silence;
        }
        if patience <= now {
            return Waiting::Slowness;
        }
        time::sleep_until(due.min(patience)).await;
    }
}

/// Why a request waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    /// Nothing at all came from the node.
    Silence,
    /// It answers others.
    Slowness,
}

/// Who surely did nothing is not among those that may have.
fn settle(unanswered: &mut Vec<EndpointId>, id: EndpointId, error: &ClientError) {
    if !error.may_have_been_done() {
        unanswered.retain(|other| *other != id);
    }
}

fn no_endpoints() -> ClientError {
    let cause = "no endpoint is configured, or all follow another chain".into();
    ClientError::NeverSent { endpoint: "none".into(), cause }
}
