//! Balances of MPTs that only their holders can read
//! (<https://xrpl.org/docs/concepts/tokens/fungible-tokens/confidential-transfers>).
//!
//! Built are the form of the five types, their fee and what can be refused without looking into a
//! proof. Proofs cannot be checked here: a transaction that only they could still decide about is
//! `temDISABLED`, so that no balance is ever hidden.

use xrpl_protocol::{
    AccountId, EngineResult, Field, Issue, Object, fields, keys::PublicKey, object_id,
};

use super::{issuance_id, number};
use crate::{
    ledger::{
        Entry, PreparedTx, ReadView, Ter,
        helpers::{
            account_root::{self, flags_of},
            credentials,
            mpt::{self, MAX_AMOUNT, flag, issuer_of},
            token::{self, Auth},
        },
    },
    transactors::{
        ApplyContext, PreclaimContext, PreflightContext, Transactor, default_base_fee, ensure,
    },
};

/// Base fees that one costs besides the usual ones.
const EXTRA_FEES: u64 = 9;
/// Bytes of a point of the curve.
const POINT: usize = 33;
/// Bytes of the proofs of ConfidentialMPTConvert, -ConvertBack, -Send and -Clawback.
const KEY_PROOF: usize = 64;
const CONVERT_BACK_PROOF: usize = 128 + 688;
const SEND_PROOF: usize = 192 + 754;
const CLAWBACK_PROOF: usize = 64;

const MALFORMED: EngineResult = EngineResult::TEM_MALFORMED;
const MISSING: EngineResult = EngineResult::TEC_OBJECT_NOT_FOUND;
const REFUSED: EngineResult = EngineResult::TEC_NO_PERMISSION;
/// What only a proof could decide.
const UNDECIDED: Ter = Err(EngineResult::TEM_DISABLED);

/// Hides a part of the sender's balance; the first one registers the sender's key.
#[derive(Debug)]
pub(in crate::transactors) struct Convert;

/// Makes what was received spendable.
#[derive(Debug)]
pub(in crate::transactors) struct MergeInbox;

/// Shows a part of the sender's balance again.
#[derive(Debug)]
pub(in crate::transactors) struct ConvertBack;

/// Sends a hidden amount.
#[derive(Debug)]
pub(in crate::transactors) struct Send;

/// Takes a holder's hidden balance back.
#[derive(Debug)]
pub(in crate::transactors) struct Clawback;

fn base_fee(view: &dyn ReadView, tx: &PreparedTx) -> u64 {
    let extra = view.info().fees.base.saturating_mul(EXTRA_FEES);
    default_base_fee(view, tx).saturating_add(extra)
}

fn length(tx: &PreparedTx, field: Field) -> usize {
    tx.object.blob(field).map_or(0, <[u8]>::len)
}

fn is_point(bytes: &[u8]) -> bool {
    PublicKey::from_slice(bytes).is_ok_and(|key| key.is_secp256k1_point())
}

fn holds_point(tx: &PreparedTx, field: Field) -> Ter {
    ensure(tx.object.blob(field).is_some_and(is_point), MALFORMED)
}

/// Encrypted amounts are two points each. What a type must have is there already; the auditor's
/// may be left out.
fn encrypted(tx: &PreparedTx, amounts: &[Field], good: fn(&[u8]) -> bool) -> Ter {
    let all_good = amounts.iter().filter_map(|field| tx.object.blob(*field)).all(good);
    ensure(all_good, EngineResult::TEM_BAD_CIPHERTEXT)
}

fn of_two_points(tx: &PreparedTx, amounts: &[Field]) -> Ter {
    encrypted(tx, amounts, |amount| amount.len() == 2 * POINT)
}

fn on_the_curve(tx: &PreparedTx, amounts: &[Field]) -> Ter {
    encrypted(tx, amounts, |amount| amount.chunks(POINT).all(is_point))
}

/// What is known of an amount that is converted.
const CONVERTED: [Field; 3] = [
    fields::HOLDER_ENCRYPTED_AMOUNT,
    fields::ISSUER_ENCRYPTED_AMOUNT,
    fields::AUDITOR_ENCRYPTED_AMOUNT,
];

const SENT: [Field; 4] = [
    fields::SENDER_ENCRYPTED_AMOUNT,
    fields::DESTINATION_ENCRYPTED_AMOUNT,
    fields::ISSUER_ENCRYPTED_AMOUNT,
    fields::AUDITOR_ENCRYPTED_AMOUNT,
];

fn is_issuer(tx: &PreparedTx) -> bool {
    issuance_id(tx).issuer() == tx.account
}

fn amount(tx: &PreparedTx) -> u64 {
    number(&tx.object, fields::MPT_AMOUNT)
}

