//! Markings of exported objects: one TLP level in one version of its ids, and statements.

use std::collections::BTreeSet;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use shared::id::ObjectId;
use shared::stix::Members;
use shared::tlp::Tlp;

use crate::parameters::TlpVersion;
use crate::references::References;

impl TlpVersion {
    /// The marking id of a level.
    pub fn marking_id(self, level: Tlp) -> &'static str {
        match self {
            Self::V1 => level.marking_id_1_0(),
            Self::V2 => level.marking_id(),
        }
    }

    /// The level as this version has it: TLP 1.0 has no amber+strict, and red is not lower.
    pub fn level(self, level: Tlp) -> Tlp {
        match (self, level) {
            (Self::V1, Tlp::AmberStrict) => Tlp::Red,
            _ => level,
        }
    }

    /// OASIS' definition of a level.
    pub fn definition(self, level: Tlp) -> String {
        let id = self.marking_id(level);
        match self {
            Self::V1 => {
                let name = match level {
                    Tlp::Clear => "white",
                    other => self.level(other).name(),
                };
                json!({
                    "type": "marking-definition",
                    "spec_version": "2.1",
                    "id": id,
                    "created": "2017-01-20T00:00:00.000Z",
                    "definition_type": "tlp",
                    "name": format!("TLP:{}", name.to_uppercase()),
                    "definition": {"tlp": name},
                })
            }
            Self::V2 => json!({
                "type": "marking-definition",
                "spec_version": "2.1",
                "id": id,
                "created": "2022-10-01T00:00:00.000Z",
                "name": format!("TLP:{}", level.name().to_uppercase()),
                "extensions": {
                    "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {
                        "extension_type": "property-extension",
                        "tlp_2_0": level.name(),
                    }
                },
            }),
        }
        .to_string()
    }
}

/// The level an indicator goes out with: its own, or the one asked for, which may raise what a
/// marking of its own says (`floor`) but never lower it.
pub fn effective(level: Tlp, floor: Option<Tlp>, asked: Option<Tlp>) -> Tlp {
    match asked {
        None => level,
        Some(asked) => floor.map_or(asked, |floor| floor.max(asked)),
    }
}

/// Markings an object names, and so the bundle has to define.
#[derive(Clone, Debug, Default)]
pub struct Used {
    /// TLP levels.
    pub levels: BTreeSet<Tlp>,
    /// Other markings.
    pub others: BTreeSet<ObjectId>,
}

impl Used {
    /// Takes in what another object names.
    pub fn extend(&mut self, other: Self) {
        self.levels.extend(other.levels);
        self.others.extend(other.others);
    }
}

/// The markings an object names, its granular ones included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarkingIds {
    /// Ids of marking definitions.
    pub readable: Vec<ObjectId>,
    /// Whether it is marked with anything else: what that means nobody can say.
    pub unreadable: bool,
}

impl MarkingIds {
    /// What is in these members, whatever they are.
    pub fn of(members: &Members<'_>) -> Self {
        let mut ids = Self::default();
        for id in ids.list(members, "object_marking_refs") {
            ids.take(&id);
        }
        for marking in ids.list(members, "granular_markings") {
            match marking.get("marking_ref") {
                Some(id) => ids.take(id),
                None => ids.unreadable |= !marking.is_object(),
            }
        }
        ids
    }

    fn list(&mut self, members: &Members<'_>, name: &str) -> Vec<Value> {
        let list = members.get::<Value>(name).ok().flatten();
        match list {
            None => Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => {
                self.unreadable = true;
                Vec::new()
            }
        }
    }

    fn take(&mut self, id: &Value) {
        let id = id.as_str().and_then(|id| id.parse::<ObjectId>().ok());
        match id.filter(|id| id.object_type() == "marking-definition") {
            Some(id) => self.readable.push(id),
            None => self.unreadable = true,
        }
    }
}

/// How markings are written.
#[derive(Clone, Copy)]
pub struct Rewrite<'a> {
    /// In which version of TLP.
    pub version: TlpVersion,
    /// The level granular markings are raised to.
    pub least: Option<Tlp>,
    /// What other markings stand for; none of them is kept where absent.
    pub references: Option<&'a References>,
}

