//! A key as the operator sees it: everything but its secret and the digest of that.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{KeyId, NewKey, PlanName, Scope, TenantId};
use crate::tlp::Tlp;

/// The longest name, in characters.
const MAX_NAME: usize = 200;

/// What an operator may change of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySettings {
    /// A name for people.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The plan whose limits hold.
    pub plan: PlanName,
    /// The highest TLP level it may see; amber unless said otherwise.
    #[serde(default = "default_clearance")]
    pub clearance: Tlp,
    /// When it stops to work; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<DateTime<Utc>>,
}

fn default_clearance() -> Tlp {
    Tlp::Amber
}

/// Why settings of a key are refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeySettingsError {
    /// No name, or too long a one.
    #[error("`name` has 1 to {MAX_NAME} characters")]
    Name,
    /// A key that may do nothing.
    #[error("`scopes` names at least one scope: {}", Scope::ALL.map(Scope::name).join(", "))]
    NoScope,
    /// The same scope twice.
    #[error("`scopes` names {0} twice")]
    Repeated(Scope),
    /// Only operators administrate.
    #[error("the scope admin is for keys of the tenant operator only")]
    Admin,
}

impl KeySettings {
    /// Refuses what no key of `tenant` may be.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn check(&self, tenant: &TenantId) -> Result<(), KeySettingsError> {
        if !(1..=MAX_NAME).contains(&self.name.trim().chars().count()) {
            return Err(KeySettingsError::Name);
        }
        if self.scopes.is_empty() {
            return Err(KeySettingsError::NoScope);
        }
        let mut seen = Vec::new();
        for scope in &self.scopes {
            if seen.contains(scope) {
                return Err(KeySettingsError::Repeated(*scope));
            }
            seen.push(*scope);
        }
        if self.scopes.contains(&Scope::Admin) && !tenant.is_operator() {
            return Err(KeySettingsError::Admin);
        }
        Ok(())
    }

    /// A new key of `tenant` with these settings.
    #[must_use]
    pub fn of(self, tenant: TenantId) -> NewKey {
        let Self { name, scopes, plan, clearance, expires } = self;
        NewKey { tenant, name, scopes, plan, clearance, expires }
    }
}

/// A stored key without its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyRecord {
    /// Its public id.
    pub id: KeyId,
    /// Rises with every change.
    pub revision: u64,
    /// When it was made; absent of keys that are older than this note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<DateTime<Utc>>,
    /// The tenant it belongs to, for ever.
    pub tenant: TenantId,
    /// It works no longer.
    pub revoked: bool,
    /// The UTC day of its last use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used: Option<NaiveDate>,
    /// What may be changed.
    #[serde(flatten)]
    pub settings: KeySettings,
}
