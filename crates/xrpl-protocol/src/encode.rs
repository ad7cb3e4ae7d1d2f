//! JSON and objects to the binary form
//! (<https://xrpl.org/docs/references/protocol/binary-format>).

use serde_json::{Map, Value as Json};

use crate::{
    AccountId, Definitions,
    amount::{Amount, AmountError, Issue},
    fields,
    hash::prefix,
    issued_value::ValueError,
    number::Number,
    object::{Field, FieldType, Object, PathStep, Value, XChainBridge},
};

/// Why a JSON object cannot be written in binary; names the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The definitions have no field of this name.
    #[error(
        "unknown field {0:?} (these definitions do not have it; is it misspelt, or newer than the node?)"
    )]
    UnknownField(String),
    /// A transaction must be a JSON object.
    #[error("expected a JSON object, got {0}")]
    NotAnObject(String),
    /// The value does not fit the field.
    #[error("field {field}: {cause}")]
    Field {
        /// The field's path, like `Memos.0.Memo.MemoData`.
        field: String,
        /// What is wrong with its value.
        cause: String,
    },
}

type Result<T> = std::result::Result<T, EncodeError>;

/// Deepest nesting of objects and arrays, as xrpld's.
pub(crate) const MAX_DEPTH: usize = 10;
/// Longest variable-length field.
pub(crate) const MAX_LENGTH: usize = 918_744;

/// A transaction, ledger entry or metadata in JSON as binary.
///
/// # Errors
/// Names the field that is unknown or whose value does not fit it.
///
/// ```
/// use xrpl_protocol::{Definitions, encode::encode};
/// let json = serde_json::json!({"TransactionType": "Payment", "Fee": "10"});
/// let bytes = encode(&json, Definitions::builtin()).unwrap();
/// assert_eq!(bytes, [0x12, 0, 0, 0x68, 0x40, 0, 0, 0, 0, 0, 0, 10]);
/// ```
pub fn encode(json: &Json, definitions: &Definitions) -> Result<Vec<u8>> {
    Ok(Object::from_json(json, definitions)?.encode())
}

impl Object {
    /// Reads JSON as xrpld writes it. Members that are no fields but stand in a
    /// node's answers (`hash`, `meta`, ...) are passed over, any other unknown member is an error.
    ///
    /// # Errors
    /// Names the field that is unknown or whose value does not fit it.
    pub fn from_json(json: &Json, definitions: &Definitions) -> Result<Self> {
        from_json(json, definitions, 0)
    }

    /// Reads those of an entry's JSON members that the definitions know and whose values fit, and
    /// leaves the others out: for entries of a node whose definitions may be newer than these.
    #[must_use]
    pub fn from_known_members(members: &Map<String, Json>, definitions: &Definitions) -> Self {
        let mut object = Self::new();
        for (name, value) in members {
            let known = definitions.field(name).filter(|_| !definitions.is_not_serialised(name));
            if let Some(field) = known
                && let Ok(value) = read_value(field, value, definitions, 0)
            {
                object.set(field, value);
            }
        }
        object
    }

    /// The binary form, signatures included.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        self.encode_into(&mut out, |_| true);
        out
    }

    /// What a single signer signs.
    #[must_use]
    pub fn encode_for_signing(&self, definitions: &Definitions) -> Vec<u8> {
        let mut out = prefix::TRANSACTION_SIGN.to_vec();
        self.encode_into(&mut out, |field| definitions.is_signed(field));
        out
    }

    /// What one of several signers signs.
    #[must_use]
    pub fn encode_for_multisigning(&self, signer: AccountId, definitions: &Definitions) -> Vec<u8> {
        let mut out = prefix::TRANSACTION_MULTISIGN.to_vec();
        self.encode_into(&mut out, |field| definitions.is_signed(field));
        out.extend_from_slice(&signer.0);
        out
    }

    fn is_unl_modify(&self) -> bool {
        self.u16(fields::TRANSACTION_TYPE) == Some(UNL_MODIFY)
    }

    /// Appends the fields that `wanted` picks at this level; inner levels are whole.
    pub fn encode_into(&self, out: &mut Vec<u8>, wanted: impl Fn(Field) -> bool) {
        for (field, value) in self.iter() {
            if !wanted(field) {
                continue;
            }
            write_field_id(out, field);
            match value {
                // The pseudo-transaction's account is written with no bytes at all.
                Value::Account(_) if field == fields::ACCOUNT && self.is_unl_modify() => {
                    out.push(0)
                }
                value => write_value(out, value),
            }
        }
    }
}

