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
    /// The node's HTTP server turned the request away before reading it (403, 503, ...).
    #[error("{endpoint}: HTTP status {status}: {body}")]
    Status {
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

impl ClientError {
    /// Whether the node may have acted on the request.
    #[must_use]
    pub fn may_have_been_sent(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    /// Whether another node may be asked at once.
    #[must_use]
    pub fn is_endpoint_failure(&self) -> bool {
        !matches!(self, Self::Refused { .. })
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
