//! Makes the record of a run while it goes on, and keeps it in the store: every so often, so that a run
//! that is killed leaves one too, and at the end.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use xrpl_client::request::ServerInfo;
use xrpl_generator::Spread;
use xrpl_tracker::{
    Cell, Stats, Tracker,
    store::{SessionId, SessionNote},
};

use crate::{
    counts::{LoadCounts, Marks},
    figures::{Measurements, NodeSide},
    knee::Knee,
    limits::judge,
    record::{
        Condition, Control, Ends, FORMAT, Intervention, Node, Part, Record, RunHead, RunName,
        RunSample, SettingTold, Thinned, named, settle, whole,
    },
    session::{App, Phase, unix_ms},
    settings::commands,
};

/// How often the record is written while the run goes on.
const WRITE_EVERY: Duration = Duration::from_secs(10);
/// How often a sample is taken.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// How long a node may take to say what it is.
const NODE_PATIENCE: Duration = Duration::from_secs(5);

/// What was counted before the load began: it is no part of it.
#[derive(Debug)]
struct Before {
    at: Instant,
    finality_ms: Spread,
    cells: Vec<Cell>,
}

#[derive(Debug, Default)]
struct State {
    /// The run's counters when this process took it up and when the load began.
    marks: Marks,
    /// How what was there before had ended.
    earlier: Vec<Cell>,
    /// Under which the store keeps it.
    id: Option<SessionId>,
    nodes: Vec<Node>,
    before: Option<Before>,
    /// The nodes' own side, stage by stage.
    sides: Vec<NodeSide>,
    /// The newest ledger and when it came.
    ledger: Option<(u32, Instant)>,
    samples: Thinned,
    interventions: Vec<Intervention>,
    capacity: Vec<Knee>,
    /// Counters at the last sample.
    last: Last,
}

#[derive(Debug, Default)]
struct Last {
    seconds: f64,
    submitted: u64,
    validated: u64,
    finality_ms: Spread,
    /// What was seen since.
    queue: Option<u64>,
    open_ledger_fee: Option<u64>,
    ledger_interval_ms: Option<u64>,
}

/// Makes the record of a run.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<State>>);

impl Recorder {
    /// Of a run that this process begins or goes on with.
    #[must_use]
    pub fn new(tracker: &Tracker) -> Self {
        let marks = Marks { start: tracker.stats(), load: None };
        let state = State { marks, earlier: tracker.matrix(), ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Follows a run until cancelled.
    pub async fn watch(self, app: Arc<App>, end: CancellationToken) {
        let both = async {
            self.begin(&app).await;
            tokio::join!(self.follow(&app), self.keep(&app))
        };
        tokio::select! {
            () = end.cancelled() => {}
            _ = both => {}
        }
    }

    /// Takes a place in the store, and asks the nodes what they are.
    async fn begin(&self, app: &App) {
        let Some(sessions) = app.store.sessions() else { return };
        match sessions.begin_session(app.tracker.run(), app.started_at_ms).await {
            Ok(id) => self.0.lock().id = Some(id),
            Err(error) => tracing::warn!(%error, "the run leaves no record"),
        }
        let mut nodes = Vec::new();
        let known: Vec<_> = app.pool.endpoints().map(|(id, _)| id).collect();
        for id in known {
            let request = ServerInfo::default();
            let asked = app.pool.request_to(id, &request);
            // What it does not say now is not known; the run does not depend on it.
            let told = timeout(NODE_PATIENCE, asked).await.ok().and_then(Result::ok);
            let info = told.map(|answer| answer["info"].clone()).unwrap_or_default();
            let text = |key: &str| info[key].as_str().map(str::to_owned);
            nodes.push(Node {
                name: app.pool.name(id).to_string(),
                version: text("build_version"),
                network_id: info["network_id"].as_u64().and_then(|id| u32::try_from(id).ok()),
                state: text("server_state"),
            });
        }
        self.0.lock().nodes = nodes;
        self.write(app, Condition::Running, &[]).await;
    }

    async fn follow(&self, app: &App) {
        let mut ledger = app.tracker.ledger();
        let mut ticks = interval(SAMPLE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.sample(app),
                changed = ledger.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let index = ledger.borrow_and_update().index.0;
                    self.ledger(app, index);
                }
            }
        }
    }

    async fn keep(&self, app: &App) {
        let mut ticks = interval(WRITE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            ticks.tick().await;
            self.write(app, Condition::Running, &[]).await;
        }
    }

