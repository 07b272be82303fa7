//! A filter as it was written: kept to be shown again, checked by compiling it.

use serde::{Deserialize, Serialize};

/// A group of conditions and further groups. JSON only; an unknown member is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterGroup {
    /// Whether all or one of the members has to hold; `and` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The conditions.
    #[serde(default)]
    pub filters: Vec<WrittenFilter>,
    /// The groups within.
    #[serde(default, rename = "filterGroups")]
    pub filter_groups: Vec<FilterGroup>,
}

/// One condition of a [`FilterGroup`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenFilter {
    /// What is compared.
    pub key: FilterKey,
    /// With what; nothing for `nil` and `not_nil`.
    #[serde(default)]
    pub values: Vec<String>,
    /// How; `eq` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Whether all or one of the values has to hold; when absent `or`, for a negative operator
    /// `and`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
}

/// The key of a condition, in either of the two spellings in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "`key` is a text, or an array with one text")]
pub enum FilterKey {
    /// `"key": "label"`.
    One(String),
    /// `"key": ["label"]`, as `OpenCTI` exports it.
    Listed([String; 1]),
}

/// How members or values are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Every one has to hold.
    And,
    /// One has to hold.
    Or,
}

impl FilterKey {
    /// The key's name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::One(key) | Self::Listed([key]) => key,
        }
    }
}

impl From<&str> for FilterKey {
    fn from(key: &str) -> Self {
        Self::One(key.to_owned())
    }
}
