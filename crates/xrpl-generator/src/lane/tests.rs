use proptest::prelude::*;

use super::*;

fn seq(n: u32) -> Slot {
    Slot::Sequence(Sequence(n))
}

fn ticket(n: u32) -> Slot {
    Slot::Ticket(Sequence(n))
}

/// A lane at 10 with this many transactions held by the node.
fn lane_with_held(n: u32) -> Lane {
    let mut lane = Lane::new(Sequence(10), 5);
    for i in 0..n {
        assert_eq!(lane.take(1), Ok(seq(10 + i)));
        lane.answered(seq(10 + i), 0, Answer::Applied);
    }
    lane
}

const TES: End = End::Consumed { width: 1 };

/// Machines and people tell the reasons apart.
#[test]
fn reasons_have_names_and_words_of_their_own() {
    use Blocked::{Doubt, Full, Hole, NoTicket, NodeQueue, OnTheWire, Undecided};
    let all = [Full, OnTheWire, NodeQueue, Undecided, Hole, Doubt, NoTicket];
    for words in [Blocked::name, Blocked::reason] {
        let mut told: Vec<_> = all.iter().map(|one| words(*one)).collect();
        told.sort_unstable();
        told.dedup();
        assert_eq!(told.len(), all.len());
        assert!(told.iter().all(|text| text.len() > 3));
    }
}

#[test]
fn the_limit_can_be_changed_and_is_one_at_least() {
    let mut lane = lane_with_held(3);
    lane.set_max_pending(3);
    assert_eq!((lane.max_pending(), lane.take(1)), (3, Err(Blocked::Full)));
    lane.set_max_pending(4);
    assert_eq!(lane.max_pending(), 4);
    assert!(lane.take(1).is_ok());
    lane.set_max_pending(0);
    assert_eq!((lane.max_pending(), lane.in_flight()), (1, 4), "what is in flight stays");
    assert_eq!(Lane::new(Sequence(1), 0).max_pending(), 1);
}

#[test]
fn a_filled_hole_stands_between_its_neighbours() {
    let mut lane = lane_with_held(4);
    lane.settled(seq(12), 0, End::Free);
    assert!(lane.is_next(seq(10)), "a hole behind it changes nothing");
    assert_eq!(lane.take(1), Ok(seq(12)));
    lane.answered(seq(12), 0, Answer::Applied);
    for n in 10..14 {
        assert_eq!((10..14).map(|m| lane.is_next(seq(m))).position(|next| next), Some(n - 10));
        lane.settled(seq(u32::try_from(n).unwrap()), 0, TES);
    }
    assert_eq!(lane.in_flight(), 0);
}

/// Something may have used the slot: it is not forgotten because another rival is still open.
#[test]
fn a_doubtful_end_is_remembered_while_rivals_are_open() {
    let mut lane = lane_with_held(1);
    assert_eq!(lane.rival(seq(10)), Some(1));
    lane.answered(seq(10), 1, Answer::Applied);
    assert_eq!(lane.settled(seq(10), 0, End::Doubtful), Some(Verdict::Open));
    assert_eq!(lane.take(1), Err(Blocked::Doubt));
    assert_eq!(lane.settled(seq(10), 1, End::Free), Some(Verdict::Free));
    assert!(lane.needs_reread());
}

#[test]
fn nothing_is_signed_while_the_sequence_is_in_doubt() {
    let mut lane = lane_with_held(1);
    lane.doubt();
    assert_eq!((lane.take(1), lane.rival(seq(10))), (Err(Blocked::Doubt), None));
    lane.settled(seq(10), 0, TES);
    lane.reread(Sequence(20));
    assert_eq!(lane.take(1), Ok(seq(20)));
}

#[test]
fn consecutive_sequences_up_to_the_limit() {
    let mut lane = lane_with_held(5);
    assert_eq!(lane.take(1), Err(Blocked::Full));
    lane.settled(seq(10), 0, TES);
    assert_eq!(lane.take(1), Ok(seq(15)));
}

