//! One STIX object as it comes in: checked for what consumers break on, kept verbatim.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::facets::{Facets, SpecVersion};
use super::{describe, strict};
use crate::id::{ObjectId, ObjectIdError, is_type_name};
use crate::pattern::{Pattern, PatternError};
use crate::time::{Timestamp, Version};

/// The largest object that is stored, in bytes of compact JSON: below `DynamoDB`'s 400 KB item.
pub const MAX_OBJECT_BYTES: usize = 380_000;

/// Two objects with the same hash have the same content, whatever the order of their members
/// and the white space between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentHash(pub [u8; 16]);

/// A checked object: its text as it came but for white space between tokens, and its facets.
#[derive(Clone, Debug)]
pub struct StixObject {
    /// What the service knows of it.
    pub facets: Facets,
    /// Compact JSON; members, number spelling and strings exactly as they came.
    pub json: String,
    /// Equal for equal content.
    pub content: ContentHash,
    /// Whether the version is the object's own `modified` or `created`; otherwise it is the
    /// time given to [`StixObject::parse`].
    pub own_version: bool,
}

/// Why an object is refused (contract: ingest, "what is refused").
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Rejection {
    /// Not JSON, or JSON that readers disagree about.
    #[error("not usable JSON: {0}")]
    Json(String),
    /// Not a JSON object.
    #[error("a STIX object is a JSON object, this is {0}")]
    NotAnObject(&'static str),
    /// Over [`MAX_OBJECT_BYTES`].
    #[error("the object has {0} bytes, at most {MAX_OBJECT_BYTES} are kept")]
    TooLarge(usize),
    /// A required member is absent.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A member has the wrong JSON kind.
    #[error("`{member}` must be {expected}")]
    Kind {
        /// The member's name.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// `id` is not a STIX identifier.
    #[error("`id`: {0}")]
    Id(#[from] ObjectIdError),
    /// `type` is not a STIX type name, or one that is never an object of its own.
    #[error("`type` {0:?} is not the type of an object")]
    Type(String),
    /// `type` and the type in `id` differ.
    #[error("`type` is {object_type:?} but `id` begins with {id_type:?}")]
    TypeMismatch {
        /// The `type` member.
        object_type: String,
        /// The type in the id.
        id_type: String,
    },
    /// A timestamp is not in STIX's form.
    #[error("`{member}` is not a timestamp of the form 2026-05-15T08:30:00.000Z: {value:?}")]
    Timestamp {
        /// The member's name.
        member: &'static str,
        /// The value, cut short.
        value: String,
    },
    /// `confidence` is not an integer from 0 to 100.
    #[error("`confidence` must be an integer from 0 to 100")]
    Confidence,
    /// A STIX pattern does not parse.
    #[error("`pattern` is not a STIX pattern: {0}")]
    Pattern(#[from] PatternError),
}

impl Rejection {
    /// A stable name for the fault.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Json(_) | Self::NotAnObject(_) => "invalid_json",
            Self::TooLarge(_) => "object_too_large",
            Self::Missing(_) => "missing_property",
            Self::Kind { .. } => "invalid_property",
            Self::Id(_) => "invalid_id",
            Self::Type(_) => "invalid_type",
            Self::TypeMismatch { .. } => "type_id_mismatch",
            Self::Timestamp { .. } => "invalid_timestamp",
            Self::Confidence => "invalid_confidence",
            Self::Pattern(_) => "invalid_pattern",
        }
    }
}

impl StixObject {
    /// Reads and checks one object. `now` becomes its version if it has none of its own.
    ///
    /// # Errors
    /// Says which member is at fault and what would be right.
    pub fn parse(raw: &[u8], now: DateTime<Utc>) -> Result<Self, Rejection> {
        // Ten times the limit in white space would be odd, but is no reason to refuse.
        if raw.len() > MAX_OBJECT_BYTES * 10 {
            return Err(Rejection::TooLarge(raw.len()));
        }
        let text = std::str::from_utf8(raw).map_err(|e| Rejection::Json(e.to_string()))?;
        let strict::Strict(value) =
            serde_json::from_str(text).map_err(|e| Rejection::Json(e.to_string()))?;
        let Value::Object(members) = &value else {
            return Err(Rejection::NotAnObject(kind_of(&value)));
        };
        let json = strict::compact(text);
        if json.len() > MAX_OBJECT_BYTES {
            return Err(Rejection::TooLarge(json.len()));
        }
        let id = identity(members)?;
        let spec_version = spec_version(members, id.object_type());
        let (version, own_version) = version(members, id.object_type(), now)?;
        confidence(members)?;
        markings(members)?;
        let pattern = match id.object_type() {
            "indicator" => indicator_pattern(members, spec_version)?,
            _ => None,
        };
        let facets = describe::facets(id, version, spec_version, members, pattern.as_ref());
        let content = content_hash(&value);
        Ok(Self { facets, json, content, own_version })
    }
}

impl Facets {
    /// What the service knows of an object it stored, and the object's members. `version` is what
    /// was stored as its version.
    ///
    /// # Errors
    /// When it is none that [`StixObject::parse`] took.
    pub fn of_stored(
        json: &str,
        version: Version,
    ) -> Result<(Self, Map<String, Value>), Rejection> {
        let value = serde_json::from_str(json).map_err(|e| Rejection::Json(e.to_string()))?;
        let Value::Object(members) = value else {
            return Err(Rejection::NotAnObject(kind_of(&value)));
        };
        let id = identity(&members)?;
        let spec_version = spec_version(&members, id.object_type());
        let pattern = match id.object_type() {
            "indicator" => indicator_pattern(&members, spec_version)?,
            _ => None,
        };
        let facets = describe::facets(id, version, spec_version, &members, pattern.as_ref());
        Ok((facets, members))
    }
}

fn content_hash(value: &Value) -> ContentHash {
    // `serde_json`'s map is sorted by name, so the text is canonical.
    let digest = Sha256::digest(value.to_string().as_bytes());
    let mut hash = [0; 16];
    hash.copy_from_slice(&digest[..16]);
    ContentHash(hash)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn text<'a>(
    members: &'a Map<String, Value>,
    member: &'static str,
) -> Result<Option<&'a str>, Rejection> {
    match members.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Rejection::Kind { member, expected: "a string" }),
    }
}

