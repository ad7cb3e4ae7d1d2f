//! Subscriptions: who wants what, and the messages they get.
//!
//! A message is put into words once for each shape, by the first connection that gets to it, and
//! shared by all: publishing a ledger of thousands of transactions holds nobody up. Each connection
//! has a queue of its own; one that does not read its queue empty is closed with code 1008, as xrpld does
//! beyond its `send_queue_limit`.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Map, Value as Json, json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use xrpl_protocol::AccountId;

use crate::{
    ledger::{ClosedLedger, LedgerTransaction},
    node::{Event, Proposed, ServerFees},
    rpc::{
        ApiShape, Book, PathRequest, RpcError, book_changes_of, book_of, closed_message,
        proposed_message, reversed, touched_books, wants_both,
    },
};

/// What a connection's writer is told.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Message(Arc<StreamMessage>),
    Text(Utf8Bytes),
    /// Close with this code and reason.
    Close(u16, &'static str),
}

/// A stream message, not in words until somebody sends it.
#[derive(Debug)]
pub(crate) struct StreamMessage {
    subject: Subject,
    shape: ApiShape,
    text: OnceLock<Utf8Bytes>,
}

#[derive(Clone, Debug)]
enum Subject {
    Ready(Json),
    Proposed(Proposed),
    Validated { ledger: Arc<ClosedLedger>, transaction: Arc<LedgerTransaction>, network_id: u32 },
}

impl StreamMessage {
    pub(crate) fn text(&self) -> Utf8Bytes {
        let write = || match &self.subject {
            Subject::Ready(json) => json.to_string(),
            Subject::Proposed(proposed) => proposed_message(proposed, self.shape).to_string(),
            Subject::Validated { ledger, transaction, network_id } => {
                closed_message(ledger, transaction, *network_id, self.shape).to_string()
            }
        };
        self.text.get_or_init(|| write().into()).clone()
    }
}

/// A connection's queue.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    sender: mpsc::UnboundedSender<Outgoing>,
    depth: Arc<AtomicUsize>,
}

impl Queue {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Outgoing>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { sender, depth: Arc::default() }, receiver)
    }

    /// Called by the writer for each message it has written.
    pub(crate) fn written(&self) {
        self.depth.fetch_sub(1, Ordering::Relaxed);
    }

    /// False when the connection is gone or has just been told to close.
    pub(crate) fn send(&self, message: Outgoing, limit: usize) -> bool {
        if self.depth.fetch_add(1, Ordering::Relaxed) >= limit {
            let _ = self.sender.send(Outgoing::Close(1008, "Client is too slow."));
            return false;
        }
        self.sender.send(message).is_ok()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stream {
    Ledger,
    Transactions,
    TransactionsProposed,
    Server,
    BookChanges,
    /// Streams that stay silent on a server without peers.
    Silent,
}

impl Stream {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "ledger" => Self::Ledger,
            "transactions" => Self::Transactions,
            "transactions_proposed" | "rt_transactions" => Self::TransactionsProposed,
            "server" => Self::Server,
            "book_changes" => Self::BookChanges,
            "manifests" | "validations" | "peer_status" | "consensus" => Self::Silent,
            _ => return None,
        })
    }
}

#[derive(Debug)]
struct Subscriber {
    queue: Queue,
    shape: ApiShape,
    streams: HashSet<Stream>,
    accounts: HashSet<AccountId>,
    accounts_proposed: HashSet<AccountId>,
    books: Vec<Book>,
    /// Paths it wants to know with every ledger.
    paths: Option<PathRequest>,
}

impl Subscriber {
    fn new(queue: &Queue, shape: ApiShape) -> Self {
        Self {
            queue: queue.clone(),
            shape,
            streams: HashSet::new(),
            accounts: HashSet::new(),
            accounts_proposed: HashSet::new(),
            books: Vec::new(),
            paths: None,
        }
    }
}

/// Everybody who listens.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    subscribers: BTreeMap<u64, Subscriber>,
    last_fees: Option<ServerFees>,
    /// Longest queue a connection may have.
    pub(crate) limit: usize,
    network_id: u32,
}

impl Streams {
    pub(crate) fn new(limit: usize, network_id: u32) -> Self {
        Self { limit, network_id, ..Self::default() }
    }

    pub(crate) fn leave(&mut self, connection: u64) {
        self.subscribers.remove(&connection);
    }

