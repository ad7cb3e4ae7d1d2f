//! NFTokenAcceptOffer
//! (<https://xrpl.org/docs/references/protocol/transactions/types/nftokenacceptoffer>): of one offer,
//! or as a broker of two.

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Field, Hash256, Issue, fields, object_id, quality::Rate,
};

use super::{check_authorized, check_not_deep_frozen};
use crate::{
    ledger::{
        PreparedTx, ReadView, Ter, amendment,
        helpers::{
            account_root::{balance_of, owner_count, reserve},
            has_expired,
            nft::{self, TokenOffer, flag},
            token::{self, IfFrozen, IfUnauthorized, TransferFee},
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

const OVERFLOW: EngineResult = EngineResult::TEF_EXCEPTION;

/// The type.
#[derive(Debug)]
pub(in crate::transactors) struct NFTokenAcceptOffer;

/// The offers that a transaction accepts.
#[derive(Clone, Copy, Debug)]
struct Accepted {
    buy: Option<TokenOffer>,
    sell: Option<TokenOffer>,
}

fn broker_fee(tx: &PreparedTx) -> Option<Amount> {
    tx.object.amount(fields::NF_TOKEN_BROKER_FEE)
}

fn named(tx: &PreparedTx, field: Field) -> Option<Hash256> {
    tx.object.hash256(field)
}

/// An offer that must be there.
fn offer(view: &dyn ReadView, id: Option<Hash256>) -> Result<Option<TokenOffer>, EngineResult> {
    let Some(id) = id else { return Ok(None) };
    let missing = EngineResult::TEC_OBJECT_NOT_FOUND;
    let offer = TokenOffer::read(view, &id).filter(|_| !id.is_zero()).ok_or(missing)?;
    // Applying the transaction removes what has expired.
    let removes = view.rules().enabled(amendment::FIX_CLEANUP_3_1_3);
    ensure(removes || !has_expired(view, offer.expiration), EngineResult::TEC_EXPIRED)?;
    ensure(offer.amount.signum() >= 0, EngineResult::TEM_BAD_OFFER)?;
    Ok(Some(offer))
}

/// What an account can pay of an amount.
fn funds(view: &dyn ReadView, account: AccountId, amount: Amount) -> Amount {
    token::account_funds(view, account, amount, IfFrozen::Zero, IfUnauthorized::Ignore)
}

fn is_for(offer: &TokenOffer, account: AccountId) -> Ter {
    let ok = offer.destination.is_none_or(|destination| destination == account);
    ensure(ok, EngineResult::TEC_NO_PERMISSION)
}

impl Transactor for NFTokenAcceptOffer {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let has = |field| ctx.tx.object.contains(field);
        let (buy, sell) = (has(fields::NF_TOKEN_BUY_OFFER), has(fields::NF_TOKEN_SELL_OFFER));
        let fee = broker_fee(ctx.tx);
        let good = (buy || sell) && fee.is_none_or(|fee| buy && sell && fee.signum() > 0);
        ensure(good, EngineResult::TEM_MALFORMED)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let buy = offer(view, named(tx, fields::NF_TOKEN_BUY_OFFER))?;
        let sell = offer(view, named(tx, fields::NF_TOKEN_SELL_OFFER))?;
        let accepted = Accepted { buy, sell };
        if let (Some(buy), Some(sell)) = (&buy, &sell) {
            brokered(view, tx, buy, sell)?;
        }
        if let Some(buy) = &buy {
            buying(view, tx.account, buy, sell.is_some())?;
        }
        if let Some(sell) = &sell {
            selling(view, tx.account, sell, buy.is_some())?;
        }
        issuer_can_be_paid(view, &accepted)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, view) = (ctx.tx, &mut ctx.view);
        let ids = [fields::NF_TOKEN_BUY_OFFER, fields::NF_TOKEN_SELL_OFFER];
        let [buy, sell] = ids.map(|field| {
            let id = named(tx, field)?;
            Some((id, TokenOffer::read(view, &id)?))
        });
        let given = || [buy, sell].into_iter().flatten();
        let mut expired = false;
        if view.rules().enabled(amendment::FIX_CLEANUP_3_1_3) {
            for (id, offer) in given() {
                if has_expired(view, offer.expiration) {
                    ensure(nft::delete_offer(view, &id), EngineResult::TEC_INTERNAL)?;
                    expired = true;
                }
            }
        }
        ensure(!expired, EngineResult::TEC_EXPIRED)?;
        for (id, _) in given() {
            ensure(nft::delete_offer(view, &id), EngineResult::TEC_INTERNAL)?;
        }
        match (buy, sell) {
            (Some((_, buy)), Some((_, sell))) => {
                let sale = Sale { buyer: buy.owner, seller: sell.owner, ..Sale::of(&buy, tx) };
                // The broker first: the issuer's cut is of what the seller gets.
                let mut price = buy.amount;
                if let Some(fee) = broker_fee(tx).filter(|fee| !fee.is_zero()) {
                    pay(ctx, sale.buyer, tx.account, fee)?;
                    price = price.checked_sub(&fee).map_err(|_| OVERFLOW)?;
                }
                sale.settle(ctx, price)
            }
            (Some((_, offer)), None) | (None, Some((_, offer))) => {
                Sale::of(&offer, tx).settle(ctx, offer.amount)
            }
            (None, None) => Err(EngineResult::TEC_INTERNAL),
        }
    }
}

/// Whether two offers fit each other and their broker.
fn brokered(view: &dyn ReadView, tx: &PreparedTx, buy: &TokenOffer, sell: &TokenOffer) -> Ter {
    let mismatch = EngineResult::TEC_NFTOKEN_BUY_SELL_MISMATCH;
    let unpaid = EngineResult::TEC_INSUFFICIENT_PAYMENT;
    let fits = buy.token == sell.token && buy.amount.issue() == sell.amount.issue();
    ensure(fits, mismatch)?;
    ensure(buy.owner != sell.owner, EngineResult::TEC_CANT_ACCEPT_OWN_NFTOKEN_OFFER)?;
    ensure(!sell.amount.is_more(&buy.amount), unpaid)?;
    is_for(buy, tx.account)?;
    is_for(sell, tx.account)?;
    let Some(fee) = broker_fee(tx) else { return Ok(()) };
    ensure(fee.issue() == buy.amount.issue(), mismatch)?;
    ensure(fee.is_less(&buy.amount), unpaid)?;
    let rest = buy.amount.checked_sub(&fee).map_err(|_| OVERFLOW)?;
    ensure(!sell.amount.is_more(&rest), unpaid)?;
    if !view.rules().enabled(amendment::FIX_ENFORCE_NFTOKEN_TRUSTLINE_V2) {
        return Ok(());
    }
    check_authorized(view, tx.account, &fee)?;
    check_not_deep_frozen(view, tx.account, &fee)
}

/// Whether an account may accept an offer to buy.
fn buying(view: &dyn ReadView, account: AccountId, buy: &TokenOffer, brokered: bool) -> Ter {
    ensure(!buy.sells, EngineResult::TEC_NFTOKEN_OFFER_TYPE_MISMATCH)?;
    ensure(buy.owner != account, EngineResult::TEC_CANT_ACCEPT_OWN_NFTOKEN_OFFER)?;
    if !brokered {
        let has = nft::find(view, account, &buy.token).is_some();
        ensure(has, EngineResult::TEC_NO_PERMISSION)?;
        is_for(buy, account)?;
    }
    let funds = funds(view, buy.owner, buy.amount);
    ensure(!funds.is_less(&buy.amount), EngineResult::TEC_INSUFFICIENT_FUNDS)?;
    if !view.rules().enabled(amendment::FIX_ENFORCE_NFTOKEN_TRUSTLINE_V2) {
        return Ok(());
    }
    check_authorized(view, buy.owner, &buy.amount)?;
    if brokered {
        return Ok(());
    }
    check_authorized(view, account, &buy.amount)?;
    check_not_deep_frozen(view, account, &buy.amount)
}

/// Whether an account may accept an offer to sell.
fn selling(view: &dyn ReadView, account: AccountId, sell: &TokenOffer, brokered: bool) -> Ter {
    ensure(sell.sells, EngineResult::TEC_NFTOKEN_OFFER_TYPE_MISMATCH)?;
    ensure(sell.owner != account, EngineResult::TEC_CANT_ACCEPT_OWN_NFTOKEN_OFFER)?;
    let has = nft::find(view, sell.owner, &sell.token).is_some();
    ensure(has, EngineResult::TEC_NO_PERMISSION)?;
    if !brokered {
        is_for(sell, account)?;
        let funds = funds(view, account, sell.amount);
        ensure(!funds.is_less(&sell.amount), EngineResult::TEC_INSUFFICIENT_FUNDS)?;
    }
    check_authorized(view, sell.owner, &sell.amount)?;
    if !brokered {
        check_authorized(view, account, &sell.amount)?;
    }
    check_not_deep_frozen(view, sell.owner, &sell.amount)
}

/// Whether the NFT's issuer can take its part of the price.
fn issuer_can_be_paid(view: &dyn ReadView, accepted: &Accepted) -> Ter {
    let offer = accepted.buy.or(accepted.sell).ok_or(EngineResult::TEC_INTERNAL)?;
    let Issue::Issued { currency, issuer: gateway } = offer.amount.issue() else { return Ok(()) };
    if nft::transfer_fee(&offer.token) == 0 {
        return Ok(());
    }
    let issuer = nft::issuer(&offer.token);
    let needs_line = view.rules().enabled(amendment::FIX_ENFORCE_NFTOKEN_TRUSTLINE)
        && nft::flags(&offer.token) & flag::TRUST_LINE == 0
        && issuer != gateway;
    let line = object_id::trust_line(issuer, gateway, currency);
    ensure(!needs_line || view.exists(&line), EngineResult::TEC_NO_LINE)?;
    if !view.rules().enabled(amendment::FIX_ENFORCE_NFTOKEN_TRUSTLINE_V2) {
        return Ok(());
    }
    check_authorized(view, issuer, &offer.amount)?;
    check_not_deep_frozen(view, issuer, &offer.amount)
}

/// Pays, and looks whether both could afford it: a transfer fee comes on top.
fn pay(ctx: &mut ApplyContext<'_>, from: AccountId, to: AccountId, amount: Amount) -> Ter {
    ensure(amount.signum() >= 0, EngineResult::TEC_INTERNAL)?;
    token::account_send(&mut ctx.view, from, to, amount, TransferFee::Charge)?;
    let solvent = |account| funds(&ctx.view, account, amount).signum() >= 0;
    ensure(solvent(from) && solvent(to), EngineResult::TEC_INSUFFICIENT_FUNDS)
}

/// An NFT that changes hands.
#[derive(Clone, Copy, Debug)]
struct Sale {
    token: Hash256,
    buyer: AccountId,
    seller: AccountId,
}

impl Sale {
    /// Between who made an offer and who accepts it.
    fn of(offer: &TokenOffer, tx: &PreparedTx) -> Self {
        let (seller, buyer) = match offer.sells {
            true => (offer.owner, tx.account),
            false => (tx.account, offer.owner),
        };
        Self { token: offer.token, buyer, seller }
    }

    /// The buyer pays issuer and seller and gets the NFT.
    fn settle(self, ctx: &mut ApplyContext<'_>, mut price: Amount) -> Ter {
        let issuer = nft::issuer(&self.token);
        let fee = nft::transfer_fee(&self.token);
        if !price.is_zero() && fee != 0 && self.seller != issuer && self.buyer != issuer {
            let cut = Rate::of_nft_fee(fee).multiply(&price).map_err(|_| OVERFLOW)?;
            if !cut.is_zero() {
                pay(ctx, self.buyer, issuer, cut)?;
                price = price.checked_sub(&cut).map_err(|_| OVERFLOW)?;
            }
        }
        if !price.is_zero() {
            pay(ctx, self.buyer, self.seller, price)?;
        }
        self.hand_over(ctx)
    }

    fn hand_over(self, ctx: &mut ApplyContext<'_>) -> Ter {
        let internal = EngineResult::TEC_INTERNAL;
        let view = &mut ctx.view;
        let token = nft::find(view, self.seller, &self.token).ok_or(internal)?;
        nft::remove(view, self.seller, &self.token)?;
        let before = owner_count(&*view.account(self.buyer).ok_or(internal)?);
        let inserted = nft::insert(view, self.buyer, token);
        // What the buyer has left after paying must carry the new page.
        let root = view.account(self.buyer).ok_or(internal)?;
        if owner_count(&root) > before && balance_of(&root) < reserve(view, &root, 0) {
            return Err(EngineResult::TEC_INSUFFICIENT_RESERVE);
        }
        inserted
    }
}
