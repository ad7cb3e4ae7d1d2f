//! LedgerStateFix: repairs what older rules left wrong in the ledger
//! (<https://xrpl.org/docs/references/protocol/transactions/types/ledgerstatefix>).

use xrpl_protocol::{EngineResult, Field, Hash256, Object, fields};

use super::{
    ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure, owner_reserve_fee,
};
use crate::ledger::{
    ApplyView, Entry, PreparedTx, ReadView, Ter, amendment, entry_type, helpers::nft,
};

/// The type.
#[derive(Debug)]
pub(super) struct LedgerStateFix;

/// `LedgerFixType`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fix {
    /// Links of an account's NFT pages.
    NftPageLinks,
    /// The rate that a book's directory says.
    BookExchangeRate,
}

impl Fix {
    const ALL: [Self; 2] = [Self::NftPageLinks, Self::BookExchangeRate];

    fn of(tx: &Object) -> Option<Self> {
        match tx.u16(fields::LEDGER_FIX_TYPE)? {
            1 => Some(Self::NftPageLinks),
            2 => Some(Self::BookExchangeRate),
            _ => None,
        }
    }

    /// The field that says what to repair.
    fn field(self) -> Field {
        match self {
            Self::NftPageLinks => fields::OWNER,
            Self::BookExchangeRate => fields::BOOK_DIRECTORY,
        }
    }
}

/// The rate in the key of a book's directory.
fn rate_of(key: &Hash256) -> u64 {
    let mut rate = [0; 8];
    rate.copy_from_slice(&key.0[24..]);
    u64::from_be_bytes(rate)
}

fn directory(view: &dyn ReadView, tx: &PreparedTx) -> Option<(Hash256, Entry)> {
    let key = tx.object.hash256(fields::BOOK_DIRECTORY)?;
    let page = view.read(&key)?;
    (entry_type::of(&page) == entry_type::DIRECTORY_NODE).then_some((key, page))
}

impl Transactor for LedgerStateFix {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = &ctx.tx.object;
        let fix = Fix::of(tx).ok_or(EngineResult::TEF_INVALID_LEDGER_FIX_TYPE)?;
        if fix == Fix::BookExchangeRate && !ctx.rules.enabled(amendment::FIX_CLEANUP_3_2_0) {
            return Err(EngineResult::TEM_DISABLED);
        }
        let fits = Fix::ALL.iter().all(|other| tx.contains(other.field()) == (*other == fix));
        ensure(fits, EngineResult::TEM_INVALID)
    }

    fn base_fee(&self, view: &dyn ReadView, _tx: &PreparedTx) -> u64 {
        owner_reserve_fee(view)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let not_found = EngineResult::TEC_OBJECT_NOT_FOUND;
        match Fix::of(&ctx.tx.object).ok_or(EngineResult::TEC_INTERNAL)? {
            Fix::NftPageLinks => {
                let owner = ctx.tx.object.account(fields::OWNER).unwrap_or_default();
                ensure(ctx.view.account(owner).is_some(), not_found)
            }
            Fix::BookExchangeRate => {
                let (key, page) = directory(ctx.view, ctx.tx).ok_or(not_found)?;
                // Only the first page of a book says a rate.
                let said = page.u64(fields::EXCHANGE_RATE);
                let wrong = said.is_some_and(|rate| rate != rate_of(&key));
                ensure(wrong, EngineResult::TEC_NO_PERMISSION)
            }
        }
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let internal = EngineResult::TEC_INTERNAL;
        match Fix::of(&ctx.tx.object).ok_or(internal)? {
            Fix::NftPageLinks => {
                let owner = ctx.tx.object.account(fields::OWNER).unwrap_or_default();
                let repaired = nft::repair(&mut ctx.view, owner)?;
                ensure(repaired, EngineResult::TEC_FAILED_PROCESSING)
            }
            Fix::BookExchangeRate => {
                let (key, _) = directory(&ctx.view, ctx.tx).ok_or(internal)?;
                let page = ctx.view.get_mut(&key).ok_or(internal)?;
                page.set(fields::EXCHANGE_RATE, rate_of(&key).into());
                Ok(())
            }
        }
    }
}
