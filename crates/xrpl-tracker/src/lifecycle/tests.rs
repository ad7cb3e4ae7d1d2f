use proptest::prelude::*;
use xrpl_protocol::{EngineResult, Hash256};

use super::{refusals::fate, *};
use crate::evidence::Source;

fn tx(state: State) -> TxState {
    TxState { state, may_have_left: state != State::Created, undecided: false, in_doubt: false }
}

fn place() -> ValidatedIn {
    ValidatedIn {
        ledger_index: LedgerIndex(9),
        ledger_hash: Some(Hash256([3; 32])),
        result: ResultName::new("tecPATH_DRY"),
        source: Source::Ws,
    }
}

fn proof() -> AbsenceProof {
    AbsenceProof::EveryLedgerRead { first: LedgerIndex(3), last: LedgerIndex(7) }
}

fn answer(name: &str) -> Event {
    answer_to(name, Handling::default())
}

fn answer_to(name: &str, handling: Handling) -> Event {
    Event::Answered { result: ResultName::new(name), handling }
}

/// Submitted with `fail_hard`, and not applied.
fn hard(name: &str) -> Event {
    answer_to(name, Handling { fail_hard: true, not_applied: true, ..Handling::default() })
}

fn passed(proof: Option<AbsenceProof>) -> Event {
    Event::LastLedgerPassed { last_ledger_sequence: LedgerIndex(7), proof }
}

fn consumed() -> Event {
    Event::SequenceConsumed { by: TxHash([8; 32]), ledger: LedgerIndex(6) }
}

fn gone(absent_from: Option<u32>) -> Event {
    Event::SlotGone { ledger: LedgerIndex(9), absent_from: absent_from.map(LedgerIndex) }
}

fn api(token: &str, refused: bool) -> Event {
    Event::ApiError { token: ResultName::new(token), refused }
}

fn not_written(budget_spent: bool) -> Event {
    Event::NotWritten { attempts: 8, budget_spent }
}

