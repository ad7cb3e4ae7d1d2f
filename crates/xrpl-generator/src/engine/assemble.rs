//! A plan gets its slot and fee, is signed, and is in flight from then on.

use std::time::Duration;

use bytes::Bytes;
use smallvec::SmallVec;
use xrpl_protocol::transaction::{Common, Slot};

use super::{
    Engine,
    flight::{Flying, Origin, Prepared},
};
use crate::{
    accounts::Index,
    catalogue::TypeId,
    coverage::Way,
    fees::FeeClass,
    lane::{Answer, Blocked},
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
    pub(super) origin: Origin,
    pub(super) source_tag: Option<u32>,
    /// What of it is counted.
    pub(super) ways: SmallVec<[Way; 2]>,
}

impl Making {
    pub(super) fn of(origin: Origin) -> Self {
        Self { of: None, mutation: None, origin, source_tag: None, ways: SmallVec::new() }
    }
}

/// The slots of what a Batch holds.
type Numbers = SmallVec<[Slot; 4]>;
/// Those of them that are other accounts'.
type Legs = SmallVec<[(Index, Slot); 2]>;

impl Engine {
    pub(super) fn assemble(
        &mut self,
        index: Index,
        plan: Plan,
        making: Making,
    ) -> Result<Prepared, Blocked> {
        let Making { of, mutation, origin, source_tag, ways } = making;
        let Plan { body, flags, fee, place, width, authorization, holds, learns, .. } = plan;
        self.legs_are_free(index, &body, mutation.is_some())?;
        let lane = &mut self.world.accounts[index].lane;
        // A transaction that is to be refused moves nothing, one that is to claim moves by one.
        let most = if mutation.is_some() { 1 } else { width.most() };
        // What is sent on a slot that is not the lane's uses none of the lane's.
        let slot = match place {
            Place::Ticket => lane.take_ticket()?,
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
        let common = Common {
            account: self.world.accounts[index].id,
            slot,
            fee,
            flags,
            last_ledger: Some(self.head.plus(self.last_ledger_offset)),
            network_id: self.network_id,
            source_tag,
        };
        let unsure = matches!(width, Width::AtMost(_)) && mutation.is_none();
        let accounts = &self.world.accounts;
        let signed = signing::signed(accounts, index, body, &authorization, &common, &numbers);
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
        self.answers.add(None);
        Ok(Prepared {
            hash: signed.hash,
            blob,
            sender: index,
            name: self.name_of(of),
            origin,
            mutation,
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
                    legs.push((leg.account, taken));
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
