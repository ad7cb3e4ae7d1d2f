//! AccountSet (<https://xrpl.org/docs/references/protocol/transactions/types/accountset>).

use xrpl_protocol::{
    EngineResult, Field, Hash256, Object, Value, fields, keys::PublicKey, object_id,
};

use super::{
    ApplyContext, Consequences, PreclaimContext, PreflightContext, Transactor,
    regular_key::signed_with_master,
};
use crate::ledger::{
    PreparedTx, ReadView, Ter, directory,
    helpers::account_root::{flag, flags_of},
};

/// `tf` flags: older names of some of the settings below.
mod tf {
    pub(super) const REQUIRE_DEST_TAG: u32 = 0x0001_0000;
    pub(super) const OPTIONAL_DEST_TAG: u32 = 0x0002_0000;
    pub(super) const REQUIRE_AUTH: u32 = 0x0004_0000;
    pub(super) const OPTIONAL_AUTH: u32 = 0x0008_0000;
    pub(super) const DISALLOW_XRP: u32 = 0x0010_0000;
    pub(super) const ALLOW_XRP: u32 = 0x0020_0000;
    pub(super) const ALL: u32 = 0x003f_0000;
}

/// `asf` settings of SetFlag and ClearFlag.
mod asf {
    pub(super) const REQUIRE_DEST: u32 = 1;
    pub(super) const REQUIRE_AUTH: u32 = 2;
    pub(super) const DISALLOW_XRP: u32 = 3;
    pub(super) const DISABLE_MASTER: u32 = 4;
    pub(super) const ACCOUNT_TXN_ID: u32 = 5;
    pub(super) const NO_FREEZE: u32 = 6;
    pub(super) const GLOBAL_FREEZE: u32 = 7;
    pub(super) const DEFAULT_RIPPLE: u32 = 8;
    pub(super) const DEPOSIT_AUTH: u32 = 9;
    pub(super) const AUTHORIZED_NFTOKEN_MINTER: u32 = 10;
    pub(super) const DISALLOW_INCOMING_NFTOKEN_OFFER: u32 = 12;
    pub(super) const DISALLOW_INCOMING_CHECK: u32 = 13;
    pub(super) const DISALLOW_INCOMING_PAY_CHAN: u32 = 14;
    pub(super) const DISALLOW_INCOMING_TRUSTLINE: u32 = 15;
    pub(super) const ALLOW_TRUST_LINE_CLAWBACK: u32 = 16;
    pub(super) const ALLOW_TRUST_LINE_LOCKING: u32 = 17;
}

/// A TransferRate of 1: no fee.
const RATE_ONE: u32 = 1_000_000_000;
const TICK_SIZES: std::ops::RangeInclusive<u8> = 3..=16;
const MAX_DOMAIN: usize = 256;

/// Settings that only change a flag, in both directions.
const PLAIN: [(u32, u32); 7] = [
    (asf::DEFAULT_RIPPLE, flag::DEFAULT_RIPPLE),
    (asf::DEPOSIT_AUTH, flag::DEPOSIT_AUTH),
    (asf::DISALLOW_INCOMING_NFTOKEN_OFFER, flag::DISALLOW_INCOMING_NFTOKEN_OFFER),
    (asf::DISALLOW_INCOMING_CHECK, flag::DISALLOW_INCOMING_CHECK),
    (asf::DISALLOW_INCOMING_PAY_CHAN, flag::DISALLOW_INCOMING_PAY_CHAN),
    (asf::DISALLOW_INCOMING_TRUSTLINE, flag::DISALLOW_INCOMING_TRUSTLINE),
    (asf::ALLOW_TRUST_LINE_LOCKING, flag::ALLOW_TRUST_LINE_LOCKING),
];

/// What a transaction asks for, by flag or by setting.
struct Wanted {
    set: u32,
    clear: u32,
    require_dest: (bool, bool),
    require_auth: (bool, bool),
    disallow_xrp: (bool, bool),
}

