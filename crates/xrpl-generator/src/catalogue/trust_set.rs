//! TrustSet: opens trust lines to the run's gateways and changes their limits
//! (<https://xrpl.org/docs/references/protocol/transactions/types/trustset>).

use xrpl_protocol::{AccountId, Amount, Currency, IssuedValue, transaction::TrustSet as Body};

use super::{Draft, Entry, NotNow, Tx};
use crate::{accounts::Role, fees::FeeClass, intent::Taint, objects::Asset};

const TF_SETF_AUTH: u32 = 0x0001_0000;

/// What every limit is at least: payments in flight never meet one.
const LIMIT: i64 = 1_000_000_000;

pub(super) static ENTRIES: &[Entry] = &[Entry {
    name: "TrustSet",
    weight: 10,
    roles: &[Role::User],
    on_ticket: true,
    build,
    effects: Some(|world, applied| world.learn_lines(applied.metadata)),
    taints: TAINTS,
}];

/// The TrustSet that opens a line at first.
pub(crate) fn open(asset: &Asset) -> Tx {
    Tx { owners: 1, ..Tx::new(body(asset.amount(limit(0)))) }
}

fn limit(more: u64) -> IssuedValue {
    // A whole number of ten digits is a value.
    IssuedValue::new(LIMIT + more as i64, 0).unwrap_or(IssuedValue::ONE)
}

fn body(limit: Amount) -> Body {
    Body { limit, quality_in: None, quality_out: None }
}

fn build(draft: &mut Draft<'_>) -> Result<Tx, NotNow> {
    let more = draft.below(LIMIT as u64);
    let open_another = draft.below(8) == 0;
    let world = draft.world;
    // Mostly lines that every user has; sometimes any other asset of the run.
    let among = if open_another { world.assets.len() } else { world.common_assets };
    let id = draft.below(among as u64) as u16;
    let asset = world.assets.get(usize::from(id)).ok_or(NotNow::Unable("no gateway to trust"))?;
    let owners = u32::from(!draft.me().lines.get(id).is_some_and(|line| line.exists));
    draft.afford(0, FeeClass::Ordinary, owners)?;
    Ok(Tx { owners, ..Tx::new(body(asset.amount(limit(more)))) })
}

/// A limit of a currency that nothing uses, towards a gateway.
fn unused(draft: &mut Draft<'_>, value: IssuedValue) -> Option<(Amount, AccountId)> {
    let world = draft.world;
    let asset = draft.pick(&world.assets)?;
    let mut code = [0; 20];
    code[..8].copy_from_slice(b"\xffunused!");
    Some((Amount::issued(value, Currency(code), asset.issuer), asset.issuer))
}

fn with(tx: &mut Tx, limit: Option<Amount>) -> bool {
    limit.map(|limit| tx.replace(body(limit))).is_some()
}

static TAINTS: &[Taint] = &[
    Taint {
        name: "a trust line to oneself",
        expected: &["temDST_IS_SRC"],
        spoil: |draft, tx| {
            let me = draft.me().id;
            let limit = unused(draft, IssuedValue::ONE).and_then(|(limit, _)| match limit {
                Amount::Issued { value, currency, .. } => Some(Amount::issued(value, currency, me)),
                _ => None,
            });
            with(tx, limit)
        },
    },
    Taint {
        name: "a limit in XRP",
        expected: &["temBAD_LIMIT"],
        spoil: |_, tx| with(tx, Some(Amount::Xrp(1000))),
    },
    Taint {
        name: "a negative limit",
        expected: &["temBAD_LIMIT"],
        spoil: |draft, tx| {
            let limit = unused(draft, IssuedValue::ONE.negated());
            with(tx, limit.map(|(limit, _)| limit))
        },
    },
    Taint {
        name: "a trust line for a currency named XRP",
        expected: &["temBAD_CURRENCY"],
        spoil: |draft, tx| {
            let mut code = [0; 20];
            code[12..15].copy_from_slice(b"XRP");
            let limit = unused(draft, IssuedValue::ONE)
                .map(|(_, issuer)| Amount::issued(IssuedValue::ONE, Currency(code), issuer));
            with(tx, limit)
        },
    },
    Taint {
        name: "a trust line to nobody",
        expected: &["tecNO_DST"],
        spoil: |draft, tx| {
            let nobody = draft.nobody();
            let limit = unused(draft, IssuedValue::ONE).and_then(|(limit, _)| match limit {
                Amount::Issued { value, currency, .. } => {
                    Some(Amount::issued(value, currency, nobody))
                }
                _ => None,
            });
            with(tx, limit)
        },
    },
    Taint {
        name: "limit 0 on a line that is not there",
        expected: &["tecNO_LINE_REDUNDANT"],
        spoil: |draft, tx| {
            let limit = unused(draft, IssuedValue::ZERO);
            with(tx, limit.map(|(limit, _)| limit))
        },
    },
    Taint {
        name: "a flag TrustSet does not have",
        expected: &["temINVALID_FLAG"],
        spoil: |_, tx| {
            tx.flags = 1;
            true
        },
    },
    Taint {
        name: "authorising without asfRequireAuth",
        expected: &["tefNO_AUTH_REQUIRED"],
        spoil: |_, tx| {
            tx.flags = TF_SETF_AUTH;
            true
        },
    },
];
