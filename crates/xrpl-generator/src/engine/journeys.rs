//! Carries out journeys: each waits for its own accounts and ledgers, and for nothing that the load does.

use std::{collections::VecDeque, sync::Arc};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use smallvec::SmallVec;
use xrpl_protocol::{Hash256, LedgerIndex, TxHash, hash::sha512_half};
use xrpl_tracker::{CallersKey, Evidence, Outcome, ResultName};

use super::{Engine, Making, Origin, Prepared};
use crate::{
    accounts::{Index, Role},
    error::GeneratorError,
    journey::{self, Journey, JourneyRun, JourneyState, Made, Party, Scene, StepState},
    metadata::Metadata,
    plan::Wait,
    planner::Planner,
};

/// How many journeys run at the same time at most.
const MOST_RUNNING: usize = 16;
/// How many that have ended are remembered.
const REMEMBERED: usize = 50;
/// How many ledgers a step may wait until it can be sent.
const PATIENCE: u32 = 64;
/// The same where it waits for a time that its own terms set, and that ledgers are bound to reach.
const PATIENCE_FOR_TIME: u32 = 4_096;
/// What an account should have to spare for a part in a journey: objects, and drops above their reserve.
const OBJECTS: u32 = 8;
const DROPS: u64 = 20_000_000;

type Cast = SmallVec<[Index; 4]>;

/// A journey that is not over.
#[derive(Debug)]
struct Running {
    run: JourneyRun,
    journey: &'static Journey,
    cast: Cast,
    made: Vec<Made>,
    /// What the load must leave alone meanwhile.
    held: Vec<Hash256>,
    tickets: Vec<(Index, u32)>,
    /// The newest ledger when the step that is next became so.
    since: LedgerIndex,
    /// The newest ledger when its step could not be sent, and why.
    tried: Option<(LedgerIndex, Wait)>,
    /// By what its caller finds it again: the first transaction carries it into the store.
    key: Option<Arc<CallersKey>>,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Journeys {
    started: u64,
    running: Vec<Running>,
    ended: VecDeque<JourneyRun>,
    /// Something has changed since they were last taken.
    changed: bool,
    /// Why no further step is sent.
    closed: Option<&'static str>,
}

impl Engine {
    /// Begins a journey; its first step is sent with [`Engine::next_step`], under the key of whoever
    /// asked for it.
    ///
    /// # Errors
    /// [`GeneratorError::UnknownJourney`]; [`GeneratorError::Journey`] if the network lacks what it needs or
    /// no accounts can take part; [`GeneratorError::Ended`].
    pub fn start_journey(
        &mut self,
        name: &str,
        key: Option<Arc<CallersKey>>,
    ) -> Result<JourneyRun, GeneratorError> {
        let journey = journey::find(name)?;
        let refused = |why: String| GeneratorError::Journey { journey: journey.name, why };
        if self.journeys.closed.is_some() {
            return Err(GeneratorError::Ended);
        }
        if self.journeys.running.len() >= MOST_RUNNING {
            return Err(refused(format!("{MOST_RUNNING} run already: try again later")));
        }
        self.allows(journey).map_err(refused)?;
        let id = self.journeys.started + 1;
        let cast = self.cast(journey, id).map_err(refused)?;
        self.journeys.started = id;
        self.stats.journeys.begun += 1;
        let accounts = &self.world.accounts;
        let addresses = cast.iter().map(|index| accounts[*index].id);
        let run = JourneyRun::new(id, journey, addresses, self.head);
        let mut running = Running {
            run,
            journey,
            made: Vec::new(),
            held: Vec::new(),
            tickets: Vec::new(),
            since: self.head,
            tried: None,
            key,
            cast,
        };
        let parties = journey.parties.iter().zip(&running.cast);
        let reserved = parties.filter_map(|(party, index)| party.reserved(accounts[*index].id));
        running.held.extend(reserved);
        running.held.iter().for_each(|id| self.world.objects.hold(*id));
        running.run.steps[0].state = StepState::Waiting;
        let begun = running.run.clone();
        self.journeys.running.push(running);
        self.journeys.changed = true;
        Ok(begun)
    }

