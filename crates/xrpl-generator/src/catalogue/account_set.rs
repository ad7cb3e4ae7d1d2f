//! AccountSet: settings that get in nobody's way
//! (<https://xrpl.org/docs/references/protocol/transactions/types/accountset>).

use xrpl_protocol::{
    fields::{CLEAR_FLAG, DOMAIN, SET_FLAG, TICK_SIZE, TRANSFER_RATE},
    object_id,
};

use super::{About, TransactionType};
use crate::{
    accounts::Role,
    modifier::Modifier,
    mutation::Mutation,
    plan::{Plan, Wait},
    planner::Planner,
};

const ASF_DISABLE_MASTER: u32 = 4;
const ASF_DEFAULT_RIPPLE: u32 = 8;
const ASF_AUTHORIZED_NFTOKEN_MINTER: u32 = 10;

#[derive(Debug)]
pub(super) struct AccountSet;

static ABOUT: About = About {
    name: "AccountSet",
    family: "Accounts",
    weight: 8,
    roles: &[Role::User, Role::Gateway],
    modifiers: Modifier::OWN,
    mutations: &[
            Mutation::new("the same flag set and cleared", &["temINVALID_FLAG"], |_, plan| {
                Some(plan.with(SET_FLAG, ASF_DEFAULT_RIPPLE).with(CLEAR_FLAG, ASF_DEFAULT_RIPPLE))
            }),
            Mutation::new("a flag that the type does not have", &["temINVALID_FLAG"], |_, plan| {
                Some(plan.flagged(2))
            }),
            Mutation::new("a transfer rate below 1", &["temBAD_TRANSFER_RATE"], |_, plan| {
                Some(plan.with(TRANSFER_RATE, 500_000_000u32))
            }),
            Mutation::new("a transfer rate above 2", &["temBAD_TRANSFER_RATE"], |_, plan| {
                Some(plan.with(TRANSFER_RATE, 2_000_000_001u32))
            }),
            Mutation::new("a tick size that there is not", &["temBAD_TICK_SIZE"], |_, plan| {
                Some(plan.with(TICK_SIZE, 17u8))
            }),
            Mutation::new("a minter flag without minter", &["temMALFORMED"], |_, plan| {
                Some(plan.with(SET_FLAG, ASF_AUTHORIZED_NFTOKEN_MINTER))
            }),
            Mutation::new("the only key disabled", &["tecNO_ALTERNATIVE_KEY"], |planner, plan| {
                // Only who has no other key, now or in flight, may not. Nobody gives it one meanwhile.
                let (me, keys) = (planner.me(), planner.keys_of(planner.sender));
            let list = object_id::signer_list(me.id);
            let none = me.regular_key.is_none() && planner.world.objects.get(list).is_none();
            let (keys, list) = (planner.free(keys).ok()?, planner.free(list).ok()?);
            let plan = plan.with(SET_FLAG, ASF_DISABLE_MASTER);
            none.then(|| plan.holding(keys).holding(list))
        }),
        ],
    ..About::TYPE
};

impl TransactionType for AccountSet {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let domain = match planner.below(4) {
            0 => None,
            1 => Some(Vec::new()),
            _ => Some(format!("{:08x}.example.com", planner.below(1 << 32)).into_bytes()),
        };
        planner.afford(0, 0)?;
        Ok(Plan::new("AccountSet").with_some(DOMAIN, domain))
    }
}
