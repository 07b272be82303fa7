//! `/api/v1/manage/collections`: defined over HTTP, re-evaluated, deleted with their log.

use serde_json::{Value, json};
use tests::client::{Answer, Client};
use tests::collection::{Collection, CollectionSpec};
use tests::fixtures::{Object, SECOND, indicator, indicators};
use tests::patience::until;
use tests::taxii_reading::{all_objects, ids};
use tests::world::World;

const COLLECTIONS: &str = "/api/v1/manage/collections";

async fn post(client: &Client, body: &Value) -> Answer {
    client.post(COLLECTIONS).body("application/json", body.to_string()).await
}

async fn patch(client: &Client, id: &str, body: &Value) -> Answer {
    let request = client.request("PATCH", &format!("{COLLECTIONS}/{id}"));
    request.header("if-match", "*").body("application/json", body.to_string()).await
}

fn error(answer: &Answer) -> (String, String) {
    let error = &answer.json()["error"];
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (text("code"), text("message"))
}

fn labelled(label: &str) -> Value {
    json!({"mode": "and", "filters": [{"key": "label", "values": [label]}], "filterGroups": []})
}

async fn filled(admin: &Client, id: &str) {
    until("the collection is filled", async || {
        let one = admin.get(&format!("{COLLECTIONS}/{id}")).await.expect(200).json();
        (one["rebuilding"] == false).then_some(())
    })
    .await;
}

