//! Every setting once: its name, its default, what it means and which commands take it.
//!
//! Flag and environment variable follow from the key: `max_pending` is `--max-pending` and
//! `XRPL_WORKLOAD_MAX_PENDING`. Command line, `config`, reference page and the checks of the configuration
//! file are all made from this table, so that they cannot disagree.

use xrpl_generator::lane::MOST_RIVALS;

use crate::config::Config;

/// What every environment variable of this program starts with.
pub const ENV_PREFIX: &str = "XRPL_WORKLOAD_";

/// Commands that take a setting, as bits.
pub mod commands {
    /// `run`.
    pub const RUN: u16 = 1;
    /// `standalone`.
    pub const STANDALONE: u16 = 2;
    /// `submit`.
    pub const SUBMIT: u16 = 4;
    /// What reads records of runs: `runs`, `report`, `compare`.
    pub const RECORDS: u16 = 8;
    /// What asks a running instance: `tx`, `status`, `watch`.
    pub const ASK: u16 = 16;
    /// `watch`.
    pub const WATCH: u16 = 32;
    /// `audit`.
    pub const AUDIT: u16 = 64;
    /// `shadow`.
    pub const SHADOW: u16 = 128;
    /// `journey`.
    pub const JOURNEY: u16 = 256;
    /// What sends transactions of its own accounts.
    pub const SENDS: u16 = RUN | JOURNEY;
    /// All that start something.
    pub const ALL: u16 = SENDS | STANDALONE | SUBMIT;
}
use commands::{ALL, ASK, AUDIT, RECORDS, RUN, SENDS, SHADOW, STANDALONE, SUBMIT, WATCH};

/// How often a setting may be given, and how its flag looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One value.
    One,
    /// Several: the flag is repeated or its value has commas, the file has a list.
    Many,
    /// Name = number pairs: `--types Payment=3,TrustSet=0`, a table in the file.
    Table,
    /// Yes or no; the flag alone means yes.
    Switch,
}

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// The key in the file.
    pub key: &'static str,
    /// Which heading it stands under.
    pub group: &'static str,
    /// How often it may be given.
    pub shape: Shape,
    /// What stands for the value in help texts.
    pub value: &'static str,
    /// The default, written as a user would write it; empty for none.
    pub default: &'static str,
    /// Never shown.
    pub secret: bool,
    /// Which commands take its flag.
    pub commands: u16,
    /// What it means.
    pub doc: &'static str,
    /// Reads values into the configuration; says what is wrong and how to fix it.
    pub apply: fn(&mut Config, &[String]) -> Result<(), String>,
}

impl Setting {
    /// `--max-pending`.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("--{}", self.long())
    }

    /// `max-pending`.
    #[must_use]
    pub fn long(&self) -> String {
        self.key.replace('_', "-")
    }

    /// `XRPL_WORKLOAD_MAX_PENDING`.
    #[must_use]
    pub fn env(&self) -> String {
        format!("{ENV_PREFIX}{}", self.key.to_uppercase())
    }

    /// Whether `--help` shows it; `--help-all` shows every one.
    #[must_use]
    pub fn is_common(&self) -> bool {
        COMMON.contains(&self.key)
    }

    /// The default as values.
    #[must_use]
    pub fn default_values(&self) -> Vec<String> {
        match self.default {
            "" => Vec::new(),
            text if matches!(self.shape, Shape::Many | Shape::Table) => split(text),
            text => vec![text.to_owned()],
        }
    }
}

/// What most people need: the settings that `--help` shows of a command that has many.
const COMMON: &[&str] = &[
    "rpc",
    "ws",
    "network_id",
    "scenario",
    "duration",
    "tps",
    "accounts",
    "types",
    "intent_invalid",
    "seed",
    "funding_secret",
    "store",
    "name",
    "ledger_interval",
    "close",
    "amendments",
    "state",
    "fork",
    "rpc_bind",
    "ws_bind",
    "api_bind",
    "secret",
    "secret_file",
    "timeout",
    "json",
    "quiet",
];

