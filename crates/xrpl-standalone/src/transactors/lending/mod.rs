//! Loan brokers and loans: LoanBrokerSet, LoanBrokerDelete, LoanBrokerCoverDeposit,
//! LoanBrokerCoverWithdraw, LoanBrokerCoverClawback, LoanSet, LoanDelete, LoanManage, LoanPay
//! (<https://xrpl.org/docs/concepts/tokens/lending-protocol>). Their mathematics is in
//! [`crate::ledger::helpers::loan`].

mod broker_delete;
mod broker_set;
mod cover_clawback;
mod cover_deposit;
mod cover_withdraw;
mod loan_delete;
mod loan_manage;
mod loan_pay;
mod loan_set;

use xrpl_protocol::{
    Amount, EngineResult, Field, Hash256, Issue, Object, Value, decimal::Decimal, fields,
    issued_value::ValueError,
};

pub(super) use broker_delete::BrokerDelete;
pub(super) use broker_set::BrokerSet;
pub(super) use cover_clawback::CoverClawback;
pub(super) use cover_deposit::CoverDeposit;
pub(super) use cover_withdraw::CoverWithdraw;
pub(super) use loan_delete::LoanDelete;
pub(super) use loan_manage::LoanManage;
pub(super) use loan_pay::LoanPay;
pub(super) use loan_set::LoanSet;

use super::{PreflightContext, ensure, vault::MAX_DATA};
use crate::ledger::{
    ApplyView, Entry, PreparedTx, ReadView, Ter, amendment,
    helpers::{loan, number},
};

/// Lending needs vaults, whose shares are MPTs.
fn dependencies(ctx: &PreflightContext<'_>) -> bool {
    let rules = ctx.rules;
    rules.enabled(amendment::SINGLE_ASSET_VAULT)
        && rules.enabled(amendment::MPTOKENS_V1)
        && (!ctx.tx.object.contains(fields::DOMAIN_ID)
            || rules.enabled(amendment::PERMISSIONED_DOMAINS))
}

/// xrpld throws where an amount gets too large to be written.
fn written<T>(result: Result<T, ValueError>) -> Result<T, EngineResult> {
    result.map_err(|_| EngineResult::TEF_EXCEPTION)
}

fn broker_id(tx: &PreparedTx) -> Hash256 {
    tx.object.hash256(fields::LOAN_BROKER_ID).unwrap_or_default()
}

fn loan_id(tx: &PreparedTx) -> Hash256 {
    tx.object.hash256(fields::LOAN_ID).unwrap_or_default()
}

fn amount(tx: &PreparedTx) -> Amount {
    tx.object.amount(fields::AMOUNT).unwrap_or(Amount::Xrp(0))
}

/// An id is not zero.
fn names(id: Hash256) -> Ter {
    ensure(!id.is_zero(), EngineResult::TEM_INVALID)
}

/// The broker and the vault that it lends from, with its id.
fn broker_and_vault(
    view: &dyn ReadView,
    id: &Hash256,
) -> Result<(Entry, Hash256, Entry), EngineResult> {
    let broker = loan::broker(view, id).ok_or(EngineResult::TEC_NO_ENTRY)?;
    let (vault_id, vault) = loan::vault_of(view, &broker).ok_or(EngineResult::TEF_BAD_LEDGER)?;
    Ok((broker, vault_id, vault))
}

/// `Data` may be empty, but not too long.
fn valid_data(object: &Object) -> bool {
    object.blob(fields::DATA).is_none_or(|data| data.len() <= MAX_DATA)
}

/// A number field of a transaction, if it is there.
fn given(object: &Object, field: Field) -> Option<Decimal> {
    match object.get(field) {
        Some(Value::Number(_)) => Some(number::get(object, field)),
        _ => None,
    }
}

/// Whether numbers of a transaction can be amounts of an asset.
fn representable(object: &Object, all: &[Field], asset: Issue) -> Ter {
    for value in all.iter().filter_map(|field| given(object, *field)) {
        let amount = written(Amount::from_decimal(asset, value))?;
        ensure(amount.decimal() == value, EngineResult::TEC_PRECISION_LOSS)?;
    }
    Ok(())
}

/// Adds to a broker's cover (or takes from it), and rounds it.
fn change_cover(view: &mut dyn ApplyView, id: &Hash256, by: Decimal, asset: Issue) -> Ter {
    let broker = view.get_mut(id).ok_or(EngineResult::TEC_INTERNAL)?;
    written(number::add(broker, fields::COVER_AVAILABLE, by))?;
    written(number::associate(broker, asset))
}

/// The broker's own count of its loans.
fn count_loan(broker: &mut Object, by: i64) {
    let count = i64::from(loan::rate(broker, fields::OWNER_COUNT)) + by;
    loan::set_u32(broker, fields::OWNER_COUNT, u32::try_from(count).unwrap_or_default());
}
