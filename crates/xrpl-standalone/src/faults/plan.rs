//! What goes wrong, and when: plain data.

use std::{fmt, time::Duration};

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
    /// Requests are handed on, and answered with this HTTP status all the same: a proxy that has lost
    /// patience or the node's answer.
    StatusAfter(u8, u16),
    /// Requests are handed on, and answered with this error all the same (xrpld's `internalSubmit`
    /// comes after a transaction was processed).
    ErrorAfter(u8, String),
    /// Requests are handed on by up to so many milliseconds later, whether or not anybody still waits
    /// for the answer.
    Late(u8, u64),
    /// `tx` says that not everything was searched.
    Unsearched(u8),
    /// `ledger` answers with one transaction less than the ledger has.
    LeaveOut(u8),
    /// Another node answers: the address is that of several.
    Elsewhere(u8),
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
    /// It stands still for so many milliseconds, as after SIGSTOP: connections stay open and new ones
    /// can be made, nothing is read or written; then it goes on, and reads what was sent meanwhile.
    Freeze(u64),
    /// For so many milliseconds it closes ledgers of its own and tells of them as validated; then the
    /// others outvote it, and it has always had theirs.
    Fork(u64),
    /// It follows another chain from its newest ledger on, and never comes back: the first that this
    /// happens to closes that chain's ledgers, later ones join it. Connections stay open.
    Apart,
    /// It goes down for so many milliseconds and comes back with a fresh chain of the same network
    /// id, and stays with it. Those that this happens to share that chain.
    Fresh(u64),
    /// Somebody hands it so many transactions once more that a node of the network got before.
    Replay(u32),
}

impl NodeAction {
    pub(super) fn lasts_ms(self) -> u64 {
        match self {
            Self::Restart(ms)
            | Self::Lag(ms)
            | Self::Freeze(ms)
            | Self::Fork(ms)
            | Self::Fresh(ms) => ms,
            _ => 0,
        }
    }
}

impl Plan {
    /// When the last fault has ended.
    #[must_use]
    pub fn end(&self) -> Duration {
        let links = self.links.iter().map(|fault| fault.at_ms + fault.for_ms);
        let nodes = self.nodes.iter().map(|fault| fault.at_ms + fault.action.lasts_ms());
        Duration::from_millis(links.chain(nodes).max().unwrap_or(0))
    }
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
