//! Requests that a real xrpld answered, over HTTP and WebSocket, and its stream messages, against
//! ours. `api_params` has some 9,500 of them to 40 methods, each with one parameter missing or odd.
//!
//! What differs is listed with its reason in `tests/api_differences.json`; the test fails when that
//! list is wrong in either direction. `REPLAY_SHOW=account_info` (or `all`) prints both answers.

mod api_replay;
mod recordings;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use api_replay::Replay;

/// The checked-in list: what differs, by reason.
fn listed() -> BTreeMap<String, BTreeSet<String>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/api_differences.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

async fn answers_as_recorded(name: &str) {
    let Some(lines) = recordings::lines(name) else {
        println!("skipped: no recording {name} (set XRPL_SHARED)");
        return;
    };
    let replay = Replay::run(name, &lines).await;
    println!("{name}: {} of {} differ", replay.different.len(), replay.total);
    let prefix = format!("{name} ");
    let listed: BTreeSet<String> = listed().into_values().flatten().collect();
    let listed: BTreeSet<_> =
        listed.into_iter().filter(|label| label.starts_with(&prefix)).collect();
    let new: Vec<_> = replay.different.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&replay.different).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "tests/api_differences.json is wrong.\nnot listed: {new:#?}\nlisted but equal: {gone:#?}"
    );
}

macro_rules! recordings {
    ($($name:ident)*) => {
        $(#[tokio::test] async fn $name() { answers_as_recorded(stringify!($name)).await; })*
    };
}

recordings! {
    accounts_misc amm api api_params batch checks clock credentials_domains delegate escrow mpt nft offers paychan
    payment_netid random_amm random_dex random_holds random_mixed random_mpt random_nft random_vault retries types_dev vault lending xchain_types
    payment_xrp streams tickets trust_iou txq
}
