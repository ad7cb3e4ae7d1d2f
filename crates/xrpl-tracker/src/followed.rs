//! The accounts whose transactions the streams are to show, where they do not show all.

use parking_lot::Mutex;
use rustc_hash::FxHashSet;
use tokio::sync::watch;
use xrpl_protocol::AccountId;

use crate::config::Subscription;

/// Accounts in the order they came: those of the configuration, then everyone of whom a transaction
/// was submitted.
#[derive(Debug)]
pub(crate) struct Followed {
    accounts: Mutex<Accounts>,
    count: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Accounts {
    in_order: Vec<AccountId>,
    known: FxHashSet<AccountId>,
}

impl Followed {
    /// None where the streams show everyone's transactions.
    pub(crate) fn new(subscription: &Subscription) -> Option<Self> {
        let Subscription::Accounts(accounts) = subscription else { return None };
        let followed = Self { accounts: Mutex::default(), count: watch::Sender::new(0) };
        accounts.iter().for_each(|account| followed.add(*account));
        Some(followed)
    }

    pub(crate) fn add(&self, account: AccountId) {
        let mut accounts = self.accounts.lock();
        if accounts.known.insert(account) {
            accounts.in_order.push(account);
            self.count.send_replace(accounts.in_order.len());
        }
    }

    /// Those that came after the first `known`; waits until there are some.
    pub(crate) async fn after(&self, known: usize) -> Vec<AccountId> {
        // The sender is in `self`: it cannot be gone.
        let _ = self.count.subscribe().wait_for(|count| *count > known).await;
        self.now_after(known)
    }

    /// Those that came after the first `known`, if any.
    pub(crate) fn now_after(&self, known: usize) -> Vec<AccountId> {
        self.accounts.lock().in_order.get(known..).unwrap_or_default().to_vec()
    }
}
