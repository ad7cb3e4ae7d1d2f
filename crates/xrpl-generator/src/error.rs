//! What can go wrong.

use xrpl_protocol::AccountId;

/// Why the generator could not do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GeneratorError {
    /// A setting is wrong.
    #[error("{setting}: {why}")]
    Config {
        /// Its name.
        setting: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A stage cannot be.
    #[error("stage {stage:?}: {why}")]
    Stage {
        /// Its name.
        stage: String,
        /// What is wrong with it.
        why: String,
    },
    /// No such type in the catalogue.
    #[error("unknown transaction type {name:?}: {}", meant(*nearest, known))]
    UnknownType {
        /// As given.
        name: String,
        /// The nearest known one.
        nearest: Option<&'static str>,
        /// All that there are.
        known: Vec<&'static str>,
    },
    /// A type that no run sends.
    #[error("transaction type {name} is not sent: {why}")]
    Unsent {
        /// Its name.
        name: &'static str,
        /// Why not.
        why: &'static str,
    },
    /// No such journey.
    #[error("unknown journey {name:?}: {}", meant(*nearest, known))]
    UnknownJourney {
        /// As given.
        name: String,
        /// The nearest known one.
        nearest: Option<&'static str>,
        /// All that there are.
        known: Vec<&'static str>,
    },
    /// A journey cannot begin.
    #[error("the journey {journey} cannot begin: {why}")]
    Journey {
        /// Which.
        journey: &'static str,
        /// What is in its way.
        why: String,
    },
    /// The account is none of this run's.
    #[error("{0} is no account of this run")]
    UnknownAccount(AccountId),
    /// No account can do it now.
    #[error("no account can do it now: {0}")]
    Busy(&'static str),
    /// It is already so.
    #[error("the workload is {0} already")]
    AlreadySo(&'static str),
    /// The run has ended.
    #[error("the generator has ended")]
    Ended,
    /// The funding account has too little.
    #[error(
        "the funding account {account} has {has} drops above its reserve, {needed} are needed: fund it, or lower accounts or the amounts per account"
    )]
    Funds {
        /// Which.
        account: AccountId,
        /// Drops it can spend.
        has: u64,
        /// Drops that are needed.
        needed: u64,
    },
    /// The funding account does not exist.
    #[error("the funding account {0} does not exist on this network")]
    NoFundingAccount(AccountId),
    /// Preparing did not succeed.
    #[error("{stage}: {count} transactions did not succeed, the last one with {last}")]
    Prepare {
        /// What was being done.
        stage: &'static str,
        /// How many.
        count: usize,
        /// What the last one ended with.
        last: String,
    },
    /// The node did not answer, or with an error.
    #[error(transparent)]
    Client(#[from] xrpl_client::ClientError),
    /// The tracker did not take a transaction.
    #[error(transparent)]
    Tracker(#[from] xrpl_tracker::Error),
    /// The node's answer was not understood.
    #[error("{method}: {why}")]
    Answer {
        /// Of which request.
        method: &'static str,
        /// What was not understood.
        why: String,
    },
}

impl GeneratorError {
    pub(crate) fn config(setting: &'static str, why: impl Into<String>) -> Self {
        Self::Config { setting, why: why.into() }
    }
}

fn meant(nearest: Option<&str>, known: &[&str]) -> String {
    match nearest {
        Some(name) => format!("did you mean {name:?}?"),
        None => format!("there are {}", known.join(", ")),
    }
}
