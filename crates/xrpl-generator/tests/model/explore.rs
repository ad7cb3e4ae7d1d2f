//! Breadth first through everything that can happen.

use std::{
    collections::HashSet,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::world::{Step, World};

/// What was explored.
pub(crate) struct Explored {
    pub(crate) states: usize,
    pub(crate) steps: usize,
    pub(crate) depth: usize,
    /// Nothing lies beyond.
    pub(crate) complete: bool,
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, steps, depth, complete } = self;
        write!(f, "{states} states, {steps} steps between them, depth {depth}")?;
        if *complete { write!(f, ", and nothing beyond") } else { Ok(()) }
    }
}

/// How a state was reached: by a step from another.
struct Origin {
    from: usize,
    step: Option<Step>,
}

/// Two hashes of 64 bits: states are told apart by them alone.
fn fingerprint(world: &World) -> (u64, u64) {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    let first = hasher.finish();
    hasher.write_u8(1);
    (first, hasher.finish())
}

/// Visits every state that is at most `depth` steps away.
///
/// # Panics
/// When something that must hold does not; it tells the steps that lead there.
pub(crate) fn explore(start: World, depth: usize) -> Explored {
    let mut seen = HashSet::from([fingerprint(&start)]);
    let mut origins = vec![Origin { from: 0, step: None }];
    let mut edge = vec![(0, start)];
    let mut found = Explored { states: 1, steps: 0, depth: 0, complete: false };
    while found.depth < depth {
        let mut next = Vec::new();
        for (number, world) in &edge {
            for step in world.steps() {
                found.steps += 1;
                let mut after = world.clone();
                let holds = after.take(step).and_then(|()| after.holds());
                if holds.is_ok() && !seen.insert(fingerprint(&after)) {
                    continue;
                }
                origins.push(Origin { from: *number, step: Some(step) });
                let reached = origins.len() - 1;
                if let Err(wrong) = holds.and_then(|()| after.clone().comes_to_its_end()) {
                    panic!("{wrong}\n{}\n{after:#?}", told(&origins, reached));
                }
                next.push((reached, after));
            }
        }
        if next.is_empty() {
            found.complete = true;
            break;
        }
        found.depth += 1;
        found.states += next.len();
        edge = next;
    }
    found
}

fn told(origins: &[Origin], mut at: usize) -> String {
    let mut steps = Vec::new();
    while let Some(step) = origins[at].step {
        steps.push(format!("{step:?}"));
        at = origins[at].from;
    }
    steps.reverse();
    steps.join("\n")
}
