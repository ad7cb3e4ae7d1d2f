//! What the steps of a strand have in common.

use std::{collections::BTreeSet, rc::Rc};

use xrpl_protocol::{
    AccountId, Amount, Currency, EngineResult, Hash256, Issue, Quality, amount_math::NO_ISSUE,
    fields, object_id,
};

use super::{
    Crossing, FlowError,
    amm::AmmContext,
    asset_amount::{AssetAmount, InOut},
    book::BookStep,
    direct::DirectStep,
    mpt_endpoint::MptEndpoint,
    quality_function::QualityFunction,
    xrp_endpoint::XrpEndpoint,
};
use crate::ledger::{
    PaymentSandbox, ReadView, Ter, amendment,
    helpers::{
        PARITY,
        account_root::{flag, flags_of},
        book::Book,
        token::is_lp_token_frozen,
        trust_line::Side,
    },
};

/// What becomes of a debt in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Debt {
    /// The source makes new debt, or there is none.
    Issues,
    /// The source gives back what the destination owes.
    Redeems,
}

/// In which direction a strand is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// From what is spent.
    Forward,
    /// From what is wanted.
    Reverse,
}

/// What a step works with.
pub(super) struct Run<'a, 'v> {
    /// The ledger as the strand changes it.
    pub(super) view: &'a mut PaymentSandbox<'v>,
    /// The ledger before the strand: it tells whether an offer is found without funds or loses them.
    pub(super) before: &'a mut PaymentSandbox<'v>,
    /// Offers that should go whatever becomes of the strand.
    pub(super) removable: &'a mut BTreeSet<Hash256>,
}

/// The strand that a step is made for.
pub(super) struct StrandContext<'a> {
    pub(super) view: &'a dyn ReadView,
    pub(super) source: AccountId,
    pub(super) destination: AccountId,
    pub(super) deliver: Issue,
    pub(super) limit_quality: Option<Quality>,
    pub(super) owner_pays: bool,
    pub(super) crossing: Crossing,
    pub(super) default_path: bool,
    pub(super) domain: Option<Hash256>,
    pub(super) amm: &'a Rc<AmmContext>,
}

/// Where in its strand a step is to stand.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) strand: &'a StrandContext<'a>,
    pub(super) first: bool,
    pub(super) last: bool,
    pub(super) previous: Option<&'a Step>,
}

/// What was in the strand before: none may come twice.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What steps between accounts take in and put out.
    pub(super) sources: BTreeSet<Issue>,
    pub(super) destinations: BTreeSet<Issue>,
    /// What books put out.
    pub(super) books: BTreeSet<Issue>,
}

/// A step.
#[derive(Debug)]
pub(super) enum Step {
    Direct(DirectStep),
    Book(Box<BookStep>),
    Xrp(XrpEndpoint),
    Mpt(MptEndpoint),
}

impl Step {
    /// How much must go in for `output` to come out, as far as possible. The ledger is changed
    /// accordingly.
    pub(super) fn reverse(
        &mut self,
        previous: Option<&Self>,
        run: &mut Run<'_, '_>,
        output: AssetAmount,
    ) -> Result<InOut, FlowError> {
        match self {
            Self::Direct(step) => step.reverse(previous, run, output),
            Self::Book(step) => step.reverse(previous, run, output),
            Self::Xrp(step) => step.run(run, output),
            Self::Mpt(step) => step.reverse(previous, run, output),
        }
    }

    /// How much comes out if `input` goes in, as far as possible. The ledger is changed accordingly.
    pub(super) fn forward(
        &mut self,
        previous: Option<&Self>,
        run: &mut Run<'_, '_>,
        input: AssetAmount,
    ) -> Result<InOut, FlowError> {
        match self {
            Self::Direct(step) => step.forward(previous, run, input),
            Self::Book(step) => step.forward(previous, run, input),
            Self::Xrp(step) => step.run(run, input),
            Self::Mpt(step) => step.forward(previous, run, input),
        }
    }

    /// What went through when it ran last.
    pub(super) fn moved(&self) -> Option<InOut> {
        match self {
            Self::Direct(step) => step.moved(),
            Self::Book(step) => step.moved(),
            Self::Xrp(step) => step.moved(),
            Self::Mpt(step) => step.moved(),
        }
    }

    /// The sending account of a step along a line or of an MPT.
    pub(super) fn sender(&self) -> Option<AccountId> {
        match self {
            Self::Direct(step) => Some(step.source),
            Self::Mpt(step) => Some(step.source),
            Self::Book(_) | Self::Xrp(_) => None,
        }
    }

    /// Its book, if it is one.
    pub(super) fn book(&self) -> Option<&Book> {
        match self {
            Self::Book(step) => Some(&step.book),
            _ => None,
        }
    }

    /// The accounts between which it lies; those of a book are issuers. Account zero stands for XRP.
    pub(super) fn ends(&self) -> (AccountId, AccountId) {
        match self {
            Self::Direct(step) => (step.source, step.destination),
            Self::Mpt(step) => (step.source, step.destination),
            Self::Xrp(step) => step.ends(),
            Self::Book(step) => (issuer(step.book.input), issuer(step.book.output)),
        }
    }

