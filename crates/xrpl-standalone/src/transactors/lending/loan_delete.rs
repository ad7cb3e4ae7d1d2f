//! LoanDelete (<https://xrpl.org/docs/references/protocol/transactions/types/loandelete>).

use xrpl_protocol::{EngineResult, fields, object_id};

use super::{broker_and_vault, count_loan, dependencies, loan_id, names, written};
use crate::{
    ledger::{
        ApplyView, Ter, directory,
        helpers::{account_root::adjust_owner_count, loan, number, vault},
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// The type.
#[derive(Debug)]
pub(crate) struct LoanDelete;

impl Transactor for LoanDelete {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        dependencies(ctx)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        names(loan_id(ctx.tx))
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let loan = loan::loan(view, &loan_id(tx)).ok_or(EngineResult::TEC_NO_ENTRY)?;
        let paid = loan::rate(&loan, fields::PAYMENT_REMAINING) == 0;
        ensure(paid, EngineResult::TEC_HAS_OBLIGATIONS)?;
        let id = loan.hash256(fields::LOAN_BROKER_ID).unwrap_or_default();
        let broker = loan::broker(view, &id).ok_or(EngineResult::TEC_INTERNAL)?;
        let may = broker.account(fields::OWNER) == Some(tx.account)
            || loan.account(fields::BORROWER) == Some(tx.account);
        ensure(may, EngineResult::TEC_NO_PERMISSION)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let id = loan_id(ctx.tx);
        let view = &mut ctx.view;
        let bad = EngineResult::TEF_BAD_LEDGER;
        let loan = loan::loan(view, &id).ok_or(bad)?;
        let borrower = loan.account(fields::BORROWER).ok_or(bad)?;
        let broker_id = loan.hash256(fields::LOAN_BROKER_ID).ok_or(bad)?;
        let (broker, _, vault) = broker_and_vault(view, &broker_id).map_err(|_| bad)?;
        let pseudo = broker.account(fields::ACCOUNT).ok_or(bad)?;
        let asset = vault::asset(&vault);
        for (owner, node) in [(pseudo, fields::LOAN_BROKER_NODE), (borrower, fields::OWNER_NODE)] {
            let page = loan.u64(node).unwrap_or_default();
            let listed = directory::remove(view, object_id::owner_dir(owner), page, &id, false);
            ensure(listed, bad)?;
        }
        drop((loan, broker, vault));
        view.erase(&id);
        let broker = view.get_mut(&broker_id).ok_or(bad)?;
        count_loan(broker, -1);
        if loan::rate(broker, fields::OWNER_COUNT) == 0 {
            // Nobody is left who could pay what rounding has left of the debt.
            broker.remove(fields::DEBT_TOTAL);
        }
        written(number::associate(broker, asset))?;
        adjust_owner_count(view, borrower, -1)
    }
}
