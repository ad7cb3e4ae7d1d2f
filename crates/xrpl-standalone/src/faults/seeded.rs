//! Which plan a seed stands for.

use std::time::Duration;

use rand::{
    RngExt as _, SeedableRng,
    seq::{IndexedRandom as _, SliceRandom as _},
};
use rand_chacha::ChaCha8Rng;

use super::plan::{Action, LinkFault, NodeAction, NodeFault, Plan, Port};

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
        plan.in_order()
    }

    /// The same plan with one to three kinds of fault more, by which a node or a proxy says what is
    /// not so, or does later what it seems not to have done: whoever follows a transaction is
    /// tempted to call it ended when it is not. The same plan and shape give the same faults.
    #[must_use]
    pub fn and_misleads(mut self, shape: &PlanShape) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed ^ 0x000F_A15E);
        let (from, until) = (millis(shape.from), millis(shape.until));
        for _ in 0..rng.random_range(1..=3) {
            let times = rng.random_range(1..=5);
            if rng.random_range(0..2) == 0 {
                let make = *MISLEADING_NODES.choose(&mut rng).unwrap_or(&MISLEADING_NODES[0]);
                for _ in 0..times {
                    let action = make(&mut rng);
                    let latest = until.saturating_sub(action.lasts_ms()).max(from + 1);
                    let at_ms = rng.random_range(from..latest);
                    let node = action.node(&mut rng, shape.nodes);
                    self.nodes.extend(node.map(|node| NodeFault { at_ms, node, action }));
                }
            } else {
                let make = *MISLEADING_RPC.choose(&mut rng).unwrap_or(&MISLEADING_RPC[0]);
                for _ in 0..times {
                    let at_ms = rng.random_range(from..until);
                    let for_ms = rng.random_range(500..=12_000).min(until - at_ms);
                    let action = make(&mut rng);
                    let node = rng.random_range(0..shape.nodes);
                    self.links.push(LinkFault { at_ms, for_ms, node, port: Port::Rpc, action });
                }
            }
        }
        self.leaving_out(shape).one_fork_at_a_time().in_order()
    }

    /// In one seed of three some nodes leave transactions out of ledgers.
    fn leaving_out(mut self, shape: &PlanShape) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed ^ 0x001E_AF0F);
        if rng.random_range(0..3) > 0 {
            return self;
        }
        let (from, until) = (millis(shape.from), millis(shape.until));
        for node in 0..shape.nodes {
            if rng.random_range(0..2) == 0 {
                continue;
            }
            let at_ms = rng.random_range(from..until);
            let for_ms = rng.random_range(3_000..=20_000).min(until - at_ms);
            let action = Action::LeaveOut(*[30, 60, 100].choose(&mut rng).unwrap_or(&60));
            self.links.push(LinkFault { at_ms, for_ms, node, port: Port::Rpc, action });
        }
        self
    }

    /// The same plan with nodes that follow another chain for good: fewer than half of them part from
    /// the others, or one comes back with a fresh chain, or several do together. The others are the
    /// network. The same plan and shape give the same faults.
    #[must_use]
    pub fn and_tears(mut self, shape: &PlanShape) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed ^ 0x7EA2);
        let (from, until) = (millis(shape.from), millis(shape.until));
        let mut nodes: Vec<_> = (1..shape.nodes).collect();
        nodes.shuffle(&mut rng);
        let at_ms = rng.random_range(from..until / 2);
        let down = rng.random_range(200..4_000);
        let (count, action) = match rng.random_range(0..3) {
            0 => (rng.random_range(1..=(shape.nodes.max(3) - 1) / 2), NodeAction::Apart),
            1 => (1, NodeAction::Fresh(down)),
            _ => (rng.random_range(2..=shape.nodes.max(3) - 1), NodeAction::Fresh(down)),
        };
        nodes.truncate(count);
        for &node in &nodes {
            self.nodes.push(NodeFault { at_ms, node, action });
            // One whose connections are made anew is judged anew.
            if action == NodeAction::Apart && rng.random_range(0..3) > 0 {
                let at_ms = rng.random_range(at_ms + 1..until - 4_000);
                self.nodes.push(NodeFault { at_ms, node, action: NodeAction::Restart(1_000) });
            }
        }
        // Behind an address of several nodes nobody can know which chain an answer is of.
        self.links.retain(|fault| !matches!(fault.action, Action::Elsewhere(_)));
        // A second fork would leave no majority.
        self.nodes.retain(|fault| !matches!(fault.action, NodeAction::Fork(_)));
        // Where half of all are on the new chain and no other answers, it has been reset indeed.
        if action != NodeAction::Apart && nodes.len() * 2 >= shape.nodes {
            self.links.retain(|fault| nodes.contains(&fault.node));
            let gone = |action| matches!(action, NodeAction::Restart(_) | NodeAction::Freeze(_));
            self.nodes.retain(|fault| nodes.contains(&fault.node) || !gone(fault.action));
        }
        self.in_order()
    }

    /// Where two nodes are on ledgers of their own, the others are no majority any more.
    fn one_fork_at_a_time(mut self) -> Self {
        self = self.in_order();
        let mut free_at = 0;
        self.nodes.retain(|fault| match fault.action {
            // What comes back from a fork catches up with the next ledger.
            NodeAction::Fork(ms) if fault.at_ms >= free_at => {
                free_at = fault.at_ms + ms + AFTER_A_FORK_MS;
                true
            }
            NodeAction::Fork(_) => false,
            _ => true,
        });
        self
    }

    fn in_order(mut self) -> Self {
        self.links.sort_by_key(|fault| fault.at_ms);
        self.nodes.sort_by_key(|fault| fault.at_ms);
        self
    }
}

