//! csv-feed.md: no object holds a feed back, and nothing but values reaches lists of values.

use csv_publish::Outcome;
use serde_json::{Value, json};
use shared::feed::{Feed, MAX_BYTES, MAX_ROWS};
use shared::tlp::Tlp;
use tests::collection::CollectionSpec;
use tests::feeds::{feed, publish, read, reader, rows};
use tests::fixtures::{FIRST, Object, envelope, fresh_id, indicator};
use tests::world::World;

/// What operators are told of a feed's last edition.
async fn last_edition(w: &World, f: &Feed) -> Value {
    let operator = w.http.with_key(w.admin_key());
    let shown = operator.get(&format!("/api/v1/manage/feeds/{}", f.id)).await.expect(200);
    shown.json()["last_edition"].clone()
}

/// An indicator of these URLs.
fn urls(urls: &[String]) -> Object {
    let urls: Vec<String> = urls.iter().map(|url| format!("'{url}'")).collect();
    indicator().set("pattern", format!("[url:value IN ({})]", urls.join(",")))
}

/// So many URLs of these lengths together.
fn urls_of(count: usize, bytes: usize) -> Vec<String> {
    let url = |n: usize| {
        let length = bytes / count + usize::from(n < bytes % count);
        format!("{:x<length$}", format!("http://example.com/{n}/"))
    };
    (0..count).map(url).collect()
}

