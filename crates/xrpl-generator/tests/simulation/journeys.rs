//! Every journey against a real ledger core, alone and under load.

use xrpl_generator::{
    journey::{JOURNEYS, JourneyRun, JourneyState, StepState},
    objects::Kind,
    plan::Plan,
};
use xrpl_protocol::{Sequence, fields, transaction::Slot};
use xrpl_tracker::{Intent, Outcome, State, record::Latencies};

use crate::{
    agrees,
    sim::{Faults, Sim, run, sim},
};

/// Ledgers in which the slowest journey is over: two minutes of four seconds each, and its steps.
const LEDGERS: u32 = 120;

/// Closes ledgers until a journey is over.
fn follow(sim: &mut Sim, id: u64) -> JourneyRun {
    for _ in 0..LEDGERS {
        while sim.step(false) {}
        if let Some(over) = sim.engine.journeys().into_iter().find(|it| it.id == id && it.is_over())
        {
            return over;
        }
        sim.close();
    }
    panic!("not over: {:#?}", sim.engine.journeys());
}

fn is_done(run: &JourneyRun) {
    assert_eq!(run.state, JourneyState::Done, "{:?}: {run:#?}", run.why);
    for step in &run.steps {
        let of = format!("{}: {}", run.name, step.name);
        assert_eq!(step.state, StepState::Done, "{of}");
        assert_eq!(step.engine_result.as_ref().unwrap(), "tesSUCCESS", "{of}");
        assert!(step.tx_hash.is_some() && step.evidence.is_some() && step.waits_for.is_none());
    }
    let ledgers: Vec<_> = run.steps.iter().map(|step| step.ledger_index.unwrap()).collect();
    // Each is sent after the validated result of the one before it.
    assert!(ledgers.windows(2).all(|pair| pair[0] < pair[1]), "{ledgers:?}");
}

#[test]
fn each_journey_alone_succeeds_step_by_step() {
    for journey in JOURNEYS {
        let mut sim = sim(7, 0.0, 5, Faults::default());
        let begun = sim.engine.start_journey(journey.name, None).unwrap();
        assert_eq!(begun.steps.len(), journey.steps.len());
        is_done(&follow(&mut sim, begun.id));
        assert!(sim.bad.is_empty(), "{}: {:?}", journey.name, sim.bad);
        // It is counted by type, as all transactions are.
        let stats = sim.engine.stats();
        assert_eq!((stats.journeys.begun, stats.journeys.done), (1, 1));
        for step in journey.steps {
            assert!(stats.by_type[step.transaction_type].validated > 0, "{}", step.name);
        }
        agrees(&sim);
    }
}

#[test]
fn all_journeys_succeed_while_load_runs_on_the_same_accounts() {
    for seed in 0..2 {
        let mut sim = sim(seed, 0.0, 5, Faults::default());
        run(&mut sim, 20);
        for journey in JOURNEYS {
            sim.engine.start_journey(journey.name, None).unwrap();
        }
        for _ in 0..3 {
            run(&mut sim, 60);
        }
        let runs = sim.engine.journeys();
        assert_eq!(runs.len(), JOURNEYS.len());
        runs.iter().for_each(is_done);
        assert!(sim.bad.is_empty(), "seed {seed}: {:?}", sim.bad);
        agrees(&sim);
    }
}

#[test]
fn under_faults_every_journey_ends_and_gives_back_what_it_held() {
    for seed in 0..2 {
        let faults = Faults { never_sent: 3, answer_lost: 10, forgotten: 3 };
        let mut sim = sim(seed, 5.0, 5, faults);
        run(&mut sim, 10);
        for journey in JOURNEYS {
            sim.engine.start_journey(journey.name, None).unwrap();
        }
        for _ in 0..3 {
            run(&mut sim, 60);
        }
        for over in sim.engine.journeys() {
            assert!(over.is_over(), "seed {seed}: {over:#?}");
            assert_eq!(over.why.is_some(), over.state == JourneyState::Failed, "{over:#?}");
            if over.why.is_none() {
                is_done(&over);
            }
        }
        agrees(&sim);
    }
}

#[test]
fn a_step_that_does_not_succeed_ends_its_journey_and_is_named() {
    let mut sim = sim(1, 0.0, 5, Faults::default());
    let id = sim.engine.start_journey("check_cash", None).unwrap().id;
    while sim.step(false) {}
    sim.close();
    // The sender takes the check back before it is cashed.
    let check = sim.engine.world.objects.all(Kind::Check).next().unwrap();
    let (sender, check) = (check.owner.unwrap(), check.id);
    assert!(sim.engine.world.objects.is_held(check), "the load leaves it alone");
    assert!(sim.setup(sender, Plan::new("CheckCancel").with(fields::CHECK_ID, check)));
    let over = follow(&mut sim, id);
    assert_eq!(over.state, JourneyState::Failed);
    let why = over.why.unwrap();
    assert_eq!(why, "cash (CheckCash): it ended VALIDATED with tecNO_ENTRY");
    let states: Vec<_> = over.steps.iter().map(|step| step.state).collect();
    use StepState::{Ahead, Done, Failed};
    assert_eq!(states, [Done, Failed, Ahead, Ahead]);
    assert!(!sim.engine.world.objects.is_held(check), "nothing is held after the end");
    assert_eq!(sim.engine.in_flight(), 0);
}

