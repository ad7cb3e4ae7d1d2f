//! A node as another program would answer for it: what it says to chosen requests is changed.

#![allow(dead_code, unreachable_pub)]

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use futures_util::stream;
use serde_json::Value;
use xrpl_standalone::server::Standalone;

/// What is answered in the place of the node.
pub enum Instead {
    /// This.
    Answer(Value),
    /// Nothing: the connection breaks.
    Break,
}

/// Says what is answered to a method with its parameters; none for what the node says itself.
type Rule = dyn Fn(&str, &Value) -> Option<Instead> + Send + Sync;

/// An address that answers in the place of a node, as a rule says.
pub async fn mask(
    node: &Standalone,
    rule: impl Fn(&str, &Value) -> Option<Instead> + Send + Sync + 'static,
) -> SocketAddr {
    let rule: Arc<Rule> = Arc::new(rule);
    let router = Router::new().route("/", post(answer)).with_state((node.rpc_addr, rule));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn answer(
    State((behind, rule)): State<(SocketAddr, Arc<Rule>)>,
    Json(request): Json<Value>,
) -> Response {
    let method = request["method"].as_str().unwrap_or_default();
    match rule(method, &request["params"][0]) {
        Some(Instead::Answer(answer)) => Json(answer).into_response(),
        Some(Instead::Break) => {
            let broken = stream::once(async { Err::<&str, _>(io::Error::other("broken")) });
            Body::from_stream(broken).into_response()
        }
        None => {
            let text = request.to_string();
            let forwarded = super::common::ask(behind, "POST", "/", &[], Some(&text)).await;
            let json = [("content-type", "application/json")];
            (json, forwarded.text).into_response()
        }
    }
}
