//! What a run costs: by what is new, not by what is published.

use csv_publish::Outcome;
use serde_json::json;
use tests::collection::{Collection, CollectionSpec};
use tests::feeds::{feed, ids, publish_by, read, reader};
use tests::fixtures::{Object, indicator, indicators};
use tests::world::World;

/// Rows an object makes.
const ROWS: usize = 25;

fn wide(number: usize) -> Object {
    let values: Vec<String> =
        (0..ROWS).map(|row| format!("'h{row}.n{number}.example.com'")).collect();
    indicator().set("pattern", format!("[domain-name:value IN ({})]", values.join(",")))
}

/// A collection that nothing enters by itself, with 200,000 rows of 8,000 objects in its log.
async fn large(w: &World) -> Collection {
    let c = w.collection(CollectionSpec::labelled("nothing bears this")).await;
    w.rebuilt(&c).await;
    let objects: Vec<Object> = (0..8_000).map(wide).collect();
    w.append_packed(&c, &objects, 128).await;
    c
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_costs_what_is_new_in_a_feed_of_200_000_rows() {
    let w = World::http().await;
    let c = large(&w).await;
    let f = feed(&w, &c, json!({"columns": ["id", "value"], "formats": ["csv.gz"]})).await;
    let services = w.another_instance();
    let run = async || {
        let before = services.store().units();
        let outcome = publish_by(&services, &f).await.unwrap();
        (outcome, services.store().units() - before)
    };
    let (first, whole) = run().await;
    let Outcome::Published(first) = first else { panic!("{first:?}") };
    assert_eq!((first.rows, first.objects, first.whole), (200_000, 8_000, true));
    // Nothing new: a constant number of units, and nothing written, neither to a table nor to the
    // bucket. The definitions of collections are one Query, the end of the log another.
    let files = w.bucket_keys("feeds/").await;
    for _ in 0..3 {
        let (outcome, units) = run().await;
        assert_eq!(outcome, Outcome::Unchanged);
        assert!(units.read <= 4.0 && units.write == 0.0, "{units:?}");
    }
    assert_eq!(w.bucket_keys("feeds/").await, files);
    // 100 objects more: their commits are read, whatever else is in the log.
    let new = indicators(100);
    w.append_packed(&c, &new, 10).await;
    let (outcome, units) = run().await;
    let Outcome::Published(second) = outcome else { panic!("{outcome:?}") };
    assert_eq!((second.rows, second.whole), (200_100, false));
    // Ten commits of ten objects, of less than 4 KB each.
    assert!(units.read <= 25.0 && units.write == 0.0, "{units:?}");
    assert!(units.read * 5.0 < whole.read, "{units:?} of {whole:?}");
    let client = reader(&w, "acme").await;
    let packed = read(&client, &f, "csv.gz").await;
    let mut text = String::new();
    let mut decoder = flate2::read::GzDecoder::new(&packed.body[..]);
    std::io::Read::read_to_string(&mut decoder, &mut text).unwrap();
    let ids = ids(&text);
    assert_eq!(ids.len(), 200_100);
    let mut newest: Vec<&str> = ids[..100].iter().map(String::as_str).collect();
    newest.sort_unstable();
    let mut expected: Vec<&str> = new.iter().map(Object::id).collect();
    expected.sort_unstable();
    assert_eq!(newest, expected);
}
