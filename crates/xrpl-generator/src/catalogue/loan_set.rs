//! LoanSet (<https://xrpl.org/docs/references/protocol/transactions/types/loanset>): who lends and who
//! borrows agree; either sends it, the other one signs it too.

use xrpl_protocol::{
    AccountId, Decimal, Issue,
    fields::{self, 
        CLOSE_INTEREST_RATE, CLOSE_PAYMENT_FEE, COUNTERPARTY, COUNTERPARTY_SIGNATURE, GRACE_PERIOD,
        INTEREST_RATE, LATE_INTEREST_RATE, LATE_PAYMENT_FEE, LOAN_BROKER_ID, LOAN_ORIGINATION_FEE,
        LOAN_SERVICE_FEE, OVERPAYMENT_FEE, PAYMENT_INTERVAL, PAYMENT_TOTAL, PRINCIPAL_REQUESTED,
    },
};

use super::{
    About, TransactionType,
    lending::{Broker, about, counterparty, no_broker, to_be_signed, with_number},
};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait},
    planner::Planner,
    world::OthersXrp,
};

/// How many an account owes.
const MOST: usize = 6;
const TF_LOAN_OVERPAYMENT: u32 = 0x0001_0000;
/// Seconds: of payments that the run sees become due, and of those that are to be in time.
const SHORT: u32 = 60;
const LONG: u32 = 2_592_000;

#[derive(Debug)]
pub(super) struct LoanSet;

static ABOUT: About = About {
    name: "LoanSet",
    family: "Lending",
    amendment: Some("LendingProtocol"),
    variants: &["short, as borrower", "short, as lender", "long, as borrower", "long, as lender"],
    modifiers: Modifier::ALONE,
    mutations: &[
        Mutation::new("without the other's signature", &["temBAD_SIGNER"], |_, plan| {
            Some(plan.without(COUNTERPARTY_SIGNATURE))
        }),
        Mutation::new("signed by somebody else", &["tefBAD_AUTH"], |planner, mut plan| {
            let signer = planner.other_user().ok()?;
            let right = counterparty(&mut plan)?;
            let signed = to_be_signed(planner.world.accounts[signer].key.public_key());
            (right != planner.id(signer)).then(|| plan.with(COUNTERPARTY_SIGNATURE, signed))
        }),
        Mutation::new("nothing lent", &["temINVALID"], |_, plan| {
            Some(with_number(plan, PRINCIPAL_REQUESTED, Decimal::ZERO))
        }),
        Mutation::new("payments every 59 seconds", &["temINVALID"], |_, plan| {
            Some(plan.with(PAYMENT_INTERVAL, 59u32).without(GRACE_PERIOD))
        }),
        Mutation::new("more grace than time", &["temINVALID"], |_, plan| {
            Some(plan.with(PAYMENT_INTERVAL, SHORT).with(GRACE_PERIOD, SHORT + 1))
        }),
        Mutation::new("more than the vault has", &["tecINSUFFICIENT_FUNDS"], |_, plan| {
            let much = Decimal::from(10_000_000_000_000_000i64);
            Some(with_number(plan, PRINCIPAL_REQUESTED, much))
        }),
        Mutation::new("a broker that there is not", &["tecNO_ENTRY"], |planner, mut plan| {
            let other: AccountId = counterparty(&mut plan)?;
            let plan = plan.with(COUNTERPARTY, other);
            Some(plan.with(LOAN_BROKER_ID, planner.nothing()))
        }),
        no_broker(),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

/// The least that is lent: of less, interest could not be seen.
fn least(asset: Issue) -> Decimal {
    match asset {
        Issue::Issued { .. } => Decimal::from(1),
        _ => Decimal::from(100_000),
    }
}

/// What is charged beside interest.
fn fee(asset: Issue) -> Decimal {
    match asset {
        Issue::Issued { .. } => Decimal::from(1) / Decimal::from(100),
        _ => Decimal::from(100),
    }
}

impl TransactionType for LoanSet {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let (world, me) = (planner.world, planner.sender);
        let percent = Decimal::from(5 + planner.below(20) as i64) / Decimal::from(100);
        let principal = |broker: &Broker<'_>| broker.vault.decimal(fields::ASSETS_AVAILABLE) * percent;
        let lends = |broker: &Broker<'_>| {
            let principal = principal(broker);
            let free = !world.objects.is_held(broker.vault.id);
            principal >= least(broker.asset) && free && broker.may_lend(principal)
        };
        let lender = planner.one_in(2);
        let found = match lender {
            true => Broker::own(planner, lends),
            false => Broker::any(planner, |broker| broker.owner != me && lends(broker)),
        };
        let broker = found.map_err(|wait| match world.objects.count(Kind::LoanBroker) {
            0 => Wait::First("LoanBrokerSet"),
            _ if lender => wait,
            _ => Wait::First("VaultDeposit"),
        })?;
        let borrower = if lender { planner.other_user()? } else { me };
        if world.objects.owned(Kind::Loan, borrower).count() >= MOST {
            return Err(Wait::First("LoanPay"));
        }
        let principal = about(broker.asset, principal(&broker)).map(|amount| amount.decimal());
        let principal = principal.ok_or(Wait::Object(Kind::Vault))?;
        // Shares of a vault of an issued currency must stay worth what was given for them: where they
        // have more digits than that, xrpld's own check of vaults refuses some deposits
        // (`tecINVARIANT_FAILED`). So nothing is earned on such loans, and none is lost.
        let whole = broker.asset == Issue::Xrp;
        let short = whole && planner.one_in(3);
        let mut plan = Plan::new("LoanSet")
            .with(LOAN_BROKER_ID, broker.entry.id)
            .with(PAYMENT_INTERVAL, if short { SHORT } else { LONG })
            .with(PAYMENT_TOTAL, 1 + planner.below(4) as u32)
            .holding(broker.entry.id)
            .holding(broker.vault.id);
        plan = with_number(plan, PRINCIPAL_REQUESTED, principal);
        if whole && !short {
            plan = plan.with(INTEREST_RATE, 10_000u32).with(GRACE_PERIOD, SHORT);
        }
        if planner.one_in(2) {
            let fee = fee(broker.asset);
            for field in [LOAN_ORIGINATION_FEE, LOAN_SERVICE_FEE, LATE_PAYMENT_FEE, CLOSE_PAYMENT_FEE] {
                plan = with_number(plan, field, fee);
            }
            if whole {
                plan = plan.with(LATE_INTEREST_RATE, 20_000u32).with(CLOSE_INTEREST_RATE, 1_000u32);
            }
        }
        if planner.one_in(2) {
            plan = plan.flagged(TF_LOAN_OVERPAYMENT).with(OVERPAYMENT_FEE, 1_000u32);
        }
        // The loan counts for the borrower's reserve, and so may a line to what is lent.
        let other = if lender {
            planner.afford(0, 0)?;
            planner.has(borrower, 0, 2)?;
            plan.holds.others.push(OthersXrp { account: borrower, drops: 0, owners: 2 });
            plan = plan.with(COUNTERPARTY, planner.id(borrower));
            borrower
        } else {
            planner.afford(0, 2)?;
            plan = plan.owning(2);
            broker.owner
        };
        let key = world.accounts[other].key.public_key();
        let plan = plan.with(COUNTERPARTY_SIGNATURE, to_be_signed(key));
        Ok(plan.variant(match (short, lender) {
            (true, false) => "short, as borrower",
            (true, true) => "short, as lender",
            (false, false) => "long, as borrower",
            (false, true) => "long, as lender",
        }))
    }
}
