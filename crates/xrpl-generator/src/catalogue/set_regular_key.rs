//! SetRegularKey
//! (<https://xrpl.org/docs/references/protocol/transactions/types/setregularkey>): sets the key that
//! the modifier `regular_key` signs with, and takes it away.

use xrpl_protocol::fields::REGULAR_KEY;

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    plan::{Plan, Wait},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct SetRegularKey;

static ABOUT: About = About {
    name: "SetRegularKey",
    family: "Accounts",
    modifiers: Modifier::OWN,
    mutations: &[
        Mutation::new("its own master key", &["temBAD_REGKEY"], |planner, plan| {
            Some(plan.with(REGULAR_KEY, planner.me().id))
        }),
        Mutation::unknown_flag(),
        Mutation::foreign_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for SetRegularKey {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.node_is_calm()?;
        let keys = planner.free(planner.keys_of(planner.sender))?;
        let take_away = planner.me().regular_key.is_some() && planner.one_in(3);
        planner.afford(0, 0)?;
        let key = planner.me().regular_pair().account_id();
        Ok(Plan::new("SetRegularKey").with_some(REGULAR_KEY, (!take_away).then_some(key)).holding(keys))
    }
}
