//! MPTokenIssuanceSet
//! (<https://xrpl.org/docs/references/protocol/transactions/types/mptokenissuanceset>).

use xrpl_protocol::{EngineResult, Field, fields, keys::PublicKey, object_id};

use super::{MAX_METADATA, MAX_TRANSFER_FEE, issuance_id, mutable, number};
use crate::{
    ledger::{
        ApplyView, PreparedTx, Ter, amendment,
        helpers::{
            account_root::flags_of,
            copy_fields,
            mpt::{flag, issuer_of},
            token,
        },
    },
    transactors::{
        ApplyContext, PreclaimContext, PreflightContext, Transactor, UNIVERSAL_FLAGS, ensure,
    },
};

const LOCK: u32 = 0x0000_0001;
const UNLOCK: u32 = 0x0000_0002;

/// `MutableFlags` that set a flag of the issuance, and that flag. The issuance's own `MutableFlags`
/// must allow it with the bit of the flag.
const SETTERS: [(u32, u32); 6] = [
    (0x0000_0001, flag::CAN_LOCK),
    (0x0000_0002, flag::REQUIRE_AUTH),
    (0x0000_0004, flag::CAN_ESCROW),
    (0x0000_0008, flag::CAN_TRADE),
    (0x0000_0010, flag::CAN_TRANSFER),
    (0x0000_0020, flag::CAN_CLAWBACK),
];
/// The one that is allowed unless forbidden.
const SET_CAN_HOLD_CONFIDENTIAL_BALANCE: u32 = 0x0000_0040;
/// All of them.
const MUTABLE: u32 = 0x0000_007f;

const KEYS: [Field; 2] = [fields::ISSUER_ENCRYPTION_KEY, fields::AUDITOR_ENCRYPTION_KEY];

/// The type.
#[derive(Debug)]
pub(in crate::transactors) struct MPTokenIssuanceSet;

fn has_key(tx: &PreparedTx) -> bool {
    KEYS.iter().any(|key| tx.object.contains(*key))
}

fn mutable_flags(tx: &PreparedTx) -> u32 {
    tx.object.u32(fields::MUTABLE_FLAGS).unwrap_or_default()
}

/// Whether it allows holders to hide their balances.
fn allows_hiding(tx: &PreparedTx) -> bool {
    mutable_flags(tx) & SET_CAN_HOLD_CONFIDENTIAL_BALANCE != 0
}

/// Whether it changes what is fixed unless the issuance says otherwise.
fn mutates(tx: &PreparedTx) -> bool {
    [fields::MUTABLE_FLAGS, fields::MP_TOKEN_METADATA, fields::TRANSFER_FEE]
        .iter()
        .any(|field| tx.object.contains(*field))
}

fn key_form(tx: &PreparedTx, field: Field) -> Ter {
    let Some(key) = tx.object.blob(field) else { return Ok(()) };
    let good = PublicKey::from_slice(key).is_ok_and(|key| key.is_secp256k1_point());
    ensure(good, EngineResult::TEM_MALFORMED)
}

