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

/// The object's level: the highest of its markings, unknown and unreadable ones counting as red;
/// without a TLP marking what its confidence gives; with neither, [`DEFAULT_LEVEL`]. Marking definitions, and
/// identities without a marking, are clear.
pub fn level(facets: &Facets, resolve: impl Fn(&ObjectId) -> Marking) -> Tlp {
    if facets.object_type() == "marking-definition" {
        return Tlp::Clear;
    }
    if facets.unreadable_marking {
        return Tlp::Red;
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
    use crate::time::Version;

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

    /// The level of an indicator with these members, as it is stored.
    fn level_with(members: &str) -> Tlp {
        let json = format!(
            r#"{{"type":"malware","spec_version":"2.1","id":"malware--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69","confidence":10,{members}}}"#
        );
        let version = Version("2026-05-15T08:30:00.000Z".parse().unwrap());
        let (facets, _) = Facets::of_stored(&json, version).unwrap();
        level(&facets, |_| Marking::NoLevel)
    }

    #[test]
    fn a_marking_that_cannot_be_read_is_red() {
        let capital = "marking-definition--BAB4A63C-AED9-4CF5-A766-DFCA5ABAC2BB";
        for value in [
            "null".to_owned(),
            "7".to_owned(),
            r#""TLP:RED""#.to_owned(),
            r#"["TLP:RED"]"#.to_owned(),
            "[7]".to_owned(),
            "[null]".to_owned(),
            format!(r#"["{capital}"]"#),
            format!(r#"["{}","{capital}"]"#, Tlp::Clear.marking_id()),
            r#"["identity--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69"]"#.to_owned(),
        ] {
            let whole = format!(r#""object_marking_refs":{value}"#);
            assert_eq!(level_with(&whole), Tlp::Red, "{whole}");
        }
        for value in
            ["null", "7", "[7]", r#"[{"marking_ref":7}]"#, r#"[{"marking_ref":"TLP:RED"}]"#]
        {
            let part = format!(r#""granular_markings":{value}"#);
            assert_eq!(level_with(&part), Tlp::Red, "{part}");
        }
        for fine in [
            r#""object_marking_refs":[]"#.to_owned(),
            r#""granular_markings":[{"lang":"en","selectors":["name"]}]"#.to_owned(),
            format!(r#""object_marking_refs":["{}"]"#, Tlp::Clear.marking_id()),
        ] {
            assert_eq!(level_with(&fine), Tlp::Clear, "{fine}");
        }
    }
}
