//! Bodies that hold STIX objects: a bundle, an envelope or an array.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use shared::ingestion::Candidate;
use shared::pattern::Pattern;
use shared::stix::splitter::{Kind, Piece, SplitError, SplitLimits, Splitter, Summary, split};
use shared::stix::{
    MAX_OBJECT_BYTES, Marking, StixObject, level, marking_defined_by, markings_to_resolve,
};

use super::{chunks, sample};

/// A body is cut into the same elements however it arrives, those of its JSON where it is JSON;
/// an element that is taken is kept to the letter.
pub fn bundle(data: &[u8]) {
    let whole = split(data);
    let limits = [4 * MAX_OBJECT_BYTES, 40 + data.len() % 60];
    for (max_element_bytes, most) in [(limits[0], 1), (limits[0], 64), (limits[1], 64)] {
        arrives(data, &whole, SplitLimits { max_element_bytes }, most);
    }
    let json = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    match &whole {
        Ok((summary, elements)) => {
            assert_eq!(summary.count, elements.len());
            as_json(json, summary, elements);
            for element in elements {
                taken(element);
            }
        }
        // `serde_json` takes the last of two members of one name, and skips at any depth.
        Err(SplitError::ObjectsTwice { .. } | SplitError::TooDeep { .. }) => {}
        Err(error) => {
            super::check_message(&error.to_string());
            assert!(elements_of(json).is_none(), "{error}, yet it is JSON and holds objects");
        }
    }
    taken(data);
}

type Split<'a> = Result<(Summary, Vec<&'a [u8]>), SplitError>;

/// In chunks as at once.
fn arrives(data: &[u8], whole: &Split<'_>, limits: SplitLimits, most: usize) {
    let mut splitter = Splitter::new(limits);
    let mut pieces = Vec::new();
    for chunk in chunks::of(data, most) {
        if let Err(error) = splitter.push(chunk, &mut pieces) {
            assert_eq!(splitter.push(b"]", &mut pieces), Err(error), "it went on after an error");
            break;
        }
    }
    let summary = splitter.finish();
    assert_eq!(summary.as_ref().err(), whole.as_ref().err());
    let Ok((whole, elements)) = whole else { return };
    assert_eq!(summary.as_ref(), Ok(whole));
    assert_eq!(pieces.len(), elements.len());
    for (place, (piece, element)) in pieces.iter().zip(elements).enumerate() {
        match piece {
            Piece::Object { index, raw } => {
                assert_eq!((*index, raw.as_slice()), (place, *element));
                assert!(raw.len() <= limits.max_element_bytes);
            }
            Piece::TooLarge { index, bytes, id } => {
                assert_eq!((*index, *bytes), (place, element.len() as u64));
                assert!(element.len() > limits.max_element_bytes);
                assert!(id.as_ref().is_none_or(|id| id.len() <= limits.max_element_bytes));
            }
        }
    }
}

/// The elements as `serde_json` finds them; none if it is no JSON with an array of objects.
fn elements_of(data: &[u8]) -> Option<Vec<&RawValue>> {
    if let Ok(elements) = serde_json::from_slice::<Vec<&RawValue>>(data) {
        return Some(elements);
    }
    let members = serde_json::from_slice::<BTreeMap<String, &RawValue>>(data).ok()?;
    serde_json::from_str(members.get("objects")?.get()).ok()
}

fn as_json(data: &[u8], summary: &Summary, elements: &[&[u8]]) {
    if let Some(wanted) = elements_of(data) {
        assert!(summary.objects_seen);
        assert!(elements.iter().copied().eq(wanted.iter().map(|raw| raw.get().as_bytes())));
    } else if serde_json::from_slice::<Value>(data).is_ok() {
        assert!(!summary.objects_seen, "objects where JSON has none");
    }
    let body = serde_json::from_slice::<Value>(data).unwrap_or_default();
    assert!(body["type"] != "bundle" || summary.kind == Kind::Bundle);
}

/// One element: refused with a reason, or kept.
fn taken(raw: &[u8]) {
    match StixObject::parse(raw, sample::now()) {
        Ok(object) => kept(raw, &object),
        Err(rejection) => {
            super::check_message(&rejection.to_string());
            assert!(!rejection.code().is_empty());
            match Candidate::read(raw) {
                Candidate::Refused(refused) => {
                    let bounded = |text: Option<String>| text.is_none_or(|text| text.len() <= 1200);
                    assert!(bounded(refused.id) && bounded(refused.version));
                }
                other => panic!("{rejection}, yet taken as {other:?}"),
            }
        }
    }
}

fn kept(raw: &[u8], object: &StixObject) {
    let text = str::from_utf8(raw).expect("an object is UTF-8");
    assert_eq!(object.json, without_space(text), "not kept to the letter");
    assert!(object.json.len() <= MAX_OBJECT_BYTES);
    let value: Value = serde_json::from_str(text).expect("an object is JSON");
    let facets = &object.facets;
    assert_eq!(value["id"], facets.id.as_str());
    assert_eq!(value["type"], facets.object_type());
    assert!(!has_nul(&value), "NUL in {text}");

    let again = StixObject::parse(object.json.as_bytes(), sample::now()).expect("it was taken");
    assert_eq!((&again.json, &again.facets), (&object.json, facets));
    assert_eq!((again.content, again.own_version), (object.content, object.own_version));
    let turned = turned(&object.json);
    let turned = StixObject::parse(turned.as_bytes(), sample::now()).expect("it was taken");
    assert_eq!(turned.content, object.content, "the order of members counts in {text}");

    if facets.is_indicator() && facets.pattern_type.as_deref() == Some("stix") {
        let pattern = value["pattern"].as_str().expect("an indicator has a pattern");
        let iocs = pattern.parse::<Pattern>().map(|pattern| pattern.iocs());
        assert_eq!(iocs.as_ref(), Ok(&facets.iocs));
    }
    let unknown = level(facets, |_| Marking::Unknown);
    assert!(unknown >= level(facets, |_| Marking::NoLevel), "an unknown marking lowers the level");
    assert!(markings_to_resolve(facets).count() <= facets.markings.len());
    let _ = marking_defined_by(&object.json);
}

/// The object with its members in another order.
fn turned(json: &str) -> String {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).expect("an object");
    let members = members.iter().rev().map(|(name, value)| format!("{}:{value}", json!(name)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => {
            members.iter().any(|(name, value)| name.contains('\0') || has_nul(value))
        }
        _ => false,
    }
}

/// `json` without the blanks that stand outside strings.
fn without_space(json: &str) -> String {
    let mut parts = String::new();
    let mut rest = json;
    while let Some(at) = rest.find('"') {
        parts.extend(rest[..at].split_ascii_whitespace());
        let inside = &rest[at + 1..];
        let mut bytes = inside.bytes().enumerate();
        let mut end = inside.len();
        while let Some((place, byte)) = bytes.next() {
            match byte {
                b'\\' => drop(bytes.next()),
                b'"' => {
                    end = place + 1;
                    break;
                }
                _ => {}
            }
        }
        parts.push('"');
        parts.push_str(&inside[..end]);
        rest = &inside[end..];
    }
    parts.extend(rest.split_ascii_whitespace());
    parts
}
