//! Automated market makers: the mathematics of their pools, what they hold, their slots, their end
//! (<https://xrpl.org/docs/concepts/tokens/decentralized-exchange/automated-market-makers>).
//!
//! A pool must never lose to whoever trades with it: each formula rounds in the pool's favour, under
//! the rules that say so (fixAMMv1_1 for swaps, fixAMMv1_3 for deposits and withdrawals).
//!
//! - [`formula`]: how LP tokens and single-sided amounts follow from each other;
//! - [`rounding`]: to which amounts that a ledger can hold;
//! - [`swap`]: trades, and the offer that brings a pool to a price;
//! - [`pool`]: what an AMM holds, and what an account has of it;
//! - [`slots`]: trading fee, auction slot, votes;
//! - [`delete`]: the end of an empty one.

pub mod delete;
pub mod formula;
pub mod pool;
pub mod rounding;
pub mod slots;
pub mod swap;
#[cfg(test)]
mod tests;

pub use pool::{Holdings, lp_issue};

use xrpl_protocol::decimal::Decimal;

/// The highest trading fee: 1 %.
pub const MAX_TRADING_FEE: u16 = 1000;
/// Trading fees are in hundred-thousandths.
const FEE_SCALE: i32 = 100_000;

/// A trading fee as a share.
#[must_use]
pub fn fee_share(fee: u16) -> Decimal {
    Decimal::from(i32::from(fee)) / Decimal::from(FEE_SCALE)
}

/// What is left after a trading fee.
#[must_use]
pub fn after_fee(fee: u16) -> Decimal {
    Decimal::one() - fee_share(fee)
}

/// What is left after half a trading fee: a single-sided deposit is half a trade.
#[must_use]
pub fn after_half_fee(fee: u16) -> Decimal {
    Decimal::one() - fee_share(fee) / Decimal::from(2)
}
