//! What the entries of bridges and claims say, and how witnesses attest.
//!
//! This network is the locking chain of the bridges that carry something: their other end is where its
//! doors must be, at the genesis account of a chain that there need not be. What was committed there is
//! the witnesses' word, who are the door's signers and accounts of the run.

use smallvec::SmallVec;
use xrpl_protocol::{
    AccountId, Amount, Field, Hash256, Issue, Object, Value,
    fields::{
        self, ACCOUNT, AMOUNT, ATTESTATION_REWARD_ACCOUNT, ATTESTATION_SIGNER_ACCOUNT, DESTINATION,
        MIN_ACCOUNT_CREATE_AMOUNT, OTHER_CHAIN_SOURCE, PUBLIC_KEY, SIGNATURE, SIGNATURE_REWARD,
        WAS_LOCKING_CHAIN_SEND, X_CHAIN_ACCOUNT_CREATE_COUNT, X_CHAIN_BRIDGE, X_CHAIN_CLAIM_ID,
    },
    object::XChainBridge,
    object_id,
};

use crate::{
    accounts::Index,
    mutation::Mutation,
    objects::{Entry, Kind},
    plan::{Plan, Wait},
    planner::Planner,
    world::World,
};

/// The account that owns all XRP of a new chain, and must be the door of what issues XRP: that of the
/// passphrase `masterpassphrase`.
pub(super) const GENESIS: AccountId = AccountId([
    0xb5, 0xf7, 0x62, 0x79, 0x8a, 0x53, 0xd5, 0x43, 0xa0, 0x14, 0xca, 0xf8, 0xb2, 0x97, 0xcf, 0xf8,
    0xf2, 0xf9, 0x37, 0xe8,
]);

/// A bridge whose door on this chain is one of the run's accounts and locks up XRP.
pub(super) struct Bridge<'a> {
    pub(super) entry: &'a Entry,
    pub(super) spec: XChainBridge,
    pub(super) door: Index,
    /// What the witnesses of a claim get, drops.
    pub(super) reward: u64,
    /// What is committed at least to create an account, drops; none if that is not possible.
    pub(super) least: Option<u64>,
}

/// The bridge that an entry names.
pub(super) fn spec(entry: &Entry) -> Option<XChainBridge> {
    match entry.fields.get(X_CHAIN_BRIDGE)? {
        Value::XChainBridge(spec) => Some(**spec),
        _ => None,
    }
}

fn drops_of(entry: &Entry, field: Field) -> Option<u64> {
    u64::try_from(entry.amount(field)?.drops()?).ok()
}

impl<'a> Bridge<'a> {
    fn of(entry: &'a Entry) -> Option<Self> {
        let (spec, door) = (spec(entry)?, entry.owner?);
        let locks = spec.locking_issue == Issue::Xrp
            && entry.account(fields::ACCOUNT) == Some(spec.locking_door);
        let least = drops_of(entry, MIN_ACCOUNT_CREATE_AMOUNT);
        // Metadata leave out a reward of nothing.
        let reward = drops_of(entry, SIGNATURE_REWARD).unwrap_or(0);
        locks.then_some(Self { entry, spec, door, reward, least })
    }

    /// One that fits, and that nothing in flight uses.
    pub(super) fn any(
        planner: &mut Planner<'a>,
        fits: impl Fn(&Bridge<'_>) -> bool,
    ) -> Result<Self, Wait> {
        let fits = |entry: &Entry| Bridge::of(entry).is_some_and(|bridge| fits(&bridge));
        let entry =
            planner.any(Kind::Bridge, fits).map_err(|_| Wait::First("XChainCreateBridge"))?;
        Self::of(entry).ok_or(Wait::Object(Kind::Bridge))
    }

    /// That of a claim.
    pub(super) fn of_claim(world: &'a World, claim: &Entry) -> Option<Self> {
        let spec = spec(claim)?;
        let door = object_id::bridge(spec.locking_door, xrpl_protocol::Currency::XRP);
        Self::of(world.objects.get(door)?).filter(|bridge| bridge.spec == spec)
    }

    /// A plan that names it.
    pub(super) fn plan(&self, transaction_type: &str) -> Plan {
        with_bridge(Plan::new(transaction_type), self.spec)
    }

    /// Its witnesses, how many must agree, and the entry that says so; none if nobody can attest now.
    pub(super) fn witnesses(&self, world: &World) -> Option<Witnesses> {
        let list = object_id::signer_list(world.accounts[self.door].id);
        if world.objects.is_held(list) {
            return None;
        }
        let entry = world.objects.get(list)?;
        let signers = entry.fields.array(fields::SIGNER_ENTRIES)?.iter();
        let accounts = signers.map(|(_, signer)| world.accounts.find(signer.account(ACCOUNT)?));
        let quorum = usize::try_from(entry.number(fields::SIGNER_QUORUM)?).ok()?;
        Some(Witnesses { list, accounts: accounts.collect::<Option<_>>()?, quorum })
    }
}

/// Who attests for a bridge.
pub(super) struct Witnesses {
    /// The signer list that names them.
    pub(super) list: Hash256,
    pub(super) accounts: SmallVec<[Index; 3]>,
    /// Each has a weight of one.
    pub(super) quorum: usize,
}

/// What is attested of a claim or of a new account so far, by those who are witnesses still.
pub(super) struct Attested {
    pub(super) by: SmallVec<[Index; 3]>,
    pub(super) amount: Option<Amount>,
    pub(super) destination: Option<AccountId>,
    pub(super) reward: Option<Amount>,
}

impl Attested {
    /// Of an entry's list of these.
    pub(super) fn of(world: &World, entry: &Entry, list: Field, who: &Witnesses) -> Self {
        let mut attested =
            Self { by: SmallVec::new(), amount: None, destination: None, reward: None };
        for (_, proof) in entry.fields.array(list).unwrap_or_default() {
            let signer = proof.account(ATTESTATION_SIGNER_ACCOUNT);
            let signer = signer.and_then(|id| world.accounts.find(id));
            let Some(signer) = signer.filter(|signer| who.accounts.contains(signer)) else {
                continue;
            };
            attested.by.push(signer);
            attested.amount = proof.amount(AMOUNT);
            attested.destination = proof.account(DESTINATION);
            attested.reward = proof.amount(SIGNATURE_REWARD);
        }
        attested
    }

