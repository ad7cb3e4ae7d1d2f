//! The highest rate that a network holds: tries rates on one run, each for a while, and halves the
//! distance between one that holds and one that does not.
//!
//! | part | what it does |
//! |---|---|
//! | [`search`] | which rate comes next; a pure state machine |
//! | [`mod@judge`] | whether a rate held, from what was seen of it; a pure function |
//! | this file | holds a rate, looks, and lets a network that was pressed too hard come to rest |
//! | [`crate::knee`] | what was found, as the run's record has it |
//!
//! Each rate is two stages of the run, one to settle and one that is measured, so that the run's record
//! and report have them all.

pub mod judge;
pub mod search;

use std::{collections::BTreeMap, convert::Infallible, fmt, time::Duration};

use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use xrpl_client::Pool;
use xrpl_generator::{
    Capacity, Generator, GeneratorError, Pace, Stage, StagePart, Until,
    capacity::{self, USUAL_INTERVAL},
};

use self::{
    judge::{Asked, Look, Seen, judge},
    search::{Next, Search},
};
use crate::{
    config::Config,
    knee::{Knee, RateTried},
    record::{Part, settle},
    scenario::time_text,
    session::{App, Phase},
    words,
};

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);
/// Ledgers that a rate is measured for at the least.
const LEDGERS: u32 = 8;
/// Ledgers that it may settle.
const SETTLE: u32 = 3;
/// How long a network that was pressed too hard may take to come to rest.
const REST: Duration = Duration::from_secs(300);

/// What is searched for.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The first rate, a second.
    pub from: f64,
    /// None above this is tried.
    pub most: f64,
    /// How long each is measured, longer where ledgers are slow.
    pub step: Duration,
    /// How near to the limit it is to be found, as a share.
    pub precision: f64,
    /// When the search ends, found or not.
    pub limit: Duration,
    /// What is asked of the figures besides.
    pub asked: Vec<Asked>,
    /// Types of which each is measured for itself; all as they are mixed if there are none.
    pub each: Vec<String>,
}

impl Plan {
    /// Has a run begin with the first rate, and with accounts enough for the highest one.
    pub fn prepare(&self, config: &mut Config) {
        let first = Stage {
            name: "begin".to_owned(),
            part: StagePart::WarmUp,
            ..Stage::of(Pace::Fixed(self.from))
        };
        config.scenario.stages = vec![first];
        // The search starts it, with the first rate's own stage.
        config.autostart = false;
        if config.accounts.is_none() && config.accounts_file.is_empty() {
            let interval = match config.rpc.is_empty() {
                true => config.ledger_interval,
                false => USUAL_INTERVAL,
            };
            // Where a network does not keep up, more than usual is in flight.
            let places = Capacity::places_for(Pace::Fixed(self.most * 2.0), interval);
            let accounts = Capacity::accounts_for(places.unwrap_or(0.0), config.max_pending);
            config.accounts = Some(accounts);
        }
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// The nodes.
    pub endpoint: String,
    /// Somebody ended the search before it was done, or the run could not go on.
    pub interrupted: bool,
    /// One, or one for each type.
    pub capacity: Vec<Knee>,
}

impl Report {
    /// The run is over: each step's figures are now those of its stage in the run's record.
    pub async fn settle(&mut self, app: &App) {
        let parts = app.recorder.parts(app).await;
        settle(&mut self.capacity, &parts);
    }

    /// Whether everything was found.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.interrupted
            && !self.capacity.is_empty()
            && self.capacity.iter().all(|found| found.holds.is_some() && found.complete)
    }
}

/// Searches on a run that has begun, until it is found, the run can go on no longer, or it is cancelled:
/// then with what was found until then.
///
/// # Errors
/// A rate cannot be set.
pub async fn find(
    app: &App,
    plan: &Plan,
    end: &CancellationToken,
    say: &(dyn Fn(&str) + Sync),
) -> Result<Report, GeneratorError> {
    // Nobody else sets a rate meanwhile.
    app.steering.search_begins();
    let mut report = Report { endpoint: app.endpoint.clone(), ..Report::default() };
    let ends = Instant::now() + plan.limit;
    let ready = tokio::select! {
        generator = app.ready() => generator,
        () = end.cancelled() => None,
        () = tokio::time::sleep_until(ends) => {
            say("the time ran out (--max-minutes) while accounts were prepared");
            app.steering.search_ends();
            return Ok(report);
        }
        never = preparing(app, say) => match never {},
    };
    let Some(generator) = ready else {
        return Ok(Report { interrupted: true, ..report });
    };
    let interval = match app.config.rpc.is_empty() {
        true => app.config.ledger_interval,
        false => capacity::ledger_interval(&app.pool).await.unwrap_or(USUAL_INTERVAL),
    };
    let kinds: Vec<_> = match plan.each.as_slice() {
        [] => vec![None],
        each => each.iter().cloned().map(Some).collect(),
    };
    for of in kinds {
        let probe = Probe { app, generator, plan, of, interval, ends, earlier: &report.capacity };
        let mut tried = Tried::new(plan);
        let searched = tokio::select! {
            searched = probe.search(&mut tried, say) => searched,
            () = end.cancelled() => Err(GeneratorError::Ended),
            // Somebody ended the load, or it could not go on.
            () = generator.is_over() => Err(GeneratorError::Ended),
        };
        let interrupted = match searched {
            Ok(()) => false,
            Err(GeneratorError::Ended) => true,
            Err(error) => return Err(error),
        };
        let found = tried.found(probe.of, interrupted);
        report.capacity.push(found);
        report.interrupted = interrupted;
        app.recorder.found(&report.capacity);
        if interrupted {
            return Ok(report);
        }
    }
    app.steering.search_ends();
    Ok(report)
}

