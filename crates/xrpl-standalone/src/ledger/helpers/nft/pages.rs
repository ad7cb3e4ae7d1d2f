//! The pages on which an account's NFTs are kept: a list linked both ways, in the order of the ids'
//! low 96 bits. A page's own id has the account in front and behind it low bits that are greater than
//! those of everything on it; the last page's are all ones
//! (<https://xrpl.org/docs/references/protocol/ledger-data/ledger-entry-types/nftokenpage>).

use std::cmp::Ordering;

use xrpl_protocol::{AccountId, EngineResult, Field, Hash256, Object, Value, fields, object_id};

use crate::ledger::{
    amendment, entry_type,
    helpers::account_root::adjust_owner_count,
    view::{ApplyView, Entry, ReadView, Ter},
};

/// NFTs on a page.
const PAGE_TOKENS: usize = 32;
/// Where the low 96 bits begin.
const LOW: usize = 20;
/// The links are not what they must be: xrpld throws.
const BROKEN: EngineResult = EngineResult::TEF_EXCEPTION;

type Token = (Field, Object);

/// What NFTs are sorted by. NFTs that are equal in it must be on one page.
#[must_use]
pub fn low_bits(id: &Hash256) -> &[u8] {
    &id.0[LOW..]
}

/// How NFTs are sorted on a page.
#[must_use]
pub fn order(a: &Hash256, b: &Hash256) -> Ordering {
    low_bits(a).cmp(low_bits(b)).then_with(|| a.cmp(b))
}

fn tokens(page: &Object) -> &[Token] {
    page.array(fields::NF_TOKENS).unwrap_or_default()
}

fn id_of(token: &Token) -> Hash256 {
    token.1.hash256(fields::NF_TOKEN_ID).unwrap_or_default()
}

fn page_key(owner: AccountId, id: &Hash256) -> Hash256 {
    let mut key = *id;
    key.0[..LOW].copy_from_slice(&owner.0);
    key
}

fn new_page(tokens: Vec<Token>) -> Object {
    entry_type::new(entry_type::NFTOKEN_PAGE).with(fields::NF_TOKENS, Value::Array(tokens))
}

fn set_link(page: &mut Object, field: Field, to: Option<Hash256>) {
    match to {
        Some(to) => page.set(field, to.into()),
        None => {
            page.remove(field);
        }
    }
}

fn page_mut<'a>(
    view: &'a mut dyn ApplyView,
    key: &Hash256,
) -> Result<&'a mut Object, EngineResult> {
    view.get_mut(key).ok_or(BROKEN)
}

/// The only page of an account that can hold an NFT: the first one behind it.
fn locate(view: &dyn ReadView, owner: AccountId, id: &Hash256) -> Option<(Hash256, Entry)> {
    let last = object_id::nft_page_max(owner);
    let next = view.succ(&page_key(owner, id)).filter(|key| *key <= last);
    let key = next.unwrap_or(last);
    let page = view.read(&key)?;
    (entry_type::of(&page) == entry_type::NFTOKEN_PAGE).then_some((key, page))
}

/// Whether an account has an NFT.
#[must_use]
pub fn owns_any(view: &dyn ReadView, owner: AccountId) -> bool {
    let last = object_id::nft_page_max(owner);
    let mut first = last;
    first.0[20..].fill(0);
    view.succ(&first).is_some_and(|page| page <= last)
}

/// An account's NFT of an id.
#[must_use]
pub fn find(view: &dyn ReadView, owner: AccountId, id: &Hash256) -> Option<Object> {
    let (_, page) = locate(view, owner, id)?;
    tokens(&page).iter().find(|token| id_of(token) == *id).map(|(_, token)| token.clone())
}

/// Gives an account an NFT.
///
/// # Errors
/// `tecNO_SUITABLE_NFTOKEN_PAGE` if the only page for it is full and cannot be split.
pub fn insert(view: &mut dyn ApplyView, owner: AccountId, token: Object) -> Ter {
    let id = token.hash256(fields::NF_TOKEN_ID).ok_or(EngineResult::TEC_INTERNAL)?;
    let key = page_for(view, owner, &id)?;
    if let Some(Value::Array(list)) = page_mut(view, &key)?.get_mut(fields::NF_TOKENS) {
        let at = list.partition_point(|other| order(&id_of(other), &id) == Ordering::Less);
        list.insert(at, (fields::NF_TOKEN, token));
    }
    Ok(())
}

