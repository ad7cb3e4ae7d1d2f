//! What is mistyped or contradicts itself is refused before anything starts, with code 2 and what was
//! meant.

mod common;

use common::program;

/// Arguments with one mistake each, and what the message says.
const MISTAKES: &[(&[&str], &[&str])] = &[
    // Flags and commands.
    (&["--tsp", "5"], &["'--tps'"]),
    (&["run", "--tsp=5"], &["'--tps'"]),
    (&["run", "--max-pendign", "5"], &["'--max-pending'"]),
    (&["run", "--help-al"], &["'--help-all'"]),
    (&["standalone", "--ledger-intervall", "1s"], &["'--ledger-interval'"]),
    (&["rn"], &["'run'"]),
    (&["doctr"], &["'doctor'"]),
    (&["sumbit", "00"], &["'submit'"]),
    // Values.
    (&["run", "--tps", "fast"], &["--tps fast"]),
    (&["run", "--tps", "-1"], &["--tps -1"]),
    (&["run", "--duration", "5 minutes"], &["--duration 5 minutes", "5m"]),
    (&["run", "--accounts", "1"], &["--accounts", "2 or more"]),
    (&["run", "--max-pending", "0"], &["--max-pending 0"]),
    (&["run", "--intent-invalid", "101"], &["--intent-invalid 101"]),
    (&["run", "--journeys", "often"], &["--journeys often", "such as 6"]),
    (&["journey", "mpt_lief"], &["\"mpt_life\""]),
    (&["run", "--key-type", "rsa"], &["ed25519", "secp256k1"]),
    (&["run", "--currencies", "EURO"], &["EURO"]),
    (&["run", "--funding-secret", "secret"], &["--funding-secret <redacted>"]),
    (&["run", "--api-bind", "0.0.0.0:8000"], &["--api-token"]),
    (&["run", "--log-level", "wran"], &["--log-level wran", "\"warn\""]),
    (&["standalone", "--close", "on-sumbit"], &["on-submit"]),
    (&["standalone", "--amendments", "+AMMM"], &["AMM"]),
    (&["completions", "bsah"], &["'bash'"]),
    (&["run", "--store", "mysql://127.0.0.1/runs"], &["postgres://"]),
    (&["run", "--store", "postgres://127.0.0.1:port/runs"], &["65535"]),
    (
        &["runs", "--store", "postgres://u:hunter2@h/runs?sslmod=require"],
        &["<redacted>", "sslmode"],
    ),
    (
        &["audit", "--store", "postgres://h/runs?sslmode=verify-ca&sslrootcert=none"],
        &["none", "PEM"],
    ),
    (&["report", "postgres://h:0/runs#1"], &["65535"]),
    (&["runs", "--store", "memory"], &["a run"]),
    // Types, modifiers, results, figures, keys.
    (&["run", "--types", "Payement=5"], &["--types Payement=5", "\"Payment\""]),
    (&["run", "--types", "AMMDelete=5"], &["AMMDelete is not sent", "AMMWithdraw has deleted"]),
    (&["run", "--types", "OfferCrate=5"], &["\"OfferCreate\""]),
    (&["run", "--types", "Payment"], &["--types Payment", "="]),
    (&["run", "--modifiers", "tickt=5"], &["tickt", "there are ticket"]),
    (&["run", "--fuzz", "5", "--fuzz-types", "Paymnt"], &["Paymnt"]),
    (&["run", "--steer", "covrage"], &["coverage"]),
    (&["run", "--scenario", "none.toml"], &["none.toml"]),
    (&["run", "--config", "none.toml"], &["none.toml"]),
    (&["run", "--definitions", "none.json"], &["none.json"]),
    (&["run", "--accounts-file", "none"], &["none"]),
    (&["capacity", "--ask", "finalty_ms_p99=8000"], &["finality_ms_p99"]),
    (&["capacity", "--each", "Paymnt"], &["\"Payment\""]),
    (&["compare", "--json", "--markdown", "a", "b"], &["give only one of them"]),
    (&["compare", "--bound", "finalty_ms_p99=5%"], &["finality_ms_p99"]),
    (
        &["submit", r#"{"TransactionType":"Paymnt"}"#, "--secret", "snoPBrXtMeMyMHUVTgbuqAfg1SUTb"],
        &["Payment"],
    ),
    // What contradicts itself.
    (
        &[
            "run",
            "--ab",
            "a=http://h,ws://h",
            "--ab",
            "b=http://i,ws://i",
            "--store",
            "postgres://h/runs",
        ],
        &["a path"],
    ),
    (&["run", "--rpc", "http://127.0.0.1:1"], &["--ws"]),
    (&["run", "--rpc", "ftp://127.0.0.1:1", "--ws", "ws://127.0.0.1:1"], &["http"]),
    (&["doctor", "--rpc", "http://127.0.0.1:1"], &["--ws"]),
    (&["run", "--fuzz-types", "Payment"], &["--fuzz"]),
    (&["run", "--gateways", "0"], &["--gateways 0"]),
    (&["run", "--fund-drops", "1000000"], &["--fund-drops 1000000", "--reserve-base"]),
    (&["standalone", "--fork", "ws://127.0.0.1:1", "--state", "s.json"], &["--fork", "--state"]),
];

#[test]
fn a_mistake_is_refused_with_what_was_meant_and_nothing_starts() {
    let mut wrong = Vec::new();
    for (args, parts) in MISTAKES {
        let folder = tempfile::tempdir().unwrap();
        let mut command = program(folder.path());
        command.args(*args).env("XRPL_WORKLOAD_EXIT_ON_STDIN_EOF", "true");
        // One that is not noticed ends by itself; `capacity` takes no duration.
        if args[0] != "capacity" {
            command.env("XRPL_WORKLOAD_DURATION", "1s");
        }
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let missing: Vec<_> = parts.iter().filter(|part| !text.contains(**part)).collect();
        let made = std::fs::read_dir(folder.path()).unwrap().count();
        // What starts says so on standard output, or leaves a store.
        if output.status.code() != Some(2) || !missing.is_empty() || !out.is_empty() || made > 0 {
            let code = output.status.code();
            wrong.push(format!(
                "{args:?}: code {code:?}, lacks {missing:?}, {made} files\n{text}{out}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_mistyped_key_of_a_file_or_variable_names_the_key_that_was_meant() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.toml"), "max_pendin = 3").unwrap();
    std::fs::write(folder.path().join("s.toml"), "[[stage]]\nconstnt = 5\nduration = \"1s\"")
        .unwrap();
    for (args, variable, part) in [
        (&["run", "--config", "a.toml"][..], None, "\"max_pending\""),
        (&["run", "--scenario", "s.toml"], None, "constant"),
        (&["run"], Some("XRPL_WORKLOAD_TPZ"), "XRPL_WORKLOAD_TPS"),
    ] {
        let mut command = program(folder.path());
        command.args(args).envs(variable.map(|name| (name, "1")));
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
        assert!(text.contains(part), "{args:?}: {text}");
    }
}
