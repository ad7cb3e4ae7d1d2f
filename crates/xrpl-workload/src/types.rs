//! The table of transaction types: what the load sends of each, how often a real xrpld was recorded with it,
//! and whether the embedded ledger executes it.

use std::collections::BTreeMap;

use serde::Serialize;
use xrpl_generator::{
    accounts::Role,
    catalogue::{About, Catalogue, UNSENT, Unsent},
    error::GeneratorError,
    mutation::{COMMON, Mutation},
};
use xrpl_protocol::Definitions;
use xrpl_standalone::transactors;

/// How many submissions of each type a real xrpld was recorded with, all of which the embedded ledger
/// answers equally: a test counts them.
const RECORDED: &str = include_str!("types/recorded.json");

/// How many transactions of each type the embedded ledger executes a second on one core, signatures checked:
/// `UPDATE_SPEED=1 cargo bench -p xrpl-workload --bench shadow -- 90 300 200`.
const SPEED: &str = include_str!("types/speed.json");

/// A way to make a transaction wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MutationRow {
    /// What is wrong with it.
    pub name: &'static str,
    /// The results of which it must get one.
    pub results: &'static [&'static str],
}

/// A type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TypeRow {
    /// Its name on the ledger.
    pub name: &'static str,
    /// What it belongs to.
    pub family: &'static str,
    /// The amendment that it needs, if any.
    pub amendment: Option<&'static str>,
    /// Amendments that the load needs for it beside that.
    pub needs: &'static [&'static str],
    /// Its share among all weights where nothing else is said; none if it is not sent.
    pub weight: Option<u32>,
    /// Who sends it.
    pub sent_by: Vec<&'static str>,
    /// Its forms; none if there is one only.
    pub variants: &'static [&'static str],
    /// Ways to send it.
    pub modifiers: Vec<&'static str>,
    /// Ways to make it wrong, beside those that all types have.
    pub mutations: Vec<MutationRow>,
    /// Submissions of it that a real xrpld was recorded with and the embedded ledger answers equally.
    pub recorded_cases: u64,
    /// Whether the embedded ledger executes it.
    pub executed: bool,
    /// How many of it alone the embedded ledger executes a second on one core, signatures checked, as measured
    /// when the table was made; none if the load does not send it.
    pub alone_per_second: Option<u64>,
    /// Why the load does not send it, if it does not.
    pub not_sent: Option<&'static str>,
}

/// What was measured of each type, and counted.
struct Measured {
    recorded: BTreeMap<String, u64>,
    speed: BTreeMap<String, u64>,
}

fn sender(role: Role) -> &'static str {
    match role {
        Role::User => "users",
        Role::Gateway => "gateways",
        Role::Passing => "accounts made for it",
        other => other.name(),
    }
}

fn mutation(mutation: &'static Mutation) -> MutationRow {
    MutationRow { name: mutation.name, results: mutation.expected }
}

/// Whether the embedded ledger executes a type.
fn is_executed(name: &str) -> bool {
    let code = Definitions::builtin().transaction_type(name);
    code.is_some_and(|code| transactors::transactor(code).is_some())
}

impl TypeRow {
    fn sent(about: &'static About, measured: &Measured) -> Self {
        Self {
            name: about.name,
            family: about.family,
            amendment: about.amendment,
            needs: about.needs,
            weight: Some(about.weight),
            sent_by: about.roles.iter().copied().map(sender).collect(),
            variants: about.variants,
            modifiers: about.modifiers.iter().map(|modifier| modifier.name()).collect(),
            mutations: about.mutations.iter().map(mutation).collect(),
            recorded_cases: measured.recorded.get(about.name).copied().unwrap_or(0),
            executed: is_executed(about.name),
            alone_per_second: measured.speed.get(about.name).copied(),
            not_sent: None,
        }
    }

    fn unsent(of: &Unsent, measured: &Measured) -> Self {
        Self {
            name: of.name,
            family: of.family,
            amendment: of.amendment,
            needs: &[],
            weight: None,
            sent_by: Vec::new(),
            variants: &[],
            modifiers: Vec::new(),
            mutations: Vec::new(),
            recorded_cases: measured.recorded.get(of.name).copied().unwrap_or(0),
            executed: is_executed(of.name),
            alone_per_second: None,
            not_sent: Some(of.why),
        }
    }
}

