//! Which plan an account carries out next.
//!
//! Each account's plans are numbered; of which type a plan is and everything drawn for it follow from
//! the run's seed, the account and that number. A plan that cannot be carried out yet is owed: the
//! account goes on with the next one and comes back to it as soon as something has changed, so that
//! weights stay true for types that can seldom be sent. What must come first is planned in its place.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use smallvec::SmallVec;
use xrpl_protocol::Hash256;

use super::{Engine, Making, Origin, Prepared};
use crate::{
    accounts::{Index, Role},
    catalogue::TypeId,
    coverage::Way,
    lane::Blocked,
    modifier::Modifier,
    mutation::{self, Mutation},
    plan::{Plan, Wait},
    planner::{Planner, below},
};

/// How many plans an account owes at most, each of another type. What is beyond is not made up for.
const OWED: usize = 12;
/// How many types in a row may ask for another one to come first.
const CHAIN: usize = 4;

/// A plan that can be carried out.
struct Ready {
    of: TypeId,
    plan: Plan,
    mutation: Option<&'static Mutation>,
    ways: SmallVec<[Way; 2]>,
}

/// Types that cannot be planned now, and why.
type Waits = SmallVec<[(TypeId, Wait); 2]>;

impl Engine {
    /// What of an account's plans can be sent next; none if its next one cannot be carried out.
    pub(super) fn plan(&mut self, index: Index) -> Result<Option<Prepared>, Blocked> {
        self.world.accounts[index].lane.may_take(1)?;
        if self.world.accounts[index].awake
            && let Some(prepared) = self.plan_owed(index)?
        {
            return Ok(Some(prepared));
        }
        let number = self.world.accounts[index].plans;
        let (made, waits) = self.make(index, number, None);
        for (of, wait) in waits {
            self.notes.waits(of, wait);
            let owed = &mut self.world.accounts[index].owed;
            let known = owed.iter().any(|(_, other)| *other == of);
            if !matches!(wait, Wait::Never(_)) && !known && owed.len() < OWED {
                owed.push((number, of));
            }
        }
        let Some(ready) = made else {
            self.world.accounts[index].plans += 1;
            return Ok(None);
        };
        let prepared = self.carry_out(index, number, ready)?;
        self.world.accounts[index].plans += 1;
        Ok(Some(prepared))
    }

    /// The first of an account's owed plans that can be carried out now.
    fn plan_owed(&mut self, index: Index) -> Result<Option<Prepared>, Blocked> {
        let owed = self.world.accounts[index].owed.clone();
        for (number, of) in owed {
            let off = !self.catalogue.is_enabled(of);
            let (made, waits) =
                if off { (None, Waits::new()) } else { self.make(index, number, Some(of)) };
            waits.iter().for_each(|(of, wait)| self.notes.waits(*of, *wait));
            if let Some(ready) = made {
                let prepared = self.carry_out(index, number, ready)?;
                self.world.accounts[index].owed.retain(|other| *other != (number, of));
                return Ok(Some(prepared));
            }
            if off {
                self.world.accounts[index].owed.retain(|other| *other != (number, of));
            }
        }
        self.world.accounts[index].awake = false;
        Ok(None)
    }

    fn carry_out(&mut self, index: Index, number: u64, ready: Ready) -> Result<Prepared, Blocked> {
        let Ready { of, plan, mutation, ways } = ready;
        let making = Making {
            of: Some(of),
            mutation,
            ways,
            // Keeps two transactions on one slot from being the same bytes.
            source_tag: Some(number as u32),
            ..Making::of(Origin::Load)
        };
        let prepared = self.assemble(index, plan, making)?;
        self.notes.planned(of);
        self.touch(index);
        Ok(prepared)
    }

    /// Draws an account's plan of a number: of the type that is wanted, or of any.
    fn make(&self, index: Index, number: u64, wanted: Option<TypeId>) -> (Option<Ready>, Waits) {
        let account = &self.world.accounts[index];
        let mut seed = self.run.0;
        let salt = account.id.0.into_iter().chain(number.to_le_bytes());
        seed.iter_mut().zip(salt).for_each(|(byte, salt)| *byte ^= salt);
        let mut rng = ChaCha8Rng::from_seed(seed);
        // Drawn before the type, so that a changed share leaves the valid ones as they were.
        let invalid =
            (below(&mut rng, 1 << 32) as f64) < self.intent_invalid / 100.0 * 2f64.powi(32);
        let mut waits = Waits::new();
        let drawn = self.draw(&mut rng, account.role);
        let Some(mut of) = wanted.or(drawn) else { return (None, waits) };
        let mut planner =
            Planner { world: &self.world, fees: &self.fees, sender: index, rng: &mut rng };
        let plan = loop {
            match self.catalogue.get(of).plan(&mut planner) {
                Ok(plan) => break plan,
                Err(wait) => {
                    waits.push((of, wait));
                    match self.first(account.role, wait, &waits).filter(|_| wanted.is_none()) {
                        Some(first) => of = first,
                        None => return (None, waits),
                    }
                }
            }
        };
        let (plan, mutation, ways) = self.vary(&mut planner, of, plan, invalid);
        (Some(Ready { of, plan, mutation, ways }), waits)
    }

