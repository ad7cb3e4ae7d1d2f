//! A record as Markdown.

use crate::{
    knee::STEP_COLUMNS,
    record::Record,
    words::{self, Table},
};

use super::{
    READS_COLUMNS, READS_NUMBERS, SENT_COLUMNS, SENT_NUMBERS, STAGE_FIGURES, TROUBLE_COLUMNS,
    all_figures, kind_in_words, outcome, reads_in_words, reads_rows, sent_by_type, sent_row,
    slots_in_words, story, trouble_rows, value, warnings,
};

/// The report as Markdown.
#[must_use]
pub fn markdown(record: &Record) -> String {
    let (outcome, _) = outcome(record);
    let escape = words::escape_markdown;
    let title = match &record.head.name {
        // A name stays as it was given.
        Some(_) => record.title(),
        None => format!("Run {}", record.head.run),
    };
    let mut text = format!("# {}: {outcome}\n\n", escape(&title));
    text += &format!("Began {}.\n\n", words::moment(record.head.began_at_ms));
    for warning in warnings(record) {
        text += &format!("> **{}**\n\n", escape(&warning));
    }
    text += &escape(&story(record).join(" "));
    if let Some(slots) = slots_in_words(record) {
        text += &format!(" {slots}");
    }
    text += "\n";
    for found in &record.capacity {
        let mut steps = Table::new(&STEP_COLUMNS, &[0, 1, 2, 3, 4, 5]);
        found.steps.iter().for_each(|step| steps.row(step.row()));
        let of = found.of.as_ref().map_or_else(String::new, |of| format!(" of {of}"));
        section(&mut text, &format!("Capacity{of}"), steps);
    }
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
    section(&mut text, "Limits", limits);
    let mut figures = Table::new(&["figure", "value", "what it is"], &[1]);
    for (name, value, about) in all_figures(record) {
        figures.row([name.to_owned(), value, about.to_owned()]);
    }
    section(&mut text, "Figures", figures);
    if record.parts.len() > 1 {
        let head = [&["stage", ""][..], &STAGE_FIGURES].concat();
        let mut stages = Table::new(&head, &[2, 3, 4, 5, 6, 7, 8]);
        for part in &record.parts {
            let values = STAGE_FIGURES.iter().map(|name| value(&part.figures, name));
            let first = [part.name.clone(), kind_in_words(part).to_owned()];
            stages.row(first.into_iter().chain(values));
        }
        section(&mut text, "Stages", stages);
    }
    let mut sent = Table::new(&SENT_COLUMNS, &SENT_NUMBERS);
    sent_by_type(record).into_iter().for_each(|one| sent.row(sent_row(one)));
    section(&mut text, "What was sent", sent);
    let of_preparation = "Failures while accounts were prepared";
    for (title, ends) in [("Failures", &record.ends), (of_preparation, &record.preparation)] {
        let mut troubles = Table::new(&TROUBLE_COLUMNS, &[2]);
        trouble_rows(ends).into_iter().for_each(|row| troubles.row(row));
        section(&mut text, title, troubles);
    }
    let mut reads = Table::new(&READS_COLUMNS, &READS_NUMBERS);
    reads_rows(record).into_iter().for_each(|row| reads.row(row));
    section(&mut text, "Reads", reads);
    let said = reads_in_words(record);
    if !said.is_empty() {
        text += &format!("\n{said}\n");
    }
    let mut nodes = Table::new(&["node", "version", "network", "state"], &[]);
    for node in &record.nodes {
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let network = node.network_id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        nodes.row([node.name.clone(), or(&node.version), network, or(&node.state)]);
    }
    section(&mut text, "Nodes", nodes);
    let mut settings = Table::new(&["setting", "value", "from"], &[]);
    for told in record.settings.iter().filter(|told| !told.is_default) {
        settings.row([told.key.clone(), told.value.clone(), told.origin.clone()]);
    }
    section(&mut text, "Settings that are not the defaults", settings);
    text + &format!("\nMade by xrpl-workload {}.\n", record.program)
}

fn section(text: &mut String, title: &str, table: Table) {
    if !table.is_empty() {
        *text += &format!("\n## {title}\n\n{}\n", table.markdown());
    }
}
