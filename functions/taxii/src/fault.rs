//! TAXII error objects (TAXII 2.1, section 3.6.1).

use lambda_http::http::StatusCode;
use serde_json::{Map, Value, json};
use shared::access::ScopeRefusal;
use shared::http::{Answer, ApiError, AuthError, BodyError, Call, QueryError, Refusal};
use shared::store::StoreError;

use crate::media;

/// An error, on its way to be a TAXII error object.
#[derive(Clone, Debug)]
pub struct Fault {
    error: ApiError,
    parameter: Option<String>,
}

impl Fault {
    /// A fault of this status and code.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        ApiError::new(status, code, message).into()
    }

    /// 400 that names the parameter at fault.
    pub fn parameter(name: &str, message: impl Into<String>) -> Self {
        let error = ApiError::bad_request("invalid_parameter", message);
        Self { error, parameter: Some(name.to_owned()) }
    }

    /// 401 of a request without a key where one is needed.
    pub fn unauthenticated() -> Self {
        AuthError::Missing.into()
    }

    /// Whether a key would help.
    pub fn is_unauthenticated(&self) -> bool {
        self.error.status == StatusCode::UNAUTHORIZED
    }

    /// 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        ApiError::not_found(message).into()
    }

    /// 404 of a route nobody serves.
    pub fn unknown_route(call: &Call) -> Self {
        ApiError::unknown_route(call).into()
    }

    /// 405.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        ApiError::method_not_allowed(allow).into()
    }

    /// The answer: `title` always, `http_status` a string equal to the status.
    pub fn answer(self, call: &Call) -> Answer {
        let mut details = Map::new();
        if let Value::Object(known) = &self.error.details {
            details.clone_from(known);
        }
        if let Some(parameter) = self.parameter {
            details.insert("parameter".into(), Value::String(parameter));
        }
        let status = self.error.status;
        let mut body = json!({
            "title": status.canonical_reason().unwrap_or("Error"),
            "description": self.error.message,
            "error_id": call.request_id,
            "error_code": self.error.code,
            "http_status": status.as_str(),
        });
        if !details.is_empty() {
            body["details"] = Value::Object(details);
        }
        // The headers (challenge, Allow, Retry-After) are those of every surface.
        self.error.answer(call).with_body(media::TAXII, &body)
    }
}

impl Refusal for Fault {
    fn answer(self, call: &Call) -> Answer {
        Self::answer(self, call)
    }
}

impl From<ApiError> for Fault {
    fn from(error: ApiError) -> Self {
        Self { error, parameter: None }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        ApiError::from(error).into()
    }
}

impl From<ScopeRefusal> for Fault {
    fn from(refusal: ScopeRefusal) -> Self {
        ApiError::from(refusal).into()
    }
}

impl From<AuthError> for Fault {
    fn from(error: AuthError) -> Self {
        ApiError::from(error).into()
    }
}

impl From<BodyError> for Fault {
    fn from(error: BodyError) -> Self {
        ApiError::from(error).into()
    }
}

impl From<QueryError> for Fault {
    fn from(error: QueryError) -> Self {
        let parameter = match &error {
            QueryError::Repeated(name) | QueryError::Encoding(name) => Some(name.clone()),
            QueryError::TooMany => None,
        };
        Self { parameter, ..ApiError::from(error).into() }
    }
}
