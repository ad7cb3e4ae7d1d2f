//! Why a terminal state is given: each kind of evidence carries its proof.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use xrpl_protocol::{EngineResult, Hash256, LedgerIndex, ResultClass, Sequence, TxHash};

/// An engine result by name, also one newer than this program's table.
#[derive(Clone, PartialEq, Eq)]
pub enum ResultName {
    /// One of the table.
    Known(EngineResult),
    /// One the table does not have.
    Other(Arc<str>),
}

impl ResultName {
    /// The result of a name as a node wrote it.
    #[must_use]
    pub fn new(name: &str) -> Self {
        // Nearly every result is this one, and the table is a look-up away.
        if name == "tesSUCCESS" {
            return Self::Known(EngineResult::TES_SUCCESS);
        }
        match EngineResult::from_name(name) {
            Some(known) => Self::Known(known),
            None => Self::Other(name.into()),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(known) => known.name(),
            Self::Other(name) => name,
        }
    }

    /// What xrpld says about it; empty if unknown.
    #[must_use]
    pub fn message(&self) -> &'static str {
        match self {
            Self::Known(known) => known.message(),
            Self::Other(_) => "",
        }
    }

    /// Its class; none if it is no name of a result at all.
    #[must_use]
    pub fn class(&self) -> Option<ResultClass> {
        match self {
            Self::Known(known) => Some(known.class()),
            Self::Other(name) => ResultClass::of(name),
        }
    }

    /// `tesSUCCESS`?
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Known(known) if known.is_success())
    }
}

impl fmt::Display for ResultName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for ResultName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl PartialEq<str> for ResultName {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for ResultName {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl std::hash::Hash for ResultName {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialOrd for ResultName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ResultName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Serialize for ResultName {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

#[cfg(feature = "schema")]
mod schema {
    use utoipa::{
        PartialSchema, ToSchema,
        openapi::{ObjectBuilder, RefOr, Type, schema::Schema},
    };

    use super::ResultName;

    impl PartialSchema for ResultName {
        fn schema() -> RefOr<Schema> {
            let text = "An engine result such as tecPATH_DRY, or a node's error token.";
            let builder = ObjectBuilder::new().schema_type(Type::String);
            builder.description(Some(text)).examples(["tecPATH_DRY"]).into()
        }
    }

    impl ToSchema for ResultName {
        fn name() -> std::borrow::Cow<'static, str> {
            "ResultName".into()
        }
    }
}

impl<'de> Deserialize<'de> for ResultName {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Self::new(&std::borrow::Cow::<'de, str>::deserialize(d)?))
    }
}

/// Which way a transaction was seen in a validated ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Source {
    /// A message of the transactions stream.
    Ws,
    /// A `tx` or `account_tx` look-up.
    Poll,
    /// A ledger read because the stream missed it or part of it.
    Backfill,
}

impl Source {
    /// All of them, in the order of their discriminants.
    pub const ALL: [Self; 3] = [Self::Ws, Self::Poll, Self::Backfill];

