//! Reads the few members of a stream message that the tracker needs.
//!
//! Metadata makes up most of a message and none of it is needed but `TransactionResult`. So a
//! forward scan hops from quote to quote, allocates nothing and stops at nothing else. It handles
//! members in any order, white space and both API shapes; what is legal JSON but unusual (an escape
//! in a name or in a wanted value, a repeated member, a number in another notation) is read again
//! with a whole JSON parser, so that the answer never depends on which of the two read it.

use std::borrow::Cow;

use memchr::memchr;
use serde_json::Value as Json;
use xrpl_protocol::{Drops, Hash256, LedgerIndex, TxHash, transaction::Slot};

use xrpl_protocol::Sequence;

/// A message that matters to the tracker.
#[derive(Clone, Debug, PartialEq)]
pub enum Message<'a> {
    /// A transaction in a validated ledger.
    Validated(ValidatedTransaction<'a>),
    /// A ledger was validated.
    LedgerClosed(LedgerClosed),
    /// Anything else, by its `type`.
    Other(Cow<'a, str>),
}

/// A transaction in a validated ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidatedTransaction<'a> {
    /// Its hash.
    pub hash: TxHash,
    /// The ledger.
    pub ledger_index: LedgerIndex,
    /// The ledger's hash, if said.
    pub ledger_hash: Option<Hash256>,
    /// `meta.TransactionResult`.
    pub result: Cow<'a, str>,
    /// Whose it is; the address as written.
    pub account: Option<Cow<'a, str>>,
    /// Its Sequence or Ticket.
    pub slot: Option<Slot>,
    /// The metadata as written (by the whole parser: written anew).
    pub meta: Cow<'a, str>,
}

/// A validated ledger as the ledger stream reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerClosed {
    /// Its index.
    pub index: LedgerIndex,
    /// Its hash.
    pub hash: Hash256,
    /// How many transactions it has; not said in the answer to `subscribe`.
    pub txn_count: Option<u32>,
    /// Cost of a reference transaction.
    pub base_fee: Drops,
    /// Reserve of an account.
    pub reserve_base: Drops,
    /// Reserve of each owned object.
    pub reserve_inc: Drops,
    /// Seconds since 2000-01-01 00:00 UTC.
    pub close_time: u32,
    /// The network.
    pub network_id: Option<u32>,
}

/// Why a message cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unreadable event{}: {what}", hash.map(|h| format!(" of transaction {h}")).unwrap_or_default())]
pub struct BadMessage {
    /// The transaction it is about, where that could be read.
    pub hash: Option<TxHash>,
    /// What is wrong.
    pub what: &'static str,
}

/// Reads a message.
///
/// # Errors
/// It is no JSON object, or lacks what its type must have.
pub fn read(text: &str) -> Result<Message<'_>, BadMessage> {
    match scan(text) {
        Some(found) => found.finish(),
        None => read_whole(text),
    }
}

/// The members found, each at most once.
#[derive(Default)]
struct Found<'a> {
    kind: Option<&'a str>,
    hash: Option<&'a str>,
    tx_hash: Option<&'a str>,
    ledger_hash: Option<&'a str>,
    ledger_index: Option<u64>,
    validated: Option<bool>,
    meta: Option<&'a str>,
    result: Option<&'a str>,
    transaction: bool,
    account: Option<&'a str>,
    sequence: Option<u64>,
    ticket: Option<u64>,
    txn_count: Option<u64>,
    fee_base: Option<u64>,
    reserve_base: Option<u64>,
    reserve_inc: Option<u64>,
    ledger_time: Option<u64>,
    network_id: Option<u64>,
}

impl<'a> Found<'a> {
    fn finish(self) -> Result<Message<'a>, BadMessage> {
        match self.kind {
            Some("transaction") if self.validated == Some(true) => finish_transaction(Parts {
                hash: self.hash.or(self.tx_hash).map(Cow::Borrowed),
                ledger_index: self.ledger_index,
                ledger_hash: self.ledger_hash.map(Cow::Borrowed),
                result: self.result.map(Cow::Borrowed),
                account: self.account.map(Cow::Borrowed),
                sequence: self.sequence,
                ticket: self.ticket,
                meta: self.meta.map(Cow::Borrowed),
            }),
            Some("ledgerClosed") => Ok(Message::LedgerClosed(finish_ledger(
                self.ledger_index,
                self.ledger_hash,
                &Numbers {
                    txn_count: self.txn_count,
                    fee_base: self.fee_base,
                    reserve_base: self.reserve_base,
                    reserve_inc: self.reserve_inc,
                    ledger_time: self.ledger_time,
                    network_id: self.network_id,
                },
            )?)),
            Some(other) => Ok(Message::Other(Cow::Borrowed(other))),
            None => Err(BadMessage { hash: None, what: "it has no type" }),
        }
    }
}

struct Parts<'a> {
    hash: Option<Cow<'a, str>>,
    ledger_index: Option<u64>,
    ledger_hash: Option<Cow<'a, str>>,
    result: Option<Cow<'a, str>>,
    account: Option<Cow<'a, str>>,
    sequence: Option<u64>,
    ticket: Option<u64>,
    meta: Option<Cow<'a, str>>,
}

