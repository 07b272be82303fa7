//! taxii.md, Reads: the manifest.

use std::collections::BTreeSet;

use tests::collection::CollectionSpec;
use tests::fixtures::{
    FIRST, SECOND, domain_observable, indicator, indicator_of_stix_2_0, indicators, malware,
};
use tests::taxii_reading::{
    Page, all_objects, assert_taxii_timestamp, ids, items, manifest, pages_by_next, whole_manifest,
};
use tests::world::World;

async fn an_entry_has_id_date_version_and_media_type(w: &World) {
    let object = indicator();
    let c = w.holding(std::slice::from_ref(&object)).await;
    let entries = manifest(&w.reader(), &c).await;
    let entry = entries[0].as_object().unwrap();
    let members: BTreeSet<&str> = entry.keys().map(String::as_str).collect();
    assert_eq!(members, BTreeSet::from(["date_added", "id", "media_type", "version"]));
    assert_eq!(entry["id"], object.id());
    assert_eq!(entry["version"], FIRST);
    assert_eq!(entry["media_type"], "application/stix+json;version=2.1");
    assert_taxii_timestamp(entry["date_added"].as_str().unwrap());
}

async fn the_manifest_lists_what_objects_holds_in_the_same_order(w: &World) {
    let mut objects = indicators(40);
    objects.push(malware("One"));
    let c = w.holding(&objects).await;
    w.load(&c, &[objects[7].clone().at(SECOND)]).await;
    let listed = manifest(&w.reader(), &c).await;
    assert_eq!(ids(&listed), ids(&all_objects(&w.reader(), &c).await));
    let pages = pages_by_next(&w.reader(), &c.manifest(), &[("limit", "6")]).await;
    assert_eq!(items(&pages), listed, "paging changes nothing");
    assert_eq!(pages.len(), 7);
}

async fn the_manifest_has_an_entry_for_every_version_asked_for(w: &World) {
    let object = indicator();
    let c = w.holding(std::slice::from_ref(&object)).await;
    w.load(&c, &[object.clone().at(SECOND)]).await;
    let versions = |entries: Vec<serde_json::Value>| {
        entries.iter().map(|e| e["version"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(versions(manifest(&w.reader(), &c).await), [SECOND]);
    assert_eq!(versions(whole_manifest(&w.reader(), &c).await), [FIRST, SECOND]);
    let first = w.reader().get(&c.manifest()).query("match[version]", "first").await;
    assert_eq!(versions(Page::of(&first).items), [FIRST]);
}

async fn an_observable_has_a_version_though_it_names_none(w: &World) {
    let object = domain_observable();
    let c = w.collection(CollectionSpec::everything()).await;
    w.send(std::slice::from_ref(&object)).await;
    let entry = tests::patience::until("the observable is listed", async || {
        let answer = w.reader().get(&c.manifest()).query("match[id]", object.id()).await;
        Page::of(&answer).items.first().cloned()
    })
    .await;
    let version = entry["version"].as_str().unwrap().to_owned();
    assert!(chrono::DateTime::parse_from_rfc3339(&version).is_ok(), "{version}");
    let body = w.reader().get(&c.versions(object.id())).await.expect(200).json();
    assert_eq!(body["versions"], serde_json::json!([version]));
    let read = w.reader().get(&c.object(object.id())).await.expect(200).json();
    assert_eq!(read["objects"][0], object.json(), "nothing is written into the object");
}

async fn a_stix_2_0_object_is_listed_as_such(w: &World) {
    let spec = CollectionSpec { stix_2_0: true, ..CollectionSpec::everything() };
    let c = w.collection(spec).await;
    let object = indicator_of_stix_2_0();
    w.load(&c, std::slice::from_ref(&object)).await;
    let entries = manifest(&w.reader(), &c).await;
    let media_type = entries[0]["media_type"].as_str().unwrap();
    assert!(media_type.ends_with("version=2.0"), "{media_type}");
}

over_both_transports!(
    an_entry_has_id_date_version_and_media_type,
    the_manifest_lists_what_objects_holds_in_the_same_order,
    the_manifest_has_an_entry_for_every_version_asked_for,
    an_observable_has_a_version_though_it_names_none,
    a_stix_2_0_object_is_listed_as_such,
);
