//! What must be true of every closed ledger, judged from its entries alone: nothing here knows how
//! transactions are applied, and the invariants that the ledger itself checks are not asked.

mod lending;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use xrpl_protocol::{
    AccountId, Amount, Field, Hash256, Issue, LedgerHeader, MptId, Object, Value, fields, object_id,
};
use xrpl_standalone::ledger::{Entry, LedgerTransaction, ShaMap, entry_type as kind};

use super::world::{GATEWAYS, account};

type Verdict = Result<(), String>;

fn must(holds: bool, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(what()) }
}

fn drops(entry: &Object, field: Field) -> i128 {
    entry.amount(field).and_then(|amount| amount.drops()).unwrap_or(0).into()
}

fn flags(entry: &Object) -> u32 {
    entry.u32(fields::FLAGS).unwrap_or(0)
}

/// What of a ledger is judged.
pub(crate) struct Judged<'a> {
    pub(crate) header: &'a LedgerHeader,
    pub(crate) state: &'a ShaMap<Entry>,
    pub(crate) transactions: &'a [Arc<LedgerTransaction>],
}

/// Judges a ledger by itself and against the coins that there were before.
pub(crate) fn judge(ledger: &Judged<'_>, coins_before: u64) -> Verdict {
    coins(ledger, coins_before)?;
    tree(ledger)?;
    let listed = directories(ledger)?;
    links(ledger, &listed)?;
    owner_counts(ledger)?;
    nfts(ledger)?;
    issuances(ledger)?;
    lines(ledger)?;
    lending::lending(ledger)
}

/// All XRP is somewhere, and what is missing since the ledger before was paid in fees.
fn coins(ledger: &Judged<'_>, before: u64) -> Verdict {
    let mut all = 0;
    for (id, entry) in ledger.state.iter() {
        all += match kind::of(entry) {
            kind::ACCOUNT_ROOT => {
                let balance = drops(entry, fields::BALANCE);
                must(balance >= 0, || format!("account {id} has {balance} drops"))?;
                balance
            }
            kind::ESCROW => drops(entry, fields::AMOUNT),
            kind::PAY_CHANNEL => drops(entry, fields::AMOUNT) - drops(entry, fields::BALANCE),
            _ => 0,
        };
    }
    let told = i128::from(ledger.header.total_coins);
    must(all == told, || format!("{all} drops are there, the header says {told}"))?;
    let fees: i128 =
        ledger.transactions.iter().map(|tx| drops(&tx.read().tx.object, fields::FEE)).sum();
    let burnt = i128::from(before) - told;
    // A transaction that cannot pay all of its fee pays what is there.
    must((0..=fees).contains(&burnt), || format!("{burnt} drops went, {fees} were paid in fees"))
}

/// The state's hash is that of a tree made anew from its entries.
fn tree(ledger: &Judged<'_>) -> Verdict {
    let mut anew = ShaMap::default();
    for (id, entry) in ledger.state.iter() {
        anew.insert(*id, entry.clone());
    }
    must(anew.hash() == ledger.header.account_hash, || "the state's hash is another".into())
}

/// Where entries are listed: the root and the number of the page.
type Listed = BTreeMap<Hash256, Vec<(Hash256, u64)>>;

