//! What goes wrong, and when: plain data.

use std::{fmt, time::Duration};

use rand::{RngExt as _, SeedableRng, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::server::Kind;

/// Everything that goes wrong in a run. Same seed and shape, same plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Where the choices on each connection come from.
    pub seed: u64,
    /// Faults of connections.
    pub links: Vec<LinkFault>,
    /// Faults of nodes.
    pub nodes: Vec<NodeFault>,
}

/// A fault of the connections to one port of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkFault {
    /// When it begins, milliseconds since the start.
    pub at_ms: u64,
    /// How long it lasts, milliseconds.
    pub for_ms: u64,
    /// Which node.
    pub node: usize,
    /// Which of its ports.
    pub port: Port,
    /// What happens.
    pub action: Action,
}

/// A port of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Port {
    /// JSON-RPC.
    Rpc,
    /// WebSocket.
    Ws,
}

impl From<Kind> for Port {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Rpc => Self::Rpc,
            Kind::WebSocket => Self::Ws,
        }
    }
}

/// What happens to a connection or to messages on it. Chances are in percent of messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Open connections are closed with this WebSocket code at the beginning.
    Close(u16),
    /// Open connections break at the beginning, without a word (code 1006).
    Cut,
    /// Connections that are open at the beginning stay so, and nothing passes any more.
    HalfOpen,
    /// New connections are refused.
    Refuse,
    /// What the client sends is not read.
    Stall,
    /// Messages get lost: stream messages, requests.
    Drop(u8),
    /// Messages come later, in order, by up to so many milliseconds.
    Delay(u8, u64),
    /// Messages come twice: stream messages to the client, requests to the node.
    Duplicate(u8),
    /// Messages are overtaken by later ones.
    Reorder(u8),
    /// Messages end in the middle.
    Truncate(u8),
    /// Something else comes instead of a message.
    Garbage(u8),
    /// A message breaks off in the middle, and the connection with it.
    Break(u8),
    /// Requests are answered with this error, and not handed on.
    Error(u8, String),
    /// Requests are answered with this HTTP status, and not handed on.
    Status(u8, u16),
    /// Requests are handed on and never answered.
    LoseAnswer(u8),
    /// Whole ledgers are missing from the stream.
    SkipLedgers(u8),
    /// The stream gives ledgers another hash.
    Contradict(u8),
}

/// A fault of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFault {
    /// When, milliseconds since the start.
    pub at_ms: u64,
    /// Which node.
    pub node: usize,
    /// What happens.
    pub action: NodeAction,
}

/// What happens to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeAction {
    /// It goes down for so many milliseconds and comes back with its ledgers, without what was open,
    /// queued or held.
    Restart(u64),
    /// It forgets so many percent of what is open, queued or held.
    Forget(u8),
    /// Others fill its open ledger with so many transactions: fees rise, and it queues.
    Fill(u32),
    /// It follows the network only so many milliseconds later.
    Lag(u64),
    /// It keeps only so many of its last ledgers.
    LoseHistory(usize),
}

/// What a plan is to be like.
#[derive(Clone, Copy, Debug)]
pub struct PlanShape {
    /// How many nodes there are.
    pub nodes: usize,
    /// When the first fault may begin.
    pub from: Duration,
    /// When the last one has ended.
    pub until: Duration,
}

impl Plan {
    /// The plan of a seed. Each has a few kinds of fault and leaves the others out, so that every
    /// kind is met alone and in company.
    #[must_use]
    pub fn from_seed(seed: u64, shape: &PlanShape) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut plan = Self { seed, ..Self::default() };
        let (from, until) = (millis(shape.from), millis(shape.until));
        let kinds = rng.random_range(1..=4);
        for _ in 0..kinds {
            let times = rng.random_range(1..=8);
            match rng.random_range(0..100) {
                0..30 => {
                    let make = *NODE_FAULTS.choose(&mut rng).unwrap_or(&NODE_FAULTS[0]);
                    for _ in 0..times {
                        let action = make(&mut rng);
                        let lasts = action.lasts_ms();
                        let at_ms =
                            rng.random_range(from..until.saturating_sub(lasts).max(from + 1));
                        let node = action.node(&mut rng, shape.nodes);
                        plan.nodes.extend(node.map(|node| NodeFault { at_ms, node, action }));
                    }
                }
                which => {
                    let port = if which < 65 { Port::Ws } else { Port::Rpc };
                    let makers: &[Make] = if port == Port::Ws { WS_FAULTS } else { RPC_FAULTS };
                    let make = *makers.choose(&mut rng).unwrap_or(&makers[0]);
                    // One node, or all of them.
                    let node = rng.random_range(0..=shape.nodes);
                    for _ in 0..times {
                        let at_ms = rng.random_range(from..until);
                        let for_ms = rng.random_range(200..=12_000).min(until - at_ms);
                        let action = make(&mut rng);
                        let nodes =
                            if node < shape.nodes { node..node + 1 } else { 0..shape.nodes };
                        plan.links.extend(nodes.map(|node| {
                            let action = action.clone();
                            LinkFault { at_ms, for_ms, node, port, action }
                        }));
                    }
                }
            }
        }
        plan.links.sort_by_key(|fault| fault.at_ms);
        plan.nodes.sort_by_key(|fault| fault.at_ms);
        plan
    }

    /// When the last fault has ended.
    #[must_use]
    pub fn end(&self) -> Duration {
        let links = self.links.iter().map(|fault| fault.at_ms + fault.for_ms);
        let nodes = self.nodes.iter().map(|fault| fault.at_ms + fault.action.lasts_ms());
        Duration::from_millis(links.chain(nodes).max().unwrap_or(0))
    }
}

