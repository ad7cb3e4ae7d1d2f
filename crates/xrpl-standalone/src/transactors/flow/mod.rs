//! The payment engine, xrpld's `flow`: moves a wanted amount from one account to another along
//! strands of steps, best quality first
//! (<https://xrpl.org/docs/concepts/tokens/fungible-tokens/paths>). Payments, crossing offers and
//! cashed checks stand on it.
//!
//! - [`asset_amount`]: what moves through a step.
//! - `strand`: makes the steps of a path, and says what is wrong with it.
//! - `step`: what all steps have in common; the kinds are `direct` (along a trust line),
//!   `book` (through an order book), `xrp_endpoint` and `mpt_endpoint`.
//! - `offer_stream`: the offers of a book's best quality, without those that are not worth
//!   anything, which are removed; `walk` goes over them, `taking` takes them, and `amm` puts the
//!   offers of a pool among them.
//! - `strand_flow`: as much as can go through one strand at its best quality, first in reverse from
//!   what is wanted, then forward from the step that limits it; and through several strands until
//!   all is delivered.
//! - [`ripple_calc`]: the engine as Payments use it.

mod amm;
pub mod asset_amount;
mod book;
mod direct;
mod mpt_endpoint;
mod offer_stream;
mod quality_function;
pub mod ripple_calc;
mod step;
mod strand;
mod strand_flow;
mod taking;
mod walk;
mod xrp_endpoint;

use std::collections::BTreeSet;

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Hash256, Issue, Quality, issued_value::ValueError,
    object::PathStep,
};

use self::{amm::AmmContext, asset_amount::AssetAmount, strand_flow::Wanted};
use crate::ledger::{ApplyView, PaymentSandbox, Ter};

/// Whether an offer is being crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crossing {
    /// No: somebody pays somebody.
    No,
    /// An offer to buy.
    Buy,
    /// An offer to sell (`tfSell`): its owner takes more than it asks for.
    Sell,
}

/// Why something cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowError {
    /// This strand cannot be used now; others can (xrpld's `FlowException`).
    Strand(EngineResult),
    /// Numbers that cannot be computed with: nothing of the payment can be done (any other exception
    /// of xrpld).
    Impossible,
}

impl From<ValueError> for FlowError {
    fn from(_: ValueError) -> Self {
        Self::Impossible
    }
}

impl FlowError {
    /// What a movement of funds ended with. Too large a balance is xrpld's exception.
    fn moving(result: EngineResult) -> Self {
        match result {
            EngineResult::TEF_EXCEPTION => Self::Impossible,
            result => Self::Strand(result),
        }
    }
}

/// What is to be moved.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What the destination is to get.
    pub deliver: Amount,
    /// Who sends.
    pub source: AccountId,
    /// Who gets.
    pub destination: AccountId,
    /// Paths besides the default one.
    pub paths: &'a [Vec<PathStep>],
    /// Whether the default path may be used too.
    pub default_path: bool,
    /// Whether less than all may be delivered.
    pub partial: bool,
    /// Whether the owners of offers pay transfer fees, instead of the sender.
    pub owner_pays: bool,
    /// Whether an offer is being crossed.
    pub crossing: Crossing,
    /// The worst quality that is taken.
    pub limit_quality: Option<Quality>,
    /// The most that may be spent.
    pub send_max: Option<Amount>,
    /// The domain whose books are used instead of the open ones.
    pub domain: Option<Hash256>,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct Flowed {
    /// Its result; the sandbox has changed only if that is a success.
    pub result: Ter,
    /// What was spent.
    pub input: Amount,
    /// What was delivered.
    pub output: Amount,
    /// Offers that should go although it failed: they expired or have no funds.
    pub removable: BTreeSet<Hash256>,
}

/// Moves what is wanted as far as it can be moved.
///
/// # Errors
/// [`FlowError::Impossible`] where numbers are too large to be computed with.
pub fn flow(view: &mut PaymentSandbox<'_>, request: &Request<'_>) -> Result<Flowed, FlowError> {
    let deliver = request.deliver.issue();
    let spend = match (request.send_max, deliver) {
        (Some(max), _) => max.issue(),
        (None, Issue::Issued { currency, .. }) => {
            Issue::Issued { currency, issuer: request.source }
        }
        (None, issue) => issue,
    };
    let failed = |result| Flowed {
        result: Err(result),
        input: Amount::zero(spend),
        output: Amount::zero(deliver),
        removable: BTreeSet::new(),
    };
    let amm = AmmContext::new(request.source);
    let mut strands = match strand::strands(&*view, request, &amm) {
        Ok(strands) => strands,
        Err(result) => return Ok(failed(result)),
    };
    let wanted = Wanted {
        output: AssetAmount::of(&request.deliver),
        most: request.send_max.map(|max| AssetAmount::of(&max)),
        spend,
        deliver,
        partial: request.partial,
        crossing: request.crossing,
        limit_quality: request.limit_quality,
    };
    let done = strand_flow::flow(&*view, &mut strands, &wanted, &amm)?;
    let (input, output) = (done.moved.input.amount(spend), done.moved.output.amount(deliver));
    Ok(match done.changes {
        Ok(changes) => {
            view.merge(changes);
            Flowed { result: Ok(()), input, output, removable: BTreeSet::new() }
        }
        Err(result) => Flowed { result: Err(result), input, output, removable: done.removable },
    })
}
