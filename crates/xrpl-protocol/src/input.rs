//! A transaction as a person writes it, or copies it from a node's answer or an explorer.
//!
//! Whatever is given is understood or refused, and never changed on the way: names of flags as
//! xrpl.org writes them, `DeliverMax`, X-addresses and what answers wrap around a transaction are
//! understood; a misspelt name, a value that cannot be represented, two members that contradict each
//! other are refused, with the nearest name that is known. [`Object::from_json`] is the plain codec
//! below this.

mod answer;
mod flags;
mod unique;

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

pub use self::unique::UniqueJson;
use crate::{
    AccountId, Definitions, Object,
    account_id::XAddress,
    encode::{EncodeError, MAX_DEPTH},
    fields,
    nearest::hint,
    number::Number,
    object::FieldType,
};

/// Why what was given is no transaction; names the member and, where it can, the way to correct it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Not JSON, or a member twice.
    #[error("the transaction is not valid JSON: {0}")]
    Json(String),
    /// No field of that name, and nothing that a node's answer adds.
    #[error("{path}: no field has this name{hint}")]
    Unknown {
        /// The member's path.
        path: String,
        /// The nearest known name, if one is near.
        hint: String,
    },
    /// A member that is missing, contradicts another or has a wrong value.
    #[error("{path}: {cause}")]
    Member {
        /// The member's path, like `Memos.0.Memo.MemoData`.
        path: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The codec's word.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// An X-address of another network.
    #[error(
        "the X-address {address} is of {its}, but the node's network id is {network_id} ({known}): \
         give the address for this network, or the classic one"
    )]
    Network {
        /// The address.
        address: String,
        /// Which networks it is for.
        its: &'static str,
        /// The node's.
        network_id: u32,
        /// What that id stands for.
        known: &'static str,
    },
}

impl InputError {
    fn member(path: impl Into<String>, cause: impl Into<String>) -> Self {
        Self::Member { path: path.into(), cause: cause.into() }
    }
}

type Result<T> = std::result::Result<T, InputError>;

/// What was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// The transaction.
    pub tx: Object,
    /// Members that are parts of a node's answer and not of the transaction, by name.
    pub ignored: Vec<String>,
    x_addresses: Vec<(String, XAddress)>,
}

impl Given {
    /// Reads JSON text.
    ///
    /// # Errors
    /// [`InputError`].
    ///
    /// ```
    /// use xrpl_protocol::{Definitions, fields, input::Given};
    /// let text = r#"{"TransactionType": "AccountSet", "SetFlag": "asfRequireDest", "ctid": "C1"}"#;
    /// let given = Given::from_text(text, Definitions::builtin()).unwrap();
    /// assert_eq!(given.tx.u32(fields::SET_FLAG), Some(1));
    /// assert_eq!(given.ignored, ["ctid"]);
    /// ```
    pub fn from_text(text: &str, definitions: &Definitions) -> Result<Self> {
        let UniqueJson(json) =
            serde_json::from_str(text).map_err(|error| InputError::Json(error.to_string()))?;
        Self::from_json(&json, definitions)
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn from_json(json: &Json, definitions: &Definitions) -> Result<Self> {
        let mut ignored = BTreeSet::new();
        let members = answer::unwrapped(json, definitions, &mut ignored)?;
        if !members.contains_key("TransactionType") {
            return Err(InputError::member("TransactionType", "is missing"));
        }
        let members = object(members, "", definitions, 0)?;
        let mut x_addresses = Vec::new();
        let members = Json::Object(members);
        collect_x_addresses(&members, &mut x_addresses);
        let tx = Object::from_json(&members, definitions)?;
        Ok(Self { tx, ignored: ignored.into_iter().collect(), x_addresses })
    }

    /// Whether it brings a signature of its own.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.tx.blob(fields::TXN_SIGNATURE).is_some_and(|signature| !signature.is_empty())
            || self.tx.contains(fields::SIGNERS)
    }

