//! How connections are made.

use std::{
    fmt, io,
    pin::Pin,
    sync::{Arc, OnceLock},
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, rustls};
use url::Url;

/// A stream of bytes both ways.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Any such stream.
pub type BoxedIo = Box<dyn Io>;

/// A connection on its way.
pub type Connecting<'a> = Pin<Box<dyn Future<Output = io::Result<BoxedIo>> + Send + 'a>>;

/// Makes connections. Tests and simulations make pipes in memory.
pub trait Connector: Send + Sync + fmt::Debug {
    /// Connects to the host and port of a URL, with TLS for `https` and `wss`.
    fn connect<'a>(&'a self, url: &'a Url) -> Connecting<'a>;
}

/// Connections over TCP, and TLS with the system's certificates.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpConnector;

impl Connector for TcpConnector {
    fn connect<'a>(&'a self, url: &'a Url) -> Connecting<'a> {
        Box::pin(async move {
            let host = url.host_str().ok_or_else(|| invalid("the URL names no host"))?;
            let port =
                url.port_or_known_default().ok_or_else(|| invalid("the URL names no port"))?;
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            let stream = TcpStream::connect((bare, port)).await?;
            stream.set_nodelay(true)?;
            if !matches!(url.scheme(), "https" | "wss") {
                return Ok(Box::new(stream) as BoxedIo);
            }
            let name = rustls::pki_types::ServerName::try_from(bare.to_owned())
                .map_err(|e| invalid(&e.to_string()))?;
            let stream = tls()?.connect(name, stream).await?;
            Ok(Box::new(stream) as BoxedIo)
        })
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

fn tls() -> io::Result<TlsConnector> {
    static TLS: OnceLock<TlsConnector> = OnceLock::new();
    if let Some(made) = TLS.get() {
        return Ok(made.clone());
    }
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(invalid("this system has no root certificates (install ca-certificates)"));
    }
    let config =
        rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Ok(TLS.get_or_init(|| TlsConnector::from(Arc::new(config))).clone())
}
