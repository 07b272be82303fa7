//! The key of an item.

use serde_json::{Map, Value};

/// The names of a table's key attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyNames {
    pub(super) partition: String,
    pub(super) sort: Option<String>,
}

impl KeyNames {
    /// Reads them from the answer to `DescribeTable`.
    pub(super) fn of(described: &Value) -> Option<Self> {
        let schema = described["Table"]["KeySchema"].as_array()?;
        let name = |role: &str| {
            let part = schema.iter().find(|part| part["KeyType"] == role)?;
            Some(part["AttributeName"].as_str()?.to_owned())
        };
        Some(Self { partition: name("HASH")?, sort: name("RANGE") })
    }

    /// The key in `item`, which may have other attributes too.
    pub(super) fn key(&self, table: &str, item: &Value) -> Option<Key> {
        let partition = text(&item[&self.partition])?;
        let sort = match &self.sort {
            Some(name) => text(&item[name])?,
            None => String::new(),
        };
        Some(Key { table: table.to_owned(), partition, sort })
    }

    /// The key's attributes of `item` alone.
    pub(super) fn attributes(&self, item: &Value) -> Value {
        let names = [Some(&self.partition), self.sort.as_ref()];
        let pairs = names.into_iter().flatten().map(|name| (name.clone(), item[name].clone()));
        Value::Object(pairs.collect::<Map<_, _>>())
    }
}

/// An item's table and key, as text: a table's keys are all of one type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) table: String,
    pub(super) partition: String,
    pub(super) sort: String,
}

impl Key {
    /// As [`super::Only::key`] spells it.
    pub(super) fn spelt(&self) -> String {
        format!("{}/{}", self.partition, self.sort)
    }
}

/// The value of a key attribute, without its type.
pub(super) fn text(attribute: &Value) -> Option<String> {
    let value = attribute.as_object()?.values().next()?;
    value.as_str().map(ToOwned::to_owned)
}
