//! Texts to values, with errors that say what would be right.

use std::{
    collections::BTreeMap, fmt::Display, fs::File, io::Read, net::SocketAddr, str::FromStr,
    sync::Arc, time::Duration,
};

use url::Url;
use xrpl_generator::{
    catalogue::Catalogue, config::MOST_CURRENCIES, modifier::Shares, stage::MOST_JOURNEYS,
};
use xrpl_protocol::{
    AccountId, Currency, Definitions, Hash256,
    keys::{PublicKey, Seed},
};
use xrpl_standalone::{
    ledger::{Amendment, Impersonated},
    node::Votes,
};
use xrpl_store_postgres::Address;
use xrpl_tracker::{Subscription, store::Retention};

use crate::{
    ab::{AbMode, Side},
    settings::split,
};

use super::{Close, FeeChoice, ForkChoice, OnReset, Secret, StoreChoice};

type Result<T> = std::result::Result<T, String>;

/// The only value.
pub fn text(values: &[String]) -> Result<&str> {
    match values {
        [one] => Ok(one),
        [] => Err("a value is missing".into()),
        _ => Err("given more than once".into()),
    }
}

/// The only value, or none.
pub fn optional<T>(values: &[String], read: impl Fn(&str) -> Result<T>) -> Result<Option<T>> {
    match values {
        [] => Ok(None),
        values => read(text(values)?).map(Some),
    }
}

/// A whole number in a range.
pub fn number<T>(text: &str, min: T, max: T, example: &str) -> Result<T>
where
    T: FromStr + PartialOrd + Display,
{
    match text.replace('_', "").parse::<T>() {
        Ok(n) if n >= min && n <= max => Ok(n),
        _ => Err(format!("expected a whole number from {min} to {max}, such as {example}")),
    }
}

/// When a ledger closes.
pub fn close(text: &str) -> Result<Close> {
    match text {
        "interval" => Ok(Close::Interval),
        "manual" => Ok(Close::Manual),
        "on-submit" => Ok(Close::OnSubmit),
        _ => Err("expected interval, manual or on-submit".into()),
    }
}

/// Amendments by their names.
pub fn amendments(values: &[String]) -> Result<Vec<Hash256>> {
    if values.is_empty() {
        return Err("empty: give all, mainnet or none, or changes such as +Name,-Name".into());
    }
    let on = Amendment::selection(values.iter().map(String::as_str))?;
    Ok(on.into_iter().map(Amendment::id).collect())
}

/// What the embedded ledger's only validator votes for.
pub fn votes(values: &[String]) -> Result<Votes> {
    const EXPECTED: &str = "expected +Amendment, reference_fee=DROPS, reserve_base=DROPS, \
                            reserve_increment=DROPS, disable=KEY or enable=KEY";
    let mut votes = Votes::default();
    for part in values {
        let key = |hex: &str| {
            const_hex::decode(hex)
                .ok()
                .filter(|bytes| PublicKey::from_slice(bytes).is_ok())
                .ok_or_else(|| {
                    format!("{part:?}: expected a public key of 33 bytes in hexadecimal")
                })
        };
        let drops = |text: &str| {
            let drops = text.parse::<u64>().ok().filter(|drops| *drops <= 1_000_000_000_000);
            drops.ok_or_else(|| format!("{part:?}: expected drops, such as reference_fee=20"))
        };
        match (part.strip_prefix('+'), part.split_once('=')) {
            (Some(name), _) => {
                let selected = Amendment::selection(["none", part.as_str()])?;
                let id =
                    selected.first().ok_or_else(|| format!("no amendment is named {name:?}"))?;
                votes.amendments.push(id.id());
            }
            (None, Some(("reference_fee", n))) => votes.base = Some(drops(n)?),
            (None, Some(("reserve_base", n))) => votes.reserve = Some(drops(n)?),
            (None, Some(("reserve_increment", n))) => votes.increment = Some(drops(n)?),
            (None, Some(("disable", hex))) => votes.disable.push(key(hex)?),
            (None, Some(("enable", hex))) => votes.enable.push(key(hex)?),
            _ => return Err(format!("{part:?}: {EXPECTED}")),
        }
    }
    Ok(votes)
}

/// A node and perhaps a ledger of it.
pub fn fork(text: &str) -> Result<ForkChoice> {
    let example = "wss://xrpld.example:6005@90000000";
    let (address, index) = match text.rsplit_once('@') {
        Some((address, index)) => (address, Some(index)),
        None => (text, None),
    };
    let url = url(address, &["ws", "wss"], example)?;
    let ledger = index.map(|index| number(index, 1, u32::MAX, "90000000"));
    let ledger =
        ledger.transpose().map_err(|why| format!("after the @, a ledger's index: {why}"))?;
    match url.username().is_empty() && url.password().is_none() {
        true => Ok(ForkChoice { url, ledger }),
        false => Err(format!("a WebSocket of xrpld takes no user or password: give {example}")),
    }
}

