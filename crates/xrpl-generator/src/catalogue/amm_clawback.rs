//! AMMClawback (<https://xrpl.org/docs/references/protocol/transactions/types/ammclawback>): a
//! gateway takes back of a pool what it issued.

use xrpl_protocol::{
    Amount, Issue, Value,
    fields::{AMOUNT, ASSET, ASSET2, HOLDER},
};

use super::{About, TransactionType, pools::pool};
use crate::{
    accounts::Role,
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait, drops},
    planner::Planner,
};

const LSF_ALLOW_TRUST_LINE_CLAWBACK: u32 = 0x8000_0000;

#[derive(Debug)]
pub(super) struct AMMClawback;

static ABOUT: About = About {
    name: "AMMClawback",
    family: "AMM",
    weight: 14,
    roles: &[Role::Gateway],
    amendment: Some("AMMClawback"),
    needs: &["AMM"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("from itself", &["temMALFORMED"], |planner, plan| {
            Some(plan.with(HOLDER, planner.me().id))
        }),
        Mutation::new("of another asset", &["temBAD_AMOUNT"], |_, plan| {
            Some(plan.with(AMOUNT, drops(1)))
        }),
        Mutation::new("a flag that the type does not have", &["temINVALID_FLAG"], |_, plan| {
            Some(plan.flagged(2))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for AMMClawback {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        if planner.me().flags & LSF_ALLOW_TRUST_LINE_CLAWBACK == 0 {
            return Err(Wait::Never("it has promised its holders not to"));
        }
        let (world, me) = (planner.world, planner.me().id);
        let own = |issue: &Issue| matches!(issue, Issue::Issued { issuer, .. } if *issuer == me);
        let pool = pool(planner, |pool| {
            let free = pool.exit().is_some_and(|exit| !world.objects.is_held(exit));
            pool.assets.iter().any(own) && free && pool.is_deep(world)
        })?;
        let none = Wait::Object(Kind::LpLine);
        let holder = pool.others_share(planner).ok_or(none)?;
        let [first, second] = pool.assets;
        let (asset, other) = if own(&first) { (first, second) } else { (second, first) };
        let plan = pool.plan(world, "AMMClawback").with(HOLDER, planner.id(holder.who));
        let mut plan = plan.holding(holder.line).holding(pool.exit().ok_or(none)?);
        plan.fields().set(ASSET, Value::Issue(asset));
        plan.fields().set(ASSET2, Value::Issue(other));
        let Issue::Issued { currency, issuer } = asset else {
            return Err(Wait::Object(Kind::Amm));
        };
        let value = planner.small_value()?;
        Ok(plan.with(AMOUNT, Amount::issued(value, currency, issuer)))
    }
}
