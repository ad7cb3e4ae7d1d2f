//! Two runs side by side: each figure with its change, and whether it became better, worse, or stayed
//! the same within what may be chance.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    figures::{self, Better, FIGURES, Figure},
    record::{Condition, Intervention, Record},
    settings,
    words::{self, Table},
};

/// What a figure's change means.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It improved beyond the bounds.
    Better,
    /// The change may be chance, or there is none.
    #[default]
    Same,
    /// It is another one beyond the bounds, and neither way is worse.
    Other,
    /// Only one of the two has it.
    Missing,
    /// It became worse beyond the bounds.
    Worse,
}

impl Verdict {
    /// As it is printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Same => "same",
            Self::Other => "other",
            Self::Missing => "-",
            Self::Worse => "WORSE",
        }
    }
}

/// One figure of both.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Change {
    /// Its name.
    pub figure: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Of the first run.
    pub first: Option<f64>,
    /// Of the second run.
    pub second: Option<f64>,
    /// The second minus the first.
    pub change: Option<f64>,
    /// The same in percent of the first; none where that is 0.
    pub percent: Option<f64>,
    /// A change counts beyond this, percent of the first, and
    pub relative: f64,
    /// beyond this.
    pub absolute: f64,
    /// What it means.
    pub verdict: Verdict,
}

/// What is beyond chance, by figure: percent, and the figure's own unit. A change counts only beyond
/// both.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bounds {
    all: Bound,
    of: BTreeMap<&'static str, Bound>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Bound {
    relative: Option<f64>,
    absolute: Option<f64>,
}

impl Bounds {
    /// Changes them: `finality_ms_p99=20%`, `finality_ms_p99=20%/100`, or `all=20%`.
    ///
    /// # Errors
    /// There is no such figure, or that is no bound.
    pub fn change(&mut self, text: &str) -> Result<(), String> {
        let form =
            "give FIGURE=PERCENT% or FIGURE=PERCENT%/NUMBER, such as finality_ms_p99=20%/100";
        let (name, bound) = text.split_once('=').ok_or_else(|| format!("{text:?}: {form}"))?;
        let (percent, absolute) = match bound.split_once('/') {
            Some((percent, absolute)) => (percent, Some(absolute)),
            None => (bound, None),
        };
        let number = |text: &str| {
            let number = text.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
            number.ok_or_else(|| format!("{text:?} is no number of 0 or more: {form}"))
        };
        let percent = percent.strip_suffix('%').ok_or_else(|| format!("{bound:?}: {form}"))?;
        let bound =
            Bound { relative: Some(number(percent)?), absolute: absolute.map(number).transpose()? };
        if name == "all" {
            self.all = bound;
            return Ok(());
        }
        let figure = figures::find(name).ok_or_else(|| unknown_figure(name))?;
        self.of.insert(figure.name, bound);
        Ok(())
    }

    fn of(&self, figure: &Figure) -> (f64, f64) {
        let own = self.of.get(figure.name).copied().unwrap_or_default();
        (
            own.relative.or(self.all.relative).unwrap_or(figure.relative),
            own.absolute.or(self.all.absolute).unwrap_or(figure.absolute),
        )
    }
}

/// That there is no such figure, and which one was probably meant.
#[must_use]
pub fn unknown_figure(name: &str) -> String {
    let names = FIGURES.iter().map(|figure| figure.name.to_owned());
    match crate::config::values::nearest(name, names) {
        Some(nearest) => format!("there is no figure {name:?}: did you mean {nearest:?}?"),
        None => {
            let names: Vec<_> = FIGURES.iter().map(|figure| figure.name).collect();
            format!("there is no figure {name:?}; these are: {}", names.join(", "))
        }
    }
}

/// One of the two runs.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Side {
    /// Its id.
    pub run: String,
    /// What people call it.
    pub title: String,
    /// Whether it has ended.
    pub condition: Condition,
    /// The nodes.
    pub endpoint: String,
    /// Their versions.
    pub versions: Vec<String>,
    /// Transactions meant to succeed.
    pub submitted: u64,
    /// How long its load ran, seconds.
    pub load_seconds: f64,
    /// What somebody changed while it went on, in words; none if nobody did.
    pub changed_by_hand: Option<String>,
}

