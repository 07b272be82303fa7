//! A column: its name, and where of an object its content comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use thiserror::Error;

use super::record::Cell;
use super::standard::Standard;

/// A column of a feed. In JSON the name of a standard column, or an object of `name`, `path` and
/// `types`: another path for the objects of a STIX type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// One of those every feed may have.
    Standard(Standard),
    /// An attribute of the object.
    Attribute {
        /// The column's name.
        name: String,
        /// Where the attribute lies, but for objects of `types`; absent: they have none.
        path: Option<Path>,
        /// Where it lies in objects of a STIX type.
        types: BTreeMap<String, Path>,
    },
}

impl Column {
    /// The column's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Standard(standard) => standard.name(),
            Self::Attribute { name, .. } => name,
        }
    }

    /// Whether it holds text that anybody may have written, and no IOC.
    pub(super) fn is_free_text(&self) -> bool {
        match self {
            Self::Standard(standard) => standard.is_free_text(),
            Self::Attribute { .. } => true,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attribute {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<Path>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    types: BTreeMap<String, Path>,
}

impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Standard(standard) => serializer.serialize_str(standard.name()),
            Self::Attribute { name, path, types } => {
                let (name, path, types) = (name.clone(), path.clone(), types.clone());
                Attribute { name, path, types }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ColumnVisitor)
    }
}

struct ColumnVisitor;

impl<'de> Visitor<'de> for ColumnVisitor {
    type Value = Column;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a standard column, or an object with name, path and types")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Column, E> {
        name.parse().map(Column::Standard).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Column, A::Error> {
        let Attribute { name, path, types } =
            Attribute::deserialize(MapAccessDeserializer::new(map))?;
        if path.is_none() && types.is_empty() {
            let reason = format!("the column {name:?} has neither `path` nor `types`");
            return Err(de::Error::custom(reason));
        }
        Ok(Column::Attribute { name, path, types })
    }
}

/// Where an attribute lies: names with dots between, such as `external_references.url`. Of a list
/// every entry is taken; a number picks one, from 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Path(Vec<String>);

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a path is 1 to 8 names with dots between, such as external_references.url: {0:?}")]
pub struct PathError(String);

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names: Vec<String> = text.split('.').map(str::to_owned).collect();
        let good = text.len() <= 300 && names.len() <= 8 && names.iter().all(|n| !n.is_empty());
        if good { Ok(Self(names)) } else { Err(PathError(text.chars().take(80).collect())) }
    }
}

impl TryFrom<String> for Path {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.0.join(".")
    }
}

impl Path {
    /// What lies there in an object. A nested object is told as its JSON.
    pub(super) fn read(&self, members: &Map<String, Value>) -> Cell {
        let Some((first, rest)) = self.0.split_first() else { return Cell::Empty };
        let Some(value) = members.get(first) else { return Cell::Empty };
        let mut found = Vec::new();
        let listed = collect(value, rest, &mut found);
        match (found.as_slice(), listed) {
            ([], _) => Cell::Empty,
            ([Value::Number(number)], false) => Cell::Number(number.to_string()),
            ([one], false) => Cell::Text(text(one)),
            (all, _) => Cell::List(all.iter().map(|one| text(one)).collect()),
        }
    }
}

/// Puts what lies under `rest` into `found`, and says whether there may be several.
fn collect<'a>(value: &'a Value, rest: &[String], found: &mut Vec<&'a Value>) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => {
            let index =
                rest.split_first().and_then(|(name, rest)| Some((name.parse().ok()?, rest)));
            if let Some((index, rest)) = index {
                let index: usize = index;
                return items.get(index).is_some_and(|item| collect(item, rest, found));
            }
            // An entry of a list that is a list itself is told as its JSON: the depth is that of
            // the path.
            for item in items {
                match (item, rest) {
                    (Value::Array(_), _) | (_, []) => found.push(item),
                    (item, rest) => {
                        collect(item, rest, found);
                    }
                }
            }
            true
        }
        value => match rest.split_first() {
            None => {
                found.push(value);
                false
            }
            Some((name, rest)) => match value.get(name) {
                Some(inner) => collect(inner, rest, found),
                None => false,
            },
        },
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
