use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value};

use super::*;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => any::<String>(),
        2 => "[\\[\\]{}\",:\\\\a ]{0,12}",
        1 => select(vec!["objects", "type", "bundle", "id"]).prop_map(str::to_owned),
    ]
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-100_000..100_000).prop_map(|number| Value::from(f64::from(number) / 8.0)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 5, |inner| {
        let members = vec((text(), inner.clone()), 0..5);
        prop_oneof![
            vec(inner, 0..5).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A bundle, an envelope, an array, or something else.
fn body() -> impl Strategy<Value = Value> {
    let objects = || vec(document(), 0..6);
    let members = vec((text(), document()), 0..4);
    let kind = prop_oneof![Just(None), Just(Some("bundle")), Just(Some("indicator"))];
    prop_oneof![
        objects().prop_map(Value::from),
        (objects(), members, kind).prop_map(|(objects, members, kind)| {
            let mut envelope: Map<String, Value> = members.into_iter().collect();
            envelope.insert("objects".to_owned(), objects.into());
            envelope.extend(kind.map(|kind| ("type".to_owned(), kind.into())));
            envelope.into()
        }),
        document(),
    ]
}

/// `value` with white space where JSON allows it, in one of three styles.
fn written(value: &Value, style: usize) -> String {
    match style {
        0 => value.to_string(),
        1 => serde_json::to_string_pretty(value).unwrap(),
        _ => format!("\u{feff} \r\n{}\t", serde_json::to_string_pretty(value).unwrap()),
    }
}

/// What the elements of `value` are, or none where the splitter has to refuse it.
fn expected(value: &Value) -> Option<(Kind, bool, Vec<Value>)> {
    match value {
        Value::Array(elements) => Some((Kind::Array, true, elements.clone())),
        Value::Object(members) => {
            let bundle = members.get("type").is_some_and(|kind| kind == "bundle");
            let kind = if bundle { Kind::Bundle } else { Kind::Envelope };
            match members.get("objects") {
                None => Some((kind, false, Vec::new())),
                Some(Value::Array(elements)) => Some((kind, true, elements.clone())),
                Some(_) => None,
            }
        }
        _ => None,
    }
}

/// Bytes that mean something to JSON.
const PARTS: [&str; 18] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    " ",
    "1",
    "true",
    "nul",
    "{}",
    "{\"a\":",
    "\"objects\":[",
    "\"type\":\"bundle\"",
    "\u{feff}",
    "é",
];

/// Bytes in no order.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(select(&PARTS[..]), 0..24).prop_map(|parts| parts.concat().into_bytes()),
        vec(any::<u8>(), 0..64),
    ]
}

/// A document with some bytes of it changed, taken out or put in.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<Index>(), select(&b"{}[]\",:\\ 1a"[..]), 0..3);
    (body(), 0..3_usize, vec(change, 1..4)).prop_map(|(value, style, changes)| {
        let mut bytes = written(&value, style).into_bytes();
        for (place, byte, how) in changes {
            let place = place.index(bytes.len() + 1);
            match how {
                0 => bytes.insert(place, byte),
                1 if place < bytes.len() => bytes[place] = byte,
                2 if place < bytes.len() => drop(bytes.remove(place)),
                _ => {}
            }
        }
        bytes
    })
}

fn agrees_with_itself(body: &[u8], cuts: &[usize]) -> Result<(), TestCaseError> {
    let (pieces, summary) = in_chunks(body, cuts, NO_LIMIT);
    let (unchunked, same) = in_chunks(body, &[], NO_LIMIT);
    prop_assert_eq!(&pieces, &unchunked);
    prop_assert_eq!(&summary, &same);
    match split(body) {
        Ok((whole, parts)) => {
            prop_assert_eq!(Ok(whole), summary);
            prop_assert_eq!(whole.count, parts.len());
            prop_assert_eq!(held(pieces), parts);
        }
        Err(error) => prop_assert_eq!(Err(error), summary),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_document_splits_as_the_parser_reads_it(
        value in body(),
        style in 0..3_usize,
        cuts in vec(any::<usize>(), 0..12),
    ) {
        let body = written(&value, style);
        agrees_with_itself(body.as_bytes(), &cuts)?;
        let found = split(body.as_bytes());
        match expected(&value) {
            Some((kind, objects_seen, elements)) => {
                let (summary, parts) = found.unwrap();
                prop_assert_eq!(summary, Summary { kind, count: elements.len(), objects_seen });
                let read: Vec<Value> =
                    parts.iter().map(|part| serde_json::from_slice(part).unwrap()).collect();
                prop_assert_eq!(read, elements);
                prop_assert!(parts.iter().all(|part| part.trim_ascii() == *part));
            }
            None => prop_assert!(found.is_err()),
        }
    }

    #[test]
    fn any_chunking_of_anything_gives_the_same(
        body in prop_oneof![garbage(), damaged()],
        cuts in vec(any::<usize>(), 0..12),
        max_element_bytes in 0..20_usize,
    ) {
        agrees_with_itself(&body, &cuts)?;
        let limits = SplitLimits { max_element_bytes };
        let (pieces, summary) = in_chunks(&body, &cuts, limits);
        let (unchunked, same) = in_chunks(&body, &[], limits);
        prop_assert_eq!(&pieces, &unchunked);
        prop_assert_eq!(summary, same);
        for piece in pieces {
            match piece {
                Piece::Object { raw, .. } => prop_assert!(raw.len() <= max_element_bytes),
                Piece::TooLarge { bytes, .. } => prop_assert!(bytes > max_element_bytes as u64),
            }
        }
    }

    #[test]
    fn what_the_parser_takes_is_taken(body in prop_oneof![garbage(), damaged()]) {
        let unmarked = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&body);
        if let Ok(value) = serde_json::from_slice::<Value>(unmarked)
            && expected(&value).is_some()
        {
            let twice = matches!(split(&body), Err(SplitError::ObjectsTwice { .. }));
            prop_assert!(twice || split(&body).is_ok());
        }
    }
}
