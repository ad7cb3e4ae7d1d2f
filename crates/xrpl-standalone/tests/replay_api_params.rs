//! Some 9,500 requests to 40 methods, each with one parameter missing or odd, against what a real
//! xrpld answered.
//!
//! `tests/api_params_floor.json` has, by method, how many answers must be equal at the least. A mended
//! rule raises its number: `UPDATE_FLOOR=1` writes those that have risen, and never a lower one.
//! `REPLAY_SHOW=sign` (or `all`) prints both answers wherever they differ.

mod api_replay;
mod recordings;

use std::{collections::BTreeMap, path::PathBuf};

use api_replay::Replay;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/api_params_floor.json")
}

fn floor() -> BTreeMap<String, usize> {
    serde_json::from_str(&std::fs::read_to_string(path()).unwrap()).unwrap()
}

#[tokio::test]
async fn odd_parameters_are_answered_as_recorded() {
    let Some(lines) = recordings::lines("api_params") else {
        println!("skipped: no recording api_params (set XRPL_SHARED)");
        return;
    };
    let replay = Replay::run("api_params", &lines).await;
    let equal: usize = replay.by_method.values().map(|tally| tally.equal).sum();
    let total: usize = replay.by_method.values().map(|tally| tally.total).sum();
    for (method, tally) in &replay.by_method {
        println!("{method:>24} {:>5} of {:>5}", tally.equal, tally.total);
    }
    println!("{equal} of {total} answers are equal");
    // The recording itself must not shrink unnoticed.
    assert!(total >= 9_500, "only {total} requests were replayed");
    let mut floor = floor();
    let fallen: Vec<_> = floor
        .iter()
        .map(|(method, least)| (method, *least, replay.by_method.get(method)))
        .filter(|(_, least, tally)| tally.is_none_or(|tally| tally.equal < *least))
        .collect();
    assert!(fallen.is_empty(), "fewer equal answers than before: {fallen:#?}");
    if std::env::var_os("UPDATE_FLOOR").is_some() {
        floor.extend(replay.by_method.iter().map(|(name, tally)| (name.clone(), tally.equal)));
        let text = serde_json::to_string_pretty(&floor).unwrap();
        std::fs::write(path(), text + "\n").unwrap();
    }
}
