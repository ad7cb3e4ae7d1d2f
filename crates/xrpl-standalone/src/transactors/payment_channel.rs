//! Payment channels: PaymentChannelCreate, PaymentChannelFund, PaymentChannelClaim
//! (<https://xrpl.org/docs/concepts/payment-types/payment-channels>).

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Hash256, Object, fields, keys::PublicKey, object_id,
    sign::claim_message,
};

use super::{
    ApplyContext, Consequences, PreclaimContext, PreflightContext, Transactor, destination, ensure,
    xrp_amount,
};
use crate::ledger::{
    ApplyView, Entry, PreparedTx, ReadView, Ter, amendment, directory, entry_type,
    helpers::{
        account_root::{
            add_balance, adjust_owner_count, balance_of, check_destination_and_tag, flag, flags_of,
            is_pseudo, reserve,
        },
        copy_fields, credentials,
    },
    view::drops,
};

/// Its source takes back that it wants the channel closed.
const RENEW: u32 = 0x0001_0000;
/// Its source wants it closed after the settle delay, or its destination closes it at once.
const CLOSE: u32 = 0x0002_0000;

/// PaymentChannelCreate.
#[derive(Debug)]
pub(super) struct Create;

/// PaymentChannelFund.
#[derive(Debug)]
pub(super) struct Fund;

/// PaymentChannelClaim.
#[derive(Debug)]
pub(super) struct Claim;

/// An amount of XRP above zero.
fn positive_xrp(tx: &PreparedTx) -> Result<i64, EngineResult> {
    xrp_amount(tx).filter(|drops| *drops > 0).ok_or(EngineResult::TEM_BAD_AMOUNT)
}

/// The channel that a transaction names.
fn channel_id(tx: &PreparedTx) -> Hash256 {
    tx.object.hash256(fields::CHANNEL).unwrap_or_default()
}

fn channel(view: &dyn ReadView, id: &Hash256) -> Option<Entry> {
    view.read(id).filter(|entry| entry_type::of(entry) == entry_type::PAY_CHANNEL)
}

fn names_channel(ctx: &PreflightContext<'_>) -> Ter {
    let mended = ctx.rules.enabled(amendment::FIX_CLEANUP_3_2_0);
    ensure(!mended || !channel_id(ctx.tx).is_zero(), EngineResult::TEM_MALFORMED)
}

/// Whether an account can lock up so much beyond the reserve of what it owns and `more`.
fn can_afford(view: &dyn ReadView, root: &Object, more: u32, amount: i64) -> Ter {
    let (balance, keep) = (balance_of(root), reserve(view, root, more));
    ensure(balance >= keep, EngineResult::TEC_INSUFFICIENT_RESERVE)?;
    ensure(balance >= keep.saturating_add(amount), EngineResult::TEC_UNFUNDED)
}

/// Whether the channel's own time or the one at which its source wants it closed is over.
fn is_expired(view: &dyn ReadView, channel: &Object) -> bool {
    let now = view.info().parent_close_time;
    let mended = view.rules().enabled(amendment::FIX_CLEANUP_3_2_0);
    [fields::CANCEL_AFTER, fields::EXPIRATION]
        .into_iter()
        .filter_map(|field| channel.u32(field))
        .any(|at| if mended { now > at } else { now >= at })
}

/// When a channel closes whose source asks for it now.
fn settles_at(view: &dyn ReadView, channel: &Object) -> u32 {
    let delay = channel.u32(fields::SETTLE_DELAY).unwrap_or_default();
    let now = view.info().parent_close_time;
    if view.rules().enabled(amendment::FIX_CLEANUP_3_2_0) {
        now.saturating_add(delay)
    } else {
        now.wrapping_add(delay)
    }
}

/// Deletes a channel; what it has not paid out goes back to its source.
fn close(view: &mut dyn ApplyView, id: &Hash256, channel: &Object) -> Ter {
    let source = channel.account(fields::ACCOUNT).ok_or(EngineResult::TEF_INTERNAL)?;
    let mut places = vec![(source, channel.u64(fields::OWNER_NODE).unwrap_or_default())];
    if let Some(page) = channel.u64(fields::DESTINATION_NODE) {
        let to = channel.account(fields::DESTINATION).ok_or(EngineResult::TEF_INTERNAL)?;
        places.push((to, page));
    }
    for (owner, page) in places {
        let removed = directory::remove(view, object_id::owner_dir(owner), page, id, true);
        ensure(removed, EngineResult::TEF_BAD_LEDGER)?;
    }
    let left = drops(channel, fields::AMOUNT) - drops(channel, fields::BALANCE);
    add_balance(view, source, left)?;
    adjust_owner_count(view, source, -1)?;
    view.erase(id);
    Ok(())
}

