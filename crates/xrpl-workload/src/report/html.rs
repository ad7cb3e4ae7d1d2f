//! A record as one HTML file: its style, its charts and what they draw stand in it.

use serde_json::json;

use crate::{
    dashboard, figures,
    knee::{RateTried, STEP_COLUMNS},
    record::{Ends, Record, RunSample},
    words,
};

use super::{
    KEY_FIGURES, READS_COLUMNS, READS_NUMBERS, SENT_COLUMNS, SENT_NUMBERS, STAGE_FIGURES,
    TROUBLE_COLUMNS, all_figures, kind_in_words, outcome, reads_in_words, reads_rows, sent_by_type,
    sent_row, slots_in_words, story, trouble_rows, value, warnings,
};

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// Columns of the chart that shows how finality is spread.
const COLUMNS: u32 = 30;

/// A text in HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A table with a caption; columns at `right` hold numbers. Cells are HTML.
fn table(id: &str, caption: &str, head: &[&str], right: &[usize], rows: &[Vec<String>]) -> String {
    let class = |n: usize| if right.contains(&n) { " class=\"number\"" } else { "" };
    let head: String = head
        .iter()
        .enumerate()
        .map(|(n, name)| match name.is_empty() {
            true => format!("<td{}></td>", class(n)),
            false => format!("<th scope=\"col\"{}>{}</th>", class(n), escape(name)),
        })
        .collect();
    let body: String = rows
        .iter()
        .map(|row| {
            let cells = row.iter().enumerate().map(|(n, cell)| match n {
                0 => format!("<th scope=\"row\">{cell}</th>"),
                n => format!("<td{}>{cell}</td>", class(n)),
            });
            format!("<tr>{}</tr>", cells.collect::<String>())
        })
        .collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table id=\"{id}\">\
         <caption>{}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>",
        escape(caption),
        escape(caption)
    )
}

fn section(id: &str, title: &str, body: &str) -> String {
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\"><h2 id=\"{id}-title\">{title}</h2>{body}\
         </section>\n"
    )
}

fn chart(id: &str, what: &str) -> String {
    format!(
        "<figure><figcaption>{what}</figcaption><div class=\"chart\"><canvas id=\"{id}\" role=\"img\" \
         aria-label=\"{what}\"></canvas></div></figure>"
    )
}

/// The report as one HTML file.
#[must_use]
pub fn html(record: &Record) -> String {
    let (outcome, well) = outcome(record);
    let title = record.title();
    let tone = if well { "good" } else { "bad" };
    let mut main = String::new();
    let warned: String =
        warnings(record).iter().map(|warning| format!("<li>{}</li>", escape(warning))).collect();
    let warned = match warned.is_empty() {
        true => String::new(),
        false => format!("<ul class=\"bad\" id=\"warnings\">{warned}</ul>"),
    };
    let numbers: String = KEY_FIGURES
        .iter()
        .map(|(name, label)| {
            let shown = escape(&value(&record.head.figures, name));
            format!("<div><dt>{label}</dt><dd data-figure=\"{name}\">{shown}</dd></div>")
        })
        .collect();
    let mut said = story(record);
    said.extend(slots_in_words(record));
    main += &section(
        "outcome",
        "What it came to",
        &format!("{warned}<dl class=\"numbers\">{numbers}</dl><p>{}</p>", escape(&said.join(" "))),
    );
    main += &capacity(record);
    main += &limits(record);
    main += &charts(record);
    main += &stages(record);
    main += &failures(record);
    main += &reads(record);
    main += &all(record);
    main += &circumstances(record);
    let drawn = drawn(record).to_string().replace('<', "\\u003c");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}: {outcome}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>{title}</h1> <span class=\"pill {tone}\" id=\"verdict\">{outcome}</span>\
         <p class=\"quiet\">{} · {} · seed {}</p></header>\n<main>\n{main}</main>\n\
         <footer class=\"quiet\"><p>Made by xrpl-workload {} from what it recorded.</p></footer>\n\
         <script type=\"application/json\" id=\"drawn\">{drawn}</script>\n\
         <script>{}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        words::moment(record.head.began_at_ms),
        escape(&record.head.endpoint),
        escape(&record.seed),
        escape(&record.program),
        dashboard::CHART_JS,
        title = escape(&title),
    )
}

