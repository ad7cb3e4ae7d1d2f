//! The binary form to objects and JSON
//! (<https://xrpl.org/docs/references/protocol/binary-format>).

use serde_json::{Map, Value as Json, json};

use crate::{
    AccountId, Definitions, Hash256,
    amount::{Amount, Currency, Issue, MptId},
    encode::{GRANULAR_PERMISSIONS, MAX_DEPTH, UNL_MODIFY, is_decimal_u64, step},
    fields,
    issued_value::IssuedValue,
    number::Number,
    object::{Field, FieldType, Object, PathStep, Value, XChainBridge},
};

/// Why bytes are no serialised object; `at` is the offset of the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at byte {at}: {cause}")]
pub struct DecodeError {
    /// Offset in the input.
    pub at: usize,
    /// What is wrong there.
    pub cause: String,
}

type Result<T> = std::result::Result<T, DecodeError>;

/// Binary as JSON in xrpld's form.
///
/// # Errors
/// Says at which byte what is wrong.
pub fn decode(bytes: &[u8], definitions: &Definitions) -> Result<Json> {
    Ok(Object::decode(bytes, definitions)?.to_json(definitions))
}

impl Object {
    /// Reads the binary form. Fields must be known, in canonical order and without repetition.
    ///
    /// # Errors
    /// Says at which byte what is wrong.
    pub fn decode(bytes: &[u8], definitions: &Definitions) -> Result<Self> {
        Self::read(bytes, Some(definitions))
    }

    /// As [`Self::decode`], with fields that nobody here has a name for too: how the value of a field is
    /// written follows from its type alone. It is for what another program has judged already.
    ///
    /// # Errors
    /// As [`Self::decode`]; also a field of a serialised type that is unknown here.
    pub fn decode_any(bytes: &[u8]) -> Result<Self> {
        Self::read(bytes, None)
    }

    fn read(bytes: &[u8], definitions: Option<&Definitions>) -> Result<Self> {
        let mut reader = Reader { bytes, at: 0, definitions };
        let object = reader.object(0, true)?;
        match reader.at == bytes.len() {
            true => Ok(object),
            false => Err(reader.wrong("bytes left over")),
        }
    }

