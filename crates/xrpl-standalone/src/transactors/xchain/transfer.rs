//! Moving what a bridge moves: from and to its door, and the witnesses' rewards.

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Hash256, Issue, ResultClass, Rounding, fields,
    object::XChainBridge, object_id,
};

use super::{Chain, of_issue};
use crate::{
    ledger::{
        ApplyView, PaymentSandbox, ReadView, Ter, amendment, directory, entry_type,
        helpers::account_root::{
            add_balance, adjust_owner_count, balance_of, flag, flags_of, reserve,
        },
    },
    transactors::{
        ensure,
        flow::{Crossing, Request, flow},
    },
};

/// A transfer from one account to another.
pub(super) struct Transfer {
    pub(super) from: AccountId,
    pub(super) to: AccountId,
    pub(super) has_tag: bool,
    pub(super) amount: Amount,
    /// Whether it may create the account.
    pub(super) creates: bool,
    /// Whether the receiver takes it although it wants to be asked: it sent the transaction.
    pub(super) is_own_claim: bool,
    /// What the sender had before it paid the fee, in drops: that may come out of the reserve.
    pub(super) before_fee: Option<i64>,
}

impl Transfer {
    pub(super) fn new(from: AccountId, to: AccountId, amount: Amount) -> Self {
        Self {
            from,
            to,
            has_tag: false,
            amount,
            creates: false,
            is_own_claim: false,
            before_fee: None,
        }
    }

    /// (xrpld's `transferHelper`.)
    pub(super) fn run(&self, view: &mut PaymentSandbox<'_>) -> Ter {
        if self.from == self.to {
            return Ok(());
        }
        let drops = self.amount.drops();
        match view.account(self.to) {
            Some(root) => {
                let flags = flags_of(&root);
                let untagged = flags & flag::REQUIRE_DEST_TAG != 0 && !self.has_tag;
                ensure(!untagged, EngineResult::TEC_DST_TAG_NEEDED)?;
                let asks = flags & flag::DEPOSIT_AUTH != 0 && !self.is_own_claim;
                let preauth = object_id::deposit_preauth(self.to, self.from);
                ensure(!asks || view.exists(&preauth), EngineResult::TEC_NO_PERMISSION)?;
            }
            None => ensure(drops.is_some() && self.creates, EngineResult::TEC_NO_DST)?,
        }
        match drops {
            Some(drops) => self.pay_xrp(view, drops),
            None => self.pay_issued(view),
        }
    }

    fn pay_xrp(&self, view: &mut PaymentSandbox<'_>, drops: i64) -> Ter {
        let root = view.account(self.from).ok_or(EngineResult::TEC_INTERNAL)?;
        let available = self.before_fee.unwrap_or_else(|| balance_of(&root));
        let needed = drops.saturating_add(reserve(view, &root, 0));
        ensure(available >= needed, EngineResult::TEC_UNFUNDED_PAYMENT)?;
        if view.account(self.to).is_none() {
            let least = i64::try_from(view.info().fees.reserve).unwrap_or(i64::MAX);
            ensure(drops >= least, EngineResult::TEC_NO_DST_INSUF_XRP)?;
            let root = entry_type::new(entry_type::ACCOUNT_ROOT)
                .with(fields::FLAGS, 0u32)
                .with(fields::ACCOUNT, self.to)
                .with(fields::SEQUENCE, view.info().index)
                .with(fields::BALANCE, Amount::Xrp(0))
                .with(fields::OWNER_COUNT, 0u32);
            view.insert(object_id::account_root(self.to), root);
        }
        add_balance(view, self.from, -drops)?;
        add_balance(view, self.to, drops)
    }

    fn pay_issued(&self, view: &mut PaymentSandbox<'_>) -> Ter {
        let request = Request {
            deliver: self.amount,
            source: self.from,
            destination: self.to,
            paths: &[],
            default_path: true,
            partial: false,
            owner_pays: true,
            crossing: Crossing::No,
            limit_quality: None,
            send_max: None,
            domain: None,
        };
        let flowed = flow(view, &request).map_err(|_| EngineResult::TEF_EXCEPTION)?;
        flowed.result.map_err(|result| {
            match result.is_claim() || result.class() == ResultClass::Ter {
                true => result,
                false => EngineResult::TEC_XCHAIN_PAYMENT_FAILED,
            }
        })
    }
}

