//! A plan gets its slot and fee, is signed, and is in flight from then on.

use std::time::Duration;

use bytes::Bytes;
use smallvec::SmallVec;
use xrpl_protocol::transaction::{Common, Slot};
use xrpl_tracker::{Intent, ResultName};

use super::{
    Engine,
    band::Fuzzed,
    flight::{Flying, Origin, Prepared},
};
use crate::{
    accounts::Index,
    catalogue::TypeId,
    coverage::Way,
    fees::FeeClass,
    lane::{Answer, Blocked, Rival},
    mutation::Mutation,
    plan::{Body, Place, Plan, Width},
    signing,
    world::Holds,
};

/// Why a transaction is made, and as what.
pub(super) struct Making {
    /// Its type in the catalogue; none if it is none of the load's.
    pub(super) of: Option<TypeId>,
    pub(super) mutation: Option<&'static Mutation>,
    /// What of the fuzz band it is, if it is drawn for that.
    pub(super) fuzz: Option<Fuzzed>,
    pub(super) origin: Origin,
    pub(super) source_tag: Option<u32>,
    /// What of it is counted.
    pub(super) ways: SmallVec<[Way; 2]>,
}

impl Making {
    pub(super) fn of(origin: Origin) -> Self {
        let ways = SmallVec::new();
        Self { of: None, mutation: None, fuzz: None, origin, source_tag: None, ways }
    }
}

/// The slots of what a Batch holds.
type Numbers = SmallVec<[Slot; 4]>;
/// Those of them that are other accounts', and which of each slot's transactions it is.
pub(super) type Legs = SmallVec<[(Index, Slot, Rival); 2]>;

impl Engine {
    pub(super) fn assemble(
        &mut self,
        index: Index,
        mut plan: Plan,
        making: Making,
    ) -> Result<Prepared, Blocked> {
        let Making { of, mutation, fuzz, origin, source_tag, ways } = making;
        let fuzz = fuzz.or_else(|| self.is_of_band(index).then_some(Fuzzed::OTHER));
        self.give_form(index, &mut plan);
        let Plan { body, flags, fee, place, width, authorization, holds, learns, .. } = plan;
        self.legs_are_free(index, &body, mutation.is_some())?;
        let lane = &mut self.world.accounts[index].lane;
        // A transaction that is to be refused moves nothing, one that is to claim moves by one.
        let most = if mutation.is_some() { 1 } else { width.most() };
        // What is sent on a slot that is not the lane's uses none of the lane's.
        let slot = match place {
            Place::Ticket => lane.take_ticket()?,
            Place::KeptTicket(number) => lane.take_kept_ticket(number)?,
            Place::Sequence => lane.take(most)?,
            Place::Exactly(other) => lane.may_take(most).map(|()| other)?,
        };
        let (numbers, legs) = self.take_legs(index, slot, &body, mutation.is_some());
        let least = signing::least(index, &body, &authorization, &self.fees.figures());
        let ordinary = self.fees.figures().base;
        let class = match fee {
            FeeClass::Ordinary if least > ordinary => FeeClass::Least(least),
            class => class,
        };
        let fee = self.fees.fee(class);
        let holds = match mutation {
            Some(mutation) => mutation.holds(fee.0, &holds),
            None => Holds { fee: fee.0, ..holds },
        };
        let life = if fuzz.is_some() { self.band_life() } else { self.last_ledger_offset };
        let common = Common {
            account: self.world.accounts[index].id,
            slot,
            fee,
            flags,
            last_ledger: Some(self.head.plus(life)),
            network_id: self.network_id,
            source_tag,
        };
        let unsure = matches!(width, Width::AtMost(_)) && mutation.is_none();
        let (accounts, definitions) = (&self.world.accounts, &self.definitions);
        let signed =
            signing::signed(accounts, index, body, &authorization, &common, &numbers, definitions);
        self.world.reserve(index, &holds);
        let blob = Bytes::from(signed.blob);
        let learns = learns && mutation.is_none();
        self.flying.insert(
            signed.hash,
            Flying {
                sender: index,
                slot,
                rival: 0,
                width: most,
                unsure,
                least,
                legs,
                holds,
                of,
                ways,
                authorization,
                learns,
                mutation,
                fuzz,
                origin,
                answer: None,
                stage: self.measures.stage(),
                late: Duration::ZERO,
                made_at: self.head,
                blob: blob.clone(),
                fills: false,
                rivals: SmallVec::new(),
            },
        );
        self.answers_of(fuzz).add(None);
        let intent = match (fuzz, mutation) {
            (Some(_), _) => Intent::Any,
            (None, None) => Intent::Valid,
            (None, Some(mutation)) => {
                Intent::Invalid { expected: mutation.results().map(ResultName::new).collect() }
            }
        };
        // What is to be refused shall be refused for good, so that its slot is free at once. What is
        // to claim a fee must be applied, and with `fail_hard` no `tec` is.
        let fail_hard = fuzz.is_some_and(|fuzzed| fuzzed.fail_hard)
            || mutation.is_some_and(|mutation| !mutation.claims());
        Ok(Prepared {
            hash: signed.hash,
            blob,
            sender: index,
            name: self.name_of(of),
            origin,
            mutation,
            intent,
            fail_hard,
            mangled: None,
            want_metadata: learns,
            callers_key: None,
        })
    }

    pub(super) fn name_of(&self, of: Option<TypeId>) -> &'static str {
        of.map_or("AccountSet", |id| self.catalogue.get(id).about().name)
    }

    /// What other accounts' transactions within a Batch need: theirs must be the next of these
    /// accounts, whatever the order in the ledger, so that nothing of theirs may be in flight.
    fn legs_are_free(&self, index: Index, body: &Body, wrong: bool) -> Result<(), Blocked> {
        let Body::Batch(held) = body else { return Ok(()) };
        let mut others = held.iter().filter(|leg| leg.account != index).map(|leg| leg.account);
        others.try_for_each(|account| {
            let lane = &self.world.accounts[account].lane;
            match lane.in_flight() {
                0 => lane.may_take(1),
                _ if wrong => Ok(()),
                _ => Err(Blocked::Undecided),
            }
        })
    }

    /// The slots of what a Batch holds, and those of them that are other accounts'. Nothing follows on
    /// these before the Batch has its end.
    fn take_legs(&mut self, index: Index, slot: Slot, body: &Body, wrong: bool) -> (Numbers, Legs) {
        let (mut numbers, mut legs) = (SmallVec::new(), SmallVec::new());
        let Body::Batch(held) = body else { return (numbers, legs) };
        let mut own = slot.number();
        for leg in held {
            if leg.account == index {
                own += 1;
                numbers.push(Slot::Sequence(own.into()));
                continue;
            }
            let lane = &mut self.world.accounts[leg.account].lane;
            let next = Slot::Sequence(lane.next());
            match lane.take(1) {
                Ok(taken) if !wrong => {
                    lane.answered(taken, 0, Answer::Refused);
                    numbers.push(taken);
                    legs.push((leg.account, taken, 0));
                }
                Ok(taken) => {
                    // What is wrong uses nobody's slot.
                    lane.settled(taken, 0, crate::lane::End::Free);
                    numbers.push(taken);
                }
                Err(_) => numbers.push(next),
            }
        }
        (numbers, legs)
    }
}
