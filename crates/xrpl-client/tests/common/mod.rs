//! Small servers over pipes in memory.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::{fmt, pin::Pin, sync::Arc};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use url::Url;
use xrpl_client::{
    Connector, Endpoint,
    connect::{BoxedIo, Connecting},
};

pub type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

type Serve = dyn Fn(&str, DuplexStream) -> Serving + Send + Sync;

/// Each connection to a host is served by what the function makes of it.
#[derive(Clone)]
pub struct Hosts(Arc<Serve>);

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hosts")
    }
}

impl Hosts {
    pub fn new(serve: impl Fn(&str, DuplexStream) -> Serving + Send + Sync + 'static) -> Self {
        Self(Arc::new(serve))
    }
}

impl Connector for Hosts {
    fn connect<'a>(&'a self, url: &'a Url) -> Connecting<'a> {
        Box::pin(async move {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            tokio::spawn((self.0)(url.host_str().unwrap_or_default(), theirs));
            Ok(Box::new(ours) as BoxedIo)
        })
    }
}

pub fn endpoint(host: &str) -> Endpoint {
    Endpoint { rpc: Url::parse(&format!("http://{host}:5005")).unwrap(), ws: None }
}

/// Reads one HTTP request; its body.
pub async fn read_request(io: &mut DuplexStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let n = io.read(&mut chunk).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&chunk[..n]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length: usize = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned)
            })
            .map_or(0, |n| n.trim().parse().unwrap());
        if body.len() >= length {
            return Some(body.to_owned());
        }
    }
}

pub async fn answer(io: &mut DuplexStream, status: u16, body: &str) {
    answer_as(io, status, "", body).await;
}

/// With further headers, each ended by CR and LF. Who has gone away meanwhile is not told.
pub async fn answer_as(io: &mut DuplexStream, status: u16, headers: &str, body: &str) {
    let length = body.len();
    let text = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
    let _ = io.write_all(text.as_bytes()).await;
}