/// Code of the pseudo-transaction UNLModify.
pub(crate) const UNL_MODIFY: u16 = 102;

/// Appends a field's one to three bytes.
pub(crate) fn write_field_id(out: &mut Vec<u8>, field: Field) {
    match (field.type_code(), field.nth()) {
        (t @ 0..16, n @ 0..16) => out.push(t << 4 | n),
        (t @ 0..16, n) => out.extend_from_slice(&[t << 4, n]),
        (t, n @ 0..16) => out.extend_from_slice(&[n, t]),
        (t, n) => out.extend_from_slice(&[0, t, n]),
    }
}

/// Appends the length prefix of a variable-length field.
pub(crate) fn write_length(out: &mut Vec<u8>, length: usize) {
    match length {
        0..=192 => out.push(length as u8),
        193..=12480 => {
            let rest = length - 193;
            out.extend_from_slice(&[193 + (rest >> 8) as u8, rest as u8]);
        }
        _ => {
            let rest = length - 12481;
            out.extend_from_slice(&[241 + (rest >> 16) as u8, (rest >> 8) as u8, rest as u8]);
        }
    }
}

fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::UInt8(n) => out.push(*n),
        Value::UInt16(n) => out.extend_from_slice(&n.to_be_bytes()),
        Value::UInt32(n) => out.extend_from_slice(&n.to_be_bytes()),
        Value::UInt64(n) => out.extend_from_slice(&n.to_be_bytes()),
        Value::Int32(n) => out.extend_from_slice(&n.to_be_bytes()),
        Value::Int64(n) => out.extend_from_slice(&n.to_be_bytes()),
        Value::UInt96(b) => out.extend_from_slice(b),
        Value::Hash128(b) => out.extend_from_slice(b),
        Value::Hash160(b) => out.extend_from_slice(b),
        Value::Hash192(b) => out.extend_from_slice(b),
        Value::Hash256(h) => out.extend_from_slice(&h.0),
        Value::Hash384(b) => out.extend_from_slice(&b[..]),
        Value::Hash512(b) => out.extend_from_slice(&b[..]),
        Value::Amount(amount) => amount.encode(out),
        Value::Blob(bytes) => {
            write_length(out, bytes.len());
            out.extend_from_slice(bytes);
        }
        Value::Account(id) => {
            out.push(20);
            out.extend_from_slice(&id.0);
        }
        Value::Number(n) => {
            out.extend_from_slice(&n.mantissa.to_be_bytes());
            out.extend_from_slice(&n.exponent.to_be_bytes());
        }
        Value::Object(inner) => {
            inner.encode_into(out, |_| true);
            write_field_id(out, Field::OBJECT_END);
        }
        Value::Array(elements) => {
            for (field, inner) in elements {
                write_field_id(out, *field);
                inner.encode_into(out, |_| true);
                write_field_id(out, Field::OBJECT_END);
            }
            write_field_id(out, Field::ARRAY_END);
        }
        Value::PathSet(paths) => write_paths(out, paths),
        Value::Vector256(hashes) => {
            write_length(out, hashes.len() * 32);
            hashes.iter().for_each(|h| out.extend_from_slice(&h.0));
        }
        Value::Issue(issue) => write_issue(out, issue),
        Value::XChainBridge(bridge) => {
            for (door, issue) in [
                (&bridge.locking_door, &bridge.locking_issue),
                (&bridge.issuing_door, &bridge.issuing_issue),
            ] {
                out.push(20);
                out.extend_from_slice(&door.0);
                write_issue(out, issue);
            }
        }
        Value::Currency(currency) => out.extend_from_slice(&currency.0),
    }
}

