//! What feeds and the objects in them are called.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A feed's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeedId(pub Uuid);

impl fmt::Display for FeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// An object id in 16 bytes, for sets of millions of them. A UUID alone would not do: who writes
/// objects chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdHash([u8; 16]);

impl IdHash {
    /// That of an object id.
    #[must_use]
    pub fn of(id: &str) -> Self {
        let digest = Sha256::digest(id.as_bytes());
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest[..16]);
        Self(hash)
    }
}
