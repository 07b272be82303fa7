//! taxii.md, Reads: `match[…]`.

use tests::client::Client;
use tests::collection::{Collection, CollectionSpec};
use tests::fixtures::{
    FIRST, Object, SECOND, THIRD, identity, indicator, indicator_of_stix_2_0, malware,
};
use tests::taxii_reading::Page;
use tests::world::World;

type Query<'a> = &'a [(&'a str, &'a str)];

/// The ids that the objects of a query have, sorted.
async fn found(client: &Client, collection: &Collection, query: Query<'_>) -> Vec<String> {
    let answer = client.get(&collection.objects()).queries(query).await;
    let mut ids = Page::of(&answer).ids();
    let listed = client.get(&collection.manifest()).queries(query).await;
    let mut listed = Page::of(&listed).ids();
    ids.sort();
    listed.sort();
    assert_eq!(ids, listed, "objects and manifest disagree on {query:?}");
    ids
}

/// The versions that the objects of a query have, in order.
async fn versions(client: &Client, collection: &Collection, wanted: &str) -> Vec<String> {
    let answer = client.get(&collection.objects()).query("match[version]", wanted).await;
    let page = Page::of(&answer);
    let mut all: Vec<_> =
        page.items.iter().map(|o| o["modified"].as_str().unwrap().to_owned()).collect();
    all.sort();
    all
}

fn sorted_ids(objects: &[&Object]) -> Vec<String> {
    let mut ids: Vec<String> = objects.iter().map(|object| object.id().to_owned()).collect();
    ids.sort();
    ids
}

async fn match_id_selects_one_or_any_of_several(w: &World) {
    let [a, b, c] = [indicator(), malware("One"), identity("Two")];
    let held = w.holding(&[a.clone(), b.clone(), c.clone()]).await;
    let reader = w.reader();
    assert_eq!(found(&reader, &held, &[("match[id]", a.id())]).await, [a.id()]);
    let two = format!("{},{}", c.id(), a.id());
    assert_eq!(found(&reader, &held, &[("match[id]", &two)]).await, sorted_ids(&[&a, &c]));
    let unknown = "indicator--00000000-0000-4000-8000-000000000000";
    assert!(found(&reader, &held, &[("match[id]", unknown)]).await.is_empty());
    let one_known = format!("{unknown},{}", b.id());
    assert_eq!(found(&reader, &held, &[("match[id]", &one_known)]).await, [b.id()]);
}

async fn match_type_selects_one_or_any_of_several(w: &World) {
    let [a, b, c] = [indicator(), malware("One"), identity("Two")];
    let held = w.holding(&[a.clone(), b.clone(), c.clone()]).await;
    let reader = w.reader();
    assert_eq!(found(&reader, &held, &[("match[type]", "malware")]).await, [b.id()]);
    let two = [("match[type]", "malware,identity")];
    assert_eq!(found(&reader, &held, &two).await, sorted_ids(&[&b, &c]));
    assert!(found(&reader, &held, &[("match[type]", "campaign")]).await.is_empty());
}

async fn different_matches_must_all_hold(w: &World) {
    let [a, b] = [indicator(), malware("One")];
    let held = w.holding(&[a.clone(), b.clone()]).await;
    let both = format!("{},{}", a.id(), b.id());
    let query = [("match[id]", &*both), ("match[type]", "malware")];
    assert_eq!(found(&w.reader(), &held, &query).await, [b.id()]);
}

async fn match_is_read_whether_or_not_its_brackets_are_encoded(w: &World) {
    let held = w.holding(&[indicator(), malware("One")]).await;
    for query in ["match[type]=malware", "match%5Btype%5D=malware", "match%5btype%5d=malware"] {
        let answer = w.reader().get(&format!("{}?{query}", held.objects())).await;
        assert_eq!(Page::of(&answer).items.len(), 1, "{query}");
    }
}

async fn an_unknown_match_is_ignored(w: &World) {
    let held = w.holding(&[indicator(), malware("One")]).await;
    let query = [("match[colour]", "red"), ("match[x_mitre]", "")];
    assert_eq!(found(&w.reader(), &held, &query).await.len(), 2);
}

