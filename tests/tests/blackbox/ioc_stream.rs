//! The IOC stream (contract: ioc-stream): vt-py over it, posts of hunting engines, pages, filters,
//! tenants and clearance.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::access::Scope;
use shared::notification::{Notification, Source};
use shared::tlp::Tlp;
use tests::chance::{Chance, seed};
use tests::keys::KeySpec;
use tests::notifications::{
    NOTIFICATIONS, STREAM, all, facets, first_cause, ids, made, post, posted,
};
use tests::patience::until;
use tests::python;
use tests::service::file;
use tests::world::World;

const TENANT: &str = "acme";

/// A tenant's notifications, oldest first.
async fn loaded(world: &World, count: usize) -> Vec<Notification> {
    let first = first_cause();
    let all: Vec<Notification> = (0..count).map(|number| made(TENANT, first, number)).collect();
    world.load_notifications(TENANT, &all).await;
    all
}

/// Every filter there is: one for each key, and every two of different keys.
fn filters() -> Vec<Vec<(&'static str, String)>> {
    let one: Vec<(&str, String)> = facets(41).into_iter().collect();
    let mut filters: Vec<Vec<_>> = one.iter().map(|term| vec![term.clone()]).collect();
    for (at, first) in one.iter().enumerate() {
        filters.extend(one.iter().skip(at + 1).map(|second| vec![first.clone(), second.clone()]));
    }
    filters
}

fn text(filter: &[(&str, String)]) -> String {
    filter.iter().map(|(key, value)| format!("{key}:{value}")).collect::<Vec<_>>().join(" ")
}

/// The ids of those that match, newest first.
fn matching(count: usize, loaded: &[Notification], filter: &[(&str, String)]) -> Vec<String> {
    let matches = |number: &usize| filter.iter().all(|(key, value)| facets(*number)[key] == *value);
    (0..count).rev().filter(matches).map(|number| loaded[number].id.to_string()).collect()
}