/// The end of a claim: what was committed on the other chain is paid out on this one.
pub(super) struct Settlement<'a> {
    pub(super) bridge: &'a XChainBridge,
    /// Where it was committed.
    pub(super) source: Chain,
    pub(super) to: AccountId,
    pub(super) has_tag: bool,
    /// As it was committed.
    pub(super) sent: Amount,
    /// Who pays the witnesses, and how much all of them get.
    pub(super) rewards_from: AccountId,
    pub(super) reward: Amount,
    pub(super) witnesses: &'a [AccountId],
    pub(super) claim: Hash256,
    /// Whether the claim stays when it cannot be paid: new accounts' must not block others.
    pub(super) keeps_claim: bool,
    pub(super) is_own_claim: bool,
}

/// A result that ends everything.
fn is_grave(result: EngineResult) -> bool {
    result == EngineResult::TEC_INTERNAL || result.class() == ResultClass::Tef
}

impl Settlement<'_> {
    /// Pays out, rewards the witnesses and removes the claim. (xrpld's `finalizeClaimHelper`.)
    pub(super) fn run(&self, view: &mut PaymentSandbox<'_>) -> Ter {
        let (paid, rewarded);
        let changes = {
            let mut inner = PaymentSandbox::on(&*view);
            paid = self.pay(&mut inner);
            if paid.is_err() && self.keeps_claim {
                return paid;
            }
            rewarded = self.reward(&mut inner);
            if let Err(result) = rewarded
                && (self.keeps_claim || result == EngineResult::TEC_INTERNAL)
            {
                return both(paid, rewarded);
            }
            // What was paid is taken back where the witnesses cannot be.
            (paid.is_err() || rewarded.is_ok()).then(|| inner.into_changes())
        };
        if let Some(changes) = changes {
            view.merge(changes);
        }
        let removed = self.remove(view);
        both(both(paid, rewarded), removed)
    }

    fn pay(&self, view: &mut PaymentSandbox<'_>) -> Ter {
        let here = self.source.other();
        let amount = of_issue(&self.sent, here.issue(self.bridge));
        let transfer = Transfer {
            has_tag: self.has_tag,
            creates: true,
            is_own_claim: self.is_own_claim,
            ..Transfer::new(here.door(self.bridge), self.to, amount)
        };
        transfer.run(view)
    }

    fn reward(&self, view: &mut PaymentSandbox<'_>) -> Ter {
        let Ok(many @ 1..) = i64::try_from(self.witnesses.len()) else { return Ok(()) };
        let rounding = match view.rules().enabled(amendment::FIX_XCHAIN_REWARD_ROUNDING) {
            true => Rounding::Down,
            false => Rounding::current(),
        };
        let share = rounding.during(|| self.reward.divide(&Amount::Xrp(many), Issue::Xrp));
        let share = share.map_err(|_| EngineResult::TEF_EXCEPTION)?;
        let mut distributed = Amount::Xrp(0);
        for witness in self.witnesses {
            match Transfer::new(self.rewards_from, *witness, share).run(view) {
                Err(result @ (EngineResult::TEC_UNFUNDED_PAYMENT | EngineResult::TEC_INTERNAL)) => {
                    return Err(result);
                }
                // A witness that cannot be paid is its own business.
                Err(_) => {}
                Ok(()) => {
                    let sum = distributed.checked_add(&share);
                    distributed = sum.map_err(|_| EngineResult::TEF_EXCEPTION)?;
                }
            }
        }
        ensure(!distributed.is_more(&self.reward), EngineResult::TEC_INTERNAL)
    }

    fn remove(&self, view: &mut PaymentSandbox<'_>) -> Ter {
        let Some(claim) = view.read(&self.claim) else { return Ok(()) };
        let owner = claim.account(fields::ACCOUNT).unwrap_or_default();
        let page = claim.u64(fields::OWNER_NODE).unwrap_or_default();
        let root = object_id::owner_dir(owner);
        if !directory::remove(view, root, page, &self.claim, true) {
            return Err(EngineResult::TEF_BAD_LEDGER);
        }
        view.erase(&self.claim);
        adjust_owner_count(view, owner, -1)
    }
}

/// The first result that is none, but a grave one before any other.
fn both(first: Ter, second: Ter) -> Ter {
    match (first, second) {
        (Err(one), Err(other)) if !is_grave(one) && is_grave(other) => Err(other),
        (Err(one), _) => Err(one),
        (Ok(()), other) => other,
    }
}