fn limits(record: &Record) -> String {
    if record.limits.is_empty() {
        return String::new();
    }
    let rows: Vec<_> = record
        .limits
        .iter()
        .map(|limit| {
            let unit = figures::find(&limit.figure).map_or("", |figure| figure.unit);
            let stage = limit.stage.as_deref().unwrap_or("the whole");
            let (tone, word) = match (limit.broken, limit.measured) {
                (true, None) => ("bad", "broken: not measured"),
                (true, Some(_)) => ("bad", "broken"),
                (false, _) => ("good", "kept"),
            };
            vec![
                escape(&limit.figure),
                escape(stage),
                escape(&limit.asked),
                limit.measured.map_or_else(|| "-".to_owned(), |v| words::figure(v, unit)),
                format!("<span class=\"{tone}\">{word}</span>"),
            ]
        })
        .collect();
    let head = ["figure", "of", "asked", "measured", "outcome"];
    section(
        "limits",
        "Limits",
        &table("limits-table", "What was asked, and what was measured", &head, &[3], &rows),
    )
}

/// What a search for capacity found: every rate that was tried.
fn capacity(record: &Record) -> String {
    let tables: String = record
        .capacity
        .iter()
        .enumerate()
        .map(|(n, found)| {
            let row = |step: &RateTried| step.row().map(|cell| escape(&cell)).to_vec();
            let rows: Vec<_> = found.steps.iter().map(row).collect();
            let numbers = [0, 1, 2, 3, 4, 5];
            let id = format!("capacity-table-{n}");
            table(&id, &found.headline(), &STEP_COLUMNS, &numbers, &rows)
        })
        .collect();
    match tables.is_empty() {
        true => tables,
        false => section("capacity", "Capacity", &tables),
    }
}

fn charts(record: &Record) -> String {
    if record.samples.is_empty() {
        return String::new();
    }
    let mut body = chart("throughput", "Sent and validated a second, and in flight");
    body += &chart(
        "finality",
        "Milliseconds from being sent to being validated, of those validated then",
    );
    if !record.measured.finality_ms.is_empty() {
        body += &chart("spread", "Transactions by milliseconds from being sent to being validated");
    }
    if record.samples.iter().any(|sample| sample.queue.is_some()) {
        body += &chart("queue", "The node's queue, and the fee that gets into the open ledger");
    }
    body += &chart("ledgers", "Milliseconds between ledgers, the longest");
    section("course", "How it went", &format!("<div class=\"charts\">{body}</div>"))
}

fn stages(record: &Record) -> String {
    if record.parts.len() < 2 {
        return String::new();
    }
    let head = [&["stage", "counts"][..], &STAGE_FIGURES].concat();
    let rows: Vec<_> = record
        .parts
        .iter()
        .map(|part| {
            let values = STAGE_FIGURES.iter().map(|name| escape(&value(&part.figures, name)));
            let first = [escape(&part.name), kind_in_words(part).to_owned()];
            first.into_iter().chain(values).collect()
        })
        .collect();
    let right: Vec<_> = (2..head.len()).collect();
    section("stages", "Stages", &table("stages-table", "Stage by stage", &head, &right, &rows))
}

