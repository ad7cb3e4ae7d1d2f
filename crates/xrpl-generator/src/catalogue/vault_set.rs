//! VaultSet (<https://xrpl.org/docs/references/protocol/transactions/types/vaultset>).

use xrpl_protocol::fields::{DATA, VAULT_ID};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct VaultSet;

static ABOUT: About = About {
    name: "VaultSet",
    family: "Vaults",
    amendment: Some("SingleAssetVault"),
    modifiers: Modifier::ALONE,
    mutations: &[
        Mutation::new("nothing to be set", &["temMALFORMED"], |_, plan| Some(plan.without(DATA))),
        Mutation::new("a vault of zeros", &["temMALFORMED"], |_, plan| {
            Some(plan.with(VAULT_ID, xrpl_protocol::Hash256::ZERO))
        }),
        Mutation::new("a vault that there is not", &["tecNO_ENTRY"], |planner, plan| {
            Some(plan.with(VAULT_ID, planner.nothing()))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for VaultSet {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let vault = planner.own(Kind::Vault, |_| true).map_err(|_| Wait::First("VaultCreate"))?;
        let data = planner.below(1 << 32).to_be_bytes().to_vec();
        Ok(Plan::new("VaultSet").with(VAULT_ID, vault.id).with(DATA, data).holding(vault.id))
    }
}
