//! What the driver publishes: where the run stands, who takes part, what was found.

use std::sync::Arc;

use tokio::{sync::watch, time::Instant};

use super::Driver;
use crate::{
    accounts::{Index, Role},
    findings::Finding,
    stats::{AccountListing, DisabledType, GatewayListing, Status},
};

impl Driver {
    pub(crate) fn status(&self) -> Arc<Status> {
        self.status_to.borrow().clone()
    }

    pub(crate) fn publish(&mut self) {
        self.published = Instant::now();
        let engine = &self.engine;
        let mut stats = engine.stats();
        stats.pacing = self.pacing();
        let disabled = engine.catalogue.disabled();
        self.status_to.send_replace(Arc::new(Status {
            running: self.running,
            started_at_ms: self.started_at_ms,
            tps: self.schedule.tps(self.now()),
            stage: self.stage_progress(),
            max_pending: engine.max_pending(),
            intent_invalid: engine.intent_invalid(),
            types: engine.catalogue.names().collect(),
            weights: engine.catalogue.weights().collect(),
            disabled_types: disabled
                .map(|(name, refused_with)| DisabledType { name, refused_with })
                .collect(),
            free_accounts: engine.free_accounts(),
            total_accounts: engine.world.accounts.len(),
            fuzz_percent: engine.fuzz_percent(),
            findings: self.watch.findings.total(),
            stats,
        }));
    }

    /// What the nodes did that they must not, and when there is more of it.
    pub(crate) fn findings(&self) -> watch::Receiver<Arc<[Arc<Finding>]>> {
        self.watch.subscribe()
    }

    /// Who takes part, now and when it changes.
    pub(crate) fn list_accounts(&self) -> watch::Receiver<Arc<AccountListing>> {
        self.accounts_to.send_replace(Arc::new(self.listing()));
        self.accounts_to.subscribe()
    }

    fn listing(&self) -> AccountListing {
        let world = &self.engine.world;
        let accounts = &world.accounts;
        let id = |index: &Index| accounts[*index].id;
        let gateway = |index: &Index| GatewayListing {
            address: id(index),
            currencies: world.assets[..world.common_assets]
                .iter()
                .filter(|asset| asset.gateway == *index)
                .map(|asset| asset.currency.to_string())
                .collect(),
        };
        let funder = accounts.iter().find(|a| a.role == Role::Funder);
        AccountListing {
            funder: funder.map(|a| a.id),
            gateways: accounts.gateways().iter().map(gateway).collect(),
            users: accounts
                .users()
                .iter()
                .chain(accounts.made())
                .filter(|n| accounts[**n].active)
                .map(id)
                .collect(),
            fuzzed: accounts.fuzzers().iter().map(id).collect(),
            tagged: accounts.tagged().as_ref().map(id),
            currencies: self.config.currencies.clone(),
        }
    }
}
