use xrpl_workload::metrics::{Family, families};

use crate::{
    common::{Running, get},
    kept, table,
};

#[tokio::test(flavor = "multi_thread")]
async fn metrics() {
    let run = Running::start(&[("duration", "0")]).await;
    let families = families(&run.app);
    let served = get(run.api, "/metrics").await.text;
    for family in &families {
        let head = format!("# TYPE {} {}\n", family.name, family.kind);
        assert!(served.contains(&head), "{head}");
    }
    run.end().await;
    let (process, own): (Vec<_>, Vec<_>) =
        families.into_iter().partition(|family| family.name.starts_with("process_"));
    let rows = |families: Vec<Family>| {
        let rows = families.into_iter().map(|family| {
            let label = family.label.map_or_else(|| "-".to_owned(), |label| format!("`{label}`"));
            [format!("`{}`", family.name), family.kind, label, family.help]
        });
        table(["metric", "type", "label", "meaning"], rows)
    };
    let page = format!(
        "# Metrics\n\n\
         `GET /metrics` has them as Prometheus text. No label grows with time: none is an address, a hash or a\n\
         ledger index. `deploy/` has a Grafana dashboard and alerts that use them: see\n\
         [how to watch a run](../how-to.md#watch-it-with-prometheus-and-grafana).\n\n{}\n\
         ## The process\n\nOn Linux only.\n\n{}",
        rows(own),
        rows(process),
    );
    // Where the system says nothing of processes, the page of another one is as good.
    if cfg!(target_os = "linux") {
        kept("metrics.md", &page);
    }
}
