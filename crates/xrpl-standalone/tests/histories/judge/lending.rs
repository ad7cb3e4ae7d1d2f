//! What vaults, brokers and loans say of each other and of what their accounts hold.

use std::collections::BTreeMap;

use xrpl_protocol::{
    AccountId, Field, Hash256, Issue, MptId, Object, Value, decimal::Decimal, fields, object_id,
};
use xrpl_standalone::ledger::entry_type as kind;

use super::{Judged, Verdict, flags, must};

/// A loan that its broker thinks lost.
const IMPAIRED: u32 = 0x0002_0000;

fn number(entry: &Object, field: Field) -> Decimal {
    match entry.get(field) {
        Some(Value::Number(number)) if number.mantissa != 0 => number.decimal(),
        _ => Decimal::ZERO,
    }
}

fn near(value: Decimal) -> f64 {
    value.to_string().parse().unwrap_or(f64::NAN)
}

/// What an account holds of an asset that it does not issue.
fn held(ledger: &Judged<'_>, account: AccountId, asset: Issue) -> Decimal {
    let at = |id: Hash256| ledger.state.get(&id);
    match asset {
        Issue::Xrp => {
            let root = at(object_id::account_root(account));
            let balance = root.and_then(|root| root.amount(fields::BALANCE));
            balance.map_or(Decimal::ZERO, |balance| balance.decimal())
        }
        Issue::Issued { currency, issuer } => {
            let line = at(object_id::trust_line(account, issuer, currency));
            let balance = line.and_then(|line| line.amount(fields::BALANCE));
            let low = balance.map_or(Decimal::ZERO, |balance| balance.decimal());
            if account < issuer { low } else { -low }
        }
        Issue::Mpt(id) => {
            let token = at(object_id::mptoken(id, account));
            let amount = token.and_then(|token| token.u64(fields::MPT_AMOUNT)).unwrap_or(0);
            Decimal::from(i64::try_from(amount).unwrap_or(i64::MAX))
        }
    }
}

/// How loans add up.
#[derive(Default)]
struct Loans {
    many: u32,
    /// What borrowers owe without what brokers get of it.
    owed: f64,
    /// That of impaired loans.
    doubtful: f64,
}

impl Loans {
    fn add(&mut self, other: &Self) {
        self.many += other.many;
        self.owed += other.owed;
        self.doubtful += other.doubtful;
    }
}

/// A vault has what it says is there, and has lent the rest; a broker's cover is there, and its debt is
/// that of its loans.
pub(super) fn lending(ledger: &Judged<'_>) -> Verdict {
    let of = |wanted: u16| ledger.state.iter().filter(move |(_, entry)| kind::of(entry) == wanted);
    let mut by_broker: BTreeMap<Hash256, Loans> = BTreeMap::new();
    for (id, loan) in of(kind::LOAN) {
        let owed = number(loan, fields::TOTAL_VALUE_OUTSTANDING)
            - number(loan, fields::MANAGEMENT_FEE_OUTSTANDING);
        let principal = number(loan, fields::PRINCIPAL_OUTSTANDING);
        must(principal.signum() >= 0 && owed >= principal, || {
            format!("loan {id} owes {owed}, of which {principal} are principal")
        })?;
        let done = loan.u32(fields::PAYMENT_REMAINING).unwrap_or(0) == 0;
        must(!done || number(loan, fields::TOTAL_VALUE_OUTSTANDING).is_zero(), || {
            format!("loan {id} has no payments left and owes {owed}")
        })?;
        let doubtful = if flags(loan) & IMPAIRED != 0 { near(owed) } else { 0.0 };
        let one = Loans { many: 1, owed: near(owed), doubtful };
        by_broker
            .entry(loan.hash256(fields::LOAN_BROKER_ID).unwrap_or_default())
            .or_default()
            .add(&one);
    }
    let mut by_vault: BTreeMap<Hash256, Loans> = BTreeMap::new();
    for (id, broker) in of(kind::LOAN_BROKER) {
        let vault_id = broker.hash256(fields::VAULT_ID).unwrap_or_default();
        let vault = ledger.state.get(&vault_id);
        let vault = vault.ok_or_else(|| format!("broker {id} has no vault"))?;
        let asset = asset_of(vault);
        let account = broker.account(fields::ACCOUNT).unwrap_or_default();
        let cover = number(broker, fields::COVER_AVAILABLE);
        let there = held(ledger, account, asset);
        must(same(asset, cover, there), || {
            format!("broker {id} covers {cover}, {there} are there")
        })?;
        let loans = by_broker.remove(id).unwrap_or_default();
        let count = broker.u32(fields::OWNER_COUNT).unwrap_or(0);
        must(count == loans.many, || {
            format!("broker {id} has {} loans and says {count}", loans.many)
        })?;
        let debt = near(number(broker, fields::DEBT_TOTAL));
        let total = near(number(vault, fields::ASSETS_TOTAL));
        must(adds_up(asset, debt, loans.owed, total, loans.many), || {
            format!("broker {id} says it is owed {debt}, its loans {}", loans.owed)
        })?;
        by_vault.entry(vault_id).or_default().add(&loans);
    }
    must(by_broker.is_empty(), || format!("loans without brokers: {:?}", by_broker.keys()))?;
    of(kind::VAULT).try_for_each(|(id, vault)| {
        one_vault(ledger, id, vault, &by_vault.remove(id).unwrap_or_default())
    })
}

