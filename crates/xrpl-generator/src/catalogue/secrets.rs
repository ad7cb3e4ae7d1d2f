//! The secrets of escrows: conditions of the one kind that the ledger has, PREIMAGE-SHA-256
//! (<https://datatracker.ietf.org/doc/html/draft-thomas-crypto-conditions-04>).
//!
//! An account has a few, which follow from its key: so whose escrow it is, is all that must be known
//! to find the secret again, after a restart too.

use xrpl_protocol::{fields, hash::sha256};

use crate::{accounts::Index, objects::Entry, planner::Planner};

/// How many an account has.
pub(super) const SECRETS: u8 = 4;

/// The n-th secret of an account.
pub(super) fn preimage(planner: &Planner<'_>, owner: Index, n: u8) -> [u8; 32] {
    planner.secret(owner, "escrow", n)
}

/// What asks for a secret: its hash and its length.
pub(crate) fn condition(preimage: &[u8; 32]) -> Vec<u8> {
    let mut out = vec![0xa0, 0x25, 0x80, 0x20];
    out.extend_from_slice(&sha256(preimage));
    out.extend_from_slice(&[0x81, 0x01, 0x20]);
    out
}

/// What shows that the secret is known.
pub(crate) fn fulfillment(preimage: &[u8; 32]) -> Vec<u8> {
    let mut out = vec![0xa0, 0x22, 0x80, 0x20];
    out.extend_from_slice(preimage);
    out
}

/// The secret that an escrow asks for, if it is one of its owner's.
pub(super) fn secret_of(planner: &Planner<'_>, escrow: &Entry) -> Option<[u8; 32]> {
    let (asked, owner) = (escrow.blob(fields::CONDITION)?, escrow.owner?);
    (0..SECRETS).map(|n| preimage(planner, owner, n)).find(|known| condition(known) == asked)
}
