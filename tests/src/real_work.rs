//! Something to do for each function's real binary, over and over: requests that succeed and events
//! that change something, so that who times a function times its work and not a refusal.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use shared::access::Scope;
use shared::audit::Actor;
use shared::feed::FeedSettings;
use shared::log::{CollectionId, LogId};
use shared::store::{Cause, Fed, FeedJob, FeedPlace, NotificationJob};
use shared::subscription::{Subscription, SubscriptionSource};

use crate::client::{Client, TAXII};
use crate::collection::CollectionSpec;
use crate::fixtures::{bundle, indicator, indicators};
use crate::function::Function;
use crate::gateway_event;
use crate::notifications::{NOTIFICATIONS, STREAM, first_cause, made};
use crate::packed_log;
use crate::stage::{Ask, Stage};
use crate::subscribing::actor;

/// Objects that readers find.
const OBJECTS: usize = 200;
/// What a collection's own time of compaction, or an indicator's end, is apart from the next.
const APART: TimeDelta = TimeDelta::hours(4);

/// What a function is asked.
enum Turn {
    Ask(Ask),
    Event(Value),
}

type Prepare = for<'a> fn(&'a mut Stage) -> BoxFuture<'a, Vec<String>>;
type Next = for<'a> fn(&'a Stage, &'a [String], usize) -> BoxFuture<'a, Turn>;

/// What one function is given to do.
pub struct Work {
    /// The name of its binary.
    pub function: &'static str,
    prepare: Prepare,
    next: Next,
    /// Whether its answer says that something was done.
    did: fn(&Value) -> bool,
}

macro_rules! work {
    ($($function:literal: $prepare:path, $next:path, $did:expr;)+) => {
        /// The work of every function.
        pub fn all() -> Vec<Work> {
            vec![$(Work {
                function: $function,
                prepare: |stage| $prepare(stage).boxed(),
                next: |stage, ids, number| $next(stage, ids, number).boxed(),
                did: $did,
            }),+]
        }
    };
}

work! {
    "taxii": base, taxii, |answer| many(&answer["objects"], 100);
    "stix-export": base, export, |answer| answer["objects"].as_array().is_some_and(|o| o.len() > 100);
    "ioc-stream-list": notified, list, |answer| many(&answer["data"], 40);
    "ioc-stream-get": notified, get, |answer| answer["data"]["id"].is_string();
    "ioc-stream-delete": notified, delete, |_| true;
    "subscriptions": actors, subscribe, |answer| answer.is_object();
    "csv-feed": published, feed, |_| true;
    "live-stream": base, stream, |_| true;
    "ingest": base, ingest, |answer| answer["created"] == 1;
    "manage": base, manage, |answer| answer.to_string().contains("\"all\"");
    "ingest-drop": base, file, |answer| many(&answer["taken"], 1);
    "project": base, project, |answer| many(&answer["batchItemFailures"], 0);
    "notify": told, notify, |answer| many(&answer["batchItemFailures"], 0);
    "rescan": earlier, rescan, |answer| many(&answer["batchItemFailures"], 0);
    "expire": expiring, expire, |answer| answer["expired"] == 1 && answer["complete"] == true;
    "compact": packed, compact, |answer| answer["written"].as_u64().is_some_and(|n| n > 0);
    "csv-publish": published, publish, |answer| answer["published"] == 1;
}

/// A function's work, laid out.
pub struct Begun {
    function: &'static str,
    stage: Stage,
    ids: Vec<String>,
    next: Next,
    did: fn(&Value) -> bool,
    number: usize,
}

impl Work {
    /// Lays out work for so many turns at the most: 24.
    pub async fn begin(&self) -> Begun {
        let mut stage = Stage::new().await;
        let ids = (self.prepare)(&mut stage).await;
        let Self { function, next, did, .. } = *self;
        Begun { function, stage, ids, next, did, number: 0 }
    }
}

