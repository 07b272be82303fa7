//! Query strings, and what TAXII reads in them.

use shared::http::{Query, QueryError};
use taxii::selection::{Selection, limit};

/// Parameters that have a meaning, and one that has none.
const NAMES: [&str; 8] = [
    "added_after",
    "limit",
    "next",
    "match[id]",
    "match[type]",
    "match[version]",
    "match[spec_version]",
    "x",
];

/// A query string says what a plain decoder says it does; a selection that is read can be
/// written down and read again.
pub fn query(data: &[u8]) {
    let Ok(raw) = str::from_utf8(data) else { return };
    let query = match Query::parse(raw) {
        Ok(query) => query,
        Err(error) => return super::check_message(&error.to_string()),
    };
    let parameters = parameters(raw);
    for name in NAMES {
        let mut values =
            parameters.iter().filter(|(known, _)| known == name).map(|(_, value)| value);
        let wanted = match (values.next(), values.next()) {
            (_, Some(_)) => Err(QueryError::Repeated(name.to_owned())),
            (value, None) => Ok(value.map(String::as_str)),
        };
        assert_eq!(query.one(name), wanted, "`{name}` in {raw}");
    }
    assert_eq!(Query::parse(&written(&parameters)), Ok(query.clone()), "{raw} written again");
    if let Ok(Some(limit)) = limit(&query) {
        assert!((1..=1000).contains(&limit), "a limit of {limit}");
    }
    match Selection::parse(&query) {
        Ok(selection) => selected(&selection),
        Err(fault) => super::check_message(&format!("{fault:?}")),
    }
}

/// The parameters, decoded byte by byte; of a query that was accepted, so all of it is UTF-8.
fn parameters(raw: &str) -> Vec<(String, String)> {
    let decode = |text: &str| String::from_utf8(decoded(text.as_bytes())).expect("it was accepted");
    raw.split('&')
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once('=') {
            Some((name, value)) => (decode(name), decode(value)),
            None => (decode(part), String::new()),
        })
        .collect()
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        match (byte, digit(text.get(at)), digit(text.get(at + 1))) {
            (b'+', ..) => bytes.push(b' '),
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).expect("two digits"));
                at += 2;
            }
            _ => bytes.push(*byte),
        }
    }
    bytes
}

/// Every byte percent-encoded.
fn encoded(text: &str) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).expect("four bits");
    text.bytes().flat_map(|byte| ['%', digit(byte >> 4), digit(byte & 15)]).collect()
}

fn written(parameters: &[(String, String)]) -> String {
    let one = |(name, value): &(String, String)| format!("{}={}", encoded(name), encoded(value));
    parameters.iter().map(one).collect::<Vec<_>>().join("&")
}

fn selected(selection: &Selection) {
    let mut parameters = Vec::new();
    let mut add = |name: &str, values: Vec<String>| {
        assert!((1..=100).contains(&values.len()), "{} values of {name}", values.len());
        parameters.push((name.to_owned(), values.join(",")));
    };
    if let Some(after) = selection.added_after {
        let text = after.to_string();
        // An offset can move a time into the year 10000, which no client can ask for.
        if text.starts_with('+') {
            return;
        }
        add("added_after", vec![text]);
    }
    if let Some(ids) = &selection.ids {
        add("match[id]", ids.iter().map(ToString::to_string).collect());
    }
    if let Some(types) = &selection.types {
        assert!(types.iter().all(|object_type| selection.takes_type(object_type)));
        add("match[type]", types.clone());
    }
    if let Some(versions) = &selection.spec_versions {
        assert!(versions.iter().all(|version| selection.takes_spec(*version)));
        add("match[spec_version]", versions.iter().map(|spec| spec.name().to_owned()).collect());
    }
    let versions = &selection.versions;
    let mut words = versions.exact.iter().map(ToString::to_string).collect::<Vec<_>>();
    for (said, word) in [(versions.last, "last"), (versions.first, "first"), (versions.all, "all")]
    {
        words.extend(said.then(|| word.to_owned()));
    }
    add("match[version]", words);
    let query = Query::parse(&written(&parameters)).expect("a query of ours");
    assert_eq!(&Selection::parse(&query).expect("a selection of ours"), selection);
}
