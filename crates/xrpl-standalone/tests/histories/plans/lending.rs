//! Loan brokers and loans: who lends, who borrows and signs for it, and what is due when.

use rand::{RngExt as _, seq::IndexedRandom as _};
use serde_json::{Value as Json, json};
use xrpl_protocol::{AccountId, Hash256, fields, object_id};
use xrpl_standalone::ledger::{Entry, entry_type as kind};

use super::{
    Draw, Put,
    vaults::{amount_of, asset_of, is_whole, issuer_of, number, purse, some, vault_at},
};
use crate::world::{PLAYERS, account, public_key};

/// Flags of a loan.
const DEFAULTED: u32 = 0x0001_0000;
const IMPAIRED: u32 = 0x0002_0000;
const OVERPAYABLE: u32 = 0x0004_0000;

/// A broker, the asset of its vault, and the vault.
struct Broker {
    id: Hash256,
    broker: Entry,
    vault: Entry,
    asset: Json,
}

impl Broker {
    fn with(draw: &Draw<'_>, id: Hash256, broker: &Entry) -> Option<Self> {
        let vault = vault_at(draw, broker.hash256(fields::VAULT_ID)?)?;
        let asset = asset_of(&vault);
        Some(Self { id, broker: broker.clone(), vault, asset })
    }

    /// One of those that are wanted, or any.
    fn any(draw: &mut Draw<'_>, wanted: impl Fn(&Self) -> bool) -> Option<Self> {
        let all = draw.world.all(kind::LOAN_BROKER).iter();
        let all: Vec<_> = all.filter_map(|(id, broker)| Self::with(draw, *id, broker)).collect();
        let wanted: Vec<_> = (0..all.len()).filter(|n| wanted(&all[*n])).collect();
        let n = match wanted.choose(draw.rng) {
            Some(n) if draw.chance(90) => *n,
            _ => draw.below(u32::try_from(all.len()).ok().filter(|n| *n > 0)?) as usize,
        };
        all.into_iter().nth(n)
    }

    fn owner(&self) -> AccountId {
        self.broker.account(fields::OWNER).unwrap_or_default()
    }

    fn cover(&self) -> f64 {
        number(&self.broker, fields::COVER_AVAILABLE)
    }
}

pub(super) fn fill(draw: &mut Draw<'_>, name: &str, put: &mut Put<'_>) {
    match name {
        "LoanBrokerSet" => broker_set(draw, put),
        "LoanBrokerDelete" => {
            let idle = |broker: &Broker| broker.broker.u32(fields::OWNER_COUNT).unwrap_or(0) == 0;
            if let Some(broker) = Broker::any(draw, idle) {
                put.set("LoanBrokerID", broker.id.to_string()).by(Some(broker.owner()));
            }
        }
        "LoanBrokerCoverDeposit" => {
            let Some(broker) = Broker::any(draw, |_| true) else { return };
            let most = purse(draw, &broker.asset, broker.owner());
            let value = some(draw, &broker.asset, most * 0.2);
            put.set("LoanBrokerID", broker.id.to_string()).by(Some(broker.owner()));
            put.set("Amount", amount_of(&broker.asset, value));
        }
        "LoanBrokerCoverWithdraw" => {
            let Some(broker) = Broker::any(draw, |broker| broker.cover() > 0.0) else { return };
            let value = some(draw, &broker.asset, broker.cover() * 0.5);
            put.set("LoanBrokerID", broker.id.to_string()).by(Some(broker.owner()));
            put.set("Amount", amount_of(&broker.asset, value));
            if draw.chance(20) {
                let to = draw.other(broker.owner()).to_string();
                put.set("Destination", to);
            }
        }
        "LoanBrokerCoverClawback" => cover_clawback(draw, put),
        "LoanSet" => loan_set(draw, put),
        "LoanPay" => loan_pay(draw, put),
        "LoanManage" => loan_manage(draw, put),
        "LoanDelete" => {
            let Some((id, loan, broker)) = any_loan(draw, false) else { return };
            let borrower = loan.account(fields::BORROWER);
            put.set("LoanID", id.to_string());
            put.by(if draw.chance(50) { borrower } else { Some(broker.owner()) });
        }
        _ => {}
    }
}

