//! What the end-to-end tests share.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::{collections::BTreeMap, net::SocketAddr, process::Command, time::Duration};

use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use indicatif::ProgressBar;
use serde_json::Value as Json;
use tokio::net::TcpStream;
use xrpl_workload::{
    config::{Config, ConfigError, Sources},
    session::{Ended, Session, Stop},
    view::{Mode, View},
};

/// What every run of a test is told: free ports, nothing on disk, few accounts.
const SMALL: &[(&str, &str)] = &[
    ("api_bind", "127.0.0.1:0"),
    ("rpc_bind", "127.0.0.1:0"),
    ("ws_bind", "127.0.0.1:0"),
    ("store", "memory"),
    ("ledger_interval", "300ms"),
    ("accounts", "10"),
    ("duration", "3s"),
    ("quiet", "true"),
];

/// A configuration for tests, some settings changed.
pub fn config(changed: &[(&'static str, &str)]) -> Config {
    try_config(changed).unwrap()
}

/// The same, if it can be.
pub fn try_config(changed: &[(&'static str, &str)]) -> Result<Config, ConfigError> {
    load(&[], changed)
}

/// The same, with some of the settings left out that runs of tests are told.
pub fn config_without(left_out: &[&str], changed: &[(&'static str, &str)]) -> Config {
    load(left_out, changed).unwrap()
}

fn load(left_out: &[&str], changed: &[(&'static str, &str)]) -> Result<Config, ConfigError> {
    let mut flags: BTreeMap<&'static str, Vec<String>> = SMALL
        .iter()
        .filter(|(key, _)| !left_out.contains(key))
        .map(|(key, value)| (*key, vec![(*value).to_owned()]))
        .collect();
    for (key, value) in changed {
        flags.insert(key, vec![(*value).to_owned()]);
    }
    // The environment of whoever runs the tests is left out.
    let file = Some("/dev/null".into());
    Config::load(&Sources { flags, env: Vec::new(), file })
}

pub fn quiet() -> View {
    View::new(Mode::Quiet, false, Duration::from_secs(1), ProgressBar::hidden())
}

/// A whole run.
pub async fn run(changed: &[(&'static str, &str)]) -> Ended {
    run_config(config(changed)).await
}

/// The same of a configuration.
pub async fn run_config(config: Config) -> Ended {
    let view = quiet();
    let session = Session::start(config, &view).await.unwrap();
    session.run(&Stop::default(), &view).await.unwrap()
}

/// What every healthy run has in common.
pub fn assert_healthy(ended: &Ended) {
    let summary = &ended.summary;
    assert!(ended.failures.is_empty(), "{:?}\n{summary}", ended.failures);
    assert_eq!((summary.undecided, summary.overturned), (0, 0), "{summary}");
    assert_eq!(summary.engine_results.get("tefPAST_SEQ"), None, "{summary}");
    for state in ["CREATED", "SUBMITTED", "RETRYABLE", "EXPIRED", "FAILED_NET"] {
        assert_eq!(summary.by_state[state], 0, "{state}\n{summary}");
    }
    let by_state: u64 = summary.by_state.values().sum();
    assert_eq!(by_state, summary.submitted, "{summary}");
    let by_source: u64 = summary.validated_by_source.values().sum();
    assert_eq!(by_source, summary.by_state["VALIDATED"], "{summary}");
}

/// Over 80 % by the stream, under 20 % by look-ups.
pub fn assert_by_stream(ended: &Ended) {
    let summary = &ended.summary;
    let validated = summary.by_state["VALIDATED"] as f64;
    assert!(summary.validated_by_source["WS"] as f64 > 0.8 * validated, "{summary}");
    assert!((summary.validated_by_source["POLL"] as f64) < 0.2 * validated, "{summary}");
}

/// An answer of the API.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The code of an error, whose form is checked.
    pub fn error(&self) -> (u16, String, String) {
        let json = self.json();
        let keys: Vec<_> = json.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["error"], "{json}");
        let text = |key: &str| json["error"][key].as_str().unwrap().to_owned();
        assert_eq!(json["error"].as_object().unwrap().len(), 2, "{json}");
        (self.status, text("code"), text("message"))
    }
}

/// One request.
pub async fn ask(
    api: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> Answer {
    let stream = TcpStream::connect(api).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header("host", api.to_string());
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Full::new(Bytes::from(body.unwrap_or_default().to_owned()));
    let response = sender.send_request(request.body(body).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

pub async fn get(api: SocketAddr, path: &str) -> Answer {
    ask(api, "GET", path, &[], None).await
}

pub async fn post(api: SocketAddr, path: &str, body: Json) -> Answer {
    ask(api, "POST", path, &[], Some(&body.to_string())).await
}

/// A run whose accounts are ready, without load unless it is started.
pub struct Running {
    pub api: SocketAddr,
    pub stop: Stop,
    pub ended: tokio::task::JoinHandle<Ended>,
    pub app: std::sync::Arc<xrpl_workload::session::App>,
}

impl Running {
    pub async fn start(changed: &[(&'static str, &str)]) -> Self {
        let mut all = vec![("duration", "0"), ("tps", "5")];
        all.extend_from_slice(changed);
        Self::of(config(&all)).await
    }

    pub async fn of(config: Config) -> Self {
        let session = Session::start(config, &quiet()).await.unwrap();
        let (api, app) = (session.api_address().unwrap(), session.app().clone());
        let stop = Stop::default();
        let ended = tokio::spawn({
            let stop = stop.clone();
            async move { session.run(&stop, &quiet()).await.unwrap() }
        });
        for _ in 0..600 {
            if app.generator().is_some() || ended.is_finished() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(app.generator().is_some(), "accounts were not ready within 30 s");
        Self { api, stop, ended, app }
    }

    pub async fn end(self) -> Ended {
        self.stop.soon.cancel();
        self.ended.await.unwrap()
    }
}

/// The program, in an empty directory and environment.
pub fn program(dir: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xrpl-workload"));
    command.current_dir(dir);
    for (name, _) in std::env::vars() {
        let ours = ["XRPL_WORKLOAD_", "PG"].iter().any(|prefix| name.starts_with(prefix));
        if ours || name == "RPC_URL" || name == "WS_URL" {
            command.env_remove(name);
        }
    }
    command
}

/// Flags of a short run of the program on free ports.
pub const FREE_PORTS: &[&str] =
    &["--api-bind", "127.0.0.1:0", "--rpc-bind", "127.0.0.1:0", "--ws-bind", "127.0.0.1:0"];
