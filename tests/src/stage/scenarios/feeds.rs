//! Feeds: published and read.

use chrono::TimeDelta;
use serde_json::{Value, json};
use shared::access::Scope;
use shared::audit::Actor;
use shared::feed::{Feed, FeedSettings};
use shared::log::LogId;

use super::everything;
use crate::feeds::{wide_columns, wide_text};
use crate::fixtures::{indicator, indicators, tlp_marking};
use crate::packed_log;
use crate::stage::{Ask, Stage, Step};

async fn feed(stage: &mut Stage, alias: &str) -> Feed {
    define(stage, settings(alias)).await
}

fn settings(alias: &str) -> Value {
    json!({
        "name": "A feed", "alias": alias, "collection": "all", "formats": ["csv", "csv.gz"],
        "publish_every_minutes": 1,
    })
}

async fn define(stage: &mut Stage, settings: Value) -> Feed {
    let settings: FeedSettings = serde_json::from_value(settings).unwrap();
    stage.plain().store().create_feed(&Actor::System, settings).await.unwrap()
}

pub(super) async fn publish_first(stage: &mut Stage) -> Vec<Step> {
    stage.collection(everything("all")).await;
    let marking = tlp_marking("green");
    let one = indicator().set("object_marking_refs", json!([marking.id()]));
    stage.settle("operator", &[marking, one, indicator()]).await;
    feed(stage, "feed").await;
    vec![Step::Event(json!({"source": "aws.events"}))]
}

pub(super) async fn publish_next(stage: &mut Stage) -> Vec<Step> {
    stage.collection(everything("all")).await;
    let marking = tlp_marking("green");
    let marked = indicator().set("object_marking_refs", json!([marking.id()]));
    stage.settle("operator", &[marking, marked, indicator()]).await;
    let feed = feed(stage, "feed").await;
    stage.publish(&feed).await;
    stage.settle("operator", &indicators(2)).await;
    stage.publish(&feed).await;
    stage.settle("operator", &indicators(2)).await;
    stage.later(TimeDelta::hours(30));
    vec![Step::Event(json!({"source": "aws.events"}))]
}

/// A file of more than a part: what is put at once has 5 MiB at the least.
pub(super) async fn publish_large(stage: &mut Stage) -> Vec<Step> {
    let collection = stage.collection(everything("all")).await;
    let objects: Vec<_> =
        indicators(14).into_iter().map(|o| o.set("description", wide_text())).collect();
    packed_log::append(stage.plain().store(), LogId::Collection(collection.id), &objects, 10).await;
    let mut wide = settings("feed");
    wide["columns"] = wide_columns(99);
    define(stage, wide).await;
    vec![Step::Event(json!({"source": "aws.events"}))]
}

pub(super) async fn feed_files(stage: &mut Stage) -> Vec<Step> {
    stage.key("acme", &[Scope::ReadCsv]).await;
    stage.collection(everything("all")).await;
    stage.settle("operator", &indicators(2)).await;
    let published = feed(stage, "feed").await;
    stage.publish(&published).await;
    feed(stage, "later").await;
    let get = |path: &str| Step::Ask(Ask::new("GET", path));
    vec![
        get("/feeds/feed.csv"),
        get("/feeds/feed.sha256"),
        Step::Ask(Ask::new("GET", "/feeds/feed.csv").header("range", "bytes=0-9")),
        get("/feeds/later.csv"),
    ]
}
