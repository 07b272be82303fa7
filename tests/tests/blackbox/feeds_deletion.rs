//! Feeds that are deleted while somebody publishes or changes them.

use csv_publish::Outcome;
use serde_json::json;
use shared::audit::Actor;
use tests::feeds::{feed, publish, publish_by, read, reader, run_schedule, settings};
use tests::fixtures::{indicator, indicators};
use tests::interruption::{Interrupter, Interruption};
use tests::world::World;

/// Deletes a feed while a run waits at each of its requests in turn; nothing is left of it.
async fn deleted_at_every_request(w: &World, engine: &str, first: bool) -> usize {
    let c = w.holding(&indicators(3)).await;
    let store = w.another_instance().store().clone();
    for at in 0..50 {
        let f = feed(w, &c, json!({"formats": ["csv"]})).await;
        if !first {
            publish(w, &f).await;
            w.append_packed(&c, &[indicator()], 1).await;
        }
        let (address, path) = match engine {
            "S3" => (w.s3(), f.id.to_string()),
            _ => (w.dynamodb(), String::new()),
        };
        let between = Interrupter::start(address, at, Interruption::Waits, &path);
        let services = match engine {
            "S3" => w.instance_at(w.dynamodb(), between.address()),
            _ => w.instance_at(between.address(), w.s3()),
        };
        let deleted = async {
            between.reached().await;
            let deleted = store.delete_feed(&Actor::System, &f).await;
            between.let_go();
            deleted
        };
        let running = async {
            let outcome = publish_by(&services, &f).await;
            let met = between.was_reached();
            if !met {
                between.give_up();
            }
            (outcome, met)
        };
        let (deleted, (outcome, met)) = futures::join!(deleted, running);
        deleted.unwrap();
        if !met {
            return at;
        }
        assert!(outcome.is_ok(), "{engine} at request {at}: {outcome:?}");
        let left = w.bucket_keys(&format!("feeds/{}/", f.id)).await;
        assert_eq!(left, Vec::<String>::new(), "{engine} at request {at}: {outcome:?}");
    }
    panic!("publishing never runs to its end")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_a_feed_that_is_deleted_while_it_is_published() {
    for engine in ["S3", "DynamoDB"] {
        let w = World::http().await;
        let points = deleted_at_every_request(&w, engine, false).await;
        assert!(points >= 2, "{engine}: {points}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_a_feed_that_is_deleted_while_its_first_edition_is_made() {
    for engine in ["S3", "DynamoDB"] {
        let w = World::http().await;
        let points = deleted_at_every_request(&w, engine, true).await;
        assert!(points >= 2, "{engine}: {points}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_that_comes_after_a_change_leaves_the_files() {
    let w = World::http().await;
    let c = w.holding(&indicators(2)).await;
    let f = feed(&w, &c, json!({})).await;
    publish(&w, &f).await;
    let store = w.another_instance().store().clone();
    let more = serde_json::from_value(settings(&c, json!({"name": "Other"}))).unwrap();
    let changed = store.change_feed(&Actor::System, &f, more).await.unwrap();
    let refused = store.delete_feed(&Actor::System, &f).await.unwrap_err().to_string();
    assert!(refused.contains("changed by somebody else"), "{refused}");
    let _ = read(&reader(&w, "acme").await, &changed, "csv").await;
    assert_eq!(store.feeds_to_publish().await.unwrap(), [changed]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_that_fails_in_the_middle_is_finished_by_asking_again() {
    let w = World::http().await;
    let c = w.holding(&indicators(2)).await;
    let f = feed(&w, &c, json!({"publish_every_minutes": 1})).await;
    publish(&w, &f).await;
    let store = w.another_instance().store().clone();
    let nobody = "127.0.0.1:1".parse().unwrap();
    let halfway = w.instance_at(w.dynamodb(), nobody);
    assert!(halfway.store().delete_feed(&Actor::System, &f).await.is_err());
    // It is there still, but neither changed nor published any more.
    assert_eq!(store.feeds().await.unwrap(), std::slice::from_ref(&f));
    let more = serde_json::from_value(settings(&c, json!({"name": "Other"}))).unwrap();
    assert!(store.change_feed(&Actor::System, &f, more).await.is_err());
    w.append_packed(&c, &[indicator()], 1).await;
    let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let ran = run_schedule(&w.another_instance(), &now).await.unwrap();
    assert_eq!((&ran["feeds"], &ran["published"]), (&json!(0), &json!(0)), "{ran}");
    assert_eq!(publish(&w, &f).await, Outcome::Deleted, "who had not heard of it");
    store.delete_feed(&Actor::System, &f).await.unwrap();
    assert_eq!(store.feeds().await.unwrap(), []);
    assert_eq!(w.bucket_keys(&format!("feeds/{}/", f.id)).await, Vec::<String>::new());
}
