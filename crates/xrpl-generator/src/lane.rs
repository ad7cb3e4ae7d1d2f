//! An account's lane: its consecutive Sequences and its Tickets, with several transactions in
//! flight.
//!
//! The ledger takes an account's transactions in the order of their Sequences, without gaps. A
//! lane hands out slots so that at every instant
//!
//! 1. a slot is never handed out for another purpose while a transaction on it may still apply,
//! 2. a slot comes back only when every transaction on it is known never to apply,
//! 3. a slot that came back from the middle is handed out before anything else ([`Lane::hole`]),
//! 4. nothing is put behind a transaction whose place in the order is not yet sure.
//!
//! A slot may have *rivals*: further transactions on the same Sequence or Ticket, made on purpose to
//! get it used ([`Lane::rival`]) where the first one waits or was refused. The ledger takes one of
//! them at most. The slot is used up as soon as one is validated, and free only when all have ended
//! without. There are [`MOST_RIVALS`] of a slot at most.
//!
//! It is a plain value without time, input or output; the caller reports what happened.

use std::collections::VecDeque;

use smallvec::{SmallVec, smallvec};
use xrpl_protocol::{Sequence, transaction::Slot};

/// How many transactions of one account xrpld keeps in its queue.
pub const NODE_QUEUE_PER_ACCOUNT: usize = 10;

/// How many transactions may follow the first one on its slot.
pub const MOST_RIVALS: u8 = 3;

/// Which of a slot's transactions: 0 is the one that took it, 1 the first rival.
pub type Rival = u8;

/// Why a lane gives no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blocked {
    /// As many as allowed are in flight.
    Full,
    /// One is on its way to the node; the next may not overtake it.
    OnTheWire,
    /// The node has not taken an earlier one yet (`ter`, `tel`), or its queue holds as many of
    /// this account as it will.
    NodeQueue,
    /// An earlier one must be decided first: it was refused, or it is not sure how far it moves
    /// the Sequence.
    Undecided,
    /// A hole must be filled first by a transaction that moves the Sequence by one.
    Hole,
    /// The Sequence is in doubt and must be read from a validated ledger.
    Doubt,
    /// There is no Ticket.
    NoTicket,
}

impl Blocked {
    /// One word for machines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::OnTheWire => "on_the_wire",
            Self::NodeQueue => "node_queue",
            Self::Undecided => "undecided",
            Self::Hole => "hole",
            Self::Doubt => "doubt",
            Self::NoTicket => "no_ticket",
        }
    }

    /// For people.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Full => "as many as allowed are in flight",
            Self::OnTheWire => "one is on its way to the node; the next may not overtake it",
            Self::NodeQueue => "the node has not taken an earlier one yet, or its queue is full",
            Self::Undecided => "an earlier one must be decided first",
            Self::Hole => "a hole in its Sequences must be filled first",
            Self::Doubt => "its Sequence is in doubt and is read from a validated ledger",
            Self::NoTicket => "it has no Ticket",
        }
    }
}

/// The node's first answer to a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `tes`: it is in the open ledger.
    Applied,
    /// `tec`: it is in the open ledger and claims its fee.
    Claimed,
    /// `terQUEUED`.
    Queued,
    /// Other `ter`, `tel`, or not sent yet: the same bytes are sent again later.
    Retrying,
    /// Sent, and no answer came.
    Unknown,
    /// Refused (`tem`, `tef`), but a node may hold it and apply it later.
    Refused,
    /// Refused because the slot is gone (`tefPAST_SEQ`, `tefNO_TICKET`): by whom, only the ledger
    /// says.
    Past,
    /// It has ended already; [`Lane::settled`] follows.
    Ended,
}

/// How a transaction ended, as far as its slot is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// In a validated ledger: it moved the account's Sequence by this much (a Ticket: it is gone).
    Consumed {
        /// 1, or more for a successful TicketCreate.
        width: u32,
    },
    /// It never left, was refused, or expired with proof: it does not use the slot.
    Free,
    /// One of its rivals used the slot, whose own end tells how.
    Lost,
    /// Something else used the slot, or it is not known.
    Doubtful,
}

