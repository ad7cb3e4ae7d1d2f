//! The task that writes: groups of new rows and of conditions, each group in one transaction, its
//! statements sent without waiting for each other's answers.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::{join_all, try_join_all};
use tokio::{
    sync::{Notify, oneshot},
    time::{self, Instant},
};
use xrpl_tracker::{
    Error, Result, RunId,
    record::Record,
    store::{
        Created, SessionId,
        queue::{CONDITIONS, Condition, Group, Operation, Queue, RowKey},
    },
};

use crate::{
    address::Target,
    connect::{Holder, LETTING_GO, Refused},
    ends,
    prune::{self, Newest},
    sessions,
    writes::{Changed, Connection, Done, Failure},
};

/// How long it is waited before a connection is tried again: at first, and at most.
const AGAIN: Duration = Duration::from_millis(100);
const AGAIN_AT_MOST: Duration = Duration::from_secs(1);

/// Whether ends are kept, and who is told of them.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    pub(crate) kept: AtomicBool,
    pub(crate) bell: Notify,
}

/// The writer's state.
pub(crate) struct Writer {
    target: Target,
    connection: Option<Connection>,
    holder: Holder,
    queue: Arc<Queue>,
    ends: Arc<Ends>,
    /// Rows of which it is not known whether they were made: the connection broke before PostgreSQL had
    /// said so.
    in_doubt: HashSet<RowKey>,
    /// What pruning has counted.
    counted: Newest,
    /// Why the newest group that could not be written was not.
    error: Option<String>,
}

/// Since when there is no connection.
#[derive(Clone, Copy)]
struct Away {
    since: Instant,
    tries: u32,
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.end(self.error.as_deref().unwrap_or("the writer has ended"));
    }
}

/// What an operation came to.
enum Answer {
    Created(Done<Created>),
    Begun(Done<RunId>),
    Session(Done<SessionId>),
    Pruned(Done<(u64, Newest)>),
    Done(Done<()>),
}

impl Answer {
    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Created(done) => done.as_ref().err(),
            Self::Begun(done) => done.as_ref().err(),
            Self::Session(done) => done.as_ref().err(),
            Self::Pruned(done) => done.as_ref().err(),
            Self::Done(done) => done.as_ref().err(),
        }
    }

    fn tell(self, operation: Operation) {
        match (self, operation) {
            (Self::Created(done), Operation::Create(_, _, to)) => tell(to, done),
            (Self::Begun(done), Operation::Begin(_, _, to)) => tell(to, done),
            (Self::Session(done), Operation::BeginSession(_, _, to)) => tell(to, done),
            (Self::Pruned(done), Operation::Prune(_, _, to)) => {
                tell(to, done.map(|(gone, _)| gone))
            }
            (
                Self::Done(done),
                Operation::Settle(_, to)
                | Operation::NoteSession(_, _, to)
                | Operation::Flush(to)
                | Operation::Wait(_, to),
            ) => tell(to, done),
            (_, operation) => operation.fail("it was answered with something else"),
        }
    }
}

fn tell<T>(to: oneshot::Sender<Result<T>>, done: Done<T>) {
    // Who asked may have gone.
    let _ = to.send(done.map_err(|failure| failure.error));
}

/// What became of a group.
#[derive(Default)]
struct Outcome {
    answers: Vec<Answer>,
    /// Conditions without a row and ledgers that are refused.
    failures: u64,
    /// Conditions, by their place in the group, whose rows are still to be made.
    early: Vec<usize>,
    /// And those that could not be written.
    refused: Vec<usize>,
    /// There are ends to be told.
    ended: bool,
}

impl Outcome {
    fn changed(&mut self, at: usize, key: RowKey, changed: Done<Changed>, queue: &Queue) {
        match changed {
            Ok(Changed::Written(end)) => self.ended |= end,
            Ok(Changed::Outdated) => {}
            Ok(Changed::Missing) if queue.has_row(&key) => self.early.push(at),
            Ok(Changed::Missing) => {
                tracing::error!(run = %key.0, hash = %key.1, "a condition has no row");
                self.failures += 1;
            }
            Err(failure) => {
                let error = failure.error;
                tracing::error!(run = %key.0, hash = %key.1, %error, "a condition is not written");
                self.refused.push(at);
            }
        }
    }
}

