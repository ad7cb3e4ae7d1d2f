//! `submit_and_wait RPC_URL WS_URL BLOB_HEX`: sends a signed transaction and waits for its proven
//! end.

use std::error::Error;

use xrpl_client::{Endpoint, Pool, PoolConfig};
use xrpl_tracker::{MemoryStore, Submission, Tracker, TrackerConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rpc, ws, blob] = arguments.as_slice() else {
        return Err("usage: submit_and_wait RPC_URL WS_URL BLOB_HEX".into());
    };
    let node = Endpoint { rpc: rpc.parse()?, ws: Some(ws.parse()?) };
    let pool = Pool::new(vec![node], PoolConfig::default());
    let tracker = Tracker::start(pool, MemoryStore::shared(), TrackerConfig::default()).await?;
    let submitted = tracker.submit(Submission::new(const_hex::decode(blob)?)).await?;
    println!("{} is {}", submitted.hash, submitted.state);
    let outcome = tracker.outcome(submitted.hash).await?;
    println!("{}: {:?}", outcome.state, outcome.evidence);
    Ok(())
}
