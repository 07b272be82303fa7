//! stix-export.md: what a bundle holds, and in which order.

use serde_json::{Value, json};
use shared::log::LogId;
use shared::tlp::Tlp;
use tests::export::Export;
use tests::fixtures::{FIRST, identity, indicator, indicator_of_stix_2_0, malware};
use tests::keys::KeySpec;
use tests::world::World;

const IOCS: &str = concat!(
    "{\"type\":\"sha1\",\"value\":\"00112233445566778899aabbccddeeff00112233\",\"confidence\":\"high\"}\n",
    "{\"type\":\"cve\",\"value\":\"CVE-2026-0001\",\"mitre\":[\"T1190\"],\"confidence\":\"medium\"}\n",
);

async fn world() -> World {
    let world = World::of_operator().await;
    world.send(&[malware("Family"), indicator_of_stix_2_0()]).await;
    world.send_iocs(IOCS).await;
    world.at_rest().await;
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_holds_identity_markings_and_indicators_and_nothing_else_unless_asked_for() {
    let world = world().await;
    let export = world.exporter(Tlp::Amber).await;
    let plain = export.request(&[]).await.expect(200).json();
    let members: Vec<&String> = plain.as_object().unwrap().keys().collect();
    assert_eq!(members, ["id", "objects", "type"]);
    let bundle = export.get(&[]).await;
    let marking = "marking-definition";
    assert_eq!(bundle.types(), ["identity", marking, marking, "indicator", "indicator"]);
    let publisher = &bundle.objects[0];
    for object in bundle.of_type("indicator") {
        assert_eq!(object["created_by_ref"], publisher["id"]);
    }
    let bare = export.get(&[("include_identity", "False"), ("include_markings", "0")]).await;
    assert_eq!(bare.types(), ["indicator", "indicator"]);
    assert!(bare.objects.iter().all(|object| object.get("created_by_ref").is_none()));
    assert!(bare.objects.iter().all(|object| object.get("object_marking_refs").is_some()));
    let array = export.request(&[("format", "objects")]).await.expect(200).json();
    assert_eq!(array.as_array().unwrap(), &bundle.objects);
    // The same content has the same id, and the publisher keeps its own.
    assert_eq!(export.request(&[]).await.json()["id"], plain["id"]);
    assert_eq!(export.get(&[("type", "cve")]).await.objects[0], *publisher);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_indicators_a_bundle_is_still_one() {
    let world = World::of_operator().await;
    let export = world.exporter(Tlp::Amber).await;
    assert_eq!(export.get(&[]).await.types(), ["identity"]);
    let bare = export.request(&[("include_identity", "false")]).await.expect(200).json();
    assert!(bare["id"].as_str().unwrap().starts_with("bundle--"));
    assert!(bare.get("objects").is_none(), "STIX knows no empty list");
    assert_eq!(export.request(&[("format", "objects")]).await.expect(200).text(), "[]");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn observables_come_with_observed_data_and_based_on() {
    let world = world().await;
    let export = world.exporter(Tlp::Amber).await;
    let bundle = export.get(&[("include_observables", "true")]).await;
    let [file] = bundle.of_type("file")[..] else { panic!("{:?}", bundle.types()) };
    assert_eq!(file["hashes"]["SHA-1"], "00112233445566778899aabbccddeeff00112233");
    assert_eq!(file["object_marking_refs"], json!([Tlp::Green.marking_id()]));
    let [observed] = bundle.of_type("observed-data")[..] else { panic!("{:?}", bundle.types()) };
    assert_eq!(observed["object_refs"], json!([file["id"]]));
    let [based] = bundle.of_type("relationship")[..] else { panic!("{:?}", bundle.types()) };
    assert_eq!(based["relationship_type"], "based-on");
    assert_eq!(based["target_ref"], observed["id"]);
    // One observable for all that name it, with the highest of their levels.
    let value = "[ipv4-addr:value = '192.0.2.1']";
    let low = indicator().set("pattern", value).marked(Tlp::Clear);
    let high = indicator().set("pattern", value).marked(Tlp::Amber);
    world.send(&[low, high]).await;
    world.at_rest().await;
    let bundle = export.get(&[("include_observables", "true"), ("type", "ipv4")]).await;
    let [address] = bundle.of_type("ipv4-addr")[..] else { panic!("{:?}", bundle.types()) };
    assert_eq!(address["object_marking_refs"], json!([Tlp::Amber.marking_id()]));
    assert_eq!(bundle.of_type("observed-data").len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn context_tells_of_vulnerabilities_and_techniques() {
    let world = world().await;
    let export = world.exporter(Tlp::Amber).await;
    let bundle = export.get(&[("include_context", "true"), ("type", "cve")]).await;
    let [vulnerability] = bundle.of_type("vulnerability")[..] else {
        panic!("{:?}", bundle.types())
    };
    assert_eq!(vulnerability["name"], "CVE-2026-0001");
    let [technique] = bundle.of_type("attack-pattern")[..] else { panic!("{:?}", bundle.types()) };
    assert_eq!(technique["external_references"][0]["external_id"], "T1190");
    let kinds: Vec<(&Value, &Value)> = bundle
        .of_type("relationship")
        .iter()
        .map(|one| (&one["relationship_type"], &one["target_ref"]))
        .collect();
    // STIX has no `indicates` from an indicator to a vulnerability.
    let wanted = [
        (json!("related-to"), vulnerability["id"].clone()),
        (json!("indicates"), technique["id"].clone()),
    ];
    assert_eq!(kinds, [(&wanted[0].0, &wanted[0].1), (&wanted[1].0, &wanted[1].1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_everybody_knows_is_the_same_on_every_page() {
    let world = World::of_operator().await;
    let cve = json!({"source_name": "CVE", "external_id": "cve-2026-0001"});
    let technique = json!({"source_name": "mitre-attack", "external_id": "T1190"});
    let others = json!({"source_name": "other", "external_id": "CVE-2026-0002"});
    let author = identity("Example Org");
    let named = |level| {
        let references = json!([cve.clone(), technique.clone(), others.clone(), cve.clone()]);
        indicator().marked(level).set("external_references", references)
    };
    let by_author = named(Tlp::Clear).set("created_by_ref", author.id());
    world.send(&[author, by_author, named(Tlp::Amber)]).await;
    world.at_rest().await;
    let export = world.exporter(Tlp::Amber).await;
    let context = |bundle: &tests::export::Bundle| {
        let types = ["vulnerability", "attack-pattern"];
        let objects = types.iter().flat_map(|of| bundle.of_type(of));
        objects.cloned().collect::<Vec<Value>>()
    };
    let whole = context(&export.get(&[("include_context", "true")]).await);
    let [vulnerability, pattern] = &whole[..] else { panic!("{whole:?}") };
    assert_eq!(
        (&vulnerability["name"], &pattern["name"]),
        (&json!("CVE-2026-0001"), &json!("T1190"))
    );
    for (name, value) in
        [("limit", "1"), ("include_identity", "false"), ("tlp", "red"), ("tlp_version", "1.0")]
    {
        let pages = export.pages(&[("include_context", "true"), (name, value)]).await;
        assert!(pages.iter().all(|page| context(page) == whole), "{name}={value}");
    }
    let bundle = export.get(&[("include_context", "true")]).await;
    let levels = bundle.of_type("relationship").len();
    assert_eq!(levels, 4, "each indicator says for itself what it names");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_indicator_brings_more_than_a_thousand_of_what_it_names() {
    let world = World::of_operator().await;
    let cve = |n: usize| json!({"source_name": "cve", "external_id": format!("CVE-2026-{n:05}")});
    let many: Vec<Value> = (10_000..11_200).map(cve).collect();
    let hosts: Vec<String> =
        (0..1_200).map(|n| format!("domain-name:value = 'host{n}.example.com'")).collect();
    let object = indicator()
        .set("external_references", json!(many))
        .set("pattern", format!("[{}]", hosts.join(" OR ")));
    world.send(std::slice::from_ref(&object)).await;
    world.at_rest().await;
    let options = [("include_context", "true"), ("include_observables", "true")];
    let bundle = world.exporter(Tlp::Amber).await.get(&options).await;
    assert_eq!(bundle.indicators(), [object.id()]);
    assert_eq!(bundle.of_type("vulnerability").len(), 1_000);
    assert_eq!(bundle.of_type("domain-name").len(), 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_in_goes_out_but_for_author_marking_name_and_description() {
    let world = World::of_operator().await;
    let sent = indicator().without("name").set("x_custom", json!({"a": [1, null]}));
    world.send(std::slice::from_ref(&sent)).await;
    world.at_rest().await;
    let bundle = world.exporter(Tlp::Amber).await.get(&[]).await;
    let mut found = bundle.of_type("indicator")[0].clone();
    let domain = sent["pattern"].as_str().unwrap().split('\'').nth(1).unwrap();
    assert_eq!(found["name"], domain);
    assert!(!found["description"].as_str().unwrap().is_empty());
    for added in ["name", "description", "created_by_ref", "object_marking_refs"] {
        found.as_object_mut().unwrap().remove(added);
    }
    assert_eq!(found, sent.json());
    assert_eq!(found["created"], FIRST);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_expired_is_left_out_before_it_is_taken_out_of_its_log() {
    let world = World::of_operator().await;
    let ended = indicator().set("valid_until", "2026-03-01T00:00:00Z");
    let valid = indicator().set("valid_until", "2126-03-01T00:00:00Z");
    let log = LogId::Indicators { level: Tlp::Amber, kind: None, active: true };
    world.append_to(log, &[ended.clone(), valid.clone()], 2).await;
    let export = world.exporter(Tlp::Amber).await;
    assert_eq!(export.get(&[]).await.indicators(), [valid.id()]);
    let all = export.get(&[("include_revoked", "true")]).await.indicators();
    assert_eq!(all, [valid.id(), ended.id()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_tenant_wrote_is_in_nobodys_export() {
    let world = World::http().await;
    let (tenants, operators) = (indicator(), indicator());
    world.send(std::slice::from_ref(&tenants)).await;
    world.send_iocs(IOCS).await;
    let body = tests::fixtures::envelope(std::slice::from_ref(&operators));
    let operator = world.http.with_key(world.admin_key()).post("/api/v1/objects");
    let _ = operator.body("application/json", body).await.expect(200);
    world.at_rest().await;
    for tenant in ["acme", "reader"] {
        let key = world.key(KeySpec::of(tenant).cleared(Tlp::Red)).await;
        let export = Export(world.http.with_key(&key.text));
        for query in [&[][..], &[("type", "cve,sha1,domain")], &[("include_revoked", "true")]] {
            assert_eq!(export.get(query).await.indicators(), [operators.id()], "{tenant}");
        }
    }
}