/// Pages are linked both ways, and list what is there, once.
fn directories(ledger: &Judged<'_>) -> Result<Listed, String> {
    let pages: BTreeMap<Hash256, &Object> = ledger
        .state
        .iter()
        .filter(|(_, entry)| kind::of(entry) == kind::DIRECTORY_NODE)
        .map(|(id, entry)| (*id, &**entry))
        .collect();
    let mut listed = Listed::new();
    let mut reached = 0;
    let number = |page: &Object, field| page.u64(field).unwrap_or(0);
    for (root, first) in &pages {
        if first.hash256(fields::ROOT_INDEX) != Some(*root) {
            continue;
        }
        let (mut at, mut before) = (0, 0);
        loop {
            let page = pages.get(&object_id::dir_page(*root, at));
            let page = page.ok_or_else(|| format!("directory {root} has no page {at}"))?;
            reached += 1;
            must(page.hash256(fields::ROOT_INDEX) == Some(*root), || {
                format!("page {at} of directory {root} has another root")
            })?;
            if at != 0 {
                let back = number(page, fields::INDEX_PREVIOUS);
                must(back == before, || {
                    format!("page {at} of directory {root} links back to {back}, not {before}")
                })?;
            }
            let ids = page.vector256(fields::INDEXES).unwrap_or_default();
            // Some transactions leave an empty root behind.
            must(at == 0 || !ids.is_empty(), || format!("page {at} of directory {root} is empty"))?;
            for id in ids {
                must(ledger.state.get(id).is_some(), || {
                    format!("page {at} of directory {root} lists {id}, which is not there")
                })?;
                listed.entry(*id).or_default().push((*root, at));
            }
            before = at;
            at = number(page, fields::INDEX_NEXT);
            if at == 0 {
                break;
            }
            must(reached <= pages.len(), || format!("directory {root} goes round in a circle"))?;
        }
        let last = number(first, fields::INDEX_PREVIOUS);
        must(last == before, || {
            format!("directory {root} says its last page is {last}, not {before}")
        })?;
    }
    must(reached == pages.len(), || {
        format!("{} directory pages are reached from no root", pages.len() - reached)
    })?;
    Ok(listed)
}

/// Fields that say on which page of a directory an entry is listed.
const LINKS: [Field; 10] = [
    fields::OWNER_NODE,
    fields::DESTINATION_NODE,
    fields::ISSUER_NODE,
    fields::SUBJECT_NODE,
    fields::LOW_NODE,
    fields::HIGH_NODE,
    fields::BOOK_NODE,
    fields::NF_TOKEN_OFFER_NODE,
    fields::VAULT_NODE,
    fields::LOAN_BROKER_NODE,
];

/// Whoever owns an entry, as the entry says.
fn owner(id: &Hash256, entry: &Object) -> Option<AccountId> {
    match kind::of(entry) {
        kind::MPTOKEN_ISSUANCE => entry.account(fields::ISSUER),
        kind::LOAN => entry.account(fields::BORROWER),
        kind::CREDENTIAL if flags(entry) & 0x0001_0000 != 0 => entry.account(fields::SUBJECT),
        kind::CREDENTIAL => entry.account(fields::ISSUER),
        kind::NFTOKEN_PAGE => {
            let mut owner = AccountId::ZERO;
            owner.0.copy_from_slice(&id.0[..20]);
            Some(owner)
        }
        _ => entry.account(fields::OWNER).or_else(|| entry.account(fields::ACCOUNT)),
    }
}

/// Accounts that an entry names.
fn named(entry: &Object) -> BTreeSet<AccountId> {
    let of = |value: &Value| match value {
        Value::Account(id) => Some(*id),
        Value::Amount(amount) => match amount.issue() {
            Issue::Issued { issuer, .. } => Some(issuer),
            Issue::Mpt(id) => Some(id.issuer()),
            Issue::Xrp => None,
        },
        Value::Hash192(id) => Some(MptId(*id).issuer()),
        _ => None,
    };
    entry.iter().filter_map(|(_, value)| of(value)).collect()
}

