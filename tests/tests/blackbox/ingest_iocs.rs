//! ingest.md, Ways in (2) and Indicator from an IOC.

use serde_json::{Value, json};
use tests::client::Answer;
use tests::collection::{Collection, CollectionSpec};
use tests::taxii_reading::Page;
use tests::world::World;

async fn post(w: &World, content_type: &str, body: &str) -> Value {
    send(w, content_type, body).await.expect(200).json()
}

async fn send(w: &World, content_type: &str, body: &str) -> Answer {
    w.ingest().post("/api/v1/iocs").body(content_type, body.to_owned()).await
}

async fn one(w: &World, ioc: &Value) -> Value {
    let answer = post(w, "application/json", &json!([ioc]).to_string()).await;
    answer["results"][0].clone()
}

/// The indicator that an IOC became, read back from a collection at the version answered.
async fn indicator(w: &World, c: &Collection, ioc: &Value) -> Value {
    let result = one(w, ioc).await;
    let id = result["id"].as_str().unwrap_or_else(|| panic!("{ioc}: {result}")).to_owned();
    tests::patience::until("the indicator is in the collection", async || {
        let answer = w.reader().get(&c.object(&id)).await;
        let page = (answer.status == 200).then(|| Page::of(&answer))?;
        let object = page.items.into_iter().next()?;
        (object["modified"] == result["version"]).then_some(object)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_ioc_becomes_its_pattern() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let (sha256, sha512) = ("ab".repeat(32), "cd".repeat(64));
    let (md5, sha1) = ("ef".repeat(16), "12".repeat(20));
    let technique = "[attack-pattern:external_references[*].external_id = 'T1059.001']".to_owned();
    let cases = [
        ("ipv4", "192.0.2.10", "[ipv4-addr:value = '192.0.2.10']".to_owned()),
        ("ipv6", "2001:DB8:0:0::1", "[ipv6-addr:value = '2001:db8::1']".to_owned()),
        ("domain", "Evil.Example.COM", "[domain-name:value = 'evil.example.com']".to_owned()),
        ("domain", "bücher.example", "[domain-name:value = 'xn--bcher-kva.example']".to_owned()),
        ("url", "http://example.com/a'b", "[url:value = 'http://example.com/a\\'b']".to_owned()),
        ("email", "bad@example.com", "[email-addr:value = 'bad@example.com']".to_owned()),
        ("md5", &*md5, format!("[file:hashes.MD5 = '{md5}']")),
        ("sha1", &*sha1, format!("[file:hashes.'SHA-1' = '{sha1}']")),
        ("sha256", &*sha256, format!("[file:hashes.'SHA-256' = '{sha256}']")),
        ("sha512", &*sha512, format!("[file:hashes.'SHA-512' = '{sha512}']")),
        ("cve", "cve-2026-12345", "[vulnerability:name = 'CVE-2026-12345']".to_owned()),
        ("mitre_attack", "t1059.001", technique),
    ];
    for (kind, value, pattern) in cases {
        let object = indicator(&w, &c, &json!({"type": kind, "value": value})).await;
        assert_eq!(object["pattern"], pattern, "{kind} {value}");
        assert_eq!(object["type"], "indicator");
        assert_eq!(object["spec_version"], "2.1");
        assert_eq!(object["pattern_type"], "stix");
        assert_eq!(object["pattern_version"], "2.1");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_indicator_has_the_members_the_contract_names() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let ioc = json!({
        "type": "domain", "value": "c2.example.net", "confidence": "high",
        "tags": ["loader", "apt"], "mitre": ["T1059.001", "T1566"], "source": "Example Lab",
        "first_seen": "2026-03-01T10:00:00Z", "last_seen": "2026-03-02T10:00:00Z",
        "valid_until": "2027-03-01T00:00:00Z", "description": "A command server", "tlp": "green",
    });
    let object = indicator(&w, &c, &ioc).await;
    for member in ["created", "modified", "valid_from", "valid_until"] {
        let text = object[member].as_str().unwrap();
        let shape: String =
            text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        assert_eq!(shape, "9999-99-99T99:99:99.999Z", "{member}: {text}");
    }
    assert_eq!(object["valid_from"], "2026-03-01T10:00:00.000Z");
    assert_eq!(object["valid_until"], "2027-03-01T00:00:00.000Z");
    assert_eq!(object["confidence"], 85);
    assert_eq!(object["description"], "A command server");
    assert!(object["name"].as_str().is_some_and(|name| !name.is_empty()), "{object}");
    assert!(object["indicator_types"].as_array().is_some_and(|list| !list.is_empty()));
    let mut labels: Vec<_> = object["labels"].as_array().unwrap().clone();
    labels.sort_by_key(ToString::to_string);
    assert_eq!(labels, ["apt", "loader"]);
    let references = object["external_references"].as_array().unwrap();
    for technique in ["T1059.001", "T1566"] {
        let found = references
            .iter()
            .any(|r| r["source_name"] == "mitre-attack" && r["external_id"] == technique);
        assert!(found, "{technique}: {object}");
    }
    let phases = object["kill_chain_phases"].as_array().unwrap();
    for phase in ["execution", "initial-access"] {
        let found = phases
            .iter()
            .any(|p| p["kill_chain_name"] == "mitre-attack" && p["phase_name"] == phase);
        assert!(found, "{phase}: {object}");
    }
    let markings = object["object_marking_refs"].as_array().unwrap();
    assert_eq!(markings, &[json!(shared::tlp::Tlp::Green.marking_id())]);
    let text = object.to_string();
    assert!(!text.contains("null") && !text.contains("[]"), "no nulls, no empty lists: {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bare_ioc_has_no_nulls_and_no_empty_lists() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let object = indicator(&w, &c, &json!({"type": "ipv4", "value": "198.51.100.7"})).await;
    let text = object.to_string();
    assert!(!text.contains("null") && !text.contains("[]") && !text.contains("{}"), "{text}");
    assert!(object["valid_from"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn confidence_bands_have_their_numbers() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let said = [json!("high"), json!("medium"), json!("low"), json!(0), json!(42), json!(100)];
    for (index, (confidence, expected)) in said.iter().zip([85, 50, 15, 0, 42, 100]).enumerate() {
        let value = format!("192.0.2.{index}");
        let ioc = json!({"type": "ipv4", "value": value, "confidence": confidence});
        assert_eq!(indicator(&w, &c, &ioc).await["confidence"], expected, "{confidence}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ndjson_csv_and_json_arrays_say_the_same() {
    let w = World::http().await;
    let ndjson = "{\"type\":\"domain\",\"value\":\"a.example.org\",\"tags\":[\"x\"]}\n\n\
                  {\"type\":\"ipv4\",\"value\":\"192.0.2.1\"}\r\n";
    let answer = post(&w, "application/x-ndjson", ndjson).await;
    assert_eq!(answer["created"], 2, "{answer}");
    let csv = "type,value,tags\ndomain,a.example.org,x\n\"ipv4\",\"192.0.2.1\",\n";
    for content_type in ["text/csv", "text/csv; charset=utf-8"] {
        let answer = post(&w, content_type, csv).await;
        assert_eq!(answer["unchanged"], 2, "{answer}");
    }
    let array = json!([
        {"type": "domain", "value": "A.example.org.", "tags": ["x"]},
        {"type": "ipv4", "value": "192[.]0[.]2[.]1"},
    ]);
    let answer = post(&w, "application/json", &array.to_string()).await;
    assert_eq!(answer["unchanged"], 2, "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn defanged_values_are_refanged() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let cases = [
        ("url", "hxxps://bad[.]example[.]com/x", "[url:value = 'https://bad.example.com/x']"),
        ("domain", "bad[.]example[.]com", "[domain-name:value = 'bad.example.com']"),
        ("ipv4", "203.0.113[.]9", "[ipv4-addr:value = '203.0.113.9']"),
    ];
    for (kind, value, pattern) in cases {
        let object = indicator(&w, &c, &json!({"type": kind, "value": value})).await;
        assert_eq!(object["pattern"], pattern);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_ioc_is_refused_alone_with_its_line_and_reason() {
    let w = World::http().await;
    let lines = [
        r#"{"type":"ipv4","value":"192.0.2.1"}"#,
        r#"{"type":"ipv4","value":"192.0.2.256"}"#,
        "this is no JSON",
        r#"{"type":"ipv4","value":"192.0.2.2"}"#,
        "",
        r#"{"type":"colour","value":"red"}"#,
    ];
    let answer = post(&w, "application/x-ndjson", &lines.join("\n")).await;
    assert_eq!((&answer["created"], &answer["rejected"]), (&json!(2), &json!(3)), "{answer}");
    let results = answer["results"].as_array().unwrap();
    let rejected = results.iter().filter(|result| result["outcome"] == "rejected");
    let lines: Vec<_> = rejected
        .map(|result| {
            assert!(result["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
            result["line"].as_u64().unwrap()
        })
        .collect();
    assert_eq!(lines, [2, 3, 6], "{answer}");
    let csv = "type,value\nipv4,192.0.2.1\nmd5,xyz\n";
    let answer = post(&w, "text/csv", csv).await;
    assert_eq!((&answer["unchanged"], &answer["rejected"]), (&json!(1), &json!(1)), "{answer}");
    let line = answer["results"].as_array().unwrap().iter().find(|r| r["outcome"] == "rejected");
    assert_eq!(line.unwrap()["line"], 3, "the header is line 1: {answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_checked() {
    let w = World::http().await;
    let bad = [
        ("ipv4", "192.0.2"),
        ("ipv4", "2001:db8::1"),
        ("ipv4", "192.0.2.1/24x"),
        ("ipv6", "192.0.2.1"),
        ("ipv6", "2001:db8:::1"),
        ("domain", "no spaces.example.com"),
        ("domain", ""),
        ("domain", "a..example.com"),
        ("url", "not a url"),
        ("url", "/relative/path"),
        ("md5", "abcd"),
        ("sha1", "gg345678901234567890123456789012345678901"),
        ("sha256", "ab"),
        ("sha512", "0"),
        ("email", "nobody"),
        ("cve", "CVE-26-1"),
        ("mitre_attack", "TA99"),
    ];
    for (kind, value) in bad {
        let result = one(&w, &json!({"type": kind, "value": value})).await;
        assert_eq!(result["outcome"], "rejected", "{kind} {value:?}: {result}");
    }
    let good = json!({"type": "ipv4", "value": "192.0.2.1"});
    for (member, value) in [
        ("confidence", json!(101)),
        ("confidence", json!("certain")),
        ("tlp", json!("purple")),
        ("first_seen", json!("yesterday")),
        ("valid_until", json!(5)),
        ("mitre", json!(["nonsense"])),
        ("tags", json!(7)),
    ] {
        let mut ioc = good.clone();
        ioc[member] = value;
        let result = one(&w, &ioc).await;
        assert_eq!(result["outcome"], "rejected", "{ioc}: {result}");
        assert!(result["reason"].as_str().unwrap().contains(member), "{result}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_ioc_from_two_sources_is_one_object_that_merges() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let ioc = |source: &str, tag: &str, technique: &str, confidence: &str| {
        json!({"type": "domain", "value": "shared.example.com", "source": source,
               "tags": [tag], "mitre": [technique], "confidence": confidence})
    };
    let first = indicator(&w, &c, &ioc("Lab One", "one", "T1059", "low")).await;
    let second = indicator(&w, &c, &ioc("Lab Two", "two", "T1566", "high")).await;
    assert_eq!(first["id"], second["id"]);
    assert_eq!(first["created"], second["created"], "created is kept");
    assert!(first["modified"].as_str() < second["modified"].as_str(), "modified moves");
    let text = second.to_string();
    for part in ["\"one\"", "\"two\"", "T1059", "T1566", "Lab One", "Lab Two"] {
        assert!(text.contains(part), "{part} was lost: {text}");
    }
    assert_eq!(second["confidence"], 85);
    let result = one(&w, &ioc("Lab One", "one", "T1059", "low")).await;
    assert_eq!(result["outcome"], "unchanged", "nothing new: {result}");
    assert_eq!(result["version"], second["modified"], "modified moves only with a change");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_are_the_same_everywhere_and_not_of_the_sco_namespace() {
    let w = World::http().await;
    let values = ["Host.example.com", "host.example.com.", "host[.]example[.]com"];
    let mut found = std::collections::BTreeSet::new();
    for value in values {
        let result = one(&w, &json!({"type": "domain", "value": value})).await;
        found.insert(result["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(found.len(), 1, "one value, one object: {found:?}");
    let id = found.first().unwrap().strip_prefix("indicator--").unwrap();
    assert_eq!(uuid::Uuid::parse_str(id).unwrap().get_version_num(), 5);
    let other = one(&w, &json!({"type": "url", "value": "http://host.example.com/"})).await;
    assert!(!found.contains(other["id"].as_str().unwrap()), "the type is part of the name");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_ioc_becomes_a_revoked_indicator() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::everything()).await;
    let ioc = json!({"type": "ipv4", "value": "203.0.113.44"});
    let first = indicator(&w, &c, &ioc).await;
    assert_ne!(first["revoked"], true);
    let mut revoked = ioc.clone();
    revoked["revoked"] = json!(true);
    let second = indicator(&w, &c, &revoked).await;
    assert_eq!(second["id"], first["id"]);
    assert_eq!(second["revoked"], true);
}
