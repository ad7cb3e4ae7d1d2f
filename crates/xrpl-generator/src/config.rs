//! The settings of a generator.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use xrpl_protocol::{
    Currency, Definitions, Drops,
    keys::{KeyType, Seed},
};

use crate::{
    catalogue::Catalogue,
    error::GeneratorError,
    fees::FeeStrategy,
    fuzz::{FuzzConfig, types::Types},
    lane::MOST_RIVALS,
    modifier::Shares,
    pacing::Pace,
    stage::{MOST_JOURNEYS, Stage},
};

/// Issued currencies of a run at most.
pub const MOST_CURRENCIES: usize = 255;

/// Where the accounts' XRP comes from.
#[derive(Clone, Debug)]
pub enum Funding {
    /// The genesis account of a private network ("masterpassphrase"), which owns all XRP there.
    Genesis,
    /// The account of this seed.
    Seed(Seed),
    /// Nowhere: these accounts exist and own what they need. The first `gateways` of them are the
    /// gateways. None is derived.
    Accounts(Vec<Seed>),
}

/// Settings of a generator. Everything has a default.
#[derive(Clone, Debug)]
pub struct GeneratorConfig {
    /// Accounts and transactions follow from it: same seed, same accounts, same transactions in
    /// the same order per account.
    pub seed: String,
    /// How many users.
    pub accounts: usize,
    /// How many gateways, which issue the currencies.
    pub gateways: usize,
    /// Codes of the issued currencies; the n-th is issued to users by gateway n modulo gateways.
    pub currencies: Vec<String>,
    /// Key type of derived accounts.
    pub key_type: KeyType,
    /// Where the XRP comes from.
    pub funding: Funding,
    /// What each user gets at first.
    pub user_drops: Drops,
    /// What each gateway gets at first.
    pub gateway_drops: Drops,
    /// What each user gets of each currency at first, in whole units.
    pub issued_balance: u32,
    /// How fast, and of what: one after the other. The load is over with the last one.
    pub stages: Vec<Stage>,
    /// Transactions of one account in flight.
    pub max_pending_per_account: usize,
    /// Submissions that wait for the endpoint's answer at once.
    pub max_submitting: usize,
    /// Weights by type name; types not named keep their own weight, 0 leaves one out.
    pub weights: BTreeMap<String, u32>,
    /// Percentage of the transactions sent with a modifier, by its name; modifiers not named keep
    /// their own share, 0 leaves one out.
    pub modifiers: BTreeMap<String, u32>,
    /// Whether types, modifiers and mutations that the run has not covered yet go first.
    pub steer_coverage: bool,
    /// Percentage of deliberately invalid transactions.
    pub intent_invalid: f64,
    /// How fees are found.
    pub fee_strategy: FeeStrategy,
    /// The most `open_ledger` pays.
    pub max_fee_drops: Drops,
    /// How many transactions may follow one on its Sequence or Ticket, with a higher fee where its own
    /// no longer suffices, or as a no-op where it was refused; 0 for none, 3 at most.
    pub max_replacements: u8,
    /// How many ledgers after the newest validated one a transaction may still be in.
    pub last_ledger_offset: u32,
    /// `NetworkID` to put in; only for networks above 1024. None asks the node.
    pub network_id: Option<u32>,
    /// A slot used later than this counts as late.
    pub late_after: Duration,
    /// A slot later than this is given up and counted as missed.
    pub give_up_after: Duration,
    /// Whether load starts at once, or at [`Generator::start`](crate::Generator::start).
    pub autostart: bool,
    /// How many journeys begin in a minute of load, in turn.
    pub journeys_per_minute: f64,
    /// How long what is in flight at the end may take.
    pub drain: Duration,
    /// Whether funds return to the funding account at the end.
    pub sweep: bool,
    /// The share that is generated at random.
    pub fuzz: FuzzConfig,
    /// What the node says of types and fields.
    pub definitions: Arc<Definitions>,
}

