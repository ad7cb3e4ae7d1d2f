//! Checks: CheckCreate and CheckCancel, and CheckCash in a file of its own
//! (<https://xrpl.org/docs/concepts/payment-types/checks>).

mod cash;

pub(super) use cash::Cash;

use xrpl_protocol::{AccountId, Amount, EngineResult, Hash256, Issue, fields, object_id};

use super::{ApplyContext, PreclaimContext, PreflightContext, Transactor, destination, ensure};
use crate::ledger::{
    ApplyView, Entry, PreparedTx, ReadView, Ter, amendment, directory, entry_type,
    helpers::{
        account_root::{
            adjust_owner_count, check_destination_and_tag, flag, flags_of, is_pseudo, reserve,
        },
        copy_fields, has_expired, is_bad_asset, is_legal_net, mpt, token, trust_line,
    },
};

/// CheckCreate.
#[derive(Debug)]
pub(super) struct Create;

/// CheckCancel.
#[derive(Debug)]
pub(super) struct Cancel;

fn send_max(tx: &PreparedTx) -> Amount {
    tx.object.amount(fields::SEND_MAX).unwrap_or(Amount::Xrp(0))
}

impl Transactor for Create {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        ctx.rules.enabled(amendment::MPTOKENS_V2) || !matches!(send_max(ctx.tx), Amount::Mpt { .. })
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        ensure(tx.account != destination(tx), EngineResult::TEM_REDUNDANT)?;
        let amount = send_max(tx);
        ensure(is_legal_net(&amount) && amount.signum() > 0, EngineResult::TEM_BAD_AMOUNT)?;
        ensure(!is_bad_asset(amount.issue()), EngineResult::TEM_BAD_CURRENCY)?;
        let never = tx.object.u32(fields::EXPIRATION) == Some(0);
        ensure(!never, EngineResult::TEM_BAD_EXPIRATION)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let root = view.account(destination(tx)).ok_or(EngineResult::TEC_NO_DST)?;
        let refuses = flags_of(&root) & flag::DISALLOW_INCOMING_CHECK != 0 || is_pseudo(&root);
        ensure(!refuses, EngineResult::TEC_NO_PERMISSION)?;
        check_destination_and_tag(Some(&root), tx.object.contains(fields::DESTINATION_TAG))?;
        drop(root);
        not_frozen(view, send_max(tx).issue(), tx.account, destination(tx))?;
        let expired = has_expired(view, tx.object.u32(fields::EXPIRATION));
        ensure(!expired, EngineResult::TEC_EXPIRED)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let view = &mut ctx.view;
        let root = view.account(tx.account).ok_or(EngineResult::TEF_INTERNAL)?;
        let enough = ctx.prior_balance >= reserve(view, &root, 1);
        ensure(enough, EngineResult::TEC_INSUFFICIENT_RESERVE)?;
        drop(root);
        let (from, to, number) = (tx.account, destination(tx), tx.seq.value());
        let id = object_id::check(from, number);
        let mut check = entry_type::new(entry_type::CHECK)
            .with(fields::ACCOUNT, from)
            .with(fields::DESTINATION, to)
            .with(fields::SEQUENCE, number);
        let copied = [
            fields::SEND_MAX,
            fields::SOURCE_TAG,
            fields::DESTINATION_TAG,
            fields::INVOICE_ID,
            fields::EXPIRATION,
        ];
        copy_fields(&tx.object, &mut check, &copied);
        for (owner, node) in [(to, fields::DESTINATION_NODE), (from, fields::OWNER_NODE)] {
            let page = directory::add_owned(view, owner, id).ok_or(EngineResult::TEC_DIR_FULL)?;
            check.set(node, page.into());
        }
        view.insert(id, check);
        adjust_owner_count(view, from, 1)
    }
}

/// Whether no freeze keeps the receiver from getting it, as far as can be told today. A sender
/// without a trust line may still get one.
fn not_frozen(view: &dyn ReadView, issue: Issue, from: AccountId, to: AccountId) -> Ter {
    token::check_global_frozen(view, issue)?;
    match issue {
        Issue::Xrp => Ok(()),
        Issue::Issued { currency, issuer } => {
            let by_issuer = trust_line::is_individual_frozen(view, from, currency, issuer);
            // The receiver may have frozen its own line.
            let by_receiver = trust_line::is_individual_frozen(view, issuer, currency, to);
            ensure(!by_issuer && !by_receiver, EngineResult::TEC_FROZEN)
        }
        Issue::Mpt(id) => {
            let locked = [from, to]
                .iter()
                .any(|account| *account != id.issuer() && token::is_frozen(view, *account, issue));
            ensure(!locked, EngineResult::TEC_LOCKED)?;
            mpt::can_transfer(view, id, from, to)
        }
    }
}

fn named(view: &dyn ReadView, tx: &PreparedTx) -> Result<(Hash256, Entry), EngineResult> {
    let id = tx.object.hash256(fields::CHECK_ID).unwrap_or_default();
    let check = view.read(&id).filter(|entry| entry_type::of(entry) == entry_type::CHECK);
    Ok((id, check.ok_or(EngineResult::TEC_NO_ENTRY)?))
}

impl Transactor for Cancel {
    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (_, check) = named(ctx.view, ctx.tx)?;
        let is = |field| check.account(field) == Some(ctx.tx.account);
        // Anybody may clear away what has expired.
        let may = has_expired(ctx.view, check.u32(fields::EXPIRATION))
            || is(fields::ACCOUNT)
            || is(fields::DESTINATION);
        ensure(may, EngineResult::TEC_NO_PERMISSION)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (id, _) = named(&ctx.view, ctx.tx)?;
        remove(&mut ctx.view, &id)
    }
}

/// Takes a check out of the ledger.
fn remove(view: &mut dyn ApplyView, id: &Hash256) -> Ter {
    let bad = EngineResult::TEF_BAD_LEDGER;
    let check = view.read(id).ok_or(bad)?;
    let from = check.account(fields::ACCOUNT).ok_or(bad)?;
    let to = check.account(fields::DESTINATION).ok_or(bad)?;
    for (owner, node) in [(to, fields::DESTINATION_NODE), (from, fields::OWNER_NODE)] {
        let page = check.u64(node).unwrap_or_default();
        ensure(directory::remove(view, object_id::owner_dir(owner), page, id, true), bad)?;
    }
    adjust_owner_count(view, from, -1)?;
    view.erase(id);
    Ok(())
}