/// How long a node that was on a fork is given to be with the others again.
const AFTER_A_FORK_MS: u64 = 5_000;

impl NodeAction {
    /// Which node it may happen to.
    fn node(self, rng: &mut ChaCha8Rng, nodes: usize) -> Option<usize> {
        match self {
            // The first node closes the ledgers; it cannot be behind. And somebody must keep what
            // the others lose, or nothing can be proven.
            Self::Lag(_) | Self::LoseHistory(_) if nodes < 2 => None,
            Self::Lag(_) | Self::LoseHistory(_) => Some(rng.random_range(1..nodes)),
            // Two of three must agree on what is so.
            Self::Fork(_) => (nodes > 2).then(|| rng.random_range(1..nodes)),
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

const MISLEADING_RPC: &[Make] = &[
    |rng| Action::StatusAfter(chance(rng), *[502, 504, 503, 500].choose(rng).unwrap_or(&502)),
    |rng| {
        let token = ["internalSubmit", "internal"].choose(rng).copied().unwrap_or("internal");
        Action::ErrorAfter(chance(rng), token.to_owned())
    },
    |rng| Action::Late(chance(rng), rng.random_range(1_000..20_000)),
    |rng| Action::Unsearched(chance(rng)),
    |rng| Action::Elsewhere(chance(rng)),
];

const MISLEADING_NODES: &[fn(&mut ChaCha8Rng) -> NodeAction] = &[
    |rng| NodeAction::Freeze(rng.random_range(500..12_000)),
    |rng| NodeAction::Fork(rng.random_range(1_000..8_000)),
    |rng| NodeAction::Replay(rng.random_range(5..60)),
];

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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

    fn kinds(plans: impl Iterator<Item = Plan>) -> BTreeSet<String> {
        let name = |debug: String| debug.split('(').next().unwrap_or_default().to_owned();
        let mut seen = BTreeSet::new();
        for plan in plans {
            let links = plan.links.iter();
            seen.extend(links.map(|f| format!("{:?} {}", f.port, name(format!("{:?}", f.action)))));
            seen.extend(plan.nodes.iter().map(|f| name(format!("{:?}", f.action))));
        }
        seen
    }

    #[test]
    fn every_kind_of_fault_is_met() {
        let seen = kinds((0..300).map(|seed| Plan::from_seed(seed, &SHAPE)));
        assert_eq!(seen.len(), WS_FAULTS.len() + RPC_FAULTS.len() + NODE_FAULTS.len(), "{seen:?}");
    }

    #[test]
    fn faults_that_mislead_are_added_to_a_plan() {
        let three = PlanShape { nodes: 3, ..SHAPE };
        let of = |seed| Plan { seed, ..Plan::default() }.and_misleads(&three);
        let seen = kinds((0..300).map(of));
        // And what is left out.
        assert_eq!(seen.len(), MISLEADING_RPC.len() + MISLEADING_NODES.len() + 1, "{seen:?}");
        for seed in 0..300 {
            let (old, new) = (Plan::from_seed(seed, &SHAPE), Plan::from_seed(seed, &SHAPE));
            let new = new.and_misleads(&three);
            assert!(new.end() <= SHAPE.until, "{new}");
            assert!(old.links.iter().all(|fault| new.links.contains(fault)));
            assert!(old.nodes.iter().all(|fault| new.nodes.contains(fault)));
            let forks = new.nodes.iter().filter(|f| matches!(f.action, NodeAction::Fork(_)));
            let forks: Vec<_> = forks.collect();
            for pair in forks.windows(2) {
                assert!(pair[0].at_ms + pair[0].action.lasts_ms() < pair[1].at_ms, "{new}");
            }
            assert!(forks.iter().all(|fork| fork.node > 0), "{new}");
        }
        let two = Plan::default().and_misleads(&SHAPE);
        assert!(!two.nodes.iter().any(|f| matches!(f.action, NodeAction::Fork(_))));
    }

    #[test]
    fn nodes_that_follow_another_chain_leave_the_network_to_others() {
        let mut seen = BTreeSet::new();
        for seed in 0..300 {
            let shape = PlanShape { nodes: 3 + seed as usize % 3, ..SHAPE };
            let plan = Plan::from_seed(seed, &shape).and_misleads(&shape).and_tears(&shape);
            let away =
                |f: &&NodeFault| matches!(f.action, NodeAction::Apart | NodeAction::Fresh(_));
            let away: Vec<_> = plan.nodes.iter().filter(away).collect();
            assert!(!away.is_empty() && away.len() < shape.nodes, "{plan}");
            assert!(away.iter().all(|fault| fault.node > 0), "{plan}");
            let apart = away[0].action == NodeAction::Apart;
            assert!(!apart || away.len() * 2 < shape.nodes, "{plan}");
            assert!(plan.end() <= SHAPE.until, "{plan}");
            seen.insert((apart, away.len() > 1));
        }
        assert_eq!(seen.len(), 4, "{seen:?}");
    }
}