/// What each event makes of CREATED (of a fresh one, and of one that may have been sent before),
/// SUBMITTED and RETRYABLE, row by row of the product's table; then every state times every event is
/// looked at.
#[test]
fn the_table() {
    use State::{Created as C, FailedNet as F, Rejected as X, Retryable as R, Submitted as S};
    use State::{Expired as E, Validated as V};
    let relayed = Handling { passed_on: true, ..Handling::default() };
    let rules = Handling { may_turn: true, ..Handling::default() };
    let rows = [
        // tes, tec, terQUEUED: the node holds it.
        (answer("tesSUCCESS"), [S, S, S, S]),
        (answer("tecPATH_DRY"), [S, S, S, S]),
        (answer("tecNEW_IN_2031"), [S, S, S, S]),
        (answer("terQUEUED"), [S, S, S, S]),
        // Other ter, tel and tef: it keeps it, and may apply it later.
        (answer("terPRE_SEQ"), [R, R, R, R]),
        (answer("terNEW_IN_2031"), [R, R, R, R]),
        (answer("telCAN_NOT_QUEUE"), [R, R, R, R]),
        (answer("telINSUF_FEE_P"), [R, R, R, R]),
        (answer("tefBAD_AUTH"), [R, R, R, R]),
        (answer("tefMASTER_DISABLED"), [R, R, R, R]),
        (answer("tefNEW_IN_2031"), [R, R, R, R]),
        // tem: a refusal, unless some node may have it.
        (answer("temMALFORMED"), [X, S, S, S]),
        (answer("temNEW_IN_2031"), [X, S, S, S]),
        (answer_to("temMALFORMED", relayed), [S, S, S, S]),
        (answer_to("temDISABLED", rules), [S, S, S, S]),
        // Marked bad before: so it was somewhere before.
        (answer("temBAD_SIGNATURE"), [S, S, S, S]),
        (hard("temBAD_SIGNATURE"), [S, S, S, S]),
        // Kept by nobody.
        (hard("temMALFORMED"), [X, S, S, S]),
        (hard("tefBAD_AUTH"), [X, S, S, S]),
        (hard("terPRE_SEQ"), [X, S, S, S]),
        (hard("telCAN_NOT_QUEUE"), [X, S, S, S]),
        (hard("tecPATH_DRY"), [X, S, S, S]),
        (hard("tefPAST_SEQ"), [S, S, S, S]),
        (answer_to("tesSUCCESS", Handling { fail_hard: true, ..relayed }), [S, S, S, S]),
        (answer_to("terPRE_SEQ", Handling { fail_hard: true, ..relayed }), [R, R, R, R]),
        // What may hide a success.
        (answer("tefALREADY"), [S, S, S, S]),
        (answer("tefPAST_SEQ"), [S, S, S, S]),
        (answer("tefMAX_LEDGER"), [S, S, S, S]),
        (answer("tefNO_TICKET"), [S, S, S, S]),
        // No result at all, or none that is one.
        (answer("nonsense"), [S, S, S, S]),
        (api("invalidTransaction", true), [X, S, S, S]),
        (api("tooBusy", false), [R, R, R, R]),
        // Not written: unchanged, and never sent only if that is a fact.
        (not_written(false), [C, C, S, R]),
        (not_written(true), [F, C, S, R]),
        // Written, then silence.
        (Event::OutcomeUnknown, [S, S, S, S]),
        // The ledger.
        (Event::SeenValidated(place()), [V, V, V, V]),
        (Event::FoundNotValidated, [C, C, S, R]),
        (gone(None), [C, C, S, R]),
        (gone(Some(3)), [C, X, X, X]),
        (passed(None), [C, C, S, R]),
        (passed(Some(proof())), [C, E, E, E]),
        (
            passed(Some(AbsenceProof::SearchedAll {
                min_ledger: LedgerIndex(3),
                max_ledger: LedgerIndex(7),
                endpoint: "node".into(),
            })),
            [C, E, E, E],
        ),
        (consumed(), [C, X, X, X]),
        // A ledger that is another one: nothing rested on it yet.
        (Event::LedgerDenied, [C, C, S, R]),
        (answer("terNO_ACCOUNT"), [R, R, R, R]),
        (answer("tecCLAIM"), [S, S, S, S]),
    ];
    for (event, expected) in &rows {
        let open = [TxState::CREATED, TxState::HANDED_IN, tx(S), tx(R)];
        for (before, after) in open.into_iter().zip(expected) {
            let change = transition(&before, event);
            assert_eq!(change.state.state, *after, "{before:?} and {event:?}");
            check_effects(&before, &change, event);
        }
        for before in [V, X, E, F] {
            let change = transition(&tx(before), event);
            let overturned = before == X && matches!(event, Event::SeenValidated(_));
            let revoked = before != F && *event == Event::LedgerDenied;
            let after = if overturned { V } else { before };
            let after = if revoked { S } else { after };
            assert_eq!(change.state.state, after, "{before} and {event:?}");
            check_effects(&tx(before), &change, event);
        }
    }
}

/// What must hold of the effects, whatever the state and the event.
fn check_effects(before: &TxState, change: &Transition, event: &Event) {
    let has = |wanted: fn(&Effect) -> bool| change.effects.iter().filter(|e| wanted(e)).count();
    let moved = before.state != change.state.state;
    let concluded = has(|e| matches!(e, Effect::Conclude(_)));
    assert_eq!(has(|e| *e == Effect::Announce), usize::from(moved), "{change:?}");
    assert_eq!(concluded, usize::from(moved && change.state.state.is_terminal()), "{change:?}");
    assert!(!moved || has(|e| *e == Effect::Persist) == 1, "{change:?}");
    let validated = moved && change.state.state == State::Validated;
    assert_eq!(has(|e| matches!(e, Effect::RecordValidation(_))), usize::from(validated));
    assert_eq!(
        has(|e| *e == Effect::CountOverturned),
        usize::from(validated && before.state == State::Rejected)
    );
    assert_eq!(
        has(|e| *e == Effect::Revoke),
        usize::from(*event == Event::LedgerDenied && moved),
        "{change:?}"
    );
    let contradicted = matches!(event, Event::SeenValidated(_))
        && matches!(before.state, State::Expired | State::FailedNet);
    assert_eq!(has(|e| *e == Effect::Alarm), usize::from(contradicted));
    if change.state.state.is_terminal() {
        assert!(!change.state.undecided || !moved);
        let more = |e: &Effect| {
            matches!(e, Effect::ResendAfterPause | Effect::ResendOnLaterLedger | Effect::LookUp)
        };
        assert!(!change.effects.iter().any(more), "nothing is sent after the end: {change:?}");
    }
    if moved && change.state.state == State::Retryable {
        assert_eq!(has(|e| *e == Effect::ResendOnLaterLedger), 1);
    }
}

