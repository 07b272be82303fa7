//! Lists: `limit` and `cursor`, and the page they lead to. A cursor carries the place the next
//! page begins after, authenticated together with the list and its filters: it cannot be altered,
//! nor used for another list. Stateless; valid as long as the deployment's secret.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use lambda_http::http::StatusCode;
use serde_json::{Map, Value};
use sha2::Sha256;
use shared::http::{Answer, ApiError, Query};
use shared::services::Services;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;
const TAG_BYTES: usize = 16;
/// No place is longer.
const MAX_TEXT: usize = 1024;

/// What a list request asks for.
pub struct Place {
    secret: [u8; 32],
    list: String,
    after: Option<String>,
    /// How many at the most.
    pub limit: usize,
}

impl Place {
    /// Reads `limit` and `cursor` for the list `name`, narrowed by the parameters `filters`.
    ///
    /// # Errors
    /// 400 when one of them is not right.
    pub async fn of(
        services: &Services,
        query: &Query,
        name: &str,
        filters: &[&str],
    ) -> Result<Self, ApiError> {
        let secret = services.cursor_secret().await?;
        let mut list = name.to_owned();
        for filter in filters {
            list.push_str(&format!("\n{filter}={}", query.one(filter)?.unwrap_or_default()));
        }
        let limit = limit(query.one("limit")?)?;
        let after = query.one("cursor")?.map(|text| open(&secret, &list, text)).transpose()?;
        Ok(Self { secret, list, after, limit })
    }

    /// The place after which the page begins; absent: the beginning.
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }
}

fn limit(text: Option<&str>) -> Result<usize, ApiError> {
    let Some(text) = text else { return Ok(DEFAULT_LIMIT) };
    let good = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    good.ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        let message = format!("`limit` is a whole number from 1 to {MAX_LIMIT}, not {shown:?}");
        ApiError::bad_request("invalid_parameter", message)
    })
}

/// A page of a list: `{"<name>": […], "next": "…"}`, the latter if there is more after `last`.
pub fn page(
    place: &Place,
    name: &str,
    items: Vec<Value>,
    last: Option<String>,
) -> Result<Answer, ApiError> {
    let mut body = Map::new();
    body.insert(name.to_owned(), Value::Array(items));
    if let Some(last) = last {
        body.insert("next".to_owned(), seal(&place.secret, &place.list, &last)?.into());
    }
    Ok(Answer::json(StatusCode::OK, &body))
}

fn mac(secret: &[u8; 32], list: &str, after: &[u8]) -> Result<Hmac<Sha256>, ApiError> {
    // A key of any length is taken.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret)
        .map_err(|_| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "no cursor"))?;
    mac.update(b"manage-cursor\n");
    mac.update(list.as_bytes());
    mac.update(&[0]);
    mac.update(after);
    Ok(mac)
}

fn seal(secret: &[u8; 32], list: &str, after: &str) -> Result<String, ApiError> {
    let tag = mac(secret, list, after.as_bytes())?.finalize().into_bytes();
    let mut bytes = after.as_bytes().to_vec();
    bytes.extend(tag.iter().take(TAG_BYTES));
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn open(secret: &[u8; 32], list: &str, text: &str) -> Result<String, ApiError> {
    let not_ours = || {
        let message = "`cursor` is not a value this service gave as `next` of this list";
        ApiError::bad_request("invalid_parameter", message)
    };
    let bytes = (text.len() <= MAX_TEXT).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten();
    let bytes = bytes.ok_or_else(not_ours)?;
    let split = bytes.len().checked_sub(TAG_BYTES).ok_or_else(not_ours)?;
    let (after, tag) = bytes.split_at(split);
    mac(secret, list, after)?.verify_truncated_left(tag).map_err(|_| not_ours())?;
    String::from_utf8(after.to_vec()).map_err(|_| not_ours())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_untouched_and_for_its_list() {
        let secret = [7; 32];
        let text = seal(&secret, "keys\ntenant=acme", "acme#abc").unwrap();
        assert_eq!(open(&secret, "keys\ntenant=acme", &text).unwrap(), "acme#abc");
        assert!(open(&secret, "keys\ntenant=", &text).is_err());
        assert!(open(&[8; 32], "keys\ntenant=acme", &text).is_err());
        for bad in ["", "A", &text[1..], &"A".repeat(MAX_TEXT + 1)] {
            assert!(open(&secret, "keys\ntenant=acme", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_limit_is_bounded() {
        assert_eq!(limit(None).unwrap(), DEFAULT_LIMIT);
        assert_eq!(limit(Some("1")).unwrap(), 1);
        for bad in ["0", "101", "-1", "", "x"] {
            assert_eq!(limit(Some(bad)).unwrap_err().code, "invalid_parameter");
        }
    }
}
