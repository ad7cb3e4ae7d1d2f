//! What validated ledgers have of an account.
//!
//! Nodes may lag behind one another: what is read is of a named ledger, so that none answers with an
//! older Sequence than the one that outcomes have shown.

use std::time::Duration;

use tokio::time::Instant;
use xrpl_client::{
    ClientError, EndpointId, Pool,
    request::{AccountInfo, LedgerSpec, ServerState},
    response::AccountData,
};
use xrpl_protocol::{AccountId, LedgerIndex};

/// How long a ledger may take to come to a node that answers.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(250);

/// The newest validated ledger that is known here or to a node.
pub(crate) async fn newest(pool: &Pool, known: LedgerIndex) -> LedgerIndex {
    let mut newest = known;
    for (id, _) in pool.endpoints() {
        if let Ok(answer) = pool.request_to(id, &ServerState {}).await
            && let Some(ledger) = answer.state.validated_ledger
        {
            newest = newest.max(ledger.seq);
        }
    }
    newest
}

/// An account as a validated ledger has it, and the node that said so; none if it has none.
///
/// # Errors
/// No node has the ledger within half a minute.
pub(crate) async fn account(
    pool: &Pool,
    id: AccountId,
    ledger: LedgerIndex,
) -> Result<Option<(EndpointId, AccountData)>, ClientError> {
    let request = AccountInfo {
        account: Some(id),
        ledger_index: Some(LedgerSpec::Index(ledger)),
        ..AccountInfo::default()
    };
    let deadline = Instant::now() + PATIENCE;
    loop {
        match pool.request_of_any(&request).await {
            Ok((node, info)) => return Ok(Some((node, info.account_data))),
            Err(error) if error.is_token("actNotFound") => return Ok(None),
            Err(error) if error.is_token("lgrNotFound") && Instant::now() < deadline => {
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}
