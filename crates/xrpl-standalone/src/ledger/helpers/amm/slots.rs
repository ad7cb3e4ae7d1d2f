//! An AMM's trading fee, its auction slot and its votes.

use xrpl_protocol::{AccountId, Amount, Field, Issue, Object, Value, fields};

use crate::ledger::{
    amendment,
    view::{ReadView, ViewInfo},
};

/// How long an auction slot is held, in seconds.
pub const SLOT_SECONDS: u32 = 24 * 3600;
/// Into how many intervals that is divided.
pub const SLOT_INTERVALS: u8 = 20;
/// Others than its holder that may trade at a slot's fee.
pub const MAX_AUTH_ACCOUNTS: usize = 4;
/// The trading fee is divided by this for a slot's holder.
pub const DISCOUNT: u16 = 10;
/// A slot costs this part of the trading fee at least, in LP tokens of all.
pub const MIN_PRICE_FRACTION: i32 = 25;
/// Votes that an AMM keeps.
pub const MAX_VOTES: usize = 8;
/// The weight of a vote of all LP tokens.
pub const VOTE_WEIGHT_SCALE: u32 = 100_000;

/// Sets a fee, which is left out while it is 0.
pub fn set_fee(entry: &mut Object, field: Field, fee: u16) {
    match fee {
        0 => {
            entry.remove(field);
        }
        fee => entry.set(field, fee.into()),
    }
}

/// An AMM's trading fee.
#[must_use]
pub fn trading_fee(amm: &Object) -> u16 {
    amm.u16(fields::TRADING_FEE).unwrap_or_default()
}

/// The auction slot, to be changed.
pub fn auction_slot_mut(amm: &mut Object) -> Option<&mut Object> {
    match amm.get_mut(fields::AUCTION_SLOT) {
        Some(Value::Object(slot)) => Some(slot),
        _ => None,
    }
}

/// The trading fee of an account: a discounted one for the holder of the auction slot and whom it
/// named.
#[must_use]
pub fn trading_fee_of(view: &dyn ReadView, amm: &Object, account: AccountId) -> u16 {
    let slot = amm.object(fields::AUCTION_SLOT).filter(|slot| {
        slot.u32(fields::EXPIRATION).is_some_and(|end| view.info().parent_close_time < end)
    });
    let is = |entry: &Object| entry.account(fields::ACCOUNT) == Some(account);
    let discounted = slot.filter(|slot| {
        let named = slot.array(fields::AUTH_ACCOUNTS).unwrap_or_default();
        is(slot) || named.iter().any(|(_, named)| is(named))
    });
    match discounted {
        Some(slot) => slot.u16(fields::DISCOUNTED_FEE).unwrap_or_default(),
        None => trading_fee(amm),
    }
}

/// In which interval of its day an auction slot is at a time; none if nobody holds it.
#[must_use]
pub fn interval(now: u32, slot: &Object) -> Option<u8> {
    let end = slot.u32(fields::EXPIRATION)?;
    let passed = now.checked_sub(end.checked_sub(SLOT_SECONDS)?)?;
    let interval = passed / (SLOT_SECONDS / u32::from(SLOT_INTERVALS));
    u8::try_from(interval).ok().filter(|interval| *interval < SLOT_INTERVALS)
}

/// A vote.
#[must_use]
pub fn vote(account: AccountId, fee: u16, weight: u32) -> (Field, Object) {
    let mut vote = Object::new().with(fields::ACCOUNT, account).with(fields::VOTE_WEIGHT, weight);
    set_fee(&mut vote, fields::TRADING_FEE, fee);
    (fields::VOTE_ENTRY, vote)
}

/// The account that fills an empty pool sets its fee, and gets the only vote and the auction slot.
pub fn initialize(
    info: &ViewInfo,
    amm: &mut Object,
    account: AccountId,
    lp_issue: Issue,
    fee: u16,
) {
    amm.set(fields::VOTE_SLOTS, Value::Array(vec![vote(account, fee, VOTE_WEIGHT_SCALE)]));
    let mut slot = amm.object(fields::AUCTION_SLOT).cloned().unwrap_or_default();
    slot.set(fields::ACCOUNT, account.into());
    slot.set(fields::EXPIRATION, info.parent_close_time.saturating_add(SLOT_SECONDS).into());
    slot.set(fields::PRICE, Amount::zero(lp_issue).into());
    set_fee(&mut slot, fields::DISCOUNTED_FEE, fee / DISCOUNT);
    if info.rules.enabled(amendment::FIX_CLEANUP_3_2_0) {
        slot.remove(fields::AUTH_ACCOUNTS);
    }
    amm.set(fields::AUCTION_SLOT, Value::Object(slot));
    set_fee(amm, fields::TRADING_FEE, fee);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_twenty_intervals() {
        let slot = Object::new().with(fields::EXPIRATION, SLOT_SECONDS + 1000);
        for (now, expected) in [
            (999, None),
            (1000, Some(0)),
            (1000 + 4319, Some(0)),
            (1000 + 4320, Some(1)),
            (SLOT_SECONDS + 999, Some(19)),
            (SLOT_SECONDS + 1000, None),
        ] {
            assert_eq!(interval(now, &slot), expected, "{now}");
        }
        let early = Object::new().with(fields::EXPIRATION, 5u32);
        assert_eq!(interval(7, &early), None);
    }
}
