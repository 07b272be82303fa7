use super::*;

fn texts(body: &str) -> (Summary, Vec<&str>) {
    let (summary, pieces) = split(body.as_bytes()).unwrap();
    (summary, pieces.into_iter().map(|piece| std::str::from_utf8(piece).unwrap()).collect())
}

fn refusal(body: impl AsRef<[u8]>) -> String {
    split(body.as_ref()).unwrap_err().to_string()
}

#[test]
fn the_three_forms() {
    let a = r#"{"id":"a","objects":[{"x":"]}"}]}"#;
    let b = r#"{"id":"b","name":"say \"{[\\"}"#;
    let summary = |kind, count, objects_seen| Summary { kind, count, objects_seen };
    for (body, kind) in [
        (
            format!(
                r#"{{"type":"bundle","id":"bundle--1","spec_version":"2.0","objects":[{a},{b}]}}"#
            ),
            Kind::Bundle,
        ),
        (format!(r#"{{"objects" : [ {a} , {b} ] , "type" : "bundle" }}"#), Kind::Bundle),
        (format!(r#"{{"\u006fbjects":[{a},{b}],"t\u0079pe":"\u0062undle"}}"#), Kind::Bundle),
        (format!(r#"{{"more":true,"next":"[{{","objects":[{a},{b}]}}"#), Kind::Envelope),
        (
            format!(r#"{{"x":{{"objects":[1]}},"type":["bundle"],"objects":[{a},{b}]}}"#),
            Kind::Envelope,
        ),
        (format!("\u{feff}\r\n\t [{a},{b}]\n"), Kind::Array),
    ] {
        assert_eq!(texts(&body), (summary(kind, 2, true), vec![a, b]), "{body}");
    }
    for (body, expected) in [
        ("{}", summary(Kind::Envelope, 0, false)),
        (r#"{"more":false}"#, summary(Kind::Envelope, 0, false)),
        (r#"{"objects":[]}"#, summary(Kind::Envelope, 0, true)),
        (r#"{"type":"bundle","id":"b"}"#, summary(Kind::Bundle, 0, false)),
        (r#"{"type":"indicator","id":"i"}"#, summary(Kind::Envelope, 0, false)),
        ("[ ]", summary(Kind::Array, 0, true)),
    ] {
        assert_eq!(texts(body), (expected, vec![]), "{body}");
    }
}

#[test]
fn a_damaged_element_that_closes_is_handed_on() {
    let elements = [r#"{"a":}"#, "tru", r#"{"a" "b",,}"#, "-1.e", r#"["\x"]"#, "{}", "null"];
    let body = format!("[{}]", elements.join(" , "));
    assert_eq!(texts(&body).1, elements);

    let deep = format!("{}{}", "[{".repeat(300), "}]".repeat(300));
    let body = format!("[{deep},1]");
    assert_eq!(texts(&body).1, [deep.as_str(), "1"]);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let none = "a body is a STIX bundle, a TAXII envelope or an array of objects";
    let early = "too early: expected";
    for (body, said) in [
        ("", format!("no envelope at byte 0: {none}")),
        (" \"x\"", format!("no envelope at byte 1: {none}")),
        (
            "[] []",
            "something follows the end of the JSON text at byte 3: expected nothing but white space"
                .to_owned(),
        ),
        (
            r#"{"objects":{}}"#,
            "`objects` at byte 11 is not an array: expected an array of objects".to_owned(),
        ),
        (
            r#"{"objects":[],"objects":[]}"#,
            "a second `objects` ends at byte 22: expected all objects in one array".to_owned(),
        ),
        ("[{}", format!("the body ends at byte 3, {early} `,` or `]`")),
        ("[{", format!("the body ends at byte 2, {early} `}}`")),
        ("[\"", format!("the body ends at byte 2, {early} the end of a string")),
        ("[1", format!("the body ends at byte 2, {early} the end of a value")),
        ("{\"a\":[", format!("the body ends at byte 6, {early} `]`")),
        ("{\"a", format!("the body ends at byte 3, {early} the end of a string")),
        ("[1,]", "malformed JSON at byte 3: expected an object".to_owned()),
        ("[,]", "malformed JSON at byte 1: expected an object, or `]`".to_owned()),
        ("[{} {}]", "malformed JSON at byte 4: expected `,` or `]`".to_owned()),
        ("[1}", "malformed JSON at byte 2: expected `,` or `]`".to_owned()),
        ("[{\"a\":[1}]", "malformed JSON at byte 8: expected `]`".to_owned()),
        ("{,}", "malformed JSON at byte 1: expected the name of a member, or `}`".to_owned()),
        ("{\"a\":1,}", "malformed JSON at byte 7: expected the name of a member".to_owned()),
        ("{\"a\" 1}", "malformed JSON at byte 5: expected `:`".to_owned()),
        ("{\"a\":,}", "malformed JSON at byte 5: expected a value".to_owned()),
        ("{\"a\":tru}", "malformed JSON at byte 8: expected a value before this".to_owned()),
        ("{\"a\":1 2}", "malformed JSON at byte 7: expected `,` or `}`".to_owned()),
    ] {
        assert_eq!(refusal(body), said, "{body}");
    }
    assert_eq!(
        refusal(format!("{{\"a\":{}", "[".repeat(200))),
        "a member other than `objects` is nested more than 128 deep at byte 133"
    );
    assert!(refusal(b"\xEF\xBB[]").starts_with("no envelope at byte 0"));
    assert!(refusal(b" \xEF\xBB\xBF[]").starts_with("no envelope at byte 1"));
    assert!(refusal(b"\xEF\xBB\xBF\xEF\xBB\xBF[]").starts_with("no envelope at byte 3"));
}

#[test]
fn a_long_number_in_a_skipped_member_is_skipped() {
    let body = format!("{{\"a\":{}.5,\"objects\":[1]}}", "1".repeat(255));
    assert_eq!(texts(&body).1, ["1"]);
}

#[test]
fn an_element_over_the_limit_is_passed_over_with_its_id() {
    let long = format!(r#"{{"a":[1],"id":"x--1","name":"{}"}}"#, "n".repeat(100));
    let late = format!(r#"{{"name":"{}","id":"x--2"}}"#, "n".repeat(100));
    let body = format!(r#"[{{"id":"a"}},{long},{late},{},2]"#, "1".repeat(41));
    let expected = vec![
        Piece::Object { index: 0, raw: br#"{"id":"a"}"#.to_vec() },
        Piece::TooLarge { index: 1, bytes: long.len() as u64, id: Some("x--1".to_owned()) },
        Piece::TooLarge { index: 2, bytes: late.len() as u64, id: None },
        Piece::TooLarge { index: 3, bytes: 41, id: None },
        Piece::Object { index: 4, raw: b"2".to_vec() },
    ];
    let limits = SplitLimits { max_element_bytes: 40 };
    for step in [1, 7, 64, 1000] {
        let cuts: Vec<usize> = (0..body.len()).step_by(step).collect();
        let (pieces, summary) = in_chunks(body.as_bytes(), &cuts, limits);
        assert_eq!(pieces, expected);
        assert_eq!(summary, Ok(Summary { kind: Kind::Array, count: 5, objects_seen: true }));
    }
}

#[test]
fn an_element_of_just_the_limit_is_held() {
    let limits = SplitLimits { max_element_bytes: 7 };
    let (pieces, _) = in_chunks(br#"[{"a":1},{"a":12}]"#, &[3], limits);
    assert_eq!(
        pieces,
        [
            Piece::Object { index: 0, raw: br#"{"a":1}"#.to_vec() },
            Piece::TooLarge { index: 1, bytes: 8, id: None },
        ]
    );
}
