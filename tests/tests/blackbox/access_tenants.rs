//! access.md, Tenants: who owns an object, and into which collections it goes.

use tests::collection::{Collection, CollectionSpec};
use tests::fixtures::{FIRST, Object, SECOND, bundle, indicator};
use tests::keys::KeySpec;
use tests::taxii_reading::{all_objects, ids};
use tests::world::World;

async fn send(w: &World, tenant: &str, objects: &[Object]) -> serde_json::Value {
    let key = w.key(KeySpec::of(tenant)).await.text;
    let request = w.http.with_key(&key).post("/api/v1/objects");
    request.body("application/json", bundle(objects)).await.expect(200).json()
}

async fn held(w: &World, collection: &Collection) -> Vec<String> {
    ids(&all_objects(&w.http.with_key(w.reader_key()), collection).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_version_from_another_owner_is_rejected() {
    let w = World::http().await;
    let object = indicator();
    let c = w.holding(std::slice::from_ref(&object)).await;
    let answer = send(&w, "globex", &[object.clone().at(SECOND)]).await;
    assert_eq!(answer["rejected"], 1, "{answer}");
    assert_eq!(answer["results"][0]["outcome"], "rejected", "{answer}");
    assert_eq!(answer["results"][0]["code"], "not_owner", "{answer}");
    w.quiet(&c, &indicator()).await;
    let body = w.reader().get(&c.versions(object.id())).await.expect(200).json();
    assert_eq!(body["versions"], serde_json::json!([FIRST]));
    let owner = send(&w, "acme", &[object.at(SECOND)]).await;
    assert_eq!(owner["updated"], 1, "{owner}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_owner_deletes() {
    let w = World::http().await;
    let object = indicator();
    let c = w.holding(std::slice::from_ref(&object)).await;
    let path = format!("/api/v1/objects/{}", object.id());
    let stranger = w.http.with_key(&w.key(KeySpec::of("globex")).await.text);
    let answer = stranger.delete(&path).await.expect(403);
    assert_eq!(answer.json()["error"]["code"], "not_owner");
    let answer = w.http.with_key(w.reader_key()).delete(&path).await.expect(403);
    assert_eq!(answer.json()["error"]["code"], "missing_scope");
    let _ = w.reader().get(&c.object(object.id())).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenants_objects_enter_only_collections_it_may_write_to() {
    let w = World::http().await;
    let acmes = w.collection(CollectionSpec::everything()).await;
    let writers = vec!["globex".to_owned(), "acme".to_owned()];
    let both = w.collection(CollectionSpec { writers, ..CollectionSpec::everything() }).await;
    let any = w.collection(CollectionSpec::filtered("owner", "any")).await;
    let theirs = indicator();
    assert_eq!(send(&w, "globex", std::slice::from_ref(&theirs)).await["created"], 1);
    let witness = indicator();
    w.quiet(&acmes, &witness).await;
    w.settled(&both, &[theirs.clone(), witness.clone()]).await;
    w.settled(&any, &[theirs.clone(), witness.clone()]).await;
    assert_eq!(held(&w, &acmes).await, [witness.id()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenants_plain_ioc_is_an_indicator_of_its_own() {
    let w = World::http().await;
    let mut found = Vec::new();
    for tenant in ["acme", "globex", "acme"] {
        let client = w.http.with_key(&w.key(KeySpec::of(tenant)).await.text);
        let line = r#"{"type":"ipv4","value":"192.0.2.77"}"#;
        let request = client.post("/api/v1/iocs").body("application/x-ndjson", line);
        let answer = request.await.expect(200).json();
        assert_eq!(answer["rejected"], 0, "{answer}");
        found.push(answer["results"][0]["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(found[0], found[2]);
    assert_ne!(found[0], found[1], "the owner is part of the name");
}