/// The page for a new NFT, with room for it.
fn page_for(
    view: &mut dyn ApplyView,
    owner: AccountId,
    id: &Hash256,
) -> Result<Hash256, EngineResult> {
    let Some((key, page)) = locate(view, owner, id) else {
        let last = object_id::nft_page_max(owner);
        view.insert(last, new_page(Vec::new()));
        adjust_owner_count(view, owner, 1)?;
        return Ok(last);
    };
    let mut lower = tokens(&page).to_vec();
    if lower.len() != PAGE_TOKENS {
        return Ok(key);
    }
    let at = split(&lower, id).ok_or(EngineResult::TEC_NO_SUITABLE_NFTOKEN_PAGE)?;
    let upper = lower.split_off(at);
    // The new page's id must be greater than all of it, and no greater than what stays behind.
    let bound = match (upper.first(), lower.last()) {
        (Some(first), _) => id_of(first),
        (None, Some(last)) => following(id_of(last)),
        (None, None) => return Err(EngineResult::TEC_NO_SUITABLE_NFTOKEN_PAGE),
    };
    let new_key = page_key(owner, &bound);
    let before = page.hash256(fields::PREVIOUS_PAGE_MIN);
    let mut new = new_page(lower);
    set_link(&mut new, fields::NEXT_PAGE_MIN, Some(key));
    set_link(&mut new, fields::PREVIOUS_PAGE_MIN, before);
    if let Some(before) = before.and_then(|before| view.get_mut(&before)) {
        set_link(before, fields::NEXT_PAGE_MIN, Some(new_key));
    }
    view.insert(new_key, new);
    let page = page_mut(view, &key)?;
    page.set(fields::NF_TOKENS, Value::Array(upper));
    set_link(page, fields::PREVIOUS_PAGE_MIN, Some(new_key));
    adjust_owner_count(view, owner, 1)?;
    Ok(if page_key(owner, id) < new_key { new_key } else { key })
}

/// Where a full page is split for a new NFT: what comes before goes to a page of its own. In the
/// middle, or where the NFTs end or begin that are equal to the middle one. A page full of equal ones
/// stays as it is, with the new one on a page before or behind; none if that too is equal.
fn split(tokens: &[Token], id: &Hash256) -> Option<usize> {
    let half = PAGE_TOKENS / 2;
    let middle = id_of(tokens.get(half - 1)?);
    let equal = |token: &Token| low_bits(&id_of(token)) == low_bits(&middle);
    let after = tokens[half..].iter().position(|token| !equal(token));
    let at = after.map(|at| half + at).or_else(|| tokens.iter().position(equal))?;
    match (at, low_bits(id).cmp(low_bits(&middle))) {
        (1.., _) => Some(at),
        (_, Ordering::Less) => Some(0),
        (_, Ordering::Equal) => None,
        (_, Ordering::Greater) => Some(tokens.len()),
    }
}

/// The id after, in its low bits.
fn following(mut id: Hash256) -> Hash256 {
    for byte in id.0[LOW..].iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
    id
}

/// Takes an NFT from an account.
///
/// # Errors
/// `tecNO_ENTRY` if the account does not have it, `tefEXCEPTION` if the pages are broken.
pub fn remove(view: &mut dyn ApplyView, owner: AccountId, id: &Hash256) -> Ter {
    let (key, page) = locate(view, owner, id).ok_or(EngineResult::TEC_NO_ENTRY)?;
    let mut left = tokens(&page).to_vec();
    let at = left.iter().position(|token| id_of(token) == *id);
    left.remove(at.ok_or(EngineResult::TEC_NO_ENTRY)?);
    let link = |field| match page.hash256(field) {
        Some(to) if !view.exists(&to) => Err(BROKEN),
        to => Ok(to),
    };
    let (previous, next) = (link(fields::PREVIOUS_PAGE_MIN)?, link(fields::NEXT_PAGE_MIN)?);
    let gone = if left.is_empty() {
        remove_page(view, owner, &key, previous, next)?
    } else {
        page_mut(view, &key)?.set(fields::NF_TOKENS, Value::Array(left));
        let mut gone = 0;
        if let Some(previous) = previous {
            gone += merge(view, &previous, &key)?;
        }
        if let Some(next) = next {
            gone += merge(view, &key, &next)?;
        }
        gone
    };
    if gone == 0 { Ok(()) } else { adjust_owner_count(view, owner, -gone) }
}

