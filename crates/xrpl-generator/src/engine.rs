//! The generator without input and output: plans, builds and signs transactions, and takes in what
//! became of them. One owner calls it; nothing in it waits.

mod flight;
mod replace;
mod settle;

use std::collections::VecDeque;

use bytes::Bytes;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use xrpl_protocol::{
    Hash256, LedgerIndex, Sequence, TxHash, hash::sha512_half, transaction::Common,
};

use flight::{Answers, Effects, Flying};
pub use flight::{Done, Origin, Prepared};

use crate::{
    accounts::{Index, Role},
    catalogue::{Catalogue, Draft, Entry, EntryId, NotNow, Tx, below, no_op},
    config::GeneratorConfig,
    error::GeneratorError,
    fees::Fees,
    intent::{self, Taint},
    lane::{Answer, Blocked, MOST_RIVALS, Rival},
    objects::{Stake, World},
    pacing::Cause,
    pressure::Pressure,
    stats::Stats,
};

/// How many types are drawn for one plan before the account goes on to its next plan.
const DRAWS: usize = 8;
/// How many plans in turn are passed over before the account waits for the next ledger.
const PLANS: usize = 4;

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
    last_ledger_offset: u32,
    network_id: Option<u32>,
    max_pending: usize,
    intent_invalid: f64,
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
}

impl Engine {
    /// An engine without accounts.
    ///
    /// # Errors
    /// When a weight names an unknown type.
    pub fn new(config: &GeneratorConfig) -> Result<Self, GeneratorError> {
        Ok(Self {
            world: World::default(),
            fees: Fees::new(config.fee_strategy, config.max_fee_drops.0),
            catalogue: Catalogue::new(&config.weights)?,
            run: sha512_half(&[b"xrpl-workload plans", config.seed.as_bytes()]),
            head: LedgerIndex(0),
            last_ledger_offset: config.last_ledger_offset,
            // Networks up to 1024 refuse the field.
            network_id: config.network_id.filter(|id| *id > 1024),
            max_pending: config.max_pending_per_account,
            intent_invalid: config.intent_invalid,
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
        })
    }

    /// The newest validated ledger.
    pub fn set_head(&mut self, index: LedgerIndex) {
        if index > self.head {
            self.head = index;
            self.pressure.ledger();
            self.find_waiting();
        }
    }

    /// The newest validated ledger that it was told of.
    #[must_use]
    pub fn head(&self) -> LedgerIndex {
        self.head
    }

    /// How long the node's queue is, and how many transactions it expects in a ledger. Load waits
    /// while the queue needs a good part of a transaction's life to empty.
    pub fn set_queue(&mut self, length: u64, per_ledger: u64) {
        let ledgers = u64::from(self.last_ledger_offset / 4).max(1);
        self.queue_full = length > per_ledger.saturating_mul(ledgers);
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

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats { in_flight: self.flying.len(), ..self.stats.clone() }
    }

