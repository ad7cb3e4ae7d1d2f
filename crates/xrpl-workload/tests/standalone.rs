//! `standalone` from outside, as scripts and people start it.

mod common;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use common::program;
use serde_json::{Value as Json, json};
use xrpl_generator::accounts::{Role, derive};
use xrpl_protocol::keys::KeyType;

const FREE: [&str; 5] = ["standalone", "--rpc-bind", "127.0.0.1:0", "--ws-bind", "127.0.0.1:0"];

/// A ledger in a process of its own; it ends with the test.
struct Ledger {
    child: Child,
    out: BufReader<ChildStdout>,
    _dir: tempfile::TempDir,
}

impl Drop for Ledger {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ledger {
    fn start(more: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut command: Command = program(dir.path());
        command.args(FREE).args(more).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out, _dir: dir }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    /// Whether it ends by itself, and how.
    fn ended(&mut self) -> Option<i32> {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(20) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

fn ask(rpc: &str, method: &str, params: Json) -> Json {
    let host = rpc.strip_prefix("http://").unwrap();
    let body = json!({"method": method, "params": [params]}).to_string();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    serde_json::from_str::<Json>(body).unwrap()["result"].take()
}

#[test]
fn a_script_is_told_all_it_needs_and_takes_the_ledger_with_it() {
    let mut ledger = Ledger::start(&[
        "--json",
        "--exit-on-stdin-eof",
        "--close",
        "on-submit",
        "--start-time",
        "2026-01-01T00:00:00Z",
        "--network-id",
        "21337",
        "--accounts",
        "3",
        "--fund-drops",
        "50000000",
        "--seed",
        "a test",
        "--key-type",
        "secp256k1",
        "--amendments",
        "mainnet,-DID",
    ]);
    let told: Json = serde_json::from_str(&ledger.line()).unwrap();
    assert_eq!((&told["event"], &told["network_id"]), (&json!("listening"), &json!(21337)));
    let rpc = told["rpc"].as_str().unwrap();
    assert_eq!(told["faucet"], format!("{rpc}/accounts"));
    assert!(told["ws"].as_str().unwrap().starts_with("ws://127.0.0.1:"));
    let accounts = told["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 3);
    for (n, account) in (0..).zip(accounts) {
        // As the users of a run with this seed.
        let seed = derive("a test", Role::User, n, KeyType::Secp256k1);
        assert_eq!(account["seed"], seed.to_base58());
        let info = ask(rpc, "account_info", json!({"account": account["address"]}));
        assert_eq!(info["account_data"]["Balance"], "50000000", "{info}");
    }
    let info = ask(rpc, "standalone_info", json!({}));
    assert_eq!(info["closing"], json!({"mode": "on-submit"}));
    assert!(info["close_time_iso"].as_str().unwrap().starts_with("2026-01-01T00:00:0"), "{info}");
    let feature = ask(rpc, "feature", json!({"feature": "DID"}));
    assert!(feature.to_string().contains("\"enabled\":false"), "{feature}");
    drop(ledger.child.stdin.take());
    assert_eq!(ledger.ended(), Some(0));
}

#[test]
fn people_see_addresses_accounts_and_seeds() {
    let mut ledger = Ledger::start(&["--close", "manual"]);
    let first = ledger.line();
    assert!(first.contains("JSON-RPC http://127.0.0.1:"), "{first}");
    assert!(first.contains("closes by ledger_accept"), "{first}");
    assert!(ledger.line().contains("/accounts"), "the faucet");
    assert!(ledger.line().contains("10000 XRP"));
    for n in 0..10 {
        let line = ledger.line();
        let seed = derive("xrpl-workload", Role::User, n, KeyType::Ed25519).to_base58();
        assert!(line.contains(&seed), "{line}");
    }
    assert!(ledger.line().contains("snoPBrXtMeMyMHUVTgbuqAfg1SUTb"));
    // Standard input ending is nothing to it.
    drop(ledger.child.stdin.take());
    std::thread::sleep(Duration::from_millis(300));
    assert!(ledger.child.try_wait().unwrap().is_none());

    let mut quiet = Ledger::start(&["--quiet", "--accounts", "0", "--exit-on-stdin-eof"]);
    drop(quiet.child.stdin.take());
    assert_eq!(quiet.ended(), Some(0));
    assert_eq!(quiet.line(), "");
}

#[test]
fn what_cannot_be_is_said() {
    for (args, words) in [
        (["--close", "never"], "on-submit"),
        (["--start-time", "yesterday"], "2026-01-31T12:00:00Z"),
        (["--amendments", "some"], "mainnet"),
        (["--amendments", "all,+NoSuchThing"], "NoSuchThing"),
        (["--faucet-token", "short"], "8 characters"),
        (["--amendments", ""], "all, mainnet or none"),
        (["--fork", "ws://127.0.0.1:1@abc"], "after the @"),
        (["--fork", "ws://127.0.0.1:1@"], "after the @"),
        (["--fork", "ws://me:secret@127.0.0.1:1@7"], "no user or password"),
        (["--fork", "http://127.0.0.1:1"], "ws:// or wss://"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let output = program(dir.path()).args(FREE).args(args).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
        assert!(text.contains(words), "{args:?}: {text}");
    }
    let dir = tempfile::tempdir().unwrap();
    let output = program(dir.path()).args(["run", "--accounts", "1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_state_file_and_json_carry_a_ledger_on() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ledger.state").to_str().unwrap().to_owned();
    let start = |more: &[&str]| {
        let own = ["--json", "--exit-on-stdin-eof", "--close", "manual"];
        Ledger::start(&[&own, more].concat())
    };
    let rpc = |ledger: &mut Ledger| {
        let told: Json = serde_json::from_str(&ledger.line()).unwrap();
        (told["rpc"].as_str().unwrap().to_owned(), told["network_id"].clone())
    };
    let end = |mut ledger: Ledger| {
        drop(ledger.child.stdin.take());
        assert_eq!(ledger.ended(), Some(0));
    };
    let kept = ["--state", &file];
    let mut ledger = start(&["--state", &file, "--network-id", "777", "--amendments", "none,+DID"]);
    let (url, _) = rpc(&mut ledger);
    ask(&url, "standalone_close", json!({"count": 5}));
    let hash = ask(&url, "ledger_closed", json!({}))["ledger_hash"].clone();
    let exported = ask(&url, "standalone_export_state", json!({}));
    end(ledger);
    // The same command line again, and a shorter one: the rest is part of the state.
    for more in [&["--amendments", "none,+DID"][..], &[]] {
        let mut ledger = start(&[&kept, more].concat());
        let (url, network_id) = rpc(&mut ledger);
        assert_eq!(ask(&url, "ledger_closed", json!({}))["ledger_hash"], hash);
        assert_eq!(network_id, 777);
        end(ledger);
    }
    let json = dir.path().join("state.json").to_str().unwrap().to_owned();
    std::fs::write(&json, exported.to_string()).unwrap();
    let mut ledger = start(&["--import", &json]);
    let (url, _) = rpc(&mut ledger);
    assert_eq!(ask(&url, "ledger_closed", json!({}))["ledger_hash"], hash);
    end(ledger);

    let refused = |args: &[&str], words: &[&str]| {
        let output = program(dir.path()).args(FREE).args(args).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{args:?}: {text}");
        assert!(words.iter().all(|word| text.contains(word)), "{args:?}: {text}");
    };
    refused(&["--state", &file, "--amendments", "all,-DID"], &["--amendments", "part of it"]);
    refused(&["--state", &file, "--reference-fee", "12"], &["--reference-fee"]);
    refused(&["--state", &file, "--network-id", "5"], &["--network-id", "777"]);
    refused(&["--state", &file, "--import", &json], &["--import", "--state"]);
    refused(&["--import", "none.json"], &["none.json"]);
    refused(&["--import", &file], &["--import"]);
    refused(&["--state", "no/such/dir/x"], &["--state", "directory"]);
    refused(
        &["--state", &file, "--start-time", "2001-01-01T00:00:00Z"],
        &["--start-time", "already"],
    );
    refused(&["--import", &json, "--start-time", "7"], &["--start-time", "already"]);
    refused(&["--start-time", "4294967295"], &["--start-time", "end of time"]);
    std::fs::write(&file, "nonsense").unwrap();
    refused(&kept, &["--state", "move it away"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "nonsense");
}

#[test]
fn a_fork_of_another_ledger_goes_its_own_way() {
    let mut origin = Ledger::start(&["--json", "--exit-on-stdin-eof", "--close", "manual"]);
    let told: Json = serde_json::from_str(&origin.line()).unwrap();
    let (rpc, ws) = (told["rpc"].as_str().unwrap(), told["ws"].as_str().unwrap());
    ask(rpc, "standalone_close", json!({"count": 5}));
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache").to_str().unwrap().to_owned();
    let rich = told["accounts"][3]["address"].as_str().unwrap();
    let from = format!("{ws}@6");
    let start = |more: &[&str]| {
        let own = ["--json", "--exit-on-stdin-eof", "--close", "on-submit", "--seed", "mine"];
        Ledger::start(&[&own[..], &["--fork", &from, "--fork-cache", &cache], more].concat())
    };
    for impersonate in [false, true] {
        let given = ["--impersonate", rich];
        let mut fork = start(if impersonate { &given } else { &[] });
        let mine: Json = serde_json::from_str(&fork.line()).unwrap();
        let url = mine["rpc"].as_str().unwrap();
        assert_eq!(ask(url, "ledger_closed", json!({}))["ledger_index"], 7);
        let info = ask(url, "server_info", json!({}))["info"]["standalone"].clone();
        assert_eq!(
            (&info["fork"]["ledger_index"], info.get("impersonated").is_some()),
            (&json!(6), impersonate)
        );
        let secret = mine["accounts"][0]["seed"].as_str().unwrap();
        let tx = json!({
            "TransactionType": "Payment", "Account": rich,
            "Destination": mine["accounts"][0]["address"], "Amount": "1000000",
        });
        let sent = ask(url, "submit", json!({"secret": secret, "tx_json": tx}));
        match impersonate {
            true => assert_eq!(sent["engine_result"], "tesSUCCESS", "{sent}"),
            false => assert_eq!(sent["error"], "badSecret", "{sent}"),
        }
        drop(fork.child.stdin.take());
        assert_eq!(fork.ended(), Some(0));
    }
    assert_eq!(std::fs::read_dir(&cache).unwrap().count(), 1);
    assert_eq!(
        ask(rpc, "account_info", json!({"account": rich}))["account_data"]["Balance"],
        "10000000000"
    );
    drop(origin.child.stdin.take());
    assert_eq!(origin.ended(), Some(0));

    let dir = tempfile::tempdir().unwrap();
    for (args, exit, words) in [
        (vec!["--fork", ws, "--fork-cache", &cache], 3, "--fork"),
        (vec!["--fork", "https://a.example"], 2, "wss"),
        (vec!["--fork", ws, "--state", "x"], 2, "--state"),
        (vec!["--fork-cache", &cache], 2, "without --fork"),
        (vec!["--impersonate", "somebody"], 2, "addresses"),
    ] {
        let output = program(dir.path()).args(FREE).args(&args).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{args:?}: {text}");
        assert!(text.contains(words), "{args:?}: {text}");
    }
}
