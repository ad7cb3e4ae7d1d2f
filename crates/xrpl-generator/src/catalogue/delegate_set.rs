//! DelegateSet
//! (<https://xrpl.org/docs/references/protocol/transactions/types/delegateset>): what
//! the modifier `delegated` needs.

use xrpl_protocol::{
    Definitions, Object, Value,
    fields::{self, AUTHORIZE, PERMISSION, PERMISSIONS, PERMISSION_VALUE},
    object_id,
};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait},
    planner::Planner,
};

/// How many delegates an account has.
const MOST: usize = 3;
/// How many types one of them may send: ten at most.
const PERMITTED_AT_ONCE: usize = 8;
/// What can be permitted: whatever says that it can be sent so, and that the network has.
fn permitted<'a>(planner: &'a Planner<'_>) -> impl Iterator<Item = &'static str> + Clone + 'a {
    let can = |about: &&About| {
        let sent = about.modifiers.contains(&Modifier::Delegated);
        sent && about.amendment.is_none_or(|amendment| planner.has_amendment(amendment))
    };
    super::TYPES.iter().map(|of| of.about()).filter(can).map(|about| about.name)
}

/// A type's permission is its code and one more.
fn permissions(names: impl Iterator<Item = &'static str>) -> Value {
    let one = |name| {
        let code = Definitions::builtin().transaction_type(name).unwrap_or(u16::MAX);
        (PERMISSION, Object::new().with(PERMISSION_VALUE, u32::from(code) + 1))
    };
    Value::Array(names.map(one).collect())
}

#[derive(Debug)]
pub(super) struct DelegateSet;

static ABOUT: About = About {
    name: "DelegateSet",
    family: "Accounts",
    amendment: Some("PermissionDelegationV1_1"),
    modifiers: Modifier::OWN,
    mutations: &[
        Mutation::new("to itself", &["temMALFORMED"], |planner, plan| {
            Some(plan.with(AUTHORIZE, planner.me().id))
        }),
        Mutation::new("a permission twice", &["temMALFORMED"], |_, plan| {
            Some(plan.with(PERMISSIONS, permissions(["Payment", "Payment"].into_iter())))
        }),
        Mutation::new("more than ten permissions", &["temARRAY_TOO_LARGE"], |planner, plan| {
            Some(plan.with(PERMISSIONS, permissions(permitted(planner).take(11))))
        }),
        Mutation::new("to nobody", &["tecNO_TARGET"], |planner, plan| {
            let some = permissions(["Payment"].into_iter());
            Some(plan.with(AUTHORIZE, planner.nobody()).with(PERMISSIONS, some))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for DelegateSet {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let plan = Plan::new("DelegateSet");
        let given = planner.own(Kind::Delegate, |_| true);
        if let Ok(given) = given
            && planner.one_in(4)
        {
            planner.afford(0, 0)?;
            let none = permissions([].into_iter());
            let plan = plan.with_some(AUTHORIZE, given.account(fields::AUTHORIZE));
            return Ok(plan.with(PERMISSIONS, none).holding(given.id));
        }
        planner.fewer(Kind::Delegate, MOST)?;
        let other = planner.other_id()?;
        let id = planner.free(object_id::delegate(planner.me().id, other))?;
        let first = planner.below(permitted(planner).count() as u64) as usize;
        let some = permissions(permitted(planner).cycle().skip(first).take(PERMITTED_AT_ONCE));
        planner.afford(0, 1)?;
        let plan = plan.with(AUTHORIZE, other).with(PERMISSIONS, some);
        Ok(plan.holding(id).owning(1))
    }
}
