//! `/api/v1/manage/keys`: a key's text is in the answer that makes it, and nowhere else.

use chrono::{DateTime, TimeDelta, Utc};
use lambda_http::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::access::{KeyId, KeyRecord, KeySettings, Scope, TenantId};
use shared::http::{Answer, ApiError, Call, Query};

use crate::operator::Operator;
use crate::patch;
use crate::precondition::Precondition;
use crate::refusal::{Refusal, conflict, invalid};
use crate::resource::{Made, Page, Resource};
use crate::serving::{busy, created, found, shown};

/// A rotated key works on for at most this long.
const MAX_GRACE_MINUTES: u32 = 30 * 24 * 60;

/// A change that somebody else's came before is tried again, this often.
const ATTEMPTS: u32 = 5;

/// Keys.
pub struct Keys;

impl Resource for Keys {
    const NAME: &'static str = "keys";
    const ONE: &'static str = "key";
    const FILTERS: &'static [&'static str] = &["tenant"];
    type Stored = KeyRecord;

    fn id(stored: &KeyRecord) -> String {
        stored.id.to_string()
    }

    fn revision(stored: &KeyRecord) -> u64 {
        stored.revision
    }

    fn shown(stored: &KeyRecord) -> Value {
        json!(stored)
    }

    fn settings(stored: &KeyRecord) -> Value {
        json!(stored.settings)
    }

    async fn page(
        operator: &Operator<'_>,
        query: &Query,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<KeyRecord>, ApiError> {
        let tenant = query.one("tenant")?.map(str::parse::<TenantId>).transpose();
        let tenant = tenant
            .map_err(|error| ApiError::bad_request("invalid_parameter", error.to_string()))?;
        Ok(operator.store().key_records(tenant.as_ref(), after, limit).await?)
    }

    async fn find(operator: &Operator<'_>, name: &str) -> Result<Option<KeyRecord>, ApiError> {
        if !(1..=64).contains(&name.len()) {
            return Ok(None);
        }
        Ok(operator.store().key_record(&KeyId(name.to_owned())).await?)
    }

    async fn create(operator: &Operator<'_>, mut body: Value) -> Result<Made<KeyRecord>, Refusal> {
        let tenant = body.as_object_mut().and_then(|members| members.remove("tenant"));
        let tenant = tenant.as_ref().and_then(Value::as_str);
        let tenant = tenant.ok_or_else(|| invalid("`tenant` is missing: whose key is it?"))?;
        let tenant: TenantId = tenant.parse().map_err(invalid)?;
        let settings: KeySettings = patch::settings(body)?;
        check(operator, &tenant, &settings, None).await?;
        let new = settings.of(tenant);
        let (key, stored) = operator.store().create_key_as(&operator.actor, new).await?;
        Ok(Made { stored, once: vec![("key", key.reveal().into())] })
    }

    async fn change(
        operator: &Operator<'_>,
        known: &KeyRecord,
        _patch: &Value,
        settings: Value,
    ) -> Result<KeyRecord, Refusal> {
        let settings: KeySettings = patch::settings(settings)?;
        check(operator, &known.tenant, &settings, Some(known)).await?;
        if operator.holds(&known.id) && !settings.scopes.contains(&Scope::Admin) {
            return Err(own_key("lose the scope admin").into());
        }
        if settings == known.settings && !known.revoked {
            return Ok(known.clone());
        }
        let changed = operator.store().change_key(&operator.actor, known, settings).await?;
        operator.services.forget_key(&known.id);
        Ok(changed)
    }

    async fn delete(operator: &Operator<'_>, known: &KeyRecord) -> Result<(), Refusal> {
        if operator.holds(&known.id) {
            return Err(own_key("be deleted").into());
        }
        operator.store().delete_key(&operator.actor, known).await?;
        operator.services.forget_key(&known.id);
        Ok(())
    }
}

