//! A ledger for tests in a line.

use std::{fmt, io, net::SocketAddr, path::PathBuf, time::Duration};

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::keys::KeyType;

use super::{
    Begin, Closing, EndOfTime, FaucetConfig, FundedAccounts, Standalone, StandaloneConfig,
    WrongStart,
};
use crate::{
    ledger::{Amendment, Fees},
    state::{OpenError, Partial, StateFile},
};

/// What [`Standalone::builder`] begins.
#[derive(Clone, Debug)]
#[must_use = "nothing starts before `start`"]
pub struct Builder {
    config: StandaloneConfig,
    accounts: FundedAccounts,
    state: Option<(PathBuf, Option<Duration>)>,
}

/// Why a ledger did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be bound.
    #[error("the ledger cannot listen: {0}")]
    Listen(#[from] io::Error),
    /// The state file cannot be used.
    #[error(transparent)]
    State(#[from] OpenError),
    /// A fork is to be kept in a file, which takes whole ledgers.
    #[error("a fork cannot be kept in a state file: {0}")]
    Partial(#[from] Partial),
    /// The clock cannot begin at the time that was given.
    #[error(transparent)]
    StartTime(#[from] WrongStart),
}

/// What a method answered with an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The error's token, such as `actNotFound`.
    pub token: String,
    /// The whole answer.
    pub result: Json,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.result.get("error_message").and_then(Json::as_str);
        write!(f, "{}: {}", self.token, message.unwrap_or("(no words)"))
    }
}

impl std::error::Error for Refused {}

impl Builder {
    fn new() -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            config: StandaloneConfig {
                rpc_bind: free,
                ws_bind: free,
                closing: Closing::OnSubmit,
                faucet: Some(FaucetConfig::default()),
                explorer: true,
                ..StandaloneConfig::default()
            },
            accounts: FundedAccounts::default(),
            state: None,
        }
    }

    /// Where JSON-RPC listens; a free port of this machine if not given.
    pub fn rpc_bind(mut self, address: SocketAddr) -> Self {
        self.config.rpc_bind = address;
        self
    }

    /// Where WebSocket listens; a free port of this machine if not given.
    pub fn ws_bind(mut self, address: SocketAddr) -> Self {
        self.config.ws_bind = address;
        self
    }

    /// When ledgers close; on each submission if not given.
    pub fn closing(mut self, closing: Closing) -> Self {
        self.config.closing = closing;
        self
    }

    /// How many accounts are funded from the start; 10 if not given.
    pub fn accounts(mut self, count: u32) -> Self {
        self.accounts.count = count;
        self
    }

    /// What each of them gets, in drops; 10,000 XRP if not given.
    pub fn fund_drops(mut self, drops: u64) -> Self {
        self.accounts.drops = drops;
        self
    }

    /// The text from which their seeds follow.
    pub fn seed(mut self, text: impl Into<String>) -> Self {
        self.accounts.seed = text.into();
        self
    }

    /// Their key type; Ed25519 if not given.
    pub fn key_type(mut self, key_type: KeyType) -> Self {
        self.accounts.key_type = key_type;
        self
    }

    /// What the clock shows at the start, in seconds since 2000-01-01: not less than the ledger that
    /// is brought. If not given the time of day; the clock of a state file goes on by itself.
    pub fn start_time(mut self, seconds: u32) -> Self {
        self.config.start_time = Some(seconds);
        self
    }

    /// Which amendments are on; all that xrpld 3.3 supports if not given.
    pub fn amendments(mut self, on: impl IntoIterator<Item = Amendment>) -> Self {
        self.config.node.amendments = on.into_iter().map(Amendment::id).collect();
        self
    }

    /// The network id; 0 if not given.
    pub fn network_id(mut self, id: u32) -> Self {
        self.config.node.network_id = id;
        self
    }

    /// Fees and reserves; those of the main network if not given.
    pub fn fees(mut self, fees: Fees) -> Self {
        self.config.node.fees = fees;
        self
    }

    /// The faucet, or none.
    pub fn faucet(mut self, faucet: Option<FaucetConfig>) -> Self {
        self.config.faucet = faucet;
        self
    }

    /// What it begins with; ledgers 1 and 2 if not given.
    pub fn begin(mut self, begin: Begin) -> Self {
        self.config.begin = begin;
        self
    }

    /// Keeps the ledger in a file, and begins with what is in it: see [`Standalone::keep`].
    pub fn state(mut self, file: impl Into<PathBuf>, interval: Option<Duration>) -> Self {
        self.state = Some((file.into(), interval));
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(self) -> Result<Standalone, StartError> {
        let mut config = self.config;
        config.accounts = Some(self.accounts);
        let mut kept = None;
        if let Some((path, interval)) = self.state {
            if matches!(config.begin, Begin::Fork(_)) {
                return Err(Partial.into());
            }
            let (file, saved) = StateFile::open(&path)?;
            if let Some(saved) = saved {
                config.begin = Begin::Saved(saved);
            }
            kept = Some((file, interval));
        }
        config.begin.check_start_time(config.start_time)?;
        let server = Standalone::start(config).await?;
        if let Some((file, interval)) = kept {
            server.keep(file, interval);
        }
        Ok(server)
    }
}

