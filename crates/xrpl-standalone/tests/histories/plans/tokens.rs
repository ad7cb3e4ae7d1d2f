//! NFTs and MPTs.

use serde_json::Value as Json;
use xrpl_protocol::{AccountId, Hash256, MptId, Object, fields};
use xrpl_standalone::ledger::entry_type as kind;

use super::{Draw, Put};

fn is_nft_sale(offer: &Object) -> bool {
    offer.u32(fields::FLAGS).unwrap_or(0) & 1 != 0
}

pub(super) fn nft_offer(draw: &mut Draw<'_>, sender: AccountId, put: &mut Put<'_>) {
    let price = if draw.chance(70) { draw.drops() } else { draw.issued() };
    put.set("Amount", price);
    match (draw.world.nft_of(draw.rng, sender), draw.chance(60)) {
        (Some(id), true) => {
            put.set("NFTokenID", id.to_string()).set("Flags", 1).set("Owner", Json::Null);
        }
        _ => {
            if let Some((owner, id)) = draw.world.any_nft(draw.rng) {
                put.set("NFTokenID", id.to_string()).set("Flags", 0);
                put.set("Owner", owner.to_string());
            }
        }
    }
    if draw.chance(20) {
        let expiration = draw.time();
        put.set("Expiration", expiration);
    }
}

pub(super) fn nft_accept(draw: &mut Draw<'_>, sender: AccountId, put: &mut Put<'_>) {
    let Some((id, offer)) = draw.world.any(draw.rng, kind::NFTOKEN_OFFER).cloned() else { return };
    let nft = offer.hash256(fields::NF_TOKEN_ID);
    let others = draw.world.all(kind::NFTOKEN_OFFER).iter();
    let matching = others.clone().find(|(_, other)| {
        other.hash256(fields::NF_TOKEN_ID) == nft && is_nft_sale(other) != is_nft_sale(&offer)
    });
    let name =
        |offer: &Object| if is_nft_sale(offer) { "NFTokenSellOffer" } else { "NFTokenBuyOffer" };
    put.set(name(&offer), id.to_string());
    match matching {
        Some((other, entry)) if draw.chance(70) => {
            put.set(name(entry), other.to_string());
            if draw.chance(30) {
                put.set("NFTokenBrokerFee", "5");
            }
        }
        // A bid is accepted by whoever has the NFT.
        _ if !is_nft_sale(&offer) => {
            put.by(nft.and_then(|id| owner_of(draw, &id)).or(Some(sender)));
        }
        _ => {
            put.by(offer.account(fields::DESTINATION));
        }
    }
}

fn owner_of(draw: &Draw<'_>, nft: &Hash256) -> Option<AccountId> {
    let (id, _) = draw.world.all(kind::NFTOKEN_PAGE).iter().find(|(_, page)| {
        let tokens = page.array(fields::NF_TOKENS).unwrap_or_default();
        tokens.iter().any(|(_, token)| token.hash256(fields::NF_TOKEN_ID) == Some(*nft))
    })?;
    let mut owner = AccountId::ZERO;
    owner.0.copy_from_slice(&id.0[..20]);
    Some(owner)
}

pub(super) fn issuance(draw: &mut Draw<'_>, name: &str, sender: AccountId, put: &mut Put<'_>) {
    let found = draw.world.of_account(draw.rng, kind::MPTOKEN_ISSUANCE, fields::ISSUER, sender);
    let Some((_, entry)) = found.cloned() else { return };
    let (Some(issuer), Some(sequence)) =
        (entry.account(fields::ISSUER), entry.u32(fields::SEQUENCE))
    else {
        return;
    };
    put.by(Some(issuer)).set("MPTokenIssuanceID", MptId::new(sequence, issuer).to_string());
    if name == "MPTokenIssuanceSet" {
        put.set("Flags", *draw.pick(&[1, 2]));
    }
}

pub(super) fn mpt_authorize(draw: &mut Draw<'_>, sender: AccountId, put: &mut Put<'_>) {
    let Some(id) = draw.issuance() else { return };
    put.set("MPTokenIssuanceID", id.to_string());
    let undo = if draw.chance(20) { 1 } else { 0 };
    put.set("Flags", undo);
    if draw.chance(40) {
        let holder = draw.other(id.issuer()).to_string();
        put.by(Some(id.issuer())).set("Holder", holder);
    } else {
        put.by((sender != id.issuer()).then_some(sender));
    }
}
