use std::{collections::BTreeSet, path::PathBuf};

use xrpl_protocol::keys::{KeyPair, KeyType, Seed};

use super::*;
use crate::{
    accounts::{Account, Role},
    fees::Fees,
};

fn v(text: &str) -> IssuedValue {
    text.parse().unwrap()
}

fn account(n: u8) -> Account {
    let seed = Seed::from_entropy([n; 16], KeyType::Ed25519);
    Account::new(KeyPair::from_seed(&seed), Role::User, 5)
}

/// Two users and a gateway with one asset, which the users hold 100 of, limited to 200.
fn world() -> World {
    let mut world = World::default();
    for n in 0..3 {
        let index = world.accounts.add(account(n));
        world.accounts[index].xrp.balance = 50_000_000;
        if n < 2 {
            let line = world.accounts[index].lines.entry(0);
            (line.balance, line.limit, line.exists) = (v("100"), v("200"), true);
        }
    }
    let issuer = world.accounts[2].id;
    world.assets = vec![Asset { currency: "USD".parse().unwrap(), issuer, gateway: 2 }];
    world
}

#[test]
fn what_is_in_flight_cannot_be_spent_twice() {
    let mut fees = Fees::new(crate::FeeStrategy::Base, 0);
    fees.set_ledger(10, 10_000_000, 2_000_000);
    let mut world = world();
    let holds = Holds { fee: 10, xrp: 30_000_000, to: Some(1), owners: 2, ..Holds::default() };
    world.reserve(0, &holds);
    // 50 XRP, less 30 and the fee in flight, less 10 + 2 * 2 reserve.
    assert_eq!(world.accounts[0].xrp.spendable(&fees), 5_999_990);
    assert_eq!(world.accounts[1].xrp.spendable(&fees), 40_000_000, "not yet received");
    world.release(0, &holds);
    world.apply(0, &holds, true);
    assert_eq!(world.accounts[0].xrp.balance, 19_999_990);
    assert_eq!(world.accounts[1].xrp.balance, 80_000_000);
    world.apply(0, &holds, false);
    assert_eq!(world.accounts[0].xrp.balance, 19_999_980, "a claim takes the fee only");
}

#[test]
fn issued_value_in_flight_counts_at_both_ends() {
    let mut world = world();
    let moved = IssuedMove { asset: 0, from: Some(0), to: Some(1), value: v("60") };
    let holds = Holds { issued: [moved].into_iter().collect(), ..Holds::default() };
    world.reserve(0, &holds);
    let line = |world: &World, n: Index| *world.accounts[n].lines.get(0).unwrap();
    assert_eq!(line(&world, 0).available(), v("40"));
    assert!(line(&world, 1).has_room(v("40")));
    assert!(!line(&world, 1).has_room(v("40.1")));
    world.release(0, &holds);
    assert_eq!(line(&world, 0).available(), v("100"));
    assert!(line(&world, 1).has_room(v("100")));
}

