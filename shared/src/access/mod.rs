//! Who may do what: keys, tenants, scopes, clearance (contract: access).

mod key;
mod key_record;
mod scope;
mod tenant;
mod tenant_record;

pub use key::{ApiKey, KeyId, KeyText, KeyTextError, NewKey, SecretDigest};
pub use key_record::{KeyRecord, KeySettings, KeySettingsError};
pub use scope::{Scope, ScopeError};
pub use tenant::{TenantId, TenantIdError};
pub use tenant_record::{Closed, TenantRecord, TenantSettings, TenantSettingsError};

use crate::tlp::Tlp;

/// Who makes a request: what a valid key stands for.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The key's public id.
    pub key: KeyId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The plan whose limits hold for it.
    pub plan: String,
    /// The highest TLP level it may see.
    pub clearance: Tlp,
}

impl Caller {
    /// Whether the key holds `scope`.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}
