//! Tests of what happens at the limits: a queue that nobody empties, a ledger of ten thousand
//! transactions, a million undecided ones passing their last ledger.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tokio::{
    io::{DuplexStream, duplex},
    sync::{mpsc, watch},
};
use tokio_tungstenite::{accept_async, tungstenite::Message};
use url::Url;
use xrpl_client::{
    Connector, Endpoint, EndpointId, Pool, PoolConfig,
    connect::{BoxedIo, Connecting},
};
use xrpl_protocol::{AccountId, LedgerIndex, Sequence, TxHash, transaction::Slot};

use crate::{
    TrackerConfig,
    bench_support::Processor,
    clock::Clock,
    core::{Core, Links, Shared},
    event_queue::{StreamEvent, event_queue},
    record::LedgerHead,
    store::MemoryStore,
    ws_listener, ws_processor,
};

/// Bytes between node and listener.
const PIPE: usize = 16 << 10;

#[derive(Debug)]
struct OnePipe(mpsc::UnboundedSender<DuplexStream>);

impl Connector for OnePipe {
    fn connect<'a>(&'a self, _: &'a Url) -> Connecting<'a> {
        let (near, far) = duplex(PIPE);
        let taken = self.0.send(far).map_err(|_| io::Error::other("the node is gone"));
        Box::pin(async move { taken.map(|()| Box::new(near) as BoxedIo) })
    }
}

/// A tracker's state with a listener's way to a node, and no task running.
fn shared(
    config: &TrackerConfig,
) -> (Arc<Shared>, mpsc::Receiver<StreamEvent>, mpsc::UnboundedReceiver<DuplexStream>) {
    let (connections_to, connections) = mpsc::unbounded_channel();
    let endpoint = Endpoint { rpc: "http://node/".parse().unwrap(), ws: None };
    let connector = Arc::new(OnePipe(connections_to));
    let pool = Pool::new(vec![endpoint], PoolConfig { connector, ..PoolConfig::default() });
    let store: Arc<MemoryStore> = Arc::default();
    let head = LedgerHead { index: LedgerIndex(10), ..LedgerHead::default() };
    let links = Links::new(store.begin(None), 16, &head);
    let core = Core::new(links, config, head);
    let (queue, events) = event_queue(config.queue_capacity);
    let clock = Clock::new(Some(0));
    let shared = Shared::new(pool, store, config.clone(), queue, core, clock);
    (Arc::new(shared), events, connections)
}

fn message(n: u64) -> String {
    json!({"type": "transaction", "validated": true, "engine_result": "tesSUCCESS",
        "ledger_index": 11, "ledger_hash": hash(11).to_string(), "meta": {"TransactionResult": "tesSUCCESS"},
        "transaction": {"Account": AccountId([1; 20]).to_string(), "Sequence": n,
            "hash": TxHash::from(hash(n)).to_string()}})
    .to_string()
}

fn hash(n: u64) -> xrpl_protocol::Hash256 {
    xrpl_protocol::hash::sha512_half(&[&n.to_be_bytes()])
}

