use xrpl_client::EndpointId;

use super::*;

const GRACE: u64 = 3_000;

/// All that is to be read now, ascending.
fn take(c: &mut Completeness, now_ms: u64) -> Vec<u32> {
    let mut taken: Vec<_> = std::iter::from_fn(|| c.take_wanted(now_ms)).collect();
    taken.sort_unstable();
    taken
}

fn start() -> Completeness {
    Completeness::new(10, true, GRACE, 1_000)
}

fn connection(endpoint: u16) -> Option<ConnectionId> {
    Some(ConnectionId { endpoint: EndpointId(endpoint), generation: 1 })
}

fn hash(n: u32) -> Hash256 {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    Hash256(bytes)
}

fn tx(n: u32) -> TxHash {
    hash(n).into()
}

#[test]
fn counted_complete_only_with_every_transaction() {
    let mut c = start();
    let told = c.told(11, hash(11), Some(2), connection(0), 0);
    assert_eq!(told, Told { newest: true, complete: false, mismatch: false, short: false });
    assert!(!c.seen(11, Some(hash(11)), tx(1)));
    assert!(!c.seen(11, Some(hash(11)), tx(1)), "a duplicate does not count");
    assert!(!c.seen(11, Some(hash(99)), tx(2)), "nor one of another chain");
    assert!(!c.seen(11, None, tx(2)), "nor one of which the hash is not known");
    assert!(!c.covers(11, 11));
    assert!(c.seen(11, Some(hash(11)), tx(2)));
    assert!(c.covers(11, 11) && !c.covers(10, 11) && !c.covers(11, 12));
    assert!(c.told(12, hash(12), Some(0), connection(0), 0).complete, "an empty ledger");
    assert!(c.covers(11, 12));
    assert!(take(&mut c, u64::MAX).is_empty());
}

#[test]
fn short_when_the_same_connection_goes_on_or_ends_or_grace_is_over() {
    let mut c = start();
    c.told(11, hash(11), Some(1), connection(0), 0);
    c.told(12, hash(12), Some(0), connection(1), 0);
    assert!(take(&mut c, 0).is_empty(), "another connection may be ahead");
    c.told(12, hash(12), Some(0), connection(0), 0);
    c.told(13, hash(13), Some(0), connection(0), 0);
    assert_eq!(take(&mut c, 0), [11]);
    assert!(take(&mut c, u64::MAX).is_empty(), "it is being read");
    c.nothing_is_read();
    assert_eq!(take(&mut c, 0), [11], "who read it has failed");
    c.not_read(11, 0);
    assert!(take(&mut c, 0).is_empty(), "a pause before the next try");
    assert_eq!(take(&mut c, 60_000), [11]);
    c.read(11);
    assert!(c.covers(11, 13));

    c.told(14, hash(14), Some(1), connection(0), 0);
    c.disconnected(connection(1).unwrap(), 0);
    assert!(take(&mut c, 0).is_empty());
    c.disconnected(connection(0).unwrap(), 0);
    assert_eq!(take(&mut c, 0), [14]);

    c.told(15, hash(15), Some(1), connection(0), 5_000);
    c.tick(5_000 + GRACE - 1);
    assert!(take(&mut c, u64::MAX).is_empty());
    c.tick(5_000 + GRACE);
    assert_eq!(take(&mut c, 5_000 + GRACE), [15]);
}

#[test]
fn gaps_are_wanted_at_once_from_the_stream_and_after_grace_from_a_poll() {
    let mut c = start();
    c.told(14, hash(14), Some(0), connection(0), 0);
    assert_eq!(take(&mut c, 0), [11, 12, 13]);
    c.told(16, hash(16), None, None, 100);
    assert!(take(&mut c, 100).is_empty());
    assert_eq!(c.next_wanted_ms(100), Some(100 + GRACE));
    c.told(15, hash(15), Some(0), connection(0), 200);
    assert!(c.covers(14, 15), "the stream was only behind");
    assert_eq!(take(&mut c, 100 + GRACE), [16]);
}