/// What an end means for the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is used up.
    Used,
    /// It can be used again.
    Free,
    /// Others on it may still apply.
    Open,
    /// What became of it is to be read from the ledger.
    Doubtful,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Wire,
    Held,
    Queued,
    Retrying,
    /// Nothing may follow until it is settled.
    Undecided,
}

/// The transactions on one slot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Contest {
    /// How many there were.
    made: Rival,
    /// Those that have not ended.
    live: SmallVec<[(Rival, Phase); 1]>,
}

impl Contest {
    fn of_one() -> Self {
        Self { made: 1, live: smallvec![(0, Phase::Wire)] }
    }

    fn may_rival(&self) -> bool {
        self.made <= MOST_RIVALS && self.phase() != Phase::Wire
    }

    fn rival(&mut self) -> Rival {
        let rival = self.made;
        self.made += 1;
        self.live.push((rival, Phase::Wire));
        rival
    }

    fn is_live(&self, rival: Rival) -> bool {
        self.live.iter().any(|(n, _)| *n == rival)
    }

    /// How sure it is that the slot is used before what comes behind it: as sure as its surest
    /// transaction, once none is on the wire.
    fn phase(&self) -> Phase {
        let of = |phase| self.live.iter().any(|(_, p)| *p == phase);
        [Phase::Wire, Phase::Held, Phase::Queued, Phase::Retrying]
            .into_iter()
            .find(|phase| of(*phase))
            .unwrap_or(Phase::Undecided)
    }

