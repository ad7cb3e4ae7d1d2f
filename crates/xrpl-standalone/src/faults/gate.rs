//! What a node that stands still holds up.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// A gate that many wait at. Clones are the same gate.
///
/// Those who wait go on in the order in which they came. `tokio::sync::watch` wakes them in a random
/// one, and then a seed does not give the same run twice.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    shut: Mutex<bool>,
    opened: Notify,
}

impl Gate {
    pub(super) fn shut(&self) {
        *self.0.shut.lock() = true;
    }

    pub(super) fn open(&self) {
        *self.0.shut.lock() = false;
        self.0.opened.notify_waiters();
    }

    /// Waits while it is shut.
    pub(super) async fn passed(&self) {
        loop {
            // Made before the gate is looked at, so that no opening is missed.
            let opened = self.0.opened.notified();
            if !*self.0.shut.lock() {
                return;
            }
            opened.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn they_go_on_in_the_order_in_which_they_came() {
        let (gate, order) = (Gate::default(), Arc::new(Mutex::new(Vec::new())));
        gate.passed().await;
        gate.shut();
        let waiting: Vec<_> = (0..50)
            .map(|n| {
                let (gate, order) = (gate.clone(), Arc::clone(&order));
                tokio::spawn(async move {
                    gate.passed().await;
                    order.lock().push(n);
                })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(order.lock().is_empty());
        gate.open();
        for one in waiting {
            one.await.unwrap();
        }
        assert_eq!(*order.lock(), (0..50).collect::<Vec<_>>());
    }
}
