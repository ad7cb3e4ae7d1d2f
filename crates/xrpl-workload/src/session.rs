//! A run put together: node, tracker, generator, API, and their end.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc, watch},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use xrpl_client::{Connector, TcpConnector};
use xrpl_generator::{
    Generator, Measure, Progress,
    capacity::{self, USUAL_INTERVAL},
    coverage::Coverage,
};
use xrpl_tracker::{
    Store, Tracker, TrackerConfig,
    store::{Retention, StoreSize},
};

pub use crate::parts::{connect, endpoints, tracker_config};
use crate::{
    api,
    config::{Config, OnReset},
    definitions::Known,
    dex::Dex,
    embedded::{self, Embedded},
    events::Events,
    heartbeat::Heartbeat,
    host::{Host, Reset},
    limits::LimitVerdict,
    meter::Meter,
    observe::Observer,
    parts::{generator_config, setup_hint},
    reads::Reads,
    record::{Condition, unreached, whole},
    recorder::Recorder,
    shadow::{self, Watched},
    steering::Steering,
    stores,
    summary::{FuzzSummary, Summary, failures, findings_told},
    view::View,
    webhook::{self, Deliveries},
};

mod app;
mod load;
mod unsent;

pub use app::{App, Phase};
use load::{Over, load};

/// Why a run could not be had.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct SetupError(pub String);

impl SetupError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// Asks a run to end: once politely, twice at once.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// No new load; what is in flight comes to its end.
    pub soon: CancellationToken,
    /// What is in flight is left as it is.
    pub now: CancellationToken,
}

impl Stop {
    /// Waits until somebody no longer wants to wait for what is in flight: they asked for the end at
    /// once, or asked for the end when the load was over already.
    async fn enough(&self) {
        if self.soon.is_cancelled() {
            self.now.cancelled().await;
        } else {
            self.soon.cancelled().await;
            self.now.cancel();
        }
    }
}

/// A run that has ended.
#[derive(Debug)]
pub struct Ended {
    /// What it comes to.
    pub summary: Summary,
    /// What went wrong; empty if nothing did.
    pub failures: Vec<String>,
    /// The chain was reset.
    pub reset: bool,
    /// What was sent in which way, where that is asked for.
    pub coverage: Option<Coverage>,
    /// What was measured, stage by stage.
    pub stages: Vec<Arc<Measure>>,
    /// What the scenario's limits came to.
    pub limits: Vec<LimitVerdict>,
}

/// A run.
#[derive(Debug)]
pub struct Session {
    host: Host,
    resets: mpsc::Receiver<Reset>,
    embedded: Option<Embedded>,
    store: Arc<dyn Store>,
    api: Option<SocketAddr>,
    tasks: TaskTracker,
    /// Ends the background tasks and the API.
    end: CancellationToken,
}

impl Session {
    /// Starts everything but the load.
    ///
    /// # Errors
    /// A port is taken, no node answers, the store cannot be had.
    pub async fn start(config: Config, view: &View) -> Result<Self, SetupError> {
        // The port first: nothing is worth starting if it is taken.
        let listener = match config.no_api {
            true => None,
            false => Some(listen(config.api_bind)?),
        };
        let embedded = match config.rpc.is_empty() {
            true => Some(embedded::start_for_run(&config, view).await?),
            false => None,
        };
        let end = CancellationToken::new();
        let tasks = TaskTracker::new();
        let store = stores::open(&config.store).await?;
        let app =
            begin(config, embedded.as_ref(), Arc::clone(&store), &tasks, end.child_token(), view)
                .await?;
        let (host, resets) = Host::new(app);
        let mut address = None;
        if let Some(listener) = listener {
            address = listener.local_addr().ok();
            tasks.spawn(api::serve(listener, host.clone(), end.clone()));
            if let Some(address) = address {
                view.say(&format!("API: http://{address}/"));
            }
        }
        Ok(Self { host, resets, embedded, store, api: address, tasks, end })
    }

    /// What the API and the view see.
    #[must_use]
    pub fn app(&self) -> Arc<App> {
        self.host.app()
    }

    /// Where the API listens.
    #[must_use]
    pub fn api_address(&self) -> Option<SocketAddr> {
        self.api
    }

