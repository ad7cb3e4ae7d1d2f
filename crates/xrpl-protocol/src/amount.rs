//! Amounts of XRP, issued currencies and MPTs, and what names them
//! (<https://xrpl.org/docs/references/protocol/binary-format#amount-fields>).

use std::{fmt, str::FromStr};

use serde_json::{Value as Json, json};

use crate::{
    account_id::AccountId,
    issued_value::{IssuedValue, ValueError},
    units::Drops,
};

/// Why something is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a whole number of drops from 0 to 10^17.
    #[error("{0:?} is not a number of drops (a whole number from 0 to 100000000000000000)")]
    Drops(String),
    /// Not a whole MPT value.
    #[error("{0:?} is not an MPT value (a whole number from 0 to 9223372036854775807)")]
    Mpt(String),
    /// A wrong decimal.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// Not a currency.
    #[error(
        "{0:?} is not a currency: use three letters or 40 hexadecimal digits, and not XRP as an issued currency"
    )]
    Currency(String),
    /// Not an MPT issuance id.
    #[error("{0:?} is not an MPT issuance id (48 hexadecimal digits)")]
    MptId(String),
    /// A wrong address.
    #[error(transparent)]
    Issuer(#[from] crate::account_id::ParseAddressError),
    /// The members do not make an amount.
    #[error(
        "an amount is a string of drops, {{currency, issuer, value}} or {{mpt_issuance_id, value}}; got {0}"
    )]
    Shape(String),
}

/// A currency's 160 bits; zero is XRP.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(pub [u8; 20]);

const ISO_SYMBOLS: &[u8] = b"<>(){}[]|?!@#$%^&*";

fn is_iso(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || ISO_SYMBOLS.contains(&byte)
}

impl Currency {
    /// XRP itself.
    pub const XRP: Self = Self([0; 20]);

    /// Whether it is XRP.
    #[must_use]
    pub fn is_xrp(&self) -> bool {
        *self == Self::XRP
    }

    /// The three characters of a standard code, if it is one.
    #[must_use]
    pub fn iso(&self) -> Option<&str> {
        let b = &self.0;
        let zero = b[..12].iter().chain(&b[15..]).all(|x| *x == 0);
        (zero && b[12..15].iter().all(|x| is_iso(*x)) && b[12..15] != *b"XRP")
            .then(|| std::str::from_utf8(&b[12..15]).ok())
            .flatten()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.iso() {
            _ if self.is_xrp() => f.pad("XRP"),
            Some(code) => f.pad(code),
            None if *self == Self(AccountId::ONE.0) => f.pad("1"),
            None => f.pad(&const_hex::encode_upper(self.0)),
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Currency {
    type Err = AmountError;
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let mut bytes = [0; 20];
        match text.as_bytes() {
            b"XRP" => {}
            b"1" => bytes = AccountId::ONE.0,
            code if code.len() == 3 && code.iter().all(|b| is_iso(*b)) => {
                bytes[12..15].copy_from_slice(code);
            }
            hex if hex.len() == 40 && const_hex::decode_to_slice(text, &mut bytes).is_ok() => {}
            _ => return Err(AmountError::Currency(text.chars().take(60).collect())),
        }
        Ok(Self(bytes))
    }
}

/// An MPT issuance: its Sequence (4 bytes) and its issuer (20 bytes).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MptId(pub [u8; 24]);

impl MptId {
    /// The id of the issuance an account made with this Sequence.
    #[must_use]
    pub fn new(sequence: u32, issuer: AccountId) -> Self {
        let mut id = [0; 24];
        id[..4].copy_from_slice(&sequence.to_be_bytes());
        id[4..].copy_from_slice(&issuer.0);
        Self(id)
    }

    /// Who issued it.
    #[must_use]
    pub fn issuer(&self) -> AccountId {
        let mut id = AccountId::ZERO;
        id.0.copy_from_slice(&self.0[4..]);
        id
    }
}

impl fmt::Display for MptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&const_hex::encode_upper(self.0))
    }
}

impl fmt::Debug for MptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MptId {
    type Err = AmountError;
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let mut id = [0; 24];
        if text.len() == 48 && const_hex::decode_to_slice(text, &mut id).is_ok() {
            return Ok(Self(id));
        }
        Err(AmountError::MptId(text.chars().take(60).collect()))
    }
}

/// What an amount is of. The order is xrpld's, in which an AMM keeps its assets: MPTs, XRP, issued
/// currencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Issue {
    /// A multi-purpose token.
    Mpt(MptId),
    /// XRP.
    Xrp,
    /// An issued currency.
    Issued {
        /// Its code.
        currency: Currency,
        /// Who owes it.
        issuer: AccountId,
    },
}

impl Issue {
    /// As xrpld writes `Asset` and the like.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Xrp => json!({"currency": "XRP"}),
            Self::Issued { currency, issuer } => {
                json!({"currency": currency.to_string(), "issuer": issuer.to_string()})
            }
            Self::Mpt(id) => json!({"mpt_issuance_id": id.to_string()}),
        }
    }

    /// Reads what [`Issue::to_json`] writes.
    ///
    /// # Errors
    /// Names the member that is wrong.
    pub fn from_json(json: &Json) -> Result<Self, AmountError> {
        let shape = || AmountError::Shape(json.to_string().chars().take(120).collect());
        let members = json.as_object().ok_or_else(shape)?;
        let text = |key: &str| members.get(key).map(|v| v.as_str().ok_or_else(shape)).transpose();
        match (text("mpt_issuance_id")?, text("currency")?, text("issuer")?, members.len()) {
            (Some(id), None, None, 1) => Ok(Self::Mpt(id.parse()?)),
            (None, Some("XRP"), None, 1) => Ok(Self::Xrp),
            (None, Some(currency), Some(issuer), 2) => {
                let parsed: Currency = currency.parse()?;
                if parsed.is_xrp() {
                    return Err(AmountError::Currency(currency.into()));
                }
                Ok(Self::Issued { currency: parsed, issuer: AccountId::parse_untagged(issuer)? })
            }
            _ => Err(shape()),
        }
    }
}

