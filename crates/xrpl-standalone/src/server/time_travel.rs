//! Putting the clock forward, and going back to what was.

use std::sync::{Arc, atomic::Ordering};

use super::{
    Closing, Shared,
    clock::{END, EndOfTime},
    fork::Fork,
};
use crate::{ledger::ClosedLedger, node::Snapshot};

/// A server's ledger and clock at one moment.
#[derive(Debug)]
pub(super) struct Moment {
    name: String,
    node: Snapshot,
    ahead: u32,
    next_close_time: u32,
}

impl Shared {
    /// When ledgers close.
    pub(crate) fn closing(&self) -> Closing {
        *self.closing_mode.borrow()
    }

    pub(crate) fn set_closing(&self, closing: Closing) {
        self.closing_mode.send_replace(closing);
    }

    /// The fork that this is, if it is one.
    pub(crate) fn fork(&self) -> Option<&Fork> {
        self.forked.as_ref().map(|forked| &forked.fork)
    }

    /// Whether times are left for so many ledgers, before each of which the clock goes on.
    ///
    /// # Errors
    /// When there are not enough.
    pub(crate) fn time_for(&self, ledgers: u32, seconds: u32) -> Result<(), EndOfTime> {
        let (now, closed) = (self.now(), self.node().closed().header.close_time);
        let of_clock = u64::from(now) + u64::from(ledgers) * u64::from(seconds);
        // Each closes a second after the one before at the least.
        let of_ledgers = u64::from(closed) + u64::from(ledgers);
        match of_clock.max(of_ledgers) <= u64::from(END) {
            true => Ok(()),
            false => Err(EndOfTime { now, closed }),
        }
    }

    /// Puts the clock forward.
    ///
    /// # Errors
    /// When it would be beyond its end: then it stays.
    pub(crate) fn advance(&self, seconds: u32) -> Result<(), EndOfTime> {
        let (now, ahead) = (self.now(), self.clock.ahead());
        match now.checked_add(seconds).and(ahead.checked_add(seconds)) {
            Some(ahead) => {
                self.clock.set_ahead(ahead);
                Ok(())
            }
            None => Err(EndOfTime { now, closed: self.node().closed().header.close_time }),
        }
    }

    /// Sets when exactly the next ledger closes, and the clock to it if it is not there yet.
    ///
    /// # Errors
    /// The close time of the last ledger, if that is as late.
    pub(crate) fn set_next_close_time(&self, close_time: u32) -> Result<(), u32> {
        let last = self.node().closed().header.close_time;
        if close_time <= last {
            return Err(last);
        }
        let ahead = close_time.saturating_sub(self.now());
        self.clock.set_ahead(self.clock.ahead().saturating_add(ahead));
        self.next_close_time.store(close_time, Ordering::Relaxed);
        Ok(())
    }

    /// Keeps ledger and clock as they are, under a name; without one they are numbered.
    ///
    /// # Errors
    /// The name, if there is one of that name.
    pub(crate) fn take_snapshot(&self, name: Option<&str>) -> Result<String, String> {
        let mut moments = self.moments.lock();
        let taken = |name: &str| moments.iter().any(|moment| moment.name == name);
        let name = match name {
            Some(name) if taken(name) => return Err(name.to_owned()),
            Some(name) => name.to_owned(),
            // One of the first so many numbers is free.
            None => (1..=moments.len() + 1)
                .map(|n| n.to_string())
                .find(|name| !taken(name))
                .unwrap_or_default(),
        };
        moments.push(Moment {
            name: name.clone(),
            node: self.node().snapshot(),
            ahead: self.clock.ahead(),
            next_close_time: self.next_close_time.load(Ordering::Relaxed),
        });
        Ok(name)
    }

    /// Names and newest ledgers of the snapshots, in the order in which they were taken.
    pub(crate) fn snapshots(&self) -> Vec<(String, Arc<ClosedLedger>)> {
        let moments = self.moments.lock();
        moments.iter().map(|m| (m.name.clone(), Arc::clone(m.node.closed()))).collect()
    }

    /// Goes back to a snapshot, which stays; those taken after it are dropped and told. The clock is
    /// as far ahead as it was then. None if there is no such snapshot.
    pub(crate) fn revert_to(&self, name: &str) -> Option<Vec<String>> {
        let mut moments = self.moments.lock();
        let at = moments.iter().position(|moment| moment.name == name)?;
        let dropped = moments.drain(at + 1..).map(|moment| moment.name).collect();
        let moment = &moments[at];
        self.clock.set_ahead(moment.ahead);
        self.next_close_time.store(moment.next_close_time, Ordering::Relaxed);
        self.change(|node| node.revert(&moment.node));
        Some(dropped)
    }

    /// Drops a snapshot; false if there is none of that name.
    pub(crate) fn drop_snapshot(&self, name: &str) -> bool {
        let mut moments = self.moments.lock();
        let before = moments.len();
        moments.retain(|moment| moment.name != name);
        moments.len() < before
    }
}