    /// Prepares accounts, runs load until its duration has passed or it is asked to stop, and lets
    /// what is in flight come to its end.
    ///
    /// # Errors
    /// The accounts could not be prepared.
    pub async fn run(mut self, stop: &Stop, view: &View) -> Result<Ended, SetupError> {
        loop {
            let app = self.host.app();
            let (mut reset, mut failed, mut grace_ends) = (None, None, None);
            let mut other_chain = None;
            let mut condition = Condition::Stopped;
            let prepared = tokio::select! {
                // Before what fails because of it.
                biased;
                why = chain_is_reset(&app) => { other_chain = Some(why); None }
                () = stop.soon.cancelled() => None,
                Some(asked) = self.resets.recv() => { reset = Some(asked); None }
                prepared = prepare(&app, view) => Some(prepared),
            };
            match prepared {
                Some(Ok(generator)) => {
                    match load(&app, generator, &mut self.resets, stop, view).await {
                        Over::Done { until, condition: how } => {
                            (grace_ends, condition) = (Some(until), how);
                        }
                        Over::Failed { why, until } => {
                            (failed, grace_ends) = (Some(why), Some(until));
                        }
                        Over::Reset(asked) => reset = Some(asked),
                        Over::OtherChain(why) => other_chain = Some(why),
                    }
                }
                Some(Err(error)) => {
                    self.close(Duration::ZERO, stop).await;
                    return Err(error);
                }
                None if reset.is_none() && other_chain.is_none() => {
                    view.say("stopped while accounts were prepared")
                }
                None => {}
            }
            app.phase.send_replace(Phase::Stopping);
            if let Some(why) = other_chain {
                let left = app.tracker.stats().pending;
                let what = format!(
                    "the chain was reset: {why}. {left} transactions of run {} were in flight and \
                     stay open in it",
                    app.tracker.run()
                );
                view.say(&what);
                if app.config.on_reset == OnReset::NewRun {
                    if let Err(error) = self.begin_anew(&app, view).await {
                        self.close(Duration::ZERO, stop).await;
                        return Err(error);
                    }
                    continue;
                }
                let condition = Condition::Stopped;
                let mut ended =
                    self.finish(&app, Duration::ZERO, stop, condition, Some(what)).await;
                ended.reset = true;
                return Ok(ended);
            }
            let Some(asked) = reset else {
                // The generator has waited for its own share of what is in flight already.
                let grace = match grace_ends {
                    Some(until) => until.saturating_duration_since(Instant::now()),
                    None => app.config.shutdown_grace,
                };
                return Ok(self.finish(&app, grace, stop, condition, failed).await);
            };
            match self.renew(&app, view).await {
                // Who asked may have gone.
                Ok(steps) => drop(asked.send(Ok(steps))),
                Err(error) => {
                    drop(asked.send(Err(error.clone())));
                    self.close(Duration::ZERO, stop).await;
                    return Err(error);
                }
            }
        }
    }