/// Says which accounts are being prepared, step by step.
async fn preparing(app: &App, say: &(dyn Fn(&str) + Sync)) -> Infallible {
    say(&format!(
        "run {} has begun on {}; accounts are being prepared",
        app.tracker.run(),
        app.endpoint
    ));
    let (mut phase, mut said) = (app.phases(), "starting");
    loop {
        if let Phase::Preparing(progress) = *phase.borrow_and_update()
            && progress.stage != said
        {
            said = progress.stage;
            say(&format!("  {said}: {} of them", progress.total));
        }
        if phase.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// A search as far as it got.
struct Tried {
    search: Search,
    steps: Vec<RateTried>,
    found: Option<search::Found>,
}

impl Tried {
    fn new(plan: &Plan) -> Self {
        let search = Search::new(plan.from, plan.most, plan.precision);
        Self { search, steps: Vec::new(), found: None }
    }

    fn found(&self, of: Option<String>, interrupted: bool) -> Knee {
        let best = self.found.unwrap_or_else(|| self.search.so_far());
        let failing = self.steps.iter().rev().find(|step| {
            !step.judgement.holds && best.fails.is_none_or(|fails| step.rate == fails)
        });
        let failing = failing.filter(|_| best.fails.is_some());
        Knee {
            of,
            holds: best.holds,
            fails: best.fails,
            broke: failing.and_then(|step| step.judgement.broke.first().cloned()),
            by_program: failing.is_some_and(|step| step.judgement.by_program),
            complete: self.found.is_some(),
            interrupted,
            steps: self.steps.clone(),
        }
    }
}

struct Probe<'a> {
    app: &'a App,
    generator: &'a Generator,
    plan: &'a Plan,
    of: Option<String>,
    interval: Duration,
    ends: Instant,
    /// What was found of other types.
    earlier: &'a [Knee],
}

impl Probe<'_> {
    async fn search(
        &self,
        tried: &mut Tried,
        say: &(dyn Fn(&str) + Sync),
    ) -> Result<(), GeneratorError> {
        loop {
            let rate = match tried.search.next() {
                Next::Found(found) => {
                    tried.found = Some(found);
                    return Ok(());
                }
                Next::Try(rate) => rate,
            };
            if Instant::now() + self.settling() + self.measuring() > self.ends {
                return Ok(());
            }
            say(&self.announcement(rate, tried.search.left()));
            let step = self.hold(rate).await?;
            say(&step.line(self.of.as_deref()));
            tried.search.tell(rate, step.judgement.holds);
            let held = step.judgement.holds;
            tried.steps.push(step);
            // A run that is killed leaves what was found until then.
            let so_far = tried.found(self.of.clone(), false);
            let all: Vec<_> = self.earlier.iter().cloned().chain([so_far]).collect();
            self.app.recorder.found(&all);
            if !held {
                self.rest(rate).await?;
            }
        }
    }

    /// What is done now, and how long it may take.
    fn announcement(&self, rate: f64, left: Option<u32>) -> String {
        let of = self.of.as_ref().map_or_else(String::new, |of| format!("{of} "));
        let rate = words::number(rate);
        let takes = (self.settling() + self.measuring()).as_secs_f64();
        let more = match left {
            Some(n) if n > 1 => {
                format!(", about {} more rates after it", n - 1)
            }
            Some(_) => ", the last rate".to_owned(),
            None => String::new(),
        };
        let most = self.ends.saturating_duration_since(Instant::now()).as_secs_f64();
        format!(
            "{of}{rate}/s is tried for {}{more}; {} left at most (--max-minutes)",
            time_text(takes),
            time_text(most)
        )
    }

    fn settling(&self) -> Duration {
        (self.interval * SETTLE).max(Duration::from_secs(2))
    }

    fn measuring(&self) -> Duration {
        self.plan.step.max(self.interval * LEDGERS)
    }

    /// A stage at a rate.
    fn stage(&self, rate: f64, part: StagePart) -> Stage {
        let of = self.of.as_ref().map_or_else(String::new, |of| format!("{of} "));
        let what = match part {
            StagePart::WarmUp => ", settling",
            StagePart::Steady => "",
            StagePart::CoolDown => ", coming to rest",
        };
        Stage {
            name: format!("{of}{}/s{what}", words::number(rate)),
            part,
            until: Until::Stopped,
            mix: self.of.as_ref().map(|of| BTreeMap::from([(of.clone(), 1)])),
            ..Stage::of(Pace::Fixed(rate))
        }
    }

    /// Holds a rate, and looks.
    async fn hold(&self, rate: f64) -> Result<RateTried, GeneratorError> {
        self.generator.enter_stage(self.stage(rate, StagePart::WarmUp)).await?;
        if !self.generator.last_status().running {
            self.generator.start().await?;
        }
        sleep(self.settling()).await;
        self.next_ledger().await;
        self.generator.enter_stage(self.stage(rate, StagePart::Steady)).await?;
        let began = Instant::now();
        let mut looks = vec![self.look(began)];
        while began.elapsed() < self.measuring() {
            sleep(LOOK.min(self.measuring().saturating_sub(began.elapsed()))).await;
            looks.push(self.look(began));
        }
        // From ledger to ledger, so that as many are counted as there was time for.
        self.next_ledger().await;
        looks.push(self.look(began));
        let parts = self.app.recorder.parts(self.app).await;
        let stages = self.generator.measures().await;
        let measured =
            parts.into_iter().next_back().map(|part: Part| part.measured).unwrap_or_default();
        let stage = stages.last().ok_or(GeneratorError::Ended)?;
        let seen = Seen {
            rate,
            seconds: stage.time.as_secs_f64(),
            validated: stage.validated_meanwhile,
            measured,
            looks,
        };
        let ends = |read: &dyn Fn(&Look) -> Option<u64>| {
            let mut some = seen.looks.iter().filter_map(read);
            let first = some.next()?;
            Some((first, some.next_back().unwrap_or(first)))
        };
        Ok(RateTried {
            rate,
            judgement: judge(&seen, &self.plan.asked),
            stage: stages.len().saturating_sub(1),
            seconds: (seen.seconds * 10.0).round() / 10.0,
            in_flight: ends(&|look| Some(look.in_flight)).unwrap_or_default(),
            queue: ends(&|look| look.queue),
            figures: crate::record::named(&seen.measured),
        })
    }

    /// Waits for a ledger, some times as long as one takes, and then until what it has is known: half
    /// way to the next one no transaction is counted on the wrong side.
    async fn next_ledger(&self) {
        let mut ledger = self.app.tracker.ledger();
        // Without one it is measured all the same, and told.
        let _ = timeout(self.interval * LEDGERS, ledger.changed()).await;
        sleep(self.interval / 2).await;
    }

    fn look(&self, began: Instant) -> Look {
        let stats = self.app.tracker.stats();
        // The node is asked once a ledger; the newest may not have been answered yet.
        let head = stats.ledger_index.0;
        let fee =
            (head.saturating_sub(3)..=head).rev().find_map(|l| self.app.observer.fee_level(l));
        Look {
            seconds: began.elapsed().as_secs_f64(),
            in_flight: stats.pending,
            queue: fee.and_then(|fee| fee.queue_size),
            lag: lag(&self.app.pool),
        }
    }

    /// Sends nothing until nothing is in flight.
    async fn rest(&self, rate: f64) -> Result<(), GeneratorError> {
        // That time is no part of the rate's own.
        self.generator.enter_stage(self.stage(rate, StagePart::CoolDown)).await?;
        self.generator.stop().await?;
        let left = self.app.tracker.wait_until_idle(REST).await;
        if left > 0 {
            tracing::warn!(
                left,
                "the network has not come to rest; the next rate begins with them"
            );
        }
        Ok(())
    }
}

/// Ledgers between the furthest node and the one furthest behind; none of a single one.
fn lag(pool: &Pool) -> Option<u64> {
    let mut health = pool.health();
    health.retain(|node| !node.passed_over);
    let known: Vec<_> = health.iter().filter_map(|node| node.validated).collect();
    let (first, last) = (known.iter().min()?, known.iter().max()?);
    (known.len() > 1).then(|| u64::from(last.0 - first.0))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.endpoint)?;
        if self.capacity.is_empty() {
            f.write_str("\nno rate was tried to its end")?;
        }
        self.capacity.iter().try_for_each(|found| write!(f, "\n{found}"))
    }
}
