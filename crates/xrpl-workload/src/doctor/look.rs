//! Asks one node.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value as Json};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};
use xrpl_client::{
    ClientError, Connector, Endpoint, Pool, PoolConfig,
    json_rpc::JsonRpc,
    request::{AccountInfo, Fee, Ledger, LedgerSpec, Raw, Subscribe},
    websocket::{self, Utf8Bytes, WebSocket},
};
use xrpl_generator::{
    accounts::{Role, derive},
    capacity::{self, USUAL_INTERVAL},
    catalogue::Catalogue,
    enabled_amendments,
};
use xrpl_protocol::{AccountId, Drops, Hash256, LedgerIndex, hash::sha512_half, keys::KeyPair};

use super::{
    Check,
    checks::{self, Tip},
};
use crate::{config::Config, definitions::Known, parts};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the stream may take to tell of a ledger: two of a public network.
const STREAM_PATIENCE: Duration = Duration::from_secs(10);
/// Seconds from 1970 to 2000, where the ledger's clock begins.
const RIPPLE_EPOCH: u64 = 946_684_800;
/// Messages of a stream that are looked through for a ledger.
const FRAMES: usize = 1_000;

/// What was found of a node.
pub(super) struct Looked {
    pub(super) checks: Vec<Check>,
    /// Where it answers.
    pub(super) tip: Option<Tip>,
    /// What an account must hold there, in drops.
    pub(super) reserve: u64,
}

/// A method without parameters.
fn raw(method: &str) -> Raw {
    Raw { method: method.to_owned(), params: Map::new() }
}

/// Seconds since 2000-01-01 by this machine's clock.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs().saturating_sub(RIPPLE_EPOCH)).unwrap_or(i64::MAX)
}

/// A pool of one node alone.
fn alone(endpoint: &Endpoint, connector: Arc<dyn Connector>) -> Pool {
    let config = PoolConfig { connector, timeout: PATIENCE, ..PoolConfig::default() };
    Pool::new(vec![endpoint.clone()], config)
}

/// Looks at one node.
pub(super) async fn node(
    config: &Config,
    endpoint: &Endpoint,
    connector: Arc<dyn Connector>,
) -> Looked {
    let rpc = JsonRpc::new(endpoint.rpc.clone(), Arc::clone(&connector), 2, PATIENCE);
    let (over_rpc, over_ws) = tokio::join!(
        over_rpc(config, endpoint, &rpc, Arc::clone(&connector)),
        over_ws(endpoint, &*connector)
    );
    let mut checks = over_rpc.checks;
    let (socket, mut frames) = match over_ws {
        Ok(open) => open,
        Err(check) => {
            checks.push(check);
            return Looked { checks, tip: over_rpc.tip, reserve: over_rpc.reserve };
        }
    };
    let asked = socket.request(&raw("server_state"), PATIENCE).await;
    match (asked, over_rpc.state) {
        (Ok(theirs), Some(state)) => {
            let hashes = hashes(&rpc, &socket).await;
            checks.push(checks::same_node(&state, &theirs["state"], hashes));
            let ping = raw("ping");
            let pings = tokio::join!(rpc.request(&ping), socket.request(&ping, PATIENCE));
            if let (Ok(rpc), Ok(ws)) = pings {
                checks.extend(checks::role(&rpc, &ws));
            }
        }
        (Ok(_), None) => {}
        (Err(error), _) => {
            checks.push(checks::unreachable("websocket", "--ws", &error));
            return Looked { checks, tip: over_rpc.tip, reserve: over_rpc.reserve };
        }
    }
    checks.push(stream(&socket, &mut frames).await);
    Looked { checks, tip: over_rpc.tip, reserve: over_rpc.reserve }
}

/// What JSON-RPC alone shows.
struct OverRpc {
    checks: Vec<Check>,
    state: Option<Json>,
    tip: Option<Tip>,
    reserve: u64,
}