/// Removes a page whose last NFT has gone. Returns how many pages went.
fn remove_page(
    view: &mut dyn ApplyView,
    owner: AccountId,
    key: &Hash256,
    previous: Option<Hash256>,
    next: Option<Hash256>,
) -> Result<i64, EngineResult> {
    // The last page stays while there is another: what is before it moves there.
    if let Some(previous) = previous
        && view.rules().enabled(amendment::FIX_NFTOKEN_PAGE_LINKS)
        && *key == object_id::nft_page_max(owner)
    {
        let moved = view.read(&previous).ok_or(BROKEN)?;
        let before = moved.hash256(fields::PREVIOUS_PAGE_MIN);
        let page = page_mut(view, key)?;
        page.set(fields::NF_TOKENS, Value::Array(tokens(&moved).to_vec()));
        set_link(page, fields::PREVIOUS_PAGE_MIN, before);
        if let Some(before) = before {
            set_link(page_mut(view, &before)?, fields::NEXT_PAGE_MIN, Some(*key));
        }
        view.erase(&previous);
        return Ok(1);
    }
    if let Some(previous) = previous {
        set_link(page_mut(view, &previous)?, fields::NEXT_PAGE_MIN, next);
    }
    if let Some(next) = next {
        set_link(page_mut(view, &next)?, fields::PREVIOUS_PAGE_MIN, previous);
    }
    view.erase(key);
    match (previous, next) {
        (Some(previous), Some(next)) => Ok(1 + merge(view, &previous, &next)?),
        _ => Ok(1),
    }
}

/// Moves what is on a page to the next one, if there is room for all of it, and removes the page.
/// Returns how many pages went.
fn merge(view: &mut dyn ApplyView, lower: &Hash256, upper: &Hash256) -> Result<i64, EngineResult> {
    let (low, high) = (view.read(lower).ok_or(BROKEN)?, view.read(upper).ok_or(BROKEN)?);
    let linked = low.hash256(fields::NEXT_PAGE_MIN) == Some(*upper)
        && high.hash256(fields::PREVIOUS_PAGE_MIN) == Some(*lower);
    if lower >= upper || !linked {
        return Err(BROKEN);
    }
    if tokens(&low).len() + tokens(&high).len() > PAGE_TOKENS {
        return Ok(0);
    }
    let mut all = [tokens(&low), tokens(&high)].concat();
    all.sort_by(|a, b| order(&id_of(a), &id_of(b)));
    let before = low.hash256(fields::PREVIOUS_PAGE_MIN);
    let page = page_mut(view, upper)?;
    page.set(fields::NF_TOKENS, Value::Array(all));
    set_link(page, fields::PREVIOUS_PAGE_MIN, before);
    if let Some(before) = before {
        set_link(page_mut(view, &before)?, fields::NEXT_PAGE_MIN, Some(*upper));
    }
    view.erase(lower);
    Ok(1)
}

