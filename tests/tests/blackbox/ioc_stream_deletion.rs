//! Deletion by filter: at once for the caller, in the background to its end, one at a time.

use std::time::{Duration, Instant};

use shared::notification::Notification;
use shared::notification::feed::start_stalled;
use shared::store::{DeletionJob, NotificationJob, StoreError};
use shared::tlp::Tlp;
use tests::chance::asked_for;
use tests::client::Client;
use tests::collection::CollectionSpec;
use tests::fixtures::indicators;
use tests::notifications::{STREAM, all, facets, first_cause, made, post, posted};
use tests::patience::{DEADLINE, until};
use tests::subscribing::subscribe;
use tests::world::World;
use tests::worse_days::{Faults, Kind, Only};

const TENANT: &str = "acme";

async fn load(world: &World, count: usize) -> Vec<Notification> {
    let first = first_cause();
    let all: Vec<Notification> = (0..count).map(|number| made(TENANT, first, number)).collect();
    world.load_notifications(TENANT, &all).await;
    all
}

/// Writes so many notifications, part by part.
fn load_in_parts(world: &World, count: usize) -> impl Iterator<Item = impl Future<Output = ()>> {
    let first = first_cause();
    let numbers: Vec<usize> = (0..count).collect();
    let parts: Vec<Vec<usize>> = numbers.chunks(5_000).map(<[usize]>::to_vec).collect();
    parts.into_iter().map(move |part| async move {
        let part: Vec<Notification> =
            part.into_iter().map(|number| made(TENANT, first, number)).collect();
        world.load_notifications(TENANT, &part).await;
    })
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

/// Notifications of the large deletion, unless `IOCAST_DELETED` says otherwise.
const LARGE: usize = 3_000;
/// How often it is killed.
const KILLS: usize = 10;

/// Through throttling, lost answers and instances that are killed on the way; the second call is
/// told to wait, and what comes after the call stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_large_deletion_comes_to_its_end_through_worse_days() {
    let count = asked_for("IOCAST_DELETED", LARGE);
    let (w, proxy) = World::on_worse_days().await;
    for part in load_in_parts(&w, count) {
        part.await;
    }
    let client = w.stream_client(TENANT).await;
    let before = post(&client, &posted("before.example.com", "ruleset-1", &["x"])).await;
    let table = || Only::everything().table("notifications");
    let (begun, units) = (Instant::now(), w.write_units());
    // Nobody but who is killed carries it on.
    proxy.set(Faults::only(Kind::Throttled.always().on(table())));
    assert_eq!(delete(&client, "").await, 200);
    let mut killed = 0;
    for number in 1..=KILLS {
        #[allow(clippy::cast_precision_loss)]
        let units = (count * number / KILLS / 4) as f64;
        killed += usize::from(w.carry_on_until_killed(units).await);
        assert_eq!(delete(&client, "tag:x").await, 429);
    }
    assert!(killed > KILLS / 2, "killed {killed} times");
    proxy.set(Faults::none());
    let after = post(&client, &posted("after.example.com", "ruleset-1", &["x"])).await;
    // About as many faults, however many notifications: each of them is waited for.
    #[allow(clippy::cast_precision_loss)]
    let rate = LARGE as f64 / count.max(LARGE) as f64;
    let worse = Faults::none()
        .with(Kind::Throttled.at(0.2 * rate).on(table()))
        .with(Kind::Unprocessed.at(0.3 * rate).on(table()))
        .with(Kind::LostAnswer.at(0.05 * rate).on(table()))
        .with(Kind::FailedWrite.at(0.1 * rate).on(table()));
    proxy.set(worse);
    // Another instance does the same at the same time, stops, and leaves the rest.
    w.carry_on_notifications(Duration::from_millis(300)).await;
    // However long it takes: as many deadlines as there are tens of thousands.
    for _ in 0..count / 10_000 {
        w.carry_on_notifications(DEADLINE).await;
    }
    proxy.set(Faults::none());
    w.notified().await;
    eprintln!(
        "{count} deleted within {:?}, {killed} kills; {} units by the service's own instance",
        begun.elapsed(),
        w.write_units() - units
    );
    let left = all(&client, &[("limit", "40")]).await;
    assert_eq!(left, std::slice::from_ref(&after));
    assert_ne!(before, after);
    assert_eq!(all(&client, &[("filter", "tag:x")]).await, [after]);
    assert_eq!(delete(&client, "tag:x").await, 200);
    w.notified().await;
    assert!(all(&client, &[]).await.is_empty());
}

