//! MPTokenAuthorize
//! (<https://xrpl.org/docs/references/protocol/transactions/types/mptokenauthorize>): a holder
//! begins and ends to hold, an issuer allows it.

use xrpl_protocol::{
    Value,
    fields::{self, HOLDER, MP_TOKEN_ISSUANCE_ID},
    object_id,
};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::{Entry, Kind},
    plan::{Plan, Wait},
    planner::Planner,
};

/// How many an account holds.
const MOST: usize = 6;
const TF_UNAUTHORIZE: u32 = 0x0001;
const LSF_LOCKED: u32 = 0x0001;
const LSF_AUTHORIZED: u32 = 0x0002;
const LSF_REQUIRE_AUTH: u32 = 0x0004;

/// A holding of what the sender issued that waits for it to be allowed.
fn waiting<'a>(planner: &mut Planner<'a>) -> Result<&'a Entry, Wait> {
    let issuance = planner.own(Kind::MpTokenIssuance, |it| it.flags() & LSF_REQUIRE_AUTH != 0)?;
    planner.part(Kind::MpToken, issuance.id, |token| {
        token.owner.is_some() && token.flags() & LSF_AUTHORIZED == 0
    })
}

#[derive(Debug)]
pub(super) struct MPTokenAuthorize;

static ABOUT: About = About {
    name: "MPTokenAuthorize",
    family: "MPTs",
    weight: 8,
    amendment: Some("MPTokensV1"),
    variants: &["beginning", "allowing", "ending"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("itself as holder", &["temMALFORMED"], |planner, plan| {
            Some(plan.with(HOLDER, planner.me().id))
        }),
        Mutation::new("a token that there is not", &["tecOBJECT_NOT_FOUND"], |_, plan| {
            Some(plan.flagged(0).with(MP_TOKEN_ISSUANCE_ID, Value::Hash192([7; 24])).without(HOLDER))
        }),
        Mutation::new("ended before it began", &["tecOBJECT_NOT_FOUND"], |_, plan| {
            let none = Value::Hash192([7; 24]);
            Some(plan.flagged(TF_UNAUTHORIZE).with(MP_TOKEN_ISSUANCE_ID, none).without(HOLDER))
        }),
        Mutation::new("a flag that the type does not have", &["temINVALID_FLAG"], |_, plan| {
            Some(plan.flagged(2))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for MPTokenAuthorize {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let world = planner.world;
        let plan = Plan::new("MPTokenAuthorize");
        let none = Wait::Object(Kind::MpTokenIssuance);
        // As issuer.
        if let Ok(token) = waiting(planner) {
            planner.afford(0, 0)?;
            let id = token.mpt().ok_or(none)?;
            let holder = token.account(fields::ACCOUNT).ok_or(none)?;
            let plan = plan.with(MP_TOKEN_ISSUANCE_ID, Value::Hash192(id.0)).with(HOLDER, holder);
            return Ok(plan.holding(token.id).variant("allowing"));
        }
        let left = |token: &Entry| {
            // Shares of vaults come and go with what is deposited.
            let issued = token.part_of;
            let kept = issued.is_some_and(|issuance| world.objects.get(issuance).is_some());
            let empty = !token.has(fields::MPT_AMOUNT) && !token.has(fields::LOCKED_AMOUNT);
            kept && empty && token.flags() & LSF_LOCKED == 0
        };
        if planner.one_in(6)
            && let Ok(token) = planner.own(Kind::MpToken, left)
        {
            planner.afford(0, 0)?;
            let id = token.mpt().ok_or(none)?;
            let plan = plan.flagged(TF_UNAUTHORIZE).holding(token.id);
            return Ok(plan.with(MP_TOKEN_ISSUANCE_ID, Value::Hash192(id.0)).variant("ending"));
        }
        planner.fewer(Kind::MpToken, MOST)?;
        planner.afford(0, 1)?;
        let (sender, me) = (planner.sender, planner.me().id);
        let issuance = planner.any(Kind::MpTokenIssuance, |issuance| {
            let known = issuance.mpt().map(|id| object_id::mptoken(id, me));
            let new = known.is_some_and(|id| world.objects.get(id).is_none() && !world.objects.is_held(id));
            issuance.owner != Some(sender) && new
        });
        let issuance = issuance.map_err(|_| Wait::First("MPTokenIssuanceCreate"))?;
        let id = issuance.mpt().ok_or(none)?;
        let plan = plan.with(MP_TOKEN_ISSUANCE_ID, Value::Hash192(id.0)).owning(1);
        let token = object_id::mptoken(id, me);
        Ok(plan.holding(token).holding(issuance.id).variant("beginning"))
    }
}
