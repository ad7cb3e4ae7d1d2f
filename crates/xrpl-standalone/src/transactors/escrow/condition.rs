//! Crypto-conditions, of which xrpld knows one kind, PREIMAGE-SHA-256: whoever knows the preimage of
//! a hash fulfills it (<https://datatracker.ietf.org/doc/html/draft-thomas-crypto-conditions-04>).
//!
//! Both forms are DER, read as xrpld reads it: lengths may be longer than they need to be.

use xrpl_protocol::hash::sha256;

/// Bytes that a condition may have besides its tag and length.
const MAX_CONDITION: usize = 128;
/// Bytes that a preimage may have.
const MAX_PREIMAGE: usize = 128;
/// Bytes of a number: four, and one in front that keeps it positive.
const MAX_INTEGER: usize = 5;
/// Type 0, context-specific, constructed: PREIMAGE-SHA-256.
const PREIMAGE_SHA256: u8 = 0xa0;
/// First and second member, context-specific, primitive.
const FIRST: u8 = 0x80;
const SECOND: u8 = 0x81;

/// What a condition asks for: a preimage of that hash and length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    fingerprint: [u8; 32],
    cost: u32,
}

/// Tag, length, and what follows; the length is not checked against it.
fn preamble(bytes: &[u8]) -> Option<(u8, usize, &[u8])> {
    let [tag, length, rest @ ..] = bytes else { return None };
    if tag & 0x1f == 0x1f {
        return None;
    }
    if length & 0x80 == 0 {
        return Some((*tag, usize::from(*length), rest));
    }
    let count = usize::from(length & 0x7f);
    if count == 0 || count > size_of::<u64>() {
        return None;
    }
    let (digits, rest) = rest.split_at_checked(count)?;
    let length = digits.iter().fold(0u64, |length, digit| length << 8 | u64::from(*digit));
    let length = usize::try_from(length).ok().filter(|length| *length != 0)?;
    Some((*tag, length, rest))
}

/// The one member of that tag that the bytes consist of.
fn whole(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let (found, length, rest) = preamble(bytes)?;
    (found == tag && length == rest.len()).then_some(rest)
}

fn unsigned(bytes: &[u8]) -> Option<u32> {
    let first = *bytes.first()?;
    let positive = first & 0x80 == 0 && (bytes.len() < MAX_INTEGER || first == 0);
    if bytes.len() > MAX_INTEGER || !positive {
        return None;
    }
    Some(bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
}

impl Condition {
    /// Reads a condition; none if it is malformed or of a kind that xrpld does not know.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let inner = whole(bytes, PREIMAGE_SHA256).filter(|inner| inner.len() <= MAX_CONDITION)?;
        let (tag, length, rest) = preamble(inner)?;
        if tag != FIRST || length != 32 {
            return None;
        }
        let (fingerprint, rest) = rest.split_first_chunk::<32>()?;
        let cost = unsigned(whole(rest, SECOND)?)?;
        let possible = usize::try_from(cost).is_ok_and(|cost| cost <= MAX_PREIMAGE);
        possible.then_some(Self { fingerprint: *fingerprint, cost })
    }
}

/// Whether a fulfillment is one of that condition.
pub(super) fn fulfills(fulfillment: &[u8], condition: &[u8]) -> bool {
    let preimage = whole(fulfillment, PREIMAGE_SHA256)
        .and_then(|inner| whole(inner, FIRST))
        .filter(|preimage| preimage.len() <= MAX_PREIMAGE);
    let Some(preimage) = preimage else { return false };
    let fulfilled =
        u32::try_from(preimage.len()).map(|cost| Condition { fingerprint: sha256(preimage), cost });
    Condition::parse(condition).is_some_and(|condition| fulfilled == Ok(condition))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(preimage: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xa0, 0x25, 0x80, 0x20];
        bytes.extend_from_slice(&sha256(preimage));
        bytes.extend_from_slice(&[0x81, 0x01, preimage.len() as u8]);
        bytes
    }

    fn fulfillment(preimage: &[u8]) -> Vec<u8> {
        let length = preimage.len() as u8;
        [&[0xa0, length + 2, 0x80, length], preimage].concat()
    }

    #[test]
    fn a_preimage_fulfills_the_condition_of_its_hash_only() {
        for preimage in [&b""[..], b"a", b"secret", &[7; 100]] {
            assert!(fulfills(&fulfillment(preimage), &condition(preimage)));
            assert!(!fulfills(&fulfillment(preimage), &condition(b"another")));
        }
        // The example of the specification: the empty preimage.
        let empty =
            "A0258020E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855810100";
        assert_eq!(const_hex::decode(empty).unwrap(), condition(b""));
    }

    #[test]
    fn what_is_too_long_cut_off_or_of_another_kind_is_malformed() {
        let good = condition(b"secret");
        assert!(Condition::parse(&good).is_some());
        for cut in 0..good.len() {
            assert_eq!(Condition::parse(&good[..cut]), None, "{cut}");
        }
        assert_eq!(Condition::parse(&[&good[..], &[0]].concat()), None);
        for kind in 0xa1..=0xa5 {
            let mut other = good.clone();
            other[0] = kind;
            assert_eq!(Condition::parse(&other), None);
        }
        let mut costly = good;
        costly[38] = 129;
        assert_eq!(Condition::parse(&costly), None);
        let long = [7; 129];
        let bytes = [&[0xa0, 0x81, 132, 0x80, 0x81, 129], &long[..]].concat();
        assert!(!fulfills(&bytes, &condition(&long)));
    }

    #[test]
    fn lengths_may_take_more_bytes_than_they_need() {
        let good = condition(b"secret");
        let padded = [&[0xa0, 0x82, 0x00, 0x25], &good[2..]].concat();
        assert_eq!(Condition::parse(&padded), Condition::parse(&good));
        assert_eq!(preamble(&[0xa0, 0x80, 0]), None);
        assert_eq!(preamble(&[0xa0, 0x89, 0, 0, 0, 0, 0, 0, 0, 0, 1]), None);
        assert_eq!(preamble(&[0xbf, 1, 0]), None);
        assert_eq!(unsigned(&[0, 0xff, 0xff, 0xff, 0xff]), Some(u32::MAX));
        assert_eq!(unsigned(&[1, 0, 0, 0, 0]), None);
        assert_eq!(unsigned(&[0x80]), None);
        assert_eq!(unsigned(&[]), None);
    }
}
