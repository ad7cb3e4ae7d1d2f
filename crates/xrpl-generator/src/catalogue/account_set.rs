//! AccountSet: settings that get in nobody's way, and the ledger's no-op
//! (<https://xrpl.org/docs/references/protocol/transactions/types/accountset>).

use xrpl_protocol::transaction::AccountSet as Body;

use super::{Draft, Entry, NotNow, Tx};
use crate::{accounts::Role, fees::FeeClass, intent::Taint};

const ASF_REQUIRE_DEST: u32 = 1;
const ASF_DISABLE_MASTER: u32 = 4;
const ASF_DEFAULT_RIPPLE: u32 = 8;
const ASF_AUTHORIZED_NFTOKEN_MINTER: u32 = 10;

pub(super) static ENTRIES: &[Entry] = &[Entry {
    name: "AccountSet",
    weight: 8,
    roles: &[Role::User, Role::Gateway],
    on_ticket: true,
    build,
    effects: None,
    taints: TAINTS,
}];

/// Changes nothing: fills a Sequence.
pub(crate) fn no_op() -> Tx {
    Tx::new(Body::default())
}

/// What makes an account a gateway: its trust lines let payments between holders through.
pub(crate) fn default_ripple() -> Tx {
    Tx::new(Body { set_flag: Some(ASF_DEFAULT_RIPPLE), ..Body::default() })
}

/// Payments to the account need a tag from now on.
pub(crate) fn require_dest() -> Tx {
    Tx::new(Body { set_flag: Some(ASF_REQUIRE_DEST), ..Body::default() })
}

fn build(draft: &mut Draft<'_>) -> Result<Tx, NotNow> {
    let domain = match draft.below(4) {
        0 => None,
        1 => Some(Vec::new()),
        _ => Some(format!("{:08x}.example.com", draft.below(1 << 32)).into_bytes()),
    };
    draft.afford(0, FeeClass::Ordinary, 0)?;
    Ok(Tx::new(Body { domain, ..Body::default() }))
}

fn with(tx: &mut Tx, body: Body) -> bool {
    tx.replace(body);
    true
}

static TAINTS: &[Taint] = &[
    Taint {
        name: "the same flag set and cleared",
        expected: &["temINVALID_FLAG"],
        spoil: |_, tx| {
            let flag = Some(ASF_DEFAULT_RIPPLE);
            with(tx, Body { set_flag: flag, clear_flag: flag, ..Body::default() })
        },
    },
    Taint {
        name: "a flag AccountSet does not have",
        expected: &["temINVALID_FLAG"],
        spoil: |_, tx| {
            tx.flags = 2;
            true
        },
    },
    Taint {
        name: "a transfer rate below 1",
        expected: &["temBAD_TRANSFER_RATE"],
        spoil: |_, tx| with(tx, Body { transfer_rate: Some(500_000_000), ..Body::default() }),
    },
    Taint {
        name: "a transfer rate above 2",
        expected: &["temBAD_TRANSFER_RATE"],
        spoil: |_, tx| with(tx, Body { transfer_rate: Some(2_000_000_001), ..Body::default() }),
    },
    Taint {
        name: "a minter flag without minter",
        expected: &["temMALFORMED"],
        spoil: |_, tx| {
            let set_flag = Some(ASF_AUTHORIZED_NFTOKEN_MINTER);
            with(tx, Body { set_flag, ..Body::default() })
        },
    },
    Taint {
        name: "the only key disabled",
        expected: &["tecNO_ALTERNATIVE_KEY"],
        spoil: |_, tx| with(tx, Body { set_flag: Some(ASF_DISABLE_MASTER), ..Body::default() }),
    },
];
