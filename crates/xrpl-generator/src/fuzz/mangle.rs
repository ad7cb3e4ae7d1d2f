//! Bytes of a valid transaction, some of them flipped, cut or repeated.

use rand_chacha::ChaCha8Rng;

use crate::planner::below;

/// What was done to the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mangling {
    /// Some bits are others.
    Flipped,
    /// Some bytes are missing.
    Cut,
    /// Some bytes stand there twice.
    Repeated,
}

impl Mangling {
    /// One word for machines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Flipped => "flipped",
            Self::Cut => "cut",
            Self::Repeated => "repeated",
        }
    }
}

/// Other bytes than those given, of which there is one at least.
pub(crate) fn mangle(rng: &mut ChaCha8Rng, bytes: &[u8]) -> (Vec<u8>, Mangling) {
    let mut out = bytes.to_vec();
    let mangling = match below(rng, 3) {
        0 => flip(rng, &mut out),
        1 => cut(rng, &mut out),
        _ => repeat(rng, &mut out),
    };
    if out == bytes {
        // Two flips of one bit.
        out[0] ^= 1;
        return (out, Mangling::Flipped);
    }
    (out, mangling)
}

fn flip(rng: &mut ChaCha8Rng, out: &mut [u8]) -> Mangling {
    for _ in 0..=below(rng, 4) {
        let at = below(rng, out.len() as u64) as usize;
        out[at] ^= 1 << below(rng, 8);
    }
    Mangling::Flipped
}

/// A part of the bytes, from the first to after the last of them.
fn part(rng: &mut ChaCha8Rng, length: usize) -> std::ops::Range<usize> {
    let longest = if below(rng, 2) == 0 { 4 } else { length };
    let from = below(rng, length as u64) as usize;
    let most = longest.min(length - from);
    from..from + 1 + below(rng, most as u64) as usize
}

fn cut(rng: &mut ChaCha8Rng, out: &mut Vec<u8>) -> Mangling {
    if below(rng, 2) == 0 {
        // Its end is missing.
        out.truncate(below(rng, out.len() as u64) as usize);
    } else {
        out.drain(part(rng, out.len()));
    }
    Mangling::Cut
}

fn repeat(rng: &mut ChaCha8Rng, out: &mut Vec<u8>) -> Mangling {
    let part = part(rng, out.len());
    let twice = out[part.clone()].to_vec();
    let at = if below(rng, 2) == 0 { part.end } else { out.len() };
    out.splice(at..at, twice);
    Mangling::Repeated
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;

    use super::*;

    proptest! {
        #[test]
        fn mangled_bytes_are_others(bytes in prop::collection::vec(any::<u8>(), 1..300), seed: u64) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let (out, how) = mangle(&mut rng, &bytes);
            prop_assert_ne!(&out, &bytes);
            match how {
                Mangling::Flipped => prop_assert_eq!(out.len(), bytes.len()),
                Mangling::Cut => prop_assert!(out.len() < bytes.len()),
                Mangling::Repeated => prop_assert!(out.len() > bytes.len()),
            }
        }
    }
}
