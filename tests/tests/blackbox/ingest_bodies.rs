//! ingest.md, What is promised: bodies, their encodings and their bounds.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tests::client::Answer;
use tests::fixtures::{bundle, indicator, indicators};
use tests::world::World;

const JSON: &str = "application/json";
const LIMIT: usize = 4 * 1024 * 1024;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 3).unwrap()
}

async fn encoded(w: &World, path: &str, encoding: &str, body: Vec<u8>) -> Answer {
    w.ingest().post(path).header("content-encoding", encoding).body(JSON, body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gzip_and_zstd_bodies_are_accepted() {
    let w = World::http().await;
    let body = |objects: &[_]| bundle(objects).into_bytes();
    let path = "/api/v1/objects";
    let cases = [
        ("gzip", gzip(&body(&indicators(3)))),
        ("zstd", zstd(&body(&indicators(3)))),
        ("identity", body(&indicators(3))),
        ("GZIP", gzip(&body(&indicators(3)))),
    ];
    for (encoding, body) in cases {
        let answer = encoded(&w, path, encoding, body).await.expect(200).json();
        assert_eq!(answer["created"], 3, "{encoding}: {answer}");
    }
    let iocs = json!([{"type": "ipv4", "value": "192.0.2.5"}]).to_string();
    let answer = encoded(&w, "/api/v1/iocs", "gzip", gzip(iocs.as_bytes())).await.expect(200);
    assert_eq!(answer.json()["created"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encoding_that_is_unknown_or_broken_is_refused() {
    let w = World::http().await;
    let body = bundle(&[indicator()]).into_bytes();
    let unknown = encoded(&w, "/api/v1/objects", "br", body.clone()).await;
    assert_eq!(unknown.status, 415, "{}", unknown.text());
    for (encoding, broken) in [("gzip", body.clone()), ("zstd", body.clone())] {
        let answer = encoded(&w, "/api/v1/objects", encoding, broken).await;
        assert_eq!(answer.status, 400, "{encoding}: {}", answer.text());
    }
    let mut cut = gzip(&bundle(&indicators(50)).into_bytes());
    cut.truncate(cut.len() / 2);
    let _ = encoded(&w, "/api/v1/objects", "gzip", cut).await.expect(400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_above_four_mebibytes_is_413() {
    let w = World::http().await;
    let body = bundle(&[indicator()]);
    let fits = format!("{body}{}", " ".repeat(LIMIT - body.len()));
    for path in ["/api/v1/objects", "/api/v1/iocs"] {
        let over = w.ingest().post(path).body(JSON, format!("{fits} ")).await.expect(413);
        assert_eq!(over.json()["error"]["code"], "body_too_large");
        let said = over.json()["error"].to_string();
        assert!(said.contains("4 MiB") || said.contains("4194304"), "{said}");
    }
    let answer = w.ingest().post("/api/v1/objects").body(JSON, fits).await.expect(200);
    assert_eq!(answer.json()["created"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_compressed_body_expands_to_is_bounded() {
    let w = World::http().await;
    let bomb = vec![b' '; 512 * 1024 * 1024];
    for (encoding, body) in [("gzip", gzip(&bomb)), ("zstd", zstd(&bomb))] {
        assert!(body.len() < LIMIT);
        let answer = encoded(&w, "/api/v1/objects", encoding, body).await.expect(413);
        assert_eq!(answer.json()["error"]["code"], "body_too_large", "{encoding}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_ten_thousand_objects_are_413() {
    let w = World::http().await;
    let lines = |count: usize| {
        let line = |n: usize| format!("{{\"type\":\"domain\",\"value\":\"h{n}.example.com\"}}\n");
        (0..count).map(line).collect::<String>()
    };
    let items = vec!["5"; 10_001].join(",");
    let objects = format!("[{items}]");
    let answer = w.ingest().post("/api/v1/objects").body(JSON, objects).await.expect(413);
    assert_eq!(answer.json()["error"]["code"], "too_many_objects");
    let request = w.ingest().post("/api/v1/iocs").body("application/x-ndjson", lines(10_001));
    let answer = request.await.expect(413);
    assert_eq!(answer.json()["error"]["code"], "too_many_objects");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_json_or_no_list_of_objects_is_refused_whole() {
    let w = World::http().await;
    let bodies = ["", "{", "5", "null", r#"{"hello":1}"#, r#"{"objects":5}"#, "[1,"];
    for body in bodies {
        let answer = w.ingest().post("/api/v1/objects").body(JSON, body.to_owned()).await;
        let shown = &body[..body.len().min(20)];
        assert!([400, 422].contains(&answer.status), "{shown:?}: {}", answer.status);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_nested_too_deep_is_refused_and_its_neighbours_are_not() {
    let w = World::http().await;
    let nested = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    let bad = indicator().set("x_deep", "MARKER").to_string().replace("\"MARKER\"", &nested);
    let body = format!(r#"{{"objects":[{bad},{}]}}"#, indicator().json());
    let answer = w.ingest().post("/api/v1/objects").body(JSON, body).await;
    assert!([200, 400].contains(&answer.status), "{}: {}", answer.status, answer.text());
    if answer.status == 200 {
        assert_eq!(answer.json()["results"][1]["outcome"], "created");
    }
    let alive = w.ingest().post("/api/v1/objects").body(JSON, bundle(&[indicator()])).await;
    assert_eq!(alive.expect(200).json()["created"], 1, "the service still answers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_media_types_are_415() {
    let w = World::http().await;
    for content_type in ["text/plain", "application/xml", "multipart/form-data; boundary=x"] {
        for path in ["/api/v1/objects", "/api/v1/iocs"] {
            let answer = w.ingest().post(path).body(content_type, "[]").await;
            assert_eq!(answer.status, 415, "{path} {content_type}");
        }
    }
    let csv = w.ingest().post("/api/v1/objects").body("text/csv", "type,value\n").await;
    assert_eq!(csv.status, 415);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn brackets_without_end_are_one_bad_object_and_no_more() {
    let w = World::http().await;
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let answer = w.ingest().post("/api/v1/objects").body(JSON, deep).await.expect(200).json();
    assert_eq!((&answer["rejected"], &answer["created"]), (&1.into(), &0.into()), "{answer}");
}
