//! CredentialCreate, CredentialAccept, CredentialDelete
//! (<https://xrpl.org/docs/concepts/decentralized-storage/credentials>).

use xrpl_protocol::{AccountId, EngineResult, Hash256, fields, object_id};

use super::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure};
use crate::ledger::{
    ApplyView, PreparedTx, ReadView, Ter, amendment, directory, entry_type,
    helpers::{
        account_root::{adjust_owner_count, flags_of, reserve},
        copy_fields,
        credentials::{ACCEPTED, MAX_TYPE_LENGTH, delete, is_expired},
    },
};

/// Bytes of a credential's `URI`.
const MAX_URI_LENGTH: usize = 256;

/// Makes a credential about somebody, who has to accept it; of oneself it is accepted at once.
#[derive(Debug)]
pub(super) struct CredentialCreate;

/// The subject accepts a credential and owns it from then on.
#[derive(Debug)]
pub(super) struct CredentialAccept;

/// Deletes a credential: its issuer or subject at any time, anybody once it has expired.
#[derive(Debug)]
pub(super) struct CredentialDelete;

fn kind(tx: &PreparedTx) -> &[u8] {
    tx.object.blob(fields::CREDENTIAL_TYPE).unwrap_or_default()
}

fn check_kind(tx: &PreparedTx) -> Ter {
    ensure((1..=MAX_TYPE_LENGTH).contains(&kind(tx).len()), EngineResult::TEM_MALFORMED)
}

/// Before the amendment fixInvalidTxFlags these types took any flag.
fn flags(ctx: &PreflightContext<'_>) -> u32 {
    if ctx.rules.enabled(amendment::FIX_INVALID_TX_FLAGS) { 0 } else { u32::MAX }
}

/// The sender, who is about to own one thing more, has the reserve for it.
fn afford_one_more(ctx: &ApplyContext<'_>) -> Ter {
    let root = ctx.view.account(ctx.tx.account).ok_or(EngineResult::TEF_INTERNAL)?;
    ensure(
        ctx.prior_balance >= reserve(&ctx.view, &root, 1),
        EngineResult::TEC_INSUFFICIENT_RESERVE,
    )
}

impl CredentialCreate {
    fn subject(tx: &PreparedTx) -> AccountId {
        tx.object.account(fields::SUBJECT).unwrap_or_default()
    }

    fn key(tx: &PreparedTx) -> Hash256 {
        object_id::credential(Self::subject(tx), tx.account, kind(tx))
    }
}

impl Transactor for CredentialCreate {
    fn flags(&self, ctx: &PreflightContext<'_>) -> u32 {
        flags(ctx)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let malformed = EngineResult::TEM_MALFORMED;
        ensure(Self::subject(ctx.tx) != AccountId::ZERO, malformed)?;
        let uri = ctx.tx.object.blob(fields::URI);
        let fits = |uri: &[u8]| (1..=MAX_URI_LENGTH).contains(&uri.len());
        ensure(uri.is_none_or(fits), malformed)?;
        check_kind(ctx.tx)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let subject = object_id::account_root(Self::subject(ctx.tx));
        ensure(ctx.view.exists(&subject), EngineResult::TEC_NO_TARGET)?;
        ensure(!ctx.view.exists(&Self::key(ctx.tx)), EngineResult::TEC_DUPLICATE)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let (issuer, subject, key) = (tx.account, Self::subject(tx), Self::key(tx));
        let mut credential = entry_type::new(entry_type::CREDENTIAL)
            .with(fields::SUBJECT, subject)
            .with(fields::ISSUER, issuer);
        let given = [fields::CREDENTIAL_TYPE, fields::EXPIRATION, fields::URI];
        copy_fields(&tx.object, &mut credential, &given);
        ensure(!is_expired(&ctx.view, &credential), EngineResult::TEC_EXPIRED)?;
        afford_one_more(ctx)?;
        let full = EngineResult::TEC_DIR_FULL;
        let page = directory::add_owned(&mut ctx.view, issuer, key).ok_or(full)?;
        credential.set(fields::ISSUER_NODE, page.into());
        adjust_owner_count(&mut ctx.view, issuer, 1)?;
        if subject == issuer {
            credential.set(fields::FLAGS, ACCEPTED.into());
        } else {
            let page = directory::add_owned(&mut ctx.view, subject, key).ok_or(full)?;
            credential.set(fields::SUBJECT_NODE, page.into());
        }
        ctx.view.insert(key, credential);
        Ok(())
    }
}

