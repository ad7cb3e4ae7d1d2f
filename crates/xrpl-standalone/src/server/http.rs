//! JSON-RPC over HTTP: what a body must be, batches, and the form of answers.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Response, StatusCode, body::Incoming};
use serde_json::{Map, Value as Json, json};

use super::{Shared, callers, explorer, faucet};
use crate::rpc::{self, Role};

/// Largest request, as xrpld's.
const MAX_REQUEST: usize = 1 << 20;

fn plain(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("{text}\r\n"))));
    *response.status_mut() = status;
    response
}

/// What is answered where a fork's origin does not answer.
fn without_origin(error: &std::io::Error) -> Response<Full<Bytes>> {
    let text = format!("The fork's origin does not answer: {error}");
    plain(StatusCode::SERVICE_UNAVAILABLE, &text)
}

pub(super) async fn http_request(
    shared: Arc<Shared>,
    peer: Option<IpAddr>,
    request: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
    let (head, body) = request.into_parts();
    let role = callers::role(&head.headers, shared.open_admin);
    let body = match Limited::new(body, MAX_REQUEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Ok(plain(StatusCode::BAD_REQUEST, "Unable to parse request: too large")),
    };
    if let (faucet::PATH, Some(faucet)) = (head.uri.path(), &shared.faucet) {
        shared.until_open().await;
        let caller = (&head.method, &head.headers, peer);
        let answer = shared.complete(|| faucet::answer(&shared, faucet, caller, &body)).await;
        return Ok(answer.unwrap_or_else(|error| without_origin(&error)));
    }
    // Of what answers a HEAD hyper sends only the head.
    if matches!(head.method, Method::GET | Method::HEAD) && shared.explorer {
        shared.until_open().await;
        let (path, query) = (head.uri.path(), head.uri.query());
        let answer = shared.complete(|| explorer::answer(&shared, path, query)).await;
        return Ok(answer.unwrap_or_else(|error| without_origin(&error)));
    }
    let request = match super::json::parse(&body) {
        Ok(Json::Object(request)) if !request.is_empty() => request,
        Ok(_) => return Ok(plain(StatusCode::BAD_REQUEST, "Unable to parse request: ")),
        Err(why) => {
            let text = format!("Unable to parse request: {why}");
            return Ok(plain(StatusCode::BAD_REQUEST, &text));
        }
    };
    shared.until_open().await;
    let work = || match request.get("method").and_then(Json::as_str) {
        Some("batch") => match request.get("params") {
            Some(Json::Array(calls)) => {
                let answers = calls.iter().map(|call| match call {
                    Json::Object(call) => batched(&shared, call, role),
                    other => json!({
                        "error": {"error": {"code": -32601, "message": "Method not found"}},
                        "request": other,
                    }),
                });
                Ok(answers.collect())
            }
            _ => Err("Malformed batch request"),
        },
        _ => rpc_call(&shared, &request, role),
    };
    let answer = match shared.complete(work).await {
        Ok(answer) => answer,
        Err(error) => return Ok(without_origin(&error)),
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(text) => return Ok(plain(StatusCode::BAD_REQUEST, text)),
    };
    // Values are strings, numbers and maps with string keys.
    let text = format!("{answer}\n");
    let mut response = Response::new(Full::new(Bytes::from(text)));
    response.headers_mut().insert(
        hyper::header::CONTENT_TYPE,
        hyper::header::HeaderValue::from_static("application/json; charset=UTF-8"),
    );
    Ok(response)
}

/// One call of a batch: its parameters may stand beside the method, and what identifies it comes
/// back with the answer.
fn batched(shared: &Shared, call: &Map<String, Json>, role: Role) -> Json {
    let mut whole = call.clone();
    whole.insert("params".into(), json!([call]));
    let mut answer = rpc_call(shared, &whole, role).unwrap_or_else(|text| json!({"error": text}));
    if let Json::Object(answer) = &mut answer {
        for key in ["id", "jsonrpc", "ripplerpc"] {
            if let Some(value) = call.get(key) {
                answer.insert(key.into(), value.clone());
            }
        }
    }
    answer
}

pub(super) fn rpc_call(
    shared: &Shared,
    request: &Map<String, Json>,
    role: Role,
) -> Result<Json, &'static str> {
    let method = match request.get("method") {
        None | Some(Json::Null) => return Err("Null method"),
        Some(Json::String(method)) if method.is_empty() => return Err("method is empty"),
        Some(Json::String(method)) => method,
        Some(_) => return Err("method is not string"),
    };
    let empty = Map::new();
    let params = match request.get("params") {
        None | Some(Json::Null) => &empty,
        Some(Json::Array(list)) if list.is_empty() => &empty,
        Some(Json::Object(params)) if params.is_empty() => &empty,
        Some(Json::Array(list)) if list.len() == 1 => match &list[0] {
            Json::Object(params) => params,
            Json::Null => &empty,
            _ => return Err("params unparsable"),
        },
        Some(_) => return Err("params unparsable"),
    };
    let answer = rpc::handle(shared, method, params, role);
    if matches!(&answer, Err(e) if e.token == "invalid_API_version") {
        return Err("invalid_API_version");
    }
    let result = match answer {
        Ok(mut members) => {
            members.insert("status".into(), "success".into());
            members
        }
        Err(error) => {
            let mut members = error.to_members();
            members.insert("status".into(), "error".into());
            let mut echo = redacted(params);
            echo.insert("command".into(), method.as_str().into());
            members.insert("request".into(), echo.into());
            members
        }
    };
    Ok(json!({"result": result}))
}

/// A request to be echoed: without its secrets.
pub(super) fn redacted(params: &Map<String, Json>) -> Map<String, Json> {
    let mut echo = params.clone();
    for key in ["secret", "seed", "seed_hex", "passphrase"] {
        if let Some(value) = echo.get_mut(key) {
            *value = "<masked>".into();
        }
    }
    echo
}
