//! Who may export, how high and how far back.

use chrono::{DateTime, Utc};
use shared::access::{Scope, TenantId};
use shared::http::{ApiError, Call, authenticate};
use shared::services::Services;
use shared::time::Position;
use shared::tlp::Tlp;

/// What a caller may see.
pub struct Admitted {
    /// The caller's tenant.
    pub tenant: TenantId,
    /// The highest level.
    pub clearance: Tlp,
    /// The plan's horizon.
    horizon: Option<DateTime<Utc>>,
}

/// The caller's rights, if its key and plan let it export at all.
pub async fn admit(services: &Services, call: &Call) -> Result<Admitted, ApiError> {
    let caller = authenticate(services, call).await?;
    caller.require(Scope::ReadStix)?;
    let horizon = caller.horizon(services.store().now());
    Ok(Admitted { tenant: caller.tenant, clearance: caller.clearance, horizon })
}

impl Admitted {
    /// The position from which on is read, and the horizon if that is later than what was asked.
    pub fn since(&self, asked: Option<DateTime<Utc>>) -> (Position, Option<DateTime<Utc>>) {
        let clamped = self.horizon.filter(|horizon| asked.is_some_and(|asked| asked < *horizon));
        let since = asked.max(self.horizon);
        (since.map(Position::at_or_before).unwrap_or_default(), clamped)
    }
}
