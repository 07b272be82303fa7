//! What a notification is about, as `VirusTotal` names it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{EntityType, Named};
use crate::ioc::IocRecord;
use crate::stix::{IocType, IocValue};

/// A file, domain, URL or address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// What it is.
    pub kind: EntityType,
    /// SHA-256 of a file, or the hash there is; the domain; SHA-256 of the URL; the address. In
    /// lower case, always.
    pub id: String,
    /// The URL, of which the id is only a hash.
    pub url: Option<String>,
    /// The hashes of a file, by their names: `md5`, `sha1`, `sha256`, `sha512`.
    pub hashes: BTreeMap<String, String>,
}

/// Why there is no such entity.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{value:?} is no {kind}: {expected}")]
pub struct EntityError {
    kind: EntityType,
    value: String,
    expected: &'static str,
}

/// The hash a file is known by comes first.
const HASHES: [IocType; 4] = [IocType::Sha256, IocType::Sha512, IocType::Sha1, IocType::Md5];

impl Entity {
    /// The entity of this type that a hunting engine names by its value.
    ///
    /// # Errors
    /// When the value is none of that type.
    pub fn named(kind: EntityType, value: &str) -> Result<Self, EntityError> {
        let value = value.trim();
        let kinds: &[IocType] = match kind {
            EntityType::File => &HASHES,
            EntityType::Domain => &[IocType::Domain],
            EntityType::Url => &[IocType::Url],
            EntityType::IpAddress => &[IocType::Ipv4, IocType::Ipv6],
        };
        let expected = match kind {
            EntityType::File => "write its SHA-256, or its SHA-512, SHA-1 or MD5, in hexadecimal",
            EntityType::Domain => "write a domain name such as host.example.com",
            EntityType::Url => "write the URL itself, such as https://host.example.com/path",
            EntityType::IpAddress => "write an address such as 192.0.2.1 or 2001:db8::1",
        };
        kinds
            .iter()
            .find_map(|kind| Some((*kind, normalised(*kind, value)?)))
            .map(|(kind, value)| Self::of_value(kind, value))
            .ok_or_else(|| EntityError { kind, value: value.chars().take(80).collect(), expected })
    }

    /// What an indicator's pattern names that a notification can be about. Hashes of different
    /// kinds, one of each at the most, are those of one file.
    #[must_use]
    pub fn named_by(iocs: &[IocValue]) -> Vec<Self> {
        let of = |kind: IocType| iocs.iter().filter(move |ioc| ioc.kind == kind);
        let one_file = HASHES.into_iter().all(|kind| of(kind).count() <= 1);
        let mut entities: Vec<Self> = Vec::new();
        for ioc in iocs {
            if matches!(ioc.kind, IocType::Email | IocType::Cve | IocType::MitreAttack) {
                continue;
            }
            let value = normalised(ioc.kind, &ioc.value).unwrap_or_else(|| as_written(ioc));
            let entity = Self::of_value(ioc.kind, value);
            let same_file = |known: &&mut Self| one_file && known.kind == EntityType::File;
            if entity.kind == EntityType::File
                && let Some(file) = entities.iter_mut().find(same_file)
            {
                file.hashes.extend(entity.hashes);
            } else if !entities.iter().any(|known| known.is_same(&entity)) {
                entities.push(entity);
            }
        }
        entities.iter_mut().for_each(Self::settle_id);
        entities
    }

    /// Whether both are the same thing.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.id == other.id
    }

    fn of_value(kind: IocType, value: String) -> Self {
        let bare = |kind, id| Self { kind, id, url: None, hashes: BTreeMap::new() };
        match kind {
            IocType::Domain => bare(EntityType::Domain, value),
            IocType::Url => {
                Self { url: Some(value.clone()), ..bare(EntityType::Url, sha256(&value)) }
            }
            IocType::Ipv4 | IocType::Ipv6 => bare(EntityType::IpAddress, value),
            hash => {
                let hashes = BTreeMap::from([(hash.name().to_owned(), value.clone())]);
                Self { hashes, ..bare(EntityType::File, value) }
            }
        }
    }

    fn settle_id(&mut self) {
        let best = HASHES.iter().find_map(|kind| self.hashes.get(kind.name()));
        if let Some(best) = best {
            self.id.clone_from(best);
        }
    }
}

/// The normal form of a value, if it has one.
fn normalised(kind: IocType, value: &str) -> Option<String> {
    let record =
        IocRecord { kind: kind.name().into(), value: value.into(), ..IocRecord::default() };
    record.check().ok().map(|ioc| ioc.value().to_owned())
}

/// A value that has no normal form, as it is known by: of a URL the case may matter.
fn as_written(ioc: &IocValue) -> String {
    let value = ioc.value.trim();
    if ioc.kind == IocType::Url { value.to_owned() } else { value.to_lowercase() }
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        for half in [byte >> 4, byte & 15] {
            hex.extend(char::from_digit(u32::from(half), 16));
        }
        hex
    })
}

impl std::fmt::Display for Entity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind.name(), self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: &str = "00112233445566778899aabbccddeeff";

    fn ioc(kind: IocType, value: &str) -> IocValue {
        IocValue { kind, value: value.to_owned() }
    }

    #[test]
    fn an_entity_is_known_by_its_normal_form() {
        let named = |kind, value| Entity::named(kind, value).map(|entity| entity.id);
        assert_eq!(named(EntityType::Domain, "Host.EXAMPLE.com").unwrap(), "host.example.com");
        assert_eq!(named(EntityType::IpAddress, "2001:DB8:0::1").unwrap(), "2001:db8::1");
        assert_eq!(named(EntityType::File, &MD5.to_uppercase()).unwrap(), MD5);
        let url = Entity::named(EntityType::Url, "http://example.com/a").unwrap();
        assert_eq!(url.id.len(), 64);
        assert_eq!(url.url.as_deref(), Some("http://example.com/a"));
        for (kind, bad) in [
            (EntityType::File, "x"),
            (EntityType::Domain, "192.0.2.1"),
            (EntityType::IpAddress, "host.example.com"),
            (EntityType::Url, "example.com"),
        ] {
            let error = Entity::named(kind, bad).unwrap_err().to_string();
            assert!(error.contains(kind.name()) && error.contains("write"), "{error}");
        }
    }

    #[test]
    fn hashes_of_one_file_are_one_entity() {
        let sha256 = MD5.repeat(2);
        let one = [
            ioc(IocType::Md5, MD5),
            ioc(IocType::Domain, "host.example.com"),
            ioc(IocType::Sha256, &sha256),
        ];
        let entities = Entity::named_by(&one);
        assert_eq!(entities.len(), 2);
        assert_eq!((entities[0].id.as_str(), entities[0].hashes.len()), (sha256.as_str(), 2));
        let two = [ioc(IocType::Md5, MD5), ioc(IocType::Md5, &MD5.replace('0', "1"))];
        assert_eq!(Entity::named_by(&two).len(), 2);
        assert!(Entity::named_by(&[ioc(IocType::Cve, "CVE-2026-0001")]).is_empty());
    }

    #[test]
    fn a_value_named_twice_is_one_entity() {
        let twice = [ioc(IocType::Domain, "a.example.com"), ioc(IocType::Domain, "A.example.com")];
        assert_eq!(Entity::named_by(&twice).len(), 1);
    }
}
