//! Payment: XRP directly; everything else is [`super::flow`]'s
//! (<https://xrpl.org/docs/references/protocol/transactions/types/payment>).

use xrpl_protocol::{AccountId, Amount, EngineResult, Issue, Value, fields, object_id};

use super::{
    ApplyContext, Consequences, PreclaimContext, PreflightContext, Transactor, destination, flow,
};
use crate::ledger::{
    ApplyView, PreparedTx, ReadView, Sandbox, Ter, entry_type,
    helpers::{
        BAD_CURRENCY,
        account_root::{balance_of, flag, flags_of, reserve, set_balance},
    },
};

pub(super) const NO_RIPPLE_DIRECT: u32 = 0x0001_0000;
pub(super) const PARTIAL_PAYMENT: u32 = 0x0002_0000;
pub(super) const LIMIT_QUALITY: u32 = 0x0004_0000;

/// Paths a payment may name, and steps in each.
const MAX_PATHS: usize = 6;
const MAX_PATH_STEPS: usize = 8;
/// Credentials a transaction may present.
const MAX_CREDENTIALS: usize = 8;

/// The type.
#[derive(Debug)]
pub(super) struct Payment;

fn has_bad_currency(amount: &Amount) -> bool {
    matches!(amount, Amount::Issued { currency, .. } if *currency == BAD_CURRENCY)
}

fn amount_of(tx: &PreparedTx) -> Amount {
    tx.object.amount(fields::AMOUNT).unwrap_or(Amount::Xrp(0))
}

/// `SendMax`, or else `Amount` with the sender as its issuer.
pub(super) fn max_source_amount(tx: &PreparedTx) -> Amount {
    match (tx.object.amount(fields::SEND_MAX), amount_of(tx)) {
        (Some(max), _) => max,
        (None, Amount::Issued { value, currency, .. }) => {
            Amount::Issued { value, currency, issuer: tx.account }
        }
        (None, amount) => amount,
    }
}

/// xrpld's `isLegalNet`.
fn legal(amount: &Amount) -> bool {
    match amount {
        Amount::Xrp(drops) => drops.unsigned_abs() <= crate::ledger::genesis::TOTAL_COINS,
        _ => true,
    }
}

fn equal_tokens(a: Issue, b: Issue) -> bool {
    match (a, b) {
        (Issue::Issued { currency: a, .. }, Issue::Issued { currency: b, .. }) => a == b,
        (a, b) => a == b,
    }
}

