//! Errors of every surface but TAXII: `{"error":{code,message,details,request_id}}`.

use std::num::NonZeroU32;
use std::time::Duration;

use lambda_http::http::StatusCode;
use lambda_http::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::{Value, json};
use tracing::error;

use super::auth::{AuthError, CHALLENGE};
use super::{Answer, BodyError, Call, QueryError};
use crate::access::ScopeRefusal;
use crate::store::StoreError;

/// An error as a client sees it: nothing internal in it.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// The HTTP status.
    pub status: StatusCode,
    /// A stable name.
    pub code: &'static str,
    /// What was wrong and what would be right.
    pub message: String,
    /// More, for programs.
    pub details: Value,
    /// The methods a route takes, for 405.
    allow: Option<&'static str>,
    /// Seconds after which to try again, for 429 and 503.
    retry_after: Option<NonZeroU32>,
}

impl ApiError {
    /// An error of this status, code and message.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            details: json!({}),
            allow: None,
            retry_after: None,
        }
    }

    /// 400.
    #[must_use]
    pub fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 404 of a route nobody serves.
    #[must_use]
    pub fn unknown_route(call: &Call) -> Self {
        let path: String = call.path.join("/").chars().take(120).collect();
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no route /{path}"))
    }

    /// 404 of a thing.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 503 of a request that the function's time was not enough for.
    #[must_use]
    pub fn out_of_time(time: Duration) -> Self {
        error!(?time, "no answer in time");
        Self::unavailable()
    }

    fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "the store is busy or out of reach: try again; sending the same again is harmless",
        )
        .retry_after(1)
    }

    /// 405 of a route that takes only the methods in `allow`.
    #[must_use]
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let message = format!("this route takes {allow}");
        let mut error = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message);
        error.allow = Some(allow);
        error
    }

    /// The same, with the seconds after which to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = NonZeroU32::new(u32::try_from(seconds).unwrap_or(u32::MAX));
        self
    }

    /// The answer.
    #[must_use]
    pub fn answer(self, call: &Call) -> Answer {
        let body = json!({"error": {
            "code": self.code,
            "message": self.message,
            "details": self.details,
            "request_id": call.request_id,
        }});
        let mut answer = Answer::json(self.status, &body);
        if self.status == StatusCode::UNAUTHORIZED {
            answer = answer.with(WWW_AUTHENTICATE, CHALLENGE);
        }
        if let Some(seconds) = self.retry_after {
            answer = answer.with(RETRY_AFTER, &seconds.to_string());
        }
        match self.allow {
            Some(allow) => answer.with(ALLOW, allow),
            None => answer,
        }
    }
}

impl From<StoreError> for ApiError {
    /// The store's own words go to the log only.
    fn from(store_error: StoreError) -> Self {
        error!(error = %store_error, "store");
        match store_error {
            StoreError::Damaged(_) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "something stored cannot be read; the operator is told by the log",
            ),
            _ => Self::unavailable(),
        }
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Store(error) => error.into(),
            AuthError::OverLimit { wait, .. } => {
                let message = error.to_string();
                Self::new(StatusCode::TOO_MANY_REQUESTS, error.code(), message).retry_after(wait)
            }
            error => Self::new(StatusCode::UNAUTHORIZED, error.code(), error.to_string()),
        }
    }
}

impl From<ScopeRefusal> for ApiError {
    fn from(refusal: ScopeRefusal) -> Self {
        let (code, details) = match &refusal {
            ScopeRefusal::MissingScope(scope) => ("missing_scope", json!({"scope": scope.name()})),
            ScopeRefusal::PlanRequired { scope, plan } => {
                ("plan_required", json!({"scope": scope.name(), "plan": plan}))
            }
        };
        let mut error = Self::new(StatusCode::FORBIDDEN, code, refusal.to_string());
        error.details = details;
        error
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        Self::bad_request("invalid_query", error.to_string())
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        let (status, code) = match error {
            BodyError::TooLarge(_) | BodyError::ExpandsTooFar => {
                (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large")
            }
            BodyError::Coding(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding"),
            BodyError::Damaged(_) => (StatusCode::BAD_REQUEST, "damaged_body"),
        };
        Self::new(status, code, error.to_string())
    }
}
