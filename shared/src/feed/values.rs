//! The IOCs an object's rows are about.

use serde_json::{Map, Value};

use super::record::Ioc;
use crate::stix::{Facets, IocType};

/// One for each IOC that the object's pattern names, or that an observable is; of any other
/// object one with its name.
pub(super) fn iocs(facets: &Facets, members: &Map<String, Value>) -> Vec<Ioc> {
    let named = facets.iocs.iter();
    let mut iocs: Vec<Ioc> =
        named.map(|ioc| Ioc { kind: Some(ioc.kind), value: ioc.value.clone() }).collect();
    if iocs.is_empty() {
        iocs = observable(facets.object_type(), members);
    }
    if iocs.is_empty() {
        iocs.push(Ioc { kind: None, value: facets.name.clone().unwrap_or_default() });
    }
    iocs
}

/// STIX 2.1, section 6: the observables whose value is an IOC.
fn observable(object_type: &str, members: &Map<String, Value>) -> Vec<Ioc> {
    let kind = match object_type {
        "ipv4-addr" => IocType::Ipv4,
        "ipv6-addr" => IocType::Ipv6,
        "domain-name" => IocType::Domain,
        "url" => IocType::Url,
        "email-addr" => IocType::Email,
        "file" | "artifact" => return digests(members),
        _ => return Vec::new(),
    };
    let value = members.get("value").and_then(Value::as_str).filter(|value| !value.is_empty());
    value.map(|value| Ioc { kind: Some(kind), value: value.to_owned() }).into_iter().collect()
}

fn digests(members: &Map<String, Value>) -> Vec<Ioc> {
    let Some(hashes) = members.get("hashes").and_then(Value::as_object) else { return Vec::new() };
    let digest = |(algorithm, value): (&String, &Value)| {
        let kind = match algorithm.to_ascii_uppercase().replace(['-', '_'], "").as_str() {
            "MD5" => IocType::Md5,
            "SHA1" => IocType::Sha1,
            "SHA256" => IocType::Sha256,
            "SHA512" => IocType::Sha512,
            _ => return None,
        };
        let value = value.as_str().filter(|value| !value.is_empty())?;
        Some(Ioc { kind: Some(kind), value: value.to_owned() })
    };
    hashes.iter().filter_map(digest).collect()
}
