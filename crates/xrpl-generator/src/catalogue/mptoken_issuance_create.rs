//! MPTokenIssuanceCreate
//! (<https://xrpl.org/docs/references/protocol/transactions/types/mptokenissuancecreate>).

use xrpl_protocol::fields::{ASSET_SCALE, MAXIMUM_AMOUNT, MP_TOKEN_METADATA, TRANSFER_FEE};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait},
    planner::Planner,
};

/// How many an account has.
const MOST: usize = 3;
const TF_CAN_LOCK: u32 = 0x0002;
const TF_REQUIRE_AUTH: u32 = 0x0004;
const TF_CAN_ESCROW: u32 = 0x0008;
const TF_CAN_TRADE: u32 = 0x0010;
const TF_CAN_TRANSFER: u32 = 0x0020;
const TF_CAN_CLAWBACK: u32 = 0x0040;

#[derive(Debug)]
pub(super) struct MPTokenIssuanceCreate;

static ABOUT: About = About {
    name: "MPTokenIssuanceCreate",
    family: "MPTs",
    amendment: Some("MPTokensV1"),
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("a fee above 50 %", &["temBAD_TRANSFER_FEE"], |_, plan| {
            Some(plan.flagged(TF_CAN_TRANSFER).with(TRANSFER_FEE, 50_001u16))
        }),
        Mutation::new("a fee on what nobody can transfer", &["temMALFORMED"], |_, plan| {
            Some(plan.flagged(0).with(TRANSFER_FEE, 100u16))
        }),
        Mutation::new("nothing of it at most", &["temMALFORMED"], |_, plan| {
            Some(plan.with(MAXIMUM_AMOUNT, 0u64))
        }),
        Mutation::new("empty metadata", &["temMALFORMED"], |_, plan| {
            Some(plan.with(MP_TOKEN_METADATA, Vec::<u8>::new()))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for MPTokenIssuanceCreate {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.fewer(Kind::MpTokenIssuance, MOST)?;
        planner.afford(0, 1)?;
        let mut flags = TF_CAN_LOCK | TF_CAN_ESCROW | TF_CAN_TRADE | TF_CAN_TRANSFER | TF_CAN_CLAWBACK;
        flags |= if planner.one_in(4) { TF_REQUIRE_AUTH } else { 0 };
        let most = planner.one_in(2).then_some(1_000_000_000_000u64);
        let scale = planner.one_in(2).then(|| planner.below(7) as u8);
        let metadata = planner.one_in(2).then(|| b"{\"t\":\"TST\"}".to_vec());
        Ok(Plan::new("MPTokenIssuanceCreate")
            .flagged(flags)
            .with_some(MAXIMUM_AMOUNT, most)
            .with_some(ASSET_SCALE, scale)
            .with_some(MP_TOKEN_METADATA, metadata)
            .owning(1))
    }
}
