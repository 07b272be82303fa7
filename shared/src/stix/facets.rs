//! What the service knows of an object without parsing it again.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::id::ObjectId;
use crate::time::{Timestamp, Version};

/// The eleven kinds of IOC that come in as plain values and are named by patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IocType {
    /// An IPv4 address or network.
    Ipv4,
    /// An IPv6 address or network.
    Ipv6,
    /// A domain name.
    Domain,
    /// A URL.
    Url,
    /// An MD5 digest of a file.
    Md5,
    /// A SHA-1 digest of a file.
    Sha1,
    /// A SHA-256 digest of a file.
    Sha256,
    /// A SHA-512 digest of a file.
    Sha512,
    /// An e-mail address.
    Email,
    /// A CVE id.
    Cve,
    /// A MITRE ATT&CK technique id.
    MitreAttack,
}

/// Why a text is not an IOC type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is no IOC type: use ipv4, ipv6, domain, url, md5, sha1, sha256, sha512, email, cve or mitre_attack"
)]
pub struct IocTypeError(String);

impl IocType {
    /// All types, in the order in which the documentation lists them.
    pub const ALL: [Self; 11] = [
        Self::Ipv4,
        Self::Ipv6,
        Self::Domain,
        Self::Url,
        Self::Md5,
        Self::Sha1,
        Self::Sha256,
        Self::Sha512,
        Self::Email,
        Self::Cve,
        Self::MitreAttack,
    ];

    /// The type's name in requests and answers, such as `ipv4` or `mitre_attack`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Domain => "domain",
            Self::Url => "url",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Email => "email",
            Self::Cve => "cve",
            Self::MitreAttack => "mitre_attack",
        }
    }
}

impl fmt::Display for IocType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for IocType {
    type Err = IocTypeError;

    /// Any letter case; `-` is read as `_` (`mitre-attack`).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = text.trim().to_ascii_lowercase().replace('-', "_");
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == wanted)
            .ok_or_else(|| IocTypeError(text.chars().take(40).collect()))
    }
}

/// One IOC an object's pattern names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IocValue {
    /// What kind of value it is.
    pub kind: IocType,
    /// The value as the pattern spells it, unescaped.
    pub value: String,
}

/// Which STIX specification an object is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SpecVersion {
    /// An SDO or SRO without `spec_version`.
    #[serde(rename = "2.0")]
    V20,
    /// STIX 2.1.
    #[serde(rename = "2.1")]
    V21,
}

impl SpecVersion {
    /// `2.0` or `2.1`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V20 => "2.0",
            Self::V21 => "2.1",
        }
    }
}

/// A `kill-chain-phase` (STIX 2.1, section 2.11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KillChainPhase {
    /// `kill_chain_name`.
    pub chain: String,
    /// `phase_name`.
    pub phase: String,
}

/// What a relationship or a sighting joins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelationshipEnds {
    /// `relationship_type`; `sighting` for a sighting.
    pub relationship_type: String,
    /// `source_ref`; for a sighting, where it was sighted.
    pub sources: Vec<ObjectId>,
    /// `target_ref`; for a sighting, what was sighted.
    pub targets: Vec<ObjectId>,
}

/// Everything about an object that filters, surfaces and logs ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facets {
    /// The object's id; its type is the id's.
    pub id: ObjectId,
    /// `modified`, else `created`, else when it was first stored.
    pub version: Version,
    /// Which specification the object is written in.
    pub spec_version: SpecVersion,
    /// `created`.
    pub created: Option<Timestamp>,
    /// `modified`.
    pub modified: Option<Timestamp>,
    /// `name`.
    pub name: Option<String>,
    /// `labels`.
    pub labels: Vec<String>,
    /// `confidence`, 0–100.
    pub confidence: Option<u8>,
    /// `x_opencti_score`, or the score in `OpenCTI`'s extension.
    pub score: Option<i64>,
    /// Marking ids of the object and of its granular markings, in order, without repeats.
    pub markings: Vec<ObjectId>,
    /// Whether it is marked with something that is no marking definition's id.
    #[serde(default)]
    pub unreadable_marking: bool,
    /// `created_by_ref`.
    pub author: Option<ObjectId>,
    /// `revoked`, false when absent.
    pub revoked: bool,
    /// `valid_from` of an indicator.
    pub valid_from: Option<Timestamp>,
    /// `valid_until` of an indicator.
    pub valid_until: Option<Timestamp>,
    /// `pattern_type`; `stix` for a STIX 2.0 indicator.
    pub pattern_type: Option<String>,
    /// `indicator_types`.
    pub indicator_types: Vec<String>,
    /// The IOCs its STIX pattern names, in order, without repeats.
    pub iocs: Vec<IocValue>,
    /// `kill_chain_phases`.
    pub kill_chain_phases: Vec<KillChainPhase>,
    /// MITRE ATT&CK technique ids in its `external_references`.
    pub techniques: Vec<String>,
    /// Every id it refers to (`…_ref`, `…_refs`), in order, without repeats.
    pub refs: Vec<ObjectId>,
    /// The ends of a relationship or sighting.
    pub ends: Option<RelationshipEnds>,
}

impl Facets {
    /// The object's STIX type.
    #[must_use]
    pub fn object_type(&self) -> &str {
        self.id.object_type()
    }

    /// Whether it is an indicator.
    #[must_use]
    pub fn is_indicator(&self) -> bool {
        self.object_type() == "indicator"
    }
}
