//! `/api/v1/manage/keys`: shown once, limited by plans, revoked, rotated.

use serde_json::{Value, json};
use tests::client::{Answer, Client};
use tests::patience::until;
use tests::world::World;

const KEYS: &str = "/api/v1/manage/keys";
const TAXII: &str = "/taxii2/intel/collections/";

async fn post(client: &Client, path: &str, body: &Value) -> Answer {
    client.post(path).body("application/json", body.to_string()).await
}

async fn make(admin: &Client, body: Value) -> Value {
    let mut whole = json!({"tenant": "acme", "name": "k", "plan": "pro", "scopes": ["read:taxii"]});
    whole.as_object_mut().unwrap().extend(body.as_object().cloned().unwrap());
    post(admin, KEYS, &whole).await.expect(201).json()
}

fn error(answer: &Answer) -> (String, String) {
    let error = &answer.json()["error"];
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (text("code"), text("message"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keys_text_is_shown_once_and_its_digest_never() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let made = make(&admin, json!({"clearance": "green"})).await;
    let text = made["key"].as_str().unwrap();
    let _ = w.http.with_key(text).get(TAXII).await.expect(200);
    let id = made["id"].as_str().unwrap();
    let secret = text.rsplit('_').next().unwrap();
    let subject = format!("key/{id}");
    for answer in [
        admin.get(&format!("{KEYS}/{id}")).await,
        admin.get(KEYS).query("tenant", "acme").await,
        admin.get("/api/v1/manage/audit").query("resource", &subject).await,
    ] {
        let answer = answer.expect(200);
        assert!(answer.text().contains(id), "{}", answer.what);
        for hidden in [secret, "digest"] {
            assert!(!answer.text().contains(hidden), "{}: {}", answer.what, answer.text());
        }
    }
    let read = admin.get(&format!("{KEYS}/{id}")).await.json();
    assert_eq!((&read["clearance"], &read["revoked"]), (&json!("green"), &json!(false)));
    assert!(read["last_used"].is_string(), "{read}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_holds_what_its_plan_has_and_what_the_operator_gives() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let refused = async |body: Value| {
        let mut whole =
            json!({"tenant": "acme", "name": "k", "plan": "pro", "scopes": ["read:csv"]});
        whole.as_object_mut().unwrap().extend(body.as_object().cloned().unwrap());
        let answer = post(&admin, KEYS, &whole).await.expect(400);
        let (code, message) = error(&answer);
        assert_eq!(code, "invalid_settings", "{message}");
        message
    };
    let message = refused(json!({"plan": "free", "scopes": ["read:taxii"]})).await;
    assert!(message.contains("read:taxii") && message.contains("read:csv"), "{message}");
    assert!(refused(json!({"plan": "gold"})).await.contains("gold"));
    assert!(refused(json!({"tenant": "nobody"})).await.contains("nobody"));
    assert!(refused(json!({"scopes": ["admin"]})).await.contains("operator"));
    assert!(refused(json!({"scopes": []})).await.contains("scope"));
    assert!(refused(json!({"scopes": ["read:csv", "read:csv"]})).await.contains("twice"));
    assert!(refused(json!({"scopes": ["read:all"]})).await.contains("read:all"));
    assert!(refused(json!({"clearance": "mauve"})).await.contains("mauve"));
    assert!(refused(json!({"expires": "2020-01-01T00:00:00Z"})).await.contains("past"));
    assert!(refused(json!({"name": ""})).await.contains("name"));
    assert!(refused(json!({"digest": "x"})).await.contains("digest"));
    let given =
        make(&admin, json!({"plan": "free", "scopes": ["read:csv", "write:objects"]})).await;
    let place = format!("{KEYS}/{}", given["id"].as_str().unwrap());
    let change = json!({"scopes": ["read:stix"]}).to_string();
    let answer = admin.request("PATCH", &place).header("if-match", "*");
    let answer = answer.body("application/json", change).await.expect(400);
    assert!(error(&answer).1.contains("read:stix"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_stops_and_stays_revoked() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let made = make(&admin, json!({})).await;
    let client = w.http.with_key(made["key"].as_str().unwrap());
    let _ = client.get(TAXII).await.expect(200);
    let place = format!("{KEYS}/{}", made["id"].as_str().unwrap());
    let revoked = admin.post(&format!("{place}/revoke")).await.expect(200).json();
    assert_eq!(revoked["revoked"], true);
    until("the revoked key is refused", async || {
        let answer = client.get(TAXII).await;
        (answer.status == 401 && answer.text().contains("revoked_api_key")).then_some(())
    })
    .await;
    let again = admin.post(&format!("{place}/revoke")).await.expect(200);
    assert_eq!(again.json()["revision"], revoked["revision"], "nothing changed");
    let change = admin.request("PATCH", &place).header("if-match", "*");
    let answer = change.body("application/json", r#"{"name":"n"}"#).await.expect(409);
    assert_eq!(error(&answer).0, "key_revoked");
    let answer = admin.post(&format!("{place}/rotate")).await.expect(409);
    assert_eq!(error(&answer).0, "key_revoked");
    let wrong = admin.get(&format!("{place}/revoke")).await.expect(405);
    assert_eq!(wrong.header("allow"), Some("POST"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotated_key_is_replaced_and_works_on_for_its_grace() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let made = make(&admin, json!({"clearance": "red", "name": "Splunk"})).await;
    let old = w.http.with_key(made["key"].as_str().unwrap());
    let id = made["id"].as_str().unwrap();
    let place = format!("{KEYS}/{id}");
    let rotate = format!("{place}/rotate");
    let rotated = post(&admin, &rotate, &json!({"grace_minutes": 60})).await.expect(201).json();
    for member in ["tenant", "name", "scopes", "plan", "clearance"] {
        assert_eq!(rotated[member], made[member], "{member}");
    }
    assert_eq!(rotated["replaces"], id);
    let _ = w.http.with_key(rotated["key"].as_str().unwrap()).get(TAXII).await.expect(200);
    let _ = old.get(TAXII).await.expect(200);
    let expires = admin.get(&place).await.json()["expires"].as_str().unwrap().to_owned();
    let expires: chrono::DateTime<chrono::Utc> = expires.parse().unwrap();
    assert!((expires - chrono::Utc::now()).num_minutes() <= 60);
    w.later(chrono::TimeDelta::minutes(61));
    until("its grace is over", async || (old.get(TAXII).await.status == 401).then_some(())).await;
    let second = format!("{KEYS}/{}", rotated["id"].as_str().unwrap());
    let new = admin.post(&format!("{second}/rotate")).await.expect(201).json();
    assert_eq!(admin.get(&second).await.json()["revoked"], true, "no grace: revoked at once");
    let answer = post(&admin, &rotate, &json!({"grace_minutes": 99_999_999})).await.expect(400);
    assert_eq!(error(&answer).0, "invalid_settings");
    let audit = admin.get("/api/v1/manage/audit").query("resource", &format!("key/{id}")).await;
    let audit = audit.json();
    assert_eq!(audit["audit"][0]["action"], "rotate", "{audit}");
    let note = audit["audit"][0]["note"].as_str().unwrap();
    assert!(note.contains(rotated["id"].as_str().unwrap()), "{note}");
    assert!(new["key"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_of_the_request_cannot_end_itself() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let id = w.admin_key().split('_').nth(1).unwrap();
    let place = format!("{KEYS}/{id}");
    for answer in [
        admin.delete(&place).await,
        admin.post(&format!("{place}/revoke")).await,
        admin
            .request("PATCH", &place)
            .header("if-match", "*")
            .body("application/json", r#"{"scopes":["read:csv"]}"#)
            .await,
    ] {
        assert_eq!(error(&answer.expect(409)).0, "own_key");
    }
    let _ = admin.get(&place).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_key_is_unknown() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let made = make(&admin, json!({})).await;
    let client = w.http.with_key(made["key"].as_str().unwrap());
    let _ = client.get(TAXII).await.expect(200);
    let place = format!("{KEYS}/{}", made["id"].as_str().unwrap());
    let _ = admin.delete(&place).await.expect(204);
    let _ = admin.delete(&place).await.expect(404);
    until("the key is unknown", async || {
        client.get(TAXII).await.text().contains("invalid_api_key").then_some(())
    })
    .await;
    let left = admin.get(KEYS).query("tenant", "acme").query("limit", "100").await.text();
    assert!(!left.contains(made["id"].as_str().unwrap()), "{left}");
}
