//! Fields, values and objects: transactions, ledger entries and metadata alike.
//!
//! An [`Object`] keeps its fields in canonical order, the order of the binary form
//! (<https://xrpl.org/docs/references/protocol/binary-format#canonical-field-order>).

use crate::{
    account_id::AccountId,
    amount::{Amount, Currency, Issue, MptId},
    hash::Hash256,
    number::Number,
};

/// The binary types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum FieldType {
    UInt16,
    UInt32,
    UInt64,
    Hash128,
    Hash256,
    Amount,
    Blob,
    AccountId,
    Number,
    Int32,
    Int64,
    Object,
    Array,
    UInt8,
    Hash160,
    PathSet,
    Vector256,
    UInt96,
    Hash192,
    Hash384,
    Hash512,
    Issue,
    XChainBridge,
    Currency,
    /// A type this codec does not know.
    Unknown,
}

/// A field: its type's code and its number within the type. Ordered canonically.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field {
    type_code: u8,
    nth: u8,
}

impl Field {
    /// The end of an object.
    pub(crate) const OBJECT_END: Self = Self::new(14, 1);
    /// The end of an array.
    pub(crate) const ARRAY_END: Self = Self::new(15, 1);

    /// The `nth` field of a type.
    #[must_use]
    pub const fn new(type_code: u8, nth: u8) -> Self {
        Self { type_code, nth }
    }

    /// Code of its type.
    #[must_use]
    pub const fn type_code(self) -> u8 {
        self.type_code
    }

    /// Number within its type.
    #[must_use]
    pub const fn nth(self) -> u8 {
        self.nth
    }

    /// Its type.
    #[must_use]
    pub const fn field_type(self) -> FieldType {
        match self.type_code {
            1 => FieldType::UInt16,
            2 => FieldType::UInt32,
            3 => FieldType::UInt64,
            4 => FieldType::Hash128,
            5 => FieldType::Hash256,
            6 => FieldType::Amount,
            7 => FieldType::Blob,
            8 => FieldType::AccountId,
            9 => FieldType::Number,
            10 => FieldType::Int32,
            11 => FieldType::Int64,
            14 => FieldType::Object,
            15 => FieldType::Array,
            16 => FieldType::UInt8,
            17 => FieldType::Hash160,
            18 => FieldType::PathSet,
            19 => FieldType::Vector256,
            20 => FieldType::UInt96,
            21 => FieldType::Hash192,
            22 => FieldType::Hash384,
            23 => FieldType::Hash512,
            24 => FieldType::Issue,
            25 => FieldType::XChainBridge,
            26 => FieldType::Currency,
            _ => FieldType::Unknown,
        }
    }
}

/// One step of a payment path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PathStep {
    /// Through this account.
    pub account: Option<AccountId>,
    /// Into this currency.
    pub currency: Option<Currency>,
    /// Into this issuer's currency.
    pub issuer: Option<AccountId>,
    /// Into this MPT.
    pub mpt: Option<MptId>,
}

/// The two ends of a cross-chain bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct XChainBridge {
    /// Door account of the locking chain.
    pub locking_door: AccountId,
    /// What is locked.
    pub locking_issue: Issue,
    /// Door account of the issuing chain.
    pub issuing_door: AccountId,
    /// What is issued.
    pub issuing_issue: Issue,
}

/// A field's value. Integers are big-endian on the wire.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Value {
    UInt8(u8),
    UInt16(u16),
    UInt32(u32),
    UInt64(u64),
    Int32(i32),
    Int64(i64),
    UInt96([u8; 12]),
    Hash128([u8; 16]),
    Hash160([u8; 20]),
    Hash192([u8; 24]),
    Hash256(Hash256),
    Hash384(Box<[u8; 48]>),
    Hash512(Box<[u8; 64]>),
    Amount(Amount),
    Blob(Vec<u8>),
    Account(AccountId),
    Number(Number),
    Object(Object),
    /// Each element is an object under a field of its own.
    Array(Vec<(Field, Object)>),
    PathSet(Vec<Vec<PathStep>>),
    Vector256(Vec<Hash256>),
    Issue(Issue),
    XChainBridge(Box<XChainBridge>),
    Currency(Currency),
}

