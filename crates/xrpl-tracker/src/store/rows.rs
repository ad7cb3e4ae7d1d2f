//! What the stores share: how the columns of SQL say what a row is, which rows a filter selects, and how
//! rows are counted.

use serde::Serialize;
use xrpl_protocol::{LedgerIndex, ResultClass, Sequence, transaction::Slot};

use super::Count;
use crate::{
    error::{Error, Result},
    evidence::{ResultName, Source},
    lifecycle::State,
    record::{Identity, Intent, Progress, Record, RowFilter, RunId},
};

/// What stands in the place of the expected results where any is right.
pub const ANY: &str = "any";

/// A value as the JSON text of a column.
///
/// # Errors
/// JSON cannot say it.
pub fn json_text<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::Store(format!("writing JSON: {e}")))
}

/// The JSON text of a list; none for an empty one.
///
/// # Errors
/// JSON cannot say it.
pub fn list_text<T: Serialize>(list: &[T]) -> Result<Option<String>> {
    if list.is_empty() { Ok(None) } else { json_text(list).map(Some) }
}

/// A Sequence's or Ticket's number, and whether it is a Ticket's.
#[must_use]
pub fn slot_columns(slot: Slot) -> (u32, bool) {
    match slot {
        Slot::Sequence(number) => (number.0, false),
        Slot::Ticket(number) => (number.0, true),
    }
}

/// What [`slot_columns`] were made of.
#[must_use]
pub fn slot_of(number: u32, is_ticket: bool) -> Slot {
    match is_ticket {
        true => Slot::Ticket(Sequence(number)),
        false => Slot::Sequence(Sequence(number)),
    }
}

/// An intent: none where it is to succeed, [`ANY`], or the list of what is expected.
///
/// # Errors
/// JSON cannot say it.
pub fn intent_text(intent: &Intent) -> Result<Option<String>> {
    match intent {
        Intent::Valid => Ok(None),
        Intent::Invalid { expected } => json_text(expected).map(Some),
        Intent::Any => Ok(Some(ANY.to_owned())),
    }
}

/// What [`intent_text`] was made of.
///
/// # Errors
/// It was made of none.
pub fn intent_of(text: Option<&str>) -> Result<Intent> {
    match text {
        None => Ok(Intent::Valid),
        Some(ANY) => Ok(Intent::Any),
        Some(text) => match serde_json::from_str(text) {
            Ok(expected) => Ok(Intent::Invalid { expected }),
            Err(error) => Err(Error::Store(format!("expected results: {error}"))),
        },
    }
}

/// The source of a name.
#[must_use]
pub fn source_of(name: Option<&str>) -> Option<Source> {
    Source::ALL.into_iter().find(|source| Some(source.name()) == name)
}

/// A parameter of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// A state's number.
    State(u8),
    /// Another number.
    Number(u64),
    /// A text.
    Text(String),
    /// An account.
    Bytes(Vec<u8>),
}

/// The condition by which SQL selects the rows of a filter, and its parameters: constants and marks (`?2` or
/// `$2`, as the dialect has them); no value is ever formatted into it.
#[must_use]
pub fn condition(filter: &RowFilter, run: RunId, mark: char) -> (String, Vec<Parameter>) {
    let RowFilter {
        states,
        transaction_type,
        account,
        engine_result,
        preliminary,
        last,
        ledger,
        undecided,
        newest_first: _,
    } = filter;
    let mut values = Vec::new();
    let mut mark = |value: Parameter| {
        values.push(value);
        format!("{mark}{}", values.len())
    };
    let mut all = vec![format!("run = {}", mark(Parameter::Number(run.0)))];
    if !states.is_empty() {
        // So that the partial indexes serve.
        if states.iter().all(|state| !state.is_terminal()) {
            all.push("state < 3".into());
        } else if states.iter().all(|state| state.is_terminal() && *state != State::Validated) {
            all.push("state > 3".into());
        }
        let marks = states.iter().map(|state| mark(Parameter::State(*state as u8)));
        all.push(format!("state IN ({})", marks.collect::<Vec<_>>().join(", ")));
    }
    if let Some(wanted) = transaction_type {
        all.push(format!("transaction_type = {}", mark(Parameter::Text(wanted.clone()))));
    }
    if let Some(wanted) = account {
        all.push(format!("account = {}", mark(Parameter::Bytes(wanted.0.to_vec()))));
    }
    let text = |name: &ResultName| Parameter::Text(name.as_str().to_owned());
    if let Some(wanted) = engine_result {
        let wanted = mark(text(wanted));
        all.push(format!("(engine_result_first = {wanted} OR engine_result_final = {wanted})"));
    }
    for (wanted, column) in [(preliminary, "engine_result_first"), (last, "engine_result_final")] {
        match wanted {
            None => {}
            Some(Some(name)) => all.push(format!("{column} = {}", mark(text(name)))),
            Some(None) => all.push(format!("{column} IS NULL")),
        }
    }
    if let Some(wanted) = ledger {
        let wanted = mark(Parameter::Number(wanted.0.into()));
        all.push(format!("validated_ledger = {wanted}"));
    }
    if *undecided {
        all.push("undecided".into());
    }
    (all.join(" AND "), values)
}

