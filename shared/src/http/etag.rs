//! `ETag` and `If-None-Match` (RFC 9110, sections 8.8.3 and 13.1.2).

use std::fmt::Write;

use lambda_http::http::header::IF_NONE_MATCH;
use sha2::{Digest, Sha256};

use super::Call;

/// The tag of an answer's content: a weak one, as the same content may be sent compressed or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// The tag of content that consists of `parts`.
    #[must_use]
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let text = digest.iter().take(16).fold(String::from("W/\""), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        Self(text + "\"")
    }

    /// The header's value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the client has this content already, by its `If-None-Match`.
    #[must_use]
    pub fn is_known_to(&self, call: &Call) -> bool {
        call.header(&IF_NONE_MATCH).is_some_and(|header| self.is_in(header))
    }

    fn is_in(&self, header: &str) -> bool {
        let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let own = opaque(&self.0);
        header.split(',').any(|tag| tag.trim() == "*" || opaque(tag) == own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly() {
        let tag = ETag::of([b"a".as_slice(), b"bc"]);
        assert_ne!(tag, ETag::of([b"ab".as_slice(), b"c"]));
        let strong = tag.as_str().trim_start_matches("W/");
        assert!(tag.is_in(tag.as_str()) && tag.is_in(strong) && tag.is_in("*"));
        assert!(tag.is_in(&format!("\"x\", {strong}")));
        assert!(!tag.is_in("\"x\"") && !tag.is_in(""));
    }
}
