//! STIX identifiers (STIX 2.1, section 2.9) as types: `<object-type>--<UUID>`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// The id of a STIX object: a type name, `--`, and a UUID in its canonical spelling.
///
/// Kept as it came (STIX ids are compared byte for byte); upper-case UUIDs are refused.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectId(Box<str>);

/// Why a text is not a STIX identifier.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ObjectIdError {
    /// No `--` between type and UUID.
    #[error("an id has the form <type>--<uuid>, this one has no `--`: {0:?}")]
    NoSeparator(String),
    /// The part before `--` is no STIX type name.
    #[error(
        "the type in an id is 3 to 250 of a-z, 0-9 and -, beginning with a letter or digit: {0:?}"
    )]
    BadType(String),
    /// The part after `--` is no UUID.
    #[error("an id ends in a lower-case UUID such as 6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69: {0:?}")]
    BadUuid(String),
}

impl ObjectId {
    /// An id of `object_type`, which the caller guarantees to be a well-formed STIX type name.
    #[must_use]
    pub fn from_parts(object_type: &str, uuid: Uuid) -> Self {
        Self(format!("{object_type}--{}", uuid.hyphenated()).into())
    }

    /// The whole id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The object type, the part before `--`.
    #[must_use]
    pub fn object_type(&self) -> &str {
        self.0.rsplit_once("--").map_or("", |(object_type, _)| object_type)
    }
}

/// Whether `text` is a STIX type name: the rule the
/// official schemas apply to ids and types alike.
#[must_use]
pub fn is_type_name(text: &str) -> bool {
    (3..=250).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && text.as_bytes()[0] != b'-'
}

impl FromStr for ObjectId {
    type Err = ObjectIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shown = || text.chars().take(80).collect::<String>();
        let (object_type, uuid) =
            text.rsplit_once("--").ok_or_else(|| ObjectIdError::NoSeparator(shown()))?;
        if !is_type_name(object_type) {
            return Err(ObjectIdError::BadType(shown()));
        }
        let well_formed = uuid.len() == 36
            && !uuid.bytes().any(|b| b.is_ascii_uppercase())
            && Uuid::try_parse(uuid).is_ok();
        if !well_formed {
            return Err(ObjectIdError::BadUuid(shown()));
        }
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for ObjectId {
    type Error = ObjectIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ObjectId> for String {
    fn from(id: ObjectId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_type_and_a_uuid() {
        let id: ObjectId = "x-acme-thing--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69".parse().unwrap();
        assert_eq!(id.object_type(), "x-acme-thing");
    }

    #[test]
    fn refuses_what_is_no_id() {
        for bad in [
            "",
            "indicator",
            "indicator--",
            "--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69",
            "Indicator--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69",
            "indicator--6e9a0b2e7f0c4b6e9c9e1f2d3c4b5a69",
            "indicator--6E9A0B2E-7F0C-4B6E-9C9E-1F2D3C4B5A69",
            "indicator--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a6\u{0}",
        ] {
            assert!(bad.parse::<ObjectId>().is_err(), "{bad:?}");
        }
    }
}