    /// Comes to the end of the run; `why` the load could not go on, if it could not, is the first thing
    /// said of it, in its record too.
    async fn finish(
        self,
        app: &App,
        grace: Duration,
        stop: &Stop,
        condition: Condition,
        why: Option<String>,
    ) -> Ended {
        let store = Arc::clone(&self.store);
        self.close(grace, stop).await;
        let size = store.size().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "how large the store is is not known");
            StoreSize::default()
        });
        let stats = app.tracker.stats();
        let parts = app.recorder.parts(app).await;
        let load = whole(&parts);
        let marks = app.recorder.marks();
        let stages = match app.generator() {
            Some(generator) => generator.measures().await,
            None => Vec::new(),
        };
        let findings = app.generator().map(|generator| generator.findings().borrow().clone());
        let findings = findings.unwrap_or_else(|| Arc::from([]));
        let unsent = app.generator().and_then(|generator| {
            unsent::why(
                &load,
                &generator.last_status(),
                &generator.last_diagnoses(),
                app.config.peak_fuzz(),
            )
        });
        let summary = Summary {
            shortfall: app.shortfall.get().cloned(),
            not_kept: unsent.is_none().then(|| load.slots.not_kept()).flatten(),
            fuzz: app.generator().filter(|_| app.config.peak_fuzz() > 0.0 || stats.fuzzed > 0).map(
                |generator| {
                    FuzzSummary::new(&app.tracker.matrix(), &generator.last_status(), &findings)
                },
            ),
            ..Summary::new(&stats, &load, &marks, &app.config.seed, &app.endpoint, size)
        };
        let coverage = app.generator().filter(|_| app.config.coverage);
        let coverage = coverage.map(Generator::last_coverage);
        let mut failures: Vec<_> = why.into_iter().chain(failures(&stats, &marks)).collect();
        failures.extend(unsent);
        failures.extend(findings_told(&findings, &app.config.findings));
        let shadow = app.config.shadow.then(|| app.shadow.view());
        failures.extend(
            shadow.iter().flat_map(|view| view.told()).map(|line| format!("shadow: {line}")),
        );
        let limits = app.limits(true).await;
        let interventions = app.recorder.interventions();
        let unreached = unreached(&parts);
        let summary =
            Summary { limits: limits.clone(), shadow, interventions, unreached, ..summary };
        app.recorder.end(app, condition, &failures).await;
        // Last, so that what the end writes is written.
        if let Err(error) = store.close().await {
            failures.push(error.to_string());
        }
        Ended { summary, failures, reset: false, coverage, stages, limits }
    }

    /// A new run on the chain that the nodes follow now, in the same store.
    async fn begin_anew(&mut self, old: &App, view: &View) -> Result<(), SetupError> {
        old.tracker.shutdown(Duration::ZERO).await;
        old.recorder
            .end(old, Condition::Stopped, &["the nodes came back with another chain".to_owned()])
            .await;
        old.end.cancel();
        let (config, store) = (old.config.clone(), Arc::clone(&self.store));
        let end = self.end.child_token();
        let app = begin(config, self.embedded.as_ref(), store, &self.tasks, end, view).await?;
        view.say(&format!("run {} has begun; accounts are being prepared", app.tracker.run()));
        self.host.replace(app);
        Ok(())
    }

    /// A fresh embedded ledger and a new run on it, in the same store.
    async fn renew(&mut self, old: &App, view: &View) -> Result<Vec<String>, SetupError> {
        let mut steps = Vec::new();
        let mut step = |text: String| {
            view.say(&text);
            steps.push(text);
        };
        let left = old.tracker.shutdown(Duration::ZERO).await;
        old.recorder
            .end(old, Condition::Stopped, &["it ended with a reset of its ledger".to_owned()])
            .await;
        old.end.cancel();
        step(format!("the load has ended, {left} transactions were in flight"));
        if let Some(embedded) = self.embedded.take() {
            embedded.shutdown().await;
            step("the embedded ledger has ended".to_owned());
        }
        let config = old.config.clone();
        let embedded = embedded::start_for_run(&config, view).await?;
        step("a fresh ledger has started".to_owned());
        let store = Arc::clone(&self.store);
        let end = self.end.child_token();
        let app = begin(config, Some(&embedded), store, &self.tasks, end, view).await?;
        self.embedded = Some(embedded);
        step(format!("run {} has begun; accounts are being prepared", app.tracker.run()));
        self.host.replace(app);
        Ok(steps)
    }

    async fn close(self, grace: Duration, stop: &Stop) {
        let app = self.host.app();
        let tracker = &app.tracker;
        let left = tokio::select! {
            left = tracker.shutdown(grace) => left,
            () = stop.enough() => tracker.shutdown(Duration::ZERO).await,
        };
        if left > 0 {
            tracing::warn!(left, "transactions are left without an end");
        }
        self.end.cancel();
        self.tasks.close();
        // Connections that stay open must not hold the end up.
        let patience = match stop.now.is_cancelled() {
            true => Duration::from_millis(200),
            false => Duration::from_secs(2),
        };
        let _ = tokio::time::timeout(patience, self.tasks.wait()).await;
        if let Some(embedded) = self.embedded {
            embedded.shutdown().await;
        }
    }
}

