//! What an indicator names that is no observable: vulnerabilities and ATT&CK techniques, as
//! objects of their own.

use serde_json::{Value, json};
use shared::id::ObjectId;
use shared::ioc::phases;
use shared::stix::IocType;

use crate::indicator::Indicator;
use crate::made::{ALWAYS, derived_id};

/// Objects made for an indicator.
#[derive(Default)]
pub struct Made {
    /// Objects that other indicators may name as well, still without markings.
    pub shared: Vec<(ObjectId, Value)>,
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
pub fn add(
    indicator: &Indicator<'_>,
    author: Option<&ObjectId>,
    markings: &[String],
    made: &mut Made,
) {
    let mut techniques = Vec::new();
    let mut named = Vec::new();
    for ioc in indicator.iocs() {
        match ioc.kind {
            IocType::Cve => {
                named.push((vulnerability(&ioc.value.to_ascii_uppercase()), "related-to"));
            }
            IocType::MitreAttack => techniques.push(ioc.value),
            _ => {}
        }
    }
    techniques.extend(referenced_techniques(indicator));
    named.extend(techniques.iter().map(|technique| (attack_pattern(technique), "indicates")));
    let mut linked: Vec<ObjectId> = Vec::new();
    for ((id, mut object), kind) in named {
        if linked.contains(&id) {
            continue;
        }
        if let Some(author) = author {
            object["created_by_ref"] = json!(author);
        }
        made.own.push(link(&Link { indicator, kind, target: &id }, author, markings));
        made.shared.push((id.clone(), object));
        linked.push(id);
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

/// The technique ids among its external references.
fn referenced_techniques(indicator: &Indicator<'_>) -> Vec<String> {
    let references = indicator.list("external_references");
    let technique = |reference: &Value| {
        let source = reference.get("source_name")?.as_str()?.to_ascii_lowercase();
        let id = reference.get("external_id")?.as_str()?;
        let digits = id.strip_prefix('T')?;
        let shaped = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        (source.starts_with("mitre") && shaped && digits.len() >= 4).then(|| id.to_owned())
    };
    references.iter().filter_map(technique).collect()
}