    /// A type by weight; every other time one of those that the run has not sent yet, if it is steered
    /// so.
    fn draw(&self, rng: &mut ChaCha8Rng, role: Role) -> Option<TypeId> {
        let drawn = self.catalogue.draw(rng, role);
        if !self.steered {
            return drawn;
        }
        let new: SmallVec<[TypeId; 64]> = self
            .catalogue
            .open(role)
            .filter(|id| !self.covered.has_plain(self.catalogue.get(*id).about().name))
            .collect();
        let first = below(rng, 2 * new.len() as u64) as usize;
        new.get(first).copied().or(drawn)
    }

    /// The type that must come first, if that is what a type waits for and it can be sent.
    fn first(&self, role: Role, wait: Wait, waits: &Waits) -> Option<TypeId> {
        let Wait::First(name) = wait else { return None };
        let first = self.catalogue.find(name).ok()?;
        let possible = self.catalogue.is_enabled(first)
            && self.catalogue.may_send(role, first)
            && waits.len() < CHAIN
            && waits.iter().all(|(of, _)| *of != first);
        possible.then_some(first)
    }

    /// Makes a plan wrong, or sends it in other ways, as the shares say.
    fn vary(
        &self,
        planner: &mut Planner<'_>,
        of: TypeId,
        plan: Plan,
        invalid: bool,
    ) -> (Plan, Option<&'static Mutation>, SmallVec<[Way; 2]>) {
        let of = self.catalogue.get(of).about();
        let plain = Way::Plain(plan.variant);
        debug_assert!(
            plan.variant.map_or(of.variants.is_empty(), |variant| of.variants.contains(&variant)),
            "{}: {:?} is not among its variants",
            of.name,
            plan.variant
        );
        if invalid {
            let new = |mutation: &Mutation| {
                self.steered && !self.covered.has(of.name, Way::Mutated(mutation.name))
            };
            let (plan, mutation) = mutation::mutate(planner, of.mutations, plan, new);
            let way = mutation.map_or(plain, |mutation| Way::Mutated(mutation.name));
            return (plan, mutation, [way].into_iter().collect());
        }
        let fits = |modifier: Modifier| self.fits(of.modifiers, modifier);
        let mut drawn = self.shares.draw(planner, fits);
        if self.steered {
            let new = |m: &&Modifier| fits(**m) && !self.covered.has(of.name, Way::Modified(**m));
            drawn = Modifier::ALL.iter().find(new).copied().into_iter().chain(drawn).collect();
        }
        let mut ways: SmallVec<[Way; 2]> = SmallVec::new();
        let mut varied = plan;
        for modifier in drawn {
            if modifier.apply(planner, &mut varied) {
                ways.push(Way::Modified(modifier));
            }
        }
        if ways.is_empty() {
            ways.push(plain);
        }
        (varied, None, ways)
    }

    /// Whether a modifier fits a type, and the network has what it needs.
    fn fits(&self, of: &[Modifier], modifier: Modifier) -> bool {
        let has =
            |name: &str| self.catalogue.find(name).is_ok_and(|id| self.catalogue.is_enabled(id));
        of.contains(&modifier) && modifier.needs().is_none_or(has)
    }

    /// A plan of a type (any if none) as it is, neither wrong nor modified.
    pub(super) fn plain(
        &self,
        index: Index,
        seed: Hash256,
        id: Option<TypeId>,
    ) -> Result<(TypeId, Plan), Option<Wait>> {
        /// How many types are drawn before another account is asked.
        const DRAWS: usize = 8;
        let mut rng = ChaCha8Rng::from_seed(seed.0);
        let role = self.world.accounts[index].role;
        let mut why = None;
        for _ in 0..if id.is_some() { 1 } else { DRAWS } {
            let Some(of) = id.or_else(|| self.catalogue.draw(&mut rng, role)) else { break };
            let mut planner =
                Planner { world: &self.world, fees: &self.fees, sender: index, rng: &mut rng };
            match self.catalogue.get(of).plan(&mut planner) {
                Ok(plan) => return Ok((of, plan)),
                Err(wait) => why = Some(wait),
            }
        }
        Err(why)
    }
}
