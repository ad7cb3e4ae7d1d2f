//! Building paths.

use std::{cmp::Reverse, collections::HashMap, rc::Rc};

use xrpl_protocol::{AccountId, Amount, Hash256, Issue};

use super::{
    Assets, Element, Path, PathAsset,
    assets::{Direction, Link},
    largest,
    rank::Rank,
};
use crate::{
    ledger::{
        ReadView,
        helpers::{account_root, mpt, token},
    },
    transactors::flow::asset_amount::AssetAmount,
};

/// `lsfRequireAuth`.
const REQUIRE_AUTH: u32 = 0x0004_0000;
/// `lsfGlobalFreeze`.
const GLOBAL_FREEZE: u32 = 0x0040_0000;

/// Paths that are enough.
const MAX_COMPLETE: usize = 1000;
/// What a way on to the destination counts, against one for any other.
const TO_DESTINATION: usize = 10_000;

/// Kinds of paths, each with the level from which it is searched. A kind is `s` for the source and
/// then, for each step: `a` any account, `b` any book, `x` the book to XRP, `f` a book to what is to be
/// delivered, `d` the destination.
type Kinds = &'static [(u8, &'static str)];

const FROM_XRP: Kinds = &[
    (1, "sfd"),
    (3, "sfad"),
    (5, "sfaad"),
    (6, "sbfd"),
    (8, "sbafd"),
    (9, "sbfad"),
    (10, "sbafad"),
];
const TO_XRP: Kinds =
    &[(1, "sxd"), (2, "saxd"), (6, "saaxd"), (7, "sbxd"), (8, "sabxd"), (9, "sabaxd")];
const SAME: Kinds = &[
    (1, "sad"),
    (1, "sfd"),
    (4, "safd"),
    (4, "sfad"),
    (5, "saad"),
    (5, "sbfd"),
    (6, "sxfad"),
    (6, "safad"),
    (6, "saxfd"),
    (6, "saxfad"),
    (6, "sabfd"),
    (7, "saaad"),
];
const OTHER: Kinds = &[
    (1, "sfad"),
    (1, "safd"),
    (3, "safad"),
    (4, "sxfd"),
    (5, "saxfd"),
    (5, "sxfad"),
    (5, "sbfd"),
    (6, "saxfad"),
    (6, "sabfd"),
    (7, "saafd"),
    (8, "saafad"),
    (9, "safaad"),
];

/// What paths are searched for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search {
    pub(crate) source: AccountId,
    pub(crate) destination: AccountId,
    /// What is spent.
    pub(crate) spend: PathAsset,
    /// What is to arrive; the largest amount if as much as can be.
    pub(crate) deliver: Amount,
    /// The domain whose books are used.
    pub(crate) domain: Option<Hash256>,
}

/// A search of paths that spend one asset.
pub(crate) struct Finder<'a> {
    pub(super) view: &'a dyn ReadView,
    pub(super) search: Search,
    /// The account where paths end: the issuer of what is delivered.
    end: AccountId,
    pub(super) all: bool,
    start: Element,
    pub(super) found: Vec<Path>,
    of_kind: HashMap<&'static str, Rc<[Path]>>,
    ways_out: HashMap<Issue, usize>,
    pub(super) ranks: Vec<Rank>,
    pub(super) remaining: Amount,
}

impl std::fmt::Debug for Finder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Finder").field("search", &self.search).finish_non_exhaustive()
    }
}

impl<'a> Finder<'a> {
    /// Searches at a level (the higher, the more kinds of paths), and ranks what it finds; none if
    /// there is nothing to search.
    pub(crate) fn new(assets: &mut Assets<'a>, search: Search, level: u8) -> Option<Self> {
        let Search { source, destination, spend, deliver, .. } = search;
        let end = token::issuer_of(deliver.issue()).unwrap_or(destination);
        let start = Element {
            account: source,
            asset: spend,
            issuer: if spend.is_xrp() { AccountId::ZERO } else { source },
        };
        let mut finder = Self {
            view: assets.view,
            search,
            end,
            all: deliver == largest(deliver.issue()),
            start,
            found: Vec::new(),
            of_kind: HashMap::new(),
            ways_out: HashMap::new(),
            ranks: Vec::new(),
            remaining: deliver,
        };
        finder.find(assets, level)?;
        finder.rank();
        Some(finder)
    }

