use super::*;

fn read_text(name: &str, text: &str) -> (Vec<Found>, Result<(), LoadFileError>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    let (queue, mut found) = tokio::sync::mpsc::channel(10_000);
    let result = read(&file, &Arc::new(Progress::default()), &queue);
    drop(queue);
    let mut all = Vec::new();
    while let Some(one) = found.blocking_recv() {
        all.push(one);
    }
    (all, result)
}

fn sent(found: &[Found]) -> Vec<(Place, String)> {
    let records = found.iter().filter_map(|found| match found {
        Found::Batch(batch) => Some(&batch.records),
        Found::Rejected(_) => None,
    });
    let text = |json: &[u8]| String::from_utf8(json.to_vec()).unwrap();
    records.flatten().map(|record| (record.place, text(&record.json))).collect()
}

fn rejected(found: &[Found]) -> Vec<(Place, &str)> {
    let rejections = found.iter().filter_map(|found| match found {
        Found::Rejected(rejection) => Some((rejection.place, rejection.code.as_str())),
        Found::Batch(_) => None,
    });
    rejections.collect()
}

#[test]
fn a_bundle_is_taken_apart_and_what_is_no_json_stays_out() {
    let text = r#"{"type":"bundle","objects":[{"id":"a"}, {"id":"b",}, {"id":7}]}"#;
    let (found, result) = read_text("b.json", text);
    result.unwrap();
    let expected = [
        (Place::Index(0), r#"{"id":"a"}"#.to_owned()),
        (Place::Index(2), r#"{"id":7}"#.to_owned()),
    ];
    assert_eq!(sent(&found), expected);
    assert_eq!(rejected(&found), [(Place::Index(1), "invalid_json")]);
}

#[test]
fn what_stood_before_a_damage_is_sent() {
    let objects = "{\"id\":\"a\"},".repeat(60_000);
    let (found, result) = read_text("b.json", &format!("{{\"objects\":[{objects}"));
    assert!(matches!(result, Err(LoadFileError::Split(_))));
    assert!(sent(&found).len() >= 50_000);
}

#[test]
fn iocs_keep_their_lines() {
    let text = "# odd\nvalue,type,tags\n192.0.2.1,ipv4,a;b\n\nx,y,z,more\nexample.com,domain,\n";
    let (found, result) = read_text("i.csv", text);
    result.unwrap();
    let expected = [
        (Place::Line(3), r#"{"tags":["a","b"],"type":"ipv4","value":"192.0.2.1"}"#.to_owned()),
        (Place::Line(6), r#"{"type":"domain","value":"example.com"}"#.to_owned()),
    ];
    let plain = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    for ((place, json), (wanted, text)) in sent(&found).iter().zip(&expected) {
        assert_eq!((place, plain(json)), (wanted, plain(text)));
    }
    assert_eq!(rejected(&found), [(Place::Line(5), "invalid_ioc")]);

    let lines = "{\"type\":\"ipv4\",\"value\":\"192.0.2.1\"}\n\n{bad\n";
    let (found, result) = read_text("i.ndjson", lines);
    result.unwrap();
    assert_eq!(sent(&found).len(), 1);
    assert_eq!(rejected(&found), [(Place::Line(3), "invalid_ioc")]);
}

#[test]
fn lines_of_stix_are_taken_too() {
    let text = format!(
        "{{\"type\":\"x\",\"id\":\"a\"}}\r\n\n{{\"id\":\"{}\"}}\n{{\"id\":\"c\"}}",
        "b".repeat(MAX_OBJECT)
    );
    let (found, result) = read_text("s.jsonl", &text);
    result.unwrap();
    let places: Vec<_> = sent(&found).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, [Place::Line(1), Place::Line(4)]);
    assert_eq!(rejected(&found), [(Place::Line(3), "object_too_large")]);
}

#[test]
fn what_is_nothing_is_refused_with_what_would_be_right() {
    let (_, result) = read_text("a.txt", "hello");
    assert!(result.unwrap_err().to_string().contains("bundle"));
    let (_, result) = read_text("a.csv", "a,b\n1,2\n");
    assert!(result.unwrap_err().to_string().starts_with("line 1"));
}