/// Fields with their values, in canonical order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object {
    fields: Vec<(Field, Value)>,
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident: $variant:ident -> $ty:ty;)*) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $name(&self, field: Field) -> Option<$ty> {
            match self.get(field) {
                Some(Value::$variant(v)) => Some(*v),
                _ => None,
            }
        })*
    };
}

impl Object {
    /// An object without fields.
    #[must_use]
    pub const fn new() -> Self {
        Self { fields: Vec::new() }
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<&Value> {
        self.position(field).ok().map(|at| &self.fields[at].1)
    }

    /// The value of a field, to change it in place. Its type must stay the field's.
    pub fn get_mut(&mut self, field: Field) -> Option<&mut Value> {
        self.position(field).ok().map(|at| &mut self.fields[at].1)
    }

    /// Whether the field is there.
    #[must_use]
    pub fn contains(&self, field: Field) -> bool {
        self.position(field).is_ok()
    }

    /// Sets a field.
    pub fn set(&mut self, field: Field, value: Value) {
        match self.position(field) {
            Ok(at) => self.fields[at].1 = value,
            Err(at) => self.fields.insert(at, (field, value)),
        }
    }

    /// Takes a field out.
    pub fn remove(&mut self, field: Field) -> Option<Value> {
        self.position(field).ok().map(|at| self.fields.remove(at).1)
    }

    /// The same with the field set.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<Value>) -> Self {
        self.set(field, value.into());
        self
    }

    /// Fields in canonical order.
    pub fn iter(&self) -> impl Iterator<Item = (Field, &Value)> {
        self.fields.iter().map(|(field, value)| (*field, value))
    }

    /// How many fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Appends a field that comes after all others; false (and no change) if it does not.
    pub(crate) fn push_in_order(&mut self, field: Field, value: Value) -> bool {
        let in_order = self.fields.last().is_none_or(|(last, _)| *last < field);
        if in_order {
            self.fields.push((field, value));
        }
        in_order
    }

    fn position(&self, field: Field) -> Result<usize, usize> {
        self.fields.binary_search_by_key(&field, |(f, _)| *f)
    }

    getters! {
        /// An 8-bit number.
        u8: UInt8 -> u8;
        /// A 16-bit number.
        u16: UInt16 -> u16;
        /// A 32-bit number.
        u32: UInt32 -> u32;
        /// A 64-bit number.
        u64: UInt64 -> u64;
        /// An account.
        account: Account -> AccountId;
        /// An amount.
        amount: Amount -> Amount;
        /// A 256-bit hash.
        hash256: Hash256 -> Hash256;
        /// A currency.
        currency: Currency -> Currency;
        /// An asset.
        issue: Issue -> Issue;
    }

    /// Bytes of any length.
    #[must_use]
    pub fn blob(&self, field: Field) -> Option<&[u8]> {
        match self.get(field) {
            Some(Value::Blob(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// An array.
    #[must_use]
    pub fn array(&self, field: Field) -> Option<&[(Field, Self)]> {
        match self.get(field) {
            Some(Value::Array(elements)) => Some(elements),
            _ => None,
        }
    }

    /// An inner object.
    #[must_use]
    pub fn object(&self, field: Field) -> Option<&Self> {
        match self.get(field) {
            Some(Value::Object(inner)) => Some(inner),
            _ => None,
        }
    }

    /// A list of hashes.
    #[must_use]
    pub fn vector256(&self, field: Field) -> Option<&[Hash256]> {
        match self.get(field) {
            Some(Value::Vector256(hashes)) => Some(hashes),
            _ => None,
        }
    }
}

macro_rules! from_impl {
    ($($from:ty => $variant:ident;)*) => {
        $(impl From<$from> for Value {
            fn from(v: $from) -> Self { Self::$variant(v) }
        })*
    };
}

from_impl! {
    u8 => UInt8;
    u16 => UInt16;
    u32 => UInt32;
    u64 => UInt64;
    Hash256 => Hash256;
    Amount => Amount;
    Vec<u8> => Blob;
    AccountId => Account;
    Object => Object;
    Currency => Currency;
    Issue => Issue;
    Vec<Hash256> => Vector256;
}
