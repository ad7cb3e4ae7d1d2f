//! VaultClawback (<https://xrpl.org/docs/references/protocol/transactions/types/vaultclawback>): a
//! gateway takes back what it issued.

use xrpl_protocol::{
    Amount, Decimal, Issue, IssuedValue,
    fields::{self, AMOUNT, HOLDER, VAULT_ID},
};

use super::{
    About, TransactionType,
    vaults::asset,
};
use crate::{
    accounts::Role,
    modifier::Modifier,
    mutation::Mutation,
    objects::{Entry, Kind},
    plan::{Plan, Wait, drops},
    planner::Planner,
};

const LSF_ALLOW_TRUST_LINE_CLAWBACK: u32 = 0x8000_0000;

/// Shares that a holder has at least: twice what is taken, as long as a share is worth what was given for
/// it.
const LEAST: u64 = 20_000;

#[derive(Debug)]
pub(super) struct VaultClawback;

static ABOUT: About = About {
    name: "VaultClawback",
    family: "Vaults",
    weight: 10,
    roles: &[Role::Gateway],
    amendment: Some("SingleAssetVault"),
    modifiers: Modifier::ALONE,
    mutations: &[
        Mutation::new("XRP", &["temMALFORMED"], |_, plan| Some(plan.with(AMOUNT, drops(1)))),
        Mutation::new("a vault of zeros", &["temMALFORMED"], |_, plan| {
            Some(plan.with(VAULT_ID, xrpl_protocol::Hash256::ZERO))
        }),
        Mutation::new("a vault that there is not", &["tecNO_ENTRY"], |planner, plan| {
            Some(plan.with(VAULT_ID, planner.nothing()))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for VaultClawback {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        if planner.me().flags & LSF_ALLOW_TRUST_LINE_CLAWBACK == 0 {
            return Err(Wait::Never("it has promised its holders not to"));
        }
        let me = planner.me().id;
        let own = |vault: &Entry| {
            let own = matches!(asset(vault), Some(Issue::Issued { issuer, .. }) if issuer == me);
            own && vault.decimal(fields::ASSETS_AVAILABLE) > Decimal::from(1)
        };
        let vault = planner.any(Kind::Vault, own)?;
        let shares = vault.part_of.ok_or(Wait::Object(Kind::Vault))?;
        let token = planner.part(Kind::MpToken, shares, |token| {
            let enough = token.number(fields::MPT_AMOUNT).is_some_and(|held| held >= LEAST);
            enough && token.owner.is_some()
        })?;
        let holder = token.account(fields::ACCOUNT).ok_or(Wait::Object(Kind::MpToken))?;
        let Some(Issue::Issued { currency, issuer }) = asset(vault) else {
            return Err(Wait::Object(Kind::Vault));
        };
        let some = IssuedValue::new(1, -2).map_err(|_| Wait::Never("there is no such value"))?;
        Ok(Plan::new("VaultClawback")
            .with(VAULT_ID, vault.id)
            .with(HOLDER, holder)
            .with(AMOUNT, Amount::issued(some, currency, issuer))
            .holding(vault.id)
            .holding(token.id))
    }
}
