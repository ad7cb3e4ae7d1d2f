//! What both stores share: which rows a filter selects, and how rows are counted.

use super::Count;
use crate::record::{Record, RowFilter};

/// Whether a filter selects a record (its run is looked at by the caller).
pub(crate) fn selects(filter: &RowFilter, record: &Record) -> bool {
    let RowFilter { states, transaction_type, account, engine_result, undecided, run: _ } = filter;
    (states.is_empty() || states.contains(&record.progress.state))
        && transaction_type
            .as_deref()
            .is_none_or(|wanted| *wanted == *record.identity.transaction_type)
        && account.is_none_or(|wanted| wanted == record.identity.account)
        && engine_result.as_ref().is_none_or(|wanted| {
            record.progress.engine_result_first.as_ref() == Some(wanted)
                || record.progress.engine_result_final().as_ref() == Some(wanted)
        })
        && (!undecided || record.progress.undecided)
}

/// Whether a terminal record has a result that its intent predicts.
pub(crate) fn predicted(record: &Record) -> bool {
    let intent = &record.identity.intent;
    let first = record.progress.engine_result_first.as_ref();
    record.progress.engine_result_final().as_ref().or(first).is_some_and(|r| intent.predicts(r))
        || (intent.is_invalid() && first.is_some_and(|result| intent.predicts(result)))
}

/// Counts a record under its kind.
pub(crate) fn count_into(counts: &mut Vec<Count>, record: &Record) {
    let key = Count {
        state: record.progress.state,
        transaction_type: record.identity.transaction_type.clone(),
        result: record.progress.engine_result_final(),
        source: record.progress.validated.as_ref().map(|place| place.source),
        invalid: record.identity.intent.is_invalid(),
        predicted: predicted(record),
        overturned: record.progress.overturned,
        n: 1,
    };
    match counts.iter_mut().find(|count| Count { n: 1, ..(**count).clone() } == key) {
        Some(count) => count.n += 1,
        None => counts.push(key),
    }
}
