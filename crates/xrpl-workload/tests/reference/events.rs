use serde_json::{Map, Value as Json};
use utoipa::{PartialSchema, ToSchema};
use xrpl_tracker::StateChange;
use xrpl_workload::events::{Gap, LedgerEvent, StatsEvent};

use crate::{api, kept, table};

const INTRODUCTION: &str = "\
# Events

Three ways to be notified, without asking again and again.

## Server-sent events

`GET /events` sends what happens as server-sent events; `?events=state,ledger` selects some of them, `?account=r...` the
state changes of one account. Each event has an `id`: a reader that comes again with `Last-Event-ID` goes on after it, as
long as the event is among the newest 16,384.

| event | when | data |
|---|---|---|
| `state` | a transaction is new, or its state changed | [below](#state) |
| `ledger` | a ledger was validated; again when more is known of it | [below](#ledger) |
| `stats` | each second | [below](#stats) |
| `gap` | events were lost before this one | [below](#gap-and-cut) |
| `cut` | the reader was too slow and is disconnected | [below](#gap-and-cut) |
| `end` | the run has ended | `reason` |

A reader that leaves its socket unread for 10 seconds is disconnected too. A quiet stream sends a comment every 15 seconds.
";

const REST: &str = "
## Webhook

`--webhook URL` gets each final state as a JSON object in a POST request: `{event: \"finality\", run, tx_hash, state,
engine_result, validated_ledger, ...}`. A final state that is taken back is posted with the event `revoked`. The header
`Idempotency-Key` is the same at every attempt; with `--webhook-secret` there is `X-Signature-256: sha256=HMAC`, the
HMAC-SHA256 of the body in hex.

What is not answered with a 2xx status waits in the store, through restarts and `kill -9`, and is tried again for 72 hours in which the program runs, at
growing intervals; with `--store memory` the newest 10,000 are kept. Events of one transaction arrive in order. `GET
/webhooks` shows what is waiting, and why.

## Lines of JSON

`run --json` and `watch --json` print one JSON object per line. Those with `event` say how the run is going; the last one,
without `event`, is the summary. The schema is
[`output.schema.json`](../../crates/xrpl-workload/schemas/output.schema.json); a test holds every line of a run to it.

";

fn data<T: ToSchema>(heading: &str) -> String {
    let mut named = Vec::new();
    T::schemas(&mut named);
    let schemas: Map<_, _> = named
        .into_iter()
        .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap()))
        .collect();
    let schema = serde_json::to_value(<T as PartialSchema>::schema()).unwrap();
    let rows = api::fields(&schema, &schemas);
    assert!(rows.len() > 1, "{heading}: {schema}");
    for [name, _, description] in &rows {
        assert!(!description.is_empty(), "{heading}: {name} is not described");
    }
    format!("\n### {heading}\n\n{}", table(["field", "type", "meaning"], rows))
}

#[test]
fn events() {
    let mut page = INTRODUCTION.to_owned();
    page += &data::<StateChange>("state");
    page += &data::<LedgerEvent>("ledger");
    page += &data::<StatsEvent>("stats");
    page += &data::<Gap>("gap and cut");
    page += REST;
    let schema: Json =
        serde_json::from_str(include_str!("../../schemas/output.schema.json")).unwrap();
    let lines = schema["oneOf"].as_array().unwrap().iter().map(|line| {
        let name = line["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        let described = schema["$defs"][name]["description"].as_str();
        let described = described.unwrap_or_else(|| panic!("{name} is not described"));
        let event = match name {
            "summary" => "-".to_owned(),
            name => format!("`{name}`"),
        };
        [event, described.to_owned()]
    });
    page += &table(["`event`", "meaning"], lines);
    page += "\n### The summary\n\n";
    let summary = schema["$defs"]["summary"]["properties"].as_object().unwrap().iter();
    let rows = summary.filter(|(name, _)| *name != "event").map(|(name, field)| {
        let described = field["description"].as_str();
        let described = described.unwrap_or_else(|| panic!("{name} is not described"));
        [format!("`{name}`"), described.to_owned()]
    });
    page += &table(["field", "meaning"], rows);
    kept("events.md", &page);
}
