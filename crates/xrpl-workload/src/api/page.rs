//! The page for people: live numbers, nothing else.

use std::sync::Arc;

use axum::{
    Router,
    http::header,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};

use crate::session::App;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(page))
        .route("/dashboard", get(page))
        .route("/state/dashboard", get(async || Redirect::permanent("/dashboard")))
}

async fn page() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'",
        ),
    ];
    (headers, include_str!("page.html")).into_response()
}
