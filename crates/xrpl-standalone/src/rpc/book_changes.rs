//! What a ledger changed in the order books: the method and the stream `book_changes`.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{
    Amount, Field, Hash256, Issue, Object, amount_math::NO_ISSUE, fields, issued_value::ValueError,
    ledger_header::LedgerHeader,
};

use super::{Answer, Call, Looked, object, order_book::number};
use crate::ledger::{ClosedLedger, ReadView, entry_type};

const OFFER_CREATE: u16 = 7;
const OFFER_CANCEL: u16 = 8;

/// What was exchanged in a market, and at which rates.
struct Tally {
    a: Amount,
    b: Amount,
    high: Amount,
    low: Amount,
    open: Amount,
    close: Amount,
    domain: Option<Hash256>,
}

/// What was taken of an offer: of what it gives, of what it asks for.
struct Taken {
    gets: Amount,
    pays: Amount,
    domain: Option<Hash256>,
}

pub(super) fn book_changes(call: &Call<'_>) -> Answer {
    let node = call.shared.node();
    Ok(match call.ledger(&node)? {
        Looked::Closed(ledger) => book_changes_of(&ledger),
        // Nothing has changed in the open ledger yet; it goes by the hash of the one below it.
        Looked::Open(open) => shown(
            Vec::new(),
            &LedgerHeader { index: open.info().index, ..node.closed().header.clone() },
            false,
        ),
    })
}

/// What the stream `book_changes` and the method of that name say of a ledger.
pub(crate) fn book_changes_of(ledger: &ClosedLedger) -> Map<String, Json> {
    let mut tallies = BTreeMap::new();
    for transaction in &ledger.transactions {
        let read = transaction.read();
        let cancelled = match read.tx.kind {
            OFFER_CREATE | OFFER_CANCEL => read.tx.object.u32(fields::OFFER_SEQUENCE),
            _ => None,
        };
        for (kind, node) in read.metadata.array(fields::AFFECTED_NODES).unwrap_or_default() {
            if let Some(taken) = taken(*kind, node, cancelled) {
                // Amounts that cannot be computed with are in no ledger.
                let _ = count(&mut tallies, &taken);
            }
        }
    }
    let changes: Vec<Json> = tallies.into_values().map(|tally| show(&tally)).collect();
    shown(changes, &ledger.header, true)
}

fn shown(changes: Vec<Json>, header: &LedgerHeader, validated: bool) -> Map<String, Json> {
    object(json!({
        "changes": changes,
        "ledger_hash": header.hash.to_string(),
        "ledger_index": header.index,
        "ledger_time": header.close_time,
        "type": "bookChanges",
        "validated": validated,
    }))
}

/// What a node of metadata tells of an offer that was taken. One that was cancelled was not.
fn taken(kind: Field, node: &Object, cancelled: Option<u32>) -> Option<Taken> {
    if node.u16(fields::LEDGER_ENTRY_TYPE) != Some(entry_type::OFFER)
        || kind == fields::CREATED_NODE
    {
        return None;
    }
    let now = node.object(fields::FINAL_FIELDS)?;
    let before = node.object(fields::PREVIOUS_FIELDS)?;
    let change = |field| now.amount(field)?.checked_sub(&before.amount(field)?).ok();
    let (gets, pays) = (change(fields::TAKER_GETS)?, change(fields::TAKER_PAYS)?);
    let gone = kind == fields::DELETED_NODE
        && cancelled.is_some()
        && now.u32(fields::SEQUENCE) == cancelled;
    (!gone).then(|| Taken { gets, pays, domain: now.hash256(fields::DOMAIN_ID) })
}

/// How xrpld writes what is traded, which decides which side comes first.
fn name(issue: Issue) -> String {
    match issue {
        Issue::Xrp => "XRP".into(),
        Issue::Issued { currency, issuer } => format!("{issuer}/{currency}"),
        Issue::Mpt(id) => id.to_string(),
    }
}

fn count(tallies: &mut BTreeMap<String, Tally>, taken: &Taken) -> Result<(), ValueError> {
    let (gets, pays) = (name(taken.gets.issue()), name(taken.pays.issue()));
    let is_xrp = |amount: &Amount| amount.issue() == Issue::Xrp;
    let in_order = is_xrp(&taken.gets) || !is_xrp(&taken.pays) && gets < pays;
    let (a, b, key) = match in_order {
        true => (taken.gets, taken.pays, format!("{gets}|{pays}")),
        false => (taken.pays, taken.gets, format!("{pays}|{gets}")),
    };
    if b.is_zero() {
        return Ok(());
    }
    let rate = a.divide(&b, NO_ISSUE)?;
    let size = |amount: Amount| if amount.signum() < 0 { amount.negated() } else { amount };
    let (a, b) = (size(a), size(b));
    match tallies.get_mut(&key) {
        None => {
            let domain = taken.domain;
            let tally = Tally { a, b, high: rate, low: rate, open: rate, close: rate, domain };
            tallies.insert(key, tally);
        }
        Some(tally) => {
            tally.a = tally.a.checked_add(&a)?;
            tally.b = tally.b.checked_add(&b)?;
            if tally.high.is_less(&rate) {
                tally.high = rate;
            }
            tally.low = tally.low.smaller(rate);
            tally.close = rate;
            tally.domain = taken.domain;
        }
    }
    Ok(())
}

fn show(tally: &Tally) -> Json {
    let mut shown = object(json!({
        "volume_a": number(&tally.a),
        "volume_b": number(&tally.b),
        "high": number(&tally.high),
        "low": number(&tally.low),
        "open": number(&tally.open),
        "close": number(&tally.close),
    }));
    for (amount, side) in [(&tally.a, "a"), (&tally.b, "b")] {
        let (key, named) = match amount.issue() {
            Issue::Xrp => ("currency", "XRP_drops".into()),
            issue @ Issue::Issued { .. } => ("currency", name(issue)),
            issue @ Issue::Mpt(_) => ("mpt_issuance_id", name(issue)),
        };
        shown.insert(format!("{key}_{side}"), named.into());
    }
    if let Some(domain) = tally.domain {
        shown.insert("domain".into(), domain.to_string().into());
    }
    shown.into()
}
