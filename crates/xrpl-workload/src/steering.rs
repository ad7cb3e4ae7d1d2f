//! Who sets the load's pace: the scenario and whoever changes it by hand, or a search for capacity alone.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a search for capacity sets the rates. What it measures would be something else if anybody else
/// set one meanwhile.
#[derive(Debug, Default)]
pub struct Steering(AtomicBool);

impl Steering {
    /// From now on the search alone.
    pub fn search_begins(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// It has found what it was to find.
    pub fn search_ends(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Whether a search is under way.
    #[must_use]
    pub fn is_searching(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
