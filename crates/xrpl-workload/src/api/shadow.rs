//! `/state/shadow`: the node's ledgers executed once more.

use axum::{Json, extract::State};
use utoipa_axum::routes;

use super::{Routes, Shared};
use crate::shadow::ShadowView;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(shadow))
}

/// State of `--shadow`: ledgers checked, taken over, different
#[utoipa::path(get, path = "/state/shadow", tag = "state", responses((status = 200, body = ShadowView)))]
async fn shadow(State(app): Shared) -> Json<ShadowView> {
    Json(app.shadow.view())
}
