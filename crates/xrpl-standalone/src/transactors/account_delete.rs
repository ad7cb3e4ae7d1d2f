//! AccountDelete (<https://xrpl.org/docs/references/protocol/transactions/types/accountdelete>): what
//! is left of an account's XRP goes to another, and what it owns is deleted, if all of it may be.

use xrpl_protocol::{AccountId, Amount, EngineResult, Hash256, Object, fields, object_id};

use super::{
    ApplyContext, Consequences, PreclaimContext, PreflightContext, Transactor, delegate,
    deposit_preauth, destination, owner_reserve_fee, signer_list,
};
use crate::ledger::{
    ApplyView, PreparedTx, ReadView, Ter, amendment, directory, entry_type,
    helpers::{
        account_root::{
            balance_of, check_destination_and_tag, flag, flags_of, sequence_of, set_balance,
        },
        credentials, nft, offer, owned, ticket,
    },
};

/// Things an account may own and still be deleted.
const MAX_OWNED: usize = 1000;
/// Ledgers between an account's Sequence and its deletion: old transactions could otherwise be
/// replayed if it is created again.
const MIN_AGE: u32 = 255;
/// Prices from which on an Oracle counts twice for the reserve.
const LARGE_ORACLE: usize = 6;

/// The type.
#[derive(Debug)]
pub(super) struct AccountDelete;

impl Transactor for AccountDelete {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        !ctx.tx.object.contains(fields::CREDENTIAL_I_DS)
            || ctx.rules.enabled(amendment::CREDENTIALS)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        if destination(ctx.tx) == ctx.tx.account {
            return Err(EngineResult::TEM_DST_IS_SRC);
        }
        credentials::check_fields(&ctx.tx.object)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (tx, view) = (ctx.tx, ctx.view);
        let to = destination(tx);
        let receiver = view.account(to);
        let has_tag = tx.object.contains(fields::DESTINATION_TAG);
        check_destination_and_tag(receiver.as_deref(), has_tag)?;
        credentials::valid(view, &tx.object, tx.account)?;
        // Credentials may have expired: they are looked at when they can be deleted.
        if !tx.object.contains(fields::CREDENTIAL_I_DS)
            && receiver.is_some_and(|root| flags_of(&root) & flag::DEPOSIT_AUTH != 0)
            && !view.exists(&object_id::deposit_preauth(to, tx.account))
        {
            return Err(EngineResult::TEC_NO_PERMISSION);
        }
        let root = view.account(tx.account).ok_or(EngineResult::TER_NO_ACCOUNT)?;
        let minted = root.u32(fields::MINTED_NF_TOKENS);
        if minted != root.u32(fields::BURNED_NF_TOKENS) || nft::owns_any(view, tx.account) {
            return Err(EngineResult::TEC_HAS_OBLIGATIONS);
        }
        // NFTs minted by others in its name must not get the same ids again.
        let first = root.u32(fields::FIRST_NF_TOKEN_SEQUENCE).unwrap_or_default();
        let next_token = first.saturating_add(minted.unwrap_or_default());
        let now = view.info().index;
        if sequence_of(&root).saturating_add(MIN_AGE) > now
            || next_token.saturating_add(MIN_AGE) > now
        {
            return Err(EngineResult::TEC_TOO_SOON);
        }
        owns_only_deletable(view, tx.account)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, to) = (ctx.tx, destination(ctx.tx));
        let bad = EngineResult::TEF_BAD_LEDGER;
        if tx.object.contains(fields::CREDENTIAL_I_DS) {
            credentials::verify_deposit_preauth(&mut ctx.view, &tx.object, tx.account, to)?;
        }
        let owned = object_id::owner_dir(tx.account);
        let keys: Vec<Hash256> = directory::iter(&ctx.view, owned).collect();
        for key in keys {
            delete_owned(&mut ctx.view, tx.account, &key)?;
        }
        let left = balance_of(ctx.account_root()?);
        let receiver = ctx.view.get_mut(&object_id::account_root(to)).ok_or(bad)?;
        let balance = balance_of(receiver).saturating_add(left);
        set_balance(receiver, balance);
        let flags = flags_of(receiver);
        if left > 0 && flags & flag::PASSWORD_SPENT != 0 {
            receiver.set(fields::FLAGS, (flags & !flag::PASSWORD_SPENT).into());
        }
        set_balance(ctx.account_root()?, 0);
        ctx.deliver(Amount::Xrp(left));
        if ctx.view.exists(&owned) && !directory::delete_empty(&mut ctx.view, owned) {
            return Err(EngineResult::TEC_HAS_OBLIGATIONS);
        }
        ctx.view.erase(&object_id::account_root(tx.account));
        Ok(())
    }

    fn base_fee(&self, view: &dyn ReadView, _tx: &PreparedTx) -> u64 {
        owner_reserve_fee(view)
    }

    fn consequences(&self, tx: &PreparedTx) -> Consequences {
        Consequences::blocker(tx)
    }
}

/// Whether everything in an account's directory goes with it, and is not too much.
fn owns_only_deletable(view: &dyn ReadView, account: AccountId) -> Ter {
    for (count, key) in (1..).zip(directory::iter(view, object_id::owner_dir(account))) {
        let entry = view.read(&key).ok_or(EngineResult::TEF_BAD_LEDGER)?;
        if !is_deletable(&entry) {
            return Err(EngineResult::TEC_HAS_OBLIGATIONS);
        }
        if count > MAX_OWNED {
            return Err(EngineResult::TEF_TOO_BIG);
        }
    }
    Ok(())
}

/// Whether nobody else is owed anything by an entry.
fn is_deletable(entry: &Object) -> bool {
    matches!(
        entry_type::of(entry),
        entry_type::OFFER
            | entry_type::SIGNER_LIST
            | entry_type::TICKET
            | entry_type::DEPOSIT_PREAUTH
            | entry_type::NFTOKEN_OFFER
            | entry_type::DID
            | entry_type::ORACLE
            | entry_type::CREDENTIAL
            | entry_type::DELEGATE
    )
}

/// Deletes an entry of an account that is being deleted.
fn delete_owned(view: &mut dyn ApplyView, account: AccountId, key: &Hash256) -> Ter {
    let bad = EngineResult::TEF_BAD_LEDGER;
    let entry = view.read(key).ok_or(bad)?;
    match entry_type::of(&entry) {
        entry_type::OFFER => offer::delete(view, key),
        entry_type::SIGNER_LIST => signer_list::remove(view, account),
        entry_type::TICKET => ticket::delete(view, account, key),
        entry_type::DEPOSIT_PREAUTH => deposit_preauth::remove(view, key),
        entry_type::NFTOKEN_OFFER if nft::delete_offer(view, key) => Ok(()),
        entry_type::NFTOKEN_OFFER => Err(bad),
        entry_type::DID => owned::delete(view, account, key, 1, true),
        entry_type::ORACLE => {
            let prices = entry.array(fields::PRICE_DATA_SERIES).unwrap_or_default();
            let count = if prices.len() < LARGE_ORACLE { 1 } else { 2 };
            owned::delete(view, account, key, count, true)
        }
        entry_type::CREDENTIAL => credentials::delete(view, key),
        entry_type::DELEGATE => delegate::delete(view, key),
        _ => Err(EngineResult::TEC_HAS_OBLIGATIONS),
    }
}
