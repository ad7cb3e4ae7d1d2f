//! Journeys beside the load: begun on request or every so often, their steps before the schedule's.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::Driver;
use crate::{
    command::Key,
    error::GeneratorError,
    journey::{JOURNEYS, JourneyRun},
};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Journeys {
    to: watch::Sender<Arc<[JourneyRun]>>,
    /// Between two that begin of their own accord; none if none does.
    every: Option<Duration>,
    /// When the next one does.
    due: Duration,
    /// Which one that is.
    next: usize,
}

impl Default for Journeys {
    fn default() -> Self {
        Self { to: watch::Sender::new(Arc::from([])), every: None, due: Duration::ZERO, next: 0 }
    }
}

impl Journeys {
    /// From now on so many begin in a minute of load.
    pub(super) fn set_rate(&mut self, per_minute: f64) {
        let every = (per_minute > 0.0).then(|| Duration::from_secs_f64(60.0 / per_minute));
        if self.every != every {
            // What was due at the former rate says nothing of this one.
            (self.every, self.due) = (every, Duration::ZERO);
        }
    }
}

impl Driver {
    /// The journeys of the run, the newest first, now and when they change.
    pub(crate) fn journeys(&self) -> watch::Receiver<Arc<[JourneyRun]>> {
        self.journeys.to.subscribe()
    }

    pub(super) fn start_journey(
        &mut self,
        name: &str,
        key: Key,
    ) -> Result<JourneyRun, GeneratorError> {
        let run = self.engine.start_journey(name, key)?;
        self.send_steps();
        // Its first step may be on its way already.
        let known = self.journeys.to.borrow().iter().find(|it| it.id == run.id).cloned();
        Ok(known.unwrap_or(run))
    }

    /// Sends the steps that can be sent, and publishes what has changed.
    pub(super) fn send_steps(&mut self) {
        self.begin_due();
        while !self.idle.is_empty()
            && let Some(step) = self.engine.next_step()
        {
            self.dispatch(step);
        }
        self.publish_journeys();
    }

    /// Publishes how journeys stand, if that has changed.
    pub(super) fn publish_journeys(&mut self) {
        if let Some(runs) = self.engine.take_journeys() {
            self.journeys.to.send_replace(runs.into());
        }
    }

    /// Begins the next one in turn, where some begin of their own accord. One that cannot be is passed over.
    fn begin_due(&mut self) {
        let Some(every) = self.journeys.every.filter(|_| self.running) else { return };
        let now = self.now();
        if now < self.journeys.due {
            return;
        }
        self.journeys.due = now + every;
        for _ in 0..JOURNEYS.len() {
            let journey = JOURNEYS[self.journeys.next % JOURNEYS.len()];
            self.journeys.next += 1;
            if self.engine.start_journey(journey.name, None).is_ok() {
                return;
            }
        }
    }
}