    pub(super) fn debt(&self, view: &dyn ReadView, pass: Pass) -> Debt {
        match self {
            Self::Direct(step) => step.debt(view, pass),
            Self::Book(step) => step.debt(),
            Self::Xrp(_) => Debt::Issues,
            Self::Mpt(step) => step.debt(pass),
        }
    }

    /// `QualityIn` of the receiving side of a line.
    pub(super) fn line_quality_in(&self, view: &dyn ReadView) -> u32 {
        match self {
            Self::Direct(step) => step.quality_in(view),
            _ => PARITY,
        }
    }

    /// The best quality that may be had; none if nothing can go through.
    pub(super) fn quality_upper_bound(
        &self,
        previous: Option<&Self>,
        view: &dyn ReadView,
        previous_debt: Debt,
    ) -> Result<(Option<Quality>, Debt), FlowError> {
        Ok(match self {
            Self::Direct(step) => step.quality_upper_bound(previous, view, previous_debt),
            Self::Book(step) => step.quality_upper_bound(view, previous_debt)?,
            Self::Xrp(_) => (Some(Quality::ONE), Debt::Issues),
            Self::Mpt(step) => step.quality_upper_bound(previous, view, previous_debt),
        })
    }

    /// How its quality depends on what comes out of it; none if nothing can.
    pub(super) fn quality_function(
        &self,
        previous: Option<&Self>,
        view: &dyn ReadView,
        previous_debt: Debt,
    ) -> Result<(Option<QualityFunction>, Debt), FlowError> {
        if let Self::Book(step) = self {
            return step.quality_function(view, previous_debt);
        }
        let (quality, debt) = self.quality_upper_bound(previous, view, previous_debt)?;
        Ok((quality.map(QualityFunction::constant).transpose()?, debt))
    }

    /// Offers used up, in part or not at all when it ran last.
    pub(super) fn offers_used(&self) -> u32 {
        match self {
            Self::Book(step) => step.offers_used,
            _ => 0,
        }
    }

    /// Whether it has used too many offers.
    pub(super) fn is_inactive(&self) -> bool {
        matches!(self, Self::Book(step) if step.inactive)
    }

    /// Whether another step does the same.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Direct(a), Self::Direct(b)) => {
                (a.source, a.destination, a.currency) == (b.source, b.destination, b.currency)
            }
            (Self::Book(a), Self::Book(b)) => a.book == b.book,
            (Self::Xrp(a), Self::Xrp(b)) => a.ends() == b.ends(),
            (Self::Mpt(a), Self::Mpt(b)) => {
                (a.source, a.destination, a.id) == (b.source, b.destination, b.id)
            }
            _ => false,
        }
    }
}

/// Who issued it; account zero for XRP.
pub(super) fn issuer(issue: Issue) -> AccountId {
    crate::ledger::helpers::token::issuer_of(issue).unwrap_or_default()
}

/// The quality of a step that turns `input` into `output`, both in billionths.
pub(super) fn quality_of_rates(input: u32, output: u32) -> Quality {
    let whole = |n: u32| Amount::whole(NO_ISSUE, n.into()).unwrap_or(Amount::zero(NO_ISSUE));
    Quality::of(&whole(input), &whole(output))
}

/// Whether a freeze keeps anything from moving from one account to another.
///
/// # Errors
/// `terNO_LINE`, `tecINTERNAL` if an AMM is gone.
pub(super) fn check_freeze(
    view: &dyn ReadView,
    from: AccountId,
    to: AccountId,
    currency: Currency,
) -> Ter {
    let frozen = Err(EngineResult::TER_NO_LINE);
    let root = view.account(to);
    if root.as_ref().is_some_and(|root| flags_of(root) & flag::GLOBAL_FREEZE != 0) {
        return frozen;
    }
    if let Some(line) = view.read(&object_id::trust_line(from, to, currency)) {
        let stops =
            Side::of(to, from).freeze() | Side::Low.deep_freeze() | Side::High.deep_freeze();
        if flags_of(&line) & stops != 0 {
            return frozen;
        }
    }
    if view.rules().enabled(amendment::FIX_FROZEN_LPTOKEN_TRANSFER)
        && let Some(amm) = root.and_then(|root| root.hash256(fields::AMMID))
    {
        let amm = view.read(&amm).ok_or(EngineResult::TEC_INTERNAL)?;
        let asset = |field| amm.issue(field).unwrap_or(Issue::Xrp);
        if is_lp_token_frozen(view, from, asset(fields::ASSET), asset(fields::ASSET2)) {
            return frozen;
        }
    }
    Ok(())
}

/// Whether an account lets a currency ripple from one of its lines to another.
///
/// # Errors
/// `terNO_LINE`, `terNO_RIPPLE`.
pub(super) fn check_no_ripple(
    view: &dyn ReadView,
    before: AccountId,
    account: AccountId,
    after: AccountId,
    currency: Currency,
) -> Ter {
    let stops = |peer| {
        let line = view.read(&object_id::trust_line(account, peer, currency));
        let line = line.ok_or(EngineResult::TER_NO_LINE)?;
        Ok(flags_of(&line) & Side::of(account, peer).no_ripple() != 0)
    };
    let (into, out) = (stops(before)?, stops(after)?);
    if into && out { Err(EngineResult::TER_NO_RIPPLE) } else { Ok(()) }
}
