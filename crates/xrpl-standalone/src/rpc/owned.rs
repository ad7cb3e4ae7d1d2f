//! What accounts own: trust lines, offers, channels, objects.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{
    AccountId, Amount, Currency, Definitions, Hash256, IssuedValue, Object, base58, fields,
    object_id,
};

use super::{
    Answer, ApiShape, Call, Looked, RpcError, account::existing, convert::text_of, entry_json,
    hash_of, nft, object,
};
use crate::ledger::{Entry, entry_type};

const DEFAULT_RIPPLE: u32 = 0x0080_0000;
const LOW_NO_RIPPLE: u32 = 0x0010_0000;
const HIGH_NO_RIPPLE: u32 = 0x0020_0000;

/// A directory's pages: each one's id and what it lists.
fn pages(looked: &Looked, root: Hash256) -> Vec<(Hash256, Vec<Hash256>)> {
    let (mut all, mut page) = (Vec::new(), 0);
    loop {
        let id = object_id::dir_page(root, page);
        let Some(node) = looked.view().read(&id) else { return all };
        all.push((id, node.vector256(fields::INDEXES).unwrap_or_default().to_vec()));
        page = node.u64(fields::INDEX_NEXT).unwrap_or(0);
        if page == 0 {
            return all;
        }
    }
}

/// What an account owns, in the order of its directory.
pub(super) fn owned(looked: &Looked, account: AccountId) -> Vec<(Hash256, Entry)> {
    let ids = pages(looked, object_id::owner_dir(account)).into_iter().flat_map(|(_, ids)| ids);
    ids.filter_map(|id| Some((id, looked.view().read(&id)?))).collect()
}

/// A page of an account's directory: the items after the marker. xrpld counts everything it looks
/// at, whether or not the method shows it; the marker is the last item looked at.
fn page(
    call: &Call<'_>,
    looked: &Looked,
    account: AccountId,
    answer: &mut Map<String, Json>,
    bad_marker: impl Fn() -> RpcError,
) -> Result<Vec<(Hash256, Entry)>, RpcError> {
    let limit = call.limit(200)?;
    let all = owned(looked, account);
    let start = match call.params.get("marker") {
        None => 0,
        Some(Json::String(marker)) => {
            let id = marker
                .split_once(',')
                .filter(|(_, hint)| hint.parse::<u64>().is_ok())
                .and_then(|(id, _)| hash_of(id))
                .ok_or_else(&bad_marker)?;
            let at = all.iter().position(|(found, _)| *found == id);
            at.ok_or_else(|| RpcError::invalid("Invalid parameters."))? + 1
        }
        Some(_) => return Err(RpcError::not("marker", "string")),
    };
    let more = all.len() > start.saturating_add(limit);
    let cut: Vec<_> = all.into_iter().skip(start).take(limit).collect();
    if let (true, Some((last, entry))) = (more, cut.last()) {
        answer.insert("marker".into(), format!("{last},{}", hint(entry, account)).into());
        answer.insert("limit".into(), limit.into());
    }
    Ok(cut)
}

/// The page of an account's directory that lists an entry: where to go on looking.
fn hint(entry: &Object, account: AccountId) -> u64 {
    let field = match side(entry, account) {
        Some(side) if entry_type::of(entry) == entry_type::RIPPLE_STATE => match side.low {
            true => fields::LOW_NODE,
            false => fields::HIGH_NODE,
        },
        _ => fields::OWNER_NODE,
    };
    entry.u64(field).unwrap_or(0)
}

/// A trust line as one side sees it.
pub(super) struct Side {
    pub(super) peer: AccountId,
    pub(super) balance: IssuedValue,
    pub(super) currency: Currency,
    pub(super) limit: IssuedValue,
    pub(super) limit_peer: IssuedValue,
    low: bool,
}

