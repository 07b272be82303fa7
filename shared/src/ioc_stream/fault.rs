//! Errors as clients of `VirusTotal` read them: `{"error":{"code","message"}}`.

use lambda_http::http::StatusCode;
use serde_json::json;

use crate::cursor::SealError;
use crate::http::{Answer, ApiError, AuthError, Call, QueryError, Refusal};
use crate::notification::cursor::CursorError;
use crate::notification::filter::FilterError;
use crate::store::StoreError;

/// An error on its way to a client of this surface.
#[derive(Clone, Debug)]
pub struct Fault(ApiError);

/// A deletion by filter while another is under way; the name `VirusTotal` gives it.
const DELETION_RUNNING: &str = "deletion_running";
/// Seconds after which a client may ask again.
const DELETION_PATIENCE: u64 = 10;
/// A parameter beside the filter.
const INVALID_ARGUMENT: &str = "invalid_argument";

impl Fault {
    /// 400 of a parameter beside the filter.
    #[must_use]
    pub fn argument(message: impl Into<String>) -> Self {
        ApiError::bad_request(INVALID_ARGUMENT, message).into()
    }

    /// 404 of a notification.
    #[must_use]
    pub fn no_notification(id: &str) -> Self {
        let shown: String = id.chars().take(60).collect();
        ApiError::not_found(format!("IoC Stream notification \"{shown}\" not found")).into()
    }

    /// 404 of a route nobody serves.
    #[must_use]
    pub fn unknown_route(call: &Call) -> Self {
        ApiError::unknown_route(call).into()
    }

    /// 405 of a route that takes only the methods in `allow`.
    #[must_use]
    pub fn method_not_allowed(allow: &'static str) -> Self {
        ApiError::method_not_allowed(allow).into()
    }

    /// 429 of a second deletion by filter.
    #[must_use]
    pub fn deletion_running() -> Self {
        let message =
            "a deletion of IoC Stream notifications is under way: call again when it is done";
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, DELETION_RUNNING, message)
            .retry_after(DELETION_PATIENCE)
            .into()
    }

    /// The answer: the shared error's status and headers, and the codes of `VirusTotal`.
    #[must_use]
    pub fn answer(self, call: &Call) -> Answer {
        let body = json!({
            "error": {"code": code(&self.0), "message": self.0.message},
            "request_id": call.request_id,
        });
        self.0.answer(call).with_body("application/json", &body)
    }
}

/// `VirusTotal`'s name of an error, here and nowhere else.
fn code(error: &ApiError) -> &'static str {
    match (error.code, error.status.as_u16()) {
        ("missing_api_key", _) => "AuthenticationRequiredError",
        ("expired_api_key" | "revoked_api_key", _) => "UserNotActiveError",
        (_, 401) => "WrongCredentialsError",
        (INVALID_ARGUMENT, _) => "InvalidArgumentError",
        (DELETION_RUNNING, _) => "TooManyRequests",
        // The plan's limits, of the minute and of the day.
        ("rate_limited", _) => "QuotaExceededError",
        (_, 429) => "TooManyRequestsError",
        (_, 403) => "ForbiddenError",
        (_, 404) => "NotFoundError",
        (_, 405) => "MethodNotAllowedError",
        (_, 400..=499) => "BadRequestError",
        _ => "TransientError",
    }
}

impl Refusal for Fault {
    fn answer(self, call: &Call) -> Answer {
        Self::answer(self, call)
    }
}

impl From<ApiError> for Fault {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl From<AuthError> for Fault {
    fn from(error: AuthError) -> Self {
        Self(error.into())
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

impl From<QueryError> for Fault {
    fn from(error: QueryError) -> Self {
        Self(error.into())
    }
}

impl From<FilterError> for Fault {
    fn from(error: FilterError) -> Self {
        Self(ApiError::bad_request("invalid_filter", error.to_string()))
    }
}

impl From<SealError> for Fault {
    fn from(error: SealError) -> Self {
        StoreError::Damaged(error.to_string()).into()
    }
}

impl From<CursorError> for Fault {
    fn from(error: CursorError) -> Self {
        Self::argument(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_plan_does_not_allow_is_a_quota_exceeded() {
        let quota = crate::access::Quota { limit: 5, remaining: 0, resets: 60 };
        let fault = Fault::from(AuthError::OverLimit { quota, wait: 7 });
        assert_eq!(code(&fault.0), "QuotaExceededError");
        assert_eq!(fault.0.status, StatusCode::TOO_MANY_REQUESTS);
    }

    #[test]
    fn every_error_has_a_name_its_clients_know() {
        let named = |status, name| code(&ApiError::new(status, name, ""));
        for (status, name, expected) in [
            (StatusCode::UNAUTHORIZED, "missing_api_key", "AuthenticationRequiredError"),
            (StatusCode::UNAUTHORIZED, "invalid_api_key", "WrongCredentialsError"),
            (StatusCode::UNAUTHORIZED, "expired_api_key", "UserNotActiveError"),
            (StatusCode::UNAUTHORIZED, "revoked_api_key", "UserNotActiveError"),
            (StatusCode::FORBIDDEN, "missing_scope", "ForbiddenError"),
            (StatusCode::FORBIDDEN, "plan_required", "ForbiddenError"),
            (StatusCode::NOT_FOUND, "not_found", "NotFoundError"),
            (StatusCode::BAD_REQUEST, "invalid_query", "BadRequestError"),
            (StatusCode::BAD_REQUEST, INVALID_ARGUMENT, "InvalidArgumentError"),
            (StatusCode::TOO_MANY_REQUESTS, DELETION_RUNNING, "TooManyRequests"),
            (StatusCode::TOO_MANY_REQUESTS, "rate_limited", "QuotaExceededError"),
            (StatusCode::TOO_MANY_REQUESTS, "another", "TooManyRequestsError"),
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "TransientError"),
            (StatusCode::INTERNAL_SERVER_ERROR, "internal", "TransientError"),
        ] {
            assert_eq!(named(status, name), expected, "{status} {name}");
        }
    }
}
