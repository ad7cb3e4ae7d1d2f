//! NFTs: what their ids say, the pages they are kept on, offers for them
//! (<https://xrpl.org/docs/references/protocol/data-types/nftoken#nftokenid>).

mod offers;
mod pages;
mod repair;

pub use offers::{OFFER_SELLS, TokenOffer, create_offer, delete_offer, delete_offers};
pub use pages::{find, insert, low_bits, order, owns_any, remove, set_uri};
pub use repair::repair;

use xrpl_protocol::{AccountId, Hash256};

/// Flags of an NFT, the first two bytes of its id.
pub mod flag {
    /// Its issuer may burn it wherever it is.
    pub const BURNABLE: u16 = 0x01;
    /// It may only be traded for XRP.
    pub const ONLY_XRP: u16 = 0x02;
    /// Its issuer's cut may create trust lines.
    pub const TRUST_LINE: u16 = 0x04;
    /// Others than its issuer may trade it.
    pub const TRANSFERABLE: u16 = 0x08;
    /// Its URI may be changed.
    pub const MUTABLE: u16 = 0x10;
}

fn u16_at(id: &Hash256, at: usize) -> u16 {
    u16::from_be_bytes([id.0[at], id.0[at + 1]])
}

fn u32_at(id: &Hash256, at: usize) -> u32 {
    u32::from_be_bytes([id.0[at], id.0[at + 1], id.0[at + 2], id.0[at + 3]])
}

/// Taxons are scrambled by the serial, so that the NFTs of one taxon are spread over pages. Doing it
/// twice undoes it.
fn scrambled(taxon: u32, serial: u32) -> u32 {
    taxon ^ serial.wrapping_mul(384_160_001).wrapping_add(2459)
}

/// The id of an NFT.
#[must_use]
pub fn id(flags: u16, transfer_fee: u16, issuer: AccountId, taxon: u32, serial: u32) -> Hash256 {
    let mut id = Hash256([0; 32]);
    id.0[..2].copy_from_slice(&flags.to_be_bytes());
    id.0[2..4].copy_from_slice(&transfer_fee.to_be_bytes());
    id.0[4..24].copy_from_slice(&issuer.0);
    id.0[24..28].copy_from_slice(&scrambled(taxon, serial).to_be_bytes());
    id.0[28..].copy_from_slice(&serial.to_be_bytes());
    id
}

/// [`flag`]s.
#[must_use]
pub fn flags(id: &Hash256) -> u16 {
    u16_at(id, 0)
}

/// What its issuer takes of every sale, in hundred-thousandths.
#[must_use]
pub fn transfer_fee(id: &Hash256) -> u16 {
    u16_at(id, 2)
}

/// Its issuer.
#[must_use]
pub fn issuer(id: &Hash256) -> AccountId {
    let mut issuer = AccountId::default();
    issuer.0.copy_from_slice(&id.0[4..24]);
    issuer
}

/// Its taxon, as its issuer gave it.
#[must_use]
pub fn taxon(id: &Hash256) -> u32 {
    scrambled(u32_at(id, 24), serial(id))
}

/// Its number among its issuer's.
#[must_use]
pub fn serial(id: &Hash256) -> u32 {
    u32_at(id, 28)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a recorded xrpld said it in `account_nfts`.
    #[test]
    fn an_id_says_what_it_was_made_of() {
        let text = "000803E8303424D60027BCA18E2E5FFB08BF98AEDE36C1C35B974D9800000004";
        let known: Hash256 = text.parse().unwrap();
        let by = "rnP1uNGxHgAW1F6VSQsUVZUeze9gWb6yrC".parse().unwrap();
        assert_eq!(
            (flags(&known), transfer_fee(&known), issuer(&known), taxon(&known), serial(&known)),
            (8, 1000, by, 7, 4)
        );
        assert_eq!(id(8, 1000, by, 7, 4), known);
    }
}
