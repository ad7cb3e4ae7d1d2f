//! Nodes behind `https://` and `wss://`, as public ones are, with certificates of the test's own.

mod common;
#[path = "common/outside.rs"]
mod outside;

use std::{net::SocketAddr, path::Path, process::Output, sync::Arc};

use common::program;
use outside::{node, output, texts};
use rcgen::CertifiedKey;
use serde_json::Value as Json;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};
use xrpl_standalone::server::Standalone;

/// Takes TLS off what comes to it and hands the rest on.
async fn terminator(acceptor: TlsAcceptor, to: SocketAddr) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((outside, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // One that does not trust the certificate hangs up here.
                let Ok(mut outside) = acceptor.accept(outside).await else { return };
                let mut inside = TcpStream::connect(to).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
            });
        }
    });
    port
}

/// A node that is reached by TLS alone.
struct Secured {
    _node: Standalone,
    certificate: String,
    rpc: String,
    ws: String,
}

async fn secured() -> Secured {
    let node = node().await;
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let rpc = terminator(acceptor.clone(), node.rpc_addr).await;
    let ws = terminator(acceptor, node.ws_addr).await;
    Secured {
        _node: node,
        certificate: cert.pem(),
        rpc: format!("https://localhost:{rpc}"),
        ws: format!("wss://localhost:{ws}"),
    }
}

/// A short run that trusts one certificate alone.
async fn run(folder: &Path, trusted: &str, rpc: &str, ws: &str) -> Output {
    std::fs::write(folder.join("trusted.pem"), trusted).unwrap();
    let mut command = program(folder);
    command.args(["run", "--no-api", "--store", "memory", "--json", "--tps", "20"]);
    command.args(["--duration", "1s", "--accounts", "4", "--gateways", "1", "--currencies", "USD"]);
    command.args(["--rpc", rpc, "--ws", ws]);
    command.env("SSL_CERT_FILE", "trusted.pem").env_remove("SSL_CERT_DIR");
    output(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_over_tls_is_like_any_other() {
    let node = secured().await;
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &node.certificate, &node.rpc, &node.ws).await;
    assert_eq!(ended.status.code(), Some(0), "{}", texts(&ended));
    let last = ended.stdout.split(|c| *c == b'\n').rfind(|line| !line.is_empty()).unwrap();
    let summary: Json = serde_json::from_slice(last).unwrap();
    assert_eq!(summary["submitted"], summary["by_state"]["VALIDATED"], "{summary}");
    assert!(summary["validated_by_source"]["WS"].as_u64().unwrap() > 10, "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_vouches_for_is_refused_and_said() {
    let (node, other) = (secured().await, secured().await);
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &other.certificate, &node.rpc, &node.ws).await;
    let said = texts(&ended);
    assert_eq!(ended.status.code(), Some(3), "{said}");
    assert!(said.contains(&node.rpc) && said.contains("invalid peer certificate"), "{said}");

    let mut doctor = program(folder.path());
    doctor.args(["doctor", "--rpc", &node.rpc, "--ws", &node.ws]);
    doctor.env("SSL_CERT_FILE", "trusted.pem").env_remove("SSL_CERT_DIR");
    let looked = output(doctor).await;
    let said = texts(&looked);
    assert_eq!(looked.status.code(), Some(3), "{said}");
    assert!(said.contains("give it with SSL_CERT_FILE"), "{said}");
}
