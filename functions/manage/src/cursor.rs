//! Lists: `limit` and `cursor`, and the page they lead to. A cursor carries the place the next
//! page begins after, authenticated together with the list and its filters: it cannot be altered,
//! nor used for another list. Stateless; valid as long as the deployment's secret.

use lambda_http::http::StatusCode;
use serde_json::{Map, Value};
use shared::cursor::Secret;
use shared::http::{Answer, ApiError, Query};
use shared::services::Services;
use shared::store::StoreError;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;
/// No place is longer.
const MAX_TEXT: usize = 1024;

/// What a list request asks for.
pub struct Place {
    secret: Secret,
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
            list.extend(["\n", filter, "=", query.one(filter)?.unwrap_or_default()]);
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

fn purpose(list: &str) -> String {
    format!("manage-1\n{list}")
}

fn seal(secret: &Secret, list: &str, after: &str) -> Result<String, ApiError> {
    let sealed = shared::cursor::seal(secret, &purpose(list), &after);
    sealed.map_err(|fault| StoreError::Damaged(fault.to_string()).into())
}

fn open(secret: &Secret, list: &str, text: &str) -> Result<String, ApiError> {
    let opened =
        (text.len() <= MAX_TEXT).then(|| shared::cursor::open(secret, &purpose(list), text));
    opened.flatten().ok_or_else(|| {
        let message = "`cursor` is not a value this service gave as `next` of this list";
        ApiError::bad_request("invalid_parameter", message)
    })
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
