//! `/state/amendments`: what the network has enabled, and which types of transactions it rules out.

use std::collections::{BTreeMap, BTreeSet};

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;
use xrpl_generator::enabled_amendments;
use xrpl_protocol::{Hash256, hash::sha512_half};
use xrpl_standalone::ledger::{Amendment, amendment::retired};

use super::{ApiError, Routes, Shared};
use crate::types::{self, TypeRow};

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(amendments))
}

/// An amendment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct AmendmentView {
    /// Its name; none if this program does not know it.
    name: Option<&'static str>,
    id: Hash256,
    enabled: bool,
    /// The types of transactions that need it.
    types: Vec<&'static str>,
}

/// Amendments of the network.
#[derive(Debug, Serialize, ToSchema)]
struct Amendments {
    enabled: usize,
    /// The types that cannot be sent because an amendment that they need is not enabled.
    ruled_out: Vec<&'static str>,
    /// Those that rule types out first, then the others that are not enabled, then the enabled ones; by name.
    amendments: Vec<AmendmentView>,
}

/// Amendments that the network has enabled, and the types that need the others
///
/// Asked of the node: its `feature`, or the Amendments entry of the ledger where that is for administrators
/// only. Retired amendments are part of every ledger's rules and not listed unless the node lists them.
#[utoipa::path(get, path = "/state/amendments", tag = "state", responses(
    (status = 200, body = Amendments), (status = 503, body = super::error::ErrorBody, description = "No node says which are enabled.")))]
async fn amendments(State(app): Shared) -> Result<Json<Amendments>, ApiError> {
    let enabled = enabled_amendments(&app.pool)
        .await
        .ok_or_else(|| ApiError::unavailable("no node says which amendments are enabled"))?;
    Ok(Json(listed(&enabled.into_iter().collect(), &types::rows()?)))
}

fn listed(enabled: &BTreeSet<Hash256>, rows: &[TypeRow]) -> Amendments {
    let mut types: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.not_sent.is_none()) {
        for amendment in row.amendment.iter().chain(row.needs) {
            types.entry(amendment).or_default().push(row.name);
        }
    }
    let id = |name: &str| sha512_half(&[name.as_bytes()]);
    // Those in development too, where they matter.
    let matters = |of: &Amendment| {
        of.is_supported() || enabled.contains(&of.id()) || types.contains_key(of.name())
    };
    let named: BTreeMap<_, _> = Amendment::all()
        .filter(matters)
        .map(Amendment::name)
        .chain(retired().map(|(_, name)| name).filter(|name| enabled.contains(&id(name))))
        .map(|name| (id(name), name))
        .collect();
    let ids: BTreeSet<_> = named.keys().chain(enabled).copied().collect();
    let mut amendments: Vec<_> = ids
        .into_iter()
        .map(|id| {
            let name = named.get(&id).copied();
            AmendmentView {
                name,
                id,
                enabled: enabled.contains(&id),
                types: name.and_then(|name| types.get(name).cloned()).unwrap_or_default(),
            }
        })
        .collect();
    // Those without a name after the others.
    amendments.sort_by_key(|of| {
        (of.enabled, !of.enabled && of.types.is_empty(), of.name.is_none(), of.name)
    });
    let ruled_out: BTreeSet<_> =
        amendments.iter().filter(|of| !of.enabled).flat_map(|of| of.types.clone()).collect();
    Amendments { enabled: enabled.len(), ruled_out: ruled_out.into_iter().collect(), amendments }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_enabled_rules_out_the_types_that_need_it() {
        let unknown = Hash256([7; 32]);
        let mut enabled: BTreeSet<_> = Amendment::all().map(Amendment::id).collect();
        let rows = types::rows().unwrap();
        assert!(listed(&enabled, &rows).ruled_out.is_empty(), "all are enabled");

        let absent = ["fixAMMOverflowOffer", "DID", "Credentials"];
        for name in absent {
            enabled.remove(&Amendment::named(name).unwrap().id());
        }
        enabled.insert(unknown);
        let found = listed(&enabled, &rows);
        let names: Vec<_> = found.amendments.iter().map(|of| of.name).take(3).collect();
        assert_eq!(names, [Some("Credentials"), Some("DID"), Some("fixAMMOverflowOffer")]);
        assert_eq!(found.amendments[1].types, ["DIDDelete", "DIDSet"]);
        for name in ["CredentialAccept", "CredentialCreate", "DIDSet"] {
            assert!(found.ruled_out.contains(&name), "{name} in {:?}", found.ruled_out);
        }
        assert!(!found.ruled_out.contains(&"Payment"));
        let last = found.amendments.last().unwrap();
        assert_eq!((last.name, last.id, last.enabled), (None, unknown, true));
        assert_eq!(found.enabled, enabled.len());
    }
}