#[test]
fn what_makes_a_resend_and_what_a_look_up() {
    let effects = |state, event: &Event| transition(&tx(state), event).effects;
    let created = State::Created;
    assert!(effects(created, &answer("terPRE_SEQ")).contains(&Effect::ResendOnLaterLedger));
    assert!(effects(created, &not_written(false)).contains(&Effect::ResendAfterPause));
    assert!(effects(created, &Event::OutcomeUnknown).contains(&Effect::ResendAfterPause));
    for name in ["tefPAST_SEQ", "tefMAX_LEDGER"] {
        let change = transition(&tx(created), &answer(name));
        assert!(change.effects.contains(&Effect::LookUp) && change.state.in_doubt);
    }
    assert!(!transition(&tx(created), &answer("tefALREADY")).state.in_doubt);
    let first = transition(&tx(State::Submitted), &passed(None));
    assert!(first.state.undecided && first.effects.contains(&Effect::LookUp));
    assert!(transition(&first.state, &passed(None)).effects.is_empty(), "flagged once");
    assert!(!transition(&first.state, &passed(Some(proof()))).state.undecided);
    assert!(!transition(&first.state, &Event::SeenValidated(place())).state.undecided);
    // A slot that is gone leaves it undecided, and asks nothing by itself.
    let left = transition(&tx(State::Submitted), &gone(None));
    assert!(left.state.undecided && left.effects.to_vec() == [Effect::Persist]);
    assert!(transition(&left.state, &gone(None)).effects.is_empty());
    assert!(!transition(&left.state, &consumed()).state.undecided);
    // What is refused and may be elsewhere is looked up, not sent again and again.
    let refused = transition(&tx(State::Retryable), &answer("temMALFORMED"));
    assert!(refused.effects.contains(&Effect::LookUp));
    assert!(!refused.effects.contains(&Effect::ResendOnLaterLedger));
}

/// A node held it, another one did not take it, a third refuses it: the first may apply it yet.
#[test]
fn what_some_node_may_hold_is_ended_by_no_refusal() {
    for first in [answer("tesSUCCESS"), Event::OutcomeUnknown, answer("terPRE_SEQ")] {
        for second in [answer("telCAN_NOT_QUEUE"), answer("terPRE_SEQ"), api("tooBusy", false)] {
            for third in [answer("temMALFORMED"), hard("tefBAD_AUTH"), api("invalid", true)] {
                let mut now = TxState::CREATED;
                for event in [&first, &second, &third] {
                    now = transition(&now, event).state;
                    assert!(!now.state.is_terminal(), "{first:?}, {second:?}, {third:?}");
                }
            }
        }
    }
}

/// CREATED, but an attempt may have left (a restart): never sent would be a lie.
#[test]
fn never_sent_is_a_fact() {
    let maybe = TxState { may_have_left: true, ..TxState::CREATED };
    assert_eq!(transition(&maybe, &not_written(true)).state.state, State::Created);
    let fact = transition(&TxState::CREATED, &not_written(true));
    assert_eq!(fact.state.state, State::FailedNet);
    assert!(
        fact.effects.contains(&Effect::Conclude(Evidence::NeverSent { attempts: 8 })),
        "{fact:?}"
    );
}

