//! XChainAddClaimAttestation and XChainAddAccountCreateAttestation
//! (<https://xrpl.org/docs/references/protocol/transactions/types/xchainaddclaimattestation>).

use xrpl_protocol::{
    EngineResult, Field, Object, ResultClass, Value, fields, object::XChainBridge, object_id,
};

use super::{
    Bridge, Chain, Witnesses, amount,
    attestation::{Attestation, attestations_of},
    find, spec,
    transfer::Settlement,
    witnesses,
};
use crate::{
    ledger::{
        ApplyView, PaymentSandbox, PreparedTx, ReadView, Ter, directory, entry_type,
        helpers::account_root::{adjust_owner_count, balance_of, reserve},
    },
    transactors::{
        ApplyContext, Consequences, PreclaimContext, PreflightContext, Transactor, ensure,
    },
};

/// New accounts that may be attested ahead of the next one.
const MAX_AHEAD: u64 = 128;

/// Attests that something was committed for a claim.
#[derive(Debug)]
pub(in crate::transactors) struct XChainAddClaimAttestation;

/// Attests that something was committed for a new account.
#[derive(Debug)]
pub(in crate::transactors) struct XChainAddAccountCreateAttestation;

fn preflight(ctx: &PreflightContext<'_>, numbered: Field) -> Ter {
    let attestation = Attestation::of(ctx.tx, numbered).ok_or(EngineResult::TEM_MALFORMED)?;
    attestation.check(&spec(ctx.tx)?)
}

fn preclaim(ctx: &PreclaimContext<'_>, numbered: Field) -> Ter {
    let attestation = Attestation::of(ctx.tx, numbered).ok_or(EngineResult::TEC_INTERNAL)?;
    let found = find(ctx.view, &spec(ctx.tx)?)?;
    attestation.check_key(ctx.view, &witnesses(ctx.view, found.door)?)
}

/// What both types work with.
struct Attesting {
    attestation: Attestation,
    bridge: XChainBridge,
    found: Bridge,
    /// The chain on which it was committed, if it is for this one.
    source: Chain,
    witnesses: Witnesses,
}

impl Attesting {
    fn new(view: &dyn ReadView, tx: &PreparedTx, numbered: Field) -> Result<Self, EngineResult> {
        let attestation = Attestation::of(tx, numbered).ok_or(EngineResult::TEC_INTERNAL)?;
        let bridge = spec(tx)?;
        let found = find(view, &bridge)?;
        let witnesses = witnesses(view, found.door)?;
        Ok(Self { attestation, source: found.chain.other(), bridge, found, witnesses })
    }

    fn check_witness(&self) -> Ter {
        let known = self.witnesses.weights.contains_key(&self.attestation.signer);
        ensure(known, EngineResult::TEC_XCHAIN_PROOF_UNKNOWN_KEY)
    }

    fn check_chain(&self) -> Ter {
        let source = Chain::source(self.attestation.was_locking_chain_send);
        ensure(source == self.source, EngineResult::TEC_XCHAIN_WRONG_CHAIN)
    }

    /// For a claim that is there. What fails to be paid is paid by a later claim: the attestation
    /// stays.
    fn claim(&self, view: &mut PaymentSandbox<'_>, outer: &dyn ReadView) -> Ter {
        let attestation = &self.attestation;
        let key = object_id::xchain_claim_id(&self.bridge, attestation.number);
        let claim = view.read(&key).ok_or(EngineResult::TEC_XCHAIN_NO_CLAIM_ID)?;
        self.check_witness()?;
        let sender = claim.account(fields::OTHER_CHAIN_SOURCE);
        let right = sender == Some(attestation.sender);
        ensure(right, EngineResult::TEC_XCHAIN_SENDING_ACCOUNT_MISMATCH)?;
        self.check_chain()?;
        let mut all = attestations_of(&claim, fields::X_CHAIN_CLAIM_ATTESTATIONS);
        let rewarded = attestation.add(outer, &mut all, &self.witnesses);
        let owner = claim.account(fields::ACCOUNT).unwrap_or_default();
        let reward = amount(&claim, fields::SIGNATURE_REWARD)?;
        let entry = view.get_mut(&key).ok_or(EngineResult::TEC_INTERNAL)?;
        entry.set(fields::X_CHAIN_CLAIM_ATTESTATIONS, Value::Array(all));
        let (Some(rewarded), Some(to)) = (rewarded, attestation.destination) else {
            return Ok(());
        };
        let settlement = Settlement {
            bridge: &self.bridge,
            source: self.source,
            to,
            has_tag: false,
            sent: attestation.amount,
            rewards_from: owner,
            reward,
            witnesses: &rewarded,
            claim: key,
            keeps_claim: true,
            is_own_claim: false,
        };
        match settlement.run(view) {
            Err(result @ (EngineResult::TEC_INTERNAL | EngineResult::TEF_BAD_LEDGER)) => {
                Err(result)
            }
            _ => Ok(()),
        }
    }

