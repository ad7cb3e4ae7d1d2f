//! Checks of form that need no ledger.

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Object, TxHash, Value, fields, keys::PublicKey,
};

use super::{ApplyFlags, Context, UNIVERSAL_FLAGS, change, permission, transaction_type};
use crate::ledger::{
    PreparedTx, Rules, SeqProxy, Ter, amendment, genesis::TOTAL_COINS, prepared::INNER_BATCH,
};

/// The first network id whose transactions must name it.
const FIRST_NAMED_NETWORK: u32 = 1025;
/// How deep a transaction's objects may be nested.
const MAX_DEPTH: usize = 10;

/// What `preflight` sees.
#[derive(Clone, Copy, Debug)]
pub struct PreflightContext<'a> {
    /// Network id of the server.
    pub network_id: u32,
    /// Amendments.
    pub rules: &'a Rules,
    /// The transaction.
    pub tx: &'a PreparedTx,
    /// How it is applied.
    pub flags: ApplyFlags,
    /// The Batch it is a part of.
    pub parent_batch: Option<TxHash>,
}

impl<'a> PreflightContext<'a> {
    /// Of a transaction that stands alone.
    #[must_use]
    pub fn new(context: &Context, rules: &'a Rules, tx: &'a PreparedTx, flags: ApplyFlags) -> Self {
        Self { network_id: context.network_id, rules, tx, flags, parent_batch: None }
    }
}

/// What xrpld calls preflight: the common checks, then the type's own. Signatures were checked when
/// the transaction was prepared.
///
/// # Errors
/// `tem` and `tel` results.
pub fn preflight(ctx: &PreflightContext<'_>) -> Ter {
    ctx.rules.digits().during(|| checked(ctx))
}

fn checked(ctx: &PreflightContext<'_>) -> Ter {
    let tx = ctx.tx;
    if change::is_pseudo(tx.kind) {
        return change::preflight(ctx);
    }
    let row = transaction_type(tx.kind).ok_or(EngineResult::TEM_DISABLED)?;
    let kind = row.transactor.ok_or(EngineResult::TEM_DISABLED)?;
    if row.amendment.is_some_and(|amendment| !ctx.rules.enabled(amendment)) || !kind.enabled(ctx) {
        return Err(EngineResult::TEM_DISABLED);
    }
    common(ctx, kind.flags(ctx))?;
    if ctx.rules.enabled(amendment::FIX_CLEANUP_3_2_0) && has_invalid_amount(&tx.object, 0) {
        return Err(EngineResult::TEM_BAD_AMOUNT);
    }
    kind.preflight(ctx)?;
    if ctx.flags.dry_run { unsigned(&tx.object) } else { Ok(()) }
}

fn common(ctx: &PreflightContext<'_>, flags: u32) -> Ter {
    let tx = ctx.tx;
    if let Some(delegate) = tx.object.account(fields::DELEGATE) {
        if !ctx.rules.enabled(amendment::PERMISSION_DELEGATION_V1_1) {
            return Err(EngineResult::TEM_DISABLED);
        }
        if delegate == tx.account {
            return Err(EngineResult::TEM_BAD_SIGNER);
        }
        if !permission::may_be_delegated(tx.kind, ctx.rules) {
            return Err(EngineResult::TEM_INVALID);
        }
    }
    network(ctx)?;
    if tx.flags & !(UNIVERSAL_FLAGS | flags) != 0 {
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
    let inner = tx.has_flag(INNER_BATCH);
    if inner && !ctx.rules.enabled(amendment::BATCH_V1_1) {
        return Err(EngineResult::TEM_INVALID_FLAG);
    }
    if inner != ctx.parent_batch.is_some() {
        return Err(EngineResult::TEM_INVALID_INNER_BATCH);
    }
    Ok(())
}

fn network(ctx: &PreflightContext<'_>) -> Ter {
    match ctx.tx.object.u32(fields::NETWORK_ID) {
        Some(_) if ctx.network_id < FIRST_NAMED_NETWORK => {
            Err(EngineResult::TEL_NETWORK_ID_MAKES_TX_NON_CANONICAL)
        }
        None if ctx.network_id >= FIRST_NAMED_NETWORK => Err(EngineResult::TEL_REQUIRES_NETWORK_ID),
        Some(id) if id != ctx.network_id => Err(EngineResult::TEL_WRONG_NETWORK),
        _ => Ok(()),
    }
}

/// Amounts of XRP or an MPT, however deep, that are too large to be real.
pub(super) fn has_invalid_amount(object: &Object, depth: usize) -> bool {
    depth > MAX_DEPTH
        || object.iter().any(|(_, value)| match value {
            Value::Amount(Amount::Xrp(drops)) => drops.unsigned_abs() > TOTAL_COINS,
            Value::Object(inner) => has_invalid_amount(inner, depth + 1),
            Value::Array(elements) => {
                elements.iter().any(|(_, inner)| has_invalid_amount(inner, depth + 2))
            }
            _ => false,
        })
}

/// What is only tried out must not be signed.
pub(super) fn unsigned(tx: &Object) -> Ter {
    let has = |object: &Object, field| object.blob(field).is_some_and(|bytes| !bytes.is_empty());
    if has(tx, fields::TXN_SIGNATURE) {
        return Err(EngineResult::TEM_INVALID);
    }
    let Some(signers) = tx.array(fields::SIGNERS) else { return Ok(()) };
    let signed = signers.iter().any(|(_, signer)| has(signer, fields::TXN_SIGNATURE));
    if signed || has(tx, fields::SIGNING_PUB_KEY) {
        return Err(EngineResult::TEM_INVALID);
    }
    Ok(())
}
