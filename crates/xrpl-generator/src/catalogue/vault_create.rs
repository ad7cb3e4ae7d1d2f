//! VaultCreate (<https://xrpl.org/docs/references/protocol/transactions/types/vaultcreate>): of XRP
//! or of a currency.

use xrpl_protocol::{
    Issue, Value,
    fields::{ASSET, DATA, WITHDRAWAL_POLICY},
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
const MOST: usize = 2;

#[derive(Debug)]
pub(super) struct VaultCreate;

static ABOUT: About = About {
    name: "VaultCreate",
    family: "Vaults",
    amendment: Some("SingleAssetVault"),
    // Its shares are such tokens.
    needs: &["MPTokensV1"],
    variants: &["XRP", "a currency"],
    modifiers: Modifier::ALONE,
    mutations: &[
        Mutation::new("empty data", &["temMALFORMED"], |_, plan| {
            Some(plan.with(DATA, Vec::<u8>::new()))
        }),
        Mutation::new("data that is too long", &["temMALFORMED"], |_, plan| {
            Some(plan.with(DATA, vec![7; 257]))
        }),
        Mutation::new("a policy that there is not", &["temMALFORMED"], |_, plan| {
            Some(plan.with(WITHDRAWAL_POLICY, 7u8))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for VaultCreate {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.fewer(Kind::Vault, MOST)?;
        // The vault, and its owner's share of it.
        planner.afford(planner.fees.figures().increment, 2)?;
        let data = planner.one_in(2).then(|| b"vault".to_vec());
        let plan = Plan::new("VaultCreate").with_some(DATA, data).owning(2);
        if let Ok(asset) = planner.asset()
            && planner.one_in(3)
        {
            let asset = planner.world.assets[usize::from(asset)];
            let issue = Issue::Issued { currency: asset.currency, issuer: asset.issuer };
            return Ok(plan.with(ASSET, Value::Issue(issue)).variant("a currency"));
        }
        Ok(plan.with(ASSET, Value::Issue(Issue::Xrp)).variant("XRP"))
    }
}
