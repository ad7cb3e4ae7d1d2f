//! Engine results and what each class means for finality
//! (<https://xrpl.org/docs/references/protocol/transactions/transaction-results>).
//!
//! | class | the transaction | what it says about the end |
//! |---|---|---|
//! | `tes` | was applied | provisional until a validated ledger has it |
//! | `tec` | claimed its fee only | provisional too; validated it is final |
//! | `ter` | may apply later | none: send it again until LastLedgerSequence |
//! | `tel` | was not taken by this server now | none: another server or a later ledger may |
//! | `tef` | cannot apply to this ledger | none: it may apply to a later one (`tefBAD_AUTH`: once the key is the account's); `tefPAST_SEQ`, `tefNO_TICKET`, `tefMAX_LEDGER` and `tefALREADY` may even hide a success |
//! | `tem` | is malformed | can apply to no ledger with the same rules |
//!
//! What is said of `ter`, `tel` and `tef` is said by a node that nevertheless keeps the transaction
//! if it was submitted to it, and applies it when it can, unless it was submitted with `fail_hard`.
//! A `tem` is not kept so, but under other amendments, or from a node that only remembers having
//! refused the blob before (`temBAD_SIGNATURE`), it says nothing either.

mod table;

use std::fmt;

use table::TABLE;

/// The six classes, by the first three letters of a result's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResultClass {
    /// Applied.
    Tes,
    /// Only the fee was claimed.
    Tec,
    /// May apply later.
    Ter,
    /// Cannot apply to this ledger.
    Tef,
    /// Local to this server.
    Tel,
    /// Malformed.
    Tem,
}

impl ResultClass {
    /// The class of a result's name, also of results newer than this table; none if it is no name
    /// of a result.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Some(match name.get(..3)? {
            "tes" => Self::Tes,
            "tec" => Self::Tec,
            "ter" => Self::Ter,
            "tef" => Self::Tef,
            "tel" => Self::Tel,
            "tem" => Self::Tem,
            _ => return None,
        })
    }
}

/// One of the results this version knows. Newer ones are told by [`ResultClass::of`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EngineResult(i32);

impl EngineResult {
    /// The result of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let code = crate::Definitions::builtin().result(name)?;
        Self::from_code(code)
    }

    /// All of the table, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| Self(row.0))
    }

    /// The result of a code.
    #[must_use]
    pub fn from_code(code: i32) -> Option<Self> {
        TABLE.binary_search_by_key(&code, |row| row.0).ok().map(|_| Self(code))
    }

    fn row(self) -> (i32, &'static str, &'static str) {
        match TABLE.binary_search_by_key(&self.0, |row| row.0) {
            Ok(at) => TABLE[at],
            // Not to be had: both constructors look the code up.
            Err(_) => (self.0, "-", "-"),
        }
    }

    /// Its number.
    #[must_use]
    pub fn code(self) -> i32 {
        self.0
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// What xrpld says about it.
    #[must_use]
    pub fn message(self) -> &'static str {
        self.row().2
    }

    /// Its class.
    #[must_use]
    pub fn class(self) -> ResultClass {
        match self.0 {
            ..=-300 => ResultClass::Tel,
            -299..=-200 => ResultClass::Tem,
            -199..=-100 => ResultClass::Tef,
            -99..=-1 => ResultClass::Ter,
            0..=99 => ResultClass::Tes,
            _ => ResultClass::Tec,
        }
    }

    /// `tesSUCCESS`?
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Self::TES_SUCCESS
    }

    /// A `tec`?
    #[must_use]
    pub fn is_claim(self) -> bool {
        self.class() == ResultClass::Tec
    }
}

impl fmt::Display for EngineResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for EngineResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_and_classes_agree() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (code, name, message) in TABLE {
            let result = EngineResult::from_name(name).unwrap();
            assert_eq!((result.code(), result.name(), result.message()), (*code, *name, *message));
            assert_eq!(ResultClass::of(name), Some(result.class()), "{name}");
            assert!(!message.is_empty());
        }
        assert_eq!(ResultClass::of("tecNEW_IN_2030"), Some(ResultClass::Tec));
        assert_eq!(ResultClass::of("té"), None);
    }
}
