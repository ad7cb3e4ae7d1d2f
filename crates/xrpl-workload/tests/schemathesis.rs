//! Schemathesis reads the OpenAPI document and asks a live run everything it can think of: no answer
//! is a 5xx, and each is as the document says.

mod common;

use std::{path::PathBuf, process::Stdio, time::Duration};

use common::{Running, get};

/// Where `scripts/install-test-libraries` puts it.
fn schemathesis() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target"),
        PathBuf::from,
    );
    let path = target.join("test-libraries/venv/bin/schemathesis");
    path.exists().then_some(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_as_the_document_says_and_none_is_a_5xx() {
    let Some(program) = schemathesis() else {
        eprintln!(
            "skipped: Schemathesis is not installed (scripts/install-test-libraries does it)"
        );
        return;
    };
    let run = Running::start(&[("tps", "10"), ("api_rate", "0"), ("heartbeat", "true")]).await;
    let dir = tempfile::tempdir().unwrap();
    let child = tokio::process::Command::new(program)
        .arg("run")
        .arg(format!("http://{}/openapi.json", run.api))
        .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance"])
        .args(["--checks", "response_headers_conformance,response_schema_conformance"])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "8", "--seed", "7"])
        // The first never ends; the others end the run that is asked.
        .args(["--exclude-path", "/events", "--exclude-path", "/network/reset"])
        .args(["--exclude-path", "/workload/scenario/stop"])
        .args(["--exclude-path", "/workload/scenario/skip"])
        // One worker: CPython 3.11 counts the depth of its parser for all threads together, and two
        // workers that read Schemathesis's own sources at once end now and then in "AST constructor
        // recursion depth mismatch".
        .args(["--request-timeout", "10", "--workers", "1", "--no-color"])
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let limit = Duration::from_mins(5);
    let output = tokio::time::timeout(limit, child.wait_with_output()).await;
    let output = output.expect("Schemathesis takes longer than five minutes").unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    eprintln!("{}", text.lines().rev().take(12).collect::<Vec<_>>().join("\n"));
    assert_eq!(get(run.api, "/health").await.status, 200, "it is well afterwards");
    let ended = run.end().await;
    assert_eq!((ended.summary.undecided, ended.summary.overturned), (0, 0), "{}", ended.summary);
}
