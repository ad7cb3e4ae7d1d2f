//! Account identifiers and their addresses
//! (<https://xrpl.org/docs/concepts/accounts/addresses>).

use std::{fmt, str::FromStr};

use ripemd::{Digest as _, Ripemd160};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::Sha256;

use crate::base58::{self, Base58Error};

/// An account's 20-byte identifier; shown as its classic address ("r...").
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^r[1-9A-HJ-NP-Za-km-z]{24,34}$"))]
pub struct AccountId(pub [u8; 20]);

/// Why a text is no address, or none that can stand where it was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseAddressError {
    /// Neither a classic address nor an X-address.
    #[error("{text:?} is not an XRP Ledger address: {cause}")]
    NoAddress {
        /// What was given.
        text: String,
        /// What is wrong with it.
        cause: Base58Error,
    },
    /// An X-address with a tag where there is no field for one.
    #[error(
        "the X-address {text} carries the tag {tag}, and a tag has no place here: give the address \
         without it"
    )]
    Tag {
        /// What was given.
        text: String,
        /// Its tag.
        tag: u32,
    },
}

/// What an X-address says (<https://xrpaddress.info/>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XAddress {
    /// The account.
    pub account: AccountId,
    /// The tag, if it carries one.
    pub tag: Option<u32>,
    /// Whether it is one of a test network ("T...") and not of the main network ("X...").
    pub test: bool,
}

impl AccountId {
    /// The issuer that stands for "no account" (`rrrrrrrrrrrrrrrrrrrrrhoLvTp`).
    pub const ZERO: Self = Self([0; 20]);
    /// The account of "no issuer" in trust lines' balances (`rrrrrrrrrrrrrrrrrrrrBZbvji`).
    pub const ONE: Self = Self([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

    /// The account of a public key (33 bytes): RIPEMD-160 of SHA-256.
    #[must_use]
    pub fn of_public_key(key: &[u8; 33]) -> Self {
        Self::of_bytes(key)
    }

    /// RIPEMD-160 of SHA-256 of any bytes: the way to an account id, also for accounts without a
    /// key.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Ripemd160::digest(Sha256::digest(bytes)).into())
    }

    /// The bytes, most significant first.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// An address in either form, with the destination tag of an X-address.
    ///
    /// # Errors
    /// When the text is neither a classic address nor an X-address.
    pub fn parse_with_tag(text: &str) -> Result<(Self, Option<u32>), ParseAddressError> {
        match text.parse::<Self>() {
            Ok(id) => Ok((id, None)),
            Err(error) => {
                XAddress::parse(text).map(|address| (address.account, address.tag)).ok_or(error)
            }
        }
    }

    /// An address in either form, where a tag has no place.
    ///
    /// # Errors
    /// When the text is no address, or carries a tag.
    pub fn parse_untagged(text: &str) -> Result<Self, ParseAddressError> {
        match Self::parse_with_tag(text)? {
            (id, None) => Ok(id),
            (_, Some(tag)) => Err(ParseAddressError::Tag { text: text.to_owned(), tag }),
        }
    }

    /// The X-address with this tag (<https://github.com/xrp-community/standards-drafts/issues/6>).
    #[must_use]
    pub fn to_x_address(&self, tag: Option<u32>, test_network: bool) -> String {
        let mut payload = [0u8; 29];
        payload[..20].copy_from_slice(&self.0);
        if let Some(tag) = tag {
            payload[20] = 1;
            payload[21..25].copy_from_slice(&tag.to_le_bytes());
        }
        let prefix = if test_network { base58::X_ADDRESS_TEST } else { base58::X_ADDRESS_MAIN };
        base58::encode(prefix, &payload)
    }
}

impl XAddress {
    /// Reads an X-address; none if the text is something else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let of = |kind, test| base58::decode::<29>(kind, text).ok().map(|payload| (payload, test));
        let (payload, test) =
            of(base58::X_ADDRESS_MAIN, false).or_else(|| of(base58::X_ADDRESS_TEST, true))?;
        let account = AccountId(payload[..20].try_into().ok()?);
        let number = u32::from_le_bytes(payload[21..25].try_into().ok()?);
        let tag = match payload[20] {
            0 if number == 0 => None,
            1 => Some(number),
            _ => return None,
        };
        (payload[25..] == [0; 4]).then_some(Self { account, tag, test })
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&base58::encode(base58::ACCOUNT_ID, &self.0))
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for AccountId {
    type Err = ParseAddressError;
    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        base58::decode(base58::ACCOUNT_ID, text).map(Self).map_err(|cause| {
            ParseAddressError::NoAddress { text: text.chars().take(60).collect(), cause }
        })
    }
}

impl Serialize for AccountId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_addresses() {
        assert_eq!(AccountId::ZERO.to_string(), "rrrrrrrrrrrrrrrrrrrrrhoLvTp");
        assert_eq!(AccountId::ONE.to_string(), "rrrrrrrrrrrrrrrrrrrrBZbvji");
        let genesis: AccountId = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh".parse().unwrap();
        assert_eq!(const_hex::encode_upper(genesis.0), "B5F762798A53D543A014CAF8B297CFF8F2F937E8");
    }

    #[test]
    fn errors_name_the_cause() {
        let cause = |text: &str| match text.parse::<AccountId>() {
            Err(ParseAddressError::NoAddress { cause, .. }) => cause,
            other => panic!("{other:?}"),
        };
        assert_eq!(cause("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTi"), Base58Error::Checksum);
        assert_eq!(cause("r0"), Base58Error::Alphabet);
        assert_eq!(cause("snoPBrXtMeMyMHUVTgbuqAfg1SUTb"), Base58Error::Kind);
    }

    #[test]
    fn x_addresses() {
        let id: AccountId = "rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf".parse().unwrap();
        for tag in [None, Some(0), Some(1), Some(u32::MAX)] {
            for test in [false, true] {
                let text = id.to_x_address(tag, test);
                assert_eq!(AccountId::parse_with_tag(&text), Ok((id, tag)), "{text}");
                assert_eq!(XAddress::parse(&text), Some(XAddress { account: id, tag, test }));
                assert_eq!(AccountId::parse_untagged(&text).is_ok(), tag.is_none(), "{text}");
            }
        }
        assert_eq!(id.to_x_address(None, false), "XVLhHMPHU98es4dbozjVtdWzVrDjtV5fdx1mHp98tDMoQXb");
    }
}