    /// Whether the network has all that a journey needs.
    fn allows(&self, journey: &Journey) -> Result<(), String> {
        for step in journey.steps {
            let off = self.catalogue.disabled().find(|(name, _)| *name == step.transaction_type);
            match off {
                Some((name, Some(why))) => return Err(format!("{name} is off ({why})")),
                Some((name, None)) => return Err(format!("{name} is switched off")),
                None => {}
            }
        }
        match journey.needs.iter().find(|amendment| !self.world.has_amendment(amendment)) {
            Some(amendment) => Err(format!("the network has not enabled {amendment}")),
            None => Ok(()),
        }
    }

    /// Accounts for a journey's parts: such that take part in no other one and have enough, where there are.
    fn cast(&self, journey: &Journey, id: u64) -> Result<Cast, String> {
        let mut cast = Cast::new();
        for party in journey.parties {
            let index = self.choose(party, id, &cast).ok_or_else(|| {
                let role = party.role.name();
                format!("no {role} account of the run is free to be its {}", party.name)
            })?;
            cast.push(index);
        }
        Ok(cast)
    }

    fn choose(&self, party: &Party, id: u64, taken: &[Index]) -> Option<Index> {
        let accounts = &self.world.accounts;
        let mut all: Vec<Index> = match party.role {
            Role::Gateway => accounts.gateways().to_vec(),
            _ => accounts.users().iter().chain(accounts.made()).copied().collect(),
        };
        // Each journey begins its search elsewhere.
        let from = (id as usize).wrapping_mul(7).checked_rem(all.len())?;
        all.rotate_left(from);
        let fits = |index: &Index| !taken.contains(index) && party.can_be(&self.world, *index);
        let plays = |index: Index| self.journeys.running.iter().any(|it| it.cast.contains(&index));
        all.into_iter().filter(fits).min_by_key(|index| {
            let spare = accounts[*index].xrp.spendable_with(&self.fees, OBJECTS);
            (plays(*index), spare < DROPS)
        })
    }

    /// The next step of a journey that can be sent now.
    pub fn next_step(&mut self) -> Option<Prepared> {
        if self.journeys.running.is_empty() {
            return None;
        }
        (0..self.journeys.running.len()).find_map(|at| self.try_step(at))
    }

    fn try_step(&mut self, at: usize) -> Option<Prepared> {
        let running = &self.journeys.running[at];
        let number = running.made.len();
        let step = running.journey.steps.get(number)?;
        // What has not helped in this ledger is not tried in it again.
        let waits = running.tried.is_some_and(|(tried, _)| tried == self.head);
        if running.run.steps[number].state != StepState::Waiting || waits {
            return None;
        }
        let sender = *running
            .journey
            .parties
            .iter()
            .zip(&running.cast)
            .find(|(party, _)| party.name == step.by)
            .map(|(_, index)| index)?;
        if let Err(blocked) = self.world.accounts[sender].lane.may_take(1) {
            let why = format!("a slot of its account: {}", blocked.name());
            self.step_waits(at, why);
            return None;
        }
        self.world.busy = self.node_is_busy();
        let id = running.run.id;
        let salt = [&id.to_le_bytes()[..], &(number as u64).to_le_bytes()[..]].concat();
        let seed = sha512_half(&[b"journey", &self.run.0, &salt]);
        let mut rng = ChaCha8Rng::from_seed(seed.0);
        let planner = Planner { world: &self.world, fees: &self.fees, sender, rng: &mut rng };
        let mut scene = Scene {
            planner,
            // A later process with the same accounts counts from 0 again.
            number: (u64::from(running.run.started_in.0) << 16) | (id & 0xffff),
            journey: running.journey,
            parties: &running.cast,
            made: &running.made,
        };
        let planned = step.plan(&mut scene);
        let of = self.catalogue.find(step.transaction_type).ok();
        let making = Making { of, ..Making::of(Origin::Journey(id)) };
        let sent = match planned {
            Ok(plan) => self
                .assemble(sender, plan, making)
                .map_err(|blocked| format!("a slot of its account: {}", blocked.name())),
            Err(Wait::Never(why)) => {
                self.fail(at, why.to_owned());
                return None;
            }
            Err(wait) => {
                self.journeys.running[at].tried = Some((self.head, wait));
                let why = match wait {
                    Wait::CloseTime(time) => {
                        let left = time.saturating_sub(self.world.close_time);
                        format!("a ledger that closes {left} s after the newest one")
                    }
                    wait => wait.to_string(),
                };
                self.step_waits(at, why);
                return None;
            }
        };
        match sent {
            Ok(mut prepared) => {
                let running = &mut self.journeys.running[at];
                prepared.callers_key = running.key.take();
                let step = &mut running.run.steps[number];
                (step.state, step.waits_for) = (StepState::Sent, None);
                step.tx_hash = Some(prepared.hash);
                self.journeys.changed = true;
                Some(prepared)
            }
            Err(why) => {
                self.journeys.running[at].tried = Some((self.head, Wait::InFlight));
                self.step_waits(at, why);
                None
            }
        }
    }

