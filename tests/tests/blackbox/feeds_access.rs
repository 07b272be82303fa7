//! Who may read a feed, and what they learn who may not.

use serde_json::{Value, json};
use shared::access::Scope;
use shared::audit::Actor;
use shared::tlp::Tlp;
use tests::client::{Answer, Client};
use tests::collection::CollectionSpec;
use tests::feeds::{define, feed, path, publish, read, settings};
use tests::fixtures::indicators;
use tests::keys::KeySpec;
use tests::world::World;

fn code(answer: &Answer) -> String {
    answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
}

async fn client(w: &World, spec: KeySpec) -> Client {
    w.http.with_key(&w.key(spec).await.text)
}

fn csv(tenant: &str) -> KeySpec {
    KeySpec::of(tenant).with([Scope::ReadCsv])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scope_plan_tenant_and_clearance_hold() {
    let w = World::http().await;
    let spec = CollectionSpec {
        readers: Some(vec!["acme".into(), "other".into()]),
        ..CollectionSpec::everything()
    };
    let c = w.collection(spec).await;
    w.load(&c, &indicators(3)).await;
    let f = feed(&w, &c, json!({"tenants": ["acme", "third"], "plans": ["pro"]})).await;
    publish(&w, &f).await;
    let ask = async |spec: KeySpec| client(&w, spec).await.get(&path(&f, "csv")).await;
    let _ = ask(csv("acme").on("pro")).await.expect(200);
    let refused = ask(KeySpec::of("acme").on("pro").with([Scope::ReadTaxii])).await.expect(403);
    assert_eq!(code(&refused), "missing_scope");
    let refused = ask(csv("acme").on("free")).await.expect(403);
    assert_eq!(code(&refused), "plan_required");
    assert!(refused.text().contains("pro"), "{}", refused.text());
    let refused = ask(csv("acme").on("pro").cleared(Tlp::Green)).await.expect(403);
    assert_eq!(code(&refused), "clearance_required");
    // Neither the feed's tenants nor the collection's readers may be passed over, and who is not
    // among them is told what is told of a feed that is not there.
    let unknown = client(&w, csv("other").on("pro")).await;
    let not_there = unknown.get("/feeds/nothing.csv").await.expect(404);
    for tenant in ["other", "third", "fourth"] {
        let refused = ask(csv(tenant).on("pro")).await.expect(404);
        assert_eq!(code(&refused), code(&not_there), "{tenant}");
    }
    let operator = w.http.with_key(w.admin_key());
    let _ = operator.get(&path(&f, "csv")).await.expect(200);
    let anonymous = w.http.anonymous().get(&path(&f, "csv")).await.expect(401);
    assert_eq!(code(&anonymous), "missing_api_key");
    assert!(anonymous.header("www-authenticate").is_some());
    let nothing = w.http.anonymous().get("/feeds/nothing.csv").await.expect(401);
    assert_eq!(code(&nothing), "missing_api_key");
    let sums = client(&w, csv("other").on("pro")).await.get(&path(&f, "sha256")).await;
    let _ = sums.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_feed_is_read_without_a_key() {
    let w = World::http().await;
    let clear = CollectionSpec::everything().ceiling(Tlp::Clear);
    let c = w.collection(clear).await;
    let objects: Vec<_> = indicators(3).into_iter().map(|o| o.marked(Tlp::Clear)).collect();
    w.load(&c, &objects).await;
    let f = feed(&w, &c, json!({"public": true, "alias": "open", "tenants": ["acme"]})).await;
    publish(&w, &f).await;
    let answer = read(&w.http.anonymous(), &f, "csv").await;
    assert_eq!(answer.header("x-feed-rows"), Some("3"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    // A key is never worse than none, unless it is none.
    let other = client(&w, KeySpec::of("other").read_only().cleared(Tlp::Clear)).await;
    let _ = read(&other, &f, "csv").await;
    let wrong = w.http.with_key("nonsense").get("/feeds/open.csv").await.expect(401);
    assert_eq!(code(&wrong), "invalid_api_key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_above_clear_is_public_unless_its_collection_is() {
    let w = World::http().await;
    let amber = w.collection(CollectionSpec::everything()).await;
    let refused = define(&w, settings(&amber, json!({"public": true}))).await.unwrap_err();
    assert!(refused.contains("`public`") && refused.contains("TLP:AMBER"), "{refused}");
    let said = CollectionSpec { public: true, ..CollectionSpec::everything() };
    let open = w.collection(said).await;
    w.load(&open, &indicators(2)).await;
    let f = feed(&w, &open, json!({"public": true})).await;
    publish(&w, &f).await;
    let _ = read(&w.http.anonymous(), &f, "csv").await;
    // The collection is public no longer, and with it the feed.
    w.change(&open, |spec| CollectionSpec { public: false, ..spec }).await;
    tests::patience::until("the feed is closed", async || {
        (w.http.anonymous().get(&path(&f, "csv")).await.status == 401).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lower_ceiling_opens_a_feed_only_once_its_file_is_lower_too() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let mut objects = indicators(2);
    objects[0] = objects[0].clone().marked(Tlp::Green);
    w.load(&c, &objects).await;
    let f = feed(&w, &c, json!({})).await;
    publish(&w, &f).await;
    let green = client(&w, csv("acme").cleared(Tlp::Green)).await;
    let _ = green.get(&path(&f, "csv")).await.expect(403);
    let c = w.change(&c, |spec| spec.ceiling(Tlp::Green)).await;
    w.rebuilt(&c).await;
    // The log holds nothing above green any more; the file still does.
    let refused = green.get(&path(&f, "csv")).await.expect(403);
    assert_eq!(code(&refused), "clearance_required");
    publish(&w, &f).await;
    tests::patience::until("the lower ceiling is known", async || {
        (green.get(&path(&f, "csv")).await.status == 200).then_some(())
    })
    .await;
    let text = read(&green, &f, "csv").await.text();
    assert!(text.contains(objects[0].id()) && !text.contains(objects[1].id()), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_are_checked_changed_under_a_condition_and_deleted() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let services = w.another_instance();
    let store = services.store();
    let f = feed(&w, &c, json!({"alias": "one"})).await;
    let taken = define(&w, settings(&c, json!({"alias": "one"}))).await.unwrap_err();
    assert!(taken.contains("`alias`"), "{taken}");
    let unknown = json!({"name": "n", "collection": "nothing"});
    assert!(define(&w, unknown).await.unwrap_err().contains("\"nothing\""));
    let change = |more: Value| serde_json::from_value(settings(&c, more)).unwrap();
    let changed =
        store.change_feed(&Actor::System, &f, change(json!({"alias": "two"}))).await.unwrap();
    assert_eq!((changed.revision, changed.id), (2, f.id));
    assert_eq!(store.feed("two").await.unwrap().as_ref(), Some(&changed));
    assert_eq!(store.feed("one").await.unwrap(), None);
    let late =
        store.change_feed(&Actor::System, &f, change(json!({}))).await.unwrap_err().to_string();
    assert!(late.contains("changed by somebody else"), "{late}");
    let other = feed(&w, &c, json!({"alias": "one"})).await;
    let taken = store
        .change_feed(&Actor::System, &changed, change(json!({"alias": "one"})))
        .await
        .unwrap_err();
    assert!(taken.to_string().contains("`alias`"), "{taken}");
    let moved =
        store.change_feed(&Actor::System, &changed, change(json!({"columns": ["value"]}))).await;
    assert!(moved.unwrap_err().to_string().contains("`columns`"));
    publish(&w, &changed).await;
    assert!(!w.bucket_keys(&format!("feeds/{}/", f.id)).await.is_empty());
    assert!(store.delete_feed(&Actor::System, &f).await.is_err(), "it was changed since");
    store.delete_feed(&Actor::System, &changed).await.unwrap();
    assert_eq!(w.bucket_keys(&format!("feeds/{}/", f.id)).await, Vec::<String>::new());
    assert_eq!(store.feeds().await.unwrap(), [other]);
    let gone = client(&w, csv("acme")).await.get("/feeds/two.csv").await.expect(404);
    assert_eq!(code(&gone), "not_found");
}