impl Side {
    /// Whether this side has frozen the line.
    pub(super) fn is_frozen(&self, line: &Object) -> bool {
        let freeze = if self.low { 0x0040_0000 } else { 0x0080_0000 };
        line.u32(fields::FLAGS).unwrap_or(0) & freeze != 0
    }
}

pub(super) fn side(entry: &Object, account: AccountId) -> Option<Side> {
    let amount = |field| match entry.amount(field) {
        Some(Amount::Issued { value, currency, issuer }) => Some((value, currency, issuer)),
        _ => None,
    };
    let (balance, currency, _) = amount(fields::BALANCE)?;
    let (low_limit, _, low_account) = amount(fields::LOW_LIMIT)?;
    let (high_limit, _, high_account) = amount(fields::HIGH_LIMIT)?;
    let low = low_account == account;
    Some(Side {
        peer: if low { high_account } else { low_account },
        balance: if low { balance } else { balance.negated() },
        currency,
        limit: if low { low_limit } else { high_limit },
        limit_peer: if low { high_limit } else { low_limit },
        low,
    })
}

pub(super) fn lines_of(looked: &Looked, account: AccountId) -> Vec<(Hash256, Entry)> {
    let mut all = owned(looked, account);
    all.retain(|(_, e)| e.u16(fields::LEDGER_ENTRY_TYPE) == Some(entry_type::RIPPLE_STATE));
    all
}

pub(super) fn lines(call: &Call<'_>) -> Answer {
    let (account, looked) = existing(call, true)?;
    let peer = match call.params.get("peer") {
        None => None,
        Some(json) => match text_of(json)?.as_str() {
            "" => None,
            text => Some(
                text.parse::<AccountId>()
                    .map_err(|_| RpcError::account_malformed().in_ledger(&looked))?,
            ),
        },
    };
    let mut answer = object(json!({"account": account.to_string()}));
    let bad_marker = || RpcError::invalid("Invalid parameters.");
    let page = page(call, &looked, account, &mut answer, bad_marker)?;
    let ignore_default = call.flag("ignore_default");
    let shown: Vec<Json> = page
        .iter()
        .filter(|(_, entry)| entry_type::of(entry) == entry_type::RIPPLE_STATE)
        .filter(|(_, e)| {
            let of_peer = peer.is_none_or(|peer| side(e, account).is_some_and(|s| s.peer == peer));
            of_peer && !is_default_line(e, account, ignore_default)
        })
        .filter_map(|(_, entry)| line_json(entry, account))
        .collect();
    answer.insert("lines".into(), shown.into());
    looked.describe(&mut answer);
    Ok(answer)
}

fn is_default_line(entry: &Object, account: AccountId, ignore: bool) -> bool {
    let flags = entry.u32(fields::FLAGS).unwrap_or(0);
    let Some(side) = side(entry, account) else { return true };
    let reserve = if side.low { 0x0001_0000 } else { 0x0002_0000 };
    ignore && flags & reserve == 0
}

fn line_json(entry: &Object, account: AccountId) -> Option<Json> {
    let side = side(entry, account)?;
    let flags = entry.u32(fields::FLAGS).unwrap_or(0);
    let (quality_in, quality_out) = match side.low {
        true => (fields::LOW_QUALITY_IN, fields::LOW_QUALITY_OUT),
        false => (fields::HIGH_QUALITY_IN, fields::HIGH_QUALITY_OUT),
    };
    let mut line = object(json!({
        "account": side.peer.to_string(),
        "balance": side.balance.to_string(),
        "currency": side.currency.to_string(),
        "limit": side.limit.to_string(),
        "limit_peer": side.limit_peer.to_string(),
        "quality_in": entry.u32(quality_in).unwrap_or(0),
        "quality_out": entry.u32(quality_out).unwrap_or(0),
    }));
    // Pairs of flags: the low side's bit, the high side's bit.
    for (own, peer, low, high) in [
        ("authorized", "peer_authorized", 0x0004_0000u32, 0x0008_0000u32),
        ("no_ripple", "no_ripple_peer", 0x0010_0000, 0x0020_0000),
        ("freeze", "freeze_peer", 0x0040_0000, 0x0080_0000),
        ("deep_freeze", "deep_freeze_peer", 0x0200_0000, 0x0400_0000),
    ] {
        let (mine, theirs) = if side.low { (low, high) } else { (high, low) };
        for (name, bit) in [(own, mine), (peer, theirs)] {
            if flags & bit != 0 {
                line.insert(name.into(), true.into());
            }
        }
    }
    Some(line.into())
}

