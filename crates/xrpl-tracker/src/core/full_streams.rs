//! Which connections show every transaction.
//!
//! Nodes tell the same: to read every transaction of each of them would cost them and this program
//! the same work several times. So as many streams as are [asked
//! for](crate::TrackerConfig::full_streams) show all of it, and the others only which ledgers are
//! validated. They take over from one that is lost, that is behind, or that shows ledgers short; what
//! was missed meanwhile is read from the ledgers.

use tokio::sync::watch;

use crate::event_queue::ConnectionId;

/// How long a full stream may be silent about a ledger that another one told of. Nodes of a healthy
/// network validate a ledger within a second of each other.
const LAG_MS: u64 = 1_500;

/// Ledgers one after the other that a full stream may show short.
const SHORT_MAX: u32 = 2;

#[derive(Debug)]
struct Stream {
    connection: ConnectionId,
    full: watch::Sender<bool>,
    /// The newest ledger it told of.
    told: u32,
    /// Ledgers one after the other that it showed short.
    short: u32,
}

impl Stream {
    fn is_full(&self) -> bool {
        *self.full.borrow()
    }
}

/// The streams there are, and which of them show every transaction.
#[derive(Debug)]
pub(crate) struct FullStreams {
    wanted: usize,
    streams: Vec<Stream>,
    /// The newest ledger that any of them told of, and since when it is known.
    newest: (u32, u64),
}

impl FullStreams {
    /// `wanted` of the streams are to be full ones, one at least.
    pub(crate) fn new(wanted: usize) -> Self {
        Self { wanted: wanted.max(1), streams: Vec::new(), newest: (0, 0) }
    }

    /// A connection is about to subscribe. The receiver holds whether it is to show every
    /// transaction, now and whenever that changes.
    pub(crate) fn join(&mut self, connection: ConnectionId) -> watch::Receiver<bool> {
        self.leave(connection);
        let full = self.full_count() < self.wanted;
        let (full, told) = watch::channel(full);
        self.streams.push(Stream { connection, full, told: 0, short: 0 });
        told
    }

    /// A connection is gone: another one takes its place.
    pub(crate) fn leave(&mut self, connection: ConnectionId) {
        self.streams.retain(|stream| stream.connection != connection);
        while self.full_count() < self.wanted && self.promote().is_some() {}
    }

    /// Whether a connection shows every transaction.
    pub(crate) fn is_full(&self, connection: ConnectionId) -> bool {
        self.streams.iter().any(|stream| stream.connection == connection && stream.is_full())
    }

    /// A connection told of a ledger. `short` if ones that it told of before were not whole.
    /// Whether others are full ones now.
    pub(crate) fn told(
        &mut self,
        connection: ConnectionId,
        ledger: u32,
        short: bool,
        now_ms: u64,
    ) -> bool {
        if ledger > self.newest.0 {
            self.newest = (ledger, now_ms);
        }
        let Some(at) = self.streams.iter().position(|stream| stream.connection == connection)
        else {
            return false;
        };
        let stream = &mut self.streams[at];
        stream.told = stream.told.max(ledger);
        stream.short = if short { stream.short + 1 } else { 0 };
        if stream.is_full() && stream.short >= SHORT_MAX {
            stream.short = 0;
            return self.replace(at);
        }
        false
    }

    /// Replaces full streams that are behind. Whether others are full ones now.
    pub(crate) fn tick(&mut self, now_ms: u64) -> bool {
        let (newest, since_ms) = self.newest;
        if since_ms + LAG_MS > now_ms {
            return false;
        }
        let mut changed = false;
        for at in 0..self.streams.len() {
            let stream = &self.streams[at];
            if stream.is_full() && stream.told < newest {
                changed |= self.replace(at);
            }
        }
        changed
    }

    fn full_count(&self) -> usize {
        self.streams.iter().filter(|stream| stream.is_full()).count()
    }

