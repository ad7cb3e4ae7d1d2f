//! XChainCommit and XChainAccountCreateCommit: what goes to a door
//! (<https://xrpl.org/docs/references/protocol/transactions/types/xchaincommit>).

use xrpl_protocol::{Amount, EngineResult, Issue, fields};

use super::{amount, find, spec, transfer::Transfer};
use crate::{
    ledger::{ApplyView, PaymentSandbox, PreparedTx, Ter, genesis::TOTAL_COINS},
    transactors::{
        ApplyContext, Consequences, PreclaimContext, PreflightContext, Transactor, ensure,
        xrp_amount,
    },
};

/// Gives something to a door, to be claimed on the other chain.
#[derive(Debug)]
pub(in crate::transactors) struct XChainCommit;

/// Gives XRP to a door, with which an account is to be created on the other chain.
#[derive(Debug)]
pub(in crate::transactors) struct XChainAccountCreateCommit;

/// Not more than all XRP.
pub(super) fn is_legal(amount: &Amount) -> bool {
    amount.drops().is_none_or(|drops| drops.unsigned_abs() <= TOTAL_COINS)
}

impl Transactor for XChainCommit {
    fn consequences(&self, tx: &PreparedTx) -> Consequences {
        Consequences::spending(tx, xrp_amount(tx).unwrap_or(0).max(0))
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let bridge = spec(ctx.tx)?;
        let amount = amount(&ctx.tx.object, fields::AMOUNT)?;
        ensure(amount.signum() > 0 && is_legal(&amount), EngineResult::TEM_BAD_AMOUNT)?;
        let issue = amount.issue();
        let known = issue == bridge.locking_issue || issue == bridge.issuing_issue;
        ensure(known, EngineResult::TEM_BAD_ISSUER)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let bridge = spec(ctx.tx)?;
        let found = find(ctx.view, &bridge)?;
        ensure(found.door != ctx.tx.account, EngineResult::TEC_XCHAIN_SELF_COMMIT)?;
        let issue = amount(&ctx.tx.object, fields::AMOUNT)?.issue();
        ensure(issue == found.chain.issue(&bridge), EngineResult::TEC_XCHAIN_BAD_TRANSFER_ISSUE)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let bridge = spec(tx)?;
        let mut view = PaymentSandbox::new(&ctx.view);
        let door = find(&view, &bridge).map_err(|_| EngineResult::TEC_INTERNAL)?.door;
        let transfer = Transfer {
            before_fee: Some(ctx.prior_balance),
            ..Transfer::new(tx.account, door, amount(&tx.object, fields::AMOUNT)?)
        };
        transfer.run(&mut view)?;
        let changes = view.into_changes();
        ctx.view.merge(changes);
        Ok(())
    }
}

impl Transactor for XChainAccountCreateCommit {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let drops = |field| ctx.tx.object.amount(field).and_then(|amount| amount.drops());
        let good = drops(fields::AMOUNT).is_some_and(|drops| drops > 0)
            && drops(fields::SIGNATURE_REWARD).is_some_and(|drops| drops >= 0);
        ensure(good, EngineResult::TEM_BAD_AMOUNT)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let tx = &ctx.tx.object;
        let bridge = spec(ctx.tx)?;
        let found = find(ctx.view, &bridge)?;
        let reward = fields::SIGNATURE_REWARD;
        let same = tx.amount(reward) == found.entry.amount(reward);
        ensure(same, EngineResult::TEC_XCHAIN_REWARD_MISMATCH)?;
        let least = found.entry.amount(fields::MIN_ACCOUNT_CREATE_AMOUNT);
        let least = least.ok_or(EngineResult::TEC_XCHAIN_CREATE_ACCOUNT_DISABLED)?;
        let amount = amount(tx, fields::AMOUNT)?;
        ensure(!least.is_more(&amount), EngineResult::TEC_XCHAIN_INSUFF_CREATE_AMOUNT)?;
        ensure(found.door != ctx.tx.account, EngineResult::TEC_XCHAIN_SELF_COMMIT)?;
        let sends = found.chain.issue(&bridge) == amount.issue();
        ensure(sends, EngineResult::TEC_XCHAIN_BAD_TRANSFER_ISSUE)?;
        let creates = found.chain.other().issue(&bridge) == Issue::Xrp;
        ensure(creates, EngineResult::TEC_XCHAIN_CREATE_ACCOUNT_NONXRP_ISSUE)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let bridge = spec(tx)?;
        let mut view = PaymentSandbox::new(&ctx.view);
        let found = find(&view, &bridge).map_err(|_| EngineResult::TEC_INTERNAL)?;
        let reward = amount(&tx.object, fields::SIGNATURE_REWARD)?;
        let all = amount(&tx.object, fields::AMOUNT)?.checked_add(&reward);
        let transfer = Transfer {
            creates: true,
            before_fee: Some(ctx.prior_balance),
            ..Transfer::new(tx.account, found.door, all.map_err(|_| EngineResult::TEF_EXCEPTION)?)
        };
        transfer.run(&mut view)?;
        let entry = view.get_mut(&found.key).ok_or(EngineResult::TEC_INTERNAL)?;
        let count = entry.u64(fields::X_CHAIN_ACCOUNT_CREATE_COUNT).unwrap_or_default();
        entry.set(fields::X_CHAIN_ACCOUNT_CREATE_COUNT, (count + 1).into());
        let changes = view.into_changes();
        ctx.view.merge(changes);
        Ok(())
    }
}