fn recording(name: &str) -> Option<Vec<Json>> {
    let mut roots: Vec<PathBuf> =
        std::env::var_os("XRPL_SHARED").map(PathBuf::from).into_iter().collect();
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    roots.extend(manifest.ancestors().map(|dir| dir.join("shared")));
    let path = format!("fixtures/xrpld-3.3.0-b0/{name}.jsonl");
    let text = roots.iter().find_map(|root| std::fs::read_to_string(root.join(&path)).ok())?;
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Learns a recorded run transaction by transaction; after each one the world must be what the
/// metadata says the ledger is.
fn follows(name: &str, least: usize) {
    let Some(steps) = recording(name) else {
        println!("skipped: no recordings");
        return;
    };
    let mut world = World::default();
    let start = &steps[0]["accounts"];
    for (_, account) in start.as_object().unwrap() {
        let key_type = account["key_type"].as_str().unwrap().parse().unwrap();
        let seed: Seed = account["seed"].as_str().unwrap().parse().unwrap();
        let key = KeyPair::from_seed(&seed.with_key_type(key_type));
        world.accounts.add(Account::new(key, Role::User, 5));
    }
    let genesis =
        world.accounts.find("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh".parse().unwrap()).unwrap();
    world.accounts[genesis].xrp.balance = 100_000_000_000_000_000;
    let mut known = BTreeSet::new();
    let mut compared = 0;
    for (index, step) in (1..).zip(steps.iter().filter(|step| step["step"] == "accept")) {
        let mut transactions =
            step["ledger"]["ledger"]["transactions"].as_array().cloned().unwrap_or_default();
        transactions.sort_by_key(|tx| tx["metaData"]["TransactionIndex"].as_u64());
        for tx in transactions {
            let metadata = Metadata::parse(&tx["metaData"].to_string()).unwrap();
            // Every pair of currency and account is an asset here.
            for node in metadata.nodes("RippleState") {
                for side in ["LowLimit", "HighLimit"] {
                    let limit = Amount::from_json(&node.fields[side]).unwrap();
                    let Issue::Issued { currency, issuer } = limit.issue() else { unreachable!() };
                    if let Some(gateway) = world.accounts.find(issuer)
                        && known.insert((currency, issuer))
                    {
                        world.assets.push(Asset { currency, issuer, gateway });
                    }
                }
            }
            world.learn(&metadata, LedgerIndex(index));
            compared += compare(&world, &metadata);
        }
    }
    assert!(compared >= least, "only {compared} compared");
}

fn compare(world: &World, metadata: &Metadata) -> usize {
    let mut compared = 0;
    for node in metadata.nodes("AccountRoot").filter(|node| node.change != Change::Deleted) {
        let Some(index) = world.accounts.find(node.account("Account").unwrap()) else { continue };
        let xrp = &world.accounts[index].xrp;
        assert_eq!(xrp.balance.to_string(), node.fields["Balance"], "{}", world.accounts[index].id);
        let owners = node.fields.get("OwnerCount").and_then(Json::as_u64).unwrap_or(0);
        assert_eq!(u64::from(xrp.owners), owners);
        compared += 1;
    }
    for node in metadata.nodes("RippleState") {
        let side = |name: &str| Amount::from_json(&node.fields[name]).unwrap();
        let (low, high) = (side("LowLimit"), side("HighLimit"));
        let balance = side("Balance").value().unwrap();
        for (holder, other, balance) in [(low, high, balance), (high, low, balance.negated())] {
            let (Issue::Issued { issuer: holder, .. }, Issue::Issued { currency, issuer }) =
                (holder.issue(), other.issue())
            else {
                unreachable!()
            };
            let (Some(index), Some(asset)) =
                (world.accounts.find(holder), world.asset(currency, issuer))
            else {
                continue;
            };
            let line = world.accounts[index].lines.get(asset).unwrap();
            assert_eq!(line.balance, balance);
            assert_eq!(line.exists, node.change != Change::Deleted);
            compared += 1;
        }
    }
    compared
}

#[test]
fn balances_and_trust_lines_follow_recorded_metadata() {
    follows("trust_iou", 200);
    follows("payment_xrp", 200);
}

#[test]
fn tickets_follow_recorded_metadata() {
    follows("tickets", 100);
}

#[test]
fn created_tickets_come_to_their_owners_lane() {
    let mut world = world();
    let owner = world.accounts[0].id;
    let ticket = |n: u32| {
        serde_json::json!({"CreatedNode": {"LedgerEntryType": "Ticket", "LedgerIndex": "00",
            "NewFields": {"Account": owner.to_string(), "TicketSequence": n}}})
    };
    let metadata = serde_json::json!({"AffectedNodes": [ticket(8), ticket(9)]}).to_string();
    world.learn(&Metadata::parse(&metadata).unwrap(), LedgerIndex(9));
    assert_eq!(world.accounts[0].lane.free_tickets(), 2);
}

#[test]
fn what_a_delegate_pays_and_what_others_may_lose_is_set_aside_of_them() {
    let mut fees = Fees::new(crate::FeeStrategy::Base, 0);
    fees.set_ledger(10, 10_000_000, 2_000_000);
    let mut world = world();
    let id = Hash256([7; 32]);
    let others = OthersXrp { account: 2, drops: 5_000_000, owners: 1 };
    let mut holds = Holds { payer: Some(1), xrp: 1_000, ..Holds::fee(10) };
    holds.others.push(others);
    holds.objects.push(id);
    world.reserve(0, &holds);
    // A replacement of it holds the same.
    world.reserve(0, &holds);
    world.release(0, &holds);
    let spendable = |world: &World, n: Index| world.accounts[n].xrp.spendable(&fees);
    assert_eq!([0, 1, 2].map(|n| spendable(&world, n)), [39_999_000, 39_999_990, 33_000_000]);
    assert!(world.objects.is_held(id));
    world.release(0, &holds);
    assert!(!world.objects.is_held(id));
    world.apply(0, &holds, true);
    assert_eq!(
        [0, 1].map(|n| world.accounts[n].xrp.balance),
        [49_999_000, 49_999_990],
        "the delegate pays the fee"
    );
}

/// Several nodes and readings tell of the same transaction: it counts once, and an account that sends
/// already does not begin anew.
#[test]
fn what_is_told_twice_is_learnt_once() {
    let mut world = world();
    let id = world.accounts[1].id.to_string();
    let node = serde_json::json!({"TransactionIndex": 3, "AffectedNodes": [{"CreatedNode": {
        "LedgerEntryType": "AccountRoot", "LedgerIndex": "00",
        "NewFields": {"Account": id, "Balance": "77", "Sequence": 9}}}]});
    let metadata = Metadata::parse(&node.to_string()).unwrap();
    let before = world.accounts[1].xrp.balance;
    assert_eq!(world.learn(&metadata, LedgerIndex(9)).as_slice(), [1]);
    world.accounts[1].lane.take(1).unwrap();
    assert!(world.learn(&metadata, LedgerIndex(9)).is_empty());
    let account = &world.accounts[1];
    assert_eq!((account.xrp.balance, account.lane.next()), (before + 77, Sequence(10)));
}

#[test]
fn a_new_account_begins_at_the_sequence_that_its_metadata_show() {
    let mut world = world();
    let id = world.accounts[1].id.to_string();
    let node = serde_json::json!({"AffectedNodes": [{"CreatedNode": {
        "LedgerEntryType": "AccountRoot", "LedgerIndex": "00",
        "NewFields": {"Account": id, "Balance": "77", "Sequence": 9}}}]});
    assert!(!world.accounts[1].active);
    world.learn(&Metadata::parse(&node.to_string()).unwrap(), LedgerIndex(9));
    let account = &world.accounts[1];
    assert!(account.active);
    assert_eq!((account.lane.next(), account.lane.max_pending()), (Sequence(9), 5));
}

#[test]
fn odd_metadata_is_no_panic() {
    for text in [
        "{}",
        r#"{"AffectedNodes": []}"#,
        r#"{"AffectedNodes": [{"ModifiedNode": {"LedgerEntryType": "RippleState"}}]}"#,
        r#"{"AffectedNodes": [{"CreatedNode": {"LedgerEntryType": "RippleState", "NewFields": {"LowLimit": 3}}}]}"#,
        r#"{"AffectedNodes": [{"CreatedNode": {"LedgerEntryType": "AccountRoot", "NewFields": {"Account": 3}}}]}"#,
        r#"{"AffectedNodes": [{"CreatedNode": {"LedgerEntryType": "Ticket", "NewFields": {"TicketSequence": "x"}}}]}"#,
    ] {
        let metadata = Metadata::parse(text).unwrap();
        let mut world = world();
        world.learn(&metadata, LedgerIndex(9));
    }
    assert!(Metadata::parse("7").is_err());
}

/// An account that is deleted and created anew begins anew, in whichever order that is told.
#[test]
fn a_deleted_account_is_another_one_when_it_is_created_anew() {
    let node = |kind: &str, fields: &str, sequence: u32, balance: &str| {
        let id = world().accounts[1].id.to_string();
        let node = serde_json::json!({"TransactionIndex": 0, "AffectedNodes": [{kind: {
            "LedgerEntryType": "AccountRoot", "LedgerIndex": "00",
            fields: {"Account": id, "Balance": balance, "Sequence": sequence}}}]});
        Metadata::parse(&node.to_string()).unwrap()
    };
    for in_order in [true, false] {
        let mut world = world();
        world.accounts[1].xrp.balance = 0;
        world.learn(&node("CreatedNode", "NewFields", 9, "70"), LedgerIndex(9));
        let mut told = [
            (node("DeletedNode", "FinalFields", 10, "0"), LedgerIndex(300)),
            (node("CreatedNode", "NewFields", 301, "50"), LedgerIndex(301)),
        ];
        if !in_order {
            told.reverse();
        }
        told.iter().for_each(|(metadata, ledger)| drop(world.learn(metadata, *ledger)));
        let account = &world.accounts[1];
        let is = (account.active, account.xrp.balance, account.lane.next());
        assert_eq!(is, (true, 50, Sequence(301)), "{in_order}");
    }
}
