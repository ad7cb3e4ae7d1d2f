//! What the methods that sign, submit and simulate `tx_json` check and fill in before they read its
//! fields, in xrpld's order.

use serde_json::{Map, Value as Json};
use xrpl_protocol::{AccountId, Amount, fields, transaction_cost};

use super::{Call, RpcError, convert::text_of, tx_json};
use crate::ledger::{Entry, ReadView};
use crate::node::Node;

/// A network whose id is above this wants it named in every transaction.
pub(super) const NETWORK_ID_LIMIT: u32 = 1024;
const MASTER_DISABLED: u32 = 0x0010_0000;

type Result<T> = std::result::Result<T, RpcError>;

/// The members of `tx_json`.
pub(super) fn given<'a>(call: &'a Call<'_>) -> Result<&'a Map<String, Json>> {
    match call.params.get("tx_json") {
        None => Err(RpcError::missing("tx_json")),
        Some(Json::Object(members)) => Ok(members),
        Some(_) => Err(RpcError::not("tx_json", "object")),
    }
}

/// The account that sends.
pub(super) fn sender(tx: &Map<String, Json>) -> Result<AccountId> {
    if !tx.contains_key("TransactionType") {
        return Err(RpcError::missing("tx_json.TransactionType"));
    }
    let Some(account) = tx.get("Account") else {
        return Err(RpcError::new("srcActMissing", 66, "Missing field 'tx_json.Account'."));
    };
    text_of(account)?.parse().map_err(|_| malformed("tx_json.Account"))
}

fn malformed(field: &str) -> RpcError {
    RpcError::new("srcActMalformed", 65, format!("Invalid field '{field}'."))
}

pub(super) fn source(node: &Node, account: AccountId) -> Result<Entry> {
    let root = node.current().account(account);
    root.ok_or_else(|| RpcError::new("srcActNotFound", 67, "Source account not found."))
}

/// Whether an account may be signed for with a key. One that does not exist is signed for by its
/// master key.
pub(super) fn may_sign(root: Option<&Entry>, account: AccountId, key: AccountId) -> Result<()> {
    let bad = || RpcError::new("badSecret", 43, "Secret does not match account.");
    let is_master = key == account;
    match root {
        Some(root) if is_master => match root.u32(fields::FLAGS).unwrap_or(0) & MASTER_DISABLED {
            0 => Ok(()),
            _ => Err(RpcError::new("masterDisabled", 23, "Master key is disabled.")),
        },
        Some(root) if root.account(fields::REGULAR_KEY) == Some(key) => Ok(()),
        None if is_master => Ok(()),
        _ => Err(bad()),
    }
}

/// Whether the key may sign for who pays: the account, or its delegate.
pub(super) fn check_secret(
    node: &Node,
    tx: &Map<String, Json>,
    account: AccountId,
    key: AccountId,
) -> Result<()> {
    let impersonated = |account| node.current().rules().impersonates(account);
    let Some(delegate) = tx.get("Delegate") else {
        if impersonated(account) {
            return Ok(());
        }
        return may_sign(node.current().account(account).as_ref(), account, key);
    };
    let delegate: AccountId = delegate
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| malformed("tx_json.Delegate"))?;
    let root = node
        .current()
        .account(delegate)
        .ok_or_else(|| RpcError::new("delegateActNotFound", 68, "Delegate account not found."))?;
    match impersonated(delegate) {
        true => Ok(()),
        false => may_sign(Some(&root), delegate, key),
    }
}

/// Sequence, or 0 where a Ticket stands for it.
pub(super) fn fill_sequence(
    node: &Node,
    tx: &mut Map<String, Json>,
    account: AccountId,
) -> Result<()> {
    if tx.contains_key("Sequence") {
        return Ok(());
    }
    let sequence = match tx.contains_key("TicketSequence") {
        true => 0,
        false => node.next_sequence(account, &*source(node, account)?),
    };
    tx.insert("Sequence".into(), sequence.into());
    Ok(())
}

/// NetworkID, where the network wants it named.
pub(super) fn fill_network_id(node: &Node, tx: &mut Map<String, Json>) {
    let id = node.network_id();
    if id > NETWORK_ID_LIMIT && !tx.contains_key("NetworkID") {
        tx.insert("NetworkID".into(), id.to_string().into());
    }
}