impl Begun {
    /// What the function's environment has to say.
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut environment = self.stage.environment();
        environment.push(("IOCAST_STREAM_FINITE".to_owned(), "true".to_owned()));
        environment
    }

    /// Has the function do the next piece; returns how long that took it. Panics where it did not.
    pub async fn turn(&mut self, function: &Arc<Function>) -> Duration {
        let turn = (self.next)(&self.stage, &self.ids, self.number).await;
        self.number += 1;
        let name = self.function;
        let (took, answer) = match turn {
            Turn::Ask(ask) => {
                let base_url = format!("https://{}", gateway_event::HOST);
                let client = Client::function(Arc::clone(function), &base_url);
                let request = ask.by(&client.with_key(self.stage.key_text()));
                let begun = Instant::now();
                let answer = request.await;
                let took = begun.elapsed();
                let shown: String = answer.text().chars().take(300).collect();
                assert!((200..300).contains(&answer.status), "{name}: {}: {shown}", answer.status);
                (took, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
            }
            Turn::Event(event) => {
                let begun = Instant::now();
                let returned = function.invoke(&event).await;
                let took = begun.elapsed();
                let returned = returned.unwrap_or_else(|error| panic!("{name}: {error}"));
                (took, serde_json::from_slice(&returned).unwrap())
            }
        };
        assert!((self.did)(&answer), "{name} did nothing: {answer}");
        took
    }

    /// Makes sure that nothing is left to do of what was given, and throws all away.
    pub async fn end(self) {
        let partition = match self.function {
            "project" => Some("PENDING"),
            "notify" => Some("NOTIFY"),
            "rescan" => Some("JOBS"),
            _ => None,
        };
        let left = match partition {
            Some("PENDING") => self.stage.pending().await.iter().map(ToString::to_string).collect(),
            Some(partition) => self.stage.jobs(partition).await,
            None => Vec::new(),
        };
        assert!(left.is_empty(), "{} left {left:?}", self.function);
        self.stage.end().await;
    }
}

fn many(value: &Value, count: usize) -> bool {
    value.as_array().is_some_and(|all| all.len() == count)
}

fn event_of(time: DateTime<Utc>) -> Turn {
    let time = time.to_rfc3339_opts(SecondsFormat::Secs, true);
    Turn::Event(json!({"source": "aws.events", "detail-type": "Scheduled Event", "time": time}))
}

fn log_of(collection: &str) -> LogId {
    LogId::Collection(CollectionId(collection.parse().unwrap()))
}

/// A collection of everything and a key that may do everything.
async fn empty(stage: &mut Stage) -> String {
    stage.key("operator", &Scope::ALL).await;
    let spec = CollectionSpec { alias: Some("all".to_owned()), ..CollectionSpec::everything() };
    let spec = spec.streamed(json!({"enabled": true}));
    stage.collection(spec).await.id.to_string()
}

/// The same with objects in it.
async fn base(stage: &mut Stage) -> Vec<String> {
    let collection = empty(stage).await;
    stage.settle_together("operator", &indicators(OBJECTS)).await;
    vec![collection]
}

async fn taxii(_: &Stage, _: &[String], _: usize) -> Turn {
    let path = "/taxii2/intel/collections/all/objects/?limit=100";
    Turn::Ask(Ask::new("GET", path).header("accept", TAXII))
}

async fn export(_: &Stage, _: &[String], _: usize) -> Turn {
    Turn::Ask(Ask::new("GET", "/api/v1/iocs/stix?limit=100"))
}

async fn stream(_: &Stage, _: &[String], _: usize) -> Turn {
    Turn::Ask(Ask::new("GET", "/stream/all?from=0"))
}

async fn manage(_: &Stage, _: &[String], _: usize) -> Turn {
    Turn::Ask(Ask::new("GET", "/api/v1/manage/collections"))
}

async fn ingest(_: &Stage, _: &[String], _: usize) -> Turn {
    let ask = Ask::new("POST", "/api/v1/objects");
    Turn::Ask(ask.body("application/json", bundle(&[indicator()])))
}

async fn file(stage: &Stage, _: &[String], number: usize) -> Turn {
    let key = format!("inbox/{number}.json");
    stage.put_file(&key, bundle(&[indicator()])).await;
    Turn::Event(json!({"Records": [{"s3": {"object": {"key": key}}}]}))
}

async fn project(stage: &Stage, _: &[String], _: usize) -> Turn {
    let object = indicator();
    stage.take_in("operator", std::slice::from_ref(&object)).await;
    let keys = json!({"id": {"S": object.id()}, "sk": {"S": "HEAD"}});
    Turn::Event(json!({"Records": [{"dynamodb": {"SequenceNumber": "1", "Keys": keys}}]}))
}

async fn notified(stage: &mut Stage) -> Vec<String> {
    empty(stage).await;
    let first = first_cause();
    let all: Vec<_> = (0..OBJECTS).map(|number| made("operator", first, number)).collect();
    let tenant = "operator".parse().unwrap();
    stage.plain().store().load_notifications(&tenant, &all).await.unwrap();
    all.iter().map(|one| one.id.to_string()).collect()
}

async fn list(_: &Stage, _: &[String], _: usize) -> Turn {
    Turn::Ask(Ask::new("GET", format!("{STREAM}?limit=40")))
}

async fn get(_: &Stage, ids: &[String], number: usize) -> Turn {
    Turn::Ask(Ask::new("GET", format!("{NOTIFICATIONS}/{}", ids[number])))
}

async fn delete(_: &Stage, ids: &[String], number: usize) -> Turn {
    Turn::Ask(Ask::new("DELETE", format!("{NOTIFICATIONS}/{}", ids[number])))
}