    /// The load begins.
    pub fn load_starts(&self, app: &App) {
        let stats = app.tracker.stats();
        let finality_ms = Spread::of(app.tracker.finality_ms());
        let mut state = self.0.lock();
        let (submitted, validated) = totals(&stats);
        state.before = Some(Before {
            at: Instant::now(),
            finality_ms: finality_ms.clone(),
            cells: app.tracker.matrix(),
        });
        app.meter.restart();
        state.last = Last { submitted, validated, finality_ms, ..Last::default() };
        state.ledger = Some((stats.ledger_index.0, Instant::now()));
        state.marks.load = Some(stats);
    }

    /// What was counted before this process, and before the load.
    #[must_use]
    pub fn marks(&self) -> Marks {
        self.0.lock().marks.clone()
    }

    /// What the load came to, where the run's counters are these.
    #[must_use]
    pub fn load(&self, now: &Stats) -> LoadCounts {
        self.0.lock().marks.load(now)
    }

    /// Somebody has changed something of the load: in which stage, what, of which type, and from which
    /// value to which. What changes nothing is not noted.
    pub fn intervened(
        &self,
        stage: String,
        what: Control,
        of: Option<&str>,
        values: Option<(String, String)>,
    ) {
        if values.as_ref().is_some_and(|(from, to)| from == to) {
            return;
        }
        let (from, to) = values.unzip();
        let mut state = self.0.lock();
        let seconds = state.before.as_ref().map_or(0.0, |load| load.at.elapsed().as_secs_f64());
        let of = of.map(str::to_owned);
        state.interventions.push(Intervention { seconds, stage, what, of, from, to });
    }

    /// What somebody changed until now.
    #[must_use]
    pub fn interventions(&self) -> Vec<Intervention> {
        self.0.lock().interventions.clone()
    }

    /// What a search for capacity has found until now.
    pub fn found(&self, capacity: &[Knee]) {
        self.0.lock().capacity = capacity.to_vec();
    }

    /// How long validation took, milliseconds: of the load, and of everything while there is none.
    #[must_use]
    pub fn finality_ms(&self, tracker: &Tracker) -> Spread {
        let all = Spread::of(tracker.finality_ms());
        let state = self.0.lock();
        state.before.as_ref().map_or_else(|| all.clone(), |before| all.minus(&before.finality_ms))
    }

    fn ledger(&self, app: &App, index: u32) {
        let mut state = self.0.lock();
        let now = Instant::now();
        let Some((before, at)) = state.ledger.replace((index, now)) else { return };
        let stage = app.generator().map(|generator| generator.last_status().stage.stage);
        let Some(stages) = stage.map(|stage| stage.max(1)) else { return };
        if app.phase() != Phase::Ready || index <= before {
            return;
        }
        let n = index - before;
        let ms = u64::try_from((now - at).as_millis()).unwrap_or(u64::MAX) / u64::from(n);
        let fee = app.observer.fee_level(before);
        state.sides.resize_with(stages, NodeSide::default);
        if let Some(side) = state.sides.last_mut() {
            side.ledger_interval_ms.record_n(ms, n.into());
            if let Some(fee) = fee {
                side.open_ledger_fee.record(fee.open_ledger_fee);
                if let Some(queue) = fee.queue_size {
                    side.queue.record(queue);
                }
            }
        }
        let last = &mut state.last;
        last.ledger_interval_ms = last.ledger_interval_ms.max(Some(ms));
        last.queue = last.queue.max(fee.and_then(|fee| fee.queue_size));
        last.open_ledger_fee = last.open_ledger_fee.max(fee.map(|fee| fee.open_ledger_fee));
    }