fn broker_set(draw: &mut Draw<'_>, put: &mut Put<'_>) {
    put.set("Flags", 0);
    if draw.chance(25)
        && let Some(broker) = Broker::any(draw, |_| true)
    {
        let vault = broker.broker.hash256(fields::VAULT_ID).unwrap_or_default();
        let most = number(&broker.broker, fields::DEBT_TOTAL) * 3.0 + 10_000.0;
        let most = if draw.chance(50) { "0".into() } else { format!("{most:.0}") };
        put.set("LoanBrokerID", broker.id.to_string()).set("VaultID", vault.to_string());
        put.by(Some(broker.owner())).set("DebtMaximum", most);
        return;
    }
    let Some((id, vault)) = draw.world.any(draw.rng, kind::VAULT).cloned() else { return };
    put.set("VaultID", id.to_string()).by(vault.account(fields::OWNER));
    if draw.chance(60) {
        put.set("CoverRateMinimum", *draw.pick(&[1, 1_000, 10_000, 30_000, 100_000]));
        put.set("CoverRateLiquidation", *draw.pick(&[1, 5_000, 50_000, 100_000]));
    }
    if draw.chance(60) {
        put.set("ManagementFeeRate", *draw.pick(&[1, 100, 777, 10_000]));
    }
    if draw.chance(20) {
        put.set("DebtMaximum", draw.rng.random_range(1_000u32..100_000_000).to_string());
    }
}

fn cover_clawback(draw: &mut Draw<'_>, put: &mut Put<'_>) {
    let issued = |broker: &Broker| broker.cover() > 0.0 && issuer_of(&broker.asset).is_some();
    let Some(broker) = Broker::any(draw, issued) else { return };
    put.set("LoanBrokerID", broker.id.to_string()).by(issuer_of(&broker.asset));
    if draw.chance(60) {
        let value = some(draw, &broker.asset, broker.cover());
        let mut amount = amount_of(&broker.asset, value);
        // A line's other side says whose broker it is as well.
        if broker.asset["issuer"].is_string() && draw.chance(30) {
            let pseudo = broker.broker.account(fields::ACCOUNT).unwrap_or_default();
            amount["issuer"] = pseudo.to_string().into();
            put.set("LoanBrokerID", Json::Null);
        }
        put.set("Amount", amount);
    }
}

/// How an account signs as the counterparty: with its key, or with those of its signer list.
fn counter_signature(draw: &mut Draw<'_>, signer: AccountId) -> Json {
    let key = |signer: AccountId| {
        let player = (0..PLAYERS).find(|player| account(*player) == signer).unwrap_or(0);
        const_hex::encode_upper(public_key(player))
    };
    let id = object_id::signer_list(signer);
    let mut lists = draw.world.all(kind::SIGNER_LIST).iter();
    if let Some((_, list)) = lists.find(|(other, _)| *other == id)
        && draw.chance(50)
    {
        let entries = list.array(fields::SIGNER_ENTRIES).unwrap_or_default();
        let signers = entries.iter().filter_map(|(_, entry)| entry.account(fields::ACCOUNT));
        let signers: Vec<Json> = signers
            .map(|signer| {
                json!({"Signer": {
                    "Account": signer.to_string(), "SigningPubKey": key(signer), "TxnSignature": "01",
                }})
            })
            .collect();
        return json!({"SigningPubKey": "", "Signers": signers});
    }
    json!({"SigningPubKey": key(signer), "TxnSignature": "01".repeat(64)})
}

fn loan_set(draw: &mut Draw<'_>, put: &mut Put<'_>) {
    let rich = |broker: &Broker| number(&broker.vault, fields::ASSETS_AVAILABLE) > 0.0;
    let Some(broker) = Broker::any(draw, rich) else { return };
    let owner = broker.owner();
    let borrower = if draw.chance(5) { owner } else { draw.other(owner) };
    put.set("LoanBrokerID", broker.id.to_string());
    let other = if draw.chance(50) {
        put.by(Some(owner)).set("Counterparty", borrower.to_string());
        borrower
    } else {
        put.by(Some(borrower));
        owner
    };
    let signature = counter_signature(draw, other);
    put.set("CounterpartySignature", signature);
    put.set("Flags", if draw.chance(50) { 0x0001_0000 } else { 0 });
    let available = number(&broker.vault, fields::ASSETS_AVAILABLE);
    let share = if draw.chance(10) { 1.0 } else { 0.3 };
    let principal = some(draw, &broker.asset, available * share);
    let high: f64 = principal.parse().unwrap_or(1.0);
    put.set("PrincipalRequested", principal);
    if draw.chance(80) {
        let interval = *draw.pick(&[60, 60, 61, 100, 600, 86_400, 2_592_000]);
        put.set("PaymentInterval", interval);
        put.set("PaymentTotal", *draw.pick(&[1, 2, 3, 4, 7, 12, 36]));
        if draw.chance(40) {
            put.set("GracePeriod", draw.rng.random_range(60..=interval));
        }
    }
    for field in [
        "InterestRate",
        "LateInterestRate",
        "CloseInterestRate",
        "OverpaymentInterestRate",
        "OverpaymentFee",
    ] {
        if draw.chance(55) {
            put.set(field, *draw.pick(&[0, 1, 500, 10_000, 24_000, 100_000]));
        }
    }
    for field in ["LoanOriginationFee", "LoanServiceFee", "LatePaymentFee", "ClosePaymentFee"] {
        if draw.chance(25) {
            let most = (high * 0.05).clamp(1.0, 1_000.0) as u64;
            put.set(field, draw.rng.random_range(0..=most).to_string());
        }
    }
}

