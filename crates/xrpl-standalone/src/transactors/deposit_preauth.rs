//! DepositPreauth: who may deposit with an account that asks to be asked
//! (<https://xrpl.org/docs/references/protocol/transactions/types/depositpreauth>).

use std::collections::BTreeSet;

use xrpl_protocol::{AccountId, EngineResult, Field, Hash256, Object, Value, fields, object_id};

use super::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure};
use crate::ledger::{
    ApplyView, PreparedTx, ReadView, Ter, amendment, directory, entry_type,
    helpers::{
        account_root::{adjust_owner_count, reserve},
        credentials,
    },
};

/// The type.
#[derive(Debug)]
pub(super) struct DepositPreauth;

/// Who is meant: an account, or whoever holds all of these credentials.
enum Whom {
    Account(AccountId),
    Holders(BTreeSet<(AccountId, Vec<u8>)>),
}

impl Whom {
    fn id(&self, owner: AccountId) -> Hash256 {
        match self {
            Self::Account(account) => object_id::deposit_preauth(owner, *account),
            Self::Holders(pairs) => object_id::deposit_preauth_credentials(owner, pairs),
        }
    }
}

/// Whom a transaction adds (true) or takes away.
fn wanted(tx: &PreparedTx) -> Result<(bool, Whom), EngineResult> {
    for (field, adds) in [(fields::AUTHORIZE, true), (fields::UNAUTHORIZE, false)] {
        if let Some(account) = tx.object.account(field) {
            return Ok((adds, Whom::Account(account)));
        }
    }
    for (field, adds) in
        [(fields::AUTHORIZE_CREDENTIALS, true), (fields::UNAUTHORIZE_CREDENTIALS, false)]
    {
        if let Some(list) = tx.object.array(field) {
            let pairs = credentials::distinct(list).ok_or(EngineResult::TEF_INTERNAL)?;
            return Ok((adds, Whom::Holders(pairs)));
        }
    }
    Err(EngineResult::TEM_MALFORMED)
}

const BY_ACCOUNT: [Field; 2] = [fields::AUTHORIZE, fields::UNAUTHORIZE];
const BY_CREDENTIALS: [Field; 2] = [fields::AUTHORIZE_CREDENTIALS, fields::UNAUTHORIZE_CREDENTIALS];

impl Transactor for DepositPreauth {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        ctx.rules.enabled(amendment::CREDENTIALS)
            || !BY_CREDENTIALS.iter().any(|field| ctx.tx.object.contains(*field))
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        let given =
            BY_ACCOUNT.iter().chain(&BY_CREDENTIALS).filter(|field| tx.object.contains(**field));
        ensure(given.count() == 1, EngineResult::TEM_MALFORMED)?;
        let lists = BY_CREDENTIALS.iter().find_map(|field| tx.object.array(*field));
        if let Some(list) = lists {
            return credentials::check_array(list, credentials::MAX_PRESENTED);
        }
        let account = BY_ACCOUNT.iter().find_map(|field| tx.object.account(*field));
        ensure(account != Some(AccountId::ZERO), EngineResult::TEM_INVALID_ACCOUNT_ID)?;
        let itself = tx.object.account(fields::AUTHORIZE) == Some(tx.account);
        ensure(!itself, EngineResult::TEM_CANNOT_PREAUTH_SELF)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (adds, whom) = wanted(ctx.tx)?;
        let there = ctx.view.exists(&whom.id(ctx.tx.account));
        if !adds {
            return ensure(there, EngineResult::TEC_NO_ENTRY);
        }
        match &whom {
            Whom::Account(account) => {
                ensure(ctx.view.account(*account).is_some(), EngineResult::TEC_NO_TARGET)?;
            }
            Whom::Holders(pairs) => {
                let known = pairs.iter().all(|(issuer, _)| ctx.view.account(*issuer).is_some());
                ensure(known, EngineResult::TEC_NO_ISSUER)?;
            }
        }
        ensure(!there, EngineResult::TEC_DUPLICATE)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let owner = ctx.tx.account;
        let (adds, whom) = wanted(ctx.tx)?;
        let id = whom.id(owner);
        let view = &mut ctx.view;
        if !adds {
            return remove(view, &id);
        }
        let root = view.account(owner).ok_or(EngineResult::TEF_INTERNAL)?;
        let enough = ctx.prior_balance >= reserve(view, &root, 1);
        ensure(enough, EngineResult::TEC_INSUFFICIENT_RESERVE)?;
        drop(root);
        let page = directory::add_owned(view, owner, id).ok_or(EngineResult::TEC_DIR_FULL)?;
        let mut preauth = entry_type::new(entry_type::DEPOSIT_PREAUTH)
            .with(fields::ACCOUNT, owner)
            .with(fields::OWNER_NODE, page);
        match whom {
            Whom::Account(account) => preauth.set(fields::AUTHORIZE, account.into()),
            Whom::Holders(pairs) => preauth.set(fields::AUTHORIZE_CREDENTIALS, list(pairs)),
        }
        view.insert(id, preauth);
        adjust_owner_count(view, owner, 1)
    }
}

/// Credentials as an entry lists them: sorted.
fn list(pairs: BTreeSet<(AccountId, Vec<u8>)>) -> Value {
    let credential = |(issuer, kind): (AccountId, Vec<u8>)| {
        let object = Object::new().with(fields::ISSUER, issuer).with(fields::CREDENTIAL_TYPE, kind);
        (fields::CREDENTIAL, object)
    };
    Value::Array(pairs.into_iter().map(credential).collect())
}

/// Deletes a DepositPreauth.
///
/// # Errors
/// `tecNO_ENTRY` if there is none, `tefBAD_LEDGER`.
pub(super) fn remove(view: &mut dyn ApplyView, id: &Hash256) -> Ter {
    let preauth = view.read(id).ok_or(EngineResult::TEC_NO_ENTRY)?;
    let owner = preauth.account(fields::ACCOUNT).ok_or(EngineResult::TEF_BAD_LEDGER)?;
    let page = preauth.u64(fields::OWNER_NODE).unwrap_or_default();
    let removed = directory::remove(view, object_id::owner_dir(owner), page, id, false);
    ensure(removed, EngineResult::TEF_BAD_LEDGER)?;
    adjust_owner_count(view, owner, -1)?;
    view.erase(id);
    Ok(())
}
