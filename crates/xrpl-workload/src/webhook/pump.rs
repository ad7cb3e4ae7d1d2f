//! Delivers what waits in an outbox: oldest first, several at a time, again until it is taken.

use std::time::Duration;

use futures_util::{StreamExt, future::BoxFuture, stream};
use tokio_util::sync::CancellationToken;
use xrpl_tracker::store::{End, Outbox, Settled};

use super::Deliveries;

/// Ends taken up together.
const ROUND: usize = 64;
/// Ends posted at the same time.
const AT_ONCE: usize = 8;
/// The first pause before another try; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);
/// How long an end is tried again: from its first try on, or from the start of this process, since the
/// time in which nothing ran was no chance to take it.
pub(super) const GIVEN_UP_AFTER: Duration = Duration::from_hours(72);
/// After as many tries it is given up whatever part of that time the process ran: as many as fill more
/// than two days of the longest pauses.
const MANY_TRIES: u32 = 300;
/// How often it is looked whether something has become due.
const LOOK: Duration = Duration::from_secs(2);
/// How long posts may take after the run has ended.
const LAST_POSTS: Duration = Duration::from_millis(1_500);

/// One try at an end, and what became of it.
pub(super) type Delivery<'a> = BoxFuture<'a, (End, Result<(), String>)>;

/// What a pump needs of its surroundings.
pub(super) struct Means<'a> {
    pub(super) outbox: &'a dyn Outbox,
    pub(super) deliveries: &'a Deliveries,
    pub(super) deliver: &'a (dyn Fn(End) -> Delivery<'a> + Send + Sync),
    /// Milliseconds since 1970.
    pub(super) now_ms: &'a (dyn Fn() -> u64 + Send + Sync),
    pub(super) cancel: &'a CancellationToken,
}

/// The pause after so many failures in turn, before it is spread.
fn pause(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(20));
    FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Delivers until cancelled, and what it can of the rest within a moment.
