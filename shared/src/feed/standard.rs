//! The columns every feed may have.

use std::str::FromStr;

use thiserror::Error;

use super::column::Column;

/// A standard column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// The object's STIX id.
    Id,
    /// The IOC's type, such as `ipv4`; of an object that names no IOC its STIX type.
    Type,
    /// The IOC's value; of an object that names no IOC its `name`.
    Value,
    /// `confidence`, 0 to 100.
    Confidence,
    /// The TLP level.
    Tlp,
    /// `first_seen`; of an indicator `valid_from`.
    FirstSeen,
    /// `last_seen`.
    LastSeen,
    /// `valid_until`.
    ValidUntil,
    /// `labels`.
    Tags,
    /// ATT&CK techniques.
    Mitre,
    /// Who reported it: the names of its external references that are no technique, else its
    /// author's.
    Source,
    /// `description`.
    Description,
    /// `name`.
    Name,
    /// `created`.
    Created,
    /// `modified`.
    Modified,
    /// When it entered the collection.
    Added,
    /// When it last changed in the collection.
    Changed,
    /// Whether it is revoked.
    Revoked,
}

/// Why a text is no standard column.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is no standard column: use id, type, value, confidence, tlp, first_seen, last_seen, valid_until, tags, mitre, source, description, name, created, modified, added, changed or revoked, or an object with name and path"
)]
pub struct StandardError(String);

impl Standard {
    /// All of them; the first twelve are what a feed has unless told otherwise, in this order.
    pub const ALL: [Self; 18] = [
        Self::Id,
        Self::Type,
        Self::Value,
        Self::Confidence,
        Self::Tlp,
        Self::FirstSeen,
        Self::LastSeen,
        Self::ValidUntil,
        Self::Tags,
        Self::Mitre,
        Self::Source,
        Self::Description,
        Self::Name,
        Self::Created,
        Self::Modified,
        Self::Added,
        Self::Changed,
        Self::Revoked,
    ];

    /// The columns of a feed that names none.
    #[must_use]
    pub fn defaults() -> Vec<Column> {
        Self::ALL.into_iter().take(12).map(Column::Standard).collect()
    }

    /// The column's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Type => "type",
            Self::Value => "value",
            Self::Confidence => "confidence",
            Self::Tlp => "tlp",
            Self::FirstSeen => "first_seen",
            Self::LastSeen => "last_seen",
            Self::ValidUntil => "valid_until",
            Self::Tags => "tags",
            Self::Mitre => "mitre",
            Self::Source => "source",
            Self::Description => "description",
            Self::Name => "name",
            Self::Created => "created",
            Self::Modified => "modified",
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Revoked => "revoked",
        }
    }

    pub(super) const fn is_free_text(self) -> bool {
        matches!(
            self,
            Self::FirstSeen
                | Self::LastSeen
                | Self::Tags
                | Self::Mitre
                | Self::Source
                | Self::Description
                | Self::Name
        )
    }
}

impl FromStr for Standard {
    type Err = StandardError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|standard| standard.name() == text);
        found.ok_or_else(|| StandardError(text.chars().take(60).collect()))
    }
}
