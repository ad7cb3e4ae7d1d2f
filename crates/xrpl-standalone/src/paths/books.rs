//! Which books there are. A pool of an AMM is a book in both directions.

use std::collections::{BTreeSet, HashMap};

use xrpl_protocol::{
    AccountId, Currency, Field, Hash256, Issue, MptId, Object, Quality, Value, fields, object_id,
};

use crate::ledger::{ReadView, entry_type, helpers::book::Book};

/// Books of a ledger, by what who takes an offer pays; the open ones or those of one domain.
#[derive(Debug)]
pub(super) struct Books(HashMap<Issue, BTreeSet<Issue>>);

impl Books {
    /// Looks through a whole ledger.
    pub(super) fn of(view: &dyn ReadView, domain: Option<Hash256>) -> Self {
        let mut books = Self(HashMap::new());
        let mut at = Hash256::ZERO;
        while let Some(key) = view.succ(&at) {
            at = key;
            let Some(entry) = view.read(&key) else { continue };
            match entry_type::of(&entry) {
                entry_type::DIRECTORY_NODE if entry.hash256(fields::DOMAIN_ID) == domain => {
                    if let Some((input, output)) = book_of(&key, &entry) {
                        books.add(input, output);
                    }
                }
                entry_type::AMM if domain.is_none() => {
                    if let Some((a, b)) =
                        entry.issue(fields::ASSET).zip(entry.issue(fields::ASSET2))
                    {
                        books.add(a, b);
                        books.add(b, a);
                    }
                }
                _ => {}
            }
        }
        books
    }

    fn add(&mut self, input: Issue, output: Issue) {
        self.0.entry(input).or_default().insert(output);
    }

    /// What can be had for something.
    pub(super) fn outputs(&self, input: Issue) -> impl Iterator<Item = Issue> {
        self.0.get(&input).into_iter().flatten().copied()
    }
}

/// Whether there is a book or a pool.
pub(super) fn is_there(view: &dyn ReadView, book: Book) -> bool {
    let has_pool =
        || book.domain.is_none() && view.exists(&object_id::amm(book.input, book.output));
    book.input != book.output && (book.first(view, Quality(0)).is_some() || has_pool())
}

/// What the first page of a directory of offers is for.
fn book_of(key: &Hash256, page: &Object) -> Option<(Issue, Issue)> {
    page.u64(fields::EXCHANGE_RATE)?;
    if page.hash256(fields::ROOT_INDEX) != Some(*key) {
        return None;
    }
    let bytes = |field: Field| match page.get(field) {
        Some(Value::Hash160(bytes)) => Some(*bytes),
        _ => None,
    };
    let side = |mpt: Field, currency: Field, issuer: Field| match page.get(mpt) {
        Some(Value::Hash192(id)) => Some(Issue::Mpt(MptId(*id))),
        _ => Some(match Currency(bytes(currency)?) {
            xrp if xrp.is_xrp() => Issue::Xrp,
            currency => Issue::Issued { currency, issuer: AccountId(bytes(issuer)?) },
        }),
    };
    let input =
        side(fields::TAKER_PAYS_MPT, fields::TAKER_PAYS_CURRENCY, fields::TAKER_PAYS_ISSUER)?;
    let output =
        side(fields::TAKER_GETS_MPT, fields::TAKER_GETS_CURRENCY, fields::TAKER_GETS_ISSUER)?;
    Some((input, output))
}
