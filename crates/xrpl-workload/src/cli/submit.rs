//! `submit`: one transaction to its proven end.

mod fill;

use std::{io::Read, sync::Arc, time::Duration};

use serde_json::json;
use xrpl_client::{Pool, TcpConnector};
use xrpl_protocol::{
    Definitions, Object, TxHash, fields,
    input::Given,
    keys::{KeyPair, Seed},
    sign::verify_as,
};
use xrpl_tracker::{Dossier, MemoryStore, Outcome, Reason, State, Submission, Tracker};

use super::Exit;
use crate::{
    config::Config,
    cost::Cost,
    parts::{as_told, default_to_local},
    session::{connect, endpoints, tracker_config},
};

/// How often it is looked at whether waiting is in vain.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long it is waited for a stream; without one the transaction is looked up.
const LISTENING: Duration = Duration::from_secs(1);

/// Why nothing was submitted.
enum Failure {
    /// What was given is wrong.
    Input(String),
    /// The node could not be had.
    Node(String),
}

impl Failure {
    fn input(text: impl ToString) -> Self {
        Self::Input(text.to_string())
    }
    fn node(text: impl ToString) -> Self {
        Self::Node(text.to_string())
    }
}

/// Submits and waits; the exit code says how it ended.
pub(super) async fn run(mut config: Config, transaction: String) -> Exit {
    default_to_local(&mut config);
    match submit(&config, &transaction).await {
        Ok(exit) => exit,
        Err(Failure::Input(text)) => {
            crate::output::error_line(&format!("error: {text}"));
            Exit::Usage
        }
        Err(Failure::Node(text)) => {
            crate::output::error_line(&format!("error: {text}"));
            Exit::Setup
        }
    }
}

async fn submit(config: &Config, transaction: &str) -> Result<Exit, Failure> {
    let text = read(transaction)?;
    let prepared = prepare(text.trim(), config)?;
    let pool = connect(endpoints(&config.rpc, &config.ws), Arc::new(TcpConnector))
        .await
        .map_err(Failure::node)?;
    let (blob, is_fresh) = match prepared {
        Prepared::Blob(blob) => (blob, false),
        Prepared::Signed(given) => {
            fill::check_network(&given, &pool, config).await?;
            (given.tx.encode(), false)
        }
        Prepared::Unsigned(given, key) => {
            // With these two filled in now it cannot be what was signed and sent some time ago.
            let filled = [fields::SEQUENCE, fields::LAST_LEDGER_SEQUENCE];
            let is_fresh = !filled.iter().any(|field| given.tx.contains(*field));
            (fill::fill_and_sign(*given, &key, &pool, config).await?.blob, is_fresh)
        }
    };
    let tracker =
        Tracker::start(pool.clone(), Arc::new(MemoryStore::default()), tracker_config(config))
            .await
            .map_err(Failure::node)?;
    listening(&tracker).await;
    let submission = Submission::new(blob.clone()).want_metadata();
    let submission = if is_fresh { submission.fresh() } else { submission };
    let submitted = tracker.submit(submission).await.map_err(Failure::input)?;
    if !config.quiet && !config.json {
        let result = submitted.engine_result.as_ref().map_or("no answer yet", |r| r.as_str());
        super::print(&format!("{} {result} ({})", submitted.hash, submitted.state));
    }
    if submitted.engine_result.as_ref().is_some_and(|r| r.as_str() == TOO_LITTLE) {
        note(config, &too_little(&blob, &pool).await);
    }
    let outcome = wait(&tracker, submitted.hash, config.timeout).await.map_err(Failure::node)?;
    let dossier = tracker.dossier(submitted.hash).await.map_err(Failure::node)?;
    tracker.shutdown(Duration::ZERO).await;
    let exit = exit_code(outcome.as_deref());
    tell(config, outcome.as_deref(), dossier.as_ref());
    Ok(exit)
}

/// Waits until a stream listens, for a moment at most: a ledger that closes because of this transaction
/// is then heard of at once, and need not be read.
async fn listening(tracker: &Tracker) {
    let connected = async {
        while tracker.ws_stats().connected == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let _ = tokio::time::timeout(LISTENING, connected).await;
}

/// Waits for the end, up to `limit`; none when it has none then, or as soon as it is known that no
/// waiting brings one, because no node has the ledgers that could say what became of it.
async fn wait(
    tracker: &Tracker,
    hash: TxHash,
    limit: Duration,
) -> xrpl_tracker::Result<Option<Arc<Outcome>>> {
    let undecidable = async {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let row = tracker.dossier(hash).await?.map(|dossier| dossier.row);
            let reason = row.and_then(|row| row.reason).map(|view| view.reason);
            if matches!(reason, Some(Reason::SlotGone { .. })) {
                return Ok(());
            }
        }
    };
    tokio::select! {
        biased;
        ended = tokio::time::timeout(limit, tracker.outcome(hash)) => ended.ok().transpose(),
        known = undecidable => known.map(|()| None),
    }
}

/// What a node answers to a fee that it does not take now.
const TOO_LITTLE: &str = "telINSUF_FEE_P";

/// How far a fee falls short, and what follows from it.
async fn too_little(blob: &[u8], pool: &Pool) -> String {
    let paid = Object::decode(blob, Definitions::builtin()).ok();
    let last = paid.as_ref().and_then(|tx| tx.u32(fields::LAST_LEDGER_SEQUENCE));
    let until = last.map_or_else(
        || "until --timeout".to_owned(),
        |last| format!("until --timeout, or ledger {last} (its LastLedgerSequence)"),
    );
    let asked = match &paid {
        Some(tx) => Cost::of(tx, pool).await.ok(),
        None => None,
    };
    let paid = paid.and_then(|tx| tx.amount(fields::FEE)?.drops()).unwrap_or(0);
    match asked {
        Some(cost) if paid.unsigned_abs() < cost.at_rest => format!(
            "its Fee of {paid} drops can never be enough: a transaction of this kind costs at least \
             {} drops, {} now. It is tried again {until}",
            cost.at_rest, cost.now
        ),
        Some(cost) => format!(
            "its Fee of {paid} drops is less than the node asks under its present load: {} drops \
             would get in now. It is tried again {until}",
            cost.now
        ),
        None => format!("its Fee of {paid} drops is less than the node asks now"),
    }
}

