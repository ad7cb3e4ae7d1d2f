//! Vaults and loans from them (<https://xrpl.org/docs/concepts/tokens/lending-protocol>).

use xrpl_protocol::{
    Amount, Decimal, Issue, Value,
    fields::{
        self, AMOUNT, ASSET, COUNTERPARTY_SIGNATURE, COVER_RATE_LIQUIDATION, COVER_RATE_MINIMUM,
        GRACE_PERIOD, INTEREST_RATE, LOAN_BROKER_ID, LOAN_ID, PAYMENT_INTERVAL, PAYMENT_TOTAL,
        PRINCIPAL_REQUESTED, VAULT_ID,
    },
};

use super::{Journey, Party, Scene, Step};
use crate::{
    catalogue::lending::{at_least, to_be_signed, with_number},
    objects::Kind,
    plan::{Plan, Wait, drops},
};

const TF_LOAN_DEFAULT: u32 = 0x0001_0000;

/// What is deposited, lent and put up as cover: drops.
const DEPOSITED: u64 = 10_000_000;
const LENT: i64 = 1_000_000;
const COVER: u64 = 500_000;
/// The shortest interval between payments, and the shortest grace period, that the ledger allows: seconds.
const SHORTEST: u32 = 60;
/// Thirty days, seconds.
const MONTH: u32 = 2_592_000;

fn create_vault(scene: &Scene<'_>) -> Result<Plan, Wait> {
    scene.afford(scene.fees.figures().increment, 2)?;
    let plan = Plan::new("VaultCreate").with(ASSET, Value::Issue(Issue::Xrp));
    Ok(plan.owning(2))
}

fn deposit(scene: &Scene<'_>) -> Result<Plan, Wait> {
    scene.afford(DEPOSITED, 1)?;
    Ok(Plan::new("VaultDeposit")
        .with(VAULT_ID, scene.made_id("vault", Kind::Vault)?)
        .with(AMOUNT, drops(DEPOSITED))
        .spending(DEPOSITED)
        .owning(1))
}

fn create_broker(scene: &Scene<'_>) -> Result<Plan, Wait> {
    scene.afford(0, 2)?;
    let vault = scene.made_id("vault", Kind::Vault)?;
    Ok(Plan::new("LoanBrokerSet").with(VAULT_ID, vault).owning(2))
}

/// A loan that the owner of the vault signs too.
fn lend(scene: &Scene<'_>) -> Result<Plan, Wait> {
    scene.afford(0, 2)?;
    let owner = scene.party("owner")?;
    let key = scene.world.accounts[owner].key.public_key();
    let plan = Plan::new("LoanSet")
        .with(LOAN_BROKER_ID, scene.made_id("broker", Kind::LoanBroker)?)
        .with(COUNTERPARTY_SIGNATURE, to_be_signed(key))
        .owning(2);
    Ok(with_number(plan, PRINCIPAL_REQUESTED, Decimal::from(LENT)))
}

/// A payment of what is due next: the last one takes all that is left.
fn pay(scene: &Scene<'_>) -> Result<Plan, Wait> {
    let loan = scene.entry("lend", Kind::Loan)?;
    let owed = loan.decimal(fields::TOTAL_VALUE_OUTSTANDING);
    let periodic = loan.decimal(fields::PERIODIC_PAYMENT);
    let last = loan.number(fields::PAYMENT_REMAINING) == Some(1);
    let due = if last && owed > periodic { owed } else { periodic };
    let amount = at_least(Issue::Xrp, due).ok_or(Wait::Object(Kind::Loan))?;
    let plan = Plan::new("LoanPay").with(LOAN_ID, loan.id).with(AMOUNT, amount);
    scene.paying(plan, amount)
}

fn delete_loan(scene: &Scene<'_>) -> Result<Plan, Wait> {
    scene.afford(0, 0)?;
    Ok(Plan::new("LoanDelete").with(LOAN_ID, scene.made_id("lend", Kind::Loan)?))
}

fn delete_broker(scene: &Scene<'_>) -> Result<Plan, Wait> {
    scene.afford(0, 0)?;
    let broker = scene.made_id("broker", Kind::LoanBroker)?;
    Ok(Plan::new("LoanBrokerDelete").with(LOAN_BROKER_ID, broker))
}

/// All of the depositor's shares are redeemed.
fn withdraw(scene: &Scene<'_>) -> Result<Plan, Wait> {
    scene.afford(0, 0)?;
    let none = Wait::Object(Kind::MpToken);
    let vault = scene.entry("vault", Kind::Vault)?;
    let shares = scene.entry("deposit", Kind::MpToken)?;
    let held = shares.number(fields::MPT_AMOUNT).and_then(|held| i64::try_from(held).ok());
    let amount = Amount::Mpt { value: held.ok_or(none)?, id: vault.mpt().ok_or(none)? };
    Ok(Plan::new("VaultWithdraw").with(VAULT_ID, vault.id).with(AMOUNT, amount))
}

fn delete_vault(scene: &Scene<'_>) -> Result<Plan, Wait> {
    scene.afford(0, 0)?;
    Ok(Plan::new("VaultDelete").with(VAULT_ID, scene.made_id("vault", Kind::Vault)?))
}

