use std::collections::BTreeSet;

use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use xrpl_protocol::{AccountId, keys::KeyType, sign::verify_as, transaction::Common};

use super::*;
use crate::{
    accounts::Account,
    fees::{FeeStrategy, Fees},
    plan::Authorization,
    signing::signed,
    world::World,
};

/// Code of the pseudo-transaction whose account the binary form leaves out.
const UNL_MODIFY: u16 = 102;

fn world() -> World {
    let mut world = World::default();
    world.close_time = 800_000_000;
    for n in 0..5 {
        let index = world.accounts.add(Account::fuzzer("draw", n, KeyType::Ed25519));
        world.accounts[index].active = true;
    }
    world
}

fn with_planner<T>(seed: u64, of: impl FnOnce(&mut Planner<'_>) -> T) -> T {
    let (world, fees) = (world(), Fees::new(FeeStrategy::Base, 1_000));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    of(&mut Planner { world: &world, fees: &fees, sender: 0, rng: &mut rng })
}

/// A drawn transaction of a type as it goes out: its object and its bytes.
fn drawn(seed: u64, name: &str, definitions: &Definitions) -> (Object, Vec<u8>) {
    let code = definitions.transaction_type(name).unwrap();
    with_planner(seed, |planner| {
        let plan = Draw::of_any_temper(planner, definitions).plan(name, code);
        let crate::plan::Body::Fields(body) = plan.body else { panic!("fields are drawn") };
        let account = &planner.world.accounts[0];
        let common = Common {
            account: account.id,
            slot: Slot::Sequence(Sequence(7)),
            fee: xrpl_protocol::Drops(10),
            flags: plan.flags,
            last_ledger: Some(xrpl_protocol::LedgerIndex(9)),
            network_id: None,
            source_tag: Some(1),
        };
        let (accounts, own) = (&planner.world.accounts, Authorization::Own);
        let made = crate::plan::Body::Fields(body.clone());
        let signed = signed(accounts, 0, made, &own, &common, &[], definitions);
        (body, signed.blob)
    })
}

/// What was drawn is read again as it was, is properly signed, and can be shown.
fn is_read_again(seed: u64, name: &str, definitions: &Definitions) -> Result<(), TestCaseError> {
    let (body, blob) = drawn(seed, name, definitions);
    let read = Object::decode(&blob, definitions);
    let read = read.map_err(|error| TestCaseError::fail(format!("{name}: {error} {body:?}")))?;
    for (field, value) in body.iter() {
        // Whoever signs puts in his own, and a counterparty of the run's signs too.
        if !OF_SIGNING.contains(&field) && field != fields::COUNTERPARTY_SIGNATURE {
            prop_assert_eq!(read.get(field), Some(value), "{} {:?}", name, field);
        }
    }
    prop_assert_eq!(read.encode(), blob);
    prop_assert!(verify_as(&read, definitions).is_ok(), "{}", name);
    let unl = read.u16(fields::TRANSACTION_TYPE) == Some(UNL_MODIFY);
    let account = read.account(fields::ACCOUNT);
    prop_assert_eq!(account == Some(AccountId::ZERO), unl, "{}", name);
    prop_assert!(read.to_json(definitions).is_object());
    Ok(())
}

fn names(definitions: &Definitions) -> BTreeSet<&str> {
    definitions.transaction_types().filter(|(_, code)| *code >= 0).map(|(name, _)| name).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_type_can_be_drawn_written_and_read_again(seed: u64) {
        let definitions = Definitions::builtin();
        for name in names(definitions) {
            is_read_again(seed, name, definitions)?;
        }
    }
}

#[test]
fn a_type_of_a_newer_node_is_drawn_from_its_format() {
    let mut json = Definitions::builtin_json().clone();
    let field = |nth: u32, kind: &str, signed: bool| {
        serde_json::json!({"isSerialized": true, "isSigningField": signed, "isVLEncoded": false,
            "nth": nth, "type": kind})
    };
    for (name, info) in [
        ("Colours", field(200, "STArray", true)),
        ("Colour", field(201, "STObject", true)),
        ("Proof", field(202, "Blob", false)),
    ] {
        json["FIELDS"].as_array_mut().unwrap().push(serde_json::json!([name, info]));
    }
    json["TRANSACTION_TYPES"]["Paint"] = 300.into();
    json["TRANSACTION_FORMATS"]["Paint"] = serde_json::json!([
        {"name": "Colours", "optionality": 0}, {"name": "Proof", "optionality": 0},
    ]);
    let definitions = Definitions::from_json(&json).unwrap();
    let colour = definitions.field("Colour").unwrap();
    let mut of_its_own = 0;
    for seed in 0..200 {
        is_read_again(seed, "Paint", &definitions).unwrap();
        let (body, _) = drawn(seed, "Paint", &definitions);
        let colours = body.array(definitions.field("Colours").unwrap());
        of_its_own +=
            colours.iter().flat_map(|all| all.iter()).filter(|(f, _)| *f == colour).count();
    }
    assert!(of_its_own > 100, "{of_its_own}");
}

#[test]
fn required_fields_are_there_and_optional_ones_sometimes() {
    let definitions = Definitions::builtin();
    let (mut with, mut without, mut lacking) = (0, 0, 0);
    for seed in 0..400 {
        let (body, _) = drawn(seed, "Payment", definitions);
        match body.contains(fields::SEND_MAX) {
            true => with += 1,
            false => without += 1,
        }
        lacking += u32::from(!body.contains(fields::DESTINATION));
    }
    assert!(with > 40 && without > 40, "{with} {without}");
    assert!(lacking < 20, "{lacking}");
}

#[test]
fn the_seed_repeats_it() {
    let definitions = Definitions::builtin();
    for name in names(definitions) {
        assert_eq!(drawn(5, name, definitions), drawn(5, name, definitions));
    }
    let several: BTreeSet<_> = (0..50).map(|seed| drawn(seed, "Payment", definitions).1).collect();
    assert!(several.len() > 45);
}
