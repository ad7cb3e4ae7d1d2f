//! LoanBrokerSet (<https://xrpl.org/docs/references/protocol/transactions/types/loanbrokerset>).

use xrpl_protocol::{
    EngineResult, Field, Hash256, Object, Value, decimal::Decimal, fields, object_id,
};

use super::{broker_id, dependencies, given, names, representable, valid_data, written};
use crate::{
    ledger::{
        ApplyView, PreparedTx, ReadView, Ter, directory, entry_type,
        helpers::{
            account_root::{adjust_owner_count, create_pseudo_account, reserve},
            copy_fields, loan, mpt, number, token, vault,
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// 10 %, in tenths of a basis point.
const MAX_MANAGEMENT_FEE_RATE: u16 = 10_000;
/// 100 %.
const MAX_COVER_RATE: u32 = 100_000;
/// Broker and pseudo-account count for the owner's reserve.
const OWNED: i64 = 2;
/// Loans are numbered from here.
const FIRST_LOAN: u32 = 1;

/// The type.
#[derive(Debug)]
pub(crate) struct BrokerSet;

fn vault_id(tx: &PreparedTx) -> Hash256 {
    tx.object.hash256(fields::VAULT_ID).unwrap_or_default()
}

fn changes_broker(tx: &PreparedTx) -> bool {
    tx.object.contains(fields::LOAN_BROKER_ID)
}

impl Transactor for BrokerSet {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        dependencies(ctx)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let (tx, object) = (ctx.tx, &ctx.tx.object);
        let fee = object.u16(fields::MANAGEMENT_FEE_RATE);
        let minimum = object.u32(fields::COVER_RATE_MINIMUM);
        let liquidation = object.u32(fields::COVER_RATE_LIQUIDATION);
        let most = Decimal::from(mpt::MAX_AMOUNT);
        let debt = given(object, fields::DEBT_MAXIMUM);
        let fixed = fee.is_some() || minimum.is_some() || liquidation.is_some();
        let good = valid_data(object)
            && fee.is_none_or(|rate| rate <= MAX_MANAGEMENT_FEE_RATE)
            && [minimum, liquidation].into_iter().flatten().all(|rate| rate <= MAX_COVER_RATE)
            && debt.is_none_or(|debt| debt.signum() >= 0 && debt <= most)
            && !(changes_broker(tx) && (fixed || broker_id(tx).is_zero()))
            && (minimum.unwrap_or_default() == 0) == (liquidation.unwrap_or_default() == 0);
        ensure(good, EngineResult::TEM_INVALID)?;
        names(vault_id(tx))
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let (missing, permission) = (EngineResult::TEC_NO_ENTRY, EngineResult::TEC_NO_PERMISSION);
        let vault = view.read(&vault_id(tx)).ok_or(missing)?;
        let asset = vault::asset(&vault);
        ensure(vault::owner(&vault) == tx.account, permission)?;
        if changes_broker(tx) {
            let broker = loan::broker(view, &broker_id(tx)).ok_or(missing)?;
            let same = broker.hash256(fields::VAULT_ID) == Some(vault_id(tx))
                && broker.account(fields::OWNER) == Some(tx.account);
            ensure(same, permission)?;
            let debt = number::get(&broker, fields::DEBT_TOTAL);
            let most = given(&tx.object, fields::DEBT_MAXIMUM);
            let enough = most.is_none_or(|most| most.is_zero() || most >= debt);
            ensure(enough, EngineResult::TEC_LIMIT_EXCEEDED)?;
        } else {
            token::can_add_holding(view, asset)?;
            token::check_frozen(view, vault::account_of(&vault), asset)?;
        }
        representable(&tx.object, &[fields::DEBT_MAXIMUM], asset)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, prior_balance) = (ctx.tx, ctx.prior_balance);
        let view = &mut ctx.view;
        let bad = EngineResult::TEF_BAD_LEDGER;
        if changes_broker(tx) {
            let broker = loan::broker(view, &broker_id(tx)).ok_or(bad)?;
            let (_, vault) = loan::vault_of(view, &broker).ok_or(EngineResult::TEC_INTERNAL)?;
            drop(broker);
            let broker = view.get_mut(&broker_id(tx)).ok_or(bad)?;
            set_optional(&tx.object, broker)?;
            return written(number::associate(broker, vault::asset(&vault)));
        }
        let vault = view.read(&vault_id(tx)).ok_or(bad)?;
        let (asset, vault_account) = (vault::asset(&vault), vault::account_of(&vault));
        drop(vault);
        let (owner, sequence) = (tx.account, tx.seq.value());
        let id = object_id::loan_broker(owner, sequence);
        let full = EngineResult::TEC_DIR_FULL;
        let page = directory::add_owned(view, owner, id).ok_or(full)?;
        let vault_page = directory::add_owned(view, vault_account, id).ok_or(full)?;
        adjust_owner_count(view, owner, OWNED)?;
        let root = view.account(owner).ok_or(bad)?;
        let enough = prior_balance >= reserve(view, &root, 0);
        drop(root);
        ensure(enough, EngineResult::TEC_INSUFFICIENT_RESERVE)?;
        let pseudo = create_pseudo_account(view, id, fields::LOAN_BROKER_ID)?;
        token::add_empty_holding(view, pseudo, prior_balance, asset)?;
        let mut broker = entry_type::new(entry_type::LOAN_BROKER)
            .with(fields::OWNER_NODE, page)
            .with(fields::VAULT_NODE, vault_page)
            .with(fields::SEQUENCE, sequence)
            .with(fields::VAULT_ID, vault_id(tx))
            .with(fields::OWNER, owner)
            .with(fields::ACCOUNT, pseudo)
            .with(fields::LOAN_SEQUENCE, FIRST_LOAN);
        let fixed = [
            fields::MANAGEMENT_FEE_RATE,
            fields::COVER_RATE_MINIMUM,
            fields::COVER_RATE_LIQUIDATION,
        ];
        copy_fields(&tx.object, &mut broker, &fixed);
        leave_out_zeros(&mut broker, &fixed);
        set_optional(&tx.object, &mut broker)?;
        written(number::associate(&mut broker, asset))?;
        view.insert(id, broker);
        Ok(())
    }
}

/// What may be set at any time.
fn set_optional(tx: &Object, broker: &mut Object) -> Ter {
    match tx.blob(fields::DATA) {
        None => {}
        Some([]) => {
            broker.remove(fields::DATA);
        }
        Some(data) => broker.set(fields::DATA, data.to_vec().into()),
    }
    match given(tx, fields::DEBT_MAXIMUM) {
        None => Ok(()),
        Some(most) => written(number::set(broker, fields::DEBT_MAXIMUM, most)),
    }
}

/// Rates that are 0 are left out.
fn leave_out_zeros(entry: &mut Object, all: &[Field]) {
    for field in all {
        if let Some(Value::UInt16(0) | Value::UInt32(0)) = entry.get(*field) {
            entry.remove(*field);
        }
    }
}