    /// Takes in an end; what is left then.
    fn end(&mut self, rival: Rival, end: End) -> Verdict {
        self.live.retain(|(n, _)| *n != rival);
        match end {
            End::Consumed { .. } => Verdict::Used,
            _ if !self.live.is_empty() => Verdict::Open,
            // Nobody is left who could have used it instead.
            End::Doubtful | End::Lost => Verdict::Doubtful,
            End::Free => Verdict::Free,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Flight {
    first: u32,
    width: u32,
    contest: Contest,
}

impl Flight {
    fn phase(&self) -> Phase {
        let phase = self.contest.phase();
        // Rivals may move the Sequence by less than the first one.
        let mixed = self.width > 1 && self.contest.live.len() > 1;
        if mixed && phase != Phase::Wire { Phase::Undecided } else { phase }
    }
}

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lane {
    /// The first Sequence never handed out.
    next: u32,
    /// Slots with live transactions by Sequence, ascending.
    flights: VecDeque<Flight>,
    /// Numbers below `next` that are free again, ascending; something live stands behind each.
    holes: Vec<u32>,
    free_tickets: VecDeque<u32>,
    /// Tickets that only who asks for their number gets.
    kept_tickets: SmallVec<[u32; 2]>,
    ticket_flights: SmallVec<[(u32, Contest); 2]>,
    max_pending: usize,
    doubt: bool,
    /// Slots of transactions whose end was taken back, and that have no other one yet.
    reopened: SmallVec<[Slot; 2]>,
}

impl Lane {
    /// A lane whose next transaction has this Sequence.
    #[must_use]
    pub fn new(next: Sequence, max_pending: usize) -> Self {
        Self {
            next: next.0,
            flights: VecDeque::new(),
            holes: Vec::new(),
            free_tickets: VecDeque::new(),
            kept_tickets: SmallVec::new(),
            ticket_flights: SmallVec::new(),
            max_pending: max_pending.max(1),
            doubt: false,
            reopened: SmallVec::new(),
        }
    }

    /// Changes how many may be in flight; what is in flight stays.
    pub fn set_max_pending(&mut self, max_pending: usize) {
        self.max_pending = max_pending.max(1);
    }

    /// How many may be in flight.
    #[must_use]
    pub fn max_pending(&self) -> usize {
        self.max_pending
    }

    /// How many slots have transactions in flight, Sequences and Tickets.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.flights.len() + self.ticket_flights.len()
    }

    /// The next Sequence never handed out.
    #[must_use]
    pub fn next(&self) -> Sequence {
        Sequence(self.next)
    }

    /// How many Tickets are free.
    #[must_use]
    pub fn free_tickets(&self) -> usize {
        self.free_tickets.len()
    }

    /// Takes the next slot. `width` is by how much the transaction moves the Sequence: 1, or
    /// 1 + TicketCount for a TicketCreate.
    ///
    /// # Errors
    /// Why there is none now.
    pub fn take(&mut self, width: u32) -> Result<Slot, Blocked> {
        self.may_take(width)?;
        if !self.holes.is_empty() {
            return self.take_hole().ok_or(Blocked::Undecided);
        }
        let first = self.next;
        self.next += width;
        self.flights.push_back(Flight { first, width, contest: Contest::of_one() });
        Ok(Slot::Sequence(Sequence(first)))
    }

    /// Whether [`Lane::take`] would give a slot.
    ///
    /// # Errors
    /// Why it would not.
    pub fn may_take(&self, width: u32) -> Result<(), Blocked> {
        if let Some(hole) = self.holes.first() {
            if width != 1 {
                return Err(Blocked::Hole);
            }
            return self.place_is_sure(*hole);
        }
        self.place_is_sure(self.next)?;
        if self.in_flight() >= self.max_pending {
            return Err(Blocked::Full);
        }
        Ok(())
    }

    /// Whether a hole waits to be filled, and may be now: [`Lane::take`] with a width of 1 gives
    /// it, beyond `max_pending` too, because everything behind it waits for it.
    #[must_use]
    pub fn hole(&self) -> bool {
        self.holes.first().is_some_and(|hole| self.place_is_sure(*hole).is_ok())
    }

    fn take_hole(&mut self) -> Option<Slot> {
        let first = (!self.holes.is_empty()).then(|| self.holes.remove(0))?;
        let at = self.flights.partition_point(|f| f.first < first);
        self.flights.insert(at, Flight { first, width: 1, contest: Contest::of_one() });
        Some(Slot::Sequence(Sequence(first)))
    }

    fn place_is_sure(&self, number: u32) -> Result<(), Blocked> {
        if self.doubt {
            return Err(Blocked::Doubt);
        }
        let mut queued = 0;
        for flight in &self.flights {
            match flight.phase() {
                // Whatever its number: two on the wire may arrive in either order.
                Phase::Wire => return Err(Blocked::OnTheWire),
                Phase::Retrying if flight.first < number => return Err(Blocked::NodeQueue),
                Phase::Undecided if flight.first < number => return Err(Blocked::Undecided),
                Phase::Queued => queued += 1,
                _ => {}
            }
        }
        if queued >= NODE_QUEUE_PER_ACCOUNT { Err(Blocked::NodeQueue) } else { Ok(()) }
    }

    /// Takes a Ticket. Tickets are used in any order and wait for nothing.
    ///
    /// # Errors
    /// [`Blocked::NoTicket`] or [`Blocked::Full`].
    pub fn take_ticket(&mut self) -> Result<Slot, Blocked> {
        if self.in_flight() >= self.max_pending {
            return Err(Blocked::Full);
        }
        let number = self.free_tickets.pop_front().ok_or(Blocked::NoTicket)?;
        self.ticket_flights.push((number, Contest::of_one()));
        Ok(Slot::Ticket(Sequence(number)))
    }

    /// Keeps a free Ticket for who will ask for its number.
    pub fn keep_ticket(&mut self, number: u32) {
        if let Some(at) = self.free_tickets.iter().position(|free| *free == number) {
            self.free_tickets.remove(at);
            self.kept_tickets.push(number);
        }
    }

    /// Frees a Ticket that was kept, unless it was taken meanwhile.
    pub fn free_ticket(&mut self, number: u32) {
        if let Some(at) = self.kept_tickets.iter().position(|kept| *kept == number) {
            self.kept_tickets.remove(at);
            self.free_tickets.push_back(number);
        }
    }

    /// Takes a Ticket that was kept.
    ///
    /// # Errors
    /// As many as allowed are in flight, or it is not kept.
    pub fn take_kept_ticket(&mut self, number: u32) -> Result<Slot, Blocked> {
        if self.in_flight() >= self.max_pending {
            return Err(Blocked::Full);
        }
        let at = self.kept_tickets.iter().position(|kept| *kept == number);
        self.kept_tickets.remove(at.ok_or(Blocked::NoTicket)?);
        self.ticket_flights.push((number, Contest::of_one()));
        Ok(Slot::Ticket(Sequence(number)))
    }

    fn contest(&mut self, slot: Slot) -> Option<&mut Contest> {
        let number = slot.number();
        match slot {
            Slot::Sequence(_) => {
                self.flights.iter_mut().find(|f| f.first == number).map(|f| &mut f.contest)
            }
            Slot::Ticket(_) => {
                self.ticket_flights.iter_mut().find(|(n, _)| *n == number).map(|(_, c)| c)
            }
        }
    }

    /// Whether [`Lane::rival`] would put one more transaction on a slot.
    #[must_use]
    pub fn may_rival(&self, slot: Slot) -> bool {
        let number = slot.number();
        let contest = match slot {
            Slot::Sequence(_) => {
                self.flights.iter().find(|f| f.first == number).map(|f| &f.contest)
            }
            Slot::Ticket(_) => {
                self.ticket_flights.iter().find(|(n, _)| *n == number).map(|(_, c)| c)
            }
        };
        !self.doubt && contest.is_some_and(Contest::may_rival)
    }

    /// Puts one more transaction on a slot that has some in flight. It may move the Sequence by as
    /// much as the first one, or by one. None if nothing is in flight there, one of them is on its
    /// way to the node, or there were [`MOST_RIVALS`] already.
    pub fn rival(&mut self, slot: Slot) -> Option<Rival> {
        self.may_rival(slot).then(|| self.contest(slot).map(Contest::rival)).flatten()
    }

    /// Whether the slot is the next one that the ledger takes of this account, or a Ticket, which
    /// waits for no other: what stands behind others moves only when they do.
    #[must_use]
    pub fn is_next(&self, slot: Slot) -> bool {
        match slot {
            Slot::Ticket(_) => true,
            Slot::Sequence(number) => {
                let first = self.flights.front().map(|flight| flight.first);
                first == Some(number.0) && self.holes.first().is_none_or(|hole| *hole > number.0)
            }
        }
    }

    /// Tickets that a validated ledger shows.
    pub fn add_tickets(&mut self, numbers: impl IntoIterator<Item = u32>) {
        for number in numbers {
            let in_flight = self.ticket_flights.iter().any(|(n, _)| *n == number);
            let known = self.free_tickets.contains(&number) || self.kept_tickets.contains(&number);
            if !known && !in_flight {
                self.free_tickets.push_back(number);
            }
        }
    }

    /// The node's newest answer. What is unknown is ignored: the end may be known before the answer.
    pub fn answered(&mut self, slot: Slot, rival: Rival, answer: Answer) {
        let width = match slot {
            Slot::Ticket(_) => 1,
            Slot::Sequence(number) => {
                let flight = self.flights.iter().find(|flight| flight.first == number.0);
                flight.map_or(1, |flight| flight.width)
            }
        };
        let Some(contest) = self.contest(slot) else { return };
        let Some((_, phase)) = contest.live.iter_mut().find(|(n, _)| *n == rival) else { return };
        *phase = match answer {
            Answer::Ended | Answer::Refused | Answer::Past => Phase::Undecided,
            Answer::Retrying => Phase::Retrying,
            // Until it is validated nobody knows whether the Sequence moves by 1 or by more.
            _ if width > 1 && answer != Answer::Applied => Phase::Undecided,
            Answer::Applied | Answer::Claimed | Answer::Unknown => Phase::Held,
            Answer::Queued => Phase::Queued,
        };
    }

    /// How a transaction ended; what that means for its slot. None if it is not known here: its
    /// slot is decided already, or is none of this lane's.
    pub fn settled(&mut self, slot: Slot, rival: Rival, end: End) -> Option<Verdict> {
        let contest = self.contest(slot).filter(|contest| contest.is_live(rival))?;
        let verdict = contest.end(rival, end);
        if verdict == Verdict::Open {
            // The others may still use it; whatever else did is read once they have ended.
            self.doubt |= end == End::Doubtful;
            return Some(verdict);
        }
        let number = slot.number();
        match slot {
            Slot::Ticket(_) => {
                self.ticket_flights.retain(|(n, _)| *n != number);
                if verdict == Verdict::Free {
                    self.free_tickets.push_front(number);
                }
            }
            Slot::Sequence(_) => {
                let at = self.flights.iter().position(|flight| flight.first == number)?;
                let flight = self.flights.remove(at)?;
                self.settle_flight(&flight, end);
            }
        }
        Some(verdict)
    }

    fn settle_flight(&mut self, flight: &Flight, end: End) {
        let past = flight.first + flight.width;
        let free_from = match end {
            End::Consumed { width } => {
                // A ledger that has this Sequence has every lower one: a hole below contradicts.
                self.doubt |= width > flight.width || self.holes.iter().any(|h| *h < flight.first);
                flight.first + width.min(flight.width)
            }
            End::Free => flight.first,
            End::Doubtful | End::Lost => {
                self.doubt = true;
                past
            }
        };
        self.holes.extend(free_from..past);
        self.holes.sort_unstable();
        while self.holes.last().is_some_and(|hole| hole + 1 == self.next) {
            self.holes.pop();
            self.next -= 1;
        }
    }

    /// Something shows that the lane's idea of the Sequence may be wrong.
    pub fn doubt(&mut self) {
        self.doubt = true;
    }

    /// The end of a transaction is taken back: the ledger that it rested on is another one. It may yet
    /// be applied, whatever was signed since, so that nothing more is signed until it has its end and
    /// the Sequence was read. What is in flight stays: each of those is followed to its own end, and
    /// of two on one slot the ledger takes one. A Ticket that came back is not used meanwhile.
    pub fn revoked(&mut self, slot: Slot) {
        self.doubt = true;
        self.reopened.push(slot);
        if let Slot::Ticket(number) = slot {
            self.free_tickets.retain(|free| *free != number.0);
        }
    }

    /// A transaction whose end was taken back has ended. What the Sequence is now, only the ledger
    /// says. Slots that are not reopened are ignored.
    pub fn decided(&mut self, slot: Slot, end: End) {
        let Some(at) = self.reopened.iter().position(|one| *one == slot) else { return };
        self.reopened.remove(at);
        self.doubt = true;
        if let (Slot::Ticket(number), End::Free) = (slot, end) {
            self.add_tickets([number.0]);
        }
    }

    /// Whether the Sequence is in doubt and nothing live can change it any more, so that the
    /// validated one is the truth.
    #[must_use]
    pub fn needs_reread(&self) -> bool {
        self.doubt && self.flights.is_empty() && self.reopened.is_empty()
    }

    /// The account's Sequence in a validated ledger, read while [`Lane::needs_reread`]; otherwise
    /// it is ignored.
    pub fn reread(&mut self, sequence: Sequence) {
        if self.needs_reread() {
            self.next = sequence.0;
            self.holes.clear();
            self.doubt = false;
        }
    }
}

#[cfg(test)]
mod tests;
