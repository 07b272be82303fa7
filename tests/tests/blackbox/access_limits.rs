//! access.md, Plans: limits that hold across instances, what a caller is told of them, and what
//! they cost.

use chrono::{TimeDelta, Timelike};
use futures::future::join_all;
use serde_json::json;
use shared::access::{Caller, Quota, Window};
use shared::limiter::OverLimit;
use shared::services::Services;
use tests::client::Answer;
use tests::function::Function;
use tests::keys::KeySpec;
use tests::patience::until;
use tests::world::World;
use tests::worse_days::{Faults, Kind, Only};

const COLLECTIONS: &str = "/taxii2/intel/collections/";

/// Steps the clock of every instance to the beginning of a minute, so that a test has all of it.
fn begin_a_minute(services: &Services) {
    let clock = &services.settings().clock;
    let now = clock.now();
    let ahead = now - chrono::Utc::now();
    let rest = 60_000 - i64::from(now.second()) * 1000 - i64::from(now.timestamp_subsec_millis());
    clock.step(ahead + TimeDelta::milliseconds(rest));
}

fn next_minute(services: &Services) {
    begin_a_minute(services);
}

async fn caller(world: &World, plan: &str) -> Caller {
    let key = world.key(KeySpec::of("acme").on(plan)).await;
    let services = world.past_the_proxy();
    let known = services.store().key(&key.id).await.unwrap().unwrap();
    let plan = services.plan(&plan.parse().unwrap()).await.unwrap();
    known.caller(plan)
}

struct Crowd {
    admitted: Vec<Quota>,
    refused: usize,
    write_units: f64,
    read_units: f64,
}

/// Four instances, each with several requests of the same key at once. None if they took longer
/// than the minute they are counted in.
async fn crowd(world: &World, caller: &Caller, requests: usize) -> Option<Crowd> {
    let instances: Vec<Services> = (0..4).map(|_| world.another_instance()).collect();
    begin_a_minute(&instances[0]);
    let minute = || Window::of(instances[0].store().now());
    let begun = minute();
    let shares = instances.iter().flat_map(|services| (0..4).map(move |_| services));
    let asked = shares.map(async |services| {
        let mut outcomes = Vec::new();
        for _ in 0..requests / 16 {
            outcomes.push(services.limiter().admit(services.store(), caller).await);
        }
        outcomes
    });
    let outcomes: Vec<Result<Option<Quota>, OverLimit>> =
        join_all(asked).await.into_iter().flatten().collect();
    let units = instances.iter().map(|services| services.store().units());
    let units: Vec<_> = units.collect();
    let crowd = Crowd {
        admitted: outcomes.iter().filter_map(|outcome| outcome.ok().flatten()).collect(),
        refused: outcomes.iter().filter(|outcome| outcome.is_err()).count(),
        write_units: units.iter().map(|units| units.write).sum(),
        read_units: units.iter().map(|units| units.read).sum(),
    };
    (minute() == begun).then_some(crowd)
}

