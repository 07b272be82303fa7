//! What a client carries from page to page: a text that only this deployment can have made.
//! Stateless, usable twice, valid as long as the deployment's secret, which never changes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

use crate::store::StoreError;

/// What authenticates cursors; see [`crate::services::Services::cursor_secret`].
pub type Secret = [u8; 32];

const TAG_BYTES: usize = 16;

/// `cursor` as a text for a client, authenticated by `secret` for this `purpose`.
///
/// # Errors
/// None that is known: what a cursor holds can be written.
pub fn seal(secret: &Secret, purpose: &str, cursor: &impl Serialize) -> Result<String, StoreError> {
    let mut bytes =
        postcard::to_allocvec(cursor).map_err(|fault| StoreError::Damaged(fault.to_string()))?;
    let tag = mac(secret, purpose, &bytes)?.finalize().into_bytes();
    bytes.extend(tag.iter().take(TAG_BYTES));
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The cursor in a text of at most `longest` bytes that a client sent back; `None` when it was not
/// sealed with `secret` for this `purpose`.
///
/// # Errors
/// None that is known: any secret is taken.
pub fn open<T: DeserializeOwned>(
    secret: &Secret,
    purpose: &str,
    text: &str,
    longest: usize,
) -> Result<Option<T>, StoreError> {
    let bytes = (text.len() <= longest).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten();
    let Some(bytes) = bytes else { return Ok(None) };
    let split = bytes.len().checked_sub(TAG_BYTES).and_then(|at| bytes.split_at_checked(at));
    let Some((payload, tag)) = split else { return Ok(None) };
    if mac(secret, purpose, payload)?.verify_truncated_left(tag).is_err() {
        return Ok(None);
    }
    Ok(postcard::from_bytes(payload).ok())
}

fn mac(secret: &Secret, purpose: &str, payload: &[u8]) -> Result<Hmac<Sha256>, StoreError> {
    // A key of any length is taken.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret)
        .map_err(|fault| StoreError::Damaged(fault.to_string()))?;
    mac.update(purpose.as_bytes());
    mac.update(payload);
    Ok(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_untouched_and_for_its_purpose() {
        let text = seal(&[7; 32], "page", &(5_u64, "x")).unwrap();
        let read = |secret, purpose, text: &str| {
            open::<(u64, String)>(secret, purpose, text, 200).unwrap()
        };
        assert_eq!(read(&[7; 32], "page", &text), Some((5, "x".to_owned())));
        assert_eq!(read(&[8; 32], "page", &text), None);
        assert_eq!(read(&[7; 32], "pages", &text), None);
        assert_eq!(read(&[7; 32], "page", &text[1..]), None);
        assert_eq!(read(&[7; 32], "page", ""), None);
        assert_eq!(read(&[7; 32], "page", &"A".repeat(201)), None);
    }
}
