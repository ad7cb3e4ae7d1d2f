//! TrustSet (<https://xrpl.org/docs/references/protocol/transactions/types/trustset>).

use xrpl_protocol::{
    AccountId, Amount, Currency, EngineResult, IssuedValue, Object, fields, object_id,
};

use super::{ApplyContext, Granular, PreclaimContext, PreflightContext, Transactor, ensure};
use crate::ledger::{
    ApplyView, PreparedTx, ReadView, Ter, amendment,
    helpers::{
        BAD_CURRENCY,
        account_root::{adjust_owner_count, flag, flags_of, is_pseudo, owner_count},
        trust_line::{self, NewLine, Side, balance, value_of},
    },
};

mod tf {
    pub(super) const SET_AUTH: u32 = 0x0001_0000;
    pub(super) const SET_NO_RIPPLE: u32 = 0x0002_0000;
    pub(super) const CLEAR_NO_RIPPLE: u32 = 0x0004_0000;
    pub(super) const SET_FREEZE: u32 = 0x0010_0000;
    pub(super) const CLEAR_FREEZE: u32 = 0x0020_0000;
    pub(super) const SET_DEEP_FREEZE: u32 = 0x0040_0000;
    pub(super) const CLEAR_DEEP_FREEZE: u32 = 0x0080_0000;
    pub(super) const ALL: u32 = 0x00f7_0000;
}

/// Drops that there are at all.
const MAX_DROPS: u64 = 100_000_000_000_000_000;
/// A quality of 1, which is the default.
const QUALITY_ONE: u32 = 1_000_000_000;
/// Lines (and other things) an account may own before a line's reserve is demanded.
const FREE_ITEMS: u32 = 2;

/// The type.
#[derive(Debug)]
pub(super) struct TrustSet;

/// `LimitAmount`, taken apart.
struct Limit {
    value: IssuedValue,
    currency: Currency,
    peer: AccountId,
}

fn limit(tx: &PreparedTx) -> Option<Limit> {
    match tx.object.amount(fields::LIMIT_AMOUNT)? {
        Amount::Issued { value, currency, issuer } => Some(Limit { value, currency, peer: issuer }),
        _ => None,
    }
}

fn freeze_flags(mut flags: u32, tx: &PreparedTx, side: Side, no_freeze: bool) -> u32 {
    for (set, clear, bit) in [
        (tf::SET_FREEZE, tf::CLEAR_FREEZE, side.freeze()),
        (tf::SET_DEEP_FREEZE, tf::CLEAR_DEEP_FREEZE, side.deep_freeze()),
    ] {
        match (tx.has_flag(set), tx.has_flag(clear)) {
            (true, false) if !no_freeze => flags |= bit,
            (false, true) => flags &= !bit,
            _ => {}
        }
    }
    flags
}

/// Pseudo-accounts take no new lines, but for an AMM's own tokens while it has any.
fn check_pseudo_peer(view: &dyn ReadView, peer: &Object, limit: &Limit, exists: bool) -> Ter {
    if exists || !is_pseudo(peer) {
        return Ok(());
    }
    let Some(amm) = peer.hash256(fields::AMMID) else {
        return Err(EngineResult::TEC_NO_PERMISSION);
    };
    let amm = view.read(&amm).ok_or(EngineResult::TEC_INTERNAL)?;
    let Some(Amount::Issued { value, currency, .. }) = amm.amount(fields::LP_TOKEN_BALANCE) else {
        return Err(EngineResult::TEC_INTERNAL);
    };
    ensure(!value.is_zero(), EngineResult::TEC_AMM_EMPTY)?;
    ensure(currency == limit.currency, EngineResult::TEC_NO_PERMISSION)
}

