//! A sandbox for payments, in which what was credited cannot be spent again: using one path must not
//! make another one deeper.

use xrpl_protocol::{AccountId, Currency, Hash256, IssuedValue, MptId, Object, TxHash};

use super::{
    changes::{Changes, StateTable},
    deferred_credits::DeferredCredits,
    view::{ApplyView, Entry, ReadView, ViewInfo},
};

/// Uncommitted changes, and what moved in them.
pub struct PaymentSandbox<'a> {
    base: &'a dyn ReadView,
    /// The payment sandbox it stands on, whose movements count too.
    parent: Option<&'a PaymentSandbox<'a>>,
    table: StateTable,
    credits: DeferredCredits,
}

impl std::fmt::Debug for PaymentSandbox<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut f = f.debug_struct("PaymentSandbox");
        f.field("table", &self.table).field("credits", &self.credits).finish_non_exhaustive()
    }
}

impl<'a> PaymentSandbox<'a> {
    /// A payment of its own over any view: what moved below does not matter to it.
    #[must_use]
    pub fn new(base: &'a dyn ReadView) -> Self {
        Self {
            base,
            parent: None,
            table: StateTable::default(),
            credits: DeferredCredits::default(),
        }
    }

    /// A part of a payment.
    #[must_use]
    pub fn on(parent: &'a PaymentSandbox<'a>) -> Self {
        Self {
            base: parent,
            parent: Some(parent),
            table: StateTable::default(),
            credits: DeferredCredits::default(),
        }
    }

    /// The changes, to be merged into the view below. Movements go along to a payment sandbox that
    /// this one is a part of, and end with the payment otherwise.
    #[must_use]
    pub fn into_changes(self) -> Changes {
        let credits = if self.parent.is_some() { self.credits } else { DeferredCredits::default() };
        Changes { table: self.table, credits }
    }

    /// Forgets every change and movement.
    pub fn discard(&mut self) {
        self.table = StateTable::default();
        self.credits = DeferredCredits::default();
    }

    /// This sandbox and those it is a part of, from the top.
    fn chain(&self) -> impl Iterator<Item = &DeferredCredits> {
        std::iter::successors(Some(self), |sandbox| sandbox.parent).map(|sandbox| &sandbox.credits)
    }
}

impl ReadView for PaymentSandbox<'_> {
    fn read(&self, key: &Hash256) -> Option<Entry> {
        self.table.read(self.base, key)
    }

    fn succ(&self, key: &Hash256) -> Option<Hash256> {
        self.table.succ(self.base, key)
    }

    fn info(&self) -> &ViewInfo {
        self.base.info()
    }

    fn has_transaction(&self, hash: &TxHash) -> bool {
        self.base.has_transaction(hash)
    }

    fn balance_hook_xrp(&self, account: AccountId, drops: i64) -> i64 {
        let (mut sent, mut last, mut least) = (0i64, drops, drops);
        for of in self.chain().filter_map(|credits| credits.xrp(account)) {
            sent = sent.saturating_add(of.debits);
            last = of.before;
            least = least.min(last);
        }
        drops.min(last.saturating_sub(sent)).min(least).max(0)
    }

    /// What was there before minus what went, rather than what is there minus what came: large
    /// credits to small balances would cost digits.
    fn balance_hook_iou(
        &self,
        account: AccountId,
        issuer: AccountId,
        currency: Currency,
        balance: IssuedValue,
    ) -> IssuedValue {
        let (mut sent, mut last, mut least) = (IssuedValue::ZERO, balance, balance);
        for of in self.chain().filter_map(|credits| credits.line(account, issuer, currency)) {
            sent = sent.add(of.debits).unwrap_or(sent);
            last = of.before;
            least = least.min(last);
        }
        balance.min(last.sub(sent).unwrap_or(last)).min(least)
    }

    fn balance_hook_mpt(&self, account: AccountId, issuance: MptId, balance: i64) -> i64 {
        let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let (mut sent, mut last, mut least) = (0i64, balance, balance);
        for of in self.chain().filter_map(|credits| credits.mpt(issuance)) {
            if account == issuance.issuer() {
                sent = sent.saturating_add(signed(of.credit));
                last = of.before;
            } else if let Some(holder) = of.holders.get(&account) {
                sent = sent.saturating_add(signed(holder.debit));
                last = signed(holder.before);
            }
            least = least.min(last);
        }
        balance.min(last.saturating_sub(sent)).min(least).max(0)
    }

    fn balance_hook_self_issue_mpt(&self, issuance: MptId, available: i64) -> i64 {
        let (mut sold, mut last) = (0i64, available);
        for of in self.chain().filter_map(|credits| credits.mpt(issuance)) {
            sold = sold.saturating_add(i64::try_from(of.self_debit).unwrap_or(i64::MAX));
            last = of.before;
        }
        last.saturating_sub(sold).max(0)
    }

    fn owner_count_hook(&self, account: AccountId, count: u32) -> u32 {
        let noted = self.chain().filter_map(|credits| credits.owner_count(account)).max();
        noted.map_or(count, |noted| noted.max(count))
    }
}

