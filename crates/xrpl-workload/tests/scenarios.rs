//! Scenario files: the published schema, those in `scenarios/` run in less time, and the command line.

mod common;

use std::path::PathBuf;

use common::{FREE_PORTS, Running, assert_healthy, config, get, post, program, run};
use serde_json::{Value as Json, json};
use xrpl_workload::{
    config::{Config, Sources},
    scenario::{SCHEMA, Scenario, file::ScenarioFile, made_schema},
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn the_published_schema_is_what_the_types_say() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schemas/scenario.schema.json");
    let made = format!("{:#}\n", made_schema());
    if std::env::var_os("UPDATE_SCENARIO_SCHEMA").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(
        made == kept,
        "UPDATE_SCENARIO_SCHEMA=1 cargo test -p xrpl-workload --test scenarios writes {} anew",
        path.display()
    );
}

/// What a single node cannot show is no limit of its run.
#[test]
fn one_node_is_never_behind_another() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lag.toml");
    let text = "[[stage]]\nconstant = 5\nduration = 1\n[limits]\nlag_ledgers_max = { max = 2 }\n";
    std::fs::write(&file, text).unwrap();
    let call = |args: &[&str]| program(folder.path()).args(args).arg(&file).output().unwrap();
    assert!(call(&["scenario", "check"]).status.success(), "two nodes may be driven with it");
    let refused = call(&["run", "--no-api", "--scenario"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("a single node is never behind another"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was started");
}

/// What the schema says, the reader says.
#[test]
fn schema_and_reader_agree() {
    let schema: Json = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let valid = |text: &str| {
        let table: toml::Table = text.parse().unwrap();
        validator.is_valid(&serde_json::to_value(table).unwrap())
    };
    let read = |text: &str| ScenarioFile::parse(text).is_ok();
    assert!(files().len() >= 8, "{:?}", files());
    for file in files() {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(valid(&text) && read(&text), "{}", file.display());
    }
    for (text, right) in [
        ("", true),
        (
            "[run]\nrpc = ['http://a:1']\nws = 'ws://a:2'\ntypes = { Payment = 3 }\nsweep = true",
            true,
        ),
        ("[[stage]]\nsteps = { from = 1, to = 9, by = 2, every = 5 }\nduration = 3.5", true),
        ("zebra = 1", false),
        ("[[stage]]\ndutation = 1", false),
        ("[[stage]]\nramp = { from = 1 }", false),
        ("[[stage]]\nramp = { from = 1, to = 2, over = 3 }", false),
        ("[[stage]]\npart = 'warmup'", false),
        ("[[stage]]\nconstant = 'fast'", false),
        ("[[stage]]\nconstant = 1\nduration = true", false),
        ("[[stage]]\nmix = ['Payment']", false),
    ] {
        assert_eq!((valid(text), read(text)), (right, right), "{text}");
    }
    assert!(!valid("[run]\nzebra = 1"), "the settings are known to the schema");
}

/// Each of them, its times divided so that it takes two seconds or three.
async fn shortened(name: &str) {
    let file = folder().join(name).with_extension("toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let whole: Scenario = ScenarioFile::parse(&text).unwrap().scenario(&file).unwrap();
    assert!(whole.about.is_some(), "{name} says what it is for");
    // Its ledgers are told apart by their number: three tenths of a second each.
    let seconds = whole.time().map_or(180.0 * 0.3, |time| time.as_secs_f64());
    let scale = (2.5 / seconds).to_string();
    let file = file.to_string_lossy().into_owned();
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store.db").to_string_lossy().into_owned();
    let settings = [
        ("scenario", file.as_str()),
        ("time_scale", &scale),
        ("accounts", "60"),
        ("store", &store),
    ];
    let ended = common::run_config(config_of(&settings)).await;
    assert!(ended.failures.is_empty(), "{name}: {:?}\n{}", ended.failures, ended.summary);
    assert_eq!(ended.summary.undecided, 0, "{name}: {}", ended.summary);
    assert_eq!(ended.stages.len(), whole.stages.len(), "{name}: {:?}", ended.stages);
    for stage in &ended.stages {
        assert!(stage.ended, "{name}: {stage:?}");
        // A shortened stage of a slow pace may have a slot or two only.
        assert!(stage.submitted > 0, "{name}: {stage:?}");
    }
}

/// The tests' own settings, without a duration: stages have theirs.
fn config_of(changed: &[(&'static str, &str)]) -> Config {
    common::config_without(&["duration"], changed)
}

macro_rules! shortened {
    ($($name:ident: $file:literal,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                shortened($file).await;
            }
        )*

        #[test]
        fn each_file_is_run() {
            let mut run = vec![$($file),*];
            run.sort_unstable();
            let files = files();
            let there: Vec<_> =
                files.iter().map(|file| file.file_stem().unwrap().to_str().unwrap()).collect();
            assert_eq!(there, run);
        }
    };
}

shortened! {
    smoke: "smoke",
    baseline: "baseline",
    ramp: "ramp",
    fee_escalation: "fee-escalation",
    queue_pressure: "queue-pressure",
    per_ledger: "per-ledger",
    read_heavy: "read-heavy",
    soak: "soak",
    dex_amm: "dex-amm",
}

#[test]
fn settings_of_a_scenario_stand_between_environment_and_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("it.toml");
    let load = |scenario: &str, env: &[(&str, &str)], flags: &[(&'static str, &str)]| {
        std::fs::write(&path, scenario).unwrap();
        let file = dir.path().join("settings.toml");
        std::fs::write(&file, "gateways = 3\nmax_pending = 3\nseed = \"file\"").unwrap();
        let mut flags: std::collections::BTreeMap<_, _> =
            flags.iter().map(|(key, value)| (*key, vec![(*value).to_owned()])).collect();
        flags.insert("scenario", vec![path.to_string_lossy().into_owned()]);
        let env = env.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Config::load(&Sources { flags, env, file: Some(file) })
    };
    let scenario = "[run]\nmax_pending = 4\nseed = \"scenario\"\n[[stage]]\nconstant = 7";
    let env = [("XRPL_WORKLOAD_SEED", "environment")];
    let config = load(scenario, &env, &[]).unwrap();
    assert_eq!((config.gateways, config.max_pending, config.seed.as_str()), (3, 4, "environment"));
    assert_eq!(config.scenario.peak_tps(), 7.0);
    let config = load(scenario, &env, &[("seed", "flag"), ("time_scale", "0.5")]).unwrap();
    assert_eq!(config.seed, "flag");
    // Without stages it is settings alone.
    let config = load("[run]\ntps = 9\nduration = \"4s\"", &[], &[]).unwrap();
    assert_eq!((config.scenario.name.as_str(), config.scenario.peak_tps()), ("it", 9.0));
    assert_eq!(config.scenario.time().unwrap().as_secs(), 4);
    for (scenario, flags, said) in [
        (
            "[run]\nmax_pendign = 4",
            &[][..],
            "unknown key \"max_pendign\" in [run]: did you mean \"max_pending\"?",
        ),
        ("[run]\nrpc_bynd = 4", &[], "\"rpc_bind\""),
        ("[run]\nsecret = \"s\"", &[], "unknown key \"secret\""),
        ("[run]\nscenario = \"other\"", &[], "unknown key \"scenario\""),
        ("[run]\nmax_pending = 0", &[], "from 1 to 1000"),
        ("[run]\ntps = 4\n[[stage]]\nconstant = 1", &[], "[run] has tps"),
        ("[[stage]]\nconstant = 1", &[("tps", "5")], "leave --tps out (flag sets it)"),
        ("[[stage]]\nconstant = 1", &[("time_scale", "0")], "a factor from"),
        (
            "[[stage]]\nconstant = 1\n[[stage]]\nconstant = 1",
            &[],
            "it.toml: stage \"stage 1\": duration or ledgers",
        ),
    ] {
        let error = load(scenario, &[], flags).unwrap_err().to_string();
        assert!(error.contains(said), "{scenario}\n{error}");
    }
    let error = common::try_config(&[("time_scale", "0.5")]).unwrap_err().to_string();
    assert!(error.contains("give --scenario"), "{error}");
    let error = common::try_config(&[("scenario", "/nowhere.toml")]).unwrap_err().to_string();
    assert!(error.contains("--scenario /nowhere.toml: No such file"), "{error}");
}

#[test]
fn scenarios_are_checked_and_shown_before_anything_is_started() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = dir.path().join("wrong.toml");
    std::fs::write(&wrong, "[[stage]]\nconstatn = 5").unwrap();
    let scenario = |args: &[&std::ffi::OsStr]| {
        let output = program(dir.path()).arg("scenario").args(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let ramp = folder().join("ramp.toml");
    let (code, out, _) = scenario(&["check".as_ref(), ramp.as_ref()]);
    assert_eq!(code, 0);
    assert!(out.trim_end().ends_with("ramp.toml: ok"), "{out}");
    let (code, out, errors) = scenario(&["check".as_ref(), wrong.as_ref(), ramp.as_ref()]);
    assert_eq!((code, out.lines().count()), (2, 1), "the others are looked at all the same");
    assert!(
        errors.contains("wrong.toml: line 2: unknown key \"constatn\": did you mean \"constant\"?"),
        "{errors}"
    );
    let (code, out, _) = scenario(&["show".as_ref(), ramp.as_ref()]);
    assert_eq!(code, 0);
    for part in [
        "ramp: Payments at rates",
        "2 stages, 8m30s",
        "50/s to 400/s by 50 every 60s",
        "warm-up; Payment 1",
    ] {
        assert!(out.contains(part), "{part}\n{out}");
    }
    let (_, out, _) = scenario(&["show".as_ref(), ramp.as_ref(), "--as-json".as_ref()]);
    let told: Json = serde_json::from_str(&out).unwrap();
    assert_eq!((&told["name"], &told["stages"][1]["seconds"]), (&json!("ramp"), &json!(480.0)));
    let (code, out, _) = scenario(&["schema".as_ref()]);
    assert_eq!((code, out.as_str()), (0, SCHEMA));
    let output = program(dir.path())
        .args(["run", "--scenario"])
        .arg(&wrong)
        .args(FREE_PORTS)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_are_told_skipped_and_ended_by_the_api() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("two.toml");
    let text = "about = \"two\"\n[[stage]]\nname = \"first\"\nconstant = 20\nduration = \"10m\"\n\
                [[stage]]\nname = \"second\"\nper_ledger = 5\nledgers = 1000";
    std::fs::write(&path, text).unwrap();
    let path = path.to_string_lossy().into_owned();
    let run = Running::of(config_of(&[("scenario", &path)])).await;
    let told = get(run.api, "/workload/scenario").await.json();
    assert_eq!(told["outline"]["stages"][1]["pace"], "5 a ledger");
    let progress = &told["progress"];
    assert_eq!((&progress["name"], &progress["target_tps"]), (&json!("first"), &json!(20.0)));
    assert!(progress["seconds_left"].as_f64().unwrap() > 500.0, "{progress}");
    let told = post(run.api, "/workload/scenario/skip", json!({})).await.json();
    assert_eq!((&told["progress"]["stage"], &told["progress"]["over"]), (&json!(2), &json!(false)));
    assert_eq!(told["measured"][0]["ended"], true);
    let status = get(run.api, "/workload/status").await.json();
    assert_eq!(status["detail"]["stage"]["name"], "second");
    let told = post(run.api, "/workload/scenario/stop", json!({})).await.json();
    assert_eq!(told["progress"]["over"], true);
    // The run ends by itself.
    let ended = run.ended.await.unwrap();
    assert_healthy(&ended);
    assert_eq!(ended.stages.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_file_a_run_is_one_stage() {
    let ended = run(&[("duration", "1s"), ("tps", "30")]).await;
    assert_healthy(&ended);
    assert_eq!(ended.stages.len(), 1);
    let slots = ended.stages[0].pacing.slots();
    assert_eq!(slots, 30, "{:?}", ended.stages[0]);
    assert_eq!(config(&[]).scenario.name, "settings");
}
