use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use xrpl_protocol::ResultClass;

use super::*;
use crate::mutation::COMMON;

/// Which results a real xrpld gave to submissions, by type.
fn recorded() -> Option<BTreeMap<String, BTreeSet<String>>> {
    let mut roots: Vec<PathBuf> =
        std::env::var_os("XRPL_SHARED").map(PathBuf::from).into_iter().collect();
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    roots.extend(manifest.ancestors().map(|dir| dir.join("shared")));
    let folder =
        roots.iter().map(|root| root.join("fixtures/xrpld-3.3.0-b0")).find(|f| f.is_dir())?;
    let mut results: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let step: serde_json::Value = serde_json::from_str(line).unwrap();
            let kind = step["tx_json"]["TransactionType"].as_str();
            let answer = ["response", "answer"].iter().find_map(|key| step.get(key));
            let result = answer.and_then(|a| {
                a["result"]["engine_result"].as_str().or(a["engine_result"].as_str())
            });
            if let (Some(kind), Some(result)) = (kind, result) {
                results.entry(kind.to_owned()).or_default().insert(result.to_owned());
            }
        }
    }
    Some(results)
}

#[test]
fn every_prediction_was_seen_from_a_real_node() {
    let Some(recorded) = recorded() else {
        println!("skipped: no recordings");
        return;
    };
    let catalogue = Catalogue::new(&BTreeMap::new()).unwrap();
    let seen = |kind: &str, result: &str| recorded.get(kind).is_some_and(|r| r.contains(result));
    let any = |result: &str| recorded.values().any(|r| r.contains(result));
    let mut unseen = Vec::new();
    for about in catalogue.types().map(|of| of.about()) {
        for mutation in about.mutations {
            for result in mutation.expected {
                // These are looked at before the type.
                let before = ["temINVALID_FLAG", "temBAD_SIGNER"].contains(result);
                let general = before && any(result);
                if !general && !seen(about.name, result) {
                    unseen.push(format!("{}: {}: {result}", about.name, mutation.name));
                }
            }
        }
    }
    for mutation in COMMON {
        assert!(mutation.expected.iter().all(|result| seen("Payment", result)), "{mutation:?}");
    }
    assert!(unseen.is_empty(), "{unseen:#?}");
}

#[test]
fn predictions_agree_on_the_sequence() {
    let catalogue = Catalogue::new(&BTreeMap::new()).unwrap();
    let own = catalogue.types().flat_map(|of| of.about().mutations);
    for mutation in own.chain(COMMON) {
        assert!(!mutation.expected.is_empty(), "{}", mutation.name);
        let claims = |r: &&str| ResultClass::of(r) == Some(ResultClass::Tec);
        let (any, all) =
            (mutation.expected.iter().any(claims), mutation.expected.iter().all(claims));
        assert_eq!(any, all, "{}", mutation.name);
    }
}

/// Which modifiers fit is each type's to say, and there are at least three ways to make it wrong.
#[test]
fn every_type_declares_what_fits_it() {
    let catalogue = Catalogue::new(&BTreeMap::new()).unwrap();
    for about in catalogue.types().map(|of| of.about()) {
        assert!(!about.modifiers.is_empty(), "{}: no modifiers", about.name);
        assert!(about.mutations.len() >= 3, "{}: {} mutations", about.name, about.mutations.len());
        assert!(!about.roles.is_empty() && about.weight > 0, "{}", about.name);
        assert!(!about.family.is_empty(), "{}: no family", about.name);
        let mut names: Vec<_> = about.mutations.iter().map(|mutation| mutation.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), about.mutations.len(), "{}: names of mutations", about.name);
        assert!(
            xrpl_protocol::Definitions::builtin().transaction_type(about.name).is_some(),
            "{} is no TransactionType",
            about.name
        );
    }
}

/// Whatever an account can send is in the catalogue, or it is said why not.
#[test]
fn every_type_of_the_protocol_is_sent_or_it_is_said_why_not() {
    /// What the ledger makes itself.
    const PSEUDO: [&str; 4] = ["Invalid", "EnableAmendment", "SetFee", "UNLModify"];
    let catalogue = Catalogue::new(&BTreeMap::new()).unwrap();
    let definitions = xrpl_protocol::Definitions::builtin();
    let all: BTreeSet<&str> = definitions.transaction_types().map(|(name, _)| name).collect();
    let all: BTreeSet<&str> = all.into_iter().filter(|name| !PSEUDO.contains(name)).collect();
    let sent: BTreeSet<&str> = catalogue.names().collect();
    let unsent: BTreeSet<&str> = UNSENT.iter().map(|of| of.name).collect();
    assert!(sent.is_disjoint(&unsent));
    assert_eq!(sent.union(&unsent).copied().collect::<BTreeSet<_>>(), all);
    assert_eq!(all.len(), 77);
}

/// Types are drawn as often as their weights say, and only by who may send them.
#[test]
fn draws_follow_the_weights() {
    let weights = |names: &[(&str, u32)]| {
        let mut all: BTreeMap<String, u32> =
            Catalogue::new(&BTreeMap::new()).unwrap().names().map(|n| (n.into(), 0)).collect();
        all.extend(names.iter().map(|(name, weight)| ((*name).into(), *weight)));
        Catalogue::new(&all).unwrap()
    };
    let mut catalogue = weights(&[("Payment", 3), ("TrustSet", 1)]);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut drawn = |catalogue: &Catalogue, role| {
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        for _ in 0..4_000 {
            if let Some(id) = catalogue.draw(&mut rng, role) {
                *counts.entry(catalogue.get(id).about().name).or_default() += 1;
            }
        }
        counts
    };
    let users = drawn(&catalogue, Role::User);
    assert!((2_850..3_150).contains(&users["Payment"]) && users.len() == 2, "{users:?}");
    assert_eq!(drawn(&catalogue, Role::Gateway).keys().collect::<Vec<_>>(), [&"Payment"]);
    let payment = catalogue.find("Payment").unwrap();
    catalogue.set_enabled(payment, false);
    assert_eq!(drawn(&catalogue, Role::User).keys().collect::<Vec<_>>(), [&"TrustSet"]);
    assert!(drawn(&catalogue, Role::Gateway).is_empty(), "nothing is left to draw");
}
