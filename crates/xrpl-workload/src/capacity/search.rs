//! Which rate to try next: brackets the highest one that holds, then halves the bracket. Nothing else
//! is known here, not even what a rate is.

/// Rates below this are not tried: then nothing holds.
const LEAST: f64 = 0.1;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Try this rate.
    Try(f64),
    /// It is found.
    Found(Found),
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// The highest rate that held, twice; none if none did.
    pub holds: Option<f64>,
    /// The lowest one that did not; none if every rate held, up to the most that was to be tried.
    pub fails: Option<f64>,
}

/// The search for the highest rate that holds.
#[derive(Clone, Debug)]
pub struct Search {
    first: f64,
    most: f64,
    /// How far apart the two ends of the bracket may be, as a share of the lower one.
    precision: f64,
    /// Rates that held, ascending, and how often each did.
    held: Vec<(f64, u32)>,
    failed: Option<f64>,
}

impl Search {
    /// A search that begins at a rate and tries none above another.
    #[must_use]
    pub fn new(first: f64, most: f64, precision: f64) -> Self {
        let most = most.max(LEAST);
        let first = first.clamp(LEAST, most);
        Self { first, most, precision: precision.max(0.001), held: Vec::new(), failed: None }
    }

    /// What to do now.
    #[must_use]
    pub fn next(&self) -> Next {
        let best = self.held.last().copied();
        match (best, self.failed) {
            (None, None) => Next::Try(self.first),
            (None, Some(failed)) if failed <= LEAST => {
                Next::Found(Found { holds: None, fails: Some(failed) })
            }
            (None, Some(failed)) => Next::Try(rounded((failed / 2.0).max(LEAST))),
            (Some((held, times)), None) if held >= self.most => self.confirmed(held, times),
            (Some((held, _)), None) => Next::Try(rounded((held * 2.0).min(self.most))),
            (Some((held, times)), Some(failed)) => {
                let between = rounded((held + failed) / 2.0);
                if failed - held <= held * self.precision || between <= held || between >= failed {
                    self.confirmed(held, times)
                } else {
                    Next::Try(between)
                }
            }
        }
    }

    /// What held once may have been luck.
    fn confirmed(&self, held: f64, times: u32) -> Next {
        match times {
            0 | 1 => Next::Try(held),
            _ => Next::Found(Found { holds: Some(held), fails: self.failed }),
        }
    }

    /// How many rates are still to be tried, about; none while no end is in sight.
    #[must_use]
    pub fn left(&self) -> Option<u32> {
        let ((held, times), failed) = self.held.last().copied().zip(self.failed)?;
        let halvings = ((failed - held) / (held * self.precision)).log2().ceil().max(0.0);
        // What was found is tried once more.
        Some(if halvings > 0.0 { halvings as u32 + 1 } else { 2_u32.saturating_sub(times) })
    }

    /// What came of a rate.
    pub fn tell(&mut self, rate: f64, holds: bool) {
        if !holds {
            self.failed = Some(self.failed.map_or(rate, |failed| failed.min(rate)));
            self.held.retain(|(held, _)| *held < rate);
            return;
        }
        match self.held.iter_mut().find(|(held, _)| *held == rate) {
            Some((_, times)) => *times += 1,
            None => {
                let place = self.held.partition_point(|(held, _)| *held < rate);
                self.held.insert(place, (rate, 1));
            }
        }
        // A rate above held: what failed below did so by chance.
        if self.failed.is_some_and(|failed| failed <= rate) {
            self.failed = None;
        }
    }

    /// What is known if it must end now.
    #[must_use]
    pub fn so_far(&self) -> Found {
        Found { holds: self.held.last().map(|(held, _)| *held), fails: self.failed }
    }
}