#[test]
fn a_huge_gap_is_bounded() {
    let mut c = Completeness::new(10, true, GRACE, 5);
    c.told(1_000_000, hash(1), Some(0), connection(0), 0);
    assert_eq!(c.wanted_count(), 5);
    let mut c = Completeness::new(4_000_000_000, true, GRACE, 5);
    c.want_range(0, u32::MAX, 0);
    assert_eq!(c.wanted_count(), 6);
}

/// Two nodes report two ledgers of one index: their transactions are not counted together, whichever
/// comes first, and none before its ledger's hash is known.
#[test]
fn the_transactions_of_two_ledgers_are_not_counted_together() {
    let mut c = start();
    assert!(c.claim(11, hash(66)));
    assert!(!c.seen(11, Some(hash(66)), tx(1)), "seen before `ledgerClosed`");
    assert!(!c.claim(11, hash(11)), "a ledger of another hash");
    assert!(!c.seen(11, Some(hash(11)), tx(2)));
    assert!(c.told(11, hash(11), Some(2), connection(1), 0).mismatch);
    assert!(!c.seen(11, Some(hash(11)), tx(3)));
    assert!(!c.covers(11, 11));
    assert!(!c.told(11, hash(66), Some(2), connection(0), 0).complete);
    assert!(c.seen(11, Some(hash(66)), tx(2)) && c.covers(11, 11));

    // What came without a hash before anything was told counts for neither.
    assert!(!c.seen(12, None, tx(4)));
    assert!(!c.told(12, hash(12), Some(1), connection(0), 0).complete);
    assert!(c.seen(12, Some(hash(12)), tx(5)));
    // Of an old ledger, or one far away, nothing is learnt from a transaction.
    assert!(c.claim(5, hash(5)) && c.claim(5, hash(6)));
    assert!(c.claim(10_000, hash(5)) && c.claim(10_000, hash(6)));
}

#[test]
fn why_a_range_is_not_known_whole() {
    let mut c = start();
    c.told(11, hash(11), Some(0), connection(0), 0);
    assert_eq!(c.missing(11, 11), None);
    c.told(15, hash(15), Some(0), connection(0), 0);
    assert_eq!(c.missing(11, 15).unwrap(), "not read yet: ledgers 12 to 14");
    for index in [12, 14] {
        assert!((0..5).map(|_| c.nobody_has(index, 0)).eq([false, false, false, false, true]));
    }
    assert_eq!((c.wanted_count(), c.unreadable_count()), (1, 2));
    let some = "not read yet: ledgers 12 to 14; 2 of them are kept by no node any more";
    assert_eq!(c.missing(11, 15).unwrap(), some);
    c.read(13);
    assert_eq!(
        c.missing(11, 15).unwrap(),
        "kept by no node any more: 2 ledgers, of which 12 is the first"
    );
    assert_eq!(c.missing(12, 12).unwrap(), "kept by no node any more: ledger 12");
    c.dispute(15);
    let disputed = "the nodes do not agree on the hash of ledger 15";
    assert_eq!(c.missing(11, 15).unwrap(), disputed);
}

#[test]
fn another_hash_is_a_mismatch() {
    let mut c = start();
    c.told(11, hash(11), Some(1), connection(0), 0);
    let told = c.told(11, hash(66), Some(1), connection(1), 0);
    assert!(told.mismatch && !told.complete);
    assert_eq!(c.hash(11), Some(hash(11)));
    assert!(!c.learnt(11, hash(66)) && c.learnt(11, hash(11)));
}

