//! `ripple_path_find` and `path_find`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{AccountId, Amount, EngineResult, Hash256, Issue, MptId, object::PathStep};

use super::{Answer, Call, Looked, RpcError, convert::text_of, hash_of, object, tx_json};
use crate::{
    ledger::{
        PaymentSandbox, ReadView,
        helpers::{is_bad_asset, token},
    },
    paths::{Assets, Finder, Path, PathAsset, Search, Searched, largest, steps, unlimited},
    transactors::flow::{
        Flowed,
        ripple_calc::{Input, ripple_calculate},
    },
};

/// Most currencies that a request may name.
const MAX_SOURCES: usize = 18;
/// Most that are tried if it names none.
const MAX_AUTOMATIC: usize = 88;
/// How far paths are searched: xrpld's default of both `path_search` and `path_search_fast`, from which
/// its `path_search_max` never gets away.
const LEVEL: u8 = 2;

fn amount_malformed() -> RpcError {
    RpcError::new("dstAmtMalformed", 51, "Destination amount/currency/issuer is malformed.")
}

/// What a request asks for, once it is well formed.
#[derive(Debug)]
struct Wanted {
    source: AccountId,
    destination: AccountId,
    amount: Amount,
    /// The most that may be spent, if as much as possible is to arrive.
    most: Option<Amount>,
    /// What may be spent; nothing if the request does not say.
    sources: BTreeSet<Issue>,
    domain: Option<Hash256>,
    id: Option<Json>,
}

/// An amount of something that can be paid.
fn amount_of(json: &Json) -> Option<Amount> {
    tx_json::amount(json).filter(|amount| {
        let issue = amount.issue();
        !is_bad_asset(issue) && token::issuer_of(issue) != Some(AccountId::ZERO)
    })
}

/// Whether an amount is `-1`: as much as can be delivered.
fn is_all(amount: &Amount) -> bool {
    *amount == unlimited(amount.issue())
}

impl Wanted {
    fn read(params: &Map<String, Json>) -> Result<Self, RpcError> {
        for (key, token, code, message) in [
            ("source_account", "srcActMissing", 66, "Source account not provided."),
            ("destination_account", "dstActMissing", 49, "Destination account not provided."),
            (
                "destination_amount",
                "dstAmtMissing",
                52,
                "Destination amount/currency/issuer is missing.",
            ),
        ] {
            if !params.contains_key(key) {
                return Err(RpcError::new(token, code, message));
            }
        }
        let account = |key: &str, token, code, message| {
            text_of(&params[key])?.parse().map_err(|_| RpcError::new(token, code, message))
        };
        let source =
            account("source_account", "srcActMalformed", 65, "Source account is malformed.")?;
        let destination = account(
            "destination_account",
            "dstActMalformed",
            48,
            "Destination account is malformed.",
        )?;
        let amount = amount_of(&params["destination_amount"]).ok_or_else(amount_malformed)?;
        let all = is_all(&amount);
        if !all && amount.signum() <= 0 {
            return Err(amount_malformed());
        }
        let mut most = None;
        if let Some(json) = params.get("send_max") {
            if !all {
                return Err(amount_malformed());
            }
            most = amount_of(json).filter(|most| most.signum() > 0 || is_all(most));
            if most.is_none() {
                return Err(RpcError::new("sendMaxMalformed", 64, "SendMax amount malformed."));
            }
        }
        let sources = match params.get("source_currencies") {
            None => BTreeSet::new(),
            Some(json) => sources(json, source, most.map(|most| most.issue()))?,
        };
        let domain = match params.get("domain") {
            None => None,
            Some(domain) => Some(
                domain
                    .as_str()
                    .and_then(hash_of)
                    .ok_or_else(|| RpcError::new("domainMalformed", 97, "Domain is malformed."))?,
            ),
        };
        let id = params.get("id").filter(|id| !tx_json::is_empty(id)).cloned();
        Ok(Self { source, destination, amount, most, sources, domain, id })
    }

    /// What is wrong with it in a ledger.
    fn check(&self, view: &dyn ReadView) -> Result<(), RpcError> {
        if view.account(self.source).is_none() {
            return Err(RpcError::new("srcActNotFound", 67, "Source account not found."));
        }
        if view.account(self.destination).is_some() {
            return Ok(());
        }
        let Some(drops) = self.amount.drops() else {
            return Err(RpcError::account_not_found());
        };
        let reserve = i64::try_from(view.info().fees.reserve).unwrap_or(i64::MAX);
        match is_all(&self.amount) || drops >= reserve {
            true => Ok(()),
            false => Err(amount_malformed()),
        }
    }
}

