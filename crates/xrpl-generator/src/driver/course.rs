//! From stage to stage: each begins with a schedule and a mix of its own, and what is measured is
//! measured for it.

use std::{sync::Arc, time::SystemTime};

use super::Driver;
use crate::{
    config::GeneratorConfig,
    engine::Engine,
    error::GeneratorError,
    measure::Measure,
    modifier::Shares,
    pacing::{Pace, PacingStats, Schedule},
    stage::{Span, Stage, StageProgress},
};

/// Has what a stage sends drawn from now on.
fn mix(engine: &mut Engine, stage: &Stage, config: &GeneratorConfig) -> Result<(), GeneratorError> {
    let mut modifiers = config.modifiers.clone();
    modifiers.extend(stage.modifiers.iter().map(|(name, share)| (name.clone(), *share)));
    engine.set_shares(Shares::new(&modifiers)?);
    match &stage.mix {
        Some(mix) => engine.catalogue.set_mix(mix, Some(0)),
        None => engine.catalogue.set_mix(&config.weights, None),
    }
}

impl Driver {
    /// The first stage begins.
    pub(super) fn begin_course(&mut self) {
        self.course.begin(self.now(), self.engine.head());
        self.enter();
    }

    /// Ends stages whose time has come and begins those that follow.
    pub(super) fn follow_course(&mut self) {
        while let Some(span) = self.course.advance(self.now(), self.engine.head()) {
            self.leave(span);
            self.enter();
        }
    }

    /// No stage any more: the load is over.
    pub(super) fn end_course(&mut self) {
        if let Some(span) = self.course.finish(self.now()) {
            self.leave(span);
        }
        self.running = false;
        // Who waits for the end learns of it at once.
        self.publish();
    }

    /// The stage of the moment begins.
    fn enter(&mut self) {
        let Some(stage) = self.course.stage() else { return };
        let config = &self.config;
        if let Err(error) = mix(&mut self.engine, stage, config) {
            // What the configuration's check let through can be mixed.
            tracing::error!(stage = stage.name, %error, "it is sent as the stage before it");
        }
        self.engine.set_intent_invalid(stage.intent_invalid.unwrap_or(config.intent_invalid));
        let fuzz = stage.fuzz.unwrap_or(config.fuzz.percent);
        self.journeys.set_rate(stage.journeys.unwrap_or(config.journeys_per_minute));
        self.engine.set_minds_queue(!matches!(stage.pace, Pace::QueueDepth(_)));
        let (late, give_up) = (config.late_after, config.give_up_after);
        self.schedule = Schedule::new(stage.pace, self.course.began(), late, give_up);
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let at_ms = since.as_millis() as u64;
        self.engine.measures.begin(stage, self.course.began(), at_ms);
        self.draw_share(fuzz);
        if matches!(self.schedule.pace(), Pace::QueueDepth(_)) {
            // How long the queue is now must be known first.
            self.fee_asked = None;
            self.ask_fee();
        }
        // Its mix may have what the accounts can do now.
        self.engine.list_all();
        self.publish();
    }

    /// A stage has ended.
    fn leave(&mut self, Span { from, to }: Span) {
        if self.running {
            self.schedule.close(to);
        }
        self.engine.measures.goes_on(to.saturating_sub(from), &self.schedule, true);
    }

    /// Ends the stage early.
    pub(super) fn skip_stage(&mut self) -> Result<StageProgress, GeneratorError> {
        if let Some(span) = self.course.skip(self.now(), self.engine.head()) {
            self.leave(span);
            self.enter();
        }
        Ok(self.stage_progress())
    }

    /// Ends the stage of the moment and begins this one.
    pub(super) fn enter_stage(&mut self, stage: Stage) -> Result<StageProgress, GeneratorError> {
        stage.check()?;
        if self.course.is_over() {
            return Err(GeneratorError::Ended);
        }
        self.course.insert(stage);
        self.skip_stage()
    }

    /// Ends the load.
    pub(super) fn finish(&mut self) -> Result<StageProgress, GeneratorError> {
        if let Some(span) = self.course.finish(self.now()) {
            self.leave(span);
        }
        Ok(self.stage_progress())
    }

    pub(super) fn stage_progress(&self) -> StageProgress {
        let now = self.now();
        let mut progress = self.course.progress(now, self.engine.head());
        // Where the pace was changed by hand, that is the one that holds.
        if self.course.stage().is_some_and(|stage| stage.pace != self.schedule.pace())
            && !self.engine.measures.is_empty()
        {
            progress.pace = self.schedule.pace().to_string();
            progress.target_tps = self.schedule.pace().is_timed().then(|| self.schedule.tps(now));
        }
        progress
    }

    /// What became of all stages' slots.
    pub(super) fn pacing(&self) -> PacingStats {
        let mut all = PacingStats::default();
        let earlier = self.engine.measures.all();
        earlier.iter().filter(|stage| stage.ended).for_each(|stage| all.merge(&stage.pacing));
        if !self.course.is_over() {
            all.merge(&self.schedule.stats());
        }
        all
    }

    /// What was measured so far.
    pub(crate) fn measures(&mut self) -> Vec<Arc<Measure>> {
        if !self.course.is_over() {
            let time = self.now().saturating_sub(self.course.began());
            self.engine.measures.goes_on(time, &self.schedule, false);
        }
        self.engine.measures.all()
    }
}
