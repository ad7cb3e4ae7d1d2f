//! Checks of form that need no ledger.

use xrpl_protocol::{AccountId, EngineResult, fields, keys::PublicKey};

use super::{Context, Ter, UNIVERSAL_FLAGS, transactor};
use crate::ledger::{PreparedTx, SeqProxy, genesis::TOTAL_COINS, prepared::INNER_BATCH};

/// The first network id whose transactions must name it.
const FIRST_NAMED_NETWORK: u32 = 1025;

/// What xrpld calls preflight: the common checks, then the type's own. Signatures were checked when
/// the transaction was prepared.
///
/// # Errors
/// `tem` and `tel` results.
pub fn preflight(context: &Context, tx: &PreparedTx) -> Ter {
    let kind = transactor(tx.kind).ok_or(EngineResult::TEM_DISABLED)?;
    if let Some(delegate) = tx.object.account(fields::DELEGATE) {
        if delegate == tx.account {
            return Err(EngineResult::TEM_BAD_SIGNER);
        }
        if !kind.delegable() {
            return Err(EngineResult::TEM_INVALID);
        }
    }
    network(context, tx)?;
    if tx.flags & !(UNIVERSAL_FLAGS | kind.flags(tx)) != 0 {
        return Err(EngineResult::TEM_INVALID_FLAG);
    }
    if tx.account == AccountId::ZERO {
        return Err(EngineResult::TEM_BAD_SRC_ACCOUNT);
    }
    let legal = |fee: i64| u64::try_from(fee).is_ok_and(|fee| fee <= TOTAL_COINS);
    if !tx.fee.is_some_and(legal) {
        return Err(EngineResult::TEM_BAD_FEE);
    }
    let key = tx.object.blob(fields::SIGNING_PUB_KEY).unwrap_or_default();
    if !key.is_empty() && PublicKey::from_slice(key).is_err() {
        return Err(EngineResult::TEM_BAD_SIGNATURE);
    }
    if matches!(tx.seq, SeqProxy::Ticket(_)) && tx.object.contains(fields::ACCOUNT_TXN_ID) {
        return Err(EngineResult::TEM_INVALID);
    }
    if tx.has_flag(INNER_BATCH) {
        return Err(EngineResult::TEM_INVALID_FLAG);
    }
    kind.preflight(tx)
}

fn network(context: &Context, tx: &PreparedTx) -> Ter {
    match tx.object.u32(fields::NETWORK_ID) {
        Some(_) if context.network_id < FIRST_NAMED_NETWORK => {
            Err(EngineResult::TEL_NETWORK_ID_MAKES_TX_NON_CANONICAL)
        }
        None if context.network_id >= FIRST_NAMED_NETWORK => {
            Err(EngineResult::TEL_REQUIRES_NETWORK_ID)
        }
        Some(id) if id != context.network_id => Err(EngineResult::TEL_WRONG_NETWORK),
        _ => Ok(()),
    }
}