#[test]
fn names_and_discriminants() {
    for (n, state) in State::ALL.into_iter().enumerate() {
        assert_eq!(state as usize, n);
        assert_eq!(State::from_index(n as u8), Some(state));
        assert_eq!(State::from_name(&state.name().to_lowercase()), Some(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.name());
    }
    assert_eq!(State::from_index(7), None);
}

fn any_result() -> impl Strategy<Value = ResultName> {
    prop_oneof![
        (-399i32..200).prop_filter_map("a result", |code| {
            EngineResult::from_code(code).map(ResultName::Known)
        }),
        "te[scrfml][A-Z]{2}".prop_map(|name| ResultName::new(&name)),
        "[a-z]{0,5}".prop_map(|name| ResultName::new(&name)),
    ]
}

fn any_handling() -> impl Strategy<Value = Handling> {
    any::<[bool; 4]>().prop_map(|[fail_hard, passed_on, not_applied, may_turn]| Handling {
        fail_hard,
        passed_on,
        not_applied,
        may_turn,
    })
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        5 => (any_result(), any_handling())
            .prop_map(|(result, handling)| Event::Answered { result, handling }),
        1 => any::<bool>().prop_map(|proven| gone(proven.then_some(3))),
        1 => (any_result(), any::<bool>())
            .prop_map(|(token, refused)| Event::ApiError { token, refused }),
        1 => (1u32..9, any::<bool>())
            .prop_map(|(attempts, budget_spent)| Event::NotWritten { attempts, budget_spent }),
        1 => Just(Event::OutcomeUnknown),
        1 => Just(Event::SeenValidated(place())),
        1 => Just(Event::FoundNotValidated),
        1 => any::<bool>().prop_map(|proven| passed(proven.then(proof))),
        1 => Just(consumed()),
        1 => Just(Event::LedgerDenied),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Whatever happens in whatever order: every state is reached only by what its name claims.
    #[test]
    fn a_life(fresh in any::<bool>(), events in prop::collection::vec(any_event(), 0..20)) {
        let mut now = if fresh { TxState::CREATED } else { TxState::HANDED_IN };
        // Whether a node may have it.
        let mut reached_a_node = !fresh;
        for event in &events {
            let change = transition(&now, event);
            check_effects(&now, &change, event);
            let (from, to) = (now.state, change.state.state);
            if from != to {
                let revoked = *event == Event::LedgerDenied;
                if from.is_terminal() && !revoked {
                    prop_assert_eq!((from, to), (State::Rejected, State::Validated));
                }
                let by = match to {
                    State::Validated => matches!(event, Event::SeenValidated(_)),
                    State::Expired => {
                        matches!(event, Event::LastLedgerPassed { proof: Some(_), .. })
                    }
                    State::FailedNet => {
                        !reached_a_node
                            && matches!(event, Event::NotWritten { budget_spent: true, .. })
                    }
                    State::Rejected => match event {
                        // Of a blob that was nowhere before, and which this node did not keep.
                        Event::Answered { result, handling } => {
                            let keeps = fate(result).is_none_or(|fate| fate.is_held())
                                && (!handling.fail_hard || result.is_success());
                            let tries = !handling.fail_hard && handling.may_turn;
                            !reached_a_node && !keeps && !tries && !handling.passed_on
                        }
                        Event::ApiError { refused, .. } => *refused && !reached_a_node,
                        other => matches!(
                            other,
                            Event::SequenceConsumed { .. }
                                | Event::SlotGone { absent_from: Some(_), .. }
                        ),
                    },
                    State::Created => false,
                    // What never left is the one end that rests on no ledger.
                    State::Submitted if revoked => {
                        from.is_terminal() && from != State::FailedNet
                    }
                    State::Submitted | State::Retryable => !from.is_terminal(),
                };
                prop_assert!(by, "{from} -> {to} by {event:?}");
                for effect in &change.effects {
                    if let Effect::Conclude(evidence) = effect {
                        let fits = match evidence {
                            Evidence::Validated(_) => to == State::Validated,
                            Evidence::RefusedByNode { .. }
                            | Evidence::SlotGone { .. }
                            | Evidence::SequenceConsumed { .. } => to == State::Rejected,
                            Evidence::LastLedgerPassed { .. } => to == State::Expired,
                            Evidence::NeverSent { .. } => to == State::FailedNet,
                        };
                        prop_assert!(fits, "{to} with {evidence:?}");
                    }
                }
            }
            reached_a_node |= matches!(
                event,
                Event::Answered { .. }
                    | Event::ApiError { .. }
                    | Event::OutcomeUnknown
                    | Event::SeenValidated(_)
            );
            prop_assert!(!now.may_have_left || change.state.may_have_left, "it cannot come back");
            // The same event once more changes nothing more.
            prop_assert_eq!(transition(&change.state, event).state.state, to);
            now = change.state;
        }
    }
}

/// What an end leaves of the condition: doubts are settled, and that a node had it is remembered.
#[test]
fn an_end_settles_doubts() {
    let doubtful = TxState { undecided: true, in_doubt: true, ..tx(State::Submitted) };
    for event in [consumed(), gone(Some(3)), passed(Some(proof())), Event::SeenValidated(place())] {
        let after = transition(&doubtful, &event).state;
        assert!(after.state.is_terminal() && after.may_have_left, "{event:?}");
        assert!(!after.undecided && !after.in_doubt, "{event:?}");
    }
    let refused = transition(&TxState::CREATED, &answer("temMALFORMED")).state;
    assert_eq!(refused, TxState { may_have_left: true, ..tx(State::Rejected) });
}