/// Fee: what the type costs, and under load what gets in at once, up to the limits that the request
/// sets.
pub(super) fn fill_fee(node: &Node, tx: &mut Map<String, Json>, limit: FeeLimit) -> Result<()> {
    let FeeLimit(times, parts) = limit;
    let figures = node.current().info().fees;
    let least = tx_json::read(tx).map_or(figures.base, |object| {
        transaction_cost::least_fee(
            &object,
            &transaction_cost::FeeFigures {
                base: figures.base,
                reserve: figures.reserve,
                increment: figures.increment,
            },
        )
    });
    // What the queue asks for now.
    let asked = node.queue_metrics().open_ledger_fee().max(least);
    let limit = u128::from(least) * u128::from(times) / u128::from(parts);
    if u128::from(asked) > limit {
        let text = format!("Fee of {asked} exceeds the requested tx limit of {limit}");
        return Err(RpcError::new("highFee", 11, text));
    }
    tx.insert("Fee".into(), asked.to_string().into());
    Ok(())
}

/// How many times what the type costs may be paid: so many, divided by so many.
#[derive(Clone, Copy)]
pub(super) struct FeeLimit(u32, u32);

impl Default for FeeLimit {
    fn default() -> Self {
        Self(10, 1)
    }
}

impl FeeLimit {
    /// `fee_mult_max` and `fee_div_max`.
    pub(super) fn of(call: &Call<'_>) -> Result<Self> {
        let Self(times, parts) = Self::default();
        Ok(Self(factor(call, "fee_mult_max", times, 0)?, factor(call, "fee_div_max", parts, 1)?))
    }
}

fn factor(call: &Call<'_>, key: &str, default: u32, least: i32) -> Result<u32> {
    let text = format!("Invalid field '{key}', not a positive integer.");
    match call.params.get(key) {
        None => Ok(default),
        Some(json) => match json.as_i64().and_then(|n| i32::try_from(n).ok()) {
            None => Err(RpcError::new("highFee", 11, text)),
            Some(n) if n < least => Err(RpcError::invalid(text)),
            Some(n) => Ok(n.unsigned_abs()),
        },
    }
}

/// What is asked of a Payment alone. `DeliverMax` becomes `Amount`.
pub(super) fn check_payment(
    call: &Call<'_>,
    tx: &mut Map<String, Json>,
    may_build_path: bool,
) -> Result<()> {
    if text_of(&tx["TransactionType"])? != "Payment" {
        return Ok(());
    }
    if let Some(most) = tx.remove("DeliverMax") {
        match tx.get("Amount") {
            Some(amount) if *amount != most => {
                return Err(RpcError::invalid(
                    "Cannot specify differing 'Amount' and 'DeliverMax'",
                ));
            }
            _ => drop(tx.insert("Amount".into(), most)),
        }
    }
    let amount = tx.get("Amount").ok_or_else(|| RpcError::missing("tx_json.Amount"))?;
    let amount =
        tx_json::amount(amount).ok_or_else(|| RpcError::invalid_field("tx_json.Amount"))?;
    let destination =
        tx.get("Destination").ok_or_else(|| RpcError::missing("tx_json.Destination"))?;
    if text_of(destination)?.parse::<AccountId>().is_err() {
        return Err(RpcError::invalid_field("tx_json.Destination"));
    }
    let builds = call.params.contains_key("build_path");
    if builds && (!may_build_path || matches!(amount, Amount::Mpt { .. })) {
        return Err(RpcError::invalid("Field 'build_path' not allowed in this context."));
    }
    let has_paths = tx.contains_key("Paths");
    if builds && has_paths {
        return Err(RpcError::invalid("Cannot specify both 'tx_json.Paths' and 'build_path'"));
    }
    if let Some(domain) = tx.get("DomainID")
        && domain.as_str().is_none_or(|text| text.parse::<xrpl_protocol::Hash256>().is_err())
    {
        return Err(RpcError::new("domainMalformed", 97, "Unable to parse 'DomainID'."));
    }
    if builds {
        let most = match tx.get("SendMax") {
            None => amount,
            Some(json) => {
                tx_json::amount(json).ok_or_else(|| RpcError::invalid_field("tx_json.SendMax"))?
            }
        };
        if most.drops().is_some() && amount.drops().is_some() {
            return Err(RpcError::invalid("Cannot build XRP to XRP paths."));
        }
        return Err(RpcError::new("notImpl", 74, "Not implemented."));
    }
    Ok(())
}
