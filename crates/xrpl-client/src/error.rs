//! Failures, by what they let one do next.

use std::sync::Arc;

use serde::Deserialize;

/// A node's own error answer
/// (<https://xrpl.org/docs/references/http-websocket-apis/api-conventions/error-formatting>).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, thiserror::Error)]
#[error("{error}{}", self.detail())]
pub struct ApiError {
    /// The token, such as `txnNotFound`.
    pub error: String,
    /// Its number.
    #[serde(default)]
    pub error_code: Option<i64>,
    /// What it says to people.
    #[serde(default)]
    pub error_message: Option<String>,
    /// More, from the code that refused.
    #[serde(default)]
    pub error_exception: Option<String>,
    /// Of `tx` with a range: whether every ledger of it was searched. Only `true` proves absence.
    #[serde(default)]
    pub searched_all: Option<bool>,
}

impl ApiError {
    fn detail(&self) -> String {
        let more = self.error_exception.as_deref().or(self.error_message.as_deref());
        more.map_or_else(String::new, |text| format!(": {text}"))
    }
}

/// Why a request has no usable answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClientError {
    /// Not one byte of the request left: it may be sent elsewhere or again.
    #[error("{endpoint}: not sent: {cause}")]
    NeverSent {
        /// Which node.
        endpoint: Arc<str>,
        /// What happened.
        cause: String,
    },
    /// The node took the request and refused it.
    #[error("{endpoint}: {cause}")]
    Refused {
        /// Which node.
        endpoint: Arc<str>,
        /// What it said.
        cause: ApiError,
    },
    /// Turned away with an HTTP status that proves that nobody acted on it (403, 429, the node's own
    /// 503, ...): it may be sent elsewhere or again. Other statuses, a proxy's 502 say, are
    /// [`Self::Unknown`].
    #[error("{endpoint}: turned away with HTTP status {status}: {body}")]
    TurnedAway {
        /// Which node.
        endpoint: Arc<str>,
        /// HTTP status.
        status: u16,
        /// The first of its text.
        body: String,
    },
    /// Bytes left and no answer came back that can be read: it may or may not have been done.
    #[error("{endpoint}: outcome unknown: {cause}")]
    Unknown {
        /// Which node.
        endpoint: Arc<str>,
        /// What happened.
        cause: String,
    },
}

/// Tokens that speak of the node's condition: checked before the request is handed to its method,
/// and another node may be in a better one
/// (<https://xrpl.org/docs/references/http-websocket-apis/api-conventions/error-formatting>).
const NODE_CONDITIONS: [&str; 9] = [
    // More clients' jobs than it takes, or more load from this client than it allows.
    "tooBusy",
    "slowDown",
    // Not connected, or behind (api_version 2 says notSynced for all of these).
    "noNetwork",
    "noCurrent",
    "noClosed",
    "notSynced",
    // It does not know the rules, or the validators, that the network goes by.
    "amendmentBlocked",
    "unlBlocked",
    "notReady",
];

/// Tokens of a failure inside the node, which may come after the request was carried out in part.
const FAILURES_WITHIN: [&str; 3] = ["internal", "internalSubmit", "internalJson"];

impl ClientError {
    /// Whether the node may have acted on the request.
    #[must_use]
    pub fn may_have_been_sent(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    /// Whether the request failed without the node's own word.
    #[must_use]
    pub fn is_endpoint_failure(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }

    /// Whether the node would not take requests of this kind now, whatever is in them.
    #[must_use]
    pub fn is_node_condition(&self) -> bool {
        self.api().is_some_and(|api| NODE_CONDITIONS.contains(&api.error.as_str()))
    }

    fn is_failure_within(&self) -> bool {
        self.api().is_some_and(|api| FAILURES_WITHIN.contains(&api.error.as_str()))
    }

    /// Whether another node may answer where this one did not.
    #[must_use]
    pub fn asks_for_another_node(&self) -> bool {
        self.is_endpoint_failure() || self.is_node_condition() || self.is_failure_within()
    }

    /// Whether the node may have done what was asked for, without saying so.
    #[must_use]
    pub fn may_have_been_done(&self) -> bool {
        self.may_have_been_sent() || self.is_failure_within()
    }

    /// The node's own error, if it is one.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Refused { cause, .. } => Some(cause),
            _ => None,
        }
    }

    /// A read-only request's error token, if the node gave one.
    #[must_use]
    pub fn is_token(&self, token: &str) -> bool {
        self.api().is_some_and(|api| api.error == token)
    }
}