    /// `WS`, `POLL` or `BACKFILL`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ws => "WS",
            Self::Poll => "POLL",
            Self::Backfill => "BACKFILL",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Position of a transaction in a validated ledger, and its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ValidatedIn {
    /// Index of the validated ledger.
    pub ledger_index: LedgerIndex,
    /// Its hash; none if the node did not say.
    pub ledger_hash: Option<Hash256>,
    /// `TransactionResult` of the metadata: the final result.
    pub result: ResultName,
    /// Who said so first.
    pub source: Source,
}

/// Proof that a transaction is in none of a range of validated ledgers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum AbsenceProof {
    /// `tx` with `min_ledger` and `max_ledger` answered not found with `searched_all: true`.
    SearchedAll {
        /// First ledger searched.
        min_ledger: LedgerIndex,
        /// Last ledger searched.
        max_ledger: LedgerIndex,
        /// The endpoint that searched.
        endpoint: String,
    },
    /// Every ledger of the range was read whole, from the stream or by `ledger`.
    EveryLedgerRead {
        /// First ledger read.
        first: LedgerIndex,
        /// Last ledger read.
        last: LedgerIndex,
    },
    /// In a validated ledger at or after its LastLedgerSequence its Sequence or Ticket is not used.
    /// So no ledger before has it, whether or not anybody keeps them, and none after can have it.
    SlotUnused {
        /// The validated ledger.
        ledger_index: LedgerIndex,
        /// Its hash.
        ledger_hash: Hash256,
        /// What it shows.
        #[serde(flatten)]
        slot: UnusedSlot,
    },
}

/// What shows that a Sequence or Ticket is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum UnusedSlot {
    /// The account has not come to the number of the transaction's Sequence or Ticket.
    Sequence {
        /// The account's next Sequence.
        account_sequence: Sequence,
    },
    /// The Ticket still stands.
    Ticket {
        /// Its number.
        ticket: Sequence,
    },
}

/// Why a transaction has the terminal state it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Evidence {
    /// Found in a validated ledger.
    Validated(ValidatedIn),
    /// The only node that ever had it refused it, does not keep it and did not send it on.
    RefusedByNode {
        /// A `tem` result; with `fail_hard` any that is no success; or the error token where the
        /// node gave no result (`invalidTransaction`).
        engine_result: ResultName,
    },
    /// Every attempt failed before the request was written.
    NeverSent {
        /// How often it was tried.
        attempts: u32,
    },
    /// The last ledger that could have it is validated, and it is in none of those that could.
    LastLedgerPassed {
        /// Its LastLedgerSequence.
        last_ledger_sequence: LedgerIndex,
        /// Why it is known to be absent.
        proof: AbsenceProof,
    },
    /// Another transaction of the account used its Sequence or Ticket.
    SequenceConsumed {
        /// The other one.
        by: TxHash,
        /// The validated ledger that has the other one.
        ledger: LedgerIndex,
    },
    /// A validated ledger shows its Sequence or Ticket used up, or has no such account, which a later
    /// ledger can only create with a higher Sequence; and it is in none of the ledgers up to there that
    /// could have it. By what it was used is not known: it was before it was made, mostly.
    SlotGone {
        /// The validated ledger.
        ledger_index: LedgerIndex,
        /// The first ledger that could have it; above `ledger_index` if none could.
        first: LedgerIndex,
    },
}

impl Evidence {
    /// Whether this says something about the ledger of this index, so that it is worth nothing if
    /// that ledger is another one than the nodes said.
    #[must_use]
    pub fn rests_on(&self, ledger: LedgerIndex) -> bool {
        match self {
            Self::Validated(place) => place.ledger_index == ledger,
            Self::SequenceConsumed { ledger: consumed_in, .. } => *consumed_in == ledger,
            Self::LastLedgerPassed { proof, .. } => match proof {
                AbsenceProof::SearchedAll { min_ledger: first, max_ledger: last, .. }
                | AbsenceProof::EveryLedgerRead { first, last } => {
                    (*first..=*last).contains(&ledger)
                }
                AbsenceProof::SlotUnused { ledger_index, .. } => *ledger_index == ledger,
            },
            Self::SlotGone { ledger_index, first } => {
                *ledger_index == ledger || (*first..=*ledger_index).contains(&ledger)
            }
            Self::RefusedByNode { .. } | Self::NeverSent { .. } => false,
        }
    }

    /// The kind, as it is serialised.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Validated(_) => "validated",
            Self::RefusedByNode { .. } => "refused_by_node",
            Self::NeverSent { .. } => "never_sent",
            Self::LastLedgerPassed { .. } => "last_ledger_passed",
            Self::SequenceConsumed { .. } => "sequence_consumed",
            Self::SlotGone { .. } => "slot_gone",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn absent(slot: UnusedSlot) -> Evidence {
        let (ledger_index, ledger_hash) = (LedgerIndex(12), Hash256([4; 32]));
        Evidence::LastLedgerPassed {
            last_ledger_sequence: LedgerIndex(9),
            proof: AbsenceProof::SlotUnused { ledger_index, ledger_hash, slot },
        }
    }

