//! `iocast publish`, and the feed a newcomer finds.

use tests::fixtures::{envelope, indicators};
use tests::patience::until;
use tests::service::{Service, iocast};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demonstration_has_a_feed_and_publish_brings_it_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let service = Service::start(&["--data", data]).await;
    let reader = service.client(&service.ready.reader_key);
    let first = reader.get("/feeds/demo.csv").await.expect(200);
    assert!(first.text().contains("\"ipv4\",\"192.0.2.10\""), "{}", first.text());
    let writer = service.client(&service.ready.writer_key);
    let body = envelope(&indicators(2));
    let sent = writer.post("/api/v1/objects").body("application/json", body);
    assert_eq!(sent.await.expect(200).json()["created"], 2);
    let told = until("the new objects are published", async || {
        let ended = iocast(&["publish", "demo", "--data", data]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stdout.contains("16 rows of 16 objects").then_some(ended.stdout)
    })
    .await;
    assert!(told.contains("carried on") && told.contains("read units"), "{told}");
    let second = reader.get("/feeds/demo.csv").await.expect(200);
    assert_eq!(second.header("x-feed-rows"), Some("16"));
    let again = iocast(&["publish", "--data", data]).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.stdout.starts_with("demo: nothing new"), "{again:?}");
    let unknown = iocast(&["publish", "other", "--data", data]).await;
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    assert!(unknown.stderr.contains("no feed \"other\""), "{unknown:?}");
    service.kill().await;
    let nobody = folder.path().join("nobody");
    let alone = iocast(&["publish", "--data", nobody.to_str().unwrap()]).await;
    assert_eq!(alone.code, Some(1), "{alone:?}");
    assert!(alone.stderr.contains("no service is running"), "{alone:?}");
}
