//! A kept data folder: nothing is lost when the process is killed, and nothing is twice.

use std::ffi::OsString;

use tempfile::tempdir;
use tests::client::Client;
use tests::fixtures::{Object, SECOND, envelope, indicator, indicators};
use tests::service::Service;
use tests::taxii_reading::{Page, ids, items, pages_by_next};

async fn send(client: &Client, objects: &[Object]) {
    let request = client.post("/api/v1/objects").body("application/json", envelope(objects));
    let answer = request.await.expect(200).json();
    assert_eq!(answer["rejected"], 0, "{answer}");
}

fn objects(service: &Service) -> String {
    let demo = service.ready.demo_collection.as_deref().unwrap();
    format!("/taxii2/intel/collections/{demo}/objects/")
}

async fn all(service: &Service) -> Vec<serde_json::Value> {
    let client = service.client(&service.ready.reader_key);
    items(&pages_by_next(&client, &objects(service), &[("limit", "1000")]).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_keeps_keys_objects_positions_and_tokens() {
    let folder = tempdir().unwrap();
    let arguments: [OsString; 2] = ["--data".into(), folder.path().into()];
    let service = Service::start(&arguments).await;
    let ready = service.ready.clone();
    let sent = indicators(300);
    send(&service.client(&ready.writer_key), &sent).await;
    tests::patience::until("all that was sent is in the collection", async || {
        let held = ids(&all(&service).await);
        sent.iter().all(|object| held.iter().any(|id| id == object.id())).then_some(())
    })
    .await;
    let before = all(&service).await;
    let reader = service.client(&ready.reader_key);
    let page = Page::of(&reader.get(&objects(&service)).query("limit", "50").await);
    let (next, last) = (page.next.unwrap(), page.last.unwrap());
    service.kill().await;

    let service = Service::start(&arguments).await;
    assert_eq!(service.ready.demo_collection, ready.demo_collection);
    let reader = service.client(&ready.reader_key);
    let read = items(&pages_by_next(&reader, &objects(&service), &[("limit", "1000")]).await);
    assert_eq!(read, before, "the old key reads the same objects in the same order");
    let by_token = reader.get(&objects(&service)).query("next", &next).query("limit", "1000");
    assert_eq!(Page::of(&by_token.await).ids(), ids(&before[50..]), "a token outlives a deploy");
    let by_time = reader.get(&objects(&service)).query("added_after", &last);
    let by_time = Page::of(&by_time.query("limit", "1000").await);
    assert_eq!(by_time.ids(), ids(&before[50..]));

    let newer = sent[7].clone().at(SECOND);
    send(&service.client(&ready.writer_key), std::slice::from_ref(&newer)).await;
    tests::patience::until("the new version moves to the end", async || {
        let now = all(&service).await;
        (now.last() == Some(&newer.json()) && now.len() == before.len()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_before_a_kill_reaches_the_collection_once() {
    let folder = tempdir().unwrap();
    let arguments: [OsString; 2] = ["--data".into(), folder.path().into()];
    let mut sent: Vec<Object> = Vec::new();
    for _ in 0..4 {
        let service = Service::start(&arguments).await;
        let batch = indicators(400);
        send(&service.client(&service.ready.writer_key), &batch).await;
        sent.extend(batch);
        service.kill().await;
    }
    let service = Service::start(&arguments).await;
    let last = indicator();
    send(&service.client(&service.ready.writer_key), std::slice::from_ref(&last)).await;
    sent.push(last);
    let read = tests::patience::until("all that was answered is there", async || {
        let read = ids(&all(&service).await);
        let held: std::collections::HashSet<&String> = read.iter().collect();
        sent.iter().all(|o| held.contains(&o.id().to_owned())).then_some(read)
    })
    .await;
    let mut unique = read.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), read.len(), "nothing is twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_memory_forgets() {
    let service = Service::start(&["--in-memory"]).await;
    let object = indicator();
    let key = service.ready.writer_key.clone();
    send(&service.client(&key), std::slice::from_ref(&object)).await;
    service.kill().await;
    let service = Service::start(&["--in-memory"]).await;
    let _ = service.client(&key).get("/taxii2/").await.expect(401);
    assert!(!ids(&all(&service).await).contains(&object.id().to_owned()));
}