impl Wanted {
    fn of(tx: &PreparedTx) -> Self {
        let set = tx.object.u32(fields::SET_FLAG).unwrap_or_default();
        let clear = tx.object.u32(fields::CLEAR_FLAG).unwrap_or_default();
        let both = |on, off, setting| {
            (tx.has_flag(on) || set == setting, tx.has_flag(off) || clear == setting)
        };
        Self {
            set,
            clear,
            require_dest: both(tf::REQUIRE_DEST_TAG, tf::OPTIONAL_DEST_TAG, asf::REQUIRE_DEST),
            require_auth: both(tf::REQUIRE_AUTH, tf::OPTIONAL_AUTH, asf::REQUIRE_AUTH),
            disallow_xrp: both(tf::DISALLOW_XRP, tf::ALLOW_XRP, asf::DISALLOW_XRP),
        }
    }
}

/// The type.
#[derive(Debug)]
pub(super) struct AccountSet;

impl Transactor for AccountSet {
    fn flags(&self, _ctx: &PreflightContext<'_>) -> u32 {
        tf::ALL
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        let wanted = Wanted::of(tx);
        let contradicts = |(on, off)| on && off;
        if (wanted.set != 0 && wanted.set == wanted.clear)
            || contradicts(wanted.require_auth)
            || contradicts(wanted.require_dest)
            || contradicts(wanted.disallow_xrp)
        {
            return Err(EngineResult::TEM_INVALID_FLAG);
        }
        let rate = tx.object.u32(fields::TRANSFER_RATE).unwrap_or_default();
        if rate != 0 && !(RATE_ONE..=2 * RATE_ONE).contains(&rate) {
            return Err(EngineResult::TEM_BAD_TRANSFER_RATE);
        }
        let tick = tx.object.u8(fields::TICK_SIZE).unwrap_or_default();
        if tick != 0 && !TICK_SIZES.contains(&tick) {
            return Err(EngineResult::TEM_BAD_TICK_SIZE);
        }
        let key = tx.object.blob(fields::MESSAGE_KEY).unwrap_or_default();
        if !key.is_empty() && PublicKey::from_slice(key).is_err() {
            return Err(EngineResult::TEL_BAD_PUBLIC_KEY);
        }
        if tx.object.blob(fields::DOMAIN).is_some_and(|domain| domain.len() > MAX_DOMAIN) {
            return Err(EngineResult::TEL_BAD_DOMAIN);
        }
        let names_minter = tx.object.contains(fields::NF_TOKEN_MINTER);
        if (wanted.set == asf::AUTHORIZED_NFTOKEN_MINTER && !names_minter)
            || (wanted.clear == asf::AUTHORIZED_NFTOKEN_MINTER && names_minter)
        {
            return Err(EngineResult::TEM_MALFORMED);
        }
        Ok(())
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let wanted = Wanted::of(ctx.tx);
        let root = ctx.view.account(ctx.tx.account).ok_or(EngineResult::TER_NO_ACCOUNT)?;
        let flags = flags_of(&root);
        let owns = || !directory::is_empty(ctx.view, &object_id::owner_dir(ctx.tx.account));
        if wanted.require_auth.0 && flags & flag::REQUIRE_AUTH == 0 && owns() {
            return Err(match ctx.flags.retry {
                true => EngineResult::TER_OWNERS,
                false => EngineResult::TEC_OWNERS,
            });
        }
        if wanted.set == asf::ALLOW_TRUST_LINE_CLAWBACK {
            if flags & flag::NO_FREEZE != 0 {
                return Err(EngineResult::TEC_NO_PERMISSION);
            }
            if owns() {
                return Err(EngineResult::TEC_OWNERS);
            }
        } else if wanted.set == asf::NO_FREEZE && flags & flag::ALLOW_TRUST_LINE_CLAWBACK != 0 {
            return Err(EngineResult::TEC_NO_PERMISSION);
        }
        Ok(())
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let wanted = Wanted::of(tx);
        let has_signers = ctx.view.exists(&object_id::signer_list(tx.account));
        let root = ctx.account_root()?;
        let before = flags_of(root);
        let after = new_flags(tx, &wanted, root, before, has_signers)?;
        if wanted.set == asf::ACCOUNT_TXN_ID && !root.contains(fields::ACCOUNT_TXN_ID) {
            root.set(fields::ACCOUNT_TXN_ID, Value::Hash256(Hash256::ZERO));
        }
        if wanted.clear == asf::ACCOUNT_TXN_ID {
            root.remove(fields::ACCOUNT_TXN_ID);
        }
        for field in
            [fields::EMAIL_HASH, fields::WALLET_LOCATOR, fields::MESSAGE_KEY, fields::DOMAIN]
        {
            set_or_remove(root, field, tx.object.get(field), |value| match value {
                Value::Hash128(hash) => *hash == [0; 16],
                Value::Hash256(hash) => hash.is_zero(),
                Value::Blob(bytes) => bytes.is_empty(),
                _ => false,
            });
        }
        set_or_remove(root, fields::TRANSFER_RATE, tx.object.get(fields::TRANSFER_RATE), |value| {
            matches!(value, Value::UInt32(0 | RATE_ONE))
        });
        set_or_remove(
            root,
            fields::TICK_SIZE,
            tx.object.get(fields::TICK_SIZE),
            |value| matches!(value, Value::UInt8(tick) if *tick == 0 || tick == TICK_SIZES.end()),
        );
        if wanted.set == asf::AUTHORIZED_NFTOKEN_MINTER {
            set_or_remove(
                root,
                fields::NF_TOKEN_MINTER,
                tx.object.get(fields::NF_TOKEN_MINTER),
                |_| false,
            );
        }
        if wanted.clear == asf::AUTHORIZED_NFTOKEN_MINTER {
            root.remove(fields::NF_TOKEN_MINTER);
        }
        if after != before {
            root.set(fields::FLAGS, after.into());
        }
        Ok(())
    }

