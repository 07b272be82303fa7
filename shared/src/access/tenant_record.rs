//! A tenant as the operator keeps it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::TenantId;
use crate::audit::Actor;

/// The longest name and note, in characters.
const MAX_NAME: usize = 200;
const MAX_NOTE: usize = 2000;

/// What an operator says of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantSettings {
    /// Shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For the operator: contract, contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Why settings of a tenant are refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TenantSettingsError {
    /// Too long a text, or an empty one.
    #[error("`{0}` has 1 to {1} characters")]
    Length(&'static str, usize),
}

impl TenantSettings {
    /// Refuses what is too long.
    ///
    /// # Errors
    /// Names the member that is.
    pub fn check(&self) -> Result<(), TenantSettingsError> {
        for (name, text, max) in [("name", &self.name, MAX_NAME), ("note", &self.note, MAX_NOTE)] {
            if text.as_ref().is_some_and(|text| !(1..=max).contains(&text.chars().count())) {
                return Err(TenantSettingsError::Length(name, max));
            }
        }
        Ok(())
    }
}

/// That a tenant was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: Actor,
}

/// A stored tenant. One that was deleted stays known: what it wrote is still its own, so nobody
/// else may come to have its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Kept")]
pub struct TenantRecord {
    /// Its id.
    pub id: TenantId,
    /// Rises with every change.
    pub revision: u64,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// Set once it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
    /// What the operator said.
    #[serde(flatten)]
    pub settings: TenantSettings,
}

/// As a record is read: a flattened struct that refuses unknown members would refuse its
/// neighbours.
#[derive(Deserialize)]
struct Kept {
    id: TenantId,
    revision: u64,
    created: DateTime<Utc>,
    closed: Option<Closed>,
    name: Option<String>,
    note: Option<String>,
}

impl From<Kept> for TenantRecord {
    fn from(kept: Kept) -> Self {
        let Kept { id, revision, created, closed, name, note } = kept;
        Self { id, revision, created, closed, settings: TenantSettings { name, note } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back() {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let record = TenantRecord {
            id: "acme".parse().unwrap(),
            revision: 3,
            created: at,
            closed: Some(Closed { at, by: Actor::System }),
            settings: TenantSettings { name: Some("Acme".into()), note: None },
        };
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<TenantRecord>(&text).unwrap(), record);
    }

    #[test]
    fn texts_are_bounded() {
        let named = |name: &str| TenantSettings { name: Some(name.into()), note: None };
        assert!(named("a").check().is_ok());
        assert!(named("").check().is_err());
        assert!(named(&"a".repeat(201)).check().is_err());
    }
}