/// Whether a filter selects a record of a run.
pub(crate) fn selects(filter: &RowFilter, record: &Record) -> bool {
    let RowFilter {
        states,
        transaction_type,
        account,
        engine_result,
        preliminary,
        last,
        ledger,
        undecided,
        newest_first: _,
    } = filter;
    (states.is_empty() || states.contains(&record.progress.state))
        && transaction_type
            .as_deref()
            .is_none_or(|wanted| *wanted == *record.identity.transaction_type)
        && account.is_none_or(|wanted| wanted == record.identity.account)
        && engine_result.as_ref().is_none_or(|wanted| {
            record.progress.engine_result_first.as_ref() == Some(wanted)
                || record.progress.engine_result_final().as_ref() == Some(wanted)
        })
        && preliminary.as_ref().is_none_or(|wanted| record.progress.engine_result_first == *wanted)
        && last.as_ref().is_none_or(|wanted| record.progress.engine_result_final() == *wanted)
        && ledger.is_none_or(|wanted| {
            let place = record.progress.validated.as_ref();
            place.is_some_and(|place| place.ledger_index == wanted)
        })
        && (!undecided || record.progress.undecided)
}

/// Whether a store can keep a transaction: what SQL keeps of times are 63 bits.
///
/// # Errors
/// It cannot.
pub fn may_be_kept(identity: &Identity) -> Result<()> {
    i64::try_from(identity.created_at_ms)
        .map(drop)
        .map_err(|_| Error::Store(format!("no time: {} ms", identity.created_at_ms)))
}

/// Whether a record has an end that rests on a ledger.
#[must_use]
pub fn rests_on(record: &Record, ledger: LedgerIndex) -> bool {
    let evidence = record.progress.evidence().filter(|_| record.progress.state.is_terminal());
    evidence.is_some_and(|evidence| evidence.rests_on(ledger))
}

/// Whether one that has ended did so as its intent predicts. A deliberately wrong transaction may show
/// its result in its first answer or in its last; one that is meant to succeed and did not has only
/// not failed if it was superseded.
#[must_use]
pub fn as_predicted(
    intent: &Intent,
    superseded: bool,
    first: Option<&ResultName>,
    last: Option<&ResultName>,
) -> bool {
    match intent {
        Intent::Valid => superseded,
        Intent::Invalid { .. } => {
            [first, last].into_iter().flatten().any(|result| intent.predicts(result))
        }
        Intent::Any => true,
    }
}

/// Whether a node's newest word on it is that it will not be (`tem`, `tef`). Then it has failed,
/// whatever used its slot; one that only waited has not, if a rival did its work. That the slot is
/// gone, or the transaction known, is no word on the transaction.
pub(crate) fn refused(progress: &Progress) -> bool {
    let Some(last) = &progress.engine_result_last else { return false };
    matches!(last.class(), Some(ResultClass::Tem | ResultClass::Tef))
        && !["tefPAST_SEQ", "tefNO_TICKET", "tefALREADY"].contains(&last.as_str())
}

/// Counts a record under its kind.
pub(crate) fn count_into(counts: &mut Vec<Count>, record: &Record) {
    let intent = &record.identity.intent;
    let first = record.progress.engine_result_first.as_ref();
    let last = record.progress.engine_result_final();
    let key = Count {
        state: record.progress.state,
        transaction_type: record.identity.transaction_type.clone(),
        first: first.cloned(),
        result: last.clone(),
        source: record.progress.validated.as_ref().map(|place| place.source),
        intent: intent.kind(),
        predicted: as_predicted(intent, record.progress.superseded, first, last.as_ref()),
        overturned: record.progress.overturned,
        revoked: record.progress.revoked,
        n: 1,
    };
    match counts.iter_mut().find(|count| Count { n: 1, ..(**count).clone() } == key) {
        Some(count) => count.n += 1,
        None => counts.push(key),
    }
}
