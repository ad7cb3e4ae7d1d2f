//! Metadata of validated transactions: which ledger entries they made, changed and removed
//! (<https://xrpl.org/docs/references/protocol/transactions/metadata>).

use serde::Deserialize;
use serde_json::{Map, Value as Json};
use xrpl_protocol::{AccountId, LedgerIndex};

/// When a transaction was applied: its ledger, and its place there. What is known of later is not
/// changed by what is reported of earlier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u32, u32);

impl Moment {
    /// The end of a ledger.
    #[must_use]
    pub fn end_of(ledger: LedgerIndex) -> Self {
        Self(ledger.0, u32::MAX)
    }

    /// Its ledger.
    #[must_use]
    pub fn ledger(self) -> LedgerIndex {
        LedgerIndex(self.0)
    }
}

/// What happened to a ledger entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Created,
    /// Its fields changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// A ledger entry in metadata.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// Its type.
    pub entry_type: &'a str,
    /// What happened to it.
    pub change: Change,
    /// `NewFields` or `FinalFields`.
    pub fields: &'a Map<String, Json>,
    /// `PreviousFields`: what its changed fields were.
    pub previous: Option<&'a Map<String, Json>>,
    /// Its id, in hexadecimal.
    pub id: &'a str,
}

impl Node<'_> {
    /// An address among its fields.
    #[must_use]
    pub fn account(&self, field: &str) -> Option<AccountId> {
        self.fields.get(field)?.as_str()?.parse().ok()
    }
}

/// Metadata of a validated transaction
/// (<https://xrpl.org/docs/references/protocol/transactions/metadata>), read leniently.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Metadata {
    #[serde(rename = "AffectedNodes", default)]
    affected: Vec<Affected>,
    #[serde(rename = "TransactionIndex", default)]
    index: Option<u32>,
}

#[derive(Clone, Debug, Deserialize)]
enum Affected {
    #[serde(rename = "CreatedNode")]
    Created(RawNode),
    #[serde(rename = "ModifiedNode")]
    Modified(RawNode),
    #[serde(rename = "DeletedNode")]
    Deleted(RawNode),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RawNode {
    ledger_entry_type: String,
    ledger_index: String,
    new_fields: Option<Map<String, Json>>,
    final_fields: Option<Map<String, Json>>,
    previous_fields: Option<Map<String, Json>>,
}

impl Metadata {
    /// Reads it.
    ///
    /// # Errors
    /// When it is no metadata.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// When it happened, if it is of this ledger.
    #[must_use]
    pub fn moment(&self, ledger: LedgerIndex) -> Moment {
        Moment(ledger.0, self.index.unwrap_or(0))
    }

    /// Whether it says which of its ledger's transactions it is of.
    #[must_use]
    pub fn has_place(&self) -> bool {
        self.index.is_some()
    }

    /// The entries of a type.
    pub fn nodes<'a>(&'a self, entry_type: &'a str) -> impl Iterator<Item = Node<'a>> {
        self.all().filter(move |node| node.entry_type == entry_type)
    }

    /// All entries that say what is in them.
    pub fn all(&self) -> impl Iterator<Item = Node<'_>> {
        self.affected.iter().filter_map(|affected| {
            let (change, node) = match affected {
                Affected::Created(node) => (Change::Created, node),
                Affected::Modified(node) => (Change::Modified, node),
                Affected::Deleted(node) => (Change::Deleted, node),
            };
            let fields = match change {
                Change::Created => &node.new_fields,
                _ => &node.final_fields,
            };
            Some(Node {
                entry_type: &node.ledger_entry_type,
                change,
                fields: fields.as_ref()?,
                previous: node.previous_fields.as_ref(),
                id: &node.ledger_index,
            })
        })
    }
}
