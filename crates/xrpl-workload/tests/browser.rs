//! The page in a real browser: Chromium, driven by the scripts in `browser/`. They look and click;
//! this starts and ends the servers they look at.
//!
//! Needs Node.js, a Chromium and what `scripts/install-test-libraries` installs; without them it says
//! `skipped`. Screenshots are left in `target/browser`; with `UPDATE_SCREENSHOT=1` the README's is
//! made anew.

mod common;

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use common::Running;
use tokio::sync::mpsc;
use xrpl_standalone::server::{Standalone, StandaloneConfig};

/// All steps together; they take a quarter of it on two idle cores.
const LIMIT: Duration = Duration::from_secs(600);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn chromium() -> Option<PathBuf> {
    let given = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    given.into_iter().chain(usual.map(PathBuf::from)).find(|path| path.exists())
}

/// What the browser needs, or what is missing of it.
fn needs() -> Result<(PathBuf, PathBuf), &'static str> {
    let libraries = target().join("test-libraries");
    if Command::new("node").arg("--version").output().is_err() {
        return Err("there is no node");
    }
    for package in ["playwright-core", "axe-core"] {
        if !libraries.join("node_modules").join(package).exists() {
            return Err(
                "playwright-core or axe-core is missing: run scripts/install-test-libraries",
            );
        }
    }
    let chromium = chromium().ok_or("there is no Chromium: apt install chromium")?;
    Ok((chromium, libraries))
}

/// The scripts, and what they ask for.
struct Script {
    child: Child,
    requests: mpsc::UnboundedReceiver<String>,
}

impl Script {
    fn start(base: &str, chromium: &Path, libraries: &Path) -> Self {
        let out = target().join("browser");
        std::fs::create_dir_all(&out).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/main.mjs");
        let mut child = Command::new("node")
            .arg(script)
            .env("BASE", base)
            .env("OUT", &out)
            .env("CHROMIUM", chromium)
            .env("TEST_LIBRARIES", libraries.canonicalize().unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, requests) = mpsc::unbounded_channel();
        let said = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                match line.strip_prefix("please ") {
                    Some(request) => drop(tell.send(request.to_owned())),
                    None => println!("{line}"),
                }
            }
        });
        Self { child, requests }
    }

    fn done(&mut self) {
        writeln!(self.child.stdin.as_mut().unwrap(), "done").unwrap();
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // It has ended already, unless this test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const LOAD: &[(&str, &str)] = &[
    ("tps", "30"),
    ("intent_invalid", "20"),
    ("fuzz", "20"),
    ("shadow", "true"),
    ("findings", "/dev/null"),
    ("seed", "browser"),
    ("shutdown_grace", "3s"),
];

/// A run against a node of its own, which can go away.
async fn on_a_node(api: &str) -> (Running, Standalone) {
    let free = ([127, 0, 0, 1], 0).into();
    let node = Standalone::start(StandaloneConfig {
        rpc_bind: free,
        ws_bind: free,
        closing: xrpl_standalone::Closing::Interval(Duration::from_millis(300)),
        ..StandaloneConfig::default()
    })
    .await
    .unwrap();
    let (rpc, ws) = (format!("http://{}", node.rpc_addr), format!("ws://{}", node.ws_addr));
    let settings =
        [LOAD, &[("api_bind", api), ("rpc", &rpc), ("ws", &ws), ("api_token", "open-sesame")]]
            .concat();
    (Running::start(&settings).await, node)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_in_a_browser() {
    let (chromium, libraries) = match needs() {
        Ok(found) => found,
        Err(missing) => return println!("skipped: {missing}"),
    };
    let first = Running::start(LOAD).await;
    let api = first.api.to_string();
    let mut script = Script::start(&format!("http://{api}"), &chromium, &libraries);
    let (mut first, mut second, mut without_node) = (Some(first), None, None);
    let all = async {
        while let Some(request) = script.requests.recv().await {
            match request.as_str() {
                "stop" => drop(first.take().unwrap().end().await),
                "start" => second = Some(on_a_node(&api).await),
                "node-down" => {
                    let (run, node): (Running, Standalone) = second.take().unwrap();
                    node.shutdown().await;
                    without_node = Some(run);
                }
                other => panic!("the script wants {other:?}"),
            }
            script.done();
        }
    };
    tokio::time::timeout(LIMIT, all).await.expect("the browser's steps took too long");
    let status = script.child.wait().unwrap();
    assert!(status.success(), "a step failed: {status}");
    if let Some(run) = without_node {
        // What is in flight has no end without a node.
        run.stop.soon.cancel();
        run.stop.now.cancel();
        tokio::time::timeout(LIMIT, run.ended).await.unwrap().unwrap();
    }
    if std::env::var_os("UPDATE_SCREENSHOT").is_some() {
        std::fs::copy(target().join("browser/overview-light.png"), root().join("docs/page.png"))
            .unwrap();
    }
}
