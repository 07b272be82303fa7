//! Who asks, and what it may see.

use chrono::{DateTime, TimeDelta, Utc};

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
    /// Nothing caused before this is listed for it: its plan keeps, or shows, no more.
    pub oldest: Position,
    /// The look-back of its plan, where that hides what is kept.
    pub horizon: Option<DateTime<Utc>>,
}

/// The caller, if its key has `scope`.
///
/// # Errors
/// 401, 403, 429, or what the store has to say.
pub async fn visitor(services: &Services, call: &Call, scope: Scope) -> Result<Visitor, Fault> {
    let caller = authenticate(services, call).await?;
    caller.require(scope).map_err(ApiError::from)?;
    let now = services.store().now();
    let kept = TimeDelta::days(i64::from(caller.plan.terms.retention_days.get()));
    let oldest = now.checked_sub_signed(kept).unwrap_or(now);
    let horizon = caller.horizon(now).filter(|horizon| *horizon > oldest);
    let oldest = Position::at_or_before(horizon.unwrap_or(oldest));
    Ok(Visitor { caller, oldest, horizon })
}
