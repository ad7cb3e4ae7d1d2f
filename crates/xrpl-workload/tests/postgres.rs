//! The program on a PostgreSQL database: killed and started again, without its server for a while, and
//! read by the other commands.

mod common;
#[path = "common/outside.rs"]
mod outside;
#[path = "../../xrpl-store-postgres/tests/server/mod.rs"]
mod server;

use std::{
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use serde_json::{Value as Json, json};
use xrpl_standalone::server::Standalone;

use common::{post, program};
use outside::{node_closing_every, output, report, texts};
use server::Server;

const PASSWORD: &str = "correct horse";

/// Longest that something may take that comes by itself.
const PATIENCE: Duration = Duration::from_secs(90);

/// A child that does not outlive the test.
struct Guard(Option<Child>);

impl Guard {
    fn spawn(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(Some(command.spawn().unwrap()))
    }

    fn kill(mut self) -> Output {
        let mut child = self.0.take().unwrap();
        child.kill().unwrap();
        child.wait_with_output().unwrap()
    }

    /// Asks it to end, and waits for that.
    async fn end(mut self) -> Output {
        let child = self.0.take().unwrap();
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn address(server: &Server) -> String {
    server.address().replace("test@", "test:correct%20horse@")
}

/// A run on that node, which goes on until it is told to end.
fn run(node: &Standalone, store: &str, folder: &Path) -> Command {
    let (rpc, ws) = (format!("http://{}", node.rpc_addr), format!("ws://{}", node.ws_addr));
    let mut command = program(folder);
    command
        .args(["run", "--no-api", "--rpc", &rpc, "--ws", &ws, "--store", store, "--json"])
        .args(["--seed", "on a server", "--accounts", "10", "--gateways", "1"])
        .args(["--currencies", "USD", "--tps", "60", "--last-ledger-offset", "400"]);
    command
}

/// Waits until a number is reached.
async fn reach(what: &str, wanted: u64, mut number: impl FnMut() -> u64) {
    let reached = async {
        while number() < wanted {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let reached = tokio::time::timeout(PATIENCE, reached).await;
    assert!(reached.is_ok(), "{what}: {} of {wanted}", number());
}

/// Transactions with a final state.
fn ended(server: &Server) -> u64 {
    match server.sql("SELECT to_regclass('transactions') IS NOT NULL").as_str() {
        "t" => server.sql("SELECT count(*) FROM transactions WHERE state >= 3").parse().unwrap(),
        _ => 0,
    }
}

fn summary(output: &Output) -> Json {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {}", texts(output)))
}

fn assert_secret(output: &Output) {
    let text = texts(output);
    assert!(!text.contains("correct horse") && !text.contains("correct%20horse"), "{text}");
}

async fn assert_audit_equal(node: &Standalone, store: &str, folder: &Path) {
    let mut audit = program(folder);
    audit.args(["audit", "--node", &format!("http://{}", node.rpc_addr), "--store", store]);
    audit.args(["--json", "--seed", "on a server"]);
    let audited = output(audit).await;
    assert_secret(&audited);
    let report = report(&audited);
    assert_eq!(report["equal"], true, "{report}");
    assert_eq!(audited.status.code(), Some(0), "{report}");
}

/// Waits for as many ledgers without a transaction, one after the other.
async fn empty_ledgers(node: &Standalone, wanted: usize) {
    let mut empty = Vec::new();
    while empty.len() < wanted {
        let asked = json!({"method": "ledger", "params": [
            {"ledger_index": "validated", "transactions": true}]});
        let ledger = post(node.rpc_addr, "/", asked).await.json()["result"]["ledger"].clone();
        let index = ledger["ledger_index"].to_string();
        match ledger["transactions"].as_array().unwrap().is_empty() {
            true if empty.contains(&index) => {}
            true => empty.push(index),
            false => empty.clear(),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Killed at any time, the next process goes on with the run; nobody else may meanwhile. The other
/// commands read the database, also as the environment names it.
#[tokio::test(flavor = "multi_thread")]
async fn killed_and_started_again_it_goes_on_with_its_run() {
    let Some(server) = Server::start_with(Some(PASSWORD), |_| Vec::new()) else { return };
    let node = node_closing_every(Duration::from_millis(300)).await;
    let (folder, store) = (tempfile::tempdir().unwrap(), address(&server));
    let folder = folder.path();
    let mut wanted = 60;
    for round in 0..3 {
        let running = Guard::spawn(run(&node, &store, folder));
        reach("final states", wanted, || ended(&server)).await;
        if round == 0 {
            let second = output(run(&node, &store, folder)).await;
            assert_eq!(second.status.code(), Some(3), "{}", texts(&second));
            assert!(texts(&second).contains("another process"), "{}", texts(&second));
            assert!(texts(&second).contains("search_path"), "{}", texts(&second));
            assert_secret(&second);
        }
        assert_secret(&running.kill());
        wanted = ended(&server) + 60;
    }
    let running = Guard::spawn(run(&node, &store, folder));
    reach("final states", wanted, || ended(&server)).await;
    let last = running.end().await;
    assert_secret(&last);
    let told = summary(&last);
    assert_eq!(last.status.code(), Some(0), "{}", texts(&last));
    assert_eq!((&told["undecided"], &told["overturned"]), (&json!(0), &json!(0)), "{told}");
    assert_eq!(server.sql("SELECT count(*) FROM runs"), "1", "each process went on with it");
    assert_eq!(server.sql("SELECT count(*) FROM transactions WHERE state < 3"), "0");
    let signed_twice = "SELECT count(*) FROM transactions WHERE state = 4";
    assert_eq!(server.sql(signed_twice), "0");
    assert_audit_equal(&node, &store, folder).await;

    let call = async |args: &[&str], environment: &[(&str, &str)]| {
        let mut command = program(folder);
        command.args(args).envs(environment.iter().copied());
        let done = output(command).await;
        assert_secret(&done);
        assert_eq!(done.status.code(), Some(0), "{args:?}: {}", texts(&done));
        String::from_utf8(done.stdout).unwrap()
    };
    let listed: Json =
        serde_json::from_str(&call(&["runs", "--store", &store, "--json"], &[]).await).unwrap();
    let conditions: Vec<_> =
        listed["runs"].as_array().unwrap().iter().map(|run| &run["condition"]).collect();
    assert_eq!(conditions, ["aborted", "aborted", "aborted", "ended"], "{listed}");
    let port = server.port.to_string();
    let environment = [
        ("PGHOST", "127.0.0.1"),
        ("PGPORT", port.as_str()),
        ("PGUSER", "test"),
        ("PGDATABASE", "postgres"),
        ("PGPASSWORD", PASSWORD),
    ];
    let report = ["report", "latest", "--store", "postgres://", "--markdown"];
    assert!(call(&report, &environment).await.contains("Run 1.4"));
    let of_another = format!("{store}#1.4");
    assert!(call(&["report", &of_another, "--markdown"], &[]).await.contains("Run 1.4"));
    let shown = call(&["config", "--store", &store], &[]).await;
    assert!(shown.contains(&server.address()), "{shown}");
    node.shutdown().await;
}

/// The server dies in the middle of a run and comes back: nothing is sent meanwhile, nothing is lost, and
/// the run goes on by itself.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_away_nothing_is_sent() {
    let Some(mut server) = Server::start_with(Some(PASSWORD), |_| Vec::new()) else { return };
    let node = node_closing_every(Duration::from_millis(300)).await;
    let (folder, store) = (tempfile::tempdir().unwrap(), address(&server));
    let folder = folder.path();
    let running = Guard::spawn(run(&node, &store, folder));
    reach("final states", 100, || ended(&server)).await;
    for _ in 0..2 {
        server.stop();
        // What was on its way is in a ledger soon, and after that there is nothing.
        tokio::time::timeout(PATIENCE, empty_ledgers(&node, 4)).await.expect("it goes on sending");
        assert!(server.run());
        let before = ended(&server);
        reach("final states after the server was away", before + 150, || ended(&server)).await;
    }
    let done = running.end().await;
    let (text, told) = (texts(&done), summary(&done));
    assert_secret(&done);
    assert!(text.contains("the store is away") && text.contains("the store is back"), "{text}");
    assert_eq!(done.status.code(), Some(0), "{text}");
    assert_eq!((&told["undecided"], &told["overturned"]), (&json!(0), &json!(0)), "{told}");
    assert_eq!(server.sql("SELECT count(*) FROM transactions WHERE state <> 3"), "0");
    assert_audit_equal(&node, &store, folder).await;
    node.shutdown().await;
}