impl Transactor for TrustSet {
    fn flags(&self, _ctx: &PreflightContext<'_>) -> u32 {
        tf::ALL
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        let deep = tf::SET_DEEP_FREEZE | tf::CLEAR_DEEP_FREEZE;
        if tx.has_flag(deep) && !ctx.rules.enabled(amendment::DEEP_FREEZE) {
            return Err(EngineResult::TEM_INVALID_FLAG);
        }
        let most = tx.object.amount(fields::LIMIT_AMOUNT).and_then(|amount| amount.drops());
        if most.is_some_and(|drops| drops.unsigned_abs() > MAX_DROPS) {
            return Err(EngineResult::TEM_BAD_AMOUNT);
        }
        let limit = limit(tx).ok_or(EngineResult::TEM_BAD_LIMIT)?;
        if limit.currency == BAD_CURRENCY {
            return Err(EngineResult::TEM_BAD_CURRENCY);
        }
        if limit.value.is_negative() {
            return Err(EngineResult::TEM_BAD_LIMIT);
        }
        if limit.peer == AccountId::ZERO || limit.peer == AccountId::ONE {
            return Err(EngineResult::TEM_DST_NEEDED);
        }
        Ok(())
    }

    /// No granular permission is one to create a line or to change its limit.
    fn check_granular(&self, view: &dyn ReadView, tx: &PreparedTx, _held: &[Granular]) -> Ter {
        let same = limit(tx).is_some_and(|limit| {
            let key = object_id::trust_line(tx.account, limit.peer, limit.currency);
            let side = Side::of(tx.account, limit.peer);
            view.read(&key).is_some_and(|line| value_of(&line, side.limit()) == limit.value)
        });
        ensure(same, EngineResult::TER_NO_DELEGATE_PERMISSION)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let tx = ctx.tx;
        let limit = limit(tx).ok_or(EngineResult::TEM_BAD_LIMIT)?;
        let root = ctx.view.account(tx.account).ok_or(EngineResult::TER_NO_ACCOUNT)?;
        let flags = flags_of(&root);
        if tx.has_flag(tf::SET_AUTH) && flags & flag::REQUIRE_AUTH == 0 {
            return Err(EngineResult::TEF_NO_AUTH_REQUIRED);
        }
        if tx.account == limit.peer {
            return Err(EngineResult::TEM_DST_IS_SRC);
        }
        let peer = ctx.view.account(limit.peer).ok_or(EngineResult::TEC_NO_DST)?;
        let line = ctx.view.read(&object_id::trust_line(tx.account, limit.peer, limit.currency));
        let may_stay =
            line.is_some() && ctx.view.rules().enabled(amendment::FIX_DISALLOW_INCOMING_V1);
        if flags_of(&peer) & flag::DISALLOW_INCOMING_TRUSTLINE != 0 && !may_stay {
            return Err(EngineResult::TEC_NO_PERMISSION);
        }
        check_pseudo_peer(ctx.view, &peer, &limit, line.is_some())?;
        if !ctx.view.rules().enabled(amendment::DEEP_FREEZE) {
            return Ok(());
        }
        let no_freeze = flags & flag::NO_FREEZE != 0;
        let sets = tx.has_flag(tf::SET_FREEZE | tf::SET_DEEP_FREEZE);
        if sets && (no_freeze || tx.has_flag(tf::CLEAR_FREEZE | tf::CLEAR_DEEP_FREEZE)) {
            return Err(EngineResult::TEC_NO_PERMISSION);
        }
        let side = Side::of(tx.account, limit.peer);
        let frozen = freeze_flags(line.as_deref().map_or(0, flags_of), tx, side, no_freeze);
        // Deep is only what is frozen already.
        if frozen & side.deep_freeze() != 0 && frozen & side.freeze() == 0 {
            return Err(EngineResult::TEC_NO_PERMISSION);
        }
        Ok(())
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let limit = limit(tx).ok_or(EngineResult::TEM_BAD_LIMIT)?;
        let root = ctx.view.account(tx.account).ok_or(EngineResult::TEF_INTERNAL)?;
        let count = owner_count(&root);
        let reserve = if count < FREE_ITEMS {
            0
        } else {
            ctx.view.info().fees.account_reserve(count.saturating_add(1))
        };
        let poor = ctx.prior_balance < i64::try_from(reserve).unwrap_or(i64::MAX);
        let quality_in = tx.object.u32(fields::QUALITY_IN);
        let quality_out =
            tx.object.u32(fields::QUALITY_OUT).map(|q| if q == QUALITY_ONE { 0 } else { q });
        let key = object_id::trust_line(tx.account, limit.peer, limit.currency);
        if ctx.view.exists(&key) {
            return change(ctx, &limit, quality_in, quality_out, poor);
        }
        let (quality_in, quality_out) = (quality_in.unwrap_or(0), quality_out.unwrap_or(0));
        let auth = tx.has_flag(tf::SET_AUTH);
        if limit.value.is_zero() && quality_in == 0 && quality_out == 0 && !auth {
            return Err(EngineResult::TEC_NO_LINE_REDUNDANT);
        }
        if poor {
            return Err(EngineResult::TEC_NO_LINE_INSUF_RESERVE);
        }
        let side = Side::of(tx.account, limit.peer);
        let only = |set, clear| tx.has_flag(set) && !tx.has_flag(clear);
        let mut flags = 0;
        for (wanted, bit) in [
            (auth, side.auth()),
            (only(tf::SET_NO_RIPPLE, tf::CLEAR_NO_RIPPLE), side.no_ripple()),
            (only(tf::SET_FREEZE, tf::CLEAR_FREEZE), side.freeze()),
            (tx.has_flag(tf::SET_DEEP_FREEZE), side.deep_freeze()),
        ] {
            if wanted {
                flags |= bit;
            }
        }
        let new = NewLine {
            account: tx.account,
            peer: limit.peer,
            currency: limit.currency,
            balance: IssuedValue::ZERO,
            limit: limit.value,
            flags,
            quality_in,
            quality_out,
        };
        trust_line::create(&mut ctx.view, &new)
    }
}

