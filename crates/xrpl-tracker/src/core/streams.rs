//! Which streams are heard: those of which it is known that they tell of the followed chain. What the
//! others say waits until that is found out (see [`chain`](crate::chain)).

use tokio_tungstenite::tungstenite::Utf8Bytes;
use xrpl_client::EndpointId;

use super::Core;
use crate::{
    event_queue::{ConnectionId, StreamEvent},
    message::LedgerClosed,
};

/// Messages kept of one stream that is not heard yet. What is beyond is read from the ledgers.
const HELD: usize = 20_000;

/// A stream that is not heard yet.
#[derive(Debug)]
pub(crate) struct Waiting {
    connection: ConnectionId,
    held: Vec<StreamEvent>,
}

impl Core {
    /// A stream is subscribed; its node reported this as the newest validated ledger.
    pub(crate) fn connected(
        &mut self,
        connection: ConnectionId,
        ledger: Option<&LedgerClosed>,
        now_ms: u64,
    ) {
        if self.heard_streams.contains(&connection) {
            // It waited until now.
            if let Some(ledger) = ledger {
                self.ledger_told(ledger, Some(connection), now_ms);
            }
            return;
        }
        // A connection ends before the next one to the same node begins.
        self.heard_streams.retain(|one| one.endpoint != connection.endpoint);
        let before = self.waiting.iter().position(|one| one.connection == connection);
        let before = before.map(|at| self.waiting.remove(at).held).unwrap_or_default();
        self.waiting.retain(|one| one.connection.endpoint != connection.endpoint);
        let known =
            ledger.is_none_or(|ledger| self.completeness.hash(ledger.index.0) == Some(ledger.hash));
        if known && before.is_empty() {
            self.heard_streams.push(connection);
            if let Some(ledger) = ledger {
                self.ledger_told(ledger, Some(connection), now_ms);
            }
            return;
        }
        let mut held = before;
        held.insert(0, StreamEvent::Connected(connection, ledger.cloned()));
        self.waiting.push(Waiting { connection, held });
        self.links.chain.notify_one();
    }

    /// Whether a message is to wait; it is kept then.
    pub(crate) fn held(&mut self, connection: ConnectionId, text: &Utf8Bytes) -> bool {
        // The first streams of a program are of nodes whose chain was compared at the start.
        if self.waiting.is_empty()
            && (connection.generation == 0 || self.heard_streams.contains(&connection))
        {
            return false;
        }
        let frame = || StreamEvent::Frame(connection, text.clone());
        if let Some(waiting) = self.waiting.iter_mut().find(|one| one.connection == connection) {
            if waiting.held.len() < HELD {
                waiting.held.push(frame());
            }
            return true;
        }
        if connection.generation == 0 || self.heard_streams.contains(&connection) {
            return false;
        }
        // It speaks before its subscription is answered.
        self.waiting.push(Waiting { connection, held: vec![frame()] });
        true
    }

    /// A full stream that is silent about what another one tells is replaced.
    pub(crate) fn watch_streams(&mut self, now_ms: u64) {
        if self.full_streams.tick(now_ms) {
            self.completeness.read_short(now_ms);
            self.links.backfill.notify_one();
        }
    }

    /// A stream has ended.
    pub(crate) fn disconnected(&mut self, connection: ConnectionId, now_ms: u64) {
        self.waiting.retain(|one| one.connection != connection);
        self.heard_streams.retain(|one| *one != connection);
        self.completeness.disconnected(connection, now_ms);
        self.links.backfill.notify_one();
    }

    /// Whether a stream of another node is heard.
    pub(crate) fn hears_another(&self, than: EndpointId) -> bool {
        self.heard_streams.iter().any(|one| one.endpoint != than)
    }

    /// Nodes of which it is not known yet what they follow.
    pub(crate) fn waiting_endpoints(&self) -> Vec<EndpointId> {
        self.waiting.iter().map(|one| one.connection.endpoint).collect()
    }

    /// A node follows the chain: its streams are heard from now on. What they said meanwhile, to be
    /// processed.
    pub(crate) fn heard(&mut self, endpoint: EndpointId) -> Vec<Vec<StreamEvent>> {
        let (now, wait) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition::<Vec<_>, _>(|one| one.connection.endpoint == endpoint);
        self.waiting = wait;
        now.into_iter()
            .map(|one| {
                self.heard_streams.push(one.connection);
                one.held
            })
            .collect()
    }
}
