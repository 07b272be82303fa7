//! Facets read off an object's members. Odd members are passed over, never refused here.

use serde_json::{Map, Value};

use super::facets::{Facets, KillChainPhase, RelationshipEnds, SpecVersion};
use crate::id::ObjectId;
use crate::pattern::Pattern;
use crate::time::{Timestamp, Version};

/// The extension in which `OpenCTI` carries an object's score.
const OPENCTI_EXTENSION: &str = "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba";

pub(super) fn facets(
    id: ObjectId,
    version: Version,
    spec_version: SpecVersion,
    members: &Map<String, Value>,
    pattern: Option<&Pattern>,
) -> Facets {
    let pattern_type = match (text(members, "pattern_type"), id.object_type(), spec_version) {
        (Some(own), _, _) => Some(own.to_owned()),
        (None, "indicator", SpecVersion::V20) => Some("stix".to_owned()),
        _ => None,
    };
    Facets {
        version,
        spec_version,
        created: timestamp(members, "created"),
        modified: timestamp(members, "modified"),
        name: text(members, "name").map(str::to_owned),
        labels: texts(members, "labels"),
        confidence: members
            .get("confidence")
            .and_then(Value::as_u64)
            .and_then(|confidence| u8::try_from(confidence).ok()),
        score: score(members),
        markings: markings(members),
        unreadable_marking: has_unreadable_marking(members),
        author: text(members, "created_by_ref").and_then(|id| id.parse().ok()),
        revoked: members.get("revoked").and_then(Value::as_bool).unwrap_or(false),
        valid_from: timestamp(members, "valid_from"),
        valid_until: timestamp(members, "valid_until"),
        pattern_type,
        indicator_types: texts(members, "indicator_types"),
        iocs: pattern.map(Pattern::iocs).unwrap_or_default(),
        kill_chain_phases: kill_chain_phases(members),
        techniques: techniques(members),
        refs: refs(members),
        ends: ends(&id, members),
        id,
    }
}

fn text<'a>(members: &'a Map<String, Value>, member: &str) -> Option<&'a str> {
    members.get(member).and_then(Value::as_str)
}

fn list<'a>(members: &'a Map<String, Value>, member: &str) -> &'a [Value] {
    members.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn texts(members: &Map<String, Value>, member: &str) -> Vec<String> {
    list(members, member).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn timestamp(members: &Map<String, Value>, member: &str) -> Option<Timestamp> {
    text(members, member).and_then(|text| text.parse().ok())
}

fn score(members: &Map<String, Value>) -> Option<i64> {
    let extension = || members.get("extensions")?.get(OPENCTI_EXTENSION)?.get("score")?.as_i64();
    members.get("x_opencti_score").and_then(Value::as_i64).or_else(extension)
}

fn ids(members: &Map<String, Value>, member: &str) -> Vec<ObjectId> {
    list(members, member)
        .iter()
        .filter_map(Value::as_str)
        .filter_map(|id| id.parse().ok())
        .collect()
}

/// Granular markings count like the object's own: part of an object is still the object.
fn markings(members: &Map<String, Value>) -> Vec<ObjectId> {
    let granular = list(members, "granular_markings")
        .iter()
        .filter_map(|marking| marking.get("marking_ref").and_then(Value::as_str))
        .filter_map(|id| id.parse().ok());
    let mut all = ids(members, "object_marking_refs");
    all.extend(granular);
    without_repeats(all)
}

/// Whether a marking of it says nothing, as it is no marking definition's id: identifiers are
/// compared byte for byte (STIX 2.1, section 2.9), so one in capital letters is nobody's.
fn has_unreadable_marking(members: &Map<String, Value>) -> bool {
    let unreadable = |id: &Value| {
        let id = id.as_str().and_then(|id| id.parse::<ObjectId>().ok());
        id.is_none_or(|id| id.object_type() != "marking-definition")
    };
    let whole = match members.get("object_marking_refs") {
        None => false,
        Some(Value::Array(ids)) => ids.iter().any(unreadable),
        Some(_) => true,
    };
    whole
        || match members.get("granular_markings") {
            None => false,
            Some(Value::Array(markings)) => markings.iter().any(|marking| {
                // One without is of a language (section 7.2.3.1).
                !marking.is_object() || marking.get("marking_ref").is_some_and(unreadable)
            }),
            Some(_) => true,
        }
}

fn without_repeats(ids: Vec<ObjectId>) -> Vec<ObjectId> {
    let mut seen = std::collections::HashSet::new();
    ids.into_iter().filter(|id| seen.insert(id.clone())).collect()
}

fn kill_chain_phases(members: &Map<String, Value>) -> Vec<KillChainPhase> {
    list(members, "kill_chain_phases")
        .iter()
        .filter_map(|phase| {
            Some(KillChainPhase {
                chain: phase.get("kill_chain_name")?.as_str()?.to_owned(),
                phase: phase.get("phase_name")?.as_str()?.to_owned(),
            })
        })
        .collect()
}

/// ATT&CK's own source names all begin with `mitre`: `mitre-attack`, `mitre-ics-attack`, …
fn techniques(members: &Map<String, Value>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for reference in list(members, "external_references") {
        let source = reference.get("source_name").and_then(Value::as_str).unwrap_or_default();
        let id = reference.get("external_id").and_then(Value::as_str).unwrap_or_default();
        let is_technique = source.to_ascii_lowercase().starts_with("mitre")
            && id
                .strip_prefix('T')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if is_technique && !found.iter().any(|known| known == id) {
            found.push(id.to_owned());
        }
    }
    found
}

fn refs(members: &Map<String, Value>) -> Vec<ObjectId> {
    let mut found = Vec::new();
    for (name, value) in members {
        collect_refs(name, value, &mut found);
    }
    without_repeats(found)
}

/// The depth of the recursion is bounded by the JSON reader's 128 levels.
fn collect_refs(name: &str, value: &Value, found: &mut Vec<ObjectId>) {
    match value {
        Value::String(id) if name.ends_with("_ref") || name.ends_with("_refs") => {
            found.extend(id.parse::<ObjectId>());
        }
        Value::Array(items) => items.iter().for_each(|item| collect_refs(name, item, found)),
        Value::Object(inner) => {
            for (name, value) in inner {
                collect_refs(name, value, found);
            }
        }
        _ => {}
    }
}

fn ends(id: &ObjectId, members: &Map<String, Value>) -> Option<RelationshipEnds> {
    let one = |member| text(members, member).and_then(|id| id.parse().ok()).into_iter().collect();
    match id.object_type() {
        "relationship" => Some(RelationshipEnds {
            relationship_type: text(members, "relationship_type").unwrap_or_default().to_owned(),
            sources: one("source_ref"),
            targets: one("target_ref"),
        }),
        "sighting" => {
            let mut targets: Vec<ObjectId> = one("sighting_of_ref");
            targets.extend(ids(members, "observed_data_refs"));
            Some(RelationshipEnds {
                relationship_type: "sighting".to_owned(),
                sources: ids(members, "where_sighted_refs"),
                targets,
            })
        }
        _ => None,
    }
}
