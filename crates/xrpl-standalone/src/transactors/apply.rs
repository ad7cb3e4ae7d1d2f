//! Applying a transaction to a view: fee and Sequence, the type's own work, metadata.

use std::sync::Arc;

use xrpl_protocol::{Amount, EngineResult, Object, TxHash, Value, fields, object_id};

use super::{
    ApplyFlags, Context, PreclaimContext, PreflightContext, change, invariants, persistent,
    preclaim, preflight, transactor,
};
use crate::ledger::{
    ApplyView, OpenView, PreparedTx, ReadView, Sandbox, SeqProxy, Ter,
    helpers::{
        account_root::{balance_of, set_balance},
        ticket,
    },
    metadata::{About, Recorded, Recorder},
    open_view::Applied,
};

/// Entries a transaction may touch.
const OVERSIZE: usize = 5200;

/// What a transaction type works with.
#[derive(Debug)]
pub struct ApplyContext<'a> {
    /// The ledger, with what the transaction has changed so far.
    pub view: Sandbox<'a>,
    /// The transaction.
    pub tx: &'a PreparedTx,
    /// How it is applied.
    pub flags: ApplyFlags,
    /// The account's XRP before the fee was paid, in drops. Reserves are judged by it.
    pub prior_balance: i64,
    /// The Batch it is a part of.
    pub parent_batch: Option<TxHash>,
    delivered: Option<Amount>,
}

impl ApplyContext<'_> {
    /// The sender's AccountRoot.
    ///
    /// # Errors
    /// `tefINTERNAL` if it is gone.
    pub fn account_root(&mut self) -> Result<&mut Object, EngineResult> {
        let key = object_id::account_root(self.tx.account);
        self.view.get_mut(&key).ok_or(EngineResult::TEF_INTERNAL)
    }

    /// Notes what a payment delivered (`DeliveredAmount` of its metadata).
    pub fn deliver(&mut self, amount: Amount) {
        self.delivered = Some(amount);
    }

    fn consume_sequence(&mut self) -> Ter {
        match self.tx.seq {
            SeqProxy::Sequence(n) => {
                let next = n.saturating_add(1);
                self.account_root()?.set(fields::SEQUENCE, next.into());
                Ok(())
            }
            SeqProxy::Ticket(n) => {
                let account = self.tx.account;
                ticket::delete(&mut self.view, account, &object_id::ticket(account, n))
            }
        }
    }

    fn pay(&mut self, fee: i64) -> Ter {
        let payer = object_id::account_root(self.tx.fee_payer());
        let root = self.view.get_mut(&payer).ok_or(EngineResult::TEF_INTERNAL)?;
        let balance = balance_of(root);
        set_balance(root, balance - fee);
        Ok(())
    }

    fn run(&mut self) -> Ter {
        if change::is_pseudo(self.tx.kind) {
            return change::apply(self);
        }
        let kind = transactor(self.tx.kind).ok_or(EngineResult::TEM_DISABLED)?;
        let root = self.view.account(self.tx.account).ok_or(EngineResult::TEF_INTERNAL)?;
        self.prior_balance = balance_of(&root);
        let keeps_id = root.contains(fields::ACCOUNT_TXN_ID);
        drop(root);
        self.consume_sequence()?;
        self.pay(self.tx.fee.unwrap_or(0))?;
        if keeps_id {
            let id = self.tx.hash.into();
            self.account_root()?.set(fields::ACCOUNT_TXN_ID, Value::Hash256(id));
        }
        kind.apply(self)
    }

    /// Throws the changes away and takes fee and Sequence only. Returns the fee taken.
    fn reset(&mut self) -> Result<i64, EngineResult> {
        self.view.discard();
        self.delivered = None;
        let internal = EngineResult::TEF_INTERNAL;
        let payer = self.view.account(self.tx.fee_payer()).ok_or(internal)?;
        let fee = self.tx.fee.unwrap_or(0).min(balance_of(&payer)).max(0);
        drop(payer);
        self.account_root()?;
        self.pay(fee)?;
        self.consume_sequence()?;
        Ok(fee)
    }

    /// What is left of a transaction that failed with a `tec`.
    fn reset_keeping(&mut self, result: EngineResult) -> Result<i64, EngineResult> {
        let removed = persistent::Removed::find(&self.view, result);
        let fee = self.reset()?;
        removed.repeat(&mut self.view, result);
        Ok(fee)
    }
}