impl Writer {
    pub(crate) fn new(
        target: Target,
        connection: Connection,
        holder: Holder,
        queue: Arc<Queue>,
        ends: Arc<Ends>,
    ) -> Self {
        Self {
            target,
            connection: Some(connection),
            holder,
            queue,
            ends,
            in_doubt: HashSet::new(),
            counted: Newest::default(),
            error: None,
        }
    }

    /// Writes until the queue is closed and everything is written, or cannot be.
    pub(crate) async fn work(mut self, window: Duration) {
        // The last group had company: it is worth while to wait for more.
        let mut company = false;
        let mut failed = false;
        let mut away = None;
        while self.queue.waited(failed).await {
            match self.connect(&mut away).await {
                Ok(true) => {}
                Ok(false) => {
                    failed = true;
                    continue;
                }
                Err(error) => {
                    tracing::error!(%error, "the store");
                    self.error = Some(error.to_string());
                    return;
                }
            }
            if company && !self.queue.is_urgent() {
                time::sleep(window).await;
            }
            let group = self.queue.take(CONDITIONS);
            company = group.operations.len() > 2;
            failed = !self.write(group).await;
        }
        if let Some(connection) = &self.connection {
            // Whoever closes the store finds its lock free at once; otherwise the server sees to it soon.
            let unlocked = connection.client.batch_execute("SELECT pg_advisory_unlock_all()");
            let _ = time::timeout(LETTING_GO, unlocked).await;
        }
    }

    /// Sees to it that there is a connection; false if there is none yet. What can wait waits then, and who
    /// asks for something else is told. An error if there never will be one.
    async fn connect(&mut self, away: &mut Option<Away>) -> Result<bool> {
        if self.connection.as_ref().is_some_and(|one| !one.client.is_closed()) {
            return Ok(true);
        }
        self.connection = None;
        let Away { since, tries } = away.unwrap_or(Away { since: Instant::now(), tries: 0 });
        match Connection::open(&self.target, Some(&self.holder)).await {
            Ok((connection, holder)) => {
                tracing::warn!("the store is back after {:.1} s", since.elapsed().as_secs_f64());
                (self.connection, self.holder) = (Some(connection), holder);
                (*away, self.error) = (None, None);
                Ok(true)
            }
            Err(Refused::ForEver(error)) => Err(error),
            Err(Refused::Now(error)) => {
                let text = error.to_string();
                if self.error.as_ref() != Some(&text) {
                    tracing::error!(%error, "the store is away: nothing new is sent until it is back");
                }
                self.queue.put_back(Group::default(), &text);
                self.error = Some(text);
                *away = Some(Away { since, tries: tries + 1 });
                let pause = AGAIN.saturating_mul(1 << tries.min(8)).min(AGAIN_AT_MOST);
                if !self.queue.is_closed() {
                    time::sleep(pause).await;
                }
                Ok(false)
            }
        }
    }

