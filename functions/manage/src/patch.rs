//! Bodies: JSON objects, and changes as JSON Merge Patch (RFC 7396).

use lambda_http::http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use shared::http::{ApiError, Call};

use crate::refusal::invalid;

/// What operators send is settings, not data; the audit keeps it twice.
const MAX_BODY_BYTES: usize = 64 * 1024;

const TYPES: [&str; 2] = ["application/json", "application/merge-patch+json"];

/// The request's body.
///
/// # Errors
/// 415 of another type, 413 of a large one, 400 unless it is a JSON object.
pub fn body(call: &Call) -> Result<Value, ApiError> {
    let essence = call.content_type().split(';').next().unwrap_or_default().trim();
    if !TYPES.iter().any(|known| known.eq_ignore_ascii_case(essence)) {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_type",
            "send application/json (for PATCH also application/merge-patch+json)",
        ));
    }
    object(&call.body()?)
}

/// The request's body, or an empty object if it has none.
///
/// # Errors
/// As [`body`].
pub fn optional_body(call: &Call) -> Result<Value, ApiError> {
    if call.body()?.is_empty() { Ok(Value::Object(Map::new())) } else { body(call) }
}

fn object(bytes: &[u8]) -> Result<Value, ApiError> {
    if bytes.len() > MAX_BODY_BYTES {
        return Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("settings have at most {MAX_BODY_BYTES} bytes"),
        ));
    }
    let malformed = |why: String| ApiError::bad_request("malformed_json", why);
    match serde_json::from_slice(bytes) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(malformed("the body is JSON, but no object: send {\"…\": …}".to_owned())),
        Err(error) => Err(malformed(format!("the body is no JSON: {error}"))),
    }
}

/// `target` with the changes of `patch` (RFC 7396): a member that is null goes, an object is
/// merged, anything else replaces what is there.
pub fn merged(mut target: Value, patch: &Value) -> Value {
    // As deep as the body, whose depth the JSON reader bounds.
    json_patch::merge(&mut target, patch);
    target
}

/// Reads settings, naming what is wrong with them.
///
/// # Errors
/// 400 `invalid_settings`.
pub fn settings<T: DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let fault = error.into_inner();
        // "." is the whole: then the fault names the member itself.
        if path == "." { invalid(fault) } else { invalid(format!("{path}: {fault}")) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn null_takes_a_member_away() {
        let target = json!({"a": "b", "c": {"d": 1, "e": 2}});
        let patch = json!({"a": null, "c": {"d": null, "f": {"g": null}}});
        assert_eq!(merged(target, &patch), json!({"c": {"e": 2, "f": {}}}));
    }

    #[test]
    fn a_fault_names_the_member_it_is_in() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Settings {
            #[serde(rename = "level")]
            _level: Level,
        }
        #[derive(Debug, serde::Deserialize)]
        struct Level {
            #[serde(rename = "of")]
            _of: u8,
        }
        for (value, part) in [
            (json!({"level": {"of": "x"}}), "level.of: invalid type"),
            (json!({"level": null}), "level: invalid type"),
            (json!({"lever": 1}), "lever"),
            (json!({}), "level"),
        ] {
            let error = settings::<Settings>(value).unwrap_err();
            assert!(error.message.contains(part), "{}", error.message);
        }
    }

    #[test]
    fn a_body_is_an_object() {
        assert!(object(b"{}").is_ok());
        for bad in ["", "[]", "1", "{", "{\"a\":}"] {
            assert_eq!(object(bad.as_bytes()).unwrap_err().code, "malformed_json");
        }
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BODY_BYTES));
        assert_eq!(object(large.as_bytes()).unwrap_err().code, "body_too_large");
    }
}
