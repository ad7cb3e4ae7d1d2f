//! The known name that a misspelt one most likely means.

/// The candidate with the fewest edits, whatever the case of its letters; none if every one of them
/// is another word altogether.
///
/// ```
/// use xrpl_protocol::nearest::nearest;
/// assert_eq!(nearest("destinaton", ["Destination", "Domain"]), Some("Destination"));
/// assert_eq!(nearest("zzz", ["Destination", "Domain"]), None);
/// ```
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    let (edits, name) = known
        .into_iter()
        .map(|name| (distance(&given, &name.to_lowercase()), name))
        // Equally near ones by name, so that the answer does not depend on a table's order.
        .min()?;
    (edits * 2 <= given.chars().count().max(2)).then_some(name)
}

/// `; did you mean "X"?`, or nothing.
pub(crate) fn hint<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(given, known).map_or_else(String::new, |name| format!("; did you mean {name:?}?"))
}

/// Insertions, deletions and replacements between two texts.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits() {
        for (a, b, edits) in [("", "abc", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
        assert_eq!(nearest("amount", ["Amount2", "Amount"]), Some("Amount"));
        assert_eq!(nearest("x", []), None);
    }
}
