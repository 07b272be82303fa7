//! Two publishers at once, a publisher killed at any point, S3 and `DynamoDB` failing in the
//! middle: readers see only whole files, the last good one stays, the next run catches up.

use std::collections::BTreeSet;

use csv_publish::Outcome;
use serde_json::json;
use shared::feed::Feed;
use tests::client::Client;
use tests::collection::{Collection, CollectionSpec};
use tests::feeds::{
    feed, ids, path, publish, publish_by, publish_with, read, reader, wide_columns, wide_text,
};
use tests::fixtures::{Object, indicator, indicators};
use tests::interruption::{Interrupter, Interruption};
use tests::world::World;
use tests::worse_days::{Faults, Kind, Only};

/// What a reader sees: the ids of a file that is whole, by its own words and by its digest.
async fn seen(client: &Client, f: &Feed) -> BTreeSet<String> {
    let answer = read(client, f, "csv").await;
    let text = answer.text();
    let ids: BTreeSet<String> = ids(&text).into_iter().collect();
    assert!(text.ends_with(&format!("# END {} rows\r\n", ids.len())), "{text}");
    assert_eq!(answer.header("x-feed-rows"), Some(ids.len().to_string().as_str()));
    let found = <sha2::Sha256 as sha2::Digest>::digest(&answer.body);
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, found);
    if let Some(digest) = answer.header("repr-digest") {
        assert_eq!(digest, format!("sha-256=:{encoded}:"));
    } else {
        // Of a large file, which the function hands over by a link.
        let sums = read(client, f, "sha256").await.text();
        assert!(sums.contains(&format!("{found:x}  {}.csv\n", f.slug())), "{sums}");
    }
    ids
}

fn set(objects: &[Object]) -> BTreeSet<String> {
    objects.iter().map(|object| object.id().to_owned()).collect()
}

/// A feed with a first edition, and what it holds.
async fn begun(w: &World) -> (Collection, Feed, Vec<Object>) {
    let objects = indicators(5);
    let c = w.holding(&objects).await;
    w.rebuilt(&c).await;
    let f = feed(w, &c, json!({"formats": ["csv", "csv.gz"]})).await;
    publish(w, &f).await;
    (c, f, objects)
}

/// Interrupts publishing at every request to an engine, until it runs to its end untouched.
async fn interrupted_everywhere(w: &World, what: Interruption, engine: &str) -> usize {
    let (c, f, objects) = begun(w).await;
    interrupted(w, (c, f, objects), what, engine, Run { rebuild: false, new: indicator }).await
}

/// What is interrupted.
struct Run {
    rebuild: bool,
    new: fn() -> Object,
}

