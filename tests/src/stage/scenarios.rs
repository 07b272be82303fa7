//! What each function is put through: enough that it makes every call it can make.

use std::time::{Duration, Instant};

use chrono::{SecondsFormat, TimeDelta, Utc};
use futures::FutureExt;
use serde_json::{Value, json};
use shared::access::Scope;
use shared::audit::Actor;
use shared::feed::{Feed, FeedSettings};
use shared::log::LogId;
use shared::store::{Fed, FeedJob, FeedPlace, NotificationJob};
use shared::subscription::{Subscription, SubscriptionSource};

use super::{Ask, Scenario, Stage, Step};
use crate::collection::CollectionSpec;
use crate::fixtures::{
    FIRST, Object, SECOND, THIRD, bundle, envelope, fresh_id, identity, indicator, indicators,
    malware, relationship, tlp_marking,
};
use crate::notifications::{NOTIFICATIONS, STREAM, first_cause, made, posted};
use crate::packed_log;

const JSON: &str = "application/json";
const TAXII: &str = "application/taxii+json;version=2.1";

macro_rules! scenarios {
    ($($function:literal, $name:literal => $prepare:ident),+ $(,)?) => {
        /// Every scenario.
        pub fn all() -> Vec<Scenario> {
            vec![$(Scenario {
                function: $function,
                name: $name,
                prepare: |stage| $prepare(stage).boxed(),
            }),+]
        }
    };
}