/// What was sent, and what of it failed.
fn failures(record: &Record) -> String {
    let sent: Vec<_> = sent_by_type(record)
        .into_iter()
        .map(|sent| sent_row(sent).map(|cell| escape(&cell)).to_vec())
        .collect();
    let sent = match sent.is_empty() {
        true => String::new(),
        false => section(
            "sent",
            "What was sent",
            &table(
                "sent-table",
                "By type, and what became of it",
                &SENT_COLUMNS,
                &SENT_NUMBERS,
                &sent,
            ),
        ),
    };
    let troubles = |id: &str, caption: &str, ends: &[Ends]| {
        let rows: Vec<_> = trouble_rows(ends)
            .iter()
            .map(|row| row.each_ref().map(|cell| escape(cell)).to_vec())
            .collect();
        (!rows.is_empty()).then(|| table(id, caption, &TROUBLE_COLUMNS, &[2], &rows))
    };
    let mut body = troubles("failures-table", "Meant to succeed, and did not", &record.ends)
        .unwrap_or_else(|| "<p>Nothing that was meant to succeed failed.</p>".to_owned());
    let of_preparation = "While accounts were prepared";
    body += &troubles("preparation-table", of_preparation, &record.preparation).unwrap_or_default();
    sent + &section("failures", "Failures", &body)
}

/// What was read beside the load.
fn reads(record: &Record) -> String {
    let rows: Vec<_> = reads_rows(record)
        .iter()
        .map(|row| row.each_ref().map(|cell| escape(cell)).to_vec())
        .collect();
    let said = reads_in_words(record);
    if rows.is_empty() && said.is_empty() {
        return String::new();
    }
    let caption = "By method, from the moment at which each was due";
    let table = table("reads-table", caption, &READS_COLUMNS, &READS_NUMBERS, &rows);
    section("reads", "Reads", &format!("{table}<p>{}</p>", escape(&said)))
}

fn all(record: &Record) -> String {
    let rows: Vec<_> = all_figures(record)
        .map(|(name, value, about)| {
            let exact = record.head.figures.get(name).copied().unwrap_or_default();
            vec![
                name.to_owned(),
                format!("<data value=\"{exact}\" data-of=\"{name}\">{}</data>", escape(&value)),
                escape(about),
            ]
        })
        .collect();
    let head = ["figure", "value", "what it is"];
    section("figures", "All figures", &table("figures-table", "Of the whole", &head, &[1], &rows))
}

fn circumstances(record: &Record) -> String {
    let or = |text: &Option<String>| escape(text.as_deref().unwrap_or("-"));
    let nodes: Vec<_> = record
        .nodes
        .iter()
        .map(|node| {
            let network = node.network_id.map_or_else(|| "-".to_owned(), |id| id.to_string());
            vec![escape(&node.name), or(&node.version), network, or(&node.state)]
        })
        .collect();
    let head = ["node", "version", "network id", "state at the start"];
    let nodes = table("nodes-table", "Nodes", &head, &[], &nodes);
    let settings = |default: bool| -> Vec<_> {
        let told = record.settings.iter().filter(|told| told.is_default == default);
        told.map(|told| {
            let value = if told.value.is_empty() { "-" } else { &told.value };
            vec![format!("<code>{}</code>", escape(&told.key)), escape(value), escape(&told.origin)]
        })
        .collect()
    };
    let head = ["setting", "value", "from"];
    let changed =
        table("settings-table", "Settings that are not the defaults", &head, &[], &settings(false));
    let others = table("defaults-table", "The others", &head, &[], &settings(true));
    section(
        "circumstances",
        "Nodes and settings",
        &format!(
            "{nodes}{changed}<details><summary>All other settings</summary>{others}</details>"
        ),
    )
}

/// What the charts draw, column by column.
fn drawn(record: &Record) -> serde_json::Value {
    let tenth = |value: f64| (value * 10.0).round() / 10.0;
    let column = |read: &dyn Fn(&RunSample) -> serde_json::Value| {
        record.samples.iter().map(read).collect::<Vec<_>>()
    };
    let columns = record.measured.finality_ms.columns(COLUMNS);
    json!({
        "seconds": column(&|s| json!(tenth(s.seconds))),
        "submitted": column(&|s| json!(tenth(s.submitted_per_second))),
        "validated": column(&|s| json!(tenth(s.validated_per_second))),
        "pending": column(&|s| json!(s.pending)),
        "p50": column(&|s| json!(s.finality_ms_p50)),
        "p99": column(&|s| json!(s.finality_ms_p99)),
        "queue": column(&|s| json!(s.queue)),
        "fee": column(&|s| json!(s.open_ledger_fee)),
        "interval": column(&|s| json!(s.ledger_interval_ms)),
        "spread": columns,
        "stages": match record.parts.len() {
            0 | 1 => Vec::new(),
            _ => record.parts.iter().map(|part| json!([tenth(part.measured.began), part.name])).collect(),
        },
    })
}

