//! A record as Markdown.

use crate::{
    record::Record,
    words::{self, Table},
};

use super::{
    SENT_COLUMNS, STAGE_FIGURES, all_figures, end_in_words, kind_in_words, outcome, sent_by_type,
    sent_row, slots_in_words, story, value, warnings,
};

/// The report as Markdown.
#[must_use]
pub fn markdown(record: &Record) -> String {
    let (outcome, _) = outcome(record);
    let escape = words::escape_markdown;
    let title = record.title();
    let mut text = format!("# {}: {outcome}\n\n", escape(&uppercase(&title)));
    text += &format!("Began {}.\n\n", words::moment(record.head.began_at_ms));
    for warning in warnings(record) {
        text += &format!("> **{}**\n\n", escape(&warning));
    }
    text += &escape(&story(record).join(" "));
    if let Some(slots) = slots_in_words(record) {
        text += &format!(" {slots}");
    }
    text += "\n";
    let mut section = |title: &str, table: Table| {
        if !table.is_empty() {
            text += &format!("\n## {title}\n\n{}\n", table.markdown());
        }
    };
    let mut limits = Table::new(&["asked", "measured", ""], &[1]);
    for limit in &record.limits {
        let stage = limit.stage.as_ref().map_or_else(String::new, |s| format!(" (stage {s})"));
        let unit = crate::figures::find(&limit.figure).map_or("", |figure| figure.unit);
        limits.row([
            format!("{} {}{stage}", limit.figure, limit.asked),
            limit.measured.map_or_else(|| "-".to_owned(), |v| words::figure(v, unit)),
            if limit.broken { "BROKEN" } else { "kept" }.to_owned(),
        ]);
    }
    section("Limits", limits);
    let mut figures = Table::new(&["figure", "value", "what it is"], &[1]);
    for (name, value, about) in all_figures(record) {
        figures.row([name.to_owned(), value, about.to_owned()]);
    }
    section("Figures", figures);
    if record.parts.len() > 1 {
        let head = [&["stage", ""][..], &STAGE_FIGURES].concat();
        let mut stages = Table::new(&head, &[2, 3, 4, 5, 6, 7, 8]);
        for part in &record.parts {
            let values = STAGE_FIGURES.iter().map(|name| value(&part.figures, name));
            let first = [part.name.clone(), kind_in_words(part).to_owned()];
            stages.row(first.into_iter().chain(values));
        }
        section("Stages", stages);
    }
    let mut sent = Table::new(&SENT_COLUMNS, &[1, 2, 3, 4, 5, 6, 7, 8]);
    sent_by_type(record).into_iter().for_each(|one| sent.row(sent_row(one)));
    section("What was sent", sent);
    let mut ends = Table::new(&["type", "ended as", "how many", "what that means"], &[2]);
    for end in record.ends.iter().filter(|end| end.failed()) {
        ends.row([
            end.transaction_type.clone(),
            [Some(end.state.as_str()), end.result.as_deref()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" "),
            words::number(end.count as f64),
            end_in_words(end),
        ]);
    }
    section("Failures", ends);
    let mut nodes = Table::new(&["node", "version", "network", "state"], &[]);
    for node in &record.nodes {
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let network = node.network_id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        nodes.row([node.name.clone(), or(&node.version), network, or(&node.state)]);
    }
    section("Nodes", nodes);
    let mut settings = Table::new(&["setting", "value", "from"], &[]);
    for told in record.settings.iter().filter(|told| !told.is_default) {
        settings.row([told.key.clone(), told.value.clone(), told.origin.clone()]);
    }
    section("Settings that are not the defaults", settings);
    text + &format!("\nMade by xrpl-workload {}.\n", record.program)
}

fn uppercase(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