    #[test]
    fn evidence_is_json_both_ways() {
        let all = [
            Evidence::Validated(ValidatedIn {
                ledger_index: LedgerIndex(7),
                ledger_hash: Some(Hash256([1; 32])),
                result: ResultName::new("tecPATH_DRY"),
                source: Source::Backfill,
            }),
            Evidence::RefusedByNode { engine_result: ResultName::new("temMALFORMED") },
            Evidence::RefusedByNode { engine_result: ResultName::new("temNEW_IN_2031") },
            Evidence::NeverSent { attempts: 5 },
            Evidence::LastLedgerPassed {
                last_ledger_sequence: LedgerIndex(9),
                proof: AbsenceProof::SearchedAll {
                    min_ledger: LedgerIndex(3),
                    max_ledger: LedgerIndex(9),
                    endpoint: "http://127.0.0.1:5005/".into(),
                },
            },
            Evidence::LastLedgerPassed {
                last_ledger_sequence: LedgerIndex(9),
                proof: AbsenceProof::EveryLedgerRead {
                    first: LedgerIndex(3),
                    last: LedgerIndex(9),
                },
            },
            absent(UnusedSlot::Sequence { account_sequence: Sequence(4) }),
            absent(UnusedSlot::Ticket { ticket: Sequence(4) }),
            Evidence::SequenceConsumed { by: TxHash([2; 32]), ledger: LedgerIndex(5) },
            Evidence::SlotGone { ledger_index: LedgerIndex(5), first: LedgerIndex(6) },
        ];
        let on_five: Vec<_> = all.iter().map(|one| one.rests_on(LedgerIndex(5))).collect();
        assert_eq!(on_five, [false, false, false, false, true, true, false, false, true, true]);
        assert!(all[0].rests_on(LedgerIndex(7)) && !all[8].rests_on(LedgerIndex(6)));
        assert!(all[6].rests_on(LedgerIndex(12)));
        for evidence in all {
            let json = serde_json::to_value(&evidence).unwrap();
            assert_eq!(json["kind"], evidence.kind());
            assert_eq!(serde_json::from_value::<Evidence>(json).unwrap(), evidence);
        }
        assert_eq!(
            serde_json::to_value(Evidence::RefusedByNode {
                engine_result: ResultName::new("temBAD_FEE")
            })
            .unwrap(),
            serde_json::json!({"kind": "refused_by_node", "engine_result": "temBAD_FEE"})
        );
        let json =
            serde_json::to_value(absent(UnusedSlot::Ticket { ticket: Sequence(4) })).unwrap();
        assert_eq!(json["proof"]["kind"], "slot_unused");
        assert_eq!(json["proof"]["ticket"], 4);
    }

    #[test]
    fn a_result_is_its_name() {
        let known = ResultName::new("tecPATH_DRY");
        let other = ResultName::new("tecNEW_IN_2031");
        assert_eq!(known.message(), EngineResult::from_name("tecPATH_DRY").unwrap().message());
        assert!(!known.message().is_empty() && other.message().is_empty());
        assert!(ResultName::new("tesSUCCESS").is_success());
        assert!(!known.is_success() && !ResultName::new("tesNEW_IN_2031").is_success());
        // With `str` and with `&str`, both ways round.
        assert!(known == *"tecPATH_DRY" && known != *"tecPATH");
        assert!(known == "tecPATH_DRY" && known != "tecPATH");
        assert_eq!(known.partial_cmp(&other), Some(std::cmp::Ordering::Greater));
        let names = ["tecPATH_DRY", "tecNEW_IN_2031", "tecPATH_DRY"].map(ResultName::new);
        let different: std::collections::HashSet<_> = names.iter().collect();
        assert_eq!(different.len(), 2);
        let hash = |name: &ResultName| {
            let mut hasher = std::hash::DefaultHasher::new();
            std::hash::Hash::hash(name, &mut hasher);
            std::hash::Hasher::finish(&hasher)
        };
        assert_ne!(hash(&known), hash(&other));
    }

    #[test]
    fn sources_have_the_names_that_they_are_written_with() {
        for source in Source::ALL {
            assert_eq!(serde_json::to_value(source).unwrap(), source.name());
        }
    }
}