async fn malformed_empty_and_repeated_matches_are_refused_by_name(w: &World) {
    let object = indicator();
    let held = w.holding(std::slice::from_ref(&object)).await;
    let mut refused = vec![("match[id]", "not-an-id"), ("match[type]", "Not A Type")];
    refused.push(("match[spec_version]", "two"));
    refused.push(("match[version]", "newest"));
    refused.push(("match[version]", "2026-13-01T00:00:00Z"));
    refused.push(("match[version]", "all,last"));
    refused.push(("match[version]", "2026-01-01T00:00:00.000Z,all"));
    for name in ["match[id]", "match[type]", "match[spec_version]", "match[version]"] {
        refused.push((name, ""));
    }
    for (name, value) in refused {
        for path in [held.objects(), held.manifest()] {
            let answer = w.reader().get(&path).query(name, value).await;
            assert_eq!(answer.status, 400, "{path} {name}={value:?}: {}", answer.text());
            assert!(answer.json()["details"].to_string().contains(name), "{}", answer.text());
        }
    }
    for (name, value) in [("match[type]", "indicator"), ("match[version]", "last")] {
        let twice = w.reader().get(&held.objects()).query(name, value).query(name, value).await;
        assert!(twice.expect(400).json()["details"].to_string().contains(name));
    }
    let version = w.reader().get(&held.object(object.id())).query("match[version]", "newest");
    let _ = version.await.expect(400);
}

async fn match_version_selects_last_first_all_or_a_moment(w: &World) {
    let first = indicator();
    let held = w.holding(std::slice::from_ref(&first)).await;
    let third = first.clone().at(THIRD);
    w.load(&held, &[first.clone().at(SECOND)]).await;
    w.load(&held, std::slice::from_ref(&third)).await;
    let reader = w.reader();
    let default = Page::of(&reader.get(&held.objects()).await);
    assert_eq!(default.items, [third.json()]);
    assert_eq!(versions(&reader, &held, "last").await, [THIRD]);
    assert_eq!(versions(&reader, &held, "first").await, [FIRST]);
    assert_eq!(versions(&reader, &held, "all").await, [FIRST, SECOND, THIRD]);
    assert_eq!(versions(&reader, &held, SECOND).await, [SECOND]);
    assert_eq!(versions(&reader, &held, "2026-02-01T00:00:00Z").await, [SECOND], "one instant");
    assert_eq!(versions(&reader, &held, "first,last").await, [FIRST, THIRD]);
    assert_eq!(versions(&reader, &held, &format!("{SECOND},last")).await, [SECOND, THIRD]);
    assert_eq!(versions(&reader, &held, &format!("{FIRST},first")).await, [FIRST]);
    assert!(versions(&reader, &held, "2020-01-01T00:00:00Z").await.is_empty());
}

async fn every_version_has_a_position_of_its_own(w: &World) {
    let first = indicator();
    let held = w.holding(std::slice::from_ref(&first)).await;
    w.load(&held, &[first.clone().at(SECOND)]).await;
    let query = [("match[version]", "all")];
    let page = Page::of(&w.reader().get(&held.manifest()).queries(&query).await);
    let dates: Vec<&str> = page.items.iter().map(|e| e["date_added"].as_str().unwrap()).collect();
    assert_eq!(dates.len(), 2);
    assert!(dates[0] < dates[1]);
    let later = [("match[version]", "all"), ("added_after", dates[0])];
    let page = Page::of(&w.reader().get(&held.objects()).queries(&later).await);
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0]["modified"], SECOND);
}

async fn match_spec_version_selects_2_0_beside_2_1(w: &World) {
    let spec = CollectionSpec { stix_2_0: true, ..CollectionSpec::everything() };
    let held = w.collection(spec).await;
    let [old, new] = [indicator_of_stix_2_0(), indicator()];
    w.load(&held, &[old.clone(), new.clone()]).await;
    let reader = w.reader();
    assert_eq!(found(&reader, &held, &[("match[spec_version]", "2.0")]).await, [old.id()]);
    assert_eq!(found(&reader, &held, &[("match[spec_version]", "2.1")]).await, [new.id()]);
    let both = found(&reader, &held, &[("match[spec_version]", "2.0,2.1")]).await;
    assert_eq!(both, sorted_ids(&[&old, &new]));
    let page = reader.get(&held.objects()).query("match[spec_version]", "2.0").await;
    assert_eq!(Page::of(&page).items, [old.json()], "a 2.0 object is kept as it came");
}

over_both_transports!(
    match_id_selects_one_or_any_of_several,
    match_type_selects_one_or_any_of_several,
    different_matches_must_all_hold,
    match_is_read_whether_or_not_its_brackets_are_encoded,
    an_unknown_match_is_ignored,
    malformed_empty_and_repeated_matches_are_refused_by_name,
    match_version_selects_last_first_all_or_a_moment,
    every_version_has_a_position_of_its_own,
    match_spec_version_selects_2_0_beside_2_1,
);