fn finish_transaction(parts: Parts<'_>) -> Result<Message<'_>, BadMessage> {
    let hash: Option<TxHash> = parts.hash.and_then(|text| text.parse().ok());
    let bad = |what| BadMessage { hash, what };
    let Some(known) = hash else { return Err(bad("it has no hash")) };
    let ledger_hash = match parts.ledger_hash {
        Some(text) => Some(text.parse().map_err(|_| bad("ledger_hash is no hash"))?),
        None => None,
    };
    Ok(Message::Validated(ValidatedTransaction {
        hash: known,
        ledger_index: small(parts.ledger_index)
            .map(LedgerIndex)
            .ok_or(bad("it has no ledger_index"))?,
        ledger_hash,
        result: parts.result.ok_or(bad("it has no meta.TransactionResult"))?,
        account: parts.account,
        slot: slot(parts.sequence, parts.ticket),
        meta: parts.meta.ok_or(bad("it has no meta"))?,
    }))
}

/// With a Ticket, Sequence is 0.
pub(crate) fn slot(sequence: Option<u64>, ticket: Option<u64>) -> Option<Slot> {
    match (small(ticket), small(sequence)) {
        (Some(ticket), _) => Some(Slot::Ticket(Sequence(ticket))),
        (None, Some(sequence)) => Some(Slot::Sequence(Sequence(sequence))),
        (None, None) => None,
    }
}

fn small(n: Option<u64>) -> Option<u32> {
    n.and_then(|n| u32::try_from(n).ok())
}

struct Numbers {
    txn_count: Option<u64>,
    fee_base: Option<u64>,
    reserve_base: Option<u64>,
    reserve_inc: Option<u64>,
    ledger_time: Option<u64>,
    network_id: Option<u64>,
}

fn finish_ledger(
    index: Option<u64>,
    hash: Option<&str>,
    numbers: &Numbers,
) -> Result<LedgerClosed, BadMessage> {
    let bad = |what| BadMessage { hash: None, what };
    Ok(LedgerClosed {
        index: small(index).map(LedgerIndex).ok_or(bad("it has no ledger_index"))?,
        hash: hash.and_then(|h| h.parse().ok()).ok_or(bad("it has no ledger_hash"))?,
        txn_count: small(numbers.txn_count),
        base_fee: Drops(numbers.fee_base.unwrap_or_default()),
        reserve_base: Drops(numbers.reserve_base.unwrap_or_default()),
        reserve_inc: Drops(numbers.reserve_inc.unwrap_or_default()),
        close_time: small(numbers.ledger_time).unwrap_or_default(),
        network_id: small(numbers.network_id),
    })
}

/// The answer to `subscribe`, where it tells the newest validated ledger.
#[must_use]
pub fn ledger_of_subscription(answer: &Json) -> Option<LedgerClosed> {
    whole_ledger(answer).ok()
}

fn whole_ledger(json: &Json) -> Result<LedgerClosed, BadMessage> {
    let n = |name: &str| number(json.get(name));
    finish_ledger(
        n("ledger_index"),
        json.get("ledger_hash").and_then(Json::as_str),
        &Numbers {
            txn_count: n("txn_count"),
            fee_base: n("fee_base"),
            reserve_base: n("reserve_base"),
            reserve_inc: n("reserve_inc"),
            ledger_time: n("ledger_time"),
            network_id: n("network_id"),
        },
    )
}

fn number(json: Option<&Json>) -> Option<u64> {
    match json? {
        Json::String(text) => text.parse().ok(),
        other => other.as_u64(),
    }
}

/// Reads with a whole JSON parser.
fn read_whole(text: &str) -> Result<Message<'static>, BadMessage> {
    let json: Json =
        serde_json::from_str(text).map_err(|_| BadMessage { hash: None, what: "it is no JSON" })?;
    let text_of = |json: &Json, name: &str| {
        json.get(name).and_then(Json::as_str).map(|s| s.to_owned().into())
    };
    match json.get("type").and_then(Json::as_str) {
        Some("transaction") if json.get("validated").and_then(Json::as_bool) == Some(true) => {
            let none = Json::Null;
            let tx = json.get("tx_json").or_else(|| json.get("transaction")).unwrap_or(&none);
            let meta = json.get("meta").filter(|meta| meta.is_object());
            finish_transaction(Parts {
                hash: text_of(&json, "hash").or_else(|| text_of(tx, "hash")),
                ledger_index: number(json.get("ledger_index")),
                ledger_hash: text_of(&json, "ledger_hash"),
                result: meta.and_then(|meta| text_of(meta, "TransactionResult")),
                account: text_of(tx, "Account"),
                sequence: number(tx.get("Sequence")),
                ticket: number(tx.get("TicketSequence")),
                meta: meta.map(|meta| meta.to_string().into()),
            })
        }
        Some("ledgerClosed") => whole_ledger(&json).map(Message::LedgerClosed),
        Some(other) => Ok(Message::Other(other.to_owned().into())),
        None => Err(BadMessage { hash: None, what: "it has no type" }),
    }
}