scenarios! {
    "IngestFunction", "objects" => ingest,
    "IngestDropFunction", "a file" => drop_file,
    "ProjectFunction", "records" => project,
    "ExpireFunction", "a run" => expire,
    "RescanFunction", "jobs" => rescan,
    "RescanFunction", "what was deleted" => retire,
    "RescanFunction", "a schedule" => rescan_due,
    "CompactFunction", "a run" => compact,
    "StixExportFunction", "pages" => export,
    "TaxiiFunction", "reads" => taxii_reads,
    "TaxiiFunction", "writes" => taxii_writes,
    "LiveStreamFunction", "a replay" => stream,
    "StreamsFunction", "a replay" => stream,
    "CsvPublishFunction", "a first edition" => publish_first,
    "CsvPublishFunction", "a next edition" => publish_next,
    "CsvFeedFunction", "files" => feed_files,
    "IocStreamListFunction", "pages" => list,
    "IocStreamGetFunction", "one" => get,
    "IocStreamDeleteFunction", "one and all" => delete,
    "SubscriptionsFunction", "all of it" => subscriptions,
    "NotifyFunction", "a feeding" => notify_feed,
    "NotifyFunction", "a deletion" => notify_deletion,
    "NotifyFunction", "a schedule" => notify_due,
    "ManageFunction", "tenants, keys and plans" => manage_access,
    "ManageFunction", "collections, feeds and subscriptions" => manage_content,
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

fn object_records(objects: &[Object]) -> Step {
    let records: Vec<Value> = objects
        .iter()
        .enumerate()
        .map(|(number, object)| {
            let keys = json!({"id": {"S": object.id()}, "sk": {"S": "HEAD"}});
            json!({"dynamodb": {"SequenceNumber": number.to_string(), "Keys": keys}})
        })
        .collect();
    Step::Event(json!({ "Records": records }))
}

async fn ingest(stage: &mut Stage) -> Vec<Step> {
    stage.key("acme", &[Scope::WriteObjects, Scope::WriteNotifications]).await;
    stage.collection(everything("all")).await;
    let (known, author, marking) =
        (indicator().at(SECOND), identity("An author"), tlp_marking("amber"));
    stage.settle("acme", std::slice::from_ref(&known)).await;
    let marked = indicator().set("object_marking_refs", json!([marking.id()]));
    let family = malware("a family");
    let objects = [
        marking.clone(),
        author,
        marked.clone(),
        family.clone(),
        relationship(&marked, &family),
        known.clone().at(THIRD),
        known.at(FIRST),
    ];
    let notification = |id: &str| {
        posted("host.example.com", "ruleset", &["a"]).to_string().replacen(
            '{',
            &format!("{{\"id\":\"{id}\","),
            1,
        )
    };
    vec![
        Step::Ask(Ask::new("POST", "/api/v1/objects").body(JSON, bundle(&objects))),
        Step::Ask(
            Ask::new("POST", "/api/v1/objects?collection=all")
                .body(JSON, bundle(&[marked.clone().at(SECOND)])),
        ),
        Step::Ask(
            Ask::new("POST", "/api/v1/iocs").body(
                "application/x-ndjson",
                "{\"type\":\"domain\",\"value\":\"one.example.com\"}\n",
            ),
        ),
        Step::Ask(Ask::new("POST", "/api/v1/notifications").body(JSON, notification("n-1"))),
        Step::Ask(Ask::new("POST", "/api/v1/notifications").body(JSON, notification("n-1"))),
        Step::Ask(Ask::new("DELETE", format!("/api/v1/objects/{}", family.id()))),
    ]
}

async fn drop_file(stage: &mut Stage) -> Vec<Step> {
    let (marking, known) = (tlp_marking("amber"), indicator().at(SECOND));
    stage.settle("operator", std::slice::from_ref(&known)).await;
    let marked = indicator().set("object_marking_refs", json!([marking.id()]));
    let objects =
        [marking, marked, identity("An author"), known.clone().at(THIRD), known.at(FIRST)];
    stage.put_file("inbox/a.json", bundle(&objects)).await;
    let event = |key: &str| Step::Event(json!({"Records": [{"s3": {"object": {"key": key}}}]}));
    vec![event("inbox/a.json"), event("inbox/a.json"), event("inbox/gone.json")]
}

async fn project(stage: &mut Stage) -> Vec<Step> {
    let collection = stage.collection(everything("all")).await;
    let (one, family, who) = (indicator(), malware("a family"), actor());
    subscribe(stage, "collection", &collection.id.to_string()).await;
    subscribe(stage, "threat_actor", who.id()).await;
    let (old, older) = (attributed(&family, &who), indicator().at(SECOND));
    let marking = tlp_marking("amber");
    let before = [who, family.clone(), old.clone(), older.clone(), marking.clone()];
    stage.settle("operator", &before).await;
    remove(stage, "operator", &old).await;
    let one = one.set("valid_until", in_hours(5)).set("object_marking_refs", json!([marking.id()]));
    let new = [one.clone(), relationship(&one, &family), older.clone().at(THIRD), older.at(FIRST)];
    stage.take_in("operator", &new).await;
    let mut changed = new.to_vec();
    changed.push(old);
    vec![object_records(&changed)]
}

async fn expire(stage: &mut Stage) -> Vec<Step> {
    let marking = tlp_marking("amber");
    let one = indicator().set("object_marking_refs", json!([marking.id()]));
    let objects = [marking, one.clone(), one.at(SECOND), indicator()];
    let expiring = |object: Object| object.set("valid_until", in_hours(1));
    let [marking, rest @ ..] = objects;
    stage.settle("operator", &[marking]).await;
    stage.settle("operator", &rest.map(expiring)).await;
    // What expires belongs into it, and no backfill has come yet.
    let collection = stage.collection(everything("all")).await;
    subscribe(stage, "collection", &collection.id.to_string()).await;
    stage.later(TimeDelta::hours(3));
    vec![Step::Event(json!({"source": "aws.events"}))]
}

/// What was there before a collection, which a backfill brings into it; a sweep; something pending.
async fn rescan(stage: &mut Stage) -> Vec<Step> {
    let (one, family, who) = (indicator(), malware("a family"), actor());
    let (marking, gone) = (tlp_marking("amber"), attributed(&family, &who));
    let one = one.set("object_marking_refs", json!([marking.id()]));
    let joins = [relationship(&one, &family), attributed(&family, &who)];
    let before = [marking, one.clone(), family, who, joins[0].clone(), gone.clone()];
    stage.settle("operator", &before).await;
    stage.collection(everything("all")).await;
    remove(stage, "operator", &gone).await;
    stage.take_in("operator", &[indicator(), joins[1].clone(), one.at(SECOND)]).await;
    shared::rescan::start_sweep(stage.plain()).await.unwrap();
    stage.later(TimeDelta::minutes(5));
    vec![Step::Jobs("JOBS"), Step::Jobs("JOBS")]
}

async fn retire(stage: &mut Stage) -> Vec<Step> {
    let collection = stage.collection(everything("all")).await;
    stage.settle("operator", &indicators(3)).await;
    stage.key("acme", &[Scope::ReadTaxii]).await;
    subscribe(stage, "collection", &collection.id.to_string()).await;
    let store = stage.plain().store().clone();
    let tenant = store.tenant(&"acme".parse().unwrap()).await.unwrap().unwrap();
    store.close_tenant(&Actor::System, &tenant).await.unwrap();
    let known = store.collections().await.unwrap().remove(0);
    stage.plain().delete_collection(&Actor::System, &known).await.unwrap();
    stage.later(TimeDelta::minutes(5));
    vec![Step::Jobs("JOBS")]
}

async fn rescan_due(stage: &mut Stage) -> Vec<Step> {
    stage.settle("operator", &indicators(1)).await;
    stage.collection(everything("all")).await;
    stage.later(TimeDelta::hours(5));
    vec![Step::Event(json!({"detail-type": "Scheduled Event"}))]
}

async fn compact(stage: &mut Stage) -> Vec<Step> {
    let collection = stage.collection(everything("all")).await;
    let log = LogId::Collection(collection.id);
    packed_log::append(stage.plain().store(), log, &indicators(300), 10).await;
    stage.later(TimeDelta::hours(2));
    // A first run notes where the log ends; what lies before that is rewritten by the next.
    let (services, until) = (stage.plain(), Instant::now() + Duration::from_mins(1));
    let now = services.store().position_now();
    shared::compaction::compact_all(services, now, until).await.unwrap();
    stage.later(TimeDelta::hours(4));
    vec![Step::Event(json!({"source": "aws.events"}))]
}

async fn export(stage: &mut Stage) -> Vec<Step> {
    stage.key("acme", &[Scope::ReadStix]).await;
    let marking = tlp_marking("green");
    let author = identity("An author").set("object_marking_refs", json!([marking.id()]));
    let marked = |object: Object| {
        object.set("object_marking_refs", json!([marking.id()])).set("created_by_ref", author.id())
    };
    let objects = [marking.clone(), author.clone(), marked(indicator()), marked(indicator())];
    stage.settle("operator", &objects).await;
    vec![
        Step::Ask(Ask::new("GET", "/api/v1/iocs/stix?limit=1")),
        Step::Ask(Ask::new("GET", "/api/v1/export/stix")),
    ]
}

async fn taxii_reads(stage: &mut Stage) -> Vec<Step> {
    stage.key("acme", &[Scope::ReadTaxii, Scope::WriteObjects]).await;
    stage.collection(everything("all")).await;
    let known = indicator();
    stage.settle("operator", &[known.clone(), indicator(), known.clone().at(SECOND)]).await;
    // Pending: what the log says since comes on top.
    stage.take_in("operator", &[known.clone().at(THIRD)]).await;
    let one = format!("collections/all/objects/{}/", known.id());
    let paths = [
        "/taxii2/".to_owned(),
        "/taxii2/intel/".to_owned(),
        "/taxii2/intel/collections/".to_owned(),
        "/taxii2/intel/collections/all/".to_owned(),
        "/taxii2/intel/collections/all/objects/?limit=1".to_owned(),
        "/taxii2/intel/collections/all/objects/?added_after=2026-01-01T00:00:00Z".to_owned(),
        "/taxii2/intel/collections/all/manifest/?match[version]=all".to_owned(),
        format!("/taxii2/intel/{one}?match[version]=all"),
        format!("/taxii2/intel/{one}versions/"),
    ];
    paths.into_iter().map(|path| Step::Ask(Ask::new("GET", path).header("accept", TAXII))).collect()
}

async fn taxii_writes(stage: &mut Stage) -> Vec<Step> {
    stage.key("acme", &[Scope::ReadTaxii, Scope::WriteObjects]).await;
    let collection = stage.collection(everything("all")).await;
    subscribe(stage, "collection", &collection.id.to_string()).await;
    let (known, marking) = (indicator(), tlp_marking("amber"));
    let (family, who) = (malware("a family"), actor());
    let gone = attributed(&family, &who);
    let before = [known.clone(), known.clone().at(SECOND), marking.clone(), family, who];
    stage.settle("acme", &before).await;
    stage.settle("acme", std::slice::from_ref(&gone)).await;
    // What is pending is projected before anything of it is deleted.
    remove(stage, "acme", &gone).await;
    let marked = |object: Object| object.set("object_marking_refs", json!([marking.id()]));
    let late = marked(indicator()).set("valid_until", in_hours(5));
    stage.take_in("acme", std::slice::from_ref(&late)).await;
    let delete = |object: &Object| {
        let path = format!("/taxii2/intel/collections/all/objects/{}/", object.id());
        Step::Ask(Ask::new("DELETE", path).header("accept", TAXII))
    };
    let (one, family) = (marked(indicator()), malware("another family"));
    let joined = relationship(&one, &family);
    let objects = [one, family, joined, known.clone().at(THIRD)];
    vec![
        Step::Ask(
            Ask::new("POST", "/taxii2/intel/collections/all/objects/")
                .header("accept", TAXII)
                .body(TAXII, envelope(&objects)),
        ),
        delete(&late),
        delete(&gone),
        Step::Pump,
        Step::Then(|before| {
            let id = before[0]["id"].as_str().unwrap_or_default();
            Ask::new("GET", format!("/taxii2/intel/status/{id}/")).header("accept", TAXII)
        }),
        delete(&known),
    ]
}

async fn stream(stage: &mut Stage) -> Vec<Step> {
    stage.key("acme", &[Scope::ReadStream]).await;
    stage
        .collection(everything("all").streamed(json!({"enabled": true, "dependencies": true})))
        .await;
    let (author, family) = (identity("An author"), malware("a family"));
    let marking = tlp_marking("green");
    let one = indicator()
        .set("created_by_ref", author.id())
        .set("object_marking_refs", json!([marking.id()]));
    let joined = relationship(&one, &family);
    stage.settle("operator", &[author, marking, family, one.clone(), joined]).await;
    stage.settle("operator", &[one.at(SECOND)]).await;
    vec![
        Step::Ask(Ask::new("GET", "/api/v1/streams")),
        Step::Ask(Ask::new("GET", "/stream/all?from=0")),
        Step::Ask(Ask::new("GET", "/stream/all?from=2026-01-01T00:00:00Z")),
    ]
}

fn in_hours(hours: i64) -> String {
    (Utc::now() + TimeDelta::hours(hours)).to_rfc3339_opts(SecondsFormat::Millis, true)
}

async fn feed(stage: &mut Stage, alias: &str) -> Feed {
    let settings: FeedSettings = serde_json::from_value(json!({
        "name": "A feed", "alias": alias, "collection": "all", "formats": ["csv", "csv.gz"],
        "publish_every_minutes": 1,
    }))
    .unwrap();
    stage.plain().store().create_feed(&Actor::System, settings).await.unwrap()
}

async fn publish(stage: &Stage, feed: &Feed) {
    let services = stage.plain();
    let collections = services.store().collections().await.unwrap();
    let request = csv_publish::Request { feed, collections: &collections, rebuild: false };
    csv_publish::publish(services, request, &csv_publish::Progress::default()).await.unwrap();
}

async fn publish_first(stage: &mut Stage) -> Vec<Step> {
    stage.collection(everything("all")).await;
    let marking = tlp_marking("green");
    let one = indicator().set("object_marking_refs", json!([marking.id()]));
    stage.settle("operator", &[marking, one, indicator()]).await;
    feed(stage, "feed").await;
    vec![Step::Event(json!({"source": "aws.events"}))]
}

async fn publish_next(stage: &mut Stage) -> Vec<Step> {
    stage.collection(everything("all")).await;
    stage.settle("operator", &indicators(2)).await;
    let feed = feed(stage, "feed").await;
    publish(stage, &feed).await;
    stage.settle("operator", &indicators(2)).await;
    publish(stage, &feed).await;
    stage.settle("operator", &indicators(2)).await;
    stage.later(TimeDelta::hours(30));
    vec![Step::Event(json!({"source": "aws.events"}))]
}

async fn feed_files(stage: &mut Stage) -> Vec<Step> {
    stage.key("acme", &[Scope::ReadCsv]).await;
    stage.collection(everything("all")).await;
    stage.settle("operator", &indicators(2)).await;
    let published = feed(stage, "feed").await;
    publish(stage, &published).await;
    feed(stage, "later").await;
    let get = |path: &str| Step::Ask(Ask::new("GET", path));
    vec![
        get("/feeds/feed.csv"),
        get("/feeds/feed.sha256"),
        Step::Ask(Ask::new("GET", "/feeds/feed.csv").header("range", "bytes=0-9")),
        get("/feeds/later.csv"),
    ]
}

/// Notifications of `acme`, some of which are about an object.
async fn notified(stage: &mut Stage, scopes: &[Scope]) -> Vec<String> {
    stage.key("acme", scopes).await;
    let marking = tlp_marking("green");
    let known = indicator().set("object_marking_refs", json!([marking.id()]));
    stage.settle("operator", &[marking, known.clone()]).await;
    let first = first_cause();
    let mut all: Vec<_> = (0..12).map(|number| made("acme", first, number)).collect();
    all[5].object = Some(known.id().parse().unwrap());
    let tenant = "acme".parse().unwrap();
    stage.plain().store().load_notifications(&tenant, &all).await.unwrap();
    all.iter().map(|one| one.id.to_string()).collect()
}

async fn list(stage: &mut Stage) -> Vec<Step> {
    notified(stage, &[Scope::ReadIocStream]).await;
    let get = |query: &str| Step::Ask(Ask::new("GET", format!("{STREAM}?{query}")));
    vec![
        get("limit=40"),
        get("limit=2"),
        get("limit=5&filter=tag:tag-1"),
        get("filter=entity_type:file%20tag:tag-4"),
    ]
}

async fn get(stage: &mut Stage) -> Vec<Step> {
    let ids = notified(stage, &[Scope::ReadIocStream]).await;
    [&ids[0], &ids[5]].map(|id| Step::Ask(Ask::new("GET", format!("{NOTIFICATIONS}/{id}")))).into()
}

async fn delete(stage: &mut Stage) -> Vec<Step> {
    let ids = notified(stage, &[Scope::ReadIocStream, Scope::DeleteIocStream]).await;
    let one = |id: &str| Step::Ask(Ask::new("DELETE", format!("{NOTIFICATIONS}/{id}")));
    let by_tag = || Step::Ask(Ask::new("DELETE", format!("{STREAM}?filter=tag:tag-1")));
    // The second is told that the first is under way.
    vec![one(&ids[0]), one(&ids[5]), by_tag(), by_tag()]
}

async fn subscriptions(stage: &mut Stage) -> Vec<Step> {
    stage.key("acme", &[Scope::ReadIocStream]).await;
    let collection = stage.collection(everything("all")).await;
    let who = actor();
    stage.settle("operator", std::slice::from_ref(&who)).await;
    let path = "/api/v1/subscriptions";
    let collection = format!("{path}/collection/{}", collection.id);
    vec![
        Step::Ask(Ask::new("PUT", &collection)),
        Step::Ask(Ask::new("PUT", format!("{path}/threat_actor/{}", who.id()))),
        Step::Ask(Ask::new("GET", path)),
        Step::Ask(Ask::new("GET", &collection)),
        Step::Ask(Ask::new("DELETE", collection)),
    ]
}

async fn notify_feed(stage: &mut Stage) -> Vec<Step> {
    let collection = stage.collection(everything("all")).await;
    let (one, family, who) = (indicator(), malware("a family"), actor());
    let joins = [relationship(&one, &family), attributed(&family, &who)];
    subscribe(stage, "collection", &collection.id.to_string()).await;
    subscribe(stage, "threat_actor", who.id()).await;
    let objects = [one, family, who, joins[0].clone(), joins[1].clone()];
    stage.settle("operator", &objects).await;
    vec![Step::Jobs("NOTIFY"), Step::Jobs("NOTIFY")]
}

async fn notify_deletion(stage: &mut Stage) -> Vec<Step> {
    notified(stage, &[Scope::ReadIocStream, Scope::DeleteIocStream]).await;
    let request = Ask::new("DELETE", format!("{STREAM}?filter=tag:tag-1"));
    let services = stage.plain().clone();
    let asked = stage.ask("IocStreamDeleteFunction", &services, request).await;
    assert_eq!(asked.status, 200, "{asked:?}");
    // Only what was stored before the call is deleted.
    vec![Step::Jobs("NOTIFY"), Step::Jobs("NOTIFY")]
}

async fn notify_due(stage: &mut Stage) -> Vec<Step> {
    let one = indicator();
    stage.settle("operator", std::slice::from_ref(&one)).await;
    let store = stage.plain().store().clone();
    let source =
        SubscriptionSource::parse("collection", &uuid::Uuid::new_v4().to_string()).unwrap();
    let (object, cause) = (one.id().parse().unwrap(), store.position_now());
    let fed = Fed { object, cause, ways: Vec::new() };
    let job = FeedJob::new(source, FeedPlace::Objects(vec![fed])).unwrap();
    assert!(store.add_notification_job(&NotificationJob::Feed(job)).await.unwrap());
    stage.later(TimeDelta::hours(5));
    vec![Step::Event(json!({"detail-type": "Scheduled Event"}))]
}

const MANAGE: &str = "/api/v1/manage";

fn manage(method: &'static str, path: &str, body: &Value) -> Step {
    let ask = Ask::new(method, format!("{MANAGE}/{path}"));
    if body.is_null() {
        return Step::Ask(ask.header("if-match", "*"));
    }
    Step::Ask(ask.header("if-match", "*").body(JSON, body.to_string()))
}

async fn manage_access(stage: &mut Stage) -> Vec<Step> {
    stage.key("operator", &[Scope::Admin]).await;
    vec![
        manage("POST", "tenants", &json!({"id": "globex"})),
        manage("PATCH", "tenants/globex", &json!({"name": "Globex"})),
        manage(
            "POST",
            "plans",
            &json!({"name": "gold", "requests_per_minute": 5, "requests_per_day": 50, "scopes": []}),
        ),
        manage(
            "POST",
            "keys",
            &json!({"tenant": "globex", "name": "k", "plan": "gold", "scopes": ["write:objects"]}),
        ),
        Step::Then(|before| of_key("PATCH", before, "").body(JSON, "{\"name\":\"other\"}")),
        Step::Then(|before| of_key("GET", before, "")),
        manage("GET", "keys", &Value::Null),
        manage("GET", "tenants", &Value::Null),
        manage("GET", "plans", &Value::Null),
        Step::Then(|before| of_key("POST", before, "/rotate").body(JSON, "{\"grace_minutes\":5}")),
        Step::Then(|before| of_key("POST", before, "/revoke")),
        Step::Then(|before| of_key("DELETE", before, "")),
        manage("PATCH", "plans/gold", &json!({"requests_per_minute": 6})),
        manage("DELETE", "plans/gold", &Value::Null),
        manage("POST", "plans", &json!({"name": "silver", "scopes": []})),
        manage("DELETE", "plans/silver", &Value::Null),
        manage("DELETE", "tenants/globex", &Value::Null),
        manage("GET", "audit", &Value::Null),
        manage("GET", "audit?resource=tenant/globex", &Value::Null),
        manage("GET", "status", &Value::Null),
    ]
}

fn of_key(method: &'static str, before: &[Value], rest: &str) -> Ask {
    let id = before[3]["id"].as_str().unwrap_or_default();
    Ask::new(method, format!("{MANAGE}/keys/{id}{rest}")).header("if-match", "*")
}

async fn manage_content(stage: &mut Stage) -> Vec<Step> {
    stage.key("operator", &[Scope::Admin]).await;
    let (author, who) = (identity("An author"), actor());
    stage.settle("operator", &[author, who.clone(), indicator()]).await;
    stage.collection(everything("old")).await;
    let settings: FeedSettings = serde_json::from_value(json!({
        "name": "A feed", "alias": "published", "collection": "old", "formats": ["csv"],
    }))
    .unwrap();
    let published = stage.plain().store().create_feed(&Actor::System, settings).await.unwrap();
    publish(stage, &published).await;
    let by = json!({"mode": "and", "filterGroups": [], "filters": [
        {"key": "createdBy", "values": ["An author"], "operator": "eq", "mode": "or"}]});
    let subscription = json!({"tenant": "acme", "source_type": "collection", "source_id": "new"});
    let to_actor = json!({"tenant": "acme", "source_type": "threat_actor", "source_id": who.id()});
    vec![
        manage(
            "POST",
            "collections",
            &json!({"title": "New", "alias": "new", "ceiling": "amber", "filter": by}),
        ),
        manage("PATCH", "collections/new", &json!({"description": "words"})),
        manage("GET", "collections", &Value::Null),
        manage("POST", "feeds", &json!({"name": "F", "alias": "f", "collection": "new"})),
        manage("PATCH", "feeds/f", &json!({"rolling_minutes": 60})),
        manage("GET", "feeds", &Value::Null),
        manage("POST", "subscriptions", &subscription),
        manage("POST", "subscriptions", &to_actor),
        manage("GET", "subscriptions", &Value::Null),
        manage("GET", "status", &Value::Null),
        Step::Then(|before| {
            let id = before[6]["id"].as_str().unwrap_or_default();
            Ask::new("DELETE", format!("{MANAGE}/subscriptions/{id}")).header("if-match", "*")
        }),
        manage("DELETE", "feeds/published", &Value::Null),
        manage("DELETE", "feeds/f", &Value::Null),
        manage("DELETE", "collections/new", &Value::Null),
    ]
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
