//! `iocast doctor`: says what is wrong, and what to do.

use serde_json::json;
use tests::collection::CollectionSpec;
use tests::fixtures::indicators;
use tests::service::{Service, iocast, iocast_with};
use tests::stack_api::{Health, StackApi};
use tests::terminal::at_terminal;
use tests::world::World;
use tests::worse_days::{Faults, Kind, Only};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_in_good_health() {
    let w = World::http().await;
    let line = ["doctor", "--url", w.http.base_url(), "--key", w.admin_key()];
    let screen = at_terminal(&line, &[], "").await.fits().expect(0);
    let _ = screen.shows(&["ok", "tables", "schedule of expire", "Nothing is wrong."]);
    let ended = iocast(&[&line[..], &["--json"]].concat()).await;
    assert_eq!(ended.json()["wrong"], 0, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said_with_what_to_do() {
    let (w, proxy) = World::on_worse_days().await;
    let url = w.http.base_url();
    let unreachable = ["doctor", "--url", "http://127.0.0.1:1", "--key", "k"];
    let screen = at_terminal(&unreachable, &[], "").await.fits().expect(2);
    let _ = screen.shows(&["WRONG", "service", "-> ", "1 thing is wrong."]);
    let reader = ["doctor", "--url", url, "--key", w.reader_key()];
    let screen = at_terminal(&reader, &[], "").await.fits().expect(2);
    let _ = screen.shows(&["ok     service", "WRONG  key", "admin"]);
    let none = at_terminal(&["doctor", "--url", url], &[], "").await.fits().expect(2);
    let _ = none.shows(&["no key"]);
    // A job that comes to nothing, however often it is called.
    let collection = uuid::Uuid::new_v4();
    let its_log = Only::everything().operation("Query").key(&collection.to_string());
    proxy.set(Faults::only(Kind::Throttled.always().on(its_log)));
    w.stalled_deletion(collection).await;
    let admin = ["doctor", "--url", url, "--key", w.admin_key()];
    let screen = at_terminal(&admin, &[], "").await.fits().expect(2);
    let _ = screen.shows(&["WRONG  background jobs", "stands still", "rescan"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_that_is_late_is_wrong() {
    // Building it now takes longer than the schedule of feeds waits.
    let _ = tests::binaries::path("iocast");
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    w.rebuilt(&c).await;
    let feed = tests::feeds::feed(&w, &c, json!({"alias": "block"})).await;
    let line = ["doctor", "--url", w.http.base_url(), "--key", w.admin_key()];
    let new = at_terminal(&line, &[], "").await.fits().expect(0);
    let _ = new.shows(&["note   feed block", "not published yet"]);
    tests::feeds::publish(&w, &feed).await;
    let good = at_terminal(&line, &[], "").await.fits().expect(0);
    let _ = good.shows(&["ok     feed block", "published at", "0 rows"]);
    let objects = indicators(1);
    w.load(&c, &objects).await;
    w.settled(&c, &objects).await;
    w.later(chrono::TimeDelta::hours(1));
    let late = at_terminal(&line, &[], "").await.fits().expect(2);
    let _ = late.shows(&["WRONG  feed block", "due since", "csv-publish"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_folder_of_a_local_service_is_looked_at_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let path = data.to_str().unwrap();
    let none = iocast(&["doctor", "--data", path]).await;
    assert!(none.code == Some(2) && none.stdout.contains("iocast serve"), "{none:?}");
    let _service = Service::start(&["--data", path, "--no-demo"]).await;
    let good = at_terminal(&["doctor", "--data", path], &[], "").await.fits().expect(0);
    let _ = good.shows(&["data folder", "parked events", "Nothing is wrong."]);
    std::fs::create_dir_all(data.join("parked")).unwrap();
    std::fs::write(data.join("parked/one.json"), "{}").unwrap();
    let parked = at_terminal(&["doctor", "--data", path], &[], "").await.fits().expect(2);
    let _ = parked.shows(&["WRONG  parked events", "1 could not be worked off"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stack_takes_credentials() {
    let none: Vec<(String, String)> = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
        .map(|name| (name.to_owned(), String::new()))
        .to_vec();
    let ended = iocast_with(&["doctor", "--stack", "iocast"], &none).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("AWS_ACCESS_KEY_ID is not set"), "{ended:?}");
    assert!(ended.stderr.contains("aws configure export-credentials"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stack_is_looked_at_from_its_tables_to_its_queue() {
    let aws = StackApi::start(Health::Good).await;
    let line = ["doctor", "--stack", "iocast"];
    let good = at_terminal(&line, &aws.environment(), "").await.fits().expect(0);
    let _ = good.shows(&[
        "iocast, 9 resources",
        "ok     AccessTable",
        "drops what has expired",
        "is active, and streams",
        "ok     ProjectFunctionPending",
        "rate(1 minute)",
        "ok     ParkedQueue",
        "1.5 s at the most",
        "Nothing is wrong.",
    ]);
    let aws = StackApi::start(Health::Bad).await;
    let bad = at_terminal(&line, &aws.environment(), "").await.fits().expect(2);
    let _ = bad.shows(&[
        "is DELETING",
        "has no stream",
        "does not drop what has expired",
        "is Failed",
        "PROBLEM: Function call failed",
        "aws events enable-rule --name minute",
        "holds 3 parked events",
        "900.0 s at the most",
        "9 things are wrong.",
    ]);
    let other = ["doctor", "--stack", "other"];
    let other = at_terminal(&other, &aws.environment(), "").await.fits().expect(2);
    let _ = other.shows(&["does not exist", "is there a stack \"other\" in us-east-1?"]);
}