/// Accounts for which any key may sign.
pub fn impersonated(values: &[String]) -> Result<Impersonated> {
    match values {
        [] => Ok(Impersonated::Nobody),
        [all] if all == "all" => Ok(Impersonated::Everybody),
        several => {
            let read = |text: &String| {
                text.parse::<AccountId>()
                    .map_err(|_| format!("{text:?}: expected addresses (r...), or `all`"))
            };
            several
                .iter()
                .map(read)
                .collect::<Result<Vec<_>>>()
                .map(|a| Impersonated::These(a.into()))
        }
    }
}

/// A time in seconds since 2000-01-01, or as RFC 3339 has it in UTC.
pub fn ripple_time(text: &str) -> Result<u32> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let read = || {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let parts = |text: &str, by: char| -> Option<[i64; 3]> {
            let all: Vec<i64> = text
                .split(by)
                .map(|part| part.bytes().all(|c| c.is_ascii_digit()).then(|| part.parse().ok())?)
                .collect::<Option<_>>()?;
            all.try_into().ok()
        };
        let ([year, month, day], [hour, minute, second]) = (parts(date, '-')?, parts(time, ':')?);
        let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let lengths =
            [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let before = usize::try_from(month - 1).ok().filter(|n| *n < 12)?;
        let fits = (2000..=2136).contains(&year)
            && (1..=lengths[before]).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        let years: i64 = (2000..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
        let days = years + lengths[..before].iter().sum::<i64>() + day - 1;
        fits.then(|| u32::try_from(((days * 24 + hour) * 60 + minute) * 60 + second).ok())?
    };
    read().ok_or_else(|| {
        "expected a time from 2000 to 2136 such as 2026-01-31T12:00:00Z, or seconds since \
         2000-01-01"
            .into()
    })
}

/// Transactions per second.
pub fn rate(text: &str) -> Result<f64> {
    match text.parse::<f64>() {
        Ok(n) if (0.0..=1_000_000.0).contains(&n) => Ok(n),
        _ => {
            Err("expected transactions a second from 0 (unlimited) to 1000000, such as 200".into())
        }
    }
}

/// What times are multiplied with.
pub fn time_scale(text: &str) -> Result<f64> {
    match text.parse::<f64>() {
        Ok(n) if (0.000_001..=1_000.0).contains(&n) => Ok(n),
        _ => Err("expected a factor from 0.000001 to 1000, such as 0.1".into()),
    }
}

/// A percentage.
pub fn percent(text: &str) -> Result<f64> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(n) if (0.0..=100.0).contains(&n) => Ok(n),
        _ => Err("expected a percentage from 0 to 100, such as 20".into()),
    }
}

/// How many journeys begin in a minute.
pub fn journeys(text: &str) -> Result<f64> {
    match text.parse::<f64>() {
        Ok(n) if (0.0..=MOST_JOURNEYS).contains(&n) => Ok(n),
        _ => Err(format!("expected how many in a minute, from 0 to {MOST_JOURNEYS}, such as 6")),
    }
}

/// Yes or no.
pub fn flag(text: &str) -> Result<bool> {
    match text {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("expected true or false".into()),
    }
}

/// A time: `60s`, `1h30m`, `500ms`; a number alone is seconds.
pub fn duration(text: &str) -> Result<Duration> {
    const EXPECTED: &str = "expected a time such as 500ms, 60s, 5m or 1h30m";
    let wrong = || EXPECTED.to_owned();
    let mut total = 0.0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    let alone = rest.bytes().all(|c| c.is_ascii_digit() || c == b'.');
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (n, after) = rest.split_at(digits);
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        let seconds = match unit.trim() {
            "ms" => 0.001,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "" if alone => 1.0,
            _ => return Err(wrong()),
        };
        total += n.parse::<f64>().map_err(|_| wrong())? * seconds;
        rest = next;
    }
    Duration::try_from_secs_f64(total).map_err(|_| wrong())
}

/// What is kept of ended transactions: for how long, or how many; all with 0.
pub fn retention(text: &str) -> Result<Option<Retention>> {
    let text = text.trim();
    if text.bytes().all(|c| c.is_ascii_digit()) {
        let rows: u64 = text.parse().map_err(|_| RETENTION.to_owned())?;
        return Ok((rows > 0).then_some(Retention::Rows(rows)));
    }
    let time = duration(text).map_err(|_| RETENTION.to_owned())?;
    Ok((!time.is_zero()).then_some(Retention::For(time)))
}

const RETENTION: &str = "expected a time such as 7d, or a number of transactions such as 1000000";

