use std::collections::BTreeMap;

use xrpl_protocol::{AccountId, Amount, Currency, IssuedValue, fields};

use super::{Invariant, Outcome, Touched};
use crate::{
    ledger::{
        ReadView, amendment,
        entry_type::{ACCOUNT_ROOT, RIPPLE_STATE},
        helpers::{
            account_root::{flag, flags_of},
            trust_line::{AMM_NODE, Side, value_of},
        },
    },
    transactors::privilege::OVERRIDE_FREEZE,
};

/// A holder's balance with an issuer changed.
#[derive(Clone, Copy)]
struct Change {
    holder: AccountId,
    flags: u32,
    /// Below zero: the holder gave.
    sign: i32,
}

/// What is frozen does not move between holders. A line alone does not tell: who gives and who gets
/// matters, so all changes are collected by issuer, each line counting for both its sides.
#[derive(Default)]
pub(super) struct TransfersNotFrozen {
    changes: BTreeMap<(Currency, AccountId), Vec<Change>>,
    /// Flags of accounts that the transaction touched, as they were at last.
    accounts: BTreeMap<AccountId, u32>,
}

impl Invariant for TransfersNotFrozen {
    fn visit(&mut self, touched: &Touched<'_>) {
        if let Some(root) = touched.after_of(ACCOUNT_ROOT) {
            let account = root.account(fields::ACCOUNT).unwrap_or_default();
            self.accounts.entry(account).or_insert_with(|| flags_of(root));
        }
        let Some(line) = touched.after_of(RIPPLE_STATE) else { return };
        let balance = |entry| value_of(entry, fields::BALANCE);
        let before = touched.before_of(RIPPLE_STATE).map_or(IssuedValue::ZERO, balance);
        let after = if touched.deleted { IssuedValue::ZERO } else { balance(line) };
        let sign = match after.cmp(&before) {
            std::cmp::Ordering::Less => -1,
            std::cmp::Ordering::Equal => return,
            std::cmp::Ordering::Greater => 1,
        };
        let limit = |field| match line.amount(field) {
            Some(Amount::Issued { currency, issuer, .. }) => Some((currency, issuer)),
            _ => None,
        };
        let (Some((currency, low)), Some((_, high))) =
            (limit(fields::LOW_LIMIT), limit(fields::HIGH_LIMIT))
        else {
            return;
        };
        let flags = flags_of(line);
        let mut note = |issuer, holder, sign| {
            let changes = self.changes.entry((currency, issuer)).or_default();
            changes.push(Change { holder, flags, sign });
        };
        note(high, low, sign);
        note(low, high, -sign);
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        if !outcome.view.rules().enabled(amendment::DEEP_FREEZE) {
            return Ok(());
        }
        for ((_, issuer), changes) in &self.changes {
            let flags = self.accounts.get(issuer).copied();
            let flags = flags.or_else(|| outcome.view.account(*issuer).map(|root| flags_of(&root)));
            let Some(flags) = flags else { return Err("a currency without its issuer moved") };
            let gave = changes.iter().any(|change| change.sign < 0);
            let got = changes.iter().any(|change| change.sign > 0);
            if gave && got {
                let global = flags & flag::GLOBAL_FREEZE != 0;
                let moves = |change| may_move(outcome, *issuer, change, global);
                if !changes.iter().all(moves) {
                    return Err("frozen funds moved");
                }
            }
        }
        Ok(())
    }
}

fn may_move(outcome: &Outcome<'_>, issuer: AccountId, change: &Change, global: bool) -> bool {
    let side = Side::of(issuer, change.holder);
    let frozen = change.sign < 0 && change.flags & side.freeze() != 0;
    let deep = change.flags & side.deep_freeze() != 0;
    if !(global || frozen || deep) {
        return true;
    }
    let amm = change.flags & AMM_NODE != 0;
    (!amm || global) && outcome.may(OVERRIDE_FREEZE)
}