/// An amount of anything.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Amount {
    /// Drops of XRP; negative only inside xrpld's own arithmetic.
    Xrp(i64),
    /// An issued currency.
    Issued {
        /// How much.
        value: IssuedValue,
        /// Of what.
        currency: Currency,
        /// Of whom.
        issuer: AccountId,
    },
    /// A multi-purpose token.
    Mpt {
        /// How much.
        value: i64,
        /// Of which issuance.
        id: MptId,
    },
}

impl Amount {
    /// An amount of XRP.
    #[must_use]
    pub fn xrp(drops: Drops) -> Self {
        Self::Xrp(i64::try_from(drops.0).unwrap_or(i64::MAX))
    }

    /// An amount of an issued currency.
    #[must_use]
    pub fn issued(value: IssuedValue, currency: Currency, issuer: AccountId) -> Self {
        Self::Issued { value, currency, issuer }
    }

    /// What it is of.
    #[must_use]
    pub fn issue(&self) -> Issue {
        match *self {
            Self::Xrp(_) => Issue::Xrp,
            Self::Issued { currency, issuer, .. } => Issue::Issued { currency, issuer },
            Self::Mpt { id, .. } => Issue::Mpt(id),
        }
    }

    /// The drops, if it is XRP.
    #[must_use]
    pub fn drops(&self) -> Option<i64> {
        match self {
            Self::Xrp(drops) => Some(*drops),
            _ => None,
        }
    }

    /// The decimal, if it is an issued currency.
    #[must_use]
    pub fn value(&self) -> Option<IssuedValue> {
        match self {
            Self::Issued { value, .. } => Some(*value),
            _ => None,
        }
    }

    /// -1, 0 or 1.
    #[must_use]
    pub fn signum(&self) -> i32 {
        match self {
            Self::Xrp(drops) => drops.signum() as i32,
            Self::Issued { value, .. } => value.signum(),
            Self::Mpt { value, .. } => value.signum() as i32,
        }
    }

    /// As xrpld writes it: a string of drops, or an object.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Xrp(drops) => Json::String(drops.to_string()),
            Self::Issued { value, currency, issuer } => json!({
                "currency": currency.to_string(),
                "issuer": issuer.to_string(),
                "value": value.to_string(),
            }),
            Self::Mpt { value, id } => {
                json!({"mpt_issuance_id": id.to_string(), "value": value.to_string()})
            }
        }
    }

    /// Reads an amount in JSON.
    ///
    /// # Errors
    /// Names what is wrong.
    pub fn from_json(json: &Json) -> Result<Self, AmountError> {
        let shape = || AmountError::Shape(json.to_string().chars().take(160).collect());
        if let Some(text) = json.as_str() {
            return parse_drops(text).map(Self::Xrp);
        }
        let members = json.as_object().ok_or_else(shape)?;
        let text = |key: &str| members.get(key).map(|v| v.as_str().ok_or_else(shape)).transpose();
        let value = text("value")?.ok_or_else(shape)?;
        match (text("mpt_issuance_id")?, text("currency")?, text("issuer")?, members.len()) {
            (Some(id), None, None, 2) => {
                Ok(Self::Mpt { value: parse_mpt_value(value)?, id: id.parse()? })
            }
            (None, Some(currency), Some(issuer), 3) => {
                let parsed: Currency = currency.parse()?;
                if parsed.is_xrp() {
                    return Err(AmountError::Currency(currency.into()));
                }
                Ok(Self::Issued {
                    value: value.parse()?,
                    currency: parsed,
                    issuer: AccountId::parse_untagged(issuer)?,
                })
            }
            _ => Err(shape()),
        }
    }

    /// Appends the binary form.
    pub fn encode(&self, out: &mut Vec<u8>) {
        const POSITIVE: u64 = 1 << 62;
        match self {
            Self::Xrp(drops) => {
                let sign = if *drops < 0 { 0 } else { POSITIVE };
                out.extend_from_slice(&(sign | drops.unsigned_abs()).to_be_bytes());
            }
            Self::Issued { value, currency, issuer } => {
                out.extend_from_slice(&value.to_bits().to_be_bytes());
                out.extend_from_slice(&currency.0);
                out.extend_from_slice(&issuer.0);
            }
            Self::Mpt { value, id } => {
                out.push(if *value < 0 { 0x20 } else { 0x60 });
                out.extend_from_slice(&value.unsigned_abs().to_be_bytes());
                out.extend_from_slice(&id.0);
            }
        }
    }
}

fn parse_drops(text: &str) -> Result<i64, AmountError> {
    let wrong = || AmountError::Drops(text.chars().take(60).collect());
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    text.parse().ok().filter(|drops| *drops <= Drops::MAX.0 as i64).ok_or_else(wrong)
}

fn parse_mpt_value(text: &str) -> Result<i64, AmountError> {
    let wrong = || AmountError::Mpt(text.chars().take(60).collect());
    let (digits, radix) = match text.strip_prefix("0x") {
        Some(hex) => (hex, 16),
        None => (text, 10),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    i64::from_str_radix(digits, radix).map_err(|_| wrong())
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Xrp(drops) => write!(f, "{drops} drops"),
            Self::Issued { value, currency, issuer } => write!(f, "{value} {currency}.{issuer}"),
            Self::Mpt { value, id } => write!(f, "{value} {id}"),
        }
    }
}