/// The same in words.
#[must_use]
pub fn retention_text(retention: Option<Retention>) -> String {
    match retention {
        None => "all".to_owned(),
        Some(Retention::For(time)) => format!("those that ended within {time:?}"),
        Some(Retention::Rows(rows)) => format!("the newest {rows}"),
    }
}

/// An address with one of these schemes.
pub fn url(text: &str, schemes: &[&str], example: &str) -> Result<Url> {
    match Url::parse(text) {
        Ok(url) if schemes.contains(&url.scheme()) && url.has_host() => Ok(url),
        _ => {
            let schemes: Vec<String> = schemes.iter().map(|name| format!("{name}://")).collect();
            let begins = schemes.join(" or ");
            Err(format!("expected an address that begins with {begins}, such as {example}"))
        }
    }
}

/// Host and port to listen on.
pub fn address(text: &str, example: &str) -> Result<SocketAddr> {
    let text = text.replace("localhost", "127.0.0.1");
    text.parse().map_err(|_| format!("expected an IP address and port, such as {example}"))
}

/// What the streams show.
pub fn subscribe(text: &str) -> Result<Subscription> {
    match text {
        "transactions" => Ok(Subscription::Transactions),
        "accounts" => Ok(Subscription::Accounts(Vec::new())),
        _ => Err("expected transactions or accounts".into()),
    }
}

/// Where transactions are kept.
pub fn store(text: &str) -> Result<StoreChoice> {
    match text {
        "memory" => Ok(StoreChoice::Memory),
        address if Address::is_meant(address) => {
            Address::parse(address).map(StoreChoice::Postgres).map_err(|error| error.to_string())
        }
        other if other.contains("://") => Err("expected the path of a file, `memory`, or \
             postgres://USER:PASSWORD@HOST:PORT/DATABASE"
            .into()),
        path => Ok(StoreChoice::File(path.into())),
    }
}

/// A seed that can be read; the error does not repeat it.
pub fn secret(text: &str) -> Result<Secret> {
    text.trim().parse::<Seed>().map(|_| Secret::new(text.trim())).map_err(|error| error.to_string())
}

/// The secrets in a file, one a line.
pub fn accounts_file(path: &str) -> Result<Vec<Secret>> {
    /// Bytes: some ten thousand secrets, each with a comment.
    const LONGEST: u64 = 1 << 20;
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text))
        .map_err(|error| format!("{error}; expected a file with one secret a line"))?;
    if text.len() as u64 > LONGEST {
        return Err(format!("longer than {LONGEST} bytes; expected a file with one secret a line"));
    }
    let mut lines = BTreeMap::new();
    let mut secrets = Vec::new();
    for (n, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        // What stands there is not shown: it may be a secret with a slip in it.
        line.parse::<Seed>().map_err(|error| format!("line {n}: {error}"))?;
        if let Some(first) = lines.insert(line, n) {
            return Err(format!("line {n} has the secret of line {first} again"));
        }
        secrets.push(Secret::new(line));
    }
    match secrets.is_empty() {
        true => Err("no secret is in it; expected one a line".into()),
        false => Ok(secrets),
    }
}

/// The definitions in a file.
pub fn definitions(path: &str) -> Result<Arc<Definitions>> {
    const EXPECTED: &str = "expected a node's answer to server_definitions";
    /// Bytes: xrpld's are some eighty thousand.
    const LONGEST: u64 = 16 << 20;
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST).read_to_string(&mut text))
        .map_err(|error| format!("{error}; {EXPECTED}"))?;
    let json = serde_json::from_str(&text).map_err(|error| format!("{error}; {EXPECTED}"))?;
    Definitions::from_json(&json).map(Arc::new).map_err(|error| format!("{error}; {EXPECTED}"))
}

/// What transactions pay.
pub fn fee_strategy(text: &str) -> Result<FeeChoice> {
    match text {
        "base" => Ok(FeeChoice::Base),
        "open_ledger" => Ok(FeeChoice::OpenLedger),
        drops => drops
            .parse()
            .map(FeeChoice::Fixed)
            .map_err(|_| "expected base, open_ledger or a number of drops".into()),
    }
}

/// What a run does when its nodes come back with another chain.
pub fn on_reset(text: &str) -> Result<OnReset> {
    match text {
        "end" => Ok(OnReset::End),
        "new-run" => Ok(OnReset::NewRun),
        _ => Err("expected end or new-run".into()),
    }
}

/// Name = number pairs.
pub fn table(values: &[String]) -> Result<BTreeMap<String, u32>> {
    values
        .iter()
        .map(|pair| {
            let (name, weight) = pair
                .split_once('=')
                .ok_or_else(|| format!("{pair:?}: expected TYPE=WEIGHT, such as Payment=10"))?;
            let weight = number(weight.trim(), 0, 1_000_000, "10")?;
            Ok((name.trim().to_owned(), weight))
        })
        .collect()
}

