//! Checks after each transaction that what it did makes sense at all, one rule a file. A failure is a
//! bug here, and must not get into a ledger: the transaction then takes its fee and nothing else
//! (`tecINVARIANT_FAILED`), or if even that breaks a rule, nothing (`tefINVARIANT_FAILED`).
//!
//! To add a rule: write its file with a type that implements [`Invariant`] and put it into the list
//! below.

mod account_roots_deleted_clean;
mod account_roots_not_deleted;
mod amm;
mod amounts;
mod book_directory;
mod clawback;
mod confidential;
mod deep_freeze;
mod entry_types;
mod escrow;
mod fee;
mod freeze;
mod loan;
mod loan_broker;
mod mpt_issuance;
mod mpt_payment;
mod mpt_transfer;
mod new_account;
mod nft_counts;
mod nft_pages;
mod offers;
mod permissioned_dex;
mod permissioned_domain;
mod pseudo_accounts;
#[cfg(test)]
mod tests;
mod unmodifiable;
mod vault;
mod xrp_balances;
mod xrp_lines;
mod xrp_not_created;

use xrpl_protocol::{EngineResult, Hash256, Object};

use super::{ApplyContext, has_privilege};
use crate::ledger::{PreparedTx, ReadView, Rules, Sandbox, entry_type, sandbox::Action};

/// An entry that a transaction created, changed or deleted.
#[derive(Debug)]
struct Touched<'a> {
    key: &'a Hash256,
    deleted: bool,
    /// None if it is new.
    before: Option<&'a Object>,
    /// Its last version if it was deleted.
    after: &'a Object,
    /// Type of `after`.
    kind: u16,
    rules: &'a Rules,
}

impl Touched<'_> {
    /// What the entry was, if it was of a type.
    fn before_of(&self, kind: u16) -> Option<&Object> {
        self.before.filter(|before| entry_type::of(before) == kind)
    }

    /// What the entry is or was at last, if it is of a type.
    fn after_of(&self, kind: u16) -> Option<&Object> {
        (self.kind == kind).then_some(self.after)
    }

    /// What the entry is now, if it is there and of a type.
    fn now_of(&self, kind: u16) -> Option<&Object> {
        self.after_of(kind).filter(|_| !self.deleted)
    }
}

/// A transaction about to be applied.
struct Outcome<'a> {
    view: &'a Sandbox<'a>,
    tx: &'a PreparedTx,
    result: EngineResult,
    /// Drops taken.
    fee: i64,
}

impl Outcome<'_> {
    fn succeeded(&self) -> bool {
        self.result.is_success()
    }

    fn may(&self, privilege: u16) -> bool {
        has_privilege(self.tx.kind, privilege)
    }
}

/// A rule. It looks at every touched entry once, then judges.
trait Invariant: Default {
    /// Notes what matters of an entry.
    fn visit(&mut self, touched: &Touched<'_>);

    /// Whether the rule holds; the error says what does not.
    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str>;
}

macro_rules! invariants {
    ($($name:ident: $kind:ty,)*) => {
        #[derive(Default)]
        struct All { $($name: $kind,)* }

        impl All {
            fn visit(&mut self, touched: &Touched<'_>) {
                $(self.$name.visit(touched);)*
            }

            fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
                $(self.$name.judge(outcome)?;)*
                Ok(())
            }
        }
    };
}

// In xrpld's order.
invariants! {
    fee: fee::TransactionFee,
    not_deleted: account_roots_not_deleted::AccountRootsNotDeleted,
    deleted_clean: account_roots_deleted_clean::AccountRootsDeletedClean,
    entry_types: entry_types::LedgerEntryTypesMatch,
    xrp_balances: xrp_balances::XrpBalances,
    xrp_not_created: xrp_not_created::XrpNotCreated,
    xrp_lines: xrp_lines::NoXrpTrustLines,
    deep_freeze: deep_freeze::NoDeepFreezeWithoutFreeze,
    freeze: freeze::TransfersNotFrozen,
    offers: offers::NoBadOffers,
    escrow: escrow::NoZeroEscrow,
    new_account: new_account::ValidNewAccountRoot,
    nft_pages: nft_pages::ValidNftPages,
    nft_counts: nft_counts::NftCounts,
    clawback: clawback::ValidClawback,
    mpt_issuance: mpt_issuance::ValidMptIssuance,
    permissioned_domain: permissioned_domain::ValidPermissionedDomain,
    permissioned_dex: permissioned_dex::ValidPermissionedDex,
    book_directory: book_directory::ValidBookDirectory,
    amm: amm::ValidAmm,
    unmodifiable: unmodifiable::NoModifiedUnmodifiableFields,
    pseudo_accounts: pseudo_accounts::ValidPseudoAccounts,
    loan_broker: loan_broker::ValidLoanBroker,
    loan: loan::ValidLoan,
    vault: vault::ValidVault,
    confidential: confidential::ValidConfidentialMpt,
    mpt_payment: mpt_payment::ValidMptPayment,
    amounts: amounts::ValidAmounts,
    mpt_transfer: mpt_transfer::ValidMptTransfer,
}

/// Whether every rule holds for what a transaction is about to do.
pub(super) fn hold(ctx: &ApplyContext<'_>, result: EngineResult, fee: i64) -> bool {
    let mut all = All::default();
    let rules = ctx.view.rules();
    for (key, action, before, after) in ctx.view.visit() {
        let touched = Touched {
            key,
            deleted: action == Action::Erase,
            before: before.as_deref(),
            after,
            kind: entry_type::of(after),
            rules,
        };
        all.visit(&touched);
    }
    match all.judge(&Outcome { view: &ctx.view, tx: ctx.tx, result, fee }) {
        Ok(()) => true,
        Err(broken) => {
            tracing::error!(tx = %ctx.tx.hash, %result, "invariant broken: {broken}");
            false
        }
    }
}
