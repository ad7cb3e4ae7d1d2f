//! Any bytes as a key, a signature and a signed transaction: checked without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xrpl_protocol::{Definitions, Object, keys::PublicKey, sign::verify_transaction};

fuzz_target!(|bytes: &[u8]| {
    if let Some((key, rest)) = bytes.split_at_checked(33)
        && let Ok(key) = PublicKey::from_slice(key)
    {
        let (message, signature) = rest.split_at(rest.len() / 3);
        let _ = key.verify(message, signature);
    }
    if let Ok(tx) = Object::decode(bytes, Definitions::builtin()) {
        let _ = verify_transaction(&tx);
    }
});
