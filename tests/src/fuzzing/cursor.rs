//! `next` of TAXII: what a client sends back.

use shared::cursor::Secret;
use shared::http::Query;
use shared::id::ObjectId;
use shared::log::CollectionId;
use shared::time::Position;
use taxii::cursor::Cursor;
use taxii::selection::Selection;
use uuid::Uuid;

const SECRET: Secret = [7; 32];
const HERE: CollectionId = CollectionId(Uuid::from_u128(0x2c1d_5e4f_8a7b_4c6d_9e0f_1122_3344_5566));
const ELSEWHERE: CollectionId = CollectionId(Uuid::nil());

/// The input is a text somebody sends as `next`, a cursor as JSON, or a query string and, after
/// a line break, edits to the cursor made of it.
pub fn cursor(data: &[u8]) {
    foreign(data);
    if let Ok(cursor) = serde_json::from_slice::<Cursor>(data) {
        stored(&cursor);
    }
    let (query, edits) = match data.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[][..]),
    };
    let selection = str::from_utf8(query).ok().and_then(|raw| Query::parse(raw).ok());
    if let Some(Ok(selection)) = selection.map(|query| Selection::parse(&query)) {
        made(&selection, edits);
    }
}

fn open(text: &str) -> Option<Cursor> {
    match Cursor::open_with(&SECRET, text, HERE, None) {
        Ok(cursor) => Some(cursor),
        Err(fault) => {
            super::check_message(&format!("{fault:?}"));
            None
        }
    }
}

/// Nothing opens that was not sealed. The secret is known to this target alone, so an input that
/// opens would be a forgery.
fn foreign(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for line in [text.as_ref(), text.trim(), text.lines().next().unwrap_or_default()] {
        assert!(open(line).is_none(), "a cursor out of thin air: {line}");
    }
}

/// A cursor of any content, sealed: it opens as it was, or never.
fn stored(cursor: &Cursor) {
    let text = cursor.seal_with(&SECRET).expect("a cursor can be sealed");
    if let Some(opened) = open(&text) {
        assert_eq!(opened, *cursor);
        assert_eq!(opened.seal_with(&SECRET).expect("a cursor can be sealed"), text);
    }
}

/// A cursor of a read: opens as it was, only here, only with the secret, and only untouched.
fn made(selection: &Selection, edits: &[u8]) {
    let number = |at: usize| {
        edits.iter().skip(at).take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    };
    let place = (Position::from_micros(number(0)), number(3));
    let limit = edits.len() + 1;
    let cursor = Cursor::new(HERE, None, place, selection.clone(), limit);
    let text = cursor.seal_with(&SECRET).expect("a cursor can be sealed");
    let in_url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    assert!(text.bytes().all(in_url), "{text} cannot stand in a URL");

    let opened = open(&text);
    assert_eq!(opened.as_ref(), Some(&cursor), "{selection:?}");
    let opened = opened.map(|opened| (opened.after, opened.seq, opened.limit));
    assert_eq!(opened, Some((place.0, place.1, limit)));
    assert_eq!(cursor.into_selection(), *selection);

    let object: ObjectId = "malware--2c1d5e4f-8a7b-4c6d-9e0f-112233445566".parse().expect("an id");
    assert!(Cursor::open_with(&SECRET, &text, ELSEWHERE, None).is_err());
    assert!(Cursor::open_with(&SECRET, &text, HERE, Some(&object)).is_err());
    assert!(Cursor::open_with(&[8; 32], &text, HERE, None).is_err());
    let of_one = Cursor::new(HERE, Some(object.clone()), place, selection.clone(), limit);
    let of_one = of_one.seal_with(&SECRET).expect("a cursor can be sealed");
    assert!(Cursor::open_with(&SECRET, &of_one, HERE, Some(&object)).is_ok());
    assert!(open(&of_one).is_none());
    edited(&text, edits);
}

/// Each pair of bytes puts another character at a place. A few are enough: each is a digest.
fn edited(text: &str, edits: &[u8]) {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ ";
    let mut other = text.as_bytes().to_vec();
    let edits = &edits[..edits.len().min(32)];
    for pair in edits.chunks_exact(2) {
        let at = usize::from(pair[0]) * 7 % other.len();
        other[at] = ALPHABET[usize::from(pair[1]) % ALPHABET.len()];
        let other = str::from_utf8(&other).expect("ASCII");
        assert!(other == text || open(other).is_none(), "{text} and {other} both open");
    }
    for length in edits.iter().map(|edit| usize::from(*edit) % text.len()) {
        assert!(open(&text[..length]).is_none(), "{length} characters of {text} open");
    }
}