    /// The witness that attests next.
    pub(super) fn next(&self, witnesses: &Witnesses) -> Option<Index> {
        witnesses.accounts.iter().copied().find(|witness| !self.by.contains(witness))
    }

    /// Whether enough have attested, or have with one more.
    pub(super) fn suffices(&self, more: usize, witnesses: &Witnesses) -> bool {
        self.by.len() + more >= witnesses.quorum
    }
}

/// With a bridge in place of its own.
pub(super) fn with_bridge(plan: Plan, spec: XChainBridge) -> Plan {
    plan.with(X_CHAIN_BRIDGE, Value::XChainBridge(Box::new(spec)))
}

/// With its bridge changed.
pub(super) fn change_bridge(
    mut plan: Plan,
    change: impl FnOnce(&mut XChainBridge),
) -> Option<Plan> {
    let Some(Value::XChainBridge(spec)) = plan.fields().get(X_CHAIN_BRIDGE) else { return None };
    let mut spec = XChainBridge::clone(spec);
    change(&mut spec);
    Some(with_bridge(plan, spec))
}

/// Named is a bridge that there is not.
pub(super) const fn no_bridge() -> Mutation {
    Mutation::new("a bridge that there is not", &["tecNO_ENTRY"], |planner, plan| {
        let nobody = planner.nobody();
        change_bridge(plan, |spec| spec.locking_door = nobody)
    })
}

/// Signs what a plan attests as its witness does: what is signed are these fields of it.
pub(super) fn attest(world: &World, mut plan: Plan) -> Option<Plan> {
    let fields = plan.fields();
    let witness = world.accounts.find(fields.account(ATTESTATION_SIGNER_ACCOUNT)?)?;
    let mut message = Object::new();
    for field in [
        X_CHAIN_CLAIM_ID,
        X_CHAIN_ACCOUNT_CREATE_COUNT,
        AMOUNT,
        OTHER_CHAIN_SOURCE,
        ATTESTATION_REWARD_ACCOUNT,
        WAS_LOCKING_CHAIN_SEND,
        SIGNATURE_REWARD,
        DESTINATION,
        X_CHAIN_BRIDGE,
    ] {
        if let Some(value) = fields.get(field) {
            message.set(field, value.clone());
        }
    }
    let key = &world.accounts[witness].key;
    let plan = plan.with(PUBLIC_KEY, key.public_key().0.to_vec());
    Some(plan.with(SIGNATURE, key.sign(&message.encode()).as_bytes().to_vec()))
}

/// A witness's word that this was sent from the other chain, not yet signed.
pub(super) fn attestation(plan: Plan, world: &World, witness: Index, amount: Amount) -> Plan {
    let id = world.accounts[witness].id;
    plan.with(AMOUNT, amount)
        .with(ATTESTATION_SIGNER_ACCOUNT, id)
        .with(ATTESTATION_REWARD_ACCOUNT, id)
        .with(WAS_LOCKING_CHAIN_SEND, 0u8)
}

/// The ways in which an attestation can be wrong.
pub(super) const NO_KEY: Mutation = Mutation::new("without a key", &["temMALFORMED"], |_, plan| {
    Some(plan.with(PUBLIC_KEY, Vec::<u8>::new()))
});
pub(super) const ANOTHERS_SIGNATURE: Mutation =
    Mutation::new("a signature of something else", &["temXCHAIN_BAD_PROOF"], |_, plan| {
        Some(plan.with(SIGNATURE, vec![0u8; 64]))
    });
pub(super) const NOTHING_SENT: Mutation =
    Mutation::new("that nothing was sent", &["temXCHAIN_BAD_PROOF"], |planner, plan| {
        attest(planner.world, plan.with(AMOUNT, Amount::Xrp(0)))
    });
