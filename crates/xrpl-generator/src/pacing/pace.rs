//! How fast load goes out: by the clock, or by what the network and the load itself do.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// Steps of a [`Pace::Steps`] at most.
const MOST_STEPS: f64 = 10_000.0;
/// Transactions per second at most.
pub const MOST_TPS: f64 = 1_000_000.0;

/// How fast.
///
/// The first four are open loops by the clock: a slot is due at its time, whatever became of those
/// before it. Rates are transactions per second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pace {
    /// This many a second.
    Fixed(f64),
    /// A rate that changes evenly, and stays afterwards.
    Ramp {
        /// At first.
        from: f64,
        /// At the end.
        to: f64,
        /// How long that takes.
        over: Duration,
    },
    /// A rate that changes in steps, and stays at the last one.
    Steps {
        /// The first.
        from: f64,
        /// The last.
        to: f64,
        /// From one to the next.
        by: f64,
        /// How long each lasts.
        every: Duration,
    },
    /// Two rates in turn: the lower one first.
    Burst {
        /// Between bursts.
        base: f64,
        /// In a burst.
        peak: f64,
        /// From one burst to the next.
        every: Duration,
        /// How long a burst lasts.
        length: Duration,
    },
    /// This many for each ledger that is validated. What was not sent when the next one comes is
    /// missed.
    PerLedger(u64),
    /// As many as keep the node's transaction queue this long.
    QueueDepth(u64),
    /// As many as keep this many in flight. A closed loop: it sends less where the node is slow.
    ClosedLoop(u64),
    /// As fast as lanes, endpoint and node allow.
    Unlimited,
}

/// A stretch in which the rate changes evenly.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Infinite for the last one.
    seconds: f64,
    from: f64,
    to: f64,
}

impl Piece {
    fn flat(rate: f64, seconds: f64) -> Self {
        Self { seconds, from: rate, to: rate }
    }

    /// Slots in its first seconds.
    fn slots(self, seconds: f64) -> f64 {
        // Infinity times nothing is no number.
        if self.from == self.to {
            return if self.from == 0.0 { 0.0 } else { self.from * seconds };
        }
        let slope = (self.to - self.from) / self.seconds;
        (self.from + slope * seconds / 2.0) * seconds
    }

    /// When its slot `n` is due, which it has.
    fn when(self, n: f64) -> f64 {
        if n <= 0.0 {
            return 0.0;
        }
        let slope = (self.to - self.from) / self.seconds;
        if self.from == self.to || slope == 0.0 {
            return n / self.from;
        }
        // The form of the root that stays exact for a small slope.
        let root = (self.from * self.from + 2.0 * slope * n).max(0.0).sqrt();
        (2.0 * n / (self.from + root)).min(self.seconds)
    }
}

impl Pace {
    /// Of a number of transactions per second; 0 is unlimited.
    #[must_use]
    pub fn from_tps(tps: f64) -> Self {
        if tps > 0.0 { Self::Fixed(tps) } else { Self::Unlimited }
    }

    /// Whether the clock says when a slot is due.
    #[must_use]
    pub fn is_timed(self) -> bool {
        matches!(self, Self::Fixed(_) | Self::Ramp { .. } | Self::Steps { .. } | Self::Burst { .. })
    }

    /// Its stretches: of a burst those of one period, which comes again and again.
    fn pieces(self) -> impl Iterator<Item = Piece> {
        const FOR_EVER: f64 = f64::INFINITY;
        let mut n = 0_u32;
        std::iter::from_fn(move || {
            let at = n;
            n += 1;
            match self {
                Self::Fixed(rate) => (at == 0).then(|| Piece::flat(rate, FOR_EVER)),
                Self::Ramp { from, to, over } => match at {
                    0 => Some(Piece { seconds: over.as_secs_f64(), from, to }),
                    1 => Some(Piece::flat(to, FOR_EVER)),
                    _ => None,
                },
                Self::Steps { every, .. } => {
                    let (rate, last) = (self.level(at)?, self.steps()?.saturating_sub(1));
                    let seconds = if at == last { FOR_EVER } else { every.as_secs_f64() };
                    Some(Piece::flat(rate, seconds))
                }
                Self::Burst { base, peak, every, length } => match at {
                    0 => Some(Piece::flat(base, every.saturating_sub(length).as_secs_f64())),
                    1 => Some(Piece::flat(peak, length.as_secs_f64())),
                    _ => None,
                },
                Self::PerLedger(_)
                | Self::QueueDepth(_)
                | Self::ClosedLoop(_)
                | Self::Unlimited => None,
            }
        })
    }

