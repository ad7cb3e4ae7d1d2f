use std::collections::BTreeMap;

use xrpl_protocol::{AccountId, Hash256, Issue, MptId, Object, Value, fields, object_id};

use super::{Invariant, Outcome, Touched};
use crate::{
    ledger::{
        ReadView, amendment,
        entry_type::MPTOKEN,
        helpers::{
            account_root::{flags_of, is_pseudo_account},
            mpt::{self, flag},
            token::{self, Auth},
        },
    },
    transactors::privilege::OVERRIDE_FREEZE,
};

const PAYMENT: u16 = 0;
const OFFER_CREATE: u16 = 7;
const AMM_CREATE: u16 = 35;
const AMM_DEPOSIT: u16 = 36;
const AMM_WITHDRAW: u16 = 37;
/// VaultWithdraw, LoanBrokerCoverWithdraw, LoanPay.
const SETTLING: [u16; 3] = [69, 77, 84];

#[derive(Clone, Copy, Default)]
struct Held {
    before: Option<u64>,
    after: Option<u64>,
}

/// An MPT moves between holders only as its issuer allows.
#[derive(Default)]
pub(super) struct ValidMptTransfer {
    held: BTreeMap<MptId, BTreeMap<AccountId, Held>>,
    /// Deleted MPTokens: whether they were authorised.
    deleted: BTreeMap<Hash256, bool>,
}

fn amount(holding: &Object) -> Option<u64> {
    Some(holding.u64(fields::MPT_AMOUNT).unwrap_or_default())
}

impl Invariant for ValidMptTransfer {
    fn visit(&mut self, touched: &Touched<'_>) {
        let Some(holding) = touched.after_of(MPTOKEN) else { return };
        let (Some(Value::Hash192(id)), Some(account)) =
            (holding.get(fields::MP_TOKEN_ISSUANCE_ID), holding.account(fields::ACCOUNT))
        else {
            return;
        };
        let held = self.held.entry(MptId(*id)).or_default().entry(account).or_default();
        held.before = touched.before_of(MPTOKEN).and_then(amount);
        held.after = amount(holding);
        if let Some(before) = touched.before_of(MPTOKEN).filter(|_| touched.deleted) {
            self.deleted.insert(*touched.key, flags_of(before) & flag::AUTHORIZED != 0);
        }
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        let rules = outcome.view.rules();
        if outcome.may(OVERRIDE_FREEZE) || !rules.enabled(amendment::MPTOKENS_V2) {
            return Ok(());
        }
        let kind = outcome.tx.kind;
        let trades = matches!(kind, AMM_CREATE | AMM_DEPOSIT | OFFER_CREATE)
            || (kind == PAYMENT && crosses(&outcome.tx.object));
        let waived = kind == AMM_WITHDRAW
            || (SETTLING.contains(&kind) && rules.enabled(amendment::FIX_CLEANUP_3_2_0));
        for (id, holders) in &self.held {
            let Some(issuance) = outcome.view.read(&object_id::mpt_issuance(*id)) else { continue };
            let flags = flags_of(&issuance);
            let (mut gave, mut got, mut refused) = (false, false, false);
            for (account, held) in holders {
                let Some(after) = held.after else { continue };
                if held.before.unwrap_or_default() == after {
                    continue;
                }
                let receives = held.before.is_none_or(|before| after > before);
                gave |= !receives;
                got |= receives;
                refused = refused
                    || is_frozen(outcome, *account, *id, receives)
                    || !self.is_authorized(outcome, *account, *id, flags);
            }
            let stays = flags & flag::CAN_TRANSFER == 0 && !waived;
            let untraded = trades && flags & flag::CAN_TRADE == 0;
            if gave && got && (refused || stays || untraded) {
                return Err("an MPT moved between holders against its issuer's rules");
            }
        }
        Ok(())
    }
}

/// Whether a payment goes from one issue to another.
fn crosses(tx: &Object) -> bool {
    let issue = |field| tx.amount(field).map(|amount| amount.issue());
    issue(fields::SEND_MAX).is_some_and(|max| Some(max) != issue(fields::AMOUNT))
}

fn is_frozen(outcome: &Outcome<'_>, account: AccountId, id: MptId, receives: bool) -> bool {
    let view = outcome.view;
    if view.rules().enabled(amendment::FIX_CLEANUP_3_3_0) {
        return token::is_frozen(view, account, Issue::Mpt(id));
    }
    mpt::is_global_locked(view, id)
        || mpt::is_individual_locked(view, account, id)
        || (!(outcome.tx.kind == AMM_WITHDRAW && receives)
            && mpt::is_vault_frozen(view, account, id, 0))
}

impl ValidMptTransfer {
    fn is_authorized(&self, outcome: &Outcome<'_>, account: AccountId, id: MptId, of: u32) -> bool {
        if is_pseudo_account(outcome.view, account) {
            return true;
        }
        match self.deleted.get(&object_id::mptoken(id, account)) {
            Some(authorized) => *authorized || of & flag::REQUIRE_AUTH == 0,
            None => mpt::require_auth(outcome.view, id, account, Auth::Legacy).is_ok(),
        }
    }
}
