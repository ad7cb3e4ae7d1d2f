//! One thing at a time, until it rests on nothing unknown: see [`super::fork`].

use std::{io, sync::atomic::Ordering};

use super::Shared;
use crate::ledger::origin::watch;

impl Shared {
    /// Does something with the ledger. In a fork it is done again until all it reads is known; what it
    /// did before that is undone.
    ///
    /// # Errors
    /// When the origin's node does not answer: then nothing was done.
    pub(super) async fn complete<T>(&self, mut work: impl FnMut() -> T) -> io::Result<T> {
        let Some(forked) = &self.forked else { return Ok(work()) };
        loop {
            let wants = {
                let _turn = forked.turn.lock().await;
                let before = self.node().snapshot();
                let (ahead, next) =
                    (self.clock.ahead(), self.next_close_time.load(Ordering::Relaxed));
                let (done, wants) = watch(&mut work);
                let events = std::mem::take(&mut *forked.events.lock());
                if wants.is_empty() {
                    let mut streams = self.streams.lock();
                    for (events, range) in events {
                        streams.publish(events, range);
                    }
                    return Ok(done);
                }
                let mut node = self.node();
                node.revert(&before);
                node.drain_events();
                self.clock.set_ahead(ahead);
                self.next_close_time.store(next, Ordering::Relaxed);
                wants
            };
            forked.fork.fetch(&wants).await?;
        }
    }
}
