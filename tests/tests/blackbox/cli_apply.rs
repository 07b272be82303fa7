//! `iocast apply`: as the file says, whatever was there, and nothing twice.

use local::operate::Api;
use local::operate::apply::{Document, steps, take};
use serde_json::{Value, json};
use tests::service::{Ended, file, iocast};
use tests::terminal::at_terminal;
use tests::world::World;

const FILE: &str = "\
tenants:
- id: umbrella
  name: Umbrella
- id: globex
plans:
- name: partner
  requests_per_minute: 100
  lookback_days: 30
  scopes: [read:taxii]
collections:
- alias: hunting
  title: Hunting of tests
  ceiling: amber
  readers: [umbrella, globex]
  filter:
    mode: and
    filters:
    - key: label
      values: [detection]
  stream:
    dependencies: true
- alias: open
  title: Open of tests
  public: true
feeds:
- alias: block
  name: Block list
  collection: hunting
  rolling_minutes: 1440
  tenants: [umbrella]
  plans: [partner]
subscriptions:
- tenant: umbrella
  source_type: collection
  source_id: hunting
";

async fn apply(w: &World, path: &str, more: &[&str]) -> Ended {
    let mut line = vec!["apply", path, "--url", w.http.base_url(), "--key", w.admin_key()];
    line.extend(more);
    iocast(&line).await
}

async fn records(w: &World) -> usize {
    let admin = w.http.with_key(w.admin_key());
    let page = admin.get("/api/v1/manage/audit").query("limit", "100").await.expect(200).json();
    page["audit"].as_array().unwrap().len()
}