/// Sets, keeps or removes a quality.
fn put_quality(line: &mut Object, field: xrpl_protocol::Field, quality: Option<u32>) {
    match quality {
        None => {}
        Some(0) => {
            line.remove(field);
        }
        Some(quality) => line.set(field, quality.into()),
    }
}

/// Whether a side has a reason to keep the line, for which it owes a reserve.
fn wants(line: &Object, flags: u32, side: Side, default_ripple: bool) -> bool {
    let quality = |field| !matches!(line.u32(field), None | Some(0 | QUALITY_ONE));
    quality(side.quality_in())
        || quality(side.quality_out())
        || (flags & side.no_ripple() == 0) != default_ripple
        || flags & side.freeze() != 0
        || !value_of(line, side.limit()).is_zero()
        || balance(line, side).signum() > 0
}

fn change(
    ctx: &mut ApplyContext<'_>,
    limit: &Limit,
    quality_in: Option<u32>,
    quality_out: Option<u32>,
    poor: bool,
) -> Ter {
    let tx = ctx.tx;
    let side = Side::of(tx.account, limit.peer);
    let root = ctx.view.account(tx.account).ok_or(EngineResult::TEF_INTERNAL)?;
    let peer = ctx.view.account(limit.peer).ok_or(EngineResult::TEC_NO_DST)?;
    let no_freeze = flags_of(&root) & flag::NO_FREEZE != 0;
    let key = object_id::trust_line(tx.account, limit.peer, limit.currency);
    let line = ctx.view.get_mut(&key).ok_or(EngineResult::TEF_INTERNAL)?;
    let own = Amount::Issued { value: limit.value, currency: limit.currency, issuer: tx.account };
    line.set(side.limit(), own.into());
    put_quality(line, side.quality_in(), quality_in);
    put_quality(line, side.quality_out(), quality_out);
    let before = flags_of(line);
    let mut flags = before;
    match (tx.has_flag(tf::SET_NO_RIPPLE), tx.has_flag(tf::CLEAR_NO_RIPPLE)) {
        // Who owes on the line must let it ripple.
        (true, false) if balance(line, side).signum() < 0 => {
            return Err(EngineResult::TEC_NO_PERMISSION);
        }
        (true, false) => flags |= side.no_ripple(),
        (false, true) => flags &= !side.no_ripple(),
        _ => {}
    }
    flags = freeze_flags(flags, tx, side, no_freeze);
    let ripples = |root: &Object| flags_of(root) & flag::DEFAULT_RIPPLE != 0;
    let sides = [
        (side, tx.account, wants(line, flags, side, ripples(&root))),
        (side.other(), limit.peer, wants(line, flags, side.other(), ripples(&peer))),
    ];
    if tx.has_flag(tf::SET_AUTH) {
        flags |= side.auth();
    }
    let mut owes_more = false;
    let mut counts = Vec::with_capacity(2);
    for (of, account, wants) in sides {
        match (wants, flags & of.reserve() != 0) {
            (true, false) => {
                counts.push((account, 1));
                flags |= of.reserve();
                owes_more |= of == side;
            }
            (false, true) => {
                counts.push((account, -1));
                flags &= !of.reserve();
            }
            _ => {}
        }
    }
    if flags != before {
        line.set(fields::FLAGS, flags.into());
    }
    for (account, by) in counts {
        adjust_owner_count(&mut ctx.view, account, by)?;
    }
    if sides.iter().all(|(_, _, wants)| !wants) {
        let (low, high) = (tx.account.min(limit.peer), tx.account.max(limit.peer));
        return trust_line::delete(&mut ctx.view, &key, low, high);
    }
    if owes_more && poor { Err(EngineResult::TEC_INSUF_RESERVE_LINE) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use xrpl_protocol::Hash256;

    use super::*;
    use crate::ledger::{OpenView, Sandbox, entry_type, genesis};

    #[test]
    fn pseudo_accounts_take_only_lines_for_an_amm_s_own_tokens() {
        let (_, closed) = genesis::ledgers(&genesis::amendments(), Default::default(), 10);
        let open = OpenView::new(Arc::new(closed), false);
        let mut view = Sandbox::new(&open);
        let (peer, amm) = (AccountId([7; 20]), Hash256([8; 32]));
        let (tokens, other) = (Currency([3; 20]), Currency([4; 20]));
        let value = |n| IssuedValue::new(n, 0).unwrap();
        let root = |field| entry_type::new(entry_type::ACCOUNT_ROOT).with(field, amm);
        let check = |view: &Sandbox<'_>, root: &Object, currency, exists| {
            let limit = Limit { value: value(1), currency, peer };
            check_pseudo_peer(view, root, &limit, exists)
        };
        let put = |view: &mut Sandbox<'_>, n| {
            let balance = Amount::issued(value(n), tokens, peer);
            let entry = entry_type::new(entry_type::AMM).with(fields::LP_TOKEN_BALANCE, balance);
            view.insert(amm, entry);
        };
        let of_amm = root(fields::AMMID);
        put(&mut view, 5);
        let (ok, no) = (Ok(()), Err(EngineResult::TEC_NO_PERMISSION));
        assert_eq!(check(&view, &of_amm, tokens, false), ok);
        assert_eq!(check(&view, &of_amm, other, false), no);
        assert_eq!(check(&view, &of_amm, other, true), ok);
        put(&mut view, 0);
        assert_eq!(check(&view, &of_amm, tokens, false), Err(EngineResult::TEC_AMM_EMPTY));
        for field in [fields::VAULT_ID, fields::LOAN_BROKER_ID] {
            assert_eq!(check(&view, &root(field), tokens, false), no);
            assert_eq!(check(&view, &root(field), tokens, true), ok);
        }
        let person = entry_type::new(entry_type::ACCOUNT_ROOT);
        assert_eq!(check(&view, &person, tokens, false), ok);
    }
}