fn write_issue(out: &mut Vec<u8>, issue: &Issue) {
    match issue {
        Issue::Xrp => out.extend_from_slice(&[0; 20]),
        Issue::Issued { currency, issuer } => {
            out.extend_from_slice(&currency.0);
            out.extend_from_slice(&issuer.0);
        }
        Issue::Mpt(id) => {
            // The Sequence comes last and little-endian here.
            out.extend_from_slice(&id.0[4..]);
            out.extend_from_slice(&AccountId::ONE.0);
            out.extend(id.0[..4].iter().rev());
        }
    }
}

/// Bits of a path step's type byte.
pub(crate) mod step {
    pub(crate) const ACCOUNT: u8 = 0x01;
    pub(crate) const CURRENCY: u8 = 0x10;
    pub(crate) const ISSUER: u8 = 0x20;
    pub(crate) const MPT: u8 = 0x40;
    pub(crate) const NEXT_PATH: u8 = 0xff;
    pub(crate) const END: u8 = 0x00;
}

fn write_paths(out: &mut Vec<u8>, paths: &[Vec<PathStep>]) {
    for (n, path) in paths.iter().enumerate() {
        if n > 0 {
            out.push(step::NEXT_PATH);
        }
        for s in path {
            let bits = [
                (s.account.is_some(), step::ACCOUNT),
                (s.currency.is_some(), step::CURRENCY),
                (s.issuer.is_some(), step::ISSUER),
                (s.mpt.is_some(), step::MPT),
            ];
            out.push(bits.iter().filter(|(is, _)| *is).map(|(_, bit)| bit).sum());
            s.account.iter().for_each(|id| out.extend_from_slice(&id.0));
            s.mpt.iter().for_each(|id| out.extend_from_slice(&id.0));
            s.currency.iter().for_each(|c| out.extend_from_slice(&c.0));
            s.issuer.iter().for_each(|id| out.extend_from_slice(&id.0));
        }
    }
    out.push(step::END);
}

/// What a node's answer shows beside the fields of a transaction or entry.
pub(crate) const ANSWER_MEMBERS: [&str; 6] =
    ["meta", "metaData", "date", "ledger_index", "inLedger", "validated"];

fn from_json(json: &Json, definitions: &Definitions, depth: usize) -> Result<Object> {
    let members = json
        .as_object()
        .ok_or_else(|| EncodeError::NotAnObject(json.to_string().chars().take(80).collect()))?;
    let mut object = Object::new();
    let mut tags = Vec::new();
    for (name, value) in members {
        if definitions.is_not_serialised(name) || ANSWER_MEMBERS.contains(&name.as_str()) {
            continue;
        }
        let field =
            definitions.field(name).ok_or_else(|| EncodeError::UnknownField(name.clone()))?;
        if field == Field::OBJECT_END || field == Field::ARRAY_END {
            return Err(EncodeError::UnknownField(name.clone()));
        }
        let read = match tag_field(field, depth, members, definitions) {
            Some(tag) => read_tagged(value).map(|(id, number)| {
                tags.extend(number.map(|number| (name, tag, number)));
                Value::Account(id)
            }),
            None => read_value(field, value, definitions, depth),
        };
        object.set(field, read.map_err(|error| within(name, error))?);
    }
    // Once every member is read, so that their order does not matter.
    for (name, field, tag) in tags {
        match object.u32(field) {
            Some(other) if other != tag => {
                let cause =
                    format!("the X-address carries the tag {tag}, but the tag field says {other}");
                return Err(within(name, wrong(cause)));
            }
            _ => object.set(field, Value::UInt32(tag)),
        }
    }
    Ok(object)
}

/// Where the tag of an X-address in this field belongs. Only transactions have tag fields, not the
/// objects within them, and not every type with a Destination has one for it.
fn tag_field(
    field: Field,
    depth: usize,
    members: &Map<String, Json>,
    definitions: &Definitions,
) -> Option<Field> {
    let kind = members.get("TransactionType").and_then(Json::as_str);
    let is_transaction = depth == 0 || kind.is_some();
    let has_tag =
        || kind.and_then(|kind| definitions.transaction_has_field(kind, "DestinationTag"));
    match field {
        fields::ACCOUNT if is_transaction => Some(fields::SOURCE_TAG),
        fields::DESTINATION if is_transaction && has_tag() != Some(false) => {
            Some(fields::DESTINATION_TAG)
        }
        _ => None,
    }
}

