//! Payment: XRP directly, MPTs by [`super::mpt`] before the amendment MPTokensV2; everything else is
//! [`super::flow`]'s
//! (<https://xrpl.org/docs/references/protocol/transactions/types/payment>).

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Issue, ResultClass, Value, fields, object::PathStep, object_id,
};

use super::{
    ApplyContext, Consequences, Granular, PreclaimContext, PreflightContext, Transactor,
    destination, ensure,
    flow::ripple_calc::{self, ripple_calculate},
    mpt,
};
use crate::ledger::{
    ApplyView, PaymentSandbox, PreparedTx, ReadView, Rules, Ter, amendment, entry_type,
    helpers::{
        BAD_CURRENCY,
        account_root::{balance_of, flag, flags_of, is_pseudo, reserve, set_balance},
        credentials, is_legal_net,
        permissioned_dex::account_in_domain,
        trust_line::{Side, balance, value_of},
    },
};

const NO_RIPPLE_DIRECT: u32 = 0x0001_0000;
const PARTIAL_PAYMENT: u32 = 0x0002_0000;
const LIMIT_QUALITY: u32 = 0x0004_0000;

/// Paths a payment may name, and steps in each.
const MAX_PATHS: usize = 6;
const MAX_PATH_STEPS: usize = 8;

/// The type.
#[derive(Debug)]
pub(super) struct Payment;

/// Whether nobody could hold it: the currency that spells XRP; later, an MPT that nobody issued.
fn is_bad(amount: &Amount, rules: &Rules) -> bool {
    match amount {
        Amount::Xrp(_) => false,
        Amount::Issued { currency, .. } => *currency == BAD_CURRENCY,
        Amount::Mpt { id, .. } => {
            rules.enabled(amendment::MPTOKENS_V2) && id.issuer() == AccountId::ZERO
        }
    }
}

/// Whether it is more than moving XRP from account to account.
fn is_flow(tx: &PreparedTx) -> bool {
    let object = &tx.object;
    object.contains(fields::PATHS)
        || object.contains(fields::SEND_MAX)
        || !matches!(amount_of(tx), Amount::Xrp(_))
}

fn paths_of(tx: &PreparedTx) -> &[Vec<PathStep>] {
    match tx.object.get(fields::PATHS) {
        Some(Value::PathSet(paths)) => paths,
        _ => &[],
    }
}

fn amount_of(tx: &PreparedTx) -> Amount {
    tx.object.amount(fields::AMOUNT).unwrap_or(Amount::Xrp(0))
}

/// Whether it is an MPT that can only go from account to account.
fn is_direct_mpt(amount: &Amount, rules: &Rules) -> bool {
    matches!(amount, Amount::Mpt { .. }) && !rules.enabled(amendment::MPTOKENS_V2)
}

/// `SendMax`, or else `Amount` with the sender as its issuer.
fn max_source_amount(tx: &PreparedTx) -> Amount {
    match (tx.object.amount(fields::SEND_MAX), amount_of(tx)) {
        (Some(max), _) => max,
        (None, Amount::Issued { value, currency, .. }) => {
            Amount::Issued { value, currency, issuer: tx.account }
        }
        (None, amount) => amount,
    }
}

fn equal_tokens(a: Issue, b: Issue) -> bool {
    match (a, b) {
        (Issue::Issued { currency: a, .. }, Issue::Issued { currency: b, .. }) => a == b,
        (a, b) => a == b,
    }
}