    /// Adds what a `subscribe` asks for; true if the stream `ledger` or `server` is among it, whose
    /// snapshots belong into the answer.
    pub(crate) fn subscribe(
        &mut self,
        connection: u64,
        queue: &Queue,
        params: &Map<String, Json>,
        shape: ApiShape,
    ) -> Result<(bool, bool), RpcError> {
        let wanted = Wanted::read(params)?;
        let new = || Subscriber::new(queue, shape);
        let subscriber = self.subscribers.entry(connection).or_insert_with(new);
        subscriber.shape = shape;
        let snapshots =
            (wanted.streams.contains(&Stream::Ledger), wanted.streams.contains(&Stream::Server));
        subscriber.streams.extend(wanted.streams);
        subscriber.accounts.extend(wanted.accounts);
        subscriber.accounts_proposed.extend(wanted.accounts_proposed);
        subscriber.books.extend(wanted.books);
        Ok(snapshots)
    }

    pub(crate) fn unsubscribe(
        &mut self,
        connection: u64,
        params: &Map<String, Json>,
    ) -> Result<(), RpcError> {
        let unwanted = Wanted::read(params)?;
        // xrpld lets nobody go from this one.
        if unwanted.streams.contains(&Stream::BookChanges) {
            return Err(RpcError::malformed_stream());
        }
        if let Some(subscriber) = self.subscribers.get_mut(&connection) {
            subscriber.streams.retain(|s| !unwanted.streams.contains(s));
            subscriber.accounts.retain(|a| !unwanted.accounts.contains(a));
            subscriber.accounts_proposed.retain(|a| !unwanted.accounts_proposed.contains(a));
            subscriber.books.retain(|book| !unwanted.books.contains(book));
        }
        Ok(())
    }

    /// Keeps a connection's search of paths, in place of one before; none ends it.
    pub(crate) fn set_paths(
        &mut self,
        connection: u64,
        queue: &Queue,
        shape: ApiShape,
        paths: Option<PathRequest>,
    ) {
        let new = || Subscriber::new(queue, shape);
        self.subscribers.entry(connection).or_insert_with(new).paths = paths;
    }

    /// A connection's search of paths.
    pub(crate) fn paths(&mut self, connection: u64) -> Option<&mut PathRequest> {
        self.subscribers.get_mut(&connection)?.paths.as_mut()
    }

    /// Sends paths in a ledger to who searches them, or to one connection.
    pub(crate) fn send_paths(&mut self, ledger: &ClosedLedger, only: Option<u64>) {
        let limit = self.limit;
        self.subscribers.retain(|connection, subscriber| {
            let Some(paths) = &mut subscriber.paths else { return true };
            if only.is_some_and(|only| only != *connection) {
                return true;
            }
            let text = paths.message(ledger).to_string();
            subscriber.queue.send(Outgoing::Text(text.into()), limit)
        });
    }

    /// Tells everybody what happened, in order.
    pub(crate) fn publish(&mut self, events: Vec<Event>, range: (u32, u32)) {
        if self.subscribers.is_empty() {
            if let Some(Event::FeesMayHaveChanged(fees)) =
                events.iter().rev().find(|e| matches!(e, Event::FeesMayHaveChanged(_)))
            {
                self.last_fees = Some(*fees);
            }
            return;
        }
        for event in events {
            match event {
                Event::Proposed(proposed) => {
                    let tx = &proposed.tx;
                    let accounts =
                        [Some(tx.account), tx.object.account(xrpl_protocol::fields::DESTINATION)];
                    let subject = Subject::Proposed(proposed);
                    self.send(
                        |s| {
                            s.streams.contains(&Stream::TransactionsProposed)
                                || accounts
                                    .iter()
                                    .flatten()
                                    .any(|a| s.accounts_proposed.contains(a))
                        },
                        &subject,
                    );
                }
                Event::LedgerClosed(ledger) => self.publish_ledger(&ledger, range),
                Event::Reverted(ledger) => self.publish_header(&ledger, range),
                Event::FeesMayHaveChanged(fees) => {
                    if self.last_fees != Some(fees) {
                        self.last_fees = Some(fees);
                        let message = Subject::Ready(server_status(&fees));
                        self.send(|s| s.streams.contains(&Stream::Server), &message);
                    }
                }
            }
        }
    }

    fn publish_header(&mut self, ledger: &ClosedLedger, range: (u32, u32)) {
        let mut message = ledger_snapshot(ledger, range, self.network_id);
        message.insert("type".into(), "ledgerClosed".into());
        message.insert("txn_count".into(), ledger.transactions.len().into());
        let message = Subject::Ready(message.into());
        self.send(|s| s.streams.contains(&Stream::Ledger), &message);
    }

    fn publish_ledger(&mut self, ledger: &Arc<ClosedLedger>, range: (u32, u32)) {
        self.publish_header(ledger, range);
        let changes = Subject::Ready(book_changes_of(ledger).into());
        self.send(|s| s.streams.contains(&Stream::BookChanges), &changes);
        for transaction in &ledger.transactions {
            self.publish_transaction(ledger, transaction);
        }
        self.send_paths(ledger, None);
    }

