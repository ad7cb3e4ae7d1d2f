//! Applying a transaction to a view: fee and Sequence, the type's own work, metadata.

use std::sync::Arc;

use xrpl_protocol::{Amount, EngineResult, Object, fields, object_id};

use super::{
    ApplyFlags, Context, PreclaimContext, Ter,
    account_root::{adjust_owner_count, balance_of, set_balance},
    invariants, preclaim, preflight, transactor,
};
use crate::ledger::{
    OpenView, PreparedTx, ReadView, Sandbox, SeqProxy, directory,
    metadata::{Recorded, Recorder},
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
    /// The account's XRP before it paid the fee, in drops.
    pub balance_before_fee: i64,
    /// What a payment delivered when it is not what it asked for.
    pub delivered: Option<Amount>,
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

    fn consume_sequence(&mut self) -> Ter {
        match self.tx.seq {
            SeqProxy::Sequence(n) => {
                let next = n.saturating_add(1);
                self.account_root()?.set(fields::SEQUENCE, next.into());
                Ok(())
            }
            SeqProxy::Ticket(n) => self.delete_ticket(n),
        }
    }

    fn delete_ticket(&mut self, number: u32) -> Ter {
        let account = self.tx.account;
        let key = object_id::ticket(account, number);
        let ticket = self.view.read(&key).ok_or(EngineResult::TEF_BAD_LEDGER)?;
        let page = ticket.u64(fields::OWNER_NODE).unwrap_or_default();
        if !directory::remove(&mut self.view, object_id::owner_dir(account), page, &key, true) {
            return Err(EngineResult::TEF_BAD_LEDGER);
        }
        let root = self.account_root()?;
        match root.u32(fields::TICKET_COUNT) {
            Some(0 | 1) => {
                root.remove(fields::TICKET_COUNT);
            }
            Some(n) => root.set(fields::TICKET_COUNT, (n - 1).into()),
            None => return Err(EngineResult::TEF_BAD_LEDGER),
        }
        adjust_owner_count(&mut self.view, account, -1)?;
        self.view.erase(&key);
        Ok(())
    }

    fn pay(&mut self, fee: i64) -> Ter {
        let root = self.account_root()?;
        let balance = balance_of(root);
        set_balance(root, balance - fee);
        Ok(())
    }

    fn run(&mut self) -> Ter {
        let kind = transactor(self.tx.kind).ok_or(EngineResult::TEM_DISABLED)?;
        let root = self.view.account(self.tx.account).ok_or(EngineResult::TEF_INTERNAL)?;
        self.balance_before_fee = balance_of(&root);
        self.consume_sequence()?;
        self.pay(self.tx.fee.unwrap_or(0))?;
        if root.contains(fields::ACCOUNT_TXN_ID) {
            let id = self.tx.hash.into();
            self.account_root()?.set(fields::ACCOUNT_TXN_ID, xrpl_protocol::Value::Hash256(id));
        }
        kind.apply(self)
    }

    /// Throws the changes away and takes fee and Sequence only. Returns the fee taken.
    fn reset(&mut self) -> Result<i64, EngineResult> {
        self.view.discard();
        self.delivered = None;
        let root = self.view.account(self.tx.account).ok_or(EngineResult::TEF_INTERNAL)?;
        let fee = self.tx.fee.unwrap_or(0).min(balance_of(&root)).max(0);
        self.pay(fee)?;
        self.consume_sequence()?;
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
    /// Its metadata, when it was applied to a ledger that is being closed.
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
    view: &mut OpenView,
    tx: &Arc<PreparedTx>,
    flags: ApplyFlags,
) -> Attempt {
    match preflight(context, tx) {
        Ok(()) => apply_checked(view, tx, flags),
        Err(result) => Attempt::refused(result),
    }
}

/// Whether a result claims a fee now.
fn claims(result: EngineResult, flags: ApplyFlags) -> bool {
    result.is_claim() && !flags.retry
}

/// Applies a transaction that passed preflight.
pub fn apply_checked(view: &mut OpenView, tx: &Arc<PreparedTx>, flags: ApplyFlags) -> Attempt {
    let preclaimed = preclaim(&PreclaimContext { view: &*view, tx, flags });
    if let Err(result) = preclaimed
        && !claims(result, flags)
    {
        return Attempt::refused(result);
    }
    let open = view.info().open;
    let index = u32::try_from(view.tx_count()).unwrap_or(u32::MAX);
    let mut ctx = ApplyContext {
        view: Sandbox::new(&*view),
        tx,
        flags,
        balance_before_fee: 0,
        delivered: None,
    };
    let mut result = match preclaimed.and_then(|()| ctx.run()) {
        Ok(()) => EngineResult::TES_SUCCESS,
        Err(result) => result,
    };
    if ctx.view.len() > OVERSIZE {
        result = EngineResult::TEC_OVERSIZE;
    }
    let mut fee = tx.fee.unwrap_or(0);
    if result.is_claim() {
        if flags.fail_hard || flags.retry {
            return Attempt::refused(result);
        }
        match ctx.reset() {
            Ok(taken) => fee = taken,
            Err(error) => return Attempt::refused(error),
        }
    } else if !result.is_success() {
        return Attempt::refused(result);
    }
    if !invariants::hold(&ctx.view, fee) {
        result = EngineResult::TEC_INVARIANT_FAILED;
        match ctx.reset() {
            Ok(taken) if invariants::hold(&ctx.view, taken) => fee = taken,
            _ => return Attempt::refused(EngineResult::TEF_INVARIANT_FAILED),
        }
    }
    let recorded =
        (!open).then(|| Recorder::record(&mut ctx.view, tx.hash, result, index, ctx.delivered));
    let writes: Vec<_> = ctx.view.into_writes().collect();
    let metadata = recorded.map(|Recorded { metadata, threaded }| {
        view.write(threaded.into_iter().map(|(key, entry)| (key, Some(entry))));
        metadata
    });
    view.write(writes);
    view.add_transaction(Arc::clone(tx));
    if !open {
        view.burnt += u64::try_from(fee).unwrap_or(0);
    }
    Attempt { result, applied: true, metadata }
}