fn read_tagged(json: &Json) -> Result<(AccountId, Option<u32>)> {
    let text = json.as_str().ok_or_else(|| wrong(format!("expected an address, got {json}")))?;
    match account_of_hex(text) {
        Some(id) => Ok((id, None)),
        None => AccountId::parse_with_tag(text).map_err(|e| wrong(e.to_string())),
    }
}

fn account_of_hex(text: &str) -> Option<AccountId> {
    let mut id = AccountId::ZERO;
    (text.len() == 40 && const_hex::decode_to_slice(text, &mut id.0).is_ok()).then_some(id)
}

fn parse_account(text: &str) -> Result<AccountId> {
    match account_of_hex(text) {
        Some(id) => Ok(id),
        None => AccountId::parse_untagged(text).map_err(|e| wrong(e.to_string())),
    }
}

fn wrong(cause: impl Into<String>) -> EncodeError {
    EncodeError::Field { field: String::new(), cause: cause.into() }
}

fn within(name: &str, error: EncodeError) -> EncodeError {
    match error {
        EncodeError::Field { field, cause } if field.is_empty() => {
            EncodeError::Field { field: name.into(), cause }
        }
        EncodeError::Field { field, cause } => {
            EncodeError::Field { field: format!("{name}.{field}"), cause }
        }
        EncodeError::NotAnObject(got) => EncodeError::Field {
            field: name.into(),
            cause: format!("expected an object, got {got}"),
        },
        unknown @ EncodeError::UnknownField(_) => unknown,
    }
}

impl From<AmountError> for EncodeError {
    fn from(error: AmountError) -> Self {
        wrong(error.to_string())
    }
}

impl From<ValueError> for EncodeError {
    fn from(error: ValueError) -> Self {
        wrong(error.to_string())
    }
}

/// The granular permissions of DelegateSet; others are a transaction type's code plus one
/// (<https://xrpl.org/docs/references/protocol/data-types/permission-values>).
pub(crate) const GRANULAR_PERMISSIONS: [(&str, u32); 12] = [
    ("TrustlineAuthorize", 65537),
    ("TrustlineFreeze", 65538),
    ("TrustlineUnfreeze", 65539),
    ("AccountDomainSet", 65540),
    ("AccountEmailHashSet", 65541),
    ("AccountMessageKeySet", 65542),
    ("AccountTransferRateSet", 65543),
    ("AccountTickSizeSet", 65544),
    ("PaymentMint", 65545),
    ("PaymentBurn", 65546),
    ("MPTokenIssuanceLock", 65547),
    ("MPTokenIssuanceUnlock", 65548),
];

/// 64-bit fields that JSON shows in decimal; all others are hexadecimal.
pub(crate) fn is_decimal_u64(name: &str) -> bool {
    const DECIMAL: [&str; 6] = [
        "MaximumAmount",
        "OutstandingAmount",
        "MPTAmount",
        "LockedAmount",
        "ConfidentialOutstandingAmount",
        "ConfidentialBalance",
    ];
    DECIMAL.contains(&name)
}