///
/// While nothing at all is taken, one end is tried after each pause, not all that wait. An end that
/// is refused while others are taken waits by itself and holds up only later ones of its own
/// transaction.
pub(super) async fn pump(means: Means<'_>) {
    let Means { outbox, deliveries, now_ms, cancel, .. } = means;
    let mut failures = 0;
    let mut ends_at = None;
    let started_ms = now_ms();
    loop {
        let round = if failures > 0 { 1 } else { ROUND };
        let due = match outbox.due(now_ms(), round).await {
            Ok(due) => due,
            Err(error) => {
                deliveries.failed(now_ms(), format!("the store cannot be read: {error}"));
                Vec::new()
            }
        };
        let took = due.len();
        let taken = deliver_all(&means, due, started_ms, &mut ends_at).await;
        match (took, taken) {
            (0, _) => {}
            (_, 0) => failures += 1,
            _ => failures = 0,
        }
        if let Ok(status) = outbox.status().await {
            deliveries.stands(status);
        }
        if cancel.is_cancelled() {
            // The last word is said: what is left waits for the next start, if it can.
            if taken == 0 || ends_at.is_some_and(|at| tokio::time::Instant::now() >= at) {
                return;
            }
            continue;
        }
        let wait = match (failures, took) {
            // Spread, so that receivers of many are not asked by all at the same instant.
            (1.., _) => {
                let wait = pause(failures).mul_f64(0.75 + 0.5 * rand::random::<f64>());
                deliveries.waits(now_ms() + millis(wait));
                wait
            }
            (0, 0) => LOOK,
            (0, _) => continue,
        };
        let ring = async {
            match failures {
                0 => outbox.bell().notified().await,
                // What is new changes nothing for a receiver that takes nothing.
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = ring => {}
            () = cancel.cancelled() => {}
        }
    }
}

/// Posts these and notes what became of each; how many were taken.
async fn deliver_all(
    means: &Means<'_>,
    due: Vec<End>,
    started_ms: u64,
    ends_at: &mut Option<tokio::time::Instant>,
) -> usize {
    let Means { outbox, deliveries, deliver, now_ms, cancel } = means;
    if due.is_empty() {
        return 0;
    }
    let mut settled = Settled::default();
    {
        let posts: Vec<Delivery<'_>> = due.into_iter().map(deliver).collect();
        let mut posts = stream::iter(posts).buffer_unordered(AT_ONCE);
        loop {
            let over = async {
                cancel.cancelled().await;
                let at = *ends_at.get_or_insert_with(|| tokio::time::Instant::now() + LAST_POSTS);
                tokio::time::sleep_until(at).await;
            };
            let next = tokio::select! {
                biased;
                next = posts.next() => next,
                // Those under way may have been taken: they are posted again, with the same key.
                () = over => None,
            };
            let Some((end, done)) = next else { break };
            match done {
                Ok(()) => settled.delivered.push(end.seq),
                Err(why) => {
                    let now = now_ms();
                    let first = end.first_try_ms.unwrap_or(now);
                    let long = |since: u64| now.saturating_sub(since) >= millis(GIVEN_UP_AFTER);
                    let tried = long(first.max(started_ms)) || end.tries >= MANY_TRIES;
                    if long(first) && tried {
                        tracing::error!(hash = %end.tx_hash, why, "an end is given up: the webhook did not take it for days");
                        settled.given_up.push(end.seq);
                    } else {
                        tracing::debug!(hash = %end.tx_hash, tries = end.tries + 1, why, "the webhook did not take an end");
                        let wait = millis(pause(end.tries.saturating_add(1)));
                        settled.put_off.push((end.seq, now.saturating_add(wait)));
                    }
                    deliveries.failed(now, why);
                }
            }
        }
    }
    settled.now_ms = now_ms();
    let (taken, late, lost) =
        (settled.delivered.len(), settled.put_off.len(), settled.given_up.len());
    if let Err(error) = outbox.settle(settled).await {
        // They are posted again, with the same keys.
        deliveries.failed(now_ms(), format!("the store cannot be written: {error}"));
        return 0;
    }
    deliveries.settled(taken as u64, late as u64, lost as u64);
    taken
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use bytes::Bytes;
    use parking_lot::Mutex;
    use tokio::time::Instant;
    use xrpl_protocol::{AccountId, LedgerIndex, Sequence, TxHash, transaction::Slot};
    use xrpl_tracker::{
        Intent, MemoryStore, RunStore, State, Store,
        record::{Identity, Progress},
    };

    use super::*;

    /// A store, and its one run with some that have ended.
    async fn store(ends: u8) -> (MemoryStore, Arc<dyn RunStore>) {
        let store = MemoryStore::default();
        let run = store.begin_run(None, 0).await.unwrap();
        store.outbox().unwrap().keep();
        for n in 0..ends {
            let hash = TxHash([n; 32]);
            let identity = Identity {
                hash,
                account: AccountId([1; 20]),
                slot: Slot::Sequence(Sequence(n.into())),
                last_ledger_sequence: None,
                transaction_type: "Payment".into(),
                intent: Intent::Valid,
                created_ledger: LedgerIndex(1),
                created_at_ms: 0,
                blob: Bytes::new(),
                callers_key: None,
                fail_hard: false,
                fresh: true,
            };
            run.add(identity).await.unwrap();
            let ended = Progress { version: 1, state: State::Expired, ..Progress::created() };
            run.update(hash, ended).unwrap();
        }
        (store, run)
    }

    /// Runs the pump for a while of virtual time; how often each end was tried, and when last.
    async fn run(
        store: &MemoryStore,
        deliveries: &Deliveries,
        during: Duration,
        takes: impl Fn(u64, Duration) -> bool + Send + Sync,
    ) -> BTreeMap<u64, (u32, Duration)> {
        run_since(store, deliveries, Instant::now(), during, takes).await
    }

    /// The same by a clock that began earlier.
    async fn run_since(
        store: &MemoryStore,
        deliveries: &Deliveries,
        began: Instant,
        during: Duration,
        takes: impl Fn(u64, Duration) -> bool + Send + Sync,
    ) -> BTreeMap<u64, (u32, Duration)> {
        let tries = Mutex::new(BTreeMap::new());
        let cancel = CancellationToken::new();
        let deliver = |end: End| -> Delivery<'_> {
            let at = began.elapsed();
            let mut tries = tries.lock();
            let (n, last) = tries.entry(end.seq).or_insert((0, at));
            (*n, *last) = (*n + 1, at);
            let done = if takes(end.seq, at) { Ok(()) } else { Err("status 503".to_owned()) };
            Box::pin(std::future::ready((end, done)))
        };
        let means = Means {
            outbox: store.outbox().unwrap(),
            deliveries,
            deliver: &deliver,
            now_ms: &|| millis(began.elapsed()),
            cancel: &cancel,
        };
        let _ = tokio::time::timeout(during, pump(means)).await;
        tries.into_inner()
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_is_gone_for_two_days_gets_everything_and_is_not_hammered() {
        let ((store, _run), deliveries) = (store(200).await, Deliveries::default());
        let back = Duration::from_hours(48);
        let tries = run(&store, &deliveries, back + Duration::from_hours(2), |_, at| at >= back);
        let tries = tries.await;
        let status = store.outbox().unwrap().status().await.unwrap();
        assert_eq!((status.backlog, status.delivered, status.given_up), (0, 200, 0), "{status:?}");
        assert_eq!(status.cursor, 200);
        let in_all: u32 = tries.values().map(|(n, _)| n).sum();
        // About six an hour, and the first round.
        assert!(in_all < 64 + 48 * 8 + 200, "{in_all}");
        assert!(deliveries.view().last_error.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn one_end_that_is_refused_holds_up_no_other_and_is_given_up_after_days() {
        let ((store, _run), deliveries) = (store(50).await, Deliveries::default());
        let hours = |n| Duration::from_hours(n);
        let tries = run(&store, &deliveries, hours(80), |seq, _| seq != 7).await;
        let others = tries.iter().filter(|(seq, _)| **seq != 7);
        for (seq, (n, last)) in others {
            assert_eq!(*n, 1, "{seq}");
            assert!(*last < Duration::from_secs(5), "{seq}: {last:?}");
        }
        let (n, last) = tries[&7];
        assert!(last >= GIVEN_UP_AFTER && last < hours(74), "{n} tries, the last after {last:?}");
        assert!((72 * 4..72 * 9).contains(&n), "{n}");
        let status = store.outbox().unwrap().status().await.unwrap();
        assert_eq!((status.backlog, status.delivered, status.given_up), (0, 49, 1));
        assert_eq!(deliveries.view().given_up, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_nothing_ran_is_no_time_in_which_it_was_tried() {
        let ((store, _run), deliveries) = (store(3).await, Deliveries::default());
        let hours = |n| Duration::from_hours(n);
        let began = Instant::now();
        run(&store, &deliveries, hours(1), |_, _| false).await;
        // Three days in which the program does not run.
        tokio::time::sleep(hours(72)).await;
        run_since(&store, &deliveries, began, hours(10), |_, at| at >= hours(75)).await;
        let status = store.outbox().unwrap().status().await.unwrap();
        assert_eq!((status.backlog, status.delivered, status.given_up), (0, 3, 0), "{status:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_is_started_every_day_does_not_try_for_ever() {
        let ((store, _run), deliveries) = (store(1).await, Deliveries::default());
        let began = Instant::now();
        let mut days = 0;
        while store.outbox().unwrap().status().await.unwrap().given_up == 0 {
            run_since(&store, &deliveries, began, Duration::from_hours(8), |_, _| false).await;
            tokio::time::sleep(Duration::from_hours(16)).await;
            days += 1;
            assert!(days < 12, "it is still tried");
        }
        assert!(days > 3, "after {days} days of eight hours");
    }

    #[tokio::test(start_paused = true)]
    async fn what_ends_again_is_told_again_and_in_order() {
        let ((store, rows), deliveries) = (store(1).await, Deliveries::default());
        let hash = TxHash([0; 32]);
        for (version, state) in [(2, State::Submitted), (3, State::Expired)] {
            rows.update(hash, Progress { version, state, ..Progress::created() }).unwrap();
        }
        let outbox = store.outbox().unwrap();
        let mut told = Vec::new();
        for _ in 0..3 {
            let due = outbox.due(0, 10).await.unwrap();
            assert_eq!(due.len(), 1, "one at a time");
            told.push((due[0].was, due[0].state));
            let delivered = vec![due[0].seq];
            outbox.settle(Settled { delivered, ..Settled::default() }).await.unwrap();
        }
        use State::{Created, Expired, Submitted};
        assert_eq!(told, [(Created, Expired), (Expired, Submitted), (Submitted, Expired)]);
        assert!(run(&store, &deliveries, Duration::from_secs(10), |_, _| true).await.is_empty());
    }

    #[test]
    fn pauses_grow_to_ten_minutes() {
        assert_eq!(pause(1), FIRST_PAUSE);
        assert_eq!(pause(2), FIRST_PAUSE * 2);
        assert_eq!(pause(40), LONGEST_PAUSE);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
