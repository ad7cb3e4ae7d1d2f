//! On which terms a balance counts and a token moves.

/// How strictly an account must be authorised to hold a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// It needs a line or an MPToken, authorised if the issuer wants that.
    Strong,
    /// It needs none if the issuer does not care.
    Weak,
    /// As xrpld always did: weak for issued currencies, strong for MPTs.
    Legacy,
}

/// Whether frozen funds count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfFrozen {
    /// They count.
    Ignore,
    /// They count for nothing.
    Zero,
}

/// Whether MPTs count that their holder is not authorised for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfUnauthorized {
    /// They count.
    Ignore,
    /// They count for nothing.
    Zero,
}

/// Which balance is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spendable {
    /// What the account holds.
    Simple,
    /// What it can spend: an issuer all that it may issue, a holder also what its peer would lend.
    Full,
}

/// Whether the issuer's transfer fee is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferFee {
    /// The sender pays it.
    Charge,
    /// Nobody does.
    Waive,
}
