//! What was sent in which way, and with which result: type x variant or modifier or mutation x result.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    catalogue::{Catalogue, UNSENT},
    modifier::Modifier,
    mutation::COMMON,
};

/// A way in which a type was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Way {
    /// As it is; one of its variants, if it has any.
    Plain(Option<&'static str>),
    /// With a modifier.
    Modified(Modifier),
    /// Wrong on purpose.
    Mutated(&'static str),
}

impl Way {
    fn name(self) -> String {
        match self {
            Self::Plain(None) => "plain".to_owned(),
            Self::Plain(Some(variant)) => format!("plain: {variant}"),
            Self::Modified(modifier) => modifier.name().to_owned(),
            Self::Mutated(name) => format!("mutation: {name}"),
        }
    }
}

/// Ends by type, way and result.
#[derive(Clone, Debug, Default)]
pub(crate) struct Covered {
    ends: BTreeMap<(&'static str, Way), BTreeMap<String, u64>>,
    /// Types that have any end as they are.
    plain: BTreeSet<&'static str>,
}

impl Covered {
    pub(crate) fn count(&mut self, of: &'static str, way: Way, result: &str) {
        if matches!(way, Way::Plain(_)) {
            self.plain.insert(of);
        }
        let results = self.ends.entry((of, way)).or_default();
        match results.get_mut(result) {
            Some(n) => *n += 1,
            None => drop(results.insert(result.to_owned(), 1)),
        }
    }

    /// Whether a type has got any end as it is.
    pub(crate) fn has_plain(&self, of: &str) -> bool {
        self.plain.contains(of)
    }

    /// Whether a type has got any end in a way.
    pub(crate) fn has(&self, of: &'static str, way: Way) -> bool {
        self.ends.contains_key(&(of, way))
    }
}

/// One type in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CoverageRow {
    /// The type.
    pub transaction_type: &'static str,
    /// `plain`, a variant of it, a modifier, or a mutation.
    pub way: String,
    /// Ends by result, or by evidence where there was none.
    pub results: BTreeMap<String, u64>,
}

/// A type that is not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NotSent {
    /// The type.
    pub transaction_type: &'static str,
    /// In words.
    pub why: String,
}

/// What was reached, and what never was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Coverage {
    /// Combinations that were sent and reached a final state.
    pub reached: Vec<CoverageRow>,
    /// Combinations of types that are drawn which have none, as `type: way`.
    pub never: Vec<String>,
    /// Types that are off in this run, and those that no run sends.
    pub not_sent: Vec<NotSent>,
}

impl std::fmt::Display for Coverage {
    /// A line a combination.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "coverage: {} combinations of type and way were reached", self.reached.len())?;
        for row in &self.reached {
            let results: Vec<_> = row.results.iter().map(|(r, n)| format!("{r} {n}")).collect();
            let what = format!("{}: {}", row.transaction_type, row.way);
            writeln!(f, "  {what:<64} {}", results.join(", "))?;
        }
        match self.never.is_empty() {
            true => f.write_str("none was never reached")?,
            false => f.write_str("never reached:")?,
        }
        self.never.iter().try_for_each(|never| write!(f, "\n  {never}"))?;
        f.write_str("\nnot sent:")?;
        self.not_sent
            .iter()
            .try_for_each(|off| write!(f, "\n  {}: {}", off.transaction_type, off.why))
    }
}

/// The whole of it.
pub(crate) fn coverage(covered: &Covered, catalogue: &Catalogue, mutations: bool) -> Coverage {
    let row = |((of, way), results): (&(&'static str, Way), &BTreeMap<String, u64>)| CoverageRow {
        transaction_type: of,
        way: way.name(),
        results: results.clone(),
    };
    let not_sent = |transaction_type, why: &str| NotSent { transaction_type, why: why.to_owned() };
    let off = catalogue.disabled().map(|(name, why)| match why {
        None => not_sent(name, "it is switched off"),
        Some(why) => not_sent(name, &format!("the network does not have it: {why}")),
    });
    let never_sent = UNSENT.iter().map(|of| not_sent(of.name, of.why));
    let off: Vec<_> = off.chain(never_sent).collect();
    let is_off = |name: &str| off.iter().any(|off| off.transaction_type == name);
    let mut never = Vec::new();
    for of in catalogue.types().map(|of| of.about()).filter(|of| !is_off(of.name)) {
        let name = of.name;
        let plain: Vec<_> = match of.variants {
            [] => vec![Way::Plain(None)],
            variants => variants.iter().map(|variant| Way::Plain(Some(*variant))).collect(),
        };
        let possible = |modifier: &&Modifier| modifier.needs().is_none_or(|needed| !is_off(needed));
        let modifiers = of.modifiers.iter().filter(possible);
        let modified = modifiers.map(|modifier| Way::Modified(*modifier));
        let mutated = of.mutations.iter().chain(COMMON).map(|m| Way::Mutated(m.name));
        let mutated = mutated.filter(|_| mutations);
        for way in
            plain.into_iter().chain(modified).chain(mutated).filter(|way| !covered.has(name, *way))
        {
            never.push(format!("{name}: {}", way.name()));
        }
    }
    Coverage { reached: covered.ends.iter().map(row).collect(), never, not_sent: off }
}
