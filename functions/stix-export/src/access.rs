//! Who may export, how high and how far back.

use chrono::{DateTime, TimeDelta, Utc};
use lambda_http::http::StatusCode;
use shared::access::{Caller, Scope};
use shared::http::{ApiError, Call, authenticate};
use shared::services::Services;
use shared::time::Position;
use shared::tlp::Tlp;

/// What a caller may see.
pub struct Admitted {
    /// The highest level.
    pub clearance: Tlp,
    /// The plan's horizon.
    horizon: Option<DateTime<Utc>>,
}

/// The caller's rights, if it may export at all.
pub async fn admit(services: &Services, call: &Call) -> Result<Admitted, ApiError> {
    let caller = authenticate(services, call.headers()).await?;
    if !caller.may(Scope::ReadStix) {
        return Err(ApiError::missing_scope(Scope::ReadStix));
    }
    let horizon = horizon(&caller, services.store().now())?;
    Ok(Admitted { clearance: caller.clearance, horizon })
}

/// How far back the caller's plan reaches.
fn horizon(caller: &Caller, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, ApiError> {
    match caller.plan.as_str() {
        "free" => Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "plan_required",
            "the STIX export needs the plan pro or enterprise, the key's plan is free",
        )),
        "pro" => Ok(now.checked_sub_signed(TimeDelta::days(365))),
        _ => Ok(None),
    }
}

impl Admitted {
    /// The position from which on is read, and the horizon if that is later than what was asked.
    pub fn since(&self, asked: Option<DateTime<Utc>>) -> (Position, Option<DateTime<Utc>>) {
        let clamped = self.horizon.filter(|horizon| asked.is_some_and(|asked| asked < *horizon));
        let since = asked.max(self.horizon);
        (since.map(Position::at_or_before).unwrap_or_default(), clamped)
    }
}
