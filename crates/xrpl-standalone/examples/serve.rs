//! A ledger on ports 5005 and 6006 that closes every second; ends after the seconds given (60).

use std::time::Duration;

use xrpl_standalone::{Closing, Standalone, StandaloneConfig};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let seconds = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(60);
    let closing = Closing::Interval(Duration::from_secs(1));
    let server =
        Standalone::start(StandaloneConfig { closing, ..StandaloneConfig::default() }).await?;
    println!("JSON-RPC http://{}  WebSocket ws://{}", server.rpc_addr, server.ws_addr);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    server.shutdown().await;
    Ok(())
}
