//! `capacity` from outside: what it prints, and what it refuses before anything starts. What it finds is
//! asked under virtual time in `experiments.rs`.

mod common;

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

use common::{FREE_PORTS, ask, config, get, post, program, quiet};
use serde_json::{Value as Json, json};
use xrpl_workload::{
    capacity::{self, Plan},
    session::{Session, Stop},
};

#[test]
fn a_search_prints_what_it_found() {
    let folder = tempfile::tempdir().unwrap();
    let output = program(folder.path())
        .args(["capacity", "--tps=5", "--to=8", "--step=1s", "--ledger-interval=200ms", "--json"])
        .args(["--each=Payment,AccountSet", "--accounts=20"])
        .args(FREE_PORTS)
        .output()
        .unwrap();
    let (text, said) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let lines: Vec<_> = text.lines().filter(|line| line.contains("\"capacity\"")).collect();
    assert_eq!(lines.len(), 1, "{text}\n{said}");
    let report: Json = serde_json::from_str(lines[0]).unwrap();
    let of: Vec<_> = report["capacity"].as_array().unwrap().iter().map(|f| &f["of"]).collect();
    assert_eq!(of, ["Payment", "AccountSet"]);
    let mut all_held = true;
    for found in report["capacity"].as_array().unwrap() {
        // Which rates hold says this machine; that each was looked at, and that it came to an end, must
        // be.
        assert_eq!(found["complete"], true, "{report}");
        let steps = found["steps"].as_array().unwrap();
        assert!(steps.len() >= 3, "{report}");
        for step in steps {
            assert!(step["seconds"].as_f64() > Some(0.9), "{step}");
            let broke = step["broke"].as_array().unwrap();
            assert_eq!(step["holds"].as_bool().unwrap(), broke.is_empty());
            assert!(step["figures"]["finality_ms_p50"].is_number(), "{step}");
            assert!(step["figures"]["throughput_per_second"].is_number(), "{step}");
        }
        all_held &= found["holds"].is_number();
    }
    assert_eq!(output.status.code(), Some(i32::from(!all_held)), "{report}");
    // Its record has every rate as a stage.
    let runs = program(folder.path()).args(["report", "--json"]).output().unwrap();
    let record: Json = serde_json::from_slice(&runs.stdout).unwrap();
    let stages = record["parts"].as_array().unwrap();
    assert!(stages.iter().any(|stage| stage["name"] == "Payment 5/s" && stage["part"] == "steady"));
    assert!(stages.iter().any(|stage| stage["name"] == "AccountSet 5/s, settling"));
    // And what was found, with the figures of those stages, to the digit.
    assert_eq!(record["capacity"], report["capacity"]);
    for step in report["capacity"][0]["steps"].as_array().unwrap() {
        let stage = &stages[step["stage"].as_u64().unwrap() as usize];
        assert_eq!(stage["figures"], step["figures"], "{step}");
    }
    assert_eq!(stages[0]["measured"]["submitted"], 0, "nothing is sent before the first rate");
    let shown = program(folder.path()).args(["report", "--md"]).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout);
    assert!(shown.contains("## Capacity of Payment") && shown.contains("Capacity of Payment: "));
}

