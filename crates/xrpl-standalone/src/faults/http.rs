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

/// Passes requests from a client to a node, and answers back.
pub(super) async fn serve<C, N>(client: C, node: N, link: Link)
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    N: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let Ok((to_node, far)) = handshake(TokioIo::new(node)).await else { return };
    let link = Arc::new(Mutex::new(link));
    let to_node = Arc::new(tokio::sync::Mutex::new(to_node));
    let service = service_fn(|request| {
        let (link, to_node) = (Arc::clone(&link), Arc::clone(&to_node));
        async move { answer(&link, &to_node, request).await }
    });
    let near = http1::Builder::new().serve_connection(TokioIo::new(client), service);
    tokio::pin!(near);
    let blow = link.lock().blow();
    let how = tokio::select! {
        biased;
        blow = blow => Some(blow),
        _ = &mut near => None,
        _ = far => None,
    };
    if how.is_some() {
        link.lock().hit();
    }
    if how == Some(Blow::HalfOpen) {
        // Held, not read.
        time::sleep(HALF_OPEN).await;
    }
}

async fn answer(
    link: &Mutex<Link>,
    to_node: &tokio::sync::Mutex<SendRequest<Full<Bytes>>>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Broken> {
    let stalled = link.lock().stalled_until();
    if let Some(until) = stalled {
        time::sleep_until(until).await;
    }
    let body = request.into_body().collect().await.map_err(|_| Broken)?.to_bytes();
    let fault = link.lock().message();
    match &fault {
        Some(Action::Drop(_)) => return std::future::pending().await,
        Some(Action::Error(_, token)) => {
            let text = format!(
                r#"{{"result":{{"error":"{token}","error_code":17,"error_message":"planned","status":"error"}}}}"#
            );
            return Ok(response(StatusCode::OK, text.into()));
        }
        Some(Action::Status(_, status)) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            return Ok(response(status, Bytes::from_static(b"Server is overloaded")));
        }
        // Some requests do not arrive, of others the answer gets lost.
        Some(Action::Break(_)) if link.lock().below(2) == 0 => return Err(Broken),
        Some(Action::Delay(_, most)) => {
            let by = link.lock().below(*most);
            time::sleep(Duration::from_millis(by)).await;
        }
        Some(Action::Duplicate(_)) => drop(pass(to_node, body.clone()).await?),
        _ => {}
    }
    let (status, text) = pass(to_node, body).await?;
    Ok(match fault {
        Some(Action::LoseAnswer(_)) => return std::future::pending().await,
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

async fn pass(
    to_node: &tokio::sync::Mutex<SendRequest<Full<Bytes>>>,
    body: Bytes,
) -> Result<(StatusCode, Bytes), Broken> {
    let mut to_node = to_node.lock().await;
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