    /// Writes a group; false if something of it is to be tried again because it failed.
    async fn write(&mut self, group: Group) -> bool {
        let written = self.write_whole(&group).await;
        let Group { operations, conditions, ledgers } = group;
        match written {
            Ok(outcome) => {
                let refused = outcome.answers.iter().filter(|one| one.failure().is_some());
                let mut failures = outcome.failures + refused.count() as u64;
                let mut again = Vec::new();
                for (at, (key, mut condition)) in conditions.into_iter().enumerate() {
                    if outcome.refused.contains(&at) {
                        failures += u64::from(!std::mem::replace(&mut condition.failed, true));
                        again.push((key, condition));
                    } else if outcome.early.contains(&at) {
                        again.push((key, condition));
                    }
                }
                for (answer, operation) in outcome.answers.iter().zip(&operations) {
                    match (answer, operation) {
                        (_, Operation::Create(run, identity, _)) => {
                            self.in_doubt.remove(&(*run, identity.hash));
                        }
                        (Answer::Pruned(Ok((_, newest))), _) => self.counted = *newest,
                        _ => {}
                    }
                }
                self.queue.written(again, failures);
                for (answer, operation) in outcome.answers.into_iter().zip(operations) {
                    answer.tell(operation);
                }
                if outcome.ended {
                    self.ends.bell.notify_one();
                }
                outcome.refused.is_empty()
            }
            Err(Failure { error, lost, .. }) => {
                let size = operations.len() + conditions.len() + ledgers.len();
                let text = error.to_string();
                if lost {
                    tracing::warn!(%error, "the store is lost before a group of {size} was written");
                    self.queue.put_back(Group { operations, conditions, ledgers }, &text);
                } else {
                    tracing::error!(%error, "the store could not write a group of {size}");
                    let writes = operations.iter().filter(|one| one.writes()).count() as u64;
                    let group = Group { conditions, ledgers, ..Group::default() };
                    self.queue.not_written(group, writes, &text);
                    operations.into_iter().for_each(|operation| operation.fail(&text));
                }
                self.error = Some(text);
                false
            }
        }
    }

    /// Writes a group at once; where one of its rows is at fault, once more row by row, so that it is
    /// the only one to fail.
    async fn write_whole(&mut self, group: &Group) -> Done<Outcome> {
        let gone =
            || Failure { lost: true, ..Error::Store("there is no connection".into()).into() };
        let connection = self.connection.take().ok_or_else(gone)?;
        let mut failed = None;
        for careful in [false, true] {
            connection.client.batch_execute("BEGIN").await?;
            match self.write_group(&connection, group, careful).await {
                Ok(outcome) => {
                    let committed = connection.client.batch_execute("COMMIT").await;
                    if let Err(error) = committed {
                        let failure = Failure::from(error);
                        if failure.lost {
                            self.doubt(group);
                        }
                        return Err(failure);
                    }
                    self.connection = Some(connection);
                    return Ok(outcome);
                }
                Err(failure) if failure.lost => return Err(failure),
                Err(failure) => {
                    connection.client.batch_execute("ROLLBACK").await?;
                    let again = failure.of_row;
                    failed = Some(failure);
                    if !again {
                        break;
                    }
                }
            }
        }
        self.connection = Some(connection);
        Err(failed.unwrap_or_else(gone))
    }

    /// Nobody has said whether a group is written.
    fn doubt(&mut self, group: &Group) {
        for operation in &group.operations {
            if let Operation::Create(run, identity, _) = operation {
                self.in_doubt.insert((*run, identity.hash));
            }
        }
    }

    async fn write_group(
        &self,
        connection: &Connection,
        group: &Group,
        careful: bool,
    ) -> Done<Outcome> {
        let mut outcome = Outcome::default();
        if careful {
            for ((run, index), (hash, _)) in &group.ledgers {
                let noted = alone(connection, connection.ledger(*run, *index, *hash)).await?;
                if let Err(Failure { error, .. }) = noted {
                    tracing::error!(%run, ledger = %index, %error, "a ledger is refused");
                    outcome.failures += 1;
                }
            }
        } else {
            let ledgers = group.ledgers.iter();
            let ledgers = ledgers.map(|((run, at), (hash, _))| connection.ledger(*run, *at, *hash));
            try_join_all(ledgers).await?;
        }
        outcome.answers = self.operations(connection, group, careful).await?;
        let tells = self.ends.kept.load(Ordering::Relaxed);
        let conditions = group.conditions.iter();
        let conditions = conditions.map(|(key, condition)| (*key, &*condition.progress));
        if careful {
            for (at, (key, progress)) in conditions.enumerate() {
                let change = connection.update(key, progress, tells);
                outcome.changed(at, key, alone(connection, change).await?, &self.queue);
            }
        } else {
            let changes = conditions.map(|(key, progress)| connection.update(key, progress, tells));
            let changes = try_join_all(changes).await?;
            for (at, (changed, (key, _))) in changes.into_iter().zip(&group.conditions).enumerate()
            {
                outcome.changed(at, *key, Ok(changed), &self.queue);
            }
        }
        Ok(outcome)
    }