/// Connects, follows the network, and starts what watches it.
async fn begin(
    config: Config,
    embedded: Option<&Embedded>,
    store: Arc<dyn Store>,
    tasks: &TaskTracker,
    end: CancellationToken,
    view: &View,
) -> Result<Arc<App>, SetupError> {
    let endpoints = match embedded {
        Some(embedded) => vec![embedded.endpoint()?],
        None => endpoints(&config.rpc, &config.ws),
    };
    let connector: Arc<dyn Connector> =
        embedded.map_or_else(|| Arc::new(TcpConnector) as _, Embedded::connector);
    let pool = connect(endpoints, connector).await?;
    if config.webhook.is_some()
        && let Some(outbox) = store.outbox()
    {
        // Before the first end.
        outbox.keep();
    }
    let definitions = Known::load(&config, &pool).await;
    if let Some(note) = definitions.note() {
        view.say(&note);
    }
    let tracker_config = TrackerConfig {
        definitions: Arc::clone(&definitions.definitions),
        ..tracker_config(&config)
    };
    let tracker = Tracker::start(pool.clone(), Arc::clone(&store), tracker_config)
        .await
        .map_err(|error| SetupError::new(error.to_string()))?;
    let names: Vec<_> = pool.endpoints().map(|(id, _)| pool.name(id).to_string()).collect();
    let recorder = Recorder::new(&tracker);
    let first = Progress { stage: "starting", done: 0, total: 1 };
    let app = Arc::new(App {
        endpoint: names.join(","),
        pool,
        tracker,
        meter: Meter::default(),
        observer: Observer::default(),
        recorder,
        steering: Steering::default(),
        reads: Reads::default(),
        started: Instant::now(),
        started_at_ms: unix_ms(),
        events: Events::default(),
        readers: Arc::new(Semaphore::new(api::READERS)),
        end: end.clone(),
        idempotency: api::Idempotency::default(),
        dex: Dex::default(),
        heartbeat: Heartbeat::default(),
        shadow: Watched::default(),
        deliveries: Deliveries::default(),
        definitions,
        store: Arc::clone(&store),
        shortfall: OnceLock::new(),
        generator: OnceLock::new(),
        phase: watch::Sender::new(Phase::Preparing(first)),
        config,
    });
    tasks.spawn(app.meter.clone().watch(app.tracker.clone(), end.clone()));
    tasks.spawn(app.observer.clone().watch(
        app.tracker.clone(),
        app.pool.clone(),
        app.meter.clone(),
        end.clone(),
    ));
    tasks.spawn(app.recorder.clone().watch(Arc::clone(&app), end.clone()));
    tasks.spawn(Events::watch(Arc::clone(&app), end.clone()));
    if let Some(url) = app.config.webhook.clone() {
        tasks.spawn(webhook::post(Arc::clone(&app), url, end.clone()));
    }
    if let Some(retention) = app.config.retention {
        tasks.spawn(prune(store, retention, end.clone()));
    }
    if app.config.heartbeat {
        tasks.spawn(Heartbeat::beat(Arc::clone(&app), end.clone()));
    }
    if app.config.shadow
        && let Some((_, node)) = app.pool.endpoints().next()
    {
        tasks.spawn(shadow::beside(Arc::clone(&app), node.rpc.clone(), end));
    }
    Ok(app)
}

/// Waits until the nodes are found to follow another chain; what shows it.
async fn chain_is_reset(app: &App) -> Arc<str> {
    let mut reset = app.tracker.reset();
    let why = reset.wait_for(Option::is_some).await.ok().and_then(|why| why.clone());
    match why {
        Some(why) => why,
        // The tracker is gone, and with it whoever could say so.
        None => std::future::pending().await,
    }
}

/// How often it is looked whether rows may leave the store.
const PRUNE_EVERY: Duration = Duration::from_secs(10);
/// Between two slices of them, so that others get their turn.
const PRUNE_PAUSE: Duration = Duration::from_millis(50);

/// Takes rows out of the store that need not be kept.
async fn prune(store: Arc<dyn Store>, retention: Retention, end: CancellationToken) {
    loop {
        let pause = match store.prune(retention, unix_ms()).await {
            Ok(0) => PRUNE_EVERY,
            Ok(_) => PRUNE_PAUSE,
            Err(error) => {
                tracing::warn!(%error, "rows could not be pruned");
                PRUNE_EVERY
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = end.cancelled() => return,
        }
    }
}

async fn prepare(app: &App, view: &View) -> Result<Generator, SetupError> {
    let App { tracker, pool, config, phase, .. } = app;
    let on_progress = |progress| {
        phase.send_replace(Phase::Preparing(progress));
        view.preparing(progress);
    };
    // The embedded ledger closes as told; how often a node's does, its last ledgers say.
    let interval = match config.rpc.is_empty() {
        true => config.ledger_interval,
        false => capacity::ledger_interval(pool).await.unwrap_or(USUAL_INTERVAL),
    };
    let generator_config = generator_config(config, interval, &app.definitions.definitions)?;
    if let Some(shortfall) = config.capacity(interval).shortfall(config.scenario.peak_tps()) {
        view.say(&format!("{shortfall}; more --accounts or --max-pending carry more"));
        // Only this place sets it, once.
        let _ = app.shortfall.set(shortfall);
    }
    Generator::prepare(tracker.clone(), pool.clone(), generator_config, on_progress)
        .await
        .map_err(|error| SetupError(setup_hint(&error.to_string(), config)))
}

fn listen(address: SocketAddr) -> Result<TcpListener, SetupError> {
    api::listen(address).map_err(|error| {
        SetupError::new(format!(
            "the API cannot listen on {address}: {error}. Give another --api-bind (port 0 takes a \
             free one), or --no-api"
        ))
    })
}

/// Milliseconds since 1970.
#[must_use]
pub fn unix_ms() -> u64 {
    // A clock before 1970 is shown as 1970.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