#[test]
fn what_was_counted_under_a_hash_that_most_deny_is_read_anew() {
    let mut c = start();
    for index in 11..=13 {
        c.told(index, hash(index), Some(0), connection(0), 0);
    }
    assert!(c.covers(11, 13));
    c.dispute(12);
    c.dispute(12);
    assert!(!c.covers(11, 13) && c.covers(11, 11) && c.disputed(11, 13));
    assert_eq!(c.next_dispute_ms(), Some(0));
    assert_eq!(c.take_disputes(7), [12]);
    assert!(!c.covers(12, 12), "asking settles nothing");
    assert_eq!(c.next_dispute_ms(), None);
    c.reopen_disputes();
    assert_eq!(c.next_dispute_ms(), Some(7 + DISPUTE_RESTS_MS), "who asked has failed");
    c.undecided(12);
    assert_eq!(c.next_dispute_ms(), Some(7 + DISPUTE_RESTS_MS));
    assert!(!c.decide(12, hash(12), 7), "the known one was right");
    assert!(c.covers(11, 13));
    c.dispute(12);
    assert!(c.covers(11, 13), "a node that most deny changes nothing by saying it again");
    assert!(c.take_disputes(8).is_empty(), "the nodes were just asked");
    assert_eq!(c.take_disputes(7 + DISPUTE_RESTS_MS), [12]);
    assert!(c.decide(12, hash(66), 9_000));
    assert!(!c.covers(12, 12) && c.covers(11, 11) && c.covers(13, 13));
    assert_eq!((take(&mut c, 9_000), c.learnt(12, hash(66))), (vec![12], true));
    c.read(12);
    assert!(c.covers(11, 13));
}

#[test]
fn what_most_named_waits_for_the_ledger_above() {
    let mut c = start();
    for index in 11..=12 {
        c.told(index, hash(index), Some(0), connection(0), 0);
    }
    c.dispute(12);
    c.take_disputes(0);
    c.decide(12, hash(12), 0);
    assert!(c.is_unlinked(12) && c.take_unlinked(0).is_empty(), "nothing is known above");
    assert_eq!(c.next_dispute_ms(), None);
    c.told(13, hash(13), Some(0), connection(0), 0);
    assert_eq!(c.next_dispute_ms(), Some(0));
    assert_eq!(c.take_unlinked(0), [(12, hash(12), hash(13))]);
    assert!(c.take_unlinked(1).is_empty(), "it was just asked for");
    assert_eq!(c.take_unlinked(DISPUTE_RESTS_MS).len(), 1, "nobody had the header");
    c.break_link(12);
    assert!(c.disputed(12, 12) && c.disputed(13, 13) && !c.covers(11, 12));
    c.decide(12, hash(66), 9_000);
    c.decide(13, hash(13), 9_000);
    assert_eq!(c.take_unlinked(9_000), [(12, hash(66), hash(13))]);
    c.link(12);
    assert!(!c.is_unlinked(12) && !c.disputed(12, 13));
    // What nobody can show is not asked for for ever.
    c.told(14, hash(14), Some(0), connection(0), 9_000);
    let asked = (0..50).filter(|n| !c.take_unlinked(20_000 + n * DISPUTE_RESTS_MS).is_empty());
    assert_eq!(asked.count(), usize::from(LINKS_TRIED) + 1);
    c.decide(13, hash(13), 0);
    assert_eq!(c.take_unlinked(0).len(), 1, "it was settled anew");
    // One whose hash is no longer known keeps nobody awake.
    c.take_disputes(u64::MAX - DISPUTE_RESTS_MS);
    c.hashes.remove(&13);
    assert_eq!(
        (c.next_dispute_ms(), c.take_unlinked(u64::MAX - DISPUTE_RESTS_MS).len()),
        (None, 0)
    );
}

#[test]
fn where_the_stream_shows_only_some_nothing_is_counted() {
    let mut c = Completeness::new(10, false, GRACE, 1_000);
    c.learnt(11, hash(11));
    assert!(!c.seen(11, Some(hash(11)), tx(1)) && c.open.is_empty());
    c.told(11, hash(11), Some(0), connection(0), 0);
    c.told(12, hash(12), Some(0), connection(0), 0);
    c.tick(99_999);
    assert!(!c.covers(11, 11));
    assert!(take(&mut c, u64::MAX).is_empty());
    c.want_range(11, 12, 0);
    assert_eq!(take(&mut c, 0), [11, 12]);
}

