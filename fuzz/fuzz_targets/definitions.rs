//! Any answer to `server_definitions`: refused, or a table whose names and fields agree.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xrpl_protocol::Definitions;

fuzz_target!(|text: &str| {
    let Ok(json) = serde_json::from_str(text) else { return };
    let Ok(table) = Definitions::from_json(&json) else { return };
    for (name, field) in table.fields() {
        assert_eq!(table.field(name), Some(field));
        assert!(table.name(field).is_some());
    }
});
