//! How transactions of a run ended.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xrpl_tracker::IntentKind;

/// Transactions of one type that ended in one way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Ends {
    /// TransactionType.
    pub transaction_type: String,
    /// The terminal state.
    pub state: String,
    /// The final result; none where there is no such thing.
    pub result: Option<String>,
    /// What they were meant to do.
    pub intent: IntentKind,
    /// Whether another transaction of the run took their slot, as it was to.
    pub superseded: bool,
    /// How many.
    pub count: u64,
}

/// What an end means for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Meant to succeed, and did.
    Succeeded,
    /// Meant to succeed, and in a validated ledger with a `tec`: a fee was charged and nothing else
    /// happened.
    Claimed,
    /// Meant to succeed, and ended in another state than VALIDATED.
    Failed,
    /// Meant to succeed, and another one, such as the same at a higher fee, did so in its place.
    Superseded,
    /// Deliberately invalid.
    Invalid,
    /// Drawn at random: any end is right.
    Random,
}

impl Ends {
    /// What these ends mean. What the summary counts as failed is [`Fate::Failed`] here.
    #[must_use]
    pub fn fate(&self) -> Fate {
        let succeeded = self.result.as_deref().is_some_and(|result| result.starts_with("tes"));
        match (self.intent, self.state.as_str()) {
            (IntentKind::Invalid, _) => Fate::Invalid,
            (IntentKind::Any, _) => Fate::Random,
            (IntentKind::Valid, _) if self.superseded => Fate::Superseded,
            (IntentKind::Valid, "VALIDATED") if succeeded => Fate::Succeeded,
            (IntentKind::Valid, "VALIDATED") => Fate::Claimed,
            (IntentKind::Valid, _) => Fate::Failed,
        }
    }

    /// Whether these did not do what they were meant to.
    #[must_use]
    pub fn is_trouble(&self) -> bool {
        matches!(self.fate(), Fate::Failed | Fate::Claimed)
    }
}

#[cfg(test)]
mod tests {
    use IntentKind::{Any, Invalid, Valid};

    use super::*;

    #[test]
    fn what_counts_as_a_failure() {
        let end = |state: &str, result: &str, intent| Ends {
            state: state.into(),
            result: Some(result.into()),
            intent,
            ..Ends::default()
        };
        let replaced = Ends { superseded: true, ..end("REJECTED", "telCAN_NOT_QUEUE_FEE", Valid) };
        for (end, fate) in [
            (end("VALIDATED", "tesSUCCESS", Valid), Fate::Succeeded),
            (end("VALIDATED", "tecPATH_DRY", Valid), Fate::Claimed),
            (end("EXPIRED", "telINSUF_FEE_P", Valid), Fate::Failed),
            (end("REJECTED", "tefPAST_SEQ", Valid), Fate::Failed),
            (replaced, Fate::Superseded),
            (end("REJECTED", "temBAD_FEE", Invalid), Fate::Invalid),
            (end("EXPIRED", "tefBAD_AUTH", Any), Fate::Random),
        ] {
            assert_eq!(end.fate(), fate, "{end:?}");
            assert_eq!(end.is_trouble(), matches!(fate, Fate::Failed | Fate::Claimed));
        }
    }
}
