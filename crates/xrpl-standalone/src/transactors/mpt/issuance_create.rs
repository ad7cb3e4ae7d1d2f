//! MPTokenIssuanceCreate
//! (<https://xrpl.org/docs/references/protocol/transactions/types/mptokenissuancecreate>).

use xrpl_protocol::{AccountId, EngineResult, MptId, Object, Value, fields, object_id};

use super::{MAX_METADATA, MAX_TRANSFER_FEE, mutable};
use crate::{
    ledger::{
        ApplyView, ReadView, Ter, amendment, directory, entry_type,
        helpers::{
            account_root::{adjust_owner_count, reserve},
            copy_fields,
            mpt::{MAX_AMOUNT, flag},
        },
    },
    transactors::{ApplyContext, PreflightContext, Transactor, UNIVERSAL_FLAGS, ensure},
};

/// Flags that an issuance may begin with: all but the one that locks it.
const FLAGS: u32 = flag::CAN_LOCK
    | flag::REQUIRE_AUTH
    | flag::CAN_ESCROW
    | flag::CAN_TRADE
    | flag::CAN_TRANSFER
    | flag::CAN_CLAWBACK
    | flag::CAN_HOLD_CONFIDENTIAL_BALANCE;
/// `MutableFlags` there are.
const MUTABLE: u32 = flag::CAN_LOCK
    | flag::REQUIRE_AUTH
    | flag::CAN_ESCROW
    | flag::CAN_TRADE
    | flag::CAN_TRANSFER
    | flag::CAN_CLAWBACK
    | mutable::CANNOT_ENABLE_CAN_HOLD_CONFIDENTIAL_BALANCE
    | mutable::CAN_MUTATE_METADATA
    | mutable::CAN_MUTATE_TRANSFER_FEE;

/// The type.
#[derive(Debug)]
pub(in crate::transactors) struct MPTokenIssuanceCreate;

impl Transactor for MPTokenIssuanceCreate {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        let (tx, rules) = (ctx.tx, ctx.rules);
        let domains = rules.enabled(amendment::PERMISSIONED_DOMAINS)
            && rules.enabled(amendment::SINGLE_ASSET_VAULT);
        let mutable = tx.object.u32(fields::MUTABLE_FLAGS);
        let confidential = tx.has_flag(flag::CAN_HOLD_CONFIDENTIAL_BALANCE)
            || mutable.unwrap_or_default() & mutable::CANNOT_ENABLE_CAN_HOLD_CONFIDENTIAL_BALANCE
                != 0;
        (domains || !tx.object.contains(fields::DOMAIN_ID))
            && (rules.enabled(amendment::DYNAMIC_MPT) || mutable.is_none())
            && (rules.enabled(amendment::CONFIDENTIAL_TRANSFER) || !confidential)
    }

    fn flags(&self, _ctx: &PreflightContext<'_>) -> u32 {
        FLAGS
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let (tx, object) = (ctx.tx, &ctx.tx.object);
        let malformed = EngineResult::TEM_MALFORMED;
        // Only a vault's share stands for something.
        let stands = ctx.rules.enabled(amendment::FIX_CLEANUP_3_2_0)
            && object.contains(fields::REFERENCE_HOLDING);
        ensure(!stands, malformed)?;
        if let Some(flags) = object.u32(fields::MUTABLE_FLAGS) {
            ensure(flags != 0 && flags & !MUTABLE == 0, EngineResult::TEM_INVALID_FLAG)?;
        }
        let fee = object.u16(fields::TRANSFER_FEE).unwrap_or_default();
        ensure(fee <= MAX_TRANSFER_FEE, EngineResult::TEM_BAD_TRANSFER_FEE)?;
        ensure(fee == 0 || tx.has_flag(flag::CAN_TRANSFER), malformed)?;
        // A share of an amount that nobody sees cannot be taken.
        let hidden = tx.has_flag(flag::CAN_HOLD_CONFIDENTIAL_BALANCE);
        ensure(fee == 0 || !hidden, EngineResult::TEM_BAD_TRANSFER_FEE)?;
        if let Some(domain) = object.hash256(fields::DOMAIN_ID) {
            ensure(!domain.is_zero() && tx.has_flag(flag::REQUIRE_AUTH), malformed)?;
        }
        if let Some(metadata) = object.blob(fields::MP_TOKEN_METADATA) {
            ensure((1..=MAX_METADATA).contains(&metadata.len()), malformed)?;
        }
        if let Some(most) = object.u64(fields::MAXIMUM_AMOUNT) {
            ensure((1..=MAX_AMOUNT.unsigned_abs()).contains(&most), malformed)?;
        }
        Ok(())
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, object) = (ctx.tx, &ctx.tx.object);
        let root = ctx.view.account(tx.account).ok_or(EngineResult::TEC_INTERNAL)?;
        if ctx.prior_balance < reserve(&ctx.view, &root, 1) {
            return Err(EngineResult::TEC_INSUFFICIENT_RESERVE);
        }
        drop(root);
        let given = [
            fields::MAXIMUM_AMOUNT,
            fields::MP_TOKEN_METADATA,
            fields::DOMAIN_ID,
            fields::MUTABLE_FLAGS,
            fields::ASSET_SCALE,
            fields::TRANSFER_FEE,
        ];
        let mut more = Object::new();
        copy_fields(object, &mut more, &given);
        let flags = tx.flags & !UNIVERSAL_FLAGS;
        create(&mut ctx.view, tx.account, tx.seq.value(), flags, more).map(drop)
    }
}

/// Creates an issuance with these flags and further fields, whatever its issuer's reserve.
///
/// # Errors
/// `tecDIR_FULL`, `tefINTERNAL` without an issuer.
pub(in crate::transactors) fn create(
    view: &mut dyn ApplyView,
    issuer: AccountId,
    sequence: u32,
    flags: u32,
    more: Object,
) -> Result<MptId, EngineResult> {
    let id = MptId::new(sequence, issuer);
    let key = object_id::mpt_issuance(id);
    let page = directory::add_owned(view, issuer, key).ok_or(EngineResult::TEC_DIR_FULL)?;
    let mut issuance = more;
    // These are left out of an entry while they are 0.
    for field in [fields::ASSET_SCALE, fields::TRANSFER_FEE] {
        if let Some(Value::UInt8(0) | Value::UInt16(0)) = issuance.get(field) {
            issuance.remove(field);
        }
    }
    let issuance = issuance
        .with(fields::LEDGER_ENTRY_TYPE, entry_type::MPTOKEN_ISSUANCE)
        .with(fields::FLAGS, flags)
        .with(fields::ISSUER, issuer)
        .with(fields::OUTSTANDING_AMOUNT, 0u64)
        .with(fields::OWNER_NODE, page)
        .with(fields::SEQUENCE, sequence);
    view.insert(key, issuance);
    adjust_owner_count(view, issuer, 1)?;
    Ok(id)
}