    /// Forgets the counters: the preparation is over.
    pub fn reset_stats(&mut self) {
        self.stats = Stats::default();
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
        if account.lane.in_flight() == 0 {
            // Nothing is on its way: what there is, is all there is.
            account.planned_tickets = account.lane.free_tickets() as u32;
        }
        if account.lane.hole() {
            self.holes.push_back(index);
        } else if account.lane.needs_reread() {
            self.doubtful.push(index);
        } else if !account.listed
            && matches!(account.role, Role::User | Role::Gateway)
            && account.lane.may_take(1).is_ok()
        {
            account.listed = true;
            self.ready.push_back(index);
        }
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
        if self.queue_full || !self.pressure.may_send() {
            return Err(Cause::NodeQueue);
        }
        while let Some(index) = self.ready.pop_front() {
            self.world.accounts[index].listed = false;
            for _ in 0..PLANS {
                match self.plan(index) {
                    Ok(Some(prepared)) => {
                        self.pressure.sent();
                        return Ok(prepared);
                    }
                    Ok(None) => self.world.accounts[index].plans += 1,
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

    /// The account's next plan; none if no type fits it.
    fn plan(&mut self, index: Index) -> Result<Option<Prepared>, Blocked> {
        let account = &self.world.accounts[index];
        let number = account.plans;
        account.lane.may_take(1)?;
        let mut seed = self.run.0;
        let salt = account.id.0.into_iter().chain(number.to_le_bytes());
        seed.iter_mut().zip(salt).for_each(|(byte, salt)| *byte ^= salt);
        let mut rng = ChaCha8Rng::from_seed(seed);
        // Drawn before the type, so that a changed share leaves the valid ones as they were.
        let invalid =
            (below(&mut rng, 1 << 32) as f64) < self.intent_invalid / 100.0 * 2f64.powi(32);
        let mut draft = Draft {
            world: &self.world,
            fees: &self.fees,
            catalogue: &self.catalogue,
            sender: index,
            rng: &mut rng,
        };
        let Some((entry, mut tx)) = draw(&mut draft)? else { return Ok(None) };
        let taint = if invalid { intent::spoil(&mut draft, entry, &mut tx) } else { None };
        let prepared =
            self.assemble(index, tx, Some(entry), taint, Origin::Load, Some(number as u32))?;
        self.world.accounts[index].plans += 1;
        self.touch(index);
        Ok(Some(prepared))
    }

    /// The next no-op that fills a hole, if there is one.
    pub fn next_filler(&mut self) -> Option<Prepared> {
        while let Some(index) = self.holes.pop_front() {
            if self.world.accounts[index].lane.hole()
                && let Ok(filler) = self.assemble(index, no_op(), None, None, Origin::Filler, None)
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
    pub fn ask(&mut self, id: Option<EntryId>) -> Result<Prepared, GeneratorError> {
        let count = self.world.accounts.len();
        let mut why = "every account has as many in flight as allowed";
        for n in 0..count {
            let index = ((self.asked as usize + n) % count) as Index;
            let account = &self.world.accounts[index];
            let sends = matches!(account.role, Role::User | Role::Gateway);
            if !account.active || !sends || account.lane.may_take(1).is_err() {
                continue;
            }
            let mut rng =
                ChaCha8Rng::from_seed(sha512_half(&[&self.run.0, &self.asked.to_le_bytes()]).0);
            let mut draft = Draft {
                world: &self.world,
                fees: &self.fees,
                catalogue: &self.catalogue,
                sender: index,
                rng: &mut rng,
            };
            let built = match id {
                None => draw(&mut draft).ok().flatten(),
                Some(id) => {
                    let entry = self.catalogue.entry(id);
                    if !entry.roles.contains(&account.role) {
                        continue;
                    }
                    match (entry.build)(&mut draft) {
                        Ok(tx) => Some((entry, tx)),
                        Err(NotNow::Unable(reason)) => {
                            why = reason;
                            None
                        }
                        Err(NotNow::Later) => None,
                    }
                }
            };
            let Some((entry, tx)) = built else { continue };
            let origin = Origin::Asked(self.asked);
            if let Ok(prepared) = self.assemble(index, tx, Some(entry), None, origin, None) {
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
    pub fn send(
        &mut self,
        index: Index,
        tx: Tx,
        effects: Option<Effects>,
        asked: bool,
    ) -> Result<Prepared, Blocked> {
        let origin = if asked { Origin::Asked(self.asked) } else { Origin::Setup };
        let mut prepared = self.assemble(index, tx, None, None, origin, None)?;
        if let Some(flying) = self.flying.get_mut(&prepared.hash) {
            flying.effects = effects;
            prepared.want_metadata = effects.is_some();
        }
        self.asked += u64::from(asked);
        Ok(prepared)
    }

    fn assemble(
        &mut self,
        index: Index,
        tx: Tx,
        entry: Option<&'static Entry>,
        taint: Option<&'static Taint>,
        origin: Origin,
        source_tag: Option<u32>,
    ) -> Result<Prepared, Blocked> {
        let account = &mut self.world.accounts[index];
        // A transaction that is to be refused moves nothing, one that is to claim moves by one.
        let width = if taint.is_some() { 1 } else { tx.width };
        // What is sent on a slot that is not the lane's uses none of the lane's.
        let slot = match tx.slot {
            None if tx.on_ticket => account.lane.take_ticket()?,
            None => account.lane.take(width)?,
            Some(other) => account.lane.may_take(width).map(|()| other)?,
        };
        let tickets = match taint {
            _ if tx.on_ticket => -i32::from(taint.is_none_or(Taint::claims)),
            None => tx.width as i32 - 1,
            Some(_) => 0,
        };
        account.planned_tickets = account.planned_tickets.saturating_add_signed(tickets);
        let fee = self.fees.fee(tx.fee);
        let stake = match taint {
            Some(taint) => intent::stake(taint, fee.0),
            None => {
                Stake { fee: fee.0, xrp: tx.xrp, to: tx.to, owners: tx.owners, issued: tx.issued }
            }
        };
        let common = Common {
            account: account.id,
            slot,
            fee,
            flags: tx.flags,
            last_ledger: Some(self.head.plus(self.last_ledger_offset)),
            network_id: self.network_id,
            // Keeps two refused transactions on one slot from being the same bytes.
            source_tag,
        };
        let signer = tx.signer.unwrap_or(index);
        let signed = tx.body.sign(&common, &self.world.accounts[signer].key);
        self.world.reserve(index, &stake);
        let carried = tx.carries.or(entry);
        let effects = carried.and_then(|entry| entry.effects);
        let sender = index;
        let blob = Bytes::from(signed.blob);
        self.flying.insert(
            signed.hash,
            Flying {
                sender,
                slot,
                rival: 0,
                width,
                stake,
                entry,
                carried,
                effects,
                taint,
                origin,
                tickets,
                answer: None,
                made_at: self.head,
                blob: blob.clone(),
                fills: false,
                rivals: SmallVec::new(),
            },
        );
        self.answers.add(None);
        Ok(Prepared {
            hash: signed.hash,
            blob,
            sender: index,
            name: entry.map_or("AccountSet", |entry| entry.name),
            origin,
            taint,
            want_metadata: effects.is_some() && taint.is_none(),
            callers_key: None,
        })
    }

    /// What the node answered to a transaction, first or to a later attempt: the newest counts.
    pub fn answered(&mut self, hash: TxHash, answer: Answer) {
        let Some(flying) = self.flying.get_mut(&hash) else { return };
        let sender = flying.sender;
        let first = flying.answer.is_none();
        self.answers.remove(flying.answer);
        flying.answer = Some(answer);
        self.answers.add(flying.answer);
        if first {
            self.stats.submitted(flying);
        }
        match answer {
            Answer::Retrying => self.pressure.note(true),
            Answer::Applied | Answer::Claimed | Answer::Queued => self.pressure.note(false),
            Answer::Unknown | Answer::Refused | Answer::Past | Answer::Ended => {}
        }
        // What is to be refused will not move the Sequence, though a node may queue it first.
        let refused = flying.taint.is_some_and(|taint| !taint.claims()) && answer != Answer::Ended;
        let answer = if refused { Answer::Refused } else { answer };
        self.world.accounts[sender].lane.answered(flying.slot, flying.rival, answer);
        self.touch(sender);
    }
}

/// Draws types until one can be built; none if none of them can.
fn draw(draft: &mut Draft<'_>) -> Result<Option<(&'static Entry, Tx)>, Blocked> {
    let role = draft.me().role;
    for _ in 0..DRAWS {
        let Some(entry) = draft.catalogue.draw(draft.rng, role, |_| true) else { return Ok(None) };
        match (entry.build)(draft) {
            Ok(tx) => return Ok(Some((entry, tx))),
            Err(NotNow::Later) if draft.me().lane.in_flight() > 0 => return Err(Blocked::NoTicket),
            Err(_) => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
