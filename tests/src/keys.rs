//! Keys for tests: what one shall be, and what was made.

use chrono::{DateTime, Utc};
use shared::access::{KeyId, PlanTerms, Scope};
use shared::store::Store;
use shared::tlp::Tlp;

/// The plan of tests that are not about plans.
pub const UNLIMITED: &str = "unlimited";

/// What a key shall be; [`KeySpec::of`] a tenant and change what matters.
#[derive(Debug, Clone)]
pub struct KeySpec {
    /// The tenant's name; made when it is not there.
    pub tenant: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The plan whose limits hold.
    pub plan: String,
    /// The highest level it sees.
    pub clearance: Tlp,
    /// When it ends, if ever.
    pub expires: Option<DateTime<Utc>>,
}

impl KeySpec {
    /// A key that may read TAXII, the STIX export and live streams, and write objects, cleared for
    /// TLP:AMBER, for ever, on a plan that limits nothing.
    pub fn of(tenant: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            scopes: vec![Scope::ReadTaxii, Scope::ReadStix, Scope::ReadStream, Scope::WriteObjects],
            plan: UNLIMITED.to_owned(),
            clearance: Tlp::Amber,
            expires: None,
        }
    }

    /// The same, for reading only: TAXII and live streams.
    #[must_use]
    pub fn read_only(self) -> Self {
        self.with([Scope::ReadTaxii, Scope::ReadStream])
    }

    /// The same, for writing only.
    #[must_use]
    pub fn write_only(self) -> Self {
        self.with([Scope::WriteObjects])
    }

    /// The same with these scopes and no other.
    #[must_use]
    pub fn with<const N: usize>(self, scopes: [Scope; N]) -> Self {
        Self { scopes: scopes.to_vec(), ..self }
    }

    /// The same on another plan.
    #[must_use]
    pub fn on(self, plan: &str) -> Self {
        Self { plan: plan.to_owned(), ..self }
    }

    /// The same with another clearance.
    #[must_use]
    pub fn cleared(self, clearance: Tlp) -> Self {
        Self { clearance, ..self }
    }
}

/// Makes the plan of tests that are not about plans.
pub async fn make_unlimited_plan(store: &Store) {
    let terms: PlanTerms = serde_json::from_value(serde_json::json!({
        "scopes": Scope::ALL.into_iter().filter(|s| !s.is_given_by_operator()).collect::<Vec<_>>(),
    }))
    .unwrap();
    store.put_plan(&UNLIMITED.parse().unwrap(), 0, &terms).await.unwrap();
}

/// A key that exists.
pub struct Key {
    /// The text a client sends.
    pub text: String,
    /// Its public id.
    pub id: KeyId,
}
