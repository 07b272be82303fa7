//! API keys: `iocast_<public id>_<secret>`. Shown once; only the secret's digest is stored.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::{Caller, Plan, PlanName, Scope, TenantId};
use crate::tlp::Tlp;

const PREFIX: &str = "iocast";
const ID_LENGTH: usize = 16;
/// 32 characters of 5 random bits each: 160 bits.
const SECRET_LENGTH: usize = 32;
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The public part of a key, by which it is looked up and named in logs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub String);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// SHA-256 of a key's secret. Random secrets need no slow hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretDigest(pub [u8; 32]);

/// A whole key as a client sends it. Never stored, never logged: its `Debug` hides the secret.
#[derive(Clone)]
pub struct KeyText {
    id: KeyId,
    secret: String,
}

/// Why a text is not an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an API key has the form iocast_<id>_<secret>")]
pub struct KeyTextError;

/// What to make a key with.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// A name for people.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The plan whose limits hold.
    pub plan: PlanName,
    /// The highest TLP level it may see.
    pub clearance: Tlp,
    /// When it stops to work.
    pub expires: Option<DateTime<Utc>>,
}

/// A stored key.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Its public id.
    pub id: KeyId,
    /// The digest of its secret.
    pub digest: SecretDigest,
    /// What it was made with.
    pub key: NewKey,
    /// Revoked keys stay, so that their use can be told from that of unknown ones.
    pub revoked: bool,
    /// The UTC day of its last use.
    pub last_used: Option<NaiveDate>,
}

fn random_text(length: usize) -> Result<String, getrandom::Error> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.into_iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect())
}

impl KeyText {
    /// A new random key.
    ///
    /// # Errors
    /// When the machine has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        Ok(Self { id: KeyId(random_text(ID_LENGTH)?), secret: random_text(SECRET_LENGTH)? })
    }

    /// The public part.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The digest to store or to compare with.
    #[must_use]
    pub fn digest(&self) -> SecretDigest {
        SecretDigest(Sha256::digest(self.secret.as_bytes()).into())
    }

    /// The whole key, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}_{}_{}", self.id, self.secret)
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}_{}_…", self.id)
    }
}

impl FromStr for KeyText {
    type Err = KeyTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.trim().splitn(3, '_');
        let (Some(PREFIX), Some(id), Some(secret)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(KeyTextError);
        };
        let good = |text: &str, length| {
            text.len() == length && text.bytes().all(|byte| ALPHABET.contains(&byte))
        };
        if !good(id, ID_LENGTH) || !good(secret, SECRET_LENGTH) {
            return Err(KeyTextError);
        }
        Ok(Self { id: KeyId(id.to_owned()), secret: secret.to_owned() })
    }
}

impl SecretDigest {
    /// Compares in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl ApiKey {
    /// Who a request with this key comes from, if its plan is `plan`.
    #[must_use]
    pub fn caller(&self, plan: Arc<Plan>) -> Caller {
        Caller {
            key: self.id.clone(),
            tenant: self.key.tenant.clone(),
            scopes: self.key.scopes.clone(),
            plan,
            clearance: self.key.clearance,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_hides_its_secret() {
        let key = KeyText::random().unwrap();
        let read: KeyText = key.reveal().parse().unwrap();
        assert!(read.digest().matches(&key.digest()));
        assert!(!format!("{key:?}").contains(&key.secret));
        assert!(!KeyText::random().unwrap().digest().matches(&key.digest()));
    }

    #[test]
    fn other_texts_are_no_keys() {
        for bad in ["", "iocast", "iocast__", "iocast_a_b", "Bearer x", "iocast_aaaaaaaaaaaaaaaa_"]
        {
            assert!(bad.parse::<KeyText>().is_err(), "{bad:?}");
        }
    }
}
