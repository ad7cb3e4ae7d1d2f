//! CredentialAccept
//! (<https://xrpl.org/docs/references/protocol/transactions/types/credentialaccept>).

use xrpl_protocol::fields::{self, CREDENTIAL_TYPE, ISSUER};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait},
    planner::Planner,
};

const LSF_ACCEPTED: u32 = 0x0001_0000;

#[derive(Debug)]
pub(super) struct CredentialAccept;

static ABOUT: About = About {
    name: "CredentialAccept",
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
        Mutation::new("what nobody says", &["tecNO_ENTRY"], |_, plan| {
            Some(plan.with(CREDENTIAL_TYPE, b"what nobody says".to_vec()))
        }),
        Mutation::new("of nobody", &["tecNO_ISSUER"], |planner, plan| {
            Some(plan.with(ISSUER, planner.nobody()))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for CredentialAccept {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 1)?;
        let ahead = planner.later();
        let credential = planner.mine(Kind::Credential, |credential| {
            let valid = credential.number(fields::EXPIRATION).is_none_or(|at| at > ahead.into());
            credential.flags() & LSF_ACCEPTED == 0 && valid
        });
        let credential = credential.map_err(|_| Wait::First("CredentialCreate"))?;
        let none = Wait::Object(Kind::Credential);
        Ok(Plan::new("CredentialAccept")
            .with(ISSUER, credential.account(fields::ISSUER).ok_or(none)?)
            .with(CREDENTIAL_TYPE, credential.blob(fields::CREDENTIAL_TYPE).ok_or(none)?)
            .holding(credential.id)
            .owning(1))
    }
}
