//! `get_aggregate_price`: what several oracles say a pair costs
//! (<https://xrpl.org/docs/references/http-websocket-apis/public-api-methods/path-and-order-book-methods/get_aggregate_price>).

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{
    AccountId, Amount, Currency, Issue, Object, decimal::Decimal, fields, issued_value::ValueError,
    object_id,
};

use super::{Answer, Call, Looked, RpcError, object};
use crate::{
    ledger::{Entry, entry_type, helpers::BAD_CURRENCY},
    node::Node,
};

const MAX_ORACLES: usize = 200;
/// Percent that may be left out on either side.
const MAX_TRIM: u32 = 25;
/// Former versions of an oracle that are looked through for a price.
const MAX_HISTORY: usize = 3;

/// A price and when it was set, in seconds since 1970.
struct Price {
    time: u32,
    amount: Amount,
}

fn malformed() -> RpcError {
    RpcError::new("oracleMalformed", 94, "Oracle request is malformed.")
}

fn invalid() -> RpcError {
    RpcError::invalid("Invalid parameters.")
}

/// Prices are numbers of nothing in particular.
fn of_nothing() -> Issue {
    Issue::Issued { currency: Currency(AccountId::ONE.0), issuer: AccountId::ONE }
}

pub(super) fn get_aggregate_price(call: &Call<'_>) -> Answer {
    let oracles = call.params.get("oracles").ok_or_else(|| RpcError::missing("oracles"))?;
    let oracles = oracles.as_array().filter(|list| (1..=MAX_ORACLES).contains(&list.len()));
    let oracles = oracles.ok_or_else(malformed)?;
    for key in ["base_asset", "quote_asset"] {
        call.params.get(key).ok_or_else(|| RpcError::missing(key))?;
    }
    let trim = call.params.get("trim").map(|json| number(json).ok_or_else(invalid)).transpose()?;
    if trim.is_some_and(|trim| trim == 0 || trim > MAX_TRIM) {
        return Err(invalid());
    }
    let threshold = call.params.get("time_threshold");
    let threshold = threshold.map_or(Some(0), number).ok_or_else(invalid)?;
    let (base, quote) = (asset(call, "base_asset")?, asset(call, "quote_asset")?);
    let node = call.shared.node();
    let looked = call.ledger(&node)?;
    let prices = oracles.iter().filter_map(|json| {
        let oracle = oracle(&looked, json).transpose()?;
        oracle.and_then(|oracle| price(&node, &oracle, base, quote)).transpose()
    });
    let prices = prices.collect::<Result<_, RpcError>>();
    let prices = recent(prices.map_err(|error| error.in_ledger(&looked))?, threshold);
    let Some(latest) = prices.iter().map(|price| price.time).max() else {
        let error = RpcError::new("objectNotFound", 92, "The requested object was not found.");
        return Err(error.in_ledger(&looked));
    };
    let amounts: Vec<Amount> = prices.into_iter().map(|price| price.amount).collect();
    let mut answer = Map::new();
    looked.describe(&mut answer);
    answer.insert("time".into(), latest.into());
    describe(&mut answer, &amounts, trim).map_err(|_| RpcError::internal())?;
    Ok(answer)
}

/// A number, also one in a string.
fn number(json: &Json) -> Option<u32> {
    match json {
        Json::String(text) => text.parse().ok(),
        json => json.as_u64().and_then(|n| u32::try_from(n).ok()),
    }
}

/// The code of an asset. Oracles' assets are compared with it letter by letter: hexadecimal digits
/// of a currency that has a code of three letters match nothing.
fn asset<'a>(call: &'a Call<'_>, key: &str) -> Result<&'a str, RpcError> {
    let text = call.params.get(key).and_then(Json::as_str).ok_or_else(invalid)?;
    let none = Currency(AccountId::ONE.0);
    let currency = if text == "0" { Ok(Currency::default()) } else { text.parse() };
    match currency {
        Ok(currency) if currency != none && currency != BAD_CURRENCY => Ok(text),
        _ => Err(invalid()),
    }
}

