//! Results that say that something is broken, and that xrpld 3.3 gives all the same: where its rules
//! contradict each other, the ledger here must do so too. Each is allowed for just what leads to it
//! there, with the place in xrpld's source that shows it.

use xrpl_protocol::{
    Amount, EngineResult, Field, Hash256, Issue, MptId, Object, Value, decimal::Decimal, fields,
    object_id,
};
use xrpl_standalone::ledger::Entry;

use super::run::name_of;

const LOAN_DEFAULT: u32 = 0x0001_0000;
const LOAN_IMPAIRED: u32 = 0x0002_0000;
const GLOBAL_FREEZE: u32 = 0x0040_0000;
const DEFAULT_RIPPLE: u32 = 0x0080_0000;
/// Of the low and the high side of a trust line.
const FREEZE: [u32; 2] = [0x0040_0000, 0x0080_0000];
const DEEP_FREEZE: [u32; 2] = [0x0200_0000, 0x0400_0000];
const MPT_LOCKED: u32 = 1;
const MPT_CAN_TRANSFER: u32 = 0x20;

/// A ledger in which a transaction is about to be applied.
pub(crate) struct Before<'a> {
    pub(crate) read: &'a dyn Fn(&Hash256) -> Option<Entry>,
    /// Whether amendments in development are on.
    pub(crate) development: bool,
}

/// Which of the results that say that something is broken a transaction may have, as it may there.
pub(crate) fn may_end_with(tx: &Object, before: &Before<'_>) -> Vec<EngineResult> {
    let invariant = EngineResult::TEC_INVARIANT_FAILED;
    let may = |result, holds: Option<bool>| (holds == Some(true)).then_some(result);
    let found = match tx.u16(fields::TRANSACTION_TYPE).map_or("?", name_of) {
        "VaultDeposit" => vec![may(invariant, before.rounds_twice(tx))],
        "VaultWithdraw" => {
            vec![
                may(invariant, before.rounds_twice(tx)),
                may(invariant, before.shares_are_worth_nothing(tx)),
                before.refuses_a_holding(tx),
            ]
        }
        "VaultClawback" => vec![
            may(invariant, before.rounds_twice(tx)),
            may(invariant, before.claws_back_from_doubtful(tx)),
        ],
        "LoanBrokerCoverWithdraw" => vec![before.refuses_a_holding(tx)],
        "LoanManage" => vec![
            may(invariant, before.frozen_cover_pays(tx)),
            may(EngineResult::TEF_BAD_LEDGER, before.lost_less_than_owed(tx)),
        ],
        "LoanPay" => vec![may(EngineResult::TEF_BAD_LEDGER, before.lost_less_than_owed(tx))],
        _ => Vec::new(),
    };
    found.into_iter().flatten().collect()
}

fn has(entry: &Object, flag: u32) -> bool {
    entry.u32(fields::FLAGS).unwrap_or(0) & flag != 0
}

fn number(entry: &Object, field: Field) -> Decimal {
    match entry.get(field) {
        Some(Value::Number(number)) if number.mantissa != 0 => number.decimal(),
        _ => Decimal::ZERO,
    }
}

