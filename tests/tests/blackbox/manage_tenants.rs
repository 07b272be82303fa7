//! `/api/v1/manage/tenants` and `plans`: what they mean for keys and objects.

use serde_json::json;
use tests::client::{Answer, Client};
use tests::collection::CollectionSpec;
use tests::fixtures::{bundle, indicator};
use tests::keys::KeySpec;
use tests::patience::until;
use tests::taxii_reading::{all_objects, ids};
use tests::world::World;

const TAXII: &str = "/taxii2/intel/collections/";

async fn post(client: &Client, path: &str, body: &serde_json::Value) -> Answer {
    client.post(path).body("application/json", body.to_string()).await
}

fn code(answer: &Answer) -> String {
    answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_a_tenant_revokes_its_keys_and_keeps_its_objects() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let writers = vec!["globex".to_owned(), "acme".to_owned()];
    let c = w.collection(CollectionSpec { writers, ..CollectionSpec::everything() }).await;
    let mut keys = Vec::new();
    for _ in 0..3 {
        keys.push(w.key(KeySpec::of("globex")).await);
    }
    let theirs = indicator();
    let globex = w.http.with_key(&keys[0].text);
    let body = bundle(std::slice::from_ref(&theirs));
    let _ = globex.post("/api/v1/objects").body("application/json", body).await.expect(200);
    w.settled(&c, std::slice::from_ref(&theirs)).await;
    let _ = admin.delete("/api/v1/manage/tenants/globex").await.expect(204);
    for key in &keys {
        let client = w.http.with_key(&key.text);
        until("the tenant's keys are refused", async || {
            client.get(TAXII).await.text().contains("revoked_api_key").then_some(())
        })
        .await;
    }
    assert_eq!(ids(&all_objects(&w.reader(), &c).await), [theirs.id()]);
    let closed = admin.get("/api/v1/manage/tenants/globex").await.expect(200).json();
    assert!(closed["closed"]["at"].is_string(), "{closed}");
    let key = json!({"tenant": "globex", "name": "k", "plan": "pro", "scopes": ["read:csv"]});
    let answer = post(&admin, "/api/v1/manage/keys", &key).await.expect(409);
    assert_eq!(code(&answer), "tenant_deleted");
    let again = post(&admin, "/api/v1/manage/tenants", &json!({"id": "globex"})).await.expect(409);
    assert_eq!(code(&again), "tenant_deleted");
    let _ = admin.delete("/api/v1/manage/tenants/globex").await.expect(204);
    let audit = admin.get("/api/v1/manage/audit").query("resource", "tenant/globex").await.json();
    assert_eq!(audit["audit"].as_array().unwrap().len(), 2, "created and deleted once: {audit}");
    for key in &keys {
        let subject = format!("key/{}", key.id);
        let audit = admin.get("/api/v1/manage/audit").query("resource", &subject).await.json();
        let actions: Vec<_> = audit["audit"].as_array().unwrap().iter().collect();
        assert_eq!(actions.len(), 2, "made and revoked once: {audit}");
        assert!(actions[0]["note"].as_str().unwrap().contains("globex"), "{audit}");
    }
}

/// The deletion is written, and the function dies before it revoked a key: the job does it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keys_of_a_tenant_go_also_if_the_request_dies() {
    let w = World::http().await;
    let key = w.key(KeySpec::of("globex")).await;
    w.close_tenant_and_die("globex").await;
    let client = w.http.with_key(&key.text);
    until("the tenant's key is refused", async || {
        client.get(TAXII).await.text().contains("revoked_api_key").then_some(())
    })
    .await;
    until("the job is over", async || w.is_at_rest().await.then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_is_no_tenant_to_be_made_or_deleted() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let made = post(&admin, "/api/v1/manage/tenants", &json!({"id": "operator"})).await.expect(409);
    assert_eq!(code(&made), "already_exists");
    let _ = admin.delete("/api/v1/manage/tenants/operator").await.expect(404);
    for id in [json!("A b"), json!(""), json!(7), json!(null)] {
        let answer = post(&admin, "/api/v1/manage/tenants", &json!({"id": id})).await.expect(400);
        assert_eq!(code(&answer), "invalid_settings");
    }
    let twice = json!({"id": "acme"});
    assert_eq!(
        code(&post(&admin, "/api/v1/manage/tenants", &twice).await.expect(409)),
        "already_exists"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_plan_holds_for_its_keys_and_one_in_use_stays() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let plan = json!({"name": "partner", "scopes": ["read:taxii"], "requests_per_minute": 500});
    let _ = post(&admin, "/api/v1/manage/plans", &plan).await.expect(201);
    assert_eq!(
        code(&post(&admin, "/api/v1/manage/plans", &plan).await.expect(409)),
        "already_exists"
    );
    let key = w.key(KeySpec::of("acme").read_only().on("partner")).await;
    let client = w.http.with_key(&key.text);
    let _ = client.get(TAXII).await.expect(200);
    let place = "/api/v1/manage/plans/partner";
    let answer = admin.delete(place).await.expect(409);
    assert_eq!(code(&answer), "in_use");
    assert!(answer.text().contains(&key.id.to_string()), "{}", answer.text());
    let change = admin.request("PATCH", place).header("if-match", "\"1\"");
    let change = change.body("application/json", r#"{"scopes":["read:csv"]}"#);
    let _ = change.await.expect(200);
    until("the plan's change holds", async || {
        client.get(TAXII).await.text().contains("plan_required").then_some(())
    })
    .await;
    for bad in [
        json!({"scopes": ["admin"]}),
        json!({"requests_per_minute": 0}),
        json!({"requests_per_minute": 9, "requests_per_day": 3}),
        json!({"scopes": null}),
    ] {
        let request = admin.request("PATCH", place).header("if-match", "*");
        let answer = request.body("application/json", bad.to_string()).await.expect(400);
        assert_eq!(code(&answer), "invalid_settings", "{bad}");
    }
    w.revoke(&key).await;
    let _ = admin.delete(place).await.expect(204);
    // A plan of the release is changed by a row, and is as it was without it.
    let free = "/api/v1/manage/plans/free";
    assert_eq!(code(&admin.delete(free).await.expect(409)), "plan_of_release");
    let change = admin.request("PATCH", free).header("if-match", "\"0\"");
    let changed = change.body("application/json", r#"{"requests_per_day":2000}"#).await.expect(200);
    assert_eq!(changed.json()["revision"], 1);
    let _ = admin.delete(free).await.expect(204);
    assert_eq!(admin.get(free).await.json()["requests_per_day"], 1000);
}
