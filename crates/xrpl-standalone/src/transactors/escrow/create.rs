//! EscrowCreate (<https://xrpl.org/docs/references/protocol/transactions/types/escrowcreate>).

use xrpl_protocol::{
    AccountId, Amount, Currency, EngineResult, Hash256, Issue, IssuedValue, MptId, Rate, fields,
    object_id,
};

use super::{amount_of, condition::Condition};
use crate::{
    ledger::{
        ApplyView, PreparedTx, ReadView, Ter, amendment, directory, entry_type,
        helpers::{
            BAD_CURRENCY,
            account_root::{
                add_balance, adjust_owner_count, balance_of, check_destination_and_tag, flag,
                flags_of, is_pseudo, reserve,
            },
            copy_fields, mpt,
            token::{self, Auth, IfFrozen, IfUnauthorized, Spendable},
            trust_line::{self, Side},
        },
    },
    transactors::{
        ApplyContext, Consequences, PreclaimContext, PreflightContext, Transactor, destination,
        ensure, xrp_amount,
    },
};

/// The type.
#[derive(Debug)]
pub(crate) struct Create;

fn form(ctx: &PreflightContext<'_>, amount: &Amount) -> Ter {
    let bad = EngineResult::TEM_BAD_AMOUNT;
    let tokens = ctx.rules.enabled(amendment::TOKEN_ESCROW);
    match amount {
        Amount::Xrp(drops) => ensure(*drops > 0, bad),
        Amount::Issued { value, currency, .. } => {
            ensure(tokens && value.signum() > 0, bad)?;
            ensure(*currency != BAD_CURRENCY, EngineResult::TEM_BAD_CURRENCY)
        }
        Amount::Mpt { value, .. } => {
            ensure(tokens, bad)?;
            let known = ctx.rules.enabled(amendment::FIX_CLEANUP_3_2_0)
                || ctx.rules.enabled(amendment::MPTOKENS_V1);
            ensure(known, EngineResult::TEM_DISABLED)?;
            ensure(*value > 0, bad)
        }
    }
}

impl Transactor for Create {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        let mpt = matches!(amount_of(&ctx.tx.object), Amount::Mpt { .. });
        !(mpt && ctx.rules.enabled(amendment::FIX_CLEANUP_3_2_0))
            || ctx.rules.enabled(amendment::MPTOKENS_V1)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let object = &ctx.tx.object;
        form(ctx, &amount_of(object))?;
        let cancel = object.u32(fields::CANCEL_AFTER);
        let finish = object.u32(fields::FINISH_AFTER);
        let condition = object.blob(fields::CONDITION);
        let times = match (cancel, finish) {
            (None, None) => false,
            (Some(cancel), Some(finish)) => cancel > finish,
            _ => true,
        };
        ensure(times, EngineResult::TEM_BAD_EXPIRATION)?;
        // Otherwise anybody could finish it at once.
        ensure(finish.is_some() || condition.is_some(), EngineResult::TEM_MALFORMED)?;
        let readable = condition.is_none_or(|bytes| Condition::parse(bytes).is_some());
        ensure(readable, EngineResult::TEM_MALFORMED)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let to = destination(tx);
        let root = view.account(to).ok_or(EngineResult::TEC_NO_DST)?;
        ensure(!is_pseudo(&root), EngineResult::TEC_NO_PERMISSION)?;
        drop(root);
        let amount = amount_of(&tx.object);
        if !matches!(amount, Amount::Xrp(_)) && !view.rules().enabled(amendment::TOKEN_ESCROW) {
            return Err(EngineResult::TEM_DISABLED);
        }
        match amount {
            Amount::Xrp(_) => Ok(()),
            Amount::Issued { currency, issuer, .. } => {
                may_lock_issued(view, tx.account, to, currency, issuer)?;
                can_spare(view, tx.account, &amount)
            }
            Amount::Mpt { id, .. } => {
                may_lock_mpt(view, tx.account, to, id)?;
                can_spare(view, tx.account, &amount)
            }
        }
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let view = &mut ctx.view;
        let now = view.info().parent_close_time;
        let is_past = |field| tx.object.u32(field).is_some_and(|at| now > at);
        let past = is_past(fields::CANCEL_AFTER) || is_past(fields::FINISH_AFTER);
        ensure(!past, EngineResult::TEC_NO_PERMISSION)?;
        let (from, to, amount) = (tx.account, destination(tx), amount_of(&tx.object));
        let root = view.account(from).ok_or(EngineResult::TEF_INTERNAL)?;
        let (balance, keep) = (balance_of(&root), reserve(view, &root, 1));
        drop(root);
        ensure(balance >= keep, EngineResult::TEC_INSUFFICIENT_RESERVE)?;
        let drops = amount.drops().unwrap_or_default();
        ensure(balance >= keep.saturating_add(drops), EngineResult::TEC_UNFUNDED)?;
        let has_tag = tx.object.contains(fields::DESTINATION_TAG);
        check_destination_and_tag(view.account(to).as_deref(), has_tag)?;
        let id = object_id::escrow(from, tx.seq.value());
        insert(view, tx, id, &amount)?;
        match amount {
            Amount::Xrp(drops) => add_balance(view, from, -drops)?,
            Amount::Issued { value, currency, issuer } => {
                lock_issued(view, from, issuer, currency, value)?;
            }
            Amount::Mpt { value, id } => mpt::lock_escrow(view, from, id, value)?,
        }
        adjust_owner_count(view, from, 1)
    }

    fn consequences(&self, tx: &PreparedTx) -> Consequences {
        Consequences::spending(tx, xrp_amount(tx).unwrap_or_default())
    }
}