impl Before<'_> {
    fn at(&self, id: Hash256) -> Option<Entry> {
        (self.read)(&id)
    }

    /// The entry that a field of another one names.
    fn named(&self, by: &Object, field: Field) -> Option<Entry> {
        self.at(by.hash256(field)?)
    }

    /// Moves an issued currency in or out of a vault whose shares are worth a number with many digits.
    ///
    /// `VaultInvariant.cpp` rounds what the vault's line gained or lost to the digits that the vault's
    /// total has, and asks the total to have changed by just that. But the total is the rounded sum: where
    /// the digit rounded off is a 5, both go to the even neighbour, which is another one if the total's
    /// last digit was odd. (1395.000000006679 less 356.0000000017045 is 1039.000000004974,
    /// 356.000000001705 less; the line's 356.0000000017045 is rounded to ...704.)
    ///
    /// What it lost is rounded once more, to the digits of the receiver's line, which must have gained
    /// as much. (`kept/withdrawal-at-a-loss.json`: shares of 213 available of 554 are given back for
    /// 2.000008483754513. The vault's 213 become 210.9999915162455, 2.0000084837545 less, which is rounded
    /// to ...754; the receiver's 4,810 become 4812.000008483755, ...755 more.)
    fn rounds_twice(&self, tx: &Object) -> Option<bool> {
        let vault = self.named(tx, fields::VAULT_ID)?;
        let Some(Value::Hash192(share)) = vault.get(fields::SHARE_MPTID) else { return None };
        let issuance = self.at(object_id::mpt_issuance(MptId(*share)));
        let shares = issuance.and_then(|issuance| issuance.u64(fields::OUTSTANDING_AMOUNT));
        let shares = i64::try_from(shares.unwrap_or(0)).unwrap_or(0);
        let decimals = vault.u8(fields::SCALE).unwrap_or(0);
        let deposited = Decimal::new(shares, -i32::from(decimals)).unwrap_or(Decimal::ZERO);
        let is_issued = matches!(vault.issue(fields::ASSET)?, Issue::Issued { .. });
        let total = number(&vault, fields::ASSETS_TOTAL);
        // Losses that are only feared count for who takes out.
        let takes =
            tx.u16(fields::TRANSACTION_TYPE).is_some_and(|kind| name_of(kind) == "VaultWithdraw");
        let at_a_loss = takes && vault.contains(fields::LOSS_UNREALIZED);
        Some(is_issued && (deposited != total || at_a_loss))
    }

    /// A clawback counts doubtful loans as lost even for whoever has all shares. If all that is lent is
    /// doubtful, all shares are worth what is available; they would be burnt and leave assets that nobody
    /// has a share of, which `VaultInvariant.cpp` stops ("updated zero sized vault must have no assets
    /// outstanding").
    fn claws_back_from_doubtful(&self, tx: &Object) -> Option<bool> {
        Some(self.named(tx, fields::VAULT_ID)?.contains(fields::LOSS_UNREALIZED))
    }

    /// Shares are given back that are worth nothing, or so little that it rounds to nothing.
    ///
    /// `VaultWithdraw.cpp` refuses an amount of assets for which there are no shares, but not shares for
    /// which there are no assets. `accountSend` moves nothing then, and `VaultInvariant.cpp` stops it
    /// ("withdrawal must change vault balance"). (`kept/shares-worth-nothing.json`: all of 8,505 is lent and
    /// counted as lost, and 3,252 shares are given back.)
    fn shares_are_worth_nothing(&self, tx: &Object) -> Option<bool> {
        let vault = self.named(tx, fields::VAULT_ID)?;
        let Some(Value::Hash192(share)) = vault.get(fields::SHARE_MPTID) else { return None };
        let Amount::Mpt { value, id } = tx.amount(fields::AMOUNT)? else { return None };
        if id != MptId(*share) {
            return Some(false);
        }
        let holding = self.at(object_id::mptoken(id, tx.account(fields::ACCOUNT)?))?;
        let all = self.at(object_id::mpt_issuance(id))?.u64(fields::OUTSTANDING_AMOUNT)?;
        // Whoever has all shares bears the loss in any case, and it is not counted.
        let loss = match holding.u64(fields::MPT_AMOUNT)? == all {
            true => Decimal::ZERO,
            false => number(&vault, fields::LOSS_UNREALIZED),
        };
        let whole = number(&vault, fields::ASSETS_TOTAL) - loss;
        let all = Decimal::from(i64::try_from(all).ok()?);
        let worth = whole * Decimal::from(value) / all;
        Some(Amount::from_decimal(vault.issue(fields::ASSET)?, worth).ok()?.is_zero())
    }

    /// Somebody takes assets out of a vault, or out of what covers loans, to itself.
    ///
    /// `doWithdraw` (`View.cpp`) first gives it something to hold them with, although it may have that or
    /// need none. `addEmptyHolding` looks at that too late, and `preclaim` at none of what comes before:
    /// - for MPTs (`MPTokenHelpers.cpp`) it answers `tefINTERNAL` for what is locked before it asks whether
    ///   the account is the issuer, to which `checkWithdrawFreeze` (`TokenHelpers.cpp`) always lets
    ///   funds go. (`kept/locked-cover-to-its-issuer.json`, 9 of the MPT;
    ///   `kept/locked-assets-to-their-issuer.json`, 104 of the 1,239 that it deposited.)
    /// - for currencies (`RippleStateHelpers.cpp`) it answers `tecINTERNAL` if the issuer does not let
    ///   balances ripple by default, before it asks whether there is a line. `canTransfer`, there as
    ///   well, asks both lines instead, and those that were made before say that balances may.
    ///   (`kept/vault-without-default-ripple.json`, `kept/cover-without-default-ripple.json`.)
    fn refuses_a_holding(&self, tx: &Object) -> Option<EngineResult> {
        let broker = self.named(tx, fields::LOAN_BROKER_ID);
        let vault = self.named(broker.as_deref().unwrap_or(tx), fields::VAULT_ID)?;
        let sender = tx.account(fields::ACCOUNT)?;
        let to_itself = tx.account(fields::DESTINATION).is_none_or(|to| to == sender);
        let (refuses, result) = match vault.issue(fields::ASSET)? {
            Issue::Xrp => return None,
            Issue::Mpt(asset) => {
                let issuance = self.at(object_id::mpt_issuance(asset))?;
                let locked = sender == asset.issuer() && has(&issuance, MPT_LOCKED);
                (locked, EngineResult::TEF_INTERNAL)
            }
            Issue::Issued { issuer, .. } => {
                let root = self.at(object_id::account_root(issuer))?;
                let stops = sender != issuer && !has(&root, DEFAULT_RIPPLE);
                (stops, EngineResult::TEC_INTERNAL)
            }
        };
        (to_itself && refuses).then_some(result)
    }

    /// A loan that was impaired is paid on, thought better of or given up, and the vault counts a smaller
    /// loss for it than it owes.
    ///
    /// A loan keeps the digits that the vault's total had when it was made. If the total has grown by a
    /// digit since, `impairLoan` (`LoanManage.cpp`) adds what is owed to the loss with one digit less
    /// (`adjustImpreciseNumber`), which may round it down. Taking it off again, `unimpairLoan` (which
    /// `LoanPay.cpp` begins with) and `defaultLoan` answer `tefBAD_LEDGER` if the loss is less than all
    /// that is owed. (`kept/loss-less-than-owed.json`: the total grew from 461 to 1,232 USD, of
    /// 102.0003650023251 owed 102.000365002325 are counted.)
    fn lost_less_than_owed(&self, tx: &Object) -> Option<bool> {
        let loan = self.named(tx, fields::LOAN_ID)?;
        let broker = self.named(&loan, fields::LOAN_BROKER_ID)?;
        let vault = self.named(&broker, fields::VAULT_ID)?;
        let owed = number(&loan, fields::TOTAL_VALUE_OUTSTANDING)
            - number(&loan, fields::MANAGEMENT_FEE_OUTSTANDING);
        let is_issued = matches!(vault.issue(fields::ASSET)?, Issue::Issued { .. });
        let less = number(&vault, fields::LOSS_UNREALIZED) < owed;
        Some(is_issued && has(&loan, LOAN_IMPAIRED) && less)
    }

    /// A loan is given up whose broker must pay a part of it out of cover that is frozen.
    ///
    /// `LoanManage.cpp` asks in neither `preclaim` nor `defaultLoan` whether the cover may move, and
    /// `accountSend` moves it whatever is frozen. Then `FreezeInvariant.cpp` sees one holder give and
    /// another get what is frozen, which only transactions with the privilege `OverrideFreeze`
    /// may do (AMMClawback alone); for MPTs `ValidMPTTransfer` in `MPTInvariant.cpp` does, which also
    /// wants them to be transferable, and is enforced with MPTokensV2 only.
    ///
    /// In `kept/frozen-cover-pays.json` 75.0006335633574 USD are owed, of which the cover pays 5 % of 10 %,
    /// upwards: 0.3750031678168 of its 467.884094 go from the broker's account to the vault's, after
    /// their issuer set its global freeze. In `kept/locked-cover-pays.json` it is 1 of a locked MPT, for
    /// 5 % of 0.001 % of 6,559.
    fn frozen_cover_pays(&self, tx: &Object) -> Option<bool> {
        let loan = self.named(tx, fields::LOAN_ID)?;
        let broker = self.named(&loan, fields::LOAN_BROKER_ID)?;
        let vault = self.named(&broker, fields::VAULT_ID)?;
        let has_rate = |field| broker.u32(field).is_some_and(|rate| rate > 0);
        let pays = has(tx, LOAN_DEFAULT)
            && number(&broker, fields::COVER_AVAILABLE) > Decimal::ZERO
            && has_rate(fields::COVER_RATE_MINIMUM)
            && has_rate(fields::COVER_RATE_LIQUIDATION);
        let (from, to) = (broker.account(fields::ACCOUNT)?, vault.account(fields::ACCOUNT)?);
        let frozen = match vault.issue(fields::ASSET)? {
            Issue::Xrp => false,
            Issue::Issued { currency, issuer } => {
                let root = self.at(object_id::account_root(issuer))?;
                let line_has = |holder, flags: [u32; 2]| {
                    let line = self.at(object_id::trust_line(holder, issuer, currency));
                    let flag = flags[usize::from(issuer > holder)];
                    line.is_some_and(|line| has(&line, flag))
                };
                has(&root, GLOBAL_FREEZE)
                    || line_has(from, FREEZE)
                    || [from, to].into_iter().any(|holder| line_has(holder, DEEP_FREEZE))
            }
            Issue::Mpt(id) => {
                let issuance = self.at(object_id::mpt_issuance(id))?;
                let locked = |holder| {
                    let held = self.at(object_id::mptoken(id, holder));
                    held.is_some_and(|held| has(&held, MPT_LOCKED))
                };
                self.development
                    && (has(&issuance, MPT_LOCKED)
                        || !has(&issuance, MPT_CAN_TRANSFER)
                        || locked(from)
                        || locked(to))
            }
        };
        Some(pays && frozen)
    }
}
