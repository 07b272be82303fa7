//! Who asks, and what it may see.

use super::Fault;
use crate::access::{Caller, Scope};
use crate::http::{ApiError, Call, authenticate};
use crate::services::Services;
use crate::time::Position;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The caller.
    pub caller: Caller,
    /// Nothing caused before this is listed for it; absent: no limit but what is kept.
    pub horizon: Option<Position>,
}

/// The caller, if its key has `scope`.
///
/// # Errors
/// 401, 403, or what the store has to say.
pub async fn visitor(services: &Services, call: &Call, scope: Scope) -> Result<Visitor, Fault> {
    let caller = authenticate(services, call.headers()).await?;
    if !caller.may(scope) {
        return Err(ApiError::missing_scope(scope).into());
    }
    Ok(Visitor { caller, horizon: None })
}
