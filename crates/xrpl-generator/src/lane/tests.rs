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
        lane.answered(seq(10 + i), Answer::Applied);
    }
    lane
}

const TES: End = End::Consumed { width: 1 };

#[test]
fn consecutive_sequences_up_to_the_limit() {
    let mut lane = lane_with_held(5);
    assert_eq!(lane.take(1), Err(Blocked::Full));
    lane.settled(seq(10), TES);
    assert_eq!(lane.take(1), Ok(seq(15)));
}

#[test]
fn one_on_the_wire_at_a_time() {
    let mut lane = Lane::new(Sequence(10), 5);
    assert_eq!(lane.take(1), Ok(seq(10)));
    assert_eq!(lane.take(1), Err(Blocked::OnTheWire));
    lane.answered(seq(10), Answer::Unknown);
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
        lane.answered(seq(10), answer);
        assert_eq!(lane.take(1), then, "{answer:?}");
    }
}

#[test]
fn a_refused_last_one_gives_its_sequence_back() {
    let mut lane = lane_with_held(1);
    lane.take(1).unwrap();
    lane.answered(seq(11), Answer::Ended);
    lane.settled(seq(11), End::Free);
    assert!(!lane.hole(), "nothing stands behind it");
    assert_eq!(lane.take(1), Ok(seq(11)));
}

#[test]
fn a_hole_in_the_middle_is_filled_before_anything_else_even_beyond_the_limit() {
    let mut lane = lane_with_held(5);
    lane.settled(seq(12), End::Free);
    assert!(lane.hole());
    assert_eq!(lane.take(3), Err(Blocked::Hole), "only what moves by one fits");
    lane.set_max_pending(2);
    assert_eq!(lane.take(1), Ok(seq(12)));
    lane.answered(seq(12), Answer::Applied);
    assert!(!lane.hole());
    for n in 10..15 {
        lane.settled(seq(n), TES);
    }
    assert_eq!((lane.take(1), lane.in_flight()), (Ok(seq(15)), 1));
}

#[test]
fn a_hole_is_filled_though_what_stands_behind_it_is_retried() {
    let mut lane = lane_with_held(1);
    lane.take(1).unwrap();
    lane.answered(seq(11), Answer::Retrying);
    lane.settled(seq(10), End::Free);
    assert_eq!(lane.take(1), Ok(seq(10)));
}

#[test]
fn all_freed_from_the_end_brings_next_back() {
    let mut lane = lane_with_held(4);
    for n in [11, 12, 13] {
        lane.settled(seq(n), End::Free);
    }
    assert_eq!(lane.next(), Sequence(11));
    lane.settled(seq(10), End::Free);
    assert_eq!((lane.next(), lane.hole()), (Sequence(10), false));
}

#[test]
fn tickets_move_the_sequence_by_one_and_their_number() {
    let mut lane = Lane::new(Sequence(10), 5);
    assert_eq!(lane.take(4), Ok(seq(10)));
    lane.answered(seq(10), Answer::Applied);
    assert_eq!(lane.take(1), Ok(seq(14)));
    lane.answered(seq(14), Answer::Applied);
    lane.settled(seq(10), End::Consumed { width: 4 });
    lane.add_tickets([11, 12, 13]);
    assert_eq!(lane.take_ticket(), Ok(ticket(11)));
    assert_eq!(lane.take_ticket(), Ok(ticket(12)), "tickets wait for no answer");
    lane.settled(ticket(11), End::Free);
    lane.add_tickets([11, 12, 13]);
    assert_eq!(lane.free_tickets(), 2, "known ones are not doubled");
    assert_eq!(lane.take_ticket(), Ok(ticket(11)));
}

#[test]
fn a_ticket_create_that_turns_into_a_claim_leaves_holes() {
    let mut lane = Lane::new(Sequence(10), 5);
    lane.take(3).unwrap();
    lane.answered(seq(10), Answer::Applied);
    lane.take(1).unwrap();
    lane.answered(seq(13), Answer::Retrying);
    lane.settled(seq(10), End::Consumed { width: 1 });
    for n in [11, 12] {
        assert_eq!(lane.take(1), Ok(seq(n)));
        lane.answered(seq(n), Answer::Applied);
    }
    assert_eq!(lane.take(1), Err(Blocked::NodeQueue));
}

