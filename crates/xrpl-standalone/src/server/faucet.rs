//! The faucet: `POST /accounts`, as those of the public test networks speak, so that the libraries'
//! own ways to a funded account work here.
//!
//! Request: `{"destination"?, "xrpAmount"?, ...}`, all of it optional; members that public faucets
//! only count (`userAgent`, `usageContext`, `memos`) are passed over. Answer:
//! `{"account": {"xAddress", "classicAddress", "address", "secret"?}, "amount", "transactionHash",
//! "seed"?}`; secret and seed are those of an account that was made because no destination was given.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{self, HeaderValue},
};
use parking_lot::Mutex;
use rand::RngExt as _;
use serde_json::{Map, Value as Json, json};
use tokio::time::Instant;
use xrpl_protocol::{
    AccountId, Drops, EngineResult, ResultClass, TxHash,
    keys::{KeyPair, KeyType, Seed},
};

use super::{Closing, EndOfTime, Shared, accounts::payment, callers, config::FaucetConfig};
use crate::{ledger::ReadView as _, rpc::Role};

/// Where it is.
pub(super) const PATH: &str = "/accounts";

/// Addresses whose use is remembered; beyond that those that could ask again anyway are forgotten.
const REMEMBERED: usize = 1024;

/// What one address has left.
#[derive(Debug)]
struct Allowance {
    left: f64,
    at: Instant,
}

/// The faucet's money and patience.
#[derive(Debug)]
pub(super) struct Faucet {
    config: FaucetConfig,
    key: KeyPair,
    allowances: Mutex<HashMap<IpAddr, Allowance>>,
}

/// Why a request gets nothing.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    error: String,
    more: Map<String, Json>,
}

impl Refusal {
    fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), more: Map::new() }
    }
}

impl Faucet {
    /// A faucet that pays from the account of a key.
    pub(super) fn new(config: FaucetConfig, key: KeyPair) -> Self {
        Self { config, key, allowances: Mutex::default() }
    }

    /// Whether a caller may ask at all.
    fn admit(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Result<(), Refusal> {
        if let Some(token) = &self.config.token {
            let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            let given = given.and_then(|value| value.strip_prefix("Bearer "));
            return match given.is_some_and(|given| same(given, token)) {
                true => Ok(()),
                false => Err(Refusal::new(
                    StatusCode::UNAUTHORIZED,
                    "The faucet's token is wanted, as `Authorization: Bearer TOKEN`",
                )),
            };
        }
        let near = peer.is_none_or(|peer| peer.to_canonical().is_loopback());
        match near && callers::role(headers, false) == Role::Admin {
            true => Ok(()),
            false => Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "The faucet is for callers on its own machine; to serve others it must be started \
                 with a token",
            )),
        }
    }

    /// Whether an address may ask now: a bucket that fills at the rate and holds twice as much.
    fn allow(&self, peer: Option<IpAddr>) -> Result<(), Refusal> {
        let (Some(peer), rate @ 1..) = (peer, self.config.rate) else { return Ok(()) };
        let rate = f64::from(rate);
        let now = Instant::now();
        let full = |allowance: &Allowance| {
            allowance.left + (now - allowance.at).as_secs_f64() * rate >= 2.0 * rate
        };
        let mut allowances = self.allowances.lock();
        if allowances.len() >= REMEMBERED {
            allowances.retain(|_, allowance| !full(allowance));
        }
        let allowance = allowances.entry(peer).or_insert(Allowance { left: 2.0 * rate, at: now });
        let passed: Duration = now - allowance.at;
        allowance.left = (allowance.left + passed.as_secs_f64() * rate).min(2.0 * rate);
        allowance.at = now;
        if allowance.left < 1.0 {
            let error = format!("Too many requests: at most {} a second", self.config.rate);
            return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, error));
        }
        allowance.left -= 1.0;
        Ok(())
    }
}

