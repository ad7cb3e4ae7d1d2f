//! XChainModifyBridge
//! (<https://xrpl.org/docs/references/protocol/transactions/types/xchainmodifybridge>): another reward, or
//! another least amount for accounts.

use xrpl_protocol::{
    Issue,
    fields::{self, MIN_ACCOUNT_CREATE_AMOUNT, SIGNATURE_REWARD},
};

use super::{
    About, TransactionType,
    bridges::{change_bridge, spec, with_bridge},
};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait, drops},
    planner::Planner,
};

const TF_CLEAR_ACCOUNT_CREATE_AMOUNT: u32 = 0x0001_0000;

#[derive(Debug)]
pub(super) struct XChainModifyBridge;

static ABOUT: About = About {
    name: "XChainModifyBridge",
    family: "Bridges",
    weight: 2,
    amendment: Some("XChainBridge"),
    variants: &["reward", "accounts", "no accounts"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("nothing to be changed", &["temMALFORMED"], |_, plan| {
            Some(plan.flagged(0).without(SIGNATURE_REWARD).without(MIN_ACCOUNT_CREATE_AMOUNT))
        }),
        Mutation::new("accounts and no accounts", &["temMALFORMED"], |_, plan| {
            let plan = plan.flagged(TF_CLEAR_ACCOUNT_CREATE_AMOUNT);
            Some(plan.with(MIN_ACCOUNT_CREATE_AMOUNT, drops(10_000_000)))
        }),
        Mutation::new("of others' doors", &["temXCHAIN_BRIDGE_NONDOOR_OWNER"], |planner, plan| {
            let (one, other) = (planner.nobody(), planner.nobody());
            change_bridge(plan, |spec| (spec.locking_door, spec.issuing_door) = (one, other))
        }),
        Mutation::new("a flag that the type does not have", &["temINVALID_FLAG"], |_, plan| {
            Some(plan.flagged(1))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for XChainModifyBridge {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let own = planner.own(Kind::Bridge, |bridge| spec(bridge).is_some());
        let bridge = own.map_err(|_| Wait::First("XChainCreateBridge"))?;
        let spec = spec(bridge).ok_or(Wait::Object(Kind::Bridge))?;
        let plan = with_bridge(Plan::new("XChainModifyBridge"), spec).holding(bridge.id);
        let xrp = spec.issuing_issue == Issue::Xrp;
        if !xrp || planner.one_in(2) {
            let reward = drops(100 + planner.below(100));
            return Ok(plan.with(SIGNATURE_REWARD, reward).variant("reward"));
        }
        if bridge.has(fields::MIN_ACCOUNT_CREATE_AMOUNT) && planner.one_in(4) {
            return Ok(plan.flagged(TF_CLEAR_ACCOUNT_CREATE_AMOUNT).variant("no accounts"));
        }
        let least = planner.fees.reserve(0) + planner.below(1_000);
        Ok(plan.with(MIN_ACCOUNT_CREATE_AMOUNT, drops(least)).variant("accounts"))
    }
}
