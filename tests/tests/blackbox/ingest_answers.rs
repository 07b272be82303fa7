//! ingest.md, What is promised: the answer for each object, and that objects are kept as sent.

use serde_json::{Value, json};
use tests::collection::CollectionSpec;
use tests::exact::Exact;
use tests::fixtures::{
    FIRST, SECOND, THIRD, bundle, domain_observable, envelope, indicator, indicators, malware,
    relationship,
};
use tests::taxii_reading::Page;
use tests::world::World;

async fn post(w: &World, body: &str) -> Value {
    let request = w.ingest().post("/api/v1/objects");
    request.body("application/json", body.to_owned()).await.expect(200).json()
}

fn assert_counts(answer: &Value, counts: &[(&str, u64)]) {
    for name in ["created", "updated", "unchanged", "stale", "deleted", "rejected"] {
        let expected = counts.iter().find(|count| count.0 == name).map_or(0, |count| count.1);
        assert_eq!(answer[name], expected, "{name}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_is_per_object() {
    let w = World::http().await;
    let object = indicator().at(SECOND);
    let answer = w.send(std::slice::from_ref(&object)).await;
    assert_counts(&answer, &[("created", 1)]);
    assert_eq!(
        answer["results"],
        json!([{"index": 0, "id": object.id(), "version": SECOND, "outcome": "created"}])
    );
    let again = w.send(std::slice::from_ref(&object)).await;
    assert_counts(&again, &[("unchanged", 1)]);
    assert_eq!(again["results"][0]["outcome"], "unchanged");
    assert!(again["results"][0].get("content_differs").is_none(), "{again}");
    let newer = w.send(&[object.clone().at(THIRD)]).await;
    assert_counts(&newer, &[("updated", 1)]);
    let older = w.send(&[object.clone().at(FIRST)]).await;
    assert_counts(&older, &[("stale", 1)]);
    let older_again = w.send(&[object.clone().at(FIRST)]).await;
    assert_counts(&older_again, &[("unchanged", 1)]);
    let middle_again = w.send(std::slice::from_ref(&object)).await;
    assert_counts(&middle_again, &[("unchanged", 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_version_with_other_content_keeps_the_first() {
    let w = World::http().await;
    let object = indicator();
    let c = w.holding(std::slice::from_ref(&object)).await;
    let answer = w.send(&[object.clone().set("name", "another")]).await;
    assert_counts(&answer, &[("unchanged", 1)]);
    assert_eq!(answer["results"][0]["content_differs"], true, "{answer}");
    let page = Page::of(&w.reader().get(&c.object(object.id())).await);
    assert_eq!(page.items, [object.json()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_observable_sent_again_with_other_content_replaces_the_old() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let object = domain_observable();
    assert_counts(&w.send(std::slice::from_ref(&object)).await, &[("created", 1)]);
    assert_counts(&w.send(std::slice::from_ref(&object)).await, &[("unchanged", 1)]);
    let other = object.clone().set("x_note", "changed");
    assert_counts(&w.send(std::slice::from_ref(&other)).await, &[("updated", 1)]);
    tests::patience::until("the new content is read", async || {
        let answer = w.reader().get(&c.object(object.id())).await;
        (answer.status == 200 && Page::of(&answer).items == [other.json()]).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_object_never_rejects_its_neighbours() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let good = indicators(4);
    let bad = indicator().without("pattern");
    let objects = [good[0].clone(), good[1].clone(), bad, good[2].clone(), good[3].clone()];
    let answer = post(&w, &bundle(&objects)).await;
    assert_counts(&answer, &[("created", 4), ("rejected", 1)]);
    let rejected = &answer["results"][2];
    assert_eq!((&rejected["index"], &rejected["outcome"]), (&json!(2), &json!("rejected")));
    assert!(rejected["code"].as_str().is_some_and(|code| !code.is_empty()), "{rejected}");
    assert!(rejected["reason"].as_str().is_some_and(|reason| reason.contains("pattern")));
    w.settled(&c, &good).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_request_may_hold_several_versions_of_an_object_in_any_order() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let object = indicator();
    let versions = [object.clone().at(SECOND), object.clone(), object.clone().at(THIRD)];
    let answer = post(&w, &bundle(&versions)).await;
    assert_eq!(answer["rejected"], 0, "{answer}");
    w.settled(&c, &versions[2..]).await;
    let page = Page::of(&w.reader().get(&c.object(object.id())).await);
    assert_eq!(page.items, [versions[2].json()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bundles_envelopes_and_arrays_are_taken_under_their_types() {
    let w = World::http().await;
    let array = |object: tests::fixtures::Object| json!([object.json()]).to_string();
    let bodies = [bundle(&[indicator()]), envelope(&[indicator()]), array(indicator())];
    for body in bodies {
        for content_type in [
            "application/json",
            "application/json; charset=utf-8",
            "application/stix+json",
            "application/stix+json;version=2.1",
            "application/stix+json; version=2.1",
        ] {
            let request = w.ingest().post("/api/v1/objects").body(content_type, body.clone());
            let answer = request.await.expect(200).json();
            assert_eq!(answer["rejected"], 0, "{content_type}: {answer}");
            assert_eq!(answer["results"].as_array().unwrap().len(), 1, "{content_type}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_are_kept_with_their_members_strings_and_number_spelling() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let object = indicator().set("x_marker", "MARKER");
    let spelt = concat!(
        r#"{"a":1.50,"b":1E2,"c":-0.0,"d":12345678901234567890123,"e":0.1e-7,"f":100,"#,
        r#""text":"\u00e9 \ud83e\udd80 \" \\ \/ \n","empty":{},"none":null,"list":[1.0,[],""]}"#
    );
    let body = envelope(std::slice::from_ref(&object)).replace("\"MARKER\"", spelt);
    assert_counts(&post(&w, &body).await, &[("created", 1)]);
    w.settled(&c, std::slice::from_ref(&object)).await;
    for path in [c.objects(), c.object(object.id())] {
        let read = w.reader().get(&path).await.expect(200).text();
        assert_eq!(Exact::by_id(&read), Exact::by_id(&body), "{read}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_types_custom_properties_and_extensions_are_kept() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let custom = malware("One")
        .set("type", "x-acme-report")
        .set("id", tests::fixtures::fresh_id("x-acme-report"))
        .set("x_acme_score", 7.25);
    let extended = indicator().set(
        "extensions",
        json!({"extension-definition--d83fce45-ef58-4c6c-a3f4-1fbc32e98c6e":
               {"extension_type": "property-extension", "rank": 5}}),
    );
    let link = relationship(&extended, &malware("Elsewhere"));
    let objects = [custom, extended, link];
    w.load(&c, &objects).await;
    for object in &objects {
        let page = Page::of(&w.reader().get(&c.object(object.id())).await);
        assert_eq!(page.items, [object.json()]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_2_0_object_enters_only_collections_that_ask_for_it() {
    let w = World::http().await;
    let only_2_1 = w.collection(CollectionSpec::everything()).await;
    let spec = CollectionSpec { stix_2_0: true, ..CollectionSpec::everything() };
    let both = w.collection(spec).await;
    let object = tests::fixtures::indicator_of_stix_2_0();
    assert_counts(&w.send(std::slice::from_ref(&object)).await, &[("created", 1)]);
    w.settled(&both, std::slice::from_ref(&object)).await;
    w.quiet(&only_2_1, &indicator()).await;
    let _ = w.reader().get(&only_2_1.object(object.id())).await.expect(404);
    let page = Page::of(&w.reader().get(&both.object(object.id())).await);
    assert_eq!(page.items, [object.json()], "kept as it is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_sent_to_a_collection_is_added_to_it() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::labelled("chosen")).await;
    let object = indicator();
    let request = w.ingest().post("/api/v1/objects").query("collection", &c.id);
    let body = envelope(std::slice::from_ref(&object));
    let answer = request.body("application/json", body).await.expect(200).json();
    assert_counts(&answer, &[("created", 1)]);
    w.settled(&c, std::slice::from_ref(&object)).await;
    let unknown = "00000000-0000-4000-8000-000000000000";
    let request = w.ingest().post("/api/v1/objects").query("collection", unknown);
    let _ = request.body("application/json", envelope(&[indicator()])).await.expect(404);
}
