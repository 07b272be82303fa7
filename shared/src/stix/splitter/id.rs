//! The `id` of an object of which only the beginning is held.

use std::fmt;

use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};

/// The `id` in `beginning`, the beginning of an object, if it is there whole.
pub(super) fn of_beginning(beginning: &[u8]) -> Option<String> {
    let mut id = None;
    // Fails where the beginning ends; the id may have been seen by then.
    let _ = serde_json::Deserializer::from_slice(beginning).deserialize_map(IdVisitor(&mut id));
    id
}

struct IdVisitor<'a>(&'a mut Option<String>);

impl<'de> Visitor<'de> for IdVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            if name == "id" {
                *self.0 = Some(members.next_value()?);
                return Ok(());
            }
            members.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}
