//! What no setting can check alone: which of them go together.

use std::time::Duration;

use xrpl_protocol::Definitions;

use super::{Config, ConfigError, StoreChoice};
use crate::{ab::AbMode, settings::ENV_PREFIX};

/// Drops that a fresh ledger has.
const ALL_XRP: u128 = 100_000_000_000_000_000;

impl Config {
    /// What no setting can check alone.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let conflict = |text: String| Err(ConfigError::Conflict(text));
        if self.rpc.len() != self.ws.len() {
            return conflict(format!(
                "--rpc has {} and --ws has {} addresses: give each node's JSON-RPC and WebSocket \
                 address, in the same order (or neither, for the embedded ledger)",
                self.rpc.len(),
                self.ws.len()
            ));
        }
        self.check_ab()?;
        if self.scenario.file.is_some() && self.accounts.is_some_and(|n| n < 2) {
            return conflict("accounts: a run needs 2 or more, such as 100".to_owned());
        }
        if !self.no_api && !self.api_bind.ip().is_loopback() && self.api_token.is_none() {
            return conflict(format!(
                "--api-bind {} can be reached from other machines: give --api-token (or set \
                 {ENV_PREFIX}API_TOKEN), or bind 127.0.0.1",
                self.api_bind
            ));
        }
        if !self.accounts_file.is_empty() {
            for (other, given) in [
                ("--accounts", self.accounts.is_some()),
                ("--funding-secret", self.funding_secret.is_some()),
                ("--sweep", self.sweep),
                // Its canary is an account of its own.
                ("--heartbeat", self.heartbeat),
                ("--fuzz", self.peak_fuzz() > 0.0),
            ] {
                if given {
                    return conflict(format!(
                        "--accounts-file and {other}: beside accounts of a file none is made or \
                         funded; give only one of them"
                    ));
                }
            }
            let (given, needed) = (self.accounts_file.len(), self.gateways + 2);
            if given < needed {
                return conflict(format!(
                    "--accounts-file has {given} secrets, and --gateways {} with two users need \
                     {needed}: give more secrets or fewer gateways",
                    self.gateways
                ));
            }
        }
        if self.rpc.is_empty() && self.fund_drops < self.reserve_base {
            return conflict(format!(
                "--fund-drops {} is less than --reserve-base {}: no account can be made of it. Give \
                 more, or lower the reserve",
                self.fund_drops, self.reserve_base
            ));
        }
        let together = self.accounts.unwrap_or(0) as u128 * u128::from(self.fund_drops);
        if self.rpc.is_empty() && together > ALL_XRP {
            return conflict(format!(
                "--accounts {} with --fund-drops {} each is more XRP than there is ({ALL_XRP} drops): \
                 give fewer accounts, or less to each",
                self.accounts.unwrap_or(0),
                self.fund_drops
            ));
        }
        if let (Some(least), Some(most)) =
            (self.txq_minimum_txn_in_ledger, self.txq_maximum_txn_in_ledger)
            && most < least
        {
            return conflict(format!(
                "--txq-maximum-txn-in-ledger {most} is less than --txq-minimum-txn-in-ledger {least}: \
                 give as much at the least"
            ));
        }
        if self.fork.is_some() {
            for (other, given) in
                [("--state", self.state.is_some()), ("--import", self.import.is_some())]
            {
                if given {
                    return conflict(format!(
                        "--fork and {other}: a ledger begins in one way; what --fork reads is kept \
                         in --fork-cache by itself. Give only one of them"
                    ));
                }
            }
        } else if self.fork_cache.is_some() {
            return conflict("--fork-cache keeps nothing without --fork: give both".into());
        }
        if !self.currencies.is_empty() && self.gateways == 0 {
            return conflict(
                "--gateways 0 leaves nobody to issue --currencies: give a gateway, or set \
                 currencies to an empty list in the file"
                    .into(),
            );
        }
        // Of a node that is yet to be asked it is not known which types it has.
        if self.rpc.is_empty() || self.definitions.is_some() {
            let definitions = self.definitions.as_deref().unwrap_or_else(|| Definitions::builtin());
            if let Err(why) = self.fuzz_band(Duration::ZERO).check(definitions) {
                return conflict(format!("--{}", why.to_string().replacen('_', "-", 1)));
            }
        }
        if !self.fuzz_types.is_empty() && self.peak_fuzz() == 0.0 {
            return conflict("--fuzz-types draws nothing without --fuzz: give both".into());
        }
        if self.retention.is_some() && self.store == StoreChoice::Memory {
            return conflict(
                "--retention prunes a file or a database, and --store memory keeps the newest 500000 \
                 by itself: give one, or leave it out"
                    .into(),
            );
        }
        if self.webhook_secret.is_some() && self.webhook.is_none() {
            return conflict("--webhook-secret signs nothing without --webhook: give both".into());
        }
        if self.secret.is_some() && self.secret_file.is_some() {
            return conflict("--secret and --secret-file: give only one of them".into());
        }
        Ok(())
    }

    fn check_ab(&self) -> Result<(), ConfigError> {
        let conflict = |text: &str| Err(ConfigError::Conflict(text.to_owned()));
        match self.ab.as_slice() {
            [] if self.is_default("ab_mode") => Ok(()),
            [] => conflict("--ab-mode says how the two of --ab are driven: give --ab twice"),
            [first, second] if first.name == second.name => {
                conflict("--ab: both have the same name; give each one of its own")
            }
            [_, _] if !self.rpc.is_empty() => conflict(
                "--ab and --rpc: the two of --ab are what is driven; leave --rpc and --ws out",
            ),
            [_, _] if matches!(self.store, StoreChoice::Postgres(_)) => conflict(
                "--ab and --store postgres://: each of the two has a file of its own; give --store a path",
            ),
            [_, _] if self.name.is_some() => conflict(
                "--ab and --name: each of the two is called as --ab says; leave --name out",
            ),
            [_, _] if self.scenario.time().is_none() && self.ab_mode == AbMode::InTurn => conflict(
                "--ab in turn: the first one must end for the second one to begin; give --duration, or \
                 stages that end",
            ),
            [_, _] => Ok(()),
            one_or_many => Err(ConfigError::Conflict(format!(
                "--ab was given {}: give it twice, once for each of the two",
                match one_or_many.len() {
                    1 => "once".to_owned(),
                    n => format!("{n} times"),
                }
            ))),
        }
    }
}
