//! CredentialDelete
//! (<https://xrpl.org/docs/references/protocol/transactions/types/credentialdelete>): by who said
//! it or of whom it was said.

use xrpl_protocol::fields::{self, CREDENTIAL_TYPE, ISSUER, SUBJECT};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct CredentialDelete;

static ABOUT: About = About {
    name: "CredentialDelete",
    family: "Credentials",
    weight: 3,
    amendment: Some("Credentials"),
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("of nobody and about nobody", &["temMALFORMED"], |_, plan| {
            Some(plan.without(SUBJECT).without(ISSUER))
        }),
        Mutation::new("an empty type", &["temMALFORMED"], |_, plan| {
            Some(plan.with(CREDENTIAL_TYPE, Vec::<u8>::new()))
        }),
        Mutation::new("what nobody says", &["tecNO_ENTRY"], |_, plan| {
            Some(plan.with(CREDENTIAL_TYPE, b"what nobody says".to_vec()))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for CredentialDelete {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let mut credential = match planner.one_in(2) {
            true => planner.mine(Kind::Credential, |_| true),
            false => planner.own(Kind::Credential, |_| true),
        };
        if credential.is_err() {
            credential = planner.own(Kind::Credential, |_| true);
        }
        let credential = credential.map_err(|_| Wait::First("CredentialCreate"))?;
        let none = Wait::Object(Kind::Credential);
        Ok(Plan::new("CredentialDelete")
            .with(SUBJECT, credential.account(fields::SUBJECT).ok_or(none)?)
            .with(ISSUER, credential.account(fields::ISSUER).ok_or(none)?)
            .with(CREDENTIAL_TYPE, credential.blob(fields::CREDENTIAL_TYPE).ok_or(none)?)
            .holding(credential.id))
    }
}
