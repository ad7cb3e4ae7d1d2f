//! The load of a run, from its first stage to its end.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use xrpl_generator::{Generator, GeneratorError, findings::Finding};
use xrpl_tracker::Error as TrackerError;

use super::{App, Phase, Stop, chain_is_reset};
use crate::{
    findings_file::FindingsFile,
    host::Reset,
    limits::{LimitVerdict, Watch},
    reads::Reads,
    record::{Condition, Control, whole},
    view::View,
};

/// How often it is looked whether a limit is broken.
const LOOK: Duration = Duration::from_secs(1);

/// How the load came to its end.
pub(super) enum Over {
    /// What is in flight may come to its end until then.
    Done {
        until: Instant,
        condition: Condition,
    },
    /// It could not go on.
    Failed {
        why: String,
        until: Instant,
    },
    Reset(Reset),
    /// The nodes follow another chain now, and what shows it.
    OtherChain(Arc<str>),
}

/// Runs the load to its end: its last stage, or what ends it before.
pub(super) async fn load(
    app: &Arc<App>,
    generator: Generator,
    resets: &mut mpsc::Receiver<Reset>,
    stop: &Stop,
    view: &View,
) -> Over {
    app.recorder.load_starts(app);
    // Only this place sets it, once.
    let generator = app.generator.get_or_init(|| generator).clone();
    app.phase.send_replace(Phase::Ready);
    let cancel = CancellationToken::new();
    let mut running = tokio::spawn({
        let (generator, cancel) = (generator.clone(), cancel.clone());
        async move { generator.run(cancel).await }
    });
    let started = Instant::now();
    let stopping = || {
        let pending = app.tracker.stats().pending;
        view.stopping(pending, pending);
        pending
    };
    // What has no end of its own is never cut short, unless stages were to come.
    let cut_short = || {
        let stage = generator.last_status().stage.clone();
        let open = app.config.scenario.has_end() || stage.stage < stage.stages;
        match open || app.steering.is_searching() {
            true => {
                app.intervened(Control::EndLoad, None, None);
                Condition::Stopped
            }
            false => Condition::Ended,
        }
    };
    let mut condition = Condition::Ended;
    // Those in flight when the load ended.
    let mut in_flight = None;
    let grace = app.config.shutdown_grace;
    let mut until = None;
    let mut intervals = tokio::time::interval(view.every());
    intervals.reset();
    let mut findings = generator.findings();
    let mut file = FindingsFile::new(&app.config.findings);
    let over = generator.is_over();
    tokio::pin!(over);
    let reading = CancellationToken::new();
    // However the load ends, the reads end with it.
    let _reads_end = reading.clone().drop_guard();
    tokio::spawn(Reads::drive(Arc::clone(app), reading.clone()));
    let broken = limit_broken(app);
    tokio::pin!(broken);
    loop {
        let ending = until.is_some();
        tokio::select! {
            // Its last stage is over, or it cannot go on, which is told at once by how it ended.
            () = &mut over, if !ending => {
                if generator.last_status().stage.cut_short || app.steering.is_searching() {
                    condition = Condition::Stopped;
                }
                reading.cancel();
                until = Some(Instant::now() + grace);
                in_flight = Some(stopping());
                app.phase.send_replace(Phase::Stopping);
            }
            verdict = &mut broken, if !ending => {
                condition = Condition::Stopped;
                view.say(&format!("the load ends before its time, for a limit is broken: {verdict}"));
                cancel.cancel();
                reading.cancel();
                until = Some(Instant::now() + grace);
                in_flight = Some(stopping());
                app.phase.send_replace(Phase::Stopping);
            }
            () = stop.soon.cancelled(), if !ending => {
                condition = cut_short();
                cancel.cancel();
                reading.cancel();
                until = Some(Instant::now() + grace);
                in_flight = Some(stopping());
                app.phase.send_replace(Phase::Stopping);
                view.say("stopping: waiting for transactions in flight (once more to leave them)");
            }
            () = stop.enough(), if ending => {
                running.abort();
                // What it has measured is noted as it goes.
                let _ = running.await;
                keep(&mut file, &findings.borrow_and_update().clone(), view);
                return Over::Done { until: Instant::now(), condition };
            }
            why = chain_is_reset(app) => {
                running.abort();
                // Its end does not matter: nothing more of it is sent.
                let _ = running.await;
                return Over::OtherChain(why);
            }
            Some(reset) = resets.recv(), if !ending => {
                running.abort();
                // Its end does not matter: nothing of it is kept.
                let _ = running.await;
                return Over::Reset(reset);
            }
            ended = &mut running => {
                // What was found last has not been written yet.
                keep(&mut file, &findings.borrow_and_update().clone(), view);
                // Without having been told to end it has waited for what is in flight.
                let until = until.unwrap_or_else(Instant::now);
                let why = match ended {
                    Ok(Ok(_)) => return Over::Done { until, condition },
                    Ok(Err(GeneratorError::Tracker(error @ TrackerError::Store(_)))) => format!(
                        "the load stopped, for what is not in the store is not sent: {error}. Make \
                         it writable (free space, permissions) and start again: what was in flight \
                         is taken up"
                    ),
                    Ok(Err(error)) => format!("the load stopped: {error}"),
                    Err(error) => {
                        let why = format!("the load stopped: {error}");
                        view.say(&why);
                        return Over::Failed { why, until: Instant::now() + grace };
                    }
                };
                view.say(&why);
                return Over::Failed { why, until };
            }
            Ok(()) = findings.changed() => {
                keep(&mut file, &findings.borrow_and_update().clone(), view);
            }
            _ = intervals.tick() => match in_flight {
                Some(of) => view.stopping(app.tracker.stats().pending, of),
                None => view.interval(&app.snapshot(Some(started))),
            },
        }
    }
}

/// Writes what is new of the findings, or says why it cannot be.
fn keep(file: &mut FindingsFile, found: &[Arc<Finding>], view: &View) {
    if let Some(error) = file.write(found) {
        let path = file.path().display();
        view.say(&format!("findings cannot be written to {path}: {error}"));
    }
}

/// Waits until a limit that ends the load has been broken for its grace.
async fn limit_broken(app: &App) -> LimitVerdict {
    let limits = &app.config.scenario.limits;
    if !limits.iter().any(|limit| limit.abort) {
        return std::future::pending().await;
    }
    let began = Instant::now();
    let mut watch = Watch::default();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let parts = app.recorder.parts(app).await;
        let overdue = watch.look(limits, &whole(&parts), &parts, began.elapsed());
        if let Some(verdict) = overdue {
            return verdict;
        }
    }
}
