use super::*;
use crate::ioc::Fault;

fn record(kind: &str, value: &str) -> IocRecord {
    IocRecord { kind: kind.into(), value: value.into(), ..IocRecord::default() }
}

#[test]
fn members_are_typed_and_normalised() {
    let ioc = IocRecord {
        confidence: Some("HIGH".into()),
        tags: vec![" a ".into(), "b".into(), "a".into(), String::new()],
        mitre: vec!["t1059.001".into(), "T1059.001".into()],
        first_seen: Some("2026-05-15".into()),
        valid_until: Some("2026-05-16T00:00:00+01:00".into()),
        source: Some(" a list ".into()),
        tlp: Some("TLP:AMBER".into()),
        ..record("IPv4", " 192.0.2[.]1 ")
    }
    .check()
    .unwrap();
    assert_eq!((ioc.kind(), ioc.value()), (IocType::Ipv4, "192.0.2.1"));
    assert_eq!((ioc.confidence(), ioc.tlp()), (Some(85), Some(Tlp::Amber)));
    assert_eq!((ioc.tags(), ioc.source()), (&["a".into(), "b".into()][..], Some("a list")));
    assert_eq!(ioc.techniques(), ["T1059.001"]);
}

#[test]
fn a_technique_names_itself() {
    let ioc = IocRecord { mitre: vec!["T1190".into()], ..record("mitre-attack", "t1059") };
    assert_eq!(ioc.check().unwrap().techniques(), ["T1059", "T1190"]);
}

#[test]
fn confidence_is_a_word_or_a_whole_number() {
    for (text, wanted) in [("low", 15), ("Medium", 50), ("0", 0), ("100", 100), ("85.0", 85)] {
        assert_eq!(check_confidence(text), Ok(wanted), "{text}");
    }
    for text in ["", "101", "-1", "+5", "50.5", "5.", ".5", "1e1", "sure", "85%"] {
        assert!(check_confidence(text).is_err(), "{text}");
    }
}

#[test]
fn bounds_and_control_characters_are_kept() {
    let base = || record("domain", "example.com");
    let long = |count| "x".repeat(count);
    for (bad, part) in [
        (record("url", &format!("http://example.com/{}", long(8192))), "`value`"),
        (record("url", &format!("http://example.com/{}", "é".repeat(3000))), "`value`"),
        (record("domain", "exam\0ple.com"), "control character"),
        (record("file", "x"), "no IOC type"),
        (IocRecord { description: Some(long(16 * 1024 + 1)), ..base() }, "`description`"),
        (IocRecord { description: Some("a\u{1b}b".into()), ..base() }, "`description`"),
        (IocRecord { tags: vec![long(201)], ..base() }, "`tags`"),
        (IocRecord { tags: vec!["a\nb".into()], ..base() }, "`tags`"),
        (IocRecord { tags: vec!["a".into(); 101], ..base() }, "`tags` has 101"),
        (IocRecord { mitre: vec!["T1059".into(); 101], ..base() }, "`mitre` has 101"),
        (IocRecord { mitre: vec!["TA0001".into()], ..base() }, "`mitre` \"TA0001\""),
        (IocRecord { source: Some(long(501)), ..base() }, "`source`"),
        (IocRecord { tlp: Some("purple".into()), ..base() }, "`tlp`"),
        (IocRecord { last_seen: Some("soon".into()), ..base() }, "`last_seen` \"soon\""),
    ] {
        let error = bad.check().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    assert!(IocRecord { description: Some("two\nlines".into()), ..base() }.check().is_ok());
}

/// As the readers do with blanks (found by fuzzing: a source of one zero-width space).
#[test]
fn a_text_of_nothing_but_what_copying_leaves_is_absent() {
    for blank in ["", " ", "\u{200b}", "\u{feff} \u{200b}"] {
        let ioc = IocRecord { source: Some(blank.into()), ..record("domain", "example.com") };
        assert_eq!(ioc.check().unwrap().source(), None, "{blank:?}");
        let described =
            IocRecord { description: Some(blank.into()), ..record("domain", "example.com") };
        assert_eq!(described.check().unwrap().description(), None, "{blank:?}");
    }
}

#[test]
fn it_ends_after_it_begins() {
    let bad = IocRecord {
        first_seen: Some("2026-05-15".into()),
        valid_until: Some("2026-05-15".into()),
        ..record("domain", "example.com")
    };
    assert!(matches!(bad.check(), Err(IocError::EndsBeforeStart { .. })));
}

#[test]
fn a_bad_value_says_why() {
    let error = record("domain", "192.0.2.1").check().unwrap_err();
    assert!(matches!(error, IocError::Value { fault: Fault::IsAddress, .. }));
    assert_eq!(
        error.to_string(),
        "`value` \"192.0.2.1\" is no domain: it is an IP address; use type ipv4 or ipv6"
    );
}
