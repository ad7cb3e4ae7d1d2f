//! One ledger after the other.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;
use xrpl_client::Connector;
use xrpl_protocol::LedgerIndex;
use xrpl_standalone::shadow::{Finding, Reported, Shadow, ShadowError, Verdict};

use super::{
    files::CaseFiles,
    node::{Node, ReadError, Status},
    view::{ShadowFinding, Step},
};

/// Between two looks for the next ledger.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Before a node that did not answer is asked again: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(5);
/// Ledgers after which it is asked how many more there are, where none has to be waited for.
const LOOK_AFTER: u32 = 8;

/// What is to be checked.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The ledger whose entries it begins with; the newest validated one if none. Its transactions are
    /// not executed.
    pub from: Option<u32>,
    /// The last ledger to check; none to go on until cancelled.
    pub to: Option<u32>,
    /// How long a node that does not answer is asked again; none for as long as it takes.
    pub patience: Option<Duration>,
}

/// Why it ended before it was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Stopped(pub String);

/// Whether to go on.
enum Next {
    Ledger,
    /// Begin again with all entries of this ledger, or of the newest.
    Again(Option<u32>),
    Done,
}

struct Following<'a> {
    node: Node,
    scope: Scope,
    files: CaseFiles,
    tell: &'a (dyn Fn(Step) + Sync),
    /// Ledgers since the node was asked for its newest one.
    unasked: u32,
}

/// Checks a node, until the scope's last ledger or until cancelled, and tells what happens. It holds
/// one ledger and one state at a time.
///
/// # Errors
/// The node is gone for longer than the scope's patience, or does not have the ledgers asked for.
pub async fn follow(
    url: Url,
    connector: Arc<dyn Connector>,
    scope: Scope,
    files: CaseFiles,
    tell: &(dyn Fn(Step) + Sync),
    cancel: CancellationToken,
) -> Result<(), Stopped> {
    let node = Node::new(url, connector);
    let mut following = Following { node, scope, files, tell, unasked: 0 };
    let ended = tokio::select! {
        ended = following.run() => ended,
        () = cancel.cancelled() => Ok(()),
    };
    tell(Step::Ended(ended.as_ref().err().map(ToString::to_string)));
    ended
}

