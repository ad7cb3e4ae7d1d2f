//! The effective configuration: flags over environment over file over defaults, each value with
//! its origin.

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use url::Url;
use xrpl_generator::{Capacity, FuzzConfig};
use xrpl_protocol::{Definitions, Hash256, keys::KeyType};
use xrpl_standalone::{ledger::Impersonated, node::Votes};
use xrpl_store_postgres::{Address, Environment};
use xrpl_tracker::{Subscription, store::Retention};

use crate::{
    ab::{AbMode, Side},
    scenario::Scenario,
    settings::{SETTINGS, Setting, Shape, find, split},
};

mod check;
mod read;
mod scenario;
pub mod values;

/// The file that is read if it is there and no other is named.
pub const DEFAULT_FILE: &str = "xrpl-workload.toml";

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// What transactions pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeeChoice {
    /// The base fee.
    Base,
    /// What gets into the open ledger at once, up to the maximum.
    OpenLedger,
    /// Always this many drops.
    Fixed(u64),
}

/// Where transactions are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreChoice {
    /// Nowhere: gone with the process.
    Memory,
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL database.
    Postgres(Address),
}

impl StoreChoice {
    /// Takes what an address leaves out from the environment.
    fn complete(&mut self, environment: &Environment<'_>) -> Result<(), String> {
        match self {
            Self::Postgres(address) => address.complete(environment).map_err(|e| e.to_string()),
            Self::Memory | Self::File(_) => Ok(()),
        }
    }

    /// As `--store` is given, with the environment of this process.
    ///
    /// # Errors
    /// It is a wrong address, or the environment has a wrong value.
    pub fn given(text: &str) -> Result<Self, String> {
        let mut choice = values::store(text)?;
        choice.complete(&|name| std::env::var(name).ok())?;
        Ok(choice)
    }

    /// What kind it is, in one word.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::File(_) => "file",
            Self::Postgres(_) => "postgres",
        }
    }
}

/// As it is given, without a password.
impl fmt::Display for StoreChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Postgres(address) => write!(f, "{address}"),
        }
    }
}

/// What a run does when its nodes come back with another chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnReset {
    /// It ends; what was in flight is left as it is.
    End,
    /// The same, and a new run begins on the new chain.
    NewRun,
}

/// From where a fork goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkChoice {
    /// WebSocket address of an xrpld.
    pub url: Url,
    /// Which ledger; the newest validated one if not given.
    pub ledger: Option<u32>,
}

/// When the ledger of `standalone` closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// Each interval.
    Interval,
    /// By `ledger_accept`.
    Manual,
    /// When a submitted transaction was applied.
    OnSubmit,
}