impl Side {
    fn of(record: &Record) -> Self {
        Self {
            run: record.head.run.clone(),
            title: record.title(),
            condition: record.head.condition,
            endpoint: record.head.endpoint.clone(),
            versions: record.versions().into_iter().map(str::to_owned).collect(),
            submitted: record.measured.submitted,
            load_seconds: record.head.load_seconds,
            changed_by_hand: changes(&record.interventions),
        }
    }
}

/// A setting in which the two differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OtherSetting {
    /// Its key.
    pub key: String,
    /// Of the first run.
    pub first: String,
    /// Of the second run.
    pub second: String,
}

/// The comparison.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Comparison {
    /// The one that is measured against.
    pub first: Side,
    /// The one that is judged.
    pub second: Side,
    /// The stage that is compared; none for the whole.
    pub stage: Option<String>,
    /// Every figure that one of them has.
    pub changes: Vec<Change>,
    /// What else is different.
    pub settings: Vec<OtherSetting>,
    /// `worse` if any figure is, else `better` if any is, else `same`.
    pub verdict: Verdict,
    /// The same in words, with the relevant figures.
    pub words: Vec<String>,
}

/// How two runs are to be compared.
#[derive(Clone, Debug, Default)]
pub struct Terms<'a> {
    /// The stages of this name; the whole if none is given.
    pub stage: Option<&'a str>,
    /// What may be chance.
    pub bounds: Bounds,
    /// Whether a run that did not come to its end, or was changed meanwhile, is taken all the same.
    pub partial: bool,
}

/// Why two runs cannot be compared.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Its load was not the one that was asked for.
    #[error(
        "{title} cannot be compared: its load was not the one that was asked for ({why}). Run it \
         again with a rate that can be kept, or more --accounts"
    )]
    NotKept {
        /// Which.
        title: String,
        /// Why.
        why: String,
    },
    /// It did not come to its end.
    #[error(
        "{title} {how}: its figures are those of {seconds:.0} s of load. Compare runs that came to their \
         end, or take it as it is (--partial, or ?partial=true of the API)"
    )]
    Partial {
        /// Which.
        title: String,
        /// In words.
        how: &'static str,
        /// How long its load ran.
        seconds: f64,
    },
    /// Somebody changed it while it went on.
    #[error(
        "{title} was changed while it went on ({what}): its load is not the one that its settings \
         describe. Compare runs that were left alone, or take it as it is (--partial, or ?partial=true of \
         the API)"
    )]
    Changed {
        /// Which.
        title: String,
        /// In words.
        what: String,
    },
    /// Nothing was sent that could succeed.
    #[error("{0} cannot be compared: it sent nothing that was meant to succeed")]
    Empty(String),
    /// It has no such stage.
    #[error("{title} has no stage {stage:?}; its stages are {known}")]
    Stage {
        /// Which.
        title: String,
        /// The stage.
        stage: String,
        /// Those it has.
        known: String,
    },
}

type Figures<'a> = &'a BTreeMap<String, f64>;

/// What became of a run that did not come to its end.
fn cut_short(condition: Condition) -> Option<&'static str> {
    match condition {
        Condition::Ended => None,
        Condition::Running => Some("has not ended yet"),
        Condition::Stopped => Some("was stopped before its end"),
        Condition::Aborted => Some("was killed"),
    }
}

/// What somebody changed of a load that went on; none if nobody did.
fn changes(interventions: &[Intervention]) -> Option<String> {
    let changes = || interventions.iter().filter(|one| one.changes_terms());
    let first = changes().next()?;
    Some(match changes().count() {
        1 => first.to_string(),
        n => format!("{first}; and {} more", n - 1),
    })
}

fn figures_of<'a>(record: &'a Record, terms: &Terms) -> Result<Figures<'a>, Refusal> {
    let (head, stage) = (&record.head, terms.stage);
    if let Some(how) = cut_short(head.condition).filter(|_| !terms.partial) {
        return Err(Refusal::Partial { title: record.title(), how, seconds: head.load_seconds });
    }
    if let Some(what) = changes(&record.interventions).filter(|_| !terms.partial) {
        return Err(Refusal::Changed { title: record.title(), what });
    }
    if let Some(why) = &record.head.not_kept {
        return Err(Refusal::NotKept { title: record.title(), why: why.clone() });
    }
    if record.parts.iter().all(|part| part.measured.submitted == 0) {
        return Err(Refusal::Empty(record.title()));
    }
    let Some(stage) = stage else { return Ok(&record.head.figures) };
    let found = record.parts.iter().find(|part| part.name == stage);
    found.map(|part| &part.figures).ok_or_else(|| Refusal::Stage {
        title: record.title(),
        stage: stage.to_owned(),
        known: record.parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(", "),
    })
}

