//! A run's parts, each from its settings: nodes, tracker, generator.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use url::Url;
use xrpl_client::{Connector, Endpoint, Pool, PoolConfig};
use xrpl_generator::{
    Funding, GeneratorConfig,
    accounts::{PASSING, Role, derive},
    capacity::USUAL_INTERVAL,
};
use xrpl_protocol::{
    AccountId, Definitions, Drops,
    keys::{KeyPair, KeyType, Seed},
};
use xrpl_tracker::TrackerConfig;

use crate::{
    config::{Config, FeeChoice, Secret},
    session::SetupError,
};

/// How long a node may take to answer at the start.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// A gateway's funds, as a multiple of a user's.
pub(crate) const GATEWAY_SHARE: u64 = 10;

/// Where a node is if none is named: where `standalone` and `xrpld -a` listen.
const LOCAL: (&str, &str) = ("http://127.0.0.1:5005/", "ws://127.0.0.1:6006/");

/// Takes the node of this machine where none is named.
pub(crate) fn default_to_local(config: &mut Config) {
    if config.rpc.is_empty() {
        // Constants of this file.
        config.rpc = Url::parse(LOCAL.0).into_iter().collect();
        config.ws = Url::parse(LOCAL.1).into_iter().collect();
    }
}

/// Nodes by their addresses.
#[must_use]
pub fn endpoints(rpc: &[Url], ws: &[Url]) -> Vec<Endpoint> {
    rpc.iter()
        .zip(ws)
        .map(|(rpc, ws)| Endpoint { rpc: rpc.clone(), ws: Some(ws.clone()) })
        .collect()
}