/// Every entry that can be owned is on the pages that it names, and on no others; and in its owner's
/// directory.
fn links(ledger: &Judged<'_>, listed: &Listed) -> Verdict {
    let accounts: BTreeMap<Hash256, AccountId> = ledger
        .state
        .iter()
        .filter_map(|(_, entry)| {
            let is_root = kind::of(entry) == kind::ACCOUNT_ROOT;
            entry.account(fields::ACCOUNT).filter(|_| is_root)
        })
        .map(|account| (object_id::owner_dir(account), account))
        .collect();
    for (id, entry) in ledger.state.iter() {
        let of = kind::of(entry);
        if matches!(
            of,
            kind::ACCOUNT_ROOT
                | kind::DIRECTORY_NODE
                | kind::AMENDMENTS
                | kind::FEE_SETTINGS
                | kind::LEDGER_HASHES
                | kind::NEGATIVE_UNL
                | kind::NFTOKEN_PAGE
        ) {
            continue;
        }
        let places = listed.get(id).map_or(&[][..], Vec::as_slice);
        let what = || format!("entry {id} of type {of:#06x}");
        must(!places.is_empty(), || format!("{} is in no directory", what()))?;
        // An offer in a permissioned and the open book names its second page inside.
        let books = entry.array(fields::ADDITIONAL_BOOKS).unwrap_or_default();
        let objects = std::iter::once(&**entry).chain(books.iter().map(|(_, book)| book));
        let mut said: Vec<u64> = objects
            .flat_map(|object| LINKS.iter().filter_map(|field| object.u64(*field)))
            .collect();
        let mut pages: Vec<u64> = places.iter().map(|(_, page)| *page).collect();
        pages.sort_unstable();
        said.sort_unstable();
        must(pages == said, || format!("{} is on pages {pages:?} and says {said:?}", what()))?;
        for (root, _) in places {
            if let Some(account) = accounts.get(root) {
                let is_pseudo =
                    [kind::AMM, kind::VAULT, kind::LOAN, kind::LOAN_BROKER].contains(&of);
                must(
                    is_pseudo || of == kind::SIGNER_LIST || named(entry).contains(account),
                    || {
                        format!(
                            "{} is in the directory of {account}, whom it does not name",
                            what()
                        )
                    },
                )?;
            }
        }
        let in_owners: Vec<_> = places.iter().filter_map(|(root, _)| accounts.get(root)).collect();
        must(!in_owners.is_empty(), || format!("{} is in no owner's directory", what()))?;
        if let Some(owner) = owner(id, entry) {
            must(in_owners.contains(&&owner), || format!("{} is not in {owner}'s", what()))?;
        }
    }
    Ok(())
}

/// What an entry counts for its owner.
fn weight(entry: &Object) -> u32 {
    match kind::of(entry) {
        kind::SIGNER_LIST if flags(entry) & 0x0001_0000 == 0 => {
            2 + entry.array(fields::SIGNER_ENTRIES).map_or(0, <[_]>::len) as u32
        }
        kind::ORACLE if entry.array(fields::PRICE_DATA_SERIES).is_some_and(|all| all.len() > 5) => {
            2
        }
        kind::VAULT | kind::LOAN_BROKER => 2,
        _ => 1,
    }
}

/// Accounts are counted for what they own. (Those of pools have a count of their own kind.)
fn owner_counts(ledger: &Judged<'_>) -> Verdict {
    let mut counts: BTreeMap<AccountId, u32> = BTreeMap::new();
    let mut told: BTreeMap<AccountId, u32> = BTreeMap::new();
    for (id, entry) in ledger.state.iter() {
        match kind::of(entry) {
            kind::ACCOUNT_ROOT => {
                if let Some(account) = entry.account(fields::ACCOUNT)
                    && !entry.contains(fields::AMMID)
                {
                    told.insert(account, entry.u32(fields::OWNER_COUNT).unwrap_or(0));
                }
            }
            kind::RIPPLE_STATE => {
                for (bit, limit) in
                    [(0x0001_0000, fields::LOW_LIMIT), (0x0002_0000, fields::HIGH_LIMIT)]
                {
                    if flags(entry) & bit != 0
                        && let Some(Amount::Issued { issuer, .. }) = entry.amount(limit)
                    {
                        *counts.entry(issuer).or_default() += 1;
                    }
                }
            }
            kind::SIGNER_LIST => {
                let owner = told_owner(ledger, id);
                *counts.entry(owner.unwrap_or_default()).or_default() += weight(entry);
            }
            kind::DIRECTORY_NODE
            | kind::AMENDMENTS
            | kind::FEE_SETTINGS
            | kind::LEDGER_HASHES
            | kind::NEGATIVE_UNL
            | kind::AMM => {}
            _ => {
                if let Some(owner) = owner(id, entry) {
                    *counts.entry(owner).or_default() += weight(entry);
                }
            }
        }
    }
    for (account, told) in told {
        let count = counts.get(&account).copied().unwrap_or(0);
        must(count == told, || format!("{account} owns {count}, its OwnerCount is {told}"))?;
    }
    Ok(())
}

