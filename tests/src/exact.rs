//! JSON compared as the service promises to keep it: same members, same strings, same spelling
//! of numbers (`1.50` is not `1.5`), whatever the order of members and the white space.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// A JSON value that remembers how its numbers were spelt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exact {
    /// `null`, `true`, `false` or a number, as spelt.
    Literal(String),
    /// A string, decoded.
    Text(String),
    /// An array.
    List(Vec<Exact>),
    /// An object.
    Map(BTreeMap<String, Exact>),
}

impl Exact {
    /// Reads a JSON text.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        match text.as_bytes().first() {
            Some(b'{') => {
                let map: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).unwrap();
                Self::Map(map.into_iter().map(|(k, v)| (k, Self::parse(v.get()))).collect())
            }
            Some(b'[') => {
                let list: Vec<Box<RawValue>> = serde_json::from_str(text).unwrap();
                Self::List(list.iter().map(|item| Self::parse(item.get())).collect())
            }
            Some(b'"') => Self::Text(serde_json::from_str(text).unwrap()),
            _ => Self::Literal(text.to_owned()),
        }
    }

    /// A member of an object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(map) => map.get(name),
            _ => None,
        }
    }

    /// The items of the member `name`, when it is an array; else none.
    pub fn items(&self, name: &str) -> &[Self] {
        match self.get(name) {
            Some(Self::List(list)) => list,
            _ => &[],
        }
    }

    /// The objects of an envelope or a bundle, by id.
    pub fn by_id(envelope: &str) -> BTreeMap<String, Self> {
        let id = |object: &Self| match object.get("id") {
            Some(Self::Text(id)) => id.clone(),
            other => panic!("an object without an id: {other:?}"),
        };
        Self::parse(envelope).items("objects").iter().map(|o| (id(o), o.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_of_numbers_counts_and_order_and_space_do_not() {
        let one = Exact::parse(r#"{"a":[1.50,"é"],"b":null}"#);
        assert_eq!(one, Exact::parse(" { \"b\": null, \"a\": [ 1.50, \"\\u00e9\" ] } "));
        assert_ne!(one, Exact::parse(r#"{"a":[1.5,"é"],"b":null}"#));
        assert_ne!(one, Exact::parse(r#"{"a":[1.50,"é"]}"#));
    }
}
