//! Executing strands: one as far as its best quality goes, and several until all is delivered.

use std::{cmp::Reverse, collections::BTreeSet};

use xrpl_protocol::{Amount, Decimal, EngineResult, Hash256, Issue, Quality};

use super::{
    Crossing, FlowError,
    amm::AmmContext,
    asset_amount::{AssetAmount, InOut, Sum},
    quality_function::QualityFunction,
    step::{Debt, Run, Step},
    strand::Strand,
};
use crate::ledger::{
    ApplyView, PaymentSandbox, ReadView, amendment,
    helpers::{
        amm::{pool::within_share, swap::within_distance},
        offer,
    },
    sandbox::Changes,
};

/// Rounds at most.
const MOST_ROUNDS: usize = 1000;
/// Offers looked at, all rounds together; the round that passes it is the last.
const MOST_OFFERS: u32 = 1500;

/// What several strands are to do together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// What is to come out.
    pub(super) output: AssetAmount,
    /// The most that may go in.
    pub(super) most: Option<AssetAmount>,
    /// What goes in, and what comes out.
    pub(super) spend: Issue,
    pub(super) deliver: Issue,
    pub(super) partial: bool,
    pub(super) crossing: Crossing,
    pub(super) limit_quality: Option<Quality>,
}

/// What they did.
pub(super) struct Done {
    pub(super) moved: InOut,
    pub(super) changes: Result<Changes, EngineResult>,
    pub(super) removable: BTreeSet<Hash256>,
}

/// What one strand did in one go.
struct Executed {
    moved: InOut,
    changes: Changes,
    inactive: bool,
}

/// A step with the one before it.
fn step_at(strand: &mut Strand, at: usize) -> (Option<&Step>, &mut Step) {
    let (before, rest) = strand.split_at_mut(at);
    (before.last(), &mut rest[0])
}

/// Gets as much as possible of `output` out of a strand at one quality; none if it is dry.
///
/// It is run in reverse until the step is found that limits it. What was done so far is thrown away,
/// that step repeated with what it can do, and the strand run forward from there. Funds that are
/// judged by the ledger before the strand see nothing of it.
fn execute(
    base: &PaymentSandbox<'_>,
    strand: &mut Strand,
    most: Option<AssetAmount>,
    output: AssetAmount,
    removable: &mut BTreeSet<Hash256>,
) -> Result<Option<Executed>, FlowError> {
    // XRP for XRP is no payment of this kind.
    if strand.is_empty() || matches!(&**strand, [Step::Xrp(_), Step::Xrp(_)]) {
        return Ok(None);
    }
    let (mut view, mut before) = (PaymentSandbox::on(base), PaymentSandbox::on(base));
    let count = strand.len();
    let (mut limiting, mut limited) = (count, output);
    let mut wanted = output;
    for at in (0..count).rev() {
        let (previous, step) = step_at(strand, at);
        let mut run = Run { view: &mut view, before: &mut before, removable: &mut *removable };
        let mut moved = step.reverse(previous, &mut run, wanted)?;
        if moved.output.is_zero() {
            return Ok(None);
        }
        if let Some(most) = most.filter(|most| at == 0 && *most < moved.input) {
            view.discard();
            limiting = at;
            let mut run = Run { view: &mut view, before: &mut before, removable: &mut *removable };
            moved = step.forward(previous, &mut run, most)?;
            limited = moved.output;
            if moved.output.is_zero() || moved.input != most {
                return Ok(None);
            }
        } else if moved.output != wanted {
            view.discard();
            before.discard();
            limiting = at;
            wanted = moved.output;
            let mut run = Run { view: &mut view, before: &mut before, removable: &mut *removable };
            moved = step.reverse(previous, &mut run, wanted)?;
            limited = moved.output;
            // So little may go in that nothing comes out.
            if moved.output.is_zero() || moved.output != wanted {
                return Ok(None);
            }
        }
        wanted = moved.input;
    }
    let mut input = limited;
    for at in limiting + 1..count {
        let (previous, step) = step_at(strand, at);
        let mut run = Run { view: &mut view, before: &mut before, removable: &mut *removable };
        let moved = step.forward(previous, &mut run, input)?;
        if moved.output.is_zero() || moved.input != input {
            return Ok(None);
        }
        input = moved.output;
    }
    let ends = (strand.first().and_then(Step::moved), strand.last().and_then(Step::moved));
    let (Some(first), Some(last)) = ends else { return Err(FlowError::Impossible) };
    Ok(Some(Executed {
        moved: InOut { input: first.input, output: last.output },
        changes: view.into_changes(),
        inactive: strand.iter().any(Step::is_inactive),
    }))
}

