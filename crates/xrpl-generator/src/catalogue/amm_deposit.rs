//! AMMDeposit (<https://xrpl.org/docs/references/protocol/transactions/types/ammdeposit>): of one
//! asset or of both.

use xrpl_protocol::{
    Amount, Issue, IssuedValue,
    fields::{AMOUNT, AMOUNT2},
};

use super::{About, TransactionType, pools::pool};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait, drops},
    planner::Planner,
    world::IssuedMove,
};

const TF_SINGLE_ASSET: u32 = 0x0008_0000;
const TF_TWO_ASSET: u32 = 0x0010_0000;

#[derive(Debug)]
pub(super) struct AMMDeposit;

static ABOUT: About = About {
    name: "AMMDeposit",
    family: "AMM",
    weight: 8,
    amendment: Some("AMM"),
    variants: &["one", "both"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("no form of deposit", &["temMALFORMED"], |_, plan| Some(plan.flagged(0))),
        Mutation::new("two forms of deposit", &["temMALFORMED"], |_, plan| {
            Some(plan.flagged(TF_SINGLE_ASSET | TF_TWO_ASSET))
        }),
        Mutation::new("an asset of another pool", &["temBAD_AMM_TOKENS"], |planner, plan| {
            let unheld = planner.unheld(IssuedValue::ONE).ok()?;
            Some(plan.flagged(TF_SINGLE_ASSET).without(AMOUNT2).with(AMOUNT, unheld))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for AMMDeposit {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let world = planner.world;
        let pool = pool(planner, |pool| pool.is_common(world));
        let pool = pool.map_err(|_| Wait::First("AMMCreate"))?;
        let both = planner.one_in(3);
        let which = planner.below(2) as usize;
        let mut plan = pool.plan(world, "AMMDeposit").owning(1);
        let value = planner.small_value()?;
        let xrp = 1_000_000 + planner.below(1_000_000);
        planner.afford(xrp, 1)?;
        let from = Some(planner.sender);
        let assets = if both { &pool.assets[..] } else { &pool.assets[which..=which] };
        // Of two amounts in just the pool's proportion neither is enough for the other, as rounding has it.
        let more = value.mul_ratio(2, 1, false).map_err(|_| Wait::Object(Kind::Amm))?;
        for (field, issue, value) in
            [(AMOUNT, value), (AMOUNT2, more)].into_iter().zip(assets).map(|((f, v), i)| (f, i, v))
        {
            match *issue {
                Issue::Issued { currency, issuer } => {
                    let asset = world.asset(currency, issuer).ok_or(Wait::Object(Kind::Amm))?;
                    planner.holds(planner.sender, asset, value)?;
                    plan.holds.issued.push(IssuedMove { asset, from, to: None, value });
                    plan = plan.with(field, Amount::issued(value, currency, issuer));
                }
                _ => plan = plan.with(field, drops(xrp)).spending(xrp),
            }
        }
        let flags = if both { TF_TWO_ASSET } else { TF_SINGLE_ASSET };
        Ok(plan.flagged(flags).variant(if both { "both" } else { "one" }))
    }
}
