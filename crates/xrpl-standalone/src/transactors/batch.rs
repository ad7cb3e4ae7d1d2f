//! Batch (<https://xrpl.org/docs/concepts/transactions/batch-transactions>): up to eight
//! transactions of several accounts in one. It does nothing itself; what it holds is applied after it
//! when a ledger is built, by [`super::apply_batch`].

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use xrpl_protocol::{EngineResult, Object, fields};

use super::{
    ApplyContext, ApplyFlags, PreclaimContext, PreflightContext, Signed, Transactor, base_fee,
    check_signatures, default_base_fee, preflight, signatures,
};
use crate::ledger::{
    PreparedTx, ReadView, SeqProxy, Ter,
    genesis::TOTAL_COINS,
    prepared::{BATCH, INNER_BATCH, MAX_BATCH_SIGNERS, MAX_INNER},
};

/// Modes: flags of a Batch, of which it has exactly one.
pub(super) mod mode {
    pub(in super::super) const ALL_OR_NOTHING: u32 = 0x0001_0000;
    pub(in super::super) const ONLY_ONE: u32 = 0x0002_0000;
    pub(in super::super) const UNTIL_FAILURE: u32 = 0x0004_0000;
    pub(in super::super) const INDEPENDENT: u32 = 0x0008_0000;
    pub(super) const ALL: u32 = ALL_OR_NOTHING | ONLY_ONE | UNTIL_FAILURE | INDEPENDENT;
}

/// Types of vaults and loans, which no Batch may hold yet.
const NOT_IN_BATCHES: [u16; 15] = [65, 66, 67, 68, 69, 70, 74, 75, 76, 77, 78, 80, 81, 82, 84];

/// The type.
#[derive(Debug)]
pub(super) struct Batch;

/// What a Batch holds.
fn raw(tx: &PreparedTx) -> impl Iterator<Item = &Object> {
    tx.object.array(fields::RAW_TRANSACTIONS).unwrap_or_default().iter().map(|(_, inner)| inner)
}

fn batch_signers(tx: &PreparedTx) -> impl Iterator<Item = &Object> {
    tx.object.array(fields::BATCH_SIGNERS).unwrap_or_default().iter().map(|(_, signer)| signer)
}

impl Transactor for Batch {
    fn flags(&self, _ctx: &PreflightContext<'_>) -> u32 {
        mode::ALL
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        if (tx.flags & mode::ALL).count_ones() != 1 {
            return Err(EngineResult::TEM_INVALID_FLAG);
        }
        match raw(tx).count() {
            0 | 1 => return Err(EngineResult::TEM_ARRAY_EMPTY),
            n if n > MAX_INNER => return Err(EngineResult::TEM_ARRAY_TOO_LARGE),
            _ if batch_signers(tx).count() > MAX_BATCH_SIGNERS => {
                return Err(EngineResult::TEM_ARRAY_TOO_LARGE);
            }
            _ => {}
        }
        // Where the first that fails ends the Batch, a number used twice would always end it.
        let all_count = tx.has_flag(mode::ALL_OR_NOTHING | mode::UNTIL_FAILURE);
        let mut hashes = HashSet::new();
        let mut numbers = HashSet::new();
        for inner in raw(tx) {
            let inner = PreparedTx::inner(inner).map_err(|_| EngineResult::TEF_EXCEPTION)?;
            if !hashes.insert(inner.hash) {
                return Err(EngineResult::TEM_REDUNDANT);
            }
            inner_form(ctx, &inner)?;
            if all_count && !numbers.insert((inner.account, inner.seq.value())) {
                return Err(EngineResult::TEM_REDUNDANT);
            }
        }
        signers_are_those_needed(tx)
    }

    fn check_sign(&self, ctx: &PreclaimContext<'_>) -> Ter {
        signatures::check_sign(ctx)?;
        for signer in batch_signers(ctx.tx) {
            let account = signer.account(fields::ACCOUNT).unwrap_or_default();
            // The account may be one that another transaction in the Batch creates.
            let signed = Signed { account, object: signer, uncreated: true };
            check_signatures(ctx.view, ctx.flags, ctx.parent_batch, signed)?;
        }
        Ok(())
    }