/// Something to know that is no result.
fn note(config: &Config, text: &str) {
    if !config.quiet {
        crate::output::error_line(&format!("note: {text}"));
    }
}

enum Prepared {
    /// A signed blob.
    Blob(Vec<u8>),
    /// JSON with a signature that holds: it is submitted as it is.
    Signed(Box<Given>),
    /// JSON to be filled in and signed.
    Unsigned(Box<Given>, KeyPair),
}

fn read(transaction: &str) -> Result<String, Failure> {
    if transaction == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| Failure::Input(format!("standard input: {error}")))?;
        return Ok(text);
    }
    match transaction.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| Failure::Input(format!("{path}: {error}"))),
        None => Ok(transaction.to_owned()),
    }
}

/// Checks everything that can be checked without a node.
fn prepare(text: &str, config: &Config) -> Result<Prepared, Failure> {
    let definitions = config.definitions.as_deref().unwrap_or_else(|| Definitions::builtin());
    if !text.starts_with('{') {
        let blob = const_hex::decode(text).map_err(|error| {
            Failure::Input(format!(
                "the transaction is neither hex nor JSON: {error}. Give a signed blob in hex, \
                 JSON, @FILE, or - for standard input"
            ))
        })?;
        let fields = Object::decode(&blob, definitions)
            .map_err(|error| Failure::Input(format!("not a transaction: {error}")))?;
        verify_as(&fields, definitions).map_err(|error| {
            Failure::Input(format!("the transaction's signature is not valid: {error}"))
        })?;
        return Ok(Prepared::Blob(blob));
    }
    let given = Given::from_text(text, definitions).map_err(Failure::input)?;
    if !given.ignored.is_empty() {
        note(
            config,
            &format!(
                "ignored, as parts of a node's answer and not of the transaction: {}",
                given.ignored.join(", ")
            ),
        );
    }
    if given.is_signed() {
        verify_as(&given.tx, definitions).map_err(|error| {
            Failure::Input(format!(
                "the transaction's signature is not valid: {error}. A signed transaction is \
                 submitted as it is; to have it signed again, remove SigningPubKey, TxnSignature and \
                 Signers"
            ))
        })?;
        note(config, "the transaction is signed: it is submitted as it is");
        return Ok(Prepared::Signed(Box::new(given)));
    }
    let key = key(config)?;
    match given.tx.blob(fields::SIGNING_PUB_KEY) {
        Some(stated) if !stated.is_empty() && stated != key.public_key().0 => {
            Err(Failure::Input(format!(
                "SigningPubKey: the given secret belongs to another key ({}): leave SigningPubKey \
                 out, or give the secret that it belongs to",
                key.public_key()
            )))
        }
        _ => Ok(Prepared::Unsigned(Box::new(given), key)),
    }
}

fn key(config: &Config) -> Result<KeyPair, Failure> {
    let text = match (&config.secret, &config.secret_file) {
        (Some(secret), _) => secret.reveal().to_owned(),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                Failure::Input(format!("--secret-file {}: {error}", path.display()))
            })?;
            text.lines().next().unwrap_or_default().trim().to_owned()
        }
        (None, None) => {
            return Err(Failure::Input(
                "the transaction is not signed: give --secret-file, or XRPL_WORKLOAD_SECRET, or \
                 --secret"
                    .into(),
            ));
        }
    };
    let seed: Seed =
        text.parse().map_err(|error| Failure::Input(format!("the secret: {error}")))?;
    Ok(KeyPair::from_seed(&as_told(seed, config)))
}

fn exit_code(outcome: Option<&Outcome>) -> Exit {
    match outcome {
        None => Exit::Undecided,
        Some(outcome) => match outcome.state {
            State::Validated if outcome.is_success() => Exit::Success,
            State::Validated => Exit::Claimed,
            State::Rejected => Exit::Rejected,
            State::Expired => Exit::Expired,
            State::FailedNet => Exit::FailedNet,
            State::Created | State::Submitted | State::Retryable => Exit::Undecided,
        },
    }
}

fn tell(config: &Config, outcome: Option<&Outcome>, dossier: Option<&Dossier>) {
    if config.json {
        let end = match (outcome, dossier) {
            (Some(outcome), Some(dossier)) => json!({"outcome": outcome, "dossier": dossier}),
            (_, dossier) => json!({"outcome": null, "dossier": dossier}),
        };
        return super::print(&end.to_string());
    }
    let reason = dossier.and_then(|dossier| dossier.row.reason.as_ref());
    let reason = reason.map(|reason| reason.text.clone());
    super::print(&match outcome {
        None => match reason {
            Some(text) => text,
            None => format!(
                "undecided after {:?}: it may still be validated; look again by its hash",
                config.timeout
            ),
        },
        Some(outcome) => {
            let result = outcome.engine_result.as_ref().map_or("", |result| result.as_str());
            let place = outcome
                .validated_ledger
                .map_or_else(String::new, |index| format!(" in ledger {index}"));
            let proof = json!(outcome.evidence);
            let reason = reason.map_or_else(String::new, |text| format!("\nreason: {text}"));
            format!("{} {result}{place}\nevidence: {proof}{reason}", outcome.state)
        }
    });
}
