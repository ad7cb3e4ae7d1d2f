//! Clawback (<https://xrpl.org/docs/references/protocol/transactions/types/clawback>): a
//! gateway takes back of a currency, a user of a multi-purpose token.

use xrpl_protocol::{
    Amount, IssuedValue,
    fields::{self, AMOUNT, HOLDER},
};

use super::{About, TransactionType};
use crate::{
    accounts::Role,
    holdings::AssetId,
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait, drops},
    planner::Planner,
    world::IssuedMove,
};

const LSF_ALLOW_TRUST_LINE_CLAWBACK: u32 = 0x8000_0000;
const LSF_CAN_CLAWBACK: u32 = 0x0040;

fn mpt(planner: &mut Planner<'_>, plan: Plan) -> Result<Plan, Wait> {
    let none = Wait::Object(Kind::MpToken);
    let own = planner.own(Kind::MpTokenIssuance, |it| it.flags() & LSF_CAN_CLAWBACK != 0);
    let issuance = own.map_err(|_| Wait::First("MPTokenIssuanceCreate"))?;
    let id = issuance.mpt().ok_or(none)?;
    let token = planner.part(Kind::MpToken, issuance.id, |token| {
        token.number(fields::MPT_AMOUNT).is_some_and(|amount| amount > 0)
    })?;
    let has = token.number(fields::MPT_AMOUNT).ok_or(none)?;
    let value = i64::try_from(1 + planner.below(has.min(10))).map_err(|_| none)?;
    let holder = token.account(fields::ACCOUNT).ok_or(none)?;
    let plan = plan.with(AMOUNT, Amount::Mpt { value, id }).with(HOLDER, holder);
    Ok(plan.holding(token.id).holding(issuance.id).variant("MPT"))
}

#[derive(Debug)]
pub(super) struct Clawback;

static ABOUT: About = About {
    name: "Clawback",
    family: "Issued currencies",
    roles: &[Role::User, Role::Gateway],
    variants: &["issued", "MPT"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("XRP", &["temBAD_AMOUNT"], |_, plan| {
            Some(plan.with(AMOUNT, drops(1)).without(HOLDER))
        }),
        Mutation::new("a holder beside the currency's", &["temMALFORMED"], |planner, plan| {
            let unheld = planner.unheld(IssuedValue::ONE).ok()?;
            let holder = planner.other_id().ok()?;
            Some(plan.with(AMOUNT, unheld).with(HOLDER, holder))
        }),
        Mutation::new("nothing", &["temBAD_AMOUNT"], |planner, plan| {
            let unheld = planner.unheld(IssuedValue::ZERO).ok()?;
            Some(plan.with(AMOUNT, unheld).without(HOLDER))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for Clawback {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let plan = Plan::new("Clawback");
        if planner.me().role == Role::User {
            return mpt(planner, plan);
        }
        if planner.me().flags & LSF_ALLOW_TRUST_LINE_CLAWBACK == 0 {
            return Err(Wait::Never("it has promised its holders not to"));
        }
        let holder = planner.other_user()?;
        let value = planner.small_value()?;
        let (world, sender) = (planner.world, planner.sender);
        let own: Vec<AssetId> = (0..)
            .zip(&world.assets[..world.common_assets])
            .filter(|(_, asset)| asset.gateway == sender)
            .map(|(id, _)| id)
            .collect();
        let never = Wait::Never("it issues no currency that users hold");
        let asset = *planner.pick(&own).ok_or(never)?;
        planner.holds(holder, asset, value)?;
        let currency = world.assets[usize::from(asset)].currency;
        // The holder stands in the issuer's place.
        let mut plan =
            plan.with(AMOUNT, Amount::issued(value, currency, planner.id(holder))).variant("issued");
        plan.holds.issued.push(IssuedMove { asset, from: Some(holder), to: None, value });
        Ok(plan)
    }
}
