//! The offers of a book from the best on. Those that nobody can take are removed on the way: expired
//! ones, those whose owner has no funds, may not have what it asks for or has left the domain, and
//! those so small that rounding makes them worse than they say.

use std::collections::BTreeSet;

use xrpl_protocol::{AccountId, EngineResult, Hash256, Issue, Quality, Value, fields};

use super::{
    FlowError,
    asset_amount::{AssetAmount, InOut},
    step::Run,
};
use crate::ledger::{
    ApplyView, Entry, PaymentSandbox, ReadView, amendment,
    helpers::{
        book::{Book, First},
        has_expired, mpt, offer,
        permissioned_dex::offer_in_domain,
        token::{self, IfFrozen, IfUnauthorized, Spendable},
    },
};

/// Offers that a step looks at.
pub(super) const MOST_OFFERS: u32 = 1000;

/// An offer in a book.
#[derive(Clone, Copy, Debug)]
pub(super) struct BookOffer {
    pub(super) key: Hash256,
    pub(super) owner: AccountId,
    /// That of its directory: an offer keeps it however much of it is taken.
    pub(super) quality: Quality,
    /// What is left of it.
    pub(super) left: InOut,
    book: Book,
}

impl BookOffer {
    fn read(first: &First, book: Book, entry: &Entry) -> Option<Self> {
        let amount = |field| entry.amount(field).map(|amount| AssetAmount::of(&amount));
        let input = amount(fields::TAKER_PAYS)?;
        let output = amount(fields::TAKER_GETS)?;
        Some(Self {
            key: first.offer,
            owner: entry.account(fields::ACCOUNT)?,
            quality: first.quality,
            left: InOut { input, output },
            book,
        })
    }

    /// Whether its owner issues what it gives, and so never runs out of it.
    pub(super) fn is_self_funded(&self) -> bool {
        matches!(self.book.output, Issue::Issued { issuer, .. } if issuer == self.owner)
    }

    /// Whether nothing more can be had of it.
    pub(super) fn is_used_up(&self) -> bool {
        self.left.is_empty()
    }

    /// Takes something off it.
    pub(super) fn consume(
        &mut self,
        view: &mut PaymentSandbox<'_>,
        taken: InOut,
    ) -> Result<(), FlowError> {
        if taken.input > self.left.input || taken.output > self.left.output {
            return Err(FlowError::Impossible);
        }
        self.left = InOut {
            input: self.left.input.minus(taken.input)?,
            output: self.left.output.minus(taken.output)?,
        };
        let entry = view.get_mut(&self.key).ok_or(FlowError::Impossible)?;
        entry.set(fields::TAKER_PAYS, self.left.input.amount(self.book.input).into());
        entry.set(fields::TAKER_GETS, self.left.output.amount(self.book.output).into());
        Ok(())
    }
}

/// Where a step is in its book.
pub(super) struct OfferStream {
    book: Book,
    /// Offers better than this have been passed; this quality may have more.
    beyond: Quality,
    /// The offer that goes when the next one is asked for.
    current: Option<Hash256>,
    /// What its owner has.
    pub(super) funds: AssetAmount,
    /// How many were looked at.
    pub(super) count: u32,
    /// Those that should go whatever becomes of the strand.
    pub(super) permanent: BTreeSet<Hash256>,
}

impl OfferStream {
    pub(super) fn new(book: Book) -> Self {
        Self {
            book,
            beyond: Quality(0),
            current: None,
            funds: AssetAmount::zero_of(book.output),
            count: 0,
            permanent: BTreeSet::new(),
        }
    }

    /// The next offer that can be taken, after the present one is deleted; none at the end of the
    /// book, or when too many were looked at.
    pub(super) fn next(&mut self, run: &mut Run<'_, '_>) -> Result<Option<BookOffer>, FlowError> {
        loop {
            if let Some(current) = self.current.take() {
                // What xrpld does with an offer that it cannot delete is nothing, too.
                let _ = offer::delete(run.view, &current);
            }
            let Some(first) = self.book.first(&*run.view, self.beyond) else { return Ok(None) };
            self.beyond = Quality(first.quality.0 - 1);
            let entry = run.view.read(&first.offer);
            self.current = entry.is_some().then_some(first.offer);
            if self.count >= MOST_OFFERS {
                return Ok(None);
            }
            self.count += 1;
            let Some(entry) = entry else {
                forget(run.view, &first);
                forget(run.before, &first);
                continue;
            };
            let found = BookOffer::read(&first, self.book, &entry);
            match found {
                Some(offer) if self.is_good(run, &offer, &entry)? => return Ok(Some(offer)),
                _ => {}
            }
        }
    }

