//! `/api/v1/manage/subscriptions`: of whatever tenant, made and ended by an operator.

use serde_json::{Value, json};
use tests::client::{Answer, Client};
use tests::collection::{Collection, CollectionSpec};
use tests::fixtures::{Object, fresh_id, indicator, malware};
use tests::keys::KeySpec;
use tests::patience::until;
use tests::world::World;

const SUBSCRIPTIONS: &str = "/api/v1/manage/subscriptions";

async fn create(client: &Client, tenant: &str, kind: &str, id: &str) -> Answer {
    let body = json!({"tenant": tenant, "source_type": kind, "source_id": id});
    client.post(SUBSCRIPTIONS).body("application/json", body.to_string()).await
}

async fn alias(w: &World, alias: &str) -> Collection {
    let spec = CollectionSpec { alias: Some(alias.to_owned()), ..CollectionSpec::everything() };
    w.collection(spec).await
}

fn error(answer: &Answer) -> (String, String) {
    let error = &answer.json()["error"];
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (text("code"), text("message"))
}

async fn tenant(w: &World, id: &str) {
    let admin = w.http.with_key(w.admin_key());
    let body = json!({"id": id}).to_string();
    let made = admin.post("/api/v1/manage/tenants").body("application/json", body).await;
    let _ = made.expect(201);
}

