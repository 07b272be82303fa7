//! Indicators leave the logs of active ones at the moment their `valid_until` names.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use shared::log::LogId;
use shared::services::Services;
use shared::stix::IocType;
use shared::store::{Expiration, Expiry, Hour};
use shared::tlp::Tlp;
use tests::collection::CollectionSpec;
use tests::fixtures::{Object, SECOND, indicator, indicators, malware};
use tests::function::Function;
use tests::patience::until;
use tests::world::World;

/// The logs an indicator for a domain stands in: (whether of one kind, whether active).
type Logs = BTreeSet<(bool, bool)>;

fn only(active: bool) -> Logs {
    BTreeSet::from([(false, active), (true, active)])
}

async fn logs_of(w: &World, object: &Object) -> Logs {
    let mut logs = Logs::new();
    for level in Tlp::ALL {
        for kind in [None, Some(IocType::Domain)] {
            for active in [true, false] {
                let entries = w.entries(LogId::Indicators { level, kind, active }).await;
                if entries.iter().any(|seen| seen.current && seen.entry.id == object.id()) {
                    logs.insert((kind.is_some(), active));
                }
            }
        }
    }
    logs
}

fn now(services: &Services) -> DateTime<Utc> {
    services.store().now()
}

fn valid_until(object: Object, at: DateTime<Utc>) -> Object {
    object.set("valid_until", at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// Sends objects and waits until their heads are settled.
async fn settle(w: &World, objects: &[Object]) {
    for part in objects.chunks(250) {
        w.send(part).await;
    }
    let services = w.past_the_proxy();
    for object in objects {
        let id = object.id().parse().unwrap();
        until("the object is projected", async || {
            let head = services.store().head(&id).await.unwrap();
            head.is_some_and(|head| head.pending.is_none()).then_some(())
        })
        .await;
    }
}

fn lists_nothing(answer: &serde_json::Value) {
    assert_eq!((&answer["expired"], &answer["waiting"]), (&0.into(), &0.into()), "{answer}");
    assert_eq!(answer["complete"], true, "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_indicator_is_active_until_its_moment_and_inactive_after() {
    let w = World::of_operator().await;
    let services = w.another_instance();
    lists_nothing(&w.expire().await);
    let object = valid_until(indicator(), now(&services) + TimeDelta::minutes(20));
    let endless = indicator();
    settle(&w, &[object.clone(), endless.clone()]).await;
    lists_nothing(&w.expire().await);
    assert_eq!(logs_of(&w, &object).await, only(true));

    services.settings().clock.step(TimeDelta::minutes(21));
    w.expire_all().await;
    assert_eq!(logs_of(&w, &object).await, only(false));
    assert_eq!(logs_of(&w, &endless).await, only(true));
    // Its line is gone, and nothing is said twice.
    lists_nothing(&w.expire().await);
    for hour in [Hour::of(now(&services)), Hour::of(now(&services) - TimeDelta::hours(1))] {
        assert!(services.store().expiry_hour_is_empty(hour).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_extended_validity_outlives_the_old_line() {
    let w = World::of_operator().await;
    let services = w.another_instance();
    let begun = now(&services);
    let object = valid_until(indicator(), begun + TimeDelta::minutes(20));
    settle(&w, std::slice::from_ref(&object)).await;
    // Mostly within the same hour.
    let object = valid_until(object.at(SECOND), begun + TimeDelta::minutes(22));
    settle(&w, std::slice::from_ref(&object)).await;

    services.settings().clock.step(TimeDelta::minutes(21));
    lists_nothing(&w.expire().await);
    assert_eq!(logs_of(&w, &object).await, only(true));
    services.settings().clock.step(TimeDelta::minutes(23));
    w.expire_all().await;
    assert_eq!(logs_of(&w, &object).await, only(false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_made_valid_again_expires_again() {
    let w = World::of_operator().await;
    let services = w.another_instance();
    let begun = now(&services);
    let object = valid_until(indicator(), begun + TimeDelta::minutes(20));
    settle(&w, std::slice::from_ref(&object)).await;
    services.settings().clock.step(TimeDelta::minutes(21));
    w.expire_all().await;
    let object = valid_until(object.at(SECOND), begun + TimeDelta::minutes(90));
    settle(&w, std::slice::from_ref(&object)).await;
    assert_eq!(logs_of(&w, &object).await, only(true));
    services.settings().clock.step(TimeDelta::minutes(91));
    w.expire_all().await;
    assert_eq!(logs_of(&w, &object).await, only(false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_twice_early_stale_or_of_nobody_do_no_harm() {
    let w = World::of_operator().await;
    let services = w.another_instance();
    let moment = now(&services) + TimeDelta::minutes(20);
    let objects =
        [indicator(), malware("Example"), valid_until(indicator(), moment + TimeDelta::hours(2))];
    let expiring = valid_until(indicator(), moment);
    let unknown = indicator();
    let line = |object: &Object| Expiration {
        expiry: Expiry::of(moment),
        id: object.id().parse().unwrap(),
    };
    let lines: Vec<Expiration> =
        objects.iter().chain([&expiring, &expiring, &unknown]).map(line).collect();
    // Listed by a projector that was killed before it settled anything.
    services.store().list_expirations(&lines).await.unwrap();
    settle(&w, &objects).await;
    settle(&w, std::slice::from_ref(&expiring)).await;
    services.store().list_expirations(&lines).await.unwrap();

    services.settings().clock.step(TimeDelta::minutes(21));
    let (one, other) = tokio::join!(w.expire(), w.expire());
    assert_eq!((&one["complete"], &other["complete"]), (&true.into(), &true.into()));
    w.expire_all().await;
    assert_eq!(logs_of(&w, &expiring).await, only(false));
    assert_eq!(logs_of(&w, &objects[0]).await, only(true));
    assert_eq!(logs_of(&w, &objects[2]).await, only(true));
    lists_nothing(&w.expire().await);
    assert!(services.store().expiry_hour_is_empty(Hour::of(moment)).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_projection_that_is_repeated_after_the_moment_finds_what_the_first_one_appended() {
    let w = World::of_operator().await;
    let services = w.another_instance();
    let object = valid_until(indicator(), now(&services) + TimeDelta::minutes(20));
    settle(&w, std::slice::from_ref(&object)).await;
    assert_eq!(logs_of(&w, &object).await, only(true));
    services.settings().clock.step(TimeDelta::minutes(21));
    w.unsettle(object.id()).await;
    until("it leaves the logs of active indicators", async || {
        (logs_of(&w, &object).await == only(false)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hours_that_were_missed_are_caught_up() {
    let w = World::of_operator().await;
    let services = w.another_instance();
    let clock = services.settings().clock.clone();
    clock.step(TimeDelta::hours(-30));
    let begun = now(&services);
    let objects: Vec<Object> = indicators(40)
        .into_iter()
        .zip(1..)
        .map(|(object, n)| valid_until(object, begun + TimeDelta::minutes(20 * n)))
        .collect();
    settle(&w, &objects).await;
    clock.step(TimeDelta::zero());
    w.expire_all().await;
    for object in [&objects[0], &objects[19], &objects[39]] {
        assert_eq!(logs_of(&w, object).await, only(false));
    }
    // What is done with is not looked at again, but for the hours that may still be written to.
    let mark = services.store().expiry_mark().await.unwrap().unwrap();
    assert!(mark >= Hour::of(now(&services) - TimeDelta::minutes(71)), "{mark}");
    lists_nothing(&w.expire().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moment_ahead_costs_a_fraction_of_a_write_unit() {
    let w = World::of_operator().await;
    let services = w.another_instance();
    let c = w.collection(CollectionSpec::everything()).await;
    // What the filling of a new collection writes is on the same meter.
    w.rebuilt(&c).await;
    let moment = now(&services) + TimeDelta::days(3);
    let objects = indicators(500).into_iter().map(|object| valid_until(object, moment));
    let objects: Vec<Object> = objects.collect();
    let before = w.write_units();
    w.load(&c, &objects).await;
    w.quiet(&c, &indicator()).await;
    let units = (w.write_units() - before) / 501.0;
    assert!(units > 1.0 && units < 3.0, "{units} write units each");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_expiring_function_takes_the_event_of_a_schedule() {
    let w = World::of_operator().await;
    let services = w.another_instance();
    let object = valid_until(indicator(), now(&services) + TimeDelta::seconds(3));
    settle(&w, std::slice::from_ref(&object)).await;
    let function = Function::start("expire", &w.function_environment()).await;
    until("it leaves the logs of active indicators", async || {
        let event = serde_json::json!({
            "version": "0", "id": "89d1a02d-5ec7-412e-82f5-13505f849b41",
            "detail-type": "Scheduled Event", "source": "aws.events", "account": "123456789012",
            "time": Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true), "region": "eu-west-1",
            "resources": ["arn:aws:events:eu-west-1:123456789012:rule/expire"], "detail": {},
        });
        function.invoke(&event).await.expect("the function takes the event");
        (logs_of(&w, &object).await == only(false)).then_some(())
    })
    .await;
    let wrong = function.invoke(&serde_json::json!({"time": "soon"})).await;
    assert!(wrong.is_err());
}
