//! The account's transactions between tracker, lane and node, and what can happen next.

use std::hash::{Hash, Hasher};

use xrpl_generator::lane::{Answer, End, Lane, Rival};
use xrpl_protocol::{Hash256, LedgerIndex, ResultClass, Sequence, TxHash, transaction::Slot};
use xrpl_tracker::{
    AbsenceProof, Evidence, ResultName, Source, State, ValidatedIn,
    lifecycle::{Effect, Event, TxState, refusals::Handling, transition},
};

use crate::node::{Asked, AtNode, Ledger, Mood};

/// Ledgers for which a transaction can be taken after the newest one.
const LIFE: u8 = 2;
/// Attempts that may fail before the tracker gives up on what never left.
const BUDGET: u8 = 2;
/// Longest way to the end once nothing goes wrong, in ledgers.
const PATIENCE: u8 = 12;

/// How much may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Limits {
    pub(crate) transactions: usize,
    pub(crate) faults: u8,
    pub(crate) ledgers: u8,
    pub(crate) in_flight: usize,
    /// What is signed: more kinds, more states.
    pub(crate) kinds: &'static [Kind],
}

impl Default for Limits {
    fn default() -> Self {
        Self { transactions: 2, faults: 1, ledgers: 5, in_flight: 2, kinds: &Kind::ALL }
    }
}

/// What a transaction is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Good,
    /// Signed by a key that becomes the account's, or does not.
    OtherKey,
    /// Malformed by what the ledger holds, and no more once that has changed.
    Turning,
    /// Deliberately wrong, sent with `fail_hard`.
    Malformed,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Good, Self::OtherKey, Self::Turning, Self::Malformed];
}

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Tx {
    asked: Asked,
    /// Which of its slot's transactions it is.
    rival: Rival,
    /// The newest ledger when it was signed.
    signed_at: u8,
    condition: TxState,
    /// A request that its sender has given up may still arrive.
    late: bool,
    /// When it is sent again: at this ledger.
    resend_at: Option<u8>,
    attempts: u8,
    at: AtNode,
    ended: bool,
}

/// Everything.
#[derive(Clone, Debug)]
pub(crate) struct World {
    limits: Limits,
    /// None while a restarted generator waits for what is open.
    lane: Option<Lane>,
    ledger: Ledger,
    txs: Vec<Tx>,
    faults: u8,
    restarted: bool,
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.lane.hash(state);
        self.ledger.hash(state);
        self.txs.hash(state);
        (self.faults, self.restarted).hash(state);
    }
}

/// What may become of an attempt to submit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Answered(Mood),
    AnswerLost(Mood),
    NeverLeft,
    /// The sender gives up before it arrives.
    Late,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Sign(Kind),
    /// One more on the slot of this one, made on purpose.
    Rival(usize),
    Attempt(usize, Fate),
    Arrive(usize, Mood),
    /// The node's transactions on the account's next Sequences that get in, as digits to the base of
    /// one more than there are transactions, 0 for none; after it nothing of the account gets in.
    Close(u32),
    Authorise,
    Forget(usize),
    Replay(usize, Mood),
    Tell(usize),
    /// The first one is told of the other, which has its slot.
    TellRival(usize, usize),
    LastLedgerPassed(usize, bool),
    /// Every ledger is known, and shows its Sequence gone: whether the first possible one is, too.
    SlotGone(usize, bool),
    Restart,
}

type Holds = Result<(), String>;

fn hash(n: usize) -> TxHash {
    TxHash([n as u8 + 1; 32])
}

fn slot(number: u8) -> Slot {
    Slot::Sequence(Sequence(number.into()))
}

