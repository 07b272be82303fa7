//! The types a filter can name: STIX's, and `OpenCTI`'s names for one or several of them.

use super::error::listed;
use crate::id::is_type_name;
use crate::stix::OBSERVABLE_TYPES as OBSERVABLES;

/// The types a value of `entity_type`, or of an end of a relationship, stands for.
#[derive(Clone, Debug)]
pub(super) enum TypeSet {
    One(Box<str>),
    OneOf(&'static [&'static str]),
    /// One of several lists.
    OneOfAny(&'static [&'static [&'static str]]),
}

/// STIX 2.1 domain objects (section 4) and those `OpenCTI` adds but [`CASES`].
const DOMAIN_OBJECTS: &[&str] = &[
    "attack-pattern",
    "campaign",
    "course-of-action",
    "grouping",
    "identity",
    "incident",
    "indicator",
    "infrastructure",
    "intrusion-set",
    "location",
    "malware",
    "malware-analysis",
    "note",
    "observed-data",
    "opinion",
    "report",
    "threat-actor",
    "tool",
    "vulnerability",
    "channel",
    "data-component",
    "data-source",
    "event",
    "narrative",
    "x-mitre-data-component",
    "x-mitre-data-source",
];

/// Observables that `OpenCTI` adds to those of STIX 2.1.
const OPENCTI_OBSERVABLES: &[&str] = &[
    "ai-prompt",
    "bank-account",
    "credential",
    "cryptocurrency-wallet",
    "cryptographic-key",
    "email-mime-part-type",
    "hostname",
    "iccid",
    "imei",
    "imsi",
    "media-content",
    "payment-card",
    "persona",
    "phone-number",
    "ssh-key",
    "text",
    "tracking-number",
    "user-agent",
    "windows-registry-value-type",
];

/// The other types of STIX 2.1.
const OTHERS: &[&str] =
    &["relationship", "sighting", "marking-definition", "language-content", "extension-definition"];

/// `OpenCTI`'s cases, feedback and tasks, which are domain objects and containers.
const CASES: &[&str] = &[
    "case-incident",
    "case-rfi",
    "case-rft",
    "feedback",
    "task",
    "x-opencti-case-incident",
    "x-opencti-case-rfi",
    "x-opencti-case-rft",
    "x-opencti-feedback",
    "x-opencti-task",
];

const CONTAINERS: &[&str] = &["grouping", "note", "observed-data", "opinion", "report"];

/// Every domain object and observable.
const CORE: &[&[&str]] = &[DOMAIN_OBJECTS, CASES, OBSERVABLES, OPENCTI_OBSERVABLES];

/// `OpenCTI`'s names that are not a STIX type in other letters. It tells kinds of identity,
/// location and threat actor apart where STIX has one type.
const OPENCTI_NAMES: [(&str, TypeSet); 26] = [
    ("StixFile", TypeSet::OneOf(&["file"])),
    ("Organization", TypeSet::OneOf(&["identity"])),
    ("Individual", TypeSet::OneOf(&["identity"])),
    ("Sector", TypeSet::OneOf(&["identity"])),
    ("System", TypeSet::OneOf(&["identity"])),
    ("SecurityPlatform", TypeSet::OneOf(&["identity"])),
    ("City", TypeSet::OneOf(&["location"])),
    ("Country", TypeSet::OneOf(&["location"])),
    ("Region", TypeSet::OneOf(&["location"])),
    ("Position", TypeSet::OneOf(&["location"])),
    ("Administrative-Area", TypeSet::OneOf(&["location"])),
    ("Threat-Actor-Group", TypeSet::OneOf(&["threat-actor"])),
    ("Threat-Actor-Individual", TypeSet::OneOf(&["threat-actor"])),
    ("Data-Component", TypeSet::OneOf(&["data-component", "x-mitre-data-component"])),
    ("Data-Source", TypeSet::OneOf(&["data-source", "x-mitre-data-source"])),
    ("stix-core-relationship", TypeSet::OneOf(&["relationship"])),
    ("stix-sighting-relationship", TypeSet::OneOf(&["sighting"])),
    ("stix-relationship", TypeSet::OneOf(&["relationship", "sighting"])),
    ("basic-relationship", TypeSet::OneOf(&["relationship", "sighting"])),
    ("Hashed-Observable", TypeSet::OneOf(&["artifact", "file", "x509-certificate"])),
    ("Case", TypeSet::OneOf(CASES)),
    ("Container", TypeSet::OneOfAny(&[CONTAINERS, CASES])),
    ("Stix-Meta-Object", TypeSet::OneOf(&["marking-definition", "language-content"])),
    ("Stix-Domain-Object", TypeSet::OneOfAny(&[DOMAIN_OBJECTS, CASES])),
    ("Stix-Cyber-Observable", TypeSet::OneOfAny(&[OBSERVABLES, OPENCTI_OBSERVABLES])),
    ("Stix-Core-Object", TypeSet::OneOfAny(CORE)),
];

impl TypeSet {
    /// What `text` stands for: one of `OpenCTI`'s names or a known type in any letter case, or a
    /// type of somebody else's in lower case, the only spelling STIX has for it.
    pub(super) fn named(text: &str) -> Option<Self> {
        let named = OPENCTI_NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        if let Some((_, types)) = named {
            return Some(types.clone());
        }
        let lower = text.to_ascii_lowercase();
        let known = known_types().any(|known| known == lower);
        (known || is_type_name(text)).then(|| Self::One(lower.into()))
    }

    pub(super) fn has(&self, object_type: &str) -> bool {
        match self {
            Self::One(only) => **only == *object_type,
            Self::OneOf(types) => types.contains(&object_type),
            Self::OneOfAny(lists) => lists.iter().any(|types| types.contains(&object_type)),
        }
    }

    /// What a refused value could have been.
    pub(super) fn expected() -> String {
        let names = known_types().chain(OPENCTI_NAMES.iter().map(|(name, _)| *name));
        format!("a type in lower case as its objects have it, or {}", listed(names))
    }
}

fn known_types() -> impl Iterator<Item = &'static str> {
    CORE.iter().copied().flatten().chain(OTHERS).copied()
}
