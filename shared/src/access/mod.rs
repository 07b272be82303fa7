//! Who may do what: keys, tenants, plans, scopes, limits, clearance (contract: access).

mod key;
mod key_record;
mod limit;
mod plan;
mod scope;
mod tenant;
mod tenant_record;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use thiserror::Error;

pub use key::{ApiKey, KeyId, KeyText, KeyTextError, NewKey, SecretDigest};
pub use key_record::{KeyRecord, KeySettings, KeySettingsError};
pub use limit::{Allowance, Quota, Used, Window};
pub use plan::{Plan, PlanError, PlanName, PlanNameError, PlanTerms};
pub use scope::{Scope, ScopeError};
pub use tenant::{TenantId, TenantIdError};
pub use tenant_record::{Closed, TenantRecord, TenantSettings, TenantSettingsError};

use crate::tlp::Tlp;

/// Whether a text may name a tenant or a plan: 1 to 63 of a-z, 0-9 and `-`, beginning with a letter
/// or digit.
fn is_name(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Who makes a request: what a valid key stands for.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The key's public id.
    pub key: KeyId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// The scopes it holds.
    pub scopes: Vec<Scope>,
    /// The plan whose limits hold for it.
    pub plan: Arc<Plan>,
    /// The highest TLP level it may see.
    pub clearance: Tlp,
}

/// Why a caller may not do what a scope stands for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ScopeRefusal {
    /// The key does not hold it.
    #[error("the API key lacks the scope {0}")]
    MissingScope(Scope),
    /// The key holds it, its plan does not.
    #[error("the scope {scope} is not part of the plan {plan}: ask for another plan")]
    PlanRequired {
        /// The scope.
        scope: Scope,
        /// The key's plan.
        plan: PlanName,
    },
}

impl Caller {
    /// Whether the caller may do what `scope` stands for: its key holds it, and its plan too
    /// where scopes come with plans.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.require(scope).is_ok()
    }

    /// Refuses a caller that may not do what `scope` stands for.
    ///
    /// # Errors
    /// Says which of key and plan lacks it.
    pub fn require(&self, scope: Scope) -> Result<(), ScopeRefusal> {
        if !self.scopes.contains(&scope) {
            return Err(ScopeRefusal::MissingScope(scope));
        }
        if !self.plan.grants(scope) {
            return Err(ScopeRefusal::PlanRequired { scope, plan: self.plan.name.clone() });
        }
        Ok(())
    }

    /// The earliest moment the caller may read from at `now` (look-back); absent: no limit.
    #[must_use]
    pub fn horizon(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.plan.horizon(now)
    }
}