    /// For a new account: they are created in the order in which they were committed.
    fn create(&self, view: &mut PaymentSandbox<'_>, outer: &dyn ReadView) -> Ter {
        let (attestation, door) = (&self.attestation, self.found.door);
        let internal = EngineResult::TEC_INTERNAL;
        let number = attestation.number;
        let entry = view.read(&self.found.key).ok_or(internal)?;
        let done = entry.u64(fields::X_CHAIN_ACCOUNT_CLAIM_COUNT).unwrap_or_default();
        ensure(number > done, EngineResult::TEC_XCHAIN_ACCOUNT_CREATE_PAST)?;
        let near = number < done.saturating_add(MAX_AHEAD);
        ensure(near, EngineResult::TEC_XCHAIN_ACCOUNT_CREATE_TOO_MANY)?;
        self.check_chain()?;
        let key = object_id::xchain_create_account_claim_id(&self.bridge, number);
        let claim = view.read(&key);
        if claim.is_none() {
            let root = view.account(door).ok_or(internal)?;
            let enough = balance_of(&root) >= reserve(view, &root, 1);
            ensure(enough, EngineResult::TEC_INSUFFICIENT_RESERVE)?;
        }
        self.check_witness()?;
        let field = fields::X_CHAIN_CREATE_ACCOUNT_ATTESTATIONS;
        let mut all = claim.as_ref().map_or_else(Vec::new, |claim| attestations_of(claim, field));
        let rewarded = attestation.add(outer, &mut all, &self.witnesses);
        if claim.is_some() {
            // Before it may be deleted, so that metadata shows it.
            let entry = view.get_mut(&key).ok_or(internal)?;
            entry.set(field, Value::Array(all.clone()));
        }
        if let Some(rewarded) = rewarded.filter(|_| number == done + 1) {
            let settlement = Settlement {
                bridge: &self.bridge,
                source: self.source,
                to: attestation.destination.unwrap_or_default(),
                has_tag: false,
                sent: attestation.amount,
                rewards_from: door,
                reward: attestation.reward.ok_or(internal)?,
                witnesses: &rewarded,
                claim: key,
                keeps_claim: false,
                is_own_claim: false,
            };
            if let Err(result) = settlement.run(view)
                && (result == internal
                    || result == EngineResult::TEC_UNFUNDED_PAYMENT
                    || result.class() == ResultClass::Tef)
            {
                return Err(result);
            }
            // One that cannot be created does not block the next ones.
            let entry = view.get_mut(&self.found.key).ok_or(internal)?;
            entry.set(fields::X_CHAIN_ACCOUNT_CLAIM_COUNT, number.into());
        } else if claim.is_none() {
            let page = directory::add_owned(view, door, key).ok_or(EngineResult::TEC_DIR_FULL)?;
            let mut entry: Object =
                entry_type::new(entry_type::XCHAIN_OWNED_CREATE_ACCOUNT_CLAIM_ID)
                    .with(fields::ACCOUNT, door)
                    .with(fields::X_CHAIN_ACCOUNT_CREATE_COUNT, number)
                    .with(fields::OWNER_NODE, page);
            let bridge = Box::new(self.bridge);
            entry.set(fields::X_CHAIN_BRIDGE, Value::XChainBridge(bridge));
            entry.set(field, Value::Array(all));
            adjust_owner_count(view, door, 1)?;
            view.insert(key, entry);
        }
        Ok(())
    }
}

impl Transactor for XChainAddClaimAttestation {
    fn consequences(&self, tx: &PreparedTx) -> Consequences {
        Consequences::blocker(tx)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        preflight(ctx, fields::X_CHAIN_CLAIM_ID)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        preclaim(ctx, fields::X_CHAIN_CLAIM_ID)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let attesting = Attesting::new(&ctx.view, ctx.tx, fields::X_CHAIN_CLAIM_ID)?;
        let mut view = PaymentSandbox::new(&ctx.view);
        attesting.claim(&mut view, &ctx.view)?;
        let changes = view.into_changes();
        ctx.view.merge(changes);
        Ok(())
    }
}

impl Transactor for XChainAddAccountCreateAttestation {
    fn consequences(&self, tx: &PreparedTx) -> Consequences {
        Consequences::blocker(tx)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        preflight(ctx, fields::X_CHAIN_ACCOUNT_CREATE_COUNT)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        preclaim(ctx, fields::X_CHAIN_ACCOUNT_CREATE_COUNT)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let attesting = Attesting::new(&ctx.view, ctx.tx, fields::X_CHAIN_ACCOUNT_CREATE_COUNT)?;
        let mut view = PaymentSandbox::new(&ctx.view);
        attesting.create(&mut view, &ctx.view)?;
        let changes = view.into_changes();
        ctx.view.merge(changes);
        Ok(())
    }
}
