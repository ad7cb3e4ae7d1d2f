//! What stands in `deploy/` asks only for metrics that there are.

mod common;

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use common::{Running, get};
use serde_json::Value as Json;

fn deploy(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("xrpl_workload_") || word.starts_with("process_"))
        .map(ToOwned::to_owned)
        .collect()
}

/// Expressions of a dashboard, wherever they stand.
fn expressions(json: &Json, found: &mut Vec<String>) {
    match json {
        Json::Object(map) => {
            for (key, value) in map {
                match value {
                    Json::String(text) if key == "expr" || key == "query" => {
                        found.push(text.clone());
                    }
                    other => expressions(other, found),
                }
            }
        }
        Json::Array(all) => all.iter().for_each(|one| expressions(one, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_of_dashboard_and_alerts_exists() {
    let run = Running::start(&[("tps", "30"), ("heartbeat", "true")]).await;
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    let metrics = get(run.api, "/metrics").await.text;
    let exists = |name: &str| {
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .filter(|family| metrics.contains(&format!("# TYPE {family} histogram\n")));
        metrics.contains(&format!("# TYPE {} ", family.unwrap_or(name)))
    };
    let mut all = Vec::new();
    expressions(&serde_json::from_str(&deploy("grafana/xrpl-workload.json")).unwrap(), &mut all);
    assert!(all.len() > 25, "{} expressions", all.len());
    let alerts = deploy("prometheus/alerts.yaml");
    all.extend(alerts.lines().filter_map(|l| l.trim().strip_prefix("expr: ")).map(String::from));
    let mut used = BTreeSet::new();
    for expression in &all {
        let here = names(expression);
        assert!(!here.is_empty() || expression.starts_with("up{") || expression == "prometheus");
        used.extend(here);
        let open = expression.matches(['(', '{', '[']).count();
        assert_eq!(open, expression.matches([')', '}', ']']).count(), "{expression}");
    }
    for name in &used {
        assert!(exists(name), "{name} is asked for and is not in /metrics");
    }
    for histogram in ["submit", "finality", "queue_wait", "store_commit", "rpc"] {
        let name = format!("xrpl_workload_{histogram}_seconds_bucket");
        assert!(used.contains(&name), "{name} is drawn nowhere");
        let count = format!("xrpl_workload_{histogram}_seconds_count");
        let counted = metrics.lines().filter(|line| line.starts_with(&count));
        let sum: f64 = counted.map(|l| l.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum();
        assert!(sum > 0.0, "{histogram} counts nothing");
    }
    // Labels do not grow with time: none is an address, a hash or a ledger.
    for line in metrics.lines().filter(|line| line.contains('{')) {
        let labels = &line[line.find('{').unwrap()..];
        assert!(!labels.contains("=\"r") || labels.contains("retried"), "{line}");
        assert!(labels.len() < 120, "{line}");
    }
    run.end().await;
}
