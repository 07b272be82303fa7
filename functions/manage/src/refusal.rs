//! Why a change is not made.

use std::fmt;

use lambda_http::http::StatusCode;
use shared::http::ApiError;
use shared::store::{ChangeError, DefineCollectionError, DefineFeedError, StoreError};

/// Why a change is not made.
#[derive(Debug)]
pub enum Refusal {
    /// The resource is not as it was read: somebody else changed it meanwhile.
    Changed,
    /// Anything else.
    Api(ApiError),
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Api(error.into())
    }
}

/// 400 of settings that are not right.
pub fn invalid(message: impl fmt::Display) -> ApiError {
    let message: String = format!("{message}").chars().take(1000).collect();
    ApiError::bad_request("invalid_settings", message)
}

/// 409.
pub fn conflict(code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::CONFLICT, code, message)
}

impl From<ChangeError> for Refusal {
    fn from(error: ChangeError) -> Self {
        let message = error.to_string();
        Self::Api(match error {
            ChangeError::Changed => return Self::Changed,
            ChangeError::Store(error) => error.into(),
            ChangeError::NotFound => ApiError::not_found(message),
            ChangeError::Exists => conflict("already_exists", message),
            ChangeError::NoTenant(_) => invalid(message),
            ChangeError::TenantClosed(_) => conflict("tenant_deleted", message),
            ChangeError::Revoked => conflict("key_revoked", message),
        })
    }
}

impl From<DefineCollectionError> for Refusal {
    fn from(error: DefineCollectionError) -> Self {
        let message = error.to_string();
        Self::Api(match error {
            DefineCollectionError::Changed => return Self::Changed,
            DefineCollectionError::Store(error) => error.into(),
            DefineCollectionError::Taken => conflict("already_exists", message),
            DefineCollectionError::InUse(_) => conflict("in_use", message),
            DefineCollectionError::Filter(_)
            | DefineCollectionError::Author(_)
            | DefineCollectionError::Title(_) => invalid(message),
        })
    }
}

impl From<DefineFeedError> for Refusal {
    fn from(error: DefineFeedError) -> Self {
        let message = error.to_string();
        Self::Api(match error {
            DefineFeedError::Changed => return Self::Changed,
            DefineFeedError::Store(error) => error.into(),
            DefineFeedError::Taken => conflict("already_exists", message),
            DefineFeedError::Settings(_)
            | DefineFeedError::NoCollection(_)
            | DefineFeedError::NotPublic(_)
            | DefineFeedError::OtherCollection => invalid(message),
        })
    }
}
