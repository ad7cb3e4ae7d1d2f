//! XChainCreateBridge and XChainModifyBridge
//! (<https://xrpl.org/docs/references/protocol/transactions/types/xchaincreatebridge>).

use xrpl_protocol::{EngineResult, Issue, Value, fields, object::XChainBridge};

use super::{Chain, can_own_more, is_reward, spec};
use crate::{
    ledger::{
        ApplyView, PreparedTx, Ter, directory, entry_type,
        genesis::GENESIS_ACCOUNT,
        helpers::account_root::{adjust_owner_count, flag, has_flag},
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// `tfClearAccountCreateAmount`.
const CLEAR_ACCOUNT_CREATE: u32 = 0x0001_0000;

/// Makes the sender a door.
#[derive(Debug)]
pub(in crate::transactors) struct XChainCreateBridge;

/// Changes a bridge's reward and least amount for new accounts.
#[derive(Debug)]
pub(in crate::transactors) struct XChainModifyBridge;

/// The side that the sender keeps.
fn own_chain(tx: &PreparedTx, bridge: &XChainBridge) -> Chain {
    Chain::source(tx.account == bridge.locking_door)
}

fn check_door(tx: &PreparedTx, bridge: &XChainBridge) -> Ter {
    let is_door = Chain::of_door(tx.account, bridge).is_some();
    ensure(is_door, EngineResult::TEM_XCHAIN_BRIDGE_NONDOOR_OWNER)
}

/// The least amount with which an account is created is XRP, on a bridge of XRP.
fn check_least(tx: &PreparedTx, bridge: &XChainBridge) -> Ter {
    let Some(least) = tx.object.amount(fields::MIN_ACCOUNT_CREATE_AMOUNT) else { return Ok(()) };
    let good = least.drops().is_some_and(|drops| drops > 0)
        && bridge.locking_issue == Issue::Xrp
        && bridge.issuing_issue == Issue::Xrp;
    ensure(good, EngineResult::TEM_XCHAIN_BRIDGE_BAD_MIN_ACCOUNT_CREATE_AMOUNT)
}

impl Transactor for XChainCreateBridge {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let bridge = spec(ctx.tx)?;
        let bad_issues = EngineResult::TEM_XCHAIN_BRIDGE_BAD_ISSUES;
        let different = bridge.locking_door != bridge.issuing_door;
        ensure(different, EngineResult::TEM_XCHAIN_EQUAL_DOOR_ACCOUNTS)?;
        check_door(ctx.tx, &bridge)?;
        let is_xrp = bridge.issuing_issue == Issue::Xrp;
        ensure((bridge.locking_issue == Issue::Xrp) == is_xrp, bad_issues)?;
        let reward = ctx.tx.object.amount(fields::SIGNATURE_REWARD);
        ensure(is_reward(reward), EngineResult::TEM_XCHAIN_BRIDGE_BAD_REWARD_AMOUNT)?;
        check_least(ctx.tx, &bridge)?;
        // What is issued must never run out: the door is the issuer, or has all XRP.
        let issuer = match bridge.issuing_issue {
            Issue::Issued { issuer, .. } => issuer,
            _ => GENESIS_ACCOUNT,
        };
        ensure(bridge.issuing_door == issuer, bad_issues)?;
        // Nothing is locked up by whoever issues it.
        let own = matches!(bridge.locking_issue, Issue::Issued { issuer, .. } if issuer == bridge.locking_door);
        ensure(!own, bad_issues)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let bridge = spec(ctx.tx)?;
        let exists = |chain: Chain| ctx.view.exists(&chain.bridge_key(&bridge));
        let taken = exists(Chain::Issuing) || exists(Chain::Locking);
        ensure(!taken, EngineResult::TEC_DUPLICATE)?;
        if let Issue::Issued { issuer, .. } = own_chain(ctx.tx, &bridge).issue(&bridge) {
            ensure(ctx.view.account(issuer).is_some(), EngineResult::TEC_NO_ISSUER)?;
            // What can be clawed back backs nothing.
            let claws = has_flag(ctx.view, issuer, flag::ALLOW_TRUST_LINE_CLAWBACK);
            ensure(!claws, EngineResult::TEC_NO_PERMISSION)?;
        }
        can_own_more(ctx.view, ctx.tx.account)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, account) = (ctx.tx, ctx.tx.account);
        let bridge = spec(tx)?;
        let key = own_chain(tx, &bridge).bridge_key(&bridge);
        let page = directory::add_owned(&mut ctx.view, account, key);
        let page = page.ok_or(EngineResult::TEC_DIR_FULL)?;
        let mut entry = entry_type::new(entry_type::BRIDGE)
            .with(fields::ACCOUNT, account)
            .with(fields::X_CHAIN_CLAIM_ID, 0u64)
            .with(fields::X_CHAIN_ACCOUNT_CREATE_COUNT, 0u64)
            .with(fields::X_CHAIN_ACCOUNT_CLAIM_COUNT, 0u64)
            .with(fields::OWNER_NODE, page);
        entry.set(fields::X_CHAIN_BRIDGE, Value::XChainBridge(Box::new(bridge)));
        for field in [fields::SIGNATURE_REWARD, fields::MIN_ACCOUNT_CREATE_AMOUNT] {
            if let Some(amount) = tx.object.amount(field) {
                entry.set(field, amount.into());
            }
        }
        adjust_owner_count(&mut ctx.view, account, 1)?;
        ctx.view.insert(key, entry);
        Ok(())
    }
}

impl Transactor for XChainModifyBridge {
    fn flags(&self, _ctx: &PreflightContext<'_>) -> u32 {
        CLEAR_ACCOUNT_CREATE
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        let reward = tx.object.amount(fields::SIGNATURE_REWARD);
        let least = tx.object.contains(fields::MIN_ACCOUNT_CREATE_AMOUNT);
        let clears = tx.has_flag(CLEAR_ACCOUNT_CREATE);
        ensure(reward.is_some() || least || clears, EngineResult::TEM_MALFORMED)?;
        ensure(!(least && clears), EngineResult::TEM_MALFORMED)?;
        let bridge = spec(tx)?;
        check_door(tx, &bridge)?;
        let good = reward.is_none() || is_reward(reward);
        ensure(good, EngineResult::TEM_XCHAIN_BRIDGE_BAD_REWARD_AMOUNT)?;
        check_least(tx, &bridge)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let bridge = spec(ctx.tx)?;
        let key = own_chain(ctx.tx, &bridge).bridge_key(&bridge);
        ensure(ctx.view.exists(&key), EngineResult::TEC_NO_ENTRY)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let bridge = spec(tx)?;
        let key = own_chain(tx, &bridge).bridge_key(&bridge);
        let entry = ctx.view.get_mut(&key).ok_or(EngineResult::TEC_INTERNAL)?;
        for field in [fields::SIGNATURE_REWARD, fields::MIN_ACCOUNT_CREATE_AMOUNT] {
            if let Some(amount) = tx.object.amount(field) {
                entry.set(field, Value::Amount(amount));
            }
        }
        if tx.has_flag(CLEAR_ACCOUNT_CREATE) {
            entry.remove(fields::MIN_ACCOUNT_CREATE_AMOUNT);
        }
        Ok(())
    }
}
