//! The fuzz band within the engine: when its turn is, who sends, what becomes of its accounts.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;
use xrpl_protocol::{
    Definitions, LedgerIndex, Object, fields,
    hash::{sha512_half, transaction_hash},
    sign::verify_as,
    transaction::{Common, Slot},
};
use xrpl_tracker::{Intent, Outcome, State};

use super::{
    Engine,
    assemble::Making,
    flight::{Answers, Flying, Origin, Prepared},
};
use crate::{
    accounts::{Account, Index, Role},
    config::GeneratorConfig,
    error::GeneratorError,
    fees::FeeClass,
    fuzz::{
        FuzzStats, Mangling,
        draw::Draw,
        mangle::mangle,
        types::{FuzzType, Types},
    },
    plan::{Authorization, Place, Plan},
    planner::{Planner, below},
    signing::signed,
    world::Holds,
};

/// How many ledgers one of the band may be in at most: what is refused and held by a node, and whose
/// slot no no-op can take, is over then.
const LIFE: u32 = 8;
/// Of a hundred of the band, so many are mangled.
const MANGLED: u64 = 15;
/// Of a hundred drawn ones, so many are sent with `fail_hard`: their refusal is an end, and no `tec` is
/// applied.
const FAIL_HARD: u64 = 40;
/// Refusals in a row that say that an account may not sign any more.
const STRIKES: u8 = 3;
/// What of those refusals there is.
const NO_KEY: &[&str] = &[
    "tefMASTER_DISABLED",
    "tefBAD_AUTH",
    "tefBAD_AUTH_MASTER",
    "tefBAD_SIGNATURE",
    "terNO_ACCOUNT",
    "terINSUF_FEE_B",
];
const LSF_DISABLE_MASTER: u32 = 0x0010_0000;
/// An account that has fewer of these above its reserve is poor.
const POOR: u64 = 200;

/// What of the band a transaction is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fuzzed {
    /// Its type; none for what is mangled, and for what keeps the band's lanes going.
    pub(super) of: Option<FuzzType>,
    /// Whether the node is to keep it only if it applies at once.
    pub(super) fail_hard: bool,
    /// Its slot is none of the lane's.
    pub(super) apart: bool,
}

impl Fuzzed {
    /// What keeps the band's lanes going: no-ops, and funds on their way home.
    pub(super) const OTHER: Self = Self { of: None, fail_hard: false, apart: false };
}

/// The band.
#[derive(Debug, Default)]
pub(super) struct Band {
    percent: f64,
    pub(super) types: Types,
    /// How many accounts there are to be: none before anything is drawn.
    wanted: usize,
    /// How many there are to be once something is.
    size: usize,
    /// Those whose turn it is.
    ready: VecDeque<Index>,
    live: FxHashSet<Index>,
    strikes: FxHashMap<Index, u8>,
    /// The number of the next account.
    next_number: u32,
    /// Transactions of the load, the band's included, and how many of these were the band's.
    all: u64,
    ours: u64,
    pub(super) answers: Answers,
}

impl Band {
    pub(super) fn new(config: &GeneratorConfig) -> Result<Self, GeneratorError> {
        let fuzz = &config.fuzz;
        let types = Types::new(&config.definitions, &fuzz.types)?;
        let size = fuzz.accounts.max(2);
        let wanted = if config.fuzzes() { size } else { 0 };
        Ok(Self { percent: fuzz.percent, types, wanted, size, ..Self::default() })
    }

    fn set_share(&mut self, percent: f64, accounts: usize) {
        if percent != self.percent {
            // What another share has missed is not made up for.
            (self.percent, self.all, self.ours) = (percent, 0, 0);
        }
        if percent > 0.0 {
            self.wanted = self.wanted.max(self.size).max(accounts);
        }
    }

    /// Whether the next transaction is to be one of the band's.
    fn is_due(&self) -> bool {
        (self.ours as f64) < (self.all + 1) as f64 * self.percent / 100.0
    }

    /// A transaction of the load was made.
    pub(super) fn count(&mut self, ours: bool) {
        /// What the band has missed beyond that is not made up for.
        const BEHIND: f64 = 50.0;
        self.all += 1;
        self.ours += u64::from(ours);
        let due = self.all as f64 * self.percent / 100.0;
        if due - self.ours as f64 > BEHIND {
            self.ours = (due - BEHIND) as u64;
        }
    }

    /// The counters, with what only the band itself knows.
    pub(super) fn told(&self, stats: &FuzzStats) -> FuzzStats {
        FuzzStats { accounts: self.live.len(), off: self.types.off(), ..stats.clone() }
    }

    /// Whether there is nothing but the band.
    pub(super) fn is_all(&self) -> bool {
        self.percent >= 100.0
    }

    pub(super) fn line_up(&mut self, index: Index) {
        self.ready.push_back(index);
    }
}

impl Engine {
    /// Percentage of the load that is generated at random.
    #[must_use]
    pub fn fuzz_percent(&self) -> f64 {
        self.band.percent
    }

    /// Changes it; so many accounts are needed for it at least.
    pub fn set_fuzz_share(&mut self, percent: f64, accounts: usize) {
        self.band.set_share(percent, accounts);
    }