    /// Has another stream show every transaction instead of this one, if there is one that is ahead.
    fn replace(&mut self, at: usize) -> bool {
        let told = self.streams[at].told;
        let ahead = |stream: &Stream| stream.told >= told;
        if !self.streams.iter().any(|stream| !stream.is_full() && ahead(stream)) {
            return false;
        }
        let Some(connection) = self.promote() else { return false };
        self.streams[at].full.send_replace(false);
        tracing::info!(
            from = self.streams[at].connection.endpoint.0,
            to = connection.endpoint.0,
            "another node's stream is read in full"
        );
        true
    }

    /// The one that is furthest ahead of those that are not full becomes one.
    fn promote(&mut self) -> Option<ConnectionId> {
        // The first of equals, which is the node named first.
        let others = self.streams.iter().filter(|stream| !stream.is_full());
        let next = others.min_by_key(|stream| {
            (std::cmp::Reverse(stream.told), stream.short, stream.connection.endpoint.0)
        })?;
        next.full.send_replace(true);
        Some(next.connection)
    }
}

#[cfg(test)]
mod tests {
    use xrpl_client::EndpointId;

    use super::*;

    fn connection(endpoint: u16) -> ConnectionId {
        ConnectionId { endpoint: EndpointId(endpoint), generation: 0 }
    }

    fn full(streams: &FullStreams) -> Vec<u16> {
        let full = streams.streams.iter().filter(|stream| stream.is_full());
        full.map(|stream| stream.connection.endpoint.0).collect()
    }

    fn three() -> (FullStreams, Vec<watch::Receiver<bool>>) {
        let mut streams = FullStreams::new(1);
        let told = (0..3).map(|n| streams.join(connection(n))).collect();
        (streams, told)
    }

    #[test]
    fn the_first_is_full_and_another_takes_over_when_it_is_lost() {
        let (mut streams, told) = three();
        assert_eq!(full(&streams), [0]);
        assert_eq!(told.iter().map(|one| *one.borrow()).collect::<Vec<_>>(), [true, false, false]);
        streams.told(connection(2), 7, false, 0);
        streams.leave(connection(0));
        assert_eq!(full(&streams), [2], "the one that is ahead");
        assert!(*told[2].borrow());
        streams.join(connection(0));
        assert_eq!(full(&streams), [2], "who comes back does not take it back");
        streams.leave(connection(2));
        streams.leave(connection(1));
        streams.leave(connection(0));
        assert!(full(&streams).is_empty());
        streams.join(connection(1));
        assert_eq!(full(&streams), [1]);
    }

    #[test]
    fn one_that_is_behind_is_replaced_by_one_that_is_not() {
        let (mut streams, _told) = three();
        for n in 0..3 {
            streams.told(connection(n), 7, false, 1_000);
        }
        assert!(!streams.tick(60_000), "all have told of the newest ledger");
        streams.told(connection(1), 8, false, 60_000);
        assert!(!streams.tick(60_000 + LAG_MS - 1), "it may be about to");
        assert!(streams.tick(60_000 + LAG_MS));
        assert_eq!(full(&streams), [1]);
        assert!(!streams.tick(90_000));
    }

    #[test]
    fn alone_it_stays() {
        let mut streams = FullStreams::new(1);
        let _told = streams.join(connection(0));
        streams.told(connection(0), 7, true, 0);
        streams.told(connection(0), 8, true, 0);
        streams.told(connection(0), 9, true, 0);
        assert!(!streams.tick(60_000));
        assert_eq!(full(&streams), [0]);
    }

    #[test]
    fn one_that_shows_ledgers_short_is_replaced() {
        let (mut streams, _told) = three();
        for index in 7..9 {
            streams.told(connection(2), index, false, 0);
        }
        assert!(!streams.told(connection(0), 7, true, 0));
        assert!(!streams.told(connection(0), 8, false, 0), "one in a row is an accident");
        assert!(!streams.told(connection(0), 9, true, 0));
        streams.told(connection(2), 10, false, 0);
        assert!(streams.told(connection(0), 10, true, 0));
        assert_eq!(full(&streams), [2]);
    }

    #[test]
    fn as_many_as_asked_for() {
        let mut streams = FullStreams::new(2);
        let _told: Vec<_> = (0..3).map(|n| streams.join(connection(n))).collect();
        assert_eq!(full(&streams), [0, 1]);
        streams.leave(connection(0));
        assert_eq!(full(&streams), [1, 2]);
    }
}