/// What may be spent, by its currency and issuer; with a maximum, only what that is of.
fn sources(
    json: &Json,
    account: AccountId,
    most: Option<Issue>,
) -> Result<BTreeSet<Issue>, RpcError> {
    let malformed = || RpcError::new("srcCurMalformed", 69, "Source currency is malformed.");
    let issuer_malformed = || RpcError::new("srcIsrMalformed", 70, "Source issuer is malformed.");
    let list = json.as_array().filter(|list| (1..=MAX_SOURCES).contains(&list.len()));
    let mut sources = BTreeSet::new();
    for json in list.ok_or_else(malformed)? {
        let members = json.as_object().ok_or_else(malformed)?;
        let is_mpt = members.contains_key("mpt_issuance_id");
        if is_mpt && (members.contains_key("currency") || members.contains_key("issuer")) {
            return Err(malformed());
        }
        let key = if is_mpt { "mpt_issuance_id" } else { "currency" };
        let text = members.get(key).and_then(Json::as_str).ok_or_else(malformed)?;
        let asset = match is_mpt {
            true => tx_json::hex(text).map(|id| PathAsset::Mpt(MptId(id))),
            false => tx_json::currency(text).map(PathAsset::Currency),
        };
        let asset = asset.ok_or_else(malformed)?;
        let mut issuer = AccountId::ZERO;
        if let Some(json) = members.get("issuer") {
            issuer = json.as_str().and_then(tx_json::account).ok_or_else(issuer_malformed)?;
            if asset.is_xrp() && issuer != AccountId::ZERO {
                return Err(malformed());
            }
        }
        if issuer == AccountId::ZERO && !asset.is_xrp() && !is_mpt {
            issuer = account;
        }
        let Some(most) = most else {
            sources.insert(asset.issued_by(issuer));
            continue;
        };
        if asset != PathAsset::of(most) {
            continue;
        }
        let limit = token::issuer_of(most).unwrap_or_default();
        if issuer != account && limit != account && issuer != limit {
            return Err(issuer_malformed());
        }
        let other = if issuer == account { limit } else { issuer };
        sources.extend([asset.issued_by(other), asset.issued_by(account)]);
    }
    Ok(sources)
}

/// Who asked: over WebSocket for as long as the connection wants, or once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Once,
    Lasting,
}

/// A search of paths, done again for every ledger.
#[derive(Debug)]
pub(crate) struct PathRequest {
    wanted: Wanted,
    asked: Asked,
    /// Whether the ledger goes on from another network's, of which not everything is known.
    is_fork: bool,
    /// What was found before.
    context: BTreeMap<Issue, Vec<Path>>,
    /// The last answer.
    status: Map<String, Json>,
}

impl PathRequest {
    fn new(
        params: &Map<String, Json>,
        view: &dyn ReadView,
        asked: Asked,
        is_fork: bool,
    ) -> Result<Self, RpcError> {
        let wanted = Wanted::read(params)?;
        wanted.check(view)?;
        Ok(Self { wanted, asked, is_fork, context: BTreeMap::new(), status: Map::new() })
    }

    /// What `path_find` asks for with `create`, and its first answer.
    pub(crate) fn create(
        params: &Map<String, Json>,
        view: &dyn ReadView,
        is_fork: bool,
    ) -> Result<(Self, Map<String, Json>), RpcError> {
        let mut request = Self::new(params, view, Asked::Lasting, is_fork)?;
        let answer = request.update(view, true)?;
        Ok((request, answer))
    }

    /// The message of a new ledger.
    pub(crate) fn message(&mut self, view: &dyn ReadView) -> Json {
        let mut message = match self.wanted.check(view).and_then(|()| self.update(view, false)) {
            Ok(answer) => answer,
            Err(error) => error.to_members(),
        };
        message.insert("type".into(), "path_find".into());
        message.into()
    }

    /// The last answer, with how the request stands; xrpld says so again until there is a new answer.
    pub(crate) fn status(&mut self, key: &str, value: impl Into<Json>) -> Map<String, Json> {
        self.status.insert(key.into(), value.into());
        self.status.clone()
    }

    fn update(&mut self, view: &dyn ReadView, fast: bool) -> Result<Map<String, Json>, RpcError> {
        let view = &Searched::new(view);
        let mut assets = Assets::new(view, self.wanted.domain);
        if self.is_fork {
            assets.ask_for_books(self.wanted.amount.issue(), self.wanted.destination);
        }
        let alternatives = self.alternatives(&mut assets, view).ok_or_else(RpcError::internal)?;
        let wanted = &self.wanted;
        let mut answer = object(json!({
            "alternatives": alternatives,
            "destination_account": wanted.destination.to_string(),
            "destination_amount": wanted.amount.to_json(),
            "full_reply": !fast,
            "source_account": wanted.source.to_string(),
        }));
        if self.asked == Asked::Once {
            let assets = assets.destinations(wanted.destination);
            let names: Vec<_> = assets.iter().map(ToString::to_string).collect();
            answer.insert("destination_currencies".into(), names.into());
        }
        if let Some(id) = &wanted.id {
            answer.insert("id".into(), id.clone());
        }
        self.status = answer.clone();
        Ok(answer)
    }

