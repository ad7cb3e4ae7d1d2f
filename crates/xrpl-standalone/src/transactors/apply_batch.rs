//! What a Batch holds, applied after the Batch itself when a ledger is built
//! (<https://xrpl.org/docs/concepts/transactions/batch-transactions>).

use std::sync::Arc;

use xrpl_protocol::{EngineResult, fields};

use super::{
    ApplyFlags, Attempt, Context, PreflightContext, apply, apply_checked, batch::mode, preflight,
};
use crate::ledger::{OpenView, PreparedTx, ReadView, prepared::BATCH};

/// Applies a transaction to a ledger that is being built; a successful Batch with what it holds.
pub fn apply_transaction(
    context: &Context,
    view: &mut OpenView<'_>,
    tx: &Arc<PreparedTx>,
    flags: ApplyFlags,
) -> Attempt {
    let attempt = apply(context, view, tx, flags);
    if attempt.applied && attempt.result.is_success() && tx.kind == BATCH {
        let mut whole = OpenView::on(view);
        if apply_inner(context, &mut whole, tx) {
            let changes = whole.into_changes();
            view.absorb(changes);
        }
    }
    attempt
}

/// Applies what a Batch holds, in the way its mode says; whether that is to be kept.
fn apply_inner(context: &Context, view: &mut OpenView<'_>, batch: &PreparedTx) -> bool {
    let mut applied = false;
    let inner = batch.object.array(fields::RAW_TRANSACTIONS).unwrap_or_default();
    for (_, object) in inner {
        let attempt = match PreparedTx::inner(object) {
            Ok(tx) => apply_one(context, view, batch, &tx),
            // Its form was checked with the Batch's.
            Err(_) => Attempt::refused(EngineResult::TEM_MALFORMED),
        };
        applied |= attempt.applied;
        if attempt.result.is_success() {
            if batch.has_flag(mode::ONLY_ONE) {
                break;
            }
        } else if batch.has_flag(mode::ALL_OR_NOTHING) {
            return false;
        } else if batch.has_flag(mode::UNTIL_FAILURE) {
            break;
        }
    }
    applied
}

fn apply_one(
    context: &Context,
    view: &mut OpenView<'_>,
    batch: &PreparedTx,
    tx: &Arc<PreparedTx>,
) -> Attempt {
    let flags = ApplyFlags { batch: true, ..ApplyFlags::default() };
    let mut own = OpenView::on(view);
    let checked = preflight(&PreflightContext {
        network_id: context.network_id,
        rules: own.rules(),
        tx,
        flags,
        parent_batch: Some(batch.hash),
    });
    let attempt = match checked {
        Ok(()) => apply_checked(&mut own, tx, flags, Some(batch.hash)),
        Err(result) => Attempt::refused(result),
    };
    if attempt.applied {
        let changes = own.into_changes();
        view.absorb(changes);
    }
    attempt
}
