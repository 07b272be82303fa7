use super::*;
use crate::load::batch::Cargo;
use crate::load::report::Place;
use std::path::Path;

fn batch() -> Batch {
    let mut batch = Batch::new(Cargo::Iocs);
    for line in 1..=3 {
        batch.push(Record { place: Place::Line(line), id: None, json: b"{}".to_vec() });
    }
    batch
}

fn answer(text: &str) -> Answer {
    serde_json::from_str(text).unwrap()
}

#[test]
fn answers_are_taken_down_with_the_files_lines() {
    let mut report = FileReport::new(Path::new("f"));
    let answer = answer(
        r#"{"results":[{"index":0,"outcome":"created","id":"a"},
            {"index":1,"line":2,"outcome":"rejected","code":"invalid_ioc","reason":"odd"},
            {"index":2,"outcome":"deleted","id":"c"}]}"#,
    );
    take_down(&batch(), answer, &mut report).unwrap();
    assert_eq!((report.counts.accepted, report.counts.rejected), (1, 2));
    assert_eq!(report.rejections[0].place, Place::Line(2));
    assert_eq!(report.rejections[1].code, "deleted");
}

#[test]
fn a_report_on_something_else_is_not_believed() {
    let mut report = FileReport::new(Path::new("f"));
    assert!(take_down(&batch(), answer(r#"{"results":[]}"#), &mut report).is_err());
}

#[test]
fn pauses_grow_and_stop_growing() {
    assert_eq!(pause(1), FIRST_PAUSE);
    assert_eq!(pause(2), FIRST_PAUSE * 2);
    assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
}

#[test]
fn the_services_sentence_is_shown() {
    assert_eq!(message(br#"{"error":{"message":"no"}}"#), "no");
    assert_eq!(message(b"gateway"), "gateway");
}
