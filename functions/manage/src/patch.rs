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

/// `target` with the changes of `patch`: a member that is null goes, an object is merged, anything
/// else replaces what is there.
pub fn merged(target: Value, patch: &Value) -> Value {
    let Value::Object(changes) = patch else { return patch.clone() };
    let mut members = match target {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    for (name, change) in changes {
        if change.is_null() {
            members.remove(name);
        } else {
            // As deep as the body, whose depth the JSON reader bounds.
            let before = members.remove(name).unwrap_or(Value::Null);
            members.insert(name.clone(), merged(before, change));
        }
    }
    Value::Object(members)
}

/// Reads settings, naming what is wrong with them.
///
/// # Errors
/// 400 `invalid_settings`.
pub fn settings<T: DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    serde_json::from_value(value).map_err(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn merges_as_the_standard_says() {
        // RFC 7396, appendix A.
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            assert_eq!(merged(target, &patch), result);
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
