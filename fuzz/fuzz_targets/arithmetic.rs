//! Any two values: results are canonical or an error, sums commute.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xrpl_protocol::{IssuedValue, issued_value::Rounding};

fuzz_target!(|input: (u64, u64, u32, u32)| {
    let (a, b, numerator, denominator) = input;
    let (Some(a), Some(b)) = (IssuedValue::from_bits(a), IssuedValue::from_bits(b)) else { return };
    assert_eq!(a.add(b), b.add(a));
    for rounding in [Rounding::HalfEven, Rounding::Up, Rounding::Down] {
        let results = [
            a.add(b),
            a.sub(b),
            a.mul(b, rounding),
            a.div(b, rounding),
            a.mul_ratio(numerator, denominator, rounding),
        ];
        for value in results.into_iter().flatten() {
            assert_eq!(IssuedValue::from_bits(value.to_bits()), Some(value));
        }
    }
});