async fn actors(stage: &mut Stage) -> Vec<String> {
    empty(stage).await;
    let actors: Vec<_> = (0..24).map(|number| actor(&format!("Actor {number}"))).collect();
    stage.settle_together("operator", &actors).await;
    actors.iter().map(|actor| actor.id().to_owned()).collect()
}

async fn subscribe(_: &Stage, ids: &[String], number: usize) -> Turn {
    Turn::Ask(Ask::new("PUT", format!("/api/v1/subscriptions/threat_actor/{}", ids[number])))
}

async fn published(stage: &mut Stage) -> Vec<String> {
    let ids = base(stage).await;
    let settings: FeedSettings = serde_json::from_value(json!({
        "name": "A feed", "alias": "feed", "collection": "all", "formats": ["csv", "csv.gz"],
        "publish_every_minutes": 1,
    }))
    .unwrap();
    let feed = stage.plain().store().create_feed(&Actor::System, settings).await.unwrap();
    stage.publish(&feed).await;
    ids
}

async fn feed(_: &Stage, _: &[String], _: usize) -> Turn {
    Turn::Ask(Ask::new("GET", "/feeds/feed.csv"))
}

async fn publish(stage: &Stage, ids: &[String], _: usize) -> Turn {
    packed_log::append(stage.plain().store(), log_of(&ids[0]), &indicators(8), 8).await;
    Turn::Event(json!({"source": "aws.events"}))
}

/// Objects that a collection's subscriber is told of, one after the other.
async fn told(stage: &mut Stage) -> Vec<String> {
    let collection = empty(stage).await;
    let objects = indicators(24);
    stage.settle_together("operator", &objects).await;
    let store = stage.plain().store();
    let source = SubscriptionSource::parse("collection", &collection).unwrap();
    let retention_days = std::num::NonZeroU32::new(30).unwrap();
    let (tenant, since) = ("operator".parse().unwrap(), store.position_now());
    let subscription = Subscription { tenant, source, since, retention_days };
    store.put_subscription(&subscription).await.unwrap();
    let ids = objects.iter().map(|object| object.id().to_owned());
    std::iter::once(collection).chain(ids).collect()
}

async fn notify(stage: &Stage, ids: &[String], number: usize) -> Turn {
    let store = stage.plain().store();
    let source = SubscriptionSource::parse("collection", &ids[0]).unwrap();
    let (object, cause) = (ids[number + 1].parse().unwrap(), Cause::Came(store.position_now()));
    let fed = Fed { object, cause, ways: Vec::new() };
    let job = FeedJob::new(source, FeedPlace::Objects(vec![fed])).unwrap();
    assert!(store.add_notification_job(&NotificationJob::Feed(job)).await.unwrap());
    Turn::Event(Stage::records("NOTIFY", &stage.jobs("NOTIFY").await))
}

/// As long ago as a backfill waits for everybody to have learned of its collection.
async fn earlier(stage: &mut Stage) -> Vec<String> {
    stage.later(TimeDelta::minutes(-10));
    stage.key("operator", &Scope::ALL).await;
    stage.settle_together("operator", &indicators(24)).await;
    Vec::new()
}

/// A new collection, which what is there is brought into.
async fn rescan(stage: &Stage, _: &[String], _: usize) -> Turn {
    stage.collection(CollectionSpec::everything()).await;
    Turn::Event(Stage::records("JOBS", &stage.jobs("JOBS").await))
}

/// Indicators that ceased to be valid one after the other, and nobody came.
async fn expiring(stage: &mut Stage) -> Vec<String> {
    let begin = Utc::now() - APART * 26;
    stage.later(-(APART * 26));
    empty(stage).await;
    let ends: Vec<DateTime<Utc>> = (1..=24).map(|number| begin + APART * number).collect();
    let text = |end: &DateTime<Utc>| end.to_rfc3339_opts(SecondsFormat::Millis, true);
    let ends: Vec<String> = ends.iter().map(text).collect();
    let objects: Vec<_> = ends.iter().map(|end| indicator().set("valid_until", &**end)).collect();
    stage.settle_together("operator", &objects).await;
    ends
}

async fn expire(_: &Stage, ends: &[String], number: usize) -> Turn {
    event_of(ends[number].parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(5))
}

/// An empty collection of long ago.
async fn packed(stage: &mut Stage) -> Vec<String> {
    stage.later(-(APART * 26));
    vec![empty(stage).await]
}

/// Small commits, which a run of then has noted; a later one makes large ones of them.
async fn compact(stage: &Stage, ids: &[String], number: usize) -> Turn {
    let ago = APART * (25 - i32::try_from(number).unwrap());
    stage.later(-ago);
    let (services, until) = (stage.plain(), Instant::now() + Duration::from_mins(1));
    packed_log::append(services.store(), log_of(&ids[0]), &indicators(100), 10).await;
    let now = services.store().position_now();
    shared::compaction::compact_all(services, now, until).await.unwrap();
    event_of(Utc::now() - ago + APART / 2)
}