/// The best quality that a strand may have; none if nothing can go through.
fn quality_upper_bound(view: &dyn ReadView, strand: &Strand) -> Result<Option<Quality>, FlowError> {
    let (mut quality, mut debt) = (Quality::ONE, Debt::Issues);
    let mut previous = None;
    for step in strand {
        let (of_step, next) = step.quality_upper_bound(previous, view, debt)?;
        let Some(of_step) = of_step else { return Ok(None) };
        quality = quality.then(of_step)?;
        debt = next;
        previous = Some(step);
    }
    Ok(Some(quality))
}

/// What to ask a strand that is alone for, so that its average quality is not worse than the limit: a
/// pool gets dearer with what is taken of it.
fn limit_output(
    view: &dyn ReadView,
    strand: &Strand,
    left: AssetAmount,
    deliver: Issue,
    limit: Quality,
) -> Result<AssetAmount, FlowError> {
    let (mut all, mut debt): (Option<QualityFunction>, _) = (None, Debt::Issues);
    let mut previous = None;
    for step in strand {
        let (of_step, next) = step.quality_function(previous, view, debt)?;
        let Some(of_step) = of_step else { return Ok(left) };
        all = Some(all.map_or(of_step, |all| all.then(&of_step)));
        debt = next;
        previous = Some(step);
    }
    let Some(all) = all.filter(|all| all.quality().is_none()) else { return Ok(left) };
    let Some(output) = all.output_at(limit)? else { return Ok(left) };
    let output = AssetAmount::of(&Amount::from_decimal(deliver, output)?);
    // So small a difference is one of rounding.
    if within_share(output.decimal(), left.decimal(), Decimal::new(1, -9)?) {
        return Ok(left);
    }
    Ok(output.min(left))
}

/// The strands of a round, best first. One alone is not judged. A strand that is worse than the limit
/// once does not come back.
fn sorted(
    view: &dyn ReadView,
    strands: &[Strand],
    active: Vec<usize>,
    limit: Option<Quality>,
) -> Result<Vec<usize>, FlowError> {
    if active.len() < 2 {
        return Ok(active);
    }
    let mut judged = Vec::with_capacity(active.len());
    for at in active {
        if let Some(quality) = quality_upper_bound(view, &strands[at])?
            && limit.is_none_or(|limit| quality >= limit)
        {
            judged.push((quality, at));
        }
    }
    judged.sort_by_key(|(quality, _)| Reverse(*quality));
    Ok(judged.into_iter().map(|(_, at)| at).collect())
}