/// A pool of which at least one node has answered.
///
/// # Errors
/// None did.
pub async fn connect(
    endpoints: Vec<Endpoint>,
    connector: Arc<dyn Connector>,
) -> Result<Pool, SetupError> {
    let pool = Pool::new(endpoints, PoolConfig { connector, ..PoolConfig::default() });
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        pool.check_health().await;
        let health = pool.health();
        if health.iter().any(|node| node.validated.is_some()) {
            return Ok(pool);
        }
        if Instant::now() > deadline || health.iter().all(|node| node.last_error.is_some()) {
            let causes: Vec<_> = health
                .iter()
                .map(|node| match &node.last_error {
                    Some(error) => error.clone(),
                    None => format!(
                        "{}: in state {:?}, without a validated ledger",
                        node.name, node.server_state
                    ),
                })
                .collect();
            return Err(SetupError(format!(
                "no node answers: {}. Is it running there? Leave out --rpc and --ws (and RPC_URL, \
                 WS_URL) for an embedded ledger",
                causes.join("; ")
            )));
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// The tracker's part of the configuration.
#[must_use]
pub fn tracker_config(config: &Config) -> TrackerConfig {
    TrackerConfig {
        subscription: config.subscribe.clone(),
        full_streams: config.full_streams,
        queue_capacity: config.event_queue,
        check_interval: config.check_interval,
        definitions: match &config.definitions {
            Some(given) => Arc::clone(given),
            None => Arc::new(Definitions::builtin().clone()),
        },
        start_timeout: START_TIMEOUT,
        ..TrackerConfig::default()
    }
}

pub(crate) fn generator_config(
    config: &Config,
    interval: Duration,
    definitions: &Arc<Definitions>,
) -> Result<GeneratorConfig, SetupError> {
    let funding = match &config.funding_secret {
        _ if !config.accounts_file.is_empty() => Funding::Accounts(given_seeds(config)?),
        Some(secret) => Funding::Seed(seed("--funding-secret", secret)?),
        None => Funding::Genesis,
    };
    if config.funding_secret.is_some() && config.is_default("seed") {
        tracing::warn!(
            "without --seed the accounts are those of everybody who gives none: on a network that \
             others use give one of your own"
        );
    }
    Ok(GeneratorConfig {
        seed: config.seed.clone(),
        accounts: config.user_accounts(interval),
        gateways: config.gateways,
        currencies: config.currencies.clone(),
        key_type: config.key_type,
        funding,
        user_drops: Drops(config.fund_drops),
        gateway_drops: Drops(config.fund_drops.saturating_mul(GATEWAY_SHARE)),
        stages: config.scenario.stages.clone(),
        max_pending_per_account: config.max_pending,
        weights: config.types.clone(),
        modifiers: config.modifiers.clone(),
        steer_coverage: config.steer_coverage,
        intent_invalid: config.intent_invalid,
        fee_strategy: match config.fee_strategy {
            FeeChoice::Base => xrpl_generator::FeeStrategy::Base,
            FeeChoice::OpenLedger => xrpl_generator::FeeStrategy::OpenLedger,
            FeeChoice::Fixed(drops) => xrpl_generator::FeeStrategy::Fixed(drops),
        },
        max_fee_drops: Drops(config.max_fee_drops),
        max_replacements: config.max_replacements,
        last_ledger_offset: config.last_ledger_offset,
        network_id: config.network_id,
        drain: config.shutdown_grace,
        sweep: config.sweep,
        fuzz: config.fuzz_band(interval),
        autostart: config.autostart,
        journeys_per_minute: config.journeys,
        definitions: Arc::clone(definitions),
        ..GeneratorConfig::default()
    })
}

fn seed(flag: &str, secret: &Secret) -> Result<Seed, SetupError> {
    secret.reveal().parse().map_err(|error| SetupError::new(format!("{flag}: {error}")))
}

/// The account that funds the others; none where --accounts-file has them.
///
/// # Errors
/// What was given is no secret.
pub(crate) fn funding_account(config: &Config) -> Result<Option<AccountId>, SetupError> {
    let seed = match &config.funding_secret {
        _ if !config.accounts_file.is_empty() => return Ok(None),
        Some(secret) => seed("--funding-secret", secret)?,
        None => Seed::from_passphrase("masterpassphrase", KeyType::Secp256k1),
    };
    Ok(Some(KeyPair::from_seed(&seed).account_id()))
}

/// What `--accounts-file` has.
fn given_seeds(config: &Config) -> Result<Vec<Seed>, SetupError> {
    let seeds = config.accounts_file.iter().map(|secret| seed("--accounts-file", secret));
    seeds.map(|seed| Ok(as_told(seed?, config))).collect()
}

/// A seed with its key type: "sEd..." says it; "s..." may be either, and is secp256k1 unless
/// `--key-type` is given.
pub(crate) fn as_told(seed: Seed, config: &Config) -> Seed {
    match seed.key_type() == KeyType::Secp256k1 && !config.is_default("key_type") {
        true => seed.with_key_type(config.key_type),
        false => seed,
    }
}

/// The accounts of a run of this configuration, made from its seed or given, without who funds them.
/// How many users `auto` gave is not known here: those that sent are in the run's rows.
///
/// # Errors
/// What was given is no secret.
pub fn accounts(config: &Config) -> Result<Vec<AccountId>, SetupError> {
    if !config.accounts_file.is_empty() {
        let seeds = given_seeds(config)?;
        return Ok(seeds.iter().map(|seed| KeyPair::from_seed(seed).account_id()).collect());
    }
    let of = |role, count| {
        (0..count).map(move |n| {
            KeyPair::from_seed(&derive(&config.seed, role, n, config.key_type)).account_id()
        })
    };
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(of(Role::User, count(config.user_accounts(USUAL_INTERVAL)))
        .chain(of(Role::Gateway, count(config.gateways)))
        .chain(of(Role::Tagged, 1))
        .chain(of(Role::Passing, PASSING))
        .collect())
}

pub(crate) fn setup_hint(error: &str, config: &Config) -> String {
    let hint = match (&config.funding_secret, error.contains("funding account")) {
        (None, true) => {
            ". Without --funding-secret the genesis account of a private network funds; on any \
             other network give --funding-secret (or XRPL_WORKLOAD_FUNDING_SECRET)"
        }
        _ if !config.accounts_file.is_empty() && config.rpc.is_empty() => {
            ". An embedded ledger begins with the genesis account alone: give --rpc and --ws of the \
             network that has the accounts of --accounts-file"
        }
        _ => "",
    };
    format!("accounts could not be prepared: {error}{hint}")
}