    fn find(&mut self, assets: &mut Assets<'_>, level: u8) -> Option<()> {
        let Search { source, destination, spend, deliver, .. } = self.search;
        let wanted = PathAsset::of(deliver.issue());
        if deliver.is_zero() || source == destination && destination == self.end && spend == wanted
        {
            return None;
        }
        if source == self.end && spend == wanted {
            // The default path is all there is.
            return Some(());
        }
        self.view.account(source)?;
        if self.end != destination {
            self.view.account(self.end)?;
        }
        if self.view.account(destination).is_none() {
            let reserve = i64::try_from(self.view.info().fees.reserve).unwrap_or(i64::MAX);
            deliver.drops().filter(|drops| *drops >= reserve)?;
        }
        let kinds = match (spend.is_xrp(), wanted.is_xrp()) {
            (true, true) => &[],
            (true, false) => FROM_XRP,
            (false, true) => TO_XRP,
            (false, false) if spend == wanted => SAME,
            (false, false) => OTHER,
        };
        for (from, kind) in kinds {
            if *from <= level {
                self.paths_of(assets, kind);
                if self.found.len() > MAX_COMPLETE {
                    break;
                }
            }
        }
        Some(())
    }

    /// The unfinished paths of a kind; those that are complete are put with what was found.
    fn paths_of(&mut self, assets: &mut Assets<'_>, kind: &'static str) -> Rc<[Path]> {
        if let Some(paths) = self.of_kind.get(kind) {
            return Rc::clone(paths);
        }
        let mut nodes = kind.chars();
        let node = nodes.next_back();
        let mut paths = Vec::new();
        if node == Some('s') {
            paths.push(Path::new());
        } else if node.is_some() {
            for parent in self.paths_of(assets, nodes.as_str()).iter() {
                match node {
                    Some('a') => self.add_accounts(assets, parent, &mut paths, false),
                    Some('d') => self.add_accounts(assets, parent, &mut paths, true),
                    Some('x') => self.add_book_to_xrp(assets, parent, &mut paths),
                    Some('b') => self.add_books(assets, parent, &mut paths, false),
                    _ => self.add_books(assets, parent, &mut paths, true),
                }
            }
        }
        let paths: Rc<[Path]> = paths.into();
        self.of_kind.insert(kind, Rc::clone(&paths));
        paths
    }

    fn last_of(&self, path: &Path) -> Element {
        path.last().copied().unwrap_or(self.start)
    }

    fn complete(&mut self, path: Path) {
        add_new(&mut self.found, path);
    }

    /// Goes on to accounts, or to the destination only.
    fn add_accounts(
        &mut self,
        assets: &mut Assets<'_>,
        path: &Path,
        into: &mut Vec<Path>,
        only_destination: bool,
    ) {
        let last = self.last_of(path);
        let wanted = PathAsset::of(self.search.deliver.issue());
        if last.asset.is_xrp() {
            if wanted.is_xrp() && !path.is_empty() {
                self.complete(path.clone());
            }
            return;
        }
        let Some(root) = self.view.account(last.account) else { return };
        let needs_auth = matches!(last.asset, PathAsset::Currency(_))
            && account_root::flags_of(&root) & REQUIRE_AUTH != 0;
        let is_wanted = last.asset == wanted;
        let mut candidates: Vec<(usize, AccountId)> = Vec::new();
        // xrpld would pass over lines that do not ripple if the step before did not either, but asks
        // that only where the step names a currency, as no step through an account does.
        for link in assets.links(last.account, last.asset, Direction::Outgoing, needs_auth) {
            let peer = link.peer;
            if self.end != self.search.destination && peer == self.search.destination {
                continue;
            }
            let to_end = peer == self.end;
            if only_destination && !to_end || has_seen(path, Element::through(peer, last.asset)) {
                continue;
            }
            if !link.is_usable {
                continue;
            }
            if to_end {
                if is_wanted {
                    if !path.is_empty() {
                        self.complete(path.clone());
                    }
                } else if !only_destination {
                    candidates.push((TO_DESTINATION, peer));
                }
            } else if peer != self.search.source {
                let ways = self.count_ways_out(assets, last.asset, &link, is_wanted);
                if ways > 0 {
                    candidates.push((ways, peer));
                }
            }
        }
        candidates.sort_by_key(|candidate| Reverse(*candidate));
        let most = match candidates.len() {
            count if count > 10 && last.account != self.search.source => 10,
            count => count.min(50),
        };
        for (_, account) in candidates.into_iter().take(most) {
            add_new(into, extended(path, Element::through(account, last.asset)));
        }
    }

