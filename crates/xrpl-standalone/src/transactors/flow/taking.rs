//! Taking offers, of accounts or of pools: how much of them, and what moves.

use xrpl_protocol::{AccountId, EngineResult, Hash256, Issue, Quality};

use super::{
    FlowError,
    amm::AmmOffer,
    asset_amount::{AssetAmount, InOut},
    offer_stream::BookOffer,
    step::{Run, issuer},
};
use crate::ledger::{
    ReadView, Rules, amendment,
    helpers::{
        PARITY,
        book::Book,
        mpt,
        token::{self, TransferFee},
    },
};

/// An offer that can be taken.
#[derive(Clone, Debug)]
pub(super) enum Offer {
    /// Of an account, in the book.
    Book(BookOffer),
    /// Of an AMM's pool.
    Pool(AmmOffer),
}

impl Offer {
    pub(super) fn quality(&self) -> Quality {
        match self {
            Self::Book(offer) => offer.quality,
            Self::Pool(offer) => offer.quality,
        }
    }

    pub(super) fn owner(&self) -> AccountId {
        match self {
            Self::Book(offer) => offer.owner,
            Self::Pool(offer) => offer.owner(),
        }
    }

    /// Its id, if it is in the ledger.
    pub(super) fn key(&self) -> Option<Hash256> {
        match self {
            Self::Book(offer) => Some(offer.key),
            Self::Pool(_) => None,
        }
    }

    pub(super) fn left(&self) -> InOut {
        match self {
            Self::Book(offer) => offer.left,
            Self::Pool(offer) => offer.left,
        }
    }

    /// Whether its owner never runs out of what it gives.
    pub(super) fn is_self_funded(&self) -> bool {
        match self {
            Self::Book(offer) => offer.is_self_funded(),
            Self::Pool(_) => true,
        }
    }

    /// What issuers take of it, in billionths: a pool pays nothing for what it gives.
    pub(super) fn rates(&self, rate_in: u32, rate_out: u32) -> (u32, u32) {
        match self {
            Self::Book(_) => (rate_in, rate_out),
            Self::Pool(_) => (rate_in, PARITY),
        }
    }

    /// Whether nothing more can be had of it.
    pub(super) fn is_used_up(&self) -> bool {
        match self {
            Self::Book(offer) => offer.is_used_up(),
            Self::Pool(offer) => offer.consumed,
        }
    }

    pub(super) fn limit_output(
        &self,
        rules: &Rules,
        amounts: InOut,
        limit: AssetAmount,
        up: bool,
    ) -> Result<InOut, FlowError> {
        Ok(match self {
            Self::Book(offer) => amounts.limit_output(offer.quality, limit, up)?,
            Self::Pool(offer) => offer.limit_output(rules, amounts, limit, up)?,
        })
    }

    fn limit_input(
        &self,
        rules: &Rules,
        amounts: InOut,
        limit: AssetAmount,
    ) -> Result<InOut, FlowError> {
        Ok(match self {
            Self::Book(offer) => {
                let strict = rules.enabled(amendment::FIX_REDUCED_OFFERS_V2);
                amounts.limit_input(offer.quality, limit, false, strict)?
            }
            Self::Pool(offer) => offer.limit_input(rules, amounts, limit, false)?,
        })
    }

    fn is_sound(&self, rules: &Rules, taken: InOut) -> Result<bool, FlowError> {
        Ok(match self {
            Self::Book(offer) => {
                let exceeds = taken.input > offer.left.input || taken.output > offer.left.output;
                !(exceeds && rules.enabled(amendment::FIX_AMM_V1_3))
            }
            Self::Pool(offer) => offer.is_sound(taken)?,
        })
    }
}

/// What is about to be taken of an offer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taking {
    /// Of the offer itself.
    pub(super) offer: InOut,
    /// What the step puts in, with the transfer fee, and gets out.
    pub(super) step: InOut,
    /// What the owner gives, with the transfer fee if it pays that.
    pub(super) owner_gives: AssetAmount,
    pub(super) rate_in: u32,
    pub(super) rate_out: u32,
}

impl Taking {
    /// No more than `limit` goes in. Rounded down, so that what is left of the offer is as good as
    /// its directory says.
    pub(super) fn limit_input(
        &mut self,
        offer: &Offer,
        limit: AssetAmount,
        rules: &Rules,
    ) -> Result<(), FlowError> {
        if limit < self.step.input {
            let input = limit.mul_ratio(PARITY, self.rate_in, false)?;
            self.offer = offer.limit_input(rules, self.offer, input)?;
            self.step = InOut { input: limit, output: self.offer.output };
            self.owner_gives = self.offer.output.mul_ratio(self.rate_out, PARITY, false)?;
        }
        Ok(())
    }

    /// No more than `limit` comes out.
    pub(super) fn limit_output(
        &mut self,
        offer: &Offer,
        limit: AssetAmount,
        rules: &Rules,
    ) -> Result<(), FlowError> {
        if limit < self.step.output {
            self.owner_gives = limit.mul_ratio(self.rate_out, PARITY, false)?;
            self.offer = offer.limit_output(rules, self.offer, limit, true)?;
            let input = self.offer.input.mul_ratio(self.rate_in, PARITY, true)?;
            self.step = InOut { input, output: limit };
        }
        Ok(())
    }

    /// Moves it: the owner gets what goes in and gives what comes out. The rest is the issuers' fee.
    pub(super) fn consume(
        &self,
        run: &mut Run<'_, '_>,
        book: &Book,
        offer: &mut Offer,
    ) -> Result<(), FlowError> {
        let rules = run.view.rules();
        if !offer.is_sound(run.view.arithmetic_rules(), self.offer)?
            && rules.enabled(amendment::FIX_AMM_OVERFLOW_OFFER)
        {
            return Err(FlowError::Strand(EngineResult::TEC_INVARIANT_FAILED));
        }
        let owner = offer.owner();
        let fee = match offer {
            Offer::Book(_) => TransferFee::Charge,
            Offer::Pool(_) => TransferFee::Waive,
        };
        let mut send = |from, to, amount| {
            token::send(run.view, from, to, amount, fee, mpt::Overflow::Allow)
                .map_err(FlowError::moving)
        };
        send(issuer(book.input), owner, self.offer.input.amount(book.input))?;
        send(owner, issuer(book.output), self.owner_gives.amount(book.output))?;
        if let Issue::Mpt(id) = book.output
            && id.issuer() == owner
        {
            let sold = self.offer.output.units()?.unsigned_abs();
            mpt::note_issuer_self_debit(run.view, id, sold).map_err(FlowError::moving)?;
        }
        match offer {
            Offer::Book(offer) => offer.consume(run.view, self.offer),
            Offer::Pool(offer) => offer.consume(self.offer),
        }
    }
}
