//! What each function is put through: enough that it makes every call it can make.

mod collections;
mod feeds;
mod manage;
mod notifications;
mod objects;

use chrono::{SecondsFormat, TimeDelta, Utc};
use futures::FutureExt;
use shared::subscription::{Subscription, SubscriptionSource};

use crate::collection::CollectionSpec;
use crate::fixtures::{Object, fresh_id, malware, relationship};
use crate::stage::{Scenario, Stage};

const JSON: &str = "application/json";
const TAXII: &str = "application/taxii+json;version=2.1";

macro_rules! scenarios {
    ($($function:literal, $name:literal $(about $about:literal)? => $prepare:path),+ $(,)?) => {
        /// Every scenario.
        pub fn all() -> Vec<Scenario> {
            vec![$(Scenario {
                function: $function,
                name: $name,
                about: concat!("" $(, $about)?),
                prepare: |stage| $prepare(stage).boxed(),
            }),+]
        }
    };
}

scenarios! {
    "IngestFunction", "objects" => objects::ingest,
    "IngestDropFunction", "a file" => objects::drop_file,
    "ProjectFunction", "records" => objects::project,
    "ExpireFunction", "a run" => objects::expire,
    "RescanFunction", "jobs" => objects::rescan,
    "RescanFunction", "what was deleted" => objects::retire,
    "RescanFunction", "a schedule" => objects::rescan_due,
    "CompactFunction", "a run" => objects::compact,
    "StixExportFunction", "pages" => collections::export,
    "TaxiiFunction", "reads" => collections::taxii_reads,
    "TaxiiFunction", "writes" => collections::taxii_writes,
    "LiveStreamFunction", "a replay" => collections::stream,
    "StreamsFunction", "a replay" => collections::stream,
    "CsvPublishFunction", "a first edition" => feeds::publish_first,
    "CsvPublishFunction", "a next edition" => feeds::publish_next,
    "CsvPublishFunction", "a large file" about "Upload" => feeds::publish_large,
    "CsvFeedFunction", "files" => feeds::feed_files,
    "IocStreamListFunction", "pages" => notifications::list,
    "IocStreamGetFunction", "one" => notifications::get,
    "IocStreamDeleteFunction", "one and all" => notifications::delete,
    "SubscriptionsFunction", "all of it" => notifications::subscriptions,
    "NotifyFunction", "a feeding" => notifications::notify_feed,
    "NotifyFunction", "a deletion" => notifications::notify_deletion,
    "NotifyFunction", "a schedule" => notifications::notify_due,
    "ManageFunction", "tenants, keys and plans" => manage::manage_access,
    "ManageFunction", "collections, feeds and subscriptions" => manage::manage_content,
}

fn everything(alias: &str) -> CollectionSpec {
    CollectionSpec { alias: Some(alias.to_owned()), ..CollectionSpec::everything() }
}

fn actor() -> Object {
    malware("an actor")
        .without("is_family")
        .set("type", "threat-actor")
        .set("id", fresh_id("threat-actor"))
}

fn attributed(source: &Object, target: &Object) -> Object {
    relationship(source, target).set("relationship_type", "attributed-to")
}

fn in_hours(hours: i64) -> String {
    (Utc::now() + TimeDelta::hours(hours)).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// `acme` subscribes to something.
async fn subscribe(stage: &Stage, kind: &str, id: &str) {
    let store = stage.plain().store();
    let source = SubscriptionSource::parse(kind, id).unwrap();
    let retention_days = std::num::NonZeroU32::new(30).unwrap();
    let (tenant, since) = ("acme".parse().unwrap(), store.position_now());
    let subscription = Subscription { tenant, source, since, retention_days };
    store.put_subscription(&subscription).await.unwrap();
}

/// Deletes an object from the base, and leaves that pending.
async fn remove(stage: &Stage, tenant: &str, object: &Object) {
    let (owner, id) = (tenant.parse().unwrap(), object.id().parse().unwrap());
    shared::ingestion::delete(stage.plain(), &owner, &id).await.unwrap();
}
