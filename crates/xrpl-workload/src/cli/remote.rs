//! `tx`, `status`, `watch`: what a running instance knows.

use serde_json::Value as Json;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Exit,
    instance::{Failure, Instance},
};
use crate::{
    config::Config,
    output,
    scenario::progress_text,
    summary::size_text,
    view::{Mode, Snapshot, View},
    words,
};

impl From<&Failure> for Exit {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Address(..) => Self::Usage,
            Failure::Gone(..) => Self::Setup,
            Failure::Refused { status, .. } => match status.as_u16() {
                400 => Self::Usage,
                404 => Self::Failures,
                _ => Self::Setup,
            },
        }
    }
}

fn told(result: Result<Exit, Failure>) -> Exit {
    result.unwrap_or_else(|failure| {
        output::error_line(&format!("error: {failure}"));
        Exit::from(&failure)
    })
}

/// `tx HASH`: the dossier, and its state as exit code.
pub(super) async fn tx(config: Config, api: Option<&String>, hash: &str) -> Exit {
    told(show_tx(&config, api, hash).await)
}

async fn show_tx(config: &Config, api: Option<&String>, hash: &str) -> Result<Exit, Failure> {
    // The instance says what is wrong with a hash; what is no part of a path may not become one.
    let path: String = hash.chars().filter(char::is_ascii_alphanumeric).collect();
    let dossier = Instance::named(api, config)?.get(&format!("/state/tx/{path}")).await?;
    super::print(&match config.json {
        true => dossier.to_string(),
        false => in_words(&dossier),
    });
    Ok(match dossier["state"].as_str().unwrap_or_default() {
        "VALIDATED" if dossier["engine_result_final"] == "tesSUCCESS" => Exit::Success,
        "VALIDATED" => Exit::Claimed,
        "REJECTED" => Exit::Rejected,
        "EXPIRED" => Exit::Expired,
        "FAILED_NET" => Exit::FailedNet,
        _ => Exit::Undecided,
    })
}