pub(super) fn offers(call: &Call<'_>) -> Answer {
    let (account, looked) = existing(call, true)?;
    let mut answer = object(json!({"account": account.to_string()}));
    let bad_marker = || RpcError::invalid_field("marker");
    let shown: Vec<Json> = page(call, &looked, account, &mut answer, bad_marker)?
        .iter()
        .filter(|(_, entry)| entry_type::of(entry) == entry_type::OFFER)
        .map(|(_, offer)| offer_json(offer))
        .collect();
    answer.insert("offers".into(), shown.into());
    looked.describe(&mut answer);
    Ok(answer)
}

fn offer_json(offer: &Object) -> Json {
    let amount = |field| offer.amount(field).map_or(Json::Null, |amount| amount.to_json());
    let mut shown = object(json!({
        "flags": offer.u32(fields::FLAGS).unwrap_or(0),
        "seq": offer.u32(fields::SEQUENCE).unwrap_or(0),
        "taker_gets": amount(fields::TAKER_GETS),
        "taker_pays": amount(fields::TAKER_PAYS),
        "quality": offer.hash256(fields::BOOK_DIRECTORY).map(|book| quality(&book)),
    }));
    if let Some(expiration) = offer.u32(fields::EXPIRATION) {
        shown.insert("expiration".into(), expiration.into());
    }
    shown.into()
}

/// The exchange rate that the last 8 bytes of a book directory's id hold.
pub(super) fn quality(book: &Hash256) -> String {
    let [.., e, a, b, c, d, f, g, h] = book.0;
    let mantissa = u64::from_be_bytes([0, a, b, c, d, f, g, h]);
    let rate = IssuedValue::new(mantissa.cast_signed(), i32::from(e) - 100);
    rate.map_or_else(|_| "0".to_owned(), |rate| rate.to_string())
}

pub(super) fn channels(call: &Call<'_>) -> Answer {
    let (account, looked) = existing(call, false)?;
    let destination = match call.params.get("destination_account") {
        None => None,
        Some(Json::String(text)) if text.is_empty() => None,
        Some(_) => Some(call.account("destination_account")?),
    };
    let mut answer = object(json!({"account": account.to_string()}));
    let bad_marker = || RpcError::invalid("Invalid parameters.");
    let shown: Vec<Json> = page(call, &looked, account, &mut answer, bad_marker)?
        .iter()
        .filter(|(_, entry)| {
            entry_type::of(entry) == entry_type::PAY_CHANNEL
                && entry.account(fields::ACCOUNT) == Some(account)
                && destination.is_none_or(|to| entry.account(fields::DESTINATION) == Some(to))
        })
        .map(|(id, channel)| channel_json(id, channel))
        .collect();
    answer.insert("channels".into(), shown.into());
    looked.describe(&mut answer);
    Ok(answer)
}

