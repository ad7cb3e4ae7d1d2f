//! AMMBid (<https://xrpl.org/docs/references/protocol/transactions/types/ammbid>): for the slot of
//! a pool that trades at a discount.

use xrpl_protocol::{
    IssuedValue, Object, Value,
    fields::{ACCOUNT, AUCTION_SLOT, AUTH_ACCOUNT, AUTH_ACCOUNTS, BID_MIN, PRICE},
};

use super::{About, TransactionType, pools::{Share, share, share_first}};
use crate::{
    accounts::Role,
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait},
    planner::Planner,
};

/// A bidder has at least this part of all tokens.
const SHARE: u32 = 4;

#[derive(Debug)]
pub(super) struct AMMBid;

static ABOUT: About = About {
    name: "AMMBid",
    family: "AMM",
    weight: 10,
    roles: &[Role::User, Role::Gateway],
    amendment: Some("AMM"),
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("in something else", &["temBAD_AMM_TOKENS"], |planner, plan| {
            Some(plan.with(BID_MIN, planner.unheld(IssuedValue::ONE).ok()?))
        }),
        Mutation::new("itself among those it names", &["temMALFORMED"], |planner, plan| {
            let one = (AUTH_ACCOUNT, Object::new().with(ACCOUNT, planner.id(planner.sender)));
            Some(plan.with(AUTH_ACCOUNTS, Value::Array(vec![one])))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for AMMBid {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let world = planner.world;
        // What a slot costs is a small part of all tokens, and more after each bid: others may bid first.
        let found = share(planner, |pool, share| pool.is_part(share, SHARE));
        let (pool, Share { line, held, .. }) = found.map_err(|_| share_first(planner))?;
        let slot = pool.entry.fields.object(AUCTION_SLOT);
        let price = slot.and_then(|slot| slot.amount(PRICE)).and_then(|price| price.value());
        let price = price.unwrap_or(IssuedValue::ZERO);
        let twice = price.add(price).map_err(|_| Wait::Object(Kind::Amm))?;
        if twice > held.mul_ratio(1, 2, false).map_err(|_| Wait::Object(Kind::Amm))? {
            return Err(Wait::Until("the slot is too dear"));
        }
        Ok(pool.plan(world, "AMMBid").holding(line))
    }
}