fn at(id: &str) -> Collection {
    Collection { id: id.to_owned(), spec: CollectionSpec::everything() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collection_is_filled_says_so_and_is_re_evaluated() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let (one, other) =
        (indicator().set("labels", json!(["one"])), indicator().set("labels", json!(["other"])));
    let _ = w.holding(&[one.clone(), other.clone()]).await;
    let body = json!({"title": "By label", "alias": "by-label", "ceiling": "amber",
        "writers": ["acme"], "filter": labelled("one")});
    let made = post(&admin, &body).await.expect(201).json();
    assert_eq!(made["rebuilding"], true, "{made}");
    let id = made["id"].as_str().unwrap();
    filled(&admin, id).await;
    assert_eq!(ids(&all_objects(&w.reader(), &at(id)).await), [one.id()]);
    let filter = json!({"filters": [{"key": "label", "values": ["other"]}]});
    let changed = patch(&admin, "by-label", &json!({"filter": filter})).await.expect(200).json();
    assert_eq!((&changed["rebuilding"], &changed["generation"]), (&json!(true), &json!(2)));
    filled(&admin, id).await;
    assert_eq!(ids(&all_objects(&w.reader(), &at(id)).await), [other.id()]);
    let same = patch(&admin, id, &json!({"description": "words"})).await.expect(200).json();
    assert_eq!(same["rebuilding"], false, "words do not select");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_collection_is_said_when_it_is_saved() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let taken = json!({"title": "Taken", "alias": "taken", "ceiling": "green"});
    let _ = post(&admin, &taken).await.expect(201);
    for (change, part) in [
        (json!({"filter": {"filters": [{"key": "colour", "values": ["x"]}]}}), "colour"),
        (json!({"filter": {"filters": [{"key": "label", "values": []}]}}), "value"),
        (json!({"filter": {"filters": [{"key": "author", "values": ["Nobody"]}]}}), "Nobody"),
        (json!({"title": "a.b"}), "dot"),
        (json!({"ceiling": "mauve"}), "mauve"),
        (json!({"ceiling": null}), "ceiling"),
        (json!({"alias": "No Good"}), "alias"),
        (json!({"readers": ["nobody-known"]}), "nobody-known"),
        (json!({"writers": ["nobody-known"]}), "nobody-known"),
        (json!({"id": "x"}), "id"),
    ] {
        let mut body = json!({"title": "T", "ceiling": "green"});
        body.as_object_mut().unwrap().extend(change.as_object().cloned().unwrap());
        let answer = post(&admin, &body).await.expect(400);
        let (code, message) = error(&answer);
        assert_eq!(code, "invalid_settings", "{message}");
        assert!(message.contains(part), "{change}: {message}");
    }
    for name in [
        json!({"title": "taken", "ceiling": "green"}),
        json!({"title": "Other", "alias": "taken", "ceiling": "green"}),
    ] {
        assert_eq!(error(&post(&admin, &name).await.expect(409)).0, "already_exists");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_collection_reaches_to_clear_unless_said_otherwise() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let public = post(&admin, &json!({"title": "Public", "public": true})).await.expect(201).json();
    assert_eq!(public["ceiling"], "clear");
    let made =
        post(&admin, &json!({"title": "Green", "ceiling": "green"})).await.expect(201).json();
    let id = made["id"].as_str().unwrap();
    let answer = patch(&admin, id, &json!({"public": true})).await.expect(400);
    assert!(error(&answer).1.contains("ceiling"));
    let opened = patch(&admin, id, &json!({"public": true, "ceiling": "green"})).await.expect(200);
    assert_eq!(opened.json()["public"], true);
}

/// Its names are free at once, its log goes, and its objects live on: what they become later
/// says nothing in a log that is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_collection_leaves_nothing_behind() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let kept = w.collection(CollectionSpec::everything()).await;
    let spec = CollectionSpec { alias: Some("short".into()), ..CollectionSpec::everything() };
    let doomed = w.collection(spec).await;
    let objects = indicators(40);
    w.load(&doomed, &objects).await;
    w.settled(&kept, &objects).await;
    filled(&admin, &doomed.id).await;
    assert!(!w.log_of(&doomed).await.is_empty());
    let _ = admin.delete(&format!("{COLLECTIONS}/short")).await.expect(204);
    let _ = admin.delete(&format!("{COLLECTIONS}/short")).await.expect(404);
    let _ = w.reader().get(&doomed.objects()).await.expect(404);
    let title = &doomed.spec.title;
    let body = json!({"title": title, "alias": "short", "ceiling": "amber", "writers": ["acme"]});
    let again = post(&admin, &body).await.expect(201).json();
    assert_ne!(again["id"], doomed.id.as_str());
    until("the log is gone", async || w.items_of_log(&doomed.id).await.eq(&0).then_some(())).await;
    let later: Vec<Object> = objects.iter().map(|object| object.clone().at(SECOND)).collect();
    w.load(&kept, &later).await;
    assert_eq!(all_objects(&w.reader(), &kept).await.len(), objects.len());
    let deleted = format!("/api/v1/objects/{}", objects[0].id());
    let _ = w.ingest().delete(&deleted).await.expect(200);
    until("the deletion is projected", async || {
        (all_objects(&w.reader(), &kept).await.len() == objects.len() - 1).then_some(())
    })
    .await;
    assert_eq!(w.items_of_log(&doomed.id).await, 0, "nothing is appended to a log that is gone");
    assert_eq!(w.parked(), 0);
}

/// What somebody who had not heard of the deletion appends is deleted by the second round.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_late_projector_appends_goes_too() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let doomed = w.holding(&indicators(3)).await;
    filled(&admin, &doomed.id).await;
    let _ = admin.delete(&format!("{COLLECTIONS}/{}", doomed.id)).await.expect(204);
    until("the log is gone", async || w.items_of_log(&doomed.id).await.eq(&0).then_some(())).await;
    w.append_packed(&doomed, &indicators(2), 2).await;
    assert!(w.items_of_log(&doomed.id).await > 0);
    until("the first round is over", async || {
        w.work_off_jobs().await;
        w.has_second_round(&doomed.id).await.then_some(())
    })
    .await;
    w.later(chrono::TimeDelta::minutes(30));
    w.work_off_jobs().await;
    assert_eq!(w.items_of_log(&doomed.id).await, 0);
    until("the job is over", async || w.is_at_rest().await.then_some(())).await;
}
