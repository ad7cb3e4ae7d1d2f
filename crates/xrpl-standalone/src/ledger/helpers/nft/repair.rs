//! Mending an account's NFT pages: links that older rules left broken.

use xrpl_protocol::{AccountId, EngineResult, Field, Hash256, Object, fields, object_id};

use crate::ledger::{
    entry_type,
    view::{ApplyView, Entry, ReadView},
};

/// An account's first page behind a key, or the last one's key if there is none.
fn page_after(view: &dyn ReadView, owner: AccountId, key: &Hash256) -> Option<(Hash256, Entry)> {
    let last = object_id::nft_page_max(owner);
    let key = view.succ(key).filter(|next| *next <= last).unwrap_or(last);
    let page = view.read(&key)?;
    (entry_type::of(&page) == entry_type::NFTOKEN_PAGE).then_some((key, page))
}

fn first_key(owner: AccountId) -> Hash256 {
    let mut key = object_id::nft_page_max(owner);
    key.0[owner.0.len()..].fill(0);
    key
}

/// Makes a link what it should be; true if it was not.
fn relink(
    view: &mut dyn ApplyView,
    page: &Hash256,
    field: Field,
    to: Option<Hash256>,
) -> Result<bool, EngineResult> {
    let broken = EngineResult::TEF_EXCEPTION;
    if view.read(page).ok_or(broken)?.hash256(field) == to {
        return Ok(false);
    }
    let page = view.get_mut(page).ok_or(broken)?;
    match to {
        Some(to) => page.set(field, to.into()),
        None => drop(page.remove(field)),
    }
    Ok(true)
}

/// Links an account's pages as they should be, and gives the last one the key that it must have.
/// Returns whether anything was wrong. (xrpld's `repairNFTokenDirectoryLinks`.)
///
/// # Errors
/// `tefEXCEPTION` where the pages are broken beyond that.
pub fn repair(view: &mut dyn ApplyView, owner: AccountId) -> Result<bool, EngineResult> {
    let last = object_id::nft_page_max(owner);
    let Some((mut at, _)) = page_after(view, owner, &first_key(owner)) else { return Ok(false) };
    let mut repaired = relink(view, &at, fields::PREVIOUS_PAGE_MIN, None)?;
    while at != last {
        let Some((next, _)) = page_after(view, owner, &at) else {
            move_to_end(view, &at, last)?;
            return Ok(true);
        };
        repaired |= relink(view, &at, fields::NEXT_PAGE_MIN, Some(next))?;
        repaired |= relink(view, &next, fields::PREVIOUS_PAGE_MIN, Some(at))?;
        at = next;
    }
    repaired |= relink(view, &at, fields::NEXT_PAGE_MIN, None)?;
    Ok(repaired)
}

/// Moves a page to the key that the last one must have. As many pages as before are owned.
fn move_to_end(
    view: &mut dyn ApplyView,
    page: &Hash256,
    last: Hash256,
) -> Result<(), EngineResult> {
    let old: Object = (*view.read(page).ok_or(EngineResult::TEF_EXCEPTION)?).clone();
    let mut new = entry_type::new(entry_type::NFTOKEN_PAGE);
    if let Some(tokens) = old.get(fields::NF_TOKENS) {
        new.set(fields::NF_TOKENS, tokens.clone());
    }
    if let Some(previous) = old.hash256(fields::PREVIOUS_PAGE_MIN) {
        new.set(fields::PREVIOUS_PAGE_MIN, previous.into());
        relink(view, &previous, fields::NEXT_PAGE_MIN, Some(last))?;
    }
    view.erase(page);
    view.insert(last, new);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use xrpl_protocol::Value;

    use super::*;
    use crate::ledger::{OpenView, Sandbox, genesis};

    const OWNER: AccountId = AccountId([7; 20]);

    fn key(low: u8) -> Hash256 {
        let mut key = first_key(OWNER);
        key.0[31] = low;
        key
    }

    fn last() -> Hash256 {
        object_id::nft_page_max(OWNER)
    }

    type Page = (Hash256, Option<Hash256>, Option<Hash256>);

    /// A ledger with these pages (key, link back, link on), and what they are after the repair.
    fn repaired(pages: &[Page]) -> (bool, Vec<Page>) {
        let (_, closed) = genesis::ledgers(&genesis::amendments(), Default::default(), 10);
        let open = OpenView::new(Arc::new(closed), false);
        let mut view = Sandbox::new(&open);
        for (key, previous, next) in pages {
            let mut page = entry_type::new(entry_type::NFTOKEN_PAGE)
                .with(fields::NF_TOKENS, Value::Array(Vec::new()));
            for (field, link) in
                [(fields::PREVIOUS_PAGE_MIN, previous), (fields::NEXT_PAGE_MIN, next)]
            {
                if let Some(link) = link {
                    page.set(field, (*link).into());
                }
            }
            view.insert(*key, page);
        }
        let did = repair(&mut view, OWNER).unwrap();
        let mut all = Vec::new();
        let mut at = first_key(OWNER);
        while let Some(next) = view.succ(&at).filter(|next| *next <= last()) {
            let page = view.read(&next).unwrap();
            all.push((
                next,
                page.hash256(fields::PREVIOUS_PAGE_MIN),
                page.hash256(fields::NEXT_PAGE_MIN),
            ));
            at = next;
        }
        (did, all)
    }

    #[test]
    fn nothing_is_done_where_nothing_is_wrong() {
        assert_eq!(repaired(&[]), (false, vec![]));
        let one = vec![(last(), None, None)];
        assert_eq!(repaired(&one), (false, one));
        let two = vec![(key(1), None, Some(last())), (last(), Some(key(1)), None)];
        assert_eq!(repaired(&two), (false, two));
    }

    #[test]
    fn links_are_mended() {
        let alone = [(last(), Some(key(1)), Some(key(2)))];
        assert_eq!(repaired(&alone), (true, vec![(last(), None, None)]));
        let good = vec![
            (key(1), None, Some(key(2))),
            (key(2), Some(key(1)), Some(last())),
            (last(), Some(key(2)), None),
        ];
        let bad =
            [(key(1), Some(key(9)), None), (key(2), None, None), (last(), None, Some(key(1)))];
        assert_eq!(repaired(&bad), (true, good));
    }

    #[test]
    fn the_last_page_gets_its_key() {
        let bad = [(key(1), None, Some(key(2))), (key(2), Some(key(1)), None)];
        let good = vec![(key(1), None, Some(last())), (last(), Some(key(1)), None)];
        assert_eq!(repaired(&bad), (true, good));
        assert_eq!(repaired(&[(key(1), None, None)]), (true, vec![(last(), None, None)]));
    }
}
