//! Every form of one feed, byte for byte. `IOCAST_GOLDEN=write` writes the files anew.

use super::*;

/// Objects with all that is nasty in a flat file.
fn objects() -> Vec<Value> {
    let common = |id: &str, more: Value| {
        let mut object = json!({
            "type": "indicator", "spec_version": "2.1",
            "id": format!("indicator--{id}-7f0c-4b6e-9c9e-1f2d3c4b5a69"),
            "created": "2026-05-01T00:00:00.000Z", "modified": "2026-05-02T00:00:00.000Z",
            "pattern_type": "stix", "valid_from": "2026-05-01T00:00:00Z",
        });
        for (name, value) in more.as_object().unwrap() {
            object[name] = value.clone();
        }
        object
    };
    vec![
        common(
            "00000001",
            json!({
                "name": "=HYPERLINK(\"http://example.com\")",
                "pattern": "[url:value = 'http://example.com/a,b;c?\"=1\"#x']",
                "description": "line one\r\nline two\nline three\u{2028}four, \"quoted\" # no comment",
                "labels": ["@tag", "a;b", "größe \u{1F980}"], "confidence": 85,
                "indicator_types": ["malicious-activity", "anonymization"],
                "valid_until": "2027-01-01T00:00:00Z",
                "external_references": [
                    {"source_name": "Example Lab", "url": "https://lab.example.org/1"},
                    {"source_name": "mitre-attack", "external_id": "T1059.001"},
                    {"source_name": "Second, Lab", "url": "https://lab.example.org/2"},
                ],
                "object_marking_refs": [Tlp::Green.marking_id()],
            }),
        ),
        common(
            "00000002",
            json!({
                "name": "several", "confidence": 20,
                "pattern": "[ipv4-addr:value IN ('192.0.2.1', '198.51.100.0/24') OR ipv6-addr:value = '2001:db8::1' OR domain-name:value = '-dash.example.net' OR email-addr:value = '@example.org' OR file:hashes.'SHA-256' = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff']",
                "labels": ["+plus"],
            }),
        ),
        json!({
            "type": "malware", "spec_version": "2.1",
            "id": "malware--00000003-7f0c-4b6e-9c9e-1f2d3c4b5a69",
            "created": "2026-05-01T00:00:00.000Z", "modified": "2026-05-02T00:00:00.000Z",
            "name": "-Example\tLoader", "is_family": true, "first_seen": "2025-01-01T00:00:00Z",
            "last_seen": "2026-01-01T00:00:00Z", "aliases": ["one", "two"],
        }),
        json!({
            "type": "file", "spec_version": "2.1",
            "id": "file--00000004-7f0c-4b6e-9c9e-1f2d3c4b5a69",
            "hashes": {"MD5": "00112233445566778899aabbccddeeff", "SSDEEP": "3:x"},
        }),
    ]
}

fn rendered(feed: &Feed, file: File) -> String {
    let mut renderer = Renderer::new(file, feed);
    let records: Vec<Record> = objects()
        .iter()
        .zip(1_u64..)
        .filter_map(|(object, n)| record(feed, object, n * 1_000_000, n * 1_000_001))
        .collect();
    let banner = Banner {
        generated: "2026-05-15T08:30:00.5Z".parse().unwrap(),
        from: feed.window().begins("2026-05-15T08:30:00.5Z".parse().unwrap()),
        rows: records.iter().map(|record| u64::from(record.rows)).sum(),
        level: Tlp::Amber,
    };
    let mut out = Vec::new();
    renderer.begin(&banner, &mut out);
    for record in &records {
        for ioc in &record.iocs {
            renderer.row(record, ioc, &mut out);
        }
    }
    renderer.end(&mut out);
    String::from_utf8(out).unwrap()
}

fn compare(name: &str, text: &str) {
    let path = format!("{}/src/feed/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var("IOCAST_GOLDEN").is_ok_and(|value| value == "write") {
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, golden, "{name}");
}

#[test]
fn every_form_is_as_it_was() {
    let all = feed(&json!({
        "rolling_minutes": 1440,
        "formats": ["csv", "csv.gz", "txt", "json", "splunk", "sentinel"],
    }));
    for file in File::of(&all.settings) {
        // The compressed one is compressed by who writes it.
        compare(&format!("all.{}", file.suffix().replace("csv.gz", "csv")), &rendered(&all, file));
    }
}

#[test]
fn every_setting_does_what_it_says() {
    let other = feed(&json!({
        "banner": false, "include_header": false, "separator": "\t", "list_separator": " | ",
        "formula_guard": false,
        "columns": [
            "value", "tags",
            {"name": "links", "path": "external_references.url"},
            {"name": "first link", "path": "external_references.0.url"},
            {"name": "family", "types": {"malware": "is_family"}},
            {"name": "also", "path": "indicator_types", "types": {"malware": "aliases", "file": "hashes"}},
            "added", "changed", "created", "modified", "revoked", "name",
        ],
        "formats": ["csv", "json"],
    }));
    compare("other.csv", &rendered(&other, File::Csv));
    compare("other.json", &rendered(&other, File::Json));
}

#[test]
fn a_row_is_one_physical_line_whatever_ends_a_line_elsewhere() {
    let all = feed(&json!({}));
    let text = rendered(&all, File::Csv);
    let breaks = ['\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];
    assert!(!text.contains(breaks) && !text.contains('\0'));
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert_eq!(text.matches("\r\n").count(), 5 + 1 + 9 + 1);
}

#[test]
fn what_anybody_may_have_written_is_guarded_and_an_ioc_is_not_wherever_it_stands() {
    let attribute = |name: &str| json!({"name": name, "path": name});
    let feed = feed(&json!({"banner": false, "include_header": false, "columns":
        ["value", "first_seen", "last_seen", attribute("value"), attribute("x_note")]}));
    let object = json!({
        "type": "domain-name", "spec_version": "2.1",
        "id": "domain-name--00000001-7f0c-4b6e-9c9e-1f2d3c4b5a69", "value": "-dash.example.net",
        "first_seen": "=1+1", "last_seen": "@SUM(A1:A9)", "x_note": "-dash.example.org",
    });
    let record = record(&feed, &object, 1, 1).unwrap();
    let mut out = Vec::new();
    Renderer::new(File::Csv, &feed).row(&record, &record.iocs[0], &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "\"-dash.example.net\",\"'=1+1\",\"'@SUM(A1:A9)\",\"-dash.example.net\",\"'-dash.example.org\"\r\n"
    );
}
