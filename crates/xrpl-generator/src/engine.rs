//! The generator without input and output: plans, builds and signs transactions, and takes in what
//! became of them. One owner calls it; nothing in it waits.

mod assemble;
mod band;
mod flight;
mod forms;
mod journeys;
mod planning;
mod replace;
mod settle;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use rustc_hash::{FxHashMap, FxHashSet};
use xrpl_protocol::{Definitions, Hash256, LedgerIndex, Sequence, TxHash, hash::sha512_half};

use assemble::Making;
use band::{Band, Fuzzed};
use flight::{Answers, Flying};
pub use flight::{Done, Origin, Prepared};
use forms::Forms;
use journeys::Journeys;

use crate::{
    accounts::{Index, Role},
    catalogue::{Catalogue, TypeId},
    config::GeneratorConfig,
    coverage::{Coverage, Covered, coverage},
    diagnosis::{Notes, TypeDiagnosis, diagnose},
    error::GeneratorError,
    fees::Fees,
    lane::{Answer, Blocked, MOST_RIVALS, Rival},
    measure::Measures,
    metadata::Metadata,
    modifier::Shares,
    pacing::Cause,
    plan::{Plan, Wait},
    pressure::Pressure,
    stats::Stats,
    world::World,
};

/// How many plans in turn are passed over before the account waits for the next event.
const PLANS: usize = 24;
/// The longest that a transaction is thought to take, seconds.
const LONGEST_HORIZON: u32 = 150;

/// See the [module](self).
#[derive(Debug)]
pub struct Engine {
    /// Everything that exists.
    pub world: World,
    /// Fees and reserves.
    pub fees: Fees,
    /// The types.
    pub catalogue: Catalogue,
    run: Hash256,
    head: LedgerIndex,
    /// The newest ledger of which something is known here: an end may be reported before its ledger is the
    /// head, or without the head ever being reported, while streams are cut.
    newest: LedgerIndex,
    last_ledger_offset: u32,
    network_id: Option<u32>,
    max_pending: usize,
    intent_invalid: f64,
    /// How many percent are sent in which way.
    shares: Shares,
    /// Whether what was not covered yet goes first.
    steered: bool,
    /// Why types wait.
    notes: Notes,
    covered: Covered,
    /// The ledger and its time from which the time of a ledger is reckoned.
    reckoned_from: Option<(LedgerIndex, u32)>,
    /// Accounts whose lane has room, in the order they got it.
    ready: VecDeque<Index>,
    holes: VecDeque<Index>,
    doubtful: Vec<Index>,
    flying: FxHashMap<TxHash, Flying>,
    answers: Answers,
    /// The node's queue is so long that what joins it now may expire in it.
    queue_full: bool,
    /// How much the node refuses for now.
    pressure: Pressure,
    /// How many may follow a transaction on its slot.
    max_replacements: Rival,
    /// Those that waited long when the newest ledger came.
    waiting: Vec<TxHash>,
    asked: u64,
    stats: Stats,
    /// The same and more by stage.
    pub(crate) measures: Measures,
    /// Whether the load waits while the node's queue is long.
    minds_queue: bool,
    /// What is drawn at random.
    band: Band,
    /// Journeys that were asked for.
    journeys: Journeys,
    /// What the node says of types and fields, and what of it types are to be given.
    definitions: Arc<Definitions>,
    forms: Forms,
}

impl Engine {
    /// An engine without accounts.
    ///
    /// # Errors
    /// When a weight or a share names what there is not.
    pub fn new(config: &GeneratorConfig) -> Result<Self, GeneratorError> {
        let mut catalogue = Catalogue::new(&config.weights)?;
        let (forms, off) = Forms::new(&config.definitions);
        off.iter().for_each(|(name, why)| catalogue.unfit(name, why));
        Ok(Self {
            world: World::default(),
            fees: Fees::new(config.fee_strategy, config.max_fee_drops.0),
            catalogue,
            run: sha512_half(&[b"xrpl-workload plans", config.seed.as_bytes()]),
            head: LedgerIndex(0),
            newest: LedgerIndex(0),
            last_ledger_offset: config.last_ledger_offset,
            // Networks up to 1024 refuse the field.
            network_id: config.network_id.filter(|id| *id > 1024),
            max_pending: config.max_pending_per_account,
            intent_invalid: config.intent_invalid,
            shares: Shares::new(&config.modifiers)?,
            steered: config.steer_coverage,
            notes: Notes::default(),
            covered: Covered::default(),
            reckoned_from: None,
            ready: VecDeque::new(),
            holes: VecDeque::new(),
            doubtful: Vec::new(),
            flying: FxHashMap::default(),
            answers: Answers::default(),
            queue_full: false,
            pressure: Pressure::default(),
            max_replacements: config.max_replacements.min(MOST_RIVALS),
            waiting: Vec::new(),
            asked: 0,
            stats: Stats::default(),
            measures: Measures::default(),
            minds_queue: true,
            band: Band::new(config)?,
            journeys: Journeys::default(),
            definitions: Arc::clone(&config.definitions),
            forms,
        })
    }