fn fits(tx: &PreparedTx, least: u64) -> Ter {
    let fits = (least..=MAX_AMOUNT.unsigned_abs()).contains(&amount(tx));
    ensure(fits, EngineResult::TEM_BAD_AMOUNT)
}

/// An issuance whose balances may be hidden.
fn hiding(issuance: &Object) -> Ter {
    ensure(flags_of(issuance) & flag::CAN_HOLD_CONFIDENTIAL_BALANCE != 0, REFUSED)
}

fn has_keys(issuance: &Object) -> Ter {
    ensure(issuance.contains(fields::ISSUER_ENCRYPTION_KEY), REFUSED)
}

/// Whoever audits an issuance must be able to read the amount, and no one else.
fn audited(tx: &PreparedTx, issuance: &Object) -> Ter {
    let audits = issuance.contains(fields::AUDITOR_ENCRYPTION_KEY);
    ensure(audits == tx.object.contains(fields::AUDITOR_ENCRYPTED_AMOUNT), REFUSED)
}

fn holding(ctx: &PreclaimContext<'_>, holder: AccountId) -> Result<Entry, EngineResult> {
    ctx.view.read(&object_id::mptoken(issuance_id(ctx.tx), holder)).ok_or(MISSING)
}

fn has(holding: &Entry, parts: &[Field]) -> Ter {
    ensure(parts.iter().all(|part| holding.contains(*part)), REFUSED)
}

/// Neither locked nor unauthorised.
fn free(ctx: &PreclaimContext<'_>) -> Ter {
    let id = issuance_id(ctx.tx);
    token::check_frozen(ctx.view, ctx.tx.account, Issue::Mpt(id))?;
    mpt::require_auth(ctx.view, id, ctx.tx.account, Auth::Legacy)
}

impl Transactor for Convert {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        ensure(!is_issuer(tx), MALFORMED)?;
        fits(tx, 0)?;
        if tx.object.contains(fields::HOLDER_ENCRYPTION_KEY) {
            holds_point(tx, fields::HOLDER_ENCRYPTION_KEY)?;
            ensure(length(tx, fields::ZK_PROOF) == KEY_PROOF, MALFORMED)?;
        } else {
            ensure(!tx.object.contains(fields::ZK_PROOF), MALFORMED)?;
        }
        of_two_points(tx, &CONVERTED)?;
        on_the_curve(tx, &CONVERTED)
    }

    fn base_fee(&self, view: &dyn ReadView, tx: &PreparedTx) -> u64 {
        base_fee(view, tx)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let tx = ctx.tx;
        let issuance = token::issuance(ctx.view, issuance_id(tx))?;
        hiding(&issuance)?;
        has_keys(&issuance)?;
        audited(tx, &issuance)?;
        let holding = holding(ctx, tx.account)?;
        free(ctx)?;
        let held = number(&holding, fields::MPT_AMOUNT);
        ensure(held >= amount(tx), EngineResult::TEC_INSUFFICIENT_FUNDS)?;
        let known = holding.contains(fields::HOLDER_ENCRYPTION_KEY);
        match (known, tx.object.contains(fields::HOLDER_ENCRYPTION_KEY)) {
            (false, false) => Err(REFUSED),
            (true, true) => Err(EngineResult::TEC_DUPLICATE),
            _ => UNDECIDED,
        }
    }

    fn apply(&self, _ctx: &mut ApplyContext<'_>) -> Ter {
        UNDECIDED
    }
}

impl Transactor for MergeInbox {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        ensure(!is_issuer(ctx.tx), MALFORMED)
    }

    fn base_fee(&self, view: &dyn ReadView, tx: &PreparedTx) -> u64 {
        base_fee(view, tx)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let issuance = token::issuance(ctx.view, issuance_id(ctx.tx))?;
        hiding(&issuance)?;
        let parts = [
            fields::CONFIDENTIAL_BALANCE_INBOX,
            fields::CONFIDENTIAL_BALANCE_SPENDING,
            fields::HOLDER_ENCRYPTION_KEY,
        ];
        has(&holding(ctx, ctx.tx.account)?, &parts)?;
        free(ctx)?;
        UNDECIDED
    }

    fn apply(&self, _ctx: &mut ApplyContext<'_>) -> Ter {
        UNDECIDED
    }
}

