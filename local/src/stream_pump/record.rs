//! A stream record as Lambda shows it to a function.

use aws_sdk_dynamodbstreams::types::{
    AttributeValue, OperationType, Record, StreamRecord, StreamViewType,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::template::{ACCOUNT, REGION};

/// One member of a Lambda event's `Records`.
pub(super) fn event(record: &Record, table: &str) -> Value {
    json!({
        "eventID": record.event_id(),
        "eventName": record.event_name().map(OperationType::as_str),
        "eventVersion": record.event_version(),
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": record.dynamodb().map(change),
        "eventSourceARN": format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}/stream/local"),
    })
}

fn change(change: &StreamRecord) -> Value {
    let mut object = Map::new();
    if let Some(at) = change.approximate_creation_date_time() {
        object.insert("ApproximateCreationDateTime".to_owned(), json!(at.as_secs_f64()));
    }
    let images = [
        ("Keys", change.keys()),
        ("NewImage", change.new_image()),
        ("OldImage", change.old_image()),
    ];
    for (name, image) in images {
        if let Some(image) = image {
            let image = image.iter().map(|(name, value)| (name.clone(), attribute(value, 0)));
            object.insert(name.to_owned(), Value::Object(image.collect()));
        }
    }
    object.insert("SequenceNumber".to_owned(), json!(change.sequence_number()));
    object.insert("SizeBytes".to_owned(), json!(change.size_bytes()));
    object.insert(
        "StreamViewType".to_owned(),
        json!(change.stream_view_type().map(StreamViewType::as_str)),
    );
    Value::Object(object)
}

/// `DynamoDB` nests no deeper than this.
const MAX_DEPTH: usize = 32;

/// A value in `DynamoDB`'s JSON; binary as base64.
fn attribute(value: &AttributeValue, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return json!({ "NULL": true });
    }
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::B(bytes) => json!({ "B": STANDARD.encode(bytes) }),
        AttributeValue::Bool(flag) => json!({ "BOOL": flag }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        AttributeValue::Ns(numbers) => json!({ "NS": numbers }),
        AttributeValue::Bs(all) => {
            json!({ "BS": all.iter().map(|bytes| STANDARD.encode(bytes)).collect::<Vec<_>>() })
        }
        AttributeValue::L(items) => {
            json!({ "L": items.iter().map(|item| attribute(item, depth + 1)).collect::<Vec<_>>() })
        }
        AttributeValue::M(members) => {
            let members =
                members.iter().map(|(name, value)| (name.clone(), attribute(value, depth + 1)));
            json!({ "M": members.collect::<Map<_, _>>() })
        }
        _ => json!({ "NULL": true }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodbstreams::primitives::{Blob, DateTime};

    #[test]
    fn a_record_has_lambdas_shape() {
        let map = [("n".to_owned(), AttributeValue::Null(true))].into();
        let change = StreamRecord::builder()
            .approximate_creation_date_time(DateTime::from_secs(5))
            .keys("id", AttributeValue::S("i".into()))
            .new_image("body", AttributeValue::B(Blob::new([0xff, 0])))
            .new_image("pending", AttributeValue::N("12".into()))
            .new_image("m", AttributeValue::M(map))
            .new_image("l", AttributeValue::L(vec![AttributeValue::Bool(true)]))
            .sequence_number("100000000000000000001")
            .size_bytes(9)
            .stream_view_type(StreamViewType::NewImage)
            .build();
        let record = Record::builder()
            .event_id("e")
            .event_name(OperationType::Insert)
            .event_version("1.1")
            .dynamodb(change)
            .build();
        let expected = json!({
            "eventID": "e", "eventName": "INSERT", "eventVersion": "1.1",
            "eventSource": "aws:dynamodb", "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": 5.0,
                "Keys": {"id": {"S": "i"}},
                "NewImage": {
                    "body": {"B": "/wA="}, "pending": {"N": "12"},
                    "m": {"M": {"n": {"NULL": true}}}, "l": {"L": [{"BOOL": true}]},
                },
                "SequenceNumber": "100000000000000000001",
                "SizeBytes": 9, "StreamViewType": "NEW_IMAGE",
            },
            "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/T/stream/local",
        });
        assert_eq!(event(&record, "T"), expected);
    }
}
