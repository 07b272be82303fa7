//! `/api/v1/manage/collections`

use std::time::Duration;

use serde_json::{Value, json};
use shared::access::TenantId;
use shared::collection::{Collection, CollectionSettings};
use shared::http::{ApiError, Query};
use shared::tlp::Tlp;

use crate::operator::Operator;
use crate::patch;
use crate::refusal::{Refusal, invalid};
use crate::resource::{Made, Page, Resource};
use crate::tenants::check_named;

/// Collections.
pub struct Collections;

impl Resource for Collections {
    const NAME: &'static str = "collections";
    const ONE: &'static str = "collection";
    type Stored = Collection;

    fn id(stored: &Collection) -> String {
        stored.id.to_string()
    }

    fn revision(stored: &Collection) -> u64 {
        stored.revision
    }

    fn shown(stored: &Collection) -> Value {
        stored.shown()
    }

    fn settings(stored: &Collection) -> Value {
        json!(stored.settings)
    }

    async fn page(
        operator: &Operator<'_>,
        _query: &Query,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Collection>, ApiError> {
        let all = operator.services.definitions_within(Duration::ZERO).await?;
        let mut page: Vec<(String, Collection)> = all
            .iter()
            .map(|defined| (defined.collection.id.to_string(), defined.collection.clone()))
            .filter(|(id, _)| after.is_none_or(|after| id.as_str() > after))
            .collect();
        page.sort_by(|(a, _), (b, _)| a.cmp(b));
        let more = page.len() > limit;
        page.truncate(limit);
        let next = page.last().filter(|_| more).map(|(id, _)| id.clone());
        Ok((page.into_iter().map(|(_, collection)| collection).collect(), next))
    }

    async fn find(operator: &Operator<'_>, name: &str) -> Result<Option<Collection>, ApiError> {
        let all = operator.services.definitions_within(Duration::ZERO).await?;
        let found = all.iter().find(|defined| defined.collection.is_called(name));
        Ok(found.map(|defined| defined.collection.clone()))
    }

    async fn create(operator: &Operator<'_>, mut body: Value) -> Result<Made<Collection>, Refusal> {
        if let Value::Object(members) = &mut body
            && members.get("public") == Some(&Value::Bool(true))
        {
            members.entry("ceiling").or_insert_with(|| json!(Tlp::Clear));
        }
        let settings: CollectionSettings = patch::settings(body)?;
        check_tenants(operator, &settings, None).await?;
        let stored = operator.services.create_collection_as(&operator.actor, settings).await?;
        Ok(Made { stored, once: Vec::new() })
    }

    async fn change(
        operator: &Operator<'_>,
        known: &Collection,
        patch: &Value,
        settings: Value,
    ) -> Result<Collection, Refusal> {
        let settings: CollectionSettings = patch::settings(settings)?;
        let opens = settings.public && !known.settings.public && settings.ceiling > Tlp::Clear;
        if opens && patch.get("ceiling").is_none() {
            let message = "a public collection's ceiling is clear unless you say otherwise: send \
                           `ceiling` too";
            return Err(invalid(message).into());
        }
        check_tenants(operator, &settings, Some(&known.settings)).await?;
        if settings == known.settings {
            return Ok(known.clone());
        }
        let services = operator.services;
        Ok(services.change_collection_as(&operator.actor, known, settings).await?)
    }

    async fn delete(operator: &Operator<'_>, known: &Collection) -> Result<(), Refusal> {
        Ok(operator.services.delete_collection(&operator.actor, known).await?)
    }
}

async fn check_tenants(
    operator: &Operator<'_>,
    settings: &CollectionSettings,
    before: Option<&CollectionSettings>,
) -> Result<(), ApiError> {
    let readers = settings.readers.as_deref().unwrap_or_default();
    let known: Vec<TenantId> = before
        .into_iter()
        .flat_map(|before| before.readers.iter().flatten().chain(&before.writers))
        .cloned()
        .collect();
    check_named(operator, "`readers` and `writers`", &[readers, &settings.writers], &known).await
}
