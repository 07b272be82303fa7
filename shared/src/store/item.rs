//! Reading and writing the attributes of an item.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use super::StoreError;

/// One item.
pub type Item = HashMap<String, AttributeValue>;

/// A string attribute.
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A binary attribute.
pub fn binary(value: impl Into<Vec<u8>>) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// The primary key of an item in a table keyed by `id` and `sk`.
pub fn key(id: impl Into<String>, sk: impl Into<String>) -> Item {
    HashMap::from([("id".to_owned(), text(id)), ("sk".to_owned(), text(sk))])
}

/// Reads attributes, naming the one that is not as written.
pub trait ReadItem {
    /// A string that must be there.
    fn text(&self, name: &str) -> Result<&str, StoreError>;
    /// A number, if there.
    fn number(&self, name: &str) -> Result<Option<u64>, StoreError>;
    /// Bytes, if there.
    fn bytes(&self, name: &str) -> Option<&[u8]>;
    /// A set of numbers; empty when absent.
    fn numbers(&self, name: &str) -> Vec<u64>;

    /// A number that must be there.
    fn required_number(&self, name: &str) -> Result<u64, StoreError> {
        self.number(name)?.ok_or_else(|| StoreError::Damaged(format!("no number {name}")))
    }

    /// Bytes that must be there.
    fn required_bytes(&self, name: &str) -> Result<&[u8], StoreError> {
        self.bytes(name).ok_or_else(|| StoreError::Damaged(format!("no bytes {name}")))
    }
}

impl ReadItem for Item {
    fn text(&self, name: &str) -> Result<&str, StoreError> {
        match self.get(name) {
            Some(AttributeValue::S(text)) => Ok(text),
            _ => Err(StoreError::Damaged(format!("no text {name}"))),
        }
    }

    fn number(&self, name: &str) -> Result<Option<u64>, StoreError> {
        match self.get(name) {
            None => Ok(None),
            Some(AttributeValue::N(number)) => number
                .parse()
                .map(Some)
                .map_err(|_| StoreError::Damaged(format!("{name} is no whole number"))),
            Some(_) => Err(StoreError::Damaged(format!("{name} is no number"))),
        }
    }

    fn bytes(&self, name: &str) -> Option<&[u8]> {
        match self.get(name) {
            Some(AttributeValue::B(blob)) => Some(blob.as_ref()),
            _ => None,
        }
    }

    fn numbers(&self, name: &str) -> Vec<u64> {
        match self.get(name) {
            Some(AttributeValue::Ns(numbers)) => {
                numbers.iter().filter_map(|number| number.parse().ok()).collect()
            }
            _ => Vec::new(),
        }
    }
}