/// Whether a key of `tenant` may be like this; what it is already, it may stay.
async fn check(
    operator: &Operator<'_>,
    tenant: &TenantId,
    settings: &KeySettings,
    known: Option<&KeyRecord>,
) -> Result<(), ApiError> {
    settings.check(tenant).map_err(invalid)?;
    let expires = settings.expires;
    let kept = known.is_some_and(|known| known.settings.expires == expires);
    if expires.is_some_and(|at| at <= operator.store().now()) && !kept {
        return Err(invalid("`expires` is in the past: to end a key now, revoke it"));
    }
    let kept = known.is_some_and(|known| {
        known.settings.plan == settings.plan && known.settings.scopes == settings.scopes
    });
    if kept { Ok(()) } else { check_plan(operator, settings).await }
}

/// A key holds what its plan has, and what the operator alone gives.
async fn check_plan(operator: &Operator<'_>, settings: &KeySettings) -> Result<(), ApiError> {
    let name = &settings.plan;
    let plan = operator.store().plan(name).await?;
    let plan = plan.ok_or_else(|| invalid(format!("there is no plan {name}: create it first")))?;
    match settings.scopes.iter().find(|scope| !plan.grants(**scope)) {
        None => Ok(()),
        Some(scope) => {
            let has: Vec<&str> = plan.terms.scopes.iter().map(|scope| scope.name()).collect();
            let has = if has.is_empty() { "none".to_owned() } else { has.join(", ") };
            Err(invalid(format!("the plan {name} does not have the scope {scope}; it has {has}")))
        }
    }
}

fn own_key(what: &str) -> ApiError {
    let message = format!("the key of this very request cannot {what}: use another admin key");
    conflict("own_key", message)
}

/// `POST …/keys/{id}/revoke`: within a minute it works nowhere. Once revoked it stays so.
pub async fn revoke(operator: &Operator<'_>, call: &Call, id: &str) -> Result<Answer, ApiError> {
    if call.method != Method::POST {
        return Err(ApiError::method_not_allowed("POST"));
    }
    let precondition = Precondition::of(call);
    for _ in 0..ATTEMPTS {
        let known = found::<Keys>(operator, id).await?;
        precondition.check(known.revision)?;
        if operator.holds(&known.id) {
            return Err(own_key("be revoked"));
        }
        if known.revoked {
            return Ok(shown::<Keys>(StatusCode::OK, &known));
        }
        let revoked = operator.store().revoke_key_as(&operator.actor, &known, None).await;
        match revoked.map_err(Refusal::from) {
            Ok(revoked) => {
                operator.services.forget_key(&known.id);
                return Ok(shown::<Keys>(StatusCode::OK, &revoked));
            }
            Err(Refusal::Api(error)) => return Err(error),
            Err(Refusal::Changed) => {}
        }
    }
    Err(busy())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    #[serde(default)]
    grace_minutes: u32,
}

/// `POST …/keys/{id}/rotate`: a new key that may do the same; the old one works for
/// `grace_minutes` more (none unless said), so that whoever uses it can change over.
pub async fn rotate(operator: &Operator<'_>, call: &Call, id: &str) -> Result<Answer, ApiError> {
    if call.method != Method::POST {
        return Err(ApiError::method_not_allowed("POST"));
    }
    let Rotation { grace_minutes } = patch::settings(patch::optional_body(call)?)?;
    if grace_minutes > MAX_GRACE_MINUTES {
        return Err(invalid(format!("`grace_minutes` is at most {MAX_GRACE_MINUTES}: 30 days")));
    }
    let precondition = Precondition::of(call);
    for _ in 0..ATTEMPTS {
        let known = found::<Keys>(operator, id).await?;
        precondition.check(known.revision)?;
        let until = (grace_minutes > 0).then(|| grace(operator.store().now(), grace_minutes));
        let rotated = operator.store().rotate_key(&operator.actor, &known, until).await;
        match rotated.map_err(Refusal::from) {
            Ok((key, stored)) => {
                operator.services.forget_key(&known.id);
                let once = vec![("key", key.reveal().into()), ("replaces", json!(known.id))];
                return Ok(created::<Keys>(call, operator, &Made { stored, once }));
            }
            Err(Refusal::Api(error)) => return Err(error),
            Err(Refusal::Changed) => {}
        }
    }
    Err(busy())
}

fn grace(now: DateTime<Utc>, minutes: u32) -> DateTime<Utc> {
    now.checked_add_signed(TimeDelta::minutes(i64::from(minutes))).unwrap_or(now)
}
