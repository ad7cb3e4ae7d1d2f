//! `Number` fields of vaults, loan brokers and loans: amounts of an asset that the entry does not name.
//! They are computed with all digits, and rounded to what the asset can be at the end of each
//! transaction (xrpld's `associateAsset`).

use xrpl_protocol::{
    Amount, Field, Issue, Object, Rounding, Value, decimal::Decimal, fields,
    issued_value::ValueError, number::Number,
};

/// Fields that are amounts of an entry's asset.
const OF_ASSET: [Field; 10] = [
    fields::ASSETS_AVAILABLE,
    fields::ASSETS_MAXIMUM,
    fields::ASSETS_TOTAL,
    fields::LOSS_UNREALIZED,
    fields::DEBT_TOTAL,
    fields::DEBT_MAXIMUM,
    fields::COVER_AVAILABLE,
    fields::PRINCIPAL_OUTSTANDING,
    fields::TOTAL_VALUE_OUTSTANDING,
    fields::MANAGEMENT_FEE_OUTSTANDING,
];

/// A number field; zero without it.
#[must_use]
pub fn get(entry: &Object, field: Field) -> Decimal {
    match entry.get(field) {
        Some(Value::Number(number)) if number.mantissa != 0 => number.decimal(),
        _ => Decimal::ZERO,
    }
}

/// Sets a number field, which is left out while it is zero.
///
/// # Errors
/// [`ValueError::Overflow`] for a number that is none.
pub fn set(entry: &mut Object, field: Field, value: Decimal) -> Result<(), ValueError> {
    match value.checked()? {
        zero if zero.is_zero() => {
            entry.remove(field);
        }
        value => entry.set(field, Value::Number(Number::from(value))),
    }
    Ok(())
}

/// Adds to a number field, or takes from it.
///
/// # Errors
/// As [`set`].
pub fn add(entry: &mut Object, field: Field, more: Decimal) -> Result<(), ValueError> {
    let sum = get(entry, field) + more;
    set(entry, field, sum)
}

/// Rounds all amounts of an entry to what its asset can be.
///
/// # Errors
/// [`ValueError::Overflow`] where an amount is too large.
pub fn associate(entry: &mut Object, asset: Issue) -> Result<(), ValueError> {
    for field in OF_ASSET {
        if entry.contains(field) {
            let rounded = Amount::from_decimal(asset, get(entry, field))?;
            set(entry, field, rounded.decimal())?;
        }
    }
    Ok(())
}

/// The power of ten of the last digit that a number has as an amount of an asset.
///
/// # Errors
/// [`ValueError::Overflow`].
pub fn scale(value: Decimal, asset: Issue) -> Result<i32, ValueError> {
    Ok(Amount::from_decimal(asset, value)?.exponent())
}

/// A number as an amount of an asset, of an issued currency with no digit below `scale`.
///
/// # Errors
/// [`ValueError::Overflow`].
pub fn round_to_asset(
    asset: Issue,
    value: Decimal,
    scale: i32,
    rounding: Rounding,
) -> Result<Decimal, ValueError> {
    let amount = rounding.during(|| Amount::from_decimal(asset, value))?;
    Ok(amount.round_to_scale(scale, rounding)?.decimal())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse::<Number>().unwrap().decimal()
    }

    fn usd() -> Issue {
        Issue::Issued {
            currency: "USD".parse().unwrap(),
            issuer: xrpl_protocol::AccountId([7; 20]),
        }
    }

    #[test]
    fn amounts_are_rounded_to_the_asset() {
        let mut entry = Object::new();
        set(&mut entry, fields::ASSETS_TOTAL, d("12345678901234567.89")).unwrap();
        set(&mut entry, fields::ASSETS_AVAILABLE, d("0.4")).unwrap();
        set(&mut entry, fields::PERIODIC_PAYMENT, d("1.25")).unwrap();
        let mut of_usd = entry.clone();
        associate(&mut of_usd, usd()).unwrap();
        assert_eq!(get(&of_usd, fields::ASSETS_TOTAL), d("12345678901234570"));
        assert_eq!(get(&of_usd, fields::ASSETS_AVAILABLE), d("0.4"));
        let mut of_xrp = entry;
        associate(&mut of_xrp, Issue::Xrp).unwrap();
        assert_eq!(get(&of_xrp, fields::ASSETS_TOTAL), d("12345678901234568"));
        // Rounded to nothing, it is left out; a payment keeps all its digits.
        assert!(!of_xrp.contains(fields::ASSETS_AVAILABLE));
        assert_eq!(get(&of_xrp, fields::PERIODIC_PAYMENT), d("1.25"));
    }

    #[test]
    fn scales() {
        assert_eq!(scale(d("1"), usd()), Ok(-15));
        assert_eq!(scale(d("123456"), usd()), Ok(-10));
        assert_eq!(scale(Decimal::ZERO, usd()), Ok(-100));
        assert_eq!(scale(d("123456"), Issue::Xrp), Ok(0));
        let rounded = |rounding| round_to_asset(usd(), d("1.2345"), -2, rounding);
        assert_eq!(rounded(Rounding::Down), Ok(d("1.23")));
        assert_eq!(rounded(Rounding::Up), Ok(d("1.24")));
        assert_eq!(rounded(Rounding::HalfEven), Ok(d("1.23")));
    }
}
