//! What a transaction given as JSON leaves open is asked of the node.

use xrpl_client::{
    Pool,
    request::{AccountInfo, LedgerSpec, ServerState},
};
use xrpl_protocol::{
    AccountId, Amount, Definitions, Drops, Object, Value, fields,
    input::Given,
    keys::KeyPair,
    sign::{SignedTransaction, sign_as},
};

use super::Failure;
use crate::{
    config::Config,
    cost::{Cost, CostError},
};

/// A network whose id is above this wants it named
/// (<https://xrpl.org/docs/references/protocol/transactions/common-fields#networkid-field>).
const NETWORK_ID_LIMIT: u32 = 1024;

/// Refuses addresses of another network.
pub(super) async fn check_network(
    given: &Given,
    pool: &Pool,
    config: &Config,
) -> Result<(), Failure> {
    let network_id = match config.network_id {
        Some(id) => Some(id),
        None => {
            let state = pool.request(&ServerState::default()).await.map_err(Failure::node)?.state;
            state.network_id
        }
    };
    given.check_network(network_id).map_err(Failure::input)
}

/// Fills in what is missing and signs. What is given stays as it is.
pub(super) async fn fill_and_sign(
    given: Given,
    key: &KeyPair,
    pool: &Pool,
    config: &Config,
) -> Result<SignedTransaction, Failure> {
    let state = pool.request(&ServerState::default()).await.map_err(Failure::node)?.state;
    let head = state
        .validated_ledger
        .ok_or_else(|| Failure::Node("the node has no validated ledger yet".into()))?;
    let network_id = config.network_id.or(state.network_id);
    given.check_network(network_id).map_err(Failure::input)?;
    // A regular key signs for another account; without Account it is the key's own.
    let account = given.account().unwrap_or_else(|| key.account_id());
    let mut tx = given.tx;
    tx.set(fields::ACCOUNT, Value::Account(account));
    if !tx.contains(fields::SEQUENCE) {
        let sequence = match tx.contains(fields::TICKET_SEQUENCE) {
            true => 0,
            false => next_sequence(account, pool).await?,
        };
        tx.set(fields::SEQUENCE, Value::UInt32(sequence));
    }
    if !tx.contains(fields::LAST_LEDGER_SEQUENCE) {
        let last = head.seq.0.saturating_add(config.last_ledger_offset);
        tx.set(fields::LAST_LEDGER_SEQUENCE, Value::UInt32(last));
    }
    if let Some(id) = network_id.filter(|id| *id > NETWORK_ID_LIMIT)
        && !tx.contains(fields::NETWORK_ID)
    {
        tx.set(fields::NETWORK_ID, Value::UInt32(id));
    }
    let fee = fee(&tx, pool, config).await?;
    tx.set(fields::FEE, Value::Amount(Amount::xrp(Drops(fee))));
    let definitions = config.definitions.as_deref().unwrap_or_else(|| Definitions::builtin());
    Ok(sign_as(tx, key, definitions))
}

async fn fee(tx: &Object, pool: &Pool, config: &Config) -> Result<u64, Failure> {
    let given = match tx.amount(fields::FEE) {
        None => None,
        Some(Amount::Xrp(drops)) => Some(drops.unsigned_abs()),
        Some(other) => {
            return Err(Failure::Input(format!("Fee: it is paid in drops of XRP, got {other:?}")));
        }
    };
    let cost = Cost::of(tx, pool).await.map_err(Failure::node)?;
    cost.choose(given, config).map_err(|error| match error {
        CostError::Given { .. } => Failure::input(error),
        CostError::Now { .. } => Failure::node(error),
    })
}

async fn next_sequence(account: AccountId, pool: &Pool) -> Result<u32, Failure> {
    let request = AccountInfo {
        account: Some(account),
        ledger_index: Some(LedgerSpec::Current),
        queue: true,
    };
    let info =
        pool.request(&request).await.map_err(|error| match error.is_token("actNotFound") {
            true => Failure::Input(format!("Account: {account} does not exist on this ledger")),
            false => Failure::node(error),
        })?;
    Ok(info.account_data.sequence.0)
}