/// What deletes does not wait behind what feeds, however much there is.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deletion_does_not_wait_for_feedings() {
    let (w, proxy) = World::on_worse_days().await;
    load(&w, 200).await;
    let client = w.stream_client(TENANT).await;
    let c = w.collection(CollectionSpec::everything()).await;
    let objects = indicators(60);
    w.load(&c, &objects).await;
    subscribe(&client, "collection", &c.id).await;
    // None of the feedings comes forward.
    let feeding = Only::everything().operation("TransactWriteItems").table("notifications");
    proxy.set(Faults::only(Kind::Throttled.always().on(feeding)));
    for object in &objects {
        w.feed(&c, std::slice::from_ref(object)).await;
    }
    let begun = Instant::now();
    assert_eq!(delete(&client, "").await, 200);
    until("all is deleted", async || all(&client, &[]).await.is_empty().then_some(())).await;
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    proxy.set(Faults::none());
    w.finish_notifications().await;
    assert_eq!(all(&client, &[("limit", "40")]).await.len(), objects.len());
}

/// Written out, a filter is longer than what a client may send.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_filter_is_carried_out() {
    let w = World::http().await;
    load(&w, 8).await;
    let client = w.stream_client(TENANT).await;
    let filter = format!("date:40d+ tag:{}", "x".repeat(4082));
    for _ in 0..2 {
        assert_eq!(delete(&client, &filter).await, 200);
        w.notified().await;
    }
    assert_eq!(all(&client, &[]).await.len(), 8);
    assert_eq!(delete(&client, "").await, 200);
    w.notified().await;
    assert!(all(&client, &[]).await.is_empty());
}

/// Who worked on a deletion that is over neither ends the tenant's next one nor takes its place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_worker_leaves_the_next_deletion_alone() {
    let (w, proxy) = World::on_worse_days().await;
    proxy.set(Faults::only(Kind::Throttled.always().on(Only::everything().table("notifications"))));
    let store = w.past_the_proxy().store().clone();
    let job = |filter: &str| {
        NotificationJob::Deletion(DeletionJob {
            tenant: TENANT.parse().unwrap(),
            filter: filter.to_owned(),
            called: store.position_now(),
            clearance: Tlp::Amber,
            reached: None,
        })
    };
    let over = job("tag:a");
    assert!(store.add_notification_job(&over).await.unwrap());
    store.end_notification_job(&over).await.unwrap();
    let next = job("tag:b");
    assert!(store.add_notification_job(&next).await.unwrap());
    let late = store.advance_notification_job(&over).await;
    assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
    store.end_notification_job(&over).await.unwrap();
    assert_eq!(store.notification_job(&next.name()).await.unwrap().as_ref(), Some(&next));
    store.advance_notification_job(&next).await.unwrap();
    proxy.set(Faults::none());
    w.notified().await;
    store.end_notification_job(&next).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_cannot_be_read_holds_no_other_up() {
    let w = World::http().await;
    load(&w, 8).await;
    w.add_damaged_notification_job("DELETE#broken").await;
    w.add_damaged_notification_job("FEED#0123456789abcdef").await;
    let client = w.stream_client(TENANT).await;
    assert_eq!(delete(&client, "").await, 200);
    start_stalled(&w.another_instance(), Instant::now() + DEADLINE).await.unwrap();
    w.notified().await;
    assert!(all(&client, &[]).await.is_empty());
}