fn read_value(field: Field, json: &Json, definitions: &Definitions, depth: usize) -> Result<Value> {
    let text = || json.as_str().ok_or_else(|| wrong(format!("expected a string, got {json}")));
    Ok(match field.field_type() {
        FieldType::UInt8 => Value::UInt8(match (field, json.as_str()) {
            (fields::TRANSACTION_RESULT, Some(name)) => definitions
                .result(name)
                .and_then(|code| u8::try_from(code).ok())
                .ok_or_else(|| wrong(format!("{name:?} is no result of an applied transaction")))?,
            _ => whole(json)?,
        }),
        FieldType::UInt16 => Value::UInt16(match (field, json.as_str()) {
            (fields::TRANSACTION_TYPE, Some(name)) => definitions
                .transaction_type(name)
                .ok_or_else(|| wrong(format!("unknown transaction type {name:?}")))?,
            (fields::LEDGER_ENTRY_TYPE, Some(name)) => definitions
                .ledger_entry_type(name)
                .ok_or_else(|| wrong(format!("unknown ledger entry type {name:?}")))?,
            _ => whole(json)?,
        }),
        FieldType::UInt32 => Value::UInt32(match (field, json.as_str()) {
            (fields::PERMISSION_VALUE, Some(name)) => permission(name, definitions)?,
            _ => whole(json)?,
        }),
        FieldType::UInt64 => Value::UInt64(read_u64(field, json, definitions)?),
        FieldType::Int32 => Value::Int32(whole(json)?),
        FieldType::Int64 => Value::Int64(whole(json)?),
        FieldType::UInt96 => Value::UInt96(bytes(text()?)?),
        FieldType::Hash128 => Value::Hash128(match text()? {
            "" => [0; 16],
            hex => bytes(hex)?,
        }),
        FieldType::Hash160 => Value::Hash160(bytes(text()?)?),
        FieldType::Hash192 => Value::Hash192(bytes(text()?)?),
        FieldType::Hash256 => Value::Hash256(crate::Hash256(bytes(text()?)?)),
        FieldType::Hash384 => Value::Hash384(Box::new(bytes(text()?)?)),
        FieldType::Hash512 => Value::Hash512(Box::new(bytes(text()?)?)),
        FieldType::Amount => Value::Amount(Amount::from_json(json)?),
        FieldType::Blob => {
            let blob = const_hex::decode(text()?.as_bytes())
                .ok()
                .filter(|_| !json.as_str().is_some_and(|s| s.starts_with("0x")))
                .ok_or_else(|| {
                    wrong(format!("expected hexadecimal digits, got {}", short(json)))
                })?;
            if blob.len() > MAX_LENGTH {
                return Err(wrong(format!("{} bytes are too long", blob.len())));
            }
            Value::Blob(blob)
        }
        FieldType::AccountId => Value::Account(parse_account(text()?)?),
        FieldType::Number => Value::Number(match json {
            Json::Number(n) if n.is_i64() || n.is_u64() => n.to_string().parse::<Number>()?,
            Json::Number(n) => {
                return Err(wrong(format!(
                    "write {n} in quotes: JSON numbers with a fraction or exponent lose digits"
                )));
            }
            _ => text()?.parse::<Number>()?,
        }),
        FieldType::Object => {
            deeper(depth)?;
            Value::Object(from_json(json, definitions, depth + 1)?)
        }
        FieldType::Array => {
            deeper(depth)?;
            Value::Array(read_array(json, definitions, depth + 1)?)
        }
        FieldType::PathSet => Value::PathSet(read_paths(json)?),
        FieldType::Vector256 => {
            let list =
                json.as_array().ok_or_else(|| wrong(format!("expected an array, got {json}")))?;
            let hashes: Result<Vec<_>> = list
                .iter()
                .map(|h| {
                    let h = h.as_str().ok_or_else(|| wrong(format!("expected a hash, got {h}")))?;
                    Ok(crate::Hash256(bytes(h)?))
                })
                .collect();
            Value::Vector256(hashes?)
        }
        FieldType::Issue => Value::Issue(Issue::from_json(json)?),
        FieldType::XChainBridge => Value::XChainBridge(Box::new(read_bridge(json)?)),
        FieldType::Currency => Value::Currency(text()?.parse()?),
        FieldType::Unknown => return Err(wrong("a field of an unknown type")),
    })
}

fn short(json: &Json) -> String {
    json.to_string().chars().take(80).collect()
}

fn deeper(depth: usize) -> Result<()> {
    if depth < MAX_DEPTH { Ok(()) } else { Err(wrong("nested too deeply")) }
}

fn whole<T: TryFrom<i128>>(json: &Json) -> Result<T> {
    let number = match json {
        Json::Number(n) => n.as_i64().map(i128::from).or_else(|| n.as_u64().map(i128::from)),
        Json::String(s) if s.len() < 30 && !s.starts_with('+') => s.parse().ok(),
        _ => None,
    };
    number
        .and_then(|n| T::try_from(n).ok())
        .ok_or_else(|| wrong(format!("expected a whole number that fits, got {}", short(json))))
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N]> {
    let mut out = [0; N];
    if text.len() == N * 2 && const_hex::decode_to_slice(text, &mut out).is_ok() {
        return Ok(out);
    }
    Err(wrong(format!(
        "expected {} hexadecimal digits, got {:?}",
        N * 2,
        text.chars().take(140).collect::<String>()
    )))
}

