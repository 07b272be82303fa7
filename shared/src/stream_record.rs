//! A `DynamoDB` stream's record as Lambda hands it to a function, as far as functions look at it:
//! a record says only which item changed, and the item is read anew.

use serde::Deserialize;

/// One of an event's `Records`.
#[derive(Debug, Deserialize)]
pub struct StreamRecord {
    dynamodb: Change,
}

#[derive(Debug, Deserialize)]
struct Change {
    #[serde(rename = "SequenceNumber")]
    sequence_number: String,
    #[serde(rename = "Keys")]
    keys: Keys,
}

#[derive(Debug, Deserialize)]
struct Keys {
    id: Text,
    sk: Text,
}

#[derive(Debug, Deserialize)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

impl StreamRecord {
    /// The partition key of the item.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.dynamodb.keys.id.text
    }

    /// The sort key of the item.
    #[must_use]
    pub fn sort_key(&self) -> &str {
        &self.dynamodb.keys.sk.text
    }

    /// What a function answers to have the record again (`ReportBatchItemFailures`).
    #[must_use]
    pub fn into_sequence_number(self) -> String {
        self.dynamodb.sequence_number
    }
}