#[cfg(test)]
mod tests {
    use xrpl_generator::StagePart;

    use super::*;
    use crate::record::{Condition, Part, RunHead, SettingTold};

    fn record() -> Record {
        let mut part = Part::new(
            "<one>",
            StagePart::Steady,
            figures::Measurements {
                submitted: 100,
                validated: 98,
                sent_until: 10.0,
                validated_until: 11.0,
                ..figures::Measurements::default()
            },
        );
        (1..=98).for_each(|n| part.measured.finality_ms.record(n * 10));
        let spread = part.measured.finality_ms.clone();
        part.measured.types.insert("Payment".into(), spread);
        let measured = part.measured.clone();
        Record {
            head: RunHead {
                run: "7".into(),
                name: Some("</script><b>".into()),
                condition: Condition::Ended,
                figures: crate::record::named(&measured),
                ..RunHead::default()
            },
            ends: vec![Ends {
                transaction_type: "Payment".into(),
                state: "VALIDATED".into(),
                result: Some("tecPATH_DRY".into()),
                intent: xrpl_tracker::IntentKind::Valid,
                count: 2,
                ..Ends::default()
            }],
            preparation: vec![Ends {
                transaction_type: "TrustSet".into(),
                state: "EXPIRED".into(),
                count: 1,
                ..Ends::default()
            }],
            settings: vec![SettingTold {
                key: "funding_secret".into(),
                value: "<redacted>".into(),
                ..SettingTold::default()
            }],
            samples: vec![RunSample { seconds: 1.0, ..RunSample::default() }; 1_200],
            parts: vec![part.clone(), part],
            measured,
            ..Record::default()
        }
    }

    #[test]
    fn the_file_needs_nothing_and_is_small() {
        let html = html(&record());
        assert!(html.len() < 2 << 20, "{} bytes", html.len());
        let without = html.replace(dashboard::CHART_JS, "");
        for asks in ["src=", "href=", "@import", "url(", "fetch("] {
            assert!(!without.contains(asks), "it asks for something: {asks}");
        }
        assert!(!dashboard::CHART_JS.contains("</script"), "the script would end early");
    }

    #[test]
    fn nothing_recorded_becomes_markup() {
        let html = html(&record());
        assert!(!html.contains("</script><b>") && !html.contains("<one>"));
        assert!(html.contains("&lt;/script&gt;&lt;b&gt; (run 7)"));
        assert!(html.contains("&lt;redacted&gt;"));
    }

    #[test]
    fn html_and_markdown_tell_the_same_figures() {
        let record = record();
        let (html, markdown) = (html(&record), crate::report::markdown(&record));
        for (name, value, about) in all_figures(&record) {
            assert!(html.contains(about) && markdown.contains(about), "{name}");
            assert!(html.contains(&escape(&value)) && markdown.contains(&value), "{name} {value}");
        }
        for text in [&html, &markdown] {
            let row = text.lines().find(|line| line.contains("Payment") && line.contains("490 ms"));
            assert!(row.is_some_and(|row| row.contains("980 ms")), "times by type: {markdown}");
            assert!(text.contains("tecPATH_DRY") && text.contains("the fee was charged"));
            assert!(text.contains("2 got a tec result"), "{text}");
            let prepared = text.lines().find(|line| line.contains("TrustSet"));
            assert!(prepared.is_some_and(|line| line.contains("in no ledger")), "{text}");
            assert!(
                text.contains("98 of them are in a validated ledger: 8.91 a second"),
                "{markdown}"
            );
        }
    }
}