/// Whose signer list it is: its key says so.
fn told_owner(ledger: &Judged<'_>, id: &Hash256) -> Option<AccountId> {
    let mut accounts = ledger.state.iter().filter_map(|(_, entry)| {
        entry.account(fields::ACCOUNT).filter(|_| kind::of(entry) == kind::ACCOUNT_ROOT)
    });
    accounts.find(|account| object_id::signer_list(*account) == *id)
}

/// Pages of NFTs are linked, sorted and not too full; issuers' NFTs that are there are those minted
/// and not burnt.
fn nfts(ledger: &Judged<'_>) -> Verdict {
    let mut alive: BTreeMap<AccountId, u32> = BTreeMap::new();
    let mut before: Option<(Hash256, &Object)> = None;
    for (id, page) in ledger.state.iter() {
        if kind::of(page) != kind::NFTOKEN_PAGE {
            continue;
        }
        let same = before.filter(|(other, _)| other.0[..20] == id.0[..20]);
        let back = page.hash256(fields::PREVIOUS_PAGE_MIN);
        must(back == same.map(|(other, _)| other), || format!("NFT page {id} links back wrongly"))?;
        if let Some((other, last)) = before {
            let on = last.hash256(fields::NEXT_PAGE_MIN);
            must(on == same.map(|_| *id), || format!("NFT page {other} links on wrongly"))?;
        }
        let tokens = page.array(fields::NF_TOKENS).unwrap_or_default();
        must((1..=32).contains(&tokens.len()), || format!("NFT page {id} has {}", tokens.len()))?;
        let ids: Vec<Hash256> =
            tokens.iter().filter_map(|(_, token)| token.hash256(fields::NF_TOKEN_ID)).collect();
        let low = |id: &Hash256| (id.0[20..].to_vec(), *id);
        must(ids.is_sorted_by_key(low), || format!("NFT page {id} is not sorted"))?;
        must(ids.iter().all(|nft| nft.0[20..] < id.0[20..] || id.0[20..] == [0xff; 12]), || {
            format!("NFT page {id} has NFTs beyond its key")
        })?;
        for nft in ids {
            let mut issuer = AccountId::ZERO;
            issuer.0.copy_from_slice(&nft.0[4..24]);
            *alive.entry(issuer).or_default() += 1;
        }
        before = Some((*id, page));
    }
    for (issuer, count) in alive {
        // An issuer that has been deleted has burnt them all.
        let root = ledger.state.get(&object_id::account_root(issuer));
        let root = root.ok_or_else(|| format!("NFTs of {issuer}, who is not there"))?;
        let number = |field| root.u32(field).unwrap_or(0);
        let (minted, burnt) = (number(fields::MINTED_NF_TOKENS), number(fields::BURNED_NF_TOKENS));
        must(minted.wrapping_sub(burnt) == count, || {
            format!("{issuer} minted {minted} NFTs, {burnt} are burnt, {count} are there")
        })?;
    }
    Ok(())
}