/// Every setting's value; what each means stands in [`SETTINGS`].
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the table of settings documents each")]
pub struct Config {
    pub rpc: Vec<Url>,
    pub ws: Vec<Url>,
    pub ab: Vec<Side>,
    pub ab_mode: AbMode,
    pub network_id: Option<u32>,
    /// What the run does. Without a file it is one stage of `duration` and `tps`.
    pub scenario: Scenario,
    pub scenario_file: Option<PathBuf>,
    pub time_scale: f64,
    pub definitions: Option<Arc<Definitions>>,
    pub duration: Option<Duration>,
    pub tps: f64,
    pub max_pending: usize,
    pub accounts: Option<usize>,
    pub accounts_file: Vec<Secret>,
    pub gateways: usize,
    pub currencies: Vec<String>,
    pub types: BTreeMap<String, u32>,
    /// `--modifiers`.
    pub modifiers: BTreeMap<String, u32>,
    /// `--steer coverage`.
    pub steer_coverage: bool,
    /// `--coverage`.
    pub coverage: bool,
    pub intent_invalid: f64,
    pub fuzz: f64,
    pub journeys: f64,
    /// Whether load starts once accounts are ready; no setting, for commands that send something else.
    pub autostart: bool,
    pub fuzz_types: Vec<String>,
    pub findings: PathBuf,
    pub seed: String,
    pub key_type: KeyType,
    pub fee_strategy: FeeChoice,
    pub max_fee_drops: u64,
    pub max_replacements: u8,
    pub funding_secret: Option<Secret>,
    pub fund_drops: u64,
    pub last_ledger_offset: u32,
    pub sweep: bool,
    pub shutdown_grace: Duration,
    pub on_reset: OnReset,
    pub store: StoreChoice,
    pub name: Option<String>,
    pub retention: Option<Retention>,
    pub subscribe: Subscription,
    pub full_streams: usize,
    pub event_queue: usize,
    pub check_interval: Duration,
    pub ledger_interval: Duration,
    pub close: Close,
    pub start_time: Option<u32>,
    pub amendments: Vec<Hash256>,
    pub faucet_drops: u64,
    pub faucet_rate: u32,
    pub faucet_token: Option<Secret>,
    pub state: Option<PathBuf>,
    pub state_interval: Option<Duration>,
    pub import: Option<PathBuf>,
    pub fork: Option<ForkChoice>,
    pub fork_cache: Option<PathBuf>,
    pub impersonate: Impersonated,
    /// `--vote`.
    pub vote: Votes,
    pub amendment_majority_time: Duration,
    pub exit_on_stdin_eof: bool,
    pub rpc_bind: SocketAddr,
    pub ws_bind: SocketAddr,
    pub txq_minimum_txn_in_ledger: Option<u64>,
    pub txq_maximum_txn_in_ledger: Option<u64>,
    pub txq_maximum_txn_per_account: usize,
    pub ledger_history: Option<usize>,
    pub reference_fee: u64,
    pub reserve_base: u64,
    pub reserve_increment: u64,
    pub open_admin: bool,
    pub api_bind: SocketAddr,
    pub api_token: Option<Secret>,
    pub no_api: bool,
    pub api_rate: u32,
    pub webhook: Option<Url>,
    pub webhook_secret: Option<Secret>,
    pub heartbeat: bool,
    /// The node's ledgers are executed once more, and compared.
    pub shadow: bool,
    /// Where what comes out otherwise is written.
    pub shadow_dir: PathBuf,
    pub secret: Option<Secret>,
    pub secret_file: Option<PathBuf>,
    pub timeout: Duration,
    pub json: bool,
    pub quiet: bool,
    pub interval: Duration,
    pub log_level: String,
    pub log_json: bool,
    origins: Origins,
}

/// What each key was given as, and where. Holds secrets, so that it has no telling `Debug`.
#[derive(Clone, Default)]
struct Origins(BTreeMap<&'static str, (Vec<String>, Origin)>);

impl fmt::Debug for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// This environment variable.
    Env(String),
    /// Its flag.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Env(name) => f.write_str(name),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// What is wrong with the configuration. Each text names the key or flag and the fix.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{} is not valid TOML: {cause}", path.display())]
    Toml {
        /// Which.
        path: PathBuf,
        /// Where and why.
        cause: Box<toml::de::Error>,
    },
    /// The scenario's file cannot be.
    #[error("--scenario {}: {why}", path.display())]
    Scenario {
        /// Which.
        path: PathBuf,
        /// Where and why.
        why: String,
    },
    /// A key that nothing reads.
    #[error(
        "unknown {what} {name:?}{place}{} (`xrpl-workload config` lists all)",
        nearest.as_ref().map_or_else(String::new, |name| format!(": did you mean {name:?}?"))
    )]
    Unknown {
        /// `key` or `environment variable`.
        what: &'static str,
        /// As given.
        name: String,
        /// ` in FILE`, or nothing.
        place: String,
        /// The known one that was probably meant.
        nearest: Option<String>,
    },
    /// A value that cannot be.
    #[error("{given}: {why}")]
    Value {
        /// How it was given.
        given: String,
        /// What is wrong and how to fix it.
        why: String,
    },
    /// Values that do not go together.
    #[error("{0}")]
    Conflict(String),
}

