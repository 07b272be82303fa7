//! `OpenCTI`'s extension of an object, by which its connectors know it (contract: live-stream,
//! "What is sent").

use serde_json::{Map, Value, json};
use shared::stix::{Facets, IocType};
use uuid::{Uuid, uuid};

/// The extension's id.
pub const EXTENSION: &str = "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba";

/// The namespace of the extension's `id`: a random UUID of ours.
const NAMESPACE: Uuid = uuid!("0f6b1a86-4f0b-4b0e-9a51-7c1b0c2f6d35");

/// Types whose name is not the STIX type with its words capitalised.
const NAMES: [(&str, &str); 12] = [
    ("file", "StixFile"),
    ("ipv4-addr", "IPv4-Addr"),
    ("ipv6-addr", "IPv6-Addr"),
    ("x509-certificate", "X509-Certificate"),
    ("threat-actor", "Threat-Actor-Group"),
    ("sighting", "stix-sighting-relationship"),
    ("x-mitre-data-source", "Data-Source"),
    ("x-mitre-data-component", "Data-Component"),
    ("x-opencti-case-incident", "Case-Incident"),
    ("x-opencti-case-rfi", "Case-Rfi"),
    ("x-opencti-case-rft", "Case-Rft"),
    ("x-opencti-task", "Task"),
];

/// The extension's members for an object; `members` are the object's own.
#[must_use]
pub fn extension(facets: &Facets, members: &Members<'_>) -> Map<String, Value> {
    let mut extension = Map::new();
    let mut set = |name: &str, value: Value| drop(extension.insert(name.to_owned(), value));
    set("extension_type", json!("property-extension"));
    set("id", json!(Uuid::new_v5(&NAMESPACE, facets.id.as_str().as_bytes())));
    set("type", json!(entity_type(facets, members)));
    let version = facets.version.as_str();
    set("created_at", json!(facets.created.as_ref().map_or(version, |created| created.as_str())));
    set("updated_at", json!(version));
    set("labels", json!(facets.labels));
    let score = facets.score.or(facets.confidence.filter(|_| facets.is_indicator()).map(i64::from));
    if let Some(score) = score {
        set("score", json!(score));
    }
    if facets.is_indicator() {
        set("detection", json!(members.flag("x_opencti_detection")));
        let values: Vec<Value> = facets.iocs.iter().filter_map(observable).collect();
        if let Some(first) = values.first() {
            set("main_observable_type", first["type"].clone());
        }
        set("observable_values", Value::Array(values));
    }
    extension
}

/// The members of the object that the facets do not have.
#[derive(Debug)]
pub struct Members<'a>(pub &'a shared::stix::Members<'a>);

impl Members<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).ok().flatten()
    }

    fn flag(&self, name: &str) -> bool {
        self.0.get(name).ok().flatten().unwrap_or(false)
    }
}

fn entity_type(facets: &Facets, members: &Members<'_>) -> String {
    let object_type = facets.object_type();
    if let Some(named) = NAMES.iter().find(|(stix, _)| *stix == object_type) {
        return named.1.to_owned();
    }
    match object_type {
        "relationship" => {
            facets.ends.as_ref().map(|ends| ends.relationship_type.clone()).unwrap_or_default()
        }
        "identity" => match members.text("identity_class").as_deref() {
            Some("individual") => "Individual",
            Some("class") => "Sector",
            Some("system") => "System",
            _ => "Organization",
        }
        .to_owned(),
        "location" => location(members).to_owned(),
        other => other.split('-').map(capitalised).collect::<Vec<_>>().join("-"),
    }
}

fn location(members: &Members<'_>) -> &'static str {
    if let Some(own) = members.text("x_opencti_location_type") {
        for known in ["City", "Country", "Region", "Administrative-Area"] {
            if own.eq_ignore_ascii_case(known) {
                return known;
            }
        }
    }
    let by_member = [
        ("city", "City"),
        ("administrative_area", "Administrative-Area"),
        ("country", "Country"),
        ("region", "Region"),
    ];
    let found = by_member.iter().find(|(member, _)| members.text(member).is_some());
    found.map_or("Position", |(_, name)| name)
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// A value that an indicator's pattern names, as an observable; a CVE and an ATT&CK technique are
/// none.
fn observable(ioc: &shared::stix::IocValue) -> Option<Value> {
    let plain = |kind: &str| Some(json!({"type": kind, "value": ioc.value}));
    let hash =
        |algorithm: &str| Some(json!({"type": "StixFile", "hashes": {algorithm: ioc.value}}));
    match ioc.kind {
        IocType::Ipv4 => plain("IPv4-Addr"),
        IocType::Ipv6 => plain("IPv6-Addr"),
        IocType::Domain => plain("Domain-Name"),
        IocType::Url => plain("Url"),
        IocType::Email => plain("Email-Addr"),
        IocType::Md5 => hash("MD5"),
        IocType::Sha1 => hash("SHA-1"),
        IocType::Sha256 => hash("SHA-256"),
        IocType::Sha512 => hash("SHA-512"),
        IocType::Cve | IocType::MitreAttack => None,
    }
}