fn channel_json(id: &Hash256, channel: &Object) -> Json {
    let text = |field| channel.account(field).map(|account| account.to_string());
    let drops = |field| match channel.amount(field) {
        Some(Amount::Xrp(drops)) => drops.to_string(),
        _ => "0".to_owned(),
    };
    let mut shown = object(json!({
        "account": text(fields::ACCOUNT),
        "amount": drops(fields::AMOUNT),
        "balance": drops(fields::BALANCE),
        "channel_id": id.to_string(),
        "destination_account": text(fields::DESTINATION),
        "settle_delay": channel.u32(fields::SETTLE_DELAY).unwrap_or(0),
    }));
    if let Some(key) = channel.blob(fields::PUBLIC_KEY) {
        shown.insert("public_key".into(), base58::encode(base58::ACCOUNT_PUBLIC, key).into());
        shown.insert("public_key_hex".into(), const_hex::encode_upper(key).into());
    }
    for (name, field) in [
        ("expiration", fields::EXPIRATION),
        ("cancel_after", fields::CANCEL_AFTER),
        ("source_tag", fields::SOURCE_TAG),
        ("destination_tag", fields::DESTINATION_TAG),
    ] {
        if let Some(value) = channel.u32(field) {
            shown.insert(name.into(), value.into());
        }
    }
    shown.into()
}

/// Types that `account_objects` refuses: nobody owns them.
const NOBODYS: [u16; 5] = [
    entry_type::AMENDMENTS,
    entry_type::DIRECTORY_NODE,
    entry_type::FEE_SETTINGS,
    entry_type::LEDGER_HASHES,
    entry_type::NEGATIVE_UNL,
];

/// Types that hold an account back from being deleted.
const DELETION_BLOCKERS: [&str; 12] = [
    "check",
    "escrow",
    "nft_page",
    "payment_channel",
    "state",
    "xchain_owned_claim_id",
    "xchain_owned_create_account_claim_id",
    "bridge",
    "mpt_issuance",
    "mptoken",
    "permissioned_domain",
    "vault",
];

/// `type`: which entries are asked for; none for all.
pub(super) fn type_asked(call: &Call<'_>) -> Result<Option<u16>, RpcError> {
    let Some(json) = call.params.get("type") else { return Ok(None) };
    let name = json.as_str().ok_or_else(|| RpcError::not("type", "string"))?;
    entry_type_of(name).map(Some).ok_or_else(|| RpcError::invalid_field("type"))
}

/// The types that `account_objects` is to show; none for all.
fn types_asked(call: &Call<'_>) -> Result<Option<Vec<u16>>, RpcError> {
    if call.flag("deletion_blockers_only") {
        let kind = call.params.get("type");
        let wanted = |name: &&&str| kind.is_none_or(|kind| kind == **name);
        let names = DELETION_BLOCKERS.iter().filter(wanted);
        return Ok(Some(names.filter_map(|name| entry_type_of(name)).collect()));
    }
    match type_asked(call)? {
        Some(kind) if NOBODYS.contains(&kind) => Err(RpcError::invalid_field("type")),
        kind => Ok(kind.map(|kind| vec![kind])),
    }
}

pub(super) fn objects(call: &Call<'_>) -> Answer {
    let (account, looked) = existing(call, true)?;
    let kinds = types_asked(call)?;
    let wanted = |kind| kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind));
    let limit = call.limit(200)?;
    let bad_marker = || RpcError::invalid_field("marker");
    // Where to begin: a page of the directory and one of its entries, or, without a page, a page of
    // NFTs. Those are in no directory and come first.
    let (page, entry) = match call.params.get("marker") {
        None => (Hash256::ZERO, Hash256::ZERO),
        Some(Json::String(marker)) => {
            let (page, entry) = marker.split_once(',').ok_or_else(bad_marker)?;
            (hash_of(page).ok_or_else(bad_marker)?, hash_of(entry).ok_or_else(bad_marker)?)
        }
        Some(_) => return Err(RpcError::not("marker", "string")),
    };
    let mut answer = object(json!({"account": account.to_string()}));
    let mut shown = Vec::new();
    let next = from_there(&looked, account, (page, entry), limit, wanted, &mut shown);
    if let Some(next) = next.ok_or_else(bad_marker)? {
        answer.insert("marker".into(), next.into());
        answer.insert("limit".into(), limit.into());
    }
    answer.insert("account_objects".into(), shown.into());
    looked.describe(&mut answer);
    Ok(answer)
}

