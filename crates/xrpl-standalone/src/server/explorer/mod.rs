//! The explorer: `GET` on the HTTP port. Every page is made from JSON, which `PATH.json` answers: what
//! people see and what programs read cannot differ.

mod html;
mod pages;
mod words;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{self, HeaderValue},
};
use serde_json::{Value as Json, json};

use super::Shared;

const STYLE: &str = include_str!("style.css");
const LIVE: &str = include_str!("live.js");
const ICON: &str = include_str!("icon.svg");

/// Nothing from elsewhere, nothing within a page.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

fn response(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn elsewhere(path: &str) -> Response<Full<Bytes>> {
    let mut response = response(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", String::new());
    if let Ok(path) = HeaderValue::from_str(path) {
        response.headers_mut().insert(header::LOCATION, path);
    }
    response
}

/// Answers a `GET`.
pub(super) fn answer(shared: &Shared, path: &str, query: Option<&str>) -> Response<Full<Bytes>> {
    match path {
        "/explorer/style.css" => {
            return response(StatusCode::OK, "text/css; charset=utf-8", STYLE.into());
        }
        "/explorer/live.js" => {
            return response(StatusCode::OK, "text/javascript; charset=utf-8", LIVE.into());
        }
        "/explorer/icon.svg" => {
            return response(StatusCode::OK, "image/svg+xml; charset=utf-8", ICON.into());
        }
        "/search" => return elsewhere(&pages::found(shared, &term(query))),
        _ => {}
    }
    let (plain, path) = match path.strip_suffix(".json") {
        Some("/index") => (true, "/"),
        Some(path) => (true, path),
        None => (false, path),
    };
    let (status, page) = match pages::page(shared, path) {
        Some(page) => (StatusCode::OK, page),
        None => (StatusCode::NOT_FOUND, json!({"page": "nothing", "path": path})),
    };
    match plain {
        true => response(status, "application/json; charset=utf-8", format!("{page}\n")),
        false => response(status, "text/html; charset=utf-8", html::document(path, &page)),
    }
}

/// What `?q=` says, its percent signs and pluses undone.
fn term(query: Option<&str>) -> String {
    let parts = query.unwrap_or_default().split('&');
    let given = parts.filter_map(|part| part.strip_prefix("q=")).next().unwrap_or_default();
    let mut bytes = Vec::with_capacity(given.len());
    let mut rest = given.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let text = std::str::from_utf8(&digits).unwrap_or_default();
                u8::from_str_radix(text, 16).unwrap_or(b'?')
            }
            byte => byte,
        });
    }
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

/// A member as text.
fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json.get(key).and_then(Json::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_for() {
        assert_eq!(term(Some("q=r%41+b&x=1")), "rA b");
        assert_eq!(term(Some("x=1")), "");
        assert_eq!(term(Some("q=%")), "?");
        assert_eq!(term(None), "");
    }
}