    /// JSON as xrpld writes it.
    #[must_use]
    pub fn to_json(&self, definitions: &Definitions) -> Json {
        let mut members = Map::new();
        for (field, value) in self.iter() {
            let name = match definitions.name(field) {
                Some(name) => name.to_owned(),
                None => format!("Field{}:{}", field.type_code(), field.nth()),
            };
            let value = value_to_json(field, &name, value, definitions);
            members.insert(name, value);
        }
        Json::Object(members)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Which fields there are; none where any may be.
    definitions: Option<&'a Definitions>,
}

impl<'a> Reader<'a> {
    fn wrong(&self, cause: impl Into<String>) -> DecodeError {
        DecodeError { at: self.at, cause: cause.into() }
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(n).filter(|end| *end <= self.bytes.len());
        let Some(end) = end else {
            return Err(self.wrong(format!("{n} more bytes expected, the input ends")));
        };
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn field(&mut self) -> Result<Field> {
        let start = self.at;
        let tag = self.byte()?;
        let (mut type_code, mut nth) = (tag >> 4, tag & 15);
        // A number below 16 has its place in the first byte, and must be there.
        if type_code == 0 {
            type_code = self.byte()?;
            if type_code < 16 {
                self.at = start;
                return Err(self.wrong(format!("uncommon type out of range {type_code}")));
            }
        }
        if nth == 0 {
            nth = self.byte()?;
            if nth < 16 {
                self.at = start;
                return Err(self.wrong(format!("uncommon name out of range {nth}")));
            }
        }
        let field = Field::new(type_code, nth);
        if self.definitions.is_some_and(|definitions| definitions.name(field).is_none()) {
            self.at = start;
            return Err(self.wrong(format!("unknown field (type {type_code}, number {nth})")));
        }
        Ok(field)
    }

    fn length(&mut self) -> Result<usize> {
        let first = usize::from(self.byte()?);
        Ok(match first {
            0..=192 => first,
            193..=240 => 193 + (first - 193) * 256 + usize::from(self.byte()?),
            241..=254 => {
                let rest: [u8; 2] = self.array()?;
                12481 + (first - 241) * 65536 + usize::from(u16::from_be_bytes(rest))
            }
            _ => return Err(self.wrong("255 starts no length")),
        })
    }

    fn object(&mut self, depth: usize, outermost: bool) -> Result<Object> {
        let mut object = Object::new();
        loop {
            if outermost && self.at == self.bytes.len() {
                return Ok(object);
            }
            let start = self.at;
            let field = self.field()?;
            if field == Field::OBJECT_END && !outermost {
                return Ok(object);
            }
            if field == Field::OBJECT_END || field == Field::ARRAY_END {
                self.at = start;
                return Err(self.wrong("an end marker with nothing to end"));
            }
            let value = if object.u16(fields::TRANSACTION_TYPE) == Some(UNL_MODIFY)
                && field == fields::ACCOUNT
            {
                match self.byte()? {
                    0 => Value::Account(AccountId::ZERO),
                    n => {
                        return Err(
                            self.wrong(format!("UNLModify has an empty account, not {n} bytes"))
                        );
                    }
                }
            } else {
                self.value(field, depth)?
            };
            if !object.push_in_order(field, value) {
                self.at = start;
                return Err(self.wrong(format!("{field:?} is out of canonical order or repeated")));
            }
        }
    }

    fn value(&mut self, field: Field, depth: usize) -> Result<Value> {
        Ok(match field.field_type() {
            FieldType::UInt8 => Value::UInt8(self.byte()?),
            FieldType::UInt16 => Value::UInt16(u16::from_be_bytes(self.array()?)),
            FieldType::UInt32 => Value::UInt32(u32::from_be_bytes(self.array()?)),
            FieldType::UInt64 => Value::UInt64(u64::from_be_bytes(self.array()?)),
            FieldType::Int32 => Value::Int32(i32::from_be_bytes(self.array()?)),
            FieldType::Int64 => Value::Int64(i64::from_be_bytes(self.array()?)),
            FieldType::UInt96 => Value::UInt96(self.array()?),
            FieldType::Hash128 => Value::Hash128(self.array()?),
            FieldType::Hash160 => Value::Hash160(self.array()?),
            FieldType::Hash192 => Value::Hash192(self.array()?),
            FieldType::Hash256 => Value::Hash256(Hash256(self.array()?)),
            FieldType::Hash384 => Value::Hash384(Box::new(self.array()?)),
            FieldType::Hash512 => Value::Hash512(Box::new(self.array()?)),
            FieldType::Amount => Value::Amount(self.amount()?),
            FieldType::Blob => {
                let length = self.length()?;
                Value::Blob(self.take(length)?.to_vec())
            }
            FieldType::AccountId => Value::Account(self.account()?),
            FieldType::Number => Value::Number(Number {
                mantissa: i64::from_be_bytes(self.array()?),
                exponent: i32::from_be_bytes(self.array()?),
            }),
            FieldType::Object => {
                self.deeper(depth)?;
                Value::Object(self.object(depth + 1, false)?)
            }
            FieldType::Array => {
                self.deeper(depth)?;
                Value::Array(self.elements(depth + 1)?)
            }
            FieldType::PathSet => Value::PathSet(self.paths()?),
            FieldType::Vector256 => {
                let length = self.length()?;
                if length % 32 != 0 {
                    return Err(self.wrong(format!("{length} bytes are no list of hashes")));
                }
                let bytes = self.take(length)?;
                let hash = |chunk: &[u8]| {
                    let mut h = Hash256::ZERO;
                    h.0.copy_from_slice(chunk);
                    h
                };
                Value::Vector256(bytes.chunks_exact(32).map(hash).collect())
            }
            FieldType::Issue => Value::Issue(self.issue()?),
            FieldType::XChainBridge => Value::XChainBridge(Box::new(XChainBridge {
                locking_door: self.account()?,
                locking_issue: self.issue()?,
                issuing_door: self.account()?,
                issuing_issue: self.issue()?,
            })),
            FieldType::Currency => Value::Currency(Currency(self.array()?)),
            FieldType::Unknown => return Err(self.wrong("a field of an unknown type")),
        })
    }

    fn deeper(&self, depth: usize) -> Result<()> {
        if depth < MAX_DEPTH { Ok(()) } else { Err(self.wrong("nested too deeply")) }
    }

    fn account(&mut self) -> Result<AccountId> {
        match self.length()? {
            20 => Ok(AccountId(self.array()?)),
            n => Err(self.wrong(format!("an account has 20 bytes, not {n}"))),
        }
    }

    fn amount(&mut self) -> Result<Amount> {
        let first = u64::from_be_bytes(self.array()?);
        let positive = first & (1 << 62) != 0;
        if first >> 63 == 1 {
            let value = IssuedValue::from_bits(first)
                .ok_or_else(|| self.wrong("an issued amount that is not canonical"))?;
            let currency = Currency(self.array()?);
            return Ok(Amount::Issued { value, currency, issuer: AccountId(self.array()?) });
        }
        if first & (1 << 61) != 0 {
            let last = self.byte()?;
            if first >> 56 & 0x1f != 0 {
                return Err(self.wrong("an MPT amount with unknown bits"));
            }
            let magnitude = (first << 8) | u64::from(last);
            let value =
                i64::try_from(magnitude).map_err(|_| self.wrong("an MPT amount above 2^63 - 1"))?;
            if value == 0 && !positive {
                return Err(self.wrong("negative zero is not canonical"));
            }
            let value = if positive { value } else { -value };
            return Ok(Amount::Mpt { value, id: MptId(self.array()?) });
        }
        let drops = first & !(1 << 62) & !(1 << 61);
        if drops == 0 && !positive {
            return Err(self.wrong("negative zero is not canonical"));
        }
        // More than there can be is the ledger's to refuse (temBAD_AMOUNT).
        Ok(Amount::Xrp(if positive { drops as i64 } else { -(drops as i64) }))
    }

    fn issue(&mut self) -> Result<Issue> {
        let first: [u8; 20] = self.array()?;
        if first == [0; 20] {
            return Ok(Issue::Xrp);
        }
        let second: [u8; 20] = self.array()?;
        if second != AccountId::ONE.0 {
            return Ok(Issue::Issued { currency: Currency(first), issuer: AccountId(second) });
        }
        let sequence: [u8; 4] = self.array()?;
        Ok(Issue::Mpt(MptId::new(u32::from_le_bytes(sequence), AccountId(first))))
    }

    fn elements(&mut self, depth: usize) -> Result<Vec<(Field, Object)>> {
        let mut elements = Vec::new();
        loop {
            let field = self.field()?;
            if field == Field::ARRAY_END {
                return Ok(elements);
            }
            if field.field_type() != FieldType::Object || field == Field::OBJECT_END {
                return Err(self.wrong(format!("{field:?} cannot stand in an array")));
            }
            self.deeper(depth)?;
            elements.push((field, self.object(depth + 1, false)?));
        }
    }

    fn paths(&mut self) -> Result<Vec<Vec<PathStep>>> {
        let mut paths = vec![Vec::new()];
        loop {
            let kind = self.byte()?;
            let empty = paths.last().is_none_or(Vec::is_empty);
            match kind {
                step::END | step::NEXT_PATH if empty => return Err(self.wrong("an empty path")),
                step::END => return Ok(paths),
                step::NEXT_PATH => {
                    paths.push(Vec::new());
                    continue;
                }
                _ => {}
            }
            let both = kind & step::MPT != 0 && kind & step::CURRENCY != 0;
            if kind & !(step::ACCOUNT | step::CURRENCY | step::ISSUER | step::MPT) != 0 || both {
                return Err(self.wrong(format!("unknown kind of path step {kind:#04x}")));
            }
            let mut found = PathStep { account: None, currency: None, issuer: None, mpt: None };
            if kind & step::ACCOUNT != 0 {
                found.account = Some(AccountId(self.array()?));
            }
            if kind & step::MPT != 0 {
                found.mpt = Some(MptId(self.array()?));
            }
            if kind & step::CURRENCY != 0 {
                found.currency = Some(Currency(self.array()?));
            }
            if kind & step::ISSUER != 0 {
                found.issuer = Some(AccountId(self.array()?));
            }
            if let Some(path) = paths.last_mut() {
                path.push(found);
            }
        }
    }
}

fn value_to_json(field: Field, name: &str, value: &Value, definitions: &Definitions) -> Json {
    let hex = |bytes: &[u8]| Json::String(const_hex::encode_upper(bytes));
    let named = |name: Option<&str>, code: u64| name.map_or_else(|| json!(code), |n| json!(n));
    match value {
        Value::UInt8(n) if field == fields::TRANSACTION_RESULT => {
            named(definitions.result_name(i32::from(*n)), u64::from(*n))
        }
        Value::UInt8(n) => json!(n),
        Value::UInt16(n) if field == fields::TRANSACTION_TYPE => {
            named(definitions.transaction_type_name(*n), u64::from(*n))
        }
        Value::UInt16(n) if field == fields::LEDGER_ENTRY_TYPE => {
            named(definitions.ledger_entry_type_name(*n), u64::from(*n))
        }
        Value::UInt16(n) => json!(n),
        Value::UInt32(n) if field == fields::PERMISSION_VALUE => {
            let granular = GRANULAR_PERMISSIONS.iter().find(|(_, code)| code == n);
            let of_type = || {
                let code = u16::try_from(n.checked_sub(1)?).ok()?;
                definitions.transaction_type_name(code)
            };
            named(granular.map(|(name, _)| *name).or_else(of_type), u64::from(*n))
        }
        Value::UInt32(n) => json!(n),
        Value::UInt64(n) if is_decimal_u64(name) => Json::String(n.to_string()),
        Value::UInt64(n) => Json::String(format!("{n:x}")),
        Value::Int32(n) => json!(n),
        Value::Int64(n) => Json::String(n.to_string()),
        Value::UInt96(b) => hex(b),
        Value::Hash128(b) => hex(b),
        Value::Hash160(b) => hex(b),
        Value::Hash192(b) => hex(b),
        Value::Hash256(h) => hex(&h.0),
        Value::Hash384(b) => hex(&b[..]),
        Value::Hash512(b) => hex(&b[..]),
        Value::Amount(amount) => amount.to_json(),
        Value::Blob(bytes) => hex(bytes),
        Value::Account(id) => Json::String(id.to_string()),
        Value::Number(n) => Json::String(n.to_string()),
        Value::Object(inner) => inner.to_json(definitions),
        Value::Array(elements) => elements
            .iter()
            .map(|(field, inner)| {
                let name = definitions.name(*field).unwrap_or("Unknown");
                json!({ name: inner.to_json(definitions) })
            })
            .collect(),
        Value::PathSet(paths) => {
            paths.iter().map(|path| path.iter().map(PathStep::to_json).collect::<Json>()).collect()
        }
        Value::Vector256(hashes) => hashes.iter().map(|h| hex(&h.0)).collect(),
        Value::Issue(issue) => issue.to_json(),
        Value::XChainBridge(bridge) => json!({
            "IssuingChainDoor": bridge.issuing_door.to_string(),
            "IssuingChainIssue": bridge.issuing_issue.to_json(),
            "LockingChainDoor": bridge.locking_door.to_string(),
            "LockingChainIssue": bridge.locking_issue.to_json(),
        }),
        Value::Currency(currency) => Json::String(currency.to_string()),
    }
}

impl PathStep {
    /// As JSON of transactions and answers has it.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let bits = [
            (self.account.is_some(), step::ACCOUNT),
            (self.currency.is_some(), step::CURRENCY),
            (self.issuer.is_some(), step::ISSUER),
            (self.mpt.is_some(), step::MPT),
        ];
        let kind: u8 = bits.iter().filter(|(is, _)| *is).map(|(_, bit)| bit).sum();
        let mut members = Map::new();
        members.insert("type".to_owned(), json!(kind));
        let mut add = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                members.insert(key.to_owned(), Json::String(value));
            }
        };
        add("account", self.account.map(|id| id.to_string()));
        add("currency", self.currency.map(|c| c.to_string()));
        add("issuer", self.issuer.map(|id| id.to_string()));
        add("mpt_issuance_id", self.mpt.map(|id| id.to_string()));
        Json::Object(members)
    }
}
