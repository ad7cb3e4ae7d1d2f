//! VaultDeposit (<https://xrpl.org/docs/references/protocol/transactions/types/vaultdeposit>).

use xrpl_protocol::{
    Amount, Issue, IssuedValue,
    fields::{AMOUNT, VAULT_ID},
};

use super::{About, TransactionType, vaults::{asset, is_public}};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait, drops},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct VaultDeposit;

static ABOUT: About = About {
    name: "VaultDeposit",
    family: "Vaults",
    weight: 6,
    amendment: Some("SingleAssetVault"),
    variants: &["XRP", "a currency"],
    modifiers: Modifier::ALONE,
    mutations: &[
        Mutation::new("nothing", &["temBAD_AMOUNT"], |_, plan| Some(plan.with(AMOUNT, drops(0)))),
        Mutation::new("another asset", &["tecWRONG_ASSET"], |planner, plan| {
            Some(plan.with(AMOUNT, planner.unheld(IssuedValue::ONE).ok()?))
        }),
        Mutation::new("a vault of zeros", &["temMALFORMED"], |_, plan| {
            Some(plan.with(VAULT_ID, xrpl_protocol::Hash256::ZERO))
        }),
        Mutation::new("a vault that there is not", &["tecNO_ENTRY"], |planner, plan| {
            Some(plan.with(VAULT_ID, planner.nothing()))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for VaultDeposit {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let vault = planner.any(Kind::Vault, is_public).map_err(|_| Wait::First("VaultCreate"))?;
        let plan = Plan::new("VaultDeposit").with(VAULT_ID, vault.id).holding(vault.id).owning(1);
        let (amount, variant) = match asset(vault).ok_or(Wait::Object(Kind::Vault))? {
            Issue::Issued { currency, issuer } => {
                (Amount::issued(planner.small_value()?, currency, issuer), "a currency")
            }
            _ => (drops(1_000 + planner.below(1_000_000)), "XRP"),
        };
        planner.paying(plan.with(AMOUNT, amount).variant(variant), amount)
    }
}
