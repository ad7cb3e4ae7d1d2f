//! The ways in which a Payment can be wrong.

use xrpl_protocol::{
    AccountId, Amount, Currency, IssuedValue,
    fields::{AMOUNT, DELIVER_MIN, DESTINATION, PATHS, SEND_MAX},
};

use crate::{mutation::Mutation, plan::Plan, planner::Planner, world::Asset};

const TF_NO_RIPPLE_DIRECT: u32 = 0x0001_0000;
const TF_PARTIAL_PAYMENT: u32 = 0x0002_0000;
const TF_LIMIT_QUALITY: u32 = 0x0004_0000;

/// Without what only some payments have.
fn bare(plan: Plan) -> Plan {
    plan.without(SEND_MAX).without(PATHS).without(DELIVER_MIN).flagged(0)
}

/// So much XRP to another user.
fn xrp(planner: &mut Planner<'_>, plan: Plan, drops: i64) -> Option<Plan> {
    let to = planner.other_user().ok()?;
    let destination = planner.id(to);
    plan.holds.issued.is_empty().then(|| bare(plan).with(DESTINATION, destination).with(AMOUNT, Amount::Xrp(drops)))
}

fn flagged(planner: &mut Planner<'_>, plan: Plan, flags: u32) -> Option<Plan> {
    Some(xrp(planner, plan, 1)?.flagged(flags))
}

/// The asset that the payment would have moved.
fn asset(planner: &Planner<'_>, plan: &Plan) -> Option<Asset> {
    plan.holds.issued.first().map(|moved| planner.world.assets[usize::from(moved.asset)])
}

/// So much of the asset to another user.
fn issued(planner: &mut Planner<'_>, plan: Plan, value: IssuedValue) -> Option<Plan> {
    let asset = asset(planner, &plan)?;
    let to = planner.other_user().ok()?;
    Some(bare(plan).with(DESTINATION, planner.id(to)).with(AMOUNT, asset.amount(value)))
}

pub(super) static ALL: &[Mutation] = &[
    Mutation::new("XRP amount 0", &["temBAD_AMOUNT"], |p, plan| xrp(p, plan, 0)),
    Mutation::new("more XRP than there is", &["temBAD_AMOUNT"], |p, plan| {
        xrp(p, plan, 100_000_000_000_000_001)
    }),
    Mutation::new("XRP to oneself", &["temREDUNDANT"], |p, plan| {
        Some(xrp(p, plan, 1)?.with(DESTINATION, p.me().id))
    }),
    Mutation::new("all XRP there is", &["tecUNFUNDED_PAYMENT"], |p, plan| {
        xrp(p, plan, 100_000_000_000_000_000)
    }),
    Mutation::new("new account below the reserve", &["tecNO_DST_INSUF_XRP"], |p, plan| {
        let nobody = p.nobody();
        Some(xrp(p, plan, 1)?.with(DESTINATION, nobody))
    }),
    Mutation::new("no tag where one is required", &["tecDST_TAG_NEEDED"], |p, plan| {
        let tagged = &p.world.accounts[p.world.accounts.tagged()?];
        let plan = xrp(p, plan, 1)?.with(DESTINATION, tagged.id);
        tagged.active.then(|| plan.without(xrpl_protocol::fields::DESTINATION_TAG))
    }),
    Mutation::new("to the account zero", &["temDST_NEEDED"], |p, plan| {
        Some(xrp(p, plan, 1)?.with(DESTINATION, AccountId::ZERO))
    }),
    Mutation::new("SendMax on XRP", &["temBAD_SEND_XRP_MAX"], |p, plan| {
        Some(xrp(p, plan, 1)?.with(SEND_MAX, Amount::Xrp(2)))
    }),
    Mutation::new("tfPartialPayment on XRP", &["temBAD_SEND_XRP_PARTIAL"], |p, plan| {
        flagged(p, plan, TF_PARTIAL_PAYMENT)
    }),
    Mutation::new("tfLimitQuality on XRP", &["temBAD_SEND_XRP_LIMIT"], |p, plan| {
        flagged(p, plan, TF_LIMIT_QUALITY)
    }),
    Mutation::new("tfNoRippleDirect on XRP", &["temBAD_SEND_XRP_NO_DIRECT"], |p, plan| {
        flagged(p, plan, TF_NO_RIPPLE_DIRECT)
    }),
    Mutation::unknown_flag(),
    Mutation::new("issued amount 0", &["temBAD_AMOUNT"], |p, plan| {
        issued(p, plan, IssuedValue::ZERO)
    }),
    Mutation::new("negative issued amount", &["temBAD_AMOUNT"], |p, plan| {
        issued(p, plan, IssuedValue::ONE.negated())
    }),
    Mutation::new("issued currency to oneself", &["temREDUNDANT"], |p, plan| {
        Some(issued(p, plan, IssuedValue::ONE)?.with(DESTINATION, p.me().id))
    }),
    Mutation::new("no path allowed at all", &["temRIPPLE_EMPTY"], |p, plan| {
        Some(issued(p, plan, IssuedValue::ONE)?.flagged(TF_NO_RIPPLE_DIRECT))
    }),
    Mutation::new("issued currency named XRP", &["temBAD_CURRENCY"], |p, plan| {
        let mut code = [0; 20];
        code[12..15].copy_from_slice(b"XRP");
        let issuer = asset(p, &plan)?.issuer;
        let amount = Amount::issued(IssuedValue::ONE, Currency(code), issuer);
        Some(issued(p, plan, IssuedValue::ONE)?.with(AMOUNT, amount))
    }),
    Mutation::new("issued currency to nobody", &["tecNO_DST"], |p, plan| {
        let nobody = p.nobody();
        Some(issued(p, plan, IssuedValue::ONE)?.with(DESTINATION, nobody))
    }),
    Mutation::new("a currency without trust line", &["tecPATH_DRY"], |p, plan| {
        let unheld = p.unheld(IssuedValue::ONE).ok()?;
        Some(issued(p, plan, IssuedValue::ONE)?.with(AMOUNT, unheld))
    }),
    Mutation::new(
        "more of a currency than limits allow",
        &["tecPATH_PARTIAL", "tecPATH_DRY"],
        |p, plan| issued(p, plan, IssuedValue::new(1, 30).ok()?),
    ),
];
