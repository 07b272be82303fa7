//! ingest.md, Filters: which objects a collection's filter selects.

use serde_json::{Value, json};
use tests::collection::CollectionSpec;
use tests::fixtures::{
    FIRST, Object, SECOND, identity, indicator, indicator_of_stix_2_0, malware, relationship,
};
use tests::taxii_reading::{all_objects, ids};
use tests::world::World;

fn filter(key: &str, values: &[&str], operator: &str) -> Value {
    json!({"key": key, "values": values, "operator": operator})
}

fn group(mode: &str, filters: &[Value]) -> Value {
    json!({"mode": mode, "filters": filters, "filterGroups": []})
}

/// Makes a collection per filter, sends the objects, and compares who is where.
async fn assert_selects(objects: &[(&str, Object)], cases: &[(Value, &[&str])]) {
    let w = World::http().await;
    let all = w.collection(CollectionSpec { stix_2_0: true, ..CollectionSpec::everything() }).await;
    let mut collections = Vec::new();
    for (filter, _) in cases {
        let spec = CollectionSpec {
            filter: filter.clone(),
            stix_2_0: true,
            ..CollectionSpec::everything()
        };
        collections.push(w.collection(spec).await);
    }
    let sent: Vec<Object> = objects.iter().map(|(_, object)| object.clone()).collect();
    w.load(&all, &sent).await;
    w.quiet(&all, &identity("Witness")).await;
    for ((filter, expected), collection) in cases.iter().zip(&collections) {
        let held = ids(&all_objects(&w.reader(), collection).await);
        let mut named: Vec<&str> = objects
            .iter()
            .filter(|(_, object)| held.iter().any(|id| id == object.id()))
            .map(|(name, _)| *name)
            .collect();
        named.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(named, expected, "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_key_selects_by_what_it_says() {
    let family = malware("Example Loader");
    let author = identity("Example Org");
    let rich = indicator()
        .labelled("detection")
        .set("created_by_ref", author.id())
        .set("confidence", 90)
        .set("valid_until", "2030-01-01T00:00:00.000Z")
        .set("name", "Rich")
        .set("pattern", "[ipv4-addr:value = '192.0.2.33']")
        .set(
            "kill_chain_phases",
            json!([
            {"kill_chain_name": "mitre-attack", "phase_name": "execution"}]),
        )
        .set(
            "external_references",
            json!([
            {"source_name": "mitre-attack", "external_id": "T1059"}]),
        );
    let dull = indicator().set("confidence", 40).set("revoked", true).at(SECOND);
    let link = relationship(&rich, &family);
    let objects = [
        ("family", family.clone()),
        ("author", author.clone()),
        ("rich", rich.clone()),
        ("dull", dull),
        ("link", link),
    ];
    let one = |key: &str, value: &str| group("and", &[filter(key, &[value], "eq")]);
    let cases: Vec<(Value, &[&str])> = vec![
        (group("and", &[]), &["family", "author", "rich", "dull", "link"]),
        (one("entity_type", "Indicator"), &["rich", "dull"]),
        (one("entity_type", "indicator"), &["rich", "dull"]),
        (one("entity_type", "malware"), &["family"]),
        (one("label", "detection"), &["rich"]),
        (one("label", " DETECTION "), &["rich"]),
        (one("author", author.id()), &["rich"]),
        (group("and", &[filter("confidence", &["70"], "gte")]), &["rich"]),
        (group("and", &[filter("confidence", &["90"], "lt")]), &["dull"]),
        (one("ioc_type", "ipv4"), &["rich"]),
        (one("ioc_value", "192.0.2.33"), &["rich"]),
        (one("pattern_type", "stix"), &["rich", "dull"]),
        (one("indicator_type", "malicious-activity"), &["rich", "dull"]),
        (one("kill_chain_phase", "execution"), &["rich"]),
        (one("mitre_attack", "T1059"), &["rich"]),
        (one("revoked", "true"), &["dull"]),
        (group("and", &[filter("modified", &[FIRST], "gt")]), &["dull"]),
        (group("and", &[filter("valid_until", &["2029-01-01T00:00:00Z"], "gt")]), &["rich"]),
        (one("id", family.id()), &["family"]),
        (one("name", "example loader"), &["family"]),
        (group("and", &[filter("name", &["Example"], "starts_with")]), &["family", "author"]),
        (group("and", &[filter("name", &["org"], "ends_with")]), &["author"]),
        (one("relationship_type", "indicates"), &["link"]),
        (one("source", rich.id()), &["link"]),
        (one("target", "malware"), &["link"]),
        (one("target", family.id()), &["link"]),
    ];
    assert_selects(&objects, &cases).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_modes_and_groups_combine() {
    let both = indicator().set("labels", json!(["one", "two"])).set("name", "Both");
    let one = indicator().set("labels", json!(["one"])).set("name", "One");
    let none = indicator().set("name", "None");
    let objects = [("both", both), ("one", one), ("none", none)];
    let mut every = filter("label", &["one", "two"], "eq");
    every["mode"] = json!("and");
    let nested = json!({"mode": "or", "filters": [filter("label", &["two"], "eq")],
        "filterGroups": [group("and", &[filter("name", &["none"], "eq")])]});
    let cases: Vec<(Value, &[&str])> = vec![
        (group("and", &[filter("label", &["one", "two"], "eq")]), &["both", "one"]),
        (group("and", &[every]), &["both"]),
        (group("and", &[filter("label", &["one", "two"], "not_eq")]), &["none"]),
        (group("and", &[filter("label", &["two"], "not_eq")]), &["one", "none"]),
        (group("and", &[filter("label", &[], "nil")]), &["none"]),
        (group("and", &[filter("label", &[], "not_nil")]), &["both", "one"]),
        (group("and", &[filter("name", &["o"], "contains")]), &["both", "one", "none"]),
        (group("and", &[filter("name", &["bot"], "not_contains")]), &["one", "none"]),
        (
            group("and", &[filter("label", &["one"], "eq"), filter("name", &["both"], "eq")]),
            &["both"],
        ),
        (
            group("or", &[filter("label", &["two"], "eq"), filter("name", &["one"], "eq")]),
            &["both", "one"],
        ),
        (nested, &["both", "none"]),
    ];
    assert_selects(&objects, &cases).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn marking_selects_by_level_name_and_by_id() {
    use shared::tlp::Tlp;
    let green = indicator().marked(Tlp::Green);
    let amber = indicator().marked(Tlp::Amber);
    let objects = [("green", green), ("amber", amber), ("old", indicator_of_stix_2_0())];
    let cases: Vec<(Value, &[&str])> = vec![
        (group("and", &[filter("marking", &["green"], "eq")]), &["green"]),
        (group("and", &[filter("marking", &[Tlp::Amber.marking_id()], "eq")]), &["amber"]),
        (group("and", &[filter("pattern_type", &["stix"], "eq")]), &["green", "amber", "old"]),
    ];
    assert_selects(&objects, &cases).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_no_longer_matches_leaves_and_one_that_does_enters() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::labelled("detection")).await;
    let object = indicator();
    let labelled = object.clone().at(SECOND).labelled("detection");
    w.send(std::slice::from_ref(&object)).await;
    w.quiet(&c, &indicator().labelled("detection")).await;
    let _ = w.reader().get(&c.object(object.id())).await.expect(404);
    w.load(&c, std::slice::from_ref(&labelled)).await;
    let _ = w.reader().get(&c.object(object.id())).await.expect(200);
    w.send(&[object.clone().at(tests::fixtures::THIRD)]).await;
    tests::patience::until("the label is gone, and so is the object", async || {
        (w.reader().get(&c.object(object.id())).await.status == 404).then_some(())
    })
    .await;
    let held = ids(&all_objects(&w.reader(), &c).await);
    assert!(!held.contains(&object.id().to_owned()));
}