impl CredentialAccept {
    fn issuer(tx: &PreparedTx) -> AccountId {
        tx.object.account(fields::ISSUER).unwrap_or_default()
    }

    fn key(tx: &PreparedTx) -> Hash256 {
        object_id::credential(tx.account, Self::issuer(tx), kind(tx))
    }
}

impl Transactor for CredentialAccept {
    fn flags(&self, ctx: &PreflightContext<'_>) -> u32 {
        flags(ctx)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let zero = Self::issuer(ctx.tx) == AccountId::ZERO;
        ensure(!zero, EngineResult::TEM_INVALID_ACCOUNT_ID)?;
        check_kind(ctx.tx)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let issuer = object_id::account_root(Self::issuer(ctx.tx));
        ensure(ctx.view.exists(&issuer), EngineResult::TEC_NO_ISSUER)?;
        let credential = ctx.view.read(&Self::key(ctx.tx)).ok_or(EngineResult::TEC_NO_ENTRY)?;
        ensure(flags_of(&credential) & ACCEPTED == 0, EngineResult::TEC_DUPLICATE)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let internal = EngineResult::TEF_INTERNAL;
        let (subject, issuer, key) = (ctx.tx.account, Self::issuer(ctx.tx), Self::key(ctx.tx));
        ensure(ctx.view.exists(&object_id::account_root(issuer)), internal)?;
        afford_one_more(ctx)?;
        if is_expired(&ctx.view, &*ctx.view.read(&key).ok_or(internal)?) {
            // Its removal outlives the failure.
            delete(&mut ctx.view, &key)?;
            return Err(EngineResult::TEC_EXPIRED);
        }
        let credential = ctx.view.get_mut(&key).ok_or(internal)?;
        credential.set(fields::FLAGS, ACCEPTED.into());
        adjust_owner_count(&mut ctx.view, issuer, -1)?;
        adjust_owner_count(&mut ctx.view, subject, 1)
    }
}

impl CredentialDelete {
    /// Subject and issuer; the sender is whichever is not named.
    fn parties(tx: &PreparedTx) -> (AccountId, AccountId) {
        let party = |field| tx.object.account(field).unwrap_or(tx.account);
        (party(fields::SUBJECT), party(fields::ISSUER))
    }

    fn key(tx: &PreparedTx) -> Hash256 {
        let (subject, issuer) = Self::parties(tx);
        object_id::credential(subject, issuer, kind(tx))
    }
}

impl Transactor for CredentialDelete {
    fn flags(&self, ctx: &PreflightContext<'_>) -> u32 {
        flags(ctx)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let named = [fields::SUBJECT, fields::ISSUER].map(|field| ctx.tx.object.account(field));
        ensure(named.iter().any(Option::is_some), EngineResult::TEM_MALFORMED)?;
        let zero = named.contains(&Some(AccountId::ZERO));
        ensure(!zero, EngineResult::TEM_INVALID_ACCOUNT_ID)?;
        check_kind(ctx.tx)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        ensure(ctx.view.exists(&Self::key(ctx.tx)), EngineResult::TEC_NO_ENTRY)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (key, sender) = (Self::key(ctx.tx), ctx.tx.account);
        let credential = ctx.view.read(&key).ok_or(EngineResult::TEF_INTERNAL)?;
        let (subject, issuer) = Self::parties(ctx.tx);
        let may = sender == subject || sender == issuer || is_expired(&ctx.view, &credential);
        ensure(may, EngineResult::TEC_NO_PERMISSION)?;
        delete(&mut ctx.view, &key)
    }
}