/// What a delegate must at least be permitted: to issue or to redeem directly. None for all other
/// payments.
fn needed_permission(view: &dyn ReadView, tx: &PreparedTx) -> Option<Granular> {
    let (amount, to) = (amount_of(tx), destination(tx));
    let max = tx.object.amount(fields::SEND_MAX);
    if max.is_some_and(|max| max.issue() != amount.issue()) {
        return None;
    }
    match amount.issue() {
        Issue::Xrp => None,
        Issue::Mpt(id) if id.issuer() == tx.account => Some(Granular::PaymentMint),
        Issue::Mpt(id) if id.issuer() == to => Some(Granular::PaymentBurn),
        Issue::Mpt(_) => None,
        Issue::Issued { currency, issuer } if issuer == tx.account || issuer == to => {
            // Either end may be named as the issuer. The line tells which of the two owes.
            let line = view.read(&object_id::trust_line(tx.account, to, currency))?;
            let side = Side::of(tx.account, to);
            if balance(&line, side).signum() > 0 {
                return Some(Granular::PaymentBurn);
            }
            let wanted = value_of(&line, side.other().limit()).signum() > 0;
            wanted.then_some(Granular::PaymentMint)
        }
        Issue::Issued { .. } => None,
    }
}

impl Transactor for Payment {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        let needs =
            |field, amendment| !ctx.tx.object.contains(field) || ctx.rules.enabled(amendment);
        needs(fields::CREDENTIAL_I_DS, amendment::CREDENTIALS)
            && needs(fields::DOMAIN_ID, amendment::PERMISSIONED_DEX)
    }

    fn flags(&self, ctx: &PreflightContext<'_>) -> u32 {
        let tx = ctx.tx;
        if is_direct_mpt(&amount_of(tx), ctx.rules) {
            PARTIAL_PAYMENT
        } else {
            NO_RIPPLE_DIRECT | PARTIAL_PAYMENT | LIMIT_QUALITY
        }
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        let object = &tx.object;
        let (amount, max) = (amount_of(tx), max_source_amount(tx));
        let is_mpt = |amount: &Amount| matches!(amount, Amount::Mpt { .. });
        if is_mpt(&amount) && !ctx.rules.enabled(amendment::MPTOKENS_V1) {
            return Err(EngineResult::TEM_DISABLED);
        }
        let mpt = is_direct_mpt(&amount, ctx.rules);
        let v2 = ctx.rules.enabled(amendment::MPTOKENS_V2);
        let has_paths = object.contains(fields::PATHS);
        if mpt && has_paths {
            return Err(EngineResult::TEM_MALFORMED);
        }
        if object.hash256(fields::DOMAIN_ID).is_some_and(|id| id.is_zero())
            && ctx.rules.enabled(amendment::FIX_CLEANUP_3_2_0)
        {
            return Err(EngineResult::TEM_MALFORMED);
        }
        let mixed = if mpt { amount.issue() != max.issue() } else { is_mpt(&max) };
        if !v2 && mixed {
            return Err(EngineResult::TEM_MALFORMED);
        }
        let xrp = matches!((&amount, &max), (Amount::Xrp(_), Amount::Xrp(_)));
        if !is_legal_net(&amount) || !is_legal_net(&max) {
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
        if is_bad(&amount, ctx.rules) || is_bad(&max, ctx.rules) {
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
        credentials::check_fields(&tx.object)
    }

    fn check_granular(&self, view: &dyn ReadView, tx: &PreparedTx, held: &[Granular]) -> Ter {
        let allowed = needed_permission(view, tx).is_some_and(|needed| held.contains(&needed));
        ensure(allowed, EngineResult::TER_NO_DELEGATE_PERMISSION)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let tx = ctx.tx;
        let amount = amount_of(tx);
        let to = destination(tx);
        match ctx.view.account(to) {
            None => {
                let Amount::Xrp(drops) = amount else { return Err(EngineResult::TEC_NO_DST) };
                let open = ctx.view.info().open;
                if tx.has_flag(PARTIAL_PAYMENT) {
                    // A closed ledger takes no `tel`, and what is in a Batch gets into no other.
                    match ctx.parent_batch {
                        _ if open => return Err(EngineResult::TEL_NO_DST_PARTIAL),
                        Some(_) => return Err(EngineResult::TEF_NO_DST_PARTIAL),
                        None => {}
                    }
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
        let paths = paths_of(tx);
        if paths.len() > MAX_PATHS || paths.iter().any(|path| path.len() > MAX_PATH_STEPS) {
            match ctx.parent_batch {
                _ if ctx.view.info().open => return Err(EngineResult::TEL_BAD_PATH_COUNT),
                Some(_) => return Err(EngineResult::TEF_BAD_PATH_COUNT),
                None => {}
            }
        }
        credentials::valid(ctx.view, &tx.object, tx.account)?;
        if let Some(domain) = tx.object.hash256(fields::DOMAIN_ID) {
            let inside = |account| account_in_domain(ctx.view, account, domain);
            ensure(inside(tx.account) && inside(to), EngineResult::TEC_NO_PERMISSION)?;
        }
        Ok(())
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
        if let Amount::Mpt { value, id } = amount
            && is_direct_mpt(&amount, ctx.view.rules())
        {
            return mpt::pay(ctx, to, id, value, tx.has_flag(PARTIAL_PAYMENT));
        }
        if is_flow(tx) {
            credentials::verify_deposit_preauth(&mut ctx.view, &tx.object, tx.account, to)?;
            return apply_flow(ctx, to);
        }
        let Amount::Xrp(drops) = amount else { return Err(EngineResult::TEF_INTERNAL) };
        let sender = ctx.view.account(tx.account).ok_or(EngineResult::TEF_INTERNAL)?;
        // Fees may come out of the reserve, payments may not.
        let own_fee = if tx.fee_payer() == tx.account { tx.fee.unwrap_or(0) } else { 0 };
        let keep = reserve(&ctx.view, &sender, 0).max(own_fee);
        if ctx.prior_balance < drops.saturating_add(keep) {
            return Err(EngineResult::TEC_UNFUNDED_PAYMENT);
        }
        let receiver = ctx.view.account(to).ok_or(EngineResult::TEF_INTERNAL)?;
        ensure(!is_pseudo(&receiver), EngineResult::TEC_NO_PERMISSION)?;
        // However closed an account is, it takes what lets it pay fees again.
        let base_reserve = i64::try_from(ctx.view.info().fees.reserve).unwrap_or(i64::MAX);
        if drops > base_reserve || balance_of(&receiver) > base_reserve {
            credentials::verify_deposit_preauth(&mut ctx.view, &tx.object, tx.account, to)?;
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

/// Moves it through the payment engine.
fn apply_flow(ctx: &mut ApplyContext<'_>, to: AccountId) -> Ter {
    let tx = ctx.tx;
    let amount = amount_of(tx);
    let input = ripple_calc::Input {
        max: max_source_amount(tx),
        deliver: amount,
        source: tx.account,
        destination: to,
        paths: paths_of(tx),
        domain: tx.object.hash256(fields::DOMAIN_ID),
        partial: tx.has_flag(PARTIAL_PAYMENT),
        default_path: !tx.has_flag(NO_RIPPLE_DIRECT),
        limit_quality: tx.has_flag(LIMIT_QUALITY),
    };
    let mut payment = PaymentSandbox::new(&ctx.view);
    let flowed = ripple_calculate(&mut payment, &input);
    let changes = payment.into_changes();
    ctx.view.merge(changes);
    match flowed.result {
        // It costs so much to find out that the fee is taken, instead of trying it again.
        Err(result) if result.class() == ResultClass::Ter => Err(EngineResult::TEC_PATH_DRY),
        Err(result) => Err(result),
        Ok(()) if flowed.output == amount => Ok(()),
        Ok(()) => {
            let least = tx.object.amount(fields::DELIVER_MIN);
            if least.is_some_and(|least| flowed.output.is_less(&least)) {
                return Err(EngineResult::TEC_PATH_PARTIAL);
            }
            ctx.deliver(flowed.output);
            Ok(())
        }
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
        && is_legal_net(&min)
        && min.signum() > 0
        && min.issue() == amount.issue()
        && !more;
    if ok { Ok(()) } else { Err(EngineResult::TEM_BAD_AMOUNT) }
}
