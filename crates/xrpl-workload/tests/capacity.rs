//! `capacity` from outside: what it prints, and what it refuses before anything starts. What it finds is
//! asked under virtual time in `experiments.rs`.

mod common;

use common::{FREE_PORTS, program};
use serde_json::Value as Json;

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
}

#[test]
fn what_cannot_be_searched_for_is_said_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    for (args, why) in [
        (&["--duration=5s"][..], "--max-minutes"),
        (&["--tps=0"], "give the first rate"),
        (&["--to=x"], "--to x: give a number"),
        (&["--precision=0"], "--precision 0: give a number of 0.5 or more"),
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