fn read_u64(field: Field, json: &Json, definitions: &Definitions) -> Result<u64> {
    let Some(text) = json.as_str() else { return whole(json) };
    if definitions.name(field).is_some_and(is_decimal_u64) {
        return whole(json);
    }
    let valid = (1..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    valid
        .then(|| u64::from_str_radix(text, 16).ok())
        .flatten()
        .ok_or_else(|| wrong(format!("expected up to 16 hexadecimal digits, got {}", short(json))))
}

fn permission(name: &str, definitions: &Definitions) -> Result<u32> {
    let granular = GRANULAR_PERMISSIONS.iter().find(|(n, _)| *n == name).map(|(_, code)| *code);
    granular
        .or_else(|| definitions.transaction_type(name).map(|code| u32::from(code) + 1))
        .or_else(|| name.parse().ok())
        .ok_or_else(|| wrong(format!("unknown permission {name:?}")))
}

fn read_array(
    json: &Json,
    definitions: &Definitions,
    depth: usize,
) -> Result<Vec<(Field, Object)>> {
    let list =
        json.as_array().ok_or_else(|| wrong(format!("expected an array, got {}", short(json))))?;
    list.iter()
        .enumerate()
        .map(|(n, element)| {
            let wrapped =
                element.as_object().filter(|o| o.len() == 1).and_then(|o| o.iter().next());
            let (name, inner) = wrapped
                .ok_or_else(|| {
                    wrong("each element is an object with one member, the element's kind")
                })
                .map_err(|e| within(&n.to_string(), e))?;
            let field = definitions
                .field(name)
                .filter(|f| f.field_type() == FieldType::Object && *f != Field::OBJECT_END)
                .ok_or_else(|| EncodeError::UnknownField(name.clone()))?;
            deeper(depth)?;
            let inner = from_json(inner, definitions, depth + 1)
                .map_err(|e| within(&n.to_string(), within(name, e)))?;
            Ok((field, inner))
        })
        .collect()
}

fn read_paths(json: &Json) -> Result<Vec<Vec<PathStep>>> {
    let shape = || wrong(format!("expected an array of paths, got {}", short(json)));
    let paths = json.as_array().ok_or_else(shape)?;
    if paths.is_empty() {
        return Err(wrong("an empty path set cannot be serialised; leave the field out"));
    }
    paths
        .iter()
        .map(|path| {
            let steps = path.as_array().filter(|p| !p.is_empty()).ok_or_else(shape)?;
            steps.iter().map(read_step).collect()
        })
        .collect()
}

fn read_step(json: &Json) -> Result<PathStep> {
    let text = |key: &str| {
        json.get(key)
            .map(|v| v.as_str().ok_or_else(|| wrong(format!("{key} of a path step is no string"))))
            .transpose()
    };
    let account =
        |key: &str| -> Result<Option<AccountId>> { text(key)?.map(parse_account).transpose() };
    let step = PathStep {
        account: account("account")?,
        currency: text("currency")?.map(str::parse).transpose()?,
        issuer: account("issuer")?,
        mpt: text("mpt_issuance_id")?.map(str::parse).transpose()?,
    };
    let none = step.account.is_none()
        && step.currency.is_none()
        && step.issuer.is_none()
        && step.mpt.is_none();
    if none || step.mpt.is_some() && step.currency.is_some() {
        return Err(wrong(format!(
            "a path step has account, currency or issuer, or mpt_issuance_id; got {}",
            short(json)
        )));
    }
    Ok(step)
}

fn read_bridge(json: &Json) -> Result<XChainBridge> {
    let member = |key: &str| {
        json.get(key).ok_or_else(|| wrong(format!("a bridge needs {key}; got {}", short(json))))
    };
    let door = |key: &str| {
        let value = member(key)?;
        let text = value.as_str().ok_or_else(|| wrong(format!("{key} is no address")))?;
        parse_account(text)
    };
    Ok(XChainBridge {
        locking_door: door("LockingChainDoor")?,
        locking_issue: Issue::from_json(member("LockingChainIssue")?)?,
        issuing_door: door("IssuingChainDoor")?,
        issuing_issue: Issue::from_json(member("IssuingChainIssue")?)?,
    })
}
