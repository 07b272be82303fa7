//! ingest.md, Ways in (3): files under `inbox/` of the bucket.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tests::collection::CollectionSpec;
use tests::fixtures::{Object, bundle, indicator, indicators};
use tests::world::World;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    zstd::bulk::compress(text.as_bytes(), 3).unwrap()
}

/// Drops a file and reads the result that appears beside it.
async fn dropped(w: &World, key: &str, content: Vec<u8>) -> serde_json::Value {
    w.put_file(key, content).await;
    w.json_file(&format!("{key}.result.json")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bundles_are_taken_plain_and_compressed() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    for (key, compress) in [
        ("inbox/plain.json", None),
        ("inbox/small.json.gz", Some(gzip as fn(&str) -> Vec<u8>)),
        ("inbox/deep/er.json.zst", Some(zstd)),
    ] {
        let objects = indicators(20);
        let text = bundle(&objects);
        let content =
            compress.map_or_else(|| text.clone().into_bytes(), |compress| compress(&text));
        let result = dropped(&w, key, content).await;
        assert_eq!(result["accepted"], 20, "{key}: {result}");
        assert_eq!(result["rejected"], 0, "{key}: {result}");
        let operator_reads = w.http.with_key(w.reader_key());
        tests::patience::until("what was dropped is in the collection", async || {
            let last = operator_reads.get(&c.object(objects[19].id())).await;
            (last.status == 200).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn iocs_are_taken_as_ndjson_and_csv() {
    let w = World::http().await;
    let ndjson =
        "{\"type\":\"ipv4\",\"value\":\"192.0.2.1\"}\n{\"type\":\"md5\",\"value\":\"x\"}\n";
    let csv = "type,value\ndomain,a.example.com\nipv4,192.0.2.1\n";
    let result = dropped(&w, "inbox/list.ndjson", ndjson.into()).await;
    assert_eq!(result["accepted"], 1, "{result}");
    assert_eq!(result["rejected"], 1, "{result}");
    assert!(result.to_string().contains("md5"), "the reason is beside it: {result}");
    let result = dropped(&w, "inbox/list.csv.gz", gzip(csv)).await;
    assert_eq!((&result["accepted"], &result["unchanged"]), (&1.into(), &1.into()), "{result}");
    let result = dropped(&w, "inbox/again.ndjson.zst", zstd(ndjson)).await;
    assert_eq!((&result["unchanged"], &result["rejected"]), (&1.into(), &1.into()), "{result}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_says_accepted_unchanged_and_rejected_with_reasons() {
    let w = World::http().await;
    let good = indicators(2);
    let bad = indicator().without("valid_from");
    let objects: Vec<Object> = vec![good[0].clone(), bad, good[1].clone(), good[0].clone()];
    let result = dropped(&w, "inbox/mixed.json", bundle(&objects).into_bytes()).await;
    assert_eq!(result["accepted"], 2, "{result}");
    assert_eq!(result["unchanged"], 1, "{result}");
    assert_eq!(result["rejected"], 1, "{result}");
    assert!(result.to_string().contains("valid_from"), "{result}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_read_gets_a_result_that_says_so() {
    let w = World::http().await;
    for (key, content) in [
        ("inbox/broken.json", b"{\"objects\": [".to_vec()),
        ("inbox/noise.json.gz", b"this is not gzip".to_vec()),
        ("inbox/empty.json", Vec::new()),
        ("inbox/list.xlsx", b"PK".to_vec()),
    ] {
        let result = dropped(&w, key, content).await;
        assert!(result.is_object(), "{key}: {result}");
        assert_eq!(result["accepted"].as_u64().unwrap_or(0), 0, "{key}: {result}");
        let reason = result.to_string().contains("error") || result["rejected"] != 0;
        assert!(reason, "{key}: {result}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drop_is_larger_than_any_request() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let long = "d".repeat(3_000);
    let objects: Vec<Object> =
        indicators(3_000).into_iter().map(|o| o.set("description", long.as_str())).collect();
    let text = bundle(&objects);
    assert!(text.len() > 8 * 1024 * 1024);
    let result = dropped(&w, "inbox/large.json.zst", zstd(&text)).await;
    assert_eq!((&result["accepted"], &result["rejected"]), (&3_000.into(), &0.into()));
    let path = c.object(objects[2_999].id());
    tests::patience::until("the last object is in the collection", async || {
        (w.reader().get(&path).await.status == 200).then_some(())
    })
    .await;
}
