//! OracleSet and OracleDelete (<https://xrpl.org/docs/concepts/decentralized-storage/price-oracles>).

use std::collections::{BTreeMap, BTreeSet};

use xrpl_protocol::{Currency, EngineResult, Field, Hash256, Object, Value, fields, object_id};

use super::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure};
use crate::ledger::{
    ApplyView, Entry, PreparedTx, ReadView, Ter, amendment, directory, entry_type,
    helpers::{
        account_root::{adjust_owner_count, balance_of, owner_count},
        copy_fields, owned,
    },
};

/// Pairs that an oracle may have.
const MAX_SERIES: usize = 10;
/// Pairs that count as one thing its owner has; more count as two.
const SERIES_OF_ONE: usize = 5;
/// Bytes of what it may say of itself.
const LENGTHS: [(Field, usize); 3] =
    [(fields::PROVIDER, 256), (fields::URI, 256), (fields::ASSET_CLASS, 16)];
const MAX_SCALE: u8 = 20;
/// Seconds that `LastUpdateTime` may differ from a ledger's close time.
const MAX_TIME_DIFFERENCE: u32 = 300;
/// `LastUpdateTime` is in seconds since 1970; ledgers count from 2000 on.
const RIPPLE_EPOCH: u32 = 946_684_800;

/// Creates an oracle or changes its prices.
#[derive(Debug)]
pub(super) struct OracleSet;

/// Deletes an oracle.
#[derive(Debug)]
pub(super) struct OracleDelete;

/// Base and quote.
type Pair = (Currency, Currency);

fn pair(price: &Object) -> Pair {
    let currency = |field| price.currency(field).unwrap_or_default();
    (currency(fields::BASE_ASSET), currency(fields::QUOTE_ASSET))
}

fn series(entry: &Object) -> impl Iterator<Item = &Object> {
    entry.array(fields::PRICE_DATA_SERIES).unwrap_or_default().iter().map(|(_, price)| price)
}

fn key(tx: &PreparedTx) -> Hash256 {
    let document = tx.object.u32(fields::ORACLE_DOCUMENT_ID).unwrap_or_default();
    object_id::oracle(tx.account, document)
}

/// What an oracle of that many pairs counts among its owner's things.
fn counts(pairs: usize) -> i64 {
    if pairs > SERIES_OF_ONE { 2 } else { 1 }
}

fn last_update(object: &Object) -> u32 {
    object.u32(fields::LAST_UPDATE_TIME).unwrap_or_default()
}

fn check_time(ctx: &PreclaimContext<'_>) -> Ter {
    let close_time = ctx.view.info().close_time;
    let invalid = EngineResult::TEC_INVALID_UPDATE_TIME;
    let updated = last_update(&ctx.tx.object).checked_sub(RIPPLE_EPOCH).ok_or(invalid)?;
    ensure(close_time >= MAX_TIME_DIFFERENCE, EngineResult::TEC_INTERNAL)?;
    ensure(updated.abs_diff(close_time) <= MAX_TIME_DIFFERENCE, invalid)
}

/// Pairs that a transaction prices, and those that it takes away.
fn pairs(
    tx: &PreparedTx,
    old: Option<&Entry>,
) -> Result<(BTreeSet<Pair>, BTreeSet<Pair>), EngineResult> {
    let (mut priced, mut removed) = (BTreeSet::new(), BTreeSet::new());
    for price in series(&tx.object) {
        let pair = pair(price);
        let known = priced.contains(&pair) || removed.contains(&pair);
        let scale = price.u8(fields::SCALE).unwrap_or_default();
        let has_price = price.contains(fields::ASSET_PRICE);
        let good = pair.0 != pair.1 && !known && scale <= MAX_SCALE && (has_price || old.is_some());
        ensure(good, EngineResult::TEM_MALFORMED)?;
        let pairs = if has_price { &mut priced } else { &mut removed };
        pairs.insert(pair);
    }
    Ok((priced, removed))
}

/// A price as an entry has it.
fn stored(price: &Object) -> Object {
    let mut stored = Object::new();
    let given = [fields::BASE_ASSET, fields::QUOTE_ASSET, fields::ASSET_PRICE, fields::SCALE];
    copy_fields(price, &mut stored, &given);
    stored
}

fn to_series(prices: impl IntoIterator<Item = Object>) -> Value {
    Value::Array(prices.into_iter().map(|price| (fields::PRICE_DATA, price)).collect())
}