    /// How many accounts the band lacks, of those that it is to have.
    #[must_use]
    pub fn band_lacks(&self) -> usize {
        self.band.wanted.saturating_sub(self.band.live.len())
    }

    /// One more account for the band, which is in no ledger yet.
    pub fn band_recruit(&mut self, config: &GeneratorConfig) -> Index {
        loop {
            let n = self.band.next_number;
            self.band.next_number += 1;
            let account = Account::fuzzer(&config.seed, n, config.key_type);
            if self.world.accounts.find(account.id).is_none() {
                return self.world.accounts.add(account);
            }
        }
    }

    /// An account of the band is there, as a validated ledger has it; whether it can be used.
    pub fn band_joins(&mut self, index: Index) -> bool {
        if self.is_lost(index) {
            return false;
        }
        self.band.live.insert(index);
        self.touch(index);
        true
    }

    /// Whether an account can send no more, or hardly anything.
    fn is_lost(&self, index: Index) -> bool {
        let account = &self.world.accounts[index];
        let struck = self.band.strikes.get(&index).is_some_and(|n| *n >= STRIKES);
        let poor = account.xrp.balance
            < self.fees.reserve(account.xrp.owners) + POOR * self.fees.figures().base;
        !account.active || account.flags & LSF_DISABLE_MASTER != 0 || struck || poor
    }

    /// What the node answered to bytes that are not tracked.
    pub fn untracked(&mut self, mangling: Mangling, answer: &str) {
        let answers = self.stats.fuzz.untracked.entry(mangling.name()).or_default();
        *answers.entry(answer.to_owned()).or_default() += 1;
    }

    /// The next one of the band, if it is its turn and one of its accounts is free.
    pub(super) fn next_of_band(&mut self) -> Option<Prepared> {
        if !self.band.is_due() {
            return None;
        }
        while let Some(index) = self.band.ready.pop_front() {
            self.world.accounts[index].listed = false;
            let free = self.world.accounts[index].lane.may_take(1).is_ok();
            if !free || !self.band.live.contains(&index) {
                continue;
            }
            if let Some(prepared) = self.draw_for_band(index) {
                self.world.accounts[index].plans += 1;
                self.touch(index);
                return Some(prepared);
            }
        }
        None
    }

    fn draw_for_band(&mut self, index: Index) -> Option<Prepared> {
        let account = &self.world.accounts[index];
        let number = account.plans;
        let seed = sha512_half(&[b"fuzz", &self.run.0, &account.id.0, &number.to_le_bytes()]);
        let mut rng = ChaCha8Rng::from_seed(seed.0);
        let open = self.band.types.open();
        let of = *open.get(below(&mut rng, open.len() as u64) as usize)?;
        let (name, code) = (Arc::clone(self.band.types.name(of)), self.band.types.code(of));
        let definitions = Arc::clone(&self.definitions);
        let mut planner =
            Planner { world: &self.world, fees: &self.fees, sender: index, rng: &mut rng };
        let plan = Draw::of_any_temper(&mut planner, &definitions).plan(&name, code);
        if below(&mut rng, 100) < MANGLED {
            return Some(self.mangled(index, plan, number, &mut rng));
        }
        let apart = matches!(plan.place, Place::Exactly(_));
        let fail_hard = below(&mut rng, 100) < FAIL_HARD;
        let making = Making {
            source_tag: Some(number as u32),
            fuzz: Some(Fuzzed { of: Some(of), fail_hard, apart }),
            ..Making::of(Origin::Load)
        };
        self.assemble(index, plan, making).ok()
    }

    /// How long one of the band may take.
    pub(super) fn band_life(&self) -> u32 {
        self.last_ledger_offset.min(LIFE)
    }

    /// The bytes of a transaction that is never sent as it is, some of them others. It uses no slot.
    fn mangled(&mut self, index: Index, plan: Plan, number: u64, rng: &mut ChaCha8Rng) -> Prepared {
        let account = &self.world.accounts[index];
        let last = self.head.plus(self.band_life());
        let common = Common {
            account: account.id,
            slot: Slot::Sequence(account.lane.next()),
            fee: self.fees.fee(FeeClass::Ordinary),
            flags: plan.flags,
            last_ledger: Some(last),
            network_id: self.network_id,
            source_tag: Some(number as u32),
        };
        let (own, definitions) = (Authorization::Own, &self.definitions);
        let whole = signed(&self.world.accounts, index, plan.body, &own, &common, &[], definitions);
        let (bytes, mangling) = mangle(rng, &whole.blob);
        let hash = transaction_hash(&bytes);
        let slot = read_slot(&bytes, definitions, self.head, last);
        let blob = Bytes::from(bytes);
        let mut prepared = Prepared {
            hash,
            blob: blob.clone(),
            sender: index,
            name: "",
            origin: Origin::Load,
            mutation: None,
            intent: Intent::Any,
            fail_hard: true,
            mangled: Some(mangling),
            want_metadata: true,
            callers_key: None,
        };
        let Some(slot) = slot.filter(|_| !self.flying.contains_key(&hash)) else { return prepared };
        prepared.mangled = None;
        self.flying.insert(
            hash,
            Flying {
                sender: index,
                slot,
                rival: 0,
                width: 1,
                unsure: true,
                least: 0,
                legs: SmallVec::new(),
                holds: Holds::default(),
                of: None,
                ways: SmallVec::new(),
                authorization: own,
                learns: true,
                mutation: None,
                fuzz: Some(Fuzzed { of: None, fail_hard: true, apart: true }),
                origin: Origin::Load,
                answer: None,
                made_at: self.head,
                stage: self.measures.stage(),
                late: Duration::ZERO,
                blob,
                fills: false,
                rivals: SmallVec::new(),
            },
        );
        self.band.answers.add(None);
        prepared
    }

