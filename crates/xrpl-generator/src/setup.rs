//! The transactions that prepare a run: they make accounts, gateways, trust lines and balances.

use xrpl_protocol::{Amount, Drops, IssuedValue, fields, transaction::Payment};

use crate::{
    accounts::Index,
    fees::FeeClass,
    plan::Plan,
    world::{Asset, World},
};

/// Payments to the account need a tag.
pub(crate) const ASF_REQUIRE_DEST: u32 = 1;
/// Its trust lines let payments between holders through.
pub(crate) const ASF_DEFAULT_RIPPLE: u32 = 8;
/// What it issued can be taken back. Only an account that owns nothing can set it.
pub(crate) const ASF_ALLOW_TRUST_LINE_CLAWBACK: u32 = 16;
/// What it issued can be put into escrows.
pub(crate) const ASF_ALLOW_TRUST_LINE_LOCKING: u32 = 17;

/// What every limit of the preparation is: payments in flight never meet it.
const LIMIT: i32 = 1_000_000_000;

/// Gets into the open ledger at once.
fn at_once(plan: Plan) -> Plan {
    Plan { fee: FeeClass::OpenLedger, ..plan }
}

/// What funds an account.
pub(crate) fn funding(world: &World, to: Index, drops: u64) -> Plan {
    let mut plan = Plan::payment(Payment::xrp(world.accounts[to].id, Drops(drops))).spending(drops);
    plan.holds.to = Some(to);
    at_once(plan)
}

/// One of an account's settings.
pub(crate) fn setting(flag: u32) -> Plan {
    at_once(Plan::new("AccountSet").with(fields::SET_FLAG, flag))
}

/// The TrustSet that opens a line at first.
pub(crate) fn line(asset: &Asset) -> Plan {
    let limit = asset.amount(IssuedValue::from_whole(LIMIT));
    at_once(Plan::new("TrustSet").with(fields::LIMIT_AMOUNT, limit).owning(1))
}

/// What a gateway issues to a user.
pub(crate) fn issuing(world: &World, to: Index, amount: Amount) -> Plan {
    let destination = world.accounts[to].id;
    let body = Payment { destination, amount, send_max: None, destination_tag: None };
    at_once(Plan::payment(body))
}
