//! STIX patterns.

use std::collections::HashSet;

use shared::pattern::{MAX_BYTES, Pattern, PatternError, escape};
use shared::stix::{IocType, IocValue};

/// A pattern is refused at a place in the text, or printed in a spelling that means the same.
pub fn pattern(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    match text.parse::<Pattern>() {
        Ok(pattern) => accepted(text, &pattern),
        Err(error) => refused(text, &error),
    }
    quoted(text);
}

fn accepted(text: &str, pattern: &Pattern) {
    let printed = pattern.to_string();
    // A blank on either side of a token, and digits before and behind a point.
    assert!(printed.len() <= 3 * text.len() + 16, "{} bytes made of {text}", printed.len());
    let iocs = pattern.iocs();
    let distinct: HashSet<&IocValue> = iocs.iter().collect();
    assert_eq!(distinct.len(), iocs.len(), "an IOC twice in {text}");
    for ioc in &iocs {
        assert!(!ioc.value.is_empty() && ioc.value.len() <= text.len(), "{ioc:?} in {text}");
    }
    if printed.len() > MAX_BYTES {
        return;
    }
    let read = printed.parse::<Pattern>();
    assert_eq!(read.as_ref(), Ok(pattern), "{text} was printed as {printed}");
    assert_eq!(read.as_ref().map(Pattern::iocs), Ok(iocs), "{text} was printed as {printed}");
    assert_eq!(read.map(|read| read.to_string()), Ok(printed), "printing {text} is not stable");
}

fn refused(text: &str, error: &PatternError) {
    super::check_message(&error.to_string());
    assert!(text.is_char_boundary(error.offset()), "{error} in {text}");
    let before = &text[..error.offset()];
    assert_eq!(error.line(), before.matches('\n').count() + 1, "{error} in {text}");
    let line = before.rsplit('\n').next().unwrap_or_default();
    assert_eq!(error.column(), line.chars().count() + 1, "{error} in {text}");
}

/// Any text is a value when it is escaped.
fn quoted(text: &str) {
    let pattern = format!("[url:value = '{}']", escape(text));
    if text.is_empty() || pattern.len() > MAX_BYTES {
        return;
    }
    let named = pattern.parse::<Pattern>().map(|pattern| pattern.iocs());
    assert_eq!(named, Ok(vec![IocValue { kind: IocType::Url, value: text.to_owned() }]));
}
