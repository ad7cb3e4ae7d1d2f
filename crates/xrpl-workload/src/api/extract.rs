//! Bodies, queries and path segments, with errors that name the field.

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::request::Parts,
};
use serde::de::DeserializeOwned;
use xrpl_generator::Generator;
use xrpl_protocol::{AccountId, TxHash};

use super::ApiError;
use crate::session::{App, Phase};

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => {
                // 422 is for other things here: a body of the wrong shape is bad input.
                Err(ApiError::with_status(rejection.status(), rejection.body_text()))
            }
        }
    }
}

/// The query of the address.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|Query(params)| Self(params))
            .map_err(|rejection| ApiError::bad_request(rejection.body_text()))
    }
}

/// The one variable part of a path.
pub(super) struct Segment(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(text)| Self(text))
            .map_err(|rejection| ApiError::bad_request(rejection.body_text()))
    }
}

/// A transaction's hash.
pub(super) fn hash(text: &str) -> Result<TxHash, ApiError> {
    text.parse()
        .map_err(|_| ApiError::bad_request(format!("hash: {text:?} is not 64 hexadecimal digits")))
}

/// An account's address.
pub(super) fn account(field: &str, text: &str) -> Result<AccountId, ApiError> {
    text.parse().map_err(|error| ApiError::bad_request(format!("{field}: {error}")))
}

/// The same, for whoever wants to change the load: not while a search for capacity sets its rates.
pub(super) fn controls(app: &App) -> Result<&Generator, ApiError> {
    if app.steering.is_searching() {
        return Err(ApiError::conflict(
            "a search for capacity sets the load itself, and what it measures would be something else: end \
             it with POST /workload/scenario/stop",
        ));
    }
    generator(app)
}

/// The generator, once accounts are ready.
pub(super) fn generator(app: &App) -> Result<&Generator, ApiError> {
    app.generator().ok_or_else(|| {
        ApiError::unavailable(match app.phase() {
            Phase::Preparing(p) => {
                format!("accounts are being prepared: {} {}/{}", p.stage, p.done, p.total)
            }
            Phase::Ready | Phase::Stopping => "the run is stopping".to_owned(),
        })
    })
}
