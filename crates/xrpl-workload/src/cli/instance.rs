//! A running instance, asked over its HTTP API.

use std::{net::IpAddr, time::Duration};

use http_body_util::{BodyExt, Empty, Limited};
use hyper::{
    Request, StatusCode,
    body::Bytes,
    client::conn::http1,
    header::{ACCEPT, HOST},
};
use hyper_util::rt::TokioIo;
use serde_json::Value as Json;
use url::Url;
use xrpl_client::{Connector, TcpConnector};

use crate::config::Config;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest answer read.
const LONGEST: usize = 16 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The address is none.
    #[error("--api {0}: {1}. Give for example http://127.0.0.1:8000")]
    Address(String, String),
    /// Nothing answers there.
    #[error("no instance answers at {0}: {1}. Is it running there? --api names another one")]
    Gone(Url, String),
    /// The instance has this to say.
    #[error("{message}")]
    Refused {
        /// The answer's status.
        status: StatusCode,
        /// Its words.
        message: String,
    },
}

/// Where an instance listens.
#[derive(Clone, Debug)]
pub(super) struct Instance(Url);

impl Instance {
    /// The one that `--api` names, else the one that the configuration would start.
    pub(super) fn named(api: Option<&String>, config: &Config) -> Result<Self, Failure> {
        let text = api.cloned().unwrap_or_else(|| {
            let mut address = config.api_bind;
            if address.ip().is_unspecified() {
                address.set_ip(match address.ip() {
                    IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                    IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
                });
            }
            format!("http://{address}")
        });
        let wrong = |why: &str| Failure::Address(text.clone(), why.to_owned());
        let url: Url = text.parse().map_err(|error: url::ParseError| wrong(&error.to_string()))?;
        match (url.scheme(), url.host_str()) {
            ("http" | "https", Some(_)) => Ok(Self(url)),
            _ => Err(wrong("it is no http:// or https:// address")),
        }
    }

    /// The answer to a GET.
    pub(super) async fn get(&self, path: &str) -> Result<Json, Failure> {
        let gone = |why: String| Failure::Gone(self.0.clone(), why);
        match tokio::time::timeout(TIMEOUT, self.ask(path)).await {
            Ok(Ok((status, body))) => read(status, &body).map_err(|why| match why {
                Unread::Refused(message) => Failure::Refused { status, message },
                Unread::NotJson(why) => gone(why),
            }),
            Ok(Err(error)) => Err(gone(error.to_string())),
            Err(_) => Err(gone("no answer in time".into())),
        }
    }

    async fn ask(
        &self,
        path: &str,
    ) -> Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> {
        let io = TcpConnector.connect(&self.0).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await?;
        let connection = tokio::spawn(connection);
        let request = Request::get(path)
            .header(HOST, self.0.authority())
            .header(ACCEPT, "application/json")
            .body(Empty::<Bytes>::new())?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST).collect().await?.to_bytes();
        connection.abort();
        Ok((status, body))
    }
}

enum Unread {
    Refused(String),
    NotJson(String),
}

fn read(status: StatusCode, body: &[u8]) -> Result<Json, Unread> {
    let json: Json = serde_json::from_slice(body)
        .map_err(|_| Unread::NotJson(format!("it answers {status} and no JSON")))?;
    match json["error"]["message"].as_str() {
        Some(message) if !status.is_success() => Err(Unread::Refused(message.to_owned())),
        _ => Ok(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    #[test]
    fn the_address_follows_from_the_configuration_unless_it_is_named() {
        let mut config = Config::load(&Sources::default()).unwrap();
        let of = |api: Option<&str>, config: &Config| {
            Instance::named(api.map(str::to_owned).as_ref(), config).map(|instance| instance.0)
        };
        assert_eq!(of(None, &config).unwrap().as_str(), "http://127.0.0.1:8000/");
        config.api_bind = "0.0.0.0:81".parse().unwrap();
        assert_eq!(of(None, &config).unwrap().as_str(), "http://127.0.0.1:81/");
        assert_eq!(of(Some("http://a:9"), &config).unwrap().as_str(), "http://a:9/");
        for wrong in ["", "a:9", "ftp://a", "http://"] {
            let error = of(Some(wrong), &config).unwrap_err().to_string();
            assert!(error.starts_with(&format!("--api {wrong}: ")), "{error}");
        }
    }

    #[test]
    fn errors_are_told_in_the_instances_own_words() {
        let body = br#"{"error": {"code": "not_found", "message": "gone"}}"#;
        assert!(
            matches!(read(StatusCode::NOT_FOUND, body), Err(Unread::Refused(m)) if m == "gone")
        );
        assert!(matches!(read(StatusCode::OK, b"<html>"), Err(Unread::NotJson(_))));
        // /health says with 503 what is wrong, in its own form.
        assert!(read(StatusCode::SERVICE_UNAVAILABLE, br#"{"status": "no node"}"#).is_ok());
    }
}
