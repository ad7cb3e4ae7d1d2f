//! The HTTP API: one file per group of routes.
//!
//! Every answer is JSON (but the page at `/` and `/metrics`), also those of errors:
//! `{"error": {"code", "message"}}`.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{Method, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::session::App;

mod accounts;
mod error;
mod events;
mod extract;
mod network;
mod observe;
mod page;
mod state;
mod transaction;
mod workload;

pub use error::ApiError;
pub use events::READERS;
pub use transaction::Idempotency;

/// The largest body: a signed transaction in hex is far smaller.
const MAX_BODY: usize = 1 << 20;
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

type Shared = State<Arc<App>>;

/// Serves until cancelled.
pub async fn serve(listener: TcpListener, app: Arc<App>, cancel: CancellationToken) {
    let service = router(app);
    let served = axum::serve(listener, service)
        .with_graceful_shutdown(async move { cancel.cancelled().await })
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the HTTP API has ended");
    }
}

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .merge(page::routes())
        .merge(network::routes())
        .merge(state::routes())
        .merge(observe::routes())
        .merge(events::routes())
        .merge(accounts::routes())
        .merge(transaction::routes())
        .merge(workload::routes())
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), guard))
        .layer(middleware::from_fn(limit_time))
        .with_state(app)
}

async fn unknown_route(request: Request) -> ApiError {
    ApiError::not_found(format!("there is no {}", request.uri().path()))
}

async fn wrong_method(request: Request) -> ApiError {
    let (method, path) = (request.method(), request.uri().path());
    ApiError::method(format!("{path} does not take {method}"))
}

async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::timeout().into_response(),
    }
}

/// Whether a request changes something: every POST, and the GETs that send a transaction.
fn is_action(request: &Request) -> bool {
    let path = request.uri().path();
    !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
        || path.starts_with("/transaction/")
}

/// Actions need the token where one is set. Without one (loopback only) a page of another site in
/// a browser on this machine may not act either.
async fn guard(State(app): Shared, request: Request, next: Next) -> Response {
    if is_action(&request) {
        let headers = request.headers();
        match &app.config.api_token {
            Some(token) => {
                let given = headers
                    .get(header::AUTHORIZATION)
                    .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
                    .unwrap_or_default();
                if !bool::from(given.ct_eq(token.reveal().as_bytes())) {
                    return ApiError::unauthorized().into_response();
                }
            }
            None => {
                let site = headers.get("sec-fetch-site").map(|value| value.as_bytes());
                if matches!(site, Some(b"cross-site" | b"same-site")) {
                    return ApiError::forbidden().into_response();
                }
            }
        }
    }
    next.run(request).await
}
