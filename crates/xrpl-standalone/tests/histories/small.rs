//! Making a failing history small, and files of histories.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::Value as Json;

use super::{
    draw::Tx,
    run::{Failure, History, Step, again},
};

/// The Sequence of a transaction, used up by something that does nothing.
fn idle(tx: &Tx) -> Tx {
    let kept = ["Account", "Sequence", "TicketSequence", "SigningPubKey", "Signers"];
    let mut idle: Tx =
        kept.iter().filter_map(|name| Some(((*name).to_owned(), tx.get(*name)?.clone()))).collect();
    idle.insert("TransactionType".into(), "AccountSet".into());
    idle.insert("Fee".into(), "100".into());
    idle
}

fn is_idle(step: &Step) -> bool {
    matches!(step, Step::Submit(tx) if tx.len() <= 7 && tx["TransactionType"] == "AccountSet")
}

/// Makes a failing history as small as it gets in the time: what does not matter becomes a transaction
/// that only uses its Sequence, and goes where that does not matter either.
pub(crate) fn shrink(history: &History, failure: &Failure, time: Duration) -> History {
    let kind = |what: &str| what.split(' ').take(4).collect::<Vec<_>>().join(" ");
    let (wanted, end) = (kind(&failure.what), Instant::now() + time);
    let fails = |steps: &[Step]| {
        let history = History { steps: steps.to_vec(), ..history.clone() };
        again(&history, history.as_in_xrpld.is_some())
            .is_err_and(|failure| kind(&failure.what) == wanted)
    };
    let mut steps = history.steps[..=failure.at.min(history.steps.len() - 1)].to_vec();
    if !fails(&steps) {
        return history.clone();
    }
    // First made idle, then taken out.
    for take in [false, true] {
        let mut size = steps.len().div_ceil(2);
        while size > 0 && Instant::now() < end {
            let mut from = 0;
            while from < steps.len() && Instant::now() < end {
                let to = (from + size).min(steps.len());
                let mut fewer = steps[..from].to_vec();
                if !take {
                    fewer.extend(steps[from..to].iter().filter_map(|step| match step {
                        Step::Submit(tx) => Some(Step::Submit(idle(tx))),
                        Step::Close { .. } => None,
                    }));
                }
                fewer.extend_from_slice(&steps[to..]);
                let changes = take || steps[from..to].iter().any(|step| !is_idle(step));
                if changes && fails(&fewer) {
                    from = if take {
                        from
                    } else {
                        from + (fewer.len() + to - from).saturating_sub(steps.len())
                    };
                    steps = fewer;
                } else {
                    from = to;
                }
            }
            size /= 2;
        }
    }
    History { steps, ..history.clone() }
}

/// Where histories that once failed are kept.
pub(crate) fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/histories/kept")
}

/// Writes a small history of a failure where it can be looked at, and says where.
pub(crate) fn report(seed: u64, history: &History, failure: &Failure) -> String {
    let small = shrink(history, failure, Duration::from_secs(60));
    let path = std::env::temp_dir().join(format!("history-{seed}.json"));
    let written = write(&path, &small);
    let path = written.map_or_else(|error| error.to_string(), |()| path.display().to_string());
    format!(
        "seed {seed}, step {}: {}\n{} of {} steps show it: {path}\nmended, it belongs into {}",
        failure.at,
        failure.what,
        small.steps.len(),
        history.steps.len(),
        kept().display()
    )
}

/// Writes a history.
pub(crate) fn write(path: &Path, history: &History) -> std::io::Result<()> {
    std::fs::write(path, serde_json::to_string_pretty(history)?)
}

/// A kept history.
pub(crate) fn read(path: &Path) -> History {
    let text = std::fs::read_to_string(path).expect("the file is there");
    let json: Json = serde_json::from_str(&text).expect("it is JSON");
    serde_json::from_value(json).expect("it is a history")
}
