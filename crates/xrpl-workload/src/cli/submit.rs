//! `submit`: one transaction to its proven end.

use std::{io::Read, sync::Arc, time::Duration};

use serde_json::{Value as Json, json};
use url::Url;
use xrpl_client::{
    Pool, TcpConnector,
    request::{AccountInfo, Fee, LedgerSpec, ServerState},
};
use xrpl_protocol::{
    AccountId, Definitions, Object,
    keys::{KeyPair, Seed},
    sign::{SignedTransaction, sign, verify_transaction},
};
use xrpl_tracker::{Dossier, MemoryStore, Outcome, State, Submission, Tracker};

use super::Exit;
use crate::{
    config::Config,
    parts::as_told,
    session::{connect, endpoints, tracker_config},
};

/// Where a node is if none is named: where `standalone` and `xrpld -a` listen.
const DEFAULT_RPC: &str = "http://127.0.0.1:5005/";
const DEFAULT_WS: &str = "ws://127.0.0.1:6006/";
/// A network whose id is above this wants it named.
const NETWORK_ID_LIMIT: u32 = 1024;

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

/// Submits and waits; the exit code tells the outcome.
pub(super) async fn run(mut config: Config, transaction: String) -> Exit {
    if config.rpc.is_empty() {
        // Constants of this file.
        config.rpc = Url::parse(DEFAULT_RPC).into_iter().collect();
        config.ws = Url::parse(DEFAULT_WS).into_iter().collect();
    }
    match submit(&config, &transaction).await {
        Ok(exit) => exit,
        Err(Failure::Input(text)) => {
            eprintln!("error: {text}");
            Exit::Usage
        }
        Err(Failure::Node(text)) => {
            eprintln!("error: {text}");
            Exit::Setup
        }
    }
}

async fn submit(config: &Config, transaction: &str) -> Result<Exit, Failure> {
    let text = read(transaction)?;
    let text = text.trim();
    let given = if text.starts_with('{') {
        let tx: Json = serde_json::from_str(text).map_err(|error| {
            Failure::Input(format!("the transaction is not valid JSON: {error}"))
        })?;
        Given::Json(tx)
    } else {
        let blob = const_hex::decode(text).map_err(|error| {
            Failure::Input(format!(
                "the transaction is neither hex nor JSON: {error}. Give a signed blob in hex, \
                 JSON, @FILE, or - for standard input"
            ))
        })?;
        Given::Blob(blob)
    };
    let prepared = prepare(given, config)?;
    let pool = connect(endpoints(&config.rpc, &config.ws), Arc::new(TcpConnector))
        .await
        .map_err(Failure::node)?;
    let submission = match prepared {
        Prepared::Signed(blob) => Submission::new(blob),
        Prepared::Unsigned(tx, key) => {
            Submission::new(fill_and_sign(*tx, &key, &pool, config).await?.blob).fresh()
        }
    };
    let tracker = Tracker::start(pool, Arc::new(MemoryStore::default()), tracker_config(config))
        .await
        .map_err(Failure::node)?;
    let submitted = tracker.submit(submission.want_metadata()).await.map_err(Failure::input)?;
    if !config.quiet && !config.json {
        let result = submitted.engine_result.as_ref().map_or("no answer yet", |r| r.as_str());
        super::print(&format!("{} {result} ({})", submitted.hash, submitted.state));
    }
    let ended = tokio::time::timeout(config.timeout, tracker.outcome(submitted.hash)).await;
    let outcome = match ended {
        Ok(outcome) => Some(outcome.map_err(Failure::node)?),
        Err(_) => None,
    };
    let dossier = tracker.dossier(submitted.hash).await.map_err(Failure::node)?;
    tracker.shutdown(Duration::ZERO).await;
    let exit = exit_code(outcome.as_deref());
    tell(config, outcome.as_deref(), dossier.as_ref());
    Ok(exit)
}

enum Given {
    Json(Json),
    Blob(Vec<u8>),
}

