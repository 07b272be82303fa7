//! Who manages: a request whose key has the scope `admin`.

use shared::access::{KeyId, Scope};
use shared::audit::Actor;
use shared::http::{ApiError, Call, authenticate};
use shared::services::Services;
use shared::store::Store;

/// An operator's request.
pub struct Operator<'a> {
    /// What the request is answered with.
    pub services: &'a Services,
    /// The key it is made with, unless it is made past the front door.
    pub key: Option<KeyId>,
    /// Who the audit says it was.
    pub actor: Actor,
}

impl<'a> Operator<'a> {
    /// The operator who makes a request.
    ///
    /// # Errors
    /// 401 without a valid key, 403 when it lacks the scope.
    pub async fn of(services: &'a Services, call: &Call) -> Result<Self, ApiError> {
        let caller = authenticate(services, call).await?;
        caller.require(Scope::Admin)?;
        let actor = Actor::Key {
            key: caller.key.clone(),
            tenant: caller.tenant.clone(),
            request_id: call.request_id,
        };
        Ok(Self { services, key: Some(caller.key), actor })
    }

    /// Whether this key is the one the request is made with.
    pub fn holds(&self, key: &KeyId) -> bool {
        self.key.as_ref() == Some(key)
    }

    /// The store.
    pub fn store(&self) -> &Store {
        self.services.store()
    }
}
