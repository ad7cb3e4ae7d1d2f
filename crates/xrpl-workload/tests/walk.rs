//! The walk of somebody who knows only "I have an xrpld at this address": README's commands, in README's words,
//! against a ledger that is not the program's own.

mod common;
#[path = "common/outside.rs"]
mod outside;

use std::{path::Path, process::Output};

use common::program;
use outside::{node, output, texts};
use xrpl_standalone::server::Standalone;

/// What README calls the program.
const PROGRAM: &str = "cargo run --release -- ";

/// The commands in a page's code blocks that begin like README's.
fn commands(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```").skip(1).step_by(2);
    let lines = blocks.flat_map(str::lines).filter_map(|line| line.strip_prefix(PROGRAM));
    lines.map(str::to_owned).collect()
}

/// A command of the page, at the node's address; and its API, if it has one, on a free port.
async fn at(node: &Standalone, folder: &Path, command: &str) -> Output {
    let command = command
        .replace("http://host:5005", &format!("http://{}", node.rpc_addr))
        .replace("ws://host:6006", &format!("ws://{}", node.ws_addr))
        // Long enough for this ledger, which closes five times a second.
        .replace("--duration 30s", "--duration 3s");
    assert!(!command.contains("host"), "{command}");
    let mut program = program(folder);
    program.args(command.split(' ')).env("XRPL_WORKLOAD_API_BIND", "127.0.0.1:0");
    output(program).await
}

/// The number after a word of the summary.
fn number_after(text: &str, word: &str) -> u64 {
    let rest = text.split(word).nth(1).unwrap_or_else(|| panic!("no {word:?} in\n{text}"));
    rest.split_whitespace().next().unwrap().replace(',', "").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_alone_leads_to_an_answer() {
    let all = commands("README.md");
    let [doctor, run, ..] = all.as_slice() else { panic!("README has other commands: {all:?}") };
    let (node, folder) = (node().await, tempfile::tempdir().unwrap());

    let looked = at(&node, folder.path(), doctor).await;
    assert_eq!(looked.status.code(), Some(0), "{}", texts(&looked));
    assert!(texts(&looked).contains("ready for a run"), "{}", texts(&looked));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "doctor wrote a file");

    let ran = at(&node, folder.path(), run).await;
    let text = texts(&ran);
    assert_eq!(ran.status.code(), Some(0), "{text}");
    let submitted = number_after(&text, "submitted ");
    assert!(submitted > 0, "{text}");
    assert_eq!(number_after(&text, "VALIDATED "), submitted, "{text}");
    assert!(text.contains("finality"), "{text}");
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_long_walk_does_what_it_says() {
    let all = commands("docs/first-answer.md");
    assert!(all.len() >= 4, "{all:?}");
    assert_eq!(all[..2], commands("README.md")[..2], "the walk begins as in README");
    let (node, folder) = (node().await, tempfile::tempdir().unwrap());
    for command in &all {
        let done = at(&node, folder.path(), command).await;
        assert_eq!(done.status.code(), Some(0), "{command}\n{}", texts(&done));
        assert!(!texts(&done).is_empty(), "{command} says nothing");
    }
    let reports = std::fs::read_dir(folder.path()).unwrap();
    let report = reports.map(|file| file.unwrap().path()).find(|path| path.ends_with("run.html"));
    let report = std::fs::read_to_string(report.expect("a report")).unwrap();
    assert!(report.contains("</html>"), "{report}");
    node.shutdown().await;
}

/// The scenario of the README, in less time, its report, and two of its runs compared.
#[tokio::test(flavor = "multi_thread")]
async fn the_readme_s_experiment_can_be_made() {
    let all = commands("README.md");
    let [.., run, report, compare] = all.as_slice() else { panic!("{all:?}") };
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join("README.md"),
    );
    let text = text.unwrap();
    let (_, scenario) = text.split_once("```toml\n").unwrap();
    let (scenario, _) = scenario.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let shorter = scenario.replace("10m", "2s").replace("= 50 ", "= 20 ");
    assert_ne!(shorter, scenario);
    std::fs::write(folder.path().join("my.toml"), shorter).unwrap();
    let call = |command: &str| {
        let mut program = program(folder.path());
        program.args(command.split(' ')).env("XRPL_WORKLOAD_NO_API", "true");
        program.env("XRPL_WORKLOAD_LEDGER_INTERVAL", "300ms").output().unwrap()
    };
    for name in ["before", "after"] {
        let ran = call(&run.replace("after", name));
        assert_eq!(ran.status.code(), Some(0), "{}", texts(&ran));
        assert!(texts(&ran).contains("limit kept        finality_ms_p99: "), "{}", texts(&ran));
    }
    let made = call(report);
    assert_eq!(made.status.code(), Some(0), "{}", texts(&made));
    let file = std::fs::read_to_string(folder.path().join("run-2.html")).unwrap();
    assert!(file.contains("</html>"), "{file}");
    // On a machine that has other things to do the second may be slower, or its load not kept.
    let compared = call(compare);
    assert!(texts(&compared).contains("after (run 2)"), "{}", texts(&compared));
    assert_ne!(compared.status.code(), Some(2), "{}", texts(&compared));
}

/// An address that is wrong is said to be, in words that lead on.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_address_gets_a_useful_answer_too() {
    let (node, folder) = (node().await, tempfile::tempdir().unwrap());
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let doctor = commands("README.md")[0].replace("http://host:5005", &format!("http://{closed}"));
    let looked = at(&node, folder.path(), &doctor).await;
    let text = texts(&looked);
    assert_eq!(looked.status.code(), Some(3), "{text}");
    assert!(text.contains("nothing listens") && text.contains("error"), "{text}");
    node.shutdown().await;
}
