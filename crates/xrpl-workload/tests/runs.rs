//! Records of runs: what they hold, where they are found, and what is made of them.

mod common;

use std::{path::Path, time::Duration};

use common::{FREE_PORTS, Running, ask, config, config_without, get, post, program, quiet};
use serde_json::{Value as Json, json};
use xrpl_workload::{
    archive::{self, Archive},
    compare::{Terms, compare},
    config::StoreChoice,
    record::{Condition, Control, Ends, Record},
    session::{Ended, Session, Stop},
};

fn file(path: &Path) -> StoreChoice {
    StoreChoice::File(path.to_owned())
}

/// A run whose record is kept in a file.
async fn run(store: &Path, changed: &[(&'static str, &str)]) -> Ended {
    let store = store.display().to_string();
    let settings = [&[("store", store.as_str()), ("no_api", "true")], changed].concat();
    let session = Session::start(config(&settings), &quiet()).await.unwrap();
    session.run(&Stop::default(), &quiet()).await.unwrap()
}

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A run leaves its figures, samples, settings and ends; they agree with its summary.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_leaves_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let ended = run(
        &path,
        &[
            ("name", "first"),
            ("tps", "30"),
            ("webhook_secret", "hidden-one"),
            ("webhook", "http://127.0.0.1:9/"),
        ],
    )
    .await;
    let archive = Archive::open(&file(&path)).await.unwrap();
    let record = archive.find("latest").await.unwrap();
    let text = serde_json::to_string(&record).unwrap();
    assert_eq!((record.head.run.as_str(), record.head.name.as_deref()), ("1", Some("first")));
    assert_eq!(record.head.condition, Condition::Ended);
    assert_eq!(record.head.failures, ended.failures.len(), "{:?}", ended.failures);
    assert!(record.measured.submitted > 60, "{record:?}");
    assert_eq!(record.measured.validated, record.measured.submitted);
    assert_eq!(record.measured.finality_ms.len(), record.measured.validated);
    assert_eq!(record.measured.scheduled_ms.len(), record.measured.validated);
    let of_ends: u64 = record.ends.iter().map(|end| end.count).sum();
    assert!(of_ends >= record.measured.validated, "fillers are in the ends too");
    assert!(of_ends < ended.summary.submitted, "the preparation is not");
    assert_eq!(record.by_state["VALIDATED"], ended.summary.by_state["VALIDATED"]);
    assert!(
        record.samples.len() >= 3 && record.samples.iter().any(|s| s.finality_ms_p50.is_some())
    );
    assert!(record.measured.node.ledger_interval_ms.len() >= 5, "{:?}", record.measured.node);
    assert_eq!(record.nodes.len(), 1);
    assert!(record.nodes[0].version.is_some() && record.nodes[0].state.is_some());
    let setting = |key: &str| record.settings.iter().find(|told| told.key == key).unwrap();
    assert_eq!((setting("tps").value.as_str(), setting("tps").is_default), ("30", false));
    assert_eq!(setting("webhook_secret").value, "<redacted>");
    assert!(!text.contains("hidden-one"), "a secret is in the record");
    for figure in
        ["validated_per_second", "finality_ms_p99", "ledger_interval_ms_p50", "failed_percent"]
    {
        assert!(record.head.figures.contains_key(figure), "{figure}: {:?}", record.head.figures);
    }
    // The summary says the same of the load, to the digit.
    let (figures, summary) = (&record.head.figures, &ended.summary);
    assert_eq!(
        summary.validated_per_second,
        (figures["validated_per_second"] * 10.0).round() / 10.0
    );
    assert_eq!(summary.finality_ms.p50 as f64, figures["finality_ms_p50"]);
    assert_eq!(summary.finality_ms.p99 as f64, figures["finality_ms_p99"]);
    assert_eq!(summary.finality_ms.max as f64, figures["finality_ms_max"]);
    assert_eq!(summary.finality_ledgers.values().sum::<u64>(), record.measured.validated);
    assert!(summary.preparation > 0 && summary.submitted - summary.preparation >= of_ends);
    assert!(text.len() < 1 << 20, "{} bytes", text.len());
}

/// Each run of a store has an id of its own; what is asked for is found, what is not is named.
#[tokio::test(flavor = "multi_thread")]
async fn runs_are_listed_and_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    run(&path, &[("name", "a"), ("duration", "1s")]).await;
    run(&path, &[("name", "b"), ("duration", "1s")]).await;
    let heads = Archive::open(&file(&path)).await.unwrap().heads().await.unwrap();
    let told: Vec<_> = heads.iter().map(|h| (h.run.as_str(), h.name.as_deref().unwrap())).collect();
    assert_eq!(told, [("1", "a"), ("2", "b")]);
    for (asked, run) in [("latest", "2"), ("previous", "1"), ("1", "1"), ("a", "1"), ("b", "2")] {
        assert_eq!(archive::load(asked, &file(&path)).await.unwrap().head.run, run, "{asked}");
    }
    let in_file = format!("{}#a", path.display());
    assert_eq!(archive::load(&in_file, &StoreChoice::Memory).await.unwrap().head.run, "1");
    let error = archive::load("c", &file(&path)).await.unwrap_err().to_string();
    assert_eq!(error, "there is no run \"c\" here: it has 1, 2");

    // The commands, on the same file.
    let call = |args: &[&str]| {
        let store = format!("--store={}", path.display());
        program(folder.path()).args(args).arg(store).output().unwrap()
    };
    let listed = call(&["runs"]);
    assert!(listed.status.success(), "{}", said(&listed));
    assert_eq!(said(&listed).lines().count(), 3, "{}", said(&listed));
    let listed: Json = serde_json::from_slice(&call(&["runs", "--json"]).stdout).unwrap();
    assert_eq!(listed["runs"][1]["name"], "b");
    let made = call(&["report", "a", "--json", "-o", "a.json"]);
    assert!(made.status.success(), "{}", said(&made));
    let text = std::fs::read_to_string(folder.path().join("a.json")).unwrap();
    assert_eq!(Record::read(&text).unwrap().head.run, "1");
    // On a machine that has other things to do the load may not be kept; that is not asked here.
    for run in ["a", "b"] {
        let mut record = archive::load(run, &file(&path)).await.unwrap();
        record.head.not_kept = None;
        let text = serde_json::to_string(&record).unwrap();
        std::fs::write(folder.path().join(format!("{run}.json")), text).unwrap();
    }
    let made = call(&["report"]);
    assert!(made.status.success() && said(&made).contains("run-2.html"), "{}", said(&made));
    let html = std::fs::read_to_string(folder.path().join("run-2.html")).unwrap();
    assert!(html.len() < 2 << 20 && html.starts_with("<!doctype html>"));
    let markdown = said(&call(&["report", "latest", "--md"]));
    assert!(markdown.starts_with("# b (run 2): "), "{markdown}");
    let same = call(&["compare", "a.json", "b.json", "--bound", "all=1000%/100000"]);
    assert_eq!(same.status.code(), Some(0), "{}", said(&same));
    assert!(
        said(&same).contains("b (run 2) is the same, compared with a (run 1)"),
        "{}",
        said(&same)
    );
    let by_default = call(&[
        "compare",
        "--baseline",
        "a.json",
        "b.json",
        "--json",
        "--bound",
        "all=1000%/100000",
    ]);
    let told: Json = serde_json::from_slice(&by_default.stdout).unwrap();
    assert_eq!(
        (told["second"]["run"].as_str(), told["verdict"].as_str()),
        (Some("2"), Some("same"))
    );
    for (args, code, why) in [
        (&["report", "nothing"][..], 3, "there is no run \"nothing\""),
        (&["report", "--json", "--md"], 2, "only one of them"),
        (&["report", "none.json"], 3, "there is no such file"),
        (&["compare", "a"], 2, "give two runs"),
        (&["compare", "a", "b", "--bound", "x=1%"], 2, "no figure"),
        (&["compare", "a.json", "b.json", "--stage", "x"], 3, "has no stage"),
    ] {
        let output = call(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", said(&output));
        assert!(said(&output).contains(why), "{args:?}: {}", said(&output));
    }
}

/// A load that is ended before its time leaves figures that are compared only where somebody asks for
/// it; one without an end of its own ends in order.
#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_was_cut_short_is_not_taken_for_a_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let store = path.display().to_string();
    for (name, duration, by_api, condition) in [
        ("open", None, false, Condition::Ended),
        ("cut", Some("300s"), false, Condition::Stopped),
        ("finished", Some("300s"), true, Condition::Stopped),
    ] {
        let mut settings = vec![("name", name), ("store", &store), ("tps", "30")];
        settings.extend(duration.map(|time| ("duration", time)));
        let session =
            Session::start(config_without(&["duration"], &settings), &quiet()).await.unwrap();
        let (app, stop, view) = (session.app(), Stop::default(), quiet());
        let cut = async {
            let generator = app.ready().await.unwrap();
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            match by_api {
                true => drop(generator.finish().await.unwrap()),
                false => stop.soon.cancel(),
            }
        };
        let (ended, ()) = tokio::join!(session.run(&stop, &view), cut);
        ended.unwrap();
        drop(app);
        let mut record = archive::load(name, &file(&path)).await.unwrap();
        assert_eq!(record.head.condition, condition, "{name}");
        // On a machine that has other things to do the load may not be kept; that is not asked here.
        record.head.not_kept = None;
        let text = serde_json::to_string(&record).unwrap();
        std::fs::write(folder.path().join(format!("{name}.json")), text).unwrap();
        let report = xrpl_workload::report::markdown(&record);
        assert_eq!(report.contains("it was stopped before its end"), name != "open", "{report}");
    }
    let compared = |args: &[&str]| {
        let bounds = ["compare", "open.json", "cut.json", "--bound", "all=1000%/100000"];
        program(folder.path()).args(bounds).args(args).output().unwrap()
    };
    let refused = compared(&[]);
    assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
    assert!(
        said(&refused).contains("cut (run 2) was stopped before its end"),
        "{}",
        said(&refused)
    );
    let taken = compared(&["--partial"]);
    assert_eq!(taken.status.code(), Some(0), "{}", said(&taken));
    assert!(said(&taken).contains("cut (run 2) was stopped before its end"), "{}", said(&taken));
}

