//! Deletion by filter: at once for the caller, in the background to its end, one at a time.

use shared::notification::Notification;
use tests::client::Client;
use tests::notifications::{STREAM, all, facets, first_cause, made, post, posted};
use tests::world::World;
use tests::worse_days::{Faults, Kind, Only};

const TENANT: &str = "acme";

async fn load(world: &World, count: usize) -> Vec<Notification> {
    let first = first_cause();
    let all: Vec<Notification> = (0..count).map(|number| made(TENANT, first, number)).collect();
    world.load_notifications(TENANT, &all).await;
    all
}

async fn delete(client: &Client, filter: &str) -> u16 {
    let answer = client.delete(STREAM).query("filter", filter).await;
    if answer.status == 429 {
        assert_eq!(answer.json()["error"]["code"], "TooManyRequests");
        assert!(answer.header("retry-after").is_some());
    } else {
        assert!(answer.body.is_empty(), "{}", answer.text());
    }
    answer.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_matches_goes_and_nothing_else() {
    let w = World::http().await;
    load(&w, 400).await;
    let client = w.stream_client(TENANT).await;
    let other = w.stream_client("other").await;
    let kept = post(&other, &posted("host.example.com", "source-1", &["tag-1"])).await;
    let mut left = 400;
    for (key, value) in
        [("tag", "tag-3"), ("source_id", "source-2"), ("entity_type", "url"), ("origin", "hunting")]
    {
        assert_eq!(delete(&client, &format!("{key}:{value}")).await, 200);
        w.notified().await;
        let gone = all(&client, &[("filter", &format!("{key}:{value}"))]).await;
        assert!(gone.is_empty(), "{key}:{value}");
        let now = all(&client, &[("limit", "40")]).await.len();
        assert!(now < left, "{key}:{value}");
        left = now;
    }
    let expected = (0..400).map(facets).filter(|facets| {
        facets["tag"] != "tag-3"
            && facets["source_id"] != "source-2"
            && facets["entity_type"] != "url"
            && facets["origin"] != "hunting"
    });
    assert_eq!(left, expected.count());
    // No list names what is gone.
    for filter in ["tag:tag-1", "tag:tag-2", "source_id:source-1", "entity_type:file"] {
        let one = all(&client, &[("filter", filter)]).await;
        let (key, value) = filter.split_once(':').unwrap();
        let kept = (0..400).map(facets).filter(|facets| {
            facets[key] == value
                && facets["tag"] != "tag-3"
                && facets["source_id"] != "source-2"
                && facets["entity_type"] != "url"
                && facets["origin"] != "hunting"
        });
        assert_eq!(one.len(), kept.count(), "{filter}");
    }
    assert_eq!(client.delete(STREAM).await.expect(200).body.len(), 0);
    w.notified().await;
    assert!(all(&client, &[]).await.is_empty());
    assert_eq!(all(&other, &[]).await, [kept]);
    let bad = client.delete(STREAM).query("filter", "x:y").await.expect(400).json();
    assert_eq!(bad["error"]["code"], "BadRequestError");
}

/// Through throttling, lost answers and another instance that carries on; the second call is told
/// to wait, and what comes after the call stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_large_deletion_comes_to_its_end_through_worse_days() {
    const COUNT: usize = 3_000;
    let (w, proxy) = World::on_worse_days().await;
    load(&w, COUNT).await;
    let client = w.stream_client(TENANT).await;
    let before = post(&client, &posted("before.example.com", "ruleset-1", &["x"])).await;
    let table = || Only::everything().table("notifications");
    let worse = Faults::none()
        .with(Kind::Throttled.at(0.2).on(table()))
        .with(Kind::Unprocessed.at(0.3).on(table()))
        .with(Kind::LostAnswer.at(0.05).on(table()))
        .with(Kind::FailedWrite.at(0.1).on(table()));
    assert_eq!(delete(&client, "").await, 200);
    proxy.set(worse);
    assert_eq!(delete(&client, "tag:x").await, 429);
    // Another instance does the same at the same time, stops, and leaves the rest.
    w.carry_on_notifications(std::time::Duration::from_millis(300)).await;
    let during = async {
        proxy.set(Faults::none());
        let after = post(&client, &posted("after.example.com", "ruleset-1", &["x"])).await;
        proxy.set(
            Faults::none()
                .with(Kind::Throttled.at(0.3).on(table()))
                .with(Kind::Unprocessed.at(0.3).on(table())),
        );
        after
    };
    let after = during.await;
    proxy.set(Faults::none());
    w.notified().await;
    let left = all(&client, &[("limit", "40")]).await;
    assert_eq!(left, std::slice::from_ref(&after));
    assert_ne!(before, after);
    assert_eq!(all(&client, &[("filter", "tag:x")]).await, [after]);
    assert_eq!(delete(&client, "tag:x").await, 200);
    w.notified().await;
    assert!(all(&client, &[]).await.is_empty());
}
