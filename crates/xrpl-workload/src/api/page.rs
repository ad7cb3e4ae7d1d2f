//! The page for people.

use axum::{
    Router,
    http::header,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};

use super::{ApiError, extract::Segment};
use crate::{dashboard, host::Host};

/// Only what this program serves itself, and no other page around it.
const POLICY: &str = "default-src 'none'; connect-src 'self'; style-src 'self'; script-src 'self'; \
                      img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn routes() -> Router<Host> {
    Router::new()
        .route("/", get(page))
        .route("/dashboard", get(page))
        .route("/dashboard/{*path}", get(file))
        .route("/state/dashboard", get(async || Redirect::permanent("/dashboard")))
}

/// A text that a browser asks for again after an update of the program.
fn text(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}

async fn page() -> Response {
    text("text/html; charset=utf-8", dashboard::INDEX)
}

async fn file(Segment(path): Segment) -> Result<Response, ApiError> {
    dashboard::asset(&path)
        .map(|asset| text(asset.kind, asset.text))
        .ok_or_else(|| ApiError::not_found(format!("there is no /dashboard/{path}")))
}