    /// What comes again and again: its seconds, and the slots in it.
    fn period(self) -> Option<(f64, f64)> {
        let Self::Burst { every, .. } = self else { return None };
        let slots = self.pieces().map(|piece| piece.slots(piece.seconds)).sum();
        Some((every.as_secs_f64(), slots))
    }

    /// How many steps there are.
    #[must_use]
    pub fn steps(self) -> Option<u32> {
        match self {
            Self::Steps { from, to, by, .. } => {
                let steps = ((to - from).abs() / by.abs()).ceil();
                Some(if steps.is_finite() { steps.min(MOST_STEPS) as u32 + 1 } else { 1 })
            }
            _ => None,
        }
    }

    /// The rate of a step.
    fn level(self, step: u32) -> Option<f64> {
        let Self::Steps { from, to, by, .. } = self else { return None };
        let by = by.abs() * (to - from).signum();
        let rate = from + by * f64::from(step);
        let rate = if to >= from { rate.min(to) } else { rate.max(to) };
        (step < self.steps()?).then_some(rate)
    }

    /// Which step it is at after a time, counted from 1.
    #[must_use]
    pub fn step(self, at: Duration) -> Option<u32> {
        let Self::Steps { every, .. } = self else { return None };
        let passed = (at.as_secs_f64() / every.as_secs_f64()) as u32;
        self.steps().map(|steps| (passed + 1).min(steps))
    }

    /// When slot `n` is due after the start; none if never, or if the clock does not say.
    #[must_use]
    pub fn due(self, n: u64) -> Option<Duration> {
        // An index below 2^53 and a quotient are exact enough: the error stays under 1 us for
        // centuries.
        let (mut left, mut at) = (n as f64, 0.0);
        let period = self.period();
        if let Some((seconds, slots)) = period {
            if slots <= 0.0 {
                return None;
            }
            let passed = (left / slots).floor();
            left -= passed * slots;
            at += passed * seconds;
        }
        for piece in self.pieces() {
            let holds = piece.slots(piece.seconds);
            if left < holds {
                return Duration::try_from_secs_f64(at + piece.when(left)).ok();
            }
            left -= holds;
            at += piece.seconds;
        }
        // What rounding put just behind a period opens the next one.
        period.and_then(|_| Duration::try_from_secs_f64(at).ok())
    }

    /// How many slots are due before a time after the start.
    #[must_use]
    pub fn due_before(self, at: Duration) -> u64 {
        let (mut left, mut slots) = (at.as_secs_f64(), 0.0);
        if let Some((seconds, of_period)) = self.period() {
            let passed = (left / seconds).floor();
            left -= passed * seconds;
            slots += passed * of_period;
        }
        for piece in self.pieces() {
            let within = left.min(piece.seconds);
            slots += piece.slots(within);
            left -= within;
            if left <= 0.0 {
                break;
            }
        }
        slots.ceil() as u64
    }

    /// Transactions per second after a time; none if the clock does not say.
    #[must_use]
    pub fn rate(self, at: Duration) -> Option<f64> {
        let mut left = at.as_secs_f64();
        if let Some((seconds, _)) = self.period() {
            left -= (left / seconds).floor() * seconds;
        }
        let mut last = None;
        for piece in self.pieces() {
            last = Some(piece.to);
            if left < piece.seconds {
                let slope = (piece.to - piece.from) / piece.seconds;
                return Some(piece.from + slope * left);
            }
            left -= piece.seconds;
        }
        last
    }

    /// The highest rate; none if the clock does not say.
    #[must_use]
    pub fn peak(self) -> Option<f64> {
        match self {
            Self::Fixed(rate) => Some(rate),
            Self::Ramp { from, to, .. } | Self::Steps { from, to, .. } => Some(from.max(to)),
            Self::Burst { base, peak, .. } => Some(base.max(peak)),
            _ => None,
        }
    }

