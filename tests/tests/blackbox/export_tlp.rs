//! stix-export.md, TLP: confidence × own marking × `tlp=` × `tlp_version` → marking; clearance.

use serde_json::{Value, json};
use shared::log::LogId;
use shared::tlp::Tlp;
use tests::export::{Bundle, Export};
use tests::fixtures::{Object, identity, indicator, tlp_marking};
use tests::keys::KeySpec;
use tests::world::World;

const CONFIDENCES: [Option<u64>; 7] =
    [None, Some(0), Some(29), Some(30), Some(69), Some(70), Some(100)];

/// The ids of TLP 1.0, by the contract.
fn tlp_1(level: Tlp) -> &'static str {
    match level {
        Tlp::Clear => "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
        Tlp::Green => "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
        Tlp::Amber => "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
        Tlp::AmberStrict | Tlp::Red => "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
    }
}

fn by_confidence(confidence: Option<u64>) -> Tlp {
    match confidence {
        None | Some(30..=69) => Tlp::Amber,
        Some(0..=29) => Tlp::Clear,
        Some(_) => Tlp::Green,
    }
}

/// An indicator, its level, and the level of its own marking.
struct Case {
    object: Object,
    level: Tlp,
    own: Option<Tlp>,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for confidence in CONFIDENCES {
        let fresh = || match confidence {
            Some(confidence) => indicator().set("confidence", confidence),
            None => indicator(),
        };
        cases.push(Case { object: fresh(), level: by_confidence(confidence), own: None });
        for level in Tlp::ALL {
            cases.push(Case { object: fresh().marked(level), level, own: Some(level) });
        }
        for level in [Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::Red] {
            let object = fresh().set("object_marking_refs", json!([tlp_1(level)]));
            cases.push(Case { object, level, own: Some(level) });
        }
    }
    cases
}

fn find<'a>(bundle: &'a Bundle, object: &Object) -> Option<&'a Value> {
    bundle.objects.iter().find(|found| found["id"] == object.id())
}

/// Sends objects as the operator, whose indicators an export holds.
async fn send(world: &World, objects: &[Object]) {
    let key = world.key(KeySpec::of("operator").cleared(Tlp::Red)).await;
    send_with(world, &key.text, objects).await;
}

