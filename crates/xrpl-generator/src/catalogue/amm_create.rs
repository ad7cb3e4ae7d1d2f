//! AMMCreate (<https://xrpl.org/docs/references/protocol/transactions/types/ammcreate>): a pool of
//! XRP and a currency or of two currencies, of which there is one each. Gateways make pools of new
//! currencies that nobody else holds, and empty them again.

use rand::Rng;
use xrpl_protocol::{
    Amount, Currency, Issue, IssuedValue,
    fields::{AMOUNT, AMOUNT2, TRADING_FEE},
    object_id,
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

/// How many pools of its own a gateway has at most.
const MOST: usize = 8;

/// A pool of XRP and a currency that its issuer has not issued before.
fn own_currency(planner: &mut Planner<'_>) -> Result<Plan, Wait> {
    planner.fewer(Kind::LpLine, MOST)?;
    let mut code = [0; 20];
    planner.rng.fill_bytes(&mut code);
    code[..5].copy_from_slice(b"\xffpool");
    // A run that goes on draws the same numbers once more.
    code[5..9].copy_from_slice(&planner.me().lane.next().0.to_be_bytes());
    let never = |_| Wait::Never("there is no such value");
    let value = IssuedValue::new(50 + planner.below(50) as i64, 0).map_err(never)?;
    let amount = Amount::issued(value, Currency(code), planner.me().id);
    let xrp = 50_000_000 + planner.below(50_000_000);
    planner.afford(planner.fees.figures().increment + xrp, 1)?;
    let id = planner.free(object_id::amm(amount.issue(), Issue::Xrp))?;
    Ok(Plan::new("AMMCreate")
        .with(AMOUNT, amount)
        .with(AMOUNT2, drops(xrp))
        .with(TRADING_FEE, planner.below(1_000) as u16)
        .holding(id)
        .owning(1)
        .spending(xrp)
        .variant("its own currency"))
}

#[derive(Debug)]
pub(super) struct AMMCreate;

static ABOUT: About = About {
    name: "AMMCreate",
    family: "AMM",
    weight: 8,
    roles: &[Role::User, Role::Gateway],
    amendment: Some("AMM"),
    // The run's gateways can claw back: of what they issue there was no pool before it.
    needs: &["AMMClawback"],
    variants: &["XRP", "currencies", "its own currency"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("of a currency and itself", &["temBAD_AMM_TOKENS"], |planner, plan| {
            let one = planner.unheld(IssuedValue::ONE).ok()?;
            Some(plan.with(AMOUNT, one).with(AMOUNT2, one))
        }),
        Mutation::new("a fee above 1 %", &["temBAD_FEE"], |_, plan| {
            Some(plan.with(TRADING_FEE, 1_001u16))
        }),
        Mutation::new("more than it has", &["tecUNFUNDED_AMM"], |planner, plan| {
            // Of its own currency a gateway has as much as it likes.
            let user = planner.me().role == Role::User;
            let unheld = planner.unheld(IssuedValue::ONE).ok().filter(|_| user)?;
            Some(plan.with(AMOUNT, unheld).with(AMOUNT2, drops(1_000_000)))
        }),
    ],
};

impl TransactionType for AMMCreate {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        if planner.me().role == Role::Gateway {
            return own_currency(planner);
        }
        let (first, second) = (planner.asset()?, planner.asset()?);
        let world = planner.world;
        let asset = |id: AssetId| world.assets[usize::from(id)];
        let units = 50 + planner.below(50) as i64;
        let fee = planner.below(1_000) as u16;
        let value = IssuedValue::new(units, 0).map_err(|_| Wait::Never("there is no such value"))?;
        let burnt = planner.fees.figures().increment;
        let amount = asset(first).amount(value);
        planner.holds(planner.sender, first, value)?;
        let xrp = units.unsigned_abs() * 1_000_000;
        let other = if first == second { drops(xrp) } else { asset(second).amount(value) };
        let id = planner.free(object_id::amm(amount.issue(), other.issue()))?;
        if world.objects.get(id).is_some() {
            return Err(Wait::Until("there is a pool of these already"));
        }
        let mut plan = Plan::new("AMMCreate")
            .with(AMOUNT, amount)
            .with(AMOUNT2, other)
            .with(TRADING_FEE, fee)
            .holding(id)
            .owning(1);
        let from = Some(planner.sender);
        let leaving = |asset| IssuedMove { asset, from, to: None, value };
        plan.holds.issued.push(leaving(first));
        if first == second {
            planner.afford(burnt + xrp, 1)?;
            return Ok(plan.spending(xrp).variant("XRP"));
        }
        planner.afford(burnt, 1)?;
        planner.holds(planner.sender, second, value)?;
        plan.holds.issued.push(leaving(second));
        Ok(plan.variant("currencies"))
    }
}
