//! Directories: pages of entry ids linked in a ring, the root being page 0
//! (<https://xrpl.org/docs/references/protocol/ledger-data/ledger-entry-types/directorynode>).

use xrpl_protocol::{AccountId, Hash256, Object, Value, fields, object_id};

use super::{
    amendment, entry_type,
    view::{ApplyView, Entry, ReadView},
};

/// Entries on a page.
const PAGE_ENTRIES: usize = 32;
/// Pages of a directory before the amendment fixDirectoryLimit.
const OLD_PAGE_LIMIT: u64 = 262_144;

/// How a new id takes its place on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Sorted: owner directories.
    Sorted,
    /// At the end: offers of one quality.
    Arrival,
}

fn number(page: &Object, field: xrpl_protocol::Field) -> u64 {
    page.u64(field).unwrap_or_default()
}

fn ids(page: &Object) -> &[Hash256] {
    page.vector256(fields::INDEXES).unwrap_or_default()
}

fn new_page(root: Hash256, id: Hash256, describe: impl FnOnce(&mut Object)) -> Object {
    let mut page = entry_type::new(entry_type::DIRECTORY_NODE)
        .with(fields::ROOT_INDEX, root)
        .with(fields::INDEXES, vec![id]);
    describe(&mut page);
    page
}

/// Adds an id; `describe` fills a new page's own fields (owner, or the book). Returns the page's
/// number, none if there is no number left.
pub fn add(
    view: &mut dyn ApplyView,
    root: Hash256,
    id: Hash256,
    order: Order,
    describe: impl FnOnce(&mut Object),
) -> Option<u64> {
    let Some(root_page) = view.read(&root) else {
        view.insert(root, new_page(root, id, describe));
        return Some(0);
    };
    let last = number(&root_page, fields::INDEX_PREVIOUS);
    let last_key = object_id::dir_page(root, last);
    let page = view.get_mut(&last_key)?;
    if let Some(Value::Vector256(list)) = page.get_mut(fields::INDEXES)
        && list.len() < PAGE_ENTRIES
    {
        match order {
            Order::Arrival => list.push(id),
            Order::Sorted => {
                list.sort_unstable();
                let at = list.partition_point(|other| *other < id);
                list.insert(at, id);
            }
        }
        return Some(last);
    }
    let next = last.checked_add(1)?;
    if !view.rules().enabled(amendment::FIX_DIRECTORY_LIMIT) && next >= OLD_PAGE_LIMIT {
        return None;
    }
    let page = view.get_mut(&last_key)?;
    page.set(fields::INDEX_NEXT, next.into());
    view.get_mut(&root)?.set(fields::INDEX_PREVIOUS, next.into());
    let mut page = new_page(root, id, describe);
    // The root is the default and not written.
    if next != 1 {
        page.set(fields::INDEX_PREVIOUS, last.into());
    }
    view.insert(object_id::dir_page(root, next), page);
    Some(next)
}

/// Adds an id to an account's owner directory.
pub fn add_owned(view: &mut dyn ApplyView, owner: AccountId, id: Hash256) -> Option<u64> {
    add(view, object_id::owner_dir(owner), id, Order::Sorted, |page| {
        page.set(fields::OWNER, owner.into());
    })
}

/// Takes an id off a page, and with it pages that become empty. False if it is not there.
pub fn remove(
    view: &mut dyn ApplyView,
    root: Hash256,
    page: u64,
    id: &Hash256,
    keep_root: bool,
) -> bool {
    try_remove(view, root, page, id, keep_root).is_some()
}

fn try_remove(
    view: &mut dyn ApplyView,
    root: Hash256,
    page: u64,
    id: &Hash256,
    keep_root: bool,
) -> Option<()> {
    let key = object_id::dir_page(root, page);
    let at = ids(&*view.read(&key)?).iter().position(|other| other == id)?;
    let node = view.get_mut(&key)?;
    if let Some(Value::Vector256(list)) = node.get_mut(fields::INDEXES) {
        list.remove(at);
        if !list.is_empty() {
            return Some(());
        }
    }
    let previous = number(node, fields::INDEX_PREVIOUS);
    let mut next = number(node, fields::INDEX_NEXT);
    if page == 0 {
        let mut alone = next == 0 && previous == 0;
        if next == previous && next != 0 {
            let last = object_id::dir_page(root, next);
            if ids(&*view.read(&last)?).is_empty() {
                let node = view.get_mut(&key)?;
                node.set(fields::INDEX_NEXT, 0u64.into());
                node.set(fields::INDEX_PREVIOUS, 0u64.into());
                view.erase(&last);
                alone = true;
            }
        }
        if alone && !keep_root {
            view.erase(&key);
        }
        return Some(());
    }
    let (previous_key, next_key) =
        (object_id::dir_page(root, previous), object_id::dir_page(root, next));
    view.get_mut(&previous_key)?.set(fields::INDEX_NEXT, next.into());
    view.get_mut(&next_key)?.set(fields::INDEX_PREVIOUS, previous.into());
    view.erase(&key);
    let after = view.read(&next_key)?;
    if next != 0 && number(&after, fields::INDEX_NEXT) == 0 && ids(&after).is_empty() {
        view.erase(&next_key);
        view.get_mut(&previous_key)?.set(fields::INDEX_NEXT, 0u64.into());
        view.get_mut(&root)?.set(fields::INDEX_PREVIOUS, previous.into());
        next = 0;
    }
    if !keep_root && next == 0 && previous == 0 && ids(&*view.read(&root)?).is_empty() {
        view.erase(&root);
    }
    Some(())
}

/// Deletes a directory that has become empty; false if it is not there or not empty.
pub fn delete_empty(view: &mut dyn ApplyView, root: Hash256) -> bool {
    let Some(page) = view.read(&root) else { return false };
    if !ids(&page).is_empty() {
        return false;
    }
    let (mut next, previous) =
        (number(&page, fields::INDEX_NEXT), number(&page, fields::INDEX_PREVIOUS));
    if next == previous && next != 0 {
        // Old servers left an empty last page behind.
        let last = object_id::dir_page(root, next);
        if view.read(&last).is_none_or(|last| !ids(&last).is_empty()) {
            return false;
        }
        if let Some(page) = view.get_mut(&root) {
            page.set(fields::INDEX_NEXT, 0u64.into());
            page.set(fields::INDEX_PREVIOUS, 0u64.into());
        }
        view.erase(&last);
        next = 0;
    }
    if next == 0 {
        view.erase(&root);
    }
    true
}

/// Whether a directory has no entries.
pub fn is_empty(view: &dyn ReadView, root: &Hash256) -> bool {
    match view.read(root) {
        None => true,
        Some(page) => ids(&page).is_empty() && number(&page, fields::INDEX_NEXT) == 0,
    }
}

/// Ids of a directory, page after page. Ends at a broken link.
pub fn iter(view: &dyn ReadView, root: Hash256) -> impl Iterator<Item = Hash256> {
    pages(view, root).flat_map(|(_, page)| ids(&page).to_vec())
}

/// Pages of a directory with their numbers.
pub fn pages(view: &dyn ReadView, root: Hash256) -> impl Iterator<Item = (u64, Entry)> {
    let mut at = Some(0);
    std::iter::from_fn(move || {
        let number_of_page = at.take()?;
        let page = view.read(&object_id::dir_page(root, number_of_page))?;
        at = Some(number(&page, fields::INDEX_NEXT)).filter(|next| *next != 0);
        Some((number_of_page, page))
    })
}
