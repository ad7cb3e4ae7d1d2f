//! Searching paths for payments, as xrpld's Pathfinder does: [`finder`] builds paths of the kinds that
//! make sense for what is sent and what is to arrive, and [`rank`] tries each in the payment engine and
//! keeps the best few.

mod assets;
mod books;
mod finder;
mod rank;

use std::sync::Arc;

use xrpl_protocol::{
    AccountId, Amount, Currency, Hash256, Issue, IssuedValue, MptId, TxHash, object::PathStep,
};

use crate::ledger::{Entry, ReadView, Rules, ViewInfo};

pub(crate) use assets::Assets;
pub(crate) use finder::{Finder, Search};

/// Most paths of an answer, the one that covers the whole aside (xrpld's `kMaxPaths`).
pub(crate) const MAX_PATHS: usize = 4;

/// A ledger in which paths are searched. No transaction is applied in it, so its arithmetic takes no
/// amendment to be on.
pub(crate) struct Searched<'a> {
    base: &'a dyn ReadView,
    info: ViewInfo,
}

impl std::fmt::Debug for Searched<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Searched").field("info", &self.info).finish_non_exhaustive()
    }
}

impl<'a> Searched<'a> {
    pub(crate) fn new(base: &'a dyn ReadView) -> Self {
        let info = ViewInfo { arithmetic: Arc::new(Rules::default()), ..base.info().clone() };
        Self { base, info }
    }
}

impl ReadView for Searched<'_> {
    fn read(&self, key: &Hash256) -> Option<Entry> {
        self.base.read(key)
    }

    fn succ(&self, key: &Hash256) -> Option<Hash256> {
        self.base.succ(key)
    }

    fn info(&self) -> &ViewInfo {
        &self.info
    }

    fn has_transaction(&self, hash: &TxHash) -> bool {
        self.base.has_transaction(hash)
    }
}

/// What a path is of: unlike an [`Issue`], a currency whoever issues it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum PathAsset {
    Currency(Currency),
    Mpt(MptId),
}

impl PathAsset {
    pub(crate) const XRP: Self = Self::Currency(Currency([0; 20]));

    pub(crate) fn of(issue: Issue) -> Self {
        match issue {
            Issue::Xrp => Self::XRP,
            Issue::Issued { currency, .. } => Self::Currency(currency),
            Issue::Mpt(id) => Self::Mpt(id),
        }
    }

    pub(crate) fn is_xrp(self) -> bool {
        self == Self::XRP
    }

    /// An account's.
    pub(crate) fn issued_by(self, issuer: AccountId) -> Issue {
        match self {
            Self::XRP => Issue::Xrp,
            Self::Currency(currency) => Issue::Issued { currency, issuer },
            Self::Mpt(id) => Issue::Mpt(id),
        }
    }
}

impl std::fmt::Display for PathAsset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Currency(currency) => currency.fmt(f),
            Self::Mpt(id) => id.fmt(f),
        }
    }
}

/// A step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    /// The account it goes through; [`AccountId::ZERO`] for a book.
    account: AccountId,
    /// What comes out.
    asset: PathAsset,
    /// Whose.
    issuer: AccountId,
}

impl Element {
    /// XRP, out of a book.
    const XRP: Self =
        Self { account: AccountId::ZERO, asset: PathAsset::XRP, issuer: AccountId::ZERO };

    fn through(account: AccountId, asset: PathAsset) -> Self {
        Self { account, asset, issuer: account }
    }

    fn book(output: Issue) -> Self {
        let issuer = crate::ledger::helpers::token::issuer_of(output).unwrap_or_default();
        Self { account: AccountId::ZERO, asset: PathAsset::of(output), issuer }
    }

    fn is_book(&self) -> bool {
        self.account == AccountId::ZERO
    }

    /// As transactions and answers have it.
    pub(crate) fn step(&self) -> PathStep {
        let nothing = PathStep { account: None, currency: None, issuer: None, mpt: None };
        if !self.is_book() {
            return PathStep { account: Some(self.account), ..nothing };
        }
        let issuer = Some(self.issuer).filter(|issuer| *issuer != AccountId::ZERO);
        match self.asset {
            PathAsset::Currency(currency) => {
                PathStep { currency: Some(currency), issuer, ..nothing }
            }
            PathAsset::Mpt(id) => PathStep { mpt: Some(id), issuer, ..nothing },
        }
    }
}

/// A path, of which the source and the destination are no part.
pub(crate) type Path = Vec<Element>;

/// Paths as transactions have them.
pub(crate) fn steps(paths: &[Path]) -> Vec<Vec<PathStep>> {
    paths.iter().map(|path| path.iter().map(Element::step).collect()).collect()
}

/// The largest amount that can be written.
pub(crate) fn largest(issue: Issue) -> Amount {
    match issue {
        // All of it there ever was, in drops.
        Issue::Xrp => Amount::Xrp(100_000_000_000_000_000),
        Issue::Issued { currency, issuer } => {
            Amount::Issued { value: IssuedValue::MAX, currency, issuer }
        }
        Issue::Mpt(id) => Amount::Mpt { value: i64::MAX, id },
    }
}

/// `-1`, which stands for as much as there is.
pub(crate) fn unlimited(issue: Issue) -> Amount {
    match issue {
        Issue::Xrp => Amount::Xrp(-1),
        Issue::Issued { currency, issuer } => {
            Amount::Issued { value: IssuedValue::ONE.negated(), currency, issuer }
        }
        Issue::Mpt(id) => Amount::Mpt { value: -1, id },
    }
}