impl Following<'_> {
    async fn run(&mut self) -> Result<(), Stopped> {
        let (mut from, mut asked_for) = (self.scope.from, true);
        loop {
            let Some(mut shadow) = self.begin(from, asked_for).await? else {
                from = None;
                continue;
            };
            asked_for = false;
            loop {
                match self.next(&mut shadow).await? {
                    Next::Ledger => {}
                    Next::Again(at) => {
                        from = at;
                        break;
                    }
                    Next::Done => return Ok(()),
                }
            }
        }
    }

    /// Asks until there is an answer, or patience is at its end.
    async fn patiently<T, F>(&self, mut ask: impl FnMut() -> F) -> Result<T, Stopped>
    where
        F: Future<Output = Result<T, ReadError>>,
    {
        let since = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let out = self.scope.patience.is_some_and(|patience| since.elapsed() >= patience);
            if out || !may_be_better_later(&error) {
                return Err(Stopped(error.to_string()));
            }
            (self.tell)(Step::Waiting(error.to_string()));
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    async fn status(&self) -> Result<(Status, u32), Stopped> {
        self.patiently(|| async {
            let status = self.node.status().await?;
            match status.newest {
                Some(newest) => Ok((status, newest)),
                None => Err(ReadError::Odd {
                    method: "server_info",
                    what: "the node has no validated ledger yet".to_owned(),
                }),
            }
        })
        .await
    }

    /// Reads a whole ledger. None if the node does not have it (any more), unless it was `asked_for`.
    async fn begin(&self, from: Option<u32>, asked_for: bool) -> Result<Option<Shadow>, Stopped> {
        let (status, newest) = self.status().await?;
        let at = from.unwrap_or(newest);
        if let Some(to) = self.scope.to.filter(|to| *to <= at) {
            return Err(Stopped(format!(
                "--to {to} is not after ledger {at}, with whose entries it begins: give --from, or a \
                 later --to"
            )));
        }
        let gone = |what: &str| {
            Stopped(format!(
                "{} does not have ledger {at}{what}: it keeps {}. Give --from a ledger that it has, \
                 or leave it out to begin with the newest",
                self.node.name(),
                status.complete
            ))
        };
        let reported = match self.patiently(|| self.node.ledger(at)).await? {
            Some(reported) => reported,
            None if asked_for && from.is_some() => return Err(gone("")),
            None => return Ok(None),
        };
        let header = reported.header();
        (self.tell)(Step::Reading { ledger: at, entries: 0 });
        let read = self
            .patiently(|| async {
                let progress = |entries| (self.tell)(Step::Reading { ledger: at, entries });
                self.node.state(header.hash, progress).await
            })
            .await?;
        let Some(entries) = read else {
            return if asked_for && from.is_some() { Err(gone(" any more")) } else { Ok(None) };
        };
        let count = entries.len();
        let shadow = Shadow::begin(header, entries, status.network_id)
            .map_err(|error| Stopped(format!("{}: {error}", self.node.name())))?;
        (self.tell)(Step::Began { ledger: at, entries: count });
        (self.tell)(Step::Newest(newest));
        Ok(Some(shadow))
    }

    /// Checks the next ledger, or waits for it.
    async fn next(&mut self, shadow: &mut Shadow) -> Result<Next, Stopped> {
        let at = shadow.header().index;
        if self.scope.to.is_some_and(|to| at >= to) {
            return Ok(Next::Done);
        }
        let next = at + 1;
        if let Some(reported) = self.patiently(|| self.node.ledger(next)).await? {
            let done = self.check(shadow, reported).await?;
            self.unasked += 1;
            // One that falls behind always finds a next ledger.
            if self.unasked >= LOOK_AFTER && matches!(done, Next::Ledger) {
                self.newest().await?;
            }
            return Ok(done);
        }
        let newest = self.newest().await?;
        if newest < at {
            return Ok(self.again(format!("the node went back to ledger {newest}"), 0));
        }
        if newest > next && self.patiently(|| self.node.ledger(next)).await?.is_none() {
            return self.lost(next, at).await;
        }
        if newest < next {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(Next::Ledger)
    }

    /// Asks for the newest validated ledger, and tells it.
    async fn newest(&mut self) -> Result<u32, Stopped> {
        let (_, newest) = self.status().await?;
        self.unasked = 0;
        (self.tell)(Step::Newest(newest));
        Ok(newest)
    }

    /// The node does not have a ledger any more that is needed to go on after `at`.
    async fn lost(&self, ledger: u32, at: u32) -> Result<Next, Stopped> {
        let (status, newest) = self.status().await?;
        let (node, complete) = (self.node.name(), status.complete);
        let why = format!("{node} no longer has ledger {ledger}: it keeps {complete}");
        match self.scope.to {
            Some(_) => Err(Stopped(why)),
            None => Ok(self.again(why, newest.saturating_sub(at))),
        }
    }

    fn again(&self, why: String, skipped: u32) -> Next {
        (self.tell)(Step::Restarted { why, skipped });
        Next::Again(None)
    }

    async fn check(&mut self, shadow: &mut Shadow, reported: Reported) -> Result<Next, Stopped> {
        let index = reported.header().index;
        let hash = reported.header().hash;
        // Executing takes as long as the ledger has transactions: others must not wait for it.
        let mut own = shadow.clone();
        let executed = tokio::task::spawn_blocking(move || {
            let verdict = own.follow(&reported);
            (own, reported, verdict)
        });
        let (own, reported, verdict) = executed
            .await
            .map_err(|error| Stopped(format!("ledger {index} could not be executed: {error}")))?;
        *shadow = own;
        let wanted = match verdict {
            Ok(Verdict::Same) => {
                (self.tell)(Step::Checked {
                    ledger: index,
                    transactions: reported.len(),
                    entries: shadow.entries(),
                });
                return Ok(Next::Ledger);
            }
            Err(error) => return Ok(self.again(error.to_string(), 0)),
            Ok(Verdict::NotBuilt { ref wanted, .. } | Verdict::Different { ref wanted, .. }) => {
                wanted
            }
        };
        let entries = self.patiently(|| self.node.entries(hash, wanted)).await?;
        let step = match verdict {
            Ok(Verdict::NotBuilt { why, .. }) => Step::TakenOver { ledger: index, why },
            Ok(Verdict::Different { mut finding, .. }) => {
                finding.compare(entries.as_deref().unwrap_or_default());
                Step::Different(self.keep(&finding))
            }
            Ok(Verdict::Same) | Err(_) => return Ok(Next::Ledger),
        };
        (self.tell)(step);
        let Some(entries) = entries else { return self.lost(index, index).await };
        match shadow.take_over(&reported, entries) {
            Ok(()) => Ok(Next::Ledger),
            // Something changed that no metadata names.
            Err(error @ ShadowError::State { .. }) => {
                (self.tell)(Step::Restarted { why: error.to_string(), skipped: 0 });
                Ok(Next::Again(Some(index)))
            }
            Err(error) => Ok(self.again(error.to_string(), 0)),
        }
    }

    fn keep(&mut self, finding: &Finding) -> ShadowFinding {
        let file = self.files.write(finding).unwrap_or_else(|error| {
            (self.tell)(Step::Unwritten(format!("a difference cannot be written: {error}")));
            None
        });
        ShadowFinding {
            ledger_index: LedgerIndex(finding.index),
            tx_hash: finding.transaction,
            differences: finding.differences.clone(),
            file: file.map(|path| path.display().to_string()),
        }
    }
}

/// Whether it is worth asking the same again.
fn may_be_better_later(error: &ReadError) -> bool {
    match error {
        ReadError::Client(_) => error.token().is_none_or(|token| {
            !matches!(token, "unknownCmd" | "forbidden" | "invalidParams" | "noPermission")
        }),
        // A page in front of a node that is started says odd things for a while.
        ReadError::Odd { .. } => true,
        ReadError::Unreadable { .. } | ReadError::Unfit(_) => false,
    }
}