#[test]
fn disputes_are_bounded_and_settled_ones_go_first() {
    let kept = u32::try_from(DISPUTES_KEPT).unwrap();
    let mut c = start();
    (1..=kept + 2).for_each(|index| c.read(index));
    (1..=kept).for_each(|index| c.dispute(index));
    assert!(c.disputed(1, 1) && c.disputed(kept, kept), "as many as that are kept");
    c.decide(500, hash(500), 0);
    c.read(500);
    c.dispute(kept + 1);
    assert!(c.covers(500, 500) && c.disputed(1, 1), "the settled one is forgotten, and only that");
    c.dispute(kept + 2);
    assert!(!c.disputed(1, 1) && !c.covers(1, 1), "of one that is not, the ledger is read anew");
    assert!(c.disputed(2, 2) && c.disputed(kept + 2, kept + 2));
}

#[test]
fn nodes_that_did_not_agree_are_asked_again_after_a_rest() {
    let mut c = start();
    c.dispute(11);
    assert_eq!(c.take_disputes(7), [11]);
    assert_eq!(c.next_dispute_ms(), None);
    c.undecided(11);
    c.undecided(12);
    assert_eq!(c.next_dispute_ms(), Some(7 + DISPUTE_RESTS_MS));
}

#[test]
fn hashes_are_kept_compared_and_bounded() {
    let mut c = start();
    assert!(c.learnt(5, hash(5)) && c.learnt(5, hash(5)) && !c.learnt(5, hash(6)));
    assert!(c.contradicts(5, hash(6)) && !c.contradicts(5, hash(5)) && !c.contradicts(6, hash(6)));
    assert_eq!(c.hashes(), &BTreeMap::from([(5, hash(5))]));
    c.learnt(9, hash(9));
    assert_eq!(c.known_above(5, 4), Some((9, hash(9))));
    assert_eq!((c.known_above(5, 3), c.known_above(9, 10)), (None, None));

    let kept = u32::try_from(HASHES_KEPT).unwrap();
    let mut c = start();
    (1..=kept).for_each(|index| assert!(c.learnt(index, hash(index))));
    assert_eq!(c.hash(1), Some(hash(1)));
    c.learnt(kept + 1, hash(kept + 1));
    assert_eq!((c.hash(1), c.hash(2)), (None, Some(hash(2))));
}

/// What a transaction's message says of a ledger counts for those soon to come, and no others.
#[test]
fn transactions_are_counted_ahead_of_their_ledger_but_not_far_ahead() {
    let mut c = start();
    assert!(c.claim(10, hash(1)) && c.claim(10, hash(2)), "the newest one is not new");
    assert!(c.claim(10 + AHEAD, hash(1)) && !c.claim(10 + AHEAD, hash(2)));
    assert!(c.claim(11 + AHEAD, hash(1)) && c.claim(11 + AHEAD, hash(2)));

    for (index, counted) in [(5, false), (10, false), (10 + AHEAD, true), (11 + AHEAD, false)] {
        let mut c = start();
        c.learnt(index, hash(index));
        assert!(!c.seen(index, Some(hash(index)), tx(1)));
        let told = c.told(index, hash(index), Some(1), connection(0), 0);
        assert_eq!(told.complete, counted, "{index}");
    }
}