fn change<'a>(view: &'a mut dyn ApplyView, id: &Hash256) -> Result<&'a mut Object, EngineResult> {
    view.get_mut(id).ok_or(EngineResult::TEF_INTERNAL)
}

impl Transactor for Create {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        positive_xrp(tx)?;
        ensure(tx.account != destination(tx), EngineResult::TEM_DST_IS_SRC)?;
        let key = tx.object.blob(fields::PUBLIC_KEY).unwrap_or_default();
        ensure(PublicKey::from_slice(key).is_ok(), EngineResult::TEM_MALFORMED)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let tx = ctx.tx;
        let root = ctx.view.account(tx.account).ok_or(EngineResult::TER_NO_ACCOUNT)?;
        can_afford(ctx.view, &root, 1, positive_xrp(tx)?)?;
        let to = ctx.view.account(destination(tx)).ok_or(EngineResult::TEC_NO_DST)?;
        let refuses = flags_of(&to) & flag::DISALLOW_INCOMING_PAY_CHAN != 0;
        ensure(!refuses, EngineResult::TEC_NO_PERMISSION)?;
        check_destination_and_tag(Some(&to), tx.object.contains(fields::DESTINATION_TAG))?;
        ensure(!is_pseudo(&to), EngineResult::TEC_NO_PERMISSION)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let amount = positive_xrp(tx)?;
        let view = &mut ctx.view;
        let now = view.info().parent_close_time;
        let late = tx.object.u32(fields::CANCEL_AFTER).is_some_and(|at| now > at);
        if late && view.rules().enabled(amendment::FIX_PAY_CHAN_CANCEL_AFTER) {
            return Err(EngineResult::TEC_EXPIRED);
        }
        let (from, to, number) = (tx.account, destination(tx), tx.seq.value());
        let id = object_id::pay_channel(from, to, number);
        let mut channel = entry_type::new(entry_type::PAY_CHANNEL)
            .with(fields::AMOUNT, Amount::Xrp(amount))
            .with(fields::BALANCE, Amount::Xrp(0))
            .with(fields::ACCOUNT, from)
            .with(fields::DESTINATION, to);
        let copied = [
            fields::SETTLE_DELAY,
            fields::PUBLIC_KEY,
            fields::CANCEL_AFTER,
            fields::SOURCE_TAG,
            fields::DESTINATION_TAG,
        ];
        copy_fields(&tx.object, &mut channel, &copied);
        if view.rules().enabled(amendment::FIX_INCLUDE_KEYLET_FIELDS) {
            channel.set(fields::SEQUENCE, number.into());
        }
        for (owner, node) in [(from, fields::OWNER_NODE), (to, fields::DESTINATION_NODE)] {
            let page = directory::add_owned(view, owner, id).ok_or(EngineResult::TEC_DIR_FULL)?;
            channel.set(node, page.into());
        }
        view.insert(id, channel);
        add_balance(view, from, -amount)?;
        adjust_owner_count(view, from, 1)
    }

    fn consequences(&self, tx: &PreparedTx) -> Consequences {
        Consequences::spending(tx, xrp_amount(tx).unwrap_or_default())
    }
}

impl Transactor for Fund {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        names_channel(ctx)?;
        positive_xrp(ctx.tx).map(drop)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let view = &mut ctx.view;
        let amount = positive_xrp(tx)?;
        let id = channel_id(tx);
        let found = channel(view, &id).ok_or(EngineResult::TEC_NO_ENTRY)?;
        if is_expired(view, &found) {
            return close(view, &id, &found);
        }
        let refused = EngineResult::TEC_NO_PERMISSION;
        ensure(found.account(fields::ACCOUNT) == Some(tx.account), refused)?;
        if let Some(expiration) = tx.object.u32(fields::EXPIRATION) {
            let settles = settles_at(view, &found);
            let least = found.u32(fields::EXPIRATION).map_or(settles, |now| now.min(settles));
            if expiration < least {
                let mended = view.rules().enabled(amendment::FIX_CLEANUP_3_2_0);
                return Err(if mended { refused } else { EngineResult::TEM_BAD_EXPIRATION });
            }
            change(view, &id)?.set(fields::EXPIRATION, expiration.into());
        }
        let root = view.account(tx.account).ok_or(EngineResult::TEF_INTERNAL)?;
        can_afford(view, &root, 0, amount)?;
        drop(root);
        let to = found.account(fields::DESTINATION).unwrap_or_default();
        ensure(view.account(to).is_some(), EngineResult::TEC_NO_DST)?;
        let funds = drops(&found, fields::AMOUNT).saturating_add(amount);
        drop(found);
        change(view, &id)?.set(fields::AMOUNT, Amount::Xrp(funds).into());
        add_balance(view, tx.account, -amount)
    }

    fn consequences(&self, tx: &PreparedTx) -> Consequences {
        Consequences::spending(tx, xrp_amount(tx).unwrap_or_default())
    }
}

