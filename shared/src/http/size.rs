//! How large an answer may become.

/// The most an answer's text may take once it is a text within the function's JSON answer: below
/// Lambda's 6 MB even where something on the way encodes it in base64.
pub const MAX_ENCODED_BYTES: usize = 4_500_000;

/// What JSON text takes in an answer that is a JSON text within JSON: quotes and backslashes take
/// two bytes there.
#[must_use]
pub fn encoded_bytes(json: &str) -> usize {
    json.len() + json.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count()
}