#[test]
fn one_on_the_wire_at_a_time() {
    let mut lane = Lane::new(Sequence(10), 5);
    assert_eq!(lane.take(1), Ok(seq(10)));
    assert_eq!(lane.take(1), Err(Blocked::OnTheWire));
    lane.answered(seq(10), 0, Answer::Unknown);
    assert_eq!(lane.take(1), Ok(seq(11)), "a lost answer leaves the slot taken and the lane open");
}

#[test]
fn what_the_first_answer_allows() {
    for (answer, then) in [
        (Answer::Applied, Ok(seq(11))),
        (Answer::Claimed, Ok(seq(11))),
        (Answer::Queued, Ok(seq(11))),
        (Answer::Unknown, Ok(seq(11))),
        (Answer::Retrying, Err(Blocked::NodeQueue)),
        (Answer::Refused, Err(Blocked::Undecided)),
        (Answer::Ended, Err(Blocked::Undecided)),
    ] {
        let mut lane = Lane::new(Sequence(10), 5);
        lane.take(1).unwrap();
        lane.answered(seq(10), 0, answer);
        assert_eq!(lane.take(1), then, "{answer:?}");
    }
}

#[test]
fn a_refused_last_one_gives_its_sequence_back() {
    let mut lane = lane_with_held(1);
    lane.take(1).unwrap();
    lane.answered(seq(11), 0, Answer::Ended);
    lane.settled(seq(11), 0, End::Free);
    assert!(!lane.hole(), "nothing stands behind it");
    assert_eq!(lane.take(1), Ok(seq(11)));
}

#[test]
fn a_hole_in_the_middle_is_filled_before_anything_else_even_beyond_the_limit() {
    let mut lane = lane_with_held(5);
    lane.settled(seq(12), 0, End::Free);
    assert!(lane.hole());
    assert_eq!(lane.take(3), Err(Blocked::Hole), "only what moves by one fits");
    lane.set_max_pending(2);
    assert_eq!(lane.take(1), Ok(seq(12)));
    lane.answered(seq(12), 0, Answer::Applied);
    assert!(!lane.hole());
    for n in 10..15 {
        lane.settled(seq(n), 0, TES);
    }
    assert_eq!((lane.take(1), lane.in_flight()), (Ok(seq(15)), 1));
}

#[test]
fn a_hole_is_filled_though_what_stands_behind_it_is_retried() {
    let mut lane = lane_with_held(1);
    lane.take(1).unwrap();
    lane.answered(seq(11), 0, Answer::Retrying);
    lane.settled(seq(10), 0, End::Free);
    assert_eq!(lane.take(1), Ok(seq(10)));
}

#[test]
fn all_freed_from_the_end_brings_next_back() {
    let mut lane = lane_with_held(4);
    for n in [11, 12, 13] {
        lane.settled(seq(n), 0, End::Free);
    }
    assert_eq!(lane.next(), Sequence(11));
    lane.settled(seq(10), 0, End::Free);
    assert_eq!((lane.next(), lane.hole()), (Sequence(10), false));
}

#[test]
fn tickets_move_the_sequence_by_one_and_their_number() {
    let mut lane = Lane::new(Sequence(10), 5);
    assert_eq!(lane.take(4), Ok(seq(10)));
    lane.answered(seq(10), 0, Answer::Applied);
    assert_eq!(lane.take(1), Ok(seq(14)));
    lane.answered(seq(14), 0, Answer::Applied);
    lane.settled(seq(10), 0, End::Consumed { width: 4 });
    lane.add_tickets([11, 12, 13]);
    assert_eq!(lane.take_ticket(), Ok(ticket(11)));
    assert_eq!(lane.take_ticket(), Ok(ticket(12)), "tickets wait for no answer");
    lane.settled(ticket(11), 0, End::Free);
    lane.add_tickets([11, 12, 13]);
    assert_eq!(lane.free_tickets(), 2, "known ones are not doubled");
    assert_eq!(lane.take_ticket(), Ok(ticket(11)));
}

