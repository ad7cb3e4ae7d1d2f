//! Checks against a ledger that change nothing.

use xrpl_protocol::{EngineResult, Hash256, Object, TxHash, fields, object_id};

use super::{ApplyFlags, base_fee, change, permission, transactor};
use crate::ledger::{
    PreparedTx, ReadView, SeqProxy, Ter,
    helpers::account_root::{balance_of, sequence_of},
};

/// What `preclaim` sees.
#[derive(Clone, Copy)]
pub struct PreclaimContext<'a> {
    /// The ledger.
    pub view: &'a dyn ReadView,
    /// The transaction.
    pub tx: &'a PreparedTx,
    /// How it is applied.
    pub flags: ApplyFlags,
    /// The Batch it is a part of.
    pub parent_batch: Option<TxHash>,
}

impl std::fmt::Debug for PreclaimContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PreclaimContext").field("tx", &self.tx.hash).finish_non_exhaustive()
    }
}

/// What xrpld calls preclaim: Sequence, expiry, permission, signers, fee, then the type's own checks.
///
/// # Errors
/// Any result but `tes`.
pub fn preclaim(ctx: &PreclaimContext<'_>) -> Ter {
    ctx.view.rules().digits().during(|| checked(ctx))
}

fn checked(ctx: &PreclaimContext<'_>) -> Ter {
    if change::is_pseudo(ctx.tx.kind) {
        return change::preclaim(ctx);
    }
    let kind = transactor(ctx.tx.kind).ok_or(EngineResult::TEM_DISABLED)?;
    let account = ctx.view.account(ctx.tx.account).ok_or(EngineResult::TER_NO_ACCOUNT)?;
    sequence(ctx, &account)?;
    prior_and_last_ledger(ctx, &account)?;
    drop(account);
    permission::check(ctx, kind)?;
    kind.check_sign(ctx)?;
    fee(ctx)?;
    kind.preclaim(ctx)
}

fn sequence(ctx: &PreclaimContext<'_>, account: &Object) -> Ter {
    let next = sequence_of(account);
    match ctx.tx.seq {
        SeqProxy::Sequence(_) if ctx.tx.object.contains(fields::TICKET_SEQUENCE) => {
            Err(EngineResult::TEM_SEQ_AND_TICKET)
        }
        SeqProxy::Sequence(n) if n > next => Err(EngineResult::TER_PRE_SEQ),
        SeqProxy::Sequence(n) if n < next => Err(EngineResult::TEF_PAST_SEQ),
        SeqProxy::Sequence(_) => Ok(()),
        SeqProxy::Ticket(n) if n >= next => Err(EngineResult::TER_PRE_TICKET),
        SeqProxy::Ticket(n) => {
            let there = ctx.view.exists(&object_id::ticket(ctx.tx.account, n));
            if there { Ok(()) } else { Err(EngineResult::TEF_NO_TICKET) }
        }
    }
}

fn prior_and_last_ledger(ctx: &PreclaimContext<'_>, account: &Object) -> Ter {
    if let Some(prior) = ctx.tx.object.hash256(fields::ACCOUNT_TXN_ID) {
        let last = account.hash256(fields::ACCOUNT_TXN_ID).unwrap_or(Hash256::ZERO);
        if prior != last {
            return Err(EngineResult::TEF_WRONG_PRIOR);
        }
    }
    if ctx.tx.last_ledger.is_some_and(|last| ctx.view.info().index > last) {
        return Err(EngineResult::TEF_MAX_LEDGER);
    }
    if ctx.view.has_transaction(&ctx.tx.hash) {
        return Err(EngineResult::TEF_ALREADY);
    }
    Ok(())
}

/// The fee suffices, and whoever pays it has it. A Batch pays for what is in it.
fn fee(ctx: &PreclaimContext<'_>) -> Ter {
    let paid = ctx.tx.fee.ok_or(EngineResult::TEM_BAD_FEE)?;
    if ctx.flags.batch {
        return if paid == 0 { Ok(()) } else { Err(EngineResult::TEM_BAD_FEE) };
    }
    let open = ctx.view.info().open;
    if open {
        let due = i64::try_from(base_fee(ctx.view, ctx.tx)).unwrap_or(i64::MAX);
        if paid < due {
            return Err(EngineResult::TEL_INSUF_FEE_P);
        }
    }
    if paid == 0 {
        return Ok(());
    }
    let payer = ctx.view.account(ctx.tx.fee_payer()).ok_or(EngineResult::TER_NO_ACCOUNT)?;
    let balance = balance_of(&payer);
    if balance >= paid {
        Ok(())
    } else if balance > 0 && !open {
        Err(EngineResult::TEC_INSUFF_FEE)
    } else {
        Err(EngineResult::TER_INSUF_FEE_B)
    }
}