    /// The newest validated ledger.
    pub fn set_head(&mut self, index: LedgerIndex) {
        if index > self.head {
            self.head = index;
            self.world.head = index;
            self.pressure.ledger();
            self.find_waiting();
            self.journeys_at_ledger();
        }
    }

    /// When the newest validated ledger closed, seconds since 2000-01-01 00:00 UTC: what waits for a
    /// time is tried again.
    pub fn set_close_time(&mut self, close_time: u32) {
        let world = &mut self.world;
        world.close_time = world.close_time.max(close_time);
        let (from, then) = *self.reckoned_from.get_or_insert((self.head, close_time));
        let (ledgers, seconds) =
            (self.head.0.saturating_sub(from.0), close_time.saturating_sub(then));
        // Until some have closed they are taken for as slow as the main network's.
        let life = match ledgers {
            0..4 => self.last_ledger_offset.saturating_mul(4),
            _ => self.last_ledger_offset.saturating_mul(seconds) / ledgers,
        };
        if ledgers > 64 {
            self.reckoned_from = Some((self.head, close_time));
        } else {
            // Close times are rounded to ten seconds and more.
            world.horizon = (life + life / 2 + 20).min(LONGEST_HORIZON);
        }
        for account in world.accounts.iter_mut() {
            account.awake = true;
        }
    }

    /// The newest validated ledger that it knows of.
    #[must_use]
    pub fn head(&self) -> LedgerIndex {
        self.head
    }

    /// From which ledger on an account's Sequence is the truth, if nothing of it is in flight: in an older
    /// one transactions are missing whose ends are known.
    #[must_use]
    pub fn reads_from(&self) -> LedgerIndex {
        self.newest.max(self.head)
    }

    /// How long the node's queue is, and how many transactions it expects in a ledger. Load waits
    /// while the queue needs a good part of a transaction's life to empty.
    pub fn set_queue(&mut self, length: u64, per_ledger: u64) {
        let ledgers = u64::from(self.last_ledger_offset / 4).max(1);
        self.queue_full = length > per_ledger.saturating_mul(ledgers);
    }

    /// Whether the load waits while the node's queue is long, or is to fill it.
    pub fn set_minds_queue(&mut self, minds: bool) {
        self.minds_queue = minds;
    }

    /// Whether the node's load matters now: it queues, refuses for now, or holds the load up.
    #[must_use]
    pub fn node_is_busy(&self) -> bool {
        self.queue_full || self.answers.queued + self.answers.retrying > 0
    }

    /// The network's id, put in where it is above 1024.
    pub fn set_network_id(&mut self, id: Option<u32>) {
        self.network_id = id.filter(|id| *id > 1024);
    }

    /// How many of each account may be in flight.
    #[must_use]
    pub fn max_pending(&self) -> usize {
        self.max_pending
    }

    /// Changes how many of each account may be in flight.
    pub fn set_max_pending(&mut self, max_pending: usize) {
        self.max_pending = max_pending;
        for account in self.world.accounts.iter_mut() {
            account.lane.set_max_pending(max_pending);
        }
        self.list_all();
    }

    /// Percentage of deliberately invalid transactions.
    #[must_use]
    pub fn intent_invalid(&self) -> f64 {
        self.intent_invalid
    }

    /// Changes the percentage of deliberately invalid transactions.
    pub fn set_intent_invalid(&mut self, percent: f64) {
        self.intent_invalid = percent;
    }

    /// Changes how many percent are sent in which way.
    pub fn set_shares(&mut self, shares: Shares) {
        self.shares = shares;
    }

    /// One of the load was sent so long after it was due.
    pub(crate) fn sent(&mut self, hash: TxHash, late: Duration) {
        // What is drawn at random is counted apart.
        let Some(flying) = self.flying.get_mut(&hash).filter(|flying| flying.fuzz.is_none()) else {
            return;
        };
        flying.late = late;
        self.measures.sent(flying.mutation.is_some());
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let fuzz = self.band.told(&self.stats.fuzz);
        Stats { in_flight: self.flying.len(), fuzz, ..self.stats.clone() }
    }

    /// Forgets the counters: the preparation is over.
    pub fn reset_stats(&mut self) {
        self.stats = Stats::default();
    }