/// Page by page, so that however many there are, those of the first pages are called.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn jobs_that_do_not_come_forward_are_called_again_page_by_page() {
    let (w, proxy) = World::on_worse_days().await;
    // Nobody carries them on.
    let held = Only::everything().operation("GetItem").key("NOTIFY/");
    proxy.set(Faults::only(Kind::Throttled.always().on(held)));
    let working = w.past_the_proxy();
    let store = working.store();
    for number in 0..110 {
        let job = NotificationJob::Deletion(DeletionJob {
            tenant: format!("tenant-{number}").parse().unwrap(),
            filter: String::new(),
            called: store.position_now(),
            clearance: Tlp::Amber,
            reached: None,
        });
        assert!(store.add_notification_job(&job).await.unwrap());
    }
    w.later(chrono::TimeDelta::hours(1));
    let called = async || {
        let (mut called, mut from) = (0, None);
        let lately = store.position_now().minus(60_000_000);
        loop {
            let page = store.notification_jobs(from).await.unwrap();
            assert!(page.found.len() <= 100);
            called += page.found.iter().filter(|(_, beat)| *beat > lately).count();
            from = page.next;
            if from.is_none() {
                return called;
            }
        }
    };
    assert_eq!(called().await, 0);
    start_stalled(&working, Instant::now()).await.unwrap();
    assert_eq!(called().await, 100);
    start_stalled(&working, Instant::now() + DEADLINE).await.unwrap();
    assert_eq!(called().await, 110);
    proxy.set(Faults::none());
    w.notified().await;
}

/// What was prepared before a deletion was called, and is written after that, stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_stored_after_the_call_stays() {
    let (w, proxy) = World::on_worse_days().await;
    let client = w.stream_client(TENANT).await;
    let c = w.collection(CollectionSpec::everything()).await;
    subscribe(&client, "collection", &c.id).await;
    let telling = Only::everything().operation("TransactWriteItems").table("notifications");
    let telling = Kind::OverThroughput.always().on(telling);
    let deleting = Only::everything().operation("GetItem").key("NOTIFY/DELETE");
    let deleting = Kind::Throttled.always().on(deleting);
    proxy.set(Faults::only(telling.clone()));
    w.load(&c, &indicators(1)).await;
    // The SDK sends a write that is under way up to six times: then it is another attempt.
    let refused = || proxy.counts().of(Kind::OverThroughput);
    until("it is being told", async || (refused() > 0).then_some(())).await;
    proxy.set(Faults::only(telling).with(deleting.clone()));
    assert_eq!(delete(&client, "").await, 200);
    let then = refused();
    until("it is tried again", async || (refused() > then + 6).then_some(())).await;
    proxy.set(Faults::only(deleting));
    until("it is told", async || (all(&client, &[]).await.len() == 1).then_some(())).await;
    proxy.set(Faults::none());
    w.notified().await;
    assert_eq!(all(&client, &[]).await.len(), 1);
}

/// Also where eventually consistent reads do not show it yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_stored_just_before_the_call_goes() {
    let (w, proxy) = World::on_worse_days().await;
    let client = w.stream_client(TENANT).await;
    let stale = Kind::StaleRead.always().on(Only::everything().table("notifications"));
    let lag = Duration::from_mins(5);
    for filter in ["tag:x", "entity_type:domain", "source_id:ruleset-1", ""] {
        proxy.set(Faults { lag, ..Faults::only(stale.clone()) });
        post(&client, &posted("host.example.com", "ruleset-1", &["x"])).await;
        assert_eq!(delete(&client, filter).await, 200);
        w.notified().await;
        proxy.set(Faults::none());
        assert!(all(&client, &[]).await.is_empty(), "{filter:?}");
    }
}
