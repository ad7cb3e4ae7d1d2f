//! Each rule alone, on changes made by hand: one that breaks it is caught, its sound neighbour passes.

mod accounts;
mod entries;
mod loans;
mod mpts;
mod pools;
mod tokens;
mod vaults;

use std::sync::Arc;

use xrpl_protocol::{
    AccountId, Amount, Currency, EngineResult, Hash256, IssuedValue, Object, TxHash, fields,
    object_id,
};

use super::{Invariant, Outcome, Touched};
use crate::ledger::{
    Amendment, ApplyView, OpenView, PreparedTx, ReadView, Rules, Sandbox, SeqProxy, entry_type,
    genesis, sandbox::Action,
};

const ALICE: AccountId = AccountId([1; 20]);
const BOB: AccountId = AccountId([2; 20]);
const CAROL: AccountId = AccountId([3; 20]);

const PAYMENT: u16 = 0;
const FEE: i64 = 10;

fn key(n: u8) -> Hash256 {
    Hash256([n; 32])
}

fn root(account: AccountId) -> Object {
    entry_type::new(entry_type::ACCOUNT_ROOT)
        .with(fields::ACCOUNT, account)
        .with(fields::BALANCE, Amount::Xrp(1_000))
        .with(fields::SEQUENCE, 5u32)
        .with(fields::OWNER_COUNT, 0u32)
        .with(fields::FLAGS, 0u32)
}

fn issued(n: i64, issuer: AccountId) -> Amount {
    let value = IssuedValue::new(n, 0).expect("a small number");
    Amount::issued(value, usd(), issuer)
}

fn usd() -> Currency {
    "USD".parse().expect("a code")
}

/// A line of ALICE (low) and BOB (high): what ALICE holds.
fn line(balance: i64, flags: u32) -> Object {
    line_between(ALICE, BOB, balance, flags)
}

fn line_between(low: AccountId, high: AccountId, balance: i64, flags: u32) -> Object {
    entry_type::new(entry_type::RIPPLE_STATE)
        .with(fields::FLAGS, flags)
        .with(fields::BALANCE, issued(balance, AccountId::ONE))
        .with(fields::LOW_LIMIT, issued(100, low))
        .with(fields::HIGH_LIMIT, issued(100, high))
}

/// What a transaction does to a ledger, and how it ends.
struct Case {
    kind: u16,
    tx: Object,
    result: EngineResult,
    fee: i64,
    /// Amendments that are on besides those that xrpld supports.
    features: Vec<Hash256>,
    /// What was there, whether or not it is touched.
    there: Vec<(Hash256, Object)>,
    /// What becomes of entries: what was, and what is. An erased one's last version is what was.
    changes: Vec<(Hash256, Option<Object>, Option<Object>)>,
}

impl Case {
    fn of(kind: u16) -> Self {
        let tx = Object::new().with(fields::FEE, Amount::Xrp(FEE));
        Self {
            kind,
            tx,
            result: EngineResult::TES_SUCCESS,
            fee: FEE,
            features: Vec::new(),
            there: Vec::new(),
            changes: Vec::new(),
        }
    }

    fn failed(mut self) -> Self {
        self.result = EngineResult::TEC_NO_PERMISSION;
        self
    }

    fn with_feature(mut self, amendment: Amendment) -> Self {
        self.features.push(amendment.id());
        self
    }

    fn with_fee(mut self, fee: i64) -> Self {
        self.fee = fee;
        self
    }

    fn with(mut self, field: xrpl_protocol::Field, value: impl Into<xrpl_protocol::Value>) -> Self {
        self.tx.set(field, value.into());
        self
    }

    fn there(mut self, key: Hash256, entry: Object) -> Self {
        self.there.push((key, entry));
        self
    }

    fn create(mut self, key: Hash256, entry: Object) -> Self {
        self.changes.push((key, None, Some(entry)));
        self
    }

    fn change(mut self, key: Hash256, before: Object, after: Object) -> Self {
        self.changes.push((key, Some(before), Some(after)));
        self
    }

    fn erase(mut self, key: Hash256, before: Object) -> Self {
        self.changes.push((key, Some(before), None));
        self
    }

    /// Changes an entry to its last version and erases it.
    fn erase_as(self, key: Hash256, before: Object, last: Object) -> Self {
        self.change(key, before, last).erased(key)
    }

    fn erased(mut self, key: Hash256) -> Self {
        self.changes.push((key, None, None));
        self
    }

    fn prepared(&self) -> PreparedTx {
        PreparedTx {
            hash: TxHash([9; 32]),
            blob: Vec::new(),
            object: self.tx.clone(),
            kind: self.kind,
            account: ALICE,
            seq: SeqProxy::Sequence(1),
            fee: self.tx.amount(fields::FEE).and_then(|fee| fee.drops()),
            flags: 0,
            last_ledger: None,
        }
    }

    /// What a rule says.
    fn judged<I: Invariant>(&self) -> Result<(), &'static str> {
        let (_, mut closed) = genesis::ledgers(&genesis::amendments(), Default::default(), 10);
        let before = self.changes.iter().filter_map(|(k, b, _)| Some((*k, b.clone()?)));
        for (key, entry) in self.there.iter().cloned().chain(before) {
            closed.state.insert(key, Arc::new(entry));
        }
        closed.info.rules = Arc::new(closed.info.rules.with_features(&self.features));
        let open = OpenView::new(Arc::new(closed), false);
        let mut view = Sandbox::new(&open);
        for (key, before, after) in &self.changes {
            match (before, after) {
                (_, None) => assert!(view.erase(key)),
                (None, Some(after)) => view.insert(*key, after.clone()),
                (Some(_), Some(after)) => {
                    *view.get_mut(key).expect("it was there") = after.clone();
                }
            }
        }
        let rules: Rules = view.rules().clone();
        let mut rule = I::default();
        for (key, action, before, after) in view.visit() {
            rule.visit(&Touched {
                key,
                deleted: action == Action::Erase,
                before: before.as_deref(),
                after,
                kind: entry_type::of(after),
                rules: &rules,
            });
        }
        let tx = self.prepared();
        rule.judge(&Outcome { view: &view, tx: &tx, result: self.result, fee: self.fee })
    }

    #[track_caller]
    fn holds<I: Invariant>(&self) {
        assert_eq!(self.judged::<I>(), Ok(()));
    }

    #[track_caller]
    fn breaks<I: Invariant>(&self) {
        assert!(self.judged::<I>().is_err(), "it was not caught");
    }
}

fn root_key(account: AccountId) -> Hash256 {
    object_id::account_root(account)
}
