//! VaultWithdraw (<https://xrpl.org/docs/references/protocol/transactions/types/vaultwithdraw>): some
//! or all of its shares.

use xrpl_protocol::{
    Amount, IssuedValue,
    fields::{self, AMOUNT, VAULT_ID},
};

use super::{About, TransactionType, vaults::{Shares, available}};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait, drops},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct VaultWithdraw;

static ABOUT: About = About {
    name: "VaultWithdraw",
    family: "Vaults",
    weight: 6,
    amendment: Some("SingleAssetVault"),
    variants: &["some", "all"],
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

impl TransactionType for VaultWithdraw {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let world = planner.world;
        let token = planner.own(Kind::MpToken, |token| {
            Shares::of(world, token).is_some_and(|of| !world.objects.is_held(of.vault.id))
        });
        let token = token.map_err(|_| Wait::First("VaultDeposit"))?;
        let shares = Shares::of(world, token).ok_or(Wait::Object(Kind::Vault))?;
        let Shares { vault, share, token, held } = shares;
        // What is lent is not there; a share is worth a little more than was given for it by then.
        let lent = vault.decimal(fields::ASSETS_TOTAL) != vault.decimal(fields::ASSETS_AVAILABLE);
        let most = if lent { available(vault).min(held) } else { held };
        if most == 0 {
            return Err(Wait::First("LoanPay"));
        }
        let all = most == held && planner.one_in(2);
        let part = if all { held } else { 1 + planner.below(most) };
        let value = i64::try_from(part).map_err(|_| Wait::Object(Kind::Vault))?;
        Ok(Plan::new("VaultWithdraw")
            .with(VAULT_ID, vault.id)
            .with(AMOUNT, Amount::Mpt { value, id: share })
            .holding(vault.id)
            .holding(token)
            .variant(if all { "all" } else { "some" }))
    }
}
