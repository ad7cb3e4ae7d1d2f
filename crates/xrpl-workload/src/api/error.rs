//! Errors as the API tells them.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use xrpl_generator::GeneratorError;

/// What every error answers with.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErrorBody {
    error: ErrorDetail,
}

/// What is wrong.
#[derive(Debug, Serialize, ToSchema)]
struct ErrorDetail {
    /// For programs, such as `bad_request`.
    #[schema(value_type = String)]
    code: &'static str,
    /// For people; names the field where one is wrong.
    message: String,
}

/// An error with its status.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn with_status(status: StatusCode, message: impl Into<String>) -> Self {
        let code = match status {
            StatusCode::PAYLOAD_TOO_LARGE => "too_large",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
            _ => return Self::bad_request(message),
        };
        Self::new(status, code, message)
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(super) fn method(message: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    pub(super) fn unauthorized() -> Self {
        let message = "this action needs the header Authorization: Bearer TOKEN";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    pub(super) fn forbidden() -> Self {
        let message = "a page of another site may not act here";
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub(super) fn too_many(seconds: u64) -> Self {
        let message = format!("too many requests from this address: try again in {seconds} s");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message)
    }

    pub(super) fn timeout() -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "timeout", "no answer within 30 s")
    }

    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody { error: ErrorDetail { code: self.code, message: self.message } };
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl From<xrpl_tracker::Error> for ApiError {
    fn from(error: xrpl_tracker::Error) -> Self {
        use xrpl_tracker::Error as E;
        let text = error.to_string();
        match error {
            E::BadBlob(_) | E::MissingField(_) => Self::bad_request(text),
            E::NotTracked(_) => Self::not_found(text),
            E::Node(_) | E::ShuttingDown => Self::unavailable(text),
            _ => Self::internal(text),
        }
    }
}

impl From<GeneratorError> for ApiError {
    fn from(error: GeneratorError) -> Self {
        use GeneratorError as E;
        let text = error.to_string();
        match error {
            E::Config { .. }
            | E::UnknownType { .. }
            | E::Unsent { .. }
            | E::UnknownAccount(_)
            | E::AlreadySo(_) => Self::bad_request(text),
            E::UnknownJourney { .. } => Self::not_found(text),
            E::Busy(_) | E::Funds { .. } | E::Journey { .. } => Self::conflict(text),
            E::Ended => Self::unavailable(text),
            E::Tracker(error) => error.into(),
            E::Client(error) => error.into(),
            _ => Self::internal(text),
        }
    }
}

impl From<xrpl_client::ClientError> for ApiError {
    fn from(error: xrpl_client::ClientError) -> Self {
        match error.api() {
            Some(api) if ["actNotFound", "entryNotFound"].contains(&api.error.as_str()) => {
                Self::not_found("no such account on the ledger")
            }
            Some(_) => Self::bad_request(error.to_string()),
            None => Self::unavailable(error.to_string()),
        }
    }
}
