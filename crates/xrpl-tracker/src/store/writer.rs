//! The thread that writes the SQLite file: groups of new rows and of conditions.

use std::{
    fs::File,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rusqlite::Connection;
use rustc_hash::FxHashSet;
use tokio::sync::{Notify, oneshot};

use super::{
    Created, prune,
    queue::{CONDITIONS, Condition, Group, Operation, Queue, RowKey},
    sessions, sql_outbox,
    sql_writes::{Changed, Done, alone, begin, create, note_ledger, update},
};
use crate::error::{Error, Result};

/// The writer's state.
pub(super) struct Writer {
    connection: Connection,
    queue: Arc<Queue>,
    ends: Arc<Ends>,
    /// Why the newest group that could not be written was not.
    error: Option<String>,
    /// Held for as long as this process writes the file.
    _lock: Option<File>,
}

/// Whether ends are kept, and who is told of them.
#[derive(Debug, Default)]
pub(super) struct Ends {
    pub(super) kept: AtomicBool,
    pub(super) bell: Notify,
}

/// What is told once the group is committed.
type Ack = Box<dyn FnOnce(std::result::Result<(), String>)>;

/// What became of a group that was committed.
#[derive(Default)]
struct Outcome {
    /// Operations that were refused and conditions without a row.
    failures: u64,
    /// Conditions, by their place in the group, whose rows are still to be made.
    early: Vec<usize>,
    /// And those that could not be written.
    refused: Vec<usize>,
}

impl Outcome {
    /// Who waits for a change is told of it once its group has come to an end and is counted. An error
    /// if the whole group has failed.
    fn tell<T: Send + 'static>(
        &mut self,
        done: Done<T>,
        tell: oneshot::Sender<Result<T>>,
        acks: &mut Vec<Ack>,
    ) -> Result<()> {
        let failed = match done.as_ref().err() {
            Some(failure) if failure.of_row => {
                self.failures += 1;
                Ok(())
            }
            Some(failure) => Err(Error::Store(failure.error.to_string())),
            None => Ok(()),
        };
        acks.push(Box::new(move |committed| {
            let told = done.map_err(|failure| failure.error);
            // Who asked may have gone.
            let _ = tell.send(told.and_then(|done| committed.map(|()| done).map_err(Error::Store)));
        }));
        failed
    }

    /// The conditions that are to be tried again.
    fn again(&mut self, conditions: Vec<(RowKey, Condition)>) -> Vec<(RowKey, Condition)> {
        if self.early.is_empty() && self.refused.is_empty() {
            return Vec::new();
        }
        let mut again = Vec::new();
        for (at, (key, mut condition)) in conditions.into_iter().enumerate() {
            if self.refused.contains(&at) {
                self.failures += u64::from(!std::mem::replace(&mut condition.failed, true));
                again.push((key, condition));
            } else if self.early.contains(&at) {
                again.push((key, condition));
            }
        }
        again
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.end(self.error.as_deref().unwrap_or("the writer has ended"));
    }
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        queue: Arc<Queue>,
        ends: Arc<Ends>,
        lock: impl Into<Option<File>>,
    ) -> Self {
        Self { connection, queue, ends, error: None, _lock: lock.into() }
    }

    /// Writes until the queue is closed and everything is written, or cannot be.
    pub(super) fn work(mut self, window: Duration) {
        // The last group had company: it is worth while to wait for more.
        let mut company = false;
        let mut failed = false;
        while self.queue.wait(failed) {
            if company && !self.queue.is_urgent() {
                thread::sleep(window);
            }
            let group = self.queue.take(CONDITIONS);
            company = group.operations.len() > 2;
            failed = !self.write(group);
        }
    }

    /// Writes a group; false if something of it is to be tried again because it failed.
    fn write(&mut self, mut group: Group) -> bool {
        let mut acks: Vec<Ack> = Vec::new();
        let writes = group.operations.iter().filter(|one| one.writes()).count() as u64;
        let size = group.operations.len() + group.conditions.len() + group.ledgers.len();
        let written = self.write_group(&mut group, &mut acks);
        let told = written.as_ref().map(|_| ()).map_err(ToString::to_string);
        let fine = match written {
            Ok(mut outcome) => {
                let again = outcome.again(group.conditions);
                self.queue.written(again, outcome.failures);
                outcome.refused.is_empty()
            }
            Err(error) => {
                tracing::error!(%error, "the store could not write a group of {size}");
                let text = error.to_string();
                let not_reached = std::mem::take(&mut group.operations);
                self.queue.not_written(group, writes, &text);
                // Who was reached is told below.
                not_reached.into_iter().for_each(|operation| operation.fail(&text));
                self.error = Some(text);
                false
            }
        };
        for ack in acks {
            ack(told.clone());
        }
        fine
    }

    fn write_group(&mut self, group: &mut Group, acks: &mut Vec<Ack>) -> Result<Outcome> {
        let Self { connection, queue, ends, .. } = self;
        let change = connection.transaction()?;
        let mut outcome = Outcome::default();
        for ((run, index), (hash, _)) in &group.ledgers {
            match note_ledger(&change, *run, *index, *hash) {
                Ok(()) => {}
                Err(failure) if failure.of_row => {
                    tracing::error!(%run, ledger = %index, error = %failure.error, "a ledger is refused");
                    outcome.failures += 1;
                }
                Err(failure) => return Err(failure.error),
            }
        }
        // Taken one by one: those not reached stay in the group.
        while let Some(operation) = group.operations.pop_front() {
            match operation {
                Operation::Create(run, identity, tell) => {
                    let created = create(&change, run, *identity).map(|created| match created {
                        // What is known of a row that is there is its newest condition, written or not.
                        Created::Known(mut record) => {
                            let key = (run, record.identity.hash);
                            let in_hand = group.conditions.iter().find(|(of, _)| *of == key);
                            let in_hand = in_hand.map(|(_, newest)| (*newest.progress).clone());
                            for newest in in_hand.into_iter().chain(queue.newest(&key)) {
                                if newest.version > record.progress.version {
                                    record.progress = newest;
                                }
                            }
                            Created::Known(record)
                        }
                        created => created,
                    });
                    outcome.tell(created, tell, acks)?;
                }
                Operation::Begin(network_id, started_at_ms, tell) => {
                    let begun = begin(&change, network_id, started_at_ms);
                    outcome.tell(begun, tell, acks)?;
                }
                Operation::Settle(settled, tell) => {
                    let done = alone(&change, || Ok(sql_outbox::settle(&change, &settled)?));
                    outcome.tell(done, tell, acks)?;
                }
                Operation::BeginSession(run, began_at_ms, tell) => {
                    let begun = alone(&change, || Ok(sessions::begin(&change, run, began_at_ms)?));
                    outcome.tell(begun, tell, acks)?;
                }
                Operation::NoteSession(id, note, tell) => {
                    let noted = alone(&change, || Ok(sessions::note(&change, id, &note)?));
                    outcome.tell(noted, tell, acks)?;
                }
                Operation::Prune(retention, now_ms, tell) => {
                    let in_hand: FxHashSet<_> =
                        group.conditions.iter().map(|(key, _)| *key).collect();
                    let waits = |key: &RowKey| in_hand.contains(key) || queue.has_condition(key);
                    let gone =
                        alone(&change, || Ok(prune::prune(&change, retention, now_ms, waits)?));
                    outcome.tell(gone, tell, acks)?;
                }
                Operation::Wait(_, tell) | Operation::Flush(tell) => {
                    acks.push(Box::new(move |done| {
                        // Who asked may have gone.
                        let _ = tell.send(done.map_err(Error::Store));
                    }));
                }
            }
        }
        let keeps_ends = ends.kept.load(Ordering::Relaxed);
        let mut ended = false;
        for (at, ((run, hash), condition)) in group.conditions.iter().enumerate() {
            let progress = &condition.progress;
            let changed = match keeps_ends {
                false => update(&change, *run, *hash, progress),
                // Neither the end nor the condition without the other.
                true => alone(&change, || {
                    ended |= sql_outbox::note(&change, *run, *hash, progress)?;
                    update(&change, *run, *hash, progress)
                }),
            };
            match changed {
                Ok(Changed::Written | Changed::Outdated) => {}
                Ok(Changed::Missing) if queue.has_row(&(*run, *hash)) => outcome.early.push(at),
                Ok(Changed::Missing) => {
                    tracing::error!(%run, %hash, "a condition has no row");
                    outcome.failures += 1;
                }
                Err(failure) if failure.of_row => {
                    tracing::error!(%run, %hash, error = %failure.error, "a condition is not written");
                    outcome.refused.push(at);
                }
                Err(failure) => return Err(failure.error),
            }
        }
        change.commit()?;
        if ended {
            ends.bell.notify_one();
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests;
