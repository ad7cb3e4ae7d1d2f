//! TrustSet: opens trust lines to the run's gateways and changes their limits
//! (<https://xrpl.org/docs/references/protocol/transactions/types/trustset>).

use xrpl_protocol::{AccountId, Amount, Currency, IssuedValue, fields::LIMIT_AMOUNT};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    plan::{Plan, Wait},
    planner::Planner,
};

const TF_SETF_AUTH: u32 = 0x0001_0000;

/// What every limit is at least: payments in flight never meet one.
const LIMIT: i64 = 1_000_000_000;

#[derive(Debug)]
pub(super) struct TrustSet;

/// A plan with the limit of a currency that nothing uses, towards an account.
fn unused(
    planner: &mut Planner<'_>,
    plan: Plan,
    value: IssuedValue,
    issuer: Option<AccountId>,
) -> Option<Plan> {
    let Ok(Amount::Issued { value, currency, issuer: gateway }) = planner.unheld(value) else {
        return None;
    };
    let limit = Amount::issued(value, currency, issuer.unwrap_or(gateway));
    Some(plan.with(LIMIT_AMOUNT, limit))
}

static ABOUT: About = About {
    name: "TrustSet",
    family: "Issued currencies",
    weight: 10,
    modifiers: Modifier::DELEGABLE,
    mutations: &[
            Mutation::new("a trust line to oneself", &["temDST_IS_SRC"], |planner, plan| {
                let me = planner.me().id;
                unused(planner, plan, IssuedValue::ONE, Some(me))
            }),
            Mutation::new("a limit in XRP", &["temBAD_LIMIT"], |_, plan| {
                Some(plan.with(LIMIT_AMOUNT, Amount::Xrp(1000)))
            }),
            Mutation::new("a negative limit", &["temBAD_LIMIT"], |planner, plan| {
                unused(planner, plan, IssuedValue::ONE.negated(), None)
            }),
            Mutation::new("a currency named XRP", &["temBAD_CURRENCY"], |planner, plan| {
                let mut code = [0; 20];
                code[12..15].copy_from_slice(b"XRP");
                let Ok(Amount::Issued { value, issuer, .. }) = planner.unheld(IssuedValue::ONE)
                else {
                    return None;
                };
                let limit = Amount::issued(value, Currency(code), issuer);
                Some(plan.with(LIMIT_AMOUNT, limit))
            }),
            Mutation::new("a trust line to nobody", &["tecNO_DST"], |planner, plan| {
                let nobody = planner.nobody();
                unused(planner, plan, IssuedValue::ONE, Some(nobody))
            }),
            Mutation::new(
                "limit 0 on a line that is not there",
                &["tecNO_LINE_REDUNDANT"],
                |planner, plan| unused(planner, plan, IssuedValue::ZERO, None),
            ),
            Mutation::unknown_flag(),
            Mutation::new(
                "authorising without asfRequireAuth",
                &["tefNO_AUTH_REQUIRED"],
                |_, plan| Some(plan.flagged(TF_SETF_AUTH)),
            ),
        ],
    ..About::TYPE
};

impl TransactionType for TrustSet {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let more = planner.below(LIMIT as u64);
        let open_another = planner.one_in(8);
        let world = planner.world;
        // Mostly lines that every user has; sometimes any other asset of the run.
        let among = if open_another { world.assets.len() } else { world.common_assets };
        let id = planner.below(among as u64) as u16;
        let asset = world.assets.get(usize::from(id)).ok_or(Wait::Never("no gateway to trust"))?;
        let owners = u32::from(!planner.me().lines.get(id).is_some_and(|line| line.exists));
        planner.afford(0, owners)?;
        // A whole number of ten digits is a value.
        let limit = IssuedValue::new(LIMIT + more as i64, 0).unwrap_or(IssuedValue::ONE);
        Ok(Plan::new("TrustSet").with(LIMIT_AMOUNT, asset.amount(limit)).owning(owners))
    }
}