#[test]
fn a_ticket_create_that_turns_into_a_claim_leaves_holes() {
    let mut lane = Lane::new(Sequence(10), 5);
    lane.take(3).unwrap();
    lane.answered(seq(10), 0, Answer::Applied);
    lane.take(1).unwrap();
    lane.answered(seq(13), 0, Answer::Retrying);
    lane.settled(seq(10), 0, End::Consumed { width: 1 });
    for n in [11, 12] {
        assert_eq!(lane.take(1), Ok(seq(n)));
        lane.answered(seq(n), 0, Answer::Applied);
    }
    assert_eq!(lane.take(1), Err(Blocked::NodeQueue));
}

#[test]
fn nothing_follows_a_ticket_create_whose_width_is_not_sure() {
    for answer in [Answer::Claimed, Answer::Queued, Answer::Unknown] {
        let mut lane = Lane::new(Sequence(10), 5);
        lane.take(3).unwrap();
        lane.answered(seq(10), 0, answer);
        assert_eq!(lane.take(1), Err(Blocked::Undecided), "{answer:?}");
        lane.settled(seq(10), 0, TES);
        assert_eq!(lane.take(1), Ok(seq(11)));
    }
}

#[test]
fn the_nodes_queue_holds_ten_of_an_account() {
    let mut lane = Lane::new(Sequence(1), 50);
    for n in 1..=10 {
        lane.take(1).unwrap();
        lane.answered(seq(n), 0, Answer::Queued);
    }
    assert_eq!(lane.take(1), Err(Blocked::NodeQueue));
    lane.settled(seq(1), 0, TES);
    assert!(lane.take(1).is_ok());
}

#[test]
fn doubt_is_ended_by_the_validated_sequence_once_nothing_is_live() {
    let mut lane = lane_with_held(2);
    lane.settled(seq(10), 0, End::Doubtful);
    assert_eq!(lane.take(1), Err(Blocked::Doubt));
    assert!(!lane.needs_reread());
    lane.reread(Sequence(99));
    lane.settled(seq(11), 0, TES);
    assert!(lane.needs_reread());
    lane.reread(Sequence(14));
    assert_eq!(lane.take(1), Ok(seq(14)));
}

#[test]
fn a_hole_below_a_validated_one_is_a_contradiction() {
    let mut lane = lane_with_held(3);
    lane.settled(seq(10), 0, End::Free);
    lane.settled(seq(12), 0, TES);
    assert_eq!(lane.take(1), Err(Blocked::Doubt));
}

#[test]
fn late_answers_and_unknown_slots_change_nothing() {
    let mut lane = lane_with_held(1);
    lane.settled(seq(10), 0, TES);
    lane.answered(seq(10), 0, Answer::Retrying);
    lane.settled(seq(10), 0, End::Free);
    lane.settled(ticket(7), 0, End::Free);
    assert_eq!((lane.take(1), lane.free_tickets()), (Ok(seq(11)), 0));
}

