//! NFTokenCreateOffer
//! (<https://xrpl.org/docs/references/protocol/transactions/types/nftokencreateoffer>), and what
//! NFTokenMint shares with it.

use xrpl_protocol::{AccountId, Amount, EngineResult, Hash256, Issue, fields, object_id};

use super::{check_authorized, token_id};
use crate::{
    ledger::{
        PreparedTx, ReadView, Ter, amendment,
        helpers::{
            account_root::{flag as root_flag, flags_of},
            has_expired,
            nft::{self, TokenOffer, flag},
            token::{self, IfFrozen, IfUnauthorized},
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// `tfSellNFToken`.
const SELL: u32 = 1;

/// The type.
#[derive(Debug)]
pub(in crate::transactors) struct NFTokenCreateOffer;

/// An offer that somebody wants to make.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) account: AccountId,
    /// The NFT's issuer, flags and transfer fee.
    pub(super) issuer: AccountId,
    pub(super) token_flags: u16,
    pub(super) transfer_fee: u16,
    pub(super) amount: Amount,
    pub(super) destination: Option<AccountId>,
    pub(super) expiration: Option<u32>,
    /// Who has the NFT, of offers to buy.
    pub(super) owner: Option<AccountId>,
    pub(super) sells: bool,
}

/// Checks of form. Only `tem`.
pub(super) fn form(wanted: &Wanted) -> Ter {
    let amount = &wanted.amount;
    let only_xrp = wanted.token_flags & flag::ONLY_XRP != 0;
    let xrp = matches!(amount, Amount::Xrp(_));
    // Selling for nothing is giving away; nobody buys for nothing.
    let nothing = amount.is_zero() && (!xrp || !wanted.sells);
    if amount.signum() < 0 || (!xrp && only_xrp) || nothing {
        return Err(EngineResult::TEM_BAD_AMOUNT);
    }
    ensure(wanted.expiration != Some(0), EngineResult::TEM_BAD_EXPIRATION)?;
    let malformed = wanted.owner.is_some() == wanted.sells
        || wanted.owner == Some(wanted.account)
        || wanted.destination == Some(wanted.account);
    ensure(!malformed, EngineResult::TEM_MALFORMED)
}

/// Checks against the ledger.
pub(super) fn allowed(view: &dyn ReadView, wanted: &Wanted) -> Ter {
    let Wanted { account, issuer, amount, .. } = *wanted;
    let issue = amount.issue();
    issuer_can_be_paid(view, wanted)?;
    if issuer != account && wanted.token_flags & flag::TRANSFERABLE == 0 {
        let minter = view.account(issuer).and_then(|root| root.account(fields::NF_TOKEN_MINTER));
        ensure(minter == Some(account), EngineResult::TEF_NFTOKEN_IS_NOT_TRANSFERABLE)?;
    }
    ensure(!token::is_frozen(view, account, issue), EngineResult::TEC_FROZEN)?;
    if !wanted.sells {
        let (frozen, unauthorized) = (IfFrozen::Zero, IfUnauthorized::Ignore);
        let funds = token::account_funds(view, account, amount, frozen, unauthorized);
        ensure(funds.signum() > 0, EngineResult::TEC_UNFUNDED_OFFER)?;
    }
    for (other, missing) in [
        (wanted.destination, EngineResult::TEC_NO_DST),
        (wanted.owner, EngineResult::TEC_NO_TARGET),
    ] {
        let Some(other) = other else { continue };
        let root = view.account(other).ok_or(missing)?;
        let closed = flags_of(&root) & root_flag::DISALLOW_INCOMING_NFTOKEN_OFFER != 0;
        ensure(!closed, EngineResult::TEC_NO_PERMISSION)?;
    }
    check_authorized(view, account, &amount)
}

/// Whether the issuer of an NFT can take its part of a price in an issued currency.
fn issuer_can_be_paid(view: &dyn ReadView, wanted: &Wanted) -> Ter {
    let issue = wanted.amount.issue();
    let Issue::Issued { currency, issuer: gateway } = issue else { return Ok(()) };
    if wanted.token_flags & flag::TRUST_LINE != 0 || wanted.transfer_fee == 0 {
        return Ok(());
    }
    if view.account(wanted.issuer).is_none() {
        return Err(EngineResult::TEC_NO_ISSUER);
    }
    let own = view.rules().enabled(amendment::NFTOKEN_MINT_OFFER) && wanted.issuer == gateway;
    let line = object_id::trust_line(wanted.issuer, gateway, currency);
    ensure(own || view.exists(&line), EngineResult::TEC_NO_LINE)?;
    ensure(!token::is_frozen(view, wanted.issuer, issue), EngineResult::TEC_FROZEN)
}

/// Makes the offer.
pub(super) fn create(ctx: &mut ApplyContext<'_>, wanted: &Wanted, token: Hash256) -> Ter {
    let offer = TokenOffer {
        owner: wanted.account,
        token,
        amount: wanted.amount,
        destination: wanted.destination,
        expiration: wanted.expiration,
        sells: wanted.sells,
    };
    nft::create_offer(&mut ctx.view, &offer, ctx.tx.seq.value(), ctx.prior_balance)
}

fn wanted(tx: &PreparedTx) -> Wanted {
    let id = token_id(tx);
    Wanted {
        account: tx.account,
        issuer: nft::issuer(&id),
        token_flags: nft::flags(&id),
        transfer_fee: nft::transfer_fee(&id),
        amount: tx.object.amount(fields::AMOUNT).unwrap_or(Amount::Xrp(0)),
        destination: tx.object.account(fields::DESTINATION),
        expiration: tx.object.u32(fields::EXPIRATION),
        owner: tx.object.account(fields::OWNER),
        sells: tx.has_flag(SELL),
    }
}

impl Transactor for NFTokenCreateOffer {
    fn flags(&self, _ctx: &PreflightContext<'_>) -> u32 {
        SELL
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        form(&wanted(ctx.tx))
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let wanted = wanted(ctx.tx);
        ensure(!has_expired(ctx.view, wanted.expiration), EngineResult::TEC_EXPIRED)?;
        let holder = wanted.owner.filter(|_| !wanted.sells).unwrap_or(wanted.account);
        let found = nft::find(ctx.view, holder, &token_id(ctx.tx)).is_some();
        ensure(found, EngineResult::TEC_NO_ENTRY)?;
        allowed(ctx.view, &wanted)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        create(ctx, &wanted(tx), token_id(tx))
    }
}
