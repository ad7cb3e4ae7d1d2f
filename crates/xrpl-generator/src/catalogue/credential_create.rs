//! CredentialCreate
//! (<https://xrpl.org/docs/references/protocol/transactions/types/credentialcreate>).

use xrpl_protocol::{
    fields::{CREDENTIAL_TYPE, EXPIRATION, SUBJECT, URI},
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

/// How many an account says of others.
const MOST: usize = 8;

#[derive(Debug)]
pub(super) struct CredentialCreate;

static ABOUT: About = About {
    name: "CredentialCreate",
    family: "Credentials",
    amendment: Some("Credentials"),
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("an empty type", &["temMALFORMED"], |_, plan| {
            Some(plan.with(CREDENTIAL_TYPE, Vec::<u8>::new()))
        }),
        Mutation::new("a type that is too long", &["temMALFORMED"], |_, plan| {
            Some(plan.with(CREDENTIAL_TYPE, vec![7; 65]))
        }),
        Mutation::new("an empty URI", &["temMALFORMED"], |_, plan| {
            Some(plan.with(URI, Vec::<u8>::new()))
        }),
        Mutation::new("for nobody", &["tecNO_TARGET"], |planner, plan| {
            Some(plan.with(SUBJECT, planner.nobody()))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for CredentialCreate {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.fewer(Kind::Credential, MOST)?;
        planner.afford(0, 1)?;
        let subject = planner.other_id()?;
        let kind = format!("kind {}", planner.below(4)).into_bytes();
        let id = planner.free(object_id::credential(subject, planner.me().id, &kind))?;
        if planner.world.objects.get(id).is_some() {
            return Err(Wait::Until("it has said that of them"));
        }
        let expires = planner.one_in(4).then(|| planner.later() + 300);
        Ok(Plan::new("CredentialCreate")
            .with(SUBJECT, subject)
            .with(CREDENTIAL_TYPE, kind)
            .with_some(EXPIRATION, expires)
            .holding(id)
            .owning(1))
    }
}
