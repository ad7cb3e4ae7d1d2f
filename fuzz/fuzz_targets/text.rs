//! Any text: refused by each parser, or shown as a text that means the same.
#![no_main]

use std::{fmt::Debug, str::FromStr};

use libfuzzer_sys::fuzz_target;
use xrpl_protocol::{
    AccountId, Amount, Currency, Drops, Hash256, IssuedValue, MptId, keys::Seed, number::Number,
};

fn round_trip<T: FromStr<Err: Debug> + ToString + PartialEq + Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string().parse::<T>().expect("we wrote it"), value);
    }
}

fuzz_target!(|text: &str| {
    round_trip::<AccountId>(text);
    round_trip::<Currency>(text);
    round_trip::<Drops>(text);
    round_trip::<Hash256>(text);
    round_trip::<IssuedValue>(text);
    round_trip::<MptId>(text);
    round_trip::<Number>(text);
    let _ = AccountId::parse_with_tag(text);
    if let Ok(seed) = text.parse::<Seed>() {
        let again: Seed = seed.to_base58().parse().expect("we wrote it");
        assert_eq!(again.entropy(), seed.entropy());
    }
    if let Ok(json) = serde_json::from_str(text)
        && let Ok(amount) = Amount::from_json(&json)
    {
        assert_eq!(Amount::from_json(&amount.to_json()), Ok(amount));
    }
});
