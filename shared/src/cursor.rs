//! Texts that a client carries from page to page: stateless, tamper-proof, usable twice, and valid
//! as long as the deployment's secret, which never changes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;
use thiserror::Error;

const TAG_BYTES: usize = 16;

/// What authenticates cursors; see [`crate::services::Services::cursor_secret`].
pub type Secret = [u8; 32];

/// A cursor's contents cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a cursor cannot be written: {0}")]
pub struct SealError(String);

fn mac(secret: &Secret, purpose: &str, bytes: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(bytes);
    Some(mac)
}

/// The text a client carries, good for this `purpose` (a surface and the format's number, such as
/// `taxii-1`) alone.
///
/// # Errors
/// None that is known: what a cursor holds can be written.
pub fn seal(
    secret: &Secret,
    purpose: &str,
    contents: &impl Serialize,
) -> Result<String, SealError> {
    let mut bytes = postcard::to_allocvec(contents).map_err(|e| SealError(e.to_string()))?;
    let mac = mac(secret, purpose, &bytes).ok_or_else(|| SealError("no key".to_owned()))?;
    let tag = mac.finalize().into_bytes();
    bytes.extend(tag.iter().take(TAG_BYTES));
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What a text holds, if it was sealed with this secret for this purpose. A surface bounds the
/// text's length by what it gives out itself.
#[must_use]
pub fn open<T: DeserializeOwned>(secret: &Secret, purpose: &str, text: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (contents, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG_BYTES)?)?;
    mac(secret, purpose, contents)?.verify_truncated_left(tag).ok()?;
    match postcard::take_from_bytes(contents) {
        Ok((value, [])) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: Secret = [7; 32];

    proptest! {
        #[test]
        fn only_what_was_sealed_opens(contents in any::<(u64, String)>(), at in any::<usize>()) {
            let text = seal(&SECRET, "a", &contents).unwrap();
            prop_assert_eq!(open::<(u64, String)>(&SECRET, "a", &text), Some(contents));
            prop_assert_eq!(open::<(u64, String)>(&SECRET, "b", &text), None);
            prop_assert_eq!(open::<(u64, String)>(&[8; 32], "a", &text), None);
            let mut changed = text.clone().into_bytes();
            let at = at % changed.len();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            // The last character of a base64 text may carry bits that mean nothing.
            if URL_SAFE_NO_PAD.decode(&changed).ok() != URL_SAFE_NO_PAD.decode(&text).ok() {
                prop_assert_eq!(open::<(u64, String)>(&SECRET, "a", &changed), None);
            }
            prop_assert_eq!(open::<(u64, String)>(&SECRET, "a", &text[..at]), None);
        }
    }
}
