//! Who a caller is: an administrator, or somebody whom a page of another site may have sent.
//!
//! On loopback every caller would be an administrator, as with xrpld, and so would be any page that a
//! browser on this machine shows: by a request to this address, which names its Origin, or by a name
//! that it made point here, which is then the Host.

use std::net::IpAddr;

use hyper::header::{HOST, HeaderMap, HeaderName, ORIGIN};

use crate::rpc::Role;

/// Whether a name and port mean this machine: its loopback name, or an address, which nobody else
/// can make point elsewhere.
fn means_this_machine(authority: &str) -> bool {
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|c| c.is_ascii_digit()) => name,
        _ => authority,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

/// What its headers make of a caller. `open` takes everybody for an administrator.
pub(super) fn role(headers: &HeaderMap, open: bool) -> Role {
    let text = |name: HeaderName| {
        headers.get(name).map(|value| value.to_str().unwrap_or_default().to_owned())
    };
    let host = text(HOST).is_none_or(|host| means_this_machine(&host));
    // A page's origin is a scheme and an authority, or `null` for one that hides it.
    let origin = text(ORIGIN).is_none_or(|origin| {
        origin.split_once("://").is_some_and(|(_, authority)| means_this_machine(authority))
    });
    match open || (host && origin) {
        true => Role::Admin,
        false => Role::Guest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn pages_of_other_sites_are_guests() {
        let role_of = |host: Option<&'static str>, origin: Option<&'static str>, open| {
            let mut headers = HeaderMap::new();
            for (name, value) in [(HOST, host), (ORIGIN, origin)] {
                if let Some(value) = value {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            }
            role(&headers, open)
        };
        for (host, origin) in [
            (None, None),
            (Some("127.0.0.1:5005"), None),
            (Some("LOCALHOST:5005"), None),
            (Some("[::1]:5005"), None),
            (Some("10.0.0.7:5005"), None),
            (Some("localhost"), Some("http://localhost:3000")),
            (Some("localhost"), Some("http://127.0.0.1")),
        ] {
            assert_eq!(role_of(host, origin, false), Role::Admin, "{host:?} {origin:?}");
        }
        for (host, origin) in [
            (Some("evil.example:5005"), None),
            (Some("localhost.evil.example"), None),
            (Some("127.0.0.1.nip.io"), None),
            (Some("127.0.0.1:5005"), Some("http://evil.example")),
            (Some("127.0.0.1:5005"), Some("null")),
            (Some(""), None),
        ] {
            assert_eq!(role_of(host, origin, false), Role::Guest, "{host:?} {origin:?}");
            assert_eq!(role_of(host, origin, true), Role::Admin);
        }
    }
}