impl NodeAction {
    fn lasts_ms(self) -> u64 {
        match self {
            Self::Restart(ms) | Self::Lag(ms) => ms,
            _ => 0,
        }
    }

    /// Which node it may happen to.
    fn node(self, rng: &mut ChaCha8Rng, nodes: usize) -> Option<usize> {
        match self {
            // The first node closes the ledgers; it cannot be behind. And somebody must keep what
            // the others lose, or nothing can be proven.
            Self::Lag(_) | Self::LoseHistory(_) if nodes < 2 => None,
            Self::Lag(_) | Self::LoseHistory(_) => Some(rng.random_range(1..nodes)),
            _ => Some(rng.random_range(0..nodes)),
        }
    }
}

type Make = fn(&mut ChaCha8Rng) -> Action;

fn chance(rng: &mut ChaCha8Rng) -> u8 {
    *[2, 10, 10, 30, 60, 100].choose(rng).unwrap_or(&10)
}

const WS_FAULTS: &[Make] = &[
    |rng| Action::Close(*[1000, 1001, 1008].choose(rng).unwrap_or(&1000)),
    |_| Action::Cut,
    |_| Action::HalfOpen,
    |_| Action::Refuse,
    |_| Action::Stall,
    |rng| Action::Drop(chance(rng)),
    |rng| Action::Delay(chance(rng), rng.random_range(10..5_000)),
    |rng| Action::Duplicate(chance(rng)),
    |rng| Action::Reorder(chance(rng)),
    |rng| Action::Truncate(chance(rng)),
    |rng| Action::Garbage(chance(rng)),
    |rng| Action::Break(chance(rng).min(10)),
    |rng| Action::SkipLedgers(chance(rng)),
    |rng| Action::Contradict(chance(rng)),
];

const RPC_FAULTS: &[Make] = &[
    |_| Action::Cut,
    |_| Action::HalfOpen,
    |_| Action::Refuse,
    |_| Action::Stall,
    |rng| Action::Drop(chance(rng)),
    |rng| Action::Delay(chance(rng), rng.random_range(10..20_000)),
    |rng| Action::Duplicate(chance(rng)),
    |rng| Action::Truncate(chance(rng)),
    |rng| Action::Garbage(chance(rng)),
    |rng| Action::Break(chance(rng)),
    |rng| {
        let tokens =
            ["noNetwork", "slowDown", "noCurrent", "tooBusy", "internal", "amendmentBlocked"];
        let token = tokens.choose(rng).copied().unwrap_or("slowDown");
        Action::Error(chance(rng), token.to_owned())
    },
    |rng| Action::Status(chance(rng), *[503, 403, 502].choose(rng).unwrap_or(&503)),
    |rng| Action::LoseAnswer(chance(rng)),
];

const NODE_FAULTS: &[fn(&mut ChaCha8Rng) -> NodeAction] = &[
    |rng| NodeAction::Restart(rng.random_range(100..8_000)),
    |rng| NodeAction::Forget(*[20, 50, 100].choose(rng).unwrap_or(&50)),
    |rng| NodeAction::Fill(rng.random_range(20..120)),
    |rng| NodeAction::Lag(rng.random_range(1_000..12_000)),
    |rng| NodeAction::LoseHistory(rng.random_range(2..10)),
];

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// One line a fault, in order of time; JSON by serde is the form to read back.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "plan of seed {}", self.seed)?;
        let seconds = |ms: u64| ms as f64 / 1e3;
        let mut lines: Vec<(u64, String)> = Vec::new();
        for LinkFault { at_ms, for_ms, node, port, action } in &self.links {
            let (at, lasts) = (seconds(*at_ms), seconds(*for_ms));
            let line = format!("{at:8.3} s +{lasts:.3} s  node {node} {port:?}: {action:?}");
            lines.push((*at_ms, line));
        }
        for NodeFault { at_ms, node, action } in &self.nodes {
            lines.push((*at_ms, format!("{:8.3} s  node {node}: {action:?}", seconds(*at_ms))));
        }
        lines.sort_by_key(|(at, _)| *at);
        lines.iter().try_for_each(|(_, line)| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: PlanShape =
        PlanShape { nodes: 2, from: Duration::from_secs(1), until: Duration::from_secs(30) };

    #[test]
    fn a_seed_is_a_plan_that_can_be_written_and_read() {
        for seed in 0..200 {
            let plan = Plan::from_seed(seed, &SHAPE);
            assert_eq!(plan, Plan::from_seed(seed, &SHAPE));
            assert!(plan.end() <= SHAPE.until, "{plan}");
            let text = serde_json::to_string(&plan).unwrap();
            assert_eq!(plan, serde_json::from_str(&text).unwrap());
            assert_eq!(plan.to_string().lines().count(), 1 + plan.links.len() + plan.nodes.len());
        }
    }

    #[test]
    fn every_kind_of_fault_is_met() {
        let mut seen = std::collections::BTreeSet::new();
        let name = |debug: String| debug.split('(').next().unwrap_or_default().to_owned();
        for seed in 0..300 {
            let plan = Plan::from_seed(seed, &SHAPE);
            seen.extend(
                plan.links
                    .iter()
                    .map(|f| format!("{:?} {}", f.port, name(format!("{:?}", f.action)))),
            );
            seen.extend(plan.nodes.iter().map(|f| name(format!("{:?}", f.action))));
        }
        assert_eq!(seen.len(), WS_FAULTS.len() + RPC_FAULTS.len() + NODE_FAULTS.len(), "{seen:?}");
    }
}