enum Prepared {
    Signed(Vec<u8>),
    Unsigned(Box<Json>, KeyPair),
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
fn prepare(given: Given, config: &Config) -> Result<Prepared, Failure> {
    let definitions = Definitions::builtin();
    let check = |fields: &Object| {
        verify_transaction(fields).map_err(|error| {
            Failure::Input(format!("the transaction's signature is not valid: {error}"))
        })
    };
    match given {
        Given::Blob(blob) => {
            let fields = Object::decode(&blob, definitions)
                .map_err(|error| Failure::Input(format!("not a transaction: {error}")))?;
            check(&fields)?;
            Ok(Prepared::Signed(blob))
        }
        Given::Json(tx) if tx.get("TxnSignature").is_some() || tx.get("Signers").is_some() => {
            let fields = Object::from_json(&tx, definitions).map_err(Failure::input)?;
            check(&fields)?;
            Ok(Prepared::Signed(fields.encode()))
        }
        Given::Json(mut tx) => {
            let key = key(config)?;
            let account = key.account_id().to_string();
            if let Some(map) = tx.as_object_mut() {
                // A regular key signs for another account; without Account it is the key's own.
                map.entry("Account").or_insert_with(|| json!(account));
            }
            Object::from_json(&tx, definitions).map_err(Failure::input)?;
            Ok(Prepared::Unsigned(Box::new(tx), key))
        }
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

/// Fills in what is missing and signs.
async fn fill_and_sign(
    mut tx: Json,
    key: &KeyPair,
    pool: &Pool,
    config: &Config,
) -> Result<SignedTransaction, Failure> {
    let state = pool.request(&ServerState::default()).await.map_err(Failure::node)?.state;
    let head = state
        .validated_ledger
        .ok_or_else(|| Failure::Node("the node has no validated ledger yet".into()))?;
    let account: AccountId = tx["Account"]
        .as_str()
        .unwrap_or_default()
        .parse()
        .map_err(|error| Failure::Input(format!("Account: {error}")))?;
    let lacks = |tx: &Json, name: &str| tx.get(name).is_none();
    if lacks(&tx, "Sequence") && !lacks(&tx, "TicketSequence") {
        tx["Sequence"] = json!(0);
    }
    if lacks(&tx, "Sequence") {
        let request = AccountInfo {
            account: Some(account),
            ledger_index: Some(LedgerSpec::Current),
            queue: true,
        };
        let info =
            pool.request(&request).await.map_err(|error| match error.is_token("actNotFound") {
                true => Failure::Input(format!("Account: {account} does not exist on this ledger")),
                false => Failure::node(error),
            })?;
        tx["Sequence"] = json!(info.account_data.sequence.0);
    }
    if lacks(&tx, "Fee") {
        let fee = pool.request(&Fee::default()).await.map_err(Failure::node)?.drops;
        let wanted = fee.open_ledger_fee.0.max(fee.base_fee.0);
        if wanted > config.max_fee_drops {
            return Err(Failure::Node(format!(
                "the fee is {wanted} drops now, above --max-fee-drops {}: try later, or allow more",
                config.max_fee_drops
            )));
        }
        tx["Fee"] = json!(wanted.to_string());
    }
    if lacks(&tx, "LastLedgerSequence") {
        tx["LastLedgerSequence"] = json!(head.seq.0.saturating_add(config.last_ledger_offset));
    }
    let network = config.network_id.or(state.network_id);
    if let Some(id) = network.filter(|id| *id > NETWORK_ID_LIMIT)
        && lacks(&tx, "NetworkID")
    {
        tx["NetworkID"] = json!(id);
    }
    let object = Object::from_json(&tx, Definitions::builtin()).map_err(Failure::input)?;
    Ok(sign(object, key))
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
    super::print(&match outcome {
        None => format!(
            "undecided after {:?}: it may still be validated; look again by its hash",
            config.timeout
        ),
        Some(outcome) => {
            let result = outcome.engine_result.as_ref().map_or("", |result| result.as_str());
            let place = outcome
                .validated_ledger
                .map_or_else(String::new, |index| format!(" in ledger {index}"));
            let proof = json!(outcome.evidence);
            format!("{} {result}{place}\nevidence: {proof}", outcome.state)
        }
    });
}
