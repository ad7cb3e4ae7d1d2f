//! How connections are made.

use std::{
    fmt, io,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, rustls};
use url::Url;

use crate::health::Heard;

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

/// What left over one connection, so that "was it sent?" is a fact.
///
/// The bytes are written by another task than the one that waits for the answer. Who gives up must
/// therefore do more than look at a counter: bytes could leave between the look and the verdict.
/// [`Sent::stop`] lets nothing pass from then on.
#[derive(Debug, Default)]
pub(crate) struct Sent(Mutex<Passed>);

#[derive(Debug, Default)]
struct Passed {
    bytes: u64,
    stopped: bool,
}

impl Sent {
    /// Bytes that left so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.lock().bytes
    }

    /// Lets no further byte leave; how many did.
    pub(crate) fn stop(&self) -> u64 {
        let mut passed = self.0.lock();
        passed.stopped = true;
        passed.bytes
    }

    fn pass(&self, write: impl FnOnce() -> Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        // Held while the bytes leave: there is no moment between writing and counting.
        let mut passed = self.0.lock();
        if passed.stopped {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let result = write();
        if let Poll::Ready(Ok(n)) = &result {
            passed.bytes += *n as u64;
        }
        result
    }
}

/// A connection whose bytes are counted as they leave.
pub(crate) struct Counted {
    inner: BoxedIo,
    sent: Arc<Sent>,
    heard: Arc<Heard>,
}

impl Counted {
    /// What comes over it is noted in `heard`.
    pub(crate) fn new(inner: BoxedIo, heard: Arc<Heard>) -> (Self, Arc<Sent>) {
        let sent = Arc::<Sent>::default();
        (Self { inner, sent: Arc::clone(&sent), heard }, sent)
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.heard.now();
        }
        result
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.sent.pass(|| Pin::new(&mut this.inner).poll_write(cx, buf))
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