    /// Whether an offer can be taken. Where that is not this payment's doing it is noted to be removed.
    fn is_good(
        &mut self,
        run: &Run<'_, '_>,
        offer: &BookOffer,
        entry: &Entry,
    ) -> Result<bool, FlowError> {
        let view: &dyn ReadView = &*run.view;
        let (owner, book) = (offer.owner, self.book);
        let strictly = !view.rules().enabled(amendment::FIX_CLEANUP_3_3_0);
        let left_domain = || {
            let domain = entry.hash256(fields::DOMAIN_ID);
            (strictly || book.domain.is_some())
                && domain.is_some_and(|domain| !offer_in_domain(view, &offer.key, domain))
        };
        if has_expired(view, entry.u32(fields::EXPIRATION))
            || offer.left.is_empty()
            || token::is_deep_frozen(view, owner, book.input)
            || left_domain()
        {
            self.permanent.insert(offer.key);
            return Ok(false);
        }
        self.funds = funds(view, owner, offer.left.output, book.output);
        if self.funds.signum() > 0 && !self.is_too_small(offer)? {
            return Ok(true);
        }
        // With funds as before it was so already; otherwise this payment has used them up, and the
        // offer stays if the payment fails.
        if funds(&*run.before, owner, offer.left.output, book.output) == self.funds {
            self.permanent.insert(offer.key);
        }
        Ok(false)
    }

    /// Whether what the owner can still give is so little that rounding what must be paid for it
    /// spoils the quality: such an offer would block the book.
    fn is_too_small(&self, offer: &BookOffer) -> Result<bool, FlowError> {
        let (left, book) = (offer.left, self.book);
        // What costs XRP is coarse. Of two tokens the one asked for must be the smaller number. One
        // drop of XRP is much for what rounding may change.
        if book.output == Issue::Xrp
            || book.input != Issue::Xrp && left.input.decimal() >= left.output.decimal()
        {
            return Ok(false);
        }
        let short = super::step::issuer(book.output) != offer.owner && self.funds < left.output;
        let real = match short {
            true => left.limit_output(offer.quality, self.funds, false)?,
            false => left,
        };
        if real.is_empty() {
            return Ok(true);
        }
        Ok(real.input <= real.input.least() && real.quality() < offer.quality)
    }
}

/// What an offer's owner can give.
fn funds(view: &dyn ReadView, owner: AccountId, all: AssetAmount, issue: Issue) -> AssetAmount {
    match issue {
        Issue::Issued { issuer, .. } if issuer == owner => all,
        Issue::Mpt(id) if id.issuer() == owner => {
            AssetAmount::Mpt(mpt::issuer_funds_to_self_issue(view, id))
        }
        _ => {
            let (frozen, unauthorized) = (IfFrozen::Zero, IfUnauthorized::Zero);
            let simple = Spendable::Simple;
            let held = token::account_holds(view, owner, issue, frozen, unauthorized, simple);
            AssetAmount::of(&held)
        }
    }
}

/// Takes an id that leads nowhere off its page. The page stays even if it is empty now: xrpld's old
/// way, part of the ledger's rules.
fn forget(view: &mut PaymentSandbox<'_>, first: &First) {
    let Some(page) = view.get_mut(&first.page) else { return };
    if let Some(Value::Vector256(ids)) = page.get_mut(fields::INDEXES) {
        ids.retain(|id| *id != first.offer);
    }
}

/// Gives an offer's owner the MPToken that it needs for what it gets. Its reserve does not matter: the
/// offer goes if it is taken whole.
pub(super) fn make_holder(
    view: &mut PaymentSandbox<'_>,
    issue: Issue,
    owner: AccountId,
) -> Result<(), EngineResult> {
    match issue {
        Issue::Mpt(id) => mpt::create_if_missing(view, id, owner),
        _ => Ok(()),
    }
}