/// The ids of a list, page by page.
async fn listed(admin: &Client, tenant: Option<&str>, limit: &str) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut request = admin.get(SUBSCRIPTIONS).query("limit", limit);
        if let Some(tenant) = tenant {
            request = request.query("tenant", tenant);
        }
        if let Some(cursor) = &cursor {
            request = request.query("cursor", cursor);
        }
        let page = request.await.expect(200).json();
        let ids = page["subscriptions"].as_array().unwrap().iter();
        all.extend(ids.map(|one| one["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return all,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_is_subscribed_told_and_told_no_longer() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let c = alias(&w, "hunting").await;
    w.rebuilt(&c).await;
    let acme = w.stream_client("acme").await;
    let made = create(&admin, "acme", "collection", "hunting").await.expect(201);
    let shown = made.json();
    let id = format!("acme:collection:{}", c.id);
    assert_eq!((&shown["id"], &shown["alias"]), (&json!(id), &json!("hunting")), "{shown}");
    assert_eq!((&shown["source_id"], &shown["retention_days"]), (&json!(c.id), &json!(30)));
    // It is the tenant's own, as if it had made it.
    let own = acme.get("/api/v1/subscriptions").await.expect(200).json();
    assert_eq!(own["subscriptions"][0]["source_id"], json!(c.id), "{own}");
    let object = indicator();
    w.load(&c, std::slice::from_ref(&object)).await;
    until("the tenant is told", async || {
        let page = acme.get("/api/v3/ioc_stream").await.expect(200).json();
        (page["data"].as_array().unwrap().len() == 1).then_some(())
    })
    .await;
    let again = create(&admin, "acme", "collection", &c.id).await.expect(409);
    assert_eq!(error(&again).0, "already_exists");
    let read = admin.get(&format!("{SUBSCRIPTIONS}/acme:collection:hunting")).await.expect(200);
    assert_eq!((read.json(), read.header("etag")), (shown, made.header("etag")));
    let tag = made.header("etag").unwrap();
    let place = format!("{SUBSCRIPTIONS}/{id}");
    let patch = admin.request("PATCH", &place).header("if-match", "*");
    let patch = patch.body("application/json", "{}").await.expect(405);
    assert_eq!(patch.header("allow"), Some("GET, HEAD, DELETE"));
    let _ = admin.delete(&place).header("if-match", "\"1\"").await.expect(412);
    let _ = admin.delete(&place).header("if-match", tag).await.expect(204);
    let _ = admin.get(&place).await.expect(404);
    let own = acme.get("/api/v1/subscriptions").await.expect(200).json();
    assert_eq!(own["subscriptions"], json!([]));
    // The tenant makes it anew: another one.
    let _ = acme.request("PUT", &format!("/api/v1/subscriptions/collection/{}", c.id)).await;
    let _ = admin.delete(&place).header("if-match", tag).await.expect(412);
    let _ = admin.delete(&place).await.expect(204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_is_refused() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    tenant(&w, "globex").await;
    let spec = CollectionSpec {
        alias: Some("closed".into()),
        readers: Some(vec!["acme".into()]),
        ..CollectionSpec::everything()
    };
    let _ = w.collection(spec).await;
    let actor = fresh_id("threat-actor");
    for (tenant, kind, id, part) in [
        ("nobody-known", "collection", "closed", "there is no tenant nobody-known"),
        ("globex", "collection", "closed", "make it a reader first"),
        ("globex", "collection", "nothing", "UUID"),
        ("globex", "collection", "6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69", "there is no collection"),
        ("globex", "threat_actor", actor.as_str(), "there is no threat_actor"),
        ("globex", "hunting_ruleset", "x", "collection or threat_actor"),
        ("No Good", "collection", "closed", "tenant"),
    ] {
        let (code, message) = error(&create(&admin, tenant, kind, id).await.expect(400));
        assert!(code == "invalid_settings" && message.contains(part), "{part}: {message}");
    }
    let more = r#"{"tenant":"acme","source_type":"collection","source_id":"closed","days":3}"#;
    let more = admin.post(SUBSCRIPTIONS).body("application/json", more).await.expect(400);
    assert!(error(&more).1.contains("days"));
    for name in ["acme", "acme:collection", "acme:collection:nothing", "acme:thing:x", "::"] {
        let _ = admin.get(&format!("{SUBSCRIPTIONS}/{name}")).await.expect(404);
    }
    let _ = admin.get(SUBSCRIPTIONS).query("tenant", "No Good").await.expect(400);
}

/// To an actor that is the operator's, or the tenant's own, but to nobody else's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_can_be_subscribed_to() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    tenant(&w, "globex").await;
    let actor = Object::of(malware("Example Group").json())
        .without("is_family")
        .set("type", "threat-actor")
        .set("id", fresh_id("threat-actor"));
    let writer = w.http.with_key(&w.key(KeySpec::of("acme")).await.text);
    let body = tests::fixtures::bundle(std::slice::from_ref(&actor));
    let _ = writer.post("/api/v1/objects").body("application/json", body).await.expect(200);
    let made = create(&admin, "acme", "threat_actor", actor.id()).await.expect(201).json();
    assert_eq!(made["id"], format!("acme:threat_actor:{}", actor.id()));
    assert!(made.get("alias").is_none(), "{made}");
    let (_, message) =
        error(&create(&admin, "globex", "threat_actor", actor.id()).await.expect(400));
    assert!(message.contains("there is no threat_actor"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_comes_in_pages_over_all_tenants() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let mut collections = Vec::new();
    for number in 0..3 {
        collections.push(alias(&w, &format!("c-{number}")).await);
    }
    let mut expected: Vec<Value> = Vec::new();
    // Most tenants subscribe to nothing.
    for number in 0..60 {
        tenant(&w, &format!("tenant-{number:02}")).await;
    }
    for name in ["tenant-07", "tenant-31", "tenant-59", "operator"] {
        for c in &collections {
            let made = create(&admin, name, "collection", &c.id).await.expect(201).json();
            expected.push(made["id"].clone());
        }
    }
    let mut expected: Vec<String> =
        expected.iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    expected.sort_by_key(|id| (!id.starts_with("operator:"), id.clone()));
    for limit in ["1", "2", "3", "5", "100"] {
        assert_eq!(listed(&admin, None, limit).await, expected, "limit {limit}");
    }
    let of_one = listed(&admin, Some("tenant-31"), "2").await;
    assert_eq!(of_one.len(), 3);
    assert!(of_one.iter().all(|id| id.starts_with("tenant-31:")), "{of_one:?}");
    assert!(listed(&admin, Some("tenant-00"), "2").await.is_empty());
}
