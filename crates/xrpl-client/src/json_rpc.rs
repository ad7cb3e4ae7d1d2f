//! JSON-RPC over kept-alive HTTP/1.1 connections to one node.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::{sync::Semaphore, time};
use url::Url;

use crate::{
    ClientError, Connector, Request,
    connect::Counted,
    response::{self, read_result},
};

/// Largest answer taken, in bytes: a ledger of many thousand transactions fits.
const MAX_BODY: usize = 256 << 20;

/// Requests to one node's HTTP port.
#[derive(Debug)]
pub struct JsonRpc {
    name: Arc<str>,
    url: Url,
    path: String,
    host: String,
    connector: Arc<dyn Connector>,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
    timeout: Duration,
}

#[derive(Debug)]
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    written: Arc<AtomicU64>,
}

impl JsonRpc {
    /// A client of this URL with at most `connections` at once; each request has `timeout`.
    #[must_use]
    pub fn new(
        url: Url,
        connector: Arc<dyn Connector>,
        connections: usize,
        timeout: Duration,
    ) -> Self {
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        };
        Self {
            name: endpoint_name(&url),
            path: url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
            host,
            url,
            connector,
            idle: Mutex::new(Vec::new()),
            permits: Semaphore::new(connections.max(1)),
            timeout,
        }
    }

    /// Asks and reads the answer.
    ///
    /// # Errors
    /// By what they let one do next, see [`ClientError`].
    pub async fn request<R: Request>(&self, request: &R) -> Result<R::Response, ClientError> {
        let body = self.post(request_body(request)).await?;
        read_result(&self.name, &body)
    }

    /// Sends a signed transaction. Only the fields of the answer that matter are read.
    ///
    /// # Errors
    /// As [`JsonRpc::request`].
    pub async fn submit(
        &self,
        blob: &[u8],
        fail_hard: bool,
    ) -> Result<response::Submit, ClientError> {
        const HEAD: &str = r#"{"method":"submit","params":[{"tx_blob":""#;
        let mut body = String::with_capacity(HEAD.len() + blob.len() * 2 + 32);
        body.push_str(HEAD);
        body.push_str(&const_hex::encode_upper(blob));
        body.push_str(if fail_hard { r#"","fail_hard":true}]}"# } else { r#""}]}"# });
        read_result(&self.name, &self.post(body.into()).await?)
    }

    /// Sends a body and gives back the answer's, whatever it is.
    ///
    /// # Errors
    /// All kinds but `Refused`.
    pub async fn post(&self, body: Bytes) -> Result<Bytes, ClientError> {
        let deadline = time::Instant::now() + self.timeout;
        let never = |cause: String| ClientError::NeverSent { endpoint: self.name.clone(), cause };
        let _permit = time::timeout_at(deadline, self.permits.acquire())
            .await
            .map_err(|_| never("all connections were busy until the timeout".into()))?
            .map_err(|e| never(e.to_string()))?;
        loop {
            let (mut connection, reused) = match self.take_idle() {
                Some(connection) => (connection, true),
                None => {
                    let made = time::timeout_at(deadline, self.connect()).await;
                    (made.map_err(|_| never("connecting timed out".into()))?.map_err(never)?, false)
                }
            };
            let before = connection.written.load(Ordering::Acquire);
            let cause = match time::timeout_at(deadline, self.send(&mut connection, &body)).await {
                Ok(Ok((status, answer))) => {
                    self.idle.lock().push(connection);
                    return self.check_status(status, answer);
                }
                Ok(Err(cause)) => cause,
                Err(_) => format!("no answer within {:?}", self.timeout),
            };
            if connection.written.load(Ordering::Acquire) != before {
                return Err(ClientError::Unknown { endpoint: self.name.clone(), cause });
            }
            if !reused || time::Instant::now() >= deadline {
                return Err(never(cause));
            }
            // The node had closed the kept connection before a byte left: another one is as good.
        }
    }

    fn check_status(&self, status: u16, body: Bytes) -> Result<Bytes, ClientError> {
        if status == 200 {
            return Ok(body);
        }
        let text = String::from_utf8_lossy(&body[..body.len().min(300)]).trim().to_owned();
        Err(ClientError::Status { endpoint: self.name.clone(), status, body: text })
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock();
        while let Some(connection) = idle.pop() {
            if !connection.sender.is_closed() {
                return Some(connection);
            }
        }
        None
    }

    async fn connect(&self) -> Result<Connection, String> {
        let io = self.connector.connect(&self.url).await.map_err(|e| format!("connecting: {e}"))?;
        let (io, written) = Counted::new(io);
        let (sender, connection) =
            http1::handshake(TokioIo::new(io)).await.map_err(|e| e.to_string())?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::trace!(%error, "an HTTP connection ended");
            }
        });
        Ok(Connection { sender, written })
    }

    async fn send(
        &self,
        connection: &mut Connection,
        body: &Bytes,
    ) -> Result<(u16, Bytes), String> {
        connection.sender.ready().await.map_err(|e| e.to_string())?;
        let request = http::Request::post(&self.path)
            .header(http::header::HOST, &self.host)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(Full::new(body.clone()))
            .map_err(|e| e.to_string())?;
        let answer = connection.sender.send_request(request).await.map_err(|e| e.to_string())?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), MAX_BODY).collect().await;
        Ok((status, body.map_err(|e| e.to_string())?.to_bytes()))
    }
}

/// How an endpoint is called in errors and records: without user name and password.
pub(crate) fn endpoint_name(url: &Url) -> Arc<str> {
    let mut shown = url.clone();
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.as_str().trim_end_matches('/').into()
}

fn request_body<R: Request>(request: &R) -> Bytes {
    #[derive(serde::Serialize)]
    struct Body<'a, R> {
        method: &'a str,
        params: [&'a R; 1],
    }
    let body = Body { method: request.method(), params: [request] };
    // Requests are plain data: strings, numbers and maps with string keys.
    serde_json::to_vec(&body).unwrap_or_default().into()
}