#[test]
fn nothing_follows_a_ticket_create_whose_width_is_not_sure() {
    for answer in [Answer::Claimed, Answer::Queued, Answer::Unknown] {
        let mut lane = Lane::new(Sequence(10), 5);
        lane.take(3).unwrap();
        lane.answered(seq(10), answer);
        assert_eq!(lane.take(1), Err(Blocked::Undecided), "{answer:?}");
        lane.settled(seq(10), TES);
        assert_eq!(lane.take(1), Ok(seq(11)));
    }
}

#[test]
fn the_nodes_queue_holds_ten_of_an_account() {
    let mut lane = Lane::new(Sequence(1), 50);
    for n in 1..=10 {
        lane.take(1).unwrap();
        lane.answered(seq(n), Answer::Queued);
    }
    assert_eq!(lane.take(1), Err(Blocked::NodeQueue));
    lane.settled(seq(1), TES);
    assert!(lane.take(1).is_ok());
}

#[test]
fn doubt_is_ended_by_the_validated_sequence_once_nothing_is_live() {
    let mut lane = lane_with_held(2);
    lane.settled(seq(10), End::Doubtful);
    assert_eq!(lane.take(1), Err(Blocked::Doubt));
    assert!(!lane.needs_reread());
    lane.reread(Sequence(99));
    lane.settled(seq(11), TES);
    assert!(lane.needs_reread());
    lane.reread(Sequence(14));
    assert_eq!(lane.take(1), Ok(seq(14)));
}

#[test]
fn a_hole_below_a_validated_one_is_a_contradiction() {
    let mut lane = lane_with_held(3);
    lane.settled(seq(10), End::Free);
    lane.settled(seq(12), TES);
    assert_eq!(lane.take(1), Err(Blocked::Doubt));
}

#[test]
fn late_answers_and_unknown_slots_change_nothing() {
    let mut lane = lane_with_held(1);
    lane.settled(seq(10), TES);
    lane.answered(seq(10), Answer::Retrying);
    lane.settled(seq(10), End::Free);
    lane.settled(ticket(7), End::Free);
    assert_eq!((lane.take(1), lane.free_tickets()), (Ok(seq(11)), 0));
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
        self.live.push(Live { first, width, refused: false, answered: false });
    }

    fn answer(&mut self, lane: &mut Lane, how: u8) {
        let Some(live) = self.live.iter_mut().find(|l| !l.answered) else { return };
        live.answered = true;
        let answer = match how % 8 {
            0 => Answer::Claimed,
            1 => Answer::Queued,
            2 => Answer::Retrying,
            3 => Answer::Unknown,
            4 => Answer::Ended,
            _ => Answer::Applied,
        };
        live.refused = answer == Answer::Ended;
        lane.answered(seq(live.first), answer);
    }

    /// One live transaction ends as the ledger's rules allow.
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
        lane.settled(seq(live.first), end);
    }
}

/// A Ticket that came back is not used while the transaction that had it is open again.
#[test]
fn a_ticket_of_a_revoked_end_is_used_by_nobody_else() {
    let ticket = Slot::Ticket(Sequence(7));
    let mut lane = Lane::new(Sequence(5), 4);
    lane.add_tickets([7]);
    assert_eq!(lane.take_ticket(), Ok(ticket));
    lane.settled(ticket, End::Free);
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

    /// Whatever the node answers and the ledger decides: never two live transactions on one
    /// Sequence, never one that is past, and in the end no gap.
    #[test]
    fn any_history_is_survived(
        max_pending in 1usize..12,
        steps in prop::collection::vec((0u8..8, any::<u8>(), any::<bool>(), 0u8..10), 1..300),
    ) {
        let mut lane = Lane::new(Sequence(100), max_pending);
        let mut node = Node { sequence: 100, ..Node::default() };
        for (step, how, claim, expire) in steps {
            match step {
                0..3 => node.take(&mut lane, if how % 6 == 0 { 2 + u32::from(how % 4) } else { 1 }),
                3..6 => node.answer(&mut lane, how),
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
