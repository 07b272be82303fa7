//! One indicator of each of the eleven types, exported with everything: the whole bundle, as
//! `tests/golden/export/<type>.json` has it. `IOCAST_BLESS=1` writes them anew.

use std::path::Path;

use serde_json::Value;
use shared::tlp::Tlp;
use tests::export::TYPES;
use tests::world::World;

/// With every member an IOC may have, so that nothing in it depends on when it comes in but
/// `created` and `modified`.
fn ioc(kind: &str) -> String {
    let value = match kind {
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "domain" => "host.example.com",
        "url" => "http://example.org/it's?q=%22",
        "md5" => "00112233445566778899aabbccddeeff",
        "sha1" => "00112233445566778899aabbccddeeff00112233",
        "sha256" => "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "sha512" => concat!(
            "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
            "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
        ),
        "email" => "sender@example.com",
        "cve" => "CVE-2026-0001",
        _ => "T1566.001",
    };
    serde_json::json!({
        "type": kind, "value": value, "confidence": "high", "tags": ["example"],
        "mitre": ["T1071"], "first_seen": "2026-01-05T00:00:00Z",
        "last_seen": "2026-02-05T00:00:00Z", "valid_until": "2099-01-05T00:00:00Z",
        "source": "Example Lab",
    })
    .to_string()
        + "\n"
}

/// What depends on the moment, written as what it is.
fn redact(value: &mut Value, now: &str) {
    match value {
        Value::String(text) if text == now => "[now]".clone_into(text),
        Value::String(text) if text.starts_with("bundle--") => "[bundle]".clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, now)),
        Value::Object(members) => members.values_mut().for_each(|member| redact(member, now)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bundle_of_each_type_is_the_golden_one() {
    let world = World::of_operator().await;
    world.send_iocs(&TYPES.map(ioc).concat()).await;
    world.at_rest().await;
    let export = world.exporter(Tlp::Red).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/export");
    let bless = std::env::var_os("IOCAST_BLESS").is_some();
    for kind in TYPES {
        let query = [("type", kind), ("include_observables", "true"), ("include_context", "true")];
        let mut bundle = export.request(&query).await.expect(200).json();
        let objects = bundle["objects"].as_array().unwrap();
        let indicators = objects.iter().filter(|object| object["type"] == "indicator");
        let now: Vec<String> =
            indicators.map(|one| one["modified"].as_str().unwrap().to_owned()).collect();
        assert_eq!(now.len(), 1, "{kind}");
        redact(&mut bundle, &now[0]);
        let file = folder.join(format!("{kind}.json"));
        if bless {
            std::fs::create_dir_all(&folder).unwrap();
            let text = serde_json::to_string_pretty(&bundle).unwrap() + "\n";
            std::fs::write(&file, text).unwrap();
        }
        let text = std::fs::read_to_string(&file).expect("committed");
        let golden: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(bundle, golden, "{kind}: if this is meant, run with IOCAST_BLESS=1");
    }
}