fn text(value: &Json) -> String {
    match value {
        Json::Null => "-".to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A dossier, in the order it happened.
fn in_words(dossier: &Json) -> String {
    let of = |key: &str| text(&dossier[key]);
    let mut lines = vec![
        of("tx_hash"),
        format!("  state        {}", of("state")),
        format!(
            "  result       {}",
            match &dossier["engine_result_final"] {
                Json::Null => format!("{} (preliminary)", of("engine_result_first")),
                last => text(last),
            }
        ),
    ];
    if let Some(message) = dossier["engine_result_message"].as_str() {
        lines.push(format!("               {message}"));
    }
    let slot = match &dossier["ticket_sequence"] {
        Json::Null => format!("Sequence {}", of("sequence")),
        ticket => format!("Ticket {ticket}"),
    };
    lines.push(format!("  type         {}", of("transaction_type")));
    lines.push(format!("  account      {}, {slot}", of("account")));
    lines.push(format!(
        "  ledgers      submitted after {}, LastLedgerSequence {}, validated in {}",
        of("created_ledger"),
        of("last_ledger_seq"),
        of("validated_ledger")
    ));
    let begun = dossier["created_at_ms"].as_u64().unwrap_or(0);
    let after = |at: &Json| at.as_u64().unwrap_or(begun).saturating_sub(begun);
    for answer in dossier["preliminary_results"].as_array().into_iter().flatten() {
        let what = ["engine_result", "error"]
            .iter()
            .find_map(|key| answer[*key].as_str())
            .unwrap_or(if answer.get("not_written").is_some() { "not sent" } else { "no answer" });
        let place = text(&answer["endpoint"]);
        lines.push(format!("  {:>7} ms   {place}: {what}", after(&answer["at_ms"])));
    }
    for seen in dossier["sightings"].as_array().into_iter().flatten() {
        lines.push(format!(
            "  {:>7} ms   seen by {} in ledger {}",
            after(&seen["at_ms"]),
            text(&seen["source"]),
            text(&seen["ledger_index"])
        ));
    }
    lines.push(format!("  evidence     {}", text(&dossier["evidence"])));
    lines.join("\n")
}

/// `status`: where the instance stands.
pub(super) async fn status(config: Config, api: Option<&String>) -> Exit {
    told(show_status(&config, api).await)
}

async fn show_status(config: &Config, api: Option<&String>) -> Result<Exit, Failure> {
    let instance = Instance::named(api, config)?;
    let summary = instance.get("/state/summary").await?;
    let workload = instance.get("/workload/status").await?;
    let scenario = instance.get("/workload/scenario").await?;
    let health = instance.get("/health").await?;
    let store = instance.get("/state/store").await?;
    let webhook = instance.get("/webhooks").await?;
    if config.json {
        let all = serde_json::json!({
            "summary": summary, "workload": workload, "scenario": scenario, "health": health,
            "store": store, "webhook": webhook,
        });
        super::print(&all.to_string());
        return Ok(Exit::Success);
    }
    let of = |key: &str| text(&summary[key]);
    let pairs = |map: &Json| {
        let parts = map.as_object().into_iter().flatten();
        let parts: Vec<_> = parts
            .filter(|(_, n)| n.as_u64() != Some(0))
            .map(|(name, n)| format!("{name} {n}"))
            .collect();
        parts.join(", ")
    };
    let load = match workload["running"] == true {
        true => "runs",
        false => "does not run",
    };
    let stage = serde_json::from_value(scenario["progress"].clone()).ok();
    let stage = stage.map_or_else(|| "none yet".to_owned(), |stage| progress_text(&stage));
    let spread = &summary["finality_ms"];
    for line in [
        format!("{} ({}), up {} s", of("endpoint"), text(&health["status"]), of("uptime_seconds")),
        format!("  phase         {}, load {load}", of("phase")),
        format!("  stage         {stage}"),
        format!("  ledger        {}", of("ledger_index")),
        format!("  transactions  {}, {} in flight", of("total_tracked"), of("pending")),
        format!("  by state      {}", pairs(&summary["by_state"])),
        format!("  validated by  {}", pairs(&summary["validated_by_source"])),
        format!(
            "  validated/s   {}",
            words::number(summary["validated_per_second"].as_f64().unwrap_or(0.0))
        ),
        format!(
            "  finality ms   p50 {}, p90 {}, p99 {}",
            spread["p50"], spread["p90"], spread["p99"]
        ),
        format!(
            "  failed        {} meant to succeed; undecided {}, overturned {}, revoked {}",
            of("valid_failed"),
            of("undecided"),
            of("overturned"),
            of("revoked")
        ),
        format!(
            "  store         {} transactions{}",
            text(&store["rows"]),
            store["bytes"].as_u64().map_or_else(
                || " in memory".to_owned(),
                |bytes| format!(", {}; it keeps {}", size_text(bytes), text(&store["retention"]))
            )
        ),
    ] {
        super::print(&line);
    }
    if webhook["enabled"] == true {
        super::print(&format!(
            "  webhook       {} delivered, {} wait, {} given up{}",
            webhook["delivered"],
            webhook["backlog"],
            webhook["given_up"],
            webhook["last_error"]
                .as_str()
                .map_or_else(String::new, |why| format!("; last error: {why}"))
        ));
    }
    Ok(Exit::Success)
}

/// `watch`: what `run` prints while it goes on, of another process, until Ctrl-C or its end.
pub(super) async fn watch(config: Config, api: Option<&String>, view: &View) -> Exit {
    let exit = told(follow(&config, api, view).await);
    view.clear();
    exit
}

async fn follow(config: &Config, api: Option<&String>, view: &View) -> Result<Exit, Failure> {
    let instance = Instance::named(api, config)?;
    let mut terminate = signal(SignalKind::terminate()).ok();
    let mut intervals = tokio::time::interval(view.every());
    intervals.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen = false;
    loop {
        tokio::select! {
            _ = intervals.tick() => {}
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Success),
            Some(_) = async { terminate.as_mut()?.recv().await } => return Ok(Exit::Success),
        }
        let looked = tokio::select! {
            looked = look(&instance) => looked,
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Success),
        };
        match looked {
            Ok(snapshot) => view.interval(&snapshot),
            // It was there: then this is its end, and no error.
            Err(Failure::Gone(..)) if seen => {
                view.say("the instance has ended");
                return Ok(Exit::Success);
            }
            Err(failure) => {
                view.clear();
                return Err(failure);
            }
        }
        seen = true;
    }
}

async fn look(instance: &Instance) -> Result<Snapshot, Failure> {
    let (summary, ledgers, scenario, workload) = tokio::try_join!(
        instance.get("/state/summary"),
        instance.get("/state/ledgers?limit=1"),
        instance.get("/workload/scenario"),
        instance.get("/workload/status"),
    )?;
    Ok(Snapshot::of_api(&summary, &ledgers, &scenario, &workload))
}

/// The view of `watch`.
pub(super) fn view(config: &Config, bar: indicatif::ProgressBar) -> View {
    View::new(Mode::choose(config.json, false), config.json, config.interval, bar)
}
