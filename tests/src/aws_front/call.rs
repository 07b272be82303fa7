//! One call of an AWS service: what it is called here, and the rights it needs there.

use std::collections::BTreeSet;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use uuid::Uuid;

/// A service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    DynamoDb,
    S3,
}

/// A call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The operation, and on what: the same for calls of the same kind, whatever ids they name.
    pub name: String,
    /// What the caller's role must allow.
    pub rights: Vec<Right>,
    pub(super) service: Service,
    pub(super) operation: String,
    pub(super) body: Value,
}

/// Something a role allows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// `dynamodb:GetItem` and so on.
    pub action: String,
    /// The table's name, or bucket and key.
    pub resource: String,
    /// The partition key, where the call names one.
    pub leading: Option<String>,
    /// The attributes a write names.
    pub attributes: BTreeSet<String>,
}

impl Call {
    pub(super) fn read(request: &HttpRequest) -> Self {
        match request.headers().get("x-amz-target").and_then(|target| target.split_once('.')) {
            Some((_, operation)) => Self::of_dynamodb(operation, request.body().bytes()),
            None => Self::of_s3(request.method(), request.uri()),
        }
    }

    pub(super) fn writes(&self) -> bool {
        !["Get", "Query", "Scan", "BatchGet", "Head", "List"]
            .iter()
            .any(|read| self.operation.starts_with(read))
    }

    pub(super) fn is_read_of_bucket(&self) -> bool {
        matches!(self.operation.as_str(), "GetObject" | "HeadObject")
    }

    /// What an answer "not there" needs beside.
    pub(super) fn listing(&self) -> Self {
        let bucket = self.rights.first().and_then(|right| right.resource.split('/').next());
        let right = Right {
            action: "s3:ListBucket".to_owned(),
            resource: bucket.unwrap_or_default().to_owned(),
            leading: None,
            attributes: BTreeSet::new(),
        };
        Self {
            name: "an answer that something is not there".to_owned(),
            rights: vec![right],
            operation: String::new(),
            ..self.clone()
        }
    }

    fn of_dynamodb(operation: &str, body: Option<&[u8]>) -> Self {
        let body: Value = serde_json::from_slice(body.unwrap_or_default()).unwrap_or_default();
        let rights = rights(operation, &body);
        let mut about: Vec<String> = rights.iter().map(Right::shape).collect();
        about.dedup();
        // Many of a kind are one kind.
        let name = format!("{operation} {}", about.join(" + "));
        let operation = operation.to_owned();
        Self { name, rights, service: Service::DynamoDb, operation, body }
    }

    fn of_s3(method: &str, uri: &str) -> Self {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let path = path.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        let path = path.map_or("", |(_, path)| path);
        let path = percent_decode_str(path).decode_utf8_lossy().into_owned();
        let has = |name: &str| {
            query.split('&').any(|pair| pair.split('=').next().is_some_and(|found| found == name))
        };
        let (operation, action) = match method {
            "GET" if has("list-type") => ("ListObjectsV2", "s3:ListBucket"),
            "GET" => ("GetObject", "s3:GetObject"),
            "HEAD" => ("HeadObject", "s3:GetObject"),
            "PUT" if has("uploadId") => ("UploadPart", "s3:PutObject"),
            "PUT" => ("PutObject", "s3:PutObject"),
            "POST" if has("uploads") => ("CreateMultipartUpload", "s3:PutObject"),
            "POST" if has("uploadId") => ("CompleteMultipartUpload", "s3:PutObject"),
            "DELETE" if has("uploadId") => ("AbortMultipartUpload", "s3:AbortMultipartUpload"),
            "DELETE" => ("DeleteObject", "s3:DeleteObject"),
            other => panic!("what is {other} {uri}?"),
        };
        let resource = path.trim_end_matches('/').to_owned();
        let key = resource.split_once('/').map_or("", |(_, key)| key);
        let right = Right {
            action: action.to_owned(),
            leading: None,
            attributes: BTreeSet::new(),
            resource: resource.clone(),
        };
        Self {
            name: format!("{operation} {}", shape(key)),
            rights: vec![right],
            service: Service::S3,
            operation: operation.to_owned(),
            body: Value::Null,
        }
    }
}

