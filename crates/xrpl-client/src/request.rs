//! The methods, typed
//! (<https://xrpl.org/docs/references/http-websocket-apis/public-api-methods>).

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value as Json};
use xrpl_protocol::{AccountId, LedgerIndex, TxHash};

use crate::{response, whole_ledger};

/// A method with its parameters.
pub trait Request: Serialize + Send + Sync {
    /// The answer's `result`.
    type Response: DeserializeOwned;
    /// The method's name.
    fn method(&self) -> &str;
}

macro_rules! requests {
    ($($(#[$doc:meta])* $name:ident: $method:literal -> $response:ty { $($(#[$field_doc:meta])* $field:ident: $ty:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Default, Serialize)]
            pub struct $name {
                $($(#[$field_doc])* #[serde(skip_serializing_if = "crate::request::is_unset")] pub $field: $ty,)*
            }
            impl Request for $name {
                type Response = $response;
                fn method(&self) -> &str { $method }
            }
        )*
    };
}

/// Values that are left out of a request.
trait Unset {
    fn unset(&self) -> bool;
}
impl<T> Unset for Option<T> {
    fn unset(&self) -> bool {
        self.is_none()
    }
}
impl Unset for bool {
    fn unset(&self) -> bool {
        !self
    }
}
impl<T> Unset for Vec<T> {
    fn unset(&self) -> bool {
        self.is_empty()
    }
}
fn is_unset<T: Unset>(value: &T) -> bool {
    value.unset()
}

/// Which ledger to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerSpec {
    /// One by its index.
    Index(LedgerIndex),
    /// The last validated one.
    Validated,
    /// The open one.
    Current,
}

impl Serialize for LedgerSpec {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Index(index) => s.serialize_u32(index.0),
            Self::Validated => s.serialize_str("validated"),
            Self::Current => s.serialize_str("current"),
        }
    }
}

requests! {
    /// Looks a transaction up. With a range, an answer "not found" says whether every ledger of it
    /// was searched.
    Tx: "tx" -> response::Tx {
        /// The hash.
        transaction: Option<TxHash>,
        /// First ledger of the range.
        min_ledger: Option<LedgerIndex>,
        /// Last ledger of the range; at most 1000 after the first.
        max_ledger: Option<LedgerIndex>,
        /// 2, so that the answer names the ledger's hash; 1 if none.
        api_version: Option<u32>,
    }
    /// A ledger's header.
    Ledger: "ledger" -> response::Ledger {
        /// Which one.
        ledger_index: Option<LedgerSpec>,
    }
    /// A ledger in binary, so that its hashes can be computed from the answer; see
    /// [`BinaryLedger::with_transactions`].
    BinaryLedger: "ledger" -> whole_ledger::BinaryLedger {
        /// Which one.
        ledger_index: Option<LedgerSpec>,
        /// With transactions.
        transactions: bool,
        /// With their blobs and metadata.
        expand: bool,
        /// In binary.
        binary: bool,
    }
    /// An account's root.
    AccountInfo: "account_info" -> response::AccountInfo {
        /// Which account.
        account: Option<AccountId>,
        /// In which ledger.
        ledger_index: Option<LedgerSpec>,
        /// With what the account has in the transaction queue (open ledger only).
        queue: bool,
    }
    /// An account's trust lines, page by page.
    AccountLines: "account_lines" -> response::AccountLines {
        /// Which account.
        account: Option<AccountId>,
        /// In which ledger.
        ledger_index: Option<LedgerSpec>,
        /// How many at most.
        limit: Option<u32>,
        /// Where the last page ended.
        marker: Option<Json>,
    }
    /// What an account owns, page by page.
    AccountObjects: "account_objects" -> response::AccountObjects {
        /// Which account.
        account: Option<AccountId>,
        /// In which ledger.
        ledger_index: Option<LedgerSpec>,
        /// Only of this type, such as `ticket`.
        #[serde(rename = "type")]
        kind: Option<String>,
        /// How many at most.
        limit: Option<u32>,
        /// Where the last page ended.
        marker: Option<Json>,
    }
    /// Fees and the transaction queue.
    Fee: "fee" -> response::Fee {}
    /// The node's state, for machines.
    ServerState: "server_state" -> response::ServerState {}
    /// The node's state, for people.
    ServerInfo: "server_info" -> Json {}
    /// The node's fields, types and results.
    ServerDefinitions: "server_definitions" -> Json {}
    /// Closes the ledger of a standalone node (admin).
    LedgerAccept: "ledger_accept" -> response::LedgerAccept {}
    /// Streams over a WebSocket.
    Subscribe: "subscribe" -> Json {
        /// `ledger`, `transactions`, `server`, ...
        streams: Vec<String>,
        /// Accounts whose transactions are wanted.
        accounts: Vec<AccountId>,
    }
}

impl BinaryLedger {
    /// Asks for a ledger with all its transactions.
    #[must_use]
    pub fn with_transactions(index: LedgerIndex) -> Self {
        let ledger_index = Some(LedgerSpec::Index(index));
        Self { ledger_index, transactions: true, expand: true, binary: true }
    }
}

/// Any method, with its parameters as they are.
#[derive(Clone, Debug)]
pub struct Raw {
    /// The method's name.
    pub method: String,
    /// Its parameters.
    pub params: Map<String, Json>,
}

impl Serialize for Raw {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.params.serialize(s)
    }
}

impl Request for Raw {
    type Response = Json;
    fn method(&self) -> &str {
        &self.method
    }
}
