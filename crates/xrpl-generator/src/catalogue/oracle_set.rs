//! OracleSet (<https://xrpl.org/docs/references/protocol/transactions/types/oracleset>).

use xrpl_protocol::{
    Currency, Field, Object, Value,
    fields::{self, 
        ASSET_CLASS, ASSET_PRICE, BASE_ASSET, LAST_UPDATE_TIME, ORACLE_DOCUMENT_ID, PRICE_DATA,
        PRICE_DATA_SERIES, PROVIDER, QUOTE_ASSET, SCALE,
    },
    object_id,
};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    plan::{Plan, Wait},
    planner::Planner,
};

/// How many an account has.
pub(super) const DOCUMENTS: u64 = 2;
/// Seconds from 1970 to 2000: an oracle's times are since 1970.
pub(crate) const UNIX_EPOCH: u32 = 946_684_800;

fn code(letters: &[u8; 3]) -> Currency {
    let mut code = [0; 20];
    code[12..15].copy_from_slice(letters);
    Currency(code)
}

/// What a US dollar costs in euros.
pub(crate) fn price(price: u64, scale: u8) -> (Field, Object) {
    let price = Object::new()
        .with(BASE_ASSET, code(b"USD"))
        .with(QUOTE_ASSET, code(b"EUR"))
        .with(ASSET_PRICE, price)
        .with(SCALE, scale);
    (PRICE_DATA, price)
}

#[derive(Debug)]
pub(super) struct OracleSet;

static ABOUT: About = About {
    name: "OracleSet",
    family: "Oracles",
    amendment: Some("PriceOracle"),
    variants: &["making", "changing"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("no price at all", &["temARRAY_EMPTY"], |_, plan| {
            Some(plan.with(PRICE_DATA_SERIES, Value::Array(Vec::new())))
        }),
        Mutation::new("more than ten prices", &["temARRAY_TOO_LARGE"], |_, plan| {
            Some(plan.with(PRICE_DATA_SERIES, Value::Array(vec![price(7, 2); 11])))
        }),
        Mutation::new("a price of something in itself", &["temMALFORMED"], |_, plan| {
            let (field, price) = price(7, 2);
            let price = price.with(QUOTE_ASSET, code(b"USD"));
            Some(plan.with(PRICE_DATA_SERIES, Value::Array(vec![(field, price)])))
        }),
        Mutation::new("a scale that there is not", &["temMALFORMED"], |_, plan| {
            Some(plan.with(PRICE_DATA_SERIES, Value::Array(vec![price(7, 21)])))
        }),
        Mutation::new("a time before all time", &["tecINVALID_UPDATE_TIME"], |_, plan| {
            Some(plan.with(LAST_UPDATE_TIME, 1u32))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for OracleSet {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let document = planner.below(DOCUMENTS) as u32;
        let id = planner.free(object_id::oracle(planner.me().id, document))?;
        let known = planner.world.objects.get(id);
        planner.afford(0, 1)?;
        let now = planner.world.close_time.saturating_add(UNIX_EPOCH);
        // Each is later than the one before.
        let last = known.and_then(|oracle| oracle.number(fields::LAST_UPDATE_TIME)).unwrap_or(0);
        let time = u64::from(now).max(last + 1);
        if time > u64::from(now) + 60 {
            return Err(Wait::CloseTime(planner.world.close_time + 1));
        }
        let prices = vec![price(1 + planner.below(1_000_000), 1 + planner.below(6) as u8)];
        let plan = Plan::new("OracleSet")
            .with(ORACLE_DOCUMENT_ID, document)
            .with(LAST_UPDATE_TIME, time as u32)
            .with(PRICE_DATA_SERIES, Value::Array(prices))
            .holding(id)
            .owning(1);
        Ok(match known {
            Some(_) => plan.variant("changing"),
            None => plan
                .with(PROVIDER, b"example".to_vec())
                .with(ASSET_CLASS, b"currency".to_vec())
                .variant("making"),
        })
    }
}
