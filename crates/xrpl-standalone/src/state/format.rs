//! The binary form of [`Saved`].
//!
//! | bytes | |
//! |---|---|
//! | 12 | `XRPLSTATE`, 0, and the version of the format in two bytes |
//! | 4, 4, 4, 4 | network id, clock, how far it is ahead, time of day |
//! | 4 | number of ledgers |
//! | | each ledger: header (118 bytes); changed entries; transactions |
//! | | transactions in no closed ledger |
//! | 32 | SHA-512Half of all before |
//!
//! Numbers are big-endian; lists begin with their length in four bytes, blobs too. Of the first
//! ledger every entry is there, of each other one what changed: what it shares with the one before
//! is written once. The lists of ledger hashes follow from the headers and are left out of changes.
//! Whether all is right is told by the ledgers' own hashes, which are computed and compared.

use std::sync::Arc;

use xrpl_protocol::{
    Definitions, Hash256, LedgerHeader, Object, hash::sha512_half, ledger_header::ENCODED_LENGTH,
    object_id,
};

use super::Saved;
use crate::ledger::{
    ClosedLedger, LedgerTransaction, PreparedTx, ShaMap, State,
    skip_list::{is_skip_list, update_skip_lists},
};

/// Version of the format that is written; the only one that is read.
pub const VERSION: u16 = 2;

const MAGIC: &[u8; 10] = b"XRPLSTATE\0";
const HASH: usize = 32;

/// Why bytes are no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Not this format.
    #[error("this is no ledger state (it does not begin as one)")]
    Foreign,
    /// Another version of it.
    #[error("its format has version {0}, and this program reads version {VERSION}")]
    Version(u16),
    /// The hash of all bytes does not match.
    #[error("it is damaged: its bytes do not have the hash that they should have")]
    Damaged,
    /// It is whole and makes no sense.
    #[error("it is inconsistent: {0}")]
    Inconsistent(String),
}

fn put_blob(out: &mut Vec<u8>, blob: &[u8]) {
    put_count(out, blob.len());
    out.extend_from_slice(blob);
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    // Lists and blobs beyond four billion do not fit into memory either.
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
}

/// Writes a state.
#[must_use]
pub fn encode(saved: &Saved) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&VERSION.to_be_bytes());
    for number in [saved.network_id, saved.clock, saved.clock_ahead, saved.time_of_day] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    put_count(&mut out, saved.ledgers.len());
    let mut before = ShaMap::default();
    for (n, ledger) in saved.ledgers.iter().enumerate() {
        out.extend_from_slice(&ledger.header.encode());
        let mut changes = before.changes_to(ledger.state.tree());
        if n > 0 {
            changes.retain(|(key, _)| !is_skip_list(key, ledger.header.index));
        }
        put_count(&mut out, changes.len());
        for (key, entry) in changes {
            out.extend_from_slice(&key.0);
            // No entry is empty.
            put_blob(&mut out, &entry.map(|entry| entry.encode()).unwrap_or_default());
        }
        put_count(&mut out, ledger.transactions.len());
        for tx in &ledger.transactions {
            put_blob(&mut out, &tx.blob);
            put_blob(&mut out, &tx.metadata_blob);
        }
        before = ledger.state.tree().clone();
    }
    put_count(&mut out, saved.pending.len());
    for tx in &saved.pending {
        put_blob(&mut out, &tx.blob);
    }
    let hash = sha512_half(&[&out]);
    out.extend_from_slice(&hash.0);
    out
}

/// What is left to be read.
struct Reader<'a>(&'a [u8]);

fn inconsistent(what: impl Into<String>) -> FormatError {
    FormatError::Inconsistent(what.into())
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], FormatError> {
        let (taken, rest) =
            self.0.split_at_checked(length).ok_or_else(|| inconsistent("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        self.take(N)?.try_into().map_err(|_| inconsistent("it ends too early"))
    }

    fn number(&mut self) -> Result<u32, FormatError> {
        self.array().map(u32::from_be_bytes)
    }

    fn blob(&mut self) -> Result<&'a [u8], FormatError> {
        let length = self.number()?;
        self.take(length as usize)
    }
}

