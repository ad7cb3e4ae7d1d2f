//! Encrypted connections to a server, and how far its certificate is checked.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::{
    Socket,
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream as Encrypted,
    rustls::{
        self, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore,
        SignatureScheme,
        client::{
            WebPkiServerVerifier,
            danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
            verify_server_name,
        },
        crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
        pki_types::{CertificateDer, ServerName, UnixTime},
        server::ParsedCertificate,
    },
};
use xrpl_tracker::{Error, Result};

use crate::columns::failed;

/// Which authorities are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Roots {
    /// The system's.
    System,
    /// These, which may be servers' own certificates too.
    Given(Vec<CertificateDer<'static>>),
}

/// What is checked of a server's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// Nothing: nobody listens in, but whom one speaks with is not known.
    Nothing,
    /// That one of these authorities has signed it.
    Chain(Roots),
    /// That, and that it is the host's.
    ChainAndName(Roots),
}

/// Makes encrypted connections.
#[derive(Clone)]
pub(crate) struct Tls(TlsConnector);

impl Tls {
    pub(crate) fn new(check: Check) -> Result<Self> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let (chain, given, name) = match check {
            Check::Nothing => (None, Vec::new(), false),
            Check::Chain(roots) => with_chain(roots, &provider, false)?,
            Check::ChainAndName(roots) => with_chain(roots, &provider, true)?,
        };
        let verifier = Verifier { provider: Arc::clone(&provider), chain, given, name };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }
}

type Chain = (Option<Arc<WebPkiServerVerifier>>, Vec<CertificateDer<'static>>, bool);

fn with_chain(roots: Roots, provider: &Arc<CryptoProvider>, name: bool) -> Result<Chain> {
    let mut store = RootCertStore::empty();
    let given = match roots {
        Roots::System => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            Vec::new()
        }
        Roots::Given(given) => {
            store.add_parsable_certificates(given.iter().cloned());
            given
        }
    };
    if store.is_empty() {
        return Err(Error::Store(
            "there are no root certificates to check the server's with: install \
             ca-certificates, or give sslrootcert=FILE"
                .into(),
        ));
    }
    let builder =
        WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider));
    Ok((Some(builder.build().map_err(failed)?), given, name))
}

#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// None where nothing is checked.
    chain: Option<Arc<WebPkiServerVerifier>>,
    /// What was given as authorities.
    given: Vec<CertificateDer<'static>>,
    /// Whether the host's name is checked too.
    name: bool,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        use CertificateError as Why;
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(own, between, host, ocsp, now) {
            // The name is the last thing that is looked at.
            Err(rustls::Error::InvalidCertificate(
                Why::NotValidForName | Why::NotValidForNameContext { .. },
            )) if !self.name => Ok(ServerCertVerified::assertion()),
            // What `openssl req -x509` makes is an authority and the server's own in one: it is trusted
            // where it was given itself. That it is in time was looked at before.
            Err(rustls::Error::InvalidCertificate(Why::Other(why)))
                if is_authority(&why) && self.given.iter().any(|given| given == own) =>
            {
                if self.name {
                    verify_server_name(&ParsedCertificate::try_from(own)?, host)?;
                }
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn is_authority(why: &rustls::OtherError) -> bool {
    matches!(why.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

impl MakeTlsConnect<Socket> for Tls {
    type Stream = Stream;
    type TlsConnect = Connecting;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Connecting> {
        // Not looked at here: a socket of this machine's has no name, and no TLS either.
        Ok(Connecting { connector: self.0.clone(), host: host.to_owned() })
    }
}

/// A connection about to be made to a host.
pub(crate) struct Connecting {
    connector: TlsConnector,
    host: String,
}

impl TlsConnect<Socket> for Connecting {
    type Stream = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            let host = ServerName::try_from(self.host);
            let host = host.map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
            Ok(Stream(Box::new(self.connector.connect(host, socket).await?)))
        })
    }
}

/// An encrypted connection.
pub(crate) struct Stream(Box<Encrypted<Socket>>);

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

impl TlsStream for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}
