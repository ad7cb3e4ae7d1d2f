//! Checking the node of a run, beside its load.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    files::CaseFiles,
    follow::{Scope, follow},
    view::{ShadowState, Step},
};
use crate::session::App;

/// Checks a node until the run ends. Nothing of the run waits for it: where it does not keep up, it says
/// so, and begins again with a newer ledger once the node no longer has the next one.
pub(crate) async fn beside(app: Arc<App>, node: Url, end: CancellationToken) {
    let watched = app.shadow.clone();
    watched.begin(&crate::config::without_password(node.as_str()));
    let scope = Scope { from: None, to: None, patience: None };
    let files = CaseFiles::new(&app.config.shadow_dir);
    let connector = Arc::clone(&app.pool.config().connector);
    let tell = |step: Step| {
        let first = watched.first_of_its_kind(&step);
        let before = watched.view().state;
        watched.note(&step);
        match &step {
            Step::Different(finding) if first => tracing::warn!("shadow: {finding}"),
            Step::TakenOver { ledger, why } if first => {
                tracing::warn!(ledger, "shadow: a ledger is taken over: {why}");
            }
            Step::Unwritten(why) => tracing::warn!("shadow: {why}"),
            Step::Restarted { why, .. } => {
                tracing::warn!("shadow: begins again with all entries: {why}");
            }
            Step::Ended(Some(why)) => tracing::warn!("shadow: has ended: {why}"),
            _ => {}
        }
        let view = watched.view();
        if view.state == ShadowState::Behind && before != ShadowState::Behind {
            tracing::warn!(ledgers = view.behind, "shadow: does not keep up with the node");
        }
    };
    // Why it ended is in the view.
    let _ = follow(node, connector, scope, files, &tell, end).await;
}