    /// One of the band has ended: what that says of its type and its account.
    pub(super) fn band_ended(&mut self, flying: &Flying, fuzzed: Fuzzed, outcome: &Outcome) {
        let result = outcome.engine_result.as_ref().map_or("", |result| result.as_str());
        if outcome.state == State::Validated {
            self.stats.fuzz.validated += 1;
        }
        if let Some(of) = fuzzed.of {
            self.band.types.ended(of, result);
        }
        if !fuzzed.apart {
            let strikes = self.band.strikes.entry(flying.sender).or_default();
            *strikes = if NO_KEY.contains(&result) { strikes.saturating_add(1) } else { 0 };
        }
        self.band_look(flying.sender);
    }

    /// Lets an account go that is lost, by whatever was done to it.
    pub(super) fn band_look(&mut self, index: Index) {
        if self.band.live.contains(&index) && self.is_lost(index) {
            self.band.live.remove(&index);
            self.stats.fuzz.accounts_lost += 1;
        }
    }

    /// Whether bytes are a transaction whose signature holds. Of what cannot be read it cannot be said.
    #[must_use]
    pub fn is_properly_signed(&self, blob: &[u8]) -> bool {
        let read = Object::decode(blob, &self.definitions);
        read.is_ok_and(|tx| verify_as(&tx, &self.definitions).is_ok())
    }

    /// Whether what an account sends is the band's.
    pub(super) fn is_of_band(&self, index: Index) -> bool {
        self.world.accounts[index].role == Role::Fuzzer
    }
}

/// The slot of bytes that can be read as a transaction which is over soon.
fn read_slot(
    bytes: &[u8],
    definitions: &Definitions,
    head: LedgerIndex,
    last: LedgerIndex,
) -> Option<Slot> {
    let tx = Object::decode(bytes, definitions).ok()?;
    tx.account(fields::ACCOUNT)?;
    tx.u16(fields::TRANSACTION_TYPE)?;
    let over = tx.u32(fields::LAST_LEDGER_SEQUENCE)?;
    (head.0..=last.0).contains(&over).then_some(())?;
    match (tx.u32(fields::TICKET_SEQUENCE), tx.u32(fields::SEQUENCE)) {
        (Some(ticket), _) => Some(Slot::Ticket(ticket.into())),
        (None, sequence) => Some(Slot::Sequence(sequence?.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_kept_and_what_is_missed_is_made_up_for_a_while() {
        let mut band = Band { percent: 20.0, ..Band::default() };
        let mut ours = 0;
        for n in 0..1_000 {
            // For a while none of its accounts is free.
            let turn = band.is_due() && !(200..400).contains(&n);
            ours += u64::from(turn);
            band.count(turn);
        }
        assert_eq!(ours, 200);
        // Another share begins anew.
        band.set_share(50.0, 7);
        assert_eq!(band.wanted, 7);
        let turns = (0..100).filter(|_| {
            let turn = band.is_due();
            band.count(turn);
            turn
        });
        assert_eq!(turns.count(), 50);
        band.set_share(0.0, 9);
        assert_eq!(band.wanted, 7, "what there is stays");
        assert!(!band.is_due());
        let mut all = Band { percent: 100.0, ..Band::default() };
        assert!(all.is_due() && all.is_all());
        all.count(true);
        assert!(all.is_due());
        assert!(!Band::default().is_due());
    }

    #[test]
    fn a_slot_is_read_of_what_is_over_soon() {
        let definitions = Definitions::builtin();
        let tx = |last: u32, slot: &str| {
            let json = serde_json::json!({
                "TransactionType": "AccountSet", "Fee": "10", "SigningPubKey": "", slot: 7,
                "Account": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "LastLedgerSequence": last,
            });
            Object::from_json(&json, definitions).unwrap().encode()
        };
        let read = |bytes: &[u8]| read_slot(bytes, definitions, LedgerIndex(100), LedgerIndex(108));
        assert_eq!(read(&tx(108, "Sequence")), Some(Slot::Sequence(7.into())));
        assert_eq!(read(&tx(100, "TicketSequence")), Some(Slot::Ticket(7.into())));
        assert_eq!(read(&tx(109, "Sequence")), None, "it would be waited for for long");
        let whole = tx(108, "Sequence");
        assert_eq!(read(&whole[..whole.len() - 1]), None);
    }
}