impl Right {
    fn shape(&self) -> String {
        let action = self.action.trim_start_matches("dynamodb:");
        // A case has tables of its own, `case-<n>-<name>`.
        let table = self.resource.splitn(3, '-').last().unwrap_or_default();
        let leading = self.leading.as_deref().unwrap_or_default();
        // One of the logs that every deployment has is as good as another.
        let leading = if leading.starts_with("indicators#") { "indicators" } else { leading };
        // Lists of notifications are called by hashes.
        let hashed = leading.len() == 22 && !leading.contains('#');
        let leading = if hashed { "list".to_owned() } else { shape(leading) };
        format!("{action} {table} {leading}")
    }
}

/// What an id, a key or a path looks like, whichever it is.
pub fn shape(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(head) = rest.get(..36)
            && Uuid::try_parse(head).is_ok()
        {
            shown.push('U');
            rest = &rest[36..];
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        if end == 0 {
            let next = rest.chars().next().map_or(1, char::len_utf8);
            shown.push_str(&rest[..next]);
            rest = &rest[next..];
            continue;
        }
        let (word, after) = rest.split_at(end);
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        shown.push_str(match word {
            _ if word.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) => "N",
            _ if word.len() >= 12 && digits > 0 => "N",
            // A key's id.
            _ if word.len() == 16 => "N",
            word => word,
        });
        rest = after;
    }
    shown
}

fn rights(operation: &str, body: &Value) -> Vec<Right> {
    let right = |action: &str, table: &str, key: &Value, of: &Value| Right {
        action: format!("dynamodb:{action}"),
        resource: table.to_owned(),
        leading: ["id", "pk"].iter().find_map(|name| key[name]["S"].as_str()).map(str::to_owned),
        attributes: attributes(key, of),
    };
    let table = body["TableName"].as_str().unwrap_or_default();
    match operation {
        "PutItem" => vec![right(operation, table, &body["Item"], body)],
        "GetItem" | "UpdateItem" | "DeleteItem" => {
            vec![right(operation, table, &body["Key"], body)]
        }
        "Query" => {
            let mut right = right(operation, table, &Value::Null, body);
            right.leading = asked_partition(body);
            vec![right]
        }
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            tables.map(|(table, _)| right(operation, table, &Value::Null, &Value::Null)).collect()
        }
        "TransactWriteItems" => {
            let items = body["TransactItems"].as_array().into_iter().flatten();
            let actions = items.flat_map(|item| item.as_object().into_iter().flatten());
            let rights = actions.map(|(kind, action)| {
                let operation = match kind.as_str() {
                    "Put" => "PutItem",
                    "Update" => "UpdateItem",
                    "Delete" => "DeleteItem",
                    _ => "ConditionCheckItem",
                };
                let key = action.get("Item").unwrap_or(&action["Key"]);
                right(operation, action["TableName"].as_str().unwrap_or_default(), key, action)
            });
            rights.collect()
        }
        _ => vec![right(operation, table, &Value::Null, body)],
    }
}

/// The partition a Query is for.
fn asked_partition(body: &Value) -> Option<String> {
    let condition = body["KeyConditionExpression"].as_str()?;
    let value = condition.split_once('=')?.1.split_whitespace().next()?;
    body["ExpressionAttributeValues"][value]["S"].as_str().map(str::to_owned)
}

/// The names of attributes that a call names: of its key, its item and its expressions.
fn attributes(key: &Value, of: &Value) -> BTreeSet<String> {
    let keyed = key.as_object().into_iter().flatten().map(|(name, _)| name.clone());
    let mut found: BTreeSet<String> = keyed.collect();
    let text = |member: &str| of[member].as_str().unwrap_or_default();
    let expressions =
        ["UpdateExpression", "ConditionExpression", "ProjectionExpression"].map(text).join(" ");
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '#' | ':');
    for name in expressions.split(|c| !word(c)).filter(|name| !name.is_empty()) {
        let known = of["ExpressionAttributeNames"][name].as_str().unwrap_or(name);
        let keyword = known.chars().all(|c| c.is_ascii_uppercase())
            || known.starts_with(':')
            || known.starts_with(|c: char| c.is_ascii_digit())
            || FUNCTIONS.contains(&known);
        if !keyword {
            found.insert(known.to_owned());
        }
    }
    found
}

/// What expressions are made of beside names.
const FUNCTIONS: [&str; 7] = [
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "contains",
    "size",
    "if_not_exists",
];