impl World {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            lane: Some(Lane::new(Sequence(1), limits.in_flight)),
            ledger: Ledger { head: 1, sequence: 1, authorised: false },
            txs: Vec::new(),
            faults: limits.faults,
            restarted: false,
            limits,
        }
    }

    /// The first Sequence that nothing in the open ledger uses: as far as the node's transactions
    /// go without a gap.
    fn open(&self) -> u8 {
        let mut open = self.ledger.sequence;
        while self.txs.iter().any(|tx| self.ledger.takes(&tx.asked, tx.at, open)) {
            open += 1;
        }
        open
    }

    /// Everything that can happen now.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let faulty = self.faults > 0;
        if self.txs.len() < self.limits.transactions
            && self.lane.as_ref().is_some_and(|lane| lane.may_take(1).is_ok())
        {
            steps.extend(self.limits.kinds.iter().copied().map(Step::Sign));
        }
        let moods = [Mood::Applies, Mood::Queues, Mood::WantsMore];
        for (n, tx) in self.txs.iter().enumerate() {
            let contested = self
                .lane
                .as_ref()
                .is_some_and(|lane| lane.clone().rival(slot(tx.asked.number)).is_some());
            if self.txs.len() < self.limits.transactions && !tx.ended && contested {
                steps.push(Step::Rival(n));
            }
            if self.may_attempt(tx) {
                steps.extend(moods.map(|mood| Step::Attempt(n, Fate::Answered(mood))));
                if faulty {
                    steps.push(Step::Attempt(n, Fate::AnswerLost(Mood::Applies)));
                    steps.push(Step::Attempt(n, Fate::AnswerLost(Mood::WantsMore)));
                    steps.push(Step::Attempt(n, Fate::NeverLeft));
                    steps.push(Step::Attempt(n, Fate::Late));
                }
            }
            if tx.late {
                steps.push(Step::Arrive(n, Mood::Applies));
            }
            if faulty && tx.at.held {
                steps.push(Step::Forget(n));
            }
            if faulty && tx.at.public && !tx.at.held && tx.at.ledger.is_none() {
                steps.push(Step::Replay(n, Mood::Applies));
            }
            match tx.at.ledger {
                Some(_) if tx.condition.state != State::Validated => steps.push(Step::Tell(n)),
                Some(_) => {
                    let rivals =
                        self.txs.iter().enumerate().filter(|(_, other)| {
                            !other.ended && other.asked.number == tx.asked.number
                        });
                    steps.extend(rivals.map(|(rival, _)| Step::TellRival(rival, n)));
                }
                None if !tx.ended && self.ledger.head >= tx.asked.last => {
                    steps.push(Step::LastLedgerPassed(n, true));
                    if !tx.condition.undecided {
                        steps.push(Step::LastLedgerPassed(n, false));
                    }
                }
                None => {}
            }
            let gone = self.ledger.sequence > tx.asked.number && tx.at.ledger.is_none();
            if gone && !tx.ended {
                steps.push(Step::SlotGone(n, true));
                if !tx.condition.undecided {
                    steps.push(Step::SlotGone(n, false));
                }
            }
        }
        if self.ledger.head < self.limits.ledgers {
            self.closes(self.ledger.sequence, 1, 0, &mut steps);
            if !self.ledger.authorised
                && self.txs.iter().any(|tx| tx.asked.by_other_key || tx.asked.turns)
            {
                steps.push(Step::Authorise);
            }
        }
        if faulty && !self.restarted && !self.txs.is_empty() {
            steps.push(Step::Restart);
        }
        steps
    }

    /// Every way in which the next ledger may take some of the account's transactions in a row.
    fn closes(&self, sequence: u8, digit: u32, so_far: u32, steps: &mut Vec<Step>) {
        steps.push(Step::Close(so_far));
        let base = self.limits.transactions as u32 + 1;
        for (n, tx) in self.txs.iter().enumerate() {
            if self.ledger.takes(&tx.asked, tx.at, sequence) {
                let taken = so_far + digit * (n as u32 + 1);
                self.closes(sequence + 1, digit * base, taken, steps);
            }
        }
    }

    fn may_attempt(&self, tx: &Tx) -> bool {
        let due = tx.attempts == 0 || tx.resend_at.is_some_and(|at| at <= self.ledger.head);
        let in_time = tx.attempts == 0 || self.ledger.head < tx.asked.last;
        due && in_time && !tx.ended
    }

    /// Does a step.
    pub(crate) fn take(&mut self, step: Step) -> Holds {
        match step {
            Step::Sign(kind) => self.sign(kind),
            Step::Rival(n) => self.rival(n),
            Step::Attempt(n, fate) => self.attempt(n, fate),
            Step::Arrive(n, mood) => {
                self.txs[n].late = false;
                self.arrive(n, mood);
                Ok(())
            }
            Step::Close(taken) => self.close(taken),
            Step::Authorise => {
                // In the next ledger, by a Ticket.
                self.ledger.authorised = true;
                self.close(0)
            }
            Step::Forget(n) => {
                self.faults -= 1;
                self.txs[n].at.held = false;
                Ok(())
            }
            Step::Replay(n, mood) => {
                self.faults -= 1;
                self.arrive(n, mood);
                Ok(())
            }
            Step::Tell(n) => {
                let place = ValidatedIn {
                    ledger_index: LedgerIndex(self.txs[n].at.ledger.unwrap_or_default().into()),
                    ledger_hash: Some(Hash256([1; 32])),
                    result: ResultName::new("tesSUCCESS"),
                    source: Source::Ws,
                };
                self.event(n, &Event::SeenValidated(place))
            }
            Step::TellRival(n, by) => {
                let ledger = LedgerIndex(self.txs[by].at.ledger.unwrap_or_default().into());
                self.event(n, &Event::SequenceConsumed { by: hash(by), ledger })
            }
            Step::LastLedgerPassed(n, proven) => self.last_ledger_passed(n, proven),
            Step::SlotGone(n, read) => {
                let ledger = LedgerIndex(self.ledger.head.into());
                let first = LedgerIndex(u32::from(self.txs[n].signed_at) + 1);
                self.event(n, &Event::SlotGone { ledger, absent_from: read.then_some(first) })
            }
            Step::Restart => self.restart(),
        }
    }

    fn sign(&mut self, kind: Kind) -> Holds {
        let Some(lane) = &mut self.lane else { return Ok(()) };
        let Ok(Slot::Sequence(Sequence(number))) = lane.take(1) else {
            return Err("may_take said that there is one".into());
        };
        let number = number as u8;
        if number < self.ledger.sequence {
            return Err(format!("Sequence {number} is signed, which a ledger has used"));
        }
        if self.txs.iter().any(|tx| tx.asked.number == number && !tx.ended) {
            return Err(format!("Sequence {number} is signed again, and is not decided"));
        }
        self.add(number, 0, kind);
        Ok(())
    }

    fn rival(&mut self, n: usize) -> Holds {
        let number = self.txs[n].asked.number;
        let rival = self.lane.as_mut().and_then(|lane| lane.rival(slot(number)));
        self.add(number, rival.ok_or("a rival was possible just now")?, Kind::Good);
        Ok(())
    }

    fn add(&mut self, number: u8, rival: Rival, kind: Kind) {
        self.txs.push(Tx {
            rival,
            asked: Asked {
                number,
                last: self.ledger.head + LIFE,
                malformed: kind == Kind::Malformed,
                by_other_key: kind == Kind::OtherKey,
                turns: kind == Kind::Turning,
                fail_hard: kind == Kind::Malformed,
            },
            signed_at: self.ledger.head,
            condition: TxState::CREATED,
            late: false,
            resend_at: None,
            attempts: 0,
            at: AtNode::default(),
            ended: false,
        });
    }

    fn arrive(&mut self, n: usize, mood: Mood) -> &'static str {
        let open = self.open();
        let tx = &mut self.txs[n];
        let (result, at) = self.ledger.answers(&tx.asked, tx.at, open, mood);
        tx.at = at;
        result
    }

    fn attempt(&mut self, n: usize, fate: Fate) -> Holds {
        let tx = &mut self.txs[n];
        tx.attempts += 1;
        tx.resend_at = None;
        let attempts = u32::from(tx.attempts);
        let event = match fate {
            Fate::Answered(mood) => {
                let result = ResultName::new(self.arrive(n, mood));
                let tx = &self.txs[n];
                let handling = Handling {
                    fail_hard: tx.asked.fail_hard,
                    passed_on: tx.at.held && ["tesSUCCESS", "terQUEUED"].contains(&result.as_str()),
                    not_applied: !result.is_success(),
                    may_turn: tx.asked.turns,
                };
                Event::Answered { result, handling }
            }
            Fate::AnswerLost(mood) => {
                self.faults -= 1;
                self.arrive(n, mood);
                Event::OutcomeUnknown
            }
            Fate::NeverLeft => {
                self.faults -= 1;
                Event::NotWritten { attempts, budget_spent: self.txs[n].attempts >= BUDGET }
            }
            Fate::Late => {
                self.faults -= 1;
                self.txs[n].late = true;
                Event::OutcomeUnknown
            }
        };
        self.event(n, &event)?;
        let answer = match &event {
            Event::Answered { result, .. } => self.answer(n, Some(result)),
            _ => self.answer(n, None),
        };
        let (number, rival) = (self.txs[n].asked.number, self.txs[n].rival);
        if let Some(lane) = &mut self.lane {
            lane.answered(slot(number), rival, answer);
        }
        Ok(())
    }

    /// What the lane is told of an attempt.
    fn answer(&self, n: usize, result: Option<&ResultName>) -> Answer {
        match (self.txs[n].condition.state, result.and_then(ResultName::class)) {
            (state, _) if state.is_terminal() => Answer::Ended,
            (State::Created | State::Retryable, _) => Answer::Retrying,
            (_, Some(ResultClass::Tes)) => Answer::Applied,
            (_, Some(ResultClass::Tec)) => Answer::Claimed,
            (_, Some(ResultClass::Ter)) => Answer::Queued,
            (_, Some(_)) => Answer::Refused,
            (_, None) => Answer::Unknown,
        }
    }

    fn event(&mut self, n: usize, event: &Event) -> Holds {
        let head = self.ledger.head;
        let tx = &mut self.txs[n];
        let change = transition(&tx.condition, event);
        tx.condition = change.state;
        let mut concluded = None;
        for effect in change.effects {
            match effect {
                Effect::Conclude(evidence) => concluded = Some(evidence),
                Effect::ResendOnLaterLedger => tx.resend_at = Some(head + 1),
                Effect::ResendAfterPause => tx.resend_at = Some(head),
                Effect::Alarm => return Err("a ledger contradicts a proof".into()),
                Effect::CountOverturned => return Err("a ledger overturns a refusal".into()),
                // Look-ups are steps of their own, at any time.
                _ => {}
            }
        }
        if let Some(evidence) = concluded {
            tx.ended = true;
            tx.resend_at = None;
            self.concluded(n, &evidence);
        }
        Ok(())
    }

    fn concluded(&mut self, n: usize, evidence: &Evidence) {
        let tx = &self.txs[n];
        // Its slot has, or had, more than one on purpose.
        let contested = self.txs.iter().enumerate().any(|(other, rival)| {
            other != n && rival.asked.number == tx.asked.number && (rival.rival > 0 || tx.rival > 0)
        });
        let end = match evidence {
            Evidence::Validated(_) => End::Consumed { width: 1 },
            // As the engine has it: a rival's own end tells how.
            Evidence::SequenceConsumed { .. } | Evidence::SlotGone { .. } if contested => End::Lost,
            Evidence::SequenceConsumed { .. } | Evidence::SlotGone { .. } => End::Doubtful,
            _ => End::Free,
        };
        let (number, rival) = (tx.asked.number, tx.rival);
        if let Some(lane) = &mut self.lane {
            lane.settled(slot(number), rival, end);
        }
        self.read_again();
    }

    /// What is in doubt is read from the validated ledger; a restarted generator begins once all is
    /// decided.
    fn read_again(&mut self) {
        let validated = Sequence(self.ledger.sequence.into());
        match &mut self.lane {
            Some(lane) if lane.needs_reread() => lane.reread(validated),
            Some(_) => {}
            None if self.txs.iter().all(|tx| tx.ended) => {
                self.lane = Some(Lane::new(validated, self.limits.in_flight));
            }
            None => {}
        }
    }

    fn close(&mut self, taken: u32) -> Holds {
        let base = self.limits.transactions as u32 + 1;
        let mut rest = taken;
        while rest > 0 {
            let n = (rest % base) as usize - 1;
            rest /= base;
            self.txs[n].at.ledger = Some(self.ledger.head + 1);
            self.txs[n].at.held = false;
            self.ledger.sequence += 1;
        }
        self.ledger.head += 1;
        for tx in &mut self.txs {
            // What can apply no more is not kept.
            tx.at.held &=
                tx.asked.number >= self.ledger.sequence && self.ledger.head < tx.asked.last;
        }
        Ok(())
    }

    fn last_ledger_passed(&mut self, n: usize, proven: bool) -> Holds {
        let tx = &self.txs[n];
        let (first, last) = (tx.signed_at + 1, tx.asked.last);
        let never_left = tx.condition.state == State::Created && !tx.condition.may_have_left;
        let event = if never_left {
            Event::NotWritten { attempts: tx.attempts.into(), budget_spent: true }
        } else {
            let read = AbsenceProof::EveryLedgerRead {
                first: LedgerIndex(first.into()),
                last: LedgerIndex(last.into()),
            };
            Event::LastLedgerPassed {
                last_ledger_sequence: LedgerIndex(last.into()),
                proof: proven.then_some(read),
            }
        };
        self.event(n, &event)
    }

    /// The program goes down and comes back: what it remembers is what the store has.
    fn restart(&mut self) -> Holds {
        self.faults -= 1;
        self.restarted = true;
        self.lane = None;
        for n in 0..self.txs.len() {
            if self.txs[n].ended {
                continue;
            }
            let tx = &mut self.txs[n];
            tx.condition = TxState { may_have_left: true, undecided: false, ..tx.condition };
            if tx.condition.state == State::Created {
                self.event(n, &Event::OutcomeUnknown)?;
            } else {
                tx.resend_at = Some(self.ledger.head);
            }
        }
        self.read_again();
        Ok(())
    }

    /// What must hold at every instant.
    pub(crate) fn holds(&self) -> Holds {
        for tx in &self.txs {
            let state = tx.condition.state;
            if tx.ended != state.is_terminal() {
                return Err(format!("{state} without evidence, or the other way round"));
            }
            if tx.at.ledger.is_some() && tx.ended && state != State::Validated {
                return Err(format!("a ledger has what is {state}"));
            }
            if state == State::Validated && tx.at.ledger.is_none() {
                return Err("VALIDATED, and no ledger has it".into());
            }
            if state == State::FailedNet && (tx.at.arrived || tx.late) {
                return Err("FAILED_NET, and it reached the node".into());
            }
        }
        Ok(())
    }

    /// From here on nothing goes wrong: everything must end.
    pub(crate) fn comes_to_its_end(mut self) -> Holds {
        self.faults = 0;
        self.limits = Limits { ledgers: u8::MAX, transactions: self.txs.len() + 8, ..self.limits };
        for _ in 0..PATIENCE {
            for n in 0..self.txs.len() {
                if self.txs[n].late {
                    self.take(Step::Arrive(n, Mood::Applies))?;
                }
                if self.may_attempt(&self.txs[n]) {
                    self.take(Step::Attempt(n, Fate::Answered(Mood::Applies)))?;
                }
            }
            let mut taken = 0;
            let mut digit = 1;
            let mut sequence = self.ledger.sequence;
            while let Some(n) =
                self.txs.iter().position(|tx| self.ledger.takes(&tx.asked, tx.at, sequence))
            {
                taken += digit * (n as u32 + 1);
                digit *= self.limits.transactions as u32 + 1;
                sequence += 1;
            }
            self.take(Step::Close(taken))?;
            self.tell_everything()?;
            while self.lane.as_ref().is_some_and(Lane::hole) {
                self.sign(Kind::Good)?;
            }
            self.holds()?;
            if self.is_over() {
                return Ok(());
            }
        }
        Err("it never ends".into())
    }

    /// Everything has ended, and the lane knows where it stands.
    fn is_over(&self) -> bool {
        let Some(lane) = &self.lane else { return false };
        self.txs.iter().all(|tx| tx.ended)
            && lane.in_flight() == 0
            && !lane.needs_reread()
            && !lane.hole()
            && lane.next().0 == u32::from(self.ledger.sequence)
    }

    /// All that is to be told, until there is nothing more.
    fn tell_everything(&mut self) -> Holds {
        loop {
            let before = self.txs.clone();
            for step in self.steps() {
                // One whose turn is over by then changes nothing.
                if matches!(
                    step,
                    Step::Tell(_)
                        | Step::TellRival(..)
                        | Step::LastLedgerPassed(_, true)
                        | Step::SlotGone(_, true)
                ) {
                    self.take(step)?;
                }
            }
            if self.txs == before {
                return Ok(());
            }
        }
    }
}
