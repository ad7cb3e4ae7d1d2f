//! The hash over all transactions of a ledger with their metadata: `transaction_hash` of its header
//! (<https://xrpl.org/docs/concepts/ledgers/ledger-structure>).
//!
//! It proves that a list of transactions is whole: one that is left out, added or changed gives
//! another hash.

use crate::{
    Hash256, TxHash,
    encode::write_length,
    hash::{prefix, sha512_half},
};

/// Hash of a transaction with its metadata, both in binary, as a leaf of the tree.
#[must_use]
pub fn leaf(blob: &[u8], metadata: &[u8], id: &TxHash) -> Hash256 {
    let mut data = Vec::with_capacity(blob.len() + metadata.len() + 6);
    write_length(&mut data, blob.len());
    data.extend_from_slice(blob);
    write_length(&mut data, metadata.len());
    data.extend_from_slice(metadata);
    sha512_half(&[&prefix::TX_NODE, &data, &id.0])
}

/// Hash of the tree that has these leaves, in any order; zero without any. Of several leaves of one
/// transaction the first counts.
#[must_use]
pub fn root(leaves: impl IntoIterator<Item = (TxHash, Hash256)>) -> Hash256 {
    let mut leaves: Vec<_> = leaves.into_iter().collect();
    leaves.sort_by_key(|(id, _)| *id);
    leaves.dedup_by_key(|(id, _)| *id);
    if leaves.is_empty() { Hash256::ZERO } else { inner(&leaves, 0) }
}

/// An inner node over leaves in order whose ids agree in the first `depth` digits.
fn inner(mut leaves: &[(TxHash, Hash256)], depth: usize) -> Hash256 {
    let mut body = [0; 16 * 32];
    for (digit, out) in body.chunks_exact_mut(32).enumerate() {
        let (below, rest) = leaves
            .split_at(leaves.partition_point(|(id, _)| usize::from(nibble(id, depth)) <= digit));
        leaves = rest;
        match below {
            [] => {}
            [(_, hash)] => out.copy_from_slice(&hash.0),
            several => out.copy_from_slice(&inner(several, depth + 1).0),
        }
    }
    sha512_half(&[&prefix::INNER_NODE, &body])
}

fn nibble(id: &TxHash, depth: usize) -> u8 {
    let byte = id.0[depth / 2];
    if depth.is_multiple_of(2) { byte >> 4 } else { byte & 15 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(n: u8) -> (TxHash, Hash256) {
        let id = TxHash(sha512_half(&[&[n]]).0);
        (id, leaf(&[n; 200], &[n], &id))
    }

    #[test]
    fn what_is_left_out_added_or_changed_shows() {
        let all: Vec<_> = (0..100).map(some).collect();
        let whole = root(all.iter().copied());
        assert_eq!(root(all.iter().rev().copied()), whole, "in any order");
        for n in 0..all.len() {
            let mut less = all.clone();
            let (id, _) = less.remove(n);
            assert_ne!(root(less.iter().copied()), whole);
            less.push((id, leaf(&[n as u8; 200], &[n as u8, 0], &id)));
            assert_ne!(root(less), whole, "other metadata");
        }
        assert_ne!(root(all.iter().copied().chain([some(200)])), whole);
        assert_eq!(root([]), Hash256::ZERO);
        let (id, hash) = some(1);
        assert_ne!(root([(id, hash)]), hash, "the root is never a leaf");
    }

    #[test]
    fn ids_that_agree_to_the_last_digit() {
        let ids = [[7; 32], {
            let mut other = [7; 32];
            other[31] = 8;
            other
        }];
        let leaves = ids.map(|id| (TxHash(id), Hash256(id)));
        assert_ne!(root(leaves), root([leaves[0]]));
    }
}
