//! PermissionedDomainDelete
//! (<https://xrpl.org/docs/references/protocol/transactions/types/permissioneddomaindelete>).

use xrpl_protocol::fields::DOMAIN_ID;

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct PermissionedDomainDelete;

static ABOUT: About = About {
    name: "PermissionedDomainDelete",
    family: "Credentials",
    weight: 3,
    amendment: Some("PermissionedDomains"),
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("a domain of zeros", &["temMALFORMED"], |_, plan| {
            Some(plan.with(DOMAIN_ID, xrpl_protocol::Hash256::ZERO))
        }),
        Mutation::new("a domain that there is not", &["tecNO_ENTRY"], |planner, plan| {
            Some(plan.with(DOMAIN_ID, planner.nothing()))
        }),
        // Its owner may delete it first.
        Mutation::new("somebody else's", &["tecNO_PERMISSION", "tecNO_ENTRY"], |planner, plan| {
            let me = Some(planner.sender);
            let others = planner.any(Kind::PermissionedDomain, |domain| domain.owner != me).ok()?;
            Some(plan.with(DOMAIN_ID, others.id))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for PermissionedDomainDelete {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let domain = planner.own(Kind::PermissionedDomain, |_| true);
        let domain = domain.map_err(|_| Wait::First("PermissionedDomainSet"))?;
        Ok(Plan::new("PermissionedDomainDelete").with(DOMAIN_ID, domain.id).holding(domain.id))
    }
}
