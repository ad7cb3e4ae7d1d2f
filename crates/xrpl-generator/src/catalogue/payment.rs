//! Payments: XRP, and issued currencies from issuer to user, between users through the issuer, and
//! back to the issuer (<https://xrpl.org/docs/references/protocol/transactions/types/payment>).

use xrpl_protocol::{
    AccountId, Amount, Currency, Drops, IssuedValue, transaction::Payment as Body,
};

use super::{Draft, Entry, NotNow, Tx};
use crate::{
    accounts::Role,
    fees::FeeClass,
    intent::Taint,
    objects::{Asset, IssuedMove},
};

const TF_NO_RIPPLE_DIRECT: u32 = 0x0001_0000;
const TF_PARTIAL_PAYMENT: u32 = 0x0002_0000;
const TF_LIMIT_QUALITY: u32 = 0x0004_0000;

pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        name: "Payment",
        weight: 50,
        roles: &[Role::User, Role::Gateway],
        on_ticket: true,
        build: build_xrp,
        effects: None,
        taints: XRP_TAINTS,
    },
    Entry {
        name: "PaymentIssued",
        weight: 25,
        roles: &[Role::User, Role::Gateway],
        on_ticket: true,
        build: build_issued,
        effects: Some(|world, applied| world.learn_lines(applied.metadata)),
        taints: ISSUED_TAINTS,
    },
];

fn build_xrp(draft: &mut Draft<'_>) -> Result<Tx, NotNow> {
    let drops = 1 + draft.below(1_000);
    let tag = draft.below(16);
    let user = draft.other_user().ok_or(NotNow::Unable("nobody to pay"))?;
    draft.afford(drops, FeeClass::Ordinary, 0)?;
    let tagged = draft.world.accounts.tagged().filter(|t| draft.world.accounts[*t].active);
    // One in sixteen goes to the account that demands a tag.
    let to = tagged.filter(|_| tag == 0).unwrap_or(user);
    let destination = draft.world.accounts[to].id;
    let body = Body {
        destination_tag: (tag < 2).then(|| draft.below(1 << 32) as u32),
        ..Body::xrp(destination, Drops(drops))
    };
    Ok(Tx { xrp: drops, to: Some(to), ..Tx::new(body) })
}

fn build_issued(draft: &mut Draft<'_>) -> Result<Tx, NotNow> {
    // At most 10.0000, so that hundreds in flight fit into any balance.
    let value = IssuedValue::new(1 + draft.below(100_000) as i64, -4)
        .map_err(|_| NotNow::Unable("no such value"))?;
    draft.afford(0, FeeClass::Ordinary, 0)?;
    let moved = match draft.me().role {
        Role::Gateway => issue(draft, value)?,
        _ => pay_or_redeem(draft, value)?,
    };
    let asset = draft.world.assets[usize::from(moved.asset)];
    let destination = match moved.to {
        Some(to) => draft.world.accounts[to].id,
        None => asset.issuer,
    };
    let body = issued_body(destination, asset.amount(value));
    Ok(Tx { issued: Some(moved), ..Tx::new(body) })
}

fn issued_body(destination: AccountId, amount: Amount) -> Body {
    Body { destination, amount, send_max: None, destination_tag: None }
}

/// From the issuer to a user. The currency is drawn among those that every user has a line for since
/// the preparation, not among the lines that happen to be validated by now: so the draw is the same
/// whenever it is made.
fn issue(draft: &mut Draft<'_>, value: IssuedValue) -> Result<IssuedMove, NotNow> {
    let to = draft.other_user().ok_or(NotNow::Unable("nobody to pay"))?;
    let (world, sender) = (draft.world, draft.sender);
    let own: smallvec::SmallVec<[u16; 8]> = (0..)
        .zip(&world.assets[..world.common_assets])
        .filter(|(_, asset)| asset.gateway == sender)
        .map(|(id, _)| id)
        .collect();
    let asset = *draft.pick(&own).ok_or(NotNow::Unable("issues no currency that users hold"))?;
    let line = world.accounts[to].lines.get(asset);
    match line.is_some_and(|line| line.has_room(value)) {
        true => Ok(IssuedMove { asset, from: None, to: Some(to), value }),
        false => Err(NotNow::Unable("no room on the trust line to this issuer")),
    }
}