    /// Does what somebody waits for: new rows together, the rest one after the other.
    async fn operations(
        &self,
        connection: &Connection,
        group: &Group,
        careful: bool,
    ) -> Done<Vec<Answer>> {
        let creates = group.operations.iter().filter_map(|operation| match operation {
            Operation::Create(run, identity, _) => Some(connection.create(*run, identity)),
            _ => None,
        });
        let mut created = Vec::new();
        if careful {
            for create in creates {
                created.push(alone(connection, create).await?);
            }
        } else {
            for one in join_all(creates).await {
                match one {
                    // The transaction goes on where the row never came to PostgreSQL; it does not
                    // where that refused it.
                    Err(failure) => return Err(failure),
                    made => created.push(made),
                }
            }
        }
        let mut created = created.into_iter();
        let client = &connection.client;
        let mut answers = Vec::with_capacity(group.operations.len());
        for operation in &group.operations {
            answers.push(match operation {
                Operation::Create(run, ..) => {
                    let made = created
                        .next()
                        .unwrap_or_else(|| Err(Error::Store("it was not made".into()).into()));
                    Answer::Created(made.map(|made| self.newest(*run, made, &group.conditions)))
                }
                Operation::Begin(network_id, at_ms, _) => {
                    let begun = sessions::begin_run(client, *network_id, *at_ms);
                    Answer::Begun(alone(connection, begun).await?)
                }
                Operation::BeginSession(run, at_ms, _) => {
                    let begun = sessions::begin(client, *run, *at_ms);
                    Answer::Session(alone(connection, begun).await?)
                }
                Operation::NoteSession(id, note, _) => {
                    Answer::Done(alone(connection, sessions::note(client, *id, note)).await?)
                }
                Operation::Settle(settled, _) => {
                    Answer::Done(alone(connection, ends::settle(client, settled)).await?)
                }
                Operation::Prune(retention, now_ms, _) => {
                    let busy = |key: &RowKey| {
                        group.conditions.iter().any(|(of, _)| of == key)
                            || self.queue.has_condition(key)
                    };
                    let gone = prune::prune(client, *retention, *now_ms, self.counted, busy);
                    Answer::Pruned(alone(connection, gone).await?)
                }
                Operation::Wait(..) | Operation::Flush(_) => Answer::Done(Ok(())),
            });
        }
        Ok(answers)
    }

    /// What is known of a row that is there is its newest condition, written or not.
    fn newest(&self, run: RunId, made: Created, group: &[(RowKey, Condition)]) -> Created {
        let Created::Known(mut record) = made else { return made };
        let key = (run, record.identity.hash);
        if record.progress.version == 0 && self.in_doubt.contains(&key) {
            // It was made after all, and nobody has been told of it.
            return Created::New(record.id);
        }
        let in_hand = group.iter().find(|(of, _)| *of == key);
        let in_hand = in_hand.map(|(_, newest)| (*newest.progress).clone());
        let Record { progress, .. } = &mut *record;
        for newest in in_hand.into_iter().chain(self.queue.newest(&key)) {
            if newest.version > progress.version {
                *progress = newest;
            }
        }
        Created::Known(record)
    }
}

/// Makes a change so that it fails alone, if it fails by itself; the outer error is of the connection.
async fn alone<T>(connection: &Connection, make: impl Future<Output = Done<T>>) -> Done<Done<T>> {
    let client = &connection.client;
    client.batch_execute("SAVEPOINT alone").await?;
    match make.await {
        Ok(made) => {
            client.batch_execute("RELEASE alone").await?;
            Ok(Ok(made))
        }
        Err(failure) if failure.lost => Err(failure),
        Err(failure) => {
            client.batch_execute("ROLLBACK TO alone; RELEASE alone").await?;
            Ok(Err(failure))
        }
    }
}