async fn one(w: &World, path: &str) -> Value {
    w.http.with_key(w.admin_key()).get(&format!("/api/v1/manage/{path}")).await.expect(200).json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_applied_once_and_changes_only_what_differs() {
    let w = World::http().await;
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "iocast.yaml", FILE);
    let path = path.to_str().unwrap();
    let before = records(&w).await;
    let line = ["apply", path, "--dry-run", "--url", w.http.base_url(), "--key", w.admin_key()];
    let dry = at_terminal(&line, &[], "").await.fits().expect(2);
    let dry = dry.shows(&["+ tenant umbrella", "+ plan partner", "+ collection open", "a dry run"]);
    let _ = dry.shows(&["+ feed block", "+ subscription umbrella:collection:hunting"]);
    assert_eq!(records(&w).await, before, "a dry run changes nothing");
    let first = apply(&w, path, &[]).await;
    assert!(first.code == Some(0) && first.stdout.contains("7 new, 0 changed"), "{first:?}");
    assert_eq!(records(&w).await, before + 7);
    assert_eq!(one(&w, "collections/open").await["ceiling"], "clear");
    assert_eq!(one(&w, "plans/partner").await["lookback_days"], 30);
    assert_eq!(one(&w, "collections/hunting").await["stream"]["dependencies"], true);
    assert_eq!(one(&w, "feeds/block").await["plans"], json!(["partner"]));
    let subscription = one(&w, "subscriptions/umbrella:collection:hunting").await;
    assert_eq!(subscription["tenant"], "umbrella");
    let again = apply(&w, path, &[]).await;
    assert!(again.code == Some(0) && again.stdout.contains("7 as they should be"), "{again:?}");
    assert_eq!(records(&w).await, before + 7, "applied again, nothing changes");
    assert_eq!(apply(&w, path, &["--dry-run"]).await.code, Some(0));
    let changed = FILE
        .replace("name: Umbrella", "note: contract ends 2027")
        .replace("ceiling: amber", "ceiling: green")
        .replace("values: [detection]", "values: [detection, hunting]")
        .replace("  lookback_days: 30\n", "")
        .replace("    dependencies: true\n", "    public: false\n")
        .replace("  tenants: [umbrella]\n", "  formats: [txt]\n");
    let path = file(folder.path(), "changed.yaml", changed.clone());
    let path = path.to_str().unwrap();
    let line = ["apply", path, "--dry-run", "--url", w.http.base_url(), "--key", w.admin_key()];
    let dry = at_terminal(&line, &[], "").await.expect(2);
    let dry = dry.shows(&["~ tenant umbrella", "name: Umbrella -> -", "ceiling: amber -> green"]);
    let dry = dry.shows(&["lookback_days: 30 -> -", "~ collection hunting", "stream: "]);
    let dry = dry.shows(&["~ feed block", "formats: csv, csv.gz -> txt", "tenants: umbrella -> -"]);
    let _ = dry.shows(&["0 new, 4 changed, 3 as they should be"]);
    let done = apply(&w, path, &["--json"]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.json()["steps"].as_array().unwrap().len(), 7);
    let collection = one(&w, "collections/hunting").await;
    assert_eq!(collection["ceiling"], "green");
    assert_eq!(collection["filter"]["filters"][0]["values"].as_array().unwrap().len(), 2);
    assert_eq!(
        collection["stream"],
        json!({"enabled": true, "dependencies": false, "public": false})
    );
    let feed = one(&w, "feeds/block").await;
    assert!(feed.get("tenants").is_none() && feed["formats"] == json!(["txt"]), "{feed}");
    assert!(one(&w, "plans/partner").await.get("lookback_days").is_none());
    let tenant = one(&w, "tenants/umbrella").await;
    assert!(tenant.get("name").is_none() && tenant["note"].is_string(), "{tenant}");
    let last = apply(&w, path, &[]).await;
    assert!(last.stdout.contains("0 new, 0 changed, 7 as they should be"), "{last:?}");
    // The same collection, by its id.
    let id = collection["id"].as_str().unwrap();
    let by_id = changed
        .replace("collection: hunting", &format!("collection: {id}"))
        .replace("source_id: hunting", &format!("source_id: {id}"));
    let path = file(folder.path(), "by-id.yaml", by_id);
    let same = apply(&w, path.to_str().unwrap(), &[]).await;
    assert!(same.stdout.contains("0 new, 0 changed, 7 as they should be"), "{same:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_is_taken_while_what_it_changes_is_as_it_was_compared() {
    let w = World::http().await;
    let file = |ceiling: &str| {
        let text = "collections:\n- alias: hunting\n  title: Hunting\n  ceiling: ";
        Document::parse(&format!("{text}{ceiling}\n")).unwrap()
    };
    let api = Api::http(w.http.base_url(), w.admin_key()).unwrap();
    let made = steps(&api, &file("amber")).await.unwrap();
    take(&api, &made[0]).await.unwrap();
    let change = async |body: Value| {
        let admin = w.http.with_key(w.admin_key());
        let place = "/api/v1/manage/collections/hunting";
        let request = admin.request("PATCH", place).header("if-match", "*");
        let _ = request.body("application/json", body.to_string()).await.expect(200);
    };
    let compared = steps(&api, &file("green")).await.unwrap();
    change(json!({"description": "of another's"})).await;
    take(&api, &compared[0]).await.unwrap();
    let now = one(&w, "collections/hunting").await;
    assert_eq!((&now["ceiling"], &now["description"]), (&json!("green"), &json!("of another's")));
    let compared = steps(&api, &file("clear")).await.unwrap();
    change(json!({"ceiling": "red"})).await;
    let refused = take(&api, &compared[0]).await.unwrap_err();
    assert!(refused.message.starts_with("collection hunting: "), "{refused}");
    assert_eq!(one(&w, "collections/hunting").await["ceiling"], "red");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_file_is_told() {
    let w = World::http().await;
    let folder = tempfile::tempdir().unwrap();
    for (text, part) in [
        ("", "empty"),
        ("tenants: [", "wrong.yaml"),
        ("things: []", "things"),
        ("collections:\n- title: No alias\n  ceiling: green", "No alias"),
        (
            "collections:\n- alias: a\n  title: A\n  ceiling: green\n  filter: {filters: [{key: x, values: [y]}]}",
            "collection a: filter: unknown key",
        ),
        ("collections:\n- alias: a\n  title: A\n  ceiling: green\n  readers: [nobody]", "nobody"),
        ("feeds:\n- alias: f\n  name: F\n  collection: nothing", "feed f: `collection`"),
        (
            "subscriptions:\n- tenant: nobody\n  source_type: collection\n  source_id: x",
            "subscription nobody:collection:x: there is no tenant",
        ),
    ] {
        let path = file(folder.path(), "wrong.yaml", text);
        let ended = apply(&w, path.to_str().unwrap(), &[]).await;
        assert_eq!(ended.code, Some(1), "{text}: {ended:?}");
        assert!(ended.stderr.starts_with("iocast: ") && ended.stderr.contains(part), "{ended:?}");
        assert!(ended.stderr.lines().count() <= 2, "{ended:?}");
    }
    let missing = apply(&w, "/nowhere.yaml", &[]).await;
    assert!(missing.code == Some(1) && missing.stderr.contains("/nowhere.yaml"), "{missing:?}");
}
