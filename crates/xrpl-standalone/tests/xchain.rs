//! Bridges where no recording shows them: several witnesses, new accounts in their order.

mod bed;

use bed::{Bed, genesis, key};
use xrpl_protocol::{
    AccountId, Amount, EngineResult, Field, Issue, Object, Value, fields, keys::KeyPair,
    object::XChainBridge, object_id,
};
use xrpl_standalone::ledger::ReadView;

const SIGNER_LIST_SET: u16 = 12;
const CREATE_CLAIM_ID: u16 = 41;
const COMMIT: u16 = 42;
const CLAIM: u16 = 43;
const ACCOUNT_CREATE_COMMIT: u16 = 44;
const ADD_CLAIM_ATTESTATION: u16 = 45;
const ADD_ACCOUNT_CREATE_ATTESTATION: u16 = 46;
const CREATE_BRIDGE: u16 = 48;

const OK: EngineResult = EngineResult::TES_SUCCESS;
const REWARD: i64 = 101;
/// Who commits on the other chain.
const SENDER: AccountId = AccountId([7; 20]);

fn door() -> KeyPair {
    key(1)
}

fn witnesses() -> [KeyPair; 3] {
    [key(2), key(3), key(4)]
}

fn bridge() -> XChainBridge {
    XChainBridge {
        locking_door: door().account_id(),
        locking_issue: Issue::Xrp,
        issuing_door: genesis().account_id(),
        issuing_issue: Issue::Xrp,
    }
}

struct World {
    bed: Bed,
}

impl World {
    /// A bridge of XRP, whose door has three witnesses of which two must agree.
    fn new() -> Self {
        let mut this = Self { bed: Bed::funded(6) };
        let mut entries: Vec<_> = witnesses().iter().map(KeyPair::account_id).collect();
        entries.sort_unstable();
        let entries = entries.into_iter().map(|account| {
            let entry = Object::new()
                .with(fields::ACCOUNT, account)
                .with(fields::SIGNER_WEIGHT, Value::UInt16(1));
            (fields::SIGNER_ENTRY, entry)
        });
        let mut list = this.bed.of(SIGNER_LIST_SET, &door()).with(fields::SIGNER_QUORUM, 2u32);
        list.set(fields::SIGNER_ENTRIES, Value::Array(entries.collect()));
        assert_eq!(this.bed.sign_and_submit(list, &door()), OK);
        let created = this
            .of(CREATE_BRIDGE, &door())
            .with(fields::SIGNATURE_REWARD, Amount::Xrp(REWARD))
            .with(fields::MIN_ACCOUNT_CREATE_AMOUNT, Amount::Xrp(20_000_000));
        assert_eq!(this.bed.sign_and_submit(created, &door()), OK);
        this.bed.close();
        this
    }

    fn of(&self, kind: u16, key: &KeyPair) -> Object {
        let bridge = Value::XChainBridge(Box::new(bridge()));
        self.bed.of(kind, key).with(fields::X_CHAIN_BRIDGE, bridge)
    }

    fn claim_id(&mut self, owner: &KeyPair) {
        let tx = self
            .of(CREATE_CLAIM_ID, owner)
            .with(fields::SIGNATURE_REWARD, Amount::Xrp(REWARD))
            .with(fields::OTHER_CHAIN_SOURCE, SENDER);
        assert_eq!(self.bed.sign_and_submit(tx, owner), OK);
    }

    fn owner_count(&self, account: AccountId) -> u32 {
        let root = self.bed.node.current().account(account).unwrap();
        root.u32(fields::OWNER_COUNT).unwrap()
    }
}

/// Attests that so many drops were committed on the other chain.
struct Attest {
    kind: u16,
    number: u64,
    drops: i64,
    to: Option<AccountId>,
    sender: AccountId,
    was_locking: bool,
    signer: Option<AccountId>,
}

impl Attest {
    fn claim(drops: i64, to: Option<AccountId>) -> Self {
        let kind = ADD_CLAIM_ATTESTATION;
        Self { kind, number: 1, drops, to, sender: SENDER, was_locking: false, signer: None }
    }

    fn account(number: u64, drops: i64, to: AccountId) -> Self {
        let kind = ADD_ACCOUNT_CREATE_ATTESTATION;
        Self { kind, number, ..Self { kind, ..Self::claim(drops, Some(to)) } }
    }