    fn step_waits(&mut self, at: usize, why: String) {
        let running = &mut self.journeys.running[at];
        let step = &mut running.run.steps[running.made.len()];
        if step.waits_for.as_ref() != Some(&why) {
            step.waits_for = Some(why);
            self.journeys.changed = true;
        }
    }

    /// Ends a journey at the step that is next or in flight.
    fn fail(&mut self, at: usize, why: String) {
        let running = &mut self.journeys.running[at];
        let step = &mut running.run.steps[running.made.len()];
        (step.state, step.waits_for) = (StepState::Failed, None);
        running.run.why = Some(format!("{} ({}): {why}", step.name, step.transaction_type));
        self.end(at, JourneyState::Failed);
    }

    fn end(&mut self, at: usize, state: JourneyState) {
        let Running { mut run, held, tickets, .. } = self.journeys.running.remove(at);
        held.iter().for_each(|id| self.world.objects.release(*id));
        for (owner, number) in tickets {
            self.world.accounts[owner].lane.free_ticket(number);
        }
        (run.state, run.ended_in) = (state, Some(self.newest.max(self.head)));
        match state {
            JourneyState::Done => self.stats.journeys.done += 1,
            JourneyState::Running | JourneyState::Failed => self.stats.journeys.failed += 1,
        }
        self.journeys.ended.push_front(run);
        self.journeys.ended.truncate(REMEMBERED);
        self.journeys.changed = true;
    }

    fn at(&self, id: u64) -> Option<usize> {
        self.journeys.running.iter().position(|running| running.run.id == id)
    }

    /// A step has its final state.
    pub(super) fn step_ended(&mut self, id: u64, outcome: &Outcome) {
        let Some(at) = self.at(id) else { return };
        let running = &mut self.journeys.running[at];
        let step = &mut running.run.steps[running.made.len()];
        step.tx_state = Some(outcome.state);
        step.engine_result.clone_from(&outcome.engine_result);
        step.evidence = Some(outcome.evidence.clone());
        if let Evidence::Validated(place) = &outcome.evidence {
            step.ledger_index = Some(place.ledger_index);
        }
        if !outcome.is_success() {
            let result = outcome.engine_result.as_ref();
            let result = result.map_or_else(|| outcome.evidence.kind(), ResultName::as_str);
            let why = format!("it ended {} with {result}", outcome.state);
            return self.fail(at, why);
        }
        step.state = StepState::Done;
        let metadata = outcome.metadata.as_ref();
        let metadata = metadata.and_then(|raw| Metadata::parse(raw.get()).ok());
        let made = metadata.as_ref().map(Made::of).unwrap_or_default();
        for id in made.ids() {
            self.world.objects.hold(id);
            running.held.push(id);
        }
        if let Some(sender) = self.world.accounts.find(outcome.account) {
            let lane = &mut self.world.accounts[sender].lane;
            made.tickets.iter().for_each(|number| lane.keep_ticket(*number));
            running.tickets.extend(made.tickets.iter().map(|number| (sender, *number)));
        }
        running.made.push(made);
        (running.since, running.tried) = (self.newest.max(self.head), None);
        match (running.run.steps.get_mut(running.made.len()), self.journeys.closed) {
            (None, _) => self.end(at, JourneyState::Done),
            (Some(_), Some(why)) => self.fail(at, why.to_owned()),
            (Some(next), None) => next.state = StepState::Waiting,
        }
        self.journeys.changed = true;
    }

