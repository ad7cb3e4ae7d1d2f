//! MPTokenIssuanceSet
//! (<https://xrpl.org/docs/references/protocol/transactions/types/mptokenissuanceset>): locks and
//! unlocks what a holder has.

use xrpl_protocol::{
    Value,
    fields::{self, HOLDER, MP_TOKEN_ISSUANCE_ID},
};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait},
    planner::Planner,
};

const TF_LOCK: u32 = 0x0001;
const TF_UNLOCK: u32 = 0x0002;
const LSF_LOCKED: u32 = 0x0001;
const LSF_CAN_LOCK: u32 = 0x0002;

#[derive(Debug)]
pub(super) struct MPTokenIssuanceSet;

static ABOUT: About = About {
    name: "MPTokenIssuanceSet",
    family: "MPTs",
    amendment: Some("MPTokensV1"),
    variants: &["locking", "unlocking"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("locked and unlocked", &["temINVALID_FLAG"], |_, plan| {
            Some(plan.flagged(TF_LOCK | TF_UNLOCK))
        }),
        Mutation::new("itself as holder", &["temMALFORMED"], |planner, plan| {
            Some(plan.with(HOLDER, planner.me().id))
        }),
        Mutation::new("nothing to be set", &["temMALFORMED"], |_, plan| Some(plan.flagged(0))),
        Mutation::new("a token that there is not", &["tecOBJECT_NOT_FOUND"], |_, plan| {
            Some(plan.with(MP_TOKEN_ISSUANCE_ID, Value::Hash192([7; 24])))
        }),
        Mutation::new("of a holder who is nobody", &["tecNO_DST"], |planner, plan| {
            Some(plan.with(HOLDER, planner.nobody()))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for MPTokenIssuanceSet {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let none = Wait::Object(Kind::MpTokenIssuance);
        let mine = planner.own(Kind::MpTokenIssuance, |it| it.flags() & LSF_CAN_LOCK != 0);
        let issuance = mine.map_err(|_| Wait::First("MPTokenIssuanceCreate"))?;
        let id = issuance.mpt().ok_or(none)?;
        let token = planner.part(Kind::MpToken, issuance.id, |token| token.owner.is_some())?;
        // What is locked is not left so for long: nothing could be paid with it.
        let flags = if token.flags() & LSF_LOCKED == 0 { TF_LOCK } else { TF_UNLOCK };
        let plan = Plan::new("MPTokenIssuanceSet").flagged(flags).holding(token.id);
        let plan = plan.with(MP_TOKEN_ISSUANCE_ID, Value::Hash192(id.0));
        let variant = if flags == TF_LOCK { "locking" } else { "unlocking" };
        Ok(plan.with(HOLDER, token.account(fields::ACCOUNT).ok_or(none)?).variant(variant))
    }
}