/// From a user to another one through the issuer, or back to the issuer. Drawn as in [`issue`].
fn pay_or_redeem(draft: &mut Draft<'_>, value: IssuedValue) -> Result<IssuedMove, NotNow> {
    let asset = draft.below(draft.world.common_assets as u64) as u16;
    let redeem = draft.below(8) == 0;
    let other = draft.other_user();
    let line = draft.me().lines.get(asset);
    if !line.is_some_and(|line| line.exists && line.available() >= value) {
        return Err(NotNow::Unable("holds too little of the currency"));
    }
    let has_room = |to: &u32| {
        draft.world.accounts[*to].lines.get(asset).is_some_and(|line| line.has_room(value))
    };
    let to = other.filter(|_| !redeem).filter(has_room);
    Ok(IssuedMove { asset, from: Some(draft.sender), to, value })
}

fn to_other(draft: &mut Draft<'_>, drops: i64) -> Option<Body> {
    let to = draft.other_user()?;
    let amount = Amount::Xrp(drops);
    Some(Body { amount, ..Body::xrp(draft.world.accounts[to].id, Drops(1)) })
}

fn xrp_to_other(draft: &mut Draft<'_>, tx: &mut Tx, drops: i64) -> bool {
    to_other(draft, drops).map(|body| tx.replace(body)).is_some()
}

fn flagged(draft: &mut Draft<'_>, tx: &mut Tx, flags: u32) -> bool {
    tx.flags = flags;
    xrp_to_other(draft, tx, 1)
}

static XRP_TAINTS: &[Taint] = &[
    Taint {
        name: "XRP amount 0",
        expected: &["temBAD_AMOUNT"],
        spoil: |draft, tx| xrp_to_other(draft, tx, 0),
    },
    Taint {
        name: "more XRP than there is",
        expected: &["temBAD_AMOUNT"],
        spoil: |draft, tx| xrp_to_other(draft, tx, 100_000_000_000_000_001),
    },
    Taint {
        name: "XRP to oneself",
        expected: &["temREDUNDANT"],
        spoil: |draft, tx| {
            tx.replace(Body::xrp(draft.me().id, Drops(1)));
            true
        },
    },
    Taint {
        name: "all XRP there is",
        expected: &["tecUNFUNDED_PAYMENT"],
        spoil: |draft, tx| xrp_to_other(draft, tx, 100_000_000_000_000_000),
    },
    Taint {
        name: "new account below the reserve",
        expected: &["tecNO_DST_INSUF_XRP"],
        spoil: |draft, tx| {
            tx.replace(Body::xrp(draft.nobody(), Drops(1)));
            true
        },
    },
    Taint {
        name: "no tag where one is required",
        expected: &["tecDST_TAG_NEEDED"],
        spoil: |draft, tx| {
            let Some(tagged) = draft.world.accounts.tagged() else { return false };
            let tagged = &draft.world.accounts[tagged];
            tx.replace(Body::xrp(tagged.id, Drops(1)));
            tagged.active
        },
    },
    Taint {
        name: "to the account zero",
        expected: &["temDST_NEEDED"],
        spoil: |_, tx| {
            tx.replace(Body::xrp(AccountId::ZERO, Drops(1)));
            true
        },
    },
    Taint {
        name: "SendMax on XRP",
        expected: &["temBAD_SEND_XRP_MAX"],
        spoil: |draft, tx| {
            let Some(body) = to_other(draft, 1) else { return false };
            tx.replace(Body { send_max: Some(Amount::Xrp(2)), ..body });
            true
        },
    },
    Taint {
        name: "tfPartialPayment on XRP",
        expected: &["temBAD_SEND_XRP_PARTIAL"],
        spoil: |draft, tx| flagged(draft, tx, TF_PARTIAL_PAYMENT),
    },
    Taint {
        name: "tfLimitQuality on XRP",
        expected: &["temBAD_SEND_XRP_LIMIT"],
        spoil: |draft, tx| flagged(draft, tx, TF_LIMIT_QUALITY),
    },
    Taint {
        name: "tfNoRippleDirect on XRP",
        expected: &["temBAD_SEND_XRP_NO_DIRECT"],
        spoil: |draft, tx| flagged(draft, tx, TF_NO_RIPPLE_DIRECT),
    },
    Taint {
        name: "a flag Payment does not have",
        expected: &["temINVALID_FLAG"],
        spoil: |draft, tx| flagged(draft, tx, 1),
    },
];