/// Hops through the text; none where anything is unusual.
fn scan(text: &str) -> Option<Found<'_>> {
    let mut cursor = Cursor { text, bytes: text.as_bytes(), at: 0 };
    let mut found = Found::default();
    cursor.members(|cursor, name| {
        match name {
            "type" => once(&mut found.kind, cursor.text_value()?),
            "hash" => once(&mut found.hash, cursor.text_value()?),
            "ledger_hash" => once(&mut found.ledger_hash, cursor.text_value()?),
            "ledger_index" => once(&mut found.ledger_index, cursor.number()?),
            "validated" => once(&mut found.validated, cursor.truth()?),
            "txn_count" => once(&mut found.txn_count, cursor.number()?),
            "fee_base" => once(&mut found.fee_base, cursor.number()?),
            "reserve_base" => once(&mut found.reserve_base, cursor.number()?),
            "reserve_inc" => once(&mut found.reserve_inc, cursor.number()?),
            "ledger_time" => once(&mut found.ledger_time, cursor.number()?),
            "network_id" => once(&mut found.network_id, cursor.number()?),
            "meta" => {
                let start = cursor.at;
                cursor.members(|cursor, name| match name {
                    "TransactionResult" => once(&mut found.result, cursor.text_value()?),
                    _ => cursor.skip(),
                })?;
                let meta = text.get(start..cursor.at)?;
                once(&mut found.meta, meta)
            }
            "transaction" | "tx_json" => {
                // Both at once would be unusual.
                if std::mem::replace(&mut found.transaction, true) {
                    return None;
                }
                cursor.members(|cursor, name| match name {
                    "Account" => once(&mut found.account, cursor.text_value()?),
                    "Sequence" => once(&mut found.sequence, cursor.number()?),
                    "TicketSequence" => once(&mut found.ticket, cursor.number()?),
                    "hash" => once(&mut found.tx_hash, cursor.text_value()?),
                    _ => cursor.skip(),
                })
            }
            _ => cursor.skip(),
        }
    })?;
    cursor.blanks();
    (cursor.at == cursor.bytes.len()).then_some(found)
}

fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

struct Cursor<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Calls back at each member's value; the callback must move past it.
    #[inline]
    fn members(&mut self, mut member: impl FnMut(&mut Self, &'a str) -> Option<()>) -> Option<()> {
        self.eat(b'{')?;
        self.blanks();
        if self.eat(b'}').is_some() {
            return Some(());
        }
        loop {
            let name = self.text_value()?;
            self.blanks();
            self.eat(b':')?;
            self.blanks();
            member(self, name)?;
            self.blanks();
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
            self.blanks();
        }
    }

    /// A string without escapes.
    #[inline]
    fn text_value(&mut self) -> Option<&'a str> {
        self.eat(b'"')?;
        let start = self.at;
        let length = memchr(b'"', &self.bytes[start..])?;
        self.at = start + length + 1;
        let text = self.text.get(start..start + length)?;
        // A backslash anywhere: an escape, or the quote found is one.
        (!text.as_bytes().contains(&b'\\')).then_some(text)
    }

    fn number(&mut self) -> Option<u64> {
        let start = self.at;
        let mut n: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            n = n.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
            self.at += 1;
        }
        let plain = matches!(self.peek()?, b',' | b'}' | b' ' | b'\n' | b'\r' | b'\t');
        let leading_zero = self.bytes[start] == b'0' && self.at > start + 1;
        (self.at > start && plain && !leading_zero).then_some(n)
    }

    fn truth(&mut self) -> Option<bool> {
        let rest = &self.bytes[self.at..];
        let value = rest.starts_with(b"true");
        if !value && !rest.starts_with(b"false") {
            return None;
        }
        self.at += if value { 4 } else { 5 };
        Some(value)
    }

    /// Moves past the closing quote of a string whose opening quote was just passed.
    #[inline]
    fn skip_text(&mut self) -> Option<()> {
        loop {
            let end = self.at + memchr(b'"', self.bytes.get(self.at..)?)?;
            self.at = end + 1;
            if self.bytes[end - 1] != b'\\' {
                return Some(());
            }
            // Escaped only if an odd number of backslashes stands before it.
            let before = self.bytes[..end].iter().rev().take_while(|b| **b == b'\\').count();
            if before % 2 == 0 {
                return Some(());
            }
        }
    }

    /// Moves past any value.
    #[inline]
    fn skip(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => {
                self.at += 1;
                self.skip_text()
            }
            b'{' | b'[' => self.skip_nested(),
            _ => {
                while !matches!(self.peek()?, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t') {
                    self.at += 1;
                }
                Some(())
            }
        }
    }

    fn skip_nested(&mut self) -> Option<()> {
        let mut depth = 0u32;
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'"' => self.skip_text()?,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(());
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