    /// The tracker did not take a step's transaction.
    pub(super) fn step_was_not_taken(&mut self, id: u64) {
        if let Some(at) = self.at(id) {
            self.fail(at, "it was not submitted".to_owned());
        }
    }

    /// The ledger that had a step turned out not to be the network's: what was built on it may be nothing.
    pub(super) fn step_revoked(&mut self, outcome: &Outcome) {
        let why = "the ledger that had it is not the network's any more";
        if let Some(at) = self.journeys.running.iter().position(|it| has(&it.run, outcome.hash)) {
            // The step in flight is not the one that was taken back.
            revoke(&mut self.journeys.running[at].run, outcome, why);
            self.end(at, JourneyState::Failed);
        } else if let Some(run) = self.journeys.ended.iter_mut().find(|it| has(it, outcome.hash)) {
            revoke(run, outcome, why);
            run.state = JourneyState::Failed;
            self.journeys.changed = true;
        }
    }

    /// Ends those whose step has waited too long.
    pub(super) fn journeys_at_ledger(&mut self) {
        for at in (0..self.journeys.running.len()).rev() {
            let running = &self.journeys.running[at];
            let step = &running.run.steps[running.made.len()];
            let patience = match running.tried {
                Some((_, Wait::CloseTime(_))) => PATIENCE_FOR_TIME,
                _ => PATIENCE,
            };
            let waited = self.head.0.saturating_sub(running.since.0);
            if step.state == StepState::Waiting && waited > patience {
                let what = step.waits_for.as_deref().unwrap_or("its turn");
                let why = format!("it waited {waited} ledgers: {what}");
                self.fail(at, why);
            }
        }
    }

    /// Sends no further step: journeys end where they are, and those with a step in flight once that has
    /// its final state.
    pub fn close_journeys(&mut self, why: &'static str) {
        self.journeys.closed = Some(why);
        for at in (0..self.journeys.running.len()).rev() {
            let running = &self.journeys.running[at];
            if running.run.steps[running.made.len()].state == StepState::Waiting {
                self.fail(at, why.to_owned());
            }
        }
    }

    /// All journeys that are remembered, the newest first.
    #[must_use]
    pub fn journeys(&self) -> Vec<JourneyRun> {
        let running = self.journeys.running.iter().map(|running| &running.run);
        let mut all: Vec<_> = running.chain(&self.journeys.ended).cloned().collect();
        all.sort_unstable_by_key(|run| std::cmp::Reverse(run.id));
        all
    }

    /// The same, if something has changed since they were last taken.
    pub fn take_journeys(&mut self) -> Option<Vec<JourneyRun>> {
        std::mem::take(&mut self.journeys.changed).then(|| self.journeys())
    }
}

fn has(run: &JourneyRun, hash: TxHash) -> bool {
    run.steps.iter().any(|step| step.tx_hash == Some(hash))
}

/// Takes back what was said of a step.
fn revoke(run: &mut JourneyRun, outcome: &Outcome, why: &str) {
    for step in run.steps.iter_mut().filter(|step| step.tx_hash == Some(outcome.hash)) {
        step.state = StepState::Failed;
        (step.tx_state, step.ledger_index) = (Some(outcome.state), None);
        let ended = outcome.state.is_terminal();
        step.engine_result = outcome.engine_result.clone().filter(|_| ended);
        step.evidence = ended.then(|| outcome.evidence.clone());
        run.why = Some(format!("{} ({}): {why}", step.name, step.transaction_type));
    }
}
