//! OfferCreate (<https://xrpl.org/docs/references/protocol/transactions/types/offercreate>).

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Hash256, Issue, Object, Quality, Value, fields, object_id,
    quality::Amounts,
};

use super::{cross::Cross, flag};
use crate::{
    ledger::{
        ApplyView, PreparedTx, ReadView, Sandbox, Ter, amendment, directory,
        directory::Order,
        entry_type,
        helpers::{
            account_root::{adjust_owner_count, flag as root_flag, flags_of, reserve, sequence_of},
            book::Book,
            has_expired, is_bad_asset, is_legal_net, mpt,
            offer::{self, flag as offer_flag},
            permissioned_dex::account_in_domain,
            token::{self, Auth, IfFrozen, IfUnauthorized},
            trust_line::{self, Side},
        },
    },
    transactors::{
        ApplyContext, Consequences, PreclaimContext, PreflightContext, Transactor, ensure,
    },
};

/// Digits of a quality that is not rounded to a tick.
const ALL_DIGITS: u8 = 16;

/// The type.
#[derive(Debug)]
pub(in crate::transactors) struct OfferCreate;

fn amount(tx: &PreparedTx, field: xrpl_protocol::Field) -> Amount {
    tx.object.amount(field).unwrap_or(Amount::Xrp(0))
}

fn taker_pays(tx: &PreparedTx) -> Amount {
    amount(tx, fields::TAKER_PAYS)
}

fn taker_gets(tx: &PreparedTx) -> Amount {
    amount(tx, fields::TAKER_GETS)
}

/// What stays of what was done: the offer's work, or only that bad offers were removed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Everything,
    Removals,
}

impl Transactor for OfferCreate {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        let tx = ctx.tx;
        let is_mpt = |amount| matches!(amount, Amount::Mpt { .. });
        let domain = tx.object.contains(fields::DOMAIN_ID);
        (!domain || ctx.rules.enabled(amendment::PERMISSIONED_DEX))
            && (ctx.rules.enabled(amendment::MPTOKENS_V2)
                || !is_mpt(taker_pays(tx)) && !is_mpt(taker_gets(tx)))
    }

    fn flags(&self, ctx: &PreflightContext<'_>) -> u32 {
        let hybrid = if ctx.rules.enabled(amendment::PERMISSIONED_DEX) { flag::HYBRID } else { 0 };
        flag::PASSIVE | flag::IMMEDIATE_OR_CANCEL | flag::FILL_OR_KILL | flag::SELL | hybrid
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let (tx, object) = (ctx.tx, &ctx.tx.object);
        let bad_flag = EngineResult::TEM_INVALID_FLAG;
        let domain = object.hash256(fields::DOMAIN_ID);
        ensure(!tx.has_flag(flag::HYBRID) || domain.is_some(), bad_flag)?;
        let no_domain = domain.is_some_and(|domain| domain.is_zero())
            && ctx.rules.enabled(amendment::FIX_CLEANUP_3_2_0);
        ensure(!no_domain, EngineResult::TEM_MALFORMED)?;
        let both = tx.has_flag(flag::IMMEDIATE_OR_CANCEL) && tx.has_flag(flag::FILL_OR_KILL);
        ensure(!both, bad_flag)?;
        let never = object.u32(fields::EXPIRATION) == Some(0);
        ensure(!never, EngineResult::TEM_BAD_EXPIRATION)?;
        let nothing = object.u32(fields::OFFER_SEQUENCE) == Some(0);
        ensure(!nothing, EngineResult::TEM_BAD_SEQUENCE)?;
        let (pays, gets) = (taker_pays(tx), taker_gets(tx));
        ensure(is_legal_net(&pays) && is_legal_net(&gets), EngineResult::TEM_BAD_AMOUNT)?;
        let xrp = |amount: &Amount| amount.issue() == Issue::Xrp;
        ensure(!(xrp(&pays) && xrp(&gets)), EngineResult::TEM_BAD_OFFER)?;
        ensure(pays.signum() > 0 && gets.signum() > 0, EngineResult::TEM_BAD_OFFER)?;
        ensure(pays.issue() != gets.issue(), EngineResult::TEM_REDUNDANT)?;
        let bad = is_bad_asset(pays.issue()) || is_bad_asset(gets.issue());
        ensure(!bad, EngineResult::TEM_BAD_CURRENCY)?;
        let issued = |amount: &Amount| match amount.issue() {
            Issue::Xrp => true,
            issue => token::issuer_of(issue) != Some(AccountId::ZERO),
        };
        ensure(issued(&pays) && issued(&gets), EngineResult::TEM_BAD_ISSUER)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let (pays, gets) = (taker_pays(tx), taker_gets(tx));
        let root = view.account(tx.account).ok_or(EngineResult::TER_NO_ACCOUNT)?;
        token::check_global_frozen(view, pays.issue())?;
        token::check_global_frozen(view, gets.issue())?;
        // The issuer of an MPT may offer what it cannot issue yet.
        if !is_own_mpt(&gets, tx.account) {
            let funds =
                token::account_funds(view, tx.account, gets, IfFrozen::Zero, IfUnauthorized::Zero);
            ensure(funds.signum() > 0, EngineResult::TEC_UNFUNDED_OFFER)?;
        }
        let replaced = tx.object.u32(fields::OFFER_SEQUENCE);
        let to_come = replaced.is_some_and(|number| sequence_of(&root) <= number);
        ensure(!to_come, EngineResult::TEM_BAD_SEQUENCE)?;
        let expired = has_expired(view, tx.object.u32(fields::EXPIRATION));
        ensure(!expired, EngineResult::TEC_EXPIRED)?;
        accepts(ctx, pays.issue())?;
        if let Some(domain) = tx.object.hash256(fields::DOMAIN_ID) {
            let inside = account_in_domain(view, tx.account, domain);
            ensure(inside, EngineResult::TEC_NO_PERMISSION)?;
        }
        mpt::can_trade(view, pays.issue())?;
        mpt::can_trade(view, gets.issue())
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let view = &ctx.view;
        let (mut work, mut removals) = (Sandbox::new(view), Sandbox::new(view));
        let (result, keep) = match create(ctx.tx, ctx.prior_balance, &mut work, &mut removals) {
            Ok(keep) => (Ok(()), keep),
            Err((result, keep)) => (Err(result), keep),
        };
        let changes = match keep {
            Keep::Everything => work.into_changes(),
            Keep::Removals => removals.into_changes(),
        };
        ctx.view.merge(changes);
        result
    }

    fn consequences(&self, tx: &PreparedTx) -> Consequences {
        Consequences::spending(tx, taker_gets(tx).drops().unwrap_or(0))
    }
}