    fn sample(&self, app: &App) {
        let stats = app.tracker.stats();
        let finality_ms = Spread::of(app.tracker.finality_ms());
        let mut state = self.0.lock();
        let (Some(before), Some(at_load)) = (&state.before, &state.marks.load) else { return };
        let seconds = before.at.elapsed().as_secs_f64();
        let (first_submitted, first_validated) = totals(at_load);
        let (submitted, validated) = totals(&stats);
        let now = Last { seconds, submitted, validated, finality_ms, ..Last::default() };
        let last = std::mem::replace(&mut state.last, now);
        let over = seconds - last.seconds;
        if over <= 0.0 {
            return;
        }
        let node = app.observer.node(&app.pool);
        if let (Phase::Ready, Some(side)) = (app.phase(), state.sides.last_mut()) {
            let percent = |factor: f64| (factor * 100.0).round() as u64;
            node.load_factor.into_iter().for_each(|f| side.load_factor_percent.record(percent(f)));
            node.lag_ledgers.into_iter().for_each(|lag| side.lag_ledgers.record(lag.into()));
            node.job_ms.into_iter().for_each(|ms| side.job_ms.record(ms));
        }
        let fresh = state.last.finality_ms.minus(&last.finality_ms);
        let rate = |now: u64, then: u64| now.saturating_sub(then) as f64 / over;
        let sample = RunSample {
            seconds,
            over,
            ledger_index: stats.ledger_index.0,
            submitted: submitted - first_submitted,
            validated: validated.saturating_sub(first_validated),
            pending: stats.pending,
            submitted_per_second: rate(submitted, last.submitted),
            validated_per_second: rate(validated, last.validated),
            finality_ms_p50: fresh.quantile(0.5),
            finality_ms_p99: fresh.quantile(0.99),
            queue: last.queue,
            open_ledger_fee: last.open_ledger_fee,
            ledger_interval_ms: last.ledger_interval_ms,
            load_factor: node.load_factor,
            ..RunSample::default()
        };
        state.samples.push(sample);
    }

    /// What was measured so far, stage by stage.
    pub async fn parts(&self, app: &App) -> Vec<Part> {
        let Some(generator) = app.generator() else { return Vec::new() };
        let stages = generator.measures().await;
        let state = self.0.lock();
        let parts = stages.iter().enumerate().map(|(n, stage)| {
            let began = stage.began.as_secs_f64();
            let sent_until = began + stage.time.as_secs_f64();
            let validated_until = stage.validated_until.map_or(0.0, |at| at.as_secs_f64());
            let measured = Measurements {
                began,
                sent_until,
                validated_until: validated_until.max(sent_until),
                submitted: stage.submitted,
                validated: stage.validated,
                failed: stage.failed.clone(),
                claimed: stage.claimed.clone(),
                submitted_invalid: stage.submitted_invalid,
                validated_meanwhile: stage.validated_meanwhile,
                finality_ms: stage.sent_ms.clone(),
                finality_ledgers: stage.ledgers.clone(),
                scheduled_ms: stage.scheduled_ms.clone(),
                types: stage.by_type.iter().map(|(of, ms)| (of.to_string(), ms.clone())).collect(),
                slots: stage.pacing,
                node: state.sides.get(n).cloned().unwrap_or_default(),
                reads: app.reads.of_stage(n),
            };
            Part { reach: stage.reach, ..Part::new(stage.stage.clone(), stage.part, measured) }
        });
        parts.collect()
    }

    /// The record as of now.
    pub async fn record(&self, app: &App, condition: Condition, failed: &[String]) -> Record {
        let ended = condition != Condition::Running;
        let parts = self.parts(app).await;
        let measured = whole(&parts);
        let stats = app.tracker.stats();
        let reads = app.reads.measured();
        let state = self.0.lock();
        let first_ledger = state.marks.load.as_ref().map_or(stats.ledger_index, |b| b.ledger_index);
        let cells = app.tracker.matrix();
        let before = state.before.as_ref().map_or(&cells, |before| &before.cells);
        let run = state.id.unwrap_or(SessionId { run: app.tracker.run(), session: 1 });
        let figures = named(&measured);
        let mut capacity = state.capacity.clone();
        settle(&mut capacity, &parts);
        Record {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            head: RunHead {
                run: RunName(run).to_string(),
                name: app.config.name.clone(),
                condition,
                began_at_ms: app.started_at_ms,
                noted_at_ms: unix_ms(),
                load_seconds: parts.iter().map(|p| p.measured.sent_until).fold(0.0, f64::max),
                endpoint: app.endpoint.clone(),
                figures,
                failures: failed.len(),
                not_kept: measured.slots.not_kept(),
                changed_by_hand: state.interventions.iter().filter(|i| i.changes_terms()).count(),
            },
            nodes: state.nodes.clone(),
            seed: app.config.seed.clone(),
            settings: settings(app),
            shortfall: app.shortfall.get().cloned(),
            failed: failed.to_vec(),
            interventions: state.interventions.clone(),
            capacity,
            limits: match parts.is_empty() {
                true => Vec::new(),
                false => judge(&app.config.scenario.limits, &measured, &parts, ended),
            },
            ledgers: (first_ledger.0, stats.ledger_index.0),
            by_state: stats.by_state.iter().map(|(s, n)| (s.name().to_owned(), *n)).collect(),
            preparation: ends(before, &state.earlier),
            ends: ends(&cells, before),
            measured,
            read_slots: reads.slots,
            subscriptions: reads.held,
            parts,
            samples: state.samples.all(),
        }
    }