/// Collects what an account owns from a place on. Returns where to go on; nothing if there is no such
/// place.
fn from_there(
    looked: &Looked,
    account: AccountId,
    (page, entry): (Hash256, Hash256),
    limit: usize,
    wanted: impl Fn(u16) -> bool,
    shown: &mut Vec<Json>,
) -> Option<Option<String>> {
    let mut left = limit;
    let is_nft_page = entry == Hash256::ZERO || entry.0[..account.0.len()] == account.0;
    if page == Hash256::ZERO && is_nft_page && wanted(entry_type::NFTOKEN_PAGE) {
        let mut pages = nft::pages(looked, account).into_iter().peekable();
        while pages.next_if(|(id, _)| *id <= entry).is_some() {}
        while let Some((id, page)) = pages.next() {
            shown.push(entry_json(&id, &page));
            left -= 1;
            if left == 0 && pages.peek().is_some() {
                return Some(Some(format!("0,{id}")));
            }
        }
    }
    let pages = pages(looked, object_id::owner_dir(account));
    let all = pages.iter().flat_map(|(page, ids)| ids.iter().map(move |id| (*page, *id)));
    let mut all = all.peekable();
    if page != Hash256::ZERO {
        while all.next_if(|place| *place != (page, entry)).is_some() {}
        all.peek()?;
    }
    for (page, id) in all {
        if left == 0 {
            return Some(Some(format!("{page},{id}")));
        }
        left -= 1;
        if let Some(entry) = looked.view().read(&id).filter(|e| wanted(entry_type::of(e))) {
            shown.push(entry_json(&id, &entry));
        }
    }
    Some(None)
}

/// The old `owner_info`: offers and trust lines in the closed and the open ledger.
pub(super) fn owner_info(call: &Call<'_>) -> Answer {
    let given = call.params.get("account").or_else(|| call.params.get("ident"));
    let text = text_of(given.ok_or_else(|| RpcError::missing("account"))?)?;
    let node = call.shared.node();
    let closed = Looked::Closed(Arc::clone(node.closed()));
    let open = Looked::Open(Box::new(node.current().clone()));
    drop(node);
    let of = |looked: &Looked| match text.parse() {
        Err(_) => Json::from(RpcError::account_malformed().to_members()),
        Ok(account) => {
            let mut shown = Map::new();
            for (name, kind) in
                [("offers", entry_type::OFFER), ("ripple_lines", entry_type::RIPPLE_STATE)]
            {
                let list: Vec<Json> = owned(looked, account)
                    .iter()
                    .filter(|(_, entry)| entry_type::of(entry) == kind)
                    .map(|(id, entry)| entry_json(id, entry))
                    .collect();
                if !list.is_empty() {
                    shown.insert(name.into(), list.into());
                }
            }
            shown.into()
        }
    };
    Ok(object(json!({"accepted": of(&closed), "current": of(&open)})))
}