/// What came of a transaction.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its result.
    pub result: EngineResult,
    /// Whether the view has it now.
    pub applied: bool,
    /// Its metadata, if it was only tried out; what was applied has it in the view.
    pub metadata: Option<Object>,
}

impl Attempt {
    /// It did nothing.
    #[must_use]
    pub fn refused(result: EngineResult) -> Self {
        Self { result, applied: false, metadata: None }
    }
}

/// Applies a transaction to a view.
pub fn apply(
    context: &Context,
    view: &mut OpenView<'_>,
    tx: &Arc<PreparedTx>,
    flags: ApplyFlags,
) -> Attempt {
    match preflight(&PreflightContext::new(context, view.rules(), tx, flags)) {
        Ok(()) => apply_checked(view, tx, flags, None),
        Err(result) => Attempt::refused(result),
    }
}

/// Applies a transaction that passed preflight.
pub fn apply_checked(
    view: &mut OpenView<'_>,
    tx: &Arc<PreparedTx>,
    flags: ApplyFlags,
    parent_batch: Option<TxHash>,
) -> Attempt {
    let preclaimed = preclaim(&PreclaimContext { view: &*view, tx, flags, parent_batch });
    if let Err(result) = preclaimed
        && (!result.is_claim() || flags.retry)
    {
        return Attempt::refused(result);
    }
    let open = view.info().open;
    let index = u32::try_from(view.tx_count()).unwrap_or(u32::MAX);
    let mut ctx = ApplyContext {
        view: Sandbox::new(&*view),
        tx,
        flags,
        prior_balance: 0,
        parent_batch,
        delivered: None,
    };
    let digits = view.rules().digits();
    let (result, fee) = match digits.during(|| settle(&mut ctx, preclaimed)) {
        Ok(settled) => settled,
        Err(result) => return Attempt::refused(result),
    };
    let about = About { delivered: ctx.delivered, parent_batch };
    let recorded = (!open || flags.dry_run)
        .then(|| Recorder::record(&mut ctx.view, tx.hash, result, index, about));
    if flags.dry_run {
        let metadata = recorded.map(|recorded| recorded.metadata);
        return Attempt { result, applied: false, metadata };
    }
    let writes: Vec<_> = ctx.view.into_writes().collect();
    let metadata = recorded.map(|Recorded { metadata, threaded }| {
        view.write(threaded.into_iter().map(|(key, entry)| (key, Some(entry))));
        metadata
    });
    view.write(writes);
    let burnt = if open { 0 } else { u64::try_from(fee).unwrap_or(0) };
    view.add(Applied { tx: Arc::clone(tx), result, metadata }, burnt);
    Attempt { result, applied: true, metadata: None }
}

/// Does it and makes sure that what it did makes sense. Returns the result and the fee taken, or the
/// result of a transaction that does nothing.
fn settle(
    ctx: &mut ApplyContext<'_>,
    preclaimed: Ter,
) -> Result<(EngineResult, i64), EngineResult> {
    let mut result = match preclaimed.and_then(|()| ctx.run()) {
        Ok(()) => EngineResult::TES_SUCCESS,
        Err(result) => result,
    };
    if ctx.view.len() > OVERSIZE {
        result = EngineResult::TEC_OVERSIZE;
    }
    let mut fee = ctx.tx.fee.unwrap_or(0);
    if result.is_claim() && ctx.flags.fail_hard {
        return Err(result);
    }
    if persistent::is_final(result) || (result.is_claim() && !ctx.flags.retry) {
        fee = ctx.reset_keeping(result)?;
    } else if !result.is_success() {
        return Err(result);
    }
    if !invariants::hold(ctx, result, fee) {
        result = EngineResult::TEC_INVARIANT_FAILED;
        fee = ctx.reset()?;
        if !invariants::hold(ctx, result, fee) {
            return Err(EngineResult::TEF_INVARIANT_FAILED);
        }
    }
    Ok((result, fee))
}
