//! Offers of the decentralized exchange: OfferCreate and OfferCancel
//! (<https://xrpl.org/docs/concepts/tokens/decentralized-exchange/offers>).

mod cancel;
mod create;
mod cross;

pub(super) use cancel::OfferCancel;
pub(super) use create::OfferCreate;
pub(super) use cross::most_of;

/// Flags of an OfferCreate: `tf`.
mod flag {
    pub(super) const PASSIVE: u32 = 0x0001_0000;
    pub(super) const IMMEDIATE_OR_CANCEL: u32 = 0x0002_0000;
    pub(super) const FILL_OR_KILL: u32 = 0x0004_0000;
    pub(super) const SELL: u32 = 0x0008_0000;
    pub(super) const HYBRID: u32 = 0x0010_0000;
}
