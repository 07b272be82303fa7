//! `/api/v1/manage/feeds`: defined over HTTP, published, read, changed and deleted.

use chrono::TimeDelta;
use serde_json::{Value, json};
use shared::access::Scope;
use tests::client::{Answer, Client};
use tests::collection::CollectionSpec;
use tests::fixtures::indicators;
use tests::keys::KeySpec;
use tests::world::World;

const FEEDS: &str = "/api/v1/manage/feeds";
const COLLECTIONS: &str = "/api/v1/manage/collections";

async fn post(client: &Client, path: &str, body: &Value) -> Answer {
    client.post(path).body("application/json", body.to_string()).await
}

async fn patch(client: &Client, name: &str, body: &Value) -> Answer {
    let request = client.request("PATCH", &format!("{FEEDS}/{name}"));
    request.header("if-match", "*").body("application/json", body.to_string()).await
}

fn error(answer: &Answer) -> (String, String) {
    let error = &answer.json()["error"];
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (text("code"), text("message"))
}

fn labelled(alias: &str) -> CollectionSpec {
    CollectionSpec { alias: Some(alias.to_owned()), ..CollectionSpec::everything() }
}

/// What the schedule does for one feed.
async fn publish(w: &World, name: &str) {
    let feed = w.another_instance().store().feed(name).await.unwrap().unwrap();
    tests::feeds::publish(w, &feed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_from_its_definition_to_its_end() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let c = w.collection(labelled("hunting")).await;
    let objects = indicators(3);
    w.load(&c, &objects).await;
    w.settled(&c, &objects).await;
    let body = json!({"name": "Block list", "alias": "block", "collection": "hunting",
        "formats": ["csv", "txt"], "tenants": ["acme"], "plans": ["pro"]});
    let made = post(&admin, FEEDS, &body).await.expect(201);
    let tag = made.header("etag").unwrap().to_owned();
    let shown = made.json();
    assert_eq!(shown["collection"], "hunting");
    assert_eq!(shown["collection_id"], c.id.as_str());
    assert_eq!(shown["files"], json!({"csv": "/feeds/block.csv", "txt": "/feeds/block.txt"}));
    assert!(shown["last_edition"].is_null() && shown["publish_every_minutes"] == 5, "{shown}");
    let id = shown["id"].as_str().unwrap();
    assert!(made.header("location").unwrap().ends_with(&format!("{FEEDS}/{id}")));
    publish(&w, "block").await;
    // It has an edition now, though the revision is the same: never answered 304.
    let read = admin.get(&format!("{FEEDS}/block")).header("if-none-match", &tag).await.expect(200);
    let edition = &read.json()["last_edition"];
    assert_eq!((&edition["rows"], &edition["objects"]), (&json!(3), &json!(3)), "{edition}");
    assert!(edition["time"].is_string() && edition["bytes"].as_u64() > Some(0), "{edition}");
    let key = w.key(KeySpec::of("acme").with([Scope::ReadCsv]).on("pro")).await;
    let reader = w.http.with_key(&key.text);
    let file = read.json()["files"]["csv"].as_str().unwrap().to_owned();
    assert_eq!(reader.get(&file).await.expect(200).header("x-feed-rows"), Some("3"));
    let changed = patch(&admin, "block", &json!({"rolling_minutes": 60, "tenants": null})).await;
    let changed = changed.expect(200).json();
    assert_eq!((&changed["revision"], &changed["rolling_minutes"]), (&json!(2), &json!(60)));
    assert!(changed.get("tenants").is_none() && changed["plans"] == json!(["pro"]), "{changed}");
    let same = patch(&admin, id, &json!({"rolling_minutes": 60})).await.expect(200).json();
    assert_eq!(same["revision"], 2, "nothing changed");
    let stale = admin.delete(&format!("{FEEDS}/block")).header("if-match", &tag).await.expect(412);
    assert_eq!(error(&stale).0, "changed");
    let _ = admin.delete(&format!("{FEEDS}/block")).await.expect(204);
    let _ = admin.delete(&format!("{FEEDS}/block")).await.expect(404);
    assert!(w.bucket_keys(&format!("feeds/{id}/")).await.is_empty());
    let _ = reader.get(&file).await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_feed_is_said_when_it_is_saved() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let _ = w.collection(labelled("one")).await;
    let _ = w.collection(labelled("other")).await;
    let _ = post(&admin, FEEDS, &json!({"name": "F", "alias": "taken", "collection": "one"}))
        .await
        .expect(201);
    for (change, part) in [
        (json!({"collection": "nothing"}), "nothing"),
        (json!({"tenants": ["nobody-known"]}), "nobody-known"),
        (json!({"plans": ["no-such-plan"]}), "no-such-plan"),
        (json!({"tenants": []}), "nobody could read"),
        (json!({"formats": ["xlsx"]}), "formats"),
        (json!({"publish_every_minutes": 0}), "publish_every_minutes"),
        (json!({"public": true}), "public"),
        (json!({"columns": ["colour"]}), "colour"),
        (json!({"id": "x"}), "id"),
        (json!({"name": null}), "name"),
    ] {
        let mut body = json!({"name": "F", "collection": "one"});
        body.as_object_mut().unwrap().extend(change.as_object().cloned().unwrap());
        let (code, message) = error(&post(&admin, FEEDS, &body).await.expect(400));
        assert_eq!(code, "invalid_settings", "{message}");
        assert!(message.contains(part), "{change}: {message}");
    }
    let taken = json!({"name": "G", "alias": "taken", "collection": "one"});
    assert_eq!(error(&post(&admin, FEEDS, &taken).await.expect(409)).0, "already_exists");
    for (change, part) in [
        (json!({"collection": "other"}), "stays with its collection"),
        (json!({"columns": ["value", "id"]}), "append new columns"),
    ] {
        let (code, message) = error(&patch(&admin, "taken", &change).await.expect(400));
        assert!(code == "invalid_settings" && message.contains(part), "{message}");
    }
}

/// A feed stays with its collection whatever that is called later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collection_may_get_another_name() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let c = w.collection(labelled("before")).await;
    let body = json!({"name": "F", "alias": "f", "collection": "before"});
    let _ = post(&admin, FEEDS, &body).await.expect(201);
    let renamed = admin.request("PATCH", &format!("{COLLECTIONS}/before"));
    let renamed = renamed.header("if-match", "*").body("application/json", r#"{"alias":"after"}"#);
    let _ = renamed.await.expect(200);
    let _ = w.collection(labelled("before")).await;
    let changed = patch(&admin, "f", &json!({"name": "G"})).await.expect(200).json();
    assert_eq!(
        (&changed["collection"], &changed["collection_id"]),
        (&json!("after"), &json!(c.id))
    );
    let named = patch(&admin, "f", &json!({"collection": "after"})).await.expect(200).json();
    assert_eq!(named["revision"], 2, "the same by another name: {named}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_comes_in_pages_each_feed_once() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let _ = w.collection(labelled("hunting")).await;
    let mut made = Vec::new();
    for number in 0..5 {
        let body = json!({"name": format!("Feed {number}"), "collection": "hunting"});
        let one = post(&admin, FEEDS, &body).await.expect(201).json();
        made.push(one["id"].as_str().unwrap().to_owned());
    }
    made.sort_unstable();
    let (mut listed, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut request = admin.get(FEEDS).query("limit", "2");
        if let Some(cursor) = &cursor {
            request = request.query("cursor", cursor);
        }
        let page = request.await.expect(200).json();
        let ids = page["feeds"].as_array().unwrap().iter();
        listed.extend(ids.map(|one| one["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(listed, made);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collection_that_feeds_use_is_not_deleted() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let _ = w.collection(labelled("used")).await;
    let place = format!("{COLLECTIONS}/used");
    for alias in ["f", "g"] {
        let body = json!({"name": "F", "alias": alias, "collection": "used"});
        let _ = post(&admin, FEEDS, &body).await.expect(201);
    }
    for alias in ["f", "g"] {
        let (code, message) = error(&admin.delete(&place).await.expect(409));
        assert!(code == "in_use" && message.contains("publishes the collection"), "{message}");
        let _ = admin.delete(&format!("{FEEDS}/{alias}")).await.expect(204);
    }
    let _ = admin.delete(&place).await.expect(204);
}

/// Both at the same moment: one of them is refused, whichever.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_feed_outlives_its_collection_however_they_race() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    for round in 0..12 {
        let alias = format!("race-{round}");
        let c = w.collection(labelled(&alias)).await;
        let body = json!({"name": "F", "alias": alias, "collection": alias});
        let place = format!("{COLLECTIONS}/{}", c.id);
        let (made, deleted) =
            tokio::join!(post(&admin, FEEDS, &body), async { admin.delete(&place).await });
        let feeds = w.another_instance().store().feeds().await.unwrap();
        let feed = feeds.iter().any(|feed| feed.collection.to_string() == c.id);
        let there = admin.get(&place).await.status == 200;
        assert_eq!(feed, there, "made {}, deleted {}", made.status, deleted.status);
        assert_eq!((made.status == 201, deleted.status == 409), (feed, there), "{}", made.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_tells_which_feeds_are_late() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let c = w.collection(labelled("hunting")).await;
    w.rebuilt(&c).await;
    let body = json!({"name": "F", "alias": "f", "collection": "hunting",
        "publish_every_minutes": 5});
    let _ = post(&admin, FEEDS, &body).await.expect(201);
    let status = async || {
        let status = admin.get("/api/v1/manage/status").await.expect(200).json();
        status["feeds"][0].clone()
    };
    let new = status().await;
    assert_eq!((&new["late"], &new["alias"]), (&json!(false), &json!("f")), "{new}");
    assert!(new["due_since"].is_string() && new["last_edition"].is_null(), "{new}");
    w.later(TimeDelta::minutes(30));
    assert_eq!(status().await["late"], true, "it was never published");
    publish(&w, "f").await;
    w.later(TimeDelta::days(2));
    let quiet = status().await;
    assert_eq!(quiet["late"], false, "old, but nothing happened since: {quiet}");
    assert!(quiet["due_since"].is_null() && quiet["last_edition"]["rows"] == 0, "{quiet}");
    let objects = indicators(2);
    w.load(&c, &objects).await;
    w.settled(&c, &objects).await;
    let due = status().await;
    assert!(due["due_since"].is_string() && due["late"] == false, "{due}");
    w.later(TimeDelta::days(2) + TimeDelta::minutes(30));
    let late = status().await;
    assert_eq!((&late["late"], &late["due_since"]), (&json!(true), &due["due_since"]));
    publish(&w, "f").await;
    assert_eq!(status().await["late"], false);
    // What expires is due the moment it does.
    let _ = patch(&admin, "f", &json!({"rolling_minutes": 1440})).await.expect(200);
    assert!(status().await["due_since"].is_string(), "defined anew");
    publish(&w, "f").await;
    assert!(status().await["due_since"].is_null());
    w.later(TimeDelta::days(4));
    assert_eq!(status().await["late"], true, "it aged out of the window");
}
