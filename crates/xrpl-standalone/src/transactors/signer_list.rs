//! SignerListSet (<https://xrpl.org/docs/references/protocol/transactions/types/signerlistset>).

use xrpl_protocol::{AccountId, EngineResult, Object, Value, fields, object_id};

use super::{ApplyContext, Consequences, PreflightContext, Transactor};
use crate::ledger::{
    ApplyView, PreparedTx, ReadView, Ter, directory, entry_type,
    helpers::{
        account_root::{adjust_owner_count, flag, flags_of, reserve},
        copy_fields, owned,
    },
};

/// `lsfOneOwnerCount`: the list counts as one thing, however long it is.
const ONE_OWNER_COUNT: u32 = 0x0001_0000;
const MAX_ENTRIES: usize = 32;

/// The type.
#[derive(Debug)]
pub(super) struct SignerListSet;

fn quorum(tx: &PreparedTx) -> u32 {
    tx.object.u32(fields::SIGNER_QUORUM).unwrap_or_default()
}

/// The list, sorted by account; none if it is to be deleted.
fn entries(tx: &PreparedTx) -> Option<Vec<Object>> {
    let list = tx.object.array(fields::SIGNER_ENTRIES)?;
    let mut entries: Vec<Object> = list.iter().map(|(_, entry)| entry.clone()).collect();
    entries.sort_by_key(|entry| entry.account(fields::ACCOUNT));
    Some(entries)
}

impl Transactor for SignerListSet {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        let quorum = quorum(tx);
        let entries = match (quorum, entries(tx)) {
            (0, None) => return Ok(()),
            (1.., Some(entries)) if (1..=MAX_ENTRIES).contains(&entries.len()) => entries,
            _ => return Err(EngineResult::TEM_MALFORMED),
        };
        let account = |entry: &Object| entry.account(fields::ACCOUNT);
        if entries.windows(2).any(|pair| account(&pair[0]) == account(&pair[1])) {
            return Err(EngineResult::TEM_BAD_SIGNER);
        }
        let mut sum: u64 = 0;
        for entry in &entries {
            let weight = entry.u16(fields::SIGNER_WEIGHT).unwrap_or_default();
            if weight == 0 {
                return Err(EngineResult::TEM_BAD_WEIGHT);
            }
            sum += u64::from(weight);
            if account(entry) == Some(tx.account) {
                return Err(EngineResult::TEM_BAD_SIGNER);
            }
        }
        if sum < u64::from(quorum) { Err(EngineResult::TEM_BAD_QUORUM) } else { Ok(()) }
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let Some(entries) = entries(tx) else {
            let root = ctx.account_root()?;
            if flags_of(root) & flag::DISABLE_MASTER != 0 && !root.contains(fields::REGULAR_KEY) {
                return Err(EngineResult::TEC_NO_ALTERNATIVE_KEY);
            }
            return remove(&mut ctx.view, tx.account);
        };
        remove(&mut ctx.view, tx.account)?;
        let root = ctx.view.account(tx.account).ok_or(EngineResult::TEF_INTERNAL)?;
        if ctx.prior_balance < reserve(&ctx.view, &root, 1) {
            return Err(EngineResult::TEC_INSUFFICIENT_RESERVE);
        }
        let key = object_id::signer_list(tx.account);
        let page = directory::add_owned(&mut ctx.view, tx.account, key)
            .ok_or(EngineResult::TEC_DIR_FULL)?;
        let stored = entries.into_iter().map(|entry| {
            let mut stored = Object::new();
            let names = [fields::ACCOUNT, fields::SIGNER_WEIGHT, fields::WALLET_LOCATOR];
            copy_fields(&entry, &mut stored, &names);
            (fields::SIGNER_ENTRY, stored)
        });
        let mut list = entry_type::new(entry_type::SIGNER_LIST)
            .with(fields::FLAGS, ONE_OWNER_COUNT)
            .with(fields::OWNER, tx.account)
            .with(fields::OWNER_NODE, page)
            .with(fields::SIGNER_QUORUM, quorum(tx))
            .with(fields::SIGNER_LIST_ID, 0u32);
        list.set(fields::SIGNER_ENTRIES, Value::Array(stored.collect()));
        ctx.view.insert(key, list);
        adjust_owner_count(&mut ctx.view, tx.account, 1)
    }

    fn consequences(&self, tx: &PreparedTx) -> Consequences {
        Consequences::blocker(tx)
    }
}

/// Deletes an account's list, if it has one.
///
/// # Errors
/// `tefBAD_LEDGER`.
pub(super) fn remove(view: &mut dyn ApplyView, account: AccountId) -> Ter {
    let key = object_id::signer_list(account);
    if !view.exists(&key) {
        return Ok(());
    }
    // Lists from before the amendment MultiSignReserve counted more; none is that old here.
    owned::delete(view, account, &key, 1, false)
}