async fn interrupted(
    w: &World,
    (c, f, mut objects): (Collection, Feed, Vec<Object>),
    what: Interruption,
    engine: &str,
    run: Run,
) -> usize {
    let client = reader(w, "acme").await;
    for at in 0..200 {
        let before = set(&objects);
        let new = (run.new)();
        w.append_packed(&c, std::slice::from_ref(&new), 1).await;
        objects.push(new);
        let after = set(&objects);
        let (address, path) = match engine {
            "S3" => (w.s3(), "feeds/"),
            _ => (w.dynamodb(), ""),
        };
        let between = Interrupter::start(address, at, what, path);
        let services = match engine {
            "S3" => w.instance_at(w.dynamodb(), between.address()),
            _ => w.instance_at(between.address(), w.s3()),
        };
        tokio::select! {
            // Killed where it waits.
            () = between.reached() => {}
            _ = publish_with(&services, &f, run.rebuild) => {}
        }
        let met = between.was_reached();
        drop(between);
        let now = seen(&client, &f).await;
        assert!(now == before || now == after, "{what:?} at request {at}");
        publish(w, &f).await;
        assert_eq!(seen(&client, &f).await, after, "after {what:?} at request {at}");
        if !met {
            return at;
        }
    }
    panic!("publishing never runs to its end")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_may_be_killed_before_any_request_to_s3() {
    let w = World::http().await;
    let points = interrupted_everywhere(&w, Interruption::Hangs, "S3").await;
    assert!(points >= 6, "{points}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_may_be_killed_after_any_request_to_s3() {
    let w = World::http().await;
    let points = interrupted_everywhere(&w, Interruption::DoneAndHangs, "S3").await;
    assert!(points >= 6, "{points}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_may_be_killed_at_any_request_to_dynamodb() {
    let w = World::http().await;
    let points = interrupted_everywhere(&w, Interruption::Hangs, "DynamoDB").await;
    assert!(points >= 2, "{points}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_may_ask_for_patience_or_lose_an_answer_at_any_request() {
    for what in [Interruption::SlowDown, Interruption::DoneAndCut] {
        let w = World::http().await;
        let points = interrupted_everywhere(&w, what, "S3").await;
        assert!(points >= 6, "{what:?}: {points}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_dynamodb_throttles_the_last_edition_stays() {
    let (w, proxy) = World::on_worse_days().await;
    let (c, f, mut objects) = begun(&w).await;
    let client = reader(&w, "acme").await;
    let before = seen(&client, &f).await;
    let new = indicators(3);
    w.append_packed(&c, &new, 1).await;
    objects.extend(new);
    // Of the log only: the definitions are read, then the run fails.
    let log = Only::everything().operation("Query").table("collections").key(&c.id);
    proxy.set(Faults::only(Kind::Throttled.always().on(log)));
    let failed = publish_by(&w.another_instance(), &f).await;
    assert!(failed.is_err(), "{failed:?}");
    assert_eq!(seen(&client, &f).await, before);
    proxy.set(Faults::none());
    publish(&w, &f).await;
    assert_eq!(seen(&client, &f).await, set(&objects));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_bucket_is_out_of_reach_a_run_fails_and_the_next_catches_up() {
    let w = World::http().await;
    let (c, f, mut objects) = begun(&w).await;
    let new = indicators(3);
    w.append_packed(&c, &new, 1).await;
    objects.extend(new);
    let nobody = "127.0.0.1:1".parse().unwrap();
    let failed = publish_by(&w.instance_at(w.dynamodb(), nobody), &f).await;
    assert!(failed.is_err(), "{failed:?}");
    publish(&w, &f).await;
    assert_eq!(seen(&reader(&w, "acme").await, &f).await, set(&objects));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_publishers_at_once_one_wins_and_nothing_is_lost() {
    let w = World::http().await;
    let (c, f, mut objects) = begun(&w).await;
    let client = reader(&w, "acme").await;
    for _ in 0..8 {
        let new = indicators(3);
        w.append_packed(&c, &new, 1).await;
        objects.extend(new);
        let instances = [w.another_instance(), w.another_instance(), w.another_instance()];
        let runs = instances.iter().map(|services| publish_by(services, &f));
        let reading = seen(&client, &f);
        let (outcomes, _) = futures::join!(futures::future::join_all(runs), reading);
        let won = outcomes.iter().filter(|o| matches!(o, Ok(Outcome::Published(_)))).count();
        assert!(won >= 1 && outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_eq!(seen(&client, &f).await, set(&objects));
    }
    // What the others wrote is gone, or goes.
    let edition = w.another_instance().store().edition(f.id).await.unwrap().unwrap().0;
    assert_eq!(edition.files.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_are_gone_or_damaged_are_made_anew() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let mut objects = indicators(4);
    w.load(&c, &objects).await;
    let f = feed(&w, &c, json!({})).await;
    publish(&w, &f).await;
    let client = reader(&w, "acme").await;
    for damage in [&b"no frames"[..], b""] {
        let new = indicator();
        w.load(&c, std::slice::from_ref(&new)).await;
        objects.push(new);
        let edition = w.another_instance().store().edition(f.id).await.unwrap().unwrap().0;
        w.put_file(&format!("feeds/{}/{}/state", f.id, edition.id), damage).await;
        let outcome = publish(&w, &f).await;
        assert!(matches!(&outcome, Outcome::Published(new) if new.whole), "{outcome:?}");
        assert_eq!(seen(&client, &f).await, set(&objects));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_are_gone_are_there_again_though_the_rows_are_the_same() {
    let w = World::http().await;
    let (c, f, objects) = begun(&w).await;
    let edition = w.another_instance().store().edition(f.id).await.unwrap().unwrap().0;
    w.put_file(&format!("feeds/{}/{}/state", f.id, edition.id), "no frames").await;
    // Something is new, but none of its rows.
    let gone = indicator().set("revoked", true);
    w.append_packed(&c, std::slice::from_ref(&gone), 1).await;
    let outcome = publish(&w, &f).await;
    assert!(matches!(&outcome, Outcome::Published(new) if new.whole), "{outcome:?}");
    assert_eq!(seen(&reader(&w, "acme").await, &f).await, set(&objects));
    w.append_packed(&c, &[indicator()], 1).await;
    let outcome = publish(&w, &f).await;
    assert!(matches!(&outcome, Outcome::Published(new) if !new.whole), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_several_parts_may_be_interrupted_anywhere() {
    for what in [Interruption::Hangs, Interruption::DoneAndCut] {
        let w = World::http().await;
        let objects: Vec<Object> =
            (0..14).map(|_| indicator().set("description", wide_text())).collect();
        let c = w.collection(CollectionSpec::everything()).await;
        w.rebuilt(&c).await;
        w.append_packed(&c, &objects, 1).await;
        let f = feed(&w, &c, json!({"formats": ["csv"], "columns": wide_columns(99)})).await;
        publish(&w, &f).await;
        let edition = w.another_instance().store().edition(f.id).await.unwrap().unwrap().0;
        assert!(edition.bytes() > 5 << 20, "{} bytes are one part", edition.bytes());
        let run = Run { rebuild: false, new: indicator };
        let points = interrupted(&w, (c, f, objects), what, "S3", run).await;
        // Begun, two parts, and completed, beside what a small file takes.
        assert!(points >= 10, "{what:?}: {points}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_of_several_parts_that_fails_is_abandoned() {
    let w = World::http().await;
    let (_, f, _) = begun(&w).await;
    let mut met = 0;
    for at in 0..3 {
        let between = Interrupter::start(w.s3(), at, Interruption::Refused, "several");
        let services = w.instance_at(w.dynamodb(), between.address());
        let mut upload =
            services.store().upload_feed_file(f.id, "several", "csv", "text/csv; charset=utf-8");
        let mut whole = upload.push(&mut vec![b'x'; 6 << 20]).await;
        match whole {
            Ok(()) => whole = upload.finish().await.map(drop),
            Err(_) => upload.abandon().await,
        }
        met += usize::from(between.was_reached());
        assert!(whole.is_err(), "request {at}");
        let left = w.bucket_keys(&format!("feeds/{}/several", f.id)).await;
        assert_eq!(left, Vec::<String>::new(), "request {at}");
    }
    assert_eq!(met, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_may_be_interrupted_anywhere() {
    for (what, engine) in [
        (Interruption::Hangs, "S3"),
        (Interruption::DoneAndHangs, "S3"),
        (Interruption::Hangs, "DynamoDB"),
    ] {
        let w = World::http().await;
        let begun = begun(&w).await;
        let run = Run { rebuild: true, new: indicator };
        let points = interrupted(&w, begun, what, engine, run).await;
        assert!(points >= 2, "{what:?}: {points}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_edition_may_be_interrupted_anywhere() {
    for what in [Interruption::Hangs, Interruption::DoneAndHangs, Interruption::DoneAndCut] {
        let w = World::http().await;
        let objects = indicators(5);
        let c = w.holding(&objects).await;
        w.rebuilt(&c).await;
        let client = reader(&w, "acme").await;
        let mut points = None;
        for at in 0..50 {
            let f = feed(&w, &c, json!({"formats": ["csv", "csv.gz"]})).await;
            let between = Interrupter::start(w.s3(), at, what, &f.id.to_string());
            let services = w.instance_at(w.dynamodb(), between.address());
            tokio::select! {
                () = between.reached() => {}
                _ = publish_by(&services, &f) => {}
            }
            let met = between.was_reached();
            drop(between);
            match client.get(&path(&f, "csv")).await.status {
                404 => {}
                _ => assert_eq!(seen(&client, &f).await, set(&objects), "{what:?} at {at}"),
            }
            publish(&w, &f).await;
            assert_eq!(seen(&client, &f).await, set(&objects), "after {what:?} at {at}");
            if !met {
                points = Some(at);
                break;
            }
        }
        assert!(points.is_some_and(|points| points >= 5), "{what:?}: {points:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_refused_leaves_nothing_of_what_it_wrote() {
    let w = World::http().await;
    let (c, f, _) = begun(&w).await;
    let mut failed = 0;
    for at in 0..50 {
        w.append_packed(&c, &[indicator()], 1).await;
        let folder = format!("feeds/{}/", f.id);
        let before = w.bucket_keys(&folder).await;
        let between = Interrupter::start(w.s3(), at, Interruption::Refused, "feeds/");
        let refused = publish_by(&w.instance_at(w.dynamodb(), between.address()), &f).await;
        if refused.is_err() {
            failed += 1;
            assert_eq!(w.bucket_keys(&folder).await, before, "request {at}");
        }
        if !between.was_reached() {
            assert!(failed >= 4, "{failed}");
            return;
        }
        publish(&w, &f).await;
    }
    panic!("publishing never runs to its end")
}
