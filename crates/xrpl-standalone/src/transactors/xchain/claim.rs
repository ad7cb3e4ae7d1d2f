//! XChainCreateClaimID and XChainClaim
//! (<https://xrpl.org/docs/references/protocol/transactions/types/xchaincreateclaimid>).

use xrpl_protocol::{EngineResult, Value, fields, object_id};

use super::{
    Chain, amount,
    attestation::{Matching, agreed, attestations_of},
    can_own_more,
    commit::is_legal,
    find, is_reward, of_issue, spec,
    transfer::Settlement,
    witnesses,
};
use crate::{
    ledger::{
        ApplyView, PaymentSandbox, PreparedTx, ReadView, Ter, directory, entry_type,
        helpers::account_root::adjust_owner_count,
    },
    transactors::{
        ApplyContext, Consequences, PreclaimContext, PreflightContext, Transactor, destination,
        ensure,
    },
};

/// Reserves a number under which something that is committed on the other chain can be claimed.
#[derive(Debug)]
pub(in crate::transactors) struct XChainCreateClaimId;

/// Claims what witnesses have attested.
#[derive(Debug)]
pub(in crate::transactors) struct XChainClaim;

impl Transactor for XChainCreateClaimId {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let reward = ctx.tx.object.amount(fields::SIGNATURE_REWARD);
        let good = is_reward(reward) && reward.as_ref().is_some_and(is_legal);
        ensure(good, EngineResult::TEM_XCHAIN_BRIDGE_BAD_REWARD_AMOUNT)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let found = find(ctx.view, &spec(ctx.tx)?)?;
        let reward = fields::SIGNATURE_REWARD;
        let same = ctx.tx.object.amount(reward) == found.entry.amount(reward);
        ensure(same, EngineResult::TEC_XCHAIN_REWARD_MISMATCH)?;
        can_own_more(ctx.view, ctx.tx.account)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, account) = (ctx.tx, ctx.tx.account);
        let bridge = spec(tx)?;
        let internal = EngineResult::TEC_INTERNAL;
        let found = find(&ctx.view, &bridge).map_err(|_| internal)?;
        let entry = ctx.view.get_mut(&found.key).ok_or(internal)?;
        let number = entry.u64(fields::X_CHAIN_CLAIM_ID).unwrap_or_default() + 1;
        // Numbers have 32 bits.
        ensure(u32::try_from(number).is_ok(), internal)?;
        entry.set(fields::X_CHAIN_CLAIM_ID, number.into());
        let key = object_id::xchain_claim_id(&bridge, number);
        ensure(!ctx.view.exists(&key), internal)?;
        let page = directory::add_owned(&mut ctx.view, account, key);
        let mut claim = entry_type::new(entry_type::XCHAIN_OWNED_CLAIM_ID)
            .with(fields::ACCOUNT, account)
            .with(fields::X_CHAIN_CLAIM_ID, number)
            .with(fields::SIGNATURE_REWARD, amount(&tx.object, fields::SIGNATURE_REWARD)?)
            .with(fields::OWNER_NODE, page.ok_or(EngineResult::TEC_DIR_FULL)?);
        claim.set(fields::X_CHAIN_BRIDGE, Value::XChainBridge(Box::new(bridge)));
        claim.set(fields::X_CHAIN_CLAIM_ATTESTATIONS, Value::Array(Vec::new()));
        if let Some(source) = tx.object.account(fields::OTHER_CHAIN_SOURCE) {
            claim.set(fields::OTHER_CHAIN_SOURCE, source.into());
        }
        adjust_owner_count(&mut ctx.view, account, 1)?;
        ctx.view.insert(key, claim);
        Ok(())
    }
}

fn claim_id(tx: &PreparedTx) -> u64 {
    tx.object.u64(fields::X_CHAIN_CLAIM_ID).unwrap_or_default()
}

impl Transactor for XChainClaim {
    fn consequences(&self, tx: &PreparedTx) -> Consequences {
        Consequences::blocker(tx)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let bridge = spec(ctx.tx)?;
        let amount = amount(&ctx.tx.object, fields::AMOUNT)?;
        let issue = amount.issue();
        let known = issue == bridge.locking_issue || issue == bridge.issuing_issue;
        ensure(amount.signum() > 0 && known, EngineResult::TEM_BAD_AMOUNT)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let bridge = spec(ctx.tx)?;
        let found = find(ctx.view, &bridge)?;
        ensure(ctx.view.account(destination(ctx.tx)).is_some(), EngineResult::TEC_NO_DST)?;
        let issue = amount(&ctx.tx.object, fields::AMOUNT)?.issue();
        let right = issue == found.chain.issue(&bridge);
        ensure(right, EngineResult::TEC_XCHAIN_BAD_TRANSFER_ISSUE)?;
        let claim = ctx.view.read(&object_id::xchain_claim_id(&bridge, claim_id(ctx.tx)));
        let claim = claim.ok_or(EngineResult::TEC_XCHAIN_NO_CLAIM_ID)?;
        let own = claim.account(fields::ACCOUNT) == Some(ctx.tx.account);
        ensure(own, EngineResult::TEC_XCHAIN_BAD_CLAIM_ID)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let bridge = spec(tx)?;
        let internal = EngineResult::TEC_INTERNAL;
        let key = object_id::xchain_claim_id(&bridge, claim_id(tx));
        let mut view = PaymentSandbox::new(&ctx.view);
        let found = find(&view, &bridge).map_err(|_| internal)?;
        let claim = view.read(&key).ok_or(internal)?;
        let source = found.chain.other();
        let sent = of_issue(&amount(&tx.object, fields::AMOUNT)?, source.issue(&bridge));
        let witnesses = witnesses(&view, found.door)?;
        let mut all = attestations_of(&claim, fields::X_CHAIN_CLAIM_ATTESTATIONS);
        let matching = Matching {
            amount: sent,
            reward: None,
            was_locking_chain_send: source == Chain::Locking,
            // Whoever claims says where it goes.
            destination: None,
        };
        let rewarded = agreed(&view, &mut all, &matching, &witnesses)?;
        let settlement = Settlement {
            bridge: &bridge,
            source,
            to: destination(tx),
            has_tag: tx.object.contains(fields::DESTINATION_TAG),
            sent,
            rewards_from: claim.account(fields::ACCOUNT).unwrap_or_default(),
            reward: amount(&claim, fields::SIGNATURE_REWARD)?,
            witnesses: &rewarded,
            claim: key,
            keeps_claim: true,
            is_own_claim: destination(tx) == tx.account,
        };
        settlement.run(&mut view)?;
        let changes = view.into_changes();
        ctx.view.merge(changes);
        Ok(())
    }
}
