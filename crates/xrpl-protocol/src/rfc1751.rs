//! 128-bit keys as twelve English words (<https://www.rfc-editor.org/rfc/rfc1751>): the form that
//! `wallet_propose` calls `master_key` and that xrpld takes wherever it takes a passphrase.

use std::sync::LazyLock;

/// All words: those of up to three letters, then those of four, both in their order.
static WORDS: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("../data/rfc1751.txt").split_ascii_whitespace().collect());

/// Words of up to three letters.
const SHORT: usize = 571;
/// Bits that a word stands for.
const BITS: u32 = 11;
const MASK: u128 = (1 << BITS) - 1;
/// Words of half a key: 64 bits and two of parity.
const HALF: usize = 6;

/// The sum of a number's pairs of bits, as two bits.
fn parity(half: u64) -> u128 {
    let pairs = (0..u64::BITS).step_by(2).map(|at| (half >> at) & 3);
    u128::from(pairs.sum::<u64>() & 3)
}

/// The words of a key.
#[must_use]
pub fn to_words(key: [u8; 16]) -> String {
    let all = u128::from_be_bytes(key);
    let words = [(all >> 64) as u64, all as u64].into_iter().flat_map(|half| {
        let bits = u128::from(half) << 2 | parity(half);
        (0..HALF as u32).rev().map(move |n| WORDS[(bits >> (n * BITS) & MASK) as usize])
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The key of twelve words, read as xrpld reads them: in letters of either case, with 1, 0 and 5
/// for L, O and S, between any white space. `None` if they are others or their parity is wrong.
///
/// xrpld does not find YOU, the last of the short words: a key that has it is written and not read.
#[must_use]
pub fn from_words(text: &str) -> Option<[u8; 16]> {
    let space = |c| matches!(c, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r');
    let words: Vec<&str> = text.split(space).filter(|word| !word.is_empty()).collect();
    let (first, second) = words.split_at_checked(HALF)?;
    let key = u128::from(half(first)?) << 64 | u128::from(half(second)?);
    Some(key.to_be_bytes())
}

fn half(words: &[&str]) -> Option<u64> {
    let words: &[&str; HALF] = words.try_into().ok()?;
    let bits = words.iter().try_fold(0, |bits, word| Some(bits << BITS | index(word)? as u128))?;
    let half = (bits >> 2) as u64;
    (parity(half) == bits & 3).then_some(half)
}

fn index(word: &str) -> Option<usize> {
    let letter = |c: char| match c {
        '1' => 'L',
        '0' => 'O',
        '5' => 'S',
        c => c.to_ascii_uppercase(),
    };
    let (begin, end) = match word.len() {
        1..4 => (0, SHORT - 1),
        4 => (SHORT, WORDS.len()),
        _ => return None,
    };
    let word: String = word.chars().map(letter).collect();
    WORDS[begin..end].binary_search(&&*word).ok().map(|at| begin + at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(hex: &str) -> [u8; 16] {
        const_hex::decode(hex).unwrap().try_into().unwrap()
    }

    #[test]
    fn the_words_are_those_of_the_rfc() {
        assert_eq!(WORDS.len(), 2048);
        let (short, long) = WORDS.split_at(SHORT);
        assert!(short.iter().all(|word| word.len() < 4) && short.is_sorted());
        assert!(long.iter().all(|word| word.len() == 4) && long.is_sorted());
    }

    /// The RFC's own examples.
    #[test]
    fn examples() {
        for (hex, words) in [
            (
                "EB33F77EE73D4053EB33F77EE73D4053",
                "TIDE ITCH SLOW REIN RULE MOT TIDE ITCH SLOW REIN RULE MOT",
            ),
            (
                "CCAC2AED591056BE4F90FD441C534766",
                "RASH BUSH MILK LOOK BAD BRIM AVID GAFF BAIT ROT POD LOVE",
            ),
            (
                "EFF81F9BFBC65350920CDD7416DE8009",
                "TROD MUTE TAIL WARM CHAR KONG HAAG CITY BORE O TEAL AWL",
            ),
            ("00000000000000000000000000000000", "A A A A A A A A A A A A"),
        ] {
            assert_eq!(to_words(key(hex)), words);
            assert_eq!(from_words(words), Some(key(hex)), "{words}");
        }
    }

    #[test]
    fn how_words_may_be_written() {
        let written = "\t tide ITCH s10w Rein RU1E\nM0T  Tide itch 5LOW rein rule mot\r";
        assert_eq!(from_words(written), Some(key("EB33F77EE73D4053EB33F77EE73D4053")));
    }

    #[test]
    fn what_is_no_key() {
        for words in [
            "",
            "masterpassphrase",
            "TIDE ITCH SLOW REIN RULE MOT",
            "TIDE ITCH SLOW REIN RULE MOT TIDE ITCH SLOW REIN RULE MOT A",
            // The parity of either half is wrong.
            "TIDE ITCH SLOW REIN RULE MOS TIDE ITCH SLOW REIN RULE MOT",
            "TIDE ITCH SLOW REIN RULE MOT TIDE ITCH SLOW REIN RULE MOS",
            "TIDE ITCH SLOW REIN RULE MOT TIDE ITCH SLOW REIN RULE QQQ",
            "TIDES ITCH SLOW REIN RULE MOT TIDE ITCH SLOW REIN RULE MOT",
            "ÄÄ ITCH SLOW REIN RULE MOT TIDE ITCH SLOW REIN RULE MOT",
        ] {
            assert_eq!(from_words(words), None, "{words}");
        }
    }

    /// The first word of this key is the 571st.
    #[test]
    fn the_word_that_xrpld_does_not_find() {
        let key = (570u128 << 117).to_be_bytes();
        let words = to_words(key);
        assert!(words.starts_with("YOU A "), "{words}");
        assert_eq!(from_words(&words), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(key: [u8; 16]) {
            let words = to_words(key);
            let unread = words.split(' ').any(|word| word == "YOU");
            prop_assert_eq!(from_words(&words), (!unread).then_some(key));
        }
    }
}