/// What became of a slot with rivals: each row is what happened to it, in order, and what the lane
/// says of it then.
#[test]
fn a_slot_with_rivals_is_free_only_when_all_have_ended_and_used_as_soon_as_one_is_validated() {
    use Verdict::{Doubtful, Free, Open, Used};
    type Ends = [(Rival, End, Option<Verdict>)];
    const ENDS: &[(&str, &Ends)] = &[
        ("the first wins", &[(0, TES, Some(Used)), (1, End::Lost, None), (2, End::Lost, None)]),
        ("the last wins", &[(2, TES, Some(Used)), (0, End::Lost, None), (1, End::Free, None)]),
        (
            "one expires, another wins",
            &[(0, End::Free, Some(Open)), (1, TES, Some(Used)), (2, End::Lost, None)],
        ),
        (
            "the loss is told before the win",
            &[(0, End::Lost, Some(Open)), (2, End::Lost, Some(Open)), (1, TES, Some(Used))],
        ),
        (
            "all expire",
            &[(1, End::Free, Some(Open)), (0, End::Free, Some(Open)), (2, End::Free, Some(Free))],
        ),
        (
            "a win that never comes",
            &[
                (0, End::Lost, Some(Open)),
                (1, End::Free, Some(Open)),
                (2, End::Lost, Some(Doubtful)),
            ],
        ),
        (
            "somebody else",
            &[
                (0, End::Doubtful, Some(Open)),
                (1, End::Doubtful, Some(Open)),
                (2, End::Doubtful, Some(Doubtful)),
            ],
        ),
        ("an end is told twice", &[(0, End::Free, Some(Open)), (0, End::Free, None)]),
    ];
    for (what, ends) in ENDS {
        for of_ticket in [false, true] {
            let mut lane = Lane::new(Sequence(10), 5);
            lane.add_tickets([7]);
            let slot = if of_ticket { lane.take_ticket() } else { lane.take(1) }.unwrap();
            for rival in 0..3 {
                if rival > 0 {
                    assert_eq!(lane.rival(slot), Some(rival));
                }
                lane.answered(slot, rival, Answer::Queued);
            }
            for (rival, end, verdict) in *ends {
                assert_eq!(lane.settled(slot, *rival, *end), *verdict, "{what}: {rival}");
                let handed_out = match of_ticket {
                    true => lane.take_ticket().ok(),
                    false => lane.take(1).ok(),
                };
                match verdict {
                    Some(Free) => assert_eq!(handed_out, Some(slot), "{what}"),
                    _ => assert_ne!(handed_out, Some(slot), "{what}"),
                }
                if let Some(other) = handed_out {
                    // Not what this is about: as if it had not been asked for.
                    lane.settled(other, 0, End::Free);
                }
            }
        }
    }
}

#[test]
fn rivals_are_few_and_wait_for_each_others_answers() {
    let mut lane = Lane::new(Sequence(10), 5);
    assert_eq!(lane.rival(seq(10)), None, "nothing is there yet");
    lane.take(1).unwrap();
    assert_eq!(lane.rival(seq(10)), None, "it is on its way");
    lane.answered(seq(10), 0, Answer::Queued);
    for rival in 1..=MOST_RIVALS {
        assert_eq!(lane.rival(seq(10)), Some(rival));
        assert_eq!(lane.take(1), Err(Blocked::OnTheWire));
        lane.answered(seq(10), rival, Answer::Retrying);
        lane.settled(seq(10), rival, End::Free);
    }
    assert_eq!(lane.rival(seq(10)), None, "ended ones count too");
    assert_eq!(lane.in_flight(), 1, "one slot");
    lane.settled(seq(10), 0, TES);
    assert_eq!(lane.rival(seq(10)), None, "it is used up");
}

#[test]
fn a_slot_is_as_sure_as_its_surest_transaction() {
    for (first, second, then) in [
        (Answer::Queued, Answer::Retrying, Ok(seq(11))),
        (Answer::Retrying, Answer::Applied, Ok(seq(11))),
        (Answer::Refused, Answer::Queued, Ok(seq(11))),
        (Answer::Retrying, Answer::Refused, Err(Blocked::NodeQueue)),
        (Answer::Refused, Answer::Past, Err(Blocked::Undecided)),
    ] {
        let mut lane = Lane::new(Sequence(10), 5);
        lane.take(1).unwrap();
        lane.answered(seq(10), 0, first);
        lane.rival(seq(10)).unwrap();
        lane.answered(seq(10), 1, second);
        assert_eq!(lane.take(1), then, "{first:?} {second:?}");
    }
    // Nothing follows two that may move the Sequence by different widths.
    let mut lane = Lane::new(Sequence(10), 5);
    lane.take(3).unwrap();
    lane.answered(seq(10), 0, Answer::Refused);
    lane.rival(seq(10)).unwrap();
    lane.answered(seq(10), 1, Answer::Applied);
    assert_eq!(lane.take(1), Err(Blocked::Undecided));
    assert_eq!(lane.settled(seq(10), 1, TES), Some(Verdict::Used));
    assert_eq!(lane.take(1), Ok(seq(11)), "the narrow one won");
}