/// All types that an account can send, by name.
///
/// # Errors
/// Never: the catalogue's own weights name its own types, and the numbers were written by a test.
pub fn rows() -> Result<Vec<TypeRow>, GeneratorError> {
    let measured = Measured {
        recorded: serde_json::from_str(RECORDED).unwrap_or_default(),
        speed: serde_json::from_str(SPEED).unwrap_or_default(),
    };
    let catalogue = Catalogue::new(&BTreeMap::new())?;
    let sent = catalogue.types().map(|of| TypeRow::sent(of.about(), &measured));
    let unsent = UNSENT.iter().map(|of| TypeRow::unsent(of, &measured));
    let mut rows: Vec<_> = sent.chain(unsent).collect();
    rows.sort_unstable_by_key(|row| row.name);
    Ok(rows)
}

fn alone(row: &TypeRow) -> String {
    row.alone_per_second.map_or_else(|| "-".to_owned(), |n| n.to_string())
}

fn results(mutation: &MutationRow) -> String {
    format!("{} ({})", mutation.name, mutation.results.join(" or "))
}

/// The table as a document: `docs/types.md`.
#[must_use]
pub fn markdown(rows: &[TypeRow]) -> String {
    let mut text = String::from(
        "# Transaction types\n\nMade by `xrpl-workload types --markdown`. A type's weight is its share where nothing \
         else is said (`--types`); forms are what is planned of it; ways are ways to send it (`--modifiers`); \
         mutations are ways to make it wrong (`--intent-invalid`), beside those that every type has. Recorded are \
         submissions to a real xrpld 3.3, all of which the embedded ledger answers equally. Alone is how \
         many of the type alone the embedded ledger executes a second on one core, signatures checked \
         (`cargo bench -p xrpl-workload --bench shadow`).\n\n\
         | type | family | amendment | weight | sent by | forms | ways | recorded | alone/s | embedded ledger | mutations |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let weight = row.weight.map_or_else(|| "-".to_owned(), |weight| weight.to_string());
        let mutations: Vec<_> = row.mutations.iter().map(results).collect();
        let sent_by = row.not_sent.map_or_else(|| row.sent_by.join(", "), |_| "nobody".to_owned());
        let cells = [
            row.name.to_owned(),
            row.family.to_owned(),
            amendments(row),
            weight,
            sent_by,
            if row.variants.is_empty() { "-".to_owned() } else { row.variants.join(", ") },
            row.modifiers.join(", "),
            row.recorded_cases.to_string(),
            alone(row),
            if row.executed { "executes it" } else { "refuses it" }.to_owned(),
            mutations.join("; "),
        ];
        text += &format!("| {} |\n", cells.join(" | "));
    }
    text += "\nEvery type has these mutations too:";
    for common in COMMON {
        text += &format!("\n- {}", results(&mutation(common)));
    }
    text += "\n\nNot sent:";
    for row in rows {
        if let Some(why) = row.not_sent {
            text += &format!("\n- {}: {why}", row.name);
        }
    }
    text.push('\n');
    text
}

/// All amendments that it needs.
fn amendments(row: &TypeRow) -> String {
    let all: Vec<_> = row.amendment.into_iter().chain(row.needs.iter().copied()).collect();
    if all.is_empty() { "-".to_owned() } else { all.join(", ") }
}

/// The table for a terminal.
#[must_use]
pub fn plain(rows: &[TypeRow]) -> String {
    let head = [
        "TYPE",
        "FAMILY",
        "AMENDMENT",
        "WEIGHT",
        "FORMS",
        "WAYS",
        "MUTATIONS",
        "RECORDED",
        "ALONE/S",
        "EXECUTED",
    ];
    let count = |n: usize| n.to_string();
    let mut lines = vec![head.map(str::to_owned)];
    lines.extend(rows.iter().map(|row| {
        [
            row.name.to_owned(),
            row.family.to_owned(),
            amendments(row),
            row.weight.map_or_else(|| "-".to_owned(), |weight| weight.to_string()),
            count(row.variants.len().max(usize::from(row.weight.is_some()))),
            count(row.modifiers.len()),
            count(row.mutations.len()),
            row.recorded_cases.to_string(),
            alone(row),
            if row.executed { "yes" } else { "no" }.to_owned(),
        ]
    }));
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or(0);
    let widths: [usize; 10] = std::array::from_fn(width);
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    for row in rows {
        if let Some(why) = row.not_sent {
            text += &format!("{} is not sent: {why}\n", row.name);
        }
    }
    text
}
