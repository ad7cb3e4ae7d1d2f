//! AMMVote (<https://xrpl.org/docs/references/protocol/transactions/types/ammvote>): liquidity
//! providers vote on the trading fee, by the weight of their LP tokens.

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Field, Object, Value, decimal::Decimal, fields,
};

use super::{assets, existing, form, mpts_allowed, written};
use crate::{
    ledger::{
        ApplyView, ReadView, Ter,
        helpers::amm::{
            MAX_TRADING_FEE,
            pool::{lp_holds, lp_tokens},
            slots::{self, DISCOUNT, MAX_VOTES, VOTE_WEIGHT_SCALE, set_fee},
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// The type.
#[derive(Debug)]
pub(crate) struct Vote;

fn wanted_fee(object: &Object) -> u16 {
    object.u16(fields::TRADING_FEE).unwrap_or_default()
}

/// A vote that still counts.
struct Voter {
    account: AccountId,
    tokens: Amount,
    fee: u16,
}

impl Voter {
    /// Of several votes the least is the first to go.
    fn is_less(&self, other: &Self) -> bool {
        let order = self.tokens.compare(&other.tokens);
        order.then((self.fee, self.account).cmp(&(other.fee, other.account))).is_lt()
    }

    /// As an entry has it.
    fn entry(&self, all: &Amount) -> Result<(Field, Object), EngineResult> {
        let scale = Decimal::from(VOTE_WEIGHT_SCALE);
        let weight = written((self.tokens.decimal() * scale / all.decimal()).to_i64())?;
        let weight = u32::try_from(weight).map_err(|_| EngineResult::TEC_INTERNAL)?;
        Ok(slots::vote(self.account, self.fee, weight))
    }
}

/// The average of votes by weight.
#[derive(Clone, Copy)]
struct Average {
    numerator: Decimal,
    denominator: Decimal,
}

impl Average {
    fn add(&mut self, voter: &Voter) {
        let tokens = voter.tokens.decimal();
        self.numerator = self.numerator + Decimal::from(i32::from(voter.fee)) * tokens;
        self.denominator = self.denominator + tokens;
    }

    fn take(&mut self, voter: &Voter) {
        let tokens = voter.tokens.decimal();
        self.numerator = self.numerator - Decimal::from(i32::from(voter.fee)) * tokens;
        self.denominator = self.denominator - tokens;
    }

    fn fee(self) -> Result<u16, EngineResult> {
        let fee = written((self.numerator / self.denominator).to_i64())?;
        u16::try_from(fee).map_err(|_| EngineResult::TEC_INTERNAL)
    }
}

impl Transactor for Vote {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        mpts_allowed(ctx)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        form::pair(assets(ctx.tx))?;
        ensure(wanted_fee(&ctx.tx.object) <= MAX_TRADING_FEE, EngineResult::TEM_BAD_FEE)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (_, amm) = existing(ctx.view, ctx.tx)?;
        ensure(!lp_tokens(&amm).is_zero(), EngineResult::TEC_AMM_EMPTY)?;
        let held = lp_holds(ctx.view, &amm, ctx.tx.account);
        ensure(!held.is_zero(), EngineResult::TEC_AMM_INVALID_TOKENS)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let account = ctx.tx.account;
        let view = &mut ctx.view;
        let (id, amm) = existing(view, ctx.tx).map_err(|_| EngineResult::TEC_INTERNAL)?;
        let all = lp_tokens(&amm);
        let own = Voter {
            account,
            tokens: lp_holds(view, &amm, account),
            fee: wanted_fee(&ctx.tx.object),
        };
        let (votes, fee) = count(view, &amm, &all, own)?;
        drop(amm);
        let amm = view.get_mut(&id).ok_or(EngineResult::TEC_INTERNAL)?;
        amm.set(fields::VOTE_SLOTS, Value::Array(votes));
        set_fee(amm, fields::TRADING_FEE, fee);
        if let Some(slot) = slots::auction_slot_mut(amm) {
            set_fee(slot, fields::DISCOUNTED_FEE, fee / DISCOUNT);
        }
        Ok(())
    }
}

/// Votes with their weights of today, and the fee that follows. Who has no LP tokens any more has no
/// vote; where all slots are taken, a new one needs more than the least has.
fn count(
    view: &dyn ReadView,
    amm: &Object,
    all: &Amount,
    own: Voter,
) -> Result<(Vec<(Field, Object)>, u16), EngineResult> {
    let mut average = Average { numerator: Decimal::ZERO, denominator: Decimal::ZERO };
    let mut voters: Vec<Voter> = Vec::new();
    for (_, vote) in amm.array(fields::VOTE_SLOTS).unwrap_or_default() {
        let account = vote.account(fields::ACCOUNT).unwrap_or_default();
        let tokens = lp_holds(view, amm, account);
        if tokens.is_zero() {
            continue;
        }
        let fee = if account == own.account { own.fee } else { wanted_fee(vote) };
        let voter = Voter { account, tokens, fee };
        average.add(&voter);
        voters.push(voter);
    }
    if !voters.iter().any(|voter| voter.account == own.account) {
        if voters.len() < MAX_VOTES {
            average.add(&own);
            voters.push(own);
        } else if let Some(least) =
            voters.iter_mut().reduce(|least, next| if next.is_less(least) { next } else { least })
            && (least.tokens.is_less(&own.tokens)
                || least.tokens == own.tokens && own.fee > least.fee)
        {
            average.take(least);
            average.add(&own);
            *least = own;
        }
    }
    let votes: Result<_, _> = voters.iter().map(|voter| voter.entry(all)).collect();
    Ok((votes?, average.fee()?))
}
