//! `journey`: carries out one journey and shows each step with its proof.

use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Command};
use indicatif::ProgressBar;
use serde_json::json;
use xrpl_generator::{
    Generator, GeneratorError, JourneyRun,
    journey::{self, Journey, JourneyState, RunStep, StepState},
};
use xrpl_tracker::ResultName;

use super::Exit;
use crate::{
    config::{Config, OnReset},
    output,
    scenario::Scenario,
    session::{App, Session, SetupError, Stop},
    view::{Mode, View},
};

/// How many users are prepared where nothing is said: more than any journey needs.
const USERS: usize = 6;

/// The command line of it; settings of `run` are added to it.
pub(super) fn command() -> Command {
    Command::new("journey")
        .about("Runs one journey, such as the life of an MPT, and shows each step")
        .long_about(
            "Runs one journey: a well-known sequence of transactions, in which each uses what the\n\
             previous ones created and is sent after their validated results. It runs on an embedded\n\
             ledger unless --rpc is given, with accounts that are prepared as for run; nothing else is\n\
             sent.\n\n\
             Exit codes: 0 every step was validated with tesSUCCESS, 1 a step was not, 2 wrong input,\n\
             3 no node, or it cannot begin there.",
        )
        .arg(
            Arg::new("journey")
                .value_name("NAME")
                .required_unless_present("list")
                .help("Which journey, such as mpt_life"),
        )
        .arg(
            Arg::new("list")
                .long("list")
                .action(ArgAction::SetTrue)
                .conflicts_with("journey")
                .help("List the journeys with their steps"),
        )
}

/// `journey --list`.
pub(super) fn list(as_json: bool) -> Exit {
    let all = journey::list();
    if as_json {
        super::print(&json!({ "journeys": all }).to_string());
        return Exit::Success;
    }
    for journey in all {
        super::print(&format!("{}\n  {}", journey.name, journey.shows));
        for step in journey.steps {
            super::print(&format!(
                "    {:<15} {:<24} {}",
                step.name, step.transaction_type, step.does
            ));
        }
    }
    Exit::Success
}

/// Carries it out.
pub(super) async fn run(mut config: Config, args: &ArgMatches, bar: ProgressBar) -> Exit {
    if args.get_flag("list") {
        return list(config.json);
    }
    let name = args.get_one::<String>("journey").map(String::as_str).unwrap_or_default();
    let journey = match check(name, &config) {
        Ok(journey) => journey,
        Err(why) => {
            output::error_line(&format!("error: {why}"));
            return Exit::Usage;
        }
    };
    leave_out_the_load(&mut config);
    if config.accounts_file.is_empty() {
        config.accounts.get_or_insert(USERS);
    }
    let printer = Printer { json: config.json, quiet: config.quiet };
    let view = View::new(Mode::choose(config.json, true), false, config.interval, bar);
    match drive(config, journey, &view, &printer).await {
        Ok(Some(run)) => {
            printer.end(&run);
            match run.state {
                JourneyState::Done => Exit::Success,
                JourneyState::Running | JourneyState::Failed => Exit::Failures,
            }
        }
        // Stopped before it was over.
        Ok(None) => Exit::Failures,
        Err(error) => {
            output::error_line(&format!("error: {error}"));
            Exit::Setup
        }
    }
}

/// The journey, if what was given fits it.
fn check(name: &str, config: &Config) -> Result<&'static Journey, String> {
    let journey = journey::find(name).map_err(|error| error.to_string())?;
    if config.accounts.is_some_and(|n| n < 3) {
        return Err("--accounts: journeys need 3 or more".into());
    }
    Ok(journey)
}

/// A configuration file is for all commands: what it says of the load, and of what goes with it, is
/// not for this one.
fn leave_out_the_load(config: &mut Config) {
    config.autostart = false;
    // The page of a run has nothing to show of it, and its port may be another one's.
    config.no_api = true;
    config.scenario = Scenario::of_settings(1.0, None);
    config.scenario_file = None;
    config.tps = 1.0;
    config.duration = None;
    config.ab.clear();
    config.types.clear();
    config.modifiers.clear();
    config.intent_invalid = 0.0;
    config.fuzz = 0.0;
    config.journeys = 0.0;
    config.steer_coverage = false;
    config.coverage = false;
    config.heartbeat = false;
    config.shadow = false;
    config.webhook = None;
    config.retention = None;
    config.on_reset = OnReset::End;
}