/// An oracle of the request, if the ledger has it.
fn oracle(looked: &Looked, json: &Json) -> Result<Option<Entry>, RpcError> {
    let member = |key: &str| json.get(key).ok_or_else(malformed);
    let (document, account) = (member("oracle_document_id")?, member("account")?);
    if account.is_array() || account.is_object() {
        return Err(RpcError::internal());
    }
    let account = account.as_str().and_then(|text| text.parse::<AccountId>().ok());
    let (Some(account), Some(document)) = (account, number(document)) else {
        return Err(invalid());
    };
    if account == AccountId::ZERO {
        return Err(invalid());
    }
    Ok(looked.view().read(&object_id::oracle(account, document)))
}

/// The pair's price in a version of an oracle.
fn in_version(version: &Object, base: &str, quote: &str) -> Result<Option<Price>, RpcError> {
    let series = version.array(fields::PRICE_DATA_SERIES).unwrap_or_default();
    let is = |entry: &Object, field, code: &str| {
        entry.currency(field).is_some_and(|currency| currency.to_string() == code)
    };
    let priced = series.iter().find_map(|(_, entry)| {
        let pair = is(entry, fields::BASE_ASSET, base) && is(entry, fields::QUOTE_ASSET, quote);
        entry.u64(fields::ASSET_PRICE).filter(|_| pair).map(|price| (entry, price))
    });
    let Some((entry, price)) = priced else { return Ok(None) };
    let scale = i32::from(entry.u8(fields::SCALE).unwrap_or_default());
    let amount = Decimal::from_parts(false, price, -scale)
        .and_then(|price| Amount::from_decimal(of_nothing(), price))
        .map_err(|_| RpcError::internal())?;
    let time = version.u32(fields::LAST_UPDATE_TIME).unwrap_or_default();
    Ok(Some(Price { time, amount }))
}

/// The pair's last price: the oracle's own, or that of one of its last versions, which the metadata
/// of the transactions that changed it have.
fn price(node: &Node, oracle: &Object, base: &str, quote: &str) -> Result<Option<Price>, RpcError> {
    if let Some(price) = in_version(oracle, base, quote)? {
        return Ok(Some(price));
    }
    let mut changed = last_change(oracle);
    for nth in 0..MAX_HISTORY {
        let Some((hash, index)) = changed else { break };
        let transaction = node.ledger(index).and_then(|ledger| ledger.transaction(&hash.into()));
        let Some(read) = transaction.map(|transaction| transaction.read()) else { break };
        let nodes = read.metadata.array(fields::AFFECTED_NODES).unwrap_or_default();
        let is_oracle =
            |node: &Object| node.u16(fields::LEDGER_ENTRY_TYPE) == Some(entry_type::ORACLE);
        let Some((_, node)) = nodes.iter().find(|(_, node)| is_oracle(node)) else { break };
        let created = node.object(fields::NEW_FIELDS);
        // Who created what there is now tells nothing else than it does.
        if created.is_some() && nth == 0 {
            break;
        }
        let Some(version) = created.or_else(|| node.object(fields::FINAL_FIELDS)) else { break };
        if let Some(price) = in_version(version, base, quote)? {
            return Ok(Some(price));
        }
        changed = if created.is_some() { None } else { last_change(node) };
    }
    Ok(None)
}

/// The transaction that changed an entry last, and its ledger.
fn last_change(entry: &Object) -> Option<(xrpl_protocol::Hash256, u32)> {
    entry.hash256(fields::PREVIOUS_TXN_ID).zip(entry.u32(fields::PREVIOUS_TXN_LGR_SEQ))
}