fn required<'a>(
    members: &'a Map<String, Value>,
    member: &'static str,
) -> Result<&'a str, Rejection> {
    text(members, member)?.filter(|text| !text.is_empty()).ok_or(Rejection::Missing(member))
}

fn timestamp(
    members: &Map<String, Value>,
    member: &'static str,
) -> Result<Option<Timestamp>, Rejection> {
    text(members, member)?
        .map(|value| {
            value.parse().map_err(|_| Rejection::Timestamp {
                member,
                value: value.chars().take(60).collect(),
            })
        })
        .transpose()
}

fn identity(members: &Map<String, Value>) -> Result<ObjectId, Rejection> {
    let object_type = required(members, "type")?;
    let id: ObjectId = required(members, "id")?.parse()?;
    if !is_type_name(object_type) || object_type == "bundle" {
        return Err(Rejection::Type(object_type.chars().take(60).collect()));
    }
    if id.object_type() != object_type {
        return Err(Rejection::TypeMismatch {
            object_type: object_type.chars().take(60).collect(),
            id_type: id.object_type().to_owned(),
        });
    }
    Ok(id)
}

/// The cyber-observable types of STIX 2.1, section 6: they carry neither `created` nor
/// `modified`, and `spec_version` is optional.
pub const OBSERVABLE_TYPES: &[&str] = &[
    "artifact",
    "autonomous-system",
    "directory",
    "domain-name",
    "email-addr",
    "email-message",
    "file",
    "ipv4-addr",
    "ipv6-addr",
    "mac-addr",
    "mutex",
    "network-traffic",
    "process",
    "software",
    "url",
    "user-account",
    "windows-registry-key",
    "x509-certificate",
];

/// The domain, relationship and meta types whose `created` and `modified` are required.
const VERSIONED_TYPES: [&str; 23] = [
    "attack-pattern",
    "campaign",
    "course-of-action",
    "extension-definition",
    "grouping",
    "identity",
    "incident",
    "indicator",
    "infrastructure",
    "intrusion-set",
    "language-content",
    "location",
    "malware",
    "malware-analysis",
    "note",
    "observed-data",
    "opinion",
    "relationship",
    "report",
    "sighting",
    "threat-actor",
    "tool",
    "vulnerability",
];