#[test]
fn what_is_told_of_the_newest_or_of_one_that_is_whole() {
    let mut c = start();
    let told = c.told(10, hash(10), None, None, 0);
    assert_eq!((told, c.wanted_count()), (Told::default(), 0), "where coverage begins");
    c.read(11);
    let told = c.told(11, hash(11), Some(3), connection(0), 0);
    assert_eq!(told, Told { newest: true, ..Told::default() }, "it was read before");
    c.read(12);
    c.told(14, hash(14), Some(0), connection(0), 0);
    assert_eq!(take(&mut c, u64::MAX), [13], "what is whole is not wanted");
    // A count that no stream of all transactions told: the stream may be about to.
    let mut c = start();
    c.told(12, hash(12), Some(0), None, 100);
    assert_eq!((c.take_wanted(99 + GRACE), c.take_wanted(100 + GRACE)), (None, Some(11)));
    let mut c = start();
    c.told(12, hash(12), None, connection(0), 100);
    assert_eq!((c.take_wanted(99 + GRACE), c.wanted_count()), (None, 2));
}

/// A ledger that a poll told of is not read if the stream has it after all; what is being read, or
/// is in a stream that shows only some, is.
#[test]
fn the_streams_word_spares_reading_unless_it_is_under_way() {
    let mut c = start();
    c.told(11, hash(11), None, None, 0);
    assert_eq!(c.wanted_count(), 1);
    c.told(11, hash(11), Some(1), connection(0), 10);
    assert_eq!(c.wanted_count(), 0);

    let mut c = start();
    c.told(11, hash(11), None, None, 0);
    assert_eq!(c.take_wanted(GRACE), Some(11));
    c.told(11, hash(11), Some(1), connection(0), GRACE);
    c.nothing_is_read();
    assert_eq!(c.take_wanted(GRACE), Some(11));

    let mut c = Completeness::new(10, false, GRACE, 1_000);
    c.told(11, hash(11), None, None, 0);
    c.told(11, hash(11), Some(1), connection(0), 10);
    assert_eq!(c.take_wanted(GRACE), Some(11));
}

#[test]
fn open_ledgers_are_bounded() {
    let kept = u32::try_from(OPEN_KEPT).unwrap();
    let tell = |c: &mut Completeness, n| c.told(10 + n, hash(10 + n), Some(1), None, 0);
    let mut c = start();
    for n in 1..=kept {
        tell(&mut c, n);
    }
    assert!(c.seen(11, Some(hash(11)), tx(1)), "so many are kept");
    let mut c = start();
    for n in 1..=kept + 1 {
        tell(&mut c, n);
    }
    assert!(!c.seen(11, Some(hash(11)), tx(1)));
    assert!(c.seen(12, Some(hash(12)), tx(1)));
}

#[test]
fn what_is_short_is_read_when_the_stream_is_not_to_be_counted_on() {
    let mut c = start();
    c.told(11, hash(11), Some(1), connection(0), 0);
    assert_eq!(c.wanted_count(), 0);
    c.read_short(5);
    assert_eq!(take(&mut c, 5), [11]);
}

#[test]
fn what_an_undecided_transaction_waits_for() {
    // The stream may still complete it.
    let mut c = start();
    c.told(11, hash(11), Some(1), connection(0), 1_000);
    c.want_range(11, 11, 999 + GRACE);
    assert_eq!(c.wanted_count(), 0);
    c.want_range(11, 11, 1_000 + GRACE);
    assert_eq!(take(&mut c, 1_000 + GRACE), [11]);

    // Nothing is on its way of one that the stream has not told of.
    let mut c = start();
    c.told(11, hash(11), None, None, 0);
    c.seen(11, Some(hash(11)), tx(1));
    c.claim(12, hash(12));
    c.seen(12, Some(hash(12)), tx(1));
    c.told(12, hash(12), None, None, 0);
    c.want_range(11, 12, 100);
    assert_eq!(take(&mut c, 100), [11, 12]);

    let mut c = start();
    c.told(11, hash(11), Some(0), connection(0), 0);
    c.want_range(11, 11, u64::MAX);
    assert_eq!(c.wanted_count(), 0, "it is whole");
    c.read_anew(11, 11, 7);
    assert!(!c.covers(11, 11));
    assert_eq!(take(&mut c, 7), [11], "but is read once more where that is asked");
}