/// Compares the second run with the first one, or a stage of the one with the stage of the same name.
///
/// # Errors
/// One of them did not come to its end, was changed while it went on, was not the load that was asked for,
/// sent nothing, or has no such stage.
pub fn compare(first: &Record, second: &Record, terms: &Terms) -> Result<Comparison, Refusal> {
    let (of_first, of_second) = (figures_of(first, terms)?, figures_of(second, terms)?);
    let change = |figure| change(figure, of_first, of_second, &terms.bounds);
    let changes: Vec<_> = FIGURES.iter().filter_map(change).collect();
    let any = |verdict| changes.iter().any(|change| change.verdict == verdict);
    let verdict = match (any(Verdict::Worse), any(Verdict::Better)) {
        (true, _) => Verdict::Worse,
        (false, true) => Verdict::Better,
        (false, false) => Verdict::Same,
    };
    Ok(Comparison {
        words: in_words(&changes),
        first: Side::of(first),
        second: Side::of(second),
        stage: terms.stage.map(str::to_owned),
        settings: other_settings(first, second),
        changes,
        verdict,
    })
}

fn change(figure: &Figure, first: Figures, second: Figures, bounds: &Bounds) -> Option<Change> {
    let (a, b) = (first.get(figure.name).copied(), second.get(figure.name).copied());
    let (relative, absolute) = bounds.of(figure);
    let difference = a.zip(b).map(|(a, b)| ((b - a) * 1e3).round() / 1e3);
    let verdict = match (a, difference) {
        (None, _) if b.is_none() => return None,
        (Some(a), Some(difference)) => {
            let beyond =
                difference.abs() > absolute && difference.abs() > a.abs() * relative / 100.0;
            match (beyond, figure.better, difference > 0.0) {
                (false, ..) => Verdict::Same,
                (true, Better::Neither, _) => Verdict::Other,
                (true, Better::Higher, true) | (true, Better::Lower, false) => Verdict::Better,
                (true, Better::Higher, false) | (true, Better::Lower, true) => Verdict::Worse,
            }
        }
        _ => Verdict::Missing,
    };
    let percent = a.zip(difference).filter(|(a, _)| *a != 0.0);
    Some(Change {
        figure: figure.name,
        unit: figure.unit,
        about: figure.about,
        first: a,
        second: b,
        change: difference,
        percent: percent.map(|(a, difference)| (difference / a * 1e3).round() / 10.0),
        relative,
        absolute,
        verdict,
    })
}

/// Settings that say nothing about a run's load or its network.
const OF_NO_CONSEQUENCE: [&str; 8] =
    ["store", "retention", "name", "rpc_bind", "ws_bind", "coverage", "ledger_history", "ab"];

fn other_settings(first: &Record, second: &Record) -> Vec<OtherSetting> {
    let matters = |key: &str| {
        let group = settings::find(key).map(|setting| setting.group);
        group.is_some_and(|group| !["HTTP API", "Output", "Submit"].contains(&group))
            && !OF_NO_CONSEQUENCE.contains(&key)
    };
    let values = |record: &Record| -> BTreeMap<String, String> {
        let told = record.settings.iter().filter(|told| matters(&told.key));
        told.map(|told| (told.key.clone(), told.value.clone())).collect()
    };
    let (a, mut b) = (values(first), values(second));
    let mut others = Vec::new();
    for (key, first) in a {
        let second = b.remove(&key).unwrap_or_default();
        if first != second {
            others.push(OtherSetting { key, first, second });
        }
    }
    let left = b.into_iter().filter(|(_, second)| !second.is_empty());
    others.extend(left.map(|(key, second)| OtherSetting { key, first: String::new(), second }));
    others
}

