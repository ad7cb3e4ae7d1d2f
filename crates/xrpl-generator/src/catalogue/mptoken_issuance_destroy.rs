//! MPTokenIssuanceDestroy
//! (<https://xrpl.org/docs/references/protocol/transactions/types/mptokenissuancedestroy>): of what
//! nobody holds any more.

use xrpl_protocol::{Value, fields::{self, MP_TOKEN_ISSUANCE_ID}};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::{Entry, Kind},
    plan::{Plan, Wait},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct MPTokenIssuanceDestroy;

static ABOUT: About = About {
    name: "MPTokenIssuanceDestroy",
    family: "MPTs",
    weight: 3,
    amendment: Some("MPTokensV1"),
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("a token that there is not", &["tecOBJECT_NOT_FOUND"], |_, plan| {
            Some(plan.with(MP_TOKEN_ISSUANCE_ID, Value::Hash192([7; 24])))
        }),
        // Its issuer may do it first.
        Mutation::new(
            "somebody else's",
            &["tecNO_PERMISSION", "tecOBJECT_NOT_FOUND"],
            |planner, plan| {
                let me = Some(planner.sender);
                let others = planner.any(Kind::MpTokenIssuance, |it| it.owner != me).ok()?;
                Some(plan.with(MP_TOKEN_ISSUANCE_ID, Value::Hash192(others.mpt()?.0)))
            },
        ),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for MPTokenIssuanceDestroy {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        // One is kept: others use it.
        if planner.world.objects.owned(Kind::MpTokenIssuance, planner.sender).count() < 2 {
            return Err(Wait::First("MPTokenIssuanceCreate"));
        }
        let unused = |issuance: &Entry| {
            [issuance.number(fields::OUTSTANDING_AMOUNT), issuance.number(fields::LOCKED_AMOUNT)]
                .iter()
                .all(|amount| amount.unwrap_or(0) == 0)
        };
        let issuance = planner.own(Kind::MpTokenIssuance, unused)?;
        let id = issuance.mpt().ok_or(Wait::Object(Kind::MpTokenIssuance))?;
        let plan = Plan::new("MPTokenIssuanceDestroy").holding(issuance.id);
        Ok(plan.with(MP_TOKEN_ISSUANCE_ID, Value::Hash192(id.0)))
    }
}
