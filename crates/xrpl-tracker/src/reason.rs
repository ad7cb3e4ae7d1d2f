//! What is known of why a transaction has no end yet, or did not succeed, where the name of its
//! newest result does not say it or would mislead.

use std::fmt;

use serde::{Deserialize, Serialize};
use xrpl_protocol::{Drops, LedgerIndex};

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Reason {
    /// A validated ledger shows its Sequence or Ticket gone, and no node that was asked has the
    /// ledger in which that happened.
    SlotGone {
        /// The validated ledger.
        ledger_index: LedgerIndex,
    },
    /// `telINSUF_FEE_P`: its Fee is less than the node takes at all under its present load.
    FeeTooLow {
        /// Its Fee.
        fee: Drops,
        /// What it would cost to get into the node's open ledger now; none if the node did not say.
        needed: Option<Drops>,
    },
    /// `temBAD_SIGNATURE` of a node for a transaction whose signature is right, as this program has
    /// verified: so xrpld answers, without looking, what it has found malformed before.
    MarkedBad,
    /// It is not in the ledgers that nodes have now, and nothing shows that these are of the chain on
    /// which it was sent: whatever the run knew of that one no node keeps.
    ChainNotShown,
}

impl Reason {
    /// The kind, as it is serialised.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SlotGone { .. } => "slot_gone",
            Self::FeeTooLow { .. } => "fee_too_low",
            Self::MarkedBad => "marked_bad",
            Self::ChainNotShown => "chain_not_shown",
        }
    }

    /// In words, of a transaction that has ended or not. A row outlives the program that sends it
    /// again: nothing is said of what will be done.
    #[must_use]
    pub fn told(&self, ended: bool) -> String {
        match self {
            Self::FeeTooLow { .. } if !ended => format!(
                "undecided: {self}. It may still get into a ledger, up to its LastLedgerSequence, if \
                 it is sent again once the load has fallen"
            ),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SlotGone { ledger_index } => write!(
                f,
                "undecided: its Sequence or Ticket is used up, as ledger {ledger_index} shows, by \
                 this transaction or by another one; the ledger that could say by which is kept by \
                 no node that was asked. Ask a node with more history for it"
            ),
            Self::FeeTooLow { fee, needed: Some(needed) } if needed > fee => write!(
                f,
                "its Fee of {fee} drops could not be enough under the load that the node had when it \
                 last answered: {needed} drops would have been"
            ),
            Self::FeeTooLow { fee, .. } => write!(
                f,
                "its Fee of {fee} drops could not be enough under the load that the node had when it \
                 last answered"
            ),
            Self::ChainNotShown => f.write_str(
                "undecided: no ledger of these nodes has it, and none of them keeps a ledger that the \
                 run knew, so that it may have been sent on another chain of the same network id. Ask a \
                 node with more history",
            ),
            Self::MarkedBad => f.write_str(
                "the node refuses it without looking, as it does with what it has found malformed \
                 before. It says temBAD_SIGNATURE then, but the signature is right: what is wrong \
                 stood in an earlier answer, which may not have arrived",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_json_both_ways_and_say_what_is_known() {
        let fee = Drops(5);
        for (reason, words) in [
            (Reason::SlotGone { ledger_index: LedgerIndex(90) }, "undecided"),
            (Reason::FeeTooLow { fee, needed: Some(Drops(10)) }, "10 drops would have been"),
            (Reason::FeeTooLow { fee, needed: Some(Drops(5)) }, "could not be enough"),
            (Reason::FeeTooLow { fee, needed: None }, "5 drops"),
            (Reason::MarkedBad, "the signature is right"),
            (Reason::ChainNotShown, "another chain"),
        ] {
            let json = serde_json::to_value(&reason).unwrap();
            assert_eq!(json["kind"], reason.kind());
            assert_eq!(serde_json::from_value::<Reason>(json).unwrap(), reason);
            assert!(reason.to_string().contains(words), "{reason}");
        }
    }

    #[test]
    fn a_fee_too_low_is_undecided_until_the_end_and_promises_nothing() {
        for needed in [None, Some(Drops(10))] {
            let reason = Reason::FeeTooLow { fee: Drops(5), needed };
            let (open, ended) = (reason.told(false), reason.told(true));
            assert!(open.starts_with("undecided: its Fee of 5 drops"), "{open}");
            assert!(!ended.contains("undecided"), "{ended}");
            assert!([open, ended].iter().all(|text| !text.contains("is tried again")));
        }
    }
}
