//! taxii.md, Reads: one object, and its versions.

use serde_json::json;
use tests::collection::CollectionSpec;
use tests::fixtures::{FIRST, SECOND, THIRD, indicator, indicators};
use tests::taxii_reading::{Page, items, pages_by_next};
use tests::world::World;

async fn an_object_is_its_last_version_and_nothing_else(w: &World) {
    let objects = indicators(3);
    let c = w.holding(&objects).await;
    let newer = objects[1].clone().at(SECOND).set("name", "newer");
    w.load(&c, std::slice::from_ref(&newer)).await;
    let page = Page::of(&w.reader().get(&c.object(newer.id())).await);
    assert_eq!(page.items, [newer.json()]);
    let all = w.reader().get(&c.object(newer.id())).query("match[version]", "all").await;
    assert_eq!(Page::of(&all).items, [objects[1].json(), newer.json()]);
    let first = w.reader().get(&c.object(newer.id())).query("match[version]", "first").await;
    assert_eq!(Page::of(&first).items, [objects[1].json()]);
}

async fn versions_are_listed_exactly_as_they_came(w: &World) {
    let spellings =
        ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.1Z", "2026-01-02T00:00:00.123456Z"];
    let object = indicator().set("created", spellings[0]);
    let c = w.collection(CollectionSpec::everything()).await;
    for spelling in spellings {
        w.load(&c, &[object.clone().at(spelling)]).await;
    }
    let body = w.reader().get(&c.versions(object.id())).await.expect(200).json();
    assert_eq!(body, json!({ "versions": spellings }));
}

async fn an_older_version_that_comes_late_is_kept_as_history(w: &World) {
    let last = indicator().at(THIRD);
    let c = w.holding(std::slice::from_ref(&last)).await;
    let late = last.clone().at(FIRST).set("name", "the first");
    let answer = w.send(std::slice::from_ref(&late)).await;
    assert_eq!(answer["results"][0]["outcome"], "stale", "{answer}");
    w.settled(&c, std::slice::from_ref(&late)).await;
    let page = Page::of(&w.reader().get(&c.object(last.id())).await);
    assert_eq!(page.items, [last.json()], "the last version stays the last");
    let first = w.reader().get(&c.object(last.id())).query("match[version]", "first").await;
    assert_eq!(Page::of(&first).items, [late.json()]);
    let body = w.reader().get(&c.versions(last.id())).await.expect(200).json();
    let mut versions: Vec<_> = body["versions"].as_array().unwrap().clone();
    versions.sort_by_key(ToString::to_string);
    assert_eq!(versions, [FIRST, THIRD]);
}

async fn objects_and_versions_of_one_object_are_paged(w: &World) {
    let object = indicator();
    let c = w.collection(CollectionSpec::everything()).await;
    let versions: Vec<_> =
        (1..=7).map(|day| object.clone().at(&format!("2026-01-0{day}T00:00:00.000Z"))).collect();
    for version in &versions {
        w.load(&c, std::slice::from_ref(version)).await;
    }
    let query = [("match[version]", "all"), ("limit", "3")];
    let pages = pages_by_next(&w.reader(), &c.object(object.id()), &query).await;
    assert_eq!(pages.len(), 3);
    let expected: Vec<_> = versions.iter().map(tests::fixtures::Object::json).collect();
    assert_eq!(items(&pages), expected);
    let pages = pages_by_next(&w.reader(), &c.versions(object.id()), &[("limit", "3")]).await;
    assert_eq!(pages.len(), 3);
    let expected: Vec<_> = versions.iter().map(|version| json!(version.version())).collect();
    assert_eq!(items(&pages), expected);
}

async fn an_unknown_object_is_404_on_all_its_routes(w: &World) {
    let elsewhere = indicator();
    let c = w.collection(CollectionSpec::labelled("here")).await;
    let other = w.holding(std::slice::from_ref(&elsewhere)).await;
    let unknown = "indicator--00000000-0000-4000-8000-000000000000";
    for id in [unknown, "not-an-id", elsewhere.id()] {
        let _ = w.reader().get(&c.object(id)).await.expect(404);
        let _ = w.reader().get(&c.versions(id)).await.expect(404);
    }
    let _ = w.reader().get(&other.object(elsewhere.id())).await.expect(200);
    let missing = w.collection(CollectionSpec::everything()).await;
    let path = missing.objects().replace(&missing.id, "00000000-0000-4000-8000-000000000000");
    let _ = w.reader().get(&path).await.expect(404);
}

over_both_transports!(
    an_object_is_its_last_version_and_nothing_else,
    versions_are_listed_exactly_as_they_came,
    an_older_version_that_comes_late_is_kept_as_history,
    objects_and_versions_of_one_object_are_paged,
    an_unknown_object_is_404_on_all_its_routes,
);
