//! ingest.md, What is promised: what is refused of an object, and what is not.

use serde_json::json;
use tests::collection::CollectionSpec;
use tests::fixtures::{Object, domain_observable, indicator, malware, relationship};
use tests::world::World;

/// Sends one object alone and returns the outcome and the reason, if it was refused.
async fn outcome(w: &World, object: &str) -> (String, String) {
    let body = format!(r#"{{"objects":[{object}]}}"#);
    let request = w.ingest().post("/api/v1/objects").body("application/json", body);
    let answer = request.await.expect(200).json();
    let result = &answer["results"][0];
    let text = |name: &str| result[name].as_str().unwrap_or_default().to_owned();
    let (outcome, reason) = (text("outcome"), text("reason"));
    assert_eq!(outcome == "rejected", !reason.is_empty(), "{answer}");
    (outcome, reason)
}

async fn assert_refused(w: &World, object: &Object, word: &str) {
    let (outcome, reason) = outcome(w, &object.to_string()).await;
    assert_eq!(outcome, "rejected", "{}", object.json());
    let named = reason.to_lowercase().contains(word);
    assert!(named, "the reason {reason:?} does not name {word}");
}

async fn assert_kept(w: &World, object: &Object) {
    let (outcome, reason) = outcome(w, &object.to_string()).await;
    assert_eq!(outcome, "created", "{reason}: {}", object.json());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_needs_a_type_and_a_well_formed_id_that_agree() {
    let w = World::http().await;
    assert_refused(&w, &indicator().without("type"), "type").await;
    assert_refused(&w, &indicator().without("id"), "id").await;
    assert_refused(&w, &indicator().set("type", 7), "type").await;
    for id in ["indicator", "indicator--", "indicator--1234", "indicator-00000000", "--", "", "é"]
    {
        assert_refused(&w, &indicator().set("id", id), "id").await;
    }
    let other = tests::fixtures::fresh_id("malware");
    assert_refused(&w, &indicator().set("id", other), "type").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn domain_objects_and_relationships_need_created_and_modified() {
    let w = World::http().await;
    let link = relationship(&indicator(), &malware("One"));
    for object in [indicator(), malware("One"), link] {
        for member in ["created", "modified"] {
            assert_refused(&w, &object.clone().without(member), member).await;
            let malformed = [
                json!("2026-01-01"),
                json!("yesterday"),
                json!("2026-01-01T00:00:00.000+02:00"),
                json!("2026-02-30T00:00:00.000Z"),
                json!(1_767_225_600),
                json!(null),
            ];
            for time in malformed {
                assert_refused(&w, &object.clone().set(member, time), member).await;
            }
        }
    }
    assert_kept(&w, &domain_observable()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn markings_are_lists_or_absent() {
    let w = World::http().await;
    for member in ["object_marking_refs", "granular_markings"] {
        for value in [json!(null), json!("TLP:RED"), json!({}), json!([null]), json!([7])] {
            assert_refused(&w, &malware("One").set(member, value), member).await;
        }
    }
    assert_refused(&w, &malware("One").set("granular_markings", json!(["TLP:RED"])), "list").await;
    assert_kept(&w, &malware("One").set("object_marking_refs", json!(["TLP:RED"]))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_indicator_needs_pattern_pattern_type_and_valid_from() {
    let w = World::http().await;
    for member in ["pattern", "pattern_type", "valid_from"] {
        assert_refused(&w, &indicator().without(member), member).await;
        assert_refused(&w, &indicator().set(member, 5), member).await;
    }
    assert_refused(&w, &indicator().set("valid_from", "soon"), "valid_from").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stix_pattern_has_to_parse_and_others_are_taken_as_they_are() {
    let w = World::http().await;
    for pattern in [
        "",
        "ipv4-addr:value = '192.0.2.1'",
        "[ipv4-addr:value = '192.0.2.1'",
        "[ipv4-addr:value = ]",
        "[ipv4-addr = '192.0.2.1']",
        "[ipv4-addr:value == 'unclosed]",
        "[ipv4-addr:value = '192.0.2.1'] AND",
        "[file:size > 'x' FOLLOWEDBY file:size < 5]",
    ] {
        assert_refused(&w, &indicator().set("pattern", pattern), "pattern").await;
    }
    for pattern in [
        "[ipv4-addr:value ISSUBSET '198.51.100.0/24']",
        "[file:hashes.'SHA-256' = 'ab' OR file:hashes.MD5 IN ('cd', 'ef')] REPEATS 5 TIMES",
        "([url:value LIKE 'http://%.example.com/%'] FOLLOWEDBY [process:pid NOT = 4]) WITHIN 300 SECONDS",
        "[domain-name:value MATCHES '^a\\\\.example$'] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'",
        "[app:id = 'com.example.app']",
        "[email-message:from_ref.value = 'it''s' OR x-acme:list[*].n != 1.5]",
    ] {
        let parses = !pattern.contains("''");
        let object = indicator().set("pattern", pattern);
        if parses {
            assert_kept(&w, &object).await;
        } else {
            assert_refused(&w, &object, "pattern").await;
        }
    }
    let yara = indicator().set("pattern", "rule x { condition: true }").set("pattern_type", "yara");
    assert_kept(&w, &yara).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn confidence_is_an_integer_from_0_to_100() {
    let w = World::http().await;
    for confidence in [json!(-1), json!(101), json!(1_000_000), json!("high")] {
        assert_refused(&w, &indicator().set("confidence", confidence), "confidence").await;
    }
    for confidence in [0, 50, 100] {
        assert_kept(&w, &indicator().set("confidence", confidence)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nul_and_lone_surrogates_are_refused_with_their_object_alone() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    for escape in [r"\u0000", r"\ud800", r"\udc00x", r"\ud83d\u0041"] {
        let bad = indicator().set("name", "MARKER").to_string().replace("MARKER", escape);
        let good = indicator();
        let body = format!(r#"{{"objects":[{bad},{}]}}"#, good.json());
        let request = w.ingest().post("/api/v1/objects").body("application/json", body);
        let answer = request.await.expect(200).json();
        assert_eq!(answer["results"][0]["outcome"], "rejected", "{escape}: {answer}");
        assert_eq!(answer["results"][1]["outcome"], "created", "{escape}: {answer}");
        w.settled(&c, &[good]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_over_380_kb_is_refused() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let sized = |bytes: usize| {
        let object = indicator().set("description", "");
        let room = bytes - object.to_string().len();
        object.set("description", "d".repeat(room))
    };
    let fits = sized(370_000);
    assert_kept(&w, &fits).await;
    w.settled(&c, std::slice::from_ref(&fits)).await;
    let read = w.reader().get(&c.object(fits.id())).await.expect(200).json();
    assert_eq!(read["objects"][0], fits.json());
    assert_refused(&w, &sized(400_000), "380").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_object_is_refused_alone() {
    let w = World::http().await;
    for item in ["5", "null", "\"text\"", "[]", "true", "{}"] {
        let (outcome, reason) = outcome(&w, item).await;
        assert_eq!(outcome, "rejected", "{item}: {reason}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_is_there_twice_is_no_way_around_the_checks() {
    let w = World::http().await;
    let object = indicator().to_string();
    let twice =
        object.replacen('{', r#"{"id":"malware--00000000-0000-4000-8000-000000000000","#, 1);
    let body = format!(r#"{{"objects":[{twice}]}}"#);
    let request = w.ingest().post("/api/v1/objects").body("application/json", body);
    let answer = request.await.expect(200).json();
    let result = &answer["results"][0];
    let safe =
        result["outcome"] == "rejected" || result["id"].as_str().unwrap().starts_with("indicator");
    assert!(safe, "{answer}");
}
