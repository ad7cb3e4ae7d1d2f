//! `shadow` and `run --shadow` from outside: on ledgers that go by the rules, on one that does not, and on
//! a node that comes and goes.

mod common;
#[path = "common/outside.rs"]
mod outside;
#[path = "common/veil.rs"]
mod veil;

use std::{net::SocketAddr, path::Path, process::Output, sync::Arc, time::Duration};

use common::{Running, config, get, program, run};
use outside::{output, report, texts};
use parking_lot::Mutex;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use veil::Veil;
use xrpl_client::TcpConnector;
use xrpl_protocol::{Field, Object, fields, object_id};
use xrpl_standalone::{
    Closing, Standalone, StandaloneConfig,
    ledger::{amendment, genesis},
    node::NodeConfig,
    server::FundedAccounts,
};
use xrpl_workload::shadow::{CaseFiles, Scope, ShadowState, Step, Stopped, Watched, follow};

/// A node whose ledgers close when they are asked to.
async fn node(config: StandaloneConfig) -> Standalone {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let (rpc_bind, ws_bind) = match config.rpc_bind.port() {
        5005 => (any, any),
        _ => (config.rpc_bind, config.ws_bind),
    };
    let config = StandaloneConfig {
        rpc_bind,
        ws_bind,
        closing: Closing::Manual,
        accounts: Some(FundedAccounts::default()),
        ..config
    };
    // Ports that were used before may take a moment to be free again.
    for _ in 0..100 {
        if let Ok(node) = Standalone::start(config.clone()).await {
            return node;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the node's ports are taken");
}

fn with_wrong_rule() -> StandaloneConfig {
    let wrong = amendment::FIX_PREVIOUS_TXN_ID.id();
    let amendments = genesis::amendments().into_iter().filter(|id| *id != wrong).collect();
    let node = NodeConfig { amendments, features: vec![wrong], ..NodeConfig::default() };
    StandaloneConfig { node, ..StandaloneConfig::default() }
}

async fn shadow(folder: &Path, args: &[&str]) -> Output {
    let mut command = program(folder);
    command.arg("shadow").args(args);
    output(command).await
}

/// A payment of XRP between funded accounts, signed by the node.
fn pay(node: &Standalone) {
    let (from, to) = (&node.accounts()[0], &node.accounts()[1]);
    let request = json!({
        "secret": from.seed.to_base58(),
        "tx_json": {
            "TransactionType": "Payment",
            "Account": from.address.to_string(),
            "Destination": to.address.to_string(),
            "Amount": "1000000",
        },
    });
    let answer = node.call("submit", request).unwrap();
    assert_eq!(answer["engine_result"], "tesSUCCESS", "{answer}");
}

/// A transaction that makes a directory, of which a node with the wrong rule keeps more than it tells.
fn ticket(node: &Standalone) {
    let of = &node.accounts()[0];
    let request = json!({
        "secret": of.seed.to_base58(),
        "tx_json": {
            "TransactionType": "TicketCreate",
            "Account": of.address.to_string(),
            "TicketCount": 1,
        },
    });
    let answer = node.call("submit", request).unwrap();
    assert_eq!(answer["engine_result"], "tesSUCCESS", "{answer}");
}

fn close(node: &Standalone, ledgers: u32) {
    (0..ledgers).for_each(|_| drop(node.accept().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_all_types_comes_out_equal() {
    let ended = run(&[("shadow", "true"), ("duration", "12s"), ("tps", "60")]).await;
    assert_eq!(ended.failures, Vec::<String>::new());
    let view = ended.summary.shadow.as_ref().unwrap();
    assert!(view.transactions_checked > 500, "{view:?}");
    assert_eq!((view.ledgers_different, view.ledgers_taken_over), (0, 0), "{view:?}");
    assert!(ended.summary.to_string().contains("ledgers checked with"), "{}", ended.summary);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_rule_is_found_beside_the_load_and_its_file_replays_alone() {
    let node = Standalone::start(StandaloneConfig {
        rpc_bind: "127.0.0.1:0".parse().unwrap(),
        ws_bind: "127.0.0.1:0".parse().unwrap(),
        closing: Closing::Interval(Duration::from_millis(500)),
        ..with_wrong_rule()
    })
    .await
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("found").display().to_string();
    let (rpc, ws) = (format!("http://{}", node.rpc_addr), format!("ws://{}", node.ws_addr));
    let running = Running::of(config(&[
        ("rpc", &rpc),
        ("ws", &ws),
        ("shadow", "true"),
        ("shadow_dir", &dir),
        ("types", "OfferCreate=1"),
        ("duration", "4s"),
        ("tps", "10"),
    ]))
    .await;
    let ended = running.end().await;
    let view = ended.summary.shadow.as_ref().unwrap();
    assert!(view.ledgers_different > 0, "{view:?}");
    assert!(
        ended.failures.iter().any(|line| line.starts_with("shadow: ledger ")),
        "{:?}",
        ended.failures
    );
    let first = &view.findings[0];
    assert!(first.differences.iter().any(|line| line.contains("PreviousTxnID")), "{first:?}");

    node.shutdown().await;
    let file = first.file.as_deref().unwrap();
    let done = shadow(folder.path(), &["--replay", file, "--json"]).await;
    assert_eq!(done.status.code(), Some(1), "{}", texts(&done));
    let replayed = report(&done);
    assert_eq!(replayed["equal"], false);
    assert_eq!(replayed["ledger_index"], first.ledger_index.0);
    if let Some(hash) = first.tx_hash {
        assert_eq!(replayed["transactions"][0]["hash"], hash.to_string());
    }
    let done = shadow(folder.path(), &["--replay", file]).await;
    assert!(texts(&done).contains("metadata of the node:"), "{}", texts(&done));
    assert!(texts(&done).contains("\ndifferent:\n"), "{}", texts(&done));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_checks_a_range_and_says_what_it_cannot_check() {
    let node = node(StandaloneConfig::default()).await;
    for _ in 0..10 {
        pay(&node);
        close(&node, 1);
    }
    let folder = tempfile::tempdir().unwrap();
    let rpc = format!("http://{}", node.rpc_addr);
    let done = shadow(folder.path(), &["--rpc", &rpc, "--from", "5", "--to", "12", "--json"]).await;
    assert_eq!(done.status.code(), Some(0), "{}", texts(&done));
    let view = report(&done);
    assert_eq!(view["from"], 5, "{view}");
    assert_eq!(view["ledger_index"], 12, "{view}");
    assert_eq!(view["ledgers_checked"], 7, "{view}");
    assert_eq!(view["transactions_checked"], 7, "{view}");
    assert_eq!(view["state"], "ended", "{view}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was found");
    for (args, code, word) in [
        (&["--from", "900"][..], 3, "does not have ledger 900"),
        (&["--to", "3"], 3, "--to 3 is not after ledger"),
        (&["--from", "5", "--to", "5"], 2, "after --from 5"),
        (&["--from", "0"], 2, "0 is not in"),
        (&["--from", "x"], 2, "invalid digit"),
        (&["--rpc", "ws://127.0.0.1:6006"], 2, "begins with http:// or https://"),
        (&["--replay", "no-such-file"], 2, "no-such-file"),
    ] {
        let with_node = ["--rpc", &rpc];
        let all: Vec<_> = match args[0] {
            "--replay" | "--rpc" => args.to_vec(),
            _ => with_node.iter().chain(args).copied().collect(),
        };
        let done = shadow(folder.path(), &all).await;
        assert_eq!(done.status.code(), Some(code), "{args:?}: {}", texts(&done));
        assert!(texts(&done).contains(word), "{args:?}: {}", texts(&done));
    }
    let other = folder.path().join("other.json");
    std::fs::write(&other, "{\"format\": 1}").unwrap();
    let done = shadow(folder.path(), &["--replay", other.to_str().unwrap()]).await;
    assert_eq!(done.status.code(), Some(2), "{}", texts(&done));
    assert!(texts(&done).contains("no case that `shadow` wrote"), "{}", texts(&done));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_stopped_before_the_first_ledger_has_seen_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = program(folder.path());
    command.args(["shadow", "--rpc", &format!("http://{closed}")]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    assert!(line.starts_with("waits for the node: "), "{line}");
    let ended = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(ended.unwrap().success());
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(5), "{}", texts(&done));
}

/// Follows in the background, as `run --shadow` does.
struct Following {
    watched: Watched,
    steps: Arc<Mutex<Vec<String>>>,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), Stopped>>,
}

fn following(url: &str, folder: &Path) -> Following {
    let url = url.parse().unwrap();
    let (watched, cancel) = (Watched::of("node"), CancellationToken::new());
    let steps = Arc::new(Mutex::new(Vec::new()));
    let files = CaseFiles::new(folder);
    let scope = Scope { from: None, to: None, patience: None };
    let (view, stop, noted) = (watched.clone(), cancel.clone(), Arc::clone(&steps));
    let task = tokio::spawn(async move {
        let tell = move |step: Step| {
            if let Step::Restarted { why, .. } | Step::Waiting(why) = &step {
                noted.lock().push(why.clone());
            }
            view.note(&step);
        };
        follow(url, Arc::new(TcpConnector), scope, files, &tell, stop).await
    });
    Following { watched, steps, cancel, task }
}

impl Following {
    async fn until(&self, ledger: u32, restarts: u64) {
        for _ in 0..600 {
            let view = self.watched.view();
            if view.ledger_index.is_some_and(|at| at.0 >= ledger) && view.restarts >= restarts {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("not at ledger {ledger}: {:?} {:?}", self.watched.view(), self.steps.lock());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_goes_away_and_comes_back_with_another_chain_is_followed_again() {
    let folder = tempfile::tempdir().unwrap();
    let first = node(StandaloneConfig::default()).await;
    let following = following(&first.rpc_url(), folder.path());
    following.until(2, 0).await;
    pay(&first);
    close(&first, 6);
    following.until(first.accept().unwrap().header.index, 0).await;
    let (rpc_bind, ws_bind) = (first.rpc_addr, first.ws_addr);
    first.shutdown().await;
    for _ in 0..200 {
        if following.watched.view().state == ShadowState::Waiting {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(following.watched.view().state, ShadowState::Waiting);
    // A fresh chain, older than where the shadow is: then one that has overtaken it.
    let again = StandaloneConfig { rpc_bind, ws_bind, ..StandaloneConfig::default() };
    let second = node(again).await;
    following.until(2, 1).await;
    pay(&second);
    close(&second, 3);
    let newest = second.accept().unwrap().header.index;
    for _ in 0..200 {
        if following.watched.view().ledger_index.is_some_and(|at| at.0 == newest) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let view = following.watched.view();
    assert_eq!(view.ledger_index.map(|at| at.0), Some(newest), "{view:?}");
    assert_eq!(view.ledgers_different, 0, "{view:?}");
    following.cancel.cancel();
    assert_eq!(following.task.await.unwrap(), Ok(()));
    assert_eq!(following.watched.view().state, ShadowState::Ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_no_metadata_names_make_it_read_all_again() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(StandaloneConfig::default()).await;
    let following = following(&node.rpc_url(), folder.path());
    following.until(2, 0).await;
    close(&node, 1);
    let parent = node.accept().unwrap();
    let id = object_id::account_root(node.accounts()[0].address);
    let mut root = Object::clone(&parent.state.get(&id).unwrap());
    root.set(fields::OWNER_COUNT, 3_u32.into());
    let now = parent.header.close_time + 10;
    let ledger = node.with_node(|node| node.inject(now, vec![(id, root)], 0));
    following.until(ledger.header.index, 1).await;
    close(&node, 2);
    following.until(ledger.header.index + 2, 1).await;
    let view = following.watched.view();
    assert_eq!((view.ledgers_different, view.restarts), (1, 1), "{view:?}");
    assert!(view.findings[0].file.is_some(), "{view:?}");
    following.cancel.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_keep_up_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(StandaloneConfig::default()).await;
    close(&node, 1);
    let url = node.rpc_url().parse().unwrap();
    let watched = Watched::of("node");
    let cancel = CancellationToken::new();
    let scope = Scope { from: Some(2), to: None, patience: None };
    // As it was when it first said so; until it has stopped it may have checked some more.
    let said = std::sync::OnceLock::new();
    // For each ledger that is checked, three more are validated: there is always a next one.
    let tell = |step: Step| {
        watched.note(&step);
        if let Step::Checked { .. } = step {
            close(&node, 3);
        }
        let view = watched.view();
        if view.state == ShadowState::Behind || view.ledgers_checked > 400 {
            said.get_or_init(|| view);
            cancel.cancel();
        }
    };
    let files = CaseFiles::new(folder.path());
    follow(url, Arc::new(TcpConnector), scope, files, &tell, cancel.clone()).await.unwrap();
    let view = said.get().unwrap();
    assert!((257..300).contains(&view.behind), "{view:?}");
    assert!(view.ledgers_checked < 200, "{view:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_is_gone_before_its_entries_are_read_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(with_wrong_rule()).await;
    let veil = Veil::over(&node).await;
    veil.forgets_entries();
    let following = following(&veil.url(), folder.path());
    following.until(2, 0).await;
    ticket(&node);
    close(&node, 1);
    let newest = node.accept().unwrap().header.index;
    following.until(newest, 1).await;
    close(&node, 2);
    following.until(newest + 2, 1).await;
    let view = following.watched.view();
    assert_eq!((view.ledgers_different, view.restarts), (1, 1), "{view:?}");
    assert!(view.last_error.as_ref().unwrap().contains("no longer has ledger"), "{view:?}");
    following.cancel.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_entries_have_fields_that_are_new_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(StandaloneConfig::default()).await;
    let parent = node.accept().unwrap();
    let id = object_id::account_root(node.accounts()[0].address);
    let mut root = Object::clone(&parent.state.get(&id).unwrap());
    root.set(Field::new(2, 200), 7_u32.into());
    let now = parent.header.close_time + 10;
    let ledger = node.with_node(|node| node.inject(now, vec![(id, root)], 0));
    let following = following(&node.rpc_url(), folder.path());
    following.until(ledger.header.index, 0).await;
    pay(&node);
    let newest = node.accept().unwrap().header.index;
    following.until(newest, 0).await;
    let view = following.watched.view();
    assert_eq!((view.ledgers_checked, view.transactions_checked), (1, 1), "{view:?}");
    following.cancel.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_and_the_metrics_show_where_it_stands() {
    let running = Running::start(&[("shadow", "true"), ("tps", "20")]).await;
    let api = running.api;
    let mut view = json!(null);
    for _ in 0..200 {
        view = get(api, "/state/shadow").await.json();
        if view["ledgers_checked"].as_u64() >= Some(3) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(view["state"], "following", "{view}");
    assert_eq!(view["ledgers_different"], 0, "{view}");
    let metrics = get(api, "/metrics").await.text;
    let line = metrics
        .lines()
        .find(|line| line.starts_with("xrpl_workload_shadow_ledgers_total{outcome=\"equal\"}"))
        .unwrap_or_else(|| panic!("{metrics}"));
    assert!(line.rsplit(' ').next().unwrap().parse::<u64>().unwrap() >= 3, "{line}");
    running.end().await;
}
