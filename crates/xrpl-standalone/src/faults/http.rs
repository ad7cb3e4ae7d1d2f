//! A JSON-RPC link that misbehaves.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    Request, Response, StatusCode,
    body::{Frame, Incoming},
    client::conn::http1::{SendRequest, handshake},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::Value as Json;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time,
};

use super::{
    link::{Blow, Link},
    plan::Action,
    ws::{HALF_OPEN, garbage},
};

type Body = UnsyncBoxBody<Bytes, Broken>;

/// The connection is to end here.
#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken as planned")
    }
}

impl std::error::Error for Broken {}

/// A way to a node: one connection, requests one after the other.
type Way = Arc<tokio::sync::Mutex<SendRequest<Full<Bytes>>>>;

/// Where a link's requests go: the node that was meant and, if there is one, another.
struct Ways {
    link: Mutex<Link>,
    meant: Way,
    other: Option<Way>,
}

/// Opens a way. It lasts as long as a request is under way on it, whatever becomes of the client.
async fn way<N>(node: N) -> Option<Way>
where
    N: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (to_node, far) = handshake(TokioIo::new(node)).await.ok()?;
    tokio::spawn(far);
    Some(Arc::new(tokio::sync::Mutex::new(to_node)))
}

/// Passes requests from a client to a node, and answers back.
pub(super) async fn serve<C, N>(client: C, node: N, other: Option<N>, link: Link)
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    N: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let Some(meant) = way(node).await else { return };
    let other = match other {
        Some(other) => way(other).await,
        None => None,
    };
    let down = link.blow();
    let ways = Arc::new(Ways { link: Mutex::new(link), meant, other });
    let service = service_fn(|request| {
        let ways = Arc::clone(&ways);
        async move { answer(&ways, request).await }
    });
    let near = http1::Builder::new().serve_connection(TokioIo::new(client), service);
    tokio::pin!(near);
    let how = tokio::select! {
        biased;
        blow = down => Some(blow),
        _ = &mut near => None,
    };
    if how.is_some() {
        ways.link.lock().hit();
    }
    if how == Some(Blow::HalfOpen) {
        // Held, not read.
        time::sleep(HALF_OPEN).await;
    }
}

async fn answer(ways: &Arc<Ways>, request: Request<Incoming>) -> Result<Response<Body>, Broken> {
    let link = &ways.link;
    let stalled = link.lock().stalled_until();
    if let Some(until) = stalled {
        time::sleep_until(until).await;
    }
    let body = request.into_body().collect().await.map_err(|_| Broken)?.to_bytes();
    let fault = link.lock().message();
    match &fault {
        Some(Action::Drop(_)) => return std::future::pending().await,
        Some(Action::Error(_, token)) => return Ok(error(token)),
        Some(Action::Status(_, status)) => return Ok(own_word(overloaded(*status))),
        // Some requests do not arrive, of others the answer gets lost.
        Some(Action::Break(_)) if link.lock().below(2) == 0 => return Err(Broken),
        Some(Action::Delay(_, most)) => {
            let by = link.lock().below(*most);
            time::sleep(Duration::from_millis(by)).await;
        }
        Some(Action::Duplicate(_)) => drop(pass(ways, body.clone(), false, None).await?),
        _ => {}
    }
    let late = match fault {
        Some(Action::Late(_, most)) => Some(link.lock().below(most)),
        _ => None,
    };
    let elsewhere = matches!(fault, Some(Action::Elsewhere(_)));
    let (status, text) = pass(ways, body, elsewhere, late.map(Duration::from_millis)).await?;
    let text = leave_out(&mut link.lock(), text);
    Ok(match fault {
        Some(Action::LoseAnswer(_)) => return std::future::pending().await,
        Some(Action::StatusAfter(_, status)) => overloaded(status),
        Some(Action::ErrorAfter(_, token)) => error(&token),
        Some(Action::Unsearched(_)) => response(status, unsearched(&text)),
        Some(Action::Truncate(_)) => {
            let at = link.lock().below(text.len() as u64) as usize;
            response(status, text.slice(..at))
        }
        Some(Action::Garbage(_)) => {
            response(status, Bytes::from_static(garbage(&mut link.lock()).as_bytes()))
        }
        Some(Action::Break(_)) => half(status, &text),
        _ => response(status, text),
    })
}

