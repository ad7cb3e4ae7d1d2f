//! Whole runs of the program on its embedded ledger under virtual time: what comparisons and the search
//! for a network's capacity say of networks whose speed is known.

mod common;

use std::time::Duration;

use common::{config, quiet};
use xrpl_workload::{
    archive::Archive,
    capacity::{self, Plan},
    compare::{Comparison, Terms, Verdict, compare},
    record::{Condition, Record},
    session::{Session, Stop},
};

/// How many times each is asked.
const TIMES: usize = 10;

/// The record of a run with a seed of its own on a ledger that closes so often.
async fn run(seed: usize, ledger_interval: &str) -> Record {
    let seed = format!("experiment {seed}");
    let settings = [
        ("no_api", "true"),
        ("seed", seed.as_str()),
        ("ledger_interval", ledger_interval),
        ("tps", "10"),
        ("duration", "20s"),
    ];
    let session = Session::start(config(&settings), &quiet()).await.unwrap();
    let app = session.app();
    let ended = session.run(&Stop::default(), &quiet()).await.unwrap();
    assert!(ended.failures.is_empty(), "{:?}", ended.failures);
    Archive::of(app.store.clone()).find("latest").await.unwrap()
}

fn compared(first: &Record, second: &Record) -> Comparison {
    compare(first, second, &Terms::default()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn two_runs_that_are_the_same_are_said_to_be() {
    let first = run(0, "1s").await;
    for seed in 1..=TIMES {
        let comparison = compared(&first, &run(seed, "1s").await);
        assert_eq!(comparison.verdict, Verdict::Same, "{comparison}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_ledger_twice_as_slow_is_said_to_be_and_by_how_much() {
    let first = run(0, "1s").await;
    for seed in 1..=TIMES {
        let second = run(seed, "2s").await;
        let comparison = compared(&first, &second);
        assert_eq!(comparison.verdict, Verdict::Worse, "{comparison}");
        for name in
            ["ledger_interval_ms_p50", "finality_ms_p50", "finality_ms_p99", "scheduled_ms_p99"]
        {
            let change = comparison.changes.iter().find(|change| change.figure == name).unwrap();
            assert_eq!(change.verdict, Verdict::Worse, "{comparison}");
            let times = change.second.unwrap() / change.first.unwrap();
            assert!((1.8..=2.2).contains(&times), "{name}: {times} times\n{comparison}");
        }
        let words = comparison.words.join("\n");
        assert!(
            words.contains("worse ledger_interval_ms_p50: 2,000 ms instead of 1,000 ms, 2.0 times"),
            "{words}"
        );
        // And the other way round it is better.
        assert_eq!(compared(&second, &first).verdict, Verdict::Better);
    }
}

/// A ledger takes so many transactions at the base fee, and closes once a second.
async fn capacity_of(limit: u32) -> (capacity::Report, Record) {
    let limit = limit.to_string();
    let plan = Plan {
        from: 10.0,
        most: 1_000.0,
        step: Duration::from_secs(15),
        precision: 0.03,
        limit: Duration::from_secs(3_600),
        asked: Vec::new(),
        each: Vec::new(),
    };
    let mut config = config(&[
        ("no_api", "true"),
        ("ledger_interval", "1s"),
        ("types", "Payment=1"),
        ("duration", "0"),
        ("accounts", "100"),
        ("txq_minimum_txn_in_ledger", &limit),
        ("txq_maximum_txn_in_ledger", &limit),
    ]);
    plan.prepare(&mut config);
    let session = Session::start(config, &quiet()).await.unwrap();
    let (app, stop) = (session.app(), Stop::default());
    let search = async {
        let found = capacity::find(&app, &plan, &stop.soon, &|line| println!("{line}")).await;
        stop.soon.cancel();
        found.unwrap()
    };
    let view = quiet();
    let (ended, found) = tokio::join!(session.run(&stop, &view), search);
    ended.unwrap();
    let mut found = found;
    found.settle(&app).await;
    (found, Archive::of(app.store.clone()).find("latest").await.unwrap())
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_a_ledger_is_found() {
    let (report, record) = capacity_of(30).await;
    let found = &report.capacity[0];
    let holds = found.holds.unwrap();
    assert!((holds - 30.0).abs() <= 0.05 * 30.0, "{holds}\n{report}");
    assert!(found.complete && !found.by_program, "{report}");
    assert!(found.fails.unwrap() > holds, "{report}");
    assert!(found.broke.as_ref().unwrap().contains("grew by"), "{report}");
    // Its record has the knee, what broke, and each rate with the figures that are told here.
    assert_eq!(record.capacity, report.capacity);
    assert_eq!(record.head.condition, Condition::Ended);
    for step in &found.steps {
        let part = &record.parts[step.stage];
        assert_eq!(part.figures, step.figures, "{report}");
        let told = part.figures["throughput_per_second"];
        // What is told of a rate is of its own time, not of the rest that a network took after it.
        assert!((part.figures["submitted_per_second"] / step.rate - 1.0).abs() < 0.05, "{part:?}");
        assert!(!step.judgement.holds || (told / step.rate - 1.0).abs() < 0.05, "{told} {report}");
    }
    let idle = &record.parts[0];
    assert_eq!((idle.name.as_str(), idle.measured.submitted), ("begin", 0), "{idle:?}");
    assert_eq!(idle.figures.get("submitted_per_second").copied().unwrap_or(0.0), 0.0);
    let told = xrpl_workload::report::markdown(&record);
    assert!(told.contains(" transactions a second; at ") && told.contains("## Capacity"), "{told}");
}