async fn over_rpc(
    config: &Config,
    endpoint: &Endpoint,
    rpc: &JsonRpc,
    connector: Arc<dyn Connector>,
) -> OverRpc {
    let asked = Instant::now();
    let state = match rpc.request(&raw("server_state")).await {
        Ok(answer) if answer["state"].is_object() => answer["state"].clone(),
        Ok(_) => {
            let error = ClientError::Unknown {
                endpoint: Arc::clone(rpc.name()),
                cause: "the answer to server_state has no state".to_owned(),
            };
            let checks = vec![checks::unreachable("json-rpc", "--rpc", &error)];
            return OverRpc { checks, state: None, tip: None, reserve: 0 };
        }
        Err(error) => {
            let checks = vec![checks::unreachable("json-rpc", "--rpc", &error)];
            return OverRpc { checks, state: None, tip: None, reserve: 0 };
        }
    };
    let (took, now) = (asked.elapsed(), now());
    let pool = alone(endpoint, connector);
    let definitions = Known::load(config, &pool).await;
    let funded = config.accounts_file.is_empty().then_some(config.fund_drops);
    let mut all = vec![
        Check::ok("json-rpc", format!("answers in {} ms", took.as_millis())),
        checks::synced(&state, now),
        checks::version(&state, definitions.note()),
        checks::network(&state, config.network_id),
        // Twice as long as a transaction may wait for its ledger.
        checks::history(&state, config.last_ledger_offset.saturating_mul(2)),
        checks::clock(&state, now),
        checks::reserves(&state, funded),
    ];
    if let Ok(fee) = rpc.request(&Fee {}).await {
        all.push(checks::fees(&fee));
    }
    all.push(types(config, &pool).await);
    let ledger = &state["validated_ledger"];
    let index = ledger["seq"].as_u64().and_then(|index| u32::try_from(index).ok());
    let tip = index.map(|index| Tip {
        name: rpc.name().to_string(),
        network: state["network_id"].as_u64().unwrap_or(0),
        index,
        common: None,
    });
    let reserve = ledger["reserve_base"].as_u64().unwrap_or(0);
    OverRpc { checks: all, state: Some(state), tip, reserve }
}

async fn types(config: &Config, pool: &Pool) -> Check {
    let Ok(mut catalogue) = Catalogue::new(&config.types) else {
        return Check::error("types", "--types names no type that exists", "correct --types");
    };
    let Some(enabled) = enabled_amendments(pool).await else {
        return Check::warning(
            "types",
            "the node does not report its amendments",
            "types that it lacks are switched off once it refuses them; --types leaves them out before",
        );
    };
    catalogue.set_amendments(|name| enabled.contains(&sha512_half(&[name.as_bytes()])));
    let abouts: BTreeMap<_, _> =
        catalogue.types().map(|of| (of.about().name, of.about())).collect();
    let lacks: Vec<_> = catalogue
        .disabled()
        .filter_map(|(name, why)| {
            let why = why?;
            let lacked = abouts.get(name)?.amendments().find(|amendment| *amendment == why)?;
            Some((name.to_owned(), lacked.to_owned()))
        })
        .collect();
    let mixes = config.scenario.stages.iter().filter_map(|stage| stage.mix.as_ref());
    let asked: Vec<_> = std::iter::once(&config.types)
        .chain(mixes)
        .flat_map(|weights| weights.iter().filter(|(_, weight)| **weight > 0))
        .map(|(name, _)| name.clone())
        .collect();
    checks::types(&lacks, &asked, abouts.len())
}

type Open = (WebSocket, mpsc::Receiver<Utf8Bytes>);

async fn over_ws(endpoint: &Endpoint, connector: &dyn Connector) -> Result<Open, Check> {
    let Some(url) = &endpoint.ws else {
        return Err(Check::error("websocket", "no address", "give one with --ws"));
    };
    let (to, frames) = mpsc::channel(FRAMES);
    let open = websocket::connect(connector, url, PATIENCE, to).await;
    open.map(|socket| (socket, frames))
        .map_err(|error| checks::unreachable("websocket", "--ws", &error))
}

/// The hash that a node has for a ledger.
pub(super) async fn hash(
    endpoint: &Endpoint,
    connector: Arc<dyn Connector>,
    index: u32,
) -> Option<Hash256> {
    let rpc = JsonRpc::new(endpoint.rpc.clone(), connector, 1, PATIENCE);
    let spec = LedgerSpec::Index(LedgerIndex(index));
    let ledger = Ledger { ledger_index: Some(spec) };
    rpc.request(&ledger).await.ok()?.ledger_hash
}

/// What both ports have for one ledger; none if there is none that both have.
async fn hashes(rpc: &JsonRpc, socket: &WebSocket) -> Option<(Hash256, Hash256)> {
    let newest = |spec| Ledger { ledger_index: Some(spec) };
    let first = rpc.request(&newest(LedgerSpec::Validated)).await.ok()?;
    let second = socket.request(&newest(LedgerSpec::Validated), PATIENCE).await.ok()?;
    let (first, second) = (first.ledger_index?, second.ledger_index?);
    let spec = LedgerSpec::Index(LedgerIndex(first.0.min(second.0)));
    let first = rpc.request(&newest(spec)).await.ok()?.ledger_hash?;
    let second = socket.request(&newest(spec), PATIENCE).await.ok()?.ledger_hash?;
    Some((first, second))
}

