//! The misbehaving proxy itself: each fault happens when it is asked for, is counted, and is
//! survived or surfaces as it does on AWS; and the whole system behind it.

mod things;

use std::collections::BTreeSet;
use std::time::Duration;

use tests::chance::seed;
use tests::collection::{Collection, CollectionSpec};
use tests::fixtures::{Object, SECOND, envelope, indicators};
use tests::patience::until;
use tests::world::World;
use tests::worse_days::stream::BadStream;
use tests::worse_days::{Faults, Kind, Only, Proxy};
use things::Things;

/// Long enough that a slow machine does not turn a stale read into a fresh one.
const LAG: Duration = Duration::from_secs(6);

/// A fault that befalls puts of the test's own items only.
fn puts() -> Only {
    Only::everything().operation("PutItem").table("objects").key("thing/")
}

async fn things() -> (World, Proxy, Things) {
    let (world, proxy) = World::on_worse_days().await;
    let things = Things::of(&world);
    (world, proxy, things)
}

/// Faults that take the place of an answer to a single write.
const OF_A_WRITE: [Kind; 7] = [
    Kind::LostWrite,
    Kind::FailedWrite,
    Kind::LateWrite,
    Kind::OverThroughput,
    Kind::Throttled,
    Kind::LostAnswer,
    Kind::FailedAnswer,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_fault_of_a_write_is_survived_by_the_sdk_and_counted() {
    let (_world, proxy, things) = things().await;
    for kind in OF_A_WRITE {
        proxy.set(Faults::only(kind.once().on(puts())));
        let before = proxy.counts();
        let sort = format!("{kind:?}");
        assert_eq!(things.put(&sort, "1", false).await, Ok(()), "{kind:?}");
        assert_eq!(proxy.counts().of(kind) - before.of(kind), 1, "{kind:?}");
        assert_eq!(things.value(&sort, true).await.as_deref(), Some("1"), "{kind:?}");
        let others = Kind::ALL.into_iter().filter(|other| *other != kind);
        for other in others {
            assert_eq!(proxy.counts().of(other), before.of(other), "{other:?} with {kind:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_a_write_that_does_not_end_surfaces_as_what_it_is() {
    let (_world, proxy, things) = things().await;
    for kind in OF_A_WRITE {
        proxy.set(Faults::only(kind.always().on(puts())));
        let before = proxy.counts().of(kind);
        let sort = format!("{kind:?}");
        let failed = things.put(&sort, "1", false).await.expect_err("every attempt fails");
        let code = match kind {
            Kind::OverThroughput => Some("ProvisionedThroughputExceededException"),
            Kind::Throttled => Some("ThrottlingException"),
            Kind::FailedWrite | Kind::FailedAnswer => Some("InternalServerError"),
            _ => None,
        };
        assert_eq!(failed.as_deref(), code, "{kind:?}");
        assert_eq!(proxy.counts().of(kind) - before, 6, "{kind:?}: the SDK's six attempts");
        let done = match kind {
            Kind::LateWrite => {
                let late = async || things.value(&sort, true).await;
                until("a late write is done", late).await;
                true
            }
            Kind::LostAnswer | Kind::FailedAnswer => true,
            _ => false,
        };
        assert_eq!(things.value(&sort, true).await.is_some(), done, "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conditional_put_whose_answer_is_lost_fails_by_its_own_doing() {
    let (_world, proxy, things) = things().await;
    for kind in [Kind::LostAnswer, Kind::FailedAnswer] {
        proxy.set(Faults::only(kind.once().on(puts())));
        let sort = format!("{kind:?}");
        let failed = things.put(&sort, "1", true).await;
        assert_eq!(failed, Err(Some("ConditionalCheckFailedException".to_owned())), "{kind:?}");
        assert_eq!(things.value(&sort, true).await.as_deref(), Some("1"), "{kind:?}");
    }
    proxy.set(Faults::only(Kind::LostWrite.once().on(puts())));
    assert_eq!(things.put("lost", "1", true).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_answer_is_late_and_comes() {
    let (_world, proxy, things) = things().await;
    let late = Duration::from_millis(300);
    let slow = Faults::only(Kind::Slow.once().on(puts()));
    proxy.set(Faults { slow: late..=late, ..slow });
    let sent = tokio::time::Instant::now();
    assert_eq!(things.put("slow", "1", false).await, Ok(()));
    assert!(sent.elapsed() >= late, "{:?}", sent.elapsed());
    assert_eq!(proxy.counts().of(Kind::Slow), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_done_in_part_and_names_the_rest() {
    let (_world, proxy, things) = things().await;
    let sorts: Vec<String> = (0..20).map(|number| format!("{number:02}")).collect();
    for sort in &sorts {
        things.put(sort, "1", false).await.unwrap();
    }
    proxy.set(Faults::only(Kind::Unprocessed.always()));
    let (mut wanted, mut shown, mut rounds) = (sorts.clone(), BTreeSet::new(), 0);
    while wanted.len() > 1 {
        let (part, left) = things.batch(&wanted, true).await;
        assert!(!part.is_empty() && !left.is_empty(), "{part:?} {left:?}");
        assert_eq!(part.len() + left.len(), wanted.len());
        shown.extend(part);
        wanted = left;
        rounds += 1;
    }
    // One key alone is not divided.
    shown.extend(things.batch(&wanted, true).await.0);
    assert_eq!(shown, sorts.iter().map(|sort| format!("{sort}=1")).collect());
    assert_eq!(proxy.counts().of(Kind::Unprocessed), rounds);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eventually_consistent_reads_see_items_as_they_were_and_consistent_ones_never() {
    let (_world, proxy, things) = things().await;
    for sort in ["L#1", "L#3", "L#5", "L#7"] {
        things.put(sort, "old", false).await.unwrap();
    }
    let stale = Faults::only(Kind::StaleRead.always());
    proxy.set(Faults { lag: LAG, ..stale });
    let written = tokio::time::Instant::now();
    things.put("L#1", "new", false).await.unwrap();
    things.put("L#3", "new", false).await.unwrap();
    things.put("L#4", "new", true).await.unwrap();
    things.delete("L#5").await;

    let was = ["L#3=old", "L#5=old", "L#7=old"];
    let is = ["L#3=new", "L#4=new", "L#7=old"];
    let reversed = |items: [&'static str; 3]| items.into_iter().rev().collect::<Vec<_>>();
    assert_eq!(things.query(false, true, 100).await, was);
    assert_eq!(things.query(true, true, 100).await, is);
    assert_eq!(things.query(false, false, 100).await, reversed(was));
    assert_eq!(things.query(true, false, 100).await, reversed(is));
    // The page ends with L#4 in the one direction and with L#4 in the other: L#5 lies on the
    // second only, and L#4 was not there.
    assert_eq!(things.query(false, true, 2).await, ["L#3=old"]);
    assert_eq!(things.query(false, false, 2).await, ["L#7=old", "L#5=old"]);

    for (sort, was, is) in [
        ("L#3", Some("old"), Some("new")),
        ("L#4", None, Some("new")),
        ("L#5", Some("old"), None),
        ("L#7", Some("old"), Some("old")),
    ] {
        assert_eq!(things.value(sort, false).await.as_deref(), was, "{sort}");
        assert_eq!(things.value(sort, true).await.as_deref(), is, "{sort}");
    }
    let sorts = ["L#3", "L#4", "L#5", "L#7"].map(str::to_owned);
    let batch = async |consistent| things.batch(&sorts, consistent).await.0;
    assert_eq!(batch(false).await, BTreeSet::from(was.map(str::to_owned)));
    assert_eq!(batch(true).await, BTreeSet::from(is.map(str::to_owned)));
    assert!(written.elapsed() < LAG, "too slow a machine for this test");
    // Three queries showed three items each as they were, or two of them; so did single reads.
    let counted = proxy.counts().of(Kind::StaleRead);
    assert_eq!(counted, 3 + 3 + 2 + 2 + 3 + 3);

    tokio::time::sleep(LAG).await;
    assert_eq!(things.query(false, true, 100).await, is);
    assert_eq!(things.value("L#3", false).await.as_deref(), Some("new"));
    assert_eq!(proxy.counts().of(Kind::StaleRead), counted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_read_looks_back_for_itself_and_for_each_item() {
    let (_world, proxy, things) = things().await;
    let sorts: Vec<String> = (0..40).map(|number| format!("{number:02}")).collect();
    proxy.set(Faults { lag: LAG, ..Faults::only(Kind::StaleRead.at(0.5)) });
    for sort in &sorts {
        things.put(sort, "1", true).await.unwrap();
    }
    let first = things.batch(&sorts, false).await.0;
    let second = things.batch(&sorts, false).await.0;
    assert!((1..40).contains(&first.len()), "{first:?}");
    assert_ne!(first, second);
    assert_eq!(proxy.counts().of(Kind::StaleRead), 80 - (first.len() + second.len()) as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_keep_to_what_they_are_for() {
    let (_world, proxy, things) = things().await;
    proxy.set(Faults::only(Kind::Throttled.always()));
    let raw = tests::client::Client::http(&format!("http://{}", proxy.address())).post("/");
    let streams = raw
        .header("x-amz-target", "DynamoDBStreams_20120810.ListStreams")
        .header("x-amz-date", "20260101T000000Z")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/dynamodb/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=00",
        )
        .body("application/x-amz-json-1.0", "{}");
    let listed = streams.await.expect(200).json();
    assert!(listed["Streams"].is_array(), "streams are only forwarded: {listed}");
    assert!(things.client.list_tables().send().await.is_ok(), "so are tables");
    assert_eq!(proxy.counts().of(Kind::Throttled), 0);
    proxy.set(Faults::only(Kind::Throttled.always().on(Only::everything().table("access"))));
    assert_eq!(things.put("a", "1", false).await, Ok(()));
    proxy.set(Faults::none());
    assert_eq!(things.put("a", "2", false).await, Ok(()));
}

/// Sends objects as a client does that repeats what fails on the server's side.
async fn send_patiently(world: &World, objects: &[Object]) -> usize {
    let mut refused = 0;
    loop {
        let request = world.ingest().post("/api/v1/objects");
        let answer = request.body("application/json", envelope(objects)).await;
        if answer.status < 500 {
            assert_eq!(answer.clone().expect(200).json()["rejected"], 0, "{}", answer.text());
            return refused;
        }
        refused += 1;
        assert!(refused < 50, "{}: {}", answer.what, answer.text());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until each object has an entry at its version in the log, then holds the log to what it
/// promises: positions rise strictly, a revision of an object is there once, and the collection
/// shows each object once, at its version.
async fn holds_exactly(world: &World, proxy: &Proxy, collection: &Collection, objects: &[Object]) {
    let wanted: BTreeSet<(String, String)> =
        objects.iter().map(|o| (o.id().to_owned(), o.version().to_owned())).collect();
    until("every object is in the log", async || {
        let log = world.log_of(collection).await;
        let current = log.iter().filter(|seen| seen.current);
        let current = current.map(|seen| (seen.entry.id.clone(), seen.entry.version.clone()));
        (current.collect::<BTreeSet<_>>() == wanted).then_some(())
    })
    .await;
    proxy.set(Faults::none());
    world.settled(collection, objects).await;
    let log = world.log_of(collection).await;
    assert!(
        log.windows(2).all(|two| two[0].entry.position < two[1].entry.position),
        "positions do not rise"
    );
    let mut said = BTreeSet::new();
    for seen in &log {
        let entry = &seen.entry;
        let first = said.insert((entry.id.clone(), entry.revision, entry.version.clone()));
        assert!(first, "said twice: {} revision {}", entry.id, entry.revision);
    }
    let pages = tests::taxii_reading::pages_by_next(
        &world.reader(),
        &collection.manifest(),
        &[("limit", "100")],
    )
    .await;
    let shown = pages.iter().flat_map(tests::taxii_reading::Page::ids).collect::<Vec<_>>();
    let expected: BTreeSet<&str> = objects.iter().map(Object::id).collect();
    assert_eq!(shown.len(), expected.len(), "an object is shown twice, or not at all");
    assert_eq!(shown.iter().map(String::as_str).collect::<BTreeSet<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_system_on_worse_days_loses_nothing_and_says_nothing_twice() {
    let (world, proxy) = World::on_worse_days().await;
    let collection = world.collection(CollectionSpec::everything()).await;
    proxy.set(Faults::moderate(seed(0)));
    let first = indicators(300);
    let (mut newest, changed) = (first.clone(), 100);
    for object in &mut newest[..changed] {
        *object = object.clone().at(SECOND);
    }
    let send = async |objects: &[Object]| {
        let parts = objects.chunks(60).map(|part| send_patiently(&world, part));
        futures::future::join_all(parts).await.iter().sum::<usize>()
    };
    let refused = send(&first).await + send(&newest[..changed]).await;
    holds_exactly(&world, &proxy, &collection, &newest).await;
    let counts = proxy.counts();
    println!("{refused} requests answered with 5xx; {counts:?}");
    // Only batches of keys are divided, and of those there are few: they have a test of theirs.
    let missing = counts.missing(&OF_A_WRITE);
    assert!(missing.is_empty(), "did not happen: {missing:?} in {counts:?}");
    assert!(counts.of(Kind::Slow) > 0, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn projectors_side_by_side_on_a_bad_stream_append_nothing_twice() {
    let (world, proxy) = World::on_worse_days().await;
    let collection = world.collection(CollectionSpec::everything()).await;
    let projectors = [world.another_instance(), world.another_instance()];
    let seed = seed(0);
    proxy.set(Faults::moderate(seed));
    let first = indicators(120);
    let newest: Vec<Object> = first.iter().map(|object| object.clone().at(SECOND)).collect();
    let stream = BadStream::seeded(seed);
    let mut written: Vec<String> = Vec::new();
    for objects in [&first, &newest] {
        send_patiently(&world, objects).await;
        written.extend(objects.iter().map(|object| object.id().to_owned()));
        let delivered = stream.deliver(&projectors, &written).await;
        println!("{delivered:?}");
        assert!(delivered.replayed > 0 && delivered.batches > 2, "{delivered:?}");
    }
    holds_exactly(&world, &proxy, &collection, &newest).await;
    println!("{:?}", proxy.counts());
}