/// Whether an account issues the MPT that it sells.
pub(super) fn is_own_mpt(amount: &Amount, account: AccountId) -> bool {
    matches!(amount, Amount::Mpt { id, .. } if id.issuer() == account)
}

/// Whether the account may hold what the offer asks for.
fn accepts(ctx: &PreclaimContext<'_>, issue: Issue) -> Ter {
    let (view, account) = (ctx.view, ctx.tx.account);
    let Some(issuer) = token::issuer_of(issue) else { return Ok(()) };
    let or = |later, now| if ctx.flags.retry { later } else { now };
    let root = view.account(issuer);
    let root = root.ok_or(or(EngineResult::TER_NO_ACCOUNT, EngineResult::TEC_NO_ISSUER))?;
    match issue {
        _ if issuer == account => Ok(()),
        Issue::Xrp => Ok(()),
        Issue::Issued { currency, .. } => {
            let line = view.read(&object_id::trust_line(account, issuer, currency));
            if flags_of(&root) & root_flag::REQUIRE_AUTH != 0 {
                let no_line = or(EngineResult::TER_NO_LINE, EngineResult::TEC_NO_LINE);
                let authorized =
                    flags_of(line.as_ref().ok_or(no_line)?) & Side::of(issuer, account).auth() != 0;
                ensure(authorized, or(EngineResult::TER_NO_AUTH, EngineResult::TEC_NO_AUTH))?;
            }
            let frozen = trust_line::is_deep_frozen(view, account, currency, issuer);
            ensure(!frozen, EngineResult::TEC_FROZEN)
        }
        Issue::Mpt(id) => {
            // It becomes a holder when it gets something.
            mpt::require_auth(view, id, account, Auth::Weak)?;
            token::check_frozen(view, account, issue)
        }
    }
}