/// What an account should change about rippling, for its role.
pub(super) fn noripple_check(call: &Call<'_>) -> Answer {
    if !call.params.contains_key("account") {
        return Err(RpcError::missing("account"));
    }
    let role = call.params.get("role").ok_or_else(|| RpcError::missing("role"))?;
    if !call.params["account"].is_string() {
        return Err(RpcError::invalid_field("account"));
    }
    let is_gateway = match text_of(role)?.as_str() {
        "gateway" => true,
        "user" => false,
        _ => return Err(RpcError::invalid_field("role")),
    };
    let limit = call.limit(300)?;
    let transactions = call.flag("transactions");
    let is_flag = call.params.get("transactions").is_none_or(Json::is_boolean);
    if call.shape == ApiShape::V2 && !is_flag {
        return Err(RpcError::invalid_field("transactions"));
    }
    let (account, looked) = existing(call, true).map_err(|error| match error.token {
        // The list has begun by then.
        "actMalformed" if transactions => error.with("transactions", json!([])),
        _ => error,
    })?;
    let root = looked.view().account(account).ok_or_else(RpcError::account_not_found)?;
    let mut sequence = root.u32(fields::SEQUENCE).unwrap_or(0);
    let fee = looked.view().info().fees.base;
    let (mut problems, mut proposed) = (Vec::new(), Vec::new());
    let mut propose = |mut tx: Map<String, Json>| {
        tx.insert("Account".into(), account.to_string().into());
        tx.insert("Fee".into(), fee.into());
        tx.insert("Sequence".into(), sequence.into());
        sequence += 1;
        proposed.push(Json::from(tx));
    };
    let ripples = root.u32(fields::FLAGS).unwrap_or(0) & DEFAULT_RIPPLE != 0;
    if ripples && !is_gateway {
        problems.push(
            "You appear to have set your default ripple flag even though you are not a gateway. \
             This is not recommended unless you are experimenting"
                .to_owned(),
        );
    } else if is_gateway && !ripples {
        problems.push("You should immediately set your default ripple flag".to_owned());
        propose(object(json!({"TransactionType": "AccountSet", "SetFlag": 8})));
    }
    let mut found = 0;
    for (_, entry) in lines_of(&looked, account) {
        if found == limit {
            break;
        }
        let Some(side) = side(&entry, account) else { continue };
        let own_bit = if side.low { LOW_NO_RIPPLE } else { HIGH_NO_RIPPLE };
        let no_ripple = entry.u32(fields::FLAGS).unwrap_or(0) & own_bit != 0;
        let verb = match (no_ripple, is_gateway) {
            (true, true) => "clear",
            (false, false) => "probably set",
            _ => continue,
        };
        found += 1;
        problems.push(format!(
            "You should {verb} the no ripple flag on your {} line to {}",
            side.currency, side.peer
        ));
        // tfClearNoRipple, tfSetNoRipple.
        let flags = if no_ripple { 0x0004_0000 } else { 0x0002_0000 };
        propose(object(json!({
            "TransactionType": "TrustSet",
            "Flags": flags,
            "LimitAmount": {
                "currency": side.currency.to_string(),
                "issuer": side.peer.to_string(),
                "value": side.limit.to_string(),
            },
        })));
    }
    let mut answer = object(json!({"problems": problems}));
    if transactions {
        answer.insert("transactions".into(), proposed.into());
    }
    looked.describe(&mut answer);
    Ok(answer)
}

/// Code of a type's API name (`ticket`, `state`) or ledger name (`RippleState`, in any case).
pub(super) fn entry_type_of(name: &str) -> Option<u16> {
    let ledger_name = match name {
        "account" => "AccountRoot",
        "deposit_preauth" => "DepositPreauth",
        "directory" => "DirectoryNode",
        "fee" => "FeeSettings",
        "hashes" => "LedgerHashes",
        "loan_broker" => "LoanBroker",
        "mpt_issuance" => "MPTokenIssuance",
        "nft_offer" => "NFTokenOffer",
        "nft_page" => "NFTokenPage",
        "nunl" => "NegativeUNL",
        "payment_channel" => "PayChannel",
        "permissioned_domain" => "PermissionedDomain",
        "signer_list" => "SignerList",
        "state" => "RippleState",
        "xchain_owned_claim_id" => "XChainOwnedClaimID",
        "xchain_owned_create_account_claim_id" => "XChainOwnedCreateAccountClaimID",
        // The others' names differ in case alone.
        other => other,
    };
    let definitions = Definitions::builtin();
    (0..=u16::from(u8::MAX)).find(|code| {
        let name = definitions.ledger_entry_type_name(*code);
        name.is_some_and(|name| name.eq_ignore_ascii_case(ledger_name))
    })
}