#[test]
fn a_newer_answer_replaces_an_older_one() {
    let mut lane = Lane::new(Sequence(10), 5);
    lane.take(1).unwrap();
    lane.answered(seq(10), 0, Answer::Retrying);
    assert_eq!(lane.take(1), Err(Blocked::NodeQueue));
    lane.answered(seq(10), 0, Answer::Applied);
    assert_eq!(lane.take(1), Ok(seq(11)));
}

#[test]
fn only_the_first_of_the_sequences_and_tickets_are_next() {
    let mut lane = lane_with_held(2);
    lane.add_tickets([7]);
    let free = lane.take_ticket().unwrap();
    assert!(lane.is_next(seq(10)) && !lane.is_next(seq(11)) && lane.is_next(free));
    lane.settled(seq(10), 0, End::Free);
    assert!(!lane.is_next(seq(11)), "the hole comes first");
}

/// A node as far as Sequences are concerned: what is live, and where its ledger stands.
#[derive(Debug, Default)]
struct Node {
    live: Vec<Live>,
    sequence: u32,
}

#[derive(Clone, Copy, Debug)]
struct Live {
    first: u32,
    rival: Rival,
    width: u32,
    refused: bool,
    answered: bool,
}

impl Node {
    fn take(&mut self, lane: &mut Lane, width: u32) {
        let Ok(slot) = lane.take(width) else { return };
        let first = slot.number();
        assert!(first >= self.sequence, "{first} is past: the ledger is at {}", self.sequence);
        for other in &self.live {
            let apart = first + width <= other.first || other.first + other.width <= first;
            assert!(apart, "{first} is taken by {other:?}");
        }
        self.live.push(Live { first, rival: 0, width, refused: false, answered: false });
    }

    /// One more on a slot that is taken; it moves the Sequence by as much, or by one.
    fn rival(&mut self, lane: &mut Lane, which: usize, narrow: bool) {
        if self.live.is_empty() {
            return;
        }
        let Live { first, width, .. } = self.live[which % self.live.len()];
        let Some(rival) = lane.rival(seq(first)) else { return };
        assert!(self.live.iter().filter(|l| l.first == first).all(|l| l.answered));
        assert!(rival <= MOST_RIVALS);
        let width = if narrow { 1 } else { width };
        self.live.push(Live { first, rival, width, refused: false, answered: false });
    }

    fn answer(&mut self, lane: &mut Lane, how: u8) {
        let Some(live) = self.live.iter_mut().find(|l| !l.answered) else { return };
        live.answered = true;
        let answer = match how % 9 {
            0 => Answer::Claimed,
            1 => Answer::Queued,
            2 => Answer::Retrying,
            3 => Answer::Unknown,
            4 => Answer::Ended,
            5 => Answer::Refused,
            _ => Answer::Applied,
        };
        live.refused = answer == Answer::Ended;
        lane.answered(seq(live.first), live.rival, answer);
    }

    /// One live transaction ends as the ledger's rules allow, and its rivals with it, in this order
    /// or the other.
    fn end(&mut self, lane: &mut Lane, which: usize, claim: bool, expire: bool) {
        if self.live.is_empty() {
            return;
        }
        let at = which % self.live.len();
        let live = self.live[at];
        let end = if !live.refused && !expire && live.first == self.sequence {
            let width = if claim { 1 } else { live.width };
            self.sequence += width;
            End::Consumed { width }
        } else if live.refused || expire {
            End::Free
        } else {
            return;
        };
        self.live.remove(at);
        let mut losers = Vec::new();
        if matches!(end, End::Consumed { .. }) {
            losers.extend(self.live.extract_if(.., |other| other.first == live.first));
        }
        if claim {
            for loser in losers.drain(..) {
                lane.settled(seq(loser.first), loser.rival, End::Lost);
            }
        }
        let verdict = lane.settled(seq(live.first), live.rival, end);
        let others = self.live.iter().any(|other| other.first == live.first);
        assert_eq!(verdict == Some(Verdict::Open), others, "{verdict:?} {live:?}");
        for loser in losers {
            assert_eq!(lane.settled(seq(loser.first), loser.rival, End::Lost), None);
        }
    }
}