impl Transactor for OracleSet {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = &ctx.tx.object;
        match series(tx).count() {
            0 => return Err(EngineResult::TEM_ARRAY_EMPTY),
            1..=MAX_SERIES => {}
            _ => return Err(EngineResult::TEM_ARRAY_TOO_LARGE),
        }
        let fits = |(field, most): (Field, usize)| {
            tx.blob(field).is_none_or(|bytes| (1..=most).contains(&bytes.len()))
        };
        ensure(LENGTHS.into_iter().all(fits), EngineResult::TEM_MALFORMED)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let tx = ctx.tx;
        let root = ctx.view.account(tx.account).ok_or(EngineResult::TER_NO_ACCOUNT)?;
        check_time(ctx)?;
        let old = ctx.view.read(&key(tx));
        let (mut after, mut removed) = pairs(tx, old.as_ref())?;
        let of_kind = [fields::PROVIDER, fields::ASSET_CLASS];
        let more = if let Some(old) = &old {
            let newer = last_update(&tx.object) > last_update(old);
            ensure(newer, EngineResult::TEC_INVALID_UPDATE_TIME)?;
            let same = |field: &Field| {
                tx.object.blob(*field).is_none_or(|bytes| old.blob(*field) == Some(bytes))
            };
            ensure(of_kind.iter().all(same), EngineResult::TEM_MALFORMED)?;
            let kept = series(old).map(pair).filter(|pair| !removed.remove(pair));
            after.extend(kept);
            ensure(removed.is_empty(), EngineResult::TEC_TOKEN_PAIR_NOT_FOUND)?;
            counts(after.len()) - counts(series(old).count())
        } else {
            let said = of_kind.iter().all(|field| tx.object.contains(*field));
            ensure(said, EngineResult::TEM_MALFORMED)?;
            counts(after.len())
        };
        ensure(!after.is_empty(), EngineResult::TEC_ARRAY_EMPTY)?;
        ensure(after.len() <= MAX_SERIES, EngineResult::TEC_ARRAY_TOO_LARGE)?;
        let count = i64::from(owner_count(&root)).saturating_add(more);
        let count = u32::try_from(count).unwrap_or_default();
        let reserve = ctx.view.info().fees.account_reserve(count);
        let affordable = u64::try_from(balance_of(&root)).is_ok_and(|drops| drops >= reserve);
        ensure(affordable, EngineResult::TEC_INSUFFICIENT_RESERVE)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        match ctx.view.read(&key(ctx.tx)) {
            Some(old) => update(ctx, &old),
            None => create(ctx),
        }
    }
}

fn create(ctx: &mut ApplyContext<'_>) -> Ter {
    let (tx, account, key) = (ctx.tx, ctx.tx.account, key(ctx.tx));
    let mut oracle = entry_type::new(entry_type::ORACLE).with(fields::OWNER, account);
    let given = [fields::PROVIDER, fields::URI, fields::ASSET_CLASS, fields::LAST_UPDATE_TIME];
    copy_fields(&tx.object, &mut oracle, &given);
    if ctx.view.rules().enabled(amendment::FIX_INCLUDE_KEYLET_FIELDS) {
        copy_fields(&tx.object, &mut oracle, &[fields::ORACLE_DOCUMENT_ID]);
    }
    if ctx.view.rules().enabled(amendment::FIX_PRICE_ORACLE_ORDER) {
        let prices: BTreeMap<_, _> =
            series(&tx.object).map(|price| (pair(price), stored(price))).collect();
        oracle.set(fields::PRICE_DATA_SERIES, to_series(prices.into_values()));
    } else {
        copy_fields(&tx.object, &mut oracle, &[fields::PRICE_DATA_SERIES]);
    }
    let count = counts(series(&oracle).count());
    let page =
        directory::add_owned(&mut ctx.view, account, key).ok_or(EngineResult::TEC_DIR_FULL)?;
    adjust_owner_count(&mut ctx.view, account, count)?;
    ctx.view.insert(key, oracle.with(fields::OWNER_NODE, page));
    Ok(())
}

fn update(ctx: &mut ApplyContext<'_>, old: &Object) -> Ter {
    let (tx, account) = (ctx.tx, ctx.tx.account);
    // Pairs that this transaction does not price have no price any more: it would be an old one.
    let mut prices: BTreeMap<Pair, Object> = series(old)
        .map(|price| {
            let (base, quote) = pair(price);
            let bare =
                Object::new().with(fields::BASE_ASSET, base).with(fields::QUOTE_ASSET, quote);
            ((base, quote), bare)
        })
        .collect();
    let before = counts(prices.len());
    for price in series(&tx.object) {
        if price.contains(fields::ASSET_PRICE) {
            prices.insert(pair(price), stored(price));
        } else {
            prices.remove(&pair(price));
        }
    }
    let more = counts(prices.len()) - before;
    let names_document = ctx.view.rules().enabled(amendment::FIX_INCLUDE_KEYLET_FIELDS);
    let oracle = ctx.view.get_mut(&key(tx)).ok_or(EngineResult::TEF_INTERNAL)?;
    oracle.set(fields::PRICE_DATA_SERIES, to_series(prices.into_values()));
    copy_fields(&tx.object, oracle, &[fields::URI, fields::LAST_UPDATE_TIME]);
    if names_document {
        // It is part of the entry's id and thus always the same.
        copy_fields(&tx.object, oracle, &[fields::ORACLE_DOCUMENT_ID]);
    }
    if more == 0 { Ok(()) } else { adjust_owner_count(&mut ctx.view, account, more) }
}

impl Transactor for OracleDelete {
    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        ensure(ctx.view.exists(&key(ctx.tx)), EngineResult::TEC_NO_ENTRY)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let key = key(ctx.tx);
        let oracle = ctx.view.read(&key).ok_or(EngineResult::TEC_INTERNAL)?;
        let count = counts(series(&oracle).count());
        owned::delete(&mut ctx.view, ctx.tx.account, &key, count, true)
    }
}
