//! AMMBid (<https://xrpl.org/docs/references/protocol/transactions/types/ammbid>): LP tokens are burnt
//! for a day of trading at a tenth of the fee; who is outbid gets the rest of its price back.

use std::collections::BTreeSet;

use xrpl_protocol::{AccountId, Amount, EngineResult, Field, Object, decimal::Decimal, fields};

use super::{assets, existing, form, mpts_allowed, written};
use crate::{
    ledger::{
        ApplyView, PreparedTx, ReadView, Sandbox, Ter, amendment,
        helpers::{
            amm::{
                fee_share,
                pool::{lp_holds, lp_tokens},
                rounding::{Flow, adjusted_lp_tokens},
                slots::{
                    self, DISCOUNT, MAX_AUTH_ACCOUNTS, MIN_PRICE_FRACTION, SLOT_INTERVALS,
                    SLOT_SECONDS, set_fee,
                },
            },
            token::{self, TransferFee},
            trust_line,
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// The type.
#[derive(Debug)]
pub(crate) struct Bid;

fn bid(tx: &PreparedTx, field: Field) -> Option<Amount> {
    tx.object.amount(field)
}

fn named(tx: &PreparedTx) -> impl Iterator<Item = AccountId> {
    let named = tx.object.array(fields::AUTH_ACCOUNTS).unwrap_or_default();
    named.iter().map(|(_, entry)| entry.account(fields::ACCOUNT).unwrap_or_default())
}

impl Transactor for Bid {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        mpts_allowed(ctx)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        form::pair(assets(ctx.tx))?;
        for field in [fields::BID_MIN, fields::BID_MAX] {
            if let Some(amount) = bid(ctx.tx, field) {
                form::amount(&amount, None, false)?;
            }
        }
        let malformed = EngineResult::TEM_MALFORMED;
        ensure(named(ctx.tx).count() <= MAX_AUTH_ACCOUNTS, malformed)?;
        if ctx.rules.enabled(amendment::FIX_AMM_V1_3) {
            let mut seen = BTreeSet::from([ctx.tx.account]);
            ensure(named(ctx.tx).all(|account| seen.insert(account)), malformed)?;
        }
        Ok(())
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (_, amm) = existing(ctx.view, ctx.tx)?;
        let all = lp_tokens(&amm);
        ensure(!all.is_zero(), EngineResult::TEC_AMM_EMPTY)?;
        let exist = named(ctx.tx).all(|account| ctx.view.account(account).is_some());
        ensure(exist, EngineResult::TER_NO_ACCOUNT)?;
        let invalid = EngineResult::TEC_AMM_INVALID_TOKENS;
        let held = lp_holds(ctx.view, &amm, ctx.tx.account);
        ensure(!held.is_zero(), invalid)?;
        let (least, most) = (bid(ctx.tx, fields::BID_MIN), bid(ctx.tx, fields::BID_MAX));
        for amount in [least, most].into_iter().flatten() {
            ensure(amount.issue() == held.issue(), EngineResult::TEM_BAD_AMM_TOKENS)?;
            ensure(!amount.is_more(&held) && amount.is_less(&all), invalid)?;
        }
        match (least, most) {
            (Some(least), Some(most)) => ensure(!least.is_more(&most), invalid),
            _ => Ok(()),
        }
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let view = &mut ctx.view;
        let internal = EngineResult::TEC_INTERNAL;
        let (_, amm) = existing(view, tx).map_err(|_| internal)?;
        let slot = match amm.object(fields::AUCTION_SLOT) {
            Some(slot) => slot.clone(),
            None if view.rules().enabled(amendment::FIX_INNER_OBJ_TEMPLATE) => {
                return Err(internal);
            }
            None => Object::new(),
        };
        let held = lp_holds(view, &amm, tx.account);
        let fee = fee_share(slots::trading_fee(&amm));
        let least = lp_tokens(&amm).decimal() * fee / Decimal::from(MIN_PRICE_FRACTION);
        drop(amm);
        let interval = slots::interval(view.info().parent_close_time, &slot);
        let owner = slot.account(fields::ACCOUNT).filter(|owner| view.account(*owner).is_some());
        // The last interval is as good as over.
        let holder = owner.zip(interval.filter(|interval| *interval < SLOT_INTERVALS - 1));
        let Some((owner, interval)) = holder else {
            let price = price_to_pay(tx, &held, least)?;
            return take_slot(view, tx, price, price);
        };
        let bought_for = slot.amount(fields::PRICE).unwrap_or(Amount::Xrp(0)).decimal();
        let passed = Decimal::from(u32::from(interval)) + Decimal::one();
        let used = passed / Decimal::from(u32::from(SLOT_INTERVALS));
        let remaining = Decimal::one() - used;
        let price = price_to_pay(tx, &held, outbidding(bought_for, least, interval, used))?;
        let refund = remaining * bought_for;
        ensure(refund <= price, internal)?;
        let back = written(Amount::from_decimal(held.issue(), refund))?;
        token::account_send(view, tx.account, owner, back, TransferFee::Charge)?;
        take_slot(view, tx, price, price - refund)
    }
}

/// What it costs to outbid the holder of a slot: 5 % more than it paid, falling over the day, hardly
/// at first and fast at its end.
fn outbidding(bought_for: Decimal, least: Decimal, interval: u8, used: Decimal) -> Decimal {
    let more = Decimal::new(105, -2).unwrap_or(Decimal::INVALID);
    match interval {
        0 => bought_for * more + least,
        _ => bought_for * more * (Decimal::one() - used.power(60)) + least,
    }
}

/// The price within the limits of a bid.
fn price_to_pay(tx: &PreparedTx, held: &Amount, price: Decimal) -> Result<Decimal, EngineResult> {
    let mut price = written(price.checked())?;
    if let Some(most) = bid(tx, fields::BID_MAX) {
        ensure(price <= most.decimal(), EngineResult::TEC_AMM_FAILED)?;
    }
    if let Some(least) = bid(tx, fields::BID_MIN).map(|least| least.decimal())
        && price < least
    {
        price = least;
    }
    ensure(price <= held.decimal(), EngineResult::TEC_AMM_INVALID_TOKENS)?;
    Ok(price)
}

/// Makes the bidder the slot's holder and burns what nobody gets back.
fn take_slot(view: &mut Sandbox<'_>, tx: &PreparedTx, price: Decimal, burn: Decimal) -> Ter {
    let internal = EngineResult::TEC_INTERNAL;
    let now = view.info().parent_close_time;
    let (id, amm) = existing(view, tx).map_err(|_| internal)?;
    let all = lp_tokens(&amm);
    let fee = slots::trading_fee(&amm) / DISCOUNT;
    let mut slot = amm.object(fields::AUCTION_SLOT).cloned().unwrap_or_default();
    drop(amm);
    slot.set(fields::ACCOUNT, tx.account.into());
    slot.set(fields::EXPIRATION, now.saturating_add(SLOT_SECONDS).into());
    set_fee(&mut slot, fields::DISCOUNTED_FEE, fee);
    let price = written(Amount::from_decimal(all.issue(), price))?;
    slot.set(fields::PRICE, price.into());
    match tx.object.get(fields::AUTH_ACCOUNTS) {
        Some(named) => slot.set(fields::AUTH_ACCOUNTS, named.clone()),
        None => {
            slot.remove(fields::AUTH_ACCOUNTS);
        }
    }
    let burn = written(Amount::from_decimal(all.issue(), burn))?;
    let burn = written(adjusted_lp_tokens(&all, &burn, Flow::Out))?;
    ensure(burn.is_less(&all), internal)?;
    let (currency, issuer) = match all.issue() {
        xrpl_protocol::Issue::Issued { currency, issuer } => (currency, issuer),
        _ => return Err(internal),
    };
    let value = burn.value().ok_or(internal)?;
    trust_line::redeem(view, tx.account, issuer, currency, value)?;
    let left = written(all.checked_sub(&burn))?;
    let amm = view.get_mut(&id).ok_or(internal)?;
    amm.set(fields::AUCTION_SLOT, slot.into());
    amm.set(fields::LP_TOKEN_BALANCE, left.into());
    Ok(())
}
