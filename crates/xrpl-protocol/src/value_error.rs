//! Why a number cannot be one of the ledger's.

/// Why a number is no issued-currency value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not a decimal number.
    #[error("{0:?} is not a decimal number")]
    Syntax(String),
    /// More than 16 significant digits.
    #[error("{0:?} has more than 16 significant digits")]
    Precision(String),
    /// More digits than a `Number` field holds.
    #[error(
        "{0:?} has more digits than the field holds: at most 19, and without point and exponent at \
         most 9223372036854775807"
    )]
    TooManyDigits(String),
    /// Too large to be written.
    #[error("the value is too large (largest exponent is 80)")]
    Overflow,
    /// Not zero, but nearer to it than any value that can be written.
    #[error("{0:?} is too small to be represented (the least is 1e-81): it would be written as 0")]
    Underflow(String),
    /// Division by zero.
    #[error("division by zero")]
    DivisionByZero,
}
