//! What a seed chooses: the network, the load, what goes wrong, who meddles.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use xrpl_standalone::faults::{Action, NodeAction, Plan, PlanShape, Port};

/// How long load runs.
pub const LOAD: Duration = Duration::from_secs(30);

/// Of a hundred seeds, so many have nodes and proxies that mislead.
const MISLEAD: u32 = 50;
/// Of a hundred seeds, so many have nodes that follow another chain for good.
const TEAR: u32 = 20;
/// Of a hundred seeds, so many have somebody else who uses the tracker.
const MEDDLE: u32 = 40;

/// A percentage that the environment may change.
fn percent(name: &str, usual: u32) -> u32 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a percentage is a number"))
}

/// What a seed may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Broken connections and nodes that fail.
    Plain,
    /// Those that mislead, too, and nobody who meddles.
    Misled,
    /// Those that mislead in each seed, and somebody who meddles in most.
    Worst,
    /// Nodes that follow another chain for good in each seed, and some with the rest besides.
    Torn,
    /// Some seeds with those that mislead, some with somebody who meddles, some with both.
    All,
}

/// What a seed chooses.
#[derive(Debug)]
pub struct Choice {
    pub nodes: usize,
    /// Whether somebody else uses the tracker, and how many of the run's accounts lose Tickets to
    /// them.
    pub meddled: Option<u32>,
    pub close_interval: Duration,
    pub accounts: usize,
    pub tps: f64,
    pub max_pending: usize,
    pub invalid: f64,
    /// How many percent are drawn at random.
    pub fuzz: f64,
    pub last_ledger_offset: u32,
    pub queue_capacity: usize,
    pub send_queue_limit: usize,
    pub ledger_size: usize,
    /// Whether faults begin before the accounts are prepared.
    pub early: bool,
    pub kills: Vec<Kill>,
    /// Whether the streams show the accounts' transactions alone.
    pub accounts_only: bool,
    /// How many nodes' streams show every transaction.
    pub full_streams: usize,
    /// Age in ledgers and time from which a transaction is looked up: long ones leave all to the
    /// stream and to what is read back.
    pub overdue: (u32, Duration),
    pub plan: Plan,
}

/// When the program is killed, and how long it stays down.
#[derive(Debug)]
pub struct Kill {
    pub after: Duration,
    pub down: Duration,
}

