//! XRP leaves an account at the beginning of a strand, or reaches one at its end.

use xrpl_protocol::{AccountId, Amount, Currency, EngineResult, Issue, object_id};

use super::{
    Crossing, FlowError,
    asset_amount::{AssetAmount, InOut},
    step::{Place, Run, Seen, check_freeze},
};
use crate::ledger::{
    Ter,
    helpers::{
        account_root::xrp_liquid,
        token::{self, TransferFee},
    },
};

#[derive(Debug)]
pub(super) struct XrpEndpoint {
    account: AccountId,
    last: bool,
    /// What counts for the sender's reserve besides what it owns.
    more: i64,
    moved: Option<AssetAmount>,
}

impl XrpEndpoint {
    pub(super) fn new(place: Place<'_>, account: AccountId) -> Self {
        // Who sells XRP for a token that it never had may dig into the reserve as deep as if it
        // still need not pay for the line: xrpld used to create that afterwards.
        let is_new = |issue| match issue {
            Issue::Issued { currency, issuer } => object_id::trust_line(account, issuer, currency),
            Issue::Mpt(id) => object_id::mptoken(id, account),
            Issue::Xrp => object_id::trust_line(account, AccountId::ZERO, Currency::XRP),
        };
        let strand = place.strand;
        let digs = strand.crossing != Crossing::No
            && place.first
            && !strand.view.exists(&is_new(strand.deliver));
        Self { account, last: place.last, more: if digs { -1 } else { 0 }, moved: None }
    }

    pub(super) fn ends(&self) -> (AccountId, AccountId) {
        match self.last {
            true => (AccountId::ZERO, self.account),
            false => (self.account, AccountId::ZERO),
        }
    }

    pub(super) fn moved(&self) -> Option<InOut> {
        self.moved.map(|moved| InOut { input: moved, output: moved })
    }

    /// Both ways it is the same.
    pub(super) fn run(
        &mut self,
        run: &mut Run<'_, '_>,
        wanted: AssetAmount,
    ) -> Result<InOut, FlowError> {
        let wanted = wanted.drops()?;
        let drops = match self.last {
            true => wanted,
            false => wanted.min(xrp_liquid(&*run.view, self.account, self.more)),
        };
        let (from, to) = self.ends();
        let sent = token::account_send(run.view, from, to, Amount::Xrp(drops), TransferFee::Charge);
        let moved = AssetAmount::Xrp(if sent.is_ok() { drops } else { 0 });
        if sent.is_ok() {
            self.moved = Some(moved);
        }
        Ok(InOut { input: moved, output: moved })
    }

    pub(super) fn check(&self, place: Place<'_>, seen: &mut Seen) -> Ter {
        if self.account == AccountId::ZERO {
            return Err(EngineResult::TEM_BAD_PATH);
        }
        let view = place.strand.view;
        if view.account(self.account).is_none() {
            return Err(EngineResult::TER_NO_ACCOUNT);
        }
        if !place.first && !place.last {
            return Err(EngineResult::TEM_BAD_PATH);
        }
        let (from, to) = self.ends();
        check_freeze(view, from, to, Currency::XRP)?;
        let before = if self.last { &mut seen.sources } else { &mut seen.destinations };
        if before.insert(Issue::Xrp) { Ok(()) } else { Err(EngineResult::TEM_BAD_PATH_LOOP) }
    }
}