    fn publish_transaction(
        &mut self,
        ledger: &Arc<ClosedLedger>,
        transaction: &Arc<LedgerTransaction>,
    ) {
        let message = Subject::Validated {
            ledger: Arc::clone(ledger),
            transaction: Arc::clone(transaction),
            network_id: self.network_id,
        };
        // Each of the two streams delivers validated transactions on its own.
        for stream in [Stream::Transactions, Stream::TransactionsProposed] {
            self.send(|s| s.streams.contains(&stream), &message);
        }
        if transaction.result.is_success() && self.subscribers.values().any(|s| !s.books.is_empty())
        {
            let touched = touched_books(transaction);
            self.send(|s| s.books.iter().any(|book| touched.contains(book)), &message);
        }
        let by_account = self
            .subscribers
            .values()
            .any(|s| !s.accounts.is_empty() || !s.accounts_proposed.is_empty());
        if by_account {
            let touched = crate::rpc::affected_accounts(transaction);
            self.send(
                |s| {
                    touched
                        .iter()
                        .any(|a| s.accounts.contains(a) || s.accounts_proposed.contains(a))
                },
                &message,
            );
        }
    }

    fn send(&mut self, wanted: impl Fn(&Subscriber) -> bool, subject: &Subject) {
        let mut made: [Option<Arc<StreamMessage>>; 2] = [None, None];
        let limit = self.limit;
        self.subscribers.retain(|_, subscriber| {
            if !wanted(subscriber) {
                return true;
            }
            let shape = subscriber.shape;
            let message = made[shape as usize].get_or_insert_with(|| {
                let (subject, text) = (subject.clone(), OnceLock::new());
                Arc::new(StreamMessage { subject, shape, text })
            });
            subscriber.queue.send(Outgoing::Message(Arc::clone(message)), limit)
        });
    }
}

struct Wanted {
    streams: Vec<Stream>,
    accounts: Vec<AccountId>,
    accounts_proposed: Vec<AccountId>,
    books: Vec<Book>,
}

impl Wanted {
    fn read(params: &Map<String, Json>) -> Result<Self, RpcError> {
        let list = |key: &str| match params.get(key) {
            None => Ok(Vec::new()),
            Some(Json::Array(list)) => Ok(list.clone()),
            Some(_) => Err(RpcError::invalid("Invalid parameters.")),
        };
        let accounts = |key: &str| -> Result<Vec<AccountId>, RpcError> {
            let given = list(key)?;
            if params.contains_key(key) && given.is_empty() {
                return Err(RpcError::account_malformed());
            }
            given
                .iter()
                .map(|a| a.as_str().and_then(|t| t.parse().ok()))
                .collect::<Option<Vec<_>>>()
                .ok_or_else(RpcError::account_malformed)
        };
        let streams = list("streams")?
            .iter()
            .map(|name| name.as_str().and_then(Stream::of))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(RpcError::malformed_stream)?;
        let mut books = Vec::new();
        for json in list("books")? {
            let book = book_of(&json)?;
            books.push(book);
            if wants_both(&json) {
                books.push(reversed(book));
            }
        }
        Ok(Self {
            streams,
            accounts: accounts("accounts")?,
            accounts_proposed: accounts("accounts_proposed")?,
            books,
        })
    }
}

/// What `subscribe` answers for the stream `ledger`, and the most of `ledgerClosed`.
pub(crate) fn ledger_snapshot(
    ledger: &ClosedLedger,
    (low, high): (u32, u32),
    network_id: u32,
) -> Map<String, Json> {
    let low = low.max(2);
    let high = high.max(ledger.header.index);
    let range = if low == high { low.to_string() } else { format!("{low}-{high}") };
    crate::rpc::object(json!({
        "fee_base": ledger.fees.base,
        "ledger_hash": ledger.header.hash.to_string(),
        "ledger_index": ledger.header.index,
        "ledger_time": ledger.header.close_time,
        "network_id": network_id,
        "reserve_base": ledger.fees.reserve,
        "reserve_inc": ledger.fees.increment,
        "validated_ledgers": range,
    }))
}

fn server_status(fees: &ServerFees) -> Json {
    json!({
        "base_fee": fees.base_fee,
        "load_base": fees.load_base,
        "load_factor": fees.load_factor(),
        "load_factor_fee_escalation": fees.open_ledger_level,
        "load_factor_fee_queue": fees.queue_level,
        "load_factor_fee_reference": fees.reference_level,
        "load_factor_server": fees.load_factor_server,
        "server_status": "full",
        "type": "serverStatus",
    })
}
