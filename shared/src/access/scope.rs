//! What a key may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One permission of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// `read:taxii`
    ReadTaxii,
    /// `read:stix`
    ReadStix,
    /// `read:stream`
    ReadStream,
    /// `read:csv`
    ReadCsv,
    /// `read:ioc_stream`
    ReadIocStream,
    /// `delete:ioc_stream`
    DeleteIocStream,
    /// `write:objects`
    WriteObjects,
    /// `write:notifications`
    WriteNotifications,
    /// `admin`
    Admin,
}

/// Why a text is not a scope.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no scope")]
pub struct ScopeError(String);

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 9] = [
        Self::ReadTaxii,
        Self::ReadStix,
        Self::ReadStream,
        Self::ReadCsv,
        Self::ReadIocStream,
        Self::DeleteIocStream,
        Self::WriteObjects,
        Self::WriteNotifications,
        Self::Admin,
    ];

    /// Whether the operator gives it to a key, and no plan.
    #[must_use]
    pub const fn is_given_by_operator(self) -> bool {
        matches!(self, Self::WriteObjects | Self::WriteNotifications | Self::Admin)
    }

    /// The scope's name, such as `read:taxii`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadTaxii => "read:taxii",
            Self::ReadStix => "read:stix",
            Self::ReadStream => "read:stream",
            Self::ReadCsv => "read:csv",
            Self::ReadIocStream => "read:ioc_stream",
            Self::DeleteIocStream => "delete:ioc_stream",
            Self::WriteObjects => "write:objects",
            Self::WriteNotifications => "write:notifications",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.name() == text)
            .ok_or_else(|| ScopeError(text.chars().take(40).collect()))
    }
}

impl TryFrom<String> for Scope {
    type Error = ScopeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.name().to_owned()
    }
}