/// A key whose plan allows two requests a day.
async fn limited(world: &World) -> String {
    let terms = json!({"scopes": ["read:ioc_stream"], "requests_per_day": 2});
    world.plan("two", terms).await;
    world.key(KeySpec::of(TENANT).with([Scope::ReadIocStream]).on("two")).await.text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_plan_does_not_allow_is_a_quota_exceeded() {
    let w = World::http().await;
    let client = w.http.with_key(&limited(&w).await);
    let _ = client.get(STREAM).await.expect(200);
    let refused = until("the day's requests are used up", async || {
        let answer = client.get(STREAM).await;
        (answer.status != 200).then_some(answer)
    })
    .await
    .expect(429);
    assert_eq!(refused.json()["error"]["code"], "QuotaExceededError");
    assert!(refused.header("retry-after").is_some());
}

/// What a list of kinds speaks of is found for as long as it is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lists_of_kinds_are_kept_as_long_as_what_they_speak_of() {
    const DAY: u64 = 86_400;
    let w = World::http().await;
    let first = first_cause();
    let for_days = |number: usize, days: u64| {
        let one = made(TENANT, first, number);
        let expires = one.id.seconds() + days * DAY;
        let source = Source { id: "one".to_owned(), ..one.source };
        Notification { tags: vec!["x".to_owned()], source, expires, ..one }
    };
    let (mut all, mut longest) = (Vec::new(), 0);
    for (number, days) in [(0, 60), (1, 10), (0, 30), (5, 90), (5, 20)] {
        let one = for_days(number, days);
        longest = longest.max(one.expires);
        // Each by an instance that does not remember what others wrote.
        w.load_notifications(TENANT, std::slice::from_ref(&one)).await;
        let kept = w.kinds_are_kept_until().await;
        assert_eq!(kept.len(), 3, "of all, of those with the tag and of those from the source");
        assert!(kept.iter().all(|until| *until > longest), "{kept:?}, not {longest}");
        all.push(one.id.to_string());
    }
    all.sort();
    all.dedup();
    let client = w.stream_client(TENANT).await;
    for filter in ["tag:x", "tag:x origin:hunting", "origin:hunting"] {
        let mut found = self::all(&client, &[("filter", filter)]).await;
        found.sort();
        assert_eq!(found, all, "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn vt_py_iterates_filters_resumes_gets_deletes_and_reads_errors() {
    const COUNT: usize = 120;
    let w = World::http().await;
    let all = loaded(&w, COUNT).await;
    let mut wanted = serde_json::Map::new();
    wanted.insert(String::new(), json!(matching(COUNT, &all, &[])));
    for filter in filters() {
        wanted.insert(text(&filter), json!(matching(COUNT, &all, &filter)));
    }
    let middle = all[60].id;
    let newer: Vec<String> = all[60..].iter().rev().map(|one| one.id.to_string()).collect();
    wanted.insert(format!("date:{}+", middle.cause()), json!(newer));
    let older: Vec<String> = all[..60].iter().rev().map(|one| one.id.to_string()).collect();
    wanted.insert(format!("  date:{}-  ", middle.cause()), json!(older));
    wanted.insert("date:1d+".to_owned(), json!([]));
    // Each filter within a window of time, and all of them at once, under either name of a tag.
    let window = format!("date:{}+ date:{}-", all[20].id.cause(), all[100].id.cause());
    let every: Vec<(&'static str, String)> = facets(41).into_iter().collect();
    for filter in every.iter().map(|term| vec![term.clone()]).chain([every.clone()]) {
        let within = all[20..100].iter().map(|one| one.id.to_string()).collect::<BTreeSet<_>>();
        let mut ids = matching(COUNT, &all, &filter);
        ids.retain(|id| within.contains(id));
        assert!(!ids.is_empty(), "{filter:?}");
        let text = text(&filter).replace("tag:", "notification_tag:");
        wanted.insert(format!("{window} {text}"), json!(ids));
    }
    let folder = tempfile::tempdir().unwrap();
    let filters = file(folder.path(), "filters.json", json!({"filters": wanted}).to_string());
    let scopes = [Scope::ReadIocStream, Scope::DeleteIocStream];
    let key = w.key(KeySpec::of(TENANT).with(scopes)).await.text;
    let mut bad = key.clone();
    bad.replace_range(30..31, if bad.as_bytes()[30] == b'a' { "b" } else { "a" });
    let revoked = w.key(KeySpec::of(TENANT).with(scopes)).await;
    w.revoke(&revoked).await;
    let other = w.key(KeySpec::of(TENANT).with([Scope::ReadTaxii])).await.text;
    let limited = limited(&w).await;
    let filters = filters.to_str().unwrap();
    let keys = [&key, &bad, &revoked.text, &other, &limited].map(String::as_str);
    let arguments = [&[w.http.base_url()], &keys[..], &[filters]].concat();
    let said = python::run("ioc_stream.py", &arguments).await;
    assert!(said.contains("tag-1 deleted"), "{said}");
    let client = w.stream_client(TENANT).await;
    until("what vt-py deleted is gone", async || {
        let page = client.get(STREAM).query("filter", "tag:tag-1").await.expect(200).json();
        page["data"].as_array().unwrap().is_empty().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hunting_engine_posts_once_and_nobody_learns_the_submitter() {
    let w = World::http().await;
    let client = w.stream_client(TENANT).await;
    let body = posted("host.example.com", "ruleset-1", &["rule", "user"]);
    let send = async |key: &str, body: &Value| {
        let request = client.post("/api/v1/notifications").header("idempotency-key", key);
        request.body("application/json", body.to_string()).await
    };
    let first = send("k1", &body).await.expect(200).json();
    assert_eq!(first["outcome"], "created");
    let again = send("k1", &body).await.expect(200).json();
    assert_eq!((&again["id"], &again["outcome"]), (&first["id"], &json!("unchanged")));
    let other = posted("other.example.com", "ruleset-1", &[]);
    assert_eq!(
        send("k1", &other).await.expect(409).json()["error"]["code"],
        "idempotency_key_reused"
    );
    let page = client.get(STREAM).await.expect(200).json();
    assert_eq!(ids(&page).0, [first["id"].as_str().unwrap()]);
    assert_eq!(page["meta"], json!({"count": 1}));
    assert!(page["links"].get("next").is_none());
    let info = &page["data"][0]["context_attributes"]["hunting_info"];
    let key = info["source_key"].as_str().unwrap();
    assert_eq!((key.len(), &info["source_country"]), (32, &json!("ZZ")));
    assert!(!page.to_string().contains("submitter-1"));
    // Deleted, it does not come back when it is sent again.
    let path = format!("{NOTIFICATIONS}/{}", first["id"].as_str().unwrap());
    let deleted = client.delete(&path).await.expect(200);
    assert!(deleted.body.is_empty());
    assert_eq!(client.delete(&path).await.expect(404).json()["error"]["code"], "NotFoundError");
    assert_eq!(send("k1", &body).await.expect(200).json()["outcome"], "unchanged");
    assert!(all(&client, &[]).await.is_empty());
    // The same submitter has the same key in this tenant, and another in another.
    let key_for = async |tenant: &str| {
        let client = w.stream_client(tenant).await;
        let id = post(&client, &posted("a.example.com", "ruleset-2", &[])).await;
        let one = client.get(&format!("{NOTIFICATIONS}/{id}")).await.expect(200).json();
        one["data"]["attributes"]["hunting_info"]["source_key"].as_str().unwrap().to_owned()
    };
    assert_eq!(key_for(TENANT).await, key);
    assert_ne!(key_for("other").await, key);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_that_is_wrong_is_told_what_is() {
    let w = World::http().await;
    let client = w.stream_client(TENANT).await;
    let good = posted("host.example.com", "ruleset-1", &[]);
    let with = |pointer: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        body.to_string()
    };
    for (body, part) in [
        ("{".to_owned(), "EOF"),
        (with("/entity/value", json!("192.0.2.1")), "write a domain name"),
        (with("/entity/type", json!("email")), "unknown variant"),
        (with("/source/type", json!("collection")), "use hunting_ruleset or retrohunt_job"),
        (with("/source/id", json!(" ")), "`source.id` has 1 to"),
        (with("/tags", json!(vec!["x"; 41])), "40 tags at most"),
        (with("/hunting_info/snippet", json!("x".repeat(70_000))), "snippet"),
    ] {
        let answer = client.post("/api/v1/notifications").body("application/json", body).await;
        let error = answer.expect(400).json()["error"].clone();
        assert_eq!(error["code"], "invalid_notification");
        assert!(error["message"].as_str().unwrap().contains(part), "{error}");
    }
    let plain = client.post("/api/v1/notifications").body("text/plain", good.to_string());
    assert_eq!(plain.await.status, 415);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_and_clearances_are_kept_apart() {
    let w = World::http().await;
    let client = w.stream_client(TENANT).await;
    let mut red = posted("red.example.com", "ruleset-1", &["x"]);
    red["tlp"] = json!("red");
    let hidden = post(&client, &red).await;
    let seen = post(&client, &posted("amber.example.com", "ruleset-1", &["x"])).await;
    for filter in ["", "tag:x", "source_id:ruleset-1", "entity_type:domain tag:x"] {
        let found = all(&client, &[("filter", filter)]).await;
        assert_eq!(found, std::slice::from_ref(&seen), "{filter}");
    }
    let path = |id: &str| format!("{NOTIFICATIONS}/{id}");
    let missing = client.get(&path(&hidden)).await.expect(404).json();
    let never = client.get(&path(&"1".repeat(26))).await.expect(404).json();
    assert_eq!(missing["error"]["code"], never["error"]["code"]);
    assert_eq!(client.delete(&path(&hidden)).await.status, 404);
    let other = w.stream_client("other").await;
    assert!(all(&other, &[]).await.is_empty());
    assert_eq!(other.get(&path(&seen)).await.status, 404);
    assert_eq!(other.delete(&path(&seen)).await.status, 404);
    let cleared = KeySpec::of(TENANT).with([Scope::ReadIocStream]).cleared(Tlp::Red);
    let cleared = w.http.with_key(&w.key(cleared).await.text);
    assert_eq!(all(&cleared, &[]).await, [seen, hidden]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_looks_back_a_day_says_so() {
    let w = World::http().await;
    loaded(&w, 8).await;
    let client = w.stream_client(TENANT).await;
    let now = post(&client, &posted("new.example.com", "ruleset-1", &[])).await;
    let free = KeySpec::of(TENANT).with([Scope::ReadIocStream]).on("free");
    let free = w.http.with_key(&w.key(free).await.text);
    let page = free.get(STREAM).await.expect(200);
    assert!(page.header("x-lookback-clamped-to").is_some());
    assert_eq!(ids(&page.json()).0, [now]);
    let recent = free.get(STREAM).query("filter", "date:1h+").await.expect(200);
    assert!(recent.header("x-lookback-clamped-to").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_cannot_be_read_fails_no_page() {
    let w = World::http().await;
    let all_of_it = loaded(&w, 12).await;
    w.damage_notification(TENANT, &all_of_it[5].id.to_string()).await;
    let client = w.stream_client(TENANT).await;
    for filter in ["", "date:30d+", "origin:hunting", "origin:subscriptions"] {
        for limit in ["3", "40"] {
            let found = all(&client, &[("filter", filter), ("limit", limit)]).await;
            assert!(!found.contains(&all_of_it[5].id.to_string()));
        }
    }
    assert_eq!(all(&client, &[]).await.len(), 11);
}

/// A reader that pages through while others delete and post: what was there all the time is seen
/// once, in order, and no page with a cursor is empty.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_skipped_or_repeated_whatever_is_deleted_or_comes_meanwhile() {
    const COUNT: usize = 120;
    let w = World::http().await;
    let there = loaded(&w, COUNT).await;
    let client = w.stream_client(TENANT).await;
    let mut chance = Chance::of(seed(0));
    let mut left: BTreeSet<usize> = (0..COUNT).collect();
    for (filter, order) in
        [("", "date-"), ("", "date+"), ("tag:tag-1", "date-"), ("origin:hunting", "date+")]
    {
        let doomed: Vec<usize> = left.iter().copied().filter(|_| chance.below(4) == 0).collect();
        let delete = async {
            for number in &doomed {
                let path = format!("{NOTIFICATIONS}/{}", there[*number].id);
                let _ = client.delete(&path).await.expect(200);
                let _ = post(&client, &posted("new.example.com", "ruleset-9", &["tag-1"])).await;
            }
        };
        let query = [("filter", filter), ("order", order), ("limit", "6")];
        let (seen, ()) = tokio::join!(all(&client, &query), delete);
        for number in &doomed {
            left.remove(number);
        }
        let unique: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(unique.len(), seen.len(), "repeated: {seen:?}");
        let ordered =
            if order == "date+" { seen.is_sorted() } else { seen.iter().rev().is_sorted() };
        assert!(ordered, "{seen:?}");
        for number in &left {
            let facets = facets(*number);
            let matches = match filter {
                "" => true,
                "tag:tag-1" => facets["tag"] == "tag-1",
                _ => facets["origin"] == "hunting",
            };
            let id = there[*number].id.to_string();
            assert_eq!(unique.contains(&id), matches, "{id} by {filter:?} {order}");
        }
    }
}