impl Transactor for Claim {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        !ctx.tx.object.contains(fields::CREDENTIAL_I_DS)
            || ctx.rules.enabled(amendment::CREDENTIALS)
    }

    fn flags(&self, _ctx: &PreflightContext<'_>) -> u32 {
        RENEW | CLOSE
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        names_channel(ctx)?;
        let claimed = optional_xrp(tx, fields::BALANCE)?;
        let authorized = optional_xrp(tx, fields::AMOUNT)?;
        if let (Some(claimed), Some(authorized)) = (claimed, authorized) {
            ensure(claimed <= authorized, EngineResult::TEM_BAD_AMOUNT)?;
        }
        if tx.has_flag(CLOSE) && tx.has_flag(RENEW) {
            return Err(EngineResult::TEM_MALFORMED);
        }
        if let Some(signature) = tx.object.blob(fields::SIGNATURE) {
            let malformed = EngineResult::TEM_MALFORMED;
            let claimed = claimed.ok_or(malformed)?;
            let key = tx.object.blob(fields::PUBLIC_KEY).ok_or(malformed)?;
            let key = PublicKey::from_slice(key).map_err(|_| malformed)?;
            let authorized = authorized.unwrap_or(claimed).unsigned_abs();
            let message = claim_message(&channel_id(tx), authorized);
            ensure(key.verify(&message, signature), EngineResult::TEM_BAD_SIGNATURE)?;
        }
        credentials::check_fields(&tx.object)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        if !ctx.view.rules().enabled(amendment::CREDENTIALS) {
            return Ok(());
        }
        credentials::valid(ctx.view, &ctx.tx.object, ctx.tx.account)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let view = &mut ctx.view;
        let id = channel_id(tx);
        let found = channel(view, &id).ok_or(EngineResult::TEC_NO_TARGET)?;
        if is_expired(view, &found) {
            return close(view, &id, &found);
        }
        let internal = EngineResult::TEF_INTERNAL;
        let from = found.account(fields::ACCOUNT).ok_or(internal)?;
        let to = found.account(fields::DESTINATION).ok_or(internal)?;
        let refused = EngineResult::TEC_NO_PERMISSION;
        ensure(tx.account == from || tx.account == to, refused)?;
        if let Some(claimed) = optional_xrp(tx, fields::BALANCE)? {
            pay_out(view, tx, &id, &found, to, claimed)?;
        }
        if tx.has_flag(RENEW) {
            ensure(tx.account == from, refused)?;
            change(view, &id)?.remove(fields::EXPIRATION);
        }
        if tx.has_flag(CLOSE) {
            let now = channel(view, &id).ok_or(internal)?;
            let dry = drops(&now, fields::BALANCE) == drops(&now, fields::AMOUNT);
            if tx.account == to || dry {
                return close(view, &id, &now);
            }
            let settles = settles_at(view, &now);
            drop(now);
            if found.u32(fields::EXPIRATION).is_none_or(|at| at > settles) {
                change(view, &id)?.set(fields::EXPIRATION, settles.into());
            }
        }
        Ok(())
    }
}

fn optional_xrp(tx: &PreparedTx, field: xrpl_protocol::Field) -> Result<Option<i64>, EngineResult> {
    match tx.object.amount(field) {
        None => Ok(None),
        Some(Amount::Xrp(drops)) if drops > 0 => Ok(Some(drops)),
        Some(_) => Err(EngineResult::TEM_BAD_AMOUNT),
    }
}

/// Pays the destination what is claimed beyond what it had before.
fn pay_out(
    view: &mut dyn ApplyView,
    tx: &PreparedTx,
    id: &Hash256,
    channel: &Object,
    to: AccountId,
    claimed: i64,
) -> Ter {
    let mended = view.rules().enabled(amendment::FIX_CLEANUP_3_2_0);
    let or = |old| if mended { EngineResult::TEC_NO_PERMISSION } else { old };
    let signed = tx.object.contains(fields::SIGNATURE);
    // The source needs no signature of its own.
    ensure(tx.account != to || signed, or(EngineResult::TEM_BAD_SIGNATURE))?;
    let same_key = tx.object.blob(fields::PUBLIC_KEY) == channel.blob(fields::PUBLIC_KEY);
    ensure(!signed || same_key, or(EngineResult::TEM_BAD_SIGNER))?;
    let (paid, funds) = (drops(channel, fields::BALANCE), drops(channel, fields::AMOUNT));
    ensure(claimed <= funds && claimed > paid, EngineResult::TEC_UNFUNDED_PAYMENT)?;
    ensure(view.account(to).is_some(), EngineResult::TEC_NO_DST)?;
    credentials::verify_deposit_preauth(view, &tx.object, tx.account, to)?;
    change(view, id)?.set(fields::BALANCE, Amount::Xrp(claimed).into());
    add_balance(view, to, claimed - paid)
}
