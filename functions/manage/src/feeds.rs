//! `/api/v1/manage/feeds`: what is published, where it is read, and what is known of its last
//! edition.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use shared::access::PlanName;
use shared::feed::{Edition, Feed, FeedSettings};
use shared::http::{ApiError, Query};
use shared::services::Definitions;

use crate::operator::Operator;
use crate::patch;
use crate::refusal::{Refusal, invalid};
use crate::resource::{Made, Page, Resource};
use crate::tenants::check_named;

/// Plans a feed may name.
const MAX_PLANS: usize = 100;

/// Feeds.
pub struct Feeds;

/// A feed with what else is shown of it.
pub struct Published {
    feed: Feed,
    /// What its collection is called now: its alias, else its id.
    collection: String,
    edition: Option<Edition>,
}

impl Resource for Feeds {
    const NAME: &'static str = "feeds";
    const ONE: &'static str = "feed";
    // A new edition is no revision.
    const STEADY: bool = false;
    type Stored = Published;

    fn id(stored: &Published) -> String {
        stored.feed.id.to_string()
    }

    fn revision(stored: &Published) -> u64 {
        stored.feed.revision
    }

    fn shown(stored: &Published) -> Value {
        let Published { feed, collection, edition } = stored;
        let mut shown = feed.shown();
        if let Value::Object(members) = &mut shown {
            let files: BTreeMap<&str, String> =
                feed.paths().map(|(file, path)| (file.suffix(), path)).collect();
            members.insert("collection".to_owned(), json!(collection));
            members.insert("collection_id".to_owned(), json!(feed.collection));
            members.insert("files".to_owned(), json!(files));
            members.insert("last_edition".to_owned(), json!(edition.as_ref().map(told)));
        }
        shown
    }

    fn settings(stored: &Published) -> Value {
        json!(stored.feed.settings)
    }

    async fn page(
        operator: &Operator<'_>,
        _query: &Query,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Published>, ApiError> {
        let mut page = operator.store().feeds().await?;
        page.retain(|feed| after.is_none_or(|after| feed.id.to_string().as_str() > after));
        let more = page.len() > limit;
        page.truncate(limit);
        let next = page.last().filter(|_| more).map(|feed| feed.id.to_string());
        Ok((published(operator, page).await?, next))
    }

    async fn find(operator: &Operator<'_>, name: &str) -> Result<Option<Published>, ApiError> {
        let mut found = operator.store().feeds().await?;
        found.retain(|feed| feed.is_called(name));
        Ok(published(operator, found).await?.pop())
    }

    async fn create(operator: &Operator<'_>, body: Value) -> Result<Made<Published>, Refusal> {
        let settings: FeedSettings = patch::settings(body)?;
        check_readers(operator, &settings, None).await?;
        let made = operator.store().create_feed(&operator.actor, settings).await?;
        Ok(Made { stored: written(operator, made, None).await, once: Vec::new() })
    }

    async fn change(
        operator: &Operator<'_>,
        known: &Published,
        _patch: &Value,
        settings: Value,
    ) -> Result<Published, Refusal> {
        let mut settings: FeedSettings = patch::settings(settings)?;
        let Published { feed: known, collection, edition } = known;
        // Its own collection, whatever it is called.
        if [collection, &known.collection.to_string()].contains(&&settings.collection) {
            settings.collection.clone_from(&known.settings.collection);
        }
        check_readers(operator, &settings, Some(&known.settings)).await?;
        if settings == known.settings {
            return Ok(written(operator, known.clone(), edition.clone()).await);
        }
        let changed = operator.store().change_feed(&operator.actor, known, settings).await?;
        Ok(written(operator, changed, edition.clone()).await)
    }

    async fn delete(operator: &Operator<'_>, known: &Published) -> Result<(), Refusal> {
        Ok(operator.store().delete_feed(&operator.actor, &known.feed).await?)
    }
}

/// What is told of an edition.
pub fn told(edition: &Edition) -> Value {
    json!({
        "time": edition.generated,
        "from": edition.from,
        "tlp": edition.level,
        "objects": edition.state.records,
        "rows": edition.rows(),
        "bytes": edition.bytes(),
        "skipped": edition.state.skipped.objects,
        "skipped_objects": edition.state.skipped.listed,
    })
}

/// Feeds with what else is shown of them.
async fn published(operator: &Operator<'_>, feeds: Vec<Feed>) -> Result<Vec<Published>, ApiError> {
    let collections = operator.services.definitions_within(Duration::ZERO).await?;
    let ids: Vec<_> = feeds.iter().map(|feed| feed.id).collect();
    let editions = operator.store().editions(&ids).await?;
    let both = feeds.into_iter().zip(editions);
    let shown = both.map(|(feed, edition)| {
        let collection = called(&collections, &feed);
        Published { feed, collection, edition }
    });
    Ok(shown.collect())
}

/// A feed as it was just written, with the edition it had. What is done is not told as failed
/// because something beside it cannot be read.
async fn written(operator: &Operator<'_>, feed: Feed, edition: Option<Edition>) -> Published {
    let known = operator.services.definitions_within(Duration::ZERO).await;
    let collection = match &known {
        Ok(known) => called(known, &feed),
        Err(_) => feed.collection.to_string(),
    };
    Published { feed, collection, edition }
}

/// What operators call a feed's collection.
fn called(known: &Definitions, feed: &Feed) -> String {
    let found = known.iter().find(|defined| defined.collection.id == feed.collection);
    let alias = found.and_then(|defined| defined.collection.settings.alias.as_ref());
    alias.map_or_else(|| feed.collection.to_string(), ToString::to_string)
}

/// Refuses plans and tenants that are none; those that stand there already may stay.
async fn check_readers(
    operator: &Operator<'_>,
    settings: &FeedSettings,
    before: Option<&FeedSettings>,
) -> Result<(), ApiError> {
    let tenants = settings.tenants.as_deref().unwrap_or_default();
    let known = before.and_then(|before| before.tenants.as_deref()).unwrap_or_default();
    check_named(operator, "`tenants` can", &[tenants], known).await?;
    let plans: &[PlanName] = settings.plans.as_deref().unwrap_or_default();
    if plans.len() > MAX_PLANS {
        return Err(invalid(format!("`plans` names at most {MAX_PLANS} plans")));
    }
    let known = before.and_then(|before| before.plans.as_deref()).unwrap_or_default();
    for plan in plans.iter().filter(|plan| !known.contains(plan)) {
        if operator.store().plan(plan).await?.is_none() {
            return Err(invalid(format!("there is no plan {plan}: create it first")));
        }
    }
    Ok(())
}
