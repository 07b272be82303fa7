//! One IOC as it was sent: the members told apart, nothing judged yet.

use serde::Deserialize;
use serde_json::Value;

use super::error::{IocError, shown};

/// One plain IOC as sent. Members are text as it came; [`IocRecord::check`] judges
/// them. Texts that are empty or blank count as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IocRecord {
    /// The IOC type's name, such as `ipv4`.
    pub kind: String,
    /// The value, possibly defanged.
    pub value: String,
    /// `high`, `medium`, `low`, or a number from 0 to 100.
    pub confidence: Option<String>,
    /// Free tags.
    pub tags: Vec<String>,
    /// ATT&CK technique ids.
    pub mitre: Vec<String>,
    /// When it was first seen.
    pub first_seen: Option<String>,
    /// When it was last seen.
    pub last_seen: Option<String>,
    /// Until when it is worth matching.
    pub valid_until: Option<String>,
    /// Who reported it.
    pub source: Option<String>,
    /// Prose about it.
    pub description: Option<String>,
    /// A TLP level.
    pub tlp: Option<String>,
    /// Whether it was withdrawn; `Some(false)` takes a withdrawal back.
    pub revoked: Option<bool>,
}

/// The members as JSON has them; others are passed over unread.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Wire {
    r#type: Value,
    value: Value,
    confidence: Value,
    tags: Value,
    mitre: Value,
    first_seen: Value,
    last_seen: Value,
    valid_until: Value,
    source: Value,
    description: Value,
    tlp: Value,
    revoked: Value,
}

impl IocRecord {
    /// Reads one JSON object. Unknown members are ignored, `null` is absent, and `tags` and
    /// `mitre` may be one text of entries separated by comma or semicolon.
    ///
    /// # Errors
    /// When the text is no JSON object, `type` or `value` is missing, or a member is of the wrong
    /// JSON kind.
    pub fn from_json(text: &str) -> Result<Self, IocError> {
        // An array would otherwise be read as the members in order.
        if !text.trim_start().starts_with('{') {
            return Err(IocError::Json(shown(text.trim())));
        }
        let wire: Wire =
            serde_json::from_str(text).map_err(|error| IocError::Json(error.to_string()))?;
        Ok(Self {
            kind: text_of("type", wire.r#type)?.ok_or(IocError::Missing("type"))?,
            value: text_of("value", wire.value)?.ok_or(IocError::Missing("value"))?,
            confidence: match wire.confidence {
                Value::Number(number) => Some(number.to_string()),
                other => {
                    text_of("confidence", other).map_err(|error| reworded(error, CONFIDENCE))?
                }
            },
            tags: list_of("tags", wire.tags)?,
            mitre: list_of("mitre", wire.mitre)?,
            first_seen: text_of("first_seen", wire.first_seen)?,
            last_seen: text_of("last_seen", wire.last_seen)?,
            valid_until: text_of("valid_until", wire.valid_until)?,
            source: text_of("source", wire.source)?,
            description: text_of("description", wire.description)?,
            tlp: text_of("tlp", wire.tlp)?,
            revoked: match wire.revoked {
                Value::Bool(revoked) => Some(revoked),
                other => text_of("revoked", other)
                    .map_err(|error| reworded(error, "true or false"))?
                    .map(|text| truth(&text))
                    .transpose()?,
            },
        })
    }
}

const CONFIDENCE: &str = "high, medium, low or a whole number from 0 to 100";

/// `true` or `false` written as text, any letter case; `1`, `0`, `yes` and `no` as well.
pub(super) fn truth(text: &str) -> Result<bool, IocError> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(IocError::Revoked(shown(text))),
    }
}

/// The entries of a list written as one text, without the empty ones.
pub(super) fn split(text: &str, separators: &[char]) -> Vec<String> {
    text.split(separators)
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(Into::into)
        .collect()
}

fn text_of(member: &'static str, value: Value) -> Result<Option<String>, IocError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
        other => Err(IocError::WrongKind { member, found: kind_of(&other), wanted: "a text" }),
    }
}

fn list_of(member: &'static str, value: Value) -> Result<Vec<String>, IocError> {
    let wanted = "a list of texts, or one text separated by commas";
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(split(&text, &[',', ';'])),
        Value::Array(entries) => entries
            .into_iter()
            .map(|entry| match entry {
                Value::String(text) => Ok(text),
                other => Err(IocError::WrongKind { member, found: within(&other), wanted }),
            })
            .collect(),
        other => Err(IocError::WrongKind { member, found: kind_of(&other), wanted }),
    }
}

fn reworded(error: IocError, wanted: &'static str) -> IocError {
    match error {
        IocError::WrongKind { member, found, .. } => IocError::WrongKind { member, found, wanted },
        other => other,
    }
}

const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

const fn within(value: &Value) -> &'static str {
    match value {
        Value::Null => "a list with null in it",
        Value::Bool(_) => "a list with a truth value in it",
        Value::Number(_) => "a list with a number in it",
        Value::String(_) => "a list of texts",
        Value::Array(_) => "a list with a list in it",
        Value::Object(_) => "a list with an object in it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_told_apart() {
        let record = IocRecord::from_json(
            r#" {"type":"ipv4","value":"192.0.2.1","confidence":90,"tags":"a, b;c","mitre":["T1059"],
                "first_seen":null,"source":" ","revoked":"TRUE","x":{"y":[1]}}"#,
        )
        .unwrap();
        assert_eq!(record.confidence.as_deref(), Some("90"));
        assert_eq!(record.tags, ["a", "b", "c"]);
        assert_eq!(record.mitre, ["T1059"]);
        assert_eq!((record.first_seen, record.source, record.revoked), (None, None, Some(true)));
    }

    #[test]
    fn wrong_kinds_name_the_member() {
        for (text, part) in [
            ("[\"ipv4\",\"192.0.2.1\"]", "not one JSON object"),
            ("{", "not one JSON object"),
            (r#"{"value":"192.0.2.1"}"#, "`type` is missing"),
            (r#"{"type":"ipv4","value":" "}"#, "`value` is missing"),
            (r#"{"type":"ipv4","value":1}"#, "`value` is a number"),
            (r#"{"type":"ipv4","value":"x","confidence":true}"#, "0 to 100"),
            (r#"{"type":"ipv4","value":"x","tags":[1]}"#, "`tags` is a list with a number"),
            (r#"{"type":"ipv4","value":"x","revoked":"maybe"}"#, "`revoked`"),
            (r#"{"type":"ipv4","value":"x","tlp":{}}"#, "`tlp` is an object"),
        ] {
            let error = IocRecord::from_json(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