/// The figures that moved, the worse ones first.
fn in_words(changes: &[Change]) -> Vec<String> {
    let mut moved: Vec<_> = changes
        .iter()
        .filter(|change| matches!(change.verdict, Verdict::Worse | Verdict::Better))
        .collect();
    moved.sort_by_key(|change| change.verdict != Verdict::Worse);
    moved.into_iter().map(told).collect()
}

fn told(change: &Change) -> String {
    let value =
        |value: Option<f64>| value.map_or_else(String::new, |v| words::figure(v, change.unit));
    let (first, second) = (change.first.unwrap_or(0.0), change.second.unwrap_or(0.0));
    let times = match (first > 0.0, second / first) {
        (true, times) if times >= 1.5 => format!(", {times:.1} times as much"),
        (true, _) => format!(" ({})", signed_percent(change.percent)),
        (false, _) => String::new(),
    };
    format!(
        "{} {}: {} instead of {}{times}",
        change.verdict.name().to_lowercase(),
        change.figure,
        value(change.second),
        value(change.first),
    )
}

fn signed_percent(percent: Option<f64>) -> String {
    percent.map_or_else(String::new, |percent| format!("{percent:+.1} %"))
}

impl Comparison {
    fn headline(&self) -> String {
        let of = self.stage.as_ref().map_or_else(String::new, |stage| format!(", stage {stage:?}"));
        let verdict = match self.verdict {
            Verdict::Worse => "worse",
            Verdict::Better => "better",
            _ => "the same",
        };
        format!("{} is {verdict}, compared with {}{of}", self.second.title, self.first.title)
    }

    fn table(&self) -> Table {
        let mut table = Table::new(&["figure", "first", "second", "change", ""], &[1, 2, 3]);
        for change in &self.changes {
            let value = |value: Option<f64>| {
                value.map_or_else(|| "-".to_owned(), |value| words::figure(value, change.unit))
            };
            table.row([
                change.figure.to_owned(),
                value(change.first),
                value(change.second),
                signed_percent(change.percent),
                change.verdict.name().to_owned(),
            ]);
        }
        table
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for side in [&self.first, &self.second] {
            if let Some(how) = cut_short(side.condition) {
                let Side { title, load_seconds, .. } = side;
                notes
                    .push(format!("{title} {how}: its figures are of {load_seconds:.0} s of load"));
            }
        }
        for Side { title, changed_by_hand, .. } in [&self.first, &self.second] {
            let what = changed_by_hand.iter();
            notes.extend(what.map(|what| format!("{title} was changed while it went on: {what}")));
        }
        if self.first.versions != self.second.versions {
            let of = |side: &Side| match side.versions.is_empty() {
                true => "unknown".to_owned(),
                false => side.versions.join(", "),
            };
            notes.push(format!("nodes: {} -> {}", of(&self.first), of(&self.second)));
        }
        let empty = |value: &str| if value.is_empty() { "-".to_owned() } else { value.to_owned() };
        let others = self.settings.iter().map(|other| {
            format!("{}: {} -> {}", other.key, empty(&other.first), empty(&other.second))
        });
        notes.extend(others);
        notes
    }

