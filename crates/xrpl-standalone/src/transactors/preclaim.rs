//! Checks against a ledger that change nothing.

use xrpl_protocol::{AccountId, EngineResult, Hash256, Object, fields, keys::PublicKey, object_id};

use super::{
    ApplyFlags, Ter,
    account_root::{balance_of, flag, flags_of, sequence_of},
    base_fee, transactor,
};
use crate::ledger::{PreparedTx, ReadView, SeqProxy};

/// What `preclaim` sees.
#[derive(Clone, Copy)]
pub struct PreclaimContext<'a> {
    /// The ledger.
    pub view: &'a dyn ReadView,
    /// The transaction.
    pub tx: &'a PreparedTx,
    /// How it is applied.
    pub flags: ApplyFlags,
}

impl std::fmt::Debug for PreclaimContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PreclaimContext").field("tx", &self.tx.hash).finish_non_exhaustive()
    }
}

/// What xrpld calls preclaim: sequence, expiry, signers, fee, then the type's own checks.
///
/// # Errors
/// Any result but `tes`.
pub fn preclaim(ctx: &PreclaimContext<'_>) -> Ter {
    let kind = transactor(ctx.tx.kind).ok_or(EngineResult::TEM_DISABLED)?;
    let account = ctx.view.account(ctx.tx.account).ok_or(EngineResult::TER_NO_ACCOUNT)?;
    sequence(ctx, &account)?;
    prior_and_last_ledger(ctx, &account)?;
    // No type here gives permissions away, so nobody has any.
    if ctx.tx.object.contains(fields::DELEGATE) {
        return Err(EngineResult::TER_NO_DELEGATE_PERMISSION);
    }
    signers(ctx, &account)?;
    fee(ctx, &account)?;
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

fn account_of_key(key: &[u8]) -> Option<AccountId> {
    PublicKey::from_slice(key).ok().map(|key| key.account_id())
}

fn signers(ctx: &PreclaimContext<'_>, account: &Object) -> Ter {
    let object = &ctx.tx.object;
    if object.contains(fields::SIGNERS) {
        return multi_sign(ctx);
    }
    let key = object.blob(fields::SIGNING_PUB_KEY).unwrap_or_default();
    if key.is_empty() && ctx.flags.dry_run {
        return Ok(());
    }
    let signer = account_of_key(key).ok_or(EngineResult::TEF_BAD_AUTH)?;
    if account.account(fields::REGULAR_KEY) == Some(signer) {
        return Ok(());
    }
    let master_disabled = flags_of(account) & flag::DISABLE_MASTER != 0;
    match (signer == ctx.tx.account, master_disabled) {
        (true, false) => Ok(()),
        (true, true) => Err(EngineResult::TEF_MASTER_DISABLED),
        (false, _) => Err(EngineResult::TEF_BAD_AUTH),
    }
}

fn multi_sign(ctx: &PreclaimContext<'_>) -> Ter {
    let list = ctx
        .view
        .read(&object_id::signer_list(ctx.tx.account))
        .ok_or(EngineResult::TEF_NOT_MULTI_SIGNING)?;
    let entries = list.array(fields::SIGNER_ENTRIES).unwrap_or_default();
    let mut weight: u64 = 0;
    for (_, signer) in ctx.tx.object.array(fields::SIGNERS).unwrap_or_default() {
        let id = signer.account(fields::ACCOUNT).unwrap_or_default();
        let entry = entries
            .iter()
            .find(|(_, entry)| entry.account(fields::ACCOUNT) == Some(id))
            .ok_or(EngineResult::TEF_BAD_SIGNATURE)?;
        let key = signer.blob(fields::SIGNING_PUB_KEY).unwrap_or_default();
        let of_key = account_of_key(key).ok_or(EngineResult::TEF_BAD_SIGNATURE)?;
        let root = ctx.view.account(id);
        if of_key == id {
            // An account that is not in the ledger may sign with the key it would have.
            if root.is_some_and(|root| flags_of(&root) & flag::DISABLE_MASTER != 0) {
                return Err(EngineResult::TEF_MASTER_DISABLED);
            }
        } else if root.and_then(|root| root.account(fields::REGULAR_KEY)) != Some(of_key) {
            return Err(EngineResult::TEF_BAD_SIGNATURE);
        }
        weight += u64::from(entry.1.u16(fields::SIGNER_WEIGHT).unwrap_or_default());
    }
    if weight < u64::from(list.u32(fields::SIGNER_QUORUM).unwrap_or(u32::MAX)) {
        return Err(EngineResult::TEF_BAD_QUORUM);
    }
    Ok(())
}

fn fee(ctx: &PreclaimContext<'_>, account: &Object) -> Ter {
    let paid = ctx.tx.fee.ok_or(EngineResult::TEM_BAD_FEE)?;
    if ctx.view.info().open {
        let due = i64::try_from(base_fee(ctx.view, ctx.tx)).unwrap_or(i64::MAX);
        if paid < due {
            return Err(EngineResult::TEL_INSUF_FEE_P);
        }
    }
    if paid == 0 {
        return Ok(());
    }
    let balance = balance_of(account);
    if balance >= paid {
        Ok(())
    } else if balance > 0 && !ctx.view.info().open {
        Err(EngineResult::TEC_INSUFF_FEE)
    } else {
        Err(EngineResult::TER_INSUF_FEE_B)
    }
}