/// What a search measures would be something else if others set rates meanwhile; who ends it gets what it
/// found until then.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_sets_rates_and_a_search_that_is_ended_tells_what_it_found() {
    let plan = Plan {
        from: 5.0,
        most: 1_000.0,
        step: Duration::from_secs(1),
        precision: 0.03,
        limit: Duration::from_secs(3_600),
        asked: Vec::new(),
        each: Vec::new(),
    };
    let mut config = config(&[("ledger_interval", "200ms"), ("duration", "0"), ("accounts", "20")]);
    plan.prepare(&mut config);
    let session = Session::start(config, &quiet()).await.unwrap();
    let (app, api, stop, view) =
        (session.app(), session.api_address().unwrap(), Stop::default(), quiet());
    let search = async {
        let report = capacity::find(&app, &plan, &stop.soon, &|_| {}).await.unwrap();
        stop.soon.cancel();
        report
    };
    let others = async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let record = get(api, "/runs/latest").await.json();
            if record["capacity"][0]["steps"].as_array().is_some_and(|steps| !steps.is_empty()) {
                break;
            }
        }
        for (path, body) in [
            ("/workload/target-tps", json!({"tps": 1})),
            ("/workload/max-pending", json!({"max_pending": 1})),
            ("/workload/intent", json!({"invalid": 1})),
            ("/workload/fuzz", json!({"percent": 1})),
            ("/workload/weight", json!({"type": "Payment", "weight": 1})),
            ("/workload/toggle-type", json!({"type": "Payment", "enabled": false})),
        ] {
            let (status, code, message) = post(api, path, body).await.error();
            assert_eq!((status, code.as_str()), (409, "conflict"), "{path}");
            assert!(message.contains("a search for capacity sets the load"), "{message}");
        }
        for path in ["/workload/start", "/workload/stop", "/workload/scenario/skip"] {
            assert_eq!(ask(api, "POST", path, &[], None).await.status, 409, "{path}");
        }
        let ended = ask(api, "POST", "/workload/scenario/stop", &[], None).await;
        assert_eq!(ended.status, 200, "{}", ended.text);
    };
    let (ended, report, ()) = tokio::join!(session.run(&stop, &view), search, others);
    assert!(report.interrupted && report.capacity[0].interrupted, "{report}");
    assert!(!report.capacity[0].steps.is_empty() && !report.is_whole(), "{report}");
    assert!(report.to_string().contains("ended before it was done"), "{report}");
    let interventions = ended.unwrap().summary.interventions;
    let told: Vec<_> = interventions.iter().map(|one| one.deed()).collect();
    assert_eq!(told, ["load ended before its time"]);
}

/// Ctrl-C: the table so far, and an exit code of its own.
#[test]
fn an_interrupted_search_prints_what_it_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = program(folder.path())
        .args(["capacity", "--tps=5", "--step=1s", "--ledger-interval=200ms", "--accounts=20"])
        .args(FREE_PORTS)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let id = child.id().to_string();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let begun = lines.next().unwrap();
    assert!(begun.contains("accounts are being prepared"), "{begun}");
    let announced = lines.find(|line| !line.starts_with("  ")).unwrap();
    assert!(announced.starts_with("5/s is tried for "), "{announced}");
    assert!(announced.contains(" left at most (--max-minutes)"), "{announced}");
    let first = lines.next().unwrap();
    assert!(first.starts_with("5/s holds: ") || first.contains("does not hold"), "{first}");
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let rest: Vec<_> = lines.collect();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{rest:?}\n{said}");
    assert!(said.contains("the search was ended before it was done"), "{said}");
    let table = rest.iter().position(|line| line.trim_start().starts_with("rate  "));
    assert!(rest[table.unwrap() + 1].trim_start().starts_with("5 "), "{rest:?}");
    // The record does not take it for a whole search.
    let report = program(folder.path()).args(["report", "--json"]).output().unwrap();
    let record: Json = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!(record["condition"], "stopped", "{record}");
    assert_eq!(record["capacity"][0]["interrupted"], true);
}

#[test]
fn what_cannot_be_searched_for_is_said_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    for (args, why) in [
        (&["--duration=5s"][..], "--max-minutes"),
        (&["--tps=0"], "give the first rate"),
        (&["--to=x"], "--to x: give a number"),
        (&["--precision=0"], "--precision 0: give a number from 0.5 to 100"),
        (&["--precision=200"], "--precision 200: give a number from 0.5 to 100"),
        (&["--step=x"], "--step x"),
        (&["--step=0s"], "--step 0s: a rate is measured for 1s or more"),
        (&["--tps=50", "--to=10"], "--to 10 is below --tps 50"),
        (&["--ask=finality_ms_p99=-1"], "a figure is never below 0"),
        (&["--ask=failed_percent=101"], "100 % at most"),
        (&["--ask=read_ms_p99=5"], "makes no read requests"),
        (&["--max-minutes=0"], "--max-minutes"),
        (&["--each=Paymnt"], "Payment"),
        (&["--ask=finality_ms_p9=5"], "did you mean"),
        (&["--ask=finality_ms_p99"], "FIGURE=NUMBER"),
    ] {
        let output = program(folder.path()).arg("capacity").args(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(why), "{args:?}: {said}");
    }
}
