//! Order books: directories of offers, one a quality, whose ids begin with the book's own and end
//! with the quality (<https://xrpl.org/docs/references/protocol/ledger-data/ledger-entry-types/directorynode#offer-directory-ids>).

use xrpl_protocol::{Hash256, Issue, Quality, fields, object_id};

use crate::ledger::view::ReadView;

/// Bytes of a book directory's id before the quality.
const PREFIX: usize = 24;

/// What is traded for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Book {
    /// What who takes an offer pays.
    pub input: Issue,
    /// What who takes an offer gets.
    pub output: Issue,
    /// The domain of a permissioned book.
    pub domain: Option<Hash256>,
}

/// The first offer of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct First {
    /// The directory's quality.
    pub quality: Quality,
    /// The page that has the offer.
    pub page: Hash256,
    /// The offer.
    pub offer: Hash256,
}

impl Book {
    /// The directory of a quality.
    #[must_use]
    pub fn directory(&self, quality: Quality) -> Hash256 {
        object_id::book_dir(self.input, self.output, self.domain, quality.0)
    }

    /// The first offer that is worse than `beyond` (`Quality(0)` for the best of all), if the book has
    /// one. Directories without offers are passed over.
    #[must_use]
    pub fn first(&self, view: &dyn ReadView, beyond: Quality) -> Option<First> {
        let mut at = self.directory(beyond);
        loop {
            let root = view.succ(&at).filter(|root| root.0[..PREFIX] == at.0[..PREFIX])?;
            if let Some((page, offer)) = first_entry(view, root) {
                return Some(First { quality: quality_of(&root), page, offer });
            }
            at = root;
        }
    }
}

/// The quality in a book directory's id.
#[must_use]
pub fn quality_of(directory: &Hash256) -> Quality {
    let mut quality = [0; 8];
    quality.copy_from_slice(&directory.0[PREFIX..]);
    Quality(u64::from_be_bytes(quality))
}

fn first_entry(view: &dyn ReadView, root: Hash256) -> Option<(Hash256, Hash256)> {
    let mut key = root;
    loop {
        let page = view.read(&key)?;
        if let Some(first) = page.vector256(fields::INDEXES).and_then(<[_]>::first) {
            return Some((key, *first));
        }
        let next = page.u64(fields::INDEX_NEXT).filter(|next| *next != 0)?;
        key = object_id::dir_page(root, next);
    }
}
