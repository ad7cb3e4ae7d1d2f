//! A run's ledgers, read from nodes: each with the proof that no transaction was left out of it.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use xrpl_client::{EndpointId, Pool, WholeLedger, request::BinaryLedger, whole_ledger::NotWhole};
use xrpl_protocol::{
    AccountId, Amount, Definitions, EngineResult, Hash256, LedgerHeader, LedgerIndex, Object,
    TxHash, decode::DecodeError, fields,
};
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
    pub(super) ledger_hash: Hash256,
    /// None of a result that has no name here: the node is newer.
    pub(super) result: Option<&'static str>,
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
    let mut before: Option<LedgerHeader> = None;
    let (mut same, mut others) = (0, Vec::new());
    for index in first..=last {
        let noted = store.ledger_hash(LedgerIndex(index)).await?;
        let parent = before.as_ref().filter(|before| before.index + 1 == index);
        let wanted = Wanted { index, parent: parent.map(|before| before.hash), hash: noted };
        let answer = match index <= nodes.newest {
            true => ledger(pool, &nodes.ids, wanted).await,
            false => Ok(None),
        };
        let failed = |cause| AuditError::Ledger { index, first, last, cause };
        let Some(answer) = answer.map_err(failed)? else {
            seen.unseen.push(index);
            continue;
        };
        let WholeLedger { header, transactions } = answer;
        if !wanted.follows(&header) {
            return Err(AuditError::Chain(index));
        }
        match noted {
            Some(noted) if noted != header.hash => others.push((index, header.hash, noted)),
            noted => same += usize::from(noted.is_some()),
        }
        for tx in &transactions {
            // What cannot be read at all was not made by this program.
            let Ok(object) = Object::decode_any(&tx.blob) else { continue };
            if let Some(account) = object.account(fields::ACCOUNT).filter(|id| ours.contains(id)) {
                let found = told(&object, &tx.metadata, account, &header)
                    .map_err(|error| failed(format!("metadata of {}: {error}", tx.hash)))?;
                seen.found.insert(tx.hash, found);
            }
        }
        before = Some(header);
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
    tx: &Object,
    metadata: &[u8],
    account: AccountId,
    header: &LedgerHeader,
) -> Result<Found, DecodeError> {
    let metadata = Object::decode_any(metadata)?;
    let code = metadata.u8(fields::TRANSACTION_RESULT);
    let fee = match tx.amount(fields::FEE) {
        Some(Amount::Xrp(drops)) => drops.unsigned_abs(),
        _ => 0,
    };
    let number = |field| tx.u32(field);
    let kind = tx.u16(fields::TRANSACTION_TYPE);
    Ok(Found {
        ledger: LedgerIndex(header.index),
        ledger_hash: header.hash,
        result: code.and_then(|code| EngineResult::from_code(code.into())).map(EngineResult::name),
        account,
        slot: number(fields::TICKET_SEQUENCE)
            .map_or((false, number(fields::SEQUENCE).unwrap_or(0)), |ticket| (true, ticket)),
        fee,
        tickets: number(fields::TICKET_COUNT).unwrap_or(0),
        deletes: kind.is_some() && kind == Definitions::builtin().transaction_type("AccountDelete"),
    })
}

/// A ledger that is wanted, and what is known of it.
#[derive(Clone, Copy)]
struct Wanted {
    index: u32,
    /// The hash of the one before it.
    parent: Option<Hash256>,
    /// The hash that the store noted.
    hash: Option<Hash256>,
}

impl Wanted {
    /// Whether it comes after the ledger before it.
    fn follows(&self, header: &LedgerHeader) -> bool {
        self.parent.is_none_or(|parent| parent == header.parent_hash)
    }
}

/// A validated ledger with its transactions; none if no node has it. Nodes may part from the others
/// after the ledger by which they were chosen: where they have different ones it is the one that the
/// store noted, or else one that comes after the ledger before.
async fn ledger(
    pool: &Pool,
    nodes: &[EndpointId],
    wanted: Wanted,
) -> Result<Option<WholeLedger>, String> {
    let index = LedgerIndex(wanted.index);
    let request = BinaryLedger::with_transactions(index);
    let mut tries = 0;
    loop {
        let (mut cause, mut found) = (None, None::<WholeLedger>);
        // Nodes keep different histories.
        for node in nodes {
            match pool.request_to(*node, &request).await {
                Ok(answer) => match answer.whole(index) {
                    Ok(ledger) => {
                        let follows = wanted.follows(&ledger.header);
                        if follows && wanted.hash.is_none_or(|hash| hash == ledger.header.hash) {
                            return Ok(Some(ledger));
                        }
                        if found.as_ref().is_none_or(|found| !wanted.follows(&found.header)) {
                            found = Some(ledger);
                        }
                    }
                    Err(NotWhole::NotValidated) => {}
                    Err(why) => cause = Some(format!("{}: {why}", pool.name(*node))),
                },
                Err(error) if NOT_KEPT.iter().any(|token| error.is_token(token)) => {}
                Err(error) => cause = Some(error.to_string()),
            }
        }
        tries += 1;
        match (cause, found) {
            // It may only be busy: whether it has the ledger is not known yet.
            (Some(_), _) if tries < TRIES => tokio::time::sleep(LOOK).await,
            (Some(cause), None) => return Err(cause),
            (_, found) => return Ok(found),
        }
    }
}
