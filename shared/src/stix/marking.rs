//! An object's TLP level from its markings (contract: access, "TLP clearance").

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Facets;
use crate::id::ObjectId;
use crate::tlp::{DEFAULT_LEVEL, Tlp};

/// OASIS' extension that carries the level of a TLP 2.0 marking definition.
const TLP_2_EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/// What a marking id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Marking {
    /// A TLP level.
    Level(Tlp),
    /// A statement or another marking without a level.
    NoLevel,
    /// Its definition is not stored (yet).
    Unknown,
}

/// What a stored marking definition (its JSON text) stands for: TLP 2.0's extension, TLP 1.0's
/// `definition`, or a `name` such as `TLP:AMBER`.
#[must_use]
pub fn marking_defined_by(json: &str) -> Marking {
    let Ok(definition) = serde_json::from_str::<Value>(json) else {
        return Marking::NoLevel;
    };
    let level = |value: Option<&Value>| value?.as_str()?.parse::<Tlp>().ok();
    let named = || {
        let name = definition.get("name")?.as_str()?;
        name.trim().to_ascii_lowercase().starts_with("tlp:").then(|| name.parse().ok())?
    };
    level(definition.pointer(&format!("/extensions/{TLP_2_EXTENSION}/tlp_2_0")))
        .or_else(|| level(definition.pointer("/definition/tlp")))
        .or_else(named)
        .map_or(Marking::NoLevel, Marking::Level)
}

/// The marking ids of an object that are none of OASIS' own and so must be looked up.
pub fn markings_to_resolve(facets: &Facets) -> impl Iterator<Item = &ObjectId> {
    let counts = facets.object_type() != "marking-definition";
    facets.markings.iter().filter(move |id| counts && Tlp::of_marking_id(id.as_str()).is_none())
}

/// The object's level: the highest of its markings, unknown ones counting as red; without a TLP
/// marking what its confidence gives; with neither, [`DEFAULT_LEVEL`]. Marking definitions, and
/// identities without a marking, are clear.
pub fn level(facets: &Facets, resolve: impl Fn(&ObjectId) -> Marking) -> Tlp {
    if facets.object_type() == "marking-definition" {
        return Tlp::Clear;
    }
    let marked = facets.markings.iter().filter_map(|id| {
        let known = Tlp::of_marking_id(id.as_str()).map(Marking::Level);
        match known.unwrap_or_else(|| resolve(id)) {
            Marking::Level(level) => Some(level),
            Marking::NoLevel => None,
            Marking::Unknown => Some(Tlp::Red),
        }
    });
    marked.max().unwrap_or_else(|| match facets.confidence {
        _ if facets.object_type() == "identity" && facets.markings.is_empty() => Tlp::Clear,
        Some(confidence) => Tlp::of_confidence(confidence),
        None => DEFAULT_LEVEL,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_tells_its_level_in_three_ways() {
        let tlp2 =
            format!(r#"{{"extensions":{{"{TLP_2_EXTENSION}":{{"tlp_2_0":"amber+strict"}}}}}}"#);
        assert_eq!(marking_defined_by(&tlp2), Marking::Level(Tlp::AmberStrict));
        let tlp1 = r#"{"definition_type":"tlp","definition":{"tlp":"white"}}"#;
        assert_eq!(marking_defined_by(tlp1), Marking::Level(Tlp::Clear));
        assert_eq!(marking_defined_by(r#"{"name":"TLP:RED"}"#), Marking::Level(Tlp::Red));
        let statement =
            r#"{"definition_type":"statement","definition":{"statement":"Red Inc."},"name":"red"}"#;
        assert_eq!(marking_defined_by(statement), Marking::NoLevel);
    }
}
