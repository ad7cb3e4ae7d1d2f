//! VaultDelete (<https://xrpl.org/docs/references/protocol/transactions/types/vaultdelete>): of what
//! is empty and lends nothing.

use xrpl_protocol::fields::VAULT_ID;

use super::{About, TransactionType, vaults::is_empty};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::{Entry, Kind},
    plan::{Plan, Wait},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct VaultDelete;

static ABOUT: About = About {
    name: "VaultDelete",
    family: "Vaults",
    weight: 3,
    amendment: Some("SingleAssetVault"),
    modifiers: Modifier::ALONE,
    mutations: &[
        Mutation::new("a vault of zeros", &["temMALFORMED"], |_, plan| {
            Some(plan.with(VAULT_ID, xrpl_protocol::Hash256::ZERO))
        }),
        Mutation::new("a vault that there is not", &["tecNO_ENTRY"], |planner, plan| {
            Some(plan.with(VAULT_ID, planner.nothing()))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for VaultDelete {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let objects = &planner.world.objects;
        let lent = |vault: &Entry| objects.parts(Kind::LoanBroker, vault.id).next().is_some();
        let unused = planner.own(Kind::Vault, |vault| is_empty(vault) && !lent(vault));
        let vault = unused.map_err(|_| Wait::First("VaultCreate"))?;
        Ok(Plan::new("VaultDelete").with(VAULT_ID, vault.id).holding(vault.id))
    }
}
