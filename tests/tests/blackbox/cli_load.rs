//! The command line: `iocast load`.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::tempdir;
use tests::collection::CollectionSpec;
use tests::fixtures::{Object, bundle, envelope, indicator, indicators};
use tests::service::{Ended, file, iocast, load};
use tests::taxii_reading::{all_objects, ids};
use tests::world::World;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn assert_report(ended: &Ended, code: i32, accepted: u64, unchanged: u64, rejected: u64) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    let report = ended.json();
    for (name, expected) in
        [("accepted", accepted), ("unchanged", unchanged), ("rejected", rejected)]
    {
        assert_eq!(report[name], expected, "{name}: {report}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_takes_stix_files_plain_and_compressed() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let folder = tempdir().unwrap();
    let parts: Vec<Vec<Object>> = (0..4).map(|_| indicators(30)).collect();
    let array: Vec<_> = parts[3].iter().map(Object::json).collect();
    let zstd = zstd::bulk::compress(bundle(&parts[2]).as_bytes(), 3).unwrap();
    let files = [
        file(folder.path(), "a.json", bundle(&parts[0])),
        file(folder.path(), "b.json.gz", gzip(&envelope(&parts[1]))),
        file(folder.path(), "c.json.zst", zstd),
        file(folder.path(), "d.json", serde_json::to_vec(&array).unwrap()),
    ];
    let ended = load(&files, w.http.base_url(), w.writer_key()).await;
    assert_report(&ended, 0, 120, 0, 0);
    w.settled(&c, &parts.concat()).await;
    let again = load(&files, w.http.base_url(), w.writer_key()).await;
    assert_report(&again, 0, 0, 120, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_takes_ioc_files() {
    let w = World::http().await;
    let folder = tempdir().unwrap();
    let ndjson = "{\"type\":\"ipv4\",\"value\":\"192.0.2.1\"}\n{\"type\":\"ipv4\",\"value\":\"192.0.2.2\"}\n";
    let csv = "type,value\ndomain,one.example.com\ndomain,two.example.com\n";
    let files =
        [file(folder.path(), "list.ndjson.gz", gzip(ndjson)), file(folder.path(), "list.csv", csv)];
    let ended = load(&files, w.http.base_url(), w.writer_key()).await;
    assert_report(&ended, 0, 4, 0, 0);
    let again = load(&files, w.http.base_url(), w.writer_key()).await;
    assert_report(&again, 0, 0, 4, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_ends_with_2_and_the_reasons_when_something_was_rejected() {
    let w = World::http().await;
    let folder = tempdir().unwrap();
    let bad = indicator().without("valid_from");
    let objects = [indicator(), bad.clone(), indicator()];
    let iocs = "{\"type\":\"ipv4\",\"value\":\"192.0.2.1\"}\n{\"type\":\"md5\",\"value\":\"no\"}\n";
    let files =
        [file(folder.path(), "a.json", bundle(&objects)), file(folder.path(), "b.ndjson", iocs)];
    let ended = load(&files, w.http.base_url(), w.writer_key()).await;
    assert_report(&ended, 2, 3, 0, 2);
    let report = ended.json().to_string();
    for word in ["valid_from", "b.ndjson", "md5"] {
        assert!(report.contains(word), "{word} is not in {report}");
    }
    let text = ["load".as_ref(), files[0].as_os_str()];
    let mut arguments: Vec<&std::ffi::OsStr> = text.to_vec();
    let rest = ["--url", w.http.base_url(), "--key", w.writer_key()];
    arguments.extend(rest.map(std::ffi::OsStr::new));
    let ended = iocast(&arguments).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let said = format!("{}{}", ended.stdout, ended.stderr);
    for word in ["accepted", "unchanged", "rejected", "valid_from"] {
        assert!(said.contains(word), "{word} is not in {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_ends_with_1_when_it_could_not_run() {
    let w = World::http().await;
    let folder = tempdir().unwrap();
    let good = file(folder.path(), "a.json", bundle(&[indicator()]));
    let missing = folder.path().join("missing.json");
    let cases = [
        load(&[missing], w.http.base_url(), w.writer_key()).await,
        load(std::slice::from_ref(&good), w.http.base_url(), "no-key").await,
        load(std::slice::from_ref(&good), w.http.base_url(), w.reader_key()).await,
        load(std::slice::from_ref(&good), "http://127.0.0.1:1", w.writer_key()).await,
    ];
    for ended in cases {
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(!ended.stderr.is_empty() && !ended.stderr.contains("panicked"), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_splits_what_is_larger_than_a_request() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let folder = tempdir().unwrap();
    let long = "d".repeat(5_000);
    let objects: Vec<Object> =
        indicators(2_500).into_iter().map(|o| o.set("description", long.as_str())).collect();
    let text = bundle(&objects);
    assert!(text.len() > 12 * 1024 * 1024);
    let files = [file(folder.path(), "large.json.gz", gzip(&text))];
    let ended = load(&files, w.http.base_url(), w.writer_key()).await;
    assert_report(&ended, 0, 2_500, 0, 0);
    w.settled(&c, &objects).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn load_adds_to_the_collection_it_is_given() {
    let w = World::http().await;
    let spec = CollectionSpec { alias: Some("mine".into()), ..CollectionSpec::labelled("none") };
    let c = w.collection(spec).await;
    let folder = tempdir().unwrap();
    let object = indicator();
    let path = file(folder.path(), "a.json", bundle(std::slice::from_ref(&object)));
    let ended = iocast(&[
        "load",
        path.to_str().unwrap(),
        "--url",
        w.http.base_url(),
        "--key",
        w.writer_key(),
        "--collection",
        &c.id,
        "--json",
    ])
    .await;
    assert_report(&ended, 0, 1, 0, 0);
    w.settled(&c, std::slice::from_ref(&object)).await;
    assert_eq!(ids(&all_objects(&w.reader(), &c).await), [object.id()]);
}