async fn drive(
    config: Config,
    journey: &'static Journey,
    view: &View,
    printer: &Printer,
) -> Result<Option<JourneyRun>, SetupError> {
    let stop = Stop::default();
    let signals = super::signals(stop.clone());
    let session = tokio::select! {
        session = Session::start(config, view) => session?,
        () = stop.soon.cancelled() => return Ok(None),
    };
    let app = session.app();
    let follow = async {
        let over = tokio::select! {
            over = follow(&app, journey, printer) => Some(over),
            () = stop.soon.cancelled() => None,
        };
        stop.soon.cancel();
        over
    };
    let (ended, over) = tokio::join!(session.run(&stop, view), follow);
    signals.abort();
    // Why accounts could not be prepared says more than that the journey did not begin.
    let ended = ended?;
    match over {
        None => Ok(None),
        Some(Ok(Some(run))) => Ok(Some(run)),
        Some(Ok(None)) => Err(SetupError::new(match ended.failures.first() {
            Some(why) => why.clone(),
            None => "the run ended before the journey".to_owned(),
        })),
        Some(Err(error)) => Err(SetupError::new(error.to_string())),
    }
}

/// Begins the journey and prints its steps as they end, until it is over; none if the run ends before.
async fn follow(
    app: &Arc<App>,
    journey: &'static Journey,
    printer: &Printer,
) -> Result<Option<JourneyRun>, GeneratorError> {
    let Some(generator) = app.ready().await else { return Ok(None) };
    let generator: &Generator = generator;
    let mut updates = generator.journeys();
    let first = generator.start_journey(journey.name, None).await?;
    printer.begin(&first);
    let mut printed = 0;
    loop {
        let run = updates.borrow_and_update().iter().find(|run| run.id == first.id).cloned();
        if let Some(run) = run {
            let ended = |step: &&RunStep| matches!(step.state, StepState::Done | StepState::Failed);
            let over = run.steps.iter().take_while(ended).count();
            run.steps[printed..over].iter().for_each(|step| printer.step(&run, step));
            printed = over;
            if run.is_over() {
                return Ok(Some(run));
            }
        }
        tokio::select! {
            () = app.end.cancelled() => return Ok(None),
            changed = updates.changed() => if changed.is_err() { return Ok(None) },
        }
    }
}

/// Prints a journey: lines for people, or an object of JSON each.
struct Printer {
    json: bool,
    quiet: bool,
}

impl Printer {
    fn begin(&self, run: &JourneyRun) {
        if self.json {
            let (id, name, parties) = (run.id, run.name, &run.parties);
            let begun = json!({"event": "journey", "id": id, "name": name, "parties": parties});
            super::print(&begun.to_string());
        } else if !self.quiet {
            super::print(&format!("{}: {}", run.name, run.shows));
            for party in &run.parties {
                super::print(&format!("  {:<14} {}", party.name, party.account));
            }
        }
    }

    fn step(&self, run: &JourneyRun, step: &RunStep) {
        if self.json {
            super::print(&json!({"event": "step", "id": run.id, "step": step}).to_string());
        } else if !self.quiet {
            step_lines(run, step).iter().for_each(|line| super::print(line));
        }
    }

    fn end(&self, run: &JourneyRun) {
        if self.json {
            super::print(&json!({"event": "end", "journey": run}).to_string());
            return;
        }
        match &run.why {
            Some(why) => output::error_line(&format!("{} failed: {why}", run.name)),
            None => super::print(&format!(
                "{}: all {} steps were validated with tesSUCCESS",
                run.name,
                run.steps.len()
            )),
        }
    }
}

/// A step with its hash, result and proof.
fn step_lines(run: &JourneyRun, step: &RunStep) -> Vec<String> {
    let number = run.steps.iter().position(|other| other.name == step.name).unwrap_or(0) + 1;
    let total = run.steps.len();
    let mut lines =
        vec![format!("{number}/{total} {} ({}): {}", step.name, step.transaction_type, step.does)];
    let Some(hash) = step.tx_hash else {
        lines.push("    not sent".to_owned());
        return lines;
    };
    lines.push(format!("    {hash}"));
    let state = step.tx_state.map_or("no final state".to_owned(), |state| state.to_string());
    let result = step.engine_result.as_ref().map_or("-", ResultName::as_str);
    let proof = match (step.ledger_index, &step.evidence) {
        (Some(ledger), _) => format!("in validated ledger {ledger}"),
        (None, Some(evidence)) => evidence.kind().to_owned(),
        (None, None) => "no evidence".to_owned(),
    };
    lines.push(format!("    {state} {result}, {proof}"));
    lines
}
