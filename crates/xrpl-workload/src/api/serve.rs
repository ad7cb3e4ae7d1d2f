//! Connections of the API: how many, how long they may dawdle, and how much one address may ask.

use std::{
    collections::HashMap,
    io::{self, IoSlice},
    net::{IpAddr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Semaphore,
    time::{Instant, Sleep},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// Connections at once; more wait to be accepted.
const CONNECTIONS: usize = 2_048;
/// How long a client may take to send the head of a request, idle connections included.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// How long a client may leave what it asked for unread.
const READ_WITHIN: Duration = Duration::from_secs(10);
/// What the system holds of an answer that is not read yet.
const SEND_BUFFER: u32 = 256 * 1024;
/// Addresses whose requests are counted.
const ADDRESSES: usize = 10_000;

/// Who sent a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Listens with bounded buffers.
///
/// # Errors
/// The address is taken or not this machine's.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Connections inherit it.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1_024)
}

/// Serves until cancelled; requests under way are finished.
pub(super) async fn serve(listener: TcpListener, router: Router, cancel: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let connections = TaskTracker::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let accepted = tokio::select! {
            () = cancel.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (router, cancel) = (router.clone(), cancel.clone());
                connections.spawn(async move {
                    connection(stream, peer, router, cancel).await;
                    drop(place);
                });
            }
            // Out of descriptors, or the client has gone already: the next one may work.
            Err(error) => {
                tracing::warn!(%error, "a connection of the API could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    connections.close();
    connections.wait().await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    cancel: CancellationToken,
) {
    // Without it answers only come later.
    let _ = stream.set_nodelay(true);
    let service = router.map_request(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        request
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(Impatient::new(stream)), TowerToHyperService::new(service));
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = &mut served => ended,
        () = cancel.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection of the API was cut off");
    }
}

/// A stream whose reader must not fall asleep: what it leaves unread for long ends it.
#[derive(Debug)]
struct Impatient<S> {
    stream: S,
    /// Set while a write waits for the reader.
    until: Option<Pin<Box<Sleep>>>,
}

impl<S> Impatient<S> {
    fn new(stream: S) -> Self {
        Self { stream, until: None }
    }

    fn judge<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.until = None;
            return written;
        }
        let until = self.until.get_or_insert_with(|| Box::pin(tokio::time::sleep(READ_WITHIN)));
        match until.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the client does not read what it asked for",
            ))),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.judge(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Requests per second of each address: a bucket that holds two seconds' worth.
#[derive(Debug)]
pub(super) struct Limiter {
    rate: u32,
    /// When each address's bucket will be full again.
    full_at: Mutex<HashMap<IpAddr, Instant>>,
}

impl Limiter {
    /// So many a second; 0 for unlimited.
    pub(super) fn new(rate: u32) -> Self {
        Self { rate, full_at: Mutex::default() }
    }

    /// Takes one request.
    ///
    /// # Errors
    /// How long to wait.
    pub(super) fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        if self.rate == 0 {
            return Ok(());
        }
        let cost = Duration::from_secs(1) / self.rate;
        let most = Duration::from_secs(2);
        let mut buckets = self.full_at.lock();
        let address = whose(address);
        if buckets.len() >= ADDRESSES && !buckets.contains_key(&address) {
            // Full buckets need no memory.
            buckets.retain(|_, full_at| *full_at > now);
            if buckets.len() >= ADDRESSES {
                return Err(most);
            }
        }
        let full_at = buckets.entry(address).or_insert(now);
        let next = (*full_at).max(now) + cost;
        if next > now + most {
            return Err(next - (now + most));
        }
        *full_at = next;
        Ok(())
    }
}

/// One household has a whole /64 of IPv6.
fn whose(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    fn address(n: u32) -> IpAddr {
        IpAddr::from(n.to_be_bytes())
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_has_its_rate_and_its_burst() {
        let limiter = Limiter::new(10);
        let t0 = Instant::now();
        assert_eq!((0..30).filter(|_| limiter.take(address(1), t0).is_ok()).count(), 20);
        let wait = limiter.take(address(1), t0).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100));
        assert!(limiter.take(address(2), t0).is_ok(), "another address has its own");
        let later = t0 + Duration::from_secs(1);
        assert_eq!((0..30).filter(|_| limiter.take(address(1), later).is_ok()).count(), 10);
        assert!((0..10_000).all(|_| Limiter::new(0).take(address(1), t0).is_ok()));
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_are_bounded_and_a_network_is_one() {
        let limiter = Limiter::new(1);
        let t0 = Instant::now();
        for n in 0..ADDRESSES as u32 {
            limiter.take(address(n), t0).unwrap();
        }
        assert!(limiter.take(address(u32::MAX), t0).is_err());
        let later = t0 + Duration::from_secs(3);
        assert!(limiter.take(address(u32::MAX), later).is_ok());
        assert_eq!(limiter.full_at.lock().len(), 1);
        let v6 = |text: &str| whose(text.parse().unwrap());
        assert_eq!(v6("2001:db8::1"), v6("2001:db8::ffff:2"));
        assert_ne!(v6("2001:db8::1"), v6("2001:db8:0:1::1"));
        assert_eq!(v6("::ffff:10.0.0.1"), v6("10.0.0.1"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_falls_asleep_is_cut_off() {
        let (ours, _theirs) = tokio::io::duplex(64);
        let mut stream = Impatient::new(ours);
        let began = Instant::now();
        let error = stream.write_all(&[0; 200]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= READ_WITHIN);
    }
}
