//! A ledger while its transactions are executed once more.

use std::sync::Arc;

use xrpl_protocol::{EngineResult, Hash256, LedgerHeader, Object};

use crate::{
    ledger::{ClosedLedger, OpenView, PreparedTx, State, prepared::INNER_BATCH},
    transactors::{
        ApplyFlags, Context, apply_transaction, is_pseudo, transaction_type, transactor,
    },
};

/// What a transaction came to here.
#[derive(Debug)]
pub(super) enum Came {
    /// It cannot be executed here: why.
    NotBuilt(String),
    /// It would not be in the ledger.
    Refused(EngineResult),
    /// It is applied, with this metadata.
    Applied(Box<Object>),
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Building {
    view: OpenView<'static>,
    /// How many transactions were asked for.
    asked: usize,
    /// Which of them was executed last. (Those of a Batch are executed with it.)
    last: usize,
}

impl Building {
    /// The ledger of a header, of which as many transactions as `before` are in `parent` already.
    pub(super) fn after(parent: Arc<ClosedLedger>, header: &LedgerHeader, before: usize) -> Self {
        let view = OpenView::closing(parent, header.close_time_resolution, before);
        Self { view, asked: 0, last: 0 }
    }

    /// Executes the next transaction.
    pub(super) fn next(&mut self, context: &Context, blob: &[u8]) -> Came {
        let at = self.asked;
        self.asked += 1;
        if self.view.applied().len() <= at {
            self.last = at;
            let tx = match prepared(blob) {
                Ok(tx) => tx,
                Err(came) => return came,
            };
            let attempt = apply_transaction(context, &mut self.view, &tx, ApplyFlags::default());
            if !attempt.applied {
                return Came::Refused(attempt.result);
            }
        }
        let metadata = self.view.applied().get(at).and_then(|applied| applied.metadata.clone());
        Came::Applied(Box::new(metadata.unwrap_or_default()))
    }

    /// Which transaction was executed last, counted from the first that was asked for.
    pub(super) fn executed_last(&self) -> usize {
        self.last
    }

    /// How many transactions it has.
    pub(super) fn applied(&self) -> usize {
        self.view.applied().len()
    }

    /// Ids of the entries that it changes.
    pub(super) fn changed(&self) -> Vec<Hash256> {
        self.view.changed().copied().collect()
    }

    /// Writes its changes into a state; the XRP that it burnt, in drops.
    pub(super) fn finish(self, state: &mut State) -> u64 {
        self.view.apply_to(state).1
    }
}

/// A transaction that can be executed here, its signatures checked.
fn prepared(blob: &[u8]) -> Result<Arc<PreparedTx>, Came> {
    let tx = PreparedTx::parse(blob).map_err(|error| {
        Came::NotBuilt(format!("a transaction is unreadable here: {}", error.reason))
    })?;
    if is_pseudo(tx.kind) {
        return Ok(Arc::new(tx));
    }
    if transactor(tx.kind).is_none() {
        let name = transaction_type(tx.kind).map_or("its type", |row| row.name);
        return Err(Came::NotBuilt(format!("{name} is not executed here")));
    }
    // One inside a Batch has no signature of its own; alone it has no place in a ledger.
    if tx.has_flag(INNER_BATCH) || !tx.signatures_match() {
        return Err(Came::Refused(EngineResult::TEM_BAD_SIGNATURE));
    }
    Ok(Arc::new(tx))
}