    fn by(&self, world: &mut World, witness: &KeyPair) -> EngineResult {
        let creates = self.kind == ADD_ACCOUNT_CREATE_ATTESTATION;
        let number: Field = match creates {
            true => fields::X_CHAIN_ACCOUNT_CREATE_COUNT,
            false => fields::X_CHAIN_CLAIM_ID,
        };
        let attested = |object: Object| {
            let mut object = object
                .with(number, self.number)
                .with(fields::AMOUNT, Amount::Xrp(self.drops))
                .with(fields::OTHER_CHAIN_SOURCE, self.sender)
                .with(fields::ATTESTATION_REWARD_ACCOUNT, witness.account_id())
                .with(fields::WAS_LOCKING_CHAIN_SEND, Value::UInt8(self.was_locking.into()));
            if let Some(to) = self.to {
                object.set(fields::DESTINATION, to.into());
            }
            if creates {
                object.set(fields::SIGNATURE_REWARD, Amount::Xrp(REWARD).into());
            }
            object
        };
        let bridge = Value::XChainBridge(Box::new(bridge()));
        let message = attested(Object::new()).with(fields::X_CHAIN_BRIDGE, bridge).encode();
        let signature = witness.sign(&message).as_bytes().to_vec();
        let signer = self.signer.unwrap_or_else(|| witness.account_id());
        // Anybody may bring it.
        let carrier = key(5);
        let tx = attested(world.of(self.kind, &carrier))
            .with(fields::ATTESTATION_SIGNER_ACCOUNT, signer)
            .with(fields::PUBLIC_KEY, witness.public_key().0.to_vec())
            .with(fields::SIGNATURE, signature);
        world.bed.sign_and_submit(tx, &carrier)
    }
}

#[test]
fn a_claim_is_paid_once_enough_witnesses_agree() {
    let mut world = World::new();
    let (owner, to) = (key(6), key(5).account_id());
    world.claim_id(&owner);
    assert_eq!(world.owner_count(owner.account_id()), 1);
    let [a, b, c] = witnesses();
    let attest = Attest::claim(5_000_000, Some(to));
    let door_had = world.bed.balance(door().account_id());
    assert_eq!(attest.by(&mut world, &a), OK);
    // The same one again counts once, and another amount for itself.
    assert_eq!(attest.by(&mut world, &a), OK);
    assert_eq!(Attest::claim(4_000_000, Some(to)).by(&mut world, &b), OK);
    assert_eq!(world.bed.balance(door().account_id()), door_had);
    let (owner_had, c_had) =
        (world.bed.balance(owner.account_id()), world.bed.balance(c.account_id()));
    assert_eq!(attest.by(&mut world, &c), OK);
    assert_eq!(world.bed.balance(door().account_id()), door_had - 5_000_000);
    // The owner pays the reward, in equal whole parts.
    assert_eq!(world.bed.balance(c.account_id()), c_had + REWARD / 2);
    assert_eq!(world.bed.balance(owner.account_id()), owner_had - REWARD / 2 * 2);
    assert_eq!(world.owner_count(owner.account_id()), 0);
    assert_eq!(attest.by(&mut world, &a), EngineResult::TEC_XCHAIN_NO_CLAIM_ID);
    world.bed.close();
    let key = object_id::xchain_claim_id(&bridge(), 1);
    assert!(world.bed.node.closed().read(&key).is_none());
}

#[test]
fn whoever_claims_says_where_it_goes() {
    let mut world = World::new();
    let owner = key(6);
    world.claim_id(&owner);
    let [a, b, _] = witnesses();
    let attest = Attest::claim(5_000_000, None);
    let claim = |world: &World, drops| {
        world
            .of(CLAIM, &owner)
            .with(fields::X_CHAIN_CLAIM_ID, 1u64)
            .with(fields::AMOUNT, Amount::Xrp(drops))
            .with(fields::DESTINATION, key(3).account_id())
    };
    assert_eq!(attest.by(&mut world, &a), OK);
    let early = claim(&world, 5_000_000);
    let no_quorum = EngineResult::TEC_XCHAIN_CLAIM_NO_QUORUM;
    assert_eq!(world.bed.sign_and_submit(early, &owner), no_quorum);
    assert_eq!(attest.by(&mut world, &b), OK);
    let other = claim(&world, 5_000_001);
    assert_eq!(world.bed.sign_and_submit(other, &owner), no_quorum);
    let had = world.bed.balance(key(3).account_id());
    let right = claim(&world, 5_000_000);
    assert_eq!(world.bed.sign_and_submit(right, &owner), OK);
    // A witness itself, it gets its reward too.
    assert_eq!(world.bed.balance(key(3).account_id()), had + 5_000_000 + REWARD / 2);
    let again = claim(&world, 5_000_000);
    let result = world.bed.sign_and_submit(again, &owner);
    assert_eq!(result, EngineResult::TEC_XCHAIN_NO_CLAIM_ID);
}