    /// How many ways lead on from an account, books included.
    fn count_ways_out(
        &mut self,
        assets: &mut Assets<'_>,
        asset: PathAsset,
        to: &Link,
        is_wanted: bool,
    ) -> usize {
        let account = to.peer;
        let issue = asset.issued_by(account);
        if let Some(known) = self.ways_out.get(&issue) {
            return *known;
        }
        let count = self.ways_out_of(assets, account, asset, to.direction, is_wanted);
        self.ways_out.insert(issue, count);
        count
    }

    fn ways_out_of(
        &self,
        assets: &mut Assets<'_>,
        account: AccountId,
        asset: PathAsset,
        direction: Direction,
        is_wanted: bool,
    ) -> usize {
        let Some(root) = self.view.account(account) else { return 0 };
        let flags = account_root::flags_of(&root);
        let (needs_auth, is_frozen) = match asset {
            PathAsset::Currency(_) => (flags & REQUIRE_AUTH != 0, flags & GLOBAL_FREEZE != 0),
            PathAsset::Mpt(id) => (
                mpt::require_auth(self.view, id, account, token::Auth::Legacy).is_err(),
                mpt::is_global_locked(self.view, id),
            ),
        };
        if is_frozen {
            return 0;
        }
        let mut count = assets.outputs(asset.issued_by(account)).len();
        for link in assets.links(account, asset, direction, needs_auth) {
            if !link.is_usable {
                continue;
            }
            if is_wanted && link.peer == self.end {
                count += TO_DESTINATION;
            } else if !link.no_ripple_peer && !link.is_frozen {
                count += 1;
            }
        }
        count
    }

    fn add_book_to_xrp(&self, assets: &mut Assets<'_>, path: &Path, into: &mut Vec<Path>) {
        let last = self.last_of(path);
        let issue = last.asset.issued_by(last.issuer);
        if !last.asset.is_xrp() && assets.outputs(issue).contains(&Issue::Xrp) {
            add_new(into, extended(path, Element::XRP));
        }
    }

    /// Goes on through books, or through those to what is to be delivered only.
    fn add_books(
        &mut self,
        assets: &mut Assets<'_>,
        path: &Path,
        into: &mut Vec<Path>,
        only_wanted: bool,
    ) {
        let last = self.last_of(path);
        let wanted = PathAsset::of(self.search.deliver.issue());
        let outputs = assets.outputs(last.asset.issued_by(last.issuer));
        for output in outputs {
            let book = Element::book(output);
            let is_wanted = book.asset == wanted;
            if has_seen(path, book) || self.is_origin(book) || only_wanted && !is_wanted {
                continue;
            }
            if book.asset.is_xrp() {
                match wanted.is_xrp() {
                    true => self.complete(extended(path, book)),
                    false => into.push(extended(path, book)),
                }
                continue;
            }
            let through = Element::through(book.issuer, book.asset);
            if has_seen(path, through) {
                continue;
            }
            // A book after a book needs no account in between.
            let follows_book =
                matches!(path[..], [.., before, last] if !last.is_book() && before.is_book());
            let kept = path.len() - usize::from(follows_book);
            let mut next = path[..kept].to_vec();
            next.push(book);
            let to_end = is_wanted && book.issuer == self.end;
            if self.end != self.search.destination
                && is_wanted
                && book.issuer == self.search.destination
            {
                // It would have to go by way of an issuer that it does not reach.
                continue;
            }
            match to_end {
                true => self.complete(next),
                false => add_new(into, extended(&next, through)),
            }
        }
    }

    /// Whether a book would give what is spent.
    fn is_origin(&self, book: Element) -> bool {
        book.asset == self.search.spend
            && (book.asset.is_xrp() || book.issuer == self.search.source)
    }

    /// What is delivered, as a number.
    pub(super) fn wanted(&self) -> AssetAmount {
        AssetAmount::of(&self.search.deliver)
    }
}

fn has_seen(path: &Path, element: Element) -> bool {
    path.contains(&element)
}

fn extended(path: &Path, element: Element) -> Path {
    let mut next = Vec::with_capacity(path.len() + 1);
    next.extend_from_slice(path);
    next.push(element);
    next
}

fn add_new(paths: &mut Vec<Path>, path: Path) {
    if !paths.contains(&path) {
        paths.push(path);
    }
}