/// With three digits that say something, so that steps can be told apart when they are read.
fn rounded(rate: f64) -> f64 {
    let digits = 10f64.powf(3.0 - rate.log10().ceil());
    if digits.is_finite() && digits > 0.0 { (rate * digits).round() / digits } else { rate }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Searches on a network that holds up to a limit; what was found, and after how many steps.
    fn search(
        first: f64,
        most: f64,
        precision: f64,
        holds: impl Fn(u32, f64) -> bool,
    ) -> (Found, u32) {
        let mut search = Search::new(first, most, precision);
        for step in 0..200 {
            match search.next() {
                Next::Try(rate) => search.tell(rate, holds(step, rate)),
                Next::Found(found) => return (found, step),
            }
        }
        panic!("it does not end");
    }

    #[test]
    fn it_brackets_and_halves() {
        let mut search = Search::new(20.0, 1_000.0, 0.03);
        let mut tried = Vec::new();
        let found = loop {
            match search.next() {
                Next::Try(rate) => {
                    tried.push(rate);
                    search.tell(rate, rate <= 100.0);
                }
                Next::Found(found) => break found,
            }
        };
        assert_eq!(
            tried,
            [20.0, 40.0, 80.0, 160.0, 120.0, 100.0, 110.0, 105.0, 103.0, 102.0, 100.0]
                .into_iter()
                .filter(|rate| tried.contains(rate))
                .collect::<Vec<_>>()
        );
        assert_eq!(found.holds, Some(100.0));
        assert!(found.fails.unwrap() <= 103.0);
    }

    #[test]
    fn how_many_rates_are_left_is_known_once_there_is_a_bracket() {
        let mut search = Search::new(20.0, 1_000.0, 0.03);
        let mut left = Vec::new();
        while let Next::Try(rate) = search.next() {
            left.push(search.left());
            search.tell(rate, rate <= 100.0);
        }
        assert_eq!(left[..4], [None; 4], "nothing has failed yet");
        let known: Vec<_> = left[4..].iter().map(|left| left.unwrap()).collect();
        let tried = known.len() as u32;
        assert!(known[0].abs_diff(tried) <= 1, "{known:?}");
        assert!(known.is_sorted_by(|a, b| a > b || a.abs_diff(*b) <= 1), "{known:?}");
        assert_eq!(known.last(), Some(&1));
    }

    #[test]
    fn nothing_holds_and_everything_holds() {
        let (found, steps) = search(20.0, 1_000.0, 0.03, |_, _| false);
        assert_eq!(found.holds, None);
        assert!(steps < 12, "{steps}");
        let (found, _) = search(20.0, 500.0, 0.03, |_, _| true);
        assert_eq!(found, Found { holds: Some(500.0), fails: None });
        let (found, _) = search(900.0, 500.0, 0.03, |_, _| true);
        assert_eq!(found.holds, Some(500.0), "none above the most is tried");
    }

    #[test]
    fn luck_is_found_out() {
        // 100 holds once by luck, and then no more.
        let lucky = std::cell::Cell::new(true);
        let (found, _) = search(100.0, 1_000.0, 0.03, |_, rate| {
            rate <= 90.0 || (rate == 100.0 && lucky.replace(false))
        });
        let holds = found.holds.unwrap();
        assert!((87.0..=90.0).contains(&holds), "{holds}");
    }

    #[test]
    fn three_digits() {
        for (rate, wanted) in [(1_234.5, 1_230.0), (98.76, 98.8), (0.123_4, 0.123), (150.0, 150.0)]
        {
            assert_eq!(rounded(rate), wanted);
        }
    }

    proptest! {
        #[test]
        fn any_limit_is_found_within_the_precision(
            limit in 0.2f64..5_000.0,
            first in 1f64..2_000.0,
            precision in 0.01f64..0.2,
        ) {
            let (found, steps) = search(first, 10_000.0, precision, |_, rate| rate <= limit);
            let holds = found.holds.unwrap();
            prop_assert!(holds <= limit && holds >= limit / (1.0 + precision) - limit * 0.01, "{holds} of {limit}");
            prop_assert!(found.fails.unwrap() > limit);
            prop_assert!(steps < 40, "{steps}");
        }

        #[test]
        fn it_ends_whatever_it_is_told(answers in proptest::collection::vec(any::<bool>(), 1..64), first in 0.01f64..1e6) {
            let n = answers.len() as u32;
            let flips = std::cell::Cell::new(0);
            // However it is told at first, in the end it is told the truth.
            let (found, _) = search(first, 1e6, 0.05, |step, rate| {
                flips.set(flips.get() + 1);
                if step < n { answers[step as usize] } else { rate <= 50.0 }
            });
            if let (Some(holds), Some(fails)) = (found.holds, found.fails) {
                prop_assert!(holds < fails);
            }
        }
    }
}