fn spec_version(members: &Map<String, Value>, object_type: &str) -> SpecVersion {
    let needs_none = OBSERVABLE_TYPES.contains(&object_type) || object_type == "marking-definition";
    let versioned = members.contains_key("created") || VERSIONED_TYPES.contains(&object_type);
    match members.get("spec_version").and_then(Value::as_str) {
        Some("2.0") => SpecVersion::V20,
        None if versioned && !needs_none => SpecVersion::V20,
        _ => SpecVersion::V21,
    }
}

fn version(
    members: &Map<String, Value>,
    object_type: &str,
    now: DateTime<Utc>,
) -> Result<(Version, bool), Rejection> {
    let created = timestamp(members, "created")?;
    let modified = timestamp(members, "modified")?;
    if VERSIONED_TYPES.contains(&object_type) {
        if created.is_none() {
            return Err(Rejection::Missing("created"));
        }
        if modified.is_none() {
            return Err(Rejection::Missing("modified"));
        }
    }
    Ok(match modified.or(created) {
        Some(own) => (Version(own), true),
        None => (Version(Timestamp::millis(now)), false),
    })
}

fn confidence(members: &Map<String, Value>) -> Result<(), Rejection> {
    match members.get("confidence") {
        None => Ok(()),
        Some(value) if value.as_u64().is_some_and(|confidence| confidence <= 100) => Ok(()),
        Some(_) => Err(Rejection::Confidence),
    }
}

/// Whoever marks an object wants it kept: what marks nothing is refused, rather than passed over.
/// What an id means is not looked at here.
fn markings(members: &Map<String, Value>) -> Result<(), Rejection> {
    let lists = |value: &Value, is: fn(&Value) -> bool| {
        value.as_array().is_some_and(|items| items.iter().all(is))
    };
    let wrong = |member, is| members.get(member).is_some_and(|value| !lists(value, is));
    if wrong("object_marking_refs", Value::is_string) {
        let expected = "a list of ids of marking definitions";
        return Err(Rejection::Kind { member: "object_marking_refs", expected });
    }
    if wrong("granular_markings", Value::is_object) {
        let expected = "a list of granular markings, which are objects";
        return Err(Rejection::Kind { member: "granular_markings", expected });
    }
    Ok(())
}

fn indicator_pattern(
    members: &Map<String, Value>,
    spec_version: SpecVersion,
) -> Result<Option<Pattern>, Rejection> {
    let pattern = required(members, "pattern")?;
    let pattern_type = match (text(members, "pattern_type")?, spec_version) {
        (Some(pattern_type), _) => pattern_type,
        (None, SpecVersion::V20) => "stix",
        (None, SpecVersion::V21) => return Err(Rejection::Missing("pattern_type")),
    };
    timestamp(members, "valid_from")?.ok_or(Rejection::Missing("valid_from"))?;
    if pattern_type.eq_ignore_ascii_case("stix") {
        return Ok(Some(pattern.parse()?));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markings_that_are_no_lists_are_refused() {
        let parse = |member: &str, value: &str| {
            let json = format!(
                r#"{{"type":"malware","spec_version":"2.1","id":"malware--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"Example","is_family":false,"{member}":{value}}}"#
            );
            StixObject::parse(json.as_bytes(), Utc::now()).map(|_| ())
        };
        for value in ["null", "7", "{}", r#""TLP:RED""#, "[null]", "[{}]", "[[]]"] {
            let error = parse("object_marking_refs", value).unwrap_err();
            assert_eq!(error.code(), "invalid_property", "{value}");
            assert!(error.to_string().starts_with("`object_marking_refs` must be a list of ids"));
        }
        for value in ["null", "7", "{}", r#""TLP:RED""#, "[null]", r#"["TLP:RED"]"#] {
            let error = parse("granular_markings", value).unwrap_err();
            assert!(error.to_string().starts_with("`granular_markings` must be a list"), "{value}");
        }
        for (member, value) in [
            ("object_marking_refs", "[]"),
            ("object_marking_refs", r#"["TLP:RED"]"#),
            ("granular_markings", r#"[{"marking_ref":7}]"#),
        ] {
            assert_eq!(parse(member, value), Ok(()), "{value}");
        }
    }
}