/// The asset that the spoiled payment would have moved.
fn asset(draft: &Draft<'_>, tx: &Tx) -> Option<Asset> {
    tx.issued.map(|moved| draft.world.assets[usize::from(moved.asset)])
}

fn issued(draft: &mut Draft<'_>, tx: &mut Tx, value: IssuedValue) -> bool {
    let (Some(asset), Some(to)) = (asset(draft, tx), draft.other_user()) else { return false };
    tx.replace(issued_body(draft.world.accounts[to].id, asset.amount(value)));
    true
}

/// A currency that nobody has a trust line for.
fn unheld(issuer: AccountId) -> Amount {
    let mut code = [0; 20];
    code[..8].copy_from_slice(b"\xffunheld!");
    Amount::issued(IssuedValue::ONE, Currency(code), issuer)
}

static ISSUED_TAINTS: &[Taint] = &[
    Taint {
        name: "issued amount 0",
        expected: &["temBAD_AMOUNT"],
        spoil: |draft, tx| issued(draft, tx, IssuedValue::ZERO),
    },
    Taint {
        name: "negative issued amount",
        expected: &["temBAD_AMOUNT"],
        spoil: |draft, tx| issued(draft, tx, IssuedValue::ONE.negated()),
    },
    Taint {
        name: "issued currency to oneself",
        expected: &["temREDUNDANT"],
        spoil: |draft, tx| {
            let Some(asset) = asset(draft, tx) else { return false };
            tx.replace(issued_body(draft.me().id, asset.amount(IssuedValue::ONE)));
            true
        },
    },
    Taint {
        name: "no path allowed at all",
        expected: &["temRIPPLE_EMPTY"],
        spoil: |draft, tx| {
            tx.flags = TF_NO_RIPPLE_DIRECT;
            issued(draft, tx, IssuedValue::ONE)
        },
    },
    Taint {
        name: "issued currency named XRP",
        expected: &["temBAD_CURRENCY"],
        spoil: |draft, tx| {
            let (Some(asset), Some(to)) = (asset(draft, tx), draft.other_user()) else { return false };
            let mut code = [0; 20];
            code[12..15].copy_from_slice(b"XRP");
            let amount = Amount::issued(IssuedValue::ONE, Currency(code), asset.issuer);
            tx.replace(issued_body(draft.world.accounts[to].id, amount));
            true
        },
    },
    Taint {
        name: "issued currency to nobody",
        expected: &["tecNO_DST"],
        spoil: |draft, tx| {
            let Some(asset) = asset(draft, tx) else { return false };
            tx.replace(issued_body(draft.nobody(), asset.amount(IssuedValue::ONE)));
            true
        },
    },
    Taint {
        name: "a currency without trust line",
        expected: &["tecPATH_DRY"],
        spoil: |draft, tx| {
            let (Some(asset), Some(to)) = (asset(draft, tx), draft.other_user()) else { return false };
            tx.replace(issued_body(draft.world.accounts[to].id, unheld(asset.issuer)));
            true
        },
    },
    Taint {
        name: "more of a currency than limits allow",
        expected: &["tecPATH_PARTIAL", "tecPATH_DRY"],
        spoil: |draft, tx| {
            IssuedValue::new(1, 30).is_ok_and(|value| issued(draft, tx, value))
        },
    },
];