async fn send_with(world: &World, key: &str, objects: &[Object]) {
    let body = tests::fixtures::envelope(objects);
    let request = world.http.with_key(key).post("/api/v1/objects");
    let answer = request.body("application/json", body).await.expect(200).json();
    assert_eq!(answer["rejected"], 0, "{answer}");
    world.at_rest().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_confidence_marking_override_and_version_gives_the_marking_of_the_table() {
    let world = World::http().await;
    let cases = cases();
    let objects: Vec<Object> = cases.iter().map(|case| case.object.clone()).collect();
    send(&world, &objects).await;
    let red = world.exporter(Tlp::Red).await;
    for asked in [None].into_iter().chain(Tlp::ALL.map(Some)) {
        for version in ["2.0", "1.0"] {
            let mut query = vec![("limit", "1000"), ("tlp_version", version)];
            query.extend(asked.map(|level| ("tlp", level.name())));
            let bundle = red.get(&query).await;
            assert_eq!(bundle.indicators().len(), cases.len());
            let mut used: Vec<&str> = Vec::new();
            for case in &cases {
                let level = match (asked, case.own) {
                    (None, _) => case.level,
                    (Some(asked), None) => asked,
                    (Some(asked), Some(own)) => asked.max(own),
                };
                let id = if version == "2.0" { level.marking_id() } else { tlp_1(level) };
                let found = find(&bundle, &case.object).expect("every indicator comes");
                assert_eq!(found["object_marking_refs"], json!([id]), "{query:?} {found}");
                used.push(id);
            }
            // Definitions of what is used, and no others, before the indicators.
            used.sort_unstable();
            used.dedup();
            let mut defined: Vec<&str> = bundle
                .of_type("marking-definition")
                .iter()
                .map(|definition| definition["id"].as_str().unwrap())
                .collect();
            defined.sort_unstable();
            assert_eq!(defined, used);
        }
    }
    for clearance in Tlp::ALL {
        let bundle =
            world.exporter(clearance).await.get(&[("limit", "1000"), ("tlp", "clear")]).await;
        for case in &cases {
            let seen = find(&bundle, &case.object).is_some();
            assert_eq!(seen, case.level <= clearance, "{clearance}: {:?}", case.object.json());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn granular_and_custom_markings_hold_as_well() {
    let world = World::http().await;
    let custom = tlp_marking("amber");
    let statement = tlp_marking("unused")
        .set("definition_type", "statement")
        .set("definition", json!({"statement": "Copyright Example"}))
        .without("name");
    let unknown = tlp_marking("green");
    let marked = |object: &Object| indicator().set("object_marking_refs", json!([object.id()]));
    let granular = indicator().marked(Tlp::Clear).set(
        "granular_markings",
        json!([{"marking_ref": Tlp::AmberStrict.marking_id(), "selectors": ["name"]}]),
    );
    let (by_custom, by_statement, by_unknown) =
        (marked(&custom), marked(&statement).set("confidence", 80), marked(&unknown));
    send(&world, &[custom, statement.clone()]).await;
    send(&world, &[granular.clone(), by_custom.clone(), by_statement.clone(), by_unknown.clone()])
        .await;
    let red = world.exporter(Tlp::Red).await;
    let level_of = |bundle: &Bundle, object: &Object| {
        let found = find(bundle, object).unwrap();
        let id = found["object_marking_refs"][0].as_str().unwrap();
        Tlp::of_marking_id(id).unwrap()
    };
    for (asked, levels) in [
        (None, [Tlp::AmberStrict, Tlp::Amber, Tlp::Green, Tlp::Red]),
        (Some("clear"), [Tlp::AmberStrict, Tlp::Amber, Tlp::Clear, Tlp::Red]),
        (Some("red"), [Tlp::Red; 4]),
    ] {
        let query: Vec<(&str, &str)> = asked.map(|level| ("tlp", level)).into_iter().collect();
        let bundle = red.get(&query).await;
        let objects = [&granular, &by_custom, &by_statement, &by_unknown];
        assert_eq!(objects.map(|object| level_of(&bundle, object)), levels, "{asked:?}");
        // A statement stays, with its definition.
        let found = find(&bundle, &by_statement).unwrap();
        assert_eq!(found["object_marking_refs"][1], statement.id());
        assert!(find(&bundle, &statement).is_some());
    }
    let bundle = red.get(&[("tlp_version", "1.0")]).await;
    let found = find(&bundle, &granular).unwrap();
    assert_eq!(found["granular_markings"][0]["marking_ref"], tlp_1(Tlp::Red));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_author_above_the_clearance_is_not_told_of() {
    let world = World::http().await;
    let (open, secret) = (identity("Open Org"), identity("Secret Org").marked(Tlp::Red));
    let by = |author: &Object| indicator().set("created_by_ref", author.id());
    let (first, second, third) = (by(&open), by(&secret), by(&identity("Never sent")));
    send(&world, &[open.clone(), secret.clone()]).await;
    send(&world, &[first.clone(), second.clone(), third.clone()]).await;
    let told = async |export: &Export, query: &[(&str, &str)]| {
        let bundle = export.get(query).await;
        let author = |object| find(&bundle, object).unwrap().get("created_by_ref").cloned();
        let names: Vec<String> =
            bundle.of_type("identity").iter().map(|one| one["name"].to_string()).collect();
        ([author(&first), author(&second), author(&third)], names.join(" "))
    };
    let amber = world.exporter(Tlp::Amber).await;
    let red = world.exporter(Tlp::Red).await;
    let id = |object: &Object| Some(json!(object.id()));
    let (authors, names) = told(&amber, &[]).await;
    assert_eq!(authors, [id(&open), None, None]);
    assert_eq!(names, "\"iocast\" \"Open Org\"");
    let (authors, names) = told(&red, &[]).await;
    assert_eq!(authors, [id(&open), id(&secret), None]);
    assert!(names.contains("Secret Org"));
    let (authors, names) = told(&red, &[("include_identity", "false")]).await;
    assert_eq!((authors, names.as_str()), ([None, None, None], ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marking_of_its_own_gives_an_author_its_level_too() {
    let world = World::http().await;
    let custom = tlp_marking("amber");
    let refs = json!([Tlp::Green.marking_id(), custom.id()]);
    let author = identity("Example Org").set("object_marking_refs", refs);
    let by_author = indicator().marked(Tlp::Clear).set("created_by_ref", author.id());
    send(&world, std::slice::from_ref(&custom)).await;
    send(&world, &[author.clone(), by_author.clone()]).await;
    let green = world.exporter(Tlp::Green).await.get(&[]).await;
    assert!(find(&green, &by_author).is_some() && find(&green, &author).is_none());
    let amber = world.exporter(Tlp::Amber).await;
    for (version, id) in [("2.0", Tlp::Amber.marking_id()), ("1.0", tlp_1(Tlp::Amber))] {
        let bundle = amber.get(&[("tlp_version", version)]).await;
        let found = find(&bundle, &author).expect("the author comes");
        assert_eq!(found["object_marking_refs"], json!([id]), "{version}");
        assert!(bundle.objects.iter().any(|object| object["id"] == id), "{version}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_indicator_refers_to_is_not_taken_from_whoever_writes_it_first() {
    let world = World::http().await;
    let (known, claimed) = (identity("Known Org"), identity("Claimed Org"));
    let statement = tlp_marking("unused")
        .set("definition_type", "statement")
        .set("definition", json!({"statement": "Claimed words"}))
        .without("name");
    let by = |author: &Object| indicator().set("created_by_ref", author.id()).marked(Tlp::Clear);
    let (by_known, by_claimed) = (by(&known), by(&claimed));
    let refs = json!([Tlp::Clear.marking_id(), statement.id()]);
    let stated = by(&known).set("object_marking_refs", refs);
    let other = world.key(KeySpec::of("other").cleared(Tlp::Red)).await;
    send_with(&world, &other.text, &[claimed.clone(), statement.clone()]).await;
    let objects = [known.clone(), by_known.clone(), by_claimed.clone(), stated.clone()];
    send_with(&world, world.admin_key(), &objects).await;
    let bundle = world.exporter(Tlp::Red).await.get(&[]).await;
    let author = |object| find(&bundle, object).unwrap().get("created_by_ref").cloned();
    assert_eq!(author(&by_known), Some(json!(known.id())));
    assert_eq!(author(&by_claimed), None);
    assert!(find(&bundle, &known).is_some());
    assert!(find(&bundle, &claimed).is_none() && find(&bundle, &statement).is_none());
    // A marking nobody who counts has defined is red.
    let found = find(&bundle, &stated).unwrap();
    assert_eq!(found["object_marking_refs"], json!([Tlp::Red.marking_id()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marking_that_cannot_be_read_is_red_and_stays_red() {
    let world = World::http().await;
    let (kind, uuid) = Tlp::Green.marking_id().split_once("--").unwrap();
    let capital = format!("{kind}--{}", uuid.to_uppercase());
    let refs = |ids: Value| indicator().set("confidence", 0).set("object_marking_refs", ids);
    let part = json!([{"marking_ref": "TLP:CLEAR", "selectors": ["name"]}]);
    let odd = [
        refs(json!(["TLP:CLEAR"])),
        refs(json!([Tlp::Clear.marking_id(), capital])),
        indicator().marked(Tlp::Clear).set("granular_markings", part),
    ];
    send(&world, &odd).await;
    let (amber, red) = (world.exporter(Tlp::Amber).await, world.exporter(Tlp::Red).await);
    assert!(amber.get(&[]).await.indicators().is_empty());
    for query in [&[][..], &[("tlp", "clear")]] {
        let bundle = red.get(query).await;
        for object in &odd {
            let found = find(&bundle, object).expect("those cleared for red see it");
            assert_eq!(found["object_marking_refs"], json!([Tlp::Red.marking_id()]));
            assert!(found.get("granular_markings").is_none(), "{found}");
        }
    }
}

/// What was stored before ingest refused it, in the log that its confidence gave it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_markings_that_are_stored_fail_nobodys_export() {
    let world = World::http().await;
    let odd = [json!(null), json!("TLP:CLEAR"), json!({"a": 1}), json!([null])];
    let plain = || indicator().marked(Tlp::Clear);
    let mut objects: Vec<Object> = Vec::new();
    for value in &odd {
        objects.push(indicator().set("object_marking_refs", value.clone()));
        objects.push(plain().set("granular_markings", value.clone()));
    }
    let fine = plain();
    objects.insert(3, fine.clone());
    let log = LogId::Indicators { level: Tlp::Clear, kind: None, active: true };
    world.append_to(log, &objects, 4).await;
    let options = [("include_observables", "true"), ("include_context", "true")];
    let (amber, red) = (world.exporter(Tlp::Amber).await, world.exporter(Tlp::Red).await);
    for limit in ["1", "1000"] {
        let query = [&options[..], &[("limit", limit)]].concat();
        let pages = amber.pages(&query).await;
        let found: Vec<String> = pages.iter().flat_map(Bundle::indicators).collect();
        assert_eq!(found, [fine.id()], "limit {limit}");
    }
    let bundle = red.get(&options).await;
    for object in objects.iter().filter(|object| object.id() != fine.id()) {
        let found = find(&bundle, object).unwrap();
        assert_eq!(found["object_marking_refs"], json!([Tlp::Red.marking_id()]));
        assert!(found.get("granular_markings").is_none(), "{found}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stix_2_0_defined_goes_out_as_stix_2_1() {
    let world = World::http().await;
    let author = identity("Older Org").without("spec_version");
    let statement = tlp_marking("unused")
        .set("definition_type", "statement")
        .set("definition", json!({"statement": "Copyright Example"}))
        .without("name")
        .without("spec_version");
    let refs = json!([Tlp::Clear.marking_id(), statement.id()]);
    let by = indicator().set("created_by_ref", author.id()).set("object_marking_refs", refs);
    send(&world, &[author.clone(), statement.clone(), by.clone()]).await;
    let bundle = world.exporter(Tlp::Amber).await.get(&[]).await;
    assert_eq!(find(&bundle, &by).unwrap()["created_by_ref"], author.id());
    for object in [&author, &statement] {
        let found = find(&bundle, object).unwrap();
        assert_eq!(found["spec_version"], "2.1", "{found}");
    }
}
