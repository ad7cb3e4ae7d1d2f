//! PaymentChannelClaim
//! (<https://xrpl.org/docs/references/protocol/transactions/types/paymentchannelclaim>): pays out
//! by a signed claim or by its source, and closes.

use xrpl_protocol::{
    fields::{self, AMOUNT, BALANCE, CHANNEL, PUBLIC_KEY, SIGNATURE},
    sign::claim_message,
};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::{Entry, Kind},
    plan::{Plan, Wait, drops},
    planner::Planner,
};

const TF_RENEW: u32 = 0x0001_0000;
const TF_CLOSE: u32 = 0x0002_0000;

fn signed_only(mut plan: Plan, wrong: impl FnOnce(Plan) -> Plan) -> Option<Plan> {
    plan.fields().contains(SIGNATURE).then(|| wrong(plan))
}

#[derive(Debug)]
pub(super) struct PaymentChannelClaim;

static ABOUT: About = About {
    name: "PaymentChannelClaim",
    family: "Payment channels",
    weight: 6,
    variants: &["signed", "by its source", "closing", "expired"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("a signature without its key", &["temMALFORMED"], |_, plan| {
            signed_only(plan, |plan| plan.without(PUBLIC_KEY))
        }),
        Mutation::new("more than was authorized", &["temBAD_AMOUNT"], |_, plan| {
            signed_only(plan, |plan| plan.with(AMOUNT, drops(1)).with(BALANCE, drops(2)))
        }),
        Mutation::new("closed and renewed", &["temMALFORMED"], |_, plan| {
            Some(plan.flagged(TF_CLOSE | TF_RENEW))
        }),
        Mutation::new("a channel that there is not", &["tecNO_TARGET"], |planner, plan| {
            let plan = plan.without(SIGNATURE).without(PUBLIC_KEY);
            Some(plan.with(CHANNEL, planner.nothing()))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for PaymentChannelClaim {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let paid = |channel: &Entry| channel.amount(fields::BALANCE).and_then(|a| a.drops()).unwrap_or(0);
        let left = |channel: &Entry| {
            let funds = channel.amount(fields::AMOUNT).and_then(|amount| amount.drops()).unwrap_or(0);
            funds - paid(channel)
        };
        let open = |channel: &Entry| {
            channel.owner.is_some() && !channel.has(fields::EXPIRATION) && left(channel) > 1
        };
        let plan = Plan::new("PaymentChannelClaim");
        let now = planner.world.close_time;
        let over = |channel: &Entry| {
            channel.number(fields::EXPIRATION).is_some_and(|at| at < now.into())
        };
        if let Ok(channel) = planner.own(Kind::PayChannel, over) {
            // Whatever is asked of it closes it.
            return Ok(plan.with(CHANNEL, channel.id).holding(channel.id).variant("expired"));
        }
        if planner.one_in(6)
            && let Ok(channel) = planner.own(Kind::PayChannel, open)
        {
            let plan = plan.with(CHANNEL, channel.id).holding(channel.id);
            return Ok(plan.flagged(TF_CLOSE).variant("closing"));
        }
        if let Ok(channel) = planner.mine(Kind::PayChannel, open) {
            let owner = channel.owner.ok_or(Wait::Object(Kind::PayChannel))?;
            let most = 1 + planner.below(left(channel).unsigned_abs());
            let claimed = paid(channel).unsigned_abs() + most;
            let key = &planner.world.accounts[owner].key;
            let signature = key.sign(&claim_message(&channel.id, claimed)).as_bytes().to_vec();
            let plan = plan
                .with(CHANNEL, channel.id)
                .with(BALANCE, drops(claimed))
                .with(AMOUNT, drops(claimed))
                .with(SIGNATURE, signature)
                .with(PUBLIC_KEY, key.public_key().0.to_vec())
                .holding(channel.id);
            // Its destination closes it at once.
            let closes = planner.one_in(6);
            return Ok(plan.flagged(if closes { TF_CLOSE } else { 0 }).variant("signed"));
        }
        let channel = planner.own(Kind::PayChannel, open);
        let channel = channel.map_err(|_| Wait::First("PaymentChannelCreate"))?;
        let claimed = paid(channel) + 1;
        let plan = plan.with(CHANNEL, channel.id).with(BALANCE, drops(claimed.unsigned_abs()));
        Ok(plan.holding(channel.id).variant("by its source"))
    }
}