/// One row of `xrpl-workload config`.
#[derive(Clone, Debug)]
pub struct Effective {
    /// The setting.
    pub setting: &'static Setting,
    /// Its values; `<redacted>` for a secret.
    pub values: Vec<String>,
    /// Where they come from.
    pub origin: Origin,
}

impl Effective {
    /// The values as one text, as a user would write them.
    #[must_use]
    pub fn text(&self) -> String {
        self.values.join(",")
    }
}

/// Where values may come from, besides the defaults.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Values of flags by key.
    pub flags: BTreeMap<&'static str, Vec<String>>,
    /// The environment.
    pub env: Vec<(String, String)>,
    /// A file named by the user; [`DEFAULT_FILE`] is read if there is one.
    pub file: Option<PathBuf>,
}

impl Sources {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        // A variable that is no UTF-8 cannot be one of ours.
        let env = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { env, ..Self::default() }
    }
}

impl Config {
    /// Before any setting is applied.
    pub(crate) fn empty() -> Self {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            rpc: Vec::new(),
            ws: Vec::new(),
            ab: Vec::new(),
            ab_mode: AbMode::InTurn,
            network_id: None,
            scenario: Scenario::of_settings(0.0, None),
            scenario_file: None,
            time_scale: 1.0,
            definitions: None,
            duration: None,
            tps: 0.0,
            max_pending: 0,
            accounts: None,
            accounts_file: Vec::new(),
            gateways: 0,
            currencies: Vec::new(),
            types: BTreeMap::new(),
            modifiers: BTreeMap::new(),
            steer_coverage: false,
            coverage: false,
            intent_invalid: 0.0,
            fuzz: 0.0,
            journeys: 0.0,
            autostart: true,
            fuzz_types: Vec::new(),
            findings: PathBuf::new(),
            seed: String::new(),
            key_type: KeyType::Ed25519,
            fee_strategy: FeeChoice::Base,
            max_fee_drops: 0,
            max_replacements: 0,
            funding_secret: None,
            fund_drops: 0,
            last_ledger_offset: 0,
            sweep: false,
            shutdown_grace: Duration::ZERO,
            on_reset: OnReset::End,
            store: StoreChoice::Memory,
            name: None,
            retention: None,
            subscribe: Subscription::Transactions,
            full_streams: 0,
            event_queue: 0,
            check_interval: Duration::ZERO,
            ledger_interval: Duration::ZERO,
            close: Close::Interval,
            start_time: None,
            amendments: Vec::new(),
            faucet_drops: 0,
            faucet_rate: 0,
            faucet_token: None,
            state: None,
            state_interval: None,
            import: None,
            fork: None,
            fork_cache: None,
            impersonate: Impersonated::Nobody,
            vote: Votes::default(),
            amendment_majority_time: Duration::ZERO,
            exit_on_stdin_eof: false,
            rpc_bind: anywhere,
            ws_bind: anywhere,
            txq_minimum_txn_in_ledger: None,
            txq_maximum_txn_in_ledger: None,
            txq_maximum_txn_per_account: 0,
            ledger_history: None,
            reference_fee: 0,
            reserve_base: 0,
            reserve_increment: 0,
            open_admin: false,
            api_bind: anywhere,
            api_token: None,
            no_api: false,
            api_rate: 0,
            webhook: None,
            webhook_secret: None,
            heartbeat: false,
            shadow: false,
            shadow_dir: PathBuf::new(),
            secret: None,
            secret_file: None,
            timeout: Duration::ZERO,
            json: false,
            quiet: false,
            interval: Duration::ZERO,
            log_level: String::new(),
            log_json: false,
            origins: Origins::default(),
        }
    }

    /// Puts the configuration together.
    ///
    /// # Errors
    /// An unknown key, a value that cannot be, or values that do not go together.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut config = Self::empty();
        for setting in SETTINGS {
            config.set(setting, setting.default_values(), Origin::Default)?;
        }
        config.read_file(sources)?;
        let scenario = config.read_scenario(sources)?;
        config.read_env(&sources.env)?;
        for (key, values) in &sources.flags {
            let setting = find(key).ok_or_else(|| read::unknown("flag", key, String::new()))?;
            let values = match setting.shape {
                Shape::Many | Shape::Table => values.iter().flat_map(|v| split(v)).collect(),
                Shape::One | Shape::Switch => values.clone(),
            };
            config.set(setting, values, Origin::Flag)?;
        }
        let variable = |name: &str| {
            let given = sources.env.iter().find(|(known, _)| known == name);
            given.map(|(_, value)| value.clone())
        };
        config.store.complete(&variable).map_err(|why| ConfigError::Value {
            given: format!("--store {}", config.store),
            why,
        })?;
        config.settle_scenario(scenario)?;
        config.check()?;
        Ok(config)
    }

    /// The largest share that is generated at random, percent.
    #[must_use]
    pub fn peak_fuzz(&self) -> f64 {
        self.scenario.peak_fuzz(self.fuzz)
    }

    /// The share that is generated at random, on a ledger that closes so often.
    #[must_use]
    pub fn fuzz_band(&self, interval: Duration) -> FuzzConfig {
        FuzzConfig {
            percent: self.fuzz,
            types: self.fuzz_types.clone(),
            accounts: FuzzConfig::accounts_for(
                self.peak_fuzz(),
                self.scenario.peak_tps(),
                interval,
            ),
            interval,
        }
    }

    /// How many user accounts: as told, or enough for the load on a ledger that closes so often.
    #[must_use]
    pub fn user_accounts(&self, interval: Duration) -> usize {
        /// What an unlimited load on the embedded ledger takes: what one ledger of it can.
        const MANY: usize = 2_000;
        self.accounts.unwrap_or_else(|| match self.scenario.places(interval) {
            None if self.rpc.is_empty() => MANY,
            places => Capacity::accounts_for(places.unwrap_or(0.0), self.max_pending),
        })
    }

    /// What carries the load: the accounts that send, those of --accounts-file or the users and
    /// gateways, on a ledger that closes so often.
    #[must_use]
    pub fn capacity(&self, interval: Duration) -> Capacity {
        let accounts = match self.accounts_file.len() {
            0 => self.user_accounts(interval) + self.gateways,
            given => given,
        };
        Capacity { accounts, max_pending: self.max_pending, interval }
    }

    /// Every secret that was given.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let given = [&self.funding_secret, &self.api_token, &self.secret, &self.webhook_secret];
        let urls = self.rpc.iter().chain(&self.ws).chain(&self.webhook);
        let given = given.into_iter().flatten().chain(&self.accounts_file);
        let store = match &self.store {
            StoreChoice::Postgres(address) => address.password(),
            StoreChoice::Memory | StoreChoice::File(_) => None,
        };
        given.map(Secret::reveal).chain(urls.filter_map(Url::password)).chain(store)
    }

    /// All settings with their values and origins.
    pub fn effective(&self) -> impl Iterator<Item = Effective> + '_ {
        SETTINGS.iter().map(|setting| {
            let (values, origin) = self
                .origins
                .0
                .get(setting.key)
                .cloned()
                .unwrap_or_else(|| (setting.default_values(), Origin::Default));
            let hide = setting.secret && !values.is_empty();
            let values = match hide {
                true => vec!["<redacted>".to_owned()],
                false => values.iter().map(|value| without_password(value)).collect(),
            };
            Effective { setting, values, origin }
        })
    }

    /// Whether a setting has its default because nobody set it.
    #[must_use]
    pub fn is_default(&self, key: &str) -> bool {
        !self.origins.0.get(key).is_some_and(|(_, origin)| *origin != Origin::Default)
    }
}

/// An address without the password in it; anything else as it is.
pub(crate) fn without_password(text: &str) -> String {
    if Address::is_meant(text) {
        // Of a wrong one it is not known what is the password.
        return Address::parse(text).map_or("postgres://<redacted>".into(), |it| it.to_string());
    }
    match Url::parse(text) {
        Ok(mut url) if url.password().is_some() => {
            // Addresses with a password have a host, so that it can be set.
            let _ = url.set_password(Some("redacted"));
            url.to_string()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
