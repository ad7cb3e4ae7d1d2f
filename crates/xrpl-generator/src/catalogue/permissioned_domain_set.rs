//! PermissionedDomainSet
//! (<https://xrpl.org/docs/references/protocol/transactions/types/permissioneddomainset>): makes one
//! and changes which credentials open it.

use xrpl_protocol::{
    AccountId, Object, Value,
    fields::{ACCEPTED_CREDENTIALS, CREDENTIAL, CREDENTIAL_TYPE, DOMAIN_ID, ISSUER},
};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait},
    planner::Planner,
};

/// How many an account has.
const MOST: usize = 3;

/// The credentials that open a domain: issuer and type of each.
pub(crate) fn accepted(credentials: &[(AccountId, Vec<u8>)]) -> Value {
    let one = |(issuer, kind): &(AccountId, Vec<u8>)| {
        (CREDENTIAL, Object::new().with(ISSUER, *issuer).with(CREDENTIAL_TYPE, kind.clone()))
    };
    Value::Array(credentials.iter().map(one).collect())
}

#[derive(Debug)]
pub(super) struct PermissionedDomainSet;

static ABOUT: About = About {
    name: "PermissionedDomainSet",
    family: "Credentials",
    amendment: Some("PermissionedDomains"),
    needs: &["Credentials"],
    variants: &["making", "changing"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("nothing opens it", &["temARRAY_EMPTY"], |_, plan| {
            Some(plan.with(ACCEPTED_CREDENTIALS, accepted(&[])))
        }),
        Mutation::new("more than ten open it", &["temARRAY_TOO_LARGE"], |planner, plan| {
            let id = planner.me().id;
            let all: Vec<_> = (0..11).map(|n| (id, vec![n])).collect();
            Some(plan.with(ACCEPTED_CREDENTIALS, accepted(&all)))
        }),
        Mutation::new("one of them twice", &["temMALFORMED"], |planner, plan| {
            let one = (planner.me().id, vec![7]);
            Some(plan.with(ACCEPTED_CREDENTIALS, accepted(&[one.clone(), one])))
        }),
        Mutation::new("a domain of zeros", &["temMALFORMED"], |_, plan| {
            Some(plan.with(DOMAIN_ID, xrpl_protocol::Hash256::ZERO))
        }),
        Mutation::new("a domain that there is not", &["tecNO_ENTRY"], |planner, plan| {
            Some(plan.with(DOMAIN_ID, planner.nothing()))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for PermissionedDomainSet {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let issuer = planner.other_id()?;
        let count = 1 + planner.below(3);
        let kinds: Vec<_> =
            (0..count).map(|n| (issuer, format!("kind {n}").into_bytes())).collect();
        let plan = Plan::new("PermissionedDomainSet").with(ACCEPTED_CREDENTIALS, accepted(&kinds));
        let enough = planner.fewer(Kind::PermissionedDomain, MOST).is_err();
        if (enough || planner.one_in(3))
            && let Ok(domain) = planner.own(Kind::PermissionedDomain, |_| true)
        {
            planner.afford(0, 0)?;
            return Ok(plan.with(DOMAIN_ID, domain.id).holding(domain.id).variant("changing"));
        }
        planner.fewer(Kind::PermissionedDomain, MOST)?;
        planner.afford(0, 1)?;
        Ok(plan.owning(1).variant("making"))
    }
}
