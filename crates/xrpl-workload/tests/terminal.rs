//! What people and machines read of the program: the live view, lines, JSON, and the commands that
//! ask a running instance.

mod common;

use std::{
    process::{Command, Output, Stdio},
    time::Duration,
};

use common::{FREE_PORTS, Running, program};
use serde_json::{Value as Json, json};
use xrpl_workload::view::SCHEMA;

const SHORT: &[&str] = &[
    "run",
    "--duration=2s",
    "--tps=30",
    "--accounts=10",
    "--ledger-interval=300ms",
    "--store=memory",
];

async fn call(args: Vec<String>) -> Output {
    tokio::task::spawn_blocking(move || {
        let dir = tempfile::tempdir().unwrap();
        program(dir.path()).args(args).output().unwrap()
    })
    .await
    .unwrap()
}

fn owned(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn schema() -> jsonschema::Validator {
    jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap()
}

/// Each line is what the published schema says, and the schema would notice if it were not.
#[tokio::test(flavor = "multi_thread")]
async fn json_lines_keep_to_the_published_schema() {
    let args = [SHORT, FREE_PORTS, &["--json", "--interval=200ms", "--intent-invalid=20"]].concat();
    let output = call(owned(&args)).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = out(&output);
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let schema = schema();
    let mut kinds: Vec<_> =
        lines.iter().map(|line| line["event"].as_str().unwrap_or("summary")).collect();
    for line in &lines {
        let errors: Vec<_> = schema.iter_errors(line).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
        // Only of a machine with too much else to do.
        for name in line.as_object().unwrap().keys().filter(|name| *name != "not_kept") {
            let mut less = line.clone();
            less.as_object_mut().unwrap().remove(name);
            // A summary may have no `event`; everything else must be there.
            assert!(!schema.is_valid(&less), "{name} may be missing in {line}");
        }
        let mut more = line.clone();
        more["event"] = json!("something else");
        assert!(!schema.is_valid(&more), "{more}");
    }
    assert_eq!(kinds.last(), Some(&"summary"));
    kinds.sort_unstable();
    kinds.dedup();
    for kind in ["interval", "note", "preparing", "stopping", "summary"] {
        assert!(kinds.contains(&kind), "no {kind}: {kinds:?}");
    }
    let seen = lines.iter().rfind(|line| line["event"] == "interval").unwrap();
    assert!(seen["failures"].as_object().is_some_and(|codes| !codes.is_empty()), "{seen}");
    assert!(seen["ledger_index"].as_u64() > Some(2), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn piped_it_is_lines_and_quiet_leaves_only_the_end() {
    let lines = call(owned(&[SHORT, FREE_PORTS, &["--interval=500ms"]].concat())).await;
    let text = out(&lines);
    assert!(text.contains("preparing: ") && text.contains("ledger "), "{text}");
    assert!(
        text.lines().filter(|line| line.contains("submitted ") && line.contains("p50")).count()
            >= 3
    );
    assert!(text.contains(" in flight left"), "{text}");
    assert!(!text.contains('\u{1b}'), "no terminal codes in a pipe: {text}");
    let quiet = call(owned(&[SHORT, FREE_PORTS, &["--quiet"]].concat())).await;
    assert!(out(&quiet).starts_with("summary "), "{}", out(&quiet));
    assert_eq!(quiet.stderr, b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_holds_the_load_back_is_said_at_the_start_meanwhile_and_at_the_end() {
    let short = ["--accounts=4", "--max-pending=1", "--tps=300", "--interval=500ms"];
    let rest: Vec<_> = SHORT.iter().copied().filter(|arg| !arg.starts_with("--accounts")).collect();
    let rest: Vec<_> = rest.into_iter().filter(|arg| !arg.starts_with("--tps")).collect();
    let text = out(&call(owned(&[&rest, FREE_PORTS, &short].concat())).await);
    let lines: Vec<_> = text.lines().collect();
    let at = |part: &str| lines.iter().position(|line| line.contains(part));
    let (start, load) = (at("target 300/s, "), at("held back by accounts"));
    assert!(start.is_some() && start < load, "{text}");
    let summary = lines.iter().find(|line| line.starts_with("summary ")).unwrap();
    assert!(summary.contains("target 300/s"), "{text}");
}

/// On a terminal: `script` from util-linux has one of 70 columns, and of 44 while load runs.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_the_view_changes_in_place_and_leaves_nothing() {
    if Command::new("script").arg("--version").stdout(Stdio::null()).status().is_err() {
        return println!("skipped: there is no script(1)");
    }
    // Ledgers that close slowly, so that the end takes a moment.
    let run =
        [SHORT, FREE_PORTS].concat().join(" ").replace("=300ms", "=900ms").replace("=2s", "=3s");
    let narrower = "(sleep 4; stty cols 44 </dev/tty)";
    let program = env!("CARGO_BIN_EXE_xrpl-workload");
    let inside = format!("stty cols 70 rows 20; {narrower} & {program} {run}; wait");
    let output = tokio::task::spawn_blocking(move || {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new("script");
        let command = command.args(["-qefc", &inside, "/dev/null"]).current_dir(dir.path());
        command.env("TERM", "xterm-256color").stdin(Stdio::null()).output().unwrap()
    })
    .await
    .unwrap();
    let text = out(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for part in [
        "preparing: ",
        "  rate      ",
        "  states    ",
        "VALIDATED",
        "  finality  p50 ",
        "  failures  none",
        "stopping:",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    let plain = console::strip_ansi_codes(&text).into_owned();
    let wide: Vec<_> = plain
        .split(['\n', '\r'])
        .filter(|line| line.starts_with("  rate") || line.starts_with("  counts"))
        .filter(|line| line.trim_end().chars().count() > 70)
        .collect();
    assert!(wide.is_empty(), "wider than the terminal: {wide:?}");
    let mut latencies = plain.split(['\n', '\r']).filter(|line| line.contains("  finality  p50"));
    let last = latencies.next_back().unwrap();
    assert!(last.contains('…'), "the view did not follow the terminal: {last:?}");
    let (_, end) = text.rsplit_once("summary (").unwrap();
    assert!(!end.contains("  rate      "), "the view stands after the end: {end}");
    assert!(!text.contains("\u{1b}[?1049h") || text.contains("\u{1b}[?1049l"), "{text}");
    assert!(!text.contains("\u{1b}[?25l") || text.contains("\u{1b}[?25h"), "the cursor is hidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_instance_is_asked() {
    let run = Running::start(&[("tps", "20"), ("intent_invalid", "20")]).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let api = format!("--api=http://{}", run.api);
    let rows = common::get(run.api, "/state/transactions?state=VALIDATED&final=tesSUCCESS").await;
    let row = rows.json()["transactions"][0].clone();
    let hash = row["tx_hash"].as_str().unwrap();

    let shown = call(owned(&["tx", hash, &api])).await;
    assert_eq!(shown.status.code(), Some(0), "{}", out(&shown));
    let text = out(&shown);
    for part in [
        hash,
        "VALIDATED",
        "tesSUCCESS",
        row["account"].as_str().unwrap(),
        "seen by WS",
        "evidence",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    let as_json = call(owned(&["tx", hash, &api, "--json"])).await;
    let dossier: Json = serde_json::from_str(&out(&as_json)).unwrap();
    assert_eq!(dossier, common::get(run.api, &format!("/state/tx/{hash}")).await.json());
    let refused = common::get(run.api, "/state/transactions?state=REJECTED&limit=1").await.json();
    if let Some(hash) = refused["transactions"][0]["tx_hash"].as_str() {
        assert_eq!(call(owned(&["tx", hash, &api])).await.status.code(), Some(11));
    }
    for (hash, code, words) in [("0".repeat(64), 1, "not tracked"), ("abc".into(), 2, "hash")] {
        let output = call(owned(&["tx", &hash, &api])).await;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), text.contains(words)), (Some(code), true), "{text}");
    }

    let status = call(owned(&["status", &api])).await;
    let text = out(&status);
    for part in ["load runs", "VALIDATED ", "p50 ", "overturned 0"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    let status = call(owned(&["status", &api, "--json"])).await;
    let json: Json = serde_json::from_str(&out(&status)).unwrap();
    assert_eq!(json["workload"]["running"], true);

    // It ends when the instance does, and that is no error.
    let watch = tokio::spawn(call(owned(&["watch", &api, "--json", "--interval=200ms"])));
    tokio::time::sleep(Duration::from_secs(1)).await;
    run.end().await;
    let output = watch.await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let (schema, text) = (schema(), out(&output));
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() >= 3, "{text}");
    assert!(lines.iter().all(|line| schema.is_valid(line)), "{text}");
    assert!(lines[0]["submitted"].as_u64() > Some(10), "{text}");
    assert_eq!(lines.last().unwrap()["event"], "note");

    for command in ["status", "watch"] {
        let gone = call(owned(&[command, &api])).await;
        assert_eq!(gone.status.code(), Some(3));
        assert!(String::from_utf8_lossy(&gone.stderr).contains("--api"));
    }
    assert_eq!(call(owned(&["status", "--api=nowhere"])).await.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_and_man_pages_know_every_command() {
    let commands =
        ["run", "standalone", "submit", "config", "tx", "status", "watch", "completions", "man"];
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = out(&call(owned(&["completions", shell])).await);
        for command in commands {
            assert!(text.contains(command), "{shell} does not complete {command}");
        }
        assert!(text.contains("max-pending"), "{shell} does not complete flags");
    }
    // A shell takes it.
    let script = out(&call(owned(&["completions", "bash"])).await);
    let check = tokio::task::spawn_blocking(move || {
        Command::new("bash").args(["-nc", &script]).status().unwrap()
    });
    assert!(check.await.unwrap().success());
    let page = out(&call(owned(&["man"])).await);
    assert!(
        page.contains(".TH xrpl\\-workload 1") || page.contains(".TH xrpl-workload 1"),
        "{page}"
    );
    for command in commands {
        assert!(page.contains(command), "the man page lacks {command}");
    }
    let page = out(&call(owned(&["man", "submit"])).await);
    assert!(page.contains("FAILED_NET") && page.contains("secret"), "{page}");
    assert_eq!(call(owned(&["man", "nothing"])).await.status.code(), Some(2));
    assert_eq!(call(owned(&["completions", "tcsh"])).await.status.code(), Some(2));
}
