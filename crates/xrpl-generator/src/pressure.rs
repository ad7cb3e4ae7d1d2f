//! How much the node refuses for now, and whether the load waits for that.
//!
//! What is answered `ter` or `tel`, or could not be sent, is sent again on later ledgers until its
//! LastLedgerSequence. While a node takes most of what it gets, that costs little, however many
//! wait. When it refuses most, sending on only makes more that may expire. So what counts is the
//! share of refusals among the newest answers, those to repeated attempts included, with one mark to
//! stop at and a lower one to go on at; meanwhile a few transactions a ledger find out how it is.

/// The weight of the newest answer: an answer counts about as long as the next sixteen.
const WEIGHT: f64 = 1.0 / 16.0;
/// The load stops where this share is refused.
const STOP: f64 = 0.5;
/// It goes on where this share is.
const GO: f64 = 0.25;
/// How many may be sent a ledger while it waits.
const PROBES: u32 = 8;

/// See the [module](self).
#[derive(Clone, Copy, Debug, Default)]
pub struct Pressure {
    /// The share of refusals, newer ones counting more.
    share: f64,
    held: bool,
    probes: u32,
}

impl Pressure {
    /// An answer: whether the node refused for now.
    pub fn note(&mut self, refused: bool) {
        self.share += (f64::from(u8::from(refused)) - self.share) * WEIGHT;
        if self.share >= STOP {
            self.held = true;
        } else if self.share <= GO {
            self.held = false;
        }
    }

    /// Nothing waits to be sent again any more.
    pub fn relieve(&mut self) {
        if self.held {
            *self = Self { share: GO, ..Self::default() };
        }
    }

    /// A ledger was validated: it made room, maybe.
    pub fn ledger(&mut self) {
        self.probes = PROBES;
    }

    /// Whether the load may send one more.
    #[must_use]
    pub fn may_send(&self) -> bool {
        !self.held || self.probes > 0
    }

    /// The load has sent one.
    pub fn sent(&mut self) {
        if self.held {
            self.probes = self.probes.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(answers: impl IntoIterator<Item = bool>) -> Pressure {
        let mut pressure = Pressure::default();
        answers.into_iter().for_each(|refused| pressure.note(refused));
        pressure
    }

    #[test]
    fn the_share_of_refusals_stops_the_load_and_not_their_number() {
        // Of thousands, one in three: that is no reason to stop.
        assert!(noted((0..3000).map(|n| n % 3 == 0)).may_send());
        assert!(noted([true; 8]).may_send(), "a few at first say little");
        assert!(!noted([true; 16]).may_send());
        assert!(!noted((0..3000).map(|n| n % 4 != 0)).may_send());
    }

    #[test]
    fn between_the_marks_it_stays_as_it_was() {
        let mut pressure = noted([true; 40]);
        let mut taken = 0;
        while !pressure.may_send() {
            pressure.note(false);
            taken += 1;
        }
        assert!((16..30).contains(&taken), "{taken}");
        for _ in 0..4 {
            pressure.note(true);
        }
        assert!(pressure.may_send(), "not at once again");
    }

    #[test]
    fn each_ledger_lets_a_few_through() {
        let mut pressure = noted([true; 40]);
        pressure.ledger();
        let mut sent = 0;
        while pressure.may_send() {
            pressure.sent();
            pressure.note(true);
            sent += 1;
        }
        assert_eq!(sent, PROBES);
        pressure.relieve();
        assert!(pressure.may_send(), "nothing waits any more");
    }
}
