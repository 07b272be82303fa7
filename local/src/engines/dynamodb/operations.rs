//! `DynamoDB`'s operations in its JSON protocol, answered by the embedded database.

use bytes::Bytes;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An answer in `DynamoDB`'s JSON protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP's status code.
    pub status: u16,
    /// The JSON document.
    pub body: Bytes,
}

/// Carries out the operation that `x-amz-target` names.
pub(super) fn answer(database: &Database, target: &str, body: &[u8]) -> Answer {
    let operation = target.rsplit('.').next().unwrap_or_default();
    match carry_out(database, operation, body) {
        Ok(body) => Answer { status: 200, body },
        Err(error) => Answer { status: error.status_code(), body: Bytes::from(error.to_json()) },
    }
}

fn carry_out(database: &Database, operation: &str, body: &[u8]) -> Result<Bytes, DynoxideError> {
    match operation {
        "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => run(body, |request| database.batch_write_item(request)),
        "CreateTable" => run(body, |request| database.create_table(request)),
        "DeleteItem" => run(body, |request| database.delete_item(request)),
        "DeleteTable" => run(body, |request| database.delete_table(request)),
        "DescribeStream" => run(body, |request| database.describe_stream(request)),
        "DescribeTable" => run(body, |request| database.describe_table(request)),
        "DescribeTimeToLive" => run(body, |request| database.describe_time_to_live(request)),
        "GetItem" => run(body, |request| database.get_item(request)),
        "GetRecords" => run(body, |request| database.get_records(request)),
        "GetShardIterator" => run(body, |request| database.get_shard_iterator(request)),
        "ListStreams" => run(body, |request| database.list_streams(request)),
        "ListTables" => run(body, |request| database.list_tables(request)),
        "PutItem" => run(body, |request| database.put_item(request)),
        "Query" => run(body, |request| database.query(request)),
        "Scan" => run(body, |request| database.scan(request)),
        "TransactGetItems" => run(body, |request| database.transact_get_items(request)),
        "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
        "UpdateItem" => run(body, |request| database.update_item(request)),
        "UpdateTimeToLive" => run(body, |request| database.update_time_to_live(request)),
        other => Err(DynoxideError::ValidationException(format!(
            "the embedded engine has no operation {other:?}"
        ))),
    }
}

fn run<Request: DeserializeOwned, Response: Serialize>(
    body: &[u8],
    operation: impl FnOnce(Request) -> Result<Response, DynoxideError>,
) -> Result<Bytes, DynoxideError> {
    let request = serde_json::from_slice(body).map_err(|error| refused(&error))?;
    let response = operation(request)?;
    let response = serde_json::to_vec(&response);
    let response =
        response.map_err(|error| DynoxideError::InternalServerError(error.to_string()))?;
    Ok(Bytes::from(response))
}

/// What is wrong with a request. The engine's types begin what `DynamoDB` calls a validation error
/// with a mark, and serde appends the place.
fn refused(error: &serde_json::Error) -> DynoxideError {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    let marked =
        ["VALIDATION_REQUEST:", "VALIDATION:"].iter().find_map(|mark| text.strip_prefix(mark));
    match marked {
        Some(message) => DynoxideError::ValidationException(message.to_owned()),
        None => DynoxideError::SerializationException(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn ask(database: &Database, operation: &str, body: &Value) -> (u16, Value) {
        let target = format!("DynamoDB_20120810.{operation}");
        let answer = answer(database, &target, body.to_string().as_bytes());
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    fn table() -> Database {
        let database = Database::memory().unwrap();
        let table = json!({
            "TableName": "Table", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
        });
        assert_eq!(ask(&database, "CreateTable", &table).0, 200);
        database
    }

    #[test]
    fn what_is_put_is_got() {
        let database = table();
        let item = json!({"k": {"S": "a"}, "n": {"N": "1"}, "b": {"B": "/wA="}});
        let put = json!({"TableName": "Table", "Item": item});
        assert_eq!(ask(&database, "PutItem", &put), (200, json!({})));
        let get = json!({"TableName": "Table", "Key": {"k": {"S": "a"}}});
        assert_eq!(ask(&database, "GetItem", &get), (200, json!({"Item": item})));
    }

    #[test]
    fn errors_are_named_as_the_sdk_expects() {
        let database = table();
        let put = json!({
            "TableName": "Table", "Item": {"k": {"S": "a"}},
            "ConditionExpression": "attribute_exists(k)",
        });
        let (status, error) = ask(&database, "PutItem", &put);
        assert_eq!(status, 400);
        let kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
        assert_eq!(error["__type"], kind);
        let bad = json!({"TableName": "Table", "Item": {"k": {"S": "a"}, "n": {"N": "x"}}});
        let (status, error) = ask(&database, "PutItem", &bad);
        assert_eq!(
            (status, &error["__type"]),
            (400, &json!("com.amazon.coral.validate#ValidationException"))
        );
        let (status, error) = ask(&database, "Nothing", &json!({}));
        assert_eq!(status, 400);
        assert!(error["message"].as_str().unwrap().contains("Nothing"), "{error}");
        assert_eq!(answer(&database, "DynamoDB_20120810.PutItem", b"{").status, 400);
    }
}