impl Default for GeneratorConfig {
    fn default() -> Self {
        Self {
            seed: "xrpl-workload".into(),
            accounts: 100,
            gateways: 2,
            currencies: ["USD", "EUR", "GBP", "JPY"].map(str::to_owned).into(),
            key_type: KeyType::Ed25519,
            funding: Funding::Genesis,
            user_drops: Drops::from_xrp(10_000),
            gateway_drops: Drops::from_xrp(100_000),
            issued_balance: 100_000,
            stages: vec![Stage::of(Pace::Fixed(20.0))],
            max_pending_per_account: 5,
            max_submitting: 512,
            weights: BTreeMap::new(),
            modifiers: BTreeMap::new(),
            steer_coverage: false,
            intent_invalid: 0.0,
            fee_strategy: FeeStrategy::Base,
            max_fee_drops: Drops(100_000),
            max_replacements: 2,
            last_ledger_offset: 20,
            network_id: None,
            late_after: Duration::from_millis(100),
            give_up_after: Duration::from_secs(10),
            autostart: true,
            journeys_per_minute: 0.0,
            drain: Duration::from_secs(90),
            sweep: false,
            fuzz: FuzzConfig::default(),
            definitions: Arc::new(Definitions::builtin().clone()),
        }
    }
}

impl GeneratorConfig {
    /// Whether a part of the load is drawn at random, in one of its stages at least.
    pub(crate) fn fuzzes(&self) -> bool {
        let of = |stage: &Stage| stage.fuzz.unwrap_or(self.fuzz.percent) > 0.0;
        self.fuzz.percent > 0.0 || self.stages.iter().any(of)
    }

    /// The parsed currencies.
    ///
    /// # Errors
    /// Names the one that is wrong.
    pub(crate) fn currencies(&self) -> Result<Vec<Currency>, GeneratorError> {
        let parse = |code: &String| match code.parse::<Currency>() {
            Ok(currency) if !currency.is_xrp() => Ok(currency),
            _ => Err(GeneratorError::config(
                "currencies",
                format!(
                    "{code:?} is no issued currency: use three letters or 40 hexadecimal digits"
                ),
            )),
        };
        self.currencies.iter().map(parse).collect()
    }

    /// Checks what can be checked without a node.
    ///
    /// # Errors
    /// Names the setting that is wrong.
    pub fn check(&self) -> Result<(), GeneratorError> {
        let wrong = |setting: &'static str, why: String| Err(GeneratorError::config(setting, why));
        if !(0.0..=MOST_JOURNEYS).contains(&self.journeys_per_minute) {
            return wrong("journeys", format!("how many in a minute, from 0 to {MOST_JOURNEYS}"));
        }
        if self.accounts < 2 {
            return wrong("accounts", "at least 2 are needed to pay each other".into());
        }
        if self.currencies()?.len() > MOST_CURRENCIES {
            return wrong("currencies", format!("at most {MOST_CURRENCIES}"));
        }
        if !self.currencies.is_empty() && self.gateways == 0 {
            return wrong("gateways", "issued currencies need at least one".into());
        }
        if !(0.0..=100.0).contains(&self.intent_invalid) {
            return wrong("intent_invalid", "a percentage from 0 to 100".into());
        }
        if self.max_pending_per_account == 0 {
            return wrong("max_pending_per_account", "at least 1".into());
        }
        if self.max_replacements > MOST_RIVALS {
            return wrong("max_replacements", format!("at most {MOST_RIVALS}"));
        }
        if self.max_submitting == 0 {
            return wrong("max_submitting", "at least 1".into());
        }
        if self.stages.is_empty() {
            return wrong("stages", "at least one".into());
        }
        self.stages.iter().try_for_each(Stage::check)?;
        if self.last_ledger_offset < 3 {
            // xrpld queues nothing that would expire within two ledgers.
            return wrong("last_ledger_offset", "at least 3".into());
        }
        if let Funding::Accounts(seeds) = &self.funding
            && seeds.len() < self.gateways + 2
        {
            let need = self.gateways + 2;
            return wrong("accounts_file", format!("{} accounts, {need} are needed", seeds.len()));
        }
        if !(0.0..=100.0).contains(&self.fuzz.percent) {
            return wrong("fuzz", "a percentage from 0 to 100".into());
        }
        if self.fuzzes() && matches!(self.funding, Funding::Accounts(_)) {
            let why = "its accounts are made for it, and given accounts fund nobody: leave out \
                       accounts_file, or fuzz";
            return wrong("fuzz", why.into());
        }
        Types::new(&self.definitions, &self.fuzz.types)?;
        Shares::new(&self.modifiers)?;
        Catalogue::new(&self.weights).map(|_| ())
    }
}