    fn apply(&self, _ctx: &mut ApplyContext<'_>) -> Ter {
        Ok(())
    }

    /// Two base fees, one for every signature, and the fees of what it holds.
    fn base_fee(&self, view: &dyn ReadView, tx: &PreparedTx) -> u64 {
        let base = view.info().fees.base;
        let signatures: usize = batch_signers(tx)
            .map(|signer| match signer.contains(fields::TXN_SIGNATURE) {
                true => 1,
                false => signer.array(fields::SIGNERS).map_or(0, <[_]>::len),
            })
            .sum();
        let own = base
            .saturating_add(default_base_fee(view, tx))
            .saturating_add(base.saturating_mul(signatures as u64));
        raw(tx).fold(own, |sum, inner| match PreparedTx::inner(inner) {
            Ok(inner) if inner.kind != BATCH => sum.saturating_add(base_fee(view, &inner)),
            // More than anybody has.
            _ => sum.saturating_add(TOTAL_COINS),
        })
    }
}

/// The form of a transaction in a Batch.
fn inner_form(ctx: &PreflightContext<'_>, inner: &Arc<PreparedTx>) -> Ter {
    if inner.kind == BATCH {
        return Err(EngineResult::TEM_INVALID);
    }
    if NOT_IN_BATCHES.contains(&inner.kind) {
        return Err(EngineResult::TEM_INVALID_INNER_BATCH);
    }
    if !inner.has_flag(INNER_BATCH) {
        return Err(EngineResult::TEM_INVALID_FLAG);
    }
    unsigned(&inner.object)?;
    if let Some(counterparty) = inner.object.object(fields::COUNTERPARTY_SIGNATURE) {
        unsigned(counterparty)?;
    }
    if inner.fee != Some(0) {
        return Err(EngineResult::TEM_BAD_FEE);
    }
    let checked = preflight(&PreflightContext {
        tx: inner,
        flags: ApplyFlags { batch: true, ..ApplyFlags::default() },
        parent_batch: Some(ctx.tx.hash),
        ..*ctx
    });
    if checked.is_err() {
        return Err(EngineResult::TEM_INVALID_INNER_BATCH);
    }
    // Either a Sequence or a Ticket.
    let has_ticket = inner.object.contains(fields::TICKET_SEQUENCE);
    match inner.seq {
        SeqProxy::Sequence(0) => Err(EngineResult::TEM_SEQ_AND_TICKET),
        SeqProxy::Sequence(_) if has_ticket => Err(EngineResult::TEM_SEQ_AND_TICKET),
        _ => Ok(()),
    }
}

/// What is in a Batch is signed with it, not by itself.
fn unsigned(object: &Object) -> Ter {
    if object.contains(fields::TXN_SIGNATURE) {
        return Err(EngineResult::TEM_BAD_SIGNATURE);
    }
    if object.contains(fields::SIGNERS) {
        return Err(EngineResult::TEM_BAD_SIGNER);
    }
    match object.blob(fields::SIGNING_PUB_KEY).unwrap_or_default() {
        [] => Ok(()),
        _ => Err(EngineResult::TEM_BAD_REGKEY),
    }
}

/// The Batch's signers, in order, are exactly the accounts that must agree: whose transactions it
/// holds (or their delegates), and counterparties; but not the account whose Batch it is.
fn signers_are_those_needed(tx: &PreparedTx) -> Ter {
    let of = |inner: &Object| {
        let authorizer = inner.account(fields::DELEGATE).or(inner.account(fields::ACCOUNT));
        [authorizer, inner.account(fields::COUNTERPARTY)]
    };
    let needed: BTreeSet<_> =
        raw(tx).flat_map(of).flatten().filter(|account| *account != tx.account).collect();
    let signers =
        batch_signers(tx).map(|signer| signer.account(fields::ACCOUNT).unwrap_or_default());
    if signers.eq(needed) { Ok(()) } else { Err(EngineResult::TEM_BAD_SIGNER) }
}