/// Publishes a feed of the objects, which stand in its collection's log.
async fn published(objects: &[Object], more: Value) -> (World, Feed) {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::labelled("nothing bears this")).await;
    w.rebuilt(&c).await;
    w.append_packed(&c, objects, 1).await;
    let f = feed(&w, &c, more).await;
    let outcome = publish(&w, &f).await;
    assert!(matches!(outcome, Outcome::Published(_)), "{outcome:?}");
    (w, f)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_of_11_000_addresses_and_a_long_description_holds_no_feed_back() {
    let addresses: Vec<String> =
        (0..11_000).map(|n| format!("'10.{}.{}.1'", n / 250, n % 250)).collect();
    let hostile = indicator()
        .set("pattern", format!("[ipv4-addr:value IN ({})]", addresses.join(",")))
        .set("description", "d".repeat(180_000));
    let harmless = indicator();
    let formats = json!(["csv", "csv.gz", "txt", "json", "splunk", "sentinel"]);
    let (w, f) = published(&[hostile.clone(), harmless.clone()], json!({"formats": formats})).await;
    let csv = read(&reader(&w, "acme").await, &f, "csv").await.text();
    assert_eq!(tests::feeds::ids(&csv), [harmless.id()]);
    let edition = last_edition(&w, &f).await;
    assert_eq!((&edition["objects"], &edition["skipped"]), (&json!(1), &json!(1)), "{edition}");
    let listed = json!([{"id": hostile.id(), "reason": "too_many_rows"}]);
    assert_eq!(edition["skipped_objects"], listed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_has_1_000_rows_and_one_of_more_has_none() {
    let whole = urls(&urls_of(MAX_ROWS, 30_000));
    let over = urls(&urls_of(MAX_ROWS + 1, 30_030));
    let more = json!({"columns": ["id", "value"]});
    let (w, f) = published(&[whole.clone(), over.clone()], more).await;
    let csv = read(&reader(&w, "acme").await, &f, "csv").await.text();
    assert_eq!(tests::feeds::ids(&csv), vec![whole.id(); MAX_ROWS]);
    let edition = last_edition(&w, &f).await;
    let listed = json!([{"id": over.id(), "reason": "too_many_rows"}]);
    assert_eq!((&edition["skipped"], &edition["skipped_objects"]), (&json!(1), &listed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rows_of_an_object_have_4_mib_and_of_one_of_more_there_are_none() {
    // Characters of four bytes: as long as a description comes.
    let description = "\u{1F980}".repeat(1_000);
    let values = MAX_BYTES - MAX_ROWS * description.len();
    let object = |bytes| urls(&urls_of(MAX_ROWS, bytes)).set("description", description.as_str());
    let (whole, over) = (object(values), object(values + 1));
    let more = json!({"columns": ["value", "description"]});
    let (w, f) = published(&[whole, over.clone()], more).await;
    let csv = read(&reader(&w, "acme").await, &f, "csv").await.text();
    assert_eq!(rows(&csv).len(), MAX_ROWS);
    let edition = last_edition(&w, &f).await;
    let listed = json!([{"id": over.id(), "reason": "too_many_bytes"}]);
    assert_eq!((&edition["skipped"], &edition["skipped_objects"]), (&json!(1), &listed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_skipped_is_told_until_it_leaves_the_window() {
    let over = urls(&urls_of(MAX_ROWS + 1, 30_030));
    let (w, f) = published(&[over], json!({"rolling_minutes": 60})).await;
    assert_eq!(last_edition(&w, &f).await["skipped"], 1);
    w.later(chrono::TimeDelta::minutes(61));
    publish(&w, &f).await;
    let edition = last_edition(&w, &f).await;
    assert_eq!((&edition["skipped"], &edition["skipped_objects"]), (&json!(0), &json!([])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn formulas_and_networks_of_half_the_internet_are_free_text() {
    let object = |path: &str, value: &str| {
        indicator().set("pattern", format!("[{path} = '{}']", value.replace('\'', "\\'")))
    };
    let valid = [
        ("ipv4-addr:value", "10.0.0.0/8"),
        ("ipv6-addr:value", "2001::/16"),
        ("domain-name:value", "-dash.example.net"),
        ("url:value", "http://example.com/?a==1"),
        ("email-addr:value", "+a@example.com"),
    ];
    let free = [
        ("ipv4-addr:value", "0.0.0.0/0", "0.0.0.0/0"),
        ("ipv4-addr:value", "10.0.0.0/7", "10.0.0.0/7"),
        ("ipv6-addr:value", "::/0", "::/0"),
        ("ipv6-addr:value", "2000::/15", "2000::/15"),
        ("domain-name:value", "=1+1.example.net", "'=1+1.example.net"),
        ("url:value", "=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("email-addr:value", "@SUM(A1)", "'@SUM(A1)"),
        ("email-addr:value", "=cmd|'/Ccalc'!A0@example.com", "'=cmd|'/Ccalc'!A0@example.com"),
        ("file:hashes.MD5", "-2+3", "'-2+3"),
        ("url:value", "\t=1", "'\t=1"),
    ];
    let mut objects: Vec<Object> = valid.iter().map(|(path, value)| object(path, value)).collect();
    objects.extend(free.iter().map(|(path, value, _)| object(path, value)));
    let formats = json!(["csv", "txt", "splunk", "sentinel"]);
    let more = json!({"formats": formats, "columns": ["type", "value"], "order": "oldest_first"});
    let (w, f) = published(&objects, more).await;
    let client = reader(&w, "acme").await;
    let csv = read(&client, &f, "csv").await.text();
    let kinds = ["ipv4", "ipv6", "domain", "url", "email"];
    let mut expected: Vec<String> = kinds
        .iter()
        .zip(&valid)
        .map(|(kind, (_, value))| format!("\"{kind}\",\"{value}\""))
        .collect();
    expected.extend(free.iter().map(|(_, _, field)| format!("\"indicator\",\"{field}\"")));
    assert_eq!(rows(&csv), expected);
    let txt = read(&client, &f, "txt").await.text();
    assert_eq!(txt.lines().collect::<Vec<_>>(), valid.map(|(_, value)| value));
    let count = async |suffix: &str| read(&client, &f, suffix).await.text().lines().count() - 1;
    assert_eq!(count("sentinel.csv").await, 5);
    for (kind, rows) in [("ip", 2), ("domain", 1), ("http", 1), ("file", 0), ("email", 1)] {
        assert_eq!(count(&format!("splunk.{kind}.csv")).await, rows, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn free_text_is_cut_after_1_000_characters() {
    let texts = [1_000, 1_001].map(|length| "漢".repeat(length));
    let named = |text: &String| {
        let labels = json!([text, "after"]);
        indicator()
            .set("description", text.as_str())
            .set("labels", labels)
            .set("x_note", text.as_str())
    };
    let objects: Vec<Object> = texts.iter().map(named).collect();
    let note = json!({"name": "note", "path": "x_note"});
    let more = json!({"columns": ["description", "tags", note], "formats": ["csv", "json"]});
    let (w, f) = published(&objects, more).await;
    let client = reader(&w, "acme").await;
    let whole = &texts[0];
    let row = format!("\"{whole}\",\"{whole}\",\"{whole}\"");
    assert_eq!(rows(&read(&client, &f, "csv").await.text()), [row.as_str(), row.as_str()]);
    for line in read(&client, &f, "json").await.text().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line, json!({"description": whole, "tags": [whole], "note": whole}));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_source_is_the_authors_name_where_no_reference_names_one() {
    let w = World::of_operator().await;
    let identity = |name: &str, level: Tlp| {
        Object::of(json!({
            "type": "identity", "spec_version": "2.1", "id": fresh_id("identity"),
            "created": FIRST, "modified": FIRST, "name": name,
            "object_marking_refs": [level.marking_id()],
        }))
    };
    let (known, secret) = (identity("=Lab", Tlp::Clear), identity("Secret Lab", Tlp::Red));
    let foreign = identity("Foreign", Tlp::Clear);
    let operator = w.http.with_key(w.admin_key());
    let theirs = [known.clone(), secret.clone()];
    let post = operator.post("/api/v1/objects").body("application/json", envelope(&theirs));
    let _ = post.await.expect(200);
    let acme = w.key(tests::keys::KeySpec::of("acme")).await;
    let post = w.http.with_key(&acme.text).post("/api/v1/objects");
    let ours = envelope(std::slice::from_ref(&foreign));
    let _ = post.body("application/json", ours).await.expect(200);
    let by = |author: &Object| indicator().set("created_by_ref", author.id());
    let reference = json!([{"source_name": "Reference", "url": "https://example.com/"}]);
    let objects = [
        by(&known).set("external_references", reference),
        by(&known),
        by(&secret),
        by(&foreign),
        indicator().without("created_by_ref"),
    ];
    let c = w.collection(CollectionSpec::labelled("nothing bears this")).await;
    w.append_packed(&c, &objects, 1).await;
    let f = feed(&w, &c, json!({"columns": ["source"], "order": "oldest_first"})).await;
    publish(&w, &f).await;
    let csv = read(&reader(&w, "acme").await, &f, "csv").await.text();
    assert_eq!(rows(&csv), ["\"Reference\"", "\"'=Lab\"", "\"\"", "\"\"", "\"\""]);
}