/// Changes the URI of an account's NFT, or takes it away.
///
/// # Errors
/// `tecINTERNAL` if the account does not have it.
pub fn set_uri(
    view: &mut dyn ApplyView,
    owner: AccountId,
    id: &Hash256,
    uri: Option<&[u8]>,
) -> Ter {
    let internal = EngineResult::TEC_INTERNAL;
    let (key, _) = locate(view, owner, id).ok_or(internal)?;
    let list = match view.get_mut(&key).and_then(|page| page.get_mut(fields::NF_TOKENS)) {
        Some(Value::Array(list)) => list,
        _ => return Err(internal),
    };
    let (_, token) = list.iter_mut().find(|token| id_of(token) == *id).ok_or(internal)?;
    match uri {
        Some(uri) => token.set(fields::URI, Value::Blob(uri.to_vec())),
        None => {
            token.remove(fields::URI);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ledger::{OpenView, Sandbox, genesis};

    const OWNER: AccountId = AccountId([7; 20]);

    /// An id with these low bits; `high` tells equal ones apart.
    fn id(high: u8, low: u32) -> Hash256 {
        let mut id = Hash256([0; 32]);
        id.0[0] = high;
        id.0[28..].copy_from_slice(&low.to_be_bytes());
        id
    }

    fn token(id: Hash256) -> Object {
        Object::new().with(fields::NF_TOKEN_ID, id)
    }

    fn with_owner(test: impl FnOnce(&mut dyn ApplyView)) {
        let (_, closed) = genesis::ledgers(&genesis::amendments(), Default::default(), 10);
        let open = OpenView::new(Arc::new(closed), false);
        let mut view = Sandbox::new(&open);
        let root = entry_type::new(entry_type::ACCOUNT_ROOT)
            .with(fields::ACCOUNT, OWNER)
            .with(fields::OWNER_COUNT, 0u32);
        view.insert(object_id::account_root(OWNER), root);
        test(&mut view);
    }

    /// Numbers of NFTs on the pages from first to last, by their links; what the owner is counted.
    fn sizes(view: &dyn ReadView) -> (Vec<usize>, u32) {
        let mut all = Vec::new();
        let mut at = Some(object_id::nft_page_max(OWNER));
        while let Some(page) = at.and_then(|at| view.read(&at)) {
            assert!(tokens(&page).is_sorted_by(|a, b| order(&id_of(a), &id_of(b)).is_lt()));
            all.insert(0, tokens(&page).len());
            at = page.hash256(fields::PREVIOUS_PAGE_MIN);
        }
        let root = view.account(OWNER).unwrap();
        (all, root.u32(fields::OWNER_COUNT).unwrap())
    }

    #[test]
    fn pages_split_and_merge() {
        with_owner(|view| {
            for n in 0..33 {
                insert(view, OWNER, token(id(0, n * 10))).unwrap();
            }
            assert_eq!(sizes(view), (vec![16, 17], 2));
            insert(view, OWNER, token(id(0, 5))).unwrap();
            assert_eq!(sizes(view), (vec![17, 17], 2));
            assert!(find(view, OWNER, &id(0, 5)).is_some());
            assert!(find(view, OWNER, &id(0, 6)).is_none());
            assert_eq!(remove(view, OWNER, &id(0, 6)), Err(EngineResult::TEC_NO_ENTRY));
            remove(view, OWNER, &id(0, 5)).unwrap();
            assert_eq!(sizes(view), (vec![16, 17], 2));
            remove(view, OWNER, &id(0, 0)).unwrap();
            assert_eq!(sizes(view), (vec![32], 1));
            for n in 1..33 {
                remove(view, OWNER, &id(0, n * 10)).unwrap();
            }
            assert_eq!(sizes(view), (vec![], 0));
        });
    }

    #[test]
    fn equal_ones_stay_on_one_page() {
        with_owner(|view| {
            for high in 0..32 {
                insert(view, OWNER, token(id(high, 100))).unwrap();
            }
            let full = Err(EngineResult::TEC_NO_SUITABLE_NFTOKEN_PAGE);
            assert_eq!(insert(view, OWNER, token(id(32, 100))), full);
            insert(view, OWNER, token(id(0, 200))).unwrap();
            assert_eq!(sizes(view), (vec![32, 1], 2));
            insert(view, OWNER, token(id(0, 50))).unwrap();
            assert_eq!(sizes(view), (vec![1, 32, 1], 3));
            assert_eq!(insert(view, OWNER, token(id(32, 100))), full);
            // The last page keeps its id while there is another: what is on that one moves there.
            remove(view, OWNER, &id(0, 200)).unwrap();
            assert_eq!(sizes(view), (vec![1, 32], 2));
        });
    }

    #[test]
    fn a_uri_comes_and_goes() {
        with_owner(|view| {
            insert(view, OWNER, token(id(0, 1))).unwrap();
            let uri = |view: &dyn ReadView| {
                find(view, OWNER, &id(0, 1)).unwrap().blob(fields::URI).map(<[u8]>::to_vec)
            };
            set_uri(view, OWNER, &id(0, 1), Some(b"here")).unwrap();
            assert_eq!(uri(view), Some(b"here".to_vec()));
            set_uri(view, OWNER, &id(0, 1), None).unwrap();
            assert_eq!(uri(view), None);
            let missing = set_uri(view, OWNER, &id(0, 2), None);
            assert_eq!(missing, Err(EngineResult::TEC_INTERNAL));
        });
    }
}
