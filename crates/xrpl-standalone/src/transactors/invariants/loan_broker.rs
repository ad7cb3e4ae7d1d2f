use std::collections::BTreeMap;

use xrpl_protocol::{AccountId, Amount, Hash256, Object, fields, object_id};

use super::{Invariant, Outcome, Touched};
use crate::ledger::{
    ReadView, amendment, directory,
    entry_type::{self, ACCOUNT_ROOT, LOAN_BROKER, MPTOKEN, RIPPLE_STATE},
    helpers::{
        loan::{self, rate},
        number,
        token::{self, IfFrozen, IfUnauthorized, Spendable},
        vault,
    },
};

const LOAN_BROKER_DELETE: u16 = 75;

/// A broker's cover is what its account holds, and without loans it holds nothing else.
#[derive(Default)]
pub(super) struct ValidLoanBroker {
    /// Brokers, with what they were and are if they were touched themselves.
    brokers: BTreeMap<Hash256, Option<(Option<Object>, Object)>>,
    /// Accounts whose holdings were touched: some may be brokers'.
    holders: Vec<AccountId>,
}

impl Invariant for ValidLoanBroker {
    fn visit(&mut self, touched: &Touched<'_>) {
        let after = touched.after;
        match touched.kind {
            LOAN_BROKER => {
                let versions = (touched.before.cloned(), after.clone());
                self.brokers.insert(*touched.key, Some(versions));
            }
            ACCOUNT_ROOT => {
                if let Some(id) = after.hash256(fields::LOAN_BROKER_ID) {
                    self.brokers.entry(id).or_default();
                }
            }
            RIPPLE_STATE => {
                for field in [fields::LOW_LIMIT, fields::HIGH_LIMIT] {
                    if let Some(Amount::Issued { issuer, .. }) = after.amount(field) {
                        self.holders.push(issuer);
                    }
                }
            }
            MPTOKEN => self.holders.extend(after.account(fields::ACCOUNT)),
            _ => {}
        }
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        for (id, versions) in &self.brokers {
            self.judge_one(outcome, id, versions.as_ref())?;
        }
        for account in &self.holders {
            let root = outcome.view.account(*account);
            let id = root.and_then(|root| root.hash256(fields::LOAN_BROKER_ID));
            if let Some(id) = id.filter(|id| !self.brokers.contains_key(id)) {
                self.judge_one(outcome, &id, None)?;
            }
        }
        Ok(())
    }
}

impl ValidLoanBroker {
    fn judge_one(
        &self,
        outcome: &Outcome<'_>,
        id: &Hash256,
        versions: Option<&(Option<Object>, Object)>,
    ) -> Result<(), &'static str> {
        let view = outcome.view;
        let (before, after) = match versions {
            Some((before, after)) => (before.as_ref(), after.clone()),
            None => (None, Object::clone(&*view.read(id).ok_or("a loan broker is missing")?)),
        };
        let account = after.account(fields::ACCOUNT).unwrap_or_default();
        if rate(&after, fields::OWNER_COUNT) == 0 && !holds_only_asset(view, account) {
            return Err("a loan broker without loans owns more than its asset");
        }
        let sequence = |broker: &Object| rate(broker, fields::LOAN_SEQUENCE);
        if before.is_some_and(|before| sequence(before) > sequence(&after)) {
            return Err("a loan broker's number of loans decreased");
        }
        let cover = number::get(&after, fields::COVER_AVAILABLE);
        if number::get(&after, fields::DEBT_TOTAL).signum() < 0 || cover.signum() < 0 {
            return Err("a loan broker's debt or cover is negative");
        }
        let (_, vault) = loan::vault_of(view, &after).ok_or("a loan broker has no vault")?;
        let (ignore, any) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
        let asset = vault::asset(&vault);
        let held = token::account_holds(view, account, asset, ignore, any, Spendable::Simple);
        if cover < held.decimal() {
            return Err("a loan broker's cover is less than it holds");
        }
        let exact = view.rules().enabled(amendment::FIX_CLEANUP_3_1_3)
            && outcome.tx.kind != LOAN_BROKER_DELETE;
        if exact && cover > held.decimal() {
            return Err("a loan broker's cover is more than it holds");
        }
        Ok(())
    }
}

/// An account's directory lists at most one thing, by which it holds an asset.
fn holds_only_asset(view: &dyn ReadView, account: AccountId) -> bool {
    let mut pages = directory::pages(view, object_id::owner_dir(account));
    let Some((_, root)) = pages.next() else { return true };
    let ids = root.vector256(fields::INDEXES).unwrap_or_default();
    let is_holding = |id: &Hash256| {
        view.read(id).is_some_and(|entry| matches!(entry_type::of(&entry), RIPPLE_STATE | MPTOKEN))
    };
    pages.next().is_none() && ids.len() <= 1 && ids.iter().all(is_holding)
}