/// Hands a request on. What has arrived at a node is acted upon, whether or not the client still
/// waits for the answer: hence a task of its own.
async fn pass(
    ways: &Arc<Ways>,
    body: Bytes,
    elsewhere: bool,
    late: Option<Duration>,
) -> Result<(StatusCode, Bytes), Broken> {
    let ways = Arc::clone(ways);
    let passed = tokio::spawn(async move {
        if let Some(by) = late {
            time::sleep(by).await;
        }
        let thawed = ways.link.lock().thawed();
        thawed.await;
        ways.link.lock().note(&body);
        let way = if elsewhere { ways.other.as_ref() } else { None };
        let answer = ask(way.unwrap_or(&ways.meant), body).await;
        // It may have been stopped in between.
        let thawed = ways.link.lock().thawed();
        thawed.await;
        answer
    });
    passed.await.map_err(|_| Broken)?
}

async fn ask(way: &Way, body: Bytes) -> Result<(StatusCode, Bytes), Broken> {
    let mut to_node = way.lock().await;
    to_node.ready().await.map_err(|_| Broken)?;
    let request = Request::post("/")
        .header(hyper::header::HOST, "node")
        .body(Full::new(body))
        .map_err(|_| Broken)?;
    let answer = to_node.send_request(request).await.map_err(|_| Broken)?;
    let status = answer.status();
    let body = answer.into_body().collect().await.map_err(|_| Broken)?;
    Ok((status, body.to_bytes()))
}

fn error(token: &str) -> Response<Body> {
    let text = format!(
        r#"{{"result":{{"error":"{token}","error_code":17,"error_message":"planned","status":"error"}}}}"#
    );
    response(StatusCode::OK, text.into())
}

fn overloaded(status: u16) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    response(status, Bytes::from_static(b"Server is overloaded"))
}

/// As xrpld signs what it turns away. A status that it does not use for that is a proxy's.
fn own_word(mut answer: Response<Body>) -> Response<Body> {
    if matches!(answer.status(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::FORBIDDEN) {
        let name = hyper::header::HeaderValue::from_static("xrpld-json-rpc/xrpld-3.3.0-b0");
        answer.headers_mut().insert(hyper::header::SERVER, name);
    }
    answer
}

/// The same answer of a node that lacks some of the ledgers that were to be searched.
fn unsearched(text: &Bytes) -> Bytes {
    match std::str::from_utf8(text) {
        Ok(text) => text.replace("\"searched_all\":true", "\"searched_all\":false").into(),
        Err(_) => text.clone(),
    }
}

/// The same ledger without one of its transactions, if that is planned.
fn leave_out(link: &mut Link, text: Bytes) -> Bytes {
    if !link.leaves_out() {
        return text;
    }
    let Ok(mut answer) = serde_json::from_slice::<Json>(&text) else { return text };
    let listed = answer.pointer_mut("/result/ledger/transactions").and_then(Json::as_array_mut);
    match listed {
        Some(listed) if !listed.is_empty() => {
            listed.remove(link.below(listed.len() as u64) as usize);
            link.hit();
            answer.to_string().into()
        }
        _ => text,
    }
}

fn response(status: StatusCode, text: Bytes) -> Response<Body> {
    let body = Full::new(text).map_err(|never: Infallible| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// An answer that breaks off after half of what it promised.
fn half(status: StatusCode, text: &Bytes) -> Response<Body> {
    let first = text.slice(..text.len() / 2);
    let frames = futures_util::stream::iter([Ok(Frame::data(first)), Err(Broken)]);
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    *response.status_mut() = status;
    let length = hyper::header::HeaderValue::from(text.len());
    response.headers_mut().insert(hyper::header::CONTENT_LENGTH, length);
    response
}