/// Prices no more than `threshold` seconds older than the latest, if it is not 0, the least first.
fn recent(mut prices: Vec<Price>, threshold: u32) -> Vec<Price> {
    let latest = prices.iter().map(|price| price.time).max().unwrap_or_default();
    // A threshold that reaches back before all time bounds nothing.
    if threshold != 0 && latest > threshold {
        prices.retain(|price| price.time >= latest - threshold);
    }
    prices.sort_by(|a, b| a.amount.compare(&b.amount));
    prices
}

/// Adds median and statistics of prices, which are sorted and not none.
fn describe(
    answer: &mut Map<String, Json>,
    prices: &[Amount],
    trim: Option<u32>,
) -> Result<(), ValueError> {
    answer.insert("entire_set".into(), statistics(prices)?);
    let middle = prices.len() / 2;
    let median = if prices.len().is_multiple_of(2) {
        let two = Amount::whole(of_nothing(), 2)?;
        prices[middle - 1].checked_add(&prices[middle])?.divide(&two, of_nothing())?
    } else {
        prices[middle]
    };
    answer.insert("median".into(), text(&median));
    if let Some(percent) = trim {
        let cut = prices.len() * percent as usize / 100;
        answer.insert("trimmed_set".into(), statistics(&prices[cut..prices.len() - cut])?);
    }
    Ok(())
}

fn text(amount: &Amount) -> Json {
    amount.value().map_or(Json::Null, |value| value.to_string().into())
}

/// Mean, size and standard deviation of prices, of which there is one at the least.
fn statistics(prices: &[Amount]) -> Result<Json, ValueError> {
    let size = u32::try_from(prices.len()).unwrap_or(u32::MAX);
    let mut sum = Amount::zero(of_nothing());
    for price in prices {
        sum = sum.checked_add(price)?;
    }
    let mean = sum.divide(&Amount::whole(of_nothing(), size.into())?, of_nothing())?;
    let mut deviation = Decimal::ZERO;
    if size > 1 {
        for price in prices {
            let off = price.checked_sub(&mean)?.decimal();
            deviation = deviation + off * off;
        }
        deviation = (deviation / Decimal::from(size - 1)).square_root().checked()?;
    }
    let (mean, deviation) = (text(&mean), deviation.to_string());
    Ok(Json::Object(object(json!({"mean": mean, "size": size, "standard_deviation": deviation}))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tenths, at times.
    fn prices(of: &[(u32, i64)]) -> Vec<Price> {
        let price = |&(time, tenths): &(u32, i64)| {
            let price = Decimal::new(tenths, -1).unwrap();
            Price { time, amount: Amount::from_decimal(of_nothing(), price).unwrap() }
        };
        of.iter().map(price).collect()
    }

    /// Figures of xrpld's own test.
    #[test]
    fn median_mean_and_deviation() {
        let times_and_tenths: Vec<_> = (740..750).zip(740..).collect();
        let prices = recent(prices(&times_and_tenths), 0);
        let amounts: Vec<_> = prices.iter().map(|price| price.amount).collect();
        let mut answer = Map::new();
        describe(&mut answer, &amounts, Some(20)).unwrap();
        let set = |size: u32, deviation: &str| json!({"mean": "74.45", "size": size, "standard_deviation": deviation});
        assert_eq!(answer["entire_set"], set(10, "0.3027650354097491666"));
        assert_eq!(answer["median"], "74.45");
        assert_eq!(answer["trimmed_set"], set(6, "0.1870828693386970693"));
    }

    #[test]
    fn old_prices_are_left_out() {
        let times = |threshold| {
            let kept = recent(prices(&[(1000, 3), (900, 2), (800, 1)]), threshold);
            kept.iter().map(|price| price.time).collect::<Vec<_>>()
        };
        assert_eq!(times(0), [800, 900, 1000]);
        assert_eq!(times(100), [900, 1000]);
        assert_eq!(times(99), [1000]);
        assert_eq!(times(5000), [800, 900, 1000]);
    }
}