impl ApplyView for PaymentSandbox<'_> {
    fn get_mut(&mut self, key: &Hash256) -> Option<&mut Object> {
        self.table.get_mut(self.base, key)
    }

    fn insert(&mut self, key: Hash256, entry: Object) {
        self.table.insert(key, entry);
    }

    fn erase(&mut self, key: &Hash256) -> bool {
        self.table.erase(self.base, key)
    }

    fn merge(&mut self, changes: Changes) {
        self.table.merge(changes.table);
        self.credits.merge(changes.credits);
    }

    fn credit_hook_xrp(&mut self, account: AccountId, sent: i64, before: i64) {
        self.credits.credit_xrp(account, sent, before);
    }

    fn credit_hook_iou(
        &mut self,
        from: AccountId,
        to: AccountId,
        currency: Currency,
        value: IssuedValue,
        before: IssuedValue,
    ) {
        self.credits.credit_line(from, to, currency, value, before);
    }

    fn credit_hook_mpt(
        &mut self,
        from: AccountId,
        to: AccountId,
        issuance: MptId,
        value: i64,
        holder_before: u64,
        issuer_before: i64,
    ) {
        self.credits.credit_mpt(from, to, issuance, value, holder_before, issuer_before);
    }

    fn issuer_self_debit_hook_mpt(&mut self, issuance: MptId, value: u64, before: i64) {
        self.credits.self_debit_mpt(issuance, value, before);
    }

    fn adjust_owner_count_hook(&mut self, account: AccountId, now: u32, next: u32) {
        self.credits.note_owner_count(account, now, next);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ledger::{OpenView, Sandbox, genesis};

    const A: AccountId = AccountId([1; 20]);
    const B: AccountId = AccountId([2; 20]);
    const USD: Currency = Currency([9; 20]);

    fn value(n: i32) -> IssuedValue {
        IssuedValue::from_whole(n)
    }

    fn open() -> OpenView<'static> {
        let (_, closed) = genesis::ledgers(&[], Default::default(), 10);
        OpenView::new(Arc::new(closed), false)
    }

    /// B holds 10, gets 5 and pays 3: it may still spend 7, and not 12.
    #[test]
    fn credits_are_deferred_in_every_layer() {
        let open = open();
        let mut below = PaymentSandbox::new(&open);
        below.credit_hook_iou(A, B, USD, value(5), value(-10));
        assert_eq!(below.balance_hook_iou(B, A, USD, value(15)), value(10));
        let mut above = PaymentSandbox::on(&below);
        above.credit_hook_iou(B, A, USD, value(3), value(15));
        assert_eq!(above.balance_hook_iou(B, A, USD, value(12)), value(7));
        // A payment of its own starts afresh, as does what is not for payments.
        assert_eq!(PaymentSandbox::new(&above).balance_hook_iou(B, A, USD, value(12)), value(12));
        assert_eq!(Sandbox::new(&above).balance_hook_iou(B, A, USD, value(12)), value(12));
        let changes = above.into_changes();
        below.merge(changes);
        assert_eq!(below.balance_hook_iou(B, A, USD, value(12)), value(7));
    }

    #[test]
    fn xrp_and_owner_counts() {
        let open = open();
        let mut sandbox = PaymentSandbox::new(&open);
        sandbox.credit_hook_xrp(A, 0, 100);
        assert_eq!(sandbox.balance_hook_xrp(A, 150), 100);
        sandbox.credit_hook_xrp(A, 30, 150);
        assert_eq!(sandbox.balance_hook_xrp(A, 120), 70);
        assert_eq!(sandbox.balance_hook_xrp(B, 120), 120);
        sandbox.adjust_owner_count_hook(A, 3, 4);
        sandbox.adjust_owner_count_hook(A, 4, 1);
        assert_eq!(sandbox.owner_count_hook(A, 1), 4);
    }

    #[test]
    fn issuers_and_holders_of_mpts() {
        let open = open();
        let mut sandbox = PaymentSandbox::new(&open);
        let issuance = MptId::new(1, A);
        sandbox.credit_hook_mpt(A, B, issuance, 40, 7, 100);
        assert_eq!(sandbox.balance_hook_mpt(B, issuance, 47), 7);
        assert_eq!(sandbox.balance_hook_mpt(A, issuance, 60), 60);
        sandbox.issuer_self_debit_hook_mpt(issuance, 50, 60);
        assert_eq!(sandbox.balance_hook_self_issue_mpt(issuance, 60), 50);
    }
}
