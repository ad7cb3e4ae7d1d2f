//! DIDSet and DIDDelete
//! (<https://xrpl.org/docs/concepts/decentralized-storage/decentralized-identifiers>).

use xrpl_protocol::{EngineResult, Field, Object, fields, object_id};

use super::{ApplyContext, PreflightContext, Transactor, ensure};
use crate::ledger::{
    ApplyView, ReadView, Ter, amendment, directory, entry_type,
    helpers::{
        account_root::{adjust_owner_count, balance_of, reserve},
        owned,
    },
};

/// What a DID may have, one of them at least.
const CONTENTS: [Field; 3] = [fields::URI, fields::DID_DOCUMENT, fields::DATA];
/// Bytes of each.
const MAX_LENGTH: usize = 256;

/// Sets the contents of the sender's DID; an empty one is taken away.
#[derive(Debug)]
pub(super) struct DidSet;

/// Deletes the sender's DID.
#[derive(Debug)]
pub(super) struct DidDelete;

/// Puts a transaction's contents into an entry.
fn fill(entry: &mut Object, tx: &Object) {
    for field in CONTENTS {
        match tx.blob(field) {
            Some([]) => drop(entry.remove(field)),
            Some(bytes) => entry.set(field, bytes.to_vec().into()),
            None => {}
        }
    }
}

fn has_contents(entry: &Object) -> bool {
    CONTENTS.iter().any(|field| entry.contains(*field))
}

impl Transactor for DidSet {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let contents = CONTENTS.map(|field| ctx.tx.object.blob(field));
        let none = contents.iter().all(Option::is_none);
        let all_empty = contents.iter().all(|bytes| bytes.is_some_and(<[u8]>::is_empty));
        ensure(!none && !all_empty, EngineResult::TEM_EMPTY_DID)?;
        let fit = contents.iter().flatten().all(|bytes| bytes.len() <= MAX_LENGTH);
        ensure(fit, EngineResult::TEM_MALFORMED)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, account) = (ctx.tx, ctx.tx.account);
        let key = object_id::did(account);
        if let Some(did) = ctx.view.get_mut(&key) {
            fill(did, &tx.object);
            return ensure(has_contents(did), EngineResult::TEC_EMPTY_DID);
        }
        let mut did = entry_type::new(entry_type::DID).with(fields::ACCOUNT, account);
        fill(&mut did, &tx.object);
        if ctx.view.rules().enabled(amendment::FIX_EMPTY_DID) {
            ensure(has_contents(&did), EngineResult::TEC_EMPTY_DID)?;
        }
        let root = ctx.view.account(account).ok_or(EngineResult::TEF_INTERNAL)?;
        // Other than most types it judges by what is left after the fee.
        let affordable = balance_of(&root) >= reserve(&ctx.view, &root, 1);
        ensure(affordable, EngineResult::TEC_INSUFFICIENT_RESERVE)?;
        let page =
            directory::add_owned(&mut ctx.view, account, key).ok_or(EngineResult::TEC_DIR_FULL)?;
        ctx.view.insert(key, did.with(fields::OWNER_NODE, page));
        adjust_owner_count(&mut ctx.view, account, 1)
    }
}

impl Transactor for DidDelete {
    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let account = ctx.tx.account;
        owned::delete(&mut ctx.view, account, &object_id::did(account), 1, true)
    }
}