impl Rewrite<'_> {
    /// Writes an object's markings: of TLP `level` alone, of others those whose definition is
    /// known. One that is not known counts as red, so nothing is lost by leaving it out, and no
    /// reference dangles.
    pub fn apply(
        self,
        members: &mut Members<'_>,
        level: Option<Tlp>,
    ) -> Result<(Vec<String>, Used), serde_json::Error> {
        let mut used = Used::default();
        let mut refs = Vec::new();
        if let Some(level) = level.map(|level| self.version.level(level)) {
            used.levels.insert(level);
            refs.push(self.version.marking_id(level).to_owned());
        }
        // Whatever else was stored there has given the level.
        let own = members.get::<Vec<Value>>("object_marking_refs").ok().flatten();
        let own = own.unwrap_or_default();
        for id in own.iter().filter_map(Value::as_str).filter_map(|id| id.parse().ok()) {
            if self.is_statement(&id) && used.others.insert(id.clone()) {
                refs.push(id.to_string());
            }
        }
        if refs.is_empty() {
            members.remove("object_marking_refs");
        } else {
            members.set("object_marking_refs", &refs)?;
        }
        self.granular(members, &mut used)?;
        Ok((refs, used))
    }

    fn is_statement(&self, id: &ObjectId) -> bool {
        self.references.is_some_and(|references| references.statement(id).is_some())
    }

    fn granular(self, members: &mut Members<'_>, used: &mut Used) -> Result<(), serde_json::Error> {
        const NAME: &str = "granular_markings";
        let Some(own) = members.get::<Box<RawValue>>(NAME)? else { return Ok(()) };
        let mut markings: Vec<Value> = serde_json::from_str(own.get()).unwrap_or_default();
        markings.retain_mut(|marking| {
            let Some(text) = marking.get("marking_ref").and_then(Value::as_str) else {
                // A language (STIX 2.1, section 7.2.3.1).
                return marking.get("lang").is_some();
            };
            if let Some(level) = Tlp::of_marking_id(text) {
                let level = self.version.level(self.least.map_or(level, |least| level.max(least)));
                used.levels.insert(level);
                marking["marking_ref"] = json!(self.version.marking_id(level));
                return true;
            }
            let known = text.parse().ok().filter(|id| self.is_statement(id));
            known.map(|id| used.others.insert(id)).is_some()
        });
        if markings.is_empty() {
            members.remove(NAME);
            return Ok(());
        }
        members.set(NAME, &markings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_override_never_goes_below_an_objects_own_marking() {
        for level in Tlp::ALL {
            assert_eq!(effective(level, None, None), level);
            assert_eq!(effective(level, Some(level), None), level);
            for asked in Tlp::ALL {
                assert_eq!(effective(level, None, Some(asked)), asked);
                assert_eq!(effective(level, Some(level), Some(asked)), level.max(asked));
            }
        }
    }

    #[test]
    fn whatever_is_stored_as_markings_is_written_anew() {
        let rewrite = Rewrite { version: TlpVersion::V2, least: None, references: None };
        let red = Tlp::Red.marking_id();
        for odd in ["null", "7", r#""TLP:RED""#, r#"{"a":1}"#, "[null,7]", r#"["TLP:RED"]"#] {
            for name in ["object_marking_refs", "granular_markings"] {
                let text = format!(r#"{{"{name}":{odd}}}"#);
                let mut members: Members<'_> = serde_json::from_str(&text).unwrap();
                assert!(MarkingIds::of(&members).unreadable, "{text}");
                let (refs, _) = rewrite.apply(&mut members, Some(Tlp::Red)).unwrap();
                assert_eq!(refs, [red], "{text}");
                let written = serde_json::to_value(&members).unwrap();
                assert_eq!(written, json!({"object_marking_refs": [red]}), "{text}");
            }
        }
        let text = format!(
            r#"{{"object_marking_refs":["{red}"],"granular_markings":[{{"lang":"en"}},{{"marking_ref":"{red}"}}]}}"#
        );
        let ids = MarkingIds::of(&serde_json::from_str(&text).unwrap());
        let red: ObjectId = red.parse().unwrap();
        assert_eq!(ids, MarkingIds { readable: vec![red.clone(), red], unreadable: false });
    }

    #[test]
    fn tlp_1_is_never_lower() {
        for level in Tlp::ALL {
            let written = Tlp::of_marking_id(TlpVersion::V1.marking_id(level)).unwrap();
            assert_eq!(written, TlpVersion::V1.level(level));
            assert!(written >= level);
        }
    }
}
