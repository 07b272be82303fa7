//! `/api/v1/manage/tenants`

use serde_json::{Value, json};
use shared::access::{TenantId, TenantRecord, TenantSettings};
use shared::http::{ApiError, Query};
use shared::rescan;
use shared::store::JobKind;
use std::time::{Duration, Instant};

use crate::operator::Operator;
use crate::patch;
use crate::refusal::{Refusal, conflict, invalid};
use crate::resource::{Made, Page, Resource};

/// Tenants that one list of settings may name.
const MAX_NAMED: usize = 500;

/// What deleting a tenant may take of the request's time; the job does the rest.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Tenants.
pub struct Tenants;

impl Resource for Tenants {
    const NAME: &'static str = "tenants";
    const ONE: &'static str = "tenant";
    type Stored = TenantRecord;

    fn id(stored: &TenantRecord) -> String {
        stored.id.to_string()
    }

    fn revision(stored: &TenantRecord) -> u64 {
        stored.revision
    }

    fn shown(stored: &TenantRecord) -> Value {
        json!(stored)
    }

    fn settings(stored: &TenantRecord) -> Value {
        json!(stored.settings)
    }

    async fn page(
        operator: &Operator<'_>,
        _query: &Query,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<TenantRecord>, ApiError> {
        let (found, more) = operator.store().tenants(after, limit).await?;
        let next = found.last().filter(|_| more).map(|tenant| tenant.id.to_string());
        Ok((found, next))
    }

    async fn find(operator: &Operator<'_>, name: &str) -> Result<Option<TenantRecord>, ApiError> {
        let Ok(id) = name.parse::<TenantId>() else { return Ok(None) };
        Ok(operator.store().tenant(&id).await?)
    }

    async fn create(
        operator: &Operator<'_>,
        mut body: Value,
    ) -> Result<Made<TenantRecord>, Refusal> {
        let id = body.as_object_mut().and_then(|members| members.remove("id"));
        let id = id.as_ref().and_then(Value::as_str).ok_or_else(|| {
            invalid("`id` is missing: 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit")
        })?;
        let id: TenantId = id.parse().map_err(invalid)?;
        if id.is_operator() {
            let message = "the tenant operator is there from the beginning: it is the operator";
            return Err(conflict("already_exists", message).into());
        }
        let settings: TenantSettings = patch::settings(body)?;
        settings.check().map_err(invalid)?;
        let stored = operator.store().create_tenant_as(&operator.actor, &id, settings).await?;
        Ok(Made { stored, once: Vec::new() })
    }

    async fn change(
        operator: &Operator<'_>,
        known: &TenantRecord,
        _patch: &Value,
        settings: Value,
    ) -> Result<TenantRecord, Refusal> {
        let settings: TenantSettings = patch::settings(settings)?;
        settings.check().map_err(invalid)?;
        if settings == known.settings && known.closed.is_none() {
            return Ok(known.clone());
        }
        Ok(operator.store().change_tenant(&operator.actor, known, settings).await?)
    }

    async fn delete(operator: &Operator<'_>, known: &TenantRecord) -> Result<(), Refusal> {
        if known.closed.is_none() {
            operator.store().close_tenant(&operator.actor, known).await?;
        }
        // Its keys at once, as far as that goes; the stream of jobs brings the rest.
        let job = JobKind::CloseTenant { tenant: known.id.clone() };
        rescan::carry_on(operator.services, job, Instant::now() + AT_ONCE).await?;
        Ok(())
    }
}

/// Refuses tenants that are none, so that a slip of the pen shuts nobody out or lets nobody in;
/// those that stood there `before` may stay. `what` names the members they stand in.
pub async fn check_named(
    operator: &Operator<'_>,
    what: &str,
    named: &[&[TenantId]],
    before: &[TenantId],
) -> Result<(), ApiError> {
    if named.iter().any(|list| list.len() > MAX_NAMED) {
        return Err(invalid(format!("{what} name at most {MAX_NAMED} tenants")));
    }
    let mut new: Vec<&TenantId> = named.iter().copied().flatten().collect();
    new.retain(|tenant| !tenant.is_operator() && !before.contains(tenant));
    new.sort_unstable();
    new.dedup();
    for tenant in new {
        if !is_open(operator, tenant).await? {
            return Err(invalid(format!("there is no tenant {tenant}: create it first")));
        }
    }
    Ok(())
}

/// Whether there is this tenant.
pub async fn is_open(operator: &Operator<'_>, tenant: &TenantId) -> Result<bool, ApiError> {
    let known = operator.store().tenant(tenant).await?;
    Ok(tenant.is_operator() || known.is_some_and(|known| known.closed.is_none()))
}
