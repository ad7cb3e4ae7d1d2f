//! Payments through trust lines and books.

use xrpl_protocol::{Amount, EngineResult, fields};

use super::{ApplyContext, Ter};
use crate::ledger::PreparedTx;

/// Whether a Payment goes through paths instead of moving XRP directly.
#[must_use]
pub fn is_flow(tx: &PreparedTx) -> bool {
    let object = &tx.object;
    object.contains(fields::PATHS)
        || object.contains(fields::SEND_MAX)
        || !matches!(object.amount(fields::AMOUNT), Some(Amount::Xrp(_)))
}

/// Refuses what the payment engine does not do yet.
///
/// # Errors
/// `temDISABLED`.
pub fn supported(tx: &PreparedTx) -> Ter {
    if is_flow(tx) { Err(EngineResult::TEM_DISABLED) } else { Ok(()) }
}

/// Moves an issued currency, or XRP through books. The destination exists and accepts deposits.
///
/// # Errors
/// The engine's result.
pub fn apply(_ctx: &mut ApplyContext<'_>) -> Ter {
    Err(EngineResult::TEF_INTERNAL)
}