fn one_vault(ledger: &Judged<'_>, id: &Hash256, vault: &Object, loans: &Loans) -> Verdict {
    let asset = asset_of(vault);
    let account = vault.account(fields::ACCOUNT).unwrap_or_default();
    let (total, available) =
        (number(vault, fields::ASSETS_TOTAL), number(vault, fields::ASSETS_AVAILABLE));
    let there = held(ledger, account, asset);
    must(same(asset, available, there), || {
        format!("vault {id} says {available} are available, {there} are there")
    })?;
    must(available.signum() >= 0 && available <= total, || {
        format!("vault {id} has {available} available of {total}")
    })?;
    let (lent, whole) = (near(total - available), near(total));
    must(adds_up(asset, lent, loans.owed, whole, loans.many), || {
        format!("vault {id} has lent {lent}, its loans owe {}", loans.owed)
    })?;
    let loss = near(number(vault, fields::LOSS_UNREALIZED));
    must(adds_up(asset, loss, loans.doubtful, whole, loans.many), || {
        format!("vault {id} may lose {loss}, impaired loans owe {}", loans.doubtful)
    })?;
    let share = match vault.get(fields::SHARE_MPTID) {
        Some(Value::Hash192(share)) => MptId(*share),
        _ => return Err(format!("vault {id} has no shares")),
    };
    let issuance = ledger.state.get(&object_id::mpt_issuance(share));
    let issuance = issuance.ok_or_else(|| format!("vault {id} has no issuance of shares"))?;
    must(issuance.account(fields::ISSUER) == Some(account), || {
        format!("vault {id} does not issue its shares")
    })?;
    let shares = issuance.u64(fields::OUTSTANDING_AMOUNT).unwrap_or(0);
    must(shares > 0 || total.is_zero(), || {
        format!("vault {id} has {total} that nobody has a share of")
    })
}

fn asset_of(vault: &Object) -> Issue {
    vault.issue(fields::ASSET).unwrap_or(Issue::Xrp)
}

/// The same amount; lines round what numbers do not.
fn same(asset: Issue, one: Decimal, other: Decimal) -> bool {
    match asset {
        Issue::Issued { .. } => (near(one) - near(other)).abs() <= near(one).abs() * 1e-12 + 1e-30,
        _ => one == other,
    }
}

/// The same sum, each of whose parts was rounded with the digits that the whole has.
fn adds_up(asset: Issue, one: f64, other: f64, whole: f64, parts: u32) -> bool {
    let allowed = match asset {
        Issue::Issued { .. } => whole.abs() * 1e-13 * f64::from(parts + 8),
        _ => 0.0,
    };
    (one - other).abs() <= allowed
}