/// The least digits of a quality that the issuers of what is traded want.
fn tick_size(view: &dyn ReadView, pays: &Amount, gets: &Amount) -> u8 {
    let of = |amount: &Amount| match amount.issue() {
        Issue::Issued { issuer, .. } => {
            view.account(issuer).and_then(|root| root.u8(fields::TICK_SIZE))
        }
        _ => None,
    };
    of(pays).into_iter().chain(of(gets)).fold(ALL_DIGITS, u8::min)
}

/// Rounds the side that is not exact, as if the offer had been made at a slightly better rate for who
/// makes it.
fn round_to_tick(
    digits: u8,
    sells: bool,
    pays: &mut Amount,
    gets: &mut Amount,
) -> Result<(), EngineResult> {
    let rate = Quality::of(pays, gets).round(digits).rate();
    let exception = |_| EngineResult::TEF_EXCEPTION;
    let is_mpt = |amount: &Amount| matches!(amount, Amount::Mpt { .. });
    if sells {
        if !is_mpt(pays) {
            *pays = gets.multiply(&rate, pays.issue()).map_err(exception)?;
        }
    } else if !is_mpt(gets) {
        *gets = pays.divide(&rate, gets.issue()).map_err(exception)?;
    }
    Ok(())
}

/// Crosses what can be crossed and puts the rest into its book.
fn create(
    tx: &PreparedTx,
    prior_balance: i64,
    view: &mut Sandbox<'_>,
    removals: &mut Sandbox<'_>,
) -> Result<Keep, (EngineResult, Keep)> {
    let everything = |result| (result, Keep::Everything);
    let account = tx.account;
    let (mut pays, mut gets) = (taker_pays(tx), taker_gets(tx));
    if let Some(number) = tx.object.u32(fields::OFFER_SEQUENCE) {
        // One that is gone already is as good as replaced.
        offer::delete(view, &object_id::offer(account, number)).map_err(everything)?;
    }
    if has_expired(view, tx.object.u32(fields::EXPIRATION)) {
        return Err(everything(EngineResult::TEC_EXPIRED));
    }
    // It is placed at the rate at which it was made, whatever is left of it.
    let mut quality = Quality::of(&pays, &gets);
    let digits = tick_size(view, &pays, &gets);
    if digits < ALL_DIGITS {
        round_to_tick(digits, tx.has_flag(flag::SELL), &mut pays, &mut gets).map_err(everything)?;
        if pays.is_zero() || gets.is_zero() {
            return Ok(Keep::Everything);
        }
        quality = Quality::of(&pays, &gets);
    }
    // Crossing it is a taker.
    let taker = Amounts { input: gets, output: pays };
    let rest = Cross { tx, taker }.run(view, removals).map_err(|result| {
        let open = view.info().open && result == EngineResult::TEC_FAILED_PROCESSING;
        everything(if open { EngineResult::TEL_FAILED_PROCESSING } else { result })
    })?;
    let crossed = rest != taker;
    if rest.input.signum() < 0 || rest.output.signum() < 0 {
        return Err(everything(EngineResult::TEF_INTERNAL));
    }
    if rest.is_empty() {
        return Ok(Keep::Everything);
    }
    let killed = (EngineResult::TEC_KILLED, Keep::Removals);
    if tx.has_flag(flag::FILL_OR_KILL) {
        return Err(killed);
    }
    if tx.has_flag(flag::IMMEDIATE_OR_CANCEL) {
        return if crossed { Ok(Keep::Everything) } else { Err(killed) };
    }
    let root = view.account(account).ok_or((EngineResult::TEF_INTERNAL, Keep::Removals))?;
    if prior_balance < reserve(view, &root, 1) {
        // What was crossed is fine; there is just no offer for the rest.
        return match crossed {
            true => Ok(Keep::Everything),
            false => Err(everything(EngineResult::TEC_INSUF_RESERVE_OFFER)),
        };
    }
    drop(root);
    let new = NewOffer { tx, pays: rest.output, gets: rest.input, quality };
    new.place(view).map_err(everything)?;
    Ok(Keep::Everything)
}

