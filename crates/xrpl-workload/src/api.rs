//! The HTTP API: one file per group of routes.
//!
//! Every answer is JSON (but the page at `/` and `/metrics`), also those of errors:
//! `{"error": {"code", "message"}}`.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef, Request, State},
    http::{HeaderMap, Method, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{host::Host, session::App};

mod accounts;
mod amendments;
mod dex;
mod document;
mod error;
mod events;
mod extract;
mod fuzz;
mod idempotency;
mod journeys;
mod network;
mod objects;
mod observe;
mod page;
mod runs;
mod scenario;
mod serve;
mod shadow;
mod state;
mod transaction;
mod webhooks;
mod workload;

pub use error::ApiError;
pub use events::READERS;
pub use idempotency::Idempotency;
pub use serve::listen;

/// The largest body: a signed transaction in hex is far smaller.
const MAX_BODY: usize = 1 << 20;
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

type Shared = State<Arc<App>>;
type Routes = OpenApiRouter<Host>;

/// A request sees one run from its beginning to its end, whatever is reset meanwhile.
impl FromRef<Host> for Arc<App> {
    fn from_ref(host: &Host) -> Self {
        host.app()
    }
}

/// Serves until cancelled.
pub async fn serve(listener: TcpListener, host: Host, cancel: CancellationToken) {
    serve::serve(listener, router(host), cancel).await;
}

fn documented() -> Routes {
    Routes::with_openapi(document::Document::openapi())
        .merge(network::routes())
        .merge(amendments::routes())
        .merge(state::routes())
        .merge(objects::routes())
        .merge(observe::routes())
        .merge(fuzz::routes())
        .merge(events::routes())
        .merge(accounts::routes())
        .merge(transaction::routes())
        .merge(workload::routes())
        .merge(scenario::routes())
        .merge(journeys::routes())
        .merge(dex::routes())
        .merge(webhooks::routes())
        .merge(runs::routes())
        .merge(shadow::routes())
}

/// The OpenAPI document of all routes.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut api = documented().into_openapi();
    document::complete(&mut api);
    api
}

/// All routes.
pub fn router(host: Host) -> Router {
    let limiter = Arc::new(serve::Limiter::new(host.app().config.api_rate));
    let (router, mut api) = documented().split_for_parts();
    document::complete(&mut api);
    router
        .merge(page::routes())
        .merge(document::page(api))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(host.clone(), guard))
        .layer(middleware::from_fn(limit_time))
        .layer(middleware::from_fn_with_state(limiter, limit_rate))
        .with_state(host)
}

async fn unknown_route(request: Request) -> ApiError {
    ApiError::not_found(format!("there is no {}", request.uri().path()))
}

async fn wrong_method(request: Request) -> ApiError {
    let (method, path) = (request.method(), request.uri().path());
    ApiError::method(format!("{path} does not take {method}"))
}

async fn limit_rate(
    State(limiter): State<Arc<serve::Limiter>>,
    request: Request,
    next: Next,
) -> Response {
    if let Some(serve::Peer(peer)) = request.extensions().get::<serve::Peer>()
        && let Err(wait) = limiter.take(peer.ip(), tokio::time::Instant::now())
    {
        let seconds = wait.as_secs() + 1;
        let mut response = ApiError::too_many(seconds).into_response();
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        return response;
    }
    next.run(request).await
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

/// Whether a browser says that it means this machine. A name that another site made point here says
/// otherwise.
fn means_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

/// Whether a page of another site makes the request. Browsers say so in `Sec-Fetch-Site`; older ones
/// only name the page's `Origin` (`null` where they hide it), which is this program's own page only
/// if it is the very host that is asked. Other programs send neither; nor do older browsers with a GET
/// (an image of another page, say), of which nobody can tell where they come from.
fn comes_from_another_site(method: &Method, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(|value| value.as_bytes());
    if matches!(site, Some(b"cross-site" | b"same-site")) {
        return true;
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        let browser = headers.get(header::USER_AGENT);
        let browser = browser.is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"));
        return browser && site.is_none() && *method == Method::GET;
    };
    let Some(host) = headers.get(header::HOST).and_then(|value| value.to_str().ok()) else {
        return true;
    };
    let own = |origin: &str| {
        let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        rest.is_some_and(|asking| asking.eq_ignore_ascii_case(host))
    };
    !origin.to_str().is_ok_and(own)
}

/// Actions need the token where one is set. Without one (loopback only) a page of another site in
/// a browser on this machine may neither act nor look.
async fn guard(State(app): Shared, request: Request, next: Next) -> Response {
    let headers = request.headers();
    match &app.config.api_token {
        Some(token) if is_action(&request) => {
            let given = headers
                .get(header::AUTHORIZATION)
                .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
                .unwrap_or_default();
            if !bool::from(given.ct_eq(token.reveal().as_bytes())) {
                return ApiError::unauthorized().into_response();
            }
        }
        Some(_) => {}
        None => {
            let host = headers.get(header::HOST).map(|value| value.to_str().unwrap_or_default());
            if host.is_some_and(|host| !means_this_machine(host)) {
                return ApiError::forbidden().into_response();
            }
            if is_action(&request) && comes_from_another_site(request.method(), headers) {
                return ApiError::forbidden().into_response();
            }
        }
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_programs_own_page_is_no_other_site() {
        let asked = |headers: &[(&'static str, &str)]| {
            let headers = headers.iter().map(|(name, value)| {
                (header::HeaderName::from_static(name), value.parse().unwrap())
            });
            comes_from_another_site(&Method::GET, &headers.collect())
        };
        let host = ("host", "localhost:8000");
        assert!(!asked(&[host]));
        assert!(!asked(&[host, ("origin", "http://localhost:8000")]));
        assert!(!asked(&[host, ("origin", "http://LOCALHOST:8000")]));
        assert!(!asked(&[("host", "[::1]:80"), ("origin", "http://[::1]:80")]));
        assert!(!asked(&[host, ("sec-fetch-site", "same-origin")]));
        for origin in [
            "http://evil.example",
            "http://localhost:3000",
            "http://localhost:8000.evil.example",
            "null",
            "file://localhost:8000",
        ] {
            assert!(asked(&[host, ("origin", origin)]), "{origin}");
        }
        assert!(asked(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(asked(&[("origin", "http://localhost:8000")]), "without a Host nothing is its own");
        // A browser that says nothing of where a GET comes from may be on anybody's page.
        let browser = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15");
        assert!(asked(&[host, browser]));
        assert!(!asked(&[host, browser, ("sec-fetch-site", "same-origin")]));
        assert!(!asked(&[host, browser, ("sec-fetch-site", "none")]), "its address was typed");
        assert!(!asked(&[host, ("user-agent", "curl/8.5.0")]));
    }

    #[test]
    fn only_addresses_and_localhost_mean_this_machine() {
        for host in ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "10.0.0.7"] {
            assert!(means_this_machine(host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:8000", "127.0.0.1.nip.io", ""] {
            assert!(!means_this_machine(host), "{host}");
        }
    }
}
