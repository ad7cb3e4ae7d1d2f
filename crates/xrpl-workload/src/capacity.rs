//! The highest rate that a network holds: tries rates on one run, each for a while, and halves the
//! distance between one that holds and one that does not.
//!
//! | part | what it does |
//! |---|---|
//! | [`search`] | which rate comes next; a pure state machine |
//! | [`mod@judge`] | whether a rate held, from what was seen of it; a pure function |
//! | this file | holds a rate, looks, and lets a network that was pressed too hard come to rest |
//!
//! Each rate is two stages of the run, one to settle and one that is measured, so that the run's record
//! and report have them all.

pub mod judge;
pub mod search;

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};
use xrpl_client::Pool;
use xrpl_generator::{
    Capacity, Generator, GeneratorError, Pace, Stage, StagePart, Until,
    capacity::{self, USUAL_INTERVAL},
};

use self::{
    judge::{Asked, Judgement, Look, Seen, judge},
    search::{Next, Search},
};
use crate::{
    config::Config,
    record::Part,
    session::App,
    words::{self, Table},
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

/// One rate and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// What was asked for, a second.
    pub rate: f64,
    /// Whether it held.
    #[serde(flatten)]
    pub judgement: Judgement,
    /// How long it was measured, seconds.
    pub seconds: f64,
    /// Validated a second in that time.
    pub validated_per_second: f64,
    /// In flight at its beginning and at its end.
    pub in_flight: (u64, u64),
    /// The node's queue at its beginning and at its end, where it tells.
    pub queue: Option<(u64, u64)>,
    /// Figures of what was sent in that time.
    pub figures: BTreeMap<String, f64>,
}

/// What was found of one mix or type.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// The type; none for the mix of the run.
    pub of: Option<String>,
    /// The highest rate that held, a second; none if none did.
    pub holds: Option<f64>,
    /// The lowest that did not; none if all did, up to the most that was to be tried.
    pub fails: Option<f64>,
    /// What broke first at that one.
    pub broke: Option<String>,
    /// It was this program, and not the network, that could not send more.
    pub by_program: bool,
    /// The search came to its end.
    pub complete: bool,
    /// Every rate that was tried, in order.
    pub steps: Vec<Step>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The nodes.
    pub endpoint: String,
    /// One, or one for each type.
    pub capacity: Vec<Found>,
}

/// Searches on a run that has begun.
///
/// # Errors
/// The run ends before.
pub async fn find(
    app: &App,
    plan: &Plan,
    say: &(dyn Fn(&str) + Sync),
) -> Result<Report, GeneratorError> {
    let generator = app.ready().await.ok_or(GeneratorError::Ended)?;
    let interval = match app.config.rpc.is_empty() {
        true => app.config.ledger_interval,
        false => capacity::ledger_interval(&app.pool).await.unwrap_or(USUAL_INTERVAL),
    };
    let ends = Instant::now() + plan.limit;
    let kinds: Vec<_> = match plan.each.as_slice() {
        [] => vec![None],
        each => each.iter().cloned().map(Some).collect(),
    };
    let mut capacity = Vec::new();
    for of in kinds {
        let probe = Probe { app, generator, plan, of, interval, ends };
        capacity.push(probe.search(say).await?);
    }
    Ok(Report { endpoint: app.endpoint.clone(), capacity })
}

struct Probe<'a> {
    app: &'a App,
    generator: &'a Generator,
    plan: &'a Plan,
    of: Option<String>,
    interval: Duration,
    ends: Instant,
}

