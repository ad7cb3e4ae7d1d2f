//! NFTokenMint (<https://xrpl.org/docs/references/protocol/transactions/types/nftokenmint>).

use xrpl_protocol::{AccountId, Amount, EngineResult, Object, fields, object_id};

use super::{
    create_offer::{self, Wanted},
    is_minter_of, uri_form,
};
use crate::{
    ledger::{
        ApplyView, PreparedTx, ReadView, Ter, amendment,
        helpers::{
            account_root::{owner_count, reserve, sequence_of},
            has_expired,
            nft::{self, flag},
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor},
};

/// What an issuer may take of a sale: half of it.
const MAX_TRANSFER_FEE: u16 = 50_000;

/// The type.
#[derive(Debug)]
pub(in crate::transactors) struct NFTokenMint;

/// The NFT's flags are the transaction's low ones.
fn token_flags(tx: &PreparedTx) -> u16 {
    (tx.flags & 0xffff) as u16
}

fn transfer_fee(tx: &PreparedTx) -> u16 {
    tx.object.u16(fields::TRANSFER_FEE).unwrap_or_default()
}

fn issuer(tx: &PreparedTx) -> AccountId {
    tx.object.account(fields::ISSUER).unwrap_or(tx.account)
}

fn has_offer(tx: &PreparedTx) -> bool {
    [fields::AMOUNT, fields::DESTINATION, fields::EXPIRATION]
        .iter()
        .any(|field| tx.object.contains(*field))
}

/// The offer to sell that may come with the NFT.
fn offer(tx: &PreparedTx, amount: Amount) -> Wanted {
    Wanted {
        account: tx.account,
        issuer: issuer(tx),
        token_flags: token_flags(tx),
        transfer_fee: transfer_fee(tx),
        amount,
        destination: tx.object.account(fields::DESTINATION),
        expiration: tx.object.u32(fields::EXPIRATION),
        owner: None,
        sells: true,
    }
}

impl Transactor for NFTokenMint {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        ctx.rules.enabled(amendment::NFTOKEN_MINT_OFFER) || !has_offer(ctx.tx)
    }

    fn flags(&self, ctx: &PreflightContext<'_>) -> u32 {
        let mut flags = flag::BURNABLE | flag::ONLY_XRP | flag::TRANSFERABLE;
        // Others could make its issuer own any number of trust lines.
        if !ctx.rules.enabled(amendment::FIX_REMOVE_NFTOKEN_AUTO_TRUST_LINE) {
            flags |= flag::TRUST_LINE;
        }
        if ctx.rules.enabled(amendment::DYNAMIC_NFT) {
            flags |= flag::MUTABLE;
        }
        flags.into()
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        let fee = transfer_fee(tx);
        if fee > MAX_TRANSFER_FEE {
            return Err(EngineResult::TEM_BAD_NFTOKEN_TRANSFER_FEE);
        }
        if fee > 0 && token_flags(tx) & flag::TRANSFERABLE == 0 {
            return Err(EngineResult::TEM_MALFORMED);
        }
        if tx.object.account(fields::ISSUER) == Some(tx.account) {
            return Err(EngineResult::TEM_MALFORMED);
        }
        uri_form(tx)?;
        if !has_offer(tx) {
            return Ok(());
        }
        let amount = tx.object.amount(fields::AMOUNT).ok_or(EngineResult::TEM_MALFORMED)?;
        create_offer::form(&offer(tx, amount))
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let tx = ctx.tx;
        if let Some(issuer) = tx.object.account(fields::ISSUER) {
            if ctx.view.account(issuer).is_none() {
                return Err(EngineResult::TEC_NO_ISSUER);
            }
            if !is_minter_of(ctx.view, tx.account, issuer) {
                return Err(EngineResult::TEC_NO_PERMISSION);
            }
        }
        let Some(amount) = tx.object.amount(fields::AMOUNT) else { return Ok(()) };
        if has_expired(ctx.view, tx.object.u32(fields::EXPIRATION)) {
            return Err(EngineResult::TEC_EXPIRED);
        }
        create_offer::allowed(ctx.view, &offer(tx, amount))
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let serial = next_serial(ctx)?;
        let count = |ctx: &ApplyContext<'_>| {
            ctx.view.account(tx.account).map_or(0, |root| owner_count(&root))
        };
        let before = count(ctx);
        let taxon = tx.object.u32(fields::NF_TOKEN_TAXON).unwrap_or_default();
        let id = nft::id(token_flags(tx), transfer_fee(tx), issuer(tx), taxon, serial);
        let mut token = Object::new().with(fields::NF_TOKEN_ID, id);
        if let Some(uri) = tx.object.get(fields::URI) {
            token.set(fields::URI, uri.clone());
        }
        nft::insert(&mut ctx.view, tx.account, token)?;
        if let Some(amount) = tx.object.amount(fields::AMOUNT) {
            create_offer::create(ctx, &offer(tx, amount), id)?;
        }
        // An NFT that finds room on a page costs no reserve.
        if count(ctx) > before {
            let root = ctx.view.account(tx.account).ok_or(EngineResult::TEF_INTERNAL)?;
            if ctx.prior_balance < reserve(&ctx.view, &root, 0) {
                return Err(EngineResult::TEC_INSUFFICIENT_RESERVE);
            }
        }
        Ok(())
    }
}

/// The new NFT's serial: the issuer's first one and how many came after it. The first one is the
/// issuer's Sequence when it first minted, so that an account that is deleted and comes back does not
/// mint the same ids again.
fn next_serial(ctx: &mut ApplyContext<'_>) -> Result<u32, EngineResult> {
    let tx = ctx.tx;
    let key = object_id::account_root(issuer(tx));
    let root = ctx.view.get_mut(&key).ok_or(EngineResult::TEC_NO_ISSUER)?;
    let first = root.u32(fields::FIRST_NF_TOKEN_SEQUENCE).unwrap_or_else(|| {
        // The transaction has already used its own Sequence.
        let own = tx.seq.is_sequence() && !tx.object.contains(fields::ISSUER);
        sequence_of(root).wrapping_sub(own.into())
    });
    root.set(fields::FIRST_NF_TOKEN_SEQUENCE, first.into());
    let full = EngineResult::TEC_MAX_SEQUENCE_REACHED;
    let minted = root.u32(fields::MINTED_NF_TOKENS).unwrap_or_default();
    root.set(fields::MINTED_NF_TOKENS, minted.checked_add(1).ok_or(full)?.into());
    first.checked_add(minted).filter(|serial| *serial != u32::MAX).ok_or(full)
}
