//! A cursor is a position only: it outlives the filter it was given with, and goes on from there
//! in either order.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::NotificationId;

const FORMAT: &str = "n1";
/// Four bytes tell a cursor from a text that was cut or mistyped. Nothing in it is secret, and
/// any position may be asked for by date as well.
const CHECK_BYTES: usize = 4;

/// Why a text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("`cursor` is not a value this service gave: send `meta.cursor` of an earlier answer")]
pub struct CursorError;

/// The text a client sends back to go on after `id`.
#[must_use]
pub fn seal(id: NotificationId) -> String {
    let mut bytes = format!("{FORMAT}{id}").into_bytes();
    let check = Sha256::digest(&bytes);
    bytes.extend(check.iter().take(CHECK_BYTES));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The notification a client goes on after.
///
/// # Errors
/// When the text is none that [`seal`] makes.
pub fn open(text: &str) -> Result<NotificationId, CursorError> {
    // Longer texts are not worth decoding.
    let bytes = (text.len() <= 64).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten();
    let id = bytes
        .and_then(|bytes| String::from_utf8(bytes.get(..FORMAT.len() + 26)?.to_vec()).ok())
        .and_then(|body| body.strip_prefix(FORMAT)?.parse().ok())
        .ok_or(CursorError)?;
    if seal(id) == text { Ok(id) } else { Err(CursorError) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_other_text_opens(text in ".{0,80}") {
            prop_assert_eq!(open(&text), Err(CursorError));
        }
    }

    #[test]
    fn a_cursor_opens_untouched() {
        for id in [NotificationId::MIN, NotificationId::MAX] {
            let text = seal(id);
            assert_eq!(open(&text), Ok(id));
            assert_eq!(open(&text[1..]), Err(CursorError));
            assert_eq!(open(&text.to_lowercase()), Err(CursorError));
        }
    }
}
