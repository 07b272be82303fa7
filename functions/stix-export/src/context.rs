//! What an indicator names that is no observable: vulnerabilities and ATT&CK techniques, as
//! objects of their own.

use std::collections::HashSet;

use serde_json::{Value, json};
use shared::id::ObjectId;
use shared::ioc::{IocRecord, phases};
use shared::stix::IocType;

use crate::indicator::Indicator;
use crate::made::{ALWAYS, derived_id};

/// Vulnerabilities and techniques made of one indicator at the most.
const MAX_CONTEXT: usize = 1000;

/// Objects made for an indicator.
#[derive(Default)]
pub struct Made {
    /// Observables, which other indicators may name as well, still without markings.
    pub observables: Vec<(ObjectId, Value)>,
    /// Vulnerabilities and techniques, which others may name as well, as they go out.
    pub context: Vec<(ObjectId, String)>,
    /// The indicator's own: observed-data and relationships.
    pub own: Vec<String>,
}

/// A relationship from an indicator.
pub struct Link<'a> {
    /// The source.
    pub indicator: &'a Indicator<'a>,
    /// `relationship_type`.
    pub kind: &'a str,
    /// The target.
    pub target: &'a ObjectId,
}

/// The relationship (STIX 2.1, section 5.1), of the indicator's version and markings.
pub fn link(link: &Link<'_>, author: Option<&ObjectId>, markings: &[String]) -> String {
    let Link { indicator, kind, target } = link;
    let text = |name| indicator.text(name).unwrap_or_default();
    let mut relationship = json!({
        "type": "relationship",
        "spec_version": "2.1",
        "id": derived_id("relationship", &[indicator.id.as_str(), kind, target.as_str()]),
        "created": text("created"),
        "modified": text("modified"),
        "relationship_type": kind,
        "source_ref": indicator.id,
        "target_ref": target,
        "object_marking_refs": markings,
    });
    if let Some(author) = author {
        relationship["created_by_ref"] = json!(author);
    }
    relationship.to_string()
}

/// Adds the vulnerabilities and techniques an indicator names, each with a relationship. STIX has
/// no `indicates` from an indicator to a vulnerability (section 4.7), so they are related.
///
/// They say what everybody knows, whoever asks, so that the one version they have is always the
/// same: no author, no marking. Who names them, and may not be known, says the relationship.
pub fn add(
    indicator: &Indicator<'_>,
    author: Option<&ObjectId>,
    markings: &[String],
    made: &mut Made,
) {
    let (mut cves, mut techniques) = (Vec::new(), Vec::new());
    for ioc in indicator.iocs() {
        match ioc.kind {
            IocType::Cve => cves.push(ioc.value.to_ascii_uppercase()),
            IocType::MitreAttack => techniques.push(ioc.value),
            _ => {}
        }
    }
    let references = indicator.list("external_references");
    cves.extend(references.iter().filter_map(referenced_cve));
    techniques.extend(references.iter().filter_map(referenced_technique));
    let cves = cves.into_iter().map(|cve| (IocType::Cve, cve));
    let techniques = techniques.into_iter().map(|technique| (IocType::MitreAttack, technique));
    let mut seen = HashSet::new();
    let named = cves.chain(techniques).filter(|named| seen.insert(named.clone()));
    for (kind, name) in named.take(MAX_CONTEXT) {
        let ((id, object), kind) = match kind {
            IocType::Cve => (vulnerability(&name), "related-to"),
            _ => (attack_pattern(&name), "indicates"),
        };
        made.own.push(link(&Link { indicator, kind, target: &id }, author, markings));
        made.context.push((id, object.to_string()));
    }
}

fn vulnerability(cve: &str) -> (ObjectId, Value) {
    let id = derived_id("vulnerability", &[cve]);
    let object = json!({
        "type": "vulnerability",
        "spec_version": "2.1",
        "id": id,
        "created": ALWAYS,
        "modified": ALWAYS,
        "name": cve,
        "external_references": [{"source_name": "cve", "external_id": cve}],
    });
    (id, object)
}

fn attack_pattern(technique: &str) -> (ObjectId, Value) {
    let id = derived_id("attack-pattern", &[technique]);
    let url = format!("https://attack.mitre.org/techniques/{}/", technique.replace('.', "/"));
    let reference = json!({"source_name": "mitre-attack", "external_id": technique, "url": url});
    let mut object = json!({
        "type": "attack-pattern",
        "spec_version": "2.1",
        "id": id,
        "created": ALWAYS,
        "modified": ALWAYS,
        "name": technique,
        "external_references": [reference],
    });
    let phases: Vec<Value> = phases(technique)
        .iter()
        .map(|phase| json!({"kill_chain_name": phase.chain, "phase_name": phase.phase}))
        .collect();
    if !phases.is_empty() {
        object["kill_chain_phases"] = json!(phases);
    }
    (id, object)
}

/// The technique id of an external reference.
fn referenced_technique(reference: &Value) -> Option<String> {
    let source = reference.get("source_name")?.as_str()?.to_ascii_lowercase();
    let id = reference.get("external_id")?.as_str()?;
    let digits = id.strip_prefix('T')?;
    let shaped = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (source.starts_with("mitre") && shaped && digits.len() >= 4).then(|| id.to_owned())
}

/// The CVE id of an external reference.
fn referenced_cve(reference: &Value) -> Option<String> {
    let source = reference.get("source_name")?.as_str()?;
    let id = reference.get("external_id")?.as_str()?.to_ascii_uppercase();
    let record =
        IocRecord { kind: IocType::Cve.name().to_owned(), value: id, ..IocRecord::default() };
    let cve = record.check().ok().filter(|_| source.eq_ignore_ascii_case("cve"))?;
    Some(cve.value().to_owned())
}
