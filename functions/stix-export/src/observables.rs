//! What an indicator's pattern names, as observables (STIX 2.1, section 6) and the observed-data
//! it is based on: some consumers read no patterns.

use std::collections::HashSet;

use serde_json::{Value, json};
use shared::id::ObjectId;
use shared::ioc::{EXTENSION_ID, IocRecord};
use shared::stix::{IocType, IocValue};
use shared::time::Timestamp;
use uuid::{Uuid, uuid};

use crate::context::{Link, Made, link};
use crate::indicator::Indicator;
use crate::made::derived_id;

/// STIX's own namespace for the ids of observables (STIX 2.1, section 2.9).
const OBSERVABLES: Uuid = uuid!("00abedb4-aa42-466c-9c01-fed23315a9b7");

/// Observables made of one indicator at the most: a pattern may list tens of thousands.
const MAX_OBSERVABLES: usize = 1000;

/// Adds the observables an indicator names, their observed-data and its `based-on`.
pub fn add(
    indicator: &Indicator<'_>,
    author: Option<&ObjectId>,
    markings: &[String],
    made: &mut Made,
) {
    let (mut refs, mut seen) = (Vec::new(), HashSet::new());
    for ioc in indicator.iocs().into_iter().take(MAX_OBSERVABLES) {
        let Some((id, object)) = observable(ioc) else { continue };
        if seen.insert(id.clone()) {
            refs.push(id.clone());
            made.observables.push((id, object));
        }
    }
    if refs.is_empty() {
        return;
    }
    let id = derived_id("observed-data", &[indicator.id.as_str()]);
    let text = |name| indicator.text(name).unwrap_or_default();
    let mut observed = json!({
        "type": "observed-data",
        "spec_version": "2.1",
        "id": id,
        "created": text("created"),
        "modified": text("modified"),
        "first_observed": text("valid_from"),
        "last_observed": last_observed(indicator),
        "number_observed": 1,
        "object_refs": refs,
        "object_marking_refs": markings,
    });
    if let Some(author) = author {
        observed["created_by_ref"] = json!(author);
    }
    made.own.push(observed.to_string());
    let link = Link { indicator, kind: "based-on", target: &id };
    made.own.push(self::link(&link, author, markings));
}

/// When it was last seen, if that is known, and never before it was first seen.
fn last_observed(indicator: &Indicator<'_>) -> String {
    let first = indicator.text("valid_from").unwrap_or_default();
    let last = indicator.extension(EXTENSION_ID, "last_seen");
    let is_later = |last: &String| match (last.parse::<Timestamp>(), first.parse::<Timestamp>()) {
        (Ok(last), Ok(first)) => last > first,
        _ => false,
    };
    last.filter(is_later).unwrap_or(first)
}

/// The observable of an IOC, without markings; `None` for what is no observable, and for values
/// that are not what their type says: observables are checked more strictly than patterns.
fn observable(ioc: IocValue) -> Option<(ObjectId, Value)> {
    let kind = ioc.kind;
    let record =
        IocRecord { kind: kind.name().to_owned(), value: ioc.value, ..IocRecord::default() };
    let checked = record.check().ok()?;
    let value = checked.value();
    let (object_type, contributing) = match kind {
        IocType::Ipv4 => ("ipv4-addr", json!({ "value": value })),
        IocType::Ipv6 => ("ipv6-addr", json!({ "value": value })),
        IocType::Domain => ("domain-name", json!({ "value": value })),
        IocType::Url => ("url", json!({ "value": value })),
        IocType::Email => ("email-addr", json!({ "value": value })),
        IocType::Md5 => ("file", json!({"hashes": {"MD5": value}})),
        IocType::Sha1 => ("file", json!({"hashes": {"SHA-1": value}})),
        IocType::Sha256 => ("file", json!({"hashes": {"SHA-256": value}})),
        IocType::Sha512 => ("file", json!({"hashes": {"SHA-512": value}})),
        IocType::Cve | IocType::MitreAttack => return None,
    };
    let uuid = Uuid::new_v5(&OBSERVABLES, contributing.to_string().as_bytes());
    let id = ObjectId::from_parts(object_type, uuid);
    let mut object = json!({"type": object_type, "spec_version": "2.1", "id": id});
    if let (Some(object), Value::Object(members)) = (object.as_object_mut(), contributing) {
        object.extend(members);
    }
    Some((id, object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_python_stix2_makes() {
        let of = |kind, value: &str| observable(IocValue { kind, value: value.to_owned() });
        let (id, _) = of(IocType::Md5, &"0".repeat(32)).unwrap();
        assert_eq!(id.as_str(), "file--8a2a4dcd-2010-5df6-8576-69f6e8694b40");
        assert!(of(IocType::Cve, "CVE-2026-0001").is_none());
        assert!(of(IocType::Ipv4, "192.0.2.300").is_none());
        let (_, network) = of(IocType::Ipv6, "2001:DB8::/32").unwrap();
        assert_eq!(network["value"], "2001:db8::/32");
    }
}
