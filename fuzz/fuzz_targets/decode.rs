//! Any bytes: refused, or read and written as the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xrpl_protocol::{Definitions, Object};

fuzz_target!(|bytes: &[u8]| {
    let table = Definitions::builtin();
    let Ok(object) = Object::decode(bytes, table) else { return };
    assert_eq!(object.encode(), bytes);
    // JSON is stricter than the wire about amounts, so it may be refused, but never differ.
    if let Ok(again) = Object::from_json(&object.to_json(table), table) {
        assert_eq!(again, object);
    }
});
