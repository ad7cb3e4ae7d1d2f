//! The task that closes ledgers by the clock, as long as that is how they close.

use std::sync::Arc;

use tokio::time;
use tokio_util::sync::CancellationToken;

use super::{Closing, Shared};

/// Closes a ledger each time the interval has passed; a change of how ledgers close begins anew.
pub(super) async fn by_the_clock(shared: Arc<Shared>, cancel: CancellationToken) {
    let mut mode = shared.closing_mode.subscribe();
    loop {
        let now = *mode.borrow_and_update();
        let closing = async {
            let Closing::Interval(interval) = now else { return std::future::pending().await };
            let mut timer = time::interval(interval);
            timer.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
            timer.tick().await;
            loop {
                timer.tick().await;
                match shared.complete(|| shared.accept()).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => tracing::warn!(%error, "no ledger can close any more"),
                    Err(error) => {
                        tracing::warn!(%error, "no ledger closed: the fork's origin does not answer");
                    }
                }
            }
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => return,
            // The sender lives as long as `shared`.
            _ = mode.changed() => {}
            () = closing => {}
        }
    }
}