    /// The bytes of one in flight.
    #[must_use]
    pub fn blob_of(&self, hash: TxHash) -> Option<Bytes> {
        self.flying.get(&hash).map(|flying| flying.blob.clone())
    }

    /// What the network has: types that need an amendment that is not among these are not drawn, and those
    /// whose own is not are not fuzzed either.
    pub fn set_amendments(&mut self, enabled: FxHashSet<Hash256>) {
        self.world.amendments = Some(enabled);
        let world = &self.world;
        self.catalogue.set_amendments(|name| world.has_amendment(name));
        for of in self.catalogue.types() {
            let lacked = of.about().amendment.filter(|amendment| !world.has_amendment(amendment));
            if let Some(amendment) = lacked {
                let why = format!("the network has not enabled {amendment}");
                self.band.types.lacks(of.about().name, &why);
            }
        }
    }

    /// How many are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.flying.len()
    }

    /// How many accounts could send now.
    #[must_use]
    pub fn free_accounts(&self) -> usize {
        self.ready.len()
    }

    /// Puts every account that can send into the list.
    pub fn list_all(&mut self) {
        for index in 0..self.world.accounts.len() {
            self.touch(index as Index);
        }
    }

    /// Looks at a lane after something happened to it.
    fn touch(&mut self, index: Index) {
        let account = &mut self.world.accounts[index];
        if !account.active {
            return;
        }
        if account.lane.hole() {
            self.holes.push_back(index);
        } else if account.lane.needs_reread() {
            self.doubtful.push(index);
        } else if !account.listed && account.lane.may_take(1).is_ok() {
            match account.role {
                Role::Fuzzer => self.band.line_up(index),
                role if role.sends() => self.ready.push_back(index),
                _ => return,
            }
            account.listed = true;
        }
    }

    /// Something of an account has changed: what waits may be possible now.
    fn wake(&mut self, index: Index) {
        self.world.accounts[index].awake = true;
        self.touch(index);
        self.band_look(index);
    }

    /// Takes in what a validated transaction did that was not made here.
    pub fn learn(&mut self, metadata: &Metadata, ledger: LedgerIndex) {
        self.newest = self.newest.max(ledger);
        for index in self.world.learn(metadata, ledger) {
            self.wake(index);
        }
    }

    /// Why each type runs or does not.
    #[must_use]
    pub fn diagnoses(&self) -> Vec<TypeDiagnosis> {
        let waiting = |id: TypeId| {
            let accounts = self.world.accounts.iter();
            accounts.filter(|account| account.owed.iter().any(|(_, of)| *of == id)).count()
        };
        let accounts = || self.world.accounts.iter().filter(|account| account.active);
        let sender = |roles: &[Role]| accounts().any(|account| roles.contains(&account.role));
        diagnose(&self.catalogue, &self.notes, waiting, sender)
    }

    /// What was sent in which way, and with which result.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        coverage(&self.covered, &self.catalogue, self.intent_invalid > 0.0)
    }

    /// Accounts whose Sequence must be read from a validated ledger, each once.
    pub fn take_doubtful(&mut self) -> Vec<Index> {
        let mut doubtful = std::mem::take(&mut self.doubtful);
        doubtful.sort_unstable();
        doubtful.dedup();
        doubtful
    }

    /// The validated Sequence that was read; none if it could not be, so that it is tried again.
    pub fn reread(&mut self, index: Index, sequence: Option<Sequence>) {
        if let Some(sequence) = sequence {
            self.stats.rereads += 1;
            self.world.accounts[index].lane.reread(sequence);
        }
        self.touch(index);
    }

    /// The next transaction of the load.
    ///
    /// # Errors
    /// What holds it up: nothing but the world's events changes it.
    pub fn next_load(&mut self) -> Result<Prepared, Cause> {
        if self.answers.retrying == 0 {
            self.pressure.relieve();
        }
        if (self.queue_full && self.minds_queue) || !self.pressure.may_send() {
            return Err(Cause::NodeQueue);
        }
        self.world.busy = self.node_is_busy();
        if let Some(prepared) = self.next_of_band() {
            self.band.count(true);
            return Ok(prepared);
        }
        if self.band.is_all() {
            return Err(Cause::LanesEmpty);
        }
        while let Some(index) = self.ready.pop_front() {
            self.world.accounts[index].listed = false;
            for _ in 0..PLANS {
                match self.plan(index) {
                    Ok(Some(prepared)) => {
                        self.pressure.sent();
                        self.band.count(false);
                        return Ok(prepared);
                    }
                    Ok(None) => {}
                    // It goes on with the next event of its account.
                    Err(_) => break,
                }
            }
        }
        let Answers { on_the_wire, queued, retrying, .. } = self.answers;
        Err(if queued + retrying > 0 {
            Cause::NodeQueue
        } else if on_the_wire * 2 > self.flying.len() {
            Cause::Endpoint
        } else {
            Cause::LanesEmpty
        })
    }

    /// The next no-op that fills a hole, if there is one.
    pub fn next_filler(&mut self) -> Option<Prepared> {
        while let Some(index) = self.holes.pop_front() {
            if self.world.accounts[index].lane.hole()
                && let Ok(filler) = self.assemble(index, Plan::no_op(), Making::of(Origin::Filler))
            {
                self.stats.holes_filled += 1;
                return Some(filler);
            }
        }
        None
    }

    /// A transaction of a given type (any if none), from whichever account can send it.
    ///
    /// # Errors
    /// [`GeneratorError::Busy`].
    pub fn ask(&mut self, id: Option<TypeId>) -> Result<Prepared, GeneratorError> {
        let count = self.world.accounts.len();
        let mut why = "every account has as many in flight as allowed";
        for n in 0..count {
            let index = ((self.asked as usize + n) % count) as Index;
            let account = &self.world.accounts[index];
            if !self.world.sends(index) || account.lane.may_take(1).is_err() {
                continue;
            }
            if id.is_some_and(|id| !self.catalogue.may_send(account.role, id)) {
                continue;
            }
            let seed = sha512_half(&[&self.run.0, &self.asked.to_le_bytes()]);
            let (of, plan) = match self.plain(index, seed, id) {
                Ok(planned) => planned,
                Err(Some(Wait::InFlight) | None) => continue,
                Err(Some(wait)) => {
                    why = match wait {
                        Wait::First(_) => {
                            "another type must come first, which /state/diagnostics names"
                        }
                        Wait::Object(_) => "there is no object that it could use",
                        wait => wait.reason(),
                    };
                    continue;
                }
            };
            let making = Making { of: Some(of), ..Making::of(Origin::Asked(self.asked)) };
            if let Ok(prepared) = self.assemble(index, plan, making) {
                self.asked += 1;
                return Ok(prepared);
            }
        }
        Err(GeneratorError::Busy(why))
    }

    /// A given transaction of a given account.
    ///
    /// # Errors
    /// Why its lane has no slot.
    pub fn send(&mut self, index: Index, plan: Plan, asked: bool) -> Result<Prepared, Blocked> {
        let origin = if asked { Origin::Asked(self.asked) } else { Origin::Setup };
        let prepared = self.assemble(index, plan, Making::of(origin))?;
        self.asked += u64::from(asked);
        Ok(prepared)
    }

    /// What the node answered to a transaction, first or to a later attempt: the newest counts.
    pub fn answered(&mut self, hash: TxHash, answer: Answer) {
        let Some(flying) = self.flying.get_mut(&hash) else { return };
        let sender = flying.sender;
        let (fuzz, before) = (flying.fuzz, flying.answer);
        flying.answer = Some(answer);
        // What is to be refused will not move the Sequence, though a node may queue it first; how far
        // a Batch moves it shows only its ledger, and what becomes of what is drawn at random nobody
        // knows. Nothing is put behind any of them.
        let refused = flying.mutation.is_some_and(|mutation| !mutation.claims());
        let open = (refused || flying.unsure || fuzz.is_some()) && answer != Answer::Ended;
        let (slot, rival, apart) = (flying.slot, flying.rival, flying.is_apart());
        let answers = self.answers_of(fuzz);
        answers.remove(before);
        answers.add(Some(answer));
        if before.is_none()
            && let Some(flying) = self.flying.get(&hash)
        {
            let name = self.name_of(flying.of);
            self.stats.submitted(flying, name);
        }
        match answer {
            _ if fuzz.is_some() => {}
            Answer::Retrying => self.pressure.note(true),
            Answer::Applied | Answer::Claimed | Answer::Queued => self.pressure.note(false),
            Answer::Unknown | Answer::Refused | Answer::Past | Answer::Ended => {}
        }
        if !apart {
            let answer = if open { Answer::Refused } else { answer };
            self.world.accounts[sender].lane.answered(slot, rival, answer);
        }
        self.touch(sender);
    }

    /// Those in flight by their answers: the band says nothing of how busy the node is.
    fn answers_of(&mut self, fuzz: Option<Fuzzed>) -> &mut Answers {
        if fuzz.is_some() { &mut self.band.answers } else { &mut self.answers }
    }
}

#[cfg(test)]
mod tests;