/// An offer on its way into its book.
struct NewOffer<'a> {
    tx: &'a PreparedTx,
    pays: Amount,
    gets: Amount,
    quality: Quality,
}

impl NewOffer<'_> {
    /// Adds it to a book; returns the book's directory and the page.
    fn add_to_book(
        &self,
        view: &mut Sandbox<'_>,
        key: Hash256,
        domain: Option<Hash256>,
        quality: Quality,
    ) -> Result<(Hash256, u64), EngineResult> {
        let book = Book { input: self.pays.issue(), output: self.gets.issue(), domain };
        let root = book.directory(quality);
        let page = directory::add(view, root, key, Order::Arrival, |page| {
            describe_book(page, &book, self.quality);
        });
        Ok((root, page.ok_or(EngineResult::TEC_DIR_FULL)?))
    }

    fn place(&self, view: &mut Sandbox<'_>) -> Ter {
        let (tx, account) = (self.tx, self.tx.account);
        let number = tx.seq.value();
        let key = object_id::offer(account, number);
        let owner_node =
            directory::add_owned(view, account, key).ok_or(EngineResult::TEC_DIR_FULL)?;
        adjust_owner_count(view, account, 1)?;
        let domain = tx.object.hash256(fields::DOMAIN_ID);
        let (book, book_node) = self.add_to_book(view, key, domain, self.quality)?;
        let mut flags = 0;
        for (of_tx, of_entry) in [
            (flag::PASSIVE, offer_flag::PASSIVE),
            (flag::SELL, offer_flag::SELL),
            (flag::HYBRID, offer_flag::HYBRID),
        ] {
            flags |= if tx.has_flag(of_tx) { of_entry } else { 0 };
        }
        let mut entry = entry_type::new(entry_type::OFFER)
            .with(fields::FLAGS, flags)
            .with(fields::ACCOUNT, account)
            .with(fields::SEQUENCE, number)
            .with(fields::BOOK_DIRECTORY, book)
            .with(fields::TAKER_PAYS, self.pays)
            .with(fields::TAKER_GETS, self.gets)
            .with(fields::OWNER_NODE, owner_node)
            .with(fields::BOOK_NODE, book_node);
        if let Some(expiration) = tx.object.u32(fields::EXPIRATION) {
            entry.set(fields::EXPIRATION, expiration.into());
        }
        if let Some(domain) = domain {
            entry.set(fields::DOMAIN_ID, domain.into());
        }
        if tx.has_flag(flag::HYBRID) {
            // It stands in the open book too.
            let quality = match view.rules().enabled(amendment::FIX_CLEANUP_3_2_0) {
                true => self.quality,
                false => Quality::of(&self.pays, &self.gets),
            };
            let (book, node) = self.add_to_book(view, key, None, quality)?;
            let open =
                Object::new().with(fields::BOOK_DIRECTORY, book).with(fields::BOOK_NODE, node);
            entry.set(fields::ADDITIONAL_BOOKS, Value::Array(vec![(fields::BOOK, open)]));
        }
        view.insert(key, entry);
        Ok(())
    }
}

/// The fields of a book's directory.
fn describe_book(page: &mut Object, book: &Book, quality: Quality) {
    let sides = [
        (
            book.input,
            fields::TAKER_PAYS_CURRENCY,
            fields::TAKER_PAYS_ISSUER,
            fields::TAKER_PAYS_MPT,
        ),
        (
            book.output,
            fields::TAKER_GETS_CURRENCY,
            fields::TAKER_GETS_ISSUER,
            fields::TAKER_GETS_MPT,
        ),
    ];
    for (issue, currency_field, issuer_field, mpt_field) in sides {
        let (currency, issuer) = match issue {
            Issue::Mpt(id) => {
                page.set(mpt_field, Value::Hash192(id.0));
                continue;
            }
            Issue::Issued { currency, issuer } => (currency.0, issuer.0),
            Issue::Xrp => ([0; 20], [0; 20]),
        };
        page.set(currency_field, Value::Hash160(currency));
        page.set(issuer_field, Value::Hash160(issuer));
    }
    page.set(fields::EXCHANGE_RATE, quality.0.into());
    if let Some(domain) = book.domain {
        page.set(fields::DOMAIN_ID, domain.into());
    }
}
