//! VaultSet (<https://xrpl.org/docs/references/protocol/transactions/types/vaultset>).

use xrpl_protocol::{EngineResult, fields, object_id};

use super::{associate, existing, id, names_vault, present, valid_data, valid_maximum, written};
use crate::{
    ledger::{
        ApplyView, Ter, amendment, entry_type,
        helpers::{account_root::flags_of, copy_fields, mpt, number, vault},
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// The type.
#[derive(Debug)]
pub(crate) struct Set;

impl Transactor for Set {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        !ctx.tx.object.contains(fields::DOMAIN_ID)
            || ctx.rules.enabled(amendment::PERMISSIONED_DOMAINS)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        names_vault(ctx.tx)?;
        let object = &ctx.tx.object;
        let changes = [fields::DOMAIN_ID, fields::ASSETS_MAXIMUM, fields::DATA];
        let good = valid_data(object, fields::DATA)
            && valid_maximum(object)
            && changes.iter().any(|field| object.contains(*field));
        ensure(good, EngineResult::TEM_MALFORMED)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let found = vault::find(view, &id(tx)).ok_or(EngineResult::TEC_NO_ENTRY)?;
        ensure(vault::owner(&found.0) == tx.account, EngineResult::TEC_NO_PERMISSION)?;
        let (vault, issuance) = existing(view, tx)?;
        let Some(domain) = tx.object.hash256(fields::DOMAIN_ID) else { return Ok(()) };
        let private = flags_of(&vault) & vault::PRIVATE != 0;
        ensure(private, EngineResult::TEC_NO_PERMISSION)?;
        let exists = || {
            view.read(&domain)
                .is_some_and(|entry| entry_type::of(&entry) == entry_type::PERMISSIONED_DOMAIN)
        };
        ensure(domain.is_zero() || exists(), EngineResult::TEC_OBJECT_NOT_FOUND)?;
        let asks = flags_of(&issuance) & mpt::flag::REQUIRE_AUTH != 0;
        ensure(asks, EngineResult::TEF_INTERNAL)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, object) = (ctx.tx, &ctx.tx.object);
        let view = &mut ctx.view;
        let (before, _) = present(view, tx)?;
        let share = vault::share(&before);
        let total = vault::total(&before);
        drop(before);
        let vault = view.get_mut(&id(tx)).ok_or(EngineResult::TEF_INTERNAL)?;
        copy_fields(object, vault, &[fields::DATA]);
        if object.contains(fields::ASSETS_MAXIMUM) {
            let most = number::get(object, fields::ASSETS_MAXIMUM);
            ensure(most.is_zero() || most >= total, EngineResult::TEC_LIMIT_EXCEEDED)?;
            written(number::set(vault, fields::ASSETS_MAXIMUM, most))?;
        }
        if let Some(domain) = object.hash256(fields::DOMAIN_ID) {
            let key = object_id::mpt_issuance(share);
            let issuance = view.get_mut(&key).ok_or(EngineResult::TEF_INTERNAL)?;
            if domain.is_zero() {
                issuance.remove(fields::DOMAIN_ID);
            } else {
                issuance.set(fields::DOMAIN_ID, domain.into());
            }
        }
        associate(view, &id(tx))
    }
}
