//! OracleDelete (<https://xrpl.org/docs/references/protocol/transactions/types/oracledelete>).

use xrpl_protocol::{fields::ORACLE_DOCUMENT_ID, object_id};

use super::{About, TransactionType, oracle_set::DOCUMENTS};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    plan::{Plan, Wait},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct OracleDelete;

static ABOUT: About = About {
    name: "OracleDelete",
    family: "Oracles",
    weight: 3,
    amendment: Some("PriceOracle"),
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("an oracle that there is not", &["tecNO_ENTRY"], |_, plan| {
            Some(plan.with(ORACLE_DOCUMENT_ID, 4_000_000_000u32))
        }),
        Mutation::unknown_flag(),
        Mutation::foreign_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for OracleDelete {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let first = planner.below(DOCUMENTS) as u32;
        let me = planner.me().id;
        // Its number is in its id only.
        let mine = (0..DOCUMENTS as u32)
            .map(|n| (first + n) % DOCUMENTS as u32)
            .map(|document| (document, object_id::oracle(me, document)))
            .find(|(_, id)| planner.world.objects.get(*id).is_some() && planner.free(*id).is_ok());
        let (document, id) = mine.ok_or(Wait::First("OracleSet"))?;
        Ok(Plan::new("OracleDelete").with(ORACLE_DOCUMENT_ID, document).holding(id))
    }
}
