//! The run of the moment, and its replacement by another.

use std::sync::Arc;

use parking_lot::RwLock;
use tokio::sync::{mpsc, oneshot};

use crate::session::{App, Phase, SetupError};

/// A reset that was asked for, and where to say what became of it.
pub(crate) type Reset = oneshot::Sender<Result<Vec<String>, SetupError>>;

/// The run of the moment. A reset puts another in its place; who holds the old one sees its end.
#[derive(Clone, Debug)]
pub struct Host {
    current: Arc<RwLock<Arc<App>>>,
    resets: mpsc::Sender<Reset>,
}

impl Host {
    /// Of a run, and the place where resets are asked for.
    pub(crate) fn new(app: Arc<App>) -> (Self, mpsc::Receiver<Reset>) {
        let (resets, asked) = mpsc::channel(1);
        (Self { current: Arc::new(RwLock::new(app)), resets }, asked)
    }

    /// Another run takes the place.
    pub(crate) fn replace(&self, app: Arc<App>) {
        *self.current.write() = app;
    }

    /// The run of the moment.
    #[must_use]
    pub fn app(&self) -> Arc<App> {
        Arc::clone(&self.current.read())
    }

    /// Begins a new run on a fresh embedded ledger; returns the steps that were taken.
    ///
    /// # Errors
    /// The node is not embedded, the run ends, or the new ledger could not be had.
    pub async fn reset(&self) -> Result<Vec<String>, SetupError> {
        let app = self.app();
        if !app.config.rpc.is_empty() {
            return Err(SetupError::new(
                "only an embedded ledger can be reset; this node is another program",
            ));
        }
        let ends = || SetupError::new("the run ends: nothing is reset any more");
        if app.phase() == Phase::Stopping {
            return Err(ends());
        }
        let (reply, answer) = oneshot::channel();
        self.resets.try_send(reply).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SetupError::new("a reset is under way already"),
            mpsc::error::TrySendError::Closed(_) => ends(),
        })?;
        answer.await.map_err(|_| ends())?
    }
}
