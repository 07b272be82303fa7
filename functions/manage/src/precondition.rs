//! `If-Match` (RFC 9110, section 13.1.1): a change is made to what its author saw, or not at all.

use lambda_http::http::StatusCode;
use lambda_http::http::header::IF_MATCH;
use serde_json::json;
use shared::http::{ApiError, Call};

/// The `ETag` of a revision.
pub fn etag(revision: u64) -> String {
    format!("\"{revision}\"")
}

/// Which revisions a request is meant for.
#[derive(Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Whichever it is.
    Any,
    /// One of these tags.
    OneOf(Vec<String>),
}

impl Precondition {
    fn read(header: Option<&str>) -> Option<Self> {
        let header = header?.trim();
        if header == "*" {
            return Some(Self::Any);
        }
        Some(Self::OneOf(header.split(',').map(|tag| tag.trim().to_owned()).collect()))
    }

    /// What a request says; any revision will do if it says nothing.
    pub fn of(call: &Call) -> Self {
        Self::read(call.header(&IF_MATCH)).unwrap_or(Self::Any)
    }

    /// What a request must say.
    ///
    /// # Errors
    /// 428 when it says nothing.
    pub fn required(call: &Call) -> Result<Self, ApiError> {
        Self::read(call.header(&IF_MATCH)).ok_or_else(|| {
            ApiError::new(
                StatusCode::PRECONDITION_REQUIRED,
                "precondition_required",
                "send If-Match with the ETag of what you read, or `*` to change it whatever it is",
            )
        })
    }

    /// Whether the resource is as the request's author saw it.
    ///
    /// # Errors
    /// 412 when it is not.
    pub fn check(&self, revision: u64) -> Result<(), ApiError> {
        let tag = etag(revision);
        if matches!(self, Self::OneOf(tags) if !tags.contains(&tag)) {
            let mut error = ApiError::new(
                StatusCode::PRECONDITION_FAILED,
                "changed",
                format!("it is not as you read it: its ETag is {tag} now; read it again"),
            );
            error.details = json!({"etag": tag});
            return Err(error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_revision_that_was_read_will_do() {
        let says = |header| Precondition::read(Some(header)).unwrap();
        assert!(says("*").check(7).is_ok());
        assert!(says("\"7\"").check(7).is_ok());
        assert!(says("\"6\", \"7\"").check(7).is_ok());
        for other in ["\"6\"", "W/\"7\"", "7", ""] {
            assert_eq!(says(other).check(7).unwrap_err().code, "changed", "{other}");
        }
        assert_eq!(Precondition::read(None), None);
    }
}
