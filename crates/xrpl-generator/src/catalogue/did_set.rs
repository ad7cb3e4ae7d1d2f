//! DIDSet (<https://xrpl.org/docs/references/protocol/transactions/types/didset>).

use xrpl_protocol::{
    fields::{DATA, DID_DOCUMENT, URI},
    object_id,
};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    plan::{Plan, Wait},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct DIDSet;

static ABOUT: About = About {
    name: "DIDSet",
    family: "Identity",
    amendment: Some("DID"),
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("with nothing in it", &["temEMPTY_DID"], |_, plan| {
            Some(plan.without(URI).without(DATA).without(DID_DOCUMENT))
        }),
        Mutation::new("with everything empty", &["temEMPTY_DID"], |_, plan| {
            let empty = Vec::<u8>::new;
            Some(plan.with(URI, empty()).with(DATA, empty()).with(DID_DOCUMENT, empty()))
        }),
        Mutation::new("a URI that is too long", &["temMALFORMED"], |_, plan| {
            Some(plan.with(URI, vec![b'u'; 257]))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for DIDSet {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let id = planner.free(object_id::did(planner.me().id))?;
        let number = planner.below(1 << 32);
        planner.afford(0, 1)?;
        let uri = format!("https://example.com/did/{number:08x}").into_bytes();
        let data = planner.one_in(2).then(|| number.to_be_bytes().to_vec());
        let plan = Plan::new("DIDSet").with(URI, uri).with_some(DATA, data);
        Ok(plan.holding(id).owning(1))
    }
}
