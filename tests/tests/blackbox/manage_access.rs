//! `/api/v1/manage/`: whom it answers, and what every resource has in common.

use serde_json::{Value, json};
use shared::access::Scope;
use tests::client::{Answer, Client};
use tests::keys::KeySpec;
use tests::patience::until;
use tests::world::World;

const JSON: &str = "application/json";

fn code(answer: &Answer) -> String {
    answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
}

async fn post(client: &Client, path: &str, body: &Value) -> Answer {
    client.post(path).body(JSON, body.to_string()).await
}

async fn patch(client: &Client, path: &str, tag: &str, body: &Value) -> Answer {
    client.request("PATCH", path).header("if-match", tag).body(JSON, body.to_string()).await
}

/// A valid resource of each kind: its list, its body, a change, and where it is found.
fn resources() -> [(&'static str, Value, Value, &'static str); 4] {
    [
        ("tenants", json!({"id": "umbrella", "name": "Umbrella"}), json!({"note": "n"}), "id"),
        (
            "keys",
            json!({"tenant": "operator", "name": "k", "plan": "pro", "scopes": ["read:taxii"]}),
            json!({"name": "renamed"}),
            "id",
        ),
        (
            "plans",
            json!({"name": "partner", "scopes": ["read:csv"], "requests_per_minute": 5}),
            json!({"requests_per_minute": 6}),
            "name",
        ),
        (
            "collections",
            json!({"title": "Of a test", "ceiling": "green"}),
            json!({"description": "d"}),
            "id",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_admins_manage() {
    let w = World::http().await;
    for path in ["tenants", "keys/x", "plans", "collections", "audit", "status", "nothing"] {
        let path = format!("/api/v1/manage/{path}");
        let nobody = w.http.anonymous().get(&path).await.expect(401);
        assert_eq!(code(&nobody), "missing_api_key");
        let answer = w.http.with_key(w.writer_key()).get(&path).await.expect(403);
        assert_eq!(code(&answer), "missing_scope");
        assert_eq!(answer.json()["error"]["details"]["scope"], "admin");
    }
    let admin = w.http.with_key(&w.key(KeySpec::of("operator").with([Scope::Admin])).await.text);
    let _ = admin.get("/api/v1/manage/tenants").await.expect(200);
    assert_eq!(code(&admin.get("/api/v1/manage/nothing").await.expect(404)), "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_resource_is_made_read_listed_changed_and_deleted() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    for (list, body, change, name) in resources() {
        let path = format!("/api/v1/manage/{list}");
        let made = post(&admin, &path, &body).await.expect(201);
        assert!(made.header("etag").is_some(), "{made:?}");
        let place = made.header("location").unwrap();
        let made_json = made.json();
        let id = made_json[name].as_str().unwrap();
        assert!(place.ends_with(&format!("/{list}/{id}")), "{place}");
        let one = format!("{path}/{id}");
        // A new collection's job changes it once more.
        let read = until("nothing changes it", async || {
            let read = admin.get(&one).await.expect(200);
            (read.json()["rebuilding"] != true).then_some(read)
        })
        .await;
        let revision = read.json()["revision"].as_u64().unwrap();
        assert_eq!(read.header("etag"), Some(format!("\"{revision}\"").as_str()));
        let fresh = admin.get(&one).header("if-none-match", read.header("etag").unwrap());
        assert!(fresh.await.expect(304).body.is_empty());
        assert!(admin.request("HEAD", &one).await.expect(200).body.is_empty());
        let all = admin.get(&path).query("limit", "100").await.expect(200).json();
        assert!(all[list].as_array().unwrap().iter().any(|known| known[name] == id), "{all}");
        let tag = read.header("etag").unwrap();
        let stale = patch(&admin, &one, "\"999\"", &change).await.expect(412);
        assert_eq!(code(&stale), "changed");
        let none = admin.request("PATCH", &one).body(JSON, change.to_string()).await.expect(428);
        assert_eq!(code(&none), "precondition_required");
        let changed = patch(&admin, &one, "*", &change).await.expect(200);
        for (member, value) in change.as_object().unwrap() {
            assert_eq!(&changed.json()[member], value);
        }
        assert_ne!(changed.header("etag"), Some(tag), "a change has a revision of its own");
        let unknown = patch(&admin, &one, "*", &json!({"unheard_of": 1})).await.expect(400);
        assert_eq!(code(&unknown), "invalid_settings");
        assert!(unknown.text().contains("unheard_of"), "{}", unknown.text());
        for (bad, status) in [("[]", 400), ("{", 400), ("", 400)] {
            let answer = admin.post(&path).body(JSON, bad).await.expect(status);
            assert_eq!(code(&answer), "malformed_json");
        }
        let answer = admin.post(&path).body("text/plain", "{}").await.expect(415);
        assert_eq!(code(&answer), "unsupported_type");
        let large = format!("{{\"x\":\"{}\"}}", "y".repeat(70_000));
        let answer = admin.post(&path).body(JSON, large).await.expect(413);
        assert_eq!(code(&answer), "body_too_large");
        let wrong = admin.request("PUT", &one).await.expect(405);
        assert_eq!(wrong.header("allow"), Some("GET, HEAD, PATCH, DELETE"));
        let stale = admin.delete(&one).header("if-match", "\"999\"").await.expect(412);
        assert_eq!(code(&stale), "changed");
        assert!(admin.delete(&one).await.expect(204).body.is_empty());
        let missing = admin.get(&format!("{path}/is-not-there")).await.expect(404);
        assert_eq!(code(&missing), "not_found");
        // A tenant's id stays known, for ever.
        let gone = admin.get(&one).await;
        assert_eq!(gone.status, if list == "tenants" { 200 } else { 404 }, "{}", gone.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_paged_by_cursors_that_cannot_be_altered() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    for number in 0..7 {
        let id = format!("tenant-{number}");
        let _ = post(&admin, "/api/v1/manage/tenants", &json!({"id": id})).await.expect(201);
    }
    let (mut ids, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let request = admin.get("/api/v1/manage/tenants").query("limit", "3");
        let request = match &cursor {
            Some(cursor) => request.query("cursor", cursor),
            None => request,
        };
        let page = request.await.expect(200).json();
        let found = page["tenants"].as_array().unwrap();
        assert!(found.len() <= 3);
        ids.extend(found.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    let mut sorted = ids.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(ids, sorted, "every tenant once, in order");
    assert!((0..7).all(|number| ids.contains(&format!("tenant-{number}"))), "{ids:?}");
    let cursor = cursor.unwrap();
    let other = if cursor.starts_with('A') { 'B' } else { 'A' };
    let altered = format!("{other}{}", &cursor[1..]);
    for (path, cursor) in [
        ("/api/v1/manage/tenants", altered.as_str()),
        ("/api/v1/manage/tenants", "nonsense"),
        ("/api/v1/manage/keys", cursor.as_str()),
    ] {
        let answer = admin.get(path).query("cursor", cursor).await.expect(400);
        assert_eq!(code(&answer), "invalid_parameter", "{path} {cursor}");
    }
    for limit in ["0", "101", "x"] {
        let answer = admin.get("/api/v1/manage/tenants").query("limit", limit).await.expect(400);
        assert_eq!(code(&answer), "invalid_parameter");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_operators_at_once_one_changes_and_the_other_is_told() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    for (list, body, _, name) in resources() {
        let path = format!("/api/v1/manage/{list}");
        let made = post(&admin, &path, &body).await.expect(201).json();
        let one = format!("{path}/{}", made[name].as_str().unwrap());
        if list == "collections" {
            until("the collection is filled", async || {
                (admin.get(&one).await.json()["rebuilding"] == false).then_some(())
            })
            .await;
        }
        let tag = admin.get(&one).await.header("etag").unwrap().to_owned();
        let change = |text: String| match list {
            "plans" => json!({"requests_per_day": 1000 + text.len()}),
            "keys" => json!({"name": text}),
            "tenants" => json!({"note": text}),
            _ => json!({"description": text}),
        };
        let attempts = (1..=6).map(|number| {
            let (admin, one, tag) = (admin.clone(), one.clone(), tag.clone());
            let body = change("x".repeat(number));
            tokio::spawn(async move { patch(&admin, &one, &tag, &body).await.status })
        });
        let attempts: Vec<_> = attempts.collect();
        let mut statuses = Vec::new();
        for attempt in attempts {
            statuses.push(attempt.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412, 412, 412], "{list}");
        let subject = format!("{}/{}", &list[..list.len() - 1], made[name].as_str().unwrap());
        let audit = admin.get("/api/v1/manage/audit").query("resource", &subject).await.json();
        let actions: Vec<&str> = audit["audit"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record["action"].as_str().unwrap())
            .collect();
        assert_eq!(actions, ["update", "create"], "{list}: {audit}");
    }
}
