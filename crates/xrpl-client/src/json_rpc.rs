//! JSON-RPC over kept-alive HTTP/1.1 connections to one node.

use std::{fmt, sync::Arc, time::Duration};

use bytes::{BufMut as _, Bytes};
use parking_lot::Mutex;
use tokio::{sync::Semaphore, time};
use url::Url;

use crate::{
    ClientError, Connector, Request,
    health::Heard,
    http1::{Answer, Connection},
    response::{self, read_result},
};

/// Requests to one node's HTTP port.
pub struct JsonRpc {
    name: Arc<str>,
    url: Url,
    /// What every request begins with, up to the value of `Content-Length`.
    head: Box<[u8]>,
    connector: Arc<dyn Connector>,
    heard: Arc<Heard>,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
    timeout: Duration,
}

impl fmt::Debug for JsonRpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JsonRpc").field(&self.name).finish()
    }
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
        // What a URL holds is percent-encoded: there is no line end in it.
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
             Content-Length: "
        );
        Self {
            name: endpoint_name(&url),
            head: head.into_bytes().into(),
            url,
            connector,
            heard: Arc::new(Heard::new()),
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

    /// How the node is called in errors and records.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// When something last came from it.
    pub(crate) fn heard(&self) -> &Arc<Heard> {
        &self.heard
    }

    /// Sends a signed transaction, as [`submit_body`] made it. Only the fields of the answer that
    /// matter are read.
    ///
    /// # Errors
    /// As [`JsonRpc::request`].
    pub async fn submit(&self, body: Bytes) -> Result<response::Submit, ClientError> {
        read_result(&self.name, &self.post(body).await?)
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
        let request = self.framed(&body);
        loop {
            let (mut connection, reused) = match self.take_idle() {
                Some(connection) => (connection, true),
                None => {
                    let made = time::timeout_at(deadline, self.connector.connect(&self.url)).await;
                    let made = made.map_err(|_| never("connecting timed out".into()))?;
                    let io = made.map_err(|error| never(format!("connecting: {error}")))?;
                    (Connection::new(io, Arc::clone(&self.heard)), false)
                }
            };
            let mut sent = 0;
            let exchange = connection.exchange(&request, &mut sent);
            let cause = match time::timeout_at(deadline, exchange).await {
                Ok(Ok(answer)) => {
                    self.idle.lock().push(connection);
                    return self.check_status(answer);
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("no answer within {:?}", self.timeout),
            };
            if sent > 0 {
                return Err(ClientError::Unknown { endpoint: self.name.clone(), cause });
            }
            if !reused || time::Instant::now() >= deadline {
                return Err(never(cause));
            }
            // The node had closed the kept connection before a byte left: another one is as good.
        }
    }

    fn framed(&self, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.head.len() + body.len() + 24);
        bytes.put_slice(&self.head);
        bytes.put_slice(body.len().to_string().as_bytes());
        bytes.put_slice(b"\r\n\r\n");
        bytes.put_slice(body);
        bytes
    }

    fn check_status(&self, answer: Answer) -> Result<Bytes, ClientError> {
        let Answer { status, server, body } = answer;
        if status == 200 {
            return Ok(body);
        }
        let endpoint = self.name.clone();
        let body = String::from_utf8_lossy(&body[..body.len().min(300)]).trim().to_owned();
        Err(match proves_untouched(status, server.as_deref()) {
            true => ClientError::TurnedAway { endpoint, status, body },
            false => {
                ClientError::Unknown { endpoint, cause: format!("HTTP status {status}: {body}") }
            }
        })
    }

    fn take_idle(&self) -> Option<Connection> {
        loop {
            // The lock is not held while the connection is looked at.
            let mut connection = self.idle.lock().pop()?;
            if connection.is_usable() {
                return Some(connection);
            }
        }
    }
}

/// The request that submits a signed transaction.
#[must_use]
pub fn submit_body(blob: &[u8], fail_hard: bool) -> Bytes {
    const HEAD: &str = r#"{"method":"submit","params":[{"tx_blob":""#;
    let mut body = String::with_capacity(HEAD.len() + blob.len() * 2 + 32);
    body.push_str(HEAD);
    body.push_str(&const_hex::encode_upper(blob));
    body.push_str(if fail_hard { r#"","fail_hard":true}]}"# } else { r#""}]}"# });
    body.into()
}

/// Whether an answer with this status proves that nobody acted on the request.
///
/// xrpld decides on 400 (not to be parsed, a bad api_version or params), 403 (a port, user or
/// address that may not) and 503 (a client whose load is too high; shutting down) before it hands
/// the request to the method's handler. What it refuses later has status 200.
///
/// What stands between may answer too. Of the 4xx those count that say what is wrong with the
/// request or the client, which is found before anything is passed on; 408, 409 and 425 may also
/// come from a request that was, in part or before. Of the 3xx only those that ask for the same
/// request at another place. A 5xx of a proxy usually comes after passing on (502, 504), and even
/// 503 may (a connection that broke while the answer was awaited): 503 counts only where the
/// `Server` header says that xrpld itself wrote it.
fn proves_untouched(status: u16, server: Option<&[u8]>) -> bool {
    match status {
        307 | 308 => true,
        400 | 401 | 403 | 404 | 405 | 406 | 411 | 413 | 414 | 415 | 417 | 421 | 426 | 429 | 431
        | 451 => true,
        // `xrpld-json-rpc/xrpld-3.3.0`, before 3.0 `rippled-json-rpc/...`.
        503 => server.is_some_and(|server| {
            server.starts_with(b"xrpld-json-rpc/") || server.starts_with(b"rippled-json-rpc/")
        }),
        _ => false,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_that_prove_that_nobody_acted() {
        let xrpld: &[u8] = b"xrpld-json-rpc/xrpld-3.3.0-b0";
        let rippled: &[u8] = b"rippled-json-rpc/rippled-2.6.1";
        let whoever = [None, Some(xrpld), Some(rippled), Some(b"nginx")];
        for (status, proof) in [
            (400, [true; 4]),
            (401, [true; 4]),
            (403, [true; 4]),
            (404, [true; 4]),
            (405, [true; 4]),
            (413, [true; 4]),
            (429, [true; 4]),
            (307, [true; 4]),
            (308, [true; 4]),
            // As likely as not after it was passed on.
            (408, [false; 4]),
            (409, [false; 4]),
            (425, [false; 4]),
            (499, [false; 4]),
            (500, [false; 4]),
            (502, [false; 4]),
            (504, [false; 4]),
            (520, [false; 4]),
            (524, [false; 4]),
            // The answer stands elsewhere: it was acted upon.
            (201, [false; 4]),
            (202, [false; 4]),
            (204, [false; 4]),
            (301, [false; 4]),
            (302, [false; 4]),
            (303, [false; 4]),
            // The node's own, and nobody else's.
            (503, [false, true, true, false]),
        ] {
            assert_eq!(whoever.map(|server| proves_untouched(status, server)), proof, "{status}");
        }
    }
}