const VAULT: Step = Step {
    name: "vault",
    transaction_type: "VaultCreate",
    by: "owner",
    acts_on: &[],
    does: "The owner creates a vault of XRP.",
    plan: |scene| create_vault(scene),
};
const DEPOSIT: Step = Step {
    name: "deposit",
    transaction_type: "VaultDeposit",
    by: "depositor",
    acts_on: &["vault"],
    does: "The depositor puts XRP into it and gets shares.",
    plan: |scene| deposit(scene),
};
const DELETE_BROKER: Step = Step {
    name: "delete_broker",
    transaction_type: "LoanBrokerDelete",
    by: "owner",
    acts_on: &["broker"],
    does: "The owner removes the broker.",
    plan: |scene| delete_broker(scene),
};
const WITHDRAW: Step = Step {
    name: "withdraw",
    transaction_type: "VaultWithdraw",
    by: "depositor",
    acts_on: &["vault", "deposit"],
    does: "The depositor redeems all shares.",
    plan: |scene| withdraw(scene),
};
const DELETE_VAULT: Step = Step {
    name: "delete_vault",
    transaction_type: "VaultDelete",
    by: "owner",
    acts_on: &["vault"],
    does: "The owner deletes the empty vault.",
    plan: |scene| delete_vault(scene),
};

const PARTIES: &[Party] =
    &[Party::user("owner"), Party::user("depositor"), Party::user("borrower")];

pub(super) static PAYBACK: Journey = Journey {
    name: "vault_loan_payback",
    shows: "XRP is deposited in a vault, lent at interest, paid back in two payments, and withdrawn with what it earned.",
    needs: &[],
    parties: PARTIES,
    steps: &[
        VAULT,
        DEPOSIT,
        Step {
            name: "broker",
            transaction_type: "LoanBrokerSet",
            by: "owner",
            acts_on: &["vault"],
            does: "The owner becomes a broker of loans from the vault.",
            plan: |scene| create_broker(scene),
        },
        Step {
            name: "lend",
            transaction_type: "LoanSet",
            by: "borrower",
            acts_on: &["vault", "broker"],
            does: "The borrower takes a loan, which the owner signs too.",
            plan: |scene| {
                Ok(lend(scene)?
                    .with(PAYMENT_INTERVAL, MONTH)
                    .with(PAYMENT_TOTAL, 2u32)
                    .with(INTEREST_RATE, 10_000u32))
            },
        },
        Step {
            name: "pay",
            transaction_type: "LoanPay",
            by: "borrower",
            acts_on: &["lend"],
            does: "The borrower makes the first payment.",
            plan: |scene| pay(scene),
        },
        Step {
            name: "pay_rest",
            transaction_type: "LoanPay",
            by: "borrower",
            acts_on: &["lend"],
            does: "The borrower makes the last payment.",
            plan: |scene| pay(scene),
        },
        Step {
            name: "delete_loan",
            transaction_type: "LoanDelete",
            by: "borrower",
            acts_on: &["lend"],
            does: "The borrower removes the loan, which is paid.",
            plan: |scene| delete_loan(scene),
        },
        DELETE_BROKER,
        WITHDRAW,
        DELETE_VAULT,
    ],
};

pub(super) static DEFAULT: Journey = Journey {
    name: "vault_loan_default",
    shows: "A loan from a vault is not paid, defaults after its grace period, and the broker's cover bears a part of the loss. It takes two minutes.",
    needs: &[],
    parties: PARTIES,
    steps: &[
        VAULT,
        DEPOSIT,
        Step {
            name: "broker",
            transaction_type: "LoanBrokerSet",
            by: "owner",
            acts_on: &["vault"],
            does: "The owner becomes a broker of loans who must keep a cover.",
            plan: |scene| {
                // A tenth of what is lent is covered, of which half is paid where it is lost.
                let plan = create_broker(scene)?.with(COVER_RATE_MINIMUM, 10_000u32);
                Ok(plan.with(COVER_RATE_LIQUIDATION, 50_000u32))
            },
        },
        Step {
            name: "cover",
            transaction_type: "LoanBrokerCoverDeposit",
            by: "owner",
            acts_on: &["broker"],
            does: "The owner puts up the cover.",
            plan: |scene| {
                scene.afford(COVER, 0)?;
                Ok(Plan::new("LoanBrokerCoverDeposit")
                    .with(LOAN_BROKER_ID, scene.made_id("broker", Kind::LoanBroker)?)
                    .with(AMOUNT, drops(COVER))
                    .spending(COVER))
            },
        },
        Step {
            name: "lend",
            transaction_type: "LoanSet",
            by: "borrower",
            acts_on: &["vault", "broker"],
            does: "The borrower takes a loan that is due in a minute, with a minute of grace.",
            plan: |scene| {
                Ok(lend(scene)?
                    .with(PAYMENT_INTERVAL, SHORTEST)
                    .with(PAYMENT_TOTAL, 1u32)
                    .with(GRACE_PERIOD, SHORTEST))
            },
        },
        Step {
            name: "default",
            transaction_type: "LoanManage",
            by: "owner",
            acts_on: &["lend"],
            does: "Nothing was paid: the owner declares the default.",
            plan: |scene| {
                scene.afford(0, 0)?;
                let loan = scene.entry("lend", Kind::Loan)?;
                let due = loan.number(fields::NEXT_PAYMENT_DUE_DATE).unwrap_or(0);
                let over = due + loan.number(fields::GRACE_PERIOD).unwrap_or(0);
                if !scene.has_passed(over) {
                    return Err(Wait::CloseTime(u32::try_from(over + 1).unwrap_or(u32::MAX)));
                }
                let plan = Plan::new("LoanManage").with(LOAN_ID, loan.id);
                Ok(plan.flagged(TF_LOAN_DEFAULT))
            },
        },
        Step {
            name: "delete_loan",
            transaction_type: "LoanDelete",
            by: "owner",
            acts_on: &["lend"],
            does: "The owner removes the loan.",
            plan: |scene| delete_loan(scene),
        },
        DELETE_BROKER,
        WITHDRAW,
        DELETE_VAULT,
    ],
};
