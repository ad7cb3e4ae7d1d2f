//! DIDDelete (<https://xrpl.org/docs/references/protocol/transactions/types/diddelete>).

use xrpl_protocol::object_id;

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    plan::{Plan, Wait},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct DIDDelete;

static ABOUT: About = About {
    name: "DIDDelete",
    family: "Identity",
    amendment: Some("DID"),
    modifiers: Modifier::DELEGABLE,
    mutations: &[Mutation::unknown_flag(), Mutation::foreign_flag(), Mutation::own_delegate()],
    ..About::TYPE
};

impl TransactionType for DIDDelete {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let id = planner.free(object_id::did(planner.me().id))?;
        match planner.world.objects.get(id) {
            Some(_) => Ok(Plan::new("DIDDelete").holding(id)),
            None => Err(Wait::First("DIDSet")),
        }
    }
}