/// For a minute nobody takes events out of the queue while the node sends on. The listener waits,
/// and the node feels it; nothing piles up here, nothing is lost, the connection stays.
#[tokio::test(start_paused = true)]
async fn a_queue_that_is_full_for_a_minute() {
    const SENT: u64 = 3_000;
    let config = TrackerConfig { queue_capacity: 100, ..TrackerConfig::default() };
    let (shared, events, mut connections) = shared(&config);
    let listening = tokio::spawn(ws_listener::listen(
        Arc::clone(&shared),
        EndpointId(0),
        "ws://node/".parse().unwrap(),
    ));
    let (written_to, written) = watch::channel(0);
    let node = tokio::spawn(async move {
        let mut socket = accept_async(connections.recv().await.unwrap()).await.unwrap();
        let Some(Ok(Message::Text(text))) = socket.next().await else { panic!("no request") };
        let request: Json = serde_json::from_str(&text).unwrap();
        let answer = json!({"id": request["id"], "type": "response", "status": "success",
            "result": {}});
        socket.send(Message::text(answer.to_string())).await.unwrap();
        for n in 0..SENT {
            tokio::time::sleep(Duration::from_millis(10)).await;
            socket.send(Message::text(message(n))).await.unwrap();
            written_to.send_replace(n + 1);
        }
        std::future::pending::<()>().await;
    });
    tokio::time::sleep(Duration::from_secs(60)).await;
    let size = message(SENT).len();
    // The queue, the frames before it, one in each hand, and what the pipe holds.
    let most = 100 + ws_listener::FRAMES + 4 + PIPE / size;
    let taken = *written.borrow() as usize;
    assert!(taken <= most, "{taken} of at most {most} messages are held");
    assert!(taken > 300, "{taken}");
    assert_eq!((shared.queue.depth(), shared.queue.capacity()), (100, 100));

    let processing = tokio::spawn(ws_processor::process(
        Arc::clone(&shared),
        Arc::new(tokio::sync::Mutex::new(events)),
    ));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(shared.lock().validated_frames, SENT, "every message came through");
    assert!(shared.queue.blocked_ms() > 50_000, "{} ms", shared.queue.blocked_ms());
    let streams = &shared.streams;
    let count = std::sync::atomic::Ordering::Relaxed;
    assert_eq!((streams.connected.load(count), streams.reconnects.load(count)), (1, 0));
    for task in [listening.abort_handle(), node.abort_handle(), processing.abort_handle()] {
        task.abort();
    }
}

fn track(processor: &Processor, n: u64) {
    let slot = Slot::Sequence(Sequence(n as u32));
    processor.track(hash(n).into(), AccountId([1; 20]), slot, Bytes::from_static(b"blob"));
}

/// One ledger with ten thousand transactions, all of them ours, in whatever order they come.
#[test]
fn a_ledger_of_ten_thousand() {
    const COUNT: u64 = 10_000;
    let processor = Processor::new(
        MemoryStore::default().begin(None),
        &TrackerConfig::default(),
        LedgerIndex(10),
    );
    (0..COUNT).for_each(|n| track(&processor, n));
    let closed = |index: u32, count: u64| {
        json!({"type": "ledgerClosed", "ledger_index": index, "txn_count": count,
            "ledger_hash": hash(index.into()).to_string(), "ledger_time": index, "fee_base": 10,
            "reserve_base": 1_000_000, "reserve_inc": 200_000})
        .to_string()
    };
    let messages = (0..COUNT).map(|n| message(n * 7_919 % COUNT));
    let all: Vec<_> = [closed(11, COUNT)].into_iter().chain(messages).collect();
    for some in all.chunks(100) {
        processor.process(&Processor::batch(some.iter().cloned()));
    }
    assert_eq!(processor.validated(), COUNT);
    assert_eq!(processor.wanted(), 0, "the ledger is whole: nothing is to be read back");
    processor.process(&Processor::batch([closed(12, 0)]));
    assert_eq!(processor.wanted(), 0);
}

/// Many pass their last ledger at once, while every ledger was seen whole: each is EXPIRED with
/// proof, and what has ended leaves memory.
#[test]
fn very_many_expire_at_once_and_leave_memory() {
    const COUNT: u64 = 20_000;
    let processor = Processor::new(
        MemoryStore::new(10).begin(None),
        &TrackerConfig::default(),
        LedgerIndex(10),
    );
    (0..COUNT).for_each(|n| track(&processor, n));
    for index in 11..=31 {
        let closed = json!({"type": "ledgerClosed", "ledger_index": index, "txn_count": 0,
            "ledger_hash": hash(index).to_string(), "ledger_time": index, "fee_base": 10,
            "reserve_base": 1_000_000, "reserve_inc": 200_000});
        processor.process(&Processor::batch([closed.to_string()]));
    }
    assert_eq!(processor.pending(), 0);
    assert_eq!(processor.in_memory(), COUNT as usize);
    processor.forget_ended();
    assert_eq!(processor.in_memory(), 0);
}