/// Gets what is wanted out of several strands, from the best quality on.
pub(super) fn flow(
    base: &PaymentSandbox<'_>,
    strands: &mut [Strand],
    wanted: &Wanted,
    amm: &AmmContext,
) -> Result<Done, FlowError> {
    let zero = InOut { input: AssetAmount::zero_of(wanted.spend), output: wanted.output.zero() };
    let limit = wanted.limit_quality;
    let most = wanted.most.filter(|most| most.signum() >= 0);
    let (mut inputs, mut outputs) = (Sum::new(zero.input), Sum::new(zero.output));
    let (mut left, mut left_in) = (wanted.output, most);
    let mut view = PaymentSandbox::on(base);
    let mut next: Vec<usize> = (0..strands.len()).collect();
    let mut removable = BTreeSet::new();
    let (mut round, mut offers) = (0, 0u32);
    amm.set_several(strands.len() > 1);
    while left.signum() > 0 && left_in.is_none_or(|left| left.signum() > 0) {
        round += 1;
        if round >= MOST_ROUNDS {
            let changes = Err(EngineResult::TEL_FAILED_PROCESSING);
            return Ok(Done { moved: zero, changes, removable });
        }
        let active = sorted(&view, strands, std::mem::take(&mut next), limit)?;
        amm.set_several(active.len() > 1);
        let ask = match (&active[..], limit) {
            ([alone], Some(limit)) => {
                limit_output(&view, &strands[*alone], left, wanted.deliver, limit)?
            }
            _ => left,
        };
        let mut bad = BTreeSet::new();
        let mut best = None;
        for (tried, at) in active.iter().enumerate() {
            let strand = &mut strands[*at];
            amm.clear();
            if wanted.crossing != Crossing::No
                && let Some(limit) = limit
                && quality_upper_bound(&view, strand)?.is_none_or(|quality| quality < limit)
            {
                continue;
            }
            let executed = match execute(&view, strand, left_in, ask, &mut bad) {
                Ok(executed) => executed,
                Err(FlowError::Strand(_)) => None,
                Err(error) => return Err(error),
            };
            offers = offers.saturating_add(strand.iter().map(Step::offers_used).sum());
            let Some(executed) = executed.filter(|executed| !executed.moved.output.is_zero())
            else {
                continue;
            };
            let quality = executed.moved.quality();
            if let Some(limit) = limit.filter(|limit| quality < *limit)
                && (ask == left || !within_distance(quality, limit, 7)?)
            {
                continue;
            }
            if !executed.inactive {
                next.push(*at);
            }
            next.extend(&active[tried + 1..]);
            best = Some(executed);
            break;
        }
        let is_last = best.is_none() || offers >= MOST_OFFERS;
        if let Some(Executed { moved, changes, .. }) = best {
            inputs.insert(moved.input);
            outputs.insert(moved.output);
            left = wanted.output.minus(outputs.total()?)?;
            if let Some(most) = most {
                left_in = Some(most.minus(inputs.total()?)?);
            }
            view.merge(changes);
            amm.finish_round();
        }
        for offer in &bad {
            // An offer that cannot be deleted stays.
            let _ = offer::delete(&mut view, offer);
        }
        removable.append(&mut bad);
        if is_last {
            break;
        }
    }
    let moved = InOut { input: inputs.total()?, output: outputs.total()? };
    let changes = match judge(&view, wanted, moved, left_in) {
        Ok(()) => Ok(view.into_changes()),
        Err(result) => Err(result),
    };
    let unknown = matches!(changes, Err(EngineResult::TEF_EXCEPTION | EngineResult::TEC_PATH_DRY));
    Ok(Done { moved: if unknown { zero } else { moved }, changes, removable })
}

/// Whether what was moved is what was wanted.
fn judge(
    view: &dyn ReadView,
    wanted: &Wanted,
    moved: InOut,
    left_in: Option<AssetAmount>,
) -> Result<(), EngineResult> {
    let partial = Err(EngineResult::TEC_PATH_PARTIAL);
    let exact = view.rules().enabled(amendment::FIX_FILL_OR_KILL);
    // An offer to be filled or killed is filled if it gets all it asks for; one to sell, and every
    // one before fixFillOrKill, if it spends all that it has to give.
    let spends_all = match wanted.crossing {
        Crossing::No => false,
        Crossing::Buy => !exact,
        Crossing::Sell => true,
    };
    if moved.output > wanted.output {
        return Err(EngineResult::TEF_EXCEPTION);
    }
    if moved.output < wanted.output {
        if wanted.partial && moved.output.is_zero() {
            return Err(EngineResult::TEC_PATH_DRY);
        }
        if !wanted.partial && !spends_all {
            return partial;
        }
    }
    let unspent = left_in.is_some_and(|left| !left.is_zero());
    if !wanted.partial && spends_all && unspent { partial } else { Ok(()) }
}
