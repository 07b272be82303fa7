//! The official validator, python-stix2 and stix2-patterns on what is exported: every type with
//! every option, and values that are hard to quote. Real feeds too, where `IOCAST_REAL_DATA` names
//! their folder: all are exported, one indicator in four is validated; a soak validates all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shared::tlp::Tlp;
use tests::client::Client;
use tests::export::{Bundle, PATH};
use tests::fixtures::{envelope, identity, indicator, tlp_marking};
use tests::keys::KeySpec;
use tests::python;
use tests::service::{file, load};
use tests::soak::is_soak;
use tests::world::World;

/// Plain IOCs, and values an indicator's pattern may name though a list may not.
fn values() -> (String, Vec<(&'static str, String)>) {
    let iocs = [
        ("ipv4", "192.0.2.1"),
        ("ipv4", "198.51.100.0/24"),
        ("ipv6", "2001:db8::1"),
        ("ipv6", "2001:db8:1::/48"),
        ("domain", "host.example.com"),
        ("domain", "xn--bcher-kva.example"),
        ("url", "http://example.org/it's"),
        ("url", "http://example.org/a?b=%22c%22"),
        ("md5", "00112233445566778899aabbccddeeff"),
        ("sha1", "00112233445566778899aabbccddeeff00112233"),
        ("sha256", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
        (
            "sha512",
            "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        ),
        ("email", "o'brien@example.com"),
        ("cve", "CVE-2026-0001"),
        ("mitre_attack", "T1566.001"),
    ];
    let mut values: Vec<(&str, String)> =
        iocs.iter().map(|(kind, value)| (*kind, (*value).to_owned())).collect();
    let confidence = ["high", "medium", "low"];
    let lines = iocs.iter().enumerate().map(|(number, (kind, value))| {
        let mut ioc = json!({"type": kind, "value": value, "tags": ["a 'tag'", "Größe"],
            "mitre": ["T1059.001"], "confidence": confidence[number % 3], "source": "Example Lab"});
        if number % 2 == 0 {
            ioc["last_seen"] = json!("2026-02-05T00:00:00Z");
            ioc["tlp"] = json!(["clear", "green", "amber"][number % 3]);
        }
        ioc.to_string() + "\n"
    });
    let lines = lines.collect();
    values.extend(
        [
            "http://example.org/\\'\"\\\\",
            "http://example.org/\u{1}\u{7f}\t\n",
            "http://example.org/\u{1F980}ß\u{2028}\u{202e}",
        ]
        .map(|value| ("url", value.to_owned())),
    );
    (lines, values)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_type_with_every_option_is_valid_and_every_value_survives() {
    let world = World::of_operator().await;
    let (lines, values) = values();
    let statement = tlp_marking("unused")
        .set("definition_type", "statement")
        .set("definition", json!({"statement": "Copyright Example"}))
        .without("name");
    // In STIX 2.1, and as STIX 2.0 has them.
    let (author, older) = (identity("Example Org"), identity("Older Org").without("spec_version"));
    let older_statement = tlp_marking("unused")
        .set("definition_type", "statement")
        .set("definition", json!({"statement": "Copyright Older"}))
        .without("name")
        .without("spec_version");
    let mut objects = vec![author.clone(), older.clone()];
    objects.extend([statement.clone(), older_statement.clone()]);
    let odd = values.iter().filter(|(_, value)| value.contains(['"', '\t', '\u{2028}']));
    for (number, (_, value)) in odd.enumerate() {
        let (author, statement) = match number % 2 {
            0 => (&author, &statement),
            _ => (&older, &older_statement),
        };
        let refs = json!([Tlp::Green.marking_id(), statement.id()]);
        let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
        let object = indicator()
            .set("pattern", format!("[url:value = '{quoted}']"))
            .set("created_by_ref", author.id())
            .set("object_marking_refs", refs)
            .without("name");
        objects.push(object);
    }
    // Whose author and statement everybody may see.
    let operator = world.http.with_key(world.admin_key()).post("/api/v1/objects");
    let sent = operator.body("application/json", envelope(&objects)).await.expect(200).json();
    assert_eq!(sent["rejected"], 0, "{sent}");
    world.send_iocs(&lines).await;
    world.at_rest().await;
    let export = world.exporter(Tlp::Amber).await;
    let folder = tempfile::tempdir().unwrap();
    let expected = file(folder.path(), "values.json", json!(values).to_string());
    let key = export.0.get("").headers[0].1.trim_start_matches("Bearer ").to_owned();
    let arguments = [world.http.base_url(), &key, expected.to_str().unwrap()];
    let said = python::run("export.py", &arguments).await;
    // Addresses with an apostrophe are right, and unknown to the validator.
    let excepted = said.lines().filter(|line| line.starts_with("excepted:"));
    assert!(excepted.clone().all(|line| line.ends_with("o'brien@example.com")), "{said}");
    assert_eq!(excepted.count(), 1, "{said}");
}

fn real_files() -> Option<(PathBuf, Vec<PathBuf>)> {
    let real = std::env::var_os("IOCAST_REAL_DATA").map(PathBuf::from)?;
    let entries = std::fs::read_dir(real.join("stix")).unwrap();
    Some((real, entries.map(|entry| entry.unwrap().path()).collect()))
}

/// How many IOCs of each type are taken: what tests have time for, and no more than the list has.
const SAMPLE: [(&str, usize); 7] = [
    ("domain", 300),
    ("url", 230),
    ("sha256", 140),
    ("ipv4", 120),
    ("md5", 90),
    ("sha1", 90),
    ("email", 12),
];

/// Of the types that the list lacks.
const LACKING: [(&str, &str); 8] = [
    ("ipv6", "2001:db8::bad:1"),
    ("ipv6", "2001:db8:bad::/48"),
    (
        "sha512",
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    ),
    ("cve", "CVE-2021-44228"),
    ("cve", "CVE-2026-123456"),
    ("mitre_attack", "T1059"),
    ("mitre_attack", "T1566.001"),
    ("mitre_attack", "T1486"),
];

/// Lines of the real list, of each type evenly from its beginning to its end, and of what it lacks.
fn some_iocs(real: &Path, folder: &Path) -> PathBuf {
    let bytes = std::fs::read(real.join("iocs/iocs.ndjson.gz")).unwrap();
    let reader = std::io::BufReader::new(flate2::read::GzDecoder::new(&*bytes));
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in std::io::BufRead::lines(reader).map(Result::unwrap) {
        let ioc: Value = serde_json::from_str(&line).unwrap();
        lines.entry(ioc["type"].as_str().unwrap().to_owned()).or_default().push(line);
    }
    let mut text = String::new();
    for (kind, wanted) in SAMPLE {
        let lines = lines.remove(kind).unwrap();
        for line in lines.iter().step_by((lines.len() / wanted).max(1)).take(wanted) {
            text.push_str(line);
            text.push('\n');
        }
    }
    assert!(lines.is_empty(), "the list has more types: {:?}", lines.keys());
    for (kind, value) in LACKING {
        text.push_str(&json!({"type": kind, "value": value, "mitre": ["T1071"]}).to_string());
        text.push('\n');
    }
    file(folder, "iocs.ndjson", text)
}

/// The pages of an export, as they came, and how many indicators they hold.
async fn pages(client: &Client, query: &str) -> (Vec<Value>, usize) {
    let (mut pages, mut indicators) = (Vec::new(), 0);
    let mut query = query.to_owned();
    loop {
        let answer = client.get(&format!("{PATH}?{query}")).await;
        let bundle = Bundle::of(&answer);
        indicators += bundle.indicators().len();
        pages.push(answer.json());
        let Some(next) = bundle.next else { break };
        query = format!("cursor={next}");
    }
    (pages, indicators)
}

/// A page with one indicator in four: the validator takes longer than all else.
fn with_few_indicators(mut page: Value) -> Value {
    let mut number = 0;
    page["objects"].as_array_mut().unwrap().retain(|object| {
        number += usize::from(object["type"] == "indicator");
        object["type"] != "indicator" || number % 4 == 1
    });
    page
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn real_feeds_are_valid_but_for_patterns_of_their_own() {
    let Some((real, mut files)) = real_files() else { return };
    let folder = tempfile::tempdir().unwrap();
    files.push(some_iocs(&real, folder.path()));
    let world = World::of_operator().await;
    let ended = load(&files, world.http.base_url(), world.writer_key()).await;
    let accepted = ended.json()["accepted"].as_u64().unwrap();
    assert!(accepted > 3_400, "{ended:?}");
    world.send(&[indicator().set("revoked", true)]).await;
    world.at_rest().await;
    let key = world.key(KeySpec::of("reader")).await.text;
    let client = world.http.with_key(&key);
    let (pages, indicators) = pages(&client, "limit=1000").await;
    // Relationships and malware were accepted as well.
    assert!(indicators > 3_400, "{indicators}");
    let (_, with_revoked) = self::pages(&client, "limit=1000&include_revoked=true").await;
    assert!(with_revoked > indicators, "{with_revoked}");
    let pages: Vec<Value> =
        if is_soak() { pages } else { pages.into_iter().map(with_few_indicators).collect() };
    let kept = file(folder.path(), "pages.json", json!(pages).to_string());
    let arguments = [world.http.base_url(), &key, "-", kept.to_str().unwrap()];
    let said = python::run("export.py", &arguments).await;
    eprintln!("{said}");
}