impl Standalone {
    /// A ledger for tests: on free ports of this machine, with funded accounts and a faucet, which
    /// closes when a transaction is submitted. It ends when it is dropped.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use serde_json::json;
    /// use xrpl_standalone::Standalone;
    ///
    /// let ledger = Standalone::builder().accounts(2).start().await?;
    /// println!("JSON-RPC {}, WebSocket {}", ledger.rpc_url(), ledger.ws_url());
    /// let [one, other] = ledger.accounts() else { unreachable!() };
    /// let clean = ledger.snapshot();
    ///
    /// let pay = json!({
    ///     "TransactionType": "Payment", "Account": one.address, "Destination": other.address,
    ///     "Amount": "1000000",
    /// });
    /// ledger.call("submit", json!({"secret": one.seed.to_base58(), "tx_json": pay}))?;
    /// let info = ledger.call("account_info", json!({"account": other.address}))?;
    /// assert_eq!(info["account_data"]["Balance"], "10001000000");
    ///
    /// ledger.revert(&clean);
    /// let info = ledger.call("account_info", json!({"account": other.address}))?;
    /// assert_eq!(info["account_data"]["Balance"], "10000000000");
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// `http://ADDRESS` of JSON-RPC.
    #[must_use]
    pub fn rpc_url(&self) -> String {
        format!("http://{}", self.rpc_addr)
    }

    /// `ws://ADDRESS` of the WebSocket.
    #[must_use]
    pub fn ws_url(&self) -> String {
        format!("ws://{}", self.ws_addr)
    }

    /// Where the faucet is, if there is one.
    #[must_use]
    pub fn faucet_url(&self) -> Option<String> {
        self.shared.faucet_address()
    }

    /// Asks a method as an administrator would; its result.
    ///
    /// # Errors
    /// What the method answered instead.
    pub fn call(&self, method: &str, params: Json) -> Result<Json, Refused> {
        let request = Map::from_iter([
            ("method".to_owned(), method.into()),
            ("params".to_owned(), json!([params])),
        ]);
        let answer = self.request(&request);
        let result = answer.map_or_else(|text| json!({"error": text}), |mut a| a["result"].take());
        match result.get("error").and_then(Json::as_str) {
            None => Ok(result),
            Some(token) => Err(Refused { token: token.to_owned(), result }),
        }
    }

    /// The same, reading first what a fork does not know yet.
    ///
    /// # Errors
    /// What the method answered instead; `noNetwork` where a fork's origin does not answer.
    pub async fn ask(&self, method: &str, params: Json) -> Result<Json, Refused> {
        let asked = self.shared.complete(|| self.call(method, params.clone())).await;
        asked.unwrap_or_else(|error| {
            let result = json!({"error": "noNetwork", "error_message": error.to_string()});
            Err(Refused { token: "noNetwork".into(), result })
        })
    }

    /// Keeps ledger and clock as they are; the snapshot's name.
    #[must_use]
    pub fn snapshot(&self) -> String {
        // Without a name there is none that is taken.
        self.shared.take_snapshot(None).unwrap_or_else(|name| name)
    }

    /// Goes back to a snapshot, which stays; those taken later are dropped. False if there is none
    /// of that name.
    pub fn revert(&self, snapshot: &str) -> bool {
        self.shared.revert_to(snapshot).is_some()
    }

    /// Puts the clock forward and closes a ledger, so that the time is the ledger's.
    ///
    /// # Errors
    /// When time ends before.
    pub fn advance_time(&self, seconds: u32) -> Result<(), EndOfTime> {
        self.shared.time_for(1, seconds)?;
        self.shared.advance(seconds)?;
        self.shared.accept().map(drop)
    }
}
