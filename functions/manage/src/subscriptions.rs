//! `/api/v1/manage/subscriptions`: those of every tenant. They have no settings: one is made, and
//! ended.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use shared::access::{PlanName, TenantId};
use shared::collection::Collection;
use shared::http::{ApiError, Query};
use shared::store::ChangeError;
use shared::subscription::{MAX_SUBSCRIPTIONS, Subscription, SubscriptionSource};

use crate::operator::Operator;
use crate::patch;
use crate::refusal::{Refusal, conflict, invalid};
use crate::resource::{Made, Page, Resource};
use crate::tenants::is_open;

/// Tenants looked at for one page: a Query each.
const TENANTS: usize = 50;
/// Keys of a tenant looked at in one step.
const KEYS: usize = 100;
/// How long notifications are kept for a tenant without keys.
const DAYS: NonZeroU32 = NonZeroU32::MIN.saturating_add(29);

/// Subscriptions.
pub struct Subscriptions;

/// A subscription, with the alias of its collection.
pub struct Known {
    subscription: Subscription,
    alias: Option<String>,
}

impl Resource for Subscriptions {
    const NAME: &'static str = "subscriptions";
    const ONE: &'static str = "subscription";
    const CHANGES: bool = false;
    const FILTERS: &'static [&'static str] = &["tenant"];
    type Stored = Known;

    fn id(stored: &Known) -> String {
        stored.subscription.id()
    }

    /// One that was ended and made anew is another one.
    fn revision(stored: &Known) -> u64 {
        stored.subscription.since.micros()
    }

    fn shown(stored: &Known) -> Value {
        let mut shown = stored.subscription.shown();
        if let (Value::Object(members), Some(alias)) = (&mut shown, &stored.alias) {
            members.insert("alias".to_owned(), json!(alias));
        }
        shown
    }

    fn settings(_: &Known) -> Value {
        json!({})
    }

    async fn page(
        operator: &Operator<'_>,
        query: &Query,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Known>, ApiError> {
        let only = query.one("tenant")?.map(str::parse::<TenantId>).transpose();
        let only =
            only.map_err(|error| ApiError::bad_request("invalid_parameter", error.to_string()))?;
        let mut place = after.and_then(Place::read);
        let (tenants, mut next) = tenants(operator, only, place.as_ref()).await?;
        let mut found: Vec<Subscription> = Vec::new();
        for tenant in tenants {
            let source = place.take().and_then(|place| place.source);
            let left = limit - found.len();
            let read = operator.store().subscriptions_after(&tenant, source.as_ref(), left).await?;
            let (some, more) = read;
            found.extend(some);
            if more || found.len() >= limit {
                next = found.last().map(|last| Place::at(last).text());
                break;
            }
        }
        Ok((known(operator, found).await?, next))
    }

    async fn find(operator: &Operator<'_>, name: &str) -> Result<Option<Known>, ApiError> {
        let mut parts = name.splitn(3, ':');
        let (Some(tenant), Some(kind), Some(id)) = (parts.next(), parts.next(), parts.next())
        else {
            return Ok(None);
        };
        let Ok(tenant) = tenant.parse::<TenantId>() else { return Ok(None) };
        let Ok(source) = named(operator, kind, id).await? else { return Ok(None) };
        let found = operator.store().subscription(&tenant, &source).await?;
        Ok(known(operator, found.into_iter().collect()).await?.pop())
    }

    async fn create(operator: &Operator<'_>, body: Value) -> Result<Made<Known>, Refusal> {
        let New { tenant, source_type, source_id } = patch::settings(body)?;
        if !is_open(operator, &tenant).await? {
            return Err(invalid(format!("there is no tenant {tenant}: create it first")).into());
        }
        let source = named(operator, &source_type, &source_id).await?.map_err(invalid)?;
        check(operator, &tenant, &source).await?;
        let store = operator.store();
        let there = store.subscription(&tenant, &source).await?.is_some();
        if !there && store.subscriptions(&tenant).await?.len() >= MAX_SUBSCRIPTIONS {
            let message = format!("a tenant has {MAX_SUBSCRIPTIONS} subscriptions at most");
            return Err(conflict("too_many_subscriptions", message).into());
        }
        let retention_days = retention(operator, &tenant).await?;
        let since = store.position_now();
        let new = Subscription { tenant, source, since, retention_days };
        let made = store.create_subscription(&operator.actor, &new).await?;
        let stored = known(operator, vec![made]).await?.pop().ok_or(ChangeError::NotFound)?;
        Ok(Made { stored, once: Vec::new() })
    }

    async fn change(_: &Operator<'_>, _: &Known, _: &Value, _: Value) -> Result<Known, Refusal> {
        Err(ApiError::method_not_allowed("GET, HEAD, DELETE").into())
    }

    async fn delete(operator: &Operator<'_>, known: &Known) -> Result<(), Refusal> {
        Ok(operator.store().end_subscription(&operator.actor, &known.subscription).await?)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    tenant: TenantId,
    source_type: String,
    source_id: String,
}

/// Where a page ends: with a tenant, or within what it subscribes to.
struct Place {
    tenant: TenantId,
    source: Option<SubscriptionSource>,
}

impl Place {
    fn at(last: &Subscription) -> Self {
        Self { tenant: last.tenant.clone(), source: Some(last.source.clone()) }
    }

    fn text(&self) -> String {
        let source = self.source.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{}#{source}", self.tenant)
    }

    fn read(text: &str) -> Option<Self> {
        let (tenant, source) = text.split_once('#')?;
        let source = source.split_once('#');
        let source = source.and_then(|(kind, id)| SubscriptionSource::parse(kind, id).ok());
        Some(Self { tenant: tenant.parse().ok()?, source })
    }
}

/// The tenants of a page, from the one within which the last page ended, and the place after
/// them: the operator's, then the others in order of id.
async fn tenants(
    operator: &Operator<'_>,
    only: Option<TenantId>,
    after: Option<&Place>,
) -> Result<(Vec<TenantId>, Option<String>), ApiError> {
    if let Some(tenant) = only {
        return Ok((vec![tenant], None));
    }
    let mut tenants = match after {
        None => vec![TenantId::operator()],
        Some(place) if place.source.is_some() => vec![place.tenant.clone()],
        Some(_) => Vec::new(),
    };
    let ended = after.map(|place| &place.tenant).filter(|tenant| !tenant.is_operator());
    let read = operator.store().tenants(ended.map(TenantId::as_str), TENANTS).await?;
    let (records, more) = read;
    tenants.extend(records.into_iter().map(|record| record.id));
    let last = tenants.last().filter(|_| more);
    let next = last.map(|tenant| Place { tenant: tenant.clone(), source: None }.text());
    Ok((tenants, next))
}

/// What a type and an id name; a collection may be named by its alias, too.
async fn named(
    operator: &Operator<'_>,
    kind: &str,
    id: &str,
) -> Result<Result<SubscriptionSource, String>, ApiError> {
    if kind == "collection" {
        let all = operator.services.definitions_within(Duration::ZERO).await?;
        let found = all.iter().find(|defined| defined.collection.is_called(id));
        if let Some(defined) = found {
            return Ok(Ok(SubscriptionSource::Collection(defined.collection.id)));
        }
    }
    Ok(SubscriptionSource::parse(kind, id).map_err(|error| error.to_string()))
}

/// Refuses what is not there, and what the tenant would be told nothing of.
async fn check(
    operator: &Operator<'_>,
    tenant: &TenantId,
    source: &SubscriptionSource,
) -> Result<(), ApiError> {
    let missing = || invalid(format!("there is no {} {}", source.kind(), source.id()));
    match source {
        SubscriptionSource::Collection(id) => {
            let found = operator.services.collection_by_id(*id).await?.ok_or_else(missing)?;
            let collection: &Collection = &found.collection;
            if !collection.is_read_by(tenant) {
                let title = &collection.settings.title;
                return Err(invalid(format!(
                    "the tenant {tenant} does not read the collection {title}: make it a reader \
                     first"
                )));
            }
        }
        SubscriptionSource::ThreatActor(id) => {
            let head = operator.store().head(id).await?.filter(|head| !head.deleted);
            let owned = |owner: &TenantId| owner.is_operator() || owner == tenant;
            head.filter(|head| owned(&head.owner)).ok_or_else(missing)?;
        }
    }
    Ok(())
}

/// As long as the best plan of the tenant's keys keeps them.
async fn retention(operator: &Operator<'_>, tenant: &TenantId) -> Result<NonZeroU32, ApiError> {
    let mut plans: Vec<PlanName> = Vec::new();
    let mut after = None;
    loop {
        let read = operator.store().key_records(Some(tenant), after.as_deref(), KEYS).await?;
        let (keys, next) = read;
        plans.extend(keys.into_iter().filter(|key| !key.revoked).map(|key| key.settings.plan));
        plans.sort_unstable();
        plans.dedup();
        after = next;
        if after.is_none() {
            break;
        }
    }
    let mut longest = None;
    for name in plans {
        let plan = operator.store().plan(&name).await?;
        longest = longest.max(plan.map(|plan| plan.terms.retention_days));
    }
    Ok(longest.unwrap_or(DAYS))
}

/// Subscriptions with the aliases of their collections.
async fn known(operator: &Operator<'_>, found: Vec<Subscription>) -> Result<Vec<Known>, ApiError> {
    let all = operator.services.definitions_within(Duration::ZERO).await?;
    let alias = |source: &SubscriptionSource| {
        let SubscriptionSource::Collection(id) = source else { return None };
        let defined = all.iter().find(|defined| defined.collection.id == *id)?;
        defined.collection.settings.alias.as_ref().map(ToString::to_string)
    };
    let known = found.into_iter().map(|subscription| {
        let alias = alias(&subscription.source);
        Known { subscription, alias }
    });
    Ok(known.collect())
}
