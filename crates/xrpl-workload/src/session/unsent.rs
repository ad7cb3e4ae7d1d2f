//! Why a load sent nothing at all, in words.

use xrpl_generator::{diagnosis::TypeDiagnosis, stats::Status};

use crate::figures::Measurements;

/// How many types are named, each with its reason.
const NAMED: usize = 3;

/// None if something was sent, or nothing was to be.
pub(super) fn why(
    load: &Measurements,
    status: &Status,
    types: &[TypeDiagnosis],
    peak_fuzz: f64,
) -> Option<String> {
    let fuzz = &status.stats.fuzz;
    let sent = load.submitted + load.submitted_invalid + fuzz.tracked + fuzz.untracked_total();
    let slots = load.slots.slots();
    // What the node or this machine held up is another matter.
    if sent > 0 || slots == 0 || load.slots.missed.lanes_empty < slots {
        return None;
    }
    let reason = |name: &str, why: Option<&str>| {
        format!("{name} ({})", why.unwrap_or("no account was free to send it"))
    };
    let reasons: Vec<_> = match peak_fuzz >= 100.0 {
        true => {
            let off = status.stats.fuzz.off.iter();
            off.map(|(name, why)| reason(name, Some(why))).collect()
        }
        false => {
            let wanted = types.iter().filter(|of| of.weight > 0);
            wanted.map(|of| reason(of.name, of.why_not.as_deref())).collect()
        }
    };
    let more = reasons.len().saturating_sub(NAMED);
    let named = reasons.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
    Some(match (reasons.is_empty(), more) {
        (true, _) => "nothing was sent: every type has a weight of 0".to_owned(),
        (false, 0) => format!("nothing was sent: {named}"),
        (false, more) => format!("nothing was sent: {named}; and {more} more types"),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use xrpl_generator::pacing::{ByCause, PacingStats};

    use super::*;

    fn of(name: &'static str, weight: u32, why: Option<&str>) -> TypeDiagnosis {
        TypeDiagnosis {
            name,
            family: "",
            weight,
            enabled: true,
            planned: 0,
            waiting: 0,
            waited: BTreeMap::new(),
            why_not: why.map(str::to_owned),
        }
    }

    #[test]
    fn the_reason_is_that_of_the_types() {
        let missed = ByCause { lanes_empty: 9, ..ByCause::default() };
        let slots = PacingStats { missed, ..PacingStats::default() };
        let load = Measurements { slots, ..Measurements::default() };
        let status = Status::default();
        let types = [
            of("Batch", 4, Some("this network does not take it: BatchV1_1")),
            of("Payment", 0, None),
        ];
        let text = why(&load, &status, &types, 0.0).unwrap();
        assert_eq!(text, "nothing was sent: Batch (this network does not take it: BatchV1_1)");
        let text = why(&load, &status, &types[1..], 0.0).unwrap();
        assert_eq!(text, "nothing was sent: every type has a weight of 0");
        let idle = [of("Payment", 9, None)];
        let text = why(&load, &status, &idle, 0.0).unwrap();
        assert!(text.ends_with("Payment (no account was free to send it)"), "{text}");
        let many = ["A", "B", "C", "D", "E"].map(|name| of(name, 1, Some("off")));
        let text = why(&load, &status, &many, 0.0).unwrap();
        assert!(text.ends_with("C (off); and 2 more types"), "{text}");
        let mut fuzz = status.clone();
        fuzz.stats.fuzz.off.insert("FooBar".into(), "it must have NoSuchField".into());
        let text = why(&load, &fuzz, &types, 100.0).unwrap();
        assert_eq!(text, "nothing was sent: FooBar (it must have NoSuchField)");
        // Nothing is said where something was sent, or nothing was due.
        let sent = Measurements { submitted: 1, ..load.clone() };
        assert_eq!(why(&sent, &status, &types, 0.0), None);
        assert_eq!(why(&Measurements::default(), &status, &types, 0.0), None);
    }
}