    /// Who sends it, if it says so.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        self.tx.account(fields::ACCOUNT)
    }

    /// Whether [`Given::check_network`] has something to check.
    #[must_use]
    pub fn has_x_addresses(&self) -> bool {
        !self.x_addresses.is_empty()
    }

    /// Refuses X-addresses of another network, where the node's id says which one it is: 0 is the
    /// main network (or says that there is no other id), 1 and 2 are public test networks.
    ///
    /// # Errors
    /// [`InputError::Network`].
    pub fn check_network(&self, network_id: Option<u32>) -> Result<()> {
        let (network_id, test, known) = match network_id {
            Some(0) => (0, false, "the main network"),
            Some(id @ (1 | 2)) => (id, true, "a test network"),
            _ => return Ok(()),
        };
        match self.x_addresses.iter().find(|(_, address)| address.test != test) {
            None => Ok(()),
            Some((address, x)) => Err(InputError::Network {
                address: address.clone(),
                its: if x.test { "test networks" } else { "the main network" },
                network_id,
                known,
            }),
        }
    }
}

/// A text of this form with a right checksum is an address, wherever it stands.
fn collect_x_addresses(json: &Json, found: &mut Vec<(String, XAddress)>) {
    match json {
        Json::String(text) => {
            found.extend(XAddress::parse(text).map(|address| (text.clone(), address)));
        }
        Json::Array(list) => list.iter().for_each(|json| collect_x_addresses(json, found)),
        Json::Object(members) => {
            members.values().for_each(|json| collect_x_addresses(json, found));
        }
        _ => {}
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn unknown(path: &str, name: &str, definitions: &Definitions) -> InputError {
    let known = definitions.fields().map(|(name, _)| name).filter(|n| !n.ends_with("EndMarker"));
    InputError::Unknown { path: join(path, name), hint: hint(name, known.chain(["DeliverMax"])) }
}

/// An object's members as the codec reads them: every name known, flags as numbers, `DeliverMax`
/// under its other name; the transactions within a Batch as well.
fn object(
    mut members: Map<String, Json>,
    path: &str,
    definitions: &Definitions,
    depth: usize,
) -> Result<Map<String, Json>> {
    if let Some(kind) = members.get("TransactionType") {
        let kind = transaction_type(kind, path, definitions)?;
        if kind == "Payment" {
            deliver_max(&mut members, path)?;
        }
        flags::to_numbers(&mut members, &kind, path, definitions)?;
    }
    if depth > MAX_DEPTH {
        // The codec says so.
        return Ok(members);
    }
    for (name, value) in &mut members {
        let field = definitions.field(name).filter(|_| !name.ends_with("EndMarker"));
        let field = field.ok_or_else(|| unknown(path, name, definitions))?;
        let path = join(path, name);
        match (field.field_type(), value) {
            (FieldType::Number, Json::String(text)) => {
                Number::exactly(text)
                    .map_err(|error| InputError::member(&path, error.to_string()))?;
            }
            (FieldType::Object, Json::Object(inner)) => {
                *inner = object(std::mem::take(inner), &path, definitions, depth + 1)?;
            }
            (FieldType::Array, Json::Array(elements)) => {
                for (n, element) in elements.iter_mut().enumerate() {
                    let Json::Object(wrapper) = element else { continue };
                    for (kind, inner) in wrapper {
                        let path = format!("{path}.{n}.{kind}");
                        if let Json::Object(inner) = inner {
                            *inner = object(std::mem::take(inner), &path, definitions, depth + 2)?;
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Ok(members)
}

/// The type's name, though it may be given as a number.
fn transaction_type(json: &Json, path: &str, definitions: &Definitions) -> Result<String> {
    let wrong = |cause: String| InputError::member(join(path, "TransactionType"), cause);
    if let Some(name) = json.as_str() {
        return match definitions.transaction_type(name) {
            Some(_) => Ok(name.to_owned()),
            None => {
                let known = definitions.transaction_types().map(|(name, _)| name);
                Err(wrong(format!("unknown transaction type {name:?}{}", hint(name, known))))
            }
        };
    }
    json.as_u64()
        .and_then(|code| u16::try_from(code).ok())
        .and_then(|code| definitions.transaction_type_name(code))
        .map(str::to_owned)
        .ok_or_else(|| wrong(format!("expected a transaction type's name, got {json}")))
}

/// `DeliverMax` is what `Amount` of a Payment is called since api_version 2
/// (<https://xrpl.org/docs/references/protocol/transactions/types/payment>).
fn deliver_max(members: &mut Map<String, Json>, path: &str) -> Result<()> {
    let Some(most) = members.remove("DeliverMax") else { return Ok(()) };
    match members.get("Amount") {
        Some(amount) if *amount != most => Err(InputError::member(
            join(path, "DeliverMax"),
            format!("it is another name of Amount, and they differ: {most} and {amount}"),
        )),
        _ => {
            members.insert("Amount".into(), most);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
