//! A run's ledgers, read from nodes.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use xrpl_client::{
    EndpointId, Pool,
    request::{Ledger, LedgerSpec},
    response::{self, LedgerTransaction, transaction_result},
};
use xrpl_protocol::{AccountId, Hash256, LedgerIndex, TxHash};
use xrpl_tracker::RunStore;

use super::{
    AuditError,
    nodes::Nodes,
    report::{Problem, Unseen},
};

/// How long until nodes are asked again.
const LOOK: Duration = Duration::from_millis(500);
/// How often a ledger is asked for when the node can say neither that it has it nor that it has not.
const TRIES: u32 = 5;
/// What xrpld answers when it does not keep a ledger (https://xrpl.org/ledger.html).
const NOT_KEPT: [&str; 2] = ["lgrNotFound", "lgrIdxInvalid"];

/// A transaction of ours in a ledger.
pub(super) struct Found {
    pub(super) ledger: LedgerIndex,
    pub(super) ledger_hash: Option<Hash256>,
    pub(super) result: String,
    pub(super) account: AccountId,
    pub(super) slot: (bool, u32),
    pub(super) fee: u64,
    pub(super) tickets: u32,
    /// Whether it deletes its account, if it succeeds.
    pub(super) deletes: bool,
}

/// What a run's ledgers hold.
#[derive(Default)]
pub(super) struct Seen {
    /// Transactions of the run's accounts.
    pub(super) found: HashMap<TxHash, Found>,
    /// Ledgers that the store noted with another hash.
    pub(super) other_hashes: Vec<Problem>,
    /// Ledgers that could not be seen.
    pub(super) unseen: Unseen,
}

/// Reads the ledgers of a range from these nodes.
pub(super) async fn read(
    pool: &Pool,
    store: &dyn RunStore,
    ours: &HashSet<AccountId>,
    (first, last): (u32, u32),
    nodes: &Nodes,
) -> Result<Seen, AuditError> {
    let mut seen = Seen::default();
    let mut before: Option<(u32, Option<Hash256>)> = None;
    let (mut same, mut others) = (0, Vec::new());
    for index in first..=last {
        let answer = match index <= nodes.newest {
            true => ledger(pool, &nodes.ids, index).await,
            false => Ok(None),
        };
        let failed = |cause| AuditError::Ledger { index, first, last, cause };
        let Some(answer) = answer.map_err(failed)? else {
            seen.unseen.push(index);
            continue;
        };
        if let Some((at, hash)) = before
            && at + 1 == index
            && answer.ledger.parent_hash != hash
        {
            return Err(AuditError::Chain(index));
        }
        before = Some((index, answer.ledger_hash));
        let noted = store.ledger_hash(LedgerIndex(index)).await?;
        match (noted, answer.ledger_hash) {
            (Some(store), Some(node)) if store != node => others.push((index, node, store)),
            (noted, _) => same += usize::from(noted.is_some()),
        }
        for tx in &answer.ledger.transactions {
            if let Some(account) = tx.account.filter(|account| ours.contains(account)) {
                seen.found.insert(tx.hash, told(tx, account, index, answer.ledger_hash));
            }
        }
    }
    if let Some((index, node, store)) = others.first().copied().filter(|_| others.len() > same) {
        return Err(AuditError::OtherLedger { index, node, store });
    }
    let others = others.into_iter().map(|(index, node, store)| Problem::OtherHash {
        ledger: LedgerIndex(index),
        node,
        store,
    });
    seen.other_hashes = others.collect();
    Ok(seen)
}

fn told(
    tx: &LedgerTransaction,
    account: AccountId,
    index: u32,
    ledger_hash: Option<Hash256>,
) -> Found {
    let result = tx.meta.as_deref().and_then(transaction_result);
    Found {
        ledger: LedgerIndex(index),
        ledger_hash,
        result: result.unwrap_or_default(),
        account,
        slot: tx.ticket.map_or((false, tx.sequence), |ticket| (true, ticket)),
        fee: tx.fee.unwrap_or_default().0,
        tickets: tx.ticket_count.unwrap_or(0),
        deletes: tx.transaction_type.as_deref() == Some("AccountDelete"),
    }
}

/// A validated ledger with its transactions; none if no node has it.
async fn ledger(
    pool: &Pool,
    nodes: &[EndpointId],
    index: u32,
) -> Result<Option<response::Ledger>, String> {
    let request = Ledger {
        ledger_index: Some(LedgerSpec::Index(LedgerIndex(index))),
        transactions: true,
        expand: true,
    };
    let mut tries = 0;
    loop {
        let mut cause = None;
        // Nodes keep different histories.
        for node in nodes {
            match pool.request_to(*node, &request).await {
                Ok(answer) if answer.validated => return Ok(Some(answer)),
                Ok(_) => {}
                Err(error) if NOT_KEPT.iter().any(|token| error.is_token(token)) => {}
                Err(error) => cause = Some(error.to_string()),
            }
        }
        tries += 1;
        match cause {
            None => return Ok(None),
            // It may only be busy: whether it has the ledger is not known yet.
            Some(_) if tries < TRIES => tokio::time::sleep(LOOK).await,
            Some(cause) => return Err(cause),
        }
    }
}