impl Transactor for MPTokenIssuanceSet {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        !ctx.tx.object.contains(fields::DOMAIN_ID)
            || (ctx.rules.enabled(amendment::PERMISSIONED_DOMAINS)
                && ctx.rules.enabled(amendment::SINGLE_ASSET_VAULT))
    }

    fn flags(&self, _ctx: &PreflightContext<'_>) -> u32 {
        LOCK | UNLOCK
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let (tx, object, rules) = (ctx.tx, &ctx.tx.object, ctx.rules);
        let malformed = EngineResult::TEM_MALFORMED;
        let (mutates, hides) = (mutates(tx), allows_hiding(tx));
        let holder = object.account(fields::HOLDER);
        let has_domain = object.contains(fields::DOMAIN_ID);
        let dynamic = rules.enabled(amendment::DYNAMIC_MPT);
        let confidential = rules.enabled(amendment::CONFIDENTIAL_TRANSFER);
        ensure(dynamic || !mutates, EngineResult::TEM_DISABLED)?;
        ensure(confidential || !(has_key(tx) || hides), EngineResult::TEM_DISABLED)?;
        ensure(holder.is_none() || !(has_domain || hides), malformed)?;
        let both = tx.has_flag(LOCK) && tx.has_flag(UNLOCK);
        ensure(!both, EngineResult::TEM_INVALID_FLAG)?;
        ensure(holder != Some(tx.account), malformed)?;
        if rules.enabled(amendment::SINGLE_ASSET_VAULT) || dynamic || confidential {
            let changes = tx.flags != 0 || has_domain || has_key(tx) || mutates;
            ensure(changes, malformed)?;
        }
        if dynamic {
            let flags = tx.flags & !UNIVERSAL_FLAGS;
            ensure(!mutates || (holder.is_none() && flags == 0), malformed)?;
            let fee = object.u16(fields::TRANSFER_FEE).unwrap_or_default();
            let fits = fee <= MAX_TRANSFER_FEE && (fee == 0 || !hides);
            ensure(fits, EngineResult::TEM_BAD_TRANSFER_FEE)?;
            let metadata = object.blob(fields::MP_TOKEN_METADATA).unwrap_or_default();
            ensure(metadata.len() <= MAX_METADATA, malformed)?;
            if let Some(flags) = object.u32(fields::MUTABLE_FLAGS) {
                ensure(flags != 0 && flags & !MUTABLE == 0, EngineResult::TEM_INVALID_FLAG)?;
            }
        }
        ensure(holder.is_none() || !has_key(tx), malformed)?;
        let [issuer, auditor] = KEYS;
        ensure(object.contains(issuer) || !object.contains(auditor), malformed)?;
        key_form(tx, issuer)?;
        key_form(tx, auditor)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx, object) = (ctx.view, ctx.tx, &ctx.tx.object);
        let (missing, refused) =
            (EngineResult::TEC_OBJECT_NOT_FOUND, EngineResult::TEC_NO_PERMISSION);
        let id = issuance_id(tx);
        let issuance = token::issuance(view, id)?;
        let flags = flags_of(&issuance);
        let other_uses = view.rules().enabled(amendment::SINGLE_ASSET_VAULT)
            || view.rules().enabled(amendment::DYNAMIC_MPT);
        let locks = tx.flags & (LOCK | UNLOCK) != 0;
        ensure(flags & flag::CAN_LOCK != 0 || (other_uses && !locks), refused)?;
        ensure(issuer_of(&issuance) == tx.account, refused)?;
        if let Some(holder) = object.account(fields::HOLDER) {
            ensure(view.account(holder).is_some(), EngineResult::TEC_NO_DST)?;
            ensure(view.exists(&object_id::mptoken(id, holder)), missing)?;
        }
        if let Some(domain) = object.hash256(fields::DOMAIN_ID) {
            ensure(flags & flag::REQUIRE_AUTH != 0, refused)?;
            ensure(domain.is_zero() || view.exists(&domain), missing)?;
        }
        let may = issuance.u32(fields::MUTABLE_FLAGS).unwrap_or_default();
        let wanted = mutable_flags(tx);
        let sets = |(bit, needs): &(u32, u32)| wanted & bit == 0 || may & needs != 0;
        ensure(SETTERS.iter().all(sets), refused)?;
        let hides = allows_hiding(tx);
        let never = may & mutable::CANNOT_ENABLE_CAN_HOLD_CONFIDENTIAL_BALANCE != 0;
        ensure(!(hides && never), refused)?;
        let renames = object.contains(fields::MP_TOKEN_METADATA);
        ensure(!renames || may & mutable::CAN_MUTATE_METADATA != 0, refused)?;
        let hidden = flags & flag::CAN_HOLD_CONFIDENTIAL_BALANCE != 0;
        if let Some(fee) = object.u16(fields::TRANSFER_FEE) {
            // That the same transaction allows transfers does not help.
            let fits = fee == 0 || (flags & flag::CAN_TRANSFER != 0 && !hidden);
            ensure(fits && may & mutable::CAN_MUTATE_TRANSFER_FEE != 0, refused)?;
        }
        let replaces = |key: &Field| object.contains(*key) && issuance.contains(*key);
        ensure(!KEYS.iter().any(replaces), refused)?;
        let takes = issuance.u16(fields::TRANSFER_FEE).is_some_and(|fee| fee > 0);
        ensure(!(hides && takes), refused)?;
        ensure(!has_key(tx) || hidden || hides, refused)?;
        let circulates = number(&issuance, fields::CONFIDENTIAL_OUTSTANDING_AMOUNT) > 0;
        ensure(!((has_key(tx) || hides) && circulates), refused)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, object) = (ctx.tx, &ctx.tx.object);
        let id = issuance_id(tx);
        let key = match object.account(fields::HOLDER) {
            Some(holder) => object_id::mptoken(id, holder),
            None => object_id::mpt_issuance(id),
        };
        let entry = ctx.view.get_mut(&key).ok_or(EngineResult::TEC_INTERNAL)?;
        let before = flags_of(entry);
        let mut after = before;
        if tx.has_flag(LOCK) {
            after |= flag::LOCKED;
        } else if tx.has_flag(UNLOCK) {
            after &= !flag::LOCKED;
        }
        let wanted = mutable_flags(tx);
        for (bit, sets) in SETTERS {
            after |= if wanted & bit == 0 { 0 } else { sets };
        }
        if allows_hiding(tx) {
            after |= flag::CAN_HOLD_CONFIDENTIAL_BALANCE;
        }
        if after != before {
            entry.set(fields::FLAGS, after.into());
        }
        // Nothing in place of something takes it away.
        for (field, empty) in [
            (fields::TRANSFER_FEE, object.u16(fields::TRANSFER_FEE) == Some(0)),
            (
                fields::MP_TOKEN_METADATA,
                object.blob(fields::MP_TOKEN_METADATA).is_some_and(<[u8]>::is_empty),
            ),
            (fields::DOMAIN_ID, object.hash256(fields::DOMAIN_ID).is_some_and(|id| id.is_zero())),
        ] {
            if empty {
                entry.remove(field);
            } else {
                copy_fields(object, entry, &[field]);
            }
        }
        copy_fields(object, entry, &KEYS);
        Ok(())
    }
}
