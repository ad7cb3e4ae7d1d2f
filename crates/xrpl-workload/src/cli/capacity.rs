//! `capacity`: the highest rate that a network holds.

use std::{num::NonZeroU32, ops::RangeInclusive, time::Duration};

use clap::ArgMatches;
use indicatif::ProgressBar;
use xrpl_generator::{catalogue::Catalogue, pacing::MOST_TPS};

use super::Exit;
use crate::{
    capacity::{self, Plan, Report, judge::Asked},
    compare::unknown_figure,
    config::{Config, values},
    figures, output,
    session::{Ended, Session, SetupError, Stop},
    view::{Mode, View},
};

/// What was given, or what is wrong with it.
fn plan(config: &Config, args: &ArgMatches) -> Result<Plan, String> {
    if config.duration.is_some() {
        return Err(
            "--duration: the search ends when it has found the rate, or after --max-minutes".into(),
        );
    }
    if config.scenario.file.is_some() {
        return Err(
            "--scenario: the search sets the rates itself; --types says what it sends".into()
        );
    }
    if config.tps == 0.0 {
        return Err("--tps 0: give the first rate that is tried, such as 20".into());
    }
    let text = |name: &str| args.get_one::<String>(name).map(String::as_str);
    let number = |name: &str, within: RangeInclusive<f64>, default: f64| match text(name) {
        None => Ok(default),
        Some(text) => match text.parse::<f64>() {
            Ok(n) if within.contains(&n) => Ok(n),
            _ => {
                let (least, most) = within.into_inner();
                Err(format!("--{name} {text}: give a number from {least} to {most}"))
            }
        },
    };
    let most = number("to", 1.0..=MOST_TPS, 1_000.0)?;
    if most < config.tps {
        return Err(format!(
            "--to {most} is below --tps {}, the first rate that is tried: give a higher --to, or a lower \
             --tps",
            config.tps
        ));
    }
    let step = text("step").map_or(Ok(Duration::from_secs(20)), |text| {
        let step = values::duration(text).map_err(|why| format!("--step {text}: {why}"))?;
        match step < Duration::from_secs(1) {
            true => Err(format!("--step {text}: a rate is measured for 1s or more, such as 20s")),
            false => Ok(step),
        }
    })?;
    let minutes = args.get_one::<NonZeroU32>("max-minutes").map_or(30, |n| n.get());
    let each: Vec<_> = args.get_many::<String>("each").into_iter().flatten().cloned().collect();
    for name in &each {
        Catalogue::new(&[(name.clone(), 1)].into())
            .map_err(|error| format!("--each {name}: {error}"))?;
    }
    let asked = args.get_many::<String>("ask").into_iter().flatten();
    let asked = asked.map(|text| asked_of(text)).collect::<Result<Vec<_>, _>>()?;
    if let Some(why) = unmeasured(&asked) {
        return Err(why);
    }
    Ok(Plan {
        from: config.tps,
        most,
        step,
        precision: number("precision", 0.5..=100.0, 3.0)? / 100.0,
        limit: Duration::from_secs(u64::from(minutes) * 60),
        asked,
        each,
    })
}

/// `FIGURE=NUMBER`.
fn asked_of(text: &str) -> Result<Asked, String> {
    let wrong = || format!("--ask {text}: give FIGURE=NUMBER, such as finality_ms_p99=8000");
    let (name, bound) = text.split_once('=').ok_or_else(wrong)?;
    let figure =
        figures::find(name).ok_or_else(|| format!("--ask {text}: {}", unknown_figure(name)))?;
    let bound = bound.parse::<f64>().map_err(|_| wrong())?;
    if let Some(why) = figure.wrong_bound(bound) {
        return Err(format!("--ask {text}: {why}"));
    }
    Ok(Asked { figure: figure.name, bound })
}

/// What is asked of a figure that this run cannot measure.
fn unmeasured(asked: &[Asked]) -> Option<String> {
    let of_reads =
        |asked: &&Asked| figures::find(asked.figure).is_some_and(|figure| figure.is_of_reads());
    let asked = asked.iter().find(of_reads)?;
    Some(format!("--ask {}: a search for capacity makes no read requests", asked.figure))
}

/// Searches and says what was found.
pub(super) async fn run(mut config: Config, args: &ArgMatches, bar: ProgressBar) -> Exit {
    let plan = match plan(&config, args) {
        Ok(plan) => plan,
        Err(why) => {
            output::error_line(&format!("error: {why}"));
            return Exit::Usage;
        }
    };
    plan.prepare(&mut config);
    let (json, quiet) = (config.json, config.quiet);
    // The search says what it does; the run itself says only what went wrong.
    let view = View::new(Mode::choose(json, true), false, config.interval, bar);
    let say = move |text: &str| {
        if !json && !quiet {
            output::line(text);
        }
    };
    match drive(config, &plan, &view, &say).await {
        Ok(Searched { report, failures, reset }) => {
            super::print(&match json {
                true => serde_json::to_string(&report).unwrap_or_default(),
                false => report.to_string(),
            });
            if report.interrupted {
                failures.iter().for_each(|why| output::error_line(&format!("failed: {why}")));
                output::error_line("the search was ended before it was done");
            }
            match (reset, report.interrupted, report.is_whole()) {
                (true, ..) => Exit::Setup,
                (_, true, _) => Exit::Interrupted,
                (_, _, true) => Exit::Success,
                (_, _, false) => Exit::Failures,
            }
        }
        Err(error) => {
            output::error_line(&format!("error: {error}"));
            Exit::Setup
        }
    }
}

/// What came of the search, and of the run in which it was made.
struct Searched {
    report: Report,
    failures: Vec<String>,
    reset: bool,
}

async fn drive(
    config: Config,
    plan: &Plan,
    view: &View,
    say: &(dyn Fn(&str) + Sync),
) -> Result<Searched, SetupError> {
    let stop = Stop::default();
    let signals = super::signals(stop.clone());
    let session = Session::start(config, view).await?;
    let app = session.app();
    let search = async {
        let found = capacity::find(&app, plan, &stop.soon, say).await;
        stop.soon.cancel();
        found
    };
    let (ended, found) = tokio::join!(session.run(&stop, view), search);
    signals.abort();
    // Why the run could not be had says more than that the search found nothing.
    let Ended { failures, reset, .. } = ended?;
    let mut report = found.map_err(|error| SetupError(error.to_string()))?;
    report.settle(&app).await;
    Ok(Searched { report, failures, reset })
}
