//! A cursor is a position only: it outlives the filter it was given with, and goes on from there
//! in either order.

use thiserror::Error;

use super::NotificationId;
use crate::cursor::{self, SealError, Secret};

const PURPOSE: &str = "ioc-stream-1";
/// No cursor of ours is longer.
const MAX_TEXT: usize = 100;

/// Why a text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("`cursor` is not a value this service gave: send `meta.cursor` of an earlier answer")]
pub struct CursorError;

/// The text a client sends back to go on after `id`.
///
/// # Errors
/// None that is known: an id can be written.
pub fn seal(secret: &Secret, id: NotificationId) -> Result<String, SealError> {
    cursor::seal(secret, PURPOSE, &id)
}

/// The notification a client goes on after.
///
/// # Errors
/// When the text is none that [`seal`] made with this secret.
pub fn open(secret: &Secret, text: &str) -> Result<NotificationId, CursorError> {
    let short = Some(text).filter(|text| text.len() <= MAX_TEXT);
    short.and_then(|text| cursor::open(secret, PURPOSE, text)).ok_or(CursorError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_untouched_and_is_never_too_long() {
        for id in [NotificationId::MIN, NotificationId::MAX] {
            let text = seal(&[7; 32], id).unwrap();
            assert_eq!(open(&[7; 32], &text), Ok(id));
            assert_eq!(open(&[8; 32], &text), Err(CursorError));
            assert_eq!(open(&[7; 32], &text[1..]), Err(CursorError));
        }
        assert_eq!(open(&[7; 32], &"A".repeat(MAX_TEXT + 1)), Err(CursorError));
    }
}
