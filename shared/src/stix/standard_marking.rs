//! OASIS' own marking definitions, which everybody refers to and hardly anybody sends.

use serde_json::{Value, json};

use crate::tlp::Tlp;

/// OASIS' extension that carries the level of a TLP 2.0 marking definition.
const TLP_2_EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/// The definition of a TLP marking with this id, as OASIS publishes it (STIX 2.1, section 7.2.1.4,
/// and TLP 2.0's extension definition); nothing for any other id.
#[must_use]
pub fn standard_marking(id: &str) -> Option<Value> {
    let level = Tlp::of_marking_id(id)?;
    if level.marking_id() == id {
        return Some(json!({
            "type": "marking-definition", "spec_version": "2.1", "id": id,
            "created": "2022-10-01T00:00:00.000Z",
            "name": format!("TLP:{}", level.name().to_uppercase()),
            "extensions": {TLP_2_EXTENSION: {
                "extension_type": "property-extension", "tlp_2_0": level.name(),
            }},
        }));
    }
    let name = if level == Tlp::Clear { "white" } else { level.name() };
    Some(json!({
        "type": "marking-definition", "spec_version": "2.1", "id": id,
        "created": "2017-01-20T00:00:00.000Z", "definition_type": "tlp",
        "name": format!("TLP:{}", name.to_uppercase()), "definition": {"tlp": name},
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stix::{Marking, marking_defined_by};

    #[test]
    fn a_standard_marking_stands_for_its_level() {
        let white = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9";
        let ids = Tlp::ALL.iter().map(|level| level.marking_id()).chain([white]);
        for id in ids {
            let definition = standard_marking(id).unwrap();
            let level = Tlp::of_marking_id(id).unwrap();
            assert_eq!(marking_defined_by(&definition.to_string()), Marking::Level(level));
        }
        assert_eq!(standard_marking("marking-definition--1"), None);
    }
}
