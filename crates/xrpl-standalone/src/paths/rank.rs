//! Which of the paths are worth naming.

use std::cmp::Reverse;

use xrpl_protocol::{AccountId, Amount, Quality};

use super::{Finder, MAX_PATHS, Path, largest, steps, unlimited};
use crate::{
    ledger::PaymentSandbox,
    transactors::flow::{
        Flowed,
        asset_amount::AssetAmount,
        ripple_calc::{Input, ripple_calculate},
    },
};

/// How good a path is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rank {
    quality: Quality,
    length: usize,
    /// What it can deliver.
    liquidity: Amount,
    /// Which one it is.
    index: usize,
}

impl Rank {
    fn amount(&self) -> AssetAmount {
        AssetAmount::of(&self.liquidity)
    }
}

/// The best paths.
#[derive(Clone, Debug, Default)]
pub(crate) struct Best {
    pub(crate) paths: Vec<Path>,
    /// One more, that could deliver everything by itself.
    pub(crate) covering: Option<Path>,
}

impl Finder<'_> {
    /// Tries the default path, then each of those found.
    pub(super) fn rank(&mut self) {
        let mut view = PaymentSandbox::new(self.view);
        let rest = match self.all {
            true => largest(self.search.deliver.issue()),
            false => self.search.deliver,
        };
        let done = self.pay(&mut view, &[], rest, true);
        self.remaining = rest;
        if done.result.is_ok()
            && let Ok(remaining) = rest.checked_sub(&done.output)
        {
            self.remaining = remaining;
        }
        self.ranks = self.ranks_of(&self.found);
    }

    /// Pays over one path, or over the default one.
    fn pay(
        &self,
        view: &mut PaymentSandbox<'_>,
        path: &[Path],
        deliver: Amount,
        partial: bool,
    ) -> Flowed {
        let paths = steps(path);
        let input = Input {
            max: unlimited(self.search.spend.issued_by(self.search.source)),
            deliver,
            source: self.search.source,
            destination: self.search.destination,
            paths: &paths,
            domain: self.search.domain,
            partial,
            default_path: path.is_empty(),
            limit_quality: false,
        };
        ripple_calculate(view, &input)
    }

    /// What a path can deliver, and at what quality it begins.
    fn liquidity(&self, path: &Path, least: Amount) -> Option<(Amount, Quality)> {
        let mut view = PaymentSandbox::new(self.view);
        let path = std::slice::from_ref(path);
        let first = self.pay(&mut view, path, least, self.all);
        first.result.ok()?;
        let quality = Quality::of(&first.input, &first.output);
        if self.all {
            return Some((first.output, quality));
        }
        let rest = self.search.deliver.checked_sub(&first.output).ok()?;
        let second = self.pay(&mut view, path, rest, true);
        let liquidity = match second.result {
            Ok(()) => first.output.checked_add(&second.output).ok()?,
            Err(_) => first.output,
        };
        Some((liquidity, quality))
    }

    fn ranks_of(&self, paths: &[Path]) -> Vec<Rank> {
        let deliver = &self.search.deliver;
        // Less than this is not worth a path.
        let parts = Amount::Xrp(i64::try_from(MAX_PATHS).unwrap_or(0) + 2);
        let least = match self.all {
            true => largest(deliver.issue()),
            false => deliver.divide(&parts, deliver.issue()).unwrap_or(*deliver),
        };
        let rank = |(index, path): (usize, &Path)| {
            let (liquidity, quality) = self.liquidity(path, least)?;
            Some(Rank { quality, length: path.len(), liquidity, index })
        };
        let paths = paths.iter().enumerate().filter(|(_, path)| !path.is_empty());
        let mut ranks: Vec<Rank> = paths.filter_map(rank).collect();
        ranks.sort_by_key(|rank| {
            let quality = if self.all { 0 } else { rank.quality.0 };
            (quality, Reverse(rank.amount()), rank.length, Reverse(rank.index))
        });
        ranks
    }

    /// The best of what was found and of `extra` paths, of which those before are. With another
    /// `issuer` than the sender only paths that begin with it are taken.
    pub(crate) fn best(&self, extra: &[Path], issuer: AccountId) -> Best {
        let mut best = Best::default();
        if self.found.is_empty() && extra.is_empty() {
            return best;
        }
        let issuer_is_sender = self.search.spend.is_xrp() || issuer == self.search.source;
        let extra_ranks = self.ranks_of(extra);
        let (mut ours, mut theirs) = (self.ranks.iter().peekable(), extra_ranks.iter().peekable());
        let mut remaining = AssetAmount::of(&self.remaining);
        loop {
            let better = |rank: &Rank| (rank.quality.0, Reverse(rank.amount()));
            let (rank, is_ours) = match (ours.peek().copied(), theirs.peek().copied()) {
                (None, None) => break,
                (Some(our), Some(their)) if better(our) == better(their) => {
                    // Most likely the same path.
                    theirs.next();
                    (our, true)
                }
                (Some(our), Some(their)) if better(our) < better(their) => (our, true),
                (Some(our), None) => (our, true),
                (_, Some(their)) => (their, false),
            };
            let path = match is_ours {
                true => {
                    ours.next();
                    &self.found[rank.index]
                }
                false => {
                    theirs.next();
                    &extra[rank.index]
                }
            };
            let left = MAX_PATHS.saturating_sub(best.paths.len());
            if left == 0 && best.covering.is_some() {
                break;
            }
            let mut path = &path[..];
            if !issuer_is_sender && is_ours {
                match path {
                    [first, rest @ ..] if !rest.is_empty() && first.account == issuer => {
                        path = rest
                    }
                    _ => continue,
                }
            }
            let amount = rank.amount();
            if left > 1 || left > 0 && amount >= remaining {
                remaining = remaining.minus(amount).unwrap_or(remaining);
                best.paths.push(path.to_vec());
            } else if left == 0 && amount >= self.wanted() {
                best.covering = Some(path.to_vec());
            }
        }
        best
    }
}
