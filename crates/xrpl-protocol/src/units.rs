//! Plain numbers of the ledger, each with a type of its own so that they cannot be confused.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

macro_rules! u32_unit {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }

        impl From<u32> for $name {
            fn from(n: u32) -> Self {
                Self(n)
            }
        }
    };
}

u32_unit! {
    /// Index of a ledger version ("ledger sequence"): the genesis ledger is 1.
    LedgerIndex
}

u32_unit! {
    /// Sequence number of an account's transaction, or the number of a Ticket.
    Sequence
}

impl LedgerIndex {
    /// The index `n` ledgers later, at most `u32::MAX`.
    #[must_use]
    pub fn plus(self, n: u32) -> Self {
        Self(self.0.saturating_add(n))
    }
}

/// An amount of XRP in drops; 1 XRP is 1,000,000 drops. Written as a decimal string in JSON, as
/// xrpld does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^[0-9]+$"))]
pub struct Drops(pub u64);

impl Drops {
    /// Drops in one XRP.
    pub const PER_XRP: u64 = 1_000_000;
    /// All XRP there can be: 100 billion.
    pub const MAX: Self = Self(100_000_000_000 * Self::PER_XRP);

    /// This many whole XRP.
    #[must_use]
    pub const fn from_xrp(xrp: u64) -> Self {
        Self(xrp * Self::PER_XRP)
    }
}

impl fmt::Display for Drops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Drops {
    type Err = std::num::ParseIntError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        s.parse().map(Self)
    }
}

impl Serialize for Drops {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Drops {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl de::Visitor<'_> for V {
            type Value = Drops;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of drops, as a decimal string or a whole number")
            }
            fn visit_str<E: de::Error>(self, s: &str) -> Result<Drops, E> {
                s.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(s), &self))
            }
            fn visit_u64<E: de::Error>(self, n: u64) -> Result<Drops, E> {
                Ok(Drops(n))
            }
            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Drops, E> {
                u64::try_from(n)
                    .map(Drops)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(n), &self))
            }
        }
        d.deserialize_any(V)
    }
}

/// What a transaction uses up: the account's next Sequence, or one of its Tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// The account's Sequence.
    Sequence(Sequence),
    /// A Ticket's number.
    Ticket(Sequence),
}

impl Slot {
    /// The number, of whichever kind.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Sequence(n) | Self::Ticket(n) => n.0,
        }
    }
}
