//! XChainCreateBridge
//! (<https://xrpl.org/docs/references/protocol/transactions/types/xchaincreatebridge>): the sender keeps
//! the door of a bridge, of which none is ever taken down.

use xrpl_protocol::{
    Currency, Issue, IssuedValue,
    fields::{MIN_ACCOUNT_CREATE_AMOUNT, SIGNATURE_REWARD},
    object::XChainBridge,
    object_id,
};

use super::{
    About, TransactionType,
    bridges::{GENESIS, change_bridge, with_bridge},
};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    plan::{Plan, Wait, drops},
    planner::Planner,
};

/// What the witnesses of a claim get, drops.
const REWARD: u64 = 100;

#[derive(Debug)]
pub(super) struct XChainCreateBridge;

static ABOUT: About = About {
    name: "XChainCreateBridge",
    family: "Bridges",
    weight: 2,
    amendment: Some("XChainBridge"),
    variants: &["XRP", "a currency"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("with one door", &["temXCHAIN_EQUAL_DOOR_ACCOUNTS"], |_, plan| {
            change_bridge(plan, |spec| spec.issuing_door = spec.locking_door)
        }),
        Mutation::new("of others' doors", &["temXCHAIN_BRIDGE_NONDOOR_OWNER"], |planner, plan| {
            let (one, other) = (planner.nobody(), planner.nobody());
            change_bridge(plan, |spec| (spec.locking_door, spec.issuing_door) = (one, other))
        }),
        Mutation::new("XRP for a currency", &["temXCHAIN_BRIDGE_BAD_ISSUES"], |planner, plan| {
            let issue = planner.unheld(IssuedValue::ONE).ok()?.issue();
            change_bridge(plan, |spec| (spec.locking_issue, spec.issuing_issue) = (Issue::Xrp, issue))
        }),
        Mutation::new(
            "a reward in a currency",
            &["temXCHAIN_BRIDGE_BAD_REWARD_AMOUNT"],
            |planner, plan| {
                Some(plan.with(SIGNATURE_REWARD, planner.unheld(IssuedValue::ONE).ok()?))
            },
        ),
        Mutation::new(
            "accounts for nothing",
            &["temXCHAIN_BRIDGE_BAD_MIN_ACCOUNT_CREATE_AMOUNT"],
            |_, plan| Some(plan.with(MIN_ACCOUNT_CREATE_AMOUNT, drops(0))),
        ),
    ],
    ..About::TYPE
};

impl TransactionType for XChainCreateBridge {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 1)?;
        let (world, me) = (planner.world, planner.me().id);
        // Whoever signs for the door are its witnesses.
        if world.objects.get(object_id::signer_list(me)).is_none() {
            return Err(Wait::First("SignerListSet"));
        }
        let new = |currency: Currency| {
            let id = object_id::bridge(me, currency);
            (world.objects.get(id).is_none() && !world.objects.is_held(id)).then_some(id)
        };
        let plan = Plan::new("XChainCreateBridge").with(SIGNATURE_REWARD, drops(REWARD)).owning(1);
        if let Some(id) = new(Currency::XRP) {
            let spec = XChainBridge {
                locking_door: me,
                locking_issue: Issue::Xrp,
                issuing_door: GENESIS,
                issuing_issue: Issue::Xrp,
            };
            let least = drops(planner.fees.reserve(0));
            let plan = with_bridge(plan, spec).with(MIN_ACCOUNT_CREATE_AMOUNT, least);
            return Ok(plan.holding(id).variant("XRP"));
        }
        // What it issues itself for what is locked up elsewhere.
        let asset = world.assets[usize::from(planner.asset()?)];
        let never = Wait::Until("it has as many bridges as there are currencies");
        let id = new(asset.currency).ok_or(never)?;
        let spec = XChainBridge {
            // An account of the other chain.
            locking_door: planner.nobody(),
            locking_issue: Issue::Issued { currency: asset.currency, issuer: asset.issuer },
            issuing_door: me,
            issuing_issue: Issue::Issued { currency: asset.currency, issuer: me },
        };
        Ok(with_bridge(plan, spec).holding(id).variant("a currency"))
    }
}