async fn stream(socket: &WebSocket, frames: &mut mpsc::Receiver<Utf8Bytes>) -> Check {
    let streams = vec!["ledger".to_owned(), "transactions".to_owned()];
    let began = Instant::now();
    let asked = socket.request(&Subscribe { streams, ..Subscribe::default() }, PATIENCE).await;
    if let Err(error) = asked {
        return checks::stream(Err(error.to_string()), STREAM_PATIENCE);
    }
    let deadline = began + STREAM_PATIENCE;
    let told = loop {
        match timeout_at(deadline, frames.recv()).await {
            Ok(Some(frame)) if frame.contains("\"ledgerClosed\"") => {
                break Ok(Some(began.elapsed()));
            }
            Ok(Some(_)) => {}
            Ok(None) => break Err("the node ended the connection".to_owned()),
            Err(_) => break Ok(None),
        }
    };
    checks::stream(told, STREAM_PATIENCE)
}

/// What the run as a whole needs: funds, and accounts enough for its rate.
pub(super) async fn run(
    config: &Config,
    endpoint: &Endpoint,
    connector: Arc<dyn Connector>,
    funder: Option<AccountId>,
    reserve: u64,
) -> Vec<Check> {
    let pool = alone(endpoint, connector);
    let interval = timeout(PATIENCE, capacity::ledger_interval(&pool)).await;
    let measured = interval.ok().flatten();
    let interval = measured.unwrap_or(USUAL_INTERVAL);
    let mut all = Vec::new();
    match funder {
        Some(funder) => all.push(funds(config, &pool, funder, reserve, interval).await),
        None => all.push(given(config, &pool).await),
    }
    let capacity = config.capacity(interval);
    all.push(match capacity.shortfall(config.scenario.peak_tps()) {
        Some(shortfall) => {
            Check::warning("rate", shortfall, "give more --accounts or a higher --max-pending")
        }
        None => Check::ok(
            "rate",
            format!(
                "a ledger every {:.1} s{}; {} accounts carry up to {}/s",
                interval.as_secs_f64(),
                if measured.is_some() { "" } else { " (assumed: its history is short)" },
                capacity.accounts,
                crate::words::number(capacity.tps().floor())
            ),
        ),
    });
    all
}

async fn balance(pool: &Pool, account: AccountId) -> Result<Option<Drops>, ClientError> {
    let request = AccountInfo {
        account: Some(account),
        ledger_index: Some(LedgerSpec::Validated),
        ..AccountInfo::default()
    };
    match pool.request(&request).await {
        Ok(found) => Ok(Some(found.account_data.balance)),
        Err(error) if error.is_token("actNotFound") => Ok(None),
        Err(error) => Err(error),
    }
}

fn unread(error: &ClientError) -> Check {
    Check::error(
        "funds",
        format!("accounts cannot be read: {error}"),
        "the node must answer account_info for the validated ledger",
    )
}

async fn funds(
    config: &Config,
    pool: &Pool,
    funder: AccountId,
    reserve: u64,
    interval: Duration,
) -> Check {
    let found = match balance(pool, funder).await {
        Ok(found) => found,
        Err(error) => return unread(&error),
    };
    let first =
        KeyPair::from_seed(&derive(&config.seed, Role::User, 0, config.key_type)).account_id();
    let existing = matches!(balance(pool, first).await, Ok(Some(_)));
    let shares =
        config.user_accounts(interval) as u64 + config.gateways as u64 * parts::GATEWAY_SHARE;
    let needed = config.fund_drops.saturating_mul(shares).saturating_add(reserve);
    checks::funds(found, &funder.to_string(), needed, config.funding_secret.is_none(), existing)
}

/// Whether the accounts of --accounts-file exist.
async fn given(config: &Config, pool: &Pool) -> Check {
    let accounts = match parts::accounts(config) {
        Ok(accounts) => accounts,
        Err(error) => return Check::error("funds", error.to_string(), "correct --accounts-file"),
    };
    let of = accounts.len();
    let mut missing = Vec::new();
    for account in accounts {
        match balance(pool, account).await {
            Ok(Some(_)) => {}
            Ok(None) => missing.push(account.to_string()),
            Err(error) => return unread(&error),
        }
    }
    match missing.first() {
        None => Check::ok("funds", format!("all {of} accounts of --accounts-file exist")),
        Some(first) => Check::error(
            "funds",
            format!(
                "{} of {of} accounts of --accounts-file do not exist there, such as {first}",
                missing.len()
            ),
            "fund them, or leave them out",
        ),
    }
}
