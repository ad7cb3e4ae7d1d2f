//! `doctor`: looks at nodes before a run and says what would get in its way, and how to fix it.
//!
//! | part | what it does |
//! |---|---|
//! | `look` | asks one node over JSON-RPC and WebSocket |
//! | `checks` | judges each answer; pure functions |
//! | this file | all nodes at once, what they are to one another, and the report |
//!
//! Nothing is submitted and nothing changes on the node.

pub mod checks;
mod look;

use std::{fmt, sync::Arc};

use futures_util::future::join_all;
use serde::Serialize;
use url::Url;
use xrpl_client::{Connector, Endpoint};

use crate::{config::Config, session::SetupError};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As a run needs it.
    Ok,
    /// A run works, but not in every respect as asked.
    Warning,
    /// A run does not work, or not on this network.
    Error,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What, in a word.
    pub check: &'static str,
    /// How it is.
    pub level: Level,
    /// What was found.
    pub text: String,
    /// How to fix it, for warnings and errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Check {
    /// As it should be.
    #[must_use]
    pub fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, text: text.into(), fix: None }
    }

    /// A run works all the same.
    #[must_use]
    pub fn warning(check: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, level: Level::Warning, text: text.into(), fix: Some(fix.into()) }
    }

    /// A run does not work.
    #[must_use]
    pub fn error(check: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, level: Level::Error, text: text.into(), fix: Some(fix.into()) }
    }
}

/// A node, and what was found of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeReport {
    /// Its JSON-RPC address, without a password.
    pub rpc: String,
    /// Its WebSocket address, without a password.
    pub ws: String,
    /// In the order in which they were looked at.
    pub checks: Vec<Check>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// There is no error: a run can begin.
    pub ready: bool,
    /// Each node.
    pub nodes: Vec<NodeReport>,
    /// What they are to one another, and what the run as a whole needs.
    pub run: Vec<Check>,
}

/// Looks at every node of a configuration, all at the same time. It takes half a minute at most.
///
/// # Errors
/// The secret of the funding account cannot be read.
pub async fn examine(
    config: &Config,
    endpoints: Vec<Endpoint>,
    connector: Arc<dyn Connector>,
) -> Result<Report, SetupError> {
    let funds = crate::parts::funding_account(config)?;
    let looked = join_all(
        endpoints.iter().map(|endpoint| look::node(config, endpoint, Arc::clone(&connector))),
    )
    .await;
    let mut tips: Vec<_> = looked.iter().map(|node| node.tip.clone()).collect();
    let common = tips.iter().flatten().map(|tip| tip.index).min();
    if let Some(common) = common.filter(|_| tips.iter().flatten().count() > 1) {
        for (tip, endpoint) in tips.iter_mut().zip(&endpoints) {
            if let Some(tip) = tip {
                tip.common = look::hash(endpoint, Arc::clone(&connector), common).await;
            }
        }
    }
    let mut run = checks::together(&tips);
    // Any node that answers can say what the run as a whole needs to know.
    let answering = looked.iter().zip(&endpoints).find(|(node, _)| node.tip.is_some());
    if let Some((node, endpoint)) = answering {
        run.extend(look::run(config, endpoint, connector, funds, node.reserve).await);
    }
    let nodes: Vec<_> = looked
        .into_iter()
        .zip(&endpoints)
        .map(|(looked, endpoint)| NodeReport {
            rpc: shown(&endpoint.rpc),
            ws: endpoint.ws.as_ref().map_or_else(String::new, shown),
            checks: looked.checks,
        })
        .collect();
    let all = || nodes.iter().flat_map(|node| &node.checks).chain(&run);
    let ready = all().all(|check| check.level != Level::Error);
    Ok(Report { ready, nodes, run })
}

fn shown(url: &Url) -> String {
    crate::config::without_password(url.as_str())
}

impl Report {
    fn count(&self, level: Level) -> usize {
        let all = self.nodes.iter().flat_map(|node| &node.checks).chain(&self.run);
        all.filter(|check| check.level == level).count()
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {:<8} {:<11} {}", self.level.word(), self.check, self.text)?;
        match &self.fix {
            Some(fix) => write!(f, "\n{:23}fix: {fix}", ""),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for node in &self.nodes {
            writeln!(f, "{} {}", node.rpc, node.ws)?;
            node.checks.iter().try_for_each(|check| writeln!(f, "{check}"))?;
        }
        if !self.run.is_empty() {
            writeln!(f, "the run")?;
            self.run.iter().try_for_each(|check| writeln!(f, "{check}"))?;
        }
        let count = |level, word: &str| match self.count(level) {
            1 => format!("1 {word}"),
            n => format!("{n} {word}s"),
        };
        let (errors, warnings) = (count(Level::Error, "error"), count(Level::Warning, "warning"));
        match self.ready {
            true => write!(f, "ready for a run: {warnings}"),
            false => write!(f, "not ready for a run: {errors}, {warnings}"),
        }
    }
}
