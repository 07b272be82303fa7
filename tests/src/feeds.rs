//! Feeds as a test asks for them, published when it says so, and read as a client reads them.

use std::time::Instant;

use csv_publish::{Outcome, Progress, PublishError, Request};
use serde_json::{Value, json};
use shared::access::Scope;
use shared::audit::Actor;
use shared::feed::{Feed, FeedSettings};
use shared::services::Services;

use crate::client::{Answer, Client};
use crate::collection::Collection;
use crate::keys::KeySpec;
use crate::world::World;

/// A feed's settings: its collection, and what else `more` says.
#[allow(clippy::needless_pass_by_value)] // Reads better where it is called with `json!`.
pub fn settings(collection: &Collection, more: Value) -> Value {
    let mut settings = json!({"name": "A feed", "collection": collection.id});
    for (name, value) in more.as_object().expect("an object of settings") {
        settings[name] = value.clone();
    }
    settings
}

/// The id and `count` columns that repeat the description.
pub fn wide_columns(count: usize) -> Value {
    let text = |number| json!({"name": format!("text {number}"), "path": "description"});
    std::iter::once(json!("id")).chain((0..count).map(text)).collect()
}

/// The longest text that a column holds, in characters of four bytes.
pub fn wide_text() -> String {
    "\u{1F980}".repeat(1_000)
}

/// Makes a feed of a collection. It is not published yet.
pub async fn feed(w: &World, collection: &Collection, more: Value) -> Feed {
    define(w, settings(collection, more)).await.unwrap_or_else(|fault| panic!("no feed: {fault}"))
}

/// Makes a feed, unless the operator is refused it.
///
/// # Errors
/// Why it is refused.
pub async fn define(w: &World, settings: Value) -> Result<Feed, String> {
    let settings: FeedSettings =
        serde_json::from_value(settings).map_err(|fault| fault.to_string())?;
    let made = w.another_instance().store().create_feed(&Actor::System, settings).await;
    made.map_err(|fault| fault.to_string())
}

/// Publishes a feed in an instance of its own.
pub async fn publish(w: &World, feed: &Feed) -> Outcome {
    publish_by(&w.another_instance(), feed).await.expect("the feed is published")
}

/// Publishes a feed from its whole log.
pub async fn rebuild(w: &World, feed: &Feed) -> Outcome {
    let services = w.another_instance();
    publish_with(&services, feed, true).await.expect("the feed is published")
}

/// Publishes a feed by an instance.
///
/// # Errors
/// When that fails.
pub async fn publish_by(services: &Services, feed: &Feed) -> Result<Outcome, PublishError> {
    publish_with(services, feed, false).await
}

/// Publishes a feed by an instance, from its whole log if `rebuild` says so.
///
/// # Errors
/// When that fails.
pub async fn publish_with(
    services: &Services,
    feed: &Feed,
    rebuild: bool,
) -> Result<Outcome, PublishError> {
    let request = Request { feed, rebuild, heeds_claims: false };
    csv_publish::publish(services, request, &Progress::default()).await
}

/// Runs the function behind the schedule of feeds at a moment.
///
/// # Errors
/// What it reports.
pub async fn run_schedule(services: &Services, time: &str) -> Result<Value, String> {
    let until = Instant::now() + crate::patience::DEADLINE;
    let event = json!({"source": "aws.events", "time": time});
    let done = csv_publish::handle(services, event, until).await;
    done.map_err(|fault| fault.to_string())
}

/// The path of a feed's file.
pub fn path(feed: &Feed, suffix: &str) -> String {
    format!("/feeds/{}.{suffix}", feed.slug())
}

/// A client with a key that reads feeds, of a tenant of that name.
pub async fn reader(w: &World, tenant: &str) -> Client {
    let key = w.key(KeySpec::of(tenant).with([Scope::ReadCsv])).await;
    w.http.with_key(&key.text)
}

/// Reads a feed's file.
pub async fn read(client: &Client, feed: &Feed, suffix: &str) -> Answer {
    client.get(&path(feed, suffix)).await.expect(200)
}

/// The lines of a CSV without those of its banner, and without its header.
pub fn rows(csv: &str) -> Vec<&str> {
    let lines = csv.split("\r\n").filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.skip(1).collect()
}

/// The ids in the first column of a CSV, in its order.
pub fn ids(csv: &str) -> Vec<String> {
    let id = |row: &&str| row.trim_start_matches('"').split('"').next().unwrap().to_owned();
    rows(csv).iter().map(id).collect()
}
