//! When feeds are published: a missed turn is caught up, and what takes long is begun once.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use csv_publish::Outcome;
use serde_json::{Value, json};
use shared::services::Services;
use tests::feeds::{feed, publish, read, reader, run_schedule};
use tests::fixtures::{indicator, indicators};
use tests::function::Function;
use tests::interruption::{Interrupter, Interruption};
use tests::world::World;

async fn run(services: &Services, time: DateTime<Utc>) -> Value {
    run_schedule(services, &time.to_rfc3339_opts(SecondsFormat::Secs, true)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_whose_turn_was_missed_is_caught_up_by_the_next_run() {
    let w = World::http().await;
    let c = w.holding(&indicators(2)).await;
    let f = feed(&w, &c, json!({"publish_every_minutes": 1440})).await;
    publish(&w, &f).await;
    w.load(&c, &[indicator()]).await;
    // A day and an hour later somebody comes again, at two minutes that are not both just after
    // the feed's turn.
    let ahead = TimeDelta::hours(25);
    w.later(ahead);
    let nobody = "127.0.0.1:1".parse().unwrap();
    let bad = w.instance_at(w.dynamodb(), nobody);
    let time = Utc::now() + ahead - TimeDelta::minutes(9);
    let failed = run_schedule(&bad, &time.to_rfc3339_opts(SecondsFormat::Secs, true)).await;
    assert!(failed.is_err(), "{failed:?}");
    let services = w.another_instance();
    let mut published = 0;
    for minute in [5, 9] {
        let ran = run(&services, time + TimeDelta::minutes(minute)).await;
        published += ran["published"].as_u64().unwrap();
    }
    assert_eq!(published, 1);
    assert_eq!(read(&reader(&w, "acme").await, &f, "csv").await.header("x-feed-rows"), Some("3"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_in_which_nothing_happens_is_not_looked_at_every_minute() {
    let w = World::http().await;
    let c = w.holding(&indicators(2)).await;
    let f = feed(&w, &c, json!({"publish_every_minutes": 60})).await;
    publish(&w, &f).await;
    let ahead = TimeDelta::hours(5);
    w.later(ahead);
    let services = w.another_instance();
    let mut looked = 0;
    for minute in 0..120 {
        let time = Utc::now() + ahead - TimeDelta::minutes(120 - minute);
        looked += run(&services, time).await["unchanged"].as_u64().unwrap();
    }
    // Two turns, and once because this instance knows of none before.
    assert!((2..=4).contains(&looked), "{looked}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_run_is_at_no_other_one_begins() {
    let w = World::http().await;
    let c = w.holding(&indicators(2)).await;
    let f = feed(&w, &c, json!({"publish_every_minutes": 1})).await;
    for first in [true, false] {
        w.append_packed(&c, &[indicator()], 1).await;
        let between = Interrupter::start(w.s3(), 0, Interruption::Hangs, "/csv");
        let slow = w.instance_at(w.dynamodb(), between.address());
        let at_work = tokio::spawn(async move { run(&slow, Utc::now()).await });
        between.reached().await;
        // While it writes its first file, three minutes pass.
        let services = w.another_instance();
        for minute in 0..3 {
            let ran = run(&services, Utc::now() + TimeDelta::minutes(minute)).await;
            assert_eq!(ran["published"], 0, "{first}: {ran}");
        }
        // It is killed there. Nobody waits for it longer than it could have lived.
        at_work.abort();
        let _ = at_work.await;
        let ahead = TimeDelta::minutes(if first { 16 } else { 40 });
        w.later(ahead);
        let ran = run(&services, Utc::now() + ahead).await;
        assert_eq!(ran["published"], 1, "{first}: {ran}");
        assert_eq!(publish(&w, &f).await, Outcome::Unchanged, "{first}");
        let left = w.bucket_keys(&format!("feeds/{}/claimed", f.id)).await;
        assert_eq!(left, Vec::<String>::new(), "{first}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_says_what_it_did_in_metrics() {
    let w = World::http().await;
    let c = w.holding(&indicators(3)).await;
    let f = feed(&w, &c, json!({"publish_every_minutes": 1, "formats": ["csv"]})).await;
    let function = Function::start("csv-publish", &w.function_environment()).await;
    let event = |at: DateTime<Utc>| json!({"source": "aws.events", "time": at.to_rfc3339_opts(SecondsFormat::Secs, true)});
    let _ = function.invoke(&event(Utc::now())).await.expect("it runs");
    let bytes = read(&reader(&w, "acme").await, &f, "csv").await.body.len();
    w.put_file(&format!("feeds/{}/edition.json", f.id), "no edition").await;
    let failed = function.invoke(&event(Utc::now() + TimeDelta::seconds(1))).await;
    assert!(failed.is_err());
    let printed = function.printed();
    let lines: Vec<Value> = printed
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &Value| line.get("_aws").is_some())
        .collect();
    let of_feed = |outcome: &str| {
        let found =
            lines.iter().find(|line| line["feed"] == json!(f.id) && line["outcome"] == outcome);
        found.unwrap_or_else(|| panic!("no {outcome}: {printed}"))
    };
    let published = of_feed("published");
    assert_eq!((&published["FeedRows"], &published["FeedFailures"]), (&json!(3.0), &json!(0.0)));
    assert_eq!(published["FeedBytes"], json!(f64::from(u32::try_from(bytes).unwrap())));
    assert!(published["FeedReadUnits"].as_f64().unwrap() >= 1.0, "{published}");
    assert!(published["FeedSeconds"].as_f64().unwrap() > 0.0, "{published}");
    let metrics_of = |line: &Value| -> Vec<String> {
        let all = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
        all.iter().map(|metric| metric["Name"].as_str().unwrap().to_owned()).collect()
    };
    let names = ["FeedFailures", "FeedRows", "FeedBytes", "FeedReadUnits", "FeedSeconds"];
    assert_eq!(metrics_of(published), names);
    assert!(lines.iter().any(|line| metrics_of(line) == ["FeedsLate"]), "{printed}");
}
