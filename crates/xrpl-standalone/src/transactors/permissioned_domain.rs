//! PermissionedDomainSet and PermissionedDomainDelete
//! (<https://xrpl.org/docs/concepts/tokens/decentralized-exchange/permissioned-domains>).

use xrpl_protocol::{EngineResult, Hash256, Object, Value, fields, object_id};

use super::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure};
use crate::ledger::{
    ApplyView, Entry, PreparedTx, ReadView, Ter, amendment, directory, entry_type,
    helpers::{
        account_root::{adjust_owner_count, balance_of, reserve},
        credentials::{self, MAX_DOMAIN_CREDENTIALS},
        owned,
    },
};

/// Creates a domain, or changes which credentials it accepts.
#[derive(Debug)]
pub(super) struct PermissionedDomainSet;

/// Deletes a domain.
#[derive(Debug)]
pub(super) struct PermissionedDomainDelete;

fn accepted(tx: &PreparedTx) -> &[(xrpl_protocol::Field, Object)] {
    tx.object.array(fields::ACCEPTED_CREDENTIALS).unwrap_or_default()
}

/// What a domain's entry has of the credentials: in order of issuers and types.
fn sorted(tx: &PreparedTx) -> Value {
    let pairs = credentials::distinct(accepted(tx)).unwrap_or_default();
    let credential = |(issuer, kind)| {
        let credential =
            Object::new().with(fields::ISSUER, issuer).with(fields::CREDENTIAL_TYPE, kind);
        (fields::CREDENTIAL, credential)
    };
    Value::Array(pairs.into_iter().map(credential).collect())
}

/// The sender's domain of that id.
fn own_domain(ctx: &PreclaimContext<'_>, id: &Hash256) -> Result<Entry, EngineResult> {
    let domain = credentials::domain(ctx.view, id).ok_or(EngineResult::TEC_NO_ENTRY)?;
    match domain.account(fields::OWNER) == Some(ctx.tx.account) {
        true => Ok(domain),
        false => Err(EngineResult::TEC_NO_PERMISSION),
    }
}

impl Transactor for PermissionedDomainSet {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        ctx.rules.enabled(amendment::CREDENTIALS)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        credentials::check_array(accepted(ctx.tx), MAX_DOMAIN_CREDENTIALS)?;
        let zero = ctx.tx.object.hash256(fields::DOMAIN_ID) == Some(Hash256::ZERO);
        ensure(!zero, EngineResult::TEM_MALFORMED)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let mut issuers = accepted(ctx.tx).iter().map(|(_, credential)| {
            object_id::account_root(credential.account(fields::ISSUER).unwrap_or_default())
        });
        ensure(issuers.all(|issuer| ctx.view.exists(&issuer)), EngineResult::TEC_NO_ISSUER)?;
        match ctx.tx.object.hash256(fields::DOMAIN_ID) {
            Some(id) => own_domain(ctx, &id).map(|_| ()),
            None => Ok(()),
        }
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, owner) = (ctx.tx, ctx.tx.account);
        if let Some(id) = tx.object.hash256(fields::DOMAIN_ID) {
            let domain = ctx.view.get_mut(&id).ok_or(EngineResult::TEF_INTERNAL)?;
            domain.set(fields::ACCEPTED_CREDENTIALS, sorted(tx));
            return Ok(());
        }
        let root = ctx.view.account(owner).ok_or(EngineResult::TEF_INTERNAL)?;
        // Other than most types it judges by what is left after the fee.
        let affordable = balance_of(&root) >= reserve(&ctx.view, &root, 1);
        ensure(affordable, EngineResult::TEC_INSUFFICIENT_RESERVE)?;
        // Without the amendment all domains that are made with Tickets have the same id.
        let sequence = match ctx.view.rules().enabled(amendment::FIX_CLEANUP_3_1_3) {
            true => tx.seq.value(),
            false => tx.object.u32(fields::SEQUENCE).unwrap_or_default(),
        };
        let key = object_id::permissioned_domain(owner, sequence);
        let page =
            directory::add_owned(&mut ctx.view, owner, key).ok_or(EngineResult::TEC_DIR_FULL)?;
        adjust_owner_count(&mut ctx.view, owner, 1)?;
        let domain = entry_type::new(entry_type::PERMISSIONED_DOMAIN)
            .with(fields::OWNER, owner)
            .with(fields::SEQUENCE, sequence)
            .with(fields::ACCEPTED_CREDENTIALS, sorted(tx))
            .with(fields::OWNER_NODE, page);
        ctx.view.insert(key, domain);
        Ok(())
    }
}

impl Transactor for PermissionedDomainDelete {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let id = ctx.tx.object.hash256(fields::DOMAIN_ID).unwrap_or_default();
        ensure(id != Hash256::ZERO, EngineResult::TEM_MALFORMED)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let id = ctx.tx.object.hash256(fields::DOMAIN_ID).unwrap_or_default();
        own_domain(ctx, &id).map(|_| ())
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let id = ctx.tx.object.hash256(fields::DOMAIN_ID).unwrap_or_default();
        owned::delete(&mut ctx.view, ctx.tx.account, &id, 1, true)
    }
}
