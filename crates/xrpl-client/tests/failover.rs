//! Several nodes of which some fail, over pipes in memory, under virtual time.

mod common;

use std::{sync::Arc, time::Duration};

use common::{Hosts, answer, endpoint, read_request};
use tokio::{io::DuplexStream, sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;
use xrpl_client::{
    ClientError, EndpointId, Pool, PoolConfig,
    request::{Fee, ServerState},
};

const FEE: &str = r#"{"result":{"current_ledger_size":"3","drops":{"base_fee":"10",
    "median_fee":"5000","minimum_fee":"10","open_ledger_fee":"10"},"status":"success"}}"#;
const STATE: &str = r#"{"result":{"state":{"server_state":"full","validated_ledger":{"base_fee":10,
    "hash":"0000000000000000000000000000000000000000000000000000000000000001",
    "reserve_base":1,"reserve_inc":1,"seq":7}},"status":"success"}}"#;
const TAKEN: &str = r#"{"result":{"engine_result":"tesSUCCESS","status":"success"}}"#;

fn is(body: &str, method: &str) -> bool {
    body.contains(&format!(r#""method":"{method}""#))
}

/// A node that takes 2 ms for an answer, and stands still while it is frozen.
async fn node(mut io: DuplexStream, mut frozen: watch::Receiver<bool>) {
    while let Some(body) = read_request(&mut io).await {
        tokio::time::sleep(Duration::from_millis(2)).await;
        if frozen.wait_for(|frozen| !frozen).await.is_err() {
            return;
        }
        let text = match &body {
            body if is(body, "submit") => TAKEN,
            body if is(body, "server_state") => STATE,
            _ => FEE,
        };
        answer(&mut io, 200, text).await;
    }
}

/// A node that answers every request but looks at its health with this.
async fn says(mut io: DuplexStream, status: u16, text: &'static str) {
    while let Some(body) = read_request(&mut io).await {
        match is(&body, "server_state") {
            true => answer(&mut io, 200, STATE).await,
            false => answer(&mut io, status, text).await,
        }
    }
}

fn pool(hosts: &Hosts, nodes: usize) -> Pool {
    let config = PoolConfig { connector: Arc::new(hosts.clone()), ..PoolConfig::default() };
    Pool::new((0..nodes).map(|n| endpoint(&format!("node{n}"))).collect(), config)
}

/// Four nodes; whether the first is frozen is what the sender says.
fn four() -> (Pool, watch::Sender<bool>) {
    let (freeze, frozen) = watch::channel(false);
    let (_, never) = watch::channel(false);
    let hosts = Hosts::new(move |host, io| {
        let frozen = if host == "node0" { frozen.clone() } else { never.clone() };
        Box::pin(node(io, frozen))
    });
    (pool(&hosts, 4), freeze)
}

#[tokio::test(start_paused = true)]
async fn a_first_node_that_freezes_costs_one_short_wait() {
    let (pool, freeze) = four();
    let stop = CancellationToken::new();
    let watching = tokio::spawn({
        let (pool, stop) = (pool.clone(), stop.clone());
        async move { pool.watch_health(stop).await }
    });
    // Load: every 20 ms a submission and a read, whatever became of those before.
    let since = Instant::now();
    let mut load = Vec::new();
    for n in 0..2_000_u64 {
        tokio::time::sleep_until(since + Duration::from_millis(20 * n)).await;
        match n {
            250 => drop(freeze.send(true)),
            1_500 => drop(freeze.send(false)),
            _ => {}
        }
        let one = pool.clone();
        load.push(tokio::spawn(async move {
            let begun = Instant::now();
            let submission = one.submit(&n.to_be_bytes(), false).await;
            assert!(submission.answer.is_ok(), "{submission:?}");
            let submitted = (begun.elapsed(), submission.endpoint, submission.unanswered);
            let begun = Instant::now();
            one.request(&Fee::default()).await.unwrap();
            (submitted, begun.elapsed())
        }));
    }
    let (mut longest, mut waited, mut others) = (Duration::ZERO, 0, 0);
    for (n, one) in load.into_iter().enumerate() {
        let ((took, by, unanswered), read) = one.await.unwrap();
        longest = longest.max(took).max(read);
        waited += usize::from(took > Duration::from_millis(100));
        others += usize::from(by != EndpointId(0));
        // Who answered, and nobody else, unless the first one kept silent.
        let silent = n >= 249 && by != EndpointId(0) && took > Duration::from_millis(100);
        let expected: &[_] = if silent { &[EndpointId(0)] } else { &[] };
        assert_eq!(unanswered, expected, "{n}");
        if (1_505..).contains(&n) {
            assert_eq!(by, EndpointId(0), "it is back, as number {n} shows");
        }
    }
    assert!(longest < Duration::from_millis(1_100), "{longest:?}");
    // Those that were on their way, or were made while its silence was not yet long enough to tell.
    assert!((1..=60).contains(&waited), "{waited}");
    assert!(others >= 1_200, "{others}");
    assert!(pool.health().iter().all(|node| node.healthy), "{:?}", pool.health());
    stop.cancel();
    watching.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn where_nobody_watches_a_silent_node_is_tried_from_time_to_time() {
    let (pool, freeze) = four();
    freeze.send(true).unwrap();
    let mut waits = 0;
    for n in 0..300_u64 {
        let begun = Instant::now();
        pool.request(&Fee::default()).await.unwrap();
        let took = begun.elapsed();
        assert!(took < Duration::from_millis(1_600), "{took:?}");
        waits += u32::from(took > Duration::from_millis(100));
        tokio::time::sleep(Duration::from_millis(100)).await;
        if n == 250 {
            freeze.send(false).unwrap();
        }
    }
    assert!((2..=8).contains(&waits), "{waits} of 300 waited for it");
    assert!(pool.health()[0].healthy, "{:?}", pool.health()[0]);
}

#[tokio::test(start_paused = true)]
async fn a_lone_node_is_given_all_the_time_there_is() {
    let (freeze, frozen) = watch::channel(true);
    let hosts = Hosts::new(move |_, io| Box::pin(node(io, frozen.clone())));
    let pool = pool(&hosts, 1);
    let thaw = async {
        tokio::time::sleep(Duration::from_secs(8)).await;
        freeze.send(false).unwrap();
    };
    let (submission, ()) = tokio::join!(pool.submit(&[1], false), thaw);
    assert!(submission.answer.is_ok() && submission.unanswered.is_empty(), "{submission:?}");
    assert!(pool.health()[0].healthy);
}

#[tokio::test(start_paused = true)]
async fn what_speaks_of_the_nodes_condition_sends_the_request_to_the_next_one() {
    for token in [
        "tooBusy",
        "slowDown",
        "noNetwork",
        "noCurrent",
        "noClosed",
        "notSynced",
        "amendmentBlocked",
        "unlBlocked",
        "notReady",
    ] {
        let text = format!(r#"{{"result":{{"error":"{token}","status":"error"}}}}"#).leak() as &str;
        let (_, awake) = watch::channel(false);
        let hosts = Hosts::new(move |host, io| match host {
            "node0" => Box::pin(says(io, 200, text)),
            _ => Box::pin(node(io, awake.clone())),
        });
        let pool = pool(&hosts, 2);
        let submission = pool.submit(&[1], false).await;
        assert_eq!(submission.endpoint, EndpointId(1), "{token}");
        assert!(submission.answer.is_ok() && submission.unanswered.is_empty(), "{submission:?}");
        assert!(pool.request(&Fee::default()).await.is_ok(), "{token}");
        let health = pool.health();
        assert_eq!(health[0].failures, 1, "{token}: it is spared after the first time");
        assert!(health[0].last_error.as_ref().unwrap().contains(token));
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_within_or_behind_a_proxy_may_have_come_after_the_deed() {
    for (status, text) in [
        (200, r#"{"result":{"error":"internalSubmit","status":"error"}}"#),
        (200, r#"{"result":{"error":"internal","status":"error"}}"#),
        (200, "garbage"),
        (502, "Bad Gateway"),
        (503, "Service Unavailable"),
        (504, "Gateway Timeout"),
    ] {
        let (_, awake) = watch::channel(false);
        let hosts = Hosts::new(move |host, io| match host {
            "node0" => Box::pin(says(io, status, text)),
            _ => Box::pin(node(io, awake.clone())),
        });
        let submission = pool(&hosts, 2).submit(&[1], false).await;
        assert_eq!(submission.endpoint, EndpointId(1), "{text}");
        assert_eq!(submission.unanswered, [EndpointId(0)], "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn that_it_may_have_been_done_outweighs_that_elsewhere_it_was_not() {
    let hosts = Hosts::new(move |host, io| match host {
        "node0" => Box::pin(says(io, 502, "Bad Gateway")),
        "node1" => Box::pin(says(io, 403, "Forbidden")),
        _ => Box::pin(says(io, 200, r#"{"result":{"error":"tooBusy","status":"error"}}"#)),
    });
    let submission = pool(&hosts, 3).submit(&[1], false).await;
    assert_eq!(submission.endpoint, EndpointId(0));
    assert!(matches!(submission.answer, Err(ClientError::Unknown { .. })), "{submission:?}");
    assert!(submission.unanswered.is_empty(), "{submission:?}");
}

/// A node that is passed over gets nothing but what is asked of it by name, even where it is ahead and
/// where nobody else is left.
#[tokio::test(start_paused = true)]
async fn a_node_that_is_passed_over_is_asked_nothing() {
    let hosts = Hosts::new(move |host, mut io| {
        let ahead = host == "node0";
        Box::pin(async move {
            while let Some(body) = read_request(&mut io).await {
                match is(&body, "server_state") {
                    true if ahead => answer(&mut io, 200, &STATE.replace(":7}", ":700}")).await,
                    true => answer(&mut io, 200, STATE).await,
                    false => answer(&mut io, 200, TAKEN).await,
                }
            }
        })
    });
    let pool = pool(&hosts, 2);
    let (ahead, other) = (EndpointId(0), EndpointId(1));
    pool.check_health().await;
    assert_eq!(pool.submit(b"blob", false).await.endpoint, ahead);
    assert!(pool.pass_over(ahead, Some("it follows another chain")));
    assert!(!pool.pass_over(ahead, Some("it follows another chain")), "known already");
    for _ in 0..10 {
        assert_eq!(pool.submit(b"blob", false).await.endpoint, other);
        pool.check_health().await;
    }
    assert_eq!((pool.followed(), pool.passed_over()), (vec![other], vec![ahead]));
    let health = pool.health();
    assert!(health[0].passed_over && !health[0].healthy && health[1].healthy, "{health:?}");
    pool.pass_over(other, Some("so does it"));
    let submission = pool.submit(b"blob", false).await;
    assert!(matches!(submission.answer, Err(ClientError::NeverSent { .. })), "{submission:?}");
    assert!(!pool.is_reachable());
    assert!(pool.request_to(ahead, &ServerState::default()).await.is_ok());
    pool.pass_over(ahead, None);
    assert_eq!(pool.submit(b"blob", false).await.endpoint, ahead);
    assert_eq!(pool.health()[0].last_error, None);
}
