//! Unmodified Python clients against the service: taxii2-client walks, filters, posts, deletes;
//! stix2-validator judges what is served.

use tests::collection::CollectionSpec;
use tests::fixtures::{
    Object, SECOND, bundle, identity, indicator, indicators, malware, relationship,
};
use tests::python;
use tests::service::file;
use tests::world::World;

/// `count` objects of several kinds, as varied as JSON allows.
fn varied(count: usize) -> Vec<Object> {
    let family = malware("Example Family");
    let mut objects = vec![family.clone(), identity("Example Org")];
    while objects.len() < count {
        let object = indicator()
            .set("confidence", objects.len() % 101)
            .set("description", format!("Größe {} \u{1F980} \"quoted\" \\", objects.len()));
        if objects.len() % 10 == 0 {
            objects.push(relationship(&object, &family));
        }
        objects.push(object);
    }
    objects.truncate(count);
    objects
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn taxii2_client_walks_ten_thousand_objects_and_each_equals_what_was_loaded() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let objects = varied(10_000);
    w.load(&c, &objects).await;
    let folder = tempfile::tempdir().unwrap();
    let loaded = file(folder.path(), "loaded.json", bundle(&objects));
    let arguments = [w.http.base_url(), w.reader_key(), &c.id, loaded.to_str().unwrap()];
    let said = python::run("walk.py", &arguments).await;
    assert!(said.contains("10000 objects"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn taxii2_client_filters_and_reads_manifest_and_versions() {
    let w = World::http().await;
    let mut objects = indicators(60);
    objects.extend([malware("One"), malware("Two")]);
    let c = w.holding(&objects).await;
    let newer = objects[0].clone().at(SECOND);
    w.load(&c, std::slice::from_ref(&newer)).await;
    let folder = tempfile::tempdir().unwrap();
    let mut last = objects.clone();
    last[0] = newer;
    let loaded = file(folder.path(), "loaded.json", bundle(&last));
    let first = file(folder.path(), "first.json", bundle(&objects[..1]));
    let arguments = [
        w.http.base_url(),
        w.reader_key(),
        &c.id,
        loaded.to_str().unwrap(),
        first.to_str().unwrap(),
    ];
    let _ = python::run("read.py", &arguments).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn taxii2_client_posts_reads_the_status_and_deletes() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let folder = tempfile::tempdir().unwrap();
    let posted = file(folder.path(), "posted.json", bundle(&indicators(25)));
    let bad = file(folder.path(), "bad.json", bundle(&[indicator().without("pattern")]));
    let arguments =
        [w.http.base_url(), w.writer_key(), &c.id, posted.to_str().unwrap(), bad.to_str().unwrap()];
    let _ = python::run("write.py", &arguments).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stix2_validator_accepts_what_came_in_valid_and_what_iocs_became() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    w.load(&c, &varied(60)).await;
    let iocs = concat!(
        "{\"type\":\"ipv4\",\"value\":\"192.0.2.8\",\"tags\":[\"scanner\"],\"confidence\":\"low\"}\n",
        "{\"type\":\"domain\",\"value\":\"a.example.net\",\"mitre\":[\"T1059.001\"],\"tlp\":\"green\"}\n",
        "{\"type\":\"url\",\"value\":\"http://example.org/it's\",\"source\":\"Example Lab\"}\n",
        "{\"type\":\"cve\",\"value\":\"CVE-2026-0001\",\"description\":\"text\"}\n",
        "{\"type\":\"mitre_attack\",\"value\":\"T1566\",\"revoked\":true}\n",
        "{\"type\":\"sha256\",\"value\":\"",
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "\",\"first_seen\":\"2026-01-05T00:00:00Z\",\"valid_until\":\"2027-01-05T00:00:00Z\"}\n",
    );
    let request = w.ingest().post("/api/v1/iocs").body("application/x-ndjson", iocs);
    let answer = request.await.expect(200).json();
    assert_eq!(answer["created"], 6, "{answer}");
    w.quiet(&c, &indicator()).await;
    let said = python::run("validate.py", &[w.http.base_url(), w.reader_key(), &c.id]).await;
    assert!(said.contains("67 valid"), "{said}");
}