/// A loan on which something is owed, or nothing any more, or else any; and who brokered it.
fn any_loan(draw: &mut Draw<'_>, owing: bool) -> Option<(Hash256, Entry, Broker)> {
    let all = draw.world.all(kind::LOAN);
    let open = |loan: &Entry| loan.u32(fields::PAYMENT_REMAINING).unwrap_or(0) != 0;
    let wanted: Vec<_> = all.iter().filter(|(_, loan)| open(loan) == owing).collect();
    let (id, loan) = match wanted.choose(draw.rng) {
        Some(found) => (*found).clone(),
        None => all.choose(draw.rng)?.clone(),
    };
    let broker = loan.hash256(fields::LOAN_BROKER_ID)?;
    let mut brokers = draw.world.all(kind::LOAN_BROKER).iter();
    let (_, entry) = brokers.find(|(other, _)| *other == broker)?;
    let broker = Broker::with(draw, broker, entry)?;
    Some((id, loan, broker))
}

/// When a loan's next payment is due, and until when it may be late.
fn due(loan: &Entry) -> (u32, u32) {
    let due = loan.u32(fields::NEXT_PAYMENT_DUE_DATE).unwrap_or(u32::MAX);
    (due, due.saturating_add(loan.u32(fields::GRACE_PERIOD).unwrap_or(0)))
}

fn loan_pay(draw: &mut Draw<'_>, put: &mut Put<'_>) {
    let Some((id, loan, broker)) = any_loan(draw, true) else { return };
    put.set("LoanID", id.to_string()).by(loan.account(fields::BORROWER));
    let regular = number(&loan, fields::PERIODIC_PAYMENT) + number(&loan, fields::LOAN_SERVICE_FEE);
    let owed = number(&loan, fields::TOTAL_VALUE_OUTSTANDING);
    let may_overpay = loan.u32(fields::FLAGS).unwrap_or(0) & OVERPAYABLE != 0;
    let late = draw.world.close_time >= due(&loan).0;
    let (flags, value) = match draw.below(10) {
        0..9 if late => {
            let fees = number(&loan, fields::LATE_PAYMENT_FEE);
            (0x0004_0000, regular * 1.5 + fees + 5.0)
        }
        0..2 => (0x0002_0000, owed * 1.5 + number(&loan, fields::CLOSE_PAYMENT_FEE) + 5.0),
        2..6 if may_overpay => (0x0001_0000, regular + owed * f64::from(draw.below(80)) / 100.0),
        _ => (0, regular * f64::from(1 + draw.below(3))),
    };
    // What is too much is not taken, except as an overpayment.
    let value = match is_whole(&broker.asset) || draw.chance(50) {
        true => format!("{:.0}", value.ceil()),
        false => format!("{:.6}", value + 1e-6),
    };
    put.set("Flags", flags).set("Amount", amount_of(&broker.asset, value));
}

fn loan_manage(draw: &mut Draw<'_>, put: &mut Put<'_>) {
    let Some((id, loan, broker)) = any_loan(draw, true) else { return };
    put.set("LoanID", id.to_string()).by(Some(broker.owner()));
    let flags = loan.u32(fields::FLAGS).unwrap_or(0);
    let over = draw.world.close_time > due(&loan).1;
    let change = match flags & (IMPAIRED | DEFAULTED) {
        _ if over && draw.chance(60) => 0x0001_0000,
        _ if draw.chance(5) => 0,
        0 => 0x0002_0000,
        _ => 0x0004_0000,
    };
    put.set("Flags", change);
}