impl Transactor for ConvertBack {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        ensure(!is_issuer(tx), MALFORMED)?;
        fits(tx, 1)?;
        holds_point(tx, fields::BALANCE_COMMITMENT)?;
        of_two_points(tx, &CONVERTED)?;
        on_the_curve(tx, &CONVERTED)?;
        ensure(length(tx, fields::ZK_PROOF) == CONVERT_BACK_PROOF, MALFORMED)
    }

    fn base_fee(&self, view: &dyn ReadView, tx: &PreparedTx) -> u64 {
        base_fee(view, tx)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let issuance = token::issuance(ctx.view, issuance_id(ctx.tx))?;
        hiding(&issuance)?;
        has_keys(&issuance)?;
        audited(ctx.tx, &issuance)?;
        let parts = [
            fields::HOLDER_ENCRYPTION_KEY,
            fields::CONFIDENTIAL_BALANCE_SPENDING,
            fields::ISSUER_ENCRYPTED_BALANCE,
        ];
        has(&holding(ctx, ctx.tx.account)?, &parts)?;
        let hidden = number(&issuance, fields::CONFIDENTIAL_OUTSTANDING_AMOUNT);
        ensure(hidden >= amount(ctx.tx), EngineResult::TEC_INSUFFICIENT_FUNDS)?;
        free(ctx)?;
        UNDECIDED
    }

    fn apply(&self, _ctx: &mut ApplyContext<'_>) -> Ter {
        UNDECIDED
    }
}

impl Transactor for Send {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        let (issuer, to) = (issuance_id(tx).issuer(), tx.object.account(fields::DESTINATION));
        let apart = tx.account != issuer && to != Some(tx.account) && to != Some(issuer);
        ensure(apart, MALFORMED)?;
        of_two_points(tx, &SENT)?;
        ensure(length(tx, fields::ZK_PROOF) == SEND_PROOF, MALFORMED)?;
        holds_point(tx, fields::BALANCE_COMMITMENT)?;
        holds_point(tx, fields::AMOUNT_COMMITMENT)?;
        on_the_curve(tx, &SENT)?;
        credentials::check_fields(&tx.object)
    }

    fn base_fee(&self, view: &dyn ReadView, tx: &PreparedTx) -> u64 {
        base_fee(view, tx)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let to = tx.object.account(fields::DESTINATION).unwrap_or_default();
        let root = view.account(to).ok_or(EngineResult::TEC_NO_TARGET)?;
        let asks = flags_of(&root) & account_root::flag::REQUIRE_DEST_TAG != 0;
        let tagged = tx.object.contains(fields::DESTINATION_TAG);
        ensure(tagged || !asks, EngineResult::TEC_DST_TAG_NEEDED)?;
        let issuance = token::issuance(view, issuance_id(tx))?;
        let moves = flags_of(&issuance) & flag::CAN_TRANSFER != 0;
        ensure(moves, EngineResult::TEC_NO_AUTH)?;
        hiding(&issuance)?;
        let takes = issuance.u16(fields::TRANSFER_FEE).is_some_and(|fee| fee > 0);
        ensure(!takes, REFUSED)?;
        has_keys(&issuance)?;
        audited(tx, &issuance)?;
        let parts =
            |balance| [fields::HOLDER_ENCRYPTION_KEY, balance, fields::ISSUER_ENCRYPTED_BALANCE];
        has(&holding(ctx, tx.account)?, &parts(fields::CONFIDENTIAL_BALANCE_SPENDING))?;
        has(&holding(ctx, to)?, &parts(fields::CONFIDENTIAL_BALANCE_INBOX))?;
        UNDECIDED
    }

    fn apply(&self, _ctx: &mut ApplyContext<'_>) -> Ter {
        UNDECIDED
    }
}

impl Transactor for Clawback {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        let others = tx.object.account(fields::HOLDER) != Some(tx.account);
        ensure(is_issuer(tx) && others, MALFORMED)?;
        fits(tx, 1)?;
        ensure(length(tx, fields::ZK_PROOF) == CLAWBACK_PROOF, MALFORMED)
    }

    fn base_fee(&self, view: &dyn ReadView, tx: &PreparedTx) -> u64 {
        base_fee(view, tx)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let holder = tx.object.account(fields::HOLDER).unwrap_or_default();
        ensure(view.account(holder).is_some(), EngineResult::TEC_NO_TARGET)?;
        let issuance = token::issuance(view, issuance_id(tx))?;
        ensure(issuer_of(&issuance) == tx.account, EngineResult::TEF_INTERNAL)?;
        has_keys(&issuance)?;
        ensure(flags_of(&issuance) & flag::CAN_CLAWBACK != 0, REFUSED)?;
        hiding(&issuance)?;
        let parts = [fields::ISSUER_ENCRYPTED_BALANCE, fields::HOLDER_ENCRYPTION_KEY];
        has(&holding(ctx, holder)?, &parts)?;
        let of = |field| number(&issuance, field);
        let most = of(fields::CONFIDENTIAL_OUTSTANDING_AMOUNT).min(of(fields::OUTSTANDING_AMOUNT));
        ensure(amount(tx) <= most, EngineResult::TEC_INSUFFICIENT_FUNDS)?;
        UNDECIDED
    }

    fn apply(&self, _ctx: &mut ApplyContext<'_>) -> Ter {
        UNDECIDED
    }
}
