//! Who uploaded a file, as tenants are told: always the same for the same submitter, another for
//! every tenant, and nobody can turn it back.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::access::TenantId;

/// Characters of a source key: 128 bits.
const LENGTH: usize = 32;

/// The keyed one-way form of a submitter's id, for one tenant. `material` is the deployment's
/// secret; who does not have it can neither turn a key back nor try ids out.
#[must_use]
pub fn source_key(material: &[u8], tenant: &TenantId, submitter: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(material) else { return String::new() };
    mac.update(b"source-key");
    // A tenant's id holds no NUL, so no two pairs are the same bytes.
    mac.update(tenant.as_str().as_bytes());
    mac.update(&[0]);
    mac.update(submitter.as_bytes());
    let digest = mac.finalize().into_bytes();
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.take(LENGTH).filter_map(|half| char::from_digit(u32::from(half), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_stable_for_a_tenant_and_a_submitter_and_depends_on_all_it_is_made_of() {
        let [acme, other] = ["acme", "acme-2"].map(|name| name.parse::<TenantId>().unwrap());
        let key = source_key(b"secret", &acme, "submitter-1");
        assert_eq!(key.len(), LENGTH);
        assert_eq!(key, source_key(b"secret", &acme, "submitter-1"));
        for different in [
            source_key(b"secret", &other, "submitter-1"),
            source_key(b"secret", &acme, "submitter-2"),
            source_key(b"another", &acme, "submitter-1"),
            source_key(b"", &acme, "submitter-1"),
        ] {
            assert_ne!(key, different);
        }
    }
}
