//! `run`: drives a node, or an embedded ledger, with load.

use indicatif::ProgressBar;
use serde_json::json;

use super::Exit;
use crate::{
    ab::{self, Outcome},
    compare::Verdict,
    config::Config,
    limits::Limit,
    output,
    session::{Ended, Session, SetupError, Stop},
    view::{Mode, View},
};

/// Runs to the end.
pub(super) async fn run(config: Config, bar: ProgressBar) -> Exit {
    if config.accounts.is_some_and(|n| n < 2) {
        output::error_line("error: --accounts: a run needs 2 or more, such as 100");
        return Exit::Usage;
    }
    let apart = |limit: &Limit| limit.figure == "lag_ledgers_max";
    if config.scenario.limits.iter().any(apart) && config.rpc.len() < 2 {
        output::error_line(
            "error: limits: lag_ledgers_max: a single node is never behind another: give two or more \
             with --rpc and --ws, or leave the limit out",
        );
        return Exit::Usage;
    }
    let view =
        View::new(Mode::choose(config.json, config.quiet), config.json, config.interval, bar);
    let exit = match config.ab.is_empty() {
        true => drive(config, &view).await,
        false => drive_both(&config, &view).await,
    };
    match exit {
        Ok(exit) => exit,
        Err(error) => {
            view.clear();
            output::error_line(&format!("error: {error}"));
            Exit::Setup
        }
    }
}

/// Drives the two of `--ab`; the last thing printed is their comparison.
async fn drive_both(config: &Config, view: &View) -> Result<Exit, SetupError> {
    let stop = Stop::default();
    let signals = super::signals(stop.clone());
    let outcomes = ab::run(config, &stop, view).await?;
    signals.abort();
    let Some(outcomes) = outcomes else {
        view.clear();
        output::error_line("interrupted before both sides had their turn: nothing is compared");
        return Ok(Exit::Interrupted);
    };
    let mut exit = Exit::Success;
    for Outcome { name, ended, .. } in &outcomes.both {
        if !config.json && !config.quiet {
            output::line(&format!("{name}:"));
        }
        view.end(&ended.summary, &ended.failures, ended.coverage.as_ref());
        exit = worse(exit, exit_of(ended));
    }
    let of_comparison = match outcomes.comparison {
        Some(Ok(comparison)) => {
            let text = match config.json {
                true => json!({"event": "comparison", "comparison": comparison}).to_string(),
                false => comparison.to_string(),
            };
            output::line(&text);
            match comparison.verdict {
                Verdict::Worse => Exit::Failures,
                _ => Exit::Success,
            }
        }
        Some(Err(refusal)) => {
            output::error_line(&format!("error: {refusal}"));
            Exit::Setup
        }
        None => {
            output::error_line(
                "interrupted before both had come to their end: nothing is compared",
            );
            Exit::Interrupted
        }
    };
    Ok(worse(exit, of_comparison))
}

/// Of two ways to end, the one that says more: what happened to transactions, or that one side is worse,
/// outranks a broken limit, which is told where all else is well.
fn worse(one: Exit, other: Exit) -> Exit {
    let rank = |exit| match exit {
        Exit::Success => 0,
        Exit::Limits => 1,
        Exit::Interrupted => 2,
        Exit::Failures => 3,
        _ => 4,
    };
    if rank(other) > rank(one) { other } else { one }
}

async fn drive(config: Config, view: &View) -> Result<Exit, SetupError> {
    let stop = Stop::default();
    let signals = super::signals(stop.clone());
    let session = tokio::select! {
        session = Session::start(config, view) => session?,
        () = stop.soon.cancelled() => return Ok(Exit::Success),
    };
    let ended = session.run(&stop, view).await?;
    signals.abort();
    view.end(&ended.summary, &ended.failures, ended.coverage.as_ref());
    Ok(exit_of(&ended))
}

fn exit_of(ended: &Ended) -> Exit {
    let kept = ended.limits.iter().all(|limit| !limit.broken);
    match (ended.reset, ended.failures.is_empty(), kept) {
        // The chain that was to be driven is not to be had any more.
        (true, ..) => Exit::Setup,
        // What happened to transactions outranks how fast it was.
        (_, false, _) => Exit::Failures,
        (_, _, false) => Exit::Limits,
        (_, _, true) => Exit::Success,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_two_decides_whichever_comes_first() {
        let ranked = [Exit::Success, Exit::Limits, Exit::Interrupted, Exit::Failures, Exit::Setup];
        for (n, one) in ranked.into_iter().enumerate() {
            for (m, other) in ranked.into_iter().enumerate() {
                assert_eq!(worse(one, other), ranked[n.max(m)]);
            }
        }
    }
}