/// What is outstanding of an MPT is what its holders have, locked or not.
fn issuances(ledger: &Judged<'_>) -> Verdict {
    let mut held: BTreeMap<MptId, (u64, u64)> = BTreeMap::new();
    for (_, token) in ledger.state.iter().filter(|(_, e)| kind::of(e) == kind::MPTOKEN) {
        let Some(Value::Hash192(id)) = token.get(fields::MP_TOKEN_ISSUANCE_ID) else {
            return Err("an MPToken without an issuance".into());
        };
        let number = |field| token.u64(field).unwrap_or(0);
        let (have, locked) = held.entry(MptId(*id)).or_default();
        *have += number(fields::MPT_AMOUNT) + number(fields::LOCKED_AMOUNT);
        *locked += number(fields::LOCKED_AMOUNT);
    }
    for (id, entry) in ledger.state.iter().filter(|(_, e)| kind::of(e) == kind::MPTOKEN_ISSUANCE) {
        let (Some(issuer), Some(sequence)) =
            (entry.account(fields::ISSUER), entry.u32(fields::SEQUENCE))
        else {
            return Err(format!("issuance {id} has no issuer or sequence"));
        };
        let (have, locked) = held.remove(&MptId::new(sequence, issuer)).unwrap_or_default();
        let number = |field| entry.u64(field).unwrap_or(0);
        let outstanding = number(fields::OUTSTANDING_AMOUNT);
        must(have == outstanding, || {
            format!("{have} of issuance {id} are held, {outstanding} issued")
        })?;
        let told = number(fields::LOCKED_AMOUNT);
        must(locked == told, || format!("{locked} of issuance {id} are locked, it says {told}"))?;
        if let Some(most) = entry.u64(fields::MAXIMUM_AMOUNT) {
            must(outstanding <= most, || format!("issuance {id} has {outstanding} of {most}"))?;
        }
    }
    // Empty ones outlive their issuance.
    let orphans = held.values().all(|amounts| *amounts == (0, 0));
    must(orphans, || "somebody holds what has no issuance".into())
}

/// Lines are between two accounts that are there, the lower one first, and somebody wants them. A
/// pool's tokens are those that its traders hold.
fn lines(ledger: &Judged<'_>) -> Verdict {
    let mut pools: BTreeMap<AccountId, f64> = BTreeMap::new();
    for (id, line) in ledger.state.iter().filter(|(_, e)| kind::of(e) == kind::RIPPLE_STATE) {
        let side = |field| match line.amount(field) {
            Some(Amount::Issued { issuer, .. }) => Some(issuer),
            _ => None,
        };
        let (Some(low), Some(high)) = (side(fields::LOW_LIMIT), side(fields::HIGH_LIMIT)) else {
            return Err(format!("line {id} has no limits"));
        };
        must(low < high, || format!("line {id} has its sides in the wrong order"))?;
        let Some(Amount::Issued { value, currency, .. }) = line.amount(fields::BALANCE) else {
            return Err(format!("line {id} has no balance"));
        };
        must(*id == object_id::trust_line(low, high, currency), || {
            format!("line {id} has a wrong key")
        })?;
        // Where both sides issue, a balance may change sides: the one that had it no longer pays the
        // reserve, and xrpld does not ask the other one to.
        let both_issue = [low, high].iter().all(|side| (0..GATEWAYS).any(|n| account(n) == *side));
        must(both_issue || flags(line) & 0x0003_0000 != 0, || format!("nobody wants line {id}"))?;
        let held: f64 = value.to_string().parse().unwrap_or(f64::NAN);
        for account in [low, high] {
            let root = ledger.state.get(&object_id::account_root(account));
            let root = root.ok_or_else(|| format!("line {id} of {account}, who is not there"))?;
            let Some(amm) = root.hash256(fields::AMMID).and_then(|id| ledger.state.get(&id)) else {
                continue;
            };
            let tokens = amm.amount(fields::LP_TOKEN_BALANCE).map(|tokens| tokens.issue());
            if tokens == Some(Issue::Issued { currency, issuer: account }) {
                *pools.entry(account).or_default() += held.abs();
            }
        }
    }
    for (_, amm) in ledger.state.iter().filter(|(_, e)| kind::of(e) == kind::AMM) {
        let account = amm.account(fields::ACCOUNT).unwrap_or_default();
        let told = amm.amount(fields::LP_TOKEN_BALANCE).and_then(|tokens| tokens.value());
        let told: f64 = told.map_or(f64::NAN, |told| told.to_string().parse().unwrap_or(f64::NAN));
        let held = pools.get(&account).copied().unwrap_or(0.0);
        // Sums of decimal numbers are rounded.
        must((told - held).abs() <= told.abs() * 1e-9 + 1e-9, || {
            format!("pool {account} says {told} tokens, {held} are held")
        })?;
    }
    Ok(())
}