    /// What is wrong with it, and what would be right.
    ///
    /// # Errors
    /// A rate is no rate, or a time is none.
    pub fn check(self) -> Result<(), String> {
        let rates = match self {
            Self::Fixed(rate) => [rate, rate],
            Self::Ramp { from, to, .. } | Self::Steps { from, to, .. } => [from, to],
            Self::Burst { base, peak, .. } => [base, peak],
            Self::PerLedger(0) | Self::QueueDepth(0) | Self::ClosedLoop(0) => {
                return Err("at least 1".to_owned());
            }
            Self::PerLedger(_) | Self::QueueDepth(_) | Self::ClosedLoop(_) | Self::Unlimited => {
                return Ok(());
            }
        };
        if rates.iter().any(|rate| !(0.0..=MOST_TPS).contains(rate)) {
            return Err(format!("rates are transactions a second from 0 to {MOST_TPS}"));
        }
        if rates == [0.0, 0.0] {
            return Err("a rate above 0, for nothing would be sent".to_owned());
        }
        match self {
            Self::Ramp { over, .. } if over.is_zero() => {
                Err("a ramp needs a time in which it climbs".to_owned())
            }
            Self::Steps { by, .. } if !(by.is_finite() && by > 0.0) => {
                Err("by: how much one step adds or takes away, above 0".to_owned())
            }
            Self::Steps { from, to, .. } if from == to => {
                Err("from and to are the same rate: give two, or constant".to_owned())
            }
            Self::Steps { from, to, by, .. } if ((to - from) / by).abs() > MOST_STEPS => {
                Err(format!("at most {MOST_STEPS} steps: give a larger by"))
            }
            Self::Steps { every, .. } if every.is_zero() => {
                Err("every: how long one step lasts, above 0".to_owned())
            }
            Self::Burst { every, length, .. } if length.is_zero() || length >= every => {
                Err("length: how long a burst lasts, above 0 and below every".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// The same in less or more time: rates stay, times are multiplied.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        match self {
            Self::Ramp { from, to, over } => Self::Ramp { from, to, over: over.mul_f64(factor) },
            Self::Steps { from, to, by, every } => {
                Self::Steps { from, to, by, every: every.mul_f64(factor) }
            }
            Self::Burst { base, peak, every, length } => Self::Burst {
                base,
                peak,
                every: every.mul_f64(factor),
                length: length.mul_f64(factor),
            },
            other => other,
        }
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Fixed(rate) => write!(f, "{rate}/s"),
            Self::Ramp { from, to, over } => write!(f, "{from}/s to {to}/s within {over:?}"),
            Self::Steps { from, to, by, every } => {
                write!(f, "{from}/s to {to}/s by {} every {every:?}", by.abs())
            }
            Self::Burst { base, peak, every, length } => {
                write!(f, "{base}/s, and {peak}/s for {length:?} every {every:?}")
            }
            Self::PerLedger(n) => write!(f, "{n} a ledger"),
            Self::QueueDepth(n) => write!(f, "{n} in the node's queue"),
            Self::ClosedLoop(n) => write!(f, "{n} in flight"),
            Self::Unlimited => f.write_str("unlimited"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    fn seconds(pace: Pace, n: u64) -> f64 {
        pace.due(n).map_or(f64::INFINITY, |due| (due.as_secs_f64() * 1e6).round() / 1e6)
    }

    #[test]
    fn when_slots_are_due() {
        let ramp = Pace::Ramp { from: 0.0, to: 10.0, over: S(10) };
        let down = Pace::Ramp { from: 10.0, to: 0.0, over: S(10) };
        let steps = Pace::Steps { from: 10.0, to: 25.0, by: 10.0, every: S(2) };
        let burst = Pace::Burst { base: 1.0, peak: 10.0, every: S(10), length: S(2) };
        let pulses = Pace::Burst { base: 0.0, peak: 10.0, every: S(10), length: S(2) };
        for (pace, n, at) in [
            (Pace::Fixed(4.0), 0, 0.0),
            (Pace::Fixed(4.0), 9, 2.25),
            // n = t^2 / 2: fifty in ten seconds, then ten a second.
            (ramp, 0, 0.0),
            (ramp, 8, 4.0),
            (ramp, 50, 10.0),
            (ramp, 60, 11.0),
            (down, 32, 4.0),
            (down, 50, f64::INFINITY),
            (steps, 19, 1.9),
            (steps, 20, 2.0),
            (steps, 60, 4.0),
            (steps, 85, 5.0),
            (burst, 7, 7.0),
            (burst, 8, 8.0),
            (burst, 18, 9.0),
            (burst, 28, 10.0),
            (burst, 28 * 1000 + 8, 10_008.0),
            (pulses, 0, 8.0),
            (pulses, 19, 9.9),
            (pulses, 20, 18.0),
            (Pace::PerLedger(3), 0, f64::INFINITY),
        ] {
            assert_eq!(seconds(pace, n), at, "slot {n} of {pace}");
        }
    }

    #[test]
    fn rates_steps_and_peaks() {
        let steps = Pace::Steps { from: 10.0, to: 25.0, by: 10.0, every: S(2) };
        assert_eq!((steps.steps(), steps.peak()), (Some(3), Some(25.0)));
        for (pace, at, rate) in [
            (Pace::Fixed(3.0), 77, Some(3.0)),
            (Pace::Ramp { from: 0.0, to: 10.0, over: S(10) }, 4, Some(4.0)),
            (Pace::Ramp { from: 0.0, to: 10.0, over: S(10) }, 400, Some(10.0)),
            (steps, 3, Some(20.0)),
            (steps, 5, Some(25.0)),
            (Pace::Burst { base: 1.0, peak: 9.0, every: S(10), length: S(2) }, 29, Some(9.0)),
            (Pace::ClosedLoop(5), 1, None),
        ] {
            assert_eq!(pace.rate(S(at)), rate, "{pace} at {at}");
        }
        assert_eq!([0, 2, 5, 90].map(|at| steps.step(S(at))), [1, 2, 3, 3].map(Some));
        let downward = Pace::Steps { from: 25.0, to: 10.0, by: 10.0, every: S(2) };
        assert_eq!([1, 3, 5].map(|at| downward.rate(S(at))), [25.0, 15.0, 10.0].map(Some));
    }

    #[test]
    fn what_cannot_be_is_said() {
        let steps = |by, every| Pace::Steps { from: 1.0, to: 9.0, by, every: S(every) };
        let burst = |length| Pace::Burst { base: 0.0, peak: 5.0, every: S(5), length: S(length) };
        for (pace, why) in [
            (Pace::Fixed(0.0), "above 0"),
            (Pace::Fixed(f64::NAN), "from 0 to 1000000"),
            (Pace::Ramp { from: -1.0, to: 2.0, over: S(1) }, "from 0"),
            (Pace::Ramp { from: 1.0, to: 2.0, over: S(0) }, "needs a time"),
            (steps(0.0, 1), "by"),
            (steps(1e-9, 1), "larger by"),
            (steps(1.0, 0), "every"),
            (burst(0), "length"),
            (burst(5), "length"),
            (Pace::ClosedLoop(0), "at least 1"),
        ] {
            let said = pace.check().unwrap_err();
            assert!(said.contains(why), "{pace}: {said}");
        }
        assert_eq!(steps(2.0, 1).check(), Ok(()));
    }

    fn any_pace() -> impl Strategy<Value = Pace> {
        let rate = 0.0..500.0_f64;
        let time = (100_u64..20_000).prop_map(Duration::from_millis);
        prop_oneof![
            (0.1..500.0_f64).prop_map(Pace::Fixed),
            (rate.clone(), 0.1..500.0_f64, time.clone()).prop_map(|(from, to, over)| Pace::Ramp {
                from,
                to,
                over
            }),
            (rate.clone(), 0.1..500.0_f64, 1.0..100.0_f64, time.clone())
                .prop_map(|(from, to, by, every)| Pace::Steps { from, to, by, every }),
            (rate, 0.1..500.0_f64, time).prop_map(|(base, peak, every)| Pace::Burst {
                base,
                peak,
                every,
                length: every / 4,
            }),
        ]
    }

    proptest! {
        #[test]
        fn slots_come_in_order_and_are_counted_as_they_come(
            pace in any_pace(),
            n in 0_u64..20_000,
        ) {
            let (this, next) = (pace.due(n).unwrap(), pace.due(n + 1).unwrap());
            prop_assert!(this <= next + Duration::from_micros(1), "{pace}: {this:?} {next:?}");
            // Just before it is due it is none of those, just after it is one.
            let little = Duration::from_millis(1);
            prop_assert!(pace.due_before(this.saturating_sub(little)) <= n, "{pace}");
            prop_assert!(pace.due_before(this + little) > n, "{pace}");
        }
    }
}
