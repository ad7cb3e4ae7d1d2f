//! Who is posted to: one request, signed.

use aws_lc_rs::hmac;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use url::Url;
use xrpl_client::{Connector, TcpConnector};

/// What is read of an answer.
const MOST_ANSWER: usize = 64 * 1024;

/// What is posted.
pub(super) struct Post {
    /// The same at every try.
    pub(super) key: String,
    pub(super) body: Bytes,
}

/// Where ends are posted.
pub(super) struct Target {
    url: Url,
    host: String,
    path: String,
    authorization: Option<String>,
    key: Option<hmac::Key>,
}

impl Target {
    /// # Errors
    /// The address names no host.
    pub(super) fn new(url: &Url, secret: Option<&str>) -> Result<Self, String> {
        let host = url.host_str().ok_or("it names no host")?;
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let path = url
            .query()
            .map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let authorization = (!url.username().is_empty()).then(|| {
            use base64::Engine;
            let text = format!("{}:{}", url.username(), url.password().unwrap_or_default());
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
        });
        let key = secret.map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
        Ok(Self { url: url.clone(), host, path, authorization, key })
    }

    /// Posts once; the status that was answered.
    pub(super) async fn send(&self, post: &Post) -> Result<u16, String> {
        let stream = TcpConnector.connect(&self.url).await.map_err(|error| error.to_string())?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(self.request(post)?).await;
        let status = match answer {
            Ok(answer) => {
                let status = answer.status().as_u16();
                // Read, so that the receiver does not see a broken connection; what it says does
                // not matter.
                let _ = Limited::new(answer.into_body(), MOST_ANSWER).collect().await;
                Ok(status)
            }
            Err(error) => Err(error.to_string()),
        };
        connection.abort();
        status
    }

    fn request(&self, post: &Post) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::post(&self.path)
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("xrpl-workload/", env!("CARGO_PKG_VERSION")))
            .header(header::CONNECTION, "close")
            .header("idempotency-key", &post.key);
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if let Some(key) = &self.key {
            let signature = const_hex::encode(hmac::sign(key, &post.body));
            request = request.header("x-signature-256", format!("sha256={signature}"));
        }
        request.body(Full::new(post.body.clone())).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_key_signature_and_password() {
        let url = Url::parse("http://u:p@example.org:81/a/b?c=d").unwrap();
        // RFC 4231, test case 2.
        let target = Target::new(&url, Some("Jefe")).unwrap();
        let body = Bytes::from_static(b"what do ya want for nothing?");
        let request = target.request(&Post { key: "k".into(), body }).unwrap();
        let text = |name: &str| request.headers()[name].to_str().unwrap();
        assert_eq!(request.uri(), "/a/b?c=d");
        assert_eq!((text("host"), text("idempotency-key")), ("example.org:81", "k"));
        assert_eq!(text("authorization"), "Basic dTpw");
        assert_eq!(
            text("x-signature-256"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let plain = Target::new(&Url::parse("http://example.org/").unwrap(), None).unwrap();
        let request = plain.request(&Post { key: "k".into(), body: Bytes::new() }).unwrap();
        assert!(request.headers().get("x-signature-256").is_none());
    }
}
