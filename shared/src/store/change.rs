//! Why what an operator asks for is not done.

use thiserror::Error;

use super::StoreError;
use crate::access::TenantId;

/// Why something managed is not made, changed or deleted.
#[derive(Debug, Error)]
pub enum ChangeError {
    /// There is none.
    #[error("there is none")]
    NotFound,
    /// It is not as the operator saw it.
    #[error("it was changed by somebody else meanwhile: read it again")]
    Changed,
    /// There is one already.
    #[error("there is one already")]
    Exists,
    /// The tenant is none.
    #[error("there is no tenant {0}: create it first")]
    NoTenant(TenantId),
    /// The tenant was deleted; its id is not given to anybody else.
    #[error("the tenant {0} was deleted, and its id is not given again: what it wrote is its own")]
    TenantClosed(TenantId),
    /// A revoked key cannot be changed.
    #[error("the key is revoked: make a new one")]
    Revoked,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