impl Choice {
    pub fn of(seed: u64, trouble: Trouble) -> Self {
        let mut more = ChaCha8Rng::seed_from_u64(seed ^ 0xE7A);
        let some = trouble != Trouble::Plain && !seed.is_multiple_of(16);
        let (mislead, meddle) = match trouble {
            Trouble::Plain => (0, 0),
            Trouble::Misled => (100, 0),
            Trouble::Worst => (100, 60),
            Trouble::Torn => (30, 30),
            Trouble::All => {
                (percent("XRPL_WORKLOAD_MISLEAD", MISLEAD), percent("XRPL_WORKLOAD_MEDDLE", MEDDLE))
            }
        };
        let misled = some && more.random_range(0..100) < mislead;
        let meddled = (some && more.random_range(0..100) < meddle)
            .then(|| more.random_range(0..4u32).saturating_sub(1));
        let tear = match trouble {
            Trouble::Torn => 100,
            Trouble::All => percent("XRPL_WORKLOAD_TEAR", TEAR),
            _ => 0,
        };
        let mut apart = ChaCha8Rng::seed_from_u64(seed ^ 0x7EA2_5EED);
        let torn = some && apart.random_range(0..100) < tear;
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5EED);
        let nodes = rng.random_range(1..=2);
        let shape = PlanShape { nodes, from: Duration::from_millis(500), until: LOAD };
        let nodes = if misled && more.random_range(0..3) > 0 { nodes + 2 } else { nodes };
        // Some must be left whoever parts.
        let nodes = if torn { nodes.max(3) + apart.random_range(0..2) } else { nodes };
        // Some runs without any fault: then nothing at all may go wrong.
        let plan = match (std::env::var("XRPL_WORKLOAD_PLAN"), seed % 16) {
            (Ok(file), _) => {
                let text = std::fs::read_to_string(file).expect("XRPL_WORKLOAD_PLAN is a file");
                serde_json::from_str(&text).expect("XRPL_WORKLOAD_PLAN is a plan")
            }
            (Err(_), 0) => Plan::default(),
            (Err(_), _) => {
                let all = PlanShape { nodes, ..shape };
                let plan = Plan::from_seed(seed, &shape);
                let plan = if misled { plan.and_misleads(&all) } else { plan };
                if torn { plan.and_tears(&all) } else { plan }
            }
        };
        Self {
            nodes,
            meddled,
            close_interval: Duration::from_millis(*[500, 1000, 3000].choose(&mut rng).unwrap()),
            accounts: rng.random_range(3..=6),
            tps: *[2.0, 5.0, 10.0].choose(&mut rng).unwrap(),
            max_pending: rng.random_range(1..=8),
            invalid: *[0.0, 0.0, 20.0].choose(&mut rng).unwrap(),
            // One seed in eight, and some without any fault.
            fuzz: if seed % 8 == 6 || seed.is_multiple_of(80) { 30.0 } else { 0.0 },
            last_ledger_offset: rng.random_range(4..=15),
            queue_capacity: *[2, 16, 1000].choose(&mut rng).unwrap(),
            send_queue_limit: *[20, 100, 10_000].choose(&mut rng).unwrap(),
            ledger_size: *[10, 40, 1000].choose(&mut rng).unwrap(),
            early: rng.random_range(0..4) == 0,
            overdue: *[
                (4, Duration::from_secs(20)),
                (2, Duration::from_secs(5)),
                (1_000, Duration::from_secs(600)),
                (1_000, Duration::from_secs(600)),
            ]
            .choose(&mut rng)
            .unwrap(),
            kills: {
                let count = rng.random_range(0..6usize).saturating_sub(3);
                let mut after: Vec<u64> = (0..count).map(|_| rng.random_range(0..30_000)).collect();
                after.sort_unstable();
                let ms = Duration::from_millis;
                let mut kill =
                    |after| Kill { after: ms(after), down: ms(rng.random_range(0..6_000)) };
                after.into_iter().map(&mut kill).collect()
            },
            accounts_only: rng.random_range(0..4) == 0,
            full_streams: if seed.is_multiple_of(3) { nodes } else { 1 },
            plan,
        }
    }

    /// Whether anything gives reason for retries.
    pub fn disturbs(&self) -> bool {
        !self.plan.links.is_empty() || !self.plan.nodes.is_empty()
    }

    /// Whether every node forgets ledgers.
    pub fn forgets(&self) -> bool {
        let faults = &self.plan.nodes;
        (0..self.nodes).all(|node| {
            faults.iter().any(|fault| {
                fault.node == node && matches!(fault.action, NodeAction::LoseHistory(_))
            })
        })
    }

    /// Whether no node tells a wrong hash.
    pub fn truthful(&self) -> bool {
        !self.contradicts() && !self.forks()
    }

    /// Whether streams give ledgers other hashes, which nobody may ever notice.
    pub fn contradicts(&self) -> bool {
        self.plan.links.iter().any(|fault| matches!(fault.action, Action::Contradict(_)))
    }

    /// Whether a node tells of ledgers of its own.
    pub fn forks(&self) -> bool {
        let told = |action| matches!(action, NodeAction::Fork(_) | NodeAction::Apart);
        self.plan.nodes.iter().any(|fault| told(fault.action))
    }

    /// Whether anything gives reason for failures: something of what is sent or answered gets lost,
    /// or comes so late that it is too late, or a node forgets. What happens to streams does not, as
    /// long as a transaction lives longer than it takes to notice a new ledger without them.
    pub fn explains_failures(&self) -> bool {
        let life = self.close_interval * self.last_ledger_offset;
        let loses = self.plan.links.iter().any(|fault| match fault.action {
            _ if fault.port == Port::Ws => false,
            Action::Duplicate(_) => false,
            Action::Delay(_, most) => Duration::from_millis(most) > life / 4,
            _ => true,
        });
        // Another key makes of what is deliberately wrong with the master key what succeeds.
        let robbed = self.meddled.is_some_and(|robbed| robbed > 0);
        loses
            || robbed
            || !self.plan.nodes.is_empty()
            || (self.disturbs() && life < Duration::from_secs(20))
    }

    /// How long everything may take to come to its end after the load: what is undecided waits for
    /// its last ledger, and a half-open connection for a timeout or two.
    pub fn longest_drain(&self) -> Duration {
        let ledgers = self.last_ledger_offset + 4;
        self.close_interval * ledgers + Duration::from_secs(120)
    }
}

/// What a seed does, in words; its plan as JSON too, so that it can be changed and run again.
pub fn describe(seed: u64, trouble: Trouble) -> String {
    let mut choice = Choice::of(seed, trouble);
    let plan = std::mem::take(&mut choice.plan);
    let json = serde_json::to_string(&plan).unwrap();
    format!("{choice:#?}\n{plan}{json}\n")
}
