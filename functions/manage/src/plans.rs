//! `/api/v1/manage/plans`: those with a row of their own, and those a release brings.

use serde_json::{Value, json};
use shared::access::{Plan, PlanName, PlanTerms};
use shared::http::{ApiError, Query};

use crate::operator::Operator;
use crate::patch;
use crate::refusal::{Refusal, conflict, invalid};
use crate::resource::{Made, Page, Resource};

/// Keys looked at in one step, when a plan is to go.
const KEYS: usize = 100;

/// Plans.
pub struct Plans;

impl Resource for Plans {
    const NAME: &'static str = "plans";
    const ONE: &'static str = "plan";
    type Stored = Plan;

    fn id(stored: &Plan) -> String {
        stored.name.to_string()
    }

    fn revision(stored: &Plan) -> u64 {
        stored.revision
    }

    fn shown(stored: &Plan) -> Value {
        stored.shown()
    }

    fn settings(stored: &Plan) -> Value {
        json!(stored.terms)
    }

    async fn page(
        operator: &Operator<'_>,
        _query: &Query,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Plan>, ApiError> {
        let mut page = operator.store().plans().await?;
        page.retain(|plan| after.is_none_or(|after| plan.name.as_str() > after));
        let more = page.len() > limit;
        page.truncate(limit);
        let next = page.last().filter(|_| more).map(|plan| plan.name.to_string());
        Ok((page, next))
    }

    async fn find(operator: &Operator<'_>, name: &str) -> Result<Option<Plan>, ApiError> {
        let Ok(name) = name.parse::<PlanName>() else { return Ok(None) };
        Ok(operator.store().plan(&name).await?)
    }

    async fn create(operator: &Operator<'_>, mut body: Value) -> Result<Made<Plan>, Refusal> {
        let name = body.as_object_mut().and_then(|members| members.remove("name"));
        let name = name.as_ref().and_then(Value::as_str);
        let name = name.ok_or_else(|| invalid("`name` is missing: 1 to 63 of a-z, 0-9 and -"))?;
        let name: PlanName = name.parse().map_err(invalid)?;
        let terms: PlanTerms = patch::settings(body)?;
        terms.check().map_err(invalid)?;
        if Plan::of_release(&name).is_some() {
            let message = format!("there is a plan {name} already: change it instead");
            return Err(conflict("already_exists", message).into());
        }
        let stored = operator.store().create_plan(&operator.actor, &name, &terms).await?;
        operator.services.forget_plan(&name);
        Ok(Made { stored, once: Vec::new() })
    }

    async fn change(
        operator: &Operator<'_>,
        known: &Plan,
        _patch: &Value,
        settings: Value,
    ) -> Result<Plan, Refusal> {
        let terms: PlanTerms = patch::settings(settings)?;
        terms.check().map_err(invalid)?;
        if terms == known.terms {
            return Ok(known.clone());
        }
        let changed = operator.store().change_plan(&operator.actor, known, &terms).await?;
        operator.services.forget_plan(&known.name);
        Ok(changed)
    }

    async fn delete(operator: &Operator<'_>, known: &Plan) -> Result<(), Refusal> {
        let release = Plan::of_release(&known.name).is_some();
        if known.revision == 0 {
            let message = format!("the plan {} is part of the service: change it", known.name);
            return Err(conflict("plan_of_release", message).into());
        }
        if !release && let Some(key) = key_on(operator, &known.name).await? {
            let message = format!(
                "the key {key} is on the plan {}: give the keys on it another plan first",
                known.name
            );
            return Err(conflict("in_use", message).into());
        }
        operator.store().delete_plan(&operator.actor, known).await?;
        operator.services.forget_plan(&known.name);
        Ok(())
    }
}

/// A key that works, on this plan. One that comes to it at this very moment has a plan that is
/// gone: it may do what the operator alone gives.
async fn key_on(operator: &Operator<'_>, plan: &PlanName) -> Result<Option<String>, ApiError> {
    let mut after = None;
    loop {
        let (keys, next) = operator.store().key_records(None, after.as_deref(), KEYS).await?;
        let on = keys.iter().find(|key| !key.revoked && key.settings.plan == *plan);
        if let Some(key) = on {
            return Ok(Some(key.id.to_string()));
        }
        if next.is_none() {
            return Ok(None);
        }
        after = next;
    }
}
