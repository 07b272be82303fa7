//! A store that throttles or fails for some minutes delays projection by minutes, and parks nothing.

use std::time::Duration;

use tests::collection::CollectionSpec;
use tests::fixtures::indicator;
use tests::world::World;
use tests::worse_days::{Faults, Kind, Only};

/// The longest outage that parks nothing by contract.
const OUTAGE: Duration = Duration::from_mins(6);
/// What the function keeps of its time for its answer.
const MARGIN_SECONDS: u64 = 10;

/// Lets no commit be put for so long; what comes in meanwhile is visible a moment later.
async fn survives(kind: Kind, outage: Duration) {
    let (w, proxy) = World::on_worse_days().await;
    let c = w.collection(CollectionSpec::everything()).await;
    w.rebuilt(&c).await;
    let puts = Only::everything().operation("PutItem").table("collections");
    proxy.set(Faults::only(kind.always().on(puts)));
    let object = indicator();
    w.send(std::slice::from_ref(&object)).await;
    tokio::time::sleep(outage).await;
    assert!(proxy.counts().of(kind) > 0, "{kind:?} befell nothing");
    assert_eq!(w.parked(), 0, "{kind:?}");
    proxy.set(Faults::none());
    w.settled(&c, std::slice::from_ref(&object)).await;
    assert_eq!(w.log_of(&c).await.len(), 1, "{kind:?}");
    assert_eq!(w.parked(), 0, "{kind:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_throttles_for_half_a_minute_parks_nothing() {
    survives(Kind::Throttled, Duration::from_secs(30)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_for_half_a_minute_parks_nothing() {
    survives(Kind::FailedWrite, Duration::from_secs(30)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes six minutes"]
async fn a_store_that_throttles_for_six_minutes_parks_nothing() {
    survives(Kind::Throttled, OUTAGE).await;
}

#[test]
fn the_attempts_of_the_template_last_longer_than_an_outage_of_six_minutes() {
    let file = tests::binaries::workspace().join("infra/template.yaml");
    let template = std::fs::read_to_string(file).unwrap();
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(&template).unwrap();
    let function = &template["Resources"]["ProjectFunction"]["Properties"];
    let stream = &function["Events"]["Pending"]["Properties"];
    let attempts = stream["MaximumRetryAttempts"].as_u64().unwrap() + 1;
    let each = function["Timeout"].as_u64().unwrap() - MARGIN_SECONDS;
    let waited = Duration::from_secs(each * attempts);
    assert!(waited > OUTAGE, "{waited:?}");
}