/// What somebody changes while a load goes on is in its record, its summary and its report, and it is
/// compared only where that is asked for; what changes nothing is not.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_by_hand_leaves_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("runs.db").display().to_string();
    let path = folder.path().join("two.toml");
    let text = "[[stage]]\nname = \"first\"\nconstant = 20\nduration = \"10m\"\n[[stage]]\nname = \
                \"second\"\nconstant = 20\nduration = \"2s\"";
    std::fs::write(&path, text).unwrap();
    let settings =
        [("scenario", path.to_str().unwrap()), ("store", store.as_str()), ("name", "changed")];
    let run = Running::of(config_without(&["duration"], &settings)).await;
    let api = run.api;
    for (path, body) in [
        ("/workload/target-tps", json!({"tps": 30})),
        ("/workload/max-pending", json!({"max_pending": 5})),
        ("/workload/max-pending", json!({"max_pending": 4})),
        ("/workload/toggle-type", json!({"type": "CheckCreate", "enabled": false})),
        ("/workload/weight", json!({"type": "Payment", "weight": 7})),
        ("/workload/intent", json!({"invalid": 10})),
    ] {
        let answer = post(api, path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    for path in ["/workload/stop", "/workload/start", "/workload/scenario/skip"] {
        let answer = ask(api, "POST", path, &[], None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    let ended = run.ended.await.unwrap();
    let mut record = archive::load("changed", &file(Path::new(&store))).await.unwrap();
    let told: Vec<_> = record.interventions.iter().map(|one| (one.what, one.deed())).collect();
    let wanted = [
        (Control::TargetTps, "target_tps 20 -> 30"),
        (Control::MaxPending, "max_pending 5 -> 4"),
        (Control::Type, "type CheckCreate true -> false"),
        (Control::Weight, ""),
        (Control::Intent, "deliberately invalid, percent 0 -> 10"),
        (Control::Stop, "load stopped for a while"),
        (Control::Start, "load started again"),
        (Control::SkipStage, "stage ended early"),
    ];
    assert_eq!(told.len(), wanted.len(), "{told:?}");
    for ((what, deed), (of, words)) in told.iter().zip(wanted) {
        assert!(*what == of && (words.is_empty() || deed == words), "{deed}: {words}");
    }
    assert!(record.interventions.iter().all(|one| one.stage == "first"), "{told:?}");
    assert_eq!((record.head.condition, record.head.changed_by_hand), (Condition::Ended, 7));
    assert_eq!(ended.summary.interventions, record.interventions);
    assert!(ended.summary.to_string().contains("  by hand           after "), "{}", ended.summary);
    let report = xrpl_workload::report::markdown(&record);
    assert!(report.contains("The load was changed by hand") && !report.contains("all went well"));
    // On a machine that has other things to do the load may not be kept; that is not asked here.
    record.head.not_kept = None;
    let refused = compare(&record, &record, &Terms::default()).unwrap_err().to_string();
    assert!(refused.contains("was changed while it went on (after "), "{refused}");
    assert!(compare(&record, &record, &Terms { partial: true, ..Terms::default() }).is_ok());
}

/// A load that goes on on an earlier one's run does not take that one for its preparation.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_start_sent_is_no_preparation_of_this_one() {
    let node = Running::start(&[("tps", "1"), ("seed", "node")]).await;
    let endpoint = node.app.pool.endpoints().next().unwrap().1.clone();
    let (rpc, ws) = (endpoint.rpc.to_string(), endpoint.ws.unwrap().to_string());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let settings = [("rpc", rpc.as_str()), ("ws", ws.as_str()), ("seed", "again"), ("tps", "20")];
    let first = run(&path, &settings).await.summary;
    let second = run(&path, &settings).await.summary;
    node.end().await;
    assert_eq!((first.earlier, second.earlier), (0, first.submitted));
    assert!(first.preparation > 10 && second.preparation < first.preparation, "{second}");
    let record = archive::load("latest", &file(&path)).await.unwrap();
    assert_eq!(record.head.run, "1.2");
    let sum = |ends: &[Ends]| ends.iter().map(|end| end.count).sum::<u64>();
    let ended = sum(&record.ends) + sum(&record.preparation);
    assert_eq!(ended, second.submitted - second.earlier, "{:?}", record.preparation);
}

/// A run that is killed leaves what it was until then, marked as aborted.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_leaves_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    let store = format!("--store={}", path.display());
    let mut child = program(folder.path())
        .args(["run", "--accounts=10", "--ledger-interval=300ms", "--name=killed", "--quiet"])
        .args(FREE_PORTS)
        .arg(&store)
        .spawn()
        .unwrap();
    let noted = async {
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let Ok(archive) = Archive::open(&file(&path)).await else { continue };
            match archive.find("latest").await {
                Ok(record) if record.measured.submitted > 0 => return record,
                _ => {}
            }
        }
    };
    let running = tokio::time::timeout(Duration::from_secs(60), noted).await.unwrap();
    assert_eq!(running.head.condition, Condition::Running);
    child.kill().unwrap();
    child.wait().unwrap();
    let record = archive::load("killed", &file(&path)).await.unwrap();
    assert_eq!(record.head.condition, Condition::Aborted);
    assert!(record.measured.submitted > 0 && !record.samples.is_empty());
    let report = xrpl_workload::report::markdown(&record);
    assert!(report.contains("it was killed before its end"), "{report}");
}

