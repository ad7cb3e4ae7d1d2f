//! All background tasks share one cancellation token and one tracker. Each task's failure is its
//! own: logged, counted, and the task is started again after a pause.

use std::{
    fmt::Display,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The background tasks.
#[derive(Clone, Debug)]
pub(crate) struct Supervisor {
    pub(crate) token: CancellationToken,
    tasks: TaskTracker,
    restarts: Arc<AtomicU64>,
}

impl Supervisor {
    pub(crate) fn new() -> Self {
        Self {
            token: CancellationToken::new(),
            tasks: TaskTracker::new(),
            restarts: Arc::default(),
        }
    }

    /// Runs a task until it ends well or everything is cancelled.
    pub(crate) fn keep<F, T, E>(&self, name: &'static str, mut start: F)
    where
        F: FnMut() -> T + Send + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + Send + 'static,
    {
        let token = self.token.clone();
        let restarts = Arc::clone(&self.restarts);
        self.tasks.spawn(async move {
            let mut pause = FIRST_PAUSE;
            loop {
                let since = Instant::now();
                // A task of its own: a panic ends it and nothing else.
                let mut task = tokio::spawn(start());
                let ended = tokio::select! {
                    biased;
                    ended = &mut task => ended,
                    () = token.cancelled() => {
                        task.abort();
                        let _ = task.await;
                        return;
                    }
                };
                match ended {
                    Ok(Ok(())) => return,
                    Ok(Err(error)) => tracing::error!(task = name, %error, "a task failed"),
                    Err(error) => tracing::error!(task = name, %error, "a task panicked"),
                }
                restarts.fetch_add(1, Ordering::Relaxed);
                if since.elapsed() > LONGEST_PAUSE {
                    pause = FIRST_PAUSE;
                }
                tokio::select! {
                    biased;
                    () = tokio::time::sleep(pause) => {}
                    () = token.cancelled() => return,
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        });
    }

    /// Runs something short to its end, unless everything is cancelled.
    pub(crate) fn run(&self, task: impl Future<Output = ()> + Send + 'static) {
        let token = self.token.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = token.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Counts a panic of what is not started again as such.
    pub(crate) fn panicked(&self, what: &str) {
        tracing::error!(what, "a panic");
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    /// How many tasks failed; those that [`Self::keep`] keeps were started again.
    pub(crate) fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// Cancels everything and waits until it has ended.
    pub(crate) async fn stop(&self) {
        self.token.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn failed_and_panicked_tasks_start_again() {
        let supervisor = Supervisor::new();
        let runs = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&runs);
        supervisor.keep("test", move || {
            let run = count.fetch_add(1, Ordering::Relaxed);
            async move {
                match run {
                    0 => Err("on purpose"),
                    1 => panic!("on purpose"),
                    2 => Ok(()),
                    _ => unreachable!("it ended well"),
                }
            }
        });
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!((runs.load(Ordering::Relaxed), supervisor.restarts()), (3, 2));
        supervisor.keep("endless", std::future::pending::<Result<(), String>>);
        supervisor.stop().await;
    }
}