#[test]
fn new_accounts_come_in_their_order() {
    let mut world = World::new();
    let [a, b, _] = witnesses();
    let (first, second) = (AccountId([21; 20]), AccountId([22; 20]));
    let later = Attest::account(2, 30_000_000, second);
    assert_eq!(later.by(&mut world, &a), OK);
    // Agreed, but it is not its turn: the door keeps it.
    assert_eq!(later.by(&mut world, &b), OK);
    assert!(world.bed.node.current().account(second).is_none());
    assert_eq!(world.owner_count(door().account_id()), 3);
    let now = Attest::account(1, 40_000_000, first);
    assert_eq!(now.by(&mut world, &a), OK);
    assert_eq!(now.by(&mut world, &b), OK);
    assert_eq!(world.bed.balance(first), 40_000_000);
    let past = EngineResult::TEC_XCHAIN_ACCOUNT_CREATE_PAST;
    assert_eq!(now.by(&mut world, &b), past);
    assert_eq!(later.by(&mut world, &b), OK);
    assert_eq!(world.bed.balance(second), 30_000_000);
    // The bridge, and the list of witnesses.
    assert_eq!(world.owner_count(door().account_id()), 2);
    let far = Attest::account(2 + 128, 30_000_000, second);
    assert_eq!(far.by(&mut world, &a), EngineResult::TEC_XCHAIN_ACCOUNT_CREATE_TOO_MANY);
    world.bed.close();
}

#[test]
fn attestations_of_others_do_not_count() {
    let mut world = World::new();
    world.claim_id(&key(6));
    let [a, b, _] = witnesses();
    let to = Some(key(5).account_id());
    let by_stranger = Attest::claim(5, to).by(&mut world, &key(6));
    assert_eq!(by_stranger, EngineResult::TEC_NO_PERMISSION);
    let for_another = Attest { signer: Some(b.account_id()), ..Attest::claim(5, to) };
    let pair = EngineResult::TEC_XCHAIN_BAD_PUBLIC_KEY_ACCOUNT_PAIR;
    assert_eq!(for_another.by(&mut world, &a), pair);
    let of_another = Attest { sender: AccountId([8; 20]), ..Attest::claim(5, to) };
    let mismatch = EngineResult::TEC_XCHAIN_SENDING_ACCOUNT_MISMATCH;
    assert_eq!(of_another.by(&mut world, &a), mismatch);
    let wrong_way = Attest { was_locking: true, ..Attest::claim(5, to) };
    assert_eq!(wrong_way.by(&mut world, &a), EngineResult::TEC_XCHAIN_WRONG_CHAIN);
}

#[test]
fn what_is_committed_goes_to_the_door() {
    let mut world = World::new();
    let sender = key(6);
    let had = world.bed.balance(door().account_id());
    let commit = world
        .of(COMMIT, &sender)
        .with(fields::X_CHAIN_CLAIM_ID, 1u64)
        .with(fields::AMOUNT, Amount::Xrp(5_000_000));
    assert_eq!(world.bed.sign_and_submit(commit, &sender), OK);
    let create = |world: &World, drops| {
        world
            .of(ACCOUNT_CREATE_COMMIT, &sender)
            .with(fields::DESTINATION, AccountId([21; 20]))
            .with(fields::AMOUNT, Amount::Xrp(drops))
            .with(fields::SIGNATURE_REWARD, Amount::Xrp(REWARD))
    };
    let little = create(&world, 19_999_999);
    let result = world.bed.sign_and_submit(little, &sender);
    assert_eq!(result, EngineResult::TEC_XCHAIN_INSUFF_CREATE_AMOUNT);
    let enough = create(&world, 20_000_000);
    assert_eq!(world.bed.sign_and_submit(enough, &sender), OK);
    let all = had + 5_000_000 + 20_000_000 + REWARD;
    assert_eq!(world.bed.balance(door().account_id()), all);
    world.bed.close();
    let key = object_id::bridge(door().account_id(), xrpl_protocol::Currency::XRP);
    let entry = world.bed.node.closed().read(&key).unwrap();
    assert_eq!(entry.u64(fields::X_CHAIN_ACCOUNT_CREATE_COUNT), Some(1));
}