/// Weights of types that the catalogue has.
pub fn types(values: &[String]) -> Result<BTreeMap<String, u32>> {
    let weights = table(values)?;
    Catalogue::new(&weights).map_err(|error| error.to_string())?;
    Ok(weights)
}

/// Shares of modifiers that there are.
pub fn modifiers(values: &[String]) -> Result<BTreeMap<String, u32>> {
    let shares = table(values)?;
    Shares::new(&shares).map_err(|error| error.to_string())?;
    Ok(shares)
}

/// What a run is steered by.
pub fn steer(text: &str) -> Result<()> {
    match text {
        "coverage" => Ok(()),
        _ => Err("expected coverage".into()),
    }
}

/// Codes of issued currencies.
pub fn currencies(values: &[String]) -> Result<Vec<String>> {
    for code in values {
        match code.parse::<Currency>() {
            Ok(currency) if !currency.is_xrp() => {}
            _ => {
                return Err(format!(
                    "{code:?} is no issued currency: use three letters or 40 hexadecimal digits"
                ));
            }
        }
    }
    match values.len() <= MOST_CURRENCIES {
        true => Ok(values.to_vec()),
        false => Err(format!("{} currencies: at most {MOST_CURRENCIES}", values.len())),
    }
}

/// What a run is called: nothing that could be taken for an id, a place in the list, or a file.
pub fn name(text: &str) -> Result<String> {
    let taken = ["latest", "previous"].contains(&text)
        || text.starts_with(|c: char| c.is_ascii_digit())
        || [".json", ".db", ".sqlite"].iter().any(|ending| text.ends_with(ending));
    let plain = |c: char| c.is_alphanumeric() || "-_+:.".contains(c);
    match !taken && text.len() <= 60 && text.chars().all(plain) {
        true => Ok(text.to_owned()),
        false => {
            Err("a name has letters, digits and -_+:. (60 bytes at most), does not begin with a \
                      digit, is neither latest nor previous and no file's, such as \
                      before-the-change"
                .into())
        }
    }
}

/// The two of `--ab`: `NAME=RPC,WS`, further nodes of the same network after that. The parts between
/// commas come one by one.
pub fn ab(values: &[String]) -> Result<Vec<Side>> {
    let form = "give NAME=RPC,WS, such as old=http://127.0.0.1:5005,ws://127.0.0.1:6006";
    let mut sides: Vec<Side> = Vec::new();
    for part in values {
        // An address may have a = too, behind its scheme.
        let named = part.split_once('=').filter(|(before, _)| !before.contains(':'));
        let address = match named {
            Some((given, address)) => {
                sides.push(Side { name: name(given)?, rpc: Vec::new(), ws: Vec::new() });
                address
            }
            None => part,
        };
        let Some(side) = sides.last_mut() else {
            return Err(format!("{part:?} has no name: {form}"));
        };
        if side.rpc.len() == side.ws.len() {
            side.rpc.push(url(address, &["http", "https"], "http://127.0.0.1:5005")?);
        } else {
            side.ws.push(url(address, &["ws", "wss"], "ws://127.0.0.1:6006")?);
        }
    }
    match sides.iter().find(|side| side.rpc.len() != side.ws.len()) {
        Some(side) => Err(format!("{} has no WebSocket address: {form}", side.name)),
        None => Ok(sides),
    }
}

/// How the two of `--ab` are driven.
pub fn ab_mode(text: &str) -> Result<AbMode> {
    match text {
        "in-turn" => Ok(AbMode::InTurn),
        "side-by-side" => Ok(AbMode::SideBySide),
        _ => Err("expected in-turn or side-by-side".into()),
    }
}

/// A log filter that can be read.
pub fn log_filter(text: &str) -> Result<String> {
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    // A word alone is a module's name where it is no level: a mistyped level would show everything.
    for word in split(text).iter().filter(|word| !word.contains(['=', ':', '[', '_'])) {
        let levels = LEVELS.map(str::to_owned).into_iter();
        let meant = nearest(word, levels).filter(|level| !level.eq_ignore_ascii_case(word));
        if let Some(level) = meant {
            return Err(format!("{word:?} is no level: did you mean {level:?}?"));
        }
    }
    tracing_subscriber::EnvFilter::builder()
        .parse(text)
        .map(|_| text.to_owned())
        .map_err(|_| "expected error, warn, info, debug, trace, or MODULE=LEVEL,...".into())
}

/// The candidate that was probably meant: a slip or two away from what was given, not another word.
pub fn nearest(given: &str, known: impl Iterator<Item = String>) -> Option<String> {
    let given = given.to_lowercase();
    known
        .map(|name| (strsim::damerau_levenshtein(&given, &name.to_lowercase()), name))
        .min()
        .filter(|(distance, name)| *distance <= (name.len() / 3).max(1))
        .map(|(_, name)| name)
}
