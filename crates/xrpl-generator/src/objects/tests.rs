use serde_json::json;
use xrpl_protocol::{
    LedgerIndex,
    keys::{KeyPair, KeyType, Seed},
};

use super::*;
use crate::{
    accounts::{Account, Role},
    metadata::Metadata,
};

fn accounts() -> Accounts {
    let mut accounts = Accounts::default();
    for n in 0..3 {
        let seed = Seed::from_entropy([n; 16], KeyType::Ed25519);
        accounts.add(Account::new(KeyPair::from_seed(&seed), Role::User, 5));
    }
    accounts
}

const ID: &str = "00000000000000000000000000000000000000000000000000000000000000AB";

fn learn(objects: &mut Objects, accounts: &Accounts, nodes: Json) -> Vec<Index> {
    learn_at(objects, accounts, nodes, 0)
}

fn learn_at(objects: &mut Objects, accounts: &Accounts, nodes: Json, place: u32) -> Vec<Index> {
    let metadata = json!({"AffectedNodes": nodes, "TransactionIndex": place}).to_string();
    let metadata = Metadata::parse(&metadata).unwrap();
    let as_of = metadata.moment(LedgerIndex(7));
    metadata
        .all()
        .filter_map(|node| objects.learn(&node, as_of, accounts))
        .flat_map(|(owner, toward)| owner.into_iter().chain(toward))
        .collect()
}

/// An escrow that a stranger cancels, an offer that somebody crosses: metadata of whoever's
/// transaction make, change and remove what concerns the run's accounts.
#[test]
fn entries_come_change_and_go_by_whoevers_metadata() {
    let accounts = accounts();
    let mut objects = Objects::default();
    let (from, to) = (accounts[0].id.to_string(), accounts[1].id.to_string());
    let fields = json!({"Account": from, "Destination": to, "Amount": "5"});
    let node = |fields: &Json| json!({"LedgerEntryType": "Escrow", "LedgerIndex": ID, "NewFields": fields, "FinalFields": fields});
    let made = learn(&mut objects, &accounts, json!([{"CreatedNode": node(&fields)}]));
    assert_eq!(made, [0, 1]);
    let id: Hash256 = ID.parse().unwrap();
    assert_eq!(objects.owned(Kind::Escrow, 0).map(|e| e.id).collect::<Vec<_>>(), [id]);
    assert_eq!(objects.toward(Kind::Escrow, 1).map(|e| e.id).collect::<Vec<_>>(), [id]);
    assert_eq!(objects.owned(Kind::Escrow, 1).count(), 0);
    assert_eq!(objects.get(id).unwrap().amount(fields::AMOUNT), Some(Amount::Xrp(5)));
    let changed = json!({"Account": from, "Destination": to, "Amount": "4"});
    learn(&mut objects, &accounts, json!([{"ModifiedNode": node(&changed)}]));
    assert_eq!(objects.get(id).unwrap().amount(fields::AMOUNT), Some(Amount::Xrp(4)));
    assert_eq!(objects.count(Kind::Escrow), 1, "the same one");
    assert_eq!(learn(&mut objects, &accounts, json!([{"DeletedNode": node(&changed)}])), [0, 1]);
    assert_eq!((objects.count(Kind::Escrow), objects.owned(Kind::Escrow, 0).count()), (0, 0));
    // Of strangers alone nothing is kept.
    let strangers = json!({"Account": AccountId([9; 20]).to_string(), "Amount": "5"});
    learn(&mut objects, &accounts, json!([{"CreatedNode": node(&strangers)}]));
    assert_eq!(objects.count(Kind::Escrow), 0);
}

#[test]
fn owners_that_no_field_names_are_found_by_the_id() {
    let accounts = accounts();
    let mut objects = Objects::default();
    let list = xrpl_protocol::object_id::signer_list(accounts[2].id);
    let mut page = [0xff; 32];
    page[..20].copy_from_slice(&accounts[1].id.0);
    let mut token = [0u8; 32];
    token[1] = 8;
    token[4..24].copy_from_slice(&accounts[0].id.0);
    let tokens = json!([{"NFToken": {"NFTokenID": Hash256(token).to_string()}}]);
    let nodes = json!([
        {"CreatedNode": {"LedgerEntryType": "SignerList", "LedgerIndex": list.to_string(), "NewFields": {"SignerQuorum": 2}}},
        {"CreatedNode": {"LedgerEntryType": "NFTokenPage", "LedgerIndex": Hash256(page).to_string(), "NewFields": {"NFTokens": tokens}}},
    ]);
    assert_eq!(learn(&mut objects, &accounts, nodes), [2, 1]);
    assert_eq!(objects.owned(Kind::SignerList, 2).count(), 1);
    let nft = objects.owned(Kind::NftPage, 1).flat_map(Entry::nfts).next().unwrap();
    assert_eq!((nft.flags(), nft.issuer()), (8, accounts[0].id));
}

/// Outcomes of one ledger come in any order: the ledger's own order decides what there is.
#[test]
fn what_is_told_late_changes_nothing_that_came_after() {
    let accounts = accounts();
    let mut objects = Objects::default();
    let from = accounts[0].id.to_string();
    let node = |amount: &str| {
        let fields = json!({"Account": from, "Amount": amount});
        json!({"LedgerEntryType": "Escrow", "LedgerIndex": ID, "NewFields": fields, "FinalFields": fields})
    };
    let id: Hash256 = ID.parse().unwrap();
    learn_at(&mut objects, &accounts, json!([{"ModifiedNode": node("3")}]), 5);
    learn_at(&mut objects, &accounts, json!([{"CreatedNode": node("2")}]), 4);
    assert_eq!(objects.get(id).unwrap().amount(fields::AMOUNT), Some(Amount::Xrp(3)));
    learn_at(&mut objects, &accounts, json!([{"DeletedNode": node("3")}]), 7);
    learn_at(&mut objects, &accounts, json!([{"ModifiedNode": node("4")}]), 6);
    assert!(objects.get(id).is_none(), "it is gone");
    learn_at(&mut objects, &accounts, json!([{"CreatedNode": node("9")}]), 8);
    assert!(objects.get(id).is_some(), "another one of the same id");
    learn_at(&mut objects, &accounts, json!([{"CreatedNode": node("5")}]), 12);
    learn_at(&mut objects, &accounts, json!([{"DeletedNode": node("9")}]), 11);
    let amount = objects.get(id).and_then(|entry| entry.amount(fields::AMOUNT));
    assert_eq!(amount, Some(Amount::Xrp(5)), "the removal of the one before it is reported later");
}