/// A Ticket that came back is not used while the transaction that had it is open again.
#[test]
fn a_ticket_of_a_revoked_end_is_used_by_nobody_else() {
    let ticket = Slot::Ticket(Sequence(7));
    let mut lane = Lane::new(Sequence(5), 4);
    lane.add_tickets([7]);
    assert_eq!(lane.take_ticket(), Ok(ticket));
    lane.settled(ticket, 0, End::Free);
    lane.revoked(ticket);
    assert_eq!(lane.take_ticket(), Err(Blocked::NoTicket));
    assert_eq!(lane.take(1), Err(Blocked::Doubt));
    lane.decided(Slot::Ticket(Sequence(8)), End::Free);
    assert!(!lane.needs_reread(), "another one");
    lane.decided(ticket, End::Free);
    assert!(lane.needs_reread());
    lane.reread(Sequence(5));
    assert_eq!((lane.take_ticket(), lane.take(1)), (Ok(ticket), Ok(seq(5))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever the node answers and the ledger decides, with rivals on any slot: never two live
    /// transactions of different purpose on one Sequence, never one that is past, and in the end no
    /// gap.
    #[test]
    fn any_history_is_survived(
        max_pending in 1usize..12,
        steps in prop::collection::vec((0u8..9, any::<u8>(), any::<bool>(), 0u8..10), 1..300),
    ) {
        let mut lane = Lane::new(Sequence(100), max_pending);
        let mut node = Node { sequence: 100, ..Node::default() };
        for (step, how, claim, expire) in steps {
            match step {
                0..3 => node.take(&mut lane, if how % 6 == 0 { 2 + u32::from(how % 4) } else { 1 }),
                3..5 => node.answer(&mut lane, how),
                5 => node.rival(&mut lane, how.into(), claim),
                _ => node.end(&mut lane, how.into(), claim, expire == 0),
            }
            prop_assert!(lane.in_flight() <= max_pending + node.live.len());
        }
        // The rest ends well, and holes are filled as they show.
        for _ in 0..2000 {
            if lane.hole() {
                node.take(&mut lane, 1);
            }
            node.answer(&mut lane, 7);
            for which in 0..node.live.len() {
                node.end(&mut lane, which, false, false);
            }
            if node.live.is_empty() && !lane.hole() {
                break;
            }
        }
        prop_assert!(node.live.is_empty(), "stuck: {node:?} {lane:?}");
        prop_assert_eq!(lane.next(), Sequence(node.sequence));
        prop_assert!(!lane.needs_reread());
        prop_assert_eq!(lane.take(1), Ok(seq(node.sequence)));
    }
}

#[test]
fn a_ticket_that_is_kept_goes_to_who_asks_for_its_number() {
    let mut lane = Lane::new(Sequence(5), 4);
    lane.add_tickets([20, 21]);
    lane.keep_ticket(20);
    lane.keep_ticket(99);
    lane.add_tickets([20]);
    assert_eq!((lane.free_tickets(), lane.take_kept_ticket(99)), (1, Err(Blocked::NoTicket)));
    assert_eq!(lane.take_ticket(), Ok(Slot::Ticket(Sequence(21))));
    assert_eq!(lane.take_ticket(), Err(Blocked::NoTicket));
    assert_eq!(lane.take_kept_ticket(20), Ok(Slot::Ticket(Sequence(20))));
    lane.free_ticket(20);
    assert_eq!((lane.free_tickets(), lane.in_flight()), (0, 2), "it is in flight");
    lane.add_tickets([22]);
    lane.keep_ticket(22);
    lane.free_ticket(22);
    assert_eq!(lane.take_ticket(), Ok(Slot::Ticket(Sequence(22))));
}
