//! What assets and amounts an AMM's transactions may name.

use xrpl_protocol::{AccountId, Amount, EngineResult, Issue};

use crate::{
    ledger::{Ter, helpers::BAD_CURRENCY},
    transactors::ensure,
};

/// An asset, of a pair if there is one.
///
/// # Errors
/// `temBAD_MPT`, `temBAD_CURRENCY`, `temBAD_AMM_TOKENS`.
pub(super) fn asset(asset: Issue, pair: Option<(Issue, Issue)>) -> Ter {
    match asset {
        Issue::Mpt(id) if id.issuer() == AccountId::ZERO => return Err(EngineResult::TEM_BAD_MPT),
        Issue::Issued { currency: BAD_CURRENCY, .. } => {
            return Err(EngineResult::TEM_BAD_CURRENCY);
        }
        _ => {}
    }
    let of_pair = pair.is_none_or(|(one, other)| asset == one || asset == other);
    ensure(of_pair, EngineResult::TEM_BAD_AMM_TOKENS)
}

/// Two assets of a pool.
///
/// # Errors
/// As [`asset`].
pub(super) fn pair((one, other): (Issue, Issue)) -> Ter {
    ensure(one != other, EngineResult::TEM_BAD_AMM_TOKENS)?;
    asset(one, None)?;
    asset(other, None)
}

/// An amount that is more than nothing, or at least not less.
///
/// # Errors
/// As [`asset`], `temBAD_AMOUNT`.
pub(super) fn amount(amount: &Amount, pair: Option<(Issue, Issue)>, may_be_zero: bool) -> Ter {
    asset(amount.issue(), pair)?;
    let least = i32::from(!may_be_zero);
    ensure(amount.signum() >= least, EngineResult::TEM_BAD_AMOUNT)
}
