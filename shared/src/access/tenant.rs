//! Tenants, and the operator as the one that owns what no tenant does.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A tenant's id: 1 to 63 of a-z, 0-9 and `-`, beginning with a letter or digit. `operator` is
/// the operator itself, and the owner of what no tenant wrote.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(Box<str>);

/// Why a text is not a tenant id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a tenant id is 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit: {0:?}")]
pub struct TenantIdError(String);

impl TenantId {
    /// The operator.
    #[must_use]
    pub fn operator() -> Self {
        Self("operator".into())
    }

    /// Whether this is the operator.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        &*self.0 == "operator"
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = TenantIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if super::is_name(text) {
            Ok(Self(text.into()))
        } else {
            Err(TenantIdError(text.chars().take(80).collect()))
        }
    }
}

impl TryFrom<String> for TenantId {
    type Error = TenantIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TenantId> for String {
    fn from(id: TenantId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
