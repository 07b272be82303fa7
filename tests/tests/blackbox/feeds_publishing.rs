//! The function behind the schedule: which feeds it publishes, and how it reports.

use chrono::TimeDelta;
use csv_publish::Outcome;
use serde_json::json;
use shared::audit::Actor;
use tests::collection::CollectionSpec;
use tests::feeds::{feed, path, publish, read, reader, rebuild, run_schedule};
use tests::fixtures::{indicator, indicators};
use tests::function::Function;
use tests::patience::until;
use tests::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_is_published_at_once_and_then_at_its_interval() {
    let w = World::http().await;
    let c = w.holding(&indicators(3)).await;
    let f = feed(&w, &c, json!({"publish_every_minutes": 10})).await;
    let services = w.another_instance();
    let minute = |minute: i64| {
        let at = chrono::Utc::now() - TimeDelta::hours(1) + TimeDelta::minutes(minute);
        at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    let first = run_schedule(&services, &minute(0)).await.unwrap();
    assert_eq!(first["published"], 1, "{first}");
    w.load(&c, &[indicator()]).await;
    let mut published = 0;
    for number in 1..=10 {
        let ran = run_schedule(&services, &minute(number)).await.unwrap();
        published += ran["published"].as_u64().unwrap();
        assert!(ran["failed"] == 0 && ran["unchanged"].as_u64().unwrap() <= 1, "{ran}");
    }
    assert_eq!(published, 1);
    assert_eq!(read(&reader(&w, "acme").await, &f, "csv").await.header("x-feed-rows"), Some("4"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_feed_that_fails_does_not_hold_up_the_others() {
    let w = World::http().await;
    let c = w.holding(&indicators(2)).await;
    let bad = feed(&w, &c, json!({"publish_every_minutes": 1})).await;
    let good = feed(&w, &c, json!({"publish_every_minutes": 1})).await;
    w.put_file(&format!("feeds/{}/edition.json", bad.id), "no edition").await;
    let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let failed = run_schedule(&w.another_instance(), &now).await.unwrap_err();
    assert!(failed.contains("1 feeds"), "{failed}");
    let client = reader(&w, "acme").await;
    let _ = read(&client, &good, "csv").await;
    let _ = client.get(&path(&bad, "csv")).await.expect(500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_functions_binary_takes_the_event_of_a_schedule() {
    let w = World::http().await;
    let c = w.holding(&indicators(2)).await;
    let f = feed(&w, &c, json!({"publish_every_minutes": 1})).await;
    let function = Function::start("csv-publish", &w.function_environment()).await;
    let event = json!({
        "version": "0", "id": "89d1a02d-5ec7-412e-82f5-13505f849b41", "source": "aws.events",
        "detail-type": "Scheduled Event", "account": "123456789012", "region": "eu-west-1",
        "time": chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        "resources": ["arn:aws:events:eu-west-1:123456789012:rule/feeds"], "detail": {},
    });
    let _ = function.invoke(&event).await.expect("the function takes the event");
    let text = read(&reader(&w, "acme").await, &f, "csv").await.text();
    assert!(text.ends_with("# END 2 rows\r\n"), "{text}");
    assert!(function.invoke(&json!({"time": "soon"})).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reading_functions_binary_answers_as_the_local_server() {
    let w = World::http().await;
    let c = w.holding(&indicators(60)).await;
    let f = feed(&w, &c, json!({"alias": "binary"})).await;
    publish(&w, &f).await;
    let http = reader(&w, "acme").await;
    let function = Function::start("csv-feed", &w.function_environment()).await;
    let base = format!("https://{}", tests::gateway_event::HOST);
    let behind = tests::client::Client::function(std::sync::Arc::new(function), &base);
    let key = tests::keys::KeySpec::of("acme").with([shared::access::Scope::ReadCsv]);
    let behind = behind.with_key(&w.key(key).await.text);
    for suffix in ["csv", "csv.gz", "sha256"] {
        let (one, other) = (read(&http, &f, suffix).await, read(&behind, &f, suffix).await);
        assert_eq!(one.body, other.body, "{suffix}");
        assert_eq!(one.header("etag"), other.header("etag"), "{suffix}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_definition_is_published_from_the_whole_log() {
    let w = World::http().await;
    let c = w.holding(&indicators(3)).await;
    let f = feed(&w, &c, json!({"columns": ["id"]})).await;
    publish(&w, &f).await;
    assert_eq!(publish(&w, &f).await, Outcome::Unchanged);
    // Who asks for it gets all files anew, though they say the same.
    let rebuilt = rebuild(&w, &f).await;
    assert!(matches!(&rebuilt, Outcome::Published(new) if new.whole), "{rebuilt:?}");
    assert_eq!(publish(&w, &f).await, Outcome::Unchanged);
    let more = tests::feeds::settings(&c, json!({"columns": ["id", "value"]}));
    let more = serde_json::from_value(more).unwrap();
    let changed = w.another_instance().store().change_feed(&Actor::System, &f, more).await.unwrap();
    let outcome = publish(&w, &changed).await;
    assert!(matches!(&outcome, Outcome::Published(new) if new.whole), "{outcome:?}");
    let text = read(&reader(&w, "acme").await, &changed, "csv").await.text();
    assert!(text.contains("\r\nid,value\r\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edition_older_than_what_leaves_are_kept_is_made_anew() {
    let w = World::http().await;
    let objects = indicators(3);
    let c = w.holding(&objects).await;
    let f = feed(&w, &c, json!({})).await;
    publish(&w, &f).await;
    // While it is looked after, it is noted day by day how far the log was read.
    w.later(TimeDelta::hours(23));
    assert_eq!(publish(&w, &f).await, Outcome::Unchanged);
    w.later(TimeDelta::days(28));
    assert_eq!(publish(&w, &f).await, Outcome::Noted);
    w.later(TimeDelta::days(56));
    assert_eq!(publish(&w, &f).await, Outcome::Noted);
    assert_eq!(publish(&w, &f).await, Outcome::Unchanged);
    // It left, and after 30 days nothing tells of it any more.
    let path = format!("/api/v1/objects/{}", objects[0].id());
    let _ = w.ingest().delete(&path).await.expect(200);
    w.quiet(&c, &indicator()).await;
    w.later(TimeDelta::days(130));
    w.compact(TimeDelta::days(129)).await.unwrap();
    w.compact(TimeDelta::days(130)).await.unwrap();
    let outcome = publish(&w, &f).await;
    assert!(matches!(&outcome, Outcome::Published(new) if new.whole), "{outcome:?}");
    let text = read(&reader(&w, "acme").await, &f, "csv").await.text();
    assert!(!text.contains(objects[0].id()) && text.contains(objects[1].id()), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_editions_are_cleared_away() {
    let w = World::http().await;
    let c = w.holding(&indicators(1)).await;
    let f = feed(&w, &c, json!({"formats": ["csv"]})).await;
    let mut editions = Vec::new();
    for _ in 0..3 {
        w.load(&c, &[indicator()]).await;
        let Outcome::Published(new) = publish(&w, &f).await else { panic!("not published") };
        editions.push(new.edition);
    }
    let store = w.another_instance().store().clone();
    let keep = [editions[2].as_str(), editions[1].as_str()];
    let soon = chrono::Utc::now() + TimeDelta::minutes(1);
    store.delete_editions(f.id, &keep, soon).await.unwrap();
    let keys = w.bucket_keys(&format!("feeds/{}/", f.id)).await;
    assert_eq!(keys.len(), 5, "{keys:?}");
    assert!(!keys.iter().any(|key| key.contains(&editions[0])), "{keys:?}");
    let _ = read(&reader(&w, "acme").await, &f, "csv").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_makes_a_first_edition_is_not_joined_by_the_next_minute() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let f = feed(&w, &c, json!({"publish_every_minutes": 1})).await;
    let services = w.another_instance();
    let claim = services.store().claim_feed(f.id).await.unwrap().expect("nobody else claims it");
    let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let ran = run_schedule(&services, &now).await.unwrap();
    assert_eq!(ran["published"], 0, "{ran}");
    services.store().unclaim_feed(f.id, &claim).await.unwrap();
    until("the first edition is made", async || {
        (run_schedule(&services, &now).await.unwrap()["published"] == 1).then_some(())
    })
    .await;
}
