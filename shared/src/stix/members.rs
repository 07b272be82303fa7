//! A JSON object whose members are taken out and put in without a change to the others: their
//! order, their spelling and what is unknown stay.

use std::fmt;

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// A JSON object, member by member.
#[derive(Debug, Default)]
pub struct Members(Vec<(String, Box<RawValue>)>);

/// The order in which new members are put in; others keep their place.
const ORDER: [&str; 20] = [
    "type",
    "spec_version",
    "id",
    "created",
    "modified",
    "name",
    "description",
    "indicator_types",
    "pattern",
    "pattern_type",
    "pattern_version",
    "valid_from",
    "valid_until",
    "kill_chain_phases",
    "revoked",
    "labels",
    "confidence",
    "external_references",
    "object_marking_refs",
    "extensions",
];

impl Members {
    /// The member `name`, if it is there.
    ///
    /// # Errors
    /// When it is there and is no `T`.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, serde_json::Error> {
        let found = self.0.iter().find(|(member, _)| member == name);
        found.map(|(_, value)| serde_json::from_str(value.get())).transpose()
    }

    /// Puts `value` in place of the member `name`, or in where our own order has it.
    ///
    /// # Errors
    /// When `value` cannot be written as JSON.
    pub fn set<T: Serialize>(&mut self, name: &str, value: &T) -> Result<(), serde_json::Error> {
        let value = to_raw_value(value)?;
        if let Some((_, old)) = self.0.iter_mut().find(|(member, _)| member == name) {
            *old = value;
            return Ok(());
        }
        let rank = |member: &str| ORDER.iter().position(|known| *known == member);
        let comes_after = |member: &str| rank(name).is_some_and(|own| rank(member) > Some(own));
        let at = self.0.iter().position(|(member, _)| comes_after(member)).unwrap_or(self.0.len());
        self.0.insert(at, (name.to_owned(), value));
        Ok(())
    }

    /// Takes the member `name` out.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(member, _)| member != name);
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::with_capacity(20);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Read)
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