/// The API tells of the present run as it is, of others as they were, and compares them.
#[tokio::test(flavor = "multi_thread")]
async fn the_api_has_runs_reports_and_comparisons() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    run(&path, &[("name", "before"), ("duration", "1s")]).await;
    let store = path.display().to_string();
    let running = Running::start(&[("store", &store), ("name", "now"), ("tps", "30")]).await;
    let api = running.api;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let runs = get(api, "/runs").await.json();
    assert_eq!((runs["present"].as_str(), runs["runs"].as_array().unwrap().len()), (Some("2"), 2));
    assert_eq!(runs["runs"][1]["condition"], "running");
    for id in ["2", "latest", "now"] {
        let record = get(api, &format!("/runs/{id}")).await.json();
        assert_eq!(record["run"], "2", "{id}");
        assert!(record["measured"]["submitted"].as_u64() > Some(0), "{id}: it is of this moment");
    }
    let before = get(api, "/runs/previous").await;
    assert_eq!(Record::read(&before.text).unwrap().head.name.as_deref(), Some("before"));
    let report = get(api, "/runs/before/report").await;
    assert!(report.text.starts_with("<!doctype html>"));
    let policy = report.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let refused = get(api, "/compare?first=before&second=latest").await;
    assert!(
        refused.status == 409 && refused.text.contains("has not ended yet"),
        "{}",
        refused.text
    );
    let compared = get(api, "/compare?first=before&second=latest&partial=true").await;
    match compared.status {
        200 => assert_eq!(compared.json()["second"]["title"], "now (run 2)"),
        // On a machine that has other things to do: the load was not kept.
        409 => assert!(compared.text.contains("cannot be compared"), "{}", compared.text),
        _ => panic!("{}", compared.text),
    }
    for (path, status) in [
        ("/runs/9", 404),
        ("/runs/x/report", 404),
        ("/compare?first=before&second=9", 404),
        ("/compare?first=before", 400),
        ("/compare?first=before&second=now&stage=x&partial=true", 409),
    ] {
        assert_eq!(get(api, path).await.error().0, status, "{path}");
    }
    running.end().await;
}
