//! Numbers and tables as people read them, in a terminal and in Markdown.

use std::fmt;

use xrpl_protocol::ResultClass;
use xrpl_tracker::ResultName;

/// A number with as many digits as say something, and commas between thousands.
#[must_use]
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        v if v >= 100.0 || v.fract() == 0.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 0.1 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    };
    let (sign, rest) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = rest.split_once('.').map_or((rest, None), |(w, f)| (w, Some(f)));
    let mut grouped = String::new();
    for (n, digit) in whole.chars().enumerate() {
        if n > 0 && (whole.len() - n).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{sign}{grouped}.{fraction}"),
        None => format!("{sign}{grouped}"),
    }
}

/// A value with its unit.
#[must_use]
pub fn figure(value: f64, unit: &str) -> String {
    match unit {
        "" => number(value),
        "1/s" => format!("{}/s", number(value)),
        "ledgers" if value == 1.0 => "1 ledger".to_owned(),
        unit => format!("{} {unit}", number(value)),
    }
}

/// A time in seconds as people say it.
#[must_use]
pub fn time(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, _) if seconds < 10.0 && seconds.fract() != 0.0 => format!("{seconds:.1} s"),
        (0, 0, s) => format!("{s} s"),
        (0, m, 0) => format!("{m} min"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// A moment, milliseconds since 1970: `2026-01-31 12:00:00 UTC`.
#[must_use]
pub fn moment(at_ms: u64) -> String {
    let (days, of_day) = (at_ms / 86_400_000, at_ms / 1_000 % 86_400);
    // Days since 0000-03-01, so that a leap day is the last of its year; years of the Gregorian
    // calendar go round in 400.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// What xrpld says about an engine result, empty where it says nothing, and what its class means.
#[must_use]
pub fn result(code: &str) -> (&'static str, &'static str) {
    let result = ResultName::new(code);
    let meaning = match result.class() {
        Some(ResultClass::Tes) => "applied",
        Some(ResultClass::Tec) => "in a ledger: the fee was charged and nothing else happened",
        Some(ResultClass::Ter) => "not yet: it may apply later",
        Some(ResultClass::Tef) => "cannot apply to this ledger",
        Some(ResultClass::Tel) => "this server did not accept it",
        Some(ResultClass::Tem) => "malformed: it can never apply",
        None => "not an engine result",
    };
    (result.message(), meaning)
}

/// A text in a cell of a Markdown table.
#[must_use]
pub fn escape_markdown(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ").replace('<', "&lt;");
    text.replace('|', "\\|")
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    head: Vec<String>,
    right: Vec<usize>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these columns, some of them with numbers, which stand to the right.
    #[must_use]
    pub fn new(head: &[&str], right: &[usize]) -> Self {
        let head = head.iter().map(|name| (*name).to_owned()).collect();
        Self { head, right: right.to_vec(), rows: Vec::new() }
    }

    /// One more row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// As Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<_> = cells.iter().map(|cell| escape_markdown(cell)).collect();
            format!("| {} |", cells.join(" | "))
        };
        let rule: Vec<_> = (0..self.head.len())
            .map(|n| if self.right.contains(&n) { "---:" } else { "---" })
            .collect();
        let mut lines = vec![line(&self.head), format!("| {} |", rule.join(" | "))];
        lines.extend(self.rows.iter().map(|row| line(row)));
        lines.join("\n")
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = || std::iter::once(&self.head).chain(&self.rows);
        let widths: Vec<_> = (0..self.head.len())
            .map(|n| {
                all().filter_map(|row| row.get(n)).map(|c| c.chars().count()).max().unwrap_or(0)
            })
            .collect();
        for (n, row) in all().enumerate() {
            let cells = row.iter().zip(&widths).enumerate().map(|(n, (cell, width))| {
                match self.right.contains(&n) {
                    true => format!("{cell:>width$}"),
                    false => format!("{cell:width$}"),
                }
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            write!(f, "{}{}", if n == 0 { "" } else { "\n" }, line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_say_something() {
        for (value, text) in [
            (0.0, "0"),
            (19.72, "19.7"),
            (20.0, "20"),
            (0.25, "0.25"),
            (0.0123, "0.012"),
            (999.6, "1,000"),
            (1234567.0, "1,234,567"),
            (-1234.5, "-1,234"),
            (1.999, "2"),
            (100.0, "100"),
        ] {
            assert_eq!(number(value), text, "{value}");
        }
        assert_eq!(figure(19.72, "1/s"), "19.7/s");
        assert_eq!(figure(1.0, "ledgers"), "1 ledger");
        assert_eq!(figure(1500.0, "ms"), "1,500 ms");
        assert_eq!(figure(7.0, ""), "7");
    }

    #[test]
    fn times_and_moments() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (2.5, "2.5 s"),
            (59.6, "1 min"),
            (61.0, "1 min 1 s"),
            (7_265.0, "2 h 1 min"),
        ] {
            assert_eq!(time(seconds), text);
        }
        for (at_ms, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400_000, "2000-02-29 00:00:00 UTC"),
            (1_785_585_599_999, "2026-08-01 11:59:59 UTC"),
            (4_107_542_400_000, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(moment(at_ms), text);
        }
    }

    #[test]
    fn a_table_in_a_terminal_and_in_markdown() {
        let mut table = Table::new(&["what", "n"], &[1]);
        table.row(["a|b".to_owned(), "7".to_owned()]);
        table.row(["longer".to_owned(), "1,000".to_owned()]);
        assert_eq!(table.to_string(), "what        n\na|b         7\nlonger  1,000");
        assert_eq!(
            table.markdown(),
            "| what | n |\n| --- | ---: |\n| a\\|b | 7 |\n| longer | 1,000 |"
        );
    }
}