    /// What may be spent; none if that is too much.
    fn sources(&self, assets: &mut Assets<'_>) -> Option<BTreeSet<Issue>> {
        let wanted = &self.wanted;
        if !wanted.sources.is_empty() {
            return Some(wanted.sources.clone());
        }
        if let Some(most) = wanted.most {
            return Some(BTreeSet::from([most.issue()]));
        }
        let delivered = PathAsset::of(wanted.amount.issue());
        let to_itself = wanted.source == wanted.destination;
        let all = assets.sources(wanted.source).into_iter();
        let all = all.filter(|asset| !to_itself || *asset != delivered);
        let all: BTreeSet<_> = all.map(|asset| asset.issued_by(wanted.source)).collect();
        (all.len() <= MAX_AUTOMATIC).then_some(all)
    }

    fn alternatives<'v>(
        &mut self,
        assets: &mut Assets<'v>,
        view: &'v dyn ReadView,
    ) -> Option<Vec<Json>> {
        let mut finders: BTreeMap<PathAsset, Option<Finder<'v>>> = BTreeMap::new();
        let mut alternatives = Vec::new();
        for source in self.sources(assets)? {
            let Wanted { source: account, destination, amount, domain, .. } = self.wanted;
            let spend = PathAsset::of(source);
            let deliver = if is_all(&amount) { largest(amount.issue()) } else { amount };
            let search = Search { source: account, destination, spend, deliver, domain };
            let finder = finders.entry(spend).or_insert_with(|| Finder::new(assets, search, LEVEL));
            let Some(finder) = finder else { continue };
            let issuer = token::issuer_of(source).unwrap_or_default();
            let context = self.context.get(&source).map_or(&[][..], |paths| paths);
            let best = finder.best(context, issuer);
            let mut paths = best.paths;
            self.context.insert(source, paths.clone());
            let mut done = self.try_out(view, source, deliver, &paths);
            let is_short = done.result == Err(EngineResult::TER_NO_LINE)
                || done.result == Err(EngineResult::TEC_PATH_PARTIAL);
            if is_short
                && !is_all(&amount)
                && let Some(covering) = best.covering
            {
                paths.push(covering);
                done = self.try_out(view, source, deliver, &paths);
            }
            if done.result.is_ok() {
                alternatives.push(self.alternative(&done, source, &paths));
            }
        }
        Some(alternatives)
    }

    /// What a payment over these paths would cost.
    fn try_out(
        &self,
        view: &dyn ReadView,
        source: Issue,
        deliver: Amount,
        paths: &[Path],
    ) -> Flowed {
        let wanted = &self.wanted;
        let input = Input {
            max: wanted.most.unwrap_or_else(|| unlimited(source)),
            deliver,
            source: wanted.source,
            destination: wanted.destination,
            paths: &steps(paths),
            domain: wanted.domain,
            partial: is_all(&wanted.amount),
            default_path: true,
            limit_quality: false,
        };
        ripple_calculate(&mut PaymentSandbox::new(view), &input)
    }

    fn alternative(&self, done: &Flowed, source: Issue, paths: &[Path]) -> Json {
        let spent = match (done.input, source) {
            (Amount::Issued { value, currency, .. }, Issue::Issued { issuer, .. }) => {
                Amount::Issued { value, currency, issuer }
            }
            (spent, _) => spent,
        };
        let computed: Vec<Vec<Json>> =
            steps(paths).iter().map(|path| path.iter().map(PathStep::to_json).collect()).collect();
        let mut alternative = object(json!({
            "paths_computed": computed,
            "source_amount": spent.to_json(),
        }));
        if is_all(&self.wanted.amount) {
            alternative.insert("destination_amount".into(), done.output.to_json());
        }
        if self.asked == Asked::Once {
            alternative.insert("paths_canonical".into(), json!([]));
        }
        alternative.into()
    }
}

pub(super) fn ripple_path_find(call: &Call<'_>) -> Answer {
    let looked: Looked = call.ledger(&call.shared.node())?;
    let view = looked.view();
    let answer = PathRequest::new(call.params, view, Asked::Once, call.shared.is_fork())
        .and_then(|mut request| request.update(view, false));
    let mut answer = answer.map_err(|error| match error.token {
        // An exception ends the request before it has an answer.
        "internal" => error,
        _ => error.in_ledger(&looked),
    })?;
    looked.describe(&mut answer);
    Ok(answer)
}

/// `path_find` where there is nobody to send to.
pub(super) fn path_find(call: &Call<'_>) -> Answer {
    subcommand(call.params)?;
    Err(RpcError::new("noEvents", 7, "Current transport does not support events."))
}

/// What `path_find` is to do.
pub(crate) fn subcommand(params: &Map<String, Json>) -> Result<&str, RpcError> {
    let subcommand = params.get("subcommand").and_then(Json::as_str);
    subcommand.ok_or_else(|| RpcError::invalid("Invalid parameters."))
}

/// That there is no request to close.
pub(crate) fn no_request() -> RpcError {
    RpcError::new("noPathRequest", 33, "No pathfinding request in progress.")
}