    fn consequences(&self, tx: &PreparedTx) -> Consequences {
        let wanted = Wanted::of(tx);
        let blocks = |setting| {
            matches!(setting, asf::REQUIRE_AUTH | asf::DISABLE_MASTER | asf::ACCOUNT_TXN_ID)
        };
        let blocker = wanted.require_auth.0
            || wanted.require_auth.1
            || blocks(wanted.set)
            || blocks(wanted.clear);
        Consequences { blocker, ..Consequences::normal(tx) }
    }
}

/// A value of the transaction replaces that of the account; an empty one removes it.
fn set_or_remove(
    root: &mut Object,
    field: Field,
    value: Option<&Value>,
    empty: impl Fn(&Value) -> bool,
) {
    match value {
        None => {}
        Some(value) if empty(value) => {
            root.remove(field);
        }
        Some(value) => root.set(field, value.clone()),
    }
}

fn new_flags(
    tx: &PreparedTx,
    wanted: &Wanted,
    root: &Object,
    before: u32,
    has_signers: bool,
) -> Result<u32, EngineResult> {
    let mut flags = before;
    for ((on, off), bit) in [
        (wanted.require_auth, flag::REQUIRE_AUTH),
        (wanted.require_dest, flag::REQUIRE_DEST_TAG),
        (wanted.disallow_xrp, flag::DISALLOW_XRP),
    ] {
        if on {
            flags |= bit;
        }
        if off {
            flags &= !bit;
        }
    }
    let master = signed_with_master(tx);
    if wanted.set == asf::DISABLE_MASTER && before & flag::DISABLE_MASTER == 0 {
        if !master {
            return Err(EngineResult::TEC_NEED_MASTER_KEY);
        }
        if !root.contains(fields::REGULAR_KEY) && !has_signers {
            return Err(EngineResult::TEC_NO_ALTERNATIVE_KEY);
        }
        flags |= flag::DISABLE_MASTER;
    }
    if wanted.clear == asf::DISABLE_MASTER {
        flags &= !flag::DISABLE_MASTER;
    }
    if wanted.set == asf::NO_FREEZE {
        if !master && before & flag::DISABLE_MASTER == 0 {
            return Err(EngineResult::TEC_NEED_MASTER_KEY);
        }
        flags |= flag::NO_FREEZE;
    }
    if wanted.set == asf::GLOBAL_FREEZE {
        flags |= flag::GLOBAL_FREEZE;
    }
    // Who gave up freezing cannot lift a global freeze, so that it is no threat to play with.
    if wanted.set != asf::GLOBAL_FREEZE
        && wanted.clear == asf::GLOBAL_FREEZE
        && flags & flag::NO_FREEZE == 0
    {
        flags &= !flag::GLOBAL_FREEZE;
    }
    for (setting, bit) in PLAIN {
        if wanted.set == setting {
            flags |= bit;
        } else if wanted.clear == setting {
            flags &= !bit;
        }
    }
    if wanted.set == asf::ALLOW_TRUST_LINE_CLAWBACK {
        flags |= flag::ALLOW_TRUST_LINE_CLAWBACK;
    }
    Ok(flags)
}
