//! The engine as Payments use it, and whoever searches paths for them.

use std::collections::BTreeSet;

use xrpl_protocol::{AccountId, Amount, EngineResult, Hash256, Issue, Quality, object::PathStep};

use super::{Crossing, FlowError, Flowed, Request, flow};
use crate::ledger::{ApplyView, PaymentSandbox};

/// A payment.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The most that may be spent. Less than nothing: as much as it takes.
    pub max: Amount,
    /// What is to be delivered.
    pub deliver: Amount,
    /// Who sends.
    pub source: AccountId,
    /// Who gets.
    pub destination: AccountId,
    /// Paths besides the default one.
    pub paths: &'a [Vec<PathStep>],
    /// The domain whose books are used.
    pub domain: Option<Hash256>,
    /// Whether less may be delivered.
    pub partial: bool,
    /// Whether the default path may be used too.
    pub default_path: bool,
    /// Whether no part may be worse than the whole would be.
    pub limit_quality: bool,
}

/// Whether two amounts are of the same currency, whoever issues it.
fn are_alike(a: Issue, b: Issue) -> bool {
    match (a, b) {
        (Issue::Issued { currency: a, .. }, Issue::Issued { currency: b, .. }) => a == b,
        (a, b) => a == b,
    }
}

/// Moves a payment.
pub fn ripple_calculate(view: &mut PaymentSandbox<'_>, input: &Input<'_>) -> Flowed {
    let (max, deliver) = (input.max, input.deliver);
    let limit_quality =
        (input.limit_quality && max.signum() > 0).then(|| Quality::of(&max, &deliver));
    let own = super::step::issuer(max.issue()) == input.source;
    let unlimited = max.signum() < 0 && are_alike(max.issue(), deliver.issue()) && own;
    let request = Request {
        deliver,
        source: input.source,
        destination: input.destination,
        paths: input.paths,
        default_path: input.default_path,
        partial: input.partial,
        owner_pays: false,
        crossing: Crossing::No,
        limit_quality,
        send_max: (!unlimited).then_some(max),
        domain: input.domain,
    };
    let mut payment = PaymentSandbox::on(&*view);
    let done = flow(&mut payment, &request);
    let changes = payment.into_changes();
    match done {
        Ok(flowed) => {
            view.merge(changes);
            flowed
        }
        Err(FlowError::Impossible | FlowError::Strand(_)) => Flowed {
            result: Err(EngineResult::TEC_INTERNAL),
            input: Amount::zero(max.issue()),
            output: Amount::zero(deliver.issue()),
            removable: BTreeSet::new(),
        },
    }
}