/// Reads a state and checks every hash in it.
///
/// # Errors
/// [`FormatError`].
pub fn decode(bytes: &[u8]) -> Result<Saved, FormatError> {
    let mut read = Reader(bytes);
    if read.take(MAGIC.len()) != Ok(MAGIC) {
        return Err(FormatError::Foreign);
    }
    let version = u16::from_be_bytes(read.array()?);
    if version != VERSION {
        return Err(FormatError::Version(version));
    }
    let whole = bytes.len().checked_sub(HASH).and_then(|at| bytes.split_at_checked(at));
    let (body, hash) = whole.ok_or(FormatError::Damaged)?;
    if sha512_half(&[body]).0 != *hash {
        return Err(FormatError::Damaged);
    }
    read.0 = &read.0[..read.0.len().saturating_sub(HASH)];
    let (network_id, clock) = (read.number()?, read.number()?);
    let (clock_ahead, time_of_day) = (read.number()?, read.number()?);
    let count = read.number()?;
    let mut ledgers: Vec<Arc<ClosedLedger>> = Vec::new();
    for _ in 0..count {
        let ledger = ledger(&mut read, ledgers.last().map(|ledger| &**ledger))?;
        ledgers.push(Arc::new(ledger));
    }
    if ledgers.is_empty() {
        return Err(inconsistent("it has no ledger"));
    }
    let pending =
        (0..read.number()?).map(|_| transaction(read.blob()?)).collect::<Result<_, _>>()?;
    match read.0 {
        [] => Ok(Saved { network_id, clock, clock_ahead, time_of_day, ledgers, pending }),
        _ => Err(inconsistent("it goes on after its end")),
    }
}

fn transaction(blob: &[u8]) -> Result<Arc<PreparedTx>, FormatError> {
    let tx = PreparedTx::parse(blob);
    tx.map(Arc::new).map_err(|error| inconsistent(format!("a transaction cannot be read: {error}")))
}

fn ledger(
    read: &mut Reader<'_>,
    before: Option<&ClosedLedger>,
) -> Result<ClosedLedger, FormatError> {
    let header = LedgerHeader::decode(&read.array::<ENCODED_LENGTH>()?);
    let wrong = |what: &str| inconsistent(format!("ledger {} {what}", header.index));
    let mut state = match before {
        None => State::default(),
        Some(before) => {
            if header.parent_hash != before.header.hash {
                return Err(wrong("does not follow the one before it"));
            }
            let mut state = before.state.clone();
            update_skip_lists(&mut state, header.index, header.parent_hash);
            state
        }
    };
    for _ in 0..read.number()? {
        let key = Hash256(read.array()?);
        match read.blob()? {
            [] => {
                state.remove(&key);
            }
            blob => {
                let entry = Object::decode(blob, Definitions::builtin());
                let entry = entry.map_err(|error| wrong(&format!("has an entry: {error}")))?;
                state.insert(key, Arc::new(entry));
            }
        }
    }
    let mut transactions = Vec::new();
    for index in 0..read.number()? {
        let tx = transaction(read.blob()?)?;
        let metadata = Object::decode(read.blob()?, Definitions::builtin());
        let metadata = metadata.map_err(|error| wrong(&format!("has metadata: {error}")))?;
        transactions.push(Arc::new(LedgerTransaction::of_metadata(tx, metadata, index)));
    }
    if state.get(&object_id::fees()).is_none() {
        return Err(wrong("has no fees"));
    }
    ClosedLedger::restored(header.clone(), state, transactions, before)
        .map_err(|what| wrong(&format!("does not have the {what} that its header tells")))
}