impl Transactor for Payment {
    fn flags(&self, ctx: &PreflightContext<'_>) -> u32 {
        let tx = ctx.tx;
        if matches!(amount_of(tx), Amount::Mpt { .. }) {
            PARTIAL_PAYMENT
        } else {
            NO_RIPPLE_DIRECT | PARTIAL_PAYMENT | LIMIT_QUALITY
        }
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        let object = &tx.object;
        let (amount, max) = (amount_of(tx), max_source_amount(tx));
        let mpt = matches!(amount, Amount::Mpt { .. });
        let has_paths = object.contains(fields::PATHS);
        if mpt && has_paths {
            return Err(EngineResult::TEM_MALFORMED);
        }
        if object.hash256(fields::DOMAIN_ID).is_some_and(|id| id.is_zero()) {
            return Err(EngineResult::TEM_MALFORMED);
        }
        if (mpt && amount.issue() != max.issue()) || (!mpt && matches!(max, Amount::Mpt { .. })) {
            return Err(EngineResult::TEM_MALFORMED);
        }
        let xrp = matches!((&amount, &max), (Amount::Xrp(_), Amount::Xrp(_)));
        if !legal(&amount) || !legal(&max) {
            return Err(EngineResult::TEM_BAD_AMOUNT);
        }
        let to = destination(tx);
        if to == AccountId::ZERO {
            return Err(EngineResult::TEM_DST_NEEDED);
        }
        let has_max = object.contains(fields::SEND_MAX);
        if (has_max && max.signum() <= 0) || amount.signum() <= 0 {
            return Err(EngineResult::TEM_BAD_AMOUNT);
        }
        if has_bad_currency(&amount) || has_bad_currency(&max) {
            return Err(EngineResult::TEM_BAD_CURRENCY);
        }
        if tx.account == to && equal_tokens(max.issue(), amount.issue()) && !has_paths {
            return Err(EngineResult::TEM_REDUNDANT);
        }
        if xrp && has_max {
            return Err(EngineResult::TEM_BAD_SEND_XRP_MAX);
        }
        let direct = xrp || mpt;
        if direct && has_paths {
            return Err(EngineResult::TEM_BAD_SEND_XRP_PATHS);
        }
        if xrp && tx.has_flag(PARTIAL_PAYMENT) {
            return Err(EngineResult::TEM_BAD_SEND_XRP_PARTIAL);
        }
        if direct && tx.has_flag(LIMIT_QUALITY) {
            return Err(EngineResult::TEM_BAD_SEND_XRP_LIMIT);
        }
        if direct && tx.has_flag(NO_RIPPLE_DIRECT) {
            return Err(EngineResult::TEM_BAD_SEND_XRP_NO_DIRECT);
        }
        deliver_min(tx, &amount)?;
        credentials_form(tx)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let tx = ctx.tx;
        let amount = amount_of(tx);
        let to = destination(tx);
        match ctx.view.account(to) {
            None => {
                let Amount::Xrp(drops) = amount else { return Err(EngineResult::TEC_NO_DST) };
                let open = ctx.view.info().open;
                if open && tx.has_flag(PARTIAL_PAYMENT) {
                    return Err(EngineResult::TEL_NO_DST_PARTIAL);
                }
                if u64::try_from(drops).is_ok_and(|drops| drops < ctx.view.info().fees.reserve) {
                    return Err(EngineResult::TEC_NO_DST_INSUF_XRP);
                }
            }
            Some(root) => {
                let needs_tag = flags_of(&root) & flag::REQUIRE_DEST_TAG != 0;
                if needs_tag && !tx.object.contains(fields::DESTINATION_TAG) {
                    return Err(EngineResult::TEC_DST_TAG_NEEDED);
                }
            }
        }
        if flow::is_flow(tx)
            && ctx.view.info().open
            && let Some(Value::PathSet(paths)) = tx.object.get(fields::PATHS)
            && (paths.len() > MAX_PATHS || paths.iter().any(|path| path.len() > MAX_PATH_STEPS))
        {
            return Err(EngineResult::TEL_BAD_PATH_COUNT);
        }
        credentials_exist(ctx.view, tx)?;
        if tx.object.contains(fields::DOMAIN_ID) {
            // No type here makes a permissioned domain.
            return Err(EngineResult::TEC_NO_PERMISSION);
        }
        flow::supported(tx)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let (to, amount) = (destination(tx), amount_of(tx));
        let to_key = object_id::account_root(to);
        if ctx.view.get_mut(&to_key).is_none() {
            let root = entry_type::new(entry_type::ACCOUNT_ROOT)
                .with(fields::ACCOUNT, to)
                .with(fields::SEQUENCE, ctx.view.info().index)
                .with(fields::BALANCE, Amount::Xrp(0))
                .with(fields::OWNER_COUNT, 0u32);
            ctx.view.insert(to_key, root);
        }
        if flow::is_flow(tx) {
            deposit_allowed(&ctx.view, tx, to)?;
            return flow::apply(ctx);
        }
        let Amount::Xrp(drops) = amount else { return Err(EngineResult::TEF_INTERNAL) };
        let sender = ctx.view.account(tx.account).ok_or(EngineResult::TEF_INTERNAL)?;
        let fee = tx.fee.unwrap_or(0);
        // Fees may come out of the reserve, payments may not.
        let keep = reserve(&ctx.view, &sender, 0).max(fee);
        if ctx.prior_balance < drops.saturating_add(keep) {
            return Err(EngineResult::TEC_UNFUNDED_PAYMENT);
        }
        let receiver = ctx.view.account(to).ok_or(EngineResult::TEF_INTERNAL)?;
        // However closed an account is, it takes what lets it pay fees again.
        let base_reserve = i64::try_from(ctx.view.info().fees.reserve).unwrap_or(i64::MAX);
        if drops > base_reserve || balance_of(&receiver) > base_reserve {
            deposit_allowed(&ctx.view, tx, to)?;
        }
        drop((sender, receiver));
        let sender = ctx.account_root()?;
        let left = balance_of(sender) - drops;
        set_balance(sender, left);
        let receiver = ctx.view.get_mut(&to_key).ok_or(EngineResult::TEF_INTERNAL)?;
        let balance = balance_of(receiver).saturating_add(drops);
        set_balance(receiver, balance);
        let flags = flags_of(receiver);
        if flags & flag::PASSWORD_SPENT != 0 {
            receiver.set(fields::FLAGS, (flags & !flag::PASSWORD_SPENT).into());
        }
        Ok(())
    }

    fn consequences(&self, tx: &PreparedTx) -> Consequences {
        let max = tx.object.amount(fields::SEND_MAX).unwrap_or_else(|| amount_of(tx));
        let potential_spend = max.drops().unwrap_or(0);
        Consequences { potential_spend, ..Consequences::normal(tx) }
    }
}

fn deliver_min(tx: &PreparedTx, amount: &Amount) -> Ter {
    let Some(min) = tx.object.amount(fields::DELIVER_MIN) else { return Ok(()) };
    let more = match (&min, amount) {
        (Amount::Xrp(a), Amount::Xrp(b)) => a > b,
        (Amount::Mpt { value: a, .. }, Amount::Mpt { value: b, .. }) => a > b,
        (Amount::Issued { value: a, .. }, Amount::Issued { value: b, .. }) => a > b,
        _ => true,
    };
    let ok = tx.has_flag(PARTIAL_PAYMENT)
        && legal(&min)
        && min.signum() > 0
        && min.issue() == amount.issue()
        && !more;
    if ok { Ok(()) } else { Err(EngineResult::TEM_BAD_AMOUNT) }
}

fn credentials_form(tx: &PreparedTx) -> Ter {
    let Some(ids) = tx.object.vector256(fields::CREDENTIAL_I_DS) else { return Ok(()) };
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    if ids.is_empty() || ids.len() > MAX_CREDENTIALS || sorted.len() != ids.len() {
        return Err(EngineResult::TEM_MALFORMED);
    }
    Ok(())
}

fn credentials_exist(view: &dyn ReadView, tx: &PreparedTx) -> Ter {
    let ids = tx.object.vector256(fields::CREDENTIAL_I_DS).unwrap_or_default();
    if ids.iter().all(|id| view.exists(id)) {
        Ok(())
    } else {
        Err(EngineResult::TEC_BAD_CREDENTIALS)
    }
}

/// Whether the sender may deposit with an account that wants to be asked first.
pub(super) fn deposit_allowed(view: &Sandbox<'_>, tx: &PreparedTx, to: AccountId) -> Ter {
    let closed = view.account(to).is_some_and(|root| flags_of(&root) & flag::DEPOSIT_AUTH != 0);
    let allowed =
        !closed || tx.account == to || view.exists(&object_id::deposit_preauth(to, tx.account));
    if allowed { Ok(()) } else { Err(EngineResult::TEC_NO_PERMISSION) }
}