    /// The last word on a run, and whether its load came to its end.
    pub async fn end(&self, app: &App, condition: Condition, failed: &[String]) {
        self.sample(app);
        self.write(app, condition, failed).await;
    }

    async fn write(&self, app: &App, condition: Condition, failed: &[String]) {
        let ended = condition != Condition::Running;
        let id = self.0.lock().id;
        let (Some(sessions), Some(id)) = (app.store.sessions(), id) else { return };
        let record = self.record(app, condition, failed).await;
        let texts = serde_json::to_string(&record.head)
            .and_then(|head| Ok((head, serde_json::to_string(&record)?)));
        let written = match texts {
            Ok((head, text)) => {
                let note = SessionNote { at_ms: record.head.noted_at_ms, ended, head, text };
                sessions.note_session(id, note).await.map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = written {
            tracing::warn!(%error, "the run's record could not be written");
        }
    }

    /// Under which the store keeps this run.
    #[must_use]
    pub fn id(&self) -> Option<SessionId> {
        self.0.lock().id
    }
}

/// Submitted and validated, of all.
fn totals(stats: &Stats) -> (u64, u64) {
    let validated = stats.by_state.get(&xrpl_tracker::State::Validated).copied().unwrap_or(0);
    (stats.total_tracked, validated)
}

/// How transactions ended since those counts.
fn ends(cells: &[Cell], before: &[Cell]) -> Vec<Ends> {
    let mut counts: BTreeMap<_, (u64, u64)> = BTreeMap::new();
    let key = |cell: &Cell| {
        let result = cell.last.as_ref().map(|result| result.as_str().to_owned());
        let name = cell.transaction_type.to_string();
        (name, cell.state.name(), result, cell.intent, cell.superseded)
    };
    cells.iter().for_each(|cell| counts.entry(key(cell)).or_default().0 += cell.count);
    before.iter().for_each(|cell| counts.entry(key(cell)).or_default().1 += cell.count);
    let ends = counts.into_iter().map(|(key, (now, then))| {
        let (transaction_type, state, result, intent, superseded) = key;
        let count = now.saturating_sub(then);
        Ends { transaction_type, state: state.to_owned(), result, intent, superseded, count }
    });
    let mut ends: Vec<_> = ends.filter(|end| end.count > 0).collect();
    ends.sort_by_key(|end| std::cmp::Reverse(end.count));
    ends
}

fn settings(app: &App) -> Vec<SettingTold> {
    let of_runs = app.config.effective().filter(|row| row.setting.commands & commands::RUN != 0);
    of_runs
        .map(|row| SettingTold {
            key: row.setting.key.to_owned(),
            value: row.text(),
            origin: row.origin.to_string(),
            is_default: app.config.is_default(row.setting.key),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use xrpl_tracker::{IntentKind, ResultName, State};

    use super::*;

    fn cell(transaction_type: &str, preliminary: &str, last: &str, count: u64) -> Cell {
        Cell {
            transaction_type: transaction_type.into(),
            preliminary: Some(ResultName::new(preliminary)),
            state: State::Validated,
            last: Some(ResultName::new(last)),
            intent: IntentKind::Valid,
            superseded: false,
            count,
        }
    }

    #[test]
    fn the_preparation_is_no_part_of_the_load() {
        let before = [
            cell("Payment", "tesSUCCESS", "tesSUCCESS", 12),
            cell("TrustSet", "tesSUCCESS", "tesSUCCESS", 20),
        ];
        let now = [
            cell("Payment", "tesSUCCESS", "tesSUCCESS", 100),
            cell("Payment", "terQUEUED", "tesSUCCESS", 7),
            cell("Payment", "tesSUCCESS", "tecPATH_DRY", 3),
            cell("TrustSet", "tesSUCCESS", "tesSUCCESS", 20),
            Cell {
                state: State::Rejected,
                superseded: true,
                ..cell("Payment", "terQUEUED", "terQUEUED", 2)
            },
        ];
        let told: Vec<_> = ends(&now, &before)
            .into_iter()
            .map(|end| (end.transaction_type, end.result.unwrap(), end.count))
            .collect();
        let wanted = [
            ("Payment", "tesSUCCESS", 95),
            ("Payment", "tecPATH_DRY", 3),
            ("Payment", "terQUEUED", 2),
        ];
        assert!(ends(&now, &before)[2].superseded, "which is no failure");
        assert_eq!(told, wanted.map(|(t, r, n)| (t.to_owned(), r.to_owned(), n)));
        assert_eq!(ends(&[], &now), []);
    }
}