    /// As a table for a pull request.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!("**{}**\n\n{}", self.headline(), self.table().markdown());
        let notes = self.notes();
        if !notes.is_empty() {
            text += "\n\nAlso different:\n";
            notes.iter().for_each(|note| text += &format!("\n- {}", words::escape_markdown(note)));
        }
        text + "\n"
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.table())?;
        for note in self.notes() {
            write!(f, "\n  different: {note}")?;
        }
        for word in &self.words {
            write!(f, "\n  {word}")?;
        }
        write!(f, "\n{}", self.headline())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Control, Part, RunHead, SettingTold};

    fn record(name: &str, figures: &[(&str, f64)]) -> Record {
        let mut part = Part::default();
        part.measured.submitted = 100;
        part.name = "load".into();
        let figures = figures.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        part.figures = BTreeMap::clone(&figures);
        let head = RunHead {
            run: "1".into(),
            name: Some(name.into()),
            condition: Condition::Ended,
            figures,
            ..RunHead::default()
        };
        Record { head, parts: vec![part], ..Record::default() }
    }

    fn verdict(figure: &'static str, first: f64, second: f64) -> Verdict {
        let (a, b) = (record("a", &[(figure, first)]), record("b", &[(figure, second)]));
        let comparison = compare(&a, &b, &Terms::default()).unwrap();
        assert_eq!(comparison.changes.len(), 1);
        comparison.changes[0].verdict
    }

    #[test]
    fn a_change_counts_beyond_both_bounds_only() {
        use Verdict::{Better, Other, Same, Worse};
        for (figure, first, second, wanted) in [
            ("finality_ms_p50", 1000.0, 2000.0, Worse),
            ("finality_ms_p50", 2000.0, 1000.0, Better),
            ("finality_ms_p50", 10.0, 20.0, Same), // twice as much, but 10 ms
            ("finality_ms_p50", 1000.0, 1060.0, Same), // 60 ms, but 6 %
            ("validated_per_second", 100.0, 90.0, Worse),
            ("validated_per_second", 100.0, 110.0, Better),
            ("validated_per_second", 1.0, 1.4, Same),
            ("failed_percent", 0.0, 1.0, Worse),
            ("failed_percent", 0.0, 0.4, Same),
            ("finality_ms_max", 1000.0, 9000.0, Other),
        ] {
            assert_eq!(verdict(figure, first, second), wanted, "{figure} {first} {second}");
        }
    }

    #[test]
    fn the_worst_decides_and_is_told_first() {
        let a = record("a", &[("finality_ms_p50", 1000.0), ("validated_per_second", 10.0)]);
        let b = record("b", &[("finality_ms_p50", 2000.0), ("validated_per_second", 20.0)]);
        let comparison = compare(&a, &b, &Terms::default()).unwrap();
        assert_eq!(comparison.verdict, Verdict::Worse);
        assert_eq!(
            comparison.words,
            [
                "worse finality_ms_p50: 2,000 ms instead of 1,000 ms, 2.0 times as much",
                "better validated_per_second: 20/s instead of 10/s, 2.0 times as much",
            ]
        );
        let text = comparison.to_string();
        assert!(text.ends_with("b (run 1) is worse, compared with a (run 1)"), "{text}");
        let markdown = comparison.markdown();
        assert!(markdown.contains("| finality_ms_p50 | 1,000 ms | 2,000 ms | +100.0 % | WORSE |"));
        assert_eq!(compare(&a, &a, &Terms::default()).unwrap().verdict, Verdict::Same);
        assert_eq!(
            compare(&b, &a, &Terms::default()).unwrap().changes[0].verdict,
            Verdict::Worse,
            "fewer a second"
        );
    }

    #[test]
    fn what_only_one_has_is_told_and_decides_nothing() {
        let (a, b) = (record("a", &[("queue_max", 3.0)]), record("b", &[]));
        let comparison = compare(&a, &b, &Terms::default()).unwrap();
        assert_eq!(comparison.changes[0].verdict, Verdict::Missing);
        assert_eq!(comparison.verdict, Verdict::Same);
    }

    #[test]
    fn a_load_that_was_not_the_one_asked_for_is_refused() {
        let good = record("good", &[]);
        let mut bad = record("bad", &[]);
        bad.head.not_kept = Some("9 % of the slots were given up".into());
        for (a, b) in [(&good, &bad), (&bad, &good)] {
            let refused = compare(a, b, &Terms::default()).unwrap_err().to_string();
            assert!(refused.contains("bad (run 1)") && refused.contains("9 %"), "{refused}");
        }
        let mut empty = record("empty", &[]);
        empty.parts[0].measured.submitted = 0;
        assert!(matches!(compare(&good, &empty, &Terms::default()), Err(Refusal::Empty(_))));
    }

    #[test]
    fn a_run_that_did_not_come_to_its_end_is_taken_only_where_that_is_asked() {
        let whole = record("whole", &[("queue_max", 3.0)]);
        for (condition, how) in [
            (Condition::Running, "has not ended yet"),
            (Condition::Stopped, "was stopped before its end"),
            (Condition::Aborted, "was killed"),
        ] {
            let mut cut = record("cut", &[("queue_max", 3.0)]);
            (cut.head.condition, cut.head.load_seconds) = (condition, 12.0);
            for (a, b) in [(&whole, &cut), (&cut, &whole)] {
                let refused = compare(a, b, &Terms::default()).unwrap_err().to_string();
                assert!(refused.starts_with(&format!("cut (run 1) {how}")), "{refused}");
                assert!(refused.contains("12 s of load") && refused.contains("--partial"));
                let terms = Terms { partial: true, ..Terms::default() };
                let taken = compare(a, b, &terms).unwrap().to_string();
                assert!(taken.contains(how), "{taken}");
            }
        }
    }

    #[test]
    fn a_run_that_was_changed_by_hand_is_taken_only_where_that_is_asked() {
        let alone = record("alone", &[("queue_max", 3.0)]);
        let at = |seconds, what| Intervention { seconds, what, ..Intervention::default() };
        let mut changed = record("changed", &[("queue_max", 3.0)]);
        changed.interventions = vec![at(1.0, Control::Start), at(2.0, Control::EndLoad)];
        assert!(compare(&alone, &changed, &Terms::default()).is_ok(), "that changes no rate");
        changed.interventions.extend([at(3.0, Control::Stop), at(4.0, Control::SkipStage)]);
        for (a, b) in [(&alone, &changed), (&changed, &alone)] {
            let refused = compare(a, b, &Terms::default()).unwrap_err().to_string();
            assert!(
                refused.starts_with("changed (run 1) was changed while it went on"),
                "{refused}"
            );
            assert!(refused.contains("load stopped for a while; and 1 more"), "{refused}");
            let taken = compare(a, b, &Terms { partial: true, ..Terms::default() }).unwrap();
            assert!(
                taken.to_string().contains("different: changed (run 1) was changed"),
                "{taken}"
            );
        }
    }

    #[test]
    fn stages_are_compared_by_name() {
        let mut a = record("a", &[("queue_max", 0.0)]);
        let b = record("b", &[("queue_max", 0.0)]);
        a.parts[0].figures.insert("queue_max".into(), 500.0);
        let stage = |stage| Terms { stage: Some(stage), ..Terms::default() };
        let comparison = compare(&a, &b, &stage("load")).unwrap();
        assert_eq!(comparison.verdict, Verdict::Better);
        let refused = compare(&a, &b, &stage("lod")).unwrap_err().to_string();
        assert!(refused.contains("its stages are load"), "{refused}");
    }

    #[test]
    fn bounds_can_be_changed() {
        let mut bounds = Bounds::default();
        bounds.change("finality_ms_p50=0%/0").unwrap();
        bounds.change("all=500%").unwrap();
        let (a, b) = (
            record("a", &[("finality_ms_p50", 100.0), ("queue_max", 100.0)]),
            record("b", &[("finality_ms_p50", 101.0), ("queue_max", 550.0)]),
        );
        let verdicts: Vec<_> =
            compare(&a, &b, &Terms { bounds: bounds.clone(), ..Terms::default() })
                .unwrap()
                .changes
                .iter()
                .map(|change| (change.figure, change.verdict))
                .collect();
        let wanted = [("finality_ms_p50", Verdict::Worse), ("queue_max", Verdict::Same)];
        assert_eq!(verdicts, wanted);
        for (wrong, why) in [
            ("finality_ms_p5=1%", "did you mean \"finality_ms_p50\""),
            ("queue_max", "FIGURE=PERCENT%"),
            ("queue_max=7", "FIGURE=PERCENT%"),
            ("queue_max=-7%", "0 or more"),
            ("queue_max=7%/x", "0 or more"),
        ] {
            let said = bounds.change(wrong).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn other_settings_that_matter_are_named() {
        let with = |values: &[(&str, &str)]| {
            let told = values.iter().map(|(key, value)| SettingTold {
                key: (*key).into(),
                value: (*value).into(),
                ..SettingTold::default()
            });
            Record { settings: told.collect(), ..record("x", &[]) }
        };
        let a = with(&[("tps", "20"), ("store", "a.db"), ("seed", "s"), ("json", "true")]);
        let b = with(&[("tps", "40"), ("store", "b.db"), ("seed", "s"), ("json", "false")]);
        let text = compare(&a, &b, &Terms::default()).unwrap().to_string();
        assert!(text.contains("different: tps: 20 -> 40"), "{text}");
        assert!(!text.contains("store") && !text.contains("seed") && !text.contains("json"));
    }
}
