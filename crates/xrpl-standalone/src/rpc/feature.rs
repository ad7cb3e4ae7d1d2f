//! `feature`: which amendments there are, and how this server would vote.

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::Hash256;

use super::{Answer, Call, Role, RpcError, convert::truth_of, hash_of, object};
use crate::{
    ledger::{Amendment, ReadView as _, amendment},
    node::majorities,
};

/// What a server knows of an amendment.
struct Known {
    name: Option<&'static str>,
    supported: bool,
    /// Its vote; none for what nobody votes on any more.
    vote: Option<bool>,
}

/// Every amendment that this server supports or the ledger has enabled, and those somebody vetoed.
fn known(call: &Call<'_>, on: &[Hash256]) -> Vec<(Hash256, Known)> {
    let votes = call.shared.votes.lock();
    let vote = |id: &Hash256, default| Some(votes.get(id).copied().unwrap_or(default));
    let listed = Amendment::all()
        .filter(|amendment| amendment.is_supported() || on.contains(&amendment.id()))
        .map(|amendment| {
            let (id, supported) = (amendment.id(), amendment.is_supported());
            let vote = vote(&id, amendment.votes_yes());
            (id, Known { name: Some(amendment.name()), supported, vote })
        });
    let retired = amendment::retired()
        .map(|(id, name)| (id, Known { name: Some(name), supported: true, vote: None }));
    let mut all: Vec<_> = listed.chain(retired).collect();
    for id in on.iter().chain(votes.keys()) {
        if !all.iter().any(|(other, _)| other == id) {
            all.push((*id, Known { name: None, supported: false, vote: vote(id, false) }));
        }
    }
    all
}

pub(super) fn feature(call: &Call<'_>) -> Answer {
    let (rules, majorities) = {
        let node = call.shared.node();
        (node.validated().rules().clone(), majorities(node.validated()))
    };
    let majority =
        |id: &Hash256| majorities.iter().find(|(of, _)| of == id).map(|(_, since)| *since);
    let shown = |(id, known): (Hash256, Known)| {
        let enabled = rules.ids().contains(&id);
        let mut about = json!({"enabled": enabled, "supported": known.supported});
        if let Some(name) = known.name {
            about["name"] = name.into();
        }
        if !enabled && call.role == Role::Admin {
            about["vetoed"] = known.vote.map_or_else(|| "Obsolete".into(), |yes| (!yes).into());
        }
        (id.to_string(), about)
    };
    let wanted = match call.params.get("feature") {
        None => {
            let mut all = known(call, rules.ids()).into_iter().map(shown).collect::<Map<_, _>>();
            for (id, since) in &majorities {
                let about = all.entry(id.to_string()).or_insert_with(|| json!({}));
                about["majority"] = (*since).into();
            }
            return Ok(object(json!({"features": all})));
        }
        Some(Json::String(wanted)) => wanted,
        Some(_) => return Err(RpcError::invalid("Invalid parameters.")),
    };
    let unknown = || RpcError::new("badFeature", 40, "Feature unknown or invalid.");
    let named = known(call, rules.ids()).into_iter().find(|(_, it)| it.name == Some(wanted));
    let id = named.map(|(id, _)| id).or_else(|| hash_of(wanted)).ok_or_else(unknown)?;
    if let Some(veto) = call.params.get("vetoed") {
        if call.role != Role::Admin {
            return Err(super::no_permission());
        }
        set_vote(call, rules.ids(), id, !truth_of(veto));
    }
    let found = known(call, rules.ids()).into_iter().find(|(other, _)| *other == id);
    let mut answer = found.map(|found| Map::from_iter([shown(found)])).ok_or_else(unknown)?;
    // Of a single one it stands beside what is said of it.
    if let Some(since) = majority(&id) {
        answer.insert("majority".to_owned(), since.into());
    }
    Ok(answer)
}

/// Changes the vote on an amendment that is known; who vetoes one that is not makes it known.
fn set_vote(call: &Call<'_>, on: &[Hash256], id: Hash256, yes: bool) {
    let found = known(call, on).into_iter().find(|(other, _)| *other == id);
    let changes = match found {
        Some((_, known)) => known.vote == Some(!yes),
        None => !yes,
    };
    if changes {
        call.shared.votes.lock().insert(id, yes);
    }
}