/// Compares all of two texts, whatever their beginnings.
fn same(given: &str, wanted: &str) -> bool {
    let differing = given.bytes().zip(wanted.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    given.len() == wanted.len() && differing == 0
}

/// Drops of an amount of XRP as text or number.
fn drops_of(amount: &Json) -> Option<u64> {
    let text = match amount {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return None,
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 6 {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let fraction: u64 = format!("{fraction:0<6}").parse().ok()?;
    let drops = whole.checked_mul(Drops::PER_XRP)?.checked_add(fraction)?;
    (1..=Drops::MAX.0).contains(&drops).then_some(drops)
}

/// An amount of XRP as a number: whole ones without a fraction.
fn xrp_of(drops: u64) -> Json {
    match drops % Drops::PER_XRP {
        0 => json!(drops / Drops::PER_XRP),
        _ => json!(drops as f64 / Drops::PER_XRP as f64),
    }
}

/// Answers a request to [`PATH`].
pub(super) fn answer(
    shared: &Shared,
    faucet: &Faucet,
    (method, headers, peer): (&Method, &HeaderMap, Option<IpAddr>),
    body: &[u8],
) -> Response<Full<Bytes>> {
    let answer = match *method {
        Method::OPTIONS => Ok(Json::Null),
        Method::POST => faucet
            .admit(peer, headers)
            .and_then(|()| faucet.allow(peer))
            .and_then(|()| fund(shared, faucet, body)),
        _ => Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "The faucet is asked with POST")),
    };
    let (status, text) = match answer {
        Ok(Json::Null) => (StatusCode::NO_CONTENT, String::new()),
        Ok(answer) => (StatusCode::OK, answer.to_string()),
        Err(Refusal { status, error, mut more }) => {
            more.insert("error".into(), error.into());
            (status, Json::Object(more).to_string())
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let answered = response.headers_mut();
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    answered.insert(header::CONTENT_TYPE, json);
    answered.insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
    // A page in development on this machine may read the answer too.
    if let Some(origin) = headers.get(header::ORIGIN)
        && (faucet.config.token.is_some() || callers::role(headers, false) == Role::Admin)
    {
        answered.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        answered.insert(header::VARY, HeaderValue::from_static("Origin"));
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, authorization"),
        ] {
            answered.insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

fn fund(shared: &Shared, faucet: &Faucet, body: &[u8]) -> Result<Json, Refusal> {
    let bad = |error: &str, detail: &str| {
        let mut refusal = Refusal::new(StatusCode::BAD_REQUEST, error);
        refusal.more.insert("detail".into(), detail.into());
        refusal
    };
    let request = match body.trim_ascii() {
        [] => Map::new(),
        body => match serde_json::from_slice(body) {
            Ok(Json::Object(members)) => members,
            _ => return Err(bad("Invalid request", "The body must be a JSON object, or empty")),
        },
    };
    let mut made = None;
    let (account, tag) = match request.get("destination").filter(|given| !given.is_null()) {
        None => {
            let seed = Seed::from_entropy(rand::rng().random(), KeyType::Ed25519);
            let account = KeyPair::from_seed(&seed).account_id();
            made = Some(seed);
            (account, None)
        }
        Some(given) => given
            .as_str()
            .and_then(|text| AccountId::parse_with_tag(text).ok())
            .ok_or_else(|| bad("Invalid destination", "Must be an address"))?,
    };
    let drops = match request.get("xrpAmount").filter(|given| !given.is_null()) {
        None => faucet.config.drops,
        Some(amount) => drops_of(amount).ok_or_else(|| {
            bad("Invalid amount", "Must be a positive number of XRP with at most 6 decimals")
        })?,
    };
    let mut shown = json!({
        "xAddress": account.to_x_address(tag, true),
        "classicAddress": account.to_string(),
        "address": account.to_string(),
    });
    let hash = pay(shared, faucet, (account, tag), drops).map_err(|unpaid| {
        let mut refusal =
            Refusal::new(unpaid.status(), format!("Unable to fund account: {unpaid}"));
        refusal.more.insert("account".into(), shown.clone());
        refusal
    })?;
    let mut answer = Map::new();
    if let Some(seed) = made {
        shown["secret"] = seed.to_base58().into();
        answer.insert("seed".into(), seed.to_base58().into());
    }
    answer.insert("account".into(), shown);
    answer.insert("amount".into(), xrp_of(drops));
    answer.insert("transactionHash".into(), hash.to_string().into());
    Ok(answer.into())
}

/// Why an account was not paid.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Unpaid {
    /// What the payment met.
    #[error("{} ({})", .0.message(), .0.name())]
    Refused(EngineResult),
    /// No ledger can take it.
    #[error(transparent)]
    EndOfTime(#[from] EndOfTime),
}

impl Unpaid {
    /// A payment that is wrong or that the ledger forbids is the caller's matter; that none can be
    /// made now is not.
    fn status(self) -> StatusCode {
        match self {
            Self::Refused(result)
                if matches!(result.class(), ResultClass::Tem | ResultClass::Tec) =>
            {
                StatusCode::BAD_REQUEST
            }
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Pays at once: whoever asks next gets the next Sequence. Where ledgers close by hand, this one
/// closes: nobody who asks a faucet would.
fn pay(
    shared: &Shared,
    faucet: &Faucet,
    to: (AccountId, Option<u32>),
    drops: u64,
) -> Result<TxHash, Unpaid> {
    shared.time_for(1, 0)?;
    let account = faucet.key.account_id();
    let outcome = shared.change(|node| {
        let root = node.current().account(account);
        let root = root.ok_or(Unpaid::Refused(EngineResult::TER_NO_ACCOUNT))?;
        let sequence = node.next_sequence(account, &root);
        let metrics = node.queue_metrics();
        let fee = metrics.open_ledger_fee().max(node.current().info().fees.base);
        let tx = payment(&faucet.key, to, (drops, fee), sequence, node.network_id());
        let tx = tx.ok_or(Unpaid::Refused(EngineResult::TEM_MALFORMED))?;
        Ok::<_, Unpaid>(node.submit(tx, true))
    })?;
    if !outcome.engine_result.is_success() && outcome.engine_result != EngineResult::TER_QUEUED {
        return Err(Unpaid::Refused(outcome.engine_result));
    }
    match shared.closing() {
        Closing::Interval(_) => {}
        Closing::Manual | Closing::OnSubmit => drop(shared.accept()?),
    }
    Ok(outcome.tx.hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faucet(config: FaucetConfig) -> Faucet {
        let seed = Seed::from_passphrase("faucet", KeyType::Ed25519);
        Faucet::new(config, KeyPair::from_seed(&seed))
    }

    #[test]
    fn amounts() {
        for (given, drops) in [
            (json!("1000"), Some(1_000_000_000)),
            (json!(10), Some(10_000_000)),
            (json!("0.5"), Some(500_000)),
            (json!(1.5), Some(1_500_000)),
            (json!("100000000000"), Some(Drops::MAX.0)),
            (json!("100000000001"), None),
            (json!("0"), None),
            (json!("-1"), None),
            (json!("1.1234567"), None),
            (json!(".5"), None),
            (json!("1e3"), None),
            (json!(true), None),
        ] {
            assert_eq!(drops_of(&given), drops, "{given}");
        }
        assert_eq!((xrp_of(5_000_000), xrp_of(500_000)), (json!(5), json!(0.5)));
    }

    #[test]
    fn a_token_is_compared_whole() {
        assert!(same("abcdefgh", "abcdefgh"));
        assert!(!same("abcdefg", "abcdefgh") && !same("abcdefgi", "abcdefgh") && !same("", "a"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_has_its_rate() {
        let limited = faucet(FaucetConfig { rate: 2, ..FaucetConfig::default() });
        let (one, other) = (Some([127, 0, 0, 1].into()), Some([127, 0, 0, 2].into()));
        assert_eq!((0..9).filter(|_| limited.allow(one).is_ok()).count(), 4);
        assert!(limited.allow(other).is_ok());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!((0..9).filter(|_| limited.allow(one).is_ok()).count(), 2);
        let unlimited = faucet(FaucetConfig { rate: 0, ..FaucetConfig::default() });
        assert!((0..999).all(|_| unlimited.allow(one).is_ok()));
    }

    #[test]
    fn who_may_ask() {
        let headers = |pairs: &[(header::HeaderName, &'static str)]| {
            let pairs =
                pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
            pairs.collect::<HeaderMap>()
        };
        let (near, far): (IpAddr, IpAddr) = ([127, 0, 0, 1].into(), [10, 0, 0, 7].into());
        let local = headers(&[(header::HOST, "localhost:5005")]);
        let open = faucet(FaucetConfig::default());
        assert!(open.admit(Some(near), &local).is_ok() && open.admit(None, &local).is_ok());
        assert!(open.admit(Some(far), &local).is_err());
        let page = headers(&[(header::HOST, "localhost"), (header::ORIGIN, "http://evil.example")]);
        assert!(open.admit(Some(near), &page).is_err());
        let token = Some("12345678".to_owned());
        let guarded = faucet(FaucetConfig { token, ..FaucetConfig::default() });
        assert!(guarded.admit(Some(near), &local).is_err());
        let bearer = headers(&[(header::AUTHORIZATION, "Bearer 12345678")]);
        assert!(guarded.admit(Some(far), &bearer).is_ok());
    }
}
