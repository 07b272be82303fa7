//! A file too large for one answer: by a link where functions are deployed, and by the local
//! server itself.

use std::sync::Arc;

use serde_json::json;
use shared::feed::Feed;
use tests::client::{Answer, Client};
use tests::collection::CollectionSpec;
use tests::feeds::{feed, path, publish, reader, wide_columns, wide_text};
use tests::fixtures::indicator;
use tests::function::Function;
use tests::keys::KeySpec;
use tests::world::World;

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.header(name).unwrap_or_else(|| panic!("{} has no {name}", answer.what))
}

/// A feed whose CSV has six million bytes.
async fn large(w: &World) -> Feed {
    let c = w.collection(CollectionSpec::everything()).await;
    let objects: Vec<_> = (0..30).map(|_| indicator().set("description", wide_text())).collect();
    w.append_packed(&c, &objects, 1).await;
    let f = feed(
        w,
        &c,
        json!({
            "alias": "large", "formats": ["csv", "csv.gz", "txt"], "columns": wide_columns(50),
        }),
    )
    .await;
    publish(w, &f).await;
    f
}

/// The function as it is deployed, past the local server.
async fn deployed(w: &World) -> Client {
    let function = Function::start("csv-feed", &w.function_environment()).await;
    let base = format!("https://{}", tests::gateway_event::HOST);
    let key = KeySpec::of("acme").with([shared::access::Scope::ReadCsv]);
    Client::function(Arc::new(function), &base).with_key(&w.key(key).await.text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_file_is_handed_over_by_a_link() {
    let w = World::http().await;
    let f = large(&w).await;
    let client = deployed(&w).await;
    let answer = client.get(&path(&f, "csv")).await.expect(302);
    // For less than the link's five minutes.
    assert_eq!(answer.header("cache-control"), Some("private, max-age=60"));
    let known = client.get(&path(&f, "csv")).header("if-none-match", header(&answer, "etag"));
    let known = known.await.expect(304);
    assert_eq!(header(&known, "last-modified"), header(&answer, "last-modified"));
    let link = header(&answer, "location");
    let (host, rest) = link.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let bucket = Client::http(&format!("http://{host}"));
    let file = bucket.get(&format!("/{rest}")).await.expect(200);
    let rows = tests::feeds::rows(&file.text()).len();
    assert_eq!((rows, answer.header("x-feed-rows")), (30, Some("30")));
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    // The link is for this file only, and cannot be altered.
    let other = rest.replace("/csv?", "/txt?");
    assert_ne!(other, rest);
    let _ = bucket.get(&format!("/{other}")).await.expect(403);
    // A part that is small enough comes at once; of a larger one the bucket is asked.
    let part = client.get(&path(&f, "csv")).header("range", "bytes=5000000-5000009");
    assert_eq!(part.await.expect(206).body, file.body.slice(5_000_000..5_000_010));
    let large = "bytes=100-5000099";
    let part = client.get(&path(&f, "csv")).header("range", large).await.expect(302);
    assert_eq!(part.header("content-range"), None);
    let link = header(&part, "location").split_once(host).unwrap().1.to_owned();
    let part = bucket.get(&link).header("range", large).await.expect(206);
    assert_eq!(part.body, file.body.slice(100..5_000_100));
    let packed = client.get(&path(&f, "csv")).header("accept-encoding", "gzip").await;
    assert_eq!(packed.expect(200).header("content-encoding"), Some("gzip"));
    let head = client.request("HEAD", &path(&f, "csv")).await.expect(200);
    assert_eq!(header(&head, "content-length"), file.body.len().to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_local_server_sends_a_large_file_itself() {
    let w = World::http().await;
    let f = large(&w).await;
    let client = reader(&w, "acme").await;
    let file = client.get(&path(&f, "csv")).await.expect(200);
    assert_eq!((file.header("location"), file.header("accept-ranges")), (None, Some("bytes")));
    assert_eq!(tests::feeds::rows(&file.text()).len(), 30);
    assert_eq!(header(&file, "content-length"), file.body.len().to_string());
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    assert_eq!(file.header("x-feed-rows"), Some("30"));
    let (etag, modified) = (header(&file, "etag"), header(&file, "last-modified"));
    let deployed = deployed(&w).await.get(&path(&f, "csv")).await.expect(302);
    assert_eq!(
        (deployed.header("etag"), deployed.header("last-modified")),
        (Some(etag), Some(modified))
    );
    let known = client.get(&path(&f, "csv")).header("if-none-match", etag);
    let _ = known.await.expect(304);
    // A part above what one answer holds, of the very same file or of none.
    let ask = || client.get(&path(&f, "csv")).header("range", "bytes=100-5000099");
    let wanted = file.body.slice(100..5_000_100);
    for part in [ask(), ask().header("if-range", etag), ask().header("if-range", modified)] {
        let part = part.await.expect(206);
        assert_eq!(part.body, wanted);
        assert_eq!(header(&part, "etag"), etag);
        let range = format!("bytes 100-5000099/{}", file.body.len());
        assert_eq!(header(&part, "content-range"), range);
    }
    for other in ["\"other\"", "Sun, 06 Nov 1994 08:49:37 GMT"] {
        let whole = ask().header("if-range", other).await.expect(200);
        assert_eq!(whole.body, file.body, "{other}");
    }
    let rest = client.get(&path(&f, "csv")).header("range", "bytes=1000-").await.expect(206);
    assert_eq!(rest.body, file.body.slice(1000..));
    // Whoever follows no links, as curl without -L, gets all of it.
    let head = client.request("HEAD", &path(&f, "csv")).await.expect(200);
    assert_eq!(header(&head, "content-length"), file.body.len().to_string());
}