impl Probe<'_> {
    async fn search(&self, say: &(dyn Fn(&str) + Sync)) -> Result<Found, GeneratorError> {
        let mut search = Search::new(self.plan.from, self.plan.most, self.plan.precision);
        let mut steps: Vec<Step> = Vec::new();
        let found = loop {
            let rate = match search.next() {
                Next::Found(found) => break Some(found),
                Next::Try(rate) => rate,
            };
            if Instant::now() + self.settling() + self.measuring() > self.ends {
                break None;
            }
            let step = self.hold(rate).await?;
            say(&step.line(self.of.as_deref()));
            search.tell(rate, step.judgement.holds);
            let held = step.judgement.holds;
            steps.push(step);
            if !held {
                self.rest().await?;
            }
        };
        let best = found.unwrap_or_else(|| search.so_far());
        let failing = steps.iter().rev().find(|step| {
            !step.judgement.holds && best.fails.is_none_or(|fails| step.rate == fails)
        });
        let failing = failing.filter(|_| best.fails.is_some());
        Ok(Found {
            of: self.of.clone(),
            holds: best.holds,
            fails: best.fails,
            broke: failing.and_then(|step| step.judgement.broke.first().cloned()),
            by_program: failing.is_some_and(|step| step.judgement.by_program),
            complete: found.is_some(),
            steps,
        })
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
        let what = if part == StagePart::Steady { "" } else { ", settling" };
        Stage {
            name: format!("{of}{}/s{what}", words::number(rate)),
            part,
            until: Until::Stopped,
            mix: self.of.as_ref().map(|of| BTreeMap::from([(of.clone(), 1)])),
            ..Stage::of(Pace::Fixed(rate))
        }
    }

    /// Holds a rate, and looks.
    async fn hold(&self, rate: f64) -> Result<Step, GeneratorError> {
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
        Ok(Step {
            rate,
            judgement: judge(&seen, &self.plan.asked),
            seconds: (seen.seconds * 10.0).round() / 10.0,
            validated_per_second: (seen.validated as f64 / seen.seconds.max(0.001) * 10.0).round()
                / 10.0,
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
    async fn rest(&self) -> Result<(), GeneratorError> {
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
    let known: Vec<_> = pool.health().iter().filter_map(|node| node.validated).collect();
    let (first, last) = (known.iter().min()?, known.iter().max()?);
    (known.len() > 1).then(|| u64::from(last.0 - first.0))
}

impl Step {
    fn line(&self, of: Option<&str>) -> String {
        let of = of.map_or_else(String::new, |of| format!("{of} "));
        let rate = words::number(self.rate);
        match self.judgement.broke.as_slice() {
            [] => format!(
                "{of}{rate}/s holds: {}/s validated",
                words::number(self.validated_per_second)
            ),
            broke => format!("{of}{rate}/s does not hold: {}", broke.join("; ")),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = self.of.as_ref().map_or_else(|| "the mix".to_owned(), Clone::clone);
        match self.holds {
            Some(holds) => {
                write!(f, "capacity of {of}: {} transactions a second", words::number(holds))?
            }
            None => write!(f, "capacity of {of}: no rate that was tried held")?,
        }
        match (self.fails, &self.broke) {
            (Some(fails), Some(broke)) => {
                write!(f, "; at {} {broke}", words::number(fails))?;
            }
            (None, _) if self.complete => f.write_str("; no higher rate was to be tried (--to)")?,
            _ => {}
        }
        if self.by_program {
            f.write_str(
                "\n  this program could not send more: the network may hold more than that",
            )?;
        }
        if !self.complete {
            f.write_str(
                "\n  the time ran out (--max-minutes): it lies between what held and what did not",
            )?;
        }
        let columns = ["rate", "validated/s", "p50", "p99", "in flight", "queue", ""];
        let mut table = Table::new(&columns, &[0, 1, 2, 3, 4, 5]);
        for step in &self.steps {
            let ms = |name: &str| {
                let value = step.figures.get(name);
                value.map_or_else(|| "-".to_owned(), |ms| words::figure(*ms, "ms"))
            };
            let number = |n: u64| words::number(n as f64);
            table.row([
                words::number(step.rate),
                words::number(step.validated_per_second),
                ms("finality_ms_p50"),
                ms("finality_ms_p99"),
                format!("{} -> {}", number(step.in_flight.0), number(step.in_flight.1)),
                step.queue
                    .map_or_else(|| "-".into(), |(a, b)| format!("{} -> {}", number(a), number(b))),
                match step.judgement.holds {
                    true => "holds".to_owned(),
                    false => step.judgement.broke.join("; "),
                },
            ]);
        }
        let table = table.to_string();
        table.lines().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.endpoint)?;
        self.capacity.iter().try_for_each(|found| write!(f, "\n{found}"))
    }
}
