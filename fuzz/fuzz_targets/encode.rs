//! Any JSON: refused, or written in a form that reads as the same fields.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xrpl_protocol::{Definitions, Object};

fuzz_target!(|text: &str| {
    let table = Definitions::builtin();
    let Ok(json) = serde_json::from_str(text) else { return };
    let Ok(object) = Object::from_json(&json, table) else { return };
    let bytes = object.encode();
    assert_eq!(Object::decode(&bytes, table).expect("we wrote it").encode(), bytes);
});