/// The same with a new key, again until it fits into a minute.
async fn fresh_crowd(world: &World, plan: &str, requests: usize) -> Crowd {
    until("the requests are made within a minute", async || {
        crowd(world, &caller(world, plan).await, requests).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_together_admit_the_limit_and_no_more() {
    let world = World::http().await;
    world.plan("tens", json!({"scopes": ["read:taxii"], "requests_per_minute": 40})).await;
    let crowd = fresh_crowd(&world, "tens", 320).await;
    // Leases of one leave nothing unused.
    assert_eq!((crowd.admitted.len(), crowd.refused), (40, 280));
    assert!(crowd.write_units <= 320.0, "{} write units", crowd.write_units);
    assert!(crowd.read_units <= 320.0, "{} read units", crowd.read_units);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_limit_is_leased_by_hundredths() {
    let world = World::http().await;
    let crowd = fresh_crowd(&world, "pro", 1600).await;
    let admitted = crowd.admitted.len();
    assert!(admitted <= 1000, "{admitted} admitted");
    // Each instance may hold a lease of ten that it was not asked for.
    assert!(admitted >= 1000 - 4 * 9, "{admitted} admitted");
    assert_eq!(admitted + crowd.refused, 1600);
    assert!(crowd.write_units <= 160.0, "{} write units for 1,600 requests", crowd.write_units);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_day_has_a_limit_of_its_own() {
    let world = World::http().await;
    let terms = json!({"scopes": [], "requests_per_minute": 30, "requests_per_day": 50});
    world.plan("short", terms).await;
    let services = world.another_instance();
    let clock = &services.settings().clock;
    let (first, second) = until("the requests are made within two minutes of a day", async || {
        let caller = caller(&world, "short").await;
        let day = clock.now().date_naive();
        let first = crowd(&world, &caller, 64).await?;
        let second = crowd(&world, &caller, 64).await?;
        (clock.now().date_naive() == day).then_some(((first, caller), second))
    })
    .await;
    let (first, caller) = first;
    assert_eq!((first.admitted.len(), second.admitted.len()), (30, 20));
    let told: Vec<u64> = second.admitted.iter().map(|quota| quota.limit).collect();
    assert!(told.contains(&50), "the day's limit is told where less is left of it: {told:?}");
    let tomorrow = until("the requests are made within a minute", async || {
        clock.step(clock.now() - chrono::Utc::now() + TimeDelta::days(1));
        crowd(&world, &caller, 64).await
    })
    .await;
    assert_eq!(tomorrow.admitted.len(), 30);
}

fn quota(answer: &Answer) -> (u64, u64, i64) {
    let number = |name: &str| answer.header(name).unwrap().parse::<i64>().unwrap();
    let unsigned = |name: &str| u64::try_from(number(name)).unwrap();
    let remaining = unsigned("x-ratelimit-remaining");
    (unsigned("x-ratelimit-limit"), remaining, number("x-ratelimit-reset"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_says_what_is_left_and_429_when_to_come_again() {
    let world = World::http().await;
    let terms = json!({"scopes": ["read:taxii"], "requests_per_minute": 5});
    world.plan("five", terms).await;
    let services = world.another_instance();
    let client = world.client(KeySpec::of("acme").on("five").read_only()).await;
    begin_a_minute(&services);
    for left in (0..5).rev() {
        // Also an answer that says no is one.
        let path = if left == 3 { "/taxii2/intel/collections/none/" } else { COLLECTIONS };
        let answer = client.get(path).await;
        assert_eq!(answer.status, if left == 3 { 404 } else { 200 });
        let (limit, remaining, reset) = quota(&answer);
        assert_eq!((limit, remaining), (5, left));
        let wait = reset - services.settings().clock.now().timestamp();
        assert!((1..=60).contains(&wait), "{wait} s to the reset");
    }
    let refused = client.get(COLLECTIONS).await.expect(429);
    assert_eq!(quota(&refused).1, 0);
    assert_eq!(refused.json()["error_code"], "rate_limited");
    let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "Retry-After: {wait}");
    // Others are not concerned, nor what needs no key.
    assert_eq!(world.reader().get(COLLECTIONS).await.status, 200);
    next_minute(&services);
    assert_eq!(quota(&client.get(COLLECTIONS).await.expect(200)).1, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_counts_cannot_be_kept_requests_are_served_and_the_failure_is_counted() {
    let (world, proxy) = World::on_worse_days().await;
    world.plan("few", json!({"scopes": ["read:taxii"], "requests_per_minute": 20})).await;
    let key = world.key(KeySpec::of("acme").on("few").read_only()).await;
    let function =
        std::sync::Arc::new(Function::start("taxii", &world.function_environment()).await);
    let client = tests::client::Client::function(function.clone(), "https://taxii.example")
        .with_key(&key.text);
    assert_eq!(client.get(COLLECTIONS).await.status, 200);
    proxy.set(Faults::only(Kind::FailedWrite.always().on(Only::everything().key("USED#"))));
    for _ in 0..3 {
        let answer = client.get(COLLECTIONS).await.expect(200);
        assert_eq!(quota(&answer).0, 20);
    }
    until("the failure is reported as a metric", async || {
        let printed = function.printed();
        let lines = printed.lines().filter(|line| line.contains("\"LimiterFailures\":1.0"));
        (lines.count() >= 3).then_some(())
    })
    .await;
    assert!(!function.printed().contains(&key.text), "a key is in the log");
}