/// Parts between commas.
#[must_use]
pub fn split(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The setting of a key.
#[must_use]
pub fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

macro_rules! settings {
    ($($group:literal { $($key:ident: $shape:ident $value:literal = $default:literal, $commands:expr $(, $secret:ident)?; $doc:literal => $apply:expr;)* })*) => {
        /// All settings, in the order they are shown.
        pub static SETTINGS: &[Setting] = &[$($(Setting {
            key: stringify!($key),
            group: $group,
            shape: Shape::$shape,
            value: $value,
            default: $default,
            secret: settings!(@secret $($secret)?),
            commands: $commands,
            doc: $doc,
            apply: $apply,
        },)*)*];
    };
    (@secret) => { false };
    (@secret secret) => { true };
}

use crate::config::values::{
    ab, ab_mode, accounts_file, address, amendments, close, currencies, duration, fee_strategy,
    flag, fork, impersonated, journeys, modifiers, name, number, on_reset, optional, percent, rate,
    retention, ripple_time, secret, steer, store, subscribe, text, time_scale, types, url, votes,
};

settings! {
    "Network" {
        rpc: Many "URL" = "", SENDS | SUBMIT;
            "JSON-RPC address of a node, http:// or https://; repeatable. Without it `run` starts an embedded ledger. RPC_URL is honoured too."
            => |c, v| { c.rpc = v.iter().map(|t| url(t, &["http", "https"], "http://127.0.0.1:5005")).collect::<Result<_, _>>()?; Ok(()) };
        ws: Many "URL" = "", SENDS | SUBMIT;
            "WebSocket address of the same node, ws:// or wss://; as many as --rpc, in the same order. WS_URL is honoured too."
            => |c, v| { c.ws = v.iter().map(|t| url(t, &["ws", "wss"], "ws://127.0.0.1:6006")).collect::<Result<_, _>>()?; Ok(()) };
        ab: Many "NAME=RPC,WS" = "", RUN;
            "Given twice, instead of --rpc and --ws: two nodes or networks that get the same load and are compared at the end, such as old=http://a:5005,ws://a:6006. Each keeps its store in a file of its own beside --store."
            => |c, v| { c.ab = ab(v)?; Ok(()) };
        ab_mode: One "MODE" = "in-turn", RUN;
            "Whether the two sides of --ab are driven in-turn or side-by-side."
            => |c, v| { c.ab_mode = ab_mode(text(v)?)?; Ok(()) };
        network_id: One "N" = "", SENDS | STANDALONE | SUBMIT;
            "NetworkID of the transactions (required above 1024); the node is asked for it if not given. For the embedded ledger: its own id, 0 if not given."
            => |c, v| { c.network_id = optional(v, |t| number(t, 0, u32::MAX, "1025"))?; Ok(()) };
        definitions: One "PATH" = "", SENDS | SUBMIT;
            "File with a response to `server_definitions`, used instead of the one that the node gives at the start (for `submit`: instead of the built-in one)."
            => |c, v| { c.definitions = optional(v, crate::config::values::definitions)?; Ok(()) };
    }
    "Load" {
        scenario: One "PATH" = "", RUN;
            "File that describes the run stage by stage (docs/scenarios.md). Its [run] has settings like these; flags and environment take precedence."
            => |c, v| { c.scenario_file = optional(v, |t| Ok(t.into()))?; Ok(()) };
        time_scale: One "FACTOR" = "1", RUN;
            "Factor for the durations and numbers of ledgers in --scenario: 0.1 runs it in a tenth of the time, at the same rates."
            => |c, v| { c.time_scale = time_scale(text(v)?)?; Ok(()) };
        duration: One "TIME" = "0", RUN;
            "How long the load runs, such as 60s, 5m or 1h30m; 0 runs until Ctrl-C."
            => |c, v| { let time = duration(text(v)?)?; c.duration = (!time.is_zero()).then_some(time); Ok(()) };
        tps: One "N" = "20", RUN;
            "Transactions per second, on an open-loop schedule; 0 is unlimited."
            => |c, v| { c.tps = rate(text(v)?)?; Ok(()) };
        max_pending: One "N" = "5", SENDS;
            "Transactions in flight per account; xrpld queues at most 10 per account."
            => |c, v| { c.max_pending = number(text(v)?, 1, 1000, "5")?; Ok(()) };
        accounts: One "N" = "auto", SENDS | STANDALONE | AUDIT;
            "Number of user accounts; for `standalone`, those funded from the start. auto: 10 for `standalone`, otherwise as many as --tps needs with --max-pending transactions in flight each per ledger, from 100 to 5000; 2000 for --tps 0 on the embedded ledger."
            => |c, v| { c.accounts = match text(v)? { "auto" => None, t => Some(number(t, 0, 1_000_000, "100")?) }; Ok(()) };
        accounts_file: One "PATH" = "", SENDS | AUDIT;
            "File with the secrets of existing accounts, one per line (# begins a comment): the first --gateways of them issue the currencies, the others are the users. No accounts are derived or funded then."
            => |c, v| { c.accounts_file = optional(v, accounts_file)?.unwrap_or_default(); Ok(()) };
        gateways: One "N" = "2", SENDS | AUDIT;
            "Number of gateway accounts, which issue the currencies."
            => |c, v| { c.gateways = number(text(v)?, 0, 255, "2")?; Ok(()) };
        currencies: Many "CODES" = "USD,EUR,GBP,JPY", SENDS;
            "Issued currencies, three letters or 40 hexadecimal digits each."
            => |c, v| { c.currencies = currencies(v)?; Ok(()) };
        types: Table "TYPE=WEIGHT" = "", RUN;
            "Weights of transaction types, such as Payment=10,TrustSet=0; 0 leaves a type out of the load. Types not named keep the catalogue's weight."
            => |c, v| { c.types = types(v)?; Ok(()) };
        modifiers: Table "MODIFIER=PERCENT" = "", RUN;
            "Percentage of transactions sent in another way, of those for which it is possible. Unless given: ticket=5, regular_key=2, multisign=2, delegated=2, batch=1, memos=2."
            => |c, v| { c.modifiers = modifiers(v)?; Ok(()) };
        steer: One "WHAT" = "", RUN;
            "`coverage`: prefer ways of sending a type that the run has not covered yet."
            => |c, v| { c.steer_coverage = optional(v, steer)?.is_some(); Ok(()) };
        coverage: Switch "" = "false", RUN;
            "Print at the end what was sent in which way (type x variant, modifier or mutation x result), and which ways were never used."
            => |c, v| { c.coverage = flag(text(v)?)?; Ok(()) };
        intent_invalid: One "PERCENT" = "0", RUN;
            "Percentage of deliberately invalid transactions; they are counted separately."
            => |c, v| { c.intent_invalid = percent(text(v)?)?; Ok(()) };
        fuzz: One "PERCENT" = "0", RUN;
            "Percentage of the load that is generated at random from the formats in the node's definitions, or has bytes flipped, cut or repeated; sent from accounts of its own and counted separately. Anything the node must not do is a finding and makes the exit code 1."
            => |c, v| { c.fuzz = percent(text(v)?)?; Ok(()) };
        fuzz_types: Many "TYPES" = "", RUN;
            "Transaction types that --fuzz generates; without it, all in the node's definitions."
            => |c, v| { c.fuzz_types = v.to_vec(); Ok(()) };
        findings: One "PATH" = "xrpl-workload-findings.jsonl", RUN;
            "File to which --fuzz writes findings, one line of JSON each, with the transactions that may have caused it. It is created with the first finding."
            => |c, v| { c.findings = text(v)?.into(); Ok(()) };
        journeys: One "N" = "0", RUN;
            "How many journeys are started per minute of load, one after another in the order of `journey --list`, beside the load and with its accounts."
            => |c, v| { c.journeys = journeys(text(v)?)?; Ok(()) };
        seed: One "TEXT" = "xrpl-workload", SENDS | STANDALONE | AUDIT;
            "Accounts and transactions are derived from it: the same seed gives the same accounts, and the same transactions in the same order per account."
            => |c, v| { c.seed = text(v)?.to_owned(); Ok(()) };
        key_type: One "TYPE" = "ed25519", SENDS | STANDALONE | SUBMIT | AUDIT;
            "Key type of derived accounts and, if given, of the secrets of --secret, --secret-file and --accounts-file that do not carry their own (\"s...\"): ed25519 or secp256k1."
            => |c, v| { c.key_type = text(v)?.parse().map_err(|_| "expected ed25519 or secp256k1".to_owned())?; Ok(()) };
        fee_strategy: One "STRATEGY" = "base", SENDS;
            "What transactions pay: base, open_ledger (enough to get into the open ledger, at most --max-fee-drops) or a fixed number of drops."
            => |c, v| { c.fee_strategy = fee_strategy(text(v)?)?; Ok(()) };
        max_fee_drops: One "DROPS" = "100000", SENDS | SUBMIT;
            "Highest fee that the open_ledger strategy, a replacement, or `submit` when it fills in the fee, may pay."
            => |c, v| { c.max_fee_drops = number(text(v)?, 10, 100_000_000_000, "100000")?; Ok(()) };
        max_replacements: One "N" = "2", SENDS;
            "How many times a transaction of the load may be replaced on its Sequence or Ticket: by one with a higher fee, at most --max-fee-drops, if its fee no longer suffices (never with a fixed fee), or by a no-op if it was refused for another reason. From 0 to 3."
            => |c, v| { c.max_replacements = number(text(v)?, 0, MOST_RIVALS, "2")?; Ok(()) };
        funding_secret: One "SEED" = "", SENDS, secret;
            "Seed of the account that funds the others; without it, the genesis account of a private network. Prefer the environment variable to the flag."
            => |c, v| { c.funding_secret = optional(v, secret)?; Ok(()) };
        fund_drops: One "DROPS" = "10000000000", SENDS | STANDALONE;
            "Amount with which each user account is funded; a gateway gets ten times as much."
            => |c, v| { c.fund_drops = number(text(v)?, 1_000_000, 1_000_000_000_000_000, "10000000000")?; Ok(()) };
        last_ledger_offset: One "N" = "20", SENDS | SUBMIT;
            "LastLedgerSequence of each transaction, counted from the newest validated ledger."
            => |c, v| { c.last_ledger_offset = number(text(v)?, 3, 10_000, "20")?; Ok(()) };
        sweep: Switch "" = "false", SENDS;
            "Return the remaining funds to the funding account at the end."
            => |c, v| { c.sweep = flag(text(v)?)?; Ok(()) };
        shutdown_grace: One "TIME" = "30s", SENDS;
            "How long to wait, after the load has stopped, for transactions in flight to reach their final state."
            => |c, v| { c.shutdown_grace = duration(text(v)?)?; Ok(()) };
        on_reset: One "WHAT" = "end", RUN;
            "What happens when the nodes come back with another chain: end (exit code 3), or new-run, which prepares accounts there and continues. Transactions in flight stay open in the old run."
            => |c, v| { c.on_reset = on_reset(text(v)?)?; Ok(()) };
    }
    "Tracking" {
        store: One "PATH|URL" = "xrpl-workload.db", SENDS | AUDIT | RECORDS;
            "Where transactions and the records of runs are stored: a SQLite file, a PostgreSQL database (`postgres://USER:PASSWORD@HOST:PORT/DATABASE`; what is left out comes from the `PG*` variables and `~/.pgpass`), or `memory`."
            => |c, v| { c.store = store(text(v)?)?; Ok(()) };
        name: One "TEXT" = "", SENDS;
            "Name of this run in its record: `runs`, `report` and `compare` find it by this too."
            => |c, v| { c.name = optional(v, name)?; Ok(()) };
        retention: One "TIME|N" = "", RUN;
            "Which transactions with a final state the store keeps: those of a time (7d), or a number of the newest (1000000). Without it, all. Rows that a webhook still needs stay, and rows with an Idempotency-Key for 7 days."
            => |c, v| { c.retention = optional(v, retention)?.flatten(); Ok(()) };
        heartbeat: Switch "" = "false", RUN;
            "Send one canary transaction per validated ledger, apart from the load: see GET /state/heartbeat."
            => |c, v| { c.heartbeat = flag(text(v)?)?; Ok(()) };
        shadow: Switch "" = "false", RUN;
            "Execute every ledger that the first --rpc node validates again by the embedded ledger's rules and compare results, metadata and hashes, beside the load: see GET /state/shadow. A difference makes the exit code 1."
            => |c, v| { c.shadow = flag(text(v)?)?; Ok(()) };
        shadow_dir: One "DIR" = "shadow", RUN | SHADOW;
            "Directory in which --shadow and `shadow` write each difference to a file, which `shadow --replay FILE` executes again. It is created with the first one."
            => |c, v| { c.shadow_dir = text(v)?.into(); Ok(()) };
        subscribe: One "KIND" = "transactions", SENDS | SUBMIT;
            "What to subscribe to: `transactions`, all of them, so that ledgers need not be read; or `accounts`, only the run's own, for networks with much other traffic."
            => |c, v| { c.subscribe = subscribe(text(v)?)?; Ok(()) };
        full_streams: One "N" = "1", SENDS;
            "With --subscribe transactions: how many nodes' streams carry every transaction. The others carry only validated ledgers, and take over from one that is lost, silent or incomplete."
            => |c, v| { c.full_streams = number(text(v)?, 1, 100, "1")?; Ok(()) };
        event_queue: One "N" = "1000", SENDS;
            "Capacity of the queue between WebSocket readers and the processor; when full, readers wait."
            => |c, v| { c.event_queue = number(text(v)?, 1, 1_000_000, "1000")?; Ok(()) };
        check_interval: One "TIME" = "5s", SENDS | SUBMIT;
            "How often to look up transactions whose result no stream has reported."
            => |c, v| { c.check_interval = duration(text(v)?)?; if c.check_interval.is_zero() { return Err("must be longer than 0, such as 5s".into()) } Ok(()) };
    }
    "Embedded ledger" {
        ledger_interval: One "TIME" = "1s", SENDS | STANDALONE;
            "How often the embedded ledger closes; with 0 `standalone` closes only by ledger_accept."
            => |c, v| { c.ledger_interval = duration(text(v)?)?; Ok(()) };
        close: One "WHEN" = "interval", STANDALONE;
            "When the ledger closes: `interval`, every --ledger-interval; `manual`, by ledger_accept; `on-submit`, as soon as a submitted transaction is applied. standalone_set_closing changes it."
            => |c, v| { c.close = close(text(v)?)?; Ok(()) };
        start_time: One "TIME" = "", STANDALONE;
            "What the ledger's clock shows at the start, such as 2026-01-31T12:00:00Z or seconds since 2000-01-01; by default the present time. The clock of a ledger from --state continues by itself. A time before that of the ledger one begins with is refused."
            => |c, v| { c.start_time = optional(v, ripple_time)?; Ok(()) };
        amendments: Many "NAMES" = "all", SENDS | STANDALONE;
            "Which amendments are enabled: `all` that xrpld 3.3 supports, those of `mainnet`, or `none`, and changes to these, such as mainnet,+LendingProtocol,-AMM."
            => |c, v| { c.amendments = amendments(v)?; Ok(()) };
        vote: Many "WHAT" = "", STANDALONE;
            "What this ledger's only validator votes for. At flag ledgers (every 256th) it becomes the pseudo-transactions SetFee, EnableAmendment and UNLModify, as in a network: +Amendment, reference_fee=DROPS, reserve_base=DROPS, reserve_increment=DROPS, disable=KEY and enable=KEY (a validator's public key in hexadecimal)."
            => |c, v| { c.vote = votes(v)?; Ok(()) };
        amendment_majority_time: One "TIME" = "15m", STANDALONE;
            "How long an amendment of --vote must keep its majority before it is enabled (xrpld's amendment_majority_time; networks take two weeks)."
            => |c, v| { c.amendment_majority_time = duration(text(v)?)?; Ok(()) };
        faucet_drops: One "DROPS" = "1000000000", STANDALONE;
            "What the faucet (POST /accounts beside JSON-RPC) gives if the request does not name an amount."
            => |c, v| { c.faucet_drops = number(text(v)?, 1, 100_000_000_000_000_000, "1000000000")?; Ok(()) };
        faucet_rate: One "N" = "100", STANDALONE;
            "Requests per second that one address may make to the faucet, in bursts of up to twice as many; others are answered with 429. 0 is unlimited."
            => |c, v| { c.faucet_rate = number(text(v)?, 0, 1_000_000, "100")?; Ok(()) };
        faucet_token: One "TOKEN" = "", STANDALONE, secret;
            "Token that the faucet requires as `Authorization: Bearer TOKEN`. Without it only callers on this machine are served. Prefer the environment variable to the flag."
            => |c, v| { c.faucet_token = optional(v, |t| if t.len() < 8 { Err("too short: use 8 characters or more".into()) } else { Ok(crate::config::Secret::new(t)) })?; Ok(()) };
        state: One "FILE" = "", STANDALONE;
            "File in which the ledger is kept: loaded at the start if it exists, written at the end and every --state-interval."
            => |c, v| { c.state = optional(v, |t| Ok(t.into()))?; Ok(()) };
        state_interval: One "TIME" = "60s", STANDALONE;
            "How often --state is written while the ledger runs, if anything changed; with 0 it is written only at the end."
            => |c, v| { let time = duration(text(v)?)?; c.state_interval = (!time.is_zero()).then_some(time); Ok(()) };
        import: One "FILE" = "", STANDALONE;
            "JSON of a ledger to begin with: the answer of standalone_export_state, or pages of ledger_data from any xrpld, one after another."
            => |c, v| { c.import = optional(v, |t| Ok(t.into()))?; Ok(()) };
        fork: One "URL" = "", STANDALONE;
            "Continue from a validated ledger of another network: ws://HOST or wss://HOST of an xrpld, with @INDEX for another ledger than the newest. Its entries are read when needed; new ledgers exist only here."
            => |c, v| { c.fork = optional(v, fork)?; Ok(()) };
        fork_cache: One "DIR" = "", STANDALONE;
            "Directory in which entries read by --fork are cached; by default `xrpl-workload/fork` in the user's cache directory."
            => |c, v| { c.fork_cache = optional(v, |t| Ok(t.into()))?; Ok(()) };
        impersonate: Many "ACCOUNTS" = "", STANDALONE;
            "Accounts for which any key may sign, or `all`. No real network allows this; server_info shows it."
            => |c, v| { c.impersonate = impersonated(v)?; Ok(()) };
        exit_on_stdin_eof: Switch "" = "false", STANDALONE;
            "End when standard input is closed: for programs that start a ledger and must not leave it behind."
            => |c, v| { c.exit_on_stdin_eof = flag(text(v)?)?; Ok(()) };
        rpc_bind: One "ADDRESS" = "127.0.0.1:5005", SENDS | STANDALONE;
            "Where the embedded ledger's JSON-RPC listens. If the default is taken, `run` takes a free port and says so."
            => |c, v| { c.rpc_bind = address(text(v)?, "127.0.0.1:5005")?; Ok(()) };
        ws_bind: One "ADDRESS" = "127.0.0.1:6006", SENDS | STANDALONE;
            "Where the embedded ledger's WebSocket listens. If the default is taken, `run` takes a free port and says so."
            => |c, v| { c.ws_bind = address(text(v)?, "127.0.0.1:6006")?; Ok(()) };
        txq_minimum_txn_in_ledger: One "N" = "auto", SENDS | STANDALONE;
            "Transactions that a ledger takes before fees escalate (xrpld's minimum_txn_in_ledger_standalone). auto: 1000 as xrpld for `standalone`, 100000 for `run`."
            => |c, v| { c.txq_minimum_txn_in_ledger = match text(v)? { "auto" => None, t => Some(number(t, 1, 10_000_000, "1000")?) }; Ok(()) };
        txq_maximum_txn_in_ledger: One "N" = "", SENDS | STANDALONE;
            "Upper limit for the number of transactions that a ledger takes before fees escalate (xrpld's maximum_txn_in_ledger); none by default."
            => |c, v| { c.txq_maximum_txn_in_ledger = optional(v, |t| number(t, 1, u64::MAX, "1000"))?; Ok(()) };
        txq_maximum_txn_per_account: One "N" = "10", SENDS | STANDALONE;
            "Transactions that the queue holds per account (xrpld's maximum_txn_per_account)."
            => |c, v| { c.txq_maximum_txn_per_account = number(text(v)?, 1, 10_000, "10")?; Ok(()) };
        ledger_history: One "N" = "auto", SENDS | STANDALONE;
            "Closed ledgers that stay readable; 0 keeps all. auto: all for `standalone`; 256 for `run`, whose memory must not grow with time, and fewer (at least 64) if they have more than 500000 transactions."
            => |c, v| { c.ledger_history = match text(v)? { "auto" => None, t => Some(number(t, 0, 10_000_000, "256")?) }; Ok(()) };
        reference_fee: One "DROPS" = "10", SENDS | STANDALONE;
            "Cost of an ordinary transaction on the embedded ledger (xrpld's reference_fee)."
            => |c, v| { c.reference_fee = number(text(v)?, 0, 1_000_000_000, "200")?; Ok(()) };
        reserve_base: One "DROPS" = "10000000", SENDS | STANDALONE;
            "XRP that an account of the embedded ledger must hold, in drops (xrpld's account_reserve)."
            => |c, v| { c.reserve_base = number(text(v)?, 0, 1_000_000_000_000, "20000000")?; Ok(()) };
        reserve_increment: One "DROPS" = "2000000", SENDS | STANDALONE;
            "What each object that an account owns adds to the reserve (xrpld's owner_reserve)."
            => |c, v| { c.reserve_increment = number(text(v)?, 0, 1_000_000_000_000, "5000000")?; Ok(()) };
        open_admin: Switch "" = "false", SENDS | STANDALONE;
            "Let every caller of the embedded ledger use admin methods and server-side signing. Without it, these are for callers whose Host header names this machine (localhost or an IP address) and that do not come from a page of another site."
            => |c, v| { c.open_admin = flag(text(v)?)?; Ok(()) };
    }
    "HTTP API" {
        api_bind: One "ADDRESS" = "127.0.0.1:8000", RUN;
            "Where the HTTP API listens. Any address other than loopback requires --api-token."
            => |c, v| { c.api_bind = address(text(v)?, "127.0.0.1:8000")?; Ok(()) };
        api_token: One "TOKEN" = "", RUN, secret;
            "Token that actions (every POST, and GETs that submit) must send as `Authorization: Bearer TOKEN`. Prefer the environment variable to the flag."
            => |c, v| { c.api_token = optional(v, |t| if t.len() < 8 { Err("too short: use 8 characters or more".into()) } else { Ok(crate::config::Secret::new(t)) })?; Ok(()) };
        no_api: Switch "" = "false", RUN;
            "Run without the HTTP API."
            => |c, v| { c.no_api = flag(text(v)?)?; Ok(()) };
        api_rate: One "N" = "1000", RUN;
            "Requests per second that one address may make, in bursts of up to twice as many; others are answered with 429. 0 is unlimited."
            => |c, v| { c.api_rate = number(text(v)?, 0, 1_000_000, "1000")?; Ok(()) };
        webhook: One "URL" = "", RUN;
            "URL (http:// or https://) to which each transaction's final state is posted as JSON, with an Idempotency-Key, and repeated for up to 72 hours until accepted."
            => |c, v| { c.webhook = optional(v, |t| url(t, &["http", "https"], "http://127.0.0.1:9000/hook"))?; Ok(()) };
        webhook_secret: One "KEY" = "", RUN, secret;
            "Signs what --webhook posts: the header X-Signature-256 is `sha256=` and the HMAC-SHA256 of the body in hex. Prefer the environment variable to the flag."
            => |c, v| { c.webhook_secret = optional(v, |t| if t.len() < 8 { Err("too short: use 8 characters or more".into()) } else { Ok(crate::config::Secret::new(t)) })?; Ok(()) };
    }
    "Submit" {
        secret: One "SEED" = "", SUBMIT, secret;
            "Seed that signs a transaction given as JSON. Prefer the environment variable or --secret-file to the flag."
            => |c, v| { c.secret = optional(v, secret)?; Ok(()) };
        secret_file: One "PATH" = "", SUBMIT;
            "File whose first line is the seed that signs a transaction given as JSON."
            => |c, v| { c.secret_file = optional(v, |t| Ok(t.into()))?; Ok(()) };
        timeout: One "TIME" = "120s", SUBMIT;
            "How long `submit` waits for the final result. After that the transaction is undecided, not failed."
            => |c, v| { c.timeout = duration(text(v)?)?; Ok(()) };
    }
    "Output" {
        json: Switch "" = "false", SENDS | STANDALONE | SUBMIT | ASK | AUDIT | RECORDS | SHADOW;
            "JSON lines on standard output; the last one is the summary. `standalone` prints one line with its addresses and accounts once it is ready."
            => |c, v| { c.json = flag(text(v)?)?; Ok(()) };
        quiet: Switch "" = "false", ALL | SHADOW;
            "No progress; only the summary and errors."
            => |c, v| { c.quiet = flag(text(v)?)?; Ok(()) };
        interval: One "TIME" = "5s", RUN | WATCH | SHADOW;
            "How often progress is printed if standard error is not a terminal, and with --json."
            => |c, v| { c.interval = duration(text(v)?)?; if c.interval.is_zero() { return Err("must be longer than 0, such as 5s".into()) } Ok(()) };
        log_level: One "FILTER" = "warn", ALL | AUDIT | SHADOW;
            "Log filter: error, warn, info, debug, trace, or by module as in xrpl_tracker=debug,warn."
            => |c, v| { c.log_level = crate::config::values::log_filter(text(v)?)?; Ok(()) };
        log_json: Switch "" = "false", ALL | AUDIT | SHADOW;
            "Log as JSON lines."
            => |c, v| { c.log_json = flag(text(v)?)?; Ok(()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_unique_and_written_one_way() {
        let mut keys: Vec<_> = SETTINGS.iter().map(|s| s.key).collect();
        keys.sort_unstable();
        let all = keys.len();
        keys.dedup();
        assert_eq!(keys.len(), all);
        for setting in SETTINGS {
            assert!(setting.key.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
            assert!(setting.doc.ends_with('.'), "{}", setting.key);
            assert_eq!(setting.shape == Shape::Switch, setting.value.is_empty(), "{}", setting.key);
        }
    }

    #[test]
    fn what_help_shows_exists() {
        for key in COMMON {
            assert!(find(key).is_some(), "{key}");
        }
    }

    #[test]
    fn every_default_is_a_value_its_own_setting_takes() {
        let mut config = Config::empty();
        for setting in SETTINGS {
            (setting.apply)(&mut config, &setting.default_values())
                .unwrap_or_else(|error| panic!("{}: {error}", setting.key));
        }
    }
}