#[test]
fn a_step_whose_ledger_is_another_one_takes_the_journey_back() {
    let mut sim = sim(1, 0.0, 5, Faults::default());
    let id = sim.engine.start_journey("did_life", None).unwrap().id;
    let over = follow(&mut sim, id);
    is_done(&over);
    let step = &over.steps[1];
    let revoked = Outcome {
        hash: step.tx_hash.unwrap(),
        account: over.parties[0].account,
        slot: Slot::Sequence(Sequence(0)),
        transaction_type: step.transaction_type.into(),
        state: State::Submitted,
        engine_result_first: None,
        engine_result: None,
        validated_ledger: None,
        metadata: None,
        evidence: step.evidence.clone().unwrap(),
        intent: Intent::Valid,
        latencies: Latencies { first_answer_ms: None, finality_ms: None, finality_ledgers: None },
        overturned: false,
        revoked: true,
    };
    sim.engine.revoked(&revoked);
    let [told] = &sim.engine.take_journeys().unwrap()[..] else { panic!("one journey") };
    assert_eq!((told.state, told.steps[1].state), (JourneyState::Failed, StepState::Failed));
    assert_eq!(
        (told.steps[1].tx_state, told.steps[1].ledger_index),
        (Some(State::Submitted), None)
    );
    assert!(told.steps[1].evidence.is_none(), "what is open again has no proof");
    let why = told.why.as_ref().unwrap();
    assert_eq!(why, "update (DIDSet): the ledger that had it is not the network's any more");
}

#[test]
fn a_step_waits_for_so_many_ledgers_at_most() {
    let mut sim = sim(1, 0.0, 5, Faults::default());
    // Nobody has a drop to spare.
    let all = sim.engine.world.accounts.len() as u32;
    (0..all).for_each(|index| sim.engine.world.accounts[index].xrp.pending = u64::MAX / 2);
    let id = sim.engine.start_journey("did_life", None).unwrap().id;
    while sim.step(false) {}
    let waiting = sim.engine.take_journeys().unwrap();
    assert!(
        waiting[0].steps[0].waits_for.as_ref().unwrap().contains("too little XRP"),
        "{waiting:?}"
    );
    assert!(sim.engine.take_journeys().is_none(), "nothing has changed since");
    let over = follow(&mut sim, id);
    let why = over.why.unwrap();
    assert!(why.starts_with("publish (DIDSet): it waited 65 ledgers: too little XRP"), "{why}");
}

#[test]
fn at_the_end_of_a_run_journeys_end_where_they_are() {
    let mut sim = sim(1, 0.0, 5, Faults::default());
    let sent = sim.engine.start_journey("mpt_life", None).unwrap().id;
    while sim.step(false) {}
    let waiting = sim.engine.start_journey("did_life", None).unwrap().id;
    sim.engine.close_journeys("the run ended before it");
    assert!(sim.engine.start_journey("did_life", None).is_err());
    let first = follow(&mut sim, waiting);
    assert_eq!(first.why.unwrap(), "publish (DIDSet): the run ended before it");
    let second = follow(&mut sim, sent);
    assert_eq!(second.why.unwrap(), "opt_in (MPTokenAuthorize): the run ended before it");
    assert_eq!(second.steps[0].state, StepState::Done);
    agrees(&sim);
}

#[test]
fn what_cannot_begin_says_why() {
    let mut sim = sim(1, 0.0, 5, Faults::default());
    let why =
        |sim: &mut Sim, name: &str| sim.engine.start_journey(name, None).unwrap_err().to_string();
    assert!(why(&mut sim, "did_lief").contains("\"did_life\""));
    let id = sim.engine.catalogue.find("OracleSet").unwrap();
    sim.engine.catalogue.set_enabled(id, false);
    let off = why(&mut sim, "oracle_life");
    assert_eq!(off, "the journey oracle_life cannot begin: OracleSet is switched off");
    // Each needs an account whose DID nobody else uses.
    for _ in 0..6 {
        sim.engine.start_journey("did_life", None).unwrap();
    }
    let none = why(&mut sim, "did_life");
    assert!(none.ends_with("no user account of the run is free to be its subject"), "{none}");
}
