//! A new indicator.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::parts::{ExternalReference, Phase, Sightings, kill_chain_phases, references};
use super::{EXTENSION_ID, INDICATOR_NAMESPACE};
use crate::id::ObjectId;
use crate::ioc::check::{Ioc, ends_after};
use crate::ioc::error::IocError;
use crate::pattern::escape;
use crate::stix::IocType;
use crate::time::Timestamp;

/// The longest `name` in characters; longer values are cut.
const NAME_CHARS: usize = 250;

/// The id of `owner`'s indicator for a value in its normal form: always the same one, and another
/// for another owner.
#[must_use]
pub fn indicator_id(owner: &str, kind: IocType, value: &str) -> ObjectId {
    // The owner's length keeps "a" + "b…" apart from "ab" + "…"; type names hold no colon.
    let name = format!("{}:{owner}:{kind}:{value}", owner.len());
    ObjectId::from_parts("indicator", Uuid::new_v5(&INDICATOR_NAMESPACE, name.as_bytes()))
}

/// The STIX pattern of a value in its normal form: one comparison, `[path = 'value']`.
#[must_use]
pub fn pattern(kind: IocType, value: &str) -> String {
    let path = match kind {
        IocType::Ipv4 => "ipv4-addr:value",
        IocType::Ipv6 => "ipv6-addr:value",
        IocType::Domain => "domain-name:value",
        IocType::Url => "url:value",
        IocType::Md5 => "file:hashes.MD5",
        IocType::Sha1 => "file:hashes.'SHA-1'",
        IocType::Sha256 => "file:hashes.'SHA-256'",
        IocType::Sha512 => "file:hashes.'SHA-512'",
        IocType::Email => "email-addr:value",
        IocType::Cve => "vulnerability:name",
        IocType::MitreAttack => "attack-pattern:external_references[*].external_id",
    };
    format!("[{path} = '{}']", escape(value))
}

#[derive(Serialize)]
struct Indicator<'a> {
    r#type: &'static str,
    spec_version: &'static str,
    id: ObjectId,
    created: &'a Timestamp,
    modified: &'a Timestamp,
    name: String,
    description: &'a str,
    #[serde(rename = "indicator_types")]
    types: [&'static str; 1],
    pattern: String,
    pattern_type: &'static str,
    pattern_version: &'static str,
    valid_from: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kill_chain_phases: Vec<Phase<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<bool>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    labels: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_references: Vec<ExternalReference<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_marking_refs: Option<[&'static str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<BTreeMap<&'static str, Sightings>>,
}

/// `owner`'s indicator for an IOC not stored yet, as compact JSON.
///
/// # Errors
/// [`IocError::EndsBeforeStart`] when the IOC names no `first_seen` and its `valid_until` is not
/// after `now`.
pub fn new_indicator(ioc: &Ioc, owner: &str, now: DateTime<Utc>) -> Result<String, IocError> {
    let valid_from = ioc.first_seen().unwrap_or(now);
    ends_after(ioc.valid_until(), valid_from)?;
    let made = Timestamp::millis(now);
    let indicator = Indicator {
        r#type: "indicator",
        spec_version: "2.1",
        id: indicator_id(owner, ioc.kind(), ioc.value()),
        created: &made,
        modified: &made,
        name: name(ioc.value()),
        description: ioc.description().unwrap_or(stock_description(ioc.kind())),
        types: ["malicious-activity"],
        pattern: pattern(ioc.kind(), ioc.value()),
        pattern_type: "stix",
        pattern_version: "2.1",
        valid_from: Timestamp::millis(valid_from),
        valid_until: ioc.valid_until().map(Timestamp::millis),
        kill_chain_phases: kill_chain_phases(ioc),
        revoked: ioc.revoked().filter(|revoked| *revoked),
        labels: ioc.tags(),
        confidence: ioc.confidence(),
        external_references: references(ioc),
        object_marking_refs: ioc.tlp().map(|level| [level.marking_id()]),
        extensions: sightings(ioc).map(|made| BTreeMap::from([(EXTENSION_ID, made)])),
    };
    serde_json::to_string(&indicator).map_err(|error| IocError::Json(error.to_string()))
}

/// What an indicator says of itself until a report describes it: the official validator asks for
/// name and description both.
#[must_use]
pub const fn stock_description(kind: IocType) -> &'static str {
    match kind {
        IocType::Ipv4 => "IPv4 address reported as a sign of malicious activity",
        IocType::Ipv6 => "IPv6 address reported as a sign of malicious activity",
        IocType::Domain => "Domain name reported as a sign of malicious activity",
        IocType::Url => "URL reported as a sign of malicious activity",
        IocType::Md5 | IocType::Sha1 | IocType::Sha256 | IocType::Sha512 => {
            "File hash reported as a sign of malicious activity"
        }
        IocType::Email => "E-mail address reported as a sign of malicious activity",
        IocType::Cve => "Vulnerability reported as exploited in malicious activity",
        IocType::MitreAttack => "Technique reported as used in malicious activity",
    }
}

/// The bare value, as `OpenCTI` and MISP name indicators: lists show the kind beside it anyway.
#[must_use]
pub fn name(value: &str) -> String {
    if value.chars().count() <= NAME_CHARS {
        return value.into();
    }
    value.chars().take(NAME_CHARS - 1).chain(['…']).collect()
}

/// Our extension, if the IOC was seen last at a known time.
pub(super) fn sightings(ioc: &Ioc) -> Option<Sightings> {
    let last_seen = Timestamp::millis(ioc.last_seen()?).into();
    Some(Sightings { extension_type: "property-extension", last_seen })
}