/// Writes the escrow and lists it with its owner, who gets it, and the issuer of a currency, which
/// sees in its directory how much is locked up. (An MPT's issuance tells that itself.)
fn insert(view: &mut dyn ApplyView, tx: &PreparedTx, id: Hash256, amount: &Amount) -> Ter {
    let (from, to) = (tx.account, destination(tx));
    let mut escrow = entry_type::new(entry_type::ESCROW)
        .with(fields::AMOUNT, *amount)
        .with(fields::ACCOUNT, from)
        .with(fields::DESTINATION, to);
    let copied = [
        fields::CONDITION,
        fields::SOURCE_TAG,
        fields::CANCEL_AFTER,
        fields::FINISH_AFTER,
        fields::DESTINATION_TAG,
    ];
    copy_fields(&tx.object, &mut escrow, &copied);
    if view.rules().enabled(amendment::FIX_INCLUDE_KEYLET_FIELDS) {
        escrow.set(fields::SEQUENCE, tx.seq.value().into());
    }
    // What the issuer would take today is the most that it will.
    let rate = token::transfer_rate(view, amount.issue());
    if rate != Rate::PARITY {
        escrow.set(fields::TRANSFER_RATE, rate.0.into());
    }
    let mut places = vec![(from, fields::OWNER_NODE)];
    if to != from {
        places.push((to, fields::DESTINATION_NODE));
    }
    if let Issue::Issued { issuer, .. } = amount.issue()
        && issuer != from
        && issuer != to
    {
        places.push((issuer, fields::ISSUER_NODE));
    }
    for (owner, node) in places {
        let page = directory::add_owned(view, owner, id).ok_or(EngineResult::TEC_DIR_FULL)?;
        escrow.set(node, page.into());
    }
    view.insert(id, escrow);
    Ok(())
}

fn lock_issued(
    view: &mut dyn ApplyView,
    from: AccountId,
    issuer: AccountId,
    currency: Currency,
    value: IssuedValue,
) -> Ter {
    ensure(from != issuer, EngineResult::TEC_INTERNAL)?;
    trust_line::credit(view, from, issuer, currency, value)
}

/// Whether a currency may be locked up between these accounts.
fn may_lock_issued(
    view: &dyn ReadView,
    from: AccountId,
    to: AccountId,
    currency: Currency,
    issuer: AccountId,
) -> Ter {
    let refused = EngineResult::TEC_NO_PERMISSION;
    ensure(issuer != from, refused)?;
    let root = view.account(issuer).ok_or(EngineResult::TEC_NO_ISSUER)?;
    ensure(flags_of(&root) & flag::ALLOW_TRUST_LINE_LOCKING != 0, refused)?;
    let line = view.read(&object_id::trust_line(from, issuer, currency));
    let line = line.ok_or(EngineResult::TEC_NO_LINE)?;
    // The other way round, the sender would be the issuer.
    ensure(trust_line::balance(&line, Side::of(from, issuer)).signum() >= 0, refused)?;
    let issue = Issue::Issued { currency, issuer };
    for account in [from, to] {
        token::require_auth(view, issue, account, Auth::Legacy)?;
    }
    ensure(!token::is_any_frozen(view, &[from, to], issue), EngineResult::TEC_FROZEN)
}

/// Whether an MPT may be locked up between these accounts.
fn may_lock_mpt(view: &dyn ReadView, from: AccountId, to: AccountId, id: MptId) -> Ter {
    let refused = EngineResult::TEC_NO_PERMISSION;
    ensure(id.issuer() != from, refused)?;
    let issuance = token::issuance(view, id)?;
    ensure(flags_of(&issuance) & mpt::flag::CAN_ESCROW != 0, refused)?;
    ensure(mpt::issuer_of(&issuance) == id.issuer(), refused)?;
    let held = view.exists(&object_id::mptoken(id, from));
    ensure(held, EngineResult::TEC_OBJECT_NOT_FOUND)?;
    for account in [from, to] {
        mpt::require_auth(view, id, account, Auth::Weak)?;
    }
    let locked = token::is_any_frozen(view, &[from, to], Issue::Mpt(id));
    ensure(!locked, EngineResult::TEC_LOCKED)?;
    mpt::can_transfer(view, id, from, to)
}

/// Whether the sender holds so much, and enough digits to tell it from what it keeps.
fn can_spare(view: &dyn ReadView, from: AccountId, amount: &Amount) -> Ter {
    let held = token::account_holds(
        view,
        from,
        amount.issue(),
        IfFrozen::Ignore,
        IfUnauthorized::Ignore,
        Spendable::Simple,
    );
    let enough = held.signum() > 0 && !held.is_less(amount);
    ensure(enough, EngineResult::TEC_INSUFFICIENT_FUNDS)?;
    let exact = matches!(amount, Amount::Mpt { .. }) || held.can_add(amount);
    ensure(exact, EngineResult::TEC_PRECISION_LOSS)
}
